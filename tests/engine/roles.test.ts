/** The check that every sandbox makes when it is stopped: that it can fail. And what Crosstrail looks up after an interruption. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
import type { FleetEvent } from "../../automation";
import { status as readStatus, up } from "../../automation";
import { AUDIT_ACCOUNT, AUDIT_STACK, auditConfig } from "../../sandbox/fleet";
import { callsOf, expectAllUsed, expectGranted, rolesOf } from "./calls";
import { Engine, MINUTE, sandbox } from "./support";

describe("engine: the deploy roles", function () {
  this.timeout(10 * MINUTE);

  it("fail a sandbox in which something else was called; it is stopped and removed all the same", async () => {
    const box = await sandbox();
    box.configure(AUDIT_STACK, auditConfig());
    const { customUserAgent, ...access } = await box.aws(AUDIT_ACCOUNT);
    const ofTests = new S3Client({ ...access, customUserAgent, forcePathStyle: true });
    await ofTests.send(new ListBucketsCommand({}));
    assert.deepEqual(callsOf(box), [], "calls of the tests are not Crosstrail's");
    const like = new S3Client({ ...access, forcePathStyle: true });
    await like.send(new ListBucketsCommand({}));
    await assert.rejects(box.stop(), /s3:ListBuckets in account 111111111111: no row of the table is for this call/);
    assert.ok(!fs.existsSync(box.folder));
    await assert.rejects(fetch(box.endpoint));
  });

  it("let crosstrail look for a key that an interrupted run may have made, and read trails back", async () => {
    const box = await sandbox();
    try {
      const engine = new Engine(box);
      await engine.configureAudit({ "crosstrail:members": [] });
      await engine.up(AUDIT_STACK);
      const file = path.join(box.folder, "state.json");
      await box.pulumi(["stack", "export", "--stack", AUDIT_STACK, "--file", file]);
      const state = JSON.parse(fs.readFileSync(file, "utf8")) as {
        deployment: { resources: { type: string; urn: string }[]; pending_operations?: object[] };
      };
      const key = state.deployment.resources.find(({ type }) => type === "aws:kms/key:Key");
      assert.ok(key);
      const lost = { ...key, urn: `${key.urn}-lost`, id: undefined, inputs: { tags: { "crosstrail:stack": "lost" } } };
      state.deployment.pending_operations = [{ resource: lost, type: "creating" }];
      fs.writeFileSync(file, JSON.stringify(state));
      const imported = await box.pulumi(["stack", "import", "--stack", AUDIT_STACK, "--file", file]);
      assert.equal(imported.code, 0, imported.stderr);

      const events: FleetEvent[] = [];
      const { projectFolder, env } = box;
      const { status, stacks } = await up({ projectFolder, env, onEvent: (event) => void events.push(event) });
      assert.equal(status, "succeeded", JSON.stringify(stacks.map(({ findings }) => findings)));
      const warnings = events.flatMap((event) => (event.type === "warning" ? [event.message] : []));
      assert.ok(
        warnings.some((text) => /begun to create .*audit-key-lost; it is not in AWS/.test(text)),
        warnings.join("\n"),
      );
      expectGranted(callsOf(box), "deploy", rolesOf(box));
      expectAllUsed(callsOf(box), "interrupted");

      const { length: before } = callsOf(box);
      const read = await readStatus({ projectFolder, env });
      assert.equal(read.status, "succeeded");
      const calls = callsOf(box).slice(before);
      assert.ok(calls.some(({ operation }) => operation === "GetTrail"));
      expectGranted(calls, "preview", rolesOf(box));
    } finally {
      await box.stop();
    }
  });
});
