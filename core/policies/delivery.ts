/**
 * Where a trail delivers besides S3, all of it in the trail's own account: who writes to the log group, who publishes to the
 * topic, and who uses the keys of the two.
 * Sources: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-required-policy-for-cloudwatch-logs.html,
 * .../cloudtrail-permissions-for-sns-notifications.html and
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
 */
import type { TrailIdentity } from "../names";
import { trailArn } from "../names";
import type { IdentityStatement, PolicyDocument, Statement, TrustStatement } from "./document";
import { list, policyDocument } from "./document";
import { accountAdministration } from "./key";

const cloudTrail = { Service: "cloudtrail.amazonaws.com" };

/** Where something is: a trail's account and home Region. */
export type Home = Pick<TrailIdentity, "partition" | "region" | "accountId">;

/** `arn:<partition>:logs:<region>:<account>:log-group:<name>`; the name may be a pattern. */
export function logGroupArn({ partition, region, accountId }: Home, name: string): string {
  return `arn:${partition}:logs:${region}:${accountId}:log-group:${name}`;
}

/** `arn:<partition>:sns:<region>:<account>:<name>` */
export function topicArn({ partition, region, accountId }: Home, name: string): string {
  return `arn:${partition}:sns:${region}:${accountId}:${name}`;
}

/**
 * Who may take on the role that writes to the log group: CloudTrail, for these trails. AWS says that "the role policy" does
 * not support `aws:SourceArn` and `aws:SourceAccount`, so a request may come without them; where it has them, they must be
 * right. What the role may do with it is restricted to the account's own log streams anyway.
 * @param trails trails of one account.
 */
export function logsRoleTrust(trails: TrailIdentity[]): PolicyDocument<TrustStatement> {
  return policyDocument<TrustStatement>([
    {
      Sid: "CloudTrailAssumes",
      Effect: "Allow",
      Principal: cloudTrail,
      Action: "sts:AssumeRole",
      Condition: {
        StringEqualsIfExists: {
          "aws:SourceAccount": list(trails.map(({ accountId }) => accountId)),
          "aws:SourceArn": list(trails.map(trailArn)),
        },
      },
    },
  ]);
}

/**
 * What that role may do: write to the log streams that CloudTrail names after the account and, for an organization's
 * trail, after the organization.
 */
export function logsRolePermissions(
  home: Home,
  groupName: string,
  organizationId?: string,
): PolicyDocument<IdentityStatement> {
  const stream = (name: string) => `${logGroupArn(home, groupName)}:log-stream:${name}`;
  return policyDocument<IdentityStatement>([
    {
      Sid: "WriteLogStreams",
      Effect: "Allow",
      Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
      Resource: list([
        stream(`${home.accountId}_CloudTrail_${home.region}*`),
        ...(organizationId === undefined ? [] : [stream(`${organizationId}_*`)]),
      ]),
    },
  ]);
}

/**
 * The policy of a log group's key: CloudWatch Logs of the Region encrypts and decrypts the account's groups with it, and does
 * nothing else. Not one group alone: a group of another name, made when the name was changed, must not take the key away
 * from the one that was kept. Anyone who may read a group needs no permission for its key.
 */
export function logGroupKeyPolicy(home: Home): PolicyDocument {
  const { partition, region, accountId } = home;
  const domain = partition === "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com";
  return policyDocument<Statement>([
    accountAdministration(partition, accountId),
    {
      Sid: "CloudWatchLogsEncrypts",
      Effect: "Allow",
      Principal: { Service: `logs.${region}.${domain}` },
      Action: ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
      Resource: "*",
      Condition: { ArnLike: { "kms:EncryptionContext:aws:logs:arn": logGroupArn(home, "*") } },
    },
  ]);
}

/** The policy of a topic: CloudTrail publishes for these trails, and nobody without TLS. */
export function topicPolicy(arn: string, trails: TrailIdentity[]): PolicyDocument {
  return policyDocument<Statement>([
    {
      Sid: "CloudTrailPublishes",
      Effect: "Allow",
      Principal: cloudTrail,
      Action: "sns:Publish",
      Resource: arn,
      Condition: { StringEquals: { "aws:SourceArn": list(trails.map(trailArn)) } },
    },
    {
      Sid: "DenyInsecureTransport",
      Effect: "Deny",
      Principal: "*",
      Action: "sns:Publish",
      Resource: arn,
      Condition: { Bool: { "aws:SecureTransport": "false" } },
    },
  ]);
}

/**
 * The policy of a topic's key: CloudTrail encrypts with it what it publishes. AWS's example has no condition; that requests
 * for a topic's key carry `aws:SourceArn` is documented nowhere, so it must be right where it is there.
 */
export function topicKeyPolicy(home: Home, trails: TrailIdentity[]): PolicyDocument {
  return policyDocument<Statement>([
    accountAdministration(home.partition, home.accountId),
    {
      Sid: "CloudTrailEncrypts",
      Effect: "Allow",
      Principal: cloudTrail,
      Action: ["kms:Decrypt", "kms:GenerateDataKey*"],
      Resource: "*",
      Condition: { StringEqualsIfExists: { "aws:SourceArn": list(trails.map(trailArn)) } },
    },
  ]);
}
