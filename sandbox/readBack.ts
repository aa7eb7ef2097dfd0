// Asks AWS, not Pulumi, what was deployed, and whether it lets CloudTrail deliver.

import { CloudTrailClient, DescribeTrailsCommand, GetTrailStatusCommand } from "@aws-sdk/client-cloudtrail";
import { readDeployed } from "../automation/deployed";
import type { Contract } from "../core/contract";
import { type Delivery, whyNoDelivery } from "../core/simulate";
import { parseTrailArn, trailArn } from "../core/names";
import { OUTSIDER } from "./accounts";
import type { AwsAccess } from "./index";

export interface TrailCheck {
  alias: string;
  accountId: string;
  /** As AWS gives it; undefined when the account has no such trail. */
  trailArn?: string;
  isLogging: boolean;
  delivery: Delivery;
}

export interface ReadBack {
  trails: TrailCheck[];
  /** The same trail in an account that is not in the fleet: it must not be able to deliver. */
  outsider: Delivery;
  /** The policies, as AWS gives them back. */
  deployed: { bucket?: string; key?: string; bucketKey: boolean };
}

/** @param access How to reach an account of the fleet. */
export async function readBack(
  contract: Contract,
  access: (accountId: string) => Promise<AwsAccess>,
): Promise<ReadBack> {
  const { bucketName, keyArn, logPrefix, auditAccountId } = contract;
  const { bucket, key, bucketKey } = await readDeployed(contract, await access(auditAccountId));
  const check = (arn: string) =>
    whyNoDelivery(bucket, key, {
      trailArn: arn,
      bucketName,
      bucketAccountId: auditAccountId,
      logPrefix,
      keyArn,
      bucketKey,
    });
  const trails = await Promise.all(
    contract.trails.map(async ({ accountId, alias, trailArn: arn }): Promise<TrailCheck> => {
      const found = await readTrail(arn, await access(accountId));
      return { alias, accountId, ...found, delivery: check(found.trailArn ?? arn) };
    }),
  );
  const [any] = contract.trails;
  const identity = any && parseTrailArn(any.trailArn);
  if (!identity) throw new Error("the contract names no trail");
  return {
    trails,
    outsider: check(trailArn({ ...identity, accountId: OUTSIDER })),
    deployed: { bucket, key, bucketKey },
  };
}

async function readTrail(arn: string, access: AwsAccess): Promise<{ trailArn?: string; isLogging: boolean }> {
  const client = new CloudTrailClient({ ...access, region: parseTrailArn(arn)?.region ?? access.region });
  try {
    const { trailList } = await client.send(new DescribeTrailsCommand({ trailNameList: [arn] }));
    const found = trailList?.[0]?.TrailARN;
    if (found === undefined) return { isLogging: false };
    const { IsLogging } = await client.send(new GetTrailStatusCommand({ Name: found }));
    return { trailArn: found, isLogging: IsLogging === true };
  } finally {
    client.destroy();
  }
}
