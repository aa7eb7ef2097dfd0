/** What the components of an account's trail and of an organization's trail share. */
import * as pulumi from "@pulumi/pulumi";
import { Trail } from "@pulumi/aws/cloudtrail";
import { partitions } from "../core/accounts";
import { advancedSelectors, insightsOf } from "../core/events";
import { LeaveAsIs } from "../core/leftAsIs";
import { archiveBuckets, bucketNameProblem, keyArnProblem, logPrefixProblem, trailNameProblem } from "../core/names";
import { tagsProblem } from "../core/tags";
import { checkedInputs, derive, oneOf, partitionOrDefault, requireEvents, trailArnProblem } from "./inputs";
import type { MemberTrailArgs } from "./memberTrail";
import { providerSelectors } from "./selectors";

/** The arguments of any trail that delivers to the archive, checked. */
export function checkedTrail(component: string, args: MemberTrailArgs) {
  const { tags, trailName, bucketName, otherBucketNames, keyArn, logPrefix, partition, importTrailArn, leaveAsIs } =
    checkedInputs(
      component,
      {
        tags: args.tags,
        trailName: args.trailName,
        bucketName: args.bucketName,
        otherBucketNames: args.otherBucketNames,
        keyArn: args.keyArn,
        logPrefix: args.logPrefix,
        partition: args.partition,
        importTrailArn: args.importTrailArn,
        leaveAsIs: args.leaveAsIs,
      },
      {
        tags: tagsProblem,
        trailName: trailNameProblem,
        bucketName: bucketNameProblem,
        otherBucketNames: bucketNameProblem,
        keyArn: keyArnProblem,
        logPrefix: (value) => (value === "" ? undefined : logPrefixProblem(value)),
        partition: oneOf(partitions),
        importTrailArn: trailArnProblem,
        leaveAsIs: oneOf(Object.values(LeaveAsIs)),
      },
    );
  const events = derive(
    {
      bucketName,
      otherBucketNames,
      partition,
      events: args.events,
      readWriteType: args.readWriteType,
      excludeManagementEventSources: args.excludeManagementEventSources,
      networkActivityEventSources: args.networkActivityEventSources,
      eventSelectors: args.eventSelectors,
      advancedEventSelectors: args.advancedEventSelectors,
      insightTypes: args.insightTypes,
    },
    (choice) => {
      requireEvents(component, choice);
      const archive = archiveBuckets({ ...choice, partition: partitionOrDefault(choice.partition) });
      return {
        selectors: advancedSelectors(choice, archive),
        insights: insightsOf(choice).map((insightType) => ({ insightType })),
      };
    },
  );
  return { ...args, tags, trailName, bucketName, keyArn, logPrefix, importTrailArn, leaveAsIs, events };
}

/** The trail, with every Region, validation and logging unless said otherwise. */
export function deliveringTrail(
  name: string,
  args: ReturnType<typeof checkedTrail>,
  isOrganizationTrail: pulumi.Input<boolean> | undefined,
  opts: pulumi.CustomResourceOptions,
): Trail {
  const { events } = args;
  return new Trail(
    name,
    {
      name: args.trailName,
      s3BucketName: args.bucketName,
      s3KeyPrefix: pulumi.output(args.logPrefix).apply((prefix) => prefix || (undefined as unknown as string)),
      kmsKeyId: args.keyArn,
      isOrganizationTrail,
      isMultiRegionTrail: args.isMultiRegionTrail ?? true,
      enableLogFileValidation: args.enableLogFileValidation ?? true,
      includeGlobalServiceEvents: args.includeGlobalServiceEvents ?? true,
      enableLogging: args.enableLogging ?? true,
      // Always advanced ones, also for the default: see docs/decisions/0007.
      advancedEventSelectors: pulumi.output(events).apply(({ selectors }) => providerSelectors(selectors)),
      insightSelectors: pulumi.output(events).apply(({ insights }) => insights),
      cloudWatchLogsGroupArn: args.cloudWatchLogsLogGroupArn,
      cloudWatchLogsRoleArn: args.cloudWatchLogsRoleArn,
      snsTopicName: args.snsTopicName,
      tags: args.tags,
    },
    opts,
  );
}
