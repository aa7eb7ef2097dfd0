/** The organization's trail, made in the management account. */
import * as pulumi from "@pulumi/pulumi";
import { OrganizationDelegatedAdminAccount } from "@pulumi/aws/cloudtrail";
import { checkedTrail, deliveringTrail, type TrailArgs } from "./trail";

/** Arguments of {@link OrganizationTrail}. */
export interface OrganizationTrailArgs extends TrailArgs {
  /** Whether the trail records every account of the organization, or the management account only. Default: true. Changes in place, by the management account only; set false, it leaves all members. */
  isOrganizationTrail?: pulumi.Input<boolean>;
  /** A member account to register as CloudTrail's delegated administrator: 12 digits. It stays registered when this is removed. Default: none. */
  delegatedAdministrator?: pulumi.Input<string>;
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
    const { delegatedAdministrator, ...checked } = checkedTrail("OrganizationTrail", args);

    super("crosstrail:index:OrganizationTrail", name, {}, opts);

    const trail = deliveringTrail(`${name}-trail`, checked, args.isOrganizationTrail ?? true, {
      parent: this,
    });
    if (delegatedAdministrator !== undefined) {
      new OrganizationDelegatedAdminAccount(
        `${name}-delegated-administrator`,
        { accountId: delegatedAdministrator },
        // The administrator of the organization's trails must not lose that role when this stack is destroyed.
        { parent: this, retainOnDelete: true },
      );
    }

    this.trailArn = trail.arn;
    this.homeRegion = trail.homeRegion;
    this.registerOutputs({ trailArn: this.trailArn, homeRegion: this.homeRegion });
  }
}
