/** The workflow to copy: what it may do, whose code it runs, and which comment it writes. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { parse, stringify } from "yaml";
import { commentMarker } from "../automation/report";
import { read, root } from "./support/config";

interface Step {
  id?: string;
  name?: string;
  if?: string;
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
  env?: Record<string, string>;
}
interface Job {
  if?: string;
  environment?: unknown;
  permissions?: Record<string, string>;
  steps: Step[];
  env?: Record<string, string>;
  "timeout-minutes"?: number;
}
interface Workflow {
  on: Record<string, unknown>;
  permissions?: object;
  concurrency?: Record<string, unknown>;
  jobs: { preview: Job; comment: Job } & Record<string, Job>;
}

const text = read(".github/workflows/preview.yml");
const workflow = parse(text) as Workflow;
const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
const usesCheckout = ({ uses }: Step) => uses?.startsWith("actions/checkout@") ?? false;

/** Every property that the workflow's safety rests on; true when the text has it. */
const properties: Record<string, (workflow: Workflow, text: string) => boolean> = {
  "runs for pull requests with their own rights": ({ on }) => same(Object.keys(on), ["pull_request"]),
  "grants nothing to all jobs": ({ permissions }) => same(permissions, {}),
  "grants each job only what it needs": ({ jobs }) =>
    same(
      Object.entries(jobs).map(([name, { permissions }]) => [name, permissions]),
      [
        ["preview", { contents: "read", "id-token": "write" }],
        ["comment", { "pull-requests": "write" }],
      ],
    ),
  "takes the tool from the base branch": ({ jobs: { preview } }) => {
    const [first] = preview.steps;
    return (
      first !== undefined &&
      usesCheckout(first) &&
      first.with?.ref === "${{ github.event.pull_request.base.sha }}" &&
      first.with?.path === undefined &&
      first.with?.repository === undefined
    );
  },
  "takes only stack files from the pull request, into a folder of their own": ({ jobs }) => {
    const others = Object.values(jobs)
      .flatMap(({ steps }) => steps)
      .filter(usesCheckout)
      .slice(1);
    const only = { path: "pull-request", "sparse-checkout": "/Pulumi.*.yaml", "sparse-checkout-cone-mode": false };
    return others.length === 1 && Object.entries(only).every(([name, value]) => same(others[0]?.with?.[name], value));
  },
  "installs before anything of the pull request is there": ({ jobs: { preview } }) => {
    const install = preview.steps.findIndex(({ run }) => run?.startsWith("npm"));
    return install !== -1 && install < preview.steps.findLastIndex(usesCheckout);
  },
  "checks the stack files before it uses them": ({ jobs: { preview } }) => {
    const files = preview.steps.findIndex(({ id }) => id === "files");
    const first = preview.steps.findIndex(({ run }) => /\$CROSSTRAIL|^pulumi/m.test(run ?? ""));
    return files !== -1 && files < first && preview.steps[files]?.if === undefined;
  },
  "keeps no credentials of the checkouts": ({ jobs }) =>
    Object.values(jobs)
      .flatMap(({ steps }) => steps)
      .filter(usesCheckout)
      .every((step) => step.with?.["persist-credentials"] === false),
  "runs no install scripts beside a token": ({ jobs }) =>
    Object.values(jobs)
      .filter(({ permissions }) => permissions?.["id-token"] === "write")
      .flatMap(({ steps }) => steps)
      .flatMap(({ run }) => run?.match(/\bnpm (?:ci|i|install)\b.*/g) ?? [])
      .every((command) => command.includes("--ignore-scripts")),
  "runs nothing of the pull request where it may write": ({ jobs: { comment } }) =>
    !comment.steps.some((step) => usesCheckout(step) || /\b(npm|npx|node|pulumi)\b|CROSSTRAIL/.test(step.run ?? "")),
  "needs no secret": (_, all) => !/secrets[.[]/.test(all),
  "gives forks no AWS": ({ jobs: { preview } }) => {
    const withAws = preview.steps.filter((step) =>
      /aws-actions|pulumi\/actions|crosstrail preview|"preview"/.test(JSON.stringify(step)),
    );
    return (
      /head\.repo\.full_name == github\.repository/.test(preview.env?.WITH_AWS ?? "") &&
      withAws.length >= 3 &&
      withAws.every((step) => step.if === "env.WITH_AWS == 'true'")
    );
  },
  "simulates for forks, too": ({ jobs: { preview } }) =>
    preview.steps.some((step) => step.run?.includes("simulate") && step.if === undefined),
  "pins every action by its commit, with its version beside it": (_, all) => {
    const used = [...all.matchAll(/uses:(.*)/g)];
    return (
      used.length === 7 && used.every(([, action]) => /^ [\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(action ?? ""))
    );
  },
  "puts nothing of the pull request into a shell": ({ jobs }) =>
    Object.values(jobs)
      .flatMap(({ steps }) => steps)
      .every(({ run }) => !(run ?? "").includes("${{")),
  "uses a constant marker that is the report's": ({ jobs: { comment } }) =>
    comment.steps.at(-1)?.env?.MARKER === commentMarker && !/marker=|MARKER=/.test(comment.steps.at(-1)?.run ?? ""),
  "limits each job's time": ({ jobs }) =>
    Object.values(jobs).every((job) => (job["timeout-minutes"] ?? Infinity) <= 30),
  "previews only the newest commit": ({ concurrency }) =>
    same(concurrency, {
      group: "crosstrail-preview-${{ github.event.pull_request.number }}",
      "cancel-in-progress": true,
    }),
};

/** For each property, changes of the text that take it away. */
const attacks: Record<keyof typeof properties, [from: string | RegExp, to: string][]> = {
  "runs for pull requests with their own rights": [
    ["  pull_request:\n", "  pull_request_target:\n"],
    ["  pull_request:\n", "  pull_request:\n  issue_comment:\n"],
  ],
  "grants nothing to all jobs": [
    ["permissions: {}", "permissions: write-all"],
    ["permissions: {}\n", ""],
  ],
  "grants each job only what it needs": [
    ["contents: read", "contents: write"],
    ["      pull-requests: write", "      pull-requests: write\n      id-token: write"],
  ],
  "takes the tool from the base branch": [
    ["          ref: ${{ github.event.pull_request.base.sha }}\n", ""],
    ["pull_request.base.sha", "pull_request.head.sha"],
  ],
  "takes only stack files from the pull request, into a folder of their own": [
    ["          sparse-checkout: /Pulumi.*.yaml\n", ""],
    ["/Pulumi.*.yaml", "/*"],
    ["          path: pull-request\n", ""],
    ["          sparse-checkout-cone-mode: false\n", ""],
  ],
  "installs before anything of the pull request is there": [
    [/(\s+- run: npm ci --ignore-scripts\n)([^]*?)(\n {6}- name: Use the pull)/, "$2$1$3"],
  ],
  "checks the stack files before it uses them": [
    ["        id: files\n", "        id: files\n        if: env.WITH_AWS == 'true'\n"],
    ["        id: files\n", ""],
  ],
  "keeps no credentials of the checkouts": [["          persist-credentials: false\n", ""]],
  "runs no install scripts beside a token": [
    ["npm ci --ignore-scripts", "npm ci"],
    ["npm ci --ignore-scripts", "npm install"],
  ],
  "runs nothing of the pull request where it may write": [
    ["          set -o pipefail\n          # What", "          npx crosstrail\n          # What"],
    [/(needs: preview[^]*steps:\n)/, "$1      - uses: actions/checkout@v6\n"],
  ],
  "needs no secret": [["${{ github.token }}", "${{ secrets.TOKEN }}"]],
  "gives forks no AWS": [
    ["github.event.pull_request.head.repo.full_name == github.repository && ", ""],
    [/( {6}- name: Access the audit account\n).*\n/, "$1"],
    [/( {8}id: preview\n).*\n/, "$1"],
  ],
  "simulates for forks, too": [
    ["- name: Simulate the policies\n", "- name: Simulate\n        if: env.WITH_AWS == 'true'\n"],
  ],
  "pins every action by its commit, with its version beside it": [
    [/(aws-credentials)@\w+/, "$1@v6.0.0"],
    [/(download-artifact@\w+) # v[\d.]+/, "$1"],
    [/(upload-artifact)@\w+/, "$1@b7c566a"],
  ],
  "puts nothing of the pull request into a shell": [["code=0\n", "code=${{ github.head_ref }}\n"]],
  "uses a constant marker that is the report's": [
    ["MARKER: <!-- crosstrail-preview -->", "MARKER: <!-- other -->"],
    [
      "          set -o pipefail\n          # What",
      "          MARKER=$(head -n 1 preview/preview.md)\n          # What",
    ],
    [/ +MARKER: .*\n/, ""],
  ],
  "limits each job's time": [
    ["    timeout-minutes: 5\n", ""],
    ["timeout-minutes: 30", "timeout-minutes: 300"],
  ],
  "previews only the newest commit": [["cancel-in-progress: true", "cancel-in-progress: false"]],
};

/** A step's commands as GitHub runs them. */
function runStep(step: Step | undefined, folder: string, env: Record<string, string> = {}) {
  assert.ok(step?.run);
  return spawnSync("bash", ["-e", "-c", step.run], {
    cwd: folder,
    env: { ...process.env, ...env },
    encoding: "utf8",
    timeout: 60_000,
  });
}

describe("the workflow for pull requests", () => {
  for (const [name, holds] of Object.entries(properties)) {
    it(name, () => {
      assert.ok(holds(workflow, text));
      assert.ok((attacks[name]?.length ?? 0) > 0);
      for (const [from, to] of attacks[name] ?? []) {
        const changed = text.replace(from, to);
        assert.notEqual(changed, text, `${String(from)} is no longer in the workflow`);
        assert.equal(holds(parse(changed) as Workflow, changed), false, `not noticed: ${String(from)} → ${to}`);
      }
    });
  }

  it("says in the documentation what an environment needs, and limits the state to a prefix", () => {
    const guide = read("docs/pull-requests.md");
    assert.match(guide, /`environment:`[^]*required reviewers/);
    assert.match(guide, /`environment:`[^]*deployment branches/);
    assert.match(guide, /arn:aws:s3:::example-pulumi-state\/crosstrail\/\*/);
    assert.match(guide, /"s3:prefix": "crosstrail\/\*"/);
    assert.doesNotMatch(guide, /arn:aws:s3:::[\w-]+\/\*/);
  });

  describe("with temporary folders", () => {
    let folder: string;
    beforeEach(() => {
      folder = fs.mkdtempSync(path.join(os.tmpdir(), "crosstrail-workflow-"));
    });
    afterEach(() => fs.rmSync(folder, { recursive: true }));

    describe("the stack files", () => {
      const step = workflow.jobs.preview.steps.find(({ id }) => id === "files");
      const use = (files: Record<string, string | { link: string }>) => {
        fs.symlinkSync(path.join(root, "node_modules"), path.join(folder, "node_modules"));
        fs.mkdirSync(path.join(folder, "pull-request"));
        for (const name of ["Pulumi.yaml", "Pulumi.audit.yaml", "Pulumi.web.yaml", "index.ts"])
          fs.writeFileSync(path.join(folder, name), `# base ${name}\n`);
        for (const [name, content] of Object.entries(files)) {
          const file = path.join(folder, "pull-request", name);
          if (typeof content === "string") fs.writeFileSync(file, content);
          else fs.symlinkSync(content.link, file);
        }
        const { status, stderr } = runStep(step, folder);
        const now = (name: string) => fs.readFileSync(path.join(folder, name), "utf8");
        return { status, stderr, now, names: fs.readdirSync(folder).sort() };
      };

      it("are the pull request's: changed, new and removed ones; everything else is the base branch's", () => {
        const audit = {
          config: {
            "aws:region": "us-east-1",
            "aws:allowedAccountIds": ["012345678901"],
            "crosstrail:role": "audit",
            "crosstrail:secret": { secure: "v1:abc" },
            "crosstrail:requireMfa": true,
          },
          secretsprovider: "awskms://alias/state?region=us-east-1",
          encryptedkey: "A".repeat(300),
        };
        const { status, stderr, now, names } = use({
          "Pulumi.audit.yaml": stringify(audit),
          "Pulumi.payments.yaml": "",
          "Pulumi.yaml": "main: evil.ts\n",
          "index.ts": "evil();\n",
        });
        assert.equal(status, 0, stderr);
        assert.deepEqual(names, [
          "Pulumi.audit.yaml",
          "Pulumi.payments.yaml",
          "Pulumi.yaml",
          "index.ts",
          "node_modules",
        ]);
        assert.deepEqual(parse(now("Pulumi.audit.yaml")), audit);
        assert.equal(now("Pulumi.yaml"), "# base Pulumi.yaml\n");
        assert.equal(now("index.ts"), "# base index.ts\n");
      });

      it("cannot name a command, a file or an endpoint; all mistakes are reported and nothing is used", () => {
        const { status, stderr, now } = use({
          "Pulumi.audit.yaml": "config:\n  aws:sharedConfigFiles: [Pulumi.x.yaml]\n  crosstrail:role: audit\n",
          // Spelled otherwise, merged in, or in a section of its own.
          "Pulumi.a.yaml": 'config:\n  "aws:e\\u006edpoints": [{ s3: "https://evil.example" }]\n',
          "Pulumi.b.yaml": "%YAML 1.1\n---\nx: &x { aws:assumeRoleWithWebIdentity: {} }\nconfig:\n  <<: *x\n",
          "Pulumi.c.yaml": "environment: [evil]\n",
          "Pulumi.x.yaml": "[profile evil]\ncredential_process = touch evil\n",
          "Pulumi.link.yaml": { link: "/etc/passwd" },
          "Pulumi.d.yaml": "config: [aws:profile]\n",
        });
        assert.equal(status, 5);
        for (const said of [
          /audit\.yaml: config key "aws:sharedConfigFiles"/,
          /a\.yaml: config key "aws:endpoints"/,
          /b\.yaml: config key "aws:assumeRoleWithWebIdentity"/,
          /c\.yaml: "environment"/,
          /Pulumi\.x\.yaml/,
          /link\.yaml is not a regular file/,
          /d\.yaml: config key "0"/,
        ])
          assert.match(stderr, said);
        assert.equal(now("Pulumi.audit.yaml"), "# base Pulumi.audit.yaml\n");
      });
    });

    describe("the comment", () => {
      const step = workflow.jobs.comment.steps.at(-1);
      const bot = "github-actions[bot]";
      /** What the step writes, and where, with these comments there already. */
      const write = (
        comments: { login: string; body: string | null }[],
        report = `${commentMarker}\n## Crosstrail preview\n`,
        files = ["Pulumi.audit.yaml"],
      ) => {
        const data = (name: string, value: unknown) => fs.writeFileSync(path.join(folder, name), JSON.stringify(value));
        data(
          "comments",
          comments.map(({ login, body }, index) => ({ id: index + 1, user: { login }, body })),
        );
        data(
          "files",
          files.map((filename) => ({ filename })),
        );
        fs.mkdirSync(path.join(folder, "preview"));
        fs.writeFileSync(path.join(folder, "preview", "preview.md"), report);
        const gh = `#!/bin/bash\ncase "$*" in\n  *--paginate*/files) cat files ;;\n  *--paginate*/comments) cat comments ;;\n  *) echo "$*" > call ;;\nesac\n`;
        fs.writeFileSync(path.join(folder, "gh"), gh, { mode: 0o755 });
        const { status, stderr } = runStep(step, folder, {
          PATH: `${folder}:${process.env.PATH}`,
          REPOSITORY: "repos/o/r",
          NUMBER: "7",
          MARKER: step?.env?.MARKER ?? "",
        });
        assert.equal(status, 0, stderr);
        const [call, body] = ["call", "comment.md"].map((name) => fs.readFileSync(path.join(folder, name), "utf8"));
        return { call: call?.trim(), body };
      };
      const anew = "api --silent repos/o/r/issues/7/comments -F body=@comment.md";

      it("is updated where the bot wrote one with the marker, and nobody else's is", () => {
        const { call, body } = write([
          { login: "mallory", body: `${commentMarker}\nnot yours` },
          { login: bot, body: "another workflow's" },
          { login: bot, body: `${commentMarker} more\n` },
          { login: bot, body: `above\n${commentMarker}\n` },
          { login: bot, body: `${commentMarker}\r\nearlier` },
        ]);
        assert.equal(call, "api --silent --method PATCH repos/o/r/issues/comments/5 -F body=@comment.md");
        assert.equal(body, `${commentMarker}\n${commentMarker}\n## Crosstrail preview\n`);
      });

      for (const [what, report] of [
        ["an empty first line", "\nreport"],
        ["nothing at all", ""],
        ["another comment's first line", "another workflow's\nreport"],
      ] as const)
        it(`is a new one when the artifact begins with ${what}: it chooses no comment`, () => {
          const { call, body } = write(
            [
              { login: bot, body: "another workflow's\nresult" },
              { login: bot, body: "" },
              { login: bot, body: "\nx" },
              { login: bot, body: null },
            ],
            report,
          );
          assert.equal(call, anew);
          assert.equal(body, `${commentMarker}\n${report}`);
        });

      it("says that the pull request changes more than stack files, without their names", () => {
        const { body } = write([], undefined, ["Pulumi.audit.yaml", "Pulumi.yaml", "@team.ts", "x/Pulumi.a.yaml"]);
        assert.match(body ?? "", /Not in this preview: changes to files other than stack files \(3\)/);
        assert.doesNotMatch(body ?? "", /@team/);
      });
    });
  });
});
