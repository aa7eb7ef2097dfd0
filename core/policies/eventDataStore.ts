/**
 * The key policy of an event data store.
 * Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html
 */
import type { Partition } from "../accounts";
import { accountRootArn } from "../names";
import type { PolicyDocument, Statement } from "./document";
import { list, policyDocument } from "./document";
import { accountAdministration } from "./key";

export interface EventDataStoreKeyPolicyInput {
  partition: Partition;
  /** The account that owns the store and its key; AWS lets no other one use it. */
  accountId: string;
  /** The roles that may create and change the store and query it. Left out: whom the account's IAM policies let. */
  roleArns?: string[];
}

/**
 * CloudTrail encrypts and decrypts; so do those who query. AWS supports neither `aws:SourceArn` nor `aws:SourceAccount` here,
 * which is why this key is not the archive's, and encrypts nothing else.
 */
export function eventDataStoreKeyPolicy(input: EventDataStoreKeyPolicyInput): PolicyDocument {
  const { partition, accountId, roleArns } = input;
  return policyDocument<Statement>([
    accountAdministration(partition, accountId),
    {
      Sid: "CloudTrailUses",
      Effect: "Allow",
      Principal: { Service: "cloudtrail.amazonaws.com" },
      Action: ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
      Resource: "*",
    },
    {
      Sid: "UsersQuery",
      Effect: "Allow",
      Principal: { AWS: accountRootArn(partition, accountId) },
      Action: ["kms:Decrypt", "kms:GenerateDataKey"],
      Resource: "*",
      // As principals the roles would break the policy when they go.
      ...(roleArns && { Condition: { ArnEquals: { "aws:PrincipalArn": list(roleArns) } } }),
    },
  ]);
}
