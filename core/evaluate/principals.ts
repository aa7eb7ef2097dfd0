/**
 * Principals: who a statement is about, and whether a caller is among them.
 * Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
 *          https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
 */
import { splitArn } from "./pattern";
import type { AccessRequest, Caller } from "./types";

/** How a principal element covers a caller: by name (or as everyone), only through its account, or nobody can say. */
export type Cover = "direct" | "account" | "unknown" | undefined;

/** The principals of a statement, prepared. */
export interface PrincipalSet {
  /** `*` or `{"AWS": "*"}`: everyone, services and callers without credentials too. */
  everyone: boolean;
  /** Whole accounts: `<account>` for a bare id, `<partition>:<account>` for a root ARN. */
  accounts: Set<string>;
  /** ARNs of users, roles, sessions and federated users. */
  arns: Set<string>;
  /** The same roles as `<partition>:<account>:<role name>`: how a session, whose ARN has no path, names its role. */
  roles: Set<string>;
  services: Set<string>;
  /** It names an account by its canonical user id, which says nothing about the account's digits. */
  canonical: boolean;
  /** All ARNs as written, and ids of principals that were deleted: a service refuses those that cannot exist. */
  named: string[];
  deleted: string[];
  /** As written, for explanations: `AWS: ...`. */
  shown: string[];
}

/** What is wrong with, or notable about, one principal of a policy. */
export type PrincipalProblem = "type" | "aws" | "service" | "accountId" | "deleted" | "canonical";

const uniqueId = /^A[A-Z]{3}[A-Z0-9]{12,}$/;
const accountId = /^\d{12}$/;

export function emptyPrincipals(): PrincipalSet {
  return {
    everyone: false,
    accounts: new Set(),
    arns: new Set(),
    roles: new Set(),
    services: new Set(),
    canonical: false,
    named: [],
    deleted: [],
    shown: [],
  };
}

/** Adds one principal of a policy to the set; says what is wrong with it. */
export function addPrincipal(set: PrincipalSet, type: string, value: string): PrincipalProblem | undefined {
  set.shown.push(type === "AWS" ? value : `${type}: ${value}`);
  switch (type) {
    case "AWS":
      return addAws(set, value);
    case "Service":
      if (!/^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(value)) return "service";
      set.services.add(value);
      return undefined;
    // Federated principals take part in sts:AssumeRoleWithSAML and ...WithWebIdentity only; no caller here is one.
    case "Federated":
      return undefined;
    case "CanonicalUser":
      set.canonical = true;
      return "canonical";
    default:
      return "type";
  }
}

function addAws(set: PrincipalSet, value: string): PrincipalProblem | undefined {
  if (value === "*") {
    set.everyone = true;
    return undefined;
  }
  if (accountId.test(value)) {
    set.accounts.add(value);
    return undefined;
  }
  if (/^\d+$/.test(value)) return "accountId";
  if (uniqueId.test(value)) {
    set.deleted.push(value);
    return "deleted";
  }
  const parts = splitArn(value);
  if (!parts || parts[0] !== "arn" || /[*?]/.test(value)) return "aws";
  const [, partition, service, region, account, name] = parts as [string, string, string, string, string, string];
  if ((service !== "iam" && service !== "sts") || region !== "") return "aws";
  // A CloudFront origin access identity has the word "cloudfront" for its account.
  if (!accountId.test(account) && account !== "cloudfront") return "accountId";
  if (service === "iam" && name === "root") set.accounts.add(`${partition}:${account}`);
  else if (/^(user|role|assumed-role|federated-user)\/./.test(name)) {
    set.arns.add(value);
    const role = /^role\/(?:.*\/)?([^/]+)$/.exec(name)?.[1];
    if (service === "iam" && role !== undefined) set.roles.add(`${partition}:${account}:${role}`);
  } else return "aws";
  set.named.push(value);
  return undefined;
}

/** A caller, understood once per request. */
export interface Identity {
  kind: "service" | "account" | "anonymous";
  service?: string;
  accountId?: string;
  partition?: string;
  arn?: string;
  type?: "root" | "user" | "role" | "session" | "federated";
  /** For a session: the ARN of its role where it is known, else `<partition>:<account>:<role name>`. */
  roleArn?: string;
  roleName?: string;
  /** What `aws:PrincipalArn` says. */
  principalArn?: string;
  userName?: string;
}

/** Thousands of requests share few callers. */
const understood = new WeakMap<Caller, Identity | string>();

/** Understands the caller, or says what is wrong with it. */
export function readCaller({ caller }: AccessRequest): Identity | string {
  let identity = understood.get(caller);
  if (identity === undefined) understood.set(caller, (identity = identityOf(caller)));
  return identity;
}

function identityOf(caller: Caller): Identity | string {
  if (caller.kind === "anonymous") return { kind: "anonymous" };
  if (caller.kind === "service") {
    return caller.service ? { kind: "service", service: caller.service } : "a service caller needs `service`";
  }
  if (caller.kind !== "account")
    return `the caller's kind is service, account or anonymous, not '${String(caller.kind)}'`;
  if (caller.arn === undefined) {
    return accountId.test(caller.accountId ?? "")
      ? { kind: "account", accountId: caller.accountId }
      : "an account caller needs `arn`, or `accountId` with 12 digits";
  }
  const parts = splitArn(caller.arn);
  if (!parts || parts[0] !== "arn") return `'${caller.arn}' is not the ARN of a caller`;
  const [, partition, service, , account, name] = parts as [string, string, string, string, string, string];
  if (!accountId.test(account)) return `the caller '${caller.arn}' has no account of 12 digits`;
  if (caller.accountId !== undefined && caller.accountId !== account) {
    return `the caller '${caller.arn}' is not in account ${caller.accountId}`;
  }
  const base = { kind: "account" as const, accountId: account, partition, arn: caller.arn };
  if (service === "iam" && name === "root") return { ...base, type: "root", principalArn: caller.arn };
  if (service === "iam" && /^user\/./.test(name)) {
    return { ...base, type: "user", principalArn: caller.arn, userName: name.slice(name.lastIndexOf("/") + 1) };
  }
  if (service === "iam" && /^role\/./.test(name)) {
    return { ...base, type: "role", principalArn: caller.arn };
  }
  const session = /^assumed-role\/([^/]+)\/[^/]+$/.exec(name)?.[1];
  if (service === "sts" && session !== undefined) {
    const { roleArn } = caller;
    const stem = `arn:${partition}:iam::${account}:role/`;
    if (roleArn === undefined) {
      return { ...base, type: "session", roleName: `${partition}:${account}:${session}`, principalArn: stem + session };
    }
    if (!roleArn.startsWith(stem) || !roleArn.endsWith(`/${session}`)) {
      return `the session '${caller.arn}' is not one of the role '${roleArn}'`;
    }
    return { ...base, type: "session", roleArn, principalArn: roleArn };
  }
  if (service === "sts" && /^federated-user\/./.test(name)) {
    return { ...base, type: "federated", principalArn: caller.arn };
  }
  return `'${caller.arn}' is not the ARN of a user, role, role session, federated user or root user`;
}

function coversAccount(set: PrincipalSet, caller: Identity): boolean {
  if (set.accounts.size === 0 || caller.accountId === undefined) return false;
  if (set.accounts.has(caller.accountId)) return true;
  if (caller.partition !== undefined) return set.accounts.has(`${caller.partition}:${caller.accountId}`);
  // A caller without an ARN has no partition; account ids do not repeat across partitions.
  return [...set.accounts].some((account) => account.endsWith(`:${caller.accountId ?? ""}`));
}

/** Whether the role of a session is named. Names of roles are unique in an account, whatever their paths. */
function coversRole(set: PrincipalSet, caller: Identity): boolean {
  if (caller.roleArn !== undefined) return set.arns.has(caller.roleArn);
  return caller.roleName !== undefined && set.roles.has(caller.roleName);
}

/** How a `Principal` element covers the caller. The root user is its account. */
export function covers(set: PrincipalSet, caller: Identity): "direct" | "account" | undefined {
  if (set.everyone) return "direct";
  if (caller.kind === "service") return set.services.has(caller.service ?? "") ? "direct" : undefined;
  if (caller.kind === "anonymous") return undefined;
  if (caller.arn !== undefined && set.arns.has(caller.arn)) return "direct";
  if (coversRole(set, caller)) return "direct";
  if (coversAccount(set, caller)) return caller.type === "root" ? "direct" : "account";
  return undefined;
}

/** Whether the set may name the caller's account by its canonical user id. Services and anonymous callers have none. */
export function mayBeMeant(set: PrincipalSet, caller: Identity): boolean {
  return set.canonical && caller.kind === "account";
}

/**
 * Whether a `Deny` with `NotPrincipal` spares the caller. "AWS might validate the account first and then the user", or "the
 * account first, then the role": so both must be listed, as AWS recommends; listing only the session does not suffice.
 */
export function sparedByNotPrincipal(set: PrincipalSet, caller: Identity): boolean {
  if (set.everyone) return true;
  if (caller.kind === "service") return set.services.has(caller.service ?? "");
  if (caller.kind === "anonymous" || !coversAccount(set, caller)) return false;
  if (caller.type === "root") return true;
  if (caller.type === "session") return coversRole(set, caller);
  return caller.arn !== undefined && set.arns.has(caller.arn);
}

/** A caller in words. */
export function describeCaller(caller: Identity): string {
  if (caller.kind === "service") return caller.service ?? "a service";
  if (caller.kind === "anonymous") return "an anonymous caller";
  return caller.arn ?? `a principal of account ${caller.accountId ?? ""}`;
}
