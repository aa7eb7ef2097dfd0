import { inspect } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import { UserError } from "../core/findings";

/** Turns a mistake that the user can fix into an error that Pulumi prints without a stack trace. Bugs keep theirs. */
export function explained(error: unknown): unknown {
  if (!(error instanceof UserError)) return error;
  const explanation = new pulumi.RunError(error.message);
  return Object.assign(explanation, {
    // For who runs the program in its own process.
    findings: error.findings,
    // Pulumi inspects whatever ends a program, with the promises that hang on it and all they refer to, only to throw
    // the text away: 20 seconds and more, in which nothing happens. (@pulumi/pulumi 3.248, cmd/run/run.js,
    // uncaughtHandler)
    [inspect.custom]: () => error.message,
  });
}
