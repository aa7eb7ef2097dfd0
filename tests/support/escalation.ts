/**
 * The known ways by which a role that may do a little becomes one that may do all: each as requests that a role which deploys
 * must not be able to make.
 * Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
 *          https://docs.aws.amazon.com/kms/latest/developerguide/tag-permissions.html
 *          https://pathfinding.cloud and https://github.com/RhinoSecurityLabs/AWS-IAM-Privilege-Escalation (the lists of paths)
 */
import type { AccessRequest, PolicyDocument } from "../../core/evaluate";
import { compile, judge } from "../../core/evaluate";
import type { RoleNames } from "../../core/roles";

interface Try {
  action: string;
  resource: string;
  context?: AccessRequest["context"];
}

export interface Path {
  title: string;
  tries: (names: RoleNames) => Try[];
}

const tag = "crosstrail:stack";

function iam({ partition, accountId }: RoleNames, resource: string): string {
  return `arn:${partition}:iam::${accountId}:${resource}`;
}

/** Roles that somebody else made: an administrator's, one with a name like ours, and one that a service uses. */
const foreignRoles = (names: RoleNames) =>
  [
    "role/Admin",
    "role/member-logs-admin",
    "role/audit-logs-administrators",
    "role/CrosstrailDeploy",
    "role/team/Reader",
  ].map((name) => iam(names, name));

/** The roles that the account's stacks make, by a name that fits. */
export const madeRoles = (names: RoleNames) =>
  [
    ...(names.archive?.readerNames ?? []),
    ...(names.archive?.replication ? [names.archive.replication.roleName] : []),
    ...names.logGroups.map(({ role }) => role.replaceAll("?", "a")),
    "member-logs-1a2b3c4",
    "audit-logs-1a2b3c4",
    "CloudTrailReadRole",
    "CrosstrailReplication",
  ].map((name) => iam(names, `role/${name}`));

const boundaryOf = (names: RoleNames) => iam(names, `policy/${names.boundaryName}`);
const regions = (names: RoleNames) => [
  ...new Set([names.region, ...names.trails.map(({ region }) => region), ...(names.archive?.replicaRegions ?? [])]),
];
const keysOf = (names: RoleNames) =>
  regions(names).map(
    (region) => `arn:${names.partition}:kms:${region}:${names.accountId}:key/11111111-2222-3333-4444-555555555555`,
  );

/** On roles that are none of ours; and on ours, or new ones of their names, without the boundary or with another one. */
const onRoles =
  (...actions: string[]) =>
  (names: RoleNames): Try[] =>
    actions.flatMap((action) => [
      ...foreignRoles(names).map((resource) => ({
        action,
        resource,
        context: { "iam:PermissionsBoundary": boundaryOf(names) },
      })),
      ...madeRoles(names).flatMap((resource) =>
        [undefined, iam(names, "policy/Everything"), `arn:${names.partition}:iam::aws:policy/AdministratorAccess`].map(
          (boundary) => ({ action, resource, context: { "iam:PermissionsBoundary": boundary } }),
        ),
      ),
    ]);

const on =
  (resources: (names: RoleNames) => string[], context: AccessRequest["context"], ...actions: string[]) =>
  (names: RoleNames): Try[] =>
    actions.flatMap((action) => resources(names).map((resource) => ({ action, resource, context })));

const users = (names: RoleNames) => ["user/somebody", "user/CrosstrailDeploy"].map((each) => iam(names, each));
const policies = (names: RoleNames) => [boundaryOf(names), iam(names, "policy/Everything")];
const everything = (names: RoleNames) => [iam(names, "nothing"), ...foreignRoles(names), ...madeRoles(names)];
/** Somebody else's keys: with an alias and tags of their own, or with nothing at all. */
const foreignKey: AccessRequest["context"] = {
  "aws:ResourceTag/team": "payments",
  "kms:ResourceAliases": ["alias/payments"],
};
const services = [
  "ec2",
  "lambda",
  "ecs-tasks",
  "glue",
  "cloudformation",
  "codebuild",
  "codepipeline",
  "datapipeline",
  "sagemaker",
  "ssm",
  "states",
  "bedrock-agentcore",
  "apprunner",
  "scheduler",
  "events",
  "iot",
];

export const paths: Path[] = [
  {
    title: "a role with any policy: created without the boundary",
    tries: onRoles("iam:CreateRole"),
  },
  {
    title: "a role's policy, written without the boundary",
    tries: onRoles("iam:PutRolePolicy", "iam:AttachRolePolicy"),
  },
  { title: "a role's trust, changed", tries: onRoles("iam:UpdateAssumeRolePolicy", "iam:UpdateRole") },
  {
    title: "a boundary, replaced by another",
    tries: onRoles("iam:PutRolePermissionsBoundary"),
  },
  {
    title: "a boundary, taken away",
    tries: on(everything, {}, "iam:DeleteRolePermissionsBoundary", "iam:DeleteUserPermissionsBoundary"),
  },
  {
    title: "a managed policy, written",
    tries: on(
      policies,
      {},
      "iam:CreatePolicy",
      "iam:CreatePolicyVersion",
      "iam:SetDefaultPolicyVersion",
      "iam:DeletePolicyVersion",
    ),
  },
  {
    title: "a user's or group's policy, written",
    tries: (names) => [
      ...on(users, {}, "iam:PutUserPolicy", "iam:AttachUserPolicy", "iam:CreateUser")(names),
      ...on(
        (each) => [iam(each, "group/Admins")],
        {},
        "iam:PutGroupPolicy",
        "iam:AttachGroupPolicy",
        "iam:AddUserToGroup",
      )(names),
    ],
  },
  {
    title: "a user's credentials, made",
    tries: on(
      users,
      {},
      "iam:CreateAccessKey",
      "iam:CreateLoginProfile",
      "iam:UpdateLoginProfile",
      "iam:CreateServiceSpecificCredential",
      "iam:ResetServiceSpecificCredential",
      "iam:DeactivateMFADevice",
    ),
  },
  {
    title: "an identity provider, made or changed",
    tries: on(
      (names) =>
        ["saml-provider/own", "oidc-provider/token.actions.githubusercontent.com"].map((each) => iam(names, each)),
      {},
      "iam:CreateSAMLProvider",
      "iam:UpdateSAMLProvider",
      "iam:CreateOpenIDConnectProvider",
      "iam:UpdateOpenIDConnectProviderThumbprint",
      "iam:AddClientIDToOpenIDConnectProvider",
    ),
  },
  { title: "another role, assumed", tries: on(everything, {}, "sts:AssumeRole", "sts:SetSourceIdentity") },
  {
    title: "a role, handed to a service that runs code",
    tries: (names) =>
      services.flatMap((service) =>
        on(
          everything,
          { "iam:PassedToService": `${service}.amazonaws.com` },
          "iam:PassRole",
          "iam:AddRoleToInstanceProfile",
        )(names),
      ),
  },
  {
    title: "a foreign role, handed to any service",
    tries: (names) =>
      ["cloudtrail", "s3"].flatMap((service) =>
        on(foreignRoles, { "iam:PassedToService": `${service}.amazonaws.com` }, "iam:PassRole")(names),
      ),
  },
  {
    title: "code, run or changed",
    tries: on(
      (names) => [`arn:${names.partition}:lambda:${names.region}:${names.accountId}:function:any`],
      {},
      "cloudformation:CreateStack",
      "cloudformation:UpdateStack",
      "codebuild:StartBuild",
      "ec2:ModifyInstanceAttribute",
      "ec2:RunInstances",
      "ecs:RunTask",
      "glue:CreateDevEndpoint",
      "glue:UpdateDevEndpoint",
      "lambda:AddPermission",
      "lambda:CreateFunction",
      "lambda:UpdateFunctionCode",
      "lambda:UpdateFunctionConfiguration",
      "sagemaker:CreateNotebookInstance",
      "ssm:SendCommand",
      "ssm:StartSession",
    ),
  },
  {
    title: "a service-linked role of another service",
    tries: on(
      (names) => [iam(names, "role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig")],
      { "iam:AWSServiceName": "config.amazonaws.com" },
      "iam:CreateServiceLinkedRole",
    ),
  },
  {
    title: "a foreign key",
    tries: (names) => [
      ...on(
        keysOf,
        foreignKey,
        "kms:CreateGrant",
        "kms:Decrypt",
        "kms:DisableKey",
        "kms:GenerateDataKey",
        "kms:PutKeyPolicy",
        "kms:RetireGrant",
        "kms:RevokeGrant",
        "kms:ScheduleKeyDeletion",
        "kms:UntagResource",
        "kms:UpdatePrimaryRegion",
      )(names),
      ...on(
        keysOf,
        {},
        "kms:CreateGrant",
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "kms:PutKeyPolicy",
        "kms:ScheduleKeyDeletion",
      )(names),
      ...regions(names).flatMap((region) =>
        on(keysOf, { ...foreignKey, "kms:ReplicaRegion": region }, "kms:ReplicateKey")(names),
      ),
      ...["7", "30"].flatMap((days) =>
        on(
          keysOf,
          { ...foreignKey, "kms:ScheduleKeyDeletionPendingWindowInDays": days },
          "kms:ScheduleKeyDeletion",
        )(names),
      ),
    ],
  },
  {
    title: "a foreign key, made one of ours by its tag",
    tries: (names) => [
      ...on(keysOf, { ...foreignKey, [`aws:RequestTag/${tag}`]: "o/crosstrail/audit" }, "kms:TagResource")(names),
      ...on(keysOf, { ...foreignKey, "aws:RequestTag/team": "ours" }, "kms:TagResource")(names),
      ...on(keysOf, { "aws:RequestTag/team": "ours" }, "kms:TagResource")(names),
    ],
  },
  {
    title: "a foreign bucket",
    tries: on(
      (names) => [`arn:${names.partition}:s3:::somebody-elses`, `arn:${names.partition}:s3:::somebody-elses/object`],
      {},
      "s3:DeleteBucket",
      "s3:DeleteBucketPolicy",
      "s3:GetObject",
      "s3:PutBucketAcl",
      "s3:PutBucketNotification",
      "s3:PutBucketPolicy",
      "s3:PutBucketPublicAccessBlock",
      "s3:PutLifecycleConfiguration",
      "s3:PutObject",
      "s3:PutReplicationConfiguration",
    ),
  },
  {
    title: "a foreign topic, queue, log group or trail",
    tries: (names) => {
      const arn = (service: string, resource: string) => () => [
        `arn:${names.partition}:${service}:${names.region}:${names.accountId}:${resource}`,
      ];
      return [
        ...on(
          arn("sns", "somebody-elses"),
          {},
          "sns:AddPermission",
          "sns:DeleteTopic",
          "sns:SetTopicAttributes",
        )(names),
        ...on(
          arn("sqs", "somebody-elses"),
          {},
          "sqs:AddPermission",
          "sqs:DeleteQueue",
          "sqs:SetQueueAttributes",
        )(names),
        ...on(
          arn("logs", "log-group:payroll"),
          {},
          "logs:PutResourcePolicy",
          "logs:PutSubscriptionFilter",
          "logs:PutRetentionPolicy",
          "logs:AssociateKmsKey",
        )(names),
        ...on(
          arn("logs", "log-group:crosstrail/member-logs-of-others"),
          {},
          "logs:PutRetentionPolicy",
          "logs:DisassociateKmsKey",
        )(names),
        ...on(
          arn("cloudtrail", "trail/somebody-elses"),
          {},
          "cloudtrail:DeleteTrail",
          "cloudtrail:StopLogging",
          "cloudtrail:UpdateTrail",
        )(names),
      ];
    },
  },
  {
    title: "the organization",
    tries: (names) => {
      const target = () => [
        `arn:${names.partition}:organizations::${names.accountId}:account/o-exampleorg1/777777777777`,
      ];
      const other = { "organizations:ServicePrincipal": "sso.amazonaws.com" };
      return [
        ...on(
          target,
          other,
          "organizations:EnableAWSServiceAccess",
          "organizations:RegisterDelegatedAdministrator",
        )(names),
        ...on(
          target,
          {},
          "organizations:AttachPolicy",
          "organizations:CreateAccount",
          "organizations:DetachPolicy",
          "organizations:DisableAWSServiceAccess",
          "organizations:LeaveOrganization",
          "organizations:PutResourcePolicy",
          "organizations:UpdatePolicy",
        )(names),
      ];
    },
  },
];

/** What of these paths the policies leave open, as `<title>: <action> on <resource>`. */
export function escalations(policies: PolicyDocument[], names: RoleNames, only?: string): string[] {
  const identityPolicies = policies.map((policy) => compile(policy, "identity"));
  const caller = {
    kind: "account",
    arn: `arn:${names.partition}:iam::${names.accountId}:role/CrosstrailDeploy`,
  } as const;
  const found = new Set<string>();
  for (const { title, tries } of paths.filter((path) => only === undefined || path.title === only)) {
    for (const { action, resource, context } of tries(names)) {
      const request = { caller, action, resource, resourceAccountId: names.accountId, context };
      const { reason } = judge(request, { identityPolicies, resourceKind: "other" });
      if (reason === "notEvaluated") throw new Error(`${action} on ${resource} cannot be decided`);
      if (reason === "allowed") found.add(`${title}: ${action} on ${resource}`);
    }
  }
  return [...found];
}
