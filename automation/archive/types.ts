/** What reads an archive, wherever it lies: a bucket, or a folder that was synced from one. */
import type { Readable } from "node:stream";

/** An object as a listing shows it. */
export interface ListedObject {
  key: string;
  size: number;
  /** In milliseconds since 1970; undefined where the place does not know when the object was put there. */
  lastModified?: number;
  /** S3's name for it, such as `GLACIER`. */
  storageClass?: string;
  /** The newest version is a delete marker. */
  deleted?: boolean;
}

/** A version of an object. */
export interface ObjectVersion {
  versionId: string;
  isLatest: boolean;
  isDeleteMarker: boolean;
  lastModified: number;
  size: number;
  storageClass?: string;
}

/** An object that is being read. */
export interface StoredObject {
  /** Of the stored bytes. */
  size: number;
  /** What was put beside the object, without `x-amz-meta-`; undefined where the place does not keep that. */
  metadata?: Record<string, string>;
  lastModified?: number;
  versionId?: string;
  /** All bytes where they are few, otherwise a stream that has to be read to its end or destroyed. */
  body: Buffer | Readable;
}

/** Why an object could not be read. Only the first two say something of the object. */
export const ReadProblem = {
  /** There is no such object, and the caller may list. */
  Missing: "missing",
  /** It is in an archive tier, and has to be restored first. */
  Archived: "archived",
  /** S3 refuses; where listing is not allowed either, the object may also be missing. */
  Denied: "denied",
  /** The KMS key may not be used by the caller. */
  KeyDenied: "keyDenied",
  /** The KMS key is disabled, pending deletion or deleted. */
  KeyGone: "keyGone",
  /** Time-outs, broken connections and errors of the service, after all attempts. */
  Failed: "failed",
} as const;
export type ReadProblem = (typeof ReadProblem)[keyof typeof ReadProblem];

/** An object that could not be read, and why. */
export class ReadError extends Error {
  constructor(
    readonly problem: ReadProblem,
    message: string,
  ) {
    super(message);
    this.name = "ReadError";
  }
}

/** A lifecycle rule that deletes objects. */
export interface ExpiryRule {
  id: string;
  prefix: string;
  days: number;
}

/** A place that an archive is read from. Nothing here writes. */
export interface ArchiveSource {
  /** The bucket; undefined for a folder, which may be a copy of any. */
  readonly bucket?: string;
  /** How an object is called in messages: `s3://bucket/key`, or a path. */
  nameOf(key: string): string;
  /** The folders right below a prefix, each with its slash at the end; the prefix is empty or ends with a slash. */
  folders(prefix: string): Promise<string[]>;
  /** The objects whose keys begin with the prefix, by key, page by page. */
  list(prefix: string, startAfter?: string): AsyncIterable<ListedObject[]>;
  /** The same with those that have been deleted; where versions may not be listed, as {@link list}. */
  listDeleted(prefix: string, startAfter?: string): AsyncIterable<ListedObject[]>;
  /** @throws ReadError */
  read(key: string, versionId?: string): Promise<StoredObject>;
  /** All versions of an object, the newest first; undefined where that is not known. */
  versions(key: string): Promise<ObjectVersion[] | undefined>;
  /** The rules that delete objects; undefined where they may not be read. */
  expiryRules(): Promise<ExpiryRule[] | undefined>;
  /** Lets go of connections. */
  close(): void;
}
