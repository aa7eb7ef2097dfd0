import assert from "node:assert/strict";
import * as fc from "fast-check";
import type { PolicyDocument, Statement } from "../../../core/evaluate/index";
import { compile, evaluate, judge, lint } from "../../../core/evaluate/index";
import { ArnPattern, Glob, parseTemplate, ResourcePattern, splitArn, type Token } from "../../../core/evaluate/pattern";
import { inRange, readAddress, readDate, readRange } from "../../../core/evaluate/values";
import type { Case } from "./generators";
import { cases } from "./generators";
import { conditionHolds } from "./support";

const seed = Number(process.env.CROSSTRAIL_SEED ?? 20261122);
const check = (property: fc.IProperty<unknown>, numRuns = 300): void => fc.assert(property, { seed, numRuns });

const allowed = (given: Case): boolean => evaluate(given.request, given).allowed;
const statementsOf = (policy: PolicyDocument): Statement[] => [policy.Statement].flat();
const withStatements = (given: Case, change: (statements: Statement[]) => Statement[]): Case => ({
  ...given,
  ...(given.resourcePolicy
    ? { resourcePolicy: { ...given.resourcePolicy, Statement: change(statementsOf(given.resourcePolicy)) } }
    : {}),
});

/** The tokens of a pattern, without variables. */
const tokens = (text: string): Token[] => parseTemplate(text, { wildcards: true, variables: false }).parts as Token[];

describe("properties of decisions", () => {
  it("are the same without their reasons", () => {
    check(
      fc.property(cases, (given) => {
        const { allowed: isAllowed, reason, decidedBy, alsoBy } = evaluate(given.request, given);
        const short = judge(given.request, given);
        assert.deepEqual(
          { decidedBy: undefined, alsoBy: undefined, ...short },
          { allowed: isAllowed, reason, decidedBy, alsoBy },
        );
      }),
      300,
    );
  });

  it("a statement that denies never lets more through", () => {
    check(
      fc.property(cases, cases, (given, other) => {
        fc.pre(given.resourceKind === other.resourceKind && other.resourcePolicy !== undefined);
        const denials = statementsOf(other.resourcePolicy as PolicyDocument).map((each): Statement => ({
          ...each,
          Effect: "Deny",
        }));
        const more = withStatements(given, (statements) => [...statements, ...denials]);
        assert.ok(allowed(given) || !allowed(more));
      }),
    );
  });

  it("a statement that allows never takes anything away", () => {
    check(
      fc.property(cases, cases, (given, other) => {
        fc.pre(given.resourceKind === other.resourceKind && other.resourcePolicy !== undefined);
        const grants = statementsOf(other.resourcePolicy as PolicyDocument).map((each): Statement => ({
          ...each,
          Effect: each.NotPrincipal ? each.Effect : "Allow",
        }));
        const added = grants.filter((each) => each.Effect === "Allow");
        assert.ok(!allowed(given) || allowed(withStatements(given, (statements) => [...added, ...statements])));
      }),
    );
  });

  it("the order of statements and values does not matter", () => {
    check(
      fc.property(cases, (given) => {
        const turn = <T>(list: T | T[]): T | T[] => (Array.isArray(list) ? [...list].reverse() : list);
        const turned = withStatements(given, (statements) =>
          statements.toReversed().map((each) => ({
            ...each,
            ...(each.Action ? { Action: turn(each.Action) } : {}),
            ...(each.Resource ? { Resource: turn(each.Resource) } : {}),
          })),
        );
        assert.equal(evaluate(given.request, turned).reason, evaluate(given.request, given).reason);
      }),
    );
  });

  it("a document, its text and its compiled form decide alike", () => {
    check(
      fc.property(cases, (given) => {
        const { resourcePolicy, identityPolicies, resourceKind } = given;
        const plain = evaluate(given.request, given);
        const text = {
          resourceKind,
          resourcePolicy: resourcePolicy && JSON.stringify(resourcePolicy),
          identityPolicies: identityPolicies.map((each) => JSON.stringify(each)),
        };
        const compiled = {
          resourceKind,
          resourcePolicy: resourcePolicy && compile(resourcePolicy, resourceKind),
          identityPolicies: identityPolicies.map((each) => compile(each, "identity")),
        };
        assert.deepEqual(evaluate(given.request, text), plain);
        assert.deepEqual(evaluate(given.request, compiled), plain);
      }),
    );
  });

  it("the letter case of condition keys and actions does not matter", () => {
    const upperKeys = (block: Record<string, unknown>): Record<string, unknown> =>
      Object.fromEntries(Object.entries(block).map(([name, value]) => [name.toUpperCase(), value]));
    check(
      fc.property(cases, (given) => {
        const changed = withStatements(given, (statements) =>
          statements.map((each) => ({
            ...each,
            ...(each.Condition
              ? {
                  Condition: Object.fromEntries(
                    Object.entries(each.Condition).map(([operator, block]) => [operator, upperKeys(block)]),
                  ) as Statement["Condition"],
                }
              : {}),
          })),
        );
        const request = {
          ...given.request,
          action: given.request.action.toLowerCase(),
          context: upperKeys(given.request.context ?? {}) as Case["request"]["context"],
        };
        assert.equal(evaluate(request, changed).reason, evaluate(given.request, given).reason);
      }),
    );
  });

  it("a decision names statements that exist and have the effect; a denial that can be mended says how", () => {
    check(
      fc.property(cases, (given) => {
        const decision = evaluate(given.request, given);
        assert.equal(decision.allowed, decision.reason === "allowed");
        const find = (ref: { policy: string; policyIndex?: number; index: number }): Statement | undefined => {
          const policy =
            ref.policy === "resource" ? given.resourcePolicy : given.identityPolicies[ref.policyIndex ?? 0];
          return policy && statementsOf(policy)[ref.index];
        };
        if (decision.decidedBy && decision.reason !== "undecided")
          assert.equal(find(decision.decidedBy)?.Effect, decision.allowed ? "Allow" : "Deny");
        if (decision.alsoBy) assert.equal(find(decision.alsoBy)?.Effect, "Allow");
        const { nearest } = decision;
        if (!nearest) return;
        const statement = find(nearest);
        assert.equal(statement?.Effect, "Allow");
        assert.ok(nearest.failed.length > 0);
        if (given.request.caller.kind !== "service" || nearest.policy !== "resource" || !statement) return;
        // A statement mended in just what failed lets a service through.
        const mended: Statement = structuredClone(statement);
        for (const { what, operator, key } of nearest.failed) {
          if (what === "condition") delete mended.Condition?.[operator ?? ""]?.[key ?? ""];
          else if (what === "principal") mended.Principal = "*";
          else if (what === "action") {
            delete mended.NotAction;
            mended.Action = "*";
          } else {
            delete mended.NotResource;
            mended.Resource = "*";
          }
        }
        assert.ok(
          allowed(
            withStatements(given, (statements) =>
              statements.map((each, index) => (index === nearest.index ? mended : each)),
            ),
          ),
        );
      }),
      1000,
    );
  });

  it("what lint calls undecidable is not evaluated, and nothing else", () => {
    check(
      fc.property(cases, fc.constantFrom("none", "Effect", "Action", "Condition"), (given, spoil) => {
        const spoilt = withStatements(given, (statements) =>
          statements.map((each) => (spoil === "none" ? each : { ...each, [spoil]: 1 as never })),
        );
        fc.pre(spoilt.resourcePolicy !== undefined);
        const undecidable = lint(spoilt.resourcePolicy as PolicyDocument, { kind: given.resourceKind }).some(
          (each) => each.undecidable,
        );
        assert.equal(evaluate(given.request, spoilt).reason === "notEvaluated", undecidable);
      }),
      200,
    );
  });
});

describe("properties of patterns", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", ":", "/"), maxLength: 12 });
  const pattern = fc.string({ unit: fc.constantFrom("a", "b", ":", "/", "*", "?"), maxLength: 8 });
  const expression = (glob: string, any: string): RegExp =>
    new RegExp(`^${glob.replaceAll("*", `${any}*`).replaceAll("?", any)}$`, "s");

  it("a pattern matches what the regular expression of the same meaning matches", () => {
    check(
      fc.property(pattern, text, (glob, value) => {
        assert.equal(new Glob(tokens(glob)).matches(value), expression(glob, ".").test(value));
      }),
      3000,
    );
  });

  it("a pattern made from a text by putting wildcards in matches the text", () => {
    check(
      fc.property(fc.array(fc.tuple(fc.string({ maxLength: 3 }), fc.constantFrom("keep", "*", "?"))), (parts) => {
        const value = parts.map(([part, as]) => (as === "?" ? "x" : part)).join("");
        const made: Token[] = parts.map(([part, as]) => (as === "*" ? 1 : as === "?" ? 0 : part));
        assert.ok(new Glob(made).matches(value));
      }),
    );
  });

  it("ARN patterns compare part by part", () => {
    const part = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 2 });
    const globPart = fc.string({ unit: fc.constantFrom("a", "b", "*", "?"), maxLength: 2 });
    const arn = fc.array(part, { minLength: 6, maxLength: 8 }).map((parts) => parts.join(":"));
    const globs = fc.array(globPart, { minLength: 6, maxLength: 8 }).map((parts) => parts.join(":"));
    check(
      fc.property(globs, arn, (glob, value) => {
        const wanted = splitArn(glob) ?? [];
        const given = splitArn(value) ?? [];
        const expected = wanted.every((each, index) => expression(each, ".").test(given[index] ?? ""));
        assert.equal(new ArnPattern(tokens(glob)).matches(value), expected);
        // A resource pattern matches at least that, and at most what the whole text as one pattern matches.
        const resource = new ResourcePattern(tokens(glob)).matches(value);
        assert.ok(!expected || resource);
        assert.ok(!resource || expression(glob, ".").test(value));
      }),
      3000,
    );
  });
});

describe("properties of operators", () => {
  it("a list of values matches when one of them does", () => {
    const account = fc.constantFrom("1", "2", "*", "?", "");
    const name = fc.string({ unit: fc.constantFrom("a", "/", "*", "?"), maxLength: 4 });
    const pattern = fc.oneof(
      fc.tuple(account, name).map(([owner, rest]) => `arn:aws:s3::${owner}:${rest}`),
      fc.constantFrom("arn:aws:s3*", "arn:aws:*::1:a", "*"),
    );
    const got = fc.tuple(
      fc.constantFrom("1", "2", ""),
      fc.string({ unit: fc.constantFrom("a", "/", ":"), maxLength: 4 }),
    );
    check(
      fc.property(
        fc.constantFrom("ArnLike", "StringLike", "StringEquals"),
        // More than eight, so that they are indexed.
        fc.array(pattern, { minLength: 1, maxLength: 30 }),
        got,
        (operator, wanted, [owner, rest]) => {
          const context = { "aws:SourceArn": `arn:aws:s3::${owner}:${rest}` };
          const holds = (values: string[]): boolean =>
            conditionHolds({ [operator]: { "aws:SourceArn": values } }, context);
          assert.equal(
            holds(wanted),
            wanted.some((each) => holds([each])),
          );
          const alone = (text: string): boolean =>
            operator === "StringEquals"
              ? text === context["aws:SourceArn"]
              : new (operator === "ArnLike" ? ArnPattern : Glob)(tokens(text)).matches(context["aws:SourceArn"]);
          assert.equal(holds(wanted), wanted.some(alone));
        },
      ),
      1000,
    );
  });

  it("a negated operator is the opposite, for a key with one value", () => {
    const word = fc.string({ unit: fc.constantFrom("a", "B", "*", "?"), maxLength: 3 });
    check(
      fc.property(
        fc.constantFrom(["Equals", "NotEquals"], ["EqualsIgnoreCase", "NotEqualsIgnoreCase"], ["Like", "NotLike"]),
        fc.array(word, { minLength: 1, maxLength: 3 }),
        word,
        ([plain, negated], wanted, got) => {
          const holds = (name: string): boolean =>
            conditionHolds({ [`String${name}`]: { "aws:PrincipalTag/a": wanted } }, { "aws:PrincipalTag/a": got });
          assert.equal(holds(plain as string), !holds(negated as string));
        },
      ),
    );
  });

  it("addresses lie in ranges as whole numbers do", () => {
    const number = (bytes: number[]): bigint => bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
    const v4 = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255)).map((bytes) => bytes.join("."));
    check(
      fc.property(
        fc.oneof(fc.tuple(v4, v4), fc.tuple(fc.ipV6(), fc.ipV6())),
        fc.nat(128),
        fc.boolean(),
        ([one, other], length, near) => {
          const base = readAddress(one);
          const address = readAddress(near ? one : other);
          assert.ok(base && address, `${one} ${other}`);
          const bits = base.length * 8;
          const size = Math.min(length, bits);
          const range = readRange(`${one}/${size}`);
          assert.ok(range);
          const shift = BigInt(bits - size);
          assert.equal(inRange(address, range), number(address) >> shift === number(base) >> shift);
        },
      ),
      1000,
    );
  });

  it("dates read as JavaScript reads them", () => {
    check(
      fc.property(
        fc.date({ min: new Date("1970-01-01"), max: new Date("2999-12-31"), noInvalidDate: true }),
        (date) => {
          const iso = date.toISOString();
          assert.equal(readDate(iso), date.getTime());
          assert.equal(readDate(iso.slice(0, 10)), Date.parse(iso.slice(0, 10)));
          assert.equal(readDate(String(date.getTime() / 1000)), date.getTime());
        },
      ),
    );
  });
});
