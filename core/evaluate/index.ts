/**
 * Answers whether IAM allows a request, and why: the part of the policy language that bucket policies, key policies, role
 * trust policies and identity policies use. What cannot be decided is never allowed.
 *
 * ```ts
 * const policy = compile(bucketPolicy, "bucket"); // once, for many requests
 * const decision = evaluate(request, { resourcePolicy: policy, resourceKind: "bucket" });
 * console.log(decision.allowed, decision.explanation);
 * ```
 */
export { compile, type CompiledPolicy } from "./compile";
export { operatorNames } from "./conditions";
export { evaluate, judge } from "./evaluate";
export { describeFailed } from "./explain";
export { lint, type LintOptions } from "./lint";
export { type Attachment, unstorable } from "./storable";
export type * from "./types";
