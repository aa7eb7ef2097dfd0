/**
 * The simulation of a fleet with an organization: the questions that only it raises, and what its forms cannot
 * restrict.
 */
import assert from "node:assert/strict";
import type { PolicyDocument, Statement } from "../../../core/evaluate";
import type { Cell, QuestionId, SimulatedFleet } from "../../../core/simulate";
import {
  builtPolicies,
  fleetOfContract,
  fleetOfSettings,
  questions,
  recognisedPolicies,
  simulate,
} from "../../../core/simulate";
import { trailArn } from "../../../core/names";
import { parseSettings } from "../../../core/settings";
import { asConfig } from "../../support/config";
import { contract, trailOf } from "../../support/fleet";

const id = "o-exampleorg1";
const managementAccountId = "555555555555";
const settings = (other: Record<string, unknown> = {}) => {
  const config = {
    role: "audit",
    auditAccountId: "111111111111",
    bucketName: "example-logs",
    members: [
      { accountId: "222222222222", alias: "payments" },
      { accountId: "333333333333", alias: "web", inOrganization: false },
      { accountId: "666666666666", alias: "shop" },
    ],
    organization: { id, managementAccountId },
    ...other,
  };
  const parsed = parseSettings("audit", asConfig(config), "us-east-1");
  assert.ok(parsed.role === "audit");
  return parsed;
};
const fleet = fleetOfSettings(settings({ memberAccess: ["*", managementAccountId] }));
const asked = (cells: Cell[], ...verdicts: Cell["verdict"][]) =>
  [...new Set(cells.filter(({ verdict }) => verdicts.includes(verdict)).map(({ question }) => question))].sort();
const raised = Object.keys(questions).filter((question) => /organization|undeclared/.test(question)) as QuestionId[];
const everything: Statement = { Sid: "Everything", Effect: "Allow", Principal: "*", Action: "*", Resource: "*" };

describe("the simulation of an organization", () => {
  it("finds the policies as they are built to be as expected, and asks all that an organization raises", () => {
    const cells = simulate(fleet, builtPolicies(fleet));
    assert.deepEqual(
      cells.filter(({ verdict }) => verdict !== "ok").map(({ id: cell }) => cell),
      [],
    );
    const put = new Set(cells.map(({ question }) => question));
    assert.deepEqual(
      raised.filter((question) => !put.has(question)),
      [],
    );
    assert.equal(new Set(cells.map((cell) => cell.id)).size, cells.length);
  });

  it("every one of its questions can fail", () => {
    const none = simulate(fleet, { ...builtPolicies(fleet), bucket: undefined, key: undefined });
    const policy: PolicyDocument = { Version: "2012-10-17", Statement: [everything] };
    const open = simulate(fleet, { ...builtPolicies(fleet), bucket: policy, key: policy });
    const failed = new Set([
      ...asked(none, "failed").filter((question) => question.startsWith("deliver/")),
      ...asked(open, "failed"),
    ]);
    assert.deepEqual(
      raised.filter((question) => !failed.has(question)),
      [],
    );
  });

  it("shows what form organization cannot restrict, and everything else holds", () => {
    const cells = simulate(fleet, builtPolicies(fleet, { bucket: "organization", key: "organization" }));
    assert.deepEqual(asked(cells, "failed", "undecided"), []);
    assert.deepEqual(asked(cells, "notTied"), [
      "other-path/log",
      "other-path/organization-log",
      "other-path/other-organization-log",
      "other-region/acl-check",
      "other-region/describe",
      "other-region/encrypt",
      "other-region/log",
      "outsider/acl-check",
      "outsider/context",
      "outsider/undeclared-acl-check",
      "outsider/undeclared-describe",
      "outsider/undeclared-encrypt",
      "outsider/undeclared-log",
    ]);
  });

  for (const bucket of ["trailList", "trailName", "accountList"] as const) {
    it(`holds for ${bucket} with key encryptionContext, too`, () => {
      assert.deepEqual(
        asked(simulate(fleet, builtPolicies(fleet, { bucket, key: "encryptionContext" })), "failed", "undecided"),
        [],
      );
    });
  }

  it("1,400 members from configuration: by the organization's id, and nothing fails", () => {
    const members = Array.from({ length: 1400 }, (_, index) => ({
      accountId: String(200000000000 + index),
      alias: `member-${index}`,
    }));
    const many = fleetOfSettings(settings({ members }));
    const policies = builtPolicies(many);
    assert.deepEqual([policies.bucketForm, policies.keyForm], ["organization", "organization"]);
    // Some of them, and the organization trail: they are all alike, and there are 60,000 questions.
    const some = { ...many, trails: [...many.trails.slice(0, 10), ...many.trails.slice(-3)] };
    assert.deepEqual(asked(simulate(some, policies), "failed", "undecided"), []);
  });

  it("the deployed policies' forms are recognized, from the contract", () => {
    const deployed = fleetOfContract(
      contract({
        trails: settings().fleet.map(({ alias, trail, inOrganization }) => ({
          accountId: trail.accountId,
          alias,
          trailArn: trailArn(trail),
          ...(inOrganization === false && { inOrganization }),
        })),
        organization: { id, managementAccountId, trailArn: trailArn(trailOf(managementAccountId)) },
      }),
    );
    for (const form of ["perTrail", "organization"] as const) {
      const built = builtPolicies(deployed, { bucket: form, key: form === "perTrail" ? "trailList" : "organization" });
      const found = recognisedPolicies(deployed, {
        bucket: JSON.stringify(built.bucket),
        key: JSON.stringify(built.key),
      });
      assert.deepEqual([found.bucketForm, found.keyForm], [built.bucketForm, built.keyForm]);
    }
    const { memberReaders, requireMfa, mfaExemptRoleArns, readers, ...plain } = fleetOfSettings(settings());
    assert.deepEqual([memberReaders, requireMfa, mfaExemptRoleArns, readers], [[], false, [], []]);
    const { breakGlassRoleArns, denyOtherEncryption, replication, ...seen } = plain;
    assert.deepEqual([breakGlassRoleArns, denyOtherEncryption, replication], [[], false, undefined]);
    assert.deepEqual({ ...deployed, keyArn: seen.keyArn }, seen satisfies SimulatedFleet);
  });

  it("an organization without a trail of its own raises no question about one", () => {
    const without = fleetOfSettings(settings({ organization: { id, managementAccountId, trail: false } }));
    const cells = simulate(without, builtPolicies(without));
    assert.deepEqual(asked(cells, "failed", "undecided"), []);
    assert.ok(!cells.some(({ question }) => question === "deliver/organization-log"));
    assert.ok(cells.some(({ question }) => question === "outsider/undeclared-log"));
  });
});
