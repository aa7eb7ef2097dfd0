// The commands behind `npm start`, `npm run sandbox:stop`, `npm run sandbox:env`, `npm run sandbox:clock` and `npm run bench`.

import { setMaxListeners } from "node:events";
import { onTermination, stopAll } from "../automation/process";
import { UserError } from "../core/findings";
import type { Context } from "./context";
import { Stopped, userError } from "./errors";
import { createProgress } from "./progress";

/** What each command's file exports as `command`. */
export type Command = (context: Context, args: string[]) => Promise<void>;

// Loaded only when called: `sandbox:env` need not wait for the AWS SDK.
const commands: Record<string, string> = {
  quickstart: "./quickstart",
  stop: "./stop",
  env: "./env",
  clock: "./clock",
  bench: "./bench",
};

export async function main(args: string[]): Promise<void> {
  const [name = "", ...rest] = args;
  const controller = new AbortController();
  // Every running command listens to it, and there may be more than ten.
  setMaxListeners(0, controller.signal);
  onTermination(({ reason, exitCode }, count) => {
    if (count > 1) {
      void stopAll("SIGKILL").then(() => process.exit(exitCode));
      return;
    }
    process.stderr.write(`\nStopping (${reason}) …\n`);
    controller.abort(new Stopped(reason, exitCode));
    // Whatever does not listen to the signal must not keep us.
    setTimeout(() => void stopAll("SIGKILL").then(() => process.exit(exitCode)), 60_000).unref();
  });

  // Where the output goes may be gone before we are: `npm start | head`, or a closed terminal.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});

  // Which Node.js the AWS SDK of next year will need is of no use to who runs this.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = "true";
  try {
    const file = commands[name];
    if (!file) throw userError(`Unknown command "${name}".`, `One of: ${Object.keys(commands).join(", ")}`);
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    const { command } = require(file) as { command: Command };
    await command({ progress: createProgress(), signal: controller.signal }, rest);
    process.exitCode = 0;
  } catch (error) {
    // What fails because it was stopped is not a failure of its own.
    const reason: unknown = controller.signal.aborted ? controller.signal.reason : error;
    process.exitCode = report(reason);
  }
  await stopAll();
  process.exit();
}

function report(error: unknown): number {
  if (error instanceof Stopped) {
    process.stderr.write("Stopped. Nothing is left running.\n");
    return error.exitCode;
  }
  if (error instanceof UserError) {
    process.stderr.write(`\n${error.message}\n`);
    return 1;
  }
  process.stderr.write(`\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.stderr.write("This is a bug in Crosstrail; please report it with the output above.\n");
  return 1;
}
