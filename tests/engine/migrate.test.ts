/** `crosstrail migrate` on the real engine: from a single-Region trail to the organization's, interrupted and resumed, and back. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { CloudTrailClient, DescribeTrailsCommand } from "@aws-sdk/client-cloudtrail";
import { CreateOrganizationCommand, OrganizationsClient } from "@aws-sdk/client-organizations";
import { main } from "../../automation/cli";
import type { Envelope } from "../../automation/output";
import type { Contract } from "../../core/contract";
import type { Sandbox } from "../../sandbox";
import { AUDIT_STACK, MANAGEMENT, memberConfig } from "../../sandbox/accounts";
import { Engine, inSteps, MINUTE, sandbox } from "./support";

const arn = `arn:aws:cloudtrail:us-east-1:${MANAGEMENT}:trail/crosstrail`;

describe("engine: crosstrail migrate", function () {
  this.timeout(60 * MINUTE);
  inSteps(this);
  let box: Sandbox;
  let engine: Engine;

  const migrate = async (...args: string[]) => {
    let [stdout, stderr] = ["", ""];
    const exitCode = await main(["migrate", ...args], {
      stdout: (text) => void (stdout += text),
      stderr: (text) => void (stderr += text),
      env: box.env,
      color: false,
    });
    return { exitCode, stdout, stderr };
  };
  const works = async (...args: string[]) => {
    const result = await migrate(...args);
    assert.equal(result.exitCode, 0, result.stderr);
    return result.stdout;
  };
  const trail = async () => {
    const client = new CloudTrailClient(await box.aws(MANAGEMENT));
    const { trailList = [] } = await client.send(new DescribeTrailsCommand({}));
    assert.deepEqual(
      trailList.map(({ TrailARN }) => TrailARN),
      [arn],
    );
    return trailList[0];
  };
  const journal = () => path.join(box.projectFolder, ".crosstrail-migration.json");
  const quiet = async () => {
    assert.ok(!fs.existsSync(journal()));
    for (const stack of [AUDIT_STACK, "root"]) await engine.run("preview", stack, "--expect-no-changes");
  };

  before(async () => {
    box = await sandbox();
    engine = new Engine(box);
    await engine.configureAudit({ "crosstrail:members": [{ accountId: MANAGEMENT, alias: "root" }] });
    await engine.up(AUDIT_STACK);
    await box.stack("root", { ...memberConfig(MANAGEMENT), "crosstrail:isMultiRegionTrail": false });
    await engine.up("root");
  });
  after(() => box?.stop());

  it("plans without a change", async () => {
    const before = box.config("root");
    const { data } = JSON.parse(await works("--to", "multi-region", "--only", "root", "--json")) as Envelope & {
      data: { carriedOut: boolean; steps: { commands: string[] }[] };
    };
    assert.equal(data.carriedOut, false);
    assert.deepEqual(
      data.steps.map(({ commands }) => commands),
      [["pulumi config rm -s root crosstrail:isMultiRegionTrail", "crosstrail up --only root"]],
    );
    assert.deepEqual(box.config("root"), before);
    assert.ok(!fs.existsSync(journal()));
  });

  it("stops where a step fails, says so, and resumes there", async () => {
    const organizations = new OrganizationsClient(await box.aws(MANAGEMENT));
    const { Organization } = await organizations.send(new CreateOrganizationCommand({ FeatureSet: "ALL" }));
    const wish = ["--to", "organization-trail", "--only", "root", "--organization-id", Organization?.Id ?? ""];
    const failed = await migrate(...wish, "--yes");
    assert.equal(failed.exitCode, 4, failed.stderr);
    assert.match(failed.stderr, /enable-aws-service-access --service-principal cloudtrail.amazonaws.com/);
    assert.match(failed.stderr, /crosstrail migrate --resume/);
    assert.equal((JSON.parse(fs.readFileSync(journal(), "utf8")) as { done: number }).done, 1);
    assert.equal((await trail())?.IsOrganizationTrail, false);
    const again = await migrate(...wish, "--yes");
    assert.equal(again.exitCode, 2);
    assert.match(again.stderr, /1 of its 3 steps are done/);

    await box.stack("root", { ...box.config("root"), "crosstrail:enableTrustedAccess": true });
    assert.match(await works("--resume", "--yes"), /1\. audit \(already done\)/);
    assert.equal((await trail())?.IsOrganizationTrail, true);
    await quiet();
    const { organization, trails } = await box.outputs<Contract>(AUDIT_STACK);
    assert.equal(organization?.trailArn, arn);
    assert.deepEqual(
      trails.map(({ alias }) => alias),
      ["audit"],
    );
  });

  it("moves to a new key, and leaves the former one", async () => {
    const before = (await trail())?.KmsKeyId;
    await works("--to", "new-key", "--yes");
    const { keyArn, previousKeyArns } = await box.outputs<Contract>(AUDIT_STACK);
    assert.deepEqual(previousKeyArns, [before]);
    assert.equal((await trail())?.KmsKeyId, keyArn);
    await quiet();
  });

  it("does not begin a step that would replace the trail", async () => {
    const { organization } = await box.outputs<Contract>(AUDIT_STACK);
    const renamed = {
      ...(box.config(AUDIT_STACK)["crosstrail:organization"] as object),
      trailName: "renamed",
      previousTrailName: "crosstrail",
    };
    await box.stack(AUDIT_STACK, { ...box.config(AUDIT_STACK), "crosstrail:organization": renamed });
    const { exitCode, stderr } = await migrate("--to", "log-prefix", "--prefix", "trails", "--yes");
    assert.equal(exitCode, 7, stderr);
    assert.match(stderr, /replace/);
    assert.equal((await trail())?.TrailARN, organization?.trailArn);
    await works("--abandon");
    assert.ok(!fs.existsSync(journal()));
  });
});
