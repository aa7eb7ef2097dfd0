/**
 * Our evaluator against an independent one, on thousands of random cases. Where the two differ, the difference has a name and
 * a reason below, with an example; any other difference fails with the seed and the smallest case that shows it.
 *
 * Another seed: CROSSTRAIL_SEED=7 npx mocha ...; more cases: CROSSTRAIL_CASES=50000. npm test asks for 1500, npm run test:unit for fewer.
 */
import assert from "node:assert/strict";
import * as fc from "fast-check";
import type { ConditionBlock, PolicyDocument, Statement } from "../../../core/evaluate/index";
import { evaluate } from "../../../core/evaluate/index";
import type { Case } from "./generators";
import { cases } from "./generators";
import { askOracle } from "./oracle";

const seed = Number(process.env.CROSSTRAIL_SEED ?? 20261122);
const numRuns = Number(process.env.CROSSTRAIL_CASES ?? 400);

interface Difference {
  name: string;
  /** Why we answer otherwise than the oracle. */
  why: string;
  /** Whether it explains that we said `ours` where the oracle said the opposite. */
  explains(given: Case, ours: boolean): boolean;
  example: Case;
  /** Our answer to the example; the oracle's is the opposite. */
  ours: boolean;
}

const home = "111111111111";
const bucket = "arn:aws:s3:::logs";
const object = `${bucket}/Bob/a`;
const key = `arn:aws:kms:eu-west-1:${home}:key/11111111-2222-3333-4444-555555555555`;
const role = `arn:aws:iam::${home}:role/Target`;
const bob = `arn:aws:iam::${home}:user/Bob`;

const statements = (given: Case): { statement: Statement; version: string | undefined }[] =>
  [...(given.resourcePolicy ? [given.resourcePolicy] : []), ...given.identityPolicies].flatMap((policy) =>
    [policy.Statement].flat().map((statement) => ({ statement, version: policy.Version })),
  );

const conditions = (statement: Statement): { operator: string; key: string; values: string[] }[] =>
  Object.entries(statement.Condition ?? {}).flatMap(([operator, block]) =>
    Object.entries(block).map(([name, values]) => ({ operator, key: name, values: [values].flat().map(String) })),
  );

const denies = (given: Case): Statement[] =>
  statements(given).flatMap(({ statement }) => (statement.Effect === "Deny" ? [statement] : []));

const isRoot = (given: Case): boolean => given.request.caller.arn?.endsWith(":root") ?? false;

const contextOf = (given: Case, name: string): string | undefined => {
  const value = given.request.context?.[name];
  return typeof value === "string" ? value : undefined;
};

/** A case about reading an object of the bucket, by Bob unless said otherwise. */
function reading(policy: Partial<Statement> & { Effect: "Allow" | "Deny" }, more: Partial<Case["request"]> = {}): Case {
  const full: Statement = { Principal: "*", Action: "s3:GetObject", ...policy };
  if (!full.NotResource) full.Resource ??= `${bucket}/*`;
  const open: Statement = { Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: `${bucket}/*` };
  const resourcePolicy: PolicyDocument = {
    Version: "2012-10-17",
    Statement: policy.Effect === "Deny" ? [open, full] : [full],
  };
  return {
    request: {
      caller: { kind: "account", arn: bob },
      action: "s3:GetObject",
      resource: object,
      resourceAccountId: home,
      ...more,
    },
    resourceKind: "bucket",
    resourcePolicy,
    identityPolicies: [],
  };
}

const deny = (Condition: ConditionBlock, context: Case["request"]["context"] = {}): Case =>
  reading({ Effect: "Deny", Condition }, { context });

const differences: Difference[] = [
  {
    name: "the root user",
    why:
      "The oracle gives the root user no permissions of its own. In AWS it has all of its account: it needs no policy for a " +
      "bucket of its own account, no identity policy for another's, and its identity policies, if any are given, say nothing.",
    explains: (given, ours) => ours && isRoot(given) && given.resourceKind !== "role",
    example: {
      ...reading(
        { Effect: "Allow", Action: "s3:PutObject" },
        { caller: { kind: "account", arn: `arn:aws:iam::${home}:root` } },
      ),
    },
    ours: true,
  },
  {
    name: "the root user and roles",
    why: 'AWS refuses: "Roles may not be assumed by root accounts." The oracle lets it, when the trust policy does.',
    explains: (given, ours) => !ours && isRoot(given) && given.resourceKind === "role",
    example: {
      request: {
        caller: { kind: "account", arn: `arn:aws:iam::${home}:root` },
        action: "sts:AssumeRole",
        resource: role,
        resourceAccountId: home,
      },
      resourceKind: "role",
      resourcePolicy: {
        Version: "2012-10-17",
        Statement: { Effect: "Allow", Principal: "*", Action: "sts:AssumeRole" },
      },
      identityPolicies: [],
    },
    ours: false,
  },
  {
    name: "a role without a trust policy",
    why: "There is no such role, so we take a missing trust policy for one that allows nobody. The oracle skips it.",
    explains: (given, ours) => !ours && given.resourceKind === "role" && given.resourcePolicy === undefined,
    example: {
      request: {
        caller: { kind: "account", arn: bob },
        action: "sts:AssumeRole",
        resource: role,
        resourceAccountId: home,
      },
      resourceKind: "role",
      identityPolicies: [{ Version: "2012-10-17", Statement: { Effect: "Allow", Action: "sts:*", Resource: "*" } }],
    },
    ours: false,
  },
  {
    name: "anonymous callers of KMS and STS",
    why: "Both services take signed requests only; the oracle goes by the policy alone.",
    explains: (given, ours) => !ours && given.request.caller.kind === "anonymous" && given.resourceKind !== "bucket",
    example: {
      request: { caller: { kind: "anonymous" }, action: "kms:Decrypt", resource: key, resourceAccountId: home },
      resourceKind: "key",
      resourcePolicy: {
        Version: "2012-10-17",
        Statement: { Effect: "Allow", Principal: "*", Action: "kms:Decrypt", Resource: "*" },
      },
      identityPolicies: [],
    },
    ours: false,
  },
  {
    name: "a statement of a key policy without Resource",
    why: 'KMS: such a statement "has no effect". To the oracle it is about the key. (Not among the random cases.)',
    explains: (given, ours) =>
      !ours &&
      given.resourceKind === "key" &&
      statements(given).some(
        ({ statement }) => statement.Resource === undefined && statement.NotResource === undefined,
      ),
    example: {
      request: { caller: { kind: "account", arn: bob }, action: "kms:Decrypt", resource: key, resourceAccountId: home },
      resourceKind: "key",
      resourcePolicy: { Version: "2012-10-17", Statement: { Effect: "Allow", Principal: "*", Action: "kms:Decrypt" } },
      identityPolicies: [],
    },
    ours: false,
  },
  {
    name: "NotIpAddress with a single address of the other family",
    why:
      "An IPv4 address is not an IPv6 address, so NotIpAddress holds, as it does for a range in CIDR notation, where the " +
      "oracle agrees. With a single address of the other family its NotIpAddress fails.",
    explains: (given) =>
      statements(given).some(({ statement }) =>
        conditions(statement).some(({ operator, values }) => {
          const address = contextOf(given, "aws:SourceIp");
          if (!/^NotIpAddress/.test(operator) || address === undefined) return false;
          return values.some((value) => !value.includes("/") && value.includes(":") !== address.includes(":"));
        }),
      ),
    example: deny(
      { NotIpAddress: { "aws:SourceIp": ["192.0.2.0/24", "2001:db8::1"] } },
      { "aws:SourceIp": "198.51.100.1" },
    ),
    ours: false,
  },
  {
    name: "ArnNotLike with a text that is no ARN",
    why:
      "What AWS does with an incomplete ARN such as arn:aws:cloudtrail:* is not documented. We count it against the request: " +
      "a Deny holds. In the oracle it does not.",
    explains: (given, ours) =>
      !ours &&
      denies(given).some((statement) =>
        conditions(statement).some(
          ({ operator, key: name, values }) =>
            /^ArnNot/.test(operator) &&
            contextOf(given, name) !== undefined &&
            values.some((value) => value.split(":").length < 6),
        ),
      ),
    example: deny({ ArnNotLike: { "aws:SourceArn": "arn:aws:cloudtrail:*" } }, { "aws:SourceArn": bucket }),
    ours: false,
  },
  {
    name: "a variable without a value, negated",
    why:
      'AWS: it "might cause the entire statement to be invalid". We count it against the request: a Deny holds. In the oracle ' +
      "it does not.",
    explains: (given, ours) =>
      !ours &&
      denies(given).some(
        (statement) =>
          JSON.stringify(statement.NotResource ?? "").includes("${aws:username}") ||
          conditions(statement).some(
            ({ operator, values }) => /Not/.test(operator) && values.some((value) => value.includes("${aws:username}")),
          ),
      ),
    example: reading(
      { Effect: "Deny", NotResource: `${bucket}/\${aws:username}/*` },
      { caller: { kind: "account", arn: `arn:aws:iam::${home}:role/Reader` } },
    ),
    ours: false,
  },
  {
    name: "a Deny with NotPrincipal that lists a part of the caller only",
    why:
      "AWS may validate the account first, then the role, then the session, and recommends to list account and user, or " +
      "account and role. We demand what AWS recommends; to the oracle any one of them spares the caller.",
    explains: (given, ours) =>
      !ours &&
      given.request.caller.kind === "account" &&
      denies(given).some(({ NotPrincipal }) => typeof NotPrincipal === "object" && NotPrincipal.AWS !== undefined),
    example: (() => {
      const given = reading({ Effect: "Deny" });
      const [open] = [given.resourcePolicy?.Statement ?? []].flat();
      const denial: Statement = { Effect: "Deny", NotPrincipal: { AWS: bob }, Action: "s3:*", Resource: `${bucket}/*` };
      return { ...given, resourcePolicy: { Version: "2012-10-17", Statement: [open as Statement, denial] } };
    })(),
    ours: false,
  },
  {
    name: "${*} with StringEquals",
    why:
      "${*} is the character itself wherever variables work. The oracle knows that for patterns, and compares StringEquals " +
      "with the three characters as they stand.",
    explains: (given) =>
      statements(given).some(({ statement, version }) =>
        conditions(statement).some(
          ({ operator, values }) =>
            version === "2012-10-17" && /String(Not)?Equals/.test(operator) && values.includes("${*}"),
        ),
      ),
    example: deny({ StringEquals: { "aws:PrincipalTag/name": "${*}" } }, { "aws:PrincipalTag/name": "*" }),
    ours: false,
  },
  {
    name: "policy variables in version 2008-10-17",
    why:
      "Variables exist since version 2012-10-17; before, AWS reads ${aws:username} as ordinary text. The oracle substitutes it " +
      "in every version.",
    explains: (given) =>
      statements(given).some(
        ({ statement, version }) => version === "2008-10-17" && /\$\{(aws:|\*)/.test(JSON.stringify(statement)),
      ),
    example: {
      ...reading({ Effect: "Allow" }),
      resourcePolicy: {
        Version: "2008-10-17",
        Statement: {
          Effect: "Allow",
          Principal: "*",
          Action: "s3:GetObject",
          Resource: `${bucket}/\${aws:username}/*`,
        },
      },
    },
    ours: false,
  },
  {
    name: "ForAnyValue:...IfExists without the key",
    why:
      "AWS says that IfExists makes it hold and that ForAnyValue makes it fail. We count the contradiction against the request: " +
      "a Deny holds. In the oracle it does not, for ForAnyValue wins.",
    explains: (given, ours) =>
      !ours &&
      denies(given).some((statement) =>
        conditions(statement).some(
          ({ operator, key: name }) =>
            /^ForAnyValue:.*IfExists$/.test(operator) && given.request.context?.[name] === undefined,
        ),
      ),
    example: deny({ "ForAnyValue:StringEqualsIfExists": { "aws:TagKeys": "a" } }),
    ours: false,
  },
];

/** The name of the difference that explains why the two answers differ, or undefined. */
const explanation = (given: Case, ours: boolean): string | undefined =>
  differences.find((each) => each.explains(given, ours))?.name;

describe("the evaluator and the oracle", function () {
  this.timeout(60_000 + numRuns * 10);

  for (const { name, why, example, ours } of differences) {
    it(`differ about ${name}`, async () => {
      const decision = evaluate(example.request, example);
      const oracle = await askOracle(example.request, example);
      assert.ok(!("error" in oracle), JSON.stringify(oracle));
      assert.equal(decision.allowed, ours, decision.explanation);
      assert.equal(oracle.allowed, !ours, `The oracle agrees now: drop this difference. (${why})`);
      assert.ok(differences.find((each) => each.name === name)?.explains(example, ours));
    });
  }

  it(`agree on ${numRuns} random cases, but for the differences above`, async () => {
    const seen = { allowed: 0, denied: 0, explained: new Map<string, number>() };
    const check = await fc.check(
      fc.asyncProperty(cases, async (given) => {
        const decision = evaluate(given.request, given);
        assert.notEqual(decision.reason, "notEvaluated", decision.explanation);
        const oracle = await askOracle(given.request, given);
        assert.ok(!("error" in oracle), JSON.stringify(oracle));
        seen[decision.allowed ? "allowed" : "denied"]++;
        if (decision.allowed === oracle.allowed) return;
        const name = explanation(given, decision.allowed);
        assert.ok(name, `we: ${decision.explanation}\nthe oracle: ${oracle.result}`);
        seen.explained.set(name, (seen.explained.get(name) ?? 0) + 1);
      }),
      { seed, numRuns },
    );
    if (check.failed) {
      const smallest = JSON.stringify(check.counterexample?.[0], undefined, 2);
      const cause = check.errorInstance instanceof Error ? check.errorInstance.message : String(check.errorInstance);
      assert.fail(`CROSSTRAIL_SEED=${check.seed}\n${cause}\nsmallest case:\n${smallest}`);
    }
    // A generator that always gets the same answer would prove nothing; few differences may be explained away.
    assert.ok(seen.allowed > numRuns / 20, `only ${seen.allowed} of ${numRuns} are allowed`);
    assert.ok(seen.denied > numRuns / 4, `only ${seen.denied} of ${numRuns} are denied`);
    const explained = [...seen.explained.values()].reduce((sum, each) => sum + each, 0);
    assert.ok(explained < numRuns / 10, `${explained} of ${numRuns} differ: ${JSON.stringify([...seen.explained])}`);
  });
});
