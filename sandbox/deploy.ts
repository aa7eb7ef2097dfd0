// Deploys stacks in a sandbox, showing what Pulumi does at the moment.

import type { Context } from "./context";
import { userError } from "./errors";
import type { Sandbox } from "./index";
import type { Step } from "./progress";

/** Runs `pulumi up` for a stack; the step shows the newest resource that is still being made. */
export async function deploy(context: Context, sandbox: Sandbox, stack: string, step: Step): Promise<void> {
  const open = new Set<string>();
  let done = 0;
  step.note("running the program");
  const result = await sandbox.pulumi(["up", "--stack", stack, "--yes", "--skip-preview", "--color=never"], {
    onLine: (line) => {
      // Components and the stack itself are open all the time, so only AWS's resources are shown.
      const [, resource, what] = /^ [+~-]+ +(aws:\S+ \S+) (creating|created|updating|updated)\b/.exec(line) ?? [];
      if (!resource || !what) return;
      if (what.endsWith("ing")) open.add(resource);
      else if (open.delete(resource)) done++;
      const waits = [...open].at(-1);
      step.note(`${done} resources done${waits ? `, creating ${waits}` : ""}`);
    },
  });
  context.signal.throwIfAborted();
  if (result.code === 0) return;
  const text = result.stdout.includes("Diagnostics:") ? result.stdout.slice(result.stdout.indexOf("Diagnostics:")) : "";
  const lines = (text || result.stderr.trim() || result.stdout.trim()).split("\n").slice(0, 40);
  const how = result.timedOut ? "did not end in time" : "failed";
  throw userError([`pulumi up for the stack ${stack} ${how}:`, ...lines.map((line) => `    ${line}`)].join("\n"));
}
