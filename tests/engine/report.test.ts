/**
 * `crosstrail preview --report` on a fleet that is deployed, and then configured otherwise: as the workflow to copy
 * runs it.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { up } from "../../automation";
import type { ReportData } from "../../automation/report";
import { ROOT, type Sandbox } from "../../sandbox";
import { AUDIT_STACK, auditConfig } from "../../sandbox/accounts";
import { crosstrail } from "../support/cli";
import { callsOf, expectAllUsed, expectGranted, rolesOf } from "./calls";
import { inSteps, MINUTE, sandbox } from "./support";

describe("engine: the report of a preview", function () {
  this.timeout(10 * MINUTE);
  inSteps(this);
  let box: Sandbox;
  before(async () => {
    box = await sandbox();
  });
  after(() => box?.stop());

  const configure = (change: Record<string, unknown>) => {
    const roles = { "crosstrail:deployRole": "arn:{partition}:iam::{accountId}:role/CrosstrailDeploy" };
    box.configure(AUDIT_STACK, { ...auditConfig(), ...roles, ...change });
  };
  /** The step of the workflow that previews, as GitHub runs it. */
  const workflowStep = (folder: string) => {
    const { jobs } = parse(fs.readFileSync(path.join(ROOT, ".github/workflows/preview.yml"), "utf8")) as {
      jobs: { preview: { steps: { id?: string; run: string; env: Record<string, string> }[] } };
    };
    const step = jobs.preview.steps.find(({ id }) => id === "preview");
    assert.ok(step);
    const env = {
      ...box.env,
      ROLE: step.env.ROLE,
      CROSSTRAIL: `node ${path.join(ROOT, "bin/crosstrail.js")}`,
      GITHUB_OUTPUT: path.join(folder, "output"),
      GITHUB_STEP_SUMMARY: path.join(folder, "summary"),
    };
    return new Promise<{ code: unknown; output: string }>((resolve) => {
      execFile("bash", ["-e", "-c", step.run], { cwd: folder, env, timeout: 5 * MINUTE }, (error, stdout, stderr) =>
        resolve({ code: error ? (error.code ?? error.signal) : 0, output: stdout + stderr }),
      );
    });
  };
  const payments = { accountId: "222222222222", alias: "payments" };
  const web = { accountId: "333333333333", alias: "web" };

  it("tells what changes for members that come and go, and for those that stay", async () => {
    configure({ "crosstrail:members": [payments] });
    const { status, stacks } = await up({ env: box.env, projectFolder: box.projectFolder });
    assert.equal(status, "succeeded", JSON.stringify(stacks.map(({ findings }) => findings)));
    expectGranted(callsOf(box), "deploy", rolesOf(box));

    configure({
      "crosstrail:members": [web],
      "crosstrail:requireMfa": true,
      "crosstrail:accessLogBucket": "crosstrail-example-access-logs",
    });
    const folder = path.join(box.folder, "job");
    fs.mkdirSync(folder);
    const { length: before } = callsOf(box);
    const { code, output } = await workflowStep(folder);
    expectGranted(callsOf(box).slice(before), "preview", rolesOf(box));
    assert.equal(code, 0, output);
    assert.equal(fs.readFileSync(path.join(folder, "output"), "utf8"), "report=true\n");
    const read = (name: string) => fs.readFileSync(path.join(folder, "preview", name), "utf8");
    const { summary, access, findings, accounts } = JSON.parse(read("preview.json")) as ReportData;
    assert.deepEqual(summary, {
      stacks: 3,
      changed: 3,
      unchanged: 0,
      notRun: 0,
      failed: 0,
      create: 9,
      update: 2,
      replace: 0,
      delete: 1,
    });
    assert.deepEqual(
      accounts.map(({ stack, changes }) => [stack, ...changes.map(({ op, type }) => `${op} ${type}`).sort()]),
      [
        ["payments", "delete aws:cloudtrail/trail:Trail"],
        [
          "audit",
          "create aws:s3/bucket:Bucket",
          "create aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
          "create aws:s3/bucketLogging:BucketLogging",
          "create aws:s3/bucketOwnershipControls:BucketOwnershipControls",
          "create aws:s3/bucketPolicy:BucketPolicy",
          "create aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
          "create aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
          "create aws:s3/bucketVersioning:BucketVersioning",
          "update aws:kms/key:Key",
          "update aws:s3/bucketPolicy:BucketPolicy",
        ],
        ["web", "create aws:cloudtrail/trail:Trail"],
      ],
    );
    assert.deepEqual(
      access.map(({ change, what, who }) => [change, what, who.map(({ alias }) => alias).join()]),
      [
        ["gains", "A trail of the fleet delivers its logs", "web"],
        ["loses", "A trail of the fleet delivers its logs", "payments"],
        ["loses", "Logs are read or deleted without MFA although it is required", "audit,web,payments"],
        // Another bucket of the stack: compared with itself, not taken for the archive's.
        ["gains", "Access to the bucket crosstrail-example-access-logs", "audit"],
      ],
    );
    assert.deepEqual(
      findings.map(({ id }) => id),
      ["preview/trail-gone", "fleet/mass-removal"],
    );
    const config = box.config("audit");
    assert.deepEqual(config["aws:assumeRoles"], [{ roleArn: "arn:aws:iam::111111111111:role/CrosstrailPreview" }]);
    assert.equal(config["crosstrail:deployRole"], "arn:{partition}:iam::{accountId}:role/CrosstrailPreview");
    assert.equal(fs.readFileSync(path.join(folder, "summary"), "utf8"), read("preview.md"));
    assert.match(read("preview.md"), /^<!-- crosstrail-preview -->\n/);
    assert.match(read("preview.html"), /CloudTrailWrite333333333333/);
  });

  it("is printed, and says what failed; the exit code says it, too", async () => {
    configure({ "crosstrail:members": [payments], "aws:allowedAccountIds": ["999999999999"] });
    const { exitCode, stdout } = await crosstrail(["preview", "--report", "markdown", "--only", "audit"], {
      env: box.env,
    });
    assert.notEqual(exitCode, 0);
    assert.match(stdout, /^<!-- crosstrail-preview -->\n/);
    assert.match(stdout, /\*\*the preview failed\*\*/);
    assert.match(stdout, /Unknown: The audit stack, which has the policies, has no preview/);
  });

  it("left no grant for reading back unused", () => {
    expectAllUsed(callsOf(box), "readBack");
  });
});
