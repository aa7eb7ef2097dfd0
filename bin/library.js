// @ts-check
"use strict";

/**
 * package.json's `main`, which Pulumi loads to serve the components to other languages. The installed package is built. A clone
 * is not, and Pulumi's language host type-checks whatever TypeScript is loaded with the options of the *user's* folder, which know
 * nothing of our sources: so they are transpiled here, by our own tsconfig.json. Programs get the library by package.json's
 * `exports`, where `default` names the sources: no program ever takes it, but Pulumi reads the components' types from there.
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
module.exports = require(path.join(root, isInstalled ? "dist" : ".", "components"));
