/**
 * What CloudTrail would refuse in a choice of events, found before anything is deployed.
 * Sources: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutEventSelectors.html,
 * .../API_AdvancedFieldSelector.html, .../API_DataResource.html and .../userguide/WhatIsCloudTrail-Limits.html
 */
import type { AdvancedEventSelector, EventChoice, EventSelector, FieldSelector } from "./selectors";
import {
  advancedSelectors,
  basicResourceTypes,
  EventPreset,
  excludableSources,
  insightsOf,
  insightTypes,
  isEvery,
  ReadWriteType,
} from "./selectors";

/** Something that is wrong: where, and what is allowed. No capital in front, no period behind. */
export interface EventProblem {
  path: (string | number)[];
  message: string;
  /** The next step, where it is more than to correct the value. */
  remedy?: string;
}

const most = { basicSelectors: 5, dataResources: 250, values: 500, name: 1000, valueLength: 2048 };

/** Where selectors belong to: event data stores can select more than trails. */
export const SelectorOwner = { Trail: "trail", EventDataStore: "eventDataStore" } as const;
export type SelectorOwner = (typeof SelectorOwner)[keyof typeof SelectorOwner];

/**
 * The fields that the AWS provider takes in an advanced event selector; any other fails the stack's update. CloudTrail itself also
 * knows errorCode, eventType, sessionCredentialFromConsole and vpcEndpointId. Neither the documentation of `@pulumi/aws` 7.48 nor
 * the provider that the sandbox runs on has them; upstream has since 6.1
 * (https://github.com/hashicorp/terraform-provider-aws/pull/43091). tests/engine/gate.test.ts asks the provider for its list.
 */
export const providerFields: readonly string[] = [
  "eventCategory",
  "eventName",
  "eventSource",
  "readOnly",
  "resources.ARN",
  "resources.type",
  "userIdentity.arn",
];

/**
 * The fields that CloudTrail can select a category of events by; those it must be selected by; by one value and equality
 * only.
 */
const categories: Record<string, { fields: string[]; required: string[]; exact: string[] }> = {
  Management: {
    fields: ["eventCategory", "eventSource", "readOnly"],
    required: [],
    exact: ["eventCategory", "readOnly"],
  },
  Data: {
    fields: [
      "eventCategory",
      "eventName",
      "eventSource",
      "eventType",
      "readOnly",
      "resources.ARN",
      "resources.type",
      "sessionCredentialFromConsole",
      "userIdentity.arn",
    ],
    required: ["resources.type"],
    exact: ["eventCategory", "readOnly", "resources.type"],
  },
  NetworkActivity: {
    fields: ["errorCode", "eventCategory", "eventName", "eventSource", "vpcEndpointId"],
    required: ["eventSource"],
    exact: ["eventCategory", "eventSource"],
  },
};
const onlyInEventDataStores: Record<string, string[]> = {
  Management: ["eventName", "eventType", "sessionCredentialFromConsole", "userIdentity.arn"],
};
const categoryOnly = { fields: ["eventCategory"], required: [], exact: ["eventCategory"] };
const categoriesOfEventDataStores = {
  ...categories,
  ActivityAuditLog: categoryOnly,
  ConfigurationItem: categoryOnly,
  Evidence: categoryOnly,
  Insight: categoryOnly,
};
/** The values of fields that have few. */
const valuesOf: Record<string, string[]> = { readOnly: ["true", "false"] };

/** Everything that is wrong with a choice of events. */
export function eventProblems(choice: EventChoice): EventProblem[] {
  const { eventSelectors = [], advancedEventSelectors = [] } = choice;
  const found = [
    ...exclusive(choice),
    ...presetProblems(choice),
    ...basicProblems(eventSelectors),
    ...advancedProblems(advancedEventSelectors),
  ];
  // What a selector with a mistake records, nobody knows.
  return found.length > 0 ? found : insightProblems(choice);
}

/** Presets, basic and advanced selectors exclude each other; filters are for presets. */
function exclusive(choice: EventChoice): EventProblem[] {
  const ways = (["events", "eventSelectors", "advancedEventSelectors"] as const).filter((key) => choice[key]?.length);
  const filters = [
    ...(choice.readWriteType !== undefined && choice.readWriteType !== ReadWriteType.All ? ["readWriteType"] : []),
    ...(choice.excludeManagementEventSources?.length ? ["excludeManagementEventSources"] : []),
    ...(choice.networkActivityEventSources?.length ? ["networkActivityEventSources"] : []),
  ];
  const found: EventProblem[] = [];
  if (choice.eventSelectors?.length && choice.advancedEventSelectors?.length) {
    found.push({
      path: ["eventSelectors"],
      message: "CloudTrail accepts basic or advanced event selectors on a trail, not both",
      remedy: "Keep eventSelectors or advancedEventSelectors, and remove the other.",
    });
  }
  if (ways.includes("events") && ways.length > 1) {
    found.push({
      path: ["events"],
      message: `presets replace event selectors, so ${ways.slice(1).join(" and ")} cannot be set with them`,
      remedy: `Remove either events or ${ways.slice(1).join(" and ")}.`,
    });
  }
  const selectors = ways.find((way) => way !== "events");
  if (selectors) {
    for (const filter of filters) {
      found.push({
        path: [filter],
        message: `this filters presets; with ${selectors} it would have no effect`,
        remedy: `Express it in ${selectors} and remove ${filter}.`,
      });
    }
  }
  return found;
}

function presetProblems(choice: EventChoice): EventProblem[] {
  const { events = [], excludeManagementEventSources: excluded = [], networkActivityEventSources = [] } = choice;
  const presets: string[] = Object.values(EventPreset);
  const recorded = events.length === 0 || events.includes(EventPreset.Management);
  return [
    ...closed(["events"], events, presets),
    ...closed(["readWriteType"], choice.readWriteType, Object.values(ReadWriteType)),
    ...closed(["excludeManagementEventSources"], excluded, excludableSources),
    ...closed(["insightTypes"], choice.insightTypes, insightTypes),
    ...networkActivityEventSources.flatMap((source, index) =>
      /^[a-z0-9.-]+\.amazonaws\.com$/.test(source)
        ? []
        : [
            {
              path: ["networkActivityEventSources", index],
              message: "an event source looks like s3.amazonaws.com, without wildcards",
            },
          ],
    ),
    ...(excluded.length > 0 && !recorded && !events.includes(EventPreset.Everything)
      ? [
          {
            path: ["excludeManagementEventSources"],
            message: "these presets record no management events, so there is nothing to exclude",
            remedy: "Add management to events, or remove excludeManagementEventSources.",
          },
        ]
      : []),
  ];
}

function basicProblems(selectors: EventSelector[]): EventProblem[] {
  const found: EventProblem[] = [];
  if (selectors.length > most.basicSelectors) {
    found.push({
      path: ["eventSelectors"],
      message: `a trail has at most ${most.basicSelectors} event selectors; there are ${selectors.length}`,
      remedy: "Merge some of them, or use advancedEventSelectors, which do not have this limit.",
    });
  }
  const resources = selectors
    .flatMap(({ dataResources = [] }) => dataResources)
    .flatMap(({ type, values }) => values.filter((value) => !isEvery(type, value))).length;
  if (resources > most.dataResources) {
    found.push({
      path: ["eventSelectors"],
      message: `a trail's event selectors have at most ${most.dataResources} data resources in total; there are ${resources}`,
      remedy: "Use ARN prefixes or whole buckets instead of single objects, or use advancedEventSelectors.",
    });
  }
  selectors.forEach((selector, index) => {
    const at = (...path: (string | number)[]) => ["eventSelectors", index, ...path];
    const { dataResources = [], includeManagementEvents = true, excludeManagementEventSources: excluded } = selector;
    found.push(
      ...closed(at("readWriteType"), selector.readWriteType, Object.values(ReadWriteType)),
      ...closed(at("excludeManagementEventSources"), excluded, excludableSources),
    );
    if (!includeManagementEvents && dataResources.length === 0) {
      found.push({ path: at(), message: "this selector records neither management nor data events" });
    }
    if (!includeManagementEvents && excluded?.length) {
      found.push({
        path: at("excludeManagementEventSources"),
        message: "without management events, there is nothing to exclude",
      });
    }
    dataResources.forEach(({ type, values }, resource) => {
      const here = at("dataResources", resource);
      if (!basicResourceTypes.includes(type)) {
        found.push({
          path: [...here, "type"],
          message: `allowed are ${basicResourceTypes.join(", ")}`,
          remedy: "For other resource types, use advancedEventSelectors.",
        });
        return;
      }
      values.forEach((value, at) => {
        const message = isEvery(type, value) ? undefined : resourceProblem(type, value);
        if (message) found.push({ path: [...here, "values", at], message });
      });
    });
  });
  return found;
}

function resourceProblem(type: string, value: string): string | undefined {
  if (/[*?]/.test(value)) return "a value is an ARN or an ARN prefix; wildcards match nothing";
  switch (type) {
    case "AWS::S3::Object":
      return /^arn:aws[a-z-]*:s3:::[^/]+\//.test(value)
        ? undefined
        : "a value looks like arn:aws:s3:::<bucket>/ or arn:aws:s3:::<bucket>/<key prefix>, or arn:aws:s3 for every bucket";
    case "AWS::Lambda::Function":
      return /^arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[^:]+$/.test(value)
        ? undefined
        : "a value is a function's full ARN, or arn:aws:lambda for every function";
    default:
      return /^arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:\d{12}:table\/[^/]+$/.test(value)
        ? undefined
        : "a value is a table's full ARN, or arn:aws:dynamodb for every table";
  }
}

/** What is wrong with advanced event selectors, under this key. */
export function advancedProblems(
  selectors: AdvancedEventSelector[],
  owner: SelectorOwner = SelectorOwner.Trail,
  key = "advancedEventSelectors",
): EventProblem[] {
  const known: typeof categories = owner === SelectorOwner.Trail ? categories : categoriesOfEventDataStores;
  const found: EventProblem[] = [];
  const values = selectors.flatMap(({ fieldSelectors }) => fieldSelectors.flatMap((each) => operators(each))).length;
  if (values > most.values) {
    found.push({
      path: [key],
      message: `advanced event selectors have at most ${most.values} values in total; there are ${values}`,
      remedy: "Use prefixes or suffixes (startsWith, endsWith) that cover several values.",
    });
  }
  selectors.forEach(({ name, fieldSelectors }, index) => {
    const at = (...path: (string | number)[]) => [key, index, ...path];
    if (name !== undefined && name.length > most.name) {
      found.push({ path: at("name"), message: `a name has at most ${most.name} characters, this has ${name.length}` });
    }
    const category = fieldSelectors.find(({ field }) => field === "eventCategory")?.equals?.[0];
    const rules = category === undefined ? undefined : known[category];
    if (category === undefined) {
      found.push({
        path: at(),
        message: `each selector needs the field eventCategory with equals; allowed are ${Object.keys(known).join(", ")}`,
      });
    } else if (!rules) {
      found.push({
        path: at(
          "fieldSelectors",
          fieldSelectors.findIndex(({ field }) => field === "eventCategory"),
          "equals",
          0,
        ),
        message: `allowed are ${Object.keys(known).join(", ")}`,
      });
    }
    for (const field of rules?.required ?? []) {
      if (fieldSelectors.some((each) => each.field === field)) continue;
      found.push({ path: at(), message: `events of category ${category} need the field ${field}` });
    }
    fieldSelectors.forEach((each, position) => {
      const here = at("fieldSelectors", position);
      if (rules && category) {
        const fields =
          owner === SelectorOwner.Trail ? rules.fields : [...rules.fields, ...(onlyInEventDataStores[category] ?? [])];
        const accepted = fields.filter((field) => providerFields.includes(field)).sort();
        if (!accepted.includes(each.field)) {
          const isKnown = fields.includes(each.field);
          const what = `events of category ${category} are selected by ${accepted.join(", ")}`;
          found.push({
            path: [...here, "field"],
            message: isKnown
              ? `CloudTrail knows this field, but not every version of the AWS provider accepts it; ${what}`
              : what,
            ...(isKnown && {
              remedy: "Select by another field, or set the selectors outside of Crosstrail: see docs/events.md.",
            }),
          });
          return;
        }
      }
      found.push(...fieldProblems(each, here, rules?.exact ?? ["eventCategory"]));
    });
  });
  return found;
}

function fieldProblems(selector: FieldSelector, path: (string | number)[], exact: string[]): EventProblem[] {
  const { field, equals } = selector;
  const found: EventProblem[] = [];
  const all = operators(selector);
  if (all.length === 0) {
    found.push({ path, message: "a field needs at least one value, for example with equals" });
  }
  for (const { operator, index, value } of all) {
    if (value.length > 0 && value.length <= most.valueLength) continue;
    found.push({
      path: [...path, operator, index],
      message: `a value has 1 to ${most.valueLength} characters, this has ${value.length}`,
    });
  }
  if (exact.includes(field) && all.length > 0) {
    if (all.length !== 1 || equals?.length !== 1) {
      found.push({
        path,
        message: `${field} needs equals with exactly one value`,
        remedy: "For several values, write one selector each.",
      });
    } else found.push(...closed([...path, "equals"], equals, valuesOf[field]));
  }
  return found;
}

const operatorNames = ["equals", "notEquals", "startsWith", "notStartsWith", "endsWith", "notEndsWith"] as const;

/** Every value of a field selector. */
function operators(selector: FieldSelector): { operator: string; index: number; value: string }[] {
  return operatorNames.flatMap((operator) =>
    (selector[operator] ?? []).map((value, index) => ({ operator, index, value })),
  );
}

/** Insights compare management events, so those must be recorded: writes for the rate, any for the errors. */
function insightProblems(choice: EventChoice): EventProblem[] {
  const selectors = advancedSelectors(choice, { partition: "aws", bucketArn: "arn:aws:s3:::archive" });
  const types = insightsOf(choice);
  const records = (readOnly: string) => selectors.some((selector) => recordsManagement(selector, readOnly));
  const path = choice.insightTypes?.length ? ["insightTypes"] : ["events"];
  if (types.length > 0 && !records("true") && !records("false")) {
    return [{ path, message: "Insights need management events, but this trail records none" }];
  }
  if (types.includes("ApiCallRateInsight") && !records("false")) {
    return [
      { path, message: "ApiCallRateInsight needs management write events, but this trail records only read events" },
    ];
  }
  return [];
}

/** Whether a selector records management events that read ("true") or write ("false"). */
export function recordsManagement({ fieldSelectors }: AdvancedEventSelector, readOnly: string): boolean {
  const values = (field: string) => fieldSelectors.find((each) => each.field === field)?.equals;
  return values("eventCategory")?.includes("Management") === true && (values("readOnly")?.includes(readOnly) ?? true);
}

/** A problem for each value that is not in the list. */
function closed(
  path: (string | number)[],
  values: string | string[] | undefined,
  allowed: string[] | undefined,
): EventProblem[] {
  if (values === undefined || allowed === undefined) return [];
  const message = `allowed ${allowed.length === 1 ? "is" : "are"} ${allowed.join(", ")}`;
  if (!Array.isArray(values)) return allowed.includes(values) ? [] : [{ path, message }];
  return values.flatMap((value, index) => (allowed.includes(value) ? [] : [{ path: [...path, index], message }]));
}
