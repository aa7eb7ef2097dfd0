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

/** The context of a request, or what is wrong with the given one. */
export function buildContext(request: AccessRequest, caller: Identity): Context | string {
  const context: Context = new Map();
  const derive = (key: string, value: string | undefined): void => {
    if (value !== undefined) context.set(key, [value]);
  };
  derive("aws:resourceaccount", request.resourceAccountId);
  switch (caller.kind) {
    case "service":
      // No aws:PrincipalArn, ...Account, ...Type: AWS does not list services among the principals that have them.
      derive("aws:principalisawsservice", "true");
      derive("aws:principalservicename", caller.service);
      derive("aws:principalservicenameslist", caller.service);
      break;
    case "anonymous":
      derive("aws:principalaccount", "anonymous");
      derive("aws:principaltype", "Anonymous");
      derive("aws:userid", "anonymous");
      break;
    case "account":
      derive("aws:principalisawsservice", "false");
      derive("aws:principalaccount", caller.accountId);
      derive("aws:principalarn", caller.principalArn);
      derive("aws:principaltype", caller.type && principalTypes[caller.type]);
      derive("aws:username", caller.userName);
      if (/^kms:/i.test(request.action)) derive("kms:calleraccount", caller.accountId);
  }
  const given = new Set<string>();
  for (const [name, value] of Object.entries(request.context ?? {})) {
    const key = name.toLowerCase();
    if (given.has(key)) return `the condition key '${name}' is given twice, in different letter case`;
    given.add(key);
    if (value === undefined) context.set(key, absent);
    else if (Array.isArray(value)) {
      if (!value.every((each) => typeof each === "string")) return `the values of '${name}' are not strings`;
      context.set(key, value);
    } else if (typeof value === "string" || typeof value === "boolean" || typeof value === "number") {
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
