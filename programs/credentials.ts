/** How AWS is asked beside the provider: with the credentials that the provider's settings in a stack's configuration name. */
import { fromIni, fromTemporaryCredentials } from "@aws-sdk/credential-providers";

/** Of every client of the SDK: AWS is asked again, and not waited for without an end. */
export const clientSettings = { maxAttempts: 3, requestHandler: { connectionTimeout: 5_000, requestTimeout: 20_000 } };

type Credentials = ReturnType<typeof fromIni>;

/** https://www.pulumi.com/registry/packages/aws/api-docs/provider/#providerassumerole */
export interface AssumeRole {
  roleArn?: string;
  externalId?: string;
  sessionName?: string;
  sourceIdentity?: string;
  policy?: string;
}

/**
 * @param config by Pulumi's names; lists as they are, or as JSON, in which form the engine hands them over.
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

/** The role by which the configuration enters the account: the last one that the provider assumes. */
export function assumedRole(config: Record<string, unknown>, accountId: string): AssumeRole | undefined {
  const role = rolesOf(config["aws:assumeRoles"]).at(-1);
  return /^arn:[^:]+:iam::(\d+):role\/./.exec(role?.roleArn ?? "")?.[1] === accountId ? role : undefined;
}

/** A stack file has a list; what was set with `pulumi config set` may be its JSON. */
function rolesOf(value: unknown): AssumeRole[] {
  if (Array.isArray(value)) return value as AssumeRole[];
  if (typeof value !== "string") return [];
  try {
    const parsed: unknown = JSON.parse(value);
    return Array.isArray(parsed) ? (parsed as AssumeRole[]) : [];
  } catch {
    return [];
  }
}
