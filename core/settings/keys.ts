/**
 * Every configuration key with its type, default and meaning. Pulumi.yaml declares the same keys and the README's table
 * is written from here; a test holds the three together.
 */
import { z } from "zod";
import { LogNotifications } from "../archive";
import { exemptRoleProblem, GuardrailId } from "../guardrails";
import { LeaveAsIs } from "../leftAsIs";
import {
  auditStackProblem,
  bucketNameProblem,
  externalIdProblem,
  keyAliasProblem,
  logPrefixProblem,
  parseTrailArn,
  policyNameProblem,
  roleArnProblem,
  roleNameProblem,
  trailNameProblem,
} from "../names";
import { deployProfileProblem, deployRoleProblem } from "../placeholders";
import { EventPreset, excludableSources, insightTypes, ReadWriteType } from "../events";
import { BucketPolicyForm } from "../policies/bucket";
import { KeyPolicyForm } from "../policies/key";
import type { DeclaredOrganization } from "./schemas";
import {
  accountId,
  advancedEventSelector,
  checked,
  eventDataStoreSchema,
  eventSelector,
  logGroupSchema,
  memberSchema,
  objectLockSchema,
  organizationSchema,
  readerSchema,
  replicationSchema,
  retentionSchema,
  tags,
  topicSchema,
} from "./schemas";

/** What a stack is: the archive with the fleet's declaration, one account's trail, or the organization's trail. */
export const Role = { Audit: "audit", Member: "member", Management: "management" } as const;
export type Role = (typeof Role)[keyof typeof Role];

/** Says how a configuration key is declared in Pulumi.yaml, which roles read it, and what it means. */
export interface KeyInfo {
  type: "string" | "integer" | "boolean" | "array" | "object";
  roles: Role[];
  description: string;
}
const infos = new Map<z.ZodType, KeyInfo>();
const key = <Schema extends z.ZodType>(
  type: KeyInfo["type"],
  roles: Role[],
  schema: Schema,
  description: string,
): Schema => {
  infos.set(schema, { type, roles, description });
  return schema;
};

const all = [Role.Audit, Role.Member, Role.Management];
const auditOnly = [Role.Audit];
const members = [Role.Member, Role.Management];
const managementOnly = [Role.Management];
const auditAndManagement = [Role.Audit, Role.Management];

const isEmptyMap = (value: unknown) => typeof value === "object" && value !== null && Object.keys(value).length === 0;

const roleNameOrArn = checked((value) => (value.startsWith("arn:") ? roleArnProblem(value) : roleNameProblem(value)));

/** Every key of namespace `crosstrail:`. A default of "" means: not set. */
export const keys = {
  role: key("string", all, z.string().default(""), "What this stack is: audit, member or management."),
  auditAccountId: key(
    "string",
    auditOnly,
    accountId.default(""),
    "The account that owns the log bucket and the key: 12 digits in quotes. The stack refuses to run in any other account.",
  ),
  bucketName: key(
    "string",
    auditOnly,
    checked(bucketNameProblem).or(z.literal("")).default(""),
    "The log bucket's name. Cannot change once the bucket holds logs.",
  ),
  logPrefix: key(
    "string",
    auditOnly,
    checked(logPrefixProblem).or(z.literal("")).default(""),
    "A key prefix in front of AWSLogs/ for all logs, at most 200 characters. No prefix by default.",
  ),
  previousLogPrefix: key(
    "string",
    auditOnly,
    checked((value) => (value === "/" ? undefined : logPrefixProblem(value)))
      .or(z.literal(""))
      .default(""),
    "While the log prefix is being changed: the previous one, where trails may still deliver and logs can still be read. Use / for none.",
  ),
  trailName: key(
    "string",
    auditOnly,
    checked(trailNameProblem).default("crosstrail"),
    "The name of the trails, unless a member sets its own.",
  ),
  members: key(
    "array",
    auditOnly,
    z.array(memberSchema).default([]),
    "The fleet: each account that delivers here, with accountId and alias, and optionally homeRegion, trailName, previousTrailName (while a trail is being renamed), inOrganization (false: an account outside the organization), deployRoleArn and deployProfile (how crosstrail up accesses the account).",
  ),
  organization: key(
    "object",
    auditOnly,
    // Pulumi hands over an empty map where nothing is set. Not a union: of two mistakes it would tell the wrong one.
    z
      .preprocess((value) => (isEmptyMap(value) ? undefined : value), organizationSchema.optional())
      .transform((value): DeclaredOrganization | Record<string, never> => value ?? {})
      .default({}),
    "The organization: id and managementAccountId, and optionally trailName, homeRegion and previousTrailName of its trail, trail (false: no organization trail, only members deliver), alias (the name of the trail's stack: management), inFleet (false: this stack is deployed separately), auditAccountInOrganization (false: the audit account is not in the organization), deployRoleArn and deployProfile (how crosstrail up accesses the account).",
  ),
  deployRole: key(
    "string",
    auditOnly,
    checked(deployRoleProblem).or(z.literal("")).default(""),
    "The role that crosstrail up assumes in member accounts that do not set their own, with {partition}, {accountId} and {alias} filled in: arn:{partition}:iam::{accountId}:role/CrosstrailDeploy.",
  ),
  deployProfile: key(
    "string",
    auditOnly,
    checked(deployProfileProblem).or(z.literal("")).default(""),
    "The AWS profile that crosstrail up uses for member accounts that do not set their own, with {accountId} and {alias} filled in. If a role is also set, this profile assumes it.",
  ),
  deployExternalId: key(
    "string",
    auditOnly,
    checked(externalIdProblem).or(z.literal("")).default(""),
    "The external ID, if the deploy roles require one (crosstrail roles --external-id). It is not a secret.",
  ),
  permissionsBoundary: key(
    "string",
    all,
    checked(policyNameProblem).or(z.literal("")).default(""),
    "The permissions boundary of the IAM roles that the stack creates (of readers, replication, cloudWatchLogs): the name of a managed policy in the stack's account. crosstrail roles prints that policy, and deploy roles that can create no role without it. Set in the audit stack, it also counts for members and the management stack without a file of their own. None by default.",
  ),
  memberDefaults: key(
    "object",
    auditOnly,
    z.record(z.string(), z.unknown()).default({}),
    "Configuration for every member stack without its own Pulumi.<alias>.yaml: keys of member stacks, such as eventSelectors or tags.",
  ),
  auditAccountTrail: key(
    "boolean",
    auditOnly,
    z.boolean().default(true),
    "Whether the audit account has its own trail, which delivers to the same bucket.",
  ),
  bucketPolicyForm: key(
    "string",
    auditOnly,
    z.enum(["auto", ...Object.values(BucketPolicyForm)]).default("auto"),
    "How the bucket policy names the trails. auto chooses the tightest form that fits into S3's 20,480 bytes.",
  ),
  keyPolicyForm: key(
    "string",
    auditOnly,
    z.enum(["auto", ...Object.values(KeyPolicyForm)]).default("auto"),
    "How the key policy names the trails. auto chooses the tightest form that fits into KMS's 32,768 bytes.",
  ),
  keyAlias: key(
    "string",
    auditOnly,
    checked(keyAliasProblem).default("crosstrail"),
    "The key's alias, without the alias/ prefix.",
  ),
  keyRotationDays: key(
    "integer",
    auditOnly,
    z.int().min(90).max(2560).default(365),
    "Days between rotations of the key material, 90 to 2560.",
  ),
  keyGeneration: key(
    "integer",
    auditOnly,
    z.int().min(1).max(9).default(1),
    "Which key encrypts: a higher number creates a new key. Previous keys stay, for reading. Cannot be lowered.",
  ),
  previousKeyInUse: key(
    "boolean",
    auditOnly,
    z.boolean().default(false),
    "While trails move to a new key: whether they may still encrypt with the previous one.",
  ),
  bucketKeyEnabled: key(
    "boolean",
    auditOnly,
    z.boolean().default(false),
    "Whether the log bucket uses an S3 Bucket Key, for fewer KMS requests and lower cost. CloudTrail may then also decrypt with the key.",
  ),
  keepArchive: key(
    "boolean",
    auditOnly,
    z.boolean().default(true),
    "Whether the bucket, the key and the resources that guard them are protected, and kept in AWS when the stack is destroyed. To remove them, set false and run pulumi up, then pulumi destroy. S3 still refuses to delete a bucket that holds logs.",
  ),
  keyReplicaRegions: key(
    "array",
    auditOnly,
    z.array(z.string()).default([]),
    "Regions with a replica of the key, so that data it encrypted can be decrypted there. Needs a multi-Region key, which only a new key can be.",
  ),
  replication: key(
    "object",
    auditOnly,
    replicationSchema.default({}),
    "A bucket to which S3 copies each new log file: region and bucketName; with accountId, an existing bucket in that account, which its owner prepares; and optionally keyArn (default: the archive's key or its replica), roleName (default: CrosstrailReplication), and enabled: false to pause.",
  ),
  objectLock: key(
    "object",
    auditOnly,
    objectLockSchema.default({}),
    "How long S3 prevents each new log file from being deleted or overwritten: mode (governance or compliance), and days or years. Mode compliance also needs confirmComplianceLock with the bucket's name. Object Lock cannot be turned off again.",
  ),
  retention: key(
    "object",
    auditOnly,
    retentionSchema.default({}),
    "When logs are deleted: days or years, and optionally noncurrentDays for overwritten or deleted versions (default: 90, or fewer if logs expire earlier) and transitions, each with storageClass and days. By default, logs are kept forever.",
  ),
  mfaDelete: key(
    "boolean",
    auditOnly,
    z.boolean().default(false),
    "Whether MFA Delete is expected to be on. Only the root user can switch it; crosstrail mfa-delete shows how. Cannot be combined with retention.",
  ),
  accessLogBucket: key(
    "string",
    auditOnly,
    checked(bucketNameProblem).or(z.literal("")).default(""),
    "The name of a bucket to create for the log bucket's S3 server access logs. Without it, no access logs are written.",
  ),
  accessLogDays: key(
    "integer",
    auditOnly,
    z.int().min(1).max(36500).default(365),
    "Days until access logs are deleted.",
  ),
  breakGlassRoles: key(
    "array",
    auditOnly,
    z.array(roleNameOrArn).default([]),
    "The only roles that may change the archive (buckets, log files, key, notification queue): names in the audit account, or ARNs. The role that deploys this stack must be among them. If empty, only IAM policies apply.",
  ),
  denyOtherEncryption: key(
    "boolean",
    auditOnly,
    z.boolean().default(false),
    "Whether the log bucket refuses objects that name another KMS key, use encryption other than SSE-KMS, or bring their own key (SSE-C).",
  ),
  notifications: key(
    "string",
    auditOnly,
    z.enum(Object.values(LogNotifications)).default("none"),
    "Where S3 sends a notification for each new log file: EventBridge, or an SQS queue that the stack creates.",
  ),
  forceDestroy: key(
    "boolean",
    auditOnly,
    z.boolean().default(false),
    "Whether pulumi destroy deletes the bucket with all its logs. For tests only: needs keepArchive false and no Object Lock.",
  ),
  readers: key(
    "array",
    auditOnly,
    z.array(readerSchema).default([]),
    "Roles in the audit account that other accounts can assume to read logs: each with trustedAccounts, and optionally name (default: CloudTrailReadRole), requireMfa, externalId, and accounts (aliases or IDs) to limit which logs it can read.",
  ),
  memberAccess: key(
    "array",
    auditOnly,
    z.array(z.string()).default([]),
    'Members that can read their own logs in the archive, by alias or account ID, or "*" for all members. Their own IAM policies decide who.',
  ),
  requireMfa: key(
    "boolean",
    auditOnly,
    z.boolean().default(false),
    "Whether reading and deleting log objects requires a session with MFA, for everyone except AWS services and mfaExemptRoles.",
  ),
  mfaExemptRoles: key(
    "array",
    auditOnly,
    z.array(roleNameOrArn).default([]),
    "Roles of automation and federated users that are exempt from requireMfa: names in the audit account, or ARNs.",
  ),
  eventDataStore: key(
    "object",
    auditOnly,
    eventDataStoreSchema.default({}),
    "An event data store of CloudTrail Lake, which AWS closed to new customers on 31 May 2026: name (default: crosstrail), retentionDays (366), advancedEventSelectors (management events), queryRoles, keep (true). Setting any field enables it. AWS bills it.",
  ),
  accountId: key(
    "string",
    members,
    accountId.default(""),
    "The member account: 12 digits in quotes. The stack refuses to run in any other account.",
  ),
  auditStack: key(
    "string",
    members,
    checked(auditStackProblem).or(z.literal("")).default(""),
    "The audit stack, as a StackReference: organization/project/stack, or only the stack name if organization and project are the same.",
  ),
  contract: key(
    "object",
    members,
    z.record(z.string(), z.unknown()).default({}),
    "Instead of auditStack: the audit stack's outputs, for a first preview or if its state cannot be read.",
  ),
  importTrail: key(
    "string",
    all,
    checked((value) =>
      parseTrailArn(value)
        ? undefined
        : "a trail ARN looks like arn:aws:cloudtrail:<home Region>:<account>:trail/<name>",
    )
      .or(z.literal(""))
      .default(""),
    "ARN of an existing trail: the first pulumi up imports it without changing it; later runs ignore this key. In the audit stack, it also names the audit account's own trail, and stays. crosstrail adopt writes it.",
  ),
  leaveAsIs: key(
    "array",
    all,
    z.array(z.enum(LeaveAsIs)).default([]),
    "Which parts of the imported trail stay unmanaged: delivery (bucket, prefix and key), eventSelectors, insights, cloudWatchLogs, sns.",
  ),
  isOrganizationTrail: key(
    "boolean",
    managementOnly,
    z.boolean().default(true),
    "Whether the trail records every account of the organization, or only the management account. Changes in place.",
  ),
  enableAllFeatures: key(
    "boolean",
    managementOnly,
    z.boolean().default(false),
    "Whether pulumi up enables all features of the organization if needed. Crosstrail never disables them.",
  ),
  enableTrustedAccess: key(
    "boolean",
    managementOnly,
    z.boolean().default(false),
    "Whether pulumi up enables trusted access for CloudTrail and creates its service-linked role, if missing. Crosstrail never removes either.",
  ),
  delegatedAdministrator: key(
    "string",
    managementOnly,
    accountId.or(z.literal("")).default(""),
    "A member account to register as CloudTrail's delegated administrator. It stays registered until you deregister it.",
  ),
  acceptSecondOrganizationTrail: key(
    "boolean",
    managementOnly,
    z.boolean().default(false),
    "Whether to allow a second organization trail next to an existing one. AWS bills its management events.",
  ),
  guardrails: key(
    "array",
    auditAndManagement,
    z.array(z.enum(GuardrailId)).default([]),
    "Which policies of the organization the management stack attaches: members, audit, archive (see crosstrail guardrails). Set it in the audit stack; a management stack with a file of its own needs it too. None by default. To remove one later, see detachGuardrails.",
  ),
  guardrailExemptRoles: key(
    "array",
    auditOnly,
    z.array(checked(exemptRoleProblem)).default([]),
    "Roles that the attached guardrails do not restrict, in addition to those that deploy: ARNs, with * for the account to exempt the role in every account.",
  ),
  detachGuardrails: key(
    "array",
    auditAndManagement,
    z.array(z.enum(GuardrailId).or(accountId)).default([]),
    "Which guardrails the management stack may detach: one that is also in guardrails loses its protection, and can then be removed from guardrails or destroyed; an account ID is for an account that is no longer in the fleet.",
  ),
  isMultiRegionTrail: key("boolean", all, z.boolean().default(true), "Whether the trail records every Region."),
  enableLogFileValidation: key(
    "boolean",
    all,
    z.boolean().default(true),
    "Whether CloudTrail writes signed digest files, which prove that no log file was changed or removed.",
  ),
  includeGlobalServiceEvents: key(
    "boolean",
    all,
    z.boolean().default(true),
    "Whether to record events of global services, such as IAM. Required for a multi-Region trail.",
  ),
  enableLogging: key(
    "boolean",
    all,
    z.boolean().default(true),
    "Whether the trail is logging. Setting false stops it in place; the trail does not record events until it is started again.",
  ),
  events: key(
    "array",
    all,
    z.array(z.enum(EventPreset)).default([]),
    "What the trail records, by presets: management, s3-data-events, lambda-data-events, everything. If empty, management. AWS bills all events except the first copy of management events.",
  ),
  readWriteType: key(
    "string",
    all,
    z.enum(ReadWriteType).default("All"),
    "Which events the presets record: read events, write events, or both.",
  ),
  excludeManagementEventSources: key(
    "array",
    all,
    z.array(z.enum(excludableSources)).default([]),
    "Services whose management events the presets exclude: kms.amazonaws.com, rdsdata.amazonaws.com. A warning says what an investigator will miss.",
  ),
  networkActivityEventSources: key(
    "array",
    all,
    z.array(z.string()).default([]),
    "Services whose calls through VPC endpoints are recorded in addition to the presets, for example s3.amazonaws.com. AWS bills them.",
  ),
  eventSelectors: key(
    "array",
    all,
    z.array(eventSelector).default([]),
    "Instead of presets: basic event selectors, at most 5.",
  ),
  advancedEventSelectors: key(
    "array",
    all,
    z.array(advancedEventSelector).default([]),
    "Instead of presets: advanced event selectors.",
  ),
  insightTypes: key(
    "array",
    all,
    z.array(z.enum(insightTypes)).default([]),
    "CloudTrail Insights to record: ApiCallRateInsight, ApiErrorRateInsight. AWS bills them.",
  ),
  cloudWatchLogs: key(
    "object",
    all,
    logGroupSchema.default({}),
    "Also deliver to a CloudWatch Logs log group in the trail's own account: retentionDays (365), encrypted with its own key (true), groupName. Setting any field enables it. AWS bills it.",
  ),
  sns: key(
    "object",
    all,
    topicSchema.default({}),
    "Publish each delivery to an SNS topic in the trail's own account: encrypted with its own key (true), topicName. Setting any field enables it.",
  ),
  extraRegions: key(
    "array",
    all,
    z.array(z.string()).default([]),
    "Regions that AWS opened after this version of Crosstrail was released.",
  ),
  tags: key("object", all, tags.default({}), "Tags for every taggable resource of the stack."),
} as const;

export type KeyName = keyof typeof keys;

/** Whether a key takes this value. */
export function acceptsValue(name: KeyName, value: unknown): boolean {
  return keys[name].safeParse(value).success;
}

/** The values of all keys, parsed. */
export type Values = { [Name in KeyName]: z.infer<(typeof keys)[Name]> };

/** The fields of maps and of the elements of lists, for misspelled ones. */
export const fieldsOf: Partial<Record<string, string[]>> = {
  members: Object.keys(memberSchema.shape),
  organization: Object.keys(organizationSchema.shape),
  readers: Object.keys(readerSchema.shape),
  replication: Object.keys(replicationSchema.shape),
  eventDataStore: Object.keys(eventDataStoreSchema.shape),
  cloudWatchLogs: Object.keys(logGroupSchema.shape),
  sns: Object.keys(topicSchema.shape),
  objectLock: Object.keys(objectLockSchema.shape),
  retention: Object.keys(retentionSchema.shape),
};

/** A configuration key as Pulumi.yaml and the README show it. */
export interface KeyEntry extends KeyInfo {
  name: KeyName;
  default: unknown;
  /** The values of a closed set. */
  allowed?: string[];
  /** For a list: the type of its elements. */
  items?: "string" | "object";
}

/** The key table: for Pulumi.yaml, the README and unknown keys. */
export const keyTable: KeyEntry[] = (Object.entries(keys) as [KeyName, z.ZodType][]).map(([name, schema]) => {
  const inner = schema instanceof z.ZodDefault ? schema.unwrap() : schema;
  return {
    name,
    ...(infos.get(schema) as KeyInfo),
    default: schema.parse(undefined),
    ...(inner instanceof z.ZodEnum && { allowed: inner.options as string[] }),
    ...(inner instanceof z.ZodArray && { items: inner.element instanceof z.ZodObject ? "object" : "string" }),
  };
});
