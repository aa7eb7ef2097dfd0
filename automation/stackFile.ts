/** A stack's configuration file, read without Pulumi: nothing is deployed and no backend is asked. */
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { parse } from "yaml";
import { UserError } from "../core/findings";
import type { AuditSettings, Settings } from "../core/settings";
import { parseSettings } from "../core/settings";

const namespace = "crosstrail";

/**
 * The settings that the file declares; the Region comes from the environment where the file has none, as with Pulumi.
 */
export function readStackFile(file: string, env: NodeJS.ProcessEnv): Settings {
  const config = readConfig(file);
  const own: Record<string, string> = {};
  for (const [name, value] of Object.entries(config)) {
    // Pulumi takes a name without a namespace for one of the project's.
    const [space, key] = name.includes(":") ? (name.split(/:(.*)/s) as [string, string]) : [namespace, name];
    if (space === namespace) own[key] = value;
  }
  const stack = /^Pulumi\.(.+)\.ya?ml$/.exec(basename(file))?.[1] ?? basename(file).replace(/\.[^.]*$/, "");
  return parseSettings(stack, own, config["aws:region"] ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION);
}

/** The same for the audit stack, which declares the fleet. */
export function readAuditFile(file: string, env: NodeJS.ProcessEnv): AuditSettings {
  const settings = readStackFile(file, env);
  if (settings.role === "audit") return settings;
  throw fileError(
    file,
    "config/not-audit",
    "This file belongs to a member stack; the policies belong to the audit stack.",
    "Name the audit stack's file with --config.",
  );
}

/** Its values: see {@link parseConfig}. */
export function readConfig(file: string): Record<string, string> {
  return parseConfig(file, readText(file, "The stack's configuration"));
}

/** The values of a stack file as Pulumi hands them to a program: scalars as text, everything else as JSON. */
export function parseConfig(file: string, text: string): Record<string, string> {
  let document: unknown;
  try {
    document = parse(text);
  } catch (error) {
    throw fileError(file, "config/yaml", `It is not YAML: ${(error as Error).message.trim()}`);
  }
  if (!isMap(document) || !isMap(document.config)) {
    throw fileError(
      file,
      "config/no-config",
      "It has no `config:` map.",
      "Use a stack file, such as Pulumi.audit.yaml.",
    );
  }
  const values: Record<string, string> = {};
  const secrets: string[] = [];
  for (const [name, value] of Object.entries(document.config)) {
    if (value === null) continue;
    // What other programs keep in the file is not ours to judge.
    const isRead = !name.includes(":") || name.startsWith(`${namespace}:`) || name === "aws:region";
    if (isRead && hasSecret(value)) secrets.push(name);
    values[name] = typeof value === "object" ? JSON.stringify(value) : String(value);
  }
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
  return values;
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
  return /^Pulumi\..+\.yaml$/.test(basename(file));
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
    ? `The folder has ${others.slice(0, 5).join(", ")}${others.length > 5 ? ` and ${others.length - 5} more` : ""}: name the audit stack's file.`
    : "Run the command in the project folder, or name the audit stack's file. For a new fleet, crosstrail init writes it.";
}

/** One thing that is wrong with a file. */
export function fileError(
  file: string,
  id: string,
  message: string,
  remedy = "Correct the file.",
  what = "The file",
): UserError {
  return new UserError(`${what} cannot be used.`, [{ id, severity: "error", subject: file, message, remedy }]);
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Pulumi stores an encrypted value as a map with the one key `secure`, at any depth. */
function hasSecret(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasSecret);
  if (!isMap(value)) return false;
  const keys = Object.keys(value);
  return (keys.length === 1 && keys[0] === "secure") || Object.values(value).some(hasSecret);
}
