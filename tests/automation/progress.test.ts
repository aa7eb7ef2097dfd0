import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import pc from "picocolors";
import { textOf } from "../../automation/commands/_fleet";
import type { FleetEvent, StackResult } from "../../automation/fleet/types";
import { surroundingsOf } from "../../automation/cli";
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
    findings: message ? [{ id: "stack/failed", severity: "error", subject: stack, message, remedy: "" }] : [],
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
    else if (part === "\u001b[2K") lines[row] = "";
    else if (part === "\n") {
      row++;
      lines[row] ??= "";
    } else if (part !== "\r") lines[row] = (lines[row] ?? "") + part;
  }
  // Below the cursor's line nothing is left over.
  assert.deepEqual(
    lines.slice(row + 1).filter((line) => line !== ""),
    [],
  );
  return lines.slice(0, row + 1);
}

describe("fleet progress", () => {
  describe("without a terminal", () => {
    it("is one line an event, without colors", () => {
      let text = "";
      const progress = new LineProgress((more) => (text += more));
      for (const event of [
        planned(1),
        started("web"),
        resource("web", false),
        resource("web", true),
        { type: "retrying", stack: "web", reason: "AWS is throttling the calls", seconds: 5 } as const,
        { type: "warning", stack: "web", message: "two\nlines \u001b[2J" } as const,
        { type: "warning", stack: "web", message: "the trail\n    trail/silent: It is silent.\n    → Look." } as const,
        finished("web"),
        finished("web", "failed", "The role x could not be assumed.\nmore"),
      ]) {
        progress.take(event);
      }
      progress.close();
      assert.deepEqual(text.split("\n"), [
        "… web (222222222222): up",
        "  web: create aws:cloudtrail/trail:Trail member-trail",
        "… web: retrying in 5 s, because AWS is throttling the calls",
        "! web: two",
        "    lines ?[2J",
        "! web: the trail",
        "    trail/silent: It is silent.",
        "    → Look.",
        "✔ web: 3 created 8.1 s",
        "✖ web: failed: The role x could not be assumed. 8.1 s",
        "",
      ]);
    });
  });

  describe("on a terminal", () => {
    const live = (width: number, { color = false, rows = 24, timer = false } = {}) => {
      let [text, now, columns] = ["", 0, width];
      const terminal = { columns: () => columns, rows: () => rows };
      const progress = new LiveProgress((more) => (text += more), terminal, { color, timer, now: () => now });
      return {
        progress,
        text: () => text,
        pass: (ms: number) => (now += ms),
        resize: (to: number) => (columns = to),
      };
    };

    it("what is over stays, what runs is redrawn below, and in the end nothing is left of that", () => {
      const { progress, text, pass } = live(80);
      progress.take(planned(3));
      progress.take(started("payments"));
      progress.take(started("web"));
      progress.take(resource("web", false));
      pass(12_000);
      progress.take(finished("payments"));
      assert.deepEqual(screen(text()), ["✔ payments: 3 created 12 s", screen(text())[1], "1 of 3 done · 12 s"]);
      assert.match(screen(text())[1] ?? "", /^. web 12 s 0 done, Trail member-trail$/);
      progress.take(finished("web", "failed", "why"));
      assert.match(screen(text()).at(-1) ?? "", /^2 of 3 done · 1 failed · 12 s$/);
      progress.close();
      assert.deepEqual(screen(text()), ["✔ payments: 3 created 12 s", "✖ web: failed: why 12 s", ""]);
    });

    it("at 60 columns no redrawn line is wider, so that none breaks", () => {
      const { progress, text } = live(60, { color: true });
      progress.take(planned(1));
      const stack = "a-member-whose-alias-has-as-many-characters-as-an-alias-may-have";
      progress.take(started(stack));
      progress.take({ type: "progress", stack, note: "doing something that takes a whole sentence to say what it is" });
      const [line] = screen(text().replace(/\u001b\[\d+m/g, "")).slice(-2);
      assert.equal([...(line ?? "")].length, 59);
      assert.match(line ?? "", /…$/);
    });

    it("shows a duration that never gets less, though the worker's own time is shorter", () => {
      const { progress, text, pass } = live(60);
      progress.take(planned(1));
      progress.take(started("web"));
      pass(9_000);
      progress.take({ type: "progress", stack: "web", note: "x" });
      assert.match(screen(text())[0] ?? "", /^. web 9\.0 s x$/);
      progress.take(finished("web"));
      assert.equal(screen(text())[0], "✔ web: 3 created 9.0 s");
      progress.close();
    });

    it("wraps a message between words, and leaves the lines to copy whole", () => {
      for (const width of [60, 100]) {
        const { progress, text } = live(width);
        progress.say(
          "SIGINT: waiting for the running AWS calls to finish, as long as that takes. Press again to stop at once.",
        );
        const warning = [
          "the trail of payments",
          "    trail/silent: It has delivered nothing since 2026-11-22T18:55:20.000Z, though it is logging, and others have.",
          "    → Run this:",
          `      crosstrail up --only ${"payments ".repeat(12).trim()}`,
        ];
        progress.take({ type: "warning", stack: "web", message: warning.join("\n") });
        const lines = screen(text()).slice(0, -1);
        const [commands, sentences] = [
          lines.filter((line) => line.includes("crosstrail")),
          lines.filter((line) => !line.includes("crosstrail")),
        ];
        assert.deepEqual(commands, [warning[3]]);
        for (const line of sentences) assert.ok([...line].length < width, line);
        assert.ok(lines.includes("    → Run this:") && lines.includes("! web: the trail of payments"));
        assert.match(lines.join(" ").replace(/\s+/g, " "), /as long as that takes\. Press again to stop at once\./);
        progress.close();
      }
    });

    it("leaves no line of its own where the result is a list of the stacks", () => {
      let text = "";
      const terminal = { columns: () => 60, rows: () => 24 };
      const progress = new LiveProgress((more) => (text += more), terminal, { timer: false, listsResults: false });
      progress.take(planned(1));
      progress.take(started("web"));
      progress.take(finished("web", "failed", "why"));
      assert.match(screen(text).join("|"), /^1 of 1 done · 1 failed · /);
      progress.close();
      let log = "";
      const lines = new LineProgress((more) => (log += more), false, false);
      lines.take(started("web"));
      lines.take(finished("web"));
      assert.equal(log, "… web (222222222222): up\n");
    });

    it("with NO_COLOR it writes no color", () => {
      const { progress, text } = live(60);
      progress.take(planned(1));
      progress.take(started("web"));
      progress.take(finished("web", "failed", "why"));
      progress.close();
      assert.ok(!/\u001b\[\d+m/.test(text()));
    });

    it("at 60 columns what stays of a stack is one line as well; the summary has the rest", () => {
      const { progress, text } = live(60);
      progress.take(planned(1));
      progress.take(finished("data-lake", "failed", `The role arn:aws:iam::222222222222:role/${"x".repeat(60)}`));
      progress.close();
      const [line = ""] = screen(text());
      assert.match(line, /^✖ data-lake: failed: The role arn:aws:iam::22222222.*… 8\.1 s$/);
      assert.equal([...line].length, 59);
    });

    it("counts columns and not characters: those that take two, and those that take none", () => {
      const { progress, text } = live(40);
      progress.take(planned(1));
      progress.take(started("web"));
      progress.take({ type: "progress", stack: "web", note: "証跡".repeat(40) });
      const [wide = ""] = screen(text());
      const columns = [...wide].length + (wide.match(/[証跡]/g)?.length ?? 0);
      // One that would take the last column and the next one is left out.
      assert.ok(wide.endsWith("…") && (columns === 38 || columns === 39), `${columns}: ${wide}`);
      progress.take({ type: "progress", stack: "web", note: "e\u0301".repeat(20) });
      assert.equal(screen(text())[0]?.match(/e\u0301/g)?.length, 20);
      progress.take({ type: "progress", stack: "web", note: "two\nlines \u001b[2J" });
      assert.match(screen(text())[0] ?? "", /two lines \?\[2J$/);
    });

    it("clears the lines that a narrower window has broken, and none above them", () => {
      const { progress, text, resize } = live(80);
      progress.take(planned(2));
      progress.take(started("web"));
      progress.take({ type: "progress", stack: "web", note: "x".repeat(100) });
      const before = text().length;
      resize(40);
      progress.take(started("payments"));
      // The stack's 79 columns are two lines now, the count is one.
      assert.equal(
        text()
          .slice(before)
          .match(/\u001b\[1A/g)?.length,
        2,
      );
      progress.close();
    });

    it("in a window of a few lines redraws no more than it has", () => {
      const { progress, text } = live(60, { rows: 6 });
      progress.take(planned(40));
      for (let index = 0; index < 20; index++) progress.take(started(`m-${index}`));
      assert.equal(screen(text()).length, 5);
      assert.match(screen(text()).at(-1) ?? "", /16 more running/);
    });

    it("leaves the terminal to a question until it is answered", async () => {
      const { progress, text } = live(60, { timer: true });
      try {
        progress.take(planned(2));
        const before = text().length;
        const answer = await progress.pause(async () => {
          // Long enough for a redrawing.
          await sleep(250);
          return "yes";
        });
        assert.equal(answer, "yes");
        assert.doesNotMatch(text().slice(before), /done/);
        assert.deepEqual(screen(text()), [""]);
        progress.take(started("web"));
        assert.match(screen(text()).at(-1) ?? "", /^0 of 2 done/);
      } finally {
        progress.close();
      }
    });

    it("says what it does before it knows how many stacks there are", () => {
      const { progress, text } = live(60);
      progress.say("a message");
      assert.deepEqual(screen(text()), ["a message", "reading the stacks · 0.0 s"]);
      progress.close();
      assert.deepEqual(screen(text()), ["a message", ""]);
    });

    it("of many running stacks some are shown, the others counted", () => {
      const { progress, text } = live(60);
      progress.take(planned(40));
      for (let index = 0; index < 20; index++) progress.take(started(`m-${index}`));
      assert.ok(screen(text()).length <= 14);
      assert.match(screen(text()).at(-1) ?? "", /8 more running/);
    });
  });

  it("the summary says once what many stacks have in common, and what one has for itself", () => {
    const result = (stack: string, status: "failed" | "skipped", message: string): StackResult => {
      const { result: given } = finished(stack) as Extract<FleetEvent, { type: "finished" }>;
      const findings = [
        { id: "stack/failed" as const, severity: "error" as const, subject: stack, message, remedy: "Fix it." },
      ];
      return { ...given, status, changes: {}, findings };
    };
    const stacks = [
      result("audit", "failed", "It is broken."),
      ...Array.from({ length: 200 }, (_, index) => result(`m-${index}`, "skipped", "audit has to be in order first.")),
    ];
    const fleet = { action: "up" as const, status: "failed" as const, stacks, findings: [], seconds: 3 };
    assert.deepEqual(textOf("up", fleet, pc.createColors(false)).split("\n"), [
      "failed  audit 222222222222",
      "  audit",
      "    stack/failed: It is broken.",
      "    → Fix it.",
      "",
      "skipped  200 stacks",
      "  m-0, m-1, m-2, m-3, m-4, m-5, m-6, m-7, m-8, m-9 and 190 more",
      "    stack/failed: audit has to be in order first.",
      "    → Fix it.",
      "",
      "up: 201 stacks, 1 failed, 200 skipped, no changes (3.0 s)",
      "To retry only these: crosstrail up --failed",
      "",
    ]);
    // What differs from stack to stack is told a few times.
    const roles = Array.from({ length: 40 }, (_, index) =>
      result(`m-${index}`, "failed", `Role ${index} is not there.`),
    );
    const odd = {
      ...result("odd", "failed", "Odd."),
      findings: [{ ...roles[0]!.findings[0]!, id: "stack/missing" as const, message: "Odd." }],
    };
    const many = textOf("up", { ...fleet, stacks: [...roles, odd] }, pc.createColors(false));
    assert.equal(many.match(/Role \d+ is not there/g)?.length, 5);
    assert.match(
      many,
      /\nfailed {2}35 more stacks\n {2}m-5, .*, m-14 and 25 more\n {4}The same kind of failure \(stack\/failed\); --json shows each of them\.\n/,
    );
    assert.match(many, / {4}stack\/missing: Odd\.\n/);
    // What nobody has seen is not called unchanged.
    const unseen = { ...fleet, action: "preview" as const, stacks: stacks.slice(0, 1) };
    assert.match(textOf("preview", unseen, pc.createColors(false)), /^preview: 1 stack, 1 failed \(3\.0 s\)$/m);
  });

  it("preview and status list each stack once, with what is wrong below it", () => {
    const { result: good } = finished("payments") as Extract<FleetEvent, { type: "finished" }>;
    const findings = [
      {
        id: "trail/not-logging" as const,
        severity: "error" as const,
        subject: "web",
        message: "Off.",
        remedy: "Start it.",
      },
    ];
    const stacks: StackResult[] = [
      { ...good, changes: {} },
      { ...good, stack: "web", status: "failed", changes: {}, findings },
    ];
    for (const action of ["status", "preview"] as const) {
      const fleet = { action, status: "failed" as const, stacks, findings: [], seconds: 3 };
      const lines = textOf(action, fleet, pc.createColors(false)).split("\n");
      assert.equal(lines.filter((line) => /^\S+ +payments|^payments/.test(line)).length, 1, lines.join("\n"));
      assert.equal(lines.filter((line) => /^\S+ +web /.test(line)).length, 1, lines.join("\n"));
      const at = lines.findIndex((line) => /^\S+ +web /.test(line));
      assert.deepEqual(lines.slice(at + 1, at + 4), ["  web", "    trail/not-logging: Off.", "    → Start it."]);
    }
  });

  describe("where texts go", () => {
    const stream = (isTTY: boolean, columns = 60) => ({ isTTY, columns, rows: 24, write: () => true });
    const of = (env: NodeJS.ProcessEnv, { tty = true, columns = 60 } = {}) => {
      const { color, messageColor, terminal, ask } = surroundingsOf({
        env,
        stdin: stream(tty),
        stdout: stream(tty),
        stderr: stream(tty, columns),
      } as unknown as Parameters<typeof surroundingsOf>[0]);
      assert.equal(color, messageColor);
      return { color, isLive: terminal !== undefined, asks: ask !== undefined };
    };

    it("a terminal is redrawn, in colors, and somebody can be asked there", () => {
      assert.deepEqual(of({ TERM: "xterm" }), { color: true, isLive: true, asks: true });
      assert.deepEqual(of({ TERM: "xterm", CI: "false" }), { color: true, isLive: true, asks: true });
    });

    it("without a terminal: lines, no colors, no questions", () => {
      assert.deepEqual(of({ TERM: "xterm" }, { tty: false }), { color: false, isLive: false, asks: false });
    });

    it("NO_COLOR takes the colors away, whatever its value, and only them", () => {
      for (const value of ["1", "0", "false"])
        assert.deepEqual(of({ NO_COLOR: value }), { color: false, isLive: true, asks: true });
      assert.equal(of({ NO_COLOR: "" }).color, true);
      assert.equal(of({ NO_COLOR: "1", FORCE_COLOR: "1" }).color, false);
    });

    it("FORCE_COLOR brings them to a log, and 0 takes them away", () => {
      assert.deepEqual(of({ FORCE_COLOR: "1" }, { tty: false }), { color: true, isLive: false, asks: false });
      assert.equal(of({ FORCE_COLOR: "0" }).color, false);
    });

    it("TERM=dumb, CI and a terminal without a width are not redrawn", () => {
      assert.deepEqual(of({ TERM: "dumb" }), { color: false, isLive: false, asks: true });
      assert.deepEqual(of({ CI: "true" }), { color: true, isLive: false, asks: true });
      assert.equal(of({}, { columns: 0 }).isLive, false);
    });
  });
});
