/** `crosstrail explain`: why existing policies refuse a trail. */
import type { Command } from "commander";
import pc from "picocolors";
import { accountIdProblem } from "../../core/accounts";
import type { Finding } from "../../core/findings";
import {
  bucketNameProblem,
  keyArnProblem,
  keyNamedIn,
  logPrefixProblem,
  organizationIdProblem,
  parseKeyArn,
  parseTrailArn,
} from "../../core/names";
import type { Diagnosis, Problem } from "../../core/simulate";
import { diagnose } from "../../core/simulate";
import { contextHelp, readContext } from "../context";
import { collect, readControls } from "../controls";
import { wrapped } from "../layout";
import type { Outcome, Surroundings } from "../output";
import { ExitCode, ExitError, printable } from "../output";
import { readText } from "../stackFile";

interface Options {
  trail?: string;
  bucket?: string;
  bucketPolicy?: string;
  keyPolicy?: string;
  deployed?: boolean;
  prefix?: string;
  key?: string;
  bucketKey?: boolean;
  bucketAccount?: string;
  bucketRegion?: string;
  organization?: string;
  organizationTrail?: boolean;
  outside?: boolean;
  managementAccount?: string;
  rcp?: string[];
  context?: string[];
}

export const examples = [
  "crosstrail explain --trail arn:aws:cloudtrail:us-east-1:222222222222:trail/acme --bucket acme-logs --bucket-policy bucket.json",
  "crosstrail explain --trail arn:aws:cloudtrail:us-east-1:222222222222:trail/acme --bucket acme-logs --deployed --key arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab",
];

export function define(command: Command): void {
  command
    .option("--trail <arn>", "the trail")
    .option("--bucket <name>", "the bucket that it delivers to")
    .option("--prefix <prefix>", "the log prefix that it delivers with")
    .option("--key <arn>", "the key that encrypts its logs")
    .option("--bucket-policy <file>", "the bucket's policy; - for the standard input")
    .option("--key-policy <file>", "the key's policy")
    .option(
      "--deployed",
      "read the policies from AWS, with credentials of the account that owns the bucket and the key",
    )
    .option("--bucket-account <id>", "the account that owns the bucket (default: the key's account)")
    .option("--bucket-region <region>", "where the bucket is (default: the key's Region, or the trail's home Region)")
    .option("--bucket-key", "the bucket uses an S3 Bucket Key")
    .option("--organization <id>", "the organization that the trail's account is in")
    .option("--outside", "the trail's account is in no organization, or in another one than the policies name")
    .option("--organization-trail", "it is an organization trail; needs --organization")
    .option("--rcp <file>", "a resource control policy that holds for the bucket and the key; repeatable", collect)
    .option("--management-account <id>", "the organization's management account, for which no --rcp holds")
    .option("--context <key=values...>", contextHelp)
    .addHelpText(
      "after",
      "\nNeeds neither a configuration nor an audit stack. Nothing is changed in AWS. Exit code 5 when the trail cannot deliver, or when that cannot be decided.",
    );
}

export async function run(options: Options, { color, columns = 80 }: Surroundings): Promise<Outcome> {
  const { trail, bucketName, key } = checked(options);
  const given = readContext(options.context);
  const { accountId = "", region = "" } = parseTrailArn(trail) ?? {};
  const keyOf = parseKeyArn(key ?? "");
  const bucketAccountId = options.bucketAccount ?? keyOf?.accountId ?? accountId;
  const resourceControlPolicies = readControls("rcp", options.rcp);
  const policies = options.deployed
    ? await deployed(
        { bucketName, bucketRegion: options.bucketRegion ?? keyOf?.region ?? region, auditAccountId: bucketAccountId },
        key,
      )
    : fromFiles(options);
  const { organization, outside } = options;
  const membership = outside
    ? ("none" as const)
    : organization === undefined
      ? ("unknown" as const)
      : { id: organization };
  const diagnosis = diagnose({
    trail: {
      trailArn: trail,
      bucketName,
      bucketAccountId,
      ...(options.prefix !== undefined && { logPrefix: options.prefix }),
      ...(key !== undefined && { keyArn: key }),
      ...((options.bucketKey ?? policies.bucketKey) && { bucketKey: true }),
      ...(options.organizationTrail && organization !== undefined && { organizationId: organization }),
      world: { organizationOf: (account) => (account === accountId ? membership : "unknown"), given },
    },
    ...policies.texts,
    resourceControlPolicies,
    ...(options.managementAccount !== undefined && { managementAccountId: options.managementAccount }),
  });
  return {
    exitCode: diagnosis.verdict === "delivers" ? ExitCode.Ok : ExitCode.CheckFailed,
    findings: [...diagnosis.problems.map(findingOf), ...diagnosis.notes],
    data: () => ({ trail, bucket: bucketName, key: key ?? null, ...diagnosis }),
    text: () => textOf(trail, bucketName, diagnosis, pc.createColors(color), columns),
  };
}

/** @throws ExitError with everything that is wrong with the options. */
function checked(options: Options): { trail: string; bucketName: string; key: string | undefined } {
  const findings: Finding[] = [];
  const add = (subject: string, message: string, remedy: string) =>
    void findings.push({ id: "explain/option", severity: "error", subject, message, remedy });
  const check = (name: string, value: string | undefined, problemOf: (value: string) => string | undefined) => {
    const problem = value === undefined ? undefined : problemOf(value);
    if (problem !== undefined) add(`--${name} ${value}`, `This is wrong: ${problem}.`, "Correct it.");
  };
  const { trail, bucket, key, bucketPolicy, keyPolicy, deployed: isDeployed, organization } = options;
  const { organizationTrail, outside } = options;
  if (trail === undefined) {
    add("--trail", "It is missing.", "Give the trail's ARN: aws cloudtrail describe-trails prints it as TrailARN.");
  } else if (!parseTrailArn(trail)) {
    add(
      `--trail ${trail}`,
      "This is not the ARN of a trail.",
      "It looks like arn:aws:cloudtrail:<home Region>:<account>:trail/<name>.",
    );
  }
  if (bucket === undefined)
    add("--bucket", "It is missing.", "Give the name of the bucket that the trail delivers to.");
  check("bucket", bucket, bucketNameProblem);
  check("prefix", options.prefix, (value) => (value === "" ? undefined : logPrefixProblem(value)));
  check("key", key, keyArnProblem);
  check("bucket-account", options.bucketAccount, accountIdProblem);
  check("management-account", options.managementAccount, accountIdProblem);
  check("organization", organization, organizationIdProblem);
  if (organizationTrail && organization === undefined)
    add("--organization-trail", "The organization is missing.", "Add --organization <id>.");
  if (outside && organization !== undefined) {
    add("--outside", "--organization says that the account is in one.", "Leave one of them out.");
  }
  const files = bucketPolicy !== undefined || keyPolicy !== undefined;
  if (isDeployed && files) add("--deployed", "The policies are also given as files.", "Leave one of them out.");
  if (!isDeployed && !files) {
    add(
      "policies",
      "There is no policy to explain.",
      "Give --bucket-policy and --key-policy, or --deployed to read them from AWS.",
    );
  }
  if (isDeployed && key === undefined && options.bucketAccount === undefined) {
    add(
      "--deployed",
      "The account that owns the bucket is not specified.",
      "Add --bucket-account <id>, or --key <arn>.",
    );
  }
  if (!isDeployed && key !== undefined && keyPolicy === undefined) {
    add(
      "--key",
      "The key's policy is missing: without it nobody can say whether the trail can deliver.",
      "Add --key-policy <file>, or leave --key out.",
    );
  }
  // The standard input is read once, later.
  const isReadable = keyPolicy !== undefined && keyPolicy !== "-";
  const named = key ?? (isReadable ? keyNamedIn(readText(keyPolicy, "The key's policy")) : undefined);
  if (keyPolicy !== undefined && named === undefined) {
    add("--key-policy", "The key is not specified, and the policy does not name exactly one.", "Add --key <arn>.");
  }
  if (bucketPolicy === "-" && keyPolicy === "-")
    add("-", "Standard input can hold only one policy.", "Give the other in a file.");
  if (findings.length > 0) throw new ExitError(ExitCode.Usage, "Nothing was asked.", findings);
  return { trail: trail ?? "", bucketName: bucket ?? "", key: named };
}

interface Given {
  texts: { bucketPolicy?: string | null; keyPolicy?: string | null };
  bucketKey?: boolean;
}

function fromFiles({ bucketPolicy, keyPolicy }: Options): Given {
  return {
    texts: {
      ...(bucketPolicy !== undefined && { bucketPolicy: readText(bucketPolicy, "The bucket's policy") }),
      ...(keyPolicy !== undefined && { keyPolicy: readText(keyPolicy, "The key's policy") }),
    },
  };
}

async function deployed(
  bucket: { bucketName: string; bucketRegion: string; auditAccountId: string },
  key: string | undefined,
): Promise<Given> {
  /* eslint-disable @typescript-eslint/no-require-imports, @typescript-eslint/consistent-type-imports */
  const { readBucketKey, readBucketPolicy, readKeyPolicy } = require("../deployed") as typeof import("../deployed");
  /* eslint-enable */
  const [bucketPolicy, keyPolicy, bucketKey] = await Promise.all([
    readBucketPolicy(bucket),
    key === undefined ? undefined : readKeyPolicy(key),
    key === undefined ? false : readBucketKey(bucket),
  ]);
  return {
    texts: { bucketPolicy: bucketPolicy ?? null, ...(key !== undefined && { keyPolicy: keyPolicy ?? null }) },
    bucketKey,
  };
}

const titles = { bucket: "bucket policy", key: "key policy", rcp: "resource control policy" } as const;

const ids: Record<Problem["kind"], Finding["id"]> = {
  statement: "explain/statement",
  missing: "explain/missing",
  denied: "explain/denied",
  undecided: "explain/undecided",
  invalid: "explain/invalid",
};

function findingOf({ policy, kind, statement, points }: Problem): Finding {
  return {
    id: policy === "rcp" && kind === "denied" ? "explain/rcp" : ids[kind],
    severity: "error",
    subject: `${titles[policy]}, ${statement}`,
    message: points.map(({ message }) => message).join(" "),
    remedy: points.map(({ fix }) => fix).join(" "),
  };
}

type Colors = ReturnType<typeof pc.createColors>;

function textOf(trail: string, bucket: string, diagnosis: Diagnosis, colors: Colors, columns: number): string {
  const { verdict, asked, requests, problems, isEnough, notes } = diagnosis;
  const fold = (text: string, hanging?: number) => wrapped(printable(text), columns, hanging);
  const only = asked.length === 2 ? "" : asked[0] === "key" ? " The bucket's policy was not checked." : "";
  const noKey = asked.length === 1 && asked[0] === "bucket" ? " No key was checked." : "";
  const lines: string[] = [];
  if (verdict === "delivers") {
    const what = asked.map((target) => titles[target]).join(" and ");
    lines.push(
      ...fold(`The ${what} ${asked.length === 1 ? "lets" : "let"} ${trail} deliver to ${bucket}.${only}${noKey}`).map(
        (line) => colors.green(line),
      ),
    );
    lines.push(
      ...fold(
        `${requests.length} requests were evaluated against ${asked.length === 1 ? "it" : "them"}; all are allowed.`,
      ),
    );
  } else {
    const title =
      verdict === "refused"
        ? `${trail} cannot deliver to ${bucket}.`
        : `Whether ${trail} can deliver to ${bucket} cannot be decided.`;
    lines.push(...fold(`${title}${only}${noKey}`).map((line) => colors.red(line)), "");
    for (const [index, problem] of problems.entries()) {
      lines.push(...problemLines(problem, index, colors, columns));
    }
    const count = problems.length === 1 ? "this" : `these ${problems.length}`;
    lines.push(
      ...fold(
        isEnough
          ? `With ${count} corrected, it delivers.`
          : "Once these are corrected, rerun to see whether anything else is wrong.",
      ),
    );
  }
  if (notes.length > 0) {
    lines.push("", colors.bold("It should also be corrected:"));
    for (const { subject, message, remedy } of notes) {
      lines.push(...fold(`  ${subject}: ${message}`, 2), ...fold(`    → ${remedy}`, 2));
    }
  }
  return `${lines.join("\n")}\n`;
}

function problemLines(problem: Problem, index: number, colors: Colors, columns: number): string[] {
  const { policy, kind, statement, requests, points, corrected } = problem;
  const fold = (text: string, hanging?: number) => wrapped(printable(text), columns, hanging);
  const name = kind === "missing" ? `a statement is missing` : statement;
  const lines = fold(`${index + 1}. ${titles[policy]}: ${name}`, 3).map((line) => colors.bold(line));
  const count = requests.length > 1 ? ` and ${requests.length - 1} more` : "";
  if (kind !== "invalid")
    lines.push(...fold(`   It concerns ${requests[0] ?? ""}${count}.`).map((line) => colors.dim(line)));
  for (const { message, fix } of points) lines.push(...fold(`   ${message}`, 0), ...fold(`   → ${fix}`, 2));
  if (corrected !== undefined) {
    // JSON is not folded: it is to be copied.
    const json = JSON.stringify(corrected, undefined, 2);
    lines.push(...json.split("\n").map((line) => `     ${printable(line)}`));
  }
  return [...lines, ""];
}
