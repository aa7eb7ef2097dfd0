/** What the engine tests hold the provider's calls against: that it can fail. */
import assert from "node:assert/strict";
import type { Call } from "../engine/calls";
import { expectAllUsed, expectGranted } from "../engine/calls";
import { callsOf, type Feature, features } from "../../core/roles";

function call(name: string, other: Partial<Call> = {}): Call {
  const [service, operation] = name.split(":") as [string, string];
  const place = { account: "111111111111", region: "us-east-1", parameters: {}, agent: "", status: 200 };
  return { service, operation, ...place, ...other };
}

describe("the provider's calls against the deploy roles", () => {
  const bucket = { parameters: { Bucket: "logs" } };

  it("a granted call passes", () => {
    expectGranted([call("s3:PutBucketPolicy", bucket), call("sts:GetCallerIdentity")], "deploy");
  });

  for (const [title, refused] of [
    ["an operation that no row is for", call("s3:PutBucketAcl", bucket)],
    ["more access than the role has", call("s3:DeleteBucket", bucket)],
    ["another kind of resource", call("s3:PutBucketPolicy", { parameters: { Bucket: "logs", Key: "AWSLogs/file" } })],
    ["a resource that cannot be told", call("cloudtrail:UpdateTrail")],
    ["a feature of the audit account in a member", call("s3:PutBucketPolicy", { ...bucket, account: "222222222222" })],
    ["a key of another kind", call("kms:CreateKey", { parameters: { KeySpec: "RSA_2048" } })],
    ["an alias without the key that it is for", call("kms:CreateAlias", { parameters: { AliasName: "x/y" } })],
  ] as [string, Call][]) {
    it(`fails: ${title}`, () => {
      assert.throws(() => expectGranted([refused], "deploy"), assert.AssertionError);
    });
  }

  it("fails when a grant is not used", () => {
    const { grants } = features.trail as Feature;
    const all = grants.flatMap(callsOf).map((name) => call(name));
    expectAllUsed(all, "trail");
    assert.throws(() => expectAllUsed(all.slice(1), "trail"), assert.AssertionError);
  });
});
