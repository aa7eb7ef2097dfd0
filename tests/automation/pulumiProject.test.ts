/** What Pulumi reads of a project and its stacks' files, the tool reads alike. */
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { Project } from "../../automation/fleet/project";
import { findProject, parseYaml, stackFileOf } from "../../automation/pulumiProject";
import { auditStackFile, readConfig, readStackFile } from "../../automation/stackFile";
import type { UserError } from "../../core/findings";
import type { AuditSettings } from "../../core/settings";

const config = `config:
  aws:region: us-east-1
  crosstrail:role: audit
  crosstrail:auditAccountId: "111111111111"
  crosstrail:bucketName: example-logs
`;

describe("automation: Pulumi's projects and files", () => {
  let folder = "";
  beforeEach(() => (folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "crosstrail-test-")))));
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  const write = (name: string, text: string) => {
    const file = path.join(folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
    return file;
  };
  const audit = (file: string) => readStackFile(file, {}) as AuditSettings;
  const refused = (work: () => unknown) => {
    try {
      work();
    } catch (error) {
      assert.equal((error as Error).name, "UserError", String((error as Error).stack));
      return (error as UserError).message;
    }
    return assert.fail("it is not refused");
  };

  describe("YAML", () => {
    it("merge keys, also of lists; what is said beside them wins, the first of a list before the others", () => {
      const text = "a: &a {x: 1, y: 1}\nb: &b {x: 2, z: 2}\nc: {<<: *a, x: 3}\nd:\n  <<: [*a, *b]\n";
      assert.deepEqual(parseYaml(text), {
        a: { x: 1, y: 1 },
        b: { x: 2, z: 2 },
        c: { x: 3, y: 1 },
        d: { x: 1, y: 1, z: 2 },
      });
    });

    it("the first document only, whatever is behind it", () => {
      assert.deepEqual(parseYaml("a: 1\n---\nb: [\n"), { a: 1 });
      assert.deepEqual(parseYaml("---\na: 1\n...\n"), { a: 1 });
    });

    it("numbers as Pulumi's parser does: octal with a leading 0, and _ between digits", () => {
      assert.deepEqual(parseYaml("[014, -010, 1_000, 0x1F, 0b101, 0o17, 089, '014', 12, 1.50]"), [
        12,
        -8,
        1000,
        31,
        5,
        15,
        89,
        "014",
        12,
        1.5,
      ]);
      assert.deepEqual(parseYaml("[yes, no, on, off, true, ~]"), ["yes", "no", "on", "off", true, null]);
    });

    it("hundreds of aliases of one anchor, but no file that blows itself up", () => {
      const members = Array.from({ length: 300 }, () => "  - {<<: *defaults}").join("\n");
      assert.equal((parseYaml(`a: &defaults {x: 1}\nb:\n${members}\n`) as { b: unknown[] }).b.length, 300);
      const bomb = [..."abcdefghi"].map((name, index, all) =>
        index === 0
          ? "a: &a [x, x, x, x, x, x, x, x, x]"
          : `${name}: &${name} [${Array(9)
              .fill(`*${all[index - 1]}`)
              .join(", ")}]`,
      );
      assert.throws(() => parseYaml(bomb.join("\n")), /alias/i);
    });

    it("refuses keys that are no strings, and keys that are there twice, as Pulumi does", () => {
      assert.throws(() => parseYaml("tags: {2024: x}"), /the key 2024 must be in quotes/);
      assert.throws(() => parseYaml("a: 1\na: 2"), /unique/);
    });
  });

  it("a stack's file with anchors, merge keys, a second document and a mark of the byte order", () => {
    write("Pulumi.yaml", "name: crosstrail\nruntime: nodejs\n");
    const file = write(
      "Pulumi.audit.yaml",
      `\uFEFFx-defaults: &defaults\n  homeRegion: eu-west-1\n${config}  crosstrail:members:\n` +
        '    - {<<: *defaults, accountId: "222222222222", alias: payments}\n---\nother: [\n',
    );
    assert.deepEqual(audit(file).members, [{ accountId: "222222222222", alias: "payments", homeRegion: "eu-west-1" }]);
  });

  it("keys by every name that Pulumi knows them by", () => {
    write("Pulumi.yaml", "name: crosstrail\nruntime: nodejs\n");
    const file = write(
      "Pulumi.audit.yaml",
      config.replace("crosstrail:role", "role").replace("crosstrail:bucketName", "crosstrail:config:bucketName"),
    );
    assert.equal(audit(file).bucketName, "example-logs");
  });

  it("of a project of another name, keys without a namespace are that project's", () => {
    write("Pulumi.yaml", "name: my-audit\nruntime: nodejs\n");
    const file = write("Pulumi.audit.yaml", config.replace("crosstrail:role", "role"));
    assert.match(
      refused(() => audit(file)),
      /crosstrail:role is not set/,
    );
    assert.equal(audit(write("Pulumi.audit.yaml", `${config}  dashboard: x\n`)).role, "audit");
  });

  it("what the project gives to every stack: values, defaults, and nothing that the stack says itself", () => {
    write(
      "Pulumi.yaml",
      "name: crosstrail\nruntime: nodejs\nconfig:\n  aws:region: eu-west-1\n  logPrefix: {type: string, default: trails}\n" +
        "  crosstrail:keyAlias: {value: archive}\n  tags: {type: object, default: {team: security}}\n  bucketName: {type: string, default: other}\n",
    );
    const file = write("Pulumi.audit.yaml", config.replace("  aws:region: us-east-1\n", ""));
    const { region, logPrefix, keyAlias, tags, bucketName } = audit(file);
    assert.deepEqual(
      { region, logPrefix, keyAlias, tags, bucketName },
      {
        region: "eu-west-1",
        logPrefix: "trails",
        keyAlias: "archive",
        tags: { team: "security" },
        bucketName: "example-logs",
      },
    );
    const project = new Project(folder, "audit", {});
    assert.equal(project.own("audit").config["aws:region"], "eu-west-1");
    project.close();
  });

  for (const [where, project] of [
    ["stackConfigDir", "stackConfigDir: stacks"],
    ["the older config: <folder>", "config: stacks"],
  ] as const) {
    it(`${where}: the stacks' files are there, and the run's own are found`, () => {
      write("Pulumi.yaml", `name: crosstrail\nruntime: nodejs\n${project}\n`);
      const file = write(
        "stacks/Pulumi.audit.yaml",
        `${config}  crosstrail:members: [{accountId: "222222222222", alias: payments}]\n`,
      );
      assert.equal(auditStackFile(folder), file);
      const made = new Project(folder, "audit", {});
      const { workDir, settings } = made.trailStack(
        { name: "payments", kind: "member", accountId: "222222222222" },
        undefined,
      );
      assert.equal(settings.role, "member");
      // Pulumi finds the file where the run has put it.
      const temporary = findProject(workDir);
      assert.ok(temporary && fs.existsSync(stackFileOf(temporary, "payments")));
      made.close();
    });
  }

  for (const extension of ["yml", "json"]) {
    it(`Pulumi.${extension}: the stacks' files end alike`, () => {
      const isJson = extension === "json";
      write(
        `Pulumi.${extension}`,
        isJson ? '{"name": "crosstrail", "runtime": "nodejs"}' : "name: crosstrail\nruntime: nodejs\n",
      );
      const text = isJson ? JSON.stringify({ config: (parseYaml(config) as { config: unknown }).config }) : config;
      const file = write(`Pulumi.audit.${extension}`, text);
      const made = new Project(folder, "audit", {});
      assert.equal(made.audit.bucketName, "example-logs");
      made.close();
      assert.equal(readConfig(file)["aws:region"], "us-east-1");
    });
  }

  it("the project is found from a folder below it", () => {
    write("Pulumi.yaml", "name: crosstrail\nruntime: nodejs\n");
    write("Pulumi.audit.yaml", config);
    write("docs/notes.txt", "");
    const made = new Project(path.join(folder, "docs"), "audit", {});
    assert.equal(made.folder, folder);
    made.close();
  });

  it("environments of Pulumi ESC are not read: where something is missing, that is said", () => {
    write("Pulumi.yaml", "name: crosstrail\nruntime: nodejs\n");
    const file = write(
      "Pulumi.audit.yaml",
      `environment:\n  - fleet\n${config.replace("  crosstrail:bucketName: example-logs\n", "")}`,
    );
    assert.match(
      refused(() => audit(file)),
      /crosstrail:bucketName is not set[^]*Pulumi ESC, which crosstrail does not read/,
    );
    assert.equal(audit(write("Pulumi.audit.yaml", `environment:\n  - credentials\n${config}`)).role, "audit");
  });

  it("a project or a file that Pulumi cannot read: which one, and why, without a stack trace", () => {
    write("Pulumi.audit.yaml", config);
    write("Pulumi.yaml", "name: [\n");
    assert.match(
      refused(() => new Project(folder, "audit", {})),
      /Pulumi\.yaml\n[^]*cannot be read/,
    );
    write("Pulumi.yaml", "- list\n");
    assert.match(
      refused(() => new Project(folder, "audit", {})),
      /it is not a map/,
    );
    write("Pulumi.yaml", "name: crosstrail\nruntime: nodejs\n");
    write("Pulumi.audit.yaml", `${config}  crosstrail:tags: {2024: x}\n`);
    assert.match(
      refused(() => new Project(folder, "audit", {})),
      /the key 2024 must be in quotes/,
    );
  });
});
