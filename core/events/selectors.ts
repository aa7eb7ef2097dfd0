/**
 * What a trail records. However it is asked for, with presets, basic or advanced event selectors, the trail gets advanced
 * ones: see docs/decisions/0007. Source: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedEventSelector.html
 */

/** Choices of events by a word. What each one records is in docs/events.md. */
export const EventPreset = {
  Management: "management",
  S3DataEvents: "s3-data-events",
  LambdaDataEvents: "lambda-data-events",
  Everything: "everything",
} as const;
// Spelled out, as in the other sets that components have lists of: Pulumi's analyzer finds the name of a list's elements only so.
export type EventPreset = "management" | "s3-data-events" | "lambda-data-events" | "everything";

/** Which events of a kind: those that only read, those that change something, or both. */
export const ReadWriteType = { All: "All", ReadOnly: "ReadOnly", WriteOnly: "WriteOnly" } as const;
export type ReadWriteType = (typeof ReadWriteType)[keyof typeof ReadWriteType];

/** The services whose management events a trail can leave out. */
export const ExcludableEventSource = { Kms: "kms.amazonaws.com", RdsData: "rdsdata.amazonaws.com" } as const;
export type ExcludableEventSource = "kms.amazonaws.com" | "rdsdata.amazonaws.com";
export const excludableSources: string[] = Object.values(ExcludableEventSource);

/** Unusual activity that CloudTrail Insights looks for: the rate of calls, or of errors. */
export const InsightType = { ApiCallRate: "ApiCallRateInsight", ApiErrorRate: "ApiErrorRateInsight" } as const;
export type InsightType = "ApiCallRateInsight" | "ApiErrorRateInsight";
export const insightTypes: string[] = Object.values(InsightType);

/** https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_EventSelector.html */
export interface EventSelector {
  readWriteType?: string;
  includeManagementEvents?: boolean;
  excludeManagementEventSources?: string[];
  dataResources?: { type: string; values: string[] }[];
}

/** A condition on a field of an event. */
export interface FieldSelector {
  field: string;
  equals?: string[];
  notEquals?: string[];
  startsWith?: string[];
  notStartsWith?: string[];
  endsWith?: string[];
  notEndsWith?: string[];
}

/** Events for which every condition holds. */
export interface AdvancedEventSelector {
  name?: string;
  fieldSelectors: FieldSelector[];
}

/** What a trail is to record: presets, or selectors. Nothing at all: every management event. */
export interface EventChoice {
  events?: string[];
  /** For presets. */
  readWriteType?: string;
  /** For presets. */
  excludeManagementEventSources?: string[];
  /** For presets: services whose calls through VPC endpoints are recorded. */
  networkActivityEventSources?: string[];
  eventSelectors?: EventSelector[];
  advancedEventSelectors?: AdvancedEventSelector[];
  insightTypes?: string[];
}

/**
 * The services of which preset `everything` records network activity: those of the feature's first general release. It
 * does so in partition aws only; the documentation of the others calls it a preview.
 * Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-network-events-with-cloudtrail.html
 */
const networkActivitySources = [
  "cloudtrail.amazonaws.com",
  "ec2.amazonaws.com",
  "kms.amazonaws.com",
  "s3.amazonaws.com",
  "secretsmanager.amazonaws.com",
];

const s3Objects = "AWS::S3::Object";
const lambdaFunctions = "AWS::Lambda::Function";
const dynamoTables = "AWS::DynamoDB::Table";
/** The types of resources that basic event selectors know. */
export const basicResourceTypes = [dynamoTables, lambdaFunctions, s3Objects];

/** The archive's buckets, of which a trail is to record no data events. */
export interface ArchiveBuckets {
  /** The log bucket. */
  bucketArn: string;
  /** Those for copies and access logs. Default: none. */
  otherBucketArns?: string[];
}

/** What the ARNs of all objects in the archive start with. */
export function objectsOf({ bucketArn, otherBucketArns = [] }: ArchiveBuckets): string[] {
  return [bucketArn, ...otherBucketArns].map((arn) => `${arn}/`);
}

/** Scanners such as Prowler look for a selector of this name, and AWS's console gives it. */
const managementName = "Management events selector";

/**
 * The advanced event selectors for a choice in which `eventProblems` finds nothing.
 * @param archive the archive's buckets. Each delivery to one of them is a data event of S3, and would be recorded and
 * delivered again.
 */
export function advancedSelectors(
  choice: EventChoice,
  archive: ArchiveBuckets & { partition: string },
): AdvancedEventSelector[] {
  const { eventSelectors = [], advancedEventSelectors = [], readWriteType } = choice;
  if (advancedEventSelectors.length > 0) return advancedEventSelectors;
  if (eventSelectors.length > 0) return eventSelectors.flatMap(fromBasic);
  const presets = choice.events?.length ? choice.events : [EventPreset.Management];
  const wants = (preset: EventPreset) => presets.includes(preset) || presets.includes(EventPreset.Everything);
  const everything = presets.includes(EventPreset.Everything);
  const networkSources = [
    ...(choice.networkActivityEventSources ?? []),
    ...(everything && archive.partition === "aws" ? networkActivitySources : []),
  ];
  return [
    ...(wants(EventPreset.Management) ? [management(readWriteType, choice.excludeManagementEventSources)] : []),
    ...(wants(EventPreset.S3DataEvents)
      ? [data(s3Objects, readWriteType, [{ field: "resources.ARN", notStartsWith: objectsOf(archive) }])]
      : []),
    ...(wants(EventPreset.LambdaDataEvents) ? [data(lambdaFunctions, readWriteType)] : []),
    ...(everything ? [data(dynamoTables, readWriteType)] : []),
    ...[...new Set(networkSources)].sort().map(networkActivity),
  ];
}

/** The Insights that a choice asks for. */
export function insightsOf({ events, insightTypes: types }: EventChoice): string[] {
  const all = events?.includes(EventPreset.Everything) ? insightTypes : (types ?? []);
  return [...new Set(all)].sort();
}

/** A basic selector in advanced ones: the same events. */
function fromBasic(selector: EventSelector): AdvancedEventSelector[] {
  const { readWriteType, includeManagementEvents = true, excludeManagementEventSources } = selector;
  return [
    ...(includeManagementEvents ? [management(readWriteType, excludeManagementEventSources)] : []),
    ...(selector.dataResources ?? []).map(({ type, values }) =>
      data(type, readWriteType, values.some((value) => isEvery(type, value)) ? [] : [byArn(type, values)]),
    ),
  ];
}

/** Whether a value of a basic selector stands for every resource of the type, as `arn:aws:s3` does. */
export function isEvery(type: string, value: string): boolean {
  const service = { [s3Objects]: "s3", [lambdaFunctions]: "lambda", [dynamoTables]: "dynamodb" }[type];
  return new RegExp(`^arn:aws[a-z-]*:${service}:*$`).test(value);
}

/** Of S3, a basic selector's values are beginnings of ARNs; those of functions and tables are whole ones. */
function byArn(type: string, values: string[]): FieldSelector {
  const sorted = [...new Set(values)].sort();
  return type === s3Objects
    ? { field: "resources.ARN", startsWith: sorted }
    : { field: "resources.ARN", equals: sorted };
}

function management(readWriteType?: string, excluded: string[] = []): AdvancedEventSelector {
  return {
    name: managementName,
    fieldSelectors: [
      { field: "eventCategory", equals: ["Management"] },
      ...(excluded.length > 0 ? [{ field: "eventSource", notEquals: [...new Set(excluded)].sort() }] : []),
      ...readOnly(readWriteType),
    ],
  };
}

function data(type: string, readWriteType?: string, conditions: FieldSelector[] = []): AdvancedEventSelector {
  return {
    name: `Data events of ${type}`,
    fieldSelectors: [
      { field: "eventCategory", equals: ["Data"] },
      ...readOnly(readWriteType),
      ...conditions,
      { field: "resources.type", equals: [type] },
    ],
  };
}

function networkActivity(source: string): AdvancedEventSelector {
  return {
    name: `Network activity events of ${source}`,
    fieldSelectors: [
      { field: "eventCategory", equals: ["NetworkActivity"] },
      { field: "eventSource", equals: [source] },
    ],
  };
}

function readOnly(readWriteType?: string): FieldSelector[] {
  if (readWriteType === undefined || readWriteType === ReadWriteType.All) return [];
  return [{ field: "readOnly", equals: [String(readWriteType === ReadWriteType.ReadOnly)] }];
}
