/** `crosstrail status`: reads every trail back from AWS. */
import type { Command } from "commander";
import { Action } from "../../core/fleet";
import { type FleetOptions, runFleet } from "../fleet/run";
import type { Outcome, Surroundings } from "../output";
import { defineFleet, type Options, runVerb } from "./_fleet";

export const examples = ["crosstrail status --json"];

export function define(command: Command): void {
  defineFleet(command, "status");
  command.addHelpText("after", "\nExit code 5 if a trail is not as it should be.");
}

export function run(options: Options, surroundings: Surroundings): Promise<Outcome> {
  return runVerb<FleetOptions>("status", (given) => runFleet(Action.Status, given), options, surroundings, {});
}
