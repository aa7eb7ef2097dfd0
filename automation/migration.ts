/**
 * Carries a migration out: one `pulumi up` after another, with a journal beside the stack files from which it resumes.
 */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, parseDocument } from "yaml";
import { UserError } from "../core/findings";
import type { ConfiguredStack, Migration, MigrationStep } from "../core/migration";
import { ExitCode, ExitError } from "./output";
import { run } from "./process";
import { onTermination } from "./process";
import { readStackFile } from "./stackFile";

const journalName = ".crosstrail-migration.json";
const minute = 60_000;

/** A migration under way. */
export interface Journal extends Migration {
  /** How many of its steps are done. */
  done: number;
}

export interface MigrationProject {
  /** The folder of the stack files. */
  folder: string;
  env: NodeJS.ProcessEnv;
  stderr: (text: string) => void;
}

const fileOf = ({ folder }: MigrationProject, stack: string) => join(folder, `Pulumi.${stack}.yaml`);

/** The stacks that `pulumi stack ls` knows and that are configured here, the audit stack apart. */
export async function configuredStacks(
  project: MigrationProject,
): Promise<{ audit: ConfiguredStack; trails: ConfiguredStack[] }> {
  const known = JSON.parse(await pulumi(project, ["stack", "ls", "--json"])) as { name: string }[];
  const files = new Set(readdirSync(project.folder));
  const stacks = known
    .map(({ name }) => name.split("/").at(-1) as string)
    .filter((name) => files.has(`Pulumi.${name}.yaml`))
    .flatMap((name): ConfiguredStack[] => {
      const config = ownKeys(project, name);
      // A stack of another program in the same project is not ours.
      if (config.role === undefined) return [];
      readStackFile(fileOf(project, name), project.env);
      return [{ name, config }];
    });
  const audits = stacks.filter(({ config }) => config.role === "audit");
  const [audit, other] = audits;
  if (audit === undefined || other !== undefined) {
    throw new UserError("The migration could not be planned. Nothing was changed.", [
      {
        id: "migrate/audit-stack",
        severity: "error",
        subject: project.folder,
        message: `Exactly one of its stacks must have crosstrail:role: audit; now: ${audits.map(({ name }) => name).join(", ") || "none"}.`,
        remedy: "Run the command in the project folder (--cwd), with Pulumi logged in to the backend of these stacks.",
      },
    ]);
  }
  return { audit, trails: stacks.filter((each) => each !== audit) };
}

function ownKeys(project: MigrationProject, stack: string): Record<string, unknown> {
  const { config = {} } = (parse(readFileSync(fileOf(project, stack), "utf8")) ?? {}) as {
    config?: Record<string, unknown>;
  };
  const namespace = "crosstrail:";
  return Object.fromEntries(
    Object.entries(config)
      .filter(([name]) => name.startsWith(namespace))
      .map(([name, value]) => [name.slice(namespace.length), value]),
  );
}

/** The migration that was begun here and is not finished. */
export function readJournal({ folder }: MigrationProject): Journal | undefined {
  const file = join(folder, journalName);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Journal) : undefined;
}

function writeJournal({ folder }: MigrationProject, journal: Journal): void {
  const file = join(folder, journalName);
  // Whole or not at all: an interrupted write must not lose where the migration is.
  writeFileSync(`${file}.new`, `${JSON.stringify(journal, undefined, 2)}\n`);
  renameSync(`${file}.new`, file);
}

/** Forgets the migration that was begun; what it has changed stays. */
export function removeJournal({ folder }: MigrationProject): void {
  rmSync(join(folder, journalName), { force: true });
}

/**
 * Carries the steps out that are not done yet. Each one is repeatable, so that one that was interrupted is done again.
 * @throws ExitError when a step fails or would replace or remove something; the journal says where it stands.
 */
export async function carryOut(project: MigrationProject, journal: Journal): Promise<void> {
  writeJournal(project, journal);
  const controller = new AbortController();
  const forget = onTermination(() => controller.abort());
  try {
    for (const [index, step] of journal.steps.entries()) {
      if (index < journal.done) continue;
      project.stderr(`Step ${index + 1} of ${journal.steps.length}, stack ${step.stack}: ${step.what}\n`);
      configure(project, step);
      await requireInPlace(project, step, controller.signal);
      await pulumi(project, ["up", "--stack", step.stack, "--yes", "--skip-preview"], controller.signal);
      journal.done = index + 1;
      writeJournal(project, journal);
    }
  } finally {
    forget();
  }
  removeJournal(project);
}

/** Changes the stack's file; comments and the order of its keys stay. */
function configure(project: MigrationProject, { stack, set }: MigrationStep): void {
  const file = fileOf(project, stack);
  const document = parseDocument(readFileSync(file, "utf8"));
  for (const [name, value] of Object.entries(set)) {
    const path = ["config", `crosstrail:${name}`];
    if (value === null) document.deleteIn(path);
    else document.setIn(path, document.createNode(value));
  }
  writeFileSync(file, document.toString({ lineWidth: 120 }));
}

/** A step changes in place. What would replace or remove a trail, a key or a bucket is not begun. */
async function requireInPlace(project: MigrationProject, step: MigrationStep, signal: AbortSignal): Promise<void> {
  const preview = await pulumi(project, ["preview", "--stack", step.stack, "--json"], signal);
  const { steps = [] } = JSON.parse(preview) as { steps?: { op: string; urn: string }[] };
  const lost = steps.filter(
    ({ op, urn }) => /replace|delete/.test(op) && /aws:(cloudtrail|kms|s3)\//.test(urn.split("::").at(-2) ?? ""),
  );
  if (lost.length === 0) return;
  throw new ExitError(
    ExitCode.UnexpectedChanges,
    `Stack ${step.stack} would lose something. The step was not started.`,
    [
      {
        id: "migrate/not-in-place",
        severity: "error",
        subject: lost.map(({ op, urn }) => `${op} ${urn.split("::").slice(-2).join(" ")}`).join("\n  "),
        message: "A migration makes changes in place only.",
        remedy: `Run pulumi preview --diff -s ${step.stack} to see why, then crosstrail migrate --resume --yes or --abandon.`,
      },
    ],
  );
}

async function pulumi(project: MigrationProject, args: string[], signal?: AbortSignal): Promise<string> {
  const isUp = args[0] === "up";
  const { code, stdout, stderr } = await run("pulumi", [...args, "--non-interactive", "--color=never"], {
    cwd: project.folder,
    env: project.env,
    timeoutMs: 30 * minute,
    // Pulumi cancels at the first signal, and ends at once at the second, so that no lock stays.
    stopSignal: "SIGINT",
    graceMs: minute,
    signal,
    ...(isUp && { onLine: (line: string) => project.stderr(`  ${line}\n`) }),
  });
  if (code === 0) return stdout;
  throw new ExitError(ExitCode.Deployment, `pulumi ${args.join(" ")} failed.`, [
    {
      id: "migrate/pulumi",
      severity: "error",
      subject: `pulumi ${args.slice(0, 3).join(" ")}`,
      message: errorsOf(stdout, stderr),
      remedy: "Fix the problem, then run crosstrail migrate --resume --yes. Completed steps stay completed.",
    },
  ]);
}

/** Pulumi's own words, without the rest of its output. */
function errorsOf(stdout: string, stderr: string): string {
  const lines = `${jsonDiagnostics(stdout) ?? stdout}\n${stderr}`.split("\n").map((line) => line.trim());
  const from = lines.findIndex((line) => /^error:/.test(line));
  return (from < 0 ? lines : lines.slice(from)).filter(Boolean).slice(0, 30).join("\n    ");
}

function jsonDiagnostics(stdout: string): string | undefined {
  try {
    const { diagnostics = [] } = JSON.parse(stdout) as { diagnostics?: { severity: string; message: string }[] };
    return diagnostics
      .filter(({ severity }) => severity === "error")
      .map(({ message }) => `error: ${message}`)
      .join("\n");
  } catch {
    return undefined;
  }
}
