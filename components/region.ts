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

/** A component's options, with which all its AWS resources are in this Region. */
export function inRegion(
  name: string,
  region: string | undefined,
  opts: pulumi.ComponentResourceOptions | undefined,
): pulumi.ComponentResourceOptions | undefined {
  return region === undefined ? opts : { ...opts, providers: { aws: providerIn(`${name}-${region}`, region) } };
}
