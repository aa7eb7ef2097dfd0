/** `crosstrail up`: brings up the whole fleet. */
import type { Command } from "commander";
import { up, type UpOptions } from "../index";
import type { Outcome, Surroundings } from "../output";
import { defineFleet, defineYes, type Options, runVerb } from "./_fleet";

export const examples = ["crosstrail up --yes --parallel 4"];

export function define(command: Command): void {
  defineFleet(command, "up");
  defineYes(command);
  command
    .option("--refresh", "compare each stack with AWS before")
    .option("--secrets-provider <url>", "for stacks that are created; as with pulumi stack init")
    .addHelpText("after", "\nMembers that are no longer declared are destroyed first; their logs stay.");
}

export function run(options: Options & { refresh?: boolean }, surroundings: Surroundings): Promise<Outcome> {
  return runVerb<UpOptions>("up", up, options, surroundings, { refresh: options.refresh });
}
