/**
 * Texts of a policy that are patterns: wildcards and policy variables.
 * Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 *          https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
 */

/** `?`: any one character. */
export const ONE = 0;
/** `*`: any characters, also none. */
export const MANY = 1;

/** A piece of a pattern: literal text or a wildcard. */
export type Token = string | typeof ONE | typeof MANY;

/** A policy variable, `${key}` or `${key, 'default'}`. */
export interface Variable {
  /** The condition key in lower case. */
  key: string;
  fallback?: string;
}

export type Part = Token | Variable;

/** A string of a policy, taken apart. */
export interface Template {
  parts: Part[];
  /** What is wrong with its variables; nobody knows what such a string means. */
  problem?: string;
}

/** Looks up a condition key that has exactly one value; null when its value is unknown, undefined otherwise. */
export type Lookup = (key: string) => string | null | undefined;

const isVariable = (part: Part): part is Variable => typeof part === "object";

/**
 * Takes a string apart. Variables exist since policy version 2012-10-17; before, `${...}` is ordinary text.
 * `${*}`, `${?}` and `${$}` stand for the characters themselves.
 */
export function parseTemplate(text: string, options: { wildcards: boolean; variables: boolean }): Template {
  const parts: Part[] = [];
  let literal = "";
  const flush = (): void => {
    if (literal !== "") parts.push(literal);
    literal = "";
  };
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (options.wildcards && char === "*") {
      flush();
      // Two stars in a row match what one matches, and cost more.
      if (parts.at(-1) !== MANY) parts.push(MANY);
    } else if (options.wildcards && char === "?") {
      flush();
      parts.push(ONE);
    } else if (options.variables && char === "$" && text.charAt(at + 1) === "{") {
      const variable = readVariable(text, at);
      if (typeof variable === "string") return { parts: [], problem: variable };
      if (typeof variable.value === "string") literal += variable.value;
      else {
        flush();
        parts.push(variable.value);
      }
      at = variable.end;
    } else {
      literal += char;
    }
  }
  flush();
  return { parts };
}

/**
 * Reads the variable whose `$` is at `start`; `end` is the place of its closing brace. A string is what is wrong with it.
 */
function readVariable(text: string, start: number): { value: Variable | string; end: number } | string {
  const shown = (end: number): string => text.slice(start, Math.min(end, start + 60));
  // A default value may contain anything but a quote, also a brace; so the end is looked for behind its quote.
  const match = /^([^,'{}]*)(?:, ?'([^']*)')?\}/.exec(text.slice(start + 2, start + 2 + maximumVariable));
  if (!match) {
    const brace = text.indexOf("}", start);
    if (brace < 0) return `the variable '${shown(text.length)}' has no closing brace`;
    return `'${shown(brace + 1)}' is not a variable: one looks like \${key} or \${key, 'default'}`;
  }
  const [whole, name = "", fallback] = match;
  const end = start + 1 + whole.length;
  if (fallback === undefined && (name === "*" || name === "?" || name === "$")) return { value: name, end };
  if (!/^[A-Za-z0-9_.-]+:\S(?:.*\S)?$/.test(name)) {
    return `'${shown(end + 1)}' is not a variable: it needs the name of a condition key, such as \${aws:username}`;
  }
  return { value: { key: name.toLowerCase(), ...(fallback === undefined ? {} : { fallback }) }, end };
}

/** Longer than any variable can be: keys have at most some hundred characters. Keeps hostile texts cheap. */
const maximumVariable = 2048;

/** True when the pattern has variables, and thus depends on the request. */
export const hasVariables = (parts: Part[]): boolean => parts.some(isVariable);

/**
 * Puts the values of a request in. A wildcard inside a value stays an ordinary character: who chooses the value must not
 * widen the policy. Answers with undefined when a variable has neither a value nor a default, with null when one is unknown.
 */
export function resolve(parts: Part[], lookup: Lookup): Token[] | null | undefined {
  const tokens: Token[] = [];
  for (const part of parts) {
    if (!isVariable(part)) {
      tokens.push(part);
      continue;
    }
    const found = lookup(part.key);
    if (found === null) return null;
    const value = found ?? part.fallback;
    if (value === undefined) return undefined;
    if (value !== "") tokens.push(value);
  }
  return tokens;
}

/** A stretch between two `*`: text in which some places take any character. */
interface Stretch {
  text: string;
  /** The places of the `?`. */
  open: number[] | undefined;
}

function fits(stretch: Stretch, value: string, at: number): boolean {
  if (stretch.open === undefined) return value.startsWith(stretch.text, at);
  if (at + stretch.text.length > value.length) return false;
  let from = 0;
  for (const place of [...stretch.open, stretch.text.length]) {
    if (value.slice(at + from, at + place) !== stretch.text.slice(from, place)) return false;
    from = place + 1;
  }
  return true;
}

function find(stretch: Stretch, value: string, from: number, to: number): number {
  if (stretch.open === undefined) {
    const at = value.indexOf(stretch.text, from);
    return at >= 0 && at + stretch.text.length <= to ? at : -1;
  }
  for (let at = from; at + stretch.text.length <= to; at++) if (fits(stretch, value, at)) return at;
  return -1;
}

/** Matches texts against a pattern, in time that grows no faster than pattern times text, whatever the pattern. */
export class Glob {
  /** The text it stands for when it has no wildcard. */
  readonly literal: string | undefined;
  /** What comes before its only wildcard, a `*` at its end. */
  readonly prefix: string | undefined;
  /** Texts that whatever matches contains. */
  readonly contained: readonly string[];
  private readonly stretches: Stretch[];
  private readonly least: number;

  constructor(tokens: readonly Token[]) {
    const stretches: Stretch[] = [{ text: "", open: undefined }];
    for (const token of tokens) {
      const last = stretches[stretches.length - 1] as Stretch;
      if (token === MANY) stretches.push({ text: "", open: undefined });
      else if (token === ONE) {
        (last.open ??= []).push(last.text.length);
        last.text += "?";
      } else last.text += token;
    }
    this.stretches = stretches;
    this.least = stretches.reduce((sum, stretch) => sum + stretch.text.length, 0);
    this.contained = stretches.flatMap(({ text, open }) => (open === undefined && text !== "" ? [text] : []));
    const plain = stretches.every((stretch) => stretch.open === undefined);
    this.literal = plain && stretches.length === 1 ? stretches[0]?.text : undefined;
    this.prefix = plain && stretches.length === 2 && stretches[1]?.text === "" ? stretches[0]?.text : undefined;
  }

  matches(value: string): boolean {
    if (this.literal !== undefined) return value === this.literal;
    if (value.length < this.least) return false;
    const first = this.stretches[0] as Stretch;
    const last = this.stretches[this.stretches.length - 1] as Stretch;
    if (this.stretches.length === 1) return value.length === this.least && fits(first, value, 0);
    if (!fits(first, value, 0)) return false;
    const end = value.length - last.text.length;
    if (!fits(last, value, end)) return false;
    // Taking the leftmost place for each stretch leaves the most room for those behind it.
    let at = first.text.length;
    for (let each = 1; each < this.stretches.length - 1; each++) {
      const stretch = this.stretches[each] as Stretch;
      const place = find(stretch, value, at, end);
      if (place < 0) return false;
      at = place + stretch.text.length;
    }
    return true;
  }
}

/** The parts of an ARN: five up to the account, and all the rest, which may have colons of its own. */
export function splitArn(text: string): string[] | undefined {
  const parts: string[] = [];
  let from = 0;
  for (let each = 0; each < 5; each++) {
    const colon = text.indexOf(":", from);
    if (colon < 0) return undefined;
    parts.push(text.slice(from, colon));
    from = colon + 1;
  }
  parts.push(text.slice(from));
  return parts;
}

/** The same for a pattern, where a wildcard is never a colon. Fewer than six parts when it has fewer colons. */
function splitPattern(tokens: readonly Token[]): Token[][] {
  const parts: Token[][] = [[]];
  for (const token of tokens) {
    let rest: Token = token;
    while (typeof rest === "string" && parts.length < 6 && rest.includes(":")) {
      const colon = rest.indexOf(":");
      if (colon > 0) parts.at(-1)?.push(rest.slice(0, colon));
      parts.push([]);
      rest = rest.slice(colon + 1);
    }
    if (rest !== "") parts.at(-1)?.push(rest);
  }
  return parts;
}

/** Tells whether a string is matched. */
export interface Matcher {
  matches(value: string): boolean;
  /** The one text it matches, when it has no wildcard. */
  readonly literal: string | undefined;
  /** What comes before its only wildcard, a `*` at its end. */
  readonly prefix?: string | undefined;
  /** Texts that whatever it matches contains. */
  readonly contained?: readonly string[];
  /** True for what should be an ARN and is not one: it matches nothing. */
  readonly malformed?: boolean;
}

/**
 * A pattern of the ARN operators: each of the six parts is compared by itself, so a wildcard never reaches over a colon
 * (except colons within the last part). A string that is not an ARN is never matched.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 */
export class ArnPattern implements Matcher {
  readonly literal: string | undefined;
  readonly contained: readonly string[];
  readonly malformed: boolean;
  private readonly parts: Glob[] | undefined;

  constructor(tokens: readonly Token[]) {
    const parts = splitPattern(tokens).map((part) => new Glob(part));
    this.parts = parts.length === 6 ? parts : undefined;
    this.malformed = this.parts === undefined;
    this.contained = parts.flatMap((part) => part.contained);
    this.literal = this.parts?.every((part) => part.literal !== undefined)
      ? this.parts.map((part) => part.literal).join(":")
      : undefined;
  }

  matches(value: string): boolean {
    if (this.parts === undefined) return false;
    const given = splitArn(value);
    return given !== undefined && this.parts.every((part, index) => part.matches(given[index] as string));
  }
}

/**
 * A pattern of the Resource element. A wildcard stays within its part of the ARN, but a `*` that ends a part may reach
 * beyond the colon (IAM user guide, "Using wildcards in resource ARNs"), as in `arn:aws:s3*` or `*`.
 */
export class ResourcePattern implements Matcher {
  readonly literal: string | undefined;
  readonly prefix: string | undefined;
  readonly contained: readonly string[] | undefined;
  /** True for what has fewer than six parts and no `*` that could stand for the missing ones. */
  readonly malformed: boolean;
  private readonly matcher: Matcher;

  constructor(tokens: readonly Token[]) {
    const parts = splitPattern(tokens);
    const head = parts.slice(0, 5);
    const reaches = head.some((part) => part.at(-1) === MANY);
    const plain = head.every((part) => part.every((token) => typeof token === "string"));
    this.matcher = reaches || plain ? new Glob(tokens) : new ArnPattern(tokens);
    this.literal = this.matcher.literal;
    this.prefix = this.matcher.prefix;
    this.contained = this.matcher.contained;
    this.malformed = parts.length < 6 && !reaches;
  }

  matches(value: string): boolean {
    return this.matcher.matches(value);
  }
}

/** The positions in a pattern that can be reached after this string; empty when no string that starts with it matches. */
function placesAfter(pattern: string, text: string): Set<number> {
  const past = (places: Iterable<number>): Set<number> => {
    const reached = new Set<number>();
    for (let place of places) {
      reached.add(place);
      // A star can stand for nothing.
      while (pattern[place] === "*") reached.add(++place);
    }
    return reached;
  };
  let places = past([0]);
  for (const char of text) {
    const next = new Set<number>();
    for (const place of places) {
      if (pattern[place] === "*") next.add(place);
      else if (pattern[place] === "?" || pattern[place] === char) next.add(place + 1);
    }
    places = past(next);
  }
  return places;
}

/** Whether a pattern matches a string; a policy variable stands for any string. For a few short patterns; {@link Glob} is for many. */
export function isLike(pattern: string, text: string): boolean {
  const open = withoutVariables(pattern);
  return placesAfter(open, text).has(open.length);
}

/** Whether a pattern matches some text that starts like this and has no colon or slash after it, as an id has none. */
export function canStartWith(pattern: string, start: string): boolean {
  const open = withoutVariables(pattern);
  return [...placesAfter(open, start)].some((place) => !/[:/]/.test(open.slice(place)));
}

function withoutVariables(pattern: string): string {
  return pattern.replace(/\$\{[^}]*\}/g, "*");
}
