/**
 * Twenty members through the command line: order, how many work at a time, throttling, what fails and its repetition;
 * and 200 declared.
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { stringify } from "yaml";
import type { FleetResult } from "../../automation";
import { ExitCode } from "../../automation";
import { run } from "../../automation/process";
import { ROOT, type Sandbox } from "../../sandbox";
import { descendants, processes } from "../../sandbox/bench/processes";
import { AUDIT_ACCOUNT, auditConfig } from "../../sandbox/accounts";
import { type Faults, faultsBefore } from "../support/faults";
import { inSteps, MINUTE, sandbox } from "./support";

const PARALLEL = 4;
const members = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    accountId: String(500000000000 + index),
    alias: `member-${index + 1}`,
  }));
const aliases = (count: number) => members(count).map(({ alias }) => alias);

/** A stack's state as the backend has it. */
interface Checkpoint {
  checkpoint: { latest?: { secrets_providers?: { state: { salt: string } } } };
}

describe("engine: many members", function () {
  this.timeout(6 * MINUTE);
  inSteps(this);
  let box: Sandbox;
  let faults: Faults;

  before(async () => {
    box = await sandbox();
    faults = await faultsBefore(box.endpoint);
    declare(20);
  });
  after(async () => {
    await faults?.close();
    await box?.stop();
  });

  /** Declares the fleet; only the audit stack has a file. */
  const declare = (count: number) =>
    box.configure("audit", {
      ...auditConfig(),
      "crosstrail:deployRole": "arn:{partition}:iam::{accountId}:role/CrosstrailDeploy",
      "crosstrail:members": members(count),
    });

  /** Runs the tool as a user does, and watches what it starts. */
  const crosstrail = async (...args: string[]) => {
    let [engines, megabytes] = [0, 0];
    const before = new Set(descendants().map(({ pid }) => pid));
    const timer = setInterval(() => {
      const now = descendants(process.pid, processes()).filter(({ pid }) => !before.has(pid));
      // Beside the engines of the stacks there are short-lived ones that create a stack or read its state: they count
      // as well.
      const pulumis = now.filter(({ command }) => /(^|\/)pulumi$/.test(command));
      // An engine that starts a plugin is there twice for a moment, until the second one has become the plugin.
      const all = new Set(pulumis.map(({ pid }) => pid));
      engines = Math.max(engines, pulumis.filter(({ ppid }) => !all.has(ppid)).length);
      megabytes = Math.max(megabytes, now.reduce((sum, { kilobytes }) => sum + kilobytes, 0) / 1024);
    }, 100);
    const began = Date.now();
    try {
      const result = await run(
        process.execPath,
        [path.join(ROOT, "bin", "crosstrail.js"), ...args, "--parallel", String(PARALLEL)],
        { env: { ...box.env, AWS_ENDPOINT_URL: faults.endpoint }, timeoutMs: 5 * MINUTE },
      );
      const seconds = ((Date.now() - began) / 1000).toFixed(0);
      console.log(
        `      crosstrail ${args[0]}: ${seconds} s, ${megabytes.toFixed(0)} MiB at most, ${engines} engines at most`,
      );
      return { ...result, engines };
    } finally {
      clearInterval(timer);
    }
  };
  const resultOf = (stdout: string) => (JSON.parse(stdout) as { data: FleetResult }).data;
  /** The calls to the emulator so far, in their order. */
  const calls = () =>
    fs
      .readFileSync(path.join(box.folder, "logs", "calls.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { operation: string; account: string; status: number });

  it("two that fail do not stop the other eighteen, while AWS throttles", async () => {
    // One member's own file is another account's, and one account's role lets nobody in.
    fs.writeFileSync(
      path.join(box.projectFolder, "Pulumi.member-3.yaml"),
      stringify({
        config: {
          "aws:region": "us-east-1",
          "crosstrail:role": "member",
          "crosstrail:accountId": "599999999999",
          "crosstrail:auditStack": "audit",
        },
      }),
    );
    const asked: Record<string, number> = {};
    const throttled: Record<string, number> = {};
    faults.decide = ({ operation, body }) => {
      if (operation === "AssumeRole" && body.includes("500000000006")) {
        return { status: 403, type: "AccessDenied", message: "not authorized to perform: sts:AssumeRole" };
      }
      // The provider makes and starts trails; what reads them back is the AWS SDK. Two of three, as each waits twice as
      // long as the last.
      const most = { CreateTrail: 6, StartLogging: 4, GetTrailStatus: 4 }[operation] ?? 0;
      const nth = (asked[operation] = (asked[operation] ?? 0) + 1);
      if ((throttled[operation] ?? 0) >= most || nth % 3 === 0) return undefined;
      throttled[operation] = (throttled[operation] ?? 0) + 1;
      return { status: 400, type: "ThrottlingException", message: "Rate exceeded" };
    };
    const { code, stdout, stderr, engines } = await crosstrail("up", "--yes");
    assert.deepEqual(throttled, { CreateTrail: 6, StartLogging: 4, GetTrailStatus: 4 }, stdout + stderr);
    // Two failures of different kinds.
    assert.equal(code, ExitCode.Deployment, stdout + stderr);
    assert.match(stdout, /up: 21 stacks, 19 succeeded, 2 failed/);
    assert.match(stdout, /^failed {2}member-3 500000000002\n[^]*?declares member-3 as account 500000000002/m);
    assert.match(stdout, /^failed {2}member-7 500000000006\n[^]*?role\/CrosstrailDeploy could not be assumed/m);
    assert.match(stdout, /To retry only these: crosstrail up --failed\n +or: crosstrail up --only member-3 member-7\n/);
    assert.ok(engines <= PARALLEL, `${engines} engines at the same time`);
    assert.ok(engines > 1, "members work at the same time");
    // The audit stack was over, and its trail read back, before a member's account was entered.
    const all = calls();
    const first = all.findIndex(({ operation }) => operation === "AssumeRole");
    const last = all.findLastIndex(
      ({ operation, account }) =>
        account === AUDIT_ACCOUNT && operation !== "AssumeRole" && operation !== "GetCallerIdentity",
    );
    assert.ok(last >= 0 && last < first, `call ${last} of the audit stack, and call ${first} of a member`);
    assert.equal(all.filter(({ operation, status }) => operation === "CreateTrail" && status === 200).length, 19);
    // Stacks are created while the audit stack is at work, and share its salt all the same.
    const folder = path.join(box.folder, "state", ".pulumi", "stacks", "crosstrail");
    const salts = fs
      .readdirSync(folder)
      .filter((name) => name.endsWith(".json"))
      .map((name) => JSON.parse(fs.readFileSync(path.join(folder, name), "utf8")) as Checkpoint)
      .map(({ checkpoint }) => checkpoint.latest?.secrets_providers?.state.salt);
    assert.equal(salts.length, 20, "no stack for the member whose configuration is wrong");
    assert.equal(new Set(salts).size, 1);
    assert.ok(salts[0]);
  });

  it("--failed repeats those two only", async () => {
    faults.clear();
    fs.rmSync(path.join(box.projectFolder, "Pulumi.member-3.yaml"));
    const { code, stdout, stderr } = await crosstrail("up", "--yes", "--failed", "--json");
    assert.equal(code, 0, stdout + stderr);
    const { stacks } = resultOf(stdout);
    assert.deepEqual(
      stacks.map(({ stack, attempts, trail }) => [stack, attempts, trail?.isLogging]),
      [
        ["member-3", 1, true],
        ["member-7", 1, true],
      ],
    );
  });

  it("then nothing is left to change, in the order of the declaration", async () => {
    const { code, stdout, stderr, engines } = await crosstrail("preview", "--expect-no-changes", "--json");
    assert.equal(code, 0, stdout + stderr);
    const { stacks } = resultOf(stdout);
    assert.deepEqual(
      stacks.map(({ stack }) => stack),
      ["audit", ...aliases(20)],
    );
    for (const { stack, changes } of stacks) assert.deepEqual(changes, {}, stack);
    assert.ok(engines <= PARALLEL, `${engines} engines at the same time`);
  });

  it("with 200 declared, the audit stack and some members are previewed with the policies for all", async () => {
    declare(200);
    const wanted = ["audit", "member-1", "member-20", "member-200"];
    const { code, stdout, stderr } = await crosstrail("preview", "--only", ...wanted, "--json");
    assert.equal(code, 0, stdout + stderr);
    const { stacks } = resultOf(stdout);
    assert.deepEqual(
      stacks.map(({ stack }) => stack),
      wanted,
    );
    const [audit, one, twenty, last] = stacks;
    const policyOf = (type: string) =>
      String(audit?.resources.find((resource) => resource.type === type)?.after?.policy);
    const [bucketPolicy, keyPolicy] = [policyOf("aws:s3/bucketPolicy:BucketPolicy"), policyOf("aws:kms/key:Key")];
    for (const { accountId } of members(200)) {
      assert.ok(bucketPolicy.includes(`AWSLogs/${accountId}/`), `the bucket policy names ${accountId}`);
      assert.ok(keyPolicy.includes(accountId), `the key policy names ${accountId}`);
    }
    assert.ok(Buffer.byteLength(bucketPolicy) <= 20_480, "S3's limit");
    assert.ok(Buffer.byteLength(keyPolicy) <= 32_768, "KMS's limit");
    assert.deepEqual([one?.changes, twenty?.changes], [{}, {}], "what is deployed stays");
    assert.ok(last?.resources.some(({ type, op }) => type === "aws:cloudtrail/trail:Trail" && op === "create"));
  });
});
