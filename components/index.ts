/** Crosstrail's components, usable from every Pulumi language. */
export * from "./auditBucket";
export * from "./auditKey";
export * from "./eventDataStore";
export * from "./logReader";
export * from "./memberTrail";
export * from "./trailLogGroup";
export * from "./trailTopic";
