/** Decisions in words. */
import { nameStatement } from "./compile";
import type { AccessRequest, Decision, Mismatch, ResourceKind, StatementRef } from "./types";

const policyNames: Record<ResourceKind, string> = {
  bucket: "the bucket policy",
  key: "the key policy",
  role: "the trust policy",
  other: "the resource policy",
};

/** What a sentence needs besides the decision. */
export interface Circumstances {
  kind: ResourceKind;
  noResourcePolicy: boolean;
  noIdentityPolicy: boolean;
  /**
   * The resource policy allows the caller's account as a whole, which leaves the say to the account's identity
   * policies.
   */
  delegated: boolean;
}

const ordinary: Circumstances = { kind: "other", noResourcePolicy: false, noIdentityPolicy: false, delegated: false };

/** Says in one sentence or two what was decided and why. */
export function explain(
  decision: Omit<Decision, "explanation">,
  request: AccessRequest,
  who: string,
  circumstances: Circumstances = ordinary,
): string {
  const what = `${who} ${decision.allowed ? "may" : "may not"} ${request.action} on ${request.resource}`;
  switch (decision.reason) {
    case "allowed":
      return `${what}: ${grounds(decision, circumstances)}.`;
    case "explicitDeny": {
      const because = (decision.because ?? []).map((each) => describeHeld(each));
      const tail = because.length === 0 ? "" : `, because ${because.join(" and ")}`;
      return `${what}: ${statementName(decision.decidedBy, circumstances)} denies it${tail}.`;
    }
    case "undecided": {
      const [first, ...more] = decision.undecided ?? [];
      const rest =
        more.length === 0 ? "" : `, and on ${more.length} more ${more.length === 1 ? "statement" : "statements"}`;
      const on = (first?.depends ?? []).map((each) => describeOpen(each)).join(" and ");
      const does = first?.effect === "Deny" ? "denies it or not" : "allows it or not";
      return `Whether ${who} may ${request.action} on ${request.resource} cannot be decided: ${statementName(first, circumstances)} ${does}, depending on ${on}${rest}.`;
    }
    case "notEvaluated":
      return `${what}: it cannot be decided. ${decision.findings?.[0]?.message ?? ""}`.trimEnd();
    case "implicitDeny":
      return `${what}: ${lacks(decision, circumstances)}.`;
  }
}

function grounds(decision: Omit<Decision, "explanation">, circumstances: Circumstances): string {
  if (!decision.decidedBy) return "the root user of the account that owns the resource needs no policy";
  const also = decision.alsoBy ? ` and ${statementName(decision.alsoBy, circumstances)}` : "";
  return `${statementName(decision.decidedBy, circumstances)}${also} ${also ? "allow" : "allows"} it`;
}

function statementName(ref: StatementRef | undefined, circumstances: Circumstances): string {
  if (!ref) return "a statement";
  return `${nameStatement(ref.index, ref.sid)} of ${policyOf(ref, circumstances)}`;
}

/** `the bucket policy`, `identity policy 1`, `the resource control policy rcp.json` */
function policyOf({ policy, policyIndex = 0, policyName }: StatementRef, { kind }: Circumstances): string {
  if (policy === "resource") return policyNames[kind];
  if (policy === "identity") return `identity policy ${policyIndex + 1}`;
  const title = policy === "rcp" ? "resource control policy" : "service control policy";
  return policyName === undefined ? `${title} ${policyIndex + 1}` : `the ${title} ${policyName}`;
}

function lacks(decision: Omit<Decision, "explanation">, circumstances: Circumstances): string {
  const missing = decision.missing ?? [];
  if (missing.length === 0) return "no policy can allow this caller";
  const names = missing.map((side) => {
    if (side === "scp") return "the service control policies";
    if (side === "identity")
      return circumstances.noIdentityPolicy
        ? "an identity policy (the caller has none)"
        : "the caller's identity policies";
    return circumstances.noResourcePolicy
      ? `${policyNames[circumstances.kind]} (there is none)`
      : policyNames[circumstances.kind];
  });
  const delegated = circumstances.delegated && !missing.includes("resource");
  const why = delegated ? `, to which ${policyNames[circumstances.kind]} delegates` : "";
  const start = `nothing allows it: not ${names.join(", nor ")}${why}`;
  const { nearest } = decision;
  if (!nearest || nearest.failed.length === 0) return start;
  return `${start}; nearest is ${statementName(nearest, circumstances)}, but ${nearest.failed.map((each) => describeFailed(each)).join(" and ")}`;
}

/** At most three of a list of hundreds. */
function list(values: string[]): string {
  const shown = values.slice(0, 3).map((value) => `"${value.length > 200 ? `${value.slice(0, 200)}…` : value}"`);
  if (values.length > 3) shown.push(`${values.length - 3} more`);
  return shown.length === 0 ? "nothing" : shown.join(", ");
}

/** What of a statement did not match, in words. */
export function describeFailed(failed: Mismatch): string {
  if (failed.what !== "condition") return `the ${failed.what} ${list(failed.got)} is not among ${list(failed.wanted)}`;
  return `${describeGot(failed)} where ${failed.operator ?? ""} wants ${list(failed.wanted)}${note(failed)}`;
}

function describeOpen(open: Mismatch): string {
  if (open.what !== "condition") return `the ${open.what} (${list(open.wanted)}; ${open.undecided ?? ""})`;
  return `${open.key ?? ""} (${open.operator ?? ""} ${list(open.wanted)}; ${open.undecided ?? ""})`;
}

function describeHeld(held: Mismatch): string {
  return `${describeGot(held)} (${held.operator ?? ""} ${list(held.wanted)}${note(held)})`;
}

function describeGot(mismatch: Mismatch): string {
  return mismatch.got.length === 0
    ? `${mismatch.key ?? ""} is absent`
    : `${mismatch.key ?? ""} is ${list(mismatch.got)}`;
}

function note(mismatch: Mismatch): string {
  return mismatch.undecided === undefined ? "" : ` (undecided: ${mismatch.undecided})`;
}
