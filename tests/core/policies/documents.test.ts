import assert from "node:assert/strict";
import * as fc from "fast-check";
import { lint } from "../../../core/evaluate";
import type { TrailIdentity } from "../../../core/names";
import type { PolicyDocument, Statement } from "../../../core/policies/document";
import { list, serialize, size } from "../../../core/policies/document";
import { keyPolicy } from "../../../core/policies/key";
import { auditAccountId, trailOf } from "../../support/fleet";
import { bucketDocument, bucketForms, keyDocument, keyForms, memberReaders, payments } from "../../support/policies";

const bucketArn = "arn:aws:s3:::example-logs";
const paymentsArn = "arn:aws:cloudtrail:us-east-1:222222222222:trail/crosstrail";
const webArn = "arn:aws:cloudtrail:eu-west-1:333333333333:trail/web-trail";

const cloudTrail = { Service: "cloudtrail.amazonaws.com" };
const denyNestedPrefix: Statement = {
  Sid: "DenyNestedPrefix",
  Effect: "Deny",
  Principal: "*",
  Action: "s3:PutObject",
  Resource: `${bucketArn}/AWSLogs/*AWSLogs/*`,
};
const denyInsecureTransport: Statement = {
  Sid: "DenyInsecureTransport",
  Effect: "Deny",
  Principal: "*",
  Action: "s3:*",
  Resource: [bucketArn, `${bucketArn}/*`],
  Condition: { Bool: { "aws:SecureTransport": "false" } },
};

describe("core/policies", () => {
  describe("the bucket policy, to the letter", () => {
    const acl = "bucket-owner-full-control";
    const aclCheck = (condition: Statement["Condition"]): Statement => ({
      Sid: "CloudTrailAclCheck",
      Effect: "Allow",
      Principal: cloudTrail,
      Action: "s3:GetBucketAcl",
      Resource: bucketArn,
      Condition: condition,
    });
    const write = (sid: string, resource: Statement["Resource"], condition: Statement["Condition"]): Statement => ({
      Sid: sid,
      Effect: "Allow",
      Principal: cloudTrail,
      Action: "s3:PutObject",
      Resource: resource,
      Condition: condition,
    });
    const paths = [`${bucketArn}/AWSLogs/222222222222/*`, `${bucketArn}/AWSLogs/333333333333/*`];
    const byArn = { "aws:SourceArn": [webArn, paymentsArn] };
    const byName = {
      ArnLike: {
        "aws:SourceArn": ["arn:aws:cloudtrail:*:*:trail/crosstrail", "arn:aws:cloudtrail:*:*:trail/web-trail"],
      },
    };
    const byAccount = { "aws:SourceAccount": ["222222222222", "333333333333"] };

    const documents: Record<(typeof bucketForms)[number], Statement[]> = {
      perTrail: [
        aclCheck({ StringEquals: byArn }),
        write("CloudTrailWrite222222222222", `${bucketArn}/AWSLogs/222222222222/*`, {
          StringEquals: { "aws:SourceArn": paymentsArn, "s3:x-amz-acl": acl },
        }),
        write("CloudTrailWrite333333333333", `${bucketArn}/AWSLogs/333333333333/*`, {
          StringEquals: { "aws:SourceArn": webArn, "s3:x-amz-acl": acl },
        }),
      ],
      trailList: [
        aclCheck({ StringEquals: byArn }),
        write("CloudTrailWrite", paths, { StringEquals: { ...byArn, "s3:x-amz-acl": acl } }),
      ],
      trailName: [
        aclCheck(byName),
        write("CloudTrailWrite", paths, { ...byName, StringEquals: { "s3:x-amz-acl": acl } }),
      ],
      accountList: [
        aclCheck(byName),
        write("CloudTrailWrite", `${bucketArn}/AWSLogs/*`, { StringEquals: { ...byAccount, "s3:x-amz-acl": acl } }),
      ],
    };
    for (const form of bucketForms) {
      it(`as ${form}`, () => {
        assert.deepEqual(bucketDocument(form), {
          Version: "2012-10-17",
          Statement: [...documents[form], denyNestedPrefix, denyInsecureTransport],
        });
      });
    }

    it("with a prefix and in another partition", () => {
      const trails = [trailOf("222222222222", { partition: "aws-cn", region: "cn-north-1" })];
      const bucket = "arn:aws-cn:s3:::example-logs";
      const trail = "arn:aws-cn:cloudtrail:cn-north-1:222222222222:trail/crosstrail";
      assert.deepEqual(bucketDocument("perTrail", { partition: "aws-cn", logPrefix: "prod/eu", trails }), {
        Version: "2012-10-17",
        Statement: [
          { ...aclCheck({ StringEquals: { "aws:SourceArn": trail } }), Resource: bucket },
          write("CloudTrailWrite222222222222", `${bucket}/prod/eu/AWSLogs/222222222222/*`, {
            StringEquals: { "aws:SourceArn": trail, "s3:x-amz-acl": acl },
          }),
          { ...denyNestedPrefix, Resource: `${bucket}/prod/eu/AWSLogs/*AWSLogs/*` },
          { ...denyInsecureTransport, Resource: [bucket, `${bucket}/*`] },
        ],
      });
      assert.equal(
        bucketDocument("accountList", { logPrefix: "prod" }).Statement[1]?.Resource,
        `${bucketArn}/prod/AWSLogs/*`,
      );
    });

    it("with members that read their own logs: two statements for any number, before the denials", () => {
      const principal = (...accounts: string[]) => accounts.map((each) => `arn:aws:iam::${each}:root`);
      const statements = (aws: string | string[], folder: string): Statement[] => [
        {
          Sid: "MembersListOwnLogs",
          Effect: "Allow",
          Principal: { AWS: aws },
          Action: "s3:ListBucket",
          Resource: bucketArn,
          Condition: { StringLike: { "s3:prefix": folder } },
        },
        {
          Sid: "MembersReadOwnLogs",
          Effect: "Allow",
          Principal: { AWS: aws },
          Action: "s3:GetObject",
          Resource: `${bucketArn}/${folder}`,
        },
        { ...denyNestedPrefix, Resource: `${bucketArn}/${folder.replace(/AWSLogs.*/, "")}AWSLogs/*AWSLogs/*` },
        denyInsecureTransport,
      ];
      assert.deepEqual(
        bucketDocument("trailList", { memberReaders }).Statement.slice(2),
        statements(principal("222222222222", "333333333333"), "AWSLogs/${aws:PrincipalAccount}/*"),
      );
      assert.deepEqual(
        bucketDocument("trailList", { memberReaders: ["222222222222"], logPrefix: "prod" }).Statement.slice(2),
        statements(principal("222222222222")[0] as string, "prod/AWSLogs/${aws:PrincipalAccount}/*"),
      );
      assert.equal(serialize(bucketDocument("perTrail", { memberReaders: [] })), serialize(bucketDocument("perTrail")));
    });

    it("with MFA: a denial more, for objects only", () => {
      const deny = (condition: Statement["Condition"]): Statement => ({
        Sid: "DenyLogAccessWithoutMfa",
        Effect: "Deny",
        Principal: "*",
        Action: ["s3:DeleteObject*", "s3:GetObject*"],
        Resource: `${bucketArn}/*`,
        Condition: condition,
      });
      const people = {
        BoolIfExists: { "aws:MultiFactorAuthPresent": "false", "aws:PrincipalIsAWSService": "false" },
      };
      const [a, b] = ["a", "b"].map((name) => `arn:aws:iam::111111111111:role/${name}`) as [string, string];
      const before = bucketDocument("trailList").Statement.slice(0, 2);
      for (const [mfaExemptRoleArns, condition] of [
        [undefined, people],
        [[], people],
        [[a], { ArnNotLike: { "aws:PrincipalArn": a }, ...people }],
        [[b, a], { ArnNotLike: { "aws:PrincipalArn": [a, b] }, ...people }],
      ] as const) {
        assert.deepEqual(
          bucketDocument("trailList", {
            requireMfa: true,
            mfaExemptRoleArns: mfaExemptRoleArns && [...mfaExemptRoleArns],
          }).Statement,
          [...before, denyNestedPrefix, deny(condition as Statement["Condition"]), denyInsecureTransport],
        );
      }
      assert.equal(serialize(bucketDocument(undefined, { requireMfa: false })), serialize(bucketDocument()));
      assert.deepEqual(
        lint(bucketDocument(undefined, { requireMfa: true, mfaExemptRoleArns: [a] }), { kind: "bucket" }),
        [],
      );
    });

    it("of an account with two trails, while one is being renamed", () => {
      const trails = [payments, trailOf("222222222222", { name: "old-trail" })];
      const arns = [paymentsArn, paymentsArn.replace("crosstrail", "old-trail")];
      assert.deepEqual(bucketDocument("perTrail", { trails }).Statement, [
        aclCheck({ StringEquals: { "aws:SourceArn": arns } }),
        write("CloudTrailWrite222222222222", `${bucketArn}/AWSLogs/222222222222/*`, {
          StringEquals: { "aws:SourceArn": arns, "s3:x-amz-acl": acl },
        }),
        denyNestedPrefix,
        denyInsecureTransport,
      ]);
    });

    for (const form of bucketForms) {
      it(`as ${form} without a trail: nobody writes`, () => {
        assert.deepEqual(bucketDocument(form, { trails: [] }).Statement, [denyInsecureTransport]);
      });
    }
  });

  describe("the key policy, to the letter", () => {
    const root = { AWS: "arn:aws:iam::111111111111:root" };
    const administration: Statement = {
      Sid: "AccountAdministration",
      Effect: "Allow",
      Principal: root,
      Action: [
        "kms:CancelKeyDeletion",
        "kms:CreateAlias",
        "kms:DeleteAlias",
        "kms:DescribeKey",
        "kms:DisableKey",
        "kms:DisableKeyRotation",
        "kms:EnableKey",
        "kms:EnableKeyRotation",
        "kms:GetKeyPolicy",
        "kms:GetKeyRotationStatus",
        "kms:ListGrants",
        "kms:ListKeyPolicies",
        "kms:ListKeyRotations",
        "kms:ListResourceTags",
        "kms:PutKeyPolicy",
        "kms:ReplicateKey",
        "kms:RevokeGrant",
        "kms:RotateKeyOnDemand",
        "kms:ScheduleKeyDeletion",
        "kms:TagResource",
        "kms:UntagResource",
        "kms:UpdateAlias",
        "kms:UpdateKeyDescription",
        "kms:UpdatePrimaryRegion",
      ],
      Resource: "*",
    };
    const denyShortDeletion: Statement = {
      Sid: "DenyShortDeletion",
      Effect: "Deny",
      Principal: "*",
      Action: "kms:ScheduleKeyDeletion",
      Resource: "*",
      Condition: { NumericLessThan: { "kms:ScheduleKeyDeletionPendingWindowInDays": "30" } },
    };
    const reads: Statement = {
      Sid: "AccountReadsLogs",
      Effect: "Allow",
      Principal: root,
      Action: "kms:Decrypt",
      Resource: "*",
      Condition: { Null: { "kms:EncryptionContext:aws:cloudtrail:arn": "false" } },
    };
    const context = {
      StringLike: {
        "kms:EncryptionContext:aws:cloudtrail:arn": [
          "arn:aws:cloudtrail:*:222222222222:trail/*",
          "arn:aws:cloudtrail:*:333333333333:trail/*",
        ],
      },
    };
    const source = { StringEquals: { "aws:SourceArn": [webArn, paymentsArn] } };
    const service = (sid: string, action: string, condition: Statement["Condition"]): Statement => ({
      Sid: sid,
      Effect: "Allow",
      Principal: cloudTrail,
      Action: action,
      Resource: "*",
      Condition: condition,
    });

    it("as trailList", () => {
      assert.deepEqual(keyDocument("trailList"), {
        Version: "2012-10-17",
        Statement: [
          administration,
          service("CloudTrailEncrypt", "kms:GenerateDataKey*", { ...source, ...context }),
          service("CloudTrailDescribeKey", "kms:DescribeKey", source),
          reads,
          denyShortDeletion,
        ],
      });
    });

    it("as encryptionContext", () => {
      const names = ["arn:aws:cloudtrail:*:*:trail/crosstrail", "arn:aws:cloudtrail:*:*:trail/web-trail"];
      assert.deepEqual(keyDocument("encryptionContext"), {
        Version: "2012-10-17",
        Statement: [
          administration,
          service("CloudTrailEncrypt", "kms:GenerateDataKey*", context),
          service("CloudTrailDescribeKey", "kms:DescribeKey", { ArnLike: { "aws:SourceArn": names } }),
          reads,
          denyShortDeletion,
        ],
      });
    });

    for (const form of keyForms) {
      it(`for a bucket with an S3 Bucket Key, as ${form}: CloudTrail decrypts for the same trails that it describes the key for`, () => {
        const statements = keyDocument(form).Statement;
        const describeKey = statements[2] as Statement;
        assert.deepEqual(keyDocument(form, undefined, { bucketKeyEnabled: true }).Statement, [
          ...statements.slice(0, 3),
          { ...describeKey, Sid: "CloudTrailDecrypt", Action: "kms:Decrypt" },
          reads,
          denyShortDeletion,
        ]);
        assert.deepEqual(keyDocument(form, [], { bucketKeyEnabled: true }).Statement, [
          administration,
          reads,
          denyShortDeletion,
        ]);
      });
    }

    it("with members that decrypt their own logs: one statement for any number", () => {
      assert.deepEqual(keyDocument("trailList", undefined, { memberReaders }).Statement.slice(3), [
        reads,
        {
          Sid: "MembersDecryptOwnLogs",
          Effect: "Allow",
          Principal: { AWS: ["arn:aws:iam::222222222222:root", "arn:aws:iam::333333333333:root"] },
          Action: "kms:Decrypt",
          Resource: "*",
          Condition: {
            StringLike: {
              "kms:EncryptionContext:aws:cloudtrail:arn": "arn:aws:cloudtrail:*:${aws:PrincipalAccount}:trail/*",
            },
          },
        },
        denyShortDeletion,
      ]);
      assert.equal(serialize(keyDocument(undefined, undefined, { memberReaders: [] })), serialize(keyDocument()));
    });

    it("in another partition", () => {
      const trails = [trailOf("222222222222", { partition: "aws-us-gov", region: "us-gov-west-1" })];
      const { document } = keyPolicy({ partition: "aws-us-gov", auditAccountId, trails });
      const gov = { AWS: "arn:aws-us-gov:iam::111111111111:root" };
      const arn = { "aws:SourceArn": "arn:aws-us-gov:cloudtrail:us-gov-west-1:222222222222:trail/crosstrail" };
      const pattern = "arn:aws-us-gov:cloudtrail:*:222222222222:trail/*";
      assert.deepEqual(document.Statement, [
        { ...administration, Principal: gov },
        service("CloudTrailEncrypt", "kms:GenerateDataKey*", {
          StringEquals: arn,
          StringLike: { "kms:EncryptionContext:aws:cloudtrail:arn": pattern },
        }),
        service("CloudTrailDescribeKey", "kms:DescribeKey", { StringEquals: arn }),
        { ...reads, Principal: gov },
        denyShortDeletion,
      ]);
    });

    for (const form of keyForms) {
      it(`as ${form} without a trail: nobody encrypts`, () => {
        assert.deepEqual(keyDocument(form, []).Statement, [administration, reads, denyShortDeletion]);
      });
    }
  });

  describe("documents", () => {
    it("are minified, and measured in bytes", () => {
      const document = keyDocument();
      assert.equal(serialize(document), JSON.stringify(document));
      assert.equal(size(document), serialize(document).length);
      const umlaut: PolicyDocument = { Version: "2012-10-17", Statement: [{ ...denyInsecureTransport, Sid: "ä" }] };
      assert.equal(size(umlaut), serialize(umlaut).length + 1);
    });

    it("hold lists sorted, without repeats, and one value on its own", () => {
      assert.deepEqual(list(["b", "a", "b"]), ["a", "b"]);
      assert.equal(list(["a", "a"]), "a");
      assert.deepEqual(list([]), []);
    });

    const trails = fc.uniqueArray(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 12 }).chain((accounts) =>
      fc.tuple(
        ...accounts.map((account) =>
          fc
            .record({
              region: fc.constantFrom("us-east-1", "eu-west-1"),
              name: fc.constantFrom("crosstrail", "web-trail", "other"),
            })
            .map((other) => trailOf(String(200000000000 + account), other)),
        ),
      ),
    );
    const shuffled = trails.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
    );
    const builders: [string, (of: TrailIdentity[]) => PolicyDocument][] = [
      ...bucketForms.map((form): [string, (of: TrailIdentity[]) => PolicyDocument] => [
        `bucket policy as ${form}`,
        (of) => bucketDocument(form, { trails: of }),
      ]),
      ...bucketForms.map((form): [string, (of: TrailIdentity[]) => PolicyDocument] => [
        `bucket policy for members that read as ${form}`,
        (of) => bucketDocument(form, { trails: of, memberReaders: of.map(({ accountId }) => accountId) }),
      ]),
      ...keyForms.flatMap((form): [string, (of: TrailIdentity[]) => PolicyDocument][] => [
        [`key policy as ${form}`, (of) => keyDocument(form, of)],
        [
          `key policy for members that read as ${form}`,
          (of) => keyDocument(form, of, { memberReaders: of.map(({ accountId }) => accountId) }),
        ],
        [`key policy with a bucket key as ${form}`, (of) => keyDocument(form, of, { bucketKeyEnabled: true })],
      ]),
    ];
    for (const [name, build] of builders) {
      it(`${name}: the order of the fleet makes no difference, to the byte`, () => {
        fc.assert(fc.property(shuffled, ([a, b]) => assert.equal(serialize(build(a)), serialize(build(b)))));
      });

      it(`${name}: another member adds what belongs to it, and changes nothing else`, () => {
        fc.assert(
          fc.property(trails, (all) => {
            const before = facts(build(all));
            const added = trailOf("299999999999", { region: "ap-south-1", name: "newcomer" });
            const after = facts(build([...all, added]));
            for (const fact of before) assert.ok(after.has(fact), `lost: ${fact}`);
            const news = [...after].filter((fact) => !before.has(fact));
            assert.ok(news.length > 0);
            // A statement of its own repeats what every such statement says; everything else names the newcomer.
            for (const fact of news) assert.match(fact, /299999999999|newcomer/);
          }),
        );
      });

      it(`${name}: Sids are letters and digits, each one once; nothing in it is suspicious`, () => {
        fc.assert(
          fc.property(trails, (all) => {
            const document = build(all);
            const sids = document.Statement.map(({ Sid }) => Sid);
            assert.equal(new Set(sids).size, sids.length);
            for (const sid of sids) assert.match(sid, /^[A-Za-z0-9]+$/);
            const kind = name.startsWith("bucket") ? "bucket" : "key";
            assert.deepEqual(
              lint(document, { kind }).map(({ id, message }) => `${id}: ${message}`),
              [],
            );
          }),
        );
      });
    }
  });
});

/** Every value of a document with its place; a list counts as the set of its values. */
function facts(document: PolicyDocument): Set<string> {
  const found = new Set<string>();
  const walk = (place: string, value: unknown): void => {
    if (Array.isArray(value)) value.forEach((each) => walk(place, each));
    else if (typeof value === "object" && value !== null) {
      for (const [name, inner] of Object.entries(value)) walk(`${place}/${name}`, inner);
    } else found.add(`${place} = ${String(value)}`);
  };
  for (const statement of document.Statement) walk(statement.Sid, statement);
  return found;
}
