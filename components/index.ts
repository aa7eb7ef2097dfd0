/** Crosstrail's components, usable from every Pulumi language, and for TypeScript and JavaScript the core beside them. */
export * from "./auditBucket";
export * from "./auditKey";
export * from "./eventDataStore";
export * from "./logReader";
export * from "./memberTrail";
export * from "./trailLogGroup";
export * from "./trailTopic";
export * from "../core";
