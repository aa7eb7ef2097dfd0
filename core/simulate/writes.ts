/**
 * Every action by which AWS lets somebody change a bucket, what is in it, or a key: what writes, tags or changes permissions, in
 * groups that a person can read. tests/core/simulate/writes.test.ts holds it against AWS's own list.
 * Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html and .../list_awskeymanagementservice.html
 */
import { keyWrites } from "../policies/key";

/** What a group of actions is done to. */
export type WriteTarget = "bucket" | "object" | "key";

interface WriteGroup {
  target: WriteTarget;
  /** What somebody does who does one of them. */
  title: string;
  actions: string[];
}

const s3 = (...names: string[]) => names.map((name) => `s3:${name}`);
const kms = (...names: string[]) => names.map((name) => `kms:${name}`);
const sqs = (...names: string[]) => names.map((name) => `sqs:${name}`);

/** What is done to the log bucket and to the logs. */
export const bucketWrites = {
  policy: {
    target: "bucket",
    title: "changes the bucket policy, or opens the bucket in another way",
    actions: s3(
      "DeleteBucketPolicy",
      "DeleteBucketWebsite",
      "PutBucketAbac",
      "PutBucketAcl",
      "PutBucketCORS",
      "PutBucketOwnershipControls",
      "PutBucketPolicy",
      "PutBucketPublicAccessBlock",
      "PutBucketWebsite",
    ),
  },
  lifecycle: {
    target: "bucket",
    title: "lets logs expire, stops keeping versions, or deletes the bucket",
    actions: s3(
      "CreateBucket",
      "DeleteBucket",
      "PutBucketObjectLockConfiguration",
      "PutBucketVersioning",
      "PutLifecycleConfiguration",
    ),
  },
  copies: {
    target: "bucket",
    title: "has logs, or lists of them, sent elsewhere, or stops their copies",
    actions: s3(
      "CreateBucketMetadataTableConfiguration",
      "DeleteBucketMetadataTableConfiguration",
      "PauseReplication",
      "PutAnalyticsConfiguration",
      "PutInventoryConfiguration",
      "PutReplicationConfiguration",
      "UpdateBucketMetadataAnnotationTableConfiguration",
      "UpdateBucketMetadataInventoryTableConfiguration",
      "UpdateBucketMetadataJournalTableConfiguration",
    ),
  },
  settings: {
    target: "bucket",
    title: "changes how the bucket encrypts, logs, notifies, is tagged or paid for",
    actions: s3(
      "PutAccelerateConfiguration",
      "PutBucketLogging",
      "PutBucketNotification",
      "PutBucketRequestPayment",
      "PutBucketTagging",
      "PutEncryptionConfiguration",
      "PutIntelligentTieringConfiguration",
      "PutMetricsConfiguration",
      "TagResource",
      "UntagResource",
    ),
  },
  write: {
    target: "object",
    title: "writes a log file, or what S3 keeps about it",
    actions: s3(
      "AbortMultipartUpload",
      "PutObject",
      "PutObjectAcl",
      "PutObjectAnnotation",
      "PutObjectTagging",
      "PutObjectVersionAcl",
      "PutObjectVersionAnnotation",
      "PutObjectVersionTagging",
      "RestoreObject",
      "UpdateObjectEncryption",
    ),
  },
  delete: {
    target: "object",
    title: "deletes a log file, a version of it, or what S3 keeps about it",
    actions: s3(
      "DeleteObject",
      "DeleteObjectAnnotation",
      "DeleteObjectTagging",
      "DeleteObjectVersion",
      "DeleteObjectVersionAnnotation",
      "DeleteObjectVersionTagging",
    ),
  },
  unlock: {
    target: "object",
    title: "lifts or shortens the lock of a log file",
    actions: s3("BypassGovernanceRetention", "PutObjectLegalHold", "PutObjectRetention"),
  },
  replicate: {
    target: "object",
    title: "has S3 replication write forged versions, or hide logs behind delete markers",
    actions: s3(
      "InitiateReplication",
      "ObjectOwnerOverrideToBucketOwner",
      "ReplicateDelete",
      "ReplicateObject",
      "ReplicateObjectAnnotation",
      "ReplicateTags",
    ),
  },
} as const satisfies Record<string, WriteGroup>;

const disables = kms("DisableKey", "ReplicateKey", "ScheduleKeyDeletion", "UpdatePrimaryRegion");
const permits = kms("PutKeyPolicy", "RevokeGrant");

/** What is done to the key. */
export const keyWriteGroups = {
  policy: { target: "key", title: "changes the key policy, or grants somebody the key", actions: [...permits] },
  disable: { target: "key", title: "disables, deletes or moves the key", actions: disables },
  settings: {
    target: "key",
    title: "changes the key's aliases, tags, rotation or description",
    actions: keyWrites.filter((each) => ![...disables, ...permits].includes(each)),
  },
  /** Nobody may, in any configuration: neither the key policy nor a grant lets them. */
  use: {
    target: "key",
    title: "encrypts or signs with the key, hands it on by a grant, or replaces its material",
    actions: kms(
      "CreateGrant",
      "DeleteImportedKeyMaterial",
      "DeriveSharedSecret",
      "Encrypt",
      "GenerateDataKey",
      "GenerateDataKeyPair",
      "GenerateDataKeyPairWithoutPlaintext",
      "GenerateDataKeyWithoutPlaintext",
      "GenerateMac",
      "ImportKeyMaterial",
      "ReEncryptFrom",
      "ReEncryptTo",
      "RetireGrant",
      "Sign",
      "SynchronizeMultiRegionKey",
      "Verify",
      "VerifyMac",
    ),
  },
} as const satisfies Record<string, WriteGroup>;

/** Every action on the bucket, its objects or the key, and what it is done to. `kms:Decrypt`, which reads, has questions of its own. */
export const allWrites: { action: string; target: WriteTarget }[] = [
  ...Object.values(bucketWrites),
  ...Object.values(keyWriteGroups),
].flatMap(({ actions, target }) => actions.map((action) => ({ action, target })));

/** What is done to the queue of new log files, and what consumers of it do: receiving a message ends in deleting it. */
export const queueWriteGroups = {
  policy: {
    title: "changes the queue's policy or settings, or deletes the queue",
    actions: sqs("AddPermission", "CreateQueue", "DeleteQueue", "RemovePermission", "SetQueueAttributes"),
  },
  messages: {
    title: "forges, moves or purges notifications, or changes the queue's tags",
    actions: sqs(
      "CancelMessageMoveTask",
      "PurgeQueue",
      "SendMessage",
      "StartMessageMoveTask",
      "TagQueue",
      "UntagQueue",
    ),
  },
  consume: {
    title: "takes notifications out of the queue",
    actions: sqs("ChangeMessageVisibility", "DeleteMessage"),
  },
} as const satisfies Record<string, { title: string; actions: string[] }>;

/** Every action that changes an SQS queue or what is in it. */
export const queueWrites: string[] = Object.values(queueWriteGroups).flatMap(({ actions }) => actions);
