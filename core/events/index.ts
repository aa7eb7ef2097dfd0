/** What a trail records: the choice, what is wrong with it, and what it leaves out. */
export { eventNotices } from "./notices";
export type { EventProblem } from "./problems";
export { advancedProblems, eventProblems, providerFields, SelectorOwner } from "./problems";
export type { AdvancedEventSelector, ArchiveBuckets, EventChoice, EventSelector, FieldSelector } from "./selectors";
export {
  advancedSelectors,
  EventPreset,
  ExcludableEventSource,
  excludableSources,
  insightsOf,
  InsightType,
  insightTypes,
  ReadWriteType,
} from "./selectors";
