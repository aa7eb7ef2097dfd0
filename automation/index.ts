/**
 * The embedding API: the whole fleet from a program of yours. Nothing is printed, the process is never ended, and
 * Pulumi's backend and secrets are those of the environment that you give. Every stack's engine runs in a process of
 * its own. A run that is cancelled, whenever and however, resolves with status `cancelled`.
 */
import { Action } from "../core/fleet";
import { runForApi } from "./api";
import type { DestroyOptions, FleetOptions, PreviewOptions, UpOptions } from "./fleet/run";
import type { FleetResult } from "./fleet/types";

export type { Finding } from "../core/findings";
export { UserError } from "../core/findings";
export type { FleetStack, Shard, Step } from "../core/fleet";
export { Action, StackKind } from "../core/fleet";
export type { DestroyOptions, FleetOptions, Plan, PreviewOptions, UpOptions } from "./fleet/run";
export type { FleetEvent, FleetResult, ResourceChange, StackResult, TrailReport } from "./fleet/types";
export { Status } from "./fleet/types";
export { ExitCode, ExitError } from "./output";

/**
 * Brings up the audit stack and then all members, and reads every trail back. No engine runs for a stack of which nothing has
 * changed since its last `up`: its result says so in `notRun`. Trails of members that are no longer
 * declared are destroyed first; their logs stay.
 * @throws UserError when nothing could be begun: the configuration has mistakes, or Pulumi's backend cannot be asked.
 * What fails for one stack is in the result.
 */
export function up(options: UpOptions = {}): Promise<FleetResult> {
  return runForApi(Action.Up, options);
}

/**
 * Shows what `up` would change, for all stacks at the same time; nothing is changed, in AWS or in the backend. Stacks of which
 * nothing has changed since their last `up` are not run: their results say so in `notRun`.
 */
export function preview(options: PreviewOptions = {}): Promise<FleetResult> {
  return runForApi(Action.Preview, options);
}

/**
 * Destroys every trail, and then what the audit stack has; the archive stays as long as `crosstrail:keepArchive`
 * protects it, or unless `deleteArchive` names its bucket. As long as one trail may still deliver, the audit stack is
 * left unchanged.
 */
export function destroy(options: DestroyOptions = {}): Promise<FleetResult> {
  return runForApi(Action.Destroy, options);
}

/** Reads every trail back from AWS; a trail that is missing, does not log or records something else fails. */
export function status(options: FleetOptions = {}): Promise<FleetResult> {
  return runForApi(Action.Status, options);
}

export { type VerifyOptions, verify } from "./verify";
export type { Counts, PlaceResult, VerifyFinding, VerifyProgress, VerifyResult } from "./verify";
export { FindingState, VerifyState } from "./verify";
