/** The fleet of an organization: its trail's stack is one of the fleet's, from `crosstrail up` to `crosstrail destroy`. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { CloudTrailClient, DescribeTrailsCommand, StopLoggingCommand } from "@aws-sdk/client-cloudtrail";
import {
  CreateAccountCommand,
  CreateOrganizationCommand,
  ListAWSServiceAccessForOrganizationCommand,
  OrganizationsClient,
} from "@aws-sdk/client-organizations";
import { stringify } from "yaml";
import * as crosstrail from "../../automation";
import type { Sandbox } from "../../sandbox";
import { auditConfig, MANAGEMENT, managementConfig, MEMBERS } from "../../sandbox/accounts";
import { inSteps, MINUTE, sandbox } from "./support";

const payments = { alias: "payments", accountId: MEMBERS.payments as string };
const arn = `arn:aws:cloudtrail:us-east-1:${MANAGEMENT}:trail/organization`;

describe("engine: the fleet of an organization", function () {
  this.timeout(10 * MINUTE);
  inSteps(this);
  let box: Sandbox;
  let organizations: OrganizationsClient;
  let cloudTrail: CloudTrailClient;
  let organizationId = "";
  const finished: string[] = [];

  before(async () => {
    box = await sandbox();
    const aws = await box.aws(MANAGEMENT);
    organizations = new OrganizationsClient(aws);
    cloudTrail = new CloudTrailClient(aws);
    const { Organization } = await organizations.send(new CreateOrganizationCommand({ FeatureSet: "ALL" }));
    organizationId = Organization?.Id ?? "";
    const { accountId } = payments;
    const Tags = [{ Key: "sandbox:account-id", Value: accountId }];
    await organizations.send(
      new CreateAccountCommand({ AccountName: accountId, Email: `${accountId}@example.com`, Tags }),
    );
    declare({});
  });
  after(async () => {
    organizations?.destroy();
    cloudTrail?.destroy();
    await box?.stop();
  });

  /** Declares the fleet with the organization; undefined: without one. */
  const declare = (change: Record<string, unknown> | undefined) =>
    box.configure("audit", {
      ...auditConfig(),
      "crosstrail:members": [payments],
      ...(change && {
        "crosstrail:organization": {
          id: organizationId,
          managementAccountId: MANAGEMENT,
          trailName: "organization",
          ...change,
        },
      }),
    });
  const options = (more: Partial<crosstrail.FleetOptions> = {}): crosstrail.FleetOptions => {
    finished.length = 0;
    return {
      projectFolder: box.projectFolder,
      env: box.env,
      parallel: 3,
      timeoutSeconds: 180,
      onEvent: (event) => event.type === "finished" && void finished.push(event.result.stack),
      ...more,
    };
  };
  const stacksOf = (result: crosstrail.FleetResult) =>
    Object.fromEntries(result.stacks.map((stack) => [stack.stack, stack]));
  const ok = (result: crosstrail.FleetResult) => {
    const bad = result.stacks.filter(({ status }) => status !== "succeeded");
    assert.equal(result.status, "succeeded", JSON.stringify(bad, null, 1));
    return stacksOf(result);
  };
  /** As AWS has it. */
  const trail = async () => {
    const { trailList = [] } = await cloudTrail.send(new DescribeTrailsCommand({ trailNameList: [arn] }));
    return trailList[0];
  };

  it("what the organization lacks fails its trail's stack only, and is said", async () => {
    const result = await crosstrail.preview(options());
    const { audit, management, payments: member } = stacksOf(result);
    assert.deepEqual([audit?.status, member?.status], ["succeeded", "succeeded"]);
    assert.deepEqual([management?.status, management?.kind], ["failed", "management"]);
    const [finding] = management?.findings ?? [];
    assert.equal(finding?.id, "organization/trusted-access");
    assert.match(finding?.remedy ?? "", /enableTrustedAccess: true/);
  });

  it("comes up with a file of its own, after the audit stack and before the members; then nothing is left to change", async () => {
    fs.writeFileSync(
      path.join(box.projectFolder, "Pulumi.management.yaml"),
      stringify({ config: { ...managementConfig(), "crosstrail:enableTrustedAccess": true } }),
    );
    const { management } = ok(await crosstrail.up(options()));
    assert.deepEqual(finished, ["audit", "management", "payments"]);
    assert.equal(management?.trail?.trailArn, arn);
    assert.equal(management?.trail?.isLogging, true);
    assert.equal((await trail())?.IsOrganizationTrail, true);
    for (const { stack, changes } of Object.values(ok(await crosstrail.preview(options())))) {
      assert.deepEqual(changes, {}, stack);
    }
  });

  it("its trail is read back like the others, and started again", async () => {
    await cloudTrail.send(new StopLoggingCommand({ Name: arn }));
    const { management } = stacksOf(await crosstrail.status(options()));
    assert.equal(management?.findings[0]?.id, "trail/not-logging");
    const again = ok(await crosstrail.up(options({ only: ["management"] })));
    assert.equal(again.management?.trail?.isLogging, true);
  });

  it("the archive stays as long as it delivers", async () => {
    const refused = await crosstrail.destroy(options({ only: ["audit"] }));
    const [finding] = refused.stacks[0]?.findings ?? [];
    assert.equal(finding?.id, "archive/in-use");
    assert.match(finding?.message ?? "", /payments, management/);
  });

  it("once it is no longer declared its trail goes first, then the authorization; trusted access stays enabled", async () => {
    declare(undefined);
    const preview = ok(await crosstrail.preview(options()));
    assert.equal(preview.management?.changes.delete, 3, JSON.stringify(preview.management?.changes));
    await assert.rejects(crosstrail.up(options()), (error: crosstrail.UserError) => {
      assert.deepEqual(
        error.findings.map(({ id }) => id),
        ["fleet/mass-removal"],
      );
      return true;
    });
    assert.ok(await trail(), "an organization trail is never removed by accident");
    ok(await crosstrail.up({ ...options(), removeMembers: 1 }));
    assert.deepEqual(finished, ["management", "audit", "payments"]);
    assert.equal(await trail(), undefined);
    const { EnabledServicePrincipals } = await organizations.send(new ListAWSServiceAccessForOrganizationCommand({}));
    assert.deepEqual(
      EnabledServicePrincipals?.map(({ ServicePrincipal }) => ServicePrincipal),
      ["cloudtrail.amazonaws.com"],
    );
    assert.equal((await box.outputs<{ organization?: unknown }>("audit")).organization, undefined);
  });

  it("needs no file of its own", async () => {
    fs.rmSync(path.join(box.projectFolder, "Pulumi.management.yaml"));
    declare({});
    const { management } = ok(await crosstrail.up(options()));
    assert.deepEqual(finished, ["audit", "management", "payments"]);
    assert.equal(management?.trail?.isLogging, true);
  });

  it("is destroyed in one run, the audit stack last", async () => {
    ok(await crosstrail.destroy(options()));
    assert.equal(finished.at(-1), "audit");
    assert.equal(await trail(), undefined);
  });
});
