/** The values of a stack's configuration, each by itself: of the right type, and for this role. */
import { pathText, plainIssues, sentence, valueAt } from "../issues";
import type { KeyInfo, KeyName, Role, Values } from "./keys";
import { fieldsOf, keys, keyTable } from "./keys";
import { nearest } from "../nearest";
import type { ConfigFinding } from "./report";
import type { Report } from "./report";
import { subjectOf } from "./report";

/** What could be read: a key with a mistake is missing in `values`. */
export interface ReadValues {
  values: Values;
  /** The members as they are written, also with mistakes, for comparisons with each other. */
  declaredMembers: unknown;
}

/** Reports keys that do not exist. */
export function checkNames(report: Report, raw: Record<string, string>): void {
  const known = keyTable.map(({ name }) => name as string);
  for (const name of Object.keys(raw)) {
    if (known.includes(name)) continue;
    // `pulumi config set` without --path makes one key of a whole path.
    const [, head] = /^([^.[\]]+)[.[]/.exec(name) ?? [];
    if (head !== undefined && known.includes(head)) {
      report.add(
        "unknown-key",
        subjectOf(name, raw[name]),
        "This is a path as one key, which nothing reads.",
        `pulumi config rm --stack ${report.stack} '${name}', then set it with --path: pulumi config set --stack ${report.stack} --path '${name}' <value>`,
      );
      continue;
    }
    const near = nearest(name, known);
    const remove = `emove it from ${report.file}.`;
    report.add(
      "unknown-key",
      subjectOf(name, raw[name]),
      "This key does not exist.",
      near ? `Did you mean crosstrail:${near}? Otherwise r${remove}` : `R${remove}`,
    );
  }
}

/** Parses every key. A key of another role is a mistake, unless it has its default, as Pulumi hands over every key. */
export function readValues(report: Report, role: Role, raw: Record<string, string>): ReadValues {
  const { file } = report;
  const values: Record<string, unknown> = {};
  let declaredMembers: unknown;
  for (const { name, type, roles, default: fallback } of keyTable) {
    const text = raw[name];
    let value: unknown = text;
    if (text === undefined || text === "") value = undefined;
    else if (type !== "string") {
      try {
        value = JSON.parse(text);
      } catch {
        report.add(
          "type",
          subjectOf(name, text),
          `This is not ${article(type)}.`,
          `Write ${article(type)} in ${file}.`,
        );
        continue;
      }
    }
    if (!roles.includes(role) && value !== undefined && JSON.stringify(value) !== JSON.stringify(fallback)) {
      report.add(
        "wrong-role",
        subjectOf(name, text),
        `This key belongs to stacks of role ${roles.join(" and ")}; this stack's role is ${role}.`,
        `Remove it from ${file}.`,
      );
      continue;
    }
    if (name === "members") declaredMembers = value;
    const result = keys[name].safeParse(value);
    if (result.success) values[name] = result.data;
    else {
      for (const { path, message, unknownKey } of plainIssues(result.error.issues)) {
        const near = unknownKey ? nearest(unknownKey, fieldsOf[name] ?? []) : undefined;
        report.add(
          issueId(name, path),
          subjectOf(name + pathText(path), valueAt(value, path)),
          sentence(message),
          near
            ? `Did you mean ${near}? Otherwise remove it from ${file}.`
            : `${unknownKey === undefined ? "Correct it in" : "Remove it from"} ${file}.`,
        );
      }
    }
  }
  return { values: values as Values, declaredMembers };
}

/** Reports a key that the role cannot do without. */
export function requireKey(report: Report, values: Values, name: KeyName, why: string, example: string): void {
  if (values[name] !== "") return;
  report.add("missing", subjectOf(name, undefined), why, `Add to ${report.file}:  crosstrail:${name}: ${example}`);
}

function article(type: KeyInfo["type"]): string {
  return { string: "a string", integer: "a whole number", boolean: "true or false", array: "a list", object: "a map" }[
    type
  ];
}

const idByField: Record<string, ConfigFinding> = {
  accountId: "account-id",
  auditAccountId: "account-id",
  bucketName: "bucket-name",
  accessLogBucket: "bucket-name",
  trailName: "trail-name",
  trustedAccounts: "account-id",
  previousTrailName: "trail-name",
  managementAccountId: "account-id",
  delegatedAdministrator: "account-id",
  previousLogPrefix: "log-prefix",
  logPrefix: "log-prefix",
  alias: "alias",
};

function issueId(name: string, path: PropertyKey[]): ConfigFinding {
  const field = [...path].reverse().find((part) => typeof part === "string") as string | undefined;
  return idByField[field ?? name] ?? "value";
}
