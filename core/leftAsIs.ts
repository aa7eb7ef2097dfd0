/**
 * What of a trail that was made by hand can stay as AWS has it. A closed set: the configuration, the component and
 * `crosstrail adopt` share it.
 */
export const LeaveAsIs = {
  /** The bucket, the prefix and the key that it delivers with. */
  Delivery: "delivery",
  EventSelectors: "eventSelectors",
  Insights: "insights",
  CloudWatchLogs: "cloudWatchLogs",
  Sns: "sns",
} as const;
export type LeaveAsIs = "delivery" | "eventSelectors" | "insights" | "cloudWatchLogs" | "sns";
