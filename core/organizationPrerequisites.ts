/**
 * What an organization trail needs before it can be made, and what would be paid twice: judged from what AWS says of the
 * organization, so that nothing is created where it could only fail.
 * Sources: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/creating-an-organizational-trail-prepare.html
 *          https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-delegated-administrator.html
 */
import type { Finding } from "./findings";
import type { TrailIdentity } from "./names";
import { trailArn } from "./names";

/** The principal for which trusted access is turned on. */
export const cloudTrailPrincipal = "cloudtrail.amazonaws.com";
/** CloudTrail's service-linked role in the management account. */
export const serviceLinkedRoleName = "AWSServiceRoleForCloudTrail";

/** A trail that AWS shows in the account, shadow trails of other Regions and organization trails included. */
export interface ExistingTrail {
  arn: string;
  name: string;
  homeRegion: string;
  isOrganizationTrail: boolean;
}

/** What AWS says. What could not be read is undefined, and not judged. */
export interface OrganizationState {
  /** Undefined: the account is in no organization. */
  organization?: { id: string; managementAccountId: string; allFeatures: boolean };
  trustedAccess?: boolean;
  serviceLinkedRole?: boolean;
  /** Accounts registered as CloudTrail's delegated administrators. */
  delegatedAdministrators?: string[];
  trails: ExistingTrail[];
  /** Accounts of the organization that are active. */
  accountIds?: string[];
}

/** What the stack wants. */
export interface OrganizationWish {
  /** The account that the stack works in. */
  accountId: string;
  organizationId: string;
  managementAccountId: string;
  trail: TrailIdentity;
  /** The trail of this stack as it was deployed last, if it was. */
  deployed?: { trailArn: string; isOrganizationTrail: boolean };
  /** The trail that this stack is about to take over. */
  importTrailArn?: string;
  isOrganizationTrail: boolean;
  enableAllFeatures: boolean;
  enableTrustedAccess: boolean;
  acceptSecondOrganizationTrail: boolean;
  delegatedAdministrator?: string;
  /** Accounts that the fleet declares to be in the organization. */
  memberAccountIds: string[];
}

/** Everything that prevents it, or is worth knowing. */
export function organizationFindings(state: OrganizationState, wish: OrganizationWish): Finding[] {
  const { organization } = state;
  if (organization === undefined) {
    return [
      error(
        "organization/not-in-use",
        `account ${wish.accountId}`,
        "This account is not in an organization.",
        "Run the stack in the management account of the organization, or use a member stack for this account (crosstrail:role: member).",
      ),
      ...nameTaken(state, wish),
    ];
  }
  return [
    ...identity(organization, wish),
    ...rightAccount(organization, state, wish),
    ...features(organization, state, wish),
    ...nameTaken(state, wish),
    ...secondTrail(state, wish),
    ...leftMembers(state, wish),
  ];
}

function identity(organization: NonNullable<OrganizationState["organization"]>, wish: OrganizationWish): Finding[] {
  const { id, managementAccountId } = organization;
  const findings: Finding[] = [];
  if (id !== wish.organizationId) {
    findings.push(
      error(
        "organization/id",
        `crosstrail:organization.id = "${wish.organizationId}" in the audit stack`,
        `Account ${wish.accountId} is in organization ${id}; the archive would refuse its logs.`,
        `Set id: ${id} in the audit stack's crosstrail:organization and run pulumi up for it, or use credentials for the other organization.`,
      ),
    );
  }
  if (managementAccountId !== wish.managementAccountId) {
    findings.push(
      error(
        "organization/management-account",
        `crosstrail:organization.managementAccountId = "${wish.managementAccountId}" in the audit stack`,
        `The organization's management account is ${managementAccountId}; organization trails belong to it, and the archive would refuse this one.`,
        `Set managementAccountId: "${managementAccountId}" in the audit stack's crosstrail:organization and run pulumi up for it.`,
      ),
    );
  }
  return findings;
}

function rightAccount(
  { managementAccountId }: NonNullable<OrganizationState["organization"]>,
  { delegatedAdministrators }: OrganizationState,
  wish: OrganizationWish,
): Finding[] {
  const { accountId, deployed } = wish;
  if (accountId === managementAccountId) return [];
  const subject = `crosstrail:accountId = "${accountId}"`;
  if (delegatedAdministrators?.includes(accountId) !== true) {
    return [
      error(
        "organization/member-account",
        subject,
        `This is a member account. Only the management account ${managementAccountId} and CloudTrail's delegated administrators can have an organization trail.`,
        `Set crosstrail:accountId to "${managementAccountId}", with its credentials, or register this account there:\n` +
          `aws cloudtrail register-organization-delegated-admin --member-account-id ${accountId}`,
      ),
    ];
  }
  const findings: Finding[] = [];
  if (wish.delegatedAdministrator !== undefined) {
    findings.push(
      error(
        "organization/delegated-administrator",
        `crosstrail:delegatedAdministrator = "${wish.delegatedAdministrator}"`,
        "Only the management account can register delegated administrators.",
        "Remove the key here and set it in a stack of the management account.",
      ),
    );
  }
  if (deployed !== undefined && deployed.isOrganizationTrail !== wish.isOrganizationTrail) {
    findings.push(
      error(
        "organization/delegated-conversion",
        `crosstrail:isOrganizationTrail = ${wish.isOrganizationTrail}`,
        "A delegated administrator cannot convert an account's trail into an organization trail, or back.",
        `Do it in the management account ${managementAccountId}.`,
      ),
    );
  }
  return findings;
}

function features(
  { allFeatures, managementAccountId }: NonNullable<OrganizationState["organization"]>,
  { trustedAccess, serviceLinkedRole }: OrganizationState,
  wish: OrganizationWish,
): Finding[] {
  if (!wish.isOrganizationTrail) return [];
  const findings: Finding[] = [];
  const here = wish.accountId === managementAccountId;
  const missing = (
    id: Finding["id"],
    subject: string,
    message: string,
    command: string,
    key: string,
    asked: boolean,
  ) => {
    if (asked && here)
      findings.push({ ...error(id, subject, message, `pulumi up does this: ${key} is true.`), severity: "info" });
    else {
      const remedy = `In account ${managementAccountId}: ${command}\nOr have pulumi up do it, with ${key}: true.`;
      findings.push(error(id, subject, message, remedy));
    }
  };
  if (!allFeatures) {
    missing(
      "organization/all-features",
      `organization ${wish.organizationId}`,
      "Only consolidated billing is enabled; organization trails need all features. Invited accounts must agree, and this cannot be undone.",
      "aws organizations enable-all-features",
      "crosstrail:enableAllFeatures",
      wish.enableAllFeatures,
    );
  }
  if (trustedAccess === false) {
    missing(
      "organization/trusted-access",
      `organization ${wish.organizationId}`,
      `Trusted access for ${cloudTrailPrincipal} is not enabled.`,
      `aws organizations enable-aws-service-access --service-principal ${cloudTrailPrincipal}`,
      "crosstrail:enableTrustedAccess",
      wish.enableTrustedAccess,
    );
  }
  if (serviceLinkedRole === false) {
    missing(
      "organization/service-linked-role",
      `role ${serviceLinkedRoleName}`,
      `CloudTrail's service-linked role is missing in account ${managementAccountId}.`,
      `aws iam create-service-linked-role --aws-service-name ${cloudTrailPrincipal}`,
      "crosstrail:enableTrustedAccess",
      wish.enableTrustedAccess,
    );
  }
  return findings;
}

function nameTaken({ trails }: OrganizationState, wish: OrganizationWish): Finding[] {
  const { trail, deployed, accountId, importTrailArn } = wish;
  const wanted = trailArn(trail);
  if (importTrailArn !== undefined) {
    if (trails.some(({ arn }) => arn === importTrailArn)) return [];
    return [
      error(
        "organization/no-import",
        `crosstrail:importTrail = "${importTrailArn}"`,
        `Account ${accountId} has no such trail.`,
        `Correct the ARN. To have the stack create the trail, remove crosstrail:importTrail.`,
      ),
    ];
  }
  // A trail of the account itself: what an organization shows its members has the management account's ARN.
  const taken = trails.find(
    ({ arn, name }) => name === trail.name && (arn === wanted || arn.split(":")[4] === accountId),
  );
  if (taken === undefined || deployed?.trailArn === taken.arn) return [];
  if (taken.homeRegion !== trail.region) {
    return [
      error(
        "organization/home-region",
        taken.arn,
        `A trail of this name has home Region ${taken.homeRegion}, not ${trail.region}; a trail can only be changed in its home Region.`,
        `To keep that trail, set aws:region to ${taken.homeRegion} here and homeRegion: ${taken.homeRegion} in the audit stack's crosstrail:organization. For a new trail, choose another trailName there.`,
      ),
    ];
  }
  return [
    error(
      "organization/name-taken",
      taken.arn,
      "This trail exists, but this stack did not create it.",
      `To adopt it unchanged, run crosstrail adopt with this account's credentials: it writes the configuration, with crosstrail:importTrail (docs/adopt.md). For a new trail, choose another trailName in the audit stack's crosstrail:organization.`,
    ),
  ];
}

function secondTrail({ trails }: OrganizationState, wish: OrganizationWish): Finding[] {
  if (!wish.isOrganizationTrail) return [];
  const own = [trailArn(wish.trail), wish.deployed?.trailArn];
  const others = new Map(
    trails
      .filter(({ arn, isOrganizationTrail }) => isOrganizationTrail && !own.includes(arn))
      .map((each) => [each.arn, each]),
  );
  // Once ours is the organization's, what comes beside it is worth a warning, and no reason to stop working.
  const isWarning = wish.acceptSecondOrganizationTrail || wish.deployed?.isOrganizationTrail === true;
  return [...others.values()].map(({ arn, name }) => {
    const isControlTower = name.startsWith("aws-controltower-");
    return {
      ...error(
        "organization/second-trail",
        arn,
        `${isControlTower ? "Control Tower manages this organization trail" : "This organization trail already exists"}. A second one records the same management events again, and AWS bills them.`,
        isControlTower
          ? "Turn CloudTrail off in the landing zone settings. To run both, set crosstrail:acceptSecondOrganizationTrail to true."
          : "Adopt it instead (crosstrail adopt, docs/adopt.md), or delete it once this one delivers. To run both for a while, set crosstrail:acceptSecondOrganizationTrail to true.",
      ),
      severity: isWarning ? ("warning" as const) : ("error" as const),
    };
  });
}

function leftMembers({ accountIds }: OrganizationState, wish: OrganizationWish): Finding[] {
  if (accountIds === undefined) return [];
  const inside = new Set(accountIds);
  return wish.memberAccountIds
    .filter((accountId) => !inside.has(accountId))
    .map((accountId) => ({
      ...error(
        "organization/left",
        `account ${accountId}`,
        `The audit stack declares it as a member of organization ${wish.organizationId}, but it is not, or no longer, in it. The organization trail does not record it, and a policy of form organization refuses its own trail.`,
        "In the audit stack's crosstrail:members, give it inOrganization: false to keep its own trail delivering, or remove it. Then run pulumi up for the audit stack.",
      ),
      severity: "warning" as const,
    }));
}

function error(id: Finding["id"], subject: string, message: string, remedy: string): Finding {
  return { id, severity: "error", subject, message, remedy };
}
