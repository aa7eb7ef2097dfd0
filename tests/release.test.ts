/** The workflows that test and release, and what a release needs. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { problems } from "../docs/release";
import { read } from "./support/config";

interface Workflow {
  permissions: Record<string, string>;
  jobs: Record<
    string,
    {
      needs?: string;
      permissions?: Record<string, string>;
      environment?: string;
      steps: { uses?: string; run?: string }[];
    }
  >;
}

describe("CI and release workflows", () => {
  for (const name of ["ci", "release"]) {
    const text = read(`.github/workflows/${name}.yml`);
    const workflow = parse(text) as Workflow;
    const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);

    it(`${name}: every action is pinned by its commit, with its version beside it`, () => {
      const used = [...text.matchAll(/uses: (\S+)(.*)/g)];
      assert.ok(used.length > 0);
      for (const [, action, comment] of used) {
        assert.match(action ?? "", /@[0-9a-f]{40}$/);
        assert.match(comment ?? "", /^ # v\d+\.\d+\.\d+$/);
      }
    });

    it(`${name}: nobody gets more than reading unless a job says so`, () => {
      assert.ok(Object.values(workflow.permissions).every((access) => access === "read"));
      const tokens = Object.entries(workflow.jobs).filter(([, job]) => job.permissions?.["id-token"] === "write");
      assert.deepEqual(
        tokens.map(([job]) => job),
        name === "release" ? ["publish"] : [],
      );
    });

    it(`${name}: runs what CI runs everywhere`, () => {
      assert.ok(steps.some(({ run }) => run === "bash .ci/run"));
    });
  }

  it("release: publishes with provenance, after the tests, and runs no install scripts beside its token", () => {
    const { jobs } = parse(read(".github/workflows/release.yml")) as Workflow;
    const publish = jobs.publish;
    assert.ok(publish);
    assert.equal(publish.needs, "test");
    const commands = publish.steps.map(({ run }) => run ?? "").filter((run) => run.startsWith("npm"));
    for (const command of commands.filter((run) => !run.startsWith("npm run")))
      assert.match(command, /--ignore-scripts/);
    assert.ok(commands.some((run) => /npm publish .*--provenance/.test(run)));
    assert.equal(publish.environment, "npm");
  });
});

describe("a release", () => {
  const changelog = "# Changelog\n\n## 0.2.0\n\n- Something new.\n\n## 0.1.0\n\n- First.\n";
  it("needs the version's own tag and a section that says something", () => {
    assert.deepEqual(problems("v0.2.0", { version: "0.2.0" }, changelog), []);
    assert.match(problems("v0.2.1", { version: "0.2.0" }, changelog).join(), /Tag it as v0\.2\.0/);
    assert.match(problems("v0.3.0", { version: "0.3.0" }, changelog).join(), /has no section "## 0\.3\.0"/);
    assert.match(
      problems("v0.3.0", { version: "0.3.0" }, `## 0.3.0\n\n${changelog}`).join(),
      /says nothing about 0\.3\.0/,
    );
  });
});
