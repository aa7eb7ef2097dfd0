/** `crosstrail up`: brings up the whole fleet. */
import type { Command } from "commander";
import { Action } from "../../core/fleet";
import { runFleet, type UpOptions } from "../fleet/run";
import type { Outcome, Surroundings } from "../output";
import { limits } from "../fleet/limits";
import { wholeNumber } from "./_numbers";
import { defineFleet, defineYes, type Options, runVerb } from "./_fleet";

export const examples = ["crosstrail up --yes --parallel 4", "crosstrail up --remove-members 5"];

export function define(command: Command): void {
  defineFleet(command, "up");
  defineYes(command);
  command
    .option("--refresh", "compare each stack with AWS first")
    .option(
      "--remove-members <n>",
      "allow this run to remove so many members, where that is every one, most of them, or the organization trail",
      wholeNumber(1, limits.removeMembers),
    )
    .option("--secrets-provider <url>", "the secrets provider of new stacks, as with pulumi stack init")
    .addHelpText("after", "\nTrails of members that are no longer declared are destroyed first; their logs stay.");
}

export function run(
  options: Options & Pick<UpOptions, "refresh" | "removeMembers">,
  surroundings: Surroundings,
): Promise<Outcome> {
  const { refresh, removeMembers } = options;
  return runVerb<UpOptions>("up", (given) => runFleet(Action.Up, given), options, surroundings, {
    refresh,
    removeMembers,
  });
}
