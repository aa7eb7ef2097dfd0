/** What AWS knows of a bucket's MFA Delete, and of what stands in its way. Loaded only where it is asked for. */
import { GetAccountSummaryCommand, IAMClient, ListVirtualMFADevicesCommand } from "@aws-sdk/client-iam";
import { GetBucketLifecycleConfigurationCommand, GetBucketVersioningCommand, S3Client } from "@aws-sdk/client-s3";
import { accountRootArn } from "../core/names";
import type { AuditSettings } from "../core/settings";
import { orNone, read } from "./deployed";

/** The root user as far as IAM tells; undefined what it does not tell, or not to these credentials. */
export interface RootUser {
  /** Whether it has a password or access keys: where they were removed centrally, nobody can sign in as root. */
  hasCredentials?: boolean;
  hasAccessKeys?: boolean;
  hasMfaDevice?: boolean;
  /** ARN of its virtual MFA device; a hardware device is not listed. */
  mfaSerial?: string;
}

/** How things are. */
export interface MfaDeleteState {
  isOn: boolean;
  /** Enabled, Suspended, or undefined when versioning never was on. */
  versioning?: string;
  /** Ids of the bucket's lifecycle rules. */
  lifecycleRules: string[];
  root: RootUser;
}

/** Reads them with the ambient credentials, which must be the audit account's. */
export async function readMfaDelete(settings: AuditSettings, env: NodeJS.ProcessEnv): Promise<MfaDeleteState> {
  const { bucketName, auditAccountId, region } = settings;
  const common = { region, maxAttempts: 3, requestHandler: { connectionTimeout: 5_000, requestTimeout: 20_000 } };
  // An endpoint of one's own rarely has a name for each bucket.
  const s3 = new S3Client({ ...common, forcePathStyle: Boolean(env.AWS_ENDPOINT_URL_S3 ?? env.AWS_ENDPOINT_URL) });
  const iam = new IAMClient(common);
  const bucket = { Bucket: bucketName, ExpectedBucketOwner: auditAccountId };
  const ask = <Result>(what: string, asked: () => Promise<Result>) =>
    read(`${what} of bucket ${bucketName}`, auditAccountId, asked, "MFA Delete could not be read.");
  try {
    const [versioning, lifecycle, root] = await Promise.all([
      ask("the versioning", () => s3.send(new GetBucketVersioningCommand(bucket))),
      ask("the lifecycle rules", () =>
        orNone("NoSuchLifecycleConfiguration", s3.send(new GetBucketLifecycleConfigurationCommand(bucket))),
      ),
      readRootUser(iam, accountRootArn(settings.partition, auditAccountId)),
    ]);
    return {
      isOn: versioning.MFADelete === "Enabled",
      ...(versioning.Status && { versioning: versioning.Status }),
      lifecycleRules: (lifecycle?.Rules ?? []).map(({ ID }, index) => ID ?? `rule ${index + 1}`),
      root,
    };
  } finally {
    s3.destroy();
    iam.destroy();
  }
}

/** What is only good to know: without leave to ask, nothing is known. */
async function readRootUser(iam: IAMClient, rootArn: string): Promise<RootUser> {
  const [summary, devices] = await Promise.all([
    iam.send(new GetAccountSummaryCommand({})).catch(() => undefined),
    iam.send(new ListVirtualMFADevicesCommand({ AssignmentStatus: "Assigned" })).catch(() => undefined),
  ]);
  const counts = summary?.SummaryMap;
  const { AccountPasswordPresent: password, AccountAccessKeysPresent: keys, AccountMFAEnabled: mfa } = counts ?? {};
  const serial = devices?.VirtualMFADevices?.find(({ User }) => User?.Arn === rootArn)?.SerialNumber;
  return {
    ...(password !== undefined && keys !== undefined && { hasCredentials: password > 0 || keys > 0 }),
    ...(keys !== undefined && { hasAccessKeys: keys > 0 }),
    ...(mfa !== undefined && { hasMfaDevice: mfa > 0 }),
    ...(serial !== undefined && { mfaSerial: serial }),
  };
}
