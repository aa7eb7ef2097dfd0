/** What is checked before the audit stack creates or changes anything, and what is said about it. */
import * as pulumi from "@pulumi/pulumi";
import { archivePolicies } from "../core/archivePolicies";
import type { Contract } from "../core/contract";
import { contractSchema, ownTrailOf, refuseSecondOwnTrail } from "../core/contract";
import { refuseLostStore } from "../core/eventDataStore";
import type { Finding } from "../core/findings";
import { UserError } from "../core/findings";
import type { TakenAway } from "../core/fleet";
import { narrowingFinding, takenAway } from "../core/fleet";
import { trailArn } from "../core/names";
import type { AuditSettings } from "../core/settings";
import type { TrailAsIs } from "../core/simulate";
import type { AuditAccess, DeployedArchive } from "./archive";
import { archiveOf, checkMfaDelete, requireBreakGlassRoles, warnOfLock } from "./archive";
import { refuseTakenAlias } from "./keys";
import { refuseReplicas, warnOfLeaving } from "./replicas";
import { deployedOutputs, fullStackName, requireAccount, stackFile } from "./stack";
import { warn } from "./warning";

/**
 * Refuses what AWS would refuse, or what would lose logs or lock everybody out; warns of what cannot be undone.
 * @returns what is deployed, and the archive's controls as they will be.
 * @throws UserError; nothing has been changed then.
 */
export async function checkAudit(
  settings: AuditSettings,
  access: AuditAccess,
): Promise<{ deployed: Record<string, unknown>; archive: DeployedArchive }> {
  // A fleet that does not fit into a policy is refused here, not by the second component when the first one is made.
  archivePolicies(settings);
  const caller = await requireAccount(settings.auditAccountId, "auditAccountId");
  const deployed = await deployedOutputs();
  refuseAnotherArchive(deployed, settings);
  refuseReplicas(deployed, settings);
  refuseAnotherImport(settings, deployed);
  const archive = archiveOf(settings, deployed);
  await guardTrails(deployed, settings);
  refuseLostStore(deployed.eventDataStore, settings.eventDataStore, stackFile());
  await refuseTakenAlias(settings, deployed, access);
  await requireBreakGlassRoles(settings, caller, access);
  await checkMfaDelete(settings, deployed, access);
  await warnOfLock(settings, deployed);
  await warnOfLeaving(deployed, settings);
  return { deployed, archive };
}

/**
 * Refuses a change that would cut off trails whose stacks are known to be deployed, and warns of authorizations that go away. A
 * program cannot ask other accounts; it knows what their stacks in the same project say. `crosstrail up` asks AWS.
 */
async function guardTrails(deployed: Record<string, unknown>, settings: AuditSettings): Promise<void> {
  const { data: contract } = contractSchema.safeParse(deployed);
  if (!contract) return;
  const taken = takenAway(contract, settings).filter((each) => each.isRemoved || isPlain(each, contract, settings));
  const known = await Promise.all(taken.map(async (each) => ({ each, stack: await stateOf(each) })));
  const findings = known
    .filter(({ each, stack }) => stack === "deployed" && !each.isRemoved)
    .flatMap(({ each }) => narrowingFinding(each, asDeployed(each, contract), contract, settings) ?? []);
  const [first] = findings;
  if (first) {
    const more =
      findings.length > 1
        ? `${first.subject}, and ${findings.length - 1} more ${findings.length === 2 ? "trail" : "trails"}`
        : first.subject;
    throw new UserError("Trails would be cut off. Nothing was changed.", [{ ...first, subject: more }]);
  }
  const aliases = (wanted: string) => known.filter(({ stack }) => stack === wanted).map(({ each }) => each.alias);
  const [still, unknown] = [aliases("deployed"), aliases("unknown")];
  if (still.length > 0) {
    await warn({
      id: "trail/cut-off",
      subject: still.join(", "),
      message:
        "These trails are still deployed, and this update removes their authorization: from then on their logs are refused.",
      remedy: "Destroy their stacks first: pulumi destroy --run-program -s <stack>",
    });
  }
  if (unknown.length > 0) {
    await warn({
      id: "trail/not-asked",
      subject: unknown.join(", "),
      message:
        "This update removes the authorization of these trails, and it is not known here whether they still deliver.",
      remedy: "Deploy with crosstrail up, which asks AWS first.",
    });
  }
}

/** The trail as the deployed contract has its stack make it. */
function asDeployed(
  { trailArn, isOrganizationTrail }: TakenAway,
  { bucketName, logPrefix, keyArn }: Contract,
): TrailAsIs {
  return { trailArn, bucketName, logPrefix, keyArn, isLogging: true, isOrganizationTrail };
}

/** Whether it is refused as the contract has it now: nothing authorizes both states meanwhile. */
function isPlain(each: TakenAway, contract: Contract, settings: AuditSettings): boolean {
  return narrowingFinding(each, asDeployed(each, contract), contract, settings) !== undefined;
}

/** What the trail's stack says, if it is one of this project and named by the alias. */
async function stateOf({ alias, trailArn }: TakenAway): Promise<"deployed" | "gone" | "unknown"> {
  try {
    const result = await pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", { name: fullStackName(alias) });
    const { outputs = {} } = result as { outputs?: Record<string, unknown> };
    return outputs.trailArn === trailArn ? "deployed" : "gone";
  } catch (error) {
    if (/unknown stack/.test(String(error))) return "unknown";
    throw error;
  }
}

/** ARN of the audit account's own trail, if the stack has made or adopted it. */
export function ownDeployedTrail(deployed: Record<string, unknown>): string | undefined {
  const { data: contract } = contractSchema.safeParse(deployed);
  return contract && ownTrailOf(contract);
}

/** An adopted trail keeps its name by `importTrail`: without the key it would be replaced by one of another name. */
function refuseAnotherImport(settings: AuditSettings, deployed: Record<string, unknown>): void {
  const { imported, auditAccountTrail, fleet } = settings;
  const { data: contract } = contractSchema.safeParse(deployed);
  if (imported && contract) refuseSecondOwnTrail(imported.trailArn, contract);
  const { adoptedTrailArn: adopted } = deployed;
  const own = fleet[0] && trailArn(fleet[0].trail);
  if (imported || !auditAccountTrail || typeof adopted !== "string" || adopted === own) return;
  throw new UserError("The adopted trail would be replaced. Nothing was changed.", [
    {
      id: "trail/replaced",
      severity: "error",
      subject: "crosstrail:importTrail is not set",
      message: `The stack adopted ${adopted}, and the key names it. Without the key, the trail would be replaced by ${own}, and events in between would be lost.`,
      remedy: `pulumi config set --stack ${pulumi.getStack()} importTrail ${adopted}`,
    },
  ]);
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
  const findings: Finding[] = kept
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
