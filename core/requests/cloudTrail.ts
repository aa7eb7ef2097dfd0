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
  /** Further Regions whose events it delivers, as a multi-Region trail does; see {@link withNamed}. */
  otherRegions?: string[];
  /** False: it delivers the events of its home Region only. Left out: nobody has said. */
  isMultiRegion?: boolean;
  /** Which key it is, is not known; `keyArn` only says in which account and Region it is. */
  isKeyUnknown?: boolean;
  /** Which account is in which organization, and the bucket's Region. Left out: not known, except an organization trail's own. */
  world?: World;
}

/** What CloudTrail asks for. */
export interface NamedRequest {
  /**
   * Stable: `bucket-acl`, `bucket-acl-arn-only`, `log`, `log-with-key`, `digest`, `digest-with-key`, `key-describe`,
   * `key-generate`, `key-generate-file`, `key-generate-bucket`, `key-decrypt`; for files of another Region also
   * `log@<Region>`, for the paths of an organization trail also `log:<organization>/<account>`.
   */
  name: string;
  /** What the request is, for messages. */
  what: string;
  target: "bucket" | "key";
  request: AccessRequest;
}

/** An account of the organization that nobody has declared: an organization trail delivers its logs, too. */
export const undeclaredAccountId = "987654321098";

/** The principal under which CloudTrail delivers, in every partition. */
export const cloudTrailService = "cloudtrail.amazonaws.com";
const cloudTrail = { kind: "service", service: cloudTrailService } as const;

/**
 * The requests that CloudTrail makes for a trail:
 * - the check of the bucket's ACL, with all that AWS puts into a service's request; and with the trail's ARN alone. Two public
 *   sources say that it comes without `aws:SourceOrgID`; AWS's sample of a data perimeter, which spares what does not have
 *   `aws:SourceAccount`, only lets such a check through if it does not have that either.
 * - files without `s3:x-amz-server-side-encryption...` keys: the check that CreateTrail makes has been seen without them, so a
 *   policy that demands them stops the trail from being created. With a key also with them, as CloudTrail delivers it then (AWS's
 *   Security Reference Architecture demands them once the trail exists), digests too.
 * - the key's use with the encryption context of the bucket and path, which is the check when the trail is created, and of a file,
 *   which is delivery; with an S3 Bucket Key also of the bucket. Digests are not encrypted with the key
 *   ("Digest files are encrypted with Amazon S3-managed encryption keys").
 * @param only names of the requests that are wanted. Left out: all.
 * @throws TypeError when `trailArn` is not the ARN of a trail.
 */
export function deliveryRequests(trail: TrailDelivery, only?: ReadonlySet<string>): NamedRequest[] {
  const identity = parseTrailArn(trail.trailArn);
  if (!identity) throw new TypeError(`'${trail.trailArn}' is not the ARN of a trail`);
  const world = worldOf(trail, identity);
  const delivery: Delivery = { trail, identity, world, source: sourceOf(trail, identity, world), only };
  return [...bucketRequests(delivery), ...keyRequests(delivery)];
}

/** What all requests of a delivery share. */
interface Delivery {
  trail: TrailDelivery;
  identity: TrailIdentity;
  world: World;
  source: RequestContext;
  only: ReadonlySet<string> | undefined;
}

function isWanted({ only }: Delivery, name: string): boolean {
  return only === undefined || only.has(name);
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

function bucketRequests(delivery: Delivery): NamedRequest[] {
  const { trail, identity, world, source } = delivery;
  const { partition, accountId: owner, name: trailName, region: homeRegion } = identity;
  const bucket = bucketArn(partition, trail.bucketName);
  const requests: NamedRequest[] = [];
  const ask = (name: string, what: string, action: string, resource: string, context: RequestContext) => {
    requests.push({
      name,
      what,
      target: "bucket",
      request: asked(
        world,
        {
          caller: cloudTrail,
          action,
          resource,
          resourceAccountId: trail.bucketAccountId,
          context: { ...source, ...context },
        },
        owner,
      ),
    });
  };
  if (isWanted(delivery, "bucket-acl")) {
    ask("bucket-acl", "the check of the bucket's ACL", "s3:GetBucketAcl", bucket, {});
  }
  if (isWanted(delivery, "bucket-acl-arn-only")) {
    ask(
      "bucket-acl-arn-only",
      "the check of the bucket's ACL, as it comes with aws:SourceArn alone",
      "s3:GetBucketAcl",
      bucket,
      arnAlone,
    );
  }
  for (const { suffix, folder, accountId, of } of logFolders(trail, owner)) {
    for (const { mark, region, from } of regionsOf(delivery)) {
      const day = `${region}/2026/01/31/${accountId}`;
      const log = `${folder}/CloudTrail/${day}_CloudTrail_${region}_20260131T1200Z_aBcDeFgHiJkLmNoP.json.gz`;
      const digest = `${folder}/CloudTrail-Digest/${day}_CloudTrail-Digest_${region}_${trailName}_${homeRegion}_20260131T120000Z.json.gz`;
      for (const [name, what, key] of [
        ["log", "a log file", log],
        ["digest", "a digest file", digest],
      ] as const) {
        for (const { variant, more, context } of encryptionsOf(delivery)) {
          const full = `${name}${variant}${mark}${suffix}`;
          if (!isWanted(delivery, full)) continue;
          ask(full, `${what}${of}${from}${more}`, "s3:PutObject", `${bucket}/${key}`, {
            "s3:x-amz-acl": "bucket-owner-full-control",
            ...context,
          });
        }
      }
    }
  }
  return requests;
}

/** The Regions whose files are asked about. */
function regionsOf({ trail, identity }: Delivery): { mark: string; region: string; from: string }[] {
  return [
    { mark: "", region: trail.region ?? identity.region, from: "" },
    ...(trail.otherRegions ?? []).map((region) => ({ mark: `@${region}`, region, from: ` of Region ${region}` })),
  ];
}

const arnAlone: RequestContext = {
  "aws:SourceAccount": undefined,
  "aws:SourceOrgID": undefined,
  "aws:SourceOrgPaths": undefined,
};

const encryption = "s3:x-amz-server-side-encryption";
const encryptionKey = `${encryption}-aws-kms-key-id`;
const withoutEncryption: RequestContext = { [encryption]: undefined, [encryptionKey]: undefined };

/** With which encryption headers a file may come. */
function encryptionsOf({ trail: { keyArn, isKeyUnknown }, world }: Delivery) {
  const plain = { variant: "", more: " that names no encryption", context: withoutEncryption };
  if (keyArn === undefined) return [plain];
  const key: RequestContext[string] = isKeyUnknown ? unknownKey(keyArn, world) : keyArn;
  const context: RequestContext = { [encryption]: "aws:kms", [encryptionKey]: key };
  return [plain, { variant: "-with-key", more: " that names the key", context }];
}

/** Some key of the account and Region. */
function unknownKey(keyArn: string, { given }: World): RequestContext[string] {
  const said = given?.get(encryptionKey);
  if (said !== undefined && said.length > 0) return [...said];
  return {
    presence: "always",
    startsWith: keyArn.slice(0, keyArn.indexOf("/") + 1),
    hint: `name the key that encrypts the logs: --key <arn>`,
  };
}

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
function logFolders(trail: TrailDelivery, owner: string) {
  const { logPrefix, organizationId, world } = trail;
  const own = { suffix: "", folder: logPath({ logPrefix, accountId: owner }), accountId: owner, of: "" };
  if (organizationId === undefined) return [own];
  const isOutside = (accountId: string) => {
    const membership = accountId === owner ? undefined : world?.organizationOf?.(accountId);
    return membership === "none" || (typeof membership === "object" && "not" in membership);
  };
  const accounts = [owner, ...(trail.memberAccountIds ?? []).filter((each) => !isOutside(each)), undeclaredAccountId];
  return [
    own,
    ...[...new Set(accounts)].map((accountId) => ({
      suffix: `:${organizationId}/${accountId}`,
      folder: logPath({ logPrefix, accountId, organizationId }),
      accountId,
      of: accountId === undeclaredAccountId ? " of any other account of the organization" : ` of account ${accountId}`,
    })),
  ];
}

function keyRequests(delivery: Delivery): NamedRequest[] {
  const { trail, identity, world, source } = delivery;
  const { keyArn } = trail;
  if (keyArn === undefined) return [];
  const { accountId: owner, partition } = identity;
  const requests: NamedRequest[] = [];
  const ask = (name: string, what: string, action: string, context: RequestContext) => {
    if (!isWanted(delivery, name)) return;
    requests.push({
      name,
      what,
      target: "key",
      request: asked(
        world,
        {
          caller: cloudTrail,
          action,
          resource: keyArn,
          // A malformed ARN has no account; evaluate() then says so.
          resourceAccountId: splitArn(keyArn)?.[4] ?? "",
          context: { ...source, ...context },
        },
        owner,
      ),
    });
  };
  const bucket = bucketArn(partition, trail.bucketName);
  const generate = (variant: string, what: string, object: string) =>
    void ask(`key-generate${variant}`, `a data key for ${what}`, "kms:GenerateDataKey", {
      "kms:EncryptionContext:aws:cloudtrail:arn": trail.trailArn,
      "kms:EncryptionContext:aws:s3:arn": object,
      "kms:EncryptionContextKeys": ["aws:cloudtrail:arn", "aws:s3:arn"],
    });
  ask("key-describe", "the look at the key", "kms:DescribeKey", {});
  const path = `${bucket}/${logPath({ logPrefix: trail.logPrefix, accountId: owner })}/CloudTrail/`;
  generate("", "the check when the trail is created or updated, with the path of the logs", path);
  let first: string | undefined;
  for (const { suffix, folder, accountId, of } of logFolders(trail, owner)) {
    for (const { mark, region, from } of regionsOf(delivery)) {
      const file = `${bucket}/${folder}/CloudTrail/${region}/2026/01/31/${accountId}_CloudTrail_${region}_20260131T1200Z_aBcDeFgHiJkLmNoP.json.gz`;
      first ??= file;
      generate(`-file${mark}${suffix}`, `a log file${of}${from}`, file);
    }
  }
  if (trail.bucketKey) {
    generate("-bucket", "the S3 Bucket Key", bucket);
    ask("key-decrypt", "the S3 Bucket Key, decrypted", "kms:Decrypt", {
      // AWS says nowhere which context this request has.
      "kms:EncryptionContext:aws:cloudtrail:arn": { presence: "maybe", oneOf: [trail.trailArn], hint: noContext },
      "kms:EncryptionContext:aws:s3:arn": {
        presence: "maybe",
        oneOf: [bucket, path, ...(first === undefined ? [] : [first])],
        hint: noContext,
      },
      "kms:EncryptionContextKeys": {
        presence: "maybe",
        oneOf: [["aws:s3:arn"], ["aws:cloudtrail:arn", "aws:s3:arn"]],
        hint: noContext,
      },
    });
  }
  return requests;
}

const noContext = "AWS documents no encryption context for this request; restrict it with aws:SourceArn";
