import assert from "node:assert/strict";
import type { Contract } from "../../core/contract";
import { authorise, contractKeys, contractVersion, parseContract, refuseReplacement } from "../../core/contract";
import type { UserError } from "../../core/findings";
import { trailArn } from "../../core/names";
import { contract, trailOf } from "../support/fleet";

const source = "acme/crosstrail/audit";

/** Asserts the complete message of an error that the user can mend. */
function refuses(act: () => unknown, ...lines: string[]): void {
  assert.throws(act, (error: UserError) => {
    assert.equal(error.name, "UserError", error.stack);
    assert.equal(error.message, lines.join("\n"));
    return true;
  });
}

describe("core/contract", () => {
  describe("reading it", () => {
    it("gives back what the audit stack wrote", () => {
      const previousTrailArn = trailArn(trailOf("222222222222", { name: "old-trail" }));
      const written = contract({ logPrefix: "prod" });
      (written.trails[1] as Contract["trails"][number]).previousTrailArn = previousTrailArn;
      assert.deepEqual(parseContract(JSON.parse(JSON.stringify(written)) as Record<string, unknown>, source), written);
    });

    it("does not mind outputs that a later version adds", () => {
      assert.deepEqual(parseContract({ ...contract(), queries: [], bucketArn: "x" }, source), contract());
    });

    it("with readers, where there are any", () => {
      const readers = [
        { name: "Auditor", roleArn: "arn:aws:iam::111111111111:role/Auditor", trustedAccounts: ["444444444444"] },
      ];
      assert.deepEqual(parseContract(contract({ readers }), source), contract({ readers }));
      assert.throws(
        () => parseContract({ ...contract(), readers: [{ name: "Auditor" }] }, source),
        /output readers\[0\]\.roleArn is missing/,
      );
    });

    it("names its values, in the order in which they are written", () => {
      assert.equal(contractVersion, 1);
      assert.deepEqual(contractKeys, [
        "contractVersion",
        "partition",
        "auditAccountId",
        "bucketName",
        "bucketRegion",
        "logPrefix",
        "keyArn",
        "trails",
        "readers",
        "previousLogPrefix",
        "previousKeyArns",
        "previousKeyInUse",
        "organization",
        "otherBucketNames",
        "guardrails",
      ]);
    });

    it("of no version: it is no audit stack", () => {
      refuses(
        () => parseContract({ accountId: "222222222222" }, source),
        "The audit stack and this stack do not agree. Nothing was changed.",
        "",
        "  acme/crosstrail/audit",
        "    contract/missing: The stack has no output contractVersion.",
        "    → Is acme/crosstrail/audit an audit stack (crosstrail:role: audit), and was it deployed? Run pulumi up for it, or correct crosstrail:auditStack.",
      );
    });

    const older =
      "    → Update the audit stack: run pulumi up for acme/crosstrail/audit with this version of Crosstrail.";
    const newer = "    → Update Crosstrail in the member's project to the version the audit stack was deployed with.";
    for (const [version, shown, remedy] of [
      [0, "0", older],
      [2, "2", newer],
      [1.5, "1.5", newer],
      ["1", '"1"', older],
      [null, "null", older],
    ] as const) {
      it(`of version ${shown}: says which side to update`, () => {
        refuses(
          () => parseContract({ ...contract(), contractVersion: version }, source),
          "The audit stack and this stack do not agree. Nothing was changed.",
          "",
          "  acme/crosstrail/audit",
          `    contract/version: Its contract is version ${shown}; this version of Crosstrail reads version 1.`,
          remedy,
        );
      });
    }

    it("incomplete: everything that is missing or wrong is said", () => {
      const incomplete = { ...contract(), bucketName: undefined, keyArn: undefined };
      const again = "    → Run pulumi up for acme/crosstrail/audit; this rewrites its outputs.";
      refuses(
        () =>
          parseContract({ ...incomplete, partition: "aws-iso", auditAccountId: "1", trails: [{ alias: "" }] }, source),
        "The contract of the audit stack acme/crosstrail/audit is not usable. Nothing was changed.",
        "",
        '  output partition = "aws-iso"',
        "    contract/value: Allowed are aws, aws-cn, aws-us-gov.",
        again,
        "",
        '  output auditAccountId = "1"',
        '    contract/value: An AWS account ID has 12 digits, this has 1; without quotes, YAML drops leading zeros: write "012345678901".',
        again,
        "",
        "  output bucketName is missing",
        "    contract/value: This must be a string (in quotes).",
        again,
        "",
        "  output keyArn is missing",
        "    contract/value: This must be a string (in quotes).",
        again,
        "",
        "  output trails[0].accountId is missing",
        "    contract/value: This must be a string (in quotes).",
        again,
        "",
        '  output trails[0].alias = ""',
        "    contract/value: This must have at least 1 character.",
        again,
        "",
        "  output trails[0].trailArn is missing",
        "    contract/value: This must be a string (in quotes).",
        again,
      );
    });

    for (const keyArn of ["alias/crosstrail", "arn:aws:kms:us-east-1:111111111111:alias/crosstrail"]) {
      it(`with ${keyArn} as key: an alias is none`, () => {
        refuses(
          () => parseContract(contract({ keyArn }), source),
          "The contract of the audit stack acme/crosstrail/audit is not usable. Nothing was changed.",
          "",
          `  output keyArn = "${keyArn}"`,
          "    contract/value: Use the key's ARN instead of an alias: another account would look up the alias among its own keys.",
          "    → Run pulumi up for acme/crosstrail/audit; this rewrites its outputs.",
        );
      });
    }

    it("with a trail of another account than its entry", () => {
      const trail = { accountId: "444444444444", alias: "x", trailArn: trailArn(trailOf("222222222222")) };
      refuses(
        () => parseContract(contract({ trails: [trail] }), source),
        "The contract of the audit stack acme/crosstrail/audit is not usable. Nothing was changed.",
        "",
        '  output trails[0].trailArn = "arn:aws:cloudtrail:us-east-1:222222222222:trail/crosstrail"',
        "    contract/value: This trail is in account 222222222222, but its entry is for 444444444444.",
        "    → Run pulumi up for acme/crosstrail/audit; this rewrites its outputs.",
      );
    });
  });

  describe("authorisation", () => {
    const web = { partition: "aws", accountId: "333333333333", region: "eu-west-1" } as const;

    it("of a member: its trail, its alias", () => {
      assert.deepEqual(authorise(contract(), web, source), {
        trail: { partition: "aws", region: "eu-west-1", accountId: "333333333333", name: "web-trail" },
        alias: "web",
        previousTrailArn: undefined,
      });
    });

    it("of a member whose trail is being renamed: the previous one, too", () => {
      const entry = contract().trails[1] as Contract["trails"][number];
      const previousTrailArn = trailArn(trailOf("222222222222", { name: "old-trail" }));
      const { previousTrailArn: found } = authorise(
        contract({ trails: [{ ...entry, previousTrailArn }] }),
        { partition: "aws", accountId: "222222222222", region: "us-east-1" },
        source,
      );
      assert.equal(found, previousTrailArn);
    });

    it("not of another account: with the lines to add", () => {
      refuses(
        () => authorise(contract(), { partition: "aws", accountId: "444444444444", region: "us-east-1" }, source),
        "The audit stack acme/crosstrail/audit does not authorize this trail. Nothing was changed.",
        "",
        "  account 444444444444",
        "    contract/not-a-member: The account is not in the contract (3).",
        "    → Add these lines to the audit stack's configuration, under crosstrail:members:",
        "      ",
        '        - accountId: "444444444444"',
        "          alias: <a short name>",
        "      ",
        "      then run pulumi up for acme/crosstrail/audit, and this stack again.",
      );
    });

    it("not of another account in another Region: the lines say the Region", () => {
      refuses(
        () => authorise(contract(), { partition: "aws", accountId: "444444444444", region: "eu-west-1" }, source),
        "The audit stack acme/crosstrail/audit does not authorize this trail. Nothing was changed.",
        "",
        "  account 444444444444",
        "    contract/not-a-member: The account is not in the contract (3).",
        "    → Add these lines to the audit stack's configuration, under crosstrail:members:",
        "      ",
        '        - accountId: "444444444444"',
        "          alias: <a short name>",
        "          homeRegion: eu-west-1",
        "      ",
        "      then run pulumi up for acme/crosstrail/audit, and this stack again.",
      );
    });

    it("not by a contract without trails", () => {
      assert.throws(
        () => authorise(contract({ trails: [] }), web, source),
        /\n {4}contract\/not-a-member: The contract names no trails\.\n {4}→ Add these lines/,
      );
    });

    it("not of the audit account: its trail is the audit stack's", () => {
      refuses(
        () => authorise(contract(), { partition: "aws", accountId: "111111111111", region: "us-east-1" }, source),
        "The audit stack acme/crosstrail/audit does not authorize this trail. Nothing was changed.",
        "",
        "  account 111111111111",
        "    contract/audit-account: This is the audit account itself; its trail belongs to the audit stack.",
        "    → Set crosstrail:auditAccountTrail to true in the audit stack's configuration, and remove this stack.",
      );
    });

    it("not in another Region than the trail's home", () => {
      refuses(
        () => authorise(contract(), { ...web, region: "us-east-1" }, source),
        "The audit stack acme/crosstrail/audit does not authorize this trail. Nothing was changed.",
        "",
        '  aws:region = "us-east-1"',
        "    contract/region: The contract authorizes arn:aws:cloudtrail:eu-west-1:333333333333:trail/web-trail, whose home Region is eu-west-1.",
        "    → Set aws:region to eu-west-1. Or move the trail's home: set it in the audit stack's configuration,",
        "      ",
        '        - accountId: "333333333333"',
        "          alias: web",
        "          homeRegion: us-east-1",
        "      ",
        "      then run pulumi up for acme/crosstrail/audit, and this stack again.",
      );
    });

    for (const accountId of ["333333333333", "444444444444"]) {
      it(`not in another partition, whether it is a member (${accountId}) or not: one clear error`, () => {
        refuses(
          () => authorise(contract(), { partition: "aws-cn", accountId, region: "cn-north-1" }, source),
          "The audit stack acme/crosstrail/audit does not authorize this trail. Nothing was changed.",
          "",
          '  aws:region = "cn-north-1"',
          "    contract/partition: This Region is in partition aws-cn; the archive is in aws, and logs cannot cross partitions.",
          "    → Use a Region of partition aws, or an audit stack in aws-cn.",
        );
      });
    }

    it("by a contract given outright: the next step leads back to it", () => {
      refuses(
        () => authorise(contract(), { partition: "aws", accountId: "444444444444", region: "us-east-1" }, undefined),
        "The contract in crosstrail:contract does not authorize this trail. Nothing was changed.",
        "",
        "  account 444444444444",
        "    contract/not-a-member: The account is not in the contract (3).",
        "    → Add these lines to the audit stack's configuration, under crosstrail:members:",
        "      ",
        '        - accountId: "444444444444"',
        "          alias: <a short name>",
        "      ",
        "      then run pulumi up for the audit stack, copy its outputs to crosstrail:contract, and run this stack again.",
      );
    });
  });

  describe("a deployed trail", () => {
    const authorised = { trail: trailOf("222222222222", { name: "new-trail" }), alias: "payments" };
    const deployed = (other: Parameters<typeof trailOf>[1]) => trailArn(trailOf("222222222222", other));

    it("may stay as it is, or be the first one", () => {
      assert.doesNotThrow(() => refuseReplacement(undefined, authorised));
      assert.doesNotThrow(() => refuseReplacement(deployed({ name: "new-trail" }), authorised));
    });

    it("is not renamed: says how to move instead", () => {
      refuses(
        () => refuseReplacement(deployed({ name: "old-trail" }), authorised),
        "The audit stack and this stack do not agree. Nothing was changed.",
        "",
        "  arn:aws:cloudtrail:us-east-1:222222222222:trail/old-trail",
        "    trail/replaced: This trail is deployed, but the contract now authorizes arn:aws:cloudtrail:us-east-1:222222222222:trail/new-trail. A trail cannot be renamed: it would be replaced, and events in between would be lost.",
        "    → Authorize both for a while. In the audit stack's configuration, for account 222222222222:",
        "      ",
        "          trailName: new-trail",
        "          previousTrailName: old-trail",
        "      ",
        "      then run pulumi up for the audit stack and for this one: the new trail is created before the old one is removed.",
        "      Then remove previousTrailName and run pulumi up for the audit stack again.",
      );
    });

    it("may be renamed while both are authorized, but from that one name only", () => {
      const both = { ...authorised, previousTrailArn: deployed({ name: "old-trail" }) };
      assert.doesNotThrow(() => refuseReplacement(deployed({ name: "old-trail" }), both));
      assert.throws(() => refuseReplacement(deployed({ name: "older-trail" }), both), /A trail cannot be renamed/);
    });

    it("is not moved to another Region: says what that takes", () => {
      refuses(
        () => refuseReplacement(deployed({ name: "new-trail", region: "eu-west-1" }), authorised),
        "The audit stack and this stack do not agree. Nothing was changed.",
        "",
        "  arn:aws:cloudtrail:eu-west-1:222222222222:trail/new-trail",
        "    trail/replaced: This trail is deployed, but the contract now authorizes arn:aws:cloudtrail:us-east-1:222222222222:trail/new-trail. A trail cannot be moved: it would be replaced, and events in between would be lost.",
        "    → Restore homeRegion in the audit stack's configuration. To move the trail permanently, destroy this stack",
        "      (its logs stay in the archive), run pulumi up for the audit stack with the new homeRegion, then for this one.",
        "      In between, this trail records nothing.",
      );
    });
  });
});
