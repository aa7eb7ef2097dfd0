import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Envelope } from "../../../automation/output";
import { bucketPolicyIn } from "../../../core/policies/bucket";
import type { CliResult } from "../../support/cli";
import { crosstrail, withPolicies } from "../../support/cli";
import { read, root } from "../../support/config";
import { trailOf } from "../../support/fleet";

const auditFile = join(root, "Pulumi.audit.yaml");
const bucketName = "crosstrail-example-logs";
const keyArn = "arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab";

interface Data {
  policy: string;
  source: string | null;
  form: string;
  document: string;
  bytes: number;
  limit: number;
  kept: { name: string; text: string }[];
  removed: { name: string }[];
  added: { Sid: string }[];
  present: { sid: string; as: string }[];
}

const policy = (...args: string[]) => crosstrail(["policy", ...args, "--config", auditFile]);
const envelope = ({ stdout }: CliResult) => JSON.parse(stdout) as Omit<Envelope, "data"> & { data: Data | null };
const sidsOf = (text: string) =>
  (JSON.parse(text) as { Statement: { Sid: string }[] }).Statement.map((statement) => statement.Sid);

const ours = [
  "CloudTrailAclCheck",
  ...["1", "2", "3"].map((digit) => `CloudTrailWrite${digit.repeat(12)}`),
  "DenyNestedPrefix",
];
const team = {
  Sid: "ReportsRead",
  Effect: "Allow",
  Principal: { AWS: "arn:aws:iam::111111111111:role/Reports" },
  Action: "s3:GetObject",
  Resource: `arn:aws:s3:::${bucketName}/reports/*`,
};
const current = { Version: "2012-10-17", Statement: [team] };
const denyUnencrypted = {
  Sid: "DenyUnencrypted",
  Effect: "Deny",
  Principal: "*",
  Action: "s3:PutObject",
  Resource: `arn:aws:s3:::${bucketName}/*`,
  Condition: { StringNotEquals: { "s3:x-amz-server-side-encryption": "aws:kms" } },
};

describe("crosstrail policy", () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), "crosstrail-policy-"))));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const write = (value: unknown, name = "current.json"): string => {
    const file = join(folder, name);
    writeFileSync(file, typeof value === "string" ? value : JSON.stringify(value));
    return file;
  };

  it("prints the statements to add, and on stderr that they are no policy to put in the place of another", async () => {
    const bucket = await policy("bucket");
    assert.equal(bucket.exitCode, 0);
    assert.deepEqual(sidsOf(bucket.stdout), ours);
    assert.match(bucket.stderr, /form perTrail, 1,658 of 20,480 bytes, 18,822 left/);
    assert.match(bucket.stderr, /Replacing that policy would remove what it allows now/);
    assert.match(bucket.stderr, /aws s3api get-bucket-policy --bucket crosstrail-example-logs .*--output text\n$/);
    assert.doesNotMatch(bucket.stderr, /put-bucket-policy/);

    const key = await policy("key", "--key", keyArn);
    assert.deepEqual(sidsOf(key.stdout), ["CloudTrailEncrypt", "CloudTrailDescribeKey", "AccountReadsLogs"]);
    assert.ok(key.stderr.includes(`aws kms get-key-policy --key-id ${keyArn} --policy-name default`));
  });

  it("merges them with a current policy; stdout holds the document, stderr the differences and how to apply it", async () => {
    const { exitCode, stdout, stderr } = await policy("bucket", "--current", write(current));
    assert.equal(exitCode, 0);
    assert.deepEqual(sidsOf(stdout), ["ReportsRead", ...ours]);
    assert.ok(stdout.startsWith(JSON.stringify(current).slice(0, -2)), "the current ones are untouched");
    assert.ok(stdout.endsWith("}\n") && stdout.indexOf("\n") === stdout.length - 1, "on one line");
    assert.match(stderr, /\n {4}statement 1 \("ReportsRead"\)\n {2}\+ CloudTrailAclCheck\n/);
    assert.ok(
      stderr.endsWith(
        "credentials of account 111111111111:\n  aws s3api put-bucket-policy --bucket crosstrail-example-logs " +
          "--expected-bucket-owner 111111111111 --region us-east-1 --policy file://policy.json\n",
      ),
      stderr,
    );
    const again = await policy("bucket", "--current", write(stdout));
    assert.deepEqual([again.exitCode, again.stdout], [0, stdout]);
    assert.match(again.stderr, /\nNothing to add: the current policy already has every statement\.\n$/);
    assert.doesNotMatch(again.stderr, /put-bucket-policy/);
  });

  it("shows the statements in full with --diff, and indents with --pretty", async () => {
    const file = write({ ...current, Statement: [team, denyUnencrypted] });
    const args = ["bucket", "--current", file, "--without", "DenyUnencrypted"];
    const brief = await policy(...args);
    assert.match(brief.stderr, /\n {2}- statement 2 \("DenyUnencrypted"\)\n {2}\+ CloudTrailAclCheck\n/);
    const full = await policy(...args, "--diff", "--pretty");
    assert.match(full.stderr, /\n {2}- {3}"Sid": "DenyUnencrypted",\n/);
    assert.match(full.stderr, /\n {2}\+ {3}"Sid": "CloudTrailAclCheck",\n/);
    assert.equal(full.stdout, `${JSON.stringify(JSON.parse(brief.stdout), null, 2)}\n`);
  });

  it("adds denials when asked to, and otherwise says that there are some", async () => {
    const file = write(`${read("Pulumi.audit.yaml")}  crosstrail:requireMfa: true\n`, "Pulumi.mfa.yaml");
    const denials = ["DenyLogAccessWithoutMfa", "DenyInsecureTransport"];
    const without = await crosstrail(["policy", "bucket", "--config", file, "--json"]);
    assert.deepEqual(
      envelope(without).findings.map(({ id, severity, subject }) => [id, severity, subject]),
      denials.map((sid) => ["policy/denial-left-out", "info", sid]),
    );
    const withThem = await crosstrail(["policy", "bucket", "--config", file, "--denials"]);
    assert.deepEqual(sidsOf(withThem.stdout), [...ours, ...denials]);
    assert.doesNotMatch(withThem.stderr, /--denials/);
  });

  it("prints one JSON object with --json, and nothing on stderr", async () => {
    const result = await policy("bucket", "--current", write(current), "--json");
    assert.equal(result.stderr, "");
    const { schemaVersion, command, ok, data, errors } = envelope(result);
    assert.deepEqual(
      { schemaVersion, command, ok, errors },
      { schemaVersion: 1, command: "policy", ok: true, errors: [] },
    );
    assert.ok(data);
    const { document, bytes, added, ...rest } = data;
    assert.deepEqual(sidsOf(document), ["ReportsRead", ...ours]);
    assert.equal(bytes, Buffer.byteLength(document));
    assert.deepEqual(
      added.map(({ Sid }) => Sid),
      ours,
    );
    assert.deepEqual(rest, {
      policy: "bucket",
      source: join(folder, "current.json"),
      form: "perTrail",
      limit: 20480,
      kept: [{ name: 'statement 1 ("ReportsRead")', text: JSON.stringify(team) }],
      removed: [],
      present: [],
    });
  });

  it("prints what docs/cli.md shows", async () => {
    const page = read("docs", "cli.md");
    const shown = (await policy("bucket", "--current", write(current))).stderr.replace(
      join(folder, "current.json"),
      "current.json",
    );
    assert.ok(page.includes(shown.trim()), shown);
    const stopped = await policy("bucket", "--current", write({ ...current, Statement: [team, denyUnencrypted] }));
    assert.ok(page.includes(stopped.stderr.trim()), stopped.stderr);
  });

  describe("prints no document and ends with 5", () => {
    for (const [what, args, document, message, id] of [
      [
        "where delivery would be stopped",
        ["bucket"],
        { ...current, Statement: [denyUnencrypted] },
        /No trail could deliver/,
        "policy/stops-delivery",
      ],
      [
        "where a Sid is taken",
        ["bucket"],
        { ...current, Statement: [{ ...team, Sid: "CloudTrailAclCheck" }] },
        /--without CloudTrailAclCheck\./,
        "policy/sid-collision",
      ],
      [
        "where there is no room",
        ["bucket"],
        { ...current, Statement: [{ ...team, Resource: "x".repeat(20000) }] },
        /AWS allows 20480/,
        "policy/no-room",
      ],
      [
        "where nobody could change the key's policy",
        ["key"],
        { ...current, Statement: [{ ...team, Action: "kms:Decrypt", Resource: "*" }] },
        /KMS rejects such a policy/,
        "policy/key-locked",
      ],
      [
        "where the current policy cannot be decided by",
        ["bucket"],
        { ...current, Statement: [{ ...team, Unless: 1 }] },
        /what the policy allows cannot be decided/,
        "policy/element",
      ],
    ] as [string, string[], unknown, RegExp, string][]) {
      it(what, async () => {
        const file = write(document);
        const { exitCode, stdout, stderr } = await policy(...args, "--current", file);
        assert.deepEqual([exitCode, stdout], [5, ""]);
        assert.match(stderr, message);
        assert.doesNotMatch(stderr, /\n\s+at /);
        const { ok, data, findings } = envelope(await policy(...args, "--current", file, "--json"));
        assert.deepEqual([ok, data, findings.map((finding) => finding.id)], [false, null, [id]]);
      });
    }
  });

  describe("mistakes in how it is called: exit code 2 and what to do", () => {
    for (const [args, message] of [
      [["fly"], /Allowed choices are bucket, key/],
      [["bucket", "key"], /[Tt]oo many arguments/],
      [["bucket", "--current", "x", "--deployed"], /exclude each other/],
      [["bucket", "--without", "x"], /^--without needs a current policy/],
      [["key", "--denials"], /^--denials applies to the bucket policy only/],
      [["bucket", "--context", "aws:CurrentTime"], /aws:CurrentTime[^]*not a condition key with its value/],
      [["bucket", "--context", "aws:CurentTime=2026-01-01"], /No request has a condition key of this name/],
      [["key", "--deployed"], /^--deployed needs --key/],
      [["key", "--key", "alias/logs"], /instead of an alias/],
      [["key", "--key", keyArn.replace("us-east-1", "eu-west-1")], /its key must be in the same one/],
      [["bucket", "--current", "/none.json"], /The file does not exist/],
    ] as [string[], RegExp][]) {
      it(args.join(" "), async () => {
        const { exitCode, stdout, stderr } = await policy(...args);
        assert.deepEqual([exitCode, stdout], [2, ""]);
        assert.match(stderr, message);
        assert.match(stderr, /→ /);
        assert.doesNotMatch(stderr, /\n\s+at /);
      });
    }

    it("no policy named", async () => {
      const { exitCode, stderr } = await crosstrail(["policy"]);
      assert.equal(exitCode, 2);
      assert.match(stderr, /^Missing required argument 'policy'/);
    });

    it("a current policy that is none, or lacks what is to be left out", async () => {
      const none = await policy("bucket", "--current", write("{"));
      assert.deepEqual([none.exitCode, none.stdout], [2, ""]);
      assert.match(none.stderr, /The policy is not JSON/);
      const lacking = await policy("bucket", "--current", write(current), "--without", "Nobody");
      assert.equal(lacking.exitCode, 2);
      assert.match(lacking.stderr, /Its Sids are ReportsRead/);
    });

    it("a fleet without trails, or a member's file", async () => {
      const text =
        "config: {aws:region: us-east-1, crosstrail:role: audit, crosstrail:auditAccountId: '111111111111', " +
        "crosstrail:bucketName: example-logs, crosstrail:auditAccountTrail: false}";
      const empty = await crosstrail(["policy", "bucket", "--config", write(text, "Pulumi.empty.yaml")]);
      assert.equal(empty.exitCode, 2);
      assert.match(empty.stderr, /The fleet has no trail/);
    });

    it("but an organization's trail alone is one", async () => {
      const text =
        '{config: {"aws:region": us-east-1, "crosstrail:role": audit, "crosstrail:auditAccountId": "111111111111", ' +
        '"crosstrail:bucketName": example-logs, "crosstrail:auditAccountTrail": false, ' +
        '"crosstrail:organization": {id: o-exampleorg1, managementAccountId: "555555555555"}}}';
      const { exitCode, stdout } = await crosstrail(["policy", "bucket", "--config", write(text, "Pulumi.only.yaml")]);
      assert.equal(exitCode, 0);
      assert.deepEqual(sidsOf(stdout).slice(0, 2), ["OrganizationTrailAclCheck", "OrganizationTrailWrite"]);
    });
  });

  describe("the key that encrypts the logs", () => {
    const statement = (more: object) => ({
      Sid: "Root",
      Effect: "Allow",
      Principal: { AWS: "arn:aws:iam::111111111111:root" },
      Action: "kms:*",
      Resource: keyArn,
      ...more,
    });
    const denied = statement({ Sid: "Theirs", Effect: "Deny", Principal: "*", Action: "kms:GenerateDataKey*" });
    const document = (...statements: object[]) => write({ Version: "2012-10-17", Statement: statements });
    const otherKey = keyArn.replace("1234abcd", "abcd1234");

    it("is the one that the current policy names: what denies it is seen", async () => {
      const stopped = await policy("key", "--current", document(statement({}), denied));
      assert.equal(stopped.exitCode, 5);
      assert.match(stopped.stderr, /statement 2 \("Theirs"\)[^]*No trail could deliver/);
      const taken = await policy("key", "--current", document(statement({})));
      assert.equal(taken.exitCode, 0);
      assert.match(taken.stderr, /The logs' key is taken to be this one/);
    });

    it("is asked for where the current policy names several", async () => {
      const both = document(statement({}), statement({ Sid: "Other", Resource: otherKey }));
      const asked = await policy("key", "--current", both);
      assert.equal(asked.exitCode, 2);
      assert.match(asked.stderr, /It names 2 keys[^]*Add --key/);
      assert.equal((await policy("key", "--current", both, "--key", keyArn)).exitCode, 0);
      assert.equal((await policy("key", "--current", both, "--without", "Other")).exitCode, 0);
    });

    it("is what the bucket policy may demand of files", async () => {
      const demands = (wanted: string) =>
        document({
          ...denyUnencrypted,
          Condition: {
            Null: { "s3:x-amz-server-side-encryption-aws-kms-key-id": "false" },
            StringNotEquals: { "s3:x-amz-server-side-encryption-aws-kms-key-id": wanted },
          },
        });
      assert.equal((await policy("bucket", "--current", demands(keyArn))).exitCode, 0);
      assert.equal((await policy("bucket", "--current", demands(otherKey), "--key", keyArn)).exitCode, 5);
    });
  });

  describe("what is not known", () => {
    const until = write.bind(undefined, {
      Version: "2012-10-17",
      Statement: [
        {
          ...denyUnencrypted,
          Condition: { DateGreaterThan: { "aws:CurrentTime": "2030-01-01T00:00:00Z" } },
        },
      ],
    });

    it("is an error that names the key, and is decided with --context", async () => {
      const open = await policy("bucket", "--current", until());
      assert.equal(open.exitCode, 5);
      assert.match(open.stderr, /Whether any trail can deliver cannot be decided[^]*--context aws:CurrentTime=<value>/);
      const now = await policy("bucket", "--current", until(), "--context", "aws:CurrentTime=2026-11-28T00:00:00Z");
      assert.equal(now.exitCode, 0);
      const later = await policy("bucket", "--current", until(), "--context", "aws:CurrentTime=2031-01-01T00:00:00Z");
      assert.equal(later.exitCode, 5);
      assert.match(later.stderr, /No trail could deliver/);
    });
  });

  describe("--deployed", () => {
    const key = JSON.stringify({
      Version: "2012-10-17",
      Statement: {
        Sid: "Root",
        Effect: "Allow",
        Principal: { AWS: "arn:aws:iam::111111111111:root" },
        Action: "kms:*",
        Resource: "*",
      },
    });
    const answers = { bucket: JSON.stringify(current), key };

    it("merges with what AWS gives back", async function () {
      this.timeout(60_000);
      const bucket = await withPolicies(answers, () => policy("bucket", "--deployed"));
      assert.deepEqual(sidsOf(bucket.stdout), ["ReportsRead", ...ours]);
      assert.match(bucket.stderr, /^\nPolicy of bucket crosstrail-example-logs, merged/);
      const merged = await withPolicies(answers, () => policy("key", "--deployed", "--key", keyArn));
      assert.equal(sidsOf(merged.stdout)[0], "Root");
      assert.ok(
        merged.stderr.includes(`aws kms put-key-policy --key-id ${keyArn} --policy-name default --region us-east-1`),
      );
    });

    it("gives a whole policy where the bucket has none", async function () {
      this.timeout(60_000);
      const error: [number, string] = [404, "NoSuchBucketPolicy"];
      const { exitCode, stdout, stderr } = await withPolicies({ ...answers, error }, () =>
        policy("bucket", "--deployed"),
      );
      assert.equal(exitCode, 0);
      const trails = ["1", "2", "3"].map((digit) => trailOf(digit.repeat(12)));
      const whole = bucketPolicyIn("perTrail", { partition: "aws", bucketName, trails });
      assert.deepEqual(JSON.parse(stdout), { ...whole, Statement: whole.Statement.slice(0, -1) });
      assert.match(stderr, /put-bucket-policy/);
    });

    it("ends with 3 when AWS refused the credentials, and says whose are needed", async function () {
      this.timeout(60_000);
      const error: [number, string] = [403, "AccessDenied"];
      const { exitCode, stdout, stderr } = await withPolicies({ ...answers, error }, () =>
        policy("bucket", "--deployed"),
      );
      assert.deepEqual([exitCode, stdout], [3, ""]);
      assert.match(stderr, /Use credentials of account 111111111111/);
    });
  });
});
