// @ts-check
"use strict";

/**
 * package.json's `main`, which Pulumi loads to serve the components to other languages. In a clone that is TypeScript, which
 * Pulumi has made loadable by then; in the installed package it is built. Programs get the library by package.json's
 * `exports`, where `default` names the sources: no program ever takes it, but Pulumi reads the components' types from there.
 */

const path = require("node:path");

const isInstalled = __dirname.split(path.sep).includes("node_modules");
// A path that is put together: in a clone nothing is built, and the types of what is not there cannot be checked.
module.exports = require(path.join(__dirname, "..", isInstalled ? "dist" : ".", "components"));
