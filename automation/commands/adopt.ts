/** `crosstrail adopt`: the configuration that brings a trail made by hand under Crosstrail without changing it. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Command } from "commander";
import { stringify } from "yaml";
import type { Adoption, FoundTrail } from "../../core/adoption";
import { adoptionOf, whyNotAdopted } from "../../core/adoption";
import type { Contract } from "../../core/contract";
import { declaredContract } from "../../core/fleet";
import { parseContract } from "../../core/contract";
import type { Finding } from "../../core/findings";
import { formatFinding } from "../../core/findings";
import { futureKeyArn, isFutureKey, parseTrailArn } from "../../core/names";
import { Role } from "../../core/settings";
import type { Outcome, Surroundings } from "../output";
import { ExitCode, ExitError, printable } from "../output";
import { stackFileOf } from "../pulumiProject";
import { fileError, projectIn, readAuditFile, readText } from "../stackFile";
import type { AccountTrails } from "../trails";
import { formerly } from "./_options";

interface Options {
  contract?: string;
  config?: string;
  trail?: string;
  alias?: string;
  stack?: string;
  regions?: string[];
  cwd?: string;
  out?: string;
}

export const examples = [
  "crosstrail adopt --contract audit.json",
  "crosstrail adopt --contract audit.json --cwd . --trail management-events --alias payments",
  "crosstrail adopt --config Pulumi.audit.yaml",
  "crosstrail adopt",
];

export function define(command: Command): void {
  formerly(command, "--audit-stack <name>", "stack");
  // Unlike --cwd, it makes the folder.
  formerly(command, "--out <folder>", "out");
  command
    .option(
      "--contract <file>",
      "the archive that the trail delivers to, or will deliver to: what `pulumi stack output --json` prints for the audit stack; - for standard input. Without it, the trail keeps its bucket and key",
    )
    .option(
      "--config <file>",
      "instead of --contract, while the audit stack is not deployed: its configuration. For the audit account's own trail",
    )
    .option("--trail <name or ARN>", "the trail, if the account has several")
    .option("--alias <alias>", "the member's alias and stack name (default: from the contract)")
    .option("--stack <name>", "the audit stack's name in the member stack's configuration (default: audit)")
    .option("--regions <regions...>", "look in these Regions only (default: every Region)")
    .option("--cwd <folder>", "write the stack file to this project folder (default: only show it)")
    .addHelpText(
      "after",
      "\nUses the account of your current credentials (AWS_PROFILE and so on). Changes nothing in AWS and overwrites no files. Exit code 5 if no trail can be adopted.",
    );
}

export async function run(options: Options, { env }: Pick<Surroundings, "env">): Promise<Outcome> {
  checkAlias(options.alias);
  const contract = archiveOf(options, env);
  /* eslint-disable @typescript-eslint/no-require-imports, @typescript-eslint/consistent-type-imports */
  const { findTrails } = require("../trails") as typeof import("../trails");
  /* eslint-enable */
  const account = await findTrails(options.regions);
  const place = {
    accountId: account.accountId,
    contract,
    isDeclared: options.config !== undefined,
    organization: account.organization,
    auditStack: options.stack ?? "audit",
    alias: options.alias,
  };
  const judged = account.trails.map((trail) => ({ trail, refusals: whyNotAdopted(trail, place) }));
  const adoption = adoptionOf(choose(judged, account, options.trail), place);
  const folder = options.cwd ?? options.out;
  const path = stackFilePath(folder ?? ".", adoption.alias);
  const file = basename(path);
  const text = stackFile(adoption, file);
  // The audit stack's file is there, or is to be written with more than this.
  const written = folder !== undefined && adoption.role !== Role.Audit ? write(path, text) : undefined;
  const result: Result = { account, judged, adoption, contract, file, text, written };
  return {
    exitCode: ExitCode.Ok,
    findings: adoption.findings,
    data: () => dataOf(result),
    text: () => textOf(result),
  };
}

/** A trail and why it cannot be adopted. */
interface Judged {
  trail: FoundTrail;
  refusals: Finding[];
}

interface Result {
  account: AccountTrails;
  judged: Judged[];
  adoption: Adoption;
  contract: Contract | undefined;
  /** The stack file's name. */
  file: string;
  text: string;
  /** Where it was written; undefined when it was not. */
  written: string | undefined;
}

function checkAlias(alias: string | undefined): void {
  if (alias === undefined || /^[a-z0-9][a-z0-9-]{0,62}$/.test(alias)) return;
  throw new ExitError(ExitCode.Usage, "This is not a valid member alias.", [
    {
      id: "config/alias",
      severity: "error",
      subject: `--alias ${alias}`,
      message: "An alias has 1 to 63 lower-case letters, digits and '-', and starts with a letter or a digit.",
      remedy: "For example: --alias payments",
    },
  ]);
}

/** The archive that the trail delivers to, or is to deliver to; undefined: it stays where it is. */
function archiveOf({ contract, config }: Options, env: NodeJS.ProcessEnv): Contract | undefined {
  if (contract !== undefined && config !== undefined) {
    throw new ExitError(
      ExitCode.Usage,
      "--contract and --config cannot be combined.\n  → Use --contract once the audit stack is deployed, and --config before.",
    );
  }
  if (contract !== undefined) return readContract(contract);
  if (config === undefined) return undefined;
  const settings = readAuditFile(config, env);
  const { partition, region, auditAccountId } = settings;
  return { ...declaredContract(settings), keyArn: futureKeyArn(partition, region, auditAccountId) };
}

function readContract(file: string): Contract {
  let outputs: unknown;
  try {
    outputs = JSON.parse(readText(file, "The contract"));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  if (typeof outputs === "object" && outputs !== null && !Array.isArray(outputs)) {
    return parseContract(outputs as Record<string, unknown>, file);
  }
  throw fileError(
    file,
    "contract/json",
    "It is not a JSON object.",
    "Use the output of `pulumi stack output --json -s audit`.",
    "The contract",
  );
}

/** @throws ExitError when no trail can be adopted, or several could be. */
function choose(judged: Judged[], { accountId, regions }: AccountTrails, wanted: string | undefined): FoundTrail {
  const list = judged.map(({ trail }) => trail.arn).join("\n");
  if (judged.length === 0) {
    const where = regions.length > 3 ? `${regions.length} Regions` : regions.join(", ");
    refuse(ExitCode.CheckFailed, "No trail can be adopted.", {
      id: "adopt/no-trail",
      subject: `account ${accountId}`,
      message: `No trail has its home Region in ${where}.`,
      remedy: "Declare the member in the audit stack instead; pulumi up then creates its trail.",
    });
  }
  const named = wanted === undefined ? judged : judged.filter(({ trail }) => isCalled(trail, wanted));
  if (named.length === 0) {
    refuse(ExitCode.Usage, "The trail was not found.", {
      id: "adopt/no-such-trail",
      subject: `--trail ${wanted}`,
      message: `Account ${accountId} has no trail of this name or ARN.`,
      remedy: `Its trails:\n${list}`,
    });
  }
  const possible = named.filter(({ refusals }) => refusals.length === 0);
  if (possible.length > 1) {
    refuse(ExitCode.Usage, "A stack manages one trail, but several could be adopted.", {
      id: "adopt/several",
      subject: `account ${accountId}`,
      message: "Several trails qualify; choose one.",
      remedy: `Add --trail with one of these:\n${possible.map(({ trail }) => trail.arn).join("\n")}`,
    });
  }
  const [chosen] = possible;
  if (!chosen) {
    const refusals = named.flatMap((each) => each.refusals);
    throw new ExitError(ExitCode.CheckFailed, "No trail of this account can be adopted.", refusals);
  }
  return chosen.trail;
}

function refuse(exitCode: ExitCode, headline: string, finding: Omit<Finding, "severity">): never {
  throw new ExitError(exitCode, headline, [{ ...finding, severity: "error" }]);
}

function isCalled({ arn }: FoundTrail, wanted: string): boolean {
  return arn === wanted || parseTrailArn(arn)?.name === wanted;
}

/** Where Pulumi looks for the stack's file: a project may end in .yml or .json, and keep its stacks' files in a folder of their own. */
function stackFilePath(folder: string, stack: string): string {
  const project = existsSync(folder) ? projectIn(folder) : undefined;
  return project ? stackFileOf(project, stack) : join(folder, `Pulumi.${stack}.yaml`);
}

function stackFile({ config, trailArn, role }: Adoption, file: string): string {
  if (file.endsWith(".json")) return `${JSON.stringify({ config }, undefined, 2)}\n`;
  if (role === Role.Audit) {
    const first = `# Adopts ${trailArn}: the pulumi up that these keys are added for imports it and changes nothing of it.`;
    return [first, stringify({ config }, { lineWidth: 0 })].join("\n");
  }
  return [
    `# Adopts ${trailArn}: the first pulumi up imports it and changes nothing.`,
    "# Credentials for the account: aws:profile, or aws:assumeRoles with a role that your current credentials can assume.",
    stringify({ config }, { lineWidth: 0 }),
  ].join("\n");
}

function write(path: string, text: string): string {
  const failed = (message: string, remedy: string) =>
    refuse(ExitCode.Usage, "Nothing was written.", { id: "adopt/file", subject: path, message, remedy });
  if (existsSync(path))
    failed("The file exists; it was not overwritten.", "Choose another --alias or --cwd, or remove the file.");
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { flag: "wx" });
  } catch (error) {
    failed((error as Error).message, "Correct --cwd.");
  }
  return path;
}

function dataOf({ account, judged, adoption, file, text, written }: Result): unknown {
  const { trailArn, role, alias, config, member, organization, authorised, differences, leaveAsIs } = adoption;
  return {
    accountId: account.accountId,
    regions: account.regions,
    skippedRegions: account.skipped,
    trails: judged.map(({ trail, refusals }) => ({ ...trail, adoptable: refusals.length === 0, refusals })),
    adoption: { trailArn, role, alias, config, member, organization, authorised, differences, leaveAsIs },
    file: { name: file, text, written: written ?? null },
  };
}

function textOf(result: Result): string {
  const { account, judged, adoption, text } = result;
  const { skipped } = account;
  const lines = [
    `Account ${account.accountId}: ${judged.length === 1 ? "1 trail" : `${judged.length} trails`} in the ${account.regions.length === 1 ? "Region" : `${account.regions.length} Regions`} searched.`,
    ...(skipped.length > 0 ? [`Regions not enabled in this account: ${skipped.join(", ")}.`] : []),
    "",
    ...judged.flatMap(({ trail, refusals }) => [
      `  ${printable(trail.arn)}${trail.arn === adoption.trailArn ? "   <- adopted" : ""}`,
      `    ${described(trail)}`,
      ...refusals.map(({ message }) => `    not adopted: ${printable(message)}`),
    ]),
    "",
    headline(result),
    "",
    ...indented(text),
    ...adoption.findings.flatMap((finding) => formatFinding(finding).split("\n").map(printable)),
    ...(adoption.differences.length > 0
      ? ["", "Redirecting the trail would change this, in place:", ...changes(adoption)]
      : []),
    "",
    ...nextSteps(result),
  ];
  return `${lines.join("\n")}\n`;
}

function headline({ adoption, file, written }: Result): string {
  if (adoption.role === Role.Audit)
    return `Add these keys to ${file}, the audit stack's configuration (never written by this command):`;
  return written === undefined ? `${file} (not written; add --cwd <folder> to write it):` : `${written} written:`;
}

function described(trail: FoundTrail): string {
  const yes = (is: boolean, text: string, otherwise: string) => (is ? text : otherwise);
  return [
    yes(trail.isMultiRegionTrail, "every Region", "one Region"),
    yes(trail.enableLogFileValidation, "validated", "not validated"),
    yes(trail.enableLogging, "recording", "stopped"),
    `to ${printable(`${trail.bucketName}${trail.logPrefix && `/${trail.logPrefix}`}`)}`,
    trail.keyArn === "" ? "without a key" : `with key ${printable(trail.keyArn)}`,
  ].join(", ");
}

function changes({ differences }: Adoption): string[] {
  return differences.map(({ property, is, archive }) => {
    const wanted = isFutureKey(archive) ? "(the archive's key)" : printable(archive) || "(none)";
    return `  ${property.padEnd(12)}  ${printable(is) || "(none)"} -> ${wanted}`;
  });
}

function nextSteps({ adoption, contract, written, file }: Result): string[] {
  const { role, alias, authorised, member, organization, differences } = adoption;
  const steps: string[][] = [];
  if (!authorised) {
    const entry = stringify(member ? [member] : { "crosstrail:organization": organization })
      .trimEnd()
      .split("\n");
    steps.push([
      `Authorize the trail ${member ? "under crosstrail:members " : ""}in the audit stack's configuration, then deploy the audit stack:`,
      ...entry,
      "pulumi up -s <the audit stack>",
    ]);
  }
  if (!contract) {
    steps.push([
      "The bucket and key stay with their owner. To see which statements their policies need for these trails:",
      "crosstrail policy bucket",
      "crosstrail policy key",
    ]);
  }
  steps.push([
    role === Role.Audit
      ? "Import the trail:"
      : `${written === undefined ? `Write ${file}, add` : "Add"} how to access the account, and import the trail:`,
    ...(role === Role.Audit ? [] : [`pulumi stack init ${alias}`]),
    `pulumi up -s ${alias}`,
    `pulumi preview -s ${alias} --expect-no-changes`,
  ]);
  if (differences.length > 0) {
    steps.push([
      `To redirect the trail to the archive, remove delivery from crosstrail:leaveAsIs in ${file}, and:`,
      `pulumi up -s ${alias}`,
    ]);
  }
  return [
    "Next:",
    ...steps.flatMap(([headline = "", ...rest], index) => [
      `  ${index + 1}. ${headline}`,
      ...rest.map((line) => `       ${line}`),
    ]),
  ];
}

function indented(text: string): string[] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => `  ${printable(line)}`);
}
