import assert from "node:assert/strict";
import { readTrail } from "../../../automation/fleet/worker/readBack";
import { besideOf } from "../../../automation/fleet/worker/archive";
import type { BesideReading } from "../../../core/fleet";
import { archiveAfter, archiveFindings, besidePlaces, besidePolicies, declaredContract } from "../../../core/fleet";
import type { AuditSettings } from "../../../core/settings";
import { parseSettings } from "../../../core/settings";
import { withAws } from "../../support/aws";

const account = "222222222222";
const trailArn = `arn:aws:cloudtrail:us-east-1:${account}:trail/example`;
const settings = parseSettings(
  "audit",
  {
    role: "audit",
    auditAccountId: "111111111111",
    bucketName: "example-logs",
    members: JSON.stringify([{ accountId: account, alias: "payments" }]),
  },
  "us-east-1",
) as AuditSettings;
const options = {
  ...settings.trailOptions,
  cloudWatchLogs: { retentionDays: 365, encrypted: true },
  sns: { encrypted: true },
};
const minutesAgo = (minutes: number) => Date.now() / 1000 - minutes * 60;
const group = `arn:aws:logs:us-east-1:${account}:log-group:`;
const untouched = {
  TrailARN: trailArn,
  S3BucketName: "example-logs",
  IsMultiRegionTrail: options.isMultiRegionTrail,
  LogFileValidationEnabled: true,
  IsOrganizationTrail: false,
  IncludeGlobalServiceEvents: true,
  CloudWatchLogsLogGroupArn: `${group}crosstrail/member-logs-0a1b2c3:*`,
  CloudWatchLogsRoleArn: `arn:aws:iam::${account}:role/member-logs-0a1b2c3`,
  SnsTopicARN: `arn:aws:sns:us-east-1:${account}:example-deliveries`,
};
const healthy = { IsLogging: true, StartLoggingTime: minutesAgo(9000), LatestDigestDeliveryTime: minutesAgo(50) };

const reportOf = async (
  trail: object = {},
  status: object = {},
  more: Partial<Parameters<typeof readTrail>[1]> = {},
  asked = account,
) =>
  withAws(
    ({ operation }) => {
      if (operation === "GetTrail") return [200, { Trail: { ...untouched, ...trail } }];
      if (operation === "GetTrailStatus") return [200, { ...healthy, ...status }];
      return [200, { EventSelectors: [{ ReadWriteType: "All", IncludeManagementEvents: true }] }];
    },
    () =>
      readTrail(
        {},
        {
          trailArn,
          options,
          partition: "aws",
          bucketArn: "arn:aws:s3:::example-logs",
          isOrganizationTrail: false,
          leftAsIs: [],
          ...more,
        },
        asked,
      ),
  );
const idsOf = async (...args: Parameters<typeof reportOf>) => {
  const { findings, activity } = await reportOf(...args);
  return [...findings, ...activity].map(({ id }) => id);
};

describe("automation: a trail that was changed behind its back", () => {
  it("an untouched trail has no finding", async () => {
    assert.deepEqual(await idsOf(), []);
  });

  const changes: [string, object][] = [
    ["trail/changed", { IsMultiRegionTrail: !options.isMultiRegionTrail }],
    ["trail/changed", { LogFileValidationEnabled: false }],
    ["trail/changed", { IsOrganizationTrail: true }],
    ["trail/changed", { IncludeGlobalServiceEvents: false }],
    ["trail/log-group", { CloudWatchLogsLogGroupArn: `${group}somebody-elses:*` }],
    ["trail/log-group", { CloudWatchLogsLogGroupArn: undefined }],
    ["trail/log-group", { CloudWatchLogsRoleArn: `arn:aws:iam::999999999999:role/member-logs-0a1b2c3` }],
    ["trail/sns-topic", { SnsTopicARN: "arn:aws:sns:us-east-1:999999999999:example-deliveries" }],
    ["trail/sns-topic", { SnsTopicARN: undefined }],
  ];
  for (const [id, change] of changes) {
    it(`${id}: ${JSON.stringify(change)} ${Object.keys(change).join()}`, async () => {
      assert.deepEqual(await idsOf(change), [id]);
    });
  }

  it("a log group and a topic where none should be", async () => {
    const plain = { ...options, cloudWatchLogs: undefined, sns: undefined };
    assert.deepEqual(await idsOf({}, {}, { options: plain }), ["trail/log-group", "trail/sns-topic"]);
  });

  it("errors that CloudTrail reports", async () => {
    for (const [name, id] of [
      ["LatestDeliveryError", "trail/delivery-error"],
      ["LatestDigestDeliveryError", "trail/digest-error"],
      ["LatestCloudWatchLogsDeliveryError", "trail/log-group-error"],
      ["LatestNotificationError", "trail/notification-error"],
    ] as const) {
      const { findings, activity } = await reportOf({}, { [name]: "AccessDenied" });
      assert.deepEqual(
        [...findings, ...activity].map((each) => each.id),
        [id],
      );
      assert.match(activity[0]?.message ?? "", /AccessDenied/);
      assert.deepEqual(await idsOf({}, { [name]: "" }), []);
    }
  });

  it("silence counts from the newest digest or start, by AWS's newest time", async () => {
    const old = { LatestDigestDeliveryTime: minutesAgo(140) };
    assert.deepEqual(await idsOf({}, old), ["trail/silent"]);
    assert.deepEqual(await idsOf({}, { LatestDigestDeliveryTime: minutesAgo(130) }), []);
    assert.deepEqual(await idsOf({}, { ...old, StartLoggingTime: minutesAgo(1) }), []);
    assert.deepEqual(await idsOf({}, { LatestDigestDeliveryTime: undefined }), ["trail/silent"]);
    // AWS's clock is ahead of the local one.
    assert.deepEqual(await idsOf({}, { LatestDeliveryTime: minutesAgo(-180) }), ["trail/silent"]);
    const ahead = { LatestDeliveryTime: minutesAgo(-180), LatestDigestDeliveryTime: minutesAgo(-120) };
    assert.deepEqual(await idsOf({}, ahead), []);
    // Another account may not be told of deliveries.
    assert.deepEqual(await idsOf({}, { LatestDigestDeliveryTime: undefined }, {}, "333333333333"), []);
  });

  it("no digest yet: whether it is silent is not known while the stack may have turned validation on only now", async () => {
    const never = { LatestDigestDeliveryTime: undefined };
    const at = (minutes: number) => ({ stackUpdatedAt: new Date(minutesAgo(minutes) * 1000).toISOString() });
    const [finding, ...others] = (await reportOf({}, never, at(30))).activity;
    assert.deepEqual([finding?.id, finding?.severity, others.length], ["trail/no-digest-yet", "warning", 0]);
    assert.match(finding?.remedy ?? "", /Rerun crosstrail status after \d{4}-/);
    assert.deepEqual(await idsOf({}, never, at(140)), ["trail/silent"]);
    // A trail that has delivered digests before had validation then.
    assert.deepEqual(await idsOf({}, { LatestDigestDeliveryTime: minutesAgo(140) }, at(30)), ["trail/silent"]);
  });

  it("without groupName, log group and role are those that the stack made, not others of their pattern", async () => {
    const made = {
      logGroupName: "crosstrail/member-logs-0a1b2c3",
      logRoleArn: `arn:aws:iam::${account}:role/member-logs-0a1b2c3`,
    };
    assert.deepEqual(await idsOf({}, {}, { made }), []);
    const another = {
      CloudWatchLogsLogGroupArn: `${group}crosstrail/member-logs-9z9z9z9:*`,
      CloudWatchLogsRoleArn: `arn:aws:iam::${account}:role/member-logs-9z9z9z9`,
    };
    assert.deepEqual(await idsOf(another, {}, { made }), ["trail/log-group", "trail/log-group"]);
    const { CloudWatchLogsRoleArn } = another;
    assert.deepEqual(await idsOf({ CloudWatchLogsRoleArn }, {}, { made }), ["trail/log-group"]);
  });

  it("leaveAsIs is honored", async () => {
    const changed = { CloudWatchLogsLogGroupArn: undefined, SnsTopicARN: undefined };
    const failing = {
      LatestDeliveryError: "A",
      LatestCloudWatchLogsDeliveryError: "B",
      LatestNotificationError: "C",
      LatestDigestDeliveryTime: undefined,
    };
    const leftAsIs = ["delivery", "cloudWatchLogs", "sns"];
    assert.deepEqual(await idsOf(changed, failing, { leftAsIs }), []);
  });
});

describe("core/fleet: the archive that was changed behind its back", () => {
  const keyArn = "arn:aws:kms:us-east-1:111111111111:key/11111111-12ab-34cd-56ef-1234567890ab";
  const contract = { ...declaredContract(settings), keyArn };
  const built = archiveAfter(contract, settings);
  const bucket = built.bucket as { Version: string; Statement: { Sid: string }[] };
  const found = (statements: object[], state = "Enabled") =>
    archiveFindings(
      {
        contract,
        archive: { ...built, bucket: JSON.stringify({ Version: "2012-10-17", Statement: statements }) },
        keyStates: { [keyArn]: state },
      },
      settings,
      "audit",
    );

  it("an untouched one has no finding, whatever the order and the Sids", () => {
    assert.deepEqual(found([...bucket.Statement].reverse()), []);
    assert.deepEqual(found(bucket.Statement.map((each, index) => ({ ...each, Sid: `Sid${index}` }))), []);
  });

  it("a foreign and a missing statement are named, with what they allow, and nothing of them is raw", () => {
    const foreign = { Sid: "Extra\u001b[2J", Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: "*" };
    const [first, ...rest] = found([...bucket.Statement, foreign]);
    assert.deepEqual(rest, []);
    assert.equal(first?.id, "archive/policy-changed");
    assert.match(first.message, /Extra.*is not in the configured policy: Allow s3:GetObject/);
    assert.match(first.message, /\+ Principal: \*/);
    assert.doesNotMatch(first.message, /\u001b/);
    for (const gone of bucket.Statement) {
      const [missing, ...others] = found(bucket.Statement.filter((each) => each !== gone));
      assert.deepEqual(others, []);
      assert.match(missing?.message ?? "", new RegExp(`Statement ${gone.Sid} of the configured policy is missing`));
    }
  });

  it("a statement that was loosened is named, and so is a policy that is gone", () => {
    const [first = { Sid: "" }, ...others] = bucket.Statement;
    const [changed] = found([{ ...first, Condition: {} }, ...others]);
    assert.match(changed?.message ?? "", /differs from the configured policy/);
    const without = archiveFindings(
      { contract, archive: { ...built, bucket: undefined }, keyStates: {} },
      settings,
      "audit",
    );
    assert.deepEqual(
      without.map(({ message }) => message),
      ["It has no policy."],
    );
  });

  it("a key that is disabled or pending deletion", () => {
    for (const state of ["Disabled", "PendingDeletion", "PendingReplicaDeletion", "PendingImport", "unknown"]) {
      assert.deepEqual(
        found(bucket.Statement, state).map(({ id }) => id),
        ["archive/key-state"],
      );
    }
    assert.match(found(bucket.Statement, "PendingDeletion")[0]?.remedy ?? "", /cancel-key-deletion/);
  });
});

describe("core/fleet: what guards the archive besides, changed behind its back", () => {
  const full = parseSettings(
    "audit",
    {
      role: "audit",
      auditAccountId: "111111111111",
      bucketName: "example-logs",
      members: JSON.stringify([{ accountId: account, alias: "payments" }]),
      replication: JSON.stringify({ region: "eu-west-1", bucketName: "example-copies" }),
      accessLogBucket: "example-access-logs",
      notifications: "sqs",
      breakGlassRoles: JSON.stringify(["CrosstrailDeploy"]),
    },
    "us-east-1",
  ) as AuditSettings;
  const keyArn = "arn:aws:kms:us-east-1:111111111111:key/mrk-1111111112ab34cd56ef1234567890ab";
  const contract = { ...declaredContract(full), keyArn };
  const archive = archiveAfter(contract, full);
  const policies = besidePolicies(contract, full);
  const replica = `key ${keyArn.replace("us-east-1", "eu-west-1")}`;
  const untouchedBeside = Object.fromEntries(
    Object.entries(policies).map(([subject, policy]): [string, BesideReading] => [
      subject,
      { policy: JSON.stringify(policy), ...(subject === replica && { keyState: "Enabled" }) },
    ]),
  );
  const found = (beside: Record<string, BesideReading>) =>
    archiveFindings({ contract, archive, keyStates: {}, beside }, full, "audit");

  it("is a replica of the key, the bucket of copies, the one of access logs, and the queue; untouched, they have no finding", () => {
    assert.deepEqual(Object.keys(policies).sort(), [
      "bucket example-access-logs",
      "bucket example-copies",
      replica,
      "queue example-logs-new-logs",
    ]);
    assert.deepEqual(besidePlaces(full), {
      auditAccountId: "111111111111",
      replicaRegions: ["eu-west-1"],
      buckets: [
        { bucketName: "example-copies", bucketRegion: "eu-west-1" },
        { bucketName: "example-access-logs", bucketRegion: "us-east-1" },
      ],
      queue: {
        name: "example-logs-new-logs",
        arn: "arn:aws:sqs:us-east-1:111111111111:example-logs-new-logs",
      },
    });
    assert.deepEqual(found(untouchedBeside), []);
  });

  for (const subject of Object.keys(policies)) {
    it(`${subject}: each statement that is missing, one that is foreign, no policy, and no such thing`, () => {
      const { Version, Statement } = policies[subject] as { Version: string; Statement: { Sid: string }[] };
      const withStatements = (statements: object[]) =>
        found({
          ...untouchedBeside,
          [subject]: { ...untouchedBeside[subject], policy: JSON.stringify({ Version, Statement: statements }) },
        });
      for (const gone of Statement) {
        const [missing, ...others] = withStatements(Statement.filter((each) => each !== gone));
        assert.deepEqual([missing?.id, missing?.subject, others.length], ["archive/policy-changed", subject, 0]);
        assert.match(missing?.message ?? "", new RegExp(`Statement ${gone.Sid} of the configured policy is missing`));
      }
      const foreign = { Sid: "Extra", Effect: "Allow", Principal: "*", Action: "*", Resource: "*" };
      assert.match(
        withStatements([...Statement, foreign])[0]?.message ?? "",
        /Extra.*is not in the configured policy: Allow/,
      );
      const ids = (reading: BesideReading) => found({ ...untouchedBeside, [subject]: reading }).map(({ id }) => id);
      assert.deepEqual(ids({}), ["archive/policy-changed"]);
      assert.deepEqual(ids({ missing: true }), ["archive/missing"]);
    });
  }

  it("a replica that is disabled; and nothing is said of what was not read", () => {
    const disabled = { ...untouchedBeside[replica], keyState: "Disabled" };
    assert.deepEqual(
      found({ ...untouchedBeside, [replica]: disabled }).map(({ id, subject }) => [id, subject]),
      [["archive/key-state", replica.slice("key ".length)]],
    );
    assert.deepEqual(found({}), []);
  });

  it("are asked of AWS where they are; one that is gone is said, one that must not be read is an error", async () => {
    const asked: string[] = [];
    const urls: unknown[] = [];
    const answer = async (refused: boolean) =>
      withAws(
        ({ operation, region, parameters }) => {
          asked.push(`${operation} ${region}`);
          if (operation === "GetKeyPolicy") return [200, { Policy: "{}" }];
          if (operation === "DescribeKey") return [200, { KeyMetadata: { KeyState: "Enabled" } }];
          if (operation === "GetQueueAttributes") {
            urls.push(parameters.QueueUrl);
            return [400, { __type: "com.amazonaws.sqs#QueueDoesNotExist", message: "gone" }];
          }
          return refused ? [403, "<Error><Code>AccessDenied</Code></Error>"] : [200, '{"Version":"2012-10-17"}'];
        },
        () => besideOf({}, contract, besidePlaces(full)),
      );
    const reading = await answer(false);
    assert.deepEqual(reading["queue example-logs-new-logs"], { missing: true });
    assert.deepEqual(reading[replica], { policy: "{}", keyState: "Enabled" });
    assert.deepEqual(reading["bucket example-copies"], { policy: '{"Version":"2012-10-17"}' });
    assert.deepEqual(asked.sort(), [
      "DescribeKey eu-west-1",
      "GET /example-access-logs/?policy= us-east-1",
      "GET /example-copies/?policy= eu-west-1",
      "GetKeyPolicy eu-west-1",
      "GetQueueAttributes us-east-1",
    ]);
    assert.deepEqual(urls, ["https://sqs.us-east-1.amazonaws.com/111111111111/example-logs-new-logs"]);
    await assert.rejects(answer(true), (error: Error) => error.name === "ExitError");
  });
});
