/**
 * Adds Crosstrail's statements to the policy of a bucket or key that somebody else made. Whatever that policy says
 * stays unchanged, to the letter; what cannot be added beside it is refused with a reason.
 */
import { Findings, nameStatement, readRaw } from "../evaluate/compile";
import type { Finding } from "../findings";
import { UserError } from "../findings";
import type { BucketPolicyInput } from "./bucket";
import { BucketPolicyForm, bucketPolicyIn, bucketPolicyLimit } from "./bucket";
import type { Statement } from "./document";
import { canonical, policyDocument, serialize } from "./document";
import type { StatementTexts } from "./jsonText";
import { cut } from "./jsonText";
import type { KeyPolicyInput } from "./key";
import { KeyPolicyForm, keyPolicyIn, keyPolicyLimit, ownerSids } from "./key";

export interface MergeOptions<Form extends string> {
  /** The current policy's text. Left out: there is none. */
  current?: string;
  /** The form to take, whatever else would fit. Left out: the tightest that fits beside the current statements. */
  form?: Form;
  /** Sids of current statements to leave out, such as Crosstrail's own from an earlier run. */
  without?: string[];
}

/** A statement of the current policy. */
export interface CurrentStatement {
  /** As it is written there, minified. */
  text: string;
  sid?: string;
  /** `statement 2 ("AllowWrite")`, counted in the current policy. */
  name: string;
}

/** The policy with the statements added. */
export interface Merge<Form extends string> {
  form: Form;
  /** The whole document, minified. Its statements are `kept`, then `added`. */
  text: string;
  /** Its size, and AWS's limit, in bytes. */
  bytes: number;
  limit: number;
  kept: CurrentStatement[];
  removed: CurrentStatement[];
  added: Statement[];
  /** All that the fleet needs: what was added and what was there. */
  wanted: Statement[];
  /** Statements that the current policy has already, and which one that is. */
  present: { sid: string; as: string }[];
  /** Statements that were not asked for and are not in the current policy either. */
  leftOut: Statement[];
  /** What somebody should look at. */
  findings: Finding[];
}

/** Either the merge, or why there is none. */
export type MergeResult<Form extends string> = { merge: Merge<Form> } | { refused: Finding[] };

/**
 * Adds what lets the fleet deliver and read.
 * @param denials Whether to add what denies too, such as access without TLS: it then holds for all that is in the
 * bucket.
 * @throws UserError when the current policy is not a policy.
 */
export function mergeBucketPolicy(
  input: BucketPolicyInput,
  { denials = false, ...options }: MergeOptions<BucketPolicyForm> & { denials?: boolean } = {},
): MergeResult<BucketPolicyForm> {
  return merge({
    ...options,
    what: "bucket policy",
    key: "crosstrail:bucketPolicyForm",
    limit: bucketPolicyLimit,
    forms: Object.values(BucketPolicyForm),
    build: (form) => bucketPolicyIn(form, input).Statement,
    // What denies a trail's nested prefix goes with what lets trails write: it concerns nothing else in the bucket.
    isWanted: ({ Effect, Sid }) => denials || Effect === "Allow" || Sid === "DenyNestedPrefix",
  });
}

/**
 * Adds what lets the fleet encrypt and read. Never the account's administration: who administers the key is its owner's
 * choice, and a policy that lets nobody change it cannot be changed to add that either.
 * @throws UserError when the current policy is not a policy.
 */
export function mergeKeyPolicy(
  input: KeyPolicyInput,
  options: MergeOptions<KeyPolicyForm> = {},
): MergeResult<KeyPolicyForm> {
  const build = (form: KeyPolicyForm) =>
    keyPolicyIn(form, input).Statement.filter(({ Sid }) => !ownerSids.includes(Sid));
  return merge({
    ...options,
    what: "key policy",
    key: "crosstrail:keyPolicyForm",
    limit: keyPolicyLimit,
    forms: Object.values(KeyPolicyForm),
    build,
    isWanted: () => true,
  });
}

interface MergeInput<Form extends string> extends MergeOptions<Form> {
  what: string;
  /** The configuration key of the form. */
  key: string;
  limit: number;
  /** Tightest first. */
  forms: Form[];
  build: (form: Form) => Statement[];
  isWanted: (statement: Statement) => boolean;
}

/** One form, tried. */
interface Attempt<Form extends string> extends Pick<Merge<Form>, "form" | "text" | "bytes" | "added" | "present"> {
  built: Statement[];
  collisions: { ours: Statement; current: CurrentStatement }[];
}

function merge<Form extends string>(input: MergeInput<Form>): MergeResult<Form> {
  const { limit, without = [], forms, form: demanded, build, isWanted } = input;
  const current = read(input.current, input.what);
  const isKept = ({ sid }: CurrentStatement) => sid === undefined || !without.includes(sid);
  const kept = current.statements.filter(isKept);
  const removed = current.statements.filter((statement) => !isKept(statement));
  const unknown = without.filter((sid) => !removed.some((statement) => statement.sid === sid));
  if (unknown.length > 0) return { refused: unknown.map((sid) => noSuchSid(sid, current.statements)) };

  const documentOf = (added: Statement[]) =>
    join(current, [...kept.map(({ text }) => text), ...added.map((each) => JSON.stringify(each))]);
  // Said of the current policy itself, before more is done with what may be a thousand times too large.
  const keptBytes = bytesOf(documentOf([]));
  if (keptBytes > limit) return { refused: [tooLargeItself(input, keptBytes)] };

  const attempts = (demanded === undefined ? forms : [demanded]).map((form): Attempt<Form> => {
    const built = build(form);
    const found = compare(built.filter(isWanted), kept);
    const text = documentOf(found.added);
    return { ...found, form, built, text, bytes: bytesOf(text) };
  });
  // A policy that has one form completely needs no other beside it: together they would allow what the looser one does.
  const chosen = attempts.find(({ added }) => added.length === 0) ?? attempts.find(({ bytes }) => bytes <= limit);
  if (!chosen || chosen.bytes > limit) {
    const [smallest] = [...attempts].sort((one, other) => one.bytes - other.bytes);
    return { refused: [noRoom(input, smallest as Attempt<Form>, limit - keptBytes)] };
  }
  const { built, collisions, ...rest } = chosen;
  const wanted = built.filter(isWanted);
  const refused = [...collisions.map((each) => collision(each, collisions)), ...version(current, wanted)];
  if (refused.length > 0) return { refused };

  const all = compare(built, kept);
  const leftOut = all.added.filter((statement) => !isWanted(statement));
  const used = new Set(all.present.map(({ as }) => as));
  const known = new Set(forms.flatMap((form) => build(form).filter(isWanted)).map(({ Sid }) => Sid));
  const findings = kept
    .filter(({ sid = "", name }) => (known.has(sid) || /^CloudTrailWrite\d{12}$/.test(sid)) && !used.has(name))
    .map(leftOver);
  return { merge: { ...rest, limit, kept, removed, wanted, leftOut, findings } };
}

/** A policy that was taken apart. */
interface CurrentPolicy extends Omit<StatementTexts, "statements"> {
  statements: CurrentStatement[];
  /** Whether policy variables mean something in it. */
  variables: boolean;
}

function read(given: string | undefined, what: string): CurrentPolicy {
  if (given === undefined) {
    // The document is the builder's, except its statements.
    const [before, after] = serialize(policyDocument([])).split("[]") as [string, string];
    return { before, after, statements: [], isList: true, variables: true };
  }
  const text = unwrap(given);
  const findings = new Findings();
  const raw = readRaw(text, findings);
  if (raw === undefined) throw new UserError(`The current ${what} is not usable.`, findings.list);
  const { statements, ...around } = cut(text);
  return {
    ...around,
    variables: raw.variables,
    statements: statements.map((each, index) => {
      const sid = (raw.statements[index] as { Sid?: unknown } | null)?.Sid;
      const own = typeof sid === "string" && sid !== "" ? sid : undefined;
      return { text: each, ...(own === undefined ? {} : { sid: own }), name: nameStatement(index, own) };
    }),
  };
}

/** The policy itself, also out of the AWS CLI's whole answer: `{"Policy": "{...}"}`. */
function unwrap(given: string): string {
  const text = given.replace(/^\uFEFF/, "");
  try {
    const value = JSON.parse(text) as { Policy?: unknown; Statement?: unknown } | null;
    if (typeof value?.Policy === "string" && value.Statement === undefined) return value.Policy;
  } catch {
    // What is wrong with it is said when it is read as a policy.
  }
  return text;
}

/** Which of our statements already exist, under whatever Sid, and which of them meet another one of their Sid. */
function compare(
  ours: Statement[],
  kept: CurrentStatement[],
): Pick<Attempt<string>, "added" | "present" | "collisions"> {
  const byContent = new Map(kept.map((each) => [contentOf(JSON.parse(each.text)), each]));
  const found: ReturnType<typeof compare> = { added: [], present: [], collisions: [] };
  for (const statement of ours) {
    const same = byContent.get(contentOf(statement));
    if (same) {
      found.present.push({ sid: statement.Sid, as: same.name });
      continue;
    }
    const namesake = kept.find(({ sid }) => sid === statement.Sid);
    if (namesake) found.collisions.push({ ours: statement, current: namesake });
    found.added.push(statement);
  }
  return found;
}

/** What a statement says, without its name. */
function contentOf(statement: unknown): string {
  if (typeof statement !== "object" || statement === null || Array.isArray(statement)) return canonical(statement);
  const content = Object.entries(statement).filter(([name]) => name !== "Sid");
  return canonical(Object.fromEntries(content));
}

function join({ before, after, isList }: CurrentPolicy, statements: string[]): string {
  const single = !isList && statements.length === 1;
  return `${before}${single ? "" : "["}${statements.join(",")}${single ? "" : "]"}${after}`;
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

function noSuchSid(sid: string, statements: CurrentStatement[]): Finding {
  const sids = statements.flatMap((each) => each.sid ?? []);
  return {
    id: "policy/no-such-sid",
    severity: "error",
    subject: `--without ${sid}`,
    message: "The current policy has no statement with this Sid.",
    remedy: sids.length === 0 ? "It has no Sids." : `Its Sids are ${sids.slice(0, 20).join(", ")}.`,
  };
}

function tooLargeItself({ what, limit }: { what: string; limit: number }, bytes: number): Finding {
  return {
    id: "policy/no-room",
    severity: "error",
    subject: `current ${what}`,
    message: `It already has ${bytes} bytes; AWS allows ${limit}.`,
    remedy: "Check that this is the deployed policy.",
  };
}

function noRoom<Form extends string>(
  { what, key, limit, forms, form: demanded, build, isWanted }: MergeInput<Form>,
  { form, bytes }: Attempt<Form>,
  room: number,
): Finding {
  // Without the comma between; near enough to name a form that is worth trying.
  const sizeOf = (each: Form) => bytesOf(JSON.stringify(build(each).filter(isWanted)));
  const fitting = demanded === undefined ? undefined : forms.find((each) => sizeOf(each) <= room);
  const more = "make room in the current policy, or deliver some of the accounts to a second archive";
  return {
    id: "policy/no-room",
    severity: "error",
    subject: `${what}, form ${form}`,
    message: `With the current statements, this needs ${bytes} bytes; AWS allows ${limit}. The current statements leave ${room}.`,
    remedy:
      demanded === undefined
        ? `No form needs less: ${more}.`
        : fitting === undefined
          ? `No other form fits either: ${more}.`
          : `Set ${key} to ${fitting}, or remove the key to use the tightest form that fits.`,
  };
}

function collision(
  { ours, current }: Attempt<string>["collisions"][number],
  all: Attempt<string>["collisions"],
): Finding {
  const theirs = JSON.parse(current.text) as Record<string, unknown>;
  const mine = ours as unknown as Record<string, unknown>;
  const differs = (name: string) => canonical(theirs[name] ?? null) !== canonical(mine[name] ?? null);
  const names = [...new Set([...Object.keys(theirs), ...Object.keys(mine)])].filter(differs);
  const show = (statement: Record<string, unknown>) => {
    const text = JSON.stringify(shallow(Object.fromEntries(names.map((name) => [name, statement[name]]))));
    return text.length > 600 ? `${text.slice(0, 600)}…` : text;
  };
  return {
    id: "policy/sid-collision",
    severity: "error",
    subject: current.name,
    message: `The current policy has a different statement with this Sid. Where they differ, it has ${show(theirs)}; Crosstrail's has ${show(mine)}.`,
    remedy: `If it is Crosstrail's, from an earlier run, replace it with --without ${all.map(({ current: { sid } }) => sid).join(" ")}. Otherwise, give it another Sid in the current policy.`,
  };
}

/** A copy that can be written: what is nested deeper than in any policy is left out. */
function shallow(value: unknown, depth = 0): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (depth > 5) return "…";
  if (Array.isArray(value)) return value.map((each) => shallow(each, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, shallow(each, depth + 1)]));
}

/** Our statements for members hold a policy variable, which is ordinary text in the older version of the language. */
function version({ variables }: CurrentPolicy, wanted: Statement[]): Finding[] {
  if (variables) return [];
  return wanted
    .filter((statement) => JSON.stringify(statement).includes("${"))
    .map((statement) => ({
      id: "policy/variable-version",
      severity: "error" as const,
      subject: statement.Sid,
      message:
        "The statement has a policy variable, but the current policy's Version is not 2012-10-17, which treats it as ordinary text.",
      remedy: 'Set "Version": "2012-10-17" in the current policy after checking what its statements mean by "${".',
    }));
}

function leftOver({ sid, name }: CurrentStatement): Finding {
  return {
    id: "policy/left-over",
    severity: "warning",
    subject: name,
    message: "It has the Sid of a Crosstrail statement, but this fleet does not need it.",
    remedy: `If it is from an earlier run, for example for an account that left the fleet, remove it with --without ${sid}.`,
  };
}
