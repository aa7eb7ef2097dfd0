/** The credentials that a stack's configuration names, for the AWS SDK: the same as the provider's. */
import { clientSettings } from "../deployed";
import { fromIni, fromNodeProviderChain, fromTemporaryCredentials } from "@aws-sdk/credential-providers";

type Credentials = ReturnType<typeof fromTemporaryCredentials>;

/** https://www.pulumi.com/registry/packages/aws/api-docs/provider/#providerassumerole */
interface AssumeRole {
  roleArn?: string;
  externalId?: string;
  sessionName?: string;
  duration?: string;
  policy?: string;
}

export function credentialsOf(config: Record<string, unknown>): Credentials {
  const profile = config["aws:profile"];
  let credentials: Credentials = typeof profile === "string" ? fromIni({ profile }) : fromNodeProviderChain();
  const region = regionOf(config);
  for (const { roleArn, externalId, sessionName, policy } of rolesOf(config["aws:assumeRoles"])) {
    if (roleArn === undefined) continue;
    credentials = fromTemporaryCredentials({
      masterCredentials: credentials,
      params: {
        RoleArn: roleArn,
        RoleSessionName: sessionName ?? "crosstrail",
        ...(externalId !== undefined && { ExternalId: externalId }),
        ...(policy !== undefined && { Policy: policy }),
      },
      clientConfig: { ...clientSettings, region },
    });
  }
  return credentials;
}

export function regionOf(config: Record<string, unknown>): string | undefined {
  const region = config["aws:region"];
  return typeof region === "string" ? region : (process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION);
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
