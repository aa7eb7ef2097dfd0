import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync, copyFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { parse } from "yaml";
import { main } from "../../../automation/cli";
import { readStackFile } from "../../../automation/stackFile";
import { root } from "../../support/config";

const required = ["--audit-account", "111111111111", "--bucket", "example-logs", "--region", "eu-central-1"];
const fleet = [...required, "--member", "payments=222222222222", "web=333333333333@us-east-1"];

describe("crosstrail init", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "crosstrail-init-"))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  type Terminal = { input: PassThrough; output: PassThrough };
  async function init(args: string[], { terminal, env = {} }: { terminal?: Terminal; env?: NodeJS.ProcessEnv } = {}) {
    let [stdout, stderr] = ["", ""];
    const exitCode = await main(["init", "--cwd", folder, ...args], {
      stdout: (text) => void (stdout += text),
      stderr: (text) => void (stderr += text),
      env,
      color: false,
      asking: terminal,
    });
    return { exitCode, stdout, stderr };
  }
  const files = () => readdirSync(folder).sort();
  const text = (name: string) => readFileSync(join(folder, name), "utf8");
  const settings = (stack: string) => readStackFile(join(folder, `Pulumi.${stack}.yaml`), {});

  it("writes the project, the audit stack and the members' template, which a deployment takes as they are", async () => {
    const { exitCode, stdout, stderr } = await init([...fleet, "--deploy-role", "CrosstrailDeploy"]);
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual(files(), ["Pulumi.audit.yaml", "Pulumi.member.yaml", "Pulumi.yaml", "index.js"]);
    const audit = settings("audit");
    assert.ok(audit.role === "audit");
    assert.deepEqual(
      audit.fleet.map(({ alias, trail }) => [alias, trail.accountId, trail.region]),
      [
        ["audit", "111111111111", "eu-central-1"],
        ["payments", "222222222222", "eu-central-1"],
        ["web", "333333333333", "us-east-1"],
      ],
    );
    assert.deepEqual([audit.bucketName, audit.region], ["example-logs", "eu-central-1"]);
    const member = settings("member");
    assert.ok(member.role === "member");
    assert.deepEqual([member.accountId, member.source], ["222222222222", { auditStack: "audit" }]);
    const { config } = parse(text("Pulumi.member.yaml")) as { config: Record<string, unknown> };
    assert.deepEqual(config["aws:allowedAccountIds"], ["222222222222"]);
    assert.deepEqual(config["aws:assumeRoles"], [{ roleArn: "arn:aws:iam::222222222222:role/CrosstrailDeploy" }]);
    const { name, main } = parse(text("Pulumi.yaml")) as { name: string; main: string };
    assert.deepEqual([name, main], ["crosstrail", "index.js"]);
    assert.equal(audit.fleet.length, 3);
    const { config: declared } = parse(text("Pulumi.audit.yaml")) as { config: Record<string, unknown> };
    assert.equal(declared["crosstrail:deployRole"], "arn:{partition}:iam::{accountId}:role/CrosstrailDeploy");
    for (const step of ["npm install", "npx crosstrail simulate", "npx crosstrail preview", "npx crosstrail up"]) {
      assert.ok(stdout.includes(`\n  ${step}`), stdout);
    }
    assert.match(stdout, /can assume\nthe role CrosstrailDeploy in each account; npx crosstrail roles prints/);
  });

  it("takes the role also as the configuration has it, and refuses one account's role for all", async () => {
    const refused = await init([...fleet, "--deploy-role", "arn:aws:iam::222222222222:role/X"]);
    assert.equal(refused.exitCode, 2);
    assert.match(refused.stderr, /the pattern needs \{accountId\}/);
    const pattern = "arn:{partition}:iam::{accountId}:role/ops/{alias}-Deploy";
    const { exitCode, stderr } = await init([...fleet, "--member-stacks", "--deploy-role", pattern]);
    assert.equal(exitCode, 0, stderr);
    const payments = readFileSync(join(folder, "Pulumi.payments.yaml"), "utf8");
    assert.match(payments, /roleArn: arn:aws:iam::222222222222:role\/ops\/payments-Deploy$/m);
  });

  it("writes a stack file for each member when asked, in the Region of its trail", async () => {
    const { exitCode, stdout } = await init([...fleet, "--member-stacks", "--stack", "archive"]);
    assert.equal(exitCode, 0);
    // The steps that follow work with that name.
    assert.ok(stdout.includes("crosstrail simulate --stack archive\n"), stdout);
    assert.ok(stdout.includes("crosstrail up --stack archive\n"), stdout);
    assert.match(stdout, /crosstrail:deployRole or crosstrail:deployProfile in the audit stack/);
    assert.deepEqual(
      files().filter((name) => name.startsWith("Pulumi.")),
      ["Pulumi.archive.yaml", "Pulumi.member.yaml", "Pulumi.payments.yaml", "Pulumi.web.yaml", "Pulumi.yaml"],
    );
    const web = settings("web");
    assert.ok(web.role === "member");
    assert.deepEqual([web.accountId, web.region, web.source], ["333333333333", "us-east-1", { auditStack: "archive" }]);
  });

  it("in a folder with the project, as a clone has it, writes the stacks only; the Region may be the environment's", async () => {
    copyFileSync(join(root, "Pulumi.yaml"), join(folder, "Pulumi.yaml"));
    const before = text("Pulumi.yaml");
    const { exitCode } = await init(required.slice(0, 4), { env: { AWS_REGION: "us-gov-west-1" } });
    assert.equal(exitCode, 0);
    assert.deepEqual(files(), ["Pulumi.audit.yaml", "Pulumi.member.yaml", "Pulumi.yaml"]);
    assert.equal(text("Pulumi.yaml"), before);
    assert.equal(settings("audit").partition, "aws-us-gov");
  });

  for (const name of ["Pulumi.audit.yaml", "Pulumi.member.yaml", "index.js"]) {
    it(`never writes to ${name} when it exists, and writes nothing else either`, async () => {
      writeFileSync(join(folder, name), "mine");
      const { exitCode, stderr } = await init(fleet);
      assert.equal(exitCode, 2);
      assert.match(stderr, /Nothing was written/);
      assert.ok(stderr.includes(join(folder, name)), stderr);
      assert.deepEqual(files(), [name]);
      assert.equal(text(name), "mine");
    });
  }

  it("says of the repository's examples that they may go", async () => {
    for (const name of ["Pulumi.audit.yaml", "Pulumi.member.yaml"]) copyFileSync(join(root, name), join(folder, name));
    const { exitCode, stderr } = await init(fleet);
    assert.equal(exitCode, 2);
    for (const name of files()) assert.ok(stderr.includes(`rm ${join(folder, name)}`), stderr);
  });

  it("refuses a folder of another project: its name is the namespace of the keys", async () => {
    writeFileSync(join(folder, "Pulumi.yaml"), "name: website\nruntime: nodejs\n");
    const { exitCode, stderr } = await init(fleet);
    assert.equal(exitCode, 2);
    assert.match(stderr, /project "website"/);
    assert.deepEqual(files(), ["Pulumi.yaml"]);
  });

  it("says every mistake at once, in words of the options, and writes nothing", async () => {
    const { exitCode, stdout, stderr } = await init([
      ...["--audit-account", "1111", "--bucket", "My_Logs", "--region", "eu-central-9", "--deploy-role", "a b"],
      ...["--member", "nobody", "payments=222222222222", "Web=33", "again=222222222222"],
    ]);
    assert.equal(exitCode, 2);
    assert.equal(stdout, "");
    for (const expected of [
      /--audit-account "1111"\n.*12 digits, this has 4\./,
      /--bucket "My_Logs"\n.*lower-case/,
      /--region "eu-central-9"\n/,
      /--deploy-role a b\n/,
      /--member nobody\n.*<alias>=<account id>/,
      /--member Web=33: alias\n/,
      /--member Web=33: accountId\n/,
      /--member again=222222222222: accountId\n.*same account/,
    ]) {
      assert.match(stderr, expected);
    }
    assert.ok(!/Pulumi\..*yaml|without quotes/.test(stderr), "of a file that does not exist nothing is said");
    assert.deepEqual(files(), []);
  });

  it("says what is missing without a terminal, and never waits for an answer", async () => {
    const { exitCode, stderr } = await init([]);
    assert.equal(exitCode, 2);
    for (const option of ["--audit-account", "--bucket", "--region"]) {
      assert.match(stderr, new RegExp(`${option} is not given`));
    }
  });

  /** A terminal at which somebody answers each question, in this order, with the key Enter behind it. */
  function person(answers: [question: string, answer: string][]): Terminal & { seen: () => string } {
    const terminal = { input: new PassThrough(), output: new PassThrough() };
    // A terminal stays open after a question; streams that are piped into another end it, but for the process's own.
    terminal.output.end = () => terminal.output;
    let seen = "";
    let unread = "";
    terminal.output.on("data", (chunk: Buffer) => {
      seen += chunk.toString();
      unread += chunk.toString();
      const [next] = answers;
      if (!next || !unread.includes(next[0])) return;
      answers.shift();
      unread = "";
      // After the prompt has begun to listen.
      setImmediate(() => terminal.input.write(next[1]));
    });
    return { ...terminal, seen: () => seen };
  }

  it("asks on a terminal for what is not given, and asks again when an answer cannot be right", async () => {
    const terminal = person([
      ["Account ID of the audit account", "1111\r"],
      ["12 digits, this has 4", "\u0015111111111111\r"],
      ["Region of the log bucket", "eu-west-1\r"],
      ["first member", "payments\r"],
      ["Account ID of payments", "222222222222\r"],
      ["next member", "\r"],
      ["Role to assume", "\r"],
      ["Write Pulumi.yaml", "y\r"],
    ]);
    const { exitCode, stderr } = await init(["--bucket", "example-logs"], { terminal });
    assert.equal(exitCode, 0, stderr + terminal.seen());
    const audit = settings("audit");
    assert.ok(audit.role === "audit");
    assert.deepEqual(
      [audit.auditAccountId, audit.region, audit.bucketName],
      ["111111111111", "eu-west-1", "example-logs"],
    );
    assert.deepEqual(
      audit.fleet.map(({ alias }) => alias),
      ["audit", "payments"],
    );
    assert.ok(!terminal.seen().includes("Name of the log bucket"), "what was given is not asked for");
  });

  it("writes nothing when the person says no, or presses Ctrl-C", async () => {
    for (const answer of ["n\r", "\u0003"]) {
      const given = [...fleet, "--deploy-role", "CrosstrailDeploy"];
      const { exitCode, stderr } = await init(given, { terminal: person([["Write Pulumi.yaml", answer]]) });
      assert.equal(exitCode, 8, stderr);
      assert.match(stderr, /Nothing was written/);
      assert.deepEqual(files(), []);
    }
  });

  for (const option of ["--yes", "--non-interactive"]) {
    it(`asks nothing with ${option}, even on a terminal`, async () => {
      const terminal = person([]);
      assert.equal((await init([...fleet, option], { terminal })).exitCode, 0);
      assert.equal(terminal.seen(), "");
      assert.equal(files().length, 4);
    });
  }

  it("prints with --json what it wrote", async () => {
    const { stdout } = await init([...fleet, "--json"]);
    const { data } = JSON.parse(stdout) as { data: { folder: string; written: string[] } };
    assert.deepEqual(data.written.sort(), files());
    assert.equal(data.folder, folder);
  });
});
