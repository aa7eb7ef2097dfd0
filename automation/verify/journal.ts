/** What a run has done so far, line by line in a file, so that an interrupted one continues. */
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { VerifyOptions } from "./options";
import type { SliceResult } from "./types";

/** It goes up when a line's meaning changes. */
const version = 2;
/** An older run is not continued: its archive has grown meanwhile. */
const continuedWithin = 24 * 3_600_000;

export interface Journal {
  /** The time at which the run was begun: its result is of that time, however often it was interrupted. */
  now: number;
  done: ReadonlyMap<string, SliceResult>;
  add: (result: SliceResult) => void;
  remove: () => void;
}

/** Says which run this is: with other options, another one. */
export function runId(options: VerifyOptions): string {
  const { bucket, bucketRegion, folder, copyOf, publicKeys, roleArn, since, until, accounts, regions, chainOnly } =
    options;
  const { checkpoint, evidence } = options;
  const text = JSON.stringify([
    version,
    bucket,
    bucketRegion,
    folder,
    copyOf,
    publicKeys,
    roleArn,
    since,
    until,
    accounts,
    regions,
    chainOnly,
    checkpoint,
    evidence,
  ]);
  return createHash("sha256").update(text).digest("hex");
}

export function openJournal(file: string, options: VerifyOptions, now = Date.now()): Journal {
  const id = runId(options);
  const known = existsSync(file) ? readJournal(file, id, now) : undefined;
  mkdirSync(dirname(file), { recursive: true });
  if (!known) writeFileSync(file, `${JSON.stringify({ run: id, now })}\n`, { mode: 0o600 });
  else if (known.isCut) {
    // What was being written when the run ended is written again.
    const lines = [
      JSON.stringify({ run: id, now: known.now }),
      ...[...known.done.values()].map((each) => JSON.stringify(each)),
    ];
    writeFileSync(file, `${lines.join("\n")}\n`, { mode: 0o600 });
  }
  return {
    now: known?.now ?? now,
    done: known?.done ?? new Map(),
    add: (result) => appendFileSync(file, `${JSON.stringify(result)}\n`),
    remove: () => rmSync(file, { force: true }),
  };
}

function readJournal(
  file: string,
  id: string,
  now: number,
): { now: number; done: Map<string, SliceResult>; isCut: boolean } | undefined {
  const text = readFileSync(file, "utf8");
  const [first = "", ...lines] = text.split("\n");
  const head = parsed<{ run: string; now: number }>(first);
  if (head?.run !== id || typeof head.now !== "number" || now - head.now > continuedWithin || head.now > now)
    return undefined;
  const done = new Map<string, SliceResult>();
  for (const line of lines) {
    const result = parsed<SliceResult>(line);
    if (result && typeof result.id === "string") done.set(result.id, result);
  }
  return { now: head.now, done, isCut: !text.endsWith("\n") };
}

function parsed<Value>(line: string): Value | undefined {
  try {
    return JSON.parse(line) as Value;
  } catch {
    return undefined;
  }
}
