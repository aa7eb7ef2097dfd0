/**
 * Changes that a reviewer should not overlook: what weakens the archive, ends a recording, or opens more than is meant.
 */
import type { Finding } from "../../core/findings";
import type { Change } from "./changes";
import { nameOf } from "./changes";
import type { AccessChange, PreviewedStack } from "./types";
import { Op } from "./types";

/** Gone or made anew, these take logs with them: a bucket has them, and without its key none can be read. */
const archive = new Set(["aws:s3/bucket:Bucket", "aws:kms/key:Key", "aws:cloudtrail/eventDataStore:EventDataStore"]);
const guards =
  /^aws:s3\/bucket(Policy|Versioning|PublicAccessBlock|OwnershipControls|ServerSideEncryptionConfiguration|ObjectLockConfiguration):/;

export function risksOf(stacks: PreviewedStack[], changesOf: Map<string, Change[]>, access: AccessChange[]): Finding[] {
  return [
    ...stacks.flatMap((stack) => (changesOf.get(stack.stack) ?? []).flatMap((change) => riskOf(stack, change))),
    ...access.filter(({ verdict }) => verdict === "wrong" || verdict === "undecided").map(riskOfAccess),
  ];
}

function riskOf({ stack, kind, accountId }: PreviewedStack, { op, type, name, before, after }: Change): Finding[] {
  const subject = `${stack} (${accountId}): ${type} ${nameOf(before) ?? name}`;
  const isGone = op === Op.Delete || op === Op.Replace;
  if (isGone && archive.has(type)) {
    return [
      {
        id: "preview/archive-lost",
        severity: "error",
        subject,
        message: `It would be ${op === Op.Delete ? "deleted" : "replaced"}: it holds logs, or logs cannot be read without it.`,
        remedy: "Undo the change that does this; crosstrail:keepArchive protects the archive.",
      },
    ];
  }
  if (isGone && guards.test(type)) {
    return [
      {
        id: "preview/guard-lost",
        severity: "error",
        subject,
        message: `It would be ${op === Op.Delete ? "deleted" : "replaced"}, leaving the archive unguarded, at least for a while.`,
        remedy: "Undo the change that does this.",
      },
    ];
  }
  if (type !== "aws:cloudtrail/trail:Trail") return [];
  if (isGone) {
    const where = kind === "management" ? "every account of the organization" : "the account";
    return [
      {
        id: "preview/trail-gone",
        severity: "warning",
        subject,
        message:
          op === Op.Delete
            ? `The trail would be deleted. It would no longer record events in ${where}.`
            : "The trail would be replaced. Events in between may not be recorded.",
        remedy: "Merge only if you intend this. Recorded logs stay in the archive.",
      },
    ];
  }
  const weaker = [
    ["enableLogging", "It would stop recording."],
    ["enableLogFileValidation", "It would no longer be possible to prove that no log was changed or removed."],
    ["isMultiRegionTrail", "It would record only one Region."],
    ["includeGlobalServiceEvents", "It would omit events of global services, such as IAM."],
  ] as const;
  return weaker
    .filter(([property]) => before[property] !== false && op !== Op.Create && after[property] === false)
    .map(([property, message]): Finding => ({
      id: "preview/trail-weakened",
      severity: "error",
      subject: `${subject}, ${property}`,
      message,
      remedy: "Merge only if you intend this.",
    }));
}

function riskOfAccess({ change, what, who, note, verdict }: AccessChange): Finding {
  const [first] = who as [AccessChange["who"][number]];
  const subject = `${first.alias} (${first.accountId})${who.length > 1 ? ` and ${who.length - 1} more` : ""}: ${what}`;
  if (verdict === "undecided") {
    return {
      id: "preview/access-undecided",
      severity: "error",
      subject,
      message: `Whether this would be possible cannot be decided. ${note ?? ""}`.trim(),
      remedy: "Change the statement so that it does not depend on what is not known. crosstrail simulate shows it.",
    };
  }
  return change === "gains"
    ? {
        id: "preview/access-opened",
        severity: "error",
        subject,
        message: "This would become possible, but should not be.",
        remedy: "Find out what changes the policy. crosstrail simulate shows the statement that allows it.",
      }
    : {
        id: "preview/access-lost",
        severity: "error",
        subject,
        message: `This would become impossible, but should be possible. ${note ?? ""}`.trim(),
        remedy: "Find out what changes the policy. crosstrail simulate shows the statement that refuses it.",
      };
}
