/**
 * Attaching the guardrails: what stands in the way, judged before anything is changed. A guardrail is never detached because a
 * key, a member or an account id is no longer there: it has to be said.
 * Source: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_enable-disable.html
 */
import type { Contract } from "./contract";
import type { Finding } from "./findings";
import { UserError } from "./findings";
import type { Guardrail } from "./guardrails";
import { GuardrailId, guardrailsOf } from "./guardrails";
import type { GuardrailOptions } from "./settings";

/** What the management stack says of its guardrails in its outputs. */
export interface AttachedGuardrail {
  accountIds: string[];
  /** It has lost its protection, so the stack may remove it. */
  mayDetach?: boolean;
}

export type AttachedGuardrails = Partial<Record<GuardrailId, AttachedGuardrail>>;

/** What AWS, the contract, and the stack's own outputs say. */
export interface AttachmentState {
  contract: Contract;
  deployed: AttachedGuardrails;
  /** The account that the stack works in. */
  accountId: string;
  managementAccountId: string;
  organizationId: string;
  /** The types of policies that are enabled in the organization's root; undefined: that could not be read. */
  policyTypes?: string[];
}

/** Reads the stack's own output. What it does not understand it reports as nothing attached. */
export function attachedGuardrails(output: unknown): AttachedGuardrails {
  if (typeof output !== "object" || output === null) return {};
  const known = Object.entries(output).filter(([id]) => Object.values<string>(GuardrailId).includes(id));
  return Object.fromEntries(known) as AttachedGuardrails;
}

/**
 * The guardrails to attach.
 * @throws UserError with everything that stands in the way.
 */
export function guardrailsToAttach(
  { attach, mayDetach }: Omit<GuardrailOptions, "exemptRoleArns">,
  state: AttachmentState,
): (Guardrail & { mayDetach: boolean })[] {
  const { contract, organizationId } = state;
  const { partition, auditAccountId, guardrails: names } = contract;
  const built = names ? guardrailsOf({ partition, auditAccountId, organizationId }, names) : [];
  const wanted = built.filter(({ id }) => attach.includes(id));
  const findings = [
    ...attach.filter((id) => !built.some((each) => each.id === id)).map(notDeclared),
    ...detachments(wanted, mayDetach, state.deployed),
    ...placeFindings(wanted, state),
    ...strangers(wanted, state),
  ];
  if (findings.length > 0) throw new UserError("The guardrails cannot be attached. Nothing was changed.", findings);
  return wanted.map((each) => ({ ...each, mayDetach: mayDetach.includes(each.id) }));
}

/** What the audit stack asks for, and this stack does not attach. */
export function notAttached({ guardrails: names }: Contract, attach: GuardrailId[]): GuardrailId[] {
  return Object.values(GuardrailId).filter((id) => names?.[id] !== undefined && !attach.includes(id));
}

/**
 * Says why a stack must not be destroyed, or nothing: it would detach guardrails.
 * @param resources of the stack's state.
 */
export function guardrailRemovalFinding(
  stack: string,
  resources: { type: string; id?: string; protect?: boolean }[],
): Finding | undefined {
  const kept = resources.filter(({ type, protect }) => type === "aws:organizations/policy:Policy" && protect === true);
  if (kept.length === 0) return undefined;
  return error(
    "guardrails/attached",
    stack,
    `The stack has attached ${kept.length === 1 ? "a guardrail" : `${kept.length} guardrails`} (${listed(kept.map(({ id = "not created" }) => id))}), and destroying it would detach them.`,
    `To detach them, add each of crosstrail:guardrails to crosstrail:detachGuardrails as well, and run crosstrail up --only ${stack}. Then destroy it.`,
  );
}

function error(id: Finding["id"], subject: string, message: string, remedy: string): Finding {
  return { id, severity: "error", subject, message, remedy };
}

function notDeclared(id: GuardrailId): Finding {
  return error(
    "guardrails/not-declared",
    `crosstrail:guardrails, ${id}`,
    "The audit stack's contract has no names for this guardrail: it does not ask for it.",
    `Add ${id} to crosstrail:guardrails in the audit stack's configuration, run pulumi up for it, then this stack again.`,
  );
}

function detachments(wanted: Guardrail[], mayDetach: string[], deployed: AttachedGuardrails): Finding[] {
  return Object.entries(deployed).flatMap(([id, { accountIds, mayDetach: isBare }]): Finding[] => {
    const now = wanted.find((each) => each.id === id);
    if (!now) {
      if (isBare) return [];
      return [
        error(
          "guardrails/would-detach",
          `guardrail ${id}`,
          `It is attached to ${listed(accountIds)}, and crosstrail:guardrails no longer asks for it. It is never detached because a setting is missing.`,
          `To keep it, restore ${id} in crosstrail:guardrails, here and in the audit stack. To detach it: restore it, add ${id} to crosstrail:detachGuardrails and run pulumi up; then remove it from crosstrail:guardrails and run pulumi up again.`,
        ),
      ];
    }
    const gone = accountIds.filter((each) => !now.accountIds.includes(each) && !mayDetach.includes(each));
    if (gone.length === 0 || mayDetach.includes(id)) return [];
    return [
      error(
        "guardrails/account-left",
        `guardrail ${id}`,
        `It is attached to ${listed(gone)}, which the audit stack no longer declares in the organization. It is never detached because an entry is missing.`,
        `To keep it, restore the member in crosstrail:members. To detach it from there: crosstrail:detachGuardrails: ${JSON.stringify(gone)}`,
      ),
    ];
  });
}

/** Whether the policies can be attached from here at all. */
function placeFindings(wanted: Guardrail[], state: AttachmentState): Finding[] {
  if (wanted.length === 0) return [];
  const { accountId, managementAccountId, policyTypes } = state;
  if (accountId !== managementAccountId) {
    return [
      error(
        "guardrails/not-management",
        `crosstrail:accountId = "${accountId}"`,
        `Only the organization's management account ${managementAccountId} attaches guardrails.`,
        "Remove crosstrail:guardrails from this stack. In the management account, attach what crosstrail guardrails prints.",
      ),
    ];
  }
  if (policyTypes === undefined) {
    return [
      error(
        "guardrails/policy-types-unknown",
        "the organization's root",
        "Which types of policies are enabled could not be read: AWS refused organizations:ListRoots.",
        "Grant it to the role that deploys this stack: crosstrail roles prints the role.",
      ),
    ];
  }
  const missing = [...new Set(wanted.map(({ type }) => type))].filter((type) => !policyTypes.includes(type));
  return missing.map((type) =>
    error(
      "guardrails/policy-type",
      type,
      `This type of policy is not enabled in the organization's root, so AWS would refuse to attach ${listed(
        wanted.filter((each) => each.type === type).map(({ id }) => id),
      )}.`,
      `In account ${managementAccountId}: aws organizations enable-policy-type --root-id <r-..., from aws organizations list-roots> --policy-type ${type}`,
    ),
  );
}

/** The audit stack names accounts; only those of its own trails are attached to. */
function strangers(wanted: Guardrail[], { contract, managementAccountId }: AttachmentState): Finding[] {
  const known = new Set([contract.auditAccountId, ...contract.trails.map(({ accountId }) => accountId)]);
  const outside = new Set(
    contract.trails.flatMap(({ accountId, inOrganization }) => (inOrganization === false ? [accountId] : [])),
  );
  return wanted.flatMap(({ id, accountIds }) => {
    const wrong = accountIds.filter((each) => !known.has(each) || outside.has(each) || each === managementAccountId);
    if (wrong.length === 0) return [];
    return [
      error(
        "guardrails/other-account",
        `guardrail ${id}`,
        `The contract names ${listed(wrong)} for it, which is not an account of the fleet in the organization.`,
        "Run pulumi up for the audit stack; this rewrites its outputs.",
      ),
    ];
  });
}

function listed(names: string[]): string {
  const shown = names.slice(0, 10).join(", ");
  return names.length > 10 ? `${shown} and ${names.length - 10} more` : shown;
}
