/** Texts of the configuration that are filled in for each member: `arn:{partition}:iam::{accountId}:role/Deploy`. */
import { roleArnProblem } from "./names";

/** What a pattern may name. */
export interface PatternValues {
  partition: string;
  accountId: string;
  alias: string;
}

const example: PatternValues = { partition: "aws", accountId: "123456789012", alias: "alias" };

/** The pattern with its placeholders filled in. */
export function fillIn(pattern: string, values: PatternValues): string {
  return pattern.replace(/\{(\w+)\}/g, (text, name: string) => values[name as keyof PatternValues] ?? text);
}

/** Says what is wrong with a pattern for role ARNs, or nothing. */
export function deployRoleProblem(pattern: string): string | undefined {
  const unknown = unknownPlaceholder(pattern, Object.keys(example));
  if (unknown) return unknown;
  const problem = roleArnProblem(fillIn(pattern, example));
  if (problem) return `${problem}; here with {partition}, {accountId} and {alias} in it`;
  if (!pattern.includes("{accountId}")) return "each account has its own role, so the pattern needs {accountId}";
  return undefined;
}

/** Says what is wrong with a pattern for profiles, or nothing. */
export function deployProfileProblem(pattern: string): string | undefined {
  return unknownPlaceholder(pattern, ["accountId", "alias"]);
}

function unknownPlaceholder(pattern: string, known: string[]): string | undefined {
  const found = [...pattern.matchAll(/\{([^}]*)\}?/g)].find(([, name]) => !known.includes(name as string));
  return found && `${found[0]} is not one of the placeholders ${known.map((name) => `{${name}}`).join(", ")}`;
}
