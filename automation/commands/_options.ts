/** Options that several commands share, so that one thing has one name. */
import { Option, type Command } from "commander";
import { ExitCode, ExitError } from "../output";
import { auditStackFile } from "../stackFile";

/** Where a command finds the audit stack's configuration. */
export interface AuditFileOptions {
  /** The audit stack's name. Default: audit. */
  stack?: string;
  /** The project folder. Default: the current folder. */
  cwd?: string;
  /** The file itself, instead of both. */
  config?: string;
}

/** For commands that read the audit stack's configuration without deploying anything. */
export function defineAuditFile(command: Command): Command {
  return command
    .option("--stack <name>", "the audit stack (default: audit)")
    .option("--cwd <folder>", "the project folder (default: the current folder)")
    .option("--config <file>", "the audit stack's configuration file, instead of --stack and --cwd");
}

/** The file that the options name. @throws ExitError when they contradict each other. */
export function auditFileOf({ stack, cwd, config }: AuditFileOptions, env: NodeJS.ProcessEnv): string {
  if (config === undefined) return auditStackFile(cwd ?? env.PULUMI_OPTION_CWD ?? ".", stack);
  const also = [...(stack === undefined ? [] : ["--stack"]), ...(cwd === undefined ? [] : ["--cwd"])];
  if (also.length === 0) return config;
  throw new ExitError(
    ExitCode.Usage,
    `--config names the file itself, so ${also.join(" and ")} cannot be given as well.\n  → Remove --config, or remove ${also.join(" and ")}.`,
  );
}

/** An option's earlier name: still accepted, but not shown. Its value is stored under the new name. */
export function formerly(command: Command, flags: string, attribute: string): Command {
  const option = new Option(flags).hideHelp();
  option.attributeName = () => attribute;
  return command.addOption(option);
}

/** Whether the options name a file at all. */
export function namesAuditFile({ stack, cwd, config }: AuditFileOptions): boolean {
  return stack !== undefined || cwd !== undefined || config !== undefined;
}
