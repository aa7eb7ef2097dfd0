/** `crosstrail summary`: one result from those of several machines. */
import { readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import type { Command } from "commander";
import { Argument } from "commander";
import pc from "picocolors";
import { mergeParts } from "../fleet/merge";
import type { Outcome, Surroundings } from "../output";
import { ExitCode, ExitError, printable } from "../output";
import { readText } from "../stackFile";
import { exitCodeOf, textOf } from "./_fleet";
import { checkReport, defineReport, printReport, type ReportOptions } from "./preview";

export const examples = [
  "crosstrail summary shard-*.json",
  "crosstrail summary --report markdown results/ > preview.md",
];

export function define(command: Command): void {
  command
    .addArgument(new Argument("<files...>", "what the parts printed with --json; or folders with such files"))
    .option("--stack <name>", "for a report: the audit stack, whose configuration declares the fleet (default: audit)")
    .option("--cwd <folder>", "for a report: the project folder (default: the current folder)");
  defineReport(command);
  command.addHelpText("after", "\nExit code as of one run; 10 if a part is missing and none failed.");
}

export function run(options: ReportOptions, surroundings: Surroundings, args: unknown[]): Promise<Outcome> {
  checkReport(options);
  const files = (args.flat() as string[]).flatMap(filesOf);
  const { result, findings, isWhole } = mergeParts(
    files.map((file) => ({ name: basename(file), text: readText(file, "The result") })),
  );
  if (!result) throw new ExitError(ExitCode.Usage, "There is no result of a run with --shard.", findings);
  const ofRun = exitCodeOf(result);
  const whole = { ...result, findings: [...findings, ...result.findings] };
  const outcome: Outcome = {
    exitCode: ofRun === ExitCode.Ok && !isWhole ? ExitCode.NotChecked : ofRun,
    findings: [...whole.findings, ...result.stacks.flatMap((stack) => stack.findings)],
    data: () => whole,
    text: () => textOf(result.action, whole, pc.createColors(surroundings.color)),
  };
  if (result.action !== "preview" && options.report) {
    throw new ExitError(ExitCode.Usage, `--report is for previews, and this is the result of ${result.action}.`);
  }
  return Promise.resolve(printReport(outcome, whole, options, surroundings.env));
}

function filesOf(name: string): string[] {
  let isFolder = false;
  try {
    isFolder = statSync(name).isDirectory();
  } catch {
    // Reading it says what is wrong.
  }
  if (!isFolder) return [name];
  const found = readdirSync(name, { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile() && each.name.endsWith(".json"))
    .map((each) => join(each.parentPath, each.name))
    .sort();
  if (found.length === 0) throw new ExitError(ExitCode.Usage, `There are no .json files in ${printable(name)}.`);
  return found;
}
