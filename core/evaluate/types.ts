/** Policies, requests and decisions, as the evaluator takes and gives them. */
import type { Finding } from "../findings";

/** One value or a list of them: policies allow both wherever a list is meant. */
export type OneOrMany<T> = T | T[];

/** Who a statement is about. `"*"` is everyone, also callers who gave no credentials. */
export type Principal = "*" | { [type: string]: OneOrMany<string> };

/** The condition block: operator, then condition key, then the values it is compared with. */
export type ConditionBlock = { [operator: string]: { [key: string]: OneOrMany<string | number | boolean> } };

/** A statement in the shape of its JSON. */
export interface Statement {
  Sid?: string;
  Effect: "Allow" | "Deny";
  Principal?: Principal;
  NotPrincipal?: Principal;
  Action?: OneOrMany<string>;
  NotAction?: OneOrMany<string>;
  Resource?: OneOrMany<string>;
  NotResource?: OneOrMany<string>;
  Condition?: ConditionBlock;
}

/** A policy in the shape of its JSON. */
export interface PolicyDocument {
  Version?: string;
  Id?: string;
  Statement: OneOrMany<Statement>;
}

/**
 * What a resource policy is attached to; it changes the rules. A KMS key and a role must themselves allow a request,
 * whatever the identity policies say; a key's statement without a `Resource` has no effect, a role's has none by nature.
 */
export type ResourceKind = "bucket" | "key" | "role" | "other";

/**
 * Where a policy is attached: to a resource, to the identity that asks, or to a part of the organization (a service control
 * policy, `scp`, or a resource control policy, `rcp`).
 */
export type PolicyKind = ResourceKind | "identity" | "scp" | "rcp";

/** Who asks. */
export interface Caller {
  /** An AWS service in its own name, an IAM principal of an account, or nobody (a request without a signature). */
  kind: "service" | "account" | "anonymous";
  /** For a service: its principal, `cloudtrail.amazonaws.com`. */
  service?: string;
  /** For an account: its 12 digits. Read from `arn` when left out. */
  accountId?: string;
  /**
   * For an account: the ARN of the user, role, role session, federated user, or `:root` for the root user.
   * Without it the caller is some unnamed user or role of the account: what names a principal never matches it.
   */
  arn?: string;
  /**
   * For a role session: the ARN of the role. A session's ARN leaves out the role's path, so a role with a path needs this
   * for `aws:PrincipalArn` to be right.
   */
  roleArn?: string;
}

/**
 * A condition key whose value nobody knows before the request is made. What depends on it is undecided, unless every value
 * that it can have gives the same answer.
 */
export interface UnknownValue {
  /** `always`: each such request has the key. `maybe`: nobody knows whether it does. */
  readonly presence: "always" | "maybe";
  /** The only values that it can have; a value of several texts is a list. Left out: any. */
  readonly oneOf?: readonly (string | readonly string[])[];
  /** Texts that it is known not to be. */
  readonly except?: readonly string[];
  /** What each of its texts starts with. */
  readonly startsWith?: string;
  /** What a person can do to have it decided, as a sentence. */
  readonly hint?: string;
}

/** Condition keys of a request. Names in any letter case; `undefined` means that the request does not have the key. */
export type RequestContext = Record<string, string | number | boolean | string[] | UnknownValue | undefined>;

/**
 * What a request has besides its `context`, by the key in lower case: its values, that they are unknown, or `undefined` for a
 * key that the request does not have.
 */
export type FurtherContext = (key: string) => readonly string[] | UnknownValue | undefined;

/** A request to put to the policies. */
export interface AccessRequest {
  caller: Caller;
  /** `s3:PutObject` */
  action: string;
  /** The ARN of what is asked for, without wildcards. */
  resource: string;
  /** The account that owns the resource. */
  resourceAccountId: string;
  /**
   * The condition keys of the request. What follows from the caller is added where it is not given: `aws:PrincipalArn`,
   * `aws:PrincipalAccount`, `aws:PrincipalType`, `aws:PrincipalIsAWSService`, `aws:PrincipalServiceName`,
   * `aws:username`, `aws:ResourceAccount` and, for KMS, `kms:CallerAccount`.
   */
  context?: RequestContext;
  /** Looked up for each key that neither `context` nor the caller says. Left out: the request does not have such a key. */
  further?: FurtherContext;
}

/** A policy as text, as JSON, or compiled once for many requests. */
export type PolicyInput = PolicyDocument | string | CompiledPolicyLike;

/** What {@link compile} returns, as far as callers need to know. */
export interface CompiledPolicyLike {
  readonly compiled: true;
  readonly kind: PolicyKind;
  /** What explanations call it, such as its file. */
  readonly name?: string;
  readonly findings: readonly PolicyFinding[];
}

/** The policies that decide a request. */
export interface Policies {
  /** The policy of the resource. Left out: the resource has none. */
  resourcePolicy?: PolicyInput;
  /** What the resource is. Left out: seen from the action and the resource. */
  resourceKind?: ResourceKind;
  /** The policies of the caller. They say nothing about services, anonymous callers and the root user. */
  identityPolicies?: PolicyInput[];
  /**
   * The organization's resource control policies, where the resource's account is in the organization. They hold for every
   * caller, for AWS services too, except service-linked roles; never for what the management account owns.
   * RCPFullAWSAccess, which nobody can detach, need not be among them.
   */
  resourceControlPolicies?: PolicyInput[];
  /**
   * The organization's service control policies, where the caller's account is in the organization. They hold for users, roles
   * and the root user; never for AWS services, service-linked roles and the management account. If one of them allows
   * something, they replace FullAWSAccess: then one of them must allow the request. A list in the list is a level of the
   * organization (its root, an organizational unit, the account) with several policies: each level must allow the request.
   */
  serviceControlPolicies?: (PolicyInput | PolicyInput[])[];
  /** The organization's management account, for which no control policy holds. */
  managementAccountId?: string;
}

/** What is wrong with a policy. */
export interface PolicyFinding extends Finding {
  /** The statement it is about, counted from 0; absent when it is about the whole document. */
  statement?: number;
  /**
   * True when {@link evaluate} refuses to decide by this policy, because nobody can say what it means: AWS refuses it too,
   * or reads it in a way that is not documented.
   */
  undecidable?: boolean;
}

/** Names a statement. */
export interface StatementRef {
  policy: "resource" | "identity" | "scp" | "rcp";
  /** Which of the identity or control policies, counted from 0. */
  policyIndex?: number;
  /** What a control policy is called. */
  policyName?: string;
  sid?: string;
  /** The statement's place in its policy, counted from 0. */
  index: number;
}

/** One part of a statement that did not match, or, for a denial, a condition that did. */
export interface Mismatch {
  what: "principal" | "action" | "resource" | "condition";
  /** For a condition: its operator and key as the policy writes them. */
  operator?: string;
  key?: string;
  /** What the statement wants. For `Not...` elements and operators: what it does not want. */
  wanted: string[];
  /** What the request has; empty when it does not have the key. */
  got: string[];
  /** Why nobody can say whether it matches. */
  undecided?: string;
}

/** A statement by which nobody can decide: it applies or not, depending on what is not known. */
export interface Undecided extends StatementRef {
  effect: "Allow" | "Deny";
  depends: Mismatch[];
}

/** The allow that came nearest. */
export interface NearestAllow extends StatementRef {
  failed: Mismatch[];
}

/** The answer, with its reason. */
export interface Decision {
  allowed: boolean;
  /**
   * `undecided`: it depends on what is not known; `undecided` says on what. `notEvaluated`: a policy or the request cannot be
   * understood; `findings` says why. Neither is ever allowed, and neither is a refusal.
   */
  reason: "allowed" | "explicitDeny" | "implicitDeny" | "undecided" | "notEvaluated";
  /** The statement that decided: the allow, or the explicit deny. For `undecided`: the first that it depends on. */
  decidedBy?: StatementRef;
  /** The second allow, where both sides must allow: the one of the identity policy. */
  alsoBy?: StatementRef;
  /** For an explicit deny: the conditions that hold. */
  because?: Mismatch[];
  /**
   * For an implicit deny: the sides whose allow is missing; none when no policy can let this caller in. In the resource's
   * own account either one would do, except keys and roles; everywhere else both are needed.
   */
  missing?: ("resource" | "identity" | "scp")[];
  /** For an implicit deny: the allow that came nearest, and what failed with the value it wanted. */
  nearest?: NearestAllow;
  /** For `undecided`: the statements that it depends on. */
  undecided?: Undecided[];
  /** For `notEvaluated`. */
  findings?: PolicyFinding[];
  /** One sentence for people. */
  explanation: string;
}

/** The answer without its reasons. */
export type Judgement = Pick<Decision, "allowed" | "reason" | "decidedBy" | "alsoBy">;
