/** What the engine tests hold the provider's calls against: that it can fail. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import type { Call } from "../engine/calls";
import { expectAllUsed, expectGranted } from "../engine/calls";
import { callsOf, emptyNames, type Feature, features, roleSubjects } from "../../core/roles";
import type { AuditSettings } from "../../core/settings";
import { parseSettings } from "../../core/settings";
import { asConfig } from "../support/config";

function call(name: string, other: Partial<Call> = {}): Call {
  const [service, operation] = name.split(":") as [string, string];
  const place = { account: "111111111111", region: "us-east-1", parameters: {}, context: {}, agent: "", status: 200 };
  return { service, operation, ...place, ...other };
}

/** The roles of a small fleet, with what conditions and names are tried on. */
const settings = parseSettings(
  "audit",
  asConfig({
    role: "audit",
    auditAccountId: "111111111111",
    bucketName: "logs",
    members: [{ accountId: "222222222222", alias: "payments" }],
    keyReplicaRegions: ["eu-west-1"],
    cloudWatchLogs: { retentionDays: 30 },
  }),
  "us-east-1",
) as AuditSettings;
const roles = roleSubjects(settings).map(({ names }) => names);

describe("calls against the deploy roles", () => {
  it("are checked in every sandbox of the engine tests, but for programs that are not Crosstrail's", () => {
    const folder = path.join(__dirname, "..", "engine");
    const files = fs.readdirSync(folder).filter((name) => name.endsWith(".ts"));
    const having = (text: RegExp) =>
      files.filter((name) => text.test(fs.readFileSync(path.join(folder, name), "utf8"))).sort();
    assert.deepEqual(having(/\bopenSandbox\b/), ["support.ts"]);
    // What these make is checked where it is Crosstrail's program.
    const others = ["cloudTrail.test.ts", "gate.test.ts", "package.test.ts", "verify.test.ts"];
    assert.deepEqual(having(/\bsandbox\(\{ project/), others);
  });

  const bucket = { parameters: { Bucket: "logs" } };
  const trail = "arn:aws:cloudtrail:us-east-1:111111111111:trail/crosstrail";
  const delivering = (role: string) => ({
    parameters: { Name: trail, CloudWatchLogsRoleArn: `arn:aws:iam::111111111111:role/${role}` },
  });

  const newTag = { "aws:RequestTag/crosstrail:stack": "o/crosstrail/audit" };
  const ofKey = { "aws:ResourceTag/crosstrail:stack": "o/crosstrail/audit" };
  const limited = { "iam:PermissionsBoundary": "arn:aws:iam::111111111111:policy/CrosstrailBoundary" };

  it("granted calls pass", () => {
    const calls = [
      call("s3:PutBucketPolicy", bucket),
      call("sts:GetCallerIdentity"),
      call("cloudtrail:UpdateTrail", { parameters: { Name: "crosstrail" } }),
      call("cloudtrail:UpdateTrail", delivering("audit-logs-1a2b3c4")),
      call("kms:CreateKey", { parameters: { MultiRegion: "true" }, context: newTag }),
      call("kms:ReplicateKey", {
        parameters: { KeyId: "mrk-1", ReplicaRegion: "eu-west-1" },
        context: { ...ofKey, ...newTag },
      }),
      call("kms:PutKeyPolicy", { parameters: { KeyId: "k" }, context: ofKey }),
      call("iam:PutRolePolicy", { parameters: { RoleName: "audit-logs-1a2b3c4" }, context: limited }),
      call("cloudtrail:CreateTrail", { account: "222222222222", parameters: { Name: "crosstrail" } }),
    ];
    expectGranted(calls, "deploy", roles);
  });

  it("one of an account's configurations is enough", () => {
    const former = { ...emptyNames("aws", "222222222222", "us-east-1"), topics: ["deliveries"] };
    const topic = call("sns:CreateTopic", { account: "222222222222", parameters: { Name: "deliveries" } });
    expectGranted([topic], "deploy", [...roles, former]);
    assert.throws(() => expectGranted([topic], "deploy", roles), assert.AssertionError);
  });

  for (const [title, refused] of [
    ["an operation that no row is for", call("s3:PutBucketAcl", bucket)],
    ["more access than the role has", call("s3:DeleteBucket", bucket)],
    ["another kind of resource", call("s3:PutBucketPolicy", { parameters: { Bucket: "logs", Key: "AWSLogs/file" } })],
    ["a resource that cannot be told", call("cloudtrail:UpdateTrail")],
    ["a feature of the audit account in a member", call("s3:PutBucketPolicy", { ...bucket, account: "222222222222" })],
    ["another bucket", call("s3:PutBucketPolicy", { parameters: { Bucket: "logs-2" } })],
    ["an account of which nothing is configured", call("cloudtrail:CreateTrail", { account: "333333333333" })],
    ["a log group's role that is not of the stack", call("cloudtrail:UpdateTrail", delivering("Admin"))],
    [
      "a replica in another Region",
      call("kms:ReplicateKey", {
        parameters: { KeyId: "k", ReplicaRegion: "us-west-2" },
        context: { ...ofKey, ...newTag },
      }),
    ],
    ["a key of another kind", call("kms:CreateKey", { parameters: { KeySpec: "RSA_2048" }, context: newTag })],
    ["a key without the stack's tag", call("kms:CreateKey", {})],
    ["a key of somebody else's", call("kms:PutKeyPolicy", { parameters: { KeyId: "k" } })],
    ["a role without its boundary", call("iam:PutRolePolicy", { parameters: { RoleName: "audit-logs-1a2b3c4" } })],
    [
      "a role of another name",
      call("iam:PutRolePolicy", { parameters: { RoleName: "audit-logs-administrators" }, context: limited }),
    ],
    ["an alias without the key that it is for", call("kms:CreateAlias", { parameters: { AliasName: "x/y" } })],
  ] as [string, Call][]) {
    it(`fails: ${title}`, () => {
      assert.throws(() => expectGranted([refused], "deploy", roles), assert.AssertionError);
    });
  }

  it("fails when a grant is not used", () => {
    const { grants } = features.trail as Feature;
    const all = grants.flatMap(callsOf).map((name) => call(name));
    expectAllUsed(all, "trail");
    assert.throws(() => expectAllUsed(all.slice(1), "trail"), assert.AssertionError);
  });
});
