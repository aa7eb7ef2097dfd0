/**
 * Kinds of tampering and mishap, each with what verify says of it. They are played in memory (tests/automation/verify), and put to
 * AWS's own tool on the emulator (tests/engine/verify): `aws` is the exit code of `aws cloudtrail validate-logs`, where it can be
 * asked the same.
 */
import { gunzipSync, gzipSync } from "node:zlib";
import { ReadProblem } from "../../automation/archive";
import type { RunOptions } from "../../automation/verify/run";
import { KeysError } from "../../automation/verify/publicKeys";
import { type DigestDocument, digestKey, logKey, noPrevious, parseDigestKey, type PublicKey } from "../../core/logs";
import {
  type ArchiveOptions,
  KeyRing,
  makeArchive,
  MemoryArchive,
  type MadeTrail,
  sealed,
  type SignedDigest,
  signingKey,
} from "../../sandbox/logs";

export const HOUR = 3_600_000;
export const account = "111111111111";
export const region = "us-east-1";
export const bucket = "logs-under-test";
/** Digests of this time are signed with a key that is encoded as PKCS#1: AWS's tool reads no other one. */
export const from = Date.UTC(2026, 11, 20, 6);
export const hours = 5;

export const trail: MadeTrail = { name: "crosstrail", accounts: [account], regions: [region], from, hours };

const ring = new KeyRing(1);
/** A key that nobody but its maker knows. */
const ownKey = () => signingKey("of an attacker", from - 240 * HOUR);

/** An archive as CloudTrail wrote it, and what an attacker does with it. */
export class Scene {
  constructor(
    readonly archive: MemoryArchive,
    readonly publicKeys: PublicKey[],
  ) {}

  /** The keys of the digests, by time, without backfills. */
  digests(name = trail.name): string[] {
    return this.archive
      .keys()
      .filter((key) => parseDigestKey(key)?.trailName === name && !parseDigestKey(key)?.backfill)
      .sort((one, other) => (parseDigestKey(one)?.endTime ?? 0) - (parseDigestKey(other)?.endTime ?? 0));
  }

  /** The digest of an hour, counted from the first; negative from the last. */
  digest(index: number): string {
    return this.digests().at(index) as string;
  }

  /** A log in the middle of the archive. */
  log(index = 0): string {
    return this.document(this.digest(2)).logFiles[index]?.s3Object as string;
  }

  content(key: string): Buffer {
    return gunzipSync(this.archive.body(key));
  }

  document(key: string): DigestDocument {
    return JSON.parse(this.content(key).toString()) as DigestDocument;
  }

  /** Writes an object again, with the metadata that it has, at the time that it has. */
  write(key: string, body: Buffer, metadata = this.archive.metadata(key)): void {
    this.archive.put(key, body, { metadata, time: this.archive.timeOf(key) });
  }

  /** Changes a digest's content; the signature beside it stays, or is made anew. */
  changeDigest(key: string, change: Partial<DigestDocument>, sign?: "aws" | "own"): SignedDigest {
    const document = { ...this.document(key), ...change };
    const made = sealed(document, sign === "own" ? ownKey() : ring.at(from));
    this.write(key, made.object.body, sign ? made.object.metadata : this.archive.metadata(key));
    return made;
  }

  when(hour: number): number {
    return from + hour * HOUR;
  }
}

const made = new Map<string, MemoryArchive>();

function optionsOf(change: Partial<ArchiveOptions>): ArchiveOptions {
  return { bucket, trails: [trail], filesPerHour: 3, emptyHours: 0, ...change };
}

/** An archive of its own, made once for all cases with the same options. */
export function scene(change: Partial<ArchiveOptions> = {}): Scene {
  const id = JSON.stringify(change);
  const options = optionsOf(change);
  const archive = made.get(id) ?? MemoryArchive.of(options.bucket, makeArchive(options, ring));
  made.set(id, archive);
  return new Scene(archive.copy(), ring.list());
}

/** When the last digest has just come. */
export const justAfter = from + (hours + 2) * HOUR;

export interface TamperCase {
  title: string;
  archive?: Partial<ArchiveOptions>;
  tamper: (scene: Scene) => Scene | void;
  options?: (scene: Scene) => Partial<RunOptions>;
  /** The ids of the findings, without `verify/`; all of them. */
  finds: string[];
  exit: 0 | 5 | 10;
  /** The exit code of AWS's tool, or why it is not asked. */
  aws: 0 | 1 | 255 | string;
  /** Why the two differ; docs/verify.md says it. */
  why?: string;
}

const whys = {
  unnamed: "It reads the files that digests name, and no others.",
  newest: "It starts at the newest digest that it finds.",
  none: 'To it, "No digests found" is not an error.',
  start: "It takes every starting digest for a legitimate start.",
} as const;

const notOnEmulator = "the emulator has no such refusals";
const oneMember = (key: string, scene: Scene, more: Buffer) =>
  scene.write(key, Buffer.concat([scene.archive.body(key), more]));
const strangerTime = from + 2.2 * HOUR;
const strangerKey = logKey({ accountId: account, region, time: strangerTime, unique: "Zz0Zz1Zz2Zz3Zz4Z" });
const strangerLog = (recipientAccountId: string) =>
  gzipSync(JSON.stringify({ Records: [{ eventName: "Forged", recipientAccountId }] }));

export const cases: TamperCase[] = [
  { title: "nothing", tamper: () => undefined, finds: [], exit: 0, aws: 0 },
  {
    title: "nothing, with a public key that is encoded as a SubjectPublicKeyInfo",
    archive: { trails: [{ ...trail, from: Date.UTC(2026, 10, 20, 6) }] },
    tamper: () => undefined,
    options: () => ({ now: Date.UTC(2026, 10, 20, 6) + (hours + 2) * HOUR }),
    finds: [],
    exit: 0,
    aws: 1,
    why: "It loads PKCS#1 keys only.",
  },

  // Logs.
  {
    title: "a log with another content",
    tamper: (s) => s.write(s.log(), gzipSync('{"Records":[]}')),
    finds: ["log-changed"],
    exit: 5,
    aws: 1,
  },
  {
    title: "a log in which one letter is another",
    tamper: (s) => s.write(s.log(), gzipSync(s.content(s.log()).toString().replace("eventName", "eventNane"))),
    finds: ["log-changed"],
    exit: 5,
    aws: 1,
  },
  {
    title: "two logs in each other's place",
    tamper: (s) => {
      const [one, other] = [s.archive.body(s.log(0)), s.archive.body(s.log(1))];
      s.write(s.log(0), other);
      s.write(s.log(1), one);
    },
    finds: ["log-changed", "log-changed"],
    exit: 5,
    aws: 1,
  },
  {
    title: "a log that is cut off",
    tamper: (s) => s.write(s.log(), s.archive.body(s.log()).subarray(0, -100)),
    finds: ["log-damaged"],
    exit: 5,
    aws: 1,
  },
  {
    title: "a log that lacks its last bytes",
    tamper: (s) => s.write(s.log(), s.archive.body(s.log()).subarray(0, -3)),
    finds: ["log-damaged"],
    exit: 5,
    aws: 0,
    why: "It does not compare the checksum at the end of the gzip stream.",
  },
  {
    title: "a log that is not gzipped",
    tamper: (s) => s.write(s.log(), s.content(s.log())),
    finds: ["log-damaged"],
    exit: 5,
    aws: 1,
  },
  {
    title: "an empty object in the place of a log",
    tamper: (s) => s.write(s.log(), Buffer.alloc(0)),
    finds: ["log-damaged"],
    exit: 5,
    aws: 1,
  },
  {
    title: "more events in a second gzip member",
    tamper: (s) => oneMember(s.log(), s, gzipSync('{"Records":[{"eventName":"Forged"}]}')),
    finds: ["log-trailing-data"],
    exit: 5,
    aws: 1,
  },
  {
    title: "an empty second gzip member",
    tamper: (s) => oneMember(s.log(), s, gzipSync("")),
    finds: ["log-trailing-data"],
    exit: 5,
    aws: 1,
  },
  {
    title: "zeros behind a log",
    tamper: (s) => oneMember(s.log(), s, Buffer.alloc(7)),
    finds: ["log-trailing-data"],
    exit: 5,
    aws: 1,
  },
  {
    title: "a log that inflates to more than any log",
    tamper: (s) => s.write(s.log(), gzipSync(Buffer.alloc(40 << 20))),
    options: () => ({ largestLog: 20 << 20 }),
    finds: ["log-too-large"],
    exit: 5,
    aws: 1,
  },
  {
    title: "a name in a log's gzip header",
    tamper: (s) => {
      const body = s.archive.body(s.log());
      const header = Buffer.from(body.subarray(0, 10));
      header[3] = 8;
      s.write(s.log(), Buffer.concat([header, Buffer.from("secret\0"), body.subarray(10)]));
    },
    finds: ["log-hidden-data"],
    exit: 0,
    aws: 0,
  },
  {
    title: "a log that was written again, with the same content, after its digest",
    tamper: (s) => s.archive.put(s.log(), gzipSync(s.content(s.log())), { time: s.when(20) }),
    finds: ["log-rewritten"],
    exit: 0,
    aws: 0,
  },
  {
    title: "a log that is gone with all its versions",
    tamper: (s) => s.archive.purge(s.log()),
    finds: ["log-missing"],
    exit: 5,
    aws: 1,
  },
  {
    title: "a log below a delete marker",
    tamper: (s) => s.archive.remove(s.log()),
    finds: ["log-deleted"],
    exit: 5,
    aws: 1,
  },
  {
    title: "a log that was changed, and then deleted",
    tamper: (s) => {
      s.write(s.log(), gzipSync("{}"));
      s.archive.remove(s.log());
    },
    finds: ["log-deleted"],
    exit: 5,
    aws: 1,
  },
  {
    title: "a log that a lifecycle rule has deleted",
    tamper: (s) => {
      s.archive.rules = [{ id: "expire", prefix: "", days: 1 }];
      s.archive.remove(s.log(), s.archive.timeOf(s.log()) + 30 * HOUR);
    },
    options: () => ({ now: justAfter }),
    finds: ["log-expired"],
    exit: 10,
    aws: 1,
    why: "It does not read the bucket's lifecycle rules: to it, an expired file is a missing one.",
  },
  {
    title: "a log that was deleted before a lifecycle rule would have",
    tamper: (s) => {
      s.archive.rules = [{ id: "expire", prefix: "", days: 1 }];
      s.archive.remove(s.log(), s.archive.timeOf(s.log()) + 2 * HOUR);
    },
    finds: ["log-deleted"],
    exit: 5,
    aws: 1,
  },
  {
    title: "a log in Glacier",
    tamper: (s) => s.archive.setStorageClass(s.log(), "GLACIER"),
    finds: ["archived"],
    exit: 10,
    aws: 255,
  },
  ...(
    [
      [ReadProblem.Denied, "denied", "a log that S3 refuses"],
      [ReadProblem.KeyDenied, "key-denied", "a log whose key may not be used"],
      [ReadProblem.KeyGone, "key-gone", "a log whose key is gone"],
      [ReadProblem.Failed, "not-read", "a log that cannot be read for the network's sake"],
    ] as const
  ).map(([problem, id, title]): TamperCase => ({
    title,
    tamper: (s) => void s.archive.refusals.set(s.log(), problem),
    finds: [id],
    exit: 10,
    aws: notOnEmulator,
  })),
  {
    title: "a log that no digest names",
    tamper: (s) => s.archive.put(strangerKey, strangerLog(account), { time: strangerTime }),
    finds: ["log-unreferenced"],
    exit: 10,
    aws: 0,
    why: whys.unnamed,
  },
  {
    title: "a log of another account that no digest names",
    tamper: (s) => s.archive.put(strangerKey, strangerLog("999999999999"), { time: strangerTime }),
    finds: ["log-foreign"],
    exit: 5,
    aws: 0,
    why: whys.unnamed,
  },
  {
    title: "something else under a log's name that no digest names",
    tamper: (s) => s.archive.put(strangerKey, Buffer.from("MZ"), { time: strangerTime }),
    finds: ["log-foreign"],
    exit: 5,
    aws: 0,
    why: whys.unnamed,
  },
  {
    title: "a file of another name among the logs",
    tamper: (s) => s.archive.put(s.log().replace(/[^/]+$/, "payload.bin"), Buffer.from("x"), { time: strangerTime }),
    finds: ["log-foreign"],
    exit: 5,
    aws: 0,
    why: whys.unnamed,
  },

  // Digests.
  {
    title: "a log that was changed together with its digest",
    tamper: (s) => {
      const { logFiles } = s.document(s.digest(2));
      const forged = gzipSync('{"Records":[]}');
      s.write(s.log(), forged);
      const hashValue = "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945";
      s.changeDigest(s.digest(2), {
        logFiles: [{ ...(logFiles[0] as (typeof logFiles)[0]), hashValue }, ...logFiles.slice(1)],
      });
    },
    finds: ["digest-changed"],
    exit: 5,
    aws: 1,
  },
  {
    title: "a digest from which a log was taken out",
    tamper: (s) => {
      const [, ...logFiles] = s.document(s.digest(2)).logFiles;
      s.archive.purge(s.log());
      s.changeDigest(s.digest(2), { logFiles });
    },
    finds: ["digest-changed"],
    exit: 5,
    aws: 1,
  },
  {
    title: "a digest that was signed with a key of one's own, under its own name",
    tamper: (s) =>
      void s.changeDigest(
        s.digest(2),
        { digestPublicKeyFingerprint: ownKey().publicKey.fingerprint, logFiles: [] },
        "own",
      ),
    finds: ["key-unknown"],
    exit: 5,
    aws: 1,
  },
  {
    title: "a digest that was signed with a key of one's own, under AWS's name",
    tamper: (s) => void s.changeDigest(s.digest(2), { logFiles: [] }, "own"),
    finds: ["digest-changed"],
    exit: 5,
    aws: 1,
  },
  {
    title: "a digest that names a key of AWS's that was not in use",
    tamper: () => undefined,
    options: (s) => ({
      keys: {
        keys: () => Promise.resolve(s.publicKeys.map((key) => ({ ...key, validUntil: from - 10 * HOUR }))),
      },
    }),
    finds: Array.from({ length: hours }, () => "key-not-valid"),
    exit: 5,
    aws: "it does not look at a key's validity",
  },
  {
    title: "public keys that cannot be had",
    tamper: () => undefined,
    options: () => ({ keys: { keys: () => Promise.reject(new KeysError("UnrecognizedClientException")) } }),
    finds: ["keys-unavailable"],
    exit: 10,
    aws: 255,
  },
  {
    title: "no public key at all",
    tamper: () => undefined,
    options: () => ({ keys: { keys: () => Promise.resolve([]) } }),
    finds: Array.from({ length: hours }, () => "key-unknown"),
    exit: 5,
    aws: 255,
    why: "It stops at the first Region without keys.",
  },
  {
    title: "a digest in the middle that is gone",
    tamper: (s) => s.archive.purge(s.digest(2)),
    finds: ["digest-missing"],
    exit: 5,
    aws: 1,
  },
  {
    title: "three digests in a row that are gone",
    tamper: (s) => [1, 2, 3].map((index) => s.digest(index)).forEach((key) => s.archive.purge(key)),
    finds: ["digest-missing"],
    exit: 5,
    aws: 1,
  },
  {
    title: "a digest below a delete marker",
    tamper: (s) => s.archive.remove(s.digest(2)),
    finds: ["digest-deleted"],
    exit: 5,
    aws: 1,
  },
  {
    title: "the newest digests gone",
    tamper: (s) => [-1, -2].map((index) => s.digest(index)).forEach((key) => s.archive.purge(key)),
    finds: ["end-missing"],
    exit: 5,
    aws: 0,
    why: whys.newest,
  },
  {
    title: "the newest digests below delete markers",
    tamper: (s) => [-1, -2].map((index) => s.digest(index)).forEach((key) => s.archive.remove(key)),
    finds: ["digest-deleted", "digest-deleted"],
    exit: 5,
    aws: 0,
    why: whys.newest,
  },
  {
    title: "all digests gone",
    tamper: (s) => s.digests().forEach((key) => s.archive.purge(key)),
    finds: ["nothing-found", "no-digests"],
    exit: 5,
    aws: 0,
    why: whys.none,
  },
  {
    title: "all digests below delete markers",
    tamper: (s) => s.digests().forEach((key) => s.archive.remove(key)),
    finds: Array.from({ length: hours }, () => "digest-deleted"),
    exit: 5,
    aws: 0,
    why: whys.none,
  },
  {
    title: "digests and logs all gone, of an account that is declared",
    tamper: (s) => s.archive.everyKey().forEach((key) => s.archive.purge(key)),
    options: () => ({ expected: [account] }),
    finds: ["nothing-found", "never-recorded"],
    exit: 5,
    aws: 0,
    why: whys.none,
  },
  {
    title: "the first digest gone",
    tamper: (s) => s.archive.purge(s.digest(0)),
    finds: ["start-missing", "logs-before-chain"],
    exit: 5,
    aws: 1,
  },
  {
    title: "the first digest deleted by a lifecycle rule",
    tamper: (s) => {
      s.archive.rules = [{ id: "expire", prefix: "", days: 1 }];
      const first = s.digest(0);
      for (const { s3Object } of s.document(first).logFiles) s.archive.purge(s3Object);
      s.archive.purge(first);
    },
    options: () => ({ now: from + 25.5 * HOUR, until: from + (hours + 1) * HOUR - HOUR }),
    finds: ["digest-expired"],
    exit: 10,
    aws: 1,
    why: "It does not read the bucket's lifecycle rules: to it, an expired file is a missing one.",
  },
  {
    title: "digests deleted right before a starting digest",
    archive: { trails: [{ ...trail, hours: 9, pauses: [{ afterHours: 4, hours: 2 }] }] },
    tamper: (s) => {
      for (const key of [s.digest(2), s.digest(3)]) s.archive.purge(key);
    },
    options: () => ({ now: from + 11 * HOUR }),
    finds: ["gap"],
    exit: 5,
    aws: 0,
    why: whys.start,
  },
  {
    title: "a trail that was stopped and started again",
    archive: { trails: [{ ...trail, hours: 8, pauses: [{ afterHours: 4, hours: 2 }] }] },
    tamper: () => undefined,
    options: () => ({ now: from + 10 * HOUR }),
    finds: ["logging-stopped"],
    exit: 0,
    aws: 0,
  },
  {
    title: "a trail that was stopped for good",
    archive: { trails: [{ ...trail, hours: 8, pauses: [{ afterHours: 4, hours: 4 }] }] },
    tamper: () => undefined,
    options: () => ({ now: from + 20 * HOUR }),
    finds: ["chain-ended"],
    exit: 0,
    aws: 0,
  },
  {
    title: "a trail that does not deliver any more",
    tamper: () => undefined,
    options: () => ({ now: from + 48 * HOUR }),
    finds: ["end-missing"],
    exit: 5,
    aws: 0,
    why: whys.newest,
  },
  {
    title: "a signature that was taken away",
    tamper: (s) => s.write(s.digest(2), s.archive.body(s.digest(2)), {}),
    finds: ["signature-lost"],
    exit: 0,
    aws: 1,
    why: "It does not use the copy of the signature in the next digest.",
  },
  {
    title: "the newest digest's signature that was taken away",
    tamper: (s) => s.write(s.digest(-1), s.archive.body(s.digest(-1)), {}),
    finds: ["digest-unsigned"],
    exit: 10,
    aws: 1,
    why: "It calls a digest without a signature invalid. Without one, nothing is proven either way.",
  },
  {
    title: "a signature that is another digest's",
    tamper: (s) => s.write(s.digest(2), s.archive.body(s.digest(2)), s.archive.metadata(s.digest(1))),
    finds: ["signature-changed"],
    exit: 5,
    aws: 1,
  },
  {
    title: "a signature of the newest digest that is another one's",
    tamper: (s) => s.write(s.digest(-1), s.archive.body(s.digest(-1)), s.archive.metadata(s.digest(1))),
    finds: ["digest-changed"],
    exit: 5,
    aws: 1,
  },
  {
    title: "a signature that is no hex",
    tamper: (s) => s.write(s.digest(-1), s.archive.body(s.digest(-1)), { signature: "zz" }),
    finds: ["digest-changed"],
    exit: 5,
    aws: "its answer to this is an error of Python's, and depends on the version",
  },
  {
    title: "a digest that lies in another prefix, too",
    tamper: (s) =>
      s.archive.put(`copy/${s.digest(2)}`, s.archive.body(s.digest(2)), { metadata: s.archive.metadata(s.digest(2)) }),
    finds: ["digest-duplicate"],
    exit: 5,
    aws: 0,
    why: "It looks below one prefix.",
  },
  {
    title: "a digest under the name of another hour",
    tamper: (s) => {
      const name = parseDigestKey(s.digest(-1)) as NonNullable<ReturnType<typeof parseDigestKey>>;
      const key = digestKey({ ...name, endTime: name.endTime + HOUR });
      s.archive.put(key, s.archive.body(s.digest(2)), { metadata: s.archive.metadata(s.digest(2)), time: justAfter });
    },
    finds: ["digest-elsewhere"],
    exit: 5,
    aws: 1,
  },
  {
    title: "a digest in the place of the next one",
    tamper: (s) => s.write(s.digest(3), s.archive.body(s.digest(2)), s.archive.metadata(s.digest(2))),
    finds: ["digest-duplicate", "digest-missing"],
    exit: 5,
    aws: 1,
  },
  {
    title: "data behind a digest",
    tamper: (s) => oneMember(s.digest(2), s, gzipSync('{"more":1}')),
    finds: ["digest-trailing-data"],
    exit: 5,
    aws: 0,
    why: "It reads the first gzip member of a digest, and nothing behind it.",
  },
  {
    title: "a digest that is not gzipped",
    tamper: (s) => s.write(s.digest(2), s.content(s.digest(2))),
    finds: ["digest-damaged"],
    exit: 5,
    aws: 1,
  },
  {
    title: "a digest that is no JSON",
    tamper: (s) => s.write(s.digest(2), gzipSync("not JSON")),
    finds: ["digest-damaged"],
    exit: 5,
    aws: 1,
  },
  {
    title: "a digest that lacks a field",
    tamper: (s) => s.changeDigest(s.digest(2), { digestEndTime: undefined }, "aws") && undefined,
    finds: ["digest-damaged"],
    exit: 5,
    aws: 1,
  },
  {
    title: "a digest in Glacier",
    tamper: (s) => s.archive.setStorageClass(s.digest(2), "DEEP_ARCHIVE"),
    finds: ["archived"],
    exit: 10,
    aws: 255,
  },
  {
    title: "a digest that S3 refuses",
    tamper: (s) => void s.archive.refusals.set(s.digest(2), ReadProblem.Denied),
    finds: ["denied"],
    exit: 10,
    aws: notOnEmulator,
  },
  {
    title: "a digest with another hash of the one before, signed by AWS's key",
    tamper: (s) => void s.changeDigest(s.digest(-1), { previousDigestHashValue: "00".repeat(32) }, "aws"),
    finds: ["chain-broken"],
    exit: 5,
    aws: 0,
    why: "It does not compare the hash of the digest before.",
  },
  {
    title: "a digest that begins later than the one before ends, signed by AWS's key",
    tamper: (s) => {
      const { digestEndTime } = s.document(s.digest(-1));
      void s.changeDigest(s.digest(-1), { digestStartTime: digestEndTime }, "aws");
    },
    finds: ["chain-broken"],
    exit: 5,
    aws: 0,
    why: "It does not compare the windows of digests.",
  },
  {
    title: "a digest that says another account than its name, signed by AWS's key",
    tamper: (s) => void s.changeDigest(s.digest(-1), { awsAccountId: "222222222222" }, "aws"),
    finds: ["digest-inconsistent"],
    exit: 5,
    aws: 0,
    why: "It does not compare the account in a digest with its key.",
  },
  {
    title: "a starting digest in the middle of a chain, signed by AWS's key",
    tamper: (s) => void s.changeDigest(s.digest(-1), noPrevious, "aws"),
    finds: ["gap"],
    exit: 5,
    aws: 0,
    why: whys.start,
  },
  {
    title: "a file of another name among the digests",
    tamper: (s) => s.archive.put(s.digest(2).replace(/[^/]+$/, "payload.bin"), Buffer.from("x")),
    finds: ["object-unknown"],
    exit: 5,
    aws: 0,
    why: "It skips names that it does not know.",
  },

  // Copies.
  {
    title: "a copy in another bucket that is not said to be one",
    tamper: (s) => new Scene(s.archive.copy("another-bucket"), s.publicKeys),
    finds: Array.from({ length: hours }, () => "digest-elsewhere"),
    exit: 5,
    aws: 1,
  },
  {
    title: "a copy in another bucket",
    tamper: (s) => new Scene(s.archive.copy("another-bucket"), s.publicKeys),
    options: () => ({ copyOf: bucket }),
    finds: [],
    exit: 0,
    aws: 1,
    why: "It compares the place with the recorded one, and has no option for copies.",
  },
  {
    title: "a copy below a prefix of its own",
    tamper: (s) =>
      new Scene(
        s.archive.copy("another-bucket", (key) => `mirror/2026/${key}`),
        s.publicKeys,
      ),
    options: () => ({ copyOf: bucket }),
    finds: [],
    exit: 0,
    aws: 0,
    why: 'It looks below the trail\'s prefix only: "No digests found" is not an error to it.',
  },
  {
    title: "a copy of another bucket than the one that it is said to be of",
    tamper: (s) => new Scene(s.archive.copy("another-bucket"), s.publicKeys),
    options: () => ({ copyOf: "a-third-bucket" }),
    finds: Array.from({ length: hours }, () => "digest-elsewhere"),
    exit: 5,
    aws: 1,
  },
  {
    title: "a synced folder, which has lost the newest signature",
    tamper: (s) => {
      s.archive.isFolder = true;
    },
    finds: ["digest-unsigned"],
    exit: 10,
    aws: "it reads no folders",
  },
  {
    title: "a synced folder with a log that was changed",
    tamper: (s) => {
      s.archive.isFolder = true;
      s.write(s.log(), gzipSync("{}"));
    },
    finds: ["log-changed", "digest-unsigned"],
    exit: 5,
    aws: "it reads no folders",
  },

  // What is no tampering.
  {
    title: "backfill digests",
    archive: { backfills: 1000 },
    tamper: () => undefined,
    finds: [],
    exit: 0,
    aws: 0,
  },
  {
    title: "a log that was changed, and only a backfill digest names it",
    archive: { backfills: 1000 },
    tamper: (s) => {
      const backfill = s.archive.keys().find((key) => parseDigestKey(key)?.backfill) as string;
      s.write(s.document(backfill).logFiles[0]?.s3Object as string, gzipSync("{}"));
    },
    finds: ["log-changed"],
    exit: 5,
    aws: 1,
  },
  {
    title: "a backfill digest that is gone",
    archive: { backfills: 1000 },
    tamper: (s) => s.archive.purge(s.archive.keys().find((key) => parseDigestKey(key)?.backfill) as string),
    finds: ["log-unreferenced"],
    exit: 10,
    aws: 0,
    why: whys.unnamed,
  },
  {
    title: "a backfill digest that was changed",
    archive: { backfills: 1000 },
    tamper: (s) =>
      void s.changeDigest(s.archive.keys().find((key) => parseDigestKey(key)?.backfill) as string, { logFiles: [] }),
    finds: ["digest-changed"],
    exit: 5,
    aws: 1,
  },
  {
    title: "validation that was switched on later than the trail",
    archive: {
      trails: [{ ...trail, from: from - 5 * HOUR, hours: 5, validation: false }, trail],
    },
    tamper: () => undefined,
    finds: ["logs-before-chain"],
    exit: 10,
    aws: 0,
    why: whys.unnamed,
  },
  {
    title: "a second trail without validation",
    archive: {
      trails: [trail, { ...trail, name: "other", from: from + 2 * HOUR, hours: 1, validation: false }],
      filesPerHour: 1,
    },
    tamper: () => undefined,
    finds: ["log-unreferenced"],
    exit: 10,
    aws: 0,
    why: whys.unnamed,
  },
  {
    title: "only a trail without validation",
    archive: { trails: [{ ...trail, validation: false }] },
    tamper: () => undefined,
    finds: ["nothing-found", "no-digests"],
    exit: 5,
    aws: 0,
    why: whys.none,
  },
  {
    title: "two trails, one of whose names looks like the other's files",
    archive: {
      trails: [
        { ...trail, name: "main" },
        { ...trail, name: "main_us-east-1_x" },
      ],
    },
    tamper: () => undefined,
    finds: [],
    exit: 0,
    aws: "it takes the other trail's digests for its own",
  },
  {
    title: "an organization's trail",
    archive: { trails: [{ ...trail, organizationId: "o-abcdefghij", accounts: [account, "222222222222"] }] },
    tamper: () => undefined,
    finds: [],
    exit: 0,
    aws: "it cannot be given a bucket and an organization together",
  },
  {
    title: "hours without events",
    archive: { emptyHours: 1000 },
    tamper: () => undefined,
    finds: [],
    exit: 0,
    aws: 0,
  },
];

/** The run's options for a case, with the archive as its tampering leaves it. */
export function played(
  each: TamperCase,
  change: Partial<ArchiveOptions> = {},
): { scene: Scene; options: RunOptions; made: ArchiveOptions } {
  const before = scene({ ...each.archive, ...change });
  const after = each.tamper(before) ?? before;
  const options: RunOptions = {
    source: after.archive,
    keys: { keys: () => Promise.resolve(after.publicKeys) },
    now: justAfter,
    ...each.options?.(after),
  };
  return { scene: after, options, made: optionsOf({ ...each.archive, ...change }) };
}

/** Whether the two say different things: whole, wrong, or not checked, for which AWS's tool ends with an error. */
export function differs({ exit, aws }: TamperCase): boolean {
  return typeof aws === "number" && { 0: 0, 1: 5, 255: 10 }[aws] !== exit;
}
