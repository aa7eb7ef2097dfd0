/** Backends of files and objects: where Pulumi keeps a stack's state, its history and its locks, read without a process. */
import { readdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { LastUpdate, Update } from "./lastUpdate";
import { checkpointOf, newestEntry } from "./lastUpdate";

/** Files by their paths below the backend's folder or prefix. */
export interface Store {
  /**
   * The names in a folder, without those of folders; none where there is no such folder. A store that can asks for no more than
   * those that start so, or sort behind `from`.
   */
  list(folder: string, only?: { start?: string; from?: string }): Promise<string[]>;
  /** @throws when it cannot be read, or is not there. */
  read(path: string): Promise<Buffer>;
}

/** https://github.com/pulumi/pulumi/tree/master/pkg/backend/diy */
const home = ".pulumi";

/** Names that are the same as files. */
const plainName = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;

/**
 * @param lastUpdate when the state was written, as `pulumi stack ls` says; history that was written before is not of interest.
 * @throws when anything is not as this version of Pulumi's layout has it.
 */
export async function lastUpdateIn(
  store: Store,
  project: string,
  stack: string,
  lastUpdate: string | undefined,
): Promise<LastUpdate> {
  if (!plainName.test(project) || !plainName.test(stack)) throw new Error("not a name of a file");
  const [stacks, history] = [`${home}/stacks/${project}`, `${home}/history/${project}/${stack}`];
  const from = lastUpdate === undefined ? undefined : historyFrom(stack, lastUpdate);
  const [names, entries, locks] = await Promise.all([
    store.list(stacks, { start: `${stack}.json` }),
    store.list(history, { from }),
    store.list(`${home}/locks/organization/${project}/${stack}`),
  ]);
  const isLocked = locks.some((name) => name.endsWith(".json"));
  // Other forms of the state's file are beside it where compression was switched on or off.
  const states = names.filter((name) => ["", ".gz", ".zst"].some((end) => name === `${stack}.json${end}`));
  const newest = newestEntry(entries, stack);
  if (!newest) return { update: undefined, isLocked };
  const [state] = states;
  if (state === undefined || states.length > 1) throw new Error("the state is not where it is expected");
  const [entry, now, copy] = await Promise.all([
    store.read(`${history}/${newest.entry}`),
    store.read(`${stacks}/${state}`),
    store.read(`${history}/${newest.copy}`),
  ]);
  const update = JSON.parse(await unpacked(newest.entry, entry)) as Update;
  const checkpoint = checkpointOf(await unpacked(state, now));
  return {
    update: { ...update, config: update.config ?? {} },
    isLocked,
    state: { isAsLeft: now.equals(copy), ...checkpoint },
  };
}

/** History begins with when it was written, in nanoseconds: after the state, by the same clock. */
function historyFrom(stack: string, lastUpdate: string): string | undefined {
  const seconds = Math.floor(Date.parse(lastUpdate) / 1000) - 1;
  return Number.isFinite(seconds) && seconds > 1e9 ? `${stack}-${seconds}000000000` : undefined;
}

async function unpacked(name: string, bytes: Buffer): Promise<string> {
  if (name.endsWith(".json")) return bytes.toString("utf8");
  if (name.endsWith(".json.gz")) return (await promisify(gunzip)(bytes, { maxOutputLength: 512e6 })).toString("utf8");
  throw new Error("its form is not known");
}

/** The folder of a file backend, as Pulumi reads its URL; undefined for other backends. */
export function folderOf(url: string, from: string): string | undefined {
  if (!url.startsWith("file://")) return undefined;
  // Without a query.
  const path = url.slice("file://".length).split("?")[0] as string;
  if (path === "~") return homedir();
  return path.startsWith("~") ? join(homedir(), path.slice(2)) : resolve(from, path);
}

export function fileStore(folder: string): Store {
  return {
    async list(path) {
      try {
        const entries = await readdir(join(folder, path), { withFileTypes: true });
        return entries.filter((each) => !each.isDirectory()).map(({ name }) => name);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
        throw error;
      }
    },
    read: (path) => readFile(join(folder, path)),
  };
}
