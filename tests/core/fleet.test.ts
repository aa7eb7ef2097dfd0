import assert from "node:assert/strict";
import type { Contract } from "../../core/contract";
import type { UserError } from "../../core/findings";
import type { Fleet, Step } from "../../core/fleet";
import {
  declaredContract,
  fleetFindings,
  fleetOf,
  memberConfig,
  only,
  organizationFinding,
  planDestroy,
  planPreview,
  planUp,
} from "../../core/fleet";
import { deployProfileProblem, deployRoleProblem, fillIn } from "../../core/pattern";
import type { AuditSettings } from "../../core/settings";
import { parseSettings } from "../../core/settings";

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
    "eu-central-1",
  ) as AuditSettings;
const payments = { accountId: "222222222222", alias: "payments" };
const web = { accountId: "333333333333", alias: "web", homeRegion: "us-east-1" };
const deployed = (settings: AuditSettings): Contract => ({
  ...declaredContract(settings),
  keyArn: "arn:aws:kms:eu-central-1:111111111111:key/00000000-0000-0000-0000-000000000000",
});
const order = (steps: Step[]) => steps.map(({ stack, action }) => `${action} ${stack.name}`);

describe("fleet", () => {
  const both = audit([payments, web]);

  it("of a first run: the audit stack, then all members, none of them authorised yet", () => {
    const fleet = fleetOf(both, "audit", undefined, new Set());
    const steps = planUp(fleet);
    assert.deepEqual(order(steps), ["up audit", "up payments", "up web"]);
    assert.deepEqual(steps[0]?.needs, []);
    for (const step of steps.slice(1)) {
      assert.deepEqual([step.after, step.needs, step.orUntouched], [["audit"], ["audit"], false], step.stack.name);
    }
  });

  it("destroys removed members before the audit stack takes their authorisation away", () => {
    const fleet = fleetOf(audit([payments]), "audit", deployed(both), new Set(["audit", "payments", "web"]));
    const steps = planUp(fleet);
    assert.deepEqual(order(steps), ["destroy web", "up audit", "up payments"]);
    assert.deepEqual(steps[1]?.needs, ["web"]);
    assert.equal(steps[2]?.orUntouched, true, "payments is authorised as it is, whatever becomes of the audit stack");
  });

  it("never takes the management account's stack for a removed member's, and stays while the organization trail may deliver", () => {
    const root = { accountId: "555555555555", alias: "root" };
    const organization = JSON.stringify({ id: "o-exampleorg1", managementAccountId: root.accountId });
    const before = deployed(audit([payments, root]));
    const stacks = new Set(["audit", "payments", "root"]);
    assert.deepEqual(order(planUp(fleetOf(audit([payments]), "audit", before, stacks))), [
      "destroy root",
      "up audit",
      "up payments",
    ]);
    const settings = audit([payments], { organization });
    assert.deepEqual(order(planUp(fleetOf(settings, "audit", before, stacks))), ["up audit", "up payments"]);
    assert.equal(organizationFinding(before), undefined);
    assert.match(organizationFinding(deployed(settings))?.subject ?? "", /:555555555555:trail\/crosstrail$/);
  });

  it("a removed member whose stack is gone or empty needs no more than the audit stack", () => {
    const fleet = fleetOf(audit([payments]), "audit", deployed(both), new Set(["audit", "payments"]));
    assert.deepEqual(order(planUp(fleet)), ["up audit", "up payments"]);
  });

  it("a member whose trail is to change is not authorised as it will be", () => {
    const renamed = audit([{ ...payments, trailName: "new", previousTrailName: "crosstrail" }, web]);
    const fleet = fleetOf(renamed, "audit", deployed(both), new Set(["audit", "payments", "web"]));
    assert.deepEqual(
      fleet.members.map(({ authorised }) => authorised),
      [false, true],
    );
  });

  it("a new alias for a deployed account is refused: its trail would be made twice", () => {
    const renamed = audit([{ ...payments, alias: "money" }]);
    const stacks = new Set(["audit", "payments"]);
    const [finding, ...more] = fleetFindings(renamed, "audit", deployed(audit([payments])), stacks);
    assert.equal(finding?.id, "fleet/alias-renamed");
    assert.match(finding?.remedy ?? "", /pulumi stack rename money -s payments/);
    assert.deepEqual(more, []);
    assert.deepEqual(fleetOf(renamed, "audit", deployed(audit([payments])), stacks).removed, []);
    assert.deepEqual(fleetFindings(renamed, "audit", deployed(audit([payments])), new Set(["audit", "money"])), []);
  });

  it("a member must not be named like the audit stack", () => {
    assert.equal(fleetFindings(both, "web", undefined, new Set())[0]?.id, "fleet/stack-name");
  });

  it("is destroyed members first; the audit stack needs every one of them", () => {
    const fleet = fleetOf(both, "audit", deployed(both), new Set(["audit", "payments", "web"]));
    const steps = planDestroy(fleet);
    assert.deepEqual(order(steps), ["destroy payments", "destroy web", "destroy audit"]);
    assert.deepEqual(steps[2]?.needs, ["payments", "web"]);
  });

  it("is previewed all at once, removals as what they are", () => {
    const fleet = fleetOf(audit([payments]), "audit", deployed(both), new Set(["audit", "payments", "web"]));
    const steps = planPreview(fleet);
    assert.deepEqual(
      steps.map(({ stack, destroys = false, after }) => [stack.name, destroys, after.length]),
      [
        ["web", true, 0],
        ["audit", false, 0],
        ["payments", false, 0],
      ],
    );
  });

  it("management comes between the audit stack and the members", () => {
    const fleet: Fleet = {
      ...fleetOf(both, "audit", undefined, new Set()),
      management: { name: "management", kind: "management", accountId: "999999999999" },
    };
    const steps = planUp(fleet);
    assert.deepEqual(order(steps), ["up audit", "up management", "up payments", "up web"]);
    assert.deepEqual(steps[2]?.after, ["audit", "management"]);
    assert.deepEqual(steps[2]?.needs, ["audit"]);
    assert.deepEqual(planDestroy(fleet).at(-1)?.needs, ["payments", "web", "management"]);
  });

  it("some stacks of a plan do not wait for those that are left out", () => {
    const steps = only(planUp(fleetOf(both, "audit", undefined, new Set())), new Set(["web"]));
    assert.deepEqual(order(steps), ["up web"]);
    assert.deepEqual([steps[0]?.after, steps[0]?.needs], [[], []]);
  });

  describe("configuration of a member", () => {
    const settings = audit([payments, { ...web, deployRoleArn: "arn:aws:iam::333333333333:role/Own" }], {
      deployRole: "arn:{partition}:iam::{accountId}:role/deploy/{alias}",
      deployProfile: "{alias}",
      memberDefaults: JSON.stringify({ tags: { team: "security" } }),
    });
    const source = { auditStack: "audit" };

    it("follows from the fleet's", () => {
      assert.deepEqual(memberConfig(settings, settings.members[0] as typeof payments, source), {
        "aws:region": "eu-central-1",
        "aws:allowedAccountIds": ["222222222222"],
        "aws:profile": "payments",
        "aws:assumeRoles": [{ roleArn: "arn:aws:iam::222222222222:role/deploy/payments" }],
        "crosstrail:role": "member",
        "crosstrail:accountId": "222222222222",
        "crosstrail:auditStack": "audit",
        "crosstrail:tags": { team: "security" },
      });
    });

    it("a member's own role and Region come first", () => {
      const config = memberConfig(settings, settings.members[1] as typeof web, source);
      assert.equal(config["aws:region"], "us-east-1");
      assert.deepEqual(config["aws:assumeRoles"], [{ roleArn: "arn:aws:iam::333333333333:role/Own" }]);
    });

    it("names no credentials where none are declared: the ambient ones are used", () => {
      const config = memberConfig(both, payments, source);
      assert.ok(!("aws:profile" in config) && !("aws:assumeRoles" in config));
    });
  });

  describe("settings", () => {
    it("defaults of members are checked where they are declared", () => {
      const bad = { trailname: "x", accountId: "222222222222", enableLogging: "perhaps" };
      assert.throws(
        () => audit([payments], { memberDefaults: JSON.stringify(bad) }),
        (error: UserError) => {
          assert.deepEqual(
            error.findings.map(({ subject, message }) => [subject, message.split(/[:;]/)[0]]),
            [
              ['crosstrail:memberDefaults.trailname = "x"', "Member stacks have no such key."],
              ['crosstrail:memberDefaults.accountId = "222222222222"', "Each member has its own."],
              ['crosstrail:memberDefaults.enableLogging = "perhaps"', error.findings[2]?.message.split(/[:;]/)[0]],
            ],
          );
          return true;
        },
      );
    });

    it("patterns name known placeholders, and each account", () => {
      assert.equal(deployRoleProblem("arn:{partition}:iam::{accountId}:role/Deploy"), undefined);
      assert.match(deployRoleProblem("arn:aws:iam::{account}:role/Deploy") ?? "", /\{account\} is none of/);
      assert.match(deployRoleProblem("arn:aws:iam::222222222222:role/Deploy") ?? "", /needs \{accountId\}/);
      assert.match(deployRoleProblem("Deploy-{accountId}") ?? "", /a role ARN looks like/);
      assert.match(deployProfileProblem("{partition}") ?? "", /none of the placeholders/);
      assert.equal(fillIn("{alias}-{accountId}", { partition: "aws", ...payments }), "payments-222222222222");
    });
  });
});
