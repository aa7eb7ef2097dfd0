import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { PolicyDocument, Statement } from "../../../core/evaluate";
import type { SimulatedFleet } from "../../../core/simulate";
import { fleetOfContract, judgeMerged, policyInput } from "../../../core/simulate";
import { mergeBucketPolicy, mergeKeyPolicy } from "../../../core/policies/merge";
import { bucketName, contract } from "../../support/fleet";
import { policy } from "../evaluate/support";

const fleet: SimulatedFleet = fleetOfContract(contract());
const object = `arn:aws:s3:::${bucketName}/*`;

function judge(kind: "bucket" | "key", current: unknown, without?: string[]) {
  const text = JSON.stringify(current);
  const result =
    kind === "bucket"
      ? mergeBucketPolicy(policyInput(fleet), { current: text, without })
      : mergeKeyPolicy(policyInput(fleet), { current: text, without });
  assert.ok("merge" in result, JSON.stringify(result));
  return judgeMerged({ kind, merge: result.merge } as Parameters<typeof judgeMerged>[0], fleet);
}

const brief = (findings: ReturnType<typeof judge>) =>
  findings.map(({ id, severity, subject }) => `${severity} ${id} ${subject}`);

const team: Statement = {
  Sid: "Team",
  Effect: "Allow",
  Principal: { AWS: "arn:aws:iam::111111111111:role/Team" },
  Action: "s3:GetObject",
  Resource: object,
};
const deny = (more: Partial<Statement>): Statement => ({
  Sid: "Theirs",
  Effect: "Deny",
  Principal: "*",
  Action: "s3:PutObject",
  Resource: object,
  ...more,
});
const administration: Statement = {
  Sid: "Root",
  Effect: "Allow",
  Principal: { AWS: "arn:aws:iam::111111111111:root" },
  Action: "kms:*",
  Resource: "*",
};

describe("a merged policy", () => {
  it("beside harmless statements has no findings", () => {
    assert.deepEqual(judge("bucket", policy(team)), []);
    assert.deepEqual(judge("key", policy(administration)), []);
  });

  describe("stops delivery", () => {
    for (const [what, kind, statement, why] of [
      [
        "where all writes must name the key",
        "bucket",
        deny({ Condition: { StringNotEquals: { "s3:x-amz-server-side-encryption": "aws:kms" } } }),
        /No trail could deliver: .*s3:PutObject.*x-amz-server-side-encryption is absent/,
      ],
      [
        "where only members of an organization may come in",
        "bucket",
        deny({ Action: "s3:*", Condition: { StringNotEquals: { "aws:PrincipalOrgID": "o-example1234" } } }),
        /No trail could deliver: .*PrincipalOrgID/,
      ],
      [
        "for one of the trails",
        "bucket",
        deny({ Resource: `arn:aws:s3:::${bucketName}/AWSLogs/222222222222/*` }),
        /^1 of 3 trails could not deliver: /,
      ],
      [
        "where the key is for one service only",
        "key",
        deny({
          Action: "kms:GenerateDataKey*",
          Resource: "*",
          Condition: { StringNotEquals: { "kms:ViaService": "ec2.us-east-1.amazonaws.com" } },
        }),
        /No trail could deliver: .*kms:GenerateDataKey.*ViaService/,
      ],
    ] as [string, "bucket" | "key", Statement, RegExp][]) {
      it(what, () => {
        const first = kind === "bucket" ? team : administration;
        const errors = judge(kind, policy(first, statement)).filter(({ severity }) => severity === "error");
        assert.deepEqual(brief(errors), ['error policy/stops-delivery statement 2 ("Theirs")']);
        assert.match(errors[0]?.message ?? "", why);
        // Left out, it stops nothing.
        assert.deepEqual(judge(kind, policy(first, statement), ["Theirs"]), []);
      });
    }

    it("not where CloudTrail is spared", () => {
      const spares = deny({
        Condition: {
          StringNotEqualsIfExists: { "aws:PrincipalServiceName": "cloudtrail.amazonaws.com" },
          StringNotEquals: { "s3:x-amz-server-side-encryption": "aws:kms" },
        },
      });
      assert.deepEqual(brief(judge("bucket", policy(spares))), []);
    });
  });

  describe("points out what the current statements change", () => {
    it("anybody's trail may write, as in many guides", () => {
      const { policies } = JSON.parse(
        readFileSync(join(__dirname, "..", "evaluate", "cases", "guides.json"), "utf8"),
      ) as {
        policies: Record<string, PolicyDocument>;
      };
      for (const name of ["000 bucket", "001 organization", "002 bucket", "AWSLogs for everyone"]) {
        const current = JSON.parse(
          JSON.stringify(policies[name]).replaceAll(/arn:aws:s3:::[^/"]+/g, `arn:aws:s3:::${bucketName}`),
        ) as PolicyDocument;
        const findings = judge("bucket", current);
        assert.ok(findings.every(({ severity }) => severity === "warning"));
        assert.ok(
          findings.some(
            ({ id, message }) => id === "policy/lets-through" && /outsider's trail|another name/.test(message),
          ),
          name,
        );
        assert.ok(
          findings.some(({ id }) => id === "policy/confused-deputy"),
          name,
        );
      }
    });

    it("the public may read", () => {
      const open: Statement = { ...team, Sid: "Open", Principal: "*" };
      const findings = judge("bucket", policy(team, open));
      assert.deepEqual(brief(findings), [
        'warning policy/lets-through statement 2 ("Open")',
        'warning policy/wildcard-principal statement 2 ("Open")',
      ]);
      assert.match(findings[0]?.message ?? "", /Someone without credentials reads a log file \(3 times\)/);
    });

    it("the audit account may not read", () => {
      const closed = deny({ Action: "s3:GetObject" });
      assert.deepEqual(brief(judge("bucket", policy(closed))), ['warning policy/prevents statement 1 ("Theirs")']);
    });

    it("but not what Crosstrail's own allow: access without TLS, where the denial was not asked for", () => {
      assert.ok(judge("bucket", policy(team)).every(({ message }) => !/TLS/.test(message)));
    });
  });

  describe("that nobody could change again", () => {
    const use = { ...administration, Action: "kms:Encrypt" };
    for (const [what, statements, isLocked] of [
      ["has no administration", [use], true],
      ["names an administrator", [use, { ...administration, Action: ["kms:Put*"] }], false],
      ["names a role", [{ ...administration, Principal: { AWS: "arn:aws:iam::111111111111:role/Keys" } }], false],
      ["gives it to a service", [{ ...administration, Principal: { Service: "x.amazonaws.com" } }], true],
      ["excludes it", [{ ...administration, Action: undefined, NotAction: "kms:PutKeyPolicy" }], true],
      ["does not exclude it", [{ ...administration, Action: undefined, NotAction: "kms:Encrypt" }], false],
    ] as [string, Statement[], boolean][]) {
      it(what, () => {
        const found = judge("key", policy(...statements)).filter(({ id }) => id === "policy/key-locked");
        assert.deepEqual(
          found.map(({ severity }) => severity),
          isLocked ? ["error"] : [],
        );
      });
    }

    it("because its administration is left out", () => {
      assert.ok(judge("key", policy(administration), ["Root"]).some(({ id }) => id === "policy/key-locked"));
    });
  });

  it("that cannot be decided by is an error that names the current statement", () => {
    for (const [statement, id] of [
      [{ ...team, Extra: 1 }, "policy/element"],
      [{ ...team, Condition: { Perhaps: { a: "b" } } }, "policy/operator"],
      [5, "policy/statement"],
    ] as const) {
      const first = { ...team, Sid: "First" };
      const findings = judge("bucket", { Version: "2012-10-17", Statement: [first, statement] }, ["First"]);
      assert.deepEqual(
        findings.map((finding) => finding.id),
        [id],
      );
      assert.equal(findings[0]?.severity, "error");
      // Counted in the current policy, not the merged one.
      assert.match(findings[0]?.subject ?? "", /^statement 2/);
      assert.match(findings[0]?.message ?? "", /what the policy allows cannot be decided/);
    }
  });
});
