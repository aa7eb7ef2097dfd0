/**
 * Carries a migration out, step by step, with a journal beside the stack files from which it resumes. Stacks are brought up as
 * `crosstrail up` does it; before a policy is narrowed, and after the last step, AWS is asked for every trail.
 */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Document } from "yaml";
import { isMap, isScalar, parseAllDocuments, stringify } from "yaml";
import { archivePolicies } from "../core/archivePolicies";
import type { Finding } from "../core/findings";
import { UserError } from "../core/findings";
import { Action } from "../core/fleet";
import type { ConfiguredStack, Migration, MigrationStep, MigrationWish } from "../core/migration";
import { planMigration } from "../core/migration";
import { keyTable } from "../core/settings";
import { changed, Project } from "./fleet/project";
import type { KnownFleet } from "./fleet/run";
import type { Pool } from "./fleet/pool";
import { lookUp, narrowingFindings, newPool, runFleet } from "./fleet/run";
import type { FleetResult, StackResult } from "./fleet/types";
import { Status } from "./fleet/types";
import { ExitCode, ExitError } from "./output";
import { onTermination } from "./process";
import { LineProgress } from "./progress";
import type { PulumiProject } from "./pulumiProject";
import { fullName, stackFileOf, stackOf } from "./pulumiProject";
import { fileError, parseStackFile, projectIn } from "./stackFile";

const journalName = ".crosstrail-migration.json";

/** A migration under way. */
export interface Journal extends Migration {
  /** How many of its steps are done. */
  done: number;
  /** Of how many steps the configuration is written. What was corrected in a file since is never overwritten. */
  written: number;
}

export interface MigrationProject {
  /** The folder of the stack files. */
  folder: string;
  env: NodeJS.ProcessEnv;
  stderr: (text: string) => void;
}

/** Plans a migration of the fleet that the folder declares: nothing is written. @throws UserError, ExitError */
export async function plan(project: MigrationProject, wish: MigrationWish): Promise<Journal> {
  const opened = open(project);
  try {
    const known = await lookUp(opened, project.env, { isMigrating: true });
    const { audit, trails } = configuredStacks(opened, known);
    const migration = planMigration(wish, audit, trails);
    checkValues(opened, migration, [audit, ...trails], known);
    return { ...migration, done: 0, written: 0 };
  } finally {
    opened.close();
  }
}

function open({ folder, env }: MigrationProject): Project {
  return new Project(folder, auditStackOf(folder), env);
}

/** The audit stack of a folder: the one whose file says so. */
export function auditStackOf(folder: string): string {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw fileError(
      folder,
      "file/unreadable",
      "There is no such folder.",
      "Give the folder of the stack files with --cwd.",
      "The project",
    );
  }
  const project = projectIn(folder);
  // Without one, opening the fleet says so.
  if (project === undefined) return "audit";
  const audits = stackFiles(project).flatMap((file) => {
    try {
      const { config } = parseStackFile(file, readFileSync(join(project.stackFolder, file), "utf8"), project.name);
      return { ...project.defaults, ...config }["crosstrail:role"] === "audit" ? [file] : [];
    } catch {
      // It is somebody else's, or fails its own stack.
      return [];
    }
  });
  const [audit] = audits;
  if (audit !== undefined && audits.length === 1) return stackOf(audit);
  throw new UserError("The migration could not be planned. Nothing was changed.", [
    {
      id: "migrate/audit-stack",
      severity: "error",
      subject: folder,
      message: `Exactly one stack file must have crosstrail:role: audit. Those that do: ${audits.join(", ") || "none"}.`,
      remedy: "Run it in the folder of the stack files, or give it with --cwd.",
    },
  ]);
}

/** The names of the files of a project's stacks: they end like the project's own. */
function stackFiles({ stackFolder, extension }: PulumiProject): string[] {
  if (!existsSync(stackFolder)) return [];
  return readdirSync(stackFolder).filter(
    (file) => /^Pulumi\..+/.test(file) && extname(file) === extension && file !== `Pulumi${extension}`,
  );
}

/** The name of a stack's file, whether it is there or not. */
export function stackFileName({ folder }: MigrationProject, stack: string): string {
  const project = projectIn(folder);
  return project ? basename(stackFileOf(project, stack)) : `Pulumi.${stack}.yaml`;
}

/** The stacks of the fleet, with or without a file, as they are configured: the same that `crosstrail up` works with. */
function configuredStacks(
  project: Project,
  { fleet, contract, withResources }: KnownFleet,
): { audit: ConfiguredStack; trails: ConfiguredStack[] } {
  const { audit, management, members, removed } = fleet;
  if (!withResources.has(audit.name)) {
    throw new UserError("The migration could not be planned. Nothing was changed.", [
      {
        id: "stack/not-deployed",
        severity: "error",
        subject: audit.name,
        message: "The audit stack is not deployed, so there is nothing to migrate.",
        remedy: "Correct the configuration and run crosstrail up.",
      },
    ]);
  }
  const trails = [...(management ? [management] : []), ...members, ...removed].map((stack): ConfiguredStack => {
    const { config } = project.trailStack(stack, contract);
    return {
      name: stack.name,
      config: ownKeys(config),
      hasFile: project.hasFile(stack.name),
      isDeployed: withResources.has(stack.name),
      isRemoved: stack.removed === true,
    };
  });
  return { audit: { name: audit.name, config: ownKeys(project.own(audit.name).config) }, trails };
}

const namespace = "crosstrail:";

function ownKeys(config: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(config)
      .filter(([name]) => name.startsWith(namespace))
      .map(([name, value]) => [name.slice(namespace.length), value]),
  );
}

/** Every configuration that a step would write has to be a good one, before the first is written. */
function checkValues(project: Project, { steps }: Migration, stacks: ConfiguredStack[], known: KnownFleet): void {
  const findings: Finding[] = [];
  const configs = new Map<string, Record<string, unknown>>();
  const texts = new Map<string, string>();
  for (const { stack, set } of steps) {
    if (Object.keys(set).length === 0) continue;
    const config = changed(configs.get(stack) ?? configOf(project, stack, known), set);
    configs.set(stack, config);
    try {
      const file = project.fileOf(stack);
      if (existsSync(file)) texts.set(file, edited(file, texts.get(file) ?? readFileSync(file, "utf8"), set, project));
      const settings = project.settingsOf(stack, config);
      if (settings.role === "audit") archivePolicies(settings);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      findings.push(...error.findings);
    }
  }
  if (findings.length === 0) return;
  const different = new Map(findings.map((finding) => [JSON.stringify(finding), finding]));
  throw new UserError("The migration could not be planned. Nothing was changed.", [...different.values()]);
}

function configOf(project: Project, stack: string, { fleet, contract }: KnownFleet): Record<string, unknown> {
  if (stack === fleet.audit.name) return project.own(stack).config;
  const all = [...fleet.members, ...(fleet.management ? [fleet.management] : []), ...fleet.removed];
  const found = all.find(({ name }) => name === stack);
  return found ? project.trailStack(found, contract).config : project.own(stack).config;
}

/** The migration that was begun here and is not finished. */
export function readJournal({ folder }: MigrationProject): Journal | undefined {
  const file = join(folder, journalName);
  if (!existsSync(file)) return undefined;
  try {
    const journal = JSON.parse(readFileSync(file, "utf8")) as Journal;
    // One of an earlier version writes the configuration of a step with the step.
    return { ...journal, written: journal.written ?? journal.done };
  } catch (error) {
    throw fileError(
      file,
      "migrate/journal",
      `It says where the migration is, and cannot be read: ${(error as Error).message}`,
      "Restore it; or remove it, and compare the stack files with the plan that crosstrail migrate prints.",
    );
  }
}

function writeJournal({ folder }: MigrationProject, journal: Journal): void {
  replaceFile(join(folder, journalName), `${JSON.stringify(journal, undefined, 2)}\n`);
}

/** Whole or not at all: an interrupted write must lose neither where the migration is nor a stack's configuration. */
function replaceFile(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

/** Forgets the migration that was begun; what it has changed stays. */
export function removeJournal({ folder }: MigrationProject): void {
  rmSync(join(folder, journalName), { force: true });
}

/**
 * Carries the steps out that are not done yet. Each one is repeatable, so that one that was interrupted is done again.
 * @throws ExitError when a step fails, would replace or remove something, or would take away what a trail needs; the journal says
 * how far it is.
 */
export async function carryOut(project: MigrationProject, journal: Journal): Promise<void> {
  writeJournal(project, journal);
  const controller = new AbortController();
  const forget = onTermination(() => controller.abort());
  const pool = newPool(project.env);
  const migration = new CarryingOut(project, auditStackOf(project.folder), journal, pool, controller.signal);
  try {
    await migration.run();
  } finally {
    forget();
    await pool.close();
  }
  removeJournal(project);
}

class CarryingOut {
  /** AWS was asked before this step's configuration was written, so it need not be asked again by the audit stack's turn. */
  private isAsked = false;
  private readonly progress: LineProgress;

  constructor(
    private readonly project: MigrationProject,
    private readonly auditStack: string,
    private readonly journal: Journal,
    private readonly pool: Pool,
    private readonly signal: AbortSignal,
  ) {
    this.progress = new LineProgress(project.stderr);
  }

  async run(): Promise<void> {
    const { journal } = this;
    while (journal.done < journal.steps.length) {
      const batch = this.batch();
      for (const [index, step] of batch.entries()) this.announce(journal.done + index, step);
      const [first] = batch as [MigrationStep];
      this.isAsked = false;
      await this.configure(first);
      await this.requireInPlace(batch);
      await this.must(await this.fleet(Action.Up, batch), batch);
      journal.done += batch.length;
      writeJournal(this.project, journal);
    }
    await this.verify();
  }

  /** The next step; or all that follow, of different stacks, that change no configuration: they need not wait for each other. */
  private batch(): MigrationStep[] {
    const { steps, done } = this.journal;
    const isPlain = (step: MigrationStep) => Object.keys(step.set).length === 0 && step.stack !== this.auditStack;
    const left = steps.slice(done);
    if (left[0] === undefined || !isPlain(left[0])) return left.slice(0, 1);
    const end = left.findIndex((step) => !isPlain(step));
    return end < 0 ? left : left.slice(0, end);
  }

  private announce(index: number, { stack, what }: MigrationStep): void {
    this.project.stderr(`Step ${index + 1} of ${this.journal.steps.length}, stack ${stack}: ${what}\n`);
  }

  private get options() {
    const { folder, env } = this.project;
    return { projectFolder: folder, auditStack: this.auditStack, env, signal: this.signal, pool: this.pool };
  }

  private async fleet(action: Action, steps: MigrationStep[] | undefined): Promise<FleetResult> {
    const only = steps && [...new Set(steps.map(({ stack }) => stack))];
    try {
      return await runFleet(action, {
        ...this.options,
        isMigrating: true,
        isAsked: this.isAsked,
        only,
        onEvent: (event) => this.progress.take(event),
      });
    } catch (error) {
      if (this.signal.aborted) throw this.cancelled();
      throw error;
    }
  }

  private cancelled(): ExitError {
    return new ExitError(ExitCode.Cancelled, "Cancelled.\n  → crosstrail migrate --resume --yes continues from there.");
  }

  /** Changes the stack's file, unless that was done before; comments and the order of its keys stay. */
  private async configure(step: MigrationStep): Promise<void> {
    const { project, journal } = this;
    if (Object.keys(step.set).length > 0 && journal.written <= journal.done) {
      if (step.stack === this.auditStack) {
        const kept = await narrowingFindings(this.options, step.set);
        if (kept.length > 0) throw this.notNarrowed(kept);
        this.isAsked = true;
      }
      const opened = open(project);
      const file = opened.fileOf(step.stack);
      if (existsSync(file)) replaceFile(file, edited(file, readFileSync(file, "utf8"), step.set, opened));
      else replaceFile(file, await this.newFile(step, file));
    }
    journal.written = Math.max(journal.written, journal.done + 1);
    writeJournal(project, journal);
  }

  private async newFile({ stack, set }: MigrationStep, file: string): Promise<string> {
    const opened = open(this.project);
    try {
      const known = await lookUp(opened, this.project.env, { isMigrating: true, signal: this.signal });
      const content = { config: changed(configOf(opened, stack, known), set) };
      return file.endsWith(".json") ? jsonText(content) : stringify(content);
    } finally {
      opened.close();
    }
  }

  private notNarrowed(findings: Finding[]): ExitError {
    return new ExitError(
      ExitCode.CheckFailed,
      `Step ${this.journal.done + 1} would take away what trails still need. It was not begun.\n  → ${goOn}`,
      findings,
    );
  }

  /** A step changes in place. What would replace or remove a trail, a key or a bucket is not begun. */
  private async requireInPlace(batch: MigrationStep[]): Promise<void> {
    const preview = await this.fleet(Action.Preview, batch);
    await this.must(preview, batch);
    const lost = preview.stacks.flatMap(({ stack, resources }) =>
      resources
        .filter(({ op, type }) => /replace|delete/.test(op) && /^aws:(cloudtrail|kms|s3)\//.test(type))
        .map(({ op, type, name }) => ({ stack, text: `${op} ${type} ${name}` })),
    );
    const [first] = lost;
    if (first === undefined) return;
    throw new ExitError(
      ExitCode.UnexpectedChanges,
      `Stack ${first.stack} would lose something. The step was not begun.`,
      [
        {
          id: "migrate/not-in-place",
          severity: "error",
          subject: lost.map(({ text }) => text).join("\n  "),
          message: "A migration only changes in place.",
          remedy: `crosstrail preview --only ${first.stack} shows what would change. Then crosstrail migrate --resume --yes, or --abandon.`,
        },
      ],
    );
  }

  private must({ status, stacks, findings }: FleetResult, batch: MigrationStep[]): void {
    if (status === Status.Succeeded) return;
    if (status === Status.Cancelled) throw this.cancelled();
    const bad = stacks.filter((stack) => stack.status !== Status.Succeeded);
    const names = bad.map(({ stack }) => stack).join(", ") || batch.map(({ stack }) => stack).join(", ");
    throw new ExitError(exitCodeOf(bad), `The step failed for ${names}. What was done before stays.\n  → ${goOn}`, [
      ...bad.flatMap((stack) => stack.findings),
      ...findings,
    ]);
  }

  /** Nothing is believed: every trail is read back, with its bucket, prefix and key, and put to the deployed policies. */
  private async verify(): Promise<void> {
    const opened = open(this.project);
    let deployed: string[];
    try {
      const { fleet, withResources } = await lookUp(opened, this.project.env, { isMigrating: true });
      const all = [fleet.audit, ...(fleet.management ? [fleet.management] : []), ...fleet.members, ...fleet.removed];
      deployed = all.map(({ name }) => name).filter((name) => withResources.has(name));
    } finally {
      opened.close();
    }
    const status = await this.fleet(
      Action.Status,
      deployed.map((stack) => ({ stack, set: {}, what: "" })),
    );
    if (status.status === Status.Succeeded) return;
    if (status.status === Status.Cancelled) throw this.cancelled();
    const bad = status.stacks.filter((stack) => stack.status !== Status.Succeeded);
    throw new ExitError(
      ExitCode.CheckFailed,
      "All steps are done, and not every trail is as intended.\n  → Follow what is said of each; crosstrail migrate --resume --yes asks again.",
      [...bad.flatMap(({ findings }) => findings), ...status.findings],
    );
  }
}

const goOn = "crosstrail migrate --resume --yes continues from there; --abandon leaves everything as it is now.";

/** What all failures have in common, if it is worth a code of its own. */
function exitCodeOf(bad: StackResult[]): ExitCode {
  const codes = new Set(bad.map(({ exitCode }) => exitCode));
  const [only] = codes;
  const own: number[] = [ExitCode.Authentication, ExitCode.CheckFailed, ExitCode.Cancelled];
  return codes.size === 1 && only !== undefined && own.includes(only) ? (only as ExitCode) : ExitCode.Deployment;
}

/**
 * A stack's file with keys of Crosstrail's changed, whichever of Pulumi's spellings it has them in; comments, order, and what follows
 * the first document stay.
 * @throws UserError when the file would still say something else, by a merge key or the project's own `config`.
 */
export function edited(
  file: string,
  text: string,
  set: Record<string, unknown>,
  project: Pick<PulumiProject, "name" | "defaults">,
): string {
  // As the file will have it: without what is undefined.
  const plain = JSON.parse(JSON.stringify(set)) as Record<string, unknown>;
  const names = Object.entries(plain).map(([name, value]) => [`${namespace}${name}`, value] as const);
  const result = file.endsWith(".json")
    ? editedJson(file, text, names, project.name)
    : editedYaml(text, names, project.name);
  const config = { ...project.defaults, ...parseStackFile(file, result, project.name).config };
  const findings = names
    // Without a value there is the key's default, which the project may also give.
    .filter(([name, value]) => !isDeepStrictEqual(config[name] ?? null, value))
    .filter(([name, value]) => value !== null || !isDefault(name, config[name]))
    .map(([name, value]): Finding => ({
      id: "migrate/not-written",
      severity: "error",
      subject: `${name} in ${basename(file)}`,
      message: `The migration would ${value === null ? "remove it" : `set it to ${JSON.stringify(value)}`}, but its value comes from elsewhere: a merge key (<<), or config in the project's file.`,
      remedy: "Write the key in the stack's own file, or remove it there, and rerun the command.",
    }));
  if (findings.length > 0) throw new UserError("The migration could not be planned. Nothing was changed.", findings);
  return result;
}

function isDefault(name: string, value: unknown): boolean {
  const entry = keyTable.find((each) => `${namespace}${each.name}` === name);
  return entry !== undefined && isDeepStrictEqual(value, entry.default);
}

type Changes = (readonly [name: string, value: unknown])[];

function editedYaml(text: string, names: Changes, project: string): string {
  const documents = parseAllDocuments(text.replace(/^\uFEFF/, "")) as Document.Parsed[];
  const config = documents[0]?.get("config");
  if (isMap(config)) {
    for (const [name, value] of names) {
      const isIt = ({ key }: { key: unknown }) => isScalar(key) && fullName(String(key.value), project) === name;
      const [first, ...more] = config.items.filter(isIt);
      const dropped = value === null ? [first, ...more] : more;
      config.items = config.items.filter((pair) => !dropped.includes(pair));
      if (value === null) continue;
      const node = documents[0]?.createNode(value);
      if (first) first.value = node as never;
      else config.set(name, node);
    }
  }
  return documents.map((document) => document.toString({ lineWidth: 120 })).join("");
}

function editedJson(file: string, text: string, names: Changes, project: string): string {
  const { rest } = parseStackFile(file, text, project);
  const { config } = JSON.parse(text) as { config: Record<string, unknown> };
  const kept = Object.entries(config).filter(([key]) => !names.some(([name]) => fullName(key, project) === name));
  const added = names.filter(([, value]) => value !== null);
  return jsonText({ ...rest, config: Object.fromEntries([...kept, ...added]) });
}

function jsonText(content: object): string {
  return `${JSON.stringify(content, undefined, 2)}\n`;
}
