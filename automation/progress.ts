/** Shows what a run over the fleet does: live on a terminal, elsewhere one line an event. */
import pc from "picocolors";
import type { FleetEvent } from "./fleet/types";
import { Status } from "./fleet/types";
import { changesText, elapsed, firstSentence } from "./fleet/words";
import { printable } from "./output";

export interface FleetProgress {
  take(event: FleetEvent): void;
  /** Shows a message of its own. */
  say(text: string): void;
  /** Nothing more will come; leaves the terminal as a plain one. */
  close(): void;
}

type Colors = ReturnType<typeof pc.createColors>;
type Finished = Extract<FleetEvent, { type: "finished" }>["result"];

/** The line that stays of a stack when its turn is over. */
function finishedLine(result: Finished, colors: Colors): string {
  const { stack, status, seconds, action, findings } = result;
  const time = seconds > 0 ? colors.dim(` ${elapsed(seconds * 1000)}`) : "";
  if (status === Status.Succeeded) {
    const what = action === "status" ? "as intended" : changesText(result);
    return `${colors.green("✔")} ${stack}: ${what}${time}`;
  }
  const why = findings[0] ? printable(firstSentence(findings[0].message)) : "";
  const sign = status === Status.Failed ? colors.red("✖") : colors.yellow("–");
  return `${sign} ${stack}: ${[status, why].filter(Boolean).join(": ")}${time}`;
}

export class LineProgress implements FleetProgress {
  private readonly colors: Colors;

  constructor(
    private readonly write: (text: string) => void,
    color = false,
  ) {
    this.colors = pc.createColors(color);
  }

  take(event: FleetEvent): void {
    switch (event.type) {
      case "started":
        return this.say(
          `… ${event.stack} (${event.accountId}): ${event.destroys ? "destroy, previewed" : event.action}`,
        );
      case "resource":
        return event.done ? this.say(`  ${event.stack}: ${event.op} ${event.resourceType} ${event.name}`) : undefined;
      case "retrying":
        return this.say(`… ${event.stack}: again in ${event.seconds} s, as ${event.reason}`);
      case "warning":
        return this.say(`! ${event.stack}: ${oneLine(event.message)}`);
      case "finished":
        return this.say(finishedLine(event.result, this.colors));
      default:
        return undefined;
    }
  }

  say(text: string): void {
    this.write(`${text}\n`);
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
  private readonly running = new Map<string, Running>();
  private readonly began: number;
  private readonly timer?: NodeJS.Timeout;
  private drawn = 0;
  private total = 0;
  private over = 0;
  private failed = 0;
  private frame = 0;

  constructor(
    private readonly write: (text: string) => void,
    private readonly columns: () => number,
    options: { color?: boolean; now?: () => number; timer?: boolean } = {},
  ) {
    this.colors = pc.createColors(options.color ?? false);
    this.now = options.now ?? Date.now;
    this.began = this.now();
    if (options.timer ?? true) {
      this.timer = setInterval(() => this.draw([]), 200);
      this.timer.unref();
    }
  }

  private readonly now: () => number;

  take(event: FleetEvent): void {
    if (event.type === "planned") {
      this.total = event.steps.length;
      return this.draw([]);
    }
    if (event.type === "finished") {
      this.running.delete(event.result.stack);
      this.over++;
      if (event.result.status !== Status.Succeeded) this.failed++;
      return this.draw([finishedLine(event.result, this.colors)]);
    }
    if (event.type === "started") {
      this.running.set(event.stack, { began: this.now(), note: "", done: 0, open: new Set() });
      return this.draw([]);
    }
    const running = this.running.get(event.stack);
    if (event.type === "warning")
      return this.draw([`${this.colors.yellow("!")} ${event.stack}: ${oneLine(event.message)}`]);
    if (!running) return;
    if (event.type === "progress") running.note = event.note;
    if (event.type === "retrying") running.note = `again in ${event.seconds} s, as ${event.reason}`;
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
    this.draw(text.split("\n"));
  }

  close(): void {
    clearInterval(this.timer);
    this.erase();
  }

  private draw(above: string[]): void {
    const width = Math.max(this.columns() - 1, 10);
    const fit = (line: string) => fitted(line, width);
    const live = [...this.running].slice(0, mostLines).map(([stack, { began, note }]) => {
      const time = elapsed(this.now() - began);
      const sign = this.colors.cyan(frames[this.frame % frames.length] as string);
      return fit(`${sign} ${stack} ${this.colors.dim(time)} ${note}`);
    });
    const more = this.running.size - live.length;
    const counts = [
      `${this.over} of ${this.total} done`,
      ...(this.failed > 0 ? [this.colors.red(`${this.failed} not`)] : []),
      ...(more > 0 ? [`${more} more running`] : []),
      elapsed(this.now() - this.began),
    ];
    this.frame++;
    this.erase();
    // What stays may be as long as it is: it is never redrawn.
    for (const line of above) this.write(`${line}\n`);
    const lines = [...live, fit(counts.join(" · "))];
    this.write(lines.join("\n"));
    this.drawn = lines.length;
  }

  private erase(): void {
    if (this.drawn > 0) this.write(`\r${this.drawn > 1 ? `\u001b[${this.drawn - 1}A` : ""}\u001b[J`);
    this.drawn = 0;
  }
}

/** A message of the engine's for one line of a terminal. */
function oneLine(text: string): string {
  return printable(text.replace(/\s*\n\s*/g, " "));
}

/** At most so many visible characters. */
function fitted(text: string, width: number): string {
  let seen = 0;
  let cut = "";
  for (const [part] of text.matchAll(/\u001b\[\d+m|[^]/gu)) {
    if (part.length > 1 && part.startsWith("\u001b")) cut += part;
    else if (seen < width - 1 || (seen < width && !more(text, cut + part))) {
      cut += part;
      seen++;
    } else if (seen < width) {
      cut += "…";
      seen++;
    }
  }
  return cut;
}

/** Whether anything visible follows. */
function more(text: string, head: string): boolean {
  return text.slice(head.length).replace(/\u001b\[\d+m/g, "") !== "";
}
