// `npm run -s sandbox:env`

import path from "node:path";
import type { Context } from "./context";
import { userError } from "./errors";
import { isForeign } from "./record";
import { findKept } from "./keep";

/** Prints shell commands that put the kept sandbox into the environment: eval "$(npm run -s sandbox:env)". */
export async function command(_context: Context): Promise<void> {
  const record = await findKept();
  if (!record) throw userError("No sandbox is running.", "Start one that stays: npm start -- --keep");
  const lines: string[] = [];
  for (const name of Object.keys(process.env)) {
    // A profile or a session token of the user's would win over the sandbox's keys.
    if (isForeign(name) && !(name in record.variables) && !/^AWS_SDK_JS_/.test(name)) lines.push(`unset ${name};`);
  }
  for (const [name, value] of Object.entries(record.variables)) lines.push(`export ${name}=${quote(value)};`);
  if (!(process.env.PATH ?? "").split(path.delimiter).includes(record.bin)) {
    lines.push(`export PATH=${quote(record.bin)}:"$PATH";`);
  }
  process.stdout.write(`${lines.join("\n")}\n`);
}

function quote(value: string): string {
  return `'${value.replaceAll("'", `'\\''`)}'`;
}
