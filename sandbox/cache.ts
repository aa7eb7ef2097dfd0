// What is expensive to get is kept under ~/.cache/crosstrail, one folder per thing and version. A folder is built under another
// name and renamed when it is complete, so a folder that is there is whole, whatever was killed meanwhile.

import { createHash, randomBytes } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import lockfile from "proper-lockfile";
import { isAlive } from "../automation/process";
import type { Context } from "./context";
import type { Step } from "./progress";

export interface Entry {
  /** Readable beginning of the folder's name. */
  name: string;
  /** Everything that the content depends on. */
  key: string[];
  /** Fills the folder. It is moved afterwards, so nothing in it may hold its path. */
  build: (folder: string) => Promise<void>;
}

const STALE_MS = 10_000;
const UNUSED_MS = 60 * 24 * 3600 * 1000;

export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  // The specification of XDG_CACHE_HOME says to ignore a relative path.
  const base = env.XDG_CACHE_HOME && path.isAbsolute(env.XDG_CACHE_HOME) ? env.XDG_CACHE_HOME : undefined;
  return path.join(base ?? path.join(os.homedir(), ".cache"), "crosstrail");
}

export function entryFolder({ name, key }: Pick<Entry, "name" | "key">, base = cacheFolder()): string {
  const hash = createHash("sha256").update(JSON.stringify(key)).digest("hex").slice(0, 16);
  return path.join(base, `${name}-${hash}`);
}

/** The folder if it already exists. */
export function cachedEntry(entry: Pick<Entry, "name" | "key">, base = cacheFolder()): string | undefined {
  const folder = entryFolder(entry, base);
  if (!fs.existsSync(folder)) return undefined;
  try {
    // Tells the clean-up that it is in use.
    fs.utimesSync(folder, new Date(), new Date());
  } catch {
    // A cache that is not ours to write can still be read.
  }
  return folder;
}

/** The folder, built if need be. Of several runs that want the same one builds and the others wait for it. */
export async function cached(
  context: Pick<Context, "signal">,
  step: Step,
  entry: Entry,
  base = cacheFolder(),
): Promise<string> {
  const there = cachedEntry(entry, base);
  if (there) return there;
  const folder = entryFolder(entry, base);
  fs.mkdirSync(base, { recursive: true });
  const unlock = await lock(context, step, folder);
  try {
    const builtMeanwhile = cachedEntry(entry, base);
    if (builtMeanwhile) return builtMeanwhile;
    cleanUp(base, entry.name, folder);
    const temporary = `${folder}.tmp-${os.hostname()}-${process.pid}-${randomBytes(4).toString("hex")}`;
    fs.mkdirSync(temporary);
    try {
      await entry.build(temporary);
      context.signal.throwIfAborted();
      fs.renameSync(temporary, folder);
    } finally {
      fs.rmSync(temporary, { recursive: true, force: true });
    }
    return folder;
  } finally {
    await unlock();
  }
}

/** Takes the lock of `target`, and says for whom it waits. */
export async function lock(context: Pick<Context, "signal">, step: Step, target: string): Promise<() => Promise<void>> {
  const owner = `${target}.owner`;
  for (;;) {
    context.signal.throwIfAborted();
    try {
      const release = await lockfile.lock(target, {
        realpath: false,
        stale: STALE_MS,
        update: STALE_MS / 5,
        // The machine slept, or the clock jumped. Continuing is safe: only the renaming decides.
        onCompromised: () => {},
      });
      fs.writeFileSync(owner, String(process.pid));
      return async () => {
        fs.rmSync(owner, { force: true });
        await release().catch(() => {});
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ELOCKED") throw error;
    }
    let pid = 0;
    try {
      pid = Number(fs.readFileSync(owner, "utf8"));
    } catch {
      // It has just got or given back the lock.
    }
    step.note(
      pid > 0 && !isAlive(pid)
        ? `waiting for the lock of a run that was killed to expire (${STALE_MS / 1000} s)`
        : `waiting for another run${pid > 0 ? ` (process ${pid})` : ""} that does the same`,
    );
    await sleep(250);
  }
}

/** Removes what killed runs left half-made, and versions that nobody has used for two months. */
function cleanUp(base: string, name: string, folder: string): void {
  const mine = `${path.basename(folder)}.tmp-`;
  for (const found of fs.readdirSync(base)) {
    const full = path.join(base, found);
    if (found.startsWith(mine)) {
      const [pid] = found.slice(`${mine}${os.hostname()}-`.length).split("-");
      const here = found.startsWith(`${mine}${os.hostname()}-`);
      // A home folder can be shared between machines, so another machine's is not affected for a day.
      if (here ? !isAlive(Number(pid)) : age(full) > 24 * 3600 * 1000)
        fs.rmSync(full, { recursive: true, force: true });
    } else if (new RegExp(`^${name.replace(/[^\w-]/g, "\\$&")}-[0-9a-f]{16}$`).test(found) && age(full) > UNUSED_MS) {
      fs.rmSync(full, { recursive: true, force: true });
    }
  }
}

function age(file: string): number {
  try {
    return Date.now() - fs.statSync(file).mtimeMs;
  } catch {
    return 0;
  }
}

/** Hash of all files in some folders, for a key. */
export function hashOfFiles(...folders: string[]): string {
  const hash = createHash("sha256");
  for (const folder of folders) {
    const files = listFiles(folder).sort();
    for (const file of files) {
      hash.update(path.relative(folder, file)).update("\0").update(fs.readFileSync(file)).update("\0");
    }
  }
  return hash.digest("hex");
}

function listFiles(folder: string): string[] {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === "__pycache__" ? [] : listFiles(full);
    return entry.isFile() ? [full] : [];
  });
}
