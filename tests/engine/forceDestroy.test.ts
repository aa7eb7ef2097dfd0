/** A log bucket that is deleted with all that is in it: for tests, and only where nothing is to be kept. */
import assert from "node:assert/strict";
import { HeadBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { AUDIT_ACCOUNT, AUDIT_STACK } from "../../sandbox/accounts";
import type { Sandbox } from "../../sandbox";
import { callsOf, expectAllUsed } from "./calls";
import { Engine, inSteps, MINUTE, putLogFile, sandbox } from "./support";

describe("engine: forceDestroy", function () {
  this.timeout(30 * MINUTE);
  inSteps(this);
  let box: Sandbox;
  let engine: Engine;
  let s3: S3Client;
  const Bucket = "crosstrail-example-logs";
  const forTests = { "crosstrail:keepArchive": false, "crosstrail:forceDestroy": true };
  before(async () => {
    box = await sandbox();
    engine = new Engine(box);
    s3 = new S3Client({ ...(await box.aws(AUDIT_ACCOUNT)), forcePathStyle: true });
  });
  after(async () => {
    s3?.destroy();
    await box?.stop();
  });

  it("on, off and on again, in place", async () => {
    await engine.configureAudit(forTests);
    await engine.up(AUDIT_STACK);
    for (const config of [{ "crosstrail:keepArchive": false }, forTests]) {
      await engine.configureAudit(config);
      assert.deepEqual(await engine.up(AUDIT_STACK), { update: 1, same: 12 });
      await engine.expectNoChanges(AUDIT_STACK);
    }
  });

  it("deletes the bucket with its logs, old versions included", async () => {
    for (const body of ["before", "after"]) await putLogFile(s3, Bucket, body);
    await engine.run("destroy", AUDIT_STACK);
    await assert.rejects(s3.send(new HeadBucketCommand({ Bucket })), { name: "NotFound" });
  });

  it("left no grant for it unused", () => {
    expectAllUsed(callsOf(box), "forceDestroy");
  });
});
