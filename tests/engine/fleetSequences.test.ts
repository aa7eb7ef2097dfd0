/**
 * Fleets of the real engine through what happens in their life: a migration with members that have files and members that have
 * none, then sequences of changes, failures and migrations. After each command AWS is asked for every trail, as it is, and it is
 * put to the policies, as they are: none that logs is cut off unless the command said so and failed.
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { CloudTrailClient, DescribeTrailsCommand, GetTrailStatusCommand } from "@aws-sdk/client-cloudtrail";
import { GetKeyPolicyCommand, KMSClient } from "@aws-sdk/client-kms";
import { GetBucketPolicyCommand, S3Client } from "@aws-sdk/client-s3";
import { parse, stringify } from "yaml";
import * as crosstrail from "../../automation";
import { main } from "../../automation/cli";
import type { Contract } from "../../core/contract";
import type { UserError } from "../../core/findings";
import type { TrailAsIs } from "../../core/simulate";
import { Arrival, arrivalOf, compiledArchive } from "../../core/simulate";
import type { Sandbox } from "../../sandbox";
import { AUDIT_ACCOUNT, AUDIT_STACK, auditConfig, deployRole, memberConfig } from "../../sandbox/accounts";
import { type Call, type Faults, faultsBefore } from "../support/faults";
import { inSteps, MINUTE, sandbox } from "./support";

const accountOf = (index: number) => String(200000000000 + index);
const member = (index: number) => ({ accountId: accountOf(index), alias: `m${index}` });
type Config = Record<string, unknown>;

/** What a command said, and whether it succeeded. */
interface Outcome {
  ok: boolean;
  said: string;
}

describe("engine: fleets through changes, failures and migrations", function () {
  this.timeout(20 * MINUTE);
  inSteps(this);
  let box: Sandbox;
  let faults: Faults;
  let env: NodeJS.ProcessEnv;

  before(async () => {
    box = await sandbox();
    faults = await faultsBefore(box.endpoint);
    env = { ...box.env, AWS_ENDPOINT_URL: faults.endpoint };
  });
  after(async () => {
    await faults?.close();
    await box?.stop();
  });

  const auditFile = () => path.join(box.projectFolder, "Pulumi.audit.yaml");
  const configured = () => (parse(fs.readFileSync(auditFile(), "utf8")) as { config: Config }).config;
  /** Writes the audit stack's file, as somebody with an editor does. */
  const declare = (config: Config) => {
    const before = fs.existsSync(auditFile()) ? fs.readFileSync(auditFile(), "utf8") : "";
    const salt = /^encryptionsalt:.*$/m.exec(before)?.[0];
    fs.writeFileSync(auditFile(), `${stringify({ config })}${salt ?? ""}\n`);
  };

  async function up(more: Partial<crosstrail.UpOptions> = {}): Promise<Outcome> {
    try {
      const { status, stacks, findings } = await crosstrail.up({
        projectFolder: box.projectFolder,
        env,
        parallel: 3,
        timeoutSeconds: 240,
        ...more,
      });
      return { ok: status === "succeeded", said: JSON.stringify([stacks.map((each) => each.findings), findings]) };
    } catch (error) {
      const { findings, message } = error as Partial<UserError> & Error;
      assert.ok(findings, message);
      return { ok: false, said: JSON.stringify(findings) };
    }
  }

  async function migrate(...args: string[]): Promise<Outcome> {
    let said = "";
    const take = (text: string) => void (said += text);
    const exitCode = await main(["migrate", "--cwd", box.projectFolder, ...args], {
      stdout: take,
      stderr: take,
      env,
      color: false,
    });
    return { ok: exitCode === 0, said };
  }

  const contractNow = () => box.outputs<Contract>(AUDIT_STACK);

  /** Every trail of the accounts, as AWS has it; asked behind the faults. */
  async function trails(): Promise<TrailAsIs[]> {
    const accounts = [AUDIT_ACCOUNT, ...[1, 2, 3, 4, 5].map(accountOf)];
    const found = await Promise.all(
      accounts.map(async (accountId) => {
        const client = new CloudTrailClient(await box.aws(accountId));
        const { trailList = [] } = await client.send(new DescribeTrailsCommand({ includeShadowTrails: false }));
        const read = await Promise.all(
          trailList.map(async (trail) => ({
            trailArn: trail.TrailARN ?? "",
            bucketName: trail.S3BucketName ?? "",
            logPrefix: trail.S3KeyPrefix ?? "",
            keyArn: trail.KmsKeyId ?? "",
            isLogging: (await client.send(new GetTrailStatusCommand({ Name: trail.TrailARN }))).IsLogging === true,
            isOrganizationTrail: trail.IsOrganizationTrail === true,
          })),
        );
        client.destroy();
        return read;
      }),
    );
    return found.flat();
  }

  /** The trails that log, and that the policies refuse now. */
  async function lost(): Promise<string[]> {
    const contract = await contractNow();
    const access = await box.aws(AUDIT_ACCOUNT);
    const [s3, kms] = [new S3Client({ ...access, forcePathStyle: true }), new KMSClient(access)];
    const arns = [contract.keyArn, ...(contract.previousKeyArns ?? [])];
    const bucket = await s3.send(new GetBucketPolicyCommand({ Bucket: contract.bucketName }));
    const keys = await Promise.all(
      arns.map(async (KeyId) => {
        const { Policy } = await kms.send(new GetKeyPolicyCommand({ KeyId, PolicyName: "default" }));
        return [KeyId, Policy] as const;
      }),
    );
    s3.destroy();
    kms.destroy();
    const archive = compiledArchive({
      bucketName: contract.bucketName,
      auditAccountId: AUDIT_ACCOUNT,
      bucket: bucket.Policy,
      keys: Object.fromEntries(keys),
      bucketKey: false,
    });
    return (await trails())
      .filter((trail) => trail.isLogging && arrivalOf(trail, contract, archive).arrival !== Arrival.Delivers)
      .map(({ trailArn }) => trailArn);
  }

  it("a new key moves every member, with a file or without, and AWS has all of them there", async () => {
    const members = [1, 2, 3, 4, 5].map(member);
    const config = {
      ...auditConfig(),
      "crosstrail:deployRole": deployRole("{accountId}"),
      "crosstrail:members": members,
    };
    declare(config);
    for (const index of [2, 4]) {
      const file = path.join(box.projectFolder, `Pulumi.m${index}.yaml`);
      fs.writeFileSync(file, stringify({ config: memberConfig(accountOf(index)) }));
    }
    const first = await up();
    assert.ok(first.ok, first.said);
    const before = await contractNow();
    declare({ ...configured(), "crosstrail:keyReplicaRegions": ["eu-west-1"] });
    const moved = await migrate("--to", "new-key", "--yes");
    assert.ok(moved.ok, moved.said);
    const after = await contractNow();
    assert.deepEqual(after.previousKeyArns, [before.keyArn]);
    const found = await trails();
    assert.equal(found.length, 6);
    for (const { trailArn, bucketName, logPrefix, keyArn, isLogging } of found) {
      assert.deepEqual(
        [bucketName, logPrefix, keyArn, isLogging],
        [after.bucketName, after.logPrefix, after.keyArn, true],
        trailArn,
      );
    }
    assert.deepEqual(await lost(), []);
  });

  it("most of the members leave only when that is said", async () => {
    declare({ ...configured(), "crosstrail:members": [member(1), member(2)] });
    const refused = await up();
    assert.ok(!refused.ok && refused.said.includes("fleet/mass-removal"), refused.said);
    assert.equal((await trails()).length, 6);
    const meant = await up({ removeMembers: 3 });
    assert.ok(meant.ok, meant.said);
    assert.equal((await trails()).length, 3);
    assert.deepEqual(await lost(), []);
  });

  const refuse = (is: (call: Call) => boolean) => {
    faults.decide = (call) =>
      is(call) ? { status: 403, type: "AccessDeniedException", message: "not now" } : undefined;
  };
  const isTrailOf = (index: number) => (call: Call) =>
    call.operation === "UpdateTrail" && call.body.includes(accountOf(index));
  const isEntryTo = (index: number) => (call: Call) =>
    call.operation === "AssumeRole" && call.body.includes(accountOf(index));

  /** By name, what may happen: it changes the configuration or the world, and runs one command. */
  const events: Record<string, (next: (below: number) => number) => Promise<Outcome>> = {
    "a plain change of the prefix": async (next) => {
      const before = configured();
      declare({ ...before, "crosstrail:logPrefix": `plain-${next(9)}` });
      const outcome = await up({ only: ["audit"] });
      declare(before);
      return outcome;
    },
    "a plain new key": async () => {
      const before = configured();
      const generation = Number(before["crosstrail:keyGeneration"] ?? 1) + 1;
      declare({ ...before, "crosstrail:keyGeneration": generation });
      const outcome = await up({ only: ["audit"] });
      declare(before);
      return outcome;
    },
    "a plain rename": async (next) => {
      const before = configured();
      const renamed = 1 + next(2);
      const members = [1, 2].map((index) => ({ ...member(index), ...(index === renamed && { trailName: "renamed" }) }));
      declare({ ...before, "crosstrail:members": members });
      const outcome = await up({ only: ["audit"] });
      declare(before);
      return outcome;
    },
    "an account that nobody can access": async (next) => {
      const index = 1 + next(2);
      refuse(isEntryTo(index));
      const outcome = await up({ only: [`m${index}`] });
      assert.ok(!outcome.ok, outcome.said);
      return outcome;
    },
    "the audit stack fails at the bucket's policy": async (next) => {
      const before = configured();
      declare({ ...before, "crosstrail:bucketPolicyForm": ["perTrail", "trailList", "accountList"][next(3)] });
      refuse(({ operation }) => /^PUT .*\?policy/.test(operation));
      return up({ only: ["audit"] });
    },
    "a migration of the prefix, in which a member fails, is resumed": async (next) => {
      refuse(isTrailOf(1 + next(2)));
      const before = await lost();
      const failed = await migrate("--to", "log-prefix", "--prefix", `moved-${next(1000)}`, "--yes");
      await check(before, failed, "its failure");
      assert.ok(!failed.ok, failed.said);
      faults.clear();
      const resumed = await migrate("--resume", "--yes");
      assert.ok(resumed.ok, resumed.said);
      return resumed;
    },
    "a migration of the prefix is abandoned": async (next) => {
      refuse(isEntryTo(1 + next(2)));
      const before = await lost();
      const failed = await migrate("--to", "log-prefix", "--prefix", `left-${next(1000)}`, "--yes");
      await check(before, failed, "its failure");
      assert.ok(!failed.ok, failed.said);
      faults.clear();
      await migrate("--abandon");
      // What it has written stays; an up of the whole fleet finishes it by hand.
      const moved = await up();
      assert.ok(moved.ok, moved.said);
      await check(before, moved, "moved by hand");
      const { ["crosstrail:previousLogPrefix"]: former, ...rest } = configured();
      assert.notEqual(former, undefined);
      declare(rest);
      return up({ only: ["audit"] });
    },
    "an up that repairs what is left": async () => {
      const outcome = await up();
      assert.ok(outcome.ok, outcome.said);
      return outcome;
    },
  };

  async function check(before: string[], { ok, said }: Outcome, what: string): Promise<void> {
    for (const arn of await lost()) {
      if (before.includes(arn)) continue;
      assert.ok(!ok, `${what}: ${arn} was cut off with exit code 0`);
      assert.ok(said.includes(arn), `${what}: ${arn} was cut off, and nobody was told:\n${said}`);
    }
  }

  for (let seed = 1; seed <= 12; seed++) {
    it(`sequence ${seed}: no trail that logs is cut off without being named`, async () => {
      const next = random(seed);
      const names = Object.keys(events);
      // Migrations once each: they are long.
      const short = names.filter((name) => !name.includes("migration"));
      const all = [names[(seed - 1) % names.length] as string, short[next(short.length)] as string];
      for (const name of all) {
        const before = await lost();
        const outcome = await (events[name] as (typeof events)[string])(next);
        faults.clear();
        await check(before, outcome, `${all.join(", then ")}; ${name}`);
      }
      assert.equal((await trails()).length, 3, "no trail is gone");
    });
  }
});

/** The same numbers for the same seed. */
function random(seed: number): (below: number) => number {
  let state = seed * 0x9e3779b9;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
