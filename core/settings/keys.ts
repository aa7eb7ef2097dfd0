/**
 * Every configuration key with its type, default and meaning. Pulumi.yaml declares the same keys and the README's table is
 * written from here; a test holds the three together.
 */
import { z } from "zod";
import {
  bucketNameProblem,
  keyAliasProblem,
  logPrefixProblem,
  roleArnProblem,
  roleNameProblem,
  trailNameProblem,
} from "../names";
import { deployProfileProblem, deployRoleProblem } from "../pattern";
import { BucketPolicyForm } from "../policies/bucket";
import { KeyPolicyForm } from "../policies/key";
import { accountId, advancedEventSelector, checked, eventSelector, memberSchema, readerSchema, tags } from "./schemas";

/** What a stack is: the archive with the fleet's declaration, or one account's trail. */
export const Role = { Audit: "audit", Member: "member" } as const;
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

const both = [Role.Audit, Role.Member];
const auditOnly = [Role.Audit];
const memberOnly = [Role.Member];

/** Every key of namespace `crosstrail:`. A default of "" means: not set. */
export const keys = {
  role: key("string", both, z.string().default(""), "What this stack is: audit or member."),
  auditAccountId: key(
    "string",
    auditOnly,
    accountId.default(""),
    "The account that owns the log bucket and the key: 12 digits in quotes. The stack refuses to run in another one.",
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
    "A folder in front of AWSLogs/ for all logs, at most 200 characters. None by default.",
  ),
  trailName: key(
    "string",
    auditOnly,
    checked(trailNameProblem).default("crosstrail"),
    "The trails' name, unless a member has one of its own.",
  ),
  members: key(
    "array",
    auditOnly,
    z.array(memberSchema).default([]),
    "The fleet: each account that delivers here, with accountId and alias, and optionally homeRegion, trailName, previousTrailName (while a trail is being renamed), deployRoleArn and deployProfile.",
  ),
  deployRole: key(
    "string",
    auditOnly,
    checked(deployRoleProblem).or(z.literal("")).default(""),
    "The role by which crosstrail up enters a member account that names none of its own, with {partition}, {accountId} and {alias} filled in: arn:{partition}:iam::{accountId}:role/CrosstrailDeploy.",
  ),
  deployProfile: key(
    "string",
    auditOnly,
    checked(deployProfileProblem).or(z.literal("")).default(""),
    "The AWS profile with which crosstrail up enters a member account that names none of its own, with {accountId} and {alias} filled in. Together with a role: the profile that assumes it.",
  ),
  memberDefaults: key(
    "object",
    auditOnly,
    z.record(z.string(), z.unknown()).default({}),
    "Configuration of every member stack that has no Pulumi.<alias>.yaml of its own: keys of member stacks such as eventSelectors or tags.",
  ),
  auditAccountTrail: key(
    "boolean",
    auditOnly,
    z.boolean().default(true),
    "Whether the audit account runs a trail of its own, delivered to the same bucket.",
  ),
  bucketPolicyForm: key(
    "string",
    auditOnly,
    z.enum(["auto", ...Object.values(BucketPolicyForm)]).default("auto"),
    "How the bucket policy names the trails: auto takes the tightest form that fits into S3's 20,480 bytes.",
  ),
  keyPolicyForm: key(
    "string",
    auditOnly,
    z.enum(["auto", ...Object.values(KeyPolicyForm)]).default("auto"),
    "How the key policy names the trails: auto takes the tightest form that fits into KMS's 32,768 bytes.",
  ),
  keyAlias: key(
    "string",
    auditOnly,
    checked(keyAliasProblem).default("crosstrail"),
    "The key's alias, without alias/ in front.",
  ),
  keyRotationDays: key(
    "integer",
    auditOnly,
    z.int().min(90).max(2560).default(365),
    "Days between two rotations of the key's material, 90 to 2560.",
  ),
  bucketKeyEnabled: key(
    "boolean",
    auditOnly,
    z.boolean().default(false),
    "Whether the log bucket uses an S3 Bucket Key: fewer requests to KMS, less cost. CloudTrail may then also decrypt with the key.",
  ),
  keepArchive: key(
    "boolean",
    auditOnly,
    z.boolean().default(true),
    "Whether the bucket, the key and what guards them are protected and stay in AWS when the stack is destroyed. To remove them: set false, pulumi up, then pulumi destroy; S3 still refuses to delete a bucket that holds logs.",
  ),
  readers: key(
    "array",
    auditOnly,
    z.array(readerSchema).default([]),
    "Roles in the audit account that other accounts may assume to read logs: each with trustedAccounts, and optionally name (CloudTrailReadRole), requireMfa, externalId, and accounts (aliases or ids) where it may not read all logs.",
  ),
  memberAccess: key(
    "array",
    auditOnly,
    z.array(z.string()).default([]),
    'Members that may read their own logs in the archive, by alias or account id, or "*" for every one. Their own IAM policies say who.',
  ),
  requireMfa: key(
    "boolean",
    auditOnly,
    z.boolean().default(false),
    "Whether reading and deleting log objects takes a session with MFA, for everyone but AWS's services and mfaExemptRoles.",
  ),
  mfaExemptRoles: key(
    "array",
    auditOnly,
    z
      .array(checked((value) => (value.startsWith("arn:") ? roleArnProblem(value) : roleNameProblem(value))))
      .default([]),
    "Roles of automation and of federated users, for which requireMfa does not count: names in the audit account, or ARNs.",
  ),
  accountId: key(
    "string",
    memberOnly,
    accountId.default(""),
    "The member account: 12 digits in quotes. The stack refuses to run in another one.",
  ),
  auditStack: key(
    "string",
    memberOnly,
    z.string().default(""),
    "The audit stack, as a StackReference: organization/project/stack, or just the stack's name when the first two are the same.",
  ),
  contract: key(
    "object",
    memberOnly,
    z.record(z.string(), z.unknown()).default({}),
    "Instead of auditStack: the audit stack's outputs, for a first preview or where its state cannot be read.",
  ),
  isMultiRegionTrail: key("boolean", both, z.boolean().default(true), "Whether the trail records every Region."),
  enableLogFileValidation: key(
    "boolean",
    both,
    z.boolean().default(true),
    "Whether CloudTrail writes signed digest files that prove that no log file was changed or removed.",
  ),
  includeGlobalServiceEvents: key(
    "boolean",
    both,
    z.boolean().default(true),
    "Whether events of global services such as IAM are recorded. A multi-Region trail always needs them.",
  ),
  enableLogging: key(
    "boolean",
    both,
    z.boolean().default(true),
    "Whether the trail records. Setting false stops it in place; events meanwhile are not recorded by this trail.",
  ),
  eventSelectors: key(
    "array",
    both,
    z.array(eventSelector).max(5, "a trail has at most 5 event selectors").default([]),
    "Basic event selectors, at most 5. None: all management events.",
  ),
  advancedEventSelectors: key(
    "array",
    both,
    z.array(advancedEventSelector).default([]),
    "Advanced event selectors; not together with eventSelectors.",
  ),
  insightTypes: key(
    "array",
    both,
    z.array(z.enum(["ApiCallRateInsight", "ApiErrorRateInsight"])).default([]),
    "CloudTrail Insights to record: ApiCallRateInsight, ApiErrorRateInsight. AWS bills them.",
  ),
  extraRegions: key(
    "array",
    both,
    z.array(z.string()).default([]),
    "Regions that AWS opened after this version of Crosstrail.",
  ),
  tags: key("object", both, tags.default({}), "Tags for every resource of the stack that takes tags."),
} as const;

export type KeyName = keyof typeof keys;

/** The values of all keys, parsed. */
export type Values = { [Name in KeyName]: z.infer<(typeof keys)[Name]> };

/** The fields of the elements of lists, for misspelt ones. */
export const fieldsOf: Partial<Record<string, string[]>> = {
  members: Object.keys(memberSchema.shape),
  readers: Object.keys(readerSchema.shape),
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
