/** Crosstrail's components, usable from every Pulumi language. */
export * from "./auditBucket";
export * from "./auditKey";
export * from "./bucketReplication";
export * from "./logReader";
export * from "./memberTrail";
