import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import type { AuditBucketArgs } from "../../components";
import { AccessLogBucket, AuditBucket, NotificationQueue } from "../../components";
import { trailArn } from "../../core/names";
import { accessLogPolicy, notificationQueuePolicy } from "../../core/policies/beside";
import { bucketPolicy } from "../../core/policies/bucket";
import { serialize } from "../../core/policies/document";
import { auditAccountId, bucketName, keyArn, trailOf } from "../support/fleet";
import type { Run } from "../support/mocks";
import { startMocks, valueOf } from "../support/mocks";

const trails = [trailOf("222222222222")];
const args: AuditBucketArgs = { bucketName, trailArns: trails.map(trailArn), keyArn };
const source = { sourceBucketName: bucketName, accountId: auditAccountId };

async function make(other: Partial<AuditBucketArgs>): Promise<Run> {
  const run = await startMocks();
  new AuditBucket("logs", { ...args, ...other });
  await run.settle();
  return run;
}

describe("components/AuditBucket: controls", () => {
  it("each is a resource of its own, written one after the other, the policy last", async () => {
    const run = await make({
      objectLock: { mode: "compliance", years: 2, confirmComplianceLock: bucketName },
      retention: { years: 7, transitions: [{ storageClass: "GLACIER_IR", days: 90 }] },
      accessLogBucketName: "example-access-logs",
      eventBridge: true,
      notificationQueueArn: "arn:aws:sqs:us-east-1:111111111111:q",
    });
    const inputs = (type: string, name: string) => run.resource(type, name).inputs;
    assert.deepEqual(inputs("BucketObjectLockConfiguration", "logs-lock"), {
      bucket: bucketName,
      rule: { defaultRetention: { mode: "COMPLIANCE", years: 2 } },
    });
    assert.deepEqual(inputs("BucketLifecycleConfiguration", "logs-lifecycle"), {
      bucket: bucketName,
      rules: [
        {
          id: "retention",
          status: "Enabled",
          filter: { prefix: "" },
          transitions: [{ storageClass: "GLACIER_IR", days: 90 }],
          expiration: { days: 2557 },
          noncurrentVersionExpiration: { noncurrentDays: 90 },
          abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
        },
      ],
      transitionDefaultMinimumObjectSize: "all_storage_classes_128K",
    });
    assert.deepEqual(inputs("BucketLogging", "logs-logging"), {
      bucket: bucketName,
      targetBucket: "example-access-logs",
      targetPrefix: "example-logs/",
    });
    assert.deepEqual(inputs("BucketNotification", "logs-notification"), {
      bucket: bucketName,
      eventbridge: true,
      queues: [
        {
          id: "new-log-files",
          queueArn: "arn:aws:sqs:us-east-1:111111111111:q",
          events: ["s3:ObjectCreated:*"],
        },
      ],
    });
    const chain = [
      "logs-encryption",
      "logs-lock",
      "logs-lifecycle",
      "logs-logging",
      "logs-notification",
      "logs-policy",
    ];
    const typeOf = (name: string) => run.resources.find((each) => each.name === name)!;
    for (const [index, name] of chain.slice(1).entries()) {
      assert.ok(typeOf(name).dependsOn.includes(chain[index] as string), name);
    }
    // What may be taken away again is not protected; the lock, which cannot be, is.
    const isProtected = chain.map((name) => typeOf(name).protect);
    assert.deepEqual(isProtected, [true, true, false, false, false, true]);
  });

  it("a lock without a mode is on, and locks nothing", async () => {
    const run = await make({ objectLock: {} });
    assert.deepEqual(run.resource("BucketObjectLockConfiguration", "logs-lock").inputs, { bucket: bucketName });
  });

  it("puts what guards against tampering into the policy", async () => {
    const breakGlassRoleArns = ["arn:aws:iam::111111111111:role/deploy"];
    const document = bucketPolicy({
      partition: "aws",
      bucketName,
      trails,
      breakGlassRoleArns,
      denyOtherEncryption: true,
      keyArn,
    }).document;
    for (const [roles, deny, key] of [
      [breakGlassRoleArns, true, keyArn],
      [pulumi.output(breakGlassRoleArns), pulumi.output(true), pulumi.output(keyArn)],
    ] as const) {
      const run = await make({ breakGlassRoleArns: roles as string[], denyOtherEncryption: deny, keyArn: key });
      assert.equal(run.resource("BucketPolicy", "logs-policy").inputs.policy, serialize(document));
    }
    await startMocks();
    await assert.rejects(make({ breakGlassRoleArns: ["deploy"] }), /breakGlassRoleArns\[0\] = "deploy"/);
  });

  it("empties the bucket only where that is asked for, and nothing is kept or locked", async () => {
    const run = await make({ forceDestroy: true, keep: false });
    assert.equal(run.resource("Bucket", "logs-bucket").inputs.forceDestroy, true);
    for (const other of [{}, { keep: true }, { keep: false, objectLock: {} }, { keep: false, mfaDelete: true }]) {
      await assert.rejects(make({ forceDestroy: true, ...other }), /forceDestroy = true/);
    }
  });

  it("refuses controls that exclude each other, with nothing registered", async () => {
    const run = await startMocks();
    assert.throws(
      () =>
        new AuditBucket("logs", {
          ...args,
          mfaDelete: true,
          retention: { days: 3 },
          objectLock: { mode: "governance", days: 4 },
          accessLogBucketName: bucketName,
        }),
      {
        message: [
          "AuditBucket cannot be created with these arguments.",
          "",
          '  retention = {"days":3}',
          "    component/archive: Logs would be locked for 4 days and expire after 3 days: they would be stored and billed until the lock ends anyway.",
          "    → Set retention to at least the period of objectLock.",
          "",
          "  mfaDelete = true",
          "    component/archive: S3 does not allow lifecycle rules on a bucket with MFA Delete, and retention uses lifecycle rules.",
          "    → Use one of them. objectLock also prevents versions from being deleted, and works with lifecycle rules.",
          "",
          '  accessLogBucketName = "example-logs"',
          "    component/archive: This is the log bucket itself; each access log would cause another one, endlessly.",
          "    → Use a separate bucket for the access logs.",
        ].join("\n"),
      },
    );
    await run.settle();
    assert.deepEqual(run.resources, []);
  });
});

describe("components/AccessLogBucket", () => {
  it("is private, encrypted by S3, without a lock or a key, and written by S3's logging service only", async () => {
    const run = await startMocks();
    const logs = new AccessLogBucket("access", { ...source, bucketName: "example-access-logs", expirationDays: 30 });
    assert.equal(await valueOf(logs.bucketName), "example-access-logs");
    await run.settle();
    const bucket = "example-access-logs";
    const inputs = Object.fromEntries(run.resources.slice(1).map((each) => [each.name, each.inputs]));
    assert.deepEqual(inputs, {
      "access-bucket": { bucket },
      "access-ownership": { bucket, rule: { objectOwnership: "BucketOwnerEnforced" } },
      "access-public-access": {
        bucket,
        blockPublicAcls: true,
        blockPublicPolicy: true,
        ignorePublicAcls: true,
        restrictPublicBuckets: true,
      },
      "access-versioning": { bucket, versioningConfiguration: { status: "Enabled" } },
      "access-encryption": { bucket, rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }] },
      "access-lifecycle": {
        bucket,
        rules: [
          {
            id: "expire",
            status: "Enabled",
            filter: { prefix: "" },
            expiration: { days: 30 },
            noncurrentVersionExpiration: { noncurrentDays: 30 },
            abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
          },
        ],
        transitionDefaultMinimumObjectSize: "all_storage_classes_128K",
      },
      "access-policy": {
        bucket,
        policy: serialize(accessLogPolicy({ partition: "aws", ...source, bucketName: bucket })),
      },
    });
    assert.ok(run.resources.slice(1).every(({ protect, retainOnDelete }) => protect && retainOnDelete));
  });
});

describe("components/NotificationQueue", () => {
  it("is encrypted, keeps messages for 14 days, and takes them from S3 for that bucket only", async () => {
    const run = await startMocks();
    const queue = new NotificationQueue("new", { ...source, queueName: "example-logs-new-logs" });
    const queueArn = "arn:aws:sqs:us-east-1:111111111111:example-logs-new-logs";
    assert.equal(await valueOf(queue.queueArn), queueArn);
    await run.settle();
    assert.deepEqual(run.resource("Queue", "new-queue").inputs, {
      name: "example-logs-new-logs",
      sqsManagedSseEnabled: true,
      messageRetentionSeconds: 1209600,
    });
    assert.equal(
      run.resource("QueuePolicy", "new-policy").inputs.policy,
      serialize(notificationQueuePolicy({ partition: "aws", ...source, queueArn })),
    );
    await startMocks();
    assert.throws(() => new NotificationQueue("new", { ...source, queueName: "a.b" }), /queueName = "a.b"/);
  });
});
