/** A bucket with what every bucket of the archive has: one owner of all objects, no public access, versioning, encryption. */
import type * as pulumi from "@pulumi/pulumi";
import type { BucketArgs, BucketServerSideEncryptionConfigurationArgs } from "@pulumi/aws/s3";
import {
  Bucket,
  BucketOwnershipControls,
  BucketPublicAccessBlock,
  BucketServerSideEncryptionConfiguration,
  BucketVersioning,
} from "@pulumi/aws/s3";
import type { Place } from "./region";

export interface GuardedBucketArgs {
  /** The bucket's own arguments. */
  bucket: BucketArgs;
  /** How objects without an encryption of their own are encrypted. */
  encryption: BucketServerSideEncryptionConfigurationArgs["rules"];
  /** Whether the bucket and what guards it are protected, and stay in AWS when they are removed from the stack. */
  keep: boolean;
  /** Whether somebody else writes the versioning, because MFA Delete lets nobody but the root user do so. */
  ignoreVersioning?: boolean;
  /** The Region, where it is not the provider's. */
  place?: Place;
}

export interface GuardedBucket {
  bucket: Bucket;
  versioning: BucketVersioning;
  /** What names the bucket in its further settings. */
  of: { bucket: pulumi.Output<string>; region?: string };
  /** The options of a further setting, which is guarded like the others and waits for these. */
  after: (...dependsOn: pulumi.Resource[]) => pulumi.CustomResourceOptions;
  /** The last setting so far. S3 refuses settings that are written at the same time: the next one waits for it. */
  last: pulumi.Resource;
}

/** Makes the bucket and its settings, one after the other, as children of the component. */
export function guardedBucket(
  parent: pulumi.ComponentResource,
  name: string,
  { bucket: own, encryption: rules, keep, ignoreVersioning, place = { args: {}, opts: {} } }: GuardedBucketArgs,
): GuardedBucket {
  // S3 answers "conflicting conditional operation" when a bucket's settings are written at the same time.
  const after = (...dependsOn: pulumi.Resource[]) => ({
    parent,
    protect: keep,
    retainOnDelete: keep,
    dependsOn,
    ...place.opts,
  });
  const bucket = new Bucket(`${name}-bucket`, { ...own, ...place.args }, after());
  const of = { bucket: bucket.bucket, ...place.args };
  const ownership = new BucketOwnershipControls(
    `${name}-ownership`,
    { ...of, rule: { objectOwnership: "BucketOwnerEnforced" } },
    after(),
  );
  const publicAccess = new BucketPublicAccessBlock(
    `${name}-public-access`,
    { ...of, blockPublicAcls: true, blockPublicPolicy: true, ignorePublicAcls: true, restrictPublicBuckets: true },
    after(ownership),
  );
  const versioning = new BucketVersioning(
    `${name}-versioning`,
    { ...of, versioningConfiguration: { status: "Enabled" } },
    { ...after(publicAccess), ...(ignoreVersioning && { ignoreChanges: ["versioningConfiguration"] }) },
  );
  const last = new BucketServerSideEncryptionConfiguration(`${name}-encryption`, { ...of, rules }, after(versioning));
  return { bucket, versioning, of, after, last };
}
