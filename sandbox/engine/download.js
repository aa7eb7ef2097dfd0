// @ts-check
"use strict";

// Pulumi's official installer, in a process of its own so that it can be given up: node download.js <version> <folder>

const { PulumiCommand } = require("@pulumi/pulumi/automation");
// The same copy as the installer uses, wherever npm put it.
const { SemVer } = require(require.resolve("semver", { paths: [require.resolve("@pulumi/pulumi/automation")] }));

const [version, root] = process.argv.slice(2);
PulumiCommand.install({ version: new SemVer(version ?? ""), root }).then(
  () => process.exit(0),
  (error) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);
