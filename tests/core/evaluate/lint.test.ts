import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { PolicyDocument, PolicyFinding, ResourceKind, Statement } from "../../../core/evaluate/index";
import { evaluate, lint } from "../../../core/evaluate/index";
import { administrator, allow, deny, home, policy, request } from "./support";

type PolicyKind = ResourceKind | "identity";

const ids = (document: PolicyDocument | string, kind: PolicyKind = "bucket"): string[] =>
  lint(document, { kind }).map(({ id, severity, undecidable }) => `${severity}${undecidable ? "!" : ""} ${id}`);

/** A statement that nobody can find fault with. */
const good: Statement = {
  Sid: "Good",
  Effect: "Allow",
  Principal: { Service: "cloudtrail.amazonaws.com" },
  Action: "s3:PutObject",
  Resource: "arn:aws:s3:::logs/*",
  Condition: { StringEquals: { "aws:SourceArn": `arn:aws:cloudtrail:eu-west-1:${home}:trail/audit` } },
};
const named: Statement = { Effect: "Allow", Principal: { AWS: home }, Action: "s3:GetObject", Resource: "*" };
const raw = (statement: unknown): PolicyDocument => ({ Version: "2012-10-17", Statement: [statement as Statement] });

describe("lint", () => {
  it("has nothing to say about good policies", () => {
    assert.deepEqual(ids(policy(good, deny({ Condition: { Bool: { "aws:SecureTransport": "false" } } }))), []);
    assert.deepEqual(ids(administrator, "identity"), []);
    assert.deepEqual(ids({ Version: "2012-10-17", Id: "x", Statement: good }), []);
    assert.deepEqual(ids(JSON.stringify(policy(good))), []);
  });

  const undecidable: [title: string, document: PolicyDocument | string, kind: PolicyKind, id: string][] = [
    ["text that is no JSON", '{"Version": "2012-10-17" "Statement": []}', "bucket", "json"],
    ["a key twice", '{"Statement": [{"Effect": "Allow", "Effect": "Deny"}]}', "bucket", "duplicate-key"],
    [
      "a key twice, once escaped",
      '{"Version": "2012-10-17", "Statement": [], "S\\u0074atement": []}',
      "bucket",
      "duplicate-key",
    ],
    ["a list", "[]", "bucket", "document"],
    ["null", "null", "bucket", "document"],
    ["no statement", "{}", "bucket", "statement"],
    ["an empty list of statements", '{"Statement": []}', "bucket", "statement"],
    ["a statement that is a text", raw("Allow"), "bucket", "statement"],
    ["an unknown version", { ...policy(good), Version: "2012-10-18" }, "bucket", "version"],
    ["an unknown element of the policy", { ...policy(good), Statements: [] } as PolicyDocument, "bucket", "element"],
    ["an unknown element of a statement", raw({ ...good, Conditions: {} }), "bucket", "element"],
    ["an element in another letter case", raw({ ...good, condition: {} }), "bucket", "element"],
    ["a Sid that is a number", raw({ ...good, Sid: 1 }), "bucket", "sid"],
    ["no Effect", raw({ ...good, Effect: undefined }), "bucket", "effect"],
    ["an Effect in another letter case", raw({ ...good, Effect: "allow" }), "bucket", "effect"],
    ["no Principal", raw({ ...good, Principal: undefined }), "bucket", "principal-missing"],
    ["no Principal for a key", raw({ ...good, Principal: undefined }), "key", "principal-missing"],
    ["a Principal in an identity policy", raw(good), "identity", "principal-in-identity"],
    ["Principal and NotPrincipal", raw({ ...good, NotPrincipal: "*" }), "bucket", "element"],
    [
      "NotPrincipal in a trust policy",
      raw({ Effect: "Deny", NotPrincipal: { AWS: home }, Action: "sts:AssumeRole" }),
      "role",
      "not-principal",
    ],
    ["a Principal that is a text", raw({ ...good, Principal: home }), "bucket", "principal"],
    ["an empty Principal", raw({ ...good, Principal: {} }), "bucket", "principal"],
    ["an empty list of principals", raw({ ...good, Principal: { AWS: [] } }), "bucket", "principal"],
    ["a principal that is a number", raw({ ...good, Principal: { AWS: 111111111111 } }), "bucket", "principal"],
    ["an unknown type of principal", raw({ ...good, Principal: { Aws: home } }), "bucket", "principal"],
    [
      "a wildcard in a principal",
      raw({ ...good, Principal: { AWS: `arn:aws:iam::${home}:user/*` } }),
      "bucket",
      "principal",
    ],
    [
      "a group as principal",
      raw({ ...good, Principal: { AWS: `arn:aws:iam::${home}:group/x` } }),
      "bucket",
      "principal",
    ],
    ["a wildcard service", raw({ ...good, Principal: { Service: "*" } }), "bucket", "principal"],
    ["an account of 11 digits", raw({ ...good, Principal: { AWS: "11111111111" } }), "bucket", "principal-account"],
    [
      "an ARN with 11 digits",
      raw({ ...good, Principal: { AWS: "arn:aws:iam::11111111111:root" } }),
      "bucket",
      "principal-account",
    ],
    [
      "a placeholder",
      raw({ ...good, Principal: { AWS: "arn:aws:iam::<Account>:root" } }),
      "bucket",
      "principal-account",
    ],
    ["no Action", raw({ ...good, Action: undefined }), "bucket", "action-missing"],
    ["Action and NotAction", raw({ ...good, NotAction: "s3:*" }), "bucket", "element"],
    ["an empty list of actions", raw({ ...good, Action: [] }), "bucket", "action"],
    ["an action without a service", raw({ ...good, Action: "PutObject" }), "bucket", "action"],
    ["an action that is a number", raw({ ...good, Action: [1] }), "bucket", "action"],
    ["no Resource", raw({ ...good, Resource: undefined }), "bucket", "resource-missing"],
    ["a resource that is no ARN", raw({ ...good, Resource: "logs/*" }), "bucket", "resource"],
    ["an incomplete ARN", raw({ ...good, Resource: "arn:aws:s3:*/x" }), "bucket", "resource"],
    ["an ARN of five parts", raw({ ...good, Resource: "arn:aws:s3::logs" }), "bucket", "resource"],
    ["a Resource in a trust policy", raw({ ...named, Action: "sts:AssumeRole" }), "role", "resource"],
    [
      "a variable without its brace",
      raw({ ...good, Resource: "arn:aws:s3:::logs/${aws:username" }),
      "bucket",
      "variable",
    ],
    ["an empty variable", raw({ ...good, Resource: "arn:aws:s3:::logs/${}" }), "bucket", "variable"],
    ["a variable without a key", raw({ ...good, Resource: "arn:aws:s3:::${var.bucket}/*" }), "bucket", "variable"],
    ["a default without quotes", raw({ ...good, Resource: "arn:aws:s3:::${aws:username, x}/*" }), "bucket", "variable"],
    ["a Condition that is a list", raw({ ...good, Condition: [] }), "bucket", "condition"],
    ["an operator that is a text", raw({ ...good, Condition: { Bool: "true" } }), "bucket", "condition"],
    [
      "an unknown operator",
      raw({ ...good, Condition: { StringEqual: { "aws:SourceArn": "x" } } }),
      "bucket",
      "operator",
    ],
    [
      "an operator in another letter case",
      raw({ ...good, Condition: { bool: { "aws:SecureTransport": "true" } } }),
      "bucket",
      "operator",
    ],
    [
      "Null with IfExists",
      raw({ ...good, Condition: { NullIfExists: { "aws:SourceArn": "true" } } }),
      "bucket",
      "operator",
    ],
    ["no condition key", raw({ ...good, Condition: { Bool: { SecureTransport: "true" } } }), "bucket", "condition-key"],
    [
      "a key twice in different letter case",
      raw({ ...good, Condition: { StringLike: { "aws:a": "x", "AWS:a": "y" } } }),
      "bucket",
      "duplicate-key",
    ],
    [
      "a value that is an object",
      raw({ ...good, Condition: { StringEquals: { "aws:SourceArn": { a: 1 } } } }),
      "bucket",
      "condition-value",
    ],
    [
      "a value that is null",
      raw({ ...good, Condition: { StringEquals: { "aws:SourceArn": [null] } } }),
      "bucket",
      "condition-value",
    ],
    [
      "a Bool that is neither",
      raw({ ...good, Condition: { Bool: { "aws:SecureTransport": "yes" } } }),
      "bucket",
      "condition-value",
    ],
    [
      "a Null that is neither",
      raw({ ...good, Condition: { Null: { "aws:SourceArn": "" } } }),
      "bucket",
      "condition-value",
    ],
    [
      "a number that is none",
      raw({ ...good, Condition: { NumericLessThan: { "s3:TlsVersion": "TLS1.2" } } }),
      "bucket",
      "condition-value",
    ],
    [
      "a date that is none",
      raw({ ...good, Condition: { DateLessThan: { "aws:CurrentTime": "2026-02-30" } } }),
      "bucket",
      "condition-value",
    ],
    [
      "an address that is none",
      raw({ ...good, Condition: { IpAddress: { "aws:SourceIp": "192.0.2.0/33" } } }),
      "bucket",
      "condition-value",
    ],
    [
      "octal digits",
      raw({ ...good, Condition: { IpAddress: { "aws:SourceIp": "192.0.02.1" } } }),
      "bucket",
      "condition-value",
    ],
    [
      "nine groups",
      raw({ ...good, Condition: { IpAddress: { "aws:SourceIp": "1:2:3:4:5:6:7::8" } } }),
      "bucket",
      "condition-value",
    ],
    ["no base64", raw({ ...good, Condition: { BinaryEquals: { "kms:x": "?" } } }), "bucket", "condition-value"],
    [
      "a variable where none works",
      raw({ ...good, Condition: { Bool: { "aws:SecureTransport": "${aws:x}" } } }),
      "bucket",
      "condition-value",
    ],
  ];
  for (const [title, document, kind, id] of undecidable) {
    it(`${title}: nobody can decide by it`, () => {
      const found = lint(document, { kind }).filter((finding) => finding.undecidable);
      assert.deepEqual(
        found.map((finding) => finding.id),
        [`policy/${id}`],
      );
      assert.ok(
        found.every(
          (finding) => finding.severity === "error" && finding.message.endsWith(".") && finding.remedy.endsWith("."),
        ),
      );
      // Another policy that allows everything does not help.
      const policies =
        kind === "identity"
          ? { identityPolicies: [administrator, document] }
          : { resourcePolicy: document, resourceKind: kind, identityPolicies: [administrator] };
      const decision = evaluate(request(), policies);
      assert.equal(decision.reason, "notEvaluated");
      assert.equal(decision.allowed, false);
      assert.equal(decision.findings?.[0]?.id, `policy/${id}`);
    });
  }

  const advice: [title: string, statements: Statement[], kind: PolicyKind, expected: string[]][] = [
    ["a Sid with spaces, in a bucket policy", [{ ...good, Sid: "Allow CloudTrail" }], "bucket", []],
    ["a Sid with spaces, in a key policy", [{ ...good, Sid: "Allow CloudTrail" }], "key", []],
    [
      "a Sid with spaces, in an identity policy",
      [{ Sid: "Read logs", Effect: "Allow", Action: "s3:*", Resource: "*" }],
      "identity",
      ["error policy/sid"],
    ],
    [
      "a Sid with spaces, in a trust policy",
      [{ Sid: "a b", Effect: "Allow", Principal: { AWS: home }, Action: "sts:AssumeRole" }],
      "role",
      ["error policy/sid"],
    ],
    ["a Sid twice", [good, { ...good, Action: "s3:GetBucketAcl" }], "bucket", ["warning policy/sid-duplicate"]],
    [
      "a Sid twice, in an identity policy",
      ["s3:*", "kms:*"].map((Action) => ({ Sid: "a", Effect: "Allow", Action, Resource: "*" })),
      "identity",
      ["error policy/sid-duplicate"],
    ],
    [
      "a statement twice",
      [good, { ...good, Sid: "Better", Action: ["s3:PutObject"] }],
      "bucket",
      ["warning policy/statement-duplicate"],
    ],
    ["everyone", [allow()], "bucket", ["warning policy/wildcard-principal"]],
    [
      "everyone, by another condition",
      [allow({ Condition: { Bool: { "aws:SecureTransport": "true" } } })],
      "bucket",
      ["warning policy/wildcard-principal"],
    ],
    [
      "everyone of an organization",
      [allow({ Condition: { StringEquals: { "aws:PrincipalOrgID": "o-x" } } })],
      "bucket",
      [],
    ],
    [
      "everyone but those",
      [allow({ Condition: { StringNotEquals: { "aws:PrincipalOrgID": "o-x" } } })],
      "bucket",
      ["warning policy/wildcard-principal", "warning policy/negated-allow"],
    ],
    [
      "everyone, where the key exists",
      [allow({ Condition: { StringEqualsIfExists: { "aws:PrincipalOrgID": "o-x" } } })],
      "bucket",
      ["warning policy/wildcard-principal", "warning policy/if-exists-allow"],
    ],
    [
      "everyone, by a condition that is a wildcard",
      [allow({ Condition: { StringLike: { "aws:PrincipalOrgID": "*" } } })],
      "bucket",
      ["warning policy/wildcard-principal"],
    ],
    ["a Deny for everyone", [deny()], "bucket", []],
    [
      "Allow with NotPrincipal",
      [allow({ NotPrincipal: { AWS: home } })],
      "bucket",
      ["error policy/not-principal-allow"],
    ],
    [
      "a service for anyone",
      [{ ...good, Condition: { StringEquals: { "s3:x-amz-acl": "bucket-owner-full-control" } } }],
      "bucket",
      ["warning policy/confused-deputy"],
    ],
    [
      "a service for anyone, to a key",
      [{ ...good, Action: "kms:Decrypt", Resource: "*", Condition: undefined }],
      "key",
      ["warning policy/confused-deputy"],
    ],
    [
      "a service for one account",
      [{ ...good, Condition: { StringEquals: { "AWS:SourceAccount": home } } }],
      "bucket",
      [],
    ],
    [
      "a deleted principal",
      [{ ...named, Principal: { AWS: [home, "AROACKCEVSQ6C2EXAMPLE"] } }],
      "bucket",
      ["warning policy/principal-deleted"],
    ],
    [
      "a canonical user",
      [{ ...named, Principal: { CanonicalUser: "79a59df9" } }],
      "bucket",
      ["warning policy/principal-canonical"],
    ],
    ["an empty Condition", [{ ...named, Condition: {} }], "bucket", ["warning policy/condition-empty"]],
    ["an empty operator", [{ ...named, Condition: { Bool: {} } }], "bucket", ["warning policy/condition-empty"]],
    [
      "an empty list of values",
      [{ ...named, Condition: { StringEquals: { "aws:SourceArn": [] } } }],
      "bucket",
      ["warning policy/condition-empty"],
    ],
    [
      "a wildcard in StringEquals",
      [{ ...named, Condition: { StringEquals: { "aws:SourceArn": "arn:aws:cloudtrail:*:1:trail/a" } } }],
      "bucket",
      ["warning policy/wildcard-in-equals"],
    ],
    [
      "a wildcard in StringNotEqualsIgnoreCase",
      [{ ...named, Condition: { StringNotEqualsIgnoreCase: { "aws:PrincipalTag/a": "b?" } } }],
      "bucket",
      ["warning policy/wildcard-in-equals", "warning policy/negated-allow"],
    ],
    [
      "a literal star in StringEquals",
      [{ ...named, Condition: { StringEquals: { "aws:PrincipalTag/a": "${*}" } } }],
      "bucket",
      [],
    ],
    [
      "an incomplete ARN",
      [{ ...named, Condition: { ArnLike: { "aws:SourceArn": "arn:aws:cloudtrail:*" } } }],
      "bucket",
      ["warning policy/arn-pattern"],
    ],
    [
      "true and false",
      [{ ...named, Condition: { Bool: { "aws:SecureTransport": ["true", "false"] } } }],
      "bucket",
      ["warning policy/condition-both"],
    ],
    [
      "Allow with BoolIfExists MFA",
      [{ ...named, Condition: { BoolIfExists: { "aws:MultiFactorAuthPresent": "true" } } }],
      "bucket",
      ["warning policy/mfa-not-required"],
    ],
    [
      "Allow with Bool MFA",
      [{ ...named, Condition: { Bool: { "aws:MultiFactorAuthPresent": "true" } } }],
      "bucket",
      [],
    ],
    [
      "Deny with Bool MFA false",
      [deny({ Condition: { Bool: { "aws:MultiFactorAuthPresent": "false" } } })],
      "bucket",
      ["warning policy/mfa-deny-incomplete"],
    ],
    [
      "Deny with BoolIfExists MFA false",
      [deny({ Condition: { BoolIfExists: { "aws:MultiFactorAuthPresent": "false" } } })],
      "bucket",
      [],
    ],
    [
      "Allow with ForAllValues",
      [{ ...named, Condition: { "ForAllValues:StringEquals": { "aws:TagKeys": "a" } } }],
      "bucket",
      ["warning policy/for-all-values-allow"],
    ],
    [
      "Allow with ForAllValues and Null",
      [
        {
          ...named,
          Condition: { "ForAllValues:StringEquals": { "aws:TagKeys": "a" }, Null: { "aws:TagKeys": "false" } },
        },
      ],
      "bucket",
      [],
    ],
    [
      "a key's statement without Resource",
      [{ Effect: "Allow", Principal: { AWS: home }, Action: "kms:*" }],
      "key",
      ["warning policy/no-effect"],
    ],
    [
      "a key's statement without Action",
      [{ Effect: "Allow", Principal: { AWS: home }, Resource: "*" }],
      "key",
      ["warning policy/no-effect"],
    ],
  ];
  for (const [title, statements, kind, expected] of advice) {
    it(`${title}: ${expected.length === 0 ? "nothing" : expected.join(", ")}`, () => {
      // As from JSON, where undefined does not exist.
      const document = JSON.parse(JSON.stringify(policy(...statements))) as PolicyDocument;
      assert.deepEqual(ids(document, kind), expected);
      const decision = evaluate(request(), {
        [kind === "identity" ? "identityPolicies" : "resourcePolicy"]: kind === "identity" ? [document] : document,
        resourceKind: kind === "identity" ? "bucket" : kind,
      });
      assert.notEqual(decision.reason, "notEvaluated", "advice never keeps from deciding");
    });
  }

  it("a policy variable in a policy of version 2008-10-17, or without one", () => {
    const Statement: Statement = { ...named, Resource: "arn:aws:s3:::logs/${aws:username}/*" };
    assert.deepEqual(ids({ Version: "2008-10-17", Statement }), ["warning policy/variable-version"]);
    assert.deepEqual(ids({ Statement }), ["warning policy/variable-version"]);
    assert.deepEqual(ids({ Version: "2012-10-17", Statement }), []);
  });

  it("says which statement, by number and Sid", () => {
    const [finding] = lint(policy(good, { ...good, Sid: "Public", Principal: "*", Condition: {} }), { kind: "bucket" });
    assert.equal(finding?.subject, 'statement 2 ("Public")');
    assert.equal(finding?.statement, 1);
  });

  it("gives every finding once, and at most 100 of each sort", () => {
    const many = Array.from({ length: 500 }, () => allow());
    assert.ok(ids(policy(...many)).length <= 200);
    // Warnings do not hide that a policy cannot be decided by.
    const deleted = many.map((each): Statement => ({ ...each, Principal: { AWS: "AROACKCEVSQ6C2EXAMPLE" } }));
    const broken = policy(...deleted, { ...good, Effect: "Maybe" as "Allow" });
    assert.equal(evaluate(request(), { resourcePolicy: broken }).reason, "notEvaluated");
  });
});

describe("lint finds the known errors of common guides", () => {
  const { policies } = JSON.parse(readFileSync(join(__dirname, "cases", "guides.json"), "utf8")) as {
    policies: Record<string, PolicyDocument>;
  };
  const find = (name: string, kind: PolicyKind): PolicyFinding[] => {
    const document = policies[name];
    assert.ok(document, name);
    return lint(document, { kind });
  };
  const found = (name: string, kind: PolicyKind): string[] =>
    find(name, kind).map((finding) => `${finding.id.replace("policy/", "")} ${finding.statement ?? ""}`.trim());

  /** The policies of the five guides, statement by statement, and what is wrong with each. */
  const everything: [name: string, kind: PolicyKind, findings: string[]][] = [
    ["000 bucket", "bucket", ["confused-deputy 0", "confused-deputy 1"]],
    ["000 MFA", "bucket", ["mfa-not-required 0"]],
    ["001 organization", "bucket", ["sid-duplicate 2", "confused-deputy 0", "confused-deputy 1", "confused-deputy 2"]],
    ["002 bucket", "bucket", ["confused-deputy 0"]],
    ["003.0 Allow CloudTrail to encrypt logs", "key", []],
    // An event data store's key cannot name its source: CloudTrail sends neither aws:SourceArn nor aws:SourceAccount.
    ["003.1 Allow CloudTrail to encrypt event data store", "key", ["confused-deputy 0"]],
    ["003.2 Enable CloudTrail encrypt permissions", "key", []],
    ["003.3 Enable CloudTrail log decrypt permissions", "key", []],
    ["003.4 Allow CloudTrail to decrypt a trail", "key", ["confused-deputy 0"]],
    ["003.5 Allow CloudTrail to decrypt an event data store", "key", ["confused-deputy 0"]],
    ["003.6 Enable CloudTrail log decrypt permissions", "key", []],
    ["003.7 Enable encrypted CloudTrail log read access", "key", []],
    ["003.8", "identity", []],
    ["003.9 Enable encrypted CloudTrail log read access", "key", ["principal-account 0"]],
    ["003.10 Allow CloudTrail access", "role", ["sid 0"]],
    ["003.11 Allow CloudTrail access", "key", []],
    ["004 bucket", "bucket", ["confused-deputy 0"]],
    ["004 key", "key", ["statement-duplicate 5", "confused-deputy 2", "alias-via-ec2 4", "cross-account-own 5"]],
    ["AWSLogs for everyone", "bucket", ["confused-deputy 0"]],
    ["004 bucket and 000 MFA", "bucket", ["confused-deputy 0", "mfa-not-required 3"]],
    ["administrator", "identity", []],
  ];
  for (const [name, kind, findings] of everything) {
    it(`${name}: ${findings.join(", ") || "nothing"}`, () => assert.deepEqual(found(name, kind), findings));
  }

  it("none of them is left out", () => {
    assert.deepEqual(everything.map(([name]) => name).sort(), Object.keys(policies).sort());
  });

  it("Terraform's placeholders, as in 002, are no policy variables", () => {
    const text = JSON.stringify(policies["002 bucket"]).replaceAll("myBucketName", "${var.trailBucket}");
    assert.ok(lint(text, { kind: "bucket" }).some(({ id }) => id === "policy/variable"));
  });

  it("a comma that is missing, as in 003, is text that is no JSON", () => {
    const missingComma = '{"Sid": "Enable user key permissions for event data stores" "Effect": "Allow"}';
    assert.deepEqual(ids(missingComma, "key"), ["error! policy/json"]);
  });

  it("AWSLogs/* for everyone is a confused deputy, and said so", () => {
    const [finding] = find("AWSLogs for everyone", "bucket");
    assert.equal(finding?.id, "policy/confused-deputy");
    assert.match(finding?.message ?? "", /a stranger's trail can write here/);
  });
});

/** Each operator with its prefix and suffix, in an Allow and in a Deny: what a request without the key does, and what lint says. */
describe("lint of what holds without the key", () => {
  const key = "aws:PrincipalTag/team";
  const about =
    /^policy\/(for-any-value-deny|for-all-values-(allow|deny)|for-any-value-if-exists|if-exists-allow|negated-(allow|deny))$/;
  const found = (effect: "Allow" | "Deny", operator: string, more: object = {}) => {
    const make = effect === "Allow" ? allow : deny;
    const Condition = { [operator]: { [key]: "a" }, ...more };
    return lint(policy(make({ Principal: { AWS: home }, Condition })), { kind: "bucket" })
      .map(({ id }) => id)
      .filter((id) => about.test(id));
  };
  const rows: [operator: string, allow: string[], deny: string[]][] = [
    ["StringEquals", [], []],
    ["StringNotEquals", ["negated-allow"], ["negated-deny"]],
    ["StringEqualsIfExists", ["if-exists-allow"], []],
    ["StringNotEqualsIfExists", ["if-exists-allow"], []],
    ["ForAllValues:StringEquals", ["for-all-values-allow"], ["for-all-values-deny"]],
    ["ForAllValues:StringNotEquals", ["for-all-values-allow"], ["for-all-values-deny"]],
    ["ForAllValues:StringEqualsIfExists", ["for-all-values-allow"], ["for-all-values-deny"]],
    ["ForAnyValue:StringEquals", [], ["for-any-value-deny"]],
    ["ForAnyValue:StringNotEquals", [], ["for-any-value-deny"]],
    ["ForAnyValue:StringEqualsIfExists", ["for-any-value-if-exists"], ["for-any-value-if-exists"]],
    ["ForAnyValue:StringNotEqualsIfExists", ["for-any-value-if-exists"], ["for-any-value-if-exists"]],
  ];
  for (const [operator, inAllow, inDeny] of rows) {
    it(operator, () => {
      const full = (names: string[]) => names.map((name) => `policy/${name}`);
      assert.deepEqual(found("Allow", operator), full(inAllow));
      assert.deepEqual(found("Deny", operator), full(inDeny));
      // Where the key has to be there, there is nothing to say.
      const present = { Null: { [key]: "false" } };
      assert.deepEqual([...found("Allow", operator, present), ...found("Deny", operator, present)], []);
    });
  }

  it("a key that every request has is not held against anybody", () => {
    const Condition = { StringNotEquals: { "aws:RequestedRegion": "us-east-1" } };
    assert.deepEqual(ids(policy(deny({ Condition }))), []);
  });

  it("a key that must be absent and have a value", () => {
    const Condition = { Null: { [key]: "true" }, StringEquals: { [key]: "a" } };
    assert.deepEqual(ids(policy(deny({ Principal: { AWS: home }, Condition }))), [
      "warning policy/condition-contradiction",
    ]);
    const holds = { Null: { [key]: "true" }, StringEqualsIfExists: { [key]: "a" } };
    assert.deepEqual(ids(policy(deny({ Principal: { AWS: home }, Condition: holds }))), []);
  });
});
