/** The log bucket of the archive, with its one policy. */
import * as pulumi from "@pulumi/pulumi";
import {
  BucketLifecycleConfiguration,
  BucketLogging,
  BucketNotification,
  BucketObjectLockConfiguration,
  BucketPolicy,
} from "@pulumi/aws/s3";
import { accountIdProblem, type Partition, partitions } from "../core/accounts";
import { archiveConflicts, noncurrentDays, type ObjectLockMode, spanDays, type StorageClass } from "../core/archive";
import { UserError } from "../core/findings";
import { subjectText } from "../core/settings/report";
import { bucketNameProblem, keyArnProblem, organizationIdProblem, roleArnProblem } from "../core/names";
import { accessLogPrefix } from "../core/policies/beside";
import { BucketPolicyForm, bucketPolicy } from "../core/policies/bucket";
import { serialize } from "../core/policies/document";
import { guardedBucket } from "./guardedBucket";
import { inRegion } from "./region";
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
} from "./inputs";

/**
 * How long S3 keeps new log files from being deleted or overwritten. Without a mode: Object Lock is on, and locks
 * nothing by itself.
 */
export interface AuditBucketObjectLock {
  /**
   * governance, which principals with s3:BypassGovernanceRetention may lift, or compliance, which nobody can.
   */
  mode?: ObjectLockMode;
  /** Days that a log file is locked, 1 to 36500; instead of years. */
  days?: number;
  /** Years that a log file is locked, 1 to 100; instead of days. */
  years?: number;
  /** For mode compliance: the bucket's name once more. Nobody can undo such a lock. */
  confirmComplianceLock?: string;
}

/** A cheaper storage class, and the age at which log files go there. */
export interface AuditBucketTransition {
  /** STANDARD_IA, INTELLIGENT_TIERING, GLACIER_IR, GLACIER or DEEP_ARCHIVE. */
  storageClass: StorageClass;
  /** Days after delivery. */
  days: number;
}

/** When logs are deleted. */
export interface AuditBucketRetention {
  /** Days after which a log file expires; instead of years. */
  days?: number;
  /** Years after which a log file expires; instead of days. */
  years?: number;
  /** Days that what was overwritten, deleted or has expired is kept. Default: 90, or fewer if logs expire earlier. */
  noncurrentDays?: number;
  /** Moves to cheaper storage classes, in the order of their days. Default: none. */
  transitions?: AuditBucketTransition[];
}

/** Arguments of {@link AuditBucket}. */
export interface AuditBucketArgs {
  /** Name of the bucket. A change would replace the bucket, which protection refuses. */
  bucketName: pulumi.Input<string>;
  /** ARNs of the trails that may deliver. Each one is named in the bucket policy. */
  trailArns: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * ARN of the KMS key that encrypts what is put into the bucket without a key of its own. Same Region as the bucket.
   */
  keyArn: pulumi.Input<string>;
  /** ARNs of former keys of the archive that trails may still name, for denyOtherEncryption. Default: none. */
  previousKeyArns?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Region of the bucket, reached with the credentials of the component's provider, or of the stack's. Default: the
   * provider's. A change would replace the bucket, which protection refuses.
   */
  region?: string;
  /** Folder in front of AWSLogs/, at most 200 characters. Default: none. */
  logPrefix?: pulumi.Input<string>;
  /**
   * While the prefix is being changed: the former one, where trails may still deliver; "" for none. Default: the same.
   */
  previousLogPrefix?: pulumi.Input<string>;
  /** Id of the organization that delivers here. Default: none. */
  organizationId?: pulumi.Input<string>;
  /** ARNs of organization trails of that organization that may deliver: the management account's. Default: none. */
  organizationTrailArns?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Accounts of the organization whose own trails the policy may authorize by the organization's id, where their names
   * do not fit. Default: none.
   */
  organizationAccounts?: pulumi.Input<pulumi.Input<string>[]>;
  /** Partition of the account: aws, aws-cn or aws-us-gov. Default: aws. */
  partition?: pulumi.Input<Partition>;
  /**
   * Whether S3 asks KMS for a key of the bucket now and then instead of one for each object: fewer requests, less cost.
   * Default: false. The key's policy needs it, too.
   */
  bucketKeyEnabled?: pulumi.Input<boolean>;
  /**
   * Other accounts that may read their own logs, as far as their own IAM policies let them: 12 digits each. Default:
   * none.
   */
  memberReaders?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Whether reading and deleting log objects takes a session with MFA. Services and exempt roles are not affected.
   * Default: false.
   */
  requireMfa?: pulumi.Input<boolean>;
  /** ARNs of the roles of automation for which `requireMfa` does not count. Default: none. */
  mfaExemptRoleArns?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * ARNs of the only roles that may change the bucket or its log files. The role that deploys must be among them.
   * Default: none, IAM policies alone decide.
   */
  breakGlassRoleArns?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * For a bucket of copies: ARN of the role by which S3 replication writes them, which breakGlassRoleArns does not keep from it. Default: none.
   */
  replicationRoleArn?: pulumi.Input<string>;
  /**
   * Whether objects that name another key, another encryption than SSE-KMS, or a key of the caller's own are refused.
   * Default: false.
   */
  denyOtherEncryption?: pulumi.Input<boolean>;
  /**
   * Object Lock for new log files, also on a bucket that was made without. It cannot be switched off again. Default:
   * none.
   */
  objectLock?: AuditBucketObjectLock;
  /** When logs are deleted. Default: never. */
  retention?: AuditBucketRetention;
  /**
   * Whether MFA Delete is expected to be on: then nothing here writes the bucket's versioning again. Only the root user
   * can switch it. Default: false. Not together with retention.
   */
  mfaDelete?: boolean;
  /** Name of the bucket for S3's server access logs, such as an AccessLogBucket's. Default: none are written. */
  accessLogBucketName?: pulumi.Input<string>;
  /** Whether S3 sends events of this bucket to EventBridge. Default: false. */
  eventBridge?: boolean;
  /** ARN of an SQS queue, such as a NotificationQueue's, that S3 notifies of each new log file. Default: none. */
  notificationQueueArn?: pulumi.Input<string>;
  /** Whether the bucket is deleted with all logs in it. For tests: needs keep false, and no lock. Default: false. */
  forceDestroy?: boolean;
  /**
   * How the bucket policy names the trails. Default: the tightest form that fits into 20,480 bytes.
   */
  policyForm?: pulumi.Input<BucketPolicyForm>;
  /**
   * Whether the bucket and what guards it are protected, and stay in AWS when they are removed from the stack. Default:
   * true.
   */
  keep?: boolean;
  /** Tags of the bucket. */
  tags?: pulumi.Input<{ [key: string]: pulumi.Input<string> }>;
}

/**
 * The log bucket of the archive: versioned, private, owned by its account no matter who writes, encrypted with the given key,
 * reachable by TLS only, with one policy that lets exactly the given trails deliver. Options are explained in
 * https://github.com/crosstrail/crosstrail/blob/main/docs/archive.md. Source:
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
 */
export class AuditBucket extends pulumi.ComponentResource {
  /** Name of the bucket. */
  public readonly bucketName: pulumi.Output<string>;
  /** ARN of the bucket. */
  public readonly bucketArn: pulumi.Output<string>;
  /**
   * MFA Delete as S3 had it when the stack was deployed or refreshed last: Enabled, Disabled, or undefined when it
   * never was on.
   */
  public readonly mfaDelete: pulumi.Output<string | undefined>;

  constructor(name: string, args: AuditBucketArgs, opts?: pulumi.ComponentResourceOptions) {
    // Before the component exists: of arguments that cannot be right, nothing is registered.
    const { tags, keyArn, previousKeyArns, accessLogBucketName, notificationQueueArn, region, ...inputs } = checkedArgs(
      "AuditBucket",
      args,
      {
        tags: tagsProblem,
        bucketName: bucketNameProblem,
        trailArns: trailArnProblem,
        keyArn: keyArnProblem,
        previousKeyArns: keyArnProblem,
        logPrefix: logPrefixOrNone,
        memberReaders: accountIdProblem,
        requireMfa: undefined,
        mfaExemptRoleArns: roleArnProblem,
        organizationId: organizationIdProblem,
        organizationTrailArns: trailArnProblem,
        organizationAccounts: accountIdProblem,
        previousLogPrefix: logPrefixOrNone,
        partition: oneOf(partitions),
        policyForm: oneOf(Object.values(BucketPolicyForm)),
        breakGlassRoleArns: roleArnProblem,
        replicationRoleArn: roleArnProblem,
        denyOtherEncryption: undefined,
        accessLogBucketName: bucketNameProblem,
        notificationQueueArn: queueArnProblem,
        region: regionNameProblem,
      },
      [[], () => refuseConflicts(args)],
      [["trailArns", "partition"], (known) => trailsOf(known.trailArns, partitionOrDefault(known.partition))],
      [
        ["organizationId", "organizationTrailArns", "organizationAccounts", "partition"],
        (known) => organizationGrant(known, partitionOrDefault(known.partition)),
      ],
    );
    // Only where it is named: everything else in the policy is known before the key exists, and a preview shows it.
    const named =
      args.denyOtherEncryption === undefined || args.denyOtherEncryption === false ? {} : { keyArn, previousKeyArns };
    const policy = derive({ ...inputs, ...named }, ({ trailArns, partition: given, policyForm, ...rest }) => {
      const partition = partitionOrDefault(given);
      const trails = trailsOf(trailArns, partition);
      const organization = organizationGrant(rest, partition);
      return serialize(bucketPolicy({ ...rest, partition, trails, organization }, policyForm).document);
    });

    super("crosstrail:index:AuditBucket", name, {}, opts);
    const place = inRegion(this, `${name}-${region}`, region);
    const keep = args.keep ?? true;
    const { bucket, versioning, of, after, ...guarded } = guardedBucket(this, name, {
      bucket: { bucket: inputs.bucketName, forceDestroy: args.forceDestroy, tags },
      encryption: [
        {
          applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: keyArn },
          bucketKeyEnabled: args.bucketKeyEnabled,
        },
      ],
      keep,
      // With MFA Delete, S3 lets nobody but the root user write this again.
      ignoreVersioning: args.mfaDelete,
      place,
    });
    let { last } = guarded;
    const { objectLock, retention } = args;
    if (objectLock) {
      // Switches Object Lock on where the bucket was made without; as an argument of the bucket it would replace it.
      const { mode, days, years } = objectLock;
      const rule = mode === undefined ? undefined : { defaultRetention: { mode: mode.toUpperCase(), days, years } };
      last = new BucketObjectLockConfiguration(`${name}-lock`, { ...of, rule }, after(last));
    }
    // What follows can be taken away again, and the archive keeps its logs without it: it is not protected.
    const option = (...dependsOn: pulumi.Resource[]) => ({ parent: this, dependsOn, ...place.opts });
    if (retention) {
      last = new BucketLifecycleConfiguration(
        `${name}-lifecycle`,
        {
          ...of,
          rules: [
            {
              id: "retention",
              status: "Enabled",
              filter: { prefix: "" },
              transitions: retention.transitions,
              expiration: { days: spanDays(retention) },
              noncurrentVersionExpiration: { noncurrentDays: noncurrentDays(retention) },
              abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
            },
          ],
          // S3's default, written out: left out, the provider finds a difference in every preview.
          transitionDefaultMinimumObjectSize: "all_storage_classes_128K",
        },
        option(last),
      );
    }
    if (accessLogBucketName !== undefined) {
      last = new BucketLogging(
        `${name}-logging`,
        {
          ...of,
          targetBucket: accessLogBucketName,
          targetPrefix: pulumi.output(inputs.bucketName).apply(accessLogPrefix),
        },
        option(last),
      );
    }
    if (args.eventBridge || notificationQueueArn !== undefined) {
      last = new BucketNotification(
        `${name}-notification`,
        {
          ...of,
          eventbridge: args.eventBridge ?? false,
          queues:
            notificationQueueArn === undefined
              ? []
              : [{ id: "new-log-files", queueArn: notificationQueueArn, events: ["s3:ObjectCreated:*"] }],
        },
        option(last),
      );
    }
    new BucketPolicy(`${name}-policy`, { ...of, policy }, after(last));

    this.bucketName = bucket.bucket;
    this.bucketArn = bucket.arn;
    this.mfaDelete = versioning.versioningConfiguration.apply((known) => known?.mfaDelete);
    this.registerOutputs({ bucketName: this.bucketName, bucketArn: this.bucketArn, mfaDelete: this.mfaDelete });
  }
}

/** Reports arguments that exclude each other. */
function refuseConflicts(args: AuditBucketArgs): void {
  const { objectLock, retention, mfaDelete, forceDestroy, keep } = args;
  const names = { keepArchive: "keep", accessLogBucket: "accessLogBucketName" } as Record<string, string>;
  const bucketName = typeof args.bucketName === "string" ? args.bucketName : undefined;
  const accessLogBucket = typeof args.accessLogBucketName === "string" ? args.accessLogBucketName : undefined;
  const findings = archiveConflicts(
    { objectLock, retention, mfaDelete, forceDestroy, keepArchive: keep, accessLogBucket, bucketName },
    (name) => names[name] ?? name,
  ).map(({ key, value, message, remedy }) => ({
    id: "component/archive" as const,
    severity: "error" as const,
    subject: subjectText(names[key] ?? key, value),
    message,
    remedy,
  }));
  if (findings.length > 0) throw new UserError("AuditBucket cannot be created with these arguments.", findings);
}

/** Says what is wrong with the ARN of a queue. */
function queueArnProblem(arn: string): string | undefined {
  if (/^arn:[a-z-]+:sqs:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,80}$/.test(arn)) return undefined;
  return "a queue's ARN looks like arn:aws:sqs:<Region>:<account>:<name>";
}
