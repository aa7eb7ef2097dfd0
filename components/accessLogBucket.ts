/** The bucket for S3's server access logs of the log bucket. */
import * as pulumi from "@pulumi/pulumi";
import { BucketLifecycleConfiguration, BucketPolicy } from "@pulumi/aws/s3";
import { accountIdProblem, type Partition, partitions } from "../core/accounts";
import { bucketNameProblem, roleArnProblem } from "../core/names";
import { accessLogPolicy } from "../core/policies/beside";
import { serialize } from "../core/policies/document";
import { tagsProblem } from "../core/tags";
import { guardedBucket } from "./guardedBucket";
import { checkedInputs, derive, oneOf, partitionOrDefault, wholeNumber } from "./inputs";

/** Arguments of {@link AccessLogBucket}. */
export interface AccessLogBucketArgs {
  /** Name of the bucket. A change would replace the bucket, which protection refuses. */
  bucketName: pulumi.Input<string>;
  /** Name of the bucket whose access is logged; in the same account and Region. */
  sourceBucketName: pulumi.Input<string>;
  /** The account that owns both: 12 digits. */
  accountId: pulumi.Input<string>;
  /** Partition of the account: aws, aws-cn or aws-us-gov. Default: aws. */
  partition?: pulumi.Input<Partition>;
  /** ARNs of the only roles that may change the bucket or what is in it. The role that deploys must be among them. Default: none, IAM policies alone decide. */
  breakGlassRoleArns?: pulumi.Input<pulumi.Input<string>[]>;
  /** Days after which access logs are deleted, at least 1. Default: 365. */
  expirationDays?: pulumi.Input<number>;
  /** Whether the bucket and what guards it are protected, and stay in AWS when they are removed from the stack. Default: true. */
  keep?: boolean;
  /** Tags of the bucket. */
  tags?: pulumi.Input<{ [key: string]: pulumi.Input<string> }>;
}

/**
 * A bucket for S3's server access logs of the log bucket: private, TLS only, written by S3's logging service for that one
 * bucket. It has neither Object Lock nor a KMS key, because S3 does not deliver access logs to such buckets, and no access
 * logs of its own, because there would be no end to it.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html
 */
export class AccessLogBucket extends pulumi.ComponentResource {
  /** Name of the bucket, once it can be written to. */
  public readonly bucketName: pulumi.Output<string>;

  constructor(name: string, args: AccessLogBucketArgs, opts?: pulumi.ComponentResourceOptions) {
    // Before the component exists: of arguments that cannot be right, nothing is registered.
    const { tags, expirationDays, ...inputs } = checkedInputs(
      "AccessLogBucket",
      {
        tags: args.tags,
        bucketName: args.bucketName,
        sourceBucketName: args.sourceBucketName,
        accountId: args.accountId,
        partition: args.partition,
        breakGlassRoleArns: args.breakGlassRoleArns,
        expirationDays: args.expirationDays,
      },
      {
        tags: tagsProblem,
        bucketName: bucketNameProblem,
        sourceBucketName: bucketNameProblem,
        accountId: accountIdProblem,
        partition: oneOf(partitions),
        breakGlassRoleArns: roleArnProblem,
        expirationDays: wholeNumber(1),
      },
    );
    const policy = derive(inputs, ({ partition, ...rest }) =>
      serialize(accessLogPolicy({ ...rest, partition: partitionOrDefault(partition) })),
    );

    super("crosstrail:index:AccessLogBucket", name, {}, opts);
    const keep = args.keep ?? true;
    const { of, after, last } = guardedBucket(this, name, {
      bucket: { bucket: inputs.bucketName, tags },
      encryption: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }],
      keep,
    });
    const lifecycle = new BucketLifecycleConfiguration(
      `${name}-lifecycle`,
      {
        ...of,
        rules: [
          {
            id: "expire",
            status: "Enabled",
            filter: { prefix: "" },
            expiration: { days: expirationDays ?? 365 },
            noncurrentVersionExpiration: { noncurrentDays: 30 },
            abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
          },
        ],
        transitionDefaultMinimumObjectSize: "all_storage_classes_128K",
      },
      after(last),
    );
    const guard = new BucketPolicy(`${name}-policy`, { ...of, policy }, after(lifecycle));

    // S3 tries the bucket when logging to it is switched on, so its policy comes first.
    this.bucketName = guard.bucket;
    this.registerOutputs({ bucketName: this.bucketName });
  }
}
