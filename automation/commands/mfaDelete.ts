/** `crosstrail mfa-delete`: what MFA Delete of the log bucket is and should be, and what the root user has to do. */
import type { Command } from "commander";
import type { Finding } from "../../core/findings";
import { formatFinding } from "../../core/findings";
import type { AuditSettings } from "../../core/settings";
import type { MfaDeleteState } from "../mfaDelete";
import type { Outcome, Surroundings } from "../output";
import { ExitCode, printable } from "../output";
import { readAuditFile } from "../stackFile";
import type { AuditFileOptions } from "./_options";
import { auditFileOf, defineAuditFile } from "./_options";

export const examples = ["crosstrail mfa-delete", "crosstrail mfa-delete --stack prod --json"];

export function define(command: Command): void {
  defineAuditFile(command).addHelpText(
    "after",
    "\nReads AWS with credentials for the audit account and changes nothing. Exit code 5 if MFA Delete is not as expected.",
  );
}

export async function run(options: AuditFileOptions, { env }: Surroundings): Promise<Outcome> {
  const settings = readAuditFile(auditFileOf(options, env), env);
  /* eslint-disable @typescript-eslint/no-require-imports, @typescript-eslint/consistent-type-imports */
  const { readMfaDelete } = require("../mfaDelete") as typeof import("../mfaDelete");
  /* eslint-enable */
  const state = await readMfaDelete(settings, env);
  const expected = settings.archive.mfaDelete;
  const asExpected = state.isOn === expected;
  const obstacles = asExpected ? [] : obstaclesOf(settings, state);
  const leftovers = asExpected ? leftoversOf(settings, state) : [];
  const command = asExpected ? undefined : rootCommand(settings, state);
  const drift: Finding = {
    id: "mfa/drift",
    severity: "error",
    subject: `MFA Delete of bucket ${settings.bucketName}`,
    message: `It is ${onOff(state.isOn)}, and crosstrail:mfaDelete expects it ${onOff(expected)}.`,
    remedy: command ?? "",
  };
  return {
    exitCode: asExpected ? ExitCode.Ok : ExitCode.CheckFailed,
    findings: asExpected ? leftovers : [drift, ...obstacles],
    data: () => ({ bucketName: settings.bucketName, expected, actual: state, command: command ?? null }),
    text: () => textOf(settings, state, leftovers, obstacles, command),
  };
}

const onOff = (isOn: boolean) => (isOn ? "on" : "off");

/** What the root user types. The versioning is repeated because S3 sets both with one request. */
function rootCommand(
  { bucketName, auditAccountId, partition, region, archive }: AuditSettings,
  state: MfaDeleteState,
): string {
  const serial = state.root.mfaSerial ?? `arn:${partition}:iam::${auditAccountId}:mfa/root-account-mfa-device`;
  const configuration = `Status=Enabled,MFADelete=${archive.mfaDelete ? "Enabled" : "Disabled"}`;
  return [
    "aws s3api put-bucket-versioning",
    `--bucket ${bucketName}`,
    `--region ${region}`,
    `--expected-bucket-owner ${auditAccountId}`,
    `--versioning-configuration ${configuration}`,
    `--mfa "${serial} 123456"`,
  ].join(" \\\n    ");
}

/** What would make the command fail. */
function obstaclesOf({ bucketName, auditAccountId, archive }: AuditSettings, state: MfaDeleteState): Finding[] {
  const { root, versioning, lifecycleRules } = state;
  const obstacles: Finding[] = [];
  const add = (id: Finding["id"], subject: string, message: string, remedy: string) =>
    obstacles.push({ id, severity: "warning", subject, message, remedy });
  if (archive.mfaDelete && versioning !== "Enabled") {
    add(
      "mfa/versioning",
      `versioning of bucket ${bucketName}`,
      `It is ${versioning?.toLowerCase() ?? "off"}; MFA Delete is part of it.`,
      "The command below enables both. pulumi up would also restore versioning.",
    );
  }
  if (archive.mfaDelete && lifecycleRules.length > 0) {
    add(
      "mfa/lifecycle",
      `lifecycle rules of bucket ${bucketName}: ${lifecycleRules.map(printable).join(", ")}`,
      "S3 does not allow MFA Delete on a bucket with lifecycle rules.",
      "pulumi up removes the rules that Crosstrail made. For others, find out whose they are, then run aws s3api delete-bucket-lifecycle.",
    );
  }
  if (root.hasCredentials === false) {
    add(
      "mfa/no-root-credentials",
      `root user of account ${auditAccountId}`,
      "It has neither a password nor access keys, as is usual when an organization manages root access centrally. The sessions available instead (sts:AssumeRoot) cannot switch MFA Delete.",
      "In the management account, allow password recovery for this account (IAM, Root access management). Switch MFA Delete, then have the credentials removed again.",
    );
  }
  if (root.hasMfaDevice === false) {
    add(
      "mfa/no-mfa-device",
      `root user of account ${auditAccountId}`,
      "It has no MFA device.",
      "Assign a device that shows codes: a passkey or security key does not work on the command line.",
    );
  }
  return obstacles;
}

/** What was needed for the switch and is not to stay. */
function leftoversOf({ auditAccountId }: AuditSettings, { root }: MfaDeleteState): Finding[] {
  if (!root.hasAccessKeys) return [];
  return [
    {
      id: "mfa/root-access-keys",
      severity: "warning",
      subject: `root user of account ${auditAccountId}`,
      message: "It has access keys.",
      remedy: "Delete them: sign in to the console as root, Security credentials.",
    },
  ];
}

function textOf(
  settings: AuditSettings,
  state: MfaDeleteState,
  leftovers: Finding[],
  obstacles: Finding[],
  command: string | undefined,
): string {
  const { bucketName, auditAccountId, archive } = settings;
  const lines = [
    `Bucket ${bucketName} in account ${auditAccountId}:`,
    `  MFA Delete       ${onOff(state.isOn)}, ${command === undefined ? "as expected" : `expected ${onOff(archive.mfaDelete)} (crosstrail:mfaDelete)`}`,
    `  versioning       ${state.versioning ?? "off"}`,
    `  lifecycle rules  ${state.lifecycleRules.length === 0 ? "none" : state.lifecycleRules.map(printable).join(", ")}`,
    "",
  ];
  if (command === undefined) {
    return [...lines, ...leftovers.map((each) => `${formatFinding(each).trimStart()}\n`)].join("\n");
  }
  if (obstacles.length > 0) lines.push("Fix this first:", ...obstacles.map(formatFinding), "");
  lines.push(
    `Only the root user of account ${auditAccountId} can switch it ${onOff(archive.mfaDelete)}, on the command line and with its own access key; the`,
    "sessions of the console and CloudShell are not accepted. Sign in to the console as root, create an access key (Security",
    "credentials), and run this with it and the code that the MFA device shows now:",
    "",
    `  ${command}`,
    "",
    ...(state.root.mfaSerial === undefined
      ? ["For a hardware device, use its serial number in place of the ARN.", ""]
      : []),
    "Then delete the access key, and rerun crosstrail mfa-delete: it should exit with code 0.",
    "",
  );
  return lines.join("\n");
}
