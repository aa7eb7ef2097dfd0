/** Random requests and policies, drawn from small pools so that they often meet. */
import * as fc from "fast-check";
import type {
  AccessRequest,
  Caller,
  PolicyDocument,
  Principal,
  RequestContext,
  ResourceKind,
  Statement,
} from "../../../core/evaluate/index";

/** A request with the policies that decide it. */
export interface Case {
  request: AccessRequest;
  resourceKind: ResourceKind;
  resourcePolicy?: PolicyDocument;
  identityPolicies: PolicyDocument[];
}

const home = "111111111111";
const away = "222222222222";

const callers: Caller[] = [
  { kind: "service", service: "cloudtrail.amazonaws.com" },
  { kind: "service", service: "config.amazonaws.com" },
  { kind: "anonymous" },
  { kind: "account", arn: `arn:aws:iam::${home}:user/Bob` },
  { kind: "account", arn: `arn:aws:iam::${home}:user/team/Eve` },
  { kind: "account", arn: `arn:aws:iam::${home}:role/Reader` },
  { kind: "account", arn: `arn:aws:sts::${home}:assumed-role/Reader/session` },
  { kind: "account", arn: `arn:aws:sts::${home}:assumed-role/Reader/other` },
  { kind: "account", arn: `arn:aws:sts::${home}:federated-user/Fred` },
  { kind: "account", arn: `arn:aws:iam::${home}:root` },
  { kind: "account", arn: `arn:aws:iam::${away}:user/Alice` },
  { kind: "account", arn: `arn:aws:sts::${away}:assumed-role/Reader/session` },
  { kind: "account", arn: `arn:aws:iam::${away}:root` },
];

const awsPrincipals = [
  "*",
  home,
  away,
  `arn:aws:iam::${home}:root`,
  `arn:aws:iam::${away}:root`,
  `arn:aws:iam::${home}:user/Bob`,
  `arn:aws:iam::${home}:user/team/Eve`,
  `arn:aws:iam::${away}:user/Alice`,
  `arn:aws:iam::${home}:role/Reader`,
  `arn:aws:iam::${away}:role/Reader`,
  `arn:aws:sts::${home}:assumed-role/Reader/session`,
  `arn:aws:sts::${home}:federated-user/Fred`,
];

const oneOrMany = <T>(item: fc.Arbitrary<T>, maxLength = 3): fc.Arbitrary<T | T[]> =>
  fc.oneof({ weight: 2, arbitrary: item }, { weight: 1, arbitrary: fc.array(item, { minLength: 1, maxLength }) });

const principal: fc.Arbitrary<Principal> = fc.oneof(
  { weight: 2, arbitrary: fc.constant<Principal>("*") },
  { weight: 3, arbitrary: oneOrMany(fc.constantFrom(...awsPrincipals)).map((AWS) => ({ AWS })) },
  {
    weight: 3,
    arbitrary: oneOrMany(fc.constantFrom("cloudtrail.amazonaws.com", "config.amazonaws.com")).map((Service) => ({
      Service,
    })),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      AWS: oneOrMany(fc.constantFrom(...awsPrincipals)),
      Service: fc.constantFrom("cloudtrail.amazonaws.com", "config.amazonaws.com"),
    }),
  },
);

/** Who a role may trust: not `NotPrincipal`, which a trust policy cannot have. */
interface Setting {
  kind: ResourceKind;
  actions: string[];
  resources: string[];
  actionPatterns: string[];
  resourcePatterns: string[];
}

const settings: Setting[] = [
  {
    kind: "bucket",
    actions: ["s3:PutObject", "s3:GetObject", "s3:DeleteObject"],
    resources: [
      `arn:aws:s3:::logs/AWSLogs/${home}/CloudTrail/a.json.gz`,
      `arn:aws:s3:::logs/AWSLogs/${away}/CloudTrail/a.json.gz`,
      "arn:aws:s3:::logs/Bob/a:b",
    ],
    actionPatterns: [
      "*",
      "s3:*",
      "s3:PutObject",
      "S3:putobject",
      "s3:Get*",
      "s3:?utObject",
      "s3:DeleteObject",
      "kms:*",
    ],
    resourcePatterns: [
      "*",
      "arn:aws:s3:::*",
      "arn:aws:s3:::logs/*",
      `arn:aws:s3:::logs/AWSLogs/${home}/*`,
      `arn:aws:s3:::logs/AWSLogs/${home}/CloudTrail/a.json.gz`,
      "arn:aws:s3:::logs/*/CloudTrail/?.json.gz",
      "arn:aws:s3:::log?/AWSLogs/*/*",
      "arn:aws:s3:::LOGS/*",
      "arn:*:s3:::logs/*",
      "arn:aws:s3:::logs/${aws:username}/*",
      "arn:aws:s3:::logs/${aws:PrincipalTag/name, 'Bob'}/*",
      "arn:aws:s3:::logs/${*}",
    ],
  },
  {
    kind: "key",
    actions: ["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"],
    resources: [`arn:aws:kms:eu-west-1:${home}:key/11111111-2222-3333-4444-555555555555`],
    actionPatterns: ["kms:*", "kms:Decrypt", "kms:GenerateDataKey*", "kms:DescribeKey", "*"],
    resourcePatterns: [
      "*",
      `arn:aws:kms:eu-west-1:${home}:key/11111111-2222-3333-4444-555555555555`,
      `arn:aws:kms:*:${home}:key/*`,
      `arn:aws:kms:eu-*-1:${home}:key/*`,
      `arn:aws:kms:eu-west-2:${home}:key/*`,
    ],
  },
  {
    kind: "role",
    actions: ["sts:AssumeRole"],
    resources: [`arn:aws:iam::${home}:role/Target`],
    actionPatterns: ["sts:AssumeRole", "sts:*", "sts:TagSession"],
    resourcePatterns: ["*", `arn:aws:iam::${home}:role/Target`, `arn:aws:iam::*:role/T*`],
  },
];

/** Condition keys by type, with values that policies want and requests have. Global keys, which the oracle knows. */
const trail = `arn:aws:cloudtrail:eu-west-1:${home}:trail/audit`;
const otherTrail = `arn:aws:cloudtrail:eu-west-1:${away}:trail/audit`;

interface KeyPool {
  key: string;
  operators: string[];
  wanted: string[];
  got: string[];
  many?: boolean;
}

const textOperators = [
  "StringEquals",
  "StringNotEquals",
  "StringEqualsIgnoreCase",
  "StringNotEqualsIgnoreCase",
  "StringLike",
  "StringNotLike",
];
const order = ["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"];

const keys: KeyPool[] = [
  {
    key: "aws:PrincipalTag/name",
    operators: textOperators,
    wanted: [
      "Bob",
      "bob",
      "B*",
      "?ob",
      "*",
      "a*b",
      "${aws:username}",
      "${aws:PrincipalTag/other, 'Bob'}",
      "${*}",
      "Eve",
    ],
    got: ["Bob", "bob", "BOB", "axxb", "*", "Eve", "ab"],
  },
  {
    key: "aws:SourceArn",
    operators: ["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "StringEquals", "StringLike", "StringNotLike"],
    wanted: [
      trail,
      otherTrail,
      "arn:aws:cloudtrail:*:*:trail/audit",
      `arn:aws:cloudtrail:*:${home}:trail/*`,
      `arn:aws:cloudtrail:eu-west-?:${home}:trail/a*`,
      "arn:aws:cloudtrail:*",
      "arn:*:cloudtrail:*:*:*",
    ],
    got: [trail, otherTrail, "arn:aws:s3:::logs"],
  },
  { key: "aws:SecureTransport", operators: ["Bool"], wanted: ["true", "false"], got: ["true", "false"] },
  {
    key: "aws:MultiFactorAuthAge",
    operators: order.map((name) => `Numeric${name}`),
    wanted: ["300", "300.0", "3600", "0"],
    got: ["300", "299", "301", "3600", "0"],
  },
  {
    key: "aws:CurrentTime",
    operators: order.map((name) => `Date${name}`),
    wanted: ["2026-01-31T12:00:00Z", "2026-02-01T00:00:00Z"],
    got: ["2026-01-31T12:00:00Z", "2026-01-31T11:59:59Z", "2026-02-01T00:00:00Z"],
  },
  {
    key: "aws:SourceIp",
    operators: ["IpAddress", "NotIpAddress"],
    wanted: ["192.0.2.0/24", "192.0.2.7", "10.0.0.0/8", "2001:db8::/32", "2001:db8::1"],
    got: ["192.0.2.7", "192.0.3.1", "10.255.255.255", "2001:db8::1", "2001:db9::1"],
  },
  {
    key: "aws:TagKeys",
    operators: textOperators.flatMap((name) => [`ForAnyValue:${name}`, `ForAllValues:${name}`]),
    wanted: ["a", "b", "A", "ab*", "?", "c"],
    got: ["a", "b", "abc", "c"],
    many: true,
  },
];

const condition = (pool: KeyPool): fc.Arbitrary<[string, string, string | string[]]> =>
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc
        .tuple(fc.constantFrom(...pool.operators), fc.constantFrom("", "", "IfExists"))
        .chain(([operator, suffix]) => {
          const value = fc.constantFrom(...pool.wanted);
          // Several values for Bool are a mistake that the oracle refuses.
          const values = operator === "Bool" ? value : oneOrMany(value);
          return values.map((wanted): [string, string, string | string[]] => [operator + suffix, pool.key, wanted]);
        }),
    },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom("true", "false")
        .map((wanted): [string, string, string | string[]] => ["Null", pool.key, wanted]),
    },
  );

const anyCondition = fc.constantFrom(...keys).chain(condition);

const statement = (setting: Setting, place: "resource" | "identity"): fc.Arbitrary<Statement> =>
  fc
    .record({
      effect: fc.constantFrom<"Allow" | "Deny">("Allow", "Allow", "Allow", "Deny"),
      principal,
      action: oneOrMany(fc.constantFrom(...setting.actionPatterns)),
      resource: oneOrMany(fc.constantFrom(...setting.resourcePatterns)),
      conditions: fc.array(anyCondition, { maxLength: 2 }),
      notPrincipal: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
      notAction: fc.integer({ min: 0, max: 7 }).map((n) => n === 0),
      notResource: fc.integer({ min: 0, max: 7 }).map((n) => n === 0),
    })
    .map((parts) => {
      const made: Statement = { Effect: parts.effect };
      if (place === "resource") {
        // AWS takes NotPrincipal with Deny only, and not in a trust policy.
        const not = parts.notPrincipal && parts.effect === "Deny" && setting.kind !== "role" && parts.principal !== "*";
        made[not ? "NotPrincipal" : "Principal"] = parts.principal;
      }
      made[parts.notAction ? "NotAction" : "Action"] = parts.action;
      if (place === "identity" || setting.kind !== "role")
        made[parts.notResource ? "NotResource" : "Resource"] = parts.resource;
      if (parts.conditions.length > 0) {
        made.Condition = {};
        for (const [operator, key, wanted] of parts.conditions) made.Condition[operator] = { [key]: wanted };
      }
      return made;
    });

const document = (setting: Setting, place: "resource" | "identity"): fc.Arbitrary<PolicyDocument> =>
  fc
    .tuple(
      fc.constantFrom("2012-10-17", "2012-10-17", "2012-10-17", "2008-10-17"),
      fc.array(statement(setting, place), { minLength: 1, maxLength: 3 }),
    )
    .map(([Version, Statement]) => ({ Version, Statement }));

const context: fc.Arbitrary<RequestContext> = fc
  .tuple(
    ...keys.map((pool) => {
      const one = fc.constantFrom(...pool.got);
      const value: fc.Arbitrary<string | string[]> = pool.many
        ? fc.uniqueArray(one, { minLength: 1, maxLength: 3 })
        : one;
      return fc.option(
        value.map((got): [string, string | string[]] => [pool.key, got]),
        { nil: undefined, freq: 3 },
      );
    }),
  )
  .map((pairs) => Object.fromEntries(pairs.filter((pair) => pair !== undefined)));

/** Cases within what both evaluators support. */
export const cases: fc.Arbitrary<Case> = fc.constantFrom(...settings).chain((setting) =>
  fc
    .record({
      caller: fc.constantFrom(...callers),
      action: fc.constantFrom(...setting.actions),
      resource: fc.constantFrom(...setting.resources),
      context,
      resourcePolicy: fc.option(document(setting, "resource"), { nil: undefined, freq: 8 }),
      identityPolicies: fc.array(document(setting, "identity"), { maxLength: 2 }),
    })
    .map((parts) => ({
      request: {
        caller: parts.caller,
        action: parts.action,
        resource: parts.resource,
        resourceAccountId: home,
        context: parts.context,
      },
      resourceKind: setting.kind,
      ...(parts.resourcePolicy === undefined ? {} : { resourcePolicy: parts.resourcePolicy }),
      identityPolicies: parts.caller.kind === "account" ? parts.identityPolicies : [],
    })),
);
