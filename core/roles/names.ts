/** What the resources of a role are named by, and their ARNs. */
import type { Partition } from "../accounts";
import type { TrailIdentity } from "../names";
import { bucketArn, defaultBoundaryName, policyArn, roleArn, trailArn } from "../names";

/** What the stacks of an account have there, as far as a role has to know it. */
export interface RoleNames {
  partition: Partition;
  accountId: string;
  /** The Region of the archive; for other accounts the home Region of the trail. */
  region: string;
  /** The account's trails: one, or two while one is being renamed. None: the account has no trail. */
  trails: TrailIdentity[];
  /** Log groups of trails, and the roles by which CloudTrail writes to them; patterns where Pulumi chooses the name. */
  logGroups: { name: string; role: string }[];
  /** Topics of trails. */
  topics: string[];
  /** Whether a log group or a topic has a key of its own. */
  deliveryKeys: boolean;
  /** The managed policy that limits the roles which the stacks create: their permissions boundary. */
  boundaryName: string;
  /** For the audit account. */
  archive?: ArchiveNames;
  /** For the organization's management account. */
  organization?: OrganizationNames;
}

export interface ArchiveNames {
  bucketName: string;
  /** The aliases of the key and of former ones. */
  keyAliases: string[];
  readerNames: string[];
  /** Regions in which the key has a replica. */
  replicaRegions: string[];
  /** Copies of the log bucket: where they go; with the bucket's name, if it is the account's own, and a key of another's. */
  replication?: { roleName: string; destination: string; bucketName?: string; keyArn?: string };
  accessLogBucket?: string;
  breakGlassRoleArns: string[];
  /** Whether Object Lock, a retention, and S3's notifications are asked for. */
  objectLock: boolean;
  retention: boolean;
  notifications: boolean;
  /** The queue to which S3 sends notifications of new log files. */
  queueName?: string;
  mfaDelete: boolean;
  forceDestroy: boolean;
  eventDataStore: boolean;
}

export interface OrganizationNames {
  id: string;
  enableAllFeatures: boolean;
  enableTrustedAccess: boolean;
  /** The account that is to be CloudTrail's delegated administrator. */
  delegatedAdministrator?: string;
  /** The accounts that guardrails are attached to. Left out: the stack attaches none. */
  guardedAccountIds?: string[];
}

/** Names of an account that has nothing yet. */
export function emptyNames(partition: Partition, accountId: string, region: string): RoleNames {
  return {
    partition,
    accountId,
    region,
    trails: [],
    logGroups: [],
    topics: [],
    deliveryKeys: false,
    boundaryName: defaultBoundaryName,
  };
}

/** Only where IAM knows no resource for the action. */
export const anything = () => ["*"];

export const trailArns = ({ trails }: RoleNames) => trails.map(trailArn);

export const logBucket = ({ partition, archive }: RoleNames) =>
  archive === undefined ? [] : [bucketArn(partition, archive.bucketName)];

export const logObjects = (names: RoleNames) => logBucket(names).map((arn) => `${arn}/*`);

/** The account's own buckets: with the logs, with their copies, and with the access logs. */
export const buckets = ({ partition, archive }: RoleNames) =>
  [archive?.bucketName, archive?.replication?.bucketName, archive?.accessLogBucket]
    .filter((name) => name !== undefined)
    .map((name) => bucketArn(partition, name));

/** The buckets with a lifecycle. */
export const expiringBuckets = ({ partition, archive }: RoleNames) =>
  [archive?.retention ? archive.bucketName : undefined, archive?.accessLogBucket]
    .filter((name) => name !== undefined)
    .map((name) => bucketArn(partition, name));

export const objects = (names: RoleNames) => buckets(names).map((arn) => `${arn}/*`);

/** A key's id is not known before the key exists, so these are the account's keys in the Regions that have one. */
export const keys = (names: RoleNames) =>
  [...homeRegions(names), ...(names.archive?.replicaRegions ?? [])].map((region) =>
    inRegion(names, "kms", "key/*", region),
  );

/** The same without the Regions of replicas. */
export const primaryKeys = (names: RoleNames) => [inRegion(names, "kms", "key/*")];

export const aliases = (names: RoleNames) =>
  (names.archive?.keyAliases ?? []).map((alias) => inRegion(names, "kms", `alias/${alias}`));

/** The roles that the stacks make. */
export const ownRoles = ({ partition, accountId, archive, logGroups }: RoleNames) =>
  [
    ...(archive?.readerNames ?? []),
    ...(archive?.replication ? [archive.replication.roleName] : []),
    ...logGroups.map(({ role }) => role),
  ].map((name) => roleArn(partition, accountId, name));

/** Their permissions boundary. */
export const boundaries = ({ partition, accountId, boundaryName }: RoleNames) => [
  policyArn(partition, accountId, boundaryName),
];

export const replicationRole = ({ partition, accountId, archive }: RoleNames) =>
  archive?.replication ? [roleArn(partition, accountId, archive.replication.roleName)] : [];

export const logGroupRoles = ({ partition, accountId, logGroups }: RoleNames) =>
  logGroups.map(({ role }) => roleArn(partition, accountId, role));

/** A log group's ARN has ":*" behind the name in some actions. */
export const logGroupArns = (names: RoleNames) =>
  names.logGroups.flatMap(({ name }) =>
    homeRegions(names).flatMap((region) => {
      const arn = inRegion(names, "logs", `log-group:${name}`, region);
      return [arn, `${arn}:*`];
    }),
  );

/** Log groups are listed by the beginnings of their names. */
export const everyLogGroup = (names: RoleNames) =>
  homeRegions(names).map((region) => inRegion(names, "logs", "log-group:*", region));

export const topicArns = (names: RoleNames) =>
  names.topics.flatMap((name) => homeRegions(names).map((region) => inRegion(names, "sns", name, region)));

export const queueArns = (names: RoleNames) =>
  names.archive?.queueName === undefined ? [] : [inRegion(names, "sqs", names.archive.queueName)];

/** A store's id is AWS's. */
export const eventDataStores = (names: RoleNames) => [inRegion(names, "cloudtrail", "eventdatastore/*")];

/** A role that a service makes for itself. */
export const serviceLinkedRole =
  (...roles: [service: string, name: string][]) =>
  ({ partition, accountId }: RoleNames) =>
    roles.map(([service, name]) => roleArn(partition, accountId, `aws-service-role/${service}/${name}`));

/** The account as the organization knows it. */
export const delegatedAccount = ({ partition, accountId, organization }: RoleNames) =>
  organization?.delegatedAdministrator === undefined
    ? []
    : [
        `arn:${partition}:organizations::${accountId}:account/${organization.id}/${organization.delegatedAdministrator}`,
      ];

/** A control policy's id is AWS's. */
export const controlPolicies = ({ partition, accountId, organization }: RoleNames) =>
  organization?.guardedAccountIds === undefined
    ? []
    : ["resource_control_policy", "service_control_policy"].map(
        (type) => `arn:${partition}:organizations::${accountId}:policy/${organization.id}/${type}/p-*`,
      );

/** The accounts that guardrails are attached to, as the organization knows them. */
export const guardedAccounts = ({ partition, accountId, organization }: RoleNames) =>
  (organization?.guardedAccountIds ?? []).map(
    (id) => `arn:${partition}:organizations::${accountId}:account/${organization?.id}/${id}`,
  );

/** Where keys, log groups and topics are: in the archive's Region, and in those of the trails. */
export function homeRegions({ region, trails }: RoleNames): string[] {
  return [...new Set([region, ...trails.map((trail) => trail.region)])];
}

function inRegion({ partition, accountId, region: own }: RoleNames, service: string, resource: string, region = own) {
  return `arn:${partition}:${service}:${region}:${accountId}:${resource}`;
}
