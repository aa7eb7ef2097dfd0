// What every part of the sandbox gets: where to show progress, and the signal that ends the work.

import { type ProcessOptions, type ProcessResult, run } from "../automation/process";
import { userError } from "./errors";
import { elapsed, type Progress } from "./progress";

export interface Context {
  progress: Progress;
  /** Aborted, with a Stopped as its reason, when the user or the system asks to end. */
  signal: AbortSignal;
}

export type ExecuteOptions = Omit<ProcessOptions, "signal"> & {
  /** What the command is for, in error messages: "the build of the engine". */
  what: string;
};

/** Runs a command that must succeed; otherwise the error shows the end of its output. */
export async function execute(
  context: Pick<Context, "signal">,
  command: string,
  args: string[],
  { what, ...options }: ExecuteOptions,
): Promise<ProcessResult> {
  const result = await run(command, args, { ...options, signal: context.signal });
  context.signal.throwIfAborted();
  if (result.code === 0) return result;
  const end = result.timedOut
    ? `did not end within ${elapsed(options.timeoutMs)}`
    : `failed with ${result.signal ?? `exit code ${result.code}`}`;
  const tail = (result.stderr.trim() || result.stdout.trim()).split("\n").slice(-12);
  throw userError(
    [`${what} ${end}:`, ...tail.map((line) => `    ${line}`)].join("\n"),
    ...(options.logFile === undefined ? [] : [`All of its output: ${options.logFile}`]),
  );
}
