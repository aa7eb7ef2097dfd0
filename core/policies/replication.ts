/**
 * S3 replication of the archive: its role, what keys must let it do, and what the owner of another account's bucket adds.
 * Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html and
 * .../replication-config-for-kms-objects.html
 */
import type { Partition } from "../accounts";
import { accountRootArn, bucketArn, viaS3 } from "../names";
import type { IdentityStatement, OneOrMany, PolicyDocument, Statement, TrustStatement } from "./document";
import { list, policyDocument } from "./document";

/** A bucket, and the Region it is in. */
export interface BucketPlace {
  bucketName: string;
  region: string;
}

/** Replication of the archive's bucket. */
export interface ReplicationGrant {
  /** ARN of the role that S3 replicates as. */
  roleArn: string;
  source: BucketPlace;
  destination: BucketPlace;
}

/** What replication does with one key. */
export interface KeyReplication {
  roleArn: string;
  /** The bucket whose objects it decrypts with the key. */
  reads?: BucketPlace;
  /** The bucket whose objects it encrypts with the key. */
  writes?: BucketPlace;
}

/**
 * What replication does with the archive's key in a Region.
 * @param ownKey whether the copies are encrypted with the archive's key; otherwise only the originals are.
 */
export function replicationOfKey(grant: ReplicationGrant, region: string, ownKey: boolean): KeyReplication | undefined {
  const { roleArn, source, destination } = grant;
  const reads = source.region === region ? source : undefined;
  const writes = ownKey && destination.region === region ? destination : undefined;
  return reads || writes ? { roleArn, ...(reads && { reads }), ...(writes && { writes }) } : undefined;
}

type Condition = Record<string, Record<string, OneOrMany>>;

/**
 * Requests that S3 makes to KMS for objects of this bucket. The context is the object's ARN or, with an S3 Bucket Key, the
 * bucket's.
 */
function forObjectsOf(partition: Partition, { bucketName, region }: BucketPlace): Condition {
  const bucket = bucketArn(partition, bucketName);
  return {
    StringEquals: { "kms:ViaService": viaS3(partition, region) },
    StringLike: { "kms:EncryptionContext:aws:s3:arn": [bucket, `${bucket}/*`] },
  };
}

/**
 * S3's page names `kms:Encrypt` for the copies; users report that without `kms:GenerateDataKey` they fail in silence
 * (awslabs/landing-zone-accelerator-on-aws #1144, ministryofjustice/modernisation-platform #13504). Both are granted, so that copies
 * arrive whichever S3 asks for. With an S3 Bucket Key, S3 also decrypts the bucket's key before it uses it.
 */
function encryptsCopies(bucketKeyEnabled: boolean | undefined): OneOrMany {
  return [...(bucketKeyEnabled ? ["kms:Decrypt"] : []), "kms:Encrypt", "kms:GenerateDataKey"];
}

/** What the archive's key, or a replica of it, must let replication do. */
export function replicationStatements(
  partition: Partition,
  auditAccountId: string,
  { roleArn, reads, writes }: KeyReplication,
  bucketKeyEnabled?: boolean,
): Statement[] {
  const account = { AWS: accountRootArn(partition, auditAccountId) };
  // The account with a condition, not the role: KMS refuses a policy that names a role that is not there (yet).
  const byRole = { ArnEquals: { "aws:PrincipalArn": roleArn } };
  const allow = (Sid: string, Action: OneOrMany, Condition: Condition): Statement => ({
    Sid,
    Effect: "Allow",
    Principal: account,
    Action,
    Resource: "*",
    Condition,
  });
  return [
    ...(reads ? [allow("ReplicationReadsLogs", "kms:Decrypt", { ...byRole, ...forObjectsOf(partition, reads) })] : []),
    ...(writes
      ? [
          allow("ReplicationWritesCopies", encryptsCopies(bucketKeyEnabled), {
            ...byRole,
            ...forObjectsOf(partition, writes),
          }),
          // AWS does not say that a copy keeps the encryption context of CloudTrail, by which the account reads the originals.
          allow("AccountReadsCopies", "kms:Decrypt", forObjectsOf(partition, writes)),
        ]
      : []),
  ];
}

/**
 * Who may assume the role: S3. It takes no condition on the source: a role is only handed to S3 by somebody of its own account
 * who may pass it (`iam:PassRole`), AWS documents none, and what the role may do is restricted to the two buckets.
 */
export function replicationTrust(): PolicyDocument<TrustStatement> {
  return policyDocument<TrustStatement>([
    { Sid: "S3Replicates", Effect: "Allow", Principal: { Service: "s3.amazonaws.com" }, Action: "sts:AssumeRole" },
  ]);
}

export interface ReplicationPermissions extends Omit<ReplicationGrant, "roleArn"> {
  partition: Partition;
  /** The keys of the originals. */
  sourceKeyArns: string[];
  /** The key of the copies. */
  destinationKeyArn: string;
  /** Whether the copies go to another account, whose bucket owner then owns them. */
  otherAccount?: boolean;
  bucketKeyEnabled?: boolean;
}

/** What the role may do: read versions of the originals, and write copies. It cannot delete, or overwrite an original. */
export function replicationPermissions(input: ReplicationPermissions): PolicyDocument<IdentityStatement> {
  const { partition, source, destination } = input;
  const from = bucketArn(partition, source.bucketName);
  return policyDocument<IdentityStatement>([
    {
      Sid: "FindLogs",
      Effect: "Allow",
      Action: ["s3:GetReplicationConfiguration", "s3:ListBucket"],
      Resource: from,
    },
    {
      Sid: "ReadLogs",
      Effect: "Allow",
      Action: ["s3:GetObjectVersionAcl", "s3:GetObjectVersionForReplication", "s3:GetObjectVersionTagging"],
      Resource: `${from}/*`,
    },
    {
      Sid: "DecryptLogs",
      Effect: "Allow",
      Action: "kms:Decrypt",
      Resource: list(input.sourceKeyArns),
      Condition: forObjectsOf(partition, source),
    },
    {
      Sid: "WriteCopies",
      Effect: "Allow",
      Action: writesCopies(input.otherAccount),
      Resource: `${bucketArn(partition, destination.bucketName)}/*`,
    },
    {
      Sid: "EncryptCopies",
      Effect: "Allow",
      Action: encryptsCopies(input.bucketKeyEnabled),
      Resource: input.destinationKeyArn,
      Condition: forObjectsOf(partition, destination),
    },
  ]);
}

function writesCopies(otherAccount: boolean | undefined): string[] {
  return [...(otherAccount ? ["s3:ObjectOwnerOverrideToBucketOwner"] : []), "s3:ReplicateObject", "s3:ReplicateTags"];
}

/** What the owner of a bucket or key that is not ours has to add to its policy. */
export interface StatementsToAdd {
  bucketPolicy?: Statement[];
  keyPolicy?: Statement[];
}

/**
 * The statements for the bucket of another account, and for a key that is not the archive's own. They let one role replicate
 * into the bucket, and nothing else.
 */
export function statementsToAdd(
  partition: Partition,
  auditAccountId: string,
  { roleArn, destination }: Pick<ReplicationGrant, "roleArn" | "destination">,
  of: { bucket: boolean; key: boolean; bucketKeyEnabled?: boolean },
): StatementsToAdd {
  const account = { AWS: accountRootArn(partition, auditAccountId) };
  const byRole = { ArnEquals: { "aws:PrincipalArn": roleArn } };
  const bucketPolicy: Statement[] = [
    {
      Sid: "CrosstrailReplicates",
      Effect: "Allow",
      Principal: account,
      Action: writesCopies(true),
      Resource: `${bucketArn(partition, destination.bucketName)}/*`,
      Condition: byRole,
    },
  ];
  const keyPolicy: Statement[] = [
    {
      Sid: "CrosstrailReplicates",
      Effect: "Allow",
      Principal: account,
      Action: encryptsCopies(of.bucketKeyEnabled),
      Resource: "*",
      Condition: { ...byRole, ...forObjectsOf(partition, destination) },
    },
  ];
  return { ...(of.bucket && { bucketPolicy }), ...(of.key && { keyPolicy }) };
}
