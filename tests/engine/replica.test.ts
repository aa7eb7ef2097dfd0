/** Copies of the archive elsewhere, told to the real engine: made, added, paused, taken out of the stack, and refused. */
import assert from "node:assert/strict";
import { DescribeKeyCommand, GetKeyPolicyCommand, KMSClient } from "@aws-sdk/client-kms";
import {
  CreateBucketCommand,
  GetBucketEncryptionCommand,
  GetBucketLocationCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketPolicyCommand,
  GetBucketReplicationCommand,
  GetBucketVersioningCommand,
  GetPublicAccessBlockCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import type { Contract } from "../../core/contract";
import { isMultiRegionKey } from "../../core/names";
import type { Statement } from "../../core/policies/document";
import type { DeployedReplicas } from "../../programs/replicas";
import { AUDIT_ACCOUNT, AUDIT_STACK, auditConfig, MEMBERS } from "../../sandbox/accounts";
import { readBack } from "../../sandbox/readBack";
import type { Sandbox } from "../../sandbox";
import { callsOf, expectAllUsed } from "./calls";
import { Engine, inSteps, MINUTE, sandbox } from "./support";

type Outputs = Contract & { replicas?: DeployedReplicas };

describe("engine: replicas of the key and of the bucket", function () {
  this.timeout(60 * MINUTE);
  inSteps(this);
  let box: Sandbox;
  let engine: Engine;
  let keyArn: string;
  const second = "eu-west-1";
  const third = "ap-southeast-2";
  const logs = "crosstrail-example-logs";
  const copies = "crosstrail-example-copies";
  const replication = { region: second, bucketName: copies };
  before(async () => {
    box = await sandbox();
    engine = new Engine(box);
  });
  after(() => box?.stop());

  const kms = async (region: string) => new KMSClient({ ...(await box.aws(AUDIT_ACCOUNT)), region });
  const s3 = async (accountId: string, region: string) =>
    new S3Client({ ...(await box.aws(accountId)), region, forcePathStyle: true });
  const describeKey = async (arn: string, region: string) =>
    (await (await kms(region)).send(new DescribeKeyCommand({ KeyId: arn }))).KeyMetadata;
  const at = (region: string) => keyArn.replace(":us-east-1:", `:${region}:`);
  const sidsOf = async (region: string) => {
    const { Policy } = await (
      await kms(region)
    ).send(new GetKeyPolicyCommand({ KeyId: at(region), PolicyName: "default" }));
    return (JSON.parse(Policy as string) as { Statement: Statement[] }).Statement.map(({ Sid }) => Sid);
  };
  const rules = async (bucketName: string) =>
    (await (await s3(AUDIT_ACCOUNT, "us-east-1")).send(new GetBucketReplicationCommand({ Bucket: bucketName })))
      .ReplicationConfiguration?.Rules;
  /** Takes out of the stack what is protected, as the program says it. */
  const leave = async (...said: string[]) => {
    const { code, text } = await engine.attempt("preview", AUDIT_STACK);
    assert.notEqual(code, 0, text);
    for (const each of [...said, "pulumi state unprotect --all --yes --stack audit", "protected"]) {
      assert.ok(text.includes(each), `"${each}" is missing in:\n${text}`);
    }
    await box.pulumi(["state", "unprotect", "--all", "--yes", "--stack", AUDIT_STACK], { timeoutMs: MINUTE });
    const changes = await engine.up(AUDIT_STACK);
    const unprotected = (await engine.resources(AUDIT_STACK)).filter(
      ({ type, protect }) => !protect && /^aws:(kms|s3)\//.test(type) && !type.includes("ReplicationConfig"),
    );
    assert.deepEqual(unprotected, []);
    return changes;
  };

  it("are made with the archive, quiet afterwards, and leave delivery as it was", async () => {
    await engine.configureAudit({ "crosstrail:replication": replication });
    await engine.up(AUDIT_STACK);
    await engine.expectNoChanges(AUDIT_STACK);
    const contract = await box.outputs<Outputs>(AUDIT_STACK);
    keyArn = contract.keyArn;
    assert.ok(isMultiRegionKey(keyArn), keyArn);
    assert.deepEqual(contract.replicas, {
      keyReplicaRegions: [second],
      replication: {
        bucketName: copies,
        region: second,
        accountId: AUDIT_ACCOUNT,
        roleArn: `arn:aws:iam::${AUDIT_ACCOUNT}:role/CrosstrailReplication`,
      },
    });
    const { trails, outsider } = await readBack(contract, (accountId) => box.aws(accountId));
    assert.ok(trails.every(({ delivery }) => delivery.delivers));
    assert.equal(outsider.delivers, false);
  });

  it("the key: a primary and a replica, each with its own policy", async () => {
    assert.equal((await describeKey(keyArn, "us-east-1"))?.MultiRegionConfiguration?.MultiRegionKeyType, "PRIMARY");
    assert.equal((await describeKey(at(second), second))?.MultiRegionConfiguration?.MultiRegionKeyType, "REPLICA");
    const common = ["AccountAdministration", "CloudTrailEncrypt", "CloudTrailDescribeKey", "AccountReadsLogs"];
    assert.deepEqual(await sidsOf("us-east-1"), [...common, "ReplicationReadsLogs", "DenyShortDeletion"]);
    assert.deepEqual(await sidsOf(second), [
      ...common,
      "ReplicationWritesCopies",
      "AccountReadsCopies",
      "DenyShortDeletion",
    ]);
  });

  it("the bucket with the copies: in the second Region, and as safe as the archive's", async () => {
    const client = await s3(AUDIT_ACCOUNT, second);
    const Bucket = copies;
    assert.equal((await client.send(new GetBucketLocationCommand({ Bucket }))).LocationConstraint, second);
    assert.equal((await client.send(new GetBucketVersioningCommand({ Bucket }))).Status, "Enabled");
    const { PublicAccessBlockConfiguration } = await client.send(new GetPublicAccessBlockCommand({ Bucket }));
    assert.deepEqual(Object.values(PublicAccessBlockConfiguration ?? {}), [true, true, true, true]);
    const { OwnershipControls } = await client.send(new GetBucketOwnershipControlsCommand({ Bucket }));
    assert.equal(OwnershipControls?.Rules?.[0]?.ObjectOwnership, "BucketOwnerEnforced");
    const { ServerSideEncryptionConfiguration } = await client.send(new GetBucketEncryptionCommand({ Bucket }));
    const encryption = ServerSideEncryptionConfiguration?.Rules?.[0]?.ApplyServerSideEncryptionByDefault;
    assert.deepEqual([encryption?.SSEAlgorithm, encryption?.KMSMasterKeyID], ["aws:kms", at(second)]);
    const { Policy } = await client.send(new GetBucketPolicyCommand({ Bucket }));
    assert.deepEqual(
      (JSON.parse(Policy as string) as { Statement: Statement[] }).Statement.map(({ Sid }) => Sid),
      ["DenyInsecureTransport"],
    );
  });

  it("the rule: every new object, encrypted with the replica key, and no deletion", async () => {
    assert.deepEqual(await rules(logs), [
      {
        ID: "logs",
        Priority: 1,
        Status: "Enabled",
        Filter: { Prefix: "" },
        SourceSelectionCriteria: { SseKmsEncryptedObjects: { Status: "Enabled" } },
        DeleteMarkerReplication: { Status: "Disabled" },
        Destination: {
          Bucket: `arn:aws:s3:::${copies}`,
          EncryptionConfiguration: { ReplicaKmsKeyID: at(second) },
        },
      },
    ]);
  });

  it("a Region more, and replication paused: in place", async () => {
    await engine.configureAudit({
      "crosstrail:keyReplicaRegions": [third],
      "crosstrail:replication": { ...replication, enabled: false },
    });
    const { same, ...changes } = await engine.up(AUDIT_STACK);
    assert.ok(same);
    assert.deepEqual(changes, { create: 2, update: 1 });
    await engine.expectNoChanges(AUDIT_STACK);
    assert.equal((await rules(logs))?.[0]?.Status, "Disabled");
    assert.equal((await describeKey(at(third), third))?.MultiRegionConfiguration?.MultiRegionKeyType, "REPLICA");
  });

  it("another bucket for the copies is refused", async () => {
    await engine.configureAudit({
      "crosstrail:keyReplicaRegions": [third],
      "crosstrail:replication": { ...replication, bucketName: "elsewhere-copies" },
    });
    await engine.expectRefusal(AUDIT_STACK, 'crosstrail:replication.bucketName = "elsewhere-copies"', copies);
  });

  it("all of it off: said how, refused by the engine, and then left in AWS; the key stays the same", async () => {
    await engine.configureAudit();
    const {
      same,
      update,
      delete: forgotten,
      ...other
    } = await leave(
      `the replica of the key in ${second}`,
      `the replica of the key in ${third}`,
      `bucket ${copies} with copies of the logs`,
      "its enabled to false",
    );
    assert.ok(same);
    assert.deepEqual(other, {});
    // The key's policy; two replicas, a bucket with five settings and its component, the replication with its component, role and
    // policy, and the three providers.
    assert.deepEqual([update, forgotten], [1, 16]);
    await engine.expectNoChanges(AUDIT_STACK);
    assert.equal((await box.outputs<Outputs>(AUDIT_STACK)).keyArn, keyArn);
    await assert.rejects(rules(logs), { name: "ReplicationConfigurationNotFoundError" });
    const client = await s3(AUDIT_ACCOUNT, second);
    assert.equal((await client.send(new GetBucketVersioningCommand({ Bucket: copies }))).Status, "Enabled");
    for (const region of [second, third]) {
      assert.equal((await describeKey(at(region), region))?.KeyState, "Enabled");
    }
  });

  describe("of an archive whose key is of one Region", () => {
    const stack = "single";
    const bucketName = "single-audit-logs";
    const owner = MEMBERS.payments as string;
    const foreign = {
      region: second,
      bucketName: "payments-copies",
      accountId: owner,
      keyArn: `arn:aws:kms:${second}:${owner}:key/11111111-2222-3333-4444-555555555555`,
      roleName: "CopiesForPayments",
    };
    const configure = (change: Record<string, unknown> = {}) =>
      box.stack(stack, {
        ...auditConfig(),
        "crosstrail:bucketName": bucketName,
        "crosstrail:keyAlias": "single",
        "crosstrail:auditAccountTrail": false,
        ...change,
      });

    it("are refused: the key would be replaced", async () => {
      await configure();
      await engine.up(stack);
      const { keyArn: single } = await box.outputs<Outputs>(stack);
      assert.ok(!isMultiRegionKey(single));
      await configure({ "crosstrail:keyReplicaRegions": [second], "crosstrail:replication": replication });
      await engine.expectRefusal(
        stack,
        single,
        "only be made multi-Region when it is created",
        "to a key in its Region",
      );
    });

    it("but copies in another account, with a key of its own: with the statements for its owner, and off again", async () => {
      const client = await s3(owner, second);
      const Bucket = foreign.bucketName;
      await client.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: second } }));
      await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
      await configure({ "crosstrail:replication": foreign });
      const { create, update } = await engine.up(stack);
      assert.deepEqual([create, update], [4, 1]);
      await engine.expectNoChanges(stack);
      const add = (await box.outputs<Outputs>(stack)).replicas?.replication?.statementsToAdd;
      assert.deepEqual(
        [add?.bucketPolicy, add?.keyPolicy].map((statements) => statements?.map(({ Sid }) => Sid)),
        [["CrosstrailReplicates"], ["CrosstrailReplicates"]],
      );
      const Policy = JSON.stringify({ Version: "2012-10-17", Statement: add?.bucketPolicy });
      await client.send(new PutBucketPolicyCommand({ Bucket, Policy }));
      const [rule] = (await rules(bucketName)) ?? [];
      assert.deepEqual(rule?.Destination, {
        Bucket: `arn:aws:s3:::${Bucket}`,
        Account: owner,
        AccessControlTranslation: { Owner: "Destination" },
        EncryptionConfiguration: { ReplicaKmsKeyID: foreign.keyArn },
      });
      await configure();
      const off = await engine.up(stack);
      assert.deepEqual([off.delete, off.update], [4, 1]);
      await engine.expectNoChanges(stack);
    });

    it("nor does a new key that is made with replicas touch the former one", async () => {
      const { keyArn: single } = await box.outputs<Outputs>(stack);
      await configure({
        "crosstrail:keyGeneration": 2,
        "crosstrail:previousKeyInUse": true,
        "crosstrail:keyReplicaRegions": [second],
      });
      const changed = await engine.up(stack);
      assert.equal(changed.replace, undefined);
      assert.equal(changed.delete, undefined);
      const outputs = await box.outputs<Outputs & { previousKeyArns: string[] }>(stack);
      assert.deepEqual(outputs.previousKeyArns, [single]);
      assert.ok(isMultiRegionKey(outputs.keyArn));
      assert.equal(
        (await describeKey(outputs.keyArn.replace(":us-east-1:", `:${second}:`), second))?.KeyState,
        "Enabled",
      );
      await engine.expectNoChanges(stack);
    });
  });

  describe("and the deploy roles", () => {
    it("have no grant for copies that is not used", () => {
      expectAllUsed(callsOf(box), "keyReplica", "replication");
    });
  });
});
