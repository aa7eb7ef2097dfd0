// @ts-check
"use strict";

// Checks that a tag can be released: node docs/release.js v0.1.0. The version is one, and CHANGELOG.md describes it.

const fs = require("node:fs");
const path = require("node:path");

/**
 * What stands in the way of releasing a tag.
 * @param {string} tag
 * @param {{ version: string }} manifest package.json
 * @param {string} changelog CHANGELOG.md
 * @returns {string[]}
 */
function problems(tag, manifest, changelog) {
  const found = [];
  if (tag !== `v${manifest.version}`) {
    found.push(`The tag is ${tag}, but package.json has version ${manifest.version}. Tag it as v${manifest.version}.`);
  }
  const lines = changelog.split("\n");
  const at = lines.findIndex((line) => line.startsWith("## ") && line.split(/\s+/)[1] === manifest.version);
  const next = lines.findIndex((line, index) => index > at && line.startsWith("## "));
  const section = lines.slice(at + 1, next === -1 ? undefined : next);
  if (at === -1)
    found.push(`CHANGELOG.md has no section "## ${manifest.version}". Add one that says what changes for users.`);
  else if (!section.some((line) => line.startsWith("- ")))
    found.push(`CHANGELOG.md says nothing about ${manifest.version}.`);
  return found;
}

module.exports = { problems };

if (require.main === module) {
  const read = (/** @type {string} */ file) => fs.readFileSync(path.join(__dirname, "..", file), "utf8");
  const found = problems(process.argv[2] ?? "", JSON.parse(read("package.json")), read("CHANGELOG.md"));
  for (const problem of found) console.error(problem);
  process.exitCode = found.length > 0 ? 1 : 0;
}
