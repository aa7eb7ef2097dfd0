/** The command-line tool is really interrupted: Ctrl-C in a terminal, signals as a CI sends them, kill -9. Then a rerun finishes the work. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stringify } from "yaml";
import * as crosstrail from "../../automation";
import { endMarked, findMarked, MARK } from "../../automation/process";
import { ROOT, type Sandbox } from "../../sandbox";
import { auditConfig } from "../../sandbox/fleet";
import { type Call, type Fault, type Faults, faultsBefore } from "../support/faults";
import { MINUTE, sandbox } from "./support";

const PAYMENTS = { accountId: "222222222222", alias: "payments" };
const WEB = { accountId: "333333333333", alias: "web" };

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

describe("engine: interrupted runs", function () {
  this.timeout(3 * MINUTE);
  this.bail(true);
  let box: Sandbox;
  let faults: Faults;
  let env: NodeJS.ProcessEnv;
  const runs: Run[] = [];

  before(async () => {
    box = await sandbox();
    faults = await faultsBefore(box.endpoint);
    env = { ...box.env, AWS_ENDPOINT_URL: faults.endpoint, TERM: "xterm" };
    delete env.NO_COLOR;
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
        // Hidden and shown again, and no colour is left on.
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
    await run.says("finishing the calls to AWS that are running. Press again to end at once.");
    await sleep(1_000);
    faults.decide = (each) => void (isMutating(each) && calls.push(each.operation));
    faults.release();
    const { code, text } = await run.end;
    assert.equal(code, crosstrail.ExitCode.Cancelled, text);
    await nothingIsLeftOf(run);
    assert.ok(!calls.includes("CreateTrail") && !calls.includes("CreateAlias"), calls.join());
    faults.clear();
  });
});
