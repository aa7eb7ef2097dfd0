// @ts-check
"use strict";

/**
 * The guard: a small process between Crosstrail and every external command.
 *
 * It runs in a session of its own, so a Ctrl-C at the terminal reaches Crosstrail alone, which then decides. It ends the
 * command when its time is up, when it is asked to, and when Crosstrail is gone, however Crosstrail died: the IPC channel is
 * the lifeline, and the kernel closes it even after SIGKILL. Whatever the command started is ended with it.
 *
 * Pulumi's plugins run in process groups of their own and move to pid 1 when the engine dies, so neither a process group
 * nor the parent ids find them. What a process inherits and keeps is its environment: every command gets a mark there.
 *
 * Plain JavaScript without dependencies: it runs before anything is installed, and starts in a few milliseconds.
 */

const { spawn, execFileSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");

/** Names the marks in the environment; several, joined by ":", where one guarded command starts another. */
const MARK = "CROSSTRAIL_RUN_ID";

/**
 * @typedef {object} Spec
 * @property {string} id the mark of this command and of all that it starts
 * @property {string} command
 * @property {string[]} args
 * @property {string} [cwd]
 * @property {Record<string, string | undefined>} env complete, with the mark in it
 * @property {number} timeoutMs
 * @property {NodeJS.Signals} stopSignal what asks this command to end in an orderly way
 * @property {number} graceMs how long it may take to do so before it is told again, and then killed
 * @property {"ignore" | "pipe"} stdin "pipe" stays open until the command ends
 * @property {string} [input] written to its stdin, which is then closed
 * @property {string} [logFile] gets all output, also after Crosstrail is gone
 */

/**
 * @typedef {{ type: "run", spec: Spec } | { type: "stop", signal: NodeJS.Signals, graceMs?: number } | { type: "release" } | { type: "write", text: string }} Request
 * @typedef {{ type: "started", pid: number } | { type: "failed", code: string, message: string } | { type: "released" }
 *   | { type: "ended", code: number | null, signal: string | null, timedOut: boolean, left: number[] }} Report
 */

/**
 * The running processes that carry the mark, belong to the session, or descend from `root`, a child of this process.
 * @param {string} id
 * @param {Tree} [tree]
 * @returns {number[]}
 */
function findMarked(id, tree) {
  return scan(id, tree).found;
}

/** @typedef {{ root?: number, session?: number }} Tree */

/**
 * @param {string} id
 * @param {Tree} [tree]
 * @returns {{ found: number[], unknown: number }} `unknown` counts those that do not show yet what they are
 */
function scan(id, tree = {}) {
  const table = process.platform === "linux" ? readProc(id) : readPs(id);
  const found = new Set();
  for (const entry of table) {
    if (entry.marked || (tree.session !== undefined && entry.session === tree.session)) found.add(entry.pid);
    // Its id may be another process's by now.
    if (entry.pid === tree.root && entry.ppid === process.pid) found.add(entry.pid);
  }
  for (let before = -1; before !== found.size;) {
    before = found.size;
    for (const entry of table) if (found.has(entry.ppid)) found.add(entry.pid);
  }
  found.delete(process.pid);
  return {
    found: table.filter((entry) => found.has(entry.pid)).map((entry) => entry.pid),
    unknown: table.filter((entry) => entry.unknown && !found.has(entry.pid)).length,
  };
}

/** @typedef {{ pid: number, ppid: number, session: number, marked: boolean, unknown: boolean }} Entry */

/** Set for the kernel's own threads, which have no environment. */
const PF_KTHREAD = 0x00200000;
/** Where a line of /proc/<pid>/stat says where the environment ends, counted from behind the name. */
const ENV_END = 48;

/** Whether the kernel tells where an environment ends; some that only look like Linux do not. */
let tellsEnvironment = true;

/**
 * @param {string} id
 * @returns {Entry[]}
 */
function readProc(id) {
  /** @type {Entry[]} */
  const table = [];
  for (const name of fs.readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const fields = statOf(name);
      if (fields[0] === "Z" || fields[0] === "X") continue;
      const entry = {
        pid: Number(name),
        ppid: Number(fields[1]),
        session: Number(fields[3]),
        marked: false,
        unknown: false,
      };
      table.push(entry);
      const environment = fs.readFileSync(`/proc/${name}/environ`, "latin1");
      entry.marked = environment.split("\0").some((line) => hasMark(line, id));
      // In the middle of an exec the environment reads empty: the kernel maps the program first, which takes a while when the
      // machine is busy.
      entry.unknown =
        environment === "" && tellsEnvironment && fields[ENV_END] === "0" && (Number(fields[6]) & PF_KTHREAD) === 0;
    } catch {
      // It ended while we read, or it is another user's and not ours.
    }
  }
  return table;
}

/** @param {string} pid the fields of its status from the third one on */
function statOf(pid) {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, "latin1");
  // The command's name is in parentheses and may hold anything, so count the fields from the last one.
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/**
 * @param {string} line
 * @param {string} id
 */
function hasMark(line, id) {
  return line.startsWith(`${MARK}=`) && line.includes(id);
}

/**
 * @param {string} id
 * @returns {Entry[]}
 */
function readPs(id) {
  // macOS shows the environment of the user's own processes behind the command with -E.
  const args = process.platform === "darwin" ? ["-axwwE"] : ["-axww"];
  const text = execFileSync("ps", [...args, "-o", "pid=,ppid=,stat=,command="], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
    timeout: 10_000,
  });
  /** @type {Entry[]} */
  const table = [];
  for (const line of text.split("\n")) {
    const match = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)/.exec(line);
    if (!match || match[3]?.startsWith("Z")) continue;
    const marked = (match[4] ?? "").split(" ").some((word) => hasMark(word, id));
    table.push({ pid: Number(match[1]), ppid: Number(match[2]), session: -1, marked, unknown: false });
  }
  return table;
}

/**
 * @param {number} pid
 * @param {NodeJS.Signals} signal
 */
function send(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch {
    // Already gone.
  }
}

/** @param {number} ms */
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Ends whatever carries the mark and returns what could not be ended (nothing, unless the kernel holds it).
 * @param {string} id
 * @param {Tree & { graceMs?: number }} [options]
 * @returns {Promise<number[]>}
 */
async function endMarked(id, options = {}) {
  const { graceMs = 3_000, ...tree } = options;
  // A clock that stands still while the machine does, so that what was told to end always has its time, and is always killed.
  const killAt = performance.now() + graceMs;
  const giveUpAt = killAt + 10_000;
  const wait = 40;
  /** @type {Set<number>} */
  const told = new Set();
  for (let kills = 0, quiet = 0, unknownFor = 0; ;) {
    // Scan again after each round: a process may have started another one meanwhile.
    const { found, unknown } = scan(id, tree);
    if (found.length === 0) {
      // And again when nothing is found: one that was started during the scan, by one that has ended since, is not in it.
      if (unknown === 0 || unknownFor > 3_000) {
        if (++quiet === 2) return [];
        continue;
      }
      unknownFor += wait;
    } else {
      quiet = 0;
      const kill = performance.now() >= killAt;
      if (kill && performance.now() > giveUpAt && kills > 50) return found;
      if (kill) kills++;
      for (const pid of found) {
        if (kill) send(pid, "SIGKILL");
        else if (!told.has(pid)) send(pid, "SIGTERM");
        told.add(pid);
      }
    }
    await sleep(wait);
  }
}

/**
 * Ends what runs on without any guard, because somebody has killed them all, and returns how many processes there were.
 * Whatever has one that lives is left to it. Only Linux shows the environment of every process in a readable form.
 * @returns {Promise<number>}
 */
async function endUnguarded() {
  if (process.platform !== "linux") return 0;
  const guarded = new Set();
  /** @type {string[][]} */
  const marked = [];
  for (const name of fs.readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const state = statOf(name)[0];
      if (state === "Z" || state === "X") continue;
      const [, program = "", id] = fs.readFileSync(`/proc/${name}/cmdline`, "latin1").split("\0");
      if (id !== undefined && path.basename(program) === path.basename(__filename)) guarded.add(id);
      const line = fs
        .readFileSync(`/proc/${name}/environ`, "latin1")
        .split("\0")
        .find((each) => each.startsWith(`${MARK}=`));
      const ids = line?.slice(MARK.length + 1).split(":") ?? [];
      // A mark of another form does not belong to a guard.
      marked.push(ids.filter((each) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(each)));
    } catch {
      // It ended while we read, or it is another user's and not ours.
    }
  }
  const alone = marked.filter((ids) => ids.length > 0 && !ids.some((id) => guarded.has(id)));
  await Promise.all([...new Set(alone.flat())].map((id) => endMarked(id)));
  return alone.length;
}

/**
 * Whether a process is guarded by a guard whose own parent is gone: it is being ended, because the run that started it was killed.
 * Only Linux shows the environment of every process in a readable form; elsewhere the answer is no.
 * @param {number} pid
 * @returns {boolean}
 */
function isBeingEnded(pid) {
  if (process.platform !== "linux") return false;
  try {
    const line = fs
      .readFileSync(`/proc/${pid}/environ`, "latin1")
      .split("\0")
      .find((each) => each.startsWith(`${MARK}=`));
    const ids = new Set(line?.slice(MARK.length + 1).split(":"));
    if (ids.size === 0) return false;
    for (const name of fs.readdirSync("/proc")) {
      if (!/^\d+$/.test(name)) continue;
      try {
        const [, program = "", id = ""] = fs.readFileSync(`/proc/${name}/cmdline`, "latin1").split("\0");
        if (!ids.has(id) || path.basename(program) !== path.basename(__filename)) continue;
        // A process that adopts orphans is not a Node.js process.
        const parent = statOf(name)[1];
        const [command = ""] = fs.readFileSync(`/proc/${parent}/cmdline`, "latin1").split("\0");
        if (parent === "1" || path.basename(command) !== path.basename(process.execPath)) return true;
      } catch {
        // It ended while we read.
      }
    }
  } catch {
    // It is gone, or another user's.
  }
  return false;
}

function main() {
  /** @type {Spec | undefined} */
  let spec;
  /** @type {import("node:child_process").ChildProcess | undefined} */
  let child;
  let released = false;
  let timedOut = false;
  let exited = false;
  let stops = 0;
  /** @type {Set<number>} */
  let known = new Set();

  /** @param {Report} report */
  const tell = (report) =>
    new Promise((resolve) => {
      if (!process.connected || !process.send) return resolve(undefined);
      process.send(report, () => resolve(undefined));
    });

  /**
   * First asks, then insists (Pulumi's engine takes the second signal as "terminate now"), then kills. A second call skips a step.
   * @param {NodeJS.Signals} signal
   * @param {number} graceMs
   */
  const stop = async (signal, graceMs) => {
    if (!spec) process.exit(1);
    const pid = child?.pid;
    if (pid === undefined || exited) return;
    stops++;
    // Without marks (not Linux, not macOS) a process whose parent dies is found only if we knew it before.
    if (process.platform !== "linux") for (const seen of findMarked(spec.id, { root: pid })) known.add(seen);
    if (signal !== "SIGKILL") {
      const turn = stops;
      send(pid, stops === 1 ? signal : "SIGTERM");
      await until(() => exited || stops > turn, graceMs);
      if (exited || stops > turn) return;
      send(pid, "SIGTERM");
      await until(() => exited || stops > turn, Math.min(graceMs, 5_000));
      if (exited || stops > turn) return;
    }
    await endMarked(spec.id, { root: pid, session: process.pid, graceMs: 0 });
  };

  /** @param {Spec} given */
  const run = (given) => {
    spec = given;
    const log = spec.logFile === undefined ? undefined : fs.openSync(spec.logFile, "a", 0o600);
    child = spawn(spec.command, spec.args, {
      cwd: spec.cwd,
      env: /** @type {NodeJS.ProcessEnv} */ (spec.env),
      stdio: [spec.input === undefined ? spec.stdin : "pipe", "pipe", "pipe"],
    });
    child.on("spawn", () => void tell({ type: "started", pid: child?.pid ?? 0 }));
    child.on("error", (/** @type {NodeJS.ErrnoException} */ error) => {
      if (child?.pid !== undefined) return;
      void tell({ type: "failed", code: error.code ?? "", message: error.message }).then(() => process.exit(127));
    });
    child.stdin?.on("error", () => {});
    if (spec.input !== undefined) child.stdin?.end(spec.input);
    for (const [from, to] of /** @type {const} */ ([
      [child.stdout, process.stdout],
      [child.stderr, process.stderr],
    ])) {
      if (!from) continue;
      if (log !== undefined) from.on("data", (chunk) => fs.writeSync(log, chunk));
      from.pipe(to, { end: false });
      // Nobody reads any more. The command must not notice: a broken pipe would kill it half-way.
      to.on("error", () => {
        from.unpipe(to);
        from.resume();
      });
    }
    const timer = setTimeout(
      () => {
        timedOut = true;
        void stop(given.stopSignal, given.graceMs);
        // More than Node.js can wait would end it at once.
      },
      Math.min(spec.timeoutMs, 2 ** 31 - 1),
    );

    child.on("exit", (code, signal) => {
      exited = true;
      clearTimeout(timer);
      void finish(code, signal);
    });
    const closed = new Promise((resolve) => child?.on("close", resolve));

    /**
     * @param {number | null} code
     * @param {NodeJS.Signals | null} signal
     */
    const finish = async (code, signal) => {
      for (const pid of known) send(pid, "SIGTERM");
      const left = await endMarked(given.id, { session: process.pid, graceMs: Math.min(given.graceMs, 3_000) });
      await Promise.race([closed, sleep(2_000)]);
      if (log !== undefined) fs.closeSync(log);
      await Promise.all([process.stdout, process.stderr].map(flush));
      await tell({ type: "ended", code, signal, timedOut, left });
      process.exit(0);
    };
  };

  process.on("message", (/** @type {Request} */ request) => {
    if (request.type === "run") run(request.spec);
    else if (request.type === "write") child?.stdin?.write(request.text);
    else if (request.type === "stop") void stop(request.signal, request.graceMs ?? spec?.graceMs ?? 5_000);
    else {
      released = true;
      void tell({ type: "released" });
    }
  });
  process.on("disconnect", () => {
    if (!released) void stop(spec?.stopSignal ?? "SIGTERM", spec?.graceMs ?? 5_000);
  });
  for (const signal of /** @type {const} */ (["SIGTERM", "SIGINT", "SIGHUP"])) {
    process.on(signal, () => void stop(spec?.stopSignal ?? "SIGTERM", spec?.graceMs ?? 5_000));
  }
  process.on("uncaughtException", () => {
    if (!spec) process.exit(1);
    void endMarked(spec.id, { session: process.pid, graceMs: 0 }).then(() => process.exit(1));
  });
}

/** @param {NodeJS.WriteStream} stream */
function flush(stream) {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableLength === 0) return resolve(undefined);
    stream.once("drain", resolve);
    stream.once("error", resolve);
    stream.once("close", resolve);
    setTimeout(resolve, 2_000).unref();
  });
}

/**
 * @param {() => boolean} condition
 * @param {number} ms
 */
async function until(condition, ms) {
  for (const end = performance.now() + ms; !condition() && performance.now() < end;) await sleep(25);
}

module.exports = { MARK, findMarked, endMarked, endUnguarded, isBeingEnded };

if (require.main === module) main();
