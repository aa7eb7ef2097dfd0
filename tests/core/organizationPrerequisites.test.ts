import assert from "node:assert/strict";
import type { OrganizationState, OrganizationWish } from "../../core/organizationPrerequisites";
import { organizationFindings } from "../../core/organizationPrerequisites";
import { trailArn } from "../../core/names";
import { trailOf } from "../support/fleet";

const managementAccountId = "555555555555";
const id = "o-exampleorg1";
const trail = trailOf(managementAccountId);
const ready: OrganizationState = {
  organization: { id, managementAccountId, allFeatures: true },
  trustedAccess: true,
  serviceLinkedRole: true,
  delegatedAdministrators: [],
  trails: [],
  accountIds: [managementAccountId, "222222222222"],
};
const wish: OrganizationWish = {
  accountId: managementAccountId,
  organizationId: id,
  managementAccountId,
  trail,
  isOrganizationTrail: true,
  enableAllFeatures: false,
  enableTrustedAccess: false,
  acceptSecondOrganizationTrail: false,
  memberAccountIds: ["222222222222"],
};
const organization = ready.organization as NonNullable<OrganizationState["organization"]>;
const existing = (name: string, other: object = {}) => ({
  arn: trailArn({ ...trail, name }),
  name,
  homeRegion: "us-east-1",
  isOrganizationTrail: false,
  ...other,
});

describe("core/organization: what an organization trail needs", () => {
  it("finds nothing where everything is ready, also once the trail is deployed", () => {
    assert.deepEqual(organizationFindings(ready, wish), []);
    const deployed = { trailArn: trailArn(trail), isOrganizationTrail: true };
    const own = existing("crosstrail", { isOrganizationTrail: true });
    assert.deepEqual(organizationFindings({ ...ready, trails: [own] }, { ...wish, deployed }), []);
  });

  it("does not judge what could not be read", () => {
    const unread = { organization, trails: [] };
    assert.deepEqual(organizationFindings(unread, wish), []);
  });

  const delegate = "222222222222";
  const cases: [
    string,
    Partial<OrganizationState>,
    Partial<OrganizationWish>,
    string,
    "error" | "warning" | "info",
    RegExp,
  ][] = [
    ["no organization", { organization: undefined }, {}, "not-in-use", "error", /crosstrail:role: member/],
    [
      "another organization",
      { organization: { ...organization, id: "o-anotherorg1" } },
      {},
      "id",
      "error",
      /id: o-anotherorg1/,
    ],
    [
      "another management account",
      { organization: { ...organization, managementAccountId: "777777777777" } },
      { accountId: "777777777777" },
      "management-account",
      "error",
      /managementAccountId: "777777777777"/,
    ],
    [
      "a member account",
      {},
      { accountId: delegate },
      "member-account",
      "error",
      /register-organization-delegated-admin --member-account-id 222222222222/,
    ],
    [
      "a member account whose right to ask was refused",
      { delegatedAdministrators: undefined },
      { accountId: delegate },
      "member-account",
      "error",
      /"555555555555"/,
    ],
    [
      "a delegated administrator that registers another one",
      { delegatedAdministrators: [delegate] },
      { accountId: delegate, delegatedAdministrator: "333333333333" },
      "delegated-administrator",
      "error",
      /management account/,
    ],
    [
      "a delegated administrator that converts",
      { delegatedAdministrators: [delegate] },
      { accountId: delegate, deployed: { trailArn: trailArn(trail), isOrganizationTrail: false } },
      "delegated-conversion",
      "error",
      /management account 555555555555/,
    ],
    [
      "not all features",
      { organization: { ...organization, allFeatures: false } },
      {},
      "all-features",
      "error",
      /enable-all-features\n.*enableAllFeatures: true/,
    ],
    [
      "not all features, but asked for",
      { organization: { ...organization, allFeatures: false } },
      { enableAllFeatures: true },
      "all-features",
      "info",
      /pulumi up does this/,
    ],
    [
      "no trusted access",
      { trustedAccess: false },
      {},
      "trusted-access",
      "error",
      /enable-aws-service-access --service-principal cloudtrail.amazonaws.com/,
    ],
    [
      "no trusted access, but asked for",
      { trustedAccess: false },
      { enableTrustedAccess: true },
      "trusted-access",
      "info",
      /pulumi up does this/,
    ],
    [
      "no service-linked role",
      { serviceLinkedRole: false },
      {},
      "service-linked-role",
      "error",
      /create-service-linked-role/,
    ],
    [
      "its name is taken",
      { trails: [existing("crosstrail")] },
      {},
      "name-taken",
      "error",
      /crosstrail adopt.*importTrail/,
    ],
    [
      "a trail to take over that is not there",
      { trails: [existing("other")] },
      { importTrailArn: trailArn(trail) },
      "no-import",
      "error",
      /Correct the ARN/,
    ],
    [
      "its home is elsewhere",
      {
        trails: [existing("crosstrail", { arn: trailArn({ ...trail, region: "eu-west-1" }), homeRegion: "eu-west-1" })],
      },
      {},
      "home-region",
      "error",
      /aws:region to eu-west-1/,
    ],
    [
      "a second one",
      { trails: [existing("old", { isOrganizationTrail: true })] },
      {},
      "second-trail",
      "error",
      /acceptSecondOrganizationTrail/,
    ],
    [
      "one of Control Tower",
      { trails: [existing("aws-controltower-BaselineCloudTrail", { isOrganizationTrail: true })] },
      {},
      "second-trail",
      "error",
      /landing zone/,
    ],
    [
      "a second one that is meant",
      { trails: [existing("old", { isOrganizationTrail: true })] },
      { acceptSecondOrganizationTrail: true },
      "second-trail",
      "warning",
      /delete it/,
    ],
    [
      "a second one that came later",
      { trails: [existing("old", { isOrganizationTrail: true })] },
      { deployed: { trailArn: trailArn(trail), isOrganizationTrail: true } },
      "second-trail",
      "warning",
      /delete it/,
    ],
    ["a member that has left", { accountIds: [managementAccountId] }, {}, "left", "warning", /inOrganization: false/],
  ];
  it("the trail that it takes over is neither a taken name nor a second one", () => {
    const trails = [existing("crosstrail", { isOrganizationTrail: true })];
    assert.deepEqual(organizationFindings({ ...ready, trails }, { ...wish, importTrailArn: trailArn(trail) }), []);
  });

  for (const [title, state, change, found, severity, remedy] of cases) {
    it(title, () => {
      const findings = organizationFindings({ ...ready, ...state }, { ...wish, ...change });
      assert.deepEqual(
        findings.map((each) => [each.id, each.severity]),
        [[`organization/${found}`, severity]],
      );
      assert.match(findings[0]?.remedy ?? "", remedy);
    });
  }

  it("says everything at once", () => {
    const bare = {
      ...ready,
      organization: { ...organization, allFeatures: false },
      trustedAccess: false,
      serviceLinkedRole: false,
    };
    assert.equal(organizationFindings(bare, wish).length, 3);
  });

  it("an account's trail needs none of it; one of a member's own name is no conflict with the organization's", () => {
    const bare = { ...ready, organization: { ...organization, allFeatures: false }, trustedAccess: false };
    assert.deepEqual(organizationFindings(bare, { ...wish, isOrganizationTrail: false }), []);
    const delegated = { ...ready, delegatedAdministrators: [delegate] };
    const foreign = { ...existing("crosstrail"), arn: trailArn(trailOf("333333333333")) };
    assert.deepEqual(organizationFindings({ ...delegated, trails: [foreign] }, { ...wish, accountId: delegate }), []);
  });
});
