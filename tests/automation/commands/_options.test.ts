import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { everyCommand, main } from "../../../automation/cli";
import { auditFileOf, defineAuditFile, formerly } from "../../../automation/commands/_options";
import { crosstrail } from "../../support/cli";

const commands = everyCommand().commands.map(({ command }) => command);

describe("one name for one thing on the command line", () => {
  it("an option of one name takes the same in every command", () => {
    const forms = new Map<string, Set<string>>();
    for (const command of commands)
      for (const option of command.options.filter(({ hidden }) => !hidden))
        forms.set(option.long ?? "", (forms.get(option.long ?? "") ?? new Set()).add(option.flags));
    const several = [...forms].filter(([, flags]) => flags.size > 1).map(([, flags]) => [...flags].sort());
    assert.deepEqual(several, [["--trail <arn>", "--trail <name or ARN>"]]);
  });

  it("the project folder is --cwd, and earlier names are accepted but not shown", () => {
    const hidden = commands.flatMap((command) =>
      command.options
        .filter((option) => option.hidden)
        .map((option) => [command.name(), option.flags, option.attributeName()]),
    );
    assert.deepEqual(hidden, [
      ["init", "--dir <folder>", "cwd"],
      ["init", "--audit-stack <name>", "stack"],
      ["migrate", "--stack <stacks...>", "only"],
      ["migrate", "--project <folder>", "cwd"],
      ["adopt", "--audit-stack <name>", "stack"],
      ["adopt", "--out <folder>", "out"],
    ]);
    for (const command of commands) {
      const help = command.helpInformation();
      for (const former of ["--dir ", "--project ", "--audit-stack ", "--out "]) assert.ok(!help.includes(former));
    }
  });

  it("an earlier name gives its value to the new one", () => {
    const parsed = (...args: string[]) => {
      const command = new Command("x").option("--only <stacks...>").option("--cwd <folder>");
      formerly(command, "--stack <stacks...>", "only");
      formerly(command, "--project <folder>", "cwd");
      return command.parse(args, { from: "user" }).opts();
    };
    assert.deepEqual(parsed("--stack", "a", "b", "--project", "x"), { only: ["a", "b"], cwd: "x" });
    assert.deepEqual(parsed("--only", "a", "--cwd", "x"), { only: ["a"], cwd: "x" });
  });

  it("help fits the terminal: no word is broken at 60 and at 100 columns", async () => {
    for (const columns of [60, 100]) {
      for (const verb of [[], ...commands.map((command) => [command.name()]), ["help", "config/account-id"]]) {
        let text = "";
        const exitCode = await main([...verb, ...(verb[0] === "help" ? [] : ["--help"])], {
          stdout: (more) => void (text += more),
          stderr: () => undefined,
          env: {},
          color: false,
          columns,
          terminalColumns: { results: columns, messages: columns },
        });
        assert.equal(exitCode, 0);
        const examples = text.split("\nExamples:\n")[1]?.split("\n") ?? [];
        const wide = text
          .split("\n")
          .filter((line) => line.length > columns && line.trim().includes(" ") && !examples.includes(line));
        assert.deepEqual(wide, [], `${verb.join(" ")} at ${columns} columns`);
      }
    }
  });

  describe("the audit stack's file", () => {
    let folder: string;
    before(() => {
      folder = mkdtempSync(join(tmpdir(), "crosstrail-options-"));
      writeFileSync(join(folder, "Pulumi.yaml"), "name: crosstrail\nruntime: nodejs\n");
      writeFileSync(join(folder, "Pulumi.prod.yaml"), "config: {}\n");
      mkdirSync(join(folder, "below"));
    });
    after(() => rmSync(folder, { recursive: true }));
    const file = (...args: string[]) =>
      auditFileOf(defineAuditFile(new Command("x")).parse(args, { from: "user" }).opts(), {});

    it("is named by --cwd and --stack, also from a folder below the project's", () => {
      assert.equal(file("--cwd", folder), join(folder, "Pulumi.audit.yaml"));
      assert.equal(file("--cwd", folder, "--stack", "prod"), join(folder, "Pulumi.prod.yaml"));
      assert.equal(file("--cwd", join(folder, "below"), "--stack", "prod"), join(folder, "Pulumi.prod.yaml"));
      assert.equal(auditFileOf({}, { PULUMI_OPTION_CWD: folder }), join(folder, "Pulumi.audit.yaml"));
    });

    it("or by --config alone", async () => {
      assert.equal(file("--config", "x/Pulumi.prod.yaml"), "x/Pulumi.prod.yaml");
      for (const verb of [["simulate"], ["policy", "bucket"], ["roles", "audit"], ["guardrails"], ["mfa-delete"]]) {
        const { exitCode, stderr } = await crosstrail([...verb, "--config", "x.yaml", "--stack", "prod"], {});
        assert.deepEqual(
          [exitCode, stderr],
          [
            2,
            "--config names the file itself, so --stack cannot be given as well.\n  → Remove --config, or remove --stack.\n",
          ],
        );
      }
    });
  });
});
