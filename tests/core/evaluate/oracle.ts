/**
 * The oracle: `@cloud-copilot/iam-simulate`, an independent IAM simulator (AGPL, therefore in tests only).
 */
import { anonymousPrincipal, runSimulation } from "@cloud-copilot/iam-simulate";
import { buildContext, isUnknown } from "../../../core/evaluate/context";
import type { AccessRequest, Policies } from "../../../core/evaluate/index";
import { readCaller } from "../../../core/evaluate/principals";

/** What the oracle says: allowed or not, or why it does not answer. */
export type OracleAnswer = { allowed: boolean; result: string } | { error: string };

/**
 * Puts a request to the oracle. It gets the condition keys that our evaluator derives from the caller, since it derives
 * none itself, and must not ignore one that a policy may ask for.
 */
export async function askOracle(request: AccessRequest, policies: Policies): Promise<OracleAnswer> {
  const caller = readCaller(request);
  if (typeof caller === "string") return { error: caller };
  const context = buildContext(request, caller);
  if (typeof context === "string") return { error: context };
  const contextVariables: Record<string, string | string[]> = {};
  for (const [key, values] of context) {
    if (isUnknown(values)) return { error: `unknown value of ${key}` };
    if (values.length === 0) continue;
    const given = Object.entries(request.context ?? {}).find(([name]) => name.toLowerCase() === key);
    contextVariables[given?.[0] ?? key] = Array.isArray(given?.[1]) ? [...values] : (values[0] ?? "");
  }
  const { resourcePolicy, identityPolicies = [] } = policies;
  const outcome = await runSimulation(
    {
      request: {
        principal: caller.kind === "anonymous" ? anonymousPrincipal : (caller.service ?? caller.arn ?? ""),
        action: request.action,
        resource: { resource: request.resource, accountId: request.resourceAccountId },
        contextVariables,
      },
      identityPolicies: identityPolicies.map((policy, index) => ({ name: `identity-${index}`, policy })),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      ...(resourcePolicy === undefined ? {} : { resourcePolicy }),
    },
    {},
  );
  if (outcome.resultType === "error") return { error: JSON.stringify(outcome.errors) };
  if (outcome.resultType === "wildcard") return { error: "a resource with a wildcard" };
  const ignored = outcome.result.ignoredContextKeys ?? [];
  const asked = JSON.stringify(policies).toLowerCase();
  const lost = ignored.filter((key) => asked.includes(key.toLowerCase()));
  if (lost.length > 0) return { error: `ignored condition keys: ${lost.join(", ")}` };
  return { allowed: outcome.overallResult === "Allowed", result: outcome.overallResult };
}
