/** The check that every sandbox makes when it is stopped: that it can fail. And what Crosstrail looks up after an interruption. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
import type { FleetEvent } from "../../automation";
import { status as readStatus, up } from "../../automation";
import { AUDIT_ACCOUNT, AUDIT_STACK, auditConfig } from "../../sandbox/accounts";
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

  it("let crosstrail look for what an interrupted run may have made, and read trails back", async () => {
    const box = await sandbox();
    try {
      const engine = new Engine(box);
      await engine.configureAudit({ "crosstrail:members": [], "crosstrail:eventDataStore": { retentionDays: 30 } });
      await engine.up(AUDIT_STACK);
      // `pulumi stack import` takes no open operations.
      const file = path.join(box.folder, "state", ".pulumi", "stacks", "crosstrail", `${AUDIT_STACK}.json`);
      const state = JSON.parse(fs.readFileSync(file, "utf8")) as {
        checkpoint: { latest: { resources: { type: string; urn: string }[]; pending_operations?: object[] } };
      };
      const { latest } = state.checkpoint;
      const lost = (wanted: string, inputs: object) => {
        const like = latest.resources.find(({ type }) => type === wanted);
        assert.ok(like);
        return { resource: { ...like, urn: `${like.urn}-lost`, id: undefined, inputs }, type: "creating" };
      };
      latest.pending_operations = [
        lost("aws:kms/key:Key", { tags: { "crosstrail:stack": "lost" } }),
        lost("aws:cloudtrail/eventDataStore:EventDataStore", { name: "lost" }),
      ];
      fs.writeFileSync(file, JSON.stringify(state));

      const events: FleetEvent[] = [];
      const { projectFolder, env } = box;
      const { status, stacks } = await up({ projectFolder, env, onEvent: (event) => void events.push(event) });
      assert.equal(status, "succeeded", JSON.stringify(stacks.map(({ findings }) => findings)));
      const warnings = events.flatMap((event) => (event.type === "warning" ? [event.message] : []));
      for (const type of ["kms/key:Key", "cloudtrail/eventDataStore:EventDataStore"]) {
        const wanted = new RegExp(`started to create .*${type} \\S+-lost, which does not exist in AWS`);
        assert.ok(
          warnings.some((text) => wanted.test(text)),
          warnings.join("\n"),
        );
      }
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
