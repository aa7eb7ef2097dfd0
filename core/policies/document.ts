/** IAM policy documents in the one order that Crosstrail writes them in. */

/** A value of a policy element: one text, or several. */
export type OneOrMany = string | string[];

export interface Statement {
  Sid: string;
  Effect: "Allow" | "Deny";
  Principal: "*" | Record<string, OneOrMany>;
  Action?: OneOrMany;
  /** Instead of Action: every action but these. Only in a Deny, which then covers what AWS adds later. */
  NotAction?: OneOrMany;
  Resource: OneOrMany;
  Condition?: Record<string, Record<string, OneOrMany>>;
}

/** A statement of a policy that is attached to who asks. */
export type IdentityStatement = Omit<Statement, "Principal">;

/** A statement of a role's trust policy: the resource is the role. */
export type TrustStatement = Omit<Statement, "Resource">;

export interface PolicyDocument<Of extends object = Statement> {
  Version: "2012-10-17";
  Statement: Of[];
}

/**
 * A list as policies hold it: sorted, without repeats, and a single value on its own. KMS and S3 store a list of one as
 * a plain value; writing it that way keeps the provider's comparison, and so the preview, quiet.
 */
export function list(values: string[]): OneOrMany {
  const sorted = [...new Set(values)].sort();
  return sorted.length === 1 ? (sorted[0] as string) : sorted;
}

/** A policy of these statements. */
export function policyDocument<Of extends object = Statement>(statements: Of[]): PolicyDocument<Of> {
  return { Version: "2012-10-17", Statement: statements };
}

/** Minified JSON: what is deployed, and what AWS counts against the size limit. */
export function serialize(policy: PolicyDocument<object>): string {
  return JSON.stringify(policy);
}

/** Size in bytes as AWS counts it. */
export function size(policy: PolicyDocument<object>): number {
  return new TextEncoder().encode(serialize(policy)).length;
}

/**
 * A statement as text, the same for any order of its keys and lists: AWS gives policies back in an order of its own. A list of
 * one is its value, and JSON's true and 12 are the texts "true" and "12", as IAM reads them.
 */
export function canonical(statement: unknown): string {
  const order = (value: unknown, depth: number): unknown => {
    if (typeof value === "boolean" || typeof value === "number") return String(value);
    // No statement is so deep; a hostile one must not exhaust the stack.
    if (typeof value !== "object" || value === null || depth > 8) return typeof value === "object" ? null : value;
    if (Array.isArray(value)) {
      const texts = value.map((each) => JSON.stringify(order(each, depth + 1))).sort();
      return texts.length === 1 ? JSON.parse(texts[0] as string) : texts;
    }
    return Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, each]) => [name, order(each, depth + 1)]);
  };
  return JSON.stringify(order(statement, 0));
}
