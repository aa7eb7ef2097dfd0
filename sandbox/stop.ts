// `npm run sandbox:stop`

import { isAlive } from "../automation/process";
import type { Context } from "./context";
import { userError } from "./errors";
import { KEPT, readRecord, removeSandbox } from "./keep";

export async function command(_context: Context): Promise<void> {
  const record = readRecord(KEPT);
  if (!record) {
    console.log("No sandbox is kept.");
    return;
  }
  if (!record.complete && isAlive(record.ownerPid)) {
    throw userError(
      `The sandbox is still being made by process ${record.ownerPid}.`,
      "Wait for it, or stop it there with Ctrl-C.",
    );
  }
  await removeSandbox(KEPT);
  console.log("The sandbox is stopped and removed.");
}
