/** `crosstrail simulate --deployed` against an audit stack that the real engine deployed, as it is and after somebody changed it. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { GetBucketPolicyCommand, PutBucketPolicyCommand, S3Client } from "@aws-sdk/client-s3";
import { GetKeyPolicyCommand, KMSClient, PutKeyPolicyCommand } from "@aws-sdk/client-kms";
import type { Contract } from "../../core/contract";
import type { Finding } from "../../core/findings";
import { AUDIT_ACCOUNT, AUDIT_STACK, auditConfig, ROOT } from "../../sandbox/accounts";
import type { Sandbox } from "../../sandbox";
import { callsOf, expectGranted, rolesOf } from "./calls";
import { Engine, inSteps, MINUTE, sandbox } from "./support";

interface Statement {
  Sid: string;
  Condition: Record<string, Record<string, unknown>>;
}
interface Result {
  exitCode: number | null;
  findings: Finding[];
  data: { groups: { id: string }[]; summary: Record<string, number>; notAsked: string[] };
}

const options = {
  "crosstrail:memberAccess": ["payments"],
  "crosstrail:requireMfa": true,
  "crosstrail:readers": [{ trustedAccounts: ["555555555555"], requireMfa: true, accounts: ["payments"] }],
};

describe("engine: crosstrail simulate --deployed", function () {
  this.timeout(60 * MINUTE);
  inSteps(this);
  let box: Sandbox;
  let contract: Contract;
  let s3: S3Client;
  let kms: KMSClient;
  let run: (...args: string[]) => Result;
  const write = (name: string, value: unknown): string => {
    const file = join(box.folder, name);
    writeFileSync(file, JSON.stringify(value));
    return file;
  };

  before(async () => {
    box = await sandbox();
    const engine = new Engine(box);
    await engine.configureAudit(options);
    await engine.up(AUDIT_STACK);
    contract = await box.outputs<Contract>(AUDIT_STACK);
    const access = await box.aws(AUDIT_ACCOUNT);
    s3 = new S3Client({ ...access, forcePathStyle: true });
    kms = new KMSClient(access);
    const file = write("contract.json", contract);
    run = (...args) => {
      const { accessKeyId, secretAccessKey, sessionToken } = access.credentials;
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        [join(ROOT, "bin", "crosstrail.js"), "simulate", "--deployed", "--contract", file, "--json", ...args],
        {
          encoding: "utf8",
          timeout: MINUTE,
          env: {
            PATH: process.env.PATH,
            AWS_ENDPOINT_URL: access.endpoint,
            AWS_ACCESS_KEY_ID: accessKeyId,
            AWS_SECRET_ACCESS_KEY: secretAccessKey,
            ...(sessionToken !== undefined && { AWS_SESSION_TOKEN: sessionToken }),
          },
        },
      );
      assert.ok(stdout !== "", stderr);
      return { exitCode: status, ...(JSON.parse(stdout) as Omit<Result, "exitCode">) };
    };
  });
  after(async () => {
    s3?.destroy();
    kms?.destroy();
    await box?.stop();
  });

  const groups = ({ data }: Result) => data.groups.map(({ id }) => id);

  it("is as expected as it was deployed; the reader role is asked about where the configuration is given", () => {
    const { length: before } = callsOf(box);
    const seen = run();
    const calls = callsOf(box).slice(before);
    assert.deepEqual(calls.map(({ operation }) => operation).sort(), [
      "GetBucketEncryption",
      "GetBucketPolicy",
      "GetKeyPolicy",
    ]);
    expectGranted(calls, "preview", rolesOf(box));
    assert.equal(seen.exitCode, 0, JSON.stringify(seen.findings));
    assert.ok(groups(seen).includes("own") && groups(seen).includes("no-mfa") && !groups(seen).includes("reader"));
    assert.match(seen.data.notAsked.join(), /CloudTrailReadRole/);
    // JSON is YAML, too.
    const config = write("Pulumi.declared.yaml", { config: { ...auditConfig(), ...options } });
    const declared = run("--config", config);
    assert.equal(declared.exitCode, 0, JSON.stringify(declared.findings));
    assert.ok(groups(declared).includes("reader") && groups(declared).includes("beyond"));
    assert.equal(declared.data.notAsked.length, 1);
    assert.match(
      declared.data.notAsked.join(),
      /its bucket, prefix and key in AWS \(crosstrail status reads every trail\)/,
    );
  });

  it("takes cases of one's own", () => {
    const request = {
      caller: { kind: "account", arn: "arn:aws:iam::555555555555:role/Somebody" },
      action: "s3:GetObject",
      resource: `arn:aws:s3:::${contract.bucketName}/AWSLogs/222222222222/CloudTrail/x`,
    };
    const own = { name: "a stranger reads", expect: "deny", request };
    const file = write("own.json", [own]);
    assert.equal(run("--cases", file).exitCode, 0);
    const failed = run("--cases", write("wrong.json", { ...own, expect: "allow" }));
    assert.equal(failed.exitCode, 5);
    assert.deepEqual(
      failed.findings.map(({ id, subject }) => [id, subject]),
      [["simulate/case-failed", "a stranger reads"]],
    );
  });

  it("ends with 5 and names the statement after somebody has loosened the bucket policy, and with 0 when it is mended", async () => {
    const Bucket = contract.bucketName;
    const { Policy = "" } = await s3.send(new GetBucketPolicyCommand({ Bucket }));
    const loose = JSON.parse(Policy) as { Statement: Statement[] };
    const write222 = loose.Statement.find(({ Sid }) => Sid === "CloudTrailWrite222222222222");
    assert.ok(write222?.Condition.StringEquals?.["aws:SourceArn"]);
    delete write222.Condition.StringEquals["aws:SourceArn"];
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify(loose) }));
    const result = run();
    assert.equal(result.exitCode, 5);
    const failures = result.findings.filter(({ id }) => id === "simulate/failed");
    // Any trail of anyone may now write under that account's path, the audit account's too.
    const other = "payments (222222222222): A trail of another name writes a log file";
    assert.ok(failures.some(({ subject }) => subject === other));
    for (const { message } of failures) {
      assert.match(message, /"CloudTrailWrite222222222222"\) of the bucket policy allows it/);
    }
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
    assert.equal(run().exitCode, 0);
  });

  it("and after somebody has loosened the key policy", async () => {
    const key = { KeyId: contract.keyArn, PolicyName: "default" };
    const { Policy = "" } = await kms.send(new GetKeyPolicyCommand(key));
    const loose = JSON.parse(Policy) as { Statement: Statement[] };
    const members = loose.Statement.find(({ Sid }) => Sid === "MembersDecryptOwnLogs");
    assert.ok(members);
    members.Condition = { Null: { "kms:EncryptionContext:aws:cloudtrail:arn": "false" } };
    await kms.send(new PutKeyPolicyCommand({ ...key, Policy: JSON.stringify(loose) }));
    const result = run();
    assert.equal(result.exitCode, 5);
    assert.deepEqual(
      result.findings.map(({ subject }) => subject),
      ["payments (222222222222): A member's administrator decrypts another account's log file"],
    );
    assert.match(result.findings[0]?.message ?? "", /"MembersDecryptOwnLogs"\) of the key policy/);
    await kms.send(new PutKeyPolicyCommand({ ...key, Policy }));
    assert.equal(run().exitCode, 0);
  });
});
