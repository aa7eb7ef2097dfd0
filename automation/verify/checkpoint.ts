/**
 * How far earlier runs came, in a small file, with a message authentication code (HMAC-SHA256) under a key that only its user has.
 * Who does not have the key can delete the file, or put an older one of it in its place, but not write another one: deleting
 * it means that the next run verifies everything, an older one that it verifies more. Neither hides anything.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { UserError } from "../../core/findings";
import type { RunOptions, RunOutcome } from "./run";
import { VerifyState } from "./types";

const version = 1;
export const shortestKey = 32;

interface Entry {
  bucket: string;
  key: string;
  endTime: number;
  contentHash: string;
  signature: string;
  /** Digests of the chain up to this one. */
  listed: number;
}

interface File {
  version: number;
  /** What was verified, by what was read, and by chain. */
  sources: Record<string, Record<string, Entry>>;
}

export interface Checkpoint {
  /** Where the last run over this source ended, by chain. */
  anchors(source: string): NonNullable<RunOptions["anchors"]>;
  write(source: string, outcome: Pick<RunOutcome, "result" | "ends">): void;
}

function refused(file: string, message: string, remedy: string): UserError {
  return new UserError("The checkpoint cannot be used. Nothing was verified.", [
    { id: "verify/checkpoint", severity: "error", subject: file, message, remedy },
  ]);
}

/** @throws UserError when the file was edited, or there is no key. */
export function openCheckpoint(file: string, key: string | undefined): Checkpoint {
  if (key === undefined || key.length < shortestKey) {
    throw refused(
      file,
      `A checkpoint is protected by a key of at least ${shortestKey} characters, and there is ${key === undefined ? "none" : "a shorter one"}.`,
      "Create one, and keep it where nobody who can write the checkpoint can read it: openssl rand -hex 32 > checkpoint.key",
    );
  }
  const seal = (body: string) => createHmac("sha256", key).update(body).digest();
  const read = (): File => {
    if (!existsSync(file)) return { version, sources: {} };
    const text = readFileSync(file, "utf8");
    const [body = "", mac = ""] = text.split("\n");
    const given = Buffer.from(mac, "hex");
    const own = seal(body);
    if (given.length !== own.length || !timingSafeEqual(given, own)) {
      throw refused(
        file,
        "It was edited, or written with another key.",
        "Find out who can write it. To verify everything again, move the file away.",
      );
    }
    const parsed = JSON.parse(body) as File;
    if (parsed.version === version) return parsed;
    throw refused(
      file,
      `Its version is ${parsed.version}; this one reads ${version}.`,
      "Move the file away, to verify everything again.",
    );
  };
  const content = read();
  return {
    anchors: (source) => new Map(Object.entries(content.sources[source] ?? {})),
    write(source, { result, ends }) {
      // A run that found a problem, or could not check everything, must not be continued from.
      if (result.state !== VerifyState.Whole || result.chainOnly) return;
      const chains = { ...content.sources[source] };
      for (const { chain, ...entry } of ends) chains[chain] = entry;
      const body = JSON.stringify({ version, sources: { ...content.sources, [source]: chains } } satisfies File);
      mkdirSync(dirname(file), { recursive: true });
      const draft = `${file}.${process.pid}.tmp`;
      writeFileSync(draft, `${body}\n${seal(body).toString("hex")}\n`, { mode: 0o600 });
      renameSync(draft, file);
    },
  };
}
