/** The configuration of a stack: one parser that reports all mistakes at once. */
import type { AuditSettings } from "./audit";
import { auditSettings } from "./audit";
import { keyTable, Role } from "./keys";
import type { ManagementSettings } from "./management";
import { managementSettings } from "./management";
import type { MemberSettings } from "./member";
import { memberSettings } from "./member";
import { checkNamespaces, namespace, splitConfig } from "./namespace";
import { readPlace } from "./place";
import { Report, subjectOf } from "./report";
import { checkNames, readValues } from "./values";

export type { ArchiveOptions } from "./archive";
export type { AuditSettings, FleetTrail, Organization, Reader } from "./audit";
export { auditAlias } from "./audit";
export type { KeyEntry, KeyName } from "./keys";
export { acceptsValue, keyTable, Role } from "./keys";
export { namespace, splitConfig } from "./namespace";
export type { GuardrailOptions } from "./guardrails";
export type { ManagementSettings } from "./management";
export type { MemberSettings } from "./member";
export type { Member } from "./schemas";
export { aliasProblem } from "./schemas";
export type { TrailOptions } from "./trail";

export type Settings = AuditSettings | MemberSettings | ManagementSettings;

/** Where a configuration is from. */
export interface ConfigurationPlace {
  /** The Region where the configuration has no `aws:region`: the environment's. */
  region?: string;
  /** The Pulumi project's name. */
  project?: string;
  /** The file that mistakes are to be corrected in; default: the stack's own. */
  file?: string;
}

/**
 * Parses a stack's whole configuration: what is in namespace `crosstrail:`, and what was probably meant to be.
 * @param stack the stack's name, for messages.
 * @param config the values by their full names, as Pulumi hands them over: strings, and JSON for anything else.
 * @throws UserError with every mistake that there is.
 */
export function parseStackConfig(
  stack: string,
  config: Record<string, string>,
  { region, project = namespace, file }: ConfigurationPlace = {},
): Settings {
  const { own, others } = splitConfig(config);
  const report = new Report(stack, file);
  checkNamespaces(report, others, keyTable, project);
  return parse(report, own, config["aws:region"] || region);
}

/**
 * Parses the values of namespace `crosstrail:` alone.
 * @param stack the stack's name, for messages.
 * @param raw the values as Pulumi hands them over: strings, and JSON for anything else.
 * @param region the Region of the AWS provider: `aws:region`, or the environment's.
 * @throws UserError with every mistake that there is.
 */
export function parseSettings(stack: string, raw: Record<string, string>, region: string | undefined): Settings {
  return parse(new Report(stack), raw, region);
}

function parse(report: Report, raw: Record<string, string>, region: string | undefined): Settings {
  checkNames(report, raw);
  const role = Object.values(Role).find((name) => name === raw.role);
  // Without a role nobody can say which of the other keys are right.
  if (role === undefined) {
    report.add(
      "role",
      subjectOf("role", raw.role === "" ? undefined : raw.role),
      "The role determines what this stack is; allowed are audit, member and management.",
      `pulumi config set --stack ${report.stack} role audit   (or member, management; templates: Pulumi.audit.yaml, Pulumi.member.yaml, Pulumi.management.yaml)`,
    );
    report.throwIfAny();
  }
  const { values, declaredMembers } = readValues(report, role as Role, raw);
  const place = readPlace(report, region, values.extraRegions);
  if (role === Role.Audit) return auditSettings(report, values, place, declaredMembers);
  return role === Role.Member ? memberSettings(report, values, place) : managementSettings(report, values, place);
}
