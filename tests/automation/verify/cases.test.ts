import assert from "node:assert/strict";
import { run } from "../../../automation/verify/run";
import { exitCodeOf } from "../../../automation/verify/result";
import { cases, differs, played } from "../../support/verifyCases";

describe("verify: what can be wrong is told apart", () => {
  it("in at least 40 kinds", () => {
    assert.ok(cases.length >= 40);
    assert.equal(new Set(cases.map(({ title }) => title)).size, cases.length);
  });

  it("with a reason wherever AWS's tool says something else (tests/engine/verify.test.ts asks it)", () => {
    const asked = cases.filter(({ aws }) => typeof aws === "number");
    assert.ok(asked.length >= 40);
    assert.deepEqual(
      asked.filter((each) => differs(each) && each.why === undefined).map(({ title }) => title),
      [],
    );
  });

  for (const each of cases) {
    it(each.title, async () => {
      const { options } = played(each);
      const { result } = await run(options);
      const found = result.findings.map(({ id }) => id.replace("verify/", ""));
      assert.deepEqual(found.sort(), [...each.finds].sort(), JSON.stringify(result.findings, null, 1));
      assert.equal(exitCodeOf(result), each.exit);
      for (const { message, remedy, subject } of result.findings) assert.ok(message && remedy && subject);
    });
  }

  it("goes by the archive's time where this machine's clock is slow: nothing is left out", async () => {
    const [whole] = cases.filter(({ finds }) => finds.length === 0);
    assert.ok(whole);
    const { options } = played(whole);
    const { result } = await run(options);
    const { result: slow } = await run({ ...options, now: 0 });
    assert.deepEqual([slow.state, slow.findings], ["whole", []]);
    assert.deepEqual(
      slow.places.map(({ digests, logs }) => [digests, logs]),
      result.places.map(({ digests, logs }) => [digests, logs]),
    );
  });
});
