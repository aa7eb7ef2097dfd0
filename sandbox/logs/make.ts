// Makes archives as CloudTrail writes them: logs of realistic size, hourly digests, signed and chained.

import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import {
  backfillTimeMetadata,
  type DigestDocument,
  digestKey,
  hashAlgorithm,
  type LogFileEntry,
  logKey,
  noPrevious,
  type PreviousDigest,
  signatureAlgorithm,
  signatureAlgorithmMetadata,
  signatureMetadata,
  signingString,
  wholeSeconds,
} from "../../core/logs";
import { trailArn } from "../../core/names";
import { eventText, plantedEvent, stopLogging } from "./events";
import type { KeyRing } from "./keys";
import { type SigningKey } from "./keys";
import { type Random, randomOf } from "./random";

const HOUR = 3_600_000;
const MINUTE = 60_000;
/** Three per cent larger than zlib's default, in less time. */
const fast = { level: 3 };

/** A trail, and what it delivers. */
export interface MadeTrail {
  name: string;
  /** Default: the first of the Regions. */
  homeRegion?: string;
  prefix?: string;
  /** It is the organization's; its accounts then lie below this id. */
  organizationId?: string;
  /** Whose logs it delivers. The first one owns it. */
  accounts: string[];
  regions: string[];
  /** When it begins to log, in milliseconds since 1970. */
  from: number;
  hours: number;
  /** Whether digests are delivered. Default true. */
  validation?: boolean;
  /** Logging is stopped after so many hours, for so many: the chain ends, and a new one begins. */
  pauses?: { afterHours: number; hours: number }[];
}

/** An event to plant, in the log of that time, account and Region. */
export interface Incident {
  accountId: string;
  region: string;
  time: number;
  fields: Record<string, unknown>;
}

export interface ArchiveOptions {
  /** Default 1. */
  seed?: number;
  bucket: string;
  trails: MadeTrail[];
  /** Files of an hour, account and Region, on average. Default 12: one every five minutes. */
  filesPerHour?: number;
  /** On average. Default 5.5. */
  eventsPerFile?: number;
  /** How many of a thousand hours have no events at all. Default 50. */
  emptyHours?: number;
  /** How many of a thousand files are large, and how large their content is. Default none. */
  large?: { perThousand: number; megabytes: number };
  /** How many of a thousand hours have a file that only a backfill digest names. Default none. */
  backfills?: number;
  incidents?: Incident[];
}

/** An object of the archive. */
export interface MadeObject {
  kind: "log" | "digest" | "backfill";
  key: string;
  /** As it is stored: gzipped. */
  body: Buffer;
  /** Without `x-amz-meta-`. */
  metadata?: Record<string, string>;
  /** When CloudTrail delivered it, in milliseconds since 1970. */
  time: number;
}

/** One trail, account and Region: what one chain of digests is about. */
export interface Chain {
  trail: MadeTrail;
  accountId: string;
  region: string;
}

export function chainsOf({ trails }: ArchiveOptions): Chain[] {
  return trails.flatMap((trail) =>
    trail.accounts.flatMap((accountId) => trail.regions.map((region) => ({ trail, accountId, region }))),
  );
}

/** All objects of an archive, chain by chain, each by time. The same options make the same archive, except for the keys. */
export function* makeArchive(options: ArchiveOptions, keys: KeyRing): Generator<MadeObject> {
  for (const chain of chainsOf(options)) yield* makeChain(options, keys, chain);
}

/** The objects of one chain. */
export function* makeChain(options: ArchiveOptions, keys: KeyRing, chain: Chain): Generator<MadeObject> {
  const { bucket, seed = 1, filesPerHour = 12, emptyHours = 50, large, backfills = 0 } = options;
  const { trail, accountId, region } = chain;
  const { prefix, organizationId, homeRegion = trail.regions[0] as string, validation = true, pauses = [] } = trail;
  const place = { ...(prefix && { prefix }), ...(organizationId && { organizationId }), accountId, region };
  const random = randomOf(seed, `${organizationId ?? ""}/${accountId}/${region}/${trail.name}`);
  // Digests do not come on the hour; each chain has minutes and seconds of its own.
  const first = trail.from + (random.below(50) + 1) * MINUTE + random.below(60) * 1000;
  const incidents = (options.incidents ?? []).filter(
    (each) => each.accountId === accountId && each.region === region && each.fields !== undefined,
  );
  let previous: PreviousDigest = noPrevious;
  for (let hour = 0; hour < trail.hours; hour++) {
    const pause = pauses.find(({ afterHours, hours }) => hour >= afterHours && hour < afterHours + hours);
    if (pause) {
      previous = noPrevious;
      continue;
    }
    const start = first + hour * HOUR;
    const end = start + HOUR;
    const stops = pauses.some(({ afterHours }) => afterHours === hour + 1);
    const isOwn = accountId === trail.accounts[0] && region === homeRegion;
    const planted = incidents.filter(({ time }) => time >= start && time < end);
    const isEmpty = random.below(1000) < emptyHours && planted.length === 0 && !(stops && isOwn);
    const count = isEmpty ? 0 : Math.max(1, Math.round(filesPerHour * (0.7 + 0.6 * random.next())));
    const logs: LogFileEntry[] = [];
    const late: LogFileEntry[] = [];
    for (let file = 0; file < count; file++) {
      const time = start + Math.floor((file * 50 * MINUTE) / count);
      const events = eventsOf(random, options, { accountId, region, time });
      if (large && random.below(1000) < large.perThousand) grow(events, large.megabytes, random, chain, time);
      for (const each of planted.filter((_, index) => index % count === file)) {
        events.push(plantedEvent(random, { accountId, region, time: each.time }, each.fields));
      }
      if (stops && isOwn && file === count - 1) {
        const arn = trailArn({ partition: "aws", region: homeRegion, accountId, name: trail.name });
        const by = `arn:aws:iam::${accountId}:user/mallory`;
        events.push(plantedEvent(random, { accountId, region, time: end - 5 * MINUTE }, stopLogging(arn, by)));
      }
      const content = Buffer.from(`{"Records":[${events.join(",")}]}`);
      const key = logKey({ ...place, time, unique: random.letters(16) });
      const entry: LogFileEntry = {
        s3Bucket: bucket,
        s3Object: key,
        hashValue: sha256(content),
        hashAlgorithm,
        newestEventTime: wholeSeconds(time),
        oldestEventTime: wholeSeconds(time - 4 * MINUTE),
      };
      const isLate = file === count - 1 && random.below(1000) < backfills;
      (isLate ? late : logs).push(entry);
      yield { kind: "log", key, body: gzipSync(content, fast), time: time + 2 * MINUTE };
    }
    if (!validation) continue;
    const name = { ...place, trailName: trail.name, homeRegion, endTime: end };
    const signer = keys.at(end);
    const made = signedDigest(
      { bucket, key: digestKey({ ...name, backfill: false }), accountId, start, end, logs, previous },
      signer,
    );
    yield { kind: "digest", ...made.object, time: end + 15 * MINUTE };
    previous = made.next;
    if (late.length === 0) continue;
    const key = digestKey({ ...name, backfill: true });
    const backfill = signedDigest({ bucket, key, accountId, start, end, logs: late, previous: noPrevious }, signer);
    const generated = { [backfillTimeMetadata]: wholeSeconds(end + 3 * HOUR) };
    yield {
      kind: "backfill",
      ...backfill.object,
      metadata: { ...backfill.object.metadata, ...generated },
      time: end + 3 * HOUR,
    };
  }
}

export interface DigestFacts {
  bucket: string;
  key: string;
  accountId: string;
  start: number;
  end: number;
  logs: LogFileEntry[];
  previous: PreviousDigest;
}

/** A digest as it is stored, and how the next one names it. */
export interface SignedDigest {
  object: { key: string; body: Buffer; metadata: Record<string, string> };
  document: DigestDocument;
  next: PreviousDigest;
}

export function signedDigest(facts: DigestFacts, key: SigningKey): SignedDigest {
  const { bucket, accountId, start, end, logs, previous } = facts;
  const times = logs.flatMap(({ newestEventTime, oldestEventTime }) => [newestEventTime, oldestEventTime]).sort();
  const document: DigestDocument = {
    awsAccountId: accountId,
    digestStartTime: wholeSeconds(start),
    digestEndTime: wholeSeconds(end),
    digestS3Bucket: bucket,
    digestS3Object: facts.key,
    digestPublicKeyFingerprint: key.publicKey.fingerprint,
    digestSignatureAlgorithm: signatureAlgorithm,
    newestEventTime: times.at(-1) ?? null,
    oldestEventTime: times[0] ?? null,
    ...previous,
    logFiles: logs,
  };
  return sealed(document, key);
}

/** Signs a document unchanged, also one that CloudTrail would not write. */
export function sealed(document: DigestDocument, key: SigningKey): SignedDigest {
  const content = Buffer.from(JSON.stringify(document));
  const hash = sha256(content);
  const signature = key.sign(signingString(document, hash));
  return {
    object: {
      key: document.digestS3Object,
      body: gzipSync(content),
      metadata: { [signatureMetadata]: signature, [signatureAlgorithmMetadata]: signatureAlgorithm },
    },
    document,
    next: {
      previousDigestS3Bucket: document.digestS3Bucket,
      previousDigestS3Object: document.digestS3Object,
      previousDigestHashValue: hash,
      previousDigestHashAlgorithm: hashAlgorithm,
      previousDigestSignature: signature,
    },
  };
}

function eventsOf(
  random: Random,
  { eventsPerFile = 5.5 }: ArchiveOptions,
  facts: { accountId: string; region: string; time: number },
): string[] {
  const count = Math.max(1, Math.round(eventsPerFile * 2 * random.next()));
  return Array.from({ length: count }, (_, index) =>
    eventText(random, { ...facts, time: facts.time - Math.floor((index * 4 * MINUTE) / count) }),
  );
}

/** Makes the content large: a busy account's file. */
function grow(events: string[], megabytes: number, random: Random, { accountId, region }: Chain, time: number): void {
  let size = 0;
  while (size < megabytes * 1e6) {
    const event = eventText(random, { accountId, region, time: time - random.below(4 * MINUTE) });
    size += event.length;
    events.push(event);
  }
}

function sha256(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}
