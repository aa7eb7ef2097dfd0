/** A role that other accounts may assume to read logs. */
import * as pulumi from "@pulumi/pulumi";
import { Role, RolePolicy } from "@pulumi/aws/iam";
import { accountIdProblem, type Partition, partitions } from "../core/accounts";
import {
  bucketNameProblem,
  externalIdProblem,
  keyArnProblem,
  logPrefixProblem,
  organizationIdProblem,
  roleNameProblem,
} from "../core/names";
import { serialize } from "../core/policies/document";
import { readerTrust, readPermissions } from "../core/policies/reader";
import { roleTagsProblem } from "../core/tags";
import {
  checkedInputs,
  derive,
  oneOf,
  organizationGrant,
  partitionOrDefault,
  policyArnProblem,
  trailArnProblem,
} from "./inputs";

/** Arguments of {@link LogReader}. */
export interface LogReaderArgs {
  /** The accounts whose users and roles may assume the role: 12 digits each. */
  trustedAccounts: pulumi.Input<pulumi.Input<string>[]>;
  /** The archive's bucket. */
  bucketName: pulumi.Input<string>;
  /** ARN of the archive's key. */
  keyArn: pulumi.Input<string>;
  /** Name of the role. Default: CloudTrailReadRole. A change replaces the role. */
  roleName?: pulumi.Input<string>;
  /** Whether only sessions that were begun with MFA may assume the role. Default: false. */
  requireMfa?: pulumi.Input<boolean>;
  /** What a third party must say when it assumes the role. Default: none. */
  externalId?: pulumi.Input<string>;
  /** The accounts whose logs the role may read: 12 digits each. Default: all that the archive holds. */
  accountIds?: pulumi.Input<pulumi.Input<string>[]>;
  /** Folder in front of AWSLogs/, as the bucket has it. Default: none. */
  logPrefix?: pulumi.Input<string>;
  /** While the prefix is being changed: the former one; "" for none. Default: the same. */
  previousLogPrefix?: pulumi.Input<string>;
  /** ARNs of keys that encrypted before, for logs of that time. Default: none. */
  previousKeyArns?: pulumi.Input<pulumi.Input<string>[]>;
  /** Id of the organization whose trail delivers to the archive. Default: none. */
  organizationId?: pulumi.Input<string>;
  /** ARNs of that organization's trails, whose logs of the accounts are read as well. Default: none. */
  organizationTrailArns?: pulumi.Input<pulumi.Input<string>[]>;
  /** Partition of the account: aws, aws-cn or aws-us-gov. Default: aws. */
  partition?: pulumi.Input<Partition>;
  /** ARN of the managed policy that limits what the role may do (its permissions boundary). Changes in place. Default: none. */
  permissionsBoundaryArn?: pulumi.Input<string>;
  /** Tags of the role. */
  tags?: pulumi.Input<{ [key: string]: pulumi.Input<string> }>;
}

/**
 * A role in the audit account that chosen accounts may assume to read logs: to find, fetch and decrypt them, and nothing
 * else. Neither the bucket's nor the key's policy names it; the key's lets the account's own policies decrypt logs.
 * Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-sharing-logs.html
 */
export class LogReader extends pulumi.ComponentResource {
  /** ARN of the role: what the trusted accounts' users assume. */
  public readonly roleArn: pulumi.Output<string>;
  /** Name of the role. */
  public readonly roleName: pulumi.Output<string>;

  constructor(name: string, args: LogReaderArgs, opts?: pulumi.ComponentResourceOptions) {
    // Before the component exists: of arguments that cannot be right, nothing is registered.
    const { tags, ...inputs } = checkedInputs(
      "LogReader",
      {
        tags: args.tags,
        trustedAccounts: args.trustedAccounts,
        bucketName: args.bucketName,
        keyArn: args.keyArn,
        roleName: args.roleName,
        requireMfa: args.requireMfa,
        externalId: args.externalId,
        accountIds: args.accountIds,
        logPrefix: args.logPrefix,
        previousLogPrefix: args.previousLogPrefix,
        previousKeyArns: args.previousKeyArns,
        organizationId: args.organizationId,
        organizationTrailArns: args.organizationTrailArns,
        partition: args.partition,
        permissionsBoundaryArn: args.permissionsBoundaryArn,
      },
      {
        tags: roleTagsProblem,
        trustedAccounts: accountIdProblem,
        bucketName: bucketNameProblem,
        keyArn: keyArnProblem,
        roleName: roleNameProblem,
        externalId: externalIdProblem,
        accountIds: accountIdProblem,
        logPrefix: (value) => (value === "" ? undefined : logPrefixProblem(value)),
        previousLogPrefix: (value) => (value === "" ? undefined : logPrefixProblem(value)),
        previousKeyArns: keyArnProblem,
        organizationId: organizationIdProblem,
        organizationTrailArns: trailArnProblem,
        partition: oneOf(partitions),
        permissionsBoundaryArn: policyArnProblem,
      },
      [
        ["organizationId", "organizationTrailArns", "partition"],
        (known) => organizationGrant(known, partitionOrDefault(known.partition)),
      ],
    );
    const { trustedAccounts, requireMfa, externalId, roleName, permissionsBoundaryArn, ...reads } = inputs;
    const trust = derive(
      { trustedAccounts, requireMfa, externalId, partition: inputs.partition },
      ({ partition, ...rest }) => serialize(readerTrust({ ...rest, partition: partitionOrDefault(partition) })),
    );
    const permissions = derive(reads, ({ partition: given, ...rest }) => {
      const partition = partitionOrDefault(given);
      return serialize(readPermissions({ ...rest, partition, organization: organizationGrant(rest, partition) }));
    });

    super("crosstrail:index:LogReader", name, {}, opts);

    const role = new Role(
      `${name}-role`,
      {
        name: roleName ?? "CloudTrailReadRole",
        description: "Reads the CloudTrail logs of the Crosstrail archive",
        assumeRolePolicy: trust,
        permissionsBoundary: permissionsBoundaryArn,
        tags,
      },
      { parent: this },
    );
    new RolePolicy(`${name}-policy`, { name: "read-logs", role: role.name, policy: permissions }, { parent: this });

    this.roleArn = role.arn;
    this.roleName = role.name;
    this.registerOutputs({ roleArn: this.roleArn, roleName: this.roleName });
  }
}
