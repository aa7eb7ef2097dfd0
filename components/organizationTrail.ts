import * as pulumi from "@pulumi/pulumi";
import { OrganizationDelegatedAdminAccount } from "@pulumi/aws/cloudtrail";
import { accountIdProblem } from "../core/accounts";
import { checkedInputs } from "./inputs";
import type { TrailAdvancedEventSelector, TrailEventSelector } from "./memberTrail";
import { checkedTrail, deliveringTrail } from "./trail";

/** Arguments of {@link OrganizationTrail}. */
export interface OrganizationTrailArgs {
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
  /** Whether the trail records every account of the organization, or the management account only. Default: true. Changes in place, by the management account only; set false, it leaves all members. */
  isOrganizationTrail?: pulumi.Input<boolean>;
  /** A member account to register as CloudTrail's delegated administrator: 12 digits. It stays registered when this is removed. Default: none. */
  delegatedAdministrator?: pulumi.Input<string>;
  /** Tags of the trail. */
  tags?: pulumi.Input<{ [key: string]: pulumi.Input<string> }>;
}

/**
 * The trail of an organization, delivering to the archive of the audit account: every account, every Region, log-file
 * validation and encryption with the archive's key unless said otherwise. Its account and Region are those of its provider:
 * the management account, to which it belongs also when a delegated administrator makes it. Needs all features of the
 * organization and trusted access for CloudTrail; the archive's policies must name it first.
 * Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/creating-trail-organization.html
 */
export class OrganizationTrail extends pulumi.ComponentResource {
  /** ARN of the trail, as the archive's policies name it. */
  public readonly trailArn: pulumi.Output<string>;
  /** Home Region of the trail; it can be changed there only. */
  public readonly homeRegion: pulumi.Output<string>;

  constructor(name: string, args: OrganizationTrailArgs, opts?: pulumi.ComponentResourceOptions) {
    // Before the component exists: of arguments that cannot be right, nothing is registered.
    const checked = checkedTrail("OrganizationTrail", args);
    const { delegatedAdministrator } = checkedInputs(
      "OrganizationTrail",
      { delegatedAdministrator: args.delegatedAdministrator },
      { delegatedAdministrator: accountIdProblem },
    );

    super("crosstrail:index:OrganizationTrail", name, {}, opts);

    const trail = deliveringTrail(`${name}-trail`, checked, args.isOrganizationTrail ?? true, {
      parent: this,
    });
    if (delegatedAdministrator !== undefined) {
      new OrganizationDelegatedAdminAccount(
        `${name}-delegated-administrator`,
        { accountId: delegatedAdministrator },
        // Whoever administers trails of the organization must not lose that by the end of this stack.
        { parent: this, retainOnDelete: true },
      );
    }

    this.trailArn = trail.arn;
    this.homeRegion = trail.homeRegion;
    this.registerOutputs({ trailArn: this.trailArn, homeRegion: this.homeRegion });
  }
}
