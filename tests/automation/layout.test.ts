import assert from "node:assert/strict";
import fc from "fast-check";
import { folded, table, widthOf, wrapped } from "../../automation/layout";
import { main, surroundingsOf } from "../../automation/cli";

const words = (text: string) => text.split(/\s+/).filter((word) => word !== "");

describe("text that fits a width", () => {
  const head = ["account", "", "delivers", "auditor\nreads", "mends\npolicies", "others'\nlogs"].map((title) =>
    title.split("\n"),
  );
  const rows = [
    ["payments", "222222222222", "ok", "\u001b[31mFAILED\u001b[39m", "-", "not tied"],
    ["a-very-long-alias-of-an-account-that-nobody-reads-anyway", "333333333333", "ok", "ok", "ok", "ok"],
  ];
  const asTable = (width: number) => table({ head, rows, fixed: 2, width });

  it("a table goes on below where it is too wide, with the account repeated", () => {
    assert.deepEqual(asTable(60), [
      "account                             delivers  auditor",
      "                                              reads",
      "payments              222222222222  ok        \u001b[31mFAILED\u001b[39m",
      "a-very-long-alias-o…  333333333333  ok        ok",
      "",
      "account                             mends     others'",
      "                                    policies  logs",
      "payments              222222222222  -         not tied",
      "a-very-long-alias-o…  333333333333  ok        ok",
    ]);
    assert.equal(asTable(200).filter((line) => line.startsWith("account")).length, 1);
  });

  it("whatever the width, each cell is there once and no line is wider, as far as one column fits", () => {
    fc.assert(
      fc.property(fc.integer({ min: 50, max: 160 }), (width) => {
        const lines = asTable(width);
        assert.ok(
          lines.every((line) => widthOf(line) <= width),
          lines.join("\n"),
        );
        assert.equal(lines.join("\n").match(/not tied|FAILED/g)?.length, 2);
      }),
    );
    assert.ok(asTable(10).length > 0, "too narrow for anything: shown all the same");
  });

  it("lines are broken between words, never within one", () => {
    assert.deepEqual(wrapped("  one two three", 9, 2), ["  one two", "    three"]);
    assert.deepEqual(wrapped("a arn:aws:cloudtrail:us-east-1:1:trail/x b", 10), [
      "a",
      "arn:aws:cloudtrail:us-east-1:1:trail/x",
      "b",
    ]);
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[a-z:/]{1,20}$/), { minLength: 1 }),
        fc.integer({ min: 5, max: 80 }),
        (texts, width) => {
          const lines = wrapped(texts.join(" "), width, 2);
          assert.deepEqual(words(lines.join(" ")), texts);
          for (const line of lines) assert.ok(widthOf(line) <= width || words(line).length === 1, line);
        },
      ),
    );
  });

  it("crosstrail simulate takes the terminal's width, or what COLUMNS says, or 80", async () => {
    const shown = async (columns?: number) => {
      let text = "";
      const args = ["simulate", "--config", "Pulumi.audit.yaml"];
      const stdout = (more: string) => void (text += more);
      const exitCode = await main(args, { stdout, stderr: stdout, env: {}, color: false, ...(columns && { columns }) });
      assert.equal(exitCode, 0, text);
      return text.split("\n");
    };
    for (const width of [60, 80, 100]) {
      const lines = await shown(width);
      assert.ok(
        lines.every((line) => widthOf(line) <= width),
        lines.join("\n"),
      );
      assert.match(lines.join("\n"), /anonymous/);
    }
    assert.deepEqual(await shown(), await shown(80));
    const stream = (columns: number | undefined, isTTY: boolean) => ({ columns, isTTY, write: () => true }) as never;
    const widthFor = (columns: number | undefined, isTTY: boolean, COLUMNS?: string) =>
      surroundingsOf({
        env: COLUMNS === undefined ? {} : { COLUMNS },
        stdin: stream(undefined, false),
        stdout: stream(columns, isTTY),
        stderr: stream(undefined, false),
      }).columns;
    assert.deepEqual(
      [
        widthFor(132, true),
        widthFor(132, true, "40"),
        widthFor(undefined, false),
        widthFor(undefined, false, "40"),
        widthFor(undefined, false, "x"),
      ],
      [132, 132, 80, 40, 80],
    );
  });
});

describe("folded text", () => {
  it("breaks sentences between words, with the indentation they have, and nothing else", () => {
    const text = [
      "  stack audit",
      "    stack/failed: The bucket policy was refused because it is too large.",
      "    → Remove a statement, or choose a form that takes less room.",
      "      pulumi config set crosstrail:bucketPolicyForm trailList",
      "  # A comment in YAML that is long enough to be broken, but is not.",
      "short.",
    ];
    assert.deepEqual(folded(text.join("\n"), 40).split("\n"), [
      "  stack audit",
      "    stack/failed: The bucket policy was",
      "    refused because it is too large.",
      "    → Remove a statement, or choose a",
      "      form that takes less room.",
      "      pulumi config set crosstrail:bucketPolicyForm trailList",
      "  # A comment in YAML that is long enough to be broken, but is not.",
      "short.",
    ]);
    assert.equal(folded(text.join("\n"), Infinity), text.join("\n"));
  });

  it("measures what is seen: colors take no columns", () => {
    const red = "\u001b[31mRefused\u001b[39m by the bucket policy.";
    assert.equal(folded(red, 29), red);
    assert.equal(folded(red, 20), "\u001b[31mRefused\u001b[39m by the\nbucket policy.");
  });
});
