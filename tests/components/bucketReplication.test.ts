import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import type { BucketReplicationArgs } from "../../components";
import { BucketReplication } from "../../components";
import { serialize } from "../../core/policies/document";
import { replicationPermissions, replicationTrust } from "../../core/policies/replication";
import { bucketName, keyArn } from "../support/fleet";
import type { Run } from "../support/mocks";
import { startMocks, valueOf } from "../support/mocks";

const copyKey = keyArn.replace("us-east-1", "eu-west-1");
const args: BucketReplicationArgs = {
  sourceBucketName: bucketName,
  sourceRegion: "us-east-1",
  sourceKeyArns: [keyArn],
  destinationBucketName: "example-copies",
  destinationRegion: "eu-west-1",
  destinationKeyArn: copyKey,
};
const places = {
  source: { bucketName, region: "us-east-1" },
  sourceKeyArns: [keyArn],
  destination: { bucketName: "example-copies", region: "eu-west-1" },
  destinationKeyArn: copyKey,
};

describe("components/BucketReplication", () => {
  async function make(other: Partial<BucketReplicationArgs> = {}): Promise<{ run: Run; made: BucketReplication }> {
    const run = await startMocks();
    const made = new BucketReplication("logs", { ...args, ...other });
    await run.settle();
    return { run, made };
  }
  const rule = (run: Run) =>
    (run.resource("BucketReplicationConfig", "logs-config").inputs.rules as Record<string, unknown>[])[0];

  it("is a role with its policy, and then the rule", async () => {
    const { run, made } = await make();
    assert.deepEqual(
      run.resources.map(({ type, name, parent, protect }) => [type, name, parent, protect]),
      [
        ["crosstrail:index:BucketReplication", "logs", undefined, false],
        ["aws:iam/role:Role", "logs-role", "BucketReplication logs", false],
        ["aws:iam/rolePolicy:RolePolicy", "logs-policy", "BucketReplication logs", false],
        ["aws:s3/bucketReplicationConfig:BucketReplicationConfig", "logs-config", "BucketReplication logs", false],
      ],
    );
    assert.deepEqual(run.resource("BucketReplicationConfig", "logs-config").dependsOn, ["logs-policy", "logs-role"]);
    assert.equal(run.resource("Role", "logs-role").inputs.assumeRolePolicy, serialize(replicationTrust()));
    assert.equal(
      run.resource("RolePolicy", "logs-policy").inputs.policy,
      serialize(replicationPermissions({ partition: "aws", ...places, otherAccount: false })),
    );
    assert.equal(await valueOf(made.roleArn), "arn:aws:iam::111111111111:role/CrosstrailReplication");
  });

  it("copies every new object, encrypted with the other key, and no deletion", async () => {
    const { run } = await make();
    assert.deepEqual(rule(run), {
      id: "logs",
      priority: 1,
      status: "Enabled",
      filter: { prefix: "" },
      deleteMarkerReplication: { status: "Disabled" },
      sourceSelectionCriteria: { sseKmsEncryptedObjects: { status: "Enabled" } },
      destination: {
        bucket: "arn:aws:s3:::example-copies",
        encryptionConfiguration: { replicaKmsKeyId: copyKey },
      },
    });
  });

  it("can be paused, have another role name, and tags", async () => {
    const { run } = await make({ enabled: false, roleName: "Copies", tags: { team: "security" } });
    assert.equal(rule(run)?.status, "Disabled");
    const { name, tags } = run.resource("Role", "logs-role").inputs;
    assert.deepEqual([name, tags], ["Copies", { team: "security" }]);
  });

  it("to another account: the copies become its own", async () => {
    for (const destinationAccountId of ["222222222222", pulumi.output("222222222222")]) {
      const { run } = await make({ destinationAccountId });
      const { account, accessControlTranslation } = rule(run)?.destination as Record<string, unknown>;
      assert.deepEqual([account, accessControlTranslation], ["222222222222", { owner: "Destination" }]);
      assert.equal(
        run.resource("RolePolicy", "logs-policy").inputs.policy,
        serialize(replicationPermissions({ partition: "aws", ...places, otherAccount: true })),
      );
    }
  });

  it("refuses what cannot be right, before anything is registered", async () => {
    const run = await startMocks();
    assert.throws(
      () =>
        new BucketReplication("logs", {
          ...args,
          destinationBucketName: "Copies",
          destinationKeyArn: "alias/copies",
          destinationAccountId: "1111",
        }),
      (error: Error) =>
        ["destinationBucketName", "destinationKeyArn", "destinationAccountId"].every((each) =>
          error.message.includes(`  ${each} = `),
        ),
    );
    await run.settle();
    assert.deepEqual(run.resources, []);
  });
});
