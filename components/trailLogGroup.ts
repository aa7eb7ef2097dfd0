/** The CloudWatch Logs log group that a trail delivers to, with its role and key. */
import * as pulumi from "@pulumi/pulumi";
import { LogGroup } from "@pulumi/aws/cloudwatch";
import { Role, RolePolicy } from "@pulumi/aws/iam";
import { Key } from "@pulumi/aws/kms";
import { logGroupNameProblem, organizationIdProblem, retentionProblem } from "../core/delivery";
import { logGroupArn, logGroupKeyPolicy, logsRolePermissions, logsRoleTrust } from "../core/policies/delivery";
import { serialize } from "../core/policies/document";
import { roleTagsProblem } from "../core/tags";
import { allTags, checkedInputs, derive, policyArnProblem, trailArnProblem, trailsOfAccount } from "./inputs";

/** Arguments of {@link TrailLogGroup}. */
export interface TrailLogGroupArgs {
  /** ARNs of the trails that deliver to the group: one, or two while a trail is being renamed. All of this account. */
  trailArns: pulumi.Input<pulumi.Input<string>[]>;
  /** Name of the group. Default: crosstrail/ and the name of its role, new each time, as a group that was kept would be in the way. A change makes another group and keeps the old one. */
  groupName?: pulumi.Input<string>;
  /** Days until CloudWatch Logs deletes an entry: one of its own numbers from 1 to 3653, or 0 for never. Default: 365. A shorter time deletes what is older. */
  retentionInDays?: pulumi.Input<number>;
  /** Whether the group is encrypted with a KMS key of its own, which has a monthly price. Default: true. Otherwise CloudWatch Logs encrypts it with a key of AWS's. */
  encrypted?: boolean;
  /** For an organization's trail: the organization's id, o-..., after which CloudTrail names the log streams of other accounts. */
  organizationId?: pulumi.Input<string>;
  /** Whether the group and its key stay in AWS when they are removed from the stack. Default: true. Without its key no entry can be read. */
  keep?: boolean;
  /** ARN of the managed policy that limits what the role may do (its permissions boundary). Changes in place. Default: none. */
  permissionsBoundaryArn?: pulumi.Input<string>;
  /** Tags of the key only, beside `tags`. Default: none. */
  keyTags?: pulumi.Input<{ [key: string]: pulumi.Input<string> }>;
  /** Tags of the group, the key and the role. */
  tags?: pulumi.Input<{ [key: string]: pulumi.Input<string> }>;
}

/**
 * A log group of CloudWatch Logs to which a trail delivers as well, with the role by which CloudTrail writes to it and,
 * unless said otherwise, a KMS key of its own. It has to be in the trail's account and home Region.
 * Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/send-cloudtrail-events-to-cloudwatch-logs.html
 */
export class TrailLogGroup extends pulumi.ComponentResource {
  /** ARN of the group as a trail takes it, with `:*` at the end. */
  public readonly logGroupArn: pulumi.Output<string>;
  /** Name of the group. */
  public readonly logGroupName: pulumi.Output<string>;
  /** ARN of the role by which CloudTrail writes; known when the role may. */
  public readonly roleArn: pulumi.Output<string>;

  constructor(name: string, args: TrailLogGroupArgs, opts?: pulumi.ComponentResourceOptions) {
    // Before the component exists: of arguments that cannot be right, nothing is registered.
    const { tags, trailArns, groupName, retentionInDays, organizationId, permissionsBoundaryArn } = checkedInputs(
      "TrailLogGroup",
      {
        tags: args.tags,
        trailArns: args.trailArns,
        groupName: args.groupName,
        retentionInDays: args.retentionInDays,
        organizationId: args.organizationId,
        permissionsBoundaryArn: args.permissionsBoundaryArn,
      },
      {
        tags: roleTagsProblem,
        trailArns: trailArnProblem,
        groupName: logGroupNameProblem,
        retentionInDays: retentionProblem,
        organizationId: organizationIdProblem,
        permissionsBoundaryArn: policyArnProblem,
      },
      [["trailArns"], (known) => trailsOfAccount(known.trailArns)],
    );
    const trust = derive({ trailArns }, (known) => serialize(logsRoleTrust(trailsOfAccount(known.trailArns))));
    const keyPolicy = derive({ trailArns }, (known) => {
      const [home] = trailsOfAccount(known.trailArns);
      return serialize(logGroupKeyPolicy(home));
    });

    super("crosstrail:index:TrailLogGroup", name, {}, opts);
    const kept = { parent: this, retainOnDelete: args.keep ?? true };

    const role = new Role(
      `${name}-logs`,
      {
        description: "CloudTrail writes to CloudWatch Logs (Crosstrail)",
        assumeRolePolicy: trust,
        permissionsBoundary: permissionsBoundaryArn,
        tags,
      },
      { parent: this },
    );
    const key =
      (args.encrypted ?? true)
        ? new Key(
            `${name}-log-group-key`,
            {
              description: "Encrypts the log group of a CloudTrail trail (Crosstrail)",
              enableKeyRotation: true,
              deletionWindowInDays: 30,
              policy: keyPolicy,
              tags: allTags(tags, args.keyTags),
            },
            kept,
          )
        : undefined;
    const group = new LogGroup(
      `${name}-log-group`,
      {
        // The role's name is new each time, and so is the group's: one that was kept is not in the way of the next one.
        name: groupName ?? pulumi.interpolate`crosstrail/${role.name}`,
        retentionInDays: retentionInDays ?? 365,
        kmsKeyId: key?.arn,
        tags,
      },
      kept,
    );
    const permissions = derive({ trailArns, organizationId, groupName: group.name }, (known) => {
      const [home] = trailsOfAccount(known.trailArns);
      return serialize(logsRolePermissions(home, known.groupName, known.organizationId));
    });
    const policy = new RolePolicy(
      `${name}-role-policy`,
      { name: "write-log-streams", role: role.name, policy: permissions },
      { parent: this },
    );

    this.logGroupName = group.name;
    this.logGroupArn = pulumi.output({ trailArns, groupName: group.name }).apply((known) => {
      const [home] = trailsOfAccount(known.trailArns);
      return `${logGroupArn(home, known.groupName)}:*`;
    });
    // CloudTrail tries the role when a trail gets it, so the ARN is not known before the role may write.
    this.roleArn = pulumi.all([role.arn, policy.id]).apply(([arn]) => arn);
    this.registerOutputs({
      logGroupArn: this.logGroupArn,
      logGroupName: this.logGroupName,
      roleArn: this.roleArn,
    });
  }
}
