/** Crosstrail's components, usable from every Pulumi language. */
export * from "./auditBucket";
export * from "./auditKey";
export * from "./logReader";
export * from "./memberTrail";
export * from "./organizationTrail";
export type { TrailAdvancedEventSelector, TrailDataResource, TrailEventSelector, TrailFieldSelector } from "./trail";
