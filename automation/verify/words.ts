/** Every finding of a verification, in words. */
import { wholeSeconds } from "../../core/logs";
import type { ReadProblem } from "../archive";
import { printable } from "../output";
import { FindingState, type VerifyFinding } from "./types";

type Words = Pick<VerifyFinding, "id" | "state" | "message" | "remedy">;

const { Problem, NotChecked, Notice } = FindingState;

/** A finding about an object or a chain. */
export function finding(
  words: Words,
  subject: string,
  about: Partial<Pick<VerifyFinding, "accountId" | "region" | "trailName" | "key" | "day">> = {},
  evidence: Record<string, string | number | undefined> = {},
): VerifyFinding {
  const severity = words.state === Problem ? "error" : "warning";
  const shown = Object.entries(evidence).filter((each): each is [string, string | number] => each[1] !== undefined);
  return {
    ...words,
    // Keys, names and answers come from outside: nothing in them may move a terminal's cursor.
    message: printable(words.message),
    severity: words.state === Notice ? "info" : severity,
    subject: printable(subject),
    ...about,
    evidence: Object.fromEntries(shown.map(([name, value]) => [name, printable(String(value))])),
  };
}

/** A time for people, in UTC. */
export function at(time: number): string {
  return wholeSeconds(time);
}

export function dayOf(time: number): string {
  const day = Math.floor(time / 86_400_000);
  // Files come by time, so most have the day of the one before.
  if (day !== lastDay.day) lastDay = { day, text: new Date(time).toISOString().slice(0, 10) };
  return lastDay.text;
}

let lastDay = { day: 0, text: "1970-01-01" };

const restore = "Do not change the archive. Find out from the bucket's data events who did it.";

export const words = {
  logChanged: {
    id: "verify/log-changed",
    state: Problem,
    message: "Its content does not match the digest: the SHA-256 hash differs.",
    remedy: `${restore} An intact version, if there is one, is in the evidence.`,
  },
  logDamaged: {
    id: "verify/log-damaged",
    state: Problem,
    message: "It cannot be unpacked, so it is not what CloudTrail delivered.",
    remedy: `${restore} An intact version, if there is one, is in the evidence.`,
  },
  logTrailing: {
    id: "verify/log-trailing-data",
    state: Problem,
    message: "There is data after the end of its gzip stream. Many tools read it as more events; no digest names them.",
    remedy: `${restore} Do not query this file before it has been replaced by an intact version.`,
  },
  logTooLarge: {
    id: "verify/log-too-large",
    state: Problem,
    message: "It inflates to more than 2 GiB, which no log file of CloudTrail does. It was not read to its end.",
    remedy: `${restore} Do not open it with a tool that unpacks it into memory.`,
  },
  logExtras: {
    id: "verify/log-hidden-data",
    state: Notice,
    message: "Its gzip header carries a name, a comment or other data. The content is what the digest says.",
    remedy: "Look at the file's first bytes with a hex viewer.",
  },
  logMissing: {
    id: "verify/log-missing",
    state: Problem,
    message: "The digest names it, and it is not there. No version of it is left.",
    remedy: "Look for it in the replica, if there is one, and in the bucket's data events for who deleted it.",
  },
  logDeleted: {
    id: "verify/log-deleted",
    state: Problem,
    message: "The object was deleted.",
    remedy: "Restore it: delete the delete marker that the evidence names. The bucket's data events say who set it.",
  },
  logExpired: {
    id: "verify/log-expired",
    state: NotChecked,
    message: "It is not there, and a lifecycle rule of the bucket deletes objects of its age.",
    remedy: "Check that the rule is one you want. Then verify what is kept: crosstrail verify --since <date>",
  },
  logElsewhere: {
    id: "verify/log-in-other-bucket",
    state: NotChecked,
    message: "The digest names it in a bucket other than the one being verified.",
    remedy: "Verify the other bucket as well.",
  },
  logUnreferenced: {
    id: "verify/log-unreferenced",
    state: NotChecked,
    message:
      "No digest names this log file, though digests of its time are there. It may come from a trail without validation, or be forged.",
    remedy:
      "Find the trails of this account that deliver here without log file validation, and switch it on. If every trail validates, the file is forged.",
  },
  logForeign: {
    id: "verify/log-foreign",
    state: Problem,
    message: "No digest names this file, and CloudTrail does not write files of this name here.",
    remedy: `Find out who may write to the bucket: crosstrail simulate --deployed. ${restore}`,
  },
  logBeforeChain: {
    id: "verify/logs-before-chain",
    state: NotChecked,
    message: "There are log files from before the first digest. Validation was switched on later than the trail.",
    remedy: "Verify what the digests cover: crosstrail verify --since <the first digest's start>",
  },
  logRewritten: {
    id: "verify/log-rewritten",
    state: Notice,
    message:
      "The content is what the digest says, but S3 got the object after the digest that names it. Someone rewrote it.",
    remedy:
      "Copying in place, for example for another key, does this. If nobody did, find out who may write to the bucket.",
  },
  noDigests: {
    id: "verify/no-digests",
    state: NotChecked,
    message:
      "There are log files for this account and Region, but no digests: log file validation is off, or all digests were deleted.",
    remedy: "Switch log file validation on for the trail (crosstrail:enableLogFileValidation).",
  },
  neverRecorded: {
    id: "verify/never-recorded",
    state: Problem,
    message: "This account is declared in the fleet, but the archive has nothing from it.",
    remedy: "Check its trail: crosstrail status",
  },
  nothingFound: {
    id: "verify/nothing-found",
    state: Problem,
    message: "There are no digests in range. Nothing was verified.",
    remedy:
      "Check bucket, prefix, accounts, Regions and dates. If they are right, the digests were deleted or never delivered.",
  },
  digestChanged: {
    id: "verify/digest-changed",
    state: Problem,
    message: "Its signature does not match this content and place. The logs that it names cannot be proven.",
    remedy: `${restore} An older version of the digest, if there is one, is in the evidence.`,
  },
  signatureChanged: {
    id: "verify/signature-changed",
    state: Problem,
    message:
      "The signature in its metadata is wrong, but the next digest proves its content. Someone changed the object's metadata.",
    remedy: restore,
  },
  signatureLost: {
    id: "verify/signature-lost",
    state: Notice,
    message:
      "The signature is missing from the digest's metadata. The next digest contains it, and proves the content.",
    remedy: "Copy archives with their metadata (aws s3 cp does; a synced folder has none).",
  },
  digestUnsigned: {
    id: "verify/digest-unsigned",
    state: NotChecked,
    message: "It has no signature in its metadata, and no later digest contains one. The content cannot be proven.",
    remedy:
      "Get it with aws s3api head-object, and put it into metadata.jsonl in the folder: docs/verify.md shows how.",
  },
  digestDamaged: {
    id: "verify/digest-damaged",
    state: Problem,
    message: "It is not a digest that CloudTrail wrote.",
    remedy: `${restore} An older version of the digest, if there is one, is in the evidence.`,
  },
  digestTrailing: {
    id: "verify/digest-trailing-data",
    state: Problem,
    message: "There is data after the end of its gzip stream. The digest before that is genuine.",
    remedy: restore,
  },
  digestInconsistent: {
    id: "verify/digest-inconsistent",
    state: Problem,
    message: "Its content contradicts its key.",
    remedy: restore,
  },
  digestElsewhere: {
    id: "verify/digest-elsewhere",
    state: Problem,
    message:
      "It is genuine, but it was delivered to another place than the one it was found at. It is a copy: the content is proven, the place is not.",
    remedy:
      "If what you verify is a copy, name the original bucket: --copy-of <bucket>. Otherwise find out who put it here.",
  },
  digestDuplicate: {
    id: "verify/digest-duplicate",
    state: Problem,
    message: "It is a copy of another digest of the same archive, under a name of its own.",
    remedy: "Find out who put it here; CloudTrail did not.",
  },
  digestMissing: {
    id: "verify/digest-missing",
    state: Problem,
    message: "Digests are missing: a later one names one that is not there. The logs of that time cannot be proven.",
    remedy: "Look for them in the replica, if there is one, and in the bucket's data events for who deleted them.",
  },
  digestDeleted: {
    id: "verify/digest-deleted",
    state: Problem,
    message: "The object was deleted.",
    remedy: "Restore it: delete the delete marker that the evidence names. The bucket's data events say who set it.",
  },
  digestExpired: {
    id: "verify/digest-expired",
    state: NotChecked,
    message: "Older digests are not there any more; a lifecycle rule of the bucket deletes objects of their age.",
    remedy: "Check that the rule is one you want. Then verify what is kept: crosstrail verify --since <date>",
  },
  startMissing: {
    id: "verify/start-missing",
    state: Problem,
    message: "The first digest is not the beginning of the chain: it names one before it that is not there.",
    remedy:
      "Look for older digests in the replica, if there is one. A shorter history that you know of: --since <date>",
  },
  earlierBucket: {
    id: "verify/earlier-bucket",
    state: Notice,
    message: "The chain began in another bucket.",
    remedy: "Verify that bucket for the time before.",
  },
  chainBroken: {
    id: "verify/chain-broken",
    state: Problem,
    message: "It does not match the digest before it.",
    remedy: `One of the two was replaced. ${restore}`,
  },
  gap: {
    id: "verify/gap",
    state: Problem,
    message:
      "There is a gap between two chains of digests, and no log says that the trail was stopped. Digests were deleted, or logging was off.",
    remedy:
      "Ask CloudTrail's event history (LookupEvents) for StopLogging, and the bucket's data events for deletions.",
  },
  stopped: {
    id: "verify/logging-stopped",
    state: Notice,
    message: "Nothing was recorded for a while: the trail was stopped.",
    remedy: "Check that the caller was allowed to do this.",
  },
  endMissing: {
    id: "verify/end-missing",
    state: Problem,
    message:
      "The newest digests are missing, and no log says that the trail was stopped. They were deleted, or the trail does not deliver.",
    remedy:
      "Check that the trail logs and delivers: crosstrail status. If it does, look for deletions in the bucket's data events.",
  },
  ended: {
    id: "verify/chain-ended",
    state: Notice,
    message: "The chain ends here: the trail was stopped, deleted or changed.",
    remedy: "Check that the caller was allowed to do this.",
  },
  unknownKey: {
    id: "verify/key-unknown",
    state: Problem,
    message: "It names a public key that AWS does not have for this Region and time. Someone else made it.",
    remedy: restore,
  },
  keyNotValid: {
    id: "verify/key-not-valid",
    state: Problem,
    message: "It names a key of AWS's that was not in use at that time.",
    remedy: restore,
  },
  keyUnreadable: {
    id: "verify/key-unreadable",
    state: NotChecked,
    message: "Its public key is encoded in a way that Crosstrail does not know.",
    remedy: "Please report it, with the key's fingerprint.",
  },
  keysUnavailable: {
    id: "verify/keys-unavailable",
    state: NotChecked,
    message: "The public keys of this Region could not be retrieved, so none of its digests can be checked.",
    remedy:
      "Allow cloudtrail:ListPublicKeys. For a Region that this account has not enabled, get the keys with a member's role and give them with --public-keys.",
  },
  notSearched: {
    id: "verify/not-searched",
    state: NotChecked,
    message: "The bucket has too many folders to look into all of them for AWSLogs/.",
    remedy: "Keep other data out of the log bucket, or verify a copy of the log folders only.",
  },
  strangeObject: {
    id: "verify/object-unknown",
    state: Problem,
    message: "It lies among the digests, and CloudTrail does not write files of this name.",
    remedy: `Find out who may write to the bucket: crosstrail simulate --deployed. ${restore}`,
  },
  historyShortened: {
    id: "verify/history-shortened",
    state: Problem,
    message: "Digests that an earlier run verified are not there any more.",
    remedy: "Look for them in the replica, if there is one, and in the bucket's data events for who deleted them.",
  },
  historyReplaced: {
    id: "verify/history-replaced",
    state: Problem,
    message: "A digest that an earlier run verified has been replaced.",
    remedy: restore,
  },
} satisfies Record<string, Words>;

/** Where something could not be read: what that says, and what to do. */
export const unread: Record<Exclude<ReadProblem, "missing">, Words> = {
  archived: {
    id: "verify/archived",
    state: NotChecked,
    message: "It is in an archive tier (Glacier), and has to be restored before it can be read.",
    remedy: "Restore it (aws s3api restore-object), or verify the chain only: --chain-only",
  },
  denied: {
    id: "verify/denied",
    state: NotChecked,
    message: "S3 refuses to hand it over. Without s3:ListBucket it may also be missing.",
    remedy: "Use credentials that may read the archive; docs/verify.md has the permissions.",
  },
  keyDenied: {
    id: "verify/key-denied",
    state: NotChecked,
    message: "The KMS key that it is encrypted with may not be used.",
    remedy: "Allow kms:Decrypt, in the key's policy as well; docs/verify.md has the permissions.",
  },
  keyGone: {
    id: "verify/key-gone",
    state: NotChecked,
    message: "The KMS key that it is encrypted with is disabled, pending deletion, or deleted.",
    remedy: "Enable the key, or cancel its deletion, at once: without it the logs are lost.",
  },
  failed: {
    id: "verify/not-read",
    state: NotChecked,
    message: "It could not be read, after several attempts.",
    remedy: "Run the command again.",
  },
};
