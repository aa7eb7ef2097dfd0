/**
 * The schema of the components, for Pulumi's other languages: made by Pulumi's analyzer from the sources, committed as schema.json, and
 * compared with that of the last release. Not among what docs/generate.ts makes each time: the analyzer takes seconds.
 */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Analyzer } from "@pulumi/pulumi/provider/experimental/analyzer";
import { getPulumiComponents } from "@pulumi/pulumi/provider/experimental/provider";
import { generateSchema } from "@pulumi/pulumi/provider/experimental/schema";
import * as library from "../components";

const root = path.join(__dirname, "..");

/** What generated SDKs are called by: @crosstrail/crosstrail, crosstrail_crosstrail, com.crosstrail.crosstrail. See docs/decisions/0013. */
export const namespace = "crosstrail";

export interface Property {
  type?: string;
  $ref?: string;
  items?: Property;
  additionalProperties?: Property;
  plain?: boolean;
  description?: string;
}

export interface ObjectType {
  type: string;
  description?: string;
  properties?: Record<string, Property>;
  required?: string[];
  enum?: { name: string; value: string; description?: string }[];
}

export interface Component {
  description?: string;
  inputProperties: Record<string, Property>;
  requiredInputs: string[];
  properties: Record<string, Property>;
  required: string[];
}

export interface Schema {
  name: string;
  version: string;
  namespace: string;
  description: string;
  resources: Record<string, Component>;
  types: Record<string, ObjectType>;
}

/** The schema as Pulumi's analyzer has it from the sources. It takes a narrow shape of components only, and says so. */
export function analyzedSchema(): Schema {
  const { name, version, description } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8")) as Schema;
  const main = path.join(root, "components", "index.ts");
  // The analyzer reads everything that tsconfig.json includes; here that is the library alone.
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "crosstrail-schema-"));
  try {
    // Nothing of @pulumi/aws is in what components take and give; to read its types would be most of the work.
    fs.writeFileSync(path.join(folder, "aws.d.ts"), "declare const any: any; export = any;");
    const aws = [path.join(folder, "aws.d.ts")];
    const compilerOptions = {
      types: ["node"],
      typeRoots: [path.join(root, "node_modules", "@types")],
      paths: { "@pulumi/aws": aws, "@pulumi/aws/*": aws },
    };
    const tsconfig = { extends: path.join(root, "tsconfig.json"), compilerOptions, files: [main], include: [] };
    fs.writeFileSync(path.join(folder, "tsconfig.json"), JSON.stringify(tsconfig));
    const names = new Set(getPulumiComponents(library).map((each) => (each as { name: string }).name));
    const { components, typeDefinitions, dependencies } = new Analyzer(folder, name, { main }, names).analyze();
    const schema = generateSchema(name, version, description, components, typeDefinitions, dependencies, namespace);
    // In an order that does not depend on which component the analyzer came upon first.
    const sorted = <Value>(record: Record<string, Value>) =>
      Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
    return { ...schema, resources: sorted(schema.resources), types: sorted(schema.types) } as unknown as Schema;
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** The committed schema. */
export function committedSchema(file = "schema.json"): Schema {
  return JSON.parse(fs.readFileSync(path.join(root, file), "utf8")) as Schema;
}

/** `string[]`, `map of string`, `EventPreset`: a type as the documentation has it. */
export function typeText(property: Property): string {
  if (property.$ref) return property.$ref.replace(/^.*:index:/, "");
  if (property.items) return `${typeText(property.items)}[]`;
  if (property.additionalProperties) return `map of ${typeText(property.additionalProperties)}`;
  return property.type ?? "any";
}

/**
 * What programs in other languages that worked with `before` may not do with `after`: each in a sentence. What is new and optional is
 * compatible.
 */
export function incompatibilities(before: Schema, after: Schema): string[] {
  const found: string[] = [];
  const gone = (what: string) => found.push(`${what} is gone`);
  const properties = (
    what: string,
    [was, is]: Record<string, Property>[],
    [wasRequired, isRequired]: string[][],
    use: "input" | "output" | "field",
  ) => {
    for (const [name, property] of Object.entries(was ?? {})) {
      const now = is?.[name];
      if (!now) {
        gone(`${use} ${what}.${name}`);
        continue;
      }
      const [text, other] = [typeText(property), typeText(now)];
      if (text !== other) found.push(`${use} ${what}.${name} was ${text} and is ${other}`);
      if (use !== "output" && !isPlain(property) && isPlain(now))
        found.push(`${use} ${what}.${name} no longer accepts an output`);
      if (use === "output" && wasRequired?.includes(name) && !isRequired?.includes(name)) {
        found.push(`output ${what}.${name} is no longer always there`);
      }
    }
    if (use === "output") return;
    for (const name of isRequired ?? []) {
      if (!wasRequired?.includes(name)) found.push(`${use} ${what}.${name} is now required`);
    }
  };
  for (const [token, was] of Object.entries(before.resources)) {
    const is = after.resources[token];
    const name = token.split(":").at(-1) as string;
    if (!is) {
      gone(`component ${name}`);
      continue;
    }
    properties(name, [was.inputProperties, is.inputProperties], [was.requiredInputs, is.requiredInputs], "input");
    properties(name, [was.properties, is.properties], [was.required, is.required], "output");
  }
  for (const [token, was] of Object.entries(before.types)) {
    const is = after.types[token];
    const name = token.split(":").at(-1) as string;
    if (!is) {
      gone(`type ${name}`);
      continue;
    }
    for (const { name: member, value } of was.enum ?? []) {
      const now = is.enum?.find((each) => each.name === member);
      if (!now) gone(`value ${name}.${member}`);
      else if (now.value !== value) found.push(`value ${name}.${member} was ${value} and is ${now.value}`);
    }
    properties(name, [was.properties ?? {}, is.properties ?? {}], [was.required ?? [], is.required ?? []], "field");
  }
  for (const key of ["name", "namespace"] as const) {
    if (before[key] !== after[key]) found.push(`the package's ${key} was ${before[key]} and is ${after[key]}`);
  }
  return found;
}

function isPlain(property: Property): boolean {
  return property.plain === true;
}

/** docs/components.md: every component, argument, type and output. */
export function componentTables(schema: Schema): string {
  const used = new Map(Object.entries(schema.types).map(([token, type]) => [token.split(":").at(-1) as string, type]));
  const cell = (text = "") => text.replace(/\s+/g, " ").replaceAll("|", "\\|").trim();
  const type = (property: Property) => {
    const text = typeText(property);
    const name = text.replace(/\[\]|map of /g, "");
    return used.has(name)
      ? `[${text.replaceAll("[]", "\\[\\]")}](#${name.toLowerCase()})`
      : `${text.replaceAll("[]", "\\[\\]")}`;
  };
  const table = (head: string, record: Record<string, Property>, required: string[]) => [
    `| ${head} | type | | meaning |`,
    "|---|---|---|---|",
    ...Object.entries(record).map(
      ([name, property]) =>
        `| \`${name}\` | ${type(property)} | ${[required.includes(name) ? "required" : "", isPlain(property) ? "plain" : ""].filter(Boolean).join(", ")} | ${cell(property.description)} |`,
    ),
  ];
  const components = Object.entries(schema.resources).map(([token, each]) =>
    [
      `## ${token.split(":").at(-1)}`,
      cell(each.description),
      table("argument", each.inputProperties, each.requiredInputs).join("\n"),
      [
        "| output | type | meaning |",
        "|---|---|---|",
        ...Object.entries(each.properties).map(
          ([name, property]) => `| \`${name}\` | ${type(property)} | ${cell(property.description)} |`,
        ),
      ].join("\n"),
    ].join("\n\n"),
  );
  const types = [...used].map(([name, each]) =>
    [
      `### ${name}`,
      ...(each.enum
        ? [each.enum.map(({ value }) => `\`${value}\``).join(", ")]
        : [table("field", each.properties ?? {}, each.required ?? []).join("\n")]),
    ].join("\n\n"),
  );
  return [...components, "## Types", ...types].join("\n\n");
}
