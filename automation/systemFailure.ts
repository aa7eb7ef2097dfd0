/** Errors of the operating system that are nobody's bug: a program or a file that is not there, or may not be used. */
import { ExitCode, ExitError } from "./output";

const words: Record<string, string> = {
  ENOENT: "There is no such file or folder.",
  ENOTDIR: "A part of the path is not a folder.",
  EISDIR: "It is a folder.",
  EACCES: "It may not be used by this user.",
  EPERM: "It may not be used by this user.",
  EROFS: "The file system can only be read.",
  ENOSPC: "There is no space left.",
  EDQUOT: "There is no space left for this user.",
  EMFILE: "Too many files are open.",
  ELOOP: "Its links lead in a circle.",
  ENAMETOOLONG: "Its name is too long.",
};

/** The error as a message without a stack trace; undefined when it is something else. */
export function systemFailure(error: unknown): ExitError | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, path, name } = error as NodeJS.ErrnoException;
  // A process that could not be started: automation/process has looked why.
  if (name === "CommandError") {
    const { command } = error as Error & { command?: string };
    if (command === "pulumi" && code === "ENOENT") return pulumiMissing();
    return new ExitError(ExitCode.Other, "A program could not be started. Nothing was changed.", [
      {
        id: "system/not-started",
        severity: "error",
        subject: command ?? "program",
        message: `${error.message}.`,
        remedy: "Install it, or correct PATH.",
      },
    ]);
  }
  const why = code === undefined ? undefined : words[code];
  if (why === undefined || path === undefined) return undefined;
  return new ExitError(ExitCode.Other, "A file cannot be used.", [
    {
      id: "file/unreadable",
      severity: "error",
      subject: path,
      message: why,
      remedy: "Correct the path, or what the file system lets this user do; then repeat the command.",
    },
  ]);
}

/** There is no Pulumi CLI. */
export function pulumiMissing(): ExitError {
  return new ExitError(ExitCode.Usage, "There is no Pulumi CLI.", [
    {
      id: "pulumi/missing",
      severity: "error",
      subject: "pulumi",
      message: "There is no such program in PATH.",
      remedy: "https://www.pulumi.com/docs/install/",
    },
  ]);
}
