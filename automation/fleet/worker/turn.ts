/**
 * One stack's turn, in a worker: prepares the stack, runs the engine, tries again what is worth it, and reads the trail
 * back.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseContract } from "../../../core/contract";
import { formatFinding, UserError } from "../../../core/findings";
import { Action, archiveRemovalFinding, StackKind } from "../../../core/fleet";
import { ExitCode, ExitError } from "../../output";
import { endUnguarded, isAlive, isBeingEnded } from "../../process";
import { cancelled, diagnose, diagnoseText, type Diagnosis, retryReason, textOf, timedOut } from "../diagnosis";
import { CommandFailed, type Engine, type Operation, Over } from "./engine";
import { areDead, areOurs, type Lock, locksIn } from "../lock";
import { type Deployment, exported, settlePending, Undecided } from "./pending";
import { besideOf, keyStatesOf, policiesOf } from "./archive";
import { OtherAccount, readTrail } from "./readBack";
import { resultOf } from "../result";
import type { ArchiveReading, ExpectedTrail, FleetEvent, Job, StackResult } from "../types";
import { programVersion } from "../unchanged/program";
import type { Digests } from "../unchanged/recorded";
import { Status } from "../types";
import { isChange } from "../words";

type Emit = (event: Extract<FleetEvent, { type: "progress" | "resource" | "retrying" | "warning" }>) => void;

/** Does the job. Only a mistake of Crosstrail's own is thrown. */
export async function runJob(
  job: Job,
  engine: Engine,
  emit: Emit,
): Promise<{ result: StackResult; reading?: ArchiveReading }> {
  const { stack, action } = job.step;
  const began = Date.now();
  let reading: ArchiveReading | undefined;
  const result = resultOf(job.step);
  const fail = ({ exitCode, findings }: Diagnosis) => {
    Object.assign(result, { status: Status.Failed, exitCode });
    result.findings.push(...findings);
  };
  try {
    const turn = (given: Job) => new Turn(given, engine, emit, result, fail);
    if (job.createOnly) await turn(job).create();
    else if (job.unchanged) await takeIfDifferent(job, engine, emit, result, turn);
    else if (action !== Action.Status) await turn(job).take();
    const isRead = job.unchanged && result.attempts === 0;
    if (result.status === Status.Succeeded && job.trail && !job.createOnly && !isRead)
      await checkTrail(job, engine, emit, result, fail);
    if (job.archive && !job.createOnly && result.status !== Status.Cancelled) {
      const wasFailed = (result.status as Status) === Status.Failed;
      // Where the engine ran, outputs may have changed without a resource.
      reading = await engine.within(readArchive(job, engine, result.attempts > 0)).catch((error: unknown) => {
        // Why the stack failed is what matters then.
        if (wasFailed) return undefined;
        throw error;
      });
    }
  } catch (error) {
    fail(explainedFailure(stack.name, error, [...engine.open.values()]));
  }
  if (result.status === Status.Failed && engine.isStopped) {
    // What the engine says of it is about its being interrupted.
    const findings = [cancelled(stack.name, [...engine.open.values()])];
    Object.assign(result, { status: Status.Cancelled, exitCode: ExitCode.Cancelled, findings });
  }
  result.seconds = (Date.now() - began) / 1000;
  return { result, ...(reading && { reading }) };
}

/**
 * The contract that is deployed now, and the policies as AWS has them: what was meant to be deployed says nothing about
 * who may deliver.
 */
async function readArchive(job: Job, engine: Engine, hasChanged: boolean): Promise<ArchiveReading | undefined> {
  const { name } = job.step.stack;
  let { contract } = job.archive ?? {};
  if (contract === undefined || hasChanged) {
    const outputs = JSON.parse((await engine.must(["stack", "output", "--json"])).stdout) as Record<string, unknown>;
    // A first deployment that failed has none.
    if (outputs.contractVersion === undefined) return undefined;
    contract = parseContract(outputs, name);
  }
  const places = job.archive?.beside;
  const [archive, keyStates, beside] = await Promise.all([
    policiesOf(job.config, contract),
    keyStatesOf(job.config, contract),
    places && besideOf(job.config, contract, places),
  ]);
  return { contract, archive, keyStates, ...(beside && { beside }) };
}

/**
 * A stack of which nothing has changed since its last `up`: only its trail is read back. If that is not as the stack is configured,
 * the engine compares the stack with AWS.
 */
async function takeIfDifferent(
  job: Job,
  engine: Engine,
  emit: Emit,
  result: StackResult,
  turn: (job: Job) => Turn,
): Promise<void> {
  const { step, config, trail } = job;
  const { name: stack } = step.stack;
  if (trail) {
    emit({ type: "progress", stack, note: "checking the trail in AWS" });
    const report = await engine.within(readTrail(config, trail, step.stack.accountId));
    result.trail = report;
    if (report.findings.length > 0) {
      result.because = "its trail in AWS is not as it is configured";
      emit({ type: "warning", stack, message: `${result.because}: ${report.findings[0]?.message ?? ""}` });
      await turn({ ...job, refresh: true }).take();
      return;
    }
    for (const { message } of report.activity) emit({ type: "warning", stack, message });
  }
}

function explainedFailure(stack: string, error: unknown, open: string[]): Diagnosis {
  if (error instanceof ExitError) return { exitCode: error.exitCode, findings: error.findings };
  if (error instanceof UserError) return { exitCode: ExitCode.Usage, findings: error.findings };
  if (error instanceof Over) return timedOut(stack, open);
  if (error instanceof CommandFailed) {
    if (error.result.timedOut) return timedOut(stack, open);
    return diagnoseText(stack, error.result.stderr.trim() || error.result.stdout);
  }
  if (error instanceof Undecided) {
    return {
      exitCode: ExitCode.Deployment,
      findings: [
        {
          id: "stack/pending",
          severity: "error",
          subject: error.urn,
          message: `An interrupted run started to create it, and it is unknown whether AWS did: ${error.reason}.`,
          remedy: `Look in AWS, then run pulumi refresh -s ${stack}: it asks whether to import or forget each such resource.`,
        },
      ],
    };
  }
  if (error instanceof OtherAccount) {
    return {
      exitCode: ExitCode.Authentication,
      findings: [
        {
          id: "credentials/refused",
          severity: "error",
          subject: stack,
          message: error.message,
          remedy: `Set aws:profile, or aws:assumeRoles with a role of account ${error.wanted}; for members without a file of their own crosstrail:deployRole.`,
        },
      ],
    };
  }
  // The AWS SDK's errors have a name, and the credential providers' one, too.
  const { name, message, code = "" } = error as NodeJS.ErrnoException;
  // Where no address of a name answers, the message is empty, and only the code says something.
  const { exitCode, findings } = diagnoseText(stack, `${name}: ${message || code}`);
  const auth = name === "CredentialsProviderError" || name === "AccessDenied" || name === "AccessDeniedException";
  return { exitCode: auth ? ExitCode.Authentication : exitCode, findings };
}

class Turn {
  constructor(
    private readonly job: Job,
    private readonly engine: Engine,
    private readonly emit: Emit,
    private readonly result: StackResult,
    private readonly fail: (diagnosis: Diagnosis) => void,
  ) {}

  private get stack(): string {
    return this.job.step.stack.name;
  }

  async create(): Promise<void> {
    const { job, engine } = this;
    this.note("creating the stack");
    const provider = job.secretsProvider === undefined ? [] : ["--secrets-provider", job.secretsProvider];
    await engine.must(["stack", "init", "--no-select", ...provider]);
  }

  async take(): Promise<void> {
    const { job, engine } = this;
    if (!job.exists) {
      await this.create();
    } else if (!job.isNew && (job.step.action !== Action.Preview || job.step.destroys)) {
      const deployment = await exported(engine);
      const isAudit = job.step.stack.kind === StackKind.Audit;
      if (job.step.action === Action.Destroy && isAudit && !this.mayDestroy(deployment)) return;
      if (job.step.action !== Action.Preview) {
        if (deployment.pending.length > 0) await this.endUnguarded();
        for (const done of await this.unlocked(() => settlePending(engine, job.config, deployment))) this.warn(done);
      }
    }
    this.note("running the program");
    await this.attempts();
  }

  /** Whether an audit stack may go: an archive that nothing protects is removed only by its name. */
  private mayDestroy({ resources }: Deployment): boolean {
    const finding = archiveRemovalFinding(this.stack, resources, this.job.deleteArchive);
    if (finding) this.fail({ exitCode: ExitCode.Usage, findings: [finding] });
    return finding === undefined;
  }

  private async attempts(): Promise<void> {
    const { engine, job, result } = this;
    const giveUpAt = Date.now() + job.retrySeconds * 1000;
    for (let wait = 5; ; wait = Math.min(wait * 2, 30)) {
      const operation = await this.unlocked(() => this.operate(job.refresh === true));
      this.took(operation);
      if (operation.ok) return;
      const reason = job.step.action === Action.Preview ? undefined : retryReason(operation);
      const isLate = Date.now() + wait * 1000 > giveUpAt || engine.left < wait * 1000;
      if (reason === undefined || isLate || engine.isStopped) {
        this.fail(diagnose(this.stack, operation, [...engine.open.values()]));
        return;
      }
      this.emit({ type: "retrying", stack: this.stack, reason, seconds: wait });
      await engine.within(sleep(wait * 1000));
      result.resources = [];
    }
  }

  private operate(refresh: boolean): Promise<Operation> {
    const { engine, job } = this;
    this.result.attempts++;
    const protect = job.excludeProtected === true;
    if (job.step.action === Action.Up) return engine.up(refresh, recordable(job));
    if (job.step.action === Action.Destroy) return engine.destroy(protect);
    return job.step.destroys ? engine.previewDestroy(protect) : engine.preview(refresh);
  }

  private took({ changes = {}, resources }: Operation): void {
    const { result } = this;
    result.resources.push(...resources);
    for (const [op, count] of Object.entries(changes)) {
      if (isChange(op)) result.changes[op] = (result.changes[op] ?? 0) + count;
    }
  }

  /** Takes away a lock whose owner died on this machine, once. */
  private async unlocked<T extends Operation | string[]>(work: () => Promise<T>): Promise<T> {
    // A killed run may hold several locks one after the other, until all that it had started has ended.
    for (let tries = 1; ; tries++) {
      try {
        const done = await work();
        if (Array.isArray(done) || done.ok || tries > 3 || !(await this.takeDeadLock(textOf(done)))) return done;
      } catch (error) {
        const isLocked = error instanceof CommandFailed && tries <= 3;
        if (!isLocked || !(await this.takeDeadLock(error.result.stderr))) throw error;
      }
    }
  }

  /** Whether it is worth trying again: a lock was left behind, or has been given back meanwhile. */
  private async takeDeadLock(text: string): Promise<boolean> {
    const locks = locksIn(text);
    // Its guards may have been killed with it, and what they guarded lives on.
    if (areOurs(locks)) await this.endUnguarded();
    // It then takes its lock away itself; if it could not, the next try finds it dead.
    if (await this.waitForKilledRun(locks)) return true;
    if (!areDead(locks)) return false;
    await this.engine.must(["cancel", "--yes"]);
    this.warn(
      `The lock of process ${locks.map(({ pid }) => pid).join(", ")} on this machine, which no longer runs, was removed.`,
    );
    return true;
  }

  /** Waits for engines that are being ended, as the run that had started them was killed. Whether it did, and they are gone. */
  private async waitForKilledRun(locks: Lock[]): Promise<boolean> {
    const { engine, job } = this;
    const living = () => locks.filter(({ pid }) => isAlive(pid));
    if (!areOurs(locks) || living().length === 0 || !living().every(({ pid }) => isBeingEnded(pid))) return false;
    const pids = living().map(({ pid }) => pid);
    this.warn(
      `Waiting for process ${pids.join(", ")} of a run that was killed: it still holds the stack's lock and is being ended.`,
    );
    // Its guard asks, insists, and kills.
    const until = Date.now() + job.graceMs + 30_000;
    while (living().length > 0) {
      if (Date.now() > until || engine.isStopped) return false;
      await engine.within(sleep(250));
    }
    return true;
  }

  /** What a killed run has left running could still create something. */
  private async endUnguarded(): Promise<void> {
    const count = await endUnguarded();
    if (count > 0) this.warn(`${count} processes of a run whose guards had been killed were stopped.`);
  }

  private note(note: string): void {
    this.emit({ type: "progress", stack: this.stack, note });
  }

  private warn(message: string): void {
    const text = formatFinding({
      id: "stack/interrupted",
      severity: "warning",
      subject: "an earlier run was interrupted",
      message,
      remedy: "Nothing to do: this run continues.",
    });
    this.emit({ type: "warning", stack: this.stack, message: text.trimStart() });
  }
}

let ownProgram: string | undefined;

/** What is written down with the update; nothing when this process has not loaded the files that it is about. */
function recordable({ recorded }: Job): Digests | undefined {
  if (!recorded) return undefined;
  try {
    ownProgram ??= programVersion();
  } catch {
    return undefined;
  }
  return ownProgram === recorded.program ? recorded.inputs : undefined;
}

async function checkTrail(
  job: Job,
  engine: Engine,
  emit: Emit,
  result: StackResult,
  fail: (diagnosis: Diagnosis) => void,
): Promise<void> {
  const { step, config, trail } = job;
  if (!trail) return;
  emit({ type: "progress", stack: step.stack.name, note: "checking the trail in AWS" });
  const read = (more: Partial<ExpectedTrail>) =>
    engine.within(readTrail(config, { ...trail, ...more }, step.stack.accountId));
  // What the stack made itself is named by its state only; asking for that takes a moment, so only where it is needed.
  const needsState = step.action === Action.Status && job.exists;
  const made = needsState && trail.options.cloudWatchLogs ? logGroupIn(await exported(engine)) : undefined;
  result.trail = await read({ made });
  if (needsState && result.trail.activity.some(({ id }) => id === "trail/silent")) {
    result.trail = await read({ made, stackUpdatedAt: (await exported(engine)).time });
  }
  const silent = result.trail.findings.find(({ id }) => id === "trail/not-logging");
  if (silent && step.action === Action.Up && !engine.isStopped) {
    // A StartLogging that failed once is not repeated by the next `up`: only a refresh tells Pulumi that it is needed.
    const remedy = "Nothing to do: the stack is being compared with AWS, and the trail started.";
    emit({ type: "warning", stack: step.stack.name, message: formatFinding({ ...silent, remedy }).trimStart() });
    const turn = new Turn({ ...job, exists: true, refresh: true }, engine, emit, result, fail);
    await turn.take();
    if (result.status === Status.Succeeded) result.trail = await read({ made });
  }
  const { findings, activity } = result.trail;
  if (step.action === Action.Preview && Object.keys(result.changes).length > 0) {
    // What up is about to set right.
    result.findings.push(...findings.map((finding) => ({ ...finding, severity: "warning" as const })));
    return;
  }
  if (step.action === Action.Status) findings.push(...activity);
  else
    for (const finding of activity)
      emit({ type: "warning", stack: step.stack.name, message: formatFinding(finding).trimStart() });
  if (findings.some(({ severity }) => severity === "error")) fail({ exitCode: ExitCode.CheckFailed, findings });
  else result.findings.push(...findings);
}

/** The log group and the role that a stack made, as its state has them. */
function logGroupIn({ resources }: Deployment): ExpectedTrail["made"] {
  const text = (value: unknown) => (typeof value === "string" ? value : undefined);
  const find = (type: string) =>
    resources.find((each) => each.type === type && each.urn.includes("crosstrail:index:TrailLogGroup$"))?.outputs ?? {};
  return {
    logGroupName: text(find("aws:cloudwatch/logGroup:LogGroup").name),
    logRoleArn: text(find("aws:iam/role:Role").arn),
  };
}
