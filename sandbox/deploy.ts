// Deploys stacks in a sandbox, showing what Pulumi does at the moment.

import type { Context } from "./context";
import { userError } from "./errors";
import type { Sandbox } from "./index";
import type { Step } from "./progress";

/** Runs `pulumi up` for a stack. `Pulumi` shows what it waits for as lines; the step shows the last one still open. */
export async function deploy(context: Context, sandbox: Sandbox, stack: string, step: Step): Promise<void> {
  const open = new Set<string>();
  let done = 0;
  step.note("loading the program");
  const result = await sandbox.pulumi(["up", "--stack", stack, "--yes", "--skip-preview", "--color=never"], {
    onLine: (line) => {
      const [, resource, what] = /^ [+~-]+ +(\S+ \S+) (creating|created|updating|updated)\b/.exec(line) ?? [];
      if (!resource || !what) return;
      if (what.endsWith("ing")) open.add(resource);
      else if (open.delete(resource)) done++;
      // Components and the stack itself are open all the time.
      const waits = [...open].filter((each) => each.startsWith("aws:")).at(-1);
      step.note(waits ? `${done} done, creating ${waits}` : `${done} done`);
    },
  });
  context.signal.throwIfAborted();
  if (result.code === 0) return;
  const text = result.stdout.includes("Diagnostics:") ? result.stdout.slice(result.stdout.indexOf("Diagnostics:")) : "";
  const lines = (text || result.stderr.trim() || result.stdout.trim()).split("\n").slice(0, 40);
  const how = result.timedOut ? "did not end in time" : "failed";
  throw userError([`pulumi up for the stack ${stack} ${how}:`, ...lines.map((line) => `    ${line}`)].join("\n"));
}
