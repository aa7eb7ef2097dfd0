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
    assert.ok(!run.calls.some((each) => /^(iam|s3):/.test(each)));
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

  describe("the key's alias", () => {
    const keyId = "6fa42330-a454-4a62-975b-714c664db9bb";
    const taken = (alias: string, owner: string) => [
      "The key's alias is taken. Nothing was changed.",
      "",
      '  crosstrail:keyAlias = "crosstrail"',
      `    key/alias-taken: Account 111111111111 already has alias/${alias}, for key ${keyId}${owner}. An alias is unique in its account and Region.`,
      "    → Choose another alias: pulumi config set --stack audit keyAlias <name>",
    ];

    it("of a new key, that another key has, is refused, in the preview as well; its stack is named", async () => {
      for (const preview of [true, false]) {
        await refuses(world({}, { preview, aliases: { "alias/crosstrail": { keyId } } }), taken("crosstrail", ""));
      }
      const aliases = { "alias/crosstrail": { keyId, stack: "acme/crosstrail/other" } };
      await refuses(world({}, { aliases }), taken("crosstrail", ", of stack acme/crosstrail/other"));
      const second = { "alias/crosstrail-2": { keyId, stack: "acme/crosstrail/audit" } };
      await refuses(
        world({ keyGeneration: 2 }, { ...after(), aliases: second }),
        taken("crosstrail-2", ", of stack acme/crosstrail/audit"),
      );
    });

    it("that an update of this stack made before it failed is its own", async () => {
      const aliases = { "alias/crosstrail": { keyId, stack: "acme/crosstrail/audit" } };
      const { run } = await deploy(world({}, { aliases }));
      assert.deepEqual(run.warnings, []);
    });

    it("of a deployed key is not asked for; where AWS does not say, that is said", async () => {
      const { run } = await deploy(world({}, { ...after(), aliases: { "alias/crosstrail": { keyId } } }));
      assert.ok(!run.calls.includes("kms:ListAliases"));
      const denied = Object.assign(new Error("no"), { name: "AccessDeniedException" });
      const unread = await deploy(world({}, { aliases: { "alias/crosstrail": denied } }));
      assert.deepEqual(unread.run.warnings, [
        [
          "alias/crosstrail",
          "    key/alias-not-checked: Whether it is free could not be checked: AccessDeniedException: no",
          "    → Allow the deploying role kms:ListAliases. If the alias is taken, the update fails when it creates the key's alias.",
        ].join("\n"),
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
        "    archive/break-glass-role: The audit account does not have this role.",
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

    it("that could not be looked up are refused with AWS's reason", async () => {
      const denied = Object.assign(new Error("not authorized to perform: iam:GetRole"), { name: "AccessDenied" });
      await refuses(world({ breakGlassRoles: ["deploy"] }, { roles: { deploy: denied } }), [
        "The archive would become locked. Nothing was changed.",
        "",
        "  crosstrail:breakGlassRoles, deploy",
        "    archive/break-glass-role: The role could not be looked up: AccessDenied: not authorized to perform: iam:GetRole",
        "    → Allow the deploying role iam:GetRole on it, or correct what AWS names. Without this check, the archive could become locked.",
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

    describe("and retention", () => {
      const retention = { years: 1 };

      it("is refused while it is on in AWS, whatever the stack knows", async () => {
        for (const preview of [true, false]) {
          await refuses(world({ retention }, { ...after(), mfaDelete: "Enabled", preview }), [
            "S3 does not allow this change. Nothing was changed.",
            "",
            "  crosstrail:retention",
            "    archive/mfa-delete: MFA Delete of bucket example-logs is on, and S3 does not allow lifecycle rules on a bucket with MFA Delete.",
            "    → Remove crosstrail:retention. Or have the root user switch MFA Delete off first: crosstrail mfa-delete shows how.",
          ]);
        }
      });

      it("is made once it is off, also where the stack still knows it as on", async () => {
        for (const mfaDelete of ["Disabled", undefined]) {
          const { run } = await deploy(world({ retention }, { ...after(), mfaDelete, knownMfaDelete: "Enabled" }));
          run.resource("BucketLifecycleConfiguration", "audit-lifecycle");
          assert.deepEqual(run.warnings, []);
        }
      });

      it("could not be seen: that is said, and S3 decides", async () => {
        const mfaDelete = Object.assign(new Error("no"), { name: "AccessDenied" });
        const { run } = await deploy(world({ retention }, { ...after(), mfaDelete }));
        assert.deepEqual(run.warnings, [
          [
            "MFA Delete of bucket example-logs",
            "    mfa/not-read: It could not be read, so it is not known whether it is on: AccessDenied: no",
            "    → Allow the deploying role s3:GetBucketVersioning on the bucket.",
          ].join("\n"),
        ]);
      });

      it("is not asked for before there is a bucket", async () => {
        const { run } = await deploy(world({ retention }));
        assert.ok(!run.calls.includes("s3:GetBucketVersioning"));
      });
    });

    for (const [actual, isOn] of [
      ["Enabled", true],
      ["Disabled", false],
      [undefined, false],
      [Object.assign(new Error("no"), { name: "AccessDenied" }), true],
    ] as const) {
      const now = actual instanceof Error ? "not readable" : (actual ?? "never on");
      it(`is not expected, was on, and is ${now}: ${isOn ? "said" : "nothing is said"}`, async () => {
        const { run } = await deploy(world({}, { ...after(), mfaDelete: actual, knownMfaDelete: "Enabled" }));
        await run.settle();
        assert.equal(run.warnings.length, isOn ? 1 : 0, run.warnings.join());
        if (isOn) assert.match(run.warnings[0] as string, /is on, but crosstrail:mfaDelete expects it off/);
      });
    }

    it("is not asked for before there is a bucket", async () => {
      const { run, outputs } = await deploy(world({ mfaDelete: true }));
      assert.deepEqual(run.warnings, []);
      assert.deepEqual(outputs.archive, { mfaDelete: true });
    });
  });
});
