/**
 * The fleet: which stacks there are, in which order they are brought up and destroyed, and what the stack of a member is
 * configured with. All of it follows from the audit stack's settings and from what is deployed.
 */
import type { Contract } from "./contract";
import { contractVersion } from "./contract";
import type { Finding } from "./findings";
import type { TrailIdentity } from "./names";
import { parseTrailArn, trailArn } from "./names";
import { fillIn } from "./pattern";
import type { AuditSettings, Member, Organization } from "./settings";

export const StackKind = { Audit: "audit", Management: "management", Member: "member" } as const;
export type StackKind = (typeof StackKind)[keyof typeof StackKind];

/** A stack of the fleet. */
export interface FleetStack {
  /** The stack's name; but for the audit stack's it is the alias. */
  name: string;
  kind: StackKind;
  /** The account that it works in. */
  accountId: string;
  /** It is deployed, and the audit stack's configuration does not declare it any more. */
  removed?: boolean;
  /** The deployed audit stack authorises its trail as it is declared. */
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
  };
}

function organizationOf(organization: Organization): Contract["organization"] {
  const { id, managementAccountId, trail, previous, alias } = organization;
  return {
    id,
    managementAccountId,
    ...(trail && { trailArn: trailArn(trail) }),
    ...(previous && { previousTrailArn: trailArn(previous) }),
    ...(hasStack(organization) && { alias }),
  };
}

/** Whether the fleet deploys the organization trail. */
function hasStack(organization: Organization | undefined): organization is Organization & { trail: TrailIdentity } {
  return organization?.trail !== undefined && organization.inFleet;
}

/**
 * The fleet's stacks.
 * @param auditStack the audit stack's name.
 * @param deployed the audit stack's outputs, if it is deployed.
 * @param stacks the names of the stacks that hold resources.
 * @param managementStackAccountId the account that the management stack works in, where that is a delegated administrator's.
 */
export function fleetOf(
  settings: AuditSettings,
  auditStack: string,
  deployed: Contract | undefined,
  stacks: ReadonlySet<string>,
  managementStackAccountId?: string,
): Fleet {
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
  const members = settings.members.map(({ alias, accountId }) => ({
    name: alias,
    kind: StackKind.Member,
    accountId,
    authorised: arnOf(declared, accountId) === arnOf(deployed, accountId),
  }));
  // The management account's stack may have been a member's; its trail is then the organization's, and stays.
  const declaredAccounts = new Set([
    settings.auditAccountId,
    organization?.managementAccountId,
    ...members.map(({ accountId }) => accountId),
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

/** What stands in the way of a fleet whose stacks are named by aliases; the arguments are those of {@link fleetOf}. */
export function fleetFindings(
  settings: AuditSettings,
  auditStack: string,
  deployed: Contract | undefined,
  stacks: ReadonlySet<string>,
): Finding[] {
  const findings: Finding[] = [];
  const { members, organization } = settings;
  if (hasStack(organization)) {
    const subject = `crosstrail:organization.alias = "${organization.alias}"`;
    const member = members.find(({ alias }) => alias === organization.alias);
    const other = organization.alias === auditStack ? "the audit stack" : member && `the member ${member.accountId}`;
    if (other !== undefined) {
      findings.push({
        id: "fleet/stack-name",
        severity: "error",
        subject,
        message: `The organization trail's stack has this name, and so has ${other}.`,
        remedy:
          "Give one of the two another alias. While a migration turns one into the other, finish that first: crosstrail migrate --resume --yes.",
      });
    }
    const before = deployed?.organization?.alias;
    if (before !== undefined && before !== organization.alias && stacks.has(before)) {
      findings.push({
        id: "fleet/alias-renamed",
        severity: "error",
        subject,
        message: `The organization trail is deployed by the stack ${before}. A new stack would make it a second time.`,
        remedy: `Rename the stack as well: pulumi stack rename ${organization.alias} -s ${before}`,
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
        message: "A member's stack is named by its alias, and the audit stack has this name.",
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
        message: `The organization trail appears in every account of the organization as ${trailName}, so ${accountId} cannot have a trail of this name.`,
        remedy:
          "The organization trail records this account: remove the entry. For a second trail, which AWS bills, give it a trailName of its own. An account outside of the organization: inOrganization: false.",
      });
    }
    const before = deployed?.trails.find((trail) => trail.accountId === accountId)?.alias;
    if (before !== undefined && before !== alias && stacks.has(before)) {
      findings.push({
        id: "fleet/alias-renamed",
        severity: "error",
        subject,
        message: `Account ${accountId} is deployed as ${before}, by the stack of this name. A new stack would make its trail a second time.`,
        remedy: `Rename the stack as well: pulumi stack rename ${alias} -s ${before}`,
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
    message: "The organization trail may still deliver to the archive, and its stack is none of the fleet's.",
    remedy: [
      "pulumi destroy --run-program -s <its stack>, then set trail: false in crosstrail:organization of the audit stack,",
      "crosstrail up --only the audit stack, and destroy it again.",
    ].join("\n"),
  };
}

export const Action = { Up: "up", Preview: "preview", Destroy: "destroy", Status: "status" } as const;
export type Action = (typeof Action)[keyof typeof Action];

/** One stack's turn. */
export interface Step {
  stack: FleetStack;
  action: Action;
  /** A preview of what `destroy` would do. */
  destroys?: boolean;
  /** The stacks whose turn must be over. */
  after: string[];
  /** Those of them that must have succeeded. */
  needs: string[];
  /** It also goes on when what it needs had to be left alone: nothing has changed for it then. */
  orUntouched?: boolean;
}

/**
 * Brings the fleet up: the audit stack authorises a trail before it is made, and goes on authorising it until it is gone.
 * What is removed therefore comes first, then the audit stack, the management account, and all members at the same time.
 */
export function planUp(fleet: Fleet): Step[] {
  const { audit, management, members, removed } = fleet;
  const gone = names(removed);
  const first = [audit, ...(management ? [management] : [])];
  return [
    ...removed.map((stack) => ({ stack, action: Action.Destroy, after: [], needs: [] })),
    { stack: audit, action: Action.Up, after: gone, needs: gone },
    ...(management
      ? [
          {
            stack: management,
            action: Action.Up,
            after: [audit.name],
            needs: [audit.name],
            orUntouched: management.authorised === true,
          },
        ]
      : []),
    ...members.map((stack) => ({
      stack,
      action: Action.Up,
      after: names(first),
      needs: [audit.name],
      orUntouched: stack.authorised === true,
    })),
  ];
}

/** Shows what `up` would do. Nothing changes, so nothing has to wait. */
export function planPreview(fleet: Fleet): Step[] {
  return planUp(fleet).map(({ stack, action }) => ({
    stack,
    action: Action.Preview,
    ...(action === Action.Destroy && { destroys: true }),
    after: [],
    needs: [],
  }));
}

/** Removes the fleet: every trail, then, when none delivers any more, what the audit stack has. */
export function planDestroy(fleet: Fleet): Step[] {
  const { audit, management, members, removed } = fleet;
  const trails = [...removed, ...members, ...(management ? [management] : [])];
  return [
    ...trails.map((stack) => ({ stack, action: Action.Destroy, after: [], needs: [] })),
    { stack: audit, action: Action.Destroy, after: names(trails), needs: names(trails) },
  ];
}

export function planStatus({ audit, management, members, removed }: Fleet): Step[] {
  return [audit, ...(management ? [management] : []), ...members, ...removed].map((stack) => ({
    stack,
    action: Action.Status,
    after: [],
    needs: [],
  }));
}

/** The steps of some stacks only. What the others would have had to do first is taken as done. */
export function only(steps: Step[], wanted: ReadonlySet<string>): Step[] {
  const stays = (name: string) => wanted.has(name);
  return steps
    .filter(({ stack }) => stays(stack.name))
    .map((step) => ({ ...step, after: step.after.filter(stays), needs: step.needs.filter(stays) }));
}

/** Where the contract comes from. */
type Source = { auditStack: string } | { contract: Contract };

/** How an account is entered, and where its trail is. */
type Entry = Pick<Member, "accountId" | "alias" | "homeRegion" | "deployRoleArn" | "deployProfile">;

/** The configuration of a member's stack that has no file of its own, with Pulumi's names. */
export function memberConfig(settings: AuditSettings, member: Entry, source: Source): Record<string, unknown> {
  return {
    ...stackConfig(settings, StackKind.Member, member, source),
    ...Object.fromEntries(
      Object.entries(settings.memberDefaults).map(([name, value]) => [`crosstrail:${name}`, value]),
    ),
  };
}

/** The same for the organization trail's stack. */
export function managementConfig(settings: AuditSettings, entry: Entry, source: Source): Record<string, unknown> {
  return stackConfig(settings, StackKind.Management, entry, source);
}

function stackConfig(settings: AuditSettings, role: StackKind, entry: Entry, source: Source): Record<string, unknown> {
  const { accountId, alias } = entry;
  const values = { partition: settings.partition, accountId, alias };
  const { deployExternalId: externalId } = settings;
  const roleArn = entry.deployRoleArn ?? fillIn(settings.deployRole, values);
  const profile = entry.deployProfile ?? fillIn(settings.deployProfile, values);
  return {
    "aws:region": entry.homeRegion ?? settings.region,
    "aws:allowedAccountIds": [accountId],
    ...(profile !== "" && { "aws:profile": profile }),
    ...(roleArn !== "" && { "aws:assumeRoles": [{ roleArn, ...(externalId !== "" && { externalId }) }] }),
    "crosstrail:role": role,
    "crosstrail:accountId": accountId,
    ...("contract" in source
      ? { "crosstrail:contract": source.contract }
      : { "crosstrail:auditStack": source.auditStack }),
    ...(settings.extraRegions.length > 0 && { "crosstrail:extraRegions": settings.extraRegions }),
  };
}

/** The organization trail's account as it is declared, or as the deployed contract still knows it. */
export function managementEntry(settings: AuditSettings, deployed: Contract | undefined): Entry | undefined {
  const { organization } = settings;
  if (hasStack(organization)) {
    const { managementAccountId, alias, trail, deployRoleArn, deployProfile } = organization;
    return { accountId: managementAccountId, alias, homeRegion: trail.region, deployRoleArn, deployProfile };
  }
  const former = deployed?.organization;
  if (former?.alias === undefined) return undefined;
  return {
    accountId: former.managementAccountId,
    alias: former.alias,
    homeRegion: parseTrailArn(former.trailArn ?? "")?.region,
    // An organization that is declared without its trail any more still says how its account is entered.
    deployRoleArn: organization?.deployRoleArn,
    deployProfile: organization?.deployProfile,
  };
}

/** A removed member as it was declared: what the deployed contract knows of it. */
export function removedMember(contract: Contract, accountId: string): Entry {
  const found = contract.trails.find((trail) => trail.accountId === accountId);
  return { accountId, alias: found?.alias ?? "", homeRegion: parseTrailArn(found?.trailArn ?? "")?.region };
}

function names(stacks: FleetStack[]): string[] {
  return stacks.map(({ name }) => name);
}

/** The tag that says which stack a key belongs to: a key has no name by which an interrupted run could find it again. */
export const stackTag = "crosstrail:stack";
