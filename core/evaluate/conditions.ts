/**
 * Conditions: what each operator means, and what holds when the request does not have the key.
 * Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 *          https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
 *          https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
 */
import type { Lookup, Matcher, Part, Token } from "./pattern";
import { ArnPattern, Glob, hasVariables, parseTemplate, resolve, splitArn } from "./pattern";
import { isUnknown } from "./context";
import type { UnknownValue } from "./types";
import type { AddressRange } from "./values";
import { inRange, readAddress, readBinary, readBoolean, readDate, readNumber, readRange } from "./values";

/** `undefined` is "cannot be decided". */
export type Truth = boolean | undefined;

/** The same of texts with policy variables: `null` when it depends on a variable whose value is unknown. */
export type Matched = Truth | null;

type Family = "string" | "ignoreCase" | "like" | "arn" | "bool" | "null" | "number" | "date" | "ip" | "binary";
type Order = "equals" | "lessThan" | "lessThanEquals" | "greaterThan" | "greaterThanEquals";

interface Operator {
  family: Family;
  negated?: boolean;
  order?: Order;
}

const ordered = (name: "Numeric" | "Date", family: Family): [string, Operator][] => [
  [`${name}Equals`, { family, order: "equals" }],
  [`${name}NotEquals`, { family, order: "equals", negated: true }],
  [`${name}LessThan`, { family, order: "lessThan" }],
  [`${name}LessThanEquals`, { family, order: "lessThanEquals" }],
  [`${name}GreaterThan`, { family, order: "greaterThan" }],
  [`${name}GreaterThanEquals`, { family, order: "greaterThanEquals" }],
];

/** Every condition operator, without prefix and suffix. ArnEquals and ArnLike behave alike, wildcards included. */
const operators = new Map<string, Operator>([
  ["StringEquals", { family: "string" }],
  ["StringNotEquals", { family: "string", negated: true }],
  ["StringEqualsIgnoreCase", { family: "ignoreCase" }],
  ["StringNotEqualsIgnoreCase", { family: "ignoreCase", negated: true }],
  ["StringLike", { family: "like" }],
  ["StringNotLike", { family: "like", negated: true }],
  ["ArnEquals", { family: "arn" }],
  ["ArnLike", { family: "arn" }],
  ["ArnNotEquals", { family: "arn", negated: true }],
  ["ArnNotLike", { family: "arn", negated: true }],
  ["Bool", { family: "bool" }],
  ["Null", { family: "null" }],
  ...ordered("Numeric", "number"),
  ...ordered("Date", "date"),
  ["IpAddress", { family: "ip" }],
  ["NotIpAddress", { family: "ip", negated: true }],
  ["BinaryEquals", { family: "binary" }],
]);

/** The names of all operators, for messages. */
export const operatorNames = [...operators.keys()];

/** How many of the request's values must match: its only one, any one, or all of them. */
export type Quantifier = "one" | "any" | "all";

/** An operator as a policy writes it, understood. */
export interface OperatorUse extends Operator {
  quantifier: Quantifier;
  ifExists: boolean;
}

/** Understands an operator's name, or answers with undefined. Names are case-sensitive here: AWS documents no other. */
export function readOperator(name: string): OperatorUse | undefined {
  const match = /^(?:(ForAnyValue|ForAllValues):)?([A-Za-z]+?)(IfExists)?$/.exec(name);
  const operator = operators.get(match?.[2] ?? "");
  if (!match || !operator) return undefined;
  const quantifier = match[1] === "ForAnyValue" ? "any" : match[1] === "ForAllValues" ? "all" : "one";
  const ifExists = match[3] !== undefined;
  // Null asks for the key itself: AWS has no IfExists for it and documents no set operator.
  if (operator.family === "null" && (ifExists || quantifier !== "one")) return undefined;
  return { ...operator, quantifier, ifExists };
}

/** What a value of this operator must look like, for messages. Undefined for texts, where everything goes. */
const shapes: Partial<Record<Family, string>> = {
  bool: 'true or false, such as "true"',
  null: 'true or false, such as "false"',
  number: 'a number, such as "1.2"',
  date: 'a date such as "2026-01-31T12:00:00Z", or epoch seconds',
  ip: 'an address or range such as "192.0.2.0/24" or "2001:db8::/32"',
  binary: "base64",
};

/** Tells whether one value of the request matches one of the policy's values. */
type Match = (value: string, lookup: Lookup) => Matched;

/** A condition, ready to be put to requests. */
export interface Condition extends OperatorUse {
  /** Operator and key as written. */
  operator: string;
  key: string;
  /** The key in lower case: keys have no case. */
  lookupKey: string;
  wanted: string[];
  match: Match;
  /** For Null: whether it wants the key absent, present, or (absurdly) both. */
  wantsAbsent?: boolean[];
}

/** A condition, or what is wrong with one of its values. */
export type CompiledCondition = { condition: Condition } | { problem: string; what: "value" | "variable" };

/** Understands one operator and key with its values. */
export function compileCondition(
  operator: string,
  use: OperatorUse,
  key: string,
  wanted: string[],
  variables: boolean,
): CompiledCondition {
  const built = buildMatch(use, wanted, variables);
  if ("problem" in built) return built;
  const condition: Condition = { ...use, operator, key, lookupKey: key.toLowerCase(), wanted, match: built.match };
  if (use.family === "null") condition.wantsAbsent = wanted.map((text) => readBoolean(text) as boolean);
  return { condition };
}

type BuiltMatch = { match: Match } | { problem: string; what: "value" | "variable" };

function buildMatch(use: OperatorUse, wanted: string[], variables: boolean): BuiltMatch {
  switch (use.family) {
    case "string":
      return textMatch(wanted, { wildcards: false, variables }, (tokens) => new Glob(tokens));
    case "like":
      return textMatch(wanted, { wildcards: true, variables }, (tokens) => new Glob(tokens));
    case "arn": {
      const built = textMatch(wanted, { wildcards: true, variables }, (tokens) => new ArnPattern(tokens));
      if ("problem" in built) return built;
      return { match: (value, lookup) => (splitArn(value) === undefined ? undefined : built.match(value, lookup)) };
    }
    case "ignoreCase": {
      const lower = (tokens: Token[]): Token[] =>
        tokens.map((token) => (typeof token === "string" ? token.toLowerCase() : token));
      const built = textMatch(wanted, { wildcards: false, variables }, (tokens) => new Glob(lower(tokens)));
      return "problem" in built ? built : { match: (value, lookup) => built.match(value.toLowerCase(), lookup) };
    }
    case "bool":
    case "null":
      return valueMatch(use, wanted, readBoolean, readBoolean, (value, want) => value === want);
    case "number":
      return valueMatch(use, wanted, readNumber, readNumber, orders[use.order as Order]);
    case "date":
      return valueMatch(use, wanted, readDate, readDate, orders[use.order as Order]);
    case "ip":
      return valueMatch<number[], AddressRange>(use, wanted, readAddress, readRange, inRange);
    case "binary":
      return valueMatch(use, wanted, readBinary, readBinary, (value, want) => value === want);
  }
}

const orders: Record<Order, (value: number, want: number) => boolean> = {
  equals: (value, want) => value === want,
  lessThan: (value, want) => value < want,
  lessThanEquals: (value, want) => value <= want,
  greaterThan: (value, want) => value > want,
  greaterThanEquals: (value, want) => value >= want,
};

/**
 * Operators with typed values. Policy variables exist for text and ARN operators only, so a variable is a wrong value here.
 * A value of the request that is not of the type leaves the condition undecided.
 */
function valueMatch<V, W>(
  use: OperatorUse,
  wanted: string[],
  readValue: (text: string) => V | undefined,
  readWanted: (text: string) => W | undefined,
  compare: (value: V, want: W) => boolean,
): BuiltMatch {
  const wants: W[] = [];
  for (const text of wanted) {
    const want = readWanted(text);
    if (want === undefined) return { what: "value", problem: `"${text.slice(0, 80)}" is not ${shapes[use.family]}` };
    wants.push(want);
  }
  return {
    match: (text) => {
      const value = readValue(text);
      return value === undefined ? undefined : wants.some((want) => compare(value, want));
    },
  };
}

/**
 * Texts that may have wildcards and variables, prepared so that a list of hundreds is a few look-ups: of plain texts, of
 * texts that end in their only wildcard, and of patterns by the rarest text that whatever they match contains, such as the
 * account in `arn:aws:cloudtrail:*:111111111111:trail/*`.
 */
export class TextList {
  private readonly plain = new Set<string>();
  /** What comes before a `*` at the end, by its length. */
  private readonly prefixes = new Map<number, Set<string>>();
  /** Patterns by what they contain, by its length. */
  private readonly containing = new Map<number, Map<string, Matcher[]>>();
  private readonly patterns: Matcher[];
  private readonly dynamic: Part[][] = [];
  private readonly unclear: boolean = false;

  constructor(
    templates: Part[][],
    private readonly build: (tokens: Token[]) => Matcher,
  ) {
    const others: Matcher[] = [];
    for (const parts of templates) {
      if (hasVariables(parts)) {
        this.dynamic.push(parts);
        continue;
      }
      const matcher = build(parts as Token[]);
      if (matcher.malformed) this.unclear = true;
      if (matcher.literal !== undefined) this.plain.add(matcher.literal);
      else if (matcher.prefix !== undefined) addTo(this.prefixes, matcher.prefix.length, matcher.prefix);
      else others.push(matcher);
    }
    this.patterns = this.index(others);
  }

  /** Indexes patterns by their rarest text; gives back those that are better gone through one by one. */
  private index(matchers: Matcher[]): Matcher[] {
    const counts = new Map<string, number>();
    for (const text of matchers.flatMap(({ contained }) => contained ?? [])) {
      counts.set(text, (counts.get(text) ?? 0) + 1);
    }
    const count = (text: string) => counts.get(text) ?? 0;
    const byLength = new Map<number, [text: string, matcher: Matcher][]>();
    for (const matcher of matchers) {
      const rarest = (matcher.contained ?? []).reduce((a, b) => (a === "" || count(b) < count(a) ? b : a), "");
      const same = byLength.get(rarest.length);
      if (same) same.push([rarest, matcher]);
      else byLength.set(rarest.length, [[rarest, matcher]]);
    }
    const rest: Matcher[] = [];
    // Each length costs a walk along the value, so only those that save many comparisons.
    for (const [length, group] of [...byLength].sort(([, a], [, b]) => b.length - a.length)) {
      if (length === 0 || group.length < fewPatterns || this.containing.size === mostLengths) {
        rest.push(...group.map(([, matcher]) => matcher));
        continue;
      }
      const texts = new Map<string, Matcher[]>();
      for (const [text, matcher] of group) {
        const same = texts.get(text);
        if (same) same.push(matcher);
        else texts.set(text, [matcher]);
      }
      this.containing.set(length, texts);
    }
    return rest;
  }

  /**
   * True when one of the texts matches; null when none does, but one has a variable whose value is unknown; undefined when one
   * has a variable without a value or is not an ARN.
   */
  matches(value: string, lookup: Lookup): Matched {
    if (this.plain.has(value)) return true;
    for (const [length, prefixes] of this.prefixes) {
      if (length <= value.length && prefixes.has(value.slice(0, length))) return true;
    }
    for (const [length, texts] of this.containing) {
      for (let end = length; end <= value.length; end++) {
        const candidates = texts.get(value.slice(end - length, end));
        if (candidates?.some((pattern) => pattern.matches(value))) return true;
      }
    }
    for (const pattern of this.patterns) if (pattern.matches(value)) return true;
    let unclear = this.unclear;
    let unknown = false;
    for (const parts of this.dynamic) {
      const tokens = resolve(parts, lookup);
      if (tokens === null) {
        unknown = true;
        continue;
      }
      const matcher = tokens && this.build(tokens);
      if (matcher?.matches(value)) return true;
      if (matcher === undefined || matcher.malformed) unclear = true;
    }
    return unknown ? null : unclear ? undefined : false;
  }
}

/** Fewer patterns than this are gone through one by one. */
const fewPatterns = 8;
const mostLengths = 4;

function addTo(map: Map<number, Set<string>>, length: number, text: string): void {
  const set = map.get(length);
  if (set) set.add(text);
  else map.set(length, new Set([text]));
}

function textMatch(
  wanted: string[],
  options: { wildcards: boolean; variables: boolean },
  build: (tokens: Token[]) => Matcher,
): BuiltMatch {
  const templates: Part[][] = [];
  for (const text of wanted) {
    const template = parseTemplate(text, options);
    if (template.problem !== undefined) return { what: "variable", problem: template.problem };
    templates.push(template.parts);
  }
  const list = new TextList(templates, build);
  return { match: (value, lookup) => list.matches(value, lookup) };
}

/** Why a condition is undecided, for messages. */
export type WhyUndecided =
  | "manyValues"
  | "wrongType"
  | "unresolved"
  | "emptyValue"
  | "anyIfExists"
  | "noArn"
  /** The value of the condition's key is unknown, or the one of a policy variable. */
  | "unknown"
  | "unknownVariable";

/** The answer of a condition. */
export interface ConditionResult {
  truth: Truth;
  undecided?: WhyUndecided;
}

const yes: ConditionResult = { truth: true };
const no: ConditionResult = { truth: false };

/**
 * Puts a condition to a request. `values` is undefined when the request does not have the key; then
 *
 * | operator | holds |
 * |---|---|
 * | `ForAllValues:...`, also with `IfExists` | yes |
 * | `ForAnyValue:...` | no |
 * | `ForAnyValue:...IfExists` | undecided: AWS says "true" of the one and "false" of the other |
 * | `...IfExists` | yes |
 * | negated (`StringNotEquals`, `ArnNotLike`, `NotIpAddress` ...) | yes |
 * | `Null` | when it says `true` |
 * | any other | no |
 *
 * An unknown value decides as far as all that it can be gives the same answer.
 */
export function holds(
  condition: Condition,
  values: readonly string[] | UnknownValue | undefined,
  lookup: Lookup,
): ConditionResult {
  return isUnknown(values) ? holdsUnknown(condition, values, lookup) : holdsFor(condition, values, lookup);
}

function holdsUnknown(condition: Condition, value: UnknownValue, lookup: Lookup): ConditionResult {
  const present: Truth[] =
    value.oneOf === undefined || condition.wantsAbsent
      ? [holdsForAny(condition, value)]
      : value.oneOf.map((each) => holdsFor(condition, [each].flat(), lookup).truth);
  const [first, ...others] =
    value.presence === "maybe" ? [...present, holdsFor(condition, undefined, lookup).truth] : present;
  return first === undefined || others.some((each) => each !== first)
    ? { truth: undefined, undecided: "unknown" }
    : { truth: first };
}

/** What holds for every value that the key can have, when it is there. */
function holdsForAny(condition: Condition, value: UnknownValue): Truth {
  if (condition.wantsAbsent) return condition.wantsAbsent.includes(false);
  const matches = condition.wanted.map((text) => matchesUnknown(condition, text, value));
  const matched: Truth = matches.includes(true) ? true : matches.includes(undefined) ? undefined : false;
  return matched === undefined ? undefined : matched !== (condition.negated === true);
}

/** Whether a string of the policy matches whatever the value is, or never does. */
function matchesUnknown({ family }: Condition, text: string, { startsWith, except }: UnknownValue): Truth {
  if ((family !== "string" && family !== "ignoreCase" && family !== "like") || text.includes("${")) return undefined;
  const fold = (each: string) => (family === "ignoreCase" ? each.toLowerCase() : each);
  const wild = family === "like" ? text.search(/[*?]/) : -1;
  const head = fold(wild < 0 ? text : text.slice(0, wild));
  const start = fold(startsWith ?? "");
  if (wild >= 0 && /^\*+$/.test(text.slice(wild)) && start.startsWith(head)) return true;
  if (!start.startsWith(head) && !head.startsWith(start)) return false;
  return wild < 0 && except?.some((each) => fold(each) === head) ? false : undefined;
}

function holdsFor(condition: Condition, values: readonly string[] | undefined, lookup: Lookup): ConditionResult {
  const absent = values === undefined || values.length === 0;
  if (condition.wantsAbsent) {
    // AWS calls an empty text "a null dataset" in one place and never says whether Null takes it for absent.
    const empty = !absent && values.every((value) => value === "");
    if (empty && !(condition.wantsAbsent.includes(true) && condition.wantsAbsent.includes(false))) {
      return { truth: undefined, undecided: "emptyValue" };
    }
    return condition.wantsAbsent.includes(absent) ? yes : no;
  }
  if (absent) {
    if (condition.quantifier === "any") return condition.ifExists ? { truth: undefined, undecided: "anyIfExists" } : no;
    return condition.ifExists || condition.quantifier === "all" || condition.negated === true ? yes : no;
  }
  // ForAllValues takes a key "that resolves to a null dataset, such as an empty string" for an absent one.
  if (condition.quantifier === "all" && values.every((value) => value === "")) return yes;
  if (condition.quantifier === "one" && values.length > 1) return { truth: undefined, undecided: "manyValues" };
  let undecided = false;
  let unknown = false;
  for (const value of values) {
    const truth = one(condition, value, lookup);
    if (truth === undefined) undecided = true;
    else if (truth === null) unknown = true;
    else if (truth !== (condition.quantifier !== "any")) return truth ? yes : no;
  }
  if (unknown) return { truth: undefined, undecided: "unknownVariable" };
  if (undecided) return { truth: undefined, undecided: undecidedReason(condition) };
  return condition.quantifier === "any" ? no : yes;
}

function undecidedReason(condition: Condition): WhyUndecided {
  if (!isText(condition)) return "wrongType";
  return condition.family === "arn" ? "noArn" : "unresolved";
}

const isText = (condition: Condition): boolean => shapes[condition.family] === undefined;

/**
 * One value of the request. A string whose variable has no value matches nothing, nor does a value that should be an ARN and is not;
 * where just that would make the condition hold (a negated operator), AWS documents no rule ("might cause the entire
 * statement to be invalid"): undecided.
 */
function one(condition: Condition, value: string, lookup: Lookup): Matched {
  const truth = condition.match(value, lookup);
  if (truth === null) return null;
  if (truth === undefined) return condition.negated !== true && isText(condition) ? false : undefined;
  return truth !== (condition.negated === true);
}
