/** What a result means for the caller. */
import { ExitCode } from "../output";
import { type VerifyResult, VerifyState } from "./types";

/** A problem counts more than what could not be checked; neither is ever 0. */
export function exitCodeOf({ state, complete }: Pick<VerifyResult, "state" | "complete">): ExitCode {
  if (state === VerifyState.Problem) return ExitCode.CheckFailed;
  if (!complete) return ExitCode.Cancelled;
  return state === VerifyState.NotChecked ? ExitCode.NotChecked : ExitCode.Ok;
}
