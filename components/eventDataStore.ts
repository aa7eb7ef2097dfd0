/** An event data store of CloudTrail Lake, with a key of its own. */
import * as pulumi from "@pulumi/pulumi";
import { EventDataStore as Store } from "@pulumi/aws/cloudtrail";
import { Key } from "@pulumi/aws/kms";
import { accountIdProblem, type Partition, partitions } from "../core/accounts";
import type { AdvancedEventSelector } from "../core/events";
import { advancedSelectors, SelectorOwner } from "../core/events";
import { eventDataStoreNameProblem, eventDataStoreRetentionProblem } from "../core/eventDataStore";
import { roleArnProblem } from "../core/names";
import { serialize } from "../core/policies/document";
import { eventDataStoreKeyPolicy } from "../core/policies/eventDataStore";
import { tagsProblem } from "../core/tags";
import { allTags, checkedInputs, derive, oneOf, partitionOrDefault, requireSelectors } from "./inputs";
import type { TrailAdvancedEventSelector } from "./selectors";
import { providerSelectors } from "./selectors";

/** Arguments of {@link EventDataStore}. */
export interface EventDataStoreArgs {
  /** The account that owns the store and its key: 12 digits. */
  accountId: pulumi.Input<string>;
  /** Name of the store, 3 to 128 characters. Default: crosstrail. A change replaces the store, which protection refuses. */
  storeName?: pulumi.Input<string>;
  /** Days until an event is deleted, 7 to 2555. Default: 366, which the price of ingestion includes. A shorter time deletes what is older. */
  retentionInDays?: pulumi.Input<number>;
  /** What the store takes in. Default: all management events of every Region of the account. */
  advancedEventSelectors?: pulumi.Input<pulumi.Input<TrailAdvancedEventSelector>[]>;
  /** ARNs of the roles that may change and query the store; the role that deploys has to be among them. Default: whom the account's IAM policies let. */
  roleArns?: pulumi.Input<pulumi.Input<string>[]>;
  /** Partition of the account: aws, aws-cn or aws-us-gov. Default: aws. */
  partition?: pulumi.Input<Partition>;
  /** Whether the store is under termination protection, and store and key are protected and stay in AWS when they are removed from the stack. Default: true. */
  keep?: boolean;
  /** Tags of the key only, beside `tags`. Default: none. */
  keyTags?: pulumi.Input<{ [key: string]: pulumi.Input<string> }>;
  /** Tags of the store and the key. */
  tags?: pulumi.Input<{ [key: string]: pulumi.Input<string> }>;
}

/**
 * An event data store of CloudTrail Lake, with a KMS key of its own. CloudTrail Lake is closed to new customers since 31 May
 * 2026: AWS refuses a store to accounts that had none before. A store's key can never be changed or removed.
 * Source: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateEventDataStore.html
 */
export class EventDataStore extends pulumi.ComponentResource {
  /** ARN of the store; queries name it. */
  public readonly eventDataStoreArn: pulumi.Output<string>;
  /** ARN of its key. */
  public readonly keyArn: pulumi.Output<string>;

  constructor(name: string, args: EventDataStoreArgs, opts?: pulumi.ComponentResourceOptions) {
    // Before the component exists: of arguments that cannot be right, nothing is registered.
    const { tags, storeName, retentionInDays, advancedEventSelectors, ...access } = checkedInputs(
      "EventDataStore",
      {
        tags: args.tags,
        accountId: args.accountId,
        storeName: args.storeName,
        retentionInDays: args.retentionInDays,
        roleArns: args.roleArns,
        partition: args.partition,
        advancedEventSelectors: args.advancedEventSelectors,
      },
      {
        tags: tagsProblem,
        accountId: accountIdProblem,
        storeName: eventDataStoreNameProblem,
        retentionInDays: eventDataStoreRetentionProblem,
        roleArns: roleArnProblem,
        partition: oneOf(partitions),
      },
      [
        ["advancedEventSelectors"],
        // Pulumi's own types say the same in other words.
        (known) => requireSelectors("EventDataStore", known.advancedEventSelectors ?? [], SelectorOwner.EventDataStore),
      ],
    );
    const selectors = derive({ given: advancedEventSelectors }, ({ given }) => {
      // Pulumi's own types say the same in other words.
      const chosen = (given ?? []) as AdvancedEventSelector[];
      requireSelectors("EventDataStore", chosen, SelectorOwner.EventDataStore);
      // No bucket is involved: the default is management events.
      return providerSelectors(chosen.length > 0 ? chosen : advancedSelectors({}, { partition: "", bucketArn: "" }));
    });
    const policy = derive(access, ({ partition, ...rest }) =>
      serialize(eventDataStoreKeyPolicy({ ...rest, partition: partitionOrDefault(partition) })),
    );

    super("crosstrail:index:EventDataStore", name, {}, opts);
    const keep = args.keep ?? true;
    const kept = { parent: this, protect: keep, retainOnDelete: keep };

    const key = new Key(
      `${name}-event-data-store-key`,
      {
        description: "Encrypts an event data store of CloudTrail Lake (Crosstrail)",
        enableKeyRotation: true,
        // Longer than the seven days in which a deleted store can be restored.
        deletionWindowInDays: 30,
        policy,
        tags: allTags(tags, args.keyTags),
      },
      kept,
    );
    const store = new Store(
      `${name}-event-data-store`,
      {
        name: storeName ?? "crosstrail",
        advancedEventSelectors: selectors,
        retentionPeriod: retentionInDays ?? 366,
        terminationProtectionEnabled: keep,
        kmsKeyId: key.arn,
        tags,
      },
      kept,
    );

    this.eventDataStoreArn = store.arn;
    this.keyArn = key.arn;
    this.registerOutputs({ eventDataStoreArn: this.eventDataStoreArn, keyArn: this.keyArn });
  }
}
