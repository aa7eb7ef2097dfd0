import assert from "node:assert/strict";
import type { Contract } from "../../core/contract";
import type { OrganizationState, OrganizationWish } from "../../core/organizationPrerequisites";
import type { ManagementSettings } from "../../core/settings";
import { parseSettings } from "../../core/settings";
import { management } from "../../programs/management";
import { providerCredentials } from "../../programs/credentials";
import { asConfig } from "../support/config";
import { bucketName, contract, keyArn } from "../support/fleet";
import type { Run, World } from "../support/mocks";
import { startMocks, valueOf } from "../support/mocks";

const managementAccountId = "555555555555";
const id = "o-exampleorg1";
const trailArn = `arn:aws:cloudtrail:us-east-1:${managementAccountId}:trail/crosstrail`;
const auditStack = "acme/crosstrail/audit";
const ready: OrganizationState = {
  organization: { id, managementAccountId, allFeatures: true },
  trustedAccess: true,
  serviceLinkedRole: true,
  delegatedAdministrators: [],
  trails: [],
};

interface Result {
  run: Run;
  outputs: Record<string, unknown>;
  enabled: OrganizationWish[];
  closed: number;
}

/** Runs the program in a world whose organization is `state`; after `enable` it is ready. */
async function deploy(
  config: Record<string, unknown> = {},
  state: Partial<OrganizationState> = {},
  world: World & { contract?: Partial<Contract>; own?: Record<string, unknown>; policyTypes?: string[] } = {},
): Promise<Result> {
  const audit = contract({ organization: { id, managementAccountId, trailArn }, ...world.contract });
  const run = await startMocks({
    stack: "management",
    accountId: managementAccountId,
    stacks: { [auditStack]: audit, ...(world.own && { "acme/crosstrail/management": world.own }) },
    config: { "aws:allowedAccountIds": "[]" },
    ...world,
  });
  const values = { role: "management", accountId: managementAccountId, auditStack: "audit", ...config };
  const settings = parseSettings("management", asConfig(values), "us-east-1") as ManagementSettings;
  const result: Result = { run, outputs: {}, enabled: [], closed: 0 };
  let now: OrganizationState = { ...ready, ...state };
  const outputs = await management(settings, () => ({
    read: () => Promise.resolve(now),
    policyTypes: () => Promise.resolve(world.policyTypes),
    enable: (_, wish) => {
      result.enabled.push(wish);
      const isNeeded = wish.enableTrustedAccess && now.trustedAccess === false;
      if (isNeeded) now = ready;
      return Promise.resolve(isNeeded ? ["Trusted access is on."] : []);
    },
    close: () => void result.closed++,
  }));
  result.outputs = (await valueOf(outputs)) as Record<string, unknown>;
  await run.settle();
  return result;
}

describe("programs/management", () => {
  it("makes the organization's trail as the contract authorizes it", async () => {
    const { run, outputs, closed } = await deploy({ delegatedAdministrator: "222222222222" });
    assert.deepEqual(
      // The administrator is registered as soon as its id is known, the trail a turn later.
      run.resources.map(({ type, name, retainOnDelete }) => [type, name, retainOnDelete]).sort(),
      [
        [
          "aws:cloudtrail/organizationDelegatedAdminAccount:OrganizationDelegatedAdminAccount",
          "management-delegated-administrator",
          true,
        ],
        ["aws:cloudtrail/trail:Trail", "management-trail", false],
        ["crosstrail:index:OrganizationTrail", "management", false],
      ],
    );
    const { name, s3BucketName, kmsKeyId, isOrganizationTrail, isMultiRegionTrail } = run.resource(
      "Trail",
      "management-trail",
    ).inputs as Record<string, unknown>;
    assert.deepEqual(
      { name, s3BucketName, kmsKeyId, isOrganizationTrail, isMultiRegionTrail },
      {
        name: "crosstrail",
        s3BucketName: bucketName,
        kmsKeyId: keyArn,
        isOrganizationTrail: true,
        isMultiRegionTrail: true,
      },
    );
    assert.equal(outputs.logLocation, `s3://example-logs/AWSLogs/${id}/`);
    assert.equal(closed, 1);
  });

  it("turns on what was asked for during an update only, and never as a resource", async () => {
    const missing = { trustedAccess: false };
    const { enabled, run } = await deploy({ enableTrustedAccess: true }, missing);
    assert.equal(enabled.length, 1);
    assert.ok(run.resources.every(({ type }) => !type.startsWith("aws:organizations")));
    assert.deepEqual((await deploy({ enableTrustedAccess: true }, missing, { preview: true })).enabled, []);
  });

  describe("a trail that is there already", () => {
    const trails = [{ arn: trailArn, name: "crosstrail", homeRegion: "us-east-1", isOrganizationTrail: true }];
    const imported = { importTrail: trailArn, leaveAsIs: ["delivery"] };

    it("is imported by the first deployment, which changes nothing of it", async () => {
      const { run, outputs } = await deploy(imported, { trails });
      const { importId, ignoreChanges, inputs } = run.resource("Trail", "management-trail");
      assert.equal(importId, trailArn);
      assert.deepEqual(
        Object.keys(inputs).filter((name) => !ignoreChanges.includes(name)),
        ["name"],
      );
      assert.equal(outputs.logLocation, undefined);
    });

    it("is the stack's own afterwards, but for what is left as it is", async () => {
      const { run } = await deploy(imported, { trails }, { own: { trailArn, isOrganizationTrail: true } });
      const { importId, ignoreChanges } = run.resource("Trail", "management-trail");
      assert.deepEqual([importId, ignoreChanges], ["", ["s3BucketName", "s3KeyPrefix", "kmsKeyId"]]);
    });

    it("by a delegated administrator, too: the ARN is the management account's", async () => {
      const accountId = "222222222222";
      const state = { trails, delegatedAdministrators: [accountId] };
      const { run } = await deploy({ ...imported, accountId }, state, { accountId });
      assert.equal(run.resource("Trail", "management-trail").importId, trailArn);
    });
  });

  const refused: [string, Parameters<typeof deploy>, RegExp][] = [
    ["what is missing and was not asked for", [{}, { trustedAccess: false }], /enable-aws-service-access/],
    [
      "an audit stack without an organization",
      [{}, {}, { contract: { organization: undefined } }],
      /crosstrail:organization:\n\s+id:/,
    ],
    [
      "an audit stack whose organization has no trail",
      [{}, {}, { contract: { organization: { id, managementAccountId } } }],
      /trail: false/,
    ],
    [
      "another home Region, before it tries",
      [
        {},
        {},
        {
          contract: { organization: { id, managementAccountId, trailArn: trailArn.replace("us-east-1", "eu-west-1") } },
        },
      ],
      /only be changed in its home Region/,
    ],
    [
      "a trail of another name",
      [{}, {}, { own: { trailArn: trailArn.replace("crosstrail", "old") } }],
      /previousTrailName: old/,
    ],
    [
      "to take over a trail of another name than the contract's, with the lines to change",
      [{ importTrail: trailArn.replace("crosstrail", "by-hand") }],
      /organization:\n\s+id: o-exampleorg1\n\s+managementAccountId: "555555555555"\n\s+homeRegion: us-east-1\n\s+trailName: by-hand/,
    ],
    ["to take over a trail that is not there", [{ importTrail: trailArn }], /organization\/no-import/],
  ];
  for (const [title, given, message] of refused) {
    it(`refuses ${title}, and turns nothing on`, async () => {
      await assert.rejects(deploy(...given), (error: Error) => {
        assert.equal(error.name, "UserError");
        assert.match(error.message, message);
        return true;
      });
    });
  }

  describe("guardrails", () => {
    const names: Contract["guardrails"] = {
      archive: { buckets: ["arn:aws:s3:::example-logs"], outsideAccountIds: [] },
      members: {
        trails: ["arn:aws:cloudtrail:*:*:trail/crosstrail"],
        logGroups: [],
        topics: [],
        logRoles: [],
        keys: true,
        accountIds: ["222222222222"],
        deployRoles: ["arn:aws:iam::*:role/CrosstrailDeploy"],
      },
      exemptRoles: [],
    };
    const world = {
      contract: { guardrails: names },
      policyTypes: ["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"],
    };

    it("are attached to the accounts of the contract, each policy protected and tagged; the outputs say which", async () => {
      const { run, outputs } = await deploy({ guardrails: ["members", "archive"] }, {}, world);
      const policies = run.resources.filter(({ type }) => type === "aws:organizations/policy:Policy");
      assert.deepEqual(policies.map(({ name, protect, inputs }) => [name, protect, inputs.name, inputs.type]).sort(), [
        ["archive-policy", true, "crosstrail-archive", "RESOURCE_CONTROL_POLICY"],
        ["members-policy", true, "crosstrail-members", "SERVICE_CONTROL_POLICY"],
      ]);
      for (const { inputs } of policies) {
        assert.ok("crosstrail:stack" in (inputs.tags as object));
        assert.equal((JSON.parse(inputs.content as string) as { Version: string }).Version, "2012-10-17");
      }
      assert.deepEqual(
        run.resources
          .filter(({ type }) => type === "aws:organizations/policyAttachment:PolicyAttachment")
          .map(({ name, inputs }) => [name, inputs.targetId])
          .sort(),
        [
          ["archive-111111111111", "111111111111"],
          ["members-222222222222", "222222222222"],
        ],
      );
      assert.deepEqual(outputs.guardrails, {
        members: { accountIds: ["222222222222"] },
        archive: { accountIds: ["111111111111"] },
      });
    });

    it("are off by default, and AWS is not asked about types of policies then", async () => {
      const { run, outputs } = await deploy({}, {}, { contract: { guardrails: names } });
      assert.equal(
        run.resources.some(({ type }) => type.startsWith("aws:organizations/policy")),
        false,
      );
      assert.equal("guardrails" in outputs, false);
    });

    it("refuse before anything is turned on or created, also where the prerequisites would be", async () => {
      await assert.rejects(
        deploy(
          { guardrails: ["members"], enableTrustedAccess: true },
          { trustedAccess: false },
          { ...world, policyTypes: [] },
        ),
        /guardrails\/policy-type/,
      );
    });

    it("lose their protection when they may be detached, and say so in the outputs", async () => {
      const { run, outputs } = await deploy({ guardrails: ["members"], detachGuardrails: ["members"] }, {}, world);
      const [policy] = run.resources.filter(({ type }) => type === "aws:organizations/policy:Policy");
      assert.equal(policy?.protect, false);
      assert.deepEqual(outputs.guardrails, { members: { accountIds: ["222222222222"], mayDetach: true } });
    });
  });

  it("uses the credentials that the provider's settings name", async () => {
    assert.equal(providerCredentials({}, "us-east-1"), undefined);
    const given = { "aws:accessKey": "AKIAEXAMPLE", "aws:secretKey": "example", "aws:token": "session" };
    assert.deepEqual(await providerCredentials(given, "us-east-1")?.(), {
      accessKeyId: "AKIAEXAMPLE",
      secretAccessKey: "example",
      sessionToken: "session",
    });
    const roles = JSON.stringify([{ roleArn: "arn:aws:iam::555555555555:role/Deploy" }]);
    assert.equal(typeof providerCredentials({ "aws:assumeRoles": roles }, "us-east-1"), "function");
  });
});
