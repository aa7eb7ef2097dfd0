/** What a trail records and where else it delivers, told to the real engine: each option on, changed and off again, in place. */
import assert from "node:assert/strict";
import {
  CloudTrailClient,
  DescribeTrailsCommand,
  GetEventSelectorsCommand,
  GetInsightSelectorsCommand,
} from "@aws-sdk/client-cloudtrail";
import { CloudWatchLogsClient, DescribeLogGroupsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { AUDIT_STACK, MEMBERS } from "../../sandbox/accounts";
import type { Sandbox } from "../../sandbox";
import { callsOf, expectAllUsed } from "./calls";
import { Engine, inSteps, MINUTE, sandbox } from "./support";

const payments = MEMBERS.payments as string;
const archive = "arn:aws:s3:::crosstrail-example-logs/";

describe("engine: what a trail records, and where else it delivers", function () {
  this.timeout(60 * MINUTE);
  inSteps(this);
  let box: Sandbox;
  let engine: Engine;
  before(async () => {
    box = await sandbox();
    engine = new Engine(box);
    await engine.configureAudit();
    await engine.up(AUDIT_STACK);
  });
  after(() => box?.stop());

  const configure = (config: Record<string, unknown> = {}) => engine.configureMember("payments", payments, config);
  /** What AWS says, not Pulumi: for each selector its category, and its other conditions. */
  const readTrail = async () => {
    const client = new CloudTrailClient(await box.aws(payments));
    try {
      const [trail] = (await client.send(new DescribeTrailsCommand({}))).trailList ?? [];
      const TrailName = trail?.TrailARN;
      const { EventSelectors, AdvancedEventSelectors } = await client.send(new GetEventSelectorsCommand({ TrailName }));
      const insights = await client.send(new GetInsightSelectorsCommand({ TrailName })).then(
        ({ InsightSelectors }) => InsightSelectors?.map(({ InsightType }) => InsightType).sort(),
        ({ name }: Error) => name,
      );
      const selectors = AdvancedEventSelectors?.map(({ FieldSelectors }) =>
        Object.fromEntries(
          (FieldSelectors ?? []).map(({ Field, ...operators }) => [
            Field as string,
            Object.entries(operators)
              .filter(([, values]) => values !== undefined && values.length > 0)
              .map(([operator, values]) => `${operator} ${values.join(" ")}`)
              .join(),
          ]),
        ),
      );
      return { trail, basic: EventSelectors, selectors, insights };
    } finally {
      client.destroy();
    }
  };
  const outputs = () => box.outputs<{ logGroupName?: string; topicArn?: string }>("payments");
  const logGroups = async () => {
    const client = new CloudWatchLogsClient(await box.aws(payments));
    try {
      const { logGroups: found } = await client.send(new DescribeLogGroupsCommand({}));
      return found?.map(({ logGroupName }) => logGroupName).sort();
    } finally {
      client.destroy();
    }
  };
  const management = { eventCategory: "Equals Management" };

  it("records all management events by default, and a second preview finds nothing to do", async () => {
    await configure();
    await engine.up("payments");
    await engine.expectNoChanges("payments");
    const { basic, selectors, insights } = await readTrail();
    assert.deepEqual(
      { basic, selectors, insights },
      { basic: undefined, selectors: [management], insights: "InsightNotEnabledException" },
    );
  });

  it("refuses what CloudTrail would refuse, all of it at once", async () => {
    await configure({
      "crosstrail:events": ["management"],
      "crosstrail:eventSelectors": Array.from({ length: 6 }, () => ({})),
      "crosstrail:insightTypes": ["ApiCallRateInsight"],
      "crosstrail:cloudWatchLogs": { groupName: "arn:aws:logs:us-east-1:444444444444:log-group:theirs" },
    });
    await engine.expectRefusal(
      "payments",
      "A trail has at most 5 event selectors; there are 6.",
      "Presets replace event selectors, so eventSelectors cannot be set with them.",
      "This log group is in account 444444444444; the log group must be in the trail's own account",
    );
  });

  it("presets with filters, network activity and Insights, a log group and a topic: on, with a warning of what is missing", async () => {
    await configure({
      "crosstrail:cloudWatchLogs": { retentionDays: 90 },
      "crosstrail:sns": { encrypted: true },
      "crosstrail:events": ["everything"],
      "crosstrail:readWriteType": "WriteOnly",
      "crosstrail:excludeManagementEventSources": ["rdsdata.amazonaws.com", "kms.amazonaws.com"],
      "crosstrail:networkActivityEventSources": ["sqs.amazonaws.com"],
      "crosstrail:tags": { team: "payments" },
    });
    const text = await engine.run("up", "payments");
    assert.match(text, /An investigator will not see who decrypted data/);
    assert.match(text, /An investigator will not see which SQL statements/);
    assert.match(text, /1 updated/);
    await engine.expectNoChanges("payments");
    const { trail, selectors, insights } = await readTrail();
    const { logGroupName, topicArn } = await outputs();
    assert.match(logGroupName ?? "", /^crosstrail\/member-logs-[0-9a-f]+$/);
    assert.equal(topicArn, `arn:aws:sns:us-east-1:${payments}:crosstrail-deliveries`);
    assert.equal(trail?.SnsTopicARN, topicArn);
    assert.equal(trail?.CloudWatchLogsLogGroupArn, `arn:aws:logs:us-east-1:${payments}:log-group:${logGroupName}:*`);
    const write = { readOnly: "Equals false" };
    const data = (type: string) => ({ eventCategory: "Equals Data", "resources.type": `Equals ${type}`, ...write });
    const network = (service: string) => ({
      eventCategory: "Equals NetworkActivity",
      eventSource: `Equals ${service}.amazonaws.com`,
    });
    assert.deepEqual(selectors, [
      { ...management, eventSource: "NotEquals kms.amazonaws.com rdsdata.amazonaws.com", ...write },
      { ...data("AWS::S3::Object"), "resources.ARN": `NotStartsWith ${archive}` },
      data("AWS::Lambda::Function"),
      data("AWS::DynamoDB::Table"),
      ...["cloudtrail", "ec2", "kms", "s3", "secretsmanager", "sqs"].map(network),
    ]);
    assert.deepEqual(insights, ["ApiCallRateInsight", "ApiErrorRateInsight"]);
  });

  it("basic selectors instead, and one kind of Insights; log group and topic without keys of their own, the group with one again, all in place", async () => {
    const { logGroupName } = await outputs();
    const basics = {
      "crosstrail:sns": { encrypted: false },
      "crosstrail:eventSelectors": [
        {
          readWriteType: "WriteOnly",
          dataResources: [{ type: "AWS::S3::Object", values: ["arn:aws:s3:::b/", "arn:aws:s3:::a/invoices/"] }],
        },
      ],
      "crosstrail:insightTypes": ["ApiErrorRateInsight"],
      "crosstrail:tags": { owner: "payments" },
    };
    await configure({ ...basics, "crosstrail:cloudWatchLogs": { retentionDays: 180, encrypted: false } });
    // The trail, the group and the topic, and the role's tags; the keys leave the stack.
    assert.deepEqual(await engine.up("payments"), { update: 4, same: 6, delete: 2 });
    await engine.expectNoChanges("payments");
    assert.equal((await outputs()).logGroupName, logGroupName);
    const { basic, selectors, insights } = await readTrail();
    assert.equal(basic, undefined);
    assert.deepEqual(selectors, [
      { ...management, readOnly: "Equals false" },
      {
        eventCategory: "Equals Data",
        readOnly: "Equals false",
        "resources.ARN": "StartsWith arn:aws:s3:::a/invoices/ arn:aws:s3:::b/",
        "resources.type": "Equals AWS::S3::Object",
      },
    ]);
    assert.deepEqual(insights, ["ApiErrorRateInsight"]);
    await configure({ ...basics, "crosstrail:cloudWatchLogs": { retentionDays: 180 } });
    assert.deepEqual(await engine.up("payments"), { create: 1, update: 1, same: 9 });
  });

  it("advanced selectors instead, and then none of all this: the default is back, on the same trail", async () => {
    const { trail: before } = await readTrail();
    const { logGroupName } = await outputs();
    await configure({
      "crosstrail:cloudWatchLogs": { retentionDays: 180, encrypted: false, groupName: "trails/payments" },
      "crosstrail:advancedEventSelectors": [
        {
          name: "Secrets",
          fieldSelectors: [
            { field: "eventCategory", equals: ["Data"] },
            { field: "resources.type", equals: ["AWS::SSM::ManagedNode"] },
            { field: "eventName", startsWith: ["Get", "Describe"], notEquals: ["GetManifest"] },
          ],
        },
      ],
    });
    await engine.up("payments");
    await engine.expectNoChanges("payments");
    const { trail: meanwhile, selectors: one } = await readTrail();
    assert.equal(one?.length, 1);
    assert.equal(meanwhile?.SnsTopicARN, undefined);
    assert.equal(
      meanwhile?.CloudWatchLogsLogGroupArn,
      `arn:aws:logs:us-east-1:${payments}:log-group:trails/payments:*`,
    );
    await configure();
    assert.deepEqual(await engine.up("payments"), { update: 1, same: 2, delete: 4 });
    await engine.expectNoChanges("payments");
    const { trail, selectors, insights } = await readTrail();
    assert.deepEqual(
      { arn: trail?.TrailARN, selectors, insights },
      { arn: before?.TrailARN, selectors: [management], insights: "InsightNotEnabledException" },
    );
    assert.equal(trail?.CloudWatchLogsLogGroupArn, undefined);
    assert.equal(trail?.CloudWatchLogsRoleArn, undefined);
    // What was delivered there is not deleted with the option.
    assert.deepEqual(await logGroups(), ["trails/payments", logGroupName].sort());
  });

  it("left no grant for log groups and topics unused", () => {
    expectAllUsed(callsOf(box), "logGroup", "topic");
  });
});
