// @ts-check
"use strict";

// The process that gate.py asks: a call of CloudTrail's API on each line of stdin, what refusals.ts says to it on stdout.

const path = require("node:path");
const { createInterface } = require("node:readline");

require("ts-node").register({ transpileOnly: true, swc: true, cwd: path.join(__dirname, "..", "..") });
const { answer } = require("./refusals");

const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => process.stdout.write(`${answer(line)}\n`));
lines.on("close", () => process.exit());
