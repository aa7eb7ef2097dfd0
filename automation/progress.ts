/** Shows what a run over the fleet does: live on a terminal, elsewhere one line an event. */
import pc from "picocolors";
import type { FleetEvent } from "./fleet/types";
import { Status } from "./fleet/types";
import { changesText, elapsed, firstSentence } from "./fleet/words";
import { folded } from "./layout";
import { printable } from "./output";

export interface FleetProgress {
  take(event: FleetEvent): void;
  /** Shows a message of its own. */
  say(text: string): void;
  /** Leaves the terminal to a question until it is answered. */
  pause<Answer>(question: () => Promise<Answer>): Promise<Answer>;
  /** Nothing more will come; leaves the terminal as a plain one. */
  close(): void;
}

type Colors = ReturnType<typeof pc.createColors>;
type Finished = Extract<FleetEvent, { type: "finished" }>["result"];

/** The line that stays of a stack when its turn is over. What does not fit into the width comes in full in the end. */
function finishedLine(result: Finished, colors: Colors, shownMs = 0, width = Infinity): string {
  const { stack, status, action, findings } = result;
  // The worker's own time leaves out how long it took to start: what has been shown already never gets less.
  const seconds = Math.max(result.seconds, result.seconds > 0 ? shownMs / 1000 : 0);
  const time = seconds > 0 ? colors.dim(` ${elapsed(seconds * 1000)}`) : "";
  const fit = (line: string) => `${fitted(line, Math.max(width - widthOf(time), 10))}${time}`;
  if (result.notRun !== undefined) return fit(`${colors.green("✔")} ${stack}: not run, ${result.notRun}`);
  if (status === Status.Succeeded) {
    return fit(`${colors.green("✔")} ${stack}: ${action === "status" ? "as intended" : changesText(result)}`);
  }
  const why = findings[0] ? printable(firstSentence(findings[0].message)) : "";
  const sign = status === Status.Failed ? colors.red("✖") : colors.yellow("–");
  return fit(`${sign} ${stack}: ${[status, why].filter(Boolean).join(": ")}`);
}

export class LineProgress implements FleetProgress {
  private readonly colors: Colors;

  /** @param listsResults Whether a line says how each stack ended; not for verbs whose result is a list of the stacks. */
  constructor(
    private readonly write: (text: string) => void,
    color = false,
    private readonly listsResults = true,
  ) {
    this.colors = pc.createColors(color);
  }

  take(event: FleetEvent): void {
    switch (event.type) {
      case "started":
        return this.say(
          `… ${event.stack} (${event.accountId}): ${event.destroys ? "destroy, previewed" : event.unchanged ? "reading its trail back" : event.action}`,
        );
      case "resource":
        return event.done ? this.say(`  ${event.stack}: ${event.op} ${event.resourceType} ${event.name}`) : undefined;
      case "retrying":
        return this.say(`… ${event.stack}: retrying in ${event.seconds} s, because ${event.reason}`);
      case "warning":
        return this.say(warningText(event.stack, event.message, "!"));
      case "finished":
        return this.listsResults ? this.say(finishedLine(event.result, this.colors)) : undefined;
      default:
        return undefined;
    }
  }

  say(text: string): void {
    this.write(`${text}\n`);
  }

  pause<Answer>(question: () => Promise<Answer>): Promise<Answer> {
    return question();
  }

  close(): void {
    // Nothing is open.
  }
}

interface Running {
  began: number;
  note: string;
  done: number;
  open: Set<string>;
}

const frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
/** No more lines than this are redrawn; more running stacks are counted. */
const mostLines = 12;

/** What is over stays as lines; what runs is redrawn below them, with a count at the end. */
export class LiveProgress implements FleetProgress {
  private readonly colors: Colors;
  private readonly now: () => number;
  /** See {@link LineProgress}. */
  private readonly listsResults: boolean;
  private readonly running = new Map<string, Running>();
  private readonly began: number;
  private readonly timer?: NodeJS.Timeout;
  /** The widths of the lines that are to be redrawn. */
  private drawn: number[] = [];
  private isPaused = false;
  /** How many stacks there are; undefined as long as that is being found out. */
  private total?: number;
  private over = 0;
  private failed = 0;
  private frame = 0;

  constructor(
    private readonly write: (text: string) => void,
    private readonly terminal: { columns: () => number; rows: () => number },
    options: { color?: boolean; now?: () => number; timer?: boolean; listsResults?: boolean } = {},
  ) {
    this.colors = pc.createColors(options.color ?? false);
    this.listsResults = options.listsResults ?? true;
    this.now = options.now ?? Date.now;
    this.began = this.now();
    if (options.timer ?? true) {
      this.timer = setInterval(() => this.draw([]), 200);
      this.timer.unref();
    }
  }

  take(event: FleetEvent): void {
    if (event.type === "planned") {
      this.total = event.steps.length;
      return this.draw([]);
    }
    if (event.type === "finished") {
      const began = this.running.get(event.result.stack)?.began;
      const shownMs = began === undefined ? 0 : this.now() - began;
      this.running.delete(event.result.stack);
      this.over++;
      if (event.result.status === Status.Failed) this.failed++;
      if (!this.listsResults) return this.draw([]);
      return this.draw([finishedLine(event.result, this.colors, shownMs, this.width())]);
    }
    if (event.type === "started") {
      this.running.set(event.stack, { began: this.now(), note: "", done: 0, open: new Set() });
      return this.draw([]);
    }
    const running = this.running.get(event.stack);
    if (event.type === "warning") return this.say(warningText(event.stack, event.message, this.colors.yellow("!")));
    if (!running) return;
    if (event.type === "progress") running.note = event.note;
    if (event.type === "retrying") running.note = `retrying in ${event.seconds} s, because ${event.reason}`;
    if (event.type === "resource") {
      const { resourceType, name, done } = event;
      const resource = `${resourceType.split(":").at(-1)} ${name}`;
      if (!done) running.open.add(resource);
      else if (running.open.delete(resource)) running.done++;
      const newest = [...running.open].at(-1);
      running.note = [`${running.done} done`, newest].filter(Boolean).join(", ");
    }
    this.draw([]);
  }

  say(text: string): void {
    this.draw(folded(text, this.width()).split("\n"));
  }

  async pause<Answer>(question: () => Promise<Answer>): Promise<Answer> {
    this.erase();
    this.isPaused = true;
    try {
      return await question();
    } finally {
      this.isPaused = false;
    }
  }

  close(): void {
    clearInterval(this.timer);
    this.erase();
  }

  /** One column is left free: some terminals continue to the next line as soon as the last one is written to. */
  private width(): number {
    return Math.max(this.terminal.columns() - 1, 10);
  }

  private draw(above: string[]): void {
    if (this.isPaused) {
      for (const line of above) this.write(`${line}\n`);
      return;
    }
    const fit = (line: string) => fitted(line, this.width());
    // Lines that have left the screen at its upper end cannot be redrawn.
    const most = Math.max(Math.min(mostLines, this.terminal.rows() - 2), 1);
    const live = [...this.running].slice(0, most).map(([stack, { began, note }]) => {
      const time = elapsed(this.now() - began);
      const sign = this.colors.cyan(frames[this.frame % frames.length] as string);
      return fit(`${sign} ${stack} ${this.colors.dim(time)} ${oneLine(note)}`);
    });
    const more = this.running.size - live.length;
    const counts = [
      this.total === undefined ? "reading the stacks" : `${this.over} of ${this.total} done`,
      ...(this.failed > 0 ? [this.colors.red(`${this.failed} failed`)] : []),
      ...(more > 0 ? [`${more} more running`] : []),
      elapsed(this.now() - this.began),
    ];
    this.frame++;
    this.erase();
    // What stays may be wider: it is never redrawn.
    for (const line of above) this.write(`${line}\n`);
    const lines = [...live, fit(counts.join(" · "))];
    this.write(lines.join("\n"));
    this.drawn = lines.map(widthOf);
  }

  private erase(): void {
    if (this.drawn.length === 0) return;
    // A terminal that has become narrower has broken the lines.
    const columns = Math.max(this.terminal.columns(), 1);
    const rows = this.drawn.reduce((sum, width) => sum + Math.max(Math.ceil(width / columns), 1), 0);
    // Line by line: some terminals keep what is cleared all at once among the lines above.
    this.write(`\r\u001b[2K${"\u001b[1A\u001b[2K".repeat(rows - 1)}`);
    this.drawn = [];
  }
}

/** A warning of the engine's; its subject, id and message, and remedy keep lines of their own. */
function warningText(stack: string, message: string, sign: string): string {
  const [first = "", ...rest] = message
    .trim()
    .split(/\r?\n/)
    .map((line) => printable(line.trimEnd()));
  // A finding's lines are indented already.
  const indent = rest.some((line) => line.startsWith("    ")) ? "" : "    ";
  return [`${sign} ${stack}: ${first}`, ...rest.map((line) => (line === "" ? "" : `${indent}${line}`))].join("\n");
}

/** A message of the engine's for one line of a terminal. */
function oneLine(text: string): string {
  const lines = text.split("\n").map((line) => line.trim());
  return printable(lines.filter((line, index) => line !== "" || index === 0).join(" "));
}

/** A string's parts for a terminal: what changes colors, or one character with what stands on it. */
function parts(text: string): string[] {
  return text.match(/\u001b\[\d+m|\P{M}\p{M}*|\p{M}/gu) ?? [];
}

/** How many columns a part takes. */
function columnsOf(part: string): number {
  if (part.startsWith("\u001b") || /^[\p{M}\p{Cf}]/u.test(part)) return 0;
  const isWide =
    /^(?:\p{Emoji_Presentation}|[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6])/u;
  return isWide.test(part) ? 2 : 1;
}

function widthOf(text: string): number {
  return parts(text).reduce((sum, part) => sum + columnsOf(part), 0);
}

/** At most so many columns wide; what is cut off leaves a sign. Colors stay, so that they end. */
function fitted(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let room = width - 1;
  return parts(text)
    .map((part) => {
      const wide = columnsOf(part);
      if (part.startsWith("\u001b") || room < 0) return part.startsWith("\u001b") ? part : "";
      if (wide <= room) {
        room -= wide;
        return part;
      }
      room = -1;
      return "…";
    })
    .join("");
}
