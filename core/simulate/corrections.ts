/** What in a statement is wrong for a request of CloudTrail's, point by point, and the statement without it. */
import type { Decision, Mismatch, RequestContext } from "../evaluate";
import type { NamedRequest } from "../requests";
import { cloudTrailService } from "../requests";
import { nearest } from "../nearest";

/** A statement as its JSON has it; whatever somebody wrote. */
export type RawStatement = Record<string, unknown>;

/** One mistake in a statement. */
export interface Point {
  /** Stable: `principal`, `action`, `partition`, `bucket`, `prefix`, `account`, `region`, `trail-name`, `wildcard` ... */
  kind: string;
  message: string;
  fix: string;
}

export interface Correction {
  points: Point[];
  corrected: RawStatement;
}

type Conditions = Record<string, Record<string, unknown>>;

/** Corrects an Allow: the principal, then the action, the resource, and the conditions. */
export function correct(
  statement: RawStatement,
  failed: readonly Mismatch[],
  named: NamedRequest,
  resources: string[],
): Correction {
  const corrected = structuredClone(statement);
  const points = failed.map((mismatch) => {
    switch (mismatch.what) {
      case "principal":
        return correctPrincipal(corrected, mismatch);
      case "action":
        return correctAction(corrected, named);
      case "resource":
        return correctResource(corrected, named, resources);
      case "condition":
        return correctCondition(corrected, mismatch, named);
    }
  });
  return { points, corrected };
}

const quoted = (values: readonly string[]): string =>
  `${values
    .slice(0, 3)
    .map((value) => `"${value.slice(0, 200)}"`)
    .join(", ")}${values.length > 3 ? ` and ${values.length - 3} more` : ""}`;

function correctPrincipal(statement: RawStatement, { wanted }: Mismatch): Point {
  delete statement.NotPrincipal;
  statement.Principal = { Service: cloudTrailService };
  return {
    kind: "principal",
    message: `The principal is ${quoted(wanted)}. CloudTrail delivers as the service ${cloudTrailService}, in every partition and for every account.`,
    fix: `Set "Principal": {"Service": "${cloudTrailService}"}.`,
  };
}

function textsOf(value: unknown): string[] {
  return [value].flat().filter((each): each is string => typeof each === "string");
}

const oneOrMany = (values: string[]): string | string[] => (values.length === 1 ? (values[0] as string) : values);

function correctAction(statement: RawStatement, { request }: NamedRequest): Point {
  const written = textsOf(statement.Action ?? statement.NotAction);
  const like = nearest(request.action, written);
  const rest = written.filter((each) => each !== like);
  const isNot = statement.NotAction !== undefined;
  delete statement.NotAction;
  statement.Action = isNot ? request.action : oneOrMany([...rest, request.action]);
  return {
    kind: "action",
    message: `${isNot ? "NotAction leaves out" : "The action is"} ${quoted(written)}; this request is ${request.action}.`,
    fix: `${like === undefined || isNot ? "Add" : `Replace "${like}" with`} ${request.action}.`,
  };
}

/** Whether a string with the wildcards of IAM matches. */
function matches(pattern: string, value: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replace(/\*+/g, "[^]*")
    .replace(/\?/g, "[^]");
  // Bounded by the size of a policy; a pattern of hundreds of wildcards is nobody's mistake.
  return (pattern.match(/\*/g)?.length ?? 0) < 20 && new RegExp(`^${source}$`).test(value);
}

function correctResource(statement: RawStatement, named: NamedRequest, resources: string[]): Point {
  const { request } = named;
  const isNot = statement.NotResource !== undefined;
  const written = textsOf(statement.Resource ?? statement.NotResource);
  const ranked = written
    .map((pattern) => ({ pattern, point: resourcePoint(pattern, request.resource, named.target) }))
    .sort((a, b) => sharedStart(b.pattern, request.resource) - sharedStart(a.pattern, request.resource));
  const best = ranked[0];
  // A path of another account may be another trail's own: it stays.
  const isOthers = best === undefined || written.length > 1 || best.point.kind === "account" || isNot;
  const kept = isNot ? [] : isOthers ? written : written.filter((each) => each !== best.pattern);
  delete statement.NotResource;
  statement.Resource = oneOrMany([...new Set([...kept, ...resources])]);
  const fix = `${isOthers ? "Add" : `Replace ${quoted([best.pattern])} with`} ${quoted(resources)}.`;
  if (isNot) {
    return {
      kind: "not-resource",
      message: `NotResource leaves out ${request.resource}.`,
      fix: `Set "Resource": ${quoted(resources)}.`,
    };
  }
  const point = best?.point ?? { kind: "resource", message: "The statement has no resource." };
  return { ...point, fix };
}

function sharedStart(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a.charAt(at) === b.charAt(at)) at++;
  return at;
}

/** In what a resource differs from the one of the request. */
function resourcePoint(pattern: string, resource: string, target: NamedRequest["target"]): Omit<Point, "fix"> {
  const [wanted, got] = [pattern.split(":"), resource.split(":")];
  const say = (kind: string, message: string) => ({ kind, message: `${message} The resource is "${pattern}".` });
  const [partition, gotPartition] = [wanted[1] ?? "", got[1] ?? ""];
  if (!matches(partition, gotPartition)) {
    return say("partition", `The partition is "${partition}", and the trail is in "${gotPartition}".`);
  }
  if (target === "key") {
    return say("key", `It names another key than ${resource}; in a key policy "*" stands for the key itself.`);
  }
  const [bucket = "", ...path] = wanted.slice(5).join(":").split("/");
  const [gotBucket = "", ...gotPath] = got.slice(5).join(":").split("/");
  if (gotPath.length === 0) {
    return matches(bucket, gotBucket)
      ? say("bucket-or-objects", "It names objects in the bucket; this request is about the bucket itself.")
      : say("bucket", `It names the bucket "${bucket}", and the trail delivers to "${gotBucket}".`);
  }
  if (!matches(bucket, gotBucket))
    return say("bucket", `It names the bucket "${bucket}", and the trail delivers to "${gotBucket}".`);
  if (path.length === 0)
    return say("bucket-or-objects", "It names the bucket itself; this request is about the objects in it.");
  return pathPoint(path, gotPath, say);
}

/** `[prefix/]AWSLogs/[organization/]<account>/CloudTrail/<Region>/...` */
function pathPoint(
  path: string[],
  gotPath: string[],
  say: (kind: string, message: string) => Omit<Point, "fix">,
): Omit<Point, "fix"> {
  const [at, gotAt] = [path.indexOf("AWSLogs"), gotPath.indexOf("AWSLogs")];
  const [prefix, gotPrefix] = [path.slice(0, at).join("/"), gotPath.slice(0, gotAt).join("/")];
  if (at < 0) return say("path", "The path has no AWSLogs folder; CloudTrail writes under AWSLogs/<account>.");
  if (!matches(prefix, gotPrefix)) {
    const named = (text: string) => (text === "" ? "no prefix" : `the prefix "${text}"`);
    return say("prefix", `The path has ${named(prefix)}, and the trail delivers with ${named(gotPrefix)}.`);
  }
  const [rest, gotRest] = [path.slice(at + 1), gotPath.slice(gotAt + 1)];
  const isOfOrganization = /^o-/.test(gotRest[0] ?? "");
  if (!isOfOrganization && /^o-/.test(rest[0] ?? "")) {
    return say(
      "organization-path",
      "The path is the one of an organization trail; this request is about the account's own path.",
    );
  }
  if (isOfOrganization && /^\d{12}$/.test(rest[0] ?? "")) {
    return say(
      "organization-path",
      "The path is an account's own; an organization trail also writes under the organization's id.",
    );
  }
  const names = isOfOrganization ? ["organization", "account", "folder", "region"] : ["account", "folder", "region"];
  for (const [index, name] of names.entries()) {
    const [text, got = ""] = [rest[index], gotRest[index]];
    if (text === undefined || text === "") {
      return say("path-end", "The path ends before the log files; without /* at its end it names one object only.");
    }
    if (matches(text, got)) continue;
    if (text.includes("*") && index === rest.length - 1) break;
    const words: Record<string, string> = {
      organization: `The path has the organization "${text}", and the trail is the one of "${got}".`,
      account: `The path has the account "${text}", and the trail delivers for ${got}.`,
      folder: `The path has the folder "${text}"; this request is about a file in "${got}".`,
      region: `The path has the Region "${text}", and this file is from ${got}.`,
    };
    return say(name, words[name] as string);
  }
  return say(rest.length < 4 ? "path-end" : "path", "The path does not cover all log files of the account.");
}

const sourceArn = "aws:SourceArn";
const trailContext = "kms:EncryptionContext:aws:cloudtrail:arn";
/** What CloudTrail's requests can have; for keys that somebody misspelled. */
const knownKeys = [
  sourceArn,
  "aws:SourceAccount",
  "aws:SourceOrgID",
  "aws:SourceOrgPaths",
  "aws:PrincipalServiceName",
  "aws:SecureTransport",
  "s3:x-amz-acl",
  trailContext,
  "kms:EncryptionContext:aws:s3:arn",
];

const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();

function correctCondition(statement: RawStatement, mismatch: Mismatch, { request }: NamedRequest): Point {
  const { operator = "", key = "", wanted } = mismatch;
  const conditions = statement.Condition as Conditions;
  const got = mismatch.got.length > 0 ? mismatch.got : knownOf(request.context, key);
  const written = `${operator} ${key}`;
  const set = (values: string[], as = operator, called = key) => {
    remove(conditions, operator, key);
    if (values.length === 0) {
      if (Object.keys(conditions).length === 0) delete statement.Condition;
      return;
    }
    statement.Condition = conditions;
    conditions[as] = { ...conditions[as], [called]: oneOrMany(values) };
  };
  const first = got[0];
  if (first === undefined) {
    const meant = knownKeys.find((each) => !same(each, key) && same(nearest(key, [each]) ?? "", each));
    const values = meant === undefined ? [] : knownOf(request.context, meant);
    if (meant !== undefined && values.length > 0) {
      set(wanted, operator, meant);
      return { kind: "key-name", message: `${written}: no request has this condition key.`, fix: `Write ${meant}.` };
    }
    set([]);
    return { kind: "absent-key", message: absentText(written, key, request.action), fix: `Remove ${written}.` };
  }
  const base = operator.replace(/^(ForAnyValue|ForAllValues):/, "").replace(/IfExists$/, "");
  if (base === "Null") {
    set([]);
    return {
      kind: "null",
      message: `${written} demands that the request does not have the key; it has it.`,
      fix: `Remove ${written}.`,
    };
  }
  const isArn = same(key, sourceArn) || same(key, trailContext);
  if (/Not/.test(base)) {
    const as = isArn ? "ArnLike" : "StringEquals";
    set([first], as);
    return {
      kind: "operator",
      message: `${written} in an Allow holds for every value except ${quoted(wanted)}, and the request has just that.`,
      fix: `Use ${as}, or remove the condition.`,
    };
  }
  const wild = wanted.find((each) => /[*?]/.test(each) && matches(each, first));
  if (wild !== undefined && /^StringEquals/.test(base)) {
    const as = same(key, sourceArn) ? "ArnLike" : "StringLike";
    set(wanted, as);
    return {
      kind: "wildcard",
      message: `${written}: the wildcard in ${quoted([wild])} is an ordinary character for this operator.`,
      fix: `Use ${as}.`,
    };
  }
  if (isArn) return correctArn(key, wanted, first, written, set, base);
  const kinds: Record<string, string> = {
    "aws:sourceaccount": "account",
    "aws:sourceorgid": "organization",
    "s3:x-amz-acl": "acl",
    "kms:encryptioncontext:aws:s3:arn": "path",
  };
  const isCase = wanted.some((each) => same(each, first));
  set([first]);
  return {
    kind: isCase ? "case" : (kinds[key.toLowerCase()] ?? "value"),
    message: `${written} wants ${quoted(wanted)}, and the request has ${quoted(got)}.${isCase ? " Letter case counts." : ""}`,
    fix: `Write ${quoted([first])}.`,
  };
}

/** In what the ARN of a trail differs. */
function correctArn(
  key: string,
  wanted: string[],
  got: string,
  written: string,
  set: (values: string[], as?: string) => void,
  base: string,
): Point {
  const differences = (text: string) => {
    const [parts, gotParts] = [text.split(":"), got.split(":")];
    return ["arn", "partition", "service", "region", "account", "trail-name"].filter((_, index) => {
      const [a = "", b = ""] = index < 5 ? [parts[index], gotParts[index]] : [parts.slice(5).join(":"), gotParts[5]];
      return !matches(a, b);
    });
  };
  const ranked = wanted.map((text) => ({ text, kinds: differences(text) }));
  ranked.sort((a, b) => a.kinds.length - b.kinds.length);
  const { text = "", kinds = [] } = ranked[0] ?? {};
  const isWhole = text.split(":").length >= 6 && /^(trail\/|\*)/.test(text.split(":").slice(5).join(":"));
  const kind = !isWhole ? "arn" : (kinds.find((each) => each !== "arn") ?? "arn");
  // Another account's trail may be meant as well.
  const isOthers = wanted.length > 1 || kind === "account";
  const values = isOthers ? [...wanted, got] : [got];
  const hasWildcards = values.some((each) => /[*?]/.test(each));
  if (hasWildcards && base.startsWith("StringEquals")) set(values, same(key, sourceArn) ? "ArnLike" : "StringLike");
  else set(values);
  const part = (arn: string) =>
    kind === "trail-name" ? arn.split("/").slice(1).join("/") || arn : arn.split(":")[partOf[kind] ?? 0];
  const difference =
    kind === "arn" || kinds.length === 0
      ? "That is not the ARN of a trail: it is arn:<partition>:cloudtrail:<home Region>:<account>:trail/<name>."
      : `The ${words[kind]} is "${part(text) ?? ""}", and the trail's is "${part(got) ?? ""}".`;
  return {
    kind: kinds.length === 0 ? "case" : kind,
    message: `${written} has ${quoted([text])}. ${difference}`,
    fix: isOthers ? `Add "${got}"; remove ${quoted([text])} if no other trail of yours is meant.` : `Write "${got}".`,
  };
}

const partOf: Record<string, number> = { partition: 1, service: 2, region: 3, account: 4 };
const words: Record<string, string> = {
  partition: "partition",
  service: "service",
  region: "home Region",
  account: "account",
  "trail-name": "trail's name",
};

function absentText(written: string, key: string, action: string): string {
  const reasons: [RegExp, string][] = [
    [/^aws:SourceAccount$/i, "the check of the bucket's ACL has been seen with aws:SourceArn alone"],
    [/^aws:SourceOrg/i, "as far as is known, the trail's account is not in an organization"],
    [
      /^aws:(Principal(OrgID|OrgPaths|Arn|Account|Tag)|userid|username|MultiFactorAuth)/i,
      "CloudTrail is a service, not a principal of an account",
    ],
    [/^aws:Source(Ip|Vpc|Vpce)/i, "CloudTrail calls from within AWS, not from a network of yours"],
    [/^s3:x-amz-server-side-encryption/i, "the check when a trail is created names no encryption"],
    [/^kms:(CallerAccount|ViaService)$/i, "CloudTrail calls KMS as a service, in its own name"],
    [
      /^kms:EncryptionContext/i,
      action === "kms:GenerateDataKey"
        ? "CloudTrail's encryption context does not have it"
        : `${action} has no encryption context`,
    ],
  ];
  const reason = reasons.find(([pattern]) => pattern.test(key))?.[1];
  return `${written}: the request does not have this key${reason === undefined ? "" : `; ${reason}`}.`;
}

/** The values of a condition key, as far as they are known. */
function knownOf(context: RequestContext | undefined, key: string): string[] {
  const found = Object.entries(context ?? {}).find(([name]) => same(name, key))?.[1];
  if (found === undefined || (typeof found === "object" && !Array.isArray(found))) return [];
  return [found].flat().map(String);
}

function remove(conditions: Conditions, operator: string, key: string): void {
  const keys = { ...conditions[operator] };
  delete keys[key];
  if (Object.keys(keys).length > 0) conditions[operator] = keys;
  else delete conditions[operator];
}

/** What takes a Deny off CloudTrail, the smallest change first; each is tried. */
export function lift(
  statement: RawStatement,
  { request }: NamedRequest,
  decision: Decision,
  isLifted: (statement: RawStatement) => boolean,
): { points: Point[]; corrected?: RawStatement } {
  const because = decision.because ?? [];
  const candidates: [kind: string, fix: string, change: (clone: RawStatement) => void][] = [];
  for (const { operator = "", key = "", wanted, got } of because) {
    const values = got.length > 0 ? got : knownOf(request.context, key);
    const change = (to: string[]) => (clone: RawStatement) => {
      const keys = (clone.Condition as Conditions)[operator];
      if (keys) keys[key] = oneOrMany(to);
    };
    if (/Not/.test(operator) && values.length > 0 && !/^(Not)?Ip/.test(operator)) {
      candidates.push(["deny-list", `Add ${quoted(values)} to ${operator} ${key}.`, change([...wanted, ...values])]);
    }
    if (/^Bool/.test(operator) && same(key, "aws:SecureTransport")) {
      candidates.push([
        "deny-inverted",
        `It denies requests with TLS: write ${operator} ${key} "false".`,
        change(["false"]),
      ]);
    }
  }
  const isService = ["aws:PrincipalIsAWSService", "BoolIfExists"] as const;
  candidates.push(
    [
      "deny-principal",
      `Add the service ${cloudTrailService} to NotPrincipal.`,
      (clone) => {
        if (typeof clone.NotPrincipal !== "object" || clone.NotPrincipal === null) return;
        const { Service } = clone.NotPrincipal as { Service?: unknown };
        clone.NotPrincipal = { ...clone.NotPrincipal, Service: oneOrMany([...textsOf(Service), cloudTrailService]) };
      },
    ],
    [
      "deny-exemption",
      `It has no exemption for AWS services: add "${isService[1]}": {"${isService[0]}": "false"}.`,
      (clone) => {
        const conditions = (clone.Condition ?? {}) as Conditions;
        if (Object.values(conditions).some((keys) => Object.keys(keys).some((each) => same(each, isService[0]))))
          return;
        clone.Condition = { ...conditions, [isService[1]]: { ...conditions[isService[1]], [isService[0]]: "false" } };
      },
    ],
  );
  const held = decision.explanation.replace(/^[^]*? denies it/, "It denies the request").replace(/\.$/, "");
  for (const [kind, fix, change] of candidates) {
    const corrected = structuredClone(statement);
    change(corrected);
    if (isLifted(corrected)) return { points: [{ kind, message: `${held}.`, fix }], corrected };
  }
  return {
    points: [{ kind: "deny", message: `${held}.`, fix: "Remove the statement, or exempt CloudTrail from it." }],
  };
}
