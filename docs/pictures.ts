/**
 * Makes the README's pictures from real runs: a recording of `npm start`, and the report of a preview in a browser.
 * `npm run docs:pictures` (it needs what `npm start` needs, and Chromium for the report).
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { start } from "../automation/process";
import { report } from "../automation/report";
import { recordedPreview } from "../tests/support/preview";

const root = path.join(__dirname, "..");
const images = path.join(__dirname, "images");
const MINUTE = 60_000;

interface Line {
  text: string;
  /** Milliseconds after the start. */
  at: number;
}

/** The output of `npm start`, line by line, as it came. */
async function record(): Promise<Line[]> {
  const begun = Date.now();
  const lines: Line[] = [];
  const running = start(process.execPath, [path.join(root, "sandbox", "run.js"), "quickstart"], {
    cwd: root,
    timeoutMs: 20 * MINUTE,
    env: { ...process.env, FORCE_COLOR: "1" },
    onLine: (text, stream) => {
      if (stream === "stdout") lines.push({ text, at: Date.now() - begun });
    },
  });
  const { code } = await running.result;
  if (code !== 0) throw new Error(`npm start failed (${code}):\n${lines.map(({ text }) => text).join("\n")}`);
  // What is under way is told only where the screen cannot be redrawn.
  return lines.filter(({ text }) => !/^(\x1b\[\d+m)*…/.test(text));
}

const palette: Record<string, string> = {
  "31": "#ff7b72",
  "32": "#7ee787",
  "33": "#e3b341",
  "36": "#79c0ff",
  "2": "#8b949e",
};

/** A terminal whose lines appear when they did, faster by `speed`. Without animation, all of them are there. */
export function terminal(lines: Line[], command: string, speed = 3): string {
  const [lineHeight, charWidth, padding] = [18, 7.83, 16];
  const all = [{ text: `\x1b[1m$ ${command}\x1b[22m`, at: 0 }, ...lines];
  const columns = Math.max(...all.map(({ text }) => [...plain(text)].length), 80);
  const [width, height] = [Math.ceil(columns * charWidth + 2 * padding), all.length * lineHeight + 2 * padding + 20];
  const rows = all.map(({ text, at }, index) => {
    const y = padding + 20 + (index + 0.75) * lineHeight;
    const delay = index === 0 ? "" : ` style="animation-delay:${(at / 1000 / speed).toFixed(2)}s"`;
    return `<text x="${padding}" y="${y}"${delay}>${spans(text)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="Output of ${command}">
<style>
text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #e6edf3; white-space: pre; animation: come 0.2s both; }
@keyframes come { from { opacity: 0; } }
@media (prefers-reduced-motion: reduce) { text { animation: none; } }
</style>
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
<circle cx="20" cy="18" r="5" fill="#ff5f56"/><circle cx="37" cy="18" r="5" fill="#ffbd2e"/><circle cx="54" cy="18" r="5" fill="#27c93f"/>
${rows.join("\n")}
</svg>
`;
}

const plain = (text: string) => text.replace(/\x1b\[[\d;]*m/g, "");

/** Colors and weights of a terminal as SVG. */
function spans(text: string): string {
  let [fill, weight] = ["", ""];
  return text
    .split(/(\x1b\[[\d;]*m)/)
    .map((part) => {
      const codes = /^\x1b\[([\d;]*)m$/.exec(part)?.[1];
      if (codes === undefined) {
        if (part === "") return "";
        const style = [fill && ` fill="${fill}"`, weight && ` font-weight="${weight}"`].join("");
        return style === "" ? escaped(part) : `<tspan${style}>${escaped(part)}</tspan>`;
      }
      for (const code of codes.split(";")) {
        if (code === "1") weight = "bold";
        else if (code === "22") [weight, fill] = ["", fill === palette["2"] ? "" : fill];
        else if (code === "0" || code === "39" || code === "") [fill, weight] = ["", code === "39" ? weight : ""];
        else fill = palette[code] ?? fill;
      }
      return "";
    })
    .join("");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** The recorded preview of the tests, as a browser shows its page. */
export function photograph(file: string): void {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "crosstrail-picture-"));
  try {
    const page = path.join(folder, "report.html");
    fs.writeFileSync(page, report(recordedPreview()).html);
    const flags =
      "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync --hide-scrollbars --force-color-profile=srgb";
    const result = spawnSync(
      "chromium",
      [
        ...flags.split(" "),
        `--user-data-dir=${folder}/profile`,
        "--window-size=1000,900",
        `--screenshot=${file}`,
        `file://${page}`,
      ],
      { timeout: 2 * MINUTE },
    );
    if (result.status !== 0) throw new Error(`chromium failed: ${result.error?.message ?? result.stderr.toString()}`);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

if (require.main === module) {
  fs.mkdirSync(images, { recursive: true });
  void (async () => {
    photograph(path.join(images, "report.png"));
    fs.writeFileSync(path.join(images, "start.svg"), terminal(await record(), "npm start"));
    process.exit();
  })();
}
