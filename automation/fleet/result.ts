/** The result of a stack's turn, where there is no more to say than a few fields. */
import type { Step } from "../../core/fleet";
import { ExitCode } from "../output";
import type { StackResult } from "./types";
import { Status } from "./types";

/** What became of a stack's turn: nothing happened and all is well, except what is given. */
export function resultOf({ stack, action }: Step, more: Partial<StackResult> = {}): StackResult {
  return {
    stack: stack.name,
    kind: stack.kind,
    accountId: stack.accountId,
    action,
    status: Status.Succeeded,
    changes: {},
    resources: [],
    findings: [],
    exitCode: ExitCode.Ok,
    attempts: 0,
    seconds: 0,
    ...more,
  };
}
