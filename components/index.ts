/** Crosstrail's components, usable from every Pulumi language, and for TypeScript and JavaScript the core beside them. */
export * from "./auditBucket";
export * from "./auditKey";
export * from "./logReader";
export * from "./memberTrail";
export * from "../core";
