/** The README's first command as a user runs it: what it prints, and that killing it leaves nothing behind. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { findMarked } from "../../automation/process";
import { ROOT } from "../../sandbox";
import { MINUTE } from "./support";

/** `npm start`, marked so that every process below it can be found, whoever its parent is by then. */
function npmStart() {
  const mark = randomUUID();
  const child = spawn("npm", ["start"], {
    cwd: ROOT,
    env: { ...process.env, CROSSTRAIL_RUN_ID: mark, FORCE_COLOR: "", NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
    // A process group of its own, as in a terminal.
    detached: true,
  });
  let output = "";
  const waiting: { text: string; found: () => void }[] = [];
  const read = (chunk: Buffer) => {
    output += chunk.toString();
    for (const { text, found } of waiting) if (output.includes(text)) found();
  };
  child.stdout.on("data", read);
  child.stderr.on("data", read);
  return {
    child,
    output: () => output,
    shown: (text: string) =>
      new Promise<void>((found) => (output.includes(text) ? found() : waiting.push({ text, found }))),
    ended: once(child, "close").then(([code]) => code as number | null),
    /** Waits until nothing of it runs any more; a test's own time limit bounds it. */
    async gone() {
      while ((await findMarked(mark)).length > 0) await new Promise((resolve) => setTimeout(resolve, 200));
    },
  };
}

describe("engine: npm start", function () {
  this.timeout(10 * MINUTE);

  for (const [signal, whom, when] of [
    ["SIGKILL", "npm alone", "Stack audit"],
    ["SIGTERM", "npm alone", "Stack audit"],
    ["SIGINT", "the terminal's process group", "Stack payments"],
    ["SIGKILL", "npm alone", "Crosstrail in a sandbox"],
  ] as const) {
    it(`leaves no process behind when ${whom} gets ${signal} at "${when}"`, async () => {
      const start = npmStart();
      await start.shown(when);
      process.kill(whom === "npm alone" ? (start.child.pid as number) : -(start.child.pid as number), signal);
      await start.gone();
      assert.doesNotMatch(start.output(), /lets it deliver/, "it was to be killed before it ended");
    });
  }

  it("works after that, and prints what the README shows", async () => {
    const start = npmStart();
    assert.equal(await start.ended, 0, start.output());
    for (const line of [
      /^audit +111111111111 +arn:aws:cloudtrail:us-east-1:111111111111:trail\/crosstrail +yes +lets it deliver +lets it deliver$/m,
      /^payments +222222222222 +arn:aws:cloudtrail:us-east-1:222222222222:trail\/crosstrail +yes +lets it deliver +lets it deliver$/m,
      /^web +333333333333 +arn:aws:cloudtrail:us-east-1:333333333333:trail\/crosstrail +yes +lets it deliver +lets it deliver$/m,
      /^Account 444444444444, which is not in the fleet: refused by the bucket policy and the key policy\.$/m,
      /^✔ +A trail of the fleet delivers its logs +possible +27 of 27$/m,
      /^✔ +A member reads another account's logs.* +refused +12 of 12$/m,
      /^Gaps left open by the chosen policy forms \(.*\): none\.$/m,
      // The logs of all accounts have arrived, and are whole; then one log is changed and a digest deleted.
      /^ ?222222222222 +us-east-1 +crosstrail +1 +1 .*✔$/m,
      /^PROBLEM +verify\/log-changed$/m,
      /^PROBLEM +verify\/digest-deleted$/m,
    ]) {
      assert.match(start.output(), line);
    }
    await start.gone();
  });
});
