/** What a run writes down with a stack's update. */
export interface Recorded {
  /** A digest of the inputs, and one of them without how the account is accessed. */
  inputs: Digests;
  /** The program's version: a worker whose files are others writes nothing down. */
  program: string;
  /** What the program must find in the contract; undefined where it reads none. */
  contract?: string;
}

/** For `up` everything counts; a preview may access accounts with other roles, and shows the same. */
export interface Digests {
  all: string;
  withoutAccess: string;
}
