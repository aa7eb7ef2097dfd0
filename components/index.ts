/** Crosstrail's components, usable from every Pulumi language. */
export * from "./accessLogBucket";
export * from "./auditBucket";
export * from "./auditKey";
export * from "./logReader";
export * from "./memberTrail";
export * from "./notificationQueue";
