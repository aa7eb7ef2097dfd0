/**
 * Names and ARNs: parse, format, validate. `trailArn()` and `logPath()` are the only places that spell a trail's ARN and
 * where its logs lie: the audit side must name both before the trail exists, and both sides must agree to the letter.
 */
import type { Partition } from "./accounts";
import { partitions } from "./accounts";

/** The parts of a trail's ARN. `region` is the trail's home Region. */
export interface TrailIdentity {
  partition: Partition;
  region: string;
  accountId: string;
  name: string;
}

/** What the permissions boundary is called where crosstrail:permissionsBoundary does not say. */
export const defaultBoundaryName = "CrosstrailBoundary";

/** `arn:<partition>:cloudtrail:<home Region>:<account>:trail/<name>` */
export function trailArn(trail: TrailIdentity): string {
  return `arn:${trail.partition}:cloudtrail:${trail.region}:${trail.accountId}:trail/${trail.name}`;
}

/** A pattern for every trail of an account, in whatever home Region; the account may be a policy variable. */
export function trailsOfAccount(partition: Partition, accountId: string): string {
  return trailArn({ partition, region: "*", accountId, name: "*" });
}

/** The parts of a trail's ARN, or undefined when the text is not one; a pattern for ARNs is not one. */
export function parseTrailArn(arn: string): TrailIdentity | undefined {
  const match = /^arn:([^:]+):cloudtrail:([a-z0-9-]+):(\d{12}):trail\/([^/]+)$/.exec(arn);
  if (!match) return undefined;
  const [, partition, region, accountId, name] = match as unknown as [string, string, string, string, string];
  if (!(partitions as readonly string[]).includes(partition) || trailNameProblem(name) !== undefined) return undefined;
  return { partition: partition as Partition, region, accountId, name };
}

/**
 * Where CloudTrail puts the logs of an account: `[prefix/]AWSLogs/[organization id/]<account>`, without a slash at the
 * end. Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
 */
export function logPath(location: { logPrefix?: string; accountId: string; organizationId?: string }): string {
  return [location.logPrefix, "AWSLogs", location.organizationId, location.accountId].filter(Boolean).join("/");
}

/**
 * Where an organization trail puts the logs of all accounts: `[prefix/]AWSLogs/<organization id>`, without a slash at
 * the end.
 */
export function organizationLogPath(location: { logPrefix?: string; organizationId: string }): string {
  return [location.logPrefix, "AWSLogs", location.organizationId].filter(Boolean).join("/");
}

/**
 * Says what is wrong with an organization's id, or nothing.
 * Source: https://docs.aws.amazon.com/organizations/latest/APIReference/API_Organization.html
 */
export function organizationIdProblem(id: string): string | undefined {
  if (/^o-[a-z0-9]{10,32}$/.test(id)) return undefined;
  return "an organization id looks like o-exampleorg: 'o-' and 10 to 32 lower-case letters and digits";
}

/** `arn:<partition>:s3:::<bucket>` */
export function bucketArn(partition: Partition, bucketName: string): string {
  return `arn:${partition}:s3:::${bucketName}`;
}

/** The archive's buckets, as the contract names them, by their ARNs. */
export function archiveBuckets({
  partition,
  bucketName,
  otherBucketNames = [],
}: {
  partition: Partition;
  bucketName: string;
  otherBucketNames?: string[];
}): { partition: Partition; bucketArn: string; otherBucketArns: string[] } {
  const otherBucketArns = otherBucketNames.map((name) => bucketArn(partition, name));
  return { partition, bucketArn: bucketArn(partition, bucketName), otherBucketArns };
}

/** `arn:<partition>:iam::<account>:root`: stands for the whole account in a policy's principal. */
export function accountRootArn(partition: Partition, accountId: string): string {
  return `arn:${partition}:iam::${accountId}:root`;
}

/** `arn:<partition>:iam::<account>:role/<name>`; the name may have a path in front. */
export function roleArn(partition: Partition, accountId: string, name: string): string {
  return `arn:${partition}:iam::${accountId}:role/${name}`;
}

/** `arn:<partition>:iam::<account>:policy/<name>`; the name may have its path in front. */
export function policyArn(partition: Partition, accountId: string, name: string): string {
  return `arn:${partition}:iam::${accountId}:policy/${name}`;
}

/** Says what is wrong with the name of a managed policy, or nothing. A path may be in front: `team/Boundary`. */
export function policyNameProblem(name: string): string | undefined {
  if (name.startsWith("arn:")) return "it is a name, not an ARN: each account has a policy of its own";
  const parts = name.split("/");
  const last = parts.pop() as string;
  if (/^[\w+=,.@-]{1,128}$/.test(last) && name.length <= 512 && parts.every((part) => /^[!-.0-~]+$/.test(part))) {
    return undefined;
  }
  return "a policy name has 1 to 128 letters, digits and any of +=,.@_- (and may have a path in front, as in team/Boundary)";
}

/**
 * Says what is wrong with a role name, or nothing when IAM accepts it.
 * Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
 */
export function roleNameProblem(name: string): string | undefined {
  if (name.length < 1 || name.length > 64) return `a role name has 1 to 64 characters, this has ${name.length}`;
  if (!/^[A-Za-z0-9_+=,.@-]+$/.test(name)) return "a role name has letters, digits and + = , . @ _ - only";
  return undefined;
}

/**
 * Says what is wrong with a role's ARN, or nothing. Patterns are not accepted: a role must not get what another one was meant
 * to.
 */
export function roleArnProblem(arn: string): string | undefined {
  const [, partition, name] = /^arn:([a-z-]+):iam::\d{12}:role\/(?:[!-~]+\/)?([^/]*)$/.exec(arn) ?? [];
  if (name === undefined || !(partitions as readonly string[]).includes(partition as string) || /[*?$]/.test(arn)) {
    return "a role ARN looks like arn:aws:iam::<account>:role/<path and name>, without wildcards";
  }
  return roleNameProblem(name);
}

/**
 * Says what is wrong with the name of the audit stack as another stack refers to it, or nothing.
 * Source: https://www.pulumi.com/docs/iac/concepts/stacks/#stackreferences
 */
export function auditStackProblem(name: string): string | undefined {
  const parts = name.split("/");
  if ((parts.length === 1 || parts.length === 3) && parts.every((part) => /^[A-Za-z0-9_.-]{1,100}$/.test(part))) {
    return undefined;
  }
  const wanted = "a stack is named by its name alone, such as audit, or in full: organization/project/stack";
  if (parts.length !== 2) return wanted;
  return `${wanted}; of these three one is missing here. In a backend of your own, the organization is called organization`;
}

/**
 * Says what is wrong with an external id, or nothing when STS accepts it.
 * Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 */
export function externalIdProblem(id: string): string | undefined {
  if (id.length < 2 || id.length > 1224) return `an external id has 2 to 1224 characters, this has ${id.length}`;
  if (!/^[A-Za-z0-9_+=,.@:/-]+$/.test(id)) return "an external id has letters, digits and _ + = , . @ : / - only";
  return undefined;
}

const ipv4 = /^\d{1,3}(\.\d{1,3}){3}$/;

/**
 * Says what is wrong with a trail name, or nothing when CloudTrail accepts it.
 * Source: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html
 */
export function trailNameProblem(name: string): string | undefined {
  if (name.length < 3 || name.length > 128) return `a trail name has 3 to 128 characters, this has ${name.length}`;
  if (!/^[A-Za-z0-9._-]+$/.test(name)) return "a trail name has letters, digits, '.', '_' and '-' only";
  if (!/^[A-Za-z0-9].*[A-Za-z0-9]$/.test(name)) return "a trail name starts and ends with a letter or a digit";
  if (/[._-]{2}/.test(name)) return "a trail name has no two of '.', '_' and '-' side by side";
  if (ipv4.test(name)) return "a trail name is not formatted as an IP address";
  return undefined;
}

/**
 * Says what is wrong with a bucket name, or nothing when S3 accepts it.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
 */
export function bucketNameProblem(name: string): string | undefined {
  if (name.length < 3 || name.length > 63) return `a bucket name has 3 to 63 characters, this has ${name.length}`;
  if (!/^[a-z0-9.-]+$/.test(name)) return "a bucket name has lower-case letters, digits, '.' and '-' only";
  if (!/^[a-z0-9].*[a-z0-9]$/.test(name)) return "a bucket name starts and ends with a letter or a digit";
  if (name.includes("..")) return "a bucket name has no two periods side by side";
  if (ipv4.test(name)) return "a bucket name is not formatted as an IP address";
  const prefix = ["xn--", "sthree-", "amzn-s3-demo-"].find((reserved) => name.startsWith(reserved));
  if (prefix) return `bucket names that start with '${prefix}' are reserved by AWS`;
  const suffix = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"].find((reserved) => name.endsWith(reserved));
  if (suffix) return `bucket names that end with '${suffix}' are reserved by AWS`;
  return undefined;
}

/**
 * Says what is wrong with a log prefix, or nothing when it can be used. Stricter than CloudTrail, which takes any 200
 * characters: '*', '?' and '$' would widen the bucket policy that names the path.
 */
export function logPrefixProblem(prefix: string): string | undefined {
  if (prefix.length > 200) return `a log prefix has at most 200 characters, this has ${prefix.length}`;
  if (/AWSLogs(\/|$)/.test(prefix)) {
    return "a log prefix does not contain AWSLogs/: CloudTrail appends AWSLogs/<account> itself";
  }
  if (!/^[A-Za-z0-9!_.'()/-]+$/.test(prefix)) {
    return "a log prefix has letters, digits and ! _ . ' ( ) / - only; wildcards would widen the bucket policy";
  }
  if (prefix.startsWith("/") || prefix.endsWith("/")) return "a log prefix must not start or end with '/'";
  if (prefix.split("/").some((segment) => segment === "" || segment === "." || segment === "..")) {
    return "a log prefix has no empty, '.' or '..' segment between its slashes";
  }
  return undefined;
}

/** A key's ARN before the key exists: any id will do, and is as long as the real one. */
export function futureKeyArn(partition: Partition, region: string, accountId: string): string {
  return `arn:${partition}:kms:${region}:${accountId}:key/00000000-0000-0000-0000-000000000000`;
}

/** Whether an ARN stands for a key that is not made yet. */
export function isFutureKey(arn: string): boolean {
  return arn.endsWith(":key/00000000-0000-0000-0000-000000000000");
}

/** The parts of a KMS key's ARN. */
export interface KeyIdentity {
  partition: string;
  region: string;
  accountId: string;
  keyId: string;
}

/** The parts of a key ARN, or undefined when the text is an alias, a bare id or something else. */
export function parseKeyArn(arn: string): KeyIdentity | undefined {
  const match = /^arn:([a-z-]+):kms:([a-z0-9-]+):(\d{12}):key\/((?:mrk-)?[0-9a-f-]{32,36})$/.exec(arn);
  if (!match) return undefined;
  const [, partition, region, accountId, keyId] = match as unknown as [string, string, string, string, string];
  return { partition, region, accountId, keyId };
}

/** The key that a policy's text names, if it names exactly one. */
export function keyNamedIn(policy: string): string | undefined {
  const found = new Set((policy.match(/arn:[\w-]+:kms:[^"\s]*/g) ?? []).filter((arn) => parseKeyArn(arn)));
  return found.size === 1 ? [...found][0] : undefined;
}

/** Whether the ARN is that of a multi-Region key, primary or replica: AWS marks them in their ids. */
export function isMultiRegionKey(arn: string): boolean {
  return parseKeyArn(arn)?.keyId.startsWith("mrk-") === true;
}

/** What `kms:ViaService` is when S3 uses a key for a request in this Region. */
export function viaS3(partition: Partition, region: string): string {
  return `s3.${region}.amazonaws.com${partition === "aws-cn" ? ".cn" : ""}`;
}

/**
 * Says what is wrong with a key ARN, or nothing. A bare alias resolves in the account of the caller, not of the key's
 * owner, and CloudTrail answers with the key's ARN, so that an alias would be a difference in every preview.
 */
export function keyArnProblem(value: string): string | undefined {
  if (parseKeyArn(value)) return undefined;
  if (/(^|:)alias\//.test(value)) {
    return "use the key's ARN instead of an alias: another account would look up the alias among its own keys";
  }
  return "a key ARN looks like arn:aws:kms:<region>:<account>:key/<id>";
}

/**
 * Says what is wrong with a KMS alias, given without `alias/`, or nothing.
 * Source: https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html
 */
export function keyAliasProblem(alias: string): string | undefined {
  if (alias.startsWith("alias/")) return "write the alias without the prefix 'alias/'";
  if (!/^[A-Za-z0-9/_-]{1,250}$/.test(alias)) return "a key alias has 1 to 250 letters, digits, '/', '_' and '-'";
  if (alias.startsWith("aws/")) return "aliases that start with 'aws/' are reserved by AWS";
  return undefined;
}
