/** What requests depend on besides who makes them and what for: the archive's Region, organizations, and values that a user gave. */

/**
 * The organization that an account is in: its id, none, some other one or none (`not`), or nobody has said.
 */
export type Membership = { readonly id: string } | { readonly not: string } | "none" | "unknown";

export interface World {
  /** The Region of the bucket and of its key. Left out: unknown. */
  readonly region?: string;
  /** The organization of an account, by its id. Left out: unknown for every account. */
  readonly organizationOf?: (accountId: string) => Membership;
  /**
   * Values of condition keys, by the key in lower case, that nobody but the user can know; an empty list says that requests do
   * not have the key. They count only where the value would be unknown otherwise.
   */
  readonly given?: ReadonlyMap<string, readonly string[]>;
}

export function membershipOf(world: World, accountId: string | undefined): Membership {
  return accountId === undefined ? "unknown" : (world.organizationOf?.(accountId) ?? "unknown");
}

/** The same world, except some accounts. */
export function withMemberships(world: World, memberships: Readonly<Record<string, Membership>>): World {
  return {
    ...world,
    organizationOf: (accountId) => memberships[accountId] ?? membershipOf(world, accountId),
  };
}
