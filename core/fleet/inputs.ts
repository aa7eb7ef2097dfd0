/**
 * What goes into a stack. A stack's program is a function of this, and of what the stack has deployed before: as long as both are
 * what they were after its last `up`, the engine has nothing to do.
 */
import type { MemberContract } from "../contract";
import type { Settings } from "../settings";

/** Goes up when the same inputs would be written down in another way, so that every stack runs once. */
const version = 1;

export interface StackInputs {
  project: string;
  stack: string;
  /** All of the project's file: it also says which plugins and options the engine uses. */
  projectFile: unknown;
  /** By full names, with what the project gives to every stack. Encrypted values as they are written: encrypted. */
  config: Record<string, unknown>;
  /** What else is in the stack's file, such as how its secrets are encrypted. */
  stackFile: Record<string, unknown>;
  /** What the stack reads of the audit stack; undefined for the audit stack itself. */
  contract: MemberContract | undefined;
  /** The program's files and packages, as a digest. */
  program: string;
  /** The engine's version. */
  engine: string;
  /** Variables that change how the program or the provider works: Region, role, endpoints. No credentials. */
  environment: Record<string, string>;
}

/** The inputs as text: the same text for the same inputs, whatever the order of their keys. */
export function inputsText(inputs: StackInputs): string {
  return canonical({ version, ...inputs });
}

/** JSON with sorted keys. Lists keep their order: it may mean something. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((each) => canonical(each ?? null)).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  const sorted = entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${sorted.map(([key, each]) => `${JSON.stringify(key)}:${canonical(each)}`).join(",")}}`;
}

/**
 * Why a stack's program depends on more than its inputs: it asks AWS, and does something else when the answer differs. Undefined
 * for all others, which ask only whose the credentials are.
 */
export function asksMore(settings: Settings): string | undefined {
  if (settings.role === "management") return "its program asks AWS Organizations";
  if (settings.role !== "audit") return undefined;
  if (settings.archive.breakGlassRoleArns.length > 0) return "its program asks IAM for the break-glass roles";
  if (settings.archive.mfaDelete) return "its program asks S3 about MFA Delete";
  return undefined;
}

/** How an account is accessed. It decides whether a stack can be worked on, and nothing of what is in it: a test holds that. */
const accessKeys = new Set([
  "aws:assumeRoles",
  "aws:profile",
  "aws:accessKey",
  "aws:secretKey",
  "aws:token",
  "crosstrail:deployRole",
  "crosstrail:deployProfile",
  "crosstrail:deployExternalId",
]);
const accessVariables = new Set(["AWS_PROFILE", "AWS_ROLE_ARN", "AWS_SHARED_CREDENTIALS_FILE"]);

/** A configuration without how accounts are accessed: a preview may do that with roles that can only read. */
export function withoutAccess(config: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(config).filter(([key]) => !accessKeys.has(key));
  const inner = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(inner);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).filter(([key]) => key !== "deployRoleArn" && key !== "deployProfile"),
    );
  };
  const declared = new Set(["crosstrail:members", "crosstrail:organization"]);
  return Object.fromEntries(entries.map(([key, value]) => [key, declared.has(key) ? inner(value) : value]));
}

/** The same for the environment. */
export function environmentWithoutAccess(environment: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !accessVariables.has(name)));
}

/** Two configurations as the engine hands them to a program: `true` and `"true"` are the same, and so are lists and their JSON. */
export function isSameConfig(one: Record<string, unknown>, other: Record<string, unknown>): boolean {
  return canonical(asTexts(one)) === canonical(asTexts(other));
}

function asTexts(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asTexts);
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).filter(([, each]) => each !== null && each !== undefined);
    return Object.fromEntries(entries.map(([key, each]) => [key, asTexts(each)]));
  }
  return String(value);
}
