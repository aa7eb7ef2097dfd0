/**
 * Who reads the archive's logs through IAM: the trust policy of a reader role, and the permissions of anyone who reads.
 * The key policy and the bucket policy name no roles: KMS and S3 turn the ARN of a deleted role into an id, and the next
 * write is refused. The key policy lets the account's IAM policies decrypt logs instead, and these say what exactly.
 * Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-sharing-logs.html
 */
import type { Partition } from "../accounts";
import { UserError } from "../findings";
import { accountRootArn, bucketArn, logPath, trailArn, trailsOfAccount } from "../names";
import type { IdentityStatement, PolicyDocument, TrustStatement } from "./document";
import { list, policyDocument, size } from "./document";
import type { OrganizationGrant } from "./organization";

/**
 * IAM's limits: all inline policies of a role together, and the trust policy where no higher quota was granted.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
export const rolePolicyLimit = 10240;
export const trustPolicyLimit = 2048;

export interface ReadAccess {
  partition: Partition;
  bucketName: string;
  logPrefix?: string;
  /** While the prefix is being changed: the former one, "" for none. */
  previousLogPrefix?: string;
  keyArn: string;
  /** Keys that encrypted before, for logs of that time. */
  previousKeyArns?: string[];
  /** The organization trail whose logs are read as well. */
  organization?: Pick<OrganizationGrant, "id" | "trails">;
  /** The accounts whose logs may be read. Left out: all that the archive holds, those of former members as well. */
  accountIds?: string[];
}

/**
 * Permissions to find, fetch and decrypt logs, and nothing else: for a reader role in the audit account.
 * @throws UserError when the list of accounts is empty or too long.
 */
export function readPermissions(access: ReadAccess): PolicyDocument<IdentityStatement> {
  const { partition, bucketName, logPrefix = "", previousLogPrefix = logPrefix, accountIds } = access;
  requireSome(accountIds, "accounts whose logs may be read");
  const bucket = bucketArn(partition, bucketName);
  const keys = list([access.keyArn, ...(access.previousKeyArns ?? [])]);
  const context = "kms:EncryptionContext:aws:cloudtrail:arn";
  const prefixes = [...new Set([logPrefix, previousLogPrefix])];
  const foldersOf = (of: { organizationId?: string }) =>
    prefixes.flatMap((prefix) =>
      accountIds
        ? accountIds.map((accountId) => `${logPath({ logPrefix: prefix, accountId, ...of })}/*`)
        : [`${[prefix, "AWSLogs"].filter(Boolean).join("/")}/*`],
    );
  const organization = access.organization?.trails.length ? access.organization : undefined;
  // The organization trail is the management account's own: by its ARN alone every account's logs would be decrypted.
  const owners = new Set(organization?.trails.map(({ accountId }) => accountId));
  const withOwnTrails = accountIds?.filter((accountId) => !owners.has(accountId));
  const organizationFolders = organization && accountIds ? foldersOf({ organizationId: organization.id }) : [];
  const folders = [...foldersOf({}), ...organizationFolders];
  const decrypt = (sid: string, condition: IdentityStatement["Condition"]): IdentityStatement => ({
    Sid: sid,
    Effect: "Allow",
    Action: "kms:Decrypt",
    Resource: keys,
    Condition: condition,
  });
  const decrypts = withOwnTrails
    ? [
        ...(withOwnTrails.length > 0
          ? [
              decrypt("DecryptLogs", {
                StringLike: { [context]: list(withOwnTrails.map((id) => trailsOfAccount(partition, id))) },
              }),
            ]
          : []),
        ...(organization
          ? [
              decrypt("DecryptOrganizationLogs", {
                StringEquals: { [context]: list(organization.trails.map(trailArn)) },
                StringLike: {
                  "kms:EncryptionContext:aws:s3:arn": list(folders.map((folder) => `${bucket}/${folder}`)),
                },
              }),
            ]
          : []),
      ]
    : // Only what CloudTrail encrypted: a log file carries its trail's ARN as encryption context.
      [decrypt("DecryptLogs", { Null: { [context]: "false" } })];
  const document = policyDocument<IdentityStatement>([
    { Sid: "LocateBucket", Effect: "Allow", Action: "s3:GetBucketLocation", Resource: bucket },
    {
      Sid: "ListLogs",
      Effect: "Allow",
      Action: "s3:ListBucket",
      Resource: bucket,
      Condition: { StringLike: { "s3:prefix": list(folders) } },
    },
    {
      Sid: "ReadLogs",
      Effect: "Allow",
      Action: "s3:GetObject",
      Resource: list(folders.map((folder) => `${bucket}/${folder}`)),
    },
    ...decrypts,
  ]);
  requireFit(
    document,
    rolePolicyLimit,
    `The permissions to read the logs of ${accountIds?.length} accounts`,
    "Let it read all logs, or split the accounts across several readers.",
  );
  return document;
}

/** What the users of a member account need to read their own logs, where the archive lets them. */
export function memberReadPermissions(
  access: Omit<ReadAccess, "accountIds"> & { accountId: string },
): PolicyDocument<IdentityStatement> {
  const { accountId, ...archive } = access;
  const { Statement } = readPermissions({ ...archive, accountIds: [accountId] });
  // The archive does not let members ask for the bucket's Region; the contract says it.
  return policyDocument(Statement.filter(({ Sid }) => Sid !== "LocateBucket"));
}

export interface ReaderTrust {
  partition: Partition;
  /** The accounts whose users and roles may assume the role, as far as their own policies let them. */
  trustedAccounts: string[];
  /** Whether only sessions that were begun with MFA may. */
  requireMfa?: boolean;
  /** What a third party must say when it assumes the role, so that nobody else has it done by them. */
  externalId?: string;
}

/**
 * Who may assume a reader role.
 * @throws UserError when nobody is trusted, or too many accounts are.
 */
export function readerTrust(trust: ReaderTrust): PolicyDocument<TrustStatement> {
  const { partition, trustedAccounts, requireMfa, externalId } = trust;
  requireSome(trustedAccounts, "accounts that may assume the role");
  const condition = {
    // In an Allow, `BoolIfExists` would let through anyone who has no such key at all, such as an access key without MFA.
    ...(requireMfa && { Bool: { "aws:MultiFactorAuthPresent": "true" } }),
    ...(externalId !== undefined && { StringEquals: { "sts:ExternalId": externalId } }),
  };
  const document = policyDocument<TrustStatement>([
    {
      Sid: "TrustedAccountsAssume",
      Effect: "Allow",
      Principal: { AWS: list(trustedAccounts.map((accountId) => accountRootArn(partition, accountId))) },
      Action: "sts:AssumeRole",
      ...(Object.keys(condition).length > 0 && { Condition: condition }),
    },
  ]);
  requireFit(
    document,
    trustPolicyLimit,
    `The trust policy for ${trustedAccounts.length} accounts`,
    "Trust fewer accounts, and declare another reader for the others.",
  );
  return document;
}

/** An empty list is not a list in IAM: AWS refuses it, and "nobody" must not become "everybody". */
function requireSome(accountIds: string[] | undefined, what: string): void {
  if (accountIds?.length !== 0) return;
  throw new UserError("The reader cannot be created.", [
    {
      id: "reader/nobody",
      severity: "error",
      subject: what,
      message: "The list is empty.",
      remedy: "Name at least one account, or remove the reader.",
    },
  ]);
}

function requireFit(document: PolicyDocument<object>, limit: number, what: string, remedy: string): void {
  const bytes = size(document);
  if (bytes <= limit) return;
  throw new UserError("The reader's policy does not fit.", [
    {
      id: "reader/too-large",
      severity: "error",
      subject: what,
      message: `This needs ${bytes} characters; IAM allows ${limit}.`,
      remedy,
    },
  ]);
}
