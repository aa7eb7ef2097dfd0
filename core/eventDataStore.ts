/**
 * An event data store of CloudTrail Lake: what can be asked for, and what is wrong with it.
 * Source: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateEventDataStore.html
 */
import type { AdvancedEventSelector } from "./events";
import { UserError } from "./findings";

export interface EventDataStoreChoice {
  name: string;
  retentionDays: number;
  advancedEventSelectors: AdvancedEventSelector[];
  /** ARNs of the roles that may query it. Left out: whom the account's IAM policies let. */
  roleArns?: string[];
  /** Whether it is protected from deletion, by AWS and by Pulumi. */
  keep: boolean;
}

/** Says what is wrong with a store's name, or nothing. */
export function eventDataStoreNameProblem(name: string): string | undefined {
  if (name.length < 3 || name.length > 128) {
    return `an event data store's name has 3 to 128 characters, this has ${name.length}`;
  }
  if (!/^[A-Za-z0-9._-]+$/.test(name)) return "an event data store's name has letters, digits, '.', '_' and '-' only";
  return undefined;
}

/** Says what is wrong with a store's retention, or nothing. AWS takes up to 3653 days, the AWS provider up to 2555. */
export function eventDataStoreRetentionProblem(days: number): string | undefined {
  return Number.isInteger(days) && days >= 7 && days <= 2555 ? undefined : "events are kept for 7 to 2555 whole days";
}

/** Output `eventDataStore` of the audit stack: what it deployed. */
export interface DeployedEventDataStore {
  arn: string;
  name: string;
  keep: boolean;
}

/**
 * Refuses what would take a store's events away: removing one that is kept, where the engine would say that it is
 * protected and not what to do, and renaming one, which the AWS provider does by replacing it.
 * @param deployed as the stack's outputs have it; undefined when there is none.
 * @param file the stack's configuration, for messages.
 */
export function refuseLostStore(deployed: unknown, wanted: EventDataStoreChoice | undefined, file: string): void {
  const { arn, name, keep } = (deployed ?? {}) as Partial<DeployedEventDataStore>;
  if (arn === undefined) return;
  if (wanted === undefined && keep === true) {
    throw new UserError("The event data store is protected. Nothing was changed.", [
      {
        id: "store/protected",
        severity: "error",
        subject: "crosstrail:eventDataStore is not set",
        message: `${arn} is deployed and holds events. Removing it deletes them permanently after seven days.`,
        remedy: [
          `Restore it in ${file}. To delete the store and its events, set`,
          "",
          "  crosstrail:eventDataStore:",
          "    keep: false",
          "",
          "next to its other fields and run pulumi up, then remove crosstrail:eventDataStore and run pulumi up again.",
        ].join("\n"),
      },
    ]);
  }
  if (wanted !== undefined && name !== undefined && wanted.name !== name) {
    throw new UserError("The event data store would be replaced. Nothing was changed.", [
      {
        id: "store/renamed",
        severity: "error",
        subject: `crosstrail:eventDataStore.name = ${JSON.stringify(wanted.name)}`,
        message: `${arn} is deployed with the name ${JSON.stringify(name)}. A new name would create a new store, without these events.`,
        remedy: `Restore it in ${file}.`,
      },
    ]);
  }
}
