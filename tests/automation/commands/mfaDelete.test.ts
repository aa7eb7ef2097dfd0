import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import type { Envelope } from "../../../automation/output";
import type { AwsAnswer } from "../../support/aws";
import { withAws } from "../../support/aws";
import { crosstrail } from "../../support/cli";

/** What AWS says of the bucket and of the account's root user. */
interface Answers {
  versioning?: string;
  lifecycle?: string;
  summary?: Record<string, number>;
  serial?: string;
  /** S3 refuses. */
  error?: [status: number, code: string];
}

const root = "arn:aws:iam::111111111111:root";
const ready = { AccountPasswordPresent: 1, AccountAccessKeysPresent: 0, AccountMFAEnabled: 1 };

/** Answers as S3 and IAM do. */
function respond(answers: Answers, operation: string): AwsAnswer {
  if (["GetAccountSummary", "ListVirtualMFADevices"].includes(operation)) {
    if (!answers.summary) return [403, "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>"];
    if (operation === "ListVirtualMFADevices") {
      const device = `<member><SerialNumber>${answers.serial}</SerialNumber><User><Arn>${root}</Arn></User></member>`;
      const devices = `<VirtualMFADevices>${answers.serial ? device : ""}</VirtualMFADevices>`;
      return [
        200,
        `<ListVirtualMFADevicesResponse><ListVirtualMFADevicesResult>${devices}</ListVirtualMFADevicesResult></ListVirtualMFADevicesResponse>`,
      ];
    }
    const entries = Object.entries(answers.summary).map(
      ([k, v]) => `<entry><key>${k}</key><value>${v}</value></entry>`,
    );
    return [
      200,
      `<GetAccountSummaryResponse><GetAccountSummaryResult><SummaryMap>${entries.join("")}</SummaryMap></GetAccountSummaryResult></GetAccountSummaryResponse>`,
    ];
  }
  if (answers.error) return [answers.error[0], `<Error><Code>${answers.error[1]}</Code><Message>no</Message></Error>`];
  if (operation.includes("lifecycle")) {
    if (!answers.lifecycle) return [404, "<Error><Code>NoSuchLifecycleConfiguration</Code></Error>"];
    return [200, `<LifecycleConfiguration>${answers.lifecycle}</LifecycleConfiguration>`];
  }
  return [200, `<VersioningConfiguration>${answers.versioning ?? ""}</VersioningConfiguration>`];
}

const enabled = "<Status>Enabled</Status>";
const on = `${enabled}<MfaDelete>Enabled</MfaDelete>`;

describe("crosstrail mfa-delete", function () {
  this.timeout(60_000);
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), "crosstrail-mfa-"))));
  after(() => rmSync(folder, { recursive: true, force: true }));

  async function mfaDelete(expected: boolean, answers: Answers, ...more: string[]) {
    const file = join(folder, "Pulumi.audit.yaml");
    const config = {
      "aws:region": "us-east-1",
      "crosstrail:role": "audit",
      "crosstrail:auditAccountId": "111111111111",
      "crosstrail:bucketName": "example-logs",
      "crosstrail:mfaDelete": expected,
    };
    writeFileSync(file, stringify({ config }));
    const asked: string[] = [];
    const result = await withAws(
      ({ operation }) => {
        asked.push(operation);
        return respond(answers, operation);
      },
      () => crosstrail(["mfa-delete", "--config", file, ...more], { env: process.env }),
    );
    return { ...result, asked };
  }
  const ids = (stdout: string) => (JSON.parse(stdout) as Envelope).findings.map(({ id }) => id);

  it("as expected: exit code 0, and nothing to do", async () => {
    for (const [expected, versioning, state] of [
      [true, on, "on"],
      [false, enabled, "off"],
      [false, "", "off"],
      [false, `${enabled}<MfaDelete>Disabled</MfaDelete>`, "off"],
    ] as const) {
      const { exitCode, stdout, stderr } = await mfaDelete(expected, { versioning, summary: ready });
      assert.equal(exitCode, 0, stdout + stderr);
      assert.match(stdout, new RegExp(`MFA Delete {7}${state}, as expected`));
      assert.doesNotMatch(stdout, /put-bucket-versioning/);
    }
  });

  it("reminds of the root user's access keys, once they have done their work", async () => {
    const answers = { versioning: on, summary: { ...ready, AccountAccessKeysPresent: 1 } };
    const { exitCode, stdout } = await mfaDelete(true, answers);
    assert.equal(exitCode, 0);
    assert.match(
      stdout,
      /root user of account 111111111111\n {4}mfa\/root-access-keys: It has access keys\.\n {4}→ Delete them/,
    );
    assert.deepEqual(ids((await mfaDelete(true, answers, "--json")).stdout), ["mfa/root-access-keys"]);
    // Until then they are needed.
    const before = await mfaDelete(true, { ...answers, versioning: enabled }, "--json");
    assert.deepEqual(ids(before.stdout), ["mfa/drift"]);
  });

  it("to be switched on: exit code 5, and the root user's command with its own device", async () => {
    const serial = "arn:aws:iam::111111111111:mfa/safe";
    const { exitCode, stdout, asked } = await mfaDelete(true, { versioning: enabled, summary: ready, serial });
    assert.equal(exitCode, 5);
    assert.ok(
      stdout.includes(
        [
          "  aws s3api put-bucket-versioning \\",
          "    --bucket example-logs \\",
          "    --region us-east-1 \\",
          "    --expected-bucket-owner 111111111111 \\",
          "    --versioning-configuration Status=Enabled,MFADelete=Enabled \\",
          `    --mfa "${serial} 123456"`,
        ].join("\n"),
      ),
      stdout,
    );
    assert.doesNotMatch(stdout, /Fix this first/);
    // It only looks.
    assert.ok(asked.length > 3, asked.join());
    for (const each of asked) assert.match(each, /^(GET \S+|GetAccountSummary|ListVirtualMFADevices)$/);
  });

  it("to be switched off: the command for that, whatever the lifecycle rules are", async () => {
    const { exitCode, stdout } = await mfaDelete(false, { versioning: on, summary: ready });
    assert.equal(exitCode, 5);
    assert.match(stdout, /MFA Delete {7}on, expected off/);
    assert.match(stdout, /Status=Enabled,MFADelete=Disabled/);
    assert.match(stdout, /mfa\/root-account-mfa-device 123456/);
  });

  it("says all that Fix this first, with ids for scripts", async () => {
    const answers = {
      versioning: "<Status>Suspended</Status>",
      lifecycle:
        "<Rule><ID>expire</ID><Status>Enabled</Status></Rule><Rule><ID>old</ID><Status>Disabled</Status></Rule>",
      summary: { AccountPasswordPresent: 0, AccountAccessKeysPresent: 0, AccountMFAEnabled: 0 },
    };
    const { exitCode, stdout } = await mfaDelete(true, answers, "--json");
    assert.equal(exitCode, 5);
    assert.deepEqual(ids(stdout), [
      "mfa/drift",
      "mfa/versioning",
      "mfa/lifecycle",
      "mfa/no-root-credentials",
      "mfa/no-mfa-device",
    ]);
    const text = (await mfaDelete(true, answers)).stdout;
    assert.match(text, /Fix this first:/);
    assert.match(text, /lifecycle rules of bucket example-logs: expire, old/);
    assert.match(text, /sts:AssumeRoot/);
  });

  it("does without what IAM does not tell", async () => {
    const { exitCode, stdout } = await mfaDelete(true, { versioning: enabled }, "--json");
    assert.equal(exitCode, 5);
    assert.deepEqual(ids(stdout), ["mfa/drift"]);
  });

  it("when S3 refuses, exit code 3; a missing bucket, exit code 1", async () => {
    for (const [error, expected] of [
      [[403, "AccessDenied"], 3],
      [[404, "NoSuchBucket"], 1],
    ] as const) {
      const { exitCode, stderr } = await mfaDelete(true, { error: [...error], summary: ready });
      assert.equal(exitCode, expected);
      assert.match(
        stderr,
        /^MFA Delete could not be read\.\n\n {2}the (versioning|lifecycle rules) of bucket example-logs\n/,
      );
    }
  });
});
