/**
 * Decides requests.
 * Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 *          https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
 *          https://docs.aws.amazon.com/kms/latest/developerguide/control-access.html
 *          https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
 *          https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
 *
 * Service and resource control policies count where they are given. Permissions boundaries, session policies, ACLs, KMS
 * grants and S3 Block Public Access are not looked at: they can take away what is allowed here, and grants and ACLs can
 * add to it.
 */
import type { CompiledPolicy, CompiledStatement } from "./compile";
import { compile } from "./compile";
import type { Condition, Truth, WhyUndecided } from "./conditions";
import { holds } from "./conditions";
import { derivedContext, givenContext, isUnknown } from "./context";
import { explain } from "./explain";
import type { Lookup } from "./pattern";
import type { Cover, Identity } from "./principals";
import { covers, describeCaller, mayBeMeant, readCaller, sparedByNotPrincipal } from "./principals";
import type {
  AccessRequest,
  Decision,
  Judgement,
  Mismatch,
  NearestAllow,
  Policies,
  PolicyFinding,
  PolicyInput,
  ResourceKind,
  StatementRef,
  Undecided,
  UnknownValue,
} from "./types";

type Values = readonly string[] | UnknownValue | undefined;

/** A request, understood. */
interface Question {
  request: AccessRequest;
  action: string;
  caller: Identity;
  /** The values of a condition key, by its name in lower case. */
  valuesOf(key: string): Values;
  lookup: Lookup;
  kind: ResourceKind;
}

interface Side {
  policy: StatementRef["policy"];
  policyIndex?: number;
  policyName?: string;
  statements: readonly CompiledStatement[];
}

/**
 * Answers whether IAM allows the request, and why. Whatever the policies say, it does not throw: what cannot be
 * understood is `notEvaluated`, and not allowed.
 */
export function evaluate(request: AccessRequest, policies: Policies): Decision {
  const asked = ask(request, policies);
  if ("findings" in asked) {
    const who = asked.caller === undefined ? "the caller" : describeCaller(asked.caller);
    const decision: Omit<Decision, "explanation"> = {
      allowed: false,
      reason: "notEvaluated",
      findings: asked.findings,
    };
    return { ...decision, explanation: explain(decision, request, who) };
  }
  const { question, resource, identities } = asked;
  const verdict = decide(asked);
  const decision = {
    ...summary(verdict),
    ...(verdict.missing && missingAllow(asked, verdict.missing)),
    ...(verdict.reason === "explicitDeny" && verdict.by && { because: reasons(verdict.by.statement, question) }),
    ...(verdict.open && { undecided: verdict.open.map((each) => undecidedBy(each, question)) }),
  };
  const circumstances = {
    kind: question.kind,
    noResourcePolicy: !resource.exists,
    noIdentityPolicy: identities.length === 0,
    delegated: verdict.delegated === true,
  };
  return { ...decision, explanation: explain(decision, request, describeCaller(question.caller), circumstances) };
}

/**
 * The same answer without the reasons, for thousands of requests: looking for the nearest allow takes many times longer
 * than deciding.
 */
export function judge(request: AccessRequest, policies: Policies): Judgement {
  const asked = ask(request, policies);
  return "findings" in asked ? { allowed: false, reason: "notEvaluated" } : summary(decide(asked));
}

/** A request and the policies that decide it, understood. */
interface Asked {
  question: Question;
  resource: Side & { exists: boolean };
  identities: Side[];
  /** The organization's policies that hold for this request. */
  controls: { rcp: Side[]; scp: (Side & { level: number })[] };
}

function ask(request: AccessRequest, policies: Policies): Asked | { caller?: Identity; findings: PolicyFinding[] } {
  const kind = policies.resourceKind ?? inferKind(request);
  const question = readRequest(request, kind);
  if (typeof question === "string") return { findings: [requestFinding(question)] };
  const resource = policies.resourcePolicy === undefined ? undefined : compile(policies.resourcePolicy, kind);
  // Nobody but users and roles has identity policies.
  const hasIdentity = question.caller.kind === "account" && question.caller.type !== "root";
  const identities = hasIdentity ? (policies.identityPolicies ?? []).map((policy) => compile(policy, "identity")) : [];
  const controls = controlPolicies(question, policies);
  const findings = [resource ?? [], ...identities, ...controls.rcp, ...controls.scp].flatMap((policy) =>
    "undecidable" in policy ? policy.undecidable : [],
  );
  if (findings.length > 0) return { caller: question.caller, findings };
  return {
    question,
    resource: { policy: "resource", statements: resource?.statements ?? [], exists: resource !== undefined },
    identities: identities.map(({ statements }, policyIndex) => ({ policy: "identity", policyIndex, statements })),
    controls: {
      rcp: sidesOf("rcp", controls.rcp),
      scp: sidesOf("scp", controls.scp).map((side, index) => ({ ...side, level: controls.levels[index] ?? 0 })),
    },
  };
}

function sidesOf(policy: "rcp" | "scp", compiled: CompiledPolicy[]): Side[] {
  return compiled.map(({ statements, name: policyName }, policyIndex) => ({
    policy,
    policyIndex,
    ...(policyName !== undefined && { policyName }),
    statements,
  }));
}

/**
 * The control policies that hold for a request.
 * Sources: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html ("Resources and
 * entities          not restricted by RCPs")
 * https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html ("Tasks and entities not
 * restricted by SCPs")
 */
function controlPolicies(
  { caller, request }: Question,
  { resourceControlPolicies = [], serviceControlPolicies = [], managementAccountId }: Policies,
): { rcp: CompiledPolicy[]; scp: CompiledPolicy[]; levels: number[] } {
  const isServiceLinked = /:role\/aws-service-role\//.test(caller.principalArn ?? "");
  const rcp = isServiceLinked || request.resourceAccountId === managementAccountId ? [] : resourceControlPolicies;
  const isRestricted = caller.kind === "account" && !isServiceLinked && caller.accountId !== managementAccountId;
  const levels: readonly (PolicyInput | readonly PolicyInput[])[] = isRestricted ? serviceControlPolicies : [];
  const scp = levels.flatMap((at, level) =>
    (Array.isArray(at) ? (at as PolicyInput[]) : [at as PolicyInput]).map((policy) => ({ policy, level })),
  );
  return {
    rcp: rcp.map((policy) => compile(policy, "rcp")),
    scp: scp.map(({ policy }) => compile(policy, "scp")),
    levels: scp.map(({ level }) => level),
  };
}

/** What a resource is, seen from its ARN and the action. */
function inferKind(request: AccessRequest): ResourceKind {
  if (/^kms:/i.test(request.action) && /^arn:[^:]*:kms:[^:]*:[^:]*:key\//.test(request.resource)) return "key";
  if (/^arn:[^:]*:iam::[^:]*:role\//.test(request.resource)) {
    return /^sts:/i.test(request.action) ? "role" : "other";
  }
  return /^arn:[^:]*:s3:::/.test(request.resource) ? "bucket" : "other";
}

function readRequest(request: AccessRequest, kind: ResourceKind): Question | string {
  if (!/^[A-Za-z0-9-]+:[A-Za-z0-9]+$/.test(request.action)) return `'${request.action}' is not an action`;
  if (!request.resource.startsWith("arn:")) return `'${request.resource}' is not the ARN of a resource`;
  if (!/^\d{12}$/.test(request.resourceAccountId)) {
    return `'${request.resourceAccountId}' is not an account of 12 digits`;
  }
  const caller = readCaller(request);
  if (typeof caller === "string") return caller;
  const context = givenContext(request);
  if (typeof context === "string") return context;
  const { further } = request;
  const valuesOf = (key: string): Values => {
    return context.get(key) ?? derivedContext(key, request, caller) ?? further?.(key);
  };
  const lookup: Lookup = (key) => {
    const values = valuesOf(key);
    if (isUnknown(values)) return null;
    // A key with several values cannot be a policy variable (IAM user guide, "Single-valued vs. multivalued").
    return values?.length === 1 ? values[0] : undefined;
  };
  return { request, action: request.action.toLowerCase(), caller, valuesOf, lookup, kind };
}

function requestFinding(message: string): PolicyFinding {
  return {
    id: "policy/request",
    severity: "error",
    subject: "request",
    message: `The request is invalid: ${message}.`,
    remedy: "Correct the request.",
    undecidable: true,
  };
}

/** A statement of one of the policies. */
interface Found {
  side: Side;
  statement: CompiledStatement;
}

/** What was decided, and by which statements. */
interface Verdict {
  allowed: boolean;
  reason: "allowed" | "explicitDeny" | "implicitDeny" | "undecided";
  by?: Found;
  also?: Found;
  missing?: Decision["missing"];
  /** The resource policy allows the caller's account, which leaves the say to the identity policies. */
  delegated?: boolean;
  /** For what is undecided: the statements that it depends on. */
  open?: Found[];
}

function summary({ allowed, reason, by, also }: Verdict): Judgement {
  return {
    allowed,
    reason,
    ...(by && { decidedBy: refer(by.side, by.statement) }),
    ...(also && { alsoBy: refer(also.side, also.statement) }),
  };
}

/**
 * Statements by which nobody can decide are first taken to be of no help: a Deny applies, an Allow does not. Where it then
 * matters that they could be, nothing is decided.
 */
function decide(asked: Asked): Verdict {
  const { question, resource, identities, controls } = asked;
  const open: Found[] = [];
  // Not even the owner's root user is exempt from the organization's policies.
  const own = ownsBucketPolicy(question) ? [] : [resource, ...identities];
  const denial = findFirst([...controls.rcp, ...controls.scp, ...own], (side) => findDeny(question, side, open));
  if (denial) return { allowed: false, reason: "explicitDeny", by: denial };
  const verdict = weighAllows(asked, open);
  if (open.length === 0 || (verdict.allowed && !open.some(({ statement }) => statement.effect === "Deny"))) {
    return verdict;
  }
  // What is refused whatever the open statements say is refused.
  const best = verdict.allowed ? verdict : weighAllows(asked, "helpful");
  if (!best.allowed) return verdict;
  const [by] = open;
  return { allowed: false, reason: "undecided", by, open };
}

/**
 * Whether the allows suffice.
 * @param open collects the allows by which nobody can decide; or "helpful": they count as allows.
 */
function weighAllows({ question, resource, identities, controls }: Asked, open: Found[] | "helpful"): Verdict {
  const { request, caller } = question;
  const allow = (by?: Found, also?: Found): Verdict => ({ allowed: true, reason: "allowed", by, also });
  const refuse = (missing: Verdict["missing"], delegated?: boolean): Verdict => ({
    allowed: false,
    reason: "implicitDeny",
    missing,
    delegated,
  });

  // "For a permission to be allowed for a specific account, there must be an explicit Allow statement at every level." Where a level
  // has none, it has FullAWSAccess, which need not be given.
  for (const level of new Set(controls.scp.map((side) => side.level))) {
    const at = controls.scp.filter((side) => side.level === level);
    const isAllowList = at.some(({ statements }) => statements.some(({ effect }) => effect === "Allow"));
    if (isAllowList && !findFirst(at, (side) => findAllow(question, side, open))) return refuse(["scp"]);
  }
  if (ownsBucketPolicy(question)) return allow();

  const byResource = findAllow(question, resource, open);
  const sameAccount = caller.accountId === request.resourceAccountId;
  const strict = question.kind === "key" || question.kind === "role";
  if (isRefusedKind(question)) return refuse([]);
  if (caller.kind !== "account") return byResource ? allow(byResource) : refuse(["resource"]);

  if (sameAccount) {
    // A resource policy that names a principal of its own account needs no identity policy.
    if (byResource?.cover === "direct") return allow(byResource);
    if (caller.type === "root" && !strict) return allow();
  } else if (caller.type === "root" && byResource) {
    // The root user has every permission of its own account, so only the resource's side counts.
    return allow(byResource);
  }
  const byIdentity = findFirst(identities, (side) => findAllow(question, side, open));
  const resourceNeeded = strict || !sameAccount;
  if (byIdentity && !resourceNeeded) return allow(byIdentity);
  if (byIdentity && byResource) return allow(byResource, byIdentity);
  const missing: Decision["missing"] = [];
  if (!byResource) missing.push("resource");
  if (!byIdentity && caller.type !== "root") missing.push("identity");
  return refuse(missing, byResource?.cover === "account");
}

const policyActions = new Set(["s3:getbucketpolicy", "s3:putbucketpolicy", "s3:deletebucketpolicy"]);

/**
 * "The root user of the AWS account that owns a bucket can always use this operation, even if the policy explicitly
 * denies the root user the ability to perform this action." (S3 API, GetBucketPolicy, PutBucketPolicy,
 * DeleteBucketPolicy)
 */
function ownsBucketPolicy({ kind, caller, request, action }: Question): boolean {
  return (
    kind === "bucket" &&
    caller.type === "root" &&
    caller.accountId === request.resourceAccountId &&
    policyActions.has(action)
  );
}

/**
 * Callers whom no policy can let in: KMS and STS take signed requests only (`sts:AssumeRole` and its kin; the federated
 * ones are not modeled), and a root user cannot assume a role.
 */
function isRefusedKind({ kind, caller }: Question): boolean {
  if (caller.kind === "anonymous") return kind === "key" || kind === "role";
  return kind === "role" && caller.type === "root";
}

function findFirst<T, R>(items: readonly T[], check: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = check(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

function refer(side: Side, statement: CompiledStatement): StatementRef {
  return {
    policy: side.policy,
    ...(side.policyIndex === undefined ? {} : { policyIndex: side.policyIndex }),
    ...(side.policyName === undefined ? {} : { policyName: side.policyName }),
    ...(statement.sid ? { sid: statement.sid } : {}),
    index: statement.index,
  };
}

/**
 * Whether an Action or Resource element takes the text in; a missing one (a key's) takes nothing in. A variable without a value
 * matches nothing; which texts a `Not` element with one leaves out, nobody knows.
 */
function takes(element: CompiledStatement["action"], value: string, question: Question): Truth {
  if (element === undefined) return false;
  const listed = element.list.matches(value, question.lookup);
  if (listed === null) return undefined;
  if (!element.not) return listed === true;
  return listed === undefined ? undefined : !listed;
}

function takesResource(statement: CompiledStatement, question: Question): Truth {
  if (statement.resource === undefined && question.kind === "role") return true;
  return takes(statement.resource, question.request.resource, question);
}

/** How a statement covers the caller. An identity policy is about the identity it is attached to. */
function coverOf(statement: CompiledStatement, caller: Identity): Cover {
  const { principal } = statement;
  if (principal === undefined) return "direct";
  const { set } = principal;
  if (!principal.not) return covers(set, caller) ?? (mayBeMeant(set, caller) ? "unknown" : undefined);
  if (statement.effect === "Deny" ? sparedByNotPrincipal(set, caller) : covers(set, caller) !== undefined) {
    return undefined;
  }
  return mayBeMeant(set, caller) ? "unknown" : "direct";
}

/** Whether a statement is about the request: how it covers the caller, or that nobody can say ("unknown"). */
function coverIfApplies(statement: CompiledStatement, question: Question): Cover {
  const action = takes(statement.action, question.action, question);
  if (action === false) return undefined;
  const resource = takesResource(statement, question);
  if (resource === false) return undefined;
  const cover = coverOf(statement, question.caller);
  if (cover === undefined) return undefined;
  let undecided = action === undefined || resource === undefined || cover === "unknown";
  for (const condition of statement.conditions) {
    const { truth } = conditionTruth(condition, question);
    if (truth === false) return undefined;
    if (truth === undefined) undecided = true;
  }
  return undecided ? "unknown" : cover;
}

function findDeny(question: Question, side: Side, open: Found[]): Found | undefined {
  for (const statement of side.statements) {
    if (statement.effect !== "Deny") continue;
    const cover = coverIfApplies(statement, question);
    if (cover === "unknown") open.push({ side, statement });
    else if (cover !== undefined) return { side, statement };
  }
  return undefined;
}

/** For a denial: the conditions that hold. */
function reasons(statement: CompiledStatement, question: Question): Mismatch[] {
  return statement.conditions.map((each) => fact(each, question, conditionTruth(each, question).undecided));
}

function conditionTruth(condition: Condition, question: Question): ReturnType<typeof holds> {
  return holds(condition, question.valuesOf(condition.lookupKey), question.lookup);
}

interface FoundAllow extends Found {
  cover: "direct" | "account";
}

/** The first allow; one that names the caller goes before one that names only its account, for it grants more. */
function findAllow(question: Question, side: Side, open: Found[] | "helpful"): FoundAllow | undefined {
  let byAccount: FoundAllow | undefined;
  for (const statement of side.statements) {
    if (statement.effect !== "Allow") continue;
    let cover = coverIfApplies(statement, question);
    if (cover === "unknown") {
      if (open !== "helpful") {
        open.push({ side, statement });
        continue;
      }
      const most = coverOf(statement, question.caller);
      cover = most === "unknown" ? "direct" : most;
    }
    if (cover === undefined || (cover === "account" && byAccount)) continue;
    const found: FoundAllow = { side, statement, cover };
    if (cover === "direct") return found;
    byAccount = found;
  }
  return byAccount;
}

/** A statement by which nobody can decide, with what it depends on. */
function undecidedBy({ side, statement }: Found, question: Question): Undecided {
  const { request, caller } = question;
  const depends: Mismatch[] = [];
  if (coverOf(statement, caller) === "unknown") {
    const undecided = "which account a canonical user id belongs to is not known";
    depends.push({
      what: "principal",
      wanted: statement.principal?.set.shown ?? [],
      got: [describeCaller(caller)],
      undecided,
    });
  }
  for (const [what, element, got] of [
    ["action", statement.action, request.action],
    ["resource", statement.resource, request.resource],
  ] as const) {
    if (element === undefined || takes(element, what === "action" ? question.action : got, question) !== undefined)
      continue;
    depends.push({ what, wanted: element.shown, got: [got], undecided: undecidedTexts.unknownVariable });
  }
  for (const condition of statement.conditions) {
    const { truth, undecided } = conditionTruth(condition, question);
    if (truth === undefined) depends.push(fact(condition, question, undecided));
  }
  return { ...refer(side, statement), effect: statement.effect, depends };
}

function missingAllow(
  { question, resource, identities, controls }: Asked,
  missing: NonNullable<Decision["missing"]>,
): Pick<Decision, "missing" | "nearest"> {
  // What no policy can allow has no nearest allow.
  if (missing.length === 0) return { missing };
  if (missing.includes("scp")) {
    const nearest = findNearest(question, controls.scp);
    return { missing, ...(nearest ? { nearest } : {}) };
  }
  const sides: Side[] = missing.includes("identity") ? [...identities] : [];
  // In the caller's own account a resource policy that names the caller does without an identity policy.
  const ownAccount = question.caller.accountId === question.request.resourceAccountId;
  if (missing.includes("resource") || ownAccount) sides.unshift(resource);
  const nearest = findNearest(question, sides);
  return { missing, ...(nearest ? { nearest } : {}) };
}

/** How far a statement is from allowing: a wrong value is nearer than a wrong path, a wrong caller, a wrong action. */
const distances = { condition: 2, resource: 5, principal: 12, action: 30 } as const;

function findNearest(question: Question, sides: Side[]): NearestAllow | undefined {
  let best: { side: Side; statement: CompiledStatement; distance: number } | undefined;
  // Only looked at when two statements are equally far.
  let likeness: number | undefined;
  for (const side of sides) {
    for (const statement of side.statements) {
      if (statement.effect !== "Allow") continue;
      const distance = distanceOf(statement, question);
      // At no distance it does allow, but only together with the other side.
      if (distance === 0 || (best && distance > best.distance)) continue;
      const tied = best !== undefined && distance === best.distance;
      const own = tied ? likenessOf(statement, question) : undefined;
      if (best && own !== undefined) {
        likeness ??= likenessOf(best.statement, question);
        if (own <= likeness) continue;
      }
      best = { side, statement, distance };
      likeness = own;
    }
  }
  return best && { ...refer(best.side, best.statement), failed: mismatches(best.statement, question) };
}

function distanceOf(statement: CompiledStatement, question: Question): number {
  let distance = 0;
  if (takes(statement.action, question.action, question) !== true) distance += distances.action;
  if (takesResource(statement, question) !== true) distance += distances.resource;
  if (coverOf(statement, question.caller) === undefined) distance += distances.principal;
  for (const each of statement.conditions) {
    if (conditionTruth(each, question).truth !== true) distance += distances.condition;
  }
  return distance;
}

/** Among statements equally far, the one for the most similar path is meant: one per account is the common case. */
function likenessOf(statement: CompiledStatement, question: Question): number {
  let most = 0;
  for (const text of statement.resource?.shown ?? []) {
    let same = 0;
    while (same < text.length && text.charAt(same) === question.request.resource.charAt(same)) same++;
    most = Math.max(most, same);
  }
  return most;
}

function mismatches(statement: CompiledStatement, question: Question): Mismatch[] {
  const { request, caller } = question;
  const failed: Mismatch[] = [];
  if (coverOf(statement, caller) === undefined) {
    failed.push({ what: "principal", wanted: statement.principal?.set.shown ?? [], got: [describeCaller(caller)] });
  }
  if (takes(statement.action, question.action, question) !== true) {
    failed.push({ what: "action", wanted: statement.action?.shown ?? [], got: [request.action] });
  }
  if (takesResource(statement, question) !== true) {
    failed.push({ what: "resource", wanted: statement.resource?.shown ?? [], got: [request.resource] });
  }
  for (const each of statement.conditions) {
    const { truth, undecided } = conditionTruth(each, question);
    if (truth !== true) failed.push(fact(each, question, undecided));
  }
  return failed;
}

const undecidedTexts: Record<WhyUndecided, string> = {
  manyValues: "the request has several values, and the operator has neither ForAnyValue nor ForAllValues",
  wrongType: "the request's value is not of the operator's type",
  unresolved: "the request has no value for a policy variable",
  emptyValue: "the request's value is empty, which can count as absent",
  anyIfExists: "the request does not have the key, and ForAnyValue and IfExists contradict each other about that",
  noArn: "a value is not an ARN, or has a policy variable without a value",
  unknown: "the value is not known",
  unknownVariable: "the value of a policy variable is not known",
};

/** Why an unknown value does not decide, and what would. */
function unknownText({ presence, hint }: UnknownValue): string {
  const what =
    presence === "always"
      ? "every such request has it, but its value is not known"
      : "whether the request has it is not known";
  return hint === undefined ? what : `${what}; ${hint}`;
}

function fact(condition: Condition, question: Question, undecided: WhyUndecided | undefined): Mismatch {
  const values = question.valuesOf(condition.lookupKey);
  const text =
    undecided === "unknown" && isUnknown(values) ? unknownText(values) : undecided && undecidedTexts[undecided];
  return {
    what: "condition",
    operator: condition.operator,
    key: condition.key,
    wanted: condition.wanted,
    got: isUnknown(values) ? [] : [...(values ?? [])],
    ...(text === undefined ? {} : { undecided: text }),
  };
}
