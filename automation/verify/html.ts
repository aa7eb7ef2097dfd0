/** The result as a page of its own: one file, no script, nothing loaded from elsewhere, light or dark as the reader has it. */
import { style } from "../report/style";
import { html } from "../report/text";
import { type Counts, FindingState, noCounts, addCounts, type VerifyFinding, type VerifyResult } from "./types";

/** More days than these are shown by week, and more weeks by month. */
const mostColumns = 92;
/** Of one kind, more findings than these are folded away. */
const mostOfAKind = 5;

/** What a cell of the heat map shows: the worst of what there is. */
const Cell = {
  Changed: "changed",
  Missing: "missing",
  NotChecked: "unchecked",
  Verified: "verified",
  Never: "never",
} as const;
type Cell = (typeof Cell)[keyof typeof Cell];

/** Signs beside the colors, for readers who cannot see those. */
const signs: Record<Cell, string> = { changed: "!", missing: "×", unchecked: "?", verified: "✓", never: "·" };
const labels: Record<Cell, string> = {
  changed: "changed",
  missing: "missing",
  unchecked: "not verifiable",
  verified: "verified",
  never: "never recorded",
};

export function htmlPage(result: VerifyResult): string {
  const { state, source, since, until, complete, digests, logs, chainOnly } = result;
  const title = complete
    ? {
        whole: "The archive is whole",
        problem: "The archive is not whole",
        notChecked: "Not everything could be checked",
      }[state]
    : "Cancelled before the end";
  const by = (wanted: FindingState) => result.findings.filter((each) => each.state === wanted);
  const sections = [
    section("problems", "Problems", by(FindingState.Problem), result),
    section("not-checked", "Not checked", by(FindingState.NotChecked), result),
    { id: "map", title: "Accounts and days", size: 0, body: heatMap(result) },
    { id: "places", title: "Accounts and Regions", size: result.places.length, body: places(result) },
    section("notices", "Worth knowing", by(FindingState.Notice), result),
  ].filter(({ body }) => body !== "");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<title>Crosstrail verify: ${html(title)}</title>
<style>
${style}${ownStyle}</style>
</head>
<body>
<header>
<h1>${html(title)}</h1>
<p><code>${html(source)}</code>, ${since === undefined ? "from the beginning" : `from ${html(since)}`} until ${html(until)}${chainOnly ? ", digests only" : ""}</p>
<ul class="tiles">
${tile("create", digests.verified, "digests verified")}
${chainOnly ? "" : tile("create", logs.verified, "log files verified")}
${tile("delete", digests.changed + logs.changed, "changed")}
${tile("delete", digests.missing + logs.missing, "missing")}
${tile("update", digests.notChecked + logs.notChecked, "not checked")}
</ul>
<nav>${sections.map(({ id, title: name, size }) => `<a href="#${id}">${name}${size > 0 ? ` <b>${size}</b>` : ""}</a>`).join("")}</nav>
</header>
<main>
${sections.map(({ id, title: name, body }) => `<section id="${id}">\n<h2>${name}</h2>\n${body}\n</section>`).join("\n")}
</main>
</body>
</html>
`;
}

function tile(kind: string, number: number, label: string): string {
  return `<li class="${kind}${number === 0 ? " none" : ""}"><b>${number.toLocaleString("en-US")}</b> ${label}</li>`;
}

function section(id: string, title: string, findings: VerifyFinding[], { more }: VerifyResult) {
  const kinds = new Map<string, VerifyFinding[]>();
  for (const each of findings) kinds.set(each.id, [...(kinds.get(each.id) ?? []), each]);
  const body = [...kinds]
    .map(([kind, all]) => {
      const rest = all.slice(mostOfAKind);
      const uncounted = more[kind] ?? 0;
      const folded =
        rest.length === 0
          ? ""
          : `<details class="rest"><summary>${rest.length} more of the kind <code>${html(kind)}</code></summary>\n${rest.map(finding).join("")}</details>\n`;
      const counted =
        uncounted === 0
          ? ""
          : `<p class="quiet">And ${uncounted.toLocaleString("en-US")} more that are only counted.</p>\n`;
      return all.slice(0, mostOfAKind).map(finding).join("") + folded + counted;
    })
    .join("");
  return { id, title, size: findings.length, body };
}

function finding({ id, severity, subject, message, remedy, evidence }: VerifyFinding): string {
  const facts = Object.entries(evidence)
    .map(([name, value]) => `<dt>${html(name)}</dt><dd>${html(value)}</dd>`)
    .join("");
  return `<article class="finding ${html(severity)}"><h3>${html(subject)}</h3><p>${html(message)}</p>${facts === "" ? "" : `<dl>${facts}</dl>`}<p class="remedy">${html(remedy)}</p><code class="id">${html(id)}</code></article>\n`;
}

function heatMap({ days, findings, places: all }: VerifyResult): string {
  const accounts = [
    ...new Set([
      ...Object.keys(days),
      ...all.map(({ accountId }) => accountId),
      ...findings.flatMap(({ accountId }) => accountId ?? []),
    ]),
  ].sort();
  const known = Object.values(days)
    .flatMap((each) => Object.keys(each))
    .sort();
  const [first, last] = [known[0], known.at(-1)];
  if (first === undefined || last === undefined || accounts.length === 0) return "";
  const { columns, columnOf } = columnsOf(first, last);
  const rows = accounts.map((accountId) => {
    const sums = new Map<string, Counts>();
    for (const [day, counts] of Object.entries(days[accountId] ?? {})) {
      const column = columnOf(day);
      const sum = sums.get(column) ?? noCounts();
      addCounts(sum, counts);
      sums.set(column, sum);
    }
    const cells = columns.map((column) => cell(accountId, column, sums.get(column)));
    return `<tr><th scope="row"><code>${html(accountId)}</code></th>${cells.join("")}</tr>`;
  });
  const legend = Object.values(Cell)
    .map((each) => `<li><span class="cell ${each}">${signs[each]}</span> ${labels[each]}</li>`)
    .join("");
  const every = Math.max(1, Math.ceil(columns.length / 31));
  const heads = columns.map((column, index) => {
    const text = index % every === 0 ? `<span>${html(column.slice(column.length > 7 ? 5 : 0))}</span>` : "";
    return `<th scope="col"${text === "" ? ` aria-label="${html(column)}"` : ""}>${text}</th>`;
  });
  return `<ul class="legend">${legend}</ul>
<div class="scroll heat"><table><thead><tr><th scope="col">Account</th>${heads.join("")}</tr></thead><tbody>
${rows.join("\n")}
</tbody></table></div>`;
}

function cell(accountId: string, column: string, counts: Counts | undefined): string {
  const kind = kindOf(counts);
  const { verified, changed, missing, notChecked } = counts ?? noCounts();
  const parts = [
    ...(verified > 0 ? [`${verified} verified`] : []),
    ...(changed > 0 ? [`${changed} changed`] : []),
    ...(missing > 0 ? [`${missing} missing`] : []),
    ...(notChecked > 0 ? [`${notChecked} not verifiable`] : []),
  ];
  const says = parts.length === 0 ? labels.never : parts.join(", ");
  return `<td class="cell ${kind}" title="${html(accountId)}, ${html(column)}: ${says}">${signs[kind]}</td>`;
}

function kindOf(counts: Counts | undefined): Cell {
  if (!counts) return Cell.Never;
  if (counts.changed > 0) return Cell.Changed;
  if (counts.missing > 0) return Cell.Missing;
  if (counts.notChecked > 0) return Cell.NotChecked;
  return counts.verified > 0 ? Cell.Verified : Cell.Never;
}

/** Days, or where they are too many weeks or months. */
function columnsOf(first: string, last: string): { columns: string[]; columnOf: (day: string) => string } {
  const day = 86_400_000;
  const [from, to] = [Date.parse(first), Date.parse(last)];
  const count = Math.round((to - from) / day) + 1;
  const week = (text: string) => {
    const time = Date.parse(text);
    // Weeks begin on Monday; 1970 began on a Thursday.
    return new Date(time - ((Math.floor(time / day) + 3) % 7) * day).toISOString().slice(0, 10);
  };
  const columnOf =
    count <= mostColumns
      ? (text: string) => text
      : count <= mostColumns * 7
        ? week
        : (text: string) => text.slice(0, 7);
  const columns = new Set<string>();
  for (let time = from; time <= to; time += day) columns.add(columnOf(new Date(time).toISOString().slice(0, 10)));
  return { columns: [...columns], columnOf };
}

function places({ places: all, chainOnly }: VerifyResult): string {
  const rows = all.map(({ accountId, region, trails, digests, logs, from, to }) => {
    const time = (value: number | undefined) =>
      value === undefined ? "" : new Date(value).toISOString().slice(0, 16).replace("T", " ");
    return `<tr><td><code>${html(accountId)}</code></td><td>${html(region)}</td><td>${html(trails.join(", "))}</td><td>${counted(digests)}</td>${chainOnly ? "" : `<td>${counted(logs)}</td>`}<td>${time(from)}</td><td>${time(to)}</td></tr>`;
  });
  const heads = ["Account", "Region", "Trails", "Digests", ...(chainOnly ? [] : ["Log files"]), "From", "Until"];
  return `<div class="scroll places"><table><thead><tr>${heads.map((head) => `<th scope="col">${head}</th>`).join("")}</tr></thead><tbody>
${rows.join("\n")}
</tbody></table></div>`;
}

function counted({ verified, changed, missing, notChecked }: Counts): string {
  return [
    verified.toLocaleString("en-US"),
    ...(changed > 0 ? [`<span class="pill delete">${changed} changed</span>`] : []),
    ...(missing > 0 ? [`<span class="pill delete">${missing} missing</span>`] : []),
    ...(notChecked > 0 ? [`<span class="pill update">${notChecked} not checked</span>`] : []),
  ].join(" ");
}

const ownStyle = `
dl { display: grid; grid-template-columns: minmax(120px, max-content) 1fr; gap: 0 14px; margin: 6px 0; font-size: 13px; }
dt { color: var(--quiet); } dd { margin: 0; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 6px 18px; margin: 0 0 12px; padding: 0; font-size: 14px; }
.cell { text-align: center; font-size: 11px; font-weight: 600; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.legend .cell { display: inline-block; width: 20px; line-height: 20px; border-radius: 4px; }
.heat table { width: auto; table-layout: auto; border-collapse: separate; border-spacing: 2px; padding: 8px; }
.heat th, .heat td { border: 0; padding: 0; }
.heat td { min-width: 20px; width: 20px; height: 20px; line-height: 20px; border-radius: 4px; vertical-align: middle; }
.heat th[scope=row] { position: sticky; left: 0; background: var(--card); padding-right: 8px; font-weight: 400; width: auto; white-space: nowrap; overflow-wrap: normal; }
.heat thead th { vertical-align: bottom; height: 52px; width: 20px; white-space: nowrap; overflow-wrap: normal; }
.heat thead th:first-child { width: auto; } .heat thead span { writing-mode: vertical-rl; transform: rotate(180deg); font-size: 11px; line-height: 20px; }
.cell.verified { background: var(--create-bg); color: var(--create); }
.cell.changed { background: var(--delete); color: var(--card); } .cell.missing { background: var(--delete-bg); color: var(--delete); }
.cell.unchecked { background: var(--update-bg); color: var(--update); } .cell.never { background: var(--code); color: var(--quiet); }
.places table { table-layout: auto; } .places th, .places td { padding: 6px 12px; font-size: 14px; width: auto; overflow-wrap: normal; }
@media (max-width: 640px) {
  .heat table, .places table { display: table; } .heat thead, .places thead { display: table-header-group; } .heat tbody, .places tbody { display: table-row-group; }
  .heat tr, .places tr { display: table-row; padding: 0; border: 0; } .heat td, .places td { display: table-cell; }
  .heat td { padding: 0; } dl { grid-template-columns: 1fr; } dt { margin-top: 4px; }
}
@media print {
  header, main { max-width: none; padding: 0; } .scroll { overflow: visible; border: 0; }
  .heat td { min-width: 0; width: 14px; height: 13px; line-height: 13px; font-size: 8px; } .heat table { border-spacing: 1px; padding: 0; }
  .heat tr, .places tr { break-inside: avoid; } .heat thead span { font-size: 8px; } .heat th[scope=row] code { font-size: 8px; background: none; padding: 0; }
}
`;
