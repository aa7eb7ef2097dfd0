/** What of a trail can be chosen, for a member's and for the audit account's own. */
import type { z } from "zod";
import type { Values } from "./keys";
import type { Report } from "./report";
import { subjectOf } from "./report";
import type { advancedEventSelector, eventSelector } from "./schemas";

export interface TrailOptions {
  isMultiRegionTrail: boolean;
  enableLogFileValidation: boolean;
  includeGlobalServiceEvents: boolean;
  enableLogging: boolean;
  eventSelectors: z.infer<typeof eventSelector>[];
  advancedEventSelectors: z.infer<typeof advancedEventSelector>[];
  insightTypes: string[];
}

/** The trail's options; reports those that CloudTrail does not take together. */
export function trailOptions(report: Report, values: Values): TrailOptions {
  if (values.eventSelectors?.length && values.advancedEventSelectors?.length) {
    report.add(
      "selectors",
      "crosstrail:eventSelectors and crosstrail:advancedEventSelectors",
      "CloudTrail takes basic or advanced event selectors on a trail, not both.",
      `Keep one of the two in ${report.file}.`,
    );
  }
  if (values.isMultiRegionTrail === true && values.includeGlobalServiceEvents === false) {
    report.add(
      "global-events",
      subjectOf("includeGlobalServiceEvents", "false"),
      "A multi-Region trail always includes the events of global services; CloudTrail refuses it otherwise.",
      "Leave it true, or set crosstrail:isMultiRegionTrail to false as well.",
    );
  }
  return {
    isMultiRegionTrail: values.isMultiRegionTrail,
    enableLogFileValidation: values.enableLogFileValidation,
    includeGlobalServiceEvents: values.includeGlobalServiceEvents,
    enableLogging: values.enableLogging,
    eventSelectors: values.eventSelectors,
    advancedEventSelectors: values.advancedEventSelectors,
    insightTypes: values.insightTypes,
  };
}
