/**
 * What S3 or KMS would refuse to store at all (MalformedPolicy), statement by statement. The whole document is refused over one
 * such statement, so that nothing of it takes effect.
 * Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html (bucket policies)
 *          https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html (actions and their resources)
 *          https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
 */
import type { CompiledStatement } from "./compile";
import { compile, Findings } from "./compile";
import { splitArn } from "./pattern";
import type { PolicyFinding, PolicyInput } from "./types";

/** What a policy is attached to. */
export interface Attachment {
  kind: "bucket" | "key";
  /** The ARN of the bucket or key; its partition is the one that principals have to be in. */
  arn: string;
}

/** The statements that the service would refuse to store; empty when there are none. */
export function unstorable(policy: PolicyInput, { kind, arn }: Attachment): PolicyFinding[] {
  const { statements } = compile(policy, kind);
  const findings = new Findings();
  const partition = splitArn(arn)?.[1] ?? "aws";
  for (const statement of statements) {
    const problems = [
      ...principalProblems(statement, partition),
      ...(kind === "bucket" ? bucketProblems(statement, arn) : keyProblems(statement)),
      ...(kind === "bucket" ? conditionProblems(statement) : []),
    ];
    for (const { message, remedy } of problems) {
      findings.add({
        id: "policy/malformed",
        severity: "error",
        message: `${kind === "bucket" ? "S3" : "KMS"} refuses the whole policy: ${message}.`,
        remedy,
        statement: statement.index,
        sid: statement.sid,
      });
    }
  }
  return findings.list;
}

interface Problem {
  message: string;
  remedy: string;
}

const quoted = (text: string) => JSON.stringify(text.slice(0, 128));

function* principalProblems({ principal }: CompiledStatement, partition: string): Generator<Problem> {
  for (const arn of principal?.set.named ?? []) {
    if (arn.startsWith(`arn:${partition}:`)) continue;
    yield {
      message: `principal ${quoted(arn)} is in another partition than ${partition}, so it does not exist here`,
      remedy: `Write arn:${partition}:... for principals of this partition; others cannot be named.`,
    };
  }
  for (const id of principal?.set.deleted ?? []) {
    yield {
      message: `principal ${quoted(id)} is the id of a user or role that was deleted`,
      remedy: "Remove it, or name the new principal.",
    };
  }
  for (const service of principal?.set.services ?? []) {
    if (/\.(amazonaws\.com(\.cn)?|amazon\.com|aws\.internal)$/.test(service)) continue;
    yield {
      message: `${quoted(service)} is not a service principal`,
      remedy: "A service principal looks like cloudtrail.amazonaws.com.",
    };
  }
}

/** What a resource of a bucket policy is: the bucket, its objects, both, or another bucket's. */
function levelOf(resource: string, bucket: string): "bucket" | "object" | "both" | undefined {
  if (!resource.startsWith(bucket)) return undefined;
  const rest = resource.slice(bucket.length);
  if (rest === "") return "bucket";
  if (rest.startsWith("/")) return "object";
  return /^[*?]/.test(rest) ? "both" : undefined;
}

function* bucketProblems({ action, resource }: CompiledStatement, bucket: string): Generator<Problem> {
  const levels = new Set<"bucket" | "object">();
  for (const text of resource?.shown ?? []) {
    const level = levelOf(text, bucket);
    if (level === undefined) {
      yield {
        message: `resource ${quoted(text)} is not this bucket or what is in it`,
        remedy: `Write ${bucket} for the bucket, and ${bucket}/* for all that is in it.`,
      };
      continue;
    }
    if (level !== "object") levels.add("bucket");
    if (level !== "bucket") levels.add("object");
  }
  for (const text of action?.shown ?? []) {
    const lower = text.toLowerCase();
    if (lower === "*") continue;
    if (!/^s3[*?]*:/.test(lower)) {
      yield {
        message: `action ${quoted(text)} is not one of S3's`,
        remedy: "Remove it from the bucket policy, or correct it.",
      };
      continue;
    }
    // A new action that is not listed here is not held against anybody.
    const pattern = new RegExp(
      `^${lower
        .slice(lower.indexOf(":") + 1)
        .replace(/\*+/g, "*")
        .replace(/\*/g, ".*")
        .replace(/\?/g, ".")}$`,
    );
    const applies = (["bucket", "object"] as const).filter((level) =>
      actions[level].some((each) => pattern.test(each)),
    );
    if (actions.account.some((each) => pattern.test(each)) && !/[*?]/.test(lower)) {
      yield {
        message: `action ${quoted(text)} does not apply to any resource of the statement`,
        remedy: "It is for accounts, not buckets: allow it in an IAM policy, and remove it here.",
      };
      continue;
    }
    if (applies.length === 0 || action?.not || resource?.not || levels.size === 0) continue;
    if (applies.some((level) => levels.has(level))) continue;
    yield {
      message: `action ${quoted(text)} does not apply to any resource of the statement`,
      remedy:
        applies[0] === "object" ? `It is for objects: add ${bucket}/*.` : `It is for the bucket itself: add ${bucket}.`,
    };
  }
}

/** Condition keys of other services: S3 refuses them ("Policy has an invalid condition key"). */
const foreignKeys = /^(kms|iam|cloudtrail|dynamodb|ecr|logs|sns|sqs|organizations):/;

/** Keys that belong to a few actions: S3 refuses them where none of these is named. */
const keysOfActions: readonly (readonly [key: RegExp, actions: RegExp])[] = [
  [/^s3:(prefix|delimiter|max-keys)$/, /^list(bucket|bucketversions|bucketmultipartuploads|multipartuploadparts)$/],
];

function* conditionProblems({ action, conditions }: CompiledStatement): Generator<Problem> {
  for (const { key, lookupKey } of conditions) {
    if (foreignKeys.test(lookupKey)) {
      yield {
        message: `${quoted(key)} is a condition key of another service`,
        remedy: "Remove it, or write a condition key of S3's or a global one.",
      };
    }
    const [, of] = keysOfActions.find(([each]) => each.test(lookupKey)) ?? [];
    if (of === undefined || action === undefined || action.not) continue;
    const possible = [...actions.bucket, ...actions.object].filter((each) => of.test(each));
    const isNamed = possible.some((each) => action.list.matches(`s3:${each}`, () => undefined) === true);
    if (isNamed) continue;
    yield {
      message: `condition key ${quoted(key)} does not apply to any action of the statement`,
      remedy: "It is for requests that list the bucket: put it into a statement for s3:ListBucket.",
    };
  }
}

function* keyProblems({ action }: CompiledStatement): Generator<Problem> {
  for (const text of action?.shown ?? []) {
    if (text === "*" || /^kms[*?]*:/i.test(text) || /^[*?]+:/.test(text)) continue;
    yield {
      message: `action ${quoted(text)} is not one of KMS's`,
      remedy: "Remove it from the key policy, or correct it.",
    };
  }
}

const words = (text: string) => text.toLowerCase().trim().split(/\s+/);

/** S3's actions by what they apply to. Those of accounts, jobs and other buckets than log buckets are not complete. */
const actions = {
  account:
    words(`CreateJob GetAccountPublicAccessBlock ListAccessPoints ListAllMyBuckets ListJobs ListStorageLensConfigurations
    PutAccountPublicAccessBlock PutStorageLensConfiguration`),
  object: words(`AbortMultipartUpload BypassGovernanceRetention DeleteObject DeleteObjectAnnotation DeleteObjectTagging
    DeleteObjectVersion DeleteObjectVersionAnnotation DeleteObjectVersionTagging GetObject GetObjectAcl GetObjectAnnotation
    GetObjectAttributes GetObjectLegalHold GetObjectRetention GetObjectTagging GetObjectTorrent GetObjectVersion
    GetObjectVersionAcl GetObjectVersionAnnotation GetObjectVersionAnnotationForReplication GetObjectVersionAttributes
    GetObjectVersionForReplication GetObjectVersionTagging GetObjectVersionTorrent InitiateReplication ListMultipartUploadParts
    ListObjectAnnotations ListObjectVersionAnnotations ObjectOwnerOverrideToBucketOwner PutObject PutObjectAcl
    PutObjectAnnotation PutObjectLegalHold PutObjectRetention PutObjectTagging PutObjectVersionAcl PutObjectVersionAnnotation
    PutObjectVersionTagging ReplicateDelete ReplicateObject ReplicateObjectAnnotation ReplicateTags RestoreObject
    UpdateObjectEncryption`),
  bucket: words(`AllowVendedLogDeliveryForResource CreateBucket CreateBucketMetadataTableConfiguration DeleteBucket
    DeleteBucketMetadataTableConfiguration DeleteBucketPolicy DeleteBucketWebsite GetAccelerateConfiguration
    GetAnalyticsConfiguration GetBucketAbac GetBucketAcl GetBucketCORS GetBucketLocation GetBucketLogging
    GetBucketMetadataTableConfiguration GetBucketNotification GetBucketObjectLockConfiguration GetBucketOwnershipControls
    GetBucketPolicy GetBucketPolicyStatus GetBucketPublicAccessBlock GetBucketRequestPayment GetBucketTagging
    GetBucketVersioning GetBucketWebsite GetEncryptionConfiguration GetIntelligentTieringConfiguration
    GetInventoryConfiguration GetLifecycleConfiguration GetMetricsConfiguration GetReplicationConfiguration ListBucket
    ListBucketMultipartUploads ListBucketVersions ListTagsForResource PauseReplication PutAccelerateConfiguration
    PutAnalyticsConfiguration PutBucketAbac PutBucketAcl PutBucketCORS PutBucketLogging PutBucketNotification
    PutBucketObjectLockConfiguration PutBucketOwnershipControls PutBucketPolicy PutBucketPublicAccessBlock
    PutBucketRequestPayment PutBucketTagging PutBucketVersioning PutBucketWebsite PutEncryptionConfiguration
    PutIntelligentTieringConfiguration PutInventoryConfiguration PutLifecycleConfiguration PutMetricsConfiguration
    PutReplicationConfiguration TagResource UntagResource UpdateBucketMetadataAnnotationTableConfiguration
    UpdateBucketMetadataInventoryTableConfiguration UpdateBucketMetadataJournalTableConfiguration`),
};
