/**
 * What keeps the archive's own account from changing it: denials for all but the break-glass roles. Each is written as "every
 * action but these", so that an API that AWS adds next year is denied the day it exists.
 * Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notaction.html
 *          https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn
 */
import type { OneOrMany, Statement } from "./document";
import { list } from "./document";

type Condition = NonNullable<Statement["Condition"]>;

/** What reads a bucket or what is in it, and changes nothing. */
export const bucketReads = ["s3:Get*", "s3:List*"];

/**
 * What consumers of the notifications do: to receive a message is to remove it. SQS takes 7 actions in a statement.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html
 */
export const queueUse = [
  "sqs:ChangeMessageVisibility",
  "sqs:DeleteMessage",
  "sqs:GetQueueAttributes",
  "sqs:GetQueueUrl",
  "sqs:ListDeadLetterSourceQueues",
  "sqs:ListQueueTags",
  "sqs:ReceiveMessage",
];

/**
 * A role by its ARN: the condition compares text, so that a role that was deleted and made again gets back in. As principals the
 * roles would break the policy when they go. A session's `aws:PrincipalArn` is its role's ARN, path and all.
 */
export function byRole(roleArns: string[]): Condition {
  return { ArnEquals: { "aws:PrincipalArn": list(roleArns) } };
}

/**
 * Everybody but these roles, and but AWS services that act as themselves, such as CloudTrail and S3's log delivery: what those may
 * do, the statements that allow it say. Requests without a signature have neither key, and are denied.
 */
function allBut(roleArns: string[]): Condition {
  return {
    ArnNotLike: { "aws:PrincipalArn": list(roleArns) },
    BoolIfExists: { "aws:PrincipalIsAWSService": "false" },
  };
}

/** Nobody but the roles does more than these actions. */
export function denyAllBut(sid: string, notAction: string[], resource: OneOrMany, roleArns: string[]): Statement {
  return {
    Sid: sid,
    Effect: "Deny",
    Principal: "*",
    NotAction: list(notAction),
    Resource: resource,
    Condition: allBut(roleArns),
  };
}

/**
 * Nobody but the roles changes a bucket's settings, its policy, its tags or what is in it, or deletes any of that. The account's
 * root user can still read, write and delete the bucket's policy, whatever it says: the way back when the roles are lost.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html
 * @param replicationRoleArn the role by which S3 writes copies into this bucket, if it is one of copies. It may do that alone.
 */
export function denyTampering(bucket: string, roleArns: string[], replicationRoleArn?: string): Statement[] {
  const all = [bucket, `${bucket}/*`];
  if (replicationRoleArn === undefined) return [denyAllBut("DenyTampering", bucketReads, all, roleArns)];
  return [
    denyAllBut("DenyTampering", [...bucketReads, ...writesCopies], all, roleArns),
    {
      Sid: "DenyOtherCopies",
      Effect: "Deny",
      Principal: "*",
      Action: writesCopies,
      Resource: `${bucket}/*`,
      // S3 copies as the role, never as a service.
      Condition: { ArnNotLike: { "aws:PrincipalArn": list([...roleArns, replicationRoleArn]) } },
    },
  ];
}

/** What S3 replication does in the bucket of the copies. */
const writesCopies = ["s3:ReplicateObject", "s3:ReplicateTags"];

/** Nobody uses a resource without TLS. */
export function denyInsecureTransport(action: string, resource: OneOrMany): Statement {
  return {
    Sid: "DenyInsecureTransport",
    Effect: "Deny",
    Principal: "*",
    Action: action,
    Resource: resource,
    Condition: { Bool: { "aws:SecureTransport": "false" } },
  };
}
