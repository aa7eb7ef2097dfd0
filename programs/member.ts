import type * as pulumi from "@pulumi/pulumi";
import { MemberTrail } from "../components/memberTrail";
import { authorise, refuseOtherImport, refuseReplacement } from "../core/contract";
import { LeaveAsIs } from "../core/leftAsIs";
import { bucketArn, logPath, trailArn } from "../core/names";
import type { MemberSettings } from "../core/settings";
import { readContract } from "./contract";
import { deliver } from "./delivery";
import { deployedOutputs, fullStackName, requireAccount, warnOfEvents } from "./stack";

/** A member stack: the trail of one account, as the audit stack's contract authorises it. */
export async function member(settings: MemberSettings): Promise<Record<string, pulumi.Input<unknown>>> {
  const { accountId, source } = settings;
  const auditStack = "auditStack" in source ? fullStackName(source.auditStack) : undefined;
  const contract = "contract" in source ? source.contract : await readContract(fullStackName(source.auditStack));
  const authorised = authorise(contract, settings, auditStack);
  await requireAccount(accountId, "accountId");
  const deployed = await deployedOutputs();
  refuseReplacement(deployed.trailArn as string | undefined, authorised);

  // Once the stack has the trail, there is nothing to take over; it may have been renamed since.
  const { imported } = settings;
  const importTrailArn = deployed.trailArn === undefined ? imported?.trailArn : undefined;
  if (importTrailArn !== undefined) refuseOtherImport(importTrailArn, authorised);

  const { bucketName, keyArn, logPrefix, partition } = contract;
  await warnOfEvents(settings.trailOptions, bucketArn(partition, bucketName), partition);
  const { cloudWatchLogs, sns, ...trailOptions } = settings.trailOptions;
  const { previousTrailArn } = authorised;
  const delivery = deliver(
    "member",
    [trailArn(authorised.trail), ...(previousTrailArn === undefined ? [] : [previousTrailArn])],
    { cloudWatchLogs, sns },
    settings.tags,
  );
  const trail = new MemberTrail(
    "member",
    {
      trailName: authorised.trail.name,
      bucketName,
      keyArn,
      logPrefix,
      partition,
      ...trailOptions,
      ...delivery.trailArgs,
      tags: settings.tags,
      importTrailArn,
      leaveAsIs: imported?.leaveAsIs,
    },
    // The management account's trail, back from being the organization's: the same trail, not a new one.
    { aliases: [{ name: "management", type: "crosstrail:index:OrganizationTrail" }] },
  );
  return {
    accountId,
    alias: authorised.alias,
    trailArn: trail.trailArn,
    // What delivers elsewhere is not the archive's to say.
    ...(!imported?.leaveAsIs.includes(LeaveAsIs.Delivery) && {
      logLocation: `s3://${bucketName}/${logPath({ logPrefix, accountId })}/`,
    }),
    ...delivery.outputs,
  };
}
