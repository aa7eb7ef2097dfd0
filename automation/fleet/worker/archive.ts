/** Reads the policies that decide about deliveries to the archive, with the audit stack's credentials. */
import type { Contract } from "../../../core/contract";
import type { ArchiveAsIs } from "../../../core/simulate";
import { readBucketKey, readBucketPolicy, readKeyPolicy, readKeyState } from "../../deployed";
import { credentialsOf } from "./credentials";

/** @throws ExitError that says what could not be read. */
export async function policiesOf(config: Record<string, unknown>, contract: Contract): Promise<ArchiveAsIs> {
  const access = { credentials: credentialsOf(config) };
  const keyArns = [contract.keyArn, ...(contract.previousKeyArns ?? [])];
  const [bucket, bucketKey, ...keys] = await Promise.all([
    readBucketPolicy(contract, access),
    readBucketKey(contract, access),
    ...keyArns.map((arn) => readKeyPolicy(arn, access)),
  ]);
  return {
    bucketName: contract.bucketName,
    auditAccountId: contract.auditAccountId,
    bucket,
    keys: Object.fromEntries(keyArns.map((arn, index) => [arn, keys[index]])),
    bucketKey,
  };
}

/**
 * KMS's KeyState of each of the archive's keys, by ARN.
 * @throws ExitError that says what could not be read.
 */
export async function keyStatesOf(
  config: Record<string, unknown>,
  { keyArn, previousKeyArns = [] }: Contract,
): Promise<Record<string, string>> {
  const access = { credentials: credentialsOf(config) };
  const states = [keyArn, ...previousKeyArns].map(async (arn) => [arn, await readKeyState(arn, access)] as const);
  return Object.fromEntries(await Promise.all(states));
}
