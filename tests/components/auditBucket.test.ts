import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import type { AuditBucketArgs } from "../../components";
import { AuditBucket } from "../../components";
import { trailArn } from "../../core/names";
import type { BucketPolicyInput } from "../../core/policies/bucket";
import { bucketPolicy } from "../../core/policies/bucket";
import { serialize } from "../../core/policies/document";
import { bucketName, fleetOf, keyArn, trailOf } from "../support/fleet";
import type { Registered, Run } from "../support/mocks";
import { startMocks, unhandledIn, unknownText, valueOf } from "../support/mocks";

const trails = [trailOf("222222222222"), trailOf("333333333333", { name: "web-trail" })];
const args: AuditBucketArgs = { bucketName, trailArns: trails.map(trailArn), keyArn };

const guards = [
  ["bucketOwnershipControls:BucketOwnershipControls", "logs-ownership"],
  ["bucketPublicAccessBlock:BucketPublicAccessBlock", "logs-public-access"],
  ["bucketVersioning:BucketVersioning", "logs-versioning"],
  ["bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration", "logs-encryption"],
  ["bucketPolicy:BucketPolicy", "logs-policy"],
] as const;

function policyOf(run: Run): unknown {
  return JSON.parse(run.resource("BucketPolicy", "logs-policy").inputs.policy as string);
}

describe("components/AuditBucket", () => {
  async function make(other: Partial<AuditBucketArgs> = {}): Promise<{ run: Run; bucket: AuditBucket }> {
    const run = await startMocks();
    const bucket = new AuditBucket("logs", { ...args, ...other });
    await run.settle();
    return { run, bucket };
  }

  it("is a bucket and exactly what guards it", async () => {
    const { run } = await make();
    assert.deepEqual(
      run.resources.map(({ type, name, parent }) => [type, name, parent]),
      [
        ["crosstrail:index:AuditBucket", "logs", undefined],
        ["aws:s3/bucket:Bucket", "logs-bucket", "AuditBucket logs"],
        ...guards.map(([type, name]) => [`aws:s3/${type}`, name, "AuditBucket logs"]),
      ],
    );
  });

  it("is in another Region with everything that guards it, where asked for", async () => {
    const { run } = await make({ region: "eu-west-1" });
    for (const { name, type, providerRegion } of run.resources) {
      assert.equal(providerRegion, type.startsWith("aws:") ? "eu-west-1" : undefined, name);
    }
    assert.equal(run.resource("BucketVersioning", "logs-versioning").inputs.bucket, bucketName);
  });

  it("has exactly these inputs", async () => {
    const { run } = await make({ tags: { team: "security" } });
    const document = bucketPolicy({ partition: "aws", bucketName, trails }).document;
    const inputs = run.resources.slice(1).map((each): [string, Registered["inputs"]] => [each.name, each.inputs]);
    assert.deepEqual(Object.fromEntries(inputs), {
      "logs-bucket": { bucket: "example-logs", tags: { team: "security" } },
      "logs-ownership": { bucket: "example-logs", rule: { objectOwnership: "BucketOwnerEnforced" } },
      "logs-public-access": {
        bucket: "example-logs",
        blockPublicAcls: true,
        blockPublicPolicy: true,
        ignorePublicAcls: true,
        restrictPublicBuckets: true,
      },
      "logs-versioning": { bucket: "example-logs", versioningConfiguration: { status: "Enabled" } },
      "logs-encryption": {
        bucket: "example-logs",
        rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: keyArn } }],
      },
      "logs-policy": { bucket: "example-logs", policy: serialize(document) },
    });
  });

  it("can have an S3 Bucket Key", async () => {
    for (const bucketKeyEnabled of [true, pulumi.output(true)]) {
      const { run } = await make({ bucketKeyEnabled });
      assert.deepEqual(run.resource("BucketServerSideEncryptionConfiguration", "logs-encryption").inputs.rules, [
        {
          applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: keyArn },
          bucketKeyEnabled: true,
        },
      ]);
    }
  });

  it("never empties the bucket to delete it", async () => {
    for (const keep of [true, false]) {
      const { run } = await make({ keep });
      assert.equal(run.resource("Bucket", "logs-bucket").inputs.forceDestroy, undefined);
    }
  });

  it("lets members read their own logs, where asked for", async () => {
    const memberReaders = ["222222222222", "333333333333"];
    for (const given of [memberReaders, pulumi.output(memberReaders)]) {
      const { run } = await make({ memberReaders: given });
      assert.equal(
        run.resource("BucketPolicy", "logs-policy").inputs.policy,
        serialize(bucketPolicy({ partition: "aws", bucketName, trails, memberReaders }).document),
      );
    }
    await startMocks();
    await assert.rejects(make({ memberReaders: ["*"] }), /memberReaders\[0\] = "\*"/);
  });

  it("demands MFA, where asked for, but of no exempt role", async () => {
    const mfaExemptRoleArns = ["arn:aws:iam::111111111111:role/exporter"];
    const document = bucketPolicy({
      partition: "aws",
      bucketName,
      trails,
      requireMfa: true,
      mfaExemptRoleArns,
    }).document;
    for (const other of [
      { requireMfa: true, mfaExemptRoleArns },
      { requireMfa: pulumi.output(true), mfaExemptRoleArns: pulumi.output(mfaExemptRoleArns) },
    ]) {
      assert.deepEqual(policyOf((await make(other)).run), document);
    }
    await startMocks();
    await assert.rejects(make({ requireMfa: true, mfaExemptRoleArns: ["arn:aws:iam::*:role/x"] }), /without wildcards/);
  });

  const kept = (run: Run) =>
    run.resources.map(({ name, protect, retainOnDelete }) => `${name} ${protect} ${retainOnDelete}`);

  it("is protected and kept by default, with everything that guards it", async () => {
    const { run } = await make();
    const names = ["logs-bucket", ...guards.map(([, name]) => name)];
    assert.deepEqual(kept(run), ["logs false false", ...names.map((name) => `${name} true true`)]);
  });

  it("can be removed when it was asked for", async () => {
    const { run } = await make({ keep: false });
    const names = ["logs", "logs-bucket", ...guards.map(([, name]) => name)];
    assert.deepEqual(
      kept(run),
      names.map((name) => `${name} false false`),
    );
  });

  it("is set up one thing after the other, the policy last", async () => {
    const { run } = await make();
    assert.deepEqual(
      run.resources.slice(1).map(({ name, dependsOn }) => [name, dependsOn]),
      [
        ["logs-bucket", []],
        ["logs-ownership", ["logs-bucket"]],
        ["logs-public-access", ["logs-bucket", "logs-ownership"]],
        ["logs-versioning", ["logs-bucket", "logs-public-access"]],
        ["logs-encryption", ["logs-bucket", "logs-versioning"]],
        ["logs-policy", ["logs-bucket", "logs-encryption"]],
      ],
    );
  });

  it("gives out the bucket's name and ARN", async () => {
    const { run, bucket } = await make();
    assert.equal(await valueOf(bucket.bucketName), "example-logs");
    assert.equal(await valueOf(bucket.bucketArn), "arn:aws:s3:::example-logs");
    assert.deepEqual(run.resource("AuditBucket", "logs").outputs, {
      bucketName: "example-logs",
      bucketArn: "arn:aws:s3:::example-logs",
    });
  });

  it("writes the policy with prefix and form as given, in the partition", async () => {
    const trail = trailOf("222222222222", { partition: "aws-cn", region: "cn-north-1" });
    const { run } = await make({
      partition: "aws-cn",
      logPrefix: "prod",
      policyForm: "accountList",
      trailArns: [trailArn(trail)],
    });
    const input: BucketPolicyInput = { partition: "aws-cn", bucketName, logPrefix: "prod", trails: [trail] };
    assert.deepEqual(policyOf(run), bucketPolicy(input, "accountList").document);
  });

  it("takes an empty prefix for none", async () => {
    const { run } = await make({ logPrefix: "" });
    assert.deepEqual(policyOf(run), bucketPolicy({ partition: "aws", bucketName, trails }).document);
  });

  it("takes outputs for every input", async () => {
    const { run } = await make({
      bucketName: pulumi.output(bucketName),
      trailArns: pulumi.output(trails.map(trailArn)),
      keyArn: pulumi.output(keyArn),
      logPrefix: pulumi.output("prod"),
      partition: Promise.resolve("aws"),
      policyForm: pulumi.output("trailList"),
      tags: pulumi.output({ team: "security" }),
    });
    const input = { partition: "aws", bucketName, logPrefix: "prod", trails } as const;
    assert.deepEqual(policyOf(run), bucketPolicy(input, "trailList").document);
    assert.deepEqual(run.resource("Bucket", "logs-bucket").inputs, {
      bucket: "example-logs",
      tags: { team: "security" },
    });
  });

  it("takes outputs among plain trail ARNs", async () => {
    const [first, second] = trails.map(trailArn) as [string, string];
    const { run } = await make({ trailArns: [pulumi.output(first), second] });
    assert.deepEqual(policyOf(run), bucketPolicy({ partition: "aws", bucketName, trails }).document);
  });

  it("shows the policy in a preview, where the key's ARN is not known yet", async () => {
    const run = await startMocks({ preview: true });
    new AuditBucket("logs", { ...args, keyArn: unknownText() });
    await run.settle();
    assert.deepEqual(policyOf(run), bucketPolicy({ partition: "aws", bucketName, trails }).document);
  });

  describe("refuses what cannot be right", () => {
    const expected = [
      "AuditBucket cannot be created with these arguments.",
      "",
      '  bucketName = "My Logs"',
      "    component/input: A bucket name has lower-case letters, digits, '.' and '-' only.",
      "    → Correct this argument of AuditBucket.",
      "",
      '  trailArns[1] = "arn:aws:cloudtrail:*:222222222222:trail/*"',
      "    component/input: A trail ARN looks like arn:aws:cloudtrail:<home Region>:<account>:trail/<name>.",
      "    → Correct this argument of AuditBucket.",
      "",
      '  keyArn = "alias/crosstrail"',
      "    component/input: Use the key's ARN instead of an alias: another account would look up the alias among its own keys.",
      "    → Correct this argument of AuditBucket.",
      "",
      '  logPrefix = "/prod"',
      "    component/input: A log prefix must not start or end with '/'.",
      "    → Correct this argument of AuditBucket.",
      "",
      '  partition = "aws-iso"',
      "    component/input: Allowed are aws, aws-cn, aws-us-gov.",
      "    → Correct this argument of AuditBucket.",
      "",
      '  policyForm = "open"',
      "    component/input: Allowed are perTrail, trailList, trailName, accountList, organization.",
      "    → Correct this argument of AuditBucket.",
    ].join("\n");
    const wrong = {
      bucketName: "My Logs",
      trailArns: [...trails.map(trailArn).slice(1), "arn:aws:cloudtrail:*:222222222222:trail/*"],
      keyArn: "alias/crosstrail",
      logPrefix: "/prod",
      partition: "aws-iso",
      policyForm: "open",
    };

    it("every plain mistake at once, before anything is registered", async () => {
      const run = await startMocks();
      assert.throws(
        () => new AuditBucket("logs", wrong as AuditBucketArgs),
        (error: Error) => pulumi.RunError.isInstance(error) && assert.equal(error.message, expected) === undefined,
      );
      await run.settle();
      assert.deepEqual(run.resources, []);
    });

    for (const [name, value] of Object.entries(wrong)) {
      it(`${name} as an output, when it is known: nothing that needs it is registered`, async () => {
        const run = await startMocks();
        const messages = await unhandledIn(
          () => new AuditBucket("logs", { ...args, [name]: pulumi.output(value as string) }),
        );
        const part = expected.split("\n\n").find((each) => each.startsWith(`  ${name}`)) as string;
        assert.ok(
          messages.some((message) =>
            message.endsWith(`AuditBucket cannot be created with these arguments.\n\n${part}`),
          ),
          messages.join("\n"),
        );
        assert.ok(!run.resources.some((each) => each.type.endsWith(":BucketPolicy")) || name === "keyArn");
        assert.ok(!run.resources.some((each) => each.name === "logs-encryption") || name !== "keyArn");
      });
    }

    it("a trail of another partition", async () => {
      const run = await startMocks();
      assert.throws(
        () => new AuditBucket("logs", { ...args, partition: "aws-us-gov" }),
        (error: Error) =>
          pulumi.RunError.isInstance(error) &&
          error.message.startsWith(
            "Not every trail can deliver to this archive.\n" +
              '\n  trailArns[0] = "arn:aws:cloudtrail:us-east-1:222222222222:trail/crosstrail"' +
              "\n    component/partition: This trail is in partition aws; the archive is in aws-us-gov, and logs cannot cross partitions." +
              "\n    → Set partition to that of the trails, or remove the trail.",
          ),
      );
      await run.settle();
      assert.deepEqual(run.resources, []);
    });

    it("a demanded form that does not fit", async () => {
      const run = await startMocks();
      assert.throws(
        () => new AuditBucket("logs", { ...args, trailArns: fleetOf(60).map(trailArn), policyForm: "perTrail" }),
        (error: Error) =>
          pulumi.RunError.isInstance(error) && /^The bucket policy does not fit\.\n/.test(error.message),
      );
      await run.settle();
      assert.deepEqual(run.resources, []);
    });
  });
});
