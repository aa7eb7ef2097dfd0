/** `crosstrail policy`: what the bucket and the key need in their policies where Crosstrail did not create them. */
import type { Command } from "commander";
import { Argument } from "commander";
import type { MergedPolicy, SimulatedFleet } from "../../core/simulate";
import { fleetOfSettings, judgeMerged, policyInput } from "../../core/simulate";
import type { Finding } from "../../core/findings";
import { formatFinding } from "../../core/findings";
import { parseKeyArn } from "../../core/names";
import { respace } from "../../core/policies/jsonText";
import type { CurrentStatement, Merge } from "../../core/policies/merge";
import { mergeBucketPolicy, mergeKeyPolicy } from "../../core/policies/merge";
import type { AuditSettings } from "../../core/settings";
import { contextHelp, readContext } from "../context";
import { keyTaken, logKey } from "../logKey";
import type { Outcome, Surroundings } from "../output";
import { ExitCode, ExitError, printable } from "../output";
import { readAuditFile, readText } from "../stackFile";
import type { AuditFileOptions } from "./_options";
import { auditFileOf, defineAuditFile } from "./_options";

type Kind = MergedPolicy["kind"];

interface Options extends AuditFileOptions {
  current?: string;
  deployed?: boolean;
  key?: string;
  without?: string[];
  denials?: boolean;
  diff?: boolean;
  pretty?: boolean;
  context?: string[];
}

export const examples = [
  "crosstrail policy bucket",
  "crosstrail policy bucket --current current.json > policy.json",
  "crosstrail policy key --deployed --key arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab",
];

export function define(command: Command): void {
  defineAuditFile(command)
    .addArgument(new Argument("<policy>", "which policy").choices(["bucket", "key"]))
    .option("--current <file>", "merge with the current policy in this file; - for standard input")
    .option("--deployed", "merge with the current policy in AWS; needs credentials for the account that owns it")
    .option("--key <arn>", "the KMS key that encrypts the logs; required to read its policy with --deployed")
    .option("--without <sids...>", "current statements to leave out, such as Crosstrail's own from an earlier run")
    .option("--denials", "also add the bucket policy's Deny statements; they apply to everything in the bucket")
    .option("--context <key=values...>", contextHelp)
    .option("--diff", "print the added and left-out statements in full, on stderr")
    .option("--pretty", "indent the document (default: one line)")
    .addHelpText(
      "after",
      "\nPrints the document on stdout and everything else on stderr. Changes nothing in AWS. Exit code 5, and no document, if the statements cannot be added or would not work.",
    );
}

export async function run(options: Options, { env }: Surroundings, args: string[]): Promise<Outcome> {
  const kind = args[0] as Kind;
  const settings = readSettings(kind, options, env);
  const given = readContext(options.context);
  const { current, source } = await readCurrent(kind, options, settings);
  const declared = fleetOfSettings(settings);
  const archive = { ...settings, keyArn: declared.keyArn };
  const naming = { kind, text: current, name: `current ${kind} policy` };
  const { key, isTaken } = logKey(options.key, [naming], archive, options.without);
  const fleet = {
    ...declared,
    given,
    // Nobody knows which key it is, and a denial of all others would deny the right one, too.
    ...(key === undefined ? { denyOtherEncryption: false, isKeyUnknown: true } : { keyArn: key }),
  };
  const merged = mergeOf(kind, options, settings, fleet, current);
  const { merge } = merged;
  const findings = [
    ...judgeMerged(merged, fleet),
    ...merge.findings,
    ...merge.leftOut.map(leftOutFinding),
    ...(isTaken && key !== undefined ? [keyTaken(key)] : []),
  ];
  const errors = findings.filter(({ severity }) => severity === "error");
  if (errors.length > 0) {
    throw new ExitError(ExitCode.CheckFailed, `The merged ${kind} policy would not work; nothing was printed.`, errors);
  }
  const result: Result = { kind, options, settings, source, merge, findings };
  return {
    exitCode: ExitCode.Ok,
    findings,
    data: () => dataOf(result),
    isDocument: true,
    text: () => `${respace(merge.text, options.pretty ? 2 : 0)}\n`,
    notes: () => notesOf(result),
  };
}

interface Result {
  kind: Kind;
  options: Options;
  settings: AuditSettings;
  /** What the current policy was read from; undefined when none was asked for. */
  source: string | undefined;
  merge: Merge<string>;
  findings: Finding[];
}

function readSettings(kind: Kind, options: Options, env: NodeJS.ProcessEnv): AuditSettings {
  const { current, deployed, key, without, denials } = options;
  const wrong = [
    [current !== undefined && deployed, "--current and --deployed exclude each other.", "Use one of them."],
    [
      without && current === undefined && !deployed,
      "--without needs a current policy.",
      "Add --current or --deployed.",
    ],
    [
      kind === "key" && denials,
      "--denials applies to the bucket policy only.",
      "Remove it: the key policy has no Deny statements.",
    ],
    [
      kind === "key" && deployed && key === undefined,
      "--deployed needs --key.",
      "Add --key arn:aws:kms:<region>:<account>:key/<id>",
    ],
  ] as const;
  const first = wrong.find(([isWrong]) => isWrong);
  if (first) throw new ExitError(ExitCode.Usage, `${first[1]}\n  → ${first[2]}`);
  const settings = readAuditFile(auditFileOf(options, env), env);
  if (settings.fleet.length === 0 && settings.organization?.trail === undefined) {
    throw new ExitError(ExitCode.Usage, "The fleet has no trails, so no policy needs a statement.", [
      {
        id: "policy/no-trail",
        severity: "error",
        subject: "crosstrail:members",
        message: "No members and no organization trail are declared, and the audit account has no trail of its own.",
        remedy: "Declare the members or the organization in the audit stack's configuration.",
      },
    ]);
  }
  return settings;
}

async function readCurrent(
  kind: Kind,
  { current: file, deployed, key = "" }: Options,
  settings: AuditSettings,
): Promise<{ current: string | undefined; source: string | undefined }> {
  if (file !== undefined) return { current: readText(file, "The current policy"), source: file };
  if (!deployed) return { current: undefined, source: undefined };
  /* eslint-disable @typescript-eslint/no-require-imports, @typescript-eslint/consistent-type-imports */
  const { readBucketPolicy, readKeyPolicy } = require("../deployed") as typeof import("../deployed");
  /* eslint-enable */
  const { bucketName, region: bucketRegion, auditAccountId } = settings;
  return kind === "bucket"
    ? { current: await readBucketPolicy({ bucketName, bucketRegion, auditAccountId }), source: `bucket ${bucketName}` }
    : { current: await readKeyPolicy(key), source: `key ${key}` };
}

/** @throws ExitError when the statements cannot be added. */
function mergeOf(
  kind: Kind,
  { without, denials }: Options,
  settings: AuditSettings,
  fleet: SimulatedFleet,
  current: string | undefined,
): MergedPolicy {
  const input = policyInput(fleet);
  const refuse = (refused: Finding[]): never => {
    const isUsage = refused.every(({ id }) => id === "policy/no-such-sid");
    throw new ExitError(
      isUsage ? ExitCode.Usage : ExitCode.CheckFailed,
      `The statements cannot be added to the current ${kind} policy; nothing was printed.`,
      refused,
    );
  };
  if (kind === "bucket") {
    const form = settings.bucketPolicyForm;
    const result = mergeBucketPolicy(input, { current, form, without, denials });
    return "refused" in result ? refuse(result.refused) : { kind, merge: result.merge };
  }
  const result = mergeKeyPolicy(input, { current, form: settings.keyPolicyForm, without });
  return "refused" in result ? refuse(result.refused) : { kind, merge: result.merge };
}

function leftOutFinding({ Sid }: { Sid: string }): Finding {
  return {
    id: "policy/denial-left-out",
    severity: "info",
    subject: Sid,
    message:
      "This Deny statement would apply to everything in the bucket and everyone who uses it, so it was not added.",
    remedy: "Add it with --denials if it suits everything else in the bucket.",
  };
}

function dataOf({ kind, source, merge }: Result): unknown {
  const { form, text, bytes, limit, kept, removed, added, present } = merge;
  const named = ({ text: statement, name }: CurrentStatement) => ({ name, text: statement });
  return {
    policy: kind,
    source: source ?? null,
    form,
    /** The text, because a parsed and rewritten document would not be the current one to the letter. */
    document: text,
    bytes,
    limit,
    kept: kept.map(named),
    removed: removed.map(named),
    added,
    present,
  };
}

const count = (number: number) => number.toLocaleString("en-US");

function notesOf({ kind, options, settings, source, merge, findings }: Result): string {
  const { form, bytes, limit, kept, removed, added } = merge;
  const lines = [
    "",
    `${source === undefined ? `Statements for the ${kind} policy` : `Policy of ${printable(source)}, merged`}: form ${form}, ${count(bytes)} of ${count(limit)} bytes, ${count(limit - bytes)} left.`,
  ];
  if (source !== undefined) {
    const full = (mark: string, text: string) =>
      respace(text, 2).replace(/^/gm, `  ${mark} `).split("\n").map(printable);
    const show = (mark: string, name: string, text: string) =>
      options.diff ? full(mark, text) : [`  ${mark} ${printable(name)}`];
    lines.push(
      "",
      ...kept.map(({ name }) => `    ${printable(name)}`),
      ...removed.flatMap(({ name, text }) => show("-", name, text)),
      ...added.flatMap((statement) => show("+", statement.Sid, JSON.stringify(statement))),
    );
  }
  lines.push(...findings.flatMap((finding) => formatFinding(finding).split("\n").map(printable)), "");
  if (source === undefined) lines.push(...howToMerge(kind, options, settings));
  else if (added.length === 0 && removed.length === 0)
    lines.push("Nothing to add: the current policy already has every statement.");
  else lines.push(...howToApply(kind, options, settings));
  return `${lines.join("\n")}\n`;
}

function howToMerge(kind: Kind, { key }: Options, { bucketName, region }: AuditSettings): string[] {
  const read =
    kind === "bucket"
      ? `aws s3api get-bucket-policy --bucket ${bucketName} --region ${region}`
      : `aws kms get-key-policy --key-id ${key ?? "<the key's ARN>"} --policy-name default --region ${region}`;
  return [
    `Add them to the ${kind}'s current policy. Replacing that policy would remove what it allows now.`,
    `To merge them, use --deployed, or --current with the output of this command:`,
    `  ${read} --query Policy --output text`,
  ];
}

function howToApply(kind: Kind, { key }: Options, { bucketName, region, auditAccountId }: AuditSettings): string[] {
  const owner = parseKeyArn(key ?? "")?.accountId ?? auditAccountId;
  const apply =
    kind === "bucket"
      ? `aws s3api put-bucket-policy --bucket ${bucketName} --expected-bucket-owner ${owner}`
      : `aws kms put-key-policy --key-id ${key ?? "<the key's ARN>"} --policy-name default`;
  return [
    `To apply it, with the document in policy.json and credentials of account ${owner}:`,
    `  ${apply} --region ${region} --policy file://policy.json`,
  ];
}
