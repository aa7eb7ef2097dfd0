import assert from "node:assert/strict";
import type { ConfiguredStack, MigrationWish } from "../../core/migration";
import { planMigration, Transition } from "../../core/migration";

const organization = { id: "o-exampleorg1", managementAccountId: "555555555555" };
const entry = { accountId: "555555555555", alias: "root", trailName: "root-trail", homeRegion: "eu-west-1" };
const payments = { accountId: "222222222222", alias: "payments" };
const audit = (config: object = {}): ConfiguredStack => ({
  name: "audit",
  config: { role: "audit", members: [payments, entry], ...config },
});
const root: ConfiguredStack = { name: "root", config: { role: "member", accountId: "555555555555" } };
const member: ConfiguredStack = { name: "payments", config: { role: "member", accountId: "222222222222" } };
const management: ConfiguredStack = { name: "management", config: { role: "management", accountId: "555555555555" } };

/** What each step changes, in order. */
const steps = (wish: MigrationWish, from: ConfiguredStack, trails: ConfiguredStack[]) =>
  planMigration(wish, from, trails).steps.map(({ stack, set }) => [stack, set]);

describe("core/migration: the order in which no delivery is refused", () => {
  it("an account's trail to the organization's: widened, converted, narrowed; the trail keeps its name and home", () => {
    const wish = { to: Transition.OrganizationTrail, stacks: ["root"], organizationId: organization.id };
    assert.deepEqual(steps(wish, audit(), [root, member]), [
      ["audit", { organization: { trailName: "root-trail", homeRegion: "eu-west-1", ...organization, alias: "root" } }],
      ["root", { role: "management", isOrganizationTrail: null }],
      ["audit", { members: [payments] }],
    ]);
    const plan = planMigration(wish, audit(), [root, member]);
    assert.match(plan.steps[1]?.meanwhile ?? "", /\(payments\) are logged twice/);
    assert.match(plan.notes.join(), /pulumi destroy --run-program -s <stack> for payments/);
  });

  it("with an organization that is declared, also one that had no trail; no entry, no narrowing", () => {
    const from = audit({ organization: { ...organization, trail: false }, members: [payments] });
    assert.deepEqual(steps({ to: Transition.OrganizationTrail, stacks: ["root"] }, from, [root]), [
      ["audit", { organization: { ...organization, alias: "root" } }],
      ["root", { role: "management", isOrganizationTrail: null }],
    ]);
  });

  it("the stack is named for crosstrail up; one that cannot be an alias is left to plain Pulumi", () => {
    const from = audit({ organization, members: [payments] });
    const declared = (name: string) =>
      steps({ to: Transition.OrganizationTrail, stacks: [name] }, from, [{ ...root, name }])[0];
    assert.deepEqual(declared("management"), ["audit", { organization }]);
    assert.deepEqual(declared("Root_1"), ["audit", { organization: { ...organization, inFleet: false } }]);
  });

  it("and back: widened, converted, made a member's, narrowed", () => {
    const from = audit({ organization: { ...organization, trailName: "org" }, members: [payments] });
    const found = steps({ to: Transition.AccountTrail }, from, [management, member]);
    assert.deepEqual(found[0], [
      "audit",
      { members: [payments, { accountId: "555555555555", alias: "management", trailName: "org" }] },
    ]);
    assert.deepEqual(found[1], ["management", { isOrganizationTrail: false }]);
    assert.equal((found[2] as [string, { role: string }])[1].role, "member");
    assert.deepEqual(found[3], ["audit", { organization: { ...organization, trailName: "org", trail: false } }]);
  });

  it("a prefix, to one and back to none", () => {
    assert.deepEqual(steps({ to: Transition.LogPrefix, prefix: "prod" }, audit(), [root, member]), [
      ["audit", { logPrefix: "prod", previousLogPrefix: "/" }],
      ["root", {}],
      ["payments", {}],
      ["audit", { previousLogPrefix: null }],
    ]);
    const [first] = steps({ to: Transition.LogPrefix, prefix: "" }, audit({ logPrefix: "prod" }), [root]);
    assert.deepEqual(first, ["audit", { logPrefix: null, previousLogPrefix: "prod" }]);
  });

  it("a new key", () => {
    assert.deepEqual(steps({ to: Transition.NewKey }, audit({ keyGeneration: 2 }), [root]), [
      ["audit", { keyGeneration: 3, previousKeyInUse: true }],
      ["root", {}],
      ["audit", { previousKeyInUse: null }],
    ]);
  });

  for (const [to, set] of [
    [Transition.MultiRegion, { isMultiRegionTrail: null }],
    [Transition.SingleRegion, { isMultiRegionTrail: false }],
    [Transition.StopLogging, { enableLogging: false }],
    [Transition.StartLogging, { enableLogging: null }],
  ] as const) {
    it(`${to}: the named stacks, the audit account's own trail among them`, () => {
      assert.deepEqual(steps({ to, stacks: ["payments", "audit"] }, audit(), [root, member]), [
        ["payments", set],
        ["audit", set],
      ]);
      assert.throws(() => steps({ to }, audit(), [root]), /no stack is named[^]*--only root audit/);
      assert.throws(() => steps({ to, stacks: ["nobody"] }, audit(), [root]), /Not every stack/);
    });
  }

  it("members without a file are moved as well, those that are not deployed are named", () => {
    const bare = (name: string, more: Partial<ConfiguredStack> = {}): ConfiguredStack => ({
      name,
      config: { role: "member" },
      hasFile: false,
      ...more,
    });
    const trails = [root, member, bare("a"), bare("b"), bare("c", { isDeployed: false })];
    for (const wish of [{ to: Transition.NewKey }, { to: Transition.LogPrefix, prefix: "prod" }]) {
      const { steps: found, notes } = planMigration(wish, audit(), trails);
      assert.deepEqual(
        found.map(({ stack }) => stack),
        ["audit", "root", "payments", "a", "b", "audit"],
      );
      assert.ok(found.every(({ writesFile }) => writesFile === undefined));
      assert.match(notes.join(), /nothing to move: c\. .*AWS is asked/);
    }
  });

  it("a change of a trail without a file writes one, unless nothing in its configuration would change", () => {
    const bare: ConfiguredStack = { name: "a", config: { role: "member" }, hasFile: false };
    const [stop] = planMigration({ to: Transition.StopLogging, stacks: ["a"] }, audit(), [bare]).steps;
    assert.deepEqual([stop?.set, stop?.writesFile], [{ enableLogging: false }, true]);
    const [every] = planMigration({ to: Transition.MultiRegion, stacks: ["a"] }, audit(), [bare]).steps;
    assert.deepEqual([every?.set, every?.writesFile], [{}, undefined]);
    const byDefault = { ...bare, config: { role: "member", isMultiRegionTrail: false } };
    const [one] = planMigration({ to: Transition.MultiRegion, stacks: ["a"] }, audit(), [byDefault]).steps;
    assert.deepEqual([one?.set, one?.writesFile], [{ isMultiRegionTrail: null }, true]);
  });

  it("refuses, by name, while a deployed member is not declared any more", () => {
    const trails = [root, { ...member, isRemoved: true }];
    assert.throws(() => planMigration({ to: Transition.NewKey }, audit(), trails), /payments[^]*crosstrail up removes/);
  });

  const refused: [string, MigrationWish, ConfiguredStack, ConfiguredStack[], RegExp][] = [
    ["no organization", { to: "organization-trail", stacks: ["root"] }, audit(), [root], /--organization-id o-/],
    [
      "no stack of the management account",
      { to: "organization-trail", organizationId: "o-x" },
      audit(),
      [root, member],
      /--only <one of root, payments>/,
    ],
    [
      "a stack of another account",
      { to: "organization-trail", stacks: ["payments"] },
      audit({ organization }),
      [root, member],
      /Its account is 222222222222/,
    ],
    [
      "no organization trail",
      { to: "account-trail", stacks: ["root"] },
      audit({ organization }),
      [root],
      /does not have an organization trail/,
    ],
    ["no prefix", { to: "log-prefix" }, audit(), [root], /--prefix/],
    ["the same prefix", { to: "log-prefix", prefix: "" }, audit(), [root], /already have this prefix/],
  ];
  for (const [title, wish, from, trails, message] of refused) {
    it(`refuses ${title}`, () => {
      assert.throws(() => planMigration(wish, from, trails), { name: "UserError", message });
    });
  }
});
