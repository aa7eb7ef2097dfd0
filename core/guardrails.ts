/**
 * Guardrails: policies of the organization that keep those who administer an account from what the account's own policies cannot
 * refuse them. Service control policies (SCP) limit the users and roles of an account, the root user too; resource control
 * policies (RCP) limit who reaches its resources, from wherever. Neither holds for the management account.
 * Sources: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
 *          https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
 */
import type { Partition } from "./accounts";
import type { Finding } from "./findings";
import { UserError } from "./findings";
import { roleArnProblem } from "./names";
import type { OneOrMany, PolicyDocument } from "./policies/document";
import { list, policyDocument, size } from "./policies/document";
import { stackTag } from "./tags";

/**
 * Characters of a control policy. AWS raised it for service control policies to 10,240 in 2026; what fits into the former limit
 * fits everywhere.
 * Source: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
 */
export const controlPolicyLimit = 5120;

export const GuardrailId = { Members: "members", Audit: "audit", Archive: "archive" } as const;
export type GuardrailId = (typeof GuardrailId)[keyof typeof GuardrailId];

/** Says what is wrong with the ARN of an exempt role, or nothing. Its account may be `*`. */
export function exemptRoleProblem(arn: string): string | undefined {
  const problem = roleArnProblem(arn.replace(/^(arn:[^:]*:iam::)\*:/, "$1123456789012:"));
  return problem && `${problem}; only the account can be *`;
}

/** A statement of a control policy: they only deny. */
export interface ControlStatement {
  Sid: string;
  Effect: "Deny";
  /** RCPs have one, SCPs do not. */
  Principal?: "*";
  Action?: OneOrMany;
  NotAction?: OneOrMany;
  Resource: OneOrMany;
  Condition?: Record<string, Record<string, OneOrMany>>;
}

export interface Guardrail {
  id: GuardrailId;
  /** AWS's name of the kind of policy. */
  type: "SERVICE_CONTROL_POLICY" | "RESOURCE_CONTROL_POLICY";
  title: string;
  /** The accounts to attach it to, or an organizational unit with nothing but these. */
  accountIds: string[];
  document: PolicyDocument<ControlStatement>;
  /** What each statement prevents, by its Sid. */
  prevents: Record<string, string>;
  /** Whom it could hurt, and how. */
  couldHurt: string[];
}

/** What accounts have for themselves: ARNs, with `*` for the account and the Region, as the policy is for several accounts. */
export interface TrailGuard {
  trails: string[];
  logGroups: string[];
  topics: string[];
  /** The roles by which CloudTrail writes to the log groups. */
  logRoles: string[];
  /** Whether Crosstrail's stacks make keys there. */
  keys: boolean;
}

/** The members in the organization. */
export interface MemberGuard extends TrailGuard {
  accountIds: string[];
  /** The roles that deploy and remove: the policy does not hold for them, and nobody else changes them. */
  deployRoles: string[];
}

/** The audit account. */
export interface AuditGuard extends TrailGuard {
  /** The roles that deploy, remove and repair. */
  trustedRoles: string[];
  /** ARNs of the account's own buckets: with the logs, their copies and the access logs. */
  buckets: string[];
  /** The role by which S3 makes copies, if it does. */
  replicationRole?: string;
  /** Roles of readers and of replication, and their permissions boundary. */
  archiveRoles: string[];
  /** ARN of the queue of new log files. */
  queue?: string;
}

/** The archive's resources. */
export interface ArchiveGuard {
  /** ARNs of the buckets. */
  buckets: string[];
  /** Accounts of the fleet outside of the organization. */
  outsideAccountIds: string[];
}

/** What the policies are built from: of each policy the names in it. One that is missing is not asked for, or has nothing to protect. */
export interface GuardrailNames {
  members?: MemberGuard;
  audit?: AuditGuard;
  archive?: ArchiveGuard;
  /** Roles for which the service control policies do not hold either: ARNs, perhaps with `*` for the account. */
  exemptRoles: string[];
}

/** Whose policies they are. */
export interface GuardrailPlace {
  partition: Partition;
  auditAccountId: string;
  organizationId: string;
}

/** @throws UserError where a policy does not fit. */
export function guardrailsOf(place: GuardrailPlace, names: GuardrailNames): Guardrail[] {
  const { members, audit, archive, exemptRoles } = names;
  const found = [
    ...(members ? [forMembers(place, members, exemptRoles)] : []),
    ...(audit ? [forAuditAccount(place, audit, exemptRoles)] : []),
    ...(archive ? [forArchive(place, archive)] : []),
  ];
  const tooLarge = found.filter(({ document }) => size(document) > controlPolicyLimit).map(tooLargeFinding);
  if (tooLarge.length > 0) throw new UserError("The guardrails do not fit.", tooLarge);
  return found;
}

function tooLargeFinding({ id, document }: Guardrail): Finding {
  return {
    id: "guardrails/too-large",
    severity: "error",
    subject: `the policy ${id}`,
    message: `It takes ${size(document)} characters; AWS allows ${controlPolicyLimit}.`,
    remedy:
      id === GuardrailId.Archive
        ? "Members outside of the organization are named one by one: deliver fewer of them to this archive."
        : "Give trails, log groups, topics and deploy roles the same names in all accounts: each name is there once.",
  };
}

/** What every account has, for its own administrators: trails, and what they deliver to. */
function aboutTrails(
  { partition }: GuardrailPlace,
  { trails, logGroups: groups, topics, logRoles, keys }: TrailGuard,
  exempt: Exempt,
): [ControlStatement, string][] {
  const deny = (Sid: string, Action: string[], Resource: string[], why: string): [ControlStatement, string][] =>
    Resource.length === 0
      ? []
      : [[{ Sid, Effect: "Deny", Action: list(Action), Resource: list(Resource), Condition: exempt() }, why]];
  return [
    ...deny(
      "KeepTrails",
      [
        "cloudtrail:DeleteTrail",
        "cloudtrail:PutEventSelectors",
        "cloudtrail:PutInsightSelectors",
        "cloudtrail:StopLogging",
        "cloudtrail:UpdateTrail",
      ],
      trails,
      "stopping, deleting or redirecting a trail of the fleet, or changing what it records",
    ),
    ...deny(
      "KeepLogGroups",
      [
        "logs:AssociateKmsKey",
        "logs:DeleteLogGroup",
        "logs:DeleteLogStream",
        "logs:DeleteRetentionPolicy",
        "logs:DisassociateKmsKey",
        "logs:PutDataProtectionPolicy",
        "logs:PutRetentionPolicy",
      ],
      groups.flatMap((arn) => [arn, `${arn}:*`]),
      "deleting a trail's log group or its streams, shortening its retention, hiding what is in it",
    ),
    ...deny(
      "KeepTopics",
      ["sns:AddPermission", "sns:DeleteTopic", "sns:RemovePermission", "sns:SetTopicAttributes"],
      topics,
      "deleting a trail's topic, or changing who may publish to it",
    ),
    ...deny("KeepLogRoles", changesOfRoles, logRoles, "changing the role by which CloudTrail writes to a log group"),
    ...(keys
      ? [
          [
            {
              Sid: "KeepKeys",
              Effect: "Deny",
              Action: list(changesOfKeys),
              Resource: `arn:${partition}:kms:*:*:key/*`,
              Condition: { ...exempt(), Null: { [`aws:ResourceTag/${stackTag}`]: "false" } },
            },
            "disabling or deleting a key that Crosstrail created, changing its policy, or taking its tag away",
          ] as [ControlStatement, string],
        ]
      : []),
  ];
}

const changesOfKeys = [
  "kms:CreateGrant",
  "kms:DeleteAlias",
  "kms:DeleteImportedKeyMaterial",
  "kms:DisableKey",
  "kms:DisableKeyRotation",
  "kms:PutKeyPolicy",
  "kms:ReplicateKey",
  "kms:RevokeGrant",
  "kms:ScheduleKeyDeletion",
  "kms:TagResource",
  "kms:UntagResource",
  "kms:UpdateAlias",
  "kms:UpdatePrimaryRegion",
];

/** Anyone who makes a role of an exempt name is exempt: so none can be made either. */
const changesOfRoles = [
  "iam:AttachRolePolicy",
  "iam:CreateRole",
  "iam:DeleteRole",
  "iam:DeleteRolePermissionsBoundary",
  "iam:DeleteRolePolicy",
  "iam:DetachRolePolicy",
  "iam:PutRolePermissionsBoundary",
  "iam:PutRolePolicy",
  "iam:UpdateAssumeRolePolicy",
];

type Exempt = () => Record<string, Record<string, OneOrMany>>;

/** For everybody but these roles. */
const but =
  (arns: string[]): Exempt =>
  (): ReturnType<Exempt> =>
    arns.length === 0 ? {} : { ArnNotLike: { "aws:PrincipalArn": list(arns) } };

/** An ARN without its account and Region: the policy is for the accounts that it is attached to anyway. */
export function anyPlace(arn: string): string {
  const [start, partition, service, region, , ...rest] = arn.split(":");
  return [start, partition, service, region === "" ? "" : "*", "*", ...rest].join(":");
}

const leaving = [
  {
    Sid: "StayInOrganization",
    Effect: "Deny",
    Action: list(["account:CloseAccount", "organizations:LeaveOrganization"]),
    Resource: "*",
  },
  "leaving the organization, which would end these policies, and closing the account",
] as [ControlStatement, string];

function forMembers(place: GuardrailPlace, members: MemberGuard, exempt: string[]): Guardrail {
  const { accountIds, deployRoles } = members;
  const statements = [
    ...aboutTrails(place, members, but([...deployRoles, ...exempt])),
    ...guardedRoles(deployRoles, exempt),
    leaving,
  ];
  return {
    id: GuardrailId.Members,
    type: "SERVICE_CONTROL_POLICY",
    title: "Members keep their trails",
    accountIds,
    ...documentOf(statements),
    couldHurt: [
      "Anyone who changes the fleet's trails by hand, or with roles that are neither the deploy roles nor given with --exempt.",
      `Anyone who sets up or changes the deploy roles themselves (${list(deployRoles) as string}): do it before the policy is attached, with a role given with --exempt, or from the management account with the policy detached.`,
      "Trails, log groups and topics of other tools that have the same names.",
      "An account that is to leave the organization or to be closed: detach the policy from it first.",
    ],
  };
}

/** Roles for which other statements do not hold: without this, making or changing one of them would be the way around. */
function guardedRoles(roles: string[], exempt: string[]): [ControlStatement, string][] {
  if (roles.length === 0) return [];
  return [
    [
      {
        Sid: "KeepDeployRoles",
        Effect: "Deny",
        Action: list(changesOfRoles),
        Resource: list(roles),
        ...(exempt.length > 0 && { Condition: but(exempt)() }),
      },
      "creating or changing the roles that these policies exempt: their trust, their permissions",
    ],
  ];
}

function forAuditAccount(place: GuardrailPlace, audit: AuditGuard, exempt: string[]): Guardrail {
  const { trustedRoles: trusted, buckets, replicationRole, archiveRoles, queue } = audit;
  const replication = replicationRole === undefined ? [] : [replicationRole];
  const statements: [ControlStatement, string][] = [
    [
      {
        Sid: "KeepArchive",
        Effect: "Deny",
        // Everything but reading, so that what S3 learns to do next year is refused as well.
        NotAction: list(["s3:Get*", "s3:List*"]),
        Resource: list(buckets.flatMap((arn) => [arn, `${arn}/*`])),
        Condition: but([...trusted, ...replication, ...exempt])(),
      },
      "writing, changing or deleting anything in the archive's buckets, their policies and settings",
    ],
    ...aboutTrails(place, audit, but([...trusted, ...exempt])),
    ...(archiveRoles.length === 0
      ? []
      : [
          [
            {
              Sid: "KeepArchiveRoles",
              Effect: "Deny",
              Action: list([
                ...changesOfRoles,
                "iam:CreatePolicyVersion",
                "iam:DeletePolicy",
                "iam:SetDefaultPolicyVersion",
              ]),
              Resource: list(archiveRoles),
              Condition: but([...trusted, ...exempt])(),
            },
            "changing the roles of readers and of replication, and their permissions boundary",
          ] as [ControlStatement, string],
        ]),
    ...(queue === undefined
      ? []
      : [
          [
            {
              Sid: "KeepQueue",
              Effect: "Deny",
              Action: list(["sqs:AddPermission", "sqs:DeleteQueue", "sqs:RemovePermission", "sqs:SetQueueAttributes"]),
              Resource: queue,
              Condition: but([...trusted, ...exempt])(),
            },
            "deleting the queue of new logs, or changing who may use it",
          ] as [ControlStatement, string],
        ]),
    ...guardedRoles(trusted, exempt),
    leaving,
  ];
  return {
    id: GuardrailId.Audit,
    type: "SERVICE_CONTROL_POLICY",
    title: "The audit account keeps the archive",
    accountIds: [place.auditAccountId],
    ...documentOf(statements),
    couldHurt: [
      `Everybody in the audit account but ${list(trusted) as string}, who may still do all of this: administrators and the root user too.`,
      "Anyone who sets up or changes these roles: do it before the policy is attached, with a role given with --exempt, or from the management account with the policy detached.",
      "Somebody who has lost the break-glass and deploy roles: the management account detaches the policy.",
      "A closing of the account, until the policy is detached.",
    ],
  };
}

function forArchive(
  { partition, auditAccountId, organizationId }: GuardrailPlace,
  { buckets: arns, outsideAccountIds: outside }: ArchiveGuard,
): Guardrail {
  const buckets = arns.flatMap((arn) => [arn, `${arn}/*`]);
  const keys = `arn:${partition}:kms:*:${auditAccountId}:key/*`;
  const tagged = { Null: { [`aws:ResourceTag/${stackTag}`]: "false" } };
  const people = {
    StringNotEqualsIfExists: {
      "aws:PrincipalOrgID": organizationId,
      ...(outside.length > 0 && { "aws:PrincipalAccount": list(outside) }),
    },
    BoolIfExists: { "aws:PrincipalIsAWSService": "false" },
  };
  const services = {
    StringNotEqualsIfExists: {
      "aws:SourceOrgID": organizationId,
      ...(outside.length > 0 && { "aws:SourceAccount": list(outside) }),
    },
    Bool: { "aws:PrincipalIsAWSService": "true" },
  };
  const deny = (
    Sid: string,
    Action: string,
    Resource: string[],
    Condition: NonNullable<ControlStatement["Condition"]>,
    why: string,
  ): [ControlStatement, string] => [
    { Sid, Effect: "Deny", Principal: "*", Action, Resource: list(Resource), Condition },
    why,
  ];
  // Services that act for nobody's resource, such as S3 for itself, name no source.
  const withSource = { "aws:SourceAccount": "false" };
  const statements = [
    deny(
      "LogsStayInOrganization",
      "s3:*",
      buckets,
      people,
      "access to the archive's buckets from outside of the organization, whatever the bucket policies say",
    ),
    deny(
      "KeyStaysInOrganization",
      "kms:*",
      [keys],
      { ...people, ...tagged },
      "use of the archive's keys from outside of the organization, whatever the key policies say",
    ),
    deny(
      "LogsOfOrganizationOnly",
      "s3:*",
      buckets,
      { ...services, Null: withSource },
      "deliveries by AWS services for accounts outside of the organization",
    ),
    deny(
      "KeyForOrganizationOnly",
      "kms:*",
      [keys],
      { ...services, Null: { ...tagged.Null, ...withSource } },
      "encryption by AWS services for accounts outside of the organization",
    ),
  ];
  return {
    id: GuardrailId.Archive,
    type: "RESOURCE_CONTROL_POLICY",
    title: "The archive is the organization's",
    accountIds: [auditAccountId],
    ...documentOf(statements),
    couldHurt: [
      outside.length > 0
        ? `Nobody of the fleet: ${outside.join(", ")}, outside of the organization, may deliver and read as before. A further member outside has to be added here before it can deliver.`
        : "A member outside of the organization that is declared later: print and attach the policy anew before it can deliver.",
      "Readers of other organizations who use roles of their own; those who assume a reader role of the audit account are not affected.",
    ],
  };
}

function documentOf(statements: [ControlStatement, string][]): Pick<Guardrail, "document" | "prevents"> {
  return {
    document: policyDocument(statements.map(([statement]) => statement)),
    prevents: Object.fromEntries(statements.map(([{ Sid }, why]) => [Sid, why])),
  };
}
