/** A run of the fleet with a backend of files, workers that this test plays, and a `pulumi` that only lists stacks. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { stringify } from "yaml";
import type { Pool } from "../../../automation/fleet/pool";
import { resultOf } from "../../../automation/fleet/result";
import { runFleet } from "../../../automation/fleet/run";
import type { ArchiveReading, Job, StackResult } from "../../../automation/fleet/types";
import { agentOf } from "../../../automation/fleet/unchanged/lastUpdate";
import type { Contract } from "../../../core/contract";
import { Action, archiveAfter, declaredContract } from "../../../core/fleet";
import type { AuditSettings } from "../../../core/settings";
import { parseStackConfig } from "../../../core/settings";
import { asConfig } from "../../support/config";

const keyArn = "arn:aws:kms:us-east-1:111111111111:key/11111111-12ab-34cd-56ef-1234567890ab";
const payments = { accountId: "222222222222", alias: "payments" };
const web = { accountId: "333333333333", alias: "web" };

describe("a run that leaves engines out", function () {
  // It starts processes, few and small; on a busy machine they wait.
  this.timeout(60_000);
  let folder: string;
  let env: NodeJS.ProcessEnv;
  let jobs: Job[];
  let published: Contract;
  /** What AWS has, as the audit stack's worker reads it. */
  let reading: () => ArchiveReading;

  const inFolder = (...names: string[]) => join(folder, ...names);
  const settingsOf = (config: Record<string, unknown>) =>
    parseStackConfig("audit", asConfig(config), { region: "us-east-1", project: "crosstrail" }) as AuditSettings;
  const declare = (...members: object[]) => {
    const config = {
      "aws:region": "us-east-1",
      "crosstrail:role": "audit",
      "crosstrail:auditAccountId": "111111111111",
      "crosstrail:bucketName": "example-logs",
      "crosstrail:members": members,
    };
    writeFileSync(inFolder("Pulumi.audit.yaml"), stringify({ config }));
    return settingsOf(config);
  };
  const list = (...names: string[]) => {
    const stacks = names.map((name) => ({ name, resourceCount: 3, lastUpdate: "2026-11-28T06:00:00.000Z" }));
    writeFileSync(inFolder("ls.json"), JSON.stringify(stacks));
    writeFileSync(inFolder("outputs.json"), JSON.stringify(published));
  };
  /** What the engine and the backend leave behind of a job. */
  const leave = ({ step, recorded, config }: Job) => {
    const { name } = step.stack;
    const state = JSON.stringify({ version: 3, checkpoint: { latest: { resources: [{ name, at: Date.now() }] } } });
    for (const part of ["stacks/crosstrail", `history/crosstrail/${name}`]) {
      mkdirSync(inFolder("state/.pulumi", part), { recursive: true });
    }
    const write = (path: string, text: string) => writeFileSync(inFolder("state/.pulumi", path), text);
    const base = `history/crosstrail/${name}/${name}-${Date.now()}000000`;
    write(`stacks/crosstrail/${name}.json`, state);
    write(`${base}.checkpoint.json`, state);
    const environment = recorded ? { "exec.agent": agentOf(recorded.inputs) } : {};
    const update = { kind: "update", result: "succeeded", endTime: 1_795_846_131, environment, config };
    write(`${base}.history.json`, JSON.stringify(update));
  };
  const pool = {
    warmUp: () => {},
    run: (job: Job) => {
      jobs.push(job);
      const result = resultOf(job.step, { attempts: job.unchanged ? 0 : 1 });
      if (!job.unchanged && job.step.action === Action.Up) leave(job);
      return Promise.resolve({ result, ...(job.archive && { reading: reading() }) });
    },
  } as unknown as Pool;
  const run = async (action: Action, more: object = {}): Promise<Record<string, StackResult>> => {
    jobs = [];
    const result = await runFleet(action, { projectFolder: folder, env, pool, parallel: 2, ...more });
    assert.equal(result.status, "succeeded", JSON.stringify(result, undefined, 1));
    return Object.fromEntries(result.stacks.map((stack) => [stack.stack, stack]));
  };
  const worked = () => jobs.map(({ step, unchanged, refresh }) => [step.stack.name, unchanged, refresh]);

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "crosstrail-not-run-"));
    mkdirSync(inFolder("bin"));
    const answer = (file: string) => `cat "${inFolder(file)}"`;
    const script = `#!/bin/sh\ncase "$1 $2" in\n"stack ls") ${answer("ls.json")} ;;\n"stack output") ${answer("outputs.json")} ;;\n*) echo v3.250.0 ;;\nesac\n`;
    writeFileSync(inFolder("bin", "pulumi"), script);
    chmodSync(inFolder("bin", "pulumi"), 0o755);
    writeFileSync(inFolder("Pulumi.yaml"), "name: crosstrail\nruntime: nodejs\n");
    env = {
      PATH: [inFolder("bin"), process.env.PATH].join(delimiter),
      HOME: folder,
      PULUMI_BACKEND_URL: `file://${inFolder("state")}`,
    };
    const settings = declare(payments, web);
    published = { ...declaredContract(settings), keyArn };
    reading = () => ({
      contract: published,
      archive: asText(archiveAfter(published, settings)),
      keyStates: { [keyArn]: "Enabled" },
    });
    list("audit", "payments", "web");
  });
  after(() => rmSync(folder, { recursive: true }));
  /** Policies as AWS gives them back. */
  const asText = (archive: ArchiveReading["archive"]): ArchiveReading["archive"] => ({
    ...archive,
    bucket: JSON.stringify(archive.bucket),
    keys: Object.fromEntries(Object.entries(archive.keys).map(([arn, policy]) => [arn, JSON.stringify(policy)])),
  });

  it("runs all where nothing is recorded, and records what goes in", async () => {
    const stacks = await run(Action.Up);
    assert.deepEqual(worked(), [
      ["audit", false, false],
      ["payments", false, false],
      ["web", false, false],
    ]);
    assert.match(stacks.web?.because ?? "", /last update/);
    assert.ok(jobs.every(({ recorded }) => recorded));
  });

  it("then asks no worker for a preview, and each worker only to read for up", async () => {
    const shown = await run(Action.Preview);
    assert.deepEqual(worked(), []);
    assert.ok(
      Object.values(shown).every(({ notRun }) => notRun === "unchanged since the last up (2026-11-28T06:08:51.000Z)"),
    );
    await run(Action.Up);
    assert.deepEqual(
      worked().map(([name, unchanged]) => [name, unchanged]),
      [
        ["audit", true],
        ["payments", true],
        ["web", true],
      ],
    );
    assert.ok(
      jobs.every(({ trail }) => trail),
      "every trail is read back",
    );
  });

  it("runs all with --full, and for up with --refresh", async () => {
    for (const [action, more] of [
      [Action.Preview, { full: true }],
      [Action.Up, { refresh: true }],
    ] as const) {
      await run(action, more);
      assert.deepEqual(
        worked().map(([, unchanged]) => unchanged),
        [false, false, false],
      );
    }
    await run(Action.Preview, { refresh: true });
    assert.deepEqual(worked(), [
      ["audit", true, true],
      ["payments", true, true],
      ["web", true, true],
    ]);
  });

  it("runs the audit stack again, compared with AWS, where its policies are others", async () => {
    const before = reading;
    reading = () => {
      const { archive, ...rest } = before();
      return { ...rest, archive: { ...archive, bucketKey: archive.bucketKey, keys: { [keyArn]: undefined } } };
    };
    // Without a policy of the key nothing is delivered; here it is about who is asked.
    jobs = [];
    await runFleet(Action.Up, { projectFolder: folder, env, pool, parallel: 1 });
    reading = before;
    assert.deepEqual(worked().slice(0, 2), [
      ["audit", true, false],
      ["audit", false, true],
    ]);
  });

  it("runs members after an audit stack that publishes something else for them, and no others", async () => {
    declare({ ...payments, trailName: "other", previousTrailName: "crosstrail" }, web);
    const other = "arn:aws:cloudtrail:us-east-1:222222222222:trail/other";
    const before = published;
    published = {
      ...before,
      trails: before.trails.map((each) =>
        each.alias === "payments" ? { ...each, trailArn: other, previousTrailArn: each.trailArn } : each,
      ),
    };
    reading = () => ({
      contract: published,
      archive: asText(
        archiveAfter(published, declare({ ...payments, trailName: "other", previousTrailName: "crosstrail" }, web)),
      ),
      keyStates: { [keyArn]: "Enabled" },
    });
    // Known are the outputs of before.
    const shown = await run(Action.Preview);
    assert.equal(shown.web?.notRun?.startsWith("unchanged"), true);
    assert.equal(typeof shown.payments?.because, "string", "what the audit stack is about to publish counts");
    await run(Action.Up);
    assert.deepEqual(
      worked().map(([name, unchanged]) => [name, unchanged]),
      [
        ["audit", false],
        ["payments", false],
        ["web", true],
      ],
    );
  });

  it("leaves nothing out where the backend cannot be read", async () => {
    const stacks = await run(Action.Preview, { env: { ...env, PULUMI_BACKEND_URL: "azblob://state" } });
    assert.deepEqual(
      Object.values(stacks).map(({ because }) => because),
      Array(3).fill("backends of this kind are not read"),
    );
  });
});
