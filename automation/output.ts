/** What every command of the command-line tool shares: exit codes, the JSON envelope, and where texts go. */
import type { Finding } from "../core/findings";
import { UserError } from "../core/findings";

/** Exit codes; Pulumi's own, so that scripts can treat both alike. */
export const ExitCode = {
  Ok: 0,
  Other: 1,
  Usage: 2,
  Authentication: 3,
  Deployment: 4,
  CheckFailed: 5,
  StackNotFound: 6,
  UnexpectedChanges: 7,
  Cancelled: 8,
  Timeout: 9,
  /** No problem was found, but something could not be checked. */
  NotChecked: 10,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** What each exit code means: briefly, for `--help`, and in full, for docs/cli.md. */
export const exitCodes: Record<ExitCode, { brief: string; meaning: string }> = {
  [ExitCode.Ok]: { brief: "ok", meaning: "ok" },
  [ExitCode.Other]: { brief: "other", meaning: "any other failure" },
  [ExitCode.Usage]: {
    brief: "usage or configuration",
    meaning: "usage or configuration: the message says what to correct",
  },
  [ExitCode.Authentication]: { brief: "authentication", meaning: "AWS or the backend refused the credentials" },
  [ExitCode.Deployment]: { brief: "deployment", meaning: "a deployment failed" },
  [ExitCode.CheckFailed]: { brief: "check failed", meaning: "a check failed" },
  [ExitCode.StackNotFound]: { brief: "stack not found", meaning: "the stack does not exist" },
  [ExitCode.UnexpectedChanges]: {
    brief: "unexpected changes",
    meaning: "something would change that must not, or with `preview --expect-no-changes` anything at all",
  },
  [ExitCode.Cancelled]: { brief: "cancelled", meaning: "cancelled, with Ctrl-C or by answering no" },
  [ExitCode.Timeout]: { brief: "time limit", meaning: "a stack hit its time limit" },
  [ExitCode.NotChecked]: {
    brief: "not checked",
    meaning: "no problem was found, but something could not be checked: it is never part of 0",
  },
};

/** The envelope's version; it goes up when a script that reads it could break. */
export const schemaVersion = 1;

/** What `--json` prints, for every command. */
export interface Envelope {
  schemaVersion: typeof schemaVersion;
  command: string;
  /** False when the command failed or what it checked is not as it should be. */
  ok: boolean;
  /** The command's own result; null when there is none. */
  data: unknown;
  findings: Finding[];
  /** Why the command could not do its work; empty when it could. */
  errors: { message: string }[];
}

/** What a command hands back. Only one of `data` and `text` is made, depending on `--json`. */
export interface Outcome {
  exitCode: ExitCode;
  findings: Finding[];
  data: () => unknown;
  text: () => string;
  /** Whether the text is a document, such as JSON or a script, whose lines must stay unchanged. */
  isDocument?: boolean;
  /** What belongs beside the text and not in it; for stderr, and not with `--json`. */
  notes?: () => string;
}

/** Where a command runs. */
export interface Surroundings {
  stdout: (text: string) => void;
  stderr: (text: string) => void;
  env: NodeJS.ProcessEnv;
  /** Whether results may be colored. */
  color: boolean;
  /** How many columns results may take: the terminal's, or what COLUMNS says. Left out: 80. */
  columns?: number;
  /** The widths of the terminals that results and messages go to: long lines are wrapped there. Left out for what is not a terminal. */
  terminalColumns?: { results?: number; messages?: number };
  /** Whether messages may be colored. */
  messageColor?: boolean;
  /** The terminal that messages go to; undefined when there is none that can be redrawn. */
  terminal?: {
    columns: () => number;
    rows: () => number;
    /** Writes to it what moves its cursor. Left out: `stderr` does. */
    write?: (text: string) => void;
  };
  /** Asks the user; undefined when nobody can answer. */
  ask?: (question: string) => Promise<string>;
  /** Calls back for Ctrl-C and other requests to end, with their count; returns how to stop that. */
  onInterrupt?: (handler: (reason: string, count: number) => void) => () => void;
  /** Where a person can be asked. Left out where there is none: then nobody is. */
  asking?: { input: NodeJS.ReadableStream; output: NodeJS.WritableStream };
}

/** A mistake that the user can fix and that has an exit code of its own; a {@link UserError} otherwise means 2. */
export class ExitError extends UserError {
  constructor(
    readonly exitCode: ExitCode,
    headline: string,
    findings: Finding[] = [],
  ) {
    super(headline, findings);
    this.name = "ExitError";
  }
}

/**
 * What a terminal obeys or hides instead of showing it: control characters (C0, DEL, C1), and those that turn the direction of
 * writing or break lines (Unicode's bidirectional controls and separators).
 */
const unseen = "\\u0000-\\u001f\\u007f-\\u009f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069\\ufeff";
const anyUnseen = new RegExp(`[${unseen}]`, "g");
/** The colors and styles of this tool; none that hides text. */
const ownColors = /(\u001b\[(?:0|1|2|4|22|24|39|3[0-7]|9[0-7])m)/;

/** A string from elsewhere for one line of a terminal: without what could move the cursor, change colors or turn its direction. */
export function printable(text: string): string {
  return text.replace(anyUnseen, "?");
}

/**
 * What leaves the tool, as a terminal may have it: whatever logs, policies and answers of AWS hold, it does nothing but show. What is
 * not shown as such is written as JSON writes it, `\\u202e`, so that JSON stays what it is.
 * @param colors whether this tool's own colors pass.
 */
export function shownText(text: string, colors = false): string {
  const parts = colors ? text.split(ownColors) : [text];
  return parts.map((part, index) => (index % 2 === 1 ? part : part.replace(anyUnseen, shownCharacter))).join("");
}

function shownCharacter(character: string, at: number, text: string): string {
  const isLineEnd = character === "\n" || (character === "\r" && text.charAt(at + 1) === "\n");
  if (isLineEnd || character === "\t") return character;
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
