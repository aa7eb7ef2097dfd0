/**
 * The workers: processes that each take one stack after the other. A worker that fails is replaced, and so is one that
 * has had many stacks, so that memory depends on how many work at the same time and not on the size of the fleet.
 */
import { join } from "node:path";
import type { Finding } from "../../core/findings";
import { ExitCode } from "../output";
import type { RunningProcess } from "../process";
import { start } from "../process";
import { cancelled } from "./diagnosis";
import { longestTimerMs } from "./limits";
import { reportMark } from "./protocol";
import { resultOf } from "./result";
import type { ArchiveReading, Job, Order, Report, StackResult } from "./types";
import { Status } from "./types";

const MINUTE = 60_000;
const mostJobs = 20;

interface Worker {
  process: RunningProcess;
  jobs: number;
  /** Takes the reports of the present job. */
  take?: (report: Report) => void;
  /** The end of what it wrote beside its reports. */
  words: string[];
}

type JobEvent = Extract<Report, { type: "event" }>["event"];

export class Pool {
  private readonly idle: Worker[] = [];
  private readonly busy = new Set<Worker>();
  private closed = false;
  private stopped = false;

  /** @param env the complete environment of the workers, and of Pulumi. */
  constructor(private readonly env: NodeJS.ProcessEnv) {}

  /** Starts workers before there is something to do, so that they load meanwhile. */
  warmUp(count: number): void {
    while (this.idle.length < count) this.idle.push(this.startWorker());
  }

  async run(job: Job, onEvent: (event: JobEvent) => void): Promise<{ result: StackResult; reading?: ArchiveReading }> {
    const worker = this.idle.pop() ?? this.startWorker();
    this.busy.add(worker);
    // The engine's own time limit comes first; this is for a worker that hangs itself.
    const limit = setTimeout(() => void worker.process.stop("SIGTERM", 10_000), job.timeoutMs + job.graceMs + MINUTE);
    try {
      const report = await new Promise<Extract<Report, { type: "done" }>>((resolve, reject) => {
        worker.take = (each) => {
          if (each.type === "event") onEvent(each.event);
          else if (each.type === "done") resolve(each);
        };
        worker.process.result.then(() => reject(new Error("ended")), reject);
        this.order(worker, { type: "run", job });
      });
      // What only reads from AWS leaves nothing behind.
      if (report.result.attempts > 0 || job.createOnly) worker.jobs++;
      if (report.reusable && worker.jobs < mostJobs && !this.closed) this.idle.push(worker);
      else this.end(worker);
      return { result: report.result, reading: report.reading };
    } catch {
      return { result: died(job, worker.words, this.stopped) };
    } finally {
      clearTimeout(limit);
      worker.take = undefined;
      this.busy.delete(worker);
    }
  }

  /** Asks all engines to finish their running calls within this time. */
  stop(graceMs: number): void {
    this.stopped = true;
    for (const worker of this.busy) {
      this.order(worker, { type: "stop", graceMs });
      // Long after its engine is ended, which is told twice and then killed: the worker itself hangs.
      endAfter(worker, graceMs + 15_000, "SIGTERM");
    }
  }

  /** Ends the workers; returns when none is left. */
  async close(): Promise<void> {
    this.closed = true;
    const all = [...this.idle, ...this.busy];
    for (const worker of this.idle) this.end(worker);
    this.idle.length = 0;
    await Promise.allSettled(all.map(({ process }) => process.result));
  }

  private startWorker(): Worker {
    const worker: Worker = {
      jobs: 0,
      words: [],
      process: start(process.execPath, [join(__dirname, "worker", "launch.js")], {
        // It has many stacks one after the other, each with a time limit of its own.
        timeoutMs: longestTimerMs,
        // Longer than the worker takes to end its engine.
        graceMs: 20_000,
        lifeline: true,
        env: this.env,
        onLine: (line, stream) => {
          if (stream === "stdout" && line.startsWith(reportMark)) {
            worker.take?.(JSON.parse(line.slice(reportMark.length)) as Report);
          } else {
            worker.words.push(line);
            if (worker.words.length > 40) worker.words.shift();
          }
        },
      }),
    };
    worker.process.result.catch(() => {});
    return worker;
  }

  private end(worker: Worker): void {
    this.order(worker, { type: "end" });
    // It has nothing to finish.
    endAfter(worker, 5_000, "SIGKILL");
  }

  private order(worker: Worker, order: Order): void {
    worker.process.write(`${JSON.stringify(order)}\n`);
  }
}

function endAfter({ process }: Worker, ms: number, signal: NodeJS.Signals): void {
  const timer = setTimeout(() => void process.stop(signal, 5_000), ms);
  const done = () => clearTimeout(timer);
  void process.result.then(done, done);
}

function died({ step }: Job, words: string[], stopped: boolean): StackResult {
  const { name } = step.stack;
  const began = { attempts: 1 };
  if (stopped) {
    return resultOf(step, {
      ...began,
      status: Status.Cancelled,
      exitCode: ExitCode.Cancelled,
      findings: [cancelled(name, [])],
    });
  }
  const finding: Finding = {
    id: "stack/worker-died",
    severity: "error",
    subject: name,
    message: ["The worker process exited before it finished.", ...words.slice(-10)].join("\n"),
    remedy:
      "Rerun the command; it first looks up what was in progress. If nothing killed the process, please report this as a bug.",
  };
  return resultOf(step, { ...began, status: Status.Failed, exitCode: ExitCode.Other, findings: [finding] });
}
