/**
 * What AWS bills that it did not bill before. Only what the preview shows: trails that an account has besides the
 * fleet's are not known. Source of the prices: https://aws.amazon.com/cloudtrail/pricing/ and
 * https://aws.amazon.com/kms/pricing/
 */
import type { Change } from "./changes";
import type { Cost, ReportInput } from "./types";
import { Op } from "./types";

const pricing = "https://aws.amazon.com/cloudtrail/pricing/";

type Kind = Omit<Cost, "who">;
const kinds = {
  secondCopy: {
    title: "A second copy of management events",
    text: "The account has another trail of the fleet, at least temporarily. AWS bills every copy of management events after the first: 2.00 USD per 100,000 events.",
    source: pricing,
  },
  newTrail: {
    title: "A new trail",
    text: "The first copy of management events is free in each Region. If another trail already records them, such as an organization trail, this copy is billed: 2.00 USD per 100,000 events.",
    source: pricing,
  },
  dataEvents: {
    title: "Data events",
    text: "Every copy of data events is billed, including the first: 0.10 USD per 100,000 events. A busy bucket or function can have millions a day.",
    source: pricing,
  },
  networkEvents: {
    title: "Network activity events",
    text: "Every copy of network activity events is billed, including the first.",
    source: pricing,
  },
  insights: {
    title: "Insights",
    text: "AWS bills the events it analyzes, once for each type of Insights.",
    source: "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/insights-events-costs.html",
  },
  key: {
    title: "A KMS key",
    text: "1 USD per month, 1 USD more after each of the first two rotations, plus the requests of every account that encrypts or reads.",
    source: "https://aws.amazon.com/kms/pricing/",
  },
  logs: {
    title: "Delivery to CloudWatch Logs",
    text: "CloudWatch bills every ingested event, and stores it for the log group's retention period.",
    source: "https://aws.amazon.com/cloudwatch/pricing/",
  },
  lake: {
    title: "An event data store",
    text: "CloudTrail Lake bills ingestion, storage and the data that queries scan.",
    source: pricing,
  },
} as const satisfies Record<string, Kind>;

export function costsOf({ stacks, fleet }: ReportInput, changesOf: Map<string, Change[]>): Cost[] {
  const found = new Map<keyof typeof kinds, Cost["who"]>();
  for (const { stack, accountId } of stacks) {
    const has = new Set((changesOf.get(stack) ?? []).flatMap((change) => kindsOf(change)));
    const trails = fleet?.trails.filter(({ trail }) => trail.accountId === accountId).length ?? 0;
    if (has.has("newTrail") && trails > 1) {
      has.delete("newTrail");
      has.add("secondCopy");
    }
    for (const kind of has) found.set(kind, [...(found.get(kind) ?? []), { alias: stack, accountId }]);
  }
  return (Object.keys(kinds) as (keyof typeof kinds)[]).flatMap((kind) => {
    const who = found.get(kind);
    return who ? [{ ...kinds[kind], who }] : [];
  });
}

function kindsOf({ op, type, before, after }: Change): (keyof typeof kinds)[] {
  if (op === Op.Delete) return [];
  if (type === "aws:kms/key:Key" || type === "aws:kms/replicaKey:ReplicaKey") return op === Op.Update ? [] : ["key"];
  if (type === "aws:cloudtrail/eventDataStore:EventDataStore") return op === Op.Update ? [] : ["lake"];
  if (type !== "aws:cloudtrail/trail:Trail") return [];
  const more = (of: (inputs: Record<string, unknown>) => string[]) => {
    const was = of(before);
    return of(after).some((each) => !was.includes(each));
  };
  return [
    ...(op === Op.Update ? [] : (["newTrail"] as const)),
    ...(more((inputs) => selected(inputs, "Data")) ? (["dataEvents"] as const) : []),
    ...(more((inputs) => selected(inputs, "NetworkActivity")) ? (["networkEvents"] as const) : []),
    ...(more(({ insightSelectors }) => listOf(insightSelectors).map((each) => JSON.stringify(each)))
      ? (["insights"] as const)
      : []),
    ...(after.cloudWatchLogsGroupArn !== undefined && before.cloudWatchLogsGroupArn === undefined
      ? (["logs"] as const)
      : []),
  ];
}

/** The selectors of a trail that record such events, as texts. */
function selected({ eventSelectors, advancedEventSelectors }: Record<string, unknown>, category: string): string[] {
  const basic =
    category === "Data" ? listOf(eventSelectors).filter((each) => listOf(each.dataResources).length > 0) : [];
  const advanced = listOf(advancedEventSelectors).filter((each) =>
    listOf(each.fieldSelectors).some(
      ({ field, equals }) => field === "eventCategory" && Array.isArray(equals) && equals.includes(category),
    ),
  );
  return [...basic, ...advanced].map((each) => JSON.stringify(each));
}

function listOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === "object" && each !== null) : [];
}
