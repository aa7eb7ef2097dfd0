/** A run over the fleet: what there is, what is to be done, and doing it with workers. */
import { availableParallelism, freemem } from "node:os";
import { resolve } from "node:path";
import type { Contract } from "../../core/contract";
import { UserError } from "../../core/findings";
import type { Finding } from "../../core/findings";
import type { Fleet, FleetStack, Step } from "../../core/fleet";
import {
  Action,
  archiveRemovalFinding,
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
import type { ExpectedTrail, FleetEvent, FleetResult, Job, StackResult } from "./types";
import { Status } from "./types";

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

export interface UpOptions extends FleetOptions {
  /** Compare each stack with AWS before. Default: false. */
  refresh?: boolean;
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
    // They load while the backend is asked.
    pool.warmUp(Math.min(parallel, options.only?.length ?? project.audit.members.length + 1));
    const run = await Run.open(action, options, project, pool, env, parallel);
    const { steps } = run;
    if (steps.length === 0) return summary(action, [], run.findings, began);
    options.onEvent?.({ type: "planned", steps, parallel });
    if (options.confirm && !(await options.confirm({ action, steps, parallel, changes: run.changes() }))) {
      throw new ExitError(ExitCode.Cancelled, "Cancelled. Nothing was changed.");
    }
    const record = action === Action.Status ? undefined : new LastRun(folder, action);
    record?.begin(steps);
    pool.warmUp(Math.min(parallel, steps.length));
    const results = await execute(steps, (step) => run.step(step), {
      parallel,
      signal: stopping.signal,
      onFinished: (result) => {
        record?.finished(result);
        options.onEvent?.({ type: "finished", result });
      },
    });
    if (!stopping.signal.aborted) run.findings.push(...(await run.cutOff(results)));
    return summary(action, results, run.findings, began);
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

function summary(action: Action, stacks: StackResult[], findings: Finding[], began: number): FleetResult {
  const has = (status: Status) => stacks.some((stack) => stack.status === status);
  return {
    action,
    status: has(Status.Cancelled)
      ? Status.Cancelled
      : has(Status.Failed) || has(Status.Skipped) || findings.some(({ severity }) => severity === "error")
        ? Status.Failed
        : Status.Succeeded,
    stacks,
    findings,
    seconds: (Date.now() - began) / 1000,
  };
}

class Run {
  private auditChanged = false;
  private readonly deliveries: Deliveries;
  private readonly destroyed = new Set<string>();
  private readonly created = new Set<string>();

  private constructor(
    private readonly options: AllOptions,
    private readonly project: Project,
    private readonly pool: Pool,
    private readonly pulumiVersion: string,
    private readonly stacks: Map<string, StackEntry>,
    private readonly contract: Contract | undefined,
    readonly steps: Step[],
    private readonly fleet: Fleet,
    private readonly parallel: number,
    readonly findings: Finding[],
  ) {
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
    const known = await lookUp(project, env, options);
    const { pulumiVersion, stacks, contract, withResources, fleet } = known;
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
    return new Run(options, project, pool, pulumiVersion, stacks, contract, steps, fleet, parallel, findings);
  }

  changes(): string[] {
    const { fleet, contract, project, steps } = this;
    const chosen = new Set(steps.map(({ stack }) => stack.name));
    const deployed = new Set([...this.stacks.values()].filter(holds).map(({ name }) => name));
    return plannedChanges(project.audit, fleet, contract, deployed, chosen);
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
    onEvent?.({ type: "started", stack: stack.name, action, destroys, accountId: stack.accountId });
    let job: Job;
    try {
      job = this.job(step);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return this.refused(step, ExitCode.Usage, error.findings);
    }
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
    const { result, reading } = await this.pool.run(job, (event) => {
      // It is created by now, so that the others take its salt; and until it is up, most of the machine waits for AWS.
      if (stack.kind === StackKind.Audit && action === Action.Up && event.type === "resource") {
        creating ??= this.createStacks(this.parallel - 1, () => auditIsOver);
      }
      onEvent?.(event);
    });
    auditIsOver = true;
    await creating;
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
    const reads = action === Action.Up || action === Action.Status;
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
      ...(isAudit && reads && { archive: { contract: this.contract } }),
      retrySeconds: isAudit || this.auditChanged ? 120 : 30,
      ...this.limits,
      excludeProtected: isAudit,
      deleteArchive: options.deleteArchive,
      refresh: options.refresh,
    };
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
    const { audit } = project;
    const isAsDeployed = contract?.bucketName === audit.bucketName && contract.logPrefix === audit.logPrefix;
    if (action !== Action.Preview || step.destroys || (exists && stack.authorised && isAsDeployed)) return source;
    // The audit stack as it will be; only its key may not be known yet.
    const keyArn = contract?.keyArn ?? futureKeyArn(audit.partition, audit.region, audit.auditAccountId);
    return project.withContract(source, stack.name, { ...declaredContract(audit), keyArn }, exists);
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
    ? await new Backend(project.folder, env, signal).resources(auditStack)
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
