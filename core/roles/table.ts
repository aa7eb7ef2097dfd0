/**
 * What deploying takes: every IAM action that a role needs, by feature, with what it is for. The policies that
 * `crosstrail roles` prints are written from this table. The engine tests hold it against the calls that the AWS provider and
 * Crosstrail itself make: a call that no row grants fails, and so does a row that no call needs.
 * Source: https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
 */
import { serviceLinkedRoleName, cloudTrailPrincipal } from "../organizationPrerequisites";
import { stackTag } from "../fleet";
import { trailsOfAccount } from "../names";
import type { OneOrMany } from "../policies/document";
import { list } from "../policies/document";
import type { RoleNames } from "./names";
import {
  aliases,
  anything,
  boundaries,
  buckets,
  controlPolicies,
  delegatedAccount,
  eventDataStores,
  everyLogGroup,
  expiringBuckets,
  guardedAccounts,
  keys,
  logBucket,
  logObjects,
  logGroupArns,
  logGroupRoles,
  objects,
  ownRoles,
  primaryKeys,
  queueArns,
  replicationRole,
  serviceLinkedRole,
  topicArns,
  trailArns,
} from "./names";

/** The account that a role is in. */
export const RoleAccount = { Audit: "audit", Member: "member", Management: "management" } as const;
export type RoleAccount = (typeof RoleAccount)[keyof typeof RoleAccount];

/**
 * What a role may do, each with all of the one before: `preview` reads; `deploy` creates and changes; `remove` also
 * stops and deletes trails and what they deliver to and, in the audit account, the archive. `verify` stands apart: it reads every log of the
 * archive, which no role that deploys may do, and nothing else.
 */
export const RoleAccess = { Preview: "preview", Deploy: "deploy", Remove: "remove", Verify: "verify" } as const;
export type RoleAccess = (typeof RoleAccess)[keyof typeof RoleAccess];

export type RoleCondition = Record<string, Record<string, OneOrMany>>;

/** A row: an action, and why it is needed. */
export interface Grant {
  action: string;
  access: RoleAccess;
  /** The ARNs that it is for; none where it is not needed. `*` only where IAM knows no resource for the action. */
  resource: (names: RoleNames) => string[];
  why: string;
  /** The API operations that need it; as a rule there is one, and it has the action's name. */
  calls?: string[];
  /** The parameter with which these operations need it. Without it they do not. */
  with?: string;
  condition?: (names: RoleNames) => RoleCondition;
}

export interface Feature {
  /** What it is, for people. */
  title: string;
  accounts: RoleAccount[];
  /** Whether these names need the feature at all. */
  needed: (names: RoleNames) => boolean;
  grants: Grant[];
}

type Row = Omit<Grant, "access" | "resource">;

const rows = (access: RoleAccess, resource: Grant["resource"], grants: Row[]): Grant[] =>
  grants.map((grant) => ({ access, resource, ...grant }));
const { Preview, Deploy, Remove, Verify } = RoleAccess;
const { Audit, Member, Management } = RoleAccount;
const everyAccount = [Audit, Member, Management];

const inAudit = ({ archive }: RoleNames) => archive !== undefined;
const hasKeys = ({ archive, deliveryKeys }: RoleNames) => archive !== undefined || deliveryKeys;

const passedTo = (service: string) => () => ({ StringEquals: { "iam:PassedToService": service } });

/**
 * A key that Crosstrail's stacks made carries their tag; keys have no names that a policy could know before they are made.
 * Anyone who may set that tag on a key can make it one of Crosstrail's, so it is set on new keys, which have no alias yet. IAM
 * cannot tell a new key from an old one without an alias: docs/roles.md says so.
 */
const resourceTag = `aws:ResourceTag/${stackTag}`;
const requestTag = `aws:RequestTag/${stackTag}`;
const ownKey = () => ({ Null: { [resourceTag]: "false" } });
const newKey = () => ({ Null: { [requestTag]: "false", "kms:ResourceAliases": "true" } });
/** A role with this boundary can do no more than the boundary says, whatever its policies allow. */
const withBoundary = (names: RoleNames) => ({ StringEquals: { "iam:PermissionsBoundary": list(boundaries(names)) } });
/** A control policy that the stack made; as keys, policies have no names that could be known before. */
const ownPolicy = ownKey;
const newPolicy = () => ({ Null: { [requestTag]: "false" } });
const forCloudTrail = () => ({ StringEquals: { "organizations:ServicePrincipal": cloudTrailPrincipal } });

/** CloudTrail's roles in the management account; the second one is for its delegated administrator. */
const cloudTrailRole: [string, string] = [cloudTrailPrincipal, serviceLinkedRoleName];
const eventContext = "context.cloudtrail.amazonaws.com";
const eventContextRole: [string, string] = [eventContext, "AWSServiceRoleForCloudTrailEventContext"];
const cloudTrailRoles = serviceLinkedRole(cloudTrailRole, eventContextRole);

/** An object that CloudTrail delivered is encrypted under its trail's ARN. */
const trailContext = "kms:EncryptionContext:aws:cloudtrail:arn";

/** What `crosstrail verify` reads. Not among the features: no stack needs it, and no role that deploys has it. */
export const verifying: Feature = {
  title: "crosstrail verify, which reads every digest and log file; roles that deploy may not",
  accounts: [Audit],
  needed: inAudit,
  grants: [
    ...rows(Verify, logBucket, [
      { action: "s3:ListBucket", calls: ["s3:ListObjectsV2"], why: "finds accounts, Regions, digests and log files" },
      {
        action: "s3:ListBucketVersions",
        calls: ["s3:ListObjectVersions"],
        why: "tells a deleted file from one that never existed",
      },
      {
        action: "s3:GetLifecycleConfiguration",
        calls: ["s3:GetBucketLifecycleConfiguration"],
        why: "tells an expired file from a deleted one",
      },
    ]),
    ...rows(Verify, logObjects, [
      { action: "s3:GetObject", why: "reads digests and log files" },
      {
        action: "s3:GetObjectVersion",
        calls: ["s3:GetObject"],
        with: "VersionId",
        why: "reads what a deletion left",
      },
    ]),
    ...rows(Verify, keys, [
      {
        action: "kms:Decrypt",
        calls: [],
        why: "S3 decrypts what CloudTrail encrypted",
        condition: ({ partition }) => ({ StringLike: { [trailContext]: trailsOfAccount(partition, "*") } }),
      },
    ]),
    ...rows(Verify, anything, [
      { action: "cloudtrail:ListPublicKeys", why: "gets the keys that digests are signed with" },
    ]),
  ],
};

/** The table, by feature. */
export const features = {
  stack: {
    title: "every stack asks first whose credentials it has",
    accounts: everyAccount,
    needed: () => true,
    grants: rows(Preview, anything, [
      { action: "sts:GetCallerIdentity", why: "credentials of another account are refused before anything is done" },
    ]),
  },
  trail: {
    title: "a trail, in whatever account",
    accounts: everyAccount,
    needed: ({ trails }) => trails.length > 0,
    grants: [
      ...rows(Preview, anything, [{ action: "cloudtrail:DescribeTrails", why: "reads a trail's settings" }]),
      ...rows(Preview, trailArns, [
        { action: "cloudtrail:GetTrailStatus", why: "reads whether the trail records" },
        { action: "cloudtrail:ListTags", why: "reads its tags" },
        { action: "cloudtrail:GetEventSelectors", why: "reads which events it records" },
        { action: "cloudtrail:GetInsightSelectors", why: "reads which insights it records" },
      ]),
      ...rows(Deploy, trailArns, [
        { action: "cloudtrail:CreateTrail", why: "creates the trail" },
        { action: "cloudtrail:UpdateTrail", why: "changes its settings" },
        { action: "cloudtrail:StartLogging", why: "makes it record" },
        { action: "cloudtrail:PutEventSelectors", why: "chooses which events it records" },
        { action: "cloudtrail:PutInsightSelectors", why: "chooses which insights it records" },
        { action: "cloudtrail:AddTags", why: "sets tags; a trail that is created with tags needs it as well" },
        { action: "cloudtrail:RemoveTags", why: "takes tags away" },
      ]),
      ...rows(Remove, trailArns, [
        { action: "cloudtrail:StopLogging", why: "crosstrail:enableLogging false stops the trail" },
        { action: "cloudtrail:DeleteTrail", why: "destroys the stack, or ends the renaming of a trail" },
      ]),
    ],
  },
  readBack: {
    title: "crosstrail up and status read trails back; what an interrupted run had begun is looked up",
    accounts: everyAccount,
    needed: ({ trails }) => trails.length > 0,
    grants: rows(Preview, trailArns, [
      { action: "cloudtrail:GetTrail", why: "reads the trail's settings, and whether there is one" },
    ]),
  },
  key: {
    title: "KMS keys: the archive's with its replicas, and those of log groups, topics and event data stores",
    accounts: everyAccount,
    needed: hasKeys,
    grants: [
      ...rows(Preview, keys, [
        { action: "kms:DescribeKey", why: "reads the key's state" },
        { action: "kms:GetKeyPolicy", why: "reads the policy" },
        { action: "kms:GetKeyRotationStatus", why: "reads the rotation" },
        { action: "kms:ListResourceTags", why: "reads the tags" },
      ]),
      ...rows(Deploy, anything, [
        {
          action: "kms:CreateKey",
          why: "creates the key, of the kind that S3 takes",
          condition: () => ({
            StringEquals: { "kms:KeySpec": "SYMMETRIC_DEFAULT", "kms:KeyUsage": "ENCRYPT_DECRYPT" },
            Null: { [requestTag]: "false" },
          }),
        },
      ]),
      ...rows(Deploy, keys, [
        // Right after the key was made: AWS says that a new tag may take minutes until conditions see it.
        { action: "kms:EnableKeyRotation", why: "makes it rotate, and how often" },
        {
          action: "kms:TagResource",
          calls: ["kms:CreateKey"],
          condition: newKey,
          why: "a new key gets the tag crosstrail:stack, by which it is known",
        },
        { action: "kms:PutKeyPolicy", condition: ownKey, why: "writes the policy" },
        { action: "kms:TagResource", condition: ownKey, why: "sets tags" },
        { action: "kms:UntagResource", condition: ownKey, why: "takes tags away" },
      ]),
      ...rows(Remove, keys, [
        {
          action: "kms:ScheduleKeyDeletion",
          why: "removes the key, in 30 days",
          condition: () => ({
            ...ownKey(),
            NumericGreaterThanEquals: { "kms:ScheduleKeyDeletionPendingWindowInDays": "30" },
          }),
        },
      ]),
    ],
  },
  archive: {
    title: "the archive: the log bucket, with those for copies and access logs, and the key's alias",
    accounts: [Audit],
    needed: ({ archive }) => archive !== undefined,
    grants: [
      // The provider reads what a bucket could have, whether it is used or not; one refusal fails the refresh.
      ...rows(Preview, buckets, [
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
      ...rows(Preview, anything, [{ action: "kms:ListAliases", why: "finds the alias" }]),
      ...rows(Deploy, buckets, [
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
      ...rows(Deploy, (names) => [...aliases(names), ...primaryKeys(names)], [
        { action: "kms:CreateAlias", why: "names the key; IAM asks for the alias and for the key" },
      ]),
      ...rows(Remove, buckets, [
        { action: "s3:DeleteBucket", why: "removes the bucket; S3 refuses while it holds logs" },
        { action: "s3:DeleteBucketPolicy", why: "removes the policy" },
      ]),
      ...rows(Remove, (names) => [...aliases(names), ...primaryKeys(names)], [
        { action: "kms:DeleteAlias", why: "removes or renames the alias" },
      ]),
    ],
  },
  interrupted: {
    title: "what an interrupted run had begun to create, and cannot be found by a name",
    accounts: everyAccount,
    needed: hasKeys,
    grants: [
      ...rows(Preview, anything, [
        { action: "kms:ListKeys", why: "finds a key by its tag, or what else it was made with" },
      ]),
      ...rows(Preview, ({ archive }) => (archive?.eventDataStore ? ["*"] : []), [
        { action: "cloudtrail:ListEventDataStores", why: "finds an event data store by its name" },
      ]),
    ],
  },
  role: {
    title: "IAM roles: of readers, of S3 that replicates, of CloudTrail that writes to a log group",
    accounts: everyAccount,
    needed: (names) => ownRoles(names).length > 0,
    grants: [
      ...rows(Preview, ownRoles, [
        { action: "iam:GetRole", why: "reads the role" },
        { action: "iam:GetRolePolicy", why: "reads its permissions" },
        { action: "iam:ListRolePolicies", why: "reads whether it has others" },
        { action: "iam:ListAttachedRolePolicies", why: "reads whether it has others" },
      ]),
      // Anyone who may write the policy of a role can give it anything, up to what its boundary allows.
      ...rows(Deploy, ownRoles, [
        { action: "iam:CreateRole", condition: withBoundary, why: "creates the role, with its permissions boundary" },
        {
          action: "iam:PutRolePermissionsBoundary",
          condition: withBoundary,
          why: "gives the boundary to a role that was made without it",
        },
        { action: "iam:PutRolePolicy", condition: withBoundary, why: "writes its permissions" },
        { action: "iam:UpdateAssumeRolePolicy", condition: withBoundary, why: "changes who may assume it" },
        { action: "iam:TagRole", why: "sets tags; a role that is created with tags needs it as well" },
        { action: "iam:UntagRole", why: "takes tags away" },
        { action: "iam:DeleteRolePolicy", why: "a role that is no longer declared goes" },
        { action: "iam:DeleteRole", why: "a role that is no longer declared goes" },
        { action: "iam:ListInstanceProfilesForRole", why: "a role that is deleted must be in none" },
      ]),
    ],
  },
  logGroup: {
    title: "crosstrail:cloudWatchLogs, the log group of a trail; it stays when the stack goes",
    accounts: everyAccount,
    needed: ({ logGroups }) => logGroups.length > 0,
    grants: [
      ...rows(Preview, everyLogGroup, [{ action: "logs:DescribeLogGroups", why: "reads the group" }]),
      ...rows(Preview, logGroupArns, [{ action: "logs:ListTagsForResource", why: "reads its tags" }]),
      ...rows(Deploy, logGroupArns, [
        { action: "logs:CreateLogGroup", why: "creates the group" },
        { action: "logs:PutRetentionPolicy", why: "says how long it keeps entries" },
        { action: "logs:AssociateKmsKey", why: "gives it a key of its own, later on" },
        { action: "logs:DisassociateKmsKey", why: "takes the key away" },
        { action: "logs:TagResource", why: "sets tags; a group that is created with tags needs it as well" },
        { action: "logs:UntagResource", why: "takes tags away" },
      ]),
      ...rows(Deploy, logGroupRoles, [
        {
          action: "iam:PassRole",
          calls: ["cloudtrail:CreateTrail", "cloudtrail:UpdateTrail"],
          with: "CloudWatchLogsRoleArn",
          condition: passedTo(cloudTrailPrincipal),
          why: "lets CloudTrail write to the group by its role",
        },
      ]),
    ],
  },
  topic: {
    title: "crosstrail:sns, the topic of a trail",
    accounts: everyAccount,
    needed: ({ topics }) => topics.length > 0,
    grants: [
      ...rows(Preview, topicArns, [
        { action: "sns:GetTopicAttributes", why: "reads the topic and its policy" },
        { action: "sns:ListTagsForResource", why: "reads its tags" },
      ]),
      ...rows(Deploy, topicArns, [
        { action: "sns:CreateTopic", why: "creates the topic" },
        { action: "sns:SetTopicAttributes", why: "writes its policy and chooses its key" },
        { action: "sns:TagResource", why: "sets tags; a topic that is created with tags needs it as well" },
        { action: "sns:UntagResource", why: "takes tags away" },
      ]),
      ...rows(Remove, topicArns, [{ action: "sns:DeleteTopic", why: "removes the topic with its subscriptions" }]),
    ],
  },
  objectLock: {
    title: "crosstrail:objectLock",
    accounts: [Audit],
    needed: ({ archive }) => archive?.objectLock === true,
    grants: rows(Deploy, logBucket, [
      {
        action: "s3:PutBucketObjectLockConfiguration",
        calls: ["s3:PutObjectLockConfiguration"],
        why: "switches the lock on, and says how long it holds",
      },
    ]),
  },
  lifecycle: {
    title: "crosstrail:retention, and the end of access logs",
    accounts: [Audit],
    needed: (names) => expiringBuckets(names).length > 0,
    grants: rows(Deploy, expiringBuckets, [
      {
        action: "s3:PutLifecycleConfiguration",
        calls: ["s3:PutBucketLifecycleConfiguration", "s3:DeleteBucketLifecycle"],
        why: "says when logs are deleted, and no longer says so",
      },
    ]),
  },
  accessLogs: {
    title: "crosstrail:accessLogBucket",
    accounts: [Audit],
    needed: ({ archive }) => archive?.accessLogBucket !== undefined,
    grants: rows(Deploy, logBucket, [{ action: "s3:PutBucketLogging", why: "switches access logs on and off" }]),
  },
  notifications: {
    title: "crosstrail:notifications",
    accounts: [Audit],
    needed: ({ archive }) => archive?.notifications === true,
    grants: [
      ...rows(Preview, logBucket, [
        { action: "s3:GetBucketNotification", calls: ["s3:GetBucketNotificationConfiguration"], why: "reads them" },
      ]),
      ...rows(Deploy, logBucket, [
        {
          action: "s3:PutBucketNotification",
          calls: ["s3:PutBucketNotificationConfiguration"],
          why: "switches them on and off",
        },
      ]),
    ],
  },
  queue: {
    title: "crosstrail:notifications sqs, the queue",
    accounts: [Audit],
    needed: (names) => queueArns(names).length > 0,
    grants: [
      ...rows(Preview, queueArns, [
        { action: "sqs:GetQueueAttributes", why: "reads the queue and its policy" },
        { action: "sqs:ListQueueTags", why: "reads its tags" },
      ]),
      ...rows(Deploy, queueArns, [
        { action: "sqs:CreateQueue", why: "creates the queue" },
        { action: "sqs:SetQueueAttributes", why: "writes its policy" },
        { action: "sqs:TagQueue", why: "sets tags; a queue that is created with tags needs it as well" },
        { action: "sqs:UntagQueue", why: "takes tags away" },
      ]),
      ...rows(Remove, queueArns, [{ action: "sqs:DeleteQueue", why: "removes the queue with the messages in it" }]),
    ],
  },
  breakGlass: {
    title: "crosstrail:breakGlassRoles",
    accounts: [Audit],
    needed: ({ archive }) => (archive?.breakGlassRoleArns.length ?? 0) > 0,
    grants: rows(Preview, ({ archive }) => archive?.breakGlassRoleArns ?? [], [
      { action: "iam:GetRole", why: "a role that does not exist would lock the archive" },
    ]),
  },
  mfaDelete: {
    title: "crosstrail:mfaDelete, for crosstrail mfa-delete",
    accounts: [Audit],
    needed: ({ archive }) => archive?.mfaDelete === true,
    grants: rows(Preview, anything, [
      { action: "iam:GetAccountSummary", why: "whether the root user has an MFA device" },
      { action: "iam:ListVirtualMFADevices", why: "which one it is" },
    ]),
  },
  forceDestroy: {
    title: "crosstrail:forceDestroy, for tests",
    accounts: [Audit],
    needed: ({ archive }) => archive?.forceDestroy === true,
    grants: [
      ...rows(Remove, logBucket, [
        { action: "s3:ListBucketVersions", calls: ["s3:ListObjectVersions"], why: "finds the logs, to delete them" },
      ]),
      ...rows(Remove, objects, [
        { action: "s3:DeleteObject", calls: ["s3:DeleteObjects"], why: "deletes logs" },
        { action: "s3:DeleteObjectVersion", calls: ["s3:DeleteObjects"], why: "deletes their versions" },
      ]),
    ],
  },
  keyReplica: {
    title: "crosstrail:keyReplicaRegions, and replication to another Region",
    accounts: [Audit],
    needed: ({ archive }) => (archive?.replicaRegions.length ?? 0) > 0,
    grants: [
      ...rows(Deploy, primaryKeys, [
        {
          action: "kms:ReplicateKey",
          condition: ({ archive }) => ({
            ...ownKey(),
            StringEquals: { "kms:ReplicaRegion": list(archive?.replicaRegions ?? []) },
          }),
          why: "makes the replica",
        },
      ]),
      ...rows(Deploy, anything, [
        {
          action: "kms:CreateKey",
          calls: ["kms:ReplicateKey"],
          condition: ({ archive }) => ({
            Null: { [requestTag]: "false" },
            StringEquals: { "aws:RequestedRegion": list(archive?.replicaRegions ?? []) },
          }),
          why: "a replica is created, too, in its own Region",
        },
      ]),
      ...rows(Deploy, keys, [
        {
          action: "kms:TagResource",
          calls: ["kms:ReplicateKey"],
          condition: newKey,
          why: "so is its tag",
        },
      ]),
      ...rows(
        Deploy,
        serviceLinkedRole(["mrk.kms.amazonaws.com", "AWSServiceRoleForKeyManagementServiceMultiRegionKeys"]),
        [
          {
            action: "iam:CreateServiceLinkedRole",
            calls: ["kms:CreateKey"],
            with: "MultiRegion",
            condition: () => ({ StringEquals: { "iam:AWSServiceName": "mrk.kms.amazonaws.com" } }),
            why: "KMS makes its role with the account's first multi-Region key",
          },
        ],
      ),
    ],
  },
  replication: {
    title: "crosstrail:replication",
    accounts: [Audit],
    needed: ({ archive }) => archive?.replication !== undefined,
    grants: [
      ...rows(Deploy, logBucket, [
        {
          action: "s3:PutReplicationConfiguration",
          calls: ["s3:PutBucketReplication", "s3:DeleteBucketReplication"],
          why: "switches copies on, pauses them and switches them off",
        },
      ]),
      ...rows(Deploy, replicationRole, [
        {
          action: "iam:PassRole",
          calls: ["s3:PutBucketReplication"],
          condition: passedTo("s3.amazonaws.com"),
          why: "lets S3 copy by its role",
        },
      ]),
    ],
  },
  eventDataStore: {
    title: "crosstrail:eventDataStore",
    accounts: [Audit],
    needed: ({ archive }) => archive?.eventDataStore === true,
    grants: [
      ...rows(Preview, eventDataStores, [
        { action: "cloudtrail:GetEventDataStore", why: "reads the store" },
        { action: "cloudtrail:ListTags", why: "reads its tags" },
      ]),
      ...rows(Deploy, eventDataStores, [
        { action: "cloudtrail:CreateEventDataStore", why: "creates the store" },
        { action: "cloudtrail:UpdateEventDataStore", why: "changes it" },
        { action: "cloudtrail:AddTags", why: "sets tags; a store that is created with tags needs it as well" },
        { action: "cloudtrail:RemoveTags", why: "takes tags away" },
      ]),
      ...rows(Deploy, primaryKeys, [
        {
          action: "kms:GenerateDataKey",
          calls: ["cloudtrail:CreateEventDataStore"],
          condition: ownKey,
          why: "anyone who makes the store has to be able to use its key",
        },
        {
          action: "kms:Decrypt",
          calls: ["cloudtrail:CreateEventDataStore"],
          condition: ownKey,
          why: "the same; what trails encrypted is refused",
        },
      ]),
      ...rows(Remove, eventDataStores, [
        { action: "cloudtrail:DeleteEventDataStore", why: "removes the store, in seven days" },
      ]),
    ],
  },
  organization: {
    title: "an organization trail",
    accounts: [Management],
    needed: ({ organization }) => organization !== undefined,
    grants: [
      ...rows(Preview, anything, [
        {
          action: "organizations:DescribeOrganization",
          why: "which organization it is, and whether it has all features",
        },
        { action: "organizations:ListAWSServiceAccessForOrganization", why: "whether CloudTrail has trusted access" },
        { action: "organizations:ListAccounts", why: "which members have left" },
        {
          action: "organizations:ListDelegatedAdministrators",
          condition: forCloudTrail,
          why: "who else may manage the trail",
        },
      ]),
      ...rows(Preview, serviceLinkedRole(cloudTrailRole), [
        { action: "iam:GetRole", why: "whether CloudTrail has its role" },
      ]),
    ],
  },
  allFeatures: {
    title: "crosstrail:enableAllFeatures",
    accounts: [Management],
    needed: ({ organization }) => organization?.enableAllFeatures === true,
    grants: rows(Deploy, anything, [
      { action: "organizations:EnableAllFeatures", why: "turns all features of the organization on" },
    ]),
  },
  trustedAccess: {
    title: "crosstrail:enableTrustedAccess",
    accounts: [Management],
    needed: ({ organization }) => organization?.enableTrustedAccess === true,
    grants: [
      ...rows(Deploy, anything, [
        {
          action: "organizations:EnableAWSServiceAccess",
          condition: forCloudTrail,
          why: "gives CloudTrail trusted access",
        },
      ]),
      ...rows(Deploy, serviceLinkedRole(cloudTrailRole), [
        {
          action: "iam:CreateServiceLinkedRole",
          condition: () => ({ StringEquals: { "iam:AWSServiceName": cloudTrailPrincipal } }),
          why: "makes CloudTrail's role",
        },
      ]),
    ],
  },
  delegatedAdministrator: {
    title: "crosstrail:delegatedAdministrator",
    accounts: [Management],
    needed: ({ organization }) => organization?.delegatedAdministrator !== undefined,
    grants: [
      ...rows(Deploy, anything, [
        { action: "cloudtrail:RegisterOrganizationDelegatedAdmin", why: "registers the account" },
      ]),
      ...rows(Deploy, delegatedAccount, [
        {
          action: "organizations:RegisterDelegatedAdministrator",
          calls: ["cloudtrail:RegisterOrganizationDelegatedAdmin"],
          condition: forCloudTrail,
          why: "CloudTrail registers it with the organization for the caller",
        },
      ]),
      ...rows(Deploy, cloudTrailRoles, [
        {
          action: "iam:CreateServiceLinkedRole",
          calls: ["cloudtrail:RegisterOrganizationDelegatedAdmin"],
          condition: () => ({ StringEquals: { "iam:AWSServiceName": list([cloudTrailPrincipal, eventContext]) } }),
          why: "CloudTrail makes its roles where they are missing",
        },
        {
          action: "iam:GetRole",
          calls: ["cloudtrail:RegisterOrganizationDelegatedAdmin"],
          why: "CloudTrail looks for its roles",
        },
      ]),
    ],
  },
  guardrails: {
    title: "crosstrail:guardrails",
    accounts: [Management],
    needed: ({ organization }) => organization?.guardedAccountIds !== undefined,
    grants: [
      ...rows(Preview, anything, [
        { action: "organizations:ListRoots", why: "whether the types of policies are enabled" },
      ]),
      ...rows(Preview, controlPolicies, [
        { action: "organizations:DescribePolicy", why: "reads a policy" },
        { action: "organizations:ListTagsForResource", why: "reads a policy's tags" },
        { action: "organizations:ListTargetsForPolicy", why: "reads where a policy is attached" },
      ]),
      ...rows(Deploy, controlPolicies, [
        { action: "organizations:CreatePolicy", condition: newPolicy, why: "creates a policy" },
        {
          action: "organizations:TagResource",
          condition: newPolicy,
          calls: ["organizations:CreatePolicy"],
          why: "tags the policy, by which the stack's own are known",
        },
        { action: "organizations:TagResource", condition: ownPolicy, why: "changes a policy's tags" },
        { action: "organizations:UntagResource", condition: ownPolicy, why: "changes a policy's tags" },
        { action: "organizations:UpdatePolicy", condition: ownPolicy, why: "changes a policy in place" },
        { action: "organizations:AttachPolicy", condition: ownPolicy, why: "attaches a policy" },
      ]),
      ...rows(Deploy, guardedAccounts, [
        { action: "organizations:AttachPolicy", why: "attaches it to an account of the fleet" },
      ]),
      ...rows(Remove, controlPolicies, [
        { action: "organizations:DetachPolicy", condition: ownPolicy, why: "detaches a policy that is to go" },
        { action: "organizations:DeletePolicy", condition: ownPolicy, why: "deletes it" },
      ]),
      ...rows(Remove, guardedAccounts, [
        { action: "organizations:DetachPolicy", why: "detaches it from an account of the fleet" },
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
  needed: (names: RoleNames) => boolean;
  actions: (names: RoleNames, access: RoleAccess) => string[];
  resource: (names: RoleNames) => string[];
  condition?: (names: RoleNames) => RoleCondition;
}

/** Those that deploy. */
const everyAccess = [Preview, Deploy, Remove];
const inManagement = ({ organization }: RoleNames) => organization !== undefined;

/** Deploying never needs these, and anyone who attaches another policy to the role shall not add them. */
export const refusals: Refusal[] = [
  {
    sid: "KeepArchive",
    accesses: [Preview, Deploy],
    needed: inAudit,
    actions: () => ["s3:DeleteBucket", "s3:DeleteBucketPolicy"],
    resource: buckets,
  },
  {
    // With the bucket's owner as the owner of all objects there are no ACLs; no matter who writes one wants something else.
    sid: "NoAcl",
    accesses: everyAccess,
    needed: inAudit,
    actions: () => ["s3:PutBucketAcl"],
    resource: buckets,
  },
  {
    sid: "KeepKey",
    accesses: [Preview, Deploy],
    needed: inAudit,
    actions: () => ["kms:DisableKey", "kms:ScheduleKeyDeletion"],
    resource: keys,
  },
  {
    sid: "LeaveLogsAlone",
    accesses: everyAccess,
    needed: inAudit,
    actions: ({ archive }, access) => [
      "s3:BypassGovernanceRetention",
      "s3:GetObject",
      "s3:GetObjectVersion",
      "s3:PutObject",
      "s3:PutObjectLegalHold",
      "s3:PutObjectRetention",
      ...(access === Remove && archive?.forceDestroy ? [] : ["s3:DeleteObject", "s3:DeleteObjectVersion"]),
    ],
    resource: objects,
  },
  {
    // Who says that nothing was changed must not be able to change it, whatever else the role is given.
    sid: "OnlyRead",
    accesses: [Verify],
    needed: inAudit,
    actions: () => [
      "s3:BypassGovernanceRetention",
      "s3:DeleteObject",
      "s3:DeleteObjectVersion",
      "s3:PutObject",
      "s3:PutObjectLegalHold",
      "s3:PutObjectRetention",
    ],
    resource: objects,
  },
  {
    // A log file is encrypted under its trail's ARN; secrets of the Pulumi state, perhaps under the same account's key, are not.
    sid: "NeverDecryptLogs",
    accesses: everyAccess,
    needed: inAudit,
    actions: () => ["kms:Decrypt"],
    resource: keys,
    condition: ({ partition }) => ({
      StringLike: { [trailContext]: trailsOfAccount(partition, "*") },
    }),
  },
  {
    // What limits the roles that it makes is not its own to change.
    sid: "KeepBoundary",
    accesses: [Deploy, Remove],
    needed: (names) => ownRoles(names).length > 0,
    actions: () => [
      "iam:CreatePolicyVersion",
      "iam:DeletePolicy",
      "iam:DeletePolicyVersion",
      "iam:DeleteRolePermissionsBoundary",
      "iam:SetDefaultPolicyVersion",
    ],
    resource: (names) => [...boundaries(names), ...ownRoles(names)],
  },
  {
    // A key policy that its own account cannot change any more is lost to everyone but AWS Support.
    sid: "NoLockout",
    accesses: everyAccess,
    needed: hasKeys,
    actions: () => ["kms:CreateKey", "kms:PutKeyPolicy"],
    resource: anything,
    condition: () => ({ Bool: { "kms:BypassPolicyLockoutSafetyCheck": "true" } }),
  },
  {
    // What was turned on in the organization stays on: others rely on it, and every account would no longer be recorded.
    sid: "KeepTrustedAccess",
    accesses: everyAccess,
    needed: inManagement,
    actions: () => ["organizations:DisableAWSServiceAccess"],
    resource: anything,
  },
  {
    sid: "KeepAdministrator",
    accesses: everyAccess,
    needed: inManagement,
    actions: () => [
      "cloudtrail:DeregisterOrganizationDelegatedAdmin",
      "organizations:DeregisterDelegatedAdministrator",
    ],
    resource: anything,
  },
  {
    // Without its type, no policy of it holds any more, for the whole organization.
    sid: "KeepPolicyTypes",
    accesses: everyAccess,
    needed: ({ organization }) => organization?.guardedAccountIds !== undefined,
    actions: () => ["organizations:DisablePolicyType"],
    resource: anything,
  },
  {
    sid: "KeepServiceRoles",
    accesses: everyAccess,
    needed: inManagement,
    actions: () => ["iam:DeleteServiceLinkedRole"],
    resource: cloudTrailRoles,
  },
];
