import assert from "node:assert/strict";
import type { RequestContext } from "../../../core/evaluate/index";
import { operatorNames } from "../../../core/evaluate/index";
import { conditionHolds, home, isUndecided } from "./support";

type Values = string | string[];
const trail = `arn:aws:cloudtrail:eu-west-1:${home}:trail/audit`;

/** Operator, what the policy wants, then request values that match and request values that do not. */
const table: [operator: string, key: string, wanted: Values, matching: string[], other: string[]][] = [
  ["StringEquals", "aws:PrincipalTag/a", "Bob", ["Bob"], ["bob", "Bob ", "", "B*"]],
  ["StringEquals", "aws:PrincipalTag/a", ["Bob", "Eve"], ["Bob", "Eve"], ["Al"]],
  ["StringEquals", "aws:PrincipalTag/a", "B*", ["B*"], ["Bob"]],
  ["StringEqualsIgnoreCase", "aws:PrincipalTag/a", "Bob", ["bob", "BOB"], ["Bobby", "B*"]],
  ["StringLike", "aws:PrincipalTag/a", "B*b", ["Bob", "Bb", "B:/b"], ["bob", "Bobby"]],
  ["StringLike", "aws:PrincipalTag/a", "B?b", ["Bob", "B?b"], ["Bb", "Boob"]],
  ["StringLike", "aws:PrincipalTag/a", "*", ["", "x", "a\nb"], []],
  ["StringLike", "aws:PrincipalTag/a", "a*b*c", ["abc", "a-b-c", "abbcc"], ["acb", "ab", "abcd"]],
  ["ArnEquals", "aws:SourceArn", trail, [trail], [`${trail}2`, trail.toUpperCase()]],
  ["ArnEquals", "aws:SourceArn", "arn:aws:cloudtrail:*:*:trail/a*", [trail], ["arn:aws:cloudtrail:x:1:trail/b"]],
  ["ArnLike", "aws:SourceArn", `arn:aws:cloudtrail:*:${home}:trail/*`, [trail], [trail.replace(home, "222222222222")]],
  // A wildcard does not reach over a colon, but for those of the last part.
  ["ArnLike", "aws:SourceArn", "arn:aws:*:trail/audit", [], [trail]],
  ["ArnLike", "aws:SourceArn", "arn:aws:cloudtrail:*", [], [trail]],
  ["ArnLike", "aws:SourceArn", "*", [], [trail]],
  ["ArnLike", "aws:SourceArn", "arn:aws:logs:*:*:*", ["arn:aws:logs:r:1:log-group:g:log-stream:s"], []],
  ["ArnLike", "aws:SourceArn", "arn:aws:s3:::b?", ["arn:aws:s3:::b1"], ["arn:aws:s3:::b", "arn:aws:s3:x::b1"]],
  ["Bool", "aws:SecureTransport", "true", ["true", "True"], ["false"]],
  ["Bool", "aws:SecureTransport", "FALSE", ["false"], ["true"]],
  ["NumericEquals", "aws:MultiFactorAuthAge", "300", ["300", "300.0", "3e2"], ["301", "-300"]],
  ["NumericLessThan", "s3:TlsVersion", "1.2", ["1.1", "1"], ["1.2", "1.3"]],
  ["NumericLessThanEquals", "s3:max-keys", "10", ["10", "9.5", "-1"], ["10.1"]],
  ["NumericGreaterThan", "s3:max-keys", "10", ["11", "100"], ["10", "9"]],
  ["NumericGreaterThanEquals", "s3:max-keys", "10", ["10", "11"], ["9.99"]],
  // Any one of several values suffices.
  ["NumericGreaterThan", "s3:max-keys", ["10", "5"], ["6"], ["5"]],
  [
    "DateEquals",
    "aws:CurrentTime",
    "2026-01-31T12:00:00Z",
    ["2026-01-31T13:00:00+01:00", "2026-01-31T10:30:00-0130", "1769860800"],
    ["2026-01-31"],
  ],
  ["DateLessThan", "aws:CurrentTime", "2026-02-01", ["2026-01-31T23:59:59.999Z"], ["2026-02-01T00:00:00Z"]],
  ["DateLessThanEquals", "aws:CurrentTime", "2026-02", ["2026-02-01T00:00Z"], ["2026-02-01T00:00:01Z"]],
  ["DateGreaterThan", "aws:CurrentTime", "1769860800", ["2026-01-31T12:00:01Z"], ["2026-01-31T12:00:00Z"]],
  [
    "DateGreaterThanEquals",
    "aws:CurrentTime",
    "2026-01-31T12:00:00Z",
    ["2026-01-31T12:00:00Z"],
    ["2026-01-31T11:59:59Z"],
  ],
  ["IpAddress", "aws:SourceIp", "192.0.2.0/24", ["192.0.2.0", "192.0.2.255"], ["192.0.3.0", "::ffff:192.0.2.1"]],
  ["IpAddress", "aws:SourceIp", "192.0.2.77/25", ["192.0.2.1"], ["192.0.2.128"]],
  ["IpAddress", "aws:SourceIp", "192.0.2.1", ["192.0.2.1"], ["192.0.2.2"]],
  ["IpAddress", "aws:SourceIp", "0.0.0.0/0", ["203.0.113.9"], ["2001:db8::1"]],
  ["IpAddress", "aws:SourceIp", "2001:db8::/32", ["2001:db8::1", "2001:0DB8:ffff::"], ["2001:db9::1", "192.0.2.1"]],
  ["IpAddress", "aws:SourceIp", "2001:db8::1", ["2001:db8:0:0:0:0:0:1", "2001:db8::0.0.0.1"], ["2001:db8::2"]],
  [
    "IpAddress",
    "aws:SourceIp",
    ["10.0.0.0/8", "2001:db8::/33"],
    ["10.1.2.3", "2001:db8:7fff::1"],
    ["2001:db8:8000::1"],
  ],
  ["BinaryEquals", "kms:x", "aGk=", ["aGk="], ["aGo=", "aGl="]],
];

/** The operator that says the opposite, where there is one. */
const negations: Record<string, string> = {
  StringEquals: "StringNotEquals",
  StringEqualsIgnoreCase: "StringNotEqualsIgnoreCase",
  StringLike: "StringNotLike",
  ArnEquals: "ArnNotEquals",
  ArnLike: "ArnNotLike",
  NumericEquals: "NumericNotEquals",
  DateEquals: "DateNotEquals",
  IpAddress: "NotIpAddress",
};

const holds = (operator: string, key: string, wanted: Values, got: Values | undefined): boolean => {
  const context: RequestContext = got === undefined ? {} : { [key]: got };
  return conditionHolds({ [operator]: { [key]: wanted } }, context);
};

describe("condition operators", () => {
  for (const [operator, key, wanted, matching, other] of table) {
    const malformed = operator.startsWith("Arn") && [wanted].flat().some((text) => text.split(":").length < 6);
    it(`${operator} ${JSON.stringify(wanted)}`, () => {
      for (const got of matching) assert.equal(holds(operator, key, wanted, got), true, got);
      for (const got of other) assert.equal(holds(operator, key, wanted, got), false, got);
      const negation = negations[operator];
      if (negation === undefined) return;
      // NOR: a negated operator holds when none of the values matches. What is no ARN is undecided, and no allow.
      for (const got of matching) assert.equal(holds(negation, key, wanted, got), false, `${negation} ${got}`);
      for (const got of other) assert.equal(holds(negation, key, wanted, got), !malformed, `${negation} ${got}`);
    });
  }

  it("knows an operator by its exact name", () => {
    for (const name of [
      "stringEquals",
      "StringEqual",
      "ForSomeValue:Bool",
      "NullIfExists",
      "ForAnyValue:Null",
      "",
      "__proto__",
    ]) {
      assert.equal(
        conditionHolds({ [name]: { "aws:PrincipalTag/a": "true" } }, { "aws:PrincipalTag/a": "true" }),
        false,
        name,
      );
    }
    assert.equal(operatorNames.length, 27);
    for (const name of operatorNames)
      assert.ok(table.some(([each]) => [each, negations[each], "Null"].includes(name)) || /Not/.test(name), name);
  });

  it("demands every operator and every key, and any one value", () => {
    const block = {
      StringEquals: { "aws:PrincipalTag/a": ["1", "2"], "aws:PrincipalTag/b": "3" },
      Bool: { "aws:SecureTransport": "true" },
    };
    const context = { "aws:PrincipalTag/a": "2", "aws:PrincipalTag/b": "3", "aws:SecureTransport": "true" };
    assert.equal(conditionHolds(block, context), true);
    for (const key of Object.keys(context))
      assert.equal(conditionHolds(block, { ...context, [key]: "false" }), false, key);
  });

  it("takes JSON's booleans and numbers for texts", () => {
    assert.equal(conditionHolds({ Bool: { "aws:SecureTransport": false } }, { "aws:SecureTransport": false }), true);
    assert.equal(conditionHolds({ NumericLessThan: { "s3:TlsVersion": 1.2 } }, { "s3:TlsVersion": 1.1 }), true);
  });

  it("compares keys without regard to letter case", () => {
    assert.equal(conditionHolds({ StringEquals: { "AWS:sourceARN": trail } }, { "aws:SourceArn": trail }), true);
    assert.equal(conditionHolds({ StringEquals: { "aws:SourceArn": trail } }, { "AWS:SOURCEARN": trail }), true);
  });
});

describe("conditions on a key that the request does not have", () => {
  const key = "aws:PrincipalTag/a";
  const value = (operator: string): string =>
    /Bool/.test(operator)
      ? "true"
      : /Numeric|Date/.test(operator)
        ? "1"
        : /Ip/.test(operator)
          ? "10.0.0.0/8"
          : /Binary/.test(operator)
            ? "aGk="
            : "arn:a:b:c:d:e";
  for (const operator of operatorNames.filter((name) => name !== "Null")) {
    const negated = /Not/.test(operator);
    it(`${operator} ${negated ? "holds" : "fails"}; IfExists and ForAllValues hold; ForAnyValue fails`, () => {
      const check = (name: string): boolean => holds(name, key, value(operator), undefined);
      assert.equal(check(operator), negated);
      assert.equal(check(`${operator}IfExists`), true);
      assert.equal(check(`ForAllValues:${operator}`), true);
      assert.equal(check(`ForAllValues:${operator}IfExists`), true);
      assert.equal(check(`ForAnyValue:${operator}`), false);
    });
    it(`ForAnyValue:${operator}IfExists decides nothing`, () => {
      assert.equal(isUndecided({ [`ForAnyValue:${operator}IfExists`]: { [key]: value(operator) } }), true);
    });
  }

  it("Null true holds, Null false fails; the other way round with the key", () => {
    assert.equal(holds("Null", key, "true", undefined), true);
    assert.equal(holds("Null", key, "false", undefined), false);
    assert.equal(holds("Null", key, "true", "x"), false);
    assert.equal(holds("Null", key, "false", "x"), true);
    assert.equal(holds("Null", key, ["true", "false"], "x"), true);
  });

  it("an empty list of values is an absent key", () => {
    assert.equal(holds("Null", key, "true", []), true);
    assert.equal(holds("ForAllValues:StringEquals", key, "x", []), true);
    assert.equal(holds("ForAnyValue:StringEquals", key, "x", []), false);
    assert.equal(holds("StringNotEquals", key, "x", []), true);
  });

  it("undefined takes a derived key away", () => {
    const block = { StringEquals: { "aws:PrincipalAccount": home } };
    assert.equal(conditionHolds(block), true);
    assert.equal(conditionHolds(block, { "aws:PrincipalAccount": undefined }), false);
  });
});

describe("conditions on keys with several values", () => {
  const key = "aws:TagKeys";
  const rows: [operator: string, wanted: Values, got: string[], result: boolean][] = [
    ["ForAllValues:StringEquals", ["a", "b"], ["a"], true],
    ["ForAllValues:StringEquals", ["a", "b"], ["a", "b"], true],
    ["ForAllValues:StringEquals", ["a", "b"], ["a", "c"], false],
    ["ForAllValues:StringNotEquals", ["a", "b"], ["c", "d"], true],
    ["ForAllValues:StringNotEquals", ["a", "b"], ["a", "c"], false],
    ["ForAllValues:StringLike", "a*", ["a1", "a2"], true],
    ["ForAnyValue:StringEquals", ["a", "b"], ["c", "b"], true],
    ["ForAnyValue:StringEquals", ["a", "b"], ["c"], false],
    ["ForAnyValue:StringNotEquals", ["a", "b"], ["a", "c"], true],
    ["ForAnyValue:StringNotEquals", ["a", "b"], ["a", "b"], false],
    ["ForAnyValue:StringLike", "b*", ["a1", "b2"], true],
    // A null dataset, "such as an empty string", is an absent key to ForAllValues.
    ["ForAllValues:StringEquals", "a", [""], true],
  ];
  for (const [operator, wanted, got, result] of rows) {
    it(`${operator} ${JSON.stringify(wanted)} ${result ? "holds" : "fails"} for ${JSON.stringify(got)}`, () => {
      assert.equal(holds(operator, key, wanted, got), result);
    });
  }
});

describe("conditions that cannot be decided decide nothing", () => {
  const rows: [title: string, operator: string, key: string, wanted: string, got: Values][] = [
    ["several values without ForAnyValue or ForAllValues", "StringEquals", "aws:TagKeys", "a", ["a", "b"]],
    ["several values, negated", "StringNotEquals", "aws:TagKeys", "c", ["a", "b"]],
    ["a Bool that is neither", "Bool", "aws:SecureTransport", "false", "maybe"],
    ["a number that is none", "NumericLessThan", "s3:TlsVersion", "1.2", "TLS1.1"],
    ["a date that is none", "DateLessThan", "aws:CurrentTime", "2026-02-01", "2026-02-30"],
    ["an address that is none", "NotIpAddress", "aws:SourceIp", "10.0.0.0/8", "10.0.0.256"],
    ["no ARN, negated", "ArnNotEquals", "aws:SourceArn", trail, "audit"],
    ["a variable without a value, negated", "StringNotEquals", "aws:PrincipalTag/a", "${aws:PrincipalTag/b}", "x"],
    ["an empty value under Null", "Null", "aws:PrincipalTag/a", "false", ""],
  ];
  for (const [title, operator, key, wanted, got] of rows) {
    it(title, () => {
      assert.equal(isUndecided({ [operator]: { [key]: wanted } }, { [key]: got }), true);
    });
  }
});
