/** The workflow to copy: what it may do, when it runs, and which actions it trusts. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { commentMarker } from "../automation/report";
import { read } from "./support/config";

interface Step {
  if?: string;
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
  env?: Record<string, string>;
}
interface Job {
  if?: string;
  permissions: Record<string, string>;
  steps: Step[];
  env?: Record<string, string>;
  "timeout-minutes": number;
}

describe("the workflow for pull requests", () => {
  const text = read(".github/workflows/preview.yml");
  const workflow = parse(text) as {
    on: Record<string, unknown>;
    permissions: object;
    concurrency: Record<string, unknown>;
    jobs: Record<string, Job>;
  };
  const { preview, comment } = workflow.jobs as { preview: Job; comment: Job };
  const steps = [...preview.steps, ...comment.steps];

  it("runs for pull requests with their own rights, never with the repository's", () => {
    assert.deepEqual(Object.keys(workflow.on), ["pull_request"]);
  });

  it("has no rights but those that each job needs, and no job both runs the pull request and writes", () => {
    assert.deepEqual(workflow.permissions, {});
    assert.deepEqual(Object.keys(workflow.jobs), ["preview", "comment"]);
    assert.deepEqual(preview.permissions, { contents: "read", "id-token": "write" });
    assert.deepEqual(comment.permissions, { "pull-requests": "write" });
    assert.ok(!comment.steps.some(({ uses }) => uses?.startsWith("actions/checkout")));
    assert.equal(preview.steps[0]?.with?.["persist-credentials"], false);
  });

  it("needs no secret, and for forks no AWS", () => {
    assert.doesNotMatch(text, /secrets\./);
    assert.match(preview.env?.WITH_AWS ?? "", /head\.repo\.full_name == github\.repository/);
    const withAws = preview.steps.filter((step) => /aws-actions|pulumi/.test(JSON.stringify(step)));
    assert.deepEqual(
      withAws.map((step) => step.if),
      withAws.map(() => "env.WITH_AWS == 'true'"),
    );
    assert.equal(withAws.length, 3);
    const simulate = preview.steps.find(({ run }) => run?.includes("simulate"));
    assert.equal(simulate?.if, undefined);
  });

  it("runs once for a pull request, for a limited time", () => {
    assert.deepEqual(workflow.concurrency, {
      group: "crosstrail-preview-${{ github.event.pull_request.number }}",
      "cancel-in-progress": true,
    });
    for (const job of [preview, comment]) assert.ok(job["timeout-minutes"] <= 30);
  });

  it("names every action by a whole version", () => {
    const used = steps.flatMap(({ uses }) => uses ?? []);
    assert.equal(used.length, 6);
    for (const each of used) assert.match(each, /^[\w-]+\/[\w-]+@v\d+\.\d+\.\d+$/);
  });

  it("puts nothing of the pull request's into a shell: a branch's name would be a command", () => {
    for (const { run } of steps) assert.doesNotMatch(run ?? "", /\$\{\{/);
  });

  it("finds the comment by the report's first line", () => {
    const write = comment.steps.at(-1)?.run ?? "";
    assert.match(write, /marker=\$\(head -n 1 preview\/preview\.md\)/);
    assert.match(write, /github-actions\[bot\]/);
    assert.match(commentMarker({ accounts: [] }), /^<!-- [\w -]+ -->$/);
  });
});
