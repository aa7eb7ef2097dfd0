/** The fleet and the archive's policies, as the simulation sees them: from configuration alone, or from what is deployed. */
import type { Contract } from "../contract";
import type { TrailIdentity } from "../names";
import type { ArchiveInput } from "../archivePolicies";
import { LogNotifications } from "../archive";
import { archiveInput, archiveReaders, notificationQueueArn, policyOptions, readerPolicies } from "../archivePolicies";
import { parseKeyArn, parseTrailArn } from "../names";
import { notificationQueuePolicy } from "../policies/beside";
import type { BucketPolicyForm } from "../policies/bucket";
import { bucketPolicy, bucketPolicyForms, bucketPolicyIn } from "../policies/bucket";
import type { KeyPolicyForm } from "../policies/key";
import { keyPolicy, keyPolicyForms, keyPolicyIn } from "../policies/key";
import type { PolicyOptions } from "../policies/options";
import type { OrganizationGrant } from "../policies/organization";
import type { PolicyDocument as BuiltPolicy } from "../policies/document";
import { canonical } from "../policies/document";
import type { AuditSettings } from "../settings";
import type { World } from "../requests";
import { Findings, readRaw } from "../evaluate/compile";
import { canStartWith, isLike } from "../evaluate/pattern";
import type { Caller, Policies, PolicyInput, Statement } from "../evaluate/types";

/** A trail that may deliver. */
export interface SimulatedTrail {
  alias: string;
  trail: TrailIdentity;
  /** The trail that another one of its account is about to replace. */
  isPrevious: boolean;
  /** It is the organization trail, and delivers the logs of every account of the organization. */
  isOrganizationTrail?: boolean;
}

/** A role that other accounts may assume to read logs; see ReaderTrust and ReadAccess in core/policies/reader.ts. */
export interface SimulatedReader {
  name: string;
  roleArn: string;
  trustedAccounts: string[];
  requireMfa?: boolean;
  externalId?: string;
  /** Left out: it reads all logs. */
  accountIds?: string[];
}

/** Who else than CloudTrail may use the archive, and who may not. */
export interface SimulatedAccess extends PolicyOptions {
  readers?: SimulatedReader[];
}

/** What is said of accounts and condition keys that no policy shows. */
export interface SimulatedFacts {
  /** Accounts that are in the organization, where one is declared; of others nobody knows, except `outsideAccountIds`. */
  insideAccountIds?: string[];
  /** Accounts that are declared to be outside of the organization. */
  outsideAccountIds?: string[];
  /** Values of condition keys that only the user knows; see World in core/requests/world.ts. */
  given?: World["given"];
}

/** The archive, and who delivers there. */
export interface SimulatedFleet
  extends SimulatedAccess, SimulatedFacts, Omit<ArchiveInput, "trails" | keyof PolicyOptions> {
  logPrefix: string;
  /** ARN of the queue that S3 notifies of new log files, where there is one. */
  queueArn?: string;
  trails: SimulatedTrail[];
  /** Which key it is, is not known: `keyArn` only says in which account and Region it is. */
  isKeyUnknown?: boolean;
}

/** The archive's policies, and the forms that say what they can restrict. */
export interface ArchivePolicies {
  /** Undefined: the bucket has none. */
  bucket: PolicyInput | undefined;
  bucketForm: BucketPolicyForm;
  key: PolicyInput | undefined;
  keyForm: KeyPolicyForm;
  /** The reader roles' own policies, by the roles' names. Nothing is asked about a role that is missing here. */
  readers?: Record<string, { trust: PolicyInput; permissions: PolicyInput }>;
  /** Other policies that the answers are compared with: the Regions and accounts that they name are asked about, too. */
  comparedWith?: (PolicyInput | undefined)[];
  /** The policy of the queue of new log files; undefined: it has none. Left out: nothing is asked about a queue. */
  queue?: PolicyInput | undefined;
  /** The organization's control policies; see {@link controlsFor}. */
  controls?: ControlPolicies;
}

/** The organization's control policies, and the account for which none of them holds. */
export interface ControlPolicies {
  rcps: PolicyInput[];
  /** A list in the list is a level of the organization with several policies; each level must allow a request. */
  scps: (PolicyInput | PolicyInput[])[];
  managementAccountId?: string;
}

/**
 * The control policies that hold for a request to the archive: resource control policies unless the audit account is declared to
 * be outside of the organization, service control policies for callers of its accounts. Where no organization is declared, the
 * fleet's accounts are taken for it.
 */
export function controlsFor(
  { insideAccountIds, outsideAccountIds = [], auditAccountId, trails }: SimulatedFleet,
  { controls }: ArchivePolicies,
  caller: Caller,
): Pick<Policies, "resourceControlPolicies" | "serviceControlPolicies" | "managementAccountId"> {
  if (controls === undefined) return {};
  const { rcps, scps, managementAccountId } = controls;
  const account = caller.accountId ?? caller.arn?.split(":")[4];
  const isInside =
    account !== undefined &&
    !outsideAccountIds.includes(account) &&
    (insideAccountIds?.includes(account) ??
      (account === auditAccountId || trails.some(({ trail }) => trail.accountId === account)));
  return {
    ...(!outsideAccountIds.includes(auditAccountId) && { resourceControlPolicies: rcps }),
    ...(isInside && { serviceControlPolicies: scps }),
    ...(managementAccountId !== undefined && { managementAccountId }),
  };
}

/** The fleet as an audit stack's configuration declares it. */
export function fleetOfSettings(settings: AuditSettings): SimulatedFleet {
  const input = archiveInput(settings);
  return {
    ...input,
    logPrefix: settings.logPrefix,
    ...(settings.archive.notifications === LogNotifications.Sqs && { queueArn: notificationQueueArn(settings) }),
    readers: archiveReaders(settings),
    ...(settings.organization && {
      insideAccountIds: [
        settings.organization.managementAccountId,
        ...settings.organization.memberAccountIds,
        ...(settings.organization.auditAccountInOrganization ? [settings.auditAccountId] : []),
      ],
      outsideAccountIds: [
        ...settings.fleet.filter(({ inOrganization }) => inOrganization === false).map(({ trail }) => trail.accountId),
        ...(settings.organization.auditAccountInOrganization ? [] : [settings.auditAccountId]),
      ],
    }),
    trails: [
      ...settings.fleet.flatMap(({ alias, trail, previous }) => [
        { alias, trail, isPrevious: false },
        ...(previous ? [{ alias, trail: previous, isPrevious: true }] : []),
      ]),
      ...organizationTrails(input.organization),
    ],
  };
}

function organizationTrails(organization: OrganizationGrant | undefined): SimulatedTrail[] {
  return (organization?.trails ?? []).map((trail, index) => ({
    alias: "organization",
    trail,
    isPrevious: index > 0,
    isOrganizationTrail: true,
  }));
}

/** Who else uses the archive, as an audit stack's configuration declares it. */
export function accessOfSettings(settings: AuditSettings): SimulatedAccess {
  return { ...policyOptions(settings), readers: archiveReaders(settings) };
}

/**
 * Who else uses the archive, as far as a deployed bucket policy says it, by the ids of its statements: it is then asked whether they do what
 * they are for. A statement that somebody removed is not missed, and of reader roles the policy says nothing.
 */
export function accessOfPolicy(bucket: PolicyInput | undefined): SimulatedAccess {
  const raw = bucket === undefined ? undefined : readRaw(bucket, new Findings());
  const statements = (raw?.statements ?? []) as (Partial<Statement> | null)[];
  const find = (sid: string) => statements.find((each) => each?.Sid === sid);
  const texts = (value: unknown): string[] => [value].flat().filter((each) => typeof each === "string");
  const members = find("MembersReadOwnLogs")?.Principal;
  const mfa = find("DenyLogAccessWithoutMfa");
  const tampering = find("DenyTampering") ?? find("DenyBucketTampering");
  const named = typeof members === "object" ? texts(members?.AWS) : [];
  return {
    memberReaders: named.flatMap((principal) => /^(?:arn:[^:]*:iam::)?(\d{12})(?::root)?$/.exec(principal)?.[1] ?? []),
    requireMfa: mfa !== undefined,
    mfaExemptRoleArns: texts(mfa?.Condition?.ArnNotLike?.["aws:PrincipalArn"]),
    breakGlassRoleArns: texts(tampering?.Condition?.ArnNotLike?.["aws:PrincipalArn"]),
    denyOtherEncryption: find("DenyOtherKeys") !== undefined,
  };
}

/** The fleet as a deployed audit stack's contract has it. */
export function fleetOfContract(
  contract: Contract,
  bucketKeyEnabled = false,
  access: SimulatedAccess = {},
): SimulatedFleet {
  const { partition, auditAccountId, bucketName, logPrefix, keyArn } = contract;
  // The contract's schema has checked each ARN.
  const entry = (alias: string, arn: string, isPrevious: boolean): SimulatedTrail[] => {
    const trail = parseTrailArn(arn);
    return trail ? [{ alias, trail, isPrevious }] : [];
  };
  const { previousLogPrefix } = contract;
  const organization = grantOfContract(contract);
  return {
    partition,
    auditAccountId,
    bucketName,
    logPrefix,
    previousLogPrefix,
    organization,
    ...(contract.organization && {
      insideAccountIds: [
        contract.organization.managementAccountId,
        ...(organization?.accountIds ?? []),
        ...(contract.organization.auditAccountInOrganization === false ? [] : [auditAccountId]),
      ],
      outsideAccountIds: [
        ...contract.trails.filter(({ inOrganization }) => inOrganization === false).map(({ accountId }) => accountId),
        ...(contract.organization.auditAccountInOrganization === false ? [auditAccountId] : []),
      ],
    }),
    keyArn,
    ...access,
    bucketKeyEnabled,
    trails: [
      ...contract.trails.flatMap(({ alias, trailArn: arn, previousTrailArn }) => [
        ...entry(alias, arn, false),
        ...(previousTrailArn === undefined ? [] : entry(alias, previousTrailArn, true)),
      ]),
      ...organizationTrails(organization),
    ],
  };
}

function grantOfContract({ organization, trails, auditAccountId }: Contract): OrganizationGrant | undefined {
  if (organization === undefined) return undefined;
  const { id, managementAccountId, trailArn: arn, previousTrailArn } = organization;
  const named = [auditAccountId, managementAccountId];
  return {
    id,
    trails: [arn, previousTrailArn].flatMap((each) => parseTrailArn(each ?? "") ?? []),
    accountIds: trails
      .filter(({ accountId, inOrganization }) => inOrganization !== false && !named.includes(accountId))
      .map(({ accountId }) => accountId),
  };
}

/**
 * The policies as the audit stack would deploy them.
 * @throws UserError when they do not fit into AWS's limits.
 */
export function builtPolicies(
  fleet: SimulatedFleet,
  forms: { bucket?: BucketPolicyForm; key?: KeyPolicyForm } = {},
): ArchivePolicies {
  const input = policyInput(fleet);
  const bucket = bucketPolicy(input, forms.bucket);
  const key = keyPolicy(input, forms.key);
  return {
    bucket: bucket.document,
    bucketForm: bucket.form,
    key: key.document,
    keyForm: key.form,
    readers: builtReaders(fleet),
    ...builtQueue(fleet),
  };
}

/** The queue's policy as the audit stack would deploy it. */
function builtQueue({
  queueArn,
  partition,
  auditAccountId: accountId,
  bucketName: sourceBucketName,
  breakGlassRoleArns,
}: SimulatedFleet): Pick<ArchivePolicies, "queue"> {
  if (queueArn === undefined) return {};
  const queue = notificationQueuePolicy({ partition, accountId, sourceBucketName, breakGlassRoleArns, queueArn });
  return { queue: queue as PolicyInput };
}

/**
 * The forms that deployed policies were most likely written in: those they share most statements with, then most Sids, and
 * the tightest among equals. So a statement that somebody loosened is held against the form, not taken for a looser form.
 * The reader roles' own policies are those that the audit stack would deploy.
 */
export function recognisedPolicies(
  fleet: SimulatedFleet,
  deployed: { bucket: PolicyInput | undefined; key: PolicyInput | undefined; queue?: PolicyInput | undefined },
): ArchivePolicies {
  const input = policyInput(fleet);
  return {
    ...deployed,
    readers: builtReaders(fleet),
    bucketForm: likeliest(deployed.bucket, bucketPolicyForms(input), (form) => bucketPolicyIn(form, input)),
    keyForm: likeliest(deployed.key, keyPolicyForms(input), (form) => keyPolicyIn(form, input)),
  };
}

/** The reader roles' own policies as the audit stack would deploy them. */
export function builtReaders({ readers = [], ...archive }: SimulatedFleet): ArchivePolicies["readers"] {
  return readerPolicies(archive, readers) as ArchivePolicies["readers"];
}

/** What the fleet's requests depend on. */
export function worldOf({
  keyArn,
  organization,
  insideAccountIds,
  outsideAccountIds,
  trails,
  given,
}: SimulatedFleet): World {
  const region = parseKeyArn(keyArn)?.region;
  const id = organization?.id;
  if (id === undefined) return { region, given };
  const inside = new Set([
    ...(insideAccountIds ?? organization?.accountIds ?? []),
    // Anyone who declares it: an organization trail is the management account's.
    ...trails.filter(({ isOrganizationTrail }) => isOrganizationTrail).map(({ trail }) => trail.accountId),
  ]);
  const outside = new Set(outsideAccountIds);
  return {
    region,
    given,
    organizationOf: (accountId) => (inside.has(accountId) ? { id } : outside.has(accountId) ? { not: id } : "unknown"),
  };
}

/**
 * The keys that a policy names: a key's own policy as a resource, a bucket's policy where it says with what files may be
 * encrypted.
 * @param without Sids of statements that do not count.
 */
export function keysNamedIn(policy: PolicyInput, kind: "bucket" | "key", without: string[] = []): string[] {
  return keyTexts(policy, kind, without).filter((text) => parseKeyArn(text) !== undefined);
}

/**
 * The resources of a key's policy that are some of an account's keys and not others, without naming one: what they mean for the
 * logs' key depends on its id.
 */
export function keysToldApart(policy: PolicyInput, keyArn: string, without: string[] = []): string[] {
  const start = keyArn.slice(0, keyArn.indexOf("/") + 1);
  const ids = ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", `mrk-${"8".repeat(32)}`];
  return keyTexts(policy, "key", without).filter(
    (text) => /[*?$]/.test(text) && canStartWith(text, start) && !ids.every((id) => isLike(text, `${start}${id}`)),
  );
}

function keyTexts(policy: PolicyInput, kind: "bucket" | "key", without: string[]): string[] {
  const statements = (readRaw(policy, new Findings())?.statements ?? []) as (Partial<Statement> | null)[];
  const counted = statements.filter((each) => each?.Sid === undefined || !without.includes(each.Sid));
  const texts = counted.flatMap((each) =>
    kind === "key"
      ? [each?.Resource, each?.NotResource].flat()
      : Object.values(each?.Condition ?? {}).flatMap((block) =>
          Object.entries(block ?? {})
            .filter(([key]) => /^s3:x-amz-server-side-encryption-aws-kms-key-id$/i.test(key))
            .flatMap(([, values]) => values),
        ),
  );
  return texts.filter((text): text is string => typeof text === "string");
}

/** What the builders of both policies take. */
export function policyInput(fleet: SimulatedFleet): ArchiveInput {
  // Organization trails are the organization's in the policies, not among those of single accounts.
  const trails = fleet.trails.filter(({ isOrganizationTrail }) => !isOrganizationTrail).map(({ trail }) => trail);
  return { ...fleet, trails };
}

function likeliest<Form extends string>(
  deployed: PolicyInput | undefined,
  forms: Form[],
  build: (form: Form) => BuiltPolicy,
): Form {
  const found = deployed === undefined ? undefined : readRaw(deployed, new Findings());
  const texts = new Set(found?.statements.map(canonical));
  const sids = new Set(found?.statements.map((statement) => (statement as { Sid?: unknown } | null)?.Sid));
  const scores = forms.map((form) => {
    const { Statement } = build(form);
    const share = (count: number) => count / Statement.length;
    return {
      form,
      same: share(Statement.filter((statement) => texts.has(canonical(statement))).length),
      named: share(Statement.filter(({ Sid }) => sids.has(Sid)).length),
    };
  });
  scores.sort((a, b) => b.same - a.same || b.named - a.named);
  return (scores[0] as { form: Form }).form;
}
