/** The groups of docs/configuration.md: which keys belong together, what for, and an example that parses. */
import type { KeyName } from "../core/settings";

export interface ConfigurationGroup {
  title: string;
  /** What somebody who needs these keys wants to do. */
  purpose: string;
  keys: KeyName[];
  /** Lines of a stack file, below `config:`, added to a minimal file of that role. */
  example: { role: "audit" | "member" | "management"; yaml: string };
}

export const configurationGroups: ConfigurationGroup[] = [
  {
    title: "The audit stack",
    purpose: "The account that owns the archive, and the bucket's name. The fleet is declared here, once.",
    keys: ["role", "auditAccountId", "bucketName", "members", "trailName", "auditAccountTrail"],
    example: {
      role: "audit",
      yaml: `crosstrail:role: audit
crosstrail:auditAccountId: "111111111111"
crosstrail:bucketName: example-audit-logs
crosstrail:members:
  - accountId: "222222222222"
    alias: payments
  - accountId: "333333333333"
    alias: web
    homeRegion: eu-west-1`,
    },
  },
  {
    title: "How `crosstrail up` accesses accounts",
    purpose:
      "A role or an AWS profile for every member, with placeholders. Members then need no stack file of their own; `memberDefaults` configures them all.",
    keys: ["deployRole", "deployProfile", "deployExternalId", "permissionsBoundary", "memberDefaults"],
    example: {
      role: "audit",
      yaml: `crosstrail:deployRole: arn:{partition}:iam::{accountId}:role/CrosstrailDeploy
crosstrail:memberDefaults:
  events: [management, s3-data-events]`,
    },
  },
  {
    title: "A member's stack, or the management account's",
    purpose:
      "Which account the stack is for, and where it finds the audit stack. Needed only for stacks with a file of their own.",
    keys: ["accountId", "auditStack", "contract"],
    example: {
      role: "member",
      yaml: `crosstrail:role: member
crosstrail:accountId: "222222222222"
crosstrail:auditStack: audit`,
    },
  },
  {
    title: "What trails record",
    purpose: "Presets or selectors, Insights, and whether a trail logs at all. See [events.md](events.md).",
    keys: [
      "events",
      "readWriteType",
      "excludeManagementEventSources",
      "networkActivityEventSources",
      "eventSelectors",
      "advancedEventSelectors",
      "insightTypes",
      "isMultiRegionTrail",
      "includeGlobalServiceEvents",
      "enableLogFileValidation",
      "enableLogging",
    ],
    example: {
      role: "member",
      yaml: `crosstrail:events: [management, s3-data-events]\ncrosstrail:readWriteType: WriteOnly`,
    },
  },
  {
    title: "Where else trails deliver",
    purpose: "A log group and a topic in the trail's own account. AWS bills both. See [events.md](events.md).",
    keys: ["cloudWatchLogs", "sns"],
    example: {
      role: "member",
      yaml: `crosstrail:cloudWatchLogs:\n  retentionDays: 90\ncrosstrail:sns:\n  topicName: trail-deliveries`,
    },
  },
  {
    title: "AWS Organizations",
    purpose:
      "One trail of the management account that records every account. See [organizations.md](organizations.md).",
    keys: [
      "organization",
      "isOrganizationTrail",
      "enableAllFeatures",
      "enableTrustedAccess",
      "delegatedAdministrator",
      "acceptSecondOrganizationTrail",
    ],
    example: {
      role: "audit",
      yaml: `crosstrail:organization:
  id: o-exampleorg1
  managementAccountId: "555555555555"
  trailName: crosstrail-organization`,
    },
  },
  {
    title: "Guardrails above the accounts",
    purpose:
      "Policies of the organization that the management stack attaches, so that administrators cannot stop trails or change the archive. See [guardrails.md](guardrails.md).",
    keys: ["guardrails", "guardrailExemptRoles", "detachGuardrails"],
    example: {
      role: "audit",
      yaml: `crosstrail:organization:
  id: o-exampleorg1
  managementAccountId: "555555555555"
crosstrail:deployRole: arn:{partition}:iam::{accountId}:role/CrosstrailDeploy
crosstrail:breakGlassRoles: [CrosstrailDeploy, BreakGlass]
crosstrail:guardrails: [members, audit, archive]`,
    },
  },
  {
    title: "The key",
    purpose: "Rotation, replicas in other Regions, and a new key for new logs.",
    keys: ["keyAlias", "keyRotationDays", "bucketKeyEnabled", "keyReplicaRegions", "keyGeneration", "previousKeyInUse"],
    example: { role: "audit", yaml: `crosstrail:keyRotationDays: 180\ncrosstrail:keyReplicaRegions: [eu-west-1]` },
  },
  {
    title: "How long logs are kept, and who can touch them",
    purpose: "Object Lock, retention, MFA Delete, break-glass roles and access logs. See [archive.md](archive.md).",
    keys: [
      "objectLock",
      "retention",
      "mfaDelete",
      "breakGlassRoles",
      "denyOtherEncryption",
      "accessLogBucket",
      "accessLogDays",
      "notifications",
      "keepArchive",
      "forceDestroy",
    ],
    example: {
      role: "audit",
      yaml: `crosstrail:objectLock:
  mode: governance
  days: 365
crosstrail:breakGlassRoles: [SecurityBreakGlass, CrosstrailDeploy]
crosstrail:accessLogBucket: example-audit-access-logs`,
    },
  },
  {
    title: "Copies elsewhere",
    purpose: "A second bucket in another Region or account. See [replication.md](replication.md).",
    keys: ["replication"],
    example: {
      role: "audit",
      yaml: `crosstrail:replication:\n  region: eu-west-1\n  bucketName: example-audit-logs-copies`,
    },
  },
  {
    title: "Who reads the logs",
    purpose: "Roles for other accounts, members' access to their own logs, and MFA. See [readers.md](readers.md).",
    keys: ["readers", "memberAccess", "requireMfa", "mfaExemptRoles", "eventDataStore"],
    example: {
      role: "audit",
      yaml: `crosstrail:readers:
  - trustedAccounts: ["444444444444"]
    requireMfa: true
crosstrail:memberAccess: [payments]`,
    },
  },
  {
    title: "How policies name the trails",
    purpose: "The default picks the tightest form that fits. See [policies.md](policies.md).",
    keys: ["bucketPolicyForm", "keyPolicyForm"],
    example: { role: "audit", yaml: `crosstrail:bucketPolicyForm: trailList` },
  },
  {
    title: "Taking over and moving",
    purpose:
      "Existing trails, and a log prefix that changes. See [adopt.md](adopt.md) and [organizations.md](organizations.md).",
    keys: ["importTrail", "leaveAsIs", "logPrefix", "previousLogPrefix"],
    example: {
      role: "member",
      yaml: `crosstrail:importTrail: arn:aws:cloudtrail:us-east-1:222222222222:trail/crosstrail\ncrosstrail:leaveAsIs: [eventSelectors]`,
    },
  },
  {
    title: "Everything",
    purpose: "Tags for every resource that takes them, and Regions that are newer than this version.",
    keys: ["tags", "extraRegions"],
    example: { role: "audit", yaml: `crosstrail:tags:\n  owner: security` },
  },
];
