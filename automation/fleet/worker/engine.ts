/**
 * Pulumi's engine for one stack: every `pulumi` process runs under a guard, with what is left of the stack's time, and
 * stays alive as long as its engine does, whatever happens to this process. The operations themselves are the Automation
 * API's; it runs the program in this process, so that only the first stack of a worker waits for the program to load.
 */
import type { EngineEvent, OpMap, PulumiCommand } from "@pulumi/pulumi/automation";
import { LocalWorkspace, Stack } from "@pulumi/pulumi/automation";
import type { Finding, UserError } from "../../../core/findings";
import { Action } from "../../../core/fleet";
import { run as runProgram } from "../../../programs";
import type { ProcessResult, RunningProcess } from "../../process";
import { start } from "../../process";
import type { FleetEvent, Job, ResourceChange } from "../types";
import { agentOf } from "../unchanged/lastUpdate";
import type { Digests } from "../unchanged/recorded";
import { isChange } from "../words";

/** What an operation did. */
export interface Operation {
  /** How the engine's process ended; undefined when it was not started any more. */
  process?: ProcessResult;
  ok: boolean;
  /** By Pulumi's words; undefined when the engine did not get to its summary. */
  changes?: OpMap;
  resources: ResourceChange[];
  /** The engine's error messages, without colors. */
  errors: string[];
  /** What the program said is wrong with the configuration. */
  findings: Finding[];
}

/** The engine did not succeed; the Automation API hands it through. */
class EngineFailure extends Error {}

type Note = Extract<FleetEvent, { type: "resource" | "warning" | "progress" }>;

export class Engine {
  private readonly deadline: number;
  private readonly over = new AbortController();
  private running?: RunningProcess;
  private stopped = false;
  private last?: ProcessResult;
  /** What the present operation has begun and not finished, by URN: for people. */
  readonly open = new Map<string, string>();

  constructor(
    private readonly job: Job,
    private readonly env: NodeJS.ProcessEnv,
    private readonly emit: (event: Note) => void,
  ) {
    this.deadline = Date.now() + job.timeoutMs;
  }

  get isStopped(): boolean {
    return this.stopped;
  }

  /** Milliseconds until the stack's time is over. */
  get left(): number {
    return this.deadline - Date.now();
  }

  /** Asks the engine to finish the running calls in this time; what is not running yet will not be started. */
  stop(graceMs = this.job.graceMs): void {
    this.stopped = true;
    this.over.abort();
    const { running } = this;
    if (!running) return;
    // What only reads has nothing to finish.
    const { action } = this.job.step;
    const grace = action === Action.Preview || action === Action.Status ? Math.min(graceMs, 2_000) : graceMs;
    // The engine cancels at the first signal, and ends at the second one without waiting for AWS.
    void running.stop("SIGINT", grace).catch(() => {});
  }

  /**
   * Waits for work outside the engine, such as reading from AWS: only while the stack has time, and until it is stopped.
   * @throws Over
   */
  async within<Result>(work: Promise<Result>): Promise<Result> {
    const { signal } = this.over;
    const timer = setTimeout(() => this.over.abort(), Math.max(0, this.left));
    try {
      return await Promise.race([
        work,
        new Promise<never>((_, reject) => {
          const give = () => reject(new Over());
          if (signal.aborted) give();
          else signal.addEventListener("abort", give, { once: true });
        }),
      ]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Runs `pulumi`; how it ended is a result. */
  async pulumi(args: string[], more: { env?: NodeJS.ProcessEnv; input?: string } = {}): Promise<ProcessResult> {
    if (this.stopped || this.left <= 0) {
      return { code: null, signal: null, stdout: "", stderr: "", timedOut: this.left <= 0, stopped: true, left: [] };
    }
    const complete = args.includes("--non-interactive") ? args : [...args, "--non-interactive"];
    this.running = start("pulumi", complete, {
      timeoutMs: this.left,
      cwd: this.job.workDir,
      env: { ...this.env, ...more.env },
      stopSignal: "SIGINT",
      graceMs: this.job.graceMs,
      input: more.input,
    });
    try {
      return (this.last = await this.running.result);
    } finally {
      this.running = undefined;
    }
  }

  /** Runs `pulumi` for the stack, and insists on its success. */
  async must(args: string[], input?: string): Promise<ProcessResult> {
    const result = await this.pulumi([...args, "--stack", this.job.step.stack.name], { input });
    if (result.code !== 0) throw new CommandFailed(args, result);
    return result;
  }

  /** @param inputs what is written down with the update; see `unchanged`. */
  up(refresh: boolean, inputs: Digests | undefined): Promise<Operation> {
    const userAgent = inputs === undefined ? undefined : agentOf(inputs);
    return this.operate((stack, onEvent) => stack.up({ onEvent, refresh, userAgent }));
  }

  preview(refresh: boolean): Promise<Operation> {
    return this.operate((stack, onEvent) => stack.preview({ onEvent, refresh }));
  }

  /** With the program, so that the credentials are those that the configuration names now. */
  destroy(excludeProtected: boolean): Promise<Operation> {
    return this.operate((stack, onEvent) => stack.destroy({ onEvent, excludeProtected, runProgram: true }));
  }

  previewDestroy(excludeProtected: boolean): Promise<Operation> {
    return this.operate((stack, onEvent) => stack.previewDestroy({ onEvent, excludeProtected, runProgram: true }));
  }

  private async operate(work: (stack: Stack, onEvent: (event: EngineEvent) => void) => Promise<unknown>) {
    const operation: Operation = { ok: false, resources: [], errors: [], findings: [] };
    this.open.clear();
    this.last = undefined;
    const program = async () => {
      try {
        return await runProgram();
      } catch (error) {
        operation.findings = (error as Partial<UserError>).findings ?? [];
        throw error;
      }
    };
    try {
      const workspace = await LocalWorkspace.create({
        workDir: this.job.workDir,
        program,
        pulumiCommand: this.command() as unknown as PulumiCommand,
      });
      const stack = await Stack.select(this.job.step.stack.name, workspace);
      await work(stack, (event) => this.take(event, operation));
      operation.ok = true;
      this.open.clear();
    } catch (error) {
      if (!(error instanceof EngineFailure)) throw error;
    }
    operation.process = this.last;
    return operation;
  }

  /** What the Automation API takes for its own way to run `pulumi`. */
  private command() {
    return {
      command: "pulumi",
      version: this.job.pulumiVersion,
      run: async (
        args: string[],
        _cwd: string,
        env: Record<string, string>,
      ): Promise<{ stdout: string; stderr: string; code: number }> => {
        // Each operation names its stack, so none need be selected; and what up() would ask afterwards, each time with a
        // process of its own, nobody here wants to know.
        const [verb, what] = args;
        if (verb === "stack" && what === "select") return { stdout: "", stderr: "", code: 0 };
        if (verb === "stack" && what === "output") return { stdout: "{}", stderr: "", code: 0 };
        if (verb === "stack" && what === "history") return { stdout: "[]", stderr: "", code: 0 };
        const { stdout, stderr, code } = await this.pulumi(args, { env });
        if (code !== 0) throw new EngineFailure(stderr);
        return { stdout, stderr, code };
      },
    };
  }

  private take(event: EngineEvent, operation: Operation): void {
    const { name: stack } = this.job.step.stack;
    if (event.diagnosticEvent && !event.diagnosticEvent.ephemeral) {
      const { severity, message, urn } = event.diagnosticEvent;
      const text = plain(message);
      if (severity === "error") operation.errors.push(urn && !isStack(urn) ? `${nameOf(urn)}: ${text}` : text);
      else if (severity === "warning") this.emit({ type: "warning", stack, message: text });
    }
    if (event.summaryEvent) operation.changes = event.summaryEvent.resourceChanges;
    const begun = event.resourcePreEvent?.metadata;
    const done = (event.resOutputsEvent ?? event.resOpFailedEvent)?.metadata;
    const metadata = begun ?? done;
    if (!metadata || !isChange(metadata.op)) return;
    const { op, urn, type } = metadata;
    if (begun) {
      operation.resources.push({
        urn,
        type,
        name: nameOf(urn),
        op,
        diffs: Object.keys(begun.detailedDiff ?? {}).concat(begun.detailedDiff ? [] : (begun.diffs ?? [])),
        ...(begun.old && { before: begun.old.inputs }),
        ...(begun.new && { after: begun.new.inputs }),
      });
    }
    if (isStack(urn) || type.startsWith("crosstrail:") || type.startsWith("pulumi:")) return;
    if (begun) this.open.set(urn, `${op} ${type} ${nameOf(urn)}`);
    else this.open.delete(urn);
    this.emit({ type: "resource", stack, op, resourceType: type, name: nameOf(urn), done: begun === undefined });
  }
}

/** The stack was stopped, or its time is over. */
export class Over extends Error {}

/** A command of Pulumi's that had to succeed did not. */
export class CommandFailed extends Error {
  constructor(
    readonly args: string[],
    readonly result: ProcessResult,
  ) {
    super(`pulumi ${args.join(" ")} failed`);
  }
}

/** Without the engine's tags for colors. */
export function plain(message: string): string {
  return message.replace(/<\{%[^%]*%\}>/g, "").trim();
}

function isStack(urn: string): boolean {
  return urn.includes("::pulumi:pulumi:Stack::");
}

function nameOf(urn: string): string {
  return urn.split("::").at(-1) ?? urn;
}
