/** Collects what one slice finds, with bounds: a million missing logs must not fill the memory. */
import type { Deletion, TrailStop } from "../../core/logs";
import {
  addCounts,
  type Break,
  type ChainEnd,
  type Counts,
  noCounts,
  type SliceResult,
  type VerifyFinding,
} from "./types";

/** Of one kind, and in one slice, no more findings than these are kept whole; the others are counted. */
const mostOfAKind = 25;
/** Deletions that a slice's logs record. */
const mostDeletions = 1000;

export class Collector {
  readonly result: SliceResult;
  private readonly kinds = new Map<string, number>();

  constructor(id: string, accountId: string, region: string) {
    this.result = {
      id,
      place: {
        accountId,
        region,
        trails: [],
        digests: noCounts(),
        logs: noCounts(),
        pending: 0,
        unreferenced: 0,
        bytes: 0,
      },
      days: {},
      findings: [],
      more: {},
      stops: [],
      deletions: [],
      breaks: [],
      ends: [],
    };
  }

  add(finding: VerifyFinding): void {
    const count = (this.kinds.get(finding.id) ?? 0) + 1;
    this.kinds.set(finding.id, count);
    if (count <= mostOfAKind) this.result.findings.push(finding);
    else this.result.more[finding.id] = (this.result.more[finding.id] ?? 0) + 1;
  }

  count(what: "digests" | "logs", outcome: keyof Counts, day: string, number = 1): void {
    this.result.place[what][outcome] += number;
    const counts = (this.result.days[day] ??= noCounts());
    counts[outcome] += number;
  }

  covered(from: number, to: number): void {
    const { place } = this.result;
    place.from = Math.min(place.from ?? from, from);
    place.to = Math.max(place.to ?? to, to);
  }

  trail(name: string): void {
    const { trails } = this.result.place;
    if (!trails.includes(name)) trails.push(name);
  }

  stop(stop: TrailStop): void {
    if (!this.result.stops.some(({ eventId, time }) => eventId === stop.eventId && time === stop.time)) {
      this.result.stops.push(stop);
    }
  }

  deletion(each: Deletion): void {
    // Another service that cleans its own folder up may make any number of them.
    if (this.result.deletions.length < mostDeletions) this.result.deletions.push(each);
  }

  break(each: Break): void {
    this.result.breaks.push(each);
  }

  end(end: ChainEnd): void {
    const { ends } = this.result;
    const index = ends.findIndex(({ chain }) => chain === end.chain);
    if (index < 0) ends.push(end);
    else if ((ends[index] as ChainEnd).endTime <= end.endTime) ends[index] = end;
  }
}

export { addCounts };

/** Runs things side by side, no more than so many at the same time; the next one has to wait for its turn. */
export class Lanes {
  private running = 0;
  private readonly waiting: (() => void)[] = [];
  private readonly idle: (() => void)[] = [];
  private failure: { error: unknown } | undefined;

  constructor(private readonly most: number) {}

  /** Waits until there is room, and starts it. */
  async add(act: () => Promise<void>): Promise<void> {
    if (this.running >= this.most) await new Promise<void>((resolve) => this.waiting.push(resolve));
    else this.running++;
    try {
      this.rethrow();
    } catch (error) {
      this.leave();
      throw error;
    }
    act()
      .catch((error: unknown) => {
        this.failure ??= { error };
      })
      .finally(() => this.leave());
  }

  async done(): Promise<void> {
    if (this.running > 0) await new Promise<void>((resolve) => this.idle.push(resolve));
    this.rethrow();
  }

  private leave(): void {
    const next = this.waiting.shift();
    // The place goes to the next one.
    if (next) return next();
    if (--this.running === 0) for (const resolve of this.idle.splice(0)) resolve();
  }

  private rethrow(): void {
    if (this.failure) throw this.failure.error;
  }
}
