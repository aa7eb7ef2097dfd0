/** `crosstrail preview`: shows what `up` would change. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Option, type Command } from "commander";
import type { CompiledPolicyLike } from "../../core/evaluate";
import type { Finding } from "../../core/findings";
import type { AuditSettings } from "../../core/settings";
import { builtPolicies, fleetOfSettings, stoppedByControls } from "../../core/simulate";
import { collect, readControls } from "../controls";
import { Action } from "../../core/fleet";
import { type PreviewOptions as Api, runFleet } from "../fleet/run";
import type { FleetResult } from "../fleet/types";
import type { Outcome, Surroundings } from "../output";
import { ExitCode, ExitError } from "../output";
import type { Report } from "../report";
import { defineFleet, defineFull, type Options, runVerb } from "./_fleet";

export const examples = ["crosstrail preview --only audit payments", "crosstrail preview --report html > preview.html"];

/** What is needed for a report. */
export interface ReportOptions extends Pick<Options, "cwd" | "stack" | "json"> {
  report?: Format[];
  reportFolder?: string;
}

interface PreviewOptions extends Options, ReportOptions {
  expectNoChanges?: boolean;
  rcp?: string[];
  full?: boolean;
  refresh?: boolean;
}

/** The formats of a report, and the files they are written to. */
const files = { markdown: "preview.md", html: "preview.html", json: "preview.json" } as const;
type Format = keyof typeof files;

export function define(command: Command): void {
  defineFleet(command, "preview");
  defineFull(
    command,
    "read every trail back, and compare with AWS the stacks that run or whose trail is not as configured",
  );
  command
    .option("--expect-no-changes", "exit with code 7 if anything would change")
    .option("--rcp <file>", "warn of trails that this resource control policy would stop; repeatable", collect);
  defineReport(command);
  command.addHelpText("after", "\nAlso shows stacks that do not exist yet, without creating them.");
}

export function defineReport(command: Command): void {
  command
    .addOption(
      new Option("--report <formats...>", "print a report instead, for a pull request").choices(Object.keys(files)),
    )
    .option("--report-folder <folder>", `write the reports to this folder, as ${Object.values(files).join(", ")}`);
}

export async function run(options: PreviewOptions, surroundings: Surroundings): Promise<Outcome> {
  checkReport(options);
  let changed = false;
  let result: FleetResult | undefined;
  const rcps = readControls("rcp", options.rcp);
  const { full, refresh } = options;
  const noted = async (given: Api) => {
    const previewed = await runFleet(Action.Preview, given);
    const stopped = rcps.length > 0 ? stoppedTrails(settingsOf(options, surroundings.env), rcps) : [];
    result = { ...previewed, findings: [...previewed.findings, ...stopped] };
    changed = result.stacks.some(({ changes }) => Object.keys(changes).length > 0);
    return result;
  };
  const outcome = await runVerb<Api>("preview", noted, options, surroundings, { full, refresh });
  const unexpected = options.expectNoChanges === true && changed && outcome.exitCode === ExitCode.Ok;
  const judged = unexpected ? { ...outcome, exitCode: ExitCode.UnexpectedChanges } : outcome;
  return result ? printReport(judged, result, options, surroundings.env) : judged;
}

/** The outcome with the reports that are asked for. */
export function printReport(
  outcome: Outcome,
  result: FleetResult,
  options: ReportOptions,
  env: NodeJS.ProcessEnv,
): Outcome {
  const { report: formats, reportFolder } = options;
  if (!formats) return outcome;
  const made = reportOf(result, options, env);
  if (reportFolder === undefined) return { ...outcome, isDocument: true, text: () => made[formats[0] as Format] };
  mkdirSync(reportFolder, { recursive: true });
  for (const format of formats) writeFileSync(join(reportFolder, files[format]), made[format]);
  return outcome;
}

export function checkReport({ report: formats, reportFolder, json }: ReportOptions): void {
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

function settingsOf({ cwd, stack = "audit" }: ReportOptions, env: NodeJS.ProcessEnv): AuditSettings {
  // eslint-disable-next-line @typescript-eslint/no-require-imports, @typescript-eslint/consistent-type-imports
  const { Project } = require("../fleet/project") as typeof import("../fleet/project");
  return new Project(resolve(cwd ?? env.PULUMI_OPTION_CWD ?? "."), stack, env).audit;
}

function stoppedTrails(settings: AuditSettings, rcps: CompiledPolicyLike[]): Finding[] {
  const fleet = fleetOfSettings(settings);
  const policies = builtPolicies(fleet, { bucket: settings.bucketPolicyForm, key: settings.keyPolicyForm });
  const managementAccountId = settings.organization?.managementAccountId;
  return stoppedByControls(fleet, policies, { rcps, scps: [], managementAccountId });
}

function reportOf(result: FleetResult, options: ReportOptions, env: NodeJS.ProcessEnv): Report {
  // Loaded only where it is asked for.
  /* eslint-disable @typescript-eslint/no-require-imports, @typescript-eslint/consistent-type-imports */
  const { report } = require("../report") as typeof import("../report");
  /* eslint-enable */
  const settings = settingsOf(options, env);
  const forms = { bucket: settings.bucketPolicyForm, key: settings.keyPolicyForm };
  return report({ ...result, fleet: fleetOfSettings(settings), forms, keyGeneration: settings.keyGeneration });
}
