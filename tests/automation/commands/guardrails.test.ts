import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import type { Envelope } from "../../../automation/output";
import type { Guardrail } from "../../../core/guardrails";
import { crosstrail } from "../../support/cli";
import { root } from "../../support/config";

describe("crosstrail guardrails", () => {
  let folder: string;
  const file = () => join(folder, "Pulumi.audit.yaml");
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "crosstrail-guardrails-"));
    const { config } = parse(readFileSync(join(root, "Pulumi.audit.yaml"), "utf8")) as { config: object };
    const organization = { id: "o-exampleorg1", managementAccountId: "555555555555" };
    const own = {
      "crosstrail:organization": { ...organization, trail: false },
      "crosstrail:breakGlassRoles": ["BreakGlass"],
      "crosstrail:deployRole": "arn:{partition}:iam::{accountId}:role/team/Deployer",
    };
    writeFileSync(file(), stringify({ config: { ...config, ...own } }));
    const payments = {
      "aws:region": "eu-central-1",
      "crosstrail:role": "member",
      "crosstrail:accountId": "222222222222",
      "crosstrail:auditStack": "audit",
      "crosstrail:cloudWatchLogs": { groupName: "trails" },
    };
    writeFileSync(join(folder, "Pulumi.payments.yaml"), stringify({ config: payments }));
  });
  after(() => rmSync(folder, { recursive: true }));

  it("prints all of them: where to attach each, what it prevents, whom it could hurt", async () => {
    const { exitCode, stdout, stderr } = await crosstrail(["guardrails", "--config", file()]);
    assert.equal(exitCode, 0, stderr);
    assert.match(
      stdout,
      /Members keep their trails \(members\)\n {2}SERVICE_CONTROL_POLICY, \d+ of 5120 characters\. Attach it to: 222222222222, 333333333333/,
    );
    for (const text of [
      "The audit account keeps the archive (audit)",
      "The archive is the organization's (archive)",
      "It could hurt:",
    ]) {
      assert.ok(stdout.includes(text), text);
    }
    const policies = stdout.split("\n").filter((line) => line.startsWith("{"));
    assert.equal(policies.length, 3);
    for (const policy of policies) assert.equal((JSON.parse(policy) as { Version: string }).Version, "2012-10-17");
  });

  it("prints one alone, for a file; with the names of the stacks' own files and the deploy roles of the configuration", async () => {
    const { stdout, stderr } = await crosstrail(["guardrails", "members", "--config", file()]);
    const text = JSON.stringify(JSON.parse(stdout));
    assert.ok(text.includes("arn:aws:logs:*:*:log-group:trails"));
    assert.ok(text.includes("arn:aws:iam::*:role/team/Deployer"));
    assert.ok(text.includes("arn:aws:iam::*:role/CrosstrailRemove"));
    assert.match(stderr, /It prevents/);
  });

  it("exempts further roles; --json has everything", async () => {
    const exempt = "arn:aws:iam::*:role/OrganizationAccountAccessRole";
    const { stdout } = await crosstrail(["guardrails", "--exempt", exempt, "--json", "--config", file()]);
    const { data } = JSON.parse(stdout) as Envelope & { data: (Guardrail & { characters: number; limit: number })[] };
    assert.deepEqual(
      data.map(({ id, type, limit }) => [id, type, limit]),
      [
        ["members", "SERVICE_CONTROL_POLICY", 5120],
        ["audit", "SERVICE_CONTROL_POLICY", 5120],
        ["archive", "RESOURCE_CONTROL_POLICY", 5120],
      ],
    );
    for (const { id, document } of data.slice(0, 2)) assert.ok(JSON.stringify(document).includes(exempt), id);
  });

  for (const [title, args, ...texts] of [
    ["a policy that there is not", ["everything"], "Allowed choices are members, audit, archive"],
    [
      "an exempt role that is none",
      ["--exempt", "arn:aws:iam::*:user/x"],
      "--exempt arn:aws:iam::*:user/x",
      "only the account can be *",
    ],
    ["an exempt pattern for every role", ["--exempt", "arn:aws:iam::*:role/*"], "--exempt arn:aws:iam::*:role/*"],
  ] as [string, string[], ...string[]][]) {
    it(`refuses with exit code 2: ${title}`, async () => {
      const { exitCode, stdout, stderr } = await crosstrail(["guardrails", ...args, "--config", file()]);
      assert.equal(exitCode, 2);
      assert.equal(stdout, "");
      for (const text of texts) assert.ok(stderr.includes(text), stderr);
    });
  }

  it("says that there are none without an organization", async () => {
    const { exitCode, stderr } = await crosstrail(["guardrails", "--config", join(root, "Pulumi.audit.yaml")]);
    assert.equal(exitCode, 2);
    assert.match(stderr, /crosstrail:organization is not set/);
  });
});
