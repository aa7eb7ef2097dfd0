// @ts-check
"use strict";

// Starts a worker: from its sources in the repository, from what tsc has made of them where it is installed as a package.

const { existsSync } = require("node:fs");
const path = require("node:path");

if (existsSync(path.join(__dirname, "worker.ts"))) {
  require("ts-node").register({ transpileOnly: true, swc: true, cwd: path.join(__dirname, "..", "..", "..") });
}
require("./worker").main();
