/**
 * Verifies an archive: every log of every account, complete and unaltered, as the digests say that AWS signed.
 * Nothing is printed, and nothing in the archive is changed.
 */
import { UserError } from "../../core/findings";
import { FolderSource } from "../archive";
import type { VerifyOptions } from "./options";
import type { RunOutcome } from "./run";
import { run } from "./run";
import type { KeySource } from "./publicKeys";
import { keysOfFile } from "./publicKeys";
import { openEvidence } from "./evidence";
import { openCheckpoint } from "./checkpoint";
import { openJournal } from "./journal";
import type { VerifyResult } from "./types";

export type { VerifyOptions } from "./options";
export { exitCodeOf } from "./result";
export type { Counts, PlaceResult, VerifyFinding, VerifyProgress, VerifyResult } from "./types";
export { FindingState, VerifyState } from "./types";

/**
 * Verifies an archive.
 * @throws UserError when it could not be begun. What is wrong with the archive is in the result.
 */
export async function verify(options: VerifyOptions): Promise<VerifyResult> {
  const { folder, bucket, journal: journalFile } = options;
  if ((folder === undefined) === (bucket === undefined)) {
    throw new UserError("Nothing was verified.", [
      {
        id: "verify/source",
        severity: "error",
        subject: "bucket, folder",
        message: "Exactly one of them says what to verify.",
        remedy: "Give the log bucket, or a folder that was synced from it.",
      },
    ]);
  }
  // The SDK takes longer to load than the rest, and a folder with its keys does not need it.
  // eslint-disable-next-line @typescript-eslint/no-require-imports, @typescript-eslint/consistent-type-imports
  const aws = () => require("./aws") as typeof import("./aws");
  const source = folder === undefined ? aws().bucketSource(options) : new FolderSource(folder);
  const keys: KeySource = options.publicKeys === undefined ? aws().keysOfAws(options) : keysOfFile(options.publicKeys);
  try {
    const checkpoint =
      options.checkpoint === undefined ? undefined : openCheckpoint(options.checkpoint, options.checkpointKey);
    const evidence = options.evidence === undefined ? undefined : openEvidence(options.evidence);
    const journal = journalFile === undefined ? undefined : openJournal(journalFile, options);
    if (journal && journal.done.size > 0) {
      options.onMessage?.(
        `Continuing the run of ${new Date(journal.now).toISOString().slice(0, 16).replace("T", " ")} UTC: ${journal.done.size} parts of it are done.`,
      );
    }
    const { since, until, copyOf } = options;
    const outcome: RunOutcome = await run({
      source,
      keys,
      ...(copyOf !== undefined && { copyOf }),
      ...(since && { since: since.getTime() }),
      ...(until && { until: until.getTime() }),
      ...(journal && { now: journal.now, done: journal.done, onSlice: journal.add }),
      ...(options.accounts && { accounts: options.accounts }),
      ...(options.regions && { regions: options.regions }),
      ...(options.chainOnly !== undefined && { chainOnly: options.chainOnly }),
      ...(options.known && { known: options.known }),
      ...(options.expectedAccounts && { expected: options.expectedAccounts }),
      ...(checkpoint && { anchors: checkpoint.anchors(source.nameOf("")) }),
      ...(evidence && { onProven: evidence.add }),
      ...(options.onProgress && { onProgress: options.onProgress }),
      ...(options.signal && { signal: options.signal }),
    });
    const { result } = outcome;
    if (result.complete) {
      evidence?.finish(outcome);
      checkpoint?.write(source.nameOf(""), outcome);
      journal?.remove();
    }
    return result;
  } finally {
    source.close();
  }
}
