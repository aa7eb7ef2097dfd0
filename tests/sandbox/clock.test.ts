import assert from "node:assert/strict";
import { secondsOf } from "../../sandbox/clock";

describe("the sandbox's clock", () => {
  for (const [move, seconds] of [
    ["+90m", 5_400],
    ["+3h", 10_800],
    ["+1.5h", 5_400],
    ["+92d", 7_948_800],
  ] as const) {
    it(`moves by ${move}`, () => assert.equal(secondsOf(move), seconds));
  }
  for (const move of ["3h", "-3h", "+3", "+0h", "+93d", "+h", "", "+3 h", "+1e3h"]) {
    it(`refuses "${move}"`, () =>
      assert.throws(() => secondsOf(move), /it moves forward, by at most 92 days at a time[^]*sandbox:clock/));
  }
});
