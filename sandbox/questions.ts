// Puts every question of the simulation to the policies that AWS gives back, and shows the answers in a few lines.

import Table from "cli-table3";
import type { Contract } from "../core/contract";
import type { ArchivePolicies, Cell } from "../core/simulate";
import {
  accessOfPolicy,
  fleetOfContract,
  groupSummaries,
  recognisedPolicies,
  simulate,
  untied,
} from "../core/simulate";
import { pc } from "./colors";
import type { ReadBack } from "./readBack";

export interface Matrix {
  forms: Pick<ArchivePolicies, "bucketForm" | "keyForm">;
  cells: Cell[];
}

export function askPolicies(contract: Contract, { bucket, key, bucketKey }: ReadBack["deployed"]): Matrix {
  const fleet = fleetOfContract(contract, bucketKey, accessOfPolicy(bucket));
  const policies = recognisedPolicies(fleet, { bucket, key });
  return { forms: policies, cells: simulate(fleet, policies) };
}

export function showMatrix({ forms, cells }: Matrix): void {
  console.log(`${pc.bold("What the deployed policies allow and refuse")}, by ${cells.length} questions put to them:\n`);
  const table = new Table({
    chars: borderless,
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [] },
  });
  for (const { title, expected, asked, ok, notTied, failed } of groupSummaries(cells)) {
    const answer = expected === "allow" ? "possible" : "refused";
    const count = `${ok} of ${asked}`;
    const mark = failed > 0 ? pc.red("✘") : notTied > 0 ? pc.yellow("○") : pc.green("✔");
    table.push([mark, title, answer, { content: count, hAlign: "right" }, notTied > 0 ? `${notTied} not tied` : ""]);
  }
  console.log(table.toString().replace(/ +$/gm, ""));

  const open = untied(cells);
  const names = `bucket policy ${forms.bucketForm}, key policy ${forms.keyForm}`;
  console.log(
    `\nWhat the policies' forms (${names}) cannot tie, and is possible${open.length > 0 ? ":" : ": nothing."}`,
  );
  for (const { title, count, reason } of open) console.log(`  ${title} (${count} times): ${reason}`);
  console.log("");
}

/** What is not as it should be; nothing when all is well. */
export function matrixProblems({ cells }: Matrix): string[] {
  return cells
    .filter(({ verdict }) => verdict === "failed")
    .map(({ subject, title, decision }) => `${subject.alias}: ${title}? ${decision.explanation ?? ""}`);
}

const borderless = {
  ...Object.fromEntries(
    ["top", "bottom", "left", "right"].flatMap((side) =>
      ["", "-mid", "-left", "-right"].map((part) => [`${side}${part}`, ""]),
    ),
  ),
  mid: "",
  "mid-mid": "",
  middle: "  ",
};
