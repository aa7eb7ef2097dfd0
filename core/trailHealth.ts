/**
 * What GetTrail and GetTrailStatus say about a trail, compared with what its stack is configured to create: where it delivers
 * besides S3, whether its deliveries fail, and whether it has gone silent.
 */
import type { Finding } from "./findings";
import { topicNameOf } from "./delivery";
import { LeaveAsIs } from "./leftAsIs";
import { parseTrailArn } from "./names";
import { logGroupArn, topicArn } from "./policies/delivery";
import type { TrailOptions } from "./settings";

/** A trail as its stack is configured to create it. */
export interface IntendedTrail {
  trailArn: string;
  options: Pick<
    TrailOptions,
    | "isMultiRegionTrail"
    | "enableLogFileValidation"
    | "includeGlobalServiceEvents"
    | "enableLogging"
    | "cloudWatchLogs"
    | "sns"
  >;
  isOrganizationTrail: boolean;
  /** What is not compared: see `crosstrail:leaveAsIs`. */
  leftAsIs: readonly string[];
  /** The log group and the role that the stack made, as its state has them. Left out: their names are held against a pattern. */
  made?: { logGroupName?: string; logRoleArn?: string };
  /** When the stack was last updated, as its state says. */
  stackUpdatedAt?: string;
}

/** Of GetTrail's answer. AWS leaves out what is not set. */
export interface TrailSettings {
  IsMultiRegionTrail?: boolean;
  LogFileValidationEnabled?: boolean;
  IsOrganizationTrail?: boolean;
  IncludeGlobalServiceEvents?: boolean;
  CloudWatchLogsLogGroupArn?: string;
  CloudWatchLogsRoleArn?: string;
  SnsTopicARN?: string;
}

/** Of GetTrailStatus's answer. AWS leaves out what has not happened. */
export interface TrailActivity {
  IsLogging?: boolean;
  StartLoggingTime?: Date;
  LatestDeliveryTime?: Date;
  LatestDeliveryError?: string;
  LatestDigestDeliveryTime?: Date;
  LatestDigestDeliveryError?: string;
  LatestCloudWatchLogsDeliveryTime?: Date;
  LatestCloudWatchLogsDeliveryError?: string;
  LatestNotificationTime?: Date;
  LatestNotificationError?: string;
}

/**
 * Milliseconds after which a trail without a digest counts as silent: 2 h 15 min. CloudTrail delivers a digest every hour, also
 * when nothing happened.
 * Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-intro.html
 */
export const silentAfterMs = 135 * 60_000;

const refresh = "Find out who changed it (UpdateTrail in the logs), then run crosstrail up --refresh for this stack.";

/** Every option and destination that differs, each as a finding of its own. */
export function settingsFindings(trail: TrailSettings, intended: IntendedTrail): Finding[] {
  const { trailArn, options, leftAsIs } = intended;
  const findings: Finding[] = [];
  const add = (id: Finding["id"], message: string) =>
    findings.push({ id, severity: "error", subject: trailArn, message, remedy: refresh });
  for (const [name, is = false, wanted] of [
    ["isMultiRegionTrail", trail.IsMultiRegionTrail, options.isMultiRegionTrail],
    ["enableLogFileValidation", trail.LogFileValidationEnabled, options.enableLogFileValidation],
    ["isOrganizationTrail", trail.IsOrganizationTrail, intended.isOrganizationTrail],
    ["includeGlobalServiceEvents", trail.IncludeGlobalServiceEvents, options.includeGlobalServiceEvents],
  ] as const) {
    if (is !== wanted) add("trail/changed", `${name} is ${is}, but should be ${wanted}.`);
  }
  if (!leftAsIs.includes(LeaveAsIs.CloudWatchLogs)) {
    for (const message of logGroupDifferences(trail, intended)) add("trail/log-group", message);
  }
  if (!leftAsIs.includes(LeaveAsIs.Sns)) {
    const message = topicDifference(trail, intended);
    if (message !== undefined) add("trail/sns-topic", message);
  }
  return findings;
}

function logGroupDifferences(
  { CloudWatchLogsLogGroupArn: group = "", CloudWatchLogsRoleArn: role = "" }: TrailSettings,
  { trailArn, options: { cloudWatchLogs }, made = {} }: IntendedTrail,
): string[] {
  if (cloudWatchLogs === undefined) {
    const has = [group && `log group ${group}`, role && `role ${role}`].filter(Boolean).join(" with ");
    return has ? [`The trail delivers to ${has}, but should not deliver to CloudWatch Logs.`] : [];
  }
  if (!group) return ["The trail does not deliver to a log group, but should."];
  const home = parseTrailArn(trailArn);
  if (!home) return [];
  const differences: string[] = [];
  // IAM ends the role's name in random characters, and the log group is named after the role.
  const roleName = role.split("/").at(-1) ?? "";
  const isOurs =
    made.logRoleArn === undefined
      ? new RegExp(`^arn:${home.partition}:iam::${home.accountId}:role/(audit|member)-logs-[0-9a-z]+$`).test(role)
      : role === made.logRoleArn;
  if (!isOurs) {
    differences.push(
      `The trail writes to CloudWatch Logs with role ${role || "none"}, which is not the role of its stack.`,
    );
  }
  const { groupName = made.logGroupName ?? (isOurs ? `crosstrail/${roleName}` : undefined) } = cloudWatchLogs;
  const inHome = logGroupArn(home, "");
  const isWanted =
    groupName === undefined
      ? group.startsWith(`${inHome}crosstrail/`)
      : [`:*`, ``].some((end) => group === `${inHome}${groupName}${end}`);
  if (!isWanted) {
    const wanted = `${inHome}${groupName ?? "crosstrail/<the name of the stack's role>"}`;
    differences.push(`The trail delivers to log group ${group}, but should deliver to ${wanted}.`);
  }
  return differences;
}

function topicDifference(
  { SnsTopicARN: topic = "" }: TrailSettings,
  { trailArn, options: { sns } }: IntendedTrail,
): string | undefined {
  const home = parseTrailArn(trailArn);
  if (!home) return undefined;
  const wanted = sns === undefined ? "" : topicArn(home, sns.topicName ?? topicNameOf(home.name));
  if (topic === wanted) return undefined;
  if (!wanted) return `The trail notifies topic ${topic}, but should not notify any topic.`;
  return `The trail notifies ${topic ? `topic ${topic}` : "no topic"}, but should notify ${wanted}.`;
}

/**
 * Deliveries that fail, and silence.
 * @param answeredAt when AWS answered, by its own clock. A local clock may be wrong, and would invent or hide silence.
 * @param seenFrom the account that was asked. Only the trail's own account is sure to see deliveries.
 */
export function activityFindings(
  activity: TrailActivity,
  trail: TrailSettings,
  { trailArn, options, leftAsIs, stackUpdatedAt }: IntendedTrail,
  { answeredAt, seenFrom }: { answeredAt: Date; seenFrom: string },
): Finding[] {
  const findings: Finding[] = [];
  const add = (id: Finding["id"], message: string, remedy: string) =>
    findings.push({ id, severity: "error", subject: trailArn, message, remedy });
  for (const { part, id, error, what, latest, remedy } of errorsOf(activity)) {
    if (!error || leftAsIs.includes(part)) continue;
    const when = latest
      ? `The latest delivery that succeeded was at ${latest.toISOString()}.`
      : "None has succeeded yet.";
    add(id, `CloudTrail reports ${error} for ${what}. ${when}`, remedy);
  }
  if (activity.IsLogging !== true || leftAsIs.includes(LeaveAsIs.Delivery)) return findings;
  // Without validation there are no digests; that it should be on is a finding already.
  if (trail.LogFileValidationEnabled !== true || !options.enableLogFileValidation) return findings;
  const { LatestDigestDeliveryTime: digest, StartLoggingTime: started } = activity;
  if (digest === undefined && parseTrailArn(trailArn)?.accountId !== seenFrom) return findings;
  const since = newest(digest, started);
  const now = newest(answeredAt, ...timesOf(activity)) as Date;
  if (since && now.getTime() - since.getTime() <= silentAfterMs) return findings;
  const updated = stackUpdatedAt === undefined ? undefined : new Date(stackUpdatedAt);
  if (digest === undefined && updated && now.getTime() - updated.getTime() <= silentAfterMs) {
    // AWS does not say since when a trail has validation; that update may have turned it on.
    findings.push({
      id: "trail/no-digest-yet",
      severity: "warning",
      subject: trailArn,
      message: `No digest has been delivered yet. The stack was last updated at ${updated.toISOString()}, and may have turned log file validation on then, so it is not known whether the trail is silent.`,
      remedy: `Rerun crosstrail status after ${new Date(updated.getTime() + silentAfterMs).toISOString()}: the first digest has been delivered by then.`,
    });
    return findings;
  }
  const last = digest
    ? `The latest digest was delivered at ${digest.toISOString()}`
    : `No digest has been delivered${started ? ` since logging started at ${started.toISOString()}` : ""}`;
  add(
    "trail/silent",
    `${last}, and AWS's time is ${now.toISOString()}. CloudTrail delivers a digest every hour, even if nothing happens.`,
    "Check that the bucket and the key exist and that their policies let the trail deliver: crosstrail simulate --deployed. If log file validation was turned on outside of Crosstrail less than two hours ago, wait for the first digest.",
  );
  return findings;
}

function errorsOf(activity: TrailActivity) {
  const archive =
    "Run crosstrail status for the audit stack; crosstrail simulate --deployed shows which statement refuses the trail.";
  return [
    {
      part: LeaveAsIs.Delivery,
      id: "trail/delivery-error",
      what: "log files",
      error: activity.LatestDeliveryError,
      latest: activity.LatestDeliveryTime,
      remedy: archive,
    },
    {
      part: LeaveAsIs.Delivery,
      id: "trail/digest-error",
      what: "digests",
      error: activity.LatestDigestDeliveryError,
      latest: activity.LatestDigestDeliveryTime,
      remedy: archive,
    },
    {
      part: LeaveAsIs.CloudWatchLogs,
      id: "trail/log-group-error",
      what: "the log group",
      error: activity.LatestCloudWatchLogsDeliveryError,
      latest: activity.LatestCloudWatchLogsDeliveryTime,
      remedy:
        "Check the log group, its key and the role of the trail, then run crosstrail up --refresh for this stack.",
    },
    {
      part: LeaveAsIs.Sns,
      id: "trail/notification-error",
      what: "notifications",
      error: activity.LatestNotificationError,
      latest: activity.LatestNotificationTime,
      remedy: "Check the topic, its policy and its key, then run crosstrail up --refresh for this stack.",
    },
  ] as const;
}

function timesOf(activity: TrailActivity): (Date | undefined)[] {
  return [
    activity.StartLoggingTime,
    activity.LatestDeliveryTime,
    activity.LatestDigestDeliveryTime,
    activity.LatestCloudWatchLogsDeliveryTime,
    activity.LatestNotificationTime,
  ];
}

function newest(...times: (Date | undefined)[]): Date | undefined {
  return times.reduce((latest, each) => (each && (!latest || each > latest) ? each : latest), undefined);
}
