/** A key that is not quite in Crosstrail's namespace is a mistake; the keys of providers and other projects are nobody's business here. */
import assert from "node:assert/strict";
import type { Finding, UserError } from "../../../core/findings";
import { parseStackConfig } from "../../../core/settings";

const audit = {
  "aws:region": "us-east-1",
  "crosstrail:role": "audit",
  "crosstrail:auditAccountId": "111111111111",
  "crosstrail:bucketName": "example-logs",
};

function findingsOf(config: Record<string, string>, project?: string): Finding[] {
  try {
    parseStackConfig("audit", config, { project });
    return [];
  } catch (error) {
    assert.equal((error as Error).name, "UserError", String((error as Error).stack));
    return (error as UserError).findings;
  }
}

describe("core/settings: the namespace", () => {
  for (const space of [
    "crosstrial",
    "crosstail",
    "crostrail",
    "crosstrails",
    "Crosstrail",
    "CROSSTRAIL",
    "crossTrail",
    "cross-trail",
    "cross_trail",
    "crosstrail ",
    // Three letters away: only with a name that is ours.
    "cloudtrail",
  ]) {
    it(`${JSON.stringify(space)} is a mistake, with what was meant`, () => {
      const [finding, ...others] = findingsOf({ ...audit, [`${space}:members`]: "[]" });
      assert.deepEqual(others, []);
      assert.equal(finding?.id, "config/namespace");
      assert.equal(finding.subject, `${space}:members = "[]"`);
      assert.match(finding.remedy, /^Did you mean crosstrail:members\? Otherwise remove it from Pulumi.audit.yaml\.$/);
    });
  }

  it("a name that is misspelled as well is corrected, too", () => {
    const [finding] = findingsOf({ ...audit, "crosstial:membres": "[]" });
    assert.match(finding?.remedy ?? "", /crosstrail:members\?/);
  });

  it("a role in the wrong namespace: both are said, that it is missing and where it is", () => {
    const { "crosstrail:role": role, ...rest } = audit;
    const found = findingsOf({ ...rest, "crosstail:role": role });
    assert.deepEqual(
      found.map(({ id }) => id),
      ["config/namespace", "config/role"],
    );
  });

  it("leaves providers and other projects alone", () => {
    const others = [
      "aws",
      "AWS",
      "pulumi",
      "aws-native",
      "cloudflare",
      "awsx",
      "random",
      "kubernetes",
      "my-service",
      "trail",
    ];
    for (const space of others) {
      assert.deepEqual(findingsOf({ ...audit, [`${space}:members`]: "[]" }), [], space);
    }
    // A project that only sounds alike, with a key that is none of ours.
    assert.deepEqual(findingsOf({ ...audit, "cloudtrail:lakeName": "x" }), []);
    assert.deepEqual(findingsOf({ ...audit, "crosstrail-dashboards:title": "x" }), []);
  });

  it("of a project whose own name is close, only the names that Crosstrail has are mistakes", () => {
    assert.deepEqual(findingsOf({ ...audit, "crosstrails:dashboard": "x" }, "crosstrails"), []);
    assert.equal(findingsOf({ ...audit, "crosstrails:logPrefix": "x" }, "crosstrails").length, 1);
  });

  for (const [key, remedy] of [
    ["crosstrail:Members", /Did you mean crosstrail:members\?/],
    ["crosstrail:BUCKETNAME", /Did you mean crosstrail:bucketName\?/],
    ["crosstrail:logprefix", /Did you mean crosstrail:logPrefix\?/],
    ["crosstrail:members[0].alias", /--path 'members\[0\]\.alias'/],
    ["crosstrail:tags.team", /--path 'tags\.team'/],
    ["crosstrail:nonsense", /^Remove it from/],
  ] as const) {
    it(`${key} is no key of it`, () => {
      const [finding, ...others] = findingsOf({ ...audit, [key]: "x" });
      assert.deepEqual(others, []);
      assert.equal(finding?.id, "config/unknown-key");
      assert.match(finding.remedy, remedy);
    });
  }
});
