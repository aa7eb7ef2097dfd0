/**
 * Why a trail cannot deliver: which statement came nearest, what in it is wrong, and how it reads when it is right. Each
 * correction is tried: the corrected policies let the trail deliver, or it is said that they do not.
 */
import type { Decision, PolicyInput, StatementRef, Undecided } from "../evaluate";
import { compile, evaluate, lint } from "../evaluate";
import type { Finding } from "../findings";
import { bucketArn, logPath, organizationLogPath, parseTrailArn } from "../names";
import type { NamedRequest, TrailDelivery } from "../requests";
import { cloudTrailService, deliveryRequests, factsOf, withNamed } from "../requests";
import type { Point, RawStatement } from "./corrections";
import { correct, lift } from "./corrections";

/** What is asked about. */
export interface DiagnosedDelivery {
  trail: TrailDelivery;
  /** The policy's text; null: there is none; left out: it is not asked about. */
  bucketPolicy?: string | null;
  keyPolicy?: string | null;
  /** The organization's resource control policies, if the bucket and the key are in it. */
  resourceControlPolicies?: PolicyInput[];
  managementAccountId?: string;
}

type Target = NamedRequest["target"];

/** One thing to fix. */
export interface Problem {
  policy: Target | "rcp";
  /**
   * `statement`: an Allow that does not fit; `missing`: there is none for this request; `denied`: a Deny; `undecided`: nobody
   * can say without a value; `invalid`: AWS refuses the policy, or nobody knows what it means.
   */
  kind: "statement" | "missing" | "denied" | "undecided" | "invalid";
  /** `statement 2 ("CloudTrailWrite")`; for `missing` the Sid of the one to add. */
  statement: string;
  /** The requests that this keeps from being allowed, in words. */
  requests: string[];
  points: Point[];
  /** The statement as it should be; left out where it cannot be said. */
  corrected?: RawStatement;
}

export interface Diagnosis {
  verdict: "delivers" | "refused" | "undecided";
  asked: Target[];
  requests: { name: string; what: string; target: Target; answer: "allowed" | "refused" | "undecided" }[];
  /** In the order in which to fix them. */
  problems: Problem[];
  /** The policies with the corrections, where there are any. With all of them the trail delivers if `isEnough`. */
  corrected: Partial<Record<Target, string>>;
  isEnough: boolean;
  /** What does not keep the trail from delivering, and is not as it should be. */
  notes: Finding[];
}

interface RawDocument {
  Version?: string;
  Statement: RawStatement[];
  [other: string]: unknown;
}

/** More corrections than this are no mistake, but another policy. */
const mostProblems = 40;

/** Asks whether a trail can deliver, and looks for what keeps it from that. */
export function diagnose(given: DiagnosedDelivery): Diagnosis {
  return new Case(given).diagnosis();
}

class Case {
  private readonly requests: NamedRequest[];
  private readonly documents: Partial<Record<Target, RawDocument>> = {};
  private readonly changed = new Set<Target>();
  private readonly problems: Problem[] = [];
  /** Statements that would let anybody's trail in if they were corrected, by their index. */
  private passedOver: Record<number, string> = {};

  constructor(private readonly given: DiagnosedDelivery) {
    const policies = (["bucket", "key"] as const).map((target) => {
      const text = this.textOf(target);
      return text === null || text === undefined ? undefined : compile(text, target);
    });
    const controls = (given.resourceControlPolicies ?? []).map((policy) => compile(policy, "rcp"));
    const trail = withNamed(given.trail, [...policies, ...controls]);
    this.requests = deliveryRequests(trail).filter(({ target }) => this.textOf(target) !== undefined);
  }

  private textOf(target: Target): string | null | undefined {
    return target === "bucket" ? this.given.bucketPolicy : this.given.keyPolicy;
  }

  diagnosis(): Diagnosis {
    const asked = (["bucket", "key"] as const).filter((target) => this.textOf(target) !== undefined);
    const requests = this.requests.map(({ name, what, target, request }) => {
      const { allowed, reason } = this.decide({ target, request }, this.textOf(target) ?? undefined, true);
      const isOpen = reason === "notEvaluated" || reason === "undecided";
      const answer = allowed ? ("allowed" as const) : isOpen ? ("undecided" as const) : ("refused" as const);
      return { name, what, target, answer };
    });
    for (const target of asked) this.read(target);
    const left = this.correctAll();
    const answers = new Set(requests.map(({ answer }) => answer));
    return {
      verdict: answers.has("refused") ? "refused" : answers.has("undecided") ? "undecided" : "delivers",
      asked,
      requests,
      problems: this.problems,
      corrected: Object.fromEntries(
        [...this.changed].map((target) => [target, JSON.stringify(this.documents[target])]),
      ),
      isEnough: left === 0,
      notes: asked.flatMap((target) => notesOf(target, this.textOf(target))),
    };
  }

  private decide(
    { target, request }: Pick<NamedRequest, "target" | "request">,
    policy: PolicyInput | undefined,
    withControls: boolean,
  ): Decision {
    const { resourceControlPolicies = [], managementAccountId } = this.given;
    return evaluate(request, {
      resourcePolicy: policy,
      resourceKind: target,
      ...(withControls && { resourceControlPolicies, managementAccountId }),
    });
  }

  /** Takes the document apart, or says why that cannot be done. */
  private read(target: Target): void {
    const text = this.textOf(target);
    if (text === null || text === undefined) {
      this.documents[target] = { Version: "2012-10-17", Statement: [] };
      return;
    }
    const { undecidable } = compile(text, target);
    for (const { subject, message, remedy } of undecidable) {
      this.problems.push({
        policy: target,
        kind: "invalid",
        statement: subject,
        requests: ["every request"],
        points: [{ kind: "invalid", message, fix: remedy }],
      });
    }
    if (undecidable.length > 0) return;
    const document = JSON.parse(text) as Omit<RawDocument, "Statement"> & { Statement: RawStatement | RawStatement[] };
    this.documents[target] = { ...document, Statement: [document.Statement].flat() };
  }

  /** Corrects one problem after the other, each in the policies as the ones before leave them; how many requests stay refused. */
  private correctAll(): number {
    const given = new Set<NamedRequest>();
    const states = new Set<string>();
    for (let round = 0; round < mostProblems; round++) {
      const next = this.requests
        .filter((each) => !given.has(each) && this.documents[each.target] !== undefined)
        .map((each) => ({ each, decision: this.decide(each, this.current(each.target), false) }))
        .find(({ decision }) => !decision.allowed);
      if (!next) break;
      const problem = this.problemOf(next.each, next.decision);
      const known = this.problems.find(({ kind, statement, policy }) => {
        return (
          kind === "undecided" && kind === problem.kind && statement === problem.statement && policy === problem.policy
        );
      });
      if (known) known.requests.push(next.each.what);
      else this.problems.push(problem);
      // Another statement may refuse it, too; without any progress there is no more to say.
      const state = JSON.stringify(this.documents);
      if (problem.corrected === undefined || states.has(state)) given.add(next.each);
      states.add(state);
    }
    let left = 0;
    for (const each of this.requests) {
      if (this.documents[each.target] === undefined) {
        left++;
        continue;
      }
      const decision = this.decide(each, this.current(each.target), true);
      if (decision.allowed) continue;
      left++;
      if (decision.decidedBy?.policy === "rcp" || decision.undecided?.some(({ policy }) => policy === "rcp")) {
        this.addControl(each, decision);
      }
    }
    return left;
  }

  private current(target: Target): PolicyInput | undefined {
    const document = this.documents[target];
    return document === undefined || document.Statement.length === 0 ? undefined : JSON.stringify(document);
  }

  private problemOf(named: NamedRequest, decision: Decision): Problem {
    const { target, what } = named;
    const document = this.documents[target] as RawDocument;
    const problem = { policy: target, requests: [what] };
    if (decision.reason === "undecided" || decision.reason === "notEvaluated") {
      const [first] = decision.undecided ?? [];
      const misspelled = first && this.misspelled(first, named, document);
      if (misspelled) return { ...problem, ...misspelled };
      return {
        ...problem,
        kind: "undecided",
        statement: first ? nameOf(first) : "policy",
        points: [
          { kind: "undecided", message: decision.explanation, fix: "Specify the value, or change the condition." },
        ],
      };
    }
    if (decision.reason === "explicitDeny" && decision.decidedBy) {
      const { index } = decision.decidedBy;
      const lifted = lift(document.Statement[index] as RawStatement, named, decision, (statement) =>
        this.isLifted(named, statement),
      );
      if (lifted.corrected) this.replace(target, index, lifted.corrected);
      return { ...problem, kind: "denied", statement: nameOf(decision.decidedBy), ...lifted };
    }
    const nearest = this.nearestOf(named, document);
    if (nearest) {
      const { index, failed } = nearest;
      const statement = document.Statement[index] as RawStatement;
      const fixed = correct(statement, failed, named, this.wantedResources(named));
      this.replace(target, index, fixed.corrected);
      return { ...problem, kind: "statement", statement: nameOf({ index, sid: sidOf(statement) }), ...fixed };
    }
    const [passedOver] = Object.values(this.passedOver);
    this.passedOver = {};
    const corrected = this.newStatement(named);
    document.Statement.push(corrected);
    this.changed.add(target);
    const point: Point = {
      kind: "missing",
      message: [`No statement lets CloudTrail do ${named.request.action} for this trail.`, passedOver]
        .filter(Boolean)
        .join(" "),
      fix: "Add the statement.",
    };
    return { ...problem, kind: "missing", statement: sidOf(corrected) ?? "", points: [point], corrected };
  }

  /** An Allow that depends on nothing but keys that AWS does not document is most likely misspelled. */
  private misspelled(
    { effect, policy, index, depends }: Undecided,
    named: NamedRequest,
    { Statement }: RawDocument,
  ): Omit<Problem, "policy" | "requests"> | undefined {
    const isUnlisted = depends.every(({ key }) => key !== undefined && factsOf(key) === undefined);
    const statement = Statement[index];
    if (effect !== "Allow" || policy !== "resource" || !isUnlisted || statement === undefined) return undefined;
    const fixed = correct(statement, depends, named, this.wantedResources(named));
    this.replace(named.target, index, fixed.corrected);
    return { kind: "statement", statement: nameOf({ index, sid: sidOf(statement) }), ...fixed };
  }

  private replace(target: Target, index: number, statement: RawStatement): void {
    (this.documents[target] as RawDocument).Statement[index] = statement;
    this.changed.add(target);
  }

  /** Whether a Deny, changed like this, no longer stops the request. */
  private isLifted({ target, request }: NamedRequest, statement: RawStatement): boolean {
    const everything = { Effect: "Allow", Principal: "*", Action: "*", Resource: "*" };
    return this.decide({ target, request }, documentOf(everything, statement), false).allowed;
  }

  /**
   * The Allow that was most likely meant for the request, with what of it does not fit. Not one for somebody else, nor one that
   * is about another of CloudTrail's requests.
   */
  private nearestOf(named: NamedRequest, { Statement }: RawDocument) {
    this.passedOver = {};
    const others = new Set(
      this.requests.filter(({ target }) => target === named.target).map(({ request }) => request.action),
    );
    others.delete(named.request.action);
    const ranked = Statement.flatMap((statement, index) => {
      if (statement.Effect !== "Allow") return [];
      const { nearest } = this.decide(named, documentOf(statement), false);
      if (!nearest) return [];
      const failed = new Set(nearest.failed.map(({ what }) => what));
      const isMeant = isForCloudTrail(statement);
      if (failed.has("principal") && !isMeant) return [];
      if (failed.has("action") && (!isMeant || failed.has("resource") || this.isAbout(statement, others))) return [];
      const alone = nearest.failed.find((each) => each.got.length === 0 && !isTiedWithout(statement, each.key));
      if (alone) {
        const name = nameOf({ index, sid: sidOf(statement) });
        this.passedOver[index] =
          `The nearest, ${name}, is restricted by ${alone.key ?? ""} alone, which this request does not have.`;
        return [];
      }
      const distance = nearest.failed.reduce((sum, { what }) => sum + weights[what], 0);
      return [
        { index, failed: nearest.failed, distance, likeness: likenessOf(statement, named, this.given.trail.trailArn) },
      ];
    });
    ranked.sort((a, b) => a.distance - b.distance || b.likeness - a.likeness);
    return ranked[0];
  }

  /** Whether a statement is about one of these actions. */
  private isAbout(statement: RawStatement, actions: Set<string>): boolean {
    return [statement.Action].flat().some((each) => {
      if (typeof each !== "string") return false;
      const pattern = new RegExp(
        `^${each
          .replace(/[^*?\w:]/g, "")
          .replace(/\*/g, ".*")
          .replace(/\?/g, ".")}$`,
        "i",
      );
      return [...actions].some((action) => pattern.test(action));
    });
  }

  /** What the statement for a request names as its resource. */
  private wantedResources({ target, request }: NamedRequest): string[] {
    const { trail } = this.given;
    const { partition, accountId } = parseTrailArn(trail.trailArn) as NonNullable<ReturnType<typeof parseTrailArn>>;
    if (target === "key") return ["*"];
    const bucket = bucketArn(partition, trail.bucketName);
    if (request.action === "s3:GetBucketAcl") return [bucket];
    const { logPrefix, organizationId } = trail;
    const folders = [
      ...(organizationId === undefined ? [] : [organizationLogPath({ logPrefix, organizationId })]),
      logPath({ logPrefix, accountId }),
    ];
    return folders.map((folder) => `${bucket}/${folder}/*`);
  }

  private newStatement(named: NamedRequest): RawStatement {
    const { target, request } = named;
    const { trailArn } = this.given.trail;
    const condition: Record<string, Record<string, string>> = { StringEquals: { "aws:SourceArn": trailArn } };
    const isWrite = request.action === "s3:PutObject";
    const isEncryption = request.action === "kms:GenerateDataKey";
    if (isWrite) Object.assign(condition.StringEquals ?? {}, { "s3:x-amz-acl": "bucket-owner-full-control" });
    if (isEncryption) condition.StringLike = { "kms:EncryptionContext:aws:cloudtrail:arn": trailArn };
    const writes = this.requests.filter((each) => each.request.action === "s3:PutObject");
    const resources = [...new Set((isWrite ? writes : [named]).flatMap((each) => this.wantedResources(each)))];
    const sid = sids[request.action] ?? "CloudTrail";
    const taken = new Set((this.documents[target] as RawDocument).Statement.map(sidOf));
    const free = [sid, ...Array.from({ length: 100 }, (_, index) => `${sid}${index + 2}`)].find(
      (each) => !taken.has(each),
    );
    return {
      Sid: free ?? sid,
      Effect: "Allow",
      Principal: { Service: cloudTrailService },
      Action: isEncryption ? "kms:GenerateDataKey*" : request.action,
      Resource: resources.length === 1 ? resources[0] : resources,
      Condition: condition,
    };
  }

  /** A resource control policy is nobody's to change here, so only what it needs is said. */
  private addControl({ what }: NamedRequest, decision: Decision): void {
    const ref = decision.decidedBy ?? decision.undecided?.[0];
    const name =
      ref === undefined ? "policy" : `${nameOf(ref)}${ref.policyName === undefined ? "" : ` of ${ref.policyName}`}`;
    const known = this.problems.find(({ policy, statement }) => policy === "rcp" && statement === name);
    if (known) {
      known.requests.push(what);
      return;
    }
    const accountId = parseTrailArn(this.given.trail.trailArn)?.accountId ?? "";
    const isOutside = decision.because?.some(({ key }) => /^aws:SourceOrg(ID|Paths)$/i.test(key ?? ""));
    this.problems.push({
      policy: "rcp",
      kind: decision.reason === "undecided" ? "undecided" : "denied",
      statement: name,
      requests: [what],
      points: [
        {
          kind: isOutside ? "outside" : "deny",
          message: isOutside
            ? `The resource control policy stops trails of accounts outside the organization, and account ${accountId} is not in it. ${decision.explanation}`
            : `A resource control policy stops the trail. ${decision.explanation}`,
          fix: isOutside
            ? `Exempt the account in the resource control policy: add ${accountId} to aws:SourceAccount in its StringNotEqualsIfExists.`
            : "Exempt AWS services, or this trail's account, in the resource control policy.",
        },
      ],
    });
  }
}

const weights = { condition: 2, resource: 5, principal: 12, action: 30 } as const;

const sids: Record<string, string> = {
  "s3:GetBucketAcl": "CloudTrailAclCheck",
  "s3:PutObject": "CloudTrailWrite",
  "kms:DescribeKey": "CloudTrailDescribeKey",
  "kms:GenerateDataKey": "CloudTrailEncrypt",
  "kms:Decrypt": "CloudTrailDecrypt",
};

const documentOf = (...statements: RawStatement[]): string =>
  JSON.stringify({ Version: "2012-10-17", Statement: statements });

function sidOf({ Sid }: RawStatement): string | undefined {
  return typeof Sid === "string" && Sid !== "" ? Sid : undefined;
}

function nameOf({ index, sid }: Pick<StatementRef, "index" | "sid">): string {
  return sid === undefined ? `statement ${index + 1}` : `statement ${index + 1} ("${sid}")`;
}

/** Whether a statement was written for CloudTrail, even if its principal is wrong. */
function isForCloudTrail({ Principal, Condition, Sid }: RawStatement): boolean {
  const text = JSON.stringify([Principal ?? null, Condition ?? null, Sid ?? null]);
  return /cloudtrail|trail\/|aws:source(arn|account)|x-amz-acl/i.test(text);
}

const sourceKeys = /^(aws:Source(Arn|Account|OrgID|OrgPaths)|kms:EncryptionContext:aws:cloudtrail:arn)$/i;

/** Whether a statement still says whose trails it is for when a condition is taken out. */
function isTiedWithout({ Condition }: RawStatement, key: string | undefined): boolean {
  if (key === undefined || !sourceKeys.test(key)) return true;
  const keys = Object.values((Condition ?? {}) as Record<string, object>).flatMap((each) => Object.keys(each));
  return keys.some((each) => sourceKeys.test(each) && each.toLowerCase() !== key.toLowerCase());
}

/** Among statements equally far, the one that has most in common with what it should say. */
function likenessOf(statement: RawStatement, { request }: NamedRequest, trailArn: string): number {
  const text = JSON.stringify(statement);
  const parts = [...trailArn.split(/[:/]/), ...request.resource.split(/[:/]/)];
  return parts.filter((part) => part.length > 2 && text.includes(part)).length;
}

function notesOf(target: Target, text: string | null | undefined): Finding[] {
  if (text === null || text === undefined) return [];
  const { statements, undecidable } = compile(text, target);
  if (undecidable.length > 0) return [];
  const own = statements.filter(({ effect, principal }) => {
    return (
      effect === "Allow" && principal !== undefined && !principal.not && principal.set.services.has(cloudTrailService)
    );
  });
  const indexes = new Set(own.map(({ index }) => index));
  const advice = lint(text, { kind: target })
    .filter(({ statement, severity }) => severity !== "info" && statement !== undefined && indexes.has(statement))
    .map(({ id, subject, message, remedy }): Finding => ({ id, severity: "warning", subject, message, remedy }));
  const lookup = () => undefined;
  const withoutAcl = own
    .filter(({ action, conditions }) => {
      const isWrite = action !== undefined && action.list.matches("s3:putobject", lookup) !== action.not;
      return target === "bucket" && isWrite && !conditions.some(({ lookupKey }) => lookupKey === "s3:x-amz-acl");
    })
    .map(({ index, sid }): Finding => ({
      id: "explain/no-acl",
      severity: "warning",
      subject: nameOf({ index, sid }),
      message:
        "Nothing demands s3:x-amz-acl. CloudTrail always sends bucket-owner-full-control; AWS's own policy demands it, so that " +
        "the bucket's owner owns the log files whatever the bucket's ownership setting is.",
      remedy: 'Add "StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}.',
    }));
  return [...advice, ...withoutAcl];
}
