import assert from "node:assert/strict";
import fc from "fast-check";
import { UserError } from "../../../core/findings";
import { fitsRole } from "../../../core/fleet";
import type { Migration, MigrationWish } from "../../../core/migration";
import { Transition } from "../../../core/migration";
import type { Config, Failure, Outcome } from "../../support/fleetModel";
import { auditAccountId, FleetModel } from "../../support/fleetModel";

const runs = Number(process.env.CROSSTRAIL_CASES ?? 6);
const account = (index: number) => String(222222222220 + index);
const member = (index: number): Config => ({ accountId: account(index), alias: `m${index}` });
const managementAccountId = "555555555555";
const organization = { id: "o-exampleorg1", managementAccountId, trailName: "organization" };

type Members = Config[];
const membersOf = (model: FleetModel) => (model.config.members as Members | undefined) ?? [];

/** What happens in a fleet's life. */
type Event =
  | { type: "up"; only?: number; fails: [number, Failure][]; removeMembers?: number }
  | { type: "prefix"; prefix: string; former: "kept" | "dropped" }
  | { type: "key"; step: number; former: boolean }
  | { type: "name"; index: number; name: string; former: boolean }
  | { type: "members"; index: number }
  | { type: "none" }
  | { type: "form"; bucket: string; key: string }
  | { type: "organization"; is: "none" | "trail" | "closed" }
  | { type: "lock"; index: number }
  | { type: "file"; index: number }
  | {
      type: "migrate";
      to: Transition;
      prefix: string;
      index: number;
      failAt?: number;
      failure: Failure;
      then: "resume" | "abandon";
    };

const failure = fc.constantFrom<Failure>("before", "afterPolicies");
const index = fc.nat(4);
const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant("up" as const),
      only: fc.option(fc.nat(6), { nil: undefined, freq: 3 }),
      fails: fc.oneof(
        fc.constant<[number, Failure][]>([]),
        fc.array(fc.tuple(fc.nat(6), failure), { minLength: 1, maxLength: 3 }),
      ),
      removeMembers: fc.option(fc.constant(9), { nil: undefined, freq: 2 }),
    }),
  },
  fc.record({
    type: fc.constant("prefix" as const),
    prefix: fc.constantFrom("", "a", "b"),
    former: fc.constantFrom("kept" as const, "dropped" as const),
  }),
  fc.record({ type: fc.constant("key" as const), step: fc.constantFrom(0, 1, 1, 2, -1), former: fc.boolean() }),
  fc.record({ type: fc.constant("name" as const), index, name: fc.constantFrom("one", "two"), former: fc.boolean() }),
  fc.record({ type: fc.constant("members" as const), index }),
  fc.record({ type: fc.constant("none" as const) }),
  fc.record({
    type: fc.constant("form" as const),
    bucket: fc.constantFrom("auto", "accountList", "perTrail", "organization"),
    key: fc.constantFrom("auto", "trailList", "encryptionContext", "organization"),
  }),
  fc.record({ type: fc.constant("organization" as const), is: fc.constantFrom("none", "trail", "closed") }),
  fc.record({ type: fc.constant("lock" as const), index }),
  fc.record({ type: fc.constant("file" as const), index }),
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant("migrate" as const),
      to: fc.constantFrom(
        Transition.LogPrefix,
        Transition.NewKey,
        Transition.OrganizationTrail,
        Transition.AccountTrail,
        Transition.MultiRegion,
        Transition.SingleRegion,
        Transition.StopLogging,
        Transition.StartLogging,
      ),
      prefix: fc.constantFrom("", "a", "b"),
      index,
      failAt: fc.option(fc.nat(7), { nil: undefined }),
      failure,
      then: fc.constantFrom("resume" as const, "abandon" as const),
    }),
  },
) as fc.Arbitrary<Event>;

/** Changes the configuration, as somebody with an editor does. */
function configure(model: FleetModel, each: Event): void {
  const { config } = model;
  switch (each.type) {
    case "prefix": {
      const before = (config.logPrefix as string | undefined) ?? "";
      if (before === each.prefix) delete config.previousLogPrefix;
      else if (each.former === "kept") config.previousLogPrefix = before || "/";
      else delete config.previousLogPrefix;
      if (each.prefix) config.logPrefix = each.prefix;
      else delete config.logPrefix;
      break;
    }
    case "key": {
      const generation = Math.max(1, ((config.keyGeneration as number | undefined) ?? 1) + each.step);
      config.keyGeneration = generation;
      config.previousKeyInUse = each.former && generation > 1;
      break;
    }
    case "name":
      config.members = membersOf(model).map((entry) => {
        if (entry.accountId !== account(each.index)) return entry;
        const { trailName = "crosstrail", ...rest } = entry;
        delete rest.previousTrailName;
        const former = each.former && trailName !== each.name ? { previousTrailName: trailName } : {};
        return { ...rest, trailName: each.name, ...former };
      });
      break;
    case "members": {
      const left = membersOf(model).filter(({ accountId }) => accountId !== account(each.index));
      config.members = left.length === membersOf(model).length ? [...left, member(each.index)] : left;
      break;
    }
    case "none":
      config.members = [];
      break;
    case "form":
      config.bucketPolicyForm = each.bucket;
      config.keyPolicyForm = each.key;
      break;
    case "organization":
      if (each.is === "none") delete config.organization;
      else config.organization = each.is === "trail" ? organization : { ...organization, trail: false };
      break;
    case "lock":
      if (!model.locked.delete(account(each.index))) model.locked.add(account(each.index));
      break;
    case "file": {
      const name = `m${each.index}`;
      if (!model.files.delete(name)) model.files.set(name, { role: "member", accountId: account(each.index) });
      break;
    }
    default:
  }
}

/** Migrations of single trails. */
const ofTrails: string[] = [
  Transition.MultiRegion,
  Transition.SingleRegion,
  Transition.StopLogging,
  Transition.StartLogging,
];

const stackName = (number: number) => (number === 0 ? "audit" : number === 6 ? "management" : `m${number - 1}`);

/**
 * Every trail that logs and was admitted before is admitted now; or the command failed and named the trail. Where the removal of
 * members was meant, a trail that nobody can ask about may be named as such, with no failure.
 */
function check(model: FleetModel, before: string[], { ok, findings }: Outcome, isMeant = false): void {
  for (const arn of model.lost()) {
    if (before.includes(arn)) continue;
    const named = findings.find(({ subject }) => subject.includes(arn));
    assert.ok(named, `${arn} was cut off, and nobody was told`);
    const isUnknown = isMeant && named.id === "trail/not-asked";
    assert.ok(!ok || isUnknown, `${arn} was cut off with exit code 0`);
  }
}

/** One event. @returns what it came to, for the counts. */
async function happen(model: FleetModel, each: Event): Promise<string> {
  if (each.type === "up") {
    const before = model.lost();
    const outcome = await model.up({
      ...(each.only !== undefined && { only: [stackName(each.only)] }),
      fails: Object.fromEntries(each.fails.map(([number, how]) => [stackName(number), how])),
      removeMembers: each.removeMembers,
    });
    check(model, before, outcome, each.removeMembers !== undefined);
    return outcome.ok ? "up" : "up failed";
  }
  if (each.type !== "migrate") {
    configure(model, each);
    return each.type;
  }
  let plan;
  try {
    const wish: MigrationWish = { to: each.to, prefix: each.prefix, organizationId: organization.id };
    if (each.to === Transition.OrganizationTrail) wish.stacks = ["m0"];
    if (ofTrails.includes(each.to)) wish.stacks = [stackName(each.index)];
    // A plan starts from what is deployed.
    if (!model.contract) return "migrate refused";
    plan = model.plan(wish);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return "migrate refused";
  }
  for (const [number, step] of plan.steps.entries()) {
    let isWritten = false;
    for (const attempt of [0, 1]) {
      const before = model.lost();
      let outcome;
      try {
        outcome = await model.step(step, isWritten, attempt === 0 && number === each.failAt ? each.failure : undefined);
      } catch (error) {
        // What a step would write is checked by the command before the first one.
        if (!(error instanceof UserError)) throw error;
        return "migrate refused";
      }
      check(model, before, outcome);
      isWritten = outcome.isWritten;
      if (outcome.ok) break;
      if (attempt === 1 || each.then === "abandon") return "migrate failed";
    }
  }
  return "migrate";
}

describe("fleets at random: no trail that logs is cut off without being named", function () {
  this.timeout(60_000 + runs * 1000);

  it(`${runs} fleets through sequences of up, changes, migrations and failures`, async () => {
    const counts = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(index, { maxLength: 4 }),
        fc.constantFrom<Config>({}, { organization }, { organization: { ...organization, trail: false } }),
        fc.array(event, { minLength: 3, maxLength: 12 }),
        async (members, more, events) => {
          const model = new FleetModel({ members: members.map(member), ...more });
          await model.up();
          for (const each of events) {
            const what = await happen(model, each);
            counts.set(what, (counts.get(what) ?? 0) + 1);
          }
        },
      ),
      { numRuns: runs },
    );
    // The sequences reach what they are for, once there are enough of them.
    if (runs < 100) return;
    for (const what of ["up", "up failed", "migrate", "migrate failed"]) assert.ok(counts.get(what), what);
  });
});

const some = ["m1", "m2", "audit"];
const stopped = { enableLogging: false, memberDefaults: { enableLogging: false } };
const single = { isMultiRegionTrail: false, memberDefaults: { isMultiRegionTrail: false } };
/** Which trails log in the end, where that is not all of them. */
const kinds: { wish: MigrationWish; config: Config; files?: Record<string, Config>; silent?: string[] }[] = [
  { wish: { to: Transition.SingleRegion, stacks: some }, config: {} },
  { wish: { to: Transition.MultiRegion, stacks: some }, config: single },
  { wish: { to: Transition.StopLogging, stacks: some }, config: {}, silent: some },
  { wish: { to: Transition.StartLogging, stacks: ["m1", "audit"] }, config: stopped },
  { wish: { to: Transition.LogPrefix, prefix: "logs" }, config: {} },
  { wish: { to: Transition.LogPrefix, prefix: "" }, config: { logPrefix: "logs", organization } },
  { wish: { to: Transition.NewKey }, config: {} },
  { wish: { to: Transition.OrganizationTrail, stacks: ["root"], organizationId: organization.id }, config: {} },
  {
    wish: { to: Transition.AccountTrail },
    config: { organization },
    files: { management: { role: "management", accountId: managementAccountId } },
  },
];

it("an audit stack that fails after it has written its policies: its own trail is named, and the next up moves it", async () => {
  const model = new FleetModel({ members: [] });
  await model.up();
  model.config.logPrefix = "logs";
  const failed = await model.up({ fails: { audit: "afterPolicies" } });
  const [own] = model.lost();
  assert.match(own ?? "", new RegExp(`:${auditAccountId}:trail/`));
  const named = failed.findings.find(({ id }) => id === "trail/cut-off");
  assert.ok(named?.subject.includes(own ?? "?"));
  assert.equal(failed.ok, false);
  assert.equal((await model.up()).ok, true);
  assert.deepEqual(model.lost(), []);
});

describe("migrations: a failure at every step, resumed or abandoned, and every trail is asked for after each", () => {
  for (const { wish, config, files = {}, silent = [] } of kinds) {
    it(`${wish.to}${wish.prefix === undefined ? "" : ` ${JSON.stringify(wish.prefix)}`}`, async () => {
      const root = { accountId: managementAccountId, alias: "root" };
      const begin = async () => {
        const isRoot = wish.stacks?.includes("root") === true;
        const model = new FleetModel({ ...config, members: [member(1), member(2), ...(isRoot ? [root] : [])] });
        for (const [name, file] of Object.entries(files)) model.files.set(name, file);
        // One has a file of its own.
        model.files.set("m2", { role: "member", accountId: account(2) });
        if (isRoot) model.files.set("root", { role: "member", accountId: managementAccountId });
        assert.equal((await model.up()).ok, true);
        return model;
      };
      const start = await begin();
      const { steps } = start.plan(wish);
      const logging = [...start.trails.keys()];
      for (const [failAt, { stack }] of steps.entries()) {
        for (const how of stack === "audit" ? (["before", "afterPolicies"] as const) : (["before"] as const)) {
          const model = copyOf(start);
          for (const [number, step] of steps.entries()) {
            let { ok, isWritten } = { ok: false, isWritten: false };
            if (number === failAt) {
              const failed = await model.step(step, false, how);
              assert.equal(failed.ok, false);
              check(model, [], failed);
              ({ isWritten } = failed);
              // Abandoned here: the next up of the fleet as it is written then loses nothing.
              const abandoned = copyOf(model);
              const outcome = await abandoned.up({ isMigrating: true });
              assert.deepEqual(
                abandoned.lost(),
                [],
                `abandoned at step ${number}: ${JSON.stringify(outcome.findings)}`,
              );
            }
            const outcome = await model.step(step, isWritten);
            ({ ok } = outcome);
            assert.ok(ok, `step ${number} of ${step.stack}: ${JSON.stringify(outcome.findings)}`);
            assert.deepEqual(model.lost(), []);
          }
          // None was lost or replaced, and all are where the contract says.
          assert.deepEqual([...model.trails.keys()].sort(), logging.sort());
          for (const { logPrefix, keyArn } of model.trails.values()) {
            assert.deepEqual([logPrefix, keyArn], [model.contract?.logPrefix, model.contract?.keyArn]);
          }
          const quiet = [...model.stacks].filter(([, arn]) => model.trails.get(arn)?.isLogging === false);
          assert.deepEqual(quiet.map(([name]) => name).sort(), [...silent].sort());
        }
      }
    });
  }

  for (const wish of [{ to: Transition.LogPrefix, prefix: "logs" }, { to: Transition.NewKey }] as MigrationWish[]) {
    it(`${wish.to}: a member that fails, or cannot be accessed, keeps its way open; the narrowing is refused by its name`, async () => {
      const model = new FleetModel({ members: [member(1), member(2)] });
      await model.up();
      const { steps } = model.plan(wish);
      const [widen, , , narrow] = steps as [Migration["steps"][number], unknown, unknown, Migration["steps"][number]];
      assert.equal((await model.step(widen, false)).ok, true);
      assert.equal((await model.up({ only: ["m1"] })).ok, true);
      for (const isLocked of [false, true]) {
        if (isLocked) model.locked.add(account(2));
        const refused = await model.step(narrow, false);
        assert.deepEqual(
          refused.findings.map(({ id, subject }) => [id, subject.slice(0, 15)]),
          [[isLocked ? "archive/not-asked" : "archive/still-needed", `m2 ${account(2)}`]],
        );
        assert.deepEqual([refused.ok, refused.isWritten, model.lost()], [false, false, []]);
      }
      model.locked.clear();
      assert.equal((await model.up({ only: ["m2"] })).ok, true);
      assert.equal((await model.step(narrow, false)).ok, true);
      assert.deepEqual(model.lost(), []);
    });
  }

  it("the organization trail's stack may be a member's already while it is declared as both, and not otherwise", () => {
    const model = new FleetModel({ organization, members: [{ accountId: managementAccountId, alias: "management" }] });
    const { management, members } = model.fleet();
    assert.ok(management);
    assert.deepEqual(members, []);
    assert.equal(fitsRole(management, "member", model.settings()), true);
    assert.equal(fitsRole(management, "audit", model.settings()), false);
    model.config.members = [member(1)];
    assert.equal(fitsRole(management, "member", model.settings()), false);
    const [first] = model.fleet().members;
    assert.ok(first);
    assert.equal(fitsRole(first, "management", model.settings()), false);
  });
});

function copyOf(model: FleetModel): FleetModel {
  const copy = new FleetModel(structuredClone(model.config));
  copy.contract = model.contract;
  copy.archive = model.archive;
  for (const [arn, trail] of model.trails) copy.trails.set(arn, { ...trail });
  for (const [name, arn] of model.stacks) copy.stacks.set(name, arn);
  for (const [name, file] of model.files) copy.files.set(name, file);
  return copy;
}
