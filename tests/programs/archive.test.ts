import assert from "node:assert/strict";
import { bucketPolicy } from "../../core/policies/bucket";
import { auditAccountId, bucketName, contract, keyArn, trailOf } from "../support/fleet";
import type { World } from "../support/mocks";
import { configOf, deploy, refuses } from "./run";

const deployArn = "arn:aws:iam::111111111111:role/deploy";

function world(config: Record<string, unknown> = {}, other: Partial<World> = {}): World {
  return {
    stack: "audit",
    accountId: auditAccountId,
    roles: { deploy: deployArn },
    config: configOf({
      "aws:region": "us-east-1",
      "aws:allowedAccountIds": [auditAccountId],
      role: "audit",
      auditAccountId,
      bucketName,
      ...config,
    }),
    ...other,
  };
}

/** The stack was deployed before, with these controls. */
const after = (archive?: object) => ({
  stacks: { "acme/crosstrail/audit": { ...contract({ trails: [] }), ...(archive && { archive }) } },
});

const everything = {
  objectLock: { mode: "governance", days: 30 },
  retention: { years: 1 },
  accessLogBucket: "example-access-logs",
  breakGlassRoles: ["deploy"],
  denyOtherEncryption: true,
  notifications: "sqs",
};

describe("programs/audit: the archive's controls", () => {
  it("each has its place, and the outputs tell what the next deployment must know", async () => {
    const { run, outputs } = await deploy(world(everything));
    assert.deepEqual(outputs.archive, {
      objectLock: { mode: "governance", days: 30 },
      accessLogBucket: "example-access-logs",
    });
    assert.deepEqual(run.resource("BucketObjectLockConfiguration", "audit-lock").inputs, {
      bucket: bucketName,
      rule: { defaultRetention: { mode: "GOVERNANCE", days: 30 } },
    });
    assert.equal(run.resource("BucketLogging", "audit-logging").inputs.targetBucket, "example-access-logs");
    assert.deepEqual(run.resource("BucketNotification", "audit-notification").inputs.queues, [
      {
        id: "new-log-files",
        queueArn: "arn:aws:sqs:us-east-1:111111111111:example-logs-new-logs",
        events: ["s3:ObjectCreated:*"],
      },
    ]);
    assert.deepEqual(
      JSON.parse(run.resource("BucketPolicy", "audit-policy").inputs.policy as string),
      bucketPolicy({
        partition: "aws",
        bucketName,
        trails: [trailOf(auditAccountId)],
        breakGlassRoleArns: [deployArn],
        denyOtherEncryption: true,
        keyArn,
      }).document,
    );
    assert.deepEqual(run.warnings, []);
  });

  it("nothing of it by default: neither a resource, nor an output, nor a question", async () => {
    const { run, outputs } = await deploy(world());
    const kinds = run.resources.map(({ type }) => type.split(":").pop());
    for (const kind of ["Lifecycle", "Lock", "Logging", "Notification", "Queue"]) {
      assert.ok(!kinds.some((each) => each?.includes(kind)), kind);
    }
    assert.ok(!("archive" in outputs));
    assert.ok(!run.calls.includes("aws:iam/getRole:getRole"));
    assert.equal(run.resource("Bucket", "audit-bucket").inputs.forceDestroy, false);
  });

  describe("what cannot be undone stays", () => {
    const deployed = { objectLock: { mode: "compliance", years: 1 }, accessLogBucket: "example-access-logs" };

    it("Object Lock without a rule, and the bucket with the access logs, without logging to it", async () => {
      const { run, outputs } = await deploy(world({}, after(deployed)));
      assert.deepEqual(run.resource("BucketObjectLockConfiguration", "audit-lock").inputs, { bucket: bucketName });
      assert.equal(run.resource("Bucket", "access-logs-bucket").protect, true);
      assert.ok(!run.resources.some(({ name }) => name === "audit-logging"));
      assert.deepEqual(outputs.archive, { objectLock: {}, accessLogBucket: "example-access-logs" });
      assert.deepEqual(run.warnings, [
        `Object Lock of bucket ${bucketName}\n` +
          "    archive/lock-weaker: New log files are no longer locked. Existing log files stay locked: mode compliance, 1 year. Object Lock itself stays enabled.\n" +
          "    → If this is not what you want, restore crosstrail:objectLock.",
      ]);
    });

    it("and is said once", async () => {
      const { run, outputs } = await deploy(world({}, after({ objectLock: {} })));
      assert.deepEqual(run.warnings, []);
      assert.deepEqual(outputs.archive, { objectLock: {} });
    });

    for (const [title, before, now, warning] of [
      ["a lock for an archive without", undefined, { mode: "governance", days: 1 }, /enabled on the existing bucket/],
      [
        "a shorter lock",
        { mode: "governance", years: 1 },
        { mode: "governance", days: 365 },
        /locked for only 365 days/,
      ],
      ["a lock that can be lifted", { mode: "compliance", days: 9 }, { mode: "governance", days: 9 }, /can be lifted/],
      ["a longer lock", { mode: "governance", days: 9 }, { mode: "governance", years: 1 }, undefined],
    ] as const) {
      it(`${title}: ${warning ? "with a warning" : "without a word"}`, async () => {
        const { run } = await deploy(world({ objectLock: now }, after(before && { objectLock: before })));
        assert.equal(run.warnings.length, warning ? 1 : 0);
        if (warning) assert.match(run.warnings[0] as string, warning);
      });
    }

    it("another bucket for access logs, and forceDestroy under a lock, are refused", async () => {
      const config = { accessLogBucket: "other-access-logs", keepArchive: false, forceDestroy: true };
      await refuses(world(config, after(deployed)), [
        "The archive does not allow this change. Nothing was changed.",
        "",
        '  crosstrail:accessLogBucket = "other-access-logs"',
        '    archive/irreversible: Access logs are in bucket "example-access-logs". A bucket cannot be renamed: it would be replaced and its logs left behind.',
        '    → Restore "example-access-logs".',
        "",
        "  crosstrail:forceDestroy = true",
        "    archive/irreversible: Object Lock is enabled on the deployed bucket and cannot be disabled; log files may be locked.",
        "    → Remove it.",
      ]);
    });
  });

  describe("break-glass roles", () => {
    it("that do not exist, or are elsewhere, are refused; so is to be locked out", async () => {
      const roles = { ops: "arn:aws:iam::111111111111:role/admin/ops" };
      await refuses(world({ breakGlassRoles: ["nobody", "ops"] }, { roles }), [
        "The archive would become locked. Nothing was changed.",
        "",
        "  crosstrail:breakGlassRoles, nobody",
        "    archive/break-glass-role: The audit account does not have this role, or iam:GetRole is not allowed.",
        "    → Create the role first, or correct its name.",
        "",
        "  crosstrail:breakGlassRoles, ops",
        "    archive/break-glass-role: The audit account's role with this name is arn:aws:iam::111111111111:role/admin/ops, not arn:aws:iam::111111111111:role/ops.",
        "    → Name it by its ARN:  - arn:aws:iam::111111111111:role/admin/ops",
        "",
        '  crosstrail:breakGlassRoles = ["nobody","ops"]',
        "    archive/locked-out: This stack is being deployed as arn:aws:sts::111111111111:assumed-role/deploy/me, which is not one of them: the archive's policies would refuse it, and every later deployment would fail.",
        "    → Add deploy to crosstrail:breakGlassRoles, or deploy with one of them.",
      ]);
    });

    it("a user cannot be one", async () => {
      const callerArn = "arn:aws:iam::111111111111:user/me";
      await refuses(world({ breakGlassRoles: ["deploy"] }, { callerArn }), [
        "The archive would become locked. Nothing was changed.",
        "",
        '  crosstrail:breakGlassRoles = ["deploy"]',
        `    archive/locked-out: This stack is being deployed as ${callerArn}, which is not one of them: the archive's policies would refuse it, and every later deployment would fail.`,
        "    → Deploy with a role (aws:assumeRoles or aws:profile), and add it to crosstrail:breakGlassRoles.",
      ]);
    });

    it("who only looks is warned", async () => {
      const callerArn = "arn:aws:sts::111111111111:assumed-role/reviewer/me";
      const { run } = await deploy(world({ breakGlassRoles: ["deploy"] }, { callerArn, preview: true }));
      assert.match(run.warnings.join(), /assumed-role\/reviewer\/me, which is not one of them/);
    });
  });

  describe("MFA Delete", () => {
    for (const [expected, actual, warning] of [
      [true, undefined, /mfa\/drift: It is off, but crosstrail:mfaDelete expects it on/],
      [true, "Disabled", /mfa\/drift: It is off, but crosstrail:mfaDelete expects it on/],
      [true, "Enabled", undefined],
      [false, undefined, undefined],
    ] as const) {
      it(`expected ${expected ? "on" : "off"}, and ${actual ?? "never switched on"}`, async () => {
        const { run } = await deploy(world({ mfaDelete: expected }, { ...after(), mfaDelete: actual }));
        await run.settle();
        assert.equal(run.warnings.length, warning ? 1 : 0, run.warnings.join());
        if (warning) assert.match(run.warnings[0] as string, warning);
      });
    }

    it("is not asked for before there is a bucket", async () => {
      const { run, outputs } = await deploy(world({ mfaDelete: true }));
      assert.deepEqual(run.warnings, []);
      assert.deepEqual(outputs.archive, { mfaDelete: true });
    });
  });
});
