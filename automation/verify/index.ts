/**
 * Verifies an archive: every log of every account, complete and unaltered, as the digests say that AWS signed.
 * Nothing is printed, and nothing in the archive is changed.
 */
import { UserError } from "../../core/findings";
import { FolderSource } from "../archive";
import type { RunOptions, RunOutcome } from "./run";
import { run } from "./run";
import type { KeySource } from "./publicKeys";
import { keysOfFile } from "./publicKeys";
import { openEvidence } from "./evidence";
import { openCheckpoint } from "./checkpoint";
import { openJournal } from "./journal";
import type { VerifyProgress, VerifyResult } from "./types";

export { exitCodeOf } from "./result";
export type { Counts, PlaceResult, VerifyFinding, VerifyProgress, VerifyResult } from "./types";
export { FindingState, VerifyState } from "./types";

/** What to verify, and how. */
export interface VerifyOptions {
  /** The bucket that is read; with `folder`, none is. */
  bucket?: string;
  /** The bucket's Region. Default: as the environment says. */
  bucketRegion?: string;
  /** The account that owns the bucket; S3 refuses if it is another one's. Left out, any owner will do. */
  bucketOwner?: string;
  /** A folder that was synced from a bucket. */
  folder?: string;
  /** The bucket that the digests name, where what is read is a copy of it: a replica, or a folder. */
  copyOf?: string;
  /** A file as `aws cloudtrail list-public-keys` prints it. Default: AWS is asked, in each Region. */
  publicKeys?: string;
  /** The role that reads the archive, of whatever account. Default: the credentials of the environment. */
  roleArn?: string;
  externalId?: string;
  /** Log files that were delivered from then on. Default: from the beginning, or from the checkpoint. */
  since?: Date;
  /** Until then. Default: now; in a copy its newest digest. */
  until?: Date;
  /** Account ids. Default: all that the archive has. */
  accounts?: string[];
  /** Default: all that the archive has. */
  regions?: string[];
  /** Digests only: no log file is read. */
  chainOnly?: boolean;
  /** Accounts that have to be there. */
  expectedAccounts?: string[];
  /** For callers who may not list the whole bucket: where the fleet delivers to. */
  known?: RunOptions["known"];
  /** A file that says how far earlier runs came. It is read and, at the end of a run without a problem, written. */
  checkpoint?: string;
  /** The key that protects the checkpoint against edits, at least 32 characters. */
  checkpointKey?: string;
  /** A folder for what a third party needs to check the result. */
  evidence?: string;
  /** A file in which an interrupted run keeps what it has done, so that the next one continues. Default: none. */
  journal?: string;
  onProgress?: (progress: VerifyProgress) => void;
  /** A message beside the result, such as that an interrupted run continues. */
  onMessage?: (message: string) => void;
  signal?: AbortSignal;
}

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
