// Writes an archive that was made: to a folder, by several threads, or to S3.

import fs from "node:fs";
import path from "node:path";
import { Worker } from "node:worker_threads";
import { PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { exportKeys, KeyRing } from "./keys";
import { type ArchiveOptions, chainsOf, makeArchive, type MadeObject } from "./make";
import { METADATA_FILE, type WriterData, type Written, writeChains } from "./writer";

const DAY = 86_400_000;

/**
 * Writes an archive into a folder, with the digests' metadata in a file beside `AWSLogs/`.
 * @param threads Default 2; 1 writes in this thread.
 */
export async function writeFolder(
  folder: string,
  options: ArchiveOptions,
  { threads = 2 }: { threads?: number } = {},
): Promise<{ files: number; bytes: number; keys: KeyRing }> {
  const keys = new KeyRing(options.seed ?? 1);
  // Made here, so that all threads sign with the same ones.
  for (const { from, hours } of options.trails) {
    for (let time = from; time <= from + hours * 3_600_000 + DAY; time += DAY) keys.at(time);
  }
  fs.mkdirSync(folder, { recursive: true });
  const chains = chainsOf(options);
  const shares = Array.from({ length: Math.min(threads, chains.length) }, (_, share) =>
    chains.filter((_, index) => index % threads === share),
  );
  const written =
    shares.length <= 1
      ? [writeChains(folder, options, chains, keys)]
      : await Promise.all(shares.map((share) => inThread({ folder, options, chains: share, keys: exportKeys() })));
  fs.writeFileSync(path.join(folder, METADATA_FILE), written.map(({ metadata }) => metadata).join(""));
  const sum = (of: (each: Written) => number) => written.reduce((total, each) => total + of(each), 0);
  return { files: sum(({ files }) => files), bytes: sum(({ bytes }) => bytes), keys };
}

function inThread(workerData: WriterData): Promise<Written> {
  const code = `require("ts-node").register({ transpileOnly: true, swc: true }); require(${JSON.stringify(path.join(__dirname, "writer.ts"))});`;
  return new Promise((resolve, reject) => {
    const worker = new Worker(code, { eval: true, workerData });
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", (code) => reject(new Error(`The thread that writes an archive has ended (${code}).`)));
  });
}

/** Puts objects into a bucket, some at the same time. */
export async function putObjects(
  s3: S3Client,
  Bucket: string,
  objects: Iterable<Pick<MadeObject, "key" | "body" | "metadata">>,
  { parallel = 8 }: { parallel?: number } = {},
): Promise<number> {
  const all = objects[Symbol.iterator]();
  let count = 0;
  const one = async (): Promise<void> => {
    for (let next = all.next(); !next.done; next = all.next()) {
      const { key: Key, body: Body, metadata: Metadata } = next.value;
      await s3.send(new PutObjectCommand({ Bucket, Key, Body, ...(Metadata && { Metadata }) }));
      count++;
    }
  };
  await Promise.all(Array.from({ length: parallel }, one));
  return count;
}

/** Puts an archive into a bucket, chain by chain. */
export async function writeBucket(s3: S3Client, options: ArchiveOptions): Promise<{ files: number; keys: KeyRing }> {
  const keys = new KeyRing(options.seed ?? 1);
  return { files: await putObjects(s3, options.bucket, makeArchive(options, keys)), keys };
}
