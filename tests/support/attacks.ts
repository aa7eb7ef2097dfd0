/** Requests of attackers, and policies with one part loosened: what shows that each part of a statement stops an attack. */
import assert from "node:assert/strict";
import type { AccessRequest, RequestContext } from "../../core/evaluate";
import { evaluate } from "../../core/evaluate";
import { cloudTrailService } from "../../core/simulate";
import type { TrailIdentity } from "../../core/names";
import { trailArn } from "../../core/names";
import type { PolicyDocument, Statement } from "../../core/policies/document";
import { auditAccountId, keyArn, trailOf } from "./fleet";

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
      if (statement.NotAction !== undefined) add(" NotAction", { ...statement, NotAction: "*" });
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

/** The statements that everyPart() was told about; a number at the end of an id is an account. */
export const covered = new Set<string>();
const sidOf = (sid: string) => sid.replace(/\d+$/, "");

/** One of the break-glass roles, where there are any. */
export const deployer = { kind: "account" as const, arn: "arn:aws:sts::111111111111:assumed-role/Deploy/pipeline" };

const logFile = "arn:aws:s3:::example-logs/AWSLogs/222222222222/CloudTrail/us-east-1/2026/01/31/x.json.gz";
/** What a denial must not stop, whoever else allows it. */
const legitimate: Record<string, AccessRequest> = {
  cloudTrailPublishes: fromCloudTrail(
    trailOf("222222222222"),
    "sns:Publish",
    "arn:aws:sns:us-east-1:222222222222:deliveries",
    {},
  ),
  cloudTrailWrites: fromCloudTrail(trailOf("222222222222"), "s3:PutObject", logFile, {
    "s3:x-amz-acl": "bucket-owner-full-control",
  }),
  personReadsWithMfa: fromAccount(auditAccountId, "s3:GetObject", logFile, { "aws:MultiFactorAuthPresent": "true" }),
  exemptRoleReads: {
    ...fromAccount(auditAccountId, "s3:GetObject", logFile, { "aws:MultiFactorAuthPresent": "false" }),
    caller: { kind: "account", arn: "arn:aws:iam::111111111111:role/exporter" },
  },
  /** A service in its own name: it has no MFA, and no key that says so. */
  serviceReads: {
    ...fromAccount(auditAccountId, "s3:GetObject", logFile),
    caller: { kind: "service", service: "config.amazonaws.com" },
  },
  /** CloudTrail as it names the archive's key, and as it wrote digest files for years. */
  cloudTrailWritesWithKey: fromCloudTrail(trailOf("222222222222"), "s3:PutObject", logFile, {
    "s3:x-amz-acl": "bucket-owner-full-control",
    "s3:x-amz-server-side-encryption": "aws:kms",
    "s3:x-amz-server-side-encryption-aws-kms-key-id": keyArn,
  }),
  digestWithoutKey: fromCloudTrail(trailOf("222222222222"), "s3:PutObject", logFile, {
    "s3:x-amz-acl": "bucket-owner-full-control",
    "s3:x-amz-server-side-encryption": "AES256",
  }),
  deployerChangesBucket: {
    ...fromAccount(auditAccountId, "s3:PutBucketPolicy", "arn:aws:s3:::example-logs"),
    caller: deployer,
  },
  deployerPutsObject: {
    ...fromAccount(auditAccountId, "s3:PutObject", logFile, { "aws:MultiFactorAuthPresent": "true" }),
    caller: deployer,
  },
  deployerPutsWithKms: {
    ...fromAccount(auditAccountId, "s3:PutObject", logFile, {
      "aws:MultiFactorAuthPresent": "false",
      "s3:x-amz-server-side-encryption": "aws:kms",
    }),
    caller: deployer,
  },
  /** What stands beside the bucket: the services that write there, and the deployment of it. */
  accessLogWritten: {
    ...fromAccount(auditAccountId, "s3:PutObject", "arn:aws:s3:::example-access-logs/x"),
    caller: { kind: "service", service: "logging.s3.amazonaws.com" },
  },
  notificationSent: {
    ...fromAccount(auditAccountId, "sqs:SendMessage", "arn:aws:sqs:us-east-1:111111111111:example-logs-new-logs"),
    caller: { kind: "service", service: "s3.amazonaws.com" },
  },
  deployerChangesAccessLogs: {
    ...fromAccount(auditAccountId, "s3:PutLifecycleConfiguration", "arn:aws:s3:::example-access-logs"),
    caller: deployer,
  },
  deployerChangesQueue: {
    ...fromAccount(
      auditAccountId,
      "sqs:SetQueueAttributes",
      "arn:aws:sqs:us-east-1:111111111111:example-logs-new-logs",
    ),
    caller: deployer,
  },
  deployerChangesCopies: {
    ...fromAccount(auditAccountId, "s3:PutBucketPolicy", "arn:aws:s3:::example-copies"),
    caller: deployer,
  },
  /** Whatever a service may one day do with copies, statements that allow it say. */
  serviceChangesCopies: {
    ...fromAccount(auditAccountId, "s3:PutObjectTagging", "arn:aws:s3:::example-copies/x"),
    caller: { kind: "service", service: "s3.amazonaws.com" },
  },
  copyWritten: {
    ...fromAccount(auditAccountId, "s3:ReplicateObject", "arn:aws:s3:::example-copies/x"),
    caller: { kind: "account", arn: "arn:aws:sts::111111111111:assumed-role/CrosstrailReplication/s3-replication" },
  },
  /** As deployed: the longest time there is. */
  keyDeletedInTime: fromAccount(auditAccountId, "kms:ScheduleKeyDeletion", keyArn, {
    "kms:ScheduleKeyDeletionPendingWindowInDays": "30",
  }),
};

/** Each condition of each denial spares something: without the condition, that is refused as well. */
function everyExemption(name: string, document: AnyDocument): void {
  const everyone: Statement = { Sid: "All", Effect: "Allow", Principal: "*", Action: "*", Resource: "*" };
  const passing = (of: AnyDocument) => {
    const open = { ...of, Statement: [...of.Statement, everyone] } as PolicyDocument;
    return Object.keys(legitimate).filter((each) => allowed(legitimate[each] as AccessRequest, open));
  };
  document.Statement.forEach((statement, index) => {
    if (statement.Effect !== "Deny") return;
    for (const [operator, keys] of Object.entries(statement.Condition ?? {})) {
      for (const key of Object.keys(keys)) {
        it(`${name}: ${statement.Sid} spares somebody by ${operator} ${key}`, () => {
          const changed = structuredClone(document);
          const conditions = changed.Statement[index]?.Condition?.[operator];
          delete conditions?.[key];
          const before = passing(document);
          assert.ok(before.includes("cloudTrailWrites") && before.includes("personReadsWithMfa"));
          assert.notDeepEqual(passing(changed), before);
        });
      }
    }
  });
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
  for (const { Sid = "" } of document.Statement) covered.add(sidOf(Sid));
  everyExemption(name, document);
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
