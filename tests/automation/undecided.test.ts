/** Policies that nobody can decide by, and policies as large as AWS takes them: what each verb says. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Envelope } from "../../automation/output";
import type { ReportInput } from "../../automation/report";
import { report } from "../../automation/report";
import { bucketPolicyLimit } from "../../core/policies/bucket";
import { keyPolicyLimit } from "../../core/policies/key";
import type { PolicyDocument, Statement } from "../../core/evaluate";
import { builtPolicies, fleetOfSettings } from "../../core/simulate";
import type { CliResult } from "../support/cli";
import { crosstrail } from "../support/cli";
import { root } from "../support/config";
import { settingsOf } from "../support/preview";
import { auditAccountId, bucketName } from "../support/fleet";

const auditFile = join(root, "Pulumi.audit.yaml");
const key = "arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const trail = "arn:aws:cloudtrail:us-east-1:222222222222:trail/crosstrail";
const bucket = "arn:aws:s3:::crosstrail-example-logs";
const config = {
  "crosstrail:role": "audit",
  "crosstrail:auditAccountId": auditAccountId,
  "crosstrail:bucketName": bucketName,
  "crosstrail:members": [
    { accountId: "222222222222", alias: "payments" },
    { accountId: "333333333333", alias: "web" },
  ],
  "aws:region": "us-east-1",
};
/** Holds or not, for every request. */
const anytime = { DateGreaterThan: { "aws:CurrentTime": "2020-01-01T00:00:00Z" } };
const allow = (Action: string, Resource: string | string[]): Statement => ({
  Effect: "Allow",
  Principal: "*",
  Action,
  Resource,
  Condition: anytime,
});
const texts = {
  bucket: { Version: "2012-10-17", Statement: [allow("s3:*", [bucket, `${bucket}/*`])] },
  key: { Version: "2012-10-17", Statement: [allow("kms:*", key)] },
};
const envelope = ({ stdout }: CliResult) => JSON.parse(stdout) as Envelope & { data: Record<string, unknown> };

describe("a policy in which everything is undecided", () => {
  let folder: string;
  const files = { bucket: "", key: "" };
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "crosstrail-undecided-"));
    for (const kind of ["bucket", "key"] as const) {
      writeFileSync((files[kind] = join(folder, `${kind}.json`)), JSON.stringify(texts[kind]));
    }
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("simulate: exit code 5, OPEN, the key that would decide, and no word of ok", async () => {
    const args = ["simulate", "--config", auditFile, "--bucket-policy", files.bucket, "--key-policy", files.key];
    const { exitCode, stdout } = await crosstrail(args);
    assert.equal(exitCode, 5);
    assert.match(stdout, /cannot be decided: statement 1 of the bucket policy allows it or not/);
    assert.match(stdout.replace(/\s+/g, " "), /--context aws:CurrentTime=<value>/);
    assert.match(stdout, /\d+ questions: \d+ not as expected, \d+ of them because they cannot be decided \(OPEN\)/);
    assert.doesNotMatch(stdout, /all as expected/);
    const { data, findings } = envelope(await crosstrail([...args, "--json", "--full"]));
    const { cells } = data as unknown as { cells: { verdict: string; group: string }[] };
    const verdictsOf = (group: RegExp) =>
      new Set(cells.filter((each) => group.test(each.group)).map(({ verdict }) => verdict));
    for (const group of [/^deliver$/, /^(other-trail|other-path|wrong-acl)$/]) {
      assert.deepEqual([...verdictsOf(group)], ["undecided"]);
    }
    assert.ok(findings.some(({ id }) => id === "simulate/undecided"));
    // The value decides all of it.
    const given = await crosstrail([...args, "--json", "--full", "--context", "aws:CurrentTime=2019-01-01T00:00:00Z"]);
    const verdicts = (envelope(given).data as unknown as { cells: { verdict: string }[] }).cells.map(
      (each) => each.verdict,
    );
    assert.ok(!verdicts.includes("undecided"));
  });

  it("explain: exit code 5, and what decides it", async () => {
    const args = ["explain", "--trail", trail, "--bucket", "crosstrail-example-logs", "--key", key];
    args.push("--bucket-policy", files.bucket, "--key-policy", files.key);
    const { exitCode, stdout } = await crosstrail(args);
    assert.equal(exitCode, 5);
    assert.match(stdout.replace(/\s+/g, " "), /Whether \S+ can deliver to \S+ cannot be decided/);
    assert.match(stdout.replace(/\s+/g, " "), /--context aws:CurrentTime=<value>/);
    const { data } = envelope(await crosstrail([...args, "--json"]));
    assert.equal(data.verdict, "undecided");
    const decided = async (time: string) =>
      (await crosstrail([...args, "--context", `aws:CurrentTime=${time}`])).exitCode;
    assert.equal(await decided("2026-01-01T00:00:00Z"), 0);
    assert.equal(await decided("2019-01-01T00:00:00Z"), 5);
  });

  it("policy: exit code 5, no document, and the statement", async () => {
    const denied = join(folder, "denied.json");
    for (const kind of ["bucket", "key"] as const) {
      const [statement] = texts[kind].Statement;
      const root: Statement = {
        Effect: "Allow",
        Principal: { AWS: "arn:aws:iam::111111111111:root" },
        Action: "kms:*",
        Resource: "*",
      };
      const others = kind === "key" ? [root] : [];
      const current = { Version: "2012-10-17", Statement: [...others, { ...statement, Effect: "Deny" }] };
      writeFileSync(denied, JSON.stringify(current));
      const { exitCode, stdout, stderr } = await crosstrail([
        "policy",
        kind,
        "--config",
        auditFile,
        "--current",
        denied,
      ]);
      assert.deepEqual([exitCode, stdout], [5, ""]);
      assert.match(stderr, /policy\/undecided: Whether any trail can deliver cannot be decided/);
      assert.match(stderr, /--context aws:CurrentTime=<value>/);
    }
  });

  it("the report: what cannot be decided is neither gained nor lost, and an error", () => {
    const settings = settingsOf(config);
    const fleet = fleetOfSettings(settings);
    const { bucket: built } = builtPolicies(fleet) as { bucket: PolicyDocument };
    const urn =
      "urn:pulumi:audit::crosstrail::crosstrail:index:AuditBucket$aws:s3/bucketPolicy:BucketPolicy::audit-policy";
    const open = [built.Statement].flat().map((each) => ({
      ...each,
      ...(each.Effect === "Allow" && { Condition: { ...each.Condition, ...anytime } }),
    }));
    const policyOf = (Statement: Statement[]) => JSON.stringify({ Version: "2012-10-17", Statement });
    const between = (before: Statement[], after: Statement[]) => {
      const type = "aws:s3/bucketPolicy:BucketPolicy";
      const change = (statements: Statement[]) => ({ bucket: bucketName, policy: policyOf(statements) });
      const resources = [
        { urn, type, name: "audit-policy", op: "update", before: change(before), after: change(after) },
      ];
      const stack = { stack: "audit", kind: "audit", accountId: auditAccountId, status: "succeeded", findings: [] };
      return report({ fleet, forms: {}, stacks: [{ ...stack, resources }], findings: [] } as ReportInput);
    };
    const ours = [built.Statement].flat();
    const opened = between(ours, open as Statement[]);
    const access = opened.data.access.filter(({ verdict }) => verdict !== "intended");
    assert.ok(access.length > 0 && access.every(({ verdict }) => verdict === "undecided"));
    assert.ok(opened.data.findings.some(({ id }) => id === "preview/access-undecided"));
    assert.match(JSON.stringify(access), /aws:CurrentTime/);
    const closed = between(open as Statement[], ours);
    assert.deepEqual(
      closed.data.access.map(({ change, verdict, note }) => [change, verdict, note]),
      closed.data.access.map(() => ["gains", "intended", "Until now, this could not be decided."]),
    );
    assert.ok(closed.data.access.length > 0);
    assert.deepEqual(closed.data.findings, []);
    assert.deepEqual(between(open as Statement[], open as Statement[]).data.access, []);
    // A Region that only one of both names is asked about in both.
    const eu: Statement = {
      Effect: "Deny",
      Principal: "*",
      Action: "s3:PutObject",
      Resource: `arn:aws:s3:::${bucketName}/AWSLogs/*/CloudTrail/eu-west-1/*`,
    };
    assert.ok(between(ours, [...ours, eu]).data.findings.some(({ id }) => id === "preview/access-lost"));
    const lifted = between([...ours, eu], ours).data.access;
    assert.ok(
      lifted.some(({ change, what }) => change === "gains" && what === "A trail of the fleet delivers its logs"),
    );
  });
});

describe("policies as large as AWS takes them", () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), "crosstrail-large-"))));
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** Statements of somebody else, up to so many bytes. */
  const filled = (bytes: number, first: Statement[], statement: (index: number) => Statement) => {
    const document = { Version: "2012-10-17", Statement: [...first] };
    for (let index = 0; JSON.stringify(document).length < bytes - 400; index++)
      document.Statement.push(statement(index));
    const file = join(folder, `${bytes}.json`);
    writeFileSync(file, JSON.stringify(document));
    assert.ok(JSON.stringify(document).length > bytes - 800 && JSON.stringify(document).length <= bytes);
    return { file, count: document.Statement.length };
  };
  const team = (index: number): Statement => ({
    Sid: `Team${index}`,
    Effect: "Allow",
    Principal: { AWS: "arn:aws:iam::111111111111:root" },
    Action: "s3:GetObject",
    Resource: `${bucket}/team-${index}/*`,
    Condition: { StringLike: { "aws:PrincipalArn": `arn:aws:iam::111111111111:role/team-${index}-*` } },
  });
  const keyUser = (index: number): Statement => ({
    ...team(index),
    Action: "kms:Decrypt",
    Resource: "*",
  });
  const root: Statement = {
    Sid: "Root",
    Effect: "Allow",
    Principal: { AWS: "arn:aws:iam::111111111111:root" },
    Action: "kms:*",
    Resource: "*",
  };
  const late = (Action: string, Resource: string): Statement => ({ Effect: "Deny", Principal: "*", Action, Resource });

  it("a bucket policy of 20 KB and a key policy of 32 KB are merged, asked and explained", async () => {
    const room = 3000;
    for (const [kind, limit, first, statement] of [
      ["bucket", bucketPolicyLimit, [], team],
      ["key", keyPolicyLimit, [root], keyUser],
    ] as const) {
      const { file, count } = filled(limit - room, [...first], statement);
      const args = [
        "policy",
        kind,
        "--config",
        auditFile,
        "--current",
        file,
        ...(kind === "key" ? ["--key", key] : ["--denials"]),
      ];
      const { exitCode, stdout, stderr } = await crosstrail(args);
      assert.equal(exitCode, 0, stderr);
      const { Statement } = JSON.parse(stdout) as { Statement: Statement[] };
      assert.ok(Statement.length > count && stdout.length <= limit);
      const merged = join(folder, `${kind}-merged.json`);
      writeFileSync(merged, stdout);
      const asked = await crosstrail(["simulate", "--config", auditFile, `--${kind}-policy`, merged, "--json"]);
      const { groups } = envelope(asked).data as unknown as { groups: { id: string; failed: number; ok: number }[] };
      const deliver = groups.find(({ id }) => id === "deliver");
      assert.ok(deliver && deliver.ok > 20 && deliver.failed === 0, asked.stdout);
      // What stops it is found among hundreds of statements, at the end.
      const stopped = join(folder, `${kind}-stopped.json`);
      const denial =
        kind === "bucket" ? late("s3:PutObject", `${bucket}/AWSLogs/222222222222/*`) : late("kms:GenerateDataKey", "*");
      writeFileSync(stopped, JSON.stringify({ Version: "2012-10-17", Statement: [...Statement, denial] }));
      const given = ["explain", "--trail", trail, "--bucket", "crosstrail-example-logs", `--${kind}-policy`, stopped];
      const why = await crosstrail([...given, ...(kind === "key" ? ["--key", key] : [])]);
      assert.equal(why.exitCode, 5);
      assert.match(why.stdout, new RegExp(`${kind} policy: statement ${Statement.length + 1}\\b`));
    }
  });

  it("a policy that is full already leaves no room, and that is said", async () => {
    const { file } = filled(bucketPolicyLimit, [], team);
    const { exitCode, stdout, stderr } = await crosstrail([
      "policy",
      "bucket",
      "--config",
      auditFile,
      "--current",
      file,
    ]);
    assert.deepEqual([exitCode, stdout], [5, ""]);
    assert.match(stderr, /policy\/too-large|room/);
  });
});
