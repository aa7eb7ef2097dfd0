import * as pulumi from "@pulumi/pulumi";
import { MemberTrail } from "../components/memberTrail";
import type { Contract } from "../core/contract";
import { authorise, contractKeys, parseContract, refuseReplacement } from "../core/contract";
import { UserError } from "../core/findings";
import { bucketArn, logPath, trailArn } from "../core/names";
import type { MemberSettings } from "../core/settings";
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
  const trail = new MemberTrail("member", {
    trailName: authorised.trail.name,
    bucketName,
    keyArn,
    logPrefix,
    partition,
    ...trailOptions,
    ...delivery.trailArgs,
    tags: settings.tags,
  });
  return {
    accountId,
    alias: authorised.alias,
    trailArn: trail.trailArn,
    logLocation: `s3://${bucketName}/${logPath({ logPrefix, accountId })}/`,
    ...delivery.outputs,
  };
}

/** Reads the contract from the audit stack's outputs, as plain values: everything is decided before anything is created. */
async function readContract(auditStack: string): Promise<Contract> {
  await requireStack(auditStack);
  const reference = new pulumi.StackReference(auditStack);
  const outputs: Record<string, unknown> = {};
  for (const key of contractKeys) {
    const { value, secretValue } = await reference.getOutputDetails(key);
    outputs[key] = value ?? secretValue;
  }
  return parseContract(outputs, auditStack);
}

/** A StackReference to a stack that does not exist ends the program with the engine's own words; this says what to do. */
async function requireStack(name: string): Promise<void> {
  try {
    await pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", { name });
  } catch (error) {
    if (!/unknown stack/.test(String(error))) throw error;
    throw new UserError("The audit stack was not found. Nothing was changed.", [
      {
        id: "stack/no-audit-stack",
        severity: "error",
        subject: `crosstrail:auditStack = "${name}"`,
        message: "There is no such stack in this backend.",
        remedy:
          "Deploy the audit stack first, or correct the name: organization/project/stack, as pulumi stack ls --all prints it.\n" +
          "For a preview before the audit stack exists, give its values in crosstrail:contract instead.",
      },
    ]);
  }
}
