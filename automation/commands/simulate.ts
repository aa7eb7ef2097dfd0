/** `crosstrail simulate`: asks the policies of the archive who may do what, before they are deployed or as they are. */
import Table from "cli-table3";
import type { Command } from "commander";
import pc from "picocolors";
import { parseContract } from "../../core/contract";
import type { ArchivePolicies, Cell, GroupId, SimulatedFleet } from "../../core/evaluate";
import {
  builtPolicies,
  fleetOfContract,
  fleetOfSettings,
  questionGroups,
  recognisedPolicies,
  simulate,
} from "../../core/evaluate";
import type { Finding } from "../../core/findings";
import type { CaseResult } from "../cases";
import type { Outcome, Surroundings } from "../output";
import { ExitCode, ExitError, printable } from "../output";
import { fileError, readStackFile, readText } from "../stackFile";

interface Options {
  config?: string;
  cases?: string[];
  deployed?: boolean;
  contract?: string;
}

const defaultConfig = "Pulumi.audit.yaml";

export function define(command: Command): void {
  command
    .option("--config <file>", `the audit stack's configuration (default: ${defaultConfig})`)
    .option("--cases <paths...>", "JSON files, or folders of them, with cases of your own")
    .option("--deployed", "read the policies from AWS, with credentials of the audit account; needs --contract")
    .option(
      "--contract <file>",
      "what `pulumi stack output --json` prints for the audit stack; - for the standard input",
    )
    .addHelpText("after", "\nExit code 5 when an expectation fails.");
}

export async function run(options: Options, { env, color }: Surroundings): Promise<Outcome> {
  const { fleet, policies, source } = await subject(options, env);
  const cells = simulate(fleet, policies);
  const cases = options.cases ? runUserCases(options.cases, fleet, policies) : [];
  const failed = [...cells, ...cases].filter(({ verdict }) => verdict === "failed").length;
  const result: Result = { source, fleet, policies, cells, cases, failed };
  return {
    exitCode: failed > 0 ? ExitCode.CheckFailed : ExitCode.Ok,
    findings: findingsOf(result),
    data: () => dataOf(result),
    text: () => textOf(result, pc.createColors(color)),
  };
}

/** What is simulated, and where it comes from. */
interface Result {
  source: string;
  fleet: SimulatedFleet;
  policies: ArchivePolicies;
  cells: Cell[];
  cases: CaseResult[];
  failed: number;
}

async function subject(
  { config, deployed, contract: contractFile }: Options,
  env: NodeJS.ProcessEnv,
): Promise<Pick<Result, "source" | "fleet" | "policies">> {
  if (!deployed) {
    if (contractFile !== undefined)
      throw usage("--contract is for --deployed.", "Add --deployed, or leave --contract out.");
    const file = config ?? defaultConfig;
    const settings = readStackFile(file, env);
    if (settings.role !== "audit") {
      throw fileError(
        file,
        "simulate/role",
        `It is a ${settings.role} stack's; the policies belong to the audit stack.`,
        "Give the audit stack's file with --config.",
      );
    }
    const fleet = fleetOfSettings(settings);
    const forms = { bucket: settings.bucketPolicyForm, key: settings.keyPolicyForm };
    return { source: file, fleet, policies: builtPolicies(fleet, forms) };
  }
  if (config !== undefined)
    throw usage("--config is not for --deployed.", "Leave --config out: the contract says it all.");
  if (contractFile === undefined) {
    throw usage(
      "--deployed needs --contract.",
      "pulumi stack output --json -s audit | crosstrail simulate --deployed --contract -",
    );
  }
  const contract = parseContract(readJson(contractFile), contractFile);
  /* eslint-disable @typescript-eslint/no-require-imports, @typescript-eslint/consistent-type-imports */
  const { readDeployed } = require("../deployed") as typeof import("../deployed");
  /* eslint-enable */
  const { bucket, key, bucketKey } = await readDeployed(contract, env);
  const fleet = fleetOfContract(contract, bucketKey);
  return {
    source: `bucket ${contract.bucketName} in account ${contract.auditAccountId}, as deployed`,
    fleet,
    policies: recognisedPolicies(fleet, { bucket, key }),
  };
}

function runUserCases(paths: string[], fleet: SimulatedFleet, policies: ArchivePolicies): CaseResult[] {
  /* eslint-disable @typescript-eslint/no-require-imports, @typescript-eslint/consistent-type-imports */
  const { readCases, runCases } = require("../cases") as typeof import("../cases");
  /* eslint-enable */
  return runCases(readCases(paths, fleet), fleet, policies);
}

function readJson(file: string): Record<string, unknown> {
  const text = readText(file, "The contract");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw fileError(
      file,
      "contract/json",
      `It is not JSON: ${(error as Error).message}`,
      correctContract,
      "The contract",
    );
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw fileError(file, "contract/json", "It is not a JSON object.", correctContract, "The contract");
}

const correctContract = "Give what `pulumi stack output --json` prints for the audit stack.";

function usage(message: string, remedy: string): ExitError {
  return new ExitError(ExitCode.Usage, `${message}\n  → ${remedy}`);
}

function findingsOf({ cells, cases }: Result): Finding[] {
  const failures = cells.filter(({ verdict }) => verdict === "failed").map(failedCell);
  const failedCases = cases
    .filter(({ verdict }) => verdict === "failed")
    .map(({ name, expected, decision }): Finding => ({
      id: "simulate/case-failed",
      severity: "error",
      subject: name,
      message: `Expected: ${expected}. ${decision.explanation}`,
      remedy: "Correct the policy, or the case.",
    }));
  return [...failures, ...failedCases, ...untied(cells).map(untiedFinding)];
}

function failedCell({ title, subject, expected, decision }: Cell): Finding {
  return {
    id: "simulate/failed",
    severity: "error",
    subject: `${subject.alias} (${subject.accountId}): ${title}`,
    message: `Expected: ${expected}. ${decision.explanation}`,
    remedy:
      "Deploy the policies that Crosstrail builds (pulumi up for the audit stack). If they are those, please report this.",
  };
}

/** What the forms cannot tie: once for each question, not for each account. */
function untied(cells: Cell[]): { cell: Cell; count: number }[] {
  const found = new Map<string, { cell: Cell; count: number }>();
  for (const cell of cells) {
    if (cell.verdict !== "notTied") continue;
    const known = found.get(cell.question);
    if (known) known.count++;
    else found.set(cell.question, { cell, count: 1 });
  }
  return [...found.values()];
}

function untiedFinding({ cell, count }: { cell: Cell; count: number }): Finding {
  const { policy, form, reason } = cell.notTied as NonNullable<Cell["notTied"]>;
  return {
    id: "simulate/not-tied",
    severity: "info",
    subject: `${cell.title} (${count} times)`,
    message: `It is possible. The ${policy} policy has form ${form}: ${reason}.`,
    remedy:
      policy === "bucket"
        ? "crosstrail:bucketPolicyForm demands a tighter form; the tightest that fits is taken by default."
        : "crosstrail:keyPolicyForm demands a tighter form; the tightest that fits is taken by default.",
  };
}

function dataOf({ source, fleet, policies, cells, cases, failed }: Result): unknown {
  const count = (verdict: Cell["verdict"]) => cells.filter((cell) => cell.verdict === verdict).length;
  return {
    source,
    bucketName: fleet.bucketName,
    bucketPolicyForm: policies.bucketForm,
    keyPolicyForm: policies.keyForm,
    summary: {
      accounts: new Set(fleet.trails.map(({ trail }) => trail.accountId)).size,
      questions: cells.length,
      ok: count("ok"),
      notTied: count("notTied"),
      failed: count("failed"),
      cases: cases.length,
      casesFailed: failed - count("failed"),
    },
    groups: questionGroups,
    cells,
    cases,
  };
}

type Colors = ReturnType<typeof pc.createColors>;

const headings: Record<GroupId, string> = {
  deliver: "delivers",
  read: "auditor\nreads",
  "other-trail": "other\ntrail",
  "other-path": "other\npath",
  outsider: "outsider",
  "wrong-acl": "wrong\nACL",
  "plain-http": "no TLS",
  anonymous: "anon-\nymous",
  "read-others": "others'\nlogs",
  tamper: "tamper",
};

/** Larger fleets show only the accounts where something is not as expected. */
const mostRows = 50;
const mostFailures = 20;

function textOf({ source, fleet, policies, cells, cases, failed }: Result, colors: Colors): string {
  const lines = [
    `${colors.bold(printable(source))}: bucket policy ${policies.bucketForm}, key policy ${policies.keyForm}`,
    "",
  ];
  if (fleet.trails.length === 0) lines.push("The fleet has no trail, so there is nothing to ask.", "");
  else lines.push(...tableOf(cells, colors), "");

  const loose = untied(cells);
  if (loose.length > 0) {
    lines.push(colors.bold("What the forms cannot tie") + ", and is possible:");
    for (const { cell, count } of loose) {
      const { policy, form, reason } = cell.notTied as NonNullable<Cell["notTied"]>;
      lines.push(`  ${cell.title} (${count} times)`, colors.dim(`    ${policy} policy, ${form}: ${reason}`));
    }
    lines.push("");
  }
  if (cases.length > 0) {
    lines.push(colors.bold("Your cases"));
    for (const { name, expected, verdict, decision } of cases) {
      const mark = verdict === "ok" ? colors.green("ok    ") : colors.red("FAILED");
      lines.push(`  ${mark}  ${printable(name)}: ${expected}`);
      if (verdict === "failed") lines.push(`          ${printable(decision.explanation)}`);
    }
    lines.push("");
  }
  const failures = cells.filter(({ verdict }) => verdict === "failed");
  if (failures.length > 0) {
    lines.push(colors.red(colors.bold("Not as expected")));
    for (const { title, subject, expected, decision } of failures.slice(0, mostFailures)) {
      lines.push(`  ${printable(subject.alias)} (${subject.accountId}): ${title}; expected: ${expected}`);
      lines.push(`    ${printable(decision.explanation)}`);
    }
    if (failures.length > mostFailures)
      lines.push(`  and ${failures.length - mostFailures} more; --json has them all.`);
    lines.push("");
  }
  const asked = `${cells.length} questions${cases.length > 0 ? ` and ${cases.length} of your cases` : ""}`;
  lines.push(
    failed === 0 ? colors.green(`${asked}: all as expected.`) : colors.red(`${asked}: ${failed} not as expected.`),
    "",
  );
  return lines.join("\n");
}

function tableOf(cells: Cell[], colors: Colors): string[] {
  const rows = new Map<string, { alias: string; accountId: string; worst: Map<GroupId, Cell["verdict"]> }>();
  for (const { subject, group, verdict } of cells) {
    let row = rows.get(subject.accountId);
    if (!row) rows.set(subject.accountId, (row = { ...subject, worst: new Map() }));
    row.worst.set(group, worse(row.worst.get(group), verdict));
  }
  const all = [...rows.values()];
  const isShown = (row: (typeof all)[number]) => all.length <= mostRows || [...row.worst.values()].includes("failed");
  const shown = all.filter(isShown).slice(0, mostRows);
  const words = { ok: colors.green("ok"), notTied: colors.yellow("not tied"), failed: colors.red("FAILED") };
  const table = new Table({
    head: ["account", "", ...questionGroups.map(({ id }) => headings[id])].map((title) =>
      title
        .split("\n")
        .map((line) => colors.bold(line))
        .join("\n"),
    ),
    chars: borderless,
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [] },
  });
  for (const { alias, accountId, worst } of shown) {
    const verdicts = questionGroups.map(({ id }) => worst.get(id));
    table.push([
      printable(alias),
      accountId,
      ...verdicts.map((verdict) => (verdict ? words[verdict] : colors.dim("-"))),
    ]);
  }
  const lines = shown.length > 0 ? [table.toString().replace(/ +$/gm, "")] : [];
  const hidden = all.length - shown.length;
  if (hidden > 0) {
    const failing = all.filter(isShown).length > shown.length;
    lines.push(`${hidden} ${failing ? "more accounts" : "accounts where nothing failed"}; --json has each of them.`);
  }
  lines.push("", colors.dim("ok: the first two are possible, the others are refused, and that is as it should be."));
  return lines;
}

function worse(a: Cell["verdict"] | undefined, b: Cell["verdict"]): Cell["verdict"] {
  return a === "failed" || b === "failed" ? "failed" : a === "notTied" || b === "notTied" ? "notTied" : "ok";
}

const borderless = {
  ...Object.fromEntries(
    ["top", "bottom", "left", "right"].flatMap((side) =>
      ["", "-mid", "-left", "-right"].map((part) => [`${side}${part}`, ""]),
    ),
  ),
  mid: "",
  "mid-mid": "",
  middle: "  ",
};
