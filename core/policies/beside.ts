/**
 * The policies of what stands beside the log bucket: the bucket for its access logs, and the queue for its notifications.
 * Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
 *          https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html
 */
import type { Partition } from "../accounts";
import { bucketArn } from "../names";
import type { PolicyDocument, Statement } from "./document";
import { policyDocument } from "./document";
import { denyAllBut, denyInsecureTransport, denyTampering, queueUse } from "./guard";
import type { PolicyOptions } from "./options";

export interface LogSource extends Pick<PolicyOptions, "breakGlassRoleArns"> {
  partition: Partition;
  /** The bucket that is logged, or that sends notifications of new objects. */
  sourceBucketName: string;
  /** The account that owns it, and what stands beside it. */
  accountId: string;
}

/** The folder of the access logs of a bucket. */
export function accessLogPrefix(sourceBucketName: string): string {
  return `${sourceBucketName}/`;
}

/** S3's logging service writes the source's access logs, and nobody uses the bucket without TLS. */
export function accessLogPolicy({ bucketName, ...source }: LogSource & { bucketName: string }): PolicyDocument {
  const { breakGlassRoleArns: roles = [] } = source;
  const bucket = bucketArn(source.partition, bucketName);
  return policyDocument([
    {
      Sid: "AccessLogsWrite",
      Effect: "Allow",
      Principal: { Service: "logging.s3.amazonaws.com" },
      Action: "s3:PutObject",
      Resource: `${bucket}/${accessLogPrefix(source.sourceBucketName)}*`,
      Condition: onlyFrom(source),
    },
    ...(roles.length > 0 ? denyTampering(bucket, roles) : []),
    denyInsecureTransport("s3:*", [bucket, `${bucket}/*`]),
  ]);
}

/** S3 sends notifications of the source's new objects, and nobody uses the queue without TLS. */
export function notificationQueuePolicy({ queueArn, ...source }: LogSource & { queueArn: string }): PolicyDocument {
  const { breakGlassRoleArns: roles = [] } = source;
  return policyDocument([
    {
      Sid: "NotificationsSend",
      Effect: "Allow",
      Principal: { Service: "s3.amazonaws.com" },
      Action: "sqs:SendMessage",
      Resource: queueArn,
      Condition: onlyFrom(source),
    },
    ...(roles.length > 0 ? [denyAllBut("DenyTampering", queueUse, queueArn, roles)] : []),
    denyInsecureTransport("sqs:*", queueArn),
  ]);
}

/** Nobody can have S3 write here for a bucket of their own; the account, too, as bucket names can change hands. */
function onlyFrom({ partition, sourceBucketName, accountId }: LogSource): Statement["Condition"] {
  return {
    ArnLike: { "aws:SourceArn": bucketArn(partition, sourceBucketName) },
    StringEquals: { "aws:SourceAccount": accountId },
  };
}
