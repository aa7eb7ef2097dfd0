/** Who may read the archive, told to the real engine: each option on and off again, in place. */
import assert from "node:assert/strict";
import path from "node:path";
import { DeleteObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { run } from "../../automation/process";
import type { VerifyResult } from "../../automation/verify";
import type { Contract } from "../../core/contract";
import { AUDIT_ACCOUNT, AUDIT_STACK } from "../../sandbox/accounts";
import { readBack } from "../../sandbox/readBack";
import { ROOT, type Sandbox } from "../../sandbox";
import { callsOf, expectAllUsed, expectGranted, rolesOf, VERIFYING } from "./calls";
import { Engine, inSteps, MINUTE, sandbox } from "./support";

describe("engine: readers", function () {
  this.timeout(60 * MINUTE);
  inSteps(this);
  let box: Sandbox;
  let engine: Engine;
  before(async () => {
    box = await sandbox();
    engine = new Engine(box);
    await engine.configureAudit();
    await engine.up(AUDIT_STACK);
  });
  after(() => box?.stop());

  const delivers = async () => {
    const contract = await box.outputs<Contract>(AUDIT_STACK);
    // Members have no trail here; what is asked is whether the policies would let them deliver.
    const { trails, outsider } = await readBack(contract, (accountId) => box.aws(accountId));
    return { fleet: trails.every(({ delivery }) => delivery.delivers), outsider: outsider.delivers };
  };

  /** `crosstrail verify` by a reader role for somebody of another account, and by the audit account, after a log was deleted. */
  const verifies = async ({ readers, bucketName, bucketRegion }: Contract) => {
    await box.pass(1.2);
    const verify = async (access: Awaited<ReturnType<Sandbox["aws"]>>, ...options: string[]) => {
      const { accessKeyId, secretAccessKey, sessionToken } = access.credentials;
      const { code, stdout, stderr } = await run(
        process.execPath,
        [
          path.join(ROOT, "bin", "crosstrail.js"),
          ...["verify", "--json", "--bucket", bucketName, "--region", bucketRegion, ...options],
        ],
        {
          timeoutMs: 2 * MINUTE,
          env: {
            ...box.env,
            AWS_ACCESS_KEY_ID: accessKeyId,
            AWS_SECRET_ACCESS_KEY: secretAccessKey,
            ...(sessionToken !== undefined && { AWS_SESSION_TOKEN: sessionToken }),
            AWS_EXECUTION_ENV: VERIFYING,
            XDG_STATE_HOME: path.join(box.folder, "verify-state"),
          },
        },
      );
      const { data } = JSON.parse(stdout) as { data: VerifyResult };
      assert.ok(data, stdout + stderr);
      return { code, ...data };
    };
    const reader = readers?.find(({ name }) => name === "CloudTrailReadRole");
    const elsewhere = await box.aws("555555555555");
    const whole = await verify(elsewhere, "--role-arn", reader?.roleArn ?? "");
    assert.deepEqual([whole.code, whole.state, whole.findings], [0, "whole", []]);
    assert.ok(whole.digests.verified > 0 && whole.logs.verified > 0);
    assert.notEqual(
      (await verify(elsewhere, "--accounts", "111111111111").catch(() => ({ code: "refused" }))).code,
      0,
      "without the role it may read nothing",
    );

    const audit = await box.aws(AUDIT_ACCOUNT);
    const s3 = new S3Client({ ...audit, forcePathStyle: true });
    const { Contents = [] } = await s3.send(
      new ListObjectsV2Command({ Bucket: bucketName, Prefix: "AWSLogs/111111111111/CloudTrail/us-east-1/" }),
    );
    await s3.send(new DeleteObjectCommand({ Bucket: bucketName, Key: Contents[0]?.Key }));
    s3.destroy();
    const tampered = await verify(audit);
    assert.deepEqual(
      [tampered.code, tampered.findings.map(({ id, key }) => [id, key])],
      [5, [["verify/log-deleted", Contents[0]?.Key]]],
    );
    assert.match(tampered.findings[0]?.evidence["intact version"] ?? "", / of /);
  };

  for (const [title, config, changes] of [
    ["an S3 Bucket Key", { "crosstrail:bucketKeyEnabled": true }, { update: 2, same: 11 }],
    ["members that read their own logs", { "crosstrail:memberAccess": ["payments"] }, { update: 2, same: 11 }],
    [
      "MFA for people, and a role without it",
      { "crosstrail:requireMfa": true, "crosstrail:mfaExemptRoles": ["LogShipper"] },
      { update: 1, same: 12 },
    ],
  ] as const) {
    it(`${title}: on and off again in place, quiet in between, and CloudTrail still delivers`, async () => {
      await engine.configureAudit(config);
      assert.deepEqual(await engine.up(AUDIT_STACK), changes);
      await engine.expectNoChanges(AUDIT_STACK);
      assert.deepEqual(await delivers(), { fleet: true, outsider: false });
      await engine.configureAudit();
      assert.deepEqual(await engine.up(AUDIT_STACK), changes);
      await engine.expectNoChanges(AUDIT_STACK);
    });
  }

  it("roles that other accounts may assume: made, in the contract, quiet, changed in place, and removed", async () => {
    const readers = (...trustedAccounts: string[]) => ({
      "crosstrail:readers": [
        { trustedAccounts, requireMfa: true },
        { name: "PaymentsReader", trustedAccounts, externalId: "an-agreed-id", accounts: ["payments"] },
      ],
    });
    await engine.configureAudit(readers("555555555555"));
    // A component, a role and its policy for each.
    assert.deepEqual(await engine.up(AUDIT_STACK), { create: 6, same: 13 });
    await engine.expectNoChanges(AUDIT_STACK);
    const contract = await box.outputs<Contract>(AUDIT_STACK);
    assert.deepEqual(
      contract.readers?.map(({ name, roleArn }) => ({ name, roleArn })),
      ["CloudTrailReadRole", "PaymentsReader"].map((name) => ({
        name,
        roleArn: `arn:aws:iam::111111111111:role/${name}`,
      })),
    );
    await verifies(contract);
    await engine.configureAudit({
      ...readers("555555555555", "666666666666"),
      "crosstrail:tags": { team: "audit" },
      // Another permissions boundary for both roles: in place, as for roles that had none.
      "crosstrail:permissionsBoundary": "team/Limits",
    });
    // The roles, and what else has tags: bucket, key and trail.
    assert.deepEqual(await engine.up(AUDIT_STACK), { update: 5, same: 14 });
    await engine.configureAudit(readers("555555555555"));
    assert.deepEqual(await engine.up(AUDIT_STACK), { update: 5, same: 14 });
    await engine.configureAudit();
    assert.deepEqual(await engine.up(AUDIT_STACK), { delete: 6, same: 13 });
  });

  it("made only calls that the deploy roles grant, and left no grant for roles unused", () => {
    // Without access to remove: whoever changes readers need not be able to remove the archive.
    expectGranted(callsOf(box), "deploy", rolesOf(box));
    expectAllUsed(callsOf(box), "role", "verify");
  });
});
