/**
 * Records tests/support/fixtures/completion.json: what the shells answer to the scripts for the sample verbs.
 *   npx ts-node tests/support/recordCompletion.ts && npx prettier --write tests/support/fixtures/completion.json
 * All three shells must be installed.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { completionScript } from "../../automation/commands/completion";
import type { Answer, Shell } from "./shells";
import { ask, layOut, sampleLines, sampleVerbs, shells, versionOf } from "./shells";

export type RecordedShells = Record<Shell, { version: string; script: string[]; answers: Record<string, Answer> }>;

function record(shell: Shell): RecordedShells[Shell] {
  const version = versionOf(shell);
  if (version === undefined) throw new Error(`${shell} is not installed.`);
  const script = completionScript(shell, sampleVerbs);
  const folder = mkdtempSync(join(tmpdir(), "crosstrail-completion-"));
  try {
    layOut(folder, script);
    const answers = ask(shell, folder, sampleLines);
    return {
      version,
      script: script.split("\n"),
      answers: Object.fromEntries(sampleLines.map((line, index) => [line, answers[index] as Answer])),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (require.main === module) {
  const recorded = Object.fromEntries(shells.map((shell) => [shell, record(shell)]));
  writeFileSync(join(__dirname, "fixtures", "completion.json"), `${JSON.stringify(recorded, undefined, 1)}\n`);
}
