/** How AWS is asked beside the provider: with the credentials that the provider's settings in a stack's configuration name. */
import { fromIni, fromTemporaryCredentials } from "@aws-sdk/credential-providers";
import { rolesOf } from "./assumeRoles";

/** Of every client of the SDK: AWS is asked again, and not waited for without an end. */
export const clientSettings = { maxAttempts: 3, requestHandler: { connectionTimeout: 5_000, requestTimeout: 20_000 } };

type Credentials = ReturnType<typeof fromIni>;

/**
 * @param config by Pulumi's names; lists as arrays, or as JSON, which is how the engine passes them.
 * @returns undefined where the configuration names none: the ambient ones are used.
 */
export function providerCredentials(
  config: Record<string, unknown>,
  region: string | undefined,
): Credentials | undefined {
  const text = (name: string) => (typeof config[name] === "string" && config[name] !== "" ? config[name] : undefined);
  const [profile, accessKeyId, secretAccessKey] = ["aws:profile", "aws:accessKey", "aws:secretKey"].map(text);
  let credentials: Credentials | undefined;
  if (accessKeyId && secretAccessKey) {
    const sessionToken = text("aws:token");
    credentials = () => Promise.resolve({ accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) });
  } else if (profile) credentials = fromIni({ profile });
  for (const { roleArn, externalId, sessionName, sourceIdentity, policy } of rolesOf(config["aws:assumeRoles"])) {
    if (!roleArn) continue;
    credentials = fromTemporaryCredentials({
      masterCredentials: credentials,
      clientConfig: { ...clientSettings, region },
      params: {
        RoleArn: roleArn,
        RoleSessionName: sessionName ?? "crosstrail",
        ExternalId: externalId,
        SourceIdentity: sourceIdentity,
        Policy: policy,
      },
    });
  }
  return credentials;
}
