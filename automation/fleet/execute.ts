/** Runs the steps of a plan: each one after those that it waits for, no more than so many at a time. */
import type { Finding } from "../../core/findings";
import type { Step } from "../../core/fleet";
import { ExitCode } from "../output";
import { resultOf } from "./result";
import type { StackResult } from "./types";
import { Status } from "./types";

/** Takes a stack's turn. Never throws. */
export type Runner = (step: Step) => Promise<StackResult>;

export interface ExecuteOptions {
  parallel: number;
  /** Once it is aborted no further step begins. */
  signal?: AbortSignal;
  onFinished?: (result: StackResult) => void;
}

/** The results in the order of the steps. A failure never stops what does not need the failed one. */
export async function execute(steps: Step[], run: Runner, options: ExecuteOptions): Promise<StackResult[]> {
  const { parallel, signal, onFinished } = options;
  const results = new Map<string, StackResult>();
  const waiting = [...steps];
  const planned = new Set(steps.map(({ stack }) => stack.name));
  const running = new Set<Promise<void>>();
  const finish = (result: StackResult) => {
    results.set(result.stack, result);
    onFinished?.(result);
  };
  const isOver = (name: string) => results.has(name) || !planned.has(name);

  while (waiting.length > 0 || running.size > 0) {
    for (let index = 0; index < waiting.length && running.size < parallel;) {
      const step = waiting[index] as Step;
      if (!signal?.aborted && ![...step.after, ...step.needs].every(isOver)) {
        index++;
        continue;
      }
      waiting.splice(index, 1);
      const reason = signal?.aborted ? "cancelled" : whyNot(step, results);
      if (reason !== undefined) {
        finish(notRun(step, reason));
        // Others may only have waited for this one.
        index = 0;
        continue;
      }
      const turn = run(step).then((result) => {
        finish(result);
        running.delete(turn);
      });
      running.add(turn);
    }
    if (running.size > 0) await Promise.race(running);
    else if (waiting.length > 0)
      throw new Error(`the plan contains a cycle: ${waiting.map(({ stack }) => stack.name).join(", ")}`);
  }
  return steps.map(({ stack }) => results.get(stack.name) as StackResult);
}

/** The stack that failed and without which this one cannot continue; undefined when nothing is in the way. */
function whyNot(step: Step, results: ReadonlyMap<string, StackResult>): string | undefined {
  for (const name of step.needs) {
    const status = results.get(name)?.status ?? Status.Succeeded;
    if (status === Status.Succeeded) continue;
    // What was left unchanged is as it was: who is authorized stays so.
    if (status === Status.Skipped && step.orUntouched) continue;
    return name;
  }
  return undefined;
}

function notRun(step: Step, reason: string): StackResult {
  if (reason === "cancelled") return resultOf(step, { status: Status.Cancelled, exitCode: ExitCode.Cancelled });
  const finding: Finding = {
    id: "stack/skipped",
    severity: "warning",
    subject: step.stack.name,
    message: `Skipped: stack ${reason} must succeed first.`,
    remedy: `Fix ${reason}, then rerun the command.`,
  };
  return resultOf(step, { status: Status.Skipped, exitCode: ExitCode.Deployment, findings: [finding] });
}
