import { UserError } from "../core/findings";

/** An error that the user can fix: what is wrong, then the next step. */
export function userError(problem: string, ...nextSteps: string[]): UserError {
  return new UserError([problem, ...nextSteps.map((step) => `  → ${step}`)].join("\n"), []);
}

/** Thrown wherever the work was when the user or the system asked to stop. */
export class Stopped extends Error {
  constructor(
    readonly reason: string,
    readonly exitCode: number,
  ) {
    super(`stopped: ${reason}`);
    this.name = "Stopped";
  }
}
