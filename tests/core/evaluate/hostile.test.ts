/** Policies made to hurt: a finding, never a crash, an endless run, or an allow. The runner's time limit is the judge. */
import assert from "node:assert/strict";
import * as fc from "fast-check";
import type { ConditionBlock, PolicyDocument, PolicyKind, ResourceKind, Statement } from "../../../core/evaluate/index";
import { evaluate, lint } from "../../../core/evaluate/index";
import { administrator, allow, anonymous, bucket, policy, request } from "./support";

const kinds: ResourceKind[] = ["bucket", "key", "role", "other"];

/** Puts a policy everywhere; nothing may be thrown, and what anonymous callers get is what the policy gives. */
function judge(document: unknown): boolean {
  let allowed = false;
  for (const kind of kinds) {
    const resourcePolicy = document as PolicyDocument;
    allowed = evaluate(request({ caller: anonymous }), { resourcePolicy, resourceKind: kind }).allowed || allowed;
    lint(resourcePolicy, { kind });
  }
  lint(document as PolicyDocument, { kind: "identity" });
  const identity = evaluate(request(), { identityPolicies: [document as PolicyDocument] });
  return allowed || identity.allowed;
}

/** The same for documents so large that one kind must do. */
function judgeLarge(document: unknown): boolean {
  lint(document as PolicyDocument, { kind: "bucket" });
  return evaluate(request({ caller: anonymous }), { resourcePolicy: document as PolicyDocument }).allowed;
}

/** A value of the wrong sort for every element. */
const wrong: unknown[] = [
  0,
  1.5,
  true,
  false,
  null,
  "",
  "x",
  [],
  [[]],
  {},
  [{}],
  { a: {} },
  [null],
  "\u0000",
  "${",
  ["*", 1],
];

describe("hostile policies", () => {
  it("any JSON at all is never an allow", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        assert.equal(judge(value), false);
        assert.equal(judge(JSON.stringify(value)), false);
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  it("any text at all is never an allow", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (text) => {
        assert.equal(judge(text), false);
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  it("an open policy with any one element of the wrong sort is never an allow", () => {
    const open: Record<string, unknown> = {
      ...allow({ Principal: "*" }),
      Condition: { StringLike: { "aws:PrincipalType": "*" } },
    };
    assert.equal(judge({ Version: "2012-10-17", Statement: [open] }), true);
    for (const name of Object.keys(open)) {
      for (const value of wrong) {
        // {} is a condition that restricts nothing; "*" in a list is fine but for the number beside it.
        if (name === "Condition" && JSON.stringify(value) === "{}") continue;
        assert.equal(
          judge({ Version: "2012-10-17", Statement: [{ ...open, [name]: value }] }),
          false,
          `${name} ${JSON.stringify(value)}`,
        );
      }
    }
    for (const value of wrong) {
      assert.equal(judge({ Version: "2012-10-17", Statement: [open, value] }), false, JSON.stringify(value));
      assert.equal(judge({ Version: value, Statement: [open] }), false, JSON.stringify(value));
      const spoilt: unknown[] = [
        { StringLike: value },
        { StringLike: { "aws:PrincipalType": value } },
        { StringLike: { "aws:PrincipalType": ["*", value] } },
      ];
      for (const Condition of spoilt) {
        const document = { Version: "2012-10-17", Statement: [{ ...open, Condition }] };
        const text = JSON.stringify(Condition);
        // What is right, or empty and thus nothing at all, allows.
        const harmless =
          ['{"StringLike":{}}'].includes(text) ||
          /^\{"StringLike":\{"aws:PrincipalType":\["\*",("[^$]*"|[\d.]+|true|false)\]\}\}$/.test(text);
        if (!harmless) assert.equal(judge(document), false, text);
      }
    }
  });

  it("nesting of any depth", () => {
    const deep = (open: string, close: string): string => open.repeat(50_000) + close.repeat(50_000);
    for (const value of [deep("[", "]"), `${'{"a":'.repeat(50_000)}1${"}".repeat(50_000)}`]) {
      assert.equal(judgeLarge(value), false);
      assert.equal(judgeLarge(`{"Version":"2012-10-17","Statement":${value}}`), false);
      assert.equal(
        judgeLarge(
          `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":${value}}]}`,
        ),
        false,
      );
      assert.equal(
        judgeLarge(`{"Statement":[{"Effect":"Allow","Principal":${value},"Action":"*","Resource":"*"}]}`),
        false,
      );
    }
  });

  it("an object that contains itself", () => {
    const circle: Record<string, unknown> = { Version: "2012-10-17" };
    circle.Statement = circle;
    assert.equal(judgeLarge(circle), false);
    const block: Record<string, unknown> = {};
    block.StringEquals = block;
    assert.equal(judgeLarge(policy(allow({ Condition: block as ConditionBlock }))), false);
  });

  it("a policy of some megabytes", () => {
    const some: Statement[] = Array.from({ length: 2_000 }, (_, index) => ({
      ...allow({ Principal: { AWS: String(100_000_000_000 + index) } }),
      Sid: `S${index}`,
      Resource: `${bucket}/AWSLogs/${index}/*`,
      Condition: { StringEquals: { "aws:SourceArn": `arn:aws:cloudtrail:eu-west-1:${index}:trail/audit` } },
    }));
    const values = Array.from({ length: 20_000 }, (_, index) => `v${index}`);
    assert.equal(judgeLarge(JSON.stringify(policy(...some))), false);
    assert.equal(judgeLarge(policy(allow({ Condition: { StringEquals: { "aws:SourceArn": values } } }))), false);
    assert.equal(judgeLarge(policy(allow({ Action: values }))), false);
    assert.equal(judgeLarge({ Version: "2012-10-17", Statement: values }), false);
    assert.equal(judgeLarge({ ...policy(allow()), ...Object.fromEntries(values.map((value) => [value, 1])) }), false);
  });

  it("patterns that make naive matchers run forever", () => {
    const long = "a".repeat(1_000);
    for (const pattern of [
      "*a".repeat(500) + "b",
      "*?".repeat(500) + "b",
      "?".repeat(999) + "*b",
      "*".repeat(100_000) + "b",
    ]) {
      const statement = allow({ Resource: `${bucket}/${pattern}` });
      for (const resource of [`${bucket}/${long}`, `${bucket}/${long}c`]) {
        assert.equal(evaluate(request({ resource }), { resourcePolicy: policy(statement) }).allowed, false);
      }
      const like = allow({ Condition: { StringLike: { "aws:PrincipalTag/a": pattern } } });
      assert.equal(
        evaluate(request({ context: { "aws:PrincipalTag/a": long } }), { resourcePolicy: policy(like) }).allowed,
        false,
      );
    }
    for (const text of [
      "${".repeat(100_000),
      "${a:".repeat(100_000),
      "${aws:x}".repeat(100_000),
      "${aws:x, '".repeat(100_000),
    ]) {
      assert.equal(judgeLarge(policy(allow({ Resource: `arn:aws:s3:::${text}` }))), false);
      assert.equal(
        judgeLarge({ ...policy(allow({ Condition: { StringEquals: { "aws:a": text } } })), Version: "2008-10-17" }),
        false,
      );
    }
    for (const text of [
      "1".repeat(100_000),
      `${"1".repeat(100_000)}x`,
      ":".repeat(200_000),
      "1.".repeat(100_000),
      "/".repeat(200_000),
    ]) {
      for (const operator of ["NumericEquals", "DateEquals", "IpAddress", "BinaryEquals", "Bool", "Null", "ArnLike"]) {
        assert.equal(judgeLarge(policy(allow({ Condition: { [operator]: { "aws:a": text } } }))), false);
      }
      assert.equal(judgeLarge(policy(allow({ Principal: { AWS: `arn:aws:iam::${text}` } }))), false);
      assert.equal(judgeLarge(policy(allow({ Principal: { Service: text } }))), false);
      assert.equal(judgeLarge(policy(allow({ Action: text }))), false);
    }
  });

  it("names that every object inherits", () => {
    for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
      const open = JSON.stringify(policy(allow({ Principal: "*" })));
      assert.equal(judge(open.replace('"Version"', `"${name}":{},"Version"`)), false, name);
      assert.equal(judge(open.replace('"Effect"', `"${name}":{},"Effect"`)), false, name);
      assert.equal(judge(`{"Version":"2012-10-17","Statement":{"${name}":{"Effect":"Allow"}}}`), false, name);
      assert.equal(judge(policy(allow({ Condition: { StringEquals: { [`aws:${name}`]: "x" } } }))), false, name);
      assert.equal(judge(policy(allow({ Principal: { [name]: "*" } }))), false, name);
    }
    assert.equal(({} as Record<string, unknown>).Effect, undefined, "nothing was polluted");
  });

  it("one bad identity policy among good ones", () => {
    const bad = "{" as const;
    const decision = evaluate(request(), { identityPolicies: [administrator, bad] });
    assert.equal(decision.reason, "notEvaluated");
    const kind: PolicyKind = "identity";
    assert.equal(lint(bad, { kind })[0]?.id, "policy/json");
  });
});
