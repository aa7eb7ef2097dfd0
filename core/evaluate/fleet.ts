/** The fleet and the archive's policies, as the simulation sees them: from configuration alone, or from what is deployed. */
import type { Partition } from "../accounts";
import type { Contract } from "../contract";
import type { TrailIdentity } from "../names";
import { futureKeyArn, parseTrailArn, roleArn } from "../names";
import type { BucketPolicyInput } from "../policies/bucket";
import { BucketPolicyForm, bucketPolicy, bucketPolicyIn } from "../policies/bucket";
import type { KeyPolicyInput } from "../policies/key";
import { KeyPolicyForm, keyPolicy, keyPolicyIn } from "../policies/key";
import type { PolicyDocument as BuiltPolicy } from "../policies/document";
import { canonical } from "../policies/document";
import { readerTrust, readPermissions } from "../policies/reader";
import type { AuditSettings } from "../settings";
import { Findings, readRaw } from "./compile";
import type { PolicyDocument, PolicyInput, Statement } from "./types";

/** A trail that may deliver. */
export interface SimulatedTrail {
  alias: string;
  trail: TrailIdentity;
  /** The trail that another one of its account is about to replace. */
  isPrevious: boolean;
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

/** Who else than CloudTrail may use the archive: see BucketPolicyInput. */
export interface SimulatedAccess {
  readers?: SimulatedReader[];
  memberReaders?: string[];
  requireMfa?: boolean;
  mfaExemptRoleArns?: string[];
}

/** The archive, and who delivers there. */
export interface SimulatedFleet extends SimulatedAccess {
  partition: Partition;
  auditAccountId: string;
  bucketName: string;
  logPrefix: string;
  keyArn: string;
  /** The bucket uses S3 Bucket Keys, so CloudTrail also decrypts. */
  bucketKey: boolean;
  trails: SimulatedTrail[];
}

/** The archive's policies, and the forms that say what they can tie. */
export interface ArchivePolicies {
  /** Undefined: the bucket has none. */
  bucket: PolicyInput | undefined;
  bucketForm: BucketPolicyForm;
  key: PolicyInput | undefined;
  keyForm: KeyPolicyForm;
  /** The reader roles' own policies, by the roles' names. Nothing is asked about a role that is missing here. */
  readers?: Record<string, { trust: PolicyInput; permissions: PolicyInput }>;
}

/** The fleet as an audit stack's configuration declares it. The key has no id before it exists; any will do. */
export function fleetOfSettings(settings: AuditSettings): SimulatedFleet {
  const { partition, region, auditAccountId, bucketName, logPrefix } = settings;
  return {
    partition,
    auditAccountId,
    bucketName,
    logPrefix,
    keyArn: futureKeyArn(partition, region, auditAccountId),
    bucketKey: settings.bucketKeyEnabled,
    ...accessOfSettings(settings),
    trails: settings.fleet.flatMap(({ alias, trail, previous }) => [
      { alias, trail, isPrevious: false },
      ...(previous ? [{ alias, trail: previous, isPrevious: true }] : []),
    ]),
  };
}

/** Who else uses the archive, as an audit stack's configuration declares it. */
export function accessOfSettings(settings: AuditSettings): SimulatedAccess {
  const { partition, auditAccountId, memberReaders, requireMfa, mfaExemptRoleArns } = settings;
  const readers = settings.readers.map((reader) => ({
    ...reader,
    roleArn: roleArn(partition, auditAccountId, reader.name),
  }));
  return { readers, memberReaders, requireMfa, mfaExemptRoleArns };
}

/**
 * The same as far as a deployed bucket policy says it, by the ids of its statements: it is then asked whether they do what
 * they are for. A statement that somebody removed is not missed, and of reader roles the policy says nothing.
 */
export function accessOfPolicy(bucket: PolicyInput | undefined): SimulatedAccess {
  const raw = bucket === undefined ? undefined : readRaw(bucket, new Findings());
  const statements = (raw?.statements ?? []) as (Partial<Statement> | null)[];
  const find = (sid: string) => statements.find((each) => each?.Sid === sid);
  const texts = (value: unknown): string[] => [value].flat().filter((each) => typeof each === "string");
  const members = find("MembersReadOwnLogs")?.Principal;
  const mfa = find("DenyLogAccessWithoutMfa");
  const named = typeof members === "object" ? texts(members?.AWS) : [];
  return {
    memberReaders: named.flatMap((principal) => /^(?:arn:[^:]*:iam::)?(\d{12})(?::root)?$/.exec(principal)?.[1] ?? []),
    requireMfa: mfa !== undefined,
    mfaExemptRoleArns: texts(mfa?.Condition?.ArnNotLike?.["aws:PrincipalArn"]),
  };
}

/** The fleet as a deployed audit stack's contract has it. */
export function fleetOfContract(contract: Contract, bucketKey = false, access: SimulatedAccess = {}): SimulatedFleet {
  const { partition, auditAccountId, bucketName, logPrefix, keyArn } = contract;
  // The contract's schema has checked each ARN.
  const entry = (alias: string, arn: string, isPrevious: boolean): SimulatedTrail[] => {
    const trail = parseTrailArn(arn);
    return trail ? [{ alias, trail, isPrevious }] : [];
  };
  return {
    partition,
    auditAccountId,
    bucketName,
    logPrefix,
    keyArn,
    bucketKey,
    ...access,
    trails: contract.trails.flatMap(({ alias, trailArn: arn, previousTrailArn }) => [
      ...entry(alias, arn, false),
      ...(previousTrailArn === undefined ? [] : entry(alias, previousTrailArn, true)),
    ]),
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
  };
}

/** The reader roles' own policies as the audit stack would deploy them. */
function builtReaders({ partition, bucketName, logPrefix, keyArn, readers = [] }: SimulatedFleet) {
  return Object.fromEntries(
    readers.map(({ name, ...reader }) => {
      const archive = { partition, bucketName, logPrefix, keyArn, accountIds: reader.accountIds };
      const trust = readerTrust({ partition, ...reader }) as PolicyDocument;
      return [name, { trust, permissions: readPermissions(archive) as PolicyDocument }];
    }),
  );
}

/**
 * The forms that deployed policies were most likely written in: those they share most statements with, then most Sids, and
 * the tightest among equals. So a statement that somebody loosened is held against the form, not taken for a looser form.
 * The reader roles' own policies are those that the audit stack would deploy.
 */
export function recognisedPolicies(
  fleet: SimulatedFleet,
  deployed: { bucket: PolicyInput | undefined; key: PolicyInput | undefined },
): ArchivePolicies {
  const input = policyInput(fleet);
  return {
    ...deployed,
    readers: builtReaders(fleet),
    bucketForm: likeliest(deployed.bucket, Object.values(BucketPolicyForm), (form) => bucketPolicyIn(form, input)),
    keyForm: likeliest(deployed.key, Object.values(KeyPolicyForm), (form) => keyPolicyIn(form, input)),
  };
}

/** What the builders of both policies take. */
export function policyInput(fleet: SimulatedFleet): BucketPolicyInput & KeyPolicyInput {
  return { ...fleet, trails: fleet.trails.map(({ trail }) => trail), bucketKeyEnabled: fleet.bucketKey };
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
