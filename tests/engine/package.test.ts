/** The npm package as its users have it: packed, installed into an empty project, and used there. */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { parse } from "yaml";
import { CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { CreateBucketCommand, PutBucketPolicyCommand, S3Client } from "@aws-sdk/client-s3";
import type { TrailIdentity } from "../../core/names";
import { bucketPolicy } from "../../core/policies/bucket";
import { keyPolicy } from "../../core/policies/key";
import { AUDIT_ACCOUNT } from "../../sandbox/accounts";
import type { Sandbox } from "../../sandbox";
import { ROOT } from "../../sandbox";
import { held } from "./calls";
import { Engine, inSteps, MINUTE, sandbox } from "./support";

describe("engine: the npm package", function () {
  this.timeout(15 * MINUTE);
  inSteps(this);
  let app: string;
  const boxes: Sandbox[] = [];

  /** npm's own variables would tell the npm in here about the one that runs these tests. */
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(npm_(package|lifecycle)_|npm_config_local_prefix|INIT_CWD)/.test(name),
    ),
  );
  const run = (command: string, args: string[], cwd = app) =>
    new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      execFile(command, args, { cwd, env, timeout: 10 * MINUTE }, (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr }),
      );
    });
  const works = async (command: string, args: string[], cwd = app) => {
    const { code, stdout, stderr } = await run(command, args, cwd);
    assert.equal(code, 0, `${command} ${args.join(" ")}\n${stdout}${stderr}`);
    return stdout;
  };
  const write = (name: string, text: string) => {
    fs.mkdirSync(path.dirname(path.join(app, name)), { recursive: true });
    fs.writeFileSync(path.join(app, name), text);
  };

  before("packed, and installed into an empty project", async function () {
    this.timeout(30 * MINUTE);
    app = fs.mkdtempSync(path.join(os.tmpdir(), "crosstrail-package-"));
    const dist = path.join(ROOT, "dist");
    const hadDist = fs.existsSync(dist);
    const packed = await works("npm", ["pack", "--silent", "--pack-destination", app], ROOT);
    if (!hadDist) fs.rmSync(dist, { recursive: true });
    write("package.json", JSON.stringify({ name: "app", private: true }));
    const file = packed.trim().split("\n").at(-1) as string;
    await works("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", path.join(app, file)]);
    fs.rmSync(path.join(app, file));
  });
  after(async () => {
    for (const box of boxes) await box.stop();
    if (app) fs.rmSync(app, { recursive: true, force: true });
  });

  it("has what it needs, and nothing of the tests, the sandbox and their tools", () => {
    const installed = path.join(app, "node_modules", "crosstrail");
    assert.deepEqual(
      fs
        .readdirSync(installed)
        .filter((name) => name !== "node_modules")
        .sort(),
      [
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "LICENSE",
        "PulumiPlugin.yaml",
        "README.md",
        "SECURITY.md",
        "bin",
        "dist",
        "docs",
        "examples",
        "package.json",
        "schema.json",
      ],
    );
    const { devDependencies, exports } = JSON.parse(fs.readFileSync(path.join(installed, "package.json"), "utf8")) as {
      devDependencies: Record<string, string>;
      exports: Record<string, string | Record<string, string>>;
    };
    for (const name of ["mocha", "eslint", "fast-check", "listr2"]) {
      assert.ok(name in devDependencies, name);
      assert.ok(!fs.existsSync(path.join(app, "node_modules", name)), `${name} is installed with the package`);
    }
    for (const target of Object.values(exports).flatMap((each) =>
      typeof each === "string" ? each : Object.values(each),
    )) {
      assert.ok(fs.existsSync(path.join(installed, target)), target);
    }
  });

  it("links and names no file that it lacks", () => {
    const installed = path.join(app, "node_modules", "crosstrail");
    const files = fs
      .readdirSync(installed, { recursive: true, encoding: "utf8" })
      .filter((file) => !file.includes("node_modules") && /\.(md|js|d\.ts|yaml)$/.test(file));
    const missing = files.flatMap((file) => {
      const text = fs.readFileSync(path.join(installed, file), "utf8");
      const links = file.endsWith(".md") ? [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)\s#]+)[^)]*\)/g)] : [];
      const linked = links.map(([, to]) => path.join(path.dirname(file), to as string));
      // In messages and in what an editor shows.
      const named = [...text.matchAll(/(?<![\w/.-])docs\/[\w-]+\.md/g)].map(([name]) => name);
      return [...linked, ...(file.endsWith(".md") ? [] : named)]
        .filter((to) => !fs.existsSync(path.join(installed, to)))
        .map((to) => `${file}: ${to}`);
    });
    assert.ok(files.length > 100);
    assert.deepEqual(missing, []);
  });

  it("runs as a command, with a fleet that `init` wrote", async () => {
    assert.match(await works("npx", ["crosstrail", "--help"]), /^Usage: crosstrail/);
    const init = ["--audit-account", "111111111111", "--bucket", "package-test-logs", "--region", "us-east-1"];
    const fleet = ["--member", "payments=222222222222", "--deploy-role", "CrosstrailDeploy", "--member-stacks"];
    const output = await works("npx", ["crosstrail", "init", ...init, ...fleet]);
    assert.match(
      output,
      /^Written: Pulumi.yaml, index.js, Pulumi.audit.yaml, Pulumi.member.yaml, Pulumi.payments.yaml\n/,
    );
    assert.ok(!output.includes("npm install"), "it is installed already");
    assert.match(await works("npx", ["crosstrail", "simulate"]), /questions: all as expected/);
  });

  it("is a library, for require and for import, with types", async () => {
    const names = "AuditBucket, AuditKey, LogReader, MemberTrail, bucketPolicy, evaluate, parseSettings, trailArn";
    const count = `console.log([${names}].filter((each) => typeof each === "function").length)`;
    write("own/required.cjs", `const { ${names} } = require("crosstrail");\n${count};\n`);
    write("own/imported.mjs", `import { ${names} } from "crosstrail";\n${count};\n`);
    for (const file of ["own/required.cjs", "own/imported.mjs"]) assert.equal(await works("node", [file]), "8\n", file);

    for (const file of ["Pulumi.yaml", "index.ts"]) {
      write(`own/${file}`, example(`components/${file}`));
      write(`existing/${file}`, example(`existing-bucket/${file}`));
    }
    write(
      "own/wrong.ts",
      'import { trailArn } from "crosstrail";\nexport const arn: number = trailArn({ region: 5 });\n',
    );
    const options = [
      "--noEmit",
      "--strict",
      "--target",
      "es2022",
      "--module",
      "node16",
      "--moduleResolution",
      "node16",
    ];
    const check = (file: string) => run("npx", ["tsc", ...options, file]);
    for (const file of ["own/index.ts", "existing/index.ts"]) {
      const right = await check(file);
      assert.deepEqual([right.code, right.stdout], [0, ""], file);
    }
    const { code, stdout } = await check("own/wrong.ts");
    assert.notEqual(code, 0);
    assert.match(stdout, /TS2322.*\n[^]*TS/);

    // Closed sets are types: a misspelled word does not compile.
    write(
      "own/misspelt.ts",
      'import { AuditBucket, MemberTrail } from "crosstrail";\n' +
        'new AuditBucket("a", { bucketName: "a", trailArns: [], keyArn: "a", policyForm: "perTrai" });\n' +
        'new MemberTrail("a", { trailName: "a", bucketName: "a", keyArn: "a", events: ["managment"] });\n',
    );
    const misspelt = await check("own/misspelt.ts");
    assert.match(misspelt.stdout, /\(2,.*"perTrai"/);
    assert.match(misspelt.stdout, /\(3,.*"managment"/);
  });

  it("has its types also where modules are resolved the old way", async () => {
    write(
      "old/index.ts",
      'import { up } from "crosstrail/automation";\nimport { trailArn } from "crosstrail";\nvoid [up, trailArn];\n',
    );
    const options = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "commonjs"];
    assert.equal(await works("npx", ["tsc", ...options, "--moduleResolution", "node10", "old/index.ts"]), "");
  });

  it("can be tested with Pulumi's mocks", async () => {
    for (const file of ["archive.ts", "archive.test.ts", "tsconfig.json"])
      write(`testing/${file}`, example(`testing/${file}`));
    const node = ["--require", "ts-node/register/transpile-only", "--test", "archive.test.ts"];
    assert.match(await works(process.execPath, node, path.join(app, "testing")), /# pass 3\n# fail 0/);
  });

  /** The schema that Pulumi's language host gets when it starts the plugin of `folder` for a program in `cwd`. */
  const schemaOf = async (folder: string, cwd: string) => {
    write("serve.cjs", server);
    const { runtime } = parse(fs.readFileSync(path.join(folder, "PulumiPlugin.yaml"), "utf8")) as {
      runtime: { options?: { typescript?: boolean } };
    };
    const child = spawn(process.execPath, [path.join(app, "serve.cjs"), folder], {
      cwd,
      // As the host of Pulumi 3.259 starts it, whatever the user's program is written in.
      env: { ...env, PULUMI_NODEJS_TYPESCRIPT: String(runtime.options?.typescript ?? true) },
      timeout: 5 * MINUTE,
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    await new Promise((resolve) => child.on("close", resolve));
    assert.notEqual(stdout, "", stderr);
    return JSON.parse(stdout) as { name: string; namespace: string; resources: Record<string, object> };
  };

  it("serves its components to other languages", async () => {
    const { name, namespace, resources } = await schemaOf(path.join(app, "node_modules", "crosstrail"), app);
    assert.deepEqual([name, namespace], ["crosstrail", "crosstrail"]);
    assert.ok(Object.keys(resources).includes("crosstrail:index:AuditBucket"));
  });

  it("serves them from a clone, too: in a folder without a tsconfig.json, and in one with another program's", async () => {
    const foreign = { compilerOptions: { target: "es5", module: "commonjs", moduleResolution: "node10", types: [] } };
    write("foreign/tsconfig.json", JSON.stringify(foreign));
    fs.mkdirSync(path.join(app, "bare"));
    for (const cwd of [path.join(app, "foreign"), path.join(app, "bare")]) {
      const { resources } = await schemaOf(path.join(ROOT, "plugin"), cwd);
      assert.ok(Object.keys(resources).includes("crosstrail:index:AuditBucket"), cwd);
    }
  });

  it("is the program of the project that `init` wrote: up, nothing to do, destroy", async () => {
    const box = held(await sandbox({ project: app }));
    boxes.push(box);
    const engine = new Engine(box);
    for (const stack of ["audit", "payments"]) {
      const { config } = parse(fs.readFileSync(path.join(app, `Pulumi.${stack}.yaml`), "utf8")) as {
        config: Record<string, unknown>;
      };
      await box.stack(stack, config);
    }
    assert.deepEqual(await engine.up("audit"), { create: 13 });
    assert.deepEqual(await engine.up("payments"), { create: 3 });
    await engine.run("preview", "payments", "--expect-no-changes");
    const outputs = await box.outputs("payments");
    assert.equal(outputs.trailArn, "arn:aws:cloudtrail:us-east-1:222222222222:trail/crosstrail");
    await engine.run("destroy", "payments");
  });

  it("gives components to a program of one's own: up, nothing to do, destroy", async () => {
    const box = await sandbox({ project: path.join(app, "own") });
    boxes.push(box);
    const engine = new Engine(box);
    await box.stack("dev", { "aws:region": "us-east-1" });
    await engine.up("dev");
    await engine.run("preview", "dev", "--expect-no-changes");
    assert.deepEqual(await box.outputs("dev"), { bucket: "own-program-logs" });
    assert.deepEqual(
      (await engine.resources("dev"))
        .filter(({ type }) => type.startsWith("crosstrail:"))
        .map(({ type }) => type)
        .sort(),
      ["crosstrail:index:AuditBucket", "crosstrail:index:AuditKey", "crosstrail:index:MemberTrail"],
    );
    await engine.run("destroy", "dev");
  });

  it("makes a trail for a bucket and a key of somebody else's, and none that their policy refuses", async () => {
    const box = await sandbox({ project: path.join(app, "existing") });
    boxes.push(box);
    const engine = new Engine(box);
    const trail = { partition: "aws" as const, region: "us-east-1", accountId: AUDIT_ACCOUNT, name: "existing" };
    const [s3, kms] = [
      new S3Client({ ...(await box.aws(AUDIT_ACCOUNT)), forcePathStyle: true }),
      new KMSClient(await box.aws(AUDIT_ACCOUNT)),
    ];
    const Bucket = "existing-logs";
    await s3.send(new CreateBucketCommand({ Bucket }));
    const Policy = JSON.stringify(
      keyPolicy({ partition: "aws", auditAccountId: AUDIT_ACCOUNT, trails: [trail] }).document,
    );
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Policy }));
    await box.stack("dev", { "aws:region": "us-east-1", "existing:keyArn": KeyMetadata?.Arn });
    const allow = (trails: TrailIdentity[]) =>
      s3.send(
        new PutBucketPolicyCommand({
          Bucket,
          Policy: JSON.stringify(bucketPolicy({ partition: "aws", bucketName: Bucket, trails }).document),
        }),
      );
    await allow([{ ...trail, name: "another" }]);
    const refused = await engine.attempt("up", "dev");
    assert.notEqual(refused.code, 0);
    assert.match(refused.text, /The trail could not deliver\. .*s3:GetBucketAcl/);

    await allow([trail]);
    await engine.up("dev");
    await engine.run("preview", "dev", "--expect-no-changes");
    await engine.run("destroy", "dev");
  });
});

/** The examples, as a user has them. */
const example = (name: string) => fs.readFileSync(path.join(ROOT, "examples", name), "utf8");

/** Starts a package as Pulumi does for other languages, and prints its schema. */
const server = `
const { spawn } = require("node:child_process");
const path = require("node:path");
const grpc = require("@grpc/grpc-js");
const { ResourceProviderClient } = require("@pulumi/pulumi/proto/provider_grpc_pb");
const { GetSchemaRequest } = require("@pulumi/pulumi/proto/provider_pb");
const folder = process.argv[2];
const plugin = spawn(process.execPath, [require.resolve("@pulumi/pulumi/cmd/run-plugin"), folder, "127.0.0.1:1"], {
  stdio: ["ignore", "pipe", "inherit"],
});
let output = "";
plugin.stdout.on("data", (chunk) => {
  output += chunk;
  const [, port] = /^(\\d+)\\n/.exec(output) ?? [];
  if (!port) return;
  const client = new ResourceProviderClient("127.0.0.1:" + port, grpc.credentials.createInsecure());
  client.getSchema(new GetSchemaRequest(), (error, response) => {
    console.log(error ? JSON.stringify({ error: String(error) }) : response.getSchema());
    plugin.kill();
  });
});
`;
