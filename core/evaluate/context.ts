/**
 * The condition keys of a request: those it was given, and those that follow from the caller.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html (Availability)
 *         https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
 */
import type { Identity } from "./principals";
import type { AccessRequest, UnknownValue } from "./types";

/** Condition keys in lower case, with their values; an empty list is a key that the request is said not to have. */
export type Context = Map<string, readonly string[] | UnknownValue>;

const absent: readonly string[] = [];

/** Tells an unknown value from a list of values. */
export function isUnknown(value: readonly string[] | UnknownValue | undefined): value is UnknownValue {
  return value !== undefined && !Array.isArray(value);
}

const principalTypes = {
  root: "Account",
  user: "User",
  role: "AssumedRole",
  session: "AssumedRole",
  federated: "FederatedUser",
} as const;

/** The context of a request with all that follows from it, or what is wrong with the given one. */
export function buildContext(request: AccessRequest, caller: Identity): Context | string {
  const given = givenContext(request);
  if (typeof given === "string") return given;
  const derived = derivedKeys.flatMap((key): [string, readonly string[]][] => {
    const values = derivedContext(key, request, caller);
    return values === undefined || given.has(key) ? [] : [[key, values]];
  });
  return new Map([...derived, ...given]);
}

/** What follows from the caller and the resource. */
const derivedKeys = [
  "aws:resourceaccount",
  "aws:principalisawsservice",
  "aws:principalservicename",
  "aws:principalservicenameslist",
  "aws:principalaccount",
  "aws:principaltype",
  "aws:userid",
  "aws:principalarn",
  "aws:username",
  "kms:calleraccount",
] as const;

/** A key that follows from the caller and the resource, by its name in lower case. Looked up, as most questions need one or none. */
export function derivedContext(key: string, request: AccessRequest, caller: Identity): readonly string[] | undefined {
  const value = derivedValue(key, request, caller);
  return value === undefined ? undefined : [value];
}

function derivedValue(key: string, { action, resourceAccountId }: AccessRequest, caller: Identity): string | undefined {
  const { kind } = caller;
  switch (key) {
    case "aws:resourceaccount":
      return resourceAccountId;
    case "aws:principalisawsservice":
      return kind === "anonymous" ? undefined : String(kind === "service");
    // No aws:PrincipalArn, ...Account, ...Type of services: AWS does not list them among the principals that have them.
    case "aws:principalservicename":
    case "aws:principalservicenameslist":
      return kind === "service" ? caller.service : undefined;
    case "aws:principalaccount":
      return kind === "anonymous" ? "anonymous" : kind === "account" ? caller.accountId : undefined;
    case "aws:principaltype":
      return kind === "anonymous" ? "Anonymous" : caller.type && principalTypes[caller.type];
    case "aws:userid":
      return kind === "anonymous" ? "anonymous" : undefined;
    case "aws:principalarn":
      return kind === "account" ? caller.principalArn : undefined;
    case "aws:username":
      return kind === "account" ? caller.userName : undefined;
    case "kms:calleraccount":
      return kind === "account" && /^kms:/i.test(action) ? caller.accountId : undefined;
    default:
      return undefined;
  }
}

/** The keys that the request was given, or what is wrong with them. */
export function givenContext({ context: of }: AccessRequest): Context | string {
  const context: Context = new Map();
  for (const name of Object.keys(of ?? {})) {
    const value = of?.[name];
    const key = name.toLowerCase();
    if (context.has(key)) return `the condition key '${name}' is given twice, in different letter case`;
    if (typeof value === "string") context.set(key, [value]);
    else if (value === undefined) context.set(key, absent);
    else if (Array.isArray(value)) {
      if (!value.every((each) => typeof each === "string")) return `the values of '${name}' are not strings`;
      context.set(key, value);
    } else if (typeof value === "boolean" || typeof value === "number") {
      context.set(key, [String(value)]);
    } else if (isObject(value) && (value.presence === "always" || value.presence === "maybe")) {
      context.set(key, value);
    } else return `the value of '${name}' is neither a string nor a list of strings`;
  }
  return context;
}

function isObject(value: unknown): value is UnknownValue {
  return typeof value === "object" && value !== null;
}
