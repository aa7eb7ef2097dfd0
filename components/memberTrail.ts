import * as pulumi from "@pulumi/pulumi";
import type { TrailAdvancedEventSelector, TrailEventSelector } from "./trail";
import { checkedTrail, deliveringTrail } from "./trail";

/** Arguments of {@link MemberTrail}. */
export interface MemberTrailArgs {
  /** Name of the trail. A change replaces the trail; the archive's policies must name the new one first. */
  trailName: pulumi.Input<string>;
  /** The archive's bucket. */
  bucketName: pulumi.Input<string>;
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
  /** Basic event selectors, at most 5; not together with advanced ones. Default: all management events. */
  eventSelectors?: pulumi.Input<pulumi.Input<TrailEventSelector>[]>;
  /** Advanced event selectors; not together with basic ones. */
  advancedEventSelectors?: pulumi.Input<pulumi.Input<TrailAdvancedEventSelector>[]>;
  /** ApiCallRateInsight and ApiErrorRateInsight. AWS bills them. Default: none. */
  insightTypes?: pulumi.Input<pulumi.Input<string>[]>;
  /** Tags of the trail. */
  tags?: pulumi.Input<{ [key: string]: pulumi.Input<string> }>;
}

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

    super("crosstrail:index:MemberTrail", name, {}, opts);

    const trail = deliveringTrail(`${name}-trail`, { ...args, ...checked }, undefined, { parent: this });

    this.trailArn = trail.arn;
    this.homeRegion = trail.homeRegion;
    this.registerOutputs({ trailArn: this.trailArn, homeRegion: this.homeRegion });
  }
}
