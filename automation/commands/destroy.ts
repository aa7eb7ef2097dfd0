/** `crosstrail destroy`: removes the fleet, except its logs. */
import type { Command } from "commander";
import { Action } from "../../core/fleet";
import { type DestroyOptions, runFleet } from "../fleet/run";
import type { Outcome, Surroundings } from "../output";
import { defineFleet, defineYes, type Options, runVerb } from "./_fleet";

export const examples = ["crosstrail destroy --only payments"];

export function define(command: Command): void {
  defineFleet(command, "destroy");
  defineYes(command);
  command
    .option("--delete-archive <bucket>", "the log bucket's name: also remove the archive, if it is no longer protected")
    .addHelpText(
      "after",
      "\nThe audit stack is skipped while any trail may still deliver. S3 refuses to delete a bucket that holds logs.",
    );
}

export function run(options: Options & { deleteArchive?: string }, surroundings: Surroundings): Promise<Outcome> {
  return runVerb<DestroyOptions>("destroy", (given) => runFleet(Action.Destroy, given), options, surroundings, {
    deleteArchive: options.deleteArchive,
  });
}
