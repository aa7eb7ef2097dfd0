/**
 * No change may go unseen: whenever the program of a stack registers something else, what `crosstrail up` takes for its inputs is
 * something else, too. Held over pairs of configurations, contracts and environments that differ in one or two places.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { Unchanged } from "../../automation/fleet/unchanged";
import type { Project, StackSource } from "../../automation/fleet/project";
import type { Contract } from "../../core/contract";
import { UserError } from "../../core/findings";
import type { FleetStack } from "../../core/fleet";
import { StackKind } from "../../core/fleet";
import { parseStackConfig } from "../../core/settings";
import { auditAccountId, bucketName, contract as contractOf, keyArn } from "../support/fleet";
import type { World } from "../support/mocks";
import { configOf, deploy } from "./run";

const runs = Math.min(Number(process.env.CROSSTRAIL_CASES ?? 4), 60);
const member: FleetStack = { name: "payments", kind: StackKind.Member, accountId: "222222222222" };
const audit: FleetStack = { name: "audit", kind: StackKind.Audit, accountId: auditAccountId };

type Values = Record<string, unknown>;

/** All that a stack may depend on. */
interface Case {
  config: Values;
  contract: Contract;
  env: Record<string, string>;
}

const project = {
  name: "crosstrail",
  auditStack: "audit",
  defaults: {},
  content: { name: "crosstrail", runtime: "nodejs" },
  stackFileOf: () => ({}),
} as unknown as Project;

/** The program's files are read once for each environment. */
const byEnvironment = new Map<string, Unchanged>();

function digest(
  stack: FleetStack,
  { config, contract, env }: Case,
  part: "all" | "withoutAccess" = "withoutAccess",
): string {
  const unchanged = byEnvironment.get(JSON.stringify(env)) ?? new Unchanged(project, env);
  byEnvironment.set(JSON.stringify(env), unchanged);
  let settings;
  try {
    settings = parseStackConfig(stack.name, configOf(config), { region: env.AWS_REGION, project: "crosstrail" });
  } catch (error) {
    // It never comes to the question: the stack's turn fails.
    if (error instanceof UserError) return error.message;
    throw error;
  }
  const named = Object.entries(config).map(([key, value]) => [key.includes(":") ? key : `crosstrail:${key}`, value]);
  const source = { config: Object.fromEntries(named) as Values, settings } as unknown as StackSource;
  const recorded = unchanged.recorded({ stack }, source, contract, "3.250.0");
  assert.ok(recorded);
  return recorded.inputs[part];
}

function world(stack: FleetStack, { config, contract }: Case, own?: Values): World {
  return {
    stack: stack.name,
    accountId: stack.accountId,
    stacks: {
      ...(stack === member && { "acme/crosstrail/audit": contract }),
      ...(own && { [`acme/crosstrail/${stack.name}`]: own }),
    },
    config: configOf(config),
  };
}

/** What the engine is told, and the outputs; where the program refuses, why. */
async function told(stack: FleetStack, each: Case, own?: Values): Promise<{ text: string; outputs?: Values }> {
  const before = { ...process.env };
  try {
    delete process.env.AWS_REGION;
    Object.assign(process.env, each.env);
    const { run, outputs } = await deploy(world(stack, each, own));
    return { text: JSON.stringify([run.resources, outputs]), outputs };
  } catch (error) {
    return { text: (error as Error).message };
  } finally {
    for (const name of Object.keys(each.env)) delete process.env[name];
    Object.assign(process.env, before);
  }
}

const changes = <Value>(all: Value[]) => fc.uniqueArray(fc.nat(all.length - 1), { minLength: 1, maxLength: 2 });

/** Each changes one thing that a member's stack may depend on; only some of them matter to it. */
const memberChanges: ((each: Case) => void)[] = [
  ({ config }) => (config.tags = { team: "x" }),
  ({ config }) => (config.enableLogging = false),
  ({ config }) => (config.events = ["s3-data-events"]),
  ({ config }) => (config.insightTypes = ["ApiCallRateInsight"]),
  ({ config }) => (config.readWriteType = "WriteOnly"),
  ({ config }) => (config.cloudWatchLogs = { retentionDays: 30 }),
  ({ config }) => (config.sns = {}),
  ({ config }) => ((config.cloudWatchLogs = { retentionDays: 30 }), (config.permissionsBoundary = "Boundary")),
  ({ config }) => delete config["aws:region"],
  ({ config, env }) => (delete config["aws:region"], (env.AWS_REGION = "eu-west-1")),
  ({ contract }) => (contract.bucketName = "other-logs"),
  ({ contract }) => (contract.logPrefix = "a"),
  ({ contract }) => (contract.keyArn = keyArn.replace("1234abcd", "5678abcd")),
  ({ contract, config }) => ((contract.otherBucketNames = ["copies"]), (config.events = ["s3-data-events"])),
  ({ contract }) => changeTrail(contract, { trailArn: "arn:aws:cloudtrail:us-east-1:222222222222:trail/other" }),
  ({ contract }) => changeTrail(contract, { alias: "renamed" }),
  ({ contract, config }) => (
    changeTrail(contract, { previousTrailArn: "arn:aws:cloudtrail:us-east-1:222222222222:trail/former" }),
    (config.sns = {})
  ),
  ({ contract }) => (contract.partition = "aws-cn"),
  ({ contract }) => (contract.auditAccountId = "222222222222"),
  ({ contract }) => (contract.trails = contract.trails.filter(({ accountId }) => accountId !== member.accountId)),
];

/** Changes of the contract that concern others: a member's stack is not to run for them. */
const othersChanges: ((contract: Contract) => void)[] = [
  (contract) =>
    contract.trails.push({
      accountId: "444444444444",
      alias: "new",
      trailArn: "arn:aws:cloudtrail:us-east-1:444444444444:trail/crosstrail",
    }),
  (contract) => (contract.trails = contract.trails.filter(({ accountId }) => accountId === member.accountId)),
  (contract) =>
    (contract.readers = [{ name: "Reader", roleArn: "arn:aws:iam::111111111111:role/Reader", trustedAccounts: [] }]),
  (contract) => (contract.organization = { id: "o-exampleorg1", managementAccountId: "555555555555" }),
  (contract) => (contract.previousLogPrefix = "before"),
  (contract) => (contract.previousKeyArns = [keyArn]),
];

function changeTrail(contract: Contract, change: Partial<Contract["trails"][number]>): void {
  contract.trails = contract.trails.map((each) =>
    each.accountId === member.accountId ? { ...each, ...change } : each,
  );
}

const auditChanges: ((each: Case) => void)[] = [
  ({ config }) => (config.members = [{ accountId: "222222222222", alias: "payments" }]),
  ({ config }) => (config.members = [{ accountId: "222222222222", alias: "payments", trailName: "other" }]),
  ({ config }) => (config.logPrefix = "a"),
  ({ config }) => (config.auditAccountTrail = false),
  ({ config }) => (config.keyRotationDays = 90),
  ({ config }) => (config.keepArchive = false),
  ({ config }) => (config.retention = { days: 400 }),
  ({ config }) => (config.bucketKeyEnabled = true),
  ({ config }) => (config.requireMfa = true),
  ({ config }) => (config.readers = [{ name: "Reader", trustedAccounts: [auditAccountId] }]),
  ({ config }) => (config.tags = { team: "x" }),
  ({ config }) => (config.keyAlias = "other"),
  ({ config }) => (config.keyGeneration = 2),
  ({ config }) => (config.accessLogBucket = "access-logs"),
  ({ config }) => (config.objectLock = { mode: "governance", days: 1 }),
  ({ config }) => (config.organization = { id: "o-exampleorg1", managementAccountId: "555555555555" }),
  ({ config, env }) => (delete config["aws:region"], (env.AWS_REGION = "eu-west-1")),
];

const memberCase = (): Case => ({
  config: {
    "aws:region": "us-east-1",
    "aws:allowedAccountIds": [member.accountId],
    role: "member",
    accountId: member.accountId,
    auditStack: "audit",
  },
  contract: contractOf(),
  env: { AWS_REGION: "us-east-1" },
});
const auditCase = (): Case => ({
  config: {
    "aws:region": "us-east-1",
    "aws:allowedAccountIds": [auditAccountId],
    role: "audit",
    auditAccountId,
    bucketName,
  },
  contract: contractOf(),
  env: { AWS_REGION: "us-east-1" },
});

function changed(of: () => Case, all: ((each: Case) => void)[], which: number[]): Case {
  const each = of();
  for (const index of which) all[index]?.(each);
  return each;
}

describe("the inputs of a stack", function () {
  this.timeout(120_000);
  for (const [stack, of, all] of [
    [member, memberCase, memberChanges],
    [audit, auditCase, auditChanges],
  ] as const) {
    it(`of ${stack.kind} differ wherever its program does something else, and it does the same once it is deployed`, async () => {
      const seen = new Map<string, Promise<{ text: string; outputs?: Values }>>();
      const once = (each: Case, own?: Values) => {
        const key = JSON.stringify([each, own !== undefined]);
        const known = seen.get(key) ?? told(stack, each, own);
        seen.set(key, known);
        return known;
      };
      const compare = async (first: number[], second: number[]) => {
        const [one, other] = [changed(of, all, first), changed(of, all, second)];
        const before = await once(one);
        const after = await once(other);
        if (before.text !== after.text) {
          assert.notEqual(digest(stack, one), digest(stack, other));
          assert.notEqual(digest(stack, one, "all"), digest(stack, other, "all"));
        }
        // The engine compares with what this has deployed: a program that then says something else would not be finished.
        if (before.outputs) assert.equal((await once(one, before.outputs)).text, before.text);
      };
      for (const first of all.keys()) for (let second = -1; second < first; second++) await compare([first], [second]);
      await fc.assert(fc.asyncProperty(changes(all), changes(all), compare), { numRuns: runs });
    });
  }

  it("of a member stay the same where only others are concerned, and so does what its program does", async () => {
    const plain = memberCase();
    const { text } = await told(member, plain);
    for (const change of othersChanges) {
      const each = memberCase();
      change(each.contract);
      assert.equal(digest(member, each), digest(member, plain), change.toString());
      assert.equal((await told(member, each)).text, text, change.toString());
    }
  });

  it("count how an account is accessed for up, and not for a preview, for which it changes nothing", async () => {
    const roleArn = "arn:aws:iam::222222222222:role/CrosstrailPreview";
    const [plain, plainAudit] = [memberCase(), auditCase()];
    plainAudit.config.members = [{ accountId: "222222222222", alias: "payments" }];
    const ways: [FleetStack, Case, (each: Case) => void][] = [
      [member, plain, ({ config }) => (config["aws:assumeRoles"] = [{ roleArn }])],
      [member, plain, ({ config }) => (config["aws:profile"] = "preview")],
      [member, plain, ({ env }) => (env.AWS_PROFILE = "preview")],
      [
        audit,
        plainAudit,
        ({ config }) => (config.deployRole = "arn:{partition}:iam::{accountId}:role/CrosstrailPreview"),
      ],
      [audit, plainAudit, ({ config }) => (config.deployExternalId = "x-1")],
      [
        audit,
        plainAudit,
        ({ config }) => (config.members = [{ accountId: "222222222222", alias: "payments", deployRoleArn: roleArn }]),
      ],
    ];
    for (const [stack, before, change] of ways) {
      const each = structuredClone(before);
      change(each);
      assert.equal((await told(stack, each)).text, (await told(stack, before)).text, change.toString());
      assert.equal(digest(stack, each), digest(stack, before), change.toString());
      assert.notEqual(digest(stack, each, "all"), digest(stack, before, "all"), change.toString());
    }
  });

  it("of a member that follows another audit stack are not known", () => {
    const { config, contract } = memberCase();
    const settings = parseStackConfig("payments", configOf({ ...config, auditStack: "organization/other/audit" }), {
      region: "us-east-1",
      project: "crosstrail",
    });
    const unchanged = new Unchanged(project, {});
    const source = { config, settings } as unknown as StackSource;
    assert.equal(unchanged.recorded({ stack: member }, source, contract, "3.250.0"), undefined);
  });
});
