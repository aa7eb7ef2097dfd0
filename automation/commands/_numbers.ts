/** Numbers on the command line. */
import { InvalidArgumentError } from "commander";

/** Reads a whole number within bounds; anything else is a mistake that says what is allowed. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d{1,15}$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`A whole number from ${least} to ${most} is needed.`);
  };
}
