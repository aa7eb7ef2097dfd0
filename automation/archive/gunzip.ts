/**
 * The content of a gzip file, and nothing else: one member, nothing behind its end, with a limit to what it inflates to. Node.js's
 * own gunzip joins members and ignores zeros behind them, and so do the tools that read logs: they would show events that
 * no digest has ever named.
 */
import { createHash } from "node:crypto";
import * as crypto from "node:crypto";
import type { Readable } from "node:stream";
import { once } from "node:events";
import * as zlib from "node:zlib";
import { createInflateRaw, inflateRawSync } from "node:zlib";
import { gzipHeader, gzipTrailerLength } from "../../core/logs";

/** What a gzip file holds. */
export interface Content {
  /** SHA-256 of the content, in lower-case hex. */
  hash: string;
  /** How many bytes the content has. */
  size: number;
  /** The content; only where it is small enough to be kept. */
  bytes?: Buffer;
  /** How many bytes stand behind the end of the gzip stream. */
  trailing: number;
  /** The header carries a name, a comment or other data. */
  hasExtras: boolean;
}

/** It is not a gzip file, or it is damaged. */
export class DamagedError extends Error {}

/** Its content is larger than allowed. */
export class TooLargeError extends Error {}

/** Contents up to this size are inflated in one go, and handed over. */
export const keptSize = 16 << 20;

/** A log has 50 MB at most, compressed (AWS's limit); JSON of that size inflates to about 1 GB. */
export const largestContent = 2 * 2 ** 30;

type CheckSum = (bytes: Uint8Array, value?: number) => number;
/** Not in the first releases of Node.js 20. */
const checkSum: CheckSum = (zlib as { crc32?: CheckSum }).crc32 ?? crc32;

type HashOnce = (algorithm: string, bytes: Uint8Array) => string;
const hashOnce: HashOnce =
  (crypto as { hash?: HashOnce }).hash ?? ((algorithm, bytes) => createHash(algorithm).update(bytes).digest("hex"));

/**
 * Reads a gzip file to its end.
 * @throws DamagedError
 * @throws TooLargeError
 */
export async function contentOf(body: Buffer | Readable, limit = largestContent): Promise<Content> {
  if (Buffer.isBuffer(body)) {
    const content = smallContent(body, Math.min(keptSize, limit));
    if (content) return content;
    if (limit <= keptSize) throw new TooLargeError(`inflates to more than ${limit} bytes`);
    return streamContent(chunksOf(body), limit);
  }
  return streamContent(body as AsyncIterable<Buffer>, limit);
}

/** The whole in one go; undefined when the content is larger than the limit. */
export function smallContent(body: Buffer, limit = keptSize): Content | undefined {
  const header = gzipHeader(body);
  if (header === undefined) throw new DamagedError("is not gzip");
  if (header === "incomplete") throw new DamagedError("ends within the gzip header");
  let bytes: Buffer;
  let consumed: number;
  try {
    // The types know nothing of `info`.
    const inflated = inflateRawSync(body.subarray(header.length), {
      info: true,
      maxOutputLength: limit,
      chunkSize: expectedSize(body),
    } as zlib.ZlibOptions) as unknown as { buffer: Buffer; engine: { bytesWritten: number } };
    ({ buffer: bytes } = inflated);
    consumed = inflated.engine.bytesWritten;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") return undefined;
    throw new DamagedError(inflateProblem(error));
  }
  const trailer = body.subarray(header.length + consumed);
  checkTrailer(trailer, bytes.length, checkSum(bytes));
  return {
    hash: hashOnce("sha256", bytes),
    size: bytes.length,
    bytes,
    trailing: trailer.length - gzipTrailerLength,
    hasExtras: header.hasExtras,
  };
}

/**
 * The trailer says how large the content is, so that one buffer of the right size will do. What it says may be wrong: then there are
 * more buffers, or a larger one.
 */
function expectedSize(body: Buffer): number {
  const size = body.length < gzipTrailerLength ? 0 : body.readUInt32LE(body.length - 4);
  return Math.min(Math.max(size + 1, 64), 1 << 20);
}

function checkTrailer(trailer: Buffer, size: number, sum: number): void {
  if (trailer.length < gzipTrailerLength) throw new DamagedError("ends before the gzip stream does");
  const isRight = trailer.readUInt32LE(0) === sum >>> 0 && trailer.readUInt32LE(4) === size % 2 ** 32;
  if (!isRight) throw new DamagedError("its gzip check sum or length is wrong");
}

function inflateProblem(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === "Z_BUF_ERROR" ? "ends before the gzip stream does" : `cannot be inflated (${message})`;
}

function* chunksOf(body: Buffer): Generator<Buffer> {
  for (let at = 0; at < body.length; at += 1 << 16) yield body.subarray(at, at + (1 << 16));
}

/** Piece by piece: memory stays the same however large the content is. */
async function streamContent(chunks: AsyncIterable<Buffer> | Iterable<Buffer>, limit: number): Promise<Content> {
  const inflate = createInflateRaw({ chunkSize: 1 << 16 });
  const hash = createHash("sha256");
  let size = 0;
  let sum = 0;
  let failure: Error | undefined;
  inflate.on("data", (bytes: Buffer) => {
    size += bytes.length;
    if (size > limit) inflate.destroy(new TooLargeError(`inflates to more than ${limit} bytes`));
    hash.update(bytes);
    sum = checkSum(bytes, sum);
  });
  inflate.on("error", (error) => {
    failure ??= error instanceof TooLargeError ? error : new DamagedError(inflateProblem(error));
  });
  const ended = new Promise<void>((resolve) => inflate.once("close", resolve));

  let head = Buffer.alloc(0);
  let header: { length: number; hasExtras: boolean } | undefined;
  /** Bytes handed to the inflater, and the last ones of them: what it leaves is what stands behind the stream. */
  let written = 0;
  let tail = Buffer.alloc(0);
  for await (let chunk of chunks) {
    if (failure) break;
    if (!header) {
      head = Buffer.concat([head, chunk]);
      const read = gzipHeader(head);
      if (read === undefined) failure = new DamagedError("is not gzip");
      // A name or comment without an end must not collect gigabytes.
      else if (read === "incomplete" && head.length > 1 << 20) failure = new DamagedError("its gzip header has no end");
      if (failure) break;
      if (read === undefined || read === "incomplete") continue;
      header = read;
      chunk = head.subarray(header.length);
    }
    written += chunk.length;
    tail = Buffer.concat([tail, chunk]).subarray(-gzipTrailerLength - (1 << 16));
    // After the end of the stream the inflater takes no more; the rest is only counted.
    if (!inflate.writableEnded && !inflate.readableEnded && !inflate.destroyed && !inflate.write(chunk)) {
      await Promise.race([
        once(inflate, "drain").catch(() => undefined),
        ended,
        once(inflate, "end").catch(() => undefined),
      ]);
    }
  }
  if (!failure && !header) failure = new DamagedError("ends within the gzip header");
  if (failure) inflate.destroy();
  else if (!inflate.destroyed) inflate.end();
  await ended;
  if (failure) throw failure;
  const { hasExtras } = header as { hasExtras: boolean };
  const rest = written - inflate.bytesWritten;
  if (rest < gzipTrailerLength) throw new DamagedError("ends before the gzip stream does");
  // Where more stands behind than was kept, the check sum is out of sight; the content's hash is judged all the same.
  if (rest <= tail.length) checkTrailer(tail.subarray(tail.length - rest), size, sum);
  return { hash: hash.digest("hex"), size, trailing: rest - gzipTrailerLength, hasExtras };
}

let table: Uint32Array | undefined;

/** CRC-32 as gzip has it. */
export function crc32(bytes: Uint8Array, value = 0): number {
  table ??= Uint32Array.from({ length: 256 }, (_, index) => {
    let sum = index;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
    return sum;
  });
  let sum = ~value;
  for (const byte of bytes) sum = (sum >>> 8) ^ (table[(sum ^ byte) & 0xff] as number);
  return ~sum >>> 0;
}
