// Puts every question of the simulation to the policies that AWS gives back, and shows the answers in a few lines.

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
import { wrapped } from "../automation/layout";
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
  const lines = groupSummaries(cells).map(({ title, expected, asked, ok, notTied, failed }) => {
    const mark = failed > 0 ? pc.red("✘") : notTied > 0 ? pc.yellow("○") : pc.green("✔");
    const answer = expected === "allow" ? "possible" : "refused";
    return { mark, title, answer, count: `${ok} of ${asked}`, open: notTied > 0 ? `  ${notTied} open` : "" };
  });
  const most = (of: (line: (typeof lines)[number]) => string) => Math.max(0, ...lines.map((line) => of(line).length));
  const counts = most(({ count }) => count);
  const answers = lines.map(({ answer, count, open }) => `${answer.padEnd(8)}  ${count.padStart(counts)}${open}`);
  const titles = most(({ title }) => title);
  const isNarrow = 3 + titles + 2 + Math.max(0, ...answers.map(({ length }) => length)) > columns();
  for (const [index, { mark, title }] of lines.entries()) {
    if (isNarrow) console.log([...wrapped(`${mark}  ${title}`, columns(), 3), `   ${answers[index]}`].join("\n"));
    else console.log(`${mark}  ${title.padEnd(titles)}  ${answers[index]}`);
  }

  const open = untied(cells);
  const names = `bucket policy ${forms.bucketForm}, key policy ${forms.keyForm}`;
  console.log(`\nGaps left open by the chosen policy forms (${names})${open.length > 0 ? ":" : ": none."}`);
  for (const { title, count, reason } of open) {
    console.log(wrapped(`  ${title} (${count} times): ${reason}`, columns(), 2).join("\n"));
  }
  console.log("");
}

/** What is not as it should be; nothing when all is well. */
export function matrixProblems({ cells }: Matrix): string[] {
  return cells
    .filter(({ verdict }) => verdict === "failed" || verdict === "undecided")
    .map(({ subject, title, decision }) => `${subject.alias}: ${title}? ${decision.explanation ?? ""}`);
}

/** A file has no width. */
const columns = () => process.stdout.columns ?? Infinity;
