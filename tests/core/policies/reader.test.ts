import assert from "node:assert/strict";
import { lint } from "../../../core/evaluate";
import { serialize, size } from "../../../core/policies/document";
import {
  memberReadPermissions,
  readerTrust,
  readPermissions,
  rolePolicyLimit,
  trustPolicyLimit,
} from "../../../core/policies/reader";
import { bucketName, fleetOf, keyArn } from "../../support/fleet";

const bucket = "arn:aws:s3:::example-logs";
const access = { partition: "aws", bucketName, keyArn } as const;
const context = "kms:EncryptionContext:aws:cloudtrail:arn";

describe("core/policies/reader: to the letter", () => {
  it("permissions to read all logs", () => {
    assert.deepEqual(readPermissions(access).Statement, [
      { Sid: "LocateBucket", Effect: "Allow", Action: "s3:GetBucketLocation", Resource: bucket },
      {
        Sid: "ListLogs",
        Effect: "Allow",
        Action: "s3:ListBucket",
        Resource: bucket,
        Condition: { StringLike: { "s3:prefix": "AWSLogs/*" } },
      },
      { Sid: "ReadLogs", Effect: "Allow", Action: "s3:GetObject", Resource: `${bucket}/AWSLogs/*` },
      {
        Sid: "DecryptLogs",
        Effect: "Allow",
        Action: "kms:Decrypt",
        Resource: keyArn,
        Condition: { Null: { [context]: "false" } },
      },
    ]);
  });

  it("permissions to read the logs of two accounts, with a prefix, in another partition", () => {
    const input = { ...access, partition: "aws-cn", logPrefix: "prod/eu" } as const;
    const document = readPermissions({ ...input, accountIds: ["333333333333", "222222222222"] });
    const cn = "arn:aws-cn:s3:::example-logs";
    assert.deepEqual(document.Statement.slice(1), [
      {
        Sid: "ListLogs",
        Effect: "Allow",
        Action: "s3:ListBucket",
        Resource: cn,
        Condition: {
          StringLike: { "s3:prefix": ["prod/eu/AWSLogs/222222222222/*", "prod/eu/AWSLogs/333333333333/*"] },
        },
      },
      {
        Sid: "ReadLogs",
        Effect: "Allow",
        Action: "s3:GetObject",
        Resource: [`${cn}/prod/eu/AWSLogs/222222222222/*`, `${cn}/prod/eu/AWSLogs/333333333333/*`],
      },
      {
        Sid: "DecryptLogs",
        Effect: "Allow",
        Action: "kms:Decrypt",
        Resource: keyArn,
        Condition: {
          StringLike: {
            [context]: ["arn:aws-cn:cloudtrail:*:222222222222:trail/*", "arn:aws-cn:cloudtrail:*:333333333333:trail/*"],
          },
        },
      },
    ]);
    assert.equal(
      serialize(document),
      serialize(readPermissions({ ...input, accountIds: ["222222222222", "333333333333"] })),
    );
    assert.equal(readPermissions({ ...input }).Statement[2]?.Resource, `${cn}/prod/eu/AWSLogs/*`);
  });

  it("permissions of a member's users to read their own logs: all but the bucket's Region", () => {
    assert.deepEqual(
      memberReadPermissions({ ...access, accountId: "222222222222" }).Statement,
      readPermissions({ ...access, accountIds: ["222222222222"] }).Statement.slice(1),
    );
  });

  it("trust, with what was asked for", () => {
    const trust = { partition: "aws-us-gov", trustedAccounts: ["555555555555", "444444444444"] } as const;
    const statement = {
      Sid: "TrustedAccountsAssume",
      Effect: "Allow",
      Principal: { AWS: ["arn:aws-us-gov:iam::444444444444:root", "arn:aws-us-gov:iam::555555555555:root"] },
      Action: "sts:AssumeRole",
    };
    const of = (more: object) =>
      readerTrust({ ...trust, trustedAccounts: [...trust.trustedAccounts], ...more }).Statement;
    assert.deepEqual(of({}), [statement]);
    assert.deepEqual(of({ requireMfa: false }), [statement]);
    assert.deepEqual(of({ requireMfa: true, externalId: "acme" }), [
      {
        ...statement,
        Condition: { Bool: { "aws:MultiFactorAuthPresent": "true" }, StringEquals: { "sts:ExternalId": "acme" } },
      },
    ]);
  });

  it("nothing in them is suspicious", () => {
    const documents = [
      [readPermissions(access), "identity"],
      [readPermissions({ ...access, accountIds: ["222222222222"] }), "identity"],
      [readerTrust({ partition: "aws", trustedAccounts: ["444444444444"], requireMfa: true }), "role"],
    ] as const;
    for (const [document, kind] of documents) {
      assert.deepEqual(
        lint(document as never, { kind }).map(({ id, message }) => `${id}: ${message}`),
        [],
      );
    }
  });

  it("an empty list is refused: nobody is not everybody", () => {
    assert.throws(() => readPermissions({ ...access, accountIds: [] }), /accounts whose logs may be read\n.*empty/);
    assert.throws(
      () => readerTrust({ partition: "aws", trustedAccounts: [] }),
      /accounts that may assume the role\n.*empty/,
    );
  });

  it("IAM's limits are kept to: the last list that fits, and the first that does not", () => {
    const accounts = (count: number) => fleetOf(count).map(({ accountId }) => accountId);
    const permissions = (count: number) => readPermissions({ ...access, accountIds: accounts(count) });
    const trust = (count: number) => readerTrust({ partition: "aws", trustedAccounts: accounts(count) });
    const greatest = (build: (count: number) => unknown) => {
      for (let count = 1; ; count++) {
        try {
          build(count);
        } catch {
          return count - 1;
        }
      }
    };
    const [most, mostTrusted] = [greatest(permissions), greatest(trust)];
    assert.deepEqual([most, mostTrusted], [80, 57]);
    assert.ok(size(permissions(most)) <= rolePolicyLimit && size(trust(mostTrusted)) <= trustPolicyLimit);
    assert.throws(
      () => permissions(most + 1),
      /^UserError: The reader's policy does not fit\.\n\n {2}The permissions to read the logs of \d+ accounts\n {4}reader\/too-large: This needs \d+ characters; IAM allows 10240\.\n {4}→ Let it read all logs, or split/,
    );
    assert.throws(
      () => trust(mostTrusted + 1),
      /The trust policy for \d+ accounts\n {4}reader\/too-large: This needs \d+ characters; IAM allows 2048\.\n {4}→ Trust fewer accounts/,
    );
  });
});
