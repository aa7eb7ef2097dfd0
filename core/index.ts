/**
 * The core of the library: names and ARNs, policies, settings, the contract, and the evaluator. Plain data in and out,
 * without Pulumi and without AWS. The package `crosstrail` gives all of it, beside the components.
 */
export * from "./accounts";
export { type Contract, contractVersion, parseContract } from "./contract";
export { ObjectLockMode, StorageClass } from "./archive";
export * from "./evaluate";
export { EventPreset, ExcludableEventSource, InsightType, ReadWriteType } from "./events";
export * from "./findings";
export { LeaveAsIs } from "./leftAsIs";
export * from "./names";
export { BucketPolicyForm, type BucketPolicyInput, bucketPolicy, bucketPolicyLimit } from "./policies/bucket";
export { type IdentityStatement, serialize, type TrustStatement } from "./policies/document";
export type { FormChoice } from "./policies/forms";
export { KeyPolicyForm, type KeyPolicyInput, keyPolicy, keyPolicyLimit } from "./policies/key";
export {
  memberReadPermissions,
  type ReadAccess,
  readerTrust,
  type ReaderTrust,
  readPermissions,
} from "./policies/reader";
export {
  hubPermissions,
  RoleAccess,
  RoleAccount,
  type RoleNames,
  rolePermissions,
  type RoleSubject,
  roleSubjects,
  type RoleTrust,
  roleTrust,
} from "./roles";
export { type AuditSettings, type MemberSettings, parseSettings, type Settings } from "./settings";
export * from "./simulate";
