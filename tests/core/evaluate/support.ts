/** Short forms for the evaluator's tests. */
import type {
  AccessRequest,
  Caller,
  ConditionBlock,
  Decision,
  PolicyDocument,
  RequestContext,
  Statement,
} from "../../../core/evaluate/index";
import { evaluate } from "../../../core/evaluate/index";

export const home = "111111111111";
export const away = "222222222222";
export const bucket = "arn:aws:s3:::logs";
export const key = `arn:aws:kms:eu-west-1:${home}:key/11111111-2222-3333-4444-555555555555`;
export const role = `arn:aws:iam::${home}:role/Target`;
export const user = (account: string, name = "Bob"): Caller => ({
  kind: "account",
  arn: `arn:aws:iam::${account}:user/${name}`,
});
export const session = (account: string, name = "Reader"): Caller => ({
  kind: "account",
  arn: `arn:aws:sts::${account}:assumed-role/${name}/session`,
});
export const root = (account: string): Caller => ({ kind: "account", arn: `arn:aws:iam::${account}:root` });
export const cloudTrail: Caller = { kind: "service", service: "cloudtrail.amazonaws.com" };
export const anonymous: Caller = { kind: "anonymous" };

/** A policy of these statements. */
export const policy = (...statements: Statement[]): PolicyDocument => ({
  Version: "2012-10-17",
  Statement: statements,
});

/** Everyone may do everything with the bucket's objects, but for what is given otherwise. */
export const allow = (more: Partial<Statement> = {}): Statement => ({
  Effect: "Allow",
  ...(more.NotPrincipal ? {} : { Principal: "*" }),
  ...(more.NotAction ? {} : { Action: "s3:*" }),
  ...(more.NotResource ? {} : { Resource: "*" }),
  ...more,
});

export const deny = (more: Partial<Statement> = {}): Statement => ({ ...allow(more), Effect: "Deny" });

/** An identity policy that allows everything. */
export const administrator = policy({ Effect: "Allow", Action: "*", Resource: "*" });

/** A request to read an object, but for what is given otherwise. */
export const request = (more: Partial<AccessRequest> = {}): AccessRequest => ({
  caller: user(home),
  action: "s3:GetObject",
  resource: `${bucket}/a/b`,
  resourceAccountId: home,
  ...more,
});

/** Whether an allow with this condition lets a request with this context through. */
export function conditionHolds(Condition: ConditionBlock, context: RequestContext = {}): boolean {
  return evaluate(request({ context }), { resourcePolicy: policy(allow({ Condition })) }).allowed;
}

/** Whether a deny with this condition stops a request with this context. */
export function denyHolds(Condition: ConditionBlock, context: RequestContext = {}): boolean {
  const statements = policy(allow(), deny({ Condition }));
  return evaluate(request({ context }), { resourcePolicy: statements }).reason === "explicitDeny";
}

/** Whether neither an allow nor a deny with this condition decides about a request with this context. */
export function isUndecided(Condition: ConditionBlock, context: RequestContext = {}): boolean {
  const reasonBy = (...statements: Statement[]) =>
    evaluate(request({ context }), { resourcePolicy: policy(...statements) }).reason;
  return reasonBy(allow({ Condition })) === "undecided" && reasonBy(allow(), deny({ Condition })) === "undecided";
}

/** The decision about a request by a bucket policy of these statements. */
export const decide = (given: AccessRequest, ...statements: Statement[]): Decision =>
  evaluate(given, { resourcePolicy: policy(...statements), resourceKind: "bucket" });
