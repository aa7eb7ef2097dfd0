/** The commands of the documentation's pages, word by word: those that need no AWS are run, of the others it is said what runs them. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { crosstrail } from "../support/cli";
import { root } from "../support/config";

interface DocumentedCommand {
  page: string;
  text: string;
}

/** What starts a command line of a page; lines of output in the same block do not. */
const starts = /^\s*(\$ )?(npx crosstrail|npm run -s crosstrail --|npm |crosstrail |pulumi |aws |eval |jq )/;

/** The command lines of a page, without prompts and comments, continued lines joined. */
function commandsOf(page: string, text: string): DocumentedCommand[] {
  const found: DocumentedCommand[] = [];
  let fence: string | undefined;
  const lines = text.replace(/\\\n\s*/g, "").split("\n");
  for (const line of lines) {
    const mark = /^\s*```(\w*)/.exec(line);
    if (mark) fence = fence === undefined ? mark[1] : undefined;
    else if (["", "sh", "bash"].includes(fence ?? "none") && starts.test(line)) {
      const plain = line
        .trim()
        .replace(/^\$ /, "")
        .replace(/\s+#.*$/, "");
      // A note follows in a column of its own.
      const command = plain.replace(/(\S) {2,}[a-z].*$/, "$1").replace(/ +/g, " ");
      found.push({ page, text: command.replace(/^(npx crosstrail|npm run -s crosstrail --)/, "crosstrail") });
    }
  }
  return found;
}

/** What is run, with the exit code that it has in the sandbox. The first one that matches counts. */
const runs: [command: RegExp, exitCode: number][] = [
  [/^crosstrail simulate$/, 0],
  [/^crosstrail policy bucket$/, 0],
  [/^crosstrail policy bucket --current current.json( > policy.json)?$/, 0],
  [/^crosstrail roles (audit|payments|hub) /, 0],
  [/^crosstrail completion (bash|zsh|fish)/, 0],
  [/^eval "\$\(crosstrail completion (bash|zsh)\)"$/, 0],
  [/^crosstrail init --audit-account 1111 /, 2],
  [/^crosstrail init --audit-account 111111111111 /, 0],
];

/** What is not run, and why. */
const notRun: [command: RegExp, why: string][] = [
  [
    /^crosstrail (status|policy .*--deployed|simulate --deployed|mfa-delete)\b/,
    "they ask AWS: the suites of tests/engine do",
  ],
  [/^pulumi stack output /, "tests/engine/adopt.test.ts and others read a deployed stack's outputs"],
  [/^crosstrail summary\b/, "it reads what several runs have written; its own tests make that"],
  [
    /^npm (start|test|run (-s )?(sandbox|test|docs|bench))/,
    "tests/engine/quickstart.test.ts and keep.test.ts start sandboxes; the others are the tests themselves",
  ],
  [/^eval "\$\(npm run -s sandbox:env\)"$/, "tests/engine/keep.test.ts"],
  [
    /^crosstrail (up|destroy|preview|migrate)\b/,
    "tests/engine/fleet.test.ts, report.test.ts and migrate.test.ts run them, and look at what they do",
  ],
  [/^crosstrail verify\b/, "tests/engine/verify.test.ts and tests/automation/verify, with archives that have logs"],
  [/^crosstrail adopt\b/, "tests/engine/adopt.test.ts, with trails made by hand"],
  [/^crosstrail explain\b/, "tests/automation/commands/explain.test.ts, with the page's own policies"],
  [/^crosstrail guardrails\b/, "tests/automation/commands/guardrails.test.ts; this fleet has no organization"],
  [/^crosstrail roles management\b/, "tests/automation/commands/roles.test.ts; this fleet has no organization"],
  [/^crosstrail init$/, "it asks; tests/automation/commands/init.test.ts answers"],
  [
    /^crosstrail simulate --stack prod --cases|^crosstrail mfa-delete --stack prod/,
    "another stack's name as an example",
  ],
  [
    /^crosstrail simulate --json \| jq|^pulumi stack output --json -s audit \| crosstrail/,
    "the same command is run without the pipe",
  ],
  [
    /^crosstrail policy key --deployed --key arn:aws:kms/,
    "another key's ARN as an example; it is run with the archive's",
  ],
  [
    /^pulumi (up|destroy|stack init|stack --show-urns|state|config|preview)/,
    "tests/engine/foundation.test.ts and others run the engine, and look at what it does",
  ],
  [/^(aws|jq) /, "needs the AWS CLI, or changes what the other commands read"],
];

/** A bucket's policy as somebody may have it. */
const current = {
  Version: "2012-10-17",
  Statement: [
    {
      Sid: "AdminsList",
      Effect: "Allow",
      Principal: { AWS: "arn:aws:iam::111111111111:root" },
      Action: "s3:ListBucket",
      Resource: "arn:aws:s3:::crosstrail-example-logs",
    },
  ],
};

const pages = [
  "README.md",
  "CONTRIBUTING.md",
  ...fs.readdirSync(path.join(root, "docs")).filter((name) => name.endsWith(".md")),
];
const commands = pages.flatMap((name) => {
  const file = name === name.toUpperCase().replace(".MD", ".md") ? name : path.join("docs", name);
  return commandsOf(name, fs.readFileSync(path.join(root, file), "utf8"));
});
const matching = <Entry extends [RegExp, unknown]>(entries: Entry[], text: string) =>
  entries.find(([pattern]) => pattern.test(text));

describe("the commands of the documentation", function () {
  this.timeout(300_000);
  let folder: string;
  let before: string;
  // A clone's project, whose configuration needs no AWS to be asked about.
  beforeEach(() => {
    before = process.cwd();
    folder = fs.mkdtempSync(path.join(tmpdir(), "crosstrail-docs-"));
    for (const name of fs.readdirSync(root).filter((each) => /^Pulumi\.(\w+\.)?yaml$/.test(each)))
      fs.copyFileSync(path.join(root, name), path.join(folder, name));
    fs.writeFileSync(path.join(folder, "current.json"), JSON.stringify(current));
    process.chdir(folder);
  });
  afterEach(() => {
    process.chdir(before);
    fs.rmSync(folder, { recursive: true });
  });

  it("are each run here, or listed with the reason why not", () => {
    assert.ok(commands.length > 100, `${commands.length} commands`);
    const unknown = commands.filter(({ text }) => !matching(runs, text) && !matching(notRun, text));
    assert.deepEqual(unknown, [], "Add each to `runs` or to `notRun` in tests/engine/docs.test.ts.");
    for (const [pattern] of [...runs, ...notRun])
      assert.ok(
        commands.some(({ text }) => pattern.test(text)),
        `${pattern} is in no page any more.`,
      );
  });

  it("work as the pages have them", async () => {
    for (const text of [...new Set(commands.map(({ text: each }) => each))]) {
      const expected = matching(runs, text)?.[1];
      if (expected === undefined) continue;
      const { exitCode, output } = await run(text);
      assert.equal(exitCode, expected, `${text}\n${output}`);
    }
  });

  /** Runs a command line of the tool in this process. */
  async function run(text: string): Promise<{ exitCode: number; output: string }> {
    const line = /^eval "\$\((.*)\)"$/.exec(text)?.[1] ?? text;
    const [command = ""] = line.split(/ > (?=\S+$)/);
    const args = (command.match(/'[^']*'|\S+/g) ?? []).slice(1).map((word) => word.replace(/^'|'$/g, ""));
    // A new fleet is written to a folder of its own.
    if (args[0] === "init") args.push("--yes", "--cwd", fs.mkdtempSync(path.join(folder, "init-")));
    const { exitCode, stdout, stderr } = await crosstrail(args);
    return { exitCode, output: stdout + stderr };
  }
});
