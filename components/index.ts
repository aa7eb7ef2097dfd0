/** Crosstrail's components, usable from every Pulumi language, and for TypeScript and JavaScript the core beside them. */
export * from "./accessLogBucket";
export * from "./auditBucket";
export * from "./auditKey";
export * from "./bucketReplication";
export * from "./eventDataStore";
export * from "./guardrail";
export * from "./logReader";
export * from "./memberTrail";
export * from "./notificationQueue";
export * from "./organizationTrail";
export type {
  TrailAdvancedEventSelector,
  TrailDataResource,
  TrailEventSelector,
  TrailFieldSelector,
} from "./selectors";
export type { TrailArgs } from "./trail";
export * from "./trailLogGroup";
export * from "./trailTopic";
export * from "../core";
