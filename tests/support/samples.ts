/** A value for each configuration key, other than its default, that a deployed fleet may be given. */

export const payments = { accountId: "222222222222", alias: "payments" };

const inOrganization = { organization: { id: "o-exampleorg1", managementAccountId: "555555555555" } };

/**
 * Each key of an audit stack with another value than the deployed fleet has, and what must be set with it. Left out: what is not
 * to change once a fleet is deployed (role, auditAccountId, bucketName).
 */
export const auditSamples: Record<string, Record<string, unknown>> = {
  logPrefix: { logPrefix: "logs", previousLogPrefix: "/" },
  previousLogPrefix: { previousLogPrefix: "old" },
  trailName: { trailName: "renamed" },
  members: { members: [payments, { accountId: "444444444444", alias: "data-lake" }] },
  organization: inOrganization,
  guardrails: { guardrails: ["archive"], ...inOrganization },
  guardrailExemptRoles: {
    guardrailExemptRoles: ["arn:aws:iam::*:role/Emergency"],
    guardrails: ["archive"],
    ...inOrganization,
  },
  detachGuardrails: { detachGuardrails: ["archive"], guardrails: ["archive"], ...inOrganization },
  deployRole: { deployRole: "arn:{partition}:iam::{accountId}:role/Deploy" },
  deployProfile: { deployProfile: "{alias}" },
  deployExternalId: { deployExternalId: "external", deployRole: "arn:{partition}:iam::{accountId}:role/Deploy" },
  memberDefaults: { memberDefaults: { tags: { team: "x" } } },
  auditAccountTrail: { auditAccountTrail: false },
  bucketPolicyForm: { bucketPolicyForm: "accountList" },
  keyPolicyForm: { keyPolicyForm: "encryptionContext" },
  keyAlias: { keyAlias: "other" },
  keyRotationDays: { keyRotationDays: 180 },
  keyGeneration: { keyGeneration: 2 },
  previousKeyInUse: { previousKeyInUse: true, keyGeneration: 2 },
  bucketKeyEnabled: { bucketKeyEnabled: true },
  keepArchive: { keepArchive: false },
  keyReplicaRegions: { keyReplicaRegions: ["eu-west-1"], keyGeneration: 2 },
  replication: {
    replication: {
      region: "eu-west-1",
      bucketName: "copies",
      keyArn: "arn:aws:kms:eu-west-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    },
  },
  objectLock: { objectLock: { mode: "governance", days: 30 } },
  retention: { retention: { years: 1 } },
  mfaDelete: { mfaDelete: true },
  accessLogBucket: { accessLogBucket: "access-logs" },
  accessLogDays: { accessLogDays: 30 },
  breakGlassRoles: { breakGlassRoles: ["deploy"] },
  denyOtherEncryption: { denyOtherEncryption: true },
  notifications: { notifications: "sqs" },
  forceDestroy: { forceDestroy: true, keepArchive: false },
  permissionsBoundary: { permissionsBoundary: "CrosstrailBoundary" },
  readers: { readers: [{ name: "SecurityReader", trustedAccounts: ["777777777777"] }] },
  memberAccess: { memberAccess: ["*"] },
  requireMfa: { requireMfa: true },
  mfaExemptRoles: { mfaExemptRoles: ["deploy"], requireMfa: true },
  eventDataStore: { eventDataStore: { name: "lake" } },
  importTrail: { importTrail: "arn:aws:cloudtrail:us-east-1:111111111111:trail/crosstrail" },
  leaveAsIs: {
    leaveAsIs: ["eventSelectors"],
    importTrail: "arn:aws:cloudtrail:us-east-1:111111111111:trail/crosstrail",
  },
  isMultiRegionTrail: { isMultiRegionTrail: false },
  enableLogFileValidation: { enableLogFileValidation: false },
  includeGlobalServiceEvents: { includeGlobalServiceEvents: false, isMultiRegionTrail: false },
  enableLogging: { enableLogging: false },
  events: { events: ["everything"] },
  readWriteType: { readWriteType: "WriteOnly" },
  excludeManagementEventSources: { excludeManagementEventSources: ["kms.amazonaws.com"] },
  networkActivityEventSources: { networkActivityEventSources: ["s3.amazonaws.com"] },
  eventSelectors: { eventSelectors: [{ readWriteType: "All" }] },
  advancedEventSelectors: {
    advancedEventSelectors: [{ fieldSelectors: [{ field: "eventCategory", equals: ["Management"] }] }],
  },
  insightTypes: { insightTypes: ["ApiCallRateInsight"] },
  cloudWatchLogs: { cloudWatchLogs: { retentionDays: 30 } },
  sns: { sns: { encrypted: true } },
  extraRegions: { extraRegions: ["xx-new-1"] },
  tags: { tags: { team: "x" } },
};
