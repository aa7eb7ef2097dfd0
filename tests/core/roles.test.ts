/** The roles that deploy: what they may do, and for each refusal and condition the attack that it stops. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import type { AccessRequest, PolicyDocument } from "../../core/evaluate";
import { evaluate, lint } from "../../core/evaluate";
import { UserError } from "../../core/findings";
import { size } from "../../core/policies/document";
import type { Feature, RoleNames, RoleTrust } from "../../core/roles";
import {
  callsOf,
  features,
  githubSubjectProblem,
  grantsOf,
  hubPermissions,
  RoleAccess,
  RoleAccount,
  rolePermissions,
  rolePolicyLimit,
  roleSubjects,
  roleTrust,
} from "../../core/roles";
import type { AuditSettings } from "../../core/settings";
import { parseSettings } from "../../core/settings";
import { asConfig } from "../support/config";
import { coveredBy } from "../engine/calls";

const audit: RoleNames = {
  partition: "aws",
  accountId: "111111111111",
  region: "us-east-1",
  trailNames: ["crosstrail"],
  archive: { bucketName: "example-logs", keyAlias: "crosstrail", readerNames: ["CloudTrailReadRole"] },
};
const member: RoleNames = {
  partition: "aws",
  accountId: "222222222222",
  region: "eu-west-1",
  trailNames: ["crosstrail"],
};
const everyAccess = Object.values(RoleAccess);
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
  it("says why for each row, names each action once in a feature", () => {
    for (const [name, { grants }] of table) {
      const seen = new Set<string>();
      for (const grant of grants) {
        assert.match(grant.action, /^[a-z0-9]+:[A-Z][A-Za-z0-9]+$/);
        assert.ok(grant.why.length > 5, grant.action);
        assert.ok(!seen.has(grant.action), `${name}: ${grant.action} is there twice`);
        seen.add(grant.action);
        for (const call of callsOf(grant)) assert.match(call, /^[a-z0-9]+:[A-Z][A-Za-z0-9]+$/);
      }
    }
  });

  it("gives '*' only to actions for which IAM knows no resource", () => {
    const nameless = table.flatMap(([, { grants }]) =>
      grants.filter(({ resource }) => resource(audit).includes("*")).map(({ action }) => action),
    );
    // https://docs.aws.amazon.com/service-authorization/latest/reference/: their rows have an empty column "Resource types".
    assert.deepEqual(nameless.sort(), [
      "cloudtrail:DescribeTrails",
      "kms:CreateKey",
      "kms:ListAliases",
      "sts:GetCallerIdentity",
    ]);
  });

  it("has an engine test that uses each feature in full", () => {
    for (const [name] of table) {
      const file = coveredBy[name as keyof typeof coveredBy];
      const text = fs.readFileSync(path.join(__dirname, "..", "engine", file), "utf8");
      const [, covered = ""] = /expectAllUsed\(callsOf\(box\), ([^)]*)\)/.exec(text) ?? [];
      assert.ok(covered.includes(`"${name}"`), `${file} does not call expectAllUsed for ${name}`);
    }
  });
});

describe("core/roles: permissions", () => {
  for (const access of everyAccess) {
    for (const [account, names] of [
      [RoleAccount.Audit, audit],
      [RoleAccount.Member, member],
    ] as const) {
      it(`${account}, ${access}: every row, well formed, and small enough for a role`, () => {
        const policy = rolePermissions(account, access, names);
        const allowed = policy.Statement.filter(({ Effect }) => Effect === "Allow").flatMap(({ Action }) => Action);
        assert.deepEqual(
          [...new Set(allowed)].sort(),
          [...new Set(grantsOf(account, access, names).map(({ action }) => action))].sort(),
        );
        assert.deepEqual(lint(policy, { kind: "identity" }), []);
        assert.equal(new Set(policy.Statement.map(({ Sid }) => Sid)).size, policy.Statement.length);
        assert.ok(size(policy) < rolePolicyLimit, `${size(policy)} characters`);
      });
    }
  }

  it("a preview role changes nothing, a deploy role removes neither trails nor the archive", () => {
    const actions = (access: RoleAccess) => grantsOf(RoleAccount.Audit, access, audit).map(({ action }) => action);
    for (const action of actions("preview")) assert.match(action, /:(Get|List|Describe)/);
    const removals = ["cloudtrail:DeleteTrail", "cloudtrail:StopLogging", "s3:DeleteBucket", "kms:ScheduleKeyDeletion"];
    for (const removal of removals) {
      assert.ok(!actions("deploy").includes(removal), removal);
      assert.ok(actions("remove").includes(removal), removal);
    }
  });

  it("reaches the declared names only", () => {
    const policies = [rolePermissions(RoleAccount.Audit, "remove", audit)];
    assert.ok(may("s3:PutBucketPolicy", "arn:aws:s3:::example-logs", policies));
    assert.ok(!may("s3:PutBucketPolicy", "arn:aws:s3:::example-logs-2", policies));
    assert.ok(may("cloudtrail:DeleteTrail", trail, policies));
    assert.ok(!may("cloudtrail:DeleteTrail", `${trail}2`, policies));
    assert.ok(!may("cloudtrail:DeleteTrail", trail.replace("us-east-1", "us-west-2"), policies));
    assert.ok(may("iam:PutRolePolicy", "arn:aws:iam::111111111111:role/CloudTrailReadRole", policies));
    assert.ok(!may("iam:PutRolePolicy", "arn:aws:iam::111111111111:role/Admin", policies));
    assert.ok(!may("kms:CreateAlias", "arn:aws:kms:us-east-1:111111111111:alias/other", policies));
  });

  it("without readers nothing of IAM, without a trail of its own nothing of CloudTrail", () => {
    const names = { ...audit, trailNames: [], archive: { bucketName: "b", keyAlias: "k", readerNames: [] } };
    const services = new Set(grantsOf(RoleAccount.Audit, "remove", names).map(({ action }) => action.split(":")[0]));
    assert.deepEqual([...services].sort(), ["kms", "s3", "sts"]);
  });

  it("a key is created of the kind that S3 takes, and of no other", () => {
    const policies = [rolePermissions(RoleAccount.Audit, "deploy", audit)];
    const kind = { "kms:KeySpec": "SYMMETRIC_DEFAULT", "kms:KeyUsage": "ENCRYPT_DECRYPT" };
    const anyKey = "arn:aws:kms:us-east-1:111111111111:nothing";
    assert.ok(may("kms:CreateKey", anyKey, policies, kind));
    assert.ok(!may("kms:CreateKey", anyKey, policies, { ...kind, "kms:KeySpec": "RSA_4096" }));
    assert.ok(!may("kms:CreateKey", anyKey, policies, { ...kind, "kms:KeyUsage": "SIGN_VERIFY" }));
  });

  it("says when so many readers are declared that they do not fit", () => {
    const readerNames = Array.from({ length: 120 }, (_, index) => `Reader${index}`);
    const names = { ...audit, archive: { bucketName: "b", keyAlias: "k", readerNames } };
    assert.throws(() => rolePermissions(RoleAccount.Audit, "deploy", names), /take \d+ characters; IAM allows 10240/);
  });

  // What a role is refused although somebody has attached AdministratorAccess to it as well.
  const administrator: PolicyDocument = {
    Version: "2012-10-17",
    Statement: { Effect: "Allow", Action: "*", Resource: "*" },
  };
  const logs = { "kms:EncryptionContext:aws:cloudtrail:arn": trail };
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
    ["NoLockout", everyAccess, "kms:PutKeyPolicy", key, { "kms:BypassPolicyLockoutSafetyCheck": "true" }],
    ["NoLockout", everyAccess, "kms:CreateKey", key, { "kms:BypassPolicyLockoutSafetyCheck": "true" }],
  ];
  for (const [sid, accesses, action, resource, context] of attacks) {
    it(`${sid} stops ${action} even for an administrator, and only it does`, () => {
      for (const access of everyAccess) {
        const policy = rolePermissions(RoleAccount.Audit, access, audit);
        const without = { ...policy, Statement: policy.Statement.filter(({ Sid }) => Sid !== sid) };
        const refused = !may(action, resource, [policy, administrator], context);
        assert.equal(refused, accesses.includes(access), access);
        assert.ok(may(action, resource, [without, administrator], context), access);
      }
    });
  }

  it("the refusals leave alone what is none of the archive's: other secrets, other buckets, ordinary key policies", () => {
    const policies = [rolePermissions(RoleAccount.Audit, "deploy", audit), administrator];
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
    for (const subject of [githubSubject, "repo:o/r:pull_request", "repo:my-org/r.x:ref:refs/heads/main"]) {
      assert.equal(githubSubjectProblem(subject), undefined, subject);
    }
    for (const subject of [
      "repo:o/r:*",
      "repo:o/*:environment:prod",
      "o/r",
      "repo:o/r",
      "repo:o/r:environment:",
      "repo:o/r:job",
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
  const settings = parseSettings(
    "audit",
    asConfig({
      role: "audit",
      auditAccountId: "111111111111",
      bucketName: "example-logs",
      keyAlias: "logs",
      readers: [{ trustedAccounts: ["555555555555"] }],
      members: [
        { accountId: "222222222222", alias: "payments", homeRegion: "eu-west-1", previousTrailName: "old" },
        { accountId: "333333333333", alias: "web" },
      ],
    }),
    "us-east-1",
  ) as AuditSettings;

  it("names each account's resources as the stacks will", () => {
    const trailOf = (alias: string) => roleSubjects(settings).find((each) => each.alias === alias)?.names;
    assert.deepEqual(
      roleSubjects(settings).map(({ account, alias }) => [account, alias]),
      [
        ["audit", "audit"],
        ["member", "payments"],
        ["member", "web"],
      ],
    );
    assert.deepEqual(trailOf("audit")?.archive, {
      bucketName: "example-logs",
      keyAlias: "logs",
      readerNames: ["CloudTrailReadRole"],
    });
    // Both names while the trail is being renamed.
    assert.deepEqual(trailOf("payments"), { ...member, trailNames: ["crosstrail", "old"] });
    assert.equal(trailOf("web")?.region, "us-east-1");
  });

  it("the hub may enter these accounts by that role, and do nothing else", () => {
    assert.deepEqual(hubPermissions("aws", ["222222222222", "111111111111"], "CrosstrailDeploy").Statement, [
      {
        Sid: "EnterAccounts",
        Effect: "Allow",
        Action: "sts:AssumeRole",
        Resource: [
          "arn:aws:iam::111111111111:role/CrosstrailDeploy",
          "arn:aws:iam::222222222222:role/CrosstrailDeploy",
        ],
      },
    ]);
  });
});
