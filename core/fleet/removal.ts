/** Removing members is meant, or it is a typo: what a run would remove, and whether that needs to be said. */
import type { Contract } from "../contract";
import type { Finding } from "../findings";
import type { AuditSettings } from "../settings";
import type { Fleet } from "./stacks";
import { StackKind } from "./stacks";

export interface Removal {
  /** Aliases of deployed members that are not declared any more, and may still have a trail. */
  members: string[];
  /** How many members are deployed, those among them. */
  of: number;
  /** The organization trail, which records every account of the organization, is to be removed. */
  organizationTrail: boolean;
}

/**
 * What `up` would remove.
 * @param empty the names of stacks that are there and hold nothing: their trails were destroyed before.
 */
export function removalOf(
  settings: AuditSettings,
  fleet: Fleet,
  deployed: Contract | undefined,
  empty: ReadonlySet<string>,
): Removal {
  const declared = new Set([
    settings.auditAccountId,
    settings.organization?.managementAccountId,
    ...settings.members.map(({ accountId }) => accountId),
  ]);
  const trails = (deployed?.trails ?? []).filter(
    ({ alias, accountId }) => accountId !== deployed?.auditAccountId && !empty.has(alias),
  );
  return {
    members: trails.filter(({ accountId }) => !declared.has(accountId)).map(({ alias }) => alias),
    of: trails.length,
    organizationTrail: fleet.removed.some(({ kind }) => kind === StackKind.Management),
  };
}

/** How many removals have to be allowed by name of their number; 0: none. */
export function removalsToAllow({ members, of, organizationTrail }: Removal): number {
  // One of two is an everyday change; two of three, or the only one, may be a key that was misspelled.
  const many = members.length > 0 && members.length * 2 > of ? members.length : 0;
  return organizationTrail ? members.length + 1 : many;
}

/**
 * Refuses to remove every member, or more than half of them, or the organization trail, unless the number is allowed.
 * @param allowed how many may be removed, as the user said.
 */
export function removalFinding(
  removal: Removal,
  allowed = 0,
  severity: Finding["severity"] = "error",
): Finding | undefined {
  const needed = removalsToAllow(removal);
  if (needed <= allowed) return undefined;
  const { members, of, organizationTrail } = removal;
  const names = `${members.slice(0, 10).join(", ")}${members.length > 10 ? ` and ${members.length - 10} more` : ""}`;
  const what = [
    ...(organizationTrail ? ["the organization trail, which records every account of the organization"] : []),
    ...(members.length > 0 ? [`${members.length} of ${of} deployed members (${names})`] : []),
  ].join(", and ");
  const said = allowed > 0 ? ` --remove-members allows ${allowed}.` : "";
  return {
    id: "fleet/mass-removal",
    severity,
    subject: organizationTrail ? "crosstrail:organization, crosstrail:members" : "crosstrail:members",
    message: `The configuration no longer declares ${what}. Their trails would be destroyed, and nothing more be recorded there.${said}`,
    remedy: `Check the configuration for a misspelled key or a lost entry. If they are to go: crosstrail up --remove-members ${needed}`,
  };
}
