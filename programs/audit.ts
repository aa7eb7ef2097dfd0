/** The audit stack: the archive's keys and bucket, the audit account's own trail, readers, and the contract as outputs. */
import * as pulumi from "@pulumi/pulumi";
import type { AuditBucket } from "../components/auditBucket";
import { EventDataStore } from "../components/eventDataStore";
import { LogReader } from "../components/logReader";
import { MemberTrail, type MemberTrailArgs } from "../components/memberTrail";
import { archiveInput, componentArgs } from "../core/archivePolicies";
import type { Contract } from "../core/contract";
import type { DeployedEventDataStore } from "../core/eventDataStore";
import { declaredContract, stackTag } from "../core/fleet";
import { trailArn } from "../core/names";
import type { AuditSettings } from "../core/settings";
import type { AuditAccess, DeployedArchive } from "./archive";
import { warnOfLeftMfaDelete } from "./archive";
import { checkAudit, ownDeployedTrail } from "./auditChecks";
import type { Delivery } from "./delivery";
import { deliver } from "./delivery";
import type { ArchiveKeys } from "./keys";
import { auditKeys } from "./keys";
import { logBucket } from "./logBucket";
import type { DeployedReplicas } from "./replicas";
import { replicate } from "./replicas";
import { boundaryArn, fullStackName, warnOfEvents } from "./stack";

type EventDataStoreOutput = { [Key in keyof DeployedEventDataStore]: pulumi.Input<DeployedEventDataStore[Key]> };

/** The stack's outputs: the contract, and what the next deployment of this stack must know. */
type Outputs = { [Key in keyof Contract]: pulumi.Input<Contract[Key]> } & Delivery["outputs"] & {
    archive?: DeployedArchive;
    eventDataStore?: EventDataStoreOutput;
    replicas?: pulumi.Input<DeployedReplicas>;
    /** The audit account's own trail, where it was taken over. */
    adoptedTrailArn?: string;
  };

/**
 * The audit stack's program. The policies name every trail from configuration, not from outputs: they exist before the trails do,
 * and a preview shows them as they will be.
 */
export async function audit(
  settings: AuditSettings,
  open: (settings: AuditSettings) => AuditAccess = openAccess,
): Promise<Outputs> {
  const access = open(settings);
  const { deployed, archive } = await checkAudit(settings, access);
  const keys = auditKeys(settings, deployed);
  const bucket = logBucket(settings, keys, archive);
  warnOfLeftMfaDelete(settings, bucket.mfaDelete, access);
  const replicas = replicate(settings, keys, bucket);
  const delivery = await ownTrail(settings, keys, bucket, deployed);
  const store = eventDataStore(settings);
  const readers = logReaders(settings, keys);

  const { trails, ...contract } = declaredContract(settings);
  return {
    ...contract,
    ...keys.arns,
    trails,
    // What the next deployment takes away depends on it.
    ...(settings.keyGeneration > 1 && { previousKeyInUse: settings.previousKeyInUse }),
    ...delivery.outputs,
    ...(store && { eventDataStore: store }),
    ...(readers.length > 0 && { readers: pulumi.output(readers) }),
    ...(replicas && { replicas }),
    ...(Object.keys(archive).length > 0 && { archive }),
    ...(settings.imported && { adoptedTrailArn: settings.imported.trailArn }),
  };
}

/** The audit account's own trail, if it has one, and where it delivers besides S3. */
async function ownTrail(
  settings: AuditSettings,
  { newest: key }: ArchiveKeys,
  bucket: AuditBucket,
  deployed: Record<string, unknown>,
): Promise<Delivery> {
  const { partition, bucketName, logPrefix, tags } = settings;
  const own = settings.auditAccountTrail ? settings.fleet[0] : undefined;
  const { cloudWatchLogs, sns, ...trailOptions } = settings.trailOptions;
  const delivery = deliver("audit", own ? [trailArn(own.trail)] : [], own ? { cloudWatchLogs, sns } : {}, {
    tags,
    permissionsBoundaryArn: boundaryArn(settings, settings.auditAccountId),
  });
  if (!own) return delivery;
  const { otherBucketNames } = declaredContract(settings);
  await warnOfEvents(settings.trailOptions, { partition, bucketName, otherBucketNames });
  const args = { trailName: own.trail.name, bucketName, otherBucketNames, keyArn: key.keyArn, logPrefix, partition };
  const { imported } = settings;
  // Once the stack has the trail, there is nothing to take over.
  const importTrailArn = ownDeployedTrail(deployed) === undefined ? imported?.trailArn : undefined;
  new MemberTrail(
    "audit",
    {
      ...args,
      ...(trailOptions as Partial<MemberTrailArgs>),
      ...delivery.trailArgs,
      importTrailArn,
      leaveAsIs: imported?.leaveAsIs,
      tags,
    },
    // CloudTrail tries the bucket and the key when it creates a trail, so their policies come first.
    { dependsOn: [bucket, key] },
  );
  return delivery;
}

/** The reader roles, as the contract names them. */
function logReaders(settings: AuditSettings, { arns }: ArchiveKeys) {
  const { partition, bucketName, logPrefix, previousLogPrefix, tags } = settings;
  const { organizationId, organizationTrailArns } = componentArgs(archiveInput(settings));
  const archive = { partition, bucketName, logPrefix, previousLogPrefix, organizationId, organizationTrailArns };
  const ofRole = { permissionsBoundaryArn: boundaryArn(settings, settings.auditAccountId), tags };
  return settings.readers.map(({ name, ...reader }) => ({
    name,
    roleArn: new LogReader(name, { ...archive, ...reader, roleName: name, ...arns, ...ofRole }).roleArn,
    trustedAccounts: reader.trustedAccounts,
  }));
}

/** An event data store of the audit account, if there is to be one, and what the stack says of it. */
function eventDataStore({
  partition,
  auditAccountId,
  tags,
  ...settings
}: AuditSettings): EventDataStoreOutput | undefined {
  if (!settings.eventDataStore) return undefined;
  const { name, retentionDays, advancedEventSelectors, roleArns, keep } = settings.eventDataStore;
  const { eventDataStoreArn: arn } = new EventDataStore("audit", {
    partition,
    accountId: auditAccountId,
    storeName: name,
    retentionInDays: retentionDays,
    advancedEventSelectors,
    roleArns,
    keep,
    // By which a deploy role knows that the key is Crosstrail's.
    keyTags: { [stackTag]: `${fullStackName(pulumi.getStack())}:event-data-store` },
    tags,
  });
  return { arn, name, keep };
}

/* eslint-disable @typescript-eslint/no-require-imports, @typescript-eslint/consistent-type-imports */
/** Loads the AWS SDK, which takes longer than the rest, with the first question. */
function openAccess(settings: AuditSettings): AuditAccess {
  const load = () => (require("./auditAccess") as typeof import("./auditAccess")).auditAccess(settings);
  return {
    roleArn: (name) => load().roleArn(name),
    mfaDelete: () => load().mfaDelete(),
    aliasTarget: (name) => load().aliasTarget(name),
  };
}
/* eslint-enable */
