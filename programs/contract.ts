/** The audit contract, read from the audit stack's outputs. */
import * as pulumi from "@pulumi/pulumi";
import type { Contract } from "../core/contract";
import { contractKeys, memberContract, parseContract } from "../core/contract";
import { UserError } from "../core/findings";
import { canonical } from "../core/fleet/inputs";
import type { MemberSettings } from "../core/settings";
import { fullStackName } from "./stack";

/** Set by crosstrail: what the account's stack needs of the contract, as it is written down with this run. */
export const contractVariable = "CROSSTRAIL_CONTRACT";

/**
 * The contract that a stack is configured to follow, and the audit stack's full name where it is read from there.
 * @throws UserError when it is not the one that the run is recorded with: the record would be wrong.
 */
export async function contractOf(
  source: MemberSettings["source"],
  accountId: string,
): Promise<{ contract: Contract; auditStack: string | undefined }> {
  if ("contract" in source) return { contract: source.contract, auditStack: undefined };
  const auditStack = fullStackName(source.auditStack);
  const contract = await readContract(auditStack);
  const recorded = process.env[contractVariable];
  if (recorded && recorded !== canonical(memberContract(contract, accountId))) {
    throw new UserError("The audit stack changed during this run. Nothing was changed.", [
      {
        id: "contract/changed",
        severity: "error",
        subject: auditStack,
        message: "Its contract is not the one that this run started with: somebody else has updated it meanwhile.",
        remedy: "Rerun the command.",
      },
    ]);
  }
  return { contract, auditStack };
}

/**
 * Reads the contract from the audit stack's outputs, as plain values: everything is decided before anything is created.
 */
async function readContract(auditStack: string): Promise<Contract> {
  await requireStack(auditStack);
  const reference = new pulumi.StackReference(auditStack);
  const outputs: Record<string, unknown> = {};
  for (const key of contractKeys) {
    const { value, secretValue } = await reference.getOutputDetails(key);
    outputs[key] = value ?? secretValue;
  }
  return parseContract(outputs, auditStack);
}

/**
 * A StackReference to a stack that does not exist ends the program with the engine's own words; this says what to do.
 */
async function requireStack(name: string): Promise<void> {
  try {
    await pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", { name });
  } catch (error) {
    const isForm = /stack names? |fully[- ]qualified|of the form|invalid stack/i.test(String(error));
    if (!isForm && !/unknown stack|no stack named/.test(String(error))) throw error;
    throw new UserError("The audit stack was not found. Nothing was changed.", [
      {
        id: "stack/no-audit-stack",
        severity: "error",
        subject: `crosstrail:auditStack = "${name}"`,
        message: isForm
          ? "This backend does not accept stack names of this form."
          : "The stack does not exist in this backend.",
        remedy:
          "Deploy the audit stack first, or correct the name: organization/project/stack, as shown by pulumi stack ls --all.\n" +
          "For a preview before the audit stack exists, set its values in crosstrail:contract instead.",
      },
    ]);
  }
}
