/**
 * The requests that CloudTrail makes to deliver a trail's logs. Where AWS's documents differ, or settings decide, each variant
 * is a request of its own: a trail delivers when all that it may send is allowed.
 * Sources: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
 *          https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html
 *          https://docs.aws.amazon.com/awscloudtrail/latest/userguide/how-kms-works-with-cloudtrail.html
 *          https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
 */
import type { AccessRequest, RequestContext } from "../evaluate/types";
import { splitArn } from "../evaluate/pattern";
import type { TrailIdentity } from "../names";
import { bucketArn, logPath, parseTrailArn } from "../names";
import { asked } from "./further";
import type { World } from "./world";

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
  /** The Region the delivered events are from. Left out: the trail's home Region. */
  region?: string;
  /** Which account is in which organization, and the bucket's Region. Left out: not known, except an organization trail's own. */
  world?: World;
}

/** What CloudTrail asks for. */
export interface NamedRequest {
  /**
   * Stable: `bucket-acl`, `bucket-acl-arn-only`, `log`, `log-with-key`, `digest`, `digest-with-key`, `key-describe`,
   * `key-generate`, `key-generate-file`, `key-generate-bucket`, `key-decrypt`; for the paths of an organization trail also
   * `log:<organization>/<account>`.
   */
  name: string;
  /** What the request is, for messages. */
  what: string;
  target: "bucket" | "key";
  request: AccessRequest;
}

/** The principal under which CloudTrail delivers, in every partition. */
export const cloudTrailService = "cloudtrail.amazonaws.com";

/**
 * The requests that CloudTrail makes for a trail:
 * - the check of the bucket's ACL, with all that AWS puts into a service's request; and with the trail's ARN alone. Two public
 *   sources say that it comes without `aws:SourceOrgID`; AWS's sample of a data perimeter, which spares what does not have
 *   `aws:SourceAccount`, only lets such a check through if it does not have that either.
 * - files without `s3:x-amz-server-side-encryption...` keys: the check that CreateTrail makes has been seen without them, so a
 *   policy that demands them stops the trail from being created. With a key also with them, as CloudTrail delivers it then (AWS's
 *   Security Reference Architecture demands them once the trail exists), digests too.
 * - the key's use with the encryption context of the bucket and path, which is the check when the trail is created, and of a file,
 *   which is delivery; with an S3 Bucket Key also of the bucket.
 * @throws TypeError when `trailArn` is not the ARN of a trail.
 */
export function deliveryRequests(trail: TrailDelivery): NamedRequest[] {
  const identity = parseTrailArn(trail.trailArn);
  if (!identity) throw new TypeError(`'${trail.trailArn}' is not the ARN of a trail`);
  return [...bucketRequests(trail, identity), ...keyRequests(trail, identity)];
}

/** An organization trail's account is in the organization, no matter who says so. */
function worldOf({ world = {}, organizationId, keyArn }: TrailDelivery, { accountId }: TrailIdentity): World {
  const { organizationOf } = world;
  return {
    ...world,
    region: world.region ?? (keyArn === undefined ? undefined : splitArn(keyArn)?.[3]),
    organizationOf:
      organizationId === undefined
        ? organizationOf
        : (each) => (each === accountId ? { id: organizationId } : (organizationOf?.(each) ?? "unknown")),
  };
}

function bucketRequests(trail: TrailDelivery, identity: TrailIdentity): NamedRequest[] {
  const { partition, region: homeRegion, accountId: owner, name: trailName } = identity;
  const world = worldOf(trail, identity);
  const bucket = bucketArn(partition, trail.bucketName);
  const ask = (
    name: string,
    what: string,
    action: string,
    resource: string,
    context: RequestContext,
  ): NamedRequest => ({
    name,
    what,
    target: "bucket",
    request: asked(
      world,
      {
        caller: { kind: "service", service: cloudTrailService },
        action,
        resource,
        resourceAccountId: trail.bucketAccountId,
        context: { ...sourceOf(trail, identity, world), ...context },
      },
      owner,
    ),
  });
  const requests = [
    ask("bucket-acl", "the check of the bucket's ACL", "s3:GetBucketAcl", bucket, {}),
    ask(
      "bucket-acl-arn-only",
      "the check of the bucket's ACL, as it comes with aws:SourceArn alone",
      "s3:GetBucketAcl",
      bucket,
      {
        "aws:SourceAccount": undefined,
        "aws:SourceOrgID": undefined,
        "aws:SourceOrgPaths": undefined,
      },
    ),
  ];
  const region = trail.region ?? homeRegion;
  for (const { suffix, folder, accountId } of logFolders(trail, owner)) {
    const log = `${folder}/CloudTrail/${region}/2026/01/31/${accountId}_CloudTrail_${region}_20260131T1200Z_aBcDeFgHiJkLmNoP.json.gz`;
    const digestName = `${accountId}_CloudTrail-Digest_${region}_${trailName}_${homeRegion}_20260131T120000Z.json.gz`;
    const digest = `${folder}/CloudTrail-Digest/${region}/2026/01/31/${digestName}`;
    for (const [name, what, key] of [
      ["log", "a log file", log],
      ["digest", "a digest file", digest],
    ] as const) {
      const put = (variant: string, more: string, context: RequestContext) =>
        ask(`${name}${variant}${suffix}`, `${what}${more}`, "s3:PutObject", `${bucket}/${key}`, {
          "s3:x-amz-acl": "bucket-owner-full-control",
          ...context,
        });
      requests.push(put("", " that names no encryption", withoutEncryption));
      if (trail.keyArn !== undefined) {
        requests.push(
          put("-with-key", " that names the key", {
            [encryption]: "aws:kms",
            [`${encryption}-aws-kms-key-id`]: trail.keyArn,
          }),
        );
      }
    }
  }
  return requests;
}

const encryption = "s3:x-amz-server-side-encryption";
const withoutEncryption: RequestContext = { [encryption]: undefined, [`${encryption}-aws-kms-key-id`]: undefined };

/** What says for whom CloudTrail asks. */
function sourceOf({ trailArn }: TrailDelivery, { accountId }: TrailIdentity, world: World): RequestContext {
  const membership = world.organizationOf?.(accountId);
  return {
    "aws:SourceArn": trailArn,
    // For an organization trail the management account, also for the logs of members: it owns the trail.
    "aws:SourceAccount": accountId,
    ...(typeof membership === "object" && "id" in membership && { "aws:SourceOrgID": membership.id }),
    "aws:SecureTransport": "true",
  };
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

function keyRequests(trail: TrailDelivery, identity: TrailIdentity): NamedRequest[] {
  const { keyArn } = trail;
  if (keyArn === undefined) return [];
  const { accountId, partition } = identity;
  const world = worldOf(trail, identity);
  const ask = (name: string, what: string, action: string, context: RequestContext): NamedRequest => ({
    name,
    what,
    target: "key",
    request: asked(
      world,
      {
        caller: { kind: "service", service: cloudTrailService },
        action,
        resource: keyArn,
        // A malformed ARN has no account; evaluate() then says so.
        resourceAccountId: splitArn(keyArn)?.[4] ?? "",
        context: { ...sourceOf(trail, identity, world), ...context },
      },
      accountId,
    ),
  });
  const bucket = bucketArn(partition, trail.bucketName);
  const [first] = logFolders(trail, accountId);
  const path = `${bucket}/${first?.folder ?? ""}/CloudTrail/`;
  const region = trail.region ?? identity.region;
  const file = `${path}${region}/2026/01/31/${accountId}_CloudTrail_${region}_20260131T1200Z_aBcDeFgHiJkLmNoP.json.gz`;
  const encryptionContext = (object: string): RequestContext => ({
    "kms:EncryptionContext:aws:cloudtrail:arn": trail.trailArn,
    "kms:EncryptionContext:aws:s3:arn": object,
    "kms:EncryptionContextKeys": ["aws:cloudtrail:arn", "aws:s3:arn"],
  });
  const generate = (variant: string, what: string, object: string) =>
    ask(`key-generate${variant}`, `a data key for ${what}`, "kms:GenerateDataKey", encryptionContext(object));
  return [
    ask("key-describe", "the look at the key", "kms:DescribeKey", {}),
    generate("", "the check when the trail is created or updated, with the path of the logs", path),
    generate("-file", "a log file", file),
    ...(trail.bucketKey
      ? [
          generate("-bucket", "the S3 Bucket Key", bucket),
          ask("key-decrypt", "the S3 Bucket Key, decrypted", "kms:Decrypt", {
            // AWS says nowhere which context this request has.
            "kms:EncryptionContext:aws:cloudtrail:arn": { presence: "maybe", oneOf: [trail.trailArn], hint: noContext },
            "kms:EncryptionContext:aws:s3:arn": { presence: "maybe", oneOf: [bucket, path, file], hint: noContext },
            "kms:EncryptionContextKeys": {
              presence: "maybe",
              oneOf: [["aws:s3:arn"], ["aws:cloudtrail:arn", "aws:s3:arn"]],
              hint: noContext,
            },
          }),
        ]
      : []),
  ];
}

const noContext = "AWS documents no encryption context for this request; restrict it with aws:SourceArn";
