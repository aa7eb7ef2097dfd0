import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import fs, { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CommandError,
  endMarked,
  endUnguarded,
  findMarked,
  isBeingEnded,
  MARK,
  run,
  start,
  stopAll,
} from "../../../automation/process";

const LIMIT = 30_000;
const node = process.execPath;

/** A program that starts another one in a process group of its own, as Pulumi's engine does with its plugins. */
const engineWithPlugin = `
  const { spawn } = require("node:child_process");
  const plugin = spawn(process.execPath, ["-e", "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)"],
    { detached: true, stdio: "inherit" });
  console.log("plugin " + plugin.pid);
  setInterval(() => {}, 1000);
`;

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  if (process.platform !== "linux") return true;
  try {
    return !/^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}

async function gone(pid: number): Promise<void> {
  while (alive(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe("external processes", () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), "crosstrail-process-"))));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("gives back exit code and output", async () => {
    const result = await run(node, ["-e", "console.log('out'); console.error('err'); process.exitCode = 3"], {
      timeoutMs: LIMIT,
    });
    assert.deepEqual(result, {
      code: 3,
      signal: null,
      stdout: "out\n",
      stderr: "err\n",
      timedOut: false,
      stopped: false,
      left: [],
    });
  });

  it("knows the process of a run that was killed while its guard still ends it, and no other", async function () {
    if (process.platform !== "linux") return this.skip();
    // A run of its own, with a command that takes its time to end.
    const command =
      "process.on('SIGTERM', () => {}); process.on('SIGINT', () => {}); console.log('pid ' + process.pid); setInterval(() => {}, 1000)";
    const program = `
      require("ts-node").register({ transpileOnly: true, swc: true });
      const { start } = require(${JSON.stringify(join(__dirname, "..", "..", "..", "automation", "process"))});
      start(process.execPath, ["-e", ${JSON.stringify(command)}], { timeoutMs: 30000, graceMs: 2000, onLine: console.log });
    `;
    const child = spawn(node, ["-e", program], {
      cwd: join(__dirname, "../../.."),
      stdio: ["ignore", "pipe", "inherit"],
    });
    const pid = await new Promise<number>((resolve) =>
      child.stdout.on("data", (chunk: Buffer) => resolve(Number(/pid (\d+)/.exec(chunk.toString())?.[1]))),
    );
    assert.equal(isBeingEnded(pid), false, "its run lives");
    assert.equal(isBeingEnded(process.pid), false, "nobody guards it");
    const closed = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await closed;
    assert.equal(isBeingEnded(pid), true);
    await gone(pid);
    assert.equal(isBeingEnded(pid), false, "it is gone");
  });

  it("names the signal that ended a command", async () => {
    const result = await run(node, ["-e", "process.kill(process.pid, 'SIGKILL')"], { timeoutMs: LIMIT });
    assert.deepEqual([result.code, result.signal, result.timedOut], [null, "SIGKILL", false]);
  });

  it("splits output into lines, whatever the chunks", async () => {
    const lines: string[] = [];
    const program = `
      const bytes = Buffer.from("eins\\nzwei \\u00fc\\r\\ndrei");
      (async () => { for (const b of bytes) { process.stdout.write(Buffer.from([b])); await new Promise(setImmediate); } })();
    `;
    await run(node, ["-e", program], { timeoutMs: LIMIT, onLine: (line, stream) => lines.push(`${stream} ${line}`) });
    assert.deepEqual(lines, ["stdout eins", "stdout zwei ü", "stdout drei"]);
  });

  it("passes all of a large output", async () => {
    const result = await run(node, ["-e", "process.stdout.write('x'.repeat(5e6) + 'end')"], { timeoutMs: LIMIT });
    assert.equal(result.stdout.length, 5e6 + 3);
    assert.ok(result.stdout.endsWith("xend"));
  });

  it("gives input, working folder, environment, and writes the log", async () => {
    const logFile = join(folder, "log");
    const program =
      "process.stdin.on('data', d => console.log(String(d), process.cwd(), Object.keys(process.env).sort().join()))";
    const result = await run(node, ["-e", program], {
      timeoutMs: LIMIT,
      input: "hello",
      cwd: folder,
      env: { ONLY: "this" },
      logFile,
    });
    assert.match(result.stdout, /^hello \S+ CROSSTRAIL_RUN_ID,ONLY\n$/);
    assert.equal(readFileSync(logFile, "utf8"), result.stdout);
  });

  it("gives no stdin, so nothing waits for an answer", async () => {
    const result = await run(node, ["-e", "process.stdin.resume().on('end', () => console.log('end'))"], {
      timeoutMs: LIMIT,
    });
    assert.equal(result.stdout, "end\n");
  });

  it("says that there is no such program", async () => {
    await assert.rejects(run("crosstrail-no-such-program", [], { timeoutMs: LIMIT }), (error) => {
      assert.ok(error instanceof CommandError);
      assert.equal(error.code, "ENOENT");
      return true;
    });
  });

  it("ends the whole tree at the time limit, also what left the process group and ignores SIGTERM", async () => {
    let plugin = 0;
    const running = start(node, ["-e", engineWithPlugin], {
      timeoutMs: 700,
      graceMs: 200,
      onLine: (line) => (plugin = Number(line.split(" ")[1])),
    });
    const result = await running.result;
    assert.equal(result.timedOut, true);
    assert.equal(result.code, null);
    assert.ok(plugin > 0);
    assert.equal(alive(plugin), false);
    assert.deepEqual(findMarked(running.id), []);
  });

  it("ends what a command leaves behind when it ends by itself", async () => {
    const program = engineWithPlugin.replace(
      "setInterval(() => {}, 1000);\n",
      "plugin.unref(); setTimeout(process.exit, 300)",
    );
    const result = await run(node, ["-e", program.replace(/setInterval\(\(\) => \{\}, 1000\);\s*$/, "")], {
      timeoutMs: LIMIT,
      // The plugin ignores the first signal, whatever time it is given.
      graceMs: 300,
    });
    assert.equal(result.code, 0);
    assert.equal(alive(Number(result.stdout.split(" ")[1])), false);
  });

  it("stops on request, with the command's own signal first", async () => {
    const program =
      "process.on('SIGINT', () => { console.log('tidy'); process.exit(7) }); console.log('up'); setInterval(() => {}, 1e3)";
    let up!: () => void;
    const isUp = new Promise<void>((resolve) => (up = resolve));
    const controller = new AbortController();
    const running = start(node, ["-e", program], {
      timeoutMs: LIMIT,
      stopSignal: "SIGINT",
      signal: controller.signal,
      onLine: () => up(),
    });
    await isUp;
    controller.abort();
    const result = await running.result;
    assert.deepEqual([result.code, result.stdout, result.stopped], [7, "up\ntidy\n", true]);
    assert.throws(() => start(node, [], { timeoutMs: LIMIT, signal: controller.signal }), { name: "AbortError" });
  });

  it("stops everything at once", async () => {
    const several = [1, 2].map(() => start(node, ["-e", "setInterval(() => {}, 1000)"], { timeoutMs: LIMIT }));
    await Promise.all(several.map((each) => each.started));
    await stopAll();
    for (const each of several) assert.equal((await each.result).stopped, true);
  });

  it("leaves nothing when this process is killed", async () => {
    const pids = await startInParent("setInterval(() => {}, 1000)");
    process.kill(pids.parent, "SIGKILL");
    await Promise.all([gone(pids.command), gone(pids.plugin), gone(pids.guard)]);
  });

  it("leaves nothing when the guard itself is killed", async () => {
    const pids = await startInParent("running.result.then(() => process.exit(0))");
    process.kill(pids.guard, "SIGKILL");
    await Promise.all([gone(pids.command), gone(pids.plugin), gone(pids.parent)]);
  });

  // Elsewhere a process's environment cannot be read so that this could be told.
  const itOnLinux = process.platform === "linux" ? it : () => undefined;
  itOnLinux(
    "what runs on because its guards were killed, too, is found and ended; what is guarded is not",
    async () => {
      const running = start(node, ["-e", "setInterval(() => {}, 1000)"], { timeoutMs: LIMIT });
      const guarded = await running.started;
      const pids = await startInParent("setInterval(() => {}, 1000)");
      // Halted, so that it does not notice the end of its parent.
      process.kill(pids.guard, "SIGSTOP");
      process.kill(pids.parent, "SIGKILL");
      process.kill(pids.guard, "SIGKILL");
      await Promise.all([gone(pids.parent), gone(pids.guard)]);
      assert.deepEqual([alive(pids.command), alive(pids.plugin)], [true, true]);
      assert.ok((await endUnguarded()) >= 2);
      assert.deepEqual([alive(pids.command), alive(pids.plugin), alive(guarded)], [false, false, true]);
      await running.stop();
    },
  );

  it("leaves a released command running, to be ended by its guard's id", async () => {
    const pids = await startInParent("running.release()", { releasable: true });
    await gone(pids.parent);
    assert.equal(alive(pids.command), true);
    assert.equal(alive(pids.plugin), true);
    process.kill(pids.guard, "SIGTERM");
    await Promise.all([gone(pids.command), gone(pids.plugin), gone(pids.guard)]);
  });

  for (const [where, isNpm, wanted] of [
    ["under npm, which hands on what the terminal has sent already, one Ctrl-C is one", true, "1 Ctrl-C, 2 SIGTERM"],
    ["elsewhere each Ctrl-C counts", false, "1 Ctrl-C, 2 Ctrl-C, 3 SIGTERM"],
  ] as const) {
    it(where, async () => {
      const program = `
        require("ts-node").register({ transpileOnly: true });
        const { onTermination } = require("./automation/process/termination");
        performance.now = () => 0;
        process.on("SIGINT", () => console.log("got"));
        onTermination(({ reason }, count) => console.log(count + " " + reason));
        setInterval(() => {}, 1000);
        console.log("up");
      `;
      const env = { ...process.env, npm_lifecycle_event: isNpm ? "crosstrail" : undefined };
      const running = start(node, ["-e", program], {
        timeoutMs: LIMIT,
        graceMs: 200,
        cwd: join(__dirname, "../../.."),
        env,
        onLine: (line) => said.push(line),
      });
      const said: string[] = [];
      const says = async (line: string, times: number) => {
        while (said.filter((each) => each.endsWith(line)).length < times)
          await new Promise((done) => setTimeout(done, 20));
      };
      const pid = await running.started;
      await says("up", 1);
      process.kill(pid, "SIGINT");
      await says("got", 1);
      process.kill(pid, "SIGINT");
      await says("got", 2);
      process.kill(pid, "SIGTERM");
      await says("SIGTERM", 1);
      await running.stop("SIGKILL");
      assert.equal(said.filter((line) => /^\d/.test(line)).join(", "), wanted);
    });
  }

  describe("a search for what is marked", function () {
    if (process.platform !== "linux") return;
    const marks: string[] = [];
    const saved = { readdirSync: fs.readdirSync, readFileSync: fs.readFileSync, now: Date.now };
    afterEach(() => {
      Object.assign(fs, { readdirSync: saved.readdirSync, readFileSync: saved.readFileSync });
      Date.now = saved.now;
      return Promise.all(marks.splice(0).map((mark) => endMarked(mark, { graceMs: 0 })));
    });

    /** A process with the mark that has said that it is there. */
    const begin = async (mark: string, program: string) => {
      const child = spawn(node, ["-e", program], {
        env: { ...process.env, [MARK]: mark },
        stdio: ["ignore", "pipe", "inherit"],
      });
      marks.push(mark);
      await new Promise((resolve) => child.stdout.once("data", resolve));
      return child.pid as number;
    };
    const patient = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('up')";

    it("waits for one that is in the middle of an exec, whose environment the kernel does not show yet", async () => {
      const mark = randomUUID();
      const pid = await begin(mark, patient);
      let reads = 0;
      const { readFileSync: read } = saved;
      Object.assign(fs, {
        readFileSync: (file: string, encoding: "latin1") => {
          const text = read(file, encoding);
          if (file === `/proc/${pid}/environ` && ++reads <= 3) return "";
          if (file !== `/proc/${pid}/stat` || reads >= 3) return text;
          const end = text.lastIndexOf(")") + 2;
          const fields = text.slice(end).split(" ");
          // env_start and env_end, as proc_pid_stat(5) counts them: the 50th and the 51st field.
          fields[47] = fields[48] = "0";
          return text.slice(0, end) + fields.join(" ");
        },
      });
      assert.deepEqual(await endMarked(mark, { graceMs: 0 }), []);
      assert.ok(reads > 3);
      await gone(pid);
    });

    it("looks again: one may be started during the search by another that then ends", async () => {
      const mark = randomUUID();
      // It starts the patient one when it is told to, and ends.
      const parent = await begin(
        mark,
        `process.on("SIGUSR2", () => {
           const child = require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(patient)}],
             { detached: true, stdio: ["ignore", "pipe", "ignore"] });
           child.stdout.once("data", () => { require("fs").writeFileSync(${JSON.stringify(join(folder, mark))}, String(child.pid)); process.exit(); });
         }); setInterval(() => {}, 1000); console.log("up")`,
      );
      const { readdirSync: list } = saved;
      let child: number | undefined;
      Object.assign(fs, {
        readdirSync: (where: string) => {
          const names = list(where);
          if (where !== "/proc" || child !== undefined) return names;
          process.kill(parent, "SIGUSR2");
          const file = join(folder, mark);
          const halt = new Int32Array(new SharedArrayBuffer(4));
          while (!fs.existsSync(file) || alive(parent)) Atomics.wait(halt, 0, 0, 10);
          child = Number(readFileSync(file, "utf8"));
          return names;
        },
      });
      assert.deepEqual(await endMarked(mark, { graceMs: 0 }), []);
      assert.ok(child);
      await gone(child);
    });

    it("kills what does not end when it is told to, also when the machine was halted meanwhile", async () => {
      const mark = randomUUID();
      const pid = await begin(mark, patient);
      let calls = 0;
      // The clock on the wall goes on while a machine sleeps.
      Date.now = () => saved.now() + 3_600_000 * calls++;
      assert.deepEqual(await endMarked(mark, { graceMs: 200 }), []);
      await gone(pid);
    });
  });

  async function startInParent(then: string, options = {}) {
    const program = `
      require("ts-node").register({ transpileOnly: true });
      const { start } = require("./automation/process");
      const running = start(process.execPath, ["-e", ${JSON.stringify(engineWithPlugin)}], {
        timeoutMs: ${LIMIT}, graceMs: 200, ...${JSON.stringify(options)},
        onLine: async (line) => {
          const plugin = Number(line.split(" ")[1]);
          const command = await running.started;
          console.log(JSON.stringify({ parent: process.pid, guard: running.guardPid, command, plugin }));
          ${then}
        },
      });
    `;
    const parent = spawn(node, ["-e", program], {
      cwd: join(__dirname, "../../.."),
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [chunk] = (await new Promise((resolve) => parent.stdout.once("data", (data) => resolve([data])))) as [Buffer];
    return JSON.parse(chunk.toString()) as Record<"parent" | "guard" | "command" | "plugin", number>;
  }
});
