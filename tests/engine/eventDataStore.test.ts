/** An event data store of CloudTrail Lake, told to the real engine; and the audit account's own trail with a log group, off and on. */
import assert from "node:assert/strict";
import {
  CloudTrailClient,
  DescribeTrailsCommand,
  GetEventDataStoreCommand,
  RestoreEventDataStoreCommand,
} from "@aws-sdk/client-cloudtrail";
import { AUDIT_ACCOUNT, AUDIT_STACK } from "../../sandbox/accounts";
import type { Sandbox } from "../../sandbox";
import { callsOf, expectAllUsed } from "./calls";
import { Engine, inSteps, MINUTE, sandbox } from "./support";

describe("engine: an event data store", function () {
  this.timeout(60 * MINUTE);
  inSteps(this);
  let box: Sandbox;
  let engine: Engine;
  let client: CloudTrailClient;
  before(async () => {
    box = await sandbox();
    engine = new Engine(box);
    client = new CloudTrailClient(await box.aws(AUDIT_ACCOUNT));
  });
  after(async () => {
    client?.destroy();
    await box?.stop();
  });

  const store = async (EventDataStore: string) => client.send(new GetEventDataStoreCommand({ EventDataStore }));
  const outputs = () =>
    box.outputs<{ eventDataStore?: { arn: string; keep: boolean }; logGroupName?: string }>(AUDIT_STACK);
  let arn: string;

  it("made with a key of its own, under protection, and quiet at a second preview", async () => {
    await engine.configureAudit({
      "crosstrail:eventDataStore": { retentionDays: 30 },
      "crosstrail:cloudWatchLogs": { retentionDays: 30 },
      "crosstrail:tags": { team: "audit" },
    });
    await engine.up(AUDIT_STACK);
    await engine.expectNoChanges(AUDIT_STACK);
    const { eventDataStore } = await outputs();
    assert.equal(eventDataStore?.keep, true);
    arn = eventDataStore.arn;
    const found = await store(arn);
    assert.equal(found.RetentionPeriod, 30);
    assert.equal(found.TerminationProtectionEnabled, true);
    assert.match(found.KmsKeyId ?? "", /^arn:aws:kms:us-east-1:111111111111:key\//);
    const kept = (await engine.resources(AUDIT_STACK)).filter(({ urn }) =>
      urn.includes("crosstrail:index:EventDataStore$"),
    );
    assert.deepEqual(
      kept.map(({ type, protect, retainOnDelete }) => ({ type, protect, retainOnDelete })),
      ["aws:kms/key:Key", "aws:cloudtrail/eventDataStore:EventDataStore"].map((type) => ({
        type,
        protect: true,
        retainOnDelete: true,
      })),
    );
  });

  it("is not removed while it is protected, nor renamed: the refusal says how", async () => {
    await engine.configureAudit({ "crosstrail:cloudWatchLogs": { retentionDays: 30 } });
    await engine.expectRefusal(AUDIT_STACK, "The event data store is protected.", arn, "keep: false");
    await engine.configureAudit({ "crosstrail:eventDataStore": { name: "investigations", keep: false } });
    await engine.expectRefusal(AUDIT_STACK, "A new name would create a new store", 'with the name "crosstrail"');
  });

  it("changes in place, and gives up its protection; the log group goes, and stays in AWS", async () => {
    await engine.configureAudit({
      "crosstrail:tags": { owner: "audit" },
      "crosstrail:eventDataStore": {
        retentionDays: 60,
        keep: false,
        queryRoles: ["Investigator"],
        advancedEventSelectors: [
          {
            name: "Writes",
            fieldSelectors: [
              { field: "eventCategory", equals: ["Management"] },
              { field: "readOnly", equals: ["false"] },
              { field: "eventName", notStartsWith: ["Describe"] },
            ],
          },
        ],
      },
    });
    // The store, its key, the trail and, for their tags, bucket and key; the group, its key, the role, its policy and their component.
    assert.deepEqual(await engine.up(AUDIT_STACK), { update: 5, same: 11, delete: 5 });
    await engine.expectNoChanges(AUDIT_STACK);
    const found = await store(arn);
    assert.deepEqual(
      [found.Name, found.RetentionPeriod, found.TerminationProtectionEnabled, found.Status],
      ["crosstrail", 60, false, "ENABLED"],
    );
    assert.deepEqual(
      found.AdvancedEventSelectors?.[0]?.FieldSelectors?.find(({ Field }) => Field === "eventName")?.NotStartsWith,
      ["Describe"],
    );
    assert.equal(
      (await client.send(new DescribeTrailsCommand({}))).trailList?.[0]?.CloudWatchLogsLogGroupArn,
      undefined,
    );
  });

  it("is deleted then, can be restored for seven days; the trail's log group comes back under another name", async () => {
    await engine.configureAudit({ "crosstrail:cloudWatchLogs": { retentionDays: 30 } });
    await engine.up(AUDIT_STACK);
    await engine.expectNoChanges(AUDIT_STACK);
    assert.equal((await store(arn)).Status, "PENDING_DELETION");
    assert.equal((await client.send(new RestoreEventDataStoreCommand({ EventDataStore: arn }))).Status, "ENABLED");
    const { eventDataStore, logGroupName } = await outputs();
    assert.equal(eventDataStore, undefined);
    assert.ok(logGroupName);
    assert.equal(
      (await client.send(new DescribeTrailsCommand({}))).trailList?.[0]?.CloudWatchLogsLogGroupArn,
      `arn:aws:logs:us-east-1:${AUDIT_ACCOUNT}:log-group:${logGroupName}:*`,
    );
  });

  it("left no grant for event data stores unused", () => {
    expectAllUsed(callsOf(box), "eventDataStore");
  });
});
