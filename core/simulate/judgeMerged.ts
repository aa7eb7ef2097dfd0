/** Whether Crosstrail's statements do their work beside those of somebody else's policy. */
import type { Finding } from "../findings";
import { bucketArn, trailArn } from "../names";
import type { BucketPolicyForm } from "../policies/bucket";
import { policyDocument } from "../policies/document";
import type { KeyPolicyForm } from "../policies/key";
import type { Merge } from "../policies/merge";
import type { CompiledPolicy } from "../evaluate/compile";
import { compile } from "../evaluate/compile";
import { evaluate } from "../evaluate/evaluate";
import { unstorable } from "../evaluate/storable";
import { asked } from "../requests";
import type { ArchivePolicies, SimulatedFleet } from "./subject";
import { builtReaders, worldOf } from "./subject";
import { lint } from "../evaluate/lint";
import { isLike } from "../evaluate/pattern";
import { simulate } from "./simulation";
import type { NamedDecision } from "./delivery";
import { whyNoDelivery } from "./delivery";
import type { Decision, PolicyInput } from "../evaluate/types";

/** A merged policy, with what it is attached to. */
export type MergedPolicy =
  { kind: "bucket"; merge: Merge<BucketPolicyForm> } | { kind: "key"; merge: Merge<KeyPolicyForm> };

/**
 * What is wrong with a merged policy. Errors: it cannot be decided by, or a trail of the fleet cannot deliver, or
 * nobody can change the key's policy again. Warnings: what the current statements let happen or prevent that
 * Crosstrail's alone would not, and what {@link lint} says about them.
 */
export function judgeMerged(merged: MergedPolicy, fleet: SimulatedFleet): Finding[] {
  const { kind, merge } = merged;
  const nameOf = (index: number | undefined) =>
    index === undefined ? `${kind} policy` : (merge.kept[index]?.name ?? `statement ${index + 1}`);
  const policy = compile(merge.text, kind);
  if (policy.undecidable.length > 0) {
    return policy.undecidable.map(({ id, severity, statement, message, remedy }) => ({
      id,
      severity,
      subject: nameOf(statement),
      message: `${message} So what the policy allows cannot be decided.`,
      remedy,
    }));
  }
  const { partition, bucketName, keyArn } = fleet;
  const attached = { kind, arn: kind === "bucket" ? bucketArn(partition, bucketName) : keyArn };
  const malformed = unstorable(policy, attached).map(({ id, severity, statement, message, remedy }): Finding => ({
    id,
    severity,
    subject: nameOf(statement),
    message,
    remedy,
  }));
  const advice = lint(merge.text, { kind, accountId: fleet.auditAccountId })
    .filter(
      ({ severity, statement }) => severity !== "info" && statement !== undefined && statement < merge.kept.length,
    )
    // It is the owner's to correct, and AWS has accepted it.
    .map(({ id, statement, message, remedy }): Finding => ({
      id,
      severity: "warning",
      subject: nameOf(statement),
      message,
      remedy,
    }));
  return [
    ...malformed,
    ...undelivered(merged, policy, fleet, nameOf),
    ...locked(merged, policy, fleet),
    ...changedAnswers(merged, policy, fleet, nameOf),
    ...advice,
  ];
}

/** The requests of deliveries that the policy refuses or leaves open: one finding for each statement that does. */
function undelivered(
  { kind }: MergedPolicy,
  policy: PolicyInput,
  fleet: SimulatedFleet,
  nameOf: (index: number | undefined) => string,
): Finding[] {
  const { bucketName, auditAccountId: bucketAccountId, logPrefix, keyArn, isKeyUnknown } = fleet;
  const bucketKey = fleet.bucketKeyEnabled;
  const world = worldOf(fleet);
  const failures = new Map<string, { first: NamedDecision; trails: Set<string> }>();
  for (const { trail, isOrganizationTrail } of fleet.trails) {
    const delivery = {
      trailArn: trailArn(trail),
      bucketName,
      bucketAccountId,
      logPrefix,
      keyArn,
      isKeyUnknown,
      bucketKey,
      world,
      ...(isOrganizationTrail && {
        organizationId: fleet.organization?.id,
        memberAccountIds: fleet.organization?.accountIds,
      }),
    };
    const { bucket, key } = whyNoDelivery(kind === "bucket" ? policy : undefined, kind === "key" ? policy : undefined, {
      ...delivery,
    });
    for (const decision of (kind === "bucket" ? bucket : key).filter(({ allowed }) => !allowed)) {
      const id = JSON.stringify([decision.reason === "undecided", nameOf(decision.decidedBy?.index)]);
      const known = failures.get(id);
      if (known) known.trails.add(delivery.trailArn);
      else failures.set(id, { first: decision, trails: new Set([delivery.trailArn]) });
    }
  }
  const all = fleet.trails.length;
  return [...failures.values()].map(({ first, trails }): Finding => {
    const subject = nameOf(first.decidedBy?.index);
    const request = `${first.explanation} This is ${first.what}.`;
    if (first.reason === "undecided") {
      return {
        id: "policy/undecided",
        severity: "error",
        subject,
        message: `Whether ${trails.size === all ? "any trail" : `${trails.size} of ${all} trails`} can deliver cannot be decided: ${request}`,
        remedy: decideIt,
      };
    }
    return {
      id: "policy/stops-delivery",
      severity: "error",
      subject,
      message: `${trails.size === all ? "No trail could" : `${trails.size} of ${all} trails could not`} deliver: ${request}`,
      remedy: first.decidedBy
        ? "Exempt CloudTrail from the statement, for example with a condition on aws:PrincipalServiceName, or remove it from the current policy."
        : "Compare the policy with the statements that Crosstrail prints without --current.",
    };
  });
}

const decideIt =
  "Give the value that decides it, as the message says, exempt CloudTrail from the statement, or remove it from the current policy.";

/**
 * KMS refuses a policy that its caller could not change again; without such a statement nobody could. Asked for all who could be
 * meant: the root user, an administrator, and the principals that statements name, of the key's own account.
 */
function locked({ kind, merge }: MergedPolicy, policy: CompiledPolicy, fleet: SimulatedFleet): Finding[] {
  if (kind === "bucket" || merge.kept.length + merge.removed.length === 0) return [];
  const { keyArn, partition } = fleet;
  const owner = keyArn.split(":")[4] ?? fleet.auditAccountId;
  const identity = (name: string) => `arn:${partition}:iam::${owner}:${name}`;
  const named = policy.statements.flatMap(({ principal, conditions }) => [
    ...(principal?.set.arns ?? []),
    ...conditions.filter(({ lookupKey }) => lookupKey === "aws:principalarn").flatMap(({ wanted }) => wanted),
  ]);
  const callers = new Set([
    identity("root"),
    identity("role/Administrator"),
    ...named.map((arn) => inAccount(arn, owner)).filter((arn) => arn.split(":")[4] === owner),
  ]);
  let open: Decision | undefined;
  for (const arn of callers) {
    const request = asked(worldOf(fleet), {
      caller: { kind: "account", arn },
      action: "kms:PutKeyPolicy",
      resource: keyArn,
      resourceAccountId: owner,
      context: { "aws:MultiFactorAuthPresent": "true" },
    });
    const identityPolicies = [everything];
    const decision = evaluate(request, { resourcePolicy: policy, resourceKind: "key", identityPolicies });
    if (decision.allowed) return [];
    if (decision.reason === "undecided") open ??= decision;
  }
  return [
    {
      id: "policy/key-locked",
      severity: "error",
      subject: "key policy",
      message:
        open === undefined
          ? `Nobody of the key's own account ${owner} could change this policy again. KMS rejects such a policy, because nobody could repair it.`
          : `Whether anybody of the key's own account ${owner} could change this policy again cannot be decided. ${open.explanation}`,
      remedy:
        "Keep a statement that lets the key's account administer it, with kms:PutKeyPolicy, and that nothing denies.",
    },
  ];
}

/** A principal that an ARN with wildcards could mean: one of the account, if the ARN leaves that open. */
function inAccount(arn: string, owner: string): string {
  const parts = arn.split(":");
  if (isLike(parts[4] ?? "", owner)) parts[4] = owner;
  return parts.join(":").replace(/[*?]+/g, "x");
}

const everything = compile(
  { Version: "2012-10-17", Statement: { Effect: "Allow", Action: "*", Resource: "*" } },
  "identity",
);

/** Where the current statements change an answer of the simulation: one finding for each statement that does. */
function changedAnswers(
  { kind, merge }: MergedPolicy,
  policy: PolicyInput,
  fleet: SimulatedFleet,
  nameOf: (index: number | undefined) => string,
): Finding[] {
  const forms = { bucketForm: "perTrail", keyForm: "trailList", [`${kind}Form`]: merge.form } as Pick<
    ArchivePolicies,
    "bucketForm" | "keyForm"
  >;
  const readers = builtReaders(fleet);
  const wanted = policyDocument(merge.wanted);
  const ask = (policies: PolicyInput) =>
    simulate(fleet, {
      bucket: undefined,
      key: undefined,
      readers,
      ...forms,
      comparedWith: [policy, wanted],
      [kind]: policies,
    });
  const alone = ask(wanted);
  const found = new Map<string, Change>();
  for (const [index, { question, group, title, expected, decision, verdict }] of ask(policy).entries()) {
    // What stops delivery has findings of its own; what Crosstrail's statements allow by themselves is not news; and who
    // administers a bucket or key that was there before is its owner's choice.
    if (verdict === "ok" || alone[index]?.verdict !== "ok" || group === "deliver" || isOwners(question, group))
      continue;
    const subject = nameOf(decision.decidedBy?.index);
    const how = verdict === "undecided" ? "undecided" : expected;
    let entry = found.get(`${how} ${subject}`);
    if (!entry) {
      found.set(
        `${how} ${subject}`,
        (entry = { subject, how, titles: new Map(), explanation: decision.explanation ?? "" }),
      );
    }
    entry.titles.set(title, (entry.titles.get(title) ?? 0) + 1);
  }
  return [...found.values()].map(changeFinding);
}

/** What a current statement changes: it allows what should be refused, prevents what should be possible, or leaves it open. */
interface Change {
  subject: string;
  how: "allow" | "deny" | "undecided";
  titles: Map<string, number>;
  explanation: string;
}

function changeFinding({ subject, how, titles, explanation }: Change): Finding {
  const list = [...titles].map(([title, count]) => (count === 1 ? title : `${title} (${count} times)`)).join("; ");
  switch (how) {
    case "deny":
      return {
        id: "policy/lets-through",
        severity: "warning",
        subject,
        message: `It allows actions that Crosstrail's statements alone would refuse: ${list}.`,
        remedy:
          "Restrict the statement to those who need it, or remove it from the current policy, if its owner agrees.",
      };
    case "allow":
      return {
        id: "policy/prevents",
        severity: "warning",
        subject,
        message: `It prevents actions that should be possible: ${list}.`,
        remedy: "Exempt those who read the logs from the statement, if its owner agrees.",
      };
    case "undecided":
      return {
        id: "policy/undecided",
        severity: "warning",
        subject,
        message: `It leaves open: ${list}. ${explanation}`,
        remedy:
          "Give the value that decides it, as the message says, or change the statement so that it does not depend on it.",
      };
  }
}

/** About who administers the bucket or the key, beyond its policy. */
function isOwners(question: string, group: string): boolean {
  return group === "guard" || /^upkeep\/(bucket|log|key)-any$/.test(question);
}
