/** Where a trail delivers besides S3: a log group and a topic in its own account. */
import type * as pulumi from "@pulumi/pulumi";
import type { MemberTrailArgs } from "../components/memberTrail";
import { TrailLogGroup } from "../components/trailLogGroup";
import { TrailTopic } from "../components/trailTopic";
import type { Authorisation, Contract } from "../core/contract";
import { bucketArn, trailArn } from "../core/names";
import type { TrailOptions } from "../core/settings";
import { warnOfEvents } from "./stack";

/** What a trail needs to know, and what the stack gives out for alarms and subscriptions. */
export interface Delivery {
  trailArgs: Pick<MemberTrailArgs, "cloudWatchLogsLogGroupArn" | "cloudWatchLogsRoleArn" | "snsTopicName">;
  outputs: { logGroupName?: pulumi.Output<string>; topicArn?: pulumi.Output<string> };
}

/** What a trail of another account than the audit account's takes to deliver to the archive. */
export async function deliverToArchive(
  { bucketName, keyArn, logPrefix, partition }: Contract,
  { trail, previousTrailArn }: Pick<Authorisation, "trail" | "previousTrailArn">,
  { trailOptions, tags }: { trailOptions: TrailOptions; tags: Record<string, string> },
  organizationId?: string,
): Promise<{ trailArgs: MemberTrailArgs; outputs: Delivery["outputs"] }> {
  await warnOfEvents(trailOptions, bucketArn(partition, bucketName), partition);
  const { cloudWatchLogs, sns, ...options } = trailOptions;
  const { trailArgs, outputs } = deliver(
    // Also in the management stack: they stay what they are when an account's trail becomes the organization's.
    "member",
    [trailArn(trail), ...(previousTrailArn === undefined ? [] : [previousTrailArn])],
    { cloudWatchLogs, sns },
    tags,
    organizationId,
  );
  return {
    trailArgs: { trailName: trail.name, bucketName, keyArn, logPrefix, partition, ...options, ...trailArgs, tags },
    outputs,
  };
}

/**
 * Makes the log group and the topic that the options ask for.
 * @param trailArns the trail, and the one that it is about to replace.
 * @param organizationId of an organization's trail.
 */
export function deliver(
  name: string,
  trailArns: string[],
  { cloudWatchLogs, sns }: Pick<TrailOptions, "cloudWatchLogs" | "sns">,
  tags: Record<string, string>,
  organizationId?: string,
): Delivery {
  const delivery: Delivery = { trailArgs: {}, outputs: {} };
  if (cloudWatchLogs) {
    const { retentionDays, encrypted, groupName } = cloudWatchLogs;
    const group = new TrailLogGroup(name, {
      trailArns,
      groupName,
      retentionInDays: retentionDays,
      encrypted,
      organizationId,
      tags,
    });
    delivery.trailArgs.cloudWatchLogsLogGroupArn = group.logGroupArn;
    delivery.trailArgs.cloudWatchLogsRoleArn = group.roleArn;
    delivery.outputs.logGroupName = group.logGroupName;
  }
  if (sns) {
    const topic = new TrailTopic(name, { trailArns, ...sns, tags });
    delivery.trailArgs.snsTopicName = topic.topicName;
    delivery.outputs.topicArn = topic.topicArn;
  }
  return delivery;
}
