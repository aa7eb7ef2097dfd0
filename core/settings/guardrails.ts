/** Which guardrails the management stack attaches, as an audit or management stack's configuration has it. */
import { GuardrailId } from "../guardrails";
import type { Values } from "./keys";
import type { Report } from "./report";
import { subjectOf } from "./report";

export interface GuardrailOptions {
  /** The guardrails to attach; none: nothing is attached. */
  attach: GuardrailId[];
  /** What the management stack may detach: guardrails, or accounts that have left the fleet. */
  mayDetach: string[];
  /** Roles for which the service control policies do not hold, besides those that deploy: ARNs, perhaps with `*` for the account. */
  exemptRoleArns: string[];
}

/** The options of either stack. */
export function guardrailOptions(values: Partial<Values>): GuardrailOptions {
  const { guardrails = [], detachGuardrails = [], guardrailExemptRoles = [] } = values;
  return { attach: [...new Set(guardrails)].sort(), mayDetach: detachGuardrails, exemptRoleArns: guardrailExemptRoles };
}

/** Reports guardrails that could hold for nobody, and those that would refuse the role that deploys. */
export function checkGuardrails(report: Report, values: Partial<Values>): void {
  const { guardrails = [], guardrailExemptRoles = [], organization, auditAccountId } = values;
  guardrails.forEach((id, index) => {
    const problem = problemOf(id, values, { organization, auditAccountId, isExempt: guardrailExemptRoles.length > 0 });
    if (problem) report.add("guardrails", subjectOf(`guardrails[${index}]`, id), ...problem);
  });
}

function problemOf(
  id: GuardrailId,
  { members = [], deployRole, breakGlassRoles = [] }: Partial<Values>,
  {
    organization,
    auditAccountId,
    isExempt,
  }: Pick<Partial<Values>, "organization" | "auditAccountId"> & { isExempt: boolean },
): [message: string, remedy: string] | undefined {
  if (organization?.id === undefined) {
    return [
      "Guardrails are policies of AWS Organizations, and no organization is declared.",
      "Declare crosstrail:organization, or remove this key.",
    ];
  }
  if (organization.trail === false) {
    return [
      "The management stack attaches guardrails, and without an organization trail there is no management stack.",
      "Remove trail: false from crosstrail:organization; or remove this key, and attach what crosstrail guardrails prints.",
    ];
  }
  const { managementAccountId } = organization;
  if (id !== GuardrailId.Members) {
    if (auditAccountId === managementAccountId) {
      return [
        "The audit account is the management account, for which control policies do not hold.",
        `Remove ${id} from this list.`,
      ];
    }
    if (organization.auditAccountInOrganization === false) {
      return ["The audit account is not in the organization.", `Remove ${id} from this list.`];
    }
    return id === GuardrailId.Audit && breakGlassRoles.length === 0
      ? [
          "The policy refuses everybody else changes of the archive, so it has to know which role deploys this stack.",
          "Set crosstrail:breakGlassRoles to that role, and to a role for emergencies.",
        ]
      : undefined;
  }
  const inside = members.filter(
    ({ accountId, inOrganization }) => inOrganization !== false && accountId !== managementAccountId,
  );
  if (inside.length === 0) {
    return ["No member is in the organization, so the policy would be for no account.", `Remove ${id} from this list.`];
  }
  const unknown = inside.filter(({ deployRoleArn }) => deployRoleArn === undefined);
  if (deployRole !== "" || unknown.length === 0 || isExempt) return undefined;
  return [
    `The policy would refuse the role that deploys ${unknown.map(({ alias }) => alias).join(", ")}: no role is declared for that.`,
    "Set crosstrail:deployRole, or deployRoleArn of these members; or name the role in crosstrail:guardrailExemptRoles.",
  ];
}
