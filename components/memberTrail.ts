import * as pulumi from "@pulumi/pulumi";
import { LeaveAsIs } from "../core/leftAsIs";
import { checkedTrail, deliveringTrail } from "./trail";

/** A basic event selector. https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_EventSelector.html */
export interface TrailEventSelector {
  /** Which management and data events: All, ReadOnly or WriteOnly. Default: All. */
  readWriteType?: pulumi.Input<string>;
  /** Whether management events are recorded. Default: true. */
  includeManagementEvents?: pulumi.Input<boolean>;
  /** Services whose management events are left out: kms.amazonaws.com, rdsdata.amazonaws.com. */
  excludeManagementEventSources?: pulumi.Input<pulumi.Input<string>[]>;
  /** Data events to record. AWS bills them. */
  dataResources?: pulumi.Input<pulumi.Input<TrailDataResource>[]>;
}

/** Resources whose data events a basic event selector records. */
export interface TrailDataResource {
  /** For example AWS::S3::Object or AWS::Lambda::Function. */
  type: pulumi.Input<string>;
  /** ARNs, or beginnings of ARNs. */
  values: pulumi.Input<pulumi.Input<string>[]>;
}

/** An advanced event selector. https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedEventSelector.html */
export interface TrailAdvancedEventSelector {
  /** What the selector is called in the console. */
  name?: pulumi.Input<string>;
  /** All of these must match. */
  fieldSelectors: pulumi.Input<pulumi.Input<TrailFieldSelector>[]>;
}

/** A condition on one field of an event. */
export interface TrailFieldSelector {
  /** For example eventCategory, eventName, readOnly, resources.type, resources.ARN. */
  field: pulumi.Input<string>;
  equals?: pulumi.Input<pulumi.Input<string>[]>;
  notEquals?: pulumi.Input<pulumi.Input<string>[]>;
  startsWith?: pulumi.Input<pulumi.Input<string>[]>;
  notStartsWith?: pulumi.Input<pulumi.Input<string>[]>;
  endsWith?: pulumi.Input<pulumi.Input<string>[]>;
  notEndsWith?: pulumi.Input<pulumi.Input<string>[]>;
}

/** Arguments of {@link MemberTrail}. */
export interface MemberTrailArgs {
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
  /** What the trail records, by presets: values of EventPreset. Default: management, all management events. AWS bills the others. Changes in place, as all that is recorded does. */
  events?: pulumi.Input<pulumi.Input<string>[]>;
  /** Which events the presets record: All, ReadOnly or WriteOnly. Default: All. */
  readWriteType?: pulumi.Input<string>;
  /** Services whose management events the presets leave out: kms.amazonaws.com, rdsdata.amazonaws.com. Default: none. */
  excludeManagementEventSources?: pulumi.Input<pulumi.Input<string>[]>;
  /** Services whose calls through VPC endpoints are recorded beside the presets. AWS bills them. Default: none. */
  networkActivityEventSources?: pulumi.Input<pulumi.Input<string>[]>;
  /** Instead of presets: basic event selectors, at most 5. The trail gets advanced ones that record the same. */
  eventSelectors?: pulumi.Input<pulumi.Input<TrailEventSelector>[]>;
  /** Instead of presets: advanced event selectors, with at most 500 values together. */
  advancedEventSelectors?: pulumi.Input<pulumi.Input<TrailAdvancedEventSelector>[]>;
  /** ApiCallRateInsight and ApiErrorRateInsight. AWS bills them. Default: none. */
  insightTypes?: pulumi.Input<pulumi.Input<string>[]>;
  /** ARN of a log group of CloudWatch Logs in the trail's own account, with `:*` at the end, to which the trail delivers as well: an output of TrailLogGroup. Default: none. */
  cloudWatchLogsLogGroupArn?: pulumi.Input<string>;
  /** ARN of the role by which CloudTrail writes to the log group. */
  cloudWatchLogsRoleArn?: pulumi.Input<string>;
  /** Name of a topic in the trail's own account to which each delivery is published: an output of TrailTopic. Default: none. */
  snsTopicName?: pulumi.Input<string>;
  /** Partition of the account: aws, aws-cn or aws-us-gov. Default: aws. */
  partition?: pulumi.Input<string>;
  /** Tags of the trail. */
  tags?: pulumi.Input<{ [key: string]: pulumi.Input<string> }>;
  /**
   * ARN of a trail that is there already and is taken over. Nothing of it is changed by the deployment that this is given to;
   * leave it out afterwards, and what differs from the arguments is changed in place. Default: a new trail is made.
   */
  importTrailArn?: string;
  /**
   * What of the trail stays as AWS has it, whatever the arguments say: delivery (bucket, prefix and key), eventSelectors, insights,
   * cloudWatchLogs, sns. For a trail that was taken over. Default: nothing.
   */
  leaveAsIs?: string[];
}

/** The provider's names of what can be left as it is. */
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

/**
 * A trail that delivers to the archive of another account (or to that of its own). Every Region, log-file validation and
 * encryption with the archive's key unless said otherwise. The account and Region are those of its provider.
 * Source: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html
 */
export class MemberTrail extends pulumi.ComponentResource {
  /** ARN of the trail, as the archive's policies name it. */
  public readonly trailArn: pulumi.Output<string>;
  /** Home Region of the trail; it can be changed there only. */
  public readonly homeRegion: pulumi.Output<string>;

  constructor(name: string, args: MemberTrailArgs, opts?: pulumi.ComponentResourceOptions) {
    // Before the component exists: of arguments that cannot be right, nothing is registered.
    const checked = checkedTrail("MemberTrail", args);
    const { importTrailArn, leaveAsIs } = checked;

    super("crosstrail:index:MemberTrail", name, {}, opts);

    const trail = deliveringTrail(`${name}-trail`, checked, undefined, {
      parent: this,
      import: importTrailArn,
      // The engine changes what it has imported in the same run, where the inputs differ. Nobody has seen a preview of that.
      ignoreChanges:
        importTrailArn === undefined ? leaveAsIs?.flatMap((part) => propertiesOf[part as LeaveAsIs]) : everything,
    });

    this.trailArn = trail.arn;
    this.homeRegion = trail.homeRegion;
    this.registerOutputs({ trailArn: this.trailArn, homeRegion: this.homeRegion });
  }
}
