/** The configuration of the audit stack: the archive, and the fleet that delivers to it. */
import type { Partition } from "../accounts";
import type { EventDataStoreChoice } from "../eventDataStore";
import { advancedProblems, SelectorOwner } from "../events";
import { pathText, plainIssues, sentence, valueAt } from "../issues";
import type { TrailIdentity } from "../names";
import { parseTrailArn, roleArn, trailArn } from "../names";
import type { BucketPolicyForm } from "../policies/bucket";
import type { KeyPolicyForm } from "../policies/key";
import type { ArchiveOptions } from "./archive";
import { archiveOptions } from "./archive";
import type { GuardrailOptions } from "./guardrails";
import { checkGuardrails, guardrailOptions } from "./guardrails";
import type { ImportedTrail } from "./imported";
import { importedTrail } from "./imported";
import type { KeyName, Values } from "./keys";
import { keys, keyTable, Role } from "./keys";
import { nearest } from "../nearest";
import type { Place } from "./place";
import { checkRegion } from "./place";
import type { ReplicaOptions } from "./replication";
import { replicaOptions } from "./replication";
import type { Report } from "./report";
import { subjectOf } from "./report";
import type { DeclaredOrganization, DeclaredReader, Member } from "./schemas";
import type { TrailOptions } from "./trail";
import { trailOptions } from "./trail";
import { requireKey } from "./values";

/** A trail that may deliver to the archive. */
export interface FleetTrail {
  alias: string;
  trail: TrailIdentity;
  /** The trail that this one is about to replace; it may deliver, too, until it is gone. */
  previous?: TrailIdentity;
  /** False for an account that is not in the declared organization. */
  inOrganization?: boolean;
}

/** The organization that delivers to the archive, by a trail of its own or by its members' trails. */
export interface Organization {
  id: string;
  managementAccountId: string;
  /** Whether the audit account is in the organization, as it nearly always is: the default. */
  auditAccountInOrganization: boolean;
  /** The organization trail; its ARN is the management account's, no matter who made it. */
  trail?: TrailIdentity;
  /** The trail that this one is about to replace. */
  previous?: TrailIdentity;
  /** The name of the stack that makes the trail. */
  alias: string;
  /** False when that stack is deployed by others: the fleet then leaves it alone. */
  inFleet: boolean;
  /** How the management account is accessed, if not like the members. */
  deployRoleArn?: string;
  deployProfile?: string;
  /** Members with trails of their own that are in the organization; the management account is not among them. */
  memberAccountIds: string[];
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
  /** While the prefix is being changed: the former one, "" for none. */
  previousLogPrefix?: string;
  organization?: Organization;
  /** Every trail of the fleet, the audit account's own first if it has one. */
  fleet: FleetTrail[];
  /** The members as they are declared. */
  members: Member[];
  /** How member accounts are accessed, and what their stacks are configured with. */
  deployRole: string;
  deployProfile: string;
  deployExternalId: string;
  memberDefaults: Record<string, unknown>;
  extraRegions: string[];
  auditAccountTrail: boolean;
  /** The audit account's own trail that already exists, if the stack takes one over; it keeps its name. */
  imported?: ImportedTrail;
  trailName: string;
  bucketPolicyForm?: BucketPolicyForm;
  keyPolicyForm?: KeyPolicyForm;
  keyAlias: string;
  keyRotationDays: number;
  keyGeneration: number;
  previousKeyInUse: boolean;
  bucketKeyEnabled: boolean;
  keepArchive: boolean;
  /** Copies of the archive elsewhere. */
  replicas: ReplicaOptions;
  archive: ArchiveOptions;
  readers: Reader[];
  /** Accounts of the members that may read their own logs. */
  memberReaders: string[];
  requireMfa: boolean;
  /** ARNs of the roles for which `requireMfa` does not count. */
  mfaExemptRoleArns: string[];
  trailOptions: TrailOptions;
  /** Off unless it is asked for. */
  eventDataStore?: EventDataStoreChoice;
  /** The organization's policies that the management stack attaches. */
  guardrails: GuardrailOptions;
  /** The name of the managed policy that limits the roles which the stack creates; "" for none. */
  permissionsBoundary: string;
  tags: Record<string, string>;
}

/** The alias of the audit account itself in the contract. */
export const auditAlias = "audit";

/** An account that may be named by its alias or its id; a member with mistakes may lack either. */
type Candidate = Partial<Pick<Member, "alias" | "accountId">>;

/** @throws UserError with every mistake of the configuration. */
export function auditSettings(report: Report, values: Values, place: Place, declaredMembers: unknown): AuditSettings {
  const options = trailOptions(report, values);
  requireKey(
    report,
    values,
    "auditAccountId",
    "The audit stack must name the account that owns the archive.",
    '"<12 digits>"',
  );
  requireKey(
    report,
    values,
    "bucketName",
    "The log bucket needs a name: policies and trails refer to it.",
    "<bucket name>",
  );
  // Compared also where a member has another mistake, so that the next run does not bring up new ones.
  const members =
    (values.members as Partial<Member>[] | undefined) ??
    (Array.isArray(declaredMembers) ? declaredMembers.map(asMember) : []);
  checkMembers(report, members, values.auditAccountId, place);
  const declared = declaredOrganization(values);
  checkOrganization(report, values, declared, place);
  checkAuditAccount(report, values);
  checkKeyGeneration(report, values);
  const candidates = [
    ...members,
    { alias: auditAlias, accountId: values.auditAccountId },
    // Accounts that only the organization trail records are not declared one by one.
    ...(declared?.trail === false || declared === undefined ? [] : undeclaredAccounts(values)),
  ];
  const readers = readersOf(report, values, candidates);
  const memberReaders = memberReadersOf(report, values, members, candidates);
  checkMfa(report, values, place);
  const replicas = replicaOptions(report, values, place);
  checkMemberDefaults(report, values);
  checkEventDataStore(report, values);
  checkDelivery(report, values);
  const imported = importedTrail(report, values, place, values.auditAccountId);
  const archive = archiveOptions(report, values, place);
  checkGuardrails(report, values);
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
    ...(values.previousLogPrefix !== "" && { previousLogPrefix: values.previousLogPrefix.replace(/^\/$/, "") }),
    ...(declared && { organization: organizationOf(declared, values, partition, region) }),
    fleet: fleetOf(values, partition, region),
    members: values.members,
    deployRole: values.deployRole,
    deployProfile: values.deployProfile,
    deployExternalId: values.deployExternalId,
    memberDefaults: values.memberDefaults,
    extraRegions: values.extraRegions,
    auditAccountTrail: values.auditAccountTrail,
    ...(imported && { imported }),
    trailName: values.trailName,
    bucketPolicyForm: values.bucketPolicyForm === "auto" ? undefined : values.bucketPolicyForm,
    keyPolicyForm: values.keyPolicyForm === "auto" ? undefined : values.keyPolicyForm,
    keyAlias: values.keyAlias,
    keyRotationDays: values.keyRotationDays,
    keyGeneration: values.keyGeneration,
    previousKeyInUse: values.previousKeyInUse,
    bucketKeyEnabled: values.bucketKeyEnabled,
    keepArchive: values.keepArchive,
    replicas,
    archive,
    readers,
    memberReaders,
    requireMfa: values.requireMfa,
    mfaExemptRoleArns: [
      ...values.mfaExemptRoles.map((name) =>
        name.startsWith("arn:") ? name : roleArn(partition, values.auditAccountId, name),
      ),
      // S3 has no MFA: without this, it could not read what it is to copy.
      ...(values.requireMfa && replicas.replication ? [replicas.replication.roleArn] : []),
    ],
    trailOptions: options,
    ...(Object.keys(values.eventDataStore).length > 0 && { eventDataStore: eventDataStoreOf(values, partition) }),
    guardrails: guardrailOptions(values),
    permissionsBoundary: values.permissionsBoundary,
    tags: values.tags,
  };
}

/** The organization, or undefined when none is declared. */
function declaredOrganization(values: Values): DeclaredOrganization | undefined {
  const declared = values.organization as Partial<DeclaredOrganization> | undefined;
  return declared?.id === undefined ? undefined : (declared as DeclaredOrganization);
}

/** Reports what cannot be right about the organization, and what needs one. */
function checkOrganization(
  report: Report,
  values: Values,
  declared: DeclaredOrganization | undefined,
  place: Place,
): void {
  if (declared === undefined) {
    // With a mistake in it, it is missing in `values`; one message will do.
    if (values.organization === undefined) return;
    for (const key of ["bucketPolicyForm", "keyPolicyForm"] as const) {
      if (values[key] !== "organization") continue;
      report.add(
        "organization",
        subjectOf(key, "organization"),
        "This form needs an organization, and none is declared.",
        `Declare crosstrail:organization in ${report.file}, or remove this key to use the tightest form that fits.`,
      );
    }
    (values.members ?? []).forEach(({ inOrganization }, index) => {
      if (inOrganization !== true) return;
      report.add(
        "organization",
        subjectOf(`members[${index}].inOrganization`, inOrganization),
        "No organization is declared.",
        `Declare crosstrail:organization in ${report.file}, or remove this field.`,
      );
    });
    return;
  }
  if (declared.homeRegion !== undefined) {
    checkRegion(report, place, subjectOf("organization.homeRegion", declared.homeRegion), declared.homeRegion);
  }
  const { region, partition } = place;
  const isSameTrail =
    declared.trail &&
    declared.managementAccountId === values.auditAccountId &&
    values.auditAccountTrail === true &&
    (declared.homeRegion ?? region) === region &&
    (declared.trailName ?? values.trailName) === ownTrailName(values);
  if (isSameTrail && region !== undefined && partition !== undefined) {
    const identity = { partition, region, accountId: values.auditAccountId, name: ownTrailName(values) };
    report.add(
      "organization",
      subjectOf("organization.managementAccountId", declared.managementAccountId),
      `The audit account is the management account, so ${trailArn(identity)} would be both its own trail and the organization's.`,
      "Set crosstrail:auditAccountTrail to false: the organization trail also records this account.",
    );
  }
}

function checkAuditAccount(report: Report, { organization, auditAccountId }: Values): void {
  if (organization?.auditAccountInOrganization !== false || organization.managementAccountId !== auditAccountId) return;
  report.add(
    "organization",
    subjectOf("organization.auditAccountInOrganization", false),
    "The audit account is the organization's management account, so it is in the organization.",
    `Remove this key from ${report.file}.`,
  );
}

function checkKeyGeneration(report: Report, values: Values): void {
  if (values.previousKeyInUse !== true || values.keyGeneration !== 1) return;
  report.add(
    "key-generation",
    subjectOf("previousKeyInUse", true),
    "There is no previous key: crosstrail:keyGeneration is 1.",
    `Increase crosstrail:keyGeneration to create a new key, or remove this setting from ${report.file}.`,
  );
}

/** Account ids that readers and memberAccess name. */
function undeclaredAccounts(values: Values): Candidate[] {
  const named = [...(values.memberAccess ?? []), ...(values.readers ?? []).flatMap(({ accounts = [] }) => accounts)];
  return named.filter((name) => /^\d{12}$/.test(name)).map((accountId) => ({ alias: accountId, accountId }));
}

function organizationOf(
  declared: DeclaredOrganization,
  values: Values,
  partition: Partition,
  region: string,
): Organization {
  const { id, managementAccountId, homeRegion = region, trailName = values.trailName, previousTrailName } = declared;
  const { alias, inFleet, deployRoleArn, deployProfile } = declared;
  const trail = (name: string): TrailIdentity => ({
    partition,
    region: homeRegion,
    accountId: managementAccountId,
    name,
  });
  return {
    id,
    managementAccountId,
    auditAccountInOrganization: declared.auditAccountInOrganization,
    ...(declared.trail && { trail: trail(trailName) }),
    ...(declared.trail && previousTrailName && { previous: trail(previousTrailName) }),
    alias,
    inFleet,
    ...(deployRoleArn && { deployRoleArn }),
    ...(deployProfile && { deployProfile }),
    memberAccountIds: values.members
      .filter(({ accountId, inOrganization }) => inOrganization !== false && accountId !== managementAccountId)
      .map(({ accountId }) => accountId),
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
        "Remove it from the members; crosstrail:auditAccountTrail controls the audit account's own trail.",
      );
    }
    const sameAlias = members.findIndex(({ alias }) => alias === member.alias);
    if (member.alias !== undefined && (sameAlias < index || member.alias === auditAlias)) {
      report.add(
        "duplicate-alias",
        subject(index, "alias"),
        member.alias === auditAlias
          ? "This alias is reserved for the audit account."
          : `${nameOf(sameAlias, "accountId")} has the same alias.`,
        "Give each member its own alias.",
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
      "No member has this alias or account ID.",
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
        `readers[${same}] is the same role: role names in IAM are not case-sensitive.`,
        "Give each reader its own name.",
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
      "In the audit account, IAM policies decide who reads logs.",
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
      "Without crosstrail:requireMfa, MFA is not required, so no role can be exempt from it.",
      `Set crosstrail:requireMfa to true, or remove this key from ${report.file}.`,
    );
  }
  exempt.forEach((name, index) => {
    const other = name.startsWith("arn:") && partition && !name.startsWith(`arn:${partition}:`);
    if (!other) return;
    report.add(
      "partition",
      subjectOf(`mfaExemptRoles[${index}]`, name),
      `This role is not in partition ${partition}, and roles in other partitions cannot reach the archive.`,
      `Correct it in ${report.file}.`,
    );
  });
}

/** What tells the members apart comes from their declaration; everything else of a member stack may be a default. */
const ofEachMember: string[] = ["role", "accountId", "auditStack", "contract", "importTrail", "leaveAsIs"];

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
        ofEachMember.includes(name) ? "Each member has its own value." : "Member stacks do not have this key.",
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

function checkEventDataStore(report: Report, { eventDataStore }: Values): void {
  const key = "eventDataStore.advancedEventSelectors";
  const selectors = eventDataStore?.advancedEventSelectors ?? [];
  for (const { path, message, remedy } of advancedProblems(selectors, SelectorOwner.EventDataStore, key)) {
    report.add(
      "events",
      subjectOf(pathText(path).slice(1), valueAt({ [key]: selectors }, path)),
      sentence(message),
      remedy ?? `Correct it in ${report.file}.`,
    );
  }
}

function checkDelivery(report: Report, values: Values): void {
  if (values.auditAccountTrail !== false) return;
  for (const key of ["cloudWatchLogs", "sns", "importTrail"] as const) {
    const value = values[key];
    if (value === undefined || Object.keys(value).length === 0) continue;
    report.add(
      "no-trail",
      subjectOf(key, value),
      key === "importTrail"
        ? "The audit stack manages no trail of its own, so it cannot adopt one."
        : "The audit account has no trail of its own to deliver there. Each member stack has this key, too.",
      `Set crosstrail:auditAccountTrail to true, or remove this key from ${report.file}.`,
    );
  }
}

function eventDataStoreOf({ eventDataStore, auditAccountId }: Values, partition: Partition): EventDataStoreChoice {
  const { queryRoles, ...others } = eventDataStore;
  return {
    name: "crosstrail",
    retentionDays: 366,
    advancedEventSelectors: [],
    keep: true,
    ...others,
    ...(queryRoles && {
      roleArns: queryRoles.map((name) => (name.startsWith("arn:") ? name : roleArn(partition, auditAccountId, name))),
    }),
  };
}

function fleetOf(values: Values, partition: Partition, region: string): FleetTrail[] {
  const trail = (accountId: string, homeRegion: string, name: string): TrailIdentity => ({
    partition,
    region: homeRegion,
    accountId,
    name,
  });
  const own = { alias: auditAlias, trail: trail(values.auditAccountId, region, ownTrailName(values)) };
  const members = values.members.map(
    ({ alias, accountId, homeRegion = region, trailName = values.trailName, previousTrailName, inOrganization }) => ({
      alias,
      trail: trail(accountId, homeRegion, trailName),
      ...(previousTrailName && { previous: trail(accountId, homeRegion, previousTrailName) }),
      ...(inOrganization === false && { inOrganization }),
    }),
  );
  return [...(values.auditAccountTrail ? [own] : []), ...members];
}

/** A trail that is taken over keeps its name; the members' default stays what it is. */
function ownTrailName({ importTrail, trailName }: Values): string {
  return parseTrailArn(importTrail ?? "")?.name ?? trailName;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** A member as far as it is one, for comparisons. */
function asMember(value: unknown): Partial<Member> {
  return typeof value === "object" && value !== null ? value : {};
}
