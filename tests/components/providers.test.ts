import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { Provider } from "@pulumi/aws";
import * as library from "../../components";
import { trailArn } from "../../core/names";
import { auditAccountId, bucketName, keyArn, trailOf } from "../support/fleet";
import { startMocks } from "../support/mocks";

type Constructor = new (name: string, args: object, opts?: pulumi.ComponentResourceOptions) => pulumi.ComponentResource;

const trailArns = [trailArn(trailOf(auditAccountId))];
const accountId = auditAccountId;
const delivery = { trailName: "crosstrail", bucketName, keyArn };
/** Each component with all that it can make. */
const components: Record<string, object> = {
  AccessLogBucket: { bucketName: "access-logs", sourceBucketName: bucketName, accountId },
  AuditBucket: {
    bucketName,
    trailArns,
    keyArn,
    objectLock: {},
    retention: { years: 1 },
    accessLogBucketName: "access-logs",
    eventBridge: true,
  },
  AuditKey: { auditAccountId, trailArns },
  BucketReplication: {
    sourceBucketName: bucketName,
    sourceRegion: "us-east-1",
    sourceKeyArns: [keyArn],
    destinationBucketName: "copies",
    destinationRegion: "eu-west-1",
    destinationKeyArn: keyArn,
  },
  EventDataStore: { accountId },
  Guardrail: {
    policyName: "keep-trails",
    type: "SERVICE_CONTROL_POLICY",
    content: '{"Version":"2012-10-17","Statement":[]}',
    accountIds: ["222222222222"],
  },
  LogReader: { trustedAccounts: ["222222222222"], bucketName, keyArn },
  MemberTrail: delivery,
  NotificationQueue: { queueName: "new-logs", sourceBucketName: bucketName, accountId },
  OrganizationTrail: { ...delivery, delegatedAdministrator: "222222222222" },
  TrailLogGroup: { trailArns },
  TrailTopic: { trailArns },
};
/** How a program can say with whose credentials a component is made. */
const ways: Record<string, (provider: Provider) => pulumi.ComponentResourceOptions> = {
  provider: (provider) => ({ provider }),
  "providers, by package": (provider) => ({ providers: { aws: provider } }),
  "providers, as a list": (provider) => ({ providers: [provider] }),
  "a parent's provider": (provider) => ({
    parent: new pulumi.ComponentResource("crosstrail:index:Own", "own", {}, { provider }),
  }),
  "a parent's providers": (provider) => ({
    parent: new pulumi.ComponentResource("crosstrail:index:Own", "own", {}, { providers: [provider] }),
  }),
};

describe("components: an explicit provider", () => {
  const make = async (component: string, args: object, way: string) => {
    const run = await startMocks({ config: { "aws:region": "us-east-1", "aws:profile": "ambient" } });
    const provider = new Provider("given", { region: "us-west-2", profile: "given" });
    const Component = (library as unknown as Record<string, Constructor>)[component] as Constructor;
    new Component("it", args, ways[way]?.(provider));
    await run.settle();
    const made = run.resources.filter(({ type }) => type.startsWith("aws:"));
    assert.notEqual(made.length, 0);
    return { run, made };
  };

  it("is asked of every component", () => {
    const known = Object.entries(library)
      .filter(([, each]) => typeof each === "function" && each.prototype instanceof pulumi.ComponentResource)
      .map(([name]) => name);
    assert.deepEqual(known.sort(), Object.keys(components));
  });

  for (const [component, args] of Object.entries(components)) {
    for (const way of Object.keys(ways)) {
      it(`makes everything of ${component}: ${way}`, async () => {
        const { run, made } = await make(component, args, way);
        assert.deepEqual([...new Set(made.map(({ provider }) => provider))], ["given"]);
        const providers = run.resources.filter(({ type }) => type === "pulumi:providers:aws");
        assert.deepEqual(
          providers.map(({ name }) => name),
          ["given"],
        );
      });
    }
  }

  for (const way of Object.keys(ways)) {
    it(`and AuditBucket's region: its credentials, in the other Region: ${way}`, async () => {
      const { made } = await make("AuditBucket", { ...components.AuditBucket, region: "eu-west-1" }, way);
      assert.deepEqual([...new Set(made.map(({ provider }) => provider))], ["given"]);
      assert.deepEqual([...new Set(made.map(({ inputs }) => inputs.region))], ["eu-west-1"]);
    });

    it(`and AuditKey's replicaRegions: ${way}`, async () => {
      const { run, made } = await make("AuditKey", { ...components.AuditKey, replicaRegions: ["eu-west-1"] }, way);
      assert.deepEqual([...new Set(made.map(({ provider }) => provider))], ["given"]);
      assert.equal(run.resource("ReplicaKey", "it-key-eu-west-1").inputs.region, "eu-west-1");
      assert.equal(run.resource("Key", "it-key").inputs.region, undefined);
    });
  }

  it("without one, another Region is reached with the stack's own settings", async () => {
    const { run, made } = await make("AuditBucket", { ...components.AuditBucket, region: "eu-west-1" }, "none");
    assert.deepEqual(
      [...new Set(made.map(({ provider, providerRegion }) => `${provider} ${providerRegion}`))],
      ["it-eu-west-1 eu-west-1"],
    );
    assert.equal(run.resource("aws", "it-eu-west-1").inputs.profile, "ambient");
    assert.ok(made.every(({ inputs }) => inputs.region === undefined));
  });
});
