import { AuditBucket } from "../components/auditBucket";
import { AuditKey } from "../components/auditKey";
import { LogReader } from "../components/logReader";
import { MemberTrail } from "../components/memberTrail";
import type { Contract } from "../core/contract";
import { declaredContract, stackTag } from "../core/fleet";
import { UserError } from "../core/findings";
import { futureKeyArn, trailArn } from "../core/names";
import { bucketPolicy } from "../core/policies/bucket";
import { keyPolicy } from "../core/policies/key";
import { readerTrust, readPermissions } from "../core/policies/reader";
import type { AuditSettings } from "../core/settings";
import * as pulumi from "@pulumi/pulumi";
import { deployedOutputs, fullStackName, requireAccount } from "./stack";

/** The audit stack: the archive's key and bucket, the audit account's own trail, and the contract as outputs. */
export async function audit(
  settings: AuditSettings,
): Promise<{ [Key in keyof Contract]: pulumi.Input<Contract[Key]> }> {
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
  refuseAnotherArchive(await deployedOutputs(), settings);

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
  if (own) {
    new MemberTrail(
      "audit",
      { trailName: own.trail.name, bucketName, keyArn: key.keyArn, logPrefix, ...settings.trailOptions, tags },
      // CloudTrail tries the bucket and the key when it creates a trail, so their policies come first.
      { dependsOn: [bucket, key] },
    );
  }

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
    ...(readers.length > 0 && { readers: pulumi.output(readers) }),
  };
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
