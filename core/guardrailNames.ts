/** The names that the guardrails are built from: of the accounts as they are known, and of the archive as it is configured. */
import { LogNotifications } from "./archive";
import { notificationQueueArn } from "./archivePolicies";
import { topicNameOf } from "./delivery";
import { UserError } from "./findings";
import type { AuditGuard, Guardrail, GuardrailNames, GuardrailPlace, MemberGuard, TrailGuard } from "./guardrails";
import { anyPlace, GuardrailId, guardrailsOf } from "./guardrails";
import type { TrailIdentity } from "./names";
import { bucketArn, defaultBoundaryName, policyArn, roleArn, trailArn } from "./names";
import { fillIn } from "./placeholders";
import { logGroupArn, topicArn } from "./policies/delivery";
import type { AuditSettings, Organization } from "./settings";

/** What an account's stacks have there; see RoleNames in core/roles/names.ts. */
export interface AccountNames {
  accountId: string;
  /** Where keys, log groups and topics are, besides the Regions of the trails. */
  region: string;
  trails: TrailIdentity[];
  /** Patterns where Pulumi chooses the name. */
  logGroups: { name: string; role: string }[];
  topics: string[];
  deliveryKeys: boolean;
}

export interface GuardrailInput {
  settings: AuditSettings;
  /** Every account's names; see `roleSubjects`. */
  accounts: AccountNames[];
  /** The roles that deploy and remove, of each account. */
  deployRoleArns: string[];
  /** Roles for which the guardrails do not hold, besides those that deploy: ARNs, perhaps with `*` for the account. */
  exemptRoleArns?: string[];
}

/**
 * Every guardrail that there can be for a fleet.
 * @throws UserError without an organization, or where a policy does not fit.
 */
export function guardrails({ settings, accounts, deployRoleArns, exemptRoleArns = [] }: GuardrailInput): Guardrail[] {
  const { organization } = settings;
  if (!organization) {
    throw new UserError("There are no guardrails without an organization.", [
      {
        id: "guardrails/no-organization",
        severity: "error",
        subject: "crosstrail:organization is not set",
        message: "Service and resource control policies are policies of AWS Organizations.",
        remedy: "Declare crosstrail:organization in the audit stack's configuration.",
      },
    ]);
  }
  const names = guardrailNames(settings, organization, accounts, deployRoleArns, exemptRoleArns);
  return guardrailsOf(guardrailPlace(settings, organization), names);
}

/** Whose policies the guardrails of an archive are. */
export function guardrailPlace({ partition, auditAccountId }: AuditSettings, { id }: Organization): GuardrailPlace {
  return { partition, auditAccountId, organizationId: id };
}

/**
 * The names in every policy that there can be.
 * @param deployRoleArns the roles that deploy and remove, of each account.
 */
export function guardrailNames(
  settings: AuditSettings,
  { managementAccountId }: Organization,
  accounts: AccountNames[],
  deployRoleArns: string[],
  exemptRoles: string[],
): GuardrailNames {
  const { auditAccountId } = settings;
  const outsideAccountIds = settings.members
    .filter(({ inOrganization }) => inOrganization === false)
    .map(({ accountId }) => accountId);
  const notMembers = [managementAccountId, auditAccountId, ...outsideAccountIds];
  const inside = accounts.filter(({ accountId }) => !notMembers.includes(accountId));
  const own = accounts.filter(({ accountId }) => accountId === auditAccountId);
  return {
    ...(inside.length > 0 && { members: memberGuard(settings, inside, deployRoleArns) }),
    ...(auditAccountId !== managementAccountId && {
      audit: auditGuard(settings, own, deployRoleArns),
      archive: { buckets: bucketsOf(settings), outsideAccountIds },
    }),
    exemptRoles,
  };
}

function trailGuard({ partition }: AuditSettings, accounts: AccountNames[], keys: boolean): TrailGuard {
  const homes = accounts.flatMap((names) =>
    [...new Set([names.region, ...names.trails.map(({ region }) => region)])].map((region) => ({ names, region })),
  );
  const unique = (arns: string[]) => [...new Set(arns.map(anyPlace))].sort();
  return {
    trails: unique(accounts.flatMap(({ trails }) => trails.map(trailArn))),
    logGroups: unique(
      homes.flatMap(({ names: { accountId, logGroups }, region }) =>
        logGroups.map(({ name }) => logGroupArn({ partition, region, accountId }, name)),
      ),
    ),
    topics: unique(
      homes.flatMap(({ names: { accountId, topics }, region }) =>
        topics.map((name) => topicArn({ partition, region, accountId }, name)),
      ),
    ),
    logRoles: unique(
      accounts.flatMap(({ accountId, logGroups }) => logGroups.map(({ role }) => roleArn(partition, accountId, role))),
    ),
    keys,
  };
}

function memberGuard(settings: AuditSettings, inside: AccountNames[], deployRoleArns: string[]): MemberGuard {
  const accountIds = inside.map(({ accountId }) => accountId).sort();
  const roles = deployRoleArns.filter((arn) => accountIds.includes(arn.split(":")[4] as string));
  return {
    accountIds,
    ...trailGuard(
      settings,
      inside,
      inside.some(({ deliveryKeys }) => deliveryKeys),
    ),
    deployRoles: [...new Set(roles.map(anyPlace))],
  };
}

function auditGuard(settings: AuditSettings, own: AccountNames[], deployRoleArns: string[]): AuditGuard {
  const { partition, auditAccountId, archive, replicas, readers, permissionsBoundary } = settings;
  const { replication } = replicas;
  const deployRoles = deployRoleArns.filter((arn) => arn.split(":")[4] === auditAccountId);
  const archiveRoles = [...readers.map(({ name }) => name), ...(replication ? [replication.roleName] : [])];
  const queue = notificationQueueArn(settings);
  return {
    ...trailGuard(settings, own, true),
    trustedRoles: [...new Set([...deployRoles, ...archive.breakGlassRoleArns])],
    buckets: bucketsOf(settings),
    ...(replication && { replicationRole: replication.roleArn }),
    archiveRoles: [
      ...archiveRoles.map((name) => roleArn(partition, auditAccountId, name)),
      policyArn(partition, auditAccountId, permissionsBoundary || defaultBoundaryName),
    ],
    ...(archive.notifications === LogNotifications.Sqs && { queue }),
  };
}

/** The audit account's own buckets. */
function bucketsOf({ partition, bucketName, replicas: { replication }, archive }: AuditSettings): string[] {
  const copies = replication?.otherAccountId === undefined ? replication?.destination.bucketName : undefined;
  return [bucketName, copies, archive.accessLogBucket]
    .filter((name) => name !== undefined)
    .map((name) => bucketArn(partition, name));
}

/**
 * The names in the policies that the audit stack asks the management stack to attach, or undefined. A program does not know other
 * stacks' files, so it assumes the default names of each account's log group, topic and keys.
 */
export function declaredGuardrails(settings: AuditSettings): GuardrailNames | undefined {
  const { organization, guardrails } = settings;
  if (!organization || guardrails.attach.length === 0) return undefined;
  const { partition, fleet, auditAccountId, members, deployRole } = settings;
  const deployRoleArns = members.flatMap(({ accountId, alias, deployRoleArn }) => {
    const arn = deployRoleArn ?? fillIn(deployRole, { partition, accountId, alias });
    return arn === "" ? [] : [arn];
  });
  const accounts = fleet.map(({ trail, previous }) => {
    const trails = previous ? [trail, previous] : [trail];
    const isAudit = trail.accountId === auditAccountId;
    return assumedNames(trails, isAudit ? settings.trailOptions : defaultsOf(settings), isAudit);
  });
  const own = { accountId: auditAccountId, region: settings.region, trails: [], logGroups: [], topics: [] };
  const isThere = accounts.some(({ accountId }) => accountId === auditAccountId);
  const {
    members: inside,
    audit,
    archive,
    exemptRoles,
  } = guardrailNames(
    settings,
    organization,
    isThere ? accounts : [{ ...own, deliveryKeys: true }, ...accounts],
    deployRoleArns,
    guardrails.exemptRoleArns,
  );
  const isWanted = (id: GuardrailId) => guardrails.attach.includes(id);
  return {
    ...(inside && isWanted(GuardrailId.Members) && { members: inside }),
    ...(audit && isWanted(GuardrailId.Audit) && { audit }),
    ...(archive && isWanted(GuardrailId.Archive) && { archive }),
    exemptRoles,
  };
}

/** Where trails deliver besides S3, as far as names go. */
interface NamedDelivery {
  cloudWatchLogs?: { groupName?: string };
  sns?: { topicName?: string };
}

/** What memberDefaults says of names; the rest of it is checked where members' stacks are. */
function defaultsOf({ memberDefaults: { cloudWatchLogs, sns } }: AuditSettings): NamedDelivery {
  return { cloudWatchLogs, sns } as NamedDelivery;
}

function assumedNames(trails: TrailIdentity[], { cloudWatchLogs, sns }: NamedDelivery, isAudit: boolean): AccountNames {
  const [{ accountId, region }] = trails as [TrailIdentity];
  // Pulumi puts seven characters behind the name.
  const role = `${isAudit ? "audit" : "member"}-logs-???????`;
  const groups = [`crosstrail/${role}`, cloudWatchLogs?.groupName].filter((name) => name !== undefined);
  return {
    accountId,
    region,
    trails,
    logGroups: groups.map((name) => ({ name, role })),
    topics: sns?.topicName === undefined ? trails.map(({ name }) => topicNameOf(name)) : [sns.topicName],
    deliveryKeys: true,
  };
}
