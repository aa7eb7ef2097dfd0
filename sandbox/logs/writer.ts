// What a thread runs to write some chains of an archive into a folder.

import fs from "node:fs";
import path from "node:path";
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { importKeys, KeyRing } from "./keys";
import { type ArchiveOptions, type Chain, makeChain } from "./make";

/** Metadata have no place in a folder's files: they are kept in this one beside them, a line of JSON for each digest. */
export const METADATA_FILE = "metadata.jsonl";

export interface Written {
  files: number;
  bytes: number;
  metadata: string;
}

export interface WriterData {
  folder: string;
  options: ArchiveOptions;
  chains: Chain[];
  keys: [string, string][];
}

export function writeChains(folder: string, options: ArchiveOptions, chains: Chain[], keys: KeyRing): Written {
  const folders = new Set<string>();
  const written: Written = { files: 0, bytes: 0, metadata: "" };
  for (const chain of chains) {
    for (const { key, body, metadata } of makeChain(options, keys, chain)) {
      const file = path.join(folder, key);
      const parent = path.dirname(file);
      if (!folders.has(parent)) {
        fs.mkdirSync(parent, { recursive: true });
        folders.add(parent);
      }
      fs.writeFileSync(file, body);
      written.files++;
      written.bytes += body.length;
      if (metadata) written.metadata += `${JSON.stringify({ key, metadata })}\n`;
    }
  }
  return written;
}

if (!isMainThread && (workerData as Partial<WriterData> | null)?.chains) {
  const { folder, options, chains, keys } = workerData as WriterData;
  importKeys(keys);
  parentPort?.postMessage(writeChains(folder, options, chains, new KeyRing(options.seed ?? 1)));
}
