import assert from "node:assert/strict";
import type { AdoptionPlace, FoundTrail } from "../../core/adoption";
import { adoptionOf, whyNotAdopted } from "../../core/adoption";
import { parseSettings } from "../../core/settings";
import { asConfig, ownKeys } from "../support/config";
import { bucketName, contract, keyArn } from "../support/fleet";

const accountId = "222222222222";
const arn = (name = "crosstrail", account = accountId, region = "us-east-1") =>
  `arn:aws:cloudtrail:${region}:${account}:trail/${name}`;

const selectors = [{ name: "all", fieldSelectors: [{ field: "eventCategory", equals: ["Management"] }] }];

/** A trail that delivers to the archive of the tests' fleet. */
function found(other: Partial<FoundTrail> = {}): FoundTrail {
  return {
    arn: arn(),
    bucketName,
    logPrefix: "",
    keyArn,
    isMultiRegionTrail: true,
    enableLogFileValidation: true,
    includeGlobalServiceEvents: true,
    enableLogging: true,
    isOrganizationTrail: false,
    advancedEventSelectors: selectors,
    insightTypes: [],
    logGroupArn: "",
    topic: "",
    tags: {},
    ...other,
  };
}
const place = (other: Partial<AdoptionPlace> = {}): AdoptionPlace => ({
  accountId,
  contract: contract(),
  auditStack: "audit",
  ...other,
});
const kept = { contract: undefined };

/** The settings that a stack with this configuration has. */
function settingsOf(config: Record<string, unknown>) {
  const values = asConfig(config);
  return parseSettings("payments", ownKeys(values), values["aws:region"]);
}

describe("core/adoption", () => {
  const base = {
    "aws:region": "us-east-1",
    "aws:allowedAccountIds": [accountId],
    "crosstrail:role": "member",
    "crosstrail:accountId": accountId,
    "crosstrail:auditStack": "audit",
    "crosstrail:importTrail": arn(),
    "crosstrail:advancedEventSelectors": selectors,
  };

  it("of a trail that delivers to the archive: a stack with the defaults that imports it", () => {
    const { config, ...rest } = adoptionOf(found(), place());
    assert.deepEqual(config, base);
    assert.deepEqual(rest, {
      trailArn: arn(),
      role: "member",
      alias: "payments",
      member: { accountId, alias: "payments", trailName: "crosstrail" },
      authorised: true,
      differences: [],
      leaveAsIs: [],
      findings: [],
    });
  });

  it("says every option that differs from the default, and nothing else; the configuration is one that is accepted", () => {
    const options = {
      isMultiRegionTrail: false,
      enableLogFileValidation: false,
      includeGlobalServiceEvents: false,
      enableLogging: false,
      advancedEventSelectors: [
        {
          fieldSelectors: [
            { field: "eventCategory", equals: ["Management"] },
            { field: "eventSource", notEquals: ["kms.amazonaws.com"] },
          ],
        },
      ],
      insightTypes: ["ApiErrorRateInsight"],
    };
    const tags = { team: "payments", "aws:servicecatalog:x": "y" };
    const { config, leaveAsIs } = adoptionOf(found({ ...options, tags }), place());
    const own = Object.fromEntries(Object.entries(options).map(([name, value]) => [`crosstrail:${name}`, value]));
    assert.deepEqual(config, { ...base, ...own, "crosstrail:tags": { team: "payments" } });
    assert.deepEqual(leaveAsIs, []);
    const settings = settingsOf(config);
    assert.ok(settings.role === "member");
    const said = Object.keys(options) as (keyof typeof options)[];
    assert.deepEqual(Object.fromEntries(said.map((name) => [name, settings.trailOptions[name]])), options);
    assert.deepEqual(settings.imported, { trailArn: arn(), leaveAsIs: [] });
  });

  it("leaves as it is what the configuration cannot say, with a word on each", () => {
    const { config, leaveAsIs, findings } = adoptionOf(
      found({
        advancedEventSelectors: [
          { fieldSelectors: [{ field: "eventCategory", equals: ["Data"], newOperator: ["x"] }] },
        ],
        insightTypes: ["NewInsight"],
        logGroupArn: "arn:aws:logs:us-east-1:222222222222:log-group:trail:*",
        topic: "arn:aws:sns:us-east-1:222222222222:trail",
      }),
      place(),
    );
    const parts = ["eventSelectors", "insights", "cloudWatchLogs", "sns"];
    assert.deepEqual(leaveAsIs, parts);
    const { ["crosstrail:advancedEventSelectors"]: managed, ...others } = base;
    assert.ok(managed);
    assert.deepEqual(config, { ...others, "crosstrail:leaveAsIs": parts });
    assert.deepEqual(
      findings.map(({ id, severity, subject }) => [id, severity, subject]),
      parts.map((part) => ["adopt/left-as-is", "info", `crosstrail:leaveAsIs: ${part}`]),
    );
    const settings = settingsOf(config);
    assert.ok(settings.role === "member");
    assert.deepEqual(settings.imported?.leaveAsIs, parts);
  });

  it("leaves selectors as they are by which the AWS provider cannot select", () => {
    for (const field of ["errorCode", "eventType", "sessionCredentialFromConsole", "vpcEndpointId"]) {
      const fieldSelectors = [
        { field: "eventCategory", equals: ["Data"] },
        { field: "resources.type", equals: ["AWS::S3::Object"] },
        { field, equals: ["x"] },
      ];
      const { config, leaveAsIs } = adoptionOf(found({ advancedEventSelectors: [{ fieldSelectors }] }), place());
      assert.deepEqual([leaveAsIs, config["crosstrail:advancedEventSelectors"]], [["eventSelectors"], undefined]);
    }
  });

  it("leaves basic selectors and the default as they are", () => {
    const { config, leaveAsIs } = adoptionOf(found({ advancedEventSelectors: [] }), place());
    assert.deepEqual([leaveAsIs, config["crosstrail:leaveAsIs"]], [["eventSelectors"], ["eventSelectors"]]);
  });

  for (const [property, other] of [
    ["S3BucketName", { bucketName: "elsewhere" }],
    ["S3KeyPrefix", { logPrefix: "ours" }],
    ["KmsKeyId", { keyArn: "" }],
  ] as const) {
    it(`leaves the delivery as it is where the trail's ${property} is not the archive's`, () => {
      const { leaveAsIs, differences } = adoptionOf(found(other), place());
      assert.deepEqual(leaveAsIs, ["delivery"]);
      assert.deepEqual(
        differences.map((each) => each.property),
        [property],
      );
    });
  }

  it("of a trail that is not authorized: the entry for the audit stack, with its home Region where that is not the archive's", () => {
    const trail = found({ arn: arn("by.hand", "444444444444", "eu-west-1") });
    const { alias, member, authorised, config } = adoptionOf(trail, place({ accountId: "444444444444" }));
    assert.equal(alias, "by-hand-444444444444");
    assert.deepEqual(member, { accountId: "444444444444", alias, homeRegion: "eu-west-1", trailName: "by.hand" });
    assert.equal(authorised, false);
    assert.equal(config["aws:region"], "eu-west-1");
  });

  it("warns where the audit stack authorizes another trail of the account", () => {
    const { authorised, findings } = adoptionOf(found({ arn: arn("other") }), place());
    assert.equal(authorised, false);
    assert.deepEqual(
      findings.map(({ id }) => id),
      ["adopt/other-trail"],
    );
  });

  it("declares a Region that this version does not know", () => {
    const { config } = adoptionOf(found({ arn: arn("x-trail", accountId, "eu-north-9") }), place());
    assert.deepEqual(config["crosstrail:extraRegions"], ["eu-north-9"]);
    assert.doesNotThrow(() => settingsOf(config));
  });

  it("without an archive: the trail stays with the bucket and key of their owner, by a contract of its own", () => {
    const trail = found({ logPrefix: "ours" });
    assert.deepEqual(whyNotAdopted(trail, place(kept)), []);
    const { config, leaveAsIs, authorised } = adoptionOf(trail, place({ ...kept, alias: "pay" }));
    assert.deepEqual([leaveAsIs, authorised], [[], true]);
    assert.equal(config["crosstrail:auditStack"], undefined);
    const settings = settingsOf(config);
    assert.ok(settings.role === "member");
    assert.deepEqual(settings.source, {
      contract: contract({ logPrefix: "ours", trails: [{ accountId, alias: "pay", trailArn: arn() }] }),
    });
  });

  describe("an organization trail", () => {
    const organization = { id: "o-exampleorg1", managementAccountId: accountId };
    const trail = found({ isOrganizationTrail: true, arn: arn("by-hand", accountId, "eu-west-1") });

    it("comes under the management stack, with what the audit stack has to declare", () => {
      const { config, ...rest } = adoptionOf(trail, place({ organization }));
      assert.deepEqual(config, {
        ...base,
        "aws:region": "eu-west-1",
        "crosstrail:role": "management",
        "crosstrail:importTrail": trail.arn,
      });
      assert.deepEqual(rest, {
        trailArn: trail.arn,
        role: "management",
        alias: "management",
        organization: { ...organization, homeRegion: "eu-west-1", trailName: "by-hand" },
        authorised: false,
        differences: [],
        leaveAsIs: [],
        findings: [],
      });
      const settings = settingsOf(config);
      assert.ok(settings.role === "management");
      assert.deepEqual(settings.imported, { trailArn: trail.arn, leaveAsIs: [] });
    });

    it("is authorized where the contract names it, by the stack's name there", () => {
      const declared = contract({ organization: { ...organization, trailArn: trail.arn, alias: "root" } });
      const { authorised, alias, findings } = adoptionOf(trail, place({ contract: declared }));
      assert.deepEqual([authorised, alias, findings], [true, "root", []]);
      const other = contract({ organization: { ...organization, trailArn: arn("other") } });
      const refused = adoptionOf(trail, place({ contract: other }));
      assert.deepEqual([refused.authorised, refused.findings.map(({ id }) => id)], [false, ["adopt/other-trail"]]);
    });

    it("without an archive: stays with the bucket and key of their owner, by a contract of its own", () => {
      const where = place({ ...kept, organization });
      assert.deepEqual(whyNotAdopted(trail, where), []);
      const settings = settingsOf(adoptionOf(trail, where).config);
      assert.ok(settings.role === "management");
      assert.deepEqual(settings.source, {
        contract: contract({ trails: [], organization: { ...organization, trailArn: trail.arn } }),
      });
    });
  });

  describe("the audit account's own", () => {
    const audit = "111111111111";
    const trail = found({ arn: arn("by-hand", audit), bucketName: "by-hand-logs", keyArn: "", enableLogging: false });
    const keys = {
      "crosstrail:importTrail": trail.arn,
      "crosstrail:leaveAsIs": ["delivery"],
      "crosstrail:enableLogging": false,
      "crosstrail:advancedEventSelectors": selectors,
    };

    it("comes under the audit stack, by keys to add to its configuration", () => {
      const without = place({ accountId: audit, contract: contract({ trails: [] }) });
      assert.deepEqual(whyNotAdopted(trail, without), []);
      const { role, config, authorised, member } = adoptionOf(trail, without);
      assert.deepEqual([role, authorised, member], ["audit", true, undefined]);
      assert.deepEqual(config, { "crosstrail:auditAccountTrail": true, ...keys });
    });

    it("also before it is deployed; the configuration is accepted", () => {
      const declared = place({ accountId: audit, isDeclared: true });
      assert.deepEqual(whyNotAdopted(trail, declared), []);
      const { config } = adoptionOf(trail, declared);
      assert.deepEqual(config, keys);
      const given = { "aws:region": "us-east-1", "crosstrail:role": "audit", "crosstrail:auditAccountId": audit };
      const settings = settingsOf({ ...given, "crosstrail:bucketName": bucketName, ...config });
      assert.ok(settings.role === "audit");
      assert.deepEqual(settings.imported, { trailArn: trail.arn, leaveAsIs: ["delivery"] });
    });
  });

  describe("does not adopt", () => {
    const refusals: [string, Partial<FoundTrail>, Partial<AdoptionPlace>, RegExp][] = [
      ["adopt/foreign", { arn: arn("org", "999999999999") }, {}, /belongs to account 999999999999/],
      ["adopt/organization", { isOrganizationTrail: true }, kept, /the organization could not be read/],
      [
        "adopt/organization",
        { isOrganizationTrail: true },
        { contract: contract({ organization: { id: "o-exampleorg1", managementAccountId: "999999999999" } }) },
        /with management account 999999999999; this organization trail belongs to account 222222222222/,
      ],
      [
        "adopt/organization",
        { isOrganizationTrail: true },
        {
          contract: contract({ organization: { id: "o-exampleorg1", managementAccountId: accountId } }),
          organization: { id: "o-exampleorg2", managementAccountId: accountId },
        },
        /declares organization o-exampleorg1; this account is in organization o-exampleorg2/,
      ],
      ["adopt/control-tower", { arn: arn("aws-controltower-BaselineCloudTrail") }, {}, /Control Tower/],
      ["adopt/cloudformation", { tags: { "aws:cloudformation:stack-name": "base" } }, {}, /CloudFormation stack base/],
      ["adopt/audit-account", { arn: arn("crosstrail", "111111111111") }, { accountId: "111111111111" }, /has this/],
      [
        "adopt/audit-account",
        { arn: arn("by-hand", "111111111111") },
        { accountId: "111111111111" },
        /of its own: arn/,
      ],
      [
        "adopt/audit-account",
        { arn: arn("by-hand", "111111111111", "eu-west-1") },
        { accountId: "111111111111", contract: contract({ trails: [] }) },
        /home Region is eu-west-1; the audit stack works in us-east-1/,
      ],
      ["contract/partition", {}, { contract: contract({ partition: "aws-cn" }) }, /in aws-cn/],
      ["adopt/own-archive", { keyArn: "" }, kept, /without a key/],
      ["adopt/own-archive", { keyArn: keyArn.replace("111111111111", accountId) }, kept, /a key in its own account/],
    ];
    for (const [id, trail, other, message] of refusals) {
      it(`${id}: ${JSON.stringify(trail)}`, () => {
        const findings = whyNotAdopted(found(trail), place(other));
        assert.deepEqual(
          findings.map((each) => [each.id, each.severity]),
          [[id, "error"]],
        );
        assert.match(findings[0]?.message ?? "", message);
      });
    }
  });
});
