/**
 * The requests that are put to the archive's policies, with all that AWS puts into them. Anyone who asks (`simulate`, `policy`,
 * the report, the sandbox's CloudTrail) takes them from here, so that no two ask with different facts.
 */
export {
  cloudTrailService,
  deliveryRequests,
  undeclaredAccountId,
  type NamedRequest,
  type TrailDelivery,
} from "./cloudTrail";
export { type About, type Answer, type Asker, keyFacts, type KeyFacts } from "./facts";
export { asked, type FactIndex, factsOf, furtherOf, indexOf } from "./further";
export { withNamed } from "./named";
export { type Membership, membershipOf, withMemberships, type World } from "./world";
