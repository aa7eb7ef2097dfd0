// The AWS emulator: moto in a Python environment of its own, as a server on the loopback interface.

import fs from "node:fs";
import path from "node:path";
import { CommandError, run, type RunningProcess, start } from "../../automation/process";
import { cached } from "../cache";
import { type Context, execute } from "../context";
import { userError } from "../errors";
import type { Step } from "../progress";

const MINUTE = 60_000;
/** A kept emulator ends by itself then, so that a forgotten one does not run forever. */
export const KEEP_LIMIT_MS = 24 * 60 * MINUTE;

const REQUIREMENTS = path.join(__dirname, "requirements.txt");
const CONSTRAINTS = path.join(__dirname, "constraints.txt");
const PYTHON_HELP =
  "Install Python 3.10 or newer with its venv module (Debian, Ubuntu: python3 and python3-venv) and start again.";

export interface Emulator {
  endpoint: string;
  process: RunningProcess;
}

/** The Python of an environment that has moto. */
export async function installEmulator(context: Context, step: Step): Promise<string> {
  step.title("AWS emulator (moto)");
  const requirements = fs.readFileSync(REQUIREMENTS, "utf8");
  const python = await describePython(context);
  const folder = await cached(context, step, {
    name: "emulator",
    // The environment links to the system's Python, so it belongs to that one.
    key: [requirements, fs.readFileSync(CONSTRAINTS, "utf8"), python],
    build: async (target) => {
      step.note("making a Python environment");
      const env = pythonEnv();
      await execute(context, "python3", ["-m", "venv", target], {
        what: "Making a Python environment (python3 -m venv)",
        timeoutMs: 5 * MINUTE,
        env,
      }).catch((error: unknown) => {
        context.signal.throwIfAborted();
        throw userError(error instanceof Error ? error.message : String(error), PYTHON_HELP);
      });
      const pip = ["-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--progress-bar=off"];
      await execute(context, path.join(target, "bin", "python"), [...pip, "-r", REQUIREMENTS, "-c", CONSTRAINTS], {
        what: "The installation of the emulator (pip install moto)",
        timeoutMs: 15 * MINUTE,
        env,
        onLine: (line) => {
          const got = /^\s*(Collecting|Downloading|Using cached) ([^\s;(]+)/.exec(line);
          if (got) step.note(`pip: ${got[1]?.toLowerCase()} ${got[2]}`);
          else if (line.startsWith("Installing collected packages")) step.note("pip: installing packages");
        },
      });
    },
  });
  const version = /==(\S+)/.exec(requirements)?.[1] ?? "";
  step.title(`AWS emulator (moto ${version})`);
  return path.join(folder, "bin", "python");
}

async function describePython(context: Context): Promise<string> {
  const program = "import sys, sysconfig; print(sys.version, sysconfig.get_platform(), sys.base_prefix, sep='|')";
  const result = await run("python3", ["-c", program], {
    timeoutMs: MINUTE,
    signal: context.signal,
    env: pythonEnv(),
  }).catch((error: unknown) => {
    if (error instanceof CommandError) return undefined;
    throw error;
  });
  context.signal.throwIfAborted();
  if (result?.code !== 0)
    throw userError("The AWS emulator needs Python, and there is no working python3.", PYTHON_HELP);
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(result.stdout) ?? [];
  if (Number(major) !== 3 || Number(minor) < 10) {
    throw userError(`The AWS emulator needs Python 3.10 or newer; python3 is ${major}.${minor}.`, PYTHON_HELP);
  }
  return result.stdout.trim();
}

/** The user's Python settings are for the user's own programs; pip's (an index, a proxy) are wanted. */
export function pythonEnv(): NodeJS.ProcessEnv {
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: "1", PYTHONUNBUFFERED: "1" };
  for (const name of ["PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"]) delete (env as NodeJS.ProcessEnv)[name];
  return env;
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
