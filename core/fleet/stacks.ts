/** The stacks of the fleet: which there are, what their contract is, and what prevents them. */
import type { Contract } from "../contract";
import { contractVersion } from "../contract";
import type { Finding } from "../findings";
import { declaredGuardrails } from "../guardrailNames";
import type { TrailIdentity } from "../names";
import { trailArn } from "../names";
import type { AuditSettings, Organization } from "../settings";

export const StackKind = { Audit: "audit", Management: "management", Member: "member" } as const;
export type StackKind = (typeof StackKind)[keyof typeof StackKind];

/** A stack of the fleet. */
export interface FleetStack {
  /** The stack's name: the alias, or the name of a stack that was made with plain Pulumi under another one. */
  name: string;
  kind: StackKind;
  /** The account that it works in. */
  accountId: string;
  /** It is deployed, and the audit stack's configuration does not declare it any more. */
  removed?: boolean;
  /** The deployed audit stack authorizes its trail as it is declared. */
  authorised?: boolean;
}

export interface Fleet {
  audit: FleetStack;
  /** The organization trail's stack, if there is one. */
  management?: FleetStack;
  members: FleetStack[];
  /** Members, and the organization trail's stack, that are still deployed and no longer declared. */
  removed: FleetStack[];
}

/** All that other stacks will know of the audit stack, as its settings have it; the key's ARN is known only to AWS. */
export function declaredContract(settings: AuditSettings): Omit<Contract, "keyArn" | "readers"> {
  const guardrails = declaredGuardrails(settings);
  return {
    contractVersion,
    partition: settings.partition,
    auditAccountId: settings.auditAccountId,
    bucketName: settings.bucketName,
    bucketRegion: settings.region,
    logPrefix: settings.logPrefix,
    trails: settings.fleet.map(({ alias, trail, previous, inOrganization }) => ({
      accountId: trail.accountId,
      alias,
      trailArn: trailArn(trail),
      ...(previous && { previousTrailArn: trailArn(previous) }),
      ...(inOrganization === false && { inOrganization }),
    })),
    ...(settings.previousLogPrefix !== undefined && { previousLogPrefix: settings.previousLogPrefix }),
    ...(settings.organization && { organization: organizationOf(settings.organization) }),
    ...otherBuckets(settings),
    ...(guardrails && { guardrails }),
  };
}

/** Where deliveries are copied and access to them is logged: each delivery is an event there, too. */
function otherBuckets({ archive, replicas }: AuditSettings): Pick<Contract, "otherBucketNames"> {
  const names = [archive.accessLogBucket, replicas.replication?.destination.bucketName];
  const otherBucketNames = names.filter((name): name is string => name !== undefined).sort();
  return otherBucketNames.length > 0 ? { otherBucketNames } : {};
}

function organizationOf(organization: Organization): Contract["organization"] {
  const { id, managementAccountId, auditAccountInOrganization, trail, previous, alias } = organization;
  return {
    id,
    managementAccountId,
    ...(!auditAccountInOrganization && { auditAccountInOrganization }),
    ...(trail && { trailArn: trailArn(trail) }),
    ...(previous && { previousTrailArn: trailArn(previous) }),
    ...(hasStack(organization) && { alias }),
  };
}

/** Whether the fleet deploys the organization trail. */
export function hasStack(
  organization: Organization | undefined,
): organization is Organization & { trail: TrailIdentity } {
  return organization?.trail !== undefined && organization.inFleet;
}

/**
 * Whether a stack's own file may give it this role. While a migration turns the organization trail into a trail of its account,
 * the stack is declared as both, and its file is changed before the organization's declaration is.
 */
export function fitsRole({ kind, accountId }: FleetStack, role: string, { members }: AuditSettings): boolean {
  const isBoth = kind === StackKind.Management && members.some((member) => member.accountId === accountId);
  return role === kind || (role === StackKind.Member && isBoth);
}

/**
 * The fleet's stacks.
 * @param auditStack the audit stack's name.
 * @param deployed the audit stack's outputs, if it is deployed.
 * @param stacks the names of the stacks that hold resources.
 * @param managementStackAccountId the account that the management stack works in, where that is a delegated
 * administrator's.
 * @param names by account, the stacks of members that are deployed under another name than the alias.
 */
export function fleetOf(
  settings: AuditSettings,
  auditStack: string,
  deployed: Contract | undefined,
  stacks: ReadonlySet<string>,
  managementStackAccountId?: string,
  names: ReadonlyMap<string, string> = new Map(),
): Fleet {
  const nameOf = (alias: string, accountId: string) => (stacks.has(alias) ? alias : (names.get(accountId) ?? alias));
  const declared = declaredContract(settings);
  const { organization } = settings;
  const management = hasStack(organization)
    ? {
        name: organization.alias,
        kind: StackKind.Management,
        accountId: managementStackAccountId ?? organization.managementAccountId,
        authorised: declared.organization?.trailArn === deployed?.organization?.trailArn,
      }
    : undefined;
  const arnOf = (contract: Pick<Contract, "trails"> | undefined, accountId: string) =>
    contract?.trails.find((trail) => trail.accountId === accountId)?.trailArn;
  const members = settings.members
    .map(({ alias, accountId }) => ({
      name: nameOf(alias, accountId),
      kind: StackKind.Member,
      accountId,
      authorised: arnOf(declared, accountId) === arnOf(deployed, accountId),
    }))
    // While a migration turns one kind of trail into the other, the management account is declared as both.
    .filter(({ name, accountId }) => name !== management?.name || accountId !== organization?.managementAccountId);
  // The management account's stack may have been a member's; its trail is then the organization's, and stays.
  const declaredAccounts = new Set([
    settings.auditAccountId,
    organization?.managementAccountId,
    ...settings.members.map(({ accountId }) => accountId),
  ]);
  const declaredNames = new Set([auditStack, management?.name, ...members.map(({ name }) => name)]);
  const isLeft = (name: string | undefined): name is string =>
    name !== undefined && stacks.has(name) && !declaredNames.has(name);
  const former = deployed?.organization;
  return {
    audit: { name: auditStack, kind: StackKind.Audit, accountId: settings.auditAccountId },
    ...(management && { management }),
    members,
    removed: [
      ...(deployed?.trails ?? [])
        .map((trail) => ({ ...trail, alias: nameOf(trail.alias, trail.accountId) }))
        .filter(({ alias, accountId }) => !declaredAccounts.has(accountId) && isLeft(alias))
        .map(({ alias, accountId }) => ({ name: alias, kind: StackKind.Member, accountId, removed: true })),
      ...(former && isLeft(former.alias)
        ? [
            {
              name: former.alias,
              kind: StackKind.Management,
              accountId: managementStackAccountId ?? former.managementAccountId,
              removed: true,
            },
          ]
        : []),
    ],
  };
}

/** What prevents a fleet whose stacks are named by aliases; the arguments are those of {@link fleetOf}. */
export function fleetFindings(
  settings: AuditSettings,
  auditStack: string,
  deployed: Contract | undefined,
  stacks: ReadonlySet<string>,
  /** A migration is under way, which may be about to turn one kind of trail into the other. */
  isMigrating = false,
): Finding[] {
  const findings: Finding[] = [];
  const { members, organization } = settings;
  if (hasStack(organization)) {
    const subject = `crosstrail:organization.alias = "${organization.alias}"`;
    const member = members.find(
      ({ alias, accountId }) =>
        alias === organization.alias && !(isMigrating && accountId === organization.managementAccountId),
    );
    const other = organization.alias === auditStack ? "the audit stack" : member && `the member ${member.accountId}`;
    if (other !== undefined) {
      findings.push({
        id: "fleet/stack-name",
        severity: "error",
        subject,
        message: `Both the organization trail's stack and ${other} have this name.`,
        remedy:
          "Give one of them another alias. If a migration is converting one into the other, finish it first: crosstrail migrate --resume --yes.",
      });
    }
    const before = deployed?.organization?.alias;
    if (before !== undefined && before !== organization.alias && stacks.has(before)) {
      findings.push({
        id: "fleet/alias-renamed",
        severity: "error",
        subject,
        message: `The organization trail is deployed by stack ${before}. A new stack would create it a second time.`,
        remedy: `Rename the stack, too: pulumi stack rename ${organization.alias} -s ${before}`,
      });
    }
  }
  members.forEach(({ alias, accountId, inOrganization, trailName = settings.trailName }, index) => {
    const subject = `crosstrail:members[${index}].alias = "${alias}"`;
    if (alias === auditStack) {
      findings.push({
        id: "fleet/stack-name",
        severity: "error",
        subject,
        message: "A member's stack is named after its alias, and the audit stack has this name.",
        remedy: "Give the member another alias.",
      });
    }
    // The management account's own entry is the organization trail's, while a migration turns one into the other.
    const isCopied = inOrganization !== false && accountId !== organization?.managementAccountId;
    if (organization?.trail?.name === trailName && isCopied && !stacks.has(alias)) {
      findings.push({
        id: "fleet/trail-name",
        severity: "error",
        subject: `crosstrail:members[${index}] = "${alias}"`,
        message: `The organization trail appears in every account of the organization as ${trailName}, so account ${accountId} cannot have a trail of this name.`,
        remedy:
          "Remove the entry: the organization trail records this account. For a second trail, which AWS bills, set another trailName. For an account outside the organization, set inOrganization: false.",
      });
    }
    const before = deployed?.trails.find((trail) => trail.accountId === accountId)?.alias;
    if (before !== undefined && before !== alias && stacks.has(before)) {
      findings.push({
        id: "fleet/alias-renamed",
        severity: "error",
        subject,
        message: `Account ${accountId} is deployed as ${before}, by the stack of that name. A new stack would create its trail a second time.`,
        remedy: `Rename the stack, too: pulumi stack rename ${alias} -s ${before}`,
      });
    }
  });
  return findings;
}

/**
 * What stands in the way of destroying the audit stack: an organization trail of a stack that is not the fleet's.
 * @param deployed the audit stack's outputs, if it is deployed.
 */
export function organizationFinding(deployed: Contract | undefined): Finding | undefined {
  const trail = deployed?.organization?.trailArn;
  if (trail === undefined) return undefined;
  return {
    id: "archive/in-use",
    severity: "error",
    subject: trail,
    message: "The organization trail may still deliver to the archive, and its stack is not part of the fleet.",
    remedy: [
      "Run pulumi destroy --run-program -s <its stack>, then set trail: false in crosstrail:organization of the audit stack,",
      "run crosstrail up --only <audit stack>, and rerun crosstrail destroy.",
    ].join("\n"),
  };
}

/** The tag that says which stack a key belongs to: a key has no name by which an interrupted run could find it again. */
export { stackTag } from "../tags";
