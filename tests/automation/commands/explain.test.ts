import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Envelope } from "../../../automation/output";
import { crosstrail, withPolicies } from "../../support/cli";
import { root } from "../../support/config";

const trail = "arn:aws:cloudtrail:us-east-1:222222222222:trail/acme";
const key = "arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const service = { Service: "cloudtrail.amazonaws.com" };
const document = (...statements: object[]) => JSON.stringify({ Version: "2012-10-17", Statement: statements });
const bucketPolicy = (account = "222222222222") =>
  document(
    {
      Effect: "Allow",
      Principal: service,
      Action: "s3:GetBucketAcl",
      Resource: "arn:aws:s3:::acme-logs",
      Condition: { StringEquals: { "aws:SourceArn": trail } },
    },
    {
      Sid: "Write",
      Effect: "Allow",
      Principal: service,
      Action: "s3:PutObject",
      Resource: `arn:aws:s3:::acme-logs/AWSLogs/${account}/*`,
      Condition: { StringEquals: { "aws:SourceArn": trail, "s3:x-amz-acl": "bucket-owner-full-control" } },
    },
  );
const keyPolicy = document({
  Effect: "Allow",
  Principal: service,
  Action: ["kms:GenerateDataKey*", "kms:DescribeKey"],
  Resource: key,
  Condition: { StringEquals: { "aws:SourceArn": trail } },
});
const perimeter = document({
  Sid: "Perimeter",
  Effect: "Deny",
  Principal: "*",
  Action: ["s3:*", "kms:*"],
  Resource: "*",
  Condition: {
    StringNotEqualsIfExists: { "aws:SourceOrgID": "o-exampleorg1" },
    Null: { "aws:SourceAccount": "false" },
    Bool: { "aws:PrincipalIsAWSService": "true" },
  },
});

describe("crosstrail explain", () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), "crosstrail-explain-"))));
  after(() => rmSync(folder, { recursive: true }));
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const explain = (...args: string[]) => crosstrail(["explain", "--trail", trail, "--bucket", "acme-logs", ...args]);

  it("ends with 0 when the trail can deliver, and says what was not asked", async () => {
    const file = write("bucket.json", bucketPolicy());
    const { exitCode, stdout } = await explain("--bucket-policy", file);
    assert.equal(exitCode, 0, stdout);
    assert.match(stdout, /The bucket policy lets [^]*deliver to acme-logs\. No key was checked\./);
    const both = await explain("--bucket-policy", file, "--key-policy", write("key.json", keyPolicy));
    assert.equal(both.exitCode, 0, both.stdout);
    assert.match(both.stdout, /The bucket policy and key policy let/);
  });

  it("ends with 5, names the mistake and prints the corrected statement, within the width", async () => {
    const { exitCode, stdout } = await explain("--bucket-policy", write("wrong.json", bucketPolicy("333333333333")));
    assert.equal(exitCode, 5);
    assert.match(stdout, /1\. bucket policy: statement 2 \("Write"\)/);
    assert.match(stdout, /account "333333333333"/);
    assert.match(stdout, /"arn:aws:s3:::acme-logs\/AWSLogs\/222222222222\/\*"\n/);
    assert.match(stdout, /With this corrected, it delivers\./);
    const prose = stdout
      .split("\n")
      .filter((line) => line.length > 80 && line.trim().includes(" ") && !line.includes('":'));
    assert.deepEqual(prose, []);
  });

  it("prints one JSON object with --json", async () => {
    const { exitCode, stdout } = await explain(
      "--bucket-policy",
      write("wrong.json", bucketPolicy("333333333333")),
      "--json",
    );
    assert.equal(exitCode, 5);
    const { ok, data, findings } = JSON.parse(stdout) as Envelope;
    const { verdict, problems, isEnough } = data as { verdict: string; problems: unknown[]; isEnough: boolean };
    assert.deepEqual([ok, verdict, problems.length, isEnough], [false, "refused", 1, true]);
    assert.deepEqual(
      findings.map(({ id }) => id),
      ["explain/statement"],
    );
  });

  it("reads the policies from AWS", async () => {
    const args = ["--deployed", "--key", key];
    const good = await withPolicies({ bucket: bucketPolicy(), key: keyPolicy }, () => explain(...args));
    assert.equal(good.exitCode, 0, good.stdout + good.stderr);
    const wrong = await withPolicies({ bucket: bucketPolicy("333333333333"), key: keyPolicy }, () => explain(...args));
    assert.equal(wrong.exitCode, 5);
    const refused = await withPolicies({ bucket: "", key: keyPolicy, error: [403, "AccessDenied"] }, () =>
      explain(...args),
    );
    assert.equal(refused.exitCode, 3, refused.stdout + refused.stderr);
  });

  it("names a resource control policy that stops an account outside of the organization", async () => {
    const args = ["--bucket-policy", write("bucket.json", bucketPolicy()), "--rcp", write("rcp.json", perimeter)];
    const outside = await explain(...args, "--outside");
    assert.equal(outside.exitCode, 5);
    assert.match(outside.stdout, /statement 1 \("Perimeter"\) of\s+.*rcp\.json/);
    assert.equal((await explain(...args, "--organization", "o-exampleorg1")).exitCode, 0);
    // Nobody has said which it is: not a yes.
    const unknown = await explain(...args);
    assert.equal(unknown.exitCode, 5);
    assert.match(unknown.stdout, /cannot be decided/);
    const broken = await explain("--bucket-policy", args[1] as string, "--rcp", write("not.json", "{"));
    assert.equal(broken.exitCode, 2);
  });

  it("says everything that is wrong with its options at once", async () => {
    const { exitCode, stderr } = await crosstrail([
      "explain",
      "--trail",
      "x",
      "--key",
      "alias/x",
      "--organization-trail",
    ]);
    assert.equal(exitCode, 2);
    for (const part of [
      "--trail x",
      "--bucket",
      "--key alias/x",
      "--organization-trail",
      "There is no policy to explain.",
    ]) {
      assert.ok(stderr.includes(part), `${part}: ${stderr}`);
    }
    const noKey = await explain("--bucket-policy", write("bucket.json", bucketPolicy()), "--key", key);
    assert.equal(noKey.exitCode, 2);
    assert.match(noKey.stderr, /The key's policy is missing/);
  });

  describe("simulate with policies and control policies from files", () => {
    const config = join(root, "Pulumi.audit.yaml");
    const simulate = (...args: string[]) => crosstrail(["simulate", "--config", config, ...args]);

    it("asks the given bucket policy", async () => {
      const file = write("empty.json", document({ Effect: "Deny", Principal: "*", Action: "s3:*", Resource: "*" }));
      const { exitCode, stdout } = await simulate("--bucket-policy", file);
      assert.equal(exitCode, 5);
      assert.match(stdout, /empty\.json/);
      assert.match(stdout, /Not as expected/);
    });

    it("asks them together with the organization's", async () => {
      const rcp = write(
        "tls.json",
        document({
          Effect: "Deny",
          Principal: "*",
          Action: "s3:*",
          Resource: "*",
          Condition: { BoolIfExists: { "aws:SecureTransport": "false" } },
        }),
      );
      assert.equal((await simulate("--rcp", rcp)).exitCode, 0);
      const all = write(
        "all.json",
        document({ Sid: "All", Effect: "Deny", Principal: "*", Action: "s3:PutObject", Resource: "*" }),
      );
      const stopped = await simulate("--rcp", rcp, "--rcp", all);
      assert.equal(stopped.exitCode, 5);
      assert.match(
        stopped.stdout.replace(/\s+/g, " "),
        /statement 1 \("All"\) of the resource control policy \S*all\.json denies it/,
      );
      const scp = write(
        "scp.json",
        document({ Sid: "NoReading", Effect: "Deny", Action: "s3:GetObject", Resource: "*" }),
      );
      const people = await simulate("--scp", scp);
      assert.equal(people.exitCode, 5);
      assert.match(people.stdout.replace(/\s+/g, " "), /of the service control policy \S*scp\.json denies it/);
      assert.doesNotMatch(people.stdout, /CloudTrail writes a log file/);
    });

    it("refuses what excludes each other", async () => {
      const { exitCode } = await simulate("--deployed", "--contract", "x", "--bucket-policy", "y");
      assert.equal(exitCode, 2);
    });
  });
});
