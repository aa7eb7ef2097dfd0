/** Guardrails that the management stack attaches: what the audit stack names, what is refused, and that nothing is detached by omission. */
import assert from "node:assert/strict";
import type { Contract } from "../../core/contract";
import { parseContract } from "../../core/contract";
import { UserError } from "../../core/findings";
import { declaredContract, managementConfig } from "../../core/fleet";
import type { AttachedGuardrails, AttachmentState } from "../../core/guardrailAttachment";
import {
  attachedGuardrails,
  guardrailRemovalFinding,
  guardrailsToAttach,
  notAttached,
} from "../../core/guardrailAttachment";
import { guardrails as everyGuardrail } from "../../core/guardrailNames";
import type { GuardrailId } from "../../core/guardrails";
import { roleSubjects } from "../../core/roles";
import type { AuditSettings } from "../../core/settings";
import { parseSettings } from "../../core/settings";
import { asConfig } from "../support/config";
import { keyArn } from "../support/fleet";

const managementAccountId = "555555555555";
const organization = { id: "o-exampleorg1", managementAccountId };
const declared = {
  role: "audit",
  auditAccountId: "111111111111",
  bucketName: "example-logs",
  members: [
    { accountId: "222222222222", alias: "payments" },
    { accountId: "333333333333", alias: "web", homeRegion: "eu-west-1", trailName: "web.trail" },
    { accountId: "444444444444", alias: "partner", inOrganization: false },
  ],
  organization,
  deployRole: "arn:{partition}:iam::{accountId}:role/CrosstrailDeploy",
  breakGlassRoles: ["CrosstrailDeploy", "BreakGlass"],
  readers: [{ trustedAccounts: [managementAccountId] }],
  replication: { region: "eu-west-1", bucketName: "example-copies" },
  accessLogBucket: "example-access-logs",
  notifications: "sqs",
  cloudWatchLogs: { retentionDays: 30 },
  memberDefaults: { cloudWatchLogs: { groupName: "trails" }, sns: { topicName: "trails" } },
  guardrails: ["members", "audit", "archive"],
  guardrailExemptRoles: ["arn:aws:iam::*:role/Emergency"],
};
const settingsOf = (change: object = {}) =>
  parseSettings("audit", asConfig({ ...declared, ...change }), "us-east-1") as AuditSettings;
/** The contract as another stack reads it. */
const contractOf = (settings = settingsOf()): Contract =>
  parseContract(
    JSON.parse(JSON.stringify({ ...declaredContract(settings), keyArn })) as Record<string, unknown>,
    "audit",
  );
const ready: AttachmentState = {
  contract: contractOf(),
  deployed: {},
  accountId: managementAccountId,
  managementAccountId,
  organizationId: organization.id,
  policyTypes: ["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"],
};
const all: GuardrailId[] = ["archive", "audit", "members"];
const refusals = (attach: GuardrailId[], mayDetach: string[], state: Partial<AttachmentState>) => {
  try {
    guardrailsToAttach({ attach, mayDetach }, { ...ready, ...state });
    return [];
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    return error.findings.map(({ id, subject, message, remedy }) => [id, `${subject} ${message} ${remedy}`]);
  }
};
const idsOf = (found: string[][]) => found.map(([id]) => id);

describe("core/guardrailAttachment", () => {
  it("what the management stack builds from the contract holds for all that crosstrail guardrails prints", () => {
    const settings = settingsOf();
    const printed = everyGuardrail({
      settings,
      accounts: roleSubjects(settings).map(({ names }) => names),
      deployRoleArns: roleSubjects(settings).flatMap(({ names: { accountId } }) => [
        `arn:aws:iam::${accountId}:role/CrosstrailDeploy`,
      ]),
      exemptRoleArns: declared.guardrailExemptRoles,
    });
    const attached = guardrailsToAttach({ attach: all, mayDetach: [] }, ready);
    assert.deepEqual(
      attached.map(({ id, type, accountIds }) => [id, type, accountIds]),
      printed.map(({ id, type, accountIds }) => [id, type, accountIds]),
    );
    const texts = (value: unknown) => [value].flat() as string[];
    for (const [index, { id, document }] of printed.entries()) {
      for (const statement of document.Statement) {
        const twin = attached[index]?.document.Statement.find(({ Sid }) => Sid === statement.Sid);
        assert.ok(twin, `${id} ${statement.Sid}`);
        const missing = texts(statement.Resource).filter((each) => !texts(twin.Resource).includes(each));
        assert.deepEqual(missing, [], `${id} ${statement.Sid}`);
        assert.deepEqual(twin.Condition, statement.Condition, `${id} ${statement.Sid}`);
      }
    }
  });

  it("names nothing where it is not asked for: the contract is what it was", () => {
    assert.equal("guardrails" in declaredContract(settingsOf({ guardrails: [] })), false);
    assert.deepEqual(Object.keys(declaredContract(settingsOf({ guardrails: ["archive"] })).guardrails ?? {}).sort(), [
      "archive",
      "exemptRoles",
    ]);
    const entry = { accountId: managementAccountId, alias: "management" };
    const config = (change: object) => managementConfig(settingsOf(change), entry, { auditStack: "audit" });
    assert.deepEqual(config({ detachGuardrails: ["audit"] })["crosstrail:guardrails"], all);
    assert.deepEqual(config({ detachGuardrails: ["audit"] })["crosstrail:detachGuardrails"], ["audit"]);
    assert.equal("crosstrail:guardrails" in config({ guardrails: [] }), false);
  });

  const members = contractOf().guardrails?.members;
  const hostile: [string, object][] = [
    ["every trail", { members: { ...members, trails: ["arn:aws:cloudtrail:*:*:trail/*"] } }],
    ["every log group", { members: { ...members, logGroups: ["arn:aws:logs:*:*:log-group:*"] } }],
    ["another service", { members: { ...members, topics: ["arn:aws:s3:::everything"] } }],
    ["every role", { members: { ...members, logRoles: ["arn:aws:iam::*:role/*"] } }],
    ["an exempt role of every name", { exemptRoles: ["arn:aws:iam::*:role/*"] }],
    ["a bucket pattern", { archive: { buckets: ["arn:aws:s3:::*"], outsideAccountIds: [] } }],
  ];
  for (const [title, change] of hostile) {
    it(`takes no names that widen a policy from a contract: ${title}`, () => {
      const contract = { ...contractOf(), guardrails: { ...contractOf().guardrails, ...change } };
      assert.throws(
        () => parseContract(contract, "audit"),
        (error) => error instanceof UserError && error.findings.every(({ id }) => id === "contract/value"),
      );
    });
  }

  it("takes no accounts from a contract that are not its own members in the organization", () => {
    for (const accountId of ["444444444444", "999999999999", managementAccountId]) {
      const contract = contractOf();
      (contract.guardrails?.members as { accountIds: string[] }).accountIds = ["222222222222", accountId];
      assert.deepEqual(idsOf(refusals(["members"], [], { contract })), ["guardrails/other-account"], accountId);
    }
  });

  const attached: AttachedGuardrails = {
    members: { accountIds: ["222222222222", "333333333333"] },
    archive: { accountIds: ["111111111111"] },
  };
  const without = contractOf(settingsOf({ members: declared.members.slice(0, 1) }));
  const cases: [string, GuardrailId[], string[], Partial<AttachmentState>, (string | undefined)[]][] = [
    ["what is attached stays attached", all, [], { deployed: attached }, []],
    [
      "a guardrail that the audit stack does not name",
      all,
      [],
      { contract: contractOf(settingsOf({ guardrails: ["archive"] })) },
      ["guardrails/not-declared", "guardrails/not-declared"],
    ],
    ["a key that is gone", [], [], { deployed: attached }, ["guardrails/would-detach", "guardrails/would-detach"]],
    [
      "a key that is gone, before the first of two steps",
      ["archive"],
      ["members"],
      { deployed: attached },
      ["guardrails/would-detach"],
    ],
    [
      "a key that is gone, after the first of two steps",
      ["archive"],
      [],
      { deployed: { ...attached, members: { accountIds: ["222222222222"], mayDetach: true } } },
      [],
    ],
    [
      "an audit stack that no longer asks for it",
      all,
      [],
      { deployed: attached, contract: contractOf(settingsOf({ guardrails: ["archive", "audit"] })) },
      ["guardrails/not-declared", "guardrails/would-detach"],
    ],
    ["a member that is gone", all, [], { deployed: attached, contract: without }, ["guardrails/account-left"]],
    ["a member that is gone, as said", all, ["333333333333"], { deployed: attached, contract: without }, []],
    [
      "another account than the one that is gone",
      all,
      ["222222222222"],
      { deployed: attached, contract: without },
      ["guardrails/account-left"],
    ],
    ["a delegated administrator's stack", all, [], { accountId: "222222222222" }, ["guardrails/not-management"]],
    [
      "types of policies that AWS does not tell",
      all,
      [],
      { policyTypes: undefined },
      ["guardrails/policy-types-unknown"],
    ],
    ["one type that is not enabled", all, [], { policyTypes: ["SERVICE_CONTROL_POLICY"] }, ["guardrails/policy-type"]],
    ["a type that is not needed", ["members"], [], { policyTypes: ["SERVICE_CONTROL_POLICY"] }, []],
    ["nothing asked for, and nothing known of types", [], [], { policyTypes: undefined }, []],
  ];
  for (const [title, attach, mayDetach, state, wanted] of cases) {
    it(`${wanted.length === 0 ? "takes" : "refuses"} ${title}`, () => {
      assert.deepEqual(idsOf(refusals(attach, mayDetach, state)), wanted);
    });
  }

  it("says which account, which type and which key", () => {
    const text = (...given: Parameters<typeof refusals>) => refusals(...given)[0]?.[1] ?? "";
    assert.match(
      text(all, [], { deployed: attached, contract: without }),
      /crosstrail:detachGuardrails: \["333333333333"\]/,
    );
    assert.match(text(all, [], { policyTypes: ["SERVICE_CONTROL_POLICY"] }), /--policy-type RESOURCE_CONTROL_POLICY/);
    assert.match(
      text([], [], { deployed: attached }),
      /222222222222, 333333333333.*add members to crosstrail:detachGuardrails/,
    );
  });

  it("knows what the audit stack asks for and this stack does not attach; a foreign output is nothing attached", () => {
    assert.deepEqual(notAttached(ready.contract, ["members"]), ["audit", "archive"]);
    assert.deepEqual(notAttached(contractOf(settingsOf({ guardrails: [] })), []), []);
    assert.deepEqual(attachedGuardrails({ members: attached.members, other: {} }), { members: attached.members });
    for (const output of [undefined, null, "x"]) assert.deepEqual(attachedGuardrails(output), {});
  });

  it("says why a stack with protected policies is not destroyed", () => {
    const policy = { type: "aws:organizations/policy:Policy", id: "p-12345678" };
    assert.equal(guardrailRemovalFinding("management", [{ ...policy, protect: false }, { type: "x" }]), undefined);
    const { id, message = "" } = guardrailRemovalFinding("management", [{ ...policy, protect: true }]) ?? {};
    assert.equal(id, "guardrails/attached");
    assert.match(message, /p-12345678/);
  });

  const mistakes: [string, object, RegExp][] = [
    [
      "without an organization",
      { organization: {}, members: declared.members.slice(0, 2) },
      /no organization is declared/,
    ],
    ["without a management stack", { organization: { ...organization, trail: false } }, /no management stack/],
    [
      "for an audit account outside",
      { organization: { ...organization, auditAccountInOrganization: false } },
      /not in the organization/,
    ],
    [
      "for the management account",
      { auditAccountId: managementAccountId, auditAccountTrail: false },
      /control policies do not hold/,
    ],
    ["without break-glass roles", { breakGlassRoles: [] }, /which role deploys this stack/],
    ["without deploy roles", { deployRole: "", guardrailExemptRoles: [] }, /the role that deploys payments, web/],
    ["for no member", { members: declared.members.slice(2) }, /for no account/],
  ];
  for (const [title, change, message] of mistakes) {
    it(`refuses the key ${title}`, () => {
      assert.throws(
        () => settingsOf(change),
        (error) =>
          error instanceof UserError &&
          error.findings.some(({ id, message: text }) => id === "config/guardrails" && message.test(text)),
      );
    });
  }

  it("takes an exempt role in place of deploy roles, and no pattern for every role", () => {
    assert.deepEqual(settingsOf({ deployRole: "" }).guardrails.attach, all);
    assert.throws(() => settingsOf({ guardrailExemptRoles: ["arn:aws:iam::*:role/*"] }), UserError);
    assert.throws(() => settingsOf({ guardrails: ["everything"] }), UserError);
    assert.throws(() => settingsOf({ detachGuardrails: ["payments"] }), UserError);
  });
});
