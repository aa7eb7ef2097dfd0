#!/usr/bin/env node
// @ts-check
"use strict";

// Starts the command-line tool: from its sources in the repository, from dist/ where it is installed as a package.

const { existsSync } = require("node:fs");
const path = require("node:path");

const root = path.join(__dirname, "..");
const built = path.join(root, "dist", "automation", "cli.js");
const isInstalled = root.split(path.sep).includes("node_modules");

if (!isInstalled && existsSync(path.join(root, "automation", "cli.ts"))) {
  // Types are checked by `npm run types`; checking them on each start would cost seconds.
  require("ts-node").register({ transpileOnly: true, swc: true, cwd: root });
  require("../automation/cli").run();
} else if (existsSync(built)) {
  require(built).run();
} else {
  console.error("crosstrail is not built: dist/automation/cli.js is missing.");
  console.error("  → Run npm run build in a clone of the repository and pack it again: npm pack does both.");
  process.exitCode = 1;
}
