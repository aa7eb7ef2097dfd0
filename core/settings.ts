/**
 * The configuration of a stack: every key with its type, default and meaning, and one parser that reports all mistakes at
 * once. Pulumi.yaml declares the same keys and the README's table is written from here; a test holds the three together.
 */
import { z } from "zod";
import type { Partition } from "./accounts";
import { accountIdProblem, partitionOf, partitions, regionProblem } from "./accounts";
import type { Contract } from "./contract";
import { contractSchema } from "./contract";
import type { Finding } from "./findings";
import { UserError } from "./findings";
import { pathText, plainIssues, sentence, valueAt } from "./issues";
import type { TrailIdentity } from "./names";
import {
  bucketNameProblem,
  externalIdProblem,
  keyAliasProblem,
  logPrefixProblem,
  roleArn,
  roleArnProblem,
  roleNameProblem,
  trailNameProblem,
} from "./names";
import { BucketPolicyForm } from "./policies/bucket";
import { KeyPolicyForm } from "./policies/key";

/** What a stack is: the archive with the fleet's declaration, or one account's trail. */
export const Role = { Audit: "audit", Member: "member" } as const;
export type Role = (typeof Role)[keyof typeof Role];

/** A string for which `problem` finds nothing wrong. */
const checked = (problem: (value: string) => string | undefined) =>
  z.string().superRefine((value, context) => {
    const message = problem(value);
    if (message) context.addIssue({ code: "custom", message });
  });

const accountId = z.unknown().transform((value, context) => {
  const message = accountIdProblem(value);
  if (message) context.addIssue({ code: "custom", message, input: value });
  return value as string;
});

const tags = z.record(z.string().min(1).max(128), z.string().max(256));

const memberSchema = z.strictObject({
  accountId,
  alias: checked((value) =>
    /^[a-z0-9][a-z0-9-]{0,62}$/.test(value)
      ? undefined
      : "an alias has 1 to 63 lower-case letters, digits and '-', and starts with a letter or a digit",
  ),
  homeRegion: z.string().optional(),
  trailName: checked(trailNameProblem).optional(),
  previousTrailName: checked(trailNameProblem).optional(),
});

const memberFields = Object.keys(memberSchema.shape);

/** A member account as the audit stack's configuration declares it. */
export type Member = z.infer<typeof memberSchema>;

const readerSchema = z.strictObject({
  name: checked(roleNameProblem).default("CloudTrailReadRole"),
  trustedAccounts: z.array(accountId).min(1),
  requireMfa: z.boolean().default(false),
  externalId: checked(externalIdProblem).optional(),
  accounts: z.array(z.string()).min(1).optional(),
});

/** A reader role as the audit stack's configuration declares it. */
type DeclaredReader = z.infer<typeof readerSchema>;

/** The fields of the elements of lists, for misspelt ones. */
const fieldsOf: Partial<Record<string, string[]>> = {
  members: memberFields,
  readers: Object.keys(readerSchema.shape),
};

/** https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_EventSelector.html */
const eventSelector = z.strictObject({
  readWriteType: z.enum(["All", "ReadOnly", "WriteOnly"]).optional(),
  includeManagementEvents: z.boolean().optional(),
  excludeManagementEventSources: z.array(z.string()).optional(),
  dataResources: z.array(z.strictObject({ type: z.string(), values: z.array(z.string()).min(1) })).optional(),
});

/** https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedEventSelector.html */
const advancedEventSelector = z.strictObject({
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

/** Says how a configuration key is declared in Pulumi.yaml, which roles read it, and what it means. */
interface KeyInfo {
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
const keys = {
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
    "The fleet: each account that delivers here, with accountId and alias, and optionally homeRegion, trailName and previousTrailName (while a trail is being renamed).",
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

/** What of a trail can be chosen, for a member's and for the audit account's own. */
export interface TrailOptions {
  isMultiRegionTrail: boolean;
  enableLogFileValidation: boolean;
  includeGlobalServiceEvents: boolean;
  enableLogging: boolean;
  eventSelectors: z.infer<typeof eventSelector>[];
  advancedEventSelectors: z.infer<typeof advancedEventSelector>[];
  insightTypes: string[];
}

/** A trail that may deliver to the archive. */
export interface FleetTrail {
  alias: string;
  trail: TrailIdentity;
  /** The trail that this one is about to replace; it may deliver, too, until it is gone. */
  previous?: TrailIdentity;
}

/** A role that other accounts may assume to read logs. */
export interface Reader extends Omit<DeclaredReader, "accounts"> {
  /** The accounts whose logs it may read. Left out: all that the archive holds. */
  accountIds?: string[];
}

export interface AuditSettings {
  role: "audit";
  partition: Partition;
  region: string;
  auditAccountId: string;
  bucketName: string;
  logPrefix: string;
  /** Every trail of the fleet, the audit account's own first if it has one. */
  fleet: FleetTrail[];
  auditAccountTrail: boolean;
  trailName: string;
  bucketPolicyForm?: BucketPolicyForm;
  keyPolicyForm?: KeyPolicyForm;
  keyAlias: string;
  keyRotationDays: number;
  bucketKeyEnabled: boolean;
  keepArchive: boolean;
  readers: Reader[];
  /** Accounts of the members that may read their own logs. */
  memberReaders: string[];
  requireMfa: boolean;
  /** ARNs of the roles for which `requireMfa` does not count. */
  mfaExemptRoleArns: string[];
  trailOptions: TrailOptions;
  tags: Record<string, string>;
}

export interface MemberSettings {
  role: "member";
  partition: Partition;
  region: string;
  accountId: string;
  /** Where the contract comes from: the audit stack, or values given outright. */
  source: { auditStack: string } | { contract: Contract };
  trailOptions: TrailOptions;
  tags: Record<string, string>;
}

export type Settings = AuditSettings | MemberSettings;

/** The alias of the audit account itself in the contract. */
export const auditAlias = "audit";

/**
 * Parses a stack's configuration.
 * @param stack the stack's name, for messages.
 * @param raw the values of namespace `crosstrail:` as Pulumi hands them over: texts, and JSON for anything else.
 * @param region the Region of the AWS provider: `aws:region`, or the environment's.
 * @throws UserError with every mistake that there is.
 */
export function parseSettings(stack: string, raw: Record<string, string>, region: string | undefined): Settings {
  const findings: Finding[] = [];
  const report = (id: string, subject: string, message: string, remedy: string) =>
    findings.push({ id: `config/${id}`, severity: "error", subject, message, remedy });
  const file = `Pulumi.${stack}.yaml`;
  const fail = () => new UserError(headline(file, findings.length), findings);

  const known = keyTable.map(({ name }) => name as string);
  for (const name of Object.keys(raw)) {
    if (known.includes(name)) continue;
    const near = nearest(name, known);
    report(
      "unknown-key",
      subjectOf(name, raw[name]),
      "There is no such key.",
      near ? `Did you mean crosstrail:${near}? Otherwise remove it from ${file}.` : `Remove it from ${file}.`,
    );
  }

  // Without a role nobody can say which of the other keys are right.
  const role = raw.role;
  if (role !== Role.Audit && role !== Role.Member) {
    report(
      "role",
      subjectOf("role", role === "" ? undefined : role),
      "The role says what this stack is; allowed are audit and member.",
      `pulumi config set --stack ${stack} role audit   (or member; templates: Pulumi.audit.yaml, Pulumi.member.yaml)`,
    );
    throw fail();
  }

  const values = {} as { [Name in KeyName]: z.infer<(typeof keys)[Name]> };
  let declared: unknown;
  for (const { name, type, roles, default: fallback } of keyTable) {
    const text = raw[name];
    let value: unknown = text;
    if (text === undefined || text === "") value = undefined;
    else if (type !== "string") {
      try {
        value = JSON.parse(text);
      } catch {
        report("type", subjectOf(name, text), `This is not ${article(type)}.`, `Write ${article(type)} in ${file}.`);
        continue;
      }
    }
    if (!roles.includes(role) && value !== undefined && JSON.stringify(value) !== JSON.stringify(fallback)) {
      report(
        "wrong-role",
        subjectOf(name, text),
        `This key is for stacks of role ${roles.join(" and ")}; this stack's role is ${role}.`,
        `Remove it from ${file}.`,
      );
      continue;
    }
    if (name === "members") declared = value;
    const result = keys[name].safeParse(value);
    if (result.success) (values as Record<string, unknown>)[name] = result.data;
    else {
      for (const { path, message, unknownKey } of plainIssues(result.error.issues)) {
        const near = unknownKey && path.length > 1 ? nearest(unknownKey, fieldsOf[name] ?? []) : undefined;
        report(
          issueId(name, path),
          subjectOf(name + pathText(path), valueAt(value, path)),
          sentence(message),
          near
            ? `Did you mean ${near}? Otherwise remove it from ${file}.`
            : `${unknownKey === undefined ? "Correct it in" : "Remove it from"} ${file}.`,
        );
      }
    }
  }

  const needed = (name: KeyName, why: string, example: string) => {
    if (values[name] === "")
      report("missing", subjectOf(name, undefined), why, `Add to ${file}:  crosstrail:${name}: ${example}`);
  };
  const partition = region === undefined ? undefined : partitionOf(region);
  const extra = values.extraRegions ?? [];
  if (region === undefined) {
    report(
      "region",
      "aws:region is not set",
      "The stack needs to know its Region: trail ARNs and policies name it.",
      `pulumi config set --stack ${stack} aws:region <region>`,
    );
  } else {
    const problem = partition ? regionProblem(region, partition, extra) : unknownRegion(region);
    if (problem) report("region", subjectText("aws:region", region), sentence(problem), regionRemedy(file));
  }

  if (values.eventSelectors?.length && values.advancedEventSelectors?.length) {
    report(
      "selectors",
      "crosstrail:eventSelectors and crosstrail:advancedEventSelectors",
      "CloudTrail takes basic or advanced event selectors on a trail, not both.",
      `Keep one of the two in ${file}.`,
    );
  }
  if (values.isMultiRegionTrail === true && values.includeGlobalServiceEvents === false) {
    report(
      "global-events",
      subjectOf("includeGlobalServiceEvents", "false"),
      "A multi-Region trail always includes the events of global services; CloudTrail refuses it otherwise.",
      "Leave it true, or set crosstrail:isMultiRegionTrail to false as well.",
    );
  }

  const trailOptions = {
    isMultiRegionTrail: values.isMultiRegionTrail,
    enableLogFileValidation: values.enableLogFileValidation,
    includeGlobalServiceEvents: values.includeGlobalServiceEvents,
    enableLogging: values.enableLogging,
    eventSelectors: values.eventSelectors,
    advancedEventSelectors: values.advancedEventSelectors,
    insightTypes: values.insightTypes,
  };

  if (role === Role.Member) {
    needed("accountId", "A member stack says which account it is for.", '"<12 digits>"');
    const outright = Object.keys(values.contract ?? {}).length > 0;
    if (outright === (values.auditStack !== "")) {
      report(
        "audit-stack",
        "crosstrail:auditStack and crosstrail:contract",
        outright
          ? "Both are set; only one can be followed."
          : "Neither is set; the trail needs the audit stack's contract.",
        outright
          ? `Keep one of the two in ${file}.`
          : `pulumi config set --stack ${stack} auditStack <audit stack's name>`,
      );
    }
    let contract: Contract | undefined;
    if (outright) {
      const result = contractSchema.safeParse(values.contract);
      if (result.success) contract = result.data;
      else {
        for (const { path, message } of plainIssues(result.error.issues)) {
          report(
            "contract",
            subjectOf("contract" + pathText(path), valueAt(values.contract, path)),
            sentence(message),
            "Give the values that `pulumi stack output --json` prints for the audit stack.",
          );
        }
      }
    }
    if (findings.length > 0) throw fail();
    return {
      role,
      partition: partition as Partition,
      region: region as string,
      accountId: values.accountId,
      source: contract ? { contract } : { auditStack: values.auditStack },
      trailOptions,
      tags: values.tags,
    };
  }

  needed("auditAccountId", "The audit stack says which account owns the archive.", '"<12 digits>"');
  needed("bucketName", "The log bucket needs a name; policies and trails name it.", "<bucket name>");
  // Compared also where a member has another mistake, so that the next run does not bring up new ones.
  const members = (values.members ?? (Array.isArray(declared) ? declared.map(asMember) : [])) as Partial<Member>[];
  const subject = (index: number, field: keyof Member) =>
    subjectOf(`members[${index}].${field}`, members[index]?.[field]);
  const nameOf = (index: number, field: keyof Member) => {
    const value = members[index]?.[field];
    return `members[${index}]${value === undefined ? "" : ` (${value})`}`;
  };
  members.forEach((member, index) => {
    if (typeof member.homeRegion === "string" && partition) {
      const problem = regionProblem(member.homeRegion, partition, extra);
      if (problem) report("region", subject(index, "homeRegion"), sentence(problem), regionRemedy(file));
    }
    const sameAccount = members.findIndex(({ accountId: other }) => other === member.accountId);
    if (member.accountId !== undefined && sameAccount < index) {
      report(
        "duplicate-account",
        subject(index, "accountId"),
        `${nameOf(sameAccount, "alias")} is the same account.`,
        "Declare each account once.",
      );
    }
    if (member.accountId !== undefined && member.accountId === values.auditAccountId) {
      report(
        "duplicate-account",
        subject(index, "accountId"),
        "This is the audit account itself.",
        "Remove it from the members; crosstrail:auditAccountTrail gives the audit account its own trail.",
      );
    }
    const sameAlias = members.findIndex(({ alias }) => alias === member.alias);
    if (member.alias !== undefined && (sameAlias < index || member.alias === auditAlias)) {
      report(
        "duplicate-alias",
        subject(index, "alias"),
        member.alias === auditAlias
          ? "This alias stands for the audit account itself."
          : `${nameOf(sameAlias, "accountId")} has the same alias.`,
        "Give each member an alias of its own.",
      );
    }
  });
  /** The accounts behind aliases and ids; reports those that are not declared. */
  const accountsOf = (path: string, names: string[], candidates: Partial<Member>[]) =>
    names.flatMap((name, index): string[] => {
      const found = candidates.find(({ alias, accountId: id }) => alias === name || id === name);
      if (found?.accountId !== undefined) return [found.accountId];
      const near = nearest(name, candidates.flatMap(({ alias, accountId: id }) => [alias, id]).filter(isText));
      report(
        "unknown-member",
        subjectOf(`${path}[${index}]`, name),
        "No member has this alias or account id.",
        near
          ? `Did you mean ${near}? Otherwise declare it in crosstrail:members.`
          : "Declare it in crosstrail:members.",
      );
      return [];
    });
  const auditAccount = { alias: auditAlias, accountId: values.auditAccountId };
  const readers = (values.readers ?? []).map(({ accounts, ...reader }, index): Reader => {
    const same = (values.readers ?? []).findIndex(({ name }) => name.toLowerCase() === reader.name.toLowerCase());
    if (same < index) {
      report(
        "duplicate-reader",
        subjectOf(`readers[${index}].name`, reader.name),
        `readers[${same}] is the same role; IAM does not tell names apart by their case.`,
        "Give each reader a name of its own.",
      );
    }
    return {
      ...reader,
      ...(accounts && { accountIds: accountsOf(`readers[${index}].accounts`, accounts, [...members, auditAccount]) }),
    };
  });
  const memberAccess = values.memberAccess ?? [];
  const auditAmong = memberAccess.findIndex((name) => name === auditAlias || name === values.auditAccountId);
  if (auditAmong >= 0) {
    report(
      "member-access",
      subjectOf(`memberAccess[${auditAmong}]`, memberAccess[auditAmong]),
      "The audit account reads logs by its own IAM policies.",
      `Remove it from ${file}.`,
    );
  }
  // "*" stands for every one; the audit account was reported already.
  const named = accountsOf("memberAccess", memberAccess, [...members, auditAccount, { alias: "*", accountId: "*" }]);
  const memberReaders = named.includes("*") ? members.map(({ accountId: id }) => id as string) : [...new Set(named)];
  const exempt = values.mfaExemptRoles ?? [];
  if (exempt.length > 0 && values.requireMfa === false) {
    report(
      "mfa",
      subjectOf("mfaExemptRoles", exempt),
      "Without crosstrail:requireMfa nobody needs MFA, and no role can be exempt from it.",
      `Set crosstrail:requireMfa to true, or remove this key from ${file}.`,
    );
  }
  exempt.forEach((name, index) => {
    const other = name.startsWith("arn:") && partition && !name.startsWith(`arn:${partition}:`);
    if (!other) return;
    report(
      "partition",
      subjectOf(`mfaExemptRoles[${index}]`, name),
      `This role is not in partition ${partition}, and no role of another partition can reach the archive.`,
      `Correct it in ${file}.`,
    );
  });
  if (findings.length > 0) throw fail();
  const mfaExemptRoleArns = exempt.map((name) =>
    name.startsWith("arn:") ? name : roleArn(partition as Partition, values.auditAccountId, name),
  );

  const trail = (accountIdOfTrail: string, homeRegion: string, name: string): TrailIdentity => ({
    partition: partition as Partition,
    region: homeRegion,
    accountId: accountIdOfTrail,
    name,
  });
  const own = { alias: auditAlias, trail: trail(values.auditAccountId, region as string, values.trailName) };
  return {
    role,
    partition: partition as Partition,
    region: region as string,
    auditAccountId: values.auditAccountId,
    bucketName: values.bucketName,
    logPrefix: values.logPrefix,
    fleet: [
      ...(values.auditAccountTrail ? [own] : []),
      ...values.members.map((member) => {
        const homeRegion = member.homeRegion ?? (region as string);
        return {
          alias: member.alias,
          trail: trail(member.accountId, homeRegion, member.trailName ?? values.trailName),
          ...(member.previousTrailName && {
            previous: trail(member.accountId, homeRegion, member.previousTrailName),
          }),
        };
      }),
    ],
    auditAccountTrail: values.auditAccountTrail,
    trailName: values.trailName,
    bucketPolicyForm: values.bucketPolicyForm === "auto" ? undefined : values.bucketPolicyForm,
    keyPolicyForm: values.keyPolicyForm === "auto" ? undefined : values.keyPolicyForm,
    keyAlias: values.keyAlias,
    keyRotationDays: values.keyRotationDays,
    bucketKeyEnabled: values.bucketKeyEnabled,
    keepArchive: values.keepArchive,
    readers,
    memberReaders,
    requireMfa: values.requireMfa,
    mfaExemptRoleArns,
    trailOptions,
    tags: values.tags,
  };
}

function headline(file: string, count: number): string {
  return `${file} has ${count === 1 ? "a mistake" : `${count} mistakes`}. Nothing was changed.`;
}

function unknownRegion(region: string): string {
  return `${region} is not the name of a Region in the partitions ${partitions.join(", ")}`;
}

function regionRemedy(file: string): string {
  return `Correct it in ${file}, or, if AWS opened the Region after this version of Crosstrail, add it to crosstrail:extraRegions.`;
}

/** `crosstrail:bucketName = "x"`, or that it is not set. */
function subjectOf(path: string, value: unknown): string {
  return subjectText(`crosstrail:${path}`, value);
}

function subjectText(name: string, value: unknown): string {
  return value === undefined ? `${name} is not set` : `${name} = ${shown(value)}`;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 240 ? `${text.slice(0, 237)}...` : text;
}

function article(type: KeyInfo["type"]): string {
  return { string: "a text", integer: "a whole number", boolean: "true or false", array: "a list", object: "a map" }[
    type
  ];
}

const idByField: Record<string, string> = {
  accountId: "account-id",
  auditAccountId: "account-id",
  bucketName: "bucket-name",
  trailName: "trail-name",
  trustedAccounts: "account-id",
  previousTrailName: "trail-name",
  logPrefix: "log-prefix",
  alias: "alias",
};

function issueId(name: string, path: PropertyKey[]): string {
  const field = [...path].reverse().find((part) => typeof part === "string") as string | undefined;
  return idByField[field ?? name] ?? "value";
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** A member as far as it is one, for comparisons. */
function asMember(value: unknown): Partial<Member> {
  return typeof value === "object" && value !== null ? value : {};
}

/** The known name that a misspelt one most likely means: at most three edits away, and less than half of it changed. */
function nearest(name: string, candidates: string[]): string | undefined {
  const ranked = candidates.map((candidate) => ({ candidate, edits: editDistance(name, candidate) }));
  ranked.sort((a, b) => a.edits - b.edits);
  return ranked[0] && ranked[0].edits <= 3 && ranked[0].edits * 2 < name.length ? ranked[0].candidate : undefined;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1]?.toLowerCase() === b[j - 1]?.toLowerCase() ? 0 : 1;
      next[j] = Math.min((next[j - 1] as number) + 1, (row[j] as number) + 1, (row[j - 1] as number) + cost);
    }
    row = next;
  }
  return row[b.length] as number;
}
