import assert from "node:assert/strict";
import type { UserError } from "../../../core/findings";
import type { AuditSettings, ManagementSettings, MemberSettings } from "../../../core/settings";
import { parseSettings } from "../../../core/settings";
import { asConfig } from "../../support/config";

const importTrail = "arn:aws:cloudtrail:us-east-1:222222222222:trail/by-hand";
const member = (values: Record<string, unknown>, region = "us-east-1") =>
  parseSettings(
    "payments",
    asConfig({ role: "member", accountId: "222222222222", auditStack: "audit", ...values }),
    region,
  ) as MemberSettings;

describe("core/settings: a trail that is there already", () => {
  it("is none by default", () => assert.equal(member({}).imported, undefined));

  it("has an ARN, and what of it stays as it is, each once", () => {
    assert.deepEqual(member({ importTrail }).imported, { trailArn: importTrail, leaveAsIs: [] });
    const leaveAsIs = ["sns", "delivery", "sns"];
    assert.deepEqual(member({ importTrail, leaveAsIs }).imported?.leaveAsIs, ["sns", "delivery"]);
  });

  for (const [title, values, id, subject, message] of [
    ["no ARN", { importTrail: "by-hand" }, "value", 'crosstrail:importTrail = "by-hand"', /^A trail ARN looks like/],
    [
      "another Region's",
      { importTrail: importTrail.replace("us-east-1", "eu-west-1") },
      "import-trail",
      `crosstrail:importTrail = "${importTrail.replace("us-east-1", "eu-west-1")}"`,
      /^Its home Region is eu-west-1, the stack's is us-east-1/,
    ],
    [
      "another account's",
      { importTrail: importTrail.replace("222222222222", "333333333333") },
      "import-trail",
      `crosstrail:importTrail = "${importTrail.replace("222222222222", "333333333333")}"`,
      /^The trail is in account 333333333333, but the stack's account is 222222222222\.$/,
    ],
    [
      "nothing to leave",
      { leaveAsIs: ["delivery"] },
      "import-trail",
      'crosstrail:leaveAsIs = ["delivery"]',
      /crosstrail:importTrail does not name one\.$/,
    ],
    [
      "something that cannot be left",
      { importTrail, leaveAsIs: ["tags"] },
      "value",
      'crosstrail:leaveAsIs[0] = "tags"',
      /delivery.*eventSelectors.*insights.*cloudWatchLogs.*sns/,
    ],
  ] as const) {
    it(`refuses ${title}`, () => {
      assert.throws(
        () => member(values),
        ({ findings }: UserError) => {
          assert.deepEqual(
            findings.map((each) => [each.id, each.subject]),
            [[`config/${id}`, subject]],
          );
          assert.match(findings[0]?.message ?? "", message);
          return true;
        },
      );
    });
  }

  describe("of the audit account", () => {
    const own = importTrail.replace("222222222222", "111111111111");
    const audit = (values: Record<string, unknown>) => {
      const config = { role: "audit", auditAccountId: "111111111111", bucketName: "example-logs", ...values };
      return parseSettings("audit", asConfig(config), "us-east-1") as AuditSettings;
    };
    const ids = (values: Record<string, unknown>) => {
      try {
        audit(values);
        return [];
      } catch (error) {
        return (error as UserError).findings.map(({ id, subject }) => [id, subject]);
      }
    };

    it("keeps its name, whatever the members' trails are called", () => {
      const members = [{ accountId: "222222222222", alias: "payments" }];
      const { fleet, imported } = audit({ importTrail: own, leaveAsIs: ["delivery"], members });
      assert.deepEqual(imported, { trailArn: own, leaveAsIs: ["delivery"] });
      assert.deepEqual(
        fleet.map(({ trail }) => [trail.accountId, trail.name]),
        [
          ["111111111111", "by-hand"],
          ["222222222222", "crosstrail"],
        ],
      );
    });

    it("has to be its own, and one that it may have", () => {
      assert.deepEqual(ids({ importTrail }), [["config/import-trail", `crosstrail:importTrail = "${importTrail}"`]]);
      assert.deepEqual(ids({ leaveAsIs: ["sns"] }), [["config/import-trail", 'crosstrail:leaveAsIs = ["sns"]']]);
      assert.deepEqual(ids({ importTrail: own, auditAccountTrail: false }), [
        ["config/no-trail", `crosstrail:importTrail = "${own}"`],
      ]);
    });

    it("is not the organization's at the same time", () => {
      const organization = { id: "o-exampleorg1", managementAccountId: "111111111111", trailName: "by-hand" };
      assert.deepEqual(
        ids({ importTrail: own, organization }).map(([id]) => id),
        ["config/organization"],
      );
    });

    it("is no default for members, whose trails are each another one", () => {
      assert.deepEqual(
        ids({ memberDefaults: { importTrail, leaveAsIs: ["sns"] } }).map(([id]) => id),
        ["config/member-defaults", "config/member-defaults"],
      );
    });
  });

  it("of the organization has any account's ARN: the contract says whose it is", () => {
    const values = { role: "management", accountId: "555555555555", auditStack: "audit", importTrail };
    const { imported } = parseSettings("management", asConfig(values), "us-east-1") as ManagementSettings;
    assert.deepEqual(imported, { trailArn: importTrail, leaveAsIs: [] });
  });
});
