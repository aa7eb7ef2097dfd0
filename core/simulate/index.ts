/** The simulation: the questions that are put to the archive's policies, for every trail and account of the fleet. */
export { cloudTrailService, deliveryRequests, type NamedRequest, type TrailDelivery } from "../requests";
export { type Delivery, type NamedDecision, whyNoDelivery } from "./delivery";
export { diagnose, type DiagnosedDelivery, type Diagnosis, type Problem } from "./diagnosis";
export { stoppedByControls } from "./controlPolicies";
export { judgeMerged, type MergedPolicy } from "./judgeMerged";
export { type GroupId, type QuestionGroup, questionGroups, type QuestionId, questions } from "./questions";
export { type Cell, type CellDecision, simulate } from "./simulation";
export {
  accessOfPolicy,
  accessOfSettings,
  type ArchivePolicies,
  builtPolicies,
  type ControlPolicies,
  controlsFor,
  fleetOfContract,
  fleetOfSettings,
  keysNamedIn,
  keysToldApart,
  policyInput,
  recognisedPolicies,
  type SimulatedAccess,
  type SimulatedFleet,
  type SimulatedReader,
  type SimulatedFacts,
  type SimulatedTrail,
  worldOf,
} from "./subject";
export {
  Arrival,
  type ArchiveAsIs,
  arrivalOf,
  reasonText,
  compiledArchive,
  deliveryDifferences,
  deliveryFindings,
  stateText,
  type TrailAsIs,
} from "./trailAsIs";
export {
  groupSummaries,
  type GroupSummary,
  subjectSummaries,
  type SubjectSummary,
  untied,
  type Untied,
  type Verdict,
} from "./summary";
