import * as pulumi from "@pulumi/pulumi";
import {
  Bucket,
  BucketOwnershipControls,
  BucketPolicy,
  BucketPublicAccessBlock,
  BucketServerSideEncryptionConfiguration,
  BucketVersioning,
} from "@pulumi/aws/s3";
import { accountIdProblem, partitions } from "../core/accounts";
import { bucketNameProblem, keyArnProblem, logPrefixProblem, roleArnProblem } from "../core/names";
import { BucketPolicyForm, bucketPolicy } from "../core/policies/bucket";
import { serialize } from "../core/policies/document";
import { inRegion } from "./region";
import { checkedInputs, derive, oneOf, partitionOrDefault, trailArnProblem, trailsOf } from "./inputs";

/** Arguments of {@link AuditBucket}. */
export interface AuditBucketArgs {
  /** Name of the bucket. A change would replace the bucket, which protection refuses. */
  bucketName: pulumi.Input<string>;
  /** ARNs of the trails that may deliver. Each one is named in the bucket policy. */
  trailArns: pulumi.Input<pulumi.Input<string>[]>;
  /** ARN of the KMS key that encrypts what is put into the bucket without a key of its own. Same Region as the bucket. */
  keyArn: pulumi.Input<string>;
  /** Region of the bucket, reached with the stack's own provider settings. Default: the provider's. A change would replace the bucket, which protection refuses. */
  region?: string;
  /** Folder in front of AWSLogs/, at most 200 characters. Default: none. */
  logPrefix?: pulumi.Input<string>;
  /** Partition of the account: aws, aws-cn or aws-us-gov. Default: aws. */
  partition?: pulumi.Input<string>;
  /** Whether S3 asks KMS for a key of the bucket now and then instead of one for each object: fewer requests, less cost. Default: false. The key's policy needs it, too. */
  bucketKeyEnabled?: pulumi.Input<boolean>;
  /** Other accounts that may read their own logs, as far as their own IAM policies let them: 12 digits each. Default: none. */
  memberReaders?: pulumi.Input<pulumi.Input<string>[]>;
  /** Whether reading and deleting log objects takes a session with MFA. Services and exempt roles are left alone. Default: false. */
  requireMfa?: pulumi.Input<boolean>;
  /** ARNs of the roles of automation for which `requireMfa` does not count. Default: none. */
  mfaExemptRoleArns?: pulumi.Input<pulumi.Input<string>[]>;
  /** How the bucket policy names the trails: a value of BucketPolicyForm. Default: the tightest form that fits into 20,480 bytes. */
  policyForm?: pulumi.Input<string>;
  /** Whether the bucket and what guards it are protected, and stay in AWS when they are removed from the stack. Default: true. */
  keep?: boolean;
  /** Tags of the bucket. */
  tags?: pulumi.Input<{ [key: string]: pulumi.Input<string> }>;
}

/**
 * The log bucket of the archive: versioned, private, owned by its account whoever writes, encrypted with the given key,
 * reachable by TLS only, with one policy that lets exactly the given trails deliver.
 * Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
 */
export class AuditBucket extends pulumi.ComponentResource {
  /** Name of the bucket. */
  public readonly bucketName: pulumi.Output<string>;
  /** ARN of the bucket. */
  public readonly bucketArn: pulumi.Output<string>;

  constructor(name: string, args: AuditBucketArgs, opts?: pulumi.ComponentResourceOptions) {
    // Before the component exists: of arguments that cannot be right, nothing is registered.
    const { keyArn, ...inputs } = checkedInputs(
      "AuditBucket",
      {
        bucketName: args.bucketName,
        trailArns: args.trailArns,
        keyArn: args.keyArn,
        logPrefix: args.logPrefix,
        memberReaders: args.memberReaders,
        requireMfa: args.requireMfa,
        mfaExemptRoleArns: args.mfaExemptRoleArns,
        partition: args.partition,
        policyForm: args.policyForm,
      },
      {
        bucketName: bucketNameProblem,
        trailArns: trailArnProblem,
        keyArn: keyArnProblem,
        logPrefix: (value) => (value === "" ? undefined : logPrefixProblem(value)),
        memberReaders: accountIdProblem,
        mfaExemptRoleArns: roleArnProblem,
        partition: oneOf(partitions),
        policyForm: oneOf(Object.values(BucketPolicyForm)),
      },
    );
    const policy = derive(inputs, ({ trailArns, partition: given, policyForm, ...rest }) => {
      const partition = partitionOrDefault(given);
      const trails = trailsOf(trailArns, partition);
      const form = policyForm as BucketPolicyForm | undefined;
      return serialize(bucketPolicy({ ...rest, partition, trails }, form).document);
    });

    opts = inRegion(name, args.region, opts);
    super("crosstrail:index:AuditBucket", name, {}, opts);
    const keep = args.keep ?? true;
    // S3 answers "conflicting conditional operation" when a bucket's settings are written at the same time, so each
    // one waits for the one before it.
    const after = (...dependsOn: pulumi.Resource[]) => ({
      parent: this,
      protect: keep,
      retainOnDelete: keep,
      dependsOn,
    });

    const bucket = new Bucket(`${name}-bucket`, { bucket: inputs.bucketName, tags: args.tags }, after());
    const ownership = new BucketOwnershipControls(
      `${name}-ownership`,
      { bucket: bucket.bucket, rule: { objectOwnership: "BucketOwnerEnforced" } },
      after(),
    );
    const publicAccess = new BucketPublicAccessBlock(
      `${name}-public-access`,
      {
        bucket: bucket.bucket,
        blockPublicAcls: true,
        blockPublicPolicy: true,
        ignorePublicAcls: true,
        restrictPublicBuckets: true,
      },
      after(ownership),
    );
    const versioning = new BucketVersioning(
      `${name}-versioning`,
      { bucket: bucket.bucket, versioningConfiguration: { status: "Enabled" } },
      after(publicAccess),
    );
    const encryption = new BucketServerSideEncryptionConfiguration(
      `${name}-encryption`,
      {
        bucket: bucket.bucket,
        rules: [
          {
            applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: keyArn },
            bucketKeyEnabled: args.bucketKeyEnabled,
          },
        ],
      },
      after(versioning),
    );
    new BucketPolicy(`${name}-policy`, { bucket: bucket.bucket, policy }, after(encryption));

    this.bucketName = bucket.bucket;
    this.bucketArn = bucket.arn;
    this.registerOutputs({ bucketName: this.bucketName, bucketArn: this.bucketArn });
  }
}
