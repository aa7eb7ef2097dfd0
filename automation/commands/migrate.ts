/** `crosstrail migrate`: plans a move of the fleet's trails, key or prefix, and carries it out step by step. */
import { resolve } from "node:path";
import type { Command } from "commander";
import { Option } from "commander";
import pc from "picocolors";
import { Transition } from "../../core/migration";
import type { Journal, MigrationProject } from "../migration";
import { carryOut, plan, readJournal, removeJournal, stackFileName } from "../migration";
import type { Outcome, Surroundings } from "../output";
import { ExitCode, ExitError, printable } from "../output";
import { formerly } from "./_options";

interface Options {
  to?: Transition;
  prefix?: string;
  organizationId?: string;
  only?: string[];
  cwd?: string;
  yes?: boolean;
  resume?: boolean;
  abandon?: boolean;
}

export const examples = [
  "crosstrail migrate --to organization-trail --only root --organization-id o-exampleorg1",
  "crosstrail migrate --to log-prefix --prefix trails --yes",
  "crosstrail migrate --resume --yes",
];

export function define(command: Command): void {
  formerly(command, "--stack <stacks...>", "only");
  formerly(command, "--project <folder>", "cwd");
  command
    .addOption(new Option("--to <what>", "what to move to").choices(Object.values(Transition)))
    .option("--prefix <prefix>", 'for log-prefix: the new prefix; "" for none')
    .option(
      "--organization-id <id>",
      "for organization-trail, if the audit stack does not declare the organization yet",
    )
    .option("--only <stacks...>", "the stacks whose trails to migrate")
    .option("--cwd <folder>", "the project folder (default: the current folder)")
    .option("--yes", "carry out the plan (default: only print it)")
    .option("--resume", "continue the migration in progress")
    .option("--abandon", "discard the migration in progress; changes already made stay")
    .addHelpText(
      "after",
      "\nExit code 4 if a step fails, 7 if a step would replace something; --resume continues from that step.",
    );
}

export async function run(options: Options, { env, color, stderr }: Surroundings): Promise<Outcome> {
  const folder = resolve(options.cwd ?? env.PULUMI_OPTION_CWD ?? ".");
  const project: MigrationProject = { folder, env, stderr };
  const begun = readJournal(project);
  if (options.abandon) return abandoned(project, begun);
  if (options.resume && begun === undefined) {
    throw new ExitError(
      ExitCode.Usage,
      `No migration is in progress in ${folder}.\n  → crosstrail migrate --to <what>`,
    );
  }
  if (!options.resume && begun !== undefined) {
    throw new ExitError(
      ExitCode.Usage,
      `A migration to ${begun.to} is in progress here; ${begun.done} of its ${begun.steps.length} steps are done.\n` +
        "  → crosstrail migrate --resume --yes, or --abandon to keep everything as it is now.",
    );
  }
  const journal = begun ?? (await planned(options, project));
  const before = journal.done;
  const fileOf = (stack: string) => stackFileName(project, stack);
  if (options.yes) await carryOut(project, journal);
  return {
    exitCode: ExitCode.Ok,
    findings: [],
    data: () => ({
      to: journal.to,
      carriedOut: options.yes === true,
      steps: journal.steps.map((step, index) => ({
        ...step,
        isDone: index < journal.done,
        commands: commandsOf(step, fileOf),
      })),
      notes: journal.notes,
    }),
    text: () => textOf(journal, before, options, fileOf, pc.createColors(color)),
  };
}

async function planned({ to, prefix, organizationId, only }: Options, project: MigrationProject): Promise<Journal> {
  if (to === undefined) {
    throw new ExitError(ExitCode.Usage, `--to is missing.\n  → --to ${Object.values(Transition).join(" | ")}`);
  }
  return plan(project, { to, prefix, organizationId, stacks: only });
}

function abandoned(project: MigrationProject, begun: Journal | undefined): Outcome {
  removeJournal(project);
  const text = begun
    ? `The migration to ${begun.to} was discarded after ${begun.done} of ${begun.steps.length} steps.\n${leftText(begun, (stack) => stackFileName(project, stack))}`
    : "No migration is in progress here.\n";
  return { exitCode: ExitCode.Ok, findings: [], data: () => ({ abandoned: begun ?? null }), text: () => text };
}

/** What the migration has written to the stack files, and leaves there. */
function leftText({ steps, written }: Journal, fileOf: (stack: string) => string): string {
  const lines = steps
    .slice(0, written)
    .flatMap(({ stack, set }) =>
      Object.entries(set).map(
        ([name, value]) =>
          `  ${fileOf(stack)}: crosstrail:${name}${value === null ? " is removed" : `: ${JSON.stringify(value)}`}`,
      ),
    );
  return lines.length === 0 ? "" : `These changes of the configuration stay:\n${lines.map(printable).join("\n")}\n`;
}

/** The same by hand. */
function commandsOf({ stack, set, writesFile }: Journal["steps"][number], fileOf: (stack: string) => string): string[] {
  if (writesFile) {
    return [`${fileOf(stack)} is written: its configuration no longer follows from the audit stack's`, up(stack)];
  }
  const commands = Object.entries(set).map(([name, value]) => {
    if (value === null) return `pulumi config rm -s ${stack} crosstrail:${name}`;
    const isPlain = ["string", "number", "boolean"].includes(typeof value);
    return isPlain
      ? `pulumi config set -s ${stack} crosstrail:${name} ${String(value)}`
      : `in ${fileOf(stack)}: crosstrail:${name}: ${JSON.stringify(value)}`;
  });
  return [...commands, up(stack)];
}

function up(stack: string): string {
  return `crosstrail up --only ${stack}`;
}

function textOf(
  journal: Journal,
  before: number,
  { yes }: Options,
  fileOf: (stack: string) => string,
  colors: ReturnType<typeof pc.createColors>,
): string {
  const lines = [colors.bold(`Migration to ${journal.to}: ${journal.steps.length} steps`), ""];
  journal.steps.forEach((step, index) => {
    const mark = index < before ? " (already done)" : yes ? " (done)" : "";
    lines.push(`${index + 1}. ${colors.bold(printable(step.stack))}${mark}: ${printable(step.what)}`);
    for (const command of commandsOf(step, fileOf)) lines.push(`     ${printable(command)}`);
    if (step.meanwhile) lines.push(`   ${colors.yellow(printable(step.meanwhile))}`);
  });
  if (journal.notes.length > 0) lines.push("", ...journal.notes.map((note) => `- ${printable(note)}`));
  lines.push("", yes ? "Done." : "Nothing was changed. Add --yes to carry it out.", "");
  return lines.join("\n");
}
