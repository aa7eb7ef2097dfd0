/**
 * What the audit stack's controls need besides configuration: what was deployed before, who deploys, and what AWS has.
 */
import * as pulumi from "@pulumi/pulumi";
import type { ObjectLock } from "../core/archive";
import { ObjectLockMode, spanDays, spanText } from "../core/archive";
import type { Finding } from "../core/findings";
import { UserError } from "../core/findings";
import type { AuditSettings } from "../core/settings";
import { warn } from "./warning";

/** What the audit stack's program asks of AWS, besides its resources. */
export interface AuditAccess {
  /** ARN of the account's role of this name; undefined where there is none. Throws where AWS does not say. */
  roleArn(name: string): Promise<string | undefined>;
  /** MFA Delete of the log bucket: Enabled, Disabled, or undefined where it never was on. Throws where AWS does not say. */
  mfaDelete(): Promise<string | undefined>;
  /** The key that the account's alias of this name (with `alias/`) is for; undefined where there is none. Throws where AWS does not say. */
  aliasTarget(name: string): Promise<AliasTarget | undefined>;
}

/** What an alias of KMS is for. */
export interface AliasTarget {
  keyId: string;
  /** The key's tag that names its stack; undefined where it has none, or may not be read. */
  stack?: string;
}

/** The audit stack's output `archive`: what the next deployment must know of this one. Absent where no control is on. */
export interface DeployedArchive {
  /** Object Lock is on; with the lock for new log files, if there is one. */
  objectLock?: Pick<ObjectLock, "mode" | "days" | "years">;
  /** The bucket for access logs; it stays when access is no longer logged. */
  accessLogBucket?: string;
  mfaDelete?: boolean;
}

/** The controls as they are deployed now: what cannot be undone stays, whatever the configuration says. */
export function archiveOf(settings: AuditSettings, deployed: Record<string, unknown>): DeployedArchive {
  const before = (deployed.archive ?? {}) as DeployedArchive;
  const { objectLock, accessLogBucket, mfaDelete, forceDestroy } = settings.archive;
  const findings: Finding[] = [];
  const refuse = (subject: string, message: string, remedy: string) =>
    findings.push({ id: "archive/irreversible", severity: "error", subject, message, remedy });
  if (before.accessLogBucket !== undefined && accessLogBucket !== undefined) {
    if (before.accessLogBucket !== accessLogBucket) {
      refuse(
        `crosstrail:accessLogBucket = "${accessLogBucket}"`,
        `Access logs are in bucket "${before.accessLogBucket}". A bucket cannot be renamed: it would be replaced and its logs left behind.`,
        `Restore "${before.accessLogBucket}".`,
      );
    }
  }
  if (before.objectLock && forceDestroy) {
    refuse(
      "crosstrail:forceDestroy = true",
      "Object Lock is enabled on the deployed bucket and cannot be disabled; log files may be locked.",
      "Remove it.",
    );
  }
  if (findings.length > 0)
    throw new UserError("The archive does not allow this change. Nothing was changed.", findings);

  const lock: ObjectLock | undefined = objectLock ? { ...objectLock } : before.objectLock && {};
  delete lock?.confirmComplianceLock;
  return {
    ...(lock && { objectLock: lock }),
    ...((accessLogBucket ?? before.accessLogBucket) !== undefined && {
      accessLogBucket: accessLogBucket ?? before.accessLogBucket,
    }),
    ...(mfaDelete && { mfaDelete }),
  };
}

/** Says what a change of the lock does that nobody can undo, or that weakens it. */
export async function warnOfLock(settings: AuditSettings, deployed: Record<string, unknown>): Promise<void> {
  const before = (deployed.archive as DeployedArchive | undefined)?.objectLock;
  const now = settings.archive.objectLock;
  const subject = `Object Lock of bucket ${settings.bucketName}`;
  if (now && !before && deployed.bucketName !== undefined) {
    await warn({
      id: "archive/lock-permanent",
      subject,
      message: `Object Lock is being enabled on the existing bucket ${settings.bucketName}, in place. It cannot be disabled again, and existing log files are not locked.`,
      remedy: "If this is not what you want, remove crosstrail:objectLock before you deploy.",
    });
  }
  if (!before?.mode) return;
  const stays = `Existing log files stay locked: ${lockText(before)}.`;
  const weaker = (message: string) =>
    warn({
      id: "archive/lock-weaker",
      subject,
      message,
      remedy: "If this is not what you want, restore crosstrail:objectLock.",
    });
  if (!now?.mode) {
    await weaker(`New log files are no longer locked. ${stays} Object Lock itself stays enabled.`);
  } else if (now.mode !== before.mode && now.mode === ObjectLockMode.Governance) {
    await weaker(`From now on, the lock of new log files can be lifted: mode ${now.mode}. ${stays}`);
  } else if (spanDays(now) < spanDays(before)) {
    await weaker(`New log files are locked for only ${spanText(now)}. ${stays}`);
  }
}

function lockText(lock: ObjectLock): string {
  return `mode ${lock.mode}, ${spanText(lock)}`;
}

/**
 * Makes sure that the break-glass roles exist, under the ARNs that the bucket policy names, and that the deployment is
 * made by one of them: any other one would be the last.
 */
export async function requireBreakGlassRoles(
  { archive }: AuditSettings,
  callerArn: string,
  access: AuditAccess,
): Promise<void> {
  const arns = archive.breakGlassRoleArns;
  if (arns.length === 0) return;
  const findings = (await Promise.all(arns.map((arn) => missingRole(arn, access)))).flat();
  const subject = `crosstrail:breakGlassRoles = ${JSON.stringify(arns.map(roleName))}`;
  // A session's ARN leaves out the role's path: arn:aws:sts::<account>:assumed-role/<role>/<session>
  const caller = /:assumed-role\/([^/]+)\//.exec(callerArn)?.[1];
  if (caller === undefined || !arns.some((arn) => roleName(arn) === caller)) {
    const message = `This stack is being deployed as ${callerArn}, which is not one of them: the archive's policies would refuse it, and every later deployment would fail.`;
    const remedy =
      caller === undefined
        ? "Deploy with a role (aws:assumeRoles or aws:profile), and add it to crosstrail:breakGlassRoles."
        : `Add ${caller} to crosstrail:breakGlassRoles, or deploy with one of them.`;
    // Who only looks need not be able to deploy.
    if (pulumi.runtime.isDryRun()) await warn({ id: "archive/locked-out", subject, message, remedy });
    else findings.push({ id: "archive/locked-out", severity: "error", subject, message, remedy });
  }
  if (findings.length > 0) throw new UserError("The archive would become locked. Nothing was changed.", findings);
}

async function missingRole(arn: string, access: AuditAccess): Promise<Finding[]> {
  const name = roleName(arn);
  const finding = (message: string, remedy: string): Finding[] => [
    {
      id: "archive/break-glass-role",
      severity: "error",
      subject: `crosstrail:breakGlassRoles, ${name}`,
      message,
      remedy,
    },
  ];
  let found: string | undefined;
  try {
    found = await access.roleArn(name);
  } catch (error) {
    return finding(
      `The role could not be looked up: ${reasonOf(error)}`,
      "Allow the deploying role iam:GetRole on it, or correct what AWS names. Without this check, the archive could become locked.",
    );
  }
  if (found === arn) return [];
  return found === undefined
    ? finding("The audit account does not have this role.", "Create the role first, or correct its name.")
    : finding(`The audit account's role with this name is ${found}, not ${arn}.`, `Name it by its ARN:  - ${found}`);
}

function roleName(arn: string): string {
  return arn.split("/").at(-1) as string;
}

/**
 * Compares MFA Delete of a deployed log bucket with what is expected. Asks AWS, because nothing in the stack changes with it.
 * @throws UserError where it is on and `retention` is set, of which S3 would refuse the lifecycle rule.
 */
export async function checkMfaDelete(
  settings: AuditSettings,
  deployed: Record<string, unknown>,
  access: AuditAccess,
): Promise<void> {
  const { bucketName, archive } = settings;
  if (deployed.bucketName === undefined || (!archive.mfaDelete && !archive.retention)) return;
  let actual: string | undefined;
  try {
    actual = await access.mfaDelete();
  } catch (error) {
    await warn({
      id: "mfa/not-read",
      subject: `MFA Delete of bucket ${bucketName}`,
      message: `It could not be read, so it is not known whether it is on: ${reasonOf(error)}`,
      remedy: "Allow the deploying role s3:GetBucketVersioning on the bucket.",
    });
    return;
  }
  if (actual === "Enabled" && archive.retention) {
    throw new UserError("S3 does not allow this change. Nothing was changed.", [
      {
        id: "archive/mfa-delete",
        severity: "error",
        subject: "crosstrail:retention",
        message: `MFA Delete of bucket ${bucketName} is on, and S3 does not allow lifecycle rules on a bucket with MFA Delete.`,
        remedy:
          "Remove crosstrail:retention. Or have the root user switch MFA Delete off first: crosstrail mfa-delete shows how.",
      },
    ]);
  }
  if (archive.mfaDelete) await warnOfMfaDelete(settings, actual);
}

/** Where MFA Delete is not expected: says when it was on at the last deployment or refresh, and still is. */
export function warnOfLeftMfaDelete(
  settings: AuditSettings,
  lastKnown: pulumi.Output<string | undefined>,
  access: AuditAccess,
): void {
  if (settings.archive.mfaDelete) return;
  lastKnown.apply(async (known) => {
    if (known !== "Enabled") return;
    // Since then, the root user may have switched it off. Where AWS does not say, what was known stays known.
    await warnOfMfaDelete(settings, await access.mfaDelete().catch(() => known));
  });
}

async function warnOfMfaDelete({ bucketName, archive }: AuditSettings, actual: string | undefined): Promise<void> {
  const isOn = actual === "Enabled";
  if (isOn === archive.mfaDelete) return;
  await warn({
    id: "mfa/drift",
    subject: `MFA Delete of bucket ${bucketName}`,
    message: `It is ${isOn ? "on" : "off"}, but crosstrail:mfaDelete expects it ${isOn ? "off" : "on"}.`,
    remedy: "Only the root user can switch it; crosstrail mfa-delete shows how.",
  });
}

/** AWS's own words, or the network's. */
export function reasonOf(error: unknown): string {
  const { name, message } = error as Error;
  return `${name}${message ? `: ${message}` : ""}`;
}
