/** What AWS refuses or ignores of tags is refused before anything is deployed, wherever tags are given. */
import assert from "node:assert/strict";
import { AuditBucket, LogReader, MemberTrail } from "../../components";
import type { UserError } from "../../core/findings";
import { parseSettings } from "../../core/settings";
import { roleTagsProblem, tagsProblem } from "../../core/tags";
import { asConfig } from "../support/config";
import { auditAccountId, bucketName, keyArn, trailOf } from "../support/fleet";
import { startMocks } from "../support/mocks";
import { trailArn } from "../../core/names";

const audit = { role: "audit", auditAccountId: "111111111111", bucketName: "example-logs" };
const member = { role: "member", accountId: "222222222222", auditStack: "audit" };
const management = { role: "management", accountId: "555555555555", auditStack: "audit" };
const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`tag${index}`, "x"]));

function mistakes(config: Record<string, unknown>): string[] {
  try {
    parseSettings("x", asConfig(config), "us-east-1");
    return [];
  } catch (error) {
    assert.equal((error as Error).name, "UserError", String((error as Error).stack));
    return (error as UserError).findings.map(({ subject, message }) => `${subject}: ${message}`);
  }
}

const bad: [string, Record<string, string>, RegExp][] = [
  ["AWS's own prefix", { "aws:owner": "me" }, /AWS's own/],
  ["in capitals", { "AWS:Owner": "me" }, /AWS's own/],
  ["mixed", { "aWs:x": "me" }, /AWS's own/],
  ["a key that is too long", { ["k".repeat(129)]: "x" }, /1 to 128 characters, this has 129/],
  ["an empty key", { "": "x" }, /1 to 128 characters, this has 0/],
  ["a value that is too long", { a: "v".repeat(257) }, /at most 256 characters, this has 257/],
  ["a key with other characters", { "a*b": "x" }, /a tag's key has letters/i],
  ["a value with other characters", { a: "<b>" }, /a tag's value has letters/i],
  ["a line break", { a: "b\nc" }, /a tag's value has letters/i],
  ["too many", many(51), /at most 50 tags/],
];

describe("core/tags", () => {
  for (const [what, tags, message] of bad) {
    it(`${what} is refused in every stack, and of components`, async () => {
      for (const stack of [audit, member, management]) {
        const [found, ...others] = mistakes({ ...stack, tags });
        assert.match(found ?? "", message);
        assert.deepEqual(others, []);
      }
      assert.match(mistakes({ ...audit, memberDefaults: { tags } })[0] ?? "", message);
      assert.match(tagsProblem(tags) ?? "", message);
      const run = await startMocks();
      const trail = trailArn(trailOf("222222222222"));
      assert.throws(() => new AuditBucket("a", { bucketName, keyArn, trailArns: [trail], tags }), message);
      assert.throws(() => new MemberTrail("b", { trailName: "crosstrail", bucketName, keyArn, tags }), message);
      assert.throws(() => new LogReader("c", { trustedAccounts: [auditAccountId], bucketName, keyArn, tags }), message);
      await run.settle();
      assert.deepEqual(run.resources, []);
    });
  }

  it("Crosstrail's own tag counts, and is its own", () => {
    assert.match(mistakes({ ...audit, tags: many(50) })[0] ?? "", /adds 1 of its own/);
    assert.match(mistakes({ ...audit, tags: { "crosstrail:stack": "x" } })[0] ?? "", /Crosstrail itself sets this tag/);
    assert.equal(tagsProblem({ "crosstrail:stack": "x" }), undefined);
  });

  it("takes what AWS takes", () => {
    const tags = {
      team: "",
      "cost center": "R&D".replace("&", " and "),
      größe: "日本 1",
      "a.b:/=+-@_": "x",
      awsome: "y",
      "my:aws:x": "z",
    };
    for (const stack of [audit, member, management]) assert.deepEqual(mistakes({ ...stack, tags }), []);
    assert.deepEqual(mistakes({ ...audit, tags: many(49) }), []);
  });

  it("keys that differ in letter case only are refused where a role gets them, and nowhere else", () => {
    const tags = { team: "a", Team: "b" };
    assert.deepEqual(mistakes({ ...member, tags }), []);
    assert.match(mistakes({ ...member, tags, cloudWatchLogs: { encrypted: false } })[0] ?? "", /letter case/);
    assert.match(
      mistakes({ ...audit, tags, readers: [{ trustedAccounts: ["222222222222"] }] })[0] ?? "",
      /letter case/,
    );
    assert.match(roleTagsProblem(tags) ?? "", /letter case/);
    assert.equal(tagsProblem(tags), undefined);
  });
});
