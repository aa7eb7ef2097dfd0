/** The configuration of the management stack: the organization trail. */
import type { Partition } from "../accounts";
import type { GuardrailOptions } from "./guardrails";
import { guardrailOptions } from "./guardrails";
import type { ImportedTrail } from "./imported";
import { importedTrail } from "./imported";
import type { Values } from "./keys";
import type { MemberSettings } from "./member";
import { contractSource } from "./member";
import type { Place } from "./place";
import type { Report } from "./report";
import type { TrailOptions } from "./trail";
import { trailOptions } from "./trail";
import { requireKey } from "./values";

export interface ManagementSettings {
  role: "management";
  partition: Partition;
  region: string;
  /** The account this stack works in: the management account, or CloudTrail's delegated administrator. */
  accountId: string;
  source: MemberSettings["source"];
  isOrganizationTrail: boolean;
  enableAllFeatures: boolean;
  enableTrustedAccess: boolean;
  delegatedAdministrator?: string;
  acceptSecondOrganizationTrail: boolean;
  trailOptions: TrailOptions;
  /** The organization's policies that the stack attaches. */
  guardrails: Omit<GuardrailOptions, "exemptRoleArns">;
  /** The name of the managed policy that limits the roles which the stack creates; "" for none. */
  permissionsBoundary: string;
  tags: Record<string, string>;
  /** The organization trail that already exists, if the stack takes one over. */
  imported?: ImportedTrail;
}

/** @throws UserError with every mistake of the configuration. */
export function managementSettings(report: Report, values: Values, place: Place): ManagementSettings {
  const options = trailOptions(report, values);
  requireKey(report, values, "accountId", "A management stack must name its account.", '"<12 digits>"');
  const source = contractSource(report, values);
  const imported = importedTrail(report, values, place);
  const guardrails = guardrailOptions(values);
  report.throwIfAny();
  const { isOrganizationTrail, enableAllFeatures, enableTrustedAccess, acceptSecondOrganizationTrail } = values;
  return {
    role: "management",
    partition: place.partition as Partition,
    region: place.region as string,
    accountId: values.accountId,
    source,
    isOrganizationTrail,
    enableAllFeatures,
    enableTrustedAccess,
    ...(values.delegatedAdministrator !== "" && { delegatedAdministrator: values.delegatedAdministrator }),
    acceptSecondOrganizationTrail,
    trailOptions: options,
    guardrails: { attach: guardrails.attach, mayDetach: guardrails.mayDetach },
    permissionsBoundary: values.permissionsBoundary,
    tags: values.tags,
    ...(imported && { imported }),
  };
}
