/** Adds to a request what AWS puts into every one of its kind. */
import type { AccessRequest, FurtherContext } from "../evaluate/types";
import { nearest } from "../nearest";
import type { About, Answer, Asker, KeyFacts } from "./facts";
import { declareOrganization, give, keyFacts } from "./facts";
import type { World } from "./world";

/** The table by key, in lower case, and its families by what their keys start with. */
export interface FactIndex {
  exact: ReadonlyMap<string, KeyFacts>;
  families: readonly (readonly [start: string, facts: KeyFacts])[];
}

export function indexOf(table: readonly KeyFacts[]): FactIndex {
  const lower = table.map((each) => [each.key.toLowerCase(), each] as const);
  return {
    exact: new Map(lower.filter(([key]) => !key.endsWith("*"))),
    families: lower.flatMap(([key, each]) => (key.endsWith("*") ? [[key.slice(0, -1), each] as const] : [])),
  };
}

const index = indexOf(keyFacts);

/** The facts of a key. */
export function factsOf(key: string, { exact, families }: FactIndex = index): KeyFacts | undefined {
  const lower = key.toLowerCase();
  return exact.get(lower) ?? families.find(([start]) => lower.startsWith(start) && lower.length > start.length)?.[1];
}

/**
 * A request with all that AWS puts into it. What is known of this one request alone is in its `context` and goes before.
 * @param sourceAccountId for a service: the account on whose behalf it asks.
 */
export function asked(world: World, request: AccessRequest, sourceAccountId?: string): AccessRequest {
  return { ...request, further: furtherOf(world, request, sourceAccountId) };
}

/** What a request has besides its context. */
export function furtherOf(
  world: World,
  { caller, action, resource, resourceAccountId }: AccessRequest,
  sourceAccountId?: string,
  table: FactIndex = index,
): FurtherContext {
  const accountId = caller.accountId ?? caller.arn?.split(":")[4];
  const about: About = { world, caller, accountId, sourceAccountId, action, resource, resourceAccountId };
  const service = action.slice(0, action.indexOf(":")).toLowerCase();
  const asker: Asker = caller.kind === "account" ? "principal" : caller.kind;
  return (key) => {
    const facts = factsOf(key, table);
    if (facts === undefined) return unlisted(key, service, asker, world, table);
    if (facts.of !== undefined && facts.of !== service) return undefined;
    const answer = facts.facts[asker](about);
    if (answer === undefined || !("presence" in answer)) return answer;
    if (answer.hint !== give && answer.hint !== declareOrganization) return answer;
    const shown = facts.key.endsWith("*") ? key : facts.key;
    return world.given?.get(key) ?? { ...answer, hint: hintFor(answer.hint, shown, world) };
  };
}

/**
 * A key that the table does not have: AWS adds some each year, and people misspell others. Nobody knows whether requests have it,
 * unless it belongs to another service's requests; a principal's session can have keys of any identity provider.
 */
function unlisted(key: string, service: string, asker: Asker, world: World, table: FactIndex): Answer {
  const prefix = key.slice(0, key.indexOf(":"));
  if (prefix !== "aws" && prefix !== service && asker !== "principal") return undefined;
  const given = world.given?.get(key);
  if (given !== undefined) return given;
  const meant = meantBy(key, table);
  const hint = meant === undefined ? hintFor(give, key, world) : `did you mean ${meant}?`;
  return { presence: "maybe", hint: `Crosstrail does not know this key; ${hint}` };
}

/** The known keys that misspelled ones most likely mean: looked for once, not in every request. */
const meanings = new WeakMap<FactIndex, Map<string, string | undefined>>();
const mostMeanings = 1000;

function meantBy(key: string, table: FactIndex): string | undefined {
  let found = meanings.get(table);
  // A hostile policy must not fill the memory.
  if (found === undefined || found.size >= mostMeanings)
    meanings.set(table, (found = new Map<string, string | undefined>()));
  if (!found.has(key)) {
    const near = nearest(key.slice(0, 128), [...table.exact.keys()]);
    found.set(key, near === undefined ? undefined : table.exact.get(near)?.key);
  }
  return found.get(key);
}

/** Only where values can be given does the hint say how. */
function hintFor(hint: string, key: string, { given }: World): string {
  const filled = hint.replace("<key>", key);
  if (given !== undefined) return filled;
  return filled.replace(/(, or )?give its value with --context .*$/, "") || "only who makes the request knows it";
}
