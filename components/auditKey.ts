/** The KMS key of the archive, with its policy, alias and replicas. */
import * as pulumi from "@pulumi/pulumi";
import { Alias, Key, ReplicaKey } from "@pulumi/aws/kms";
import { accountIdProblem, type Partition, partitions } from "../core/accounts";
import { bucketNameProblem, keyAliasProblem, organizationIdProblem, roleArnProblem } from "../core/names";
import { serialize } from "../core/policies/document";
import { deletionWindowInDays, KeyPolicyForm, keyPolicy } from "../core/policies/key";
import { replicationOfKey } from "../core/policies/replication";
import { tagsProblem } from "../core/tags";
import {
  checkedArgs,
  derive,
  logPrefixOrNone,
  oneOf,
  organizationGrant,
  partitionOrDefault,
  regionNameProblem,
  trailArnProblem,
  trailsOf,
  wholeNumber,
} from "./inputs";
import { inRegion } from "./region";

/** A bucket, and the Region it is in. */
export interface AuditKeyBucket {
  /** Name of the bucket. */
  bucketName: pulumi.Input<string>;
  /** Region of the bucket. */
  region: pulumi.Input<string>;
}

/** S3 replication of the archive, as far as the key's policy, or a replica's, has to let it. */
export interface AuditKeyReplication {
  /** ARN of the role that S3 replicates as. */
  roleArn: pulumi.Input<string>;
  /** The log bucket. */
  source: AuditKeyBucket;
  /** The bucket with the copies. */
  destination: AuditKeyBucket;
  /** Whether the copies are encrypted with this key or its replica. Default: true. */
  encryptsCopies?: pulumi.Input<boolean>;
}

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
  /**
   * Accounts of the organization whose own trails the policy may authorize by the organization's id, where their names
   * do not fit. Default: none.
   */
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
  partition?: pulumi.Input<Partition>;
  /** Alias without `alias/` in front. Default: crosstrail. A change replaces the alias, not the key. */
  aliasName?: pulumi.Input<string>;
  /**
   * Days between rotations of the key material, 90 to 2560. Default: 365. Each of the first two rotations adds to the
   * key's monthly price.
   */
  rotationPeriodInDays?: pulumi.Input<number>;
  /** Whether the log bucket uses S3 Bucket Keys: CloudTrail then also needs to decrypt. Default: false. */
  bucketKeyEnabled?: pulumi.Input<boolean>;
  /**
   * Other accounts that may decrypt their own logs with the key, as far as their own IAM policies let them: 12 digits
   * each. Default: none.
   */
  memberReaders?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * ARNs of the only roles that may administer the key, with the role that deploys among them; others of the account see its settings. Roles of the account that owns the key. Default: none, IAM policies alone decide.
   */
  breakGlassRoleArns?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * How the key policy names the trails. Default: the tightest form that fits into 32,768 bytes.
   */
  policyForm?: pulumi.Input<KeyPolicyForm>;
  /**
   * Regions in which the key has a replica, made with the credentials of the component's provider, or of the stack's: what it encrypted can be decrypted there. A key that is made with any is
   * multi-Region forever, and one that is made without can never have any. Each replica costs as much as a key.
   * Default: none.
   */
  replicaRegions?: string[];
  /** S3 replication of the archive, which decrypts and encrypts with the key. Default: none. */
  replication?: AuditKeyReplication;
  /**
   * Whether the key is protected, and stays in AWS when it is removed from the stack. Default: true. Without its key no
   * log can be read.
   */
  keep?: boolean;
  /** Tags of the key. */
  tags?: pulumi.Input<{ [key: string]: pulumi.Input<string> }>;
}

/**
 * The KMS key of the archive: rotated, with an alias, and a policy that lets exactly the given trails encrypt and the
 * owning account administer it and read logs. It must be in the bucket's Region. Replicas in other Regions have the same
 * policy; they are for reading logs there, and for copies of the archive:
 * https://github.com/crosstrail/crosstrail/blob/main/docs/replication.md
 * Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html
 */
export class AuditKey extends pulumi.ComponentResource {
  /** ARN of the key; trails in every account name it. */
  public readonly keyArn: pulumi.Output<string>;
  /** Id of the key. */
  public readonly keyId: pulumi.Output<string>;
  /** The alias, with `alias/` in front. */
  public readonly aliasName: pulumi.Output<string>;
  /** ARNs of the replicas, by Region. */
  public readonly replicaKeyArns: pulumi.Output<{ [region: string]: string }>;

  constructor(name: string, args: AuditKeyArgs, opts?: pulumi.ComponentResourceOptions) {
    // Before the component exists: of arguments that cannot be right, nothing is registered.
    const {
      tags,
      aliasName,
      rotationPeriodInDays,
      replicaRegions = [],
      ...inputs
    } = checkedArgs(
      "AuditKey",
      args,
      {
        tags: tagsProblem,
        auditAccountId: accountIdProblem,
        trailArns: trailArnProblem,
        organizationId: organizationIdProblem,
        organizationTrailArns: trailArnProblem,
        organizationAccounts: accountIdProblem,
        previousLogPrefix: logPrefixOrNone,
        mayEncrypt: undefined,
        bucketName: bucketNameProblem,
        logPrefix: logPrefixOrNone,
        partition: oneOf(partitions),
        bucketKeyEnabled: undefined,
        memberReaders: accountIdProblem,
        breakGlassRoleArns: roleArnProblem,
        aliasName: keyAliasProblem,
        policyForm: oneOf(Object.values(KeyPolicyForm)),
        replication: undefined,
        rotationPeriodInDays: wholeNumber(90, 2560),
        replicaRegions: regionNameProblem,
      },
      [["trailArns", "partition"], (known) => trailsOf(known.trailArns, partitionOrDefault(known.partition))],
      [
        ["organizationId", "organizationTrailArns", "organizationAccounts", "partition"],
        (known) => organizationGrant(known, partitionOrDefault(known.partition)),
      ],
    );
    // The key itself is in its bucket's Region.
    const policyIn = (replicaRegion?: string) =>
      derive(inputs, ({ trailArns, partition: given, policyForm, replication: copied, ...rest }) => {
        const partition = partitionOrDefault(given);
        const trails = trailsOf(trailArns, partition);
        const organization = organizationGrant(rest, partition);
        const replication =
          copied && replicationOfKey(copied, replicaRegion ?? copied.source.region, copied.encryptsCopies ?? true);
        return serialize(keyPolicy({ ...rest, partition, trails, organization, replication }, policyForm).document);
      });
    const policy = policyIn();
    const replicaPolicies = replicaRegions.map(policyIn);

    super("crosstrail:index:AuditKey", name, {}, opts);
    const keep = args.keep ?? true;
    const kept = { parent: this, protect: keep, retainOnDelete: keep };

    const key = new Key(
      `${name}-key`,
      {
        description: "Encrypts the CloudTrail logs of the Crosstrail archive",
        enableKeyRotation: true,
        rotationPeriodInDays: rotationPeriodInDays ?? 365,
        // The longest time to change one's mind about a key without which no log can be read.
        deletionWindowInDays,
        policy,
        multiRegion: replicaRegions.length > 0 ? true : undefined,
        tags,
      },
      // Another value would replace the key, and no log could be read without the old one: a key stays as it was made.
      { ...kept, ignoreChanges: ["multiRegion"] },
    );
    const replicas = replicaRegions.map((region, index) => {
      const place = inRegion(this, `${name}-key-${region}`, region);
      return new ReplicaKey(
        `${name}-key-${region}`,
        {
          primaryKeyArn: key.arn,
          description: "Replica of the key of the Crosstrail archive",
          deletionWindowInDays,
          policy: replicaPolicies[index],
          tags,
          ...place.args,
        },
        { ...kept, ...place.opts },
      );
    });
    const alias = new Alias(
      `${name}-alias`,
      { name: pulumi.interpolate`alias/${aliasName ?? "crosstrail"}`, targetKeyId: key.keyId },
      kept,
    );

    this.keyArn = key.arn;
    this.keyId = key.keyId;
    this.aliasName = alias.name;
    this.replicaKeyArns = pulumi
      .all(replicas.map(({ arn }) => arn))
      .apply((arns) => Object.fromEntries(arns.map((arn, index) => [replicaRegions[index] as string, arn])));
    this.registerOutputs({
      keyArn: this.keyArn,
      keyId: this.keyId,
      aliasName: this.aliasName,
      replicaKeyArns: this.replicaKeyArns,
    });
  }
}
