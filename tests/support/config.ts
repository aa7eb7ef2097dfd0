/** Stack configuration as Pulumi hands it to a program. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

/** The repository's folder. */
export const root = join(__dirname, "..", "..");

/** A file of the repository as text. */
export function read(...path: string[]): string {
  return readFileSync(join(root, ...path), "utf8");
}

/** Values as a stack file holds them, as Pulumi passes them on: scalars as text, everything else as JSON. */
export function asConfig(values: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      typeof value === "object" ? JSON.stringify(value) : String(value),
    ]),
  );
}

/** The `config:` section of a stack file, as Pulumi passes it on. */
export function stackConfig(file: string): Record<string, string> {
  return asConfig((parse(read(file)) as { config: Record<string, unknown> }).config);
}

/** The keys of namespace `crosstrail:`, without it. */
export function ownKeys(config: Record<string, string>): Record<string, string> {
  const namespace = "crosstrail:";
  return Object.fromEntries(
    Object.entries(config)
      .filter(([name]) => name.startsWith(namespace))
      .map(([name, value]) => [name.slice(namespace.length), value]),
  );
}

interface DeclaredKey {
  type: string;
  default: unknown;
  description: string;
  items?: { type: string };
}

/** The keys that Pulumi.yaml declares. */
export function declaredKeys(): Record<string, DeclaredKey> {
  return (parse(read("Pulumi.yaml")) as { config: Record<string, DeclaredKey> }).config;
}
