import assert from "node:assert/strict";
import fc from "fast-check";
import type { Step } from "../../../core/fleet";
import { Action, mostShards, parseShard, shardStacks, shardText, StackKind } from "../../../core/fleet";

function step(name: string, kind: StackKind, accountId: string, removed = false): Step {
  const stack = { name, kind, accountId, ...(removed && { removed }) };
  return { stack, action: removed ? Action.Destroy : Action.Up, after: [], needs: [] };
}

const accounts = fc.uniqueArray(fc.integer({ min: 200_000_000_000, max: 200_000_009_999 }), { maxLength: 60 });

describe("core/fleet: shards", () => {
  it("reads what it writes, and nothing else", () => {
    assert.deepEqual(parseShard("2/5"), { index: 2, count: 5 });
    assert.deepEqual(parseShard("0/1"), { index: 0, count: 1 });
    assert.equal(shardText({ index: 2, count: 5 }), "2/5");
    for (const text of [
      "",
      "2",
      "6/5",
      "1/0",
      "0/0",
      "-1/3",
      "1.5/3",
      "01/3",
      "1/03",
      " 1/3",
      "1/3 ",
      "1/257",
      "1/3/4",
    ]) {
      assert.equal(parseShard(text), undefined, text);
    }
    assert.deepEqual(parseShard(`1/${mostShards}`), { index: 1, count: mostShards });
  });

  it("has every stack in exactly one part, members evenly, and what they need in part 0", () => {
    fc.assert(
      fc.property(accounts, fc.integer({ min: 1, max: 12 }), fc.nat(3), (ids, count, removed) => {
        const steps = [
          ...Array.from({ length: removed }, (_, index) => step(`gone-${index}`, StackKind.Member, `${index}`, true)),
          step("audit", StackKind.Audit, "111111111111"),
          step("organization", StackKind.Management, "555555555555"),
          ...ids.map((id) => step(`m-${id}`, StackKind.Member, String(id))),
        ];
        const parts = Array.from({ length: count + 1 }, (_, index) => shardStacks(steps, { index, count }));
        assert.deepEqual(parts.flat().sort(), steps.map(({ stack }) => stack.name).sort());
        assert.deepEqual(
          parts[0],
          steps.slice(0, removed + 2).map(({ stack }) => stack.name),
        );
        const sizes = parts.slice(1).map(({ length }) => length);
        assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1, sizes.join());
      }),
    );
  });

  it("comes to the same parts, whatever the order in which members are declared", () => {
    fc.assert(
      fc.property(accounts, fc.integer({ min: 1, max: 5 }), (ids, count) => {
        const steps = ids.map((id) => step(`m-${id}`, StackKind.Member, String(id)));
        const part = (of: Step[]) => shardStacks(of, { index: 1, count }).sort();
        assert.deepEqual(part(steps), part([...steps].reverse()));
      }),
    );
  });
});
