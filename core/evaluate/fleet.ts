/** The fleet and the archive's policies, as the simulation sees them: from configuration alone, or from what is deployed. */
import type { Partition } from "../accounts";
import type { Contract } from "../contract";
import type { TrailIdentity } from "../names";
import { futureKeyArn, parseTrailArn } from "../names";
import type { BucketPolicyForm, BucketPolicyInput } from "../policies/bucket";
import { bucketPolicy, bucketPolicyForms, bucketPolicyIn } from "../policies/bucket";
import type { KeyPolicyForm, KeyPolicyInput } from "../policies/key";
import { keyPolicy, keyPolicyForms, keyPolicyIn } from "../policies/key";
import type { OrganizationGrant } from "../policies/organization";
import { grantOf } from "../policies/organization";
import type { PolicyDocument as BuiltPolicy } from "../policies/document";
import type { AuditSettings } from "../settings";
import { Findings, readRaw } from "./compile";
import type { PolicyInput } from "./types";

/** A trail that may deliver. */
export interface SimulatedTrail {
  alias: string;
  trail: TrailIdentity;
  /** The trail that another one of its account is about to replace. */
  isPrevious: boolean;
  /** It is the organization trail, and delivers the logs of every account of the organization. */
  isOrganizationTrail?: boolean;
}

/** The archive, and who delivers there. */
export interface SimulatedFleet {
  partition: Partition;
  auditAccountId: string;
  bucketName: string;
  logPrefix: string;
  /** While the prefix is being changed: the former one, "" for none. */
  previousLogPrefix?: string;
  /** The organization, its trails, and the accounts that a policy may authorise by its id. */
  organization?: OrganizationGrant;
  keyArn: string;
  /** The bucket uses S3 Bucket Keys, so CloudTrail also decrypts. */
  bucketKey: boolean;
  trails: SimulatedTrail[];
  /** What else the configuration puts into the policies; a contract does not tell. See BucketPolicyInput. */
  memberReaders?: string[];
  requireMfa?: boolean;
  mfaExemptRoleArns?: string[];
}

/** The archive's policies, and the forms that say what they can tie. */
export interface ArchivePolicies {
  /** Undefined: the bucket has none. */
  bucket: PolicyInput | undefined;
  bucketForm: BucketPolicyForm;
  key: PolicyInput | undefined;
  keyForm: KeyPolicyForm;
}

/** The fleet as an audit stack's configuration declares it. The key has no id before it exists; any will do. */
export function fleetOfSettings(settings: AuditSettings): SimulatedFleet {
  const { partition, region, auditAccountId, bucketName, logPrefix } = settings;
  const { memberReaders, requireMfa, mfaExemptRoleArns, previousLogPrefix } = settings;
  const organization = grantOf(settings.organization);
  return {
    partition,
    auditAccountId,
    bucketName,
    logPrefix,
    keyArn: futureKeyArn(partition, region, auditAccountId),
    bucketKey: settings.bucketKeyEnabled,
    memberReaders,
    requireMfa,
    mfaExemptRoleArns,
    previousLogPrefix,
    organization,
    trails: [
      ...settings.fleet.flatMap(({ alias, trail, previous }) => [
        { alias, trail, isPrevious: false },
        ...(previous ? [{ alias, trail: previous, isPrevious: true }] : []),
      ]),
      ...organizationTrails(organization),
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

/** The fleet as a deployed audit stack's contract has it. */
export function fleetOfContract(contract: Contract, bucketKey = false): SimulatedFleet {
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
    keyArn,
    bucketKey,
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
  return { bucket: bucket.document, bucketForm: bucket.form, key: key.document, keyForm: key.form };
}

/**
 * The forms that deployed policies were most likely written in: those they share most statements with, then most Sids, and
 * the tightest among equals. So a statement that somebody loosened is held against the form, not taken for a looser form.
 */
export function recognisedPolicies(
  fleet: SimulatedFleet,
  deployed: { bucket: PolicyInput | undefined; key: PolicyInput | undefined },
): ArchivePolicies {
  const input = policyInput(fleet);
  return {
    ...deployed,
    bucketForm: likeliest(deployed.bucket, bucketPolicyForms(input), (form) => bucketPolicyIn(form, input)),
    keyForm: likeliest(deployed.key, keyPolicyForms(input), (form) => keyPolicyIn(form, input)),
  };
}

function policyInput(fleet: SimulatedFleet): BucketPolicyInput & KeyPolicyInput {
  // Organization trails are the organization's in the policies, not among those of single accounts.
  const trails = fleet.trails.filter(({ isOrganizationTrail }) => !isOrganizationTrail).map(({ trail }) => trail);
  return { ...fleet, trails, bucketKeyEnabled: fleet.bucketKey };
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

/** A statement as text, the same for any order of its keys and lists; AWS gives policies back in an order of its own. */
function canonical(statement: unknown): string {
  const order = (value: unknown, depth: number): unknown => {
    if (typeof value !== "object" || value === null || depth > 8) return typeof value === "object" ? null : value;
    if (Array.isArray(value)) {
      const texts = value.map((each) => JSON.stringify(order(each, depth + 1))).sort();
      return texts.length === 1 ? JSON.parse(texts[0] as string) : texts;
    }
    return Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, each]) => [name, order(each, depth + 1)]);
  };
  return JSON.stringify(order(statement, 0));
}
