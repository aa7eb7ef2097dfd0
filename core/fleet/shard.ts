/** A fleet over several machines: which stacks each of them works on. */
import type { Step } from "./plan";
import { StackKind } from "./stacks";

/** `index` 1 to `count`: one part of the members. 0: what comes before them and is not split. */
export interface Shard {
  index: number;
  count: number;
}

/** The most parts that a fleet is split into. */
export const mostShards = 256;

/** Reads `2/5`; undefined for anything else. */
export function parseShard(text: string): Shard | undefined {
  const [, index, count] = /^(0|[1-9]\d{0,2})\/([1-9]\d{0,2})$/.exec(text) ?? [];
  const shard = { index: Number(index), count: Number(count) };
  return index !== undefined && shard.index <= shard.count && shard.count <= mostShards ? shard : undefined;
}

export function shardText({ index, count }: Shard): string {
  return `${index}/${count}`;
}

/**
 * The names of the stacks of one part. Members are dealt out in the order of their account ids, so that every machine with the
 * same configuration comes to the same parts, and no part has more than one member more than another. Part 0 has the audit stack,
 * the organization trail, and what is removed: the members need their result.
 */
export function shardStacks(steps: readonly Pick<Step, "stack">[], { index, count }: Shard): string[] {
  const isSplit = ({ stack }: Pick<Step, "stack">) => stack.kind === StackKind.Member && stack.removed !== true;
  if (index === 0) return steps.filter((step) => !isSplit(step)).map(({ stack }) => stack.name);
  const order = (a: Pick<Step, "stack">, b: Pick<Step, "stack">) => (a.stack.accountId < b.stack.accountId ? -1 : 1);
  return steps
    .filter(isSplit)
    .sort(order)
    .filter((_, position) => position % count === index - 1)
    .map(({ stack }) => stack.name);
}
