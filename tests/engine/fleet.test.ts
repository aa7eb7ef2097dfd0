/** The whole fleet with `crosstrail up` and its like: order, failures, retries, a killed run, removal. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CloudTrailClient, DescribeTrailsCommand, StopLoggingCommand } from "@aws-sdk/client-cloudtrail";
import { KMSClient, ListKeysCommand } from "@aws-sdk/client-kms";
import { HeadBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { stringify } from "yaml";
import * as crosstrail from "../../automation";
import { findMarked, MARK, run } from "../../automation/process";
import { ROOT, type Sandbox } from "../../sandbox";
import { AUDIT_ACCOUNT, auditConfig } from "../../sandbox/accounts";
import { type Call, type Faults, faultsBefore } from "../support/faults";
import { inSteps, MINUTE, sandbox } from "./support";
import { unchangedSteps } from "./unchanged";

const PAYMENTS = { accountId: "222222222222", alias: "payments" };
const WEB = { accountId: "333333333333", alias: "web" };

describe("engine: the fleet", function () {
  this.timeout(5 * MINUTE);
  inSteps(this);
  let box: Sandbox;
  let faults: Faults;
  let env: NodeJS.ProcessEnv;

  before(async () => {
    box = await sandbox();
    faults = await faultsBefore(box.endpoint);
    env = { ...box.env, AWS_ENDPOINT_URL: faults.endpoint };
    declare(PAYMENTS, WEB);
  });
  after(async () => {
    await faults?.close();
    await box?.stop();
  });

  /** Declares the fleet; only the audit stack has a file. */
  const declare = (...members: object[]) => {
    const file = path.join(box.projectFolder, "Pulumi.audit.yaml");
    const before = fs.existsSync(file) ? /^encryptionsalt:.*$/m.exec(fs.readFileSync(file, "utf8"))?.[0] : undefined;
    const config = {
      ...auditConfig(),
      "crosstrail:deployRole": "arn:{partition}:iam::{accountId}:role/CrosstrailDeploy",
      "crosstrail:deployExternalId": "archive-7",
      "crosstrail:members": members,
    };
    fs.writeFileSync(file, `${stringify({ config })}${before ?? ""}\n`);
  };
  const events: crosstrail.FleetEvent[] = [];
  const options = () => {
    events.length = 0;
    return {
      projectFolder: box.projectFolder,
      env,
      parallel: 3,
      timeoutSeconds: 120,
      onEvent: (event: crosstrail.FleetEvent) => void events.push(event),
    };
  };
  const ok = (result: crosstrail.FleetResult) => {
    assert.equal(
      result.status,
      "succeeded",
      JSON.stringify(
        result.stacks.filter(({ status }) => status !== "succeeded"),
        null,
        1,
      ),
    );
    return Object.fromEntries(result.stacks.map((stack) => [stack.stack, stack]));
  };
  const stacks = async () => {
    const { stdout } = await box.pulumi(["stack", "ls", "--json"]);
    return (JSON.parse(stdout) as { name: string }[]).map(({ name }) => name);
  };
  const trailsOf = async (accountId: string) => {
    const client = new CloudTrailClient(await box.aws(accountId));
    const { trailList = [] } = await client.send(new DescribeTrailsCommand({}));
    client.destroy();
    return trailList.map(({ TrailARN }) => TrailARN);
  };
  const locks = () => {
    const folder = path.join(box.folder, "state", ".pulumi", "locks");
    return fs.existsSync(folder)
      ? fs.readdirSync(folder, { recursive: true }).filter((name) => String(name).endsWith(".json"))
      : [];
  };
  /** Resolves when a call arrives that `decide` lets hang. */
  const hangs = (how: "hang" | "hang after", is: (call: Call) => boolean) =>
    new Promise<void>((resolve) => {
      faults.decide = (call) => {
        if (!is(call)) return undefined;
        resolve();
        return how;
      };
    });
  const ended = (child: ChildProcess) =>
    child.exitCode !== null || child.signalCode !== null
      ? Promise.resolve()
      : new Promise<void>((resolve) => child.once("exit", () => resolve()));

  it("is previewed before anything is there, and nothing is made for that", async () => {
    const result = ok(await crosstrail.preview(options()));
    assert.deepEqual(Object.keys(result), ["audit", "payments", "web"]);
    for (const stack of Object.values(result)) {
      assert.ok(stack.resources.length > 0, stack.stack);
      assert.deepEqual([...new Set(stack.resources.map(({ op }) => op))], ["create"]);
    }
    const policy = result.audit?.resources.find(({ type }) => type === "aws:s3/bucketPolicy:BucketPolicy");
    assert.match(String(policy?.after?.policy), /222222222222/);
    assert.deepEqual(await stacks(), []);
  });

  it("goes on after kill -9 in the middle of creating the key: no lock, and no second key", async () => {
    const reached = hangs("hang after", ({ operation }) => operation === "CreateKey");
    const cli = spawn(process.execPath, [path.join(ROOT, "bin", "crosstrail.js"), "up", "--yes"], {
      cwd: box.projectFolder,
      env: { ...env, [MARK]: "killed-run" },
      stdio: "ignore",
    });
    await Promise.race([reached, ended(cli)]);
    assert.equal(cli.exitCode, null, "it must not have ended by itself");
    cli.kill("SIGKILL");
    await ended(cli);
    // Its guards end what it had started; a provider that lived on could repeat the call.
    for (let tries = 0; findMarked("killed-run").length > 0 && tries < 240; tries++) await sleep(250);
    assert.deepEqual(findMarked("killed-run"), []);
    assert.deepEqual(locks(), []);
    faults.clear();

    // The member web cannot be entered, and CloudTrail does not know the new policies at once.
    let refused = 0;
    const assumed: string[] = [];
    faults.decide = ({ operation, body }) => {
      if (operation === "AssumeRole") assumed.push(body);
      if (operation === "AssumeRole" && body.includes(WEB.accountId)) {
        return { status: 403, type: "AccessDenied", message: "not authorized to perform: sts:AssumeRole" };
      }
      if (operation === "CreateTrail" && refused++ === 0) {
        return {
          status: 400,
          type: "InsufficientEncryptionPolicyException",
          message: "Insufficient permissions to access S3 bucket or KMS key",
        };
      }
      return undefined;
    };
    const result = await crosstrail.up(options());
    const warnings = events.flatMap((event) => (event.type === "warning" ? [event.message] : []));
    assert.ok(
      warnings.some((text) => /Key audit-key \(.+\), which was adopted/.test(text)),
      warnings.join("\n"),
    );
    const key = new KMSClient(await box.aws(AUDIT_ACCOUNT));
    assert.equal((await key.send(new ListKeysCommand({}))).Keys?.length, 1, "one key for all logs");
    key.destroy();

    const status = Object.fromEntries(result.stacks.map((stack) => [stack.stack, stack]));
    assert.equal(status.audit?.status, "succeeded", JSON.stringify(status.audit?.findings));
    assert.equal(status.audit?.attempts, 2, "the refused trail was tried again");
    assert.ok(events.some((event) => event.type === "retrying" && event.stack === "audit"));
    assert.equal(status.payments?.status, "succeeded", JSON.stringify(status.payments?.findings));
    assert.equal(status.payments?.trail?.isLogging, true);
    assert.equal(status.web?.status, "failed");
    assert.equal(status.web?.exitCode, crosstrail.ExitCode.Authentication);
    assert.match(status.web?.findings[0]?.message ?? "", /role\/CrosstrailDeploy could not be assumed/);
    assert.equal(result.status, "failed");
    // By the provider and by what reads the trails back.
    assert.ok(assumed.length > 2);
    for (const body of assumed) assert.match(body, /ExternalId=archive-7/);
    // The audit stack is over before a member begins.
    const order = events.flatMap((event) =>
      event.type === "started"
        ? [`${event.stack} begins`]
        : event.type === "finished"
          ? [`${event.result.stack} ends`]
          : [],
    );
    assert.deepEqual(order.slice(0, 2), ["audit begins", "audit ends"]);
    faults.clear();
  });

  it("repeats only what failed; then nothing is left to change", async () => {
    const again = ok(await crosstrail.up({ ...options(), failed: true }));
    assert.deepEqual(Object.keys(again), ["web"]);
    assert.equal(again.web?.trail?.isLogging, true);
    const preview = ok(await crosstrail.preview(options()));
    for (const { stack, changes } of Object.values(preview)) assert.deepEqual(changes, {}, stack);
  });

  it("the example finds the same", async () => {
    const { code, stdout, stderr } = await run(
      process.execPath,
      ["-r", "ts-node/register/transpile-only", path.join(ROOT, "examples", "fleet.ts"), box.projectFolder],
      { cwd: ROOT, env, timeoutMs: 2 * MINUTE },
    );
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /^payments 222222222222: not run, unchanged since the last up \(.+\)$/m);
  });

  unchangedSteps({ box: () => box, options, ok });

  it("notices a trail that was stopped, and starts it again", async () => {
    const client = new CloudTrailClient(await box.aws(WEB.accountId));
    await client.send(new StopLoggingCommand({ Name: "crosstrail" }));
    client.destroy();
    const result = await crosstrail.status(options());
    assert.deepEqual(
      result.stacks.map(({ stack, exitCode }) => [stack, exitCode]),
      [
        ["audit", 0],
        ["payments", 0],
        ["web", crosstrail.ExitCode.CheckFailed],
      ],
    );
    assert.equal(result.stacks[2]?.findings[0]?.id, "trail/not-logging");
    const { web } = ok(await crosstrail.up({ ...options(), only: ["web"] }));
    assert.equal(web?.trail?.isLogging, true);
  });

  it("takes away the lock of an engine that was killed, and ends one that hangs when its time is over", async () => {
    const reached = hangs(
      "hang",
      ({ operation, body }) => operation === "AssumeRole" && body.includes(PAYMENTS.accountId),
    );
    const folder = path.join(box.folder, "by-hand");
    fs.mkdirSync(folder);
    for (const name of ["Pulumi.yaml", "Pulumi.audit.yaml"])
      fs.copyFileSync(path.join(box.projectFolder, name), path.join(folder, name));
    fs.writeFileSync(
      path.join(folder, "Pulumi.payments.yaml"),
      stringify({
        config: {
          "aws:region": "us-east-1",
          "aws:assumeRoles": [{ roleArn: `arn:aws:iam::${PAYMENTS.accountId}:role/CrosstrailDeploy` }],
          "crosstrail:role": "member",
          "crosstrail:accountId": PAYMENTS.accountId,
          "crosstrail:auditStack": "audit",
        },
      }),
    );
    const byHand = box.pulumi(["up", "--yes", "--skip-preview", "--stack", "payments"], {
      env: { ...env, PULUMI_OPTION_CWD: folder },
      timeoutMs: MINUTE,
    });
    await Promise.race([reached, byHand]);
    assert.equal(locks().length, 1, "the engine holds its lock");
    const file = String(locks()[0]);
    const { pid } = JSON.parse(fs.readFileSync(path.join(box.folder, "state", ".pulumi", "locks", file), "utf8")) as {
      pid: number;
    };
    process.kill(pid, "SIGKILL");
    await byHand;
    assert.equal(locks().length, 1, "SIGKILL leaves the lock");

    // The call still hangs: the lock goes, and so does the run, in its time.
    const late = await crosstrail.up({ ...options(), only: ["payments"], timeoutSeconds: 15, graceSeconds: 1 });
    assert.equal(late.stacks[0]?.exitCode, crosstrail.ExitCode.Timeout, JSON.stringify(late.stacks[0]?.findings));
    assert.ok(events.some((event) => event.type === "warning" && event.message.includes(`process ${pid}`)));
    assert.deepEqual(locks(), []);
    faults.clear();
    ok(await crosstrail.up({ ...options(), only: ["payments"] }));
  });

  it("destroys the trail of a removed member first, then its authorization", async () => {
    declare(PAYMENTS);
    const result = ok(await crosstrail.up(options()));
    assert.deepEqual(Object.keys(result), ["web", "audit", "payments"]);
    assert.equal(result.web?.action, "destroy");
    assert.deepEqual(await trailsOf(WEB.accountId), []);
    const { trails } = await box.outputs<{ trails: { alias: string }[] }>("audit");
    assert.deepEqual(
      trails.map(({ alias }) => alias),
      ["audit", "payments"],
    );
    const order = events.flatMap((event) => (event.type === "finished" ? [event.result.stack] : []));
    assert.deepEqual(order, ["web", "audit", "payments"]);
  });

  it("is destroyed but for the archive, and the archive's stack never before the trails", async () => {
    const refused = await crosstrail.destroy({ ...options(), only: ["audit"] });
    assert.equal(refused.stacks[0]?.findings[0]?.id, "archive/in-use");
    ok(await crosstrail.destroy(options()));
    assert.deepEqual(await trailsOf(PAYMENTS.accountId), []);
    assert.deepEqual(await trailsOf(AUDIT_ACCOUNT), []);
    const s3 = new S3Client({ ...(await box.aws(AUDIT_ACCOUNT)), forcePathStyle: true });
    await s3.send(new HeadBucketCommand({ Bucket: String(auditConfig()["crosstrail:bucketName"]) }));
    s3.destroy();
  });
});
