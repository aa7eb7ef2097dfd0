import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import type { EventDataStoreArgs, TrailLogGroupArgs, TrailTopicArgs } from "../../components";
import { EventDataStore, Partition, TrailLogGroup, TrailTopic } from "../../components";
import { trailArn } from "../../core/names";
import {
  logGroupKeyPolicy,
  logsRolePermissions,
  logsRoleTrust,
  topicKeyPolicy,
  topicPolicy,
} from "../../core/policies/delivery";
import { serialize } from "../../core/policies/document";
import { eventDataStoreKeyPolicy } from "../../core/policies/eventDataStore";
import { trailOf } from "../support/fleet";
import type { Run } from "../support/mocks";
import { startMocks, valueOf } from "../support/mocks";

const trail = trailOf("222222222222");
const trailArns = [trailArn(trail)];

/** What was registered, without the component: type, inputs, and whether it stays in AWS. */
const children = (run: Run) =>
  run.resources.slice(1).map(({ type, name, retainOnDelete }) => [type.split(":").pop(), name, retainOnDelete]);

/** Every argument as an output. */
function asOutputs<Args extends object>(args: Args, plain: string[]): Args {
  return Object.fromEntries(
    Object.entries(args).map(([name, value]) => [name, plain.includes(name) ? value : pulumi.output(value)]),
  ) as Args;
}

async function refused(make: () => unknown, message: RegExp): Promise<void> {
  const run = await startMocks();
  assert.throws(make, (error: Error) => pulumi.RunError.isInstance(error) && message.test(error.message));
  await run.settle();
  assert.deepEqual(run.resources, []);
}

describe("components/TrailLogGroup", () => {
  async function make(other: Partial<TrailLogGroupArgs> = {}) {
    const run = await startMocks();
    const group = new TrailLogGroup("payments", { trailArns, ...other });
    await run.settle();
    return { run, group };
  }

  it("is a group with a key of its own, which both stay in AWS, and a role that may write to it", async () => {
    const { run, group } = await make();
    assert.deepEqual(children(run).sort(), [
      ["Key", "payments-log-group-key", true],
      ["LogGroup", "payments-log-group", true],
      ["Role", "payments-logs", false],
      ["RolePolicy", "payments-role-policy", false],
    ]);
    const name = "crosstrail/made-up";
    assert.deepEqual(run.resource("LogGroup", "payments-log-group").inputs, {
      name,
      retentionInDays: 365,
      kmsKeyId: "arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    });
    assert.equal(run.resource("Role", "payments-logs").inputs.assumeRolePolicy, serialize(logsRoleTrust([trail])));
    assert.equal(run.resource("Key", "payments-log-group-key").inputs.policy, serialize(logGroupKeyPolicy(trail)));
    assert.equal(
      run.resource("RolePolicy", "payments-role-policy").inputs.policy,
      serialize(logsRolePermissions(trail, name)),
    );
    assert.equal(await valueOf(group.logGroupName), name);
    assert.equal(await valueOf(group.logGroupArn), `arn:aws:logs:us-east-1:222222222222:log-group:${name}:*`);
    assert.equal(await valueOf(group.roleArn), "arn:aws:iam::111111111111:role/made-up");
  });

  const chosen = {
    trailArns: [trailArn(trailOf("222222222222", { name: "before" })), ...trailArns],
    groupName: "trail",
    retentionInDays: 0,
    encrypted: false,
    organizationId: "o-a1b2c3d4e5",
    keep: false,
    tags: { team: "payments" },
  };
  for (const [how, other] of Object.entries({ plain: chosen, outputs: asOutputs(chosen, ["encrypted", "keep"]) })) {
    it(`takes what is chosen: ${how}`, async () => {
      const { run } = await make(other);
      assert.deepEqual(children(run).sort(), [
        ["LogGroup", "payments-log-group", false],
        ["Role", "payments-logs", false],
        ["RolePolicy", "payments-role-policy", false],
      ]);
      assert.deepEqual(run.resource("LogGroup", "payments-log-group").inputs, {
        name: "trail",
        retentionInDays: 0,
        tags: { team: "payments" },
      });
      const trails = [trailOf("222222222222", { name: "before" }), trail];
      assert.equal(run.resource("Role", "payments-logs").inputs.assumeRolePolicy, serialize(logsRoleTrust(trails)));
      assert.equal(
        run.resource("RolePolicy", "payments-role-policy").inputs.policy,
        serialize(logsRolePermissions(trail, "trail", "o-a1b2c3d4e5")),
      );
    });
  }

  it("refuses what cannot be right, before anything is registered", async () => {
    const groupName = "arn:aws:logs:us-east-1:444444444444:log-group:theirs";
    await refused(
      () => new TrailLogGroup("x", { trailArns, groupName, retentionInDays: 100, organizationId: "acme" }),
      /This log group is in account 444444444444[^]*keeps entries for 0[^]*An organization's id looks like/,
    );
    await refused(() => new TrailLogGroup("x", { trailArns: [] }), /The list is empty/);
    const elsewhere = [...trailArns, trailArn(trailOf("333333333333"))];
    await refused(() => new TrailLogGroup("x", { trailArns: elsewhere }), /not in one account and Region/);
  });
});

describe("components/TrailTopic", () => {
  async function make(other: Partial<TrailTopicArgs> = {}) {
    const run = await startMocks();
    const topic = new TrailTopic("payments", { trailArns, ...other });
    await run.settle();
    return { run, topic };
  }

  it("is a topic with its policy and a key of its own; none of it is kept", async () => {
    const { run, topic } = await make();
    assert.deepEqual(children(run).sort(), [
      ["Key", "payments-topic-key", false],
      ["Topic", "payments-topic", false],
      ["TopicPolicy", "payments-topic-policy", false],
    ]);
    const arn = "arn:aws:sns:us-east-1:222222222222:crosstrail-deliveries";
    assert.deepEqual(run.resource("Topic", "payments-topic").inputs, {
      name: "crosstrail-deliveries",
      kmsMasterKeyId: "arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    });
    assert.equal(run.resource("Key", "payments-topic-key").inputs.policy, serialize(topicKeyPolicy(trail, [trail])));
    assert.deepEqual(run.resource("TopicPolicy", "payments-topic-policy").inputs, {
      arn,
      policy: serialize(topicPolicy(arn, [trail])),
    });
    assert.deepEqual([await valueOf(topic.topicName), await valueOf(topic.topicArn)], ["crosstrail-deliveries", arn]);
  });

  const chosen = { trailArns, topicName: "news", encrypted: false, tags: { team: "payments" } };
  for (const [how, other] of Object.entries({ plain: chosen, outputs: asOutputs(chosen, ["encrypted"]) })) {
    it(`takes what is chosen: ${how}`, async () => {
      const { run } = await make(other);
      assert.deepEqual(run.resource("Topic", "payments-topic").inputs, { name: "news", tags: { team: "payments" } });
      assert.equal(children(run).length, 2);
    });
  }

  it("a trail's name with periods is none for a topic", async () => {
    const { run } = await make({ trailArns: [trailArn(trailOf("222222222222", { name: "org.trail" }))] });
    assert.equal(run.resource("Topic", "payments-topic").inputs.name, "org-trail-deliveries");
  });

  it("refuses what cannot be right, before anything is registered", async () => {
    await refused(() => new TrailTopic("x", { trailArns, topicName: "a.fifo" }), /only publishes to standard topics/);
    await refused(
      () => new TrailTopic("x", { trailArns, topicName: "arn:aws:sns:us-east-1:444444444444:theirs" }),
      /This topic is in account 444444444444/,
    );
  });
});

describe("components/EventDataStore", () => {
  async function make(other: Partial<EventDataStoreArgs> = {}) {
    const run = await startMocks();
    const store = new EventDataStore("audit", { accountId: "111111111111", ...other });
    await run.settle();
    return { run, store };
  }
  const input = { partition: "aws", accountId: "111111111111" } as const;

  it("is a store with a key of its own, both protected and kept", async () => {
    const { run, store } = await make();
    assert.deepEqual(
      run.resources.slice(1).map(({ name, protect, retainOnDelete }) => [name, protect, retainOnDelete]),
      [
        ["audit-event-data-store-key", true, true],
        ["audit-event-data-store", true, true],
      ],
    );
    const keyArn = "arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    assert.equal(
      run.resource("Key", "audit-event-data-store-key").inputs.policy,
      serialize(eventDataStoreKeyPolicy(input)),
    );
    assert.deepEqual(run.resource("EventDataStore", "audit-event-data-store").inputs, {
      name: "crosstrail",
      advancedEventSelectors: [
        {
          name: "Management events selector",
          fieldSelectors: [{ field: "eventCategory", equals: ["Management"] }],
        },
      ],
      retentionPeriod: 366,
      terminationProtectionEnabled: true,
      kmsKeyId: keyArn,
    });
    assert.equal(await valueOf(store.keyArn), keyArn);
    assert.match(await valueOf(store.eventDataStoreArn), /eventdatastore/);
  });

  const chosen = {
    storeName: "mine",
    retentionInDays: 7,
    advancedEventSelectors: [
      {
        fieldSelectors: [
          { field: "eventCategory", equals: ["Management"] },
          { field: "userIdentity.arn", startsWith: ["arn:aws:sts"] },
        ],
      },
    ],
    roleArns: ["arn:aws:iam::111111111111:role/analyst"],
    partition: Partition.Aws,
    keep: false,
    tags: { team: "security" },
  };
  for (const [how, other] of Object.entries({ plain: chosen, outputs: asOutputs(chosen, ["keep"]) })) {
    it(`takes what is chosen: ${how}`, async () => {
      const { run } = await make(other);
      const { kmsKeyId, ...inputs } = run.resource("EventDataStore", "audit-event-data-store").inputs;
      assert.ok(kmsKeyId);
      assert.deepEqual(inputs, {
        name: "mine",
        retentionPeriod: 7,
        advancedEventSelectors: [
          {
            fieldSelectors: [
              { field: "eventCategory", equals: ["Management"] },
              { field: "userIdentity.arn", startsWiths: ["arn:aws:sts"] },
            ],
          },
        ],
        terminationProtectionEnabled: false,
        tags: { team: "security" },
      });
      assert.equal(
        run.resource("Key", "audit-event-data-store-key").inputs.policy,
        serialize(eventDataStoreKeyPolicy({ ...input, roleArns: chosen.roleArns })),
      );
      assert.ok(run.resources.every(({ protect, retainOnDelete }) => !protect && !retainOnDelete));
    });
  }

  it("refuses what cannot be right, before anything is registered", async () => {
    await refused(
      () => new EventDataStore("x", { accountId: "1111", storeName: "x", retentionInDays: 4000, roleArns: ["*"] }),
      /account ID has 12 digits[^]*3 to 128 characters[^]*7 to 2555[^]*role ARN looks like/,
    );
    const advancedEventSelectors = [{ fieldSelectors: [{ field: "eventCategory", equals: ["Everything"] }] }];
    await refused(
      () => new EventDataStore("x", { accountId: "111111111111", advancedEventSelectors }),
      /cannot record these events/,
    );
  });
});
