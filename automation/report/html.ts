/**
 * The report as a page of its own: one file, no script, nothing loaded from elsewhere, light or dark as the reader has
 * it.
 */
import type { Finding } from "../../core/findings";
import type { AccountGroup } from "./lines";
import { changedLines, findingGroups, groupsOf, isTouched, statusText, summaryText } from "./lines";
import { style } from "./style";
import { count, html } from "./text";
import type { AccessChange, AccountReport, Cost, PolicyChange, ReportData, ResourceReport } from "./types";
import { Op } from "./types";

export function htmlPage(data: ReportData): string {
  const { summary, accounts } = data;
  const risks = data.findings.filter(({ severity }) => severity !== "info");
  const notes = data.findings.filter(({ severity }) => severity === "info");
  const groups = groupsOf(data);
  const touched = accounts.filter(isTouched).length;
  const untouched = accounts.filter((each) => !isTouched(each));
  const sections = [
    section("risks", "Review first", risks.length, findings(risks)),
    section("access", "Who gains and loses access", data.access.length, access(data)),
    section(
      "accounts",
      "What changes",
      touched,
      groups.map((each) => account(each, groups.length)).join("") + unchanged(untouched),
    ),
    section("policies", "Policies", data.policies.length, data.policies.map(policy).join("")),
    section("costs", "Costs to know about", data.costs.length, data.costs.map(cost).join("")),
    section("notes", "Notes", notes.length, findings(notes)),
  ].filter(({ body }) => body !== "");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<title>Crosstrail preview: ${html(summaryText(data))}</title>
<style>
${style}</style>
</head>
<body>
<header>
<h1>Crosstrail preview</h1>
<p>${html(summaryText(data))}</p>
<ul class="tiles">
${Object.values(Op)
  .map((op) => tile(op, summary[op], op))
  .join("\n")}
${summary.failed > 0 ? tile("failed", summary.failed, "without a preview") : ""}
</ul>
<nav>${sections.map(({ id, title, size }) => `<a href="#${id}">${title}${size > 0 ? ` <b>${size}</b>` : ""}</a>`).join("")}</nav>
</header>
<main>
${sections.map(({ id, title, body }) => `<section id="${id}">\n<h2>${title}</h2>\n${body}\n</section>`).join("\n")}
</main>
</body>
</html>
`;
}

function section(id: string, title: string, size: number, body: string) {
  return { id, title, size, body };
}

function tile(kind: string, number: number, label: string): string {
  return `<li class="${kind}${number === 0 ? " none" : ""}"><b>${number}</b> ${label}</li>`;
}

function findings(all: Finding[]): string {
  return findingGroups(all)
    .map(({ id, shown, more }) => {
      if (more.length === 0) return shown.map(finding).join("");
      const summary = `${more.length} more of type <code>${html(id)}</code>`;
      return `${shown.map(finding).join("")}<details class="rest"><summary>${summary}</summary>\n${more.map(finding).join("")}</details>\n`;
    })
    .join("");
}

function finding({ id, severity, subject, message, remedy }: Finding): string {
  const lines = (text: string) => text.split("\n").map(html).join("<br>");
  return `<article class="finding ${html(severity)}"><h3>${html(subject)}</h3><p>${lines(message)}</p><p class="remedy">${lines(remedy)}</p><code class="id">${html(id)}</code></article>\n`;
}

const verdicts: Record<AccessChange["verdict"], string> = {
  intended: "",
  notTied: '<span class="pill update">the policy form cannot prevent it</span>',
  wrong: '<span class="pill delete">should not be</span>',
  undecided: '<span class="pill delete">cannot be decided</span>',
};

function access({ access: all, accessUnknown }: ReportData): string {
  const unknown = accessUnknown === undefined ? "" : `<p class="quiet">Unknown: ${html(accessUnknown)}</p>`;
  const rows = all.map(({ change, what, parts = [], who: accounts, everywhere, verdict, note }) => {
    const more = [...parts, ...(note === undefined ? [] : [note])].map((each) => `<small>${html(each)}</small>`);
    const where = everywhere ? `all ${accounts.length} accounts` : who(accounts);
    return `<tr><td><span class="pill ${change === "gains" ? "create" : "delete"}">${change}</span></td><td>${html(what)} ${verdicts[verdict]}${more.join("")}</td><td>${where}</td></tr>`;
  });
  if (rows.length === 0) return unknown;
  return `${unknown}<div class="scroll"><table><thead><tr><th scope="col">Change</th><th scope="col">What</th><th scope="col">Accounts</th></tr></thead><tbody>\n${rows.join("\n")}\n</tbody></table></div>`;
}

/** More accounts than these are folded away. */
const mostAccounts = 12;

function who(accounts: AccessChange["who"]): string {
  const rest = accounts.slice(mostAccounts);
  if (rest.length === 0) return list(accounts);
  return `${list(accounts.slice(0, mostAccounts))} <details class="more"><summary>${rest.length} more</summary>${list(rest)}</details>`;
}

function list(accounts: AccessChange["who"]): string {
  return accounts
    .map(
      ({ alias, accountId }) =>
        `<span class="account">${alias === accountId ? "" : `${html(alias)} `}<code>${html(accountId)}</code></span>`,
    )
    .join(" ");
}

/** A few accounts are shown open; of many, the reader opens those that matter. */
const mostOpen = 6;

function account({ who: accounts, status, changes }: AccountGroup, total: number): string {
  if (status !== "succeeded")
    return `<div class="card failed">${who(accounts)} <span class="pill delete">${html(statusText(status))}</span></div>\n`;
  const each = accounts.length > 1 ? " each" : "";
  const isFew = accounts.length <= 3;
  const title = isFew ? list(accounts) : `<b>${accounts.length} accounts</b>`;
  return `<details class="card"${total <= mostOpen ? " open" : ""}><summary>${title} <span class="quiet">${changedLines(changes)}${each}</span></summary>
${isFew ? "" : who(accounts)}<ul class="resources">${changes.map(resource).join("")}</ul></details>\n`;
}

function resource({ op, type, name, called, policy: hasPolicy, properties }: ResourceReport): string {
  const lines = properties.flatMap(({ path, before, after }) => [
    ...(before === undefined ? [] : [line("-", path, before)]),
    ...(after === undefined ? [] : [line("+", path, after)]),
  ]);
  const own = called === undefined || called === name ? "" : ` <code>${html(called)}</code>`;
  return `<li><span class="pill ${op}">${op}</span> <span class="name">${html(name)}</span>${own} <span class="type">${html(type)}</span>${hasPolicy ? ' <a href="#policies">policy</a>' : ""}${lines.length > 0 ? diff(lines) : ""}</li>`;
}

function unchanged(accounts: AccountReport[]): string {
  if (accounts.length === 0) return "";
  const said = (title: string, those: AccountReport[]) =>
    those.length === 0
      ? ""
      : `<div class="quiet">${title}: ${who(those.map(({ stack, accountId }) => ({ alias: stack, accountId })))}</div>`;
  const notRun = accounts.filter((each) => each.notRun !== undefined);
  const ran = accounts.filter((each) => each.notRun === undefined);
  return said("Without changes", ran) + said("Not run, unchanged since the last up", notRun);
}

function policy({ stack, accountId, title, diff: changes }: PolicyChange): string {
  const where = `<span class="quiet">${html(stack)} <code>${html(accountId)}</code></span>`;
  if (!changes) {
    return `<div class="card"><p><b>${html(title)}</b> ${where} <span class="quiet">known only after the deployment</span></p></div>\n`;
  }
  const kinds = { added: "create", changed: "update", removed: "delete" } as const;
  const statements = changes.changes.map(({ kind, name, says, lines }) => {
    const title = `<span class="pill ${kinds[kind]}">${kind}</span> ${html(name)} <code>${html(says)}</code>`;
    return `<h3>${title}</h3>${diff(lines.map(({ sign, element, value }) => line(sign, element, value)))}`;
  });
  const differs = count(changes.changes.length, "statement differs", "statements differ");
  return `<details class="card" open><summary><b>${html(title)}</b> ${where} <span class="quiet">${differs}, ${changes.unchanged} unchanged</span></summary>
${statements.join("\n")}</details>\n`;
}

/** Of a list of hundreds of accounts, more lines than these are folded away. */
const mostLines = 30;

function diff(lines: string[]): string {
  const rest = lines.slice(mostLines);
  // Two or three lines more are shown as soon as a place to open them.
  if (rest.length <= 3) return `<div class="diff">${lines.join("")}</div>`;
  const folded = `<details class="fold"><summary>${rest.length} more lines</summary>${rest.join("")}</details>`;
  return `<div class="diff">${lines.slice(0, mostLines).join("")}${folded}</div>`;
}

/** One line of a comparison; the sign is text, for readers who do not see the color. */
function line(sign: string, path: string, value: string): string {
  const kind = sign === "+" ? "plus" : sign === "-" ? "minus" : "same";
  return `<div class="${kind}"><i>${sign === "-" ? "−" : sign}</i><span class="path">${html(path)}</span><span>${html(value)}</span></div>`;
}

function cost({ title, text, source, who: accounts }: Cost): string {
  return `<article class="finding cost"><h3>${html(title)}</h3><p>${html(text)} <a href="${html(source)}" rel="noreferrer">${html(new URL(source).hostname)}</a></p>${who(accounts)}</article>\n`;
}
