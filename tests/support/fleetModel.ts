/**
 * A small model of AWS and of Pulumi's backend, on which the fleet's own plan, order and questions run: every trail has the
 * bucket, prefix and key that were last written, the archive has the policies that were last written, and CloudTrail refuses a
 * trail that the policies refuse at that moment.
 */
import { Deliveries } from "../../automation/fleet/deliveries";
import { execute } from "../../automation/fleet/execute";
import type { Pool } from "../../automation/fleet/pool";
import type { Project } from "../../automation/fleet/project";
import { resultOf } from "../../automation/fleet/result";
import type { Job, StackResult } from "../../automation/fleet/types";
import { Status } from "../../automation/fleet/types";
import { archiveInput } from "../../core/archivePolicies";
import type { Contract } from "../../core/contract";
import type { Finding } from "../../core/findings";
import { UserError } from "../../core/findings";
import type { Fleet, FleetStack } from "../../core/fleet";
import {
  Action,
  declaredContract,
  fleetFindings,
  fitsRole,
  fleetOf,
  only,
  planUp,
  removalFinding,
  removalOf,
  StackKind,
} from "../../core/fleet";
import type { ConfiguredStack, Migration, MigrationWish } from "../../core/migration";
import { planMigration } from "../../core/migration";
import { bucketPolicy } from "../../core/policies/bucket";
import { keyPolicy } from "../../core/policies/key";
import type { AuditSettings } from "../../core/settings";
import { parseSettings } from "../../core/settings";
import type { ArchiveAsIs, TrailAsIs } from "../../core/simulate";
import { Arrival, arrivalOf, compiledArchive } from "../../core/simulate";

export const auditAccountId = "111111111111";
export const bucketName = "example-logs";
const keyOf = (generation: number) =>
  `arn:aws:kms:us-east-1:${auditAccountId}:key/${String(generation).padStart(8, "0")}-12ab-34cd-56ef-1234567890ab`;

/** How a stack's turn fails: before it does anything, or, for the audit stack, after it has written the policies. */
export type Failure = "before" | "afterPolicies";

export interface Outcome {
  /** 0, or anything else. */
  ok: boolean;
  /** Everything that was said: by stacks and by the run. */
  findings: Finding[];
  results: StackResult[];
}

export interface UpWishes {
  only?: string[];
  fails?: Record<string, Failure>;
  removeMembers?: number;
  isAsked?: boolean;
  isMigrating?: boolean;
}

export type Config = Record<string, unknown>;

export class FleetModel {
  contract?: Contract;
  archive: ArchiveAsIs = { bucketName, auditAccountId, bucket: undefined, keys: {}, bucketKey: false };
  readonly trails = new Map<string, TrailAsIs>();
  /** By the stack's name, the trail that it holds. The audit stack holds its own, or "" for none. */
  readonly stacks = new Map<string, string>();
  /** By the stack's name, its own file. */
  readonly files = new Map<string, Config>();
  /** Accounts that nobody can access at the moment. Their trails go on. */
  readonly locked = new Set<string>();

  constructor(public config: Config) {}

  /** Closes an account: its trail is gone, and nobody can ask. */
  close(accountId: string): void {
    this.locked.add(accountId);
    for (const arn of this.trails.keys()) if (arn.split(":")[4] === accountId) this.trails.delete(arn);
  }

  settings(config = this.config): AuditSettings {
    return parseSettings(
      "audit",
      Object.fromEntries(
        Object.entries({ role: "audit", auditAccountId, bucketName, ...config }).map(([name, value]) => [
          name,
          typeof value === "string" ? value : JSON.stringify(value),
        ]),
      ),
      "us-east-1",
    ) as AuditSettings;
  }

  fleet(settings = this.settings()): Fleet {
    const names = new Map<string, string>();
    for (const [name, file] of this.files) {
      if (this.stacks.has(name) && file.role === "member") names.set(String(file.accountId), name);
    }
    return fleetOf(settings, "audit", this.contract, new Set(this.stacks.keys()), undefined, names);
  }

  /** The trails whose logs are being lost now. */
  lost(): string[] {
    const { contract } = this;
    if (!contract) return [];
    const { archive } = this;
    return [...this.trails.values()]
      .filter((trail) => trail.isLogging && arrivalOf(trail, contract, archive).arrival !== Arrival.Delivers)
      .map(({ trailArn }) => trailArn);
  }

  async up(wishes: UpWishes = {}): Promise<Outcome> {
    let settings: AuditSettings;
    let fleet: Fleet;
    const refused = (findings: Finding[]): Outcome => ({ ok: false, findings, results: [] });
    try {
      settings = this.settings();
      const problems = fleetFindings(
        settings,
        "audit",
        this.contract,
        new Set(this.stacks.keys()),
        wishes.isMigrating === true,
      );
      if (problems.length > 0) return refused(problems);
      fleet = this.fleet(settings);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return refused(error.findings);
    }
    const steps = wishes.only ? only(planUp(fleet), new Set(wishes.only)) : planUp(fleet);
    const removal = removalFinding(removalOf(settings, fleet, this.contract, new Set()), wishes.removeMembers);
    if (removal && steps.some(({ stack }) => stack.kind === StackKind.Audit || stack.removed))
      return refused([removal]);
    const deliveries = this.deliveries(settings, fleet);
    const destroyed = new Set<string>();
    let auditChanged = false;
    const results = await execute(
      steps,
      async (step) => {
        const failure = wishes.fails?.[step.stack.name];
        const fail = (findings: Finding[]) => resultOf(step, { status: Status.Failed, exitCode: 4, findings });
        if (step.stack.kind === StackKind.Audit) {
          if (!wishes.isAsked) {
            const kept = await this.kept(deliveries, destroyed, (wishes.removeMembers ?? 0) > 0);
            if (kept.length > 0) return fail(kept);
          }
          if (failure === "before") return fail([]);
          auditChanged = true;
          try {
            return this.deployAudit(settings, failure) ? resultOf(step) : fail([]);
          } catch (error) {
            // A policy of the form that is wanted cannot be made: the program fails with it, before anything changes.
            if (!(error instanceof UserError)) throw error;
            return fail(error.findings);
          }
        }
        if (failure || this.locked.has(step.stack.accountId)) return fail([]);
        if (step.action === Action.Destroy) {
          this.destroy(step.stack);
          destroyed.add(step.stack.name);
          return resultOf(step);
        }
        return this.deployTrail(step.stack, settings) ? resultOf(step) : fail([]);
      },
      { parallel: 4 },
    );
    const failed = new Map(results.map(({ stack, status }) => [stack, status !== Status.Succeeded]));
    const cutOff = await deliveries.cutOff((stack) => failed.get(stack) ?? auditChanged);
    const findings = [...results.flatMap((result) => result.findings), ...cutOff];
    const ok =
      results.every(({ status }) => status === Status.Succeeded) &&
      cutOff.every(({ severity }) => severity !== "error");
    return { ok, findings, results };
  }

  /** Plans a migration as the command does. @throws UserError */
  plan(wish: MigrationWish): Migration {
    const settings = this.settings();
    const { management, members, removed } = this.fleet(settings);
    const trails = [...(management ? [management] : []), ...members, ...removed].map((stack): ConfiguredStack => ({
      name: stack.name,
      config: this.configOf(stack, settings),
      hasFile: this.files.has(stack.name),
      isDeployed: this.stacks.has(stack.name),
      isRemoved: stack.removed === true,
    }));
    return planMigration(wish, { name: "audit", config: { role: "audit", ...this.config } }, trails);
  }

  /**
   * One step of a migration: AWS is asked before a narrowing is written, the file is written, the stack brought up.
   * @param isWritten the step was begun before, and its configuration is written.
   */
  async step(
    { stack, set }: Migration["steps"][number],
    isWritten: boolean,
    failure?: Failure,
  ): Promise<Outcome & { isWritten: boolean }> {
    let isAsked = false;
    if (Object.keys(set).length > 0 && !isWritten) {
      if (stack === "audit") {
        const config = changed(this.config, set);
        const settings = this.settings(config);
        const deliveries = this.deliveries(settings, this.fleet(settings));
        const kept = await this.kept(deliveries, new Set(), false);
        if (kept.length > 0) return { ok: false, findings: kept, results: [], isWritten: false };
        isAsked = true;
        this.config = config;
      } else {
        const { management, members } = this.fleet();
        const found = [...(management ? [management] : []), ...members].find(({ name }) => name === stack);
        const before = this.files.get(stack) ?? (found ? this.configOf(found, this.settings()) : {});
        this.files.set(stack, changed(before, set));
      }
    }
    const fails = failure && { [stack]: failure };
    return { ...(await this.up({ only: [stack], isAsked, isMigrating: true, fails })), isWritten: true };
  }

  private async kept(deliveries: Deliveries, destroyed: ReadonlySet<string>, isMeant: boolean): Promise<Finding[]> {
    try {
      return await deliveries.refuseNarrowing(destroyed, isMeant);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return error.findings;
    }
  }

  /** The class that the command works with, with this model in place of AWS. */
  private deliveries(settings: AuditSettings, fleet: Fleet): Deliveries {
    const project = {
      audit: settings,
      own: () => ({ workDir: "", config: {} }),
      trailStack: () => ({ workDir: "", config: {}, settings: { trailOptions: {} } }),
    } as unknown as Project;
    const pool = { run: (job: Job) => Promise.resolve(this.answer(job)) } as unknown as Pool;
    return new Deliveries(project, pool, fleet, this.contract, 4, { pulumiVersion: "3", retrySeconds: 0 } as Job);
  }

  private answer({ step, archive, trail }: Job) {
    const { contract } = this;
    if (archive && contract) return { result: resultOf(step), reading: { contract, archive: this.archive } };
    const denied: Finding = {
      id: "aws/role",
      severity: "error",
      subject: step.stack.name,
      message: "The role could not be assumed.",
    } as unknown as Finding;
    if (archive || !trail || this.locked.has(step.stack.accountId)) {
      return { result: resultOf(step, { status: Status.Failed, exitCode: 3, findings: [denied] }) };
    }
    const delivery = this.trails.get(trail.trailArn);
    const { trailArn } = trail;
    const report = {
      trailArn,
      exists: delivery !== undefined,
      isLogging: delivery?.isLogging === true,
      findings: [],
      activity: [],
    };
    return { result: resultOf(step, { trail: { ...report, delivery } }) };
  }

  /** @returns false: it failed on the way. */
  private deployAudit(settings: AuditSettings, failure: Failure | undefined): boolean {
    const { keyGeneration: newest, previousKeyInUse } = settings;
    // A protected key is never deleted, so Pulumi refuses the update.
    if (newest < 1 + (this.contract?.previousKeyArns?.length ?? 0)) return false;
    const [keyArn = "", ...previousKeyArns] = Array.from({ length: newest }, (_, index) => keyOf(newest - index));
    const input = { ...archiveInput(settings), keyArn, previousKeyArns };
    this.archive = compiledArchive({
      bucketName,
      auditAccountId,
      bucket: bucketPolicy(input, settings.bucketPolicyForm).document,
      keys: Object.fromEntries(
        [keyArn, ...previousKeyArns].map((arn, index) => {
          const mayEncrypt = index === 0 || (index === 1 && previousKeyInUse);
          return [arn, keyPolicy({ ...input, mayEncrypt }, settings.keyPolicyForm).document];
        }),
      ),
      bucketKey: settings.bucketKeyEnabled,
    });
    if (failure) return false;
    this.contract = {
      ...declaredContract(settings),
      keyArn,
      ...(newest > 1 && { previousKeyArns, previousKeyInUse }),
    };
    const own = this.contract.trails.find(({ accountId }) => accountId === auditAccountId)?.trailArn;
    if (own !== undefined && !this.write(own, false, settings.trailOptions.enableLogging)) return false;
    const before = this.stacks.get("audit");
    if (before !== undefined && before !== own) this.trails.delete(before);
    this.stacks.set("audit", own ?? "");
    return true;
  }

  /** A member's or the organization trail's stack: it does what the deployed contract says. */
  private deployTrail(stack: FleetStack, settings: AuditSettings): boolean {
    const { contract } = this;
    const config = this.configOf(stack, settings);
    // The program refuses a file of another kind than the fleet declares.
    if (!contract || (this.files.has(stack.name) && !fitsRole(stack, String(config.role), settings))) return false;
    const authorised =
      config.role === StackKind.Management
        ? contract.organization
        : contract.trails.find(({ accountId }) => accountId === stack.accountId);
    const arn = authorised?.trailArn;
    if (arn === undefined) return false;
    const isOrganizationTrail = config.role === "management" && config.isOrganizationTrail !== false;
    if (!this.write(arn, isOrganizationTrail, config.enableLogging !== false)) return false;
    const before = this.stacks.get(stack.name);
    if (before !== undefined && before !== arn) this.trails.delete(before);
    this.stacks.set(stack.name, arn);
    return true;
  }

  /** CreateTrail and UpdateTrail refuse what bucket or key refuse at that moment. */
  private write(trailArn: string, isOrganizationTrail: boolean, isLogging: boolean): boolean {
    const contract = this.contract as Contract;
    const { logPrefix, keyArn } = contract;
    const trail = { trailArn, bucketName, logPrefix, keyArn, isLogging, isOrganizationTrail };
    if (arrivalOf(trail, contract, this.archive).arrival !== Arrival.Delivers) return false;
    this.trails.set(trailArn, trail);
    return true;
  }

  private destroy({ name }: FleetStack): void {
    this.trails.delete(this.stacks.get(name) ?? "");
    this.stacks.delete(name);
  }

  /** As `migrate` sees it: its own file, or what follows from the audit stack. */
  private configOf({ name, kind, accountId }: FleetStack, settings: AuditSettings): Config {
    const defaults = kind === StackKind.Member ? settings.memberDefaults : {};
    return this.files.get(name) ?? { ...defaults, role: kind, accountId };
  }
}

export function changed(config: Config, set: Config): Config {
  return Object.fromEntries(Object.entries({ ...config, ...set }).filter(([, value]) => value !== null));
}
