import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import type { EventPreset, LeaveAsIs, MemberTrailArgs } from "../../components";
import { MemberTrail } from "../../components";
import { bucketName, keyArn } from "../support/fleet";
import type { Run } from "../support/mocks";
import { startMocks, unhandledIn, valueOf } from "../support/mocks";

const args: MemberTrailArgs = { trailName: "crosstrail", bucketName, keyArn };

describe("components/MemberTrail", () => {
  async function make(other: Partial<MemberTrailArgs> = {}): Promise<{ run: Run; trail: MemberTrail }> {
    const run = await startMocks();
    const trail = new MemberTrail("payments", { ...args, ...other });
    await run.settle();
    return { run, trail };
  }

  const defaults = {
    name: "crosstrail",
    s3BucketName: "example-logs",
    kmsKeyId: keyArn,
    isMultiRegionTrail: true,
    enableLogFileValidation: true,
    includeGlobalServiceEvents: true,
    enableLogging: true,
    advancedEventSelectors: [
      {
        name: "Management events selector",
        fieldSelectors: [{ field: "eventCategory", equals: ["Management"] }],
      },
    ],
    insightSelectors: [],
  };

  it("is one trail; a trail may be removed", async () => {
    const { run } = await make();
    assert.deepEqual(
      run.resources.map(({ type, name, parent, protect, retainOnDelete }) => [
        type,
        name,
        parent,
        protect,
        retainOnDelete,
      ]),
      [
        ["crosstrail:index:MemberTrail", "payments", undefined, false, false],
        ["aws:cloudtrail/trail:Trail", "payments-trail", "MemberTrail payments", false, false],
      ],
    );
  });

  it("has exactly these inputs by default: every Region, validated, encrypted, recording", async () => {
    assert.deepEqual((await make()).run.resource("Trail", "payments-trail").inputs, defaults);
  });

  it("takes an empty prefix for none, as the contract has it", async () => {
    assert.deepEqual((await make({ logPrefix: "" })).run.resource("Trail", "payments-trail").inputs, defaults);
  });

  const chosen = {
    logPrefix: "prod",
    isMultiRegionTrail: false,
    enableLogFileValidation: false,
    includeGlobalServiceEvents: false,
    enableLogging: false,
    eventSelectors: [
      {
        readWriteType: "WriteOnly",
        includeManagementEvents: true,
        excludeManagementEventSources: ["kms.amazonaws.com"],
        dataResources: [{ type: "AWS::S3::Object", values: ["arn:aws:s3"] }],
      },
    ],
    insightTypes: ["ApiErrorRateInsight", "ApiCallRateInsight"],
    cloudWatchLogsLogGroupArn: "arn:aws:logs:us-east-1:222222222222:log-group:trail:*",
    cloudWatchLogsRoleArn: "arn:aws:iam::222222222222:role/logs",
    snsTopicName: "deliveries",
    partition: "aws",
    tags: { team: "payments" },
  } satisfies Partial<MemberTrailArgs>;
  const chosenInputs = {
    name: "crosstrail",
    s3BucketName: "example-logs",
    kmsKeyId: keyArn,
    s3KeyPrefix: "prod",
    isMultiRegionTrail: false,
    enableLogFileValidation: false,
    includeGlobalServiceEvents: false,
    enableLogging: false,
    // The same events in advanced selectors.
    advancedEventSelectors: [
      {
        name: "Management events selector",
        fieldSelectors: [
          { field: "eventCategory", equals: ["Management"] },
          { field: "eventSource", notEquals: ["kms.amazonaws.com"] },
          { field: "readOnly", equals: ["false"] },
        ],
      },
      {
        name: "Data events of AWS::S3::Object",
        fieldSelectors: [
          { field: "eventCategory", equals: ["Data"] },
          { field: "readOnly", equals: ["false"] },
          { field: "resources.type", equals: ["AWS::S3::Object"] },
        ],
      },
    ],
    cloudWatchLogsGroupArn: chosen.cloudWatchLogsLogGroupArn,
    cloudWatchLogsRoleArn: chosen.cloudWatchLogsRoleArn,
    snsTopicName: "deliveries",
    insightSelectors: [{ insightType: "ApiCallRateInsight" }, { insightType: "ApiErrorRateInsight" }],
    tags: { team: "payments" },
  };

  it("takes what is chosen", async () => {
    assert.deepEqual((await make(chosen)).run.resource("Trail", "payments-trail").inputs, chosenInputs);
  });

  it("takes advanced event selectors, with every operator under the provider's name for it", async () => {
    const category = { field: "eventCategory", equals: ["Data"] };
    const type = { field: "resources.type", equals: ["AWS::SQS::Queue"] };
    const advancedEventSelectors = [
      {
        name: "some",
        fieldSelectors: [
          category,
          type,
          { field: "eventName", startsWith: ["Get"], endsWith: ["s"], notEquals: ["GetThings"] },
          { field: "resources.ARN", notStartsWith: ["arn:a"], notEndsWith: ["z"] },
        ],
      },
    ];
    assert.deepEqual((await make({ advancedEventSelectors })).run.resource("Trail", "payments-trail").inputs, {
      ...defaults,
      advancedEventSelectors: [
        {
          name: "some",
          fieldSelectors: [
            category,
            type,
            { field: "eventName", startsWiths: ["Get"], endsWiths: ["s"], notEquals: ["GetThings"] },
            { field: "resources.ARN", notStartsWiths: ["arn:a"], notEndsWiths: ["z"] },
          ],
        },
      ],
    });
  });

  it("takes presets; that of S3 leaves the archive's own bucket out", async () => {
    const { run } = await make({ events: ["management", "s3-data-events"], partition: "aws-cn" });
    const [, s3] = run.resource("Trail", "payments-trail").inputs.advancedEventSelectors as unknown[];
    assert.deepEqual(s3, {
      name: "Data events of AWS::S3::Object",
      fieldSelectors: [
        { field: "eventCategory", equals: ["Data"] },
        { field: "resources.ARN", notStartsWiths: ["arn:aws-cn:s3:::example-logs/"] },
        { field: "resources.type", equals: ["AWS::S3::Object"] },
      ],
    });
  });

  it("refuses events that CloudTrail would refuse, before anything is registered", async () => {
    const run = await startMocks();
    assert.throws(
      () =>
        new MemberTrail("payments", {
          ...args,
          events: ["all" as EventPreset],
          eventSelectors: [{ dataResources: [] }],
        }),
      /cannot record these events[^]*events\[0\] = "all"\n {4}component\/events: Allowed are management, s3-data-events/,
    );
    await run.settle();
    assert.deepEqual(run.resources, []);
  });

  it("takes outputs for every input", async () => {
    const outputs = Object.fromEntries(
      Object.entries({ ...args, ...chosen }).map(([name, value]) => [name, pulumi.output(value)]),
    ) as unknown as MemberTrailArgs;
    assert.deepEqual((await make(outputs)).run.resource("Trail", "payments-trail").inputs, chosenInputs);
  });

  it("gives out the trail's ARN and home Region", async () => {
    const { run, trail } = await make();
    const outputs = { trailArn: "arn:aws:cloudtrail:us-east-1:222222222222:trail/crosstrail", homeRegion: "us-east-1" };
    assert.deepEqual({ trailArn: await valueOf(trail.trailArn), homeRegion: await valueOf(trail.homeRegion) }, outputs);
    assert.deepEqual(run.resource("MemberTrail", "payments").outputs, outputs);
  });

  describe("a trail that is there already", () => {
    const importTrailArn = "arn:aws:cloudtrail:us-east-1:222222222222:trail/crosstrail";
    const optionsOf = async (other: Partial<MemberTrailArgs>) => {
      const { importId, ignoreChanges } = (await make(other)).run.resource("Trail", "payments-trail");
      return { importId, ignoreChanges };
    };

    it("is no matter of a trail that is made", async () => {
      assert.deepEqual(await optionsOf({}), { importId: "", ignoreChanges: [] });
    });

    it("is imported, and none of its inputs but the name can change meanwhile", async () => {
      const { importId, ignoreChanges } = await optionsOf({ importTrailArn, leaveAsIs: ["delivery"] });
      assert.equal(importId, importTrailArn);
      const { inputs } = (await make({ ...chosen, importTrailArn, advancedEventSelectors: [] })).run.resource(
        "Trail",
        "payments-trail",
      );
      assert.deepEqual(
        Object.keys(inputs).filter((name) => !ignoreChanges.includes(name)),
        ["name"],
      );
    });

    it("leaves afterwards what is to stay", async () => {
      assert.deepEqual(await optionsOf({ leaveAsIs: ["delivery", "sns"] }), {
        importId: "",
        ignoreChanges: ["s3BucketName", "s3KeyPrefix", "kmsKeyId", "snsTopicName"],
      });
    });

    it("is named by an ARN, and what it leaves by words that there are", async () => {
      const run = await startMocks();
      assert.throws(
        () =>
          new MemberTrail("payments", {
            ...args,
            importTrailArn: "crosstrail",
            leaveAsIs: ["everything" as LeaveAsIs],
          }),
        /importTrailArn = "crosstrail"[^]*leaveAsIs\[0\] = "everything"\n {4}component\/input: Allowed are delivery, eventSelectors, insights,/,
      );
      await run.settle();
      assert.deepEqual(run.resources, []);
    });
  });

  it("waits, and is waited for, as a whole", async () => {
    const run = await startMocks();
    const other = new MemberTrail("first", args);
    new MemberTrail("second", args, { dependsOn: [other] });
    await run.settle();
    // What waits for a component waits for the trail in it, and the trail inside waits with its component.
    assert.deepEqual(run.resource("MemberTrail", "second").dependsOn, ["first-trail"]);
    assert.deepEqual(
      run.resources.map(({ name }) => name),
      ["first", "first-trail", "second", "second-trail"],
    );
  });

  describe("refuses what cannot be right", () => {
    const expected = [
      "MemberTrail cannot be created with these arguments.",
      "",
      '  trailName = "ct"',
      "    component/input: A trail name has 3 to 128 characters, this has 2.",
      "    → Correct this argument of MemberTrail.",
      "",
      '  bucketName = "Logs"',
      "    component/input: A bucket name has lower-case letters, digits, '.' and '-' only.",
      "    → Correct this argument of MemberTrail.",
      "",
      '  keyArn = "arn:aws:kms:us-east-1:111111111111:alias/crosstrail"',
      "    component/input: Use the key's ARN instead of an alias: another account would look up the alias among its own keys.",
      "    → Correct this argument of MemberTrail.",
      "",
      '  logPrefix = "AWSLogs/"',
      "    component/input: A log prefix does not contain AWSLogs/: CloudTrail appends AWSLogs/<account> itself.",
      "    → Correct this argument of MemberTrail.",
    ].join("\n");
    const wrong = {
      trailName: "ct",
      bucketName: "Logs",
      keyArn: "arn:aws:kms:us-east-1:111111111111:alias/crosstrail",
      logPrefix: "AWSLogs/",
    };

    it("every plain mistake at once, before anything is registered", async () => {
      const run = await startMocks();
      assert.throws(
        () => new MemberTrail("payments", wrong),
        (error: Error) => pulumi.RunError.isInstance(error) && assert.equal(error.message, expected) === undefined,
      );
      await run.settle();
      assert.deepEqual(run.resources, []);
    });

    for (const [name, value] of Object.entries(wrong)) {
      it(`${name} as an output, when it is known: the trail is not registered`, async () => {
        const run = await startMocks();
        const messages = await unhandledIn(
          () => new MemberTrail("payments", { ...args, [name]: pulumi.output(value) }),
        );
        const part = expected.split("\n\n").find((each) => each.startsWith(`  ${name}`)) as string;
        assert.ok(
          messages.some((message) =>
            message.endsWith(`MemberTrail cannot be created with these arguments.\n\n${part}`),
          ),
          messages.join("\n"),
        );
        assert.deepEqual(
          run.resources.map((each) => each.name),
          ["payments"],
        );
      });
    }
  });
});
