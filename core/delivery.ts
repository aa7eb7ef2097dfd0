/** Where a trail delivers besides S3: what can be asked for, and what is wrong with it. */

/**
 * Days after which CloudWatch Logs can delete an entry.
 * https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
 */
export const retentionDays = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

/** A log group of the trail's own account. */
export interface LogGroupChoice {
  retentionDays: number;
  encrypted: boolean;
  groupName?: string;
}

/** A topic of the trail's own account. */
export interface TopicChoice {
  encrypted: boolean;
  topicName?: string;
}

/** Says what is wrong with a log group's retention, or nothing. */
export function retentionProblem(days: unknown): string | undefined {
  if (typeof days === "number" && (days === 0 || retentionDays.includes(days))) return undefined;
  return `CloudWatch Logs keeps entries for 0 (forever), ${retentionDays.join(", ")} days`;
}

/**
 * Says what is wrong with a log group's name, or nothing.
 * Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
 */
export function logGroupNameProblem(name: string): string | undefined {
  if (name.startsWith("arn:")) return ownAccountOnly(name, "log group");
  if (name.length < 1 || name.length > 512)
    return `a log group's name has 1 to 512 characters, this has ${name.length}`;
  if (!/^[A-Za-z0-9_/.#-]+$/.test(name)) return "a log group's name has letters, digits and _ - / . # only";
  if (name.startsWith("aws/")) return "names of log groups that start with 'aws/' are reserved by AWS";
  return undefined;
}

/**
 * Says what is wrong with a topic's name, or nothing.
 * Source: https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
 */
export function topicNameProblem(name: string): string | undefined {
  if (name.startsWith("arn:")) return ownAccountOnly(name, "topic");
  if (name.endsWith(".fifo")) return "CloudTrail only publishes to standard topics, not to FIFO topics";
  if (!/^[A-Za-z0-9_-]{1,256}$/.test(name)) return "a topic's name has 1 to 256 letters, digits, '_' and '-'";
  return undefined;
}

/** The name of a trail's topic that is given none. A topic's name has no periods. */
export function topicNameOf(trailName: string): string {
  return `${trailName.replaceAll(".", "-")}-deliveries`;
}

/** Says what is wrong with an organization's id, or nothing. */
export function organizationIdProblem(id: string): string | undefined {
  return /^o-[a-z0-9]{10,32}$/.test(id) ? undefined : "an organization's id looks like o-a1b2c3d4e5";
}

function ownAccountOnly(arn: string, what: string): string {
  const account = arn.split(":")[4];
  return (
    `this ${what} is in account ${account || "(none)"}; the ${what} must be in the trail's own account, ` +
    "where this stack creates it: use a name, not an ARN"
  );
}
