// Which calls of CloudTrail's API AWS would refuse, and how. The emulator (gate.py) asks before it does what it is told.
//
// The exceptions are those of the API's reference. The texts of TrailAlreadyExists, InsufficientS3BucketPolicy and
// InsufficientEncryptionPolicy are the ones that users of AWS report; of the others only the description is published, so
// their texts are ours or moto's.
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html, .../API_UpdateTrail.html

import type { Partition } from "../../core/accounts";
import { whyNoDelivery } from "../../core/simulate/delivery";
import { trailArn, trailNameProblem } from "../../core/names";

/** A call, with what AWS knows. */
export interface Call {
  /** As moto names it: `create_trail`. */
  operation: string;
  partition: Partition;
  /** Who calls. */
  account: string;
  /** Where the call was made. */
  region: string;
  /** The trail's name or ARN, as the call gives it. */
  name: string;
  /** The account's trails that are seen in this Region: its own, and multi-Region trails of others. */
  namesTaken: string[];
  /** The trail as it is, if there is one. */
  trail?: { arn: string; homeRegion: string } | null;
  /** For the calls that try to deliver: where to, as it will be after the call. */
  delivery?: {
    bucketName: string;
    logPrefix: string;
    /** Empty: no key. */
    keyId: string;
    validation: boolean;
    forOrganization: boolean;
    /** Null: there is no such bucket. */
    bucket: { account: string; region: string; policy: string | null; bucketKey: boolean } | null;
    /** Null: there is no such key. */
    key: { arn: string; region: string; state: string; spec: string; policy: string | null } | null;
    /** The organization of the account that calls. */
    organization: { id: string; managementAccount: string } | null;
  };
}

export interface Refusal {
  /** The name of AWS's exception. */
  code: string;
  /** AWS's text. Behind it, in brackets, what the evaluator says of the first request that would fail. */
  message: string;
  /** What it says of each. */
  why: string[];
}

/** https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html: copies of other Regions' trails count. */
const TRAILS_PER_REGION = 5;
const KEY_ID = /^(arn:[^:]+:kms:[^:]+:\d{12}:(key|alias)\/.+|alias\/.+|(mrk-)?[0-9a-f-]{32,36})$/;

/** Answers a line of gate.py. Whatever is in a policy, there is an answer, and a mistake of this file's is not a yes. */
export function answer(line: string): string {
  try {
    return JSON.stringify({ refusal: refusal(JSON.parse(line) as Call) ?? null });
  } catch (error) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return JSON.stringify({
      refusal: { code: "SandboxException", message: `A bug in the sandbox: ${message}`, why: [] },
    });
  }
}

/** How AWS refuses a call; undefined when it does not. What moto refuses by itself is left to it. */
export function refusal(call: Call): Refusal | undefined {
  const { account, region, name, trail } = call;
  if (call.operation !== "create_trail") {
    // moto says that there is no such trail.
    if (!trail) return undefined;
    if (trail.homeRegion !== region) {
      const text =
        "This operation was called on a trail from a Region other than the Region in which the trail was created.";
      return refuse("InvalidHomeRegionException", text, [`The home Region of ${trail.arn} is ${trail.homeRegion}.`]);
    }
    return refuseDelivery(call, trail.arn);
  }
  const problem = trailNameProblem(name);
  if (problem !== undefined) return refuse("InvalidTrailNameException", `The trail name is not valid: ${problem}.`);
  if (call.namesTaken.includes(name)) {
    return refuse("TrailAlreadyExistsException", `Trail ${name} already exists for customer: ${account}`);
  }
  if (call.namesTaken.length >= TRAILS_PER_REGION) {
    const text = `User: ${account} already has ${call.namesTaken.length} trails in ${region}.`;
    return refuse("MaximumNumberOfTrailsExceededException", text);
  }
  return refuseDelivery(call, trailArn({ partition: call.partition, region, accountId: account, name }));
}

function refuseDelivery({ account, delivery }: Call, arn: string): Refusal | undefined {
  if (!delivery) return undefined;
  const { bucketName, logPrefix, keyId, validation, bucket, key, organization } = delivery;
  if (delivery.forOrganization) {
    if (!organization) {
      return refuse("OrganizationsNotInUseException", "Your account is not a member of an organization.");
    }
    if (organization.managementAccount !== account) {
      const text = "Only the management account of an organization can manage its trails.";
      return refuse("NotOrganizationMasterAccountException", text);
    }
  }
  if (!bucket) return refuse("S3BucketDoesNotExistException", `S3 bucket ${bucketName} does not exist!`);

  const { bucket: onBucket, key: onKey } = whyNoDelivery(bucket.policy ?? undefined, key?.policy ?? undefined, {
    trailArn: arn,
    bucketName,
    bucketAccountId: bucket.account,
    logPrefix,
    keyArn: key?.arn,
    bucketKey: bucket.bucketKey,
    organizationId: delivery.forOrganization ? organization?.id : undefined,
    sourceOrgId: organization?.id,
  });
  const withoutBucket = onBucket
    .filter(({ name }) => validation || !name.startsWith("digest"))
    .filter(({ allowed }) => !allowed);
  if (withoutBucket.length > 0) {
    const text = `Incorrect S3 bucket policy is detected for bucket: ${bucketName}`;
    return refuse("InsufficientS3BucketPolicyException", text, explanations(withoutBucket));
  }

  if (keyId === "") return undefined;
  if (!KEY_ID.test(keyId))
    return refuse("InvalidKmsKeyIdException", "The KMS key ARN is not valid.", [`It is ${keyId}.`]);
  if (!key || key.region !== bucket.region) {
    const text = "The KMS key does not exist, or the S3 bucket and the KMS key are not in the same Region.";
    const why = key ? `The key is in ${key.region}, the bucket in ${bucket.region}.` : `There is no key ${keyId}.`;
    return refuse("KmsKeyNotFoundException", text, [why]);
  }
  if (key.state !== "Enabled" || key.spec !== "SYMMETRIC_DEFAULT") {
    // KmsKeyDisabledException "is no longer in use".
    const text = "There is an issue with the specified KMS key, and the trail can't be updated.";
    return refuse("KmsException", text, [`The key is ${key.state}, and of the kind ${key.spec}.`]);
  }
  const withoutKey = onKey.filter(({ allowed }) => !allowed);
  if (withoutKey.length > 0) {
    const text = `Insufficient permissions to access S3 bucket ${bucketName} or KMS key ${key.arn}.`;
    return refuse("InsufficientEncryptionPolicyException", text, explanations(withoutKey));
  }
  return undefined;
}

function explanations(decisions: { explanation: string }[]): string[] {
  // One malformed policy says the same to every request.
  return [...new Set(decisions.map(({ explanation }) => explanation))];
}

function refuse(code: string, text: string, why: string[] = []): Refusal {
  const more = why.length > 1 ? ` And ${why.length - 1} more: see emulator-access.log.` : "";
  return { code, message: why[0] === undefined ? text : `${text} [Sandbox: ${why[0]}${more}]`, why };
}
