/**
 * The fleet from a program of your own: previews it and says, for each account, what would change. In a project that has
 * Crosstrail installed, import from "crosstrail/automation". It needs what `crosstrail preview` needs: a folder with
 * Pulumi.yaml and Pulumi.audit.yaml, a Pulumi backend, and credentials.
 *
 *   npx ts-node -T examples/fleet.ts <folder>
 */
import { type FleetEvent, preview, UserError } from "../automation";

async function main(projectFolder: string): Promise<void> {
  const stopping = new AbortController();
  process.once("SIGINT", () => stopping.abort());
  const onEvent = (event: FleetEvent) => {
    if (event.type === "finished") console.error(`${event.result.stack} is done`);
  };
  try {
    const { status, stacks } = await preview({ projectFolder, signal: stopping.signal, onEvent });
    for (const { stack, accountId, changes, findings, notRun } of stacks) {
      const count = Object.values(changes).reduce((sum, each) => sum + each, 0);
      // Nothing has changed since its last up, so no engine looked at it.
      const what = notRun === undefined ? `${count} resources would change` : `not run, ${notRun}`;
      console.log(`${stack} ${accountId}: ${what}`);
      for (const { message, remedy } of findings) console.log(`  ${message} ${remedy}`);
    }
    process.exitCode = status === "succeeded" ? 0 : 1;
  } catch (error) {
    // A UserError says what to fix; everything else is a bug.
    if (!(error instanceof UserError)) throw error;
    console.error(error.message);
    process.exitCode = 2;
  }
}

void main(process.argv[2] ?? ".");
