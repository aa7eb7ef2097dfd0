// Which calls of CloudTrail's API AWS would refuse, and how. The emulator (gate.py) asks before it does what it is told.
//
// The exceptions are those of the API's reference. The texts of TrailAlreadyExists, InsufficientS3BucketPolicy and
// InsufficientEncryptionPolicy are the ones that users of AWS report; of the others only the description is published, so
// their texts are ours or moto's.
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html, .../API_UpdateTrail.html

import type { Partition } from "../../core/accounts";
import { compile, type CompiledPolicy } from "../../core/evaluate/compile";
import { evaluate } from "../../core/evaluate/evaluate";
import { splitArn } from "../../core/evaluate/pattern";
import type { AccessRequest } from "../../core/evaluate/types";
import type { World } from "../../core/requests";
import { asked, deliveryRequests } from "../../core/requests";
import { whyNoDelivery } from "../../core/simulate/delivery";
import { trailArn, trailNameProblem } from "../../core/names";

/** A call, with what AWS knows. */
export interface Call {
  /** As moto names it: `create_trail`. `deliver`: CloudTrail itself writes a file. */
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
  /** The existing trail, if there is one. */
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
  /** The file that CloudTrail writes. */
  file?: { kind: "log" | "digest"; account: string; region: string };
}

/** Somebody reads, writes, lists or deletes objects. */
export interface ObjectCall {
  operation: "object";
  /** The IAM action: `s3:GetObject`. */
  action: string;
  resource: string;
  caller: { account: string; arn: string; roleArn?: string };
  /** Of a listing. */
  prefix?: string | null;
  headers: Record<string, string>;
  bucket: { account: string; region: string; policy: string | null };
  /** The key of what is read (null where it no longer exists), and the context that it was encrypted with. */
  object: {
    keyId: string;
    key: { arn: string; region: string; state: string; policy: string | null } | null;
    context: Record<string, string>;
  } | null;
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
    const call = JSON.parse(line) as Call | ObjectCall;
    return JSON.stringify({
      refusal: (call.operation === "object" ? refuseObject(call as ObjectCall) : refusal(call as Call)) ?? null,
    });
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
  if (call.operation === "deliver") return refuseFile(call);
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
    world: worldOf(account, bucket.region, organization),
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

/** What the emulator knows of accounts: the organization of the trail's, and nothing of others. */
function worldOf(
  account: string | undefined,
  region: string,
  organization: NonNullable<Call["delivery"]>["organization"],
): World {
  return {
    region,
    organizationOf: (each) => (each !== account ? "unknown" : organization ? { id: organization.id } : "none"),
  };
}

/** How S3 refuses a file that CloudTrail writes: the code is what GetTrailStatus then says. */
function refuseFile({ trail, delivery, file }: Call): Refusal | undefined {
  if (!trail || !delivery || !file) throw new Error("a delivery needs its trail, its place and its file");
  const { bucketName, keyId, bucket, key, organization } = delivery;
  if (!bucket) return refuse("NoSuchBucket", `There is no bucket ${bucketName}.`);
  if (keyId !== "" && !key) return refuse("KMS.NotFoundException", `There is no key ${keyId}.`);
  if (key && key.state !== "Enabled") return refuse("KMS.DisabledException", `The key ${key.arn} is ${key.state}.`);
  const organizationId = delivery.forOrganization ? organization?.id : undefined;
  const requests = deliveryRequests({
    trailArn: trail.arn,
    bucketName,
    bucketAccountId: bucket.account,
    logPrefix: delivery.logPrefix,
    keyArn: key?.arn,
    organizationId,
    memberAccountIds: [file.account],
    world: worldOf(trail.arn.split(":")[4], bucket.region, organization),
    region: file.region,
  });
  // The file that is written, not all that the trail may write.
  const suffix = organizationId === undefined ? "" : `:${organizationId}/${file.account}`;
  const names = [`${file.kind}${key ? "-with-key" : ""}${suffix}`, "key-generate-file"];
  const refused = requests
    .filter(({ name }) => names.includes(name))
    .map(({ target, request }) => {
      const policy = target === "bucket" ? bucket.policy : key?.policy;
      const resourcePolicy = policy === null || policy === undefined ? undefined : compiled(policy, target);
      return evaluate(request, { resourcePolicy, resourceKind: target });
    })
    .filter(({ allowed }) => !allowed);
  if (refused.length === 0) return undefined;
  return refuse("AccessDenied", "Access Denied", explanations(refused));
}

/** Identities may do everything in the sandbox: what the resource's policy says decides. */
const everything = { Version: "2012-10-17", Statement: [{ Effect: "Allow" as const, Action: "*", Resource: "*" }] };

function refuseObject({ action, resource, caller, prefix, headers, bucket, object }: ObjectCall): Refusal | undefined {
  const { account: accountId, arn, roleArn } = caller;
  const who = { kind: "account" as const, accountId, arn, roleArn };
  // The sandbox speaks plain HTTP and means HTTPS.
  const context = {
    "aws:SecureTransport": "true",
    "s3:TlsVersion": "1.3",
    "aws:MultiFactorAuthPresent": roleArn === undefined ? undefined : "false",
    ...(prefix !== null && prefix !== undefined && { "s3:prefix": prefix }),
    ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [`s3:${name}`, value])),
  };
  const ask = (request: AccessRequest, policy: string | null, resourceKind: "bucket" | "key") =>
    evaluate(asked({ region: bucket.region }, request), {
      resourcePolicy: policy === null ? undefined : compiled(policy, resourceKind),
      resourceKind,
      identityPolicies: [everything],
    });
  const onBucket = ask(
    { caller: who, action, resource, resourceAccountId: bucket.account, context },
    bucket.policy,
    "bucket",
  );
  if (!onBucket.allowed) return refuse("AccessDenied", "Access Denied", [onBucket.explanation]);
  if (!object) return undefined;
  const { keyId, key, context: encryption } = object;
  if (!key) return refuse("KMS.NotFoundException", `There is no key ${keyId}.`);
  if (key.state !== "Enabled") return refuse("KMS.DisabledException", `The key ${key.arn} is ${key.state}.`);
  const onKey = ask(
    {
      caller: who,
      action: "kms:Decrypt",
      resource: key.arn,
      resourceAccountId: splitArn(key.arn)?.[4] ?? "",
      context: {
        ...context,
        "kms:ViaService": `s3.${bucket.region}.amazonaws.com`,
        "kms:EncryptionContextKeys": Object.keys(encryption),
        ...Object.fromEntries(
          Object.entries(encryption).map(([name, value]) => [`kms:EncryptionContext:${name}`, value]),
        ),
      },
    },
    key.policy,
    "key",
  );
  return onKey.allowed ? undefined : refuse("AccessDenied", "Access Denied", [onKey.explanation]);
}

/** A policy is asked for every object of a bucket: it is read once. */
const kept = new Map<string, CompiledPolicy>();

function compiled(policy: string, kind: "bucket" | "key"): CompiledPolicy {
  const name = `${kind} ${policy}`;
  const found = kept.get(name) ?? compile(policy, kind);
  if (kept.size > 100) kept.clear();
  kept.set(name, found);
  return found;
}

function explanations(decisions: { explanation: string }[]): string[] {
  // One malformed policy says the same to every request.
  return [...new Set(decisions.map(({ explanation }) => explanation))];
}

function refuse(code: string, text: string, why: string[] = []): Refusal {
  const more = why.length > 1 ? ` And ${why.length - 1} more: see emulator-access.log.` : "";
  return { code, message: why[0] === undefined ? text : `${text} [Sandbox: ${why[0]}${more}]`, why };
}
