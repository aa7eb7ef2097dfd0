/** What changes between two versions of a policy, statement by statement, for people who review it. */
import { canonical } from "./document";
import { nestingOf } from "./jsonText";

/** One value of a statement that is new or gone. */
export interface StatementLine {
  /** Space: there before and after, told to place the others. */
  sign: "+" | "-" | " ";
  /** Where in the statement: `Action`, `Principal AWS`, `Condition StringEquals aws:SourceArn`. */
  element: string;
  value: string;
}

export interface StatementChange {
  kind: "added" | "removed" | "changed";
  /** The Sid, or `statement 2` where there is none. */
  name: string;
  /** The effect and the actions: `Allow s3:PutObject`; after the change, if it is there then. */
  says: string;
  lines: StatementLine[];
}

export interface PolicyDiff {
  /** In the order of the policy after the change, those that are gone last. */
  changes: StatementChange[];
  /** How many statements stay unchanged. */
  unchanged: number;
}

type Raw = Record<string, unknown>;

/**
 * Compares two policies. The order of statements and lists makes no difference. What says the same is the same statement,
 * whatever its Sid; otherwise what has the same Sid.
 * @param before the text, or undefined: there was no policy.
 * @returns undefined when one of them is not a policy's JSON, for instance because it is not known yet.
 */
export function policyDiff(before: string | undefined, after: string | undefined): PolicyDiff | undefined {
  const [old, now] = [statementsOf(before), statementsOf(after)];
  if (!old || !now) return undefined;
  const left = old.map((statement, index) => ({ statement, index }));
  const take = (fits: (statement: Raw) => boolean) => {
    const at = left.findIndex(({ statement }) => fits(statement));
    return at < 0 ? undefined : left.splice(at, 1)[0]?.statement;
  };
  let unchanged = 0;
  // What is the same is taken first, so that a Sid that was given to another statement confuses nobody.
  const rest = now.flatMap((statement, index) => {
    const same = canonical(statement);
    if (take((each) => canonical(each) === same) === undefined) return [{ statement, index }];
    unchanged++;
    return [];
  });
  const changes = rest.map(({ statement, index }): StatementChange => {
    const content = contentOf(statement);
    const partner =
      take((each) => contentOf(each) === content) ??
      (typeof statement.Sid === "string" ? take(({ Sid }) => Sid === statement.Sid) : undefined);
    return {
      kind: partner ? "changed" : "added",
      name: nameOf(statement, index),
      says: sayingOf(statement),
      lines: linesOf(partner ?? {}, statement),
    };
  });
  const removed = left.map(({ statement, index }): StatementChange => ({
    kind: "removed",
    name: nameOf(statement, index),
    says: sayingOf(statement),
    lines: linesOf(statement, {}),
  }));
  return { changes: [...changes, ...removed], unchanged };
}

/** The statements of a policy's text; undefined when it is not one. */
export function statementsOf(text: string | undefined): Raw[] | undefined {
  if (text === undefined) return [];
  try {
    const policy: unknown = JSON.parse(text);
    // A policy's elements are nested six deep at most; what follows would recurse as deep as this one is.
    if (nestingOf(text) > 32) return undefined;
    const { Statement } = (policy ?? {}) as { Statement?: unknown };
    const all: unknown[] = Array.isArray(Statement) ? Statement : Statement === undefined ? [] : [Statement];
    return Statement !== undefined && all.every(isMap) ? all : undefined;
  } catch {
    return undefined;
  }
}

function nameOf({ Sid }: Raw, index: number): string {
  return typeof Sid === "string" && Sid !== "" ? Sid : `statement ${index + 1}`;
}

function sayingOf(statement: Raw): string {
  const [element, actions] = "NotAction" in statement ? ["NotAction ", statement.NotAction] : ["", statement.Action];
  const list = textsOf(actions);
  return `${textsOf(statement.Effect).join("")} ${element}${list.slice(0, 4).join(", ")}${list.length > 4 ? ` and ${list.length - 4} more` : ""}`;
}

function contentOf({ Sid: _, ...content }: Raw): string {
  return canonical(content);
}

/** Element by element in the order in which people read a statement. */
function linesOf(before: Raw, after: Raw): StatementLine[] {
  const [old, now] = [flat(before), flat(after)];
  const elements = [...new Set([...order, ...now.keys(), ...old.keys()])].filter(
    (each) => old.has(each) || now.has(each),
  );
  // Of a whole statement, name and effect are said already.
  const isWhole = old.size === 0 || now.size === 0;
  return elements.flatMap((element): StatementLine[] => {
    if (isWhole && (element === "Sid" || element === "Effect")) return [];
    const [was, is] = [old.get(element) ?? [], now.get(element) ?? []];
    const gone = was.filter((value) => !is.includes(value));
    const added = is.filter((value) => !was.includes(value));
    if (gone.length + added.length === 0) return [];
    const kept = is.length - added.length;
    return [
      ...(kept > 0 ? [{ sign: " " as const, element, value: `(${kept} unchanged)` }] : []),
      ...gone.map((value) => ({ sign: "-" as const, element, value })),
      ...added.map((value) => ({ sign: "+" as const, element, value })),
    ];
  });
}

const order = ["Sid", "Effect", "Principal", "Principal AWS", "Principal Service", "Action", "NotAction", "Resource"];

/** A statement's values by where they are. */
function flat(statement: Raw): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const walk = (path: string, value: unknown, depth: number) => {
    // No element of a policy is nested deeper.
    if (isMap(value) && depth < 3)
      for (const [name, each] of Object.entries(value)) walk(`${path} ${name}`, each, depth + 1);
    else found.set(path, textsOf(value));
  };
  for (const [name, value] of Object.entries(statement)) walk(name, value, 0);
  return found;
}

function textsOf(value: unknown): string[] {
  const all: unknown[] = Array.isArray(value) ? value : value === undefined ? [] : [value];
  return [...new Set(all.map((each) => (typeof each === "string" ? each : JSON.stringify(each))))];
}

function isMap(value: unknown): value is Raw {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
