/** How two neighbors in a chain of digests must fit together, and what it means when they do not. */
import type { DigestDocument } from "./digest";
import { isStartingDigest } from "./digest";
import type { DigestName } from "./names";
import { parseTime } from "./names";

/** A digest that has been read; of its own signature nothing is said here. */
export interface ReadDigest {
  /** Where it was found. */
  key: string;
  name: DigestName;
  digest: DigestDocument;
  /** SHA-256 of its uncompressed bytes, in lower-case hex. */
  contentHash: string;
  /** From the object's metadata, in hex; undefined when the copy has lost it. */
  signature?: string;
}

/** How a digest is linked to the one before it in time. */
export const Link = {
  /** It names the one before, by place, hash and signature, and begins where that one ends. */
  Whole: "whole",
  /** It is a starting digest, and nothing comes before it. */
  Start: "start",
  /** It is a starting digest, and an older chain ends before it. */
  NewChain: "newChain",
  /** It names one that is not there; nothing else is before it. */
  StartMissing: "startMissing",
  /** It names one that is not there, and an older one is. */
  Missing: "missing",
  /** It names the one before, but with another hash or signature, or another window than follows that one. */
  Broken: "broken",
} as const;
export type Link = (typeof Link)[keyof typeof Link];

export interface JudgedLink {
  link: Link;
  /** What does not fit, for `broken`. */
  mismatches: string[];
  /** From when to when no digest of this chain is there, in milliseconds; for `newChain` and `missing`. */
  from?: number;
  to?: number;
}

/**
 * How a digest fits to the one before it in time; `before` has the same chain, and may be a copy.
 * Nothing here depends on the place that a digest was found at, only on those that the digests record.
 */
export function judgeLink(before: ReadDigest | undefined, { digest }: ReadDigest): JudgedLink {
  const start = timeOf(digest.digestStartTime);
  if (!before) return { link: isStartingDigest(digest) ? Link.Start : Link.StartMissing, mismatches: [] };
  const gap = { from: timeOf(before.digest.digestEndTime), to: start };
  if (isStartingDigest(digest)) return { link: Link.NewChain, mismatches: [], ...gap };
  const isSame =
    digest.previousDigestS3Object === before.digest.digestS3Object &&
    digest.previousDigestS3Bucket === before.digest.digestS3Bucket;
  if (!isSame) return { link: Link.Missing, mismatches: [], ...gap };
  const mismatches: string[] = [];
  if (digest.previousDigestHashValue?.toLowerCase() !== before.contentHash) mismatches.push("previousDigestHashValue");
  if (before.signature !== undefined && !sameHex(digest.previousDigestSignature, before.signature)) {
    mismatches.push("previousDigestSignature");
  }
  if (start !== gap.from) mismatches.push("digestStartTime");
  return { link: mismatches.length === 0 ? Link.Whole : Link.Broken, mismatches };
}

/** What in a digest contradicts the key that it was found at; its place as recorded is not asked here. */
export function contradictions({ name, digest }: Pick<ReadDigest, "name" | "digest">): string[] {
  const wrong: string[] = [];
  if (digest.awsAccountId !== name.accountId) wrong.push("awsAccountId");
  if (Math.floor(timeOf(digest.digestEndTime) / 1000) !== Math.floor(name.endTime / 1000)) wrong.push("digestEndTime");
  return wrong;
}

/** Whether two signatures are the same, in whatever case they are written. */
export function sameHex(one: string | null | undefined, other: string | null | undefined): boolean {
  return typeof one === "string" && typeof other === "string" && one.toLowerCase() === other.toLowerCase();
}

function timeOf(text: string): number {
  return parseTime(text) as number;
}
