/** What comes from elsewhere does nothing to a terminal, and keeps nobody waiting. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { main } from "../../automation/cli";
import { diagnoseText, retryReason } from "../../automation/fleet/diagnosis";
import { locksIn } from "../../automation/fleet/lock";
import { printable, shownText } from "../../automation/output";
import { LineProgress } from "../../automation/progress";
import { root } from "../support/config";
import { crosstrail } from "../support/cli";

/** What a terminal must never get from elsewhere. */
const dangerous = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;

describe("automation: what a terminal may have", () => {
  it("shows control and bidirectional characters instead of obeying them", () => {
    for (const [text, shown] of [
      ["plain, with an ü and 漢字 and 👍", "plain, with an ü and 漢字 and 👍"],
      ["two\n\tlines\r\n", "two\n\tlines\r\n"],
      ["\u001b[2Jgone\u001b]0;title\u0007", "\\u001b[2Jgone\\u001b]0;title\\u0007"],
      ["\u009b2J", "\\u009b2J"],
      ["over\rwritten", "over\\u000dwritten"],
      ["admin\u202e txt.exe", "admin\\u202e txt.exe"],
      ["\u2066a\u2069\u200e\u061c\u2028\ufeff\u007f", "\\u2066a\\u2069\\u200e\\u061c\\u2028\\ufeff\\u007f"],
      ["\u001b[31mred\u001b[39m", "\\u001b[31mred\\u001b[39m"],
    ] as const) {
      assert.equal(shownText(text), shown);
    }
    // This tool's own colors, and no style that hides.
    assert.equal(
      shownText("\u001b[31mred\u001b[39m\u001b[8mhidden\u001b[2J", true),
      "\u001b[31mred\u001b[39m\\u001b[8mhidden\\u001b[2J",
    );
    assert.equal(printable("a\u202eb\u009bc\nd"), "a?b?c?d");
  });

  it("nothing dangerous is left of any text, and JSON stays the same JSON", () => {
    const characters = fc.oneof(
      fc.integer({ min: 0, max: 0xff }),
      fc.integer({ min: 0x2000, max: 0x2070 }),
      fc.integer({ min: 0, max: 0xffff }),
    );
    const anyText = fc.array(characters, { maxLength: 30 }).map((codes) => String.fromCharCode(...codes));
    fc.assert(
      fc.property(anyText, (text) => {
        assert.doesNotMatch(shownText(text).replace(/\r\n/g, "\n"), dangerous);
        assert.doesNotMatch(printable(text), /\n/);
        assert.doesNotMatch(printable(text), dangerous);
        const json = JSON.stringify({ [text]: text }, undefined, 2);
        assert.deepEqual(JSON.parse(shownText(json)), { [text]: text });
      }),
    );
  });

  it("whatever a command prints goes through it: text, JSON and errors", async () => {
    const folder = mkdtempSync(join(tmpdir(), "crosstrail-output-"));
    const hostile = "x\u202e\u009b2Jy";
    try {
      const file = join(folder, "policy.json");
      const statement = {
        Sid: `Theirs${hostile}`,
        Effect: "Allow",
        Principal: { AWS: "arn:aws:iam::999999999999:root" },
      };
      const current = {
        Version: "2012-10-17",
        Statement: [
          { ...statement, Action: "s3:GetObject", Resource: `arn:aws:s3:::crosstrail-example-logs/${hostile}` },
        ],
      };
      writeFileSync(file, JSON.stringify(current));
      const config = join(root, "Pulumi.audit.yaml");
      for (const args of [
        ["policy", "bucket", "--config", config, "--current", file],
        ["policy", "bucket", "--config", config, "--current", file, "--json"],
        ["policy", "bucket", "--config", config, "--current", file, "--diff"],
        ["policy", hostile],
        [hostile],
        ["roles", hostile, "--config", config],
        ["roles", hostile, "--config", config, "--json"],
      ]) {
        for (const color of [false, true]) {
          const { stdout, stderr } = await crosstrail(args, { color });
          assert.ok((stdout + stderr).length > 0, args.join(" "));
          for (const text of [stdout, stderr]) {
            assert.doesNotMatch(text.replace(/\u001b\[\d+m/g, ""), dangerous, args.join(" "));
          }
        }
      }
      const { stdout } = await crosstrail(["policy", "bucket", "--config", config, "--current", file]);
      assert.ok(stdout.includes("\\u202e"), stdout.slice(0, 500));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("what moves the cursor of a terminal is the progress's alone", async () => {
    const written: string[] = [];
    const exitCode = await main(["status", "--cwd", "\u001b[2J\u202e"], {
      stdout: (text) => void written.push(text),
      stderr: (text) => void written.push(text),
      env: {},
      color: false,
      terminal: { columns: () => 80, rows: () => 24 },
    });
    assert.equal(exitCode, 2);
    assert.doesNotMatch(written.join(""), /\u001b\[2J|\u202e/);
  });
});

// With patterns that begin anew at every place, and read on to the end, each of these took longer than a test may.
describe("automation: long texts from elsewhere", () => {
  const size = 400_000;
  const repeated = (text: string) => text.repeat(Math.ceil(size / text.length));

  for (const text of [
    "created by ",
    "created by a@",
    "created by a@b (pid 1",
    "created by a@@@@@@@@@@",
    "created by a@b (pid 1) at",
  ]) {
    it(`locks are looked for among many "${text}"`, () => {
      assert.deepEqual(locksIn(`currently locked by${repeated(text)}`), []);
    });
  }

  it("locks are still found, whoever holds them", () => {
    const text =
      "currently locked by 2 lock(s).\n  s3://a: created by jo@corp.example@build-7 (pid 77) at 2026-11-28T01:02:03Z\n" +
      "  s3://b: created by NT AUTHORITY\\SYSTEM@host (pid 1) at 2026-11-28T01:02:03Z";
    assert.deepEqual(
      locksIn(text).map(({ user, host, pid }) => [user, host, pid]),
      [
        ["jo@corp.example", "build-7", 77],
        ["NT AUTHORITY\\SYSTEM", "host", 1],
      ],
    );
  });

  for (const text of [
    "AssumeRole",
    "assume role ",
    "assum",
    "assuming IAM role arn:aws:iam::",
    "IAM Role (arn:",
    "no stack named '",
    "no stack named x",
    'unknown stack "',
    "no resource plugin '",
    "no resource plugin x",
    "MalformedPolicyDocument:",
    "ExpiredToken",
    "not authorized to perform: sts:AssumeRole on resource: ",
    "could not download plugin x",
    " ",
    "\n ",
  ]) {
    it(`the cause is looked for among many ${JSON.stringify(text)}`, () => {
      const { findings } = diagnoseText("web", repeated(text));
      assert.equal(findings.length, 1);
      retryReason({ ok: false, resources: [], findings: [], errors: [repeated(text)] });
    });
  }

  it("progress shortens spaces", () => {
    const lines: string[] = [];
    const progress = new LineProgress((text) => void lines.push(text));
    progress.take({ type: "warning", stack: "web", message: `a${" ".repeat(size)}b\n  \n c` });
    assert.ok(lines.join("").startsWith("! web: a  "));
  });
});
