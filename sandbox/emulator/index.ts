// The AWS emulator: moto in a Python environment of its own, as a server on the loopback interface.

import fs from "node:fs";
import path from "node:path";
import { type RunningProcess, start } from "../../automation/process";
import type { Context } from "../context";
import { userError } from "../errors";
import type { Step } from "../progress";
import { pythonEnv, pythonEnvironment } from "../python";

const MINUTE = 60_000;
/** A kept emulator ends by itself then, so that a forgotten one does not run forever. */
export const KEEP_LIMIT_MS = 24 * 60 * MINUTE;

const REQUIREMENTS = path.join(__dirname, "requirements.txt");
const CONSTRAINTS = path.join(__dirname, "constraints.txt");

export interface Emulator {
  endpoint: string;
  process: RunningProcess;
}

/** The Python of an environment that has moto. */
export async function installEmulator(context: Context, step: Step): Promise<string> {
  step.title("AWS emulator (moto)");
  const requirements = fs.readFileSync(REQUIREMENTS, "utf8");
  const python = await pythonEnvironment(context, step, {
    name: "emulator",
    key: [requirements, fs.readFileSync(CONSTRAINTS, "utf8")],
    packages: ["-r", REQUIREMENTS, "-c", CONSTRAINTS],
    what: "The installation of the emulator (pip install moto)",
  });
  const version = /==(\S+)/.exec(requirements)?.[1] ?? "";
  step.title(`AWS emulator (moto ${version})`);
  return python;
}

export interface EmulatorOptions {
  python: string;
  /** The account that `accessKeyId` belongs to; others are accessed by assuming a role there. */
  accountId: string;
  accessKeyId: string;
  /** Gets the access log and the server's own messages. */
  logFolder: string;
  /** It may be left running. */
  keep?: boolean;
}

export async function startEmulator(context: Context, options: EmulatorOptions): Promise<Emulator> {
  const { python, accountId, accessKeyId, logFolder, keep } = options;
  let ready!: (port: number) => void;
  const port = new Promise<number>((resolve) => (ready = resolve));
  const args = [path.join(__dirname, "server.py"), "--account", accountId, "--access-key", accessKeyId];
  const log = ["--access-log", path.join(logFolder, "emulator-access.log")];
  // A sandbox that ends with its run is to be the same however long that takes: logs arrive when its clock is moved.
  const time = keep ? ["--real-time"] : [];
  const server = start(python, [...args, ...log, ...time, "--node", process.execPath], {
    timeoutMs: KEEP_LIMIT_MS,
    graceMs: 2_000,
    lifeline: true,
    releasable: keep,
    // Whatever AWS settings the user has are not for this.
    env: Object.fromEntries(Object.entries(pythonEnv()).filter(([name]) => !/^(AWS|MOTO)_/.test(name))),
    logFile: path.join(logFolder, "emulator.log"),
    signal: context.signal,
    onLine: (line, stream) => {
      if (stream === "stdout" && line.startsWith("{")) ready((JSON.parse(line) as { port: number }).port);
    },
  });
  const limit = setTimeout(() => void server.stop(), 2 * MINUTE);
  const first = await Promise.race([port, server.result]);
  clearTimeout(limit);
  context.signal.throwIfAborted();
  if (typeof first !== "number") {
    const tail = first.stderr.trim().split("\n").slice(-5).join("\n    ");
    throw userError(
      `The AWS emulator did not start:\n    ${tail}`,
      `All of its output: ${path.join(logFolder, "emulator.log")}`,
    );
  }
  return { endpoint: `http://127.0.0.1:${first}`, process: server };
}
