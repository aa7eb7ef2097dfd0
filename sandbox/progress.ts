// Shows what is happening: live on a terminal, otherwise as lines, one when a step begins and one every 15 seconds.

import { Listr } from "listr2";
import { pc } from "./colors";

export interface Step {
  /** What it does or waits for at the moment. */
  note(text: string): void;
  /** Replaces the title, e.g. by what came of the step. */
  title(text: string): void;
}

export interface Task<T> {
  title: string;
  work: (step: Step) => Promise<T>;
}

export interface Progress {
  step<T>(title: string, work: (step: Step) => Promise<T>): Promise<T>;
  /** Runs several steps at the same time. The first failure is thrown, after all have ended. */
  all<T extends unknown[]>(tasks: { [K in keyof T]: Task<T[K]> }): Promise<T>;
}

/** The progress that fits the terminal. */
export function createProgress(stream: NodeJS.WriteStream = process.stdout): Progress {
  // Some terminals, e.g. of build systems, do not know their width; redrawing lines would then break each character.
  const redraws = stream.isTTY && process.env.TERM !== "dumb" && stream.columns >= 40;
  return redraws ? new LiveProgress() : new LineProgress(stream);
}

/** For tests. */
export const silentProgress: Progress = {
  step: (_title, work) => work({ note: () => {}, title: () => {} }),
  all: (tasks) => settle(tasks.map((task) => task.work({ note: () => {}, title: () => {} }))) as never,
};

export function elapsed(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`;
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

async function settle<T>(promises: Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(promises);
  return results.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
}

class LiveProgress implements Progress {
  async step<T>(title: string, work: (step: Step) => Promise<T>): Promise<T> {
    const [result] = await this.all<[T]>([{ title, work }]);
    return result;
  }

  async all<T extends unknown[]>(tasks: { [K in keyof T]: Task<T[K]> }): Promise<T> {
    const outcomes: PromiseSettledResult<unknown>[] = [];
    await new Listr(
      tasks.map(({ title, work }, index) => ({
        title,
        task: async (_context: unknown, task: { title: string; output: string }) => {
          const begin = Date.now();
          let note = "";
          const show = () => {
            const time = Date.now() - begin;
            if (note !== "" || time > 2_000) task.output = [note, elapsed(time)].filter(Boolean).join(" · ");
          };
          const timer = setInterval(show, 1_000);
          try {
            const value = await work({
              note: (text) => {
                note = text;
                show();
              },
              title: (text) => (task.title = text),
            });
            outcomes[index] = { status: "fulfilled", value };
          } catch (reason) {
            outcomes[index] = { status: "rejected", reason };
            // The cause is shown once, by anyone who catches it; here the step only turns red.
            throw new Error("failed");
          } finally {
            clearInterval(timer);
          }
        },
      })),
      {
        concurrent: true,
        exitOnError: false,
        registerSignalListeners: false,
        collectErrors: false,
        rendererOptions: {
          showErrorMessage: false,
          timer: { condition: true, field: (time) => `[${elapsed(time)}]`, format: () => pc.dim },
        },
      },
    ).run();
    return outcomes.map((outcome) => {
      if (outcome.status === "rejected") throw outcome.reason;
      return outcome.value;
    }) as T;
  }
}

const QUIET_MS = 1_000;
const REPEAT_MS = 15_000;

export class LineProgress implements Progress {
  constructor(private readonly stream: { write(text: string): unknown }) {}

  async step<T>(title: string, work: (step: Step) => Promise<T>): Promise<T> {
    const begin = Date.now();
    let note = "";
    // What is done at once needs no line that it begins.
    const first = setTimeout(() => this.line("…", title, note), QUIET_MS);
    const repeat = setInterval(() => this.line("…", title, note, begin), REPEAT_MS);
    try {
      const result = await work({ note: (text) => (note = text), title: (text) => (title = text) });
      this.line(pc.green("✔"), title, "", begin);
      return result;
    } catch (error) {
      this.line(pc.red("✖"), title, "", begin);
      throw error;
    } finally {
      clearTimeout(first);
      clearInterval(repeat);
    }
  }

  async all<T extends unknown[]>(tasks: { [K in keyof T]: Task<T[K]> }): Promise<T> {
    return (await settle(tasks.map(({ title, work }) => this.step(title, work)))) as T;
  }

  private line(sign: string, title: string, note: string, begin?: number): void {
    const time = begin === undefined ? "" : pc.dim(` [${elapsed(Date.now() - begin)}]`);
    this.stream.write(`${sign} ${title}${note === "" ? "" : `: ${note}`}${time}\n`);
  }
}
