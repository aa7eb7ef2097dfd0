import assert from "node:assert/strict";
import type { FleetEvent } from "../../automation/fleet/types";
import { LineProgress, LiveProgress } from "../../automation/progress";

const finished = (stack: string, status: "succeeded" | "failed" = "succeeded", message = ""): FleetEvent => ({
  type: "finished",
  result: {
    stack,
    kind: "member",
    accountId: "222222222222",
    action: "up",
    status,
    changes: status === "succeeded" ? { create: 3 } : {},
    resources: [],
    findings: message ? [{ id: "x/y", severity: "error", subject: stack, message, remedy: "" }] : [],
    exitCode: 0,
    attempts: 1,
    seconds: 8.14,
  },
});
const started = (stack: string): FleetEvent => ({ type: "started", stack, action: "up", accountId: "222222222222" });
const planned = (count: number): FleetEvent => ({ type: "planned", parallel: 4, steps: Array(count).fill({}) as [] });
const resource = (stack: string, done: boolean): FleetEvent => ({
  type: "resource",
  stack,
  op: "create",
  resourceType: "aws:cloudtrail/trail:Trail",
  name: "member-trail",
  done,
});

/** What a terminal shows in the end, from what was written to it. */
function screen(text: string): string[] {
  const lines = [""];
  let row = 0;
  for (const [part] of text.matchAll(/\u001b\[\d*[A-Z]|[^]/gu)) {
    if (/^\u001b\[\d*A$/.test(part)) row -= Number(part.slice(2, -1));
    else if (part === "\u001b[J") lines.splice(row, Infinity, "");
    else if (part === "\n") {
      row++;
      lines[row] ??= "";
    } else if (part !== "\r") lines[row] = (lines[row] ?? "") + part;
  }
  return lines;
}

describe("fleet progress", () => {
  describe("without a terminal", () => {
    it("is one line an event, without colours", () => {
      let text = "";
      const progress = new LineProgress((more) => (text += more));
      for (const event of [
        planned(1),
        started("web"),
        resource("web", false),
        resource("web", true),
        { type: "retrying", stack: "web", reason: "AWS throttles the calls", seconds: 5 } as const,
        { type: "warning", stack: "web", message: "two\nlines \u001b[2J" } as const,
        finished("web"),
        finished("web", "failed", "The role x could not be assumed.\nmore"),
      ]) {
        progress.take(event);
      }
      progress.close();
      assert.deepEqual(text.split("\n"), [
        "… web (222222222222): up",
        "  web: create aws:cloudtrail/trail:Trail member-trail",
        "… web: again in 5 s, as AWS throttles the calls",
        "! web: two lines ?[2J",
        "✔ web: 3 created 8.1 s",
        "✖ web: failed: The role x could not be assumed. 8.1 s",
        "",
      ]);
    });
  });

  describe("on a terminal", () => {
    const live = (columns: number, color = false) => {
      let text = "";
      let now = 0;
      const progress = new LiveProgress(
        (more) => (text += more),
        () => columns,
        {
          color,
          now: () => now,
          timer: false,
        },
      );
      return { progress, text: () => text, pass: (ms: number) => (now += ms) };
    };

    it("what is over stays, what runs is redrawn below, and in the end nothing is left of that", () => {
      const { progress, text, pass } = live(80);
      progress.take(planned(3));
      progress.take(started("payments"));
      progress.take(started("web"));
      progress.take(resource("web", false));
      pass(12_000);
      progress.take(finished("payments"));
      assert.deepEqual(screen(text()), ["✔ payments: 3 created 8.1 s", screen(text())[1], "1 of 3 done · 12 s"]);
      assert.match(screen(text())[1] ?? "", /^. web 12 s 0 done, Trail member-trail$/);
      progress.take(finished("web", "failed", "why"));
      assert.match(screen(text()).at(-1) ?? "", /^2 of 3 done · 1 not · 12 s$/);
      progress.close();
      assert.deepEqual(screen(text()), ["✔ payments: 3 created 8.1 s", "✖ web: failed: why 8.1 s", ""]);
    });

    it("at 60 columns no redrawn line is wider, so that none breaks", () => {
      const { progress, text } = live(60, true);
      progress.take(planned(1));
      const stack = "a-member-whose-alias-has-as-many-characters-as-an-alias-may-have";
      progress.take(started(stack));
      progress.take({ type: "progress", stack, note: "doing something that takes a whole sentence to say what it is" });
      const [line] = screen(text().replace(/\u001b\[\d+m/g, "")).slice(-2);
      assert.equal([...(line ?? "")].length, 59);
      assert.match(line ?? "", /…$/);
    });

    it("with NO_COLOR it writes no colour", () => {
      const { progress, text } = live(60, false);
      progress.take(planned(1));
      progress.take(started("web"));
      progress.take(finished("web", "failed", "why"));
      progress.close();
      assert.ok(!/\u001b\[\d+m/.test(text()));
    });

    it("of many running stacks some are shown, the others counted", () => {
      const { progress, text } = live(60);
      progress.take(planned(40));
      for (let index = 0; index < 20; index++) progress.take(started(`m-${index}`));
      assert.ok(screen(text()).length <= 14);
      assert.match(screen(text()).at(-1) ?? "", /8 more running/);
    });
  });
});
