/** Requests of attackers, and policies with one part loosened: what shows that each part of a statement stops an attack. */
import assert from "node:assert/strict";
import type { AccessRequest, RequestContext } from "../../core/evaluate";
import { cloudTrailService, evaluate } from "../../core/evaluate";
import type { TrailIdentity } from "../../core/names";
import { trailArn } from "../../core/names";
import type { PolicyDocument, Statement } from "../../core/policies/document";
import { auditAccountId } from "./fleet";

/** A request as CloudTrail makes it for a trail. */
export function fromCloudTrail(trail: TrailIdentity, action: string, resource: string, context: RequestContext) {
  return {
    caller: { kind: "service" as const, service: cloudTrailService },
    action,
    resource,
    resourceAccountId: auditAccountId,
    context: {
      "aws:SourceArn": trailArn(trail),
      "aws:SourceAccount": trail.accountId,
      "aws:SecureTransport": "true",
      ...context,
    },
  };
}

/** A request of an administrator of an account, whose own policies allow everything. */
export function fromAccount(accountId: string, action: string, resource: string, context: RequestContext = {}) {
  return {
    caller: { kind: "account" as const, arn: `arn:aws:iam::${accountId}:role/admin` },
    action,
    resource,
    resourceAccountId: auditAccountId,
    context: { "aws:SecureTransport": "true", ...context },
  };
}

/** Whether a request passes; callers in accounts bring an identity policy that allows everything. */
export function allowed(request: AccessRequest, resourcePolicy: PolicyDocument): boolean {
  const everything = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" } as const] };
  const decision = evaluate(request, { resourcePolicy, identityPolicies: [everything] });
  assert.notEqual(decision.reason, "notEvaluated", decision.explanation);
  return decision.allowed;
}

/** Calls `check` with the document without each statement of the effect. */
export function eachWithout(
  document: PolicyDocument,
  effect: Statement["Effect"],
  check: (rest: PolicyDocument, sid: string) => void,
): void {
  for (const removed of document.Statement) {
    if (removed.Effect !== effect) continue;
    check({ ...document, Statement: document.Statement.filter((each) => each !== removed) }, removed.Sid);
  }
}

/** A policy of a resource, of an identity, or of a role's trust. */
type AnyDocument = PolicyDocument<Partial<Statement>>;

/** The document with one part of one statement loosened: removed, or widened to everything; a Deny is narrowed. */
export function loosened(document: AnyDocument): Map<string, AnyDocument> {
  const all = new Map<string, AnyDocument>();
  document.Statement.forEach((statement, index) => {
    const add = (part: string, changed: Partial<Statement> | undefined) =>
      all.set(`${statement.Sid}${part}`, {
        ...document,
        Statement: document.Statement.flatMap((each, at) => (at !== index ? [each] : changed ? [changed] : [])),
      });
    if (statement.Effect === "Deny") {
      add("", undefined);
      add(" Principal", { ...statement, Principal: { AWS: "arn:aws:iam::999999999999:root" } });
      for (const action of [statement.Action ?? []].flat()) {
        const rest = [statement.Action ?? []].flat().filter((each) => each !== action);
        if (rest.length > 0) add(` Action ${action}`, { ...statement, Action: rest });
        else add(" Action", { ...statement, Action: "s3:GetObject" });
      }
      for (const resource of [statement.Resource ?? []].flat()) {
        // Nothing at all would not be a policy.
        const rest = [statement.Resource ?? []].flat().filter((each) => each !== resource);
        add(` Resource ${resource}`, { ...statement, Resource: rest.length > 0 ? rest : "arn:aws:s3:::another/*" });
      }
      for (const [operator, keys] of Object.entries(statement.Condition ?? {})) {
        if (!operator.endsWith("IfExists")) continue;
        for (const [key, value] of Object.entries(keys)) {
          const others = Object.fromEntries(Object.entries(keys).filter(([each]) => each !== key));
          const strict = { [operator]: others, [operator.replace("IfExists", "")]: { [key]: value } };
          add(` ${operator} ${key}`, { ...statement, Condition: { ...statement.Condition, ...strict } });
        }
      }
      return;
    }
    if (statement.Principal !== undefined) add(" Principal", { ...statement, Principal: "*" });
    add(" Action", { ...statement, Action: "*" });
    if (statement.Resource !== undefined && statement.Resource !== "*")
      add(" Resource", { ...statement, Resource: "*" });
    for (const [operator, keys] of Object.entries(statement.Condition ?? {})) {
      for (const key of Object.keys(keys)) {
        const others = Object.fromEntries(Object.entries(keys).filter(([each]) => each !== key));
        add(` ${operator} ${key}`, { ...statement, Condition: { ...statement.Condition, [operator]: others } });
      }
    }
  });
  return all;
}

/** Each part of each statement has an attack that it stops: refused with the part, successful without it. */
export function everyPart<Attacks extends Record<string, AccessRequest>>(
  name: string,
  document: AnyDocument,
  purposes: Record<string, keyof Attacks>,
  attacks: Attacks,
  except = /^$/,
  permits: (request: AccessRequest, document: PolicyDocument) => boolean = allowed,
): void {
  const parts = new Map([...loosened(document)].filter(([part]) => !except.test(part)));
  it(`${name}: every part has an attack`, () => {
    assert.deepEqual([...parts.keys()].sort(), Object.keys(purposes).sort());
  });
  for (const [part, attack] of Object.entries(purposes)) {
    it(`${name}: ${part} stops ${String(attack)}`, () => {
      const request = attacks[attack] as AccessRequest;
      assert.equal(permits(request, document as PolicyDocument), false);
      assert.equal(permits(request, parts.get(part) as PolicyDocument), true);
    });
  }
}
