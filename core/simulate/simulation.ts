/**
 * The simulation: a fixed set of questions, put for every trail and account of the fleet to the archive's policies.
 * What must be possible is tried, what must not be possible is tried too, and what a policy's form cannot restrict is
 * shown as such.
 *
 * ```ts
 * const fleet = fleetOfSettings(settings);
 * const cells = simulate(fleet, builtPolicies(fleet));
 * const failed = cells.filter(({ verdict }) => verdict === "failed");
 * ```
 */
import { regions } from "../accounts";
import type { TrailIdentity } from "../names";
import { bucketArn, logPath, trailArn, viaS3 } from "../names";
import type { BucketPolicyForm } from "../policies/bucket";
import type { KeyPolicyForm } from "../policies/key";
import type { CompiledPolicy } from "../evaluate/compile";
import { compile } from "../evaluate/compile";
import { evaluate, judge } from "../evaluate/evaluate";
import { type GroupId, questionGroups, type QuestionId, questions } from "./questions";
import type { ArchivePolicies, SimulatedFleet, SimulatedTrail } from "./subject";
import { controlsFor } from "./subject";
import { worldOf } from "./subject";
import type { Asked, More, Requests } from "./people";
import { aboutMfa, aboutOwnLogs, aboutQueue, aboutReader, aboutTampering, aboutUpkeep, withContext } from "./people";
import type { AccessRequest, Caller, Decision, Policies, PolicyInput, RequestContext } from "../evaluate/types";
import type { TrailDelivery, World } from "../requests";
import { asked, deliveryRequests, undeclaredAccountId, withMemberships, withNamed } from "../requests";

/** What a form cannot restrict: the questions whose answer may be yes, and why. */
type Looseness = Partial<Record<QuestionId, string>>;

const anyPath =
  "the form does not restrict a trail to its account's path; CloudTrail itself writes only under the trail's own account, and DenyNestedPrefix refuses an S3 prefix inside another account's folder";
const anyRegion = "the form matches trails by name only, so a trail of that name in another Region passes";
const anyName = "the form names the accounts, not their trails";
const anyMember =
  "the form names the organization, not its accounts, so any of its accounts with a trail of that name passes";
const anyAccount = "the form matches trails by name only, so another account's trail of that name passes";

const bucketLooseness: Record<BucketPolicyForm, Looseness> = {
  perTrail: {},
  trailList: { "other-path/log": anyPath },
  trailName: {
    "other-path/log": anyPath,
    "other-region/acl-check": anyRegion,
    "other-region/log": anyRegion,
    "outsider/acl-check": anyAccount,
    "outsider/undeclared-acl-check": anyAccount,
    "outsider/log": `${anyAccount}; CloudTrail itself writes only under the trail's own account, and DenyNestedPrefix refuses an S3 prefix inside another account's folder`,
  },
  accountList: {
    "other-path/log": anyPath,
    "other-path/organization-log": anyPath,
    "other-trail/organization-log": anyName,
    "other-trail/log": anyName,
    "other-region/acl-check": anyRegion,
    "other-region/log": anyName,
    "outsider/acl-check": anyAccount,
    "outsider/undeclared-acl-check": anyAccount,
  },
  organization: {
    "other-path/log": anyPath,
    "other-path/organization-log": anyPath,
    "other-path/other-organization-log": anyPath,
    "other-region/acl-check": anyRegion,
    "other-region/log": anyRegion,
    "outsider/acl-check": anyAccount,
    "outsider/undeclared-acl-check": anyMember,
    "outsider/undeclared-log": anyMember,
  },
};

const keyLooseness: Record<KeyPolicyForm, Looseness> = {
  trailList: {},
  encryptionContext: {
    "other-trail/encrypt": anyName,
    "other-region/encrypt": anyName,
    "other-region/describe": anyRegion,
    "outsider/describe": anyAccount,
    "outsider/undeclared-describe": anyAccount,
  },
  organization: {
    "other-region/encrypt": anyRegion,
    "other-region/describe": anyRegion,
    "outsider/context": anyAccount,
    "outsider/undeclared-describe": anyMember,
    "outsider/undeclared-encrypt": anyMember,
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
  /**
   * `notTied`: it is possible, and the form of the policy cannot prevent it. `undecided`: the answer depends on what is not
   * known; it is no better than `failed`.
   */
  verdict: "ok" | "failed" | "undecided" | "notTied";
  /** For `notTied`: the form, and why it cannot. */
  notTied?: { policy: "bucket" | "key"; form: BucketPolicyForm | KeyPolicyForm; reason: string };
}

/**
 * Puts every question to the policies: for each trail of the fleet, then for each account, in the fleet's order. The
 * work grows with the number of trails, not with its square: each account is tried against one other account.
 */
export function simulate(fleet: SimulatedFleet, policies: ArchivePolicies): Cell[] {
  return [...new Simulation(fleet, policies).cells()];
}

/** An identity policy that allows everything: what a stranger's administrator may be sure to have. */
const administrator = compile(
  { Version: "2012-10-17", Statement: { Effect: "Allow", Action: "*", Resource: "*" } },
  "identity",
);

/** A policy as it was compiled, or as one of some resource. */
function asIs(policy: PolicyInput): CompiledPolicy {
  return compile(
    policy,
    typeof policy === "object" && "compiled" in policy ? (policy as CompiledPolicy).kind : "other",
  );
}

/** Of an organization trail: the organization, and members whose logs it delivers. */
interface DeliveryOf {
  organizationId?: string;
  members?: string[];
}

class Simulation implements Requests {
  private readonly compiled;
  private readonly alsoNamed: CompiledPolicy[];
  private readonly trails: SimulatedTrail[];
  /** The first trail of each account. */
  private readonly accounts: Map<string, SimulatedTrail>;
  /** The accounts, sorted, each with the one after it. */
  private readonly nextAccount: Map<string, string>;
  private readonly homeRegions: Map<string, Set<string>>;
  private readonly administrators = new Map<string, Caller>();
  readonly bucket: string;
  readonly outsider: string;
  private readonly otherName: string;
  private readonly world: World;
  /** The same, except the outsider: of another organization, and an account of this one that nobody has declared. */
  private readonly foreignWorld: World;
  private readonly undeclaredWorld: World;

  constructor(
    readonly fleet: SimulatedFleet,
    readonly policies: ArchivePolicies,
  ) {
    this.compiled = {
      bucket: policies.bucket === undefined ? undefined : compile(policies.bucket, "bucket"),
      key: policies.key === undefined ? undefined : compile(policies.key, "key"),
      queue: policies.queue === undefined ? undefined : compile(policies.queue, "other"),
    };
    this.alsoNamed = [
      ...(policies.controls?.rcps ?? []).map((policy) => compile(policy, "rcp")),
      // Only what they name counts, not what they are attached to.
      ...(policies.comparedWith ?? []).flatMap((policy) => (policy === undefined ? [] : [asIs(policy)])),
    ];
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
    // Nobody asks about the user's own partners: the outsider is a stranger.
    this.world = withMemberships(worldOf(fleet), { [this.outsider]: { id: otherOrganization } });
    this.foreignWorld = this.world;
    const { organization } = fleet;
    this.undeclaredWorld = organization
      ? withMemberships(this.world, { [this.outsider]: { id: organization.id } })
      : this.world;
    const names = new Set(this.trails.map(({ trail }) => trail.name));
    this.otherName = firstFree(names, (index) => `another-trail${index === 0 ? "" : index}`);
  }

  *cells(): Generator<Cell> {
    for (const each of this.trails) {
      const { trail, alias, isOrganizationTrail = false } = each;
      const arn = trailArn(trail);
      const subject = { alias, accountId: trail.accountId, trailArn: arn };
      const name = `${trail.accountId}/${trail.region}/${trail.name}`;
      yield* this.put(this.aboutTrail(trail), name, subject);
      yield* this.put(this.aboutOrganization(trail, isOrganizationTrail), name, subject);
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
    yield* this.put(aboutTampering(this, accounts), auditAccountId, { alias: owner, accountId: auditAccountId });
    yield* this.put(aboutQueue(this, accounts), auditAccountId, { alias: owner, accountId: auditAccountId });
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
    const target = trust ? "role" : targetOf(request.action);
    const policies: Policies = {
      resourcePolicy: target === "role" ? trust : this.compiled[target],
      resourceKind: target === "queue" ? "other" : target,
      identityPolicies: [identity],
      ...controlsFor(this.fleet, this.policies, request.caller),
    };
    const { allowed, reason, decidedBy } = judge(request, policies);
    const [group, title] = questions[question];
    const { caller, action, resource, resourceAccountId, context } = request;
    const expected = expectations[group];
    // What cannot be decided is not as expected, also where a refusal is.
    const isDecided = reason !== "notEvaluated" && reason !== "undecided";
    const asExpected = isDecided && allowed === (expected === "allow");
    const notTied =
      asExpected || !allowed || target === "role" || target === "queue" ? undefined : this.looseness(target, question);
    // The reasons of what is as expected would take most of the time.
    const explanation = asExpected ? undefined : evaluate(request, policies).explanation;
    return {
      id: `${question}@${name}`,
      question,
      group,
      title,
      subject,
      request: { caller, action, resource, resourceAccountId, context },
      expected,
      decision: { allowed, reason, ...(decidedBy && { decidedBy }), ...(explanation && { explanation }) },
      verdict: asExpected ? "ok" : notTied ? "notTied" : reason === "undecided" ? "undecided" : "failed",
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
    const otherRegions = this.regionsBeside(trail);
    const own = this.deliveryOf(trail, this.world, { otherRegions });
    for (const [question, name] of deliveries) {
      if (own[name]) yield [question, own[name]];
    }
    for (const region of otherRegions) {
      for (const [question, name] of fileDeliveries) {
        yield [question, request(own, `${name}@${region}`), { about: region }];
      }
    }
    const write = request(own, "log");

    const renamed = this.deliveryOf({ ...trail, name: this.otherName }, this.world, { only: attempts });
    const moved = this.deliveryOf({ ...trail, region: this.otherRegion(trail) }, this.world, { only: attempts });
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

    // CloudTrail puts AWSLogs/ behind the prefix that a trail's owner chooses.
    const within = (accountId: string, owner: string) => {
      const own = this.logFile(owner, trail.region).slice(this.bucket.length + 1);
      return this.logFile(accountId, trail.region).replace(/[^/]*$/, own);
    };
    if (other !== undefined) yield ["other-path/nested", { ...write, resource: within(other, trail.accountId) }];
    yield ["other-path/nested-own", { ...write, resource: within(trail.accountId, trail.accountId) }];

    const stranger = this.deliveryOf({ ...trail, accountId: this.outsider }, this.foreignWorld, { only: attempts });
    const foreign = request(stranger, "log");
    yield ["outsider/nested", { ...foreign, resource: within(trail.accountId, this.outsider) }];
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

  /** What an organization adds: its trail's own path, other organizations, and its accounts that nobody has declared. */
  private *aboutOrganization(trail: TrailIdentity, isOrganizationTrail: boolean): Generator<Asked> {
    const { organization } = this.fleet;
    if (organization === undefined) return;
    const write = request(this.deliveryOf(trail, this.world, { only: writes }), "log");
    const member = this.otherAccount(trail.accountId) ?? trail.accountId;
    const path = (organizationId: string) => this.logFile(member, trail.region, organizationId);
    if (isOrganizationTrail) {
      const organizationId = organization.id;
      const { otherRegions = [], memberAccountIds = [] } = this.named(trail, { organizationId, members: [member] });
      const own = this.deliveryOf(trail, this.world, { organizationId, members: memberAccountIds, otherRegions });
      for (const account of [...memberAccountIds, undeclaredAccountId]) {
        for (const region of ["", ...otherRegions]) {
          const about = [account === member ? "" : account, region].filter((each) => each !== "").join("/");
          for (const [question, name] of organizationDeliveries) {
            // An account that is declared to be outside of the organization has no logs there.
            const asked = own[`${name}${region === "" ? "" : `@${region}`}:${organizationId}/${account}`];
            if (asked) yield [question, asked, about === "" ? undefined : { about }];
          }
        }
      }
      yield ["other-path/other-organization-log", { ...write, resource: path(otherOrganization) }];
      const renamed = request(this.deliveryOf({ ...trail, name: this.otherName }, this.world, { only: writes }), "log");
      yield ["other-trail/organization-log", { ...renamed, resource: path(organization.id) }];
      const outsiders = { ...trail, accountId: this.outsider };
      const foreign = request(this.deliveryOf(outsiders, this.foreignWorld, { only: writes }), "log");
      yield ["outsider/organization-log", { ...foreign, resource: path(organization.id) }];
      yield ["outsider/other-organization-log", { ...foreign, resource: path(otherOrganization) }];
      return;
    }
    if (organization.trails.length > 0)
      yield ["other-path/organization-log", { ...write, resource: path(organization.id) }];
    const outsiders = { ...trail, accountId: this.outsider };
    const undeclared = this.deliveryOf(outsiders, this.undeclaredWorld, { only: attempts });
    yield ["outsider/undeclared-acl-check", request(undeclared, "bucket-acl")];
    yield ["outsider/undeclared-log", request(undeclared, "log")];
    yield ["outsider/undeclared-describe", request(undeclared, "key-describe")];
    yield ["outsider/undeclared-encrypt", request(undeclared, "key-generate")];
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
    const { organization } = this.fleet;
    const [organizationTrail] = organization?.trails ?? [];
    if (organization && organizationTrail && other !== undefined) {
      const theirs = this.logFile(other, region, organization.id);
      yield ["read-others/organization-object", this.object(member, "s3:GetObject", theirs)];
      yield ["read-others/organization-decrypt", this.decrypt(member, organizationTrail, theirs)];
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
  private deliveryOf(
    trail: TrailIdentity,
    world: World,
    { only, ...of }: DeliveryOf & { otherRegions?: string[]; only?: ReadonlySet<string> },
  ): Record<string, AccessRequest> {
    const delivery = { ...this.delivery(trail, of), world, otherRegions: of.otherRegions };
    const requests: Record<string, AccessRequest> = {};
    for (const { name, request } of deliveryRequests(delivery, only)) requests[name] = request;
    return requests;
  }

  private delivery(trail: TrailIdentity, { organizationId, members }: DeliveryOf = {}): TrailDelivery {
    const {
      bucketName,
      auditAccountId: bucketAccountId,
      logPrefix,
      keyArn,
      bucketKeyEnabled,
      isKeyUnknown,
    } = this.fleet;
    return {
      trailArn: trailArn(trail),
      bucketName,
      bucketAccountId,
      logPrefix,
      keyArn,
      isKeyUnknown,
      bucketKey: bucketKeyEnabled,
      organizationId,
      memberAccountIds: members,
    };
  }

  /** What the policies tell apart, of all that the trail delivers. */
  private named(trail: TrailIdentity, of: DeliveryOf = {}): TrailDelivery {
    return withNamed(this.delivery(trail, of), [this.compiled.bucket, this.compiled.key, ...this.alsoNamed]);
  }

  /** The Regions whose files the policies could treat in another way than those of the home Region. */
  private regionsBeside(trail: TrailIdentity): string[] {
    return this.named(trail).otherRegions ?? [];
  }

  administratorOf(accountId: string): Caller {
    let caller = this.administrators.get(accountId);
    if (caller === undefined) {
      caller = { kind: "account", arn: `arn:${this.fleet.partition}:iam::${accountId}:role/Administrator` };
      this.administrators.set(accountId, caller);
    }
    return caller;
  }

  logFile(accountId: string, region: string, organizationId?: string): string {
    const folder = `${this.bucket}/${logPath({ logPrefix: this.fleet.logPrefix, accountId, organizationId })}`;
    const name = `${accountId}_CloudTrail_${region}_20260131T1200Z_aBcDeFgHiJkLmNoP.json.gz`;
    return `${folder}/CloudTrail/${region}/2026/01/31/${name}`;
  }

  ask(caller: Caller, action: string, resource: string, context: RequestContext): AccessRequest {
    return asked(this.world, { caller, action, resource, resourceAccountId: this.fleet.auditAccountId, context });
  }

  object(caller: Caller, action: string, resource: string): AccessRequest {
    const people: RequestContext = caller.kind === "account" ? { "aws:MultiFactorAuthPresent": "true" } : {};
    return this.ask(caller, action, resource, { ...people, "aws:SecureTransport": "true" });
  }

  read(caller: Caller, { accountId, region }: TrailIdentity): AccessRequest {
    return this.object(caller, "s3:GetObject", this.logFile(accountId, region));
  }

  list(caller: Caller, accountId: string): AccessRequest {
    const prefix = `${logPath({ logPrefix: this.fleet.logPrefix, accountId })}/`;
    return withContext(this.object(caller, "s3:ListBucket", this.bucket), { "s3:prefix": prefix });
  }

  decrypt(caller: Caller, trail: TrailIdentity, file = this.logFile(trail.accountId, trail.region)): AccessRequest {
    const { keyArn, partition } = this.fleet;
    return this.ask(caller, "kms:Decrypt", keyArn, {
      "aws:MultiFactorAuthPresent": "true",
      "aws:ViaAWSService": "true",
      [contextKey]: trailArn(trail),
      "kms:EncryptionContext:aws:s3:arn": file,
      "kms:EncryptionContextKeys": ["aws:cloudtrail:arn", "aws:s3:arn"],
      "kms:ViaService": viaS3(partition, keyArn.split(":")[3] ?? ""),
    });
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

/** Some organization that is not the fleet's: ids are random. */
const otherOrganization = "o-anotherorganization";

const contextKey = "kms:EncryptionContext:aws:cloudtrail:arn";

const expectations = Object.fromEntries(questionGroups.map(({ id, expected }) => [id, expected])) as Record<
  GroupId,
  "allow" | "deny"
>;

const deliveries = [
  ["deliver/acl-check", "bucket-acl"],
  ["deliver/acl-check-arn-only", "bucket-acl-arn-only"],
  ["deliver/log", "log"],
  ["deliver/log-with-key", "log-with-key"],
  ["deliver/digest", "digest"],
  ["deliver/digest-with-key", "digest-with-key"],
  ["deliver/describe", "key-describe"],
  ["deliver/encrypt", "key-generate"],
  ["deliver/encrypt-file", "key-generate-file"],
  ["deliver/encrypt-bucket", "key-generate-bucket"],
  ["deliver/decrypt", "key-decrypt"],
] as const satisfies [QuestionId, string][];

/** The requests that differ by the Region whose events are in the file. */
const fileDeliveries = [
  ["deliver/log", "log"],
  ["deliver/log-with-key", "log-with-key"],
  ["deliver/digest", "digest"],
  ["deliver/digest-with-key", "digest-with-key"],
  ["deliver/encrypt-file", "key-generate-file"],
] as const satisfies [QuestionId, string][];

/** What is tried for a trail that may not deliver. */
const attempts: ReadonlySet<string> = new Set(["bucket-acl", "log", "key-describe", "key-generate"]);
const writes: ReadonlySet<string> = new Set(["log"]);

const organizationDeliveries = [
  ["deliver/organization-log", "log"],
  ["deliver/organization-log-with-key", "log-with-key"],
  ["deliver/organization-digest", "digest"],
  ["deliver/organization-digest-with-key", "digest-with-key"],
  ["deliver/organization-encrypt-file", "key-generate-file"],
] as const satisfies [QuestionId, string][];

/** Whose policy decides about an action. */
function targetOf(action: string): "bucket" | "key" | "queue" {
  return action.startsWith("kms:") ? "key" : action.startsWith("sqs:") ? "queue" : "bucket";
}

/** One of a delivery's requests, which it always has. */
function request(delivery: Record<string, AccessRequest>, name: string): AccessRequest {
  return delivery[name] as AccessRequest;
}

function firstFree(taken: Set<string>, candidate: (index: number) => string): string {
  let index = 0;
  while (taken.has(candidate(index))) index++;
  return candidate(index);
}
