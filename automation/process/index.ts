// The one way in which Crosstrail starts an external process. Each one has a time limit, is ended by its own id, and
// leaves nothing behind, even when Crosstrail itself is killed: see guard.js, which stands between.

import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { StringDecoder } from "node:string_decoder";
import { endMarked, endUnguarded, findMarked, isBeingEnded, MARK } from "./guard";

export { endMarked, endUnguarded, findMarked, isBeingEnded, MARK };
export { onTermination, type Termination } from "./termination";

/** Whether a process of this machine runs, anyone who's it is. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

export type OutputStream = "stdout" | "stderr";

export interface ProcessOptions {
  /** When the command has not ended by then it is stopped, with all that it started. */
  timeoutMs: number;
  cwd?: string;
  /** The complete environment; default: this process's. */
  env?: NodeJS.ProcessEnv;
  /** Written to the command's stdin. Without it the command gets no stdin at all, so it never waits for an answer. */
  input?: string;
  /** Called with each line of output, without its line end. Must not throw. */
  onLine?: (line: string, stream: OutputStream) => void;
  /** All output is appended to this file, even after this process is gone. */
  logFile?: string;
  /** Stops the command when aborted. Use one controller per operation. */
  signal?: AbortSignal;
  /** What asks the command to end in an orderly way. Default SIGTERM. */
  stopSignal?: NodeJS.Signals;
  /** How long the command may take to end in an orderly way; then it is told again, then killed. Default 5 s. */
  graceMs?: number;
  /** Keeps the command's stdin open for as long as it is guarded, so that it can notice the end of its guard. */
  lifeline?: boolean;
  /** The command may be left running with `release()`. Then it is not part of what an outer guard ends. */
  releasable?: boolean;
}

export interface ProcessResult {
  /** The exit code, or null when a signal ended the command. */
  code: number | null;
  signal: string | null;
  stdout: string;
  stderr: string;
  timedOut: boolean;
  /** It was stopped by `stop()` or by `options.signal`. */
  stopped: boolean;
  /** Processes that could not be ended; empty unless the kernel holds one. */
  left: number[];
}

export interface RunningProcess {
  /** The mark that the command and all its descendants carry in their environment. */
  readonly id: string;
  readonly guardPid: number;
  /** The command's own process id, once it runs. Rejects with CommandError when it cannot be started. */
  readonly started: Promise<number>;
  readonly result: Promise<ProcessResult>;
  /** Ends the command and everything it started; a second call insists. */
  stop(signal?: NodeJS.Signals, graceMs?: number): Promise<ProcessResult>;
  /** Writes to the command's stdin, which must be kept open by `lifeline`. */
  write(text: string): void;
  /** Leaves the command running under its guard when this process ends; its time limit stays. Needs `releasable`. */
  release(): Promise<void>;
}

/** The command could not be started, e.g. because there is no such program. */
export class CommandError extends Error {
  constructor(
    readonly command: string,
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = "CommandError";
  }
}

// Enough for any state file; what exceeds it is progress output, of which the end matters.
const MAX_OUTPUT = 64 * 1024 * 1024;

const running = new Set<RunningProcess>();

/**
 * Runs a command to its end. A failing command is a result, not an error; one that cannot be started is a CommandError.
 */
export function run(command: string, args: string[], options: ProcessOptions): Promise<ProcessResult> {
  return start(command, args, options).result;
}

/** Stops everything that this process has started and not released. */
export async function stopAll(signal?: NodeJS.Signals, graceMs?: number): Promise<void> {
  await Promise.allSettled([...running].map((each) => each.stop(signal, graceMs)));
}

/** Waits for everything that this process has started and not released. */
export async function allEnded(): Promise<void> {
  await Promise.allSettled([...running].map(({ result }) => result));
}

export function start(command: string, args: string[], options: ProcessOptions): RunningProcess {
  options.signal?.throwIfAborted();
  const id = randomUUID();
  // What the environment asks of Node.js is meant for Crosstrail, not for the guard.
  const ownEnv = { ...process.env };
  const outer = ownEnv[MARK];
  delete ownEnv[MARK];
  delete ownEnv.NODE_OPTIONS;
  const marks = options.releasable || !outer ? id : `${outer}:${id}`;
  const guard: ChildProcess = spawn(process.execPath, [join(__dirname, "guard.js"), id], {
    detached: true,
    // The guard is part of what an outer guard ends, unless the command may outlive it.
    env: options.releasable || !outer ? ownEnv : { ...ownEnv, [MARK]: outer },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  // Without a listener a guard that dies at the wrong moment would throw here; its end is handled below.
  guard.on("error", () => {});

  let stopped = false;
  let ended: Omit<ProcessResult, "stdout" | "stderr" | "stopped"> | undefined;
  let failure: CommandError | undefined;
  const output = { stdout: collect("stdout"), stderr: collect("stderr") };

  function collect(name: OutputStream): () => string {
    const decoder = new StringDecoder("utf8");
    let text = "";
    let rest = "";
    const stream = guard[name];
    const take = (piece: string) => {
      text += piece;
      if (text.length > MAX_OUTPUT) text = text.slice(-MAX_OUTPUT / 2);
      if (!options.onLine) return;
      const lines = (rest + piece).split(/\r?\n/);
      rest = lines.pop() ?? "";
      for (const line of lines) options.onLine(line, name);
    };
    stream?.on("data", (chunk: Buffer) => take(decoder.write(chunk)));
    stream?.on("error", () => {});
    stream?.on("end", () => {
      take(decoder.end());
      if (rest !== "") options.onLine?.(rest, name);
      rest = "";
    });
    return () => text;
  }

  let isStarted!: (pid: number) => void;
  let isNotStarted!: (error: Error) => void;
  const started = new Promise<number>((resolve, reject) => {
    isStarted = resolve;
    isNotStarted = reject;
  });
  let isReleased!: () => void;
  const released = new Promise<void>((resolve) => (isReleased = resolve));

  type Report =
    | { type: "started"; pid: number }
    | { type: "failed"; code: string; message: string }
    | { type: "released" }
    | { type: "ended"; code: number | null; signal: string | null; timedOut: boolean; left: number[] };
  guard.on("message", (report: Report) => {
    if (report.type === "started") isStarted(report.pid);
    else if (report.type === "released") isReleased();
    else if (report.type === "failed") failure = new CommandError(command, report.code, notStarted(command, report));
    else ended = report;
  });

  const abort = () => void handle.stop().catch(() => {});
  const result = new Promise<ProcessResult>((resolve, reject) => {
    guard.on("close", () => {
      running.delete(handle);
      options.signal?.removeEventListener("abort", abort);
      void (async () => {
        if (failure) throw failure;
        if (!ended) {
          // Somebody killed the guard itself. What it guarded must not continue without it.
          const left = await endMarked(id, { graceMs: 0 });
          ended = { code: null, signal: "SIGKILL", timedOut: false, left };
        }
        const { code, signal, timedOut, left } = ended;
        return { code, signal, timedOut, left, stopped, stdout: output.stdout(), stderr: output.stderr() };
      })().then(resolve, reject);
    });
  });
  result.catch(() => {});
  started.catch(() => {});
  void result.then(
    () => isNotStarted(new CommandError(command, "ENDED", `${command} exited before it started`)),
    isNotStarted,
  );

  const handle: RunningProcess = {
    id,
    guardPid: guard.pid ?? 0,
    started,
    result,
    stop(signal, graceMs) {
      stopped = true;
      if (guard.connected) guard.send({ type: "stop", signal: signal ?? options.stopSignal ?? "SIGTERM", graceMs });
      return result;
    },
    write(text) {
      if (!options.lifeline) throw new Error(`${command} was not started with a lifeline`);
      if (guard.connected) guard.send({ type: "write", text });
    },
    async release() {
      if (!options.releasable) throw new Error(`${command} was not started as releasable`);
      guard.send({ type: "release" });
      await Promise.race([released, result]);
      running.delete(handle);
      if (guard.connected) guard.disconnect();
      guard.stdout?.destroy();
      guard.stderr?.destroy();
      guard.unref();
    },
  };
  running.add(handle);
  options.signal?.addEventListener("abort", abort, { once: true });
  guard.send({
    type: "run",
    spec: {
      id,
      command,
      args,
      cwd: options.cwd,
      env: { ...(options.env ?? process.env), [MARK]: marks },
      timeoutMs: options.timeoutMs,
      stopSignal: options.stopSignal ?? "SIGTERM",
      graceMs: options.graceMs ?? 5_000,
      stdin: options.lifeline ? "pipe" : "ignore",
      input: options.input,
      logFile: options.logFile,
    },
  });
  return handle;
}

function notStarted(command: string, report: { code: string; message: string }): string {
  if (report.code === "ENOENT") return `${command}: the program or its working folder does not exist`;
  if (report.code === "EACCES") return `${command}: not allowed to run it`;
  return `${command}: ${report.message}`;
}
