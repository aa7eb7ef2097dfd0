/** A folder that was synced from a log bucket. */
import {
  closeSync,
  createReadStream,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
} from "node:fs";
import { readdir } from "node:fs/promises";
import { join, sep } from "node:path";
import { UserError } from "../../core/findings";
import { type ArchiveSource, type ListedObject, ReadError, ReadProblem, type StoredObject } from "./types";

/** Larger files are read as streams. */
const wholeUpTo = 1 << 20;

/**
 * Where the metadata of objects is kept in a folder, if anywhere: a line of JSON for each, `{"key": …, "metadata": {…}}`. Tools
 * that sync a bucket leave it out.
 */
export const metadataFile = "metadata.jsonl";

export class FolderSource implements ArchiveSource {
  private metadata?: Map<string, Record<string, string>>;

  /** @throws UserError when it is not a folder. */
  constructor(readonly folder: string) {
    const found = statSync(folder, { throwIfNoEntry: false });
    if (found?.isDirectory()) return;
    throw new UserError("The folder cannot be used.", [
      {
        id: "file/unreadable",
        severity: "error",
        subject: folder,
        message: found ? "It is not a folder." : "There is no such folder.",
        remedy: "Give the folder that has AWSLogs/ in it, at whatever depth.",
      },
    ]);
  }

  nameOf(key: string): string {
    return join(this.folder, key);
  }

  async folders(prefix: string): Promise<string[]> {
    return (await this.entries(prefix)).filter(({ isFolder }) => isFolder).map(({ name }) => `${prefix}${name}/`);
  }

  async *list(prefix: string, startAfter = ""): AsyncIterable<ListedObject[]> {
    let page: ListedObject[] = [];
    for await (const each of this.walk(prefix, startAfter)) {
      page.push(each);
      if (page.length < 1000) continue;
      yield page;
      page = [];
    }
    yield page;
  }

  listDeleted(prefix: string, startAfter?: string): AsyncIterable<ListedObject[]> {
    return this.list(prefix, startAfter);
  }

  /** The prefix is a folder's, with its slash. */
  private async *walk(prefix: string, startAfter: string): AsyncIterable<ListedObject> {
    for (const { name, isFolder } of await this.entries(prefix)) {
      const key = `${prefix}${name}`;
      if (isFolder) {
        // A folder whose last key can only be before the start.
        if (`${key}/\uffff` > startAfter) yield* this.walk(`${key}/`, startAfter);
      } else if (key > startAfter) {
        yield { key, size: 0 };
      }
    }
  }

  /** In the order that S3 has: a folder's slash counts. */
  private async entries(prefix: string): Promise<{ name: string; isFolder: boolean }[]> {
    const found: { name: string; isFolder: boolean }[] = [];
    try {
      // Read in one go: a folder of a day has some hundred files, one of CloudTrail's busiest some ten thousand.
      for (const each of await readdir(join(this.folder, prefix), { withFileTypes: true })) {
        // A link may lead out of the folder, or in circles: it is not a folder here.
        found.push({ name: each.name, isFolder: each.isDirectory() });
      }
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === "ENOENT" || code === "ENOTDIR") return [];
      throw new ReadError(code === "EACCES" ? ReadProblem.Denied : ReadProblem.Failed, message);
    }
    const order = ({ name, isFolder }: (typeof found)[number]) => (isFolder ? `${name}/` : name);
    return found.sort((one, other) => (order(one) < order(other) ? -1 : 1));
  }

  read(key: string): Promise<StoredObject> {
    // Keys come from digests as well, which may say anything.
    const leadsOut = key.includes("..") && key.split("/").includes("..");
    if (leadsOut || key.includes("\0") || (sep === "\\" && key.includes("\\"))) {
      return Promise.reject(new ReadError(ReadProblem.Missing, "The key leads out of the folder."));
    }
    const file = `${this.folder}${sep}${key}`;
    const metadata = this.metadataOf(key);
    try {
      // Small files are read without waiting: most of the time would go into that.
      const fd = openSync(file, "r");
      let isOpen = true;
      try {
        const { size } = fstatSync(fd);
        const about = { size, ...(metadata && { metadata }) };
        if (size > wholeUpTo) {
          isOpen = false;
          return Promise.resolve({ ...about, body: createReadStream(file, { fd }) });
        }
        const body = Buffer.allocUnsafe(size);
        let length = 0;
        for (let count = 1; count > 0 && length < size; length += count)
          count = readSync(fd, body, length, size - length, length);
        return Promise.resolve({ ...about, body: body.subarray(0, length) });
      } finally {
        if (isOpen) closeSync(fd);
      }
    } catch (error) {
      return Promise.reject(readError(error as NodeJS.ErrnoException));
    }
  }

  versions(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  expiryRules(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  close(): void {
    // Nothing is open.
  }

  private metadataOf(key: string): Record<string, string> | undefined {
    if (!this.metadata) {
      this.metadata = new Map();
      const file = join(this.folder, metadataFile);
      if (existsSync(file)) {
        for (const line of readFileSync(file, "utf8").split("\n")) {
          const entry = metadataLine(line);
          if (entry) this.metadata.set(entry.key, entry.metadata);
        }
      }
    }
    return this.metadata.get(key);
  }
}

/** A line of the file of metadata; an invalid line is skipped, and a signature in it is checked anyway. */
function metadataLine(line: string): { key: string; metadata: Record<string, string> } | undefined {
  try {
    const { key, metadata } = JSON.parse(line) as { key?: unknown; metadata?: unknown };
    if (typeof key !== "string" || typeof metadata !== "object" || metadata === null) return undefined;
    const texts = Object.entries(metadata).filter((each): each is [string, string] => typeof each[1] === "string");
    return { key, metadata: Object.fromEntries(texts) };
  } catch {
    return undefined;
  }
}

function readError({ code, message }: NodeJS.ErrnoException): ReadError {
  if (code === "ENOENT" || code === "ENOTDIR") return new ReadError(ReadProblem.Missing, "There is no such file.");
  return new ReadError(code === "EACCES" ? ReadProblem.Denied : ReadProblem.Failed, message);
}
