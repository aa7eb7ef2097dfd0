import assert from "node:assert/strict";
import type { UserError } from "../../../core/findings";
import type { MemberSettings } from "../../../core/settings";
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

  it("is for member stacks", () => {
    const audit = { role: "audit", auditAccountId: "111111111111", bucketName: "example-logs", importTrail };
    assert.throws(
      () => parseSettings("audit", asConfig(audit), "us-east-1"),
      ({ findings }: UserError) => findings[0]?.id === "config/wrong-role",
    );
  });
});
