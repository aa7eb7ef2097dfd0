/** A stack's configuration file, read as Pulumi reads it, but without Pulumi: nothing is deployed and no backend is asked. */
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Finding } from "../core/findings";
import { UserError } from "../core/findings";
import type { AuditSettings, Settings } from "../core/settings";
import { namespace, parseStackConfig } from "../core/settings";
import type { PulumiProject } from "./pulumiProject";
import { findProject, fullName, isMap, parseYaml, stackFileOf, stackOf } from "./pulumiProject";

/**
 * The settings that the file declares; the Region comes from the environment where the file has none, as with Pulumi.
 */
export function readStackFile(file: string, env: NodeJS.ProcessEnv): Settings {
  const project = projectOf(file);
  const text = readText(file, "The stack's configuration");
  const config = inDefaults(project, parseConfig(file, text, project?.name));
  try {
    return parseStackConfig(stackOf(file), config, {
      region: env.AWS_REGION ?? env.AWS_DEFAULT_REGION,
      project: project?.name,
      // A file of another name is read as well, and is then the one to correct.
      file: file === "-" ? undefined : basename(file),
    });
  } catch (error) {
    if (!(error instanceof UserError) || !importsEnvironments(text)) throw error;
    throw new UserError(error.message.split("\n")[0] as string, [...error.findings, notRead(file)]);
  }
}

/** The values that the project gives to every stack, where the stack does not say otherwise. */
function inDefaults(project: PulumiProject | undefined, config: Record<string, string>): Record<string, string> {
  const defaults = Object.entries(project?.defaults ?? {}).map(([key, value]) => [key, asText(value)]);
  return { ...(Object.fromEntries(defaults) as Record<string, string>), ...config };
}

/** The project that a stack's file belongs to. */
function projectOf(file: string): PulumiProject | undefined {
  return file === "-" ? projectIn(".") : projectIn(dirname(file));
}

/** The project that Pulumi finds from a folder. @throws UserError when its file cannot be read. */
export function projectIn(folder: string): PulumiProject | undefined {
  try {
    return findProject(folder);
  } catch (error) {
    throw fileError(
      join(folder, "Pulumi.yaml"),
      "config/yaml",
      `It cannot be read: ${(error as Error).message.trim()}`,
    );
  }
}

/** The file of the stack that declares the fleet, where no other is given. */
export function auditStackFile(folder = ".", stack = "audit"): string {
  const project = projectIn(folder);
  const file = project ? stackFileOf(project, stack) : join(folder, `Pulumi.${stack}.yaml`);
  // As short as people write it.
  return file.startsWith(`${process.cwd()}/`) ? file.slice(process.cwd().length + 1) : file;
}

function importsEnvironments(text: string): boolean {
  const document = parseYaml(text);
  const environment = isMap(document) ? document.environment : undefined;
  return environment !== undefined && environment !== null;
}

function notRead(file: string): Finding {
  return {
    id: "config/environment",
    severity: "error",
    subject: `environment: in ${file}`,
    message: "The file imports environments of Pulumi ESC, which crosstrail does not read.",
    remedy:
      "What is said to be missing may be in one of them: set the keys of namespace crosstrail, and aws:region, in the file itself. pulumi config --stack shows the values that Pulumi has.",
  };
}

/** The same for the audit stack, which declares the fleet. */
export function readAuditFile(file: string, env: NodeJS.ProcessEnv): AuditSettings {
  const settings = readStackFile(file, env);
  if (settings.role === "audit") return settings;
  throw fileError(
    file,
    "config/not-audit",
    "This file belongs to a member stack; the policies belong to the audit stack.",
    "Name the audit stack with --stack, or its file with --config.",
  );
}

/** Its values: see {@link parseConfig}; with those that the project gives to every stack. */
export function readConfig(file: string): Record<string, string> {
  const project = projectOf(file);
  return inDefaults(project, parseConfig(file, readText(file, "The stack's configuration"), project?.name));
}

/** The values of a stack file as Pulumi hands them to a program: scalars as strings, everything else as JSON. */
export function parseConfig(file: string, text: string, project?: string): Record<string, string> {
  const values = Object.entries(parseStackFile(file, text, project).config).filter(([, value]) => value !== null);
  const secrets = values
    // What other programs keep in the file is not ours to judge.
    .filter(([name, value]) => (name.startsWith(`${namespace}:`) || name === "aws:region") && hasSecret(value))
    .map(([name]) => name);
  if (secrets.length > 0) {
    throw new UserError(
      `${file} contains values that only Pulumi can decrypt.`,
      secrets.map((name) => ({
        id: "config/secret",
        severity: "error" as const,
        subject: name,
        message: "This value is encrypted.",
        remedy: `Crosstrail's configuration contains no secrets: run pulumi config set ${name} <value>, without --secret.`,
      })),
    );
  }
  return Object.fromEntries(values.map(([name, value]) => [name, asText(value)]));
}

/** A stack's file: its configuration by full names, and what else it has, such as how its secrets are encrypted. */
export interface StackFileContent {
  config: Record<string, unknown>;
  rest: Record<string, unknown>;
}

/** @param project the Pulumi project's name, for keys without a namespace. */
export function parseStackFile(file: string, text: string, project: string = namespace): StackFileContent {
  let document: unknown;
  try {
    document = parseYaml(text);
  } catch (error) {
    throw fileError(file, "config/yaml", `It is not YAML that Pulumi reads: ${(error as Error).message.trim()}`);
  }
  if (!isMap(document) || !isMap(document.config)) {
    throw fileError(
      file,
      "config/no-config",
      "It has no `config:` map.",
      "Use a stack file, such as Pulumi.audit.yaml.",
    );
  }
  const { config, ...rest } = document;
  return {
    config: Object.fromEntries(Object.entries(config).map(([name, value]) => [fullName(name, project), value])),
    rest,
  };
}

function asText(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** A file's text, or a UserError that says why it cannot be read. `-` is the standard input. */
export function readText(file: string, what: string): string {
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why: Record<string, string> = {
      ENOENT: "The file does not exist.",
      EACCES: "You do not have permission to read it.",
      EISDIR: "It is a folder, not a file.",
    };
    const remedy = code === "ENOENT" && isStackFile(file) ? instead(file) : "Correct the path.";
    throw fileError(file, "file/unreadable", why[code ?? ""] ?? (error as Error).message, remedy, what);
  }
}

function isStackFile(file: string): boolean {
  return /^Pulumi\..+\.(ya?ml|json)$/.test(basename(file));
}

/** What may have been meant by a stack's file that is not there. */
function instead(file: string): string {
  let others: string[] = [];
  try {
    others = readdirSync(dirname(file)).filter(isStackFile).sort();
  } catch {
    // There is no such folder either.
  }
  return others.length > 0
    ? `The folder has ${others.slice(0, 5).join(", ")}${others.length > 5 ? ` and ${others.length - 5} more` : ""}: choose one with --stack.`
    : "Run the command in the project folder, or name the folder with --cwd. For a new fleet, crosstrail init writes it.";
}

/** One thing that is wrong with a file. */
export function fileError(
  file: string,
  id: Finding["id"],
  message: string,
  remedy = "Correct the file.",
  what = "The file",
): UserError {
  return new UserError(`${what} cannot be used.`, [{ id, severity: "error", subject: file, message, remedy }]);
}

/** Pulumi stores an encrypted value as a map with the one key `secure`, at any depth. */
function hasSecret(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasSecret);
  if (!isMap(value)) return false;
  const keys = Object.keys(value);
  return (keys.length === 1 && keys[0] === "secure") || Object.values(value).some(hasSecret);
}
