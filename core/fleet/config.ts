/** What the stack of a member, and of the organization trail, is configured with when it has no file of its own. */
import type { Contract } from "../contract";
import { parseTrailArn } from "../names";
import { fillIn } from "../placeholders";
import type { AuditSettings, Member } from "../settings";
import { hasStack, StackKind } from "./stacks";

/** Where the contract comes from. */
type Source = { auditStack: string } | { contract: Contract };

/** How an account is accessed, and where its trail is. */
type Entry = Pick<Member, "accountId" | "alias" | "homeRegion" | "deployRoleArn" | "deployProfile">;

/** The configuration of a member's stack that has no file of its own, with Pulumi's names. */
export function memberConfig(settings: AuditSettings, member: Entry, source: Source): Record<string, unknown> {
  return {
    ...stackConfig(settings, StackKind.Member, member, source),
    ...Object.fromEntries(
      Object.entries(settings.memberDefaults).map(([name, value]) => [`crosstrail:${name}`, value]),
    ),
  };
}

/** The same for the organization trail's stack. */
export function managementConfig(settings: AuditSettings, entry: Entry, source: Source): Record<string, unknown> {
  const { attach, mayDetach } = settings.guardrails;
  return {
    ...stackConfig(settings, StackKind.Management, entry, source),
    ...(attach.length > 0 && { "crosstrail:guardrails": attach }),
    ...(mayDetach.length > 0 && { "crosstrail:detachGuardrails": mayDetach }),
  };
}

function stackConfig(settings: AuditSettings, role: StackKind, entry: Entry, source: Source): Record<string, unknown> {
  const { accountId, alias } = entry;
  const values = { partition: settings.partition, accountId, alias };
  const { deployExternalId: externalId } = settings;
  const roleArn = entry.deployRoleArn ?? fillIn(settings.deployRole, values);
  const profile = entry.deployProfile ?? fillIn(settings.deployProfile, values);
  return {
    "aws:region": entry.homeRegion ?? settings.region,
    "aws:allowedAccountIds": [accountId],
    ...(profile !== "" && { "aws:profile": profile }),
    ...(roleArn !== "" && { "aws:assumeRoles": [{ roleArn, ...(externalId !== "" && { externalId }) }] }),
    "crosstrail:role": role,
    "crosstrail:accountId": accountId,
    ...("contract" in source
      ? { "crosstrail:contract": source.contract }
      : { "crosstrail:auditStack": source.auditStack }),
    ...(settings.permissionsBoundary !== "" && { "crosstrail:permissionsBoundary": settings.permissionsBoundary }),
    ...(settings.extraRegions.length > 0 && { "crosstrail:extraRegions": settings.extraRegions }),
  };
}

/** The organization trail's account as it is declared, or as the deployed contract still knows it. */
export function managementEntry(settings: AuditSettings, deployed: Contract | undefined): Entry | undefined {
  const { organization } = settings;
  if (hasStack(organization)) {
    const { managementAccountId, alias, trail, deployRoleArn, deployProfile } = organization;
    return { accountId: managementAccountId, alias, homeRegion: trail.region, deployRoleArn, deployProfile };
  }
  const former = deployed?.organization;
  if (former?.alias === undefined) return undefined;
  return {
    accountId: former.managementAccountId,
    alias: former.alias,
    homeRegion: parseTrailArn(former.trailArn ?? "")?.region,
    // An organization that is declared without its trail any more still says how its account is accessed.
    deployRoleArn: organization?.deployRoleArn,
    deployProfile: organization?.deployProfile,
  };
}

/** The management account as far as it is known, to ask about a trail whose stack is not part of the fleet. */
export function outsideEntry(settings: AuditSettings, deployed: Contract | undefined): Entry | undefined {
  const { organization } = settings;
  const accountId = organization?.managementAccountId ?? deployed?.organization?.managementAccountId;
  if (accountId === undefined) return undefined;
  const trail = organization?.trail ?? parseTrailArn(deployed?.organization?.trailArn ?? "");
  return {
    accountId,
    alias: organization?.alias ?? "organization",
    homeRegion: trail?.region,
    deployRoleArn: organization?.deployRoleArn,
    deployProfile: organization?.deployProfile,
  };
}

/** A removed member as it was declared: what the deployed contract knows of it. */
export function removedMember(contract: Contract, accountId: string): Entry {
  const found = contract.trails.find((trail) => trail.accountId === accountId);
  return { accountId, alias: found?.alias ?? "", homeRegion: parseTrailArn(found?.trailArn ?? "")?.region };
}
