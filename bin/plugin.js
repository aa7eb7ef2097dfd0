#!/usr/bin/env node
// @ts-check
"use strict";

/**
 * Serves the components to other languages: Pulumi's host for Node.js loads it through bin/library.js, and the npm package installs it as
 * `pulumi-resource-crosstrail`. The schema is the committed one, which a test compares with the sources: nothing is analyzed
 * on users' machines, and a program starts seconds sooner.
 */

const fs = require("node:fs");
const path = require("node:path");

const root = path.join(__dirname, "..");

/**
 * Starts the server; the engine's address is the last argument. Ends with the process.
 * @param {Record<string, unknown>} library the components
 */
function serve(library) {
  const { main } = require("@pulumi/pulumi/provider");
  const text = fs.readFileSync(path.join(root, "schema.json"), "utf8");
  /** @type {{ version: string, resources: Record<string, { properties: Record<string, unknown> }> }} */
  const schema = JSON.parse(text);
  const provider = {
    version: schema.version,
    schema: text,
    /**
     * @param {string} name
     * @param {string} type
     * @param {object} inputs
     * @param {import("@pulumi/pulumi").ComponentResourceOptions} options
     */
    async construct(name, type, inputs, options) {
      const described = schema.resources[type];
      const Component = /** @type {any} */ (library[type.split(":")[2] ?? ""]);
      if (!described || !Component) {
        throw new Error(`crosstrail has no component ${type}. There are: ${Object.keys(schema.resources).join(", ")}`);
      }
      const component = new Component(name, inputs, options);
      const state = Object.fromEntries(Object.keys(described.properties).map((each) => [each, component[each]]));
      return { urn: component.urn, state };
    },
  };
  return main(provider, process.argv.slice(2));
}

module.exports = { serve };

// As pulumi-resource-crosstrail: by way of Pulumi's own starter, which sets up what a plugin needs.
if (require.main === module) {
  process.argv.splice(2, 0, root);
  process.env.PULUMI_NODEJS_TYPESCRIPT = "false";
  require("@pulumi/pulumi/cmd/run-plugin");
}
