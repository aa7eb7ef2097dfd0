// Tells when this process should end: by a signal, or because anyone who asked for it is gone.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

export interface Termination {
  /** For people: "Ctrl-C", "SIGTERM", "npm is gone". */
  reason: string;
  /** What a shell would report for it: 128 + the signal's number. */
  exitCode: number;
}

const SIGNALS: Record<string, { reason: string; exitCode: number }> = {
  SIGINT: { reason: "Ctrl-C", exitCode: 130 },
  SIGTERM: { reason: "SIGTERM", exitCode: 143 },
  SIGHUP: { reason: "the terminal was closed", exitCode: 129 },
};

/**
 * Calls `handler` for every request to end; the second argument counts them, as a second Ctrl-C means "now". Returns a
 * function that takes the handlers away again.
 *
 * npm starts scripts through a shell. When npm is killed neither npm nor the shell passes that on, and this process
 * would continue unseen; so under npm the loss of one of the two counts as a request.
 */
export function onTermination(handler: (termination: Termination, count: number) => void): () => void {
  let count = 0;
  let last: { signal: string; at: number } | undefined;
  const listeners = Object.entries(SIGNALS).map(([signal, termination]) => {
    const listener = () => {
      // npm hands on to its child what the terminal has sent to both.
      const isEcho = isUnderNpm() && last?.signal === signal && performance.now() - last.at < 500;
      last = { signal, at: performance.now() };
      if (!isEcho) handler(termination, ++count);
    };
    process.on(signal, listener);
    return [signal, listener] as const;
  });
  const stopWatching = watchParents((reason) => handler({ reason, exitCode: 143 }, ++count));
  return () => {
    stopWatching();
    for (const [signal, listener] of listeners) process.removeListener(signal, listener);
  };
}

function isUnderNpm(): boolean {
  return process.env.npm_lifecycle_event !== undefined;
}

function watchParents(onLost: (reason: string) => void): () => void {
  // Outside of npm a lost parent may be meant: `nohup node ... &`.
  if (!isUnderNpm()) return () => {};
  const parent = process.ppid;
  const shell = describe(parent);
  // npm itself is the parent where the shell replaces itself by the command.
  const grandparent = shell && /^-?(sh|dash|bash|zsh|ash|busybox)$/.test(shell.name) ? describe(shell.ppid) : undefined;
  const timer = setInterval(() => {
    const lost =
      process.ppid !== parent ||
      (grandparent !== undefined && describe(grandparent.pid)?.started !== grandparent.started);
    if (!lost) return;
    clearInterval(timer);
    onLost("npm, the parent process, has exited");
  }, 500);
  timer.unref();
  return () => clearInterval(timer);
}

interface Described {
  pid: number;
  ppid: number;
  name: string;
  /** Tells a process from a later one with the same id. */
  started: string;
}

function describe(pid: number): Described | undefined {
  try {
    if (process.platform === "linux") {
      const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
      const end = stat.lastIndexOf(")");
      const fields = stat.slice(end + 2).split(" ");
      if (fields[0] === "Z" || fields[0] === "X") return undefined;
      const name = stat.slice(stat.indexOf("(") + 1, end);
      return { pid, ppid: Number(fields[1]), name, started: fields[19] ?? "" };
    }
    const text = execFileSync("ps", ["-o", "ppid=,lstart=,comm=", "-p", String(pid)], {
      encoding: "utf8",
      timeout: 5_000,
      stdio: ["ignore", "pipe", "ignore"],
    });
    const match = /^[ \t]*(\d+)\s+(\S{1,20}\s+\S{1,20}\s+\d{1,20}\s+[\d:]{1,20}\s+\d{1,20})\s+(.*)/m.exec(text);
    if (!match) return undefined;
    return { pid, ppid: Number(match[1]), started: match[2] ?? "", name: (match[3] ?? "").split("/").pop() ?? "" };
  } catch {
    return undefined;
  }
}
