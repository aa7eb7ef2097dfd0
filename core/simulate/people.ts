/** The simulation's questions about people and roles: reader roles, members and their own logs, MFA, and who changes the archive. */
import { memberReadPermissions } from "../policies/reader";
import type { CompiledPolicy } from "../evaluate/compile";
import { compile } from "../evaluate/compile";
import type { ArchivePolicies, SimulatedFleet, SimulatedReader, SimulatedTrail } from "./subject";
import type { QuestionId } from "./questions";
import type { WriteTarget } from "./writes";
import { bucketWrites, keyWriteGroups, queueWriteGroups, queueWrites } from "./writes";
import type { TrailIdentity } from "../names";
import type { AccessRequest, Caller, PolicyDocument, RequestContext } from "../evaluate/types";

/** A question, and what is put to the policies. */
export type Asked = [question: QuestionId, request: AccessRequest, more?: More];

/** What a question needs besides its request. */
export interface More {
  /** The caller's own policy. Left out: it may do everything that its account can allow. */
  identity?: CompiledPolicy;
  /** For `sts:AssumeRole`: the role's trust policy. */
  trust?: CompiledPolicy;
  /** Tells it from the same question about the same subject. */
  about?: string;
}

/** How requests are made; the simulation is one. */
export interface Requests {
  readonly fleet: SimulatedFleet;
  readonly policies: ArchivePolicies;
  /** The archive's bucket, as an ARN. */
  readonly bucket: string;
  /** An account that is not in the fleet. */
  readonly outsider: string;
  administratorOf(accountId: string): Caller;
  /** A request with all that AWS puts into it. */
  ask(caller: Caller, action: string, resource: string, context: RequestContext): AccessRequest;
  object(caller: Caller, action: string, resource: string): AccessRequest;
  logFile(accountId: string, region: string): string;
  read(caller: Caller, trail: TrailIdentity): AccessRequest;
  list(caller: Caller, accountId: string): AccessRequest;
  decrypt(caller: Caller, trail: TrailIdentity): AccessRequest;
}

export function withContext(asked: AccessRequest, context: RequestContext): AccessRequest {
  return { ...asked, context: { ...asked.context, ...context } };
}

const mfaKey = "aws:MultiFactorAuthPresent";
const withoutMfa: RequestContext = { [mfaKey]: "false" };
/** Requests with long-term access keys do not have the key at all. */
const withAccessKeys: RequestContext = { [mfaKey]: undefined };

/** A member account reads its own logs: with the policy that docs/readers.md gives its users, where it may; else not at all. */
export function* aboutOwnLogs(requests: Requests, trail: TrailIdentity): Generator<Asked> {
  const { fleet } = requests;
  const { accountId } = trail;
  const member = requests.administratorOf(accountId);
  const [list, object, decrypt] = [
    requests.list(member, accountId),
    requests.read(member, trail),
    requests.decrypt(member, trail),
  ];
  if (!(fleet.memberReaders ?? []).includes(accountId)) {
    yield ["unlisted/list", list];
    yield ["unlisted/object", object];
    yield ["unlisted/decrypt", decrypt];
    return;
  }
  const { partition, bucketName, logPrefix, keyArn } = fleet;
  const permissions = memberReadPermissions({ partition, bucketName, logPrefix, keyArn, accountId });
  const identity = compile(permissions as PolicyDocument, "identity");
  yield ["own/list", list, { identity }];
  yield ["own/object", object, { identity }];
  yield ["own/decrypt", decrypt, { identity }];
  if (fleet.requireMfa) yield ["no-mfa/member-read", withContext(object, withoutMfa)];
}

/** People of the audit account, who may do everything, read and delete a log without MFA. */
export function* aboutMfa(requests: Requests, trail: TrailIdentity): Generator<Asked> {
  const { fleet } = requests;
  if (!fleet.requireMfa) return;
  const person = requests.administratorOf(fleet.auditAccountId);
  const file = requests.logFile(trail.accountId, trail.region);
  const touch = (action: string, context: RequestContext) =>
    withContext(requests.object(person, action, file), context);
  yield ["no-mfa/read", touch("s3:GetObject", withoutMfa)];
  yield ["no-mfa/read-version", touch("s3:GetObjectVersion", withoutMfa)];
  yield ["no-mfa/delete", touch("s3:DeleteObject", withoutMfa)];
  yield ["no-mfa/delete-version", touch("s3:DeleteObjectVersion", withoutMfa)];
  yield ["no-mfa/keys-read", touch("s3:GetObject", withAccessKeys)];
  yield ["no-mfa/keys-delete", touch("s3:DeleteObject", withAccessKeys)];
}

/** Whatever the policies deny, the audit account can repair them, and what needs no MFA works without. */
export function* aboutUpkeep(requests: Requests, trails: SimulatedTrail[]): Generator<Asked> {
  const { fleet, bucket } = requests;
  const { auditAccountId, keyArn } = fleet;
  // Where there are break-glass roles, it is for them.
  const [breakGlass] = fleet.breakGlassRoleArns ?? [];
  const administrator: Caller =
    breakGlass === undefined ? requests.administratorOf(auditAccountId) : { kind: "account", arn: breakGlass };
  for (const [question, action] of [
    ["upkeep/bucket-read", "s3:GetBucketPolicy"],
    ["upkeep/bucket-write", "s3:PutBucketPolicy"],
    ["upkeep/bucket-delete", "s3:DeleteBucketPolicy"],
  ] as const) {
    yield [question, withContext(requests.object(administrator, action, bucket), withoutMfa)];
  }
  for (const [question, action] of [
    ["upkeep/key-read", "kms:GetKeyPolicy"],
    ["upkeep/key-write", "kms:PutKeyPolicy"],
  ] as const) {
    yield [question, requests.ask(administrator, action, keyArn, withoutMfa)];
  }
  if (!fleet.requireMfa) return;
  for (const roleArn of fleet.mfaExemptRoleArns ?? []) {
    const accountId = roleArn.split(":")[4];
    // A role of a member reads at most its own account's logs, and only where that account may.
    const isMember = (fleet.memberReaders ?? []).some((each) => each === accountId);
    const found = isMember ? trails.find(({ trail }) => trail.accountId === accountId) : trails[0];
    if (!found || (accountId !== auditAccountId && !isMember)) continue;
    const caller: Caller = { kind: "account", arn: roleArn };
    yield ["upkeep/exempt-read", withContext(requests.read(caller, found.trail), withoutMfa), { about: roleArn }];
  }
}

/** Requests that change the archive: each action on the bucket, the log file or the key. */
function changes(requests: Requests, caller: Caller, actions: readonly string[], target: WriteTarget, file: string) {
  // What has its key deleted says when: by itself, or KMS does.
  const ofKey = (action: string): RequestContext => ({
    [mfaKey]: "true",
    ...(action === "kms:ScheduleKeyDeletion" && { [windowKey]: "30" }),
  });
  return actions.map((action): [action: string, request: AccessRequest] => [
    action,
    target === "key"
      ? requests.ask(caller, action, requests.fleet.keyArn, ofKey(action))
      : withContext(
          requests.object(caller, action, target === "bucket" ? requests.bucket : file),
          action === "s3:PutObject" ? withoutEncryption : {},
        ),
  ]);
}

/** Without a word about encryption, an object gets the bucket's. */
const withoutEncryption: RequestContext = {
  "s3:x-amz-server-side-encryption": undefined,
  "s3:x-amz-server-side-encryption-aws-kms-key-id": undefined,
  "s3:x-amz-server-side-encryption-customer-algorithm": undefined,
};
const windowKey = "kms:ScheduleKeyDeletionPendingWindowInDays";

/**
 * Nobody changes the archive but who administers it: no administrator of another account, whatever is configured; and where there
 * are break-glass roles, nobody else of the audit account. Asked once, with every action that AWS has.
 */
export function* aboutTampering(requests: Requests, trails: SimulatedTrail[]): Generator<Asked> {
  const { fleet } = requests;
  // The same one in whatever order the fleet is declared.
  const [first] = trails.map(({ trail }) => trail).sort((a, b) => (a.accountId < b.accountId ? -1 : 1));
  if (!first) return;
  const file = requests.logFile(first.accountId, first.region);
  const ask = function* (question: QuestionId, caller: Caller, { target, actions }: (typeof groups)[number]) {
    const who = caller.arn?.split(":")[4];
    for (const [action, request] of changes(requests, caller, actions, target, file))
      yield [question, request, { about: `${who}/${action}` }] as Asked;
  };
  const groups = [...Object.values(bucketWrites), ...Object.values(keyWriteGroups)];
  const accounts = trails.map(({ trail }) => trail.accountId).filter((each) => each !== fleet.auditAccountId);
  const [member] = accounts.sort();
  for (const other of [...(member === undefined ? [] : [member]), requests.outsider]) {
    for (const group of groups) yield* ask(anybody[group.target], requests.administratorOf(other), group);
  }

  const administrator = requests.administratorOf(fleet.auditAccountId);
  const isGuarded = (fleet.breakGlassRoleArns ?? []).length > 0;
  yield* ask("tamper/owner-key-use", administrator, keyWriteGroups.use);
  for (const [, request] of changes(requests, administrator, ["kms:ScheduleKeyDeletion"], "key", file))
    yield ["tamper/owner-key-soon", withContext(request, { [windowKey]: "7" })];
  if (isGuarded) {
    for (const [name, group] of entriesOf(bucketWrites)) yield* ask(`tamper/owner-${name}`, administrator, group);
    for (const [name, group] of entriesOf(keyWriteGroups))
      if (name !== "use") yield* ask(`tamper/owner-key-${name}`, administrator, group);
  }
  const [breakGlass] = fleet.breakGlassRoleArns ?? [];
  const upkeep: Caller = breakGlass === undefined ? administrator : { kind: "account", arn: breakGlass };
  for (const group of groups) if (group !== keyWriteGroups.use) yield* ask(administers[group.target], upkeep, group);
}

/** The queue of new log files: S3 fills it for the archive's bucket alone, consumers empty it, and nobody else changes it. */
export function* aboutQueue(requests: Requests, trails: SimulatedTrail[]): Generator<Asked> {
  const { fleet, policies, bucket, outsider } = requests;
  const { queueArn, auditAccountId, partition, breakGlassRoleArns = [] } = fleet;
  if (queueArn === undefined || !Object.hasOwn(policies, "queue")) return;
  const byS3 = (sourceArn: string, sourceAccount: string) =>
    requests.ask({ kind: "service", service: "s3.amazonaws.com" }, "sqs:SendMessage", queueArn, {
      "aws:SourceArn": sourceArn,
      "aws:SourceAccount": sourceAccount,
      "aws:SecureTransport": "true",
    });
  yield ["deliver/notification", byS3(bucket, auditAccountId)];
  yield ["outsider/notification", byS3(`arn:${partition}:s3:::another-bucket`, outsider)];
  yield ["outsider/notification-account", byS3(bucket, outsider)];

  const by = (caller: Caller, action: string) =>
    requests.ask(caller, action, queueArn, { [mfaKey]: "true", "aws:SecureTransport": "true" });
  const all = function* (question: QuestionId, caller: Caller, actions: readonly string[]) {
    const who = caller.arn?.split(":")[4];
    for (const action of actions) yield [question, by(caller, action), { about: `${who}/${action}` }] as Asked;
  };
  const administrator = requests.administratorOf(auditAccountId);
  const accounts = trails.map(({ trail }) => trail.accountId).filter((each) => each !== auditAccountId);
  const [member] = accounts.sort();
  for (const other of [...(member === undefined ? [] : [member]), outsider])
    yield* all("tamper/any-queue", requests.administratorOf(other), [...queueWrites, "sqs:ReceiveMessage"]);
  const { policy, messages, consume } = queueWriteGroups;
  const [breakGlass] = breakGlassRoleArns;
  if (breakGlass !== undefined) {
    yield* all("tamper/owner-queue-policy", administrator, policy.actions);
    yield* all("tamper/owner-queue-messages", administrator, messages.actions);
  }
  const upkeep: Caller = breakGlass === undefined ? administrator : { kind: "account", arn: breakGlass };
  yield* all("upkeep/queue-any", upkeep, [...policy.actions, ...messages.actions]);
  yield* all("upkeep/queue-consume", administrator, [...consume.actions, "sqs:ReceiveMessage"]);
  yield ["plain-http/queue", withContext(by(administrator, "sqs:ReceiveMessage"), { "aws:SecureTransport": "false" })];
}

const anybody = { bucket: "tamper/any-bucket", object: "tamper/any-log", key: "tamper/any-key" } as const;
const administers = { bucket: "upkeep/bucket-any", object: "upkeep/log-any", key: "upkeep/key-any" } as const;

function entriesOf<Of extends object>(of: Of): [keyof Of, Of[keyof Of]][] {
  return Object.entries(of) as [keyof Of, Of[keyof Of]][];
}

/** A reader role: who may assume it, and what it then may. */
export function* aboutReader(requests: Requests, reader: SimulatedReader, trails: SimulatedTrail[]): Generator<Asked> {
  const policies = requests.policies.readers?.[reader.name];
  if (!policies) return;
  const { fleet, bucket } = requests;
  const trust = compile(policies.trust, "role");
  const identity = compile(policies.permissions, "identity");
  yield* aboutTrust(requests, reader, trust);

  const { partition, auditAccountId } = fleet;
  const arn = `arn:${partition}:sts::${auditAccountId}:assumed-role/${reader.name}/session`;
  const session: Caller = { kind: "account", arn, roleArn: reader.roleArn };
  const isMeant = ({ trail }: SimulatedTrail) => reader.accountIds?.includes(trail.accountId) ?? true;
  const meant = trails.filter(isMeant);
  for (const { trail } of meant) {
    const more = { identity, about: trail.accountId };
    yield ["reader/list", requests.list(session, trail.accountId), more];
    yield ["reader/object", requests.read(session, trail), more];
    yield ["reader/decrypt", requests.decrypt(session, trail), more];
  }

  const [first] = meant;
  const any = first ?? trails[0];
  if (!any) return;
  if (fleet.requireMfa && first && !(fleet.mfaExemptRoleArns ?? []).includes(reader.roleArn)) {
    yield ["no-mfa/reader", withContext(requests.read(session, first.trail), withoutMfa), { identity }];
  }
  const other = trails.find((each) => !isMeant(each))?.trail ?? { ...any.trail, accountId: requests.outsider };
  if (reader.accountIds) {
    yield ["beyond/list", requests.list(session, other.accountId), { identity }];
    yield ["beyond/object", requests.read(session, other), { identity }];
    yield ["beyond/decrypt", requests.decrypt(session, other), { identity }];
  } else {
    const elsewhere = withContext(requests.list(session, other.accountId), { "s3:prefix": "elsewhere/" });
    yield ["beyond/list", elsewhere, { identity }];
    yield ["beyond/object", requests.object(session, "s3:GetObject", `${bucket}/elsewhere/file`), { identity }];
    const direct = requests.ask(session, "kms:Decrypt", fleet.keyArn, { [mfaKey]: "true" });
    yield ["beyond/decrypt", direct, { identity }];
  }
  const file = requests.logFile(any.trail.accountId, any.trail.region);
  const put = requests.object(session, "s3:PutObject", file);
  yield ["beyond/write", withContext(put, { "s3:x-amz-acl": "bucket-owner-full-control" }), { identity }];
  yield ["beyond/delete", requests.object(session, "s3:DeleteObject", file), { identity }];
  const encrypt = { ...requests.decrypt(session, any.trail), action: "kms:GenerateDataKey" };
  yield ["beyond/encrypt", encrypt, { identity }];
}

function* aboutTrust(requests: Requests, reader: SimulatedReader, trust: CompiledPolicy): Generator<Asked> {
  const { requireMfa, externalId, roleArn, trustedAccounts } = reader;
  const asAgreed: RequestContext = {
    ...(requireMfa && { [mfaKey]: "true" }),
    ...(externalId !== undefined && { "sts:ExternalId": externalId }),
  };
  const assume = (accountId: string, context: RequestContext): AccessRequest =>
    requests.ask(requests.administratorOf(accountId), "sts:AssumeRole", roleArn, { ...asAgreed, ...context });
  for (const accountId of trustedAccounts) {
    yield ["reader/assume", assume(accountId, {}), { trust, about: accountId }];
  }
  yield ["beyond/assume-stranger", assume(requests.outsider, { [mfaKey]: "true" }), { trust }];
  const [trusted] = trustedAccounts;
  if (trusted === undefined) return;
  if (requireMfa) {
    yield ["beyond/assume-no-mfa", assume(trusted, withoutMfa), { trust }];
    yield ["beyond/assume-keys", assume(trusted, withAccessKeys), { trust }];
  }
  if (externalId !== undefined)
    yield ["beyond/assume-no-id", assume(trusted, { "sts:ExternalId": undefined }), { trust }];
}
