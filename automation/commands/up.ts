/** `crosstrail up`: brings up the whole fleet. */
import type { Command } from "commander";
import { Action } from "../../core/fleet";
import { runFleet, type UpOptions } from "../fleet/run";
import type { Outcome, Surroundings } from "../output";
import { limits } from "../fleet/limits";
import { wholeNumber } from "./_numbers";
import { defineFleet, defineFull, defineYes, type Options, runVerb } from "./_fleet";

export const examples = ["crosstrail up --yes --parallel 4", "crosstrail up --remove-members 5"];

export function define(command: Command): void {
  defineFleet(command, "up");
  defineYes(command);
  defineFull(command, "compare each stack with AWS first; this runs every engine");
  command
    .option(
      "--remove-members <n>",
      "allow this run to remove so many members, where that is every one, most of them, or the organization trail",
      wholeNumber(1, limits.removeMembers),
    )
    .option("--secrets-provider <url>", "the secrets provider of new stacks, as with pulumi stack init")
    .addHelpText(
      "after",
      "\nA stack is not run if nothing has changed since its last up; its trail is read back all the same.",
    )
    .addHelpText("after", "\nTrails of members that are no longer declared are destroyed first; their logs stay.");
}

export function run(
  options: Options & Pick<UpOptions, "full" | "refresh" | "removeMembers">,
  surroundings: Surroundings,
): Promise<Outcome> {
  const { full, refresh, removeMembers } = options;
  return runVerb<UpOptions>("up", (given) => runFleet(Action.Up, given), options, surroundings, {
    full,
    refresh,
    removeMembers,
  });
}
