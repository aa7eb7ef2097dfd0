/**
 * Copies of the archive elsewhere: replicas of its key, and replication of its bucket. docs/replication.md explains
 * them.
 */
import * as pulumi from "@pulumi/pulumi";
import { AuditBucket } from "../components/auditBucket";
import { BucketReplication } from "../components/bucketReplication";
import { componentArgs, copiesInput } from "../core/archivePolicies";
import type { Finding } from "../core/findings";
import { UserError } from "../core/findings";
import { isMultiRegionKey } from "../core/names";
import type { StatementsToAdd } from "../core/policies/replication";
import { statementsToAdd } from "../core/policies/replication";
import type { AuditSettings } from "../core/settings";
import type { ArchiveKeys } from "./keys";
import { deployedKeyArns } from "./keys";
import { boundaryArn } from "./stack";
import { warn } from "./warning";

/**
 * What the stack's outputs say about the copies: for the owner of another account's bucket, and for the next deployment.
 */
export interface DeployedReplicas {
  /** The Regions in which the key has a replica. */
  keyReplicaRegions: string[];
  replication?: {
    bucketName: string;
    region: string;
    accountId: string;
    roleArn: string;
    /** What is to be added to policies that are not the archive's own. */
    statementsToAdd?: StatementsToAdd;
  };
}

/**
 * Refuses what would replace a deployed key or bucket.
 * @throws UserError that says how it can be done instead.
 */
export function refuseReplicas(deployed: Record<string, unknown>, settings: AuditSettings): void {
  const { keyReplicaRegions, replication } = settings.replicas;
  const findings: Finding[] = [];
  // The newest key, if it exists.
  const keyArn = deployedKeyArns(deployed)[settings.keyGeneration - 1];
  if (keyReplicaRegions.length > 0 && keyArn !== undefined && !isMultiRegionKey(keyArn)) {
    const forCopies = replication?.keyArn === undefined && replication?.destination.region;
    findings.push({
      id: "archive/single-region-key",
      severity: "error",
      subject: `crosstrail:${forCopies ? "replication" : "keyReplicaRegions"}: replicas in ${keyReplicaRegions.join(", ")}`,
      message: `The archive is deployed with ${keyArn}, a single-Region key. A key can only be made multi-Region when it is created.`,
      remedy: [
        "Replication does not need one: set keyArn in crosstrail:replication to a key in its Region, and remove",
        "the Regions from crosstrail:keyReplicaRegions. For a multi-Region key, migrate the trails to a new one, which",
        `is created with these replicas: crosstrail:keyGeneration: ${settings.keyGeneration + 1} (crosstrail migrate --help plans it).`,
        "Logs that the current key encrypted stay readable with it.",
      ].join("\n"),
    });
  }
  const before = deployedReplicas(deployed)?.replication;
  const now = replication && placeOf(replication, settings);
  const moved = now && (["bucketName", "region", "accountId"] as const).filter((each) => before?.[each] !== now[each]);
  if (before && now && moved && moved.length > 0 && before.accountId === settings.auditAccountId) {
    findings.push({
      id: "archive/replica-moved",
      severity: "error",
      subject: moved.map((each) => `crosstrail:replication.${each} = ${JSON.stringify(now[each])}`).join(", "),
      message: `Logs are copied to bucket ${before.bucketName} in ${before.region}, account ${before.accountId}. The bucket holds copies and would be replaced.`,
      remedy:
        "Undo the change. To copy elsewhere, first take this bucket out of the stack, as described in docs/replication.md.",
    });
  }
  if (findings.length > 0)
    throw new UserError("The archive does not allow this change to replication. Nothing was changed.", findings);
}

/** Says, before the engine refuses it, how what holds copies leaves the stack. */
export async function warnOfLeaving(deployed: Record<string, unknown>, settings: AuditSettings): Promise<void> {
  const before = deployedReplicas(deployed);
  if (!before || !settings.keepArchive) return;
  const { keyReplicaRegions, replication } = settings.replicas;
  const leaving = before.keyReplicaRegions
    .filter((region) => !keyReplicaRegions.includes(region))
    .map((region) => `the replica of the key in ${region}`);
  if (before.replication?.accountId === settings.auditAccountId && !replication) {
    leaving.push(`bucket ${before.replication.bucketName} with copies of the logs`);
  }
  if (leaving.length === 0) return;
  const stack = pulumi.getStack();
  await warn({
    id: "archive/replica-removed",
    subject: leaving.join(" and "),
    message: "The configuration no longer has this, and Pulumi refuses to remove protected resources.",
    remedy:
      "To take it out of the stack and leave it in AWS:\n" +
      `  pulumi state unprotect --all --yes --stack ${stack}\n` +
      `  pulumi up --stack ${stack}\n` +
      "The second command protects everything else again." +
      (replication || !before.replication
        ? ""
        : " To stop copying only, keep crosstrail:replication and set its enabled to false."),
  });
}

/** Makes what copies the log bucket. The keys, with their replicas and policies, exist by then. */
export function replicate(
  settings: AuditSettings,
  { all: keys, newest: key }: ArchiveKeys,
  bucket: AuditBucket,
): pulumi.Input<DeployedReplicas> | undefined {
  const { partition, auditAccountId, bucketKeyEnabled, tags } = settings;
  const { keyReplicaRegions, replication } = settings.replicas;
  if (!replication) return keyReplicaRegions.length > 0 ? { keyReplicaRegions } : undefined;
  const { source, destination, otherAccountId } = replication;
  const destinationKeyArn =
    replication.keyArn ??
    (destination.region === source.region
      ? key.keyArn
      : key.replicaKeyArns.apply((arns) => arns[destination.region] as string));
  const input = copiesInput(settings);
  const copies =
    input &&
    new AuditBucket("audit-replica", {
      ...componentArgs(input),
      region: destination.region,
      keyArn: destinationKeyArn,
      bucketKeyEnabled,
      keep: settings.keepArchive,
      tags,
    });
  new BucketReplication(
    "audit-replication",
    {
      partition,
      sourceBucketName: source.bucketName,
      sourceRegion: source.region,
      sourceKeyArns: keys.map(({ keyArn }) => keyArn),
      destinationBucketName: destination.bucketName,
      destinationRegion: destination.region,
      destinationKeyArn,
      destinationAccountId: otherAccountId,
      bucketKeyEnabled,
      enabled: replication.enabled,
      roleName: replication.roleName,
      permissionsBoundaryArn: boundaryArn(settings, auditAccountId),
      tags,
    },
    // S3 wants both buckets versioned, and the role needs what the keys' policies say.
    { dependsOn: [...keys, bucket, ...(copies ? [copies] : [])] },
  );
  const add = { bucket: otherAccountId !== undefined, key: replication.keyArn !== undefined, bucketKeyEnabled };
  return {
    keyReplicaRegions,
    replication: {
      ...placeOf(replication, settings),
      roleArn: replication.roleArn,
      ...((add.bucket || add.key) && {
        statementsToAdd: statementsToAdd(partition, auditAccountId, replication, add),
      }),
    },
  };
}

function placeOf(
  { destination, otherAccountId }: NonNullable<AuditSettings["replicas"]["replication"]>,
  { auditAccountId }: AuditSettings,
): { bucketName: string; region: string; accountId: string } {
  return { ...destination, accountId: otherAccountId ?? auditAccountId };
}

function deployedReplicas(deployed: Record<string, unknown>): DeployedReplicas | undefined {
  return deployed.replicas as DeployedReplicas | undefined;
}
