import assert from "node:assert/strict";
import { stripVTControlCharacters } from "node:util";
import { elapsed, LineProgress } from "../../sandbox/progress";

describe("progress without a terminal", () => {
  const lines: string[] = [];
  const progress = new LineProgress({ write: (text) => lines.push(stripVTControlCharacters(text)) });
  beforeEach(() => lines.splice(0));

  it("is one line for what is done at once", async () => {
    const value = await progress.step("Thing", (step) => {
      step.note("unseen");
      step.title("Thing 1.2");
      return Promise.resolve(7);
    });
    assert.equal(value, 7);
    assert.deepEqual(lines, ["✔ Thing 1.2 [0.0 s]\n"]);
  });

  it("passes a failure on, after all steps have ended", async () => {
    let ended = false;
    const slow = new Promise<void>((resolve) => setTimeout(resolve, 30)).then(() => void (ended = true));
    const failing = progress.all([
      { title: "A", work: () => Promise.reject(new Error("no")) },
      { title: "B", work: () => slow },
    ]);
    await assert.rejects(failing, /^Error: no$/);
    assert.equal(ended, true);
    assert.deepEqual(
      lines.map((line) => line.slice(0, 3)),
      ["✖ A", "✔ B"],
    );
  });

  it("gives times as people read them", () => {
    assert.deepEqual([0, 3_210, 9_940, 9_960, 59_400, 61_000].map(elapsed), [
      "0.0 s",
      "3.2 s",
      "9.9 s",
      "10 s",
      "59 s",
      "1 min 1 s",
    ]);
  });
});
