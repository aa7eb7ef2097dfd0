/** Which stacks need no engine: the steps that tests/engine/fleet.test.ts takes with its fleet of an audit stack, payments and web. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { stringify } from "yaml";
import * as crosstrail from "../../automation";
import type { Sandbox } from "../../sandbox";
import { AUDIT_ACCOUNT } from "../../sandbox/accounts";
import { STATE_BUCKET } from "./calls";
import { MINUTE } from "./support";

const all = ["audit", "payments", "web"];

export interface Around {
  box: () => Sandbox;
  options: () => crosstrail.PreviewOptions;
  ok: (result: crosstrail.FleetResult) => Record<string, crosstrail.StackResult>;
}

export function unchangedSteps({ box, options, ok }: Around): void {
  const results = (result: crosstrail.FleetResult) => Object.values(ok(result));
  const ran = (stacks: crosstrail.StackResult[]) =>
    Object.fromEntries(stacks.filter(({ attempts }) => attempts > 0).map(({ stack, because }) => [stack, because]));
  /** Which stacks a preview runs, and why. What ran must have found nothing to do, and what did not must say so. */
  const previewed = async (more: Partial<crosstrail.PreviewOptions> = {}) => {
    const stacks = results(await crosstrail.preview({ ...options(), ...more }));
    for (const { stack, attempts, notRun, because, changes } of stacks) {
      assert.deepEqual(changes, {}, stack);
      if (attempts > 0) assert.deepEqual([notRun, typeof because], [undefined, "string"], stack);
      else assert.match(notRun ?? "", /^unchanged since the last up \(20\d\d-.*Z\)$/, stack);
    }
    return ran(stacks);
  };
  const pulumi = async (folder: string, ...args: string[]) => {
    const { code, stdout, stderr } = await box().pulumi([...args, "--non-interactive"], {
      env: { ...options().env, PULUMI_OPTION_CWD: folder },
      timeoutMs: MINUTE,
    });
    assert.equal(code, 0, `pulumi ${args.join(" ")}\n${stdout}${stderr}`);
    return stdout;
  };
  /** A folder from which plain Pulumi works on payments. */
  const byHand = () => {
    const folder = path.join(box().folder, "unchanged-by-hand");
    fs.mkdirSync(folder, { recursive: true });
    const copy = (name: string) => fs.readFileSync(path.join(box().projectFolder, name), "utf8");
    fs.writeFileSync(path.join(folder, "Pulumi.yaml"), copy("Pulumi.yaml"));
    const salt = /^encryptionsalt:.*$/m.exec(copy("Pulumi.audit.yaml"))?.[0] ?? "";
    const config = {
      "aws:region": "us-east-1",
      "aws:allowedAccountIds": ["222222222222"],
      "aws:assumeRoles": [{ roleArn: "arn:aws:iam::222222222222:role/CrosstrailDeploy", externalId: "archive-7" }],
      "crosstrail:role": "member",
      "crosstrail:accountId": "222222222222",
      "crosstrail:auditStack": "audit",
    };
    fs.writeFileSync(path.join(folder, "Pulumi.payments.yaml"), `${salt}\n${stringify({ config })}`);
    return folder;
  };
  it("is not run where nothing has changed, and says so; --full runs all of it", async () => {
    assert.deepEqual(await previewed(), {});
    assert.deepEqual(Object.keys(await previewed({ full: true })), all);
  });

  it("is read back by up, also where no engine runs", async () => {
    const stacks = results(await crosstrail.up(options()));
    assert.deepEqual(
      stacks.map(({ stack, attempts, trail }) => [stack, attempts, trail?.isLogging]),
      all.map((stack) => [stack, 0, true]),
    );
    assert.ok(stacks.every(({ notRun }) => notRun !== undefined));
    const compared = results(await crosstrail.preview({ ...options(), refresh: true }));
    assert.deepEqual(ran(compared), {});
    assert.ok(compared.every(({ trail }) => trail?.isLogging));
  });

  it("runs what is locked, has open operations, or no record that can be read", async () => {
    const state = path.join(box().folder, "state", ".pulumi");
    /** Writes a file for one preview, or takes it away, and leaves everything as it was. */
    const meanwhile = async (file: string, text: string | undefined) => {
      const before = fs.existsSync(file) ? fs.readFileSync(file) : undefined;
      if (text === undefined) fs.rmSync(file);
      else fs.writeFileSync(file, text);
      const found = await previewed();
      if (before) fs.writeFileSync(file, before);
      else fs.rmSync(file);
      return found;
    };
    const locks = path.join(state, "locks", "organization", "crosstrail", "payments");
    fs.mkdirSync(locks, { recursive: true });
    const lock = JSON.stringify({ pid: 1, username: "me", hostname: "elsewhere", timestamp: new Date() });
    assert.deepEqual(await meanwhile(path.join(locks, "00000000-0000-4000-8000-000000000000.json"), lock), {
      payments: "it is locked by another run",
    });
    const stack = path.join(state, "stacks", "crosstrail", "payments.json");
    const checkpoint = JSON.parse(fs.readFileSync(stack, "utf8")) as {
      checkpoint: { latest: { resources: { type: string }[]; pending_operations?: unknown[] } };
    };
    const { latest } = checkpoint.checkpoint;
    const trail = latest.resources.find(({ type }) => type === "aws:cloudtrail/trail:Trail");
    latest.pending_operations = [{ resource: trail, type: "updating" }];
    assert.deepEqual(await meanwhile(stack, JSON.stringify(checkpoint)), {
      payments: "an interrupted run left operations open",
    });
    const history = path.join(state, "history", "crosstrail", "payments");
    const newest = fs
      .readdirSync(history)
      .filter((name) => name.endsWith(".history.json"))
      .sort()
      .at(-1) as string;
    const entry = path.join(history, newest);
    const unreadable = { payments: "its last update cannot be read from the backend" };
    assert.deepEqual(await meanwhile(entry, "{"), unreadable);
    assert.deepEqual(await meanwhile(entry.replace(".history.", ".checkpoint."), undefined), unreadable);
    assert.deepEqual(await previewed(), {});
  });

  it("runs what plain Pulumi has imported, updated or refreshed, until crosstrail up has run it", async () => {
    const folder = byHand();
    const file = path.join(folder, "state.json");
    fs.writeFileSync(file, await pulumi(folder, "stack", "export", "--stack", "payments"), { mode: 0o600 });
    await pulumi(folder, "stack", "import", "--stack", "payments", "--file", file);
    assert.deepEqual(await previewed(), { payments: "its state was changed after its last update" });
    await pulumi(folder, "up", "--yes", "--skip-preview", "--stack", "payments");
    assert.deepEqual(await previewed(), {
      payments: "its last update was not made by this version of crosstrail up",
    });
    await pulumi(folder, "refresh", "--yes", "--skip-preview", "--stack", "payments");
    assert.deepEqual(await previewed(), { payments: "its last operation was not an update (refresh)" });
    ok(await crosstrail.up({ ...options(), only: ["payments"] }));
    assert.deepEqual(await previewed(), {});
  });

  it("runs where the environment or the configuration differs", async () => {
    const differs = "its configuration, the contract, the environment or a version differs";
    const env = { ...options().env, AWS_USE_FIPS_ENDPOINT: "false" };
    assert.deepEqual(await previewed({ env }), { audit: differs, payments: differs, web: differs });
    const file = path.join(box().projectFolder, "Pulumi.audit.yaml");
    const text = fs.readFileSync(file, "utf8");
    fs.writeFileSync(file, text.replace("config:\n", 'config:\n  crosstrail:memberDefaults: {tags: {team: "x"}}\n'));
    const stacks = results(await crosstrail.preview(options()));
    assert.deepEqual(ran(stacks), {
      audit: "its configuration differs",
      payments: "its configuration differs",
      web: "its configuration differs",
    });
    assert.deepEqual(
      stacks.map(({ stack, changes }) => [stack, changes]),
      [
        ["audit", {}],
        ["payments", { update: 1 }],
        ["web", { update: 1 }],
      ],
    );
    fs.writeFileSync(file, text);
    assert.deepEqual(await previewed(), {});
  });

  it("runs with another passphrase, which fails", async () => {
    const env = { ...options().env, PULUMI_CONFIG_PASSPHRASE: "not this one" };
    const result = await crosstrail.preview({ ...options(), env }).catch((error: Error) => error);
    const text = result instanceof Error ? result.message : JSON.stringify(result.stacks);
    assert.ok(result instanceof Error || result.status === "failed", text);
    assert.match(text, /passphrase/);
  });

  it("is not run in an S3 bucket either, once it is up there", async () => {
    const access = await box().aws(AUDIT_ACCOUNT);
    const s3 = new S3Client({ ...access, forcePathStyle: true });
    const Bucket = STATE_BUCKET;
    const state = path.join(box().folder, "state");
    await s3.send(new CreateBucketCommand({ Bucket }));
    for (const name of fs.readdirSync(state, { recursive: true }) as string[]) {
      const file = path.join(state, name);
      if (!fs.statSync(file).isFile()) continue;
      await s3.send(new PutObjectCommand({ Bucket, Key: `fleet/${name}`, Body: fs.readFileSync(file) }));
    }
    const url = `s3://${Bucket}/fleet?region=us-east-1&s3ForcePathStyle=true&endpoint=${encodeURIComponent(access.endpoint)}`;
    const env = { ...options().env, PULUMI_BACKEND_URL: url };
    assert.deepEqual(await previewed({ env }), {});
    const up = ok(await crosstrail.up({ ...options(), env, only: ["web"], full: true }));
    assert.equal(up.web?.attempts, 1);
    assert.deepEqual(await previewed({ env }), {});
    const { Contents = [] } = await s3.send(
      new ListObjectsV2Command({ Bucket, Prefix: "fleet/.pulumi/history/crosstrail/web/" }),
    );
    const newest = Contents.map(({ Key = "" }) => Key).filter((key) => key.endsWith(".checkpoint.json"));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: newest.sort().at(-1) as string }));
    assert.deepEqual(await previewed({ env }), { web: "its last update cannot be read from the backend" });
    s3.destroy();
  });
}
