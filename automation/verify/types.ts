/** What a verification finds, and how it is counted. */
import type { Finding } from "../../core/findings";
import type { Deletion, TrailStop } from "../../core/logs";

/** What a finding means for the result. */
export const FindingState = {
  /** Something is missing, changed, or not what it says. */
  Problem: "problem",
  /** Something could not be checked, which says nothing about it. */
  NotChecked: "notChecked",
  /** Worth knowing; the archive is whole all the same. */
  Notice: "notice",
} as const;
export type FindingState = (typeof FindingState)[keyof typeof FindingState];

/** Something that was found, and in which object. */
export interface VerifyFinding extends Finding {
  state: FindingState;
  accountId?: string;
  region?: string;
  trailName?: string;
  /** The object's key. */
  key?: string;
  /** `2026-11-28`, in UTC. */
  day?: string;
  /** What shows it, by name. */
  evidence: Record<string, string>;
}

/** How many files ended how. */
export interface Counts {
  verified: number;
  /** Changed, damaged, or with something hidden in them. */
  changed: number;
  missing: number;
  notChecked: number;
}

export function noCounts(): Counts {
  return { verified: 0, changed: 0, missing: 0, notChecked: 0 };
}

export function addCounts(to: Counts, more: Counts): void {
  to.verified += more.verified;
  to.changed += more.changed;
  to.missing += more.missing;
  to.notChecked += more.notChecked;
}

/** One account's part of a Region. */
export interface PlaceResult {
  accountId: string;
  region: string;
  /** Of the organization, where the logs are an organization trail's; several where there were several. */
  trails: string[];
  digests: Counts;
  logs: Counts;
  /** Log files that are so new that no digest names them yet. */
  pending: number;
  /** Log files that no digest names, though digests of their time are there. */
  unreferenced: number;
  /** Of the logs' contents. */
  bytes: number;
  /** The time that the digests cover, in milliseconds since 1970; undefined when there are no digests. */
  from?: number;
  to?: number;
}

/** A hole in a chain, or its end, before it is known whether an event explains it. */
export interface Break {
  kind: "gap" | "end";
  accountId: string;
  region: string;
  organizationId?: string;
  trailName: string;
  homeRegion: string;
  /** When the last digest before it ends, in milliseconds since 1970. */
  from: number;
  /** When the next one begins, or until when there should be more. */
  to: number;
  /** Of the digest after a gap, or the last one of a chain. */
  key: string;
  /** Log files that lie in between. */
  logs: number;
}

/** The last digest of a chain that was proven. */
export interface ChainEnd {
  chain: string;
  bucket: string;
  key: string;
  endTime: number;
  contentHash: string;
  signature: string;
}

/** What was found in one slice: an account and Region, for some days. */
export interface SliceResult {
  id: string;
  place: PlaceResult;
  /** By day. */
  days: Record<string, Counts>;
  findings: VerifyFinding[];
  /** Findings that were only counted, as there were too many of a kind: by id. */
  more: Record<string, number>;
  stops: TrailStop[];
  /** Of objects in the archive's bucket. */
  deletions: Deletion[];
  breaks: Break[];
  ends: ChainEnd[];
}

/** The result as a whole. */
export const VerifyState = {
  /** Everything in range is there, and unaltered. */
  Whole: "whole",
  Problem: "problem",
  /** No problem was found, but not everything could be checked. */
  NotChecked: "notChecked",
} as const;
export type VerifyState = (typeof VerifyState)[keyof typeof VerifyState];

export interface VerifyResult {
  state: VerifyState;
  /** What was read: `s3://bucket`, or a folder. */
  source: string;
  /** The bucket that the digests name, where what was read is a copy. */
  copyOf?: string;
  /** ISO times. `since` is undefined when everything was verified from the beginning. */
  since?: string;
  until: string;
  chainOnly: boolean;
  /** False when it was cancelled before the end. */
  complete: boolean;
  digests: Counts;
  logs: Counts;
  pending: number;
  unreferenced: number;
  bytes: number;
  seconds: number;
  places: PlaceResult[];
  /** By account, then by day. */
  days: Record<string, Record<string, Counts>>;
  findings: VerifyFinding[];
  /** Findings that were only counted, by id. */
  more: Record<string, number>;
}

/** How far it is. */
export interface VerifyProgress {
  stage: "listing" | "verifying";
  /** Slices that are done, and all of them. */
  done: number;
  of: number;
  digests: number;
  logs: number;
  bytes: number;
  findings: number;
  /** Files a second. */
  rate: number;
  /** Undefined as long as that cannot be said. */
  secondsLeft?: number;
  /** The same requests at the same time that S3 allows now. */
  concurrency?: number;
}
