import assert from "node:assert/strict";
import type { UserError } from "../../../core/findings";
import type { AuditSettings, ManagementSettings } from "../../../core/settings";
import { parseSettings } from "../../../core/settings";
import { asConfig, ownKeys, stackConfig } from "../../support/config";

const organization = { id: "o-exampleorg1", managementAccountId: "555555555555" };
const base = {
  role: "audit",
  auditAccountId: "111111111111",
  bucketName: "example-logs",
  members: [
    { accountId: "222222222222", alias: "payments" },
    { accountId: "333333333333", alias: "web", inOrganization: false },
    { accountId: "555555555555", alias: "root" },
  ],
};
const audit = (values: Record<string, unknown>) =>
  parseSettings("audit", asConfig({ ...base, ...values }), "us-east-1") as AuditSettings;
const management = (values: Record<string, unknown> = {}, region = "us-east-1") =>
  parseSettings(
    "management",
    asConfig({ role: "management", accountId: "555555555555", auditStack: "audit", ...values }),
    region,
  ) as ManagementSettings;
const trail = (name: string, region = "us-east-1") => ({ partition: "aws", region, accountId: "555555555555", name });

/** The subjects of what is wrong, with the ids. */
function mistakes(parse: () => unknown): string[] {
  try {
    parse();
  } catch (error) {
    assert.equal((error as Error).name, "UserError", String((error as Error).stack));
    return (error as UserError).findings.map(({ id, subject }) => `${id}: ${subject}`);
  }
  return [];
}

describe("core/settings: organizations", () => {
  it("the organization, its trail, and its members that have trails; the management account and outsiders are named", () => {
    assert.deepEqual(audit({ organization }).organization, {
      ...organization,
      trail: trail("crosstrail"),
      alias: "management",
      inFleet: true,
      auditAccountInOrganization: true,
      memberAccountIds: ["222222222222"],
    });
    const stack = {
      alias: "root",
      inFleet: false,
      deployRoleArn: "arn:aws:iam::555555555555:role/Own",
      deployProfile: "root",
    };
    const chosen = { ...organization, ...stack, trailName: "org", previousTrailName: "old", homeRegion: "eu-west-1" };
    assert.deepEqual(audit({ organization: chosen, trailName: "all" }).organization, {
      ...organization,
      trail: trail("org", "eu-west-1"),
      previous: trail("old", "eu-west-1"),
      auditAccountInOrganization: true,
      ...stack,
      memberAccountIds: ["222222222222"],
    });
    assert.equal(audit({ organization: { ...organization, trail: false } }).organization?.trail, undefined);
    assert.equal(audit({ organization: {} }).organization, undefined);
    assert.equal(audit({}).organization, undefined);
  });

  it("accounts that only the organization trail records may read, by their ids", () => {
    const values = {
      organization,
      memberAccess: ["payments", "666666666666"],
      readers: [{ trustedAccounts: ["444444444444"], accounts: ["777777777777"] }],
    };
    const found = audit(values);
    assert.deepEqual(found.memberReaders, ["222222222222", "666666666666"]);
    assert.deepEqual(found.readers[0]?.accountIds, ["777777777777"]);
    for (const without of [{}, { ...organization, trail: false }]) {
      assert.deepEqual(
        mistakes(() => audit({ ...values, organization: without })),
        [
          'config/unknown-member: crosstrail:readers[0].accounts[0] = "777777777777"',
          'config/unknown-member: crosstrail:memberAccess[1] = "666666666666"',
        ],
      );
    }
  });

  it("a former prefix, and a former key", () => {
    const moving = audit({ logPrefix: "new", previousLogPrefix: "/", keyGeneration: 2, previousKeyInUse: true });
    assert.deepEqual([moving.previousLogPrefix, moving.keyGeneration, moving.previousKeyInUse], ["", 2, true]);
    assert.equal(audit({ previousLogPrefix: "old" }).previousLogPrefix, "old");
    assert.equal(audit({}).previousLogPrefix, undefined);
  });

  const wrong: [string, Record<string, unknown>, string[]][] = [
    [
      "a malformed id",
      { organization: { ...organization, id: "exampleorg" } },
      ['config/value: crosstrail:organization.id = "exampleorg"'],
    ],
    [
      "an id that is too short",
      { organization: { ...organization, id: "o-short" } },
      ['config/value: crosstrail:organization.id = "o-short"'],
    ],
    [
      "an account id without quotes",
      { organization: { ...organization, managementAccountId: 5 } },
      ["config/account-id: crosstrail:organization.managementAccountId = 5"],
    ],
    [
      "a field that does not exist",
      { organization: { ...organization, region: "x" } },
      ['config/value: crosstrail:organization.region = "x"'],
    ],
    [
      "a home Region that does not exist",
      { organization: { ...organization, homeRegion: "eu-west-9" } },
      ['config/region: crosstrail:organization.homeRegion = "eu-west-9"'],
    ],
    [
      "a form without an organization",
      { bucketPolicyForm: "organization" },
      ['config/organization: crosstrail:bucketPolicyForm = "organization"'],
    ],
    [
      "a member in an organization that is not declared",
      { members: [{ accountId: "222222222222", alias: "payments", inOrganization: true }] },
      ["config/organization: crosstrail:members[0].inOrganization = true"],
    ],
    [
      "two trails that would be one",
      { organization: { ...organization, managementAccountId: "111111111111" } },
      ['config/organization: crosstrail:organization.managementAccountId = "111111111111"'],
    ],
    [
      "a former key where there is none",
      { previousKeyInUse: true },
      ["config/key-generation: crosstrail:previousKeyInUse = true"],
    ],
  ];
  for (const [title, values, expected] of wrong) {
    it(`refuses ${title}`, () => {
      assert.deepEqual(
        mistakes(() => audit(values)),
        expected,
      );
    });
  }

  it("a management stack: everything that was not chosen has its default; the template can be used", () => {
    const { trailOptions, ...found } = management();
    assert.deepEqual(found, {
      role: "management",
      partition: "aws",
      region: "us-east-1",
      accountId: "555555555555",
      source: { auditStack: "audit" },
      isOrganizationTrail: true,
      enableAllFeatures: false,
      enableTrustedAccess: false,
      acceptSecondOrganizationTrail: false,
      guardrails: { attach: [], mayDetach: [] },
      permissionsBoundary: "",
      tags: {},
    });
    assert.equal(trailOptions.isMultiRegionTrail, true);
    const template = ownKeys(stackConfig("Pulumi.management.yaml"));
    assert.equal(parseSettings("management", template, "us-east-1").role, "management");
  });

  it("a management stack's mistakes, all at once", () => {
    assert.deepEqual(
      mistakes(() => management({ accountId: "", auditStack: "", delegatedAdministrator: "12", members: [{}] })),
      [
        'config/wrong-role: crosstrail:members = "[{}]"',
        'config/account-id: crosstrail:delegatedAdministrator = "12"',
        "config/missing: crosstrail:accountId is not set",
        "config/audit-stack: crosstrail:auditStack and crosstrail:contract",
      ],
    );
  });
});
