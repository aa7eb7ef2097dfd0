// @ts-check
"use strict";

/**
 * package.json's `main`: what Pulumi's host for Node.js loads when it starts this package as a plugin; programs get the library by
 * package.json's `exports`. The installed package is built. A clone is not, and whatever loads TypeScript in the user's folder
 * knows nothing of our sources: so they are transpiled here, by our own rules.
 */

const fs = require("node:fs");
const path = require("node:path");

const root = path.join(__dirname, "..");
const isInstalled = __dirname.split(path.sep).includes("node_modules");

/** Makes our own sources loadable, and leaves other sources to the loader that is installed already. */
function transpileOwnSources() {
  const swc = require("@swc/core");
  const others = require.extensions[".ts"];
  const own = root + path.sep;
  require.extensions[".ts"] = (module, file) => {
    if (!file.startsWith(own) || file.slice(own.length).split(path.sep).includes("node_modules")) {
      if (others === undefined) throw new Error(`${file} is TypeScript, and nothing loads that here.`);
      others(module, file);
      return;
    }
    const { code } = swc.transformSync(fs.readFileSync(file, "utf8"), {
      filename: file,
      configFile: false,
      swcrc: false,
      sourceMaps: "inline",
      module: { type: "commonjs" },
      jsc: { parser: { syntax: "typescript" }, target: "es2022" },
    });
    // What Node.js's own loaders call; it is not among its types.
    /** @type {NodeJS.Module & { _compile(code: string, file: string): void }} */ (module)._compile(code, file);
  };
}

if (!isInstalled) transpileOwnSources();
// A path that is put together: in a clone nothing is built, and the types of what is not there cannot be checked.
const library = require(path.join(root, isInstalled ? "dist" : ".", "components"));
const starter = path.join("@pulumi", "pulumi", "cmd", "run-plugin");
const isPlugin = [starter, path.join("bin", "plugin.js"), "pulumi-resource-crosstrail"].some((each) =>
  (process.argv[1] ?? "").includes(each),
);
module.exports = isPlugin ? require("./plugin").serve(library) : library;
