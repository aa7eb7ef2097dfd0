/**
 * The command-line tool. Results go to stdout, messages to stderr. A command's file is loaded when the command is run
 * or its help is asked for, so that `crosstrail --help` loads none of them, and never Pulumi.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { Command, CommanderError } from "commander";
import type { FindingId } from "../core/findings";
import { findingIds, UserError } from "../core/findings";
import { nearest } from "../core/nearest";
import { folded, wrapped } from "./layout";
import type { Envelope, Outcome, Surroundings } from "./output";
import { ExitCode, exitCodes, ExitError, printable, schemaVersion, shownText } from "./output";
import { onTermination } from "./process/termination";
import { systemFailure } from "./systemFailure";

/** What the file of a command exports. */
export interface CommandModule {
  /** Declares the command's options and arguments. */
  define(command: Command): void;
  /** Command lines that work, for its help and the documentation; at least one. */
  examples: readonly string[];
  /** @param args The command's arguments, checked as it declares them. */
  run(options: object, surroundings: Surroundings, args: string[]): Promise<Outcome>;
}

/* eslint-disable @typescript-eslint/no-require-imports, @typescript-eslint/consistent-type-imports */
const commands: { name: string; summary: string; load: () => CommandModule }[] = [
  {
    name: "init",
    summary: "write the configuration of a new fleet",
    load: () => require("./commands/init") as typeof import("./commands/init"),
  },
  {
    name: "up",
    summary: "deploy the whole fleet: the audit stack, then all members",
    load: () => require("./commands/up") as typeof import("./commands/up"),
  },
  {
    name: "preview",
    summary: "show what up would change across the fleet",
    load: () => require("./commands/preview") as typeof import("./commands/preview"),
  },
  {
    name: "status",
    summary: "check every trail in AWS: whether it logs, and which events",
    load: () => require("./commands/status") as typeof import("./commands/status"),
  },
  {
    name: "summary",
    summary: "merge the results of a fleet that several machines worked on",
    load: () => require("./commands/summary") as typeof import("./commands/summary"),
  },
  {
    name: "destroy",
    summary: "destroy all trails, then the audit stack except the archive",
    load: () => require("./commands/destroy") as typeof import("./commands/destroy"),
  },
  {
    name: "simulate",
    summary: "check who may deliver, read and delete, by the bucket and key policies",
    load: () => require("./commands/simulate") as typeof import("./commands/simulate"),
  },
  {
    name: "verify",
    summary: "verify that every log of every account is there, and unaltered",
    load: () => require("./commands/verify") as typeof import("./commands/verify"),
  },
  {
    name: "policy",
    summary: "print the policy statements that an existing bucket or key needs, or the merged policy",
    load: () => require("./commands/policy") as typeof import("./commands/policy"),
  },
  {
    name: "explain",
    summary: "explain why existing bucket and key policies refuse a trail",
    load: () => require("./commands/explain") as typeof import("./commands/explain"),
  },
  {
    name: "roles",
    summary: "print the least-privilege roles that deploy the fleet",
    load: () => require("./commands/roles") as typeof import("./commands/roles"),
  },
  {
    name: "guardrails",
    summary: "print the organization's policies that protect trails and archive from administrators",
    load: () => require("./commands/guardrails") as typeof import("./commands/guardrails"),
  },
  {
    name: "migrate",
    summary: "change the trails, key or log prefix in place: plan it, then carry it out step by step",
    load: () => require("./commands/migrate") as typeof import("./commands/migrate"),
  },
  {
    name: "adopt",
    summary: "write the configuration that adopts an existing trail",
    load: () => require("./commands/adopt") as typeof import("./commands/adopt"),
  },
  {
    name: "mfa-delete",
    summary: "check MFA Delete on the log bucket, and show how the root user switches it",
    load: () => require("./commands/mfaDelete") as typeof import("./commands/mfaDelete"),
  },
  {
    name: "completion",
    summary: "print a shell completion script",
    load: () => require("./commands/completion") as typeof import("./commands/completion"),
  },
];
/* eslint-enable */

/** Runs the tool and returns its exit code. Never throws, never ends the process. */
export async function main(args: string[], outside: Surroundings): Promise<number> {
  const json = args.includes("--json");
  const surroundings = withSafeOutput(outside, json);
  const { stdout, stderr } = surroundings;
  const foldedResult = (text: string) => folded(text, surroundings.terminalColumns?.results ?? Infinity);
  const name = args.find((arg) => !arg.startsWith("-"));
  const asked = name === "help" ? args[args.indexOf("help") + 1] : name;
  let command = "crosstrail";
  const failed = (exitCode: number, message: string, error?: unknown): number => {
    const findings = error instanceof UserError ? error.findings : [];
    if (json)
      stdout(envelopeText({ command, ok: false, data: null, findings, errors: [{ message: firstLine(message) }] }));
    stderr(`${message}\n`);
    return exitCode;
  };

  const helpWidth = Math.min(surroundings.columns ?? 80, 78);
  let exitCode: number = ExitCode.Ok;
  const program = new Command("crosstrail")
    .description("Collects the CloudTrail logs of many AWS accounts in one audit account.")
    .version(ownVersion(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand("help [command]", "print the help of a command, with examples")
    // That each has options needs no saying.
    .configureHelp({ subcommandTerm: (sub) => sub.name(), minWidthToWrap: 20 })
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => stdout(folded(text, surroundings.columns ?? 80)),
      getOutHelpWidth: () => surroundings.columns ?? 80,
      // Errors are printed once, below.
      writeErr: () => undefined,
      getOutHasColors: () => surroundings.color,
    })
    .addHelpText(
      "after",
      [
        "\nTo start a new fleet, run crosstrail init in an empty folder, then preview and up.",
        "\ncrosstrail help <id> explains the id of a message, such as config/account-id.",
        // A code stays with its meaning.
        `\n${wrapped(`Exit codes: ${exitCodeList().replaceAll(/(?<!,) /g, "\u00a0")}.`, helpWidth).join("\n")}`.replaceAll(
          "\u00a0",
          " ",
        ),
      ].join("\n"),
    );
  for (const each of commands) {
    const sub = declare(program, each);
    if (each.name !== asked) continue;
    const module = each.load();
    detail(sub, module);
    sub.action(async () => {
      command = each.name;
      const options = sub.opts<Record<string, unknown>>();
      // The one command that can be pointed at a folder with nothing in it says what it needs.
      if (each.name !== "init") requireFolders(options, surroundings.env);
      const outcome = await module.run(options, surroundings, sub.processedArgs as string[]);
      exitCode = outcome.exitCode;
      const ok = exitCode === ExitCode.Ok;
      stdout(
        options.json
          ? envelopeText({ command, ok, data: outcome.data(), findings: outcome.findings, errors: [] })
          : outcome.isDocument
            ? outcome.text()
            : foldedResult(outcome.text()),
      );
      if (outcome.notes && !options.json) stderr(outcome.notes());
    });
  }

  try {
    if (name === "help" && asked?.includes("/")) {
      const { meaning, remedy } = explained(asked);
      stdout(
        json
          ? envelopeText({ command: "help", ok: true, data: { id: asked, meaning, remedy }, findings: [], errors: [] })
          : `${asked}\n\n${[...wrapped(meaning, helpWidth - 2), ...wrapped(`→ ${remedy}`, helpWidth - 2, 2)].map((line) => `  ${line}\n`).join("")}`,
      );
      return ExitCode.Ok;
    }
    if (args.length === 0) program.help();
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      // Help and the version are answers, not mistakes.
      if (error.exitCode === 0) return ExitCode.Ok;
      const known = program.commands.find((each) => each.name() === asked);
      return failed(ExitCode.Usage, usageMessage(error, args, known));
    }
    if (error instanceof ExitError) return failed(error.exitCode, error.message, error);
    if (error instanceof UserError) return failed(ExitCode.Usage, error.message, error);
    const failure = systemFailure(error);
    if (failure) return failed(failure.exitCode, failure.message, failure);
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return failed(ExitCode.Other, `This is a bug in Crosstrail; please report it.\n${text}`);
  }
}

/** @throws ExitError when a folder is named in which nothing can be done. */
function requireFolders({ cwd }: Record<string, unknown>, env: NodeJS.ProcessEnv): void {
  const named = [
    ["--cwd", cwd],
    ["PULUMI_OPTION_CWD", cwd ?? env.PULUMI_OPTION_CWD],
  ] as const;
  for (const [option, folder] of named) {
    if (typeof folder !== "string" || folder === "") continue;
    const isThere = existsSync(folder);
    if (isThere && statSync(folder).isDirectory()) continue;
    throw new ExitError(ExitCode.Usage, "The project folder is not usable. Nothing was changed.", [
      {
        id: "file/unreadable",
        severity: "error",
        subject: `${option} ${folder}`,
        message: isThere ? "It is a file, not a folder." : "The folder does not exist.",
        remedy: "Use the folder that holds Pulumi.yaml.",
      },
    ]);
  }
}

/** The same, where texts from elsewhere cannot do anything to a terminal: nothing else writes to it. */
function withSafeOutput(outside: Surroundings, json: boolean): Surroundings {
  const { stdout, stderr, color, messageColor = false, terminal, terminalColumns } = outside;
  const width = terminalColumns?.messages ?? Infinity;
  return {
    ...outside,
    stdout: (text) => stdout(shownText(text, color && !json)),
    stderr: (text) => stderr(folded(shownText(text, messageColor), width)),
    ...(terminal && { terminal: { ...terminal, write: stderr } }),
  };
}

/** What the catalog says about the id of a finding. */
function explained(id: string): { meaning: string; remedy: string } {
  if (!Object.hasOwn(findingIds, id)) {
    const near = nearest(id, Object.keys(findingIds));
    throw new ExitError(
      ExitCode.Usage,
      `No message has the id ${printable(id)}.${near === undefined ? "" : ` Did you mean ${near}?`}\n  → docs/findings.md lists every id.`,
    );
  }
  const [meaning, remedy] = findingIds[id as FindingId];
  return { meaning, remedy };
}

function exitCodeList(): string {
  return Object.entries(exitCodes)
    .map(([code, { brief }]) => `${code} ${brief}`)
    .join(", ");
}

/** What is wrong with how the tool was called, and where to read on; or at once what was meant. */
function usageMessage({ message, code }: CommanderError, args: string[], command: Command | undefined): string {
  const what = capital(message.replace(/^error: /, "").replace(/\n\((Did you mean .*)\)$/, ". $1"));
  const [first = ""] = args;
  if (code === "commander.unknownOption" && command && first.startsWith("-")) {
    return `${what} before the command.\n  → Options follow the command: crosstrail ${command.name()} ${first}`;
  }
  const isFleet = command?.options.some(({ long }) => long === "--only");
  if (code === "commander.excessArguments" && command && isFleet) {
    const names = args.filter((arg) => !arg.startsWith("-")).slice(1);
    return `${what}\n  → To select stacks: crosstrail ${command.name()} --only ${names.join(" ")}`;
  }
  return `${what}\n  → crosstrail ${command ? `${command.name()} ` : ""}--help`;
}

type Entry = (typeof commands)[number];

/** What `crosstrail --help` says of a command. */
function declare(program: Command, { name, summary }: Entry): Command {
  const sub = program.command(name).summary(summary);
  return sub.description(`${capital(summary)}.`).option("--json", "print one JSON object, for scripts");
}

/** What the command's own help says. */
function detail(sub: Command, module: CommandModule): void {
  module.define(sub);
  sub.addHelpText("after", ["\nExamples:", ...module.examples.map((line) => `  ${line}`)].join("\n"));
}

/** Every command with all that it takes, for the completion and the documentation. */
export function everyCommand(): { program: Command; commands: { command: Command; examples: readonly string[] }[] } {
  const program = new Command("crosstrail");
  return {
    program,
    commands: commands.map((each) => {
      const module = each.load();
      const command = declare(program, each);
      detail(command, module);
      return { command, examples: module.examples };
    }),
  };
}

/** What of a process says where its texts go. */
export interface Streams {
  env: NodeJS.ProcessEnv;
  stdin: NodeJS.ReadableStream & { isTTY?: boolean };
  stdout: NodeJS.WritableStream & { isTTY?: boolean; columns?: number };
  stderr: NodeJS.WritableStream & { isTTY?: boolean; columns?: number; rows?: number };
}

export function surroundingsOf({ env, stdin, stdout, stderr }: Streams): Surroundings {
  const isDumb = env.TERM === "dumb";
  // https://no-color.org, and the word of those whose log shows colors though it is not a terminal.
  const isRefused = (env.NO_COLOR ?? "") !== "" || ["0", "false"].includes(env.FORCE_COLOR ?? "");
  const colors = (stream: { isTTY?: boolean }) =>
    !isRefused && (isSet(env.FORCE_COLOR) || (stream.isTTY === true && !isDumb));
  // A terminal that does not know its width cannot be redrawn without breaking lines; a log in CI keeps every redrawing.
  const canRedraw = stderr.isTTY === true && !isDumb && (stderr.columns ?? 0) >= 20 && !isSet(env.CI);
  const canAsk = stdin.isTTY === true && stderr.isTTY === true;
  return {
    stdout: (text) => void stdout.write(text),
    stderr: (text) => void stderr.write(text),
    env,
    color: colors(stdout),
    columns: columnsOf(stdout, env),
    terminalColumns: { results: terminalWidth(stdout), messages: terminalWidth(stderr) },
    messageColor: colors(stderr),
    ...(canRedraw && { terminal: { columns: () => stderr.columns ?? 80, rows: () => stderr.rows ?? 24 } }),
    onInterrupt: (handler) => onTermination(({ reason }, count) => handler(reason, count)),
    // Questions are no result: they go where messages go.
    ...(canAsk && {
      ask: (question: string) => ask(question, stdin, stderr),
      asking: { input: stdin, output: stderr },
    }),
  };
}

/** A pipe has no width; anyone who reads from it may say one in COLUMNS, as `man` and `git` know it. */
function columnsOf({ isTTY, columns }: Streams["stdout"], { COLUMNS }: NodeJS.ProcessEnv): number {
  const width = isTTY === true && columns ? columns : Number(COLUMNS);
  return Number.isInteger(width) && width > 0 ? width : 80;
}

/** Undefined for what is not a terminal, and for one that does not know its width. */
function terminalWidth({ isTTY, columns }: Streams["stdout"]): number | undefined {
  return isTTY === true && columns ? columns : undefined;
}

/** Whether a variable such as CI says yes. */
function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== "" && value !== "0" && value !== "false";
}

/** Runs the tool for this process. */
export function run(): void {
  // A reader such as `head` that has seen enough is not an error.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  // Node.js 20 is still supported here; which version the AWS SDK wants next is not for this tool to say.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
  const surroundings = surroundingsOf(process);
  // Not process.exit(): it would cut off what is still being written.
  void main(process.argv.slice(2), surroundings).then((exitCode) => {
    process.exitCode = exitCode;
  });
}

/** Ctrl-C and Ctrl-D are answers, too: none. */
async function ask(question: string, input: NodeJS.ReadableStream, output: NodeJS.WritableStream): Promise<string> {
  const lines = createInterface({ input, output });
  const gone = new AbortController();
  lines.once("SIGINT", () => gone.abort());
  lines.once("close", () => gone.abort());
  try {
    return await lines.question(question, { signal: gone.signal });
  } catch {
    return "";
  } finally {
    lines.close();
  }
}

function envelopeText(envelope: Omit<Envelope, "schemaVersion">): string {
  return `${JSON.stringify({ schemaVersion, ...envelope } satisfies Envelope)}\n`;
}

/** The package's version; its package.json is one folder further up once built. */
function ownVersion(): string {
  const file = [join(__dirname, "..", "package.json"), join(__dirname, "..", "..", "package.json")].find(existsSync);
  return file === undefined ? "unknown" : (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function firstLine(text: string): string {
  return text.split("\n")[0] as string;
}
