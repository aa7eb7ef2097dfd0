/** What an organization adds to the archive's policies. */
import type { TrailIdentity } from "../names";

export interface OrganizationGrant {
  /** The organization's id: `o-...` */
  id: string;
  /** The organization trail, and while it is being renamed the one it replaces. Its ARN is the management account's. */
  trails: TrailIdentity[];
  /** Accounts of the organization whose own trails a policy may authorize by the organization's id instead of by name. */
  accountIds: string[];
}

/** The trails that form `organization` covers by the organization's id, and those that it still has to name. */
export function divided(
  trails: TrailIdentity[],
  organization: OrganizationGrant | undefined,
): { covered: TrailIdentity[]; named: TrailIdentity[] } {
  const accounts = new Set(organization?.accountIds);
  return {
    covered: trails.filter(({ accountId }) => accounts.has(accountId)),
    named: trails.filter(({ accountId }) => !accounts.has(accountId)),
  };
}

/** What the policies know of a declared organization. */
export function grantOf(
  organization: { id: string; trail?: TrailIdentity; previous?: TrailIdentity; memberAccountIds: string[] } | undefined,
): OrganizationGrant | undefined {
  if (organization === undefined) return undefined;
  const { id, trail, previous, memberAccountIds } = organization;
  return { id, trails: [trail, previous].filter((each) => each !== undefined), accountIds: memberAccountIds };
}
