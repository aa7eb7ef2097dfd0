// @ts-check
"use strict";

// Starts the TypeScript commands of the sandbox: node sandbox/run.js quickstart|stop|env|bench [options]

const { requireNode } = require("./bootstrap");

requireNode();
// Types are checked by `npm run types`; checking them on each start would cost seconds.
require("ts-node").register({ transpileOnly: true, cwd: __dirname });

const { main } = require("./main");

main(process.argv.slice(2));
