/**
 * The key policy of the archive's KMS key: who administers it, which trails encrypt with it, who decrypts.
 * Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html
 */
import type { Partition } from "../accounts";
import type { TrailIdentity } from "../names";
import { accountRootArn, bucketArn, trailArn, trailsOfAccount } from "../names";
import { ownLogFolders } from "./bucket";
import type { OneOrMany, PolicyDocument, Statement } from "./document";
import { list, policyDocument } from "./document";
import type { FormChoice } from "./forms";
import { chooseForm } from "./forms";
import { byRole } from "./guard";
import type { PolicyOptions } from "./options";
import type { KeyReplication } from "./replication";
import { replicationStatements } from "./replication";
import type { OrganizationGrant } from "./organization";
import { divided } from "./organization";

/**
 * The ways to write the key policy for many accounts, tightest first.
 * - `trailList`: the list of trails, and of their accounts in the encryption context.
 * - `encryptionContext`: the accounts in the encryption context only; any trail of a listed account may encrypt.
 * - `organization`: any trail of the right name of any account of the organization; others are named. Only where an
 *   organization is declared.
 */
export const KeyPolicyForm = {
  TrailList: "trailList",
  EncryptionContext: "encryptionContext",
  Organization: "organization",
} as const;
export type KeyPolicyForm = (typeof KeyPolicyForm)[keyof typeof KeyPolicyForm];

/** KMS's limit for a key policy in bytes. https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html */
export const keyPolicyLimit = 32768;

export interface KeyPolicyInput extends PolicyOptions {
  partition: Partition;
  /** The account that owns the key. */
  auditAccountId: string;
  /** The trails that may encrypt with the key, each with its account's encryption context. */
  trails: TrailIdentity[];
  /** The organization whose trail delivers to the archive, or whose members do. */
  organization?: OrganizationGrant;
  /** Whether trails may encrypt with the key at all. False for a former key: its logs stay readable. Default: true. */
  mayEncrypt?: boolean;
  /** What S3 replication of the archive does with this key, if it is on. */
  replication?: KeyReplication;
  /** The archive's bucket, and where the logs lie in it: restricts what members decrypt of an organization trail's logs. */
  bucketName?: string;
  logPrefix?: string;
  previousLogPrefix?: string;
}

/** The tightest key policy that fits, or the demanded form; throws a UserError when it does not fit. */
export function keyPolicy(input: KeyPolicyInput, demanded?: KeyPolicyForm): FormChoice<KeyPolicyForm> {
  return chooseForm({
    what: "key policy",
    key: "crosstrail:keyPolicyForm",
    limit: keyPolicyLimit,
    forms: keyPolicyForms(input),
    demanded,
    build: (form) => keyPolicyIn(form, input),
    trails: input.trails,
  });
}

/** The forms that are possible for these trails, tightest first. */
export function keyPolicyForms({ trails, organization }: KeyPolicyInput): KeyPolicyForm[] {
  const { covered } = divided(trails, organization);
  return Object.values(KeyPolicyForm).filter((form) => form !== "organization" || covered.length > 0);
}

/** What shows a key's settings, and changes nothing. */
const keyReads = [
  "kms:DescribeKey",
  "kms:GetKeyPolicy",
  "kms:GetKeyRotationStatus",
  "kms:ListGrants",
  "kms:ListKeyPolicies",
  "kms:ListKeyRotations",
  "kms:ListResourceTags",
];

/**
 * What the account may do with the key through its IAM policies: administer it, not use it. Listed, because `kms:*`
 * would let every administrator of the account decrypt logs without going through the statement for readers.
 */
export const keyWrites = [
  "kms:CancelKeyDeletion",
  "kms:CreateAlias",
  "kms:DeleteAlias",
  "kms:DisableKey",
  "kms:DisableKeyRotation",
  "kms:EnableKey",
  "kms:EnableKeyRotation",
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
    Action: list([...keyReads, ...keyWrites]),
    Resource: "*",
  };
}

/** The same where some roles of the account alone do: anybody else of it sees the key's settings, so that a preview can be made. */
function breakGlassAdministration(partition: Partition, accountId: string, breakGlassRoleArns: string[]): Statement[] {
  const all = accountAdministration(partition, accountId);
  return [
    { ...all, Action: list(keyWrites), Condition: byRole(breakGlassRoleArns) },
    { ...all, Sid: "AccountReadsKey", Action: list(keyReads) },
  ];
}

/** Days that a key is kept at least after its deletion was asked for: the longest that AWS has. */
export const deletionWindowInDays = 30;

/**
 * Nobody has the key deleted sooner: without it every log is ciphertext forever, whatever locks the objects. A request that names
 * no time gets the longest.
 * https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-schedule-key-deletion-pending-window-in-days
 */
function denyShortDeletion(): Statement {
  return {
    Sid: "DenyShortDeletion",
    Effect: "Deny",
    Principal: "*",
    Action: "kms:ScheduleKeyDeletion",
    Resource: "*",
    Condition: { NumericLessThan: { "kms:ScheduleKeyDeletionPendingWindowInDays": String(deletionWindowInDays) } },
  };
}

/** Sids of the statements by which the owner of a key administers it, and guards it. */
export const ownerSids = ["AccountAdministration", "AccountReadsKey", "DenyShortDeletion"];

/** The key policy in one form, whatever its size. */
export function keyPolicyIn(form: KeyPolicyForm, input: KeyPolicyInput): PolicyDocument {
  const {
    partition,
    auditAccountId,
    organization,
    mayEncrypt = true,
    memberReaders = [],
    breakGlassRoleArns = [],
  } = input;
  const account = { AWS: accountRootArn(partition, auditAccountId) };
  // To the key an organization trail is a trail of the management account: its ARN is the encryption context of all logs.
  const trails = [...input.trails, ...(organization?.trails ?? [])];
  return policyDocument([
    ...(breakGlassRoleArns.length > 0
      ? breakGlassAdministration(partition, auditAccountId, breakGlassRoleArns)
      : [accountAdministration(partition, auditAccountId)]),
    ...(trails.length > 0 && mayEncrypt ? trailGrants(form, trails, input) : []),
    {
      Sid: "AccountReadsLogs",
      Effect: "Allow",
      Principal: account,
      Action: "kms:Decrypt",
      Resource: "*",
      // Only what CloudTrail encrypted: a log file carries its trail's ARN as encryption context.
      Condition: { Null: { "kms:EncryptionContext:aws:cloudtrail:arn": "false" } },
    },
    ...membersDecrypt(input, memberReaders),
    ...(input.replication
      ? replicationStatements(partition, auditAccountId, input.replication, input.bucketKeyEnabled)
      : []),
    denyShortDeletion(),
  ]);
}

type Condition = Record<string, Record<string, OneOrMany>>;

/** What CloudTrail may do for the trails. */
function trailGrants(form: KeyPolicyForm, trails: TrailIdentity[], input: KeyPolicyInput): Statement[] {
  const { partition, organization, bucketKeyEnabled } = input;
  const context = "kms:EncryptionContext:aws:cloudtrail:arn";
  const byArn = (of: TrailIdentity[]): Condition => ({ StringEquals: { "aws:SourceArn": list(of.map(trailArn)) } });
  const byContext = (of: TrailIdentity[]): Condition => ({
    StringLike: { [context]: list(of.map(({ accountId }) => trailsOfAccount(partition, accountId))) },
  });
  const names = (of: TrailIdentity[]) =>
    list(of.map(({ name }) => trailArn({ partition, region: "*", accountId: "*", name })));
  const grants = (subject: string, encrypt: Condition, describe: Condition): Statement[] => {
    const grant = (what: string, action: string, condition: Condition): Statement => ({
      Sid: `${subject}${what}`,
      Effect: "Allow",
      Principal: { Service: "cloudtrail.amazonaws.com" },
      Action: action,
      Resource: "*",
      Condition: condition,
    });
    return [
      grant("Encrypt", "kms:GenerateDataKey*", encrypt),
      grant("DescribeKey", "kms:DescribeKey", describe),
      // Restricted to the trails only: AWS says nowhere which encryption context this request carries, and with an S3 Bucket
      // Key it is not the one of a log file.
      ...(bucketKeyEnabled ? [grant("Decrypt", "kms:Decrypt", describe)] : []),
    ];
  };
  switch (form) {
    case "trailList":
      return grants("CloudTrail", { ...byArn(trails), ...byContext(trails) }, byArn(trails));
    case "encryptionContext":
      return grants("CloudTrail", byContext(trails), { ArnLike: { "aws:SourceArn": names(trails) } });
    case "organization": {
      const { covered, named } = divided(trails, organization);
      const byOrganization: Condition = {
        ArnLike: { "aws:SourceArn": names(covered) },
        StringEquals: { "aws:SourceOrgID": organization?.id ?? "" },
      };
      return [
        ...grants("CloudTrail", { ...byOrganization, StringLike: { [context]: names(covered) } }, byOrganization),
        ...(named.length > 0 ? grants("NamedTrails", { ...byArn(named), ...byContext(named) }, byArn(named)) : []),
      ];
    }
  }
}

/**
 * Each of the accounts decrypts its own logs: what was encrypted for a trail of the account of the one who asks. The roots
 * as principals say what `kms:CallerAccount` with principal "*" says in AWS's default policy; there, the value is often the
 * key's own account, and grants nothing across accounts.
 *
 * All logs of an organization trail carry the same trail's ARN, so there the log file's own place restricts them to the account.
 * Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/how-kms-works-with-cloudtrail.html
 */
function membersDecrypt(input: KeyPolicyInput, accountIds: string[]): Statement[] {
  const { partition, organization, bucketName, logPrefix, previousLogPrefix, bucketKeyEnabled } = input;
  const organizationTrails = organization?.trails ?? [];
  const statement = (sid: string, accounts: string[], condition: Condition): Statement[] =>
    accounts.length === 0
      ? []
      : [
          {
            Sid: sid,
            Effect: "Allow",
            Principal: { AWS: list(accounts.map((accountId) => accountRootArn(partition, accountId))) },
            Action: "kms:Decrypt",
            Resource: "*",
            Condition: condition,
          },
        ];
  // The organization trail is the management account's own: by its ARN alone it could decrypt every account's logs.
  const owners = new Set(organizationTrails.map(({ accountId }) => accountId));
  const own = statement(
    "MembersDecryptOwnLogs",
    accountIds.filter((accountId) => !owners.has(accountId)),
    {
      StringLike: {
        "kms:EncryptionContext:aws:cloudtrail:arn": trailsOfAccount(partition, "${aws:PrincipalAccount}"),
      },
    },
  );
  if (organizationTrails.length === 0 || organization === undefined || bucketName === undefined) return own;
  const bucket = bucketArn(partition, bucketName);
  const folders = [logPrefix ?? "", previousLogPrefix ?? logPrefix ?? ""].flatMap((prefix) =>
    ownLogFolders(prefix, organization.id),
  );
  return [
    ...own,
    ...statement("MembersDecryptOrganizationLogs", accountIds, {
      StringEquals: { "kms:EncryptionContext:aws:cloudtrail:arn": list(organizationTrails.map(trailArn)) },
      StringLike: {
        "kms:EncryptionContext:aws:s3:arn": list([
          ...folders.map((folder) => `${bucket}/${folder}`),
          // With an S3 Bucket Key, S3 says the bucket instead of the object; the bucket policy still restricts the path.
          ...(bucketKeyEnabled ? [bucket] : []),
        ]),
      },
    }),
  ];
}
