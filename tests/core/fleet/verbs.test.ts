import assert from "node:assert/strict";
import type { FoundTrail } from "../../../core/adoption";
import { adoptionOf } from "../../../core/adoption";
import type { Contract } from "../../../core/contract";
import type { Finding } from "../../../core/findings";
import type { Fleet, Step } from "../../../core/fleet";
import {
  archiveRemovalFinding,
  declaredContract,
  fleetOf,
  plannedChanges,
  planDestroy,
  planPreview,
  planStatus,
  planUp,
} from "../../../core/fleet";
import { planMigration, Transition } from "../../../core/migration";
import { trailArn } from "../../../core/names";
import { roleSubjects } from "../../../core/roles";
import type { AuditSettings } from "../../../core/settings";
import { parseSettings } from "../../../core/settings";
import { fleetOfContract, fleetOfSettings } from "../../../core/simulate/subject";
import { FleetModel } from "../../support/fleetModel";

const accountOf = (index: number) => String(200000000000 + index);
const audit = (members: object[], more: Record<string, string> = {}) =>
  parseSettings(
    "audit",
    {
      role: "audit",
      auditAccountId: "111111111111",
      bucketName: "example-logs",
      members: JSON.stringify(members),
      ...more,
    },
    "us-east-1",
  ) as AuditSettings;
const deployed = (settings: AuditSettings): Contract => ({
  ...declaredContract(settings),
  keyArn: "arn:aws:kms:us-east-1:111111111111:key/00000000-0000-0000-0000-000000000000",
});

/** 30 members: the first is being removed, the second has another stack name, every seventh is not deployed yet, one is renamed. */
const all = Array.from({ length: 30 }, (_, index) => ({ accountId: accountOf(index), alias: `m${index}` }));
const before = audit(all);
const after = audit(
  all
    .slice(1)
    .map((member, index) => (index === 3 ? { ...member, trailName: "new", previousTrailName: "crosstrail" } : member)),
);
const contract = deployed(before);
const missing = new Set([7, 14, 21, 28].map((index) => `m${index}`));
const stacks = new Set(["audit", "by-hand", ...all.map(({ alias }) => alias)]);
for (const name of [...missing, "m1"]) stacks.delete(name);
const fleet: Fleet = fleetOf(after, "audit", contract, stacks, undefined, new Map([[accountOf(1), "by-hand"]]));

describe("core/fleet: the same 30 members for every verb", () => {
  const subjects = (steps: Step[]) => steps.map(({ stack }) => `${stack.name} ${stack.accountId}`).sort();

  it("up, preview, status and destroy have the same stacks, of the same accounts", () => {
    const expected = [
      "audit 111111111111",
      `by-hand ${accountOf(1)}`,
      `m0 ${accountOf(0)}`,
      ...all.slice(2).map(({ alias, accountId }) => `${alias} ${accountId}`),
    ].sort();
    for (const plan of [planUp, planPreview, planStatus, planDestroy]) {
      assert.deepEqual(subjects(plan(fleet)), expected, plan.name);
    }
    assert.deepEqual(
      planUp(fleet)
        .filter(({ action }) => action === "destroy")
        .map(({ stack }) => stack.name),
      ["m0"],
    );
  });

  it("migrate refuses the removed one by name, then moves all that are deployed and names those that are not", () => {
    const trails = [...fleet.members, ...fleet.removed].map(({ name, removed }) => ({
      name,
      config: { role: "member" },
      isDeployed: stacks.has(name),
      isRemoved: removed === true,
    }));
    const own = { name: "audit", config: { role: "audit" } };
    const wish = { to: Transition.LogPrefix, prefix: "logs" };
    assert.throws(() => planMigration(wish, own, trails), /could not be planned/);
    const { steps, notes } = planMigration(
      wish,
      own,
      trails.filter(({ isRemoved }) => !isRemoved),
    );
    const moved = steps.map(({ stack }) => stack).filter((name) => name !== "audit");
    assert.deepEqual([...moved, ...missing].sort(), fleet.members.map(({ name }) => name).sort());
    for (const name of missing) assert.match(notes.join("\n"), new RegExp(`\\b${name}\\b`));
  });

  it("the deployed contract and simulate have the same trails, by ARN", () => {
    const next = deployed(after);
    const declared = next.trails.map(({ accountId, trailArn }) => `${accountId} ${trailArn}`).sort();
    for (const { trails } of [fleetOfContract(next), fleetOfSettings(after)]) {
      const arns = trails.filter(({ isPrevious }) => !isPrevious);
      assert.deepEqual(arns.map(({ trail }) => `${trail.accountId} ${trailArn(trail)}`).sort(), declared);
    }
    const accounts = new Set(
      planUp(fleet)
        .filter(({ action }) => action === "up")
        .map(({ stack }) => stack.accountId),
    );
    assert.deepEqual([...accounts].sort(), next.trails.map(({ accountId }) => accountId).sort());
  });

  it("what up says before it asks", () => {
    const chosen = new Set(planUp(fleet).map(({ stack }) => stack.name));
    const said = plannedChanges(after, fleet, contract, stacks, chosen);
    assert.equal(said[0], "Creates: m7, m14, m21, m28.");
    assert.match(said[1] ?? "", /^Updates, where something differs: audit, by-hand, m2, .* and 16 more\.$/);
    assert.match(said.join("\n"), /The policies authorize 1 trail \(\S+:trail\/new\)\./);
    assert.match(
      said.join("\n"),
      new RegExp(`no longer authorize 1 trail \\(\\S+:${accountOf(0)}:trail/crosstrail\\)`),
    );
    // Without the audit stack no policy changes; without a contract nothing is known of them.
    assert.deepEqual(plannedChanges(after, fleet, contract, stacks, new Set(["m7"])), ["Creates: m7."]);
    assert.deepEqual(plannedChanges(after, fleet, undefined, new Set(), new Set(["audit"])), ["Creates: audit."]);
    const moved = audit(all, { logPrefix: "logs", previousLogPrefix: "/", keyGeneration: "2" });
    const lines = plannedChanges(moved, fleet, contract, stacks, new Set(["audit"])).join("\n");
    assert.match(lines, /log prefix none becomes logs and none\./);
    assert.match(lines, /A new key is created/);
  });

  it("roles have the same accounts, each once", () => {
    const subjects = roleSubjects(after);
    const ups = planUp(fleet).filter(({ action }) => action === "up");
    assert.deepEqual(
      subjects.map(({ names }) => names.accountId).sort(),
      ups.map(({ stack }) => stack.accountId).sort(),
    );
    assert.deepEqual(
      subjects.flatMap(({ aliases }) => aliases).sort(),
      ["audit", ...all.slice(1).map(({ alias }) => alias)].sort(),
    );
  });

  it("adopt knows each that the contract authorizes, and what to declare for the one that was removed", () => {
    const next = deployed(after);
    const found = (accountId: string, arn: string): FoundTrail => ({
      arn,
      bucketName: next.bucketName,
      logPrefix: next.logPrefix,
      keyArn: next.keyArn,
      isMultiRegionTrail: true,
      enableLogFileValidation: true,
      includeGlobalServiceEvents: true,
      enableLogging: true,
      isOrganizationTrail: false,
      advancedEventSelectors: [],
      insightTypes: [],
      logGroupArn: "",
      topic: "",
      tags: {},
    });
    for (const { accountId, alias, trailArn: arn } of next.trails) {
      const place = { accountId, contract: next, auditStack: "audit", isDeclared: true };
      const adoption = adoptionOf(found(accountId, arn), place);
      assert.deepEqual([adoption.alias, adoption.authorised, adoption.differences], [alias, true, []], alias);
    }
    const removed = trailArn({ partition: "aws", region: "us-east-1", accountId: accountOf(0), name: "crosstrail" });
    const place = { accountId: accountOf(0), contract: next, auditStack: "audit", alias: "m0" };
    const { authorised, member } = adoptionOf(found(accountOf(0), removed), place);
    assert.deepEqual([authorised, member], [false, { accountId: accountOf(0), alias: "m0", trailName: "crosstrail" }]);
  });

  describe("of which some are locked, and one account is closed", () => {
    const locked = ["m5", "m9"];
    const closed = "m6";
    const names = (findings: Finding[], id: string) =>
      findings
        .filter((finding) => finding.id === id)
        .map(({ subject }) => subject.split(" ")[0])
        .sort();
    const begin = async () => {
      const model = new FleetModel({ members: all });
      for (const { alias, accountId } of all.filter((_, index) => index % 3 === 0)) {
        model.files.set(alias, { role: "member", accountId });
      }
      assert.equal((await model.up()).ok, true);
      for (const { alias, accountId } of all) if (locked.includes(alias)) model.locked.add(accountId);
      model.close(all.find(({ alias }) => alias === closed)?.accountId ?? "");
      return model;
    };

    it("a plain change is refused with all their names; a move leaves their way open until they can be asked", async () => {
      const model = await begin();
      model.config.logPrefix = "logs";
      const { ok, findings } = await model.up();
      assert.equal(ok, false);
      assert.deepEqual(names(findings, "archive/not-asked"), [...locked, closed].sort());
      assert.equal(names(findings, "archive/still-needed").length, all.length - 3);
      assert.deepEqual(model.lost(), []);
      // A move goes as far as it can, keeps the way open for the rest, and names them before it is closed.
      Object.assign(model.config, { logPrefix: "logs", previousLogPrefix: "/" });
      const moved = await model.up();
      const failed = moved.results.filter(({ status }) => status !== "succeeded").map(({ stack }) => stack);
      assert.deepEqual([moved.ok, failed.sort()], [false, [...locked, closed].sort()]);
      delete model.config.previousLogPrefix;
      const narrowed = await model.up();
      assert.deepEqual(
        [narrowed.ok, names(narrowed.findings, "archive/not-asked")],
        [false, [...locked, closed].sort()],
      );
      assert.deepEqual(model.lost(), []);
      // The accounts are accessible again, and the closed one is removed.
      model.locked.clear();
      model.config.members = all.filter(({ alias }) => alias !== closed);
      model.stacks.delete(closed);
      Object.assign(model.config, { previousLogPrefix: "/" });
      assert.equal((await model.up()).ok, true);
      delete model.config.previousLogPrefix;
      assert.equal((await model.up()).ok, true);
      assert.deepEqual(model.lost(), []);
    });

    it("removed while nobody can access them: their authorization stays until their stacks are gone", async () => {
      const model = await begin();
      model.config.members = all.filter(({ alias }) => !locked.includes(alias));
      const { ok, results } = await model.up({ removeMembers: 2 });
      assert.equal(ok, false);
      const failed = results.filter(({ status }) => status === "failed").map(({ stack }) => stack);
      assert.deepEqual(failed.sort(), [...locked, closed].sort());
      assert.deepEqual(model.lost(), []);
    });
  });
});

describe("core/fleet: whether the archive may go", () => {
  const bucket = { type: "aws:s3/bucket:Bucket", id: "example-logs" };
  const key = { type: "aws:kms/key:Key", id: "a-key" };
  const kept = [bucket, key].map((each) => ({ ...each, protect: true }));
  for (const [what, resources, wanted, id] of [
    ["protected, not named", kept, undefined, undefined],
    ["protected, named", kept, "example-logs", "archive/protected"],
    ["protected, another name", kept, "example-log", "archive/other-bucket"],
    ["not protected, not named", [bucket, key], undefined, "archive/not-protected"],
    ["not protected, another name", [bucket, key], "example-log", "archive/other-bucket"],
    ["not protected, named", [bucket, key], "example-logs", undefined],
    ["the key alone is not protected", [{ ...bucket, protect: true }, key], undefined, "archive/not-protected"],
    ["the bucket is gone, the key is named", [key], "key", undefined],
    ["the bucket is gone, its name is given", [key], "example-logs", "archive/other-bucket"],
    ["nothing is left", [], "example-logs", undefined],
  ] as const) {
    it(what, () => assert.equal(archiveRemovalFinding("audit", [...resources], wanted)?.id, id));
  }
});
