import fs from "node:fs";
import path from "node:path";

const MODULE = path.join(__dirname, "pulumi", "go.mod");

/** The version of Pulumi that the sandbox downloads or builds: that of the Go module. */
export function pulumiVersion(): string {
  const match = /github\.com\/pulumi\/pulumi\/pkg\/v3 v(\S+)/.exec(fs.readFileSync(MODULE, "utf8"));
  if (!match?.[1]) throw new Error(`${MODULE} names no version of Pulumi`);
  return match[1];
}

/** The version of the AWS plugin that @pulumi/aws, as installed, asks the engine for. */
export function awsPluginVersion(): string {
  const file = require.resolve("@pulumi/aws/package.json");
  const found = JSON.parse(fs.readFileSync(file, "utf8")) as { version: string; pulumi?: { version?: string } };
  return found.pulumi?.version ?? found.version;
}

/** The first version whose engine works with the SDK that this project uses, and the first that may not. */
export const SUITABLE = { from: "3.244.0", below: "4.0.0" };

/** Whether a Pulumi of this version (`pulumi version` prints "v3.250.0") may drive the sandbox. */
export function isSuitable(version: string): boolean {
  const parsed = parseVersion(version);
  // A pre-release or a build from a branch is not what any of this was tried with.
  if (!parsed || /[-+]/.test(version.trim())) return false;
  return compare(parsed, parseVersion(SUITABLE.from)!) >= 0 && compare(parsed, parseVersion(SUITABLE.below)!) < 0;
}

type Version = [number, number, number];

export function parseVersion(text: string): Version | undefined {
  const match = /^\s*v?(?:go)?(\d+)\.(\d+)(?:\.(\d+))?/.exec(text);
  return match ? [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)] : undefined;
}

export function compare(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}
