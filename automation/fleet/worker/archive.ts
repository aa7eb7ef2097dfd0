/** Reads the policies that decide about deliveries to the archive, with the audit stack's credentials. */
import type { Contract } from "../../../core/contract";
import type { ArchiveAsIs } from "../../../core/simulate";
import { readBucketKey, readBucketPolicy, readKeyPolicy } from "../../deployed";
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
