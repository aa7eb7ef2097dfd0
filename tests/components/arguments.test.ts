import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import * as library from "../../components";
import { trailArn } from "../../core/names";
import { auditAccountId, bucketName, keyArn, trailOf } from "../support/fleet";
import { startMocks, unknownText } from "../support/mocks";

type Constructor = new (name: string, args: object) => pulumi.ComponentResource;

const trailArns = [trailArn(trailOf(auditAccountId))];
const delivery = { trailName: "crosstrail", bucketName, keyArn };

/** Per case: arguments of which one is an output, and what has to be said of the plain ones at once. */
const cases: [component: string, args: object, subjects: string[]][] = [
  ["MemberTrail", { ...delivery, bucketName: unknownText(), events: ["managment"] }, ['events[0] = "managment"']],
  [
    "MemberTrail",
    { ...delivery, trailName: "a b", keyArn: unknownText(), events: [unknownText(), "al"], insightTypes: ["Rate"] },
    ['trailName = "a b"', 'events[1] = "al"', 'insightTypes[0] = "Rate"'],
  ],
  [
    "OrganizationTrail",
    { ...delivery, keyArn: unknownText(), delegatedAdministrator: "1", readWriteType: "Read" },
    ['delegatedAdministrator = "1"', 'readWriteType = "Read"'],
  ],
  [
    "AuditBucket",
    {
      bucketName: unknownText(),
      keyArn: unknownText(),
      trailArns: ["arn:aws-cn:cloudtrail:cn-north-1:111111111111:trail/own", unknownText()],
      policyForm: "perTrai",
      region: "Frankfurt",
      mfaDelete: true,
      retention: { years: 1 },
      tags: { "aws:team": "a", other: unknownText() },
    },
    ['policyForm = "perTrai"', 'region = "Frankfurt"', "mfaDelete = true", 'tags = {"aws:team":"a"}'],
  ],
  [
    "AuditBucket",
    {
      bucketName: unknownText(),
      keyArn: unknownText(),
      trailArns: ["arn:aws-cn:cloudtrail:cn-north-1:111111111111:trail/own"],
      organizationAccounts: ["222222222222"],
      logPrefix: "AWSLogs/",
    },
    ["trailArns[0]", "organizationId is missing", 'logPrefix = "AWSLogs/"'],
  ],
  [
    "AuditKey",
    { auditAccountId, trailArns: unknownText(), rotationPeriodInDays: 30, replicaRegions: ["eu-west-1", "Dublin"] },
    ["rotationPeriodInDays = 30", 'replicaRegions[1] = "Dublin"'],
  ],
  [
    "AccessLogBucket",
    { bucketName: unknownText(), sourceBucketName: "A", accountId: "1", expirationDays: 0 },
    ['sourceBucketName = "A"', 'accountId = "1"', "expirationDays = 0"],
  ],
  [
    "BucketReplication",
    {
      sourceBucketName: unknownText(),
      sourceRegion: "x",
      sourceKeyArns: [unknownText(), "key"],
      destinationBucketName: "copies",
      destinationRegion: "eu-west-1",
      destinationKeyArn: keyArn,
      permissionsBoundaryArn: "boundary",
    },
    ['sourceRegion = "x"', 'sourceKeyArns[1] = "key"', 'permissionsBoundaryArn = "boundary"'],
  ],
  [
    "EventDataStore",
    {
      accountId: unknownText(),
      retentionInDays: 1,
      advancedEventSelectors: [{ fieldSelectors: [{ field: "nothing", equals: ["a"] }] }],
    },
    ["retentionInDays = 1", "advancedEventSelectors[0]"],
  ],
  [
    "LogReader",
    { trustedAccounts: [unknownText(), "1"], bucketName, keyArn, organizationTrailArns: trailArns },
    ['trustedAccounts[1] = "1"', "organizationId is missing"],
  ],
  [
    "NotificationQueue",
    { queueName: "a b", sourceBucketName: unknownText(), accountId: auditAccountId },
    ['queueName = "a b"'],
  ],
  [
    "TrailLogGroup",
    { trailArns: [], groupName: unknownText(), retentionInDays: 2 },
    ["trailArns = []", "retentionInDays = 2"],
  ],
  ["TrailTopic", { trailArns: [], topicName: "a b", tags: unknownText() }, ["trailArns = []", 'topicName = "a b"']],
];

describe("components: plain arguments beside outputs", () => {
  for (const [component, args, subjects] of cases) {
    it(`are checked at once and together: ${component}, ${subjects.join(", ")}`, async () => {
      const run = await startMocks({ preview: true });
      const Component = (library as unknown as Record<string, Constructor>)[component] as Constructor;
      assert.throws(
        () => new Component("it", args),
        (error: Error) => {
          assert.ok(pulumi.RunError.isInstance(error), String(error));
          for (const subject of subjects) assert.ok(error.message.includes(`\n  ${subject}`), error.message);
          const found = error.message.split("\n").filter((line) => /^ {2}\S/.test(line));
          assert.equal(found.length, subjects.length, error.message);
          return true;
        },
      );
      await run.settle();
      assert.deepEqual(run.resources, []);
    });
  }

  it("says nothing that an output may still make right", async () => {
    const run = await startMocks({ preview: true });
    new library.MemberTrail("a", {
      ...delivery,
      events: unknownText() as never,
      excludeManagementEventSources: ["kms.amazonaws.com"],
    });
    new library.MemberTrail("b", {
      ...delivery,
      events: [unknownText() as never],
      insightTypes: ["ApiCallRateInsight"],
    });
    new library.AuditBucket("c", {
      bucketName,
      trailArns: ["arn:aws-cn:cloudtrail:cn-north-1:111111111111:trail/own"],
      keyArn,
      partition: unknownText() as never,
      organizationId: unknownText(),
      organizationAccounts: ["222222222222"],
    });
    await run.settle();
    assert.equal(run.resources.filter(({ type }) => type.startsWith("crosstrail:")).length, 3);
  });
});
