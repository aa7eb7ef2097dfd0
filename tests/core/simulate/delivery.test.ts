import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { PolicyDocument, Statement } from "../../../core/evaluate";
import type { TrailDelivery } from "../../../core/simulate";
import { deliveryRequests, whyNoDelivery } from "../../../core/simulate";
import { policy } from "../evaluate/support";

const audit = "111111111111";
const member = "222222222222";
const keyArn = `arn:aws:kms:eu-west-1:${audit}:key/11111111-2222-3333-4444-555555555555`;
const trail: TrailDelivery = {
  trailArn: `arn:aws:cloudtrail:eu-west-1:${member}:trail/audit`,
  bucketName: "audit-logs",
  bucketAccountId: audit,
};
const load = (file: string, name: string): PolicyDocument => {
  const { policies } = JSON.parse(readFileSync(join(__dirname, "..", "evaluate", "cases", file), "utf8")) as {
    policies: Record<string, PolicyDocument>;
  };
  return policies[name] as PolicyDocument;
};
const bucketPolicy = load("delivery.json", "perTrail");
const keyPolicy = load("key.json", "key");

describe("the requests of a delivery", () => {
  it("without a key: the bucket's ACL, a log and a digest", () => {
    const requests = deliveryRequests(trail);
    assert.deepEqual(
      requests.map(({ name, target, request }) => [name, target, request.action]),
      [
        ["bucket-acl", "bucket", "s3:GetBucketAcl"],
        ["bucket-acl-arn-only", "bucket", "s3:GetBucketAcl"],
        ["log", "bucket", "s3:PutObject"],
        ["digest", "bucket", "s3:PutObject"],
      ],
    );
    const [acl, arnOnly, log, digest] = requests.map(({ request }) => request);
    assert.equal(acl?.resource, "arn:aws:s3:::audit-logs");
    assert.match(
      log?.resource ?? "",
      /^arn:aws:s3:::audit-logs\/AWSLogs\/222222222222\/CloudTrail\/eu-west-1\/\d{4}\/\d\d\/\d\d\/222222222222_CloudTrail_eu-west-1_\w+\.json\.gz$/,
    );
    assert.match(
      digest?.resource ?? "",
      /\/AWSLogs\/222222222222\/CloudTrail-Digest\/eu-west-1\/.*_audit_eu-west-1_\w+\.json\.gz$/,
    );
    assert.deepEqual(log?.context, {
      "aws:SourceArn": trail.trailArn,
      "aws:SourceAccount": member,
      "aws:SecureTransport": "true",
      "s3:x-amz-acl": "bucket-owner-full-control",
      "s3:x-amz-server-side-encryption": undefined,
      "s3:x-amz-server-side-encryption-aws-kms-key-id": undefined,
    });
    assert.deepEqual(arnOnly?.context, {
      "aws:SourceArn": trail.trailArn,
      "aws:SourceAccount": undefined,
      "aws:SourceOrgID": undefined,
      "aws:SourceOrgPaths": undefined,
      "aws:SecureTransport": "true",
    });
    assert.ok(
      requests.every(
        ({ request }) => request.caller.service === "cloudtrail.amazonaws.com" && request.resourceAccountId === audit,
      ),
    );
  });

  it("with a prefix, another Region, another partition", () => {
    const trailArn = `arn:aws-cn:cloudtrail:cn-north-1:${member}:trail/audit`;
    const [, , log] = deliveryRequests({ ...trail, trailArn, logPrefix: "central/eu", region: "cn-northwest-1" });
    assert.match(
      log?.request.resource ?? "",
      /^arn:aws-cn:s3:::audit-logs\/central\/eu\/AWSLogs\/222222222222\/CloudTrail\/cn-northwest-1\//,
    );
  });

  it("with a key: describe and generate, and decrypt where bucket keys are on", () => {
    const names = (more: Partial<TrailDelivery>): string[] =>
      deliveryRequests({ ...trail, keyArn, ...more }).flatMap(({ name, target }) => (target === "key" ? [name] : []));
    assert.deepEqual(names({}), ["key-describe", "key-generate", "key-generate-file"]);
    assert.deepEqual(names({ bucketKey: true }), [
      "key-describe",
      "key-generate",
      "key-generate-file",
      "key-generate-bucket",
      "key-decrypt",
    ]);
    const generate = deliveryRequests({ ...trail, keyArn }).find(({ name }) => name === "key-generate");
    assert.equal(generate?.request.resource, keyArn);
    assert.equal(generate?.request.context?.["kms:EncryptionContext:aws:cloudtrail:arn"], trail.trailArn);
  });

  it("of an organization trail: its own path, and those of its members under the organization's", () => {
    const requests = deliveryRequests({
      ...trail,
      organizationId: "o-exampleorgid",
      memberAccountIds: ["333333333333"],
    });
    assert.deepEqual(
      requests.map(({ name }) => name),
      [
        "bucket-acl",
        "bucket-acl-arn-only",
        "log",
        "digest",
        "log:o-exampleorgid/222222222222",
        "digest:o-exampleorgid/222222222222",
        "log:o-exampleorgid/333333333333",
        "digest:o-exampleorgid/333333333333",
        "log:o-exampleorgid/987654321098",
        "digest:o-exampleorgid/987654321098",
      ],
    );
    assert.match(
      requests[6]?.request.resource ?? "",
      /\/AWSLogs\/o-exampleorgid\/333333333333\/CloudTrail\/.*333333333333_CloudTrail_/,
    );
    // The trail is the management account's, also for the logs of members.
    assert.equal(requests[6]?.request.context?.["aws:SourceAccount"], member);
    assert.equal(requests[6]?.request.context?.["aws:SourceOrgID"], "o-exampleorgid");
  });

  it("of something that is no trail cannot be made", () => {
    assert.throws(() => deliveryRequests({ ...trail, trailArn: "audit" }), TypeError);
  });
});

describe("why a trail does not deliver", () => {
  const without = (document: PolicyDocument, sid: string): PolicyDocument => ({
    ...document,
    Statement: [document.Statement].flat().filter((statement) => statement.Sid !== sid),
  });

  it("it does, with policies as documents or as the text that AWS answers with", () => {
    for (const text of [false, true]) {
      const [bucket, key] = [bucketPolicy, keyPolicy].map((document) => (text ? JSON.stringify(document) : document));
      const delivery = whyNoDelivery(bucket, key, { ...trail, keyArn });
      assert.deepEqual(delivery.reasons, []);
      assert.equal(delivery.delivers, true);
      assert.deepEqual(
        delivery.bucket.map(({ name }) => name),
        ["bucket-acl", "bucket-acl-arn-only", "log", "log-with-key", "digest", "digest-with-key"],
      );
      assert.deepEqual(
        delivery.key.map(({ name }) => name),
        ["key-describe", "key-generate", "key-generate-file"],
      );
    }
  });

  /** A statement that demands or refuses an encryption. */
  const denies = (condition: object): PolicyDocument => ({
    ...bucketPolicy,
    Statement: [
      ...[bucketPolicy.Statement].flat(),
      {
        Effect: "Deny",
        Principal: "*",
        Action: "s3:PutObject",
        Resource: "arn:aws:s3:::audit-logs/*",
        Condition: { ...condition },
      },
    ],
  });
  const encryption = "s3:x-amz-server-side-encryption";

  const broken: [
    title: string,
    bucket: PolicyDocument | undefined,
    key: PolicyDocument | undefined,
    more: Partial<TrailDelivery>,
    refused: string[],
  ][] = [
    ["no bucket policy", undefined, keyPolicy, {}, ["bucket-acl", "log", "digest"]],
    ["no AclCheck", without(bucketPolicy, "AclCheck"), keyPolicy, {}, ["bucket-acl"]],
    ["no write statement", without(bucketPolicy, `Write${member}`), keyPolicy, {}, ["log", "digest"]],
    ["a prefix that the policy does not know", bucketPolicy, keyPolicy, { logPrefix: "x" }, ["log", "digest"]],
    // Two statements of many guides. The first stops every file that does not name its encryption, the second those that do.
    ["encryption demanded", denies({ StringNotEquals: { [encryption]: "aws:kms" } }), keyPolicy, {}, ["log", "digest"]],
    [
      "another key demanded, where one is named",
      denies({
        StringNotEqualsIfExists: { [`${encryption}-aws-kms-key-id`]: "another" },
        Null: { [encryption]: "false" },
      }),
      keyPolicy,
      {},
      ["log-with-key", "digest-with-key"],
    ],
    ["no key policy", bucketPolicy, undefined, {}, ["key-describe", "key-generate"]],
    ["no encrypt statement", bucketPolicy, without(keyPolicy, "CloudTrailEncrypts"), {}, ["key-generate"]],
    ["no describe statement", bucketPolicy, without(keyPolicy, "CloudTrailDescribes"), {}, ["key-describe"]],
    ["bucket keys without leave to decrypt", bucketPolicy, keyPolicy, { bucketKey: true }, ["key-decrypt"]],
    [
      "an organization's path",
      bucketPolicy,
      keyPolicy,
      { organizationId: "o-exampleorgid" },
      [member, "987654321098"].flatMap((each) => [`log:o-exampleorgid/${each}`, `digest:o-exampleorgid/${each}`]),
    ],
    ["a malformed key ARN", bucketPolicy, keyPolicy, { keyArn: "alias/audit" }, ["key-describe", "key-generate"]],
    [
      "another trail",
      bucketPolicy,
      keyPolicy,
      { trailArn: `${trail.trailArn}-2` },
      ["bucket-acl", "log", "digest", "key-describe", "key-generate"],
    ],
  ];
  for (const [title, bucket, key, more, refused] of broken) {
    it(title, () => {
      const delivery = whyNoDelivery(bucket, key, { ...trail, keyArn, ...more });
      assert.equal(delivery.delivers, false);
      assert.deepEqual(
        [...delivery.bucket, ...delivery.key].flatMap(({ name, allowed }) => (allowed ? [] : [name])),
        refused,
      );
      assert.equal(delivery.reasons.length, refused.length);
    });
  }

  it("a deny for everyone without MFA or from elsewhere stops CloudTrail too, unless it spares services", () => {
    const elsewhere = (Condition: Statement["Condition"]): boolean => {
      const denial: Statement = { Effect: "Deny", Principal: "*", Action: "s3:*", Resource: "*", Condition };
      return whyNoDelivery(policy(...[bucketPolicy.Statement].flat(), denial), undefined, trail).delivers;
    };
    assert.equal(elsewhere({ NotIpAddress: { "aws:SourceIp": "192.0.2.0/24" } }), false);
    assert.equal(elsewhere({ StringNotEquals: { "aws:PrincipalOrgID": "o-exampleorgid" } }), false);
    assert.equal(elsewhere({ StringNotEquals: { "s3:x-amz-server-side-encryption": "aws:kms" } }), false);
    assert.equal(elsewhere({ BoolIfExists: { "aws:MultiFactorAuthPresent": "false" } }), false);
    assert.equal(
      elsewhere({
        StringNotEquals: { "aws:PrincipalOrgID": "o-exampleorgid" },
        Bool: { "aws:PrincipalIsAWSService": "false" },
      }),
      true,
    );
    assert.equal(elsewhere({ NumericLessThan: { "s3:TlsVersion": "1.2" } }), true);
  });
});
