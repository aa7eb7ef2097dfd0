import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { everyCommand, main } from "../../../automation/cli";
import { completionScript } from "../../../automation/commands/completion";
import { crosstrail } from "../../support/cli";
import type { RecordedShells } from "../../support/recordCompletion";
import type { Answer } from "../../support/shells";
import { ask, layOut, sampleLines, sampleVerbs, shells, versionOf } from "../../support/shells";

const recordedFile = join(__dirname, "..", "..", "support", "fixtures", "completion.json");
const recorded = JSON.parse(readFileSync(recordedFile, "utf8")) as RecordedShells;
const verbs = everyCommand().commands.map(({ command }) => command);

for (const shell of shells) {
  // What a shell does with a script is known of a shell that is here, or was here when it was recorded.
  const [here, { version, script, answers: recordedAnswers }] = [versionOf(shell), recorded[shell]];
  const title = here === undefined ? `not installed here; ${version} answered the recorded script` : `${here} is asked`;

  describe(`crosstrail completion ${shell} (${title})`, function () {
    this.timeout(60_000);
    let folder: string;
    let answers = recordedAnswers;
    before(() => {
      folder = mkdtempSync(join(tmpdir(), "crosstrail-completion-"));
      if (here === undefined) return;
      layOut(folder, completionScript(shell, sampleVerbs));
      const now = ask(shell, folder, sampleLines);
      answers = Object.fromEntries(sampleLines.map((line, index) => [line, now[index] as Answer]));
    });
    after(() => rmSync(folder, { recursive: true, force: true }));

    it(`the script for verbs with every kind of option is the one that ${shell} ${version} was asked with`, () => {
      assert.deepEqual(completionScript(shell, sampleVerbs).split("\n"), script);
      assert.deepEqual(Object.keys(recordedAnswers), sampleLines);
    });

    it("the answers are verbs, options, values and files where each belongs, with their descriptions", () => {
      const words = (line: string) => answers[line]?.offers.map(([word]) => word);
      // zsh fills in what is the only answer, the others offer it.
      const only = (line: string) =>
        answers[line]?.filled
          ?.trim()
          .split(/(?<!\\) /)
          .at(-1) ?? words(line)?.join();
      assert.deepEqual(words("crosstrail "), ["--help", "--version", "help", "mfa-delete", "show"]);
      assert.equal(only("crosstrail sh"), "show");
      assert.deepEqual(words("crosstrail help "), ["mfa-delete", "show"]);
      assert.deepEqual(words("crosstrail show --"), sampleVerbs[0]?.options.map(({ flag }) => flag).sort());
      assert.deepEqual(
        words("crosstrail show --folder ")?.map((word) => word.replace(/[\\/]/g, "")),
        ["a folder", "cases"],
      );
      assert.equal(only("crosstrail show --file w")?.replace("\\", ""), "with space.json");
      assert.deepEqual(words("crosstrail show --name "), []);
      assert.equal(only("crosstrail show --format j"), "json");
      for (const line of ["crosstrail show --format ", "crosstrail show --formats json "])
        assert.deepEqual(words(line), ["json", "text"], line);
      assert.equal(only("crosstrail show --files cases.json w")?.replace("\\", ""), "with space.json");
      assert.equal(only("crosstrail show --formats json text --pl"), "--plain");
      assert.equal(only("crosstrail mfa-delete --json of"), "off");
      if (shell === "bash") return;
      const said = (line: string) => Object.fromEntries(answers[line]?.offers as [string, string][]);
      assert.equal(said("crosstrail ").show, sampleVerbs[0]?.summary);
      for (const { flag, description } of sampleVerbs[0]?.options ?? [])
        assert.equal(said("crosstrail show --")[flag], description);
    });

    // Another version may say the same in other words.
    if (here === version) it("it answers as recorded", () => assert.deepEqual(answers, recordedAnswers));

    if (here !== undefined) {
      it("it offers every verb, and every option that a verb declares", async () => {
        const { exitCode, stdout, stderr } = await crosstrail(["completion", shell]);
        assert.equal(exitCode, 0, stderr);
        layOut(folder, stdout);
        const names = verbs.map((verb) => verb.name());
        const lines = ["", "help ", ...names.map((name) => `${name} --`)].map((line) => `crosstrail ${line}`);
        const [all, help, ...each] = ask(shell, folder, lines).map(({ offers }) => offers.map(([word]) => word));
        assert.deepEqual(all, [...names, "help", "--help", "--version"].sort());
        assert.deepEqual(help, names.sort());
        for (const [index, verb] of verbs.entries()) {
          const flags = verb.options.filter(({ hidden }) => !hidden).map(({ long }) => long as string);
          assert.ok(flags.includes("--json"));
          assert.deepEqual(each[index], [...flags, "--help"].sort(), verb.name());
        }
      });
    }
  });
}

describe("crosstrail completion", () => {
  it("refuses a shell that it does not know", async () => {
    const { exitCode, stderr } = await crosstrail(["completion", "tcsh"]);
    assert.equal(exitCode, 2);
    assert.match(stderr, /Allowed choices are bash, zsh, fish/);
  });
});

describe("every command", () => {
  for (const { command, examples } of everyCommand().commands) {
    it(`${command.name()} has an example in its help, which takes what the command declares`, async () => {
      assert.ok(examples.length > 0);
      let help = "";
      const surroundings = {
        stdout: (text: string) => void (help += text),
        stderr: () => undefined,
        env: {},
        color: false,
      };
      assert.equal(await main([command.name(), "--help"], surroundings), 0);
      for (const line of examples) {
        assert.ok(help.includes(line), line);
        const [, own = ""] = new RegExp(`crosstrail ${command.name()}(.*)$`).exec(line) ?? assert.fail(line);
        for (const [flag] of own.matchAll(/--[a-z-]+/g)) {
          assert.ok(
            command.options.some(({ long }) => long === flag),
            `${line}: ${flag}`,
          );
        }
      }
    });
  }
});
