/** The archive's policies as AWS has them. Loaded only where they are asked for: the SDK takes longer to load than the rest. */
import { GetKeyPolicyCommand, KMSClient } from "@aws-sdk/client-kms";
import { GetBucketEncryptionCommand, GetBucketPolicyCommand, S3Client } from "@aws-sdk/client-s3";
import type { Contract } from "../core/contract";
import { ExitCode, ExitError } from "./output";

/** Policies as text; undefined where there is none. */
export interface DeployedPolicies {
  bucket: string | undefined;
  key: string | undefined;
  /** The bucket uses S3 Bucket Keys. */
  bucketKey: boolean;
}

/** Reads them with the ambient credentials, which must be the audit account's. */
export async function readDeployed(contract: Contract, env: NodeJS.ProcessEnv): Promise<DeployedPolicies> {
  const { bucketName, bucketRegion: region, keyArn, auditAccountId } = contract;
  const common = { region, maxAttempts: 3, requestHandler: { connectionTimeout: 5_000, requestTimeout: 20_000 } };
  // An endpoint of one's own rarely has a name for each bucket.
  const s3 = new S3Client({ ...common, forcePathStyle: Boolean(env.AWS_ENDPOINT_URL_S3 ?? env.AWS_ENDPOINT_URL) });
  const kms = new KMSClient(common);
  const owner = { ExpectedBucketOwner: auditAccountId };
  try {
    const [bucket, encryption, key] = await Promise.all([
      read(`the policy of bucket ${bucketName}`, auditAccountId, () =>
        orNone("NoSuchBucketPolicy", s3.send(new GetBucketPolicyCommand({ Bucket: bucketName, ...owner }))),
      ),
      read(`the encryption of bucket ${bucketName}`, auditAccountId, () =>
        orNone(
          "ServerSideEncryptionConfigurationNotFoundError",
          s3.send(new GetBucketEncryptionCommand({ Bucket: bucketName, ...owner })),
        ),
      ),
      read(`the policy of key ${keyArn}`, auditAccountId, () =>
        kms.send(new GetKeyPolicyCommand({ KeyId: keyArn, PolicyName: "default" })),
      ),
    ]);
    const rules = encryption?.ServerSideEncryptionConfiguration?.Rules ?? [];
    return { bucket: bucket?.Policy, key: key.Policy, bucketKey: rules.some((rule) => rule.BucketKeyEnabled === true) };
  } finally {
    s3.destroy();
    kms.destroy();
  }
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
  headline = "The deployed policies cannot be read.",
): Promise<Result> {
  try {
    return await ask();
  } catch (error) {
    const { name, message } = error as Error;
    const isRefusal = authentication.test(name);
    throw new ExitError(isRefusal ? ExitCode.Authentication : ExitCode.Other, headline, [
      {
        id: isRefusal ? "aws/refused" : "aws/failed",
        severity: "error",
        subject: what,
        message: `AWS answers: ${name}: ${message}`,
        remedy: isRefusal
          ? `Use credentials of account ${accountId} that may read it: AWS_PROFILE, or the AWS_ variables of a session.`
          : "Check that this is what is deployed, and that AWS can be reached.",
      },
    ]);
  }
}
