import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { AdvancedEventSelector, EventChoice, FieldSelector } from "../../../core/events";
import {
  advancedProblems,
  advancedSelectors,
  eventNotices,
  eventProblems,
  providerFields,
  insightsOf,
  SelectorOwner,
} from "../../../core/events";

const archive = { partition: "aws", bucketArn: "arn:aws:s3:::example-logs" };
/** `{ field: "operator values" }` for each selector. */
const short = (choice: EventChoice, from = archive) =>
  advancedSelectors(choice, from).map(({ fieldSelectors }) =>
    Object.fromEntries(
      fieldSelectors.map(({ field, ...operators }) => [
        field,
        Object.entries(operators)
          .map(([operator, values]) => `${operator} ${(values as string[]).join(" ")}`)
          .join(", "),
      ]),
    ),
  );
const withCopies = { ...archive, otherBucketArns: ["arn:aws:s3:::example-access-logs", "arn:aws:s3:::example-copies"] };
const management = { eventCategory: "equals Management" };
const data = (type: string, more: object = {}) => ({
  eventCategory: "equals Data",
  "resources.type": `equals ${type}`,
  ...more,
});
const network = (service: string) => ({
  eventCategory: "equals NetworkActivity",
  eventSource: `equals ${service}.amazonaws.com`,
});
const notTheArchive = { "resources.ARN": "notStartsWith arn:aws:s3:::example-logs/" };

describe("core/events: what a choice records", () => {
  const cases: [string, EventChoice, object[]][] = [
    ["nothing chosen: all management events", {}, [management]],
    ["an empty choice, as the configuration has it", { events: [], eventSelectors: [] }, [management]],
    ["management", { events: ["management"] }, [management]],
    ["S3, but for the archive", { events: ["s3-data-events"] }, [data("AWS::S3::Object", notTheArchive)]],
    ["Lambda", { events: ["lambda-data-events"] }, [data("AWS::Lambda::Function")]],
    [
      "presets together, in whatever order",
      { events: ["lambda-data-events", "s3-data-events", "management"] },
      [management, data("AWS::S3::Object", notTheArchive), data("AWS::Lambda::Function")],
    ],
    [
      "everything",
      { events: ["everything"] },
      [
        management,
        data("AWS::S3::Object", notTheArchive),
        data("AWS::Lambda::Function"),
        data("AWS::DynamoDB::Table"),
        ...["cloudtrail", "ec2", "kms", "s3", "secretsmanager"].map(network),
      ],
    ],
    [
      "writes, without KMS and RDS, and network activity",
      {
        events: ["management", "lambda-data-events"],
        readWriteType: "WriteOnly",
        excludeManagementEventSources: ["rdsdata.amazonaws.com", "kms.amazonaws.com"],
        networkActivityEventSources: ["sqs.amazonaws.com", "kms.amazonaws.com", "kms.amazonaws.com"],
      },
      [
        {
          ...management,
          eventSource: "notEquals kms.amazonaws.com rdsdata.amazonaws.com",
          readOnly: "equals false",
        },
        data("AWS::Lambda::Function", { readOnly: "equals false" }),
        network("kms"),
        network("sqs"),
      ],
    ],
    ["reads", { readWriteType: "ReadOnly" }, [{ ...management, readOnly: "equals true" }]],
    ["a basic selector without anything", { eventSelectors: [{}] }, [management]],
    [
      "basic selectors: beginnings of ARNs for S3, whole ones for functions and tables",
      {
        eventSelectors: [
          {
            readWriteType: "ReadOnly",
            includeManagementEvents: false,
            dataResources: [
              { type: "AWS::S3::Object", values: ["arn:aws:s3:::b/", "arn:aws:s3:::a/x"] },
              { type: "AWS::Lambda::Function", values: ["arn:aws:lambda:us-east-1:111111111111:function:f"] },
            ],
          },
          {
            excludeManagementEventSources: ["kms.amazonaws.com"],
            dataResources: [
              { type: "AWS::DynamoDB::Table", values: ["arn:aws:dynamodb:us-east-1:111111111111:table/t"] },
              { type: "AWS::S3::Object", values: ["arn:aws:s3:::a/", "arn:aws:s3"] },
              { type: "AWS::Lambda::Function", values: ["arn:aws-cn:lambda"] },
            ],
          },
        ],
      },
      [
        data("AWS::S3::Object", {
          readOnly: "equals true",
          "resources.ARN": "startsWith arn:aws:s3:::a/x arn:aws:s3:::b/",
        }),
        data("AWS::Lambda::Function", {
          readOnly: "equals true",
          "resources.ARN": "equals arn:aws:lambda:us-east-1:111111111111:function:f",
        }),
        { ...management, eventSource: "notEquals kms.amazonaws.com" },
        data("AWS::DynamoDB::Table", { "resources.ARN": "equals arn:aws:dynamodb:us-east-1:111111111111:table/t" }),
        data("AWS::S3::Object"),
        data("AWS::Lambda::Function"),
      ],
    ],
  ];
  for (const [name, choice, expected] of cases) {
    it(name, () => {
      assert.deepEqual(eventProblems(choice), []);
      assert.deepEqual(short(choice), expected);
    });
  }

  it("advanced selectors as they are", () => {
    const advancedEventSelectors = [{ fieldSelectors: [{ field: "eventCategory", equals: ["Management"] }] }];
    assert.deepEqual(advancedSelectors({ advancedEventSelectors }, archive), advancedEventSelectors);
  });

  it("S3, but for every bucket of the archive: the log bucket, and those for access logs and copies", () => {
    const archiveObjects = ["example-logs", "example-access-logs", "example-copies"].map(
      (name) => `arn:aws:s3:::${name}/`,
    );
    for (const preset of ["s3-data-events", "everything"]) {
      const selector = advancedSelectors({ events: [preset] }, withCopies).find(({ name }) => name?.includes("S3"));
      const arn = selector?.fieldSelectors.find(({ field }) => field === "resources.ARN");
      assert.deepEqual(arn, { field: "resources.ARN", notStartsWith: archiveObjects });
    }
  });

  it("everything outside partition aws: without network activity, which is a preview there", () => {
    const cn = { partition: "aws-cn", bucketArn: "arn:aws-cn:s3:::example-logs" };
    assert.equal(short({ events: ["everything"] }, cn).length, 4);
  });

  it("Insights: those asked for, both with everything", () => {
    assert.deepEqual(insightsOf({}), []);
    assert.deepEqual(insightsOf({ insightTypes: ["ApiErrorRateInsight"] }), ["ApiErrorRateInsight"]);
    assert.deepEqual(insightsOf({ events: ["everything"] }), ["ApiCallRateInsight", "ApiErrorRateInsight"]);
  });
});

describe("core/events: what CloudTrail would refuse", () => {
  const problems = (choice: EventChoice) =>
    eventProblems(choice).map(({ path, message }) => `${path.join(".")}: ${message}`);
  const selector = (...fieldSelectors: AdvancedEventSelector["fieldSelectors"]): EventChoice => ({
    advancedEventSelectors: [{ fieldSelectors }],
  });
  const category = (value: string) => ({ field: "eventCategory", equals: [value] });
  const objects = (count: number) => ({
    dataResources: [
      { type: "AWS::S3::Object", values: Array.from({ length: count }, (_, index) => `arn:aws:s3:::b/${index}`) },
    ],
  });
  const cases: [string, EventChoice, string[]][] = [
    [
      "six basic selectors",
      { eventSelectors: [{}, {}, {}, {}, {}, {}] },
      ["eventSelectors: a trail has at most 5 event selectors; there are 6"],
    ],
    [
      "251 data resources, over several selectors",
      { eventSelectors: [objects(125), objects(126)] },
      ["eventSelectors: a trail's event selectors have at most 250 data resources in total; there are 251"],
    ],
    [
      "501 values",
      selector(
        category("Data"),
        { field: "resources.type", equals: ["AWS::SQS::Queue"] },
        {
          field: "eventName",
          startsWith: Array.from({ length: 499 }, (_, index) => `E${index}`),
        },
      ),
      ["advancedEventSelectors: advanced event selectors have at most 500 values in total; there are 501"],
    ],
    [
      "basic and advanced together, and presets beside them",
      { events: ["management"], eventSelectors: [{}], ...selector(category("Management")) },
      [
        "eventSelectors: CloudTrail accepts basic or advanced event selectors on a trail, not both",
        "events: presets replace event selectors, so eventSelectors and advancedEventSelectors cannot be set with them",
      ],
    ],
    [
      "filters beside selectors",
      {
        eventSelectors: [{}],
        readWriteType: "ReadOnly",
        excludeManagementEventSources: ["kms.amazonaws.com"],
        networkActivityEventSources: ["s3.amazonaws.com"],
      },
      [
        "readWriteType: this filters presets; with eventSelectors it would have no effect",
        "excludeManagementEventSources: this filters presets; with eventSelectors it would have no effect",
        "networkActivityEventSources: this filters presets; with eventSelectors it would have no effect",
      ],
    ],
    [
      "words that do not exist",
      {
        events: ["all"],
        readWriteType: "Both",
        excludeManagementEventSources: ["s3.amazonaws.com"],
        networkActivityEventSources: ["*"],
        insightTypes: ["Rate"],
      },
      [
        "events.0: allowed are management, s3-data-events, lambda-data-events, everything",
        "readWriteType: allowed are All, ReadOnly, WriteOnly",
        "excludeManagementEventSources.0: allowed are kms.amazonaws.com, rdsdata.amazonaws.com",
        "insightTypes.0: allowed are ApiCallRateInsight, ApiErrorRateInsight",
        "networkActivityEventSources.0: an event source looks like s3.amazonaws.com, without wildcards",
        "excludeManagementEventSources: these presets record no management events, so there is nothing to exclude",
      ],
    ],
    [
      "basic selectors that record nothing, exclude from nothing, or name what they cannot",
      {
        eventSelectors: [
          { includeManagementEvents: false, excludeManagementEventSources: ["kms.amazonaws.com"] },
          {
            dataResources: [
              { type: "AWS::SQS::Queue", values: ["arn:aws:sqs"] },
              { type: "AWS::S3::Object", values: ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"] },
              { type: "AWS::Lambda::Function", values: ["arn:aws:lambda:us-east-1:111111111111:function:f:1"] },
              { type: "AWS::DynamoDB::Table", values: ["t"] },
            ],
          },
        ],
      },
      [
        "eventSelectors.0: this selector records neither management nor data events",
        "eventSelectors.0.excludeManagementEventSources: without management events, there is nothing to exclude",
        "eventSelectors.1.dataResources.0.type: allowed are AWS::DynamoDB::Table, AWS::Lambda::Function, AWS::S3::Object",
        "eventSelectors.1.dataResources.1.values.0: a value looks like arn:aws:s3:::<bucket>/ or arn:aws:s3:::<bucket>/<key prefix>, or arn:aws:s3 for every bucket",
        "eventSelectors.1.dataResources.1.values.1: a value is an ARN or an ARN prefix; wildcards match nothing",
        "eventSelectors.1.dataResources.2.values.0: a value is a function's full ARN, or arn:aws:lambda for every function",
        "eventSelectors.1.dataResources.3.values.0: a value is a table's full ARN, or arn:aws:dynamodb for every table",
      ],
    ],
    [
      "no category, and one that does not exist",
      {
        advancedEventSelectors: [
          { fieldSelectors: [{ field: "readOnly", equals: ["true"] }] },
          { fieldSelectors: [category("Insight")] },
        ],
      },
      [
        "advancedEventSelectors.0: each selector needs the field eventCategory with equals; allowed are Management, Data, NetworkActivity",
        "advancedEventSelectors.1.fieldSelectors.0.equals.0: allowed are Management, Data, NetworkActivity",
      ],
    ],
    [
      "a field that the category does not have",
      selector(category("Management"), { field: "eventName", equals: ["CreateUser"] }),
      [
        "advancedEventSelectors.0.fieldSelectors.1.field: events of category Management are selected by eventCategory, eventSource, readOnly",
      ],
    ],
    [
      "data and network activity without what they need",
      {
        advancedEventSelectors: [
          { fieldSelectors: [category("Data")] },
          { fieldSelectors: [category("NetworkActivity")] },
        ],
      },
      [
        "advancedEventSelectors.0: events of category Data need the field resources.type",
        "advancedEventSelectors.1: events of category NetworkActivity need the field eventSource",
      ],
    ],
    [
      "fields that take one value and equality only",
      {
        advancedEventSelectors: [
          {
            fieldSelectors: [
              category("Data"),
              { field: "resources.type", equals: ["AWS::SQS::Queue", "AWS::SNS::Topic"] },
              { field: "readOnly", notEquals: ["true"] },
            ],
          },
          {
            fieldSelectors: [category("NetworkActivity"), { field: "eventSource", startsWith: ["s3"] }],
          },
        ],
      },
      [
        "advancedEventSelectors.0.fieldSelectors.1: resources.type needs equals with exactly one value",
        "advancedEventSelectors.0.fieldSelectors.2: readOnly needs equals with exactly one value",
        "advancedEventSelectors.1.fieldSelectors.1: eventSource needs equals with exactly one value",
      ],
    ],
    [
      "a field without values, an empty and a long one, a long name",
      {
        advancedEventSelectors: [
          {
            name: "n".repeat(1001),
            fieldSelectors: [
              category("Management"),
              { field: "readOnly" },
              { field: "eventSource", notEquals: ["", "s".repeat(2049)] },
            ],
          },
        ],
      },
      [
        "advancedEventSelectors.0.name: a name has at most 1000 characters, this has 1001",
        "advancedEventSelectors.0.fieldSelectors.1: a field needs at least one value, for example with equals",
        "advancedEventSelectors.0.fieldSelectors.2.notEquals.0: a value has 1 to 2048 characters, this has 0",
        "advancedEventSelectors.0.fieldSelectors.2.notEquals.1: a value has 1 to 2048 characters, this has 2049",
      ],
    ],
    [
      "Insights without management events",
      { events: ["lambda-data-events"], insightTypes: ["ApiErrorRateInsight"] },
      ["insightTypes: Insights need management events, but this trail records none"],
    ],
    [
      "the call rate without writes, here of everything",
      { events: ["everything"], readWriteType: "ReadOnly" },
      ["events: ApiCallRateInsight needs management write events, but this trail records only read events"],
    ],
  ];
  for (const [name, choice, expected] of cases) it(name, () => assert.deepEqual(problems(choice), expected));

  it("exactly at the limits is allowed; whole services do not count as data resources", () => {
    assert.deepEqual(
      problems({
        eventSelectors: [
          objects(250),
          ...Array.from({ length: 4 }, () => ({
            dataResources: [{ type: "AWS::S3::Object", values: ["arn:aws:s3"] }],
          })),
        ],
      }),
      [],
    );
    const values = Array.from({ length: 498 }, (_, index) => `E${index}`);
    const type = { field: "resources.type", equals: ["AWS::SQS::Queue"] };
    assert.deepEqual(problems(selector(category("Data"), type, { field: "eventName", notEndsWith: values })), []);
  });

  it("an event data store selects by more fields and other categories", () => {
    const selectors = [
      { fieldSelectors: [category("Management"), { field: "userIdentity.arn", startsWith: ["arn:aws:sts"] }] },
      { fieldSelectors: [category("ConfigurationItem")] },
    ];
    assert.deepEqual(advancedProblems(selectors, SelectorOwner.EventDataStore), []);
    assert.equal(advancedProblems(selectors).length, 2);
  });
});

describe("core/events: fields that the AWS provider does not take", () => {
  const category = (name: string) => ({ field: "eventCategory", equals: [name] });
  const unknown = ["errorCode", "eventType", "sessionCredentialFromConsole", "vpcEndpointId"];
  const base: Record<string, FieldSelector[]> = {
    Data: [category("Data"), { field: "resources.type", equals: ["AWS::S3::Object"] }],
    NetworkActivity: [category("NetworkActivity"), { field: "eventSource", equals: ["s3.amazonaws.com"] }],
    Management: [category("Management")],
  };

  it("are refused with those that it takes, in every category, for trails and event data stores", () => {
    for (const field of unknown) {
      for (const [name, others] of Object.entries(base)) {
        for (const owner of Object.values(SelectorOwner)) {
          const fieldSelectors = [...others, { field, equals: ["x"] }];
          const [problem, ...more] = advancedProblems([{ fieldSelectors }], owner);
          assert.deepEqual([problem?.path.at(-1), more], ["field", []], `${field}, ${name}, ${owner}`);
          assert.match(problem?.message ?? "", /are selected by eventCategory, /);
          for (const each of unknown) assert.ok(!problem?.message.includes(each), problem?.message);
        }
      }
    }
  });

  it("of those that it takes, none is missing from the list: the documentation of the installed provider has no others", () => {
    const types = readFileSync(require.resolve("@pulumi/aws/types/input.d.ts"), "utf8");
    const lists = [...types.matchAll(/[Ff]ield in an event record[^:]*following values: ([^\n]*)/g)];
    assert.equal(lists.length, 2, "a trail's and an event data store's");
    for (const [, list = ""] of lists) {
      const fields = [...list.matchAll(/`([^`]+)`/g)].map(([, field]) => field as string);
      assert.ok(fields.length >= 6, list);
      for (const field of fields) assert.ok(providerFields.includes(field), field);
    }
  });
});

describe("core/events: what a trail leaves out is said", () => {
  const notices = (choice: EventChoice) =>
    eventNotices(advancedSelectors(choice, archive), archive).map(({ id, severity }) => `${severity} ${id}`);
  const s3 = (values: string[], more: object = {}): EventChoice => ({
    eventSelectors: [{ ...more, dataResources: [{ type: "AWS::S3::Object", values }] }],
  });
  const cases: [string, EventChoice, string[]][] = [
    ["nothing by default", {}, []],
    ["nothing of everything", { events: ["everything"] }, []],
    ["no management events", { events: ["s3-data-events"] }, ["no-management"]],
    ["reads only", { readWriteType: "ReadOnly" }, ["reads-only"]],
    ["writes only", { readWriteType: "WriteOnly" }, ["writes-only"]],
    [
      "reads and writes by two selectors",
      { eventSelectors: [{ readWriteType: "ReadOnly" }, { readWriteType: "WriteOnly" }] },
      [],
    ],
    ["KMS", { excludeManagementEventSources: ["kms.amazonaws.com"] }, ["excluded-source"]],
    [
      "KMS and RDS",
      { excludeManagementEventSources: ["kms.amazonaws.com", "rdsdata.amazonaws.com"] },
      ["excluded-source", "excluded-source"],
    ],
    [
      "KMS left out by one selector and recorded by the other",
      { eventSelectors: [{ excludeManagementEventSources: ["kms.amazonaws.com"] }, {}] },
      [],
    ],
    ["every bucket, the archive's too", s3(["arn:aws:s3"]), ["recursive"]],
    ["the archive's bucket", s3(["arn:aws:s3:::example-logs/AWSLogs/1"]), ["recursive"]],
    [
      "the archive's bucket, but reads only",
      s3(["arn:aws:s3:::example-logs/"], { readWriteType: "ReadOnly" }),
      ["reads-only"],
    ],
    [
      "what else CloudTrail writes to the archive's bucket",
      {
        eventSelectors: [{}, { ...s3(["arn:aws:s3:::example-logs/"]).eventSelectors?.[0], readWriteType: "WriteOnly" }],
      },
      ["recursive"],
    ],
    ["other buckets", s3(["arn:aws:s3:::other/", "arn:aws:s3:::example-logs-2/"]), []],
  ];
  for (const [name, choice, expected] of cases) {
    it(name, () =>
      assert.deepEqual(
        notices(choice),
        expected.map((id) => `warning events/${id}`),
      ),
    );
  }

  it("names each bucket of the archive that selectors of one's own record", () => {
    const subjects = (choice: EventChoice) =>
      eventNotices(advancedSelectors(choice, withCopies), withCopies)
        .filter(({ id }) => id === "events/recursive")
        .map(({ subject }) => subject);
    const all = ["example-logs", "example-access-logs", "example-copies"].map((name) => `arn:aws:s3:::${name}/`);
    assert.deepEqual(subjects(s3(["arn:aws:s3"])), [`data events of ${all.join(", ")}`]);
    assert.deepEqual(subjects(s3(["arn:aws:s3:::example-copies/"])), ["data events of arn:aws:s3:::example-copies/"]);
    assert.deepEqual(subjects({ events: ["everything"] }), []);
    const allBut = (values: string[]): EventChoice => ({
      advancedEventSelectors: [
        {
          fieldSelectors: [
            { field: "eventCategory", equals: ["Data"] },
            { field: "resources.type", equals: ["AWS::S3::Object"] },
            { field: "resources.ARN", notStartsWith: values },
          ],
        },
      ],
    });
    assert.deepEqual(subjects(allBut(all)), []);
    assert.deepEqual(subjects(allBut(all.slice(0, 1))), [`data events of ${all.slice(1).join(", ")}`]);
    // Only CloudTrail's own part of the log bucket receives deliveries.
    assert.deepEqual(subjects(allBut([`${all[0]}AWSLogs/`, ...all.slice(1)])), []);
  });

  it("the consequence is told in an investigator's words", () => {
    const [notice] = eventNotices(
      advancedSelectors({ excludeManagementEventSources: ["kms.amazonaws.com"] }, archive),
      archive,
    );
    assert.match(notice?.message ?? "", /will not see who decrypted data[^]*scheduled its deletion/);
  });
});
