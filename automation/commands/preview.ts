/** `crosstrail preview`: shows what `up` would change. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Option, type Command } from "commander";
import { fleetOfSettings } from "../../core/simulate";
import { type FleetOptions, type FleetResult, preview } from "../index";
import type { Outcome, Surroundings } from "../output";
import { ExitCode, ExitError } from "../output";
import type { Report } from "../report";
import { defineFleet, type Options, runVerb } from "./_fleet";

export const examples = ["crosstrail preview --only audit payments", "crosstrail preview --report html > preview.html"];

interface PreviewOptions extends Options {
  expectNoChanges?: boolean;
  report?: Format[];
  reportFolder?: string;
}

/** The formats of a report, and the files they are written to. */
const files = { markdown: "preview.md", html: "preview.html", json: "preview.json" } as const;
type Format = keyof typeof files;

export function define(command: Command): void {
  defineFleet(command, "preview");
  command
    .option("--expect-no-changes", "exit with code 7 if anything would change")
    .addOption(
      new Option("--report <formats...>", "print a report instead, for a pull request").choices(Object.keys(files)),
    )
    .option("--report-folder <folder>", `write the reports to this folder, as ${Object.values(files).join(", ")}`)
    .addHelpText("after", "\nAlso shows stacks that do not exist yet, without creating them.");
}

export async function run(options: PreviewOptions, surroundings: Surroundings): Promise<Outcome> {
  const { report: formats, reportFolder } = options;
  checkReport(options);
  let changed = false;
  let result: FleetResult | undefined;
  const noted = async (given: FleetOptions) => {
    result = await preview(given);
    changed = result.stacks.some(({ changes }) => Object.keys(changes).length > 0);
    return result;
  };
  const outcome = await runVerb<FleetOptions>("preview", noted, options, surroundings, {});
  const unexpected = options.expectNoChanges === true && changed && outcome.exitCode === ExitCode.Ok;
  const judged = unexpected ? { ...outcome, exitCode: ExitCode.UnexpectedChanges } : outcome;
  if (!formats || !result) return judged;

  const made = reportOf(result, options, surroundings.env);
  if (reportFolder === undefined) return { ...judged, text: () => made[formats[0] as Format] };
  mkdirSync(reportFolder, { recursive: true });
  for (const format of formats) writeFileSync(join(reportFolder, files[format]), made[format]);
  return judged;
}

function checkReport({ report: formats, reportFolder, json }: PreviewOptions): void {
  const mistake = (message: string, remedy: string) => new ExitError(ExitCode.Usage, `${message}\n  → ${remedy}`);
  if (reportFolder !== undefined && !formats)
    throw mistake("--report-folder needs --report.", "Add --report markdown.");
  if (reportFolder !== undefined || !formats) return;
  if (formats.length > 1) throw mistake("--report prints only one format.", "Add --report-folder <folder>.");
  if (json)
    throw mistake(
      "--json and --report cannot both print to stdout.",
      "Remove --json, or add --report-folder <folder>.",
    );
}

function reportOf(result: FleetResult, { cwd, stack = "audit" }: Options, env: NodeJS.ProcessEnv): Report {
  // Loaded only where it is asked for.
  /* eslint-disable @typescript-eslint/no-require-imports, @typescript-eslint/consistent-type-imports */
  const { report } = require("../report") as typeof import("../report");
  const { Project } = require("../fleet/project") as typeof import("../fleet/project");
  /* eslint-enable */
  const { audit: settings } = new Project(resolve(cwd ?? env.PULUMI_OPTION_CWD ?? "."), stack, env);
  const forms = { bucket: settings.bucketPolicyForm, key: settings.keyPolicyForm };
  return report({ ...result, fleet: fleetOfSettings(settings), forms, keyGeneration: settings.keyGeneration });
}
