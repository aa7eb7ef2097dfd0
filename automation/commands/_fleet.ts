/** What `up`, `preview`, `destroy` and `status` share: options, progress, questions, and what is printed in the end. */
import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import pc from "picocolors";
import { formatFinding } from "../../core/findings";
import type { Shard } from "../../core/fleet";
import { mostShards, parseShard } from "../../core/fleet";
import type { FleetOptions, FleetResult, Plan, StackResult } from "..";
import { Status } from "..";
import { limits } from "../fleet/limits";
import { changesText, elapsed, firstSentence } from "../fleet/words";
import type { Outcome, Surroundings } from "../output";
import { ExitCode, ExitError, printable } from "../output";
import { LineProgress, LiveProgress } from "../progress";
import { wholeNumber } from "./_numbers";

export interface Options {
  stack?: string;
  cwd?: string;
  only?: string[];
  failed?: boolean;
  parallel?: number;
  timeout?: number;
  secretsProvider?: string;
  yes?: boolean;
  json?: boolean;
  shard?: Shard;
}

export function defineFleet(command: Command, verb: string): void {
  command
    .option("--stack <name>", "the audit stack, whose configuration declares the fleet (default: audit)")
    .option("--cwd <folder>", "the project folder (default: the current folder)")
    .option("--only <stacks...>", "only these stacks: member aliases, or the audit stack")
    .option(
      "--parallel <n>",
      "how many stacks to run at the same time (default: depends on processors and memory)",
      wholeNumber(1, limits.parallel),
    )
    .option(
      "--timeout <seconds>",
      "time limit for each stack; its engine is then stopped (default: 900)",
      wholeNumber(1, limits.timeoutSeconds),
    );
  if (verb !== "destroy") {
    command.option(
      "--shard <i/n>",
      "only part i of n of the members, for several machines; 0/n: what is not split, which must run first",
      shardOption,
    );
  }
  if (verb !== "status")
    command.option("--failed", `only the stacks that did not succeed in the last crosstrail ${verb}`);
}

/** What leaves engines out, and what does not. */
export function defineFull(command: Command, refresh: string): void {
  command
    .option("--full", "run the engine for every stack, also where nothing has changed since the last up")
    .option("--refresh", refresh);
}

function shardOption(text: string): Shard {
  const shard = parseShard(text);
  if (shard) return shard;
  throw new InvalidArgumentError(
    `Two numbers are needed, such as 2/5: a part from 0 to n, and n from 1 to ${mostShards}.`,
  );
}

export function defineYes(command: Command): void {
  command.option("--yes", "skip the confirmation");
}

export async function runVerb<Own extends FleetOptions>(
  verb: string,
  work: (options: Own) => Promise<FleetResult>,
  options: Options,
  surroundings: Surroundings,
  own: Omit<Own, keyof FleetOptions>,
): Promise<Outcome> {
  const { stderr, terminal, env, onInterrupt } = surroundings;
  const color = surroundings.messageColor ?? false;
  const isChanging = verb === "up" || verb === "destroy";
  const began = Date.now();
  const progress = terminal
    ? new LiveProgress(terminal.write ?? stderr, terminal, { color, listsResults: isChanging })
    : new LineProgress(stderr, color, isChanging);
  const [finish, endNow] = [new AbortController(), new AbortController()];
  const detach = onInterrupt?.((reason, count) => {
    if (count === 1) {
      // Where nobody can press it again, there is little time: a CI kills what has not ended after ten seconds.
      const does = isChanging ? "waiting for the running AWS calls to finish" : "ending";
      progress.say(`${reason}: ${does}.${terminal ? " Press again to stop at once." : ""}`);
      finish.abort();
    } else if (count === 2) {
      progress.say(`${reason}: stopping at once. The next run looks up what was in progress.`);
      endNow.abort();
    }
  });
  try {
    const result = await work({
      ...(own as Own),
      projectFolder: options.cwd,
      auditStack: options.stack,
      env,
      only: options.only,
      failed: options.failed,
      shard: options.shard,
      parallel: options.parallel,
      timeoutSeconds: options.timeout,
      ...(!terminal && { graceSeconds: 5 }),
      secretsProvider: options.secretsProvider,
      signal: finish.signal,
      endNow: endNow.signal,
      onEvent: (event) => progress.take(event),
      ...(isChanging &&
        !options.yes && { confirm: (plan: Plan) => progress.pause(() => confirm(verb, plan, surroundings)) }),
    });
    progress.close();
    // Never less than what the progress has shown.
    const seconds = Math.max(result.seconds, (Date.now() - began) / 1000);
    return {
      exitCode: exitCodeOf(result),
      findings: [...result.findings, ...result.stacks.flatMap(({ findings }) => findings)],
      data: () => result,
      text: () => textOf(verb, { ...result, seconds }, pc.createColors(surroundings.color)),
    };
  } catch (error) {
    if (finish.signal.aborted) throw new ExitError(ExitCode.Cancelled, "Cancelled. Nothing was changed.");
    throw error;
  } finally {
    progress.close();
    detach?.();
  }
}

async function confirm(
  verb: string,
  { steps, parallel, changes, unchanged }: Plan,
  { ask, stderr }: Surroundings,
): Promise<boolean> {
  const names = (wanted: (step: Plan["steps"][number]) => boolean) =>
    steps.filter(wanted).map(({ stack }) => stack.name);
  const gone = names(({ stack, action }) => action === "destroy" && (verb === "destroy" || stack.removed === true));
  const lines = [
    ...(gone.length > 0 ? [`Destroys: ${listed(gone)}. Their logs stay in the archive.`] : []),
    ...(verb === "up" ? changes : []),
    ...(unchanged.length > 0 ? [`Unchanged since the last up, so no engine runs: ${listed(unchanged)}.`] : []),
    `${steps.length} ${steps.length === 1 ? "stack" : "stacks"}, at most ${parallel} at the same time.`,
  ];
  if (!ask) {
    throw new ExitError(
      ExitCode.Usage,
      `${lines.join("\n")}\nThere is no terminal to ask for confirmation.\n  → Run crosstrail preview to see what would change, or add --yes to go ahead.`,
    );
  }
  stderr(`${lines.join("\n")}\n`);
  return /^y(es)?$/i.test((await ask("Go ahead? (yes/no) ")).trim());
}

/** Pulumi's code for what went wrong; where that differs, that the deployment failed. */
export function exitCodeOf({ status, stacks }: FleetResult): ExitCode {
  if (status === Status.Succeeded) return ExitCode.Ok;
  if (status === Status.Cancelled) return ExitCode.Cancelled;
  // No stack failed, but what was asked afterwards about the others is not as it should be.
  if (stacks.every((stack) => stack.status === Status.Succeeded)) return ExitCode.CheckFailed;
  const codes = new Set(stacks.filter((stack) => stack.status === Status.Failed).map(({ exitCode }) => exitCode));
  const [only] = codes;
  return codes.size === 1 ? (only as ExitCode) : ExitCode.Deployment;
}

type Colors = ReturnType<typeof pc.createColors>;

export function textOf(verb: string, result: FleetResult, colors: Colors): string {
  const { stacks, seconds, findings } = result;
  if (stacks.length === 0) return `Nothing to ${verb}.\n`;
  const lines: string[] = [];
  const notRun = stacks.filter((stack) => stack.notRun !== undefined);
  for (const stack of stacks) {
    if (stack.notRun !== undefined) continue;
    if (verb === "preview") lines.push(...previewLines(stack, colors));
    // The others follow, with what is wrong.
    if (verb === "status" && stack.status === Status.Succeeded) lines.push(statusLine(stack, colors));
  }
  if (notRun.length > 0 && verb === "preview") {
    const what = `${notRun.length} not run, unchanged since the last up`;
    lines.push(`${colors.bold(what)}: ${listed(notRun.map(({ stack }) => stack))}`);
  }
  if (lines.length > 0) lines.push("");

  const bad = stacks.filter(({ status }) => status !== Status.Succeeded);
  for (const kind of kindsOf(alike(bad))) {
    const shown = kind.length <= mostOfAKind + 3 ? kind : kind.slice(0, mostOfAKind);
    for (const group of shown) lines.push(...failureLines(verb, group, colors));
    const others = kind.slice(shown.length).flat();
    if (others.length > 0) lines.push(...othersLines(others, colors));
  }
  for (const finding of findings) {
    const word = finding.severity === "error" ? colors.red("fleet") : colors.yellow("fleet");
    lines.push(word, cleaned(formatFinding(finding)).replace(/^\n/, ""), "");
  }
  const ran = stacks.filter((stack) => stack.notRun === undefined);
  const count = (status: Status) => ran.filter((stack) => stack.status === status).length;
  const counts = [
    ...[Status.Succeeded, Status.Failed, Status.Skipped, Status.Cancelled]
      .filter((status) => count(status) > 0)
      .map((status) => `${count(status)} ${status}`),
    ...(notRun.length > 0 ? [`${notRun.length} not run, unchanged since the last up`] : []),
  ];
  // A preview that failed has not told what would change, and of what did not run no engine says anything.
  const told = verb === "preview" ? ran.filter(({ status }) => status === Status.Succeeded) : ran;
  const changed = told.filter(({ changes }) => Object.keys(changes).length > 0).length;
  const changes = changed > 0 ? `, ${changed} with changes` : ", no changes";
  const what = verb === "status" || told.length === 0 ? "" : changes;
  lines.push(
    `${colors.bold(verb)}${result.shard === undefined ? "" : ` ${result.shard}`}: ${stacks.length} ${stacks.length === 1 ? "stack" : "stacks"}, ${counts.join(", ")}${what} (${elapsed(seconds * 1000)})`,
  );
  if (bad.length > 0 && verb !== "status") lines.push(...repeatLines(verb, bad));
  return `${lines.join("\n")}\n`;
}

function previewLines(stack: StackResult, colors: Colors): string[] {
  const { resources, accountId, stack: name } = stack;
  const own = resources.filter(({ type }) => !type.startsWith("pulumi:"));
  if (stack.status !== Status.Succeeded) return [];
  const signs: Record<string, string> = {
    create: colors.green("+"),
    delete: colors.red("-"),
    update: colors.yellow("~"),
  };
  return [
    `${colors.bold(name)} ${accountId}: ${changesText(stack)}`,
    ...own.map(({ op, type, name: resource, diffs }) => {
      const sign = signs[op] ?? colors.magenta("±");
      const which = op !== "create" && op !== "delete" && diffs.length > 0 ? ` [${diffs.join(", ")}]` : "";
      return `  ${sign} ${type} ${resource}${which}`;
    }),
  ];
}

function statusLine({ stack, accountId, status, trail, state, findings }: StackResult, colors: Colors): string {
  const sign = status === Status.Succeeded ? colors.green("✔") : colors.red("✖");
  if (state && !state.exists) return `${sign} ${stack} ${accountId}: not deployed`;
  if (!trail && status !== Status.Succeeded) {
    // Nobody knows how it is: that is not an answer about the trail.
    const [why] = findings;
    const because = why ? `, because ${uncapitalized(printable(firstSentence(why.message)))}` : "";
    return `${sign} ${stack} ${accountId}: could not be read${because}`;
  }
  const parts = [
    trail ? (trail.isLogging ? "logging" : trail.exists ? "not logging" : "no trail") : "no trail of its own",
    ...(trail?.findings.some(({ id }) => id === "trail/cut-off") ? [colors.red("refused by the archive")] : []),
    ...(trail?.latestDelivery ? [`last delivery ${trail.latestDelivery}`] : []),
    ...(trail?.latestDeliveryError ? [colors.red(`delivery error: ${printable(trail.latestDeliveryError)}`)] : []),
  ];
  return `${sign} ${stack} ${accountId}: ${parts.join(", ")}`;
}

/** A sentence behind "because". */
function uncapitalized(text: string): string {
  return text.replace(/^(The|A|An|It|AWS|There|Its|Another|No)\b(?! says)/, (word) =>
    word === "AWS" ? word : word.toLowerCase(),
  );
}

/** Stacks with the same to say: that the audit stack has failed is said once, and not for each of its members. */
function alike(stacks: StackResult[]): StackResult[][] {
  const groups = new Map<string, StackResult[]>();
  for (const each of stacks) {
    const key = JSON.stringify([each.status, each.findings.map(({ id, message, remedy }) => [id, message, remedy])]);
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return [...groups.values()];
}

/**
 * More failures of a kind than these are told by their stacks' names: two hundred would hide the one of another kind.
 */
const mostOfAKind = 5;

function kindsOf(groups: StackResult[][]): StackResult[][][] {
  const kinds = new Map<string, StackResult[][]>();
  for (const group of groups) {
    const [{ status, findings }] = group as [StackResult];
    const key = [status, ...findings.map(({ id }) => id)].join(" ");
    kinds.set(key, [...(kinds.get(key) ?? []), group]);
  }
  return [...kinds.values()];
}

function othersLines(others: StackResult[], colors: Colors): string[] {
  const [{ status, findings }] = others as [StackResult];
  const ids = findings.map(({ id }) => id).join(", ");
  const title = `${status === Status.Failed ? colors.red(status) : colors.yellow(status)}  ${colors.bold(`${others.length} more stacks`)}`;
  return [
    title,
    `  ${listed(others.map(({ stack }) => stack))}`,
    `    The same kind of failure${ids === "" ? "" : ` (${ids})`}; --json shows each of them.`,
    "",
  ];
}

function failureLines(verb: string, group: StackResult[], colors: Colors): string[] {
  const [first] = group as [StackResult];
  const { stack, accountId, status, findings } = first;
  const word = status === Status.Failed ? colors.red(status) : colors.yellow(status);
  if (group.length === 1) {
    const title = verb === "status" ? statusLine(first, colors) : `${word}  ${colors.bold(stack)} ${accountId}`;
    return [title, ...findings.map((finding) => cleaned(formatFinding(finding)).replace(/^\n/, "")), ""];
  }
  const title = `${word}  ${colors.bold(`${group.length} stacks`)}`;
  const subject = listed(group.map((each) => each.stack));
  return [title, ...findings.map((each) => cleaned(formatFinding({ ...each, subject })).replace(/^\n/, "")), ""];
}

/** The first names, and how many more there are. */
function listed(names: string[]): string {
  return `${names.slice(0, 10).join(", ")}${names.length > 10 ? ` and ${names.length - 10} more` : ""}`;
}

function repeatLines(verb: string, bad: StackResult[]): string[] {
  const names = bad.map(({ stack }) => stack);
  const only = names.length <= 8 ? [`         or: crosstrail ${verb} --only ${names.join(" ")}`] : [];
  return [`To retry only these: crosstrail ${verb} --failed`, ...only];
}

function cleaned(text: string): string {
  return text.split("\n").map(printable).join("\n");
}
