/** `crosstrail preview`: shows what `up` would change. */
import type { Command } from "commander";
import { type FleetOptions, preview } from "../index";
import type { Outcome, Surroundings } from "../output";
import { ExitCode } from "../output";
import { defineFleet, type Options, runVerb } from "./fleet";

export function define(command: Command): void {
  defineFleet(command, "preview");
  command
    .option("--expect-no-changes", "exit code 7 when something would change")
    .addHelpText(
      "after",
      "\nStacks that are not there yet are shown as well; nothing is created for that.\n\nExample:\n  crosstrail preview --only audit payments",
    );
}

export async function run(
  options: Options & { expectNoChanges?: boolean },
  surroundings: Surroundings,
): Promise<Outcome> {
  let changed = false;
  const noted = async (given: FleetOptions) => {
    const result = await preview(given);
    changed = result.stacks.some(({ changes }) => Object.keys(changes).length > 0);
    return result;
  };
  const outcome = await runVerb<FleetOptions>("preview", noted, options, surroundings, {});
  const unexpected = options.expectNoChanges === true && changed && outcome.exitCode === ExitCode.Ok;
  return unexpected ? { ...outcome, exitCode: ExitCode.UnexpectedChanges } : outcome;
}
