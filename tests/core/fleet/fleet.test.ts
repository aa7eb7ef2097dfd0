import assert from "node:assert/strict";
import type { Contract } from "../../../core/contract";
import type { UserError } from "../../../core/findings";
import type { Step } from "../../../core/fleet";
import {
  declaredContract,
  fleetFindings,
  fleetOf,
  managementConfig,
  managementEntry,
  memberConfig,
  only,
  organizationFinding,
  planDestroy,
  planPreview,
  planUp,
} from "../../../core/fleet";
import { deployProfileProblem, deployRoleProblem, fillIn } from "../../../core/placeholders";
import type { AuditSettings } from "../../../core/settings";
import { parseSettings } from "../../../core/settings";

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
const organization = (more: object = {}) =>
  JSON.stringify({ id: "o-exampleorg1", managementAccountId: "555555555555", ...more });
const deployed = (settings: AuditSettings): Contract => ({
  ...declaredContract(settings),
  keyArn: "arn:aws:kms:eu-central-1:111111111111:key/00000000-0000-0000-0000-000000000000",
});
const order = (steps: Step[]) => steps.map(({ stack, action }) => `${action} ${stack.name}`);

describe("fleet", () => {
  const both = audit([payments, web]);

  it("of a first run: the audit stack, then all members, none of them authorized yet", () => {
    const fleet = fleetOf(both, "audit", undefined, new Set());
    const steps = planUp(fleet);
    assert.deepEqual(order(steps), ["up audit", "up payments", "up web"]);
    assert.deepEqual(steps[0]?.needs, []);
    for (const step of steps.slice(1)) {
      assert.deepEqual([step.after, step.needs, step.orUntouched], [["audit"], ["audit"], false], step.stack.name);
    }
  });

  it("destroys removed members before the audit stack takes their authorization away", () => {
    const fleet = fleetOf(audit([payments]), "audit", deployed(both), new Set(["audit", "payments", "web"]));
    const steps = planUp(fleet);
    assert.deepEqual(order(steps), ["destroy web", "up audit", "up payments"]);
    assert.deepEqual(steps[1]?.needs, ["web"]);
    assert.equal(steps[2]?.orUntouched, true, "payments is authorized as it is, whatever becomes of the audit stack");
  });

  it("never takes the management account's stack for a removed member's", () => {
    const root = { accountId: "555555555555", alias: "root" };
    const before = deployed(audit([payments, root]));
    const stacks = new Set(["audit", "payments", "root"]);
    assert.deepEqual(order(planUp(fleetOf(audit([payments]), "audit", before, stacks))), [
      "destroy root",
      "up audit",
      "up payments",
    ]);
    const settings = audit([payments], { organization: organization({ alias: "root" }) });
    assert.deepEqual(order(planUp(fleetOf(settings, "audit", before, stacks))), ["up audit", "up root", "up payments"]);
  });

  it("a removed member whose stack is gone or empty needs no more than the audit stack", () => {
    const fleet = fleetOf(audit([payments]), "audit", deployed(both), new Set(["audit", "payments"]));
    assert.deepEqual(order(planUp(fleet)), ["up audit", "up payments"]);
  });

  it("a member whose trail is to change is not authorized as it will be", () => {
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

  describe("with an organization trail", () => {
    const declared = audit([payments, web], { organization: organization() });
    const stacks = new Set(["audit", "management", "payments", "web"]);
    const plan = (settings: AuditSettings, before?: AuditSettings, names = stacks) =>
      order(planUp(fleetOf(settings, "audit", before && deployed(before), names)));

    it("its stack comes between the audit stack and the members, which do not need it", () => {
      const fleet = fleetOf(declared, "audit", undefined, new Set());
      const steps = planUp(fleet);
      assert.deepEqual(order(steps), ["up audit", "up management", "up payments", "up web"]);
      assert.deepEqual([steps[1]?.needs, steps[1]?.orUntouched], [["audit"], false]);
      assert.deepEqual(steps[2]?.after, ["audit", "management"]);
      assert.deepEqual(steps[2]?.needs, ["audit"]);
      assert.deepEqual(planDestroy(fleet).at(-1)?.needs, ["payments", "web", "management"]);
      const again = planUp(fleetOf(declared, "audit", deployed(declared), stacks));
      assert.equal(again[1]?.orUntouched, true, "it is authorized as it is, whatever becomes of the audit stack");
    });

    it("is destroyed before its authorization is taken away, however it goes", () => {
      const gone = ["destroy management", "up audit", "up payments", "up web"];
      assert.deepEqual(plan(audit([payments, web], { organization: organization({ trail: false }) }), declared), gone);
      assert.deepEqual(plan(both, declared), gone);
      assert.deepEqual(plan(both, declared, new Set(["audit"])), gone.slice(1));
    });

    it("is left alone where others deploy it, and when its stack has become a member's", () => {
      const others = audit([payments, web], { organization: organization({ inFleet: false }) });
      assert.deepEqual(plan(others, others), ["up audit", "up payments", "up web"]);
      const back = audit([payments, { accountId: "555555555555", alias: "management" }]);
      assert.deepEqual(plan(back, declared, new Set(["audit", "management"])), [
        "up audit",
        "up payments",
        "up management",
      ]);
    });

    it("keeps the archive as long as it may deliver", () => {
      assert.equal(organizationFinding(deployed(both)), undefined);
      assert.match(organizationFinding(deployed(declared))?.subject ?? "", /:555555555555:trail\/crosstrail$/);
    });

    it("its stack's name must be its own, and a new one must not make the trail twice", () => {
      const idsOf = (alias: string) =>
        fleetFindings(
          audit([payments, web], { organization: organization({ alias }) }),
          "audit",
          deployed(declared),
          stacks,
        ).map(({ id, message, remedy }) => [id, message, remedy].join("\n"));
      assert.match(idsOf("audit")[0] ?? "", /^fleet\/stack-name\n.* and the audit stack have this name\./);
      assert.match(idsOf("payments")[0] ?? "", /^fleet\/stack-name\n.* and the member 222222222222 have this name\./);
      const [renamed, ...more] = idsOf("root");
      assert.match(renamed ?? "", /^fleet\/alias-renamed[^]*pulumi stack rename root -s management$/);
      assert.deepEqual(more, []);
      assert.deepEqual(idsOf("management"), []);
    });

    it("an account of the organization cannot have another trail of its name", () => {
      const subjects = (settings: AuditSettings, names = new Set<string>()) =>
        fleetFindings(settings, "audit", undefined, names).map(({ id, subject }) => `${id} ${subject}`);
      const named = (trailName: string, ...all: object[]) => audit(all, { organization: organization({ trailName }) });
      assert.deepEqual(subjects(named("org", payments, web)), []);
      const same = named("crosstrail", payments, { ...web, trailName: "own" });
      assert.deepEqual(subjects(same), ['fleet/trail-name crosstrail:members[0] = "payments"']);
      assert.deepEqual(subjects(same, new Set(["payments"])), [], "what AWS has let exist is not refused here");
      assert.deepEqual(subjects(named("crosstrail", { ...payments, inOrganization: false })), []);
      assert.deepEqual(subjects(audit([payments], { organization: organization({ trail: false }) })), []);
    });

    it("its configuration follows from the fleet's; once it is no longer declared, from what is deployed", () => {
      const settings = audit([payments], {
        organization: organization({ homeRegion: "us-east-1" }),
        deployRole: "arn:{partition}:iam::{accountId}:role/CrosstrailDeploy",
        memberDefaults: JSON.stringify({ insightTypes: ["ApiCallRateInsight"] }),
      });
      const wanted = {
        "aws:region": "us-east-1",
        "aws:allowedAccountIds": ["555555555555"],
        "aws:assumeRoles": [{ roleArn: "arn:aws:iam::555555555555:role/CrosstrailDeploy" }],
        "crosstrail:role": "management",
        "crosstrail:accountId": "555555555555",
        "crosstrail:auditStack": "audit",
      };
      const configOf = (now: AuditSettings, before?: Contract) => {
        const entry = managementEntry(now, before);
        return entry && managementConfig(now, entry, { auditStack: "audit" });
      };
      assert.deepEqual(configOf(settings), wanted);
      const without = { ...settings, organization: undefined };
      assert.deepEqual(configOf(without, deployed(settings)), wanted);
      assert.equal(configOf(without, deployed(both)), undefined);
      const own = { deployRoleArn: "arn:aws:iam::555555555555:role/Own", deployProfile: "root" };
      const entry = managementEntry(audit([payments], { organization: organization(own) }), undefined);
      assert.deepEqual([entry?.deployRoleArn, entry?.deployProfile], [own.deployRoleArn, own.deployProfile]);
    });
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

    it("says the external id that the roles ask for", () => {
      const config = memberConfig({ ...settings, deployExternalId: "archive-7" }, payments, source);
      assert.deepEqual(config["aws:assumeRoles"], [
        { roleArn: "arn:aws:iam::222222222222:role/deploy/payments", externalId: "archive-7" },
      ]);
    });

    it("has the audit stack's permissions boundary, unless the members' defaults say otherwise", () => {
      const limited = { ...settings, permissionsBoundary: "Limits" };
      const boundary = (of: typeof settings) => memberConfig(of, payments, source)["crosstrail:permissionsBoundary"];
      assert.equal(boundary(settings), undefined);
      assert.equal(boundary(limited), "Limits");
      assert.equal(boundary({ ...limited, memberDefaults: { permissionsBoundary: "Own" } }), "Own");
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
              ['crosstrail:memberDefaults.trailname = "x"', "Member stacks do not have this key."],
              ['crosstrail:memberDefaults.accountId = "222222222222"', "Each member has its own value."],
              ['crosstrail:memberDefaults.enableLogging = "perhaps"', error.findings[2]?.message.split(/[:;]/)[0]],
            ],
          );
          return true;
        },
      );
    });

    it("patterns name known placeholders, and each account", () => {
      assert.equal(deployRoleProblem("arn:{partition}:iam::{accountId}:role/Deploy"), undefined);
      assert.match(deployRoleProblem("arn:aws:iam::{account}:role/Deploy") ?? "", /\{account\} is not one of/);
      assert.match(deployRoleProblem("arn:aws:iam::222222222222:role/Deploy") ?? "", /needs \{accountId\}/);
      assert.match(deployRoleProblem("Deploy-{accountId}") ?? "", /a role ARN looks like/);
      assert.match(deployProfileProblem("{partition}") ?? "", /not one of the placeholders/);
      assert.equal(fillIn("{alias}-{accountId}", { partition: "aws", ...payments }), "payments-222222222222");
    });
  });
});
