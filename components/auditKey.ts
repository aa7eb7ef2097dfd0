import * as pulumi from "@pulumi/pulumi";
import { Alias, Key } from "@pulumi/aws/kms";
import { accountIdProblem, partitions } from "../core/accounts";
import { bucketNameProblem, keyAliasProblem, logPrefixProblem, organizationIdProblem } from "../core/names";
import { serialize } from "../core/policies/document";
import { KeyPolicyForm, keyPolicy } from "../core/policies/key";
import {
  checkedInputs,
  derive,
  oneOf,
  organizationGrant,
  partitionOrDefault,
  trailArnProblem,
  trailsOf,
} from "./inputs";

/** Arguments of {@link AuditKey}. */
export interface AuditKeyArgs {
  /** The account that owns the key: 12 digits. It administers the key and may decrypt the logs. */
  auditAccountId: pulumi.Input<string>;
  /** ARNs of the trails that may encrypt with the key. Each one is named in the key policy. */
  trailArns: pulumi.Input<pulumi.Input<string>[]>;
  /** Id of the organization that delivers to the archive. Default: none. */
  organizationId?: pulumi.Input<string>;
  /** ARNs of organization trails of that organization that may encrypt: the management account's. Default: none. */
  organizationTrailArns?: pulumi.Input<pulumi.Input<string>[]>;
  /** Accounts of the organization whose own trails the policy may authorise by the organization's id, where their names do not fit. Default: none. */
  organizationAccounts?: pulumi.Input<pulumi.Input<string>[]>;
  /** Whether trails may encrypt with the key. False for a former key, with which logs are only read. Default: true. */
  mayEncrypt?: pulumi.Input<boolean>;
  /** The archive's bucket; needed where `memberReaders` read the logs of an organization trail. */
  bucketName?: pulumi.Input<string>;
  /** Folder in front of AWSLogs/ in the bucket. Default: none. */
  logPrefix?: pulumi.Input<string>;
  /** While the prefix is being changed: the former one; "" for none. Default: the same. */
  previousLogPrefix?: pulumi.Input<string>;
  /** Partition of the account: aws, aws-cn or aws-us-gov. Default: aws. */
  partition?: pulumi.Input<string>;
  /** Alias without `alias/` in front. Default: crosstrail. A change replaces the alias, not the key. */
  aliasName?: pulumi.Input<string>;
  /** Days between two rotations of the key's material, 90 to 2560. Default: 365. Each of the first two rotations adds to the key's monthly price. */
  rotationPeriodInDays?: pulumi.Input<number>;
  /** Whether the log bucket uses S3 Bucket Keys: CloudTrail then also needs to decrypt. Default: false. */
  bucketKeyEnabled?: pulumi.Input<boolean>;
  /** Other accounts that may decrypt their own logs with the key, as far as their own IAM policies let them: 12 digits each. Default: none. */
  memberReaders?: pulumi.Input<pulumi.Input<string>[]>;
  /** How the key policy names the trails: a value of KeyPolicyForm. Default: the tightest form that fits into 32,768 bytes. */
  policyForm?: pulumi.Input<string>;
  /** Whether the key is protected, and stays in AWS when it is removed from the stack. Default: true. Without its key no log can be read. */
  keep?: boolean;
  /** Tags of the key. */
  tags?: pulumi.Input<{ [key: string]: pulumi.Input<string> }>;
}

/**
 * The KMS key of the archive: rotated, with an alias, and a policy that lets exactly the given trails encrypt and the
 * owning account administer it and read logs. It must be in the bucket's Region.
 * Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html
 */
export class AuditKey extends pulumi.ComponentResource {
  /** ARN of the key; trails in every account name it. */
  public readonly keyArn: pulumi.Output<string>;
  /** Id of the key. */
  public readonly keyId: pulumi.Output<string>;
  /** The alias, with `alias/` in front. */
  public readonly aliasName: pulumi.Output<string>;

  constructor(name: string, args: AuditKeyArgs, opts?: pulumi.ComponentResourceOptions) {
    // Before the component exists: of arguments that cannot be right, nothing is registered.
    const { aliasName, ...inputs } = checkedInputs(
      "AuditKey",
      {
        auditAccountId: args.auditAccountId,
        trailArns: args.trailArns,
        organizationId: args.organizationId,
        organizationTrailArns: args.organizationTrailArns,
        organizationAccounts: args.organizationAccounts,
        previousLogPrefix: args.previousLogPrefix,
        mayEncrypt: args.mayEncrypt,
        bucketName: args.bucketName,
        logPrefix: args.logPrefix,
        partition: args.partition,
        bucketKeyEnabled: args.bucketKeyEnabled,
        memberReaders: args.memberReaders,
        aliasName: args.aliasName,
        policyForm: args.policyForm,
      },
      {
        auditAccountId: accountIdProblem,
        trailArns: trailArnProblem,
        memberReaders: accountIdProblem,
        organizationId: organizationIdProblem,
        organizationTrailArns: trailArnProblem,
        organizationAccounts: accountIdProblem,
        previousLogPrefix: (value) => (value === "" ? undefined : logPrefixProblem(value)),
        bucketName: bucketNameProblem,
        logPrefix: (value) => (value === "" ? undefined : logPrefixProblem(value)),
        partition: oneOf(partitions),
        aliasName: keyAliasProblem,
        policyForm: oneOf(Object.values(KeyPolicyForm)),
      },
    );
    const policy = derive(inputs, ({ trailArns, partition: given, policyForm, ...rest }) => {
      const partition = partitionOrDefault(given);
      const trails = trailsOf(trailArns, partition);
      const organization = organizationGrant(rest, partition);
      const form = policyForm as KeyPolicyForm | undefined;
      return serialize(keyPolicy({ ...rest, partition, trails, organization }, form).document);
    });

    super("crosstrail:index:AuditKey", name, {}, opts);
    const keep = args.keep ?? true;
    const kept = { parent: this, protect: keep, retainOnDelete: keep };

    const key = new Key(
      `${name}-key`,
      {
        description: "Encrypts the CloudTrail logs of the Crosstrail archive",
        enableKeyRotation: true,
        rotationPeriodInDays: args.rotationPeriodInDays ?? 365,
        // The longest time to change one's mind about a key without which no log can be read.
        deletionWindowInDays: 30,
        policy,
        tags: args.tags,
      },
      kept,
    );
    const alias = new Alias(
      `${name}-alias`,
      { name: pulumi.interpolate`alias/${aliasName ?? "crosstrail"}`, targetKeyId: key.keyId },
      kept,
    );

    this.keyArn = key.arn;
    this.keyId = key.keyId;
    this.aliasName = alias.name;
    this.registerOutputs({ keyArn: this.keyArn, keyId: this.keyId, aliasName: this.aliasName });
  }
}
