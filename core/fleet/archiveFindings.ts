/** The archive as AWS has it, compared with what the audit stack is configured to deploy. */
import type { Contract } from "../contract";
import type { Finding } from "../findings";
import type { StatementChange } from "../policies/diff";
import { policyDiff } from "../policies/diff";
import type { AuditSettings } from "../settings";
import type { ArchiveAsIs } from "../simulate";
import type { BesideReading } from "./besideArchive";
import { besidePolicies, subjectOfBucket, subjectOfKey } from "./besideArchive";
import { archiveAfter } from "./narrowing";

/**
 * Unusable keys, and policies with other statements than the configuration builds.
 * @param stack the audit stack, for remedies.
 * @throws UserError when the configured policies do not fit into AWS's limits.
 */
export function archiveFindings(
  {
    contract,
    archive,
    keyStates,
    beside = {},
  }: {
    contract: Contract;
    archive: ArchiveAsIs;
    keyStates: Record<string, string>;
    /** Key replicas, the other buckets and the queue, by what findings call them. Left out: they were not read. */
    beside?: Record<string, BesideReading>;
  },
  settings: AuditSettings,
  stack: string,
): Finding[] {
  const built = archiveAfter(contract, settings);
  return [
    ...Object.entries(keyStates).flatMap(([arn, state]) => keyFinding(arn, state) ?? []),
    ...[
      [subjectOfBucket(archive.bucketName), archive.bucket, built.bucket] as const,
      ...Object.keys(archive.keys).map((arn) => [subjectOfKey(arn), archive.keys[arn], built.keys[arn]] as const),
    ].flatMap(([subject, deployed, wanted]) => policyFindings(subject, deployed, wanted, stack)),
    ...besideFindings(beside, Object.keys(beside).length === 0 ? {} : besidePolicies(contract, settings), stack),
  ];
}

function besideFindings(
  beside: Record<string, BesideReading>,
  built: Record<string, unknown>,
  stack: string,
): Finding[] {
  return Object.entries(beside).flatMap(([subject, { missing, policy, keyState }]): Finding[] => {
    if (missing) {
      return [
        {
          id: "archive/missing",
          severity: "error",
          subject,
          message: "The configuration has it, and AWS does not.",
          remedy: `If the configuration was changed and not deployed yet, run crosstrail up --only ${stack}. Otherwise find out who deleted it, then run crosstrail up --refresh --only ${stack}.`,
        },
      ];
    }
    const arn = subject.replace(/^key /, "");
    return [
      ...(keyState === undefined ? [] : [keyFinding(arn, keyState)].filter((each) => each !== undefined)),
      ...policyFindings(subject, policy, built[subject], stack),
    ];
  });
}

function keyFinding(subject: string, state: string): Finding | undefined {
  // A replica is being made; the key works meanwhile.
  if (state === "Enabled" || state === "Updating" || state === "Creating") return undefined;
  const isDeletion = state.startsWith("Pending") && state !== "PendingImport";
  return {
    id: "archive/key-state",
    severity: "error",
    subject,
    message: `The key's state is ${state}. CloudTrail cannot deliver with it, and nobody can read the logs that it encrypts${isDeletion ? "; once it is deleted, they are lost forever" : ""}.`,
    remedy: `Find out who did this, then make the key usable at once: ${isDeletion ? `aws kms cancel-key-deletion --key-id ${subject}, then ` : ""}aws kms enable-key --key-id ${subject}`,
  };
}

function policyFindings(subject: string, deployed: unknown, wanted: unknown, stack: string): Finding[] {
  const finding = (message: string): Finding => ({
    id: "archive/policy-changed",
    severity: "error",
    subject,
    message,
    remedy: `If the configuration was changed and not deployed yet, run crosstrail up --only ${stack}. Otherwise find out who changed the policy (PutBucketPolicy or PutKeyPolicy in the logs), then run crosstrail up --refresh --only ${stack}.`,
  });
  const [before, after] = [textOf(wanted), textOf(deployed)];
  if (before === undefined) return [];
  if (after === undefined) return [finding("It has no policy.")];
  const diff = policyDiff(before, after);
  if (diff === undefined) return [finding("Its policy could not be compared: AWS's answer is not a policy.")];
  return diff.changes.filter(({ lines }) => lines.some(isOfEffect)).map((change) => finding(messageOf(change)));
}

/** A Sid has no effect. */
function isOfEffect({ element, sign }: StatementChange["lines"][number]): boolean {
  return element !== "Sid" && sign !== " ";
}

/** Read from the configured policy to the deployed one: what is added is foreign, and what is removed is missing. */
function messageOf({ kind, name, says, lines }: StatementChange): string {
  const head = {
    added: `Statement ${quoted(name)} is not in the configured policy: ${quoted(says)}`,
    removed: `Statement ${quoted(name)} of the configured policy is missing: ${quoted(says)}`,
    changed: `Statement ${quoted(name)} differs from the configured policy (- configured, + deployed): ${quoted(says)}`,
  }[kind];
  const shown = lines.filter(isOfEffect).slice(0, 12);
  const rest = lines.filter(isOfEffect).length - shown.length;
  return [
    head,
    ...shown.map(({ sign, element, value }) => `${sign} ${quoted(element)}: ${quoted(value)}`),
    ...(rest > 0 ? [`and ${rest} more`] : []),
  ].join("\n");
}

/** A policy is written by others: what a terminal would obey is escaped, and no value fills the screen. */
function quoted(value: string): string {
  const short = value.length > 300 ? `${value.slice(0, 300)}…` : value;
  return short.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (each) => `\\u{${(each.codePointAt(0) ?? 0).toString(16)}}`);
}

function textOf(policy: unknown): string | undefined {
  return policy === undefined || typeof policy === "string" ? policy : JSON.stringify(policy);
}
