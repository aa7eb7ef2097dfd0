/** What a trail will not record, said in an investigator's words: allowed, but not to happen unnoticed. */
import type { Finding } from "../findings";
import { recordsManagement } from "./problems";
import type { AdvancedEventSelector, ArchiveBuckets, FieldSelector } from "./selectors";
import { objectsOf } from "./selectors";

/** What is missing, and what would be there, for each service whose management events can be left out. */
const consequences: Record<string, string> = {
  "kms.amazonaws.com":
    "An investigator will not see who decrypted data, whose keys were used, or who disabled a key, scheduled its deletion or changed its policy. " +
    "AWS Config's rules multi-region-cloudtrail-enabled and cloudtrail-security-trail-enabled fail.",
  "rdsdata.amazonaws.com":
    "An investigator will not see which SQL statements were run through the RDS Data API, nor by whom. " +
    "AWS Config's rules multi-region-cloudtrail-enabled and cloudtrail-security-trail-enabled fail.",
};

/**
 * Findings of severity warning.
 * @param selectors what the trail gets.
 * @param archive the archive's buckets.
 */
export function eventNotices(selectors: AdvancedEventSelector[], archive: ArchiveBuckets): Finding[] {
  const notices: Finding[] = [];
  const add = (id: Finding["id"], subject: string, message: string, remedy: string) =>
    notices.push({ id, severity: "warning", subject, message, remedy });
  const reads = selectors.filter((each) => recordsManagement(each, "true"));
  const writes = selectors.filter((each) => recordsManagement(each, "false"));

  if (reads.length === 0 && writes.length === 0) {
    add(
      "events/no-management",
      "management events",
      "This trail records none: an investigator will not see who created or deleted resources, signed in, or changed permissions.",
      "Add management to crosstrail:events, unless another trail of the account records them.",
    );
    return [...notices, ...recursion(selectors, archive)];
  }
  if (writes.length === 0) {
    add(
      "events/reads-only",
      "management events that write",
      "This trail records none: an investigator will not see who created, changed or deleted anything.",
      "Set crosstrail:readWriteType to All, unless another trail of the account records them.",
    );
  }
  if (reads.length === 0) {
    add(
      "events/writes-only",
      "management events that only read",
      "This trail records none: an investigator will not see who assumed a role, fetched a secret's value, or looked around before an attack.",
      "Set crosstrail:readWriteType to All, unless another trail of the account records them.",
    );
  }
  for (const [source, consequence] of Object.entries(consequences)) {
    const recording = [...reads, ...writes];
    if (recording.some((each) => !excludes(each, source))) continue;
    add(
      "events/excluded-source",
      `management events of ${source}`,
      `This trail excludes them. ${consequence}`,
      "Remove the exclusion, unless another trail of the account records them.",
    );
  }
  return [...notices, ...recursion(selectors, archive)];
}

function excludes({ fieldSelectors }: AdvancedEventSelector, source: string): boolean {
  const field = fieldSelectors.find((each) => each.field === "eventSource");
  return field !== undefined && !matches(field, source);
}

/** Data events of the archive's own objects: each delivery would be an event that is delivered again. */
function recursion(selectors: AdvancedEventSelector[], archive: ArchiveBuckets): Finding[] {
  const [logs, ...others] = objectsOf(archive) as [string, ...string[]];
  const recorded = [
    ...(recordsWrites(selectors, `${logs}AWSLogs/`) ? [logs] : []),
    ...others.filter((objects) => recordsWrites(selectors, objects)),
  ];
  if (recorded.length === 0) return [];
  return [
    {
      id: "events/recursive",
      severity: "warning",
      subject: `data events of ${recorded.join(", ")}`,
      message:
        "This trail records access to the archive's own objects. In the bucket's account, each delivery is an event, " +
        "which is delivered, which is another event. AWS bills each one.",
      remedy: `Add to the selector: field resources.ARN, notStartsWith ${recorded.join(", ")}. The preset s3-data-events does this.`,
    },
  ];
}

/** Whether writes of some object whose ARN starts so are recorded. */
function recordsWrites(selectors: AdvancedEventSelector[], objects: string): boolean {
  return selectors.some(({ fieldSelectors }) => {
    const of = (name: string) => fieldSelectors.find(({ field }) => field === name);
    const arn = of("resources.ARN");
    const readOnly = of("readOnly")?.equals;
    return (
      of("resources.type")?.equals?.includes("AWS::S3::Object") === true &&
      readOnly?.includes("true") !== true &&
      (arn === undefined || matches(arn, objects))
    );
  });
}

/**
 * Whether a value passes a field selector: one of the positive operators matches, if there are any, and no negative
 * one.
 */
function matches(selector: FieldSelector, value: string): boolean {
  const positive = [selector.equals, selector.startsWith, selector.endsWith];
  const any = positive.some((values) => values !== undefined && values.length > 0);
  const passes =
    selector.equals?.includes(value) ||
    selector.startsWith?.some((each) => value.startsWith(each)) ||
    selector.endsWith?.some((each) => value.endsWith(each)) ||
    // A beginning that reaches into the value's own objects.
    selector.startsWith?.some((each) => each.startsWith(value));
  if (any && !passes) return false;
  return !(
    selector.notEquals?.includes(value) ||
    selector.notStartsWith?.some((each) => value.startsWith(each)) ||
    selector.notEndsWith?.some((each) => value.endsWith(each))
  );
}
