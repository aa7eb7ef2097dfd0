import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { posix } from "node:path";
import ts from "typescript";
import { questions } from "../core/simulate";
import { findingIds } from "../core/findings";
import { read, root } from "./support/config";

const layers = ["core", "components", "programs", "automation", "sandbox"];

function sources(folder: string): string[] {
  return readdirSync(posix.join(root, folder), { withFileTypes: true }).flatMap((each) => {
    const path = posix.join(folder, each.name);
    if (each.isDirectory()) return sources(path);
    return each.name.endsWith(".ts") ? [path] : [];
  });
}

const idShape = /^[a-z]+\/[a-z]+(-[a-z0-9]+)*$/;
const categories = new Set(Object.keys(findingIds).map((id) => id.split("/")[0] as string));

/**
 * The ids that a file writes: whatever is given as `id`, and every other text that looks like an id of a known category. The
 * settings' report puts `config/` in front of its own.
 */
function idsOf(file: string, text = read(file)): { ids: string[]; incomplete: string[] } {
  const ids: string[] = [];
  const incomplete: string[] = [];
  const visit = (node: ts.Node, asId = false): void => {
    if (ts.isImportDeclaration(node) || ts.isLiteralTypeNode(node)) return;
    if (ts.isStringLiteralLike(node) && idShape.test(node.text)) {
      if (asId || categories.has(node.text.split("/")[0] as string)) ids.push(node.text);
    }
    if (ts.isTemplateExpression(node) && categories.has(node.head.text.split("/")[0] as string)) {
      if (/^[a-z]+\/$/.test(node.head.text)) incomplete.push(`${file}: ${node.getText()}`);
    }
    if (ts.isCallExpression(node) && node.expression.getText() === "report.add") {
      const [first] = node.arguments;
      if (first && ts.isStringLiteralLike(first)) ids.push(`config/${first.text}`);
    }
    // Those that the settings' report is given by field.
    if (ts.isVariableDeclaration(node) && node.name.getText() === "idByField") {
      const { initializer } = node;
      assert.ok(initializer && ts.isObjectLiteralExpression(initializer));
      for (const each of initializer.properties) {
        if (ts.isPropertyAssignment(each) && ts.isStringLiteralLike(each.initializer))
          ids.push(`config/${each.initializer.text}`);
      }
    }
    const isId = ts.isPropertyAssignment(node) && node.name.getText() === "id";
    ts.forEachChild(node, (child) => visit(child, asId || (isId && child !== node.name)));
  };
  // Most files have nothing of the kind, and need not be parsed.
  if (/["'`][a-z]+\/|report\.add|idByField/.test(text)) {
    visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
  }
  // The simulation's questions have names of the same shape.
  return { ids: ids.filter((id) => !Object.hasOwn(questions, id)), incomplete };
}

describe("the catalog of findings", () => {
  const files = layers.flatMap(sources).filter((file) => file !== "core/findings.ts");
  const found = new Map<string, string>();
  const incomplete: string[] = [];
  for (const file of files) {
    const read = idsOf(file);
    for (const id of read.ids) found.set(id, file);
    incomplete.push(...read.incomplete);
  }
  // What the settings' report is given for a field that has no id of its own.
  found.set("config/value", "core/settings/values.ts");

  it("has every id that the code writes", () => {
    const missing = [...found].filter(([id]) => !Object.hasOwn(findingIds, id));
    assert.deepEqual(
      missing,
      [],
      `These findings are in no catalog: ${missing.map(([id, file]) => `${id} (${file})`).join(", ")}.\n` +
        `  → Add to findingIds in core/findings.ts, for each:  "${missing[0]?.[0]}": ["what it means", "what to do"],\n` +
        "    then npm run docs.",
    );
  });

  it("has none that the code does not write", () => {
    const surplus = Object.keys(findingIds).filter((id) => !found.has(id));
    assert.deepEqual(
      surplus,
      [],
      `Nothing reports these; remove them from findingIds in core/findings.ts: ${surplus.join()}`,
    );
  });

  it("can find them, because they are written whole", () => {
    const known = ["core/settings/report.ts: `config/${id}`"];
    assert.deepEqual(
      incomplete.filter((each) => !known.includes(each)),
      [],
      "An id is written as one text, so that it can be searched for.",
    );
  });

  it("says in sentences what each means and what to do", () => {
    for (const [id, texts] of Object.entries(findingIds)) {
      assert.match(id, idShape);
      for (const text of texts) assert.match(text, /^[A-Z"`][^]*[^.]\.$/, id);
    }
  });

  it("and this test can see an id", () => {
    const text =
      'import a from "policy/no"; f("policy/a"); g({ id: x ? "other/b" : "other/c" }); report.add("d"); `policy/${e}`;' +
      'const idByField = { f: "g" }; "other/no"; type T = "policy/no";';
    assert.deepEqual(idsOf("x.ts", text), {
      ids: ["policy/a", "other/b", "other/c", "config/d", "config/g"],
      incomplete: ["x.ts: `policy/${e}`"],
    });
  });
});
