/** Which keys of a stack's configuration are Crosstrail's, and which ones were probably meant to be. */
import type { KeyEntry } from "./keys";
import { editDistance, nearest } from "../nearest";
import type { Report } from "./report";
import { subjectText } from "./report";

/** The namespace of all keys, which is also the project's name. */
export const namespace = "crosstrail";

/** A stack's configuration by namespaces. */
export interface SplitConfig {
  /** The values of namespace `crosstrail:`, by their names without it. */
  own: Record<string, string>;
  /** Everything else, with its namespace. */
  others: Record<string, string>;
}

/** @param config values by their full names, as Pulumi hands them to a program. */
export function splitConfig(config: Record<string, string>): SplitConfig {
  const own: Record<string, string> = {};
  const others: Record<string, string> = {};
  for (const [key, value] of Object.entries(config)) {
    if (key.startsWith(`${namespace}:`)) own[key.slice(namespace.length + 1)] = value;
    else others[key] = value;
  }
  return { own, others };
}

/**
 * Reports keys whose namespace is a misspelled `crosstrail`. Pulumi takes any namespace, so that without this
 * `crosstail:members` would be a fleet without members. Namespaces of providers and of other projects are not touched.
 * @param project the Pulumi project's own name: of its namespace only the names that Crosstrail has are mistakes.
 */
export function checkNamespaces(
  report: Report,
  others: Record<string, string>,
  known: readonly Pick<KeyEntry, "name">[],
  project: string = namespace,
): void {
  const names = known.map(({ name }) => name as string);
  for (const [key, value] of Object.entries(others)) {
    const at = key.indexOf(":");
    if (at < 0) continue;
    const [space, name] = [key.slice(0, at), key.slice(at + 1)];
    const meant = names.includes(name) ? name : nearest(name, names);
    if (!isMisspelt(space, meant !== undefined)) continue;
    if (space === project && meant === undefined) continue;
    report.add(
      "namespace",
      subjectText(key, value),
      `Nothing reads the namespace ${space}; Crosstrail's is ${namespace}, in lower-case letters.`,
      `Did you mean ${namespace}:${meant ?? name}? Otherwise remove it from ${report.file}.`,
    );
  }
}

/** Two letters wrong, or three where the key's name is one of ours as well: `cloudtrail:` may be another project's. */
function isMisspelt(space: string, isKnownName: boolean): boolean {
  const bare = space.replace(/[\s_.-]/g, "");
  return Math.min(editDistance(space, namespace), editDistance(bare, namespace)) <= (isKnownName ? 3 : 2);
}
