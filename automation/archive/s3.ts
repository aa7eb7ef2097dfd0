/** A log bucket, read through the AWS SDK. Loaded only where it is needed: the SDK takes longer to load than the rest. */
import { setTimeout as sleep } from "node:timers/promises";
import {
  GetBucketLifecycleConfigurationCommand,
  GetObjectCommand,
  type GetObjectCommandOutput,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  type LifecycleRule,
  S3Client,
  type S3ClientConfig,
} from "@aws-sdk/client-s3";
import type { Readable } from "node:stream";
import { Throttle } from "./throttle";
import {
  type ArchiveSource,
  type ExpiryRule,
  type ListedObject,
  type ObjectVersion,
  ReadError,
  ReadProblem,
  type StoredObject,
} from "./types";

/** Larger bodies are read as streams. */
const wholeUpTo = 1 << 20;
/** Attempts for broken connections and the service's errors; S3's wish for fewer requests is met for longer. */
const attempts = 4;
const throttledAttempts = 12;

const throttled = new Set([
  "SlowDown",
  "ServiceUnavailable",
  "Throttling",
  "ThrottlingException",
  "RequestLimitExceeded",
]);

export interface S3Options {
  bucket: string;
  region: string;
  endpoint?: string;
  credentials?: S3ClientConfig["credentials"];
  /** The account that owns the bucket; S3 refuses where it is another one's. */
  expectedOwner?: string;
  /** Requests at the same time, at most. Default 128. */
  concurrency?: number;
  /** Milliseconds to wait at first after a failure. Default 100. */
  backoff?: number;
}

export class S3Source implements ArchiveSource {
  readonly bucket: string;
  readonly throttle: Throttle;
  private readonly s3: S3Client;
  private readonly place: { Bucket: string; ExpectedBucketOwner?: string };
  private readonly backoff: number;
  private versionsDenied = false;

  constructor({ bucket, region, endpoint, credentials, expectedOwner, concurrency = 128, backoff = 100 }: S3Options) {
    this.bucket = bucket;
    this.backoff = backoff;
    this.throttle = new Throttle(concurrency);
    this.place = { Bucket: bucket, ...(expectedOwner !== undefined && { ExpectedBucketOwner: expectedOwner }) };
    const { AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL } = process.env;
    this.s3 = new S3Client({
      region,
      ...(endpoint !== undefined && { endpoint }),
      ...(credentials !== undefined && { credentials }),
      // An endpoint of one's own rarely has a name for each bucket.
      forcePathStyle: Boolean(endpoint ?? AWS_ENDPOINT_URL_S3 ?? AWS_ENDPOINT_URL),
      // Attempts are counted here, where S3's wish for fewer requests slows down all of them.
      maxAttempts: 1,
      // The digests' hashes are of the contents; a second one over the stored bytes would only cost time.
      responseChecksumValidation: "WHEN_REQUIRED",
      requestHandler: {
        connectionTimeout: 5_000,
        requestTimeout: 30_000,
        httpAgent: { maxSockets: concurrency, keepAlive: true },
        httpsAgent: { maxSockets: concurrency, keepAlive: true },
      },
    });
  }

  nameOf(key: string): string {
    return `s3://${this.bucket}/${key}`;
  }

  async folders(prefix: string): Promise<string[]> {
    const found: string[] = [];
    let token: string | undefined;
    do {
      const page = await this.ask(() =>
        this.s3.send(
          new ListObjectsV2Command({ ...this.place, Prefix: prefix, Delimiter: "/", ContinuationToken: token }),
        ),
      );
      found.push(...(page.CommonPrefixes ?? []).flatMap(({ Prefix }) => (Prefix === undefined ? [] : [Prefix])));
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
    return found;
  }

  async *list(prefix: string, startAfter?: string): AsyncIterable<ListedObject[]> {
    let token: string | undefined;
    do {
      const page = await this.ask(() =>
        this.s3.send(
          new ListObjectsV2Command({
            ...this.place,
            Prefix: prefix,
            ...(token === undefined ? { StartAfter: startAfter } : { ContinuationToken: token }),
          }),
        ),
      );
      yield (page.Contents ?? []).map(listed);
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  async *listDeleted(prefix: string, startAfter?: string): AsyncIterable<ListedObject[]> {
    let last: string | undefined;
    try {
      if (!this.versionsDenied) {
        let marker: { key: string; version?: string } | undefined =
          startAfter === undefined ? undefined : { key: startAfter };
        for (;;) {
          const from = marker;
          const page = await this.ask(() =>
            this.s3.send(
              new ListObjectVersionsCommand({
                ...this.place,
                Prefix: prefix,
                ...(from && {
                  KeyMarker: from.key,
                  ...(from.version !== undefined && { VersionIdMarker: from.version }),
                }),
              }),
            ),
          );
          const newest = [
            ...(page.Versions ?? []).filter(({ IsLatest }) => IsLatest).map(listed),
            ...(page.DeleteMarkers ?? [])
              .filter(({ IsLatest }) => IsLatest)
              .map((each) => ({ ...listed(each), deleted: true })),
          ].sort((one, other) => (one.key < other.key ? -1 : 1));
          last = newest.at(-1)?.key ?? last;
          yield newest;
          if (!page.IsTruncated || page.NextKeyMarker === undefined) return;
          marker = { key: page.NextKeyMarker, version: page.NextVersionIdMarker };
        }
      }
    } catch (error) {
      if (!(error instanceof ReadError) || error.problem !== ReadProblem.Denied) throw error;
      // Who may not list versions still sees what is there.
      this.versionsDenied = true;
    }
    yield* this.list(prefix, last ?? startAfter);
  }

  async read(key: string, versionId?: string): Promise<StoredObject> {
    return this.ask(async () => {
      const answer = await this.s3.send(new GetObjectCommand({ ...this.place, Key: key, VersionId: versionId }));
      return this.stored(answer);
    });
  }

  private async stored(answer: GetObjectCommandOutput): Promise<StoredObject> {
    const stream = answer.Body as Readable;
    const size = answer.ContentLength ?? 0;
    const about = {
      size,
      metadata: answer.Metadata ?? {},
      ...(answer.LastModified && { lastModified: answer.LastModified.getTime() }),
      ...(answer.VersionId !== undefined && { versionId: answer.VersionId }),
    };
    if (answer.ContentLength === undefined || size > wholeUpTo) return { ...about, body: stream };
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
    if (body.length !== size)
      throw Object.assign(new Error(`${body.length} of ${size} bytes arrived`), { name: "IncompleteBody" });
    return { ...about, body };
  }

  async versions(key: string): Promise<ObjectVersion[] | undefined> {
    if (this.versionsDenied) return undefined;
    try {
      const page = await this.ask(() => this.s3.send(new ListObjectVersionsCommand({ ...this.place, Prefix: key })));
      const found = [
        ...(page.Versions ?? []).map((each) => ({ ...each, isDeleteMarker: false })),
        ...(page.DeleteMarkers ?? []).map((each) => ({
          ...each,
          isDeleteMarker: true,
          Size: 0,
          StorageClass: undefined,
        })),
      ].filter(({ Key }) => Key === key);
      return found
        .map(({ VersionId = "null", IsLatest, isDeleteMarker, LastModified, Size = 0, StorageClass }) => ({
          versionId: VersionId,
          isLatest: IsLatest === true,
          isDeleteMarker,
          lastModified: LastModified?.getTime() ?? 0,
          size: Size,
          ...(StorageClass !== undefined && { storageClass: StorageClass }),
        }))
        .sort((one, other) => Number(other.isLatest) - Number(one.isLatest) || other.lastModified - one.lastModified);
    } catch (error) {
      if (error instanceof ReadError && error.problem === ReadProblem.Denied) {
        this.versionsDenied = true;
        return undefined;
      }
      throw error;
    }
  }

  async expiryRules(): Promise<ExpiryRule[] | undefined> {
    try {
      const { Rules = [] } = await this.ask(() => this.s3.send(new GetBucketLifecycleConfigurationCommand(this.place)));
      return Rules.flatMap(expiryRule);
    } catch (error) {
      if (!(error instanceof ReadError)) throw error;
      return /NoSuchLifecycleConfiguration/.test(error.message) ? [] : undefined;
    }
  }

  close(): void {
    this.s3.destroy();
  }

  /** Asks until there is an answer; what cannot be had is a {@link ReadError}. */
  private async ask<Result>(send: () => Promise<Result>): Promise<Result> {
    for (let attempt = 1, waits = 1; ;) {
      try {
        return await this.throttle.run(send);
      } catch (error) {
        const { name, message } = error as Error;
        const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
        const isThrottled = throttled.has(name) || status === 503 || status === 429;
        if (isThrottled) this.throttle.slowDown();
        const may = isThrottled ? waits++ < throttledAttempts : isPassing(name, status) && attempt++ < attempts;
        if (!may) throw new ReadError(problemOf(name, message, status), `${name}: ${message}`);
        const most = this.backoff * 2 ** Math.min(isThrottled ? waits : attempt, 7);
        await sleep(most / 2 + (Math.random() * most) / 2);
      }
    }
  }
}

/** Whether asking again may help: anything that S3 has not answered, and its own errors. */
function isPassing(name: string, status: number | undefined): boolean {
  if (/Credential|ExpiredToken|InvalidAccessKey|SignatureDoesNotMatch/.test(name)) return false;
  return status === undefined || status >= 500 || status === 408 || name === "IncompleteBody";
}

/** What S3 says when an object is not handed over. */
export function problemOf(name: string, message: string, status?: number): ReadProblem {
  if (/^KMS\.|KMSInvalidState|KMS.*(Disabled|NotFound)/.test(name)) return ReadProblem.KeyGone;
  if (name === "NoSuchKey" || name === "NoSuchVersion" || (name === "NotFound" && status === 404))
    return ReadProblem.Missing;
  // A delete marker, asked for by its version.
  if (name === "MethodNotAllowed") return ReadProblem.Missing;
  if (name === "InvalidObjectState") return ReadProblem.Archived;
  if (name === "AccessDenied" && /kms:/i.test(message)) return ReadProblem.KeyDenied;
  if (status === 403 || /AccessDenied|Forbidden|AllAccessDisabled/.test(name)) return ReadProblem.Denied;
  return ReadProblem.Failed;
}

function listed(each: { Key?: string; Size?: number; LastModified?: Date; StorageClass?: string }): ListedObject {
  const { Key = "", Size = 0, LastModified, StorageClass } = each;
  return {
    key: Key,
    size: Size,
    ...(LastModified && { lastModified: LastModified.getTime() }),
    ...(StorageClass !== undefined && { storageClass: StorageClass }),
  };
}

/** Rules for objects with certain tags do not apply: CloudTrail's objects have no tags. */
function expiryRule({ ID = "", Status, Expiration, Filter, Prefix }: LifecycleRule): ExpiryRule[] {
  if (Status !== "Enabled" || Expiration?.Days === undefined) return [];
  if (Filter?.Tag || Filter?.And?.Tags?.length) return [];
  return [{ id: ID, prefix: Filter?.Prefix ?? Filter?.And?.Prefix ?? Prefix ?? "", days: Expiration.Days }];
}
