/** What a verification asks of AWS: the bucket's objects, and the public keys of each Region. */
import { CloudTrailClient, type CloudTrailClientConfig, ListPublicKeysCommand } from "@aws-sdk/client-cloudtrail";
import { fromTemporaryCredentials } from "@aws-sdk/credential-providers";
import { UserError } from "../../core/findings";
import type { PublicKey } from "../../core/logs";
import { clientSettings } from "../../programs/credentials";
import { S3Source } from "../archive/s3";
import type { VerifyOptions } from "./options";
import { type KeySource, KeysError } from "./publicKeys";

type Access = Pick<VerifyOptions, "bucket" | "bucketRegion" | "bucketOwner" | "roleArn" | "externalId">;

function regionOf({ bucketRegion }: Access): string {
  const region = bucketRegion ?? process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION;
  if (region !== undefined && region !== "") return region;
  throw new UserError("Nothing was verified.", [
    {
      id: "aws/region",
      severity: "error",
      subject: "AWS_REGION",
      message: "The bucket's Region is not known.",
      remedy: "Set AWS_REGION, or give the Region with the bucket.",
    },
  ]);
}

/** The credentials of the role that reads, if there is one. */
function credentialsOf(access: Access) {
  const { roleArn, externalId } = access;
  if (roleArn === undefined) return undefined;
  return fromTemporaryCredentials({
    clientConfig: { ...clientSettings, region: regionOf(access) },
    params: {
      RoleArn: roleArn,
      RoleSessionName: "crosstrail-verify",
      ...(externalId !== undefined && { ExternalId: externalId }),
    },
  });
}

export function bucketSource(access: Access): S3Source {
  const credentials = credentialsOf(access);
  return new S3Source({
    bucket: access.bucket as string,
    region: regionOf(access),
    ...(credentials && { credentials }),
    ...(access.bucketOwner !== undefined && { expectedOwner: access.bucketOwner }),
  });
}

/**
 * Asks CloudTrail itself, in the Region that delivered the digests. The keys are the same for every caller, so the role that reads is
 * asked only where the environment's credentials are refused: a reader role may read the archive, and nothing else.
 */
export function keysOfAws(access: Access): KeySource {
  const role = credentialsOf(access);
  return {
    async keys(region, from, to): Promise<PublicKey[]> {
      try {
        return await listKeys({ ...clientSettings, region }, from, to);
      } catch (error) {
        if (!role) throw keysError(error);
        return listKeys({ ...clientSettings, region, credentials: role }, from, to).catch(() => {
          throw keysError(error);
        });
      }
    },
  };
}

function keysError(error: unknown): KeysError {
  const { name, message } = error as Error;
  return new KeysError(`${name}: ${message}`);
}

async function listKeys(settings: CloudTrailClientConfig, from: number, to: number): Promise<PublicKey[]> {
  const client = new CloudTrailClient(settings);
  try {
    const keys: PublicKey[] = [];
    let token: string | undefined;
    do {
      const page = await client.send(
        new ListPublicKeysCommand({ StartTime: new Date(from), EndTime: new Date(to), NextToken: token }),
      );
      for (const { Value, Fingerprint, ValidityStartTime, ValidityEndTime } of page.PublicKeyList ?? []) {
        if (!Value || !Fingerprint || !ValidityStartTime || !ValidityEndTime) continue;
        keys.push({
          value: Buffer.from(Value).toString("base64"),
          fingerprint: Fingerprint.toLowerCase(),
          validFrom: ValidityStartTime.getTime(),
          validUntil: ValidityEndTime.getTime(),
        });
      }
      token = page.NextToken === "" ? undefined : page.NextToken;
    } while (token !== undefined);
    return keys;
  } finally {
    client.destroy();
  }
}
