// Sandboxes on disk: the one that is kept running, and what killed runs left behind.

import fs from "node:fs";
import path from "node:path";
import { endMarked, isAlive, run } from "../automation/process";
import { userError } from "./errors";
import { ROOT } from "./accounts";
import { RECORD, type SandboxRecord } from "./record";

export const HOME = path.join(ROOT, ".sandbox");
export const KEPT = path.join(HOME, "kept");
const RUNS = path.join(HOME, "runs");

/** A folder for a sandbox that ends with its run. */
export function newRunFolder(): string {
  const folder = path.join(RUNS, `${process.pid}-${Date.now().toString(36)}`);
  fs.mkdirSync(folder, { recursive: true });
  return folder;
}

/** The folder of the sandbox that is kept: there is one. */
export function claimKept(): string {
  fs.mkdirSync(HOME, { recursive: true });
  try {
    fs.mkdirSync(KEPT);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    throw userError("Another `npm start -- --keep` is at work.", "Wait for it, or stop it there with Ctrl-C.");
  }
  return KEPT;
}

export function readRecord(folder: string): SandboxRecord | undefined {
  try {
    return JSON.parse(fs.readFileSync(path.join(folder, RECORD), "utf8")) as SandboxRecord;
  } catch {
    return undefined;
  }
}

/** The kept sandbox, if it is complete and its emulator answers. */
export async function findKept(): Promise<SandboxRecord | undefined> {
  const record = readRecord(KEPT);
  if (!record?.complete || !isAlive(record.guardPid)) return undefined;
  const answers = await fetch(record.endpoint, { signal: AbortSignal.timeout(5_000) }).then(
    () => true,
    () => false,
  );
  return answers ? record : undefined;
}

/** Ends what belongs to a sandbox and removes its folder. */
export async function removeSandbox(folder: string): Promise<void> {
  const record = readRecord(folder);
  if (record?.runId) {
    if (await isGuard(record)) {
      process.kill(record.guardPid, "SIGTERM");
      for (const end = Date.now() + 10_000; isAlive(record.guardPid) && Date.now() < end;) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    // The guard does that; it may have been killed.
    await endMarked(record.runId);
  }
  removeFolder(folder);
}

/** Removes a sandbox's folder, and those around it if they are empty then. */
export function removeFolder(folder: string): void {
  fs.rmSync(folder, { recursive: true, force: true });
  for (const around of [RUNS, HOME]) {
    try {
      fs.rmdirSync(around);
    } catch {
      // Another sandbox is in it, or it is gone already.
    }
  }
}

/** Whether the process with the recorded id is still the one we started: ids are used again. */
async function isGuard(record: SandboxRecord): Promise<boolean> {
  if (!isAlive(record.guardPid)) return false;
  const { stdout } = await run("ps", ["-ww", "-o", "command=", "-p", String(record.guardPid)], { timeoutMs: 10_000 });
  return stdout.includes(record.runId);
}

/** Removes what runs left that were killed. */
export async function cleanUp(): Promise<void> {
  const folders = fs.existsSync(RUNS) ? fs.readdirSync(RUNS).map((name) => path.join(RUNS, name)) : [];
  for (const folder of [...folders, ...(fs.existsSync(KEPT) ? [KEPT] : [])]) {
    const record = readRecord(folder);
    // A folder is there a moment before its record.
    if (!record && Date.now() - fs.statSync(folder).mtimeMs < 10_000) continue;
    if (record && (record.complete ? await isGuard(record) : isAlive(record.ownerPid))) continue;
    await removeSandbox(folder);
  }
}
