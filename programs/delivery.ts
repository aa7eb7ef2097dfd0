/** Where a trail delivers besides S3: a log group and a topic in its own account. */
import * as pulumi from "@pulumi/pulumi";
import type { MemberTrailArgs } from "../components/memberTrail";
import { TrailLogGroup } from "../components/trailLogGroup";
import { TrailTopic } from "../components/trailTopic";
import type { Authorisation, MemberContract } from "../core/contract";
import { stackTag } from "../core/fleet";
import { trailArn } from "../core/names";
import type { MemberSettings, TrailOptions } from "../core/settings";
import { boundaryArn, fullStackName, warnOfEvents } from "./stack";

/** What a trail needs to know, and what the stack gives out for alarms and subscriptions. */
export interface Delivery {
  trailArgs: Pick<MemberTrailArgs, "cloudWatchLogsLogGroupArn" | "cloudWatchLogsRoleArn" | "snsTopicName">;
  outputs: { logGroupName?: pulumi.Output<string>; topicArn?: pulumi.Output<string> };
}

/** What a trail of another account than the audit account's takes to deliver to the archive. */
export async function deliverToArchive(
  contract: MemberContract,
  { trail, previousTrailArn }: Pick<Authorisation, "trail" | "previousTrailArn">,
  settings: Pick<MemberSettings, "partition" | "accountId" | "trailOptions" | "permissionsBoundary" | "tags">,
  organizationId?: string,
): Promise<{ trailArgs: MemberTrailArgs; outputs: Delivery["outputs"] }> {
  const { bucketName, otherBucketNames, keyArn, logPrefix, partition } = contract;
  const { trailOptions, tags } = settings;
  await warnOfEvents(trailOptions, contract);
  const { cloudWatchLogs, sns, ...options } = trailOptions;
  const { trailArgs, outputs } = deliver(
    // Also in the management stack: they stay what they are when an account's trail becomes the organization's.
    "member",
    [trailArn(trail), ...(previousTrailArn === undefined ? [] : [previousTrailArn])],
    { cloudWatchLogs, sns },
    { tags, permissionsBoundaryArn: boundaryArn(settings, settings.accountId), organizationId },
  );
  return {
    trailArgs: {
      trailName: trail.name,
      bucketName,
      otherBucketNames,
      keyArn,
      logPrefix,
      partition,
      // Its words were checked when it was read.
      ...(options as Partial<MemberTrailArgs>),
      ...trailArgs,
      tags,
    },
    outputs,
  };
}

/**
 * Makes the log group and the topic that the options ask for.
 * @param trailArns the trail, and the one that it is about to replace.
 */
export function deliver(
  name: string,
  trailArns: string[],
  { cloudWatchLogs, sns }: Pick<TrailOptions, "cloudWatchLogs" | "sns">,
  {
    tags,
    permissionsBoundaryArn,
    organizationId,
  }: {
    tags: Record<string, string>;
    permissionsBoundaryArn?: string;
    /** Of an organization's trail. */
    organizationId?: string;
  },
): Delivery {
  // By which an interrupted run finds a key again that it made, and a deploy role knows that it is Crosstrail's.
  const keyTags = (part: string) => ({ [stackTag]: `${fullStackName(pulumi.getStack())}:${part}` });
  const delivery: Delivery = { trailArgs: {}, outputs: {} };
  if (cloudWatchLogs) {
    const { retentionDays, encrypted, groupName } = cloudWatchLogs;
    const group = new TrailLogGroup(name, {
      trailArns,
      groupName,
      retentionInDays: retentionDays,
      encrypted,
      organizationId,
      permissionsBoundaryArn,
      keyTags: keyTags("log-group"),
      tags,
    });
    delivery.trailArgs.cloudWatchLogsLogGroupArn = group.logGroupArn;
    delivery.trailArgs.cloudWatchLogsRoleArn = group.roleArn;
    delivery.outputs.logGroupName = group.logGroupName;
  }
  if (sns) {
    const topic = new TrailTopic(name, { trailArns, ...sns, keyTags: keyTags("topic"), tags });
    delivery.trailArgs.snsTopicName = topic.topicName;
    delivery.outputs.topicArn = topic.topicArn;
  }
  return delivery;
}
