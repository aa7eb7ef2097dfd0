// `npm run sandbox:clock -- +3h`: moves the clock of the kept sandbox, and CloudTrail delivers what is due by then.

import type { Context } from "./context";
import { userError } from "./errors";
import { findKept } from "./keep";

const USAGE =
  "npm run -s sandbox:clock -- [+<number>m|h|d]     such as +90m, +3h or +2d; without one, the sandbox's time is shown";
const UNITS: Record<string, number> = { m: 60, h: 60 * 60, d: 24 * 60 * 60 };
/** As sandbox/emulator/clock.py has it. */
const LONGEST_MOVE_DAYS = 92;

export interface ClockState {
  /** The sandbox's time now. */
  now: string;
  /** How many files CloudTrail has delivered on the way. */
  files: number;
  /** How many it could not deliver, and will try again. */
  waiting: number;
}

export async function command(_context: Context, args: string[]): Promise<void> {
  if (args.length > 1) throw userError(`Too many arguments: ${args.join(" ")}.`, USAGE);
  const seconds = args[0] === undefined ? undefined : secondsOf(args[0]);
  const record = await findKept();
  if (!record) throw userError("No sandbox is running.", "Start one that stays: npm start -- --keep");
  const { now, files, waiting } = await moveClock(record.endpoint, seconds);
  console.log(`The sandbox's time is ${now}.`);
  if (seconds !== undefined) console.log(`CloudTrail delivered ${files} ${files === 1 ? "file" : "files"}.`);
  if (waiting > 0) console.log(`${waiting} could not be delivered. CloudTrail tries again every five minutes.`);
}

/** How far `+3h` moves the clock. */
export function secondsOf(move: string): number {
  const [, amount, unit = ""] = /^\+(\d+(?:\.\d+)?)([mhd])$/.exec(move) ?? [];
  const seconds = Number(amount) * (UNITS[unit] ?? NaN);
  if (!(seconds > 0 && seconds <= LONGEST_MOVE_DAYS * 24 * 60 * 60)) {
    throw userError(
      `The clock cannot be moved by "${move}": it moves forward, by at most ${LONGEST_MOVE_DAYS} days at a time.`,
      USAGE,
    );
  }
  return seconds;
}

/**
 * Moves the emulator's clock forward; without `seconds`, only tells the time.
 * @param late how many of the next log files are left out of their hour's digest and come in a backfill digest later.
 */
export async function moveClock(endpoint: string, seconds?: number, late?: number): Promise<ClockState> {
  const asks = seconds !== undefined || late !== undefined;
  const response = await fetch(`${endpoint}/_sandbox/clock`, {
    ...(asks && {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ seconds, late }),
    }),
    // A day of a large fleet is thousands of signatures.
    signal: AbortSignal.timeout(10 * 60_000),
  });
  const answer = (await response.json()) as ClockState & { error?: string };
  if (!response.ok) throw userError(answer.error ?? `The emulator answered ${response.status}.`, USAGE);
  return answer;
}
