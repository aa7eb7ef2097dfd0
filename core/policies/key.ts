/**
 * The key policy of the archive's KMS key: who administers it, which trails encrypt with it, who decrypts.
 * Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html
 */
import type { Partition } from "../accounts";
import type { TrailIdentity } from "../names";
import { accountRootArn, trailArn, trailsOfAccount } from "../names";
import type { PolicyDocument, Statement } from "./document";
import { list, policyDocument } from "./document";
import type { FormChoice } from "./forms";
import { chooseForm } from "./forms";

/**
 * The ways to write the key policy for many accounts, tightest first.
 * - `trailList`: the list of trails, and of their accounts in the encryption context.
 * - `encryptionContext`: the accounts in the encryption context only; any trail of a listed account may encrypt.
 */
export const KeyPolicyForm = {
  TrailList: "trailList",
  EncryptionContext: "encryptionContext",
} as const;
export type KeyPolicyForm = (typeof KeyPolicyForm)[keyof typeof KeyPolicyForm];

/** KMS's limit for a key policy in bytes. https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html */
export const keyPolicyLimit = 32768;

export interface KeyPolicyInput {
  partition: Partition;
  /** The account that owns the key. */
  auditAccountId: string;
  /** The trails that may encrypt with the key. */
  trails: TrailIdentity[];
  /** Whether the log bucket uses S3 Bucket Keys: CloudTrail then also decrypts, when a trail is created or updated. */
  bucketKeyEnabled?: boolean;
  /** Other accounts that may decrypt their own logs, as far as their own IAM policies let them. */
  memberReaders?: string[];
}

/** The tightest key policy that fits, or the demanded form; throws a UserError when it does not fit. */
export function keyPolicy(input: KeyPolicyInput, demanded?: KeyPolicyForm): FormChoice<KeyPolicyForm> {
  return chooseForm({
    what: "key policy",
    key: "crosstrail:keyPolicyForm",
    limit: keyPolicyLimit,
    forms: Object.values(KeyPolicyForm),
    demanded,
    build: (form) => keyPolicyIn(form, input),
    count: input.trails.length,
  });
}

/**
 * What the account may do with the key through its IAM policies: administer it, not use it. Listed, because `kms:*`
 * would let every administrator of the account decrypt logs without going through the statement for readers.
 */
const administration = [
  "kms:CancelKeyDeletion",
  "kms:CreateAlias",
  "kms:DeleteAlias",
  "kms:DescribeKey",
  "kms:DisableKey",
  "kms:DisableKeyRotation",
  "kms:EnableKey",
  "kms:EnableKeyRotation",
  "kms:GetKeyPolicy",
  "kms:GetKeyRotationStatus",
  "kms:ListGrants",
  "kms:ListKeyPolicies",
  "kms:ListKeyRotations",
  "kms:ListResourceTags",
  "kms:PutKeyPolicy",
  "kms:ReplicateKey",
  "kms:RevokeGrant",
  "kms:RotateKeyOnDemand",
  "kms:ScheduleKeyDeletion",
  "kms:TagResource",
  "kms:UntagResource",
  "kms:UpdateAlias",
  "kms:UpdateKeyDescription",
  "kms:UpdatePrimaryRegion",
];

/** The account administers a key, through its IAM policies. */
export function accountAdministration(partition: Partition, accountId: string): Statement {
  return {
    Sid: "AccountAdministration",
    Effect: "Allow",
    Principal: { AWS: accountRootArn(partition, accountId) },
    Action: administration,
    Resource: "*",
  };
}

/** The key policy in one form, whatever its size. */
export function keyPolicyIn(
  form: KeyPolicyForm,
  { partition, auditAccountId, trails, bucketKeyEnabled, memberReaders = [] }: KeyPolicyInput,
): PolicyDocument {
  const account = { AWS: accountRootArn(partition, auditAccountId) };
  const arns = list(trails.map(trailArn));
  const contexts = list(trails.map(({ accountId }) => trailsOfAccount(partition, accountId)));
  const bySource = { StringEquals: { "aws:SourceArn": arns } };
  const byContext = { StringLike: { "kms:EncryptionContext:aws:cloudtrail:arn": contexts } };
  const cloudTrail = { Service: "cloudtrail.amazonaws.com" };
  const bySourceOfForm =
    form === "trailList"
      ? bySource
      : {
          ArnLike: {
            "aws:SourceArn": list(trails.map(({ name }) => trailArn({ partition, region: "*", accountId: "*", name }))),
          },
        };

  const grants: Statement[] = [
    {
      Sid: "CloudTrailEncrypt",
      Effect: "Allow",
      Principal: cloudTrail,
      Action: "kms:GenerateDataKey*",
      Resource: "*",
      Condition: form === "trailList" ? { ...bySource, ...byContext } : byContext,
    },
    {
      Sid: "CloudTrailDescribeKey",
      Effect: "Allow",
      Principal: cloudTrail,
      Action: "kms:DescribeKey",
      Resource: "*",
      Condition: bySourceOfForm,
    },
  ];
  if (bucketKeyEnabled) {
    grants.push({
      Sid: "CloudTrailDecrypt",
      Effect: "Allow",
      Principal: cloudTrail,
      Action: "kms:Decrypt",
      Resource: "*",
      // Tied to the trails only: AWS says nowhere which encryption context this request carries, and with an S3 Bucket
      // Key it is not the one of a log file.
      Condition: bySourceOfForm,
    });
  }
  return policyDocument([
    accountAdministration(partition, auditAccountId),
    ...(trails.length > 0 ? grants : []),
    {
      Sid: "AccountReadsLogs",
      Effect: "Allow",
      Principal: account,
      Action: "kms:Decrypt",
      Resource: "*",
      // Only what CloudTrail encrypted: a log file carries its trail's ARN as encryption context.
      Condition: { Null: { "kms:EncryptionContext:aws:cloudtrail:arn": "false" } },
    },
    ...(memberReaders.length > 0 ? [membersDecrypt(partition, memberReaders)] : []),
  ]);
}

/**
 * Each of the accounts decrypts its own logs: what was encrypted for a trail of the account of the one who asks. The roots
 * as principals say what `kms:CallerAccount` with principal "*" says in AWS's default policy; there, the value is often the
 * key's own account, and grants nothing across accounts.
 */
function membersDecrypt(partition: Partition, accountIds: string[]): Statement {
  return {
    Sid: "MembersDecryptOwnLogs",
    Effect: "Allow",
    Principal: { AWS: list(accountIds.map((accountId) => accountRootArn(partition, accountId))) },
    Action: "kms:Decrypt",
    Resource: "*",
    Condition: {
      StringLike: {
        "kms:EncryptionContext:aws:cloudtrail:arn": trailsOfAccount(partition, "${aws:PrincipalAccount}"),
      },
    },
  };
}
