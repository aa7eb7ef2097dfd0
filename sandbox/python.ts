// Python environments of the sandbox's own, with packages from PyPI: the AWS emulator and the AWS CLI.

import path from "node:path";
import { CommandError, run } from "../automation/process";
import { cached } from "./cache";
import { type Context, execute } from "./context";
import { userError } from "./errors";
import type { Step } from "./progress";

const MINUTE = 60_000;
const PYTHON_HELP =
  "Install Python 3.10 or newer with its venv module (Debian, Ubuntu: python3 and python3-venv) and start again.";

export interface PythonEnvironment {
  /** Name in the cache. */
  name: string;
  /** What decides what is installed. */
  key: string[];
  /** What pip is told to install. */
  packages: string[];
  /** Names the installation in an error. */
  what: string;
}

/** The Python of an environment in the cache; it is made where it is not there yet. */
export async function pythonEnvironment(context: Context, step: Step, wanted: PythonEnvironment): Promise<string> {
  const folder = await cached(context, step, {
    name: wanted.name,
    // The environment links to the system's Python, so it belongs to that one.
    key: [...wanted.key, await describePython(context)],
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
      await execute(context, path.join(target, "bin", "python"), [...pip, ...wanted.packages], {
        what: wanted.what,
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
