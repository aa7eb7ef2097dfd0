/** The roles that the provider assumes, as the settings in a stack's configuration name them. */

/** https://www.pulumi.com/registry/packages/aws/api-docs/provider/#providerassumerole */
export interface AssumeRole {
  roleArn?: string;
  externalId?: string;
  sessionName?: string;
  sourceIdentity?: string;
  policy?: string;
}

/** The role by which the configuration accesses the account: the last one that the provider assumes. */
export function assumedRole(config: Record<string, unknown>, accountId: string): AssumeRole | undefined {
  const role = rolesOf(config["aws:assumeRoles"]).at(-1);
  return /^arn:[^:]+:iam::(\d+):role\/./.exec(role?.roleArn ?? "")?.[1] === accountId ? role : undefined;
}

/** A stack file has a list; what was set with `pulumi config set` may be its JSON. */
export function rolesOf(value: unknown): AssumeRole[] {
  if (Array.isArray(value)) return value as AssumeRole[];
  if (typeof value !== "string") return [];
  try {
    const parsed: unknown = JSON.parse(value);
    return Array.isArray(parsed) ? (parsed as AssumeRole[]) : [];
  } catch {
    return [];
  }
}
