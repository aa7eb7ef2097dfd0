import assert from "node:assert/strict";
import type { Contract } from "../../../core/contract";
import { declaredContract, fleetOf, removalFinding, removalOf } from "../../../core/fleet";
import type { AuditSettings } from "../../../core/settings";
import { parseSettings } from "../../../core/settings";

const audit = (count: number, organization?: object) =>
  parseSettings(
    "audit",
    {
      role: "audit",
      auditAccountId: "111111111111",
      bucketName: "example-logs",
      members: JSON.stringify(
        Array.from({ length: count }, (_, index) => ({ accountId: String(2e11 + index), alias: `m${index}` })),
      ),
      ...(organization && { organization: JSON.stringify(organization) }),
    },
    "us-east-1",
  ) as AuditSettings;
const organization = { id: "o-exampleorg1", managementAccountId: "555555555555" };

/** What is said when so many of the members stay. */
const removal = (before: AuditSettings, after: AuditSettings, empty: string[] = []) => {
  const deployed: Contract = {
    ...declaredContract(before),
    keyArn: "arn:aws:kms:us-east-1:111111111111:key/00000000-0000-0000-0000-000000000000",
  };
  const stacks = new Set(["audit", "management", ...before.members.map(({ alias }) => alias)]);
  for (const name of empty) stacks.delete(name);
  return removalOf(after, fleetOf(after, "audit", deployed, stacks), deployed, new Set(empty));
};

describe("core/fleet: removals that have to be meant", () => {
  for (const [before, after, refused] of [
    [30, 29, false],
    [30, 15, false],
    [30, 14, true],
    [30, 0, true],
    [2, 1, false],
    [2, 0, true],
    [1, 0, true],
    [0, 0, false],
    [3, 5, false],
  ] as const) {
    it(`${before} members, ${after} of them declared: ${refused ? "refused" : "goes ahead"}`, () => {
      const found = removal(audit(before), audit(after));
      assert.equal(removalFinding(found) !== undefined, refused);
      // The right number allows it, and a larger one; a smaller one does not.
      assert.equal(removalFinding(found, before), undefined);
      if (refused) assert.ok(removalFinding(found, before - after - 1));
    });
  }

  it("says who would go, and what to write if they are to go", () => {
    const finding = removalFinding(removal(audit(5), audit(0)), 2);
    assert.match(finding?.message ?? "", /5 of 5 deployed members \(m0, m1, m2, m3, m4\).*--remove-members allows 2\./);
    assert.match(finding?.remedy ?? "", /misspelled key.*crosstrail up --remove-members 5$/);
  });

  it("members whose stacks were destroyed before are not counted", () => {
    const found = removal(audit(3), audit(0), ["m0", "m1"]);
    assert.deepEqual([found.members, found.of], [["m2"], 1]);
  });

  it("the organization trail records every account, so it never goes by itself", () => {
    const found = removal(audit(3, organization), audit(3));
    assert.match(removalFinding(found)?.message ?? "", /organization trail, which records every account/);
    assert.equal(removalFinding(found, 1), undefined);
    assert.equal(removalFinding(removal(audit(3, organization), audit(3, organization))), undefined);
  });
});
