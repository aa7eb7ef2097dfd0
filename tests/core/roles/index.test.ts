/** The roles that deploy: what they may do, and for each refusal and condition the attack that it stops. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import type { AccessRequest, PolicyDocument } from "../../../core/evaluate";
import { evaluate, lint } from "../../../core/evaluate";
import { UserError } from "../../../core/findings";
import { size } from "../../../core/policies/document";
import type { ArchiveNames, Feature, RoleNames, RoleTrust } from "../../../core/roles";
import {
  callsOf,
  emptyNames,
  features,
  githubSubjectProblem,
  grantsOf,
  hubPermissions,
  RoleAccess,
  rolePermissions,
  rolePolicyLimit,
  roleSubjects,
  roleTrust,
  splitPermissions,
} from "../../../core/roles";
import type { AuditSettings, ManagementSettings, MemberSettings } from "../../../core/settings";
import { parseSettings } from "../../../core/settings";
import { asConfig } from "../../support/config";
import { coveredBy } from "../../engine/calls";

const trailOf = (accountId: string, region: string, name = "crosstrail") =>
  ({ partition: "aws", region, accountId, name }) as const;
const audit: RoleNames = {
  ...emptyNames("aws", "111111111111", "us-east-1"),
  trails: [trailOf("111111111111", "us-east-1")],
  archive: {
    bucketName: "example-logs",
    keyAliases: ["crosstrail"],
    readerNames: ["CloudTrailReadRole"],
    replicaRegions: [],
    breakGlassRoleArns: [],
    objectLock: false,
    retention: false,
    notifications: false,
    mfaDelete: false,
    forceDestroy: false,
    eventDataStore: false,
  },
};
const archive = audit.archive as ArchiveNames;
/** Everything that an audit account can have at once, with names of some length. */
const auditWithAll: RoleNames = {
  ...audit,
  logGroups: [{ name: "crosstrail/audit-logs-???????", role: "audit-logs-???????" }],
  topics: ["crosstrail-deliveries"],
  deliveryKeys: true,
  archive: {
    bucketName: "example-corporation-cloudtrail-audit-logs",
    keyAliases: ["crosstrail", "crosstrail-2"],
    readerNames: ["CloudTrailReadRole", "PaymentsAuditor", "SecurityOperations"],
    replicaRegions: ["eu-west-1", "ap-southeast-2"],
    replication: {
      roleName: "CrosstrailReplication",
      destination: "example-corporation-cloudtrail-audit-copies",
      bucketName: "example-corporation-cloudtrail-audit-copies",
    },
    accessLogBucket: "example-corporation-cloudtrail-access-logs",
    breakGlassRoleArns: ["CrosstrailDeploy", "BreakGlass"].map((name) => `arn:aws:iam::111111111111:role/${name}`),
    objectLock: true,
    retention: true,
    notifications: true,
    queueName: "example-corporation-cloudtrail-audit-logs-new-logs",
    mfaDelete: true,
    forceDestroy: false,
    eventDataStore: true,
  },
};
const member: RoleNames = {
  ...emptyNames("aws", "222222222222", "eu-west-1"),
  trails: [trailOf("222222222222", "eu-west-1")],
};
const memberWithAll: RoleNames = {
  ...member,
  logGroups: [{ name: "trails/payments", role: "member-logs-???????" }],
  topics: ["crosstrail-deliveries"],
  deliveryKeys: true,
};
const management: RoleNames = {
  ...emptyNames("aws", "555555555555", "us-east-1"),
  trails: [trailOf("555555555555", "us-east-1")],
  organization: {
    id: "o-exampleorg1",
    enableAllFeatures: true,
    enableTrustedAccess: true,
    delegatedAdministrator: "666666666666",
  },
};
const accounts = { audit, auditWithAll, member, memberWithAll, management };
/** Those that deploy. */
const everyAccess = Object.values(RoleAccess).filter((access) => access !== RoleAccess.Verify);
const table = Object.entries(features) as [string, Feature][];

const key = "arn:aws:kms:us-east-1:111111111111:key/00000000-0000-0000-0000-000000000000";
const trail = "arn:aws:cloudtrail:us-east-1:111111111111:trail/crosstrail";

/** Whether the role's session may do this, with these policies of its own. */
function may(
  action: string,
  resource: string,
  policies: PolicyDocument[],
  context: AccessRequest["context"] = {},
): boolean {
  const caller = { kind: "account", arn: "arn:aws:iam::111111111111:role/CrosstrailDeploy" } as const;
  const request = { caller, action, resource, resourceAccountId: "111111111111", context };
  const decision = evaluate(request, { identityPolicies: policies, resourceKind: "other" });
  assert.ok(!decision.explanation.includes("cannot be"), decision.explanation);
  return decision.allowed;
}

describe("core/roles: the table", () => {
  it("says why for each row, and has none twice in a feature", () => {
    for (const [name, { grants }] of table) {
      const seen = new Set<string>();
      for (const grant of grants) {
        assert.match(grant.action, /^[a-z0-9]+:[A-Z][A-Za-z0-9]+$/);
        assert.ok(grant.why.length > 5, grant.action);
        const row = `${name}: ${grant.action}, ${grant.why}`;
        assert.ok(!seen.has(row), `${row} is there twice`);
        seen.add(row);
        for (const call of callsOf(grant)) assert.match(call, /^[a-z0-9]+:[A-Z][A-Za-z0-9]+$/);
      }
    }
  });

  it("gives '*' only to actions for which IAM knows no resource", () => {
    const nameless = new Set(
      table.flatMap(([, { grants }]) =>
        grants.filter(({ resource }) => resource(auditWithAll).includes("*")).map(({ action }) => action),
      ),
    );
    // https://docs.aws.amazon.com/service-authorization/latest/reference/: their rows have an empty column "Resource
    // types".
    assert.deepEqual([...nameless].sort(), [
      "cloudtrail:DescribeTrails",
      "cloudtrail:ListEventDataStores",
      "cloudtrail:RegisterOrganizationDelegatedAdmin",
      "iam:GetAccountSummary",
      "iam:ListVirtualMFADevices",
      "kms:CreateKey",
      "kms:ListAliases",
      "kms:ListKeys",
      "organizations:DescribeOrganization",
      "organizations:EnableAWSServiceAccess",
      "organizations:EnableAllFeatures",
      "organizations:ListAWSServiceAccessForOrganization",
      "organizations:ListAccounts",
      "organizations:ListDelegatedAdministrators",
      "organizations:ListRoots",
      "sts:GetCallerIdentity",
    ]);
  });

  it("has an engine test that uses each feature in full", () => {
    for (const [name] of table) {
      const file = coveredBy[name as keyof typeof coveredBy];
      const text = fs.readFileSync(path.join(__dirname, "..", "..", "engine", file), "utf8");
      const [, covered = ""] = /expectAllUsed\(\s*callsOf\(box\),([^)]*)\)/.exec(text) ?? [];
      assert.ok(covered.includes(`"${name}"`), `${file} does not call expectAllUsed for ${name}`);
    }
  });
});

describe("core/roles: permissions", () => {
  for (const access of everyAccess) {
    for (const [account, names] of Object.entries(accounts)) {
      it(`${account}, ${access}: every row, well formed, and small enough for a role`, () => {
        const policy = rolePermissions(access, names);
        const allowed = policy.Statement.filter(({ Effect }) => Effect === "Allow").flatMap(({ Action }) => Action);
        assert.deepEqual(
          [...new Set(allowed)].sort(),
          [...new Set(grantsOf(access, names).map(({ action }) => action))].sort(),
        );
        assert.deepEqual(lint(policy, { kind: "identity" }), []);
        assert.equal(new Set(policy.Statement.map(({ Sid }) => Sid)).size, policy.Statement.length);
        for (const { Sid, Resource } of policy.Statement) assert.ok([Resource].flat().length > 0, Sid);
        // All of it at once, with names of some length, is a little more than one inline policy holds.
        const parts = splitPermissions(policy);
        assert.equal(parts.length > 1, size(policy) > rolePolicyLimit);
        assert.equal(
          parts.length > 1,
          account === "auditWithAll" && access !== "preview",
          `${size(policy)} characters`,
        );
      });
    }
  }

  it("a preview role changes nothing, a deploy role removes neither trails nor the archive", () => {
    const actions = (access: RoleAccess) => grantsOf(access, audit).map(({ action }) => action);
    for (const action of actions("preview")) assert.match(action, /:(Get|List|Describe)/);
    const removals = ["cloudtrail:DeleteTrail", "cloudtrail:StopLogging", "s3:DeleteBucket", "kms:ScheduleKeyDeletion"];
    for (const removal of removals) {
      assert.ok(!actions("deploy").includes(removal), removal);
      assert.ok(actions("remove").includes(removal), removal);
    }
  });

  it("reaches the declared names only", () => {
    const policies = [rolePermissions("remove", audit)];
    assert.ok(may("s3:PutBucketPolicy", "arn:aws:s3:::example-logs", policies));
    assert.ok(!may("s3:PutBucketPolicy", "arn:aws:s3:::example-logs-2", policies));
    assert.ok(may("cloudtrail:DeleteTrail", trail, policies));
    assert.ok(!may("cloudtrail:DeleteTrail", `${trail}2`, policies));
    assert.ok(!may("cloudtrail:DeleteTrail", trail.replace("us-east-1", "us-west-2"), policies));
    const boundary = { "iam:PermissionsBoundary": "arn:aws:iam::111111111111:policy/CrosstrailBoundary" };
    assert.ok(may("iam:PutRolePolicy", "arn:aws:iam::111111111111:role/CloudTrailReadRole", policies, boundary));
    assert.ok(!may("iam:PutRolePolicy", "arn:aws:iam::111111111111:role/CloudTrailReadRole", policies));
    assert.ok(!may("iam:PutRolePolicy", "arn:aws:iam::111111111111:role/Admin", policies, boundary));
    assert.ok(!may("kms:CreateAlias", "arn:aws:kms:us-east-1:111111111111:alias/other", policies));
  });

  it("without readers nothing of IAM, without a trail of its own nothing of CloudTrail", () => {
    const names = { ...audit, trails: [], archive: { ...archive, readerNames: [] } };
    const services = new Set(grantsOf("remove", names).map(({ action }) => action.split(":")[0]));
    assert.deepEqual([...services].sort(), ["kms", "s3", "sts"]);
  });

  it("a key is created of the kind that S3 takes, and of no other", () => {
    const policies = [rolePermissions("deploy", audit)];
    const kind = {
      "kms:KeySpec": "SYMMETRIC_DEFAULT",
      "kms:KeyUsage": "ENCRYPT_DECRYPT",
      "aws:RequestTag/crosstrail:stack": "organization/crosstrail/audit",
    };
    assert.ok(!may("kms:CreateKey", key, policies, { ...kind, "aws:RequestTag/crosstrail:stack": undefined }));
    const anyKey = "arn:aws:kms:us-east-1:111111111111:nothing";
    assert.ok(may("kms:CreateKey", anyKey, policies, kind));
    assert.ok(!may("kms:CreateKey", anyKey, policies, { ...kind, "kms:KeySpec": "RSA_4096" }));
    assert.ok(!may("kms:CreateKey", anyKey, policies, { ...kind, "kms:KeyUsage": "SIGN_VERIFY" }));
  });

  it("is one inline policy while that fits, and otherwise managed ones that say the same", () => {
    const small = rolePermissions("deploy", audit);
    assert.deepEqual(splitPermissions(small), [small]);
    const readerNames = Array.from({ length: 150 }, (_, index) => `Reader${index}`);
    const large = rolePermissions("deploy", { ...auditWithAll, archive: { ...archive, readerNames } });
    const parts = splitPermissions(large);
    assert.ok(parts.length > 1);
    const grants = (documents: PolicyDocument[]) =>
      documents
        .flatMap(({ Statement }) => [Statement].flat())
        .flatMap(({ Effect, Action, Resource, Condition }) =>
          [Action ?? []]
            .flat()
            .flatMap((action) =>
              [Resource ?? []].flat().map((resource) => JSON.stringify([Effect, action, resource, Condition])),
            ),
        )
        .sort();
    assert.deepEqual(grants(parts), grants([large]));
    for (const part of parts) {
      assert.ok(size(part) <= 6144, `${size(part)} characters`);
      assert.equal(new Set(part.Statement.map(({ Sid }) => Sid)).size, part.Statement.length);
      assert.deepEqual(lint(part, { kind: "identity" }), []);
    }
  });

  // What a role is refused although somebody has attached AdministratorAccess to it as well.
  const administrator: PolicyDocument = {
    Version: "2012-10-17",
    Statement: { Effect: "Allow", Action: "*", Resource: "*" },
  };
  const logs = { "kms:EncryptionContext:aws:cloudtrail:arn": trail };

  describe("to verify", () => {
    const policy = rolePermissions(RoleAccess.Verify, audit);
    const object = "arn:aws:s3:::example-logs/AWSLogs/222222222222/CloudTrail/log.json.gz";

    it("are what crosstrail verify calls, on the archive, and nothing else", () => {
      assert.deepEqual(lint(policy, { kind: "identity" }), []);
      assert.deepEqual(
        policy.Statement.filter(({ Effect }) => Effect === "Allow").map(({ Action, Resource, Condition }) => [
          Action,
          Resource,
          Condition,
        ]),
        [
          [
            ["s3:GetLifecycleConfiguration", "s3:ListBucket", "s3:ListBucketVersions"],
            "arn:aws:s3:::example-logs",
            undefined,
          ],
          [["s3:GetObject", "s3:GetObjectVersion"], "arn:aws:s3:::example-logs/*", undefined],
          [
            "kms:Decrypt",
            grantsOf(RoleAccess.Verify, audit)
              .find((grant) => grant.action === "kms:Decrypt")
              ?.resource(audit)[0],
            { StringLike: { "kms:EncryptionContext:aws:cloudtrail:arn": "arn:aws:cloudtrail:*:*:trail/*" } },
          ],
          ["cloudtrail:ListPublicKeys", "*", undefined],
        ],
      );
    });

    it("decrypt what CloudTrail encrypted, and no secret under the same key", () => {
      assert.ok(may("kms:Decrypt", key, [policy], logs));
      assert.ok(!may("kms:Decrypt", key, [policy]));
    });

    for (const action of ["PutObject", "DeleteObject", "DeleteObjectVersion", "BypassGovernanceRetention"]) {
      it(`OnlyRead stops s3:${action} even for an administrator, and only it does`, () => {
        const without = { ...policy, Statement: policy.Statement.filter(({ Sid }) => Sid !== "OnlyRead") };
        assert.ok(!may(`s3:${action}`, object, [policy, administrator]));
        assert.ok(may(`s3:${action}`, object, [without, administrator]));
      });
    }

    it("are none in an account without the archive, and no other access has them", () => {
      assert.deepEqual(grantsOf(RoleAccess.Verify, memberWithAll), []);
      for (const access of everyAccess) assert.ok(!may("s3:GetObject", object, [rolePermissions(access, audit)]));
    });
  });

  it("the hub enters a thousand accounts, and says when it cannot", () => {
    const arns = (count: number) =>
      Array.from({ length: count }, (_, index) => `arn:aws:iam::${100000000000 + index}:role/CrosstrailDeploy`);
    const parts = splitPermissions(hubPermissions(arns(1000)));
    assert.ok(parts.every((part) => size(part) <= 6144));
    assert.deepEqual(
      parts.flatMap(({ Statement }) => Statement.flatMap(({ Resource }) => Resource)),
      arns(1000),
    );
    assert.throws(
      () => splitPermissions(hubPermissions(arns(2000))),
      /need \d+ characters, which is \d+ managed policies; a role can have at most 10\./,
    );
  });

  const attacks: [string, RoleAccess[], string, string, AccessRequest["context"]?][] = [
    ["KeepArchive", ["preview", "deploy"], "s3:DeleteBucket", "arn:aws:s3:::example-logs"],
    ["KeepArchive", ["preview", "deploy"], "s3:DeleteBucketPolicy", "arn:aws:s3:::example-logs"],
    ["KeepKey", ["preview", "deploy"], "kms:ScheduleKeyDeletion", key],
    ["KeepKey", ["preview", "deploy"], "kms:DisableKey", key],
    ...[
      "BypassGovernanceRetention",
      "DeleteObject",
      "DeleteObjectVersion",
      "GetObject",
      "GetObjectVersion",
      "PutObject",
      "PutObjectLegalHold",
      "PutObjectRetention",
    ].map((action): [string, RoleAccess[], string, string] => [
      "LeaveLogsAlone",
      everyAccess,
      `s3:${action}`,
      "arn:aws:s3:::example-logs/AWSLogs/222222222222/CloudTrail/log.json.gz",
    ]),
    ["NeverDecryptLogs", everyAccess, "kms:Decrypt", key, logs],
    ["NoAcl", everyAccess, "s3:PutBucketAcl", "arn:aws:s3:::example-logs"],
    ["NoLockout", everyAccess, "kms:PutKeyPolicy", key, { "kms:BypassPolicyLockoutSafetyCheck": "true" }],
    ["NoLockout", everyAccess, "kms:CreateKey", key, { "kms:BypassPolicyLockoutSafetyCheck": "true" }],
  ];
  for (const [sid, accesses, action, resource, context] of attacks) {
    it(`${sid} stops ${action} even for an administrator, and only it does`, () => {
      for (const access of everyAccess) {
        const policy = rolePermissions(access, audit);
        const without = { ...policy, Statement: policy.Statement.filter(({ Sid }) => Sid !== sid) };
        const refused = !may(action, resource, [policy, administrator], context);
        assert.equal(refused, accesses.includes(access), access);
        assert.ok(may(action, resource, [without, administrator], context), access);
      }
    });
  }

  const organization = "arn:aws:organizations::555555555555:account/o-exampleorg1/666666666666";
  for (const [sid, action, resource] of [
    ["KeepTrustedAccess", "organizations:DisableAWSServiceAccess", organization],
    ["KeepAdministrator", "cloudtrail:DeregisterOrganizationDelegatedAdmin", organization],
    ["KeepAdministrator", "organizations:DeregisterDelegatedAdministrator", organization],
    [
      "KeepServiceRoles",
      "iam:DeleteServiceLinkedRole",
      "arn:aws:iam::555555555555:role/aws-service-role/cloudtrail.amazonaws.com/AWSServiceRoleForCloudTrail",
    ],
  ] as const) {
    it(`${sid} stops ${action} in the management account, also when the stack is destroyed, and only it does`, () => {
      for (const access of everyAccess) {
        const policy = rolePermissions(access, management);
        const without = { ...policy, Statement: policy.Statement.filter(({ Sid }) => Sid !== sid) };
        assert.ok(!may(action, resource, [policy, administrator]), access);
        assert.ok(may(action, resource, [without, administrator]), access);
      }
    });
  }

  it("of the organization the role turns on what CloudTrail needs, and for CloudTrail only", () => {
    const policies = [rolePermissions("deploy", management)];
    const service = (principal: string) => ({ "organizations:ServicePrincipal": principal });
    const enable = "organizations:EnableAWSServiceAccess";
    assert.ok(may(enable, organization, policies, service("cloudtrail.amazonaws.com")));
    assert.ok(!may(enable, organization, policies, service("config.amazonaws.com")));
    const register = "organizations:RegisterDelegatedAdministrator";
    assert.ok(may(register, organization, policies, service("cloudtrail.amazonaws.com")));
    assert.ok(!may(register, organization, policies, service("config.amazonaws.com")));
    assert.ok(
      !may(
        register,
        organization.replace("666666666666", "777777777777"),
        policies,
        service("cloudtrail.amazonaws.com"),
      ),
    );
    const role = (name: string) => `arn:aws:iam::555555555555:role/aws-service-role/${name}`;
    const create = (principal: string, name: string) =>
      may("iam:CreateServiceLinkedRole", role(`${principal}/${name}`), policies, { "iam:AWSServiceName": principal });
    assert.ok(create("cloudtrail.amazonaws.com", "AWSServiceRoleForCloudTrail"));
    assert.ok(!create("config.amazonaws.com", "AWSServiceRoleForConfig"));
    assert.ok(
      !may(enable, organization, [rolePermissions("preview", management)], service("cloudtrail.amazonaws.com")),
    );
    // What is not asked for is not granted.
    const plain = {
      ...management,
      organization: { id: "o-exampleorg1", enableAllFeatures: false, enableTrustedAccess: false },
    };
    for (const { action } of grantsOf("remove", plain)) {
      assert.ok(!/^(organizations:(Enable|Register)|iam:Create|cloudtrail:Register)/.test(action), action);
    }
  });

  it("hands roles to the one service that they are for", () => {
    const policies = [rolePermissions("deploy", auditWithAll)];
    const passes = (name: string, service: string) =>
      may("iam:PassRole", `arn:aws:iam::111111111111:role/${name}`, policies, { "iam:PassedToService": service });
    assert.ok(passes("CrosstrailReplication", "s3.amazonaws.com"));
    assert.ok(passes("audit-logs-1234567", "cloudtrail.amazonaws.com"));
    assert.ok(!passes("CrosstrailReplication", "cloudtrail.amazonaws.com"));
    assert.ok(!passes("CrosstrailReplication", "ec2.amazonaws.com"));
    assert.ok(!passes("Admin", "s3.amazonaws.com"));
  });

  it("replicates the key into the declared Regions only, and deletes keys slowly", () => {
    const policies = [rolePermissions("remove", auditWithAll)];
    const ours = { "aws:ResourceTag/crosstrail:stack": "organization/crosstrail/audit" };
    assert.ok(may("kms:ReplicateKey", key, policies, { ...ours, "kms:ReplicaRegion": "eu-west-1" }));
    assert.ok(!may("kms:ReplicateKey", key, policies, { ...ours, "kms:ReplicaRegion": "us-west-2" }));
    const days = (count: string) => ({ ...ours, "kms:ScheduleKeyDeletionPendingWindowInDays": count });
    assert.ok(may("kms:ScheduleKeyDeletion", key, policies, days("30")));
    assert.ok(!may("kms:ScheduleKeyDeletion", key, policies, days("7")));
  });

  it("empties the bucket only where crosstrail:forceDestroy says so, and only to remove it", () => {
    const names = { ...audit, archive: { ...archive, forceDestroy: true } };
    const log = "arn:aws:s3:::example-logs/AWSLogs/222222222222/CloudTrail/log.json.gz";
    for (const access of everyAccess) {
      for (const action of ["s3:DeleteObject", "s3:DeleteObjectVersion"]) {
        assert.equal(may(action, log, [rolePermissions(access, names)]), access === "remove");
      }
      assert.ok(!may("s3:BypassGovernanceRetention", log, [rolePermissions(access, names), administrator]));
    }
  });

  it("the refusals leave alone what is none of the archive's: other secrets, other buckets, ordinary key policies", () => {
    const policies = [rolePermissions("deploy", audit), administrator];
    assert.ok(may("kms:Decrypt", key, policies, { "kms:EncryptionContext:pulumi": "state" }));
    assert.ok(may("s3:GetObject", "arn:aws:s3:::pulumi-state/.pulumi/stacks/audit.json", policies));
    assert.ok(may("kms:PutKeyPolicy", key, policies, { "kms:BypassPolicyLockoutSafetyCheck": "false" }));
  });
});

describe("core/roles: trust", () => {
  const hubRoleArn = "arn:aws:iam::111111111111:role/Hub";
  const githubSubject = "repo:example/fleet:environment:production";
  const role = "arn:aws:iam::222222222222:role/CrosstrailDeploy";
  const trusts = (trust: RoleTrust, arn: string, context: AccessRequest["context"] = {}) => {
    const resourcePolicy = roleTrust(member, trust) as PolicyDocument;
    const caller = { kind: "account", arn } as const;
    const request = { caller, action: "sts:AssumeRole", resource: role, resourceAccountId: "222222222222", context };
    const identityPolicies = [{ Statement: { Effect: "Allow" as const, Action: "*", Resource: "*" } }];
    return evaluate(request, { resourcePolicy, resourceKind: "role", identityPolicies }).allowed;
  };

  it("the hub may, another role of its account may not", () => {
    assert.ok(trusts({ hubRoleArn }, "arn:aws:sts::111111111111:assumed-role/Hub/session"));
    assert.ok(!trusts({ hubRoleArn }, "arn:aws:sts::111111111111:assumed-role/Other/session"));
    assert.ok(!trusts({ hubRoleArn }, "arn:aws:sts::333333333333:assumed-role/Hub/session"));
  });

  it("with an external id the hub must say it", () => {
    const session = "arn:aws:sts::111111111111:assumed-role/Hub/session";
    const trust = { hubRoleArn, externalId: "agreed" };
    assert.ok(trusts(trust, session, { "sts:ExternalId": "agreed" }));
    assert.ok(!trusts(trust, session, { "sts:ExternalId": "guessed" }));
    assert.ok(!trusts(trust, session));
  });

  it("GitHub: the exact subject, for AWS, by the account's own provider", () => {
    assert.deepEqual(roleTrust(member, { githubSubject }).Statement, [
      {
        Sid: "GitHubAssumes",
        Effect: "Allow",
        Principal: { Federated: "arn:aws:iam::222222222222:oidc-provider/token.actions.githubusercontent.com" },
        Action: "sts:AssumeRoleWithWebIdentity",
        Condition: {
          StringEquals: {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": githubSubject,
          },
        },
      },
    ]);
  });

  it("takes exact subjects only", () => {
    for (const subject of [
      githubSubject,
      "repo:o/r:pull_request",
      "repo:my-org/r.x:ref:refs/heads/main",
      "repo:my-org@123456/r.x@7890:environment:production",
      "repo:my-org@123456/r.x@7890:pull_request",
    ]) {
      assert.equal(githubSubjectProblem(subject), undefined, subject);
    }
    for (const subject of [
      "repo:o/r:*",
      "repo:o/*:environment:prod",
      "o/r",
      "repo:o/r",
      "repo:o/r:environment:",
      "repo:o/r:job",
      "repo:o/r:ref:main",
      "repo:o@1/r:pull_request",
      "repo:o@x/r@1:pull_request",
      "repo:o/r:environment:a:job_workflow_ref:b",
    ]) {
      assert.ok(githubSubjectProblem(subject), subject);
    }
  });

  it("says everything that is wrong at once", () => {
    assert.throws(
      () => roleTrust(member, { hubRoleArn: "arn:aws:iam::1:role/*", externalId: "x" }),
      (error) => error instanceof UserError && error.findings.length === 2,
    );
    assert.throws(() => roleTrust(member, { githubSubject: "repo:o/r:*" }), /wildcard/);
  });
});

describe("core/roles: of a fleet", () => {
  const declared = {
    role: "audit",
    auditAccountId: "111111111111",
    bucketName: "example-logs",
    keyAlias: "logs",
    readers: [{ trustedAccounts: ["555555555555"] }],
    members: [
      { accountId: "222222222222", alias: "payments", homeRegion: "eu-west-1", previousTrailName: "old" },
      { accountId: "333333333333", alias: "web" },
    ],
  };

  const stackOfPayments = (change: object) =>
    parseSettings(
      "payments",
      asConfig({ role: "member", accountId: "222222222222", auditStack: "audit", ...change }),
      "eu-west-1",
    ) as MemberSettings;
  const fleet = (change: object = {}) =>
    parseSettings("audit", asConfig({ ...declared, ...change }), "us-east-1") as AuditSettings;
  const namesOf = (settings: AuditSettings, alias: string, ...others: Parameters<typeof roleSubjects>[1] & object) =>
    roleSubjects(settings, others).find(({ aliases }) => aliases.includes(alias))?.names;

  it("names each account's resources as the stacks will", () => {
    const settings = fleet();
    assert.deepEqual(
      roleSubjects(settings).map(({ accounts: kinds, aliases }) => [kinds, aliases]),
      [
        [["audit"], ["audit"]],
        [["member"], ["payments"]],
        [["member"], ["web"]],
      ],
    );
    assert.deepEqual(namesOf(settings, "audit")?.archive, { ...archive, keyAliases: ["logs"] });
    // Both names while the trail is being renamed.
    assert.deepEqual(namesOf(settings, "payments"), {
      ...member,
      trails: [...member.trails, trailOf("222222222222", "eu-west-1", "old")],
    });
    assert.equal(namesOf(settings, "web")?.region, "us-east-1");
  });

  it("the archive's options, each under the name that the stack gives it", () => {
    const settings = fleet({
      bucketName: "example.logs",
      keyGeneration: 2,
      replication: { region: "eu-west-1", bucketName: "copies" },
      objectLock: { mode: "governance", days: 1 },
      retention: { years: 1 },
      accessLogBucket: "access-logs",
      notifications: "sqs",
      breakGlassRoles: ["CrosstrailDeploy"],
      eventDataStore: { retentionDays: 30 },
    });
    assert.deepEqual(namesOf(settings, "audit")?.archive, {
      ...archive,
      bucketName: "example.logs",
      keyAliases: ["logs", "logs-2"],
      replicaRegions: ["eu-west-1"],
      replication: { roleName: "CrosstrailReplication", destination: "copies", bucketName: "copies" },
      accessLogBucket: "access-logs",
      breakGlassRoleArns: ["arn:aws:iam::111111111111:role/CrosstrailDeploy"],
      objectLock: true,
      retention: true,
      notifications: true,
      queueName: "example-logs-new-logs",
      eventDataStore: true,
    });
    // Another account's bucket is nothing that the role could change.
    const elsewhere = fleet({ replication: { region: "eu-west-1", bucketName: "copies", accountId: "222222222222" } });
    assert.deepEqual(namesOf(elsewhere, "audit")?.archive?.replication, {
      roleName: "CrosstrailReplication",
      destination: "copies",
    });
  });

  it("what a trail delivers to besides: of the stack's own file, or of the members' defaults", () => {
    const settings = fleet({ memberDefaults: { sns: { encrypted: false } }, trailName: "a.b" });
    const { logGroups, topics, deliveryKeys } = namesOf(settings, "web") as RoleNames;
    assert.deepEqual(
      { logGroups, topics, deliveryKeys },
      { logGroups: [], topics: ["a-b-deliveries"], deliveryKeys: false },
    );
    const own = namesOf(settings, "payments", stackOfPayments({ cloudWatchLogs: { retentionDays: 30 } }));
    assert.deepEqual(own?.logGroups, [{ name: "crosstrail/member-logs-???????", role: "member-logs-???????" }]);
    assert.deepEqual([own.topics, own.deliveryKeys], [[], true]);
    // While the trail is being renamed, its topic is replaced.
    assert.deepEqual(namesOf(settings, "payments")?.topics, ["a-b-deliveries", "old-deliveries"]);
    const audits = namesOf(fleet({ cloudWatchLogs: { retentionDays: 30, groupName: "trails" } }), "audit");
    assert.deepEqual(audits?.logGroups, [{ name: "trails", role: "audit-logs-???????" }]);
  });

  it("the management account, which may be a member as well: one account, one role", () => {
    const organization = { id: "o-exampleorg1", managementAccountId: "222222222222", trailName: "organization" };
    const settings = fleet({ organization });
    const subject = roleSubjects(settings).find(({ aliases }) => aliases.includes("management"));
    assert.deepEqual(
      [subject?.accounts, subject?.aliases],
      [
        ["member", "management"],
        ["payments", "management"],
      ],
    );
    assert.deepEqual(
      subject?.names.trails.map(({ name, region }) => `${name} ${region}`),
      ["crosstrail eu-west-1", "old eu-west-1", "organization us-east-1"],
    );
    const off = { id: "o-exampleorg1", enableAllFeatures: false, enableTrustedAccess: false };
    assert.deepEqual(subject.names.organization, off);
    const stack = parseSettings(
      "management",
      asConfig({
        role: "management",
        accountId: "222222222222",
        auditStack: "audit",
        enableTrustedAccess: true,
        delegatedAdministrator: "333333333333",
      }),
      "us-east-1",
    ) as ManagementSettings;
    const on = { ...off, enableTrustedAccess: true, delegatedAdministrator: "333333333333" };
    assert.deepEqual(namesOf(settings, "management", stack)?.organization, on);
    // In a delegated administrator's account: the trail is the management account's, and nothing is turned on from
    // there.
    const elsewhere = roleSubjects(settings, [{ ...stack, accountId: "333333333333" }]);
    const delegated = elsewhere.find(({ aliases }) => aliases.includes("management"));
    assert.deepEqual(delegated?.aliases, ["web", "management"]);
    assert.deepEqual(delegated.names.organization, off);
    assert.deepEqual(
      delegated.names.trails.map(({ accountId, name }) => `${accountId} ${name}`),
      ["333333333333 crosstrail", "222222222222 organization"],
    );
    // Without a trail of the organization there is no such stack.
    assert.equal(namesOf(fleet({ organization: { ...organization, trail: false } }), "management"), undefined);
  });

  it("by which role each account is entered: its own, or the one of all", () => {
    const deployRole = "arn:{partition}:iam::{accountId}:role/Deploy";
    const own = "arn:aws:iam::444444444444:role/Own";
    const organization = {
      id: "o-exampleorg1",
      managementAccountId: "444444444444",
      alias: "root",
      deployRoleArn: own,
    };
    assert.deepEqual(
      roleSubjects(fleet({ deployRole, organization })).map(({ aliases, deployRoleArn }) => [
        aliases[0],
        deployRoleArn,
      ]),
      [
        ["audit", undefined],
        ["payments", "arn:aws:iam::222222222222:role/Deploy"],
        ["web", "arn:aws:iam::333333333333:role/Deploy"],
        ["root", own],
      ],
    );
  });

  it("the hub may enter these accounts by that role, and do nothing else", () => {
    assert.deepEqual(
      hubPermissions(["222222222222", "111111111111"].map((id) => `arn:aws:iam::${id}:role/CrosstrailDeploy`))
        .Statement,
      [
        {
          Sid: "EnterAccounts",
          Effect: "Allow",
          Action: "sts:AssumeRole",
          Resource: [
            "arn:aws:iam::111111111111:role/CrosstrailDeploy",
            "arn:aws:iam::222222222222:role/CrosstrailDeploy",
          ],
        },
      ],
    );
  });
});
