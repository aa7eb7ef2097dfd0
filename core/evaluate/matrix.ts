/**
 * The simulation: a fixed set of questions, put for every trail and account of the fleet to the archive's policies. What must
 * be possible is tried, what must not be possible is tried too, and what a policy's form cannot tie is shown as such.
 *
 * ```ts
 * const fleet = fleetOfSettings(settings);
 * const cells = simulate(fleet, builtPolicies(fleet));
 * const failed = cells.filter(({ verdict }) => verdict === "failed");
 * ```
 */
import { regions } from "../accounts";
import type { TrailIdentity } from "../names";
import { bucketArn, logPath, trailArn } from "../names";
import type { BucketPolicyForm } from "../policies/bucket";
import type { KeyPolicyForm } from "../policies/key";
import { compile } from "./compile";
import { evaluate, judge } from "./evaluate";
import type { ArchivePolicies, SimulatedFleet, SimulatedTrail } from "./fleet";
import type { Asked, More, Requests } from "./people";
import { aboutMfa, aboutOwnLogs, aboutReader, aboutUpkeep, withContext } from "./people";
import { deliveryRequests } from "./trail";
import type { AccessRequest, Caller, Decision, Policies, RequestContext } from "./types";

/** Questions that belong together: a column of the table. */
export interface QuestionGroup {
  id: string;
  title: string;
  /** What is expected of all of them. */
  expected: "allow" | "deny";
}

/** The groups, in the order of the table. */
export const questionGroups = [
  { id: "deliver", title: "A trail of the fleet delivers its logs", expected: "allow" },
  { id: "read", title: "The audit account's administrators read the logs", expected: "allow" },
  { id: "own", title: "A member with memberAccess reads its own logs", expected: "allow" },
  { id: "reader", title: "A reader role is assumed as agreed, and reads its accounts' logs", expected: "allow" },
  { id: "upkeep", title: "The audit account can mend its policies (and exempt roles need no MFA)", expected: "allow" },
  { id: "other-trail", title: "Another trail of the same account delivers", expected: "deny" },
  { id: "other-path", title: "A trail writes to another account's path", expected: "deny" },
  { id: "outsider", title: "An account outside of the fleet delivers or reads", expected: "deny" },
  { id: "wrong-acl", title: "A log file is written with another ACL", expected: "deny" },
  { id: "plain-http", title: "The archive is used without TLS", expected: "deny" },
  { id: "anonymous", title: "Somebody without credentials reads the logs", expected: "deny" },
  {
    id: "read-others",
    title: "A member reads another account's logs, or its own without memberAccess",
    expected: "deny",
  },
  { id: "tamper", title: "A member changes or deletes its own logs", expected: "deny" },
  { id: "beyond", title: "A reader role does more, or is assumed otherwise than agreed", expected: "deny" },
  { id: "no-mfa", title: "Logs are read or deleted without MFA, where it is required", expected: "deny" },
] as const satisfies QuestionGroup[];
export type GroupId = (typeof questionGroups)[number]["id"];

/** Every question: its group, and what is asked. */
export const questions = {
  "deliver/acl-check": ["deliver", "CloudTrail checks the bucket's ACL for the trail"],
  "deliver/log": ["deliver", "CloudTrail writes a log file for the trail"],
  "deliver/digest": ["deliver", "CloudTrail writes a digest file for the trail"],
  "deliver/describe": ["deliver", "CloudTrail looks the key up for the trail"],
  "deliver/encrypt": ["deliver", "CloudTrail encrypts a log file for the trail"],
  "deliver/decrypt": ["deliver", "CloudTrail decrypts for the trail, as S3 Bucket Keys need it"],
  "read/object": ["read", "An administrator of the audit account reads a log file"],
  "read/decrypt": ["read", "An administrator of the audit account decrypts a log file"],
  "own/list": ["own", "A member's user lists its own account's log files"],
  "own/object": ["own", "A member's user reads its own account's log file"],
  "own/decrypt": ["own", "A member's user decrypts its own account's log file"],
  "reader/assume": ["reader", "A trusted account assumes the reader role as agreed"],
  "reader/list": ["reader", "The reader role lists the log files of an account it is for"],
  "reader/object": ["reader", "The reader role reads a log file of an account it is for"],
  "reader/decrypt": ["reader", "The reader role decrypts a log file of an account it is for"],
  "upkeep/bucket-read": ["upkeep", "An administrator of the audit account without MFA reads the bucket policy"],
  "upkeep/bucket-write": ["upkeep", "An administrator of the audit account without MFA changes the bucket policy"],
  "upkeep/bucket-delete": ["upkeep", "An administrator of the audit account without MFA removes the bucket policy"],
  "upkeep/key-read": ["upkeep", "An administrator of the audit account without MFA reads the key policy"],
  "upkeep/key-write": ["upkeep", "An administrator of the audit account without MFA changes the key policy"],
  "upkeep/exempt-read": ["upkeep", "A role that is exempt from MFA reads a log file without it"],
  "other-trail/acl-check": ["other-trail", "CloudTrail checks the ACL for a trail of another name"],
  "other-trail/log": ["other-trail", "A trail of another name writes a log file"],
  "other-trail/describe": ["other-trail", "CloudTrail looks the key up for a trail of another name"],
  "other-trail/encrypt": ["other-trail", "A trail of another name encrypts a log file"],
  "other-region/acl-check": ["other-trail", "CloudTrail checks the ACL for a trail of another home Region"],
  "other-region/log": ["other-trail", "A trail of the same name and another home Region writes a log file"],
  "other-region/describe": ["other-trail", "CloudTrail looks the key up for a trail of another home Region"],
  "other-region/encrypt": ["other-trail", "A trail of the same name and another home Region encrypts a log file"],
  "other-path/log": ["other-path", "The trail writes a log file under another account's path"],
  "outsider/acl-check": ["outsider", "CloudTrail checks the ACL for an outsider's trail of the same name"],
  "outsider/log": ["outsider", "An outsider's trail of the same name writes under the account's path"],
  "outsider/own-path": ["outsider", "An outsider's trail of the same name writes under the outsider's own path"],
  "outsider/describe": ["outsider", "CloudTrail looks the key up for an outsider's trail of the same name"],
  "outsider/encrypt": ["outsider", "An outsider's trail of the same name encrypts a log file"],
  "outsider/context": ["outsider", "The trail encrypts in the name of an outsider's trail"],
  "outsider/read": ["outsider", "An administrator of an outsider's account reads a log file"],
  "outsider/decrypt": ["outsider", "An administrator of an outsider's account decrypts a log file"],
  "wrong-acl/public": ["wrong-acl", "The trail writes a log file that everyone may read"],
  "wrong-acl/none": ["wrong-acl", "The trail writes a log file without giving it to the bucket's owner"],
  "plain-http/log": ["plain-http", "The trail writes a log file without TLS"],
  "plain-http/read": ["plain-http", "An administrator of the audit account reads a log file without TLS"],
  "anonymous/read": ["anonymous", "Somebody without credentials reads a log file"],
  "anonymous/list": ["anonymous", "Somebody without credentials lists the log files"],
  "read-others/object": ["read-others", "A member's administrator reads another account's log file"],
  "read-others/list": ["read-others", "A member's administrator lists another account's log files"],
  "read-others/decrypt": ["read-others", "A member's administrator decrypts another account's log file"],
  "unlisted/list": ["read-others", "The administrator of a member without memberAccess lists its own log files"],
  "unlisted/object": ["read-others", "The administrator of a member without memberAccess reads its own log file"],
  "unlisted/decrypt": ["read-others", "The administrator of a member without memberAccess decrypts its own log file"],
  "tamper/overwrite": ["tamper", "A member's administrator writes a log file of its own account"],
  "tamper/delete": ["tamper", "A member's administrator deletes a log file of its own account"],
  "tamper/delete-version": ["tamper", "A member's administrator deletes a version of a log file of its own account"],
  "beyond/assume-stranger": ["beyond", "An account that is not trusted assumes the reader role"],
  "beyond/assume-no-mfa": ["beyond", "A session without MFA assumes a reader role that requires it"],
  "beyond/assume-keys": ["beyond", "Long-term access keys without MFA assume a reader role that requires it"],
  "beyond/assume-no-id": ["beyond", "A trusted account assumes the reader role without its external id"],
  "beyond/list": ["beyond", "The reader role lists what it is not for"],
  "beyond/object": ["beyond", "The reader role reads what it is not for"],
  "beyond/decrypt": ["beyond", "The reader role decrypts what it is not for"],
  "beyond/write": ["beyond", "The reader role writes a log file"],
  "beyond/delete": ["beyond", "The reader role deletes a log file"],
  "beyond/encrypt": ["beyond", "The reader role encrypts as CloudTrail does"],
  "no-mfa/read": ["no-mfa", "An administrator of the audit account without MFA reads a log file"],
  "no-mfa/read-version": ["no-mfa", "An administrator of the audit account without MFA reads a log file's version"],
  "no-mfa/delete": ["no-mfa", "An administrator of the audit account without MFA deletes a log file"],
  "no-mfa/delete-version": ["no-mfa", "An administrator of the audit account without MFA deletes a log file's version"],
  "no-mfa/keys-read": ["no-mfa", "Long-term access keys of the audit account, without MFA, read a log file"],
  "no-mfa/keys-delete": ["no-mfa", "Long-term access keys of the audit account, without MFA, delete a log file"],
  "no-mfa/member-read": ["no-mfa", "A member's administrator without MFA reads its own log file"],
  "no-mfa/reader": ["no-mfa", "A reader role's session without MFA reads a log file"],
} as const satisfies Record<string, readonly [GroupId, string]>;
export type QuestionId = keyof typeof questions;

/** What a form cannot tie: the questions whose answer may be yes, and why. */
type Looseness = Partial<Record<QuestionId, string>>;

const anyPath =
  "the form does not tie a trail to its account's path; that CloudTrail writes under the trail's own account only is CloudTrail's promise";
const anyRegion = "the form names trails by their names only, so a trail of that name in another Region passes";
const anyName = "the form names the accounts, not their trails";
const anyAccount = "the form names trails by their names only, so another account's trail of that name passes";

const bucketLooseness: Record<BucketPolicyForm, Looseness> = {
  perTrail: {},
  trailList: { "other-path/log": anyPath },
  trailName: {
    "other-path/log": anyPath,
    "other-region/acl-check": anyRegion,
    "other-region/log": anyRegion,
    "outsider/acl-check": anyAccount,
    "outsider/log": `${anyAccount}; CloudTrail itself writes under the trail's own account only`,
  },
  accountList: {
    "other-path/log": anyPath,
    "other-trail/acl-check": anyName,
    "other-trail/log": anyName,
    "other-region/acl-check": anyName,
    "other-region/log": anyName,
  },
};

const keyLooseness: Record<KeyPolicyForm, Looseness> = {
  trailList: {},
  encryptionContext: {
    "other-trail/encrypt": anyName,
    "other-region/encrypt": anyName,
    "other-region/describe": anyRegion,
    "outsider/describe": anyAccount,
  },
};

/** A decision without what only a debugger needs: lists of hundreds of ARNs for each of thousands of cells. */
export type CellDecision = Pick<Decision, "allowed" | "reason" | "decidedBy"> & {
  /** For what is not as expected. */
  explanation?: string;
};

/** One question about one trail or account, and its answer. */
export interface Cell {
  /** Stable: the question, and whom it is about. */
  id: string;
  question: QuestionId;
  group: GroupId;
  title: string;
  /** A trail, an account, or a reader role; its name is then the alias. */
  subject: { alias: string; accountId: string; trailArn?: string; roleArn?: string };
  request: AccessRequest;
  expected: "allow" | "deny";
  decision: CellDecision;
  /** `notTied`: it is possible, and the form of the policy cannot prevent it. */
  verdict: "ok" | "failed" | "notTied";
  /** For `notTied`: the form, and why it cannot. */
  notTied?: { policy: "bucket" | "key"; form: BucketPolicyForm | KeyPolicyForm; reason: string };
}

/**
 * Puts every question to the policies: for each trail of the fleet, then for each account, in the fleet's order. The work grows
 * with the number of trails, not with its square: each account is tried against one other account.
 */
export function simulate(fleet: SimulatedFleet, policies: ArchivePolicies): Cell[] {
  return [...new Simulation(fleet, policies).cells()];
}

/** An identity policy that allows everything: what a stranger's administrator may be sure to have. */
const administrator = compile(
  { Version: "2012-10-17", Statement: { Effect: "Allow", Action: "*", Resource: "*" } },
  "identity",
);

class Simulation implements Requests {
  private readonly compiled;
  private readonly trails: SimulatedTrail[];
  /** Of each account its first trail. */
  private readonly accounts: Map<string, SimulatedTrail>;
  /** The accounts, sorted, each with the one after it. */
  private readonly nextAccount: Map<string, string>;
  private readonly homeRegions: Map<string, Set<string>>;
  readonly bucket: string;
  readonly outsider: string;
  private readonly otherName: string;

  constructor(
    readonly fleet: SimulatedFleet,
    readonly policies: ArchivePolicies,
  ) {
    this.compiled = {
      bucket: policies.bucket === undefined ? undefined : compile(policies.bucket, "bucket"),
      key: policies.key === undefined ? undefined : compile(policies.key, "key"),
    };
    this.bucket = bucketArn(fleet.partition, fleet.bucketName);
    this.trails = [...new Map(fleet.trails.map((each) => [trailArn(each.trail), each])).values()];
    this.homeRegions = new Map();
    for (const { trail } of this.trails) {
      const homes = this.homeRegions.get(trail.accountId);
      if (homes) homes.add(trail.region);
      else this.homeRegions.set(trail.accountId, new Set([trail.region]));
    }
    this.accounts = new Map();
    for (const each of this.trails) {
      if (!this.accounts.has(each.trail.accountId)) this.accounts.set(each.trail.accountId, each);
    }
    const accounts = [...this.accounts.keys()].sort();
    this.nextAccount = new Map(
      accounts.map((each, index) => [each, accounts[(index + 1) % accounts.length] as string]),
    );
    const taken = new Set([...accounts, fleet.auditAccountId]);
    this.outsider = firstFree(taken, (index) => String(999999999999 - index));
    const names = new Set(this.trails.map(({ trail }) => trail.name));
    this.otherName = firstFree(names, (index) => `another-trail${index === 0 ? "" : index}`);
  }

  *cells(): Generator<Cell> {
    for (const each of this.trails) {
      const { trail, alias } = each;
      const arn = trailArn(trail);
      const subject = { alias, accountId: trail.accountId, trailArn: arn };
      const name = `${trail.accountId}/${trail.region}/${trail.name}`;
      yield* this.put(this.aboutTrail(trail), name, subject);
    }
    const accounts = [...this.accounts.values()];
    for (const { alias, trail } of accounts) {
      const { accountId } = trail;
      yield* this.put(this.aboutAccount(trail), accountId, { alias, accountId });
    }
    if (accounts.length === 0) return;
    const { auditAccountId, readers = [] } = this.fleet;
    const owner = this.accounts.get(auditAccountId)?.alias ?? "audit";
    yield* this.put(aboutUpkeep(this, accounts), auditAccountId, { alias: owner, accountId: auditAccountId });
    for (const reader of readers) {
      const { name, roleArn } = reader;
      yield* this.put(aboutReader(this, reader, accounts), name, { alias: name, accountId: auditAccountId, roleArn });
    }
  }

  private *put(asked: Generator<Asked>, name: string, subject: Cell["subject"]): Generator<Cell> {
    for (const [question, request, more] of asked) {
      yield this.cell(question, more?.about === undefined ? name : `${name}/${more.about}`, subject, request, more);
    }
  }

  private cell(
    question: QuestionId,
    name: string,
    subject: Cell["subject"],
    request: AccessRequest,
    { trust, identity = administrator }: More = {},
  ): Cell {
    const target = trust ? "role" : request.action.startsWith("kms:") ? "key" : "bucket";
    const policies: Policies = {
      resourcePolicy: target === "role" ? trust : this.compiled[target],
      resourceKind: target,
      identityPolicies: [identity],
    };
    const { allowed, reason, decidedBy } = judge(request, policies);
    const [group, title] = questions[question];
    const expected = expectations[group];
    // What cannot be decided is not as expected, also where a refusal is.
    const asExpected = reason !== "notEvaluated" && allowed === (expected === "allow");
    const notTied = asExpected || !allowed || target === "role" ? undefined : this.looseness(target, question);
    // The reasons of what is as expected would take most of the time.
    const explanation = asExpected ? undefined : evaluate(request, policies).explanation;
    return {
      id: `${question}@${name}`,
      question,
      group,
      title,
      subject,
      request,
      expected,
      decision: { allowed, reason, ...(decidedBy && { decidedBy }), ...(explanation && { explanation }) },
      verdict: asExpected ? "ok" : notTied ? "notTied" : "failed",
      ...(notTied && { notTied }),
    };
  }

  /** What the policy's form says of a question whose answer may be yes. */
  private looseness(policy: "bucket" | "key", question: QuestionId): Cell["notTied"] {
    const { bucketForm, keyForm } = this.policies;
    const reason = policy === "bucket" ? bucketLooseness[bucketForm][question] : keyLooseness[keyForm][question];
    return reason === undefined ? undefined : { policy, form: policy === "bucket" ? bucketForm : keyForm, reason };
  }

  private *aboutTrail(trail: TrailIdentity): Generator<Asked> {
    const own = this.deliveryOf(trail);
    for (const [question, name] of deliveries) {
      if (own[name]) yield [question, own[name]];
    }
    const write = request(own, "log");

    const renamed = this.deliveryOf({ ...trail, name: this.otherName });
    const moved = this.deliveryOf({ ...trail, region: this.otherRegion(trail) });
    for (const [kind, delivery] of [
      ["other-trail", renamed],
      ["other-region", moved],
    ] as const) {
      yield [`${kind}/acl-check`, request(delivery, "bucket-acl")];
      yield [`${kind}/log`, request(delivery, "log")];
      yield [`${kind}/describe`, request(delivery, "key-describe")];
      yield [`${kind}/encrypt`, request(delivery, "key-generate")];
    }

    const other = this.otherAccount(trail.accountId);
    if (other !== undefined) yield ["other-path/log", { ...write, resource: this.logFile(other, trail.region) }];

    const stranger = this.deliveryOf({ ...trail, accountId: this.outsider });
    const foreign = request(stranger, "log");
    yield ["outsider/acl-check", request(stranger, "bucket-acl")];
    yield ["outsider/log", { ...foreign, resource: write.resource }];
    yield ["outsider/own-path", foreign];
    yield ["outsider/describe", request(stranger, "key-describe")];
    yield ["outsider/encrypt", request(stranger, "key-generate")];
    const inForeignName = { [contextKey]: request(stranger, "key-generate").context?.[contextKey] };
    yield ["outsider/context", withContext(request(own, "key-generate"), inForeignName)];

    yield ["wrong-acl/public", withContext(write, { "s3:x-amz-acl": "public-read" })];
    yield ["wrong-acl/none", withContext(write, { "s3:x-amz-acl": undefined })];
    yield ["plain-http/log", withContext(write, { "aws:SecureTransport": "false", "s3:TlsVersion": undefined })];
  }

  private *aboutAccount(trail: TrailIdentity): Generator<Asked> {
    const { accountId, region } = trail;
    const { auditAccountId } = this.fleet;
    const auditor = this.administratorOf(auditAccountId);
    yield ["read/object", this.read(auditor, trail)];
    yield ["read/decrypt", this.decrypt(auditor, trail)];

    const stranger = this.administratorOf(this.outsider);
    yield ["outsider/read", this.read(stranger, trail)];
    yield ["outsider/decrypt", this.decrypt(stranger, trail)];
    yield ["plain-http/read", withContext(this.read(auditor, trail), { "aws:SecureTransport": "false" })];
    yield ["anonymous/read", this.read({ kind: "anonymous" }, trail)];
    yield ["anonymous/list", this.list({ kind: "anonymous" }, accountId)];
    yield* aboutMfa(this, trail);

    // The audit account owns the bucket: what its own people may do with it is for its IAM policies to say.
    if (accountId === auditAccountId) return;
    yield* aboutOwnLogs(this, trail);
    const member = this.administratorOf(accountId);
    const other = this.otherAccount(accountId);
    const others = other === undefined ? undefined : this.accounts.get(other);
    if (others) {
      yield ["read-others/object", this.read(member, others.trail)];
      yield ["read-others/list", this.list(member, others.trail.accountId)];
      yield ["read-others/decrypt", this.decrypt(member, others.trail)];
    }
    const file = this.logFile(accountId, region);
    yield [
      "tamper/overwrite",
      withContext(this.object(member, "s3:PutObject", file), { "s3:x-amz-acl": "bucket-owner-full-control" }),
    ];
    yield ["tamper/delete", this.object(member, "s3:DeleteObject", file)];
    yield ["tamper/delete-version", this.object(member, "s3:DeleteObjectVersion", file)];
  }

  /** CloudTrail's requests for a trail, by their names. */
  private deliveryOf(trail: TrailIdentity): Record<string, AccessRequest> {
    const { bucketName, auditAccountId: bucketAccountId, logPrefix, keyArn, bucketKey } = this.fleet;
    const delivery = { trailArn: trailArn(trail), bucketName, bucketAccountId, logPrefix, keyArn, bucketKey };
    return Object.fromEntries(deliveryRequests(delivery).map((each) => [each.name, each.request]));
  }

  administratorOf(accountId: string): Caller {
    return { kind: "account", arn: `arn:${this.fleet.partition}:iam::${accountId}:role/Administrator` };
  }

  logFile(accountId: string, region: string): string {
    const folder = `${this.bucket}/${logPath({ logPrefix: this.fleet.logPrefix, accountId })}`;
    const name = `${accountId}_CloudTrail_${region}_20260131T1200Z_aBcDeFgHiJkLmNoP.json.gz`;
    return `${folder}/CloudTrail/${region}/2026/01/31/${name}`;
  }

  object(caller: Caller, action: string, resource: string): AccessRequest {
    const people: RequestContext = caller.kind === "account" ? { "aws:MultiFactorAuthPresent": "true" } : {};
    return {
      caller,
      action,
      resource,
      resourceAccountId: this.fleet.auditAccountId,
      context: { ...people, "aws:SecureTransport": "true", "s3:TlsVersion": "1.2" },
    };
  }

  read(caller: Caller, { accountId, region }: TrailIdentity): AccessRequest {
    return this.object(caller, "s3:GetObject", this.logFile(accountId, region));
  }

  list(caller: Caller, accountId: string): AccessRequest {
    const prefix = `${logPath({ logPrefix: this.fleet.logPrefix, accountId })}/`;
    return withContext(this.object(caller, "s3:ListBucket", this.bucket), { "s3:prefix": prefix });
  }

  decrypt(caller: Caller, trail: TrailIdentity): AccessRequest {
    const { keyArn, partition, auditAccountId } = this.fleet;
    const region = keyArn.split(":")[3] ?? "";
    return {
      caller,
      action: "kms:Decrypt",
      resource: keyArn,
      resourceAccountId: auditAccountId,
      context: {
        "aws:MultiFactorAuthPresent": "true",
        [contextKey]: trailArn(trail),
        "kms:EncryptionContext:aws:s3:arn": this.logFile(trail.accountId, trail.region),
        "kms:EncryptionContextKeys": ["aws:cloudtrail:arn", "aws:s3:arn"],
        "kms:ViaService": `s3.${region}.amazonaws.com${partition === "aws-cn" ? ".cn" : ""}`,
      },
    };
  }

  /** Another account of the fleet; the same one in whatever order the fleet is declared. */
  private otherAccount(accountId: string): string | undefined {
    const next = this.nextAccount.get(accountId);
    return next === accountId ? undefined : next;
  }

  /** A Region in which the account has no trail of the fleet. */
  private otherRegion({ partition, accountId, region }: TrailIdentity): string {
    const homes = this.homeRegions.get(accountId);
    return regions[partition].find((each) => !homes?.has(each)) ?? region;
  }
}

const contextKey = "kms:EncryptionContext:aws:cloudtrail:arn";

const expectations = Object.fromEntries(questionGroups.map(({ id, expected }) => [id, expected])) as Record<
  GroupId,
  "allow" | "deny"
>;

const deliveries = [
  ["deliver/acl-check", "bucket-acl"],
  ["deliver/log", "log"],
  ["deliver/digest", "digest"],
  ["deliver/describe", "key-describe"],
  ["deliver/encrypt", "key-generate"],
  ["deliver/decrypt", "key-decrypt"],
] as const satisfies [QuestionId, string][];

/** One of a delivery's requests, which it always has. */
function request(delivery: Record<string, AccessRequest>, name: string): AccessRequest {
  return delivery[name] as AccessRequest;
}

function firstFree(taken: Set<string>, candidate: (index: number) => string): string {
  let index = 0;
  while (taken.has(candidate(index))) index++;
  return candidate(index);
}
