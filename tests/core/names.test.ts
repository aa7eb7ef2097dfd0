import assert from "node:assert/strict";
import * as fc from "fast-check";
import { partitions, regions } from "../../core/accounts";
import type { TrailIdentity } from "../../core/names";
import {
  accountRootArn,
  auditStackProblem,
  bucketArn,
  bucketNameProblem,
  externalIdProblem,
  keyAliasProblem,
  keyArnProblem,
  logPath,
  logPrefixProblem,
  policyArn,
  policyNameProblem,
  parseKeyArn,
  parseTrailArn,
  roleArn,
  roleArnProblem,
  roleNameProblem,
  trailArn,
  trailNameProblem,
} from "../../core/names";

/** Runs a table of `[value, what is wrong with it]`. */
function table(problemOf: (value: string) => string | undefined, cases: [string, string | undefined][]): void {
  for (const [value, problem] of cases) {
    const shown = value.length > 40 ? `${value.slice(0, 12)}... (${value.length})` : value;
    it(`${JSON.stringify(shown)}: ${problem ?? "good"}`, () => assert.equal(problemOf(value), problem));
  }
}

const digits = fc.stringMatching(/^\d{12}$/);
const trailName = fc
  .stringMatching(/^[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+){0,4}$/)
  .filter((name) => !trailNameProblem(name));
const identity: fc.Arbitrary<TrailIdentity> = fc.constantFrom(...partitions).chain((partition) =>
  fc.record(
    {
      partition: fc.constant(partition),
      region: fc.constantFrom(...regions[partition]),
      accountId: digits,
      name: trailName,
    },
    { noNullPrototype: true },
  ),
);

describe("core/names: readers", () => {
  it("role ARNs, with a path or without", () => {
    assert.equal(roleArn("aws", "111111111111", "Reader"), "arn:aws:iam::111111111111:role/Reader");
    assert.equal(roleArn("aws-cn", "111111111111", "ops/Reader"), "arn:aws-cn:iam::111111111111:role/ops/Reader");
  });

  it("role ARNs that can stand in a policy, and those that cannot", () => {
    for (const arn of ["arn:aws:iam::111111111111:role/a", "arn:aws-cn:iam::111111111111:role/ops/eu/a.b@c"]) {
      assert.equal(roleArnProblem(arn), undefined, arn);
    }
    for (const arn of [
      "a",
      "arn:aws:iam::111111111111:user/a",
      "arn:aws:sts::111111111111:assumed-role/a/b",
      "arn:aws:iam::*:role/a",
      "arn:aws:iam::111111111111:role/*",
      "arn:aws:iam::111111111111:role/ops/*/a",
      "arn:aws:iam::111111111111:role/${aws:username}",
      "arn:aws:iam::111111111111:role/",
      "arn:aws-x:iam::111111111111:role/a",
    ]) {
      assert.ok(roleArnProblem(arn), arn);
    }
  });

  it("role names and external ids that AWS accepts, and that it refuses", () => {
    for (const name of ["a", "A_b+c=d,e.f@g-h", "x".repeat(64)]) assert.equal(roleNameProblem(name), undefined, name);
    for (const name of ["", "x".repeat(65), "a b", "a/b", "a*", "ä"]) assert.ok(roleNameProblem(name), name);
    for (const id of ["ab", "acme:/_+=,.@-1", "x".repeat(1224)]) assert.equal(externalIdProblem(id), undefined, id);
    for (const id of ["a", "x".repeat(1225), "a b", "a*", "${aws:username}"]) assert.ok(externalIdProblem(id), id);
  });
});

describe("core/names", () => {
  describe("trail ARNs", () => {
    it("are spelled as AWS spells them", () => {
      assert.equal(
        trailArn({ partition: "aws-cn", region: "cn-north-1", accountId: "222222222222", name: "crosstrail" }),
        "arn:aws-cn:cloudtrail:cn-north-1:222222222222:trail/crosstrail",
      );
    });

    it("come back as they went in", () => {
      fc.assert(fc.property(identity, (trail) => assert.deepEqual(parseTrailArn(trailArn(trail)), trail)));
    });

    it("that parse are spelled the same again, so that no two texts mean one trail", () => {
      fc.assert(
        fc.property(fc.oneof(identity.map(trailArn), fc.string()), (text) => {
          const parsed = parseTrailArn(text);
          if (parsed) assert.equal(trailArn(parsed), text);
        }),
      );
    });

    for (const text of [
      "",
      "crosstrail",
      "arn:aws:cloudtrail:us-east-1:222222222222:trail/",
      "arn:aws:cloudtrail:us-east-1:22222222222:trail/crosstrail",
      "arn:aws:cloudtrail:us-east-1:*:trail/crosstrail",
      "arn:aws:cloudtrail::222222222222:trail/crosstrail",
      "arn:aws:cloudtrail:us-east-1:222222222222:eventdatastore/crosstrail",
      "arn:aws-iso:cloudtrail:us-iso-east-1:222222222222:trail/crosstrail",
      "arn:*:cloudtrail:us-east-1:222222222222:trail/crosstrail",
      "arn:aws:cloudtrail:*:222222222222:trail/crosstrail",
      "arn:aws:cloudtrail:us-east-1:222222222222:trail/*",
      "arn:aws:cloudtrail:us-east-1:222222222222:trail/cross?rail",
      "arn:aws:cloudtrail:us-east-1:222222222222:trail/${aws:PrincipalTag/x}",
      " arn:aws:cloudtrail:us-east-1:222222222222:trail/crosstrail",
      "arn:aws:cloudtrail:us-east-1:222222222222:trail/crosstrail\n",
    ]) {
      it(`${JSON.stringify(text)} is none`, () => assert.equal(parseTrailArn(text), undefined));
    }
  });

  it("says where the logs lie", () => {
    const accountId = "222222222222";
    assert.equal(logPath({ accountId }), "AWSLogs/222222222222");
    assert.equal(logPath({ accountId, logPrefix: "" }), "AWSLogs/222222222222");
    assert.equal(logPath({ accountId, logPrefix: "prod/eu" }), "prod/eu/AWSLogs/222222222222");
    assert.equal(
      logPath({ accountId, logPrefix: "prod", organizationId: "o-a1b2c3d4e5" }),
      "prod/AWSLogs/o-a1b2c3d4e5/222222222222",
    );
  });

  it("spells the ARNs of buckets and accounts", () => {
    assert.equal(bucketArn("aws-us-gov", "logs"), "arn:aws-us-gov:s3:::logs");
    assert.equal(accountRootArn("aws-cn", "111111111111"), "arn:aws-cn:iam::111111111111:root");
  });

  describe("trail names", () => {
    const punctuation = "a trail name has no two of '.', '_' and '-' side by side";
    const ends = "a trail name starts and ends with a letter or a digit";
    const characters = "a trail name has letters, digits, '.', '_' and '-' only";
    table(trailNameProblem, [
      ["abc", undefined],
      ["a".repeat(128), undefined],
      ["Prod-eu_1.main", undefined],
      ["1.2.3", undefined],
      ["1.2.3.4.5", undefined],
      ["", "a trail name has 3 to 128 characters, this has 0"],
      ["ab", "a trail name has 3 to 128 characters, this has 2"],
      ["a".repeat(129), "a trail name has 3 to 128 characters, this has 129"],
      ["my trail", characters],
      ["trail/eu", characters],
      ["trail*", characters],
      ["träil", characters],
      ["trail\n", characters],
      ["-trail", ends],
      ["trail.", ends],
      ["my--trail", punctuation],
      ["my-_namespace", punctuation],
      ["my._trail", punctuation],
      ["192.168.5.4", "a trail name is not formatted as an IP address"],
    ]);
  });

  describe("bucket names", () => {
    const ends = "a bucket name starts and ends with a letter or a digit";
    const characters = "a bucket name has lower-case letters, digits, '.' and '-' only";
    table(bucketNameProblem, [
      ["abc", undefined],
      ["a".repeat(63), undefined],
      ["crosstrail-example-logs", undefined],
      ["logs.example.com", undefined],
      ["ab", "a bucket name has 3 to 63 characters, this has 2"],
      ["a".repeat(64), "a bucket name has 3 to 63 characters, this has 64"],
      ["My-Logs", characters],
      ["my_logs", characters],
      ["my-logs\n", characters],
      ["logs/*", characters],
      ["-logs", ends],
      ["logs-", ends],
      [".logs", ends],
      ["my..logs", "a bucket name has no two periods side by side"],
      ["192.168.5.4", "a bucket name is not formatted as an IP address"],
      ["xn--logs", "bucket names that start with 'xn--' are reserved by AWS"],
      ["sthree-logs", "bucket names that start with 'sthree-' are reserved by AWS"],
      ["amzn-s3-demo-logs", "bucket names that start with 'amzn-s3-demo-' are reserved by AWS"],
      ["logs-s3alias", "bucket names that end with '-s3alias' are reserved by AWS"],
      ["logs--ol-s3", "bucket names that end with '--ol-s3' are reserved by AWS"],
      ["logs.mrap", "bucket names that end with '.mrap' are reserved by AWS"],
      ["logs--x-s3", "bucket names that end with '--x-s3' are reserved by AWS"],
      ["logs--table-s3", "bucket names that end with '--table-s3' are reserved by AWS"],
    ]);
  });

  describe("log prefixes", () => {
    const awsLogs = "a log prefix does not contain AWSLogs/: CloudTrail appends AWSLogs/<account> itself";
    const characters =
      "a log prefix has letters, digits and ! _ . ' ( ) / - only; wildcards would widen the bucket policy";
    const slashes = "a log prefix must not start or end with '/'";
    const segments = "a log prefix has no empty, '.' or '..' segment between its slashes";
    table(logPrefixProblem, [
      ["prod", undefined],
      ["prod/eu (1)", characters],
      ["prod/eu_(1)!'.-", undefined],
      ["a".repeat(200), undefined],
      ["AWSLogs2", undefined],
      ["awslogs", undefined],
      ["a".repeat(201), "a log prefix has at most 200 characters, this has 201"],
      ["AWSLogs", awsLogs],
      ["AWSLogs/", awsLogs],
      ["prod/AWSLogs/222222222222", awsLogs],
      ["myAWSLogs/eu", awsLogs],
      ["myAWSLogs", awsLogs],
      ["prod/AWSLogs", awsLogs],
      ["prod*", characters],
      ["pro?", characters],
      ["${aws:username}", characters],
      ["prod\n", characters],
      ["/prod", slashes],
      ["prod/", slashes],
      ["prod//eu", segments],
      ["prod/../eu", segments],
      [".", segments],
    ]);
  });

  describe("key ARNs", () => {
    const id = "1234abcd-12ab-34cd-56ef-1234567890ab";
    const alias = "use the key's ARN instead of an alias: another account would look up the alias among its own keys";
    const shape = "a key ARN looks like arn:aws:kms:<region>:<account>:key/<id>";
    table(keyArnProblem, [
      [`arn:aws:kms:us-east-1:111111111111:key/${id}`, undefined],
      [`arn:aws-us-gov:kms:us-gov-west-1:111111111111:key/${id}`, undefined],
      ["arn:aws:kms:us-east-1:111111111111:key/mrk-1234abcd12ab34cd56ef1234567890ab", undefined],
      ["alias/crosstrail", alias],
      ["arn:aws:kms:us-east-1:111111111111:alias/crosstrail", alias],
      [id, shape],
      ["", shape],
      ["crosstrail", shape],
      ["arn:aws:kms:us-east-1:111111111111:key/*", shape],
      [`arn:aws:kms:us-east-1:11111111111:key/${id}`, shape],
    ]);

    it("are taken apart", () => {
      assert.deepEqual(parseKeyArn(`arn:aws-cn:kms:cn-north-1:111111111111:key/${id}`), {
        partition: "aws-cn",
        region: "cn-north-1",
        accountId: "111111111111",
        keyId: id,
      });
    });
  });

  describe("key aliases", () => {
    const characters = "a key alias has 1 to 250 letters, digits, '/', '_' and '-'";
    table(keyAliasProblem, [
      ["crosstrail", undefined],
      ["audit/logs_1-a", undefined],
      ["a".repeat(250), undefined],
      ["a".repeat(251), characters],
      ["", characters],
      ["my key", characters],
      ["alias/crosstrail", "write the alias without the prefix 'alias/'"],
      ["aws/s3", "aliases that start with 'aws/' are reserved by AWS"],
    ]);
  });

  describe("auditStackProblem", () => {
    const form = "a stack is named by its name alone, such as audit, or in full: organization/project/stack";
    const two = `${form}; of these three one is missing here. In a backend of your own, the organization is called organization`;
    table(auditStackProblem, [
      ["audit", undefined],
      ["acme/crosstrail/audit", undefined],
      ["my.audit_1-x", undefined],
      ["crosstrail/audit", two],
      ["a/b/c/d", form],
      ["/audit", two],
      ["acme//audit", form],
      ["", form],
      ["audit stack", form],
      ["urn:pulumi:audit", form],
      ["s3://state/audit", form],
    ]);
  });
});

describe("core/names: managed policies", () => {
  it("takes names with and without a path, and says what is wrong with others", () => {
    for (const name of ["CrosstrailBoundary", "team/Limits", "a/b/c+=,.@_-", "x".repeat(128)]) {
      assert.equal(policyNameProblem(name), undefined, name);
    }
    for (const name of ["", "a b", "team/", "/team", "a*", "x".repeat(129), `${"p/".repeat(250)}long-enough-name`]) {
      assert.match(policyNameProblem(name) ?? "", /1 to 128 letters/, name);
    }
    assert.match(policyNameProblem("arn:aws:iam::aws:policy/ReadOnlyAccess") ?? "", /a name, not an ARN/);
    assert.equal(policyArn("aws", "111111111111", "team/Limits"), "arn:aws:iam::111111111111:policy/team/Limits");
  });
});
