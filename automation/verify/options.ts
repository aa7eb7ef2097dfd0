/** What a verification is told. */
import type { RunOptions } from "./run";
import type { VerifyProgress } from "./types";

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
