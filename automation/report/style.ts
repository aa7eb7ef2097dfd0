/** The page's style sheet. Every pair of colors has a contrast of at least 4.5 to 1, in the light and in the dark. */
export const style = `:root {
  --page: #f6f7f9; --card: #ffffff; --text: #1b2330; --quiet: #566173; --edge: #dde2ea; --code: #eef1f5; --link: #0b5cc2;
  --create: #116a33; --create-bg: #e2f5e8; --update: #7d4e00; --update-bg: #fdf0d5;
  --delete: #a8211f; --delete-bg: #fde8e7; --replace: #6d35a8; --replace-bg: #f1e8fb; --info: #0b5cc2;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0f141b; --card: #171e28; --text: #e4e9f1; --quiet: #9aa6b8; --edge: #2a3442; --code: #222c39; --link: #7fb4ff;
    --create: #74d696; --create-bg: #14301f; --update: #f0bf66; --update-bg: #352810;
    --delete: #ff9c97; --delete-bg: #3a1a1b; --replace: #cfaaf7; --replace-bg: #2b1f3d; --info: #7fb4ff;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; overflow-wrap: anywhere; }
header, main { max-width: 1080px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 32px; }
h1 { font-size: 26px; line-height: 1.2; margin: 0 0 4px; letter-spacing: -0.01em; }
header p { margin: 0 0 20px; color: var(--quiet); font-size: 16px; }
h2 { font-size: 18px; margin: 40px 0 12px; }
h3 { font-size: 15px; margin: 0 0 2px; }
.card h3 { font-size: 14px; margin: 18px 0 6px; display: flex; flex-wrap: wrap; gap: 8px; align-items: baseline; }
a { color: var(--link); }
code, .diff, .name { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 13px; }
code { background: var(--code); border-radius: 4px; padding: 1px 5px; }
.tiles { list-style: none; display: grid; grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); gap: 12px; margin: 0 0 20px; padding: 0; }
.tiles li { background: var(--card); border: 1px solid var(--edge); border-radius: 10px; padding: 12px 16px; color: var(--quiet); }
.tiles b { display: block; font-size: 28px; line-height: 1.15; font-variant-numeric: tabular-nums; }
.tiles .create b { color: var(--create); } .tiles .update b { color: var(--update); }
.tiles .replace b { color: var(--replace); } .tiles .delete b, .tiles .failed b { color: var(--delete); }
.tiles .none b { color: var(--quiet); font-weight: 500; }
nav { display: flex; flex-wrap: wrap; gap: 6px 18px; padding-bottom: 12px; border-bottom: 1px solid var(--edge); font-size: 14px; }
nav a { text-decoration: none; } nav a:hover { text-decoration: underline; }
nav b { color: var(--quiet); font-weight: 500; }
main { padding-bottom: 64px; }
.card, .finding, .scroll { background: var(--card); border: 1px solid var(--edge); border-radius: 10px; margin: 0 0 12px; }
.card { padding: 12px 16px; } .card p { margin: 0; }
.finding { padding: 12px 16px; border-left: 4px solid var(--info); position: relative; }
.finding p { margin: 0; }
.finding.error { border-left-color: var(--delete); } .finding.warning { border-left-color: var(--update); }
.finding.cost { border-left-color: var(--replace); }
.finding .remedy { color: var(--quiet); } .finding .remedy::before { content: "→ "; }
.finding .id { display: inline-block; margin-top: 6px; font-size: 12px; color: var(--quiet); }
summary { cursor: pointer; }
summary:focus-visible, a:focus-visible { outline: 2px solid var(--link); outline-offset: 3px; border-radius: 4px; }
.quiet, .type, small { color: var(--quiet); }
.type, .resources a { font-size: 13px; }
.pill { display: inline-block; border-radius: 999px; padding: 0 9px; font-size: 12.5px; font-weight: 600; line-height: 20px; white-space: nowrap; }
.pill.create { color: var(--create); background: var(--create-bg); } .pill.update { color: var(--update); background: var(--update-bg); }
.pill.replace { color: var(--replace); background: var(--replace-bg); } .pill.delete { color: var(--delete); background: var(--delete-bg); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; } th:first-child { width: 104px; } th:last-child { width: 42%; }
th, td { text-align: left; vertical-align: top; padding: 10px 16px; border-top: 1px solid var(--edge); }
thead th { border-top: 0; color: var(--quiet); font-size: 13px; font-weight: 500; }
td small { display: block; font-size: 13px; }
.account { display: inline-block; font-weight: 600; margin-right: 6px; }
.more { display: inline-block; vertical-align: top; } .more[open] { display: block; }
.more > summary, .rest > summary { color: var(--link); }
.rest { margin: 0 0 12px; } .rest > summary { padding: 4px 16px; }
.account code { font-weight: 400; }
.resources { list-style: none; margin: 10px 0 0; padding: 0; }
.resources li { padding: 6px 0; border-top: 1px solid var(--edge); }
.resources .name { font-weight: 600; }
.diff { border: 1px solid var(--edge); border-radius: 6px; margin: 6px 0; overflow: hidden; line-height: 1.5; }
.diff div { display: grid; grid-template-columns: 14px minmax(140px, 37%) 1fr; gap: 0 10px; padding: 2px 10px; }
.diff i { font-style: normal; font-weight: 700; white-space: pre; }
.diff .plus { background: var(--create-bg); } .diff .minus { background: var(--delete-bg); }
.diff .plus i { color: var(--create); } .diff .minus i { color: var(--delete); }
.diff .path, .diff .same { color: var(--quiet); }
.fold > summary { color: var(--link); padding: 2px 10px; }
@media (max-width: 640px) {
  header, main { padding-left: 14px; padding-right: 14px; }
  .tiles { grid-template-columns: 1fr 1fr; }
  .diff div { grid-template-columns: 14px 1fr; } .diff div span:last-child { grid-column: 2; }
  th, td { padding: 8px 10px; }
  table, thead, tbody, tr, td { display: block; } thead { display: none; }
  tr { border-top: 1px solid var(--edge); padding: 6px 0; } tr:first-child { border-top: 0; } td { border: 0; padding: 3px 12px; }
}
@media print {
  nav { display: none; } .finding, .resources li, .diff div { break-inside: avoid; }
  h2, h3, summary { break-after: avoid; }
  /* On paper nothing can be opened. */
  details::details-content { content-visibility: visible; block-size: auto; }
}
`;
