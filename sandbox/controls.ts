// The archive's controls as AWS has them, in words.

import {
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketLoggingCommand,
  GetBucketNotificationConfigurationCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketPolicyCommand,
  GetBucketVersioningCommand,
  GetObjectLockConfigurationCommand,
  GetPublicAccessBlockCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { GetKeyPolicyCommand, KMSClient } from "@aws-sdk/client-kms";
import type { Contract } from "../core/contract";
import { evaluate } from "../core/evaluate";
import { fleetOfContract, recognisedPolicies } from "../core/simulate";
import { bucketArn } from "../core/names";
import type { AwsAccess } from "./index";

/** A control and how it is: `["versioning", "Enabled, MFA Delete off"]`. */
export type Control = [name: string, value: string];

/** @param access How to reach the audit account. */
export async function readControls(contract: Contract, access: AwsAccess): Promise<Control[]> {
  const { bucketName, bucketRegion: region, keyArn } = contract;
  const s3 = new S3Client({ ...access, region, forcePathStyle: true });
  const kms = new KMSClient({ ...access, region });
  const of = { Bucket: bucketName };
  try {
    const [
      policy,
      keyPolicy,
      versioning,
      encryption,
      publicAccess,
      ownership,
      lock,
      lifecycle,
      logging,
      notifications,
    ] = await Promise.all([
      orNone(s3.send(new GetBucketPolicyCommand(of))),
      kms.send(new GetKeyPolicyCommand({ KeyId: keyArn, PolicyName: "default" })),
      s3.send(new GetBucketVersioningCommand(of)),
      orNone(s3.send(new GetBucketEncryptionCommand(of))),
      orNone(s3.send(new GetPublicAccessBlockCommand(of))),
      orNone(s3.send(new GetBucketOwnershipControlsCommand(of))),
      orNone(s3.send(new GetObjectLockConfigurationCommand(of))),
      orNone(s3.send(new GetBucketLifecycleConfigurationCommand(of))),
      s3.send(new GetBucketLoggingCommand(of)),
      s3.send(new GetBucketNotificationConfigurationCommand(of)),
    ]);
    const forms = recognisedPolicies(fleetOfContract(contract), { bucket: policy?.Policy, key: keyPolicy.Policy });
    const blocks = Object.values(publicAccess?.PublicAccessBlockConfiguration ?? {});
    const [rule] = encryption?.ServerSideEncryptionConfiguration?.Rules ?? [];
    const { SSEAlgorithm, KMSMasterKeyID } = rule?.ApplyServerSideEncryptionByDefault ?? {};
    const retention = lock?.ObjectLockConfiguration?.Rule?.DefaultRetention;
    const queues = (notifications.QueueConfigurations ?? []).map(({ QueueArn }) => QueueArn);
    const yesNo = (is: boolean) => (is ? "yes" : "no");
    return [
      ["versioning", `${versioning.Status ?? "off"}, MFA Delete ${versioning.MFADelete === "Enabled" ? "on" : "off"}`],
      ["public access", blocks.length === 4 && blocks.every(Boolean) ? "blocked" : "not blocked"],
      ["object ownership", ownership?.OwnershipControls?.Rules?.[0]?.ObjectOwnership ?? "none"],
      ["encryption", [SSEAlgorithm, KMSMasterKeyID, rule?.BucketKeyEnabled && "Bucket Key"].filter(Boolean).join(", ")],
      ["TLS only", yesNo(!readsWithoutTls(contract, policy?.Policy))],
      [
        "bucket policy",
        `${forms.bucketForm}, ${sids(policy?.Policy)
          .filter((sid) => sid.startsWith("Deny"))
          .join(", ")}`,
      ],
      ["key policy", forms.keyForm],
      [
        "Object Lock",
        lock?.ObjectLockConfiguration?.ObjectLockEnabled !== "Enabled"
          ? "off"
          : retention?.Mode
            ? `${retention.Mode}, ${retention.Years ? `${retention.Years} years` : `${retention.Days} days`}`
            : "on, without a default retention",
      ],
      [
        "lifecycle",
        (lifecycle?.Rules ?? [])
          .map(({ Expiration, NoncurrentVersionExpiration: noncurrent, Transitions }) =>
            [
              ...(Transitions ?? []).map(({ StorageClass, Days }) => `${StorageClass} after ${Days} days`),
              `expire after ${Expiration?.Days} days, and ${noncurrent?.NoncurrentDays} more`,
            ].join(", "),
          )
          .join("; ") || "none, logs are kept forever",
      ],
      ["access logs", logging.LoggingEnabled ? `to ${logging.LoggingEnabled.TargetBucket}` : "none"],
      [
        "notifications",
        [...(notifications.EventBridgeConfiguration ? ["EventBridge"] : []), ...queues].join(", ") || "none",
      ],
    ];
  } finally {
    s3.destroy();
    kms.destroy();
  }
}

/** What was asked for; S3 answers with an error where nothing is set. */
async function orNone<Result>(asked: Promise<Result>): Promise<Result | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (/NotFound|NoSuch/.test((error as Error).name)) return undefined;
    throw error;
  }
}

/** Whether an administrator of the audit account can read a log without TLS. */
function readsWithoutTls({ partition, bucketName, auditAccountId }: Contract, policy: string | undefined): boolean {
  const everything = { Version: "2012-10-17", Statement: { Effect: "Allow" as const, Action: "*", Resource: "*" } };
  return evaluate(
    {
      caller: { kind: "account", arn: `arn:${partition}:iam::${auditAccountId}:role/Administrator` },
      action: "s3:GetObject",
      resource: `${bucketArn(partition, bucketName)}/AWSLogs/x`,
      resourceAccountId: auditAccountId,
      context: { "aws:SecureTransport": "false", "aws:MultiFactorAuthPresent": "true" },
    },
    { resourcePolicy: policy, resourceKind: "bucket", identityPolicies: [everything] },
  ).allowed;
}

function sids(policy: string | undefined): string[] {
  const { Statement = [] } = JSON.parse(policy ?? "{}") as { Statement?: { Sid?: string }[] };
  return Statement.map(({ Sid }) => Sid ?? "?");
}
