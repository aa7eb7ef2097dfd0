/**
 * What deploying takes: every IAM action that a role needs, by feature, with what it is for. The policies that
 * `crosstrail roles` prints are written from this table. The engine tests hold it against the calls that the AWS provider
 * makes: a call that no row grants fails, and so does a row that no call needs.
 * Source: https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
 */
import type { Partition } from "../accounts";
import { bucketArn, roleArn, trailArn } from "../names";

/** The account that a role is in. */
export const RoleAccount = { Audit: "audit", Member: "member" } as const;
export type RoleAccount = (typeof RoleAccount)[keyof typeof RoleAccount];

/**
 * What a role may do, each with all of the one before: `preview` reads; `deploy` creates and changes; `remove` also
 * stops and deletes trails and, in the audit account, the archive.
 */
export const RoleAccess = { Preview: "preview", Deploy: "deploy", Remove: "remove" } as const;
export type RoleAccess = (typeof RoleAccess)[keyof typeof RoleAccess];

/** What the rows' resources are named by. */
export interface RoleNames {
  partition: Partition;
  accountId: string;
  /** The Region of the archive; for a member its trail's home Region. */
  region: string;
  /** The account's trails: one, or two while one is being renamed. None: the account has no trail. */
  trailNames: string[];
  /** The archive's names, for the audit account. */
  archive?: { bucketName: string; keyAlias: string; readerNames: string[] };
}

/** A row: an action, and why it is needed. */
export interface Grant {
  action: string;
  access: RoleAccess;
  /** The ARNs that it is for. `*` only where IAM knows no resource for the action. */
  resource: (names: RoleNames) => string[];
  why: string;
  /** The API operations that need it; as a rule there is one, and it has the action's name. */
  calls?: string[];
  condition?: Record<string, Record<string, string>>;
}

export interface Feature {
  accounts: RoleAccount[];
  /** Whether these names need the feature at all. */
  needed: (names: RoleNames) => boolean;
  grants: Grant[];
}

const anything = () => ["*"];
const trails = ({ trailNames, ...place }: RoleNames) => trailNames.map((name) => trailArn({ ...place, name }));
const bucket = ({ partition, archive }: RoleNames) => [bucketArn(partition, archive?.bucketName ?? "")];
/** A key's id is not known before the key exists, so these are the account's keys in this Region. */
const keys = ({ partition, region, accountId }: RoleNames) => [`arn:${partition}:kms:${region}:${accountId}:key/*`];
const alias = ({ partition, region, accountId, archive }: RoleNames) => [
  `arn:${partition}:kms:${region}:${accountId}:alias/${archive?.keyAlias}`,
];
const readers = ({ partition, accountId, archive }: RoleNames) =>
  (archive?.readerNames ?? []).map((name) => roleArn(partition, accountId, name));

const rows = (access: RoleAccess, resource: Grant["resource"], grants: Omit<Grant, "access" | "resource">[]): Grant[] =>
  grants.map((grant) => ({ access, resource, ...grant }));
const { Preview, Deploy, Remove } = RoleAccess;

/** The table, by feature. */
export const features = {
  /** Every stack asks first whose credentials it has. */
  stack: {
    accounts: [RoleAccount.Audit, RoleAccount.Member],
    needed: () => true,
    grants: rows(Preview, anything, [
      { action: "sts:GetCallerIdentity", why: "credentials of another account are refused before anything is done" },
    ]),
  },
  /** A trail, in whatever account. */
  trail: {
    accounts: [RoleAccount.Audit, RoleAccount.Member],
    needed: ({ trailNames }) => trailNames.length > 0,
    grants: [
      ...rows(Preview, anything, [{ action: "cloudtrail:DescribeTrails", why: "reads a trail's settings" }]),
      ...rows(Preview, trails, [
        { action: "cloudtrail:GetTrailStatus", why: "reads whether the trail records" },
        { action: "cloudtrail:ListTags", why: "reads its tags" },
        { action: "cloudtrail:GetEventSelectors", why: "reads which events it records" },
        { action: "cloudtrail:GetInsightSelectors", why: "reads which insights it records" },
      ]),
      ...rows(Deploy, trails, [
        { action: "cloudtrail:CreateTrail", why: "creates the trail" },
        { action: "cloudtrail:UpdateTrail", why: "changes its settings" },
        { action: "cloudtrail:StartLogging", why: "makes it record" },
        { action: "cloudtrail:PutEventSelectors", why: "chooses which events it records" },
        { action: "cloudtrail:PutInsightSelectors", why: "chooses which insights it records" },
        { action: "cloudtrail:AddTags", why: "sets tags; a trail that is created with tags needs it as well" },
        { action: "cloudtrail:RemoveTags", why: "takes tags away" },
      ]),
      ...rows(Remove, trails, [
        { action: "cloudtrail:StopLogging", why: "crosstrail:enableLogging false stops the trail" },
        { action: "cloudtrail:DeleteTrail", why: "destroys the stack, or ends the renaming of a trail" },
      ]),
    ],
  },
  /** The archive: log bucket and key. */
  archive: {
    accounts: [RoleAccount.Audit],
    needed: ({ archive }) => archive !== undefined,
    grants: [
      // The provider reads what a bucket could have, whether it is used or not; one refusal fails the refresh.
      ...rows(Preview, bucket, [
        { action: "s3:ListBucket", calls: ["s3:HeadBucket"], why: "finds out whether the bucket exists" },
        { action: "s3:GetAccelerateConfiguration", calls: ["s3:GetBucketAccelerateConfiguration"], why: "reads it" },
        { action: "s3:GetBucketAcl", why: "reads it" },
        { action: "s3:GetBucketCORS", calls: ["s3:GetBucketCors"], why: "reads it" },
        { action: "s3:GetBucketLogging", why: "reads it" },
        { action: "s3:GetBucketObjectLockConfiguration", calls: ["s3:GetObjectLockConfiguration"], why: "reads it" },
        { action: "s3:GetBucketOwnershipControls", why: "reads who owns the objects" },
        { action: "s3:GetBucketPolicy", why: "reads the policy" },
        { action: "s3:GetBucketPublicAccessBlock", calls: ["s3:GetPublicAccessBlock"], why: "reads it" },
        { action: "s3:GetBucketRequestPayment", why: "reads it" },
        { action: "s3:GetBucketTagging", why: "reads the tags" },
        { action: "s3:GetBucketVersioning", why: "reads it" },
        { action: "s3:GetBucketWebsite", why: "reads it" },
        { action: "s3:GetEncryptionConfiguration", calls: ["s3:GetBucketEncryption"], why: "reads the default key" },
        { action: "s3:GetLifecycleConfiguration", calls: ["s3:GetBucketLifecycleConfiguration"], why: "reads it" },
        { action: "s3:GetReplicationConfiguration", calls: ["s3:GetBucketReplication"], why: "reads it" },
      ]),
      ...rows(Preview, keys, [
        { action: "kms:DescribeKey", why: "reads the key's state" },
        { action: "kms:GetKeyPolicy", why: "reads the policy" },
        { action: "kms:GetKeyRotationStatus", why: "reads the rotation" },
        { action: "kms:ListResourceTags", why: "reads the tags" },
      ]),
      ...rows(Preview, anything, [{ action: "kms:ListAliases", why: "finds the alias" }]),
      ...rows(Deploy, bucket, [
        { action: "s3:CreateBucket", why: "creates the bucket" },
        {
          action: "s3:PutBucketOwnershipControls",
          calls: ["s3:PutBucketOwnershipControls", "s3:DeleteBucketOwnershipControls"],
          why: "makes the bucket's owner own the objects",
        },
        {
          action: "s3:PutBucketPublicAccessBlock",
          calls: ["s3:PutPublicAccessBlock", "s3:DeletePublicAccessBlock"],
          why: "keeps the public out",
        },
        { action: "s3:PutBucketVersioning", why: "switches versioning on" },
        {
          action: "s3:PutEncryptionConfiguration",
          calls: ["s3:PutBucketEncryption", "s3:DeleteBucketEncryption"],
          why: "sets the default key",
        },
        { action: "s3:PutBucketPolicy", why: "writes the policy" },
        {
          action: "s3:PutBucketTagging",
          calls: ["s3:PutBucketTagging", "s3:DeleteBucketTagging"],
          why: "sets tags and takes them away",
        },
      ]),
      ...rows(Deploy, anything, [
        {
          action: "kms:CreateKey",
          why: "creates the key, of the kind that S3 takes",
          condition: { StringEquals: { "kms:KeySpec": "SYMMETRIC_DEFAULT", "kms:KeyUsage": "ENCRYPT_DECRYPT" } },
        },
      ]),
      ...rows(Deploy, keys, [
        { action: "kms:EnableKeyRotation", why: "makes it rotate, and how often" },
        { action: "kms:PutKeyPolicy", why: "writes the policy" },
        { action: "kms:TagResource", why: "sets tags; a key that is created with tags needs it as well" },
        { action: "kms:UntagResource", why: "takes tags away" },
      ]),
      ...rows(Deploy, (names) => [...alias(names), ...keys(names)], [
        { action: "kms:CreateAlias", why: "names the key; IAM asks for the alias and for the key" },
      ]),
      ...rows(Remove, bucket, [
        { action: "s3:DeleteBucket", why: "removes the bucket; S3 refuses while it holds logs" },
        { action: "s3:DeleteBucketPolicy", why: "removes the policy" },
      ]),
      ...rows(Remove, (names) => [...alias(names), ...keys(names)], [
        { action: "kms:DeleteAlias", why: "removes or renames the alias" },
      ]),
      ...rows(Remove, keys, [{ action: "kms:ScheduleKeyDeletion", why: "removes the key, in 30 days" }]),
    ],
  },
  /** Roles for other accounts that read logs. */
  readers: {
    accounts: [RoleAccount.Audit],
    needed: ({ archive }) => (archive?.readerNames.length ?? 0) > 0,
    grants: [
      ...rows(Preview, readers, [
        { action: "iam:GetRole", why: "reads the role" },
        { action: "iam:GetRolePolicy", why: "reads its permissions" },
        { action: "iam:ListRolePolicies", why: "reads whether it has others" },
        { action: "iam:ListAttachedRolePolicies", why: "reads whether it has others" },
      ]),
      // Whoever may write the policy of a role can give it anything: the names in `resource` are what holds this.
      ...rows(Deploy, readers, [
        { action: "iam:CreateRole", why: "creates the role" },
        { action: "iam:PutRolePolicy", why: "writes its permissions" },
        { action: "iam:UpdateAssumeRolePolicy", why: "changes who may assume it" },
        { action: "iam:TagRole", why: "sets tags; a role that is created with tags needs it as well" },
        { action: "iam:UntagRole", why: "takes tags away" },
        { action: "iam:DeleteRolePolicy", why: "a reader that is no longer declared goes" },
        { action: "iam:DeleteRole", why: "a reader that is no longer declared goes" },
        { action: "iam:ListInstanceProfilesForRole", why: "a role that is deleted must be in none" },
      ]),
    ],
  },
} satisfies Record<string, Feature>;

export type FeatureName = keyof typeof features;

/** The API operations that a row is for, as `service:Operation`. */
export function callsOf(grant: Grant): string[] {
  return grant.calls ?? [grant.action];
}

/** What a refusal protects, and what it refuses whatever else the role is given. */
export interface Refusal {
  sid: string;
  /** The accesses that have it. */
  accesses: RoleAccess[];
  actions: string[];
  resource: (names: RoleNames) => string[];
  condition?: Record<string, Record<string, string>>;
}

/** For roles in the audit account: deploying never needs these, and whoever attaches another policy shall not add them. */
export const refusals: Refusal[] = [
  {
    sid: "KeepArchive",
    accesses: [Preview, Deploy],
    actions: ["s3:DeleteBucket", "s3:DeleteBucketPolicy"],
    resource: bucket,
  },
  {
    sid: "KeepKey",
    accesses: [Preview, Deploy],
    actions: ["kms:DisableKey", "kms:ScheduleKeyDeletion"],
    resource: keys,
  },
  {
    sid: "LeaveLogsAlone",
    accesses: [Preview, Deploy, Remove],
    actions: [
      "s3:BypassGovernanceRetention",
      "s3:DeleteObject",
      "s3:DeleteObjectVersion",
      "s3:GetObject",
      "s3:GetObjectVersion",
      "s3:PutObject",
      "s3:PutObjectLegalHold",
      "s3:PutObjectRetention",
    ],
    resource: (names) => bucket(names).map((arn) => `${arn}/*`),
  },
  {
    // A log file is encrypted under its trail's ARN; secrets of the Pulumi state, perhaps under the same account's key, are not.
    sid: "NeverDecryptLogs",
    accesses: [Preview, Deploy, Remove],
    actions: ["kms:Decrypt"],
    resource: keys,
    condition: { Null: { "kms:EncryptionContext:aws:cloudtrail:arn": "false" } },
  },
  {
    // A key policy that its own account cannot change any more is lost to everyone but AWS Support.
    sid: "NoLockout",
    accesses: [Preview, Deploy, Remove],
    actions: ["kms:CreateKey", "kms:PutKeyPolicy"],
    resource: anything,
    condition: { Bool: { "kms:BypassPolicyLockoutSafetyCheck": "true" } },
  },
];
