/** What is checked before the audit stack creates or changes anything, and what is said about it. */
import * as pulumi from "@pulumi/pulumi";
import { archivePolicies } from "../core/archivePolicies";
import { refuseLostStore } from "../core/eventDataStore";
import { UserError } from "../core/findings";
import type { AuditSettings } from "../core/settings";
import type { DeployedArchive } from "./archive";
import { archiveOf, requireBreakGlassRoles, warnOfLock } from "./archive";
import { refuseReplicas, warnOfLeaving } from "./replicas";
import { deployedOutputs, requireAccount, stackFile } from "./stack";

/**
 * Refuses what AWS would refuse, or what would lose logs or lock everybody out; warns of what cannot be undone.
 * @returns what is deployed, and the archive's controls as they will be.
 * @throws UserError; nothing has been changed then.
 */
export async function checkAudit(
  settings: AuditSettings,
): Promise<{ deployed: Record<string, unknown>; archive: DeployedArchive }> {
  // A fleet that does not fit into a policy is refused here, not by the second component when the first one is made.
  archivePolicies(settings);
  const caller = await requireAccount(settings.auditAccountId, "auditAccountId");
  const deployed = await deployedOutputs();
  refuseAnotherArchive(deployed, settings);
  refuseReplicas(deployed, settings);
  const archive = archiveOf(settings, deployed);
  await warnOfPrefixChange(deployed, settings);
  refuseLostStore(deployed.eventDataStore, settings.eventDataStore, stackFile());
  await requireBreakGlassRoles(settings, caller);
  await warnOfLock(settings, deployed);
  await warnOfLeaving(deployed, settings);
  return { deployed, archive };
}

/** A change of the prefix alone would refuse deliveries until each member has followed; CloudTrail tries them again. */
async function warnOfPrefixChange(deployed: Record<string, unknown>, settings: AuditSettings): Promise<void> {
  const before = deployed.logPrefix;
  if (typeof before !== "string" || [settings.logPrefix, settings.previousLogPrefix].includes(before)) return;
  await pulumi.log.warn(
    `crosstrail:logPrefix was ${JSON.stringify(before)}. Until every trail has followed, CloudTrail's deliveries are refused and retried ` +
      `later. To authorize both in the meantime, add:\n  crosstrail:previousLogPrefix: ${before === "" ? '"/"' : before}`,
  );
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
      message: `The archive is deployed with ${JSON.stringify(before)}. Changing this would create a new archive and leave this one's logs behind.`,
      remedy:
        "Undo the change. For another archive, create another audit stack (pulumi stack init) and move the members to it with crosstrail:auditStack.",
    }));
  const generations = 1 + ((deployed.previousKeyArns as unknown[] | undefined)?.length ?? 0);
  if (settings.keyGeneration < generations) {
    findings.push({
      id: "archive/key-generation",
      severity: "error",
      subject: `crosstrail:keyGeneration = ${settings.keyGeneration}`,
      message: `The archive has ${generations} keys. Without one of them, the logs it encrypted cannot be read.`,
      remedy: `Restore crosstrail:keyGeneration to ${generations}.`,
    });
  }
  if (findings.length > 0) throw new UserError("The archive cannot be moved. Nothing was changed.", findings);
}
