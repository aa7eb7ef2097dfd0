/** Reads the policies that decide about deliveries to the archive, with the audit stack's credentials. */
import type { Contract } from "../../../core/contract";
import type { ArchiveAsIs } from "../../../core/simulate";
import type { BesidePlaces, BesideReading } from "../../../core/fleet";
import { replicaArn, subjectOfBucket, subjectOfKey, subjectOfQueue } from "../../../core/fleet";
import {
  isMissing,
  readBucketKey,
  readBucketPolicy,
  readKeyPolicy,
  readKeyState,
  readQueuePolicy,
} from "../../deployed";
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

/**
 * What guards the archive besides: the keys' replicas, the other buckets and the queue, by what findings call them.
 * @throws ExitError that says what could not be read.
 */
export async function besideOf(
  config: Record<string, unknown>,
  { keyArn, previousKeyArns = [] }: Contract,
  { auditAccountId, replicaRegions, buckets, queue }: BesidePlaces,
): Promise<Record<string, BesideReading>> {
  const access = { credentials: credentialsOf(config) };
  const replicas = replicaRegions.flatMap((region) =>
    [keyArn, ...previousKeyArns].flatMap((arn) => replicaArn(arn, region) ?? []),
  );
  const readings: [string, Promise<BesideReading>][] = [
    ...replicas.map((arn): [string, Promise<BesideReading>] => [
      subjectOfKey(arn),
      Promise.all([readKeyPolicy(arn, access), readKeyState(arn, access)]).then(([policy, keyState]) => ({
        policy,
        keyState,
      })),
    ]),
    ...buckets.map((bucket): [string, Promise<BesideReading>] => [
      subjectOfBucket(bucket.bucketName),
      readBucketPolicy({ ...bucket, auditAccountId }, access).then((policy) => ({ policy })),
    ]),
    ...(queue
      ? [
          [subjectOfQueue(queue.name), readQueuePolicy(queue.arn, access).then((policy) => ({ policy }))] as [
            string,
            Promise<BesideReading>,
          ],
        ]
      : []),
  ];
  const orMissing = (error: unknown): BesideReading => {
    if (isMissing(error)) return { missing: true };
    throw error;
  };
  return Object.fromEntries(
    await Promise.all(readings.map(async ([subject, reading]) => [subject, await reading.catch(orMissing)] as const)),
  );
}
