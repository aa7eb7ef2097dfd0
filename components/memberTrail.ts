/** The trail of one account that delivers to the archive. */
import * as pulumi from "@pulumi/pulumi";
import { checkedTrail, deliveringTrail, type TrailArgs } from "./trail";

/** Arguments of {@link MemberTrail}. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- Pulumi's analyzer takes interfaces only
export interface MemberTrailArgs extends TrailArgs {}

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

    const trail = deliveringTrail(`${name}-trail`, checked, undefined, { parent: this });

    this.trailArn = trail.arn;
    this.homeRegion = trail.homeRegion;
    this.registerOutputs({ trailArn: this.trailArn, homeRegion: this.homeRegion });
  }
}
