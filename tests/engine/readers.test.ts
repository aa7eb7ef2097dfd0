/** Who may read the archive, told to the real engine: each option on and off again, in place. */
import assert from "node:assert/strict";
import type { Contract } from "../../core/contract";
import { AUDIT_STACK } from "../../sandbox/accounts";
import { readBack } from "../../sandbox/readBack";
import type { Sandbox } from "../../sandbox";
import { callsOf, expectAllUsed, expectGranted, rolesOf } from "./calls";
import { Engine, inSteps, MINUTE, sandbox } from "./support";

describe("engine: readers", function () {
  this.timeout(60 * MINUTE);
  inSteps(this);
  let box: Sandbox;
  let engine: Engine;
  before(async () => {
    box = await sandbox();
    engine = new Engine(box);
    await engine.configureAudit();
    await engine.up(AUDIT_STACK);
  });
  after(() => box?.stop());

  const delivers = async () => {
    const contract = await box.outputs<Contract>(AUDIT_STACK);
    // Members have no trail here; what is asked is whether the policies would let them deliver.
    const { trails, outsider } = await readBack(contract, (accountId) => box.aws(accountId));
    return { fleet: trails.every(({ delivery }) => delivery.delivers), outsider: outsider.delivers };
  };

  for (const [title, config, changes] of [
    ["an S3 Bucket Key", { "crosstrail:bucketKeyEnabled": true }, { update: 2, same: 11 }],
    ["members that read their own logs", { "crosstrail:memberAccess": ["payments"] }, { update: 2, same: 11 }],
    [
      "MFA for people, and a role without it",
      { "crosstrail:requireMfa": true, "crosstrail:mfaExemptRoles": ["LogShipper"] },
      { update: 1, same: 12 },
    ],
  ] as const) {
    it(`${title}: on and off again in place, quiet in between, and CloudTrail still delivers`, async () => {
      await engine.configureAudit(config);
      assert.deepEqual(await engine.up(AUDIT_STACK), changes);
      await engine.expectNoChanges(AUDIT_STACK);
      assert.deepEqual(await delivers(), { fleet: true, outsider: false });
      await engine.configureAudit();
      assert.deepEqual(await engine.up(AUDIT_STACK), changes);
      await engine.expectNoChanges(AUDIT_STACK);
    });
  }

  it("roles that other accounts may assume: made, in the contract, quiet, changed in place, and removed", async () => {
    const readers = (...trustedAccounts: string[]) => ({
      "crosstrail:readers": [
        { trustedAccounts, requireMfa: true },
        { name: "PaymentsReader", trustedAccounts, externalId: "an-agreed-id", accounts: ["payments"] },
      ],
    });
    await engine.configureAudit(readers("555555555555"));
    // A component, a role and its policy for each.
    assert.deepEqual(await engine.up(AUDIT_STACK), { create: 6, same: 13 });
    await engine.expectNoChanges(AUDIT_STACK);
    const contract = await box.outputs<Contract>(AUDIT_STACK);
    assert.deepEqual(
      contract.readers?.map(({ name, roleArn }) => ({ name, roleArn })),
      ["CloudTrailReadRole", "PaymentsReader"].map((name) => ({
        name,
        roleArn: `arn:aws:iam::111111111111:role/${name}`,
      })),
    );
    await engine.configureAudit({
      ...readers("555555555555", "666666666666"),
      "crosstrail:tags": { team: "audit" },
      // Another permissions boundary for both roles: in place, as for roles that had none.
      "crosstrail:permissionsBoundary": "team/Limits",
    });
    // The roles, and what else has tags: bucket, key and trail.
    assert.deepEqual(await engine.up(AUDIT_STACK), { update: 5, same: 14 });
    await engine.configureAudit(readers("555555555555"));
    assert.deepEqual(await engine.up(AUDIT_STACK), { update: 5, same: 14 });
    await engine.configureAudit();
    assert.deepEqual(await engine.up(AUDIT_STACK), { delete: 6, same: 13 });
  });

  it("made only calls that the deploy roles grant, and left no grant for roles unused", () => {
    // Without access to remove: whoever changes readers need not be able to remove the archive.
    expectGranted(callsOf(box), "deploy", rolesOf(box));
    expectAllUsed(callsOf(box), "role");
  });
});
