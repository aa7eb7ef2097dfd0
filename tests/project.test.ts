import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import ts from "typescript";
import { keyTable } from "../core/settings";
import { declaredKeys, read, root } from "./support/config";

/** Every source file below a top-level entry, as a path from the root. */
function sources(entry: string): string[] {
  if (/\.(ts|js)$/.test(entry)) return [entry];
  if (!existsSync(join(root, entry))) return [];
  return readdirSync(join(root, entry), { withFileTypes: true }).flatMap((each) => {
    const path = posix.join(entry, each.name);
    if (each.isDirectory()) return each.name === "node_modules" ? [] : sources(path);
    return /\.(ts|js)$/.test(each.name) ? [path] : [];
  });
}

/** What a file imports, requires or names in a type: modules as they are, files as paths from the root. */
function importsOf(file: string, text = read(file)): string[] {
  return ts
    .preProcessFile(text, true, true)
    .importedFiles.map(({ fileName }) =>
      fileName.startsWith(".") ? posix.normalize(posix.join(dirname(file), fileName)) : fileName,
    );
}

/** Files that import each other, also through others; types count as well. */
function circles(files: string[], imports: (file: string) => string[]): string[][] {
  const all = new Set(files);
  const found = (path: string) =>
    ["", ".ts", ".js", "/index.ts"].map((end) => path + end).find((each) => all.has(each));
  const targets = new Map(files.map((file) => [file, imports(file).flatMap((path) => found(path) ?? [])]));
  const reach = (from: string): Set<string> => {
    const seen = new Set<string>();
    const open = [...(targets.get(from) ?? [])];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (seen.has(next)) continue;
      seen.add(next);
      open.push(...(targets.get(next) ?? []));
    }
    return seen;
  };
  const reached = new Map(files.map((file) => [file, reach(file)]));
  const inCircle = files.filter((file) => reached.get(file)?.has(file));
  const groups = new Map(
    inCircle.map((file) => [
      file,
      inCircle.filter((other) => reached.get(file)?.has(other) && reached.get(other)?.has(file)).sort(),
    ]),
  );
  return [...new Map([...groups.values()].map((group) => [group.join(), group])).values()];
}

function topOf(path: string): string {
  return path.split("/")[0] as string;
}

/** Uses of what makes a result depend on more than its input: clock, chance, surroundings. */
function impurities(file: string, text = read(file)): string[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const globals = ["process", "performance", "console", "fetch", "setTimeout", "setInterval", "setImmediate", "crypto"];
  const visit = (node: ts.Node): void => {
    const code = node.getText(source);
    const inner =
      (!ts.isPropertyAccessExpression(node.parent) || node.parent.expression === node) && ts.isIdentifier(node);
    if (inner && globals.includes(node.text) && !ts.isPropertyAssignment(node.parent)) found.push(node.text);
    if (ts.isPropertyAccessExpression(node) && ["Date.now", "Math.random"].includes(code)) found.push(code);
    if (ts.isNewExpression(node) && node.expression.getText(source) === "Date" && !node.arguments?.length)
      found.push(code);
    if (ts.isCallExpression(node) && ["Date", "require"].includes(node.expression.getText(source))) found.push(code);
    ts.forEachChild(node, visit);
  };
  ts.forEachChild(source, visit);
  return found;
}

describe("the project", () => {
  it("has the entries that do not move", () => {
    for (const entry of [
      "package.json",
      "tsconfig.json",
      "README.md",
      "Pulumi.yaml",
      "Pulumi.audit.yaml",
      "Pulumi.member.yaml",
      "index.ts",
      "components",
      "tests",
    ]) {
      assert.ok(existsSync(join(root, entry)), entry);
    }
  });

  it("has an index.ts of at most 30 lines", () => {
    assert.ok(read("index.ts").trimEnd().split("\n").length <= 30);
  });

  describe("Pulumi.yaml", () => {
    it("declares exactly the keys that settings have, in their order, with type, default and description", () => {
      const declared = Object.entries(declaredKeys()).map(([name, key]) => ({
        name,
        type: key.type,
        default: key.default,
        description: key.description,
      }));
      assert.deepEqual(
        declared,
        keyTable.map(({ name, type, default: fallback, description }) => ({
          name,
          type,
          default: fallback,
          description,
        })),
      );
    });

    it("says what is in each list", () => {
      for (const [name, { type, items }] of Object.entries(declaredKeys())) {
        assert.equal(items !== undefined, type === "array", name);
        if (items) assert.ok(["string", "object"].includes(items.type), name);
      }
    });
  });

  describe("imports go one way", () => {
    const layers = ["core", "components", "programs", "automation"];
    const entries = ["index.ts", "bin", "sandbox", "tests", "examples"];

    it("and every file of the library is looked at", () => {
      for (const layer of layers) assert.ok(sources(layer).length > 0, layer);
    });

    for (const entry of [...layers, "index.ts"]) {
      const below = entry === "index.ts" ? layers : layers.slice(0, layers.indexOf(entry) + 1);
      it(`${entry} imports ${below.join(", ")} only`, () => {
        for (const file of sources(entry)) {
          for (const imported of importsOf(file)) {
            const top = topOf(imported);
            if ([...layers, ...entries].includes(top)) assert.ok(below.includes(top), `${file} imports ${imported}`);
          }
        }
      });
    }

    it("and every file begins with a line that says what it is", () => {
      const silent = layers.flatMap(sources).filter((file) => !/^(#!.*\n)?(\/\*\*|\/\/)/.test(read(file)));
      assert.deepEqual(silent, []);
    });

    it("and never in a circle", () => {
      // Completion describes every command, and is one of them.
      const known = [["automation/cli.ts", "automation/commands/completion.ts"]];
      const files = [...layers, "sandbox"].flatMap(sources);
      assert.deepEqual(
        circles(files, (file) => importsOf(file)),
        known,
      );
    });

    it("and a circle would be seen", () => {
      const imports: Record<string, string[]> = { "a.ts": ["b"], "b.ts": ["c/d"], "c/d.ts": ["a"], "e.ts": ["a"] };
      assert.deepEqual(
        circles(Object.keys(imports), (file) => imports[file] ?? []),
        [["a.ts", "b.ts", "c/d.ts"]],
      );
    });

    it("core is pure: no Pulumi, no AWS SDK, no files, no clock; zod is all it needs", () => {
      for (const file of sources("core")) {
        const modules = importsOf(file).filter((each) => topOf(each) !== "core");
        assert.deepEqual(
          modules.filter((each) => each !== "zod"),
          [],
          file,
        );
        assert.deepEqual(impurities(file), [], file);
      }
    });

    it("components and programs need Pulumi only: nothing of the tests' or the sandbox's tools", () => {
      for (const file of [...sources("components"), ...sources("programs")]) {
        for (const imported of importsOf(file).filter((each) => !layers.includes(topOf(each)))) {
          // What the provider has no functions for is asked in these places, with the provider's credentials.
          const asks = /^programs\/(auditAccess|credentials|organizationAccess)\.ts$/.test(file);
          if (asks && imported.startsWith("@aws-sdk/")) continue;
          assert.match(imported, /^(@pulumi\/(pulumi|aws)(\/|$)|node:util$)/, `${file} imports ${imported}`);
        }
      }
    });

    it("programs and components load no more of @pulumi/aws than they use", () => {
      // The package's index loads every service; that is most of the time a preview takes.
      for (const file of [...layers.flatMap(sources), "index.ts"]) {
        assert.ok(!importsOf(file).includes("@pulumi/aws"), file);
      }
    });

    it("and this test can see what it forbids", () => {
      const text =
        'import type { A } from "../sandbox/a"; const b = require("@pulumi/aws"); let c: typeof import("../tests/c");' +
        'export * from "../programs/d"; await import("node:fs");';
      assert.deepEqual(importsOf("core/x.ts", text).sort(), [
        "@pulumi/aws",
        "node:fs",
        "programs/d",
        "sandbox/a",
        "tests/c",
      ]);
      const clock =
        "new Date(); Date.now(); Date(); process.env.X; Math.random(); new Date(5); a.process; Date.parse(t);";
      assert.deepEqual(impurities("core/x.ts", clock), ["new Date()", "Date.now", "Date()", "process", "Math.random"]);
    });
  });
});
