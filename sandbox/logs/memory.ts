// An archive in memory, with the versions, refusals and storage classes of a bucket: for tests, and as what is written elsewhere.

import { Readable } from "node:stream";
import {
  type ArchiveSource,
  type ExpiryRule,
  type ListedObject,
  type ObjectVersion,
  ReadError,
  ReadProblem,
  type StoredObject,
} from "../../automation/archive/types";
import type { MadeObject } from "./make";

interface Version {
  id: string;
  time: number;
  /** Undefined for a delete marker. */
  body?: Buffer;
  metadata?: Record<string, string>;
  storageClass?: string;
}

export interface PutOptions {
  metadata?: Record<string, string>;
  time?: number;
  storageClass?: string;
}

export class MemoryArchive implements ArchiveSource {
  private readonly objects = new Map<string, Version[]>();
  /** Reading these fails so. */
  readonly refusals = new Map<string, ReadProblem>();
  rules: ExpiryRule[] | undefined = [];
  /** Whether a folder's copy is played: no metadata, no versions, no times. */
  isFolder = false;
  /** Larger bodies are handed over as streams. */
  streamsFrom = 1 << 20;
  private count = 0;
  reads = 0;

  constructor(readonly bucketName: string) {}

  get bucket(): string | undefined {
    return this.isFolder ? undefined : this.bucketName;
  }

  static of(bucket: string, objects: Iterable<MadeObject>): MemoryArchive {
    const archive = new MemoryArchive(bucket);
    for (const { key, body, metadata, time } of objects) archive.put(key, body, { metadata, time });
    return archive;
  }

  /** The same objects in another bucket, or under other keys: a copy. */
  copy(bucket = this.bucketName, keyOf: (key: string) => string = (key) => key): MemoryArchive {
    const archive = new MemoryArchive(bucket);
    archive.rules = this.rules;
    for (const [key, versions] of this.objects) archive.objects.set(keyOf(key), [...versions]);
    archive.count = this.count;
    return archive;
  }

  put(key: string, body: Buffer, { metadata, time = this.timeOf(key), storageClass }: PutOptions = {}): void {
    const version = { id: `v${++this.count}`, time, body, metadata, storageClass };
    this.objects.set(key, [version, ...(this.objects.get(key) ?? [])]);
  }

  /** Deletes as S3 does with versioning: a delete marker in front. */
  remove(key: string, time = this.timeOf(key) + 3_600_000): void {
    this.objects.get(key)?.unshift({ id: `v${++this.count}`, time });
  }

  /** Deletes all versions. */
  purge(key: string): void {
    this.objects.delete(key);
  }

  setStorageClass(key: string, storageClass: string): void {
    const [version, ...older] = this.objects.get(key) ?? [];
    // A copy of the archive may have the same one.
    if (version) this.objects.set(key, [{ ...version, storageClass }, ...older]);
  }

  keys(): string[] {
    return [...this.objects]
      .filter(([, [newest]]) => newest?.body)
      .map(([key]) => key)
      .sort();
  }

  /** What is there, to be written elsewhere: every version, the oldest first. */
  history(key: string): { body?: Buffer; metadata?: Record<string, string>; storageClass?: string }[] {
    return [...(this.objects.get(key) ?? [])].reverse();
  }

  everyKey(): string[] {
    return [...this.objects.keys()].sort();
  }

  body(key: string): Buffer {
    return this.newest(key).body as Buffer;
  }

  metadata(key: string): Record<string, string> | undefined {
    return this.newest(key).metadata;
  }

  /** When the object was put there. */
  timeOf(key: string): number {
    return this.objects.get(key)?.[0]?.time ?? 0;
  }

  private newest(key: string): Version {
    const [version] = this.objects.get(key) ?? [];
    if (!version?.body) throw new Error(`There is no object ${key}.`);
    return version;
  }

  nameOf(key: string): string {
    return this.isFolder ? key : `s3://${this.bucketName}/${key}`;
  }

  folders(prefix: string): Promise<string[]> {
    const found = new Set<string>();
    for (const key of this.keys()) {
      if (!key.startsWith(prefix)) continue;
      const slash = key.indexOf("/", prefix.length);
      if (slash >= 0) found.add(key.slice(0, slash + 1));
    }
    return Promise.resolve([...found].sort());
  }

  async *list(prefix: string, startAfter = ""): AsyncIterable<ListedObject[]> {
    for await (const page of this.listDeleted(prefix, startAfter)) yield page.filter(({ deleted }) => !deleted);
  }

  async *listDeleted(prefix: string, startAfter = ""): AsyncIterable<ListedObject[]> {
    await Promise.resolve();
    yield this.everyKey()
      .filter((key) => key.startsWith(prefix) && key > startAfter)
      .flatMap((key): ListedObject[] => {
        const [newest] = this.objects.get(key) as [Version];
        if (this.isFolder && !newest.body) return [];
        return [
          {
            key,
            size: newest.body?.length ?? 0,
            ...(!this.isFolder && { lastModified: newest.time, storageClass: newest.storageClass ?? "STANDARD" }),
            ...(!newest.body && { deleted: true }),
          },
        ];
      });
  }

  read(key: string, versionId?: string): Promise<StoredObject> {
    this.reads++;
    const refusal = this.refusals.get(key);
    if (refusal) return Promise.reject(new ReadError(refusal, `The test says: ${refusal}.`));
    const versions = this.objects.get(key) ?? [];
    const version = versionId === undefined ? versions[0] : versions.find(({ id }) => id === versionId);
    if (!version?.body) return Promise.reject(new ReadError(ReadProblem.Missing, "NoSuchKey"));
    if (["GLACIER", "DEEP_ARCHIVE"].includes(version.storageClass ?? "")) {
      return Promise.reject(new ReadError(ReadProblem.Archived, "InvalidObjectState"));
    }
    const { body, metadata = {}, time, id } = version;
    return Promise.resolve({
      size: body.length,
      ...(!this.isFolder && { metadata, lastModified: time, versionId: id }),
      body: body.length < this.streamsFrom ? body : Readable.from([body], { objectMode: false }),
    });
  }

  versions(key: string): Promise<ObjectVersion[] | undefined> {
    if (this.isFolder) return Promise.resolve(undefined);
    return Promise.resolve(
      (this.objects.get(key) ?? []).map(({ id, time, body, storageClass }, index) => ({
        versionId: id,
        isLatest: index === 0,
        isDeleteMarker: body === undefined,
        lastModified: time,
        size: body?.length ?? 0,
        ...(storageClass !== undefined && { storageClass }),
      })),
    );
  }

  expiryRules(): Promise<ExpiryRule[] | undefined> {
    return Promise.resolve(this.isFolder ? undefined : this.rules);
  }

  close(): void {
    // Nothing is open.
  }
}
