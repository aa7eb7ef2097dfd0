/**
 * Where Pulumi finds a project and its stacks' files, and how it reads them. What Pulumi reads, the tool reads alike; the source
 * is sdk/go/common/workspace of https://github.com/pulumi/pulumi (paths.go, project.go, config.go).
 */
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { ScalarTag, Tags } from "yaml";
import { isAlias, isScalar, parseAllDocuments, visit } from "yaml";
import { namespace } from "../core/settings";

/** In this order, as Pulumi looks for them. */
const extensions = [".json", ".yaml", ".yml"];

export interface PulumiProject {
  /** The folder of the project's file; Pulumi also finds it from a folder below. */
  folder: string;
  file: string;
  name: string;
  /** Where the stacks' files are: the folder, or its `stackConfigDir`. */
  stackFolder: string;
  /** `.yaml`, `.yml` or `.json`: stacks' files end like the project's. */
  extension: string;
  /** What the project's own `config:` gives to each stack that does not say otherwise, by full names. */
  defaults: Record<string, unknown>;
  /** All of it. */
  content: Record<string, unknown>;
}

/**
 * The project that Pulumi finds from this folder; undefined when there is none.
 * @throws the YAML parser's error, or one that says what is wrong with the file.
 */
export function findProject(start: string): PulumiProject | undefined {
  for (let folder = resolve(start); ; folder = dirname(folder)) {
    const file = extensions.map((each) => join(folder, `Pulumi${each}`)).find(existsSync);
    if (file !== undefined) return readProject(folder, file);
    if (dirname(folder) === folder) return undefined;
  }
}

function readProject(folder: string, file: string): PulumiProject {
  const content = parseYaml(readFileSync(file, "utf8"));
  if (!isMap(content)) throw new Error("it is not a map");
  const { stackConfigDir, config } = content;
  // Before there was stackConfigDir, a string in config said the same.
  const stacks = typeof stackConfigDir === "string" ? stackConfigDir : typeof config === "string" ? config : "";
  const name = typeof content.name === "string" ? content.name : namespace;
  return {
    folder,
    file,
    name,
    stackFolder: join(folder, stacks),
    extension: /\.[a-z]+$/.exec(file)?.[0] ?? ".yaml",
    defaults: isMap(config) ? defaultsOf(config, name) : {},
    content,
  };
}

/** A key's `default`, else its `value`; what is not a map is the value itself. */
function defaultsOf(config: Record<string, unknown>, project: string): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const [key, declared] of Object.entries(config)) {
    const value = isMap(declared) ? (declared.default ?? declared.value) : declared;
    if (value !== undefined && value !== null) found[fullName(key, project)] = value;
  }
  return found;
}

/** A key as Pulumi knows it: a name without a namespace is the project's, and `a:config:b` is an older form of `a:b`. */
export function fullName(key: string, project: string): string {
  if (!key.includes(":")) return `${project}:${key}`;
  const [, space, name] = /^([^:]*):config:([^:]*)$/.exec(key) ?? [];
  return space === undefined ? key : `${space}:${name}`;
}

/** The file of a stack, which may be named in full: organization/project/stack. It need not be there. */
export function stackFileOf({ stackFolder, extension }: PulumiProject, stack: string): string {
  return join(stackFolder, `Pulumi.${stack.split("/").at(-1) as string}${extension}`);
}

/** The stack that a file is about. */
export function stackOf(file: string): string {
  const name = basename(file);
  return /^Pulumi\.(.+)\.(?:ya?ml|json)$/.exec(name)?.[1] ?? name.replace(/\.[^.]*$/, "");
}

/** A whole number as Pulumi's parser takes it: octal with a leading 0, `_` between digits; the core schema has neither. */
const integer: ScalarTag = {
  tag: "tag:yaml.org,2002:int",
  default: true,
  identify: () => false,
  test: /^[-+]?(?:0[0-7_]+|0b[01_]+|[0-9][0-9_]*_[0-9_]*)$/,
  resolve: (text) => {
    const [, sign = "", digits = ""] = /^([-+]?)(.*)$/.exec(text.replace(/_/g, "")) as string[];
    const value = Number(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits);
    return sign === "-" ? -value : value;
  },
};

/**
 * The first document of a YAML or JSON text, with merge keys and anchors.
 * @throws YAMLParseError, or an error that names a key that is not a string: Pulumi refuses those.
 */
export function parseYaml(text: string): unknown {
  // What is behind the first document, nobody reads.
  const [document] = parseAllDocuments(text.replace(/^\uFEFF/, ""), {
    merge: true,
    customTags: (tags: Tags) => [integer, ...tags],
  });
  if (document === undefined || !("contents" in document)) return null;
  const [error] = document.errors;
  if (error) throw error;
  visit(document, {
    Pair: (_, { key }) => {
      if (isAlias(key)) return;
      if (!isScalar(key) || (typeof key.value !== "string" && typeof key.value !== "symbol"))
        throw new Error(`the key ${isScalar(key) ? (key.source ?? String(key.value)) : String(key)} must be in quotes`);
    },
  });
  // Two hundred members may each refer to the same anchor; the limit is for files that blow themselves up.
  return document.toJS({ maxAliasCount: 100_000 });
}

export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
