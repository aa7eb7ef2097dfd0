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
export {
  accessOfPolicy,
  accessOfSettings,
  type ArchivePolicies,
  builtPolicies,
  fleetOfContract,
  fleetOfSettings,
  policyInput,
  recognisedPolicies,
  type SimulatedAccess,
  type SimulatedFleet,
  type SimulatedReader,
  type SimulatedTrail,
} from "./fleet";
export { lint, type LintOptions } from "./lint";
export {
  type Cell,
  type CellDecision,
  type GroupId,
  type QuestionGroup,
  questionGroups,
  type QuestionId,
  questions,
  simulate,
} from "./matrix";
export { judgeMerged, type MergedPolicy } from "./merged";
export {
  groupSummaries,
  type GroupSummary,
  subjectSummaries,
  type SubjectSummary,
  untied,
  type Untied,
  type Verdict,
} from "./summary";
export {
  cloudTrailService,
  type Delivery,
  deliveryRequests,
  type NamedDecision,
  type NamedRequest,
  type TrailDelivery,
  whyNoDelivery,
} from "./trail";
export type * from "./types";
