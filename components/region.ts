import * as pulumi from "@pulumi/pulumi";
import { Provider } from "@pulumi/aws/provider";

/** Of these the provider wants numbers; a configuration has texts. */
const numbers = ["maxRetries", "tokenBucketRateLimiterCapacity"];
/** They stay encrypted in the state. */
const secrets = ["accessKey", "secretKey", "token"];
/** What a configuration says beside the provider's own settings. */
const others = ["region", "version", "pluginDownloadURL"];

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
    settings[setting] = secrets.includes(setting) ? pulumi.secret(value) : value;
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
