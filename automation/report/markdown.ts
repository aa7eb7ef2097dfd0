/** The report as a comment on GitHub: within its limit, and found again to be updated. */
import type { Finding } from "../../core/findings";
import type { AccountGroup } from "./lines";
import { changedLines, findingGroups, groupsOf, statusText, summaryText } from "./lines";
import { count, fenced, markdown as text, markdownCode as code } from "./text";
import type { AccessChange, PolicyChange, ReportData } from "./types";

/** GitHub's limit for a comment. It counts characters; taken as bytes, which are never fewer. */
export const commentLimit = 65_536;

/**
 * The first line of every report, always the same; GitHub does not show it. A workflow finds its earlier comment by this line
 * together with the comment's author. Compare with this constant, never with a report's first line: anyone who can change the
 * report could otherwise have another comment overwritten.
 */
export const commentMarker = "<!-- crosstrail-preview -->";

/** No section keeps the others out: so many bytes at most for each. */
const share = { risks: 14_000, access: 10_000, accounts: 12_000, costs: 6_000, notes: 6_000 };

export function markdownText(data: ReportData): string {
  const risks = data.findings.filter(({ severity }) => severity !== "info");
  const notes = data.findings.filter(({ severity }) => severity === "info");
  const groups = groupsOf(data);
  const head = [commentMarker, "## Crosstrail preview", "", `**${summaryText(data)}**`];
  const before = [
    ...section("Review first", listed(findings(risks), share.risks)),
    ...section("Who gains and loses access", accessTable(data)),
    ...section("What changes", accountTable(groups)),
  ];
  const after = [
    ...section(
      "Costs to know about",
      listed(
        data.costs.map(
          ({ title, text: what, source, who }) => `- **${title}** (${whoText(who)}): ${what} [Source](${source})`,
        ),
        share.costs,
      ),
    ),
    ...section("Notes", listed(findings(notes), share.notes)),
  ];
  const room = commentLimit - bytes([...head, ...before, ...after].join("\n")) - 2_000;
  return [...head, ...before, ...details(groups, room), ...after, ""].join("\n");
}

function section(title: string, lines: string[]): string[] {
  return lines.length === 0 ? [] : ["", `### ${title}`, "", ...lines];
}

/** As many of the blocks as fit, and how many do not. */
function listed(blocks: string[], most: number): string[] {
  let used = 0;
  const shown = blocks.filter((block, index) => {
    used += bytes(block) + 1;
    return index === 0 || used <= most;
  });
  const left = blocks.length - shown.length;
  return left === 0 ? shown : [...shown, "", `…and ${left} more; see the HTML report for all of them.`];
}

const marks: Record<Finding["severity"], string> = { error: "🔴", warning: "🟠", info: "🔵" };

function findings(all: Finding[]): string[] {
  return findingGroups(all).flatMap(({ id, severity, shown, more }) => {
    const subjects = more.slice(0, 20).map(({ subject }) => text(subject.slice(0, 100)));
    const rest = more.length > subjects.length ? `, and ${more.length - subjects.length} others` : "";
    const line = `- ${marks[severity]} ${more.length} more of type ${code(id)}: ${subjects.join("; ")}${rest}`;
    return [...shown.map(finding), ...(more.length > 0 ? [line] : [])];
  });
}

function finding({ id, severity, subject, message, remedy }: Finding): string {
  const lines = (each: string) => each.slice(0, 600).split("\n").map(text).join("<br>");
  const [what, why, how] = [text(subject.slice(0, 600)), lines(message), lines(remedy)];
  return `- ${marks[severity]} **${what}**: ${why}<br>→ ${how} <sub>${code(id)}</sub>`;
}

function accessTable({ access, accessUnknown }: ReportData): string[] {
  const unknown = accessUnknown === undefined ? [] : [`Unknown: ${text(accessUnknown)}`];
  if (access.length === 0) return unknown;
  const verdicts = {
    intended: "",
    notTied: "; the policy form cannot prevent it",
    wrong: "; **this should not be**",
    undecided: "; **whether it does cannot be decided**",
  };
  const rows = access.map(({ change, what, parts = [], who, everywhere, verdict, note }) => {
    const more = [...parts, ...(note === undefined ? [] : [note])].map(
      (each) => `<br><sub>${text(each.slice(0, 400))}</sub>`,
    );
    const where = everywhere ? `all ${who.length} accounts` : whoText(who);
    return `| ${change === "gains" ? "➕ gains" : "➖ loses"} | ${text(what)}${verdicts[verdict]}${more.join("")} | ${where} |`;
  });
  return [
    ...unknown,
    ...(unknown.length > 0 ? [""] : []),
    ...table("| | what | accounts |\n|---|---|---|", rows, share.access),
  ];
}

function whoText(who: AccessChange["who"]): string {
  const shown = who
    .slice(0, 10)
    .map(({ alias, accountId }) => `${code(alias)}${alias === accountId ? "" : ` ${code(accountId)}`}`);
  return `${shown.join(", ")}${who.length > 10 ? ` and ${who.length - 10} more` : ""}`;
}

function accountTable(groups: AccountGroup[]): string[] {
  const rows = groups.map(({ who, status, changes }) => {
    const each = who.length > 1 ? " each" : "";
    const what = status === "succeeded" ? `${changedLines(changes)}${each}` : `**${statusText(status)}**`;
    return `| ${whoText(who)} | ${what} |`;
  });
  return rows.length === 0 ? [] : table("| account | changes |\n|---|---|", rows, share.accounts);
}

function table(head: string, rows: string[], most: number): string[] {
  return [head, ...listed(rows, most)];
}

/**
 * Account by account. If they do not all fit, those of the accounts with most to tell are left out, and this is said.
 */
function details(groups: AccountGroup[], room: number): string[] {
  const blocks = groups
    .filter(({ changes }) => changes.length > 0)
    .map((group) => ({ group, block: detailsOf(group) }));
  let left = room;
  const shown = new Set(
    [...blocks].sort((a, b) => bytes(a.block) - bytes(b.block)).filter(({ block }) => (left -= bytes(block) + 2) >= 0),
  );
  const hidden = blocks.filter((each) => !shown.has(each)).flatMap(({ group }) => group.who);
  return [
    ...blocks.filter((each) => shown.has(each)).flatMap(({ block }) => ["", block]),
    ...(hidden.length > 0
      ? [
          "",
          `A GitHub comment holds ${commentLimit.toLocaleString("en")} characters. These details are only in the HTML report: ${whoText(hidden)}.`,
        ]
      : []),
  ];
}

/** Of a statement that grew by hundreds of accounts, a comment shows the beginning. */
const mostLines = 30;

function detailsOf({ who, changes, policies }: AccountGroup): string {
  const signs = { create: "+", update: "!", replace: "!", delete: "-" };
  const lines = changes.flatMap(({ op, type, name, called, policy, properties }) => [
    `${signs[op]} ${op} ${type} ${name}${called === undefined || called === name ? "" : ` (${called})`}${policy ? ": policy, see below" : ""}`,
    ...properties.flatMap(({ path, before, after }) => [
      ...(before === undefined ? [] : [`-     ${path}: ${before.slice(0, 300)}`]),
      ...(after === undefined ? [] : [`+     ${path}: ${after.slice(0, 300)}`]),
    ]),
  ]);
  return [
    `<details><summary>${whoText(who)}: ${changedLines(changes)}${who.length > 1 ? " each" : ""}</summary>`,
    "",
    fenced("diff", lines),
    ...policies.flatMap(policyBlock),
    "",
    "</details>",
  ].join("\n");
}

function policyBlock({ title, diff }: PolicyChange): string[] {
  if (!diff) return ["", `**${text(title)}**: known only after the deployment.`];
  const lines = diff.changes.flatMap(({ kind, name, says, lines: all }) => [
    `@@ ${kind} ${name}: ${says} @@`,
    ...all.slice(0, mostLines).map(({ sign, element, value }) => `${sign}     ${element}: ${value}`),
    ...(all.length > mostLines ? [`      …and ${all.length - mostLines} more lines`] : []),
  ]);
  return [
    "",
    `**${text(title)}**: ${count(diff.changes.length, "statement differs", "statements differ")}, ${diff.unchanged} unchanged.`,
    "",
    fenced("diff", lines),
  ];
}

function bytes(of: string): number {
  return Buffer.byteLength(of, "utf8");
}
