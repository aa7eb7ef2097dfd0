/** The organization's policies that the management stack attaches. */
import * as pulumi from "@pulumi/pulumi";
import { Guardrail } from "../components/guardrail";
import type { Contract } from "../core/contract";
import { formatFinding } from "../core/findings";
import type { AttachedGuardrails, AttachmentState } from "../core/guardrailAttachment";
import { attachedGuardrails, guardrailsToAttach, notAttached } from "../core/guardrailAttachment";
import { stackTag } from "../core/fleet";
import { serialize } from "../core/policies/document";
import type { ManagementSettings } from "../core/settings";
import { fullStackName } from "./stack";

/** Whether anything is to be attached, or may have to be detached: only then is AWS asked about types of policies. */
export function concernsGuardrails({ guardrails }: ManagementSettings): boolean {
  return guardrails.attach.length > 0;
}

/**
 * What to attach.
 * @returns a function that makes the resources, when everything else was checked too.
 * @throws UserError where it cannot be attached, or where something would be detached without a word.
 */
export async function checkGuardrails(
  { guardrails, tags }: Pick<ManagementSettings, "guardrails" | "tags">,
  state: Omit<AttachmentState, "deployed">,
  deployedOutput: unknown,
): Promise<() => AttachedGuardrails | undefined> {
  const deployed = attachedGuardrails(deployedOutput);
  const wanted = guardrailsToAttach(guardrails, { ...state, deployed });
  await sayWhatIsOff(state.contract, guardrails.attach);
  for (const { id, mayDetach } of wanted) {
    if (!mayDetach) continue;
    await pulumi.log.warn(
      `Guardrail ${id} is no longer protected: remove it from crosstrail:guardrails to detach it with the next pulumi up, or from crosstrail:detachGuardrails to keep it.`,
    );
  }
  for (const [id, { accountIds }] of Object.entries(deployed)) {
    const now = wanted.find((each) => each.id === id)?.accountIds ?? [];
    const gone = accountIds.filter((each) => !now.includes(each));
    if (gone.length > 0) await pulumi.log.warn(`Guardrail ${id} is detached from ${gone.join(", ")}.`);
  }
  return () => {
    for (const { id, type, title, accountIds, document, mayDetach } of wanted) {
      new Guardrail(id, {
        policyName: `crosstrail-${id}`,
        type,
        content: serialize(document),
        accountIds,
        description: `${title} (Crosstrail)`,
        keep: !mayDetach,
        // By which a deploy role knows that the policy is Crosstrail's.
        tags: { ...tags, [stackTag]: `${fullStackName(pulumi.getStack())}:guardrail-${id}` },
      });
    }
    if (wanted.length === 0) return undefined;
    return Object.fromEntries(
      wanted.map(({ id, accountIds, mayDetach }) => [id, { accountIds, ...(mayDetach && { mayDetach }) }]),
    );
  };
}

async function sayWhatIsOff(contract: Contract, attach: ManagementSettings["guardrails"]["attach"]): Promise<void> {
  const left = notAttached(contract, attach);
  if (left.length === 0) return;
  const finding = {
    id: "guardrails/not-attached" as const,
    severity: "warning" as const,
    subject: "crosstrail:guardrails",
    message: `The audit stack asks for ${left.join(", ")}, and this stack does not attach ${left.length === 1 ? "it" : "them"}.`,
    remedy: `Set crosstrail:guardrails: ${JSON.stringify([...attach, ...left].sort())} here as well.`,
  };
  await pulumi.log.warn(formatFinding(finding).trimStart());
}
