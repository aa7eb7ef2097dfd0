/** What a schema found wrong, in words for people who do not know the schema. */
import type { z } from "zod";

/** One thing that is wrong: where, and what. The message has no capital in front and no period behind. */
export interface Issue {
  path: PropertyKey[];
  message: string;
  /** For a key that the schema does not have: its name. */
  unknownKey?: string;
}

/** The issues in words; unions, records and unknown keys are reduced to the one thing that the user wrote. */
export function plainIssues(issues: readonly z.core.$ZodIssue[]): Issue[] {
  return issues.flatMap(plain);
}

function plain(issue: z.core.$ZodIssue): Issue[] {
  const { path } = issue;
  switch (issue.code) {
    case "invalid_union": {
      const [first] = issue.errors;
      if (!first) break;
      return plainIssues(first).map((inner) => ({ ...inner, path: [...path, ...inner.path] }));
    }
    case "invalid_key":
      return plainIssues(issue.issues).map(({ message }) => ({ path, message: `its name: ${message}` }));
    case "unrecognized_keys":
      return issue.keys.map((key) => ({ path: [...path, key], message: "this key does not exist", unknownKey: key }));
    case "invalid_value":
      return [{ path, message: `allowed ${issue.values.length === 1 ? "is" : "are"} ${issue.values.join(", ")}` }];
    case "invalid_type":
      return [{ path, message: `this must be ${typeText(issue.expected)}` }];
    case "too_small":
      if (!isDefault(issue.message)) break;
      return [{ path, message: `this must ${boundText(issue.origin, "at least", issue.minimum)}` }];
    case "too_big":
      if (!isDefault(issue.message)) break;
      return [{ path, message: `this must ${boundText(issue.origin, "at most", issue.maximum)}` }];
  }
  return [{ path, message: issue.message }];
}

/** True for the schema library's own words; ours never begin with a capital. */
function isDefault(message: string): boolean {
  return /^Too (small|big)/.test(message);
}

function boundText(origin: string, bound: string, limit: number | bigint): string {
  if (origin === "string") return `have ${bound} ${limit} character${limit === 1 ? "" : "s"}`;
  if (origin === "array") return `have ${bound} ${limit} element${limit === 1 ? "" : "s"}`;
  return `be ${bound} ${limit}`;
}

function typeText(expected: string): string {
  const words: Record<string, string> = {
    string: "a string (in quotes)",
    boolean: "true or false",
    array: "a list",
    object: "a map",
    record: "a map",
    int: "a whole number",
    number: "a number",
  };
  return words[expected] ?? expected;
}

/** A path as people write it: `.members[0].alias`. */
export function pathText(path: PropertyKey[]): string {
  return path.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`)).join("");
}

/** The value at a path, or undefined. */
export function valueAt(value: unknown, path: PropertyKey[]): unknown {
  return path.reduce<unknown>((at, part) => (at as Record<PropertyKey, unknown> | null | undefined)?.[part], value);
}

/** The text as a sentence: a capital in front, unless it begins with a name, and a period behind. */
export function sentence(text: string): string {
  const capital = /^[a-z]+ /.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}
