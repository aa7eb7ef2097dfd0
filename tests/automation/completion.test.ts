import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { everyCommand, main } from "../../automation/cli";

const verbs = everyCommand().commands.map(({ command }) => command);

async function completion(...args: string[]) {
  let [stdout, stderr] = ["", ""];
  const exitCode = await main(["completion", ...args], {
    stdout: (text) => void (stdout += text),
    stderr: (text) => void (stderr += text),
    env: {},
    color: false,
  });
  return { exitCode, stdout, stderr };
}

const isInstalled = (shell: string) => spawnSync(shell, ["--version"]).status === 0;

describe("crosstrail completion", () => {
  let folder: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "crosstrail-completion-"));
    for (const shell of ["bash", "zsh", "fish"]) {
      const { exitCode, stdout, stderr } = await completion(shell);
      assert.equal(exitCode, 0, stderr);
      writeFileSync(join(folder, `completion.${shell}`), stdout);
    }
    writeFileSync(join(folder, "cases.json"), "[]");
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** What bash offers behind these words; the last one is being typed. */
  function bash(...words: string[]): string[] {
    const program = `
      source completion.bash
      COMP_WORDS=(crosstrail "$@")
      COMP_CWORD=$#
      _crosstrail
      printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { status, stdout, stderr } = spawnSync("bash", ["-c", program, "bash", ...words], {
      cwd: folder,
      encoding: "utf8",
    });
    assert.equal(stderr, "");
    assert.equal(status, 0);
    return stdout.split("\n").filter(Boolean).sort();
  }

  it("bash: registers itself for crosstrail", () => {
    const { stdout } = spawnSync("bash", ["-c", "source completion.bash; complete -p crosstrail"], {
      cwd: folder,
      encoding: "utf8",
    });
    assert.match(stdout, /-F _crosstrail crosstrail/);
  });

  it("bash: the verbs, and those that begin with what is typed", () => {
    const names = verbs.map((verb) => verb.name());
    assert.deepEqual(bash(""), [...names, "help", "--help", "--version"].sort());
    assert.deepEqual(bash("si"), ["simulate"]);
    assert.deepEqual(bash("help", ""), names.sort());
    assert.deepEqual(bash("nothing-like-that", ""), []);
  });

  it("bash: every option that a verb declares", () => {
    for (const verb of verbs) {
      const flags = verb.options.map(({ long }) => long as string);
      assert.ok(flags.includes("--json"));
      assert.deepEqual(bash(verb.name(), "--"), [...flags, "--help"].sort(), verb.name());
    }
  });

  it("bash: the values of a closed set, files for a file, and nothing for a text", () => {
    assert.deepEqual(bash("roles", "audit", "--access", ""), ["deploy", "preview", "remove"]);
    assert.deepEqual(bash("roles", "--format", "c"), ["cloudformation"]);
    assert.deepEqual(bash("completion", ""), [...bash("completion", "--"), "bash", "fish", "zsh"].sort());
    assert.deepEqual(bash("simulate", "--cases", "cas"), ["cases.json"]);
    assert.deepEqual(bash("init", "--bucket", ""), []);
  });

  // A shell that is not installed cannot be asked; what its script must have is looked at below in any case.
  for (const shell of ["zsh", "fish"].filter(isInstalled)) {
    it(`${shell}: reads its script without a complaint`, () => {
      const { status, stderr } = spawnSync(shell, ["-n", `completion.${shell}`], { cwd: folder, encoding: "utf8" });
      assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
    });
  }

  it("zsh and fish: every verb, option and value is in the script", async () => {
    for (const shell of ["zsh", "fish"]) {
      const { stdout } = await completion(shell);
      for (const verb of verbs) {
        assert.ok(stdout.includes(verb.name()), `${shell}: ${verb.name()}`);
        for (const { long, argChoices } of verb.options) {
          const flag = shell === "fish" ? `-l ${long?.slice(2)} ` : `${long}[`;
          assert.ok(stdout.includes(flag), `${shell}: ${verb.name()} ${long}`);
          if (argChoices) assert.ok(stdout.includes(argChoices.join(" ")), `${shell}: ${long}`);
        }
      }
    }
  });

  it("refuses a shell that it does not know", async () => {
    const { exitCode, stderr } = await completion("tcsh");
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
