import { AuditBucket } from "../components/auditBucket";
import { AuditKey } from "../components/auditKey";
import { EventDataStore } from "../components/eventDataStore";
import { LogReader } from "../components/logReader";
import { MemberTrail } from "../components/memberTrail";
import type { Contract } from "../core/contract";
import { declaredContract, stackTag } from "../core/fleet";
import type { DeployedEventDataStore, EventDataStoreChoice } from "../core/eventDataStore";
import { refuseLostStore } from "../core/eventDataStore";
import { UserError } from "../core/findings";
import { bucketArn, futureKeyArn, trailArn } from "../core/names";
import { bucketPolicy } from "../core/policies/bucket";
import { keyPolicy } from "../core/policies/key";
import { readerTrust, readPermissions } from "../core/policies/reader";
import type { AuditSettings } from "../core/settings";
import * as pulumi from "@pulumi/pulumi";
import type { Delivery } from "./delivery";
import { deliver } from "./delivery";
import { deployedOutputs, fullStackName, requireAccount, warnOfEvents } from "./stack";

type EventDataStoreOutput = { [Key in keyof DeployedEventDataStore]: pulumi.Input<DeployedEventDataStore[Key]> };

/** The contract, and what only this account is concerned with. */
type AuditOutputs = { [Key in keyof Contract]: pulumi.Input<Contract[Key]> } & Delivery["outputs"] & {
    eventDataStore?: EventDataStoreOutput;
  };

/** The audit stack: the archive's key and bucket, the audit account's own trail, and the contract as outputs. */
export async function audit(settings: AuditSettings): Promise<AuditOutputs> {
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
  const own = settings.auditAccountTrail ? settings.fleet[0] : undefined;
  // The policies name every trail from configuration, not from outputs: they exist before the trails do, and a preview
  // shows them as they will be.
  const trails = settings.fleet.flatMap(({ trail, previous }) => (previous ? [trail, previous] : [trail]));
  const trailArns = trails.map(trailArn);

  // A fleet that does not fit into a policy is refused here, not by the second component when the first one is made.
  keyPolicy({ partition, auditAccountId, trails, bucketKeyEnabled, memberReaders }, settings.keyPolicyForm);
  bucketPolicy(
    { partition, bucketName, logPrefix, trails, memberReaders, requireMfa, mfaExemptRoleArns },
    settings.bucketPolicyForm,
  );
  for (const reader of settings.readers) {
    const keyArn = futureKeyArn(partition, settings.region, auditAccountId);
    readerTrust({ partition, ...reader });
    readPermissions({ partition, bucketName, logPrefix, keyArn, accountIds: reader.accountIds });
  }
  await requireAccount(auditAccountId, "auditAccountId");
  const deployed = await deployedOutputs();
  refuseAnotherArchive(deployed, settings);
  refuseLostStore(deployed.eventDataStore, settings.eventDataStore, `Pulumi.${pulumi.getStack()}.yaml`);

  const key = new AuditKey("audit", {
    partition,
    auditAccountId,
    trailArns,
    bucketKeyEnabled,
    memberReaders,
    aliasName: settings.keyAlias,
    rotationPeriodInDays: settings.keyRotationDays,
    policyForm: settings.keyPolicyForm,
    keep,
    tags: { ...tags, [stackTag]: fullStackName(pulumi.getStack()) },
  });
  const bucket = new AuditBucket("audit", {
    partition,
    bucketName,
    logPrefix,
    trailArns,
    keyArn: key.keyArn,
    bucketKeyEnabled,
    memberReaders,
    requireMfa,
    mfaExemptRoleArns,
    policyForm: settings.bucketPolicyForm,
    keep,
    tags,
  });
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
      partition,
      ...reader,
      roleName: name,
      bucketName,
      keyArn: key.keyArn,
      logPrefix,
      tags,
    }).roleArn,
    trustedAccounts: reader.trustedAccounts,
  }));

  const { trails: declared, ...contract } = declaredContract(settings);
  return {
    ...contract,
    keyArn: key.keyArn,
    trails: declared,
    ...delivery.outputs,
    ...(store && { eventDataStore: store }),
    ...(readers.length > 0 && { readers: pulumi.output(readers) }),
  };
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
  if (findings.length > 0) throw new UserError("The archive cannot be moved. Nothing was changed.", findings);
}
