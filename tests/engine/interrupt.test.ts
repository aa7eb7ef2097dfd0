/**
 * The command-line tool is really interrupted: Ctrl-C in a terminal, signals as a CI sends them, kill -9. Then a rerun
 * finishes the work.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { KMSClient, ListKeysCommand } from "@aws-sdk/client-kms";
import { stringify } from "yaml";
import * as crosstrail from "../../automation";
import { Backend } from "../../automation/fleet/backend";
import { endMarked, findMarked, MARK } from "../../automation/process";
import type { UserError } from "../../core/findings";
import { ROOT, type Sandbox } from "../../sandbox";
import { AUDIT_ACCOUNT, auditConfig } from "../../sandbox/accounts";
import { type Call, type Fault, type Faults, faultsBefore } from "../support/faults";
import { inSteps, MINUTE, sandbox } from "./support";

const PAYMENTS = { accountId: "222222222222", alias: "payments" };
const WEB = { accountId: "333333333333", alias: "web" };

const READERS = [{ name: "AuditorReadRole", trustedAccounts: ["444444444444"] }];

/** A message in one line, however the terminal has wrapped it. */
const unwrapped = (text: string) => text.replace(/\s+/g, " ");

/** A run of the command-line tool in a process of its own. */
interface Run {
  process: ChildProcess;
  mark: string;
  /** All that it has written so far. */
  text: () => string;
  /** Resolves once it has written this. */
  says(text: string): Promise<void>;
  /** How it ended; a signal counts as no exit code. */
  end: Promise<{ code: number | null; text: string }>;
}

describe("engine: interrupted runs, and what stands in a run's way", function () {
  this.timeout(3 * MINUTE);
  inSteps(this);
  let box: Sandbox;
  let faults: Faults;
  let env: NodeJS.ProcessEnv;
  const runs: Run[] = [];

  before(async () => {
    box = await sandbox();
    faults = await faultsBefore(box.endpoint);
    env = { ...box.env, AWS_ENDPOINT_URL: faults.endpoint, TERM: "xterm" };
    // A person's terminal, also where these tests run in a CI.
    delete env.NO_COLOR;
    delete env.CI;
    declare();
  });
  after(async () => {
    await Promise.all(runs.map(({ mark }) => endMarked(mark, { graceMs: 0 })));
    await faults?.close();
    await box?.stop();
  });

  const declare = (more: Record<string, unknown> = {}) => {
    const file = path.join(box.projectFolder, "Pulumi.audit.yaml");
    const salt = fs.existsSync(file) ? /^encryptionsalt:.*$/m.exec(fs.readFileSync(file, "utf8"))?.[0] : undefined;
    const config = {
      ...auditConfig(),
      "crosstrail:deployRole": "arn:{partition}:iam::{accountId}:role/CrosstrailDeploy",
      "crosstrail:members": [PAYMENTS, WEB],
      ...more,
    };
    fs.writeFileSync(file, `${stringify({ config })}${salt ?? ""}\n`);
  };

  const begin = (
    args: string[],
    { inTerminal = true, more = {} }: { inTerminal?: boolean; more?: object } = {},
  ): Run => {
    const mark = `interrupted-${randomUUID()}`;
    const command = [process.execPath, path.join(ROOT, "bin", "crosstrail.js"), ...args];
    const helper = ["python3", path.join(ROOT, "tests", "support", "terminal.py")];
    const [program, ...rest] = inTerminal ? [...helper, ...command] : command;
    const child = spawn(program as string, rest, {
      cwd: box.projectFolder,
      env: { ...env, ...more, [MARK]: mark },
      stdio: ["pipe", "pipe", "pipe"],
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdin.on("error", () => {});
    const text = () => stdout + (inTerminal ? "" : stderr);
    const end = new Promise<{ code: number | null; text: string }>((resolve) => {
      child.once("close", (code) => {
        if (!inTerminal) return resolve({ code, text: text() });
        const report = JSON.parse(stderr.trim().split("\n").at(-1) ?? "") as { code: number | null; restored: boolean };
        assert.ok(report.restored, "the terminal's settings are as before");
        // Hidden and shown again, and no color is left on.
        const cursor = stdout.match(/\x1b\[\?25[lh]/g)?.at(-1);
        assert.notEqual(cursor, "\x1b[?25l", "the cursor is shown");
        resolve({ code: report.code, text: stdout });
      });
    });
    const ended = () => child.exitCode !== null || child.signalCode !== null;
    const run = {
      process: child,
      mark,
      text,
      end,
      async says(wanted: string) {
        while (!text().includes(wanted)) {
          assert.ok(!ended(), `it ended and never said "${wanted}":\n${text()}\n${stderr}`);
          await sleep(50);
        }
      },
    };
    runs.push(run);
    return run;
  };
  const up = ["up", "--yes"];
  const ctrlC = ({ process: { stdin } }: Run) => void stdin?.write("\x03");

  /** What may not be left of it. */
  const nothingIsLeftOf = async ({ mark }: Run) => {
    assert.deepEqual(findMarked(mark), []);
    assert.deepEqual(locks(), []);
  };
  const locks = () => {
    const folder = path.join(box.folder, "state", ".pulumi", "locks");
    return fs.existsSync(folder)
      ? fs.readdirSync(folder, { recursive: true }).filter((name) => String(name).endsWith(".json"))
      : [];
  };
  /** Resolves when a call arrives that the fault is for. */
  const reached = (fault: Fault, is: (call: Call) => boolean, run?: Run) => {
    const arrived = new Promise<void>((resolve) => {
      faults.decide = (call) => {
        if (!is(call)) return undefined;
        resolve();
        return fault;
      };
    });
    const failed = run?.end.then(({ text }) => assert.fail(`it ended before:\n${text}`));
    return Promise.race([arrived, ...(failed ? [failed] : [])]);
  };
  /** Its guards end what it had started, once it is gone. */
  const isGone = async (run: Run) => {
    for (let tries = 0; findMarked(run.mark).length > 0 && tries < 240; tries++) await sleep(250);
    await nothingIsLeftOf(run);
  };
  const isMutating = ({ operation }: Call) => /^(Create|Put|Start|Enable|Tag|Update|PUT |POST )/.test(operation);

  it("Ctrl-C while it looks what there is: nothing was changed", async () => {
    const folder = path.join(box.folder, "slow-pulumi");
    fs.mkdirSync(folder);
    const asked = path.join(folder, "asked");
    fs.writeFileSync(path.join(folder, "pulumi"), `#!/bin/sh\necho >${asked}\nexec sleep 600\n`, { mode: 0o755 });
    const run = begin(up, { more: { PATH: `${folder}:${env.PATH}` } });
    while (!fs.existsSync(asked)) await sleep(20);
    ctrlC(run);
    const { code, text } = await run.end;
    assert.equal(code, crosstrail.ExitCode.Cancelled, text);
    assert.match(text, /Cancelled\. Nothing was changed\./);
    await nothingIsLeftOf(run);
  });

  it("Ctrl-C at the question is a no", async () => {
    const run = begin(["up"]);
    await run.says("Go ahead?");
    ctrlC(run);
    const { code, text } = await run.end;
    assert.equal(code, crosstrail.ExitCode.Cancelled, text);
    assert.match(text, /Cancelled\. Nothing was changed\./);
    await nothingIsLeftOf(run);
  });

  it("Ctrl-C during a preview", async () => {
    const call = reached("hang", ({ operation }) => operation === "GetCallerIdentity");
    const run = begin(["preview"]);
    await call;
    ctrlC(run);
    const { code, text } = await run.end;
    assert.equal(code, crosstrail.ExitCode.Cancelled, text);
    await nothingIsLeftOf(run);
    faults.clear();
  });

  it("Ctrl-C once: the running call is finished, nothing new begins", async () => {
    const calls: string[] = [];
    const call = reached("hold", ({ operation }) => operation === "CreateKey");
    const run = begin(up);
    await call;
    ctrlC(run);
    await run.says("waiting for the running AWS calls to finish. Press again to stop at once.");
    await sleep(1_000);
    faults.decide = (each) => void (isMutating(each) && calls.push(each.operation));
    faults.release();
    const { code, text } = await run.end;
    assert.equal(code, crosstrail.ExitCode.Cancelled, text);
    await nothingIsLeftOf(run);
    assert.ok(!calls.includes("CreateTrail") && !calls.includes("CreateAlias"), calls.join());
    faults.clear();
  });

  it("Ctrl-C twice: a call that hangs is not waited for", async () => {
    const call = reached("hang after", ({ operation }) => operation === "CreateTrail");
    const run = begin([...up, "--only", "audit"]);
    await call;
    ctrlC(run);
    await run.says("Press again to stop at once.");
    ctrlC(run);
    const { code, text } = await run.end;
    assert.equal(code, crosstrail.ExitCode.Cancelled, text);
    assert.match(text, /Ctrl-C: stopping at once\./);
    assert.match(
      unwrapped(text),
      /In progress, without an answer from AWS: create aws:cloudtrail\/trail:Trail audit-trail\./,
    );
    await nothingIsLeftOf(run);
    faults.clear();
  });

  it("as a CI does it, with SIGINT, SIGTERM and SIGKILL within ten seconds; the trail before is taken over", async () => {
    const call = reached("hang after", ({ operation }) => operation === "CreateTrail");
    const run = begin([...up, "--only", "audit", "payments"], { inTerminal: false });
    await call;
    run.process.kill("SIGINT");
    await Promise.race([sleep(7_500), run.end]);
    run.process.kill("SIGTERM");
    await Promise.race([sleep(2_500), run.end]);
    run.process.kill("SIGKILL");
    const { text } = await run.end;
    assert.match(unwrapped(text), /It created aws:cloudtrail\/trail:Trail audit-trail \(.+\), which was adopted\./);
    assert.match(text, /SIGINT|Ctrl-C/);
    await isGone(run);
    faults.clear();
  });

  it("SIGTERM alone", async () => {
    const call = reached("hang", ({ operation }) => operation === "CreateTrail");
    const run = begin([...up, "--only", "web"], { inTerminal: false });
    await call;
    run.process.kill("SIGTERM");
    const { code, text } = await run.end;
    assert.equal(code, crosstrail.ExitCode.Cancelled, text);
    assert.match(text, /SIGTERM: waiting for the running AWS calls to finish\.$/m);
    await nothingIsLeftOf(run);
    faults.clear();
  });

  it("kill -9 just after a reader's role was created: the next run takes it over, and finishes all", async () => {
    declare({ "crosstrail:readers": READERS });
    const call = reached("hang after", ({ operation }) => operation === "CreateRole");
    const run = begin([...up, "--only", "audit"], { inTerminal: false });
    await call;
    run.process.kill("SIGKILL");
    await run.end;
    await isGone(run);
    faults.clear();

    const warnings: string[] = [];
    const result = await crosstrail.up({
      projectFolder: box.projectFolder,
      env,
      onEvent: (event) => void (event.type === "warning" && warnings.push(event.message)),
    });
    assert.equal(result.status, "succeeded", JSON.stringify(result.stacks.map(({ findings }) => findings)));
    const said = warnings.join("\n");
    assert.match(said, /created aws:iam\/role:Role .+ \(AuditorReadRole\), which was adopted/);
    assert.match(said, /created aws:cloudtrail\/trail:Trail member-trail \(.+:222222222222:.+\), which was adopted/);
    assert.match(said, /started to create aws:cloudtrail\/trail:Trail member-trail, which does not exist in AWS/);
    for (const { stack, trail } of result.stacks) assert.equal(trail?.isLogging, true, stack);
    const kms = new KMSClient(await box.aws(AUDIT_ACCOUNT));
    assert.equal((await kms.send(new ListKeysCommand({}))).Keys?.length, 1, "one key, in spite of all interruptions");
    kms.destroy();
  });

  it("kill -9 at moments of chance, and repeated at once: it waits for what is being ended, and finishes", async () => {
    for (const round of [0, 1]) {
      declare({ "crosstrail:readers": READERS, "crosstrail:tags": { round: String(round) } });
      const run = begin([...up, "--only", "audit"], { inTerminal: false });
      await run.says("audit (");
      const moment = 2_000 + Math.random() * 6_000;
      await sleep(moment);
      run.process.kill("SIGKILL");
      // The lock is held as long as the guard ends what the run had started.
      const again = begin([...up, "--only", "audit"], { inTerminal: false });
      const { code, text } = await again.end;
      assert.equal(code, 0, `killed after ${moment} ms:\n${text}`);
      await isGone(run);
      await nothingIsLeftOf(again);
    }
  });

  describe("what stands in the way", () => {
    const options = () => ({ projectFolder: box.projectFolder, env, only: ["payments"] });

    for (const [whose, host, pid] of [
      ["another machine's process", "elsewhere.example", 4711],
      ["a living process of this machine", os.hostname(), process.pid],
    ] as const) {
      it(`the lock of ${whose} stays, and is named`, async () => {
        const folder = path.join(box.folder, "state", ".pulumi", "locks", "organization", "crosstrail", "payments");
        const file = path.join(folder, `${randomUUID()}.json`);
        fs.mkdirSync(folder, { recursive: true });
        const since = "2026-01-02T03:04:05Z";
        fs.writeFileSync(file, JSON.stringify({ pid, username: "somebody", hostname: host, timestamp: since }));
        const run = begin([...up, "--only", "payments"], { inTerminal: false });
        const { code, text } = await run.end;
        assert.equal(code, crosstrail.ExitCode.Deployment, text);
        assert.ok(text.includes(`somebody@${host} (process ${pid}) has held the stack's lock since ${since}`), text);
        assert.match(text, /If that process no longer exists, run pulumi cancel -s payments$/m);
        assert.deepEqual(
          locks()
            .map(String)
            .map((each) => path.basename(each)),
          [path.basename(file)],
        );
        fs.rmSync(file);
      });
    }

    it("a throttled call is tried again, and forever throttled is a failure that says so", async () => {
      // As Pulumi configures a stack that has a file; the provider gives up soon, where it would try for many minutes.
      const configure = (more: object) =>
        fs.writeFileSync(
          path.join(box.projectFolder, "Pulumi.payments.yaml"),
          stringify({
            config: {
              "aws:region": "us-east-1",
              "aws:maxRetries": 1,
              "aws:allowedAccountIds": [PAYMENTS.accountId],
              "aws:assumeRoles": [{ roleArn: `arn:aws:iam::${PAYMENTS.accountId}:role/CrosstrailDeploy` }],
              "crosstrail:role": "member",
              "crosstrail:accountId": PAYMENTS.accountId,
              "crosstrail:auditStack": "audit",
              ...more,
            },
          }),
        );
      const throttle = { status: 400, type: "ThrottlingException", message: "Rate exceeded" };
      let [refused, most] = [0, 1];
      faults.decide = ({ operation }) =>
        operation === "PutEventSelectors" && refused < most ? (refused++, throttle) : undefined;
      configure({ "crosstrail:readWriteType": "WriteOnly" });
      const events: crosstrail.FleetEvent[] = [];
      const onEvent = (event: crosstrail.FleetEvent) => void events.push(event);
      const result = await crosstrail.up({ ...options(), onEvent });
      assert.equal(result.status, "succeeded", JSON.stringify(result.stacks[0]?.findings));
      assert.equal(refused, most);
      const retries = events.flatMap((event) => (event.type === "retrying" ? [event.reason] : []));
      assert.ok(retries.length > 0, "it says so");
      assert.deepEqual([...new Set(retries)], ["AWS is throttling the calls"]);

      most = Infinity;
      configure({ "crosstrail:readWriteType": "ReadOnly" });
      const [stack] = (await crosstrail.up(options())).stacks;
      assert.equal(stack?.findings[0]?.id, "aws/throttled", JSON.stringify(stack?.findings));
      assert.equal(stack.exitCode, crosstrail.ExitCode.Deployment);
      assert.ok(stack.attempts > 1);
      assert.deepEqual(locks(), []);
      faults.clear();
    });

    it("a trail that cannot be read back: no longer than the stack has time, and not after Ctrl-C", async () => {
      const first = reached("hang", ({ operation }) => operation === "GetTrailStatus");
      const [late] = (await crosstrail.status({ ...options(), timeoutSeconds: 5 })).stacks;
      await first;
      assert.equal(late?.findings[0]?.id, "stack/timed-out", JSON.stringify(late));
      assert.equal(late.exitCode, crosstrail.ExitCode.Timeout);

      const again = reached("hang", ({ operation }) => operation === "GetTrailStatus");
      const interrupt = new AbortController();
      const running = crosstrail.status({ ...options(), signal: interrupt.signal });
      await again;
      interrupt.abort();
      const [stopped] = (await running).stacks;
      assert.equal(stopped?.findings[0]?.id, "stack/cancelled", JSON.stringify(stopped));
      assert.equal(stopped.exitCode, crosstrail.ExitCode.Cancelled);
      faults.clear();
    });

    it("a backend that is not there, or does not answer", async () => {
      const nowhere = path.join(box.folder, "no-such-state");
      const run = begin(up, { inTerminal: false, more: { PULUMI_BACKEND_URL: `file://${nowhere}` } });
      const { code, text } = await run.end;
      assert.equal(code, crosstrail.ExitCode.Deployment, text);
      assert.match(text, /Pulumi's backend did not answer\. Nothing was changed\./);
      assert.match(text, /PULUMI_BACKEND_URL = file:\/\/.*no-such-state\n +.*no such file or directory/);

      const silent = net.createServer(() => {});
      await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
      const { port } = silent.address() as net.AddressInfo;
      const url = `s3://state?endpoint=127.0.0.1:${port}&disableSSL=true&s3ForcePathStyle=true`;
      const backend = new Backend(box.projectFolder, { ...env, PULUMI_BACKEND_URL: url }, undefined, 5);
      await assert.rejects(backend.stacks(), (error: UserError & { exitCode?: number }) => {
        assert.equal(error.exitCode, crosstrail.ExitCode.Timeout);
        assert.equal(error.findings[0]?.id, "backend/no-answer");
        assert.equal(error.findings[0].subject, `PULUMI_BACKEND_URL = ${url}`);
        return true;
      });
      silent.close();
    });
  });
});
