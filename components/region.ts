/** Resources of a component in another Region than the provider's. */
import * as pulumi from "@pulumi/pulumi";
import { Provider } from "@pulumi/aws/provider";

/** Of these the provider wants numbers; a configuration has texts. */
const numbers = ["maxRetries", "tokenBucketRateLimiterCapacity"];
/** They stay encrypted in the state, also where the configuration has them in plain. */
const secrets = ["accessKey", "secretKey", "token", "assumeRoleWithWebIdentity"];
/** What a configuration says beside the provider's own settings. */
const others = ["region", "version", "pluginDownloadURL"];

/** Whether Pulumi keeps this key of the configuration encrypted. The SDK knows it and does not declare it; if it no longer did, every key would be. */
function isConfigSecret(key: string): boolean {
  const { isConfigSecret: known } = pulumi.runtime as { isConfigSecret?: (key: string) => boolean };
  return known === undefined || known(key);
}

/**
 * A provider for another Region with the settings of the stack's own: its configuration under `aws:`, such as a profile or roles to
 * assume, and the same environment.
 */
export function providerIn(name: string, region: string): Provider {
  const settings: Record<string, unknown> = {};
  for (const [key, text] of Object.entries(pulumi.runtime.allConfig())) {
    const setting = key.replace(/^aws:/, "");
    if (setting === key || others.includes(setting)) continue;
    const isText = !/^(true|false|[[{].*)$/s.test(text) && !numbers.includes(setting);
    const value: unknown = isText ? text : JSON.parse(text);
    const isSecret = secrets.includes(setting) || isConfigSecret(key);
    settings[setting] = isSecret ? pulumi.secret(value) : value;
  }
  return new Provider(name, { ...settings, region: region as never });
}

/** What a resource of another Region gets, as an argument and as an option. */
export interface Place {
  args: { region?: string };
  opts: { provider?: Provider };
}

/**
 * How a component's resources get into another Region. With a provider of the component's own, or of a parent's, its credentials are
 * used there, by the resources' own `region`; otherwise the stack's, by a provider for that Region.
 * Source: https://www.pulumi.com/registry/packages/aws/how-to-guides/7-0-migration/ (`region`, new in version 7)
 */
export function inRegion(component: pulumi.ComponentResource, name: string, region: string | undefined): Place {
  if (region === undefined) return { args: {}, opts: {} };
  // Any resource of the package is asked about; the answer is the package's provider.
  if (component.getProvider("aws:s3/bucket:Bucket")) return { args: { region }, opts: {} };
  return { args: {}, opts: { provider: providerIn(name, region) } };
}
