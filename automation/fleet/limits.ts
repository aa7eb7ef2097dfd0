/** What numbers a run takes: a timer of Node.js that is set to more than 2^31-1 ms, or to NaN, fires at once. */
import { UserError } from "../../core/findings";
import type { Finding } from "../../core/findings";

/** The longest that a timer of Node.js waits. */
export const longestTimerMs = 2 ** 31 - 1;

/** The most that can be asked for. */
export const limits = {
  parallel: 1000,
  removeMembers: 100_000,
  /** A week. */
  timeoutSeconds: 604_800,
  /** A day. */
  graceSeconds: 86_400,
} as const;

const least: Record<keyof typeof limits, number> = {
  parallel: 1,
  removeMembers: 0,
  timeoutSeconds: 1,
  graceSeconds: 0,
};

/** @throws UserError with every number that cannot be used. */
export function checkNumbers(options: { [Name in keyof typeof limits]?: number }): void {
  const findings = (Object.keys(limits) as (keyof typeof limits)[]).flatMap((name): Finding[] => {
    const value = options[name];
    if (value === undefined) return [];
    const isCount = name === "parallel" || name === "removeMembers";
    if (
      typeof value === "number" &&
      (!isCount || Number.isInteger(value)) &&
      value >= least[name] &&
      value <= limits[name]
    )
      return [];
    const what = isCount ? "whole number" : "number";
    return [
      {
        id: "fleet/number",
        severity: "error",
        // JSON has no NaN.
        subject: `${name} = ${String(value)}`,
        message: `It is a ${what} from ${least[name]} to ${limits[name]}.`,
        remedy: "Correct it, or leave it out.",
      },
    ];
  });
  if (findings.length > 0) throw new UserError("These options cannot be used. Nothing was changed.", findings);
}
