import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AnalyzeResult, PropertyDefinition } from "@pulumi/pulumi/provider/experimental/analyzer";
import { Analyzer } from "@pulumi/pulumi/provider/experimental/analyzer";
import { getPulumiComponents } from "@pulumi/pulumi/provider/experimental/provider";
import { parse } from "yaml";
import * as library from "../../components";
import { read, root } from "../support/config";

/** `name: type`, as the schema has it; `?` for optional, `plain` for what cannot be an output. */
function signature(properties: Record<string, PropertyDefinition> = {}): string[] {
  const typeOf = (each: PropertyDefinition): string => {
    if ("$ref" in each) return each.$ref.replace("#/types/crosstrail:index:", "");
    if (each.items) return `${typeOf(each.items)}[]`;
    if (each.additionalProperties) return `map of ${typeOf(each.additionalProperties)}`;
    return each.type;
  };
  return Object.entries(properties).map(
    ([name, each]) => `${name}${each.optional ? "?" : ""}: ${typeOf(each)}${each.plain ? " plain" : ""}`,
  );
}

// What `pulumi package add` reads: the components of the package's sources, looked at by Pulumi's own analyzer. It takes a
// narrow shape of components only, and says so on users' machines.
describe("components: the schema for other languages", () => {
  let result: AnalyzeResult;
  let folder: string;

  before(function () {
    this.timeout(60_000);
    // The analyzer reads everything that tsconfig.json includes; here that is the library alone.
    folder = mkdtempSync(join(tmpdir(), "crosstrail-schema-"));
    // Where Pulumi looks for the components' types; see bin/library.js.
    const { exports } = JSON.parse(read("package.json")) as { exports: { ".": { default: string } } };
    const main = join(root, exports["."].default);
    // Nothing of @pulumi/aws is in what components take and give; to read its types would be most of the work.
    writeFileSync(join(folder, "aws.d.ts"), "declare const any: any; export = any;");
    const aws = [join(folder, "aws.d.ts")];
    const compilerOptions = {
      types: ["node"],
      typeRoots: [join(root, "node_modules", "@types")],
      paths: { "@pulumi/aws": aws, "@pulumi/aws/*": aws },
    };
    const tsconfig = { extends: join(root, "tsconfig.json"), compilerOptions, files: [main], include: [] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(tsconfig));
    const names = getPulumiComponents(library).map((each) => (each as { name: string }).name);
    result = new Analyzer(folder, "crosstrail", { main }, new Set(names)).analyze();
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("has exactly our components", () => {
    assert.deepEqual(Object.keys(result.components).sort(), [
      "AccessLogBucket",
      "AuditBucket",
      "AuditKey",
      "BucketReplication",
      "EventDataStore",
      "LogReader",
      "MemberTrail",
      "NotificationQueue",
      "OrganizationTrail",
      "TrailLogGroup",
      "TrailTopic",
    ]);
  });

  it("AccessLogBucket", () => {
    const { inputs, outputs } = result.components.AccessLogBucket!;
    assert.deepEqual(signature(inputs), [
      "bucketName: string",
      "sourceBucketName: string",
      "accountId: string",
      "partition?: string",
      "breakGlassRoleArns?: string[]",
      "expirationDays?: number",
      "keep?: boolean plain",
      "tags?: map of string",
    ]);
    assert.deepEqual(signature(outputs), ["bucketName: string"]);
  });

  it("NotificationQueue", () => {
    const { inputs, outputs } = result.components.NotificationQueue!;
    assert.deepEqual(signature(inputs), [
      "queueName: string",
      "sourceBucketName: string",
      "accountId: string",
      "partition?: string",
      "breakGlassRoleArns?: string[]",
      "tags?: map of string",
    ]);
    assert.deepEqual(signature(outputs), ["queueArn: string"]);
  });

  it("AuditBucket", () => {
    const { inputs, outputs } = result.components.AuditBucket!;
    assert.deepEqual(signature(inputs), [
      "bucketName: string",
      "trailArns: string[]",
      "keyArn: string",
      "previousKeyArns?: string[]",
      "region?: string plain",
      "logPrefix?: string",
      "previousLogPrefix?: string",
      "organizationId?: string",
      "organizationTrailArns?: string[]",
      "organizationAccounts?: string[]",
      "partition?: string",
      "bucketKeyEnabled?: boolean",
      "memberReaders?: string[]",
      "requireMfa?: boolean",
      "mfaExemptRoleArns?: string[]",
      "breakGlassRoleArns?: string[]",
      "replicationRoleArn?: string",
      "denyOtherEncryption?: boolean",
      "objectLock?: AuditBucketObjectLock plain",
      "retention?: AuditBucketRetention plain",
      "mfaDelete?: boolean plain",
      "accessLogBucketName?: string",
      "eventBridge?: boolean plain",
      "notificationQueueArn?: string",
      "forceDestroy?: boolean plain",
      "policyForm?: string",
      "keep?: boolean plain",
      "tags?: map of string",
    ]);
    assert.deepEqual(signature(outputs), ["bucketName: string", "bucketArn: string", "mfaDelete?: string"]);
  });

  it("AuditKey", () => {
    const { inputs, outputs } = result.components.AuditKey!;
    assert.deepEqual(signature(inputs), [
      "auditAccountId: string",
      "trailArns: string[]",
      "organizationId?: string",
      "organizationTrailArns?: string[]",
      "organizationAccounts?: string[]",
      "mayEncrypt?: boolean",
      "bucketName?: string",
      "logPrefix?: string",
      "previousLogPrefix?: string",
      "partition?: string",
      "aliasName?: string",
      "rotationPeriodInDays?: number",
      "bucketKeyEnabled?: boolean",
      "memberReaders?: string[]",
      "breakGlassRoleArns?: string[]",
      "policyForm?: string",
      "replicaRegions?: string[] plain",
      "replication?: AuditKeyReplication plain",
      "keep?: boolean plain",
      "tags?: map of string",
    ]);
    assert.deepEqual(signature(outputs), [
      "keyArn: string",
      "keyId: string",
      "aliasName: string",
      "replicaKeyArns: map of string",
    ]);
  });

  it("BucketReplication", () => {
    const { inputs, outputs } = result.components.BucketReplication!;
    assert.deepEqual(signature(inputs), [
      "sourceBucketName: string",
      "sourceRegion: string",
      "sourceKeyArns: string[]",
      "destinationBucketName: string",
      "destinationRegion: string",
      "destinationKeyArn: string",
      "destinationAccountId?: string",
      "bucketKeyEnabled?: boolean",
      "enabled?: boolean plain",
      "partition?: string",
      "roleName?: string",
      "permissionsBoundaryArn?: string",
      "tags?: map of string",
    ]);
    assert.deepEqual(signature(outputs), ["roleArn: string"]);
  });

  it("LogReader", () => {
    const { inputs, outputs } = result.components.LogReader!;
    assert.deepEqual(signature(inputs), [
      "trustedAccounts: string[]",
      "bucketName: string",
      "keyArn: string",
      "roleName?: string",
      "requireMfa?: boolean",
      "externalId?: string",
      "accountIds?: string[]",
      "logPrefix?: string",
      "previousLogPrefix?: string",
      "previousKeyArns?: string[]",
      "organizationId?: string",
      "organizationTrailArns?: string[]",
      "partition?: string",
      "permissionsBoundaryArn?: string",
      "tags?: map of string",
    ]);
    assert.deepEqual(signature(outputs), ["roleArn: string", "roleName: string"]);
  });

  const trailInputs = [
    "trailName: string",
    "bucketName: string",
    "otherBucketNames?: string[]",
    "keyArn: string",
    "logPrefix?: string",
    "isMultiRegionTrail?: boolean",
    "enableLogFileValidation?: boolean",
    "includeGlobalServiceEvents?: boolean",
    "enableLogging?: boolean",
    "events?: string[]",
    "readWriteType?: string",
    "excludeManagementEventSources?: string[]",
    "networkActivityEventSources?: string[]",
    "eventSelectors?: TrailEventSelector[]",
    "advancedEventSelectors?: TrailAdvancedEventSelector[]",
    "insightTypes?: string[]",
    "cloudWatchLogsLogGroupArn?: string",
    "cloudWatchLogsRoleArn?: string",
    "snsTopicName?: string",
    "partition?: string",
  ];

  it("MemberTrail", () => {
    const { inputs, outputs } = result.components.MemberTrail!;
    assert.deepEqual(signature(inputs), [
      "importTrailArn?: string plain",
      "leaveAsIs?: string[] plain",
      ...trailInputs,
      "tags?: map of string",
    ]);
    assert.deepEqual(signature(outputs), ["trailArn: string", "homeRegion: string"]);
  });

  it("OrganizationTrail", () => {
    const { inputs, outputs } = result.components.OrganizationTrail!;
    assert.deepEqual(signature(inputs), [
      "isOrganizationTrail?: boolean",
      "delegatedAdministrator?: string",
      ...trailInputs,
      "tags?: map of string",
    ]);
    assert.deepEqual(signature(outputs), ["trailArn: string", "homeRegion: string"]);
  });

  it("TrailLogGroup", () => {
    const { inputs, outputs } = result.components.TrailLogGroup!;
    assert.deepEqual(signature(inputs), [
      "trailArns: string[]",
      "groupName?: string",
      "retentionInDays?: number",
      "encrypted?: boolean plain",
      "organizationId?: string",
      "keep?: boolean plain",
      "permissionsBoundaryArn?: string",
      "keyTags?: map of string",
      "tags?: map of string",
    ]);
    assert.deepEqual(signature(outputs), ["logGroupArn: string", "logGroupName: string", "roleArn: string"]);
  });

  it("TrailTopic", () => {
    const { inputs, outputs } = result.components.TrailTopic!;
    assert.deepEqual(signature(inputs), [
      "trailArns: string[]",
      "topicName?: string",
      "encrypted?: boolean plain",
      "keyTags?: map of string",
      "tags?: map of string",
    ]);
    assert.deepEqual(signature(outputs), ["topicName: string", "topicArn: string"]);
  });

  it("EventDataStore", () => {
    const { inputs, outputs } = result.components.EventDataStore!;
    assert.deepEqual(signature(inputs), [
      "accountId: string",
      "storeName?: string",
      "retentionInDays?: number",
      "advancedEventSelectors?: TrailAdvancedEventSelector[]",
      "roleArns?: string[]",
      "partition?: string",
      "keep?: boolean plain",
      "keyTags?: map of string",
      "tags?: map of string",
    ]);
    assert.deepEqual(signature(outputs), ["eventDataStoreArn: string", "keyArn: string"]);
  });

  it("the types of MemberTrail's selectors, of AuditKey's replication, and of the archive's controls", () => {
    const types = Object.values(result.typeDefinitions).map((each) => [each.name, signature(each.properties)]);
    assert.deepEqual(Object.fromEntries(types), {
      AuditBucketObjectLock: [
        "mode?: string plain",
        "days?: number plain",
        "years?: number plain",
        "confirmComplianceLock?: string plain",
      ],
      AuditBucketRetention: [
        "days?: number plain",
        "years?: number plain",
        "noncurrentDays?: number plain",
        "transitions?: AuditBucketTransition[] plain",
      ],
      AuditBucketTransition: ["storageClass: string plain", "days: number plain"],
      AuditKeyReplication: [
        "roleArn: string",
        "source: AuditKeyBucket plain",
        "destination: AuditKeyBucket plain",
        "encryptsCopies?: boolean",
      ],
      AuditKeyBucket: ["bucketName: string", "region: string"],
      TrailEventSelector: [
        "readWriteType?: string",
        "includeManagementEvents?: boolean",
        "excludeManagementEventSources?: string[]",
        "dataResources?: TrailDataResource[]",
      ],
      TrailDataResource: ["type: string", "values: string[]"],
      TrailAdvancedEventSelector: ["name?: string", "fieldSelectors: TrailFieldSelector[]"],
      TrailFieldSelector: [
        "field: string",
        "equals?: string[]",
        "notEquals?: string[]",
        "startsWith?: string[]",
        "notStartsWith?: string[]",
        "endsWith?: string[]",
        "notEndsWith?: string[]",
      ],
    });
  });

  it("every component, input and output is described", () => {
    for (const { name, description, inputs, outputs } of Object.values(result.components)) {
      assert.ok(description, name);
      for (const [property, each] of Object.entries({ ...inputs, ...outputs })) {
        assert.ok(each.description, `${name}.${property}`);
      }
    }
  });

  it("the repository is a plugin of the name that the type tokens have", () => {
    assert.deepEqual(parse(read("PulumiPlugin.yaml")), { runtime: "nodejs" });
    const { name, main, dependencies } = JSON.parse(read("package.json")) as {
      name: string;
      main: string;
      dependencies: Record<string, string>;
    };
    assert.equal(name, "crosstrail");
    assert.ok(existsSync(join(root, main)));
    // A plugin is installed without development dependencies, and compiled where it runs.
    for (const each of ["typescript", "ts-node"]) assert.ok(dependencies[each], each);
    for (const component of Object.keys(result.components)) {
      const file = `${component.charAt(0).toLowerCase()}${component.slice(1)}.ts`;
      assert.ok(read("components", file).includes(`super("crosstrail:index:${component}", name, {}, opts)`), component);
    }
  });
});
