/** Whether Crosstrail's statements do their work beside those of somebody else's policy. */
import type { Finding } from "../findings";
import { trailArn } from "../names";
import type { BucketPolicyForm } from "../policies/bucket";
import { policyDocument } from "../policies/document";
import type { KeyPolicyForm } from "../policies/key";
import type { Merge } from "../policies/merge";
import type { CompiledPolicy } from "../evaluate/compile";
import { compile } from "../evaluate/compile";
import type { ArchivePolicies, SimulatedFleet } from "./subject";
import { lint } from "../evaluate/lint";
import { simulate } from "./simulation";
import type { NamedDecision } from "./delivery";
import { whyNoDelivery } from "./delivery";
import type { PolicyInput } from "../evaluate/types";

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
    ...undelivered(merged, policy, fleet, nameOf),
    ...locked(merged, policy),
    ...changedAnswers(merged, policy, fleet, nameOf),
    ...advice,
  ];
}

/** The requests of deliveries that the policy refuses: one finding for each statement that refuses them. */
function undelivered(
  { kind }: MergedPolicy,
  policy: PolicyInput,
  fleet: SimulatedFleet,
  nameOf: (index: number | undefined) => string,
): Finding[] {
  const { bucketName, auditAccountId: bucketAccountId, logPrefix, keyArn, bucketKeyEnabled } = fleet;
  const refusals = new Map<string, { first: NamedDecision; trails: Set<string> }>();
  for (const { trail } of fleet.trails) {
    const delivery = {
      trailArn: trailArn(trail),
      bucketName,
      bucketAccountId,
      logPrefix,
      keyArn,
      bucketKey: bucketKeyEnabled,
    };
    const decisions =
      kind === "bucket"
        ? whyNoDelivery(policy, undefined, { ...delivery, keyArn: undefined }).bucket
        : whyNoDelivery(undefined, policy, delivery).key;
    for (const decision of decisions.filter(({ allowed }) => !allowed)) {
      const name = nameOf(decision.decidedBy?.index);
      const known = refusals.get(name);
      if (known) known.trails.add(delivery.trailArn);
      else refusals.set(name, { first: decision, trails: new Set([delivery.trailArn]) });
    }
  }
  return [...refusals].map(([subject, { first, trails }]) => ({
    id: "policy/stops-delivery",
    severity: "error",
    subject,
    message: `${trails.size === fleet.trails.length ? "No trail could" : `${trails.size} of ${fleet.trails.length} trails could not`} deliver: ${first.explanation}`,
    remedy: first.decidedBy
      ? "Exempt CloudTrail from the statement, for example with a condition on aws:PrincipalServiceName, or remove it from the current policy."
      : "Compare the policy with the statements that Crosstrail prints without --current.",
  }));
}

/** KMS refuses a policy that its caller could not change again; without such a statement nobody could. */
function locked({ kind, merge }: MergedPolicy, { statements }: CompiledPolicy): Finding[] {
  if (kind === "bucket" || merge.kept.length + merge.removed.length === 0) return [];
  const lookup = () => undefined;
  const isAdministration = statements.some(
    ({ effect, principal, action }) =>
      effect === "Allow" &&
      principal !== undefined &&
      (principal.set.everyone ||
        principal.set.accounts.size + principal.set.arns.size + principal.set.roles.size > 0) &&
      action !== undefined &&
      action.list.matches("kms:putkeypolicy", lookup) !== action.not,
  );
  if (isAdministration) return [];
  return [
    {
      id: "policy/key-locked",
      severity: "error",
      subject: "key policy",
      message:
        "No statement lets anyone change this policy. KMS rejects such a policy, because nobody could repair it.",
      remedy: "Keep the statement that lets the key's account administer it, including kms:PutKeyPolicy.",
    },
  ];
}

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
  const ask = (asked: PolicyInput) => simulate(fleet, { bucket: undefined, key: undefined, ...forms, [kind]: asked });
  const alone = ask(policyDocument(merge.wanted));
  const found = new Map<string, { subject: string; expected: "allow" | "deny"; titles: Map<string, number> }>();
  for (const [index, { question, group, title, expected, decision, verdict }] of ask(policy).entries()) {
    // What stops delivery has findings of its own; what Crosstrail's statements allow by themselves is no news; and who
    // administers a bucket or key that was there before is its owner's choice.
    if (verdict === "ok" || alone[index]?.verdict !== "ok" || group === "deliver" || isOwners(question, group))
      continue;
    const subject = nameOf(decision.decidedBy?.index);
    let entry = found.get(`${expected} ${subject}`);
    if (!entry) found.set(`${expected} ${subject}`, (entry = { subject, expected, titles: new Map() }));
    entry.titles.set(title, (entry.titles.get(title) ?? 0) + 1);
  }
  return [...found.values()].map(({ subject, expected, titles }): Finding => {
    const list = [...titles].map(([title, count]) => (count === 1 ? title : `${title} (${count} times)`)).join("; ");
    return expected === "deny"
      ? {
          id: "policy/lets-through",
          severity: "warning",
          subject,
          message: `It allows actions that Crosstrail's statements alone would refuse: ${list}.`,
          remedy:
            "Restrict the statement to those who need it, or remove it from the current policy, if its owner agrees.",
        }
      : {
          id: "policy/prevents",
          severity: "warning",
          subject,
          message: `It prevents actions that should be possible: ${list}.`,
          remedy: "Exempt those who read the logs from the statement, if its owner agrees.",
        };
  });
}

/** About who administers the bucket or the key, beyond its policy. */
function isOwners(question: string, group: string): boolean {
  return group === "guard" || /^upkeep\/(bucket|log|key)-any$/.test(question);
}
