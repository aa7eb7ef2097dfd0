/** Adds to a request what AWS puts into every one of its kind. */
import type { AccessRequest, FurtherContext } from "../evaluate/types";
import type { About, Asker, KeyFacts } from "./facts";
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
    if (facts === undefined || (facts.of !== undefined && facts.of !== service)) return undefined;
    const answer = facts.facts[asker](about);
    if (answer === undefined || !("presence" in answer)) return answer;
    if (answer.hint !== give && answer.hint !== declareOrganization) return answer;
    return (
      world.given?.get(key) ?? {
        ...answer,
        hint: answer.hint.replace("<key>", facts.key.endsWith("*") ? key : facts.key),
      }
    );
  };
}
