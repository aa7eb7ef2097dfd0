/**
 * Whether logs arrive: trails as AWS has them, put to the archive's policies as AWS has them. Asked before the audit stack takes
 * something away, when a trail is read back, and in the end of those that a run did not reach.
 */
import type { Contract } from "../../core/contract";
import type { Finding } from "../../core/findings";
import { UserError } from "../../core/findings";
import type { Answer, Fleet, FleetStack, TakenAway } from "../../core/fleet";
import { Action, archiveFindings, narrowingFinding, StackKind, takenAway } from "../../core/fleet";
import { LeaveAsIs } from "../../core/leftAsIs";
import { parseTrailArn } from "../../core/names";
import type { ArchiveAsIs } from "../../core/simulate";
import { Arrival, arrivalOf, compiledArchive, deliveryFindings, reasonText } from "../../core/simulate";
import { ExitCode } from "../output";
import type { Pool } from "./pool";
import type { Project } from "./project";
import type { ArchiveReading, ExpectedTrail, Job, StackResult } from "./types";
import { Status } from "./types";

/** What was learned of the archive; without a reading, why not. */
type Archive = { contract: Contract; archive: ArchiveAsIs } | { exitCode: number; findings: Finding[] };

export class Deliveries {
  private archive?: Promise<Archive>;
  private resolve?: (archive: Archive) => void;
  /** The trails that were put to the policies in this run. */
  private readonly judged = new Set<string>();

  constructor(
    private readonly project: Project,
    private readonly pool: Pool,
    private readonly fleet: Fleet,
    private readonly contract: Contract | undefined,
    private readonly parallel: number,
    private readonly base: Pick<Job, "pulumiVersion" | "retrySeconds" | "timeoutMs" | "graceMs">,
  ) {}

  /** The audit stack's own turn will read the archive, beside those of the others, who wait for it. */
  awaitAudit(): void {
    this.archive = new Promise((resolve) => (this.resolve = resolve));
  }

  /** The audit stack's own turn has read the archive, or could not. */
  took(reading: ArchiveReading | undefined, { exitCode, findings }: Pick<StackResult, "exitCode" | "findings">): void {
    const archive = reading ? { ...reading, archive: compiledArchive(reading.archive) } : { exitCode, findings };
    if (this.resolve) this.resolve(archive);
    else this.archive = Promise.resolve(archive);
  }

  /** Adds to the audit stack's result what is wrong with its keys and policies. */
  judgeArchive(result: StackResult, reading: ArchiveReading): void {
    let findings;
    try {
      findings = archiveFindings(reading, this.project.audit, result.stack);
    } catch (error) {
      // The configured policies do not fit into AWS's limits, so there is nothing to compare with.
      if (!(error instanceof UserError)) throw error;
      ({ findings } = error);
    }
    if (findings.length > 0) this.fail(result, ExitCode.CheckFailed, findings);
  }

  /** Asks the audit account, once. */
  private read(): Promise<Archive> {
    return (this.archive ??= this.readNow());
  }

  private async readNow(): Promise<Archive> {
    const { audit: stack } = this.fleet;
    const { workDir, config } = this.project.own(stack.name);
    const { result, reading } = await this.pool.run(
      { ...this.jobOf(stack, workDir, config), archive: { contract: this.contract } },
      () => {},
    );
    return reading ? { ...reading, archive: compiledArchive(reading.archive) } : result;
  }

  private jobOf(stack: FleetStack, workDir: string, config: Record<string, unknown>): Job {
    const step = { stack, action: Action.Status, after: [], needs: [] };
    return { ...this.base, step, workDir, config, exists: true };
  }

  /**
   * Adds to a result what is wrong with its trail's delivery.
   * @param withPolicies false: the trail is held against the contract only.
   */
  async judge(result: StackResult, expected: ExpectedTrail | undefined, withPolicies: boolean): Promise<void> {
    const delivery = result.trail?.delivery;
    if (delivery === undefined || expected?.leftAsIs.includes(LeaveAsIs.Delivery)) return;
    const archive = withPolicies ? await this.read() : undefined;
    if (archive && "findings" in archive) {
      // It is not known whether logs arrive, and that is not "as intended". The audit stack's own result has the reason.
      if (result.kind === StackKind.Audit && result.status !== Status.Succeeded) return;
      const reason = archive.findings[0]?.message ?? "The audit stack is not deployed.";
      this.fail(result, ExitCode.CheckFailed, [notRead(this.fleet.audit.name, reason)]);
      return;
    }
    const contract = archive?.contract ?? this.contract;
    if (contract === undefined) return;
    if (archive) this.judged.add(delivery.trailArn);
    const findings = deliveryFindings(delivery, contract, archive?.archive, result.stack);
    result.trail?.findings.push(...findings);
    if (findings.length > 0) this.fail(result, ExitCode.CheckFailed, findings);
  }

  private fail(result: StackResult, exitCode: ExitCode, findings: Finding[]): void {
    if (result.status === Status.Succeeded) Object.assign(result, { status: Status.Failed, exitCode });
    result.findings.push(...findings);
  }

  /**
   * What must not be taken away: asks AWS for every trail that may need it.
   * @param destroyed the stacks that this run has destroyed.
   * @param isMeant the removal of members was allowed: those that cannot be asked are gone.
   */
  async refuseNarrowing(destroyed: ReadonlySet<string>, isMeant: boolean): Promise<Finding[]> {
    const { contract, project } = this;
    if (contract === undefined) return [];
    const taken = takenAway(contract, project.audit).filter((each) => !destroyed.has(this.stackOf(each).name));
    const findings = await this.each(taken, async (each) => {
      const answer = await this.ask(each);
      if (answer && "notAsked" in answer && each.isRemoved && isMeant) return undefined;
      return narrowingFinding(each, answer, contract, project.audit);
    });
    return findings.filter((finding) => finding !== undefined);
  }

  /** The trails that are cut off now, among those that were deployed before and that this run has not judged. */
  async cutOff(isOfInterest: (stack: string) => boolean): Promise<Finding[]> {
    const { contract } = this;
    if (contract === undefined) return [];
    const left = knownTrails(contract).filter(
      (each) => !this.judged.has(each.trailArn) && isOfInterest(this.stackOf(each).name),
    );
    if (left.length === 0) return [];
    const archive = await this.read();
    if ("findings" in archive) return [notRead(this.fleet.audit.name, archive.findings[0]?.message ?? "")];
    const findings = await this.each(left, async (each): Promise<Finding | undefined> => {
      const answer = await this.ask(each);
      if (answer === undefined) return undefined;
      const subject = `${this.stackOf(each).name} ${each.accountId}: ${each.trailArn}`;
      if ("notAsked" in answer) {
        return {
          id: "trail/not-asked",
          severity: "warning",
          subject,
          message: `Whether this trail still delivers is not known. ${answer.notAsked}`,
          remedy: "crosstrail status, once the account can be accessed.",
        };
      }
      if (!answer.isLogging) return undefined;
      const { arrival, reasons } = arrivalOf(answer, archive.contract, archive.archive);
      if (arrival !== Arrival.Refused) return undefined;
      return {
        id: "trail/cut-off",
        severity: "error",
        subject,
        message: `Its logs are being lost: the deployed policies refuse this trail. ${reasonText(reasons)}`,
        remedy: `Bring it up as soon as possible: crosstrail up --only ${this.stackOf(each).name}`,
      };
    });
    return findings.filter((finding) => finding !== undefined);
  }

  /** What AWS says of a trail, anyone who's stack it is. */
  private async ask(
    trail: Pick<TakenAway, "trailArn" | "accountId" | "alias" | "isOrganizationTrail">,
  ): Promise<Answer> {
    const stack = this.stackOf(trail);
    let source;
    try {
      source = this.project.trailStack(stack, this.contract);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return { notAsked: error.findings[0]?.message ?? error.message };
    }
    const job = this.jobOf(stack, source.workDir, source.config);
    const { trailOptions: options } = source.settings;
    const { partition = "aws" } = parseTrailArn(trail.trailArn) ?? {};
    const expected = {
      trailArn: trail.trailArn,
      options,
      partition,
      bucketArn: "",
      leftAsIs: Object.values(LeaveAsIs),
    };
    const { result } = await this.pool.run(
      { ...job, trail: { ...expected, isOrganizationTrail: trail.isOrganizationTrail } },
      () => {},
    );
    if (result.trail === undefined) return { notAsked: result.findings[0]?.message ?? "AWS did not answer." };
    return result.trail.delivery;
  }

  private stackOf({
    accountId,
    alias,
    isOrganizationTrail,
  }: Pick<TakenAway, "accountId" | "alias" | "isOrganizationTrail">): FleetStack {
    const { management, members, removed, audit } = this.fleet;
    if (accountId === audit.accountId && !isOrganizationTrail) return audit;
    const all = [...members, ...(management ? [management] : []), ...removed];
    const kind = isOrganizationTrail ? StackKind.Management : StackKind.Member;
    // The account of an organization trail's stack may be a delegated administrator's.
    return (
      all.find((stack) => stack.kind === kind && (isOrganizationTrail || stack.accountId === accountId)) ??
      all.find((stack) => stack.accountId === accountId) ?? { name: alias, kind, accountId }
    );
  }

  /** One after the other in as many rows as stacks may be worked on at the same time. */
  private async each<Item, Result>(items: Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> {
    const results: Result[] = [];
    let next = 0;
    const row = async () => {
      for (let index = next++; index < items.length; index = next++) results[index] = await work(items[index] as Item);
    };
    await Promise.all(Array.from({ length: Math.min(this.parallel, items.length) }, row));
    return results;
  }
}

/** Every trail that a contract authorizes. */
function knownTrails(
  contract: Contract,
): Pick<TakenAway, "trailArn" | "accountId" | "alias" | "isOrganizationTrail">[] {
  const { organization } = contract;
  const all = [
    ...contract.trails.flatMap(({ alias, accountId, trailArn, previousTrailArn }) =>
      [trailArn, previousTrailArn].map((arn) => ({ alias, accountId, trailArn: arn, isOrganizationTrail: false })),
    ),
    ...[organization?.trailArn, organization?.previousTrailArn].map((arn) => ({
      alias: organization?.alias ?? "organization",
      accountId: organization?.managementAccountId ?? "",
      trailArn: arn,
      isOrganizationTrail: true,
    })),
  ];
  return all.flatMap(({ trailArn, ...each }) => (trailArn === undefined ? [] : [{ ...each, trailArn }]));
}

function notRead(stack: string, reason: string): Finding {
  return {
    id: "archive/not-read",
    severity: "error",
    subject: stack,
    message: `The archive's policies could not be read, so it is not known whether trails deliver. ${reason}`,
    remedy: "Make the audit account accessible, then crosstrail status.",
  };
}
