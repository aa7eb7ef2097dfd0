/** `crosstrail verify`: every log of every account, complete and unaltered. */
import { existsSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import type { Finding } from "../../core/findings";
import { UserError } from "../../core/findings";
import { bucketNameProblem, roleArnProblem } from "../../core/names";
import type { AuditSettings } from "../../core/settings";
import { ReadError, ReadProblem } from "../archive";
import type { Outcome, Surroundings } from "../output";
import { ExitCode, ExitError, printable } from "../output";
import { readAuditFile, readText } from "../stackFile";
import type { AuditFileOptions } from "./_options";
import { auditFileOf, defineAuditFile, namesAuditFile } from "./_options";
import { exitCodeOf, verify, type VerifyOptions } from "../verify";
import { runId } from "../verify/journal";
import { htmlPage } from "../verify/html";
import { progressText, resultText } from "../verify/text";

interface Options extends AuditFileOptions {
  bucket?: string;
  region?: string;
  folder?: string;
  copyOf?: string;
  publicKeys?: string;
  roleArn?: string;
  externalId?: string;
  since?: string;
  until?: string;
  accounts?: string[];
  regions?: string[];
  chainOnly?: boolean;
  checkpoint?: string;
  checkpointKey?: string;
  evidence?: string;
  html?: string;
  restart?: boolean;
}

export const examples = [
  "crosstrail verify",
  "crosstrail verify --since 2026-11-01 --accounts 222222222222 --html verify.html",
  "crosstrail verify --checkpoint verify.json --checkpoint-key verify.key",
  "crosstrail verify --bucket org-logs-replica --region eu-west-1 --copy-of org-logs",
  "crosstrail verify --folder ./synced --public-keys keys.json --evidence ./evidence",
];

export function define(command: Command): void {
  defineAuditFile(command)
    .option("--bucket <name>", "another bucket than the configuration's")
    .option("--region <region>", "the Region of that bucket")
    .option("--folder <folder>", "a folder that was synced from a bucket, instead of a bucket")
    .option("--copy-of <bucket>", "what is read is a copy, of this bucket")
    .option("--public-keys <file>", "AWS's public keys, as aws cloudtrail list-public-keys prints them")
    .option("--role-arn <arn>", "the role that reads the archive, such as a reader role of the audit account")
    .option("--external-id <id>", "what the role's trust policy asks for")
    .option("--since <time>", "logs from then on: a date (UTC) or an ISO time")
    .option("--until <time>", "logs until then")
    .option("--accounts <ids...>", "these accounts only")
    .option("--regions <regions...>", "these Regions only")
    .option("--chain-only", "check the digests only, and read no log file")
    .option("--checkpoint <file>", "continue where earlier runs ended, and notice if history has changed since")
    .option("--checkpoint-key <file>", "the file with the key that protects the checkpoint")
    .option("--evidence <folder>", "write what a third party needs to check the result with openssl and sha256sum")
    .option("--html <file>", "write the result as a page, with a heat map of accounts and days")
    .option("--restart", "do not continue an interrupted run")
    .addHelpText(
      "after",
      [
        "\nExit code 0: everything in range is there, and unaltered. 5: something is missing, changed, or not what it says.",
        "10: no problem was found, but not everything could be checked. 8: cancelled; the same command continues.",
      ].join("\n"),
    );
}

export async function run(options: Options, surroundings: Surroundings): Promise<Outcome> {
  const { stderr, terminal, onInterrupt, color, env } = surroundings;
  const verifyOptions = optionsOf(options, env);
  const journal = join(stateFolder(env), "verify", `${runId(verifyOptions).slice(0, 24)}.jsonl`);
  if (options.restart && existsSync(journal)) writeFileSync(journal, "");
  const abort = new AbortController();
  const detach = onInterrupt?.((reason) => abort.abort(reason));
  const progress = new Progress(stderr, terminal);
  try {
    const result = await verify({
      ...verifyOptions,
      journal,
      signal: abort.signal,
      onMessage: (message) => progress.say(message),
      onProgress: (each) => progress.show(progressText(each)),
    });
    progress.close();
    if (options.html !== undefined) writeFileSync(options.html, htmlPage(result));
    return {
      exitCode: exitCodeOf(result),
      findings: result.findings,
      data: () => result,
      text: () => resultText(result, color),
    };
  } catch (error) {
    if (abort.signal.aborted) throw new ExitError(ExitCode.Cancelled, "Cancelled. The same command continues.");
    throw readable(error);
  } finally {
    progress.close();
    detach?.();
  }
}

/** A refusal of AWS's while listing: nothing could be begun. */
function readable(error: unknown): unknown {
  if (!(error instanceof ReadError)) return error;
  const isDenied = error.problem === ReadProblem.Denied;
  const code = isDenied ? ExitCode.Authentication : ExitCode.Other;
  return new ExitError(code, "The archive cannot be listed. Nothing was verified.", [
    {
      id: isDenied ? "aws/refused" : "aws/failed",
      severity: "error",
      subject: "the log bucket",
      message: `AWS answers: ${printable(error.message)}`,
      remedy: isDenied
        ? "Use credentials that may list and read it; docs/verify.md has the permissions."
        : "Check the bucket's name and Region, and that AWS can be reached.",
    },
  ]);
}

function optionsOf(options: Options, env: NodeJS.ProcessEnv): VerifyOptions {
  const problems: Finding[] = [];
  const refuse = (subject: string, message: string, remedy: string) =>
    problems.push({ id: "verify/options", severity: "error", subject, message, remedy });
  const time = (name: "since" | "until"): Date | undefined => {
    const text = options[name];
    if (text === undefined) return undefined;
    const isTime = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/.test(text);
    const date = new Date(text);
    if (isTime && !Number.isNaN(date.getTime())) return date;
    refuse(`--${name}`, `"${printable(text)}" is not a time.`, "Write 2026-11-01, or 2026-11-01T06:00:00Z.");
    return undefined;
  };
  const since = time("since");
  const until = time("until");
  if (since && until && since >= until) refuse("--until", "It is not after --since.", "Swap the two.");
  for (const id of options.accounts ?? []) {
    if (!/^\d{12}$/.test(id))
      refuse("--accounts", `"${printable(id)}" is not an account id of 12 digits.`, "Write 222222222222.");
  }
  for (const name of options.regions ?? []) {
    if (!/^[a-z]{2,4}(-[a-z]+)+-\d$/.test(name))
      refuse("--regions", `"${printable(name)}" is not a Region.`, "Write us-east-1.");
  }
  for (const name of ["bucket", "copyOf"] as const) {
    const problem = options[name] === undefined ? undefined : bucketNameProblem(options[name]);
    if (problem)
      refuse(name === "bucket" ? "--bucket" : "--copy-of", `${problem}.`, "Give the bucket's name, without s3://.");
  }
  const roleProblem = options.roleArn === undefined ? undefined : roleArnProblem(options.roleArn);
  if (roleProblem) refuse("--role-arn", `${roleProblem}.`, "Give the role's ARN.");
  if (options.folder !== undefined && options.bucket !== undefined) {
    refuse("--folder", "It cannot be used with --bucket.", "Give one of the two.");
  }
  if (options.region !== undefined && options.bucket === undefined) {
    refuse("--region", "It belongs to --bucket.", "For some Regions of the archive only: --regions");
  }
  if (options.checkpointKey !== undefined && options.checkpoint === undefined) {
    refuse("--checkpoint-key", "It belongs to --checkpoint.", "Give both.");
  }
  if (problems.length > 0) throw new UserError("These options cannot be used. Nothing was verified.", problems);

  // A folder or bucket by name needs no configuration; if one is there, it says which accounts there should be.
  const isNamed = options.folder !== undefined || options.bucket !== undefined;
  const settings = isNamed && !namesAuditFile(options) ? undefined : readAuditFile(auditFileOf(options, env), env);
  const key =
    options.checkpointKey === undefined
      ? env.CROSSTRAIL_CHECKPOINT_KEY
      : readText(options.checkpointKey, "The checkpoint's key").trim();
  return {
    ...(options.folder !== undefined
      ? { folder: resolve(options.folder) }
      : options.bucket !== undefined
        ? { bucket: options.bucket, ...(options.region !== undefined && { bucketRegion: options.region }) }
        : bucketOf(settings as AuditSettings)),
    ...(options.copyOf !== undefined && { copyOf: options.copyOf }),
    ...(options.publicKeys !== undefined && { publicKeys: options.publicKeys }),
    ...(options.roleArn !== undefined && { roleArn: options.roleArn }),
    ...(options.externalId !== undefined && { externalId: options.externalId }),
    ...(since && { since }),
    ...(until && { until }),
    ...(options.accounts && { accounts: options.accounts }),
    ...(options.regions && { regions: options.regions }),
    ...(options.chainOnly && { chainOnly: true }),
    ...(options.checkpoint !== undefined && { checkpoint: resolve(options.checkpoint) }),
    ...(key !== undefined && { checkpointKey: key }),
    ...(options.evidence !== undefined && { evidence: resolve(options.evidence) }),
    ...(settings && fleetOf(settings)),
  };
}

function bucketOf({
  bucketName,
  region,
  auditAccountId,
}: AuditSettings): Pick<VerifyOptions, "bucket" | "bucketRegion" | "bucketOwner"> {
  return { bucket: bucketName, bucketRegion: region, bucketOwner: auditAccountId };
}

/** What the configuration declares: which accounts have to be there, and where they deliver to. */
function fleetOf(settings: AuditSettings): Pick<VerifyOptions, "expectedAccounts" | "known"> {
  const { fleet, logPrefix, organization } = settings;
  const accountIds = [...new Set(fleet.map(({ trail }) => trail.accountId))];
  return {
    expectedAccounts: accountIds,
    known: {
      prefixes: [logPrefix || undefined],
      ...(organization && { organizationId: organization.id }),
      accountIds,
    },
  };
}

/** Where an interrupted run keeps what it has done. */
function stateFolder(env: NodeJS.ProcessEnv): string {
  return join(env.XDG_STATE_HOME || join(homedir(), ".local", "state"), "crosstrail");
}

/** One line that is written again on a terminal, and now and then a line elsewhere. */
class Progress {
  private isOpen = false;
  private shownAt = 0;

  constructor(
    private readonly write: (text: string) => void,
    private readonly terminal: Surroundings["terminal"],
  ) {}

  show(text: string): void {
    const now = Date.now();
    if (now - this.shownAt < (this.terminal ? 200 : 10_000)) return;
    // The first seconds need no line where each one stays.
    if (!this.terminal && this.shownAt === 0) {
      this.shownAt = now;
      return;
    }
    this.shownAt = now;
    if (!this.terminal) return this.write(`${text}\n`);
    const width = Math.max(this.terminal.columns() - 1, 10);
    this.write(`\r\u001b[2K${text.slice(0, width)}`);
    this.isOpen = true;
  }

  say(text: string): void {
    this.close();
    this.write(`${text}\n`);
  }

  close(): void {
    if (this.isOpen) this.write("\r\u001b[2K");
    this.isOpen = false;
  }
}
