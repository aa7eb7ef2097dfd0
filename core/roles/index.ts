/** The roles that deploy a fleet: their permissions, written from the table, and who may assume them. */
import type { Partition } from "../accounts";
import { LogNotifications, notificationQueueName } from "../archive";
import { topicNameOf } from "../delivery";
import type { Finding } from "../findings";
import { UserError } from "../findings";
import { memberConfig } from "../fleet";
import { sentence } from "../issues";
import type { TrailIdentity } from "../names";
import { accountRootArn, externalIdProblem, roleArnProblem, trailArn } from "../names";
import { fillIn } from "../placeholders";
import type { IdentityStatement, PolicyDocument, TrustStatement } from "../policies/document";
import { list, policyDocument, size } from "../policies/document";
import { rolePolicyLimit } from "../policies/reader";
import type { AuditSettings, ManagementSettings, Member, MemberSettings, TrailOptions } from "../settings";
import { auditAlias, parseSettings } from "../settings";
import type { ArchiveNames, RoleNames } from "./names";
import { emptyNames, ownRoles } from "./names";
import type { Feature, Grant, RoleCondition } from "./table";
import { features, refusals, RoleAccess, RoleAccount, verifying } from "./table";

export { roleBoundary } from "./boundary";
export type { ArchiveNames, OrganizationNames, RoleNames } from "./names";
export { emptyNames } from "./names";
export {
  callsOf,
  type Feature,
  type FeatureName,
  features,
  type Grant,
  RoleAccess,
  RoleAccount,
  verifying,
} from "./table";
export { rolePolicyLimit };

/** Each has the rows of those before. */
const order: RoleAccess[] = [RoleAccess.Preview, RoleAccess.Deploy, RoleAccess.Remove];

function includes(access: RoleAccess, row: RoleAccess): boolean {
  if (access === row) return true;
  return order.includes(row) && order.indexOf(row) < order.indexOf(access);
}

/** The rows that a role of these names and access has. */
export function grantsOf(access: RoleAccess, names: RoleNames): Grant[] {
  return (access === RoleAccess.Verify ? [verifying] : (Object.values(features) as Feature[]))
    .filter((feature) => feature.needed(names))
    .flatMap(({ grants }) => grants)
    .filter((grant) => includes(access, grant.access) && grant.resource(names).length > 0);
}

/** The permissions of a role: the rows' actions, one statement for each service and resource; then what is refused. */
export function rolePermissions(access: RoleAccess, names: RoleNames): PolicyDocument<IdentityStatement> {
  const groups = new Map<string, { sid: string; actions: string[]; resource: string[]; condition?: RoleCondition }>();
  for (const grant of grantsOf(access, names)) {
    const { action, access: tier } = grant;
    const resource = grant.resource(names);
    const condition = grant.condition?.(names);
    const service = action.split(":")[0] as string;
    const verb = { preview: "Read", deploy: "Write", remove: "Remove", verify: "Verify" }[tier];
    const key = JSON.stringify([service, tier, resource, condition]);
    const group = groups.get(key) ?? { sid: verb + (sidNames[service] ?? service), actions: [], resource, condition };
    group.actions.push(action);
    groups.set(key, group);
  }
  const sids = new Map<string, number>();
  const statements = [...groups.values()].map(({ sid, actions, resource, condition }): IdentityStatement => {
    const count = (sids.get(sid) ?? 0) + 1;
    sids.set(sid, count);
    return {
      Sid: count === 1 ? sid : `${sid}${count}`,
      Effect: "Allow",
      Action: list(actions),
      Resource: list(resource),
      ...(condition && { Condition: condition }),
    };
  });
  return policyDocument<IdentityStatement>([
    ...statements,
    ...refusals
      .filter(({ accesses, needed }) => accesses.includes(access) && needed(names))
      .map(({ sid, actions, resource, condition }): IdentityStatement => ({
        Sid: sid,
        Effect: "Deny",
        Action: list(actions(names, access)),
        Resource: list(resource(names)),
        ...(condition && { Condition: condition(names) }),
      })),
  ]);
}

/**
 * What IAM allows of managed policies: characters in one of them, and how many a role has unless the quota is raised.
 */
const managedPolicyLimit = 6144;
const managedPolicies = 10;

/**
 * The permissions as IAM takes them: one document, for an inline policy, or where that would be too large several, each
 * for a managed policy. Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 * @throws UserError when that is too much for one role.
 */
export function splitPermissions(
  document: PolicyDocument<IdentityStatement>,
): [PolicyDocument<IdentityStatement>, ...PolicyDocument<IdentityStatement>[]] {
  if (size(document) <= rolePolicyLimit) return [document];
  const parts: IdentityStatement[][] = [[]];
  for (const statement of document.Statement.flatMap(smallEnough)) {
    const last = parts[parts.length - 1] as IdentityStatement[];
    if (size(policyDocument([...last, statement])) <= managedPolicyLimit) last.push(statement);
    else parts.push([statement]);
  }
  if (parts.length > managedPolicies) {
    throw new UserError("The role's permissions do not fit.", [
      {
        id: "roles/too-large",
        severity: "error",
        subject: "the permissions",
        message: `They need ${size(document)} characters, which is ${parts.length} managed policies; a role can have at most ${managedPolicies}.`,
        remedy: "Declare fewer crosstrail:readers or members, or use shorter names for roles and buckets.",
      },
    ]);
  }
  return parts.map((part) => policyDocument(part)) as ReturnType<typeof splitPermissions>;
}

/** A statement with more resources than a managed policy holds, as several. */
function smallEnough(statement: IdentityStatement): IdentityStatement[] {
  const fits = (each: IdentityStatement) => size(policyDocument([each])) <= managedPolicyLimit;
  if (fits(statement)) return [statement];
  const parts: string[][] = [[]];
  const part = (resources: string[], number: number) => ({
    ...statement,
    Sid: `${statement.Sid}Part${number}`,
    Resource: list(resources),
  });
  for (const resource of [statement.Resource].flat()) {
    const last = parts[parts.length - 1] as string[];
    if (fits(part([...last, resource], parts.length))) last.push(resource);
    else parts.push([resource]);
  }
  return parts.map((resources, index) => part(resources, index + 1));
}

const sidNames: Record<string, string> = {
  cloudtrail: "Trail",
  iam: "Roles",
  kms: "Key",
  logs: "LogGroup",
  organizations: "Organization",
  s3: "Bucket",
  sns: "Topic",
  sqs: "Queue",
  sts: "Caller",
};

/** What the configuration says about the account that a role is for. */
export interface RoleSubject {
  accounts: RoleAccount[];
  /** The names of the account's stacks. */
  aliases: string[];
  /** The role by which the configuration says that the account is accessed, if it does. */
  deployRoleArn?: string;
  /** Stacks that create roles, and whose configuration has no crosstrail:permissionsBoundary. */
  withoutBoundary: string[];
  names: RoleNames;
}

/**
 * Every account of the fleet that a role can be for, the audit account first. An account is there once: the management
 * account may be a member as well, or the audit account.
 * @param others the settings of other stacks, as far as they are known; of a member without any they follow from the
 * fleet.
 */
export function roleSubjects(
  settings: AuditSettings,
  others: (MemberSettings | ManagementSettings)[] = [],
): RoleSubject[] {
  const { partition, auditAccountId, region, organization } = settings;
  const subjects = new Map<string, RoleSubject>();
  const subjectOf = (
    account: RoleAccount,
    alias: string,
    accountId: string,
    home: string,
    deployRoleArn?: string,
  ): RoleSubject => {
    const subject = subjects.get(accountId) ?? {
      accounts: [],
      aliases: [],
      withoutBoundary: [],
      names: emptyNames(partition, accountId, home),
    };
    subject.accounts.push(account);
    subject.aliases.push(alias);
    // The audit stack has credentials of its own.
    if (account !== RoleAccount.Audit) {
      subject.deployRoleArn ??=
        deployRoleArn ?? (fillIn(settings.deployRole, { partition, accountId, alias }) || undefined);
    }
    subjects.set(accountId, subject);
    return subject;
  };
  /** Adds trails with what they deliver to, and says how the roles that the stack creates are limited. */
  const addStack = (
    { names, aliases, withoutBoundary }: RoleSubject,
    component: "audit" | "member",
    trails: TrailIdentity[],
    stack: { trailOptions?: TrailOptions; permissionsBoundary?: string } | undefined,
  ): void => {
    const before = names.logGroups.length;
    addTrail(names, component, trails, stack?.trailOptions);
    const createsRoles = names.logGroups.length > before || (component === "audit" && ownRoles(names).length > 0);
    if (stack?.permissionsBoundary) names.boundaryName = stack.permissionsBoundary;
    else if (createsRoles) withoutBoundary.push(aliases[aliases.length - 1] as string);
  };

  const audit = subjectOf(RoleAccount.Audit, auditAlias, auditAccountId, region);
  audit.names.archive = archiveNames(settings);
  const own = settings.fleet.find(({ trail }) => trail.accountId === auditAccountId);
  addStack(audit, "audit", own ? [own.trail] : [], own ? settings : { ...settings, trailOptions: undefined });
  for (const { alias, trail, previous } of settings.fleet) {
    const { accountId } = trail;
    if (accountId !== auditAccountId) {
      const member = settings.members.find((each) => each.accountId === accountId);
      const subject = subjectOf(RoleAccount.Member, alias, accountId, trail.region, member?.deployRoleArn);
      const file = others.find((each) => each.role === "member" && each.accountId === accountId);
      const stack = file ?? (member && defaultSettings(settings, member));
      addStack(subject, "member", previous ? [trail, previous] : [trail], stack);
    }
  }
  if (organization?.trail) {
    const { id, alias, managementAccountId, trail, previous, deployRoleArn } = organization;
    const file = others.find((each): each is ManagementSettings => each.role === "management");
    // Or CloudTrail's delegated administrator: the trail is the management account's all the same.
    const accountId = file?.accountId ?? managementAccountId;
    const subject = subjectOf(RoleAccount.Management, alias, accountId, trail.region, deployRoleArn);
    // Log groups and topics have the names that they have in a member's stack.
    // Without a file it has the boundary of the audit stack, and nothing else of its trail's options.
    const stack = file ?? { permissionsBoundary: settings.permissionsBoundary };
    addStack(subject, "member", previous ? [trail, previous] : [trail], stack);
    const wishes = accountId === managementAccountId ? file : undefined;
    subject.names.organization = {
      id,
      enableAllFeatures: wishes?.enableAllFeatures === true,
      enableTrustedAccess: wishes?.enableTrustedAccess === true,
      ...(wishes?.delegatedAdministrator !== undefined && { delegatedAdministrator: wishes.delegatedAdministrator }),
      ...(accountId === managementAccountId &&
        (file ?? settings).guardrails.attach.length > 0 && {
          guardedAccountIds: [auditAccountId, ...organization.memberAccountIds]
            .filter((each) => each !== managementAccountId)
            .sort(),
        }),
    };
  }
  return [...subjects.values()];
}

/** The settings of a member's stack that has no file of its own. */
function defaultSettings(settings: AuditSettings, member: Member): MemberSettings {
  const config = memberConfig(settings, member, { auditStack: auditAlias });
  const raw = Object.entries(config)
    .filter(([name]) => name.startsWith("crosstrail:"))
    .map(([name, value]) => [
      name.slice("crosstrail:".length),
      typeof value === "object" ? JSON.stringify(value) : String(value),
    ]);
  return parseSettings(
    member.alias,
    Object.fromEntries(raw) as Record<string, string>,
    config["aws:region"] as string,
  ) as MemberSettings;
}

/**
 * Adds trails, the first one first, and what they deliver to.
 * @param component by which Pulumi names the role and the log group.
 */
function addTrail(
  names: RoleNames,
  component: "audit" | "member",
  trails: TrailIdentity[],
  options: Pick<TrailOptions, "cloudWatchLogs" | "sns"> = {},
): void {
  const known = new Set(names.trails.map(trailArn));
  names.trails.push(...trails.filter((trail) => !known.has(trailArn(trail))));
  const { cloudWatchLogs, sns } = options;
  if (cloudWatchLogs) {
    // Pulumi puts seven characters behind the name.
    const role = `${component}-logs-???????`;
    names.logGroups.push({ name: cloudWatchLogs.groupName ?? `crosstrail/${role}`, role });
  }
  // While a trail is being renamed, so is its topic.
  if (sns) names.topics.push(...new Set(trails.map(({ name }) => sns.topicName ?? topicNameOf(name))));
  names.deliveryKeys ||= cloudWatchLogs?.encrypted === true || sns?.encrypted === true;
}

function archiveNames(settings: AuditSettings): ArchiveNames {
  const { bucketName, keyAlias, keyGeneration, replicas, archive } = settings;
  const { replication } = replicas;
  return {
    bucketName,
    keyAliases: Array.from({ length: keyGeneration }, (_, index) =>
      index === 0 ? keyAlias : `${keyAlias}-${index + 1}`,
    ),
    readerNames: settings.readers.map(({ name }) => name),
    replicaRegions: replicas.keyReplicaRegions,
    ...(replication && {
      replication: {
        roleName: replication.roleName,
        destination: replication.destination.bucketName,
        ...(replication.otherAccountId === undefined && { bucketName: replication.destination.bucketName }),
        ...(replication.keyArn !== undefined && { keyArn: replication.keyArn }),
      },
    }),
    ...(archive.accessLogBucket !== undefined && { accessLogBucket: archive.accessLogBucket }),
    breakGlassRoleArns: archive.breakGlassRoleArns,
    objectLock: archive.objectLock !== undefined,
    retention: archive.retention !== undefined,
    notifications: archive.notifications !== LogNotifications.None,
    ...(archive.notifications === LogNotifications.Sqs && { queueName: notificationQueueName(bucketName) }),
    mfaDelete: archive.mfaDelete,
    forceDestroy: archive.forceDestroy,
    eventDataStore: settings.eventDataStore !== undefined,
  };
}

/** The permissions of the hub role: to access the accounts by these roles, and nothing else. */
export function hubPermissions(roleArns: string[]): PolicyDocument<IdentityStatement> {
  return policyDocument<IdentityStatement>([
    { Sid: "EnterAccounts", Effect: "Allow", Action: "sts:AssumeRole", Resource: list(roleArns) },
  ]);
}

/** Who may assume a role. */
export type RoleTrust =
  | { hubRoleArn: string; externalId?: string }
  /** A job of GitHub Actions, by its exact subject, such as `repo:example/fleet:environment:production`. */
  | { githubSubject: string };

/**
 * A role's trust policy.
 * @throws UserError when the hub's ARN, the external id or the subject cannot be right.
 */
export function roleTrust(
  { partition, accountId }: { partition: Partition; accountId: string },
  trust: RoleTrust,
): PolicyDocument<TrustStatement> {
  const findings: Finding[] = [];
  const check = (subject: string, value: string, problem: string | undefined): void => {
    if (problem === undefined) return;
    const remedy = "Correct this value.";
    findings.push({
      id: "roles/trust",
      severity: "error",
      subject: `${subject} = "${value}"`,
      message: sentence(problem),
      remedy,
    });
  };
  if ("githubSubject" in trust) check("the subject", trust.githubSubject, githubSubjectProblem(trust.githubSubject));
  else {
    check("the hub role", trust.hubRoleArn, roleArnProblem(trust.hubRoleArn));
    if (trust.externalId !== undefined) check("the external id", trust.externalId, externalIdProblem(trust.externalId));
  }
  if (findings.length > 0) throw new UserError("The role's trust policy cannot be written.", findings);
  return policyDocument([
    "githubSubject" in trust ? githubTrust(partition, accountId, trust.githubSubject) : hubTrust(partition, trust),
  ]);
}

function hubTrust(
  partition: Partition,
  { hubRoleArn, externalId }: { hubRoleArn: string; externalId?: string },
): TrustStatement {
  const hubAccount = hubRoleArn.split(":")[4] as string;
  return {
    Sid: "HubAssumes",
    Effect: "Allow",
    // The account with a condition, not the role: IAM turns the ARN of a deleted role into an id, which a new role of
    // the same name does not have.
    Principal: { AWS: accountRootArn(partition, hubAccount) },
    Action: "sts:AssumeRole",
    Condition: {
      ArnEquals: { "aws:PrincipalArn": hubRoleArn },
      ...(externalId !== undefined && { StringEquals: { "sts:ExternalId": externalId } }),
    },
  };
}

/** https://docs.github.com/actions/reference/security/oidc */
const githubIssuer = "token.actions.githubusercontent.com";

function githubTrust(partition: Partition, accountId: string, subject: string): TrustStatement {
  return {
    Sid: "GitHubAssumes",
    Effect: "Allow",
    Principal: { Federated: `arn:${partition}:iam::${accountId}:oidc-provider/${githubIssuer}` },
    Action: "sts:AssumeRoleWithWebIdentity",
    Condition: { StringEquals: { [`${githubIssuer}:aud`]: "sts.amazonaws.com", [`${githubIssuer}:sub`]: subject } },
  };
}

/**
 * Says what is wrong with the subject of a GitHub token, or nothing. Patterns are not accepted: they let other repositories in.
 */
export function githubSubjectProblem(subject: string): string | undefined {
  if (/[*?$\s]/.test(subject)) return "a subject must be exact: a wildcard would let other branches or repositories in";
  // With or without the ids of owner and repository, which GitHub has put into the subjects of new repositories since
  // 2026.
  const [, place, what = ""] = /^repo:([^:]+):(.+)$/.exec(subject) ?? [];
  const isPlace = /^([\w.-]+\/[\w.-]+|[\w.-]+@\d+\/[\w.-]+@\d+)$/.test(place ?? "");
  if (isPlace && /^(pull_request|environment:[^:]+|ref:refs\/(heads|tags)\/[^:]+)$/.test(what)) return undefined;
  return (
    "a subject looks like repo:<owner>/<repository>:environment:<name>, repo:<owner>/<repository>:ref:refs/heads/<branch> " +
    "or repo:<owner>/<repository>:pull_request, with ids repo:<owner>@<id>/<repository>@<id>:..."
  );
}
