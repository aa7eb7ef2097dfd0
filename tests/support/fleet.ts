/** The fleet of the tests: audit account 111111111111, members 222222222222 (payments) and 333333333333 (web). */
import type { Contract } from "../../core/contract";
import type { TrailIdentity } from "../../core/names";
import { trailArn } from "../../core/names";

export const auditAccountId = "111111111111";
export const bucketName = "example-logs";
export const keyArn = "arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab";

/** A trail of an account; in us-east-1 and called crosstrail, unless said otherwise. */
export function trailOf(accountId: string, other: Partial<TrailIdentity> = {}): TrailIdentity {
  return { partition: "aws", region: "us-east-1", accountId, name: "crosstrail", ...other };
}

/** `size` accounts with a trail each, in an order that is not sorted. */
export function fleetOf(size: number, other: Partial<TrailIdentity> = {}): TrailIdentity[] {
  return Array.from({ length: size }, (_, index) => trailOf(String(200000000000 + ((index * 7919) % 10007)), other));
}

/** The contract of the fleet. */
export function contract(other: Partial<Contract> = {}): Contract {
  return {
    contractVersion: 1,
    partition: "aws",
    auditAccountId,
    bucketName,
    bucketRegion: "us-east-1",
    logPrefix: "",
    keyArn,
    trails: [
      { accountId: auditAccountId, alias: "audit", trailArn: trailArn(trailOf(auditAccountId)) },
      { accountId: "222222222222", alias: "payments", trailArn: trailArn(trailOf("222222222222")) },
      {
        accountId: "333333333333",
        alias: "web",
        trailArn: trailArn(trailOf("333333333333", { region: "eu-west-1", name: "web-trail" })),
      },
    ],
    ...other,
  };
}
