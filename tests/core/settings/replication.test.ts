import assert from "node:assert/strict";
import type { UserError } from "../../../core/findings";
import { builtPolicies, fleetOfSettings, simulate } from "../../../core/simulate";
import type { PolicyDocument } from "../../../core/policies/document";
import type { AuditSettings } from "../../../core/settings";
import { parseSettings } from "../../../core/settings";
import { asConfig } from "../../support/config";

const own = { role: "audit", auditAccountId: "111111111111", bucketName: "example-logs" };
const members = [{ accountId: "222222222222", alias: "payments" }];
const keyArn = "arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const roleArn = "arn:aws:iam::111111111111:role/CrosstrailReplication";

function audit(values: Record<string, unknown>, region = "us-east-1"): AuditSettings {
  return parseSettings("audit", asConfig({ ...own, members, ...values }), region) as AuditSettings;
}

/** Every mistake: its id, its subject, and what is said of it. */
function mistakes(values: Record<string, unknown>, region?: string): string[][] {
  try {
    audit(values, region);
  } catch (error) {
    assert.equal((error as Error).name, "UserError", String((error as Error).stack));
    return (error as UserError).findings.map(({ id, subject, message, remedy }) => [id, subject, message, remedy]);
  }
  return [];
}

describe("core/settings: replicas", () => {
  it("none, unless they are asked for", () => {
    assert.deepEqual(audit({}).replicas, { keyReplicaRegions: [] });
    assert.deepEqual(audit({ replication: {}, keyReplicaRegions: [] }).replicas, { keyReplicaRegions: [] });
  });

  it("of the key alone", () => {
    assert.deepEqual(audit({ keyReplicaRegions: ["eu-west-1", "eu-west-2"] }).replicas, {
      keyReplicaRegions: ["eu-west-1", "eu-west-2"],
    });
  });

  it("a bucket elsewhere takes a replica of the key there, once", () => {
    const replication = { region: "eu-west-1", bucketName: "example-copies" };
    const parsed = {
      roleName: "CrosstrailReplication",
      roleArn,
      source: { bucketName: "example-logs", region: "us-east-1" },
      destination: { bucketName: "example-copies", region: "eu-west-1" },
      enabled: true,
    };
    assert.deepEqual(audit({ replication }).replicas, { keyReplicaRegions: ["eu-west-1"], replication: parsed });
    assert.deepEqual(audit({ replication, keyReplicaRegions: ["eu-west-2", "eu-west-1"] }).replicas, {
      keyReplicaRegions: ["eu-west-2", "eu-west-1"],
      replication: parsed,
    });
  });

  it("no replica where the copies have another key, or are in the key's own Region", () => {
    const elsewhere = { region: "eu-west-1", bucketName: "example-copies", keyArn, roleName: "Copies", enabled: false };
    const { keyReplicaRegions, replication } = audit({ replication: elsewhere }).replicas;
    assert.deepEqual(keyReplicaRegions, []);
    assert.deepEqual(
      [replication?.keyArn, replication?.roleArn, replication?.enabled],
      [keyArn, "arn:aws:iam::111111111111:role/Copies", false],
    );
    const here = { region: "us-east-1", bucketName: "example-copies", accountId: "222222222222" };
    const other = audit({ replication: here }).replicas;
    assert.deepEqual([other.keyReplicaRegions, other.replication?.otherAccountId], [[], "222222222222"]);
  });

  it("the role needs no MFA, where people do", () => {
    const replication = { region: "eu-west-1", bucketName: "example-copies" };
    assert.deepEqual(audit({ replication, requireMfa: true }).mfaExemptRoleArns, [roleArn]);
    assert.deepEqual(audit({ replication }).mfaExemptRoleArns, []);
  });

  it("the simulation judges the key policy as it is deployed", () => {
    const sids = (values: Record<string, unknown>) =>
      (builtPolicies(fleetOfSettings(audit(values))).key as PolicyDocument).Statement.map(({ Sid }) => Sid);
    const replication = { region: "eu-west-1", bucketName: "example-copies" };
    assert.deepEqual(sids({ replication }), [...sids({}).slice(0, -1), "ReplicationReadsLogs", "DenyShortDeletion"]);
    const fleet = fleetOfSettings(audit({ replication, requireMfa: true, bucketKeyEnabled: true }));
    const found = simulate(fleet, builtPolicies(fleet)).filter(({ verdict }) => verdict !== "ok");
    assert.deepEqual(found, []);
  });

  it("every mistake at once: in the Regions, and in the place of the copies", () => {
    assert.deepEqual(
      mistakes({
        keyReplicaRegions: ["us-east-1", "eu-west-1", "eu-west-1", "cn-north-1", "eu-west-9"],
        replication: {
          region: "us-gov-west-1",
          bucketName: "example-logs",
          accountId: "111111111111",
          keyArn,
        },
      }).map(([id, subject]) => `${id}: ${subject}`),
      [
        'config/replica-region: crosstrail:keyReplicaRegions[0] = "us-east-1"',
        'config/replica-region: crosstrail:keyReplicaRegions[2] = "eu-west-1"',
        'config/region: crosstrail:keyReplicaRegions[3] = "cn-north-1"',
        'config/region: crosstrail:keyReplicaRegions[4] = "eu-west-9"',
        'config/region: crosstrail:replication.region = "us-gov-west-1"',
        'config/replication: crosstrail:replication.bucketName = "example-logs"',
        'config/replication: crosstrail:replication.accountId = "111111111111"',
        `config/replication: crosstrail:replication.keyArn = "${keyArn}"`,
      ],
    );
  });

  it("says what is wrong and what to do", () => {
    assert.deepEqual(mistakes({ keyReplicaRegions: ["us-east-1"] }), [
      [
        "config/replica-region",
        'crosstrail:keyReplicaRegions[0] = "us-east-1"',
        "This is the archive's own Region, which already has the key.",
        "Remove it from Pulumi.audit.yaml.",
      ],
    ]);
    assert.deepEqual(mistakes({ keyReplicaRegions: ["eu-west-1", "eu-west-1"] }), [
      [
        "config/replica-region",
        'crosstrail:keyReplicaRegions[1] = "eu-west-1"',
        "keyReplicaRegions[0] is the same Region.",
        "Remove it from Pulumi.audit.yaml.",
      ],
    ]);
    assert.deepEqual(mistakes({ replication: { region: "us-east-1", bucketName: "example-copies" } }), [
      [
        "config/replication",
        'crosstrail:replication.region = "us-east-1"',
        "This is the archive's own Region and account; copies there would be lost with the originals.",
        "Choose another Region, or another account with accountId.",
      ],
    ]);
    assert.deepEqual(
      mistakes({ replication: { accountId: "222222222222" } }).map(([id, subject, , remedy]) => [id, subject, remedy]),
      [
        [
          "config/replication",
          "crosstrail:replication.region is not set",
          "Add to crosstrail:replication in Pulumi.audit.yaml:  region: <region>",
        ],
        [
          "config/replication",
          "crosstrail:replication.bucketName is not set",
          "Add to crosstrail:replication in Pulumi.audit.yaml:  bucketName: <bucket name>",
        ],
      ],
    );
    assert.deepEqual(mistakes({ replication: { region: "eu-west-1", bucketname: "example-copies" } })[0], [
      "config/value",
      'crosstrail:replication.bucketname = "example-copies"',
      "This key does not exist.",
      "Did you mean bucketName? Otherwise remove it from Pulumi.audit.yaml.",
    ]);
  });
});
