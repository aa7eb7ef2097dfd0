/**
 * The one mapping from an audit stack's settings to the archive's policies. The program refuses by it what does not fit, the
 * components get their arguments from it, and `simulate`, `policy` and the report judge it: they cannot disagree.
 */
import { futureKeyArn, roleArn, trailArn } from "./names";
import type { LogSource } from "./policies/beside";
import { accessLogPolicy, notificationQueuePolicy } from "./policies/beside";
import type { BucketPolicyForm, BucketPolicyInput } from "./policies/bucket";
import { bucketPolicy } from "./policies/bucket";
import type { IdentityStatement, PolicyDocument, TrustStatement } from "./policies/document";
import type { FormChoice } from "./policies/forms";
import type { KeyPolicyForm, KeyPolicyInput } from "./policies/key";
import { keyPolicy } from "./policies/key";
import type { PolicyOptions } from "./policies/options";
import { grantOf } from "./policies/organization";
import type { ReaderTrust, ReadAccess } from "./policies/reader";
import { readerTrust, readPermissions } from "./policies/reader";
import { replicationOfKey } from "./policies/replication";
import type { AuditSettings, Reader } from "./settings";
import { LogNotifications, notificationQueueName } from "./archive";

/** What the policies of the log bucket and of the key are built from. */
export type ArchiveInput = BucketPolicyInput & KeyPolicyInput & { keyArn: string };

/** A role that other accounts may assume to read logs. */
export type ArchiveReader = Reader & { roleArn: string };

/** What is switched on in the policies. A new switch is one more line here; nothing else stands between settings and policies. */
export function policyOptions({
  memberReaders,
  requireMfa,
  mfaExemptRoleArns,
  bucketKeyEnabled,
  archive,
}: AuditSettings) {
  const { breakGlassRoleArns, denyOtherEncryption } = archive;
  return {
    memberReaders,
    requireMfa,
    mfaExemptRoleArns,
    breakGlassRoleArns,
    denyOtherEncryption,
    bucketKeyEnabled,
  } satisfies Required<PolicyOptions>;
}

/**
 * What the policies of the log bucket and of its key are built from.
 * @param region of the key's replica; left out, the key itself. A key has no id before it exists, and none is needed to judge.
 */
export function archiveInput(settings: AuditSettings, region = settings.region): ArchiveInput {
  const { partition, auditAccountId, bucketName, logPrefix, previousLogPrefix, keyGeneration } = settings;
  const { replication } = settings.replicas;
  const keyArn = futureKeyArn(partition, settings.region, auditAccountId);
  return {
    partition,
    auditAccountId,
    bucketName,
    logPrefix,
    previousLogPrefix,
    keyArn,
    ...(keyGeneration > 1 && { previousKeyArns: Array.from({ length: keyGeneration - 1 }, () => keyArn) }),
    trails: settings.fleet.flatMap(({ trail, previous }) => (previous ? [trail, previous] : [trail])),
    organization: grantOf(settings.organization),
    replication: replication && replicationOfKey(replication, region, replication.keyArn === undefined),
    ...policyOptions(settings),
  };
}

/** The reader roles. */
export function archiveReaders({ partition, auditAccountId, readers }: AuditSettings): ArchiveReader[] {
  return readers.map((reader) => ({ ...reader, roleArn: roleArn(partition, auditAccountId, reader.name) }));
}

/** What the policy of the bucket with the copies is built from, where it is the audit account's own. */
export function copiesInput(settings: AuditSettings): BucketPolicyInput | undefined {
  const { replication } = settings.replicas;
  if (!replication || replication.otherAccountId !== undefined) return undefined;
  const { partition, requireMfa, mfaExemptRoleArns, breakGlassRoleArns } = archiveInput(settings);
  const { bucketName } = replication.destination;
  // No trail delivers there.
  const { roleArn: replicationRoleArn } = replication;
  return { partition, bucketName, trails: [], requireMfa, mfaExemptRoleArns, breakGlassRoleArns, replicationRoleArn };
}

/** What the policies of the access-log bucket and of the notification queue are built from. */
export function besideInput({ partition, auditAccountId, bucketName, archive }: AuditSettings): LogSource {
  const { breakGlassRoleArns } = archive;
  return { partition, accountId: auditAccountId, sourceBucketName: bucketName, breakGlassRoleArns };
}

/** ARN of the queue of new log files. */
export function notificationQueueArn({ partition, region, auditAccountId, bucketName }: AuditSettings): string {
  return `arn:${partition}:sqs:${region}:${auditAccountId}:${notificationQueueName(bucketName)}`;
}

/** A reader role's own two policies. */
export interface ReaderPolicies {
  trust: PolicyDocument<TrustStatement>;
  permissions: PolicyDocument<IdentityStatement>;
}

/** Every policy of the archive, as it would be deployed. */
export interface BuiltArchive {
  bucket: FormChoice<BucketPolicyForm>;
  /** The key's policy by Region: the archive's own first, then its replicas'. */
  keys: Record<string, FormChoice<KeyPolicyForm>>;
  copies?: PolicyDocument;
  accessLogs?: PolicyDocument;
  queue?: PolicyDocument;
  /** The reader roles' policies, by the roles' names. */
  readers: Record<string, ReaderPolicies>;
}

/**
 * Every policy that the audit stack deploys.
 * @throws UserError when one does not fit into AWS's limits.
 */
export function archivePolicies(settings: AuditSettings): BuiltArchive {
  const { region, replicas, archive } = settings;
  const input = archiveInput(settings);
  const keys = [region, ...replicas.keyReplicaRegions].map((each) => [
    each,
    keyPolicy(archiveInput(settings, each), settings.keyPolicyForm),
  ]);
  const copies = copiesInput(settings);
  const beside = besideInput(settings);
  const queueArn = notificationQueueArn(settings);
  return {
    keys: Object.fromEntries(keys) as BuiltArchive["keys"],
    bucket: bucketPolicy(input, settings.bucketPolicyForm),
    ...(copies && { copies: bucketPolicy(copies).document }),
    ...(archive.accessLogBucket !== undefined && {
      accessLogs: accessLogPolicy({ ...beside, bucketName: archive.accessLogBucket }),
    }),
    ...(archive.notifications === LogNotifications.Sqs && { queue: notificationQueuePolicy({ ...beside, queueArn }) }),
    readers: readerPolicies(input, settings.readers),
  };
}

/**
 * The policies of the archive's reader roles, by the roles' names.
 * @throws UserError when one does not fit into IAM's limits.
 */
export function readerPolicies(
  archive: Omit<ReadAccess, "accountIds">,
  readers: (Omit<ReaderTrust, "partition"> & { name: string; accountIds?: string[] })[],
): Record<string, ReaderPolicies> {
  return Object.fromEntries(
    readers.map(({ name, ...reader }) => [
      name,
      {
        trust: readerTrust({ partition: archive.partition, ...reader }),
        permissions: readPermissions({ ...archive, accountIds: reader.accountIds }),
      },
    ]),
  );
}

/** Trails and organization as the components' arguments name them: by ARNs. The other inputs keep their names. */
export function componentArgs<Input extends Pick<BucketPolicyInput, "trails" | "organization">>({
  trails,
  organization,
  ...rest
}: Input) {
  return {
    ...rest,
    trailArns: trails.map(trailArn),
    organizationId: organization?.id,
    organizationTrailArns: organization?.trails.map(trailArn),
    organizationAccounts: organization?.accountIds,
  };
}
