/** The values of configuration keys that are more than a string or a number. */
import { z } from "zod";
import { accountIdProblem } from "../accounts";
import { eventDataStoreNameProblem } from "../eventDataStore";
import { logGroupNameProblem, retentionProblem, topicNameProblem } from "../delivery";
import {
  bucketNameProblem,
  externalIdProblem,
  organizationIdProblem,
  keyArnProblem,
  roleArnProblem,
  roleNameProblem,
  trailNameProblem,
} from "../names";
import { tagProblems } from "../tags";

/** A string for which `problem` finds nothing wrong. */
export const checked = (problem: (value: string) => string | undefined) =>
  z.string().superRefine((value, context) => {
    const message = problem(value);
    if (message) context.addIssue({ code: "custom", message });
  });

export const accountId = z.unknown().transform((value, context) => {
  const message = accountIdProblem(value);
  if (message) context.addIssue({ code: "custom", message, input: value });
  return value as string;
});

/** Crosstrail adds one of its own, to the keys. */
const ownTags = 1;

export const tags = z.record(z.string(), z.string()).superRefine((value, context) => {
  for (const { key, message } of tagProblems(value, ownTags)) {
    context.addIssue({ code: "custom", message, path: key === undefined ? [] : [key] });
  }
});

/** Says what is wrong with a member's alias, or nothing. */
export function aliasProblem(alias: string): string | undefined {
  if (/^[a-z0-9][a-z0-9-]{0,62}$/.test(alias)) return undefined;
  return "an alias has 1 to 63 lower-case letters, digits and '-', and starts with a letter or a digit";
}

export const memberSchema = z.strictObject({
  accountId,
  alias: checked(aliasProblem),
  homeRegion: z.string().optional(),
  trailName: checked(trailNameProblem).optional(),
  previousTrailName: checked(trailNameProblem).optional(),
  inOrganization: z.boolean().optional(),
  deployRoleArn: checked(roleArnProblem).optional(),
  deployProfile: z.string().min(1).optional(),
});

/** A member account as the audit stack's configuration declares it. */
export type Member = z.infer<typeof memberSchema>;

export const organizationSchema = z.strictObject({
  id: checked(organizationIdProblem),
  managementAccountId: accountId,
  auditAccountInOrganization: z.boolean().default(true),
  trail: z.boolean().default(true),
  trailName: checked(trailNameProblem).optional(),
  previousTrailName: checked(trailNameProblem).optional(),
  homeRegion: z.string().optional(),
  alias: checked(aliasProblem).default("management"),
  inFleet: z.boolean().default(true),
  deployRoleArn: checked(roleArnProblem).optional(),
  deployProfile: z.string().min(1).optional(),
});

/** The organization as the audit stack's configuration declares it. */
export type DeclaredOrganization = z.infer<typeof organizationSchema>;

export const readerSchema = z.strictObject({
  name: checked(roleNameProblem).default("CloudTrailReadRole"),
  trustedAccounts: z.array(accountId).min(1),
  requireMfa: z.boolean().default(false),
  externalId: checked(externalIdProblem).optional(),
  accounts: z.array(z.string()).min(1).optional(),
});

/** A reader role as the audit stack's configuration declares it. */
export type DeclaredReader = z.infer<typeof readerSchema>;

/** https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_EventSelector.html */
export const eventSelector = z.strictObject({
  readWriteType: z.enum(["All", "ReadOnly", "WriteOnly"]).optional(),
  includeManagementEvents: z.boolean().optional(),
  excludeManagementEventSources: z.array(z.string()).optional(),
  dataResources: z.array(z.strictObject({ type: z.string(), values: z.array(z.string()).min(1) })).optional(),
});

/** https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedEventSelector.html */
export const advancedEventSelector = z.strictObject({
  name: z.string().optional(),
  fieldSelectors: z
    .array(
      z.strictObject({
        field: z.string(),
        equals: z.array(z.string()).optional(),
        notEquals: z.array(z.string()).optional(),
        startsWith: z.array(z.string()).optional(),
        notStartsWith: z.array(z.string()).optional(),
        endsWith: z.array(z.string()).optional(),
        notEndsWith: z.array(z.string()).optional(),
      }),
    )
    .min(1),
});

/** Where the log bucket is replicated to. What must be there is checked where the whole configuration is known. */
export const replicationSchema = z.strictObject({
  region: z.string().optional(),
  bucketName: checked(bucketNameProblem).optional(),
  accountId: accountId.optional(),
  keyArn: checked(keyArnProblem).optional(),
  roleName: checked(roleNameProblem).optional(),
  enabled: z.boolean().optional(),
});

/** A role, by its name in the stack's account or by its ARN. */
export const roleReference = checked((value) =>
  value.startsWith("arn:") ? roleArnProblem(value) : roleNameProblem(value),
);

/** An event data store; nothing in it: none. */
export const eventDataStoreSchema = z.strictObject({
  name: checked(eventDataStoreNameProblem).optional(),
  retentionDays: z.int().min(7).max(2555).optional(),
  advancedEventSelectors: z.array(advancedEventSelector).optional(),
  queryRoles: z.array(roleReference).min(1).optional(),
  keep: z.boolean().optional(),
});

/** A log group for the trail; nothing in it: none. */
export const logGroupSchema = z.strictObject({
  retentionDays: z
    .int()
    .superRefine((value, context) => {
      const message = retentionProblem(value);
      if (message) context.addIssue({ code: "custom", message });
    })
    .optional(),
  encrypted: z.boolean().optional(),
  groupName: checked(logGroupNameProblem).optional(),
});

/** A topic for the trail's deliveries; nothing in it: none. */
export const topicSchema = z.strictObject({
  encrypted: z.boolean().optional(),
  topicName: checked(topicNameProblem).optional(),
});

const days = z.int().min(1).max(36500);
const years = z.int().min(1).max(100);

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_DefaultRetention.html */
export const objectLockSchema = z.strictObject({
  mode: z.string().optional(),
  days: days.optional(),
  years: years.optional(),
  confirmComplianceLock: z.string().optional(),
});

export const retentionSchema = z.strictObject({
  days: days.optional(),
  years: years.optional(),
  noncurrentDays: days.optional(),
  transitions: z.array(z.strictObject({ storageClass: z.string(), days })).optional(),
});
