/**
 * Whether AWS has what a killed run had begun to create: by its name, or where AWS gives it one, by what it was created
 * with. Only for what cannot be created twice, or must not be. Loaded only then.
 */
import { isDeepStrictEqual } from "node:util";
import {
  CloudTrailClient,
  GetEventDataStoreCommand,
  GetTrailCommand,
  paginateListEventDataStores,
} from "@aws-sdk/client-cloudtrail";
import { CloudWatchLogsClient, paginateDescribeLogGroups } from "@aws-sdk/client-cloudwatch-logs";
import { GetRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import type { KeyMetadata } from "@aws-sdk/client-kms";
import {
  DescribeKeyCommand,
  GetKeyPolicyCommand,
  KMSClient,
  ListResourceTagsCommand,
  paginateListAliases,
  paginateListKeys,
} from "@aws-sdk/client-kms";
import type { PolicyType } from "@aws-sdk/client-organizations";
import {
  ListTagsForResourceCommand as ListTagsForOrganizationsCommand,
  OrganizationsClient,
  paginateListDelegatedAdministrators,
  paginateListPolicies,
  paginateListTargetsForPolicy,
} from "@aws-sdk/client-organizations";
import { HeadBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { stackTag } from "../../../core/fleet";
import { clientSettings } from "../../../programs/credentials";
import type { credentialsOf } from "./credentials";

/** Where and how a resource is looked up. */
export interface Place {
  region: string | undefined;
  credentials: ReturnType<typeof credentialsOf>;
  /** The account that the stack is for, where its configuration says so. */
  account?: string;
  /** When the state was written that notes the creation. */
  since?: Date;
  /** What the stack has already, by id. */
  known: ReadonlySet<string>;
}

/** The resource's id, as Pulumi has it; undefined when AWS has none that this run can have made. */
type LookUp = (inputs: Record<string, unknown>, place: Place) => Promise<string | undefined>;

/** By Pulumi's type. A test holds that each type that the components create is here or in {@link repeatable}. */
export const lookUps: Readonly<Record<string, LookUp>> = {
  // By this name there is one in each Region.
  "aws:cloudtrail/trail:Trail": (inputs, place) =>
    using(new CloudTrailClient(settings(place)), (client) =>
      client
        .send(new GetTrailCommand({ Name: text(inputs.name) }))
        .then(({ Trail }) => Trail?.TrailARN)
        .catch(unless("TrailNotFoundException")),
    ),
  "aws:cloudtrail/eventDataStore:EventDataStore": (inputs, place) =>
    using(new CloudTrailClient(settings(place)), async (client) => {
      const matching: string[] = [];
      for await (const { EventDataStores = [] } of paginateListEventDataStores({ client }, {})) {
        for (const { EventDataStoreArn, Name } of EventDataStores) {
          if (Name !== inputs.name || EventDataStoreArn === undefined) continue;
          const store = await client.send(new GetEventDataStoreCommand({ EventDataStore: EventDataStoreArn }));
          if (store.Status !== "PENDING_DELETION" && isNew(store.CreatedTimestamp, place))
            matching.push(EventDataStoreArn);
        }
      }
      return theOne(matching, "event data stores have this name");
    }),
  "aws:cloudtrail/organizationDelegatedAdminAccount:OrganizationDelegatedAdminAccount": (inputs, place) =>
    using(new OrganizationsClient(settings(place)), async (client) => {
      const ServicePrincipal = "cloudtrail.amazonaws.com";
      for await (const page of paginateListDelegatedAdministrators({ client }, { ServicePrincipal })) {
        if (page.DelegatedAdministrators?.some(({ Id }) => Id === inputs.accountId)) return text(inputs.accountId);
      }
      return undefined;
    }),
  // A name is the organization's only once, and the tag says whose it is.
  "aws:organizations/policy:Policy": (inputs, place) =>
    using(new OrganizationsClient(settings(place)), async (client) => {
      const Filter = text(inputs.type) as PolicyType;
      const wanted = ((inputs.tags ?? {}) as Record<string, unknown>)[stackTag];
      for await (const { Policies = [] } of paginateListPolicies({ client }, { Filter })) {
        const found = Policies.find(({ Name }) => Name === inputs.name)?.Id;
        if (found === undefined) continue;
        const { Tags = [] } = await client.send(new ListTagsForOrganizationsCommand({ ResourceId: found }));
        return Tags.some(({ Key, Value }) => Key === stackTag && Value === wanted) ? found : undefined;
      }
      return undefined;
    }),
  "aws:organizations/policyAttachment:PolicyAttachment": (inputs, place) =>
    using(new OrganizationsClient(settings(place)), async (client) => {
      const [PolicyId, target] = [text(inputs.policyId), text(inputs.targetId)];
      for await (const { Targets = [] } of paginateListTargetsForPolicy({ client }, { PolicyId })) {
        if (Targets.some(({ TargetId }) => TargetId === target)) return `${target}:${PolicyId}`;
      }
      return undefined;
    }),
  "aws:s3/bucket:Bucket": (inputs, place) =>
    using(new S3Client({ ...settings(place), forcePathStyle: true }), (client) => {
      const Bucket = text(inputs.bucket);
      const { account: ExpectedBucketOwner } = place;
      return client
        .send(new HeadBucketCommand({ Bucket, ...(ExpectedBucketOwner && { ExpectedBucketOwner }) }))
        .then(() => Bucket)
        .catch(unless("NotFound", "NoSuchBucket"));
    }),
  "aws:kms/alias:Alias": (inputs, place) =>
    using(new KMSClient(settings(place)), async (client) => {
      for await (const { Aliases = [] } of paginateListAliases({ client }, {})) {
        if (Aliases.some(({ AliasName }) => AliasName === inputs.name)) return text(inputs.name);
      }
      return undefined;
    }),
  "aws:kms/key:Key": (inputs, place) =>
    using(new KMSClient(settings(place)), async (client) => {
      const matching: string[] = [];
      for await (const { Keys = [] } of paginateListKeys({ client }, {})) {
        for (const { KeyId } of Keys) {
          const key = (await client.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata;
          if (isUsable(key) && !place.known.has(key.KeyId as string) && (await isKeyOf(client, key, inputs, place)))
            matching.push(key.KeyId as string);
        }
      }
      return theOne(matching, "keys match what was to be created");
    }),
  // A replica has the id of its primary.
  "aws:kms/replicaKey:ReplicaKey": (inputs, place) =>
    using(new KMSClient(settings(place)), (client) => {
      const KeyId = text(inputs.primaryKeyArn).split("/").at(-1);
      return client
        .send(new DescribeKeyCommand({ KeyId }))
        .then(({ KeyMetadata }) => (isUsable(KeyMetadata) ? KeyMetadata.KeyId : undefined))
        .catch(unless("NotFoundException"));
    }),
  "aws:iam/role:Role": (inputs, place) =>
    using(new IAMClient(settings(place)), (client) =>
      client
        .send(new GetRoleCommand({ RoleName: text(inputs.name) }))
        .then(({ Role }) =>
          isNew(Role?.CreateDate, place) && Role?.Description === inputs.description ? Role?.RoleName : undefined,
        )
        .catch(unless("NoSuchEntityException")),
    ),
  "aws:cloudwatch/logGroup:LogGroup": (inputs, place) =>
    using(new CloudWatchLogsClient(settings(place)), async (client) => {
      const logGroupNamePrefix = text(inputs.name);
      for await (const { logGroups = [] } of paginateDescribeLogGroups({ client }, { logGroupNamePrefix })) {
        const group = logGroups.find(({ logGroupName }) => logGroupName === logGroupNamePrefix);
        if (group && isNew(group.creationTime === undefined ? undefined : new Date(group.creationTime), place))
          return logGroupNamePrefix;
      }
      return undefined;
    }),
};

const put = "a Put, which is safe to repeat";

/** What may be created again without looking, and why. */
export const repeatable: Readonly<Record<string, string>> = {
  "aws:iam/rolePolicy:RolePolicy": put,
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": put,
  "aws:s3/bucketLogging:BucketLogging": put,
  "aws:s3/bucketNotification:BucketNotification": put,
  "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": put,
  "aws:s3/bucketOwnershipControls:BucketOwnershipControls": put,
  "aws:s3/bucketPolicy:BucketPolicy": put,
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": put,
  "aws:s3/bucketReplicationConfig:BucketReplicationConfig": put,
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": put,
  "aws:s3/bucketVersioning:BucketVersioning": put,
  "aws:sns/topic:Topic": "CreateTopic returns the existing topic of that name",
  "aws:sns/topicPolicy:TopicPolicy": put,
  "aws:sqs/queue:Queue": "CreateQueue returns the existing queue of that name and attributes",
  "aws:sqs/queuePolicy:QueuePolicy": put,
};

/** Why nobody can tell which one it is. */
export class Ambiguous extends Error {}

/**
 * A stack's own tag says it all; a key without it is known by its purpose and its policy, which names account and
 * trails.
 */
async function isKeyOf(client: KMSClient, key: KeyMetadata, inputs: Record<string, unknown>, place: Place) {
  const { KeyId } = key;
  const wanted = (inputs.tags ?? {}) as Record<string, unknown>;
  const tags = async () => {
    const { Tags = [] } = await client.send(new ListResourceTagsCommand({ KeyId }));
    return Object.fromEntries(Tags.map(({ TagKey, TagValue }) => [TagKey, TagValue])) as Record<string, unknown>;
  };
  if (typeof wanted[stackTag] === "string") return (await tags())[stackTag] === wanted[stackTag];
  if (key.Description !== inputs.description || !isNew(key.CreationDate, place)) return false;
  const has = await tags();
  if (!Object.entries(wanted).every(([name, value]) => has[name] === value)) return false;
  const { Policy } = await client.send(new GetKeyPolicyCommand({ KeyId, PolicyName: "default" }));
  return isDeepStrictEqual(JSON.parse(Policy ?? "null"), JSON.parse(text(inputs.policy)));
}

function isUsable(key: KeyMetadata | undefined): key is KeyMetadata {
  return key?.KeyManager === "CUSTOMER" && key.KeyState !== "PendingDeletion";
}

/** What was there long before the run is somebody else's; creating it fails, and says so. */
function isNew(created: Date | undefined, { since }: Place): boolean {
  // The state is written again when other resources are done, and clocks differ.
  const hour = 3_600_000;
  return created === undefined || since === undefined || created.getTime() >= since.getTime() - hour;
}

function theOne(matching: string[], what: string): string | undefined {
  if (matching.length > 1) throw new Ambiguous(`several ${what}: ${matching.join(", ")}`);
  return matching[0];
}

function settings({ region, credentials }: Place) {
  return { ...clientSettings, region, credentials };
}

async function using<Client extends { destroy(): void }, Result>(
  client: Client,
  work: (client: Client) => Promise<Result>,
): Promise<Result> {
  try {
    return await work(client);
  } finally {
    client.destroy();
  }
}

function text(value: unknown): string {
  if (typeof value !== "string") throw new Ambiguous("its name is unknown");
  return value;
}

function unless(...names: string[]): (error: Error) => undefined {
  return (error) => {
    if (names.includes(error.name)) return undefined;
    throw error;
  };
}
