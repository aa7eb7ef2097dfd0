/** A member account's stack: its trail. */
import type * as pulumi from "@pulumi/pulumi";
import { MemberTrail } from "../components/memberTrail";
import { authorise, memberContract, refuseOtherImport, refuseReplacement } from "../core/contract";
import { LeaveAsIs } from "../core/leftAsIs";
import { logPath } from "../core/names";
import type { MemberSettings } from "../core/settings";
import { contractOf } from "./contract";
import { deliverToArchive } from "./delivery";
import { deployedOutputs, requireAccount } from "./stack";

/** A member stack: the trail of one account, as the audit stack's contract authorizes it. */
export async function member(settings: MemberSettings): Promise<Record<string, pulumi.Input<unknown>>> {
  const { accountId } = settings;
  const { contract: whole, auditStack } = await contractOf(settings.source, accountId);
  const authorised = authorise(whole, settings, auditStack);
  // Nothing else from here on: a stack whose part of the contract is the same need not be run again.
  const contract = memberContract(whole, accountId);
  await requireAccount(accountId, "accountId");
  const deployed = await deployedOutputs();
  refuseReplacement(deployed.trailArn as string | undefined, authorised);

  // Once the stack has the trail, there is nothing to take over; it may have been renamed since.
  const { imported } = settings;
  const importTrailArn = deployed.trailArn === undefined ? imported?.trailArn : undefined;
  if (importTrailArn !== undefined) refuseOtherImport(importTrailArn, authorised);

  const { trailArgs, outputs } = await deliverToArchive(contract, authorised, settings);
  const trail = new MemberTrail(
    "member",
    { ...trailArgs, importTrailArn, leaveAsIs: imported?.leaveAsIs },
    // The management account's trail, back from being the organization's: the same trail, not a new one.
    { aliases: [{ name: "management", type: "crosstrail:index:OrganizationTrail" }] },
  );
  return {
    accountId,
    alias: authorised.alias,
    trailArn: trail.trailArn,
    // What delivers elsewhere is not the archive's to say.
    ...(!imported?.leaveAsIs.includes(LeaveAsIs.Delivery) && {
      logLocation: `s3://${contract.bucketName}/${logPath({ logPrefix: contract.logPrefix, accountId })}/`,
    }),
    ...outputs,
  };
}
