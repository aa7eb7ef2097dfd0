import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import * as library from "../../components";
import { analyzedSchema, committedSchema, incompatibilities, type Schema } from "../../docs/schema";
import { read, root } from "../support/config";

// What SDKs for other languages are made from: the components as Pulumi's own analyzer sees them. It takes a narrow shape of
// components only, and says so.
describe("components: the schema for other languages", () => {
  const schema = committedSchema();

  it("is what the sources say (npm run docs writes it)", function () {
    this.timeout(120_000);
    assert.deepEqual(schema, analyzedSchema());
  });

  it("has the package's name and version, and a namespace of our own", () => {
    const { name, version } = JSON.parse(read("package.json")) as Schema;
    assert.deepEqual([schema.name, schema.version, schema.namespace], [name, version, "crosstrail"]);
  });

  it("has every component, argument, output, type and field described", () => {
    assert.equal(Object.keys(schema.resources).length, 12);
    for (const [token, { description, inputProperties, properties }] of Object.entries(schema.resources)) {
      assert.ok(description, token);
      for (const [name, each] of Object.entries({ ...inputProperties, ...properties })) {
        assert.ok(each.description, `${token} ${name}`);
      }
    }
    for (const [token, { properties = {} }] of Object.entries(schema.types)) {
      for (const [name, each] of Object.entries(properties)) assert.ok(each.description, `${token} ${name}`);
    }
  });

  it("has closed sets as enums, with the values that the library exports", () => {
    const enums = Object.entries(schema.types).flatMap(([token, each]) =>
      each.enum
        ? [
            [
              token.split(":")[2] as string,
              Object.fromEntries(each.enum.map(({ name, value }) => [name, value])),
            ] as const,
          ]
        : [],
    );
    assert.ok(enums.length >= 9);
    for (const [name, values] of enums) {
      assert.deepEqual(values, (library as unknown as Record<string, object>)[name], name);
    }
  });

  it("did not change incompatibly since the last release, or the version says so", () => {
    const released = committedSchema("docs/schema.released.json");
    const part = ({ version }: Schema) => {
      const [major = "0", minor = "0"] = version.split(".");
      return major === "0" ? `0.${minor}` : major;
    };
    const found = incompatibilities(released, schema);
    assert.ok(
      found.length === 0 || part(schema) !== part(released),
      `Programs in other languages would break:\n  ${found.join("\n  ")}\nRaise the version (docs/package.md), or keep what was there.`,
    );
  });

  describe("what is incompatible", () => {
    const change = (alter: (copy: Schema) => void): string[] => {
      const copy = structuredClone(schema);
      alter(copy);
      return incompatibilities(schema, copy);
    };
    const bucket = (copy: Schema) => copy.resources["crosstrail:index:AuditBucket"]!;
    const cases: [string, (copy: Schema) => void, string[]][] = [
      ["nothing", () => undefined, []],
      ["a new optional argument", (copy) => (bucket(copy).inputProperties.more = { type: "string" }), []],
      ["a new output", (copy) => (bucket(copy).properties.more = { type: "string" }), []],
      ["another description", (copy) => (bucket(copy).description = "Another"), []],
      [
        "a new required argument",
        (copy) => bucket(copy).requiredInputs.push("tags"),
        ["input AuditBucket.tags is now required"],
      ],
      ["an argument less", (copy) => delete bucket(copy).inputProperties.tags, ["input AuditBucket.tags is gone"]],
      [
        "another type",
        (copy) => (bucket(copy).inputProperties.keyArn = { type: "boolean" }),
        ["input AuditBucket.keyArn was string and is boolean"],
      ],
      [
        "no outputs any more",
        (copy) => (bucket(copy).inputProperties.keyArn!.plain = true),
        ["input AuditBucket.keyArn no longer accepts an output"],
      ],
      ["an output less", (copy) => delete bucket(copy).properties.bucketArn, ["output AuditBucket.bucketArn is gone"]],
      [
        "an output that may be missing",
        (copy) => (bucket(copy).required = []),
        [
          "output AuditBucket.bucketName is no longer always there",
          "output AuditBucket.bucketArn is no longer always there",
        ],
      ],
      [
        "a component less",
        (copy) => delete copy.resources["crosstrail:index:LogReader"],
        ["component LogReader is gone"],
      ],
      [
        "a type less",
        (copy) => delete copy.types["crosstrail:index:TrailDataResource"],
        ["type TrailDataResource is gone"],
      ],
      [
        "a value less",
        (copy) => copy.types["crosstrail:index:Partition"]!.enum!.pop(),
        ["value Partition.AwsUsGov is gone"],
      ],
      [
        "another value",
        (copy) => (copy.types["crosstrail:index:Partition"]!.enum![0]!.value = "x"),
        ["value Partition.Aws was aws and is x"],
      ],
      [
        "a new required field",
        (copy) => copy.types["crosstrail:index:TrailEventSelector"]!.required!.push("dataResources"),
        ["field TrailEventSelector.dataResources is now required"],
      ],
      [
        "another namespace",
        (copy) => (copy.namespace = "pulumi"),
        ["the package's namespace was crosstrail and is pulumi"],
      ],
    ];
    for (const [what, alter, expected] of cases) {
      it(`${what}: ${expected.length === 0 ? "nothing" : expected.join(", ")}`, () =>
        assert.deepEqual(change(alter), expected));
    }
  });

  it("is served by a plugin in a folder without a Pulumi.yaml", () => {
    assert.deepEqual(parse(read("plugin", "PulumiPlugin.yaml")), {
      runtime: { name: "nodejs", options: { typescript: false } },
    });
    assert.ok(!existsSync(join(root, "plugin", "Pulumi.yaml")));
    // Where a Pulumi.yaml is, Pulumi refuses all `pulumi package` commands beside a PulumiPlugin.yaml.
    assert.ok(!existsSync(join(root, "PulumiPlugin.yaml")));
    const { main, workspaces, dependencies } = JSON.parse(read("package.json")) as {
      main: string;
      workspaces: string[];
      dependencies: Record<string, string>;
    };
    assert.deepEqual(workspaces, ["plugin"]);
    assert.ok(existsSync(join(root, main)));
    // A plugin is installed without development dependencies, and a clone's sources are transpiled where it runs.
    assert.ok(dependencies["@swc/core"]);
    for (const token of Object.keys(schema.resources)) {
      const component = token.split(":")[2] as string;
      const file = `${component.charAt(0).toLowerCase()}${component.slice(1)}.ts`;
      assert.ok(read("components", file).includes(`super("${token}", name, {}, opts)`), component);
    }
  });
});
