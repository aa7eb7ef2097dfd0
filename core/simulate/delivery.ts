/**
 * The requests that CloudTrail makes to deliver a trail's logs, and whether policies let it.
 * Sources: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
 *          https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html
 *          https://docs.aws.amazon.com/awscloudtrail/latest/userguide/how-kms-works-with-cloudtrail.html
 *          https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
 */
import { bucketArn, logPath, parseTrailArn } from "../names";
import { compile } from "../evaluate/compile";
import { evaluate } from "../evaluate/evaluate";
import { splitArn } from "../evaluate/pattern";
import type { AccessRequest, Decision, PolicyInput, RequestContext } from "../evaluate/types";

/** A trail and where it delivers. */
export interface TrailDelivery {
  trailArn: string;
  bucketName: string;
  /** The account that owns the bucket. */
  bucketAccountId: string;
  logPrefix?: string;
  /** The key that encrypts the logs. Left out: no key, and no requests to KMS. */
  keyArn?: string;
  /** The bucket uses S3 Bucket Keys: CloudTrail then also decrypts with the key, when a trail is created or updated. */
  bucketKey?: boolean;
  /** For an organization trail: the organization's id. */
  organizationId?: string;
  /** For an organization trail: member accounts whose logs it delivers, besides the trail's own account. */
  memberAccountIds?: string[];
  /** The organization the trail's account belongs to, for `aws:SourceOrgID`. Left out: `organizationId`, if any. */
  sourceOrgId?: string;
  /** The Region the delivered events are from. Left out: the trail's home Region. */
  region?: string;
}

/** What CloudTrail asks for. */
export interface NamedRequest {
  /**
   * Stable: `bucket-acl`, `log`, `digest`, `log-with-key`, `key-describe`, `key-generate`, `key-decrypt`; of an organization
   * trail also `log:<organization>/<account>`.
   */
  name: string;
  target: "bucket" | "key";
  request: AccessRequest;
}

/** The principal under which CloudTrail delivers, in every partition. */
export const cloudTrailService = "cloudtrail.amazonaws.com";

/**
 * The requests that CloudTrail makes for a trail. Files are asked for without `s3:x-amz-server-side-encryption...` keys: the
 * check that CreateTrail makes has been seen without them, so a policy that demands them stops the trail from being created.
 * With a key, a log file is also asked for with them, as CloudTrail delivers it then (AWS's Security Reference Architecture
 * demands them once the trail exists).
 * @throws TypeError when `trailArn` is not the ARN of a trail.
 */
export function deliveryRequests(trail: TrailDelivery): NamedRequest[] {
  const identity = parseTrailArn(trail.trailArn);
  if (!identity) throw new TypeError(`'${trail.trailArn}' is not the ARN of a trail`);
  const { partition, region: homeRegion, accountId: owner, name } = identity;
  const bucket = bucketArn(partition, trail.bucketName);
  const sourceOrgId = trail.sourceOrgId ?? trail.organizationId;
  const source: RequestContext = {
    "aws:SourceArn": trail.trailArn,
    // For an organization trail the management account, also for the logs of members: it owns the trail.
    "aws:SourceAccount": owner,
    ...(sourceOrgId === undefined ? {} : { "aws:SourceOrgID": sourceOrgId }),
  };
  const overTls: RequestContext = { ...source, "aws:SecureTransport": "true", "s3:TlsVersion": "1.2" };
  const base = {
    caller: { kind: "service" as const, service: cloudTrailService },
    resourceAccountId: trail.bucketAccountId,
  };

  const region = trail.region ?? homeRegion;
  const folders = logFolders(trail, owner);
  const put = (requestName: string, key: string, context: RequestContext = {}): NamedRequest => ({
    name: requestName,
    target: "bucket",
    request: {
      ...base,
      action: "s3:PutObject",
      resource: `${bucket}/${key}`,
      context: { ...overTls, "s3:x-amz-acl": "bucket-owner-full-control", ...context },
    },
  });
  const requests: NamedRequest[] = [
    {
      name: "bucket-acl",
      target: "bucket",
      request: { ...base, action: "s3:GetBucketAcl", resource: bucket, context: overTls },
    },
  ];
  for (const { suffix, folder, accountId } of folders) {
    const file = `${accountId}_CloudTrail_${region}_20260131T1200Z_aBcDeFgHiJkLmNoP.json.gz`;
    const digest = `${accountId}_CloudTrail-Digest_${region}_${name}_${homeRegion}_20260131T120000Z.json.gz`;
    const log = `${folder}/CloudTrail/${region}/2026/01/31/${file}`;
    requests.push(put(`log${suffix}`, log));
    if (trail.keyArn !== undefined) {
      const encryption = "s3:x-amz-server-side-encryption";
      const named = { [encryption]: "aws:kms", [`${encryption}-aws-kms-key-id`]: trail.keyArn };
      requests.push(put(`log-with-key${suffix}`, log, named));
    }
    requests.push(put(`digest${suffix}`, `${folder}/CloudTrail-Digest/${region}/2026/01/31/${digest}`));
  }
  if (trail.keyArn !== undefined)
    requests.push(...keyRequests(trail, trail.keyArn, source, bucket, folders[0]?.folder ?? ""));
  return requests;
}

/**
 * Where a trail delivers. An organization trail needs the organization's path and its account's own: CloudTrail checks both
 * when the trail is created ("creating-an-organizational-trail-prepare").
 */
function logFolders(trail: TrailDelivery, owner: string): { suffix: string; folder: string; accountId: string }[] {
  const { logPrefix, organizationId } = trail;
  const own = { suffix: "", folder: logPath({ logPrefix, accountId: owner }), accountId: owner };
  if (organizationId === undefined) return [own];
  const accounts = [owner, ...(trail.memberAccountIds ?? [])];
  return [
    own,
    ...accounts.map((accountId) => ({
      suffix: `:${organizationId}/${accountId}`,
      folder: logPath({ logPrefix, accountId, organizationId }),
      accountId,
    })),
  ];
}

function keyRequests(
  trail: TrailDelivery,
  keyArn: string,
  source: RequestContext,
  bucket: string,
  folder: string,
): NamedRequest[] {
  const request = (name: string, action: string, context: RequestContext): NamedRequest => ({
    name,
    target: "key",
    request: {
      caller: { kind: "service", service: cloudTrailService },
      action,
      resource: keyArn,
      // A malformed ARN has no account; evaluate() then says so.
      resourceAccountId: splitArn(keyArn)?.[4] ?? "",
      context: { ...source, ...context },
    },
  });
  // The context holds the trail and the path of the file ("how-kms-works-with-cloudtrail").
  const encryption: RequestContext = {
    "kms:EncryptionContext:aws:cloudtrail:arn": trail.trailArn,
    "kms:EncryptionContext:aws:s3:arn": `${bucket}/${folder}/CloudTrail/`,
    "kms:EncryptionContextKeys": ["aws:cloudtrail:arn", "aws:s3:arn"],
  };
  const requests = [
    request("key-describe", "kms:DescribeKey", {}),
    request("key-generate", "kms:GenerateDataKey", encryption),
  ];
  if (trail.bucketKey) requests.push(request("key-decrypt", "kms:Decrypt", encryption));
  return requests;
}

/** One request of a delivery, decided. */
export interface NamedDecision extends Decision {
  name: string;
}

/** Whether a trail's logs arrive. */
export interface Delivery {
  delivers: boolean;
  bucket: NamedDecision[];
  key: NamedDecision[];
  /** Why not, one sentence per refused request; empty when it delivers. */
  reasons: string[];
}

/**
 * Whether a bucket policy and a key policy, for instance those read back from AWS, let CloudTrail deliver for a trail.
 * @param bucketPolicy The policy, or undefined when the bucket has none.
 * @param keyPolicy The policy of the key, or undefined when it has none or the trail has no key.
 */
export function whyNoDelivery(
  bucketPolicy: PolicyInput | undefined,
  keyPolicy: PolicyInput | undefined,
  trail: TrailDelivery,
): Delivery {
  // Compiled once, not once per request.
  const policies = {
    bucket: bucketPolicy === undefined ? undefined : compile(bucketPolicy, "bucket"),
    key: keyPolicy === undefined ? undefined : compile(keyPolicy, "key"),
  };
  const delivery: Delivery = { delivers: true, bucket: [], key: [], reasons: [] };
  const refused = new Set<string>();
  for (const { name, target, request } of deliveryRequests(trail)) {
    // What refuses a file as it is refuses it also with its key, and is said once.
    if (refused.has(name.replace("-with-key", ""))) continue;
    const decision = { name, ...evaluate(request, { resourcePolicy: policies[target], resourceKind: target }) };
    delivery[target].push(decision);
    if (decision.allowed) continue;
    refused.add(name);
    delivery.reasons.push(decision.explanation);
  }
  delivery.delivers = delivery.reasons.length === 0;
  return delivery;
}
