/**
 * The bucket policy of the archive: who may write where. Everything in it follows from the trails' ARNs.
 * Sources: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html and
 * .../cloudtrail-set-bucket-policy-for-multiple-accounts.html
 */
import type { Partition } from "../accounts";
import type { TrailIdentity } from "../names";
import { accountRootArn, bucketArn, logPath, organizationLogPath, trailArn } from "../names";
import type { OneOrMany, PolicyDocument, Statement } from "./document";
import { list, policyDocument } from "./document";
import type { FormChoice } from "./forms";
import { chooseForm } from "./forms";
import { denyInsecureTransport, denyTampering } from "./guard";
import type { PolicyOptions } from "./options";
import type { OrganizationGrant } from "./organization";
import { divided } from "./organization";

/**
 * The ways to write the bucket policy for many accounts, tightest first.
 * - `perTrail`: a write statement per account; its path and its trail are restricted to each other.
 * - `trailList`: one write statement with the list of paths and the list of trails; that a trail writes under its own
 *   account's path is then CloudTrail's promise, not the policy's.
 * - `trailName`: the list of paths, and any trail of the right name: another account's trail of that name passes, too.
 * - `accountList`: any trail of the listed accounts, anywhere under AWSLogs/.
 * - `organization`: any trail of the right name of any account of the organization, anywhere under AWSLogs/; accounts
 *   outside of the organization are named. Only where an organization is declared.
 */
export const BucketPolicyForm = {
  PerTrail: "perTrail",
  TrailList: "trailList",
  TrailName: "trailName",
  AccountList: "accountList",
  Organization: "organization",
} as const;
export type BucketPolicyForm = (typeof BucketPolicyForm)[keyof typeof BucketPolicyForm];

/** S3's limit for a bucket policy in bytes. https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html */
export const bucketPolicyLimit = 20480;

export interface BucketPolicyInput extends PolicyOptions {
  partition: Partition;
  bucketName: string;
  logPrefix?: string;
  /** While the prefix is being changed: the former one, where the trails still deliver; "" for none. */
  previousLogPrefix?: string;
  /** The trails that may deliver, each under its own account's path. */
  trails: TrailIdentity[];
  /** The organization whose trail delivers here, or whose members do. */
  organization?: OrganizationGrant;
  /** The archive's key. */
  keyArn?: string;
  /** Former keys of the archive that trails may still name. */
  previousKeyArns?: string[];
  /** For a bucket of copies: ARN of the role by which S3 writes them, which `breakGlassRoleArns` does not keep from it. */
  replicationRoleArn?: string;
}

/** The tightest bucket policy that fits, or the demanded form; throws a UserError when it does not fit. */
export function bucketPolicy(input: BucketPolicyInput, demanded?: BucketPolicyForm): FormChoice<BucketPolicyForm> {
  return chooseForm({
    what: "bucket policy",
    key: "crosstrail:bucketPolicyForm",
    limit: bucketPolicyLimit,
    forms: bucketPolicyForms(input),
    demanded,
    build: (form) => bucketPolicyIn(form, input),
    trails: input.trails,
  });
}

/** The forms that are possible for these trails, tightest first. */
export function bucketPolicyForms({ trails, organization }: BucketPolicyInput): BucketPolicyForm[] {
  const { covered } = divided(trails, organization);
  return Object.values(BucketPolicyForm).filter((form) => form !== "organization" || covered.length > 0);
}

/** The bucket policy in one form, whatever its size. */
export function bucketPolicyIn(form: BucketPolicyForm, input: BucketPolicyInput): PolicyDocument {
  const { partition, bucketName, trails, organization, memberReaders = [], breakGlassRoleArns = [] } = input;
  const bucket = bucketArn(partition, bucketName);
  const prefixes = [...new Set([input.logPrefix ?? "", input.previousLogPrefix ?? input.logPrefix ?? ""])];
  const objects = (folders: (logPrefix: string) => string[]) =>
    list(prefixes.flatMap(folders).map((folder) => `${bucket}/${folder}/*`));
  const paths = (of: TrailIdentity[]) =>
    objects((logPrefix) => of.map(({ accountId }) => logPath({ logPrefix, accountId })));
  const anywhere = objects((logPrefix) => [[logPrefix, "AWSLogs"].filter(Boolean).join("/")]);
  const accounts = [...new Set(trails.map(({ accountId }) => accountId))].sort();
  const write = (sid: string, resource: OneOrMany, trail: Record<string, Record<string, OneOrMany>>): Statement => ({
    Sid: sid,
    Effect: "Allow",
    Principal: { Service: "cloudtrail.amazonaws.com" },
    Action: "s3:PutObject",
    Resource: resource,
    Condition: {
      ...trail,
      // The bucket owner gets the object whatever the bucket's ownership setting is; CloudTrail always sends this ACL.
      StringEquals: { ...trail.StringEquals, "s3:x-amz-acl": "bucket-owner-full-control" },
    },
  });
  const aclCheck = (sid: string, trail: Record<string, Record<string, OneOrMany>>): Statement => ({
    Sid: sid,
    Effect: "Allow",
    Principal: { Service: "cloudtrail.amazonaws.com" },
    Action: "s3:GetBucketAcl",
    Resource: bucket,
    Condition: trail,
  });
  const byArn = (of: TrailIdentity[]) => ({ StringEquals: { "aws:SourceArn": list(of.map(trailArn)) } });
  const byName = (of: TrailIdentity[]) => ({
    ArnLike: {
      "aws:SourceArn": list(of.map(({ name }) => trailArn({ partition, region: "*", accountId: "*", name }))),
    },
  });
  const byAccount = { StringEquals: { "aws:SourceAccount": list(accounts) } };

  const grants: Record<BucketPolicyForm, () => Statement[]> = {
    perTrail: () => [
      aclCheck("CloudTrailAclCheck", byArn(trails)),
      ...accounts.map((accountId) => {
        const own = trails.filter((trail) => trail.accountId === accountId);
        return write(`CloudTrailWrite${accountId}`, paths(own), byArn(own));
      }),
    ],
    trailList: () => [
      aclCheck("CloudTrailAclCheck", byArn(trails)),
      write("CloudTrailWrite", paths(trails), byArn(trails)),
    ],
    trailName: () => [
      aclCheck("CloudTrailAclCheck", byName(trails)),
      write("CloudTrailWrite", paths(trails), byName(trails)),
    ],
    // CloudTrail may check the ACL without aws:SourceAccount and aws:SourceOrgID, so the check is never restricted to these: public
    // sources saw trails refused over it (ministryofjustice/modernisation-platform #10761 and #11445). What an ACL says is no
    // secret worth a log.
    accountList: () => [aclCheck("CloudTrailAclCheck", byName(trails)), write("CloudTrailWrite", anywhere, byAccount)],
    organization: () => {
      const { covered, named } = divided(trails, organization);
      const byOrganization = {
        ...byName(covered),
        StringEquals: { "aws:SourceOrgID": organization?.id ?? "" },
      };
      return [
        aclCheck("CloudTrailAclCheck", byName(covered)),
        write("CloudTrailWrite", anywhere, byOrganization),
        ...(named.length > 0
          ? [aclCheck("NamedTrailsAclCheck", byArn(named)), write("NamedTrailsWrite", paths(named), byArn(named))]
          : []),
      ];
    },
  };
  // An organization trail is always restricted to its two paths and its ARN: CloudTrail also writes the management account's own
  // path, and checks both when the trail is made.
  const organizationTrails = organization?.trails ?? [];
  const organizationGrants = (id: string): Statement[] => [
    aclCheck("OrganizationTrailAclCheck", byArn(organizationTrails)),
    write(
      "OrganizationTrailWrite",
      objects((logPrefix) => [
        organizationLogPath({ logPrefix, organizationId: id }),
        ...organizationTrails.map(({ accountId }) => logPath({ logPrefix, accountId })),
      ]),
      byArn(organizationTrails),
    ),
  ];
  // Without a trail there is nothing to grant: an empty list in a condition would match nothing anyway.
  return policyDocument([
    ...(trails.length > 0 ? grants[form]() : []),
    ...(organization && organizationTrails.length > 0 ? organizationGrants(organization.id) : []),
    ...membersRead(
      partition,
      bucket,
      prefixes,
      memberReaders,
      organizationTrails.length > 0 ? organization?.id : undefined,
    ),
    ...(trails.length > 0 || organizationTrails.length > 0 ? [denyNestedPrefix(bucket, prefixes)] : []),
    ...(input.requireMfa ? [denyWithoutMfa(bucket, input.mfaExemptRoleArns)] : []),
    ...(breakGlassRoleArns.length > 0 ? denyTampering(bucket, breakGlassRoleArns, input.replicationRoleArn) : []),
    ...(input.denyOtherEncryption && input.keyArn !== undefined
      ? denyOtherEncryption(bucket, [input.keyArn, ...(input.previousKeyArns ?? [])])
      : []),
    denyInsecureTransport("s3:*", [bucket, `${bucket}/*`]),
  ]);
}

/**
 * Nobody delivers through a prefix that ends in another account's folder. A trail's owner chooses its S3 prefix, and CloudTrail
 * puts AWSLogs/ behind it: with `AWSLogs/<account>/CloudTrail/...` as prefix a log file would lie in that account's folder, which
 * the path of a grant covers. Only below the archive's own AWSLogs/, where a real log file never has another one.
 */
function denyNestedPrefix(bucket: string, prefixes: string[]): Statement {
  const nested = prefixes.map((logPrefix) => [bucket, logPrefix, "AWSLogs/*AWSLogs/*"].filter(Boolean).join("/"));
  return { Sid: "DenyNestedPrefix", Effect: "Deny", Principal: "*", Action: "s3:PutObject", Resource: list(nested) };
}

/**
 * Each of the accounts reads its own logs. The accounts' roots stand for whom the accounts' IAM policies let; the variable
 * restricts the path to the account of the one who asks, so that two statements do for any number of accounts.
 */
function membersRead(
  partition: Partition,
  bucket: string,
  prefixes: string[],
  accountIds: string[],
  organizationId: string | undefined,
): Statement[] {
  if (accountIds.length === 0) return [];
  const principal = { AWS: list(accountIds.map((accountId) => accountRootArn(partition, accountId))) };
  const folders = prefixes.flatMap((logPrefix) => ownLogFolders(logPrefix, organizationId));
  return [
    {
      Sid: "MembersListOwnLogs",
      Effect: "Allow",
      Principal: principal,
      Action: "s3:ListBucket",
      Resource: bucket,
      Condition: { StringLike: { "s3:prefix": list(folders) } },
    },
    {
      Sid: "MembersReadOwnLogs",
      Effect: "Allow",
      Principal: principal,
      Action: "s3:GetObject",
      Resource: list(folders.map((folder) => `${bucket}/${folder}`)),
    },
  ];
}

/** Where the logs of the account lie that asks: those of its own trail, and those of the organization trail. */
export function ownLogFolders(logPrefix: string | undefined, organizationId: string | undefined): string[] {
  const accountId = "${aws:PrincipalAccount}";
  return [
    `${logPath({ logPrefix, accountId })}/*`,
    ...(organizationId === undefined ? [] : [`${logPath({ logPrefix, accountId, organizationId })}/*`]),
  ];
}

/**
 * Nobody reads or deletes an object of the archive without MFA, whatever else allows it. Objects only: the bucket's policy
 * stays within reach of the account, also of someone without MFA, so that a mistake in it can be fixed.
 */
function denyWithoutMfa(bucket: string, exemptRoleArns: string[] = []): Statement {
  return {
    Sid: "DenyLogAccessWithoutMfa",
    Effect: "Deny",
    Principal: "*",
    Action: ["s3:DeleteObject*", "s3:GetObject*"],
    Resource: `${bucket}/*`,
    Condition: {
      // A session's `aws:PrincipalArn` is its role's ARN. As principals the roles would break the policy when they go.
      ...(exemptRoleArns.length > 0 && { ArnNotLike: { "aws:PrincipalArn": list(exemptRoleArns) } }),
      // Requests with long-term access keys do not have the key for MFA at all, those of nobody neither of the two.
      BoolIfExists: { "aws:MultiFactorAuthPresent": "false", "aws:PrincipalIsAWSService": "false" },
    },
  };
}

/**
 * Nobody puts an object that the account cannot read with the archive's key. Only what a request says can be wrong: one that
 * says nothing gets the bucket's encryption, and the check that CloudTrail makes when a trail is created says nothing, so
 * that these statements can be there before the first trail.
 */
function denyOtherEncryption(bucket: string, keyArns: string[]): Statement[] {
  const deny = (sid: string, condition: Statement["Condition"]): Statement => ({
    Sid: sid,
    Effect: "Deny",
    Principal: "*",
    Action: "s3:PutObject",
    Resource: `${bucket}/*`,
    Condition: condition,
  });
  const algorithm = "s3:x-amz-server-side-encryption";
  const key = `${algorithm}-aws-kms-key-id`;
  return [
    // Also for CloudTrail: a trail that was given another key would deliver what the audit account cannot read.
    deny("DenyOtherKeys", { Null: { [key]: "false" }, StringNotEquals: { [key]: list(keyArns) } }),
    // Not for CloudTrail: digest files had SSE-S3 for years, and what a trail without a key delivers is better kept than lost.
    deny("DenyOtherEncryption", {
      Null: { [algorithm]: "false" },
      StringNotEquals: { [algorithm]: "aws:kms" },
      BoolIfExists: { "aws:PrincipalIsAWSService": "false" },
    }),
    deny("DenyCustomerKeys", { Null: { [`${algorithm}-customer-algorithm`]: "false" } }),
  ];
}
