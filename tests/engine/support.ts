/** The engine tests' sandbox: the real engine and provider on the emulator, through the same code as `npm start`. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import {
  DeleteBucketPolicyCommand,
  GetBucketPolicyCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { LineProgress, silentProgress } from "../../sandbox/progress";
import { installTools, openSandbox, type Sandbox, type SandboxOptions, type Tools } from "../../sandbox";
import { cleanUp, newRunFolder } from "../../sandbox/keep";
import { AUDIT_STACK, auditConfig, memberConfig } from "../../sandbox/accounts";
import { callsOf, expectGranted, held, isHeld, rolesOf } from "./calls";

// Which Node.js the AWS SDK of next year will need is of no use in a test report.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = "true";

export const MINUTE = 60_000;

/**
 * For a suite whose tests build on each other: what follows a failed one is left out. mocha's own `bail` would end the other
 * test files as well, as they run side by side.
 */
export function inSteps(suite: Mocha.Suite): void {
  suite.afterEach(function () {
    const { state, title } = this.currentTest ?? {};
    if (state === "failed") throw new Error(`"${title}" has failed: the rest of this suite needs it, and is left out.`);
  });
}

let tools: Promise<Tools> | undefined;

/**
 * A sandbox of this test file's own. The first one installs the tools and says what it waits for. With Crosstrail's own program
 * its calls are held against the deploy roles when it is stopped; programs of the tests' own call what they like.
 */
export async function sandbox(options: Pick<SandboxOptions, "project"> = {}): Promise<Sandbox> {
  const signal = new AbortController().signal;
  tools ??= cleanUp().then(() => installTools({ progress: new LineProgress(process.stdout), signal }));
  const context = { progress: silentProgress, signal };
  const box = await openSandbox(context, { ...options, folder: newRunFolder(), tools: await tools });
  return options.project === undefined ? held(box) : box;
}

/**
 * Puts a log file into the archive. Without the bucket's policy for a moment: to moto, a Deny holds whatever its conditions are.
 */
export async function putLogFile(s3: S3Client, Bucket: string, Body: string): Promise<void> {
  const { Policy } = await s3.send(new GetBucketPolicyCommand({ Bucket }));
  await s3.send(new DeleteBucketPolicyCommand({ Bucket }));
  await s3.send(new PutObjectCommand({ Bucket, Key: "AWSLogs/111111111111/CloudTrail/x.json.gz", Body }));
  await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
}

/** What an operation did, as the engine counted it: `{ create: 13 }`, `{ same: 3, update: 1 }`. */
export type Changes = Record<string, number>;

/** What the tests ask of the engine, with its own words when it refuses. */
export class Engine {
  constructor(readonly box: Sandbox) {}

  async configureAudit(change: Record<string, unknown> = {}): Promise<void> {
    await this.box.stack(AUDIT_STACK, { ...auditConfig(), ...change });
  }

  async configureMember(name: string, accountId: string, change: Record<string, unknown> = {}): Promise<void> {
    await this.box.stack(name, { ...memberConfig(accountId), ...change });
  }

  /** Runs an operation that must succeed. */
  async run(verb: string, stack: string, ...options: string[]): Promise<string> {
    const result = await this.attempt(verb, stack, ...options);
    if (result.code !== 0) {
      assert.fail(
        `pulumi ${verb} of stack ${stack} failed (${result.code}):\n${result.text}\nWhat the emulator refused last:\n${this.refusals()}`,
      );
    }
    return result.text;
  }

  private refusals(): string {
    const log = fs.readFileSync(path.join(this.box.folder, "logs", "emulator-access.log"), "utf8");
    const lines = log.split("\n").filter((line) => line !== "" && !/: [23]\d\d [A-Z ]+$/.test(line));
    return lines.slice(-20).join("\n");
  }

  /** Runs an operation that may fail. */
  async attempt(verb: string, stack: string, ...options: string[]): Promise<{ code: number | null; text: string }> {
    const confirm = verb === "preview" ? [] : ["--yes"];
    const { code, stdout, stderr } = await this.box.pulumi(
      [verb, "--stack", stack, ...confirm, ...(verb === "up" ? ["--skip-preview"] : []), "--color=never", ...options],
      { timeoutMs: 5 * MINUTE },
    );
    return { code, text: stdout + stderr };
  }

  /** `pulumi up` that must succeed, with what it changed; without a removal, with calls that a deploy role may make. */
  async up(stack: string): Promise<Changes> {
    const before = callsOf(this.box).length;
    const counts = changes(await this.run("up", stack));
    if (isHeld(this.box) && !counts.delete && !counts.replace) {
      // A trail that is configured not to record is stopped by a role that may remove it.
      const calls = callsOf(this.box).slice(before);
      const others = calls.filter(({ operation }) => operation !== "StopLogging");
      expectGranted(others, "deploy", rolesOf(this.box));
    }
    return counts;
  }

  /** What a preview would do, step by step, as the engine plans it. */
  async plan(stack: string): Promise<{ op: string; urn: string; detailedDiff?: Record<string, unknown> }[]> {
    const { code, stdout, stderr } = await this.box.pulumi(["preview", "--stack", stack, "--json"], {
      timeoutMs: 5 * MINUTE,
    });
    assert.equal(code, 0, `pulumi preview of stack ${stack} failed:\n${stdout}${stderr}`);
    return (JSON.parse(stdout) as { steps: { op: string; urn: string }[] }).steps.filter(({ op }) => op !== "same");
  }

  /** Preview and refresh must both find nothing to do, with calls that a preview role may make. */
  async expectNoChanges(stack: string): Promise<void> {
    const before = callsOf(this.box).length;
    await this.run("preview", stack, "--expect-no-changes");
    await this.run("refresh", stack, "--expect-no-changes");
    if (isHeld(this.box)) expectGranted(callsOf(this.box).slice(before), "preview", rolesOf(this.box));
  }

  /** A preview that the program must refuse, with this in its message, and nothing but the error. */
  async expectRefusal(stack: string, ...texts: (string | RegExp)[]): Promise<void> {
    const { code, text } = await this.attempt("preview", stack);
    assert.notEqual(code, 0, `pulumi preview of stack ${stack} was to be refused:\n${text}`);
    for (const wanted of texts) {
      if (typeof wanted === "string") assert.ok(text.includes(wanted), `"${wanted}" is missing in:\n${text}`);
      else assert.match(text, wanted);
    }
    assert.ok(!/^\s+at .*\(.*:\d+:\d+\)/m.test(text), `a stack trace is for bugs only:\n${text}`);
  }

  /** The resources in the stack's state, by type and name. */
  async resources(stack: string): Promise<
    {
      urn: string;
      type: string;
      id?: string;
      protect?: boolean;
      retainOnDelete?: boolean;
      outputs?: Record<string, unknown>;
    }[]
  > {
    const { stdout } = await this.box.pulumi(["stack", "export", "--stack", stack], { timeoutMs: MINUTE });
    return (
      (
        JSON.parse(stdout) as { deployment: { resources?: { urn: string; type: string }[] } }
      ).deployment.resources?.filter(({ type }) => type.startsWith("aws:") || type.startsWith("crosstrail:")) ?? []
    );
  }
}

/** The engine's summary as counts. */
function changes(text: string): Changes {
  const summary = text.slice(text.lastIndexOf("Resources:"));
  const words: Record<string, string> = {
    created: "create",
    updated: "update",
    deleted: "delete",
    replaced: "replace",
    unchanged: "same",
  };
  const counts: Changes = {};
  for (const [, count, word] of summary.matchAll(/(\d+) (created|updated|deleted|replaced|unchanged)/g)) {
    counts[words[word as string] as string] = Number(count);
  }
  return counts;
}
