/**
 * Copies of the archive elsewhere, as the audit stack's configuration has them: the key's replicas, and the bucket's.
 */
import type { z } from "zod";
import { parseKeyArn, roleArn } from "../names";
import type { ReplicationGrant } from "../policies/replication";
import type { Values } from "./keys";
import type { Place } from "./place";
import { checkRegion } from "./place";
import type { Report } from "./report";
import { subjectOf } from "./report";
import type { replicationSchema } from "./schemas";

/** Replication of the log bucket to another one. */
export interface Replication extends ReplicationGrant {
  /** The account of the bucket with the copies, if it is another one: the bucket is then its owner's. */
  otherAccountId?: string;
  /** A key that is not the archive's own, for the copies. */
  keyArn?: string;
  roleName: string;
  /** Whether new log files are copied; false pauses it. */
  enabled: boolean;
}

export interface ReplicaOptions {
  /** The Regions in which the archive's key has a replica. */
  keyReplicaRegions: string[];
  replication?: Replication;
}

/** Reports every mistake; values with mistakes of their own are left out. */
export function replicaOptions(report: Report, values: Partial<Values>, place: Place): ReplicaOptions {
  const regions = values.keyReplicaRegions ?? [];
  regions.forEach((region, index) => {
    const subject = subjectOf(`keyReplicaRegions[${index}]`, region);
    const remedy = `Remove it from ${report.file}.`;
    const first = regions.indexOf(region);
    if (region === place.region) {
      report.add("replica-region", subject, "This is the archive's own Region, which already has the key.", remedy);
    } else if (first < index) {
      report.add("replica-region", subject, `keyReplicaRegions[${first}] is the same Region.`, remedy);
    } else checkRegion(report, place, subject, region);
  });

  const declared = values.replication;
  if (declared === undefined || Object.keys(declared).length === 0) return { keyReplicaRegions: regions };
  const replication = replicationOf(report, declared, values, place);
  const needsReplica =
    replication && replication.keyArn === undefined && replication.destination.region !== place.region;
  return {
    keyReplicaRegions: needsReplica ? [...new Set([...regions, replication.destination.region])] : regions,
    ...(replication && { replication }),
  };
}

function replicationOf(
  report: Report,
  declared: z.infer<typeof replicationSchema>,
  values: Partial<Values>,
  place: Place,
): Replication | undefined {
  const { region, bucketName, accountId, keyArn, roleName = "CrosstrailReplication", enabled = true } = declared;
  const { auditAccountId } = values;
  const refuse = (field: keyof typeof declared, message: string, remedy: string) =>
    report.add("replication", subjectOf(`replication.${field}`, declared[field]), message, remedy);
  if (region === undefined) {
    refuse(
      "region",
      "Replication needs a Region.",
      `Add to crosstrail:replication in ${report.file}:  region: <region>`,
    );
  } else {
    checkRegion(report, place, subjectOf("replication.region", region), region);
    if (region === place.region && accountId === undefined) {
      refuse(
        "region",
        "This is the archive's own Region and account; copies there would be lost with the originals.",
        "Choose another Region, or another account with accountId.",
      );
    }
  }
  if (bucketName === undefined) {
    refuse(
      "bucketName",
      "The bucket for the copies needs a name.",
      `Add to crosstrail:replication in ${report.file}:  bucketName: <bucket name>`,
    );
  } else if (bucketName === values.bucketName) {
    refuse("bucketName", "This is the log bucket itself.", "Name another bucket.");
  }
  if (accountId !== undefined && accountId === auditAccountId) {
    refuse("accountId", "This is the audit account itself.", "Remove accountId: the bucket is then created here.");
  }
  const key = keyArn === undefined ? undefined : parseKeyArn(keyArn);
  if (key && region !== undefined && (key.region !== region || key.partition !== place.partition)) {
    refuse("keyArn", `S3 only accepts a key in the bucket's Region, which is ${region}.`, "Use a key in that Region.");
  }
  const { partition } = place;
  if (region === undefined || bucketName === undefined || !partition || place.region === undefined) return undefined;
  return {
    roleName,
    roleArn: roleArn(partition, auditAccountId ?? "", roleName),
    source: { bucketName: values.bucketName ?? "", region: place.region },
    destination: { bucketName, region },
    enabled,
    ...(accountId !== undefined && { otherAccountId: accountId }),
    ...(keyArn !== undefined && { keyArn }),
  };
}
