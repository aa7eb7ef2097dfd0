// The programs written by hand that Crosstrail is compared with, and how figures are summed up.

import fs from "node:fs";
import path from "node:path";
import { stringify } from "yaml";
import { ROOT } from "../accounts";
import { userError } from "../errors";
import type { Sandbox } from "../index";

const MINUTE = 60_000;

/** A project of its own beside the sandbox's: its files copied, Node's packages those of this repository. */
export async function plainProject(sandbox: Sandbox, name: string) {
  const folder = path.join(sandbox.folder, name);
  fs.cpSync(path.join(__dirname, name), folder, { recursive: true });
  fs.symlinkSync(path.join(ROOT, "node_modules"), path.join(folder, "node_modules"));
  const env = { PULUMI_OPTION_CWD: folder };
  /** Writes the stack's settings; true when it had none. */
  const configure = (stack: string, config: Record<string, unknown>): boolean => {
    const file = path.join(folder, `Pulumi.${stack}.yaml`);
    if (fs.existsSync(file)) return false;
    fs.writeFileSync(file, stringify({ config }));
    return true;
  };
  return {
    env,
    configure,
    async stack(stack: string, config: Record<string, unknown>): Promise<void> {
      if (configure(stack, config)) await must(sandbox, ["stack", "init", stack], env);
    },
  };
}

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** Runs `pulumi`, which must succeed. */
export async function must(sandbox: Sandbox, args: string[], env?: NodeJS.ProcessEnv): Promise<void> {
  const result = await sandbox.pulumi(args, { timeoutMs: 10 * MINUTE, env });
  if (result.code !== 0) {
    throw userError(`pulumi ${args.join(" ")} failed:\n${(result.stdout + result.stderr).trim()}`);
  }
}
