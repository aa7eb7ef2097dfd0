import assert from "node:assert/strict";
import { contractKeys } from "../../core/contract";
import { accountRootArn } from "../../core/names";
import type { PolicyDocument } from "../../core/policies/document";
import { auditAccountId, bucketName, contract, keyArn } from "../support/fleet";
import type { Run, World } from "../support/mocks";
import { configOf, deploy, refuses } from "./run";

const replication = { region: "eu-west-1", bucketName: "example-copies" };
const roleArn = `arn:aws:iam::${auditAccountId}:role/CrosstrailReplication`;
const multiRegionKey = "arn:aws:kms:us-east-1:111111111111:key/mrk-1234abcd12ab34cd56ef1234567890ab";

function world(config: Record<string, unknown>, deployed?: Record<string, unknown>): World {
  return {
    stack: "audit",
    accountId: auditAccountId,
    config: configOf({
      "aws:region": "us-east-1",
      "aws:allowedAccountIds": [auditAccountId],
      role: "audit",
      auditAccountId,
      bucketName,
      auditAccountTrail: false,
      members: [{ accountId: "222222222222", alias: "payments" }],
      ...config,
    }),
    ...(deployed && { stacks: { "acme/crosstrail/audit": deployed } }),
  };
}
const sids = (run: Run, type: string, name: string) =>
  (JSON.parse(run.resource(type, name).inputs.policy as string) as PolicyDocument).Statement.map(({ Sid }) => Sid);

describe("programs/audit: replicas", () => {
  it("are not there by default, nor the outputs", async () => {
    const { run, outputs } = await deploy(world({}));
    assert.ok(!run.resources.some(({ type }) => /Replica/.test(type)));
    assert.equal(run.resource("Key", "audit-key").inputs.multiRegion, undefined);
    assert.ok(Object.keys(outputs).every((each) => (contractKeys as string[]).includes(each)));
  });

  it("data events of the copies and the access logs are recorded by no trail, and the contract tells the others", async () => {
    const config = {
      replication,
      accessLogBucket: "example-access-logs",
      auditAccountTrail: true,
      events: ["s3-data-events"],
    };
    const { run, outputs } = await deploy(world(config));
    const others = ["example-access-logs", replication.bucketName].sort();
    assert.deepEqual(outputs.otherBucketNames, others);
    const [selector] = run.resource("Trail", "audit-trail").inputs.advancedEventSelectors as [
      { fieldSelectors: object[] },
    ];
    assert.deepEqual(selector.fieldSelectors[1], {
      field: "resources.ARN",
      notStartsWiths: [bucketName, ...others].map((name) => `arn:aws:s3:::${name}/`),
    });
    assert.ok(!run.warnings.join().includes("archive's own objects"), run.warnings.join());
  });

  it("of the key, in chosen Regions", async () => {
    const { run, outputs } = await deploy(world({ keyReplicaRegions: ["eu-west-2"] }));
    assert.equal(run.resource("Key", "audit-key").inputs.multiRegion, true);
    assert.equal(run.resource("ReplicaKey", "audit-key-eu-west-2").providerRegion, "eu-west-2");
    assert.deepEqual(outputs.replicas, { keyReplicaRegions: ["eu-west-2"] });
  });

  it("of the bucket: another one there, guarded alike, and then replication", async () => {
    const { run, outputs } = await deploy(world({ replication, requireMfa: true }));
    const replica = run.resources.filter(({ parent }) => parent === "AuditBucket audit-replica");
    assert.deepEqual(replica.map(({ name }) => name).sort(), [
      "audit-replica-bucket",
      "audit-replica-encryption",
      "audit-replica-ownership",
      "audit-replica-policy",
      "audit-replica-public-access",
      "audit-replica-versioning",
    ]);
    for (const { name, providerRegion, protect, retainOnDelete } of replica) {
      assert.deepEqual([providerRegion, protect, retainOnDelete], ["eu-west-1", true, true], name);
    }
    assert.deepEqual(sids(run, "BucketPolicy", "audit-replica-policy"), [
      "DenyLogAccessWithoutMfa",
      "DenyInsecureTransport",
    ]);
    assert.deepEqual(run.resource("BucketServerSideEncryptionConfiguration", "audit-replica-encryption").inputs.rules, [
      {
        applyServerSideEncryptionByDefault: {
          sseAlgorithm: "aws:kms",
          kmsMasterKeyId: keyArn.replace("us-east-1", "eu-west-1"),
        },
        bucketKeyEnabled: false,
      },
    ]);
    const config = run.resource("BucketReplicationConfig", "audit-replication-config").inputs;
    assert.deepEqual([config.bucket, config.role], [bucketName, roleArn]);
    const waitsFor = run.resource("BucketReplicationConfig", "audit-replication-config").dependsOn;
    assert.ok(waitsFor.includes("audit-replication-policy"));
    const component = run.resource("BucketReplication", "audit-replication").dependsOn;
    for (const each of ["audit-versioning", "audit-replica-versioning", "audit-key", "audit-key-eu-west-1"]) {
      assert.ok(component.includes(each), each);
    }
    assert.deepEqual(sids(run, "Key", "audit-key").slice(-2), ["ReplicationReadsLogs", "DenyShortDeletion"]);
    assert.deepEqual(sids(run, "ReplicaKey", "audit-key-eu-west-1").slice(-3), [
      "ReplicationWritesCopies",
      "AccountReadsCopies",
      "DenyShortDeletion",
    ]);
    // People need MFA, S3 has none.
    const policy = run.resource("BucketPolicy", "audit-policy").inputs.policy as string;
    assert.ok(policy.includes(`"ArnNotLike":{"aws:PrincipalArn":"${roleArn}"}`), policy);
    assert.deepEqual(outputs.replicas, {
      keyReplicaRegions: ["eu-west-1"],
      replication: { ...replication, accountId: auditAccountId, roleArn },
    });
  });

  it("of the bucket: changed by break-glass roles only, where the log bucket is", async () => {
    const roles = { deploy: `arn:aws:iam::${auditAccountId}:role/deploy` };
    const { run } = await deploy({ ...world({ replication, breakGlassRoles: ["deploy"] }), roles });
    assert.deepEqual(sids(run, "BucketPolicy", "audit-replica-policy"), [
      "DenyTampering",
      "DenyOtherCopies",
      "DenyInsecureTransport",
    ]);
  });

  it("in another account: its bucket is left alone, and its owner is given what to add", async () => {
    const other = { ...replication, accountId: "222222222222" };
    const { run, outputs } = await deploy(world({ replication: other }));
    assert.ok(!run.resources.some(({ name }) => name.startsWith("audit-replica-")));
    const given = (outputs.replicas as { replication: { statementsToAdd: Record<string, unknown[]> } }).replication;
    assert.deepEqual(given, {
      ...other,
      roleArn,
      statementsToAdd: {
        bucketPolicy: [
          {
            Sid: "CrosstrailReplicates",
            Effect: "Allow",
            Principal: { AWS: accountRootArn("aws", auditAccountId) },
            Action: ["s3:ObjectOwnerOverrideToBucketOwner", "s3:ReplicateObject", "s3:ReplicateTags"],
            Resource: "arn:aws:s3:::example-copies/*",
            Condition: { ArnEquals: { "aws:PrincipalArn": roleArn } },
          },
        ],
      },
    });
    const theirs = keyArn.replace("us-east-1:111111111111", "eu-west-1:222222222222");
    const withKey = await deploy(world({ replication: { ...other, keyArn: theirs } }));
    const { statementsToAdd } = (withKey.outputs.replicas as { replication: typeof given }).replication;
    assert.deepEqual(Object.keys(statementsToAdd), ["bucketPolicy", "keyPolicy"]);
    assert.equal(withKey.run.resource("Key", "audit-key").inputs.multiRegion, undefined);
  });

  it("in another account and the same Region: with the key itself, of one Region", async () => {
    const other = { ...replication, region: "us-east-1", accountId: "222222222222" };
    const { run } = await deploy(world({ replication: other }));
    assert.deepEqual(sids(run, "Key", "audit-key").slice(-4), [
      "ReplicationReadsLogs",
      "ReplicationWritesCopies",
      "AccountReadsCopies",
      "DenyShortDeletion",
    ]);
    assert.equal(run.resource("Key", "audit-key").inputs.multiRegion, undefined);
  });

  describe("of a deployed archive", () => {
    it("are refused where its key is of one Region; a bucket with another key is not", async () => {
      await refuses(world({ keyReplicaRegions: ["eu-west-2"], replication }, contract({ trails: [] })), [
        "The archive does not allow this change to replication. Nothing was changed.",
        "",
        "  crosstrail:replication: replicas in eu-west-2, eu-west-1",
        `    archive/single-region-key: The archive is deployed with ${keyArn}, a single-Region key. A key can only be made multi-Region when it is created.`,
        "    → Replication does not need one: set keyArn in crosstrail:replication to a key in its Region, and remove",
        "      the Regions from crosstrail:keyReplicaRegions. For a multi-Region key, migrate the trails to a new one, which",
        "      is created with these replicas: crosstrail:keyGeneration: 2 (crosstrail migrate --help plans it).",
        "      Logs that the current key encrypted stay readable with it.",
      ]);
      const another = { ...replication, keyArn: keyArn.replace("us-east-1", "eu-west-1") };
      await deploy(world({ replication: another }, contract({ trails: [] })));
      await deploy(
        world({ keyReplicaRegions: ["eu-west-2"], replication }, contract({ trails: [], keyArn: multiRegionKey })),
      );
    });

    const copied = contract({ trails: [], keyArn: multiRegionKey });
    const replicas = {
      keyReplicaRegions: ["eu-west-1", "eu-west-2"],
      replication: { ...replication, accountId: auditAccountId, roleArn },
    };

    it("the bucket with the copies is not replaced", async () => {
      await refuses(world({ replication: { ...replication, bucketName: "new-copies" } }, { ...copied, replicas }), [
        "The archive does not allow this change to replication. Nothing was changed.",
        "",
        '  crosstrail:replication.bucketName = "new-copies"',
        `    archive/replica-moved: Logs are copied to bucket example-copies in eu-west-1, account ${auditAccountId}. The bucket holds copies and would be replaced.`,
        "    → Undo the change. To copy elsewhere, first take this bucket out of the stack, as described in docs/replication.md.",
      ]);
      // One that is not ours is only told of.
      const theirs = { ...replicas, replication: { ...replicas.replication, accountId: "222222222222" } };
      await deploy(
        world({ replication: { ...replication, bucketName: "new-copies" } }, { ...copied, replicas: theirs }),
      );
    });

    it("that leave the stack: how, before the engine refuses it", async () => {
      const { run } = await deploy(world({}, { ...copied, replicas }));
      const [warning] = run.warnings;
      for (const part of [
        "the replica of the key in eu-west-1 and the replica of the key in eu-west-2 and bucket example-copies",
        "\n        pulumi state unprotect --all --yes --stack audit\n        pulumi up --stack audit\n",
        "set its enabled to false",
      ]) {
        assert.ok(warning?.includes(part), warning);
      }
      // They are not multi-Region keys of the program's wish any more, but the engine leaves a key as it was made.
      assert.equal(run.resource("Key", "audit-key").inputs.multiRegion, undefined);
      for (const quiet of [
        world({ replication, keyReplicaRegions: ["eu-west-2"] }, { ...copied, replicas }),
        world({ keepArchive: false }, { ...copied, replicas }),
        world({}, copied),
      ]) {
        assert.deepEqual((await deploy(quiet)).run.warnings, []);
      }
    });
  });
});
