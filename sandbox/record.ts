// What a sandbox writes down about itself, for `sandbox:stop`, `sandbox:env` and the clean-up.

export interface SandboxRecord {
  ownerPid: number;
  /** The emulator's guard, and the mark of everything that belongs to it. */
  guardPid: number;
  runId: string;
  endpoint: string;
  startedAt: string;
  /** All variables of the environment that are the sandbox's. */
  variables: Record<string, string>;
  /** Goes to the front of PATH. */
  bin: string;
  complete: boolean;
}

export const RECORD = "sandbox.json";

/** Whether a variable of the user's environment would lead out of the sandbox. */
export function isForeign(name: string): boolean {
  return /^(AWS|PULUMI)_/.test(name);
}
