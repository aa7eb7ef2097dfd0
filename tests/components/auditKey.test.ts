import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import type { AuditKeyArgs } from "../../components";
import { AuditKey } from "../../components";
import { trailArn } from "../../core/names";
import { serialize } from "../../core/policies/document";
import type { KeyPolicyInput } from "../../core/policies/key";
import { keyPolicy } from "../../core/policies/key";
import { auditAccountId, fleetOf, keyArn, trailOf } from "../support/fleet";
import type { Run } from "../support/mocks";
import { startMocks, unhandledIn, valueOf } from "../support/mocks";

const trails = [trailOf("222222222222"), trailOf("333333333333", { name: "web-trail" })];
const args: AuditKeyArgs = { auditAccountId, trailArns: trails.map(trailArn) };

describe("components/AuditKey", () => {
  async function make(other: Partial<AuditKeyArgs> = {}): Promise<{ run: Run; key: AuditKey }> {
    const run = await startMocks();
    const key = new AuditKey("logs", { ...args, ...other });
    await run.settle();
    return { run, key };
  }

  it("is a key and an alias", async () => {
    const { run } = await make();
    assert.deepEqual(
      run.resources.map(({ type, name, parent }) => [type, name, parent]),
      [
        ["crosstrail:index:AuditKey", "logs", undefined],
        ["aws:kms/key:Key", "logs-key", "AuditKey logs"],
        ["aws:kms/alias:Alias", "logs-alias", "AuditKey logs"],
      ],
    );
  });

  it("has exactly these inputs: rotated, its policy inline, the longest time to undo a deletion", async () => {
    const { run } = await make();
    assert.deepEqual(run.resource("Key", "logs-key").inputs, {
      description: "Encrypts the CloudTrail logs of the Crosstrail archive",
      enableKeyRotation: true,
      rotationPeriodInDays: 365,
      deletionWindowInDays: 30,
      policy: serialize(keyPolicy({ partition: "aws", auditAccountId, trails }).document),
    });
    assert.deepEqual(run.resource("Alias", "logs-alias").inputs, {
      name: "alias/crosstrail",
      targetKeyId: "1234abcd-12ab-34cd-56ef-1234567890ab",
    });
  });

  it("takes what is chosen", async () => {
    const gov = trailOf("222222222222", { partition: "aws-us-gov", region: "us-gov-west-1" });
    const { run } = await make({
      trailArns: [trailArn(gov)],
      partition: "aws-us-gov",
      aliasName: "audit/logs",
      rotationPeriodInDays: 90,
      policyForm: "encryptionContext",
      tags: { team: "security" },
    });
    const input: KeyPolicyInput = { partition: "aws-us-gov", auditAccountId, trails: [gov] };
    const { policy, rotationPeriodInDays, tags } = run.resource("Key", "logs-key").inputs;
    assert.equal(policy, serialize(keyPolicy(input, "encryptionContext").document));
    assert.equal(rotationPeriodInDays, 90);
    assert.deepEqual(tags, { team: "security" });
    assert.equal(run.resource("Alias", "logs-alias").inputs.name, "alias/audit/logs");
  });

  it("lets CloudTrail decrypt where the bucket has an S3 Bucket Key", async () => {
    for (const bucketKeyEnabled of [true, pulumi.output(true)]) {
      const { run } = await make({ bucketKeyEnabled });
      assert.equal(
        run.resource("Key", "logs-key").inputs.policy,
        serialize(keyPolicy({ partition: "aws", auditAccountId, trails, bucketKeyEnabled: true }).document),
      );
    }
  });

  it("lets members read their own logs, where asked for", async () => {
    const memberReaders = ["222222222222", "333333333333"];
    for (const given of [memberReaders, pulumi.output(memberReaders)]) {
      const { run } = await make({ memberReaders: given });
      assert.equal(
        run.resource("Key", "logs-key").inputs.policy,
        serialize(keyPolicy({ partition: "aws", auditAccountId, trails, memberReaders }).document),
      );
    }
    await startMocks();
    await assert.rejects(make({ memberReaders: ["*"] }), /memberReaders\[0\] = "\*"/);
  });

  describe("replicas", () => {
    const replication = {
      roleArn: `arn:aws:iam::${auditAccountId}:role/CrosstrailReplication`,
      source: { bucketName: "example-logs", region: "us-east-1" },
      destination: { bucketName: "example-copies", region: "eu-west-1" },
    };
    const { roleArn, source, destination } = replication;
    const policyWith = (ofKey: KeyPolicyInput["replication"]) =>
      serialize(keyPolicy({ partition: "aws", auditAccountId, trails, replication: ofKey }).document);

    it("make it multi-Region, and have its policy, its protection and the tags", async () => {
      const { run, key } = await make({ replicaRegions: ["eu-west-1", "eu-west-2"], tags: { team: "security" } });
      assert.equal(run.resource("Key", "logs-key").inputs.multiRegion, true);
      for (const region of ["eu-west-1", "eu-west-2"]) {
        const replica = run.resource("ReplicaKey", `logs-key-${region}`);
        assert.deepEqual(replica.inputs, {
          primaryKeyArn: keyArn,
          description: "Replica of the key of the Crosstrail archive",
          deletionWindowInDays: 30,
          policy: run.resource("Key", "logs-key").inputs.policy,
          tags: { team: "security" },
        });
        assert.deepEqual([replica.providerRegion, replica.protect, replica.retainOnDelete], [region, true, true]);
      }
      const arns = await valueOf(key.replicaKeyArns);
      assert.deepEqual(Object.keys(arns), ["eu-west-1", "eu-west-2"]);
      assert.equal(arns["eu-west-1"], keyArn.replace("us-east-1", "eu-west-1"));
      const { run: loose } = await make({ replicaRegions: ["eu-west-1"], keep: false });
      assert.equal(loose.resource("ReplicaKey", "logs-key-eu-west-1").protect, false);
    });

    it("let replication do what it does in each Region, no more", async () => {
      const { run } = await make({ replicaRegions: ["eu-west-1", "eu-west-2"], replication });
      assert.equal(run.resource("Key", "logs-key").inputs.policy, policyWith({ roleArn, reads: source }));
      assert.equal(
        run.resource("ReplicaKey", "logs-key-eu-west-1").inputs.policy,
        policyWith({ roleArn, writes: destination }),
      );
      assert.equal(run.resource("ReplicaKey", "logs-key-eu-west-2").inputs.policy, policyWith(undefined));
    });

    it("are not needed for replication with another key; then they do not encrypt copies", async () => {
      const { run } = await make({
        replicaRegions: ["eu-west-1"],
        replication: { ...replication, encryptsCopies: pulumi.output(false) },
      });
      assert.equal(run.resource("Key", "logs-key").inputs.policy, policyWith({ roleArn, reads: source }));
      assert.equal(run.resource("ReplicaKey", "logs-key-eu-west-1").inputs.policy, policyWith(undefined));
    });
  });

  const kept = (run: Run) =>
    run.resources.map(({ name, protect, retainOnDelete }) => `${name} ${protect} ${retainOnDelete}`);

  it("is protected and kept by default; not when that was asked for", async () => {
    const names = ["logs-key", "logs-alias"];
    assert.deepEqual(kept((await make()).run), ["logs false false", ...names.map((name) => `${name} true true`)]);
    assert.deepEqual(kept((await make({ keep: false })).run), [
      "logs false false",
      ...names.map((name) => `${name} false false`),
    ]);
  });

  it("has the key before its alias", async () => {
    const { run } = await make();
    assert.deepEqual(run.resource("Key", "logs-key").dependsOn, []);
    assert.deepEqual(run.resource("Alias", "logs-alias").dependsOn, ["logs-key"]);
  });

  it("gives out the key's ARN and id, and the alias", async () => {
    const { run, key } = await make();
    const outputs = {
      keyArn,
      keyId: "1234abcd-12ab-34cd-56ef-1234567890ab",
      aliasName: "alias/crosstrail",
      replicaKeyArns: {},
    };
    assert.deepEqual(
      {
        keyArn: await valueOf(key.keyArn),
        keyId: await valueOf(key.keyId),
        aliasName: await valueOf(key.aliasName),
        replicaKeyArns: await valueOf(key.replicaKeyArns),
      },
      outputs,
    );
    assert.deepEqual(run.resource("AuditKey", "logs").outputs, outputs);
  });

  it("takes outputs for every input", async () => {
    const { run } = await make({
      auditAccountId: pulumi.output(auditAccountId),
      trailArns: pulumi.output(trails.map((trail) => pulumi.output(trailArn(trail)))),
      partition: Promise.resolve("aws"),
      aliasName: pulumi.output("logs"),
      rotationPeriodInDays: pulumi.output(180),
      policyForm: pulumi.output("trailList"),
    });
    const { policy, rotationPeriodInDays } = run.resource("Key", "logs-key").inputs;
    assert.equal(policy, serialize(keyPolicy({ partition: "aws", auditAccountId, trails }, "trailList").document));
    assert.equal(rotationPeriodInDays, 180);
    assert.equal(run.resource("Alias", "logs-alias").inputs.name, "alias/logs");
  });

  describe("refuses what cannot be right", () => {
    const expected = [
      "AuditKey cannot be created with these arguments.",
      "",
      '  auditAccountId = "1111"',
      '    component/input: An AWS account ID has 12 digits, this has 4; without quotes, YAML drops leading zeros: write "012345678901".',
      "    → Correct this argument of AuditKey.",
      "",
      '  trailArns[0] = "crosstrail"',
      "    component/input: A trail ARN looks like arn:aws:cloudtrail:<home Region>:<account>:trail/<name>.",
      "    → Correct this argument of AuditKey.",
      "",
      '  partition = "china"',
      "    component/input: Allowed are aws, aws-cn, aws-us-gov.",
      "    → Correct this argument of AuditKey.",
      "",
      '  aliasName = "alias/logs"',
      "    component/input: Write the alias without the prefix 'alias/'.",
      "    → Correct this argument of AuditKey.",
      "",
      '  policyForm = "perTrail"',
      "    component/input: Allowed are trailList, encryptionContext, organization.",
      "    → Correct this argument of AuditKey.",
    ].join("\n");
    const wrong = {
      auditAccountId: "1111",
      trailArns: ["crosstrail"],
      partition: "china",
      aliasName: "alias/logs",
      policyForm: "perTrail",
    };

    it("every plain mistake at once, before anything is registered", async () => {
      const run = await startMocks();
      assert.throws(
        () => new AuditKey("logs", wrong as AuditKeyArgs),
        (error: Error) => pulumi.RunError.isInstance(error) && assert.equal(error.message, expected) === undefined,
      );
      await run.settle();
      assert.deepEqual(run.resources, []);
    });

    for (const [name, value] of Object.entries(wrong)) {
      it(`${name} as an output, when it is known: nothing that needs it is registered`, async () => {
        const run = await startMocks();
        const messages = await unhandledIn(
          () => new AuditKey("logs", { ...args, [name]: pulumi.output(value as string) }),
        );
        const part = expected.split("\n\n").find((each) => each.startsWith(`  ${name}`)) as string;
        assert.ok(
          messages.some((message) => message.endsWith(`AuditKey cannot be created with these arguments.\n\n${part}`)),
          messages.join("\n"),
        );
        const without = name === "aliasName" ? "logs-alias" : "logs-key";
        assert.ok(!run.resources.some((each) => each.name === without));
      });
    }

    it("a demanded form that does not fit", async () => {
      const run = await startMocks();
      assert.throws(
        () => new AuditKey("logs", { ...args, trailArns: fleetOf(200).map(trailArn), policyForm: "trailList" }),
        (error: Error) => pulumi.RunError.isInstance(error) && /^The key policy does not fit\.\n/.test(error.message),
      );
      await run.settle();
      assert.deepEqual(run.resources, []);
    });
  });
});
