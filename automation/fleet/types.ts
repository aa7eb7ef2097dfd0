/** What is known of the stacks of a fleet while they are worked on, and afterwards. */
import type { Finding } from "../../core/findings";
import type { Action, BesidePlaces, BesideReading, FleetStack, Step } from "../../core/fleet";
import type { Contract } from "../../core/contract";
import type { TrailOptions } from "../../core/settings";
import type { ArchiveAsIs, TrailAsIs } from "../../core/simulate";
import type { IntendedTrail } from "../../core/trailHealth";
import type { Recorded } from "./unchanged/recorded";

/** A resource that an operation changes, or would change. */
export interface ResourceChange {
  /** Pulumi's URN of the resource. */
  urn: string;
  /** Pulumi's type, such as `aws:s3/bucketPolicy:BucketPolicy`. */
  type: string;
  /** The resource's name in the program. */
  name: string;
  /** Pulumi's word for what happens: create, update, delete, replace and so on. */
  op: string;
  /** The properties that differ, where Pulumi says so. */
  diffs: string[];
  /** The inputs before; without what is secret. */
  before?: Record<string, unknown>;
  /** The inputs after. */
  after?: Record<string, unknown>;
}

/** A trail as AWS describes it, compared with what the stack is configured to make. */
export interface TrailReport {
  /** ARN of the trail, as the archive's policies name it. */
  trailArn: string;
  /** False when the account has no such trail. */
  exists: boolean;
  /** Whether the trail records at the moment. */
  isLogging: boolean;
  /** Delivery as CloudTrail reports it: the last one and the last error; undefined where there was none. */
  latestDelivery?: string;
  latestDeliveryError?: string;
  /** Where it delivers, as AWS has it; undefined when there is no such trail. */
  delivery?: TrailAsIs;
  /** Everything that is not as intended. */
  findings: Finding[];
  /**
   * Deliveries that failed, and silence. They concern the time before, so that `status` fails by them, and `up`, which may have
   * just fixed the cause, warns.
   */
  activity: Finding[];
}

/** What the audit account was asked: the contract that is deployed, and the policies that decide about deliveries. */
export interface ArchiveReading {
  contract: Contract;
  archive: ArchiveAsIs;
  /** KMS's KeyState of the archive's keys, by ARN. */
  keyStates: Record<string, string>;
  /** Key replicas, the other buckets and the queue, by what findings call them. Left out: they were not asked for. */
  beside?: Record<string, BesideReading>;
}

export const Status = { Succeeded: "succeeded", Failed: "failed", Skipped: "skipped", Cancelled: "cancelled" } as const;
export type Status = (typeof Status)[keyof typeof Status];

/** What became of one stack. */
export interface StackResult {
  /** Name of the stack. */
  stack: string;
  /** audit, member or management. */
  kind: FleetStack["kind"];
  /** The stack's account: 12 digits. */
  accountId: string;
  /** What was done: up, preview, destroy or status. In an `up`, a member that is no longer declared is destroyed. */
  action: Action;
  /** What became of it: succeeded, failed, skipped (something before it failed) or cancelled. */
  status: Status;
  /** How many resources were, or would be, created, updated and so on; Pulumi's words. `same` is left out. */
  changes: Record<string, number>;
  /** The resources behind `changes`; those that stay the same are left out. */
  resources: ResourceChange[];
  /** The stack's trail as AWS has it after `up` and for `status`; undefined where there is none to read. */
  trail?: TrailReport;
  /** Why it failed or was skipped, and what else is worth knowing. */
  findings: Finding[];
  /** Pulumi's exit codes: what the stack's failure means. */
  exitCode: number;
  /** How often the engine was started. */
  attempts: number;
  /** How long the stack took, in seconds. */
  seconds: number;
  /**
   * No engine ran for it: nothing that goes into the stack has changed since its last `up`, and neither has its state. Says so, for
   * people. `up` has read its trail back all the same.
   */
  notRun?: string;
  /** `up` and `preview`: why its engine ran. */
  because?: string;
  /** Only for `status`: how the backend describes the stack. */
  state?: { exists: boolean; resources: number; lastUpdate?: string };
}

/** What became of a run over the fleet. */
export interface FleetResult {
  /** What was asked for: up, preview, destroy or status. */
  action: Action;
  /** cancelled if any stack or the run itself was; else failed if any stack failed or was skipped; else succeeded. */
  status: Status;
  /** The part of the fleet that the run was about, such as `2/5`; undefined for all of it. */
  shard?: string;
  /** In the order of the plan. */
  stacks: StackResult[];
  /** What concerns no single stack. */
  findings: Finding[];
  /** How long the run took, in seconds. */
  seconds: number;
}

/** What happens, as it happens. */
export type FleetEvent =
  /** The run is about to begin with these stacks, in this order, at most `parallel` at the same time. */
  | { type: "planned"; steps: Pick<Step, "stack" | "action" | "destroys">[]; parallel: number }
  /** A stack's turn has come. `destroys`: its trail is removed, because the member is no longer declared. */
  | { type: "started"; stack: string; action: Action; destroys?: boolean; unchanged?: boolean; accountId: string }
  /** What the stack does at the moment, for people. */
  | { type: "progress"; stack: string; note: string }
  /** A resource is being changed (`done` false) or has been. `op` is Pulumi's word for it. */
  | { type: "resource"; stack: string; op: string; resourceType: string; name: string; done: boolean }
  /** AWS refused for a passing reason; the stack is tried again after so many seconds. */
  | { type: "retrying"; stack: string; reason: string; seconds: number }
  /** Something that the user should know; the stack continues. */
  | { type: "warning"; stack: string; message: string }
  /** The stack is done, whatever became of it. */
  | { type: "finished"; result: StackResult };

/** What a worker is asked to do. */
export interface Job {
  step: Step;
  pulumiVersion: string;
  /** The folder with Pulumi.yaml and the stack's file. */
  workDir: string;
  /** The stack already exists; otherwise it is created, or for a preview shown in a backend of its own. */
  exists: boolean;
  /** Only create the stack; its turn comes later. */
  createOnly?: boolean;
  /** This run has created it: nothing is in it, and nothing can be under way. */
  isNew?: boolean;
  /** The stack's configuration as its file has it. */
  config: Record<string, unknown>;
  /** The name of the file that its configuration is corrected in; default: the stack's own. */
  stackFile?: string;
  /** Over the environment of the worker. */
  env?: Record<string, string>;
  /** `pulumi stack init --secrets-provider` */
  secretsProvider?: string;
  /** What must be there afterwards. */
  trail?: ExpectedTrail;
  /** For the audit stack: read the archive's policies. The contract is the one deployed before, if there was one. */
  archive?: { contract?: Contract; beside?: BesidePlaces };
  /** How many seconds a trail that AWS refuses, because new policies are not known everywhere yet, is tried again. */
  retrySeconds: number;
  timeoutMs: number;
  graceMs: number;
  /** Protected resources stay, and are no error. */
  excludeProtected?: boolean;
  /** The bucket that the user has named to be removed with the archive. */
  deleteArchive?: string;
  refresh?: boolean;
  /** What is written down with the stack's update. */
  recorded?: Recorded;
  /** Why the engine runs, for people. */
  because?: string;
  /** Nothing has changed since the last `up`: the engine runs only if the trail is not as intended. */
  unchanged?: boolean;
}

export interface ExpectedTrail {
  trailArn: string;
  options: TrailOptions;
  partition: string;
  /** The archive's log bucket. */
  bucketArn: string;
  /** The archive's other buckets. Default: none. */
  otherBucketArns?: string[];
  isOrganizationTrail: boolean;
  /** What of it is AWS's own business: see `crosstrail:leaveAsIs`. */
  leftAsIs: string[];
  /** The log group and the role that the stack made, as its state has them. */
  made?: IntendedTrail["made"];
  /** When the stack was last updated, as its state says. */
  stackUpdatedAt?: string;
}

/** The lines that a worker reads. */
export type Order = { type: "run"; job: Job } | { type: "stop"; graceMs: number } | { type: "end" };

/** The lines that a worker writes. */
export type Report =
  | { type: "ready" }
  | { type: "event"; event: Exclude<FleetEvent, { type: "planned" | "started" | "finished" }> }
  | { type: "done"; result: StackResult; reading?: ArchiveReading; reusable: boolean };
