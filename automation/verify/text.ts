/** The result for a terminal: a table by account and Region, then what was found, and what to do. */
import Table from "cli-table3";
import pc from "picocolors";
import { printable } from "../output";
import {
  type Counts,
  FindingState,
  type VerifyFinding,
  type VerifyProgress,
  type VerifyResult,
  VerifyState,
} from "./types";

type Colors = ReturnType<typeof pc.createColors>;

/** Of a kind, more findings than these are only counted on a terminal. */
const mostOfAKind = 5;
/** More rows than these are left out, except for those with something wrong. */
const mostRows = 60;

export function resultText(result: VerifyResult, isColored: boolean): string {
  const colors = pc.createColors(isColored);
  return [table(result, colors), ...findingLines(result, colors), summary(result, colors), ""].join("\n");
}

function table({ places, chainOnly }: VerifyResult, colors: Colors): string {
  const isOdd = (each: (typeof places)[number]) => odd(each.digests) + odd(each.logs) + each.unreferenced > 0;
  const shown = places.length <= mostRows ? places : places.filter(isOdd).slice(0, mostRows);
  const grid = new Table({
    head: ["Account", "Region", "Trails", "Digests", ...(chainOnly ? [] : ["Log files"]), "From", "Until", ""],
    style: { head: [], border: [] },
    chars: {
      top: "",
      "top-mid": "",
      "top-left": "",
      "top-right": "",
      bottom: "",
      "bottom-mid": "",
      "bottom-left": "",
      "bottom-right": "",
      left: "",
      "left-mid": "",
      mid: "",
      "mid-mid": "",
      right: "",
      "right-mid": "",
      middle: "  ",
    },
  });
  for (const place of shown) {
    const { accountId, region, trails, digests, logs, from, to } = place;
    const names =
      trails.slice(0, 3).map(printable).join(", ") + (trails.length > 3 ? ` and ${trails.length - 3} more` : "");
    grid.push([
      accountId,
      region,
      names,
      counted(digests, colors),
      ...(chainOnly ? [] : [counted(logs, colors)]),
      from === undefined ? "" : minute(from),
      to === undefined ? "" : minute(to),
      isOdd(place)
        ? digests.changed + digests.missing + logs.changed + logs.missing > 0
          ? colors.red("✖")
          : colors.yellow("?")
        : colors.green("✔"),
    ]);
  }
  const left = places.length - shown.length;
  const text = shown.length === 0 ? "" : grid.toString().replace(/ +$/gm, "");
  return `${text}${left > 0 ? `\n${left} more accounts and Regions, all whole.` : ""}\n`;
}

function odd({ changed, missing, notChecked }: Counts): number {
  return changed + missing + notChecked;
}

/** `120, 1 changed, 2 missing`; only what there is. */
function counted({ verified, changed, missing, notChecked }: Counts, colors: Colors): string {
  return [
    String(verified),
    ...(changed > 0 ? [colors.red(`${changed} changed`)] : []),
    ...(missing > 0 ? [colors.red(`${missing} missing`)] : []),
    ...(notChecked > 0 ? [colors.yellow(`${notChecked} not checked`)] : []),
  ].join(", ");
}

function minute(time: number): string {
  return new Date(time).toISOString().slice(0, 16).replace("T", " ");
}

function findingLines(result: VerifyResult, colors: Colors): string[] {
  const kinds = new Map<string, VerifyFinding[]>();
  for (const each of result.findings) kinds.set(each.id, [...(kinds.get(each.id) ?? []), each]);
  const lines: string[] = [];
  for (const [id, all] of kinds) {
    const [first] = all as [VerifyFinding];
    const paint = { problem: colors.red, notChecked: colors.yellow, notice: colors.cyan }[first.state];
    const word = { problem: "PROBLEM", notChecked: "NOT CHECKED", notice: "NOTICE" }[first.state];
    lines.push(`${paint(word)}  ${colors.bold(id)}`, `  ${first.message}`);
    for (const { subject, evidence } of all.slice(0, mostOfAKind)) {
      lines.push(
        `  ${subject}`,
        ...Object.entries(evidence).map(([name, value]) => colors.dim(`      ${name}: ${value}`)),
      );
    }
    const more = all.length - Math.min(all.length, mostOfAKind) + (result.more[id] ?? 0);
    if (more > 0) lines.push(`  ${more} more of this kind${result.more[id] ? "" : "; --json has each"}`);
    lines.push(`    → ${first.remedy}`, "");
  }
  return lines;
}

function summary(result: VerifyResult, colors: Colors): string {
  const { digests, logs, pending, bytes, seconds, chainOnly, complete, state, source, until } = result;
  const number = (value: number) => value.toLocaleString("en-US");
  const files = `${number(digests.verified)} digests${chainOnly ? "" : ` and ${number(logs.verified)} log files`} verified`;
  const size = chainOnly ? "" : `, ${(bytes / 1e6).toFixed(1)} MB of events`;
  const rate = seconds > 0 ? (digests.verified + logs.verified) / seconds : 0;
  const problems = result.findings.filter((each) => each.state === FindingState.Problem).length;
  const open = result.findings.filter((each) => each.state === FindingState.NotChecked).length;
  const verdict = !complete
    ? colors.yellow("Cancelled before the end; a rerun continues.")
    : {
        [VerifyState.Whole]: colors.green(`Complete and unaltered: every file that the digests list up to ${until}.`),
        [VerifyState.Problem]: colors.red(`${problems} ${problems === 1 ? "problem" : "problems"} found.`),
        [VerifyState.NotChecked]: colors.yellow(
          `Not everything could be checked: ${open} ${open === 1 ? "finding" : "findings"}. No problem was found in the rest.`,
        ),
      }[state];
  return [
    `${printable(source)}: ${files}${size} in ${seconds.toFixed(1)} s (${number(Math.round(rate))} files/s).`,
    ...(pending > 0 ? [`${number(pending)} log files are so new that no digest names them yet.`] : []),
    verdict,
  ].join("\n");
}

/** One line for how far it is. */
export function progressText({ stage, done, of, digests, logs, bytes, rate, secondsLeft }: VerifyProgress): string {
  if (stage === "listing") return `Listing the archive: ${done} accounts and Regions`;
  const left = secondsLeft === undefined ? "" : `, ${timeText(secondsLeft)} left`;
  return `Verifying: ${done} of ${of} parts, ${digests} digests, ${logs} log files, ${(bytes / 1e6).toFixed(0)} MB, ${Math.round(rate)} files/s${left}`;
}

function timeText(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
