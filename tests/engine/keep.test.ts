/** A sandbox that is kept, used from the repository's root with plain `pulumi`, and stopped. In a copy: the user's own may be kept. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { ROOT } from "../../sandbox";
import { callsOf, expectGranted, rolesOf } from "./calls";
import { inSteps, MINUTE } from "./support";

describe("engine: npm start -- --keep", function () {
  this.timeout(10 * MINUTE);
  inSteps(this);
  let copy: string;
  let endpoint: string;

  before("a copy of the project", () => {
    copy = fs.mkdtempSync(path.join(os.tmpdir(), "crosstrail-keep-"));
    const own = [".git", ".sandbox", "node_modules", "dist"].map((name) => path.join(ROOT, name));
    fs.cpSync(ROOT, copy, { recursive: true, filter: (file) => !own.includes(file) });
    fs.symlinkSync(path.join(ROOT, "node_modules"), path.join(copy, "node_modules"));
  });
  after(async () => {
    await shell("npm run -s sandbox:stop");
    fs.rmSync(copy, { recursive: true, force: true });
  });

  const shell = (script: string) =>
    new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      execFile("bash", ["-c", script], { cwd: copy, timeout: 5 * MINUTE }, (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr }),
      );
    });
  const works = async (script: string) => {
    const { code, stdout, stderr } = await shell(script);
    assert.equal(code, 0, `${script}\n${stdout}${stderr}`);
    return stdout;
  };
  const inShell = 'eval "$(npm run -s sandbox:env)"';
  const inSandbox = (script: string) => `${inShell} && ${script} --non-interactive --color=never`;
  const answers = (url: string) =>
    fetch(url, { signal: AbortSignal.timeout(MINUTE) }).then(
      () => true,
      () => false,
    );

  it("says what is missing when none is kept", async () => {
    const { code, stdout, stderr } = await shell("npm run -s sandbox:env");
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.match(stderr, /npm start -- --keep/);
  });

  it("is left running, and says how to use it", async () => {
    const output = await works("npm start -- --keep");
    for (const line of ['eval "$(npm run -s sandbox:env)"', "pulumi preview -s audit", "pulumi up -s payments"]) {
      assert.ok(output.includes(line), output);
    }
    endpoint = (await works(`${inShell} && printf %s "$AWS_ENDPOINT_URL"`)).trim();
    assert.equal(await answers(endpoint), true);
  });

  it("is not run again where nothing has changed", async () => {
    const output = await works("npm start -- --keep");
    assert.match(output, /A sandbox is running already/);
    assert.match(output, /^3 not run, unchanged since the last up: audit, .+$/m);
    assert.match(output, /^preview: 3 stacks, 3 not run, unchanged since the last up \(/m);
  });

  it("serves plain pulumi in the project's root, without a change to its files", async () => {
    await works(inSandbox("pulumi preview -s audit --expect-no-changes"));
    await works(inSandbox("pulumi up -s payments --yes --expect-no-changes"));
    assert.deepEqual(
      fs.readdirSync(copy).filter((name) => /^Pulumi\..+\.yaml$/.test(name)),
      ["Pulumi.audit.yaml", "Pulumi.management.yaml", "Pulumi.member.yaml"],
    );
    assert.equal(
      fs.readFileSync(path.join(copy, "Pulumi.audit.yaml"), "utf8"),
      fs.readFileSync(path.join(ROOT, "Pulumi.audit.yaml"), "utf8"),
    );
  });

  it("deployed its fleet with calls that a deploy role may make", () => {
    const folder = path.join(copy, ".sandbox", "kept");
    const calls = callsOf({ folder });
    assert.ok(calls.some(({ operation }) => operation === "CreateTrail"));
    expectGranted(calls, "deploy", rolesOf({ folder, projectFolder: path.join(folder, "project") }));
  });

  it("ends with sandbox:stop, and leaves nothing", async () => {
    await works("npm run -s sandbox:stop");
    assert.equal(await answers(endpoint), false);
    assert.ok(!fs.existsSync(path.join(copy, ".sandbox", "kept")));
  });
});
