import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import ts from "typescript";
import { run } from "../../automation/process";
import { installAwsPlugin, installEngine } from "../../sandbox/engine/install";

const AWS = dirname(require.resolve("@pulumi/aws/package.json"));

/** A property as the bridged plugin names it, with those of the objects in it. */
interface Property {
  kind: "scalar" | "single" | "list" | "map";
  of?: Record<string, Property>;
}

/** A property as @pulumi/aws declares it, with the name of the type of the objects in it. */
type Declared = Record<string, { isList: boolean; type?: string }>;

/** What @pulumi/aws has and Terraform's provider 5.100 has not: not to be used where the sandbox is to run it. */
const LACKING = [
  "accessanalyzer/analyzer.configuration.internalAccess",
  "athena/database.workgroup",
  "athena/workgroup.configuration.customerContentEncryptionConfiguration",
  "athena/workgroup.configuration.enableMinimumEncryptionConfiguration",
  "athena/workgroup.configuration.identityCenterConfiguration",
  "athena/workgroup.configuration.managedQueryResultsConfiguration",
  "athena/workgroup.configuration.monitoringConfiguration",
  "athena/workgroup.configuration.queryResultsS3AccessGrantsConfiguration",
  "cloudwatch/eventArchive.kmsKeyIdentifier",
  "cloudwatch/eventBus.logConfig",
  "cloudwatch/logGroup.deletionProtectionEnabled",
  "cloudwatch/logMetricFilter.applyOnTransformedLogs",
  "cloudwatch/logResourcePolicy.resourceArn",
  "cloudwatch/logSubscriptionFilter.applyOnTransformedLogs",
  "cloudwatch/logSubscriptionFilter.emitSystemFields",
  "cloudwatch/metricAlarm.evaluationCriteria",
  "cloudwatch/metricAlarm.evaluationInterval",
  "cloudwatch/metricAlarm.warmUpConfiguration",
  "glue/catalogTable.openTableFormatInput.icebergInput.icebergTableInput",
  "glue/catalogTable.partitionKeys.parameters",
  "glue/catalogTable.viewDefinition",
  "iam/policy.delayAfterPolicyCreationInMs",
  "kinesis/firehoseDeliveryStream.icebergConfiguration.appendOnly",
  "kinesis/stream.maxRecordSizeInKib",
  "kinesis/stream.warmThroughputMibPs",
  "kms/externalKey.keySpec",
  "lambda/function.capacityProviderConfig",
  "lambda/function.durableConfig",
  "lambda/function.publishTo",
  "lambda/function.sourceKmsKeyArn",
  "lambda/function.tenancyConfig",
  "lambda/function.useResourceTimeoutForPropagation",
  "lambda/permission.invokedViaFunctionUrl",
  "organizations/getOrganization.returnOrganizationOnly",
  "organizations/organization.returnOrganizationOnly",
  "ram/resourceShare.resourceShareConfiguration",
  "s3/bucket.bucketNamespace",
  "s3/bucket.serverSideEncryptionConfiguration.rule.blockedEncryptionTypes",
  "s3/bucketPublicAccessBlock.skipDestroy",
  "s3/bucketServerSideEncryptionConfiguration.rules.blockedEncryptionTypes",
  "scheduler/schedule.actionAfterCompletion",
];

describe("the bridged AWS plugin", function () {
  // It may have to be built first.
  this.timeout(40 * 60_000);

  it("names and shapes properties as @pulumi/aws does", async () => {
    const context = { signal: new AbortController().signal, progress: undefined as never };
    const step = { note: () => {}, title: () => {} };
    const plugin = await installAwsPlugin(context, step, installEngine(context, step));
    // Pulumi's own plugin is the one that @pulumi/aws was made from.
    if (plugin.origin !== "built from Go modules") return;

    const env = { ...process.env, TF_PROVIDER_AWS: "" };
    const folder = mkdtempSync(join(tmpdir(), "crosstrail-plugin-"));
    for (const [name, file] of Object.entries(plugin.files)) symlinkSync(file, join(folder, name));
    const { stdout } = await run(join(folder, "pulumi-resource-aws"), ["--describe"], { timeoutMs: 120_000, env });
    rmSync(folder, { recursive: true });
    const described = JSON.parse(stdout) as Record<string, Record<string, Property>>;

    const inputs = readInterfaces(join(AWS, "types/input.d.ts"));
    const differences: string[] = [];
    const lacking: string[] = [];
    const compare = (where: string, declared: Declared, properties: Record<string, Property>, depth = 0) => {
      for (const [name, { isList, type }] of Object.entries(declared)) {
        // Every resource of @pulumi/aws 7 has a Region of its own; Terraform's 5.100 has one for all.
        if (depth === 0 && name === "region" && where !== "provider") continue;
        const property = properties[name];
        if (!property) lacking.push(`${where}.${name}`);
        else if (isList !== (property.kind === "list")) differences.push(`${where}.${name} is a ${property.kind}`);
        // Rules of a web firewall and the like contain themselves.
        const inner = type === undefined ? undefined : inputs.get(type);
        if (property?.of && inner && depth < 6) compare(`${where}.${name}`, inner, property.of, depth + 1);
      }
    };
    for (const [token, properties] of Object.entries(described)) {
      const [, path = "", name = ""] = token === "provider" ? ["", "provider", "Provider"] : token.split(":");
      const args = `${name.charAt(0).toUpperCase()}${name.slice(1)}Args`;
      const declared = readInterfaces(join(AWS, `${path.replace(/^index\//, "")}.d.ts`)).get(args);
      compare(path, declared ?? {}, properties);
    }
    assert.deepEqual(differences, []);
    const unknown = lacking.filter((name) => !LACKING.includes(name) && !name.startsWith("provider."));
    assert.deepEqual(unknown, []);
  });
});

/** The interfaces of a declaration file, with their namespace if they have one. */
function readInterfaces(file: string): Map<string, Declared> {
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.ES2022);
  const found = new Map<string, Declared>();
  const visit = (node: ts.Node, prefix: string): void => {
    if (ts.isModuleDeclaration(node) && node.body) {
      ts.forEachChild(node.body, (child) => visit(child, `${prefix}${node.name.text}.`));
    } else if (ts.isInterfaceDeclaration(node)) {
      const declared: Declared = {};
      for (const member of node.members) {
        if (!ts.isPropertySignature(member) || !ts.isIdentifier(member.name) || !member.type) continue;
        const text = member.type.getText(source);
        declared[member.name.text] = { isList: text.includes("[]"), type: /inputs\.([\w.]+)/.exec(text)?.[1] };
      }
      found.set(prefix + node.name.text, declared);
    }
  };
  ts.forEachChild(source, (node) => visit(node, ""));
  return found;
}
