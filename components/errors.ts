/** How components refuse arguments: an error without a stack trace, in every language. */
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

/** What a resource gets instead of an input that is wrong: nothing that any provider accepts, whatever type it expects. */
const refusal = { refused: [["This input is wrong; the error above says why."]] };

/** Whether this came from `refused`. */
export function isRefused(value: unknown): boolean {
  return typeof value === "object" && value !== null && "refused" in value && Array.isArray(value.refused);
}

/**
 * Reports a mistake in an output, found when its value became known. Ordinary programs end with it. A program that runs inside of
 * somebody's own process (the Automation API's inline programs) would wait forever for the resource that gets no value:
 * there the mistake is logged, and the resource gets a value with which the provider fails, and so the deployment.
 * (@pulumi/pulumi 3.248, runtime/resource.js: registerResource never ends a call whose inputs were rejected)
 */
export async function refused(error: unknown): Promise<unknown> {
  const explanation = explained(error);
  if (!(error instanceof UserError) || !isInline()) throw explanation;
  await pulumi.log.error(error.message);
  return refusal;
}

/** Whether Pulumi keeps this program's state apart from the process's own, as it does for several programs in one process. */
function isInline(): boolean {
  const { asyncLocalStorage } = globalThis as { asyncLocalStorage?: { getStore(): unknown } };
  return asyncLocalStorage?.getStore() !== undefined;
}
