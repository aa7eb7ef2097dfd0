import { AccessLogBucket } from "../components/accessLogBucket";
import { AuditBucket } from "../components/auditBucket";
import { EventDataStore } from "../components/eventDataStore";
import { LogReader } from "../components/logReader";
import { MemberTrail } from "../components/memberTrail";
import { NotificationQueue } from "../components/notificationQueue";
import { LogNotifications, notificationQueueName } from "../core/archive";
import type { Contract } from "../core/contract";
import { declaredContract } from "../core/fleet";
import type { DeployedEventDataStore, EventDataStoreChoice } from "../core/eventDataStore";
import { refuseLostStore } from "../core/eventDataStore";
import { UserError } from "../core/findings";
import { bucketArn, futureKeyArn, trailArn } from "../core/names";
import { bucketPolicy } from "../core/policies/bucket";
import { keyPolicy } from "../core/policies/key";
import { replicationOfKey } from "../core/policies/replication";
import { grantOf } from "../core/policies/organization";
import { readerTrust, readPermissions } from "../core/policies/reader";
import type { AuditSettings } from "../core/settings";
import * as pulumi from "@pulumi/pulumi";
import type { DeployedArchive } from "./archive";
import { archiveOf, requireBreakGlassRoles, warnOfLock, warnOfMfaDelete } from "./archive";
import type { Delivery } from "./delivery";
import { deliver } from "./delivery";
import type { DeployedReplicas } from "./replicas";
import { refuseReplicas, replicate, warnOfLeaving } from "./replicas";
import { auditKeys, newestOf } from "./keys";
import { deployedOutputs, requireAccount, warnOfEvents } from "./stack";

type EventDataStoreOutput = { [Key in keyof DeployedEventDataStore]: pulumi.Input<DeployedEventDataStore[Key]> };

/** The stack's outputs: the contract, and what the next deployment of this stack must know. */
type Outputs = { [Key in keyof Contract]: pulumi.Input<Contract[Key]> } & Delivery["outputs"] & {
    archive?: DeployedArchive;
    eventDataStore?: EventDataStoreOutput;
    replicas?: pulumi.Input<DeployedReplicas>;
  };

/** The audit stack: the archive's key and bucket, the audit account's own trail, and the contract as outputs. */
export async function audit(settings: AuditSettings): Promise<Outputs> {
  const {
    partition,
    auditAccountId,
    bucketName,
    logPrefix,
    bucketKeyEnabled,
    memberReaders,
    requireMfa,
    mfaExemptRoleArns,
    tags,
    keepArchive: keep,
  } = settings;
  const { breakGlassRoleArns, denyOtherEncryption, retention, notifications, forceDestroy, mfaDelete } =
    settings.archive;
  const own = settings.auditAccountTrail ? settings.fleet[0] : undefined;
  // The policies name every trail from configuration, not from outputs: they exist before the trails do, and a preview
  // shows them as they will be.
  const trails = settings.fleet.flatMap(({ trail, previous }) => (previous ? [trail, previous] : [trail]));
  const trailArns = trails.map(trailArn);
  const { previousLogPrefix, keyGeneration } = settings;
  const organization = grantOf(settings.organization);
  const organizationArgs = organization && {
    organizationId: organization.id,
    organizationTrailArns: organization.trails.map(trailArn),
    organizationAccounts: organization.accountIds,
  };
  const place = { partition, bucketName, logPrefix, previousLogPrefix };

  const policyOptions = { memberReaders, requireMfa, mfaExemptRoleArns, breakGlassRoleArns, denyOtherEncryption };
  // A fleet that does not fit into a policy is refused here, not by the second component when the first one is made.
  const futureKey = futureKeyArn(partition, settings.region, auditAccountId);
  const futureKeys = { keyArn: futureKey, previousKeyArns: Array.from({ length: keyGeneration - 1 }, () => futureKey) };
  const { keyReplicaRegions, replication } = settings.replicas;
  const encryptsCopies = replication?.keyArn === undefined;
  for (const region of [settings.region, ...keyReplicaRegions]) {
    const ofKey = replication && replicationOfKey(replication, region, encryptsCopies);
    keyPolicy(
      { ...place, auditAccountId, trails, organization, bucketKeyEnabled, memberReaders, replication: ofKey },
      settings.keyPolicyForm,
    );
  }
  bucketPolicy({ ...place, ...futureKeys, trails, organization, ...policyOptions }, settings.bucketPolicyForm);
  for (const reader of settings.readers) {
    readerTrust({ partition, ...reader });
    readPermissions({ ...place, ...futureKeys, organization, accountIds: reader.accountIds });
  }
  const caller = await requireAccount(auditAccountId, "auditAccountId");
  const deployed = await deployedOutputs();
  refuseAnotherArchive(deployed, settings);
  refuseReplicas(deployed, settings);
  const archive = archiveOf(settings, deployed);
  await warnOfPrefixChange(deployed, settings);
  refuseLostStore(deployed.eventDataStore, settings.eventDataStore, `Pulumi.${pulumi.getStack()}.yaml`);
  await requireBreakGlassRoles(settings, caller);
  await warnOfLock(settings, deployed);
  await warnOfLeaving(deployed, settings);

  const keys = auditKeys(settings, deployed, { ...place, ...organizationArgs, trailArns });
  const { key, formerKeyArns } = newestOf(keys);
  const source = { partition, accountId: auditAccountId, sourceBucketName: bucketName };
  const accessLogs =
    archive.accessLogBucket === undefined
      ? undefined
      : new AccessLogBucket("access-logs", {
          ...source,
          bucketName: archive.accessLogBucket,
          expirationDays: settings.archive.accessLogDays,
          keep,
          tags,
        });
  const queue =
    notifications === LogNotifications.Sqs
      ? new NotificationQueue("new-logs", { ...source, queueName: notificationQueueName(bucketName), tags })
      : undefined;
  const bucket = new AuditBucket("audit", {
    ...place,
    ...organizationArgs,
    trailArns,
    keyArn: key.keyArn,
    ...(formerKeyArns.length > 0 && { previousKeyArns: formerKeyArns }),
    bucketKeyEnabled,
    ...policyOptions,
    // Where it was taken away, Object Lock stays on without locking anything new.
    objectLock: settings.archive.objectLock ?? archive.objectLock,
    retention,
    mfaDelete,
    accessLogBucketName: settings.archive.accessLogBucket && accessLogs?.bucketName,
    eventBridge: notifications === LogNotifications.EventBridge,
    notificationQueueArn: queue?.queueArn,
    forceDestroy,
    policyForm: settings.bucketPolicyForm,
    keep,
    tags,
  });
  warnOfMfaDelete(settings, deployed, bucket.mfaDelete);
  const replicas = replicate(settings, keys, bucket);
  const { cloudWatchLogs, sns, ...trailOptions } = settings.trailOptions;
  const delivery = deliver("audit", own ? [trailArn(own.trail)] : [], own ? { cloudWatchLogs, sns } : {}, tags);
  if (own) {
    await warnOfEvents(settings.trailOptions, bucketArn(partition, bucketName), partition);
    new MemberTrail(
      "audit",
      {
        trailName: own.trail.name,
        bucketName,
        keyArn: key.keyArn,
        logPrefix,
        partition,
        ...trailOptions,
        ...delivery.trailArgs,
        tags,
      },
      // CloudTrail tries the bucket and the key when it creates a trail, so their policies come first.
      { dependsOn: [bucket, key] },
    );
  }

  const store = settings.eventDataStore && eventDataStore(settings, settings.eventDataStore);

  const readers = settings.readers.map(({ name, ...reader }) => ({
    name,
    roleArn: new LogReader(name, {
      ...place,
      ...reader,
      roleName: name,
      keyArn: key.keyArn,
      ...(formerKeyArns.length > 0 && { previousKeyArns: formerKeyArns }),
      ...(organization && {
        organizationId: organization.id,
        organizationTrailArns: organization.trails.map(trailArn),
      }),
      tags,
    }).roleArn,
    trustedAccounts: reader.trustedAccounts,
  }));

  const { trails: declared, ...contract } = declaredContract(settings);
  return {
    ...contract,
    keyArn: key.keyArn,
    trails: declared,
    ...(formerKeyArns.length > 0 && { previousKeyArns: pulumi.all(formerKeyArns) }),
    ...delivery.outputs,
    ...(store && { eventDataStore: store }),
    ...(readers.length > 0 && { readers: pulumi.output(readers) }),
    ...(replicas && { replicas }),
    ...(Object.keys(archive).length > 0 && { archive }),
  };
}

/** A change of the prefix alone would refuse deliveries until each member has followed; CloudTrail tries them again. */
async function warnOfPrefixChange(deployed: Record<string, unknown>, settings: AuditSettings): Promise<void> {
  const before = deployed.logPrefix;
  if (typeof before !== "string" || [settings.logPrefix, settings.previousLogPrefix].includes(before)) return;
  await pulumi.log.warn(
    `crosstrail:logPrefix was ${JSON.stringify(before)}. Until every trail has followed, its deliveries are refused and tried ` +
      `again later. To authorise both meanwhile, add:\n  crosstrail:previousLogPrefix: ${before === "" ? '"/"' : before}`,
  );
}

/** An event data store of the audit account, and what the stack gives out of it. */
function eventDataStore(
  { partition, auditAccountId, tags }: AuditSettings,
  { name, retentionDays, advancedEventSelectors, roleArns, keep }: EventDataStoreChoice,
): EventDataStoreOutput {
  const { eventDataStoreArn: arn } = new EventDataStore("audit", {
    partition,
    accountId: auditAccountId,
    storeName: name,
    retentionInDays: retentionDays,
    advancedEventSelectors,
    roleArns,
    keep,
    tags,
  });
  return { arn, name, keep };
}

/**
 * A deployed archive keeps its account, Region and bucket: a change would leave the logs behind in the old bucket, and
 * every member's trail delivering to it.
 */
function refuseAnotherArchive(deployed: Record<string, unknown>, settings: AuditSettings): void {
  const kept = [
    ["crosstrail:auditAccountId", deployed.auditAccountId, settings.auditAccountId],
    ["crosstrail:bucketName", deployed.bucketName, settings.bucketName],
    ["aws:region", deployed.bucketRegion, settings.region],
  ] as const;
  const findings = kept
    .filter(([, before, now]) => before !== undefined && before !== now)
    .map(([subject, before, now]) => ({
      id: "archive/moved",
      severity: "error" as const,
      subject: `${subject} = ${JSON.stringify(now)}`,
      message: `The archive is deployed with ${JSON.stringify(before)}. Changing it would begin another archive and leave the logs of this one behind.`,
      remedy:
        "Set it back. For another archive, create another audit stack (pulumi stack init) and let the members follow with crosstrail:auditStack.",
    }));
  const generations = 1 + ((deployed.previousKeyArns as unknown[] | undefined)?.length ?? 0);
  if (settings.keyGeneration < generations) {
    findings.push({
      id: "archive/key-generation",
      severity: "error",
      subject: `crosstrail:keyGeneration = ${settings.keyGeneration}`,
      message: `The archive has ${generations} keys. Without one of them the logs that it encrypted cannot be read.`,
      remedy: `Set crosstrail:keyGeneration back to ${generations}.`,
    });
  }
  if (findings.length > 0) throw new UserError("The archive cannot be moved. Nothing was changed.", findings);
}
