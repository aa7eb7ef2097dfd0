import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { auditStackOf, edited, stackFileName } from "../../automation/migration";
import { findProject } from "../../automation/pulumiProject";
import { parseStackFile } from "../../automation/stackFile";
import type { UserError } from "../../core/findings";
import { root } from "../support/config";

const project = { name: "crosstrail", defaults: {} };
const set = { logPrefix: "trails", previousLogPrefix: "/", keyAlias: null };
const wanted = { "crosstrail:logPrefix": "trails", "crosstrail:previousLogPrefix": "/" };
const valuesOf = (file: string, text: string) => parseStackFile(file, text, project.name).config;

describe("crosstrail migrate: the stacks' files", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "crosstrail-migrate-"))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  describe("are found as Pulumi finds them", () => {
    const audit = { "crosstrail:role": "audit" };
    const layouts: [string, string, object, string, object][] = [
      ["beside the project", "Pulumi.yaml", {}, "Pulumi.prod.yaml", audit],
      ["in stackConfigDir", "Pulumi.yaml", { stackConfigDir: "stacks" }, "stacks/Pulumi.prod.yaml", audit],
      ["of a project that ends in .yml", "Pulumi.yml", {}, "Pulumi.prod.yml", audit],
      ["of a project in JSON", "Pulumi.json", {}, "Pulumi.prod.json", audit],
      ["with keys without a namespace", "Pulumi.yaml", {}, "Pulumi.prod.yaml", { role: "audit" }],
      ["whose role is the project's", "Pulumi.yaml", { config: { role: "audit" } }, "Pulumi.prod.yaml", { a: "b" }],
    ];
    for (const [title, projectFile, content, stackFile, config] of layouts) {
      it(title, () => {
        writeFileSync(join(folder, projectFile), JSON.stringify({ name: "crosstrail", runtime: "nodejs", ...content }));
        mkdirSync(join(folder, "stacks"));
        writeFileSync(join(folder, stackFile), JSON.stringify({ config }));
        // What another ending or folder has is nothing to Pulumi.
        writeFileSync(join(folder, "stacks", "Pulumi.other.txt"), JSON.stringify({ config: audit }));
        assert.equal(auditStackOf(folder), "prod");
        assert.equal(
          stackFileName({ folder, env: {}, stderr: () => {} }, "web"),
          stackFile.replace(/^.*\//, "").replace("prod", "web"),
        );
        assert.ok(findProject(folder));
      });
    }

    it("two that say so are named", () => {
      writeFileSync(join(folder, "Pulumi.yaml"), "name: crosstrail\nruntime: nodejs\n");
      for (const name of ["a", "b"])
        writeFileSync(join(folder, `Pulumi.${name}.yaml`), "config:\n  crosstrail:role: audit\n");
      assert.throws(
        () => auditStackOf(folder),
        ({ findings }: UserError) => {
          assert.equal(
            findings[0]?.message,
            "Exactly one stack file must have crosstrail:role: audit. Those that do: Pulumi.a.yaml, Pulumi.b.yaml.",
          );
          return true;
        },
      );
    });
  });

  describe("are changed key by key", () => {
    it("comments, order and what follows the first document stay", () => {
      const text = [
        "# the archive",
        "config:",
        "  crosstrail:logPrefix: old # why",
        "  aws:region: us-east-1",
        "  crosstrail:keyAlias: x",
        "---",
        "notes: [a]",
        "",
      ].join("\n");
      const result = edited("Pulumi.audit.yaml", text, set, project);
      assert.deepEqual(valuesOf("Pulumi.audit.yaml", result), { ...wanted, "aws:region": "us-east-1" });
      assert.match(
        result,
        /^# the archive\nconfig:\n {2}crosstrail:logPrefix: trails[^]*aws:region[^]*\n---\nnotes: ?\[ ?a ?\]\n$/,
      );
    });

    it("in each of Pulumi's spellings, once", () => {
      const text = "config:\n  logPrefix: a\n  crosstrail:config:logPrefix: b\n  keyAlias: x\n";
      const result = edited("Pulumi.audit.yaml", text, set, project);
      assert.deepEqual(valuesOf("Pulumi.audit.yaml", result), wanted);
      assert.equal(result.match(/logPrefix/gi)?.length, 2, result);
    });

    it("in JSON", () => {
      const text = JSON.stringify({ secretsprovider: "x", config: { "crosstrail:keyAlias": "x", "aws:region": "r" } });
      const result = edited("Pulumi.audit.json", text, set, project);
      assert.deepEqual(JSON.parse(result), { secretsprovider: "x", config: { "aws:region": "r", ...wanted } });
    });

    it("values with parts that are undefined are those without them", () => {
      const organization = { id: "o-exampleorg1", alias: undefined };
      const result = edited("Pulumi.audit.yaml", "config: {}\n", { organization }, project);
      assert.deepEqual(valuesOf("Pulumi.audit.yaml", result), { "crosstrail:organization": { id: "o-exampleorg1" } });
    });

    for (const [title, text, defaults] of [
      ["a merge key", "base: &base\n  crosstrail:keyAlias: x\nconfig:\n  <<: *base\n", {}],
      ["the project's own configuration", "config: {}\n", { "crosstrail:keyAlias": "x" }],
    ] as const) {
      it(`a key that ${title} would still give is refused`, () => {
        assert.throws(
          () => edited("/x/Pulumi.audit.yaml", text, set, { ...project, defaults }),
          ({ findings }: UserError) => {
            assert.deepEqual(
              findings.map(({ id, subject }) => [id, subject]),
              [["migrate/not-written", "crosstrail:keyAlias in Pulumi.audit.yaml"]],
            );
            return true;
          },
        );
      });
    }

    it("a key that the project gives its own default may go: each default of this project", () => {
      const { defaults = {} } = findProject(root) ?? {};
      assert.ok("crosstrail:previousKeyInUse" in defaults);
      const keys = Object.keys(defaults).filter((name) => name.startsWith("crosstrail:"));
      const text = JSON.stringify({ config: Object.fromEntries(keys.map((name) => [name, "x"])) });
      const none = Object.fromEntries(keys.map((name) => [name.slice("crosstrail:".length), null]));
      assert.deepEqual(
        valuesOf("Pulumi.audit.json", edited("Pulumi.audit.json", text, none, { ...project, defaults })),
        {},
      );
    });

    it("a merge key does not stand in the way of a value of the file's own", () => {
      const text = "base: &base\n  crosstrail:logPrefix: x\nconfig:\n  <<: *base\n";
      const result = edited("Pulumi.audit.yaml", text, { logPrefix: "trails" }, project);
      assert.deepEqual(valuesOf("Pulumi.audit.yaml", result), { "crosstrail:logPrefix": "trails" });
    });
  });
});
