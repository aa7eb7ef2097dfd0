/** The configuration of the audit stack: the archive, and the fleet that delivers to it. */
import type { Partition } from "../accounts";
import type { TrailIdentity } from "../names";
import { roleArn } from "../names";
import type { BucketPolicyForm } from "../policies/bucket";
import type { KeyPolicyForm } from "../policies/key";
import { pathText, plainIssues, sentence, valueAt } from "../issues";
import type { KeyName, Values } from "./keys";
import { keys, keyTable, Role } from "./keys";
import { nearest } from "./nearest";
import type { Place } from "./place";
import { checkRegion } from "./place";
import type { Report } from "./report";
import { subjectOf } from "./report";
import type { DeclaredReader, Member } from "./schemas";
import type { TrailOptions } from "./trail";
import { trailOptions } from "./trail";
import { requireKey } from "./values";

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
  /** The members as they are declared. */
  members: Member[];
  /** How member accounts are entered, and what their stacks are configured with. */
  deployRole: string;
  deployProfile: string;
  memberDefaults: Record<string, unknown>;
  extraRegions: string[];
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

/** The alias of the audit account itself in the contract. */
export const auditAlias = "audit";

/** An account that may be named by its alias or its id; a member with mistakes may lack either. */
type Candidate = Partial<Pick<Member, "alias" | "accountId">>;

/** @throws UserError with every mistake of the configuration. */
export function auditSettings(report: Report, values: Values, place: Place, declaredMembers: unknown): AuditSettings {
  const options = trailOptions(report, values);
  requireKey(report, values, "auditAccountId", "The audit stack says which account owns the archive.", '"<12 digits>"');
  requireKey(
    report,
    values,
    "bucketName",
    "The log bucket needs a name; policies and trails name it.",
    "<bucket name>",
  );
  // Compared also where a member has another mistake, so that the next run does not bring up new ones.
  const members =
    (values.members as Partial<Member>[] | undefined) ??
    (Array.isArray(declaredMembers) ? declaredMembers.map(asMember) : []);
  checkMembers(report, members, values.auditAccountId, place);
  const candidates = [...members, { alias: auditAlias, accountId: values.auditAccountId }];
  const readers = readersOf(report, values, candidates);
  const memberReaders = memberReadersOf(report, values, members, candidates);
  checkMfa(report, values, place);
  checkMemberDefaults(report, values);
  report.throwIfAny();

  const partition = place.partition as Partition;
  const region = place.region as string;
  return {
    role: "audit",
    partition,
    region,
    auditAccountId: values.auditAccountId,
    bucketName: values.bucketName,
    logPrefix: values.logPrefix,
    fleet: fleetOf(values, partition, region),
    members: values.members,
    deployRole: values.deployRole,
    deployProfile: values.deployProfile,
    memberDefaults: values.memberDefaults,
    extraRegions: values.extraRegions,
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
    mfaExemptRoleArns: values.mfaExemptRoles.map((name) =>
      name.startsWith("arn:") ? name : roleArn(partition, values.auditAccountId, name),
    ),
    trailOptions: options,
    tags: values.tags,
  };
}

/** Reports members in a Region of another partition, and accounts and aliases that are there twice. */
function checkMembers(report: Report, members: Partial<Member>[], auditAccountId: string, place: Place): void {
  const subject = (index: number, field: keyof Member) =>
    subjectOf(`members[${index}].${field}`, members[index]?.[field]);
  const nameOf = (index: number, field: keyof Member) => {
    const value = members[index]?.[field];
    return `members[${index}]${value === undefined ? "" : ` (${value})`}`;
  };
  members.forEach((member, index) => {
    if (typeof member.homeRegion === "string") {
      checkRegion(report, place, subject(index, "homeRegion"), member.homeRegion);
    }
    const sameAccount = members.findIndex(({ accountId: other }) => other === member.accountId);
    if (member.accountId !== undefined && sameAccount < index) {
      report.add(
        "duplicate-account",
        subject(index, "accountId"),
        `${nameOf(sameAccount, "alias")} is the same account.`,
        "Declare each account once.",
      );
    }
    if (member.accountId !== undefined && member.accountId === auditAccountId) {
      report.add(
        "duplicate-account",
        subject(index, "accountId"),
        "This is the audit account itself.",
        "Remove it from the members; crosstrail:auditAccountTrail gives the audit account its own trail.",
      );
    }
    const sameAlias = members.findIndex(({ alias }) => alias === member.alias);
    if (member.alias !== undefined && (sameAlias < index || member.alias === auditAlias)) {
      report.add(
        "duplicate-alias",
        subject(index, "alias"),
        member.alias === auditAlias
          ? "This alias stands for the audit account itself."
          : `${nameOf(sameAlias, "accountId")} has the same alias.`,
        "Give each member an alias of its own.",
      );
    }
  });
}

/** The accounts behind aliases and ids; reports those that are not declared. */
function accountsOf(report: Report, path: string, names: string[], candidates: Candidate[]): string[] {
  return names.flatMap((name, index) => {
    const found = candidates.find(({ alias, accountId }) => alias === name || accountId === name);
    if (found?.accountId !== undefined) return [found.accountId];
    const near = nearest(name, candidates.flatMap(({ alias, accountId }) => [alias, accountId]).filter(isText));
    report.add(
      "unknown-member",
      subjectOf(`${path}[${index}]`, name),
      "No member has this alias or account id.",
      near ? `Did you mean ${near}? Otherwise declare it in crosstrail:members.` : "Declare it in crosstrail:members.",
    );
    return [];
  });
}

function readersOf(report: Report, values: Values, candidates: Candidate[]): Reader[] {
  const declared = values.readers ?? [];
  return declared.map(({ accounts, ...reader }, index) => {
    const same = declared.findIndex(({ name }) => name.toLowerCase() === reader.name.toLowerCase());
    if (same < index) {
      report.add(
        "duplicate-reader",
        subjectOf(`readers[${index}].name`, reader.name),
        `readers[${same}] is the same role; IAM does not tell names apart by their case.`,
        "Give each reader a name of its own.",
      );
    }
    return {
      ...reader,
      ...(accounts && { accountIds: accountsOf(report, `readers[${index}].accounts`, accounts, candidates) }),
    };
  });
}

function memberReadersOf(report: Report, values: Values, members: Candidate[], candidates: Candidate[]): string[] {
  const names = values.memberAccess ?? [];
  const auditAmong = names.findIndex((name) => name === auditAlias || name === values.auditAccountId);
  if (auditAmong >= 0) {
    report.add(
      "member-access",
      subjectOf(`memberAccess[${auditAmong}]`, names[auditAmong]),
      "The audit account reads logs by its own IAM policies.",
      `Remove it from ${report.file}.`,
    );
  }
  // "*" stands for every one; the audit account was reported already.
  const named = accountsOf(report, "memberAccess", names, [...candidates, { alias: "*", accountId: "*" }]);
  return named.includes("*") ? members.map(({ accountId }) => accountId as string) : [...new Set(named)];
}

function checkMfa(report: Report, values: Values, { partition }: Place): void {
  const exempt = values.mfaExemptRoles ?? [];
  if (exempt.length > 0 && values.requireMfa === false) {
    report.add(
      "mfa",
      subjectOf("mfaExemptRoles", exempt),
      "Without crosstrail:requireMfa nobody needs MFA, and no role can be exempt from it.",
      `Set crosstrail:requireMfa to true, or remove this key from ${report.file}.`,
    );
  }
  exempt.forEach((name, index) => {
    const other = name.startsWith("arn:") && partition && !name.startsWith(`arn:${partition}:`);
    if (!other) return;
    report.add(
      "partition",
      subjectOf(`mfaExemptRoles[${index}]`, name),
      `This role is not in partition ${partition}, and no role of another partition can reach the archive.`,
      `Correct it in ${report.file}.`,
    );
  });
}

/** What tells the members apart comes from their declaration; everything else of a member stack may be a default. */
const ofEachMember: string[] = ["role", "accountId", "auditStack", "contract"];

function checkMemberDefaults(report: Report, values: Values): void {
  const possible = keyTable
    .filter(({ name, roles }) => roles.includes(Role.Member) && !ofEachMember.includes(name))
    .map(({ name }) => name as string);
  for (const [name, value] of Object.entries(values.memberDefaults ?? {})) {
    const subject = subjectOf(`memberDefaults.${name}`, value);
    if (!possible.includes(name)) {
      const near = nearest(name, possible);
      report.add(
        "member-defaults",
        subject,
        ofEachMember.includes(name) ? "Each member has its own." : "Member stacks have no such key.",
        near ? `Did you mean ${near}? Otherwise remove it from ${report.file}.` : `Remove it from ${report.file}.`,
      );
      continue;
    }
    const result = keys[name as KeyName].safeParse(value);
    if (result.success) continue;
    for (const { path, message } of plainIssues(result.error.issues)) {
      const at = subjectOf(`memberDefaults.${name}${pathText(path)}`, valueAt(value, path));
      report.add("member-defaults", at, sentence(message), `Correct it in ${report.file}.`);
    }
  }
}

function fleetOf(values: Values, partition: Partition, region: string): FleetTrail[] {
  const trail = (accountId: string, homeRegion: string, name: string): TrailIdentity => ({
    partition,
    region: homeRegion,
    accountId,
    name,
  });
  const own = { alias: auditAlias, trail: trail(values.auditAccountId, region, values.trailName) };
  const members = values.members.map(
    ({ alias, accountId, homeRegion = region, trailName = values.trailName, previousTrailName }) => ({
      alias,
      trail: trail(accountId, homeRegion, trailName),
      ...(previousTrailName && { previous: trail(accountId, homeRegion, previousTrailName) }),
    }),
  );
  return [...(values.auditAccountTrail ? [own] : []), ...members];
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** A member as far as it is one, for comparisons. */
function asMember(value: unknown): Partial<Member> {
  return typeof value === "object" && value !== null ? value : {};
}
