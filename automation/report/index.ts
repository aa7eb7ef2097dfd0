/**
 * The report of a preview: what changes in each account, policies statement by statement, who gains and loses access, what costs
 * money, and what should not be overlooked. A pure function of the preview.
 *
 * ```ts
 * const { markdown } = report({ ...(await preview()), fleet: fleetOfSettings(settings) });
 * ```
 */
import type { Finding } from "../../core/findings";
import { accessChanges } from "./access";
import { accountReport, changesOf, policyChanges } from "./changes";
import { costsOf } from "./costs";
import { htmlPage } from "./html";
import { commentMarker, markdownText } from "./markdown";
import { risksOf } from "./risks";
import type { ReportData, ReportInput } from "./types";
import { reportVersion } from "./types";

export { commentMarker };
export type * from "./types";

export interface Report {
  data: ReportData;
  /** For a comment on GitHub, within its limit; the first line is `commentMarker`, which GitHub does not show. */
  markdown: string;
  /** A page of its own: no script, and nothing is loaded from elsewhere. */
  html: string;
  json: string;
}

export function report(input: ReportInput): Report {
  const data = reportData(input);
  return {
    data,
    markdown: markdownText(data),
    html: htmlPage(data),
    json: `${JSON.stringify(data, undefined, 2)}\n`,
  };
}

const severities = ["error", "warning", "info"];

function reportData(input: ReportInput): ReportData {
  const { stacks } = input;
  const changes = new Map(stacks.map((stack) => [stack.stack, changesOf(stack)]));
  const of = (name: string) => changes.get(name) ?? [];
  const { access, unknown } = accessChanges(input, changes);
  const accounts = stacks.map((stack) => accountReport(stack, of(stack.stack)));
  const findings: Finding[] = [
    ...risksOf(stacks, changes, access),
    ...input.findings,
    ...stacks.flatMap((each) => each.findings),
  ];
  const count = (op: string) => accounts.flatMap((each) => each.changes).filter((change) => change.op === op).length;
  const failed = accounts.filter(({ status }) => status !== "succeeded").length;
  const notRun = accounts.filter((each) => each.notRun !== undefined).length;
  const changed = accounts.filter(({ status, changes: own }) => status === "succeeded" && own.length > 0).length;
  return {
    schemaVersion: reportVersion,
    summary: {
      stacks: stacks.length,
      changed,
      unchanged: stacks.length - changed - failed - notRun,
      notRun,
      failed,
      create: count("create"),
      update: count("update"),
      replace: count("replace"),
      delete: count("delete"),
    },
    accounts,
    policies: stacks.flatMap((stack) => policyChanges(stack, of(stack.stack))),
    access,
    ...(unknown !== undefined && { accessUnknown: unknown }),
    costs: costsOf(input, changes),
    findings: findings.sort((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity)),
  };
}
