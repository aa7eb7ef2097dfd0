/** A run over the fleet: what there is, what is to be done, and doing it with workers. */
import { availableParallelism, freemem } from "node:os";
import { resolve } from "node:path";
import type { Contract } from "../../core/contract";
import { memberContract } from "../../core/contract";
import { UserError } from "../../core/findings";
import type { Finding } from "../../core/findings";
import { guardrailRemovalFinding } from "../../core/guardrailAttachment";
import type { BesidePlaces, Fleet, FleetStack, Shard, Step } from "../../core/fleet";
import {
  Action,
  archiveFindings,
  archiveRemovalFinding,
  besidePlaces,
  canonical,
  declaredContract,
  fleetFindings,
  fleetOf,
  only,
  organizationFinding,
  planDestroy,
  planPreview,
  planStatus,
  planUp,
  plannedChanges,
  removalFinding,
  removalOf,
  shardStacks,
  shardText,
  StackKind,
} from "../../core/fleet";
import type { TrailIdentity } from "../../core/names";
import { archiveBuckets, futureKeyArn, trailArn } from "../../core/names";
import type { AuditSettings, Settings } from "../../core/settings";
import { ExitCode, ExitError } from "../output";
import { Backend, type StackEntry } from "./backend";
import { Deliveries } from "./deliveries";
import { execute } from "./execute";
import { LastRun } from "./lastRun";
import { checkNumbers } from "./limits";
import { Pool } from "./pool";
import { Project, type StackSource } from "./project";
import { resultOf } from "./result";
import type { ArchiveReading, ExpectedTrail, FleetEvent, FleetResult, Job, StackResult } from "./types";
import { Status } from "./types";
import { Unchanged } from "./unchanged";
import type { Recorded } from "./unchanged/recorded";

export interface FleetOptions {
  /** The folder with Pulumi.yaml. Default: PULUMI_OPTION_CWD, or the working folder. */
  projectFolder?: string;
  /** The audit stack's name; its file declares the fleet. Default: audit. */
  auditStack?: string;
  /** The complete environment for Pulumi and AWS: backend, passphrase, credentials. Default: this process's. */
  env?: NodeJS.ProcessEnv;
  /** How many stacks are worked on at the same time, 1 to 1000. Default: by processors and memory. */
  parallel?: number;
  /** Only these stacks, by name. */
  only?: string[];
  /** Only the stacks that did not succeed in the last run of the same kind from this folder. */
  failed?: boolean;
  /** Seconds for each stack, 1 to 604800 (a week); then its engine is ended. Default: 900. */
  timeoutSeconds?: number;
  /** Seconds that a running call of a cancelled stack may still take, 0 to 86400. Default: 30. */
  graceSeconds?: number;
  /**
   * Only one part of the fleet, for a run on several machines: `{ index: 2, count: 5 }` is the second fifth of the members, index 0
   * what they need and is not split: the audit stack, the organization trail, and what is removed. Default: all of it.
   */
  shard?: Shard;
  /** `--secrets-provider` for stacks that are created. Default: the backend's. */
  secretsProvider?: string;
  /** Gets everything that happens. Must not throw. */
  onEvent?: (event: FleetEvent) => void;
  /** Called before anything is done; false ends the run with nothing changed. */
  confirm?: (plan: Plan) => boolean | Promise<boolean>;
  /** Once aborted, no further stack is begun, and running ones finish the calls to AWS that they have begun. */
  signal?: AbortSignal;
  /** Once aborted, running engines end at once. What they had begun is looked up by the next run. */
  endNow?: AbortSignal;
}

export interface PreviewOptions extends FleetOptions {
  /**
   * Run the engine for every stack. Default: false; a stack is not run when nothing that goes into it has changed since its last
   * `up` and nobody else has changed its state: see {@link StackResult.notRun}.
   */
  full?: boolean;
  /**
   * `up`: the engine compares each stack with AWS first, so that every stack runs. `preview`: every trail is read back from AWS, and
   * the engine compares those stacks with AWS that run, or whose trail is not as it is configured. Default: false.
   */
  refresh?: boolean;
}

export interface UpOptions extends PreviewOptions {
  /**
   * How many members that are not declared any more may be destroyed, where that is every member, more than half of them, or the
   * organization trail (which counts as one). Default: 0, such a run is refused.
   */
  removeMembers?: number;
}

export interface DestroyOptions extends FleetOptions {
  /** The log bucket's name: the archive, if nothing protects it any more, may be removed as well. */
  deleteArchive?: string;
}

/** What a run is about to do. */
export interface Plan {
  action: Action;
  steps: Step[];
  parallel: number;
  /** What `up` would change of the fleet and of the archive's policies, as far as configuration and state say it; sentences. */
  changes: string[];
  /** The stacks that no engine will run for, as far as it is known before the audit stack is up. */
  unchanged: string[];
}

/** What a migration asks for besides. */
interface InnerOptions {
  /** One is under way, which may be about to turn one kind of trail into the other. */
  isMigrating?: boolean;
  /** AWS was just asked whether anything is needed that the audit stack takes away. */
  isAsked?: boolean;
  /** Workers that already exist, and stay. */
  pool?: Pool;
}

type AllOptions = UpOptions & DestroyOptions & InnerOptions;

export async function runFleet(action: Action, options: AllOptions): Promise<FleetResult> {
  const began = Date.now();
  checkNumbers(options);
  const env = options.env ?? process.env;
  const folder = resolve(options.projectFolder ?? env.PULUMI_OPTION_CWD ?? ".");
  options.signal?.throwIfAborted();
  const project = new Project(folder, options.auditStack ?? "audit", env);
  const pool = options.pool ?? newPool(env);
  const parallel = options.parallel ?? defaultParallel();
  const stopping = new AbortController();
  const listeners = listen([
    [options.signal, () => (stopping.abort(), pool.stop((options.graceSeconds ?? 30) * 1000))],
    [options.endNow, () => (stopping.abort(), pool.stop(2_000))],
  ]);
  try {
    // They load while the backend is asked. Where most stacks may have nothing to do, that is known first.
    const all = Math.min(parallel, options.only?.length ?? project.audit.members.length + 1);
    pool.warmUp(mayLeaveOut(action, options) ? (action === Action.Up ? 1 : 0) : all);
    const run = await Run.open(action, options, project, pool, env, parallel);
    const { steps } = run;
    const shard = options.shard && shardText(options.shard);
    if (steps.length === 0) return summary(action, [], run.findings, began, shard);
    options.onEvent?.({ type: "planned", steps, parallel });
    if (
      options.confirm &&
      !(await options.confirm({ action, steps, parallel, changes: run.changes(), unchanged: run.unchangedNow }))
    ) {
      throw new ExitError(ExitCode.Cancelled, "Cancelled. Nothing was changed.");
    }
    // Somebody may have thought about it for long.
    if (options.confirm) await run.readRecords();
    const record = action === Action.Status ? undefined : new LastRun(folder, action);
    record?.begin(steps);
    const idle = action === Action.Preview && !options.refresh ? run.unchangedNow.length : 0;
    pool.warmUp(Math.min(parallel, steps.length - idle));
    const results = await execute(steps, (step) => run.step(step), {
      parallel,
      signal: stopping.signal,
      onFinished: (result) => {
        record?.finished(result);
        options.onEvent?.({ type: "finished", result });
      },
    });
    if (!stopping.signal.aborted) run.findings.push(...(await run.cutOff(results)));
    return summary(action, results, run.findings, began, shard);
  } finally {
    listeners();
    if (!options.pool) await pool.close();
    project.close();
  }
}

/** Workers for the engines of a fleet. */
export function newPool(env: NodeJS.ProcessEnv): Pool {
  return new Pool({ ...env, PULUMI_SKIP_UPDATE_CHECK: "true" });
}

/** How many stacks fit: an engine with its provider takes some 600 MB, and waits for AWS most of the time. */
export function defaultParallel(cores = availableParallelism(), bytes = availableMemory()): number {
  return Math.max(1, Math.min(2 * cores, 16, Math.floor((bytes * 0.8) / 600e6)));
}

function availableMemory(): number {
  const { availableMemory: ask } = process as { availableMemory?: () => number };
  return ask?.() ?? freemem();
}

/** Whether a run may leave engines out. A migration looks at every stack at every step. */
function mayLeaveOut(action: Action, { full, refresh, isMigrating }: AllOptions): boolean {
  if (full || isMigrating) return false;
  return action === Action.Preview || (action === Action.Up && !refresh);
}

function summary(
  action: Action,
  stacks: StackResult[],
  findings: Finding[],
  began: number,
  shard?: string,
): FleetResult {
  const has = (status: Status) => stacks.some((stack) => stack.status === status);
  return {
    action,
    status: has(Status.Cancelled)
      ? Status.Cancelled
      : has(Status.Failed) || has(Status.Skipped) || findings.some(({ severity }) => severity === "error")
        ? Status.Failed
        : Status.Succeeded,
    ...(shard !== undefined && { shard }),
    stacks,
    findings,
    seconds: (Date.now() - began) / 1000,
  };
}

class Run {
  /** The stacks that no engine will run for, as far as it is known. */
  unchangedNow: string[] = [];
  private auditChanged = false;
  private readonly pulumiVersion: string;
  private readonly stacks: Map<string, StackEntry>;
  private readonly contract: Contract | undefined;
  private readonly fleet: Fleet;
  /** What members find in the audit stack's outputs now; undefined where it is not known. */
  private contractNow: Contract | undefined;
  /** The contract after the next `up`. */
  private coming?: Contract;
  private readonly deliveries: Deliveries;
  private readonly destroyed = new Set<string>();
  private readonly created = new Set<string>();

  private constructor(
    private readonly options: AllOptions,
    private readonly project: Project,
    private readonly pool: Pool,
    { pulumiVersion, stacks, contract, fleet }: KnownFleet,
    readonly steps: Step[],
    private readonly parallel: number,
    readonly findings: Finding[],
    /** Only for `up` and `preview`. */
    private readonly unchanged: Unchanged | undefined,
    /** Where it is known; otherwise no engine is left out. */
    private readonly backendUrl: string | undefined,
  ) {
    this.pulumiVersion = pulumiVersion;
    this.stacks = stacks;
    this.contract = contract;
    this.fleet = fleet;
    this.contractNow = contract;
    const base = { pulumiVersion, retrySeconds: 30, ...this.limits };
    this.deliveries = new Deliveries(project, pool, fleet, contract, parallel, base);
    if (steps.some(({ stack, action }) => stack.kind === StackKind.Audit && action === Action.Status)) {
      this.deliveries.awaitAudit();
    }
  }

  private get limits(): Pick<Job, "timeoutMs" | "graceMs"> {
    const { timeoutSeconds = 900, graceSeconds = 30 } = this.options;
    return { timeoutMs: timeoutSeconds * 1000, graceMs: graceSeconds * 1000 };
  }

  static async open(
    action: Action,
    options: AllOptions,
    project: Project,
    pool: Pool,
    env: NodeJS.ProcessEnv,
    parallel: number,
  ) {
    const { audit } = project;
    const unchanged =
      action === Action.Up || action === Action.Preview ? new Unchanged(project, env, options.signal) : undefined;
    if (mayLeaveOut(action, options)) unchanged?.begin();
    const [known, backendUrl] = await Promise.all([
      lookUp(project, env, options),
      mayLeaveOut(action, options) ? new Backend(project.folder, env, options.signal).url(project.content) : undefined,
    ]);
    const { stacks, contract, withResources, fleet } = known;
    const steps = select(planOf(action, fleet), action, options, project.folder).filter(
      // What is not there need not be destroyed.
      ({ stack, action: each }) => each !== Action.Destroy || holds(stacks.get(stack.name)),
    );
    const findings: Finding[] = [];
    if (action === Action.Destroy) await checkRemoval(project, env, options, steps, stacks);
    if (action === Action.Up || action === Action.Preview) {
      const concerned = steps.some(({ stack }) => stack.kind === StackKind.Audit || stack.removed === true);
      const empty = new Set([...stacks.keys()].filter((name) => !withResources.has(name)));
      const severity = action === Action.Up ? "error" : "warning";
      const removal = removalFinding(removalOf(audit, fleet, contract, empty), options.removeMembers, severity);
      if (removal && concerned) {
        if (action === Action.Up)
          throw new UserError("These removals have to be meant. Nothing was changed.", [removal]);
        findings.push(removal);
      }
    }
    const run = new Run(options, project, pool, known, steps, parallel, findings, unchanged, backendUrl);
    await run.readRecords();
    return run;
  }

  changes(): string[] {
    const { fleet, contract, project, steps, unchangedNow } = this;
    const chosen = new Set(steps.map(({ stack }) => stack.name));
    for (const name of unchangedNow) chosen.delete(name);
    const deployed = new Set([...this.stacks.values()].filter(holds).map(({ name }) => name));
    return plannedChanges(project.audit, fleet, contract, deployed, chosen);
  }

  /** Reads what the backend has recorded about the stacks of this run. */
  async readRecords(): Promise<void> {
    const { stacks, unchanged, backendUrl } = this;
    if (!unchanged || backendUrl === undefined) return;
    const steps = this.steps.filter(isDeployment);
    const entries = steps.flatMap(({ stack }) => stacks.get(stack.name) ?? []);
    await unchanged.read(entries.filter(holds), backendUrl);
    this.unchangedNow = steps.flatMap((step) => {
      try {
        return this.job(step).unchanged ? [step.stack.name] : [];
      } catch (error) {
        // Its own turn says so.
        if (error instanceof UserError) return [];
        throw error;
      }
    });
  }

  /** What is lost now, as far as no stack's own turn has said it. */
  async cutOff(results: StackResult[]): Promise<Finding[]> {
    if (!results.some(({ action }) => action === Action.Up)) return [];
    const failed = new Map(results.map(({ stack, status }) => [stack, status !== Status.Succeeded]));
    // The policies have changed for those, too, that this run leaves alone.
    return this.deliveries.cutOff((stack) => failed.get(stack) ?? this.auditChanged);
  }

  async step(step: Step): Promise<StackResult> {
    const result = await this.turn(step);
    // Whatever became of it: the others wait for what it has read.
    if (step.stack.kind === StackKind.Audit && step.action === Action.Status) this.deliveries.took(undefined, result);
    return result;
  }

  private async turn(step: Step): Promise<StackResult> {
    const { onEvent } = this.options;
    const { stack, action, destroys } = step;
    let job: Job;
    try {
      job = this.job(step);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return this.refused(step, ExitCode.Usage, error.findings);
    }
    const { unchanged, because } = job;
    const notRun = `unchanged since the last up${this.sinceText(stack.name)}`;
    if (unchanged && action === Action.Preview && !job.trail) return resultOf(step, { notRun });
    onEvent?.({ type: "started", stack: stack.name, action, destroys, unchanged, accountId: stack.accountId });
    if (action === Action.Destroy && stack.kind === StackKind.Audit) {
      const left = this.delivering();
      const organization = this.knowsManagementStack() ? undefined : organizationFinding(this.contract);
      const inUse = [
        ...(left.length > 0 ? [stillDelivering(stack.name, left)] : []),
        ...(organization ? [organization] : []),
      ];
      if (inUse.length > 0) return this.refused(step, ExitCode.Deployment, inUse);
    }
    const isAudit = stack.kind === StackKind.Audit;
    if (isAudit && action === Action.Up && !this.options.isAsked) {
      const kept = await this.narrowing();
      if (kept.length > 0) return this.refused(step, ExitCode.CheckFailed, kept);
    }
    const entry = this.stacks.get(stack.name);
    const state = { exists: entry !== undefined, resources: entry?.resources ?? 0, lastUpdate: entry?.lastUpdate };
    if (action === Action.Status && !holds(entry)) {
      const finding: Finding = {
        id: "stack/not-deployed",
        severity: "error",
        subject: stack.name,
        message: "The stack is declared but not deployed.",
        // The same for each, so that a fleet that is not deployed is told once.
        remedy: "Run crosstrail up, or crosstrail up --only <stack...> for selected stacks.",
      };
      return { ...this.refused(step, ExitCode.CheckFailed, [finding]), state };
    }
    let creating: Promise<unknown> | undefined;
    let auditIsOver = false;
    const run = (given: Job) =>
      this.pool.run(given, (event) => {
        // It is created by now, so that the others take its salt; and until it is up, most of the machine waits for AWS.
        if (stack.kind === StackKind.Audit && action === Action.Up && event.type === "resource") {
          creating ??= this.createStacks(this.parallel - 1, () => auditIsOver);
        }
        onEvent?.(event);
      });
    let { result, reading } = await run(job);
    if (unchanged && reading && isAudit && this.differs(reading)) {
      const why = "its policies or its keys in AWS are not as they are configured";
      onEvent?.({ type: "warning", stack: stack.name, message: `${why}; comparing them with AWS` });
      ({ result, reading } = await run({ ...job, unchanged: false, because: why, refresh: true }));
    }
    auditIsOver = true;
    await creating;
    if (result.attempts > 0) {
      if (because !== undefined) result.because ??= because;
      // Whatever it has published now, members find.
      if (isAudit && action === Action.Up) this.contractNow = reading?.contract;
    } else if (unchanged && result.status === Status.Succeeded) result.notRun = notRun;
    if (job.archive) this.deliveries.took(reading, result);
    if (action === Action.Status && reading) this.deliveries.judgeArchive(result, reading);
    const isRead = action === Action.Status || this.steps.some((each) => each.stack.kind === StackKind.Audit);
    if (action === Action.Status || action === Action.Up) await this.deliveries.judge(result, job.trail, isRead);
    if (action === Action.Status) result.state = state;
    if (action === Action.Destroy && result.status === Status.Succeeded) this.destroyed.add(stack.name);
    // Also when it failed: what it changed before is new to AWS.
    if (stack.kind === StackKind.Audit && action === Action.Up && result.resources.length > 0) this.auditChanged = true;
    return result;
  }

  /** Whether the archive in AWS is another one than the configuration makes. */
  private differs(reading: ArchiveReading): boolean {
    const { audit } = this.project;
    try {
      return archiveFindings(reading, audit, this.fleet.audit.name).length > 0;
    } catch (error) {
      // The policies do not fit: the program says it.
      if (error instanceof UserError) return true;
      throw error;
    }
  }

  private sinceText(stack: string): string {
    const since = this.unchanged?.since(stack);
    return since === undefined ? "" : ` (${since})`;
  }

  /** Why the audit stack must not take away what it would; asked when everything before it is done. */
  async narrowing(): Promise<Finding[]> {
    try {
      return await this.deliveries.refuseNarrowing(this.destroyed, (this.options.removeMembers ?? 0) > 0);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return error.findings;
    }
  }

  /** Creates the stacks of members that have none yet, so many at the same time; what fails here is told by their own turn. */
  private async createStacks(workers: number, isOver: () => boolean): Promise<void> {
    const { signal, endNow } = this.options;
    const missing = this.steps.filter(
      ({ stack, action }) => action === Action.Up && stack.kind !== StackKind.Audit && !this.stacks.has(stack.name),
    );
    const next = async (): Promise<void> => {
      for (let step = missing.shift(); step && !isOver(); step = missing.shift()) {
        if (signal?.aborted || endNow?.aborted) return;
        try {
          const { result } = await this.pool.run({ ...this.job(step), createOnly: true }, () => {});
          if (result.status === Status.Succeeded) this.created.add(step.stack.name);
        } catch {
          // A mistake in its configuration.
        }
      }
    };
    await Promise.all(Array.from({ length: workers }, next));
  }

  /** The stacks that may still have a trail. */
  private delivering(): string[] {
    const { management, members, removed } = this.fleet;
    return [...removed, ...members, ...(management ? [management] : [])]
      .map(({ name }) => name)
      .filter((name) => holds(this.stacks.get(name)) && !this.destroyed.has(name));
  }

  /**
   * Whether the organization trail's stack is one of the fleet's, deployed or destroyed: what it holds is known then.
   */
  private knowsManagementStack(): boolean {
    const { management, removed } = this.fleet;
    return removed.some(({ kind }) => kind === StackKind.Management) || this.stacks.has(management?.name ?? "");
  }

  private refused(step: Step, exitCode: ExitCode, findings: Finding[]): StackResult {
    return resultOf(step, { status: Status.Failed, exitCode, findings });
  }

  /** @throws UserError when the stack's configuration has mistakes. */
  private job(step: Step): Job {
    const { options, project } = this;
    const { stack, action } = step;
    const isAudit = stack.kind === StackKind.Audit;
    const isNew = this.created.has(stack.name);
    const exists = isNew || this.stacks.has(stack.name);
    const source = this.source(step, exists);
    const own = this.trailOf(stack);
    const compares = action === Action.Preview && exists && options.refresh === true && !step.destroys;
    const reads = action === Action.Up || action === Action.Status || compares;
    const recorded = isDeployment(step)
      ? this.unchanged?.recorded(step, source, this.contractNow, this.pulumiVersion)
      : undefined;
    const because = this.whyRun(step, source, recorded);
    const inCopy = action === Action.Preview && !exists;
    return {
      step,
      pulumiVersion: this.pulumiVersion,
      workDir: source.workDir,
      exists,
      isNew,
      config: source.config,
      stackFile: source.file,
      secretsProvider: inCopy ? undefined : options.secretsProvider,
      ...(inCopy && {
        env: { PULUMI_BACKEND_URL: `file://${project.temporary}/state`, PULUMI_CONFIG_PASSPHRASE: "preview" },
      }),
      trail: reads && own ? expectedTrail(project.audit, own, source.settings) : undefined,
      ...(isAudit &&
        reads &&
        !compares && {
          archive: {
            contract: this.contract,
            ...(action === Action.Status && { beside: besidePlacesOf(project.audit) }),
          },
        }),
      retrySeconds: isAudit || this.auditChanged ? 120 : 30,
      ...this.limits,
      excludeProtected: isAudit,
      deleteArchive: options.deleteArchive,
      refresh: options.refresh === true && !inCopy,
      recorded,
      because,
      unchanged: because === undefined && isDeployment(step),
    };
  }

  /** Why the engine runs; undefined where it need not. Also for what always runs. */
  private whyRun(step: Step, source: StackSource, recorded: Recorded | undefined): string | undefined {
    const { unchanged, backendUrl } = this;
    if (!isDeployment(step) || !unchanged) return undefined;
    if (backendUrl === undefined) return "every stack runs";
    return unchanged.whyRun(step, source, recorded);
  }

  private trailOf({ kind, accountId }: FleetStack): TrailIdentity | undefined {
    const { fleet, organization } = this.project.audit;
    if (kind === StackKind.Management) return organization?.trail;
    return fleet.find(({ trail }) => trail.accountId === accountId)?.trail;
  }

  private source(step: Step, exists: boolean): StackSource {
    const { project, contract } = this;
    const { stack, action } = step;
    if (stack.kind === StackKind.Audit) {
      const source = project.own(stack.name);
      return action === Action.Preview && !exists ? project.copy(source, stack.name) : source;
    }
    const source = project.trailStack(stack, contract);
    if (action !== Action.Preview || step.destroys) return source;
    const coming = (this.coming ??= comingContract(project.audit, contract));
    const part = (of: Contract) =>
      canonical({
        ...memberContract(of, stack.accountId),
        ...(stack.kind === StackKind.Management && { guardrails: of.guardrails }),
      });
    if (exists && stack.authorised && contract && part(contract) === part(coming)) return source;
    return project.withContract(source, stack.name, coming, exists);
  }
}

/** Refuses to destroy what was not meant, or to promise what will not happen, before the first trail is gone. */
async function checkRemoval(
  project: Project,
  env: NodeJS.ProcessEnv,
  { deleteArchive, signal }: AllOptions,
  steps: Step[],
  stacks: Map<string, StackEntry>,
): Promise<void> {
  const refuse = (finding: Finding) => {
    throw new UserError("Nothing was destroyed.", [finding]);
  };
  const { auditStack, audit } = project;
  const backend = new Backend(project.folder, env, signal);
  const management = steps.find(({ stack }) => stack.kind === StackKind.Management)?.stack.name;
  if (management !== undefined && holds(stacks.get(management))) {
    const attached = guardrailRemovalFinding(management, await backend.resources(management));
    if (attached) refuse(attached);
  }
  if (!steps.some(({ stack }) => stack.kind === StackKind.Audit)) {
    if (deleteArchive === undefined || steps.length === 0) return;
    refuse({
      id: "archive/other-bucket",
      severity: "error",
      subject: `--delete-archive ${deleteArchive}`,
      message: "The archive belongs to the audit stack, which is not among the stacks to destroy.",
      remedy: `Leave the option out, or add ${auditStack} to --only.`,
    });
  }
  const deployed = holds(stacks.get(auditStack))
    ? await backend.resources(auditStack)
    : [{ type: "aws:s3/bucket:Bucket", id: audit.bucketName, protect: audit.keepArchive }];
  const finding = archiveRemovalFinding(auditStack, deployed, deleteArchive);
  if (finding) refuse(finding);
}

/** What the backend knows of a fleet. */
export interface KnownFleet {
  pulumiVersion: string;
  stacks: Map<string, StackEntry>;
  /** What the audit stack has published; undefined before its first deployment. */
  contract: Contract | undefined;
  /** The names of the stacks that hold resources. */
  withResources: Set<string>;
  fleet: Fleet;
}

/** Which stacks the fleet has: the one answer that every verb works with. */
export async function lookUp(
  project: Project,
  env: NodeJS.ProcessEnv,
  { signal, isMigrating }: Pick<AllOptions, "signal" | "isMigrating">,
): Promise<KnownFleet> {
  const { auditStack, audit } = project;
  const backend = new Backend(project.folder, env, signal);
  const [pulumiVersion, stacks] = await Promise.all([backend.version(), backend.stacks()]);
  const contract = holds(stacks.get(auditStack)) ? await backend.contract(auditStack) : undefined;
  const withResources = new Set([...stacks.values()].filter(holds).map(({ name }) => name));
  const problems = fleetFindings(audit, auditStack, contract, withResources, isMigrating);
  if (problems.length > 0) throw new UserError("The fleet cannot run. Nothing was changed.", problems);
  const accountId = project.managementStackAccount(contract);
  const names = project.stackNames(withResources);
  const fleet = fleetOf(audit, auditStack, contract, withResources, accountId, names);
  return { pulumiVersion, stacks, contract, withResources, fleet };
}

/**
 * What keeps the audit stack from being brought up with these changes of its configuration: trails that still need what would be
 * taken away. Nothing is written for that.
 */
export async function narrowingFindings(
  options: FleetOptions & { pool: Pool },
  change: Record<string, unknown>,
): Promise<Finding[]> {
  const { env = process.env, pool } = options;
  const project = new Project(resolve(options.projectFolder ?? "."), options.auditStack ?? "audit", env, change);
  const parallel = options.parallel ?? defaultParallel();
  const listeners = listen([[options.signal, () => pool.stop(2_000)]]);
  try {
    const run = await Run.open(Action.Up, { ...options, isMigrating: true }, project, pool, env, parallel);
    return await run.narrowing();
  } finally {
    listeners();
    project.close();
  }
}

/** What the audit stack will publish; only a new key is not known yet. */
function comingContract(audit: AuditSettings, deployed: Contract | undefined): Contract {
  const generations = deployed ? 1 + (deployed.previousKeyArns?.length ?? 0) : 0;
  const keyArn =
    deployed && audit.keyGeneration <= generations
      ? deployed.keyArn
      : futureKeyArn(audit.partition, audit.region, audit.auditAccountId);
  return { ...declaredContract(audit), keyArn };
}

/** Where to look for what guards the archive besides; nowhere when its policies do not fit into AWS's limits, which is said elsewhere. */
function besidePlacesOf(audit: AuditSettings): BesidePlaces | undefined {
  try {
    return besidePlaces(audit);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

function planOf(action: Action, fleet: Fleet): Step[] {
  if (action === Action.Up) return planUp(fleet);
  if (action === Action.Preview) return planPreview(fleet);
  return action === Action.Destroy ? planDestroy(fleet) : planStatus(fleet);
}

function select(steps: Step[], action: Action, options: AllOptions, folder: string): Step[] {
  const all = new Set(steps.map(({ stack }) => stack.name));
  let wanted = options.only;
  if (options.failed) {
    wanted = new LastRun(folder, action).failed()?.filter((name) => all.has(name));
    if (wanted === undefined) {
      throw new ExitError(
        ExitCode.Usage,
        `No previous run of crosstrail ${action} was recorded here.\n → Remove --failed.`,
      );
    }
  }
  if (options.shard) {
    const part = new Set(shardStacks(steps, options.shard));
    wanted = wanted?.filter((name) => part.has(name) || !all.has(name)) ?? [...part];
  }
  if (wanted === undefined) return steps;
  const unknown = wanted.filter((name) => !all.has(name));
  if (unknown.length > 0) {
    throw new ExitError(
      ExitCode.StackNotFound,
      "The fleet has no stack of this name.",
      unknown.map((name) => ({
        id: "fleet/unknown-stack",
        severity: "error",
        subject: name,
        message: `The stacks are ${[...all].slice(0, 20).join(", ")}${all.size > 20 ? " and so on" : ""}.`,
        remedy: "Use the alias of a declared member, or the audit stack's name.",
      })),
    );
  }
  return only(steps, new Set(wanted));
}

function stillDelivering(stack: string, left: string[]): Finding {
  const names = `${left.slice(0, 10).join(", ")}${left.length > 10 ? ` and ${left.length - 10} more` : ""}`;
  return {
    id: "archive/in-use",
    severity: "error",
    subject: stack,
    message: `These trails still deliver to the archive: ${names}.`,
    remedy: "Run crosstrail destroy without --only to destroy them first.",
  };
}

function expectedTrail(audit: AuditSettings, trail: TrailIdentity, settings: Settings): ExpectedTrail {
  return {
    trailArn: trailArn(trail),
    options: settings.trailOptions,
    ...archiveBuckets(declaredContract(audit)),
    isOrganizationTrail: settings.role === "management" && settings.isOrganizationTrail,
    leftAsIs: settings.imported?.leaveAsIs ?? [],
  };
}

/** Brings a stack up, or shows what that would do. */
function isDeployment({ action, destroys }: Step): boolean {
  return action === Action.Up || (action === Action.Preview && destroys !== true);
}

/** A stack that was destroyed is still listed, without resources. Backends that do not count may hold some. */
function holds(entry: StackEntry | undefined): boolean {
  return entry !== undefined && entry.lastUpdate !== undefined && entry.resources !== 0;
}

function listen(pairs: [AbortSignal | undefined, () => void][]): () => void {
  for (const [signal, listener] of pairs) {
    if (signal?.aborted) listener();
    else signal?.addEventListener("abort", listener, { once: true });
  }
  return () => {
    for (const [signal, listener] of pairs) signal?.removeEventListener("abort", listener);
  };
}
