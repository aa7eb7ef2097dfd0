/** The management account's stack: the organization's trail, and what the organization needs for it. */
import * as pulumi from "@pulumi/pulumi";
import { OrganizationTrail } from "../components/organizationTrail";
import type { Contract } from "../core/contract";
import { authoriseOrganization, refuseOtherImport, refuseReplacement } from "../core/contract";
import { formatFinding, UserError } from "../core/findings";
import { LeaveAsIs } from "../core/leftAsIs";
import { organizationLogPath, trailArn } from "../core/names";
import type { OrganizationWish } from "../core/organizationPrerequisites";
import { organizationFindings } from "../core/organizationPrerequisites";
import type { ManagementSettings } from "../core/settings";
import { contractOf } from "./contract";
import { deliverToArchive } from "./delivery";
import { checkGuardrails, concernsGuardrails } from "./guardrails";
import type { OrganizationAccess } from "./organizationAccess";
import { deployedOutputs, requireAccount } from "./stack";
import { warn } from "./warning";

/** A management stack: the organization's trail, as the audit stack's contract authorizes it. */
export async function management(
  settings: ManagementSettings,
  open: (region: string) => OrganizationAccess = openAccess,
): Promise<Record<string, pulumi.Input<unknown>>> {
  const { accountId, isOrganizationTrail } = settings;
  const { contract, auditStack } = await contractOf(settings.source, accountId);
  const authorised = authoriseOrganization(contract, settings, auditStack);
  await requireAccount(accountId, "accountId");
  const deployed = await deployedOutputs();
  const deployedArn = deployed.trailArn as string | undefined;
  refuseReplacement(deployedArn, authorised);
  // Once the stack has the trail, there is nothing to take over; it may have been renamed since.
  const { imported } = settings;
  const importTrailArn = deployedArn === undefined ? imported?.trailArn : undefined;
  if (importTrailArn !== undefined) refuseOtherImport(importTrailArn, authorised);
  const { organizationId, managementAccountId } = authorised;
  const wish: OrganizationWish = {
    ...settings,
    ...authorised,
    importTrailArn,
    ...(deployedArn !== undefined && {
      deployed: { trailArn: deployedArn, isOrganizationTrail: deployed.isOrganizationTrail === true },
    }),
    memberAccountIds: membersOf(contract),
  };
  const attachGuardrails = await requirePrerequisites(open(settings.region), wish, async (access) => {
    const policyTypes = concernsGuardrails(settings) ? await access.policyTypes() : undefined;
    const place = { accountId, managementAccountId, organizationId };
    return checkGuardrails(settings, { contract, policyTypes, ...place }, deployed.guardrails);
  });

  const { trailArgs, outputs } = await deliverToArchive(
    contract,
    authorised,
    settings,
    isOrganizationTrail ? organizationId : undefined,
  );
  const trail = new OrganizationTrail(
    "management",
    {
      ...trailArgs,
      importTrailArn,
      leaveAsIs: imported?.leaveAsIs,
      isOrganizationTrail,
      delegatedAdministrator: settings.delegatedAdministrator,
    },
    // The account's own trail of before: CloudTrail turns it into the organization's in place.
    { aliases: [{ name: "member", type: "crosstrail:index:MemberTrail" }] },
  );
  const guardrails = attachGuardrails();
  const { bucketName, logPrefix } = contract;
  return {
    accountId,
    organizationId,
    managementAccountId,
    isOrganizationTrail,
    trailArn: trail.trailArn,
    // What delivers elsewhere is not the archive's to say.
    ...(!imported?.leaveAsIs.includes(LeaveAsIs.Delivery) && {
      logLocation: `s3://${bucketName}/${organizationLogPath({ logPrefix, organizationId })}/`,
    }),
    ...outputs,
    ...(guardrails && { guardrails }),
  };
}

/** The accounts that the contract says are in the organization. */
function membersOf({ trails }: Contract): string[] {
  return trails
    .filter(({ inOrganization, alias }) => inOrganization !== false && alias !== "audit")
    .map(({ accountId }) => accountId);
}

/**
 * Refuses what could only fail, before anything is created. What was asked to be turned on is, outside of the stack's
 * state: no resource stands for it, so destroying a stack can never turn it off for the whole organization.
 * @param check what else is checked before anything is turned on.
 */
async function requirePrerequisites<Checked>(
  access: OrganizationAccess,
  wish: OrganizationWish,
  check: (access: OrganizationAccess) => Promise<Checked>,
): Promise<Checked> {
  try {
    let state = await access.read();
    const isReady = !organizationFindings(state, wish).some(({ severity }) => severity === "error");
    const checked = isReady ? await check(access) : undefined;
    if (!pulumi.runtime.isDryRun() && isReady) {
      const done = await access.enable(state, wish);
      for (const each of done) await pulumi.log.info(each);
      if (done.length > 0) state = await access.read();
    }
    const findings = organizationFindings(state, wish);
    const errors = findings.filter(({ severity }) => severity === "error");
    if (errors.length > 0) {
      throw new UserError(`The organization is not ready for ${trailArn(wish.trail)}. Nothing was changed.`, errors);
    }
    for (const finding of findings) {
      if (finding.severity === "warning") await warn(finding);
      else await pulumi.log.info(formatFinding(finding).trimStart());
    }
    return checked as Checked;
  } finally {
    access.close();
  }
}

/* eslint-disable @typescript-eslint/no-require-imports, @typescript-eslint/consistent-type-imports */
function openAccess(region: string): OrganizationAccess {
  // Loaded late: the AWS SDK takes longer to load than the rest.
  return (require("./organizationAccess") as typeof import("./organizationAccess")).organizationAccess(region);
}
/* eslint-enable */
