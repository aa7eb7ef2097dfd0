/** The credentials and the Region of a stack, for the AWS SDK: the same as the provider's. */
import { fromNodeProviderChain } from "@aws-sdk/credential-providers";
import { providerCredentials } from "../../../programs/credentials";

export function credentialsOf(config: Record<string, unknown>): ReturnType<typeof fromNodeProviderChain> {
  return providerCredentials(config, regionOf(config)) ?? fromNodeProviderChain();
}

export function regionOf(config: Record<string, unknown>): string | undefined {
  const region = config["aws:region"];
  return typeof region === "string" ? region : (process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION);
}
