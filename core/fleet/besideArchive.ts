/** What guards the archive besides the log bucket and its keys: the keys' replicas, the other buckets, the queue. */
import { archivePolicies, archiveInput, notificationQueueArn } from "../archivePolicies";
import { notificationQueueName } from "../archive";
import type { Contract } from "../contract";
import { parseKeyArn } from "../names";
import { keyPolicy } from "../policies/key";
import { replicationOfKey } from "../policies/replication";
import type { PolicyDocument } from "../policies/document";
import type { AuditSettings } from "../settings";
import { keysAfter } from "./narrowing";

/** Where to look for them. */
export interface BesidePlaces {
  auditAccountId: string;
  /** Regions with a replica of each multi-Region key. */
  replicaRegions: string[];
  buckets: { bucketName: string; bucketRegion: string }[];
  queue?: { name: string; arn: string };
}

/** What AWS says of one of them. */
export interface BesideReading {
  /** There is no such key, bucket or queue. */
  missing?: boolean;
  policy?: string;
  /** KMS's KeyState, for a replica. */
  keyState?: string;
}

/** Where the configured archive has them. */
export function besidePlaces(settings: AuditSettings): BesidePlaces {
  const { region, auditAccountId, bucketName, archive, replicas } = settings;
  const { replication, keyReplicaRegions } = replicas;
  const { accessLogBucket } = archive;
  const { queue } = archivePolicies(settings);
  return {
    auditAccountId,
    replicaRegions: keyReplicaRegions,
    buckets: [
      ...(replication && replication.otherAccountId === undefined
        ? [{ bucketName: replication.destination.bucketName, bucketRegion: replication.destination.region }]
        : []),
      ...(accessLogBucket === undefined ? [] : [{ bucketName: accessLogBucket, bucketRegion: region }]),
    ],
    ...(queue && { queue: { name: notificationQueueName(bucketName), arn: notificationQueueArn(settings) } }),
  };
}

/** The ARN of a key's replica; undefined for a key of one Region, which has none. */
export function replicaArn(keyArn: string, region: string): string | undefined {
  const key = parseKeyArn(keyArn);
  return key && keyArn.includes(":key/mrk-") && key.region !== region
    ? keyArn.replace(`:${key.region}:`, `:${region}:`)
    : undefined;
}

/** How findings call a bucket, a key and a queue. */
export const subjectOfBucket = (name: string) => `bucket ${name}`;
export const subjectOfKey = (arn: string) => `key ${arn}`;
export const subjectOfQueue = (name: string) => `queue ${name}`;

/**
 * The policies that the configuration builds for them, by what findings call them.
 * @throws UserError when they do not fit into AWS's limits.
 */
export function besidePolicies(deployed: Contract, settings: AuditSettings): Record<string, PolicyDocument> {
  const { replicas, archive, keyPolicyForm, bucketName } = settings;
  const { replication, keyReplicaRegions } = replicas;
  const { copies, accessLogs, queue } = archivePolicies(settings);
  const keys = keysAfter(deployed, settings);
  const replicaPolicies = keyReplicaRegions.flatMap((region) =>
    keys.flatMap(({ arn, mayEncrypt }, index) => {
      const replica = replicaArn(arn, region);
      if (replica === undefined) return [];
      const ownKey = index === 0 && replication?.keyArn === undefined;
      const { document } = keyPolicy(
        {
          ...archiveInput(settings, region),
          mayEncrypt,
          replication: replication && replicationOfKey(replication, region, ownKey),
        },
        keyPolicyForm,
      );
      return [[subjectOfKey(replica), document] as const];
    }),
  );
  return Object.fromEntries([
    ...replicaPolicies,
    ...(copies ? [[subjectOfBucket(replication?.destination.bucketName ?? ""), copies] as const] : []),
    ...(accessLogs ? [[subjectOfBucket(archive.accessLogBucket ?? ""), accessLogs] as const] : []),
    ...(queue ? [[subjectOfQueue(notificationQueueName(bucketName)), queue] as const] : []),
  ]);
}
