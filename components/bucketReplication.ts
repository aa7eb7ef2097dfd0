/** S3 replication of the log bucket to another bucket. */
import * as pulumi from "@pulumi/pulumi";
import { Role, RolePolicy } from "@pulumi/aws/iam";
import { BucketReplicationConfig } from "@pulumi/aws/s3";
import { accountIdProblem, type Partition, partitions } from "../core/accounts";
import { bucketArn, bucketNameProblem, keyArnProblem, roleNameProblem } from "../core/names";
import { serialize } from "../core/policies/document";
import { replicationPermissions, replicationTrust } from "../core/policies/replication";
import { roleTagsProblem } from "../core/tags";
import { checkedInputs, derive, oneOf, partitionOrDefault, policyArnProblem, regionNameProblem } from "./inputs";

/** Arguments of {@link BucketReplication}. */
export interface BucketReplicationArgs {
  /** The log bucket. Its versioning must be on. */
  sourceBucketName: pulumi.Input<string>;
  /** Region of the log bucket. */
  sourceRegion: pulumi.Input<string>;
  /** ARNs of the keys that log files are encrypted with. */
  sourceKeyArns: pulumi.Input<pulumi.Input<string>[]>;
  /** The bucket for the copies. It must be there, with its versioning on. */
  destinationBucketName: pulumi.Input<string>;
  /** Region of the bucket for the copies. */
  destinationRegion: pulumi.Input<string>;
  /** ARN of the key that copies are encrypted with, of the same Region. */
  destinationKeyArn: pulumi.Input<string>;
  /** The account of the bucket for the copies, if it is another one; it then owns them. Default: the log bucket's own account. */
  destinationAccountId?: pulumi.Input<string>;
  /** Whether the bucket for the copies uses S3 Bucket Keys. Default: false. */
  bucketKeyEnabled?: pulumi.Input<boolean>;
  /** Whether new log files are copied. Setting false pauses it in place; what is delivered meanwhile is not copied later. Default: true. */
  enabled?: boolean;
  /** Partition of the account: aws, aws-cn or aws-us-gov. Default: aws. */
  partition?: pulumi.Input<Partition>;
  /** Name of the role that S3 replicates as. Default: CrosstrailReplication. A change replaces the role. */
  roleName?: pulumi.Input<string>;
  /** ARN of the managed policy that limits what the role may do (its permissions boundary). Changes in place. Default: none. */
  permissionsBoundaryArn?: pulumi.Input<string>;
  /** Tags of the role. */
  tags?: pulumi.Input<{ [key: string]: pulumi.Input<string> }>;
}

/**
 * Copies each new object of the log bucket to another bucket, by S3 replication. What the log bucket held before is not
 * copied, and deletions are not repeated in the copy. Removing it changes neither bucket.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication.html
 */
export class BucketReplication extends pulumi.ComponentResource {
  /** ARN of the role that S3 replicates as. */
  public readonly roleArn: pulumi.Output<string>;

  constructor(name: string, args: BucketReplicationArgs, opts?: pulumi.ComponentResourceOptions) {
    // Before the component exists: of arguments that cannot be right, nothing is registered.
    const { tags, ...inputs } = checkedInputs(
      "BucketReplication",
      {
        tags: args.tags,
        sourceBucketName: args.sourceBucketName,
        sourceRegion: args.sourceRegion,
        sourceKeyArns: args.sourceKeyArns,
        destinationBucketName: args.destinationBucketName,
        destinationRegion: args.destinationRegion,
        destinationKeyArn: args.destinationKeyArn,
        destinationAccountId: args.destinationAccountId,
        bucketKeyEnabled: args.bucketKeyEnabled,
        partition: args.partition,
        roleName: args.roleName,
        permissionsBoundaryArn: args.permissionsBoundaryArn,
      },
      {
        tags: roleTagsProblem,
        sourceBucketName: bucketNameProblem,
        sourceRegion: regionNameProblem,
        sourceKeyArns: keyArnProblem,
        destinationBucketName: bucketNameProblem,
        destinationRegion: regionNameProblem,
        destinationKeyArn: keyArnProblem,
        destinationAccountId: accountIdProblem,
        partition: oneOf(partitions),
        roleName: roleNameProblem,
        permissionsBoundaryArn: policyArnProblem,
      },
    );
    const { roleName, permissionsBoundaryArn, ...places } = inputs;
    const permissions = derive(places, (known) =>
      serialize(
        replicationPermissions({
          partition: partitionOrDefault(known.partition),
          source: { bucketName: known.sourceBucketName, region: known.sourceRegion },
          sourceKeyArns: known.sourceKeyArns,
          destination: { bucketName: known.destinationBucketName, region: known.destinationRegion },
          destinationKeyArn: known.destinationKeyArn,
          otherAccount: known.destinationAccountId !== undefined,
          bucketKeyEnabled: known.bucketKeyEnabled,
        }),
      ),
    );
    const destination = derive(
      { partition: inputs.partition, bucketName: inputs.destinationBucketName },
      ({ partition, bucketName }) => bucketArn(partitionOrDefault(partition), bucketName),
    );

    super("crosstrail:index:BucketReplication", name, {}, opts);

    const role = new Role(
      `${name}-role`,
      {
        name: roleName ?? "CrosstrailReplication",
        description: "S3 copies the CloudTrail logs of the Crosstrail archive",
        assumeRolePolicy: serialize(replicationTrust()),
        permissionsBoundary: permissionsBoundaryArn,
        tags,
      },
      { parent: this },
    );
    const policy = new RolePolicy(
      `${name}-policy`,
      { name: "replicate-logs", role: role.name, policy: permissions },
      { parent: this },
    );
    new BucketReplicationConfig(
      `${name}-config`,
      {
        bucket: inputs.sourceBucketName,
        role: role.arn,
        rules: [
          {
            id: "logs",
            priority: 1,
            status: (args.enabled ?? true) ? "Enabled" : "Disabled",
            filter: { prefix: "" },
            // Who deletes a log file, or makes it look deleted, does not reach the copy.
            deleteMarkerReplication: { status: "Disabled" },
            sourceSelectionCriteria: { sseKmsEncryptedObjects: { status: "Enabled" } },
            destination: {
              bucket: destination,
              account: inputs.destinationAccountId,
              accessControlTranslation:
                inputs.destinationAccountId === undefined ? undefined : { owner: "Destination" },
              encryptionConfiguration: { replicaKmsKeyId: inputs.destinationKeyArn },
            },
          },
        ],
      },
      // What is delivered before the role may copy it would fail, and S3 does not try it again.
      { parent: this, dependsOn: [policy] },
    );

    this.roleArn = role.arn;
    this.registerOutputs({ roleArn: this.roleArn });
  }
}
