/** What is missing on the machine is one clear error for every verb, and never a stack trace. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { main } from "../../automation/cli";
import { systemFailure } from "../../automation/systemFailure";
import { root } from "../support/config";

const audit = `config:
  aws:region: us-east-1
  crosstrail:role: audit
  crosstrail:auditAccountId: "111111111111"
  crosstrail:bucketName: example-logs
`;

async function crosstrail(args: string[], env: NodeJS.ProcessEnv) {
  let [stdout, stderr] = ["", ""];
  const exitCode = await main(args, {
    stdout: (text) => (stdout += text),
    stderr: (text) => (stderr += text),
    env,
    color: false,
  });
  return { exitCode, stdout, stderr };
}

describe("crosstrail: what is missing on the machine", () => {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "crosstrail-test-"));
    writeFileSync(join(folder, "Pulumi.yaml"), "name: crosstrail\nruntime: nodejs\nmain: index.ts\n");
    writeFileSync(join(folder, "Pulumi.audit.yaml"), audit);
  });
  after(() => rmSync(folder, { recursive: true }));

  const verbs = [["up", "--yes"], ["preview"], ["status"], ["destroy", "--yes"], ["migrate", "--to", "new-key"]];

  it("no Pulumi in PATH: every verb says so", async () => {
    const env = { PATH: join(folder, "empty") };
    const one = ["--parallel", "1"];
    const results = await Promise.all(
      verbs.map((verb) => crosstrail([...verb, "--cwd", folder, ...(verb[0] === "migrate" ? [] : one)], env)),
    );
    for (const { exitCode, stdout, stderr } of results) {
      assert.equal(exitCode, 2, stderr);
      assert.equal(stdout, "");
      assert.match(stderr, /^There is no Pulumi CLI\./);
      assert.match(stderr, /https:\/\/www\.pulumi\.com\/docs\/install\//);
      assert.doesNotMatch(stderr, /\n\s+at /);
    }
  });

  for (const verb of verbs) {
    it(`${verb[0]}: a folder that is none`, async () => {
      const option = "--cwd";
      for (const place of ["/nope", join(root, "package.json")]) {
        const { exitCode, stderr } = await crosstrail([...verb, option, place], {});
        assert.equal(exitCode, 2, stderr);
        assert.match(stderr, /^The project folder is not usable\. Nothing was changed\./);
        assert.ok(stderr.includes(`${option} ${place}`), stderr);
        assert.doesNotMatch(stderr, /\n\s+at /);
      }
      const { exitCode, stderr } = await crosstrail(verb, { PULUMI_OPTION_CWD: "/nope" });
      assert.equal(exitCode, 2, stderr);
      assert.match(stderr, /PULUMI_OPTION_CWD \/nope\n +file\/unreadable: The folder does not exist\./);
    });
  }

  it("a folder without a project, and one without the audit stack's file", async () => {
    const none = await crosstrail(["up", "--yes", "--cwd", dirname(folder)], {});
    assert.equal(none.exitCode, 2);
    assert.match(none.stderr, /run crosstrail init/);
    const other = await crosstrail(["up", "--yes", "--cwd", folder, "--stack", "prod"], {});
    assert.equal(other.exitCode, 2);
    assert.match(other.stderr, /Pulumi\.prod\.yaml\n +file\/unreadable: The file does not exist\./);
  });

  it("errors of the operating system are explained, and bugs keep their stack", () => {
    const denied = Object.assign(new Error("EACCES: permission denied, open '/x'"), { code: "EACCES", path: "/x" });
    assert.match(systemFailure(denied)?.message ?? "", /\/x\n +file\/unreadable: It may not be used by this user\./);
    assert.equal(systemFailure(new TypeError("x is not a function")), undefined);
    assert.equal(systemFailure(Object.assign(new Error("?"), { code: "ERR_INVALID_ARG_TYPE" })), undefined);
    assert.equal(systemFailure("text"), undefined);
  });
});
