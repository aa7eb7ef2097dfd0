/** What the components of an account's trail and of an organization's trail share. */
import * as pulumi from "@pulumi/pulumi";
import { Trail } from "@pulumi/aws/cloudtrail";
import { accountIdProblem, type Partition, partitions } from "../core/accounts";
import {
  advancedSelectors,
  type EventPreset,
  type ExcludableEventSource,
  insightsOf,
  type InsightType,
  type ReadWriteType,
} from "../core/events";
import { LeaveAsIs } from "../core/leftAsIs";
import { archiveBuckets, bucketNameProblem, keyArnProblem, trailNameProblem } from "../core/names";
import { tagsProblem } from "../core/tags";
import {
  checkedInputs,
  derive,
  logPrefixOrNone,
  oneOf,
  partitionOrDefault,
  requireEvents,
  requireKnownEvents,
  trailArnProblem,
} from "./inputs";
import { providerSelectors, type TrailAdvancedEventSelector, type TrailEventSelector } from "./selectors";

/** Arguments that the components of an account's trail and of an organization's trail have in common. */
export interface TrailArgs {
  /** Name of the trail. A change replaces the trail; the archive's policies must name the new one first. */
  trailName: pulumi.Input<string>;
  /** The archive's bucket. */
  bucketName: pulumi.Input<string>;
  /** The archive's other buckets, for copies and access logs: the presets leave out the data events of all its buckets. Default: none. */
  otherBucketNames?: pulumi.Input<pulumi.Input<string>[]>;
  /** ARN of the archive's key; an alias does not do, another account would look it up among its own keys. */
  keyArn: pulumi.Input<string>;
  /** Folder in front of AWSLogs/, as the bucket policy has it. Default: none. */
  logPrefix?: pulumi.Input<string>;
  /** Whether the trail records every Region. Default: true. Changes in place. */
  isMultiRegionTrail?: pulumi.Input<boolean>;
  /** Whether signed digest files prove that no log was changed or removed. Default: true. Changes in place; switching it off ends the chain of digests. */
  enableLogFileValidation?: pulumi.Input<boolean>;
  /** Whether events of global services are recorded. Default: true; a multi-Region trail needs it. */
  includeGlobalServiceEvents?: pulumi.Input<boolean>;
  /** Whether the trail records at all. Default: true. */
  enableLogging?: pulumi.Input<boolean>;
  /** What the trail records, by presets. Default: management, all management events. AWS bills the others. Changes in place, as all that is recorded does. */
  events?: pulumi.Input<pulumi.Input<EventPreset>[]>;
  /** Which events the presets record: All, ReadOnly or WriteOnly. Default: All. */
  readWriteType?: pulumi.Input<ReadWriteType>;
  /** Services whose management events the presets leave out: kms.amazonaws.com, rdsdata.amazonaws.com. Default: none. */
  excludeManagementEventSources?: pulumi.Input<pulumi.Input<ExcludableEventSource>[]>;
  /** Services whose calls through VPC endpoints are recorded beside the presets. AWS bills them. Default: none. */
  networkActivityEventSources?: pulumi.Input<pulumi.Input<string>[]>;
  /** Instead of presets: basic event selectors, at most 5. The trail gets advanced ones that record the same. */
  eventSelectors?: pulumi.Input<pulumi.Input<TrailEventSelector>[]>;
  /** Instead of presets: advanced event selectors, with at most 500 values together. */
  advancedEventSelectors?: pulumi.Input<pulumi.Input<TrailAdvancedEventSelector>[]>;
  /** ApiCallRateInsight and ApiErrorRateInsight. AWS bills them. Default: none. */
  insightTypes?: pulumi.Input<pulumi.Input<InsightType>[]>;
  /** ARN of a log group of CloudWatch Logs in the trail's own account, with `:*` at the end, to which the trail delivers as well: an output of TrailLogGroup. Default: none. */
  cloudWatchLogsLogGroupArn?: pulumi.Input<string>;
  /** ARN of the role by which CloudTrail writes to the log group. */
  cloudWatchLogsRoleArn?: pulumi.Input<string>;
  /** Name of a topic in the trail's own account to which each delivery is published: an output of TrailTopic. Default: none. */
  snsTopicName?: pulumi.Input<string>;
  /** Partition of the account: aws, aws-cn or aws-us-gov. Default: aws. */
  partition?: pulumi.Input<Partition>;
  /**
   * ARN of an existing trail to take over. The deployment that this is given to changes nothing of it;
   * leave it out afterwards, and what differs from the arguments is changed in place. Default: a new trail is made.
   */
  importTrailArn?: string;
  /**
   * What of the trail stays as AWS has it, whatever the arguments say: delivery (bucket, prefix and key), eventSelectors, insights,
   * cloudWatchLogs, sns. For a trail that was taken over. Default: nothing.
   */
  leaveAsIs?: LeaveAsIs[];
  /** Tags of the trail. */
  tags?: pulumi.Input<{ [key: string]: pulumi.Input<string> }>;
}

/** The provider's names of the properties that `leaveAsIs` covers. */
const propertiesOf: Record<LeaveAsIs, string[]> = {
  [LeaveAsIs.Delivery]: ["s3BucketName", "s3KeyPrefix", "kmsKeyId"],
  [LeaveAsIs.EventSelectors]: ["eventSelectors", "advancedEventSelectors"],
  [LeaveAsIs.Insights]: ["insightSelectors"],
  [LeaveAsIs.CloudWatchLogs]: ["cloudWatchLogsGroupArn", "cloudWatchLogsRoleArn"],
  [LeaveAsIs.Sns]: ["snsTopicName"],
};
/** Everything but the name, which is the trail's identity. */
const everything = [
  ...Object.values(propertiesOf).flat(),
  "isMultiRegionTrail",
  "enableLogFileValidation",
  "includeGlobalServiceEvents",
  "enableLogging",
  "isOrganizationTrail",
  "tags",
];

/** What only the trail of an organization can be given. */
interface OwnArgs {
  delegatedAdministrator?: pulumi.Input<string>;
}

/** The arguments of any trail that delivers to the archive, checked. */
export function checkedTrail(component: string, args: TrailArgs & OwnArgs) {
  const choice = {
    events: args.events,
    readWriteType: args.readWriteType,
    excludeManagementEventSources: args.excludeManagementEventSources,
    networkActivityEventSources: args.networkActivityEventSources,
    eventSelectors: args.eventSelectors,
    advancedEventSelectors: args.advancedEventSelectors,
    insightTypes: args.insightTypes,
  };
  const { bucketName, otherBucketNames, partition, ...checked } = checkedInputs(
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
      delegatedAdministrator: args.delegatedAdministrator,
    },
    {
      tags: tagsProblem,
      trailName: trailNameProblem,
      bucketName: bucketNameProblem,
      otherBucketNames: bucketNameProblem,
      keyArn: keyArnProblem,
      logPrefix: logPrefixOrNone,
      partition: oneOf(partitions),
      importTrailArn: trailArnProblem,
      leaveAsIs: oneOf(Object.values(LeaveAsIs)),
      delegatedAdministrator: accountIdProblem,
    },
    [[], () => requireKnownEvents(component, choice)],
  );
  const events = derive({ bucketName, otherBucketNames, partition, ...choice }, (known) => {
    requireEvents(component, known);
    const archive = archiveBuckets({ ...known, partition: partitionOrDefault(known.partition) });
    return {
      selectors: advancedSelectors(known, archive),
      insights: insightsOf(known).map((insightType) => ({ insightType })),
    };
  });
  return { ...(args as TrailArgs), ...checked, bucketName, events };
}

/** The trail, with every Region, validation and logging unless said otherwise. */
export function deliveringTrail(
  name: string,
  args: Omit<ReturnType<typeof checkedTrail>, keyof OwnArgs>,
  isOrganizationTrail: pulumi.Input<boolean> | undefined,
  opts: pulumi.CustomResourceOptions,
): Trail {
  const { events, importTrailArn, leaveAsIs } = args;
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
      advancedEventSelectors: derive({ events }, ({ events: { selectors } }) => providerSelectors(selectors)),
      insightSelectors: derive({ events }, ({ events: { insights } }) => insights),
      cloudWatchLogsGroupArn: args.cloudWatchLogsLogGroupArn,
      cloudWatchLogsRoleArn: args.cloudWatchLogsRoleArn,
      snsTopicName: args.snsTopicName,
      tags: args.tags,
    },
    {
      ...opts,
      import: importTrailArn,
      // The engine changes what it has imported in the same run, where the inputs differ. Nobody has seen a preview of that.
      ignoreChanges: importTrailArn === undefined ? leaveAsIs?.flatMap((part) => propertiesOf[part]) : everything,
    },
  );
}
