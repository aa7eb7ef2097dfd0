/** `crosstrail simulate`: asks the policies of the archive who may do what, before or after they are deployed. */
import type { Command } from "commander";
import pc from "picocolors";
import { parseContract } from "../../core/contract";
import type {
  ArchivePolicies,
  Cell,
  GroupId,
  SimulatedAccess,
  SimulatedFleet,
  Untied,
  Verdict,
} from "../../core/simulate";
import {
  accessOfPolicy,
  accessOfSettings,
  builtPolicies,
  fleetOfContract,
  fleetOfSettings,
  groupSummaries,
  recognisedPolicies,
  simulate,
  subjectSummaries,
  untied,
} from "../../core/simulate";
import type { Finding } from "../../core/findings";
import type { CaseResult } from "../cases";
import { collect, readControls, readLevels } from "../controls";
import { logKey } from "../logKey";
import type { Outcome, Surroundings } from "../output";
import { ExitCode, ExitError, printable } from "../output";
import { contextHelp, readContext } from "../context";
import { fileError, readAuditFile, readText } from "../stackFile";
import { table, wrapped } from "../layout";
import type { AuditFileOptions } from "./_options";
import { auditFileOf, defineAuditFile, namesAuditFile } from "./_options";

interface Options extends AuditFileOptions {
  cases?: string[];
  deployed?: boolean;
  contract?: string;
  full?: boolean;
  bucketPolicy?: string;
  keyPolicy?: string;
  key?: string;
  rcp?: string[];
  scp?: string[];
  context?: string[];
}

export const examples = [
  "crosstrail simulate",
  "crosstrail simulate --stack prod --cases cases/ --json",
  "pulumi stack output --json -s audit | crosstrail simulate --deployed --contract -",
];

export function define(command: Command): void {
  defineAuditFile(command)
    .option("--cases <paths...>", "JSON files, or folders of them, with your own cases")
    .option("--deployed", "read the policies from AWS; needs credentials for the audit account and --contract")
    .option("--context <key=values...>", contextHelp)
    .option("--full", "with --json: include every question and its answer, not only those that failed")
    .option("--contract <file>", "what `pulumi stack output --json` prints for the audit stack; - for standard input")
    .option("--bucket-policy <file>", "ask this bucket policy in place of the one that would be deployed")
    .option("--key-policy <file>", "ask this key policy in place of the one that would be deployed")
    .option("--key <arn>", "with these: the key that encrypts the logs, if they do not name exactly one")
    .option("--rcp <file>", "a resource control policy that holds for the archive; repeatable", collect)
    .option(
      "--scp <files>",
      "the service control policies of one level of the organization, as a,b; repeatable: each level must allow",
      collect,
    )
    .addHelpText("after", "\nExit code 5 if an expectation fails.");
}

export async function run(options: Options, { env, color, columns = 80 }: Surroundings): Promise<Outcome> {
  const controls = { rcps: readControls("rcp", options.rcp), scps: readLevels(options.scp) };
  const { fleet, policies: archive, source, notAsked, managementAccountId } = await subject(options, env);
  const policies = {
    ...archive,
    ...(controls.rcps.length + controls.scps.length > 0 && { controls: { ...controls, managementAccountId } }),
  };
  if (fleet.trails.length === 0 && options.cases === undefined) throw noTrails();
  const cells = simulate(fleet, policies);
  const cases = options.cases ? runUserCases(options.cases, fleet, policies) : [];
  const failed = [...cells, ...cases].filter(isFailed).length;
  const result: Result = { source, fleet, policies, notAsked, cells, cases, failed };
  return {
    exitCode: failed > 0 ? ExitCode.CheckFailed : ExitCode.Ok,
    findings: findingsOf(result),
    data: () => dataOf(result, options.full === true),
    text: () => textOf(result, pc.createColors(color), columns),
  };
}

/** What is simulated, and where it comes from. */
interface Result {
  source: string;
  fleet: SimulatedFleet;
  policies: ArchivePolicies;
  /** What could not be asked about, or is switched off; sentences. */
  notAsked: string[];
  cells: Cell[];
  cases: CaseResult[];
  failed: number;
}

async function subject(
  options: Options,
  env: NodeJS.ProcessEnv,
): Promise<Pick<Result, "source" | "fleet" | "policies" | "notAsked"> & { managementAccountId?: string }> {
  const { deployed, contract: contractFile, context, bucketPolicy, keyPolicy, key: keyOption } = options;
  const given = readContext(context);
  if (keyOption !== undefined && bucketPolicy === undefined && keyPolicy === undefined) {
    throw usage(
      "--key needs --bucket-policy or --key-policy.",
      "Without them, the key is the audit stack's own; remove --key.",
    );
  }
  if (!deployed) {
    if (contractFile !== undefined)
      throw usage("--contract needs --deployed.", "Add --deployed, or remove --contract.");
    const file = auditFileOf(options, env);
    const settings = readAuditFile(file, env);
    const fleet = { ...fleetOfSettings(settings), given };
    const forms = { bucket: settings.bucketPolicyForm, key: settings.keyPolicyForm };
    const managementAccountId = settings.organization?.managementAccountId;
    const notAsked = switchedOff(fleet);
    if (bucketPolicy === undefined && keyPolicy === undefined) {
      return { source: file, fleet, policies: builtPolicies(fleet, forms), notAsked, managementAccountId };
    }
    const bucket = bucketPolicy === undefined ? undefined : readText(bucketPolicy, "The bucket policy");
    const key = keyPolicy === undefined ? undefined : readText(keyPolicy, "The key policy");
    // The configuration does not have the key's ARN; what already exists names it.
    const naming = [
      { kind: "bucket" as const, text: bucket, name: bucketPolicy ?? "" },
      { kind: "key" as const, text: key, name: keyPolicy ?? "" },
    ].filter(({ text }) => text !== undefined);
    const found = logKey(keyOption, naming, { ...settings, keyArn: fleet.keyArn });
    // Crosstrail's own bucket policy is for the key that there is, whatever its ARN.
    const unknown = { ...fleet, isKeyUnknown: bucket !== undefined };
    const asked = found.key === undefined ? unknown : { ...fleet, keyArn: found.key };
    const built = builtPolicies(asked, forms);
    const policies = recognisedPolicies(asked, { bucket: bucket ?? built.bucket, key: key ?? built.key });
    const source = [file, bucketPolicy, keyPolicy].filter((each) => each !== undefined).join(", ");
    return { source, fleet: asked, policies, notAsked, managementAccountId };
  }
  if (bucketPolicy !== undefined || keyPolicy !== undefined) {
    throw usage(
      "--deployed reads the policies from AWS.",
      "Leave out --deployed, or --bucket-policy and --key-policy.",
    );
  }
  if (contractFile === undefined) {
    throw usage(
      "--deployed needs --contract.",
      "pulumi stack output --json -s audit | crosstrail simulate --deployed --contract -",
    );
  }
  const contract = parseContract(readJson(contractFile), contractFile);
  /* eslint-disable @typescript-eslint/no-require-imports, @typescript-eslint/consistent-type-imports */
  const { readDeployed, readQueuePolicy } = require("../deployed") as typeof import("../deployed");
  /* eslint-enable */
  // Before AWS is asked: a mistake in the file is seen at once.
  const settings = namesAuditFile(options) ? readAuditFile(auditFileOf(options, env), env) : undefined;
  const declared = settings && accessOfSettings(settings);
  // The contract does not say whether there is a queue.
  const queueArn = settings && fleetOfSettings(settings).queueArn;
  const { bucket, key, bucketKey } = await readDeployed(contract);
  const queue = queueArn === undefined ? {} : { queue: await readQueuePolicy(queueArn) };
  const fleet = { ...fleetOfContract(contract, bucketKey, declared ?? accessOfPolicy(bucket)), queueArn, given };
  const readers = (contract.readers ?? []).map(({ name }) => name);
  return {
    source: `bucket ${contract.bucketName} in account ${contract.auditAccountId}, as deployed`,
    fleet,
    policies: recognisedPolicies(fleet, { bucket, key, ...queue }),
    managementAccountId: contract.organization?.managementAccountId,
    notAsked: [
      ...(declared || readers.length === 0
        ? []
        : [
            `the reader roles ${readers.join(", ")}: the contract does not include their policies; use --stack to check them`,
          ]),
      ...switchedOff({ ...fleet, readers: declared ? fleet.readers : contract.readers }),
      // They are in other accounts. The questions are about trails that deliver as the contract says.
      ...(contract.trails.length > 0 ? [trailsNotRead] : []),
    ],
  };
}

const trailsNotRead =
  "whether each trail delivers as the contract says: its bucket, prefix and key in AWS (crosstrail status reads every trail)";

/** Without a question there is no answer. */
function noTrails(): ExitError {
  return new ExitError(ExitCode.Usage, "The fleet has no trails, so there is nothing to ask.", [
    {
      id: "simulate/no-trail",
      severity: "error",
      subject: "crosstrail:members",
      message: "No members and no organization trail are declared, and the audit account has no trail of its own.",
      remedy: "Declare the members or the organization in the audit stack's configuration.",
    },
  ]);
}

/** The options of the archive that are off: nothing is asked about them. */
function switchedOff({ readers = [], requireMfa }: SimulatedAccess): string[] {
  return [
    ...(readers.length > 0 ? [] : ["reader roles (none declared)"]),
    ...(requireMfa ? [] : ["reading without MFA (not required)"]),
  ];
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

const correctContract = "Use the output of `pulumi stack output --json -s audit`.";

function usage(message: string, remedy: string): ExitError {
  return new ExitError(ExitCode.Usage, `${message}\n  → ${remedy}`);
}

/** More failures than this say nothing new: mostly one statement is wrong for every account. */
const mostFindings = 100;

function findingsOf({ cells, cases }: Result): Finding[] {
  const failures = failedOf(cells);
  const more = failures.length - mostFindings;
  return [
    ...failures.slice(0, mostFindings).map(failedCell),
    ...(more > 0 ? [moreFailures(more)] : []),
    ...cases.filter(isFailed).map(({ name, expected, verdict, decision }): Finding => ({
      id: verdict === "undecided" ? "simulate/undecided" : "simulate/case-failed",
      severity: "error",
      subject: name,
      message: `Expected: ${expected}. ${decision.explanation}`,
      remedy: "Correct the policy, or the case.",
    })),
    ...untied(cells).map(untiedFinding),
  ];
}

/** What is undecided is no better than what failed. */
function isFailed({ verdict }: { verdict: Verdict }): boolean {
  return verdict === "failed" || verdict === "undecided";
}

function failedOf(cells: Cell[]): Cell[] {
  return cells.filter(isFailed);
}

const deployOurs =
  "Deploy the policies that Crosstrail builds (pulumi up on the audit stack). If they are already deployed, please report this as a bug.";

function failedCell({ title, subject, expected, verdict, decision }: Cell): Finding {
  const isOpen = verdict === "undecided";
  return {
    id: isOpen ? "simulate/undecided" : "simulate/failed",
    severity: "error",
    subject: `${subject.alias} (${subject.accountId}): ${title}`,
    message: `Expected: ${expected}. ${decision.explanation ?? ""}`,
    remedy: isOpen ? decideIt : deployOurs,
  };
}

const decideIt = "Give what decides it, as the message says, or change the statement so that it does not depend on it.";

function moreFailures(count: number): Finding {
  const message = `${count} more answers are not as expected; --json --full lists all of them.`;
  return { id: "simulate/failed", severity: "error", subject: `${count} more`, message, remedy: deployOurs };
}

function untiedFinding({ title, count, policy, form, reason }: Untied): Finding {
  return {
    id: "simulate/not-tied",
    severity: "info",
    subject: `${title} (${count} times)`,
    message: `This is allowed. The ${policy} policy has form ${form}: ${reason}.`,
    remedy:
      policy === "bucket"
        ? "crosstrail:bucketPolicyForm can require a tighter form; by default, the tightest that fits is used."
        : "crosstrail:keyPolicyForm can require a tighter form; by default, the tightest that fits is used.",
  };
}

function dataOf({ source, fleet, policies, notAsked, cells, cases }: Result, full: boolean): unknown {
  const count = (verdict: Verdict) => cells.filter((cell) => cell.verdict === verdict).length;
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
      undecided: count("undecided"),
      failed: count("failed"),
      cases: cases.length,
      casesFailed: cases.filter(isFailed).length,
    },
    groups: groupSummaries(cells),
    subjects: subjectSummaries(cells),
    notTied: untied(cells),
    notAsked,
    // Of 500 accounts some 20,000 questions, nearly all of them as expected, would be 17 MB.
    cells: full ? cells : failedOf(cells).slice(0, mostFindings),
    cases,
  };
}

type Colors = ReturnType<typeof pc.createColors>;

const headings: Record<GroupId, string> = {
  deliver: "delivers",
  read: "auditor\nreads",
  own: "own\nlogs",
  reader: "reader\nroles",
  upkeep: "upkeep",
  "other-trail": "other\ntrail",
  "other-path": "other\npath",
  outsider: "outsider",
  "wrong-acl": "wrong\nACL",
  "plain-http": "no TLS",
  anonymous: "anonymous",
  "read-others": "others'\nlogs",
  tamper: "tamper",
  guard: "own\nadmins",
  beyond: "roles\nbeyond",
  "no-mfa": "no MFA",
};

/** Larger fleets show only the accounts where something is not as expected. */
const mostRows = 50;
const mostFailures = 20;

function textOf(
  { source, fleet, policies, notAsked, cells, cases, failed }: Result,
  colors: Colors,
  columns: number,
): string {
  const fold = (text: string, hanging?: number) => wrapped(text, columns, hanging);
  const lines = [
    ...fold(`${colors.bold(printable(source))}: bucket policy ${policies.bucketForm}, key policy ${policies.keyForm}`),
    "",
  ];
  if (fleet.trails.length === 0) lines.push("The fleet has no trails: only your cases were asked.", "");
  else lines.push(...tableOf(cells, colors, columns), "");

  const loose = untied(cells);
  if (loose.length > 0) {
    lines.push(colors.bold("Allowed, because the chosen policy form cannot restrict it:"));
    for (const { title, count, policy, form, reason } of loose) {
      lines.push(...fold(`  ${title} (${count} times)`, 2));
      lines.push(...fold(`    ${policy} policy, ${form}: ${reason}`).map((line) => colors.dim(line)));
    }
    lines.push("");
  }
  if (cases.length > 0) {
    lines.push(colors.bold("Your cases"));
    for (const { name, expected, verdict, decision } of cases) {
      const mark = verdict === "ok" ? colors.green("ok    ") : colors.red(verdict === "failed" ? "FAILED" : "OPEN  ");
      lines.push(`  ${mark}  ${printable(name)}: ${expected}`);
      if (verdict !== "ok") lines.push(...fold(`          ${printable(decision.explanation)}`));
    }
    lines.push("");
  }
  const failures = failedOf(cells);
  if (failures.length > 0) {
    lines.push(colors.red(colors.bold("Not as expected")));
    for (const { title, subject, expected, decision } of failures.slice(0, mostFailures)) {
      lines.push(...fold(`  ${printable(subject.alias)} (${subject.accountId}): ${title}; expected: ${expected}`, 2));
      lines.push(...fold(`    ${printable(decision.explanation ?? "")}`));
    }
    if (failures.length > mostFailures)
      lines.push(`  and ${failures.length - mostFailures} more; --json --full lists all of them.`);
    lines.push("");
  }
  if (notAsked.length > 0 && cells.length > 0)
    lines.push(...fold(`Not checked: ${notAsked.map(printable).join("; ")}.`).map((line) => colors.dim(line)));
  const open = loose.reduce((sum, { count }) => sum + count, 0);
  const undecided = [...cells, ...cases].filter(({ verdict }) => verdict === "undecided").length;
  const ofThese = undecided > 0 ? `, ${undecided} of them because they cannot be decided (OPEN)` : "";
  const allBut = open > 0 ? `, except ${open} that the policy form cannot restrict` : "";
  const asked = `${cells.length} questions${cases.length > 0 ? ` and ${cases.length} of your cases` : ""}`;
  lines.push(
    failed === 0
      ? colors.green(`${asked}: all as expected${allBut}.`)
      : colors.red(`${asked}: ${failed} not as expected${ofThese}.`),
    "",
  );
  return lines.join("\n");
}

function tableOf(cells: Cell[], colors: Colors, columns: number): string[] {
  const groups = groupSummaries(cells);
  const all = subjectSummaries(cells);
  const isShown = ({ results }: (typeof all)[number]) =>
    all.length <= mostRows || Object.values(results).some((verdict) => isFailed({ verdict }));
  const shown = all.filter(isShown).slice(0, mostRows);
  const words = {
    ok: colors.green("ok"),
    notTied: colors.yellow("open"),
    undecided: colors.red("OPEN"),
    failed: colors.red("FAILED"),
  };
  const head = ["account", "", ...groups.map(({ id }) => headings[id])];
  const rows = shown.map(({ alias, accountId, results }) => [
    printable(alias),
    accountId,
    ...groups.map(({ id }) => (results[id] ? words[results[id]] : colors.dim("-"))),
  ]);
  const lines =
    rows.length === 0
      ? []
      : table({
          head: head.map((title) => title.split("\n").map((line) => colors.bold(line))),
          rows,
          fixed: 2,
          width: columns,
        });
  const hidden = all.length - shown.length;
  if (hidden > 0) {
    const failing = all.filter(isShown).length > shown.length;
    lines.push(`${hidden} ${failing ? "more accounts" : "accounts where nothing failed"}; --json lists all of them.`);
  }
  const possible = groups.filter(({ expected }) => expected === "allow").length;
  lines.push(
    "",
    ...wrapped(
      `ok: the actions in the first ${possible} columns are allowed and all others refused, as they should be.`,
      columns,
    ).map((line) => colors.dim(line)),
  );
  return lines;
}
