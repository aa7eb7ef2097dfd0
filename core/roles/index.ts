/** The roles that deploy a fleet: their permissions, written from the table, and who may assume them. */
import type { Partition } from "../accounts";
import type { Finding } from "../findings";
import { UserError } from "../findings";
import { sentence } from "../issues";
import { accountRootArn, externalIdProblem, roleArn, roleArnProblem } from "../names";
import type { IdentityStatement, PolicyDocument, TrustStatement } from "../policies/document";
import { list, policyDocument, size } from "../policies/document";
import { rolePolicyLimit } from "../policies/reader";
import type { AuditSettings } from "../settings";
import { auditAlias } from "../settings";
import type { Feature, Grant, RoleNames } from "./table";
import { features, refusals, RoleAccess, RoleAccount } from "./table";

export {
  callsOf,
  type Feature,
  type FeatureName,
  features,
  type Grant,
  RoleAccess,
  RoleAccount,
  type RoleNames,
} from "./table";
export { rolePolicyLimit };

const order = Object.values(RoleAccess);

/** The rows that a role of this account and access has, with the feature of each. */
export function grantsOf(account: RoleAccount, access: RoleAccess, names: RoleNames): Grant[] {
  return (Object.values(features) as Feature[])
    .filter((feature) => feature.accounts.includes(account) && feature.needed(names))
    .flatMap(({ grants }) => grants)
    .filter((grant) => order.indexOf(grant.access) <= order.indexOf(access));
}

/**
 * The permissions of a role: the rows' actions, one statement for each service and resource; then what is refused.
 * @throws UserError when they do not fit into the policies of a role.
 */
export function rolePermissions(
  account: RoleAccount,
  access: RoleAccess,
  names: RoleNames,
): PolicyDocument<IdentityStatement> {
  const groups = new Map<
    string,
    { sid: string; actions: string[]; resource: string[]; condition: Grant["condition"] }
  >();
  for (const { action, resource: resourceOf, condition, access: tier } of grantsOf(account, access, names)) {
    const resource = resourceOf(names);
    const service = action.split(":")[0] as string;
    const verb = { preview: "Read", deploy: "Write", remove: "Remove" }[tier];
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
  const refused = account === RoleAccount.Audit && names.archive ? refusals : [];
  const document = policyDocument<IdentityStatement>([
    ...statements,
    ...refused
      .filter(({ accesses }) => accesses.includes(access))
      .map(({ sid, actions, resource, condition }): IdentityStatement => ({
        Sid: sid,
        Effect: "Deny",
        Action: list(actions),
        Resource: list(resource(names)),
        ...(condition && { Condition: condition }),
      })),
  ]);
  requireFit(document);
  return document;
}

function requireFit(document: PolicyDocument<IdentityStatement>): void {
  const bytes = size(document);
  if (bytes <= rolePolicyLimit) return;
  throw new UserError("The role's permissions do not fit.", [
    {
      id: "roles/too-large",
      severity: "error",
      subject: "the permissions",
      message: `They take ${bytes} characters; IAM allows ${rolePolicyLimit} for all inline policies of a role.`,
      remedy: "Declare fewer crosstrail:readers, or give several of them one role.",
    },
  ]);
}

const sidNames: Record<string, string> = {
  cloudtrail: "Trail",
  iam: "Readers",
  kms: "Key",
  s3: "Bucket",
  sts: "Caller",
};

/** What the audit stack's configuration says about the account that a role is for. */
export interface RoleSubject {
  account: RoleAccount;
  alias: string;
  names: RoleNames;
}

/** Every account of the fleet that a role can be for, the audit account first. */
export function roleSubjects(settings: AuditSettings): RoleSubject[] {
  const { partition, auditAccountId, region, bucketName, keyAlias, fleet, readers, auditAccountTrail } = settings;
  const audit: RoleSubject = {
    account: RoleAccount.Audit,
    alias: auditAlias,
    names: {
      partition,
      accountId: auditAccountId,
      region,
      trailNames: auditAccountTrail ? [settings.trailName] : [],
      archive: { bucketName, keyAlias, readerNames: readers.map(({ name }) => name) },
    },
  };
  const members = fleet
    .filter(({ trail }) => trail.accountId !== auditAccountId)
    .map(({ alias, trail, previous }): RoleSubject => ({
      account: RoleAccount.Member,
      alias,
      names: {
        partition,
        accountId: trail.accountId,
        region: trail.region,
        trailNames: [trail.name, ...(previous ? [previous.name] : [])],
      },
    }));
  return [audit, ...members];
}

/** The permissions of the hub role: to enter the accounts by these roles, and nothing else. */
export function hubPermissions(
  partition: Partition,
  accountIds: string[],
  roleName: string,
): PolicyDocument<IdentityStatement> {
  const document = policyDocument<IdentityStatement>([
    {
      Sid: "EnterAccounts",
      Effect: "Allow",
      Action: "sts:AssumeRole",
      Resource: list(accountIds.map((accountId) => roleArn(partition, accountId, roleName))),
    },
  ]);
  requireFit(document);
  return document;
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
  if (findings.length > 0) throw new UserError("The role cannot be trusted to anybody this way.", findings);
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
    // The account with a condition, not the role: IAM turns the ARN of a deleted role into an id, which a new role of the
    // same name does not have.
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

/** Says what is wrong with the subject of a GitHub token, or nothing. Patterns are none: they let other repositories in. */
export function githubSubjectProblem(subject: string): string | undefined {
  if (/[*?$\s]/.test(subject)) return "a subject is exact: a wildcard would let other branches or repositories in";
  if (/^repo:[\w.-]+(@\d+)?\/[\w.-]+(@\d+)?:(pull_request|(environment|ref):[^:\s]+)$/.test(subject)) return undefined;
  return (
    "a subject looks like repo:<owner>/<repository>:environment:<name>, repo:<owner>/<repository>:ref:refs/heads/<branch> " +
    "or repo:<owner>/<repository>:pull_request"
  );
}
