/**
 * Policies of public reports that were judged wrongly once, each with variants of its kind: what `policy` and `simulate` say of
 * them.
 */
import assert from "node:assert/strict";
import type { ConditionBlock, PolicyDocument, Statement } from "../../../core/evaluate";
import { evaluate, lint } from "../../../core/evaluate";
import type { Finding } from "../../../core/findings";
import { mergeBucketPolicy, mergeKeyPolicy } from "../../../core/policies/merge";
import { replicationPermissions, replicationStatements, statementsToAdd } from "../../../core/policies/replication";
import { parseSettings } from "../../../core/settings";
import type { SimulatedFleet } from "../../../core/simulate";
import {
  builtPolicies,
  fleetOfSettings,
  judgeMerged,
  keysToldApart,
  policyInput,
  simulate,
  whyNoDelivery,
} from "../../../core/simulate";
import { asConfig } from "../../support/config";

const bucketName = "acme-trail-archive";
const B = `arn:aws:s3:::${bucketName}`;
const realKey = "arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const members = [
  { accountId: "222222222222", alias: "payments" },
  { accountId: "333333333333", alias: "web" },
];
const organization = { id: "o-exampleorg1", managementAccountId: "555555555555", trailName: "acme-org" };

function fleetOf(more: Record<string, unknown> = {}, region = "us-east-1"): SimulatedFleet {
  const settings = parseSettings(
    "audit",
    asConfig({ role: "audit", auditAccountId: "111111111111", bucketName, trailName: "acme", members, ...more }),
    region,
  );
  assert.ok(settings.role === "audit");
  return { ...fleetOfSettings(settings), denyOtherEncryption: false, keyArn: realKey.replace("us-east-1", region) };
}
const alone = fleetOf();
const org = fleetOf({ organization });

/** What `policy` says of the fleet's statements beside these. */
function judged(kind: "bucket" | "key", fleet: SimulatedFleet, ...current: Statement[]): Finding[] {
  const text = current.length === 0 ? undefined : JSON.stringify({ Version: "2012-10-17", Statement: current });
  const result =
    kind === "bucket"
      ? mergeBucketPolicy(policyInput(fleet), { current: text })
      : mergeKeyPolicy(policyInput(fleet), { current: text });
  assert.ok("merge" in result, JSON.stringify(result));
  return judgeMerged({ kind, merge: result.merge } as Parameters<typeof judgeMerged>[0], fleet);
}
const errors = (...args: Parameters<typeof judged>) =>
  judged(...args)
    .filter(({ severity }) => severity === "error")
    .map(({ id }) => id);
/** Verdicts of the simulation of the fleet's own policies with a statement more. */
function simulated(kind: "bucket" | "key", fleet: SimulatedFleet, statement: Statement, group = /./): string[] {
  const policies = builtPolicies(fleet);
  const own = policies[kind] as { Statement: Statement[] };
  const cells = simulate(fleet, {
    ...policies,
    [kind]: { Version: "2012-10-17", Statement: [...own.Statement, statement] },
  });
  return [...new Set(cells.filter((each) => group.test(each.group)).map(({ verdict }) => verdict))].sort();
}
const deny = (more: Partial<Statement>): Statement => ({
  Sid: "Theirs",
  Effect: "Deny",
  Principal: "*",
  Action: "s3:*",
  Resource: [B, `${B}/*`],
  ...more,
});
const root: Statement = {
  Sid: "Root",
  Effect: "Allow",
  Principal: { AWS: "arn:aws:iam::111111111111:root" },
  Action: "kms:*",
  Resource: "*",
};
const denyKey = (more: Partial<Statement>): Statement => deny({ Action: "kms:*", Resource: "*", ...more });

describe("policies that were judged wrongly", () => {
  it("1: an organization's forms judge themselves with the organization's facts, also for 1,400 members", () => {
    for (const forms of [{ bucket: "organization", key: "organization" }, {}] as const) {
      const many = Array.from({ length: 1400 }, (_, index) => ({
        accountId: String(200000000000 + index),
        alias: `member-${index}`,
      }));
      const fleet = forms.bucket ? org : fleetOf({ organization, members: many });
      const few = forms.bucket ? fleet : { ...fleet, trails: [...fleet.trails.slice(0, 5), ...fleet.trails.slice(-2)] };
      for (const kind of ["bucket", "key"] as const) {
        const result =
          kind === "bucket"
            ? mergeBucketPolicy(policyInput(fleet), { form: forms.bucket })
            : mergeKeyPolicy(policyInput(fleet), { form: forms.key });
        assert.ok("merge" in result);
        assert.equal(result.merge.form, "organization");
        assert.deepEqual(judgeMerged({ kind, merge: result.merge } as Parameters<typeof judgeMerged>[0], few), []);
      }
    }
  });

  it("2: what stops the organization trail, or one member's logs of it, is an error", () => {
    for (const path of ["AWSLogs/o-exampleorg1/*", "AWSLogs/o-exampleorg1/333333333333/*", "AWSLogs/555555555555/*"]) {
      const found = judged("bucket", org, deny({ Action: "s3:PutObject", Resource: `${B}/${path}` }));
      assert.deepEqual(
        found.filter(({ severity }) => severity === "error").map(({ id }) => id),
        ["policy/stops-delivery"],
        path,
      );
      assert.match(found.map(({ message }) => message).join(), /^1 of 4 trails could not deliver/);
    }
    assert.deepEqual(errors("bucket", org, deny({ Action: "s3:PutObject", Resource: `${B}/AWSLogs/o-other/*` })), []);
  });

  it("2: a multi-Region trail delivers the files of every Region, an organization trail those of undeclared accounts too", () => {
    const put = (more: Partial<Statement>) => deny({ Action: "s3:PutObject", ...more });
    const stops = (...paths: string[]) => errors("bucket", org, put({ Resource: paths.map((path) => `${B}/${path}`) }));
    for (const path of [
      "AWSLogs/222222222222/CloudTrail/eu-west-1/*",
      "AWSLogs/*/CloudTrail-Digest/eu-*",
      "*_CloudTrail_ap-southeast-?_*",
      "AWSLogs/222222222222/*/sa-east-1/*",
      "AWSLogs/o-exampleorg1/222222222222/CloudTrail/eu-west-1/*",
      "AWSLogs/o-exampleorg1/444444444444/*",
      "AWSLogs/o-exampleorg1/4*",
    ]) {
      assert.deepEqual(stops(path), ["policy/stops-delivery"], path);
    }
    // Other partitions' Regions, other folders, other organizations.
    for (const path of ["AWSLogs/*/CloudTrail/cn-north-1/*", "AWSLogs/*/Config/eu-west-1/*", "AWSLogs/o-other/4*"]) {
      assert.deepEqual(stops(path), [], path);
    }
    const spared = (...paths: string[]) =>
      put({ Resource: undefined, NotResource: paths.map((path) => `${B}/${path}`) });
    assert.deepEqual(errors("bucket", alone, spared("AWSLogs/*/CloudTrail*/us-east-1/*")), ["policy/stops-delivery"]);
    assert.deepEqual(errors("bucket", alone, spared("AWSLogs/*/CloudTrail*/*")), []);
    const members = ["111111111111", "222222222222", "333333333333", "555555555555"];
    const listed = members.flatMap((each) => [`AWSLogs/${each}/*`, `AWSLogs/o-exampleorg1/${each}/*`]);
    assert.match(
      judged("bucket", org, spared(...listed)).find(({ id }) => id === "policy/stops-delivery")?.message ?? "",
      /any other account of the organization/,
    );
    assert.deepEqual(errors("bucket", alone, spared(...listed)), []);
    // simulate asks the same.
    const eu = put({ Resource: `${B}/AWSLogs/222222222222/CloudTrail/eu-west-1/*` });
    assert.deepEqual(simulated("bucket", alone, eu, /deliver/), ["failed", "ok"]);
    // A trail of one Region does not deliver the others' files.
    const policies = builtPolicies(alone);
    const { Statement } = policies.bucket as { Statement: Statement[] };
    const delivery = {
      trailArn: "arn:aws:cloudtrail:us-east-1:222222222222:trail/acme",
      bucketName,
      bucketAccountId: "111111111111",
    };
    const document = { Version: "2012-10-17", Statement: [...Statement, eu] };
    assert.equal(whyNoDelivery(document, undefined, delivery).delivers, false);
    assert.equal(whyNoDelivery(document, undefined, { ...delivery, isMultiRegion: false }).delivers, true);
  });

  const algorithm = "s3:x-amz-server-side-encryption";
  it("3: an encryption that is demanded where one is named is put to log files that name the key, and to those that do not", () => {
    const wrong = (condition: Statement["Condition"]) =>
      deny({ Action: "s3:PutObject", Resource: `${B}/*`, Condition: condition });
    const named = { Null: { [algorithm]: "false" } } as const;
    const stops = judged("bucket", alone, wrong({ ...named, StringNotEquals: { [algorithm]: "AES256" } }));
    assert.deepEqual(
      stops.map(({ id }) => id),
      ["policy/stops-delivery"],
    );
    assert.match(stops[0]?.message ?? "", /This is a log file that names the key\./);
    assert.deepEqual(
      simulated("bucket", alone, wrong({ ...named, StringNotEquals: { [algorithm]: "AES256" } }), /deliver/),
      ["failed", "ok"],
    );
    assert.deepEqual(errors("bucket", alone, wrong({ ...named, StringNotEquals: { [algorithm]: "aws:kms" } })), []);
    const id = `${algorithm}-aws-kms-key-id`;
    assert.deepEqual(
      errors("bucket", alone, wrong({ Null: { [id]: "false" }, StringNotEquals: { [id]: realKey } })),
      [],
    );
    assert.deepEqual(
      errors("bucket", alone, wrong({ Null: { [id]: "false" }, StringNotEquals: { [id]: `${realKey}0` } })),
      ["policy/stops-delivery"],
    );
  });

  const perimeter = deny({
    Condition: {
      StringNotEqualsIfExists: { "aws:SourceOrgID": "o-exampleorg1" },
      Null: { "aws:SourceAccount": "false" },
      Bool: { "aws:PrincipalIsAWSService": "true" },
    },
  });
  it("4: AWS's perimeter for services lets through what is in the organization: members, its trail, the audit account", () => {
    assert.deepEqual(errors("bucket", org, perimeter), []);
    assert.deepEqual(simulated("bucket", org, perimeter, /deliver/), ["ok"]);
    // A member outside of it is stopped, and so is the audit account when it is declared to be outside.
    const outside = fleetOf({ organization, members: [{ ...members[0], inOrganization: false }, members[1]] });
    assert.match(judged("bucket", outside, perimeter)[0]?.message ?? "", /^1 of 4 trails could not deliver/);
    const audit = fleetOf({ organization: { ...organization, auditAccountInOrganization: false } });
    assert.match(judged("bucket", audit, perimeter)[0]?.message ?? "", /^1 of 4 trails could not deliver/);
    // Without a declaration nobody knows.
    assert.deepEqual(errors("bucket", alone, perimeter), ["policy/undecided"]);
  });

  it("5: the check of the ACL is not tied to what it may come without", () => {
    for (const form of ["accountList", "organization"] as const) {
      const { bucket } = builtPolicies(org, { bucket: form });
      const [acl] = (bucket as { Statement: Statement[] }).Statement;
      assert.deepEqual(Object.keys(acl?.Condition ?? {}), ["ArnLike"], form);
    }
    const tied: Statement = {
      Effect: "Allow",
      Principal: { Service: "cloudtrail.amazonaws.com" },
      Action: "s3:GetBucketAcl",
      Resource: B,
      Condition: { StringEquals: { "aws:SourceOrgID": "o-exampleorg1" } },
    };
    for (const key of ["aws:SourceOrgID", "aws:SourceAccount"]) {
      const condition = { StringEquals: { [key]: key === "aws:SourceOrgID" ? "o-exampleorg1" : "222222222222" } };
      const policies = builtPolicies(org, { bucket: "organization" });
      const [, ...others] = (policies.bucket as { Statement: Statement[] }).Statement;
      const cells = simulate(org, {
        ...policies,
        bucket: { Version: "2012-10-17", Statement: [{ ...tied, Condition: condition }, ...others] },
      });
      const failed = cells.filter(({ verdict, group }) => verdict === "failed" && group === "deliver");
      assert.ok(
        failed.some(
          ({ question, subject }) => question === "deliver/acl-check-arn-only" && subject.alias === "payments",
        ),
        key,
      );
    }
  });

  it("6: a denial of the key by its ARN is seen", () => {
    const denial = denyKey({ Action: "kms:GenerateDataKey*", Resource: realKey });
    assert.deepEqual(errors("key", alone, { ...root, Resource: realKey }, denial), ["policy/stops-delivery"]);
    assert.deepEqual(errors("key", alone, { ...root, Resource: realKey }), []);
    // Where nobody has said which key it is, what tells keys apart is undecided in a bucket's policy, and named in a key's.
    const id = "s3:x-amz-server-side-encryption-aws-kms-key-id";
    const only = (like: string) =>
      deny({
        Action: "s3:PutObject",
        Resource: `${B}/*`,
        Condition: { Null: { [id]: "false" }, StringNotLike: { [id]: like } },
      });
    const unknown = { ...alone, isKeyUnknown: true };
    assert.deepEqual(errors("bucket", unknown, only("arn:aws:kms:us-east-1:111111111111:key/1234*")), [
      "policy/undecided",
    ]);
    assert.deepEqual(errors("bucket", unknown, only("arn:aws:kms:us-east-1:111111111111:key/*")), []);
    assert.deepEqual(errors("bucket", unknown, only("arn:aws:kms:*:999999999999:key/*")), ["policy/undecided"]);
    const apart = (...Resource: string[]) =>
      keysToldApart({ Version: "2012-10-17", Statement: denyKey({ Resource }) }, realKey);
    const some = [
      "arn:aws:kms:*:111111111111:key/1234abcd-*",
      "arn:aws:kms:us-east-1:111111111111:key/mrk-*",
      "arn:*:kms:*:*:key/????????-*",
      "arn:aws:kms:us-east-1:111111111111:key/${aws:PrincipalTag/key}",
    ];
    assert.deepEqual(apart(...some), some.slice(0, 3));
    const allOrNone = [
      "*",
      "arn:aws:kms:*",
      "arn:aws:kms:us-east-1:111111111111:key/*",
      "arn:aws:kms:*:1*:alias/*",
      realKey,
    ];
    assert.deepEqual(apart(...allOrNone, "arn:aws:kms:us-west-2:*:key/1*", "arn:aws:kms:*:222222222222:key/1*"), []);
  });

  it("7: a key that nobody of its account could administer again is locked", () => {
    const put = denyKey({ Action: "kms:PutKeyPolicy" });
    const foreign = { ...root, Principal: { AWS: "arn:aws:iam::222222222222:root" } };
    const sso = "arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Admin_*";
    const breakGlass = "arn:aws:iam::111111111111:role/BreakGlass";
    for (const [what, ...current] of [
      ["a deny", root, put],
      ["a deny of everything else", root, deny({ Action: undefined, NotAction: "kms:GetKeyPolicy", Resource: "*" })],
      ["a foreign account", foreign],
      ["a foreign resource", { ...root, Resource: realKey.replace("1234abcd", "abcd1234") }],
      ["no resource", { ...root, Resource: undefined }],
      ["other actions", { ...root, Action: undefined, NotAction: "kms:Put*" }],
      ["a service alone", { ...root, Principal: { Service: "cloudtrail.amazonaws.com" } }],
    ] as [string, ...Statement[]][]) {
      assert.ok(errors("key", alone, ...current).includes("policy/key-locked"), what);
    }
    for (const [what, ...current] of [
      ["the root", root],
      ["a role by its ARN", { ...root, Principal: { AWS: breakGlass } }],
      ["a deny that spares a role", root, { ...put, Condition: { ArnNotEquals: { "aws:PrincipalArn": breakGlass } } }],
      ["any role of that path", { ...root, Principal: "*", Condition: { ArnLike: { "aws:PrincipalArn": sso } } }],
      ["MFA", root, { ...put, Condition: { BoolIfExists: { "aws:MultiFactorAuthPresent": "false" } } }],
    ] as [string, ...Statement[]][]) {
      assert.ok(!errors("key", alone, ...current).includes("policy/key-locked"), what);
    }
  });

  it("8: an organization trail without any other has its statements", () => {
    const only = fleetOf({ organization, members: [], auditAccountTrail: false });
    for (const kind of ["bucket", "key"] as const) assert.deepEqual(judged(kind, only), []);
    assert.deepEqual(errors("bucket", only, deny({ Action: "s3:PutObject", Resource: `${B}/*` })), [
      "policy/stops-delivery",
    ]);
  });

  it("9: keys that every request has are there: known ones decide, unknown ones leave it open, none is absent", () => {
    const inRegion = (region: string) => deny({ Condition: { StringNotEquals: { "aws:RequestedRegion": region } } });
    assert.deepEqual(errors("bucket", alone, inRegion("us-east-1")), []);
    assert.deepEqual(errors("bucket", alone, inRegion("eu-west-1")), ["policy/stops-delivery"]);
    for (const condition of [
      { DateGreaterThan: { "aws:CurrentTime": "2020-01-01" } },
      { NumericGreaterThan: { "aws:EpochTime": "1577836800" } },
    ] as ConditionBlock[]) {
      const found = judged("bucket", { ...alone, given: new Map() }, deny({ Condition: condition }));
      assert.ok(found.every(({ message }) => !message.includes("is absent")));
      assert.deepEqual(
        found.filter(({ severity }) => severity === "error").map(({ id }) => id),
        ["policy/undecided"],
      );
      assert.match(found[0]?.message ?? "", /--context aws:(CurrentTime|EpochTime)=<value>/);
      const key = Object.keys(Object.values(condition)[0] ?? {})[0] ?? "";
      const given = new Map([[key.toLowerCase(), ["2019-01-01T00:00:00Z"]]]);
      if (key === "aws:CurrentTime")
        assert.deepEqual(errors("bucket", { ...alone, given }, deny({ Condition: condition })), []);
    }
    for (const condition of [
      { Bool: { "aws:SecureTransport": "false" } },
      { Bool: { "aws:ViaAWSService": "true" } },
      { StringNotEquals: { "s3:ResourceAccount": "111111111111" } },
      { StringNotEquals: { "aws:ResourceAccount": "111111111111" } },
      { NumericLessThan: { "s3:TlsVersion": "1.2" } },
      { Null: { "aws:userid": "true" } },
    ] as ConditionBlock[]) {
      assert.deepEqual(errors("bucket", alone, deny({ Condition: condition })), [], JSON.stringify(condition));
    }
    for (const Condition of [
      { NumericLessThan: { "s3:TlsVersion": "1.3" } },
      // AWS adds keys; nobody knows that a request does not have one.
      { StringEquals: { "aws:SomethingNew": "x" } },
      { StringNotEquals: { "aws:SomethingNew": "x" } },
    ] as ConditionBlock[]) {
      assert.deepEqual(errors("bucket", alone, deny({ Condition })), ["policy/undecided"]);
    }
  });

  it("10: the usual perimeter for people lets the organization's administrators through, and is open where nobody declared it", () => {
    const people = deny({
      Condition: {
        StringNotEqualsIfExists: { "aws:PrincipalOrgID": "o-exampleorg1" },
        BoolIfExists: { "aws:PrincipalIsAWSService": "false" },
      },
    });
    assert.deepEqual(judged("bucket", org, people), []);
    assert.deepEqual(simulated("bucket", org, people), ["ok"]);
    assert.deepEqual(
      judged("bucket", alone, people).map(({ id, severity }) => `${severity} ${id}`),
      ["warning policy/undecided"],
    );
    assert.ok(simulated("bucket", alone, people).includes("undecided"));
    const paths = (path: string) =>
      deny({
        Condition: {
          "ForAllValues:StringNotLike": { "aws:PrincipalOrgPaths": path },
          BoolIfExists: { "aws:PrincipalIsAWSService": "false" },
        },
      });
    assert.deepEqual(simulated("bucket", org, paths("o-exampleorg1/*")), ["ok"]);
    assert.ok(simulated("bucket", org, paths("o-exampleorg1/r-ab12/ou-ab12-1/*")).includes("undecided"));
  });

  it("11: what S3 or KMS would not store is named, statement by statement", () => {
    const gov = fleetOf({}, "us-gov-west-1");
    const allow = (more: Partial<Statement>): Statement => ({
      Sid: "Theirs",
      Effect: "Allow",
      Principal: { AWS: "arn:aws:iam::111111111111:role/Team" },
      Action: "s3:GetObject",
      Resource: `${B}/*`,
      ...more,
    });
    for (const [what, fleet, statement] of [
      ["another partition", gov, allow({ Principal: "*", Effect: "Deny", Action: "s3:DeleteObject" })],
      ["everything", alone, allow({ Resource: "*" })],
      ["another bucket", alone, allow({ Resource: "arn:aws:s3:::acme-trail-archive-2/*" })],
      ["every bucket", alone, allow({ Resource: "arn:aws:s3:::*" })],
      ["another bucket, negated", alone, allow({ Resource: undefined, NotResource: "arn:aws:s3:::other/*" })],
      ["an object's action for the bucket", alone, allow({ Resource: B })],
      ["a bucket's action for objects", alone, allow({ Action: "s3:ListBucket" })],
      ["another service's action", alone, allow({ Action: "kms:Decrypt" })],
      ["a principal of another partition", alone, allow({ Principal: { AWS: "arn:aws-cn:iam::111111111111:root" } })],
      ["a principal that was deleted", alone, allow({ Principal: { AWS: "AROAEXAMPLEEXAMPLE12" } })],
      ["an account's action", alone, allow({ Action: "s3:ListAllMyBuckets" })],
      ["another service's condition key", alone, allow({ Condition: { StringEquals: { "kms:ViaService": "x" } } })],
      ["a condition of lists for objects", alone, allow({ Condition: { StringEquals: { "s3:prefix": "x" } } })],
      ["no service", alone, allow({ Principal: { Service: "cloudtrail.example.com" } })],
    ] as [string, SimulatedFleet, Statement][]) {
      const found = judged("bucket", fleet, statement).filter(({ id }) => id === "policy/malformed");
      assert.deepEqual(
        found.map(({ subject }) => subject),
        ['statement 1 ("Theirs")'],
        what,
      );
    }
    for (const statement of [
      allow({ Action: ["s3:Get*", "s3:ListBucket"], Resource: [B, `${B}/*`] }),
      allow({ Action: "s3:*" }),
      allow({ Resource: `${B}*` }),
      allow({ Action: "s3:SomethingNew" }),
      allow({ Action: "s3:ListBucket*", Resource: B, Condition: { StringLike: { "s3:prefix": "x/*" } } }),
    ]) {
      assert.deepEqual(
        judged("bucket", alone, statement).filter(({ id }) => id === "policy/malformed"),
        [],
      );
    }
    const foreign = { ...root, Principal: { AWS: "arn:aws-us-gov:iam::111111111111:root" } };
    assert.ok(errors("key", alone, root, { ...foreign, Sid: "Gov" }).includes("policy/malformed"));
    assert.ok(errors("key", alone, root, { ...root, Sid: "S3", Action: "s3:GetObject" }).includes("policy/malformed"));
  });

  it("12: the encryption context is a file's when logs are delivered, and the path's when a trail is checked", () => {
    const encrypts = (context: string): Statement => ({
      Effect: "Allow",
      Principal: { Service: "cloudtrail.amazonaws.com" },
      Action: "kms:GenerateDataKey*",
      Resource: "*",
      Condition: { StringLike: { "kms:EncryptionContext:aws:s3:arn": context } },
    });
    const refused = (context: string) => {
      const policies = builtPolicies(alone);
      const { Statement } = policies.key as { Statement: Statement[] };
      const key = {
        Version: "2012-10-17",
        Statement: [...Statement.filter(({ Sid }) => Sid !== "CloudTrailEncrypt"), encrypts(context)],
      };
      return simulate(alone, { ...policies, key })
        .filter(
          ({ verdict, subject, group }) => group === "deliver" && verdict !== "ok" && subject.alias === "payments",
        )
        .map(({ id }) => id.replace("@222222222222/us-east-1/acme", ""));
    };
    // A multi-Region trail also delivers the files of Regions that the policy does not name.
    assert.deepEqual(refused(`${B}/AWSLogs/222222222222/CloudTrail/us-east-1/*`), [
      "deliver/encrypt",
      "deliver/encrypt-file/af-south-1",
    ]);
    assert.deepEqual(refused(`${B}/AWSLogs/222222222222/CloudTrail/`), ["deliver/encrypt-file"]);
    // An organization trail's files are under the organization's path.
    assert.deepEqual(
      errors("key", org, root, {
        ...deny({ Action: "kms:GenerateDataKey*", Resource: "*" }),
        Condition: { StringLike: { "kms:EncryptionContext:aws:s3:arn": `${B}/AWSLogs/o-exampleorg1/*` } },
      }),
      ["policy/stops-delivery"],
    );
    assert.deepEqual(refused(`${B}/AWSLogs/222222222222/*`), []);
  });

  it("13: a canonical user and an unknown principal id leave it open", () => {
    const canonical = deny({
      Action: "s3:GetObject",
      Resource: `${B}/*`,
      Principal: { CanonicalUser: "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be" },
    });
    assert.ok(simulated("bucket", alone, canonical, /read/).includes("undecided"));
    assert.deepEqual(simulated("bucket", alone, canonical, /deliver/), ["ok"]);
    const id = deny({ Condition: { StringNotLike: { "aws:userId": "AROAEXAMPLE:*" } } });
    assert.deepEqual(errors("bucket", alone, id), ["policy/undecided"]);
    assert.ok(simulated("bucket", alone, id, /^read$/).includes("undecided"));
    const given = new Map([["aws:userid", ["AROAEXAMPLE:me"]]]);
    // A person's id can be given; a service's is documented nowhere.
    assert.deepEqual(simulated("bucket", { ...alone, given }, id, /^read$/), ["ok"]);
    assert.deepEqual(errors("bucket", { ...alone, given }, id), ["policy/undecided"]);
  });

  it("14: a denial that never holds for requests without the key is pointed out", () => {
    const found = lint(
      {
        Version: "2012-10-17",
        Statement: deny({ Condition: { "ForAnyValue:StringNotEquals": { "aws:CalledVia": "athena.amazonaws.com" } } }),
      },
      { kind: "bucket" },
    );
    assert.ok(found.some(({ id }) => id === "policy/for-any-value-deny"));
  });

  it("15: replication may do both that sources name for copies: kms:Encrypt and kms:GenerateDataKey", () => {
    const destination = { bucketName: "acme-copies", region: "eu-west-1" };
    const source = { bucketName, region: "us-east-1" };
    const roleArn = "arn:aws:iam::111111111111:role/crosstrail-replication";
    const key = realKey.replace("us-east-1", "eu-west-1");
    const permissions = replicationPermissions({
      partition: "aws",
      source,
      destination,
      sourceKeyArns: [realKey],
      destinationKeyArn: key,
    });
    const { keyPolicy = [] } = statementsToAdd(
      "aws",
      "111111111111",
      { roleArn, destination },
      { bucket: false, key: true },
    );
    const own = replicationStatements("aws", "111111111111", { roleArn, writes: destination });
    for (const statements of [keyPolicy, own]) {
      const ask = (action: string, context: Record<string, string> = {}) =>
        evaluate(
          {
            caller: {
              kind: "account",
              arn: `${roleArn.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/")}/s3`,
              roleArn,
            },
            action,
            resource: key,
            resourceAccountId: "111111111111",
            context: {
              "kms:ViaService": "s3.eu-west-1.amazonaws.com",
              "kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::acme-copies/AWSLogs/x",
              ...context,
            },
          },
          {
            resourcePolicy: { Version: "2012-10-17", Statement: statements },
            resourceKind: "key",
            identityPolicies: [permissions as PolicyDocument],
          },
        ).allowed;
      for (const action of ["kms:Encrypt", "kms:GenerateDataKey"]) {
        assert.equal(ask(action), true, action);
        assert.equal(ask(action, { "kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::another/x" }), false, action);
      }
      assert.equal(ask("kms:CreateGrant"), false);
    }
  });

  it("a policy in which everything is open is never as expected, and says on what it depends", () => {
    const clock = { DateGreaterThan: { "aws:CurrentTime": "2020-01-01" } };
    for (const kind of ["bucket", "key"] as const) {
      const policies = builtPolicies(alone);
      const { Statement } = policies[kind] as { Statement: Statement[] };
      const open = Statement.map((each) => ({ ...each, Condition: { ...each.Condition, ...clock } }));
      const cells = simulate(alone, { ...policies, [kind]: { Version: "2012-10-17", Statement: open } });
      const mine = cells.filter(
        ({ request, expected }) => request.action.startsWith(kind === "key" ? "kms:" : "s3:") && expected === "allow",
      );
      for (const { verdict, decision, group } of mine.filter(({ group }) => group === "deliver")) {
        assert.equal(verdict, "undecided", group);
        assert.match(decision.explanation ?? "", /cannot be decided: .*aws:CurrentTime/);
      }
    }
  });
});
