/** What of a trail can be chosen, for a member's and for the audit account's own. */
import type { LogGroupChoice, TopicChoice } from "../delivery";
import type { EventChoice } from "../events";
import { eventProblems } from "../events";
import { pathText, sentence, valueAt } from "../issues";
import { tagCaseProblems } from "../tags";
import type { Values } from "./keys";
import type { Report } from "./report";
import { subjectOf } from "./report";

export interface TrailOptions extends Required<EventChoice> {
  isMultiRegionTrail: boolean;
  enableLogFileValidation: boolean;
  includeGlobalServiceEvents: boolean;
  enableLogging: boolean;
  /** Where it delivers besides S3. */
  cloudWatchLogs?: LogGroupChoice;
  sns?: TopicChoice;
}

/** The trail's options; reports those that CloudTrail does not take together. */
export function trailOptions(report: Report, values: Values): TrailOptions {
  for (const { path, message, remedy } of eventProblems(values)) {
    report.add(
      "events",
      subjectOf(pathText(path).slice(1), valueAt(values, path)),
      sentence(message),
      remedy ?? `Correct it in ${report.file}.`,
    );
  }
  if (makesRole(values)) {
    for (const { key = "", message } of tagCaseProblems(values.tags ?? {})) {
      report.add(
        "tags",
        subjectOf(`tags.${key}`, values.tags[key]),
        sentence(message),
        `Correct it in ${report.file}.`,
      );
    }
  }
  if (values.isMultiRegionTrail === true && values.includeGlobalServiceEvents === false) {
    report.add(
      "global-events",
      subjectOf("includeGlobalServiceEvents", "false"),
      "A multi-Region trail always includes events of global services; CloudTrail rejects it otherwise.",
      "Set it to true, or also set crosstrail:isMultiRegionTrail to false.",
    );
  }
  return {
    isMultiRegionTrail: values.isMultiRegionTrail,
    enableLogFileValidation: values.enableLogFileValidation,
    includeGlobalServiceEvents: values.includeGlobalServiceEvents,
    enableLogging: values.enableLogging,
    events: values.events,
    readWriteType: values.readWriteType,
    excludeManagementEventSources: values.excludeManagementEventSources,
    networkActivityEventSources: values.networkActivityEventSources,
    eventSelectors: values.eventSelectors,
    advancedEventSelectors: values.advancedEventSelectors,
    insightTypes: values.insightTypes,
    ...(isSet(values.cloudWatchLogs) && {
      cloudWatchLogs: { retentionDays: 365, encrypted: true, ...values.cloudWatchLogs },
    }),
    ...(isSet(values.sns) && { sns: { encrypted: true, ...values.sns } }),
  };
}

/** Whether the stack has a role of IAM that gets the tags: a log group's, a reader, or the one that replicates. */
function makesRole({ cloudWatchLogs, readers, replication }: Values): boolean {
  return isSet(cloudWatchLogs) || isSet(readers) || isSet(replication);
}

/** Whether a map has anything in it; one with a mistake is not there. */
function isSet(value: object | undefined): boolean {
  return Object.keys(value ?? {}).length > 0;
}
