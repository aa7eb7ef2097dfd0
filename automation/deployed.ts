/**
 * The archive's policies as AWS has them. Loaded only where they are asked for: the SDK takes longer to load than the
 * rest.
 */
import { DescribeKeyCommand, GetKeyPolicyCommand, KMSClient } from "@aws-sdk/client-kms";
import type { S3ClientConfig } from "@aws-sdk/client-s3";
import { GetBucketEncryptionCommand, GetBucketPolicyCommand, S3Client } from "@aws-sdk/client-s3";
import { GetQueueAttributesCommand, SQSClient } from "@aws-sdk/client-sqs";
import type { Contract } from "../core/contract";
import { parseKeyArn } from "../core/names";
import { ExitCode, ExitError } from "./output";
import { clientSettings } from "../programs/credentials";

/** Policies as text; undefined where there is none. */
export interface DeployedPolicies {
  bucket: string | undefined;
  key: string | undefined;
  /** The bucket uses S3 Bucket Keys. */
  bucketKey: boolean;
}

/** How AWS is reached. Left out: as the environment says, with the ambient credentials. */
export interface AwsAccess {
  endpoint?: string;
  credentials?: S3ClientConfig["credentials"];
}

/** A bucket, where it is and whose it is. */
type Bucket = Pick<Contract, "bucketName" | "bucketRegion" | "auditAccountId">;

/** Reads both policies with credentials of the audit account. */
export async function readDeployed(contract: Contract, access: AwsAccess = {}): Promise<DeployedPolicies> {
  const [bucket, key, bucketKey] = await Promise.all([
    readBucketPolicy(contract, access),
    readKeyPolicy(contract.keyArn, access),
    readBucketKey(contract, access),
  ]);
  return { bucket, key, bucketKey };
}

/** The bucket's policy; undefined when it has none. */
export async function readBucketPolicy(bucket: Bucket, access: AwsAccess = {}): Promise<string | undefined> {
  const { bucketName: Bucket, auditAccountId: ExpectedBucketOwner } = bucket;
  const answer = await withS3(bucket, access, (s3) =>
    read(`the policy of bucket ${Bucket}`, ExpectedBucketOwner, () =>
      orNone("NoSuchBucketPolicy", s3.send(new GetBucketPolicyCommand({ Bucket, ExpectedBucketOwner }))),
    ),
  );
  return answer?.Policy;
}

/** The key's policy. */
export async function readKeyPolicy(keyArn: string, access: AwsAccess = {}): Promise<string | undefined> {
  const { Policy } = await withKms(keyArn, access, "policy", (kms) =>
    kms.send(new GetKeyPolicyCommand({ KeyId: keyArn, PolicyName: "default" })),
  );
  return Policy;
}

/** The key's KeyState, as KMS names it: Enabled, Disabled, PendingDeletion and so on. */
export async function readKeyState(keyArn: string, access: AwsAccess = {}): Promise<string> {
  const { KeyMetadata } = await withKms(keyArn, access, "state", (kms) =>
    kms.send(new DescribeKeyCommand({ KeyId: keyArn })),
  );
  return KeyMetadata?.KeyState ?? "unknown";
}

async function withKms<Result>(
  keyArn: string,
  access: AwsAccess,
  what: string,
  act: (kms: KMSClient) => Promise<Result>,
): Promise<Result> {
  const { region, accountId = "" } = parseKeyArn(keyArn) ?? {};
  const kms = new KMSClient({ ...clientSettings, ...access, region });
  try {
    return await read(`the ${what} of key ${keyArn}`, accountId, () => act(kms));
  } finally {
    kms.destroy();
  }
}

/** Whether the bucket uses S3 Bucket Keys. */
export async function readBucketKey(bucket: Bucket, access: AwsAccess = {}): Promise<boolean> {
  const { bucketName: Bucket, auditAccountId: ExpectedBucketOwner } = bucket;
  const encryption = await withS3(bucket, access, (s3) =>
    read(`the encryption of bucket ${Bucket}`, ExpectedBucketOwner, () =>
      orNone(
        "ServerSideEncryptionConfigurationNotFoundError",
        s3.send(new GetBucketEncryptionCommand({ Bucket, ExpectedBucketOwner })),
      ),
    ),
  );
  return encryption?.ServerSideEncryptionConfiguration?.Rules?.some((rule) => rule.BucketKeyEnabled === true) ?? false;
}

async function withS3<Result>(
  { bucketRegion: region }: Bucket,
  access: AwsAccess,
  act: (s3: S3Client) => Promise<Result>,
): Promise<Result> {
  const { AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL } = process.env;
  // An endpoint of one's own rarely has a name for each bucket.
  const forcePathStyle = Boolean(access.endpoint || AWS_ENDPOINT_URL_S3 || AWS_ENDPOINT_URL);
  const s3 = new S3Client({ ...clientSettings, ...access, region, forcePathStyle });
  try {
    return await act(s3);
  } finally {
    s3.destroy();
  }
}

/** The queue's policy; undefined when it has none. */
export async function readQueuePolicy(queueArn: string, access: AwsAccess = {}): Promise<string | undefined> {
  const [, partition, , region = "", accountId = "", name = ""] = queueArn.split(":");
  const suffix = partition === "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com";
  // The queue's address is made up of what is known, as asking for it would take a permission more.
  const QueueUrl = `https://sqs.${region}.${suffix}/${accountId}/${name}`;
  const sqs = new SQSClient({ ...clientSettings, ...access, region, useQueueUrlAsEndpoint: false });
  try {
    const answer = await read(`the policy of queue ${name}`, accountId, () =>
      sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["Policy"] })),
    );
    return answer.Attributes?.Policy;
  } finally {
    sqs.destroy();
  }
}

/** Whether AWS answered that there is no such bucket, key or queue. */
export function isMissing(error: unknown): boolean {
  const { cause } = error as Error;
  return /^(NoSuchBucket|NotFoundException|QueueDoesNotExist|AWS\.SimpleQueueService\.NonExistentQueue)$/.test(
    (cause as Error | undefined)?.name ?? "",
  );
}

/** What was asked for, or undefined where AWS answers that there is none. */
export async function orNone<Result>(name: string, asked: Promise<Result>): Promise<Result | undefined> {
  try {
    return await asked;
  } catch (error) {
    if ((error as Error).name === name) return undefined;
    throw error;
  }
}

const authentication =
  /Credential|ExpiredToken|InvalidClientTokenId|InvalidAccessKeyId|UnrecognizedClient|SignatureDoesNotMatch|AccessDenied|Forbidden|SSO|TokenProvider/;

/** What AWS answers; when it does not, an error that says what was asked and what to do. */
export async function read<Result>(
  what: string,
  accountId: string,
  ask: () => Promise<Result>,
  headline = "The deployed policies could not be read.",
): Promise<Result> {
  try {
    return await ask();
  } catch (error) {
    const { name, message } = error as Error;
    const isRefusal = authentication.test(name);
    const failure = new ExitError(isRefusal ? ExitCode.Authentication : ExitCode.Other, headline, [
      {
        id: isRefusal ? "aws/refused" : "aws/failed",
        severity: "error",
        subject: what,
        message: `AWS error: ${name}: ${message}`,
        remedy: isRefusal
          ? `Use credentials of account ${accountId} that can read it: set AWS_PROFILE, or the AWS_ variables of a session.`
          : "Check that the bucket and key are the deployed ones, and that you can reach AWS.",
      },
    ]);
    failure.cause = error;
    throw failure;
  }
}
