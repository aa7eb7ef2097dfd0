/** An S3 bucket as Pulumi's backend. Loaded only where there is one: the SDK takes longer to load than the rest. */
import { GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { fromIni } from "@aws-sdk/credential-providers";
import { clientSettings } from "../../../programs/credentials";
import type { Store } from "./store";

// The SDK's own warning about future versions of Node.js does not belong in this program's output.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";

/** What a URL of an S3 backend says, as far as it is known here. */
export interface S3Place {
  bucket: string;
  /** With a slash at its end, or empty. */
  prefix: string;
  region?: string;
  endpoint?: string;
  profile?: string;
  pathStyle: boolean;
}

/**
 * `s3://bucket/prefix?region=…&endpoint=…&profile=…&s3ForcePathStyle=true&disableSSL=true`.
 * https://www.pulumi.com/docs/iac/concepts/state-and-backends/
 * @returns undefined where it says something else as well: then it is not known what is read.
 */
export function s3Place(text: string): S3Place | undefined {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return undefined;
  }
  if (url.protocol !== "s3:" || url.hostname === "" || url.username !== "" || url.port !== "") return undefined;
  const place: S3Place = { bucket: url.hostname, prefix: url.pathname.replace(/^\/+|\/+$/g, ""), pathStyle: false };
  if (place.prefix !== "") place.prefix += "/";
  const isTrue = (value: string) => /^(true|1|t)$/i.test(value);
  let isPlain = false;
  for (const [name, value] of url.searchParams) {
    if (name === "region") place.region = value;
    else if (name === "endpoint") place.endpoint = value;
    else if (name === "profile") place.profile = value;
    else if (name === "s3ForcePathStyle" || name === "use_path_style") place.pathStyle = isTrue(value);
    else if (name === "disableSSL" || name === "disable_https") isPlain = isTrue(value);
    else if (name !== "awssdk") return undefined;
  }
  if (place.endpoint !== undefined && !place.endpoint.includes("://")) {
    place.endpoint = `${isPlain ? "http" : "https"}://${place.endpoint}`;
  }
  return place;
}

/** @returns undefined where it is not known whose credentials Pulumi would use. */
export function s3Store(place: S3Place, env: NodeJS.ProcessEnv): (Store & { close(): void }) | undefined {
  const { bucket: Bucket, prefix, pathStyle } = place;
  const profile = place.profile ?? (env.AWS_ACCESS_KEY_ID ? undefined : env.AWS_PROFILE);
  const isOwn = (["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_ROLE_ARN"] as const).every(
    (name) => env[name] === process.env[name],
  );
  let credentials;
  if (profile) credentials = isOwn ? fromIni({ profile }) : undefined;
  else if (env.AWS_ACCESS_KEY_ID && env.AWS_SECRET_ACCESS_KEY) {
    credentials = {
      accessKeyId: env.AWS_ACCESS_KEY_ID,
      secretAccessKey: env.AWS_SECRET_ACCESS_KEY,
      ...(env.AWS_SESSION_TOKEN && { sessionToken: env.AWS_SESSION_TOKEN }),
    };
  } else if (env !== process.env) return undefined;
  if (profile && !credentials) return undefined;
  const endpoint = place.endpoint ?? env.AWS_ENDPOINT_URL_S3 ?? env.AWS_ENDPOINT_URL;
  const client = new S3Client({
    ...clientSettings,
    region: place.region ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION,
    ...(credentials && { credentials }),
    ...(endpoint && { endpoint }),
    forcePathStyle: pathStyle,
  });
  return {
    async list(folder, { start = "", from } = {}) {
      const Prefix = `${prefix}${folder}/`;
      const { Contents = [], IsTruncated } = await client.send(
        new ListObjectsV2Command({
          Bucket,
          Prefix: `${Prefix}${start}`,
          Delimiter: "/",
          ...(from !== undefined && { StartAfter: `${Prefix}${from}` }),
        }),
      );
      if (IsTruncated) throw new Error("too much to read");
      return Contents.map(({ Key = "" }) => Key.slice(Prefix.length));
    },
    async read(path) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: `${prefix}${path}` }));
      if (!Body) throw new Error("no content");
      return Buffer.from(await Body.transformToByteArray());
    },
    close: () => client.destroy(),
  };
}
