/**
 * Verifies one slice: an account and Region, for some days. Digests are read side by side and judged in the order of time, each
 * against the one before; then the logs that they name are read, and those that nobody names are looked at.
 */
import {
  backfillTimeMetadata,
  contradictions,
  deletion,
  deletionEventName,
  type DigestName,
  isStartingDigest,
  judgeLink,
  KeyChoice,
  Link,
  type LogFileEntry,
  type LogPlace,
  logsPath,
  parseDigest,
  parseLogKey,
  parseTime,
  type ReadDigest,
  sameHex,
  signatureMetadata,
  signingString,
  dayPath,
  stopEventNames,
  trailStop,
} from "../../core/logs";
import {
  type ArchiveSource,
  contentOf,
  DamagedError,
  type ExpiryRule,
  ReadError,
  ReadProblem,
  smallContent,
  TooLargeError,
} from "../archive";
import { Collector, Lanes } from "./collect";
import { isSigned, KeysError, type KeyStore } from "./publicKeys";
import type { Counts, SliceResult, VerifyFinding } from "./types";
import { at, dayOf, finding, unread, words } from "./words";

const HOUR = 3_600_000;
const MINUTE = 60_000;
/** Digests have hundreds of bytes for each log file; anything larger is not a digest. */
const largestDigest = 64 << 20;
/** A log's name has the time at which it was begun; it is delivered within some minutes. */
const deliveryTime = 20 * MINUTE;
/** S3's time for an object that a digest names is before the digest's end; clocks may differ. */
const rewrittenAfter = HOUR;
/** Looked for in every log: a Buffer, as a string would be encoded each time. */
const cloudTrail = Buffer.from("cloudtrail.amazonaws.com");
const deletes = Buffer.from(`"${deletionEventName}"`);
/** How many logs that no digest names are opened to say what they are, in a slice. */
const openedStrangers = 20;

/** A digest as the listing shows it. */
export interface DigestEntry {
  key: string;
  name: DigestName;
  deleted?: boolean;
}

/** A chain's part of a slice. */
export interface ChainPart {
  id: string;
  /** By time. */
  entries: DigestEntry[];
  /** The newest one before; undefined when the chain begins here. */
  before?: DigestEntry;
  /** The oldest one after, only to be linked: so that nothing can be missing between them. */
  after?: DigestEntry;
  backfills: DigestEntry[];
  /** The chain has no digest after this slice: there should be digests until then. */
  expectedEnd?: number;
  /** What an earlier run verified last. */
  anchor?: { key: string; contentHash: string };
  /** Nothing is verified: the last digest is only asked why the chain ends. */
  tailOnly?: boolean;
}

export interface SliceTask {
  id: string;
  accountId: string;
  region: string;
  /** Of the digests' ends and the logs' times, in milliseconds since 1970. */
  from: number;
  to: number;
  chains: ChainPart[];
  /** Digests after the slice that may name logs of its last minutes. */
  laterReferences: DigestEntry[];
  /** Where logs of this account and Region lie; empty where logs are not looked for. */
  logPlaces: LogPlace[];
  /** When the first digest of any of the chains ends, and the last one. */
  firstEnd?: number;
  lastEnd?: number;
  /** The oldest log file; only where the slice begins with the archive. */
  firstLog?: { key: string; time: number };
}

export interface SliceContext {
  source: ArchiveSource;
  keys: KeyStore;
  /** The bucket that digests are to name; undefined where any will do: a folder. */
  expectedBucket?: string;
  /** What is read is a copy, so its objects' own times and places say nothing. */
  isCopy: boolean;
  chainOnly: boolean;
  rules?: ExpiryRule[];
  /** Now, in milliseconds since 1970; for a copy the newest time in it. */
  asOf: number;
  signal?: AbortSignal;
  /** How many logs are read at the same time. */
  lanes: number;
  /** What a log may inflate to, in bytes. Default 2 GiB. */
  largestLog?: number;
  onDigest?: () => void;
  onLog?: (bytes: number) => void;
  /** A digest was proven: for the evidence. */
  onProven?: (digest: ReadDigest & { signature: string }, content: Buffer, shift: string) => void | Promise<void>;
}

type About = { accountId: string; region: string; trailName?: string; key?: string; day?: string };

/** A digest that was read: what it says, or why not. */
interface DigestRead {
  entry: DigestEntry;
  /** Why it says nothing. */
  failure?: { outcome: keyof Counts; finding: VerifyFinding };
  digest?: ReadDigest;
  content?: Buffer;
  trailing?: number;
  backfillTime?: number;
  /** It was deleted, and this is a version that survives. */
  survivor?: { versionId: string; deletedAt: number };
}

/** The digest before, as far as it is known. */
interface Before {
  entry: DigestEntry;
  digest?: ReadDigest;
}

/** A time whose logs cannot be proven, and the finding that says why. */
interface Hole {
  from: number;
  to: number;
  finding?: VerifyFinding;
  logs: number;
}

export function verifySlice(task: SliceTask, context: SliceContext): Promise<SliceResult> {
  return new SliceRun(task, context).run();
}

class SliceRun {
  private readonly out: Collector;
  private readonly lanes: Lanes;
  private readonly holes: Hole[] = [];
  private readonly referenced = new Set<string>();
  private firstStart = Infinity;
  private isEverReferenced = false;

  constructor(
    private readonly task: SliceTask,
    private readonly context: SliceContext,
  ) {
    this.out = new Collector(task.id, task.accountId, task.region);
    this.lanes = new Lanes(context.lanes);
  }

  async run(): Promise<SliceResult> {
    for (const chain of this.task.chains) {
      if (chain.tailOnly) await this.tail(chain);
      else {
        await this.walk(chain);
        for (const entry of chain.backfills) await this.backfill(entry);
      }
    }
    await this.lanes.done();
    if (!this.context.chainOnly && this.task.logPlaces.length > 0) {
      for (const entry of this.task.laterReferences) await this.referToLogsOf(entry);
      await this.strangers();
    }
    await this.lanes.done();
    this.tellHoles();
    return this.out.result;
  }

  private about(entry?: DigestEntry, day?: number): About {
    const { accountId, region } = this.task;
    const time = day ?? entry?.name.endTime;
    return {
      accountId,
      region,
      ...(entry && { trailName: entry.name.trailName, key: entry.key }),
      ...(time !== undefined && { day: dayOf(time) }),
    };
  }

  private nameOf(key: string): string {
    return this.context.source.nameOf(key);
  }

  /** The digests of a chain, in the order of time, while the next ones are being read. */
  private async walk(chain: ChainPart): Promise<void> {
    const { entries, before: first, after } = chain;
    const all = [...entries, ...(after ? [after] : [])];
    if (all.length === 0) return;
    let before: Before | undefined;
    if (first) {
      const read = await this.read(first);
      before = { entry: first, digest: read.digest };
      this.compareAnchor(chain, read);
    }
    const window = 16;
    const reads: Promise<DigestRead>[] = [];
    const ahead = (index: number) => {
      while (reads.length <= Math.min(index + window, all.length - 1)) {
        const read = this.read(all[reads.length] as DigestEntry);
        // It is awaited later; until then nobody else would see that it failed.
        read.catch(() => undefined);
        reads.push(read);
      }
    };
    for (let index = 0; index < all.length; index++) {
      this.context.signal?.throwIfAborted();
      ahead(index + 1);
      const read = await (reads[index] as Promise<DigestRead>);
      const next = index + 1 < all.length ? await (reads[index + 1] as Promise<DigestRead>) : undefined;
      reads[index] = Promise.resolve(read);
      if (index < entries.length) {
        this.compareAnchor(chain, read);
        before = await this.judge(read, before, next, chain);
        // What has been judged is let go of.
        reads[index] = undefined as unknown as Promise<DigestRead>;
      } else await this.link(read, before, chain, true);
    }
    const last = before?.entry;
    if (last && !after && chain.expectedEnd !== undefined && last.name.endTime < chain.expectedEnd) {
      await this.chainEnds(chain, before as Before);
    }
  }

  /** A chain that ends before what is asked for: why it ends. */
  private async tail(chain: ChainPart): Promise<void> {
    const [entry] = chain.entries;
    if (!entry) return;
    const read = await this.read(entry);
    this.compareAnchor(chain, read);
    // A chain that continues to the end has nothing to explain.
    if (chain.expectedEnd === undefined || entry.name.endTime >= chain.expectedEnd) return;
    if (read.digest) await this.lookForStops(read.digest, shiftOf(entry.key, read.digest) ?? "");
    this.breakAt("end", entry, entry.name.endTime, chain.expectedEnd);
  }

  private async chainEnds(chain: ChainPart, { entry, digest }: Before): Promise<void> {
    if (this.context.chainOnly && digest) await this.lookForStops(digest, shiftOf(entry.key, digest) ?? "");
    this.breakAt("end", entry, entry.name.endTime, chain.expectedEnd as number);
  }

  private breakAt(kind: "gap" | "end", entry: DigestEntry, from: number, to: number): void {
    const { organizationId, trailName, homeRegion } = entry.name;
    const { accountId, region } = this.task;
    this.out.break({
      kind,
      accountId,
      region,
      ...(organizationId !== undefined && { organizationId }),
      trailName,
      homeRegion,
      from,
      to,
      key: entry.key,
      logs: 0,
    });
  }

  private compareAnchor({ anchor }: ChainPart, { entry, digest }: DigestRead): void {
    if (!anchor || anchor.key !== entry.key || !digest || digest.contentHash === anchor.contentHash) return;
    this.out.add(
      finding(words.historyReplaced, this.nameOf(entry.key), this.about(entry), {
        "SHA-256 then": anchor.contentHash,
        "SHA-256 now": digest.contentHash,
      }),
    );
  }

  /** Reads a digest and what it says; whether it is genuine is another question. */
  private async read(entry: DigestEntry, versionId?: string): Promise<DigestRead> {
    const { source } = this.context;
    const fail = (outcome: keyof Counts, given: VerifyFinding): DigestRead => ({
      entry,
      failure: { outcome, finding: given },
    });
    if (entry.deleted && versionId === undefined) return this.readSurvivor(entry);
    const subject = this.nameOf(entry.key);
    try {
      const stored = await source.read(entry.key, versionId);
      const content = await contentOf(stored.body, largestDigest);
      this.context.onDigest?.();
      const bytes = content.bytes ?? (await this.again(entry.key, versionId));
      let json: unknown;
      try {
        json = JSON.parse(bytes.toString("utf8"));
      } catch {
        throw new DamagedError("is not JSON");
      }
      const { digest, problems } = parseDigest(json);
      if (!digest) throw new DamagedError(problems.join("; "));
      const signature = stored.metadata?.[signatureMetadata];
      const backfillTime = Date.parse(stored.metadata?.[backfillTimeMetadata] ?? "");
      return {
        entry,
        digest: {
          key: entry.key,
          name: entry.name,
          digest,
          contentHash: content.hash,
          ...(signature && { signature }),
        },
        content: bytes,
        ...(content.trailing > 0 && { trailing: content.trailing }),
        ...(!Number.isNaN(backfillTime) && { backfillTime }),
      };
    } catch (error) {
      if (error instanceof ReadError) {
        if (error.problem === ReadProblem.Missing) {
          return fail("missing", finding(words.digestMissing, subject, this.about(entry)));
        }
        return fail(
          "notChecked",
          finding(unread[error.problem], subject, this.about(entry), { answer: error.message }),
        );
      }
      if (error instanceof DamagedError || error instanceof TooLargeError) {
        const versions = await this.otherVersions(entry.key);
        return fail(
          "changed",
          finding(words.digestDamaged, subject, this.about(entry), {
            "what is wrong": `It ${error.message}.`,
            ...versions,
          }),
        );
      }
      throw error;
    }
  }

  /** A digest that is too large to be kept has to be read once more, whole. */
  private async again(key: string, versionId?: string): Promise<Buffer> {
    const { body } = await this.context.source.read(key, versionId);
    const chunks: Buffer[] = [];
    if (Buffer.isBuffer(body)) chunks.push(body);
    else for await (const chunk of body) chunks.push(chunk as Buffer);
    const content = smallContent(Buffer.concat(chunks), largestDigest);
    if (!content?.bytes) throw new TooLargeError(`inflates to more than ${largestDigest} bytes`);
    return content.bytes;
  }

  /** A digest below a delete marker: the version that survives says what it was. */
  private async readSurvivor(entry: DigestEntry): Promise<DigestRead> {
    const { key } = entry;
    const versions = (await this.context.source.versions(key)) ?? [];
    const [marker] = versions;
    const survivor = versions.find(({ isDeleteMarker }) => !isDeleteMarker);
    const deletedAt = marker?.lastModified ?? 0;
    const gone = finding(words.digestDeleted, this.nameOf(key), this.about(entry), {
      deleted: at(deletedAt),
      "delete marker": marker?.versionId,
      "surviving version": survivor?.versionId ?? "none",
    });
    if (survivor && this.expiredBy(key, survivor.lastModified, deletedAt)) {
      const rule = this.expiredBy(key, survivor.lastModified, deletedAt) as ExpiryRule;
      return {
        entry,
        failure: {
          outcome: "notChecked",
          finding: finding(words.digestExpired, this.nameOf(key), this.about(entry), ruleEvidence(rule)),
        },
      };
    }
    if (!survivor) return { entry, failure: { outcome: "missing", finding: gone } };
    const read = await this.read(entry, survivor.versionId);
    if (!read.digest) return { entry, failure: { outcome: "missing", finding: gone } };
    return { ...read, survivor: { versionId: survivor.versionId, deletedAt } };
  }

  private expiredBy(key: string, written: number, gone: number): ExpiryRule | undefined {
    return this.context.rules?.find(
      // S3 counts whole days, and deletes at the next midnight.
      ({ prefix, days }) => key.startsWith(prefix) && gone - written >= days * 24 * HOUR - HOUR,
    );
  }

  /** Judges a digest, and has its logs read; returns what the next one is compared with. */
  private async judge(
    read: DigestRead,
    before: Before | undefined,
    next: DigestRead | undefined,
    chain: ChainPart,
  ): Promise<Before | undefined> {
    const { entry } = read;
    const day = dayOf(entry.name.endTime);
    this.out.trail(entry.name.trailName);
    const windowStart = before?.entry.name.endTime ?? entry.name.endTime - HOUR;
    const hole = (of?: VerifyFinding) => this.hole(Math.max(windowStart, this.task.from), entry.name.endTime, of);
    if (read.failure || !read.digest) {
      const { outcome, finding: found } = read.failure as NonNullable<DigestRead["failure"]>;
      this.out.add(found);
      this.out.count("digests", outcome, day);
      hole(found);
      return { entry };
    }
    const { digest } = read;
    const shift = this.placeOf(read, before);
    if (shift === undefined) {
      this.out.count("digests", "changed", day);
      hole();
      return before;
    }
    const proof = await this.prove(read, next);
    if (proof.outcome !== "verified") {
      if (proof.finding) this.out.add(proof.finding);
      this.out.count("digests", proof.outcome, day);
      hole(proof.finding);
      if (proof.outcome !== "notChecked") return { entry };
      this.namesLogs(digest, shift);
      await this.link(read, before, chain);
      return { entry, digest };
    }
    const start = parseTime(digest.digest.digestStartTime) as number;
    this.firstStart = Math.min(this.firstStart, start);
    const wrong = contradictions(digest);
    if (wrong.length > 0) {
      this.out.add(
        finding(words.digestInconsistent, this.nameOf(entry.key), this.about(entry), { fields: wrong.join(", ") }),
      );
    }
    if (read.trailing !== undefined) {
      this.out.add(finding(words.digestTrailing, this.nameOf(entry.key), this.about(entry), { bytes: read.trailing }));
    }
    if (read.survivor) {
      this.out.add(
        finding(words.digestDeleted, this.nameOf(entry.key), this.about(entry), {
          deleted: at(read.survivor.deletedAt),
          "surviving version": read.survivor.versionId,
          "the surviving version": "is intact",
        }),
      );
    }
    const isWhole = await this.link(read, before, chain);
    const outcome = read.survivor
      ? "missing"
      : isWhole && wrong.length === 0 && !read.trailing
        ? "verified"
        : "changed";
    this.out.count("digests", proof.finding?.state === "problem" ? "changed" : outcome, day);
    if (proof.finding) this.out.add(proof.finding);
    const proven = { ...digest, signature: proof.signature };
    this.out.covered(start, parseTime(digest.digest.digestEndTime) as number);
    this.out.end({
      chain: chain.id,
      bucket: digest.digest.digestS3Bucket,
      key: entry.key,
      endTime: entry.name.endTime,
      contentHash: digest.contentHash,
      signature: proof.signature,
    });
    await this.context.onProven?.(proven, read.content as Buffer, shift);
    await this.logsOf(digest, shift);
    return { entry, digest: proven };
  }

  /**
   * How far the archive is shifted against the places that the digest records: nothing, or what precedes them in a
   * copy. Undefined when the digest is not where it says, and no copy of the whole explains that.
   */
  private placeOf({ entry, digest: read }: DigestRead, before: Before | undefined): string | undefined {
    const { digest } = read as ReadDigest;
    const shift = shiftOf(entry.key, read as ReadDigest);
    const { expectedBucket, isCopy } = this.context;
    const evidence = { "recorded place": `s3://${digest.digestS3Bucket}/${digest.digestS3Object}` };
    if (
      before?.digest &&
      before.digest.digest.digestS3Object === digest.digestS3Object &&
      before.entry.key !== entry.key
    ) {
      this.out.add(finding(words.digestDuplicate, this.nameOf(entry.key), this.about(entry), evidence));
      return undefined;
    }
    const isHome = expectedBucket === undefined || digest.digestS3Bucket === expectedBucket;
    if (isHome && shift !== undefined && (shift === "" || isCopy)) return shift;
    if (shift === undefined) {
      this.out.add(finding(words.digestElsewhere, this.nameOf(entry.key), this.about(entry), evidence));
      return undefined;
    }
    this.out.add(finding(words.digestElsewhere, this.nameOf(entry.key), this.about(entry), evidence));
    return shift;
  }

  /** Whether the digest's signature is CloudTrail's; where it is not beside the digest, the next one has it. */
  private async prove(
    read: DigestRead,
    next: DigestRead | undefined,
  ): Promise<
    | { outcome: "verified"; signature: string; finding?: VerifyFinding }
    | { outcome: Exclude<keyof Counts, "verified">; finding?: VerifyFinding }
  > {
    const { entry, backfillTime } = read;
    const { digest, contentHash, signature } = read.digest as ReadDigest;
    const subject = this.nameOf(entry.key);
    const about = this.about(entry);
    const fingerprint = digest.digestPublicKeyFingerprint;
    let chosen: Awaited<ReturnType<KeyStore["choose"]>>;
    try {
      const madeAt = entry.name.backfill && backfillTime !== undefined ? backfillTime : entry.name.endTime;
      const slack = entry.name.backfill ? { before: HOUR, after: HOUR } : undefined;
      // The keys are those of the Region that delivered the digest.
      chosen = await this.context.keys.choose(entry.name.region, fingerprint, madeAt, slack);
    } catch (error) {
      if (!(error instanceof KeysError)) throw error;
      const found = finding(words.keysUnavailable, this.task.region, this.about(undefined), { answer: error.message });
      const isTold = this.out.result.findings.some(({ id }) => id === found.id);
      return { outcome: "notChecked", ...(!isTold && { finding: found }) };
    }
    if (chosen.choice === KeyChoice.Unknown) {
      return { outcome: "changed", finding: finding(words.unknownKey, subject, about, { fingerprint }) };
    }
    if (chosen.choice === KeyChoice.NotValidThen) {
      const { validFrom = 0, validUntil = 0 } = chosen.key ?? {};
      const evidence = { fingerprint, "valid from": at(validFrom), "valid until": at(validUntil) };
      return { outcome: "changed", finding: finding(words.keyNotValid, subject, about, evidence) };
    }
    if (!chosen.object) {
      return { outcome: "notChecked", finding: finding(words.keyUnreadable, subject, about, { fingerprint }) };
    }
    const text = signingString(digest, contentHash);
    if (signature !== undefined && isSigned(text, signature, chosen.object)) return { outcome: "verified", signature };
    // The next digest repeats the signature of this one, and is signed itself.
    const repeated = next?.digest?.digest.previousDigestSignature;
    const isNext = next?.digest?.digest.previousDigestS3Object === digest.digestS3Object;
    if (isNext && repeated && isSigned(text, repeated, chosen.object)) {
      if (signature === undefined) {
        // A folder has none at all: that needs no telling for each.
        if (this.context.source.bucket === undefined) return { outcome: "verified", signature: repeated };
        return { outcome: "verified", signature: repeated, finding: finding(words.signatureLost, subject, about) };
      }
      return { outcome: "verified", signature: repeated, finding: finding(words.signatureChanged, subject, about) };
    }
    if (signature === undefined && !(isNext && repeated)) {
      return { outcome: "notChecked", finding: finding(words.digestUnsigned, subject, about) };
    }
    const evidence = { fingerprint, "SHA-256 of the content": contentHash, ...(await this.otherVersions(entry.key)) };
    return { outcome: "changed", finding: finding(words.digestChanged, subject, about, evidence) };
  }

  /**
   * Compares a digest with the one before; true when they fit.
   * @param isAfter it belongs to the next slice, which tells what is wrong with itself; here only what lies in between counts.
   */
  private async link(
    read: DigestRead,
    before: Before | undefined,
    chain: ChainPart,
    isAfter = false,
  ): Promise<boolean> {
    const { entry, digest: current } = read;
    if (!current) return true;
    const { digest } = current;
    if (before && !before.digest) {
      // What the one before says is not known, but where it is.
      if (isStartingDigest(digest)) {
        this.breakAt("gap", entry, before.entry.name.endTime, parseTime(digest.digestStartTime) as number);
      } else if (!before.entry.key.endsWith(digest.previousDigestS3Object as string)) {
        const from = before.entry.name.endTime;
        await this.missing(
          current,
          from,
          parseTime(digest.digestStartTime) as number,
          shiftOf(entry.key, current) ?? "",
        );
      }
      return true;
    }
    const { link, mismatches, from = 0, to = 0 } = judgeLink(before?.digest, current);
    switch (link) {
      case Link.Whole:
      case Link.Start:
        return true;
      case Link.NewChain:
        if (this.context.chainOnly)
          await this.lookForStops((before as Before).digest as ReadDigest, shiftOf(entry.key, current) ?? "");
        this.breakAt("gap", entry, from, to);
        return true;
      case Link.StartMissing:
        await this.startMissing(current);
        return true;
      case Link.Missing:
        await this.missing(current, from, to, shiftOf(entry.key, current) ?? "");
        return true;
      case Link.Broken: {
        if (isAfter) return true;
        const evidence = {
          "what does not fit": mismatches.join(", "),
          "digest before": this.nameOf((before as Before).entry.key),
        };
        this.out.add(finding(words.chainBroken, this.nameOf(entry.key), this.about(entry), evidence));
        return false;
      }
    }
  }

  /** Digests between two that are there. */
  private async missing(current: ReadDigest, from: number, to: number, shift: string): Promise<void> {
    const key = `${shift}${current.digest.previousDigestS3Object}`;
    const { trailName } = current.name;
    const hours = Math.max(1, Math.round((to - from) / HOUR));
    const rule = await this.goneByRule(key, to);
    const found = finding(
      rule ? words.digestExpired : words.digestMissing,
      this.nameOf(key),
      { ...this.about(undefined, to), trailName, key },
      {
        from: at(from),
        until: at(to),
        "digests missing": hours,
        "named by": this.nameOf(current.key),
        ...ruleEvidence(rule),
      },
    );
    this.out.add(found);
    for (let hour = 0; hour < hours; hour++) {
      this.out.count("digests", rule ? "notChecked" : "missing", dayOf(Math.min(from + (hour + 1) * HOUR, to)));
    }
    this.hole(from, to, found);
  }

  private async startMissing({ digest, name, key: found }: ReadDigest): Promise<void> {
    const shift = shiftOf(found, { digest }) ?? "";
    const key = `${shift}${digest.previousDigestS3Object}`;
    const start = parseTime(digest.digestStartTime) as number;
    const about = { ...this.about(undefined, start), trailName: name.trailName, key };
    const evidence = { "named by": this.nameOf(found), "missing before": at(start) };
    if (digest.previousDigestS3Bucket !== digest.digestS3Bucket) {
      const place = `s3://${digest.previousDigestS3Bucket}/${digest.previousDigestS3Object}`;
      this.out.add(finding(words.earlierBucket, place, about, evidence));
      return;
    }
    const rule = await this.goneByRule(key, start);
    this.out.add(
      finding(rule ? words.digestExpired : words.startMissing, this.nameOf(key), about, {
        ...evidence,
        ...ruleEvidence(rule),
      }),
    );
    this.out.count("digests", rule ? "notChecked" : "missing", dayOf(start));
  }

  /** The lifecycle rule that explains why an object of that time is not there. */
  private async goneByRule(key: string, written: number): Promise<ExpiryRule | undefined> {
    const versions = await this.context.source.versions(key);
    const marker = versions?.find(({ isDeleteMarker }) => isDeleteMarker);
    return this.expiredBy(key, written, marker?.lastModified ?? this.context.asOf);
  }

  /** Says of the other versions of an object what is there. */
  private async otherVersions(key: string): Promise<Record<string, string>> {
    const others = ((await this.context.source.versions(key)) ?? []).filter(
      ({ isLatest, isDeleteMarker }) => !isLatest && !isDeleteMarker,
    );
    if (others.length === 0) return {};
    return {
      "older versions": others.map(({ versionId, lastModified }) => `${versionId} of ${at(lastModified)}`).join(", "),
    };
  }

  /** A digest by itself: whether AWS chains them is not documented, so a link counts only where it is broken. */
  private async backfill(entry: DigestEntry): Promise<void> {
    const read = await this.read(entry);
    const day = dayOf(entry.name.endTime);
    if (!read.digest) {
      const { outcome, finding: found } = read.failure as NonNullable<DigestRead["failure"]>;
      this.out.add(found);
      this.out.count("digests", outcome, day);
      this.hole(entry.name.endTime - HOUR, entry.name.endTime, found);
      return;
    }
    const shift = this.placeOf(read, undefined);
    const proof = shift === undefined ? { outcome: "changed" as const } : await this.prove(read, undefined);
    if (proof.finding) this.out.add(proof.finding);
    const wrong = contradictions(read.digest);
    if (wrong.length > 0) {
      this.out.add(
        finding(words.digestInconsistent, this.nameOf(entry.key), this.about(entry), { fields: wrong.join(", ") }),
      );
    }
    if (read.trailing !== undefined) {
      this.out.add(finding(words.digestTrailing, this.nameOf(entry.key), this.about(entry), { bytes: read.trailing }));
    }
    if (read.survivor) {
      this.out.add(
        finding(words.digestDeleted, this.nameOf(entry.key), this.about(entry), {
          deleted: at(read.survivor.deletedAt),
          "surviving version": read.survivor.versionId,
        }),
      );
    }
    const isOdd = wrong.length > 0 || read.trailing !== undefined;
    this.out.count("digests", read.survivor ? "missing" : isOdd ? "changed" : proof.outcome, day);
    if (proof.outcome !== "verified") {
      this.hole(entry.name.endTime - HOUR, entry.name.endTime, proof.finding);
      return;
    }
    await this.context.onProven?.(
      { ...read.digest, signature: proof.signature },
      read.content as Buffer,
      shift as string,
    );
    await this.logsOf(read.digest, shift as string);
  }

  private hole(from: number, to: number, of?: VerifyFinding): void {
    this.holes.push({ from, to, ...(of && { finding: of }), logs: 0 });
  }

  private async referToLogsOf(entry: DigestEntry): Promise<void> {
    const { digest } = await this.read(entry);
    if (digest) this.refer(digest, shiftOf(entry.key, digest) ?? "");
  }

  private refer({ digest }: ReadDigest, shift: string): void {
    for (const { s3Object } of digest.logFiles) this.referenced.add(shift + s3Object);
    this.isEverReferenced ||= digest.logFiles.length > 0;
  }

  /** The logs of a digest that could not be proven. */
  private namesLogs(digest: ReadDigest, shift: string): void {
    this.refer(digest, shift);
    if (this.context.chainOnly) return;
    this.out.count("logs", "notChecked", dayOf(digest.name.endTime), digest.digest.logFiles.length);
  }

  private async logsOf(digest: ReadDigest, shift: string): Promise<void> {
    this.refer(digest, shift);
    if (this.context.chainOnly) return;
    for (const log of digest.digest.logFiles) {
      this.context.signal?.throwIfAborted();
      await this.lanes.add(() => this.log(log, digest, shift));
    }
  }

  /** Reads one log and compares it. */
  private async log(log: LogFileEntry, { digest, name }: ReadDigest, shift: string): Promise<void> {
    const { source, expectedBucket } = this.context;
    const key = shift + log.s3Object;
    const day = dayOf(name.endTime);
    const about = { accountId: this.task.accountId, region: this.task.region, trailName: name.trailName, key, day };
    const isElsewhere = log.s3Bucket !== digest.digestS3Bucket && log.s3Bucket !== expectedBucket;
    if (isElsewhere) {
      this.out.add(finding(words.logElsewhere, `s3://${log.s3Bucket}/${log.s3Object}`, about));
      this.out.count("logs", "notChecked", day);
      return;
    }
    try {
      const stored = await source.read(key);
      const content = await contentOf(stored.body, this.context.largestLog);
      this.context.onLog?.(content.size);
      this.out.result.place.bytes += content.size;
      const isSame = sameHex(content.hash, log.hashValue);
      if (!isSame) {
        const evidence = {
          expected: log.hashValue.toLowerCase(),
          found: content.hash,
          ...(await this.intactVersion(key, log)),
        };
        this.out.add(finding(words.logChanged, this.nameOf(key), about, evidence));
        this.out.count("logs", "changed", day);
        return;
      }
      if (content.trailing > 0) {
        const evidence = { bytes: content.trailing, ...(await this.intactVersion(key, log)) };
        this.out.add(finding(words.logTrailing, this.nameOf(key), about, evidence));
        this.out.count("logs", "changed", day);
        return;
      }
      if (content.hasExtras) this.out.add(finding(words.logExtras, this.nameOf(key), about));
      const end = name.backfill ? Infinity : name.endTime + rewrittenAfter;
      if (!this.context.isCopy && stored.lastModified !== undefined && stored.lastModified > end) {
        const evidence = { "written again": at(stored.lastModified), "named by a digest of": at(name.endTime) };
        this.out.add(finding(words.logRewritten, this.nameOf(key), about, evidence));
      }
      this.out.count("logs", "verified", day);
      if (content.bytes) this.findEvents(content.bytes);
    } catch (error) {
      await this.logFailed(error, key, log, about, day, name.endTime);
    }
  }

  private async logFailed(
    error: unknown,
    key: string,
    log: LogFileEntry,
    about: About,
    day: string,
    written: number,
  ): Promise<void> {
    if (error instanceof DamagedError || error instanceof TooLargeError) {
      const kind = error instanceof TooLargeError ? words.logTooLarge : words.logDamaged;
      const evidence = { "what is wrong": `It ${error.message}.`, ...(await this.intactVersion(key, log)) };
      this.out.add(finding(kind, this.nameOf(key), about, evidence));
      this.out.count("logs", "changed", day);
      return;
    }
    // A body that breaks off has no name of its own.
    const failed =
      error instanceof ReadError
        ? error
        : isConnection(error)
          ? new ReadError(ReadProblem.Failed, String(error))
          : undefined;
    if (!failed) throw error;
    if (failed.problem !== ReadProblem.Missing) {
      this.out.add(finding(unread[failed.problem], this.nameOf(key), about, { answer: failed.message }));
      this.out.count("logs", "notChecked", day);
      return;
    }
    const versions = await this.context.source.versions(key);
    const marker = versions?.find(({ isDeleteMarker }) => isDeleteMarker);
    const survivor = versions?.find(({ isDeleteMarker }) => !isDeleteMarker);
    const rule = this.expiredBy(key, survivor?.lastModified ?? written, marker?.lastModified ?? this.context.asOf);
    if (rule) {
      this.out.add(finding(words.logExpired, this.nameOf(key), about, ruleEvidence(rule)));
      this.out.count("logs", "notChecked", day);
      return;
    }
    this.out.count("logs", "missing", day);
    if (!marker) {
      this.out.add(finding(words.logMissing, this.nameOf(key), about, { expected: log.hashValue }));
      return;
    }
    this.out.add(
      finding(words.logDeleted, this.nameOf(key), about, {
        deleted: at(marker.lastModified),
        "delete marker": marker.versionId,
        "surviving version": survivor?.versionId ?? "none",
        ...(survivor && (await this.intactVersion(key, log))),
      }),
    );
  }

  /** Whether an older version is the one that the digest names. */
  private async intactVersion(key: string, log: LogFileEntry): Promise<Record<string, string>> {
    const versions = (await this.context.source.versions(key).catch(() => undefined)) ?? [];
    const candidates = versions.filter(({ isDeleteMarker, isLatest }) => !isDeleteMarker && !isLatest).slice(0, 5);
    for (const { versionId, lastModified } of candidates) {
      try {
        const { body } = await this.context.source.read(key, versionId);
        const { hash, trailing } = await contentOf(body);
        if (trailing === 0 && sameHex(hash, log.hashValue))
          return { "intact version": `${versionId} of ${at(lastModified)}` };
      } catch (error) {
        if (error instanceof DamagedError || error instanceof TooLargeError || error instanceof ReadError) continue;
        throw error;
      }
    }
    return candidates.length > 0 ? { "intact version": "none" } : {};
  }

  /** Looks in the logs of a digest only for events that explain why the chain ends. */
  private async lookForStops({ digest }: ReadDigest, shift: string): Promise<void> {
    for (const { s3Object } of digest.logFiles) {
      await this.lanes.add(async () => {
        try {
          const { body } = await this.context.source.read(shift + s3Object);
          const { bytes } = await contentOf(body);
          if (bytes) this.findEvents(bytes);
        } catch (error) {
          // Whatever cannot be read explains nothing.
          if (error instanceof ReadError || error instanceof DamagedError || error instanceof TooLargeError) return;
          throw error;
        }
      });
    }
    await this.lanes.done();
  }

  /** Events that say why something is not there: a trail was stopped, or an object deleted. */
  private findEvents(bytes: Buffer): void {
    const mayStop = bytes.includes(cloudTrail) && stopEventNames.some((name) => bytes.includes(name));
    const mayDelete = bytes.includes(deletes);
    if (!mayStop && !mayDelete) return;
    let records: unknown;
    try {
      records = (JSON.parse(bytes.toString("utf8")) as { Records?: unknown }).Records;
    } catch {
      return;
    }
    if (!Array.isArray(records)) return;
    for (const record of records) {
      const stop = trailStop(record);
      if (stop) this.out.stop(stop);
      const deleted = mayDelete ? deletion(record, this.context.expectedBucket) : undefined;
      if (deleted) this.out.deletion(deleted);
    }
  }

  /** Logs in the slice's days that no digest names. */
  private async strangers(): Promise<void> {
    const { from, to, logPlaces, firstEnd, lastEnd } = this.task;
    let early = 0;
    let firstEarly: string | undefined;
    let opened = 0;
    // The start of the first digest is known where it was read; before that it is an hour before its end.
    const first = Math.min(this.firstStart, firstEnd === undefined ? Infinity : firstEnd - HOUR);
    for (const place of logPlaces) {
      for (let day = Math.floor(from / (24 * HOUR)) * 24 * HOUR; day <= to; day += 24 * HOUR) {
        this.context.signal?.throwIfAborted();
        for await (const page of this.context.source.list(`${logsPath(place)}/${dayPath(day)}/`)) {
          for (const { key } of page) {
            if (this.referenced.has(key)) continue;
            const name = parseLogKey(key);
            const about = { accountId: place.accountId, region: place.region, key, day: dayOf(name?.time ?? day) };
            if (!name) {
              if (day >= from - 24 * HOUR) this.out.add(finding(words.logForeign, this.nameOf(key), about));
              continue;
            }
            if (name.time <= from || name.time > to) continue;
            if (firstEnd !== undefined && name.time < first - deliveryTime) {
              early++;
              firstEarly ??= key;
              this.out.count("logs", "notChecked", dayOf(name.time));
              continue;
            }
            const hole = this.holes.find((each) => name.time >= each.from - deliveryTime && name.time <= each.to);
            if (hole) {
              hole.logs++;
              this.out.count("logs", "notChecked", dayOf(name.time));
              continue;
            }
            const broken = this.out.result.breaks.find(
              (each) => name.time >= each.from - deliveryTime && name.time <= each.to,
            );
            if (broken) {
              broken.logs++;
              this.out.count("logs", "notChecked", dayOf(name.time));
              continue;
            }
            if (firstEnd === undefined) {
              // Without any digest nothing of them can be proven; that is told once.
              this.out.count("logs", "notChecked", dayOf(name.time));
              continue;
            }
            if (lastEnd === undefined || name.time > lastEnd - deliveryTime) {
              // The digest that will name it is still to come; where it should be there, its chain's end says so.
              this.out.result.place.pending++;
              continue;
            }
            this.out.result.place.unreferenced++;
            await this.stranger(key, place, about, opened++ < openedStrangers);
          }
        }
      }
    }
    const { firstLog } = this.task;
    if (firstLog && firstEnd !== undefined && firstLog.time < first - deliveryTime) {
      firstEarly = firstLog.key;
      early = Math.max(early, 1);
    }
    if (early > 0) {
      const about = {
        accountId: this.task.accountId,
        region: this.task.region,
        key: firstEarly as string,
        day: dayOf(from),
      };
      this.out.add(
        finding(words.logBeforeChain, this.nameOf(firstEarly as string), about, {
          "log files": `${early} or more`,
          "first digest": at(first),
        }),
      );
    }
  }

  /** A log that no digest names: what it is, as far as it can be told. */
  private async stranger(key: string, place: LogPlace, about: About, isOpened: boolean): Promise<void> {
    const day = about.day as string;
    const tell = (isForeign: boolean, evidence: Record<string, string> = {}) => {
      this.out.add(finding(isForeign ? words.logForeign : words.logUnreferenced, this.nameOf(key), about, evidence));
      this.out.count("logs", isForeign ? "changed" : "notChecked", day);
    };
    if (!isOpened) return tell(false);
    try {
      const { body } = await this.context.source.read(key);
      const { bytes } = await contentOf(body);
      if (!bytes) return tell(false);
      const { Records: records } = JSON.parse(bytes.toString("utf8")) as { Records?: unknown };
      if (!Array.isArray(records)) return tell(true, { "what is wrong": "It has no list of Records." });
      const accounts = new Set(
        records.map((each) => (each as { recipientAccountId?: unknown } | null)?.recipientAccountId),
      );
      const strange = [...accounts].filter((each) => each !== place.accountId);
      const evidence = { events: String(records.length), "accounts in it": [...accounts].slice(0, 5).join(", ") };
      tell(strange.length > 0, evidence);
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof DamagedError || error instanceof TooLargeError) {
        return tell(true, { "what is wrong": "It cannot be read as a log file." });
      }
      if (error instanceof ReadError) return tell(false, { answer: error.message });
      throw error;
    }
  }

  /** The logs that lie in a hole belong to the finding that made it. */
  private tellHoles(): void {
    for (const { logs, finding: of } of this.holes) {
      if (logs > 0 && of) of.evidence["log files that cannot be proven"] = String(logs);
    }
  }
}

/** What precedes the recorded key at the place where the digest was found; undefined when it is another key. */
function shiftOf(key: string, { digest }: Pick<ReadDigest, "digest">): string | undefined {
  const { digestS3Object } = digest;
  if (key === digestS3Object) return "";
  return key.endsWith(`/${digestS3Object}`) ? key.slice(0, -digestS3Object.length) : undefined;
}

function ruleEvidence(rule: ExpiryRule | undefined): Record<string, string> {
  return rule ? { "lifecycle rule": `${rule.id || "without a name"}: ${rule.days} days, prefix "${rule.prefix}"` } : {};
}

/** Errors of a connection carry a code; mistakes in the program do not. */
function isConnection(error: unknown): boolean {
  const { code, name } = error as NodeJS.ErrnoException;
  return typeof code === "string" || name === "TimeoutError" || (error as Error).message === "aborted";
}
