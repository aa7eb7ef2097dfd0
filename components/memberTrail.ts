import * as pulumi from "@pulumi/pulumi";
import { LeaveAsIs } from "../core/leftAsIs";
import { checkedTrail, deliveringTrail, type TrailArgs } from "./trail";

/** Arguments of {@link MemberTrail}. */
export interface MemberTrailArgs extends TrailArgs {
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
      ignoreChanges: importTrailArn === undefined ? leaveAsIs?.flatMap((part) => propertiesOf[part]) : everything,
    });

    this.trailArn = trail.arn;
    this.homeRegion = trail.homeRegion;
    this.registerOutputs({ trailArn: this.trailArn, homeRegion: this.homeRegion });
  }
}
