/** Numbers that a timer or a pool cannot take are refused before anything is begun, also of the embedding API. */
import assert from "node:assert/strict";
import { destroy, preview, status, up } from "../../../automation";
import { limits, longestTimerMs } from "../../../automation/fleet/limits";
import { run } from "../../../automation/process";
import type { UserError } from "../../../core/findings";

describe("automation: numbers", () => {
  const bad = [0, -1, NaN, Infinity, 1.5, 2 ** 31, "4" as unknown as number, null as unknown as number];
  for (const value of bad) {
    it(`parallel: ${String(value)} (${typeof value}) is refused by every verb, and so are the others`, async () => {
      for (const verb of [up, preview, status, destroy]) {
        // There is no such folder either, which nobody gets to.
        const options = { projectFolder: "/nope", parallel: value, timeoutSeconds: value, graceSeconds: value };
        const error = await verb(options).then(
          () => assert.fail("it is not refused"),
          (each: UserError) => each,
        );
        const isNumber = typeof value === "number";
        const wanted = [
          "parallel",
          ...(isNumber && value === 1.5 ? [] : ["timeoutSeconds"]),
          ...(isNumber && (value === 1.5 || value === 0) ? [] : ["graceSeconds"]),
        ];
        assert.deepEqual(
          error.findings.map(({ id, subject }) => `${id} ${subject.split(" ")[0]}`),
          wanted.map((name) => `fleet/number ${name}`),
        );
      }
    });
  }

  it("the longest that is allowed fits into a timer, with all that is added to it", () => {
    const all = (limits.timeoutSeconds + limits.graceSeconds) * 1000 + 60_000;
    assert.ok(all < longestTimerMs, String(all));
  });

  it("a process is not ended by a time limit that no timer can take", async () => {
    const { timedOut, code } = await run(process.execPath, ["-e", "setTimeout(() => {}, 200)"], {
      timeoutMs: 3_000_000_000,
    });
    assert.deepEqual([timedOut, code], [false, 0]);
  });
});
