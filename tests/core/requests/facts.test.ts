/** The table of facts: what each kind of caller's requests have, and that something depends on each row. */
import assert from "node:assert/strict";
import type { AccessRequest, Caller, ConditionBlock } from "../../../core/evaluate";
import { compile, evaluate, judge } from "../../../core/evaluate";
import type { Asker, KeyFacts, World } from "../../../core/requests";
import { asked, factsOf, furtherOf, indexOf, keyFacts } from "../../../core/requests";

const bucket = "arn:aws:s3:::acme-trail-archive";
const key = "arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const world: World = {
  region: "us-east-1",
  organizationOf: (accountId) =>
    accountId === "999999999999"
      ? "none"
      : accountId === "888888888888"
        ? { not: "o-exampleorg1" }
        : { id: "o-exampleorg1" },
};
const callers: Record<Asker, Caller> = {
  service: { kind: "service", service: "cloudtrail.amazonaws.com" },
  principal: { kind: "account", arn: "arn:aws:iam::111111111111:role/Administrator" },
  anonymous: { kind: "anonymous" },
};
const s3: Omit<AccessRequest, "caller"> = {
  action: "s3:PutObject",
  resource: `${bucket}/x`,
  resourceAccountId: "111111111111",
};
const kms = { action: "kms:Decrypt", resource: key, resourceAccountId: "111111111111" };

/** What a request has: a value, "always" or "maybe" with an unknown one, or nothing. */
function presence(caller: Caller, name: string, request: Omit<AccessRequest, "caller"> = s3): unknown {
  const answer = furtherOf(world, { ...request, caller }, "222222222222")(name.toLowerCase());
  if (answer === undefined) return "never";
  return "presence" in answer ? answer.presence : answer.join();
}

describe("the facts of requests", () => {
  /** The keys that IAM documents as always present, or present for all of a kind, and what each kind of caller has. */
  const rows: [name: string, service: string, principal: string, anonymous: string][] = [
    ["aws:CurrentTime", "always", "always", "always"],
    ["aws:EpochTime", "always", "always", "always"],
    ["aws:RequestedRegion", "us-east-1", "us-east-1", "us-east-1"],
    ["aws:SecureTransport", "true", "true", "true"],
    ["aws:ViaAWSService", "false", "false", "false"],
    ["aws:userid", "always", "always", "anonymous"],
    ["aws:PrincipalArn", "never", "always", "never"],
    ["aws:PrincipalAccount", "always", "111111111111", "anonymous"],
    ["aws:PrincipalType", "always", "always", "Anonymous"],
    ["aws:PrincipalIsAWSService", "true", "false", "never"],
    ["aws:PrincipalServiceName", "cloudtrail.amazonaws.com", "never", "never"],
    ["aws:PrincipalServiceNamesList", "cloudtrail.amazonaws.com", "never", "never"],
    ["aws:PrincipalOrgID", "never", "o-exampleorg1", "never"],
    ["aws:PrincipalOrgPaths", "never", "always", "never"],
    ["aws:SourceArn", "always", "never", "never"],
    ["aws:SourceAccount", "222222222222", "never", "never"],
    ["aws:SourceOrgID", "o-exampleorg1", "never", "never"],
    ["aws:SourceOrgPaths", "always", "never", "never"],
    ["aws:ResourceAccount", "111111111111", "111111111111", "111111111111"],
    ["aws:ResourceOrgID", "o-exampleorg1", "o-exampleorg1", "o-exampleorg1"],
    ["aws:ResourceOrgPaths", "always", "always", "always"],
    ["s3:ResourceAccount", "111111111111", "111111111111", "111111111111"],
    ["s3:TlsVersion", "always", "always", "always"],
    ["s3:authType", "always", "always", "never"],
    ["s3:signatureversion", "always", "always", "never"],
    ["aws:SourceIp", "maybe", "maybe", "maybe"],
    ["aws:SourceVpce", "never", "maybe", "maybe"],
    ["aws:CalledVia", "never", "never", "never"],
    ["aws:PrincipalTag/team", "never", "maybe", "never"],
    ["aws:MultiFactorAuthPresent", "never", "maybe", "never"],
    ["s3:x-amz-acl", "maybe", "maybe", "maybe"],
    ["s3:x-amz-copy-source", "never", "maybe", "maybe"],
  ];
  for (const [name, ...expected] of rows) {
    it(`${name}: ${expected.join(", ")}`, () => {
      assert.deepEqual(
        (["service", "principal", "anonymous"] as const).map((asker) => presence(callers[asker], name)),
        expected,
      );
    });
  }
  for (const [name, ...expected] of [
    ["kms:CallerAccount", "always", "111111111111", "never"],
    ["kms:ViaService", "maybe", "never", "never"],
    ["kms:KeySpec", "SYMMETRIC_DEFAULT", "SYMMETRIC_DEFAULT", "SYMMETRIC_DEFAULT"],
    ["kms:EncryptionAlgorithm", "SYMMETRIC_DEFAULT", "SYMMETRIC_DEFAULT", "SYMMETRIC_DEFAULT"],
    ["aws:RequestedRegion", "us-east-1", "us-east-1", "us-east-1"],
    ["aws:ViaAWSService", "always", "false", "false"],
    ["s3:ResourceAccount", "never", "never", "never"],
  ] as [string, string, string, string][]) {
    it(`${name} in KMS's requests: ${expected.join(", ")}`, () => {
      assert.deepEqual(
        (["service", "principal", "anonymous"] as const).map((asker) => presence(callers[asker], name, kms)),
        expected,
      );
    });
  }

  it("a key that the table does not have is undecided where requests could have it, and never absent", () => {
    const new_ = "aws:SomethingNew";
    for (const caller of Object.values(callers)) assert.equal(presence(caller, new_), "maybe");
    assert.equal(presence(callers.service, "s3:SomethingNew"), "maybe");
    assert.equal(presence(callers.service, "kms:SomethingNew"), "never");
    assert.equal(presence(callers.service, "kms:SomethingNew", kms), "maybe");
    // A session can have the keys of any identity provider; a service has none.
    assert.equal(presence(callers.principal, "saml:aud"), "maybe");
    assert.equal(presence(callers.service, "saml:aud"), "never");
    const hint = (name: string, about: World) => {
      const answer = furtherOf(about, { ...s3, caller: callers.service }, "222222222222")(name);
      return answer !== undefined && "hint" in answer ? answer.hint : undefined;
    };
    assert.equal(hint("aws:sourceacount", world), "Crosstrail does not know this key; did you mean aws:SourceAccount?");
    // Only who can give a value is told how.
    assert.match(hint("aws:somethingnew", { ...world, given: new Map() }) ?? "", /--context aws:somethingnew=<value>/);
    assert.doesNotMatch(hint("aws:somethingnew", world) ?? "", /--context/);
    assert.doesNotMatch(hint("aws:currenttime", world) ?? "", /--context/);
    assert.match(hint("aws:currenttime", { ...world, given: new Map() }) ?? "", /--context aws:CurrentTime=<value>/);
    const given = new Map([["aws:somethingnew", ["x"]]]);
    assert.deepEqual(furtherOf({ ...world, given }, { ...s3, caller: callers.service })("aws:somethingnew"), ["x"]);
  });

  it("names each key once, with a page and its wording", () => {
    assert.equal(new Set(keyFacts.map((each) => each.key.toLowerCase())).size, keyFacts.length);
    for (const { key: name, source, availability } of keyFacts) {
      assert.match(source, /^https:\/\/docs\.aws\.amazon\.com\/.+/, name);
      assert.ok(availability.length > 5, name);
    }
  });

  it("an account's organization: its id, none, some other one, or nobody has said", () => {
    const of = (accountId: string, about: World = world) =>
      furtherOf(about, { ...s3, caller: { kind: "account", accountId } })("aws:principalorgid");
    assert.deepEqual(of("222222222222"), ["o-exampleorg1"]);
    assert.equal(of("999999999999"), undefined);
    const holds = (accountId: string, about: World, Condition: ConditionBlock) =>
      evaluate(asked(about, { ...s3, caller: { kind: "account", arn: `arn:aws:iam::${accountId}:root` } }), {
        resourcePolicy: {
          Version: "2012-10-17",
          Statement: { Effect: "Allow", Principal: "*", Action: "*", Resource: "*", Condition },
        },
      }).reason;
    const ours = { StringEquals: { "aws:PrincipalOrgID": "o-exampleorg1" } };
    const any = { StringLike: { "aws:PrincipalOrgID": "o-*" } };
    assert.equal(holds("222222222222", world, ours), "allowed");
    assert.equal(holds("888888888888", world, ours), "implicitDeny");
    assert.equal(holds("888888888888", world, any), "undecided");
    assert.equal(holds("222222222222", {}, ours), "undecided");
    assert.equal(holds("222222222222", {}, { StringEquals: { "aws:PrincipalOrgID": "x-other" } }), "implicitDeny");
  });

  it("a value that is given counts where it would be unknown, and nowhere else", () => {
    const given = new Map([
      ["aws:currenttime", ["2026-01-01T00:00:00Z"]],
      ["aws:sourcevpce", []],
      ["aws:userid", ["AROAEXAMPLE:me"]],
      ["aws:resourceaccount", ["999999999999"]],
    ]);
    const of = (asker: Asker, name: string) => furtherOf({ ...world, given }, { ...s3, caller: callers[asker] })(name);
    assert.deepEqual(of("service", "aws:currenttime"), ["2026-01-01T00:00:00Z"]);
    assert.deepEqual(of("principal", "aws:sourcevpce"), []);
    assert.deepEqual(of("principal", "aws:userid"), ["AROAEXAMPLE:me"]);
    // AWS documents no id of a service, so nobody can know it.
    assert.equal((of("service", "aws:userid") as { presence: string }).presence, "always");
    assert.deepEqual(of("principal", "aws:resourceaccount"), ["111111111111"]);
  });

  describe("each row is needed: without it, a question has another answer", () => {
    const actions = [
      "s3:PutObject",
      "s3:GetObject",
      "s3:ListBucket",
      "kms:Decrypt",
      "kms:PutKeyPolicy",
      "sts:AssumeRole",
      "kms:TagResource",
      // The rest is for keys of one service.
      "kms:Encrypt",
      "kms:CreateGrant",
      "kms:GenerateDataKeyPair",
      "kms:ImportKeyMaterial",
      "kms:GetParametersForImport",
      "kms:DeriveSharedSecret",
      "kms:GenerateMac",
      "kms:Sign",
      "kms:UpdatePrimaryRegion",
      "kms:ReplicateKey",
      "kms:ReEncryptFrom",
      "kms:EnableKeyRotation",
      "kms:ScheduleKeyDeletion",
      "s3:CreateBucket",
      "s3:PutInventoryConfiguration",
    ];
    const general = actions.indexOf("kms:Encrypt");
    const rootUser: Caller = { kind: "account", arn: "arn:aws:iam::222222222222:root" };
    const nobody: Caller = { kind: "account", accountId: "111111111111" };
    /** Whether a request by the key is refused, allowed or undecided, for every caller and action that may have it. */
    const answers = ({ key: name, of }: KeyFacts, table: readonly KeyFacts[]) => {
      const index = indexOf(table);
      const full = name.replace("*", "team");
      const policies = ([{ Null: { [full]: "false" } }, { StringEquals: { [full]: "x" } }] as ConditionBlock[]).map(
        (Condition) =>
          compile(
            {
              Version: "2012-10-17",
              Statement: { Effect: "Allow", Principal: "*", Action: "*", Resource: "*", Condition },
            },
            "other",
          ),
      );
      return [...Object.values(callers), rootUser, nobody].flatMap((caller) =>
        actions
          .filter((action, index) => (of === undefined ? index < general : action.startsWith(of)))
          .flatMap((action) => {
            const resource = action.startsWith("kms:") ? key : bucket;
            const request = { caller, action, resource, resourceAccountId: "111111111111" };
            const further = furtherOf(world, request, "222222222222", index);
            return policies.map((resourcePolicy) => {
              // What an undecided answer depends on is part of it: a key that nobody knows is another reason than its value.
              const policies = { resourceKind: "other", resourcePolicy } as const;
              const { reason } = judge({ ...request, further }, policies);
              if (reason !== "undecided") return reason;
              return evaluate({ ...request, further }, policies).undecided?.[0]?.depends[0]?.undecided;
            });
          }),
      );
    };
    /** The evaluator derives it from the resource; the table says where it comes from. */
    const derived = /^aws:ResourceAccount$/;
    for (const row of keyFacts) {
      it(row.key, () => {
        const rest = keyFacts.filter((each) => each !== row);
        assert.equal(factsOf(row.key.replace("*", "team"), indexOf(rest)), undefined);
        const [all, without] = [answers(row, keyFacts), answers(row, rest)];
        if (derived.test(row.key)) assert.deepEqual(all, without);
        else assert.notDeepEqual(all, without);
      });
    }
  });
});
