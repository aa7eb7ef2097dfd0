import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mergeParts } from "../../../automation/fleet/merge";
import { crosstrail } from "../../support/cli";

const stack = (name: string, more: object = {}) => ({
  stack: name,
  kind: name === "audit" ? "audit" : "member",
  accountId: "111111111111",
  action: "preview",
  status: "succeeded",
  changes: {},
  resources: [],
  findings: [],
  exitCode: 0,
  attempts: 1,
  seconds: 1,
  ...more,
});
const run = (shard: string, stacks: object[], more: object = {}) => ({
  action: "preview",
  status: "succeeded",
  shard,
  stacks,
  findings: [],
  seconds: 2,
  ...more,
});
const printed = (data: object | null, errors: object[] = []) =>
  JSON.stringify({ schemaVersion: 1, command: "preview", ok: true, data, findings: [], errors });
const parts = (...texts: string[]) => texts.map((text, index) => ({ name: `shard-${index}.json`, text }));
const whole = [
  printed(run("2/2", [stack("web", { attempts: 0, notRun: "unchanged since the last up" })], { seconds: 5 })),
  printed(run("0/2", [stack("audit", { changes: { update: 1 } })])),
  printed(run("1/2", [stack("payments")])),
];

describe("automation/fleet: the results of several machines", () => {
  it("become one, in the order of the parts", () => {
    const { result, findings, isWhole } = mergeParts(parts(...whole));
    assert.deepEqual([findings, isWhole], [[], true]);
    assert.deepEqual(
      result?.stacks.map(({ stack: name }) => name),
      ["audit", "payments", "web"],
    );
    assert.deepEqual(
      [result?.action, result?.status, result?.seconds, result?.shard],
      ["preview", "succeeded", 7, undefined],
    );
  });

  it("have failed where one has, and are cancelled where one is", () => {
    const [web = "", audit = ""] = whole;
    const failed = printed(run("1/2", [stack("payments", { status: "failed", exitCode: 4 })], { status: "failed" }));
    assert.equal(mergeParts(parts(web, audit, failed)).result?.status, "failed");
    const cancelled = printed(run("1/2", [], { status: "cancelled" }));
    assert.equal(mergeParts(parts(web, audit, cancelled)).result?.status, "cancelled");
  });

  it("say what is missing, there twice, of another run, or not a result", () => {
    const ids = (...texts: string[]) => mergeParts(parts(...texts)).findings.map(({ id, subject }) => [id, subject]);
    const [web = "", audit = "", payments = ""] = whole;
    assert.deepEqual(ids(web), [["shard/missing", "0/2, 1/2"]]);
    assert.deepEqual(ids(web, audit, payments, payments), [["shard/other-run", "shard-3.json"]]);
    assert.deepEqual(ids(web, audit, payments, printed(run("1/3", []))), [["shard/other-run", "shard-3.json"]]);
    assert.deepEqual(ids(web, audit, printed(run("1/2", [], { action: "up" }))), [["shard/other-run", "shard-2.json"]]);
    for (const text of [
      "",
      "{",
      "[]",
      JSON.stringify({ schemaVersion: 2 }),
      printed({ action: "preview" }),
      printed(run("3/2", [])),
    ]) {
      const found = mergeParts(parts(web, audit, text));
      assert.equal(found.isWhole, false);
      assert.deepEqual(
        found.findings.map(({ id }) => id),
        ["shard/unreadable", "shard/missing"],
        text,
      );
    }
    const failed = mergeParts(parts(web, audit, printed(null, [{ message: "No backend." }])));
    assert.deepEqual(
      failed.findings.map(({ id }) => id),
      ["shard/failed", "shard/missing"],
    );
    assert.match(failed.findings[0]?.message ?? "", /No backend\./);
    assert.equal(mergeParts([]).result, undefined);
  });

  describe("crosstrail summary", () => {
    let folder: string;
    before(() => (folder = mkdtempSync(join(tmpdir(), "crosstrail-summary-"))));
    after(() => rmSync(folder, { recursive: true }));
    const written = (...texts: string[]) =>
      texts.map((text, index) => {
        const file = join(folder, `shard-${index}.json`);
        writeFileSync(file, text);
        return file;
      });

    it("prints one summary, with what was not run", async () => {
      written(...whole);
      const { exitCode, stdout } = await crosstrail(["summary", folder]);
      assert.equal(exitCode, 0, stdout);
      assert.match(stdout, /^1 not run, unchanged since the last up: web$/m);
      assert.match(
        stdout,
        /^preview: 3 stacks, 2 succeeded, 1 not run, unchanged since the last up, 1 with changes \(7\.0 s\)$/m,
      );
    });

    it("is never ok while a part is missing", async () => {
      const [web = ""] = written(...whole.slice(0, 1));
      const { exitCode, stdout } = await crosstrail(["summary", web]);
      assert.equal(exitCode, 10);
      assert.match(stdout, /shard\/missing/);
      const json = await crosstrail(["summary", "--json", web]);
      assert.equal((JSON.parse(json.stdout) as { ok: boolean }).ok, false);
    });

    it("refuses what is no result", async () => {
      const [file = ""] = written("{}");
      const { exitCode, stderr } = await crosstrail(["summary", file]);
      assert.equal(exitCode, 2);
      assert.match(stderr, /shard\/unreadable/);
      assert.equal((await crosstrail(["up", "--shard", "3/2"])).exitCode, 2);
    });
  });
});
