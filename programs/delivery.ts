/** Where a trail delivers besides S3: a log group and a topic in its own account. */
import type * as pulumi from "@pulumi/pulumi";
import type { MemberTrailArgs } from "../components/memberTrail";
import { TrailLogGroup } from "../components/trailLogGroup";
import { TrailTopic } from "../components/trailTopic";
import type { TrailOptions } from "../core/settings";

/** What a trail needs to know, and what the stack gives out for alarms and subscriptions. */
export interface Delivery {
  trailArgs: Pick<MemberTrailArgs, "cloudWatchLogsLogGroupArn" | "cloudWatchLogsRoleArn" | "snsTopicName">;
  outputs: { logGroupName?: pulumi.Output<string>; topicArn?: pulumi.Output<string> };
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
