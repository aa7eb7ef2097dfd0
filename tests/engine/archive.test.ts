/** The archive's controls, told to the real engine: each one on, changed and off again, always in place and quiet in between. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { CreateRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import { GetKeyPolicyCommand, KMSClient } from "@aws-sdk/client-kms";
import { GetBucketPolicyCommand, PutBucketVersioningCommand, S3Client } from "@aws-sdk/client-s3";
import type { Contract } from "../../core/contract";
import { evaluate } from "../../core/evaluate";
import type { Target } from "../../core/threats";
import { archiveWrites } from "../../core/threats";
import { readControls } from "../../sandbox/controls";
import { AUDIT_ACCOUNT, AUDIT_STACK, deployRole, ROOT } from "../../sandbox/accounts";
import { readBack } from "../../sandbox/readBack";
import type { Sandbox } from "../../sandbox";
import { callsOf, expectAllUsed } from "./calls";
import { Engine, inSteps, MINUTE, putLogFile, sandbox } from "./support";

const bucketName = "crosstrail-example-logs";
const accessLogBucket = "crosstrail-example-access-logs";
const denies = ["DenyNestedPrefix", "DenyTampering", "DenyOtherKeys", "DenyOtherEncryption", "DenyCustomerKeys"];

describe("engine: the archive's controls", function () {
  this.timeout(60 * MINUTE);
  inSteps(this);
  let box: Sandbox;
  let engine: Engine;
  let s3: S3Client;
  before(async () => {
    box = await sandbox();
    engine = new Engine(box);
    const access = await box.aws(AUDIT_ACCOUNT);
    s3 = new S3Client({ ...access, forcePathStyle: true });
    const iam = new IAMClient(access);
    for (const RoleName of ["CrosstrailDeploy", "BreakGlass"]) {
      await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: "{}" }));
    }
    iam.destroy();
    await configure();
    await engine.up(AUDIT_STACK);
    // Everything that follows happens to an archive that is in use.
    await putLogFile(s3, bucketName, "log");
  });
  after(async () => {
    s3?.destroy();
    await box?.stop();
  });

  /** The archive's settings; the stack is deployed by a role, as on real accounts. */
  const configure = (change: Record<string, unknown> = {}) =>
    engine.configureAudit({
      "aws:assumeRoles": [{ roleArn: deployRole(AUDIT_ACCOUNT) }],
      ...Object.fromEntries(Object.entries(change).map(([name, value]) => [`crosstrail:${name}`, value])),
    });

  /**
   * Brings the stack up and says what AWS has then. The bucket and the key stay what they are; a preview and a refresh find
   * nothing to do; and CloudTrail still delivers, for the fleet and nobody else.
   */
  const bringUp = async (...deleted: string[]) => {
    const plan = await engine.plan(AUDIT_STACK);
    assert.deepEqual(
      plan
        .filter(({ op }) => /replace|delete/.test(op))
        .map(({ op, urn }) => `${op} ${urn.split("::").at(-1)}`)
        .sort(),
      deleted.map((name) => `delete ${name}`).sort(),
    );
    await engine.up(AUDIT_STACK);
    await engine.expectNoChanges(AUDIT_STACK);
    const contract = await box.outputs<Contract>(AUDIT_STACK);
    const { trails, outsider } = await readBack(contract, (id) => box.aws(id));
    assert.deepEqual(
      trails.flatMap(({ delivery }) => delivery.reasons),
      [],
    );
    assert.equal(outsider.delivers, false);
    return Object.fromEntries(await readControls(contract, await box.aws(AUDIT_ACCOUNT)));
  };

  const byDefault = {
    versioning: "Enabled, MFA Delete off",
    "public access": "blocked",
    "object ownership": "BucketOwnerEnforced",
    "TLS only": "yes",
    "bucket policy": "perTrail, DenyNestedPrefix, DenyInsecureTransport",
    "key policy": "trailList",
    "Object Lock": "off",
    lifecycle: "none, logs are kept forever",
    "access logs": "none",
    notifications: "none",
  };

  it("all of them on", async () => {
    const all = {
      objectLock: { mode: "governance", days: 30 },
      retention: { years: 1, transitions: [{ storageClass: "GLACIER_IR", days: 90 }] },
      accessLogBucket,
      breakGlassRoles: ["CrosstrailDeploy"],
      denyOtherEncryption: true,
      notifications: "sqs",
    };
    await configure({ ...all, tags: { team: "audit" } });
    await engine.up(AUDIT_STACK);
    await configure({ ...all, tags: { owner: "audit" } });
    const { encryption, ...controls } = await bringUp();
    assert.match(encryption as string, /^aws:kms, arn:aws:kms:us-east-1:111111111111:key\//);
    assert.deepEqual(controls, {
      ...byDefault,
      "bucket policy": `perTrail, ${denies.join(", ")}, DenyInsecureTransport`,
      "Object Lock": "GOVERNANCE, 30 days",
      lifecycle: "GLACIER_IR after 90 days, expire after 366 days, and 90 more",
      "access logs": `to ${accessLogBucket}`,
      notifications: "arn:aws:sqs:us-east-1:111111111111:crosstrail-example-logs-new-logs",
    });
  });

  it("as AWS has them: an administrator's calls are refused, a break-glass role's are not", async () => {
    const access = await box.aws(AUDIT_ACCOUNT);
    const { keyArn } = await box.outputs<Contract>(AUDIT_STACK);
    const kms = new KMSClient(access);
    const bucketPolicyOf = async (Bucket: string) => (await s3.send(new GetBucketPolicyCommand({ Bucket }))).Policy;
    // As the provider has read it back.
    const queue = (await engine.resources(AUDIT_STACK)).find(({ urn }) => urn.endsWith("::new-logs-policy"));
    const key = await kms.send(new GetKeyPolicyCommand({ KeyId: keyArn, PolicyName: "default" }));
    kms.destroy();
    const policies: Partial<Record<Target, [policy: string | undefined, resource: string]>> = {
      "log bucket": [await bucketPolicyOf(bucketName), `arn:aws:s3:::${bucketName}`],
      logs: [await bucketPolicyOf(bucketName), `arn:aws:s3:::${bucketName}/AWSLogs/x`],
      key: [key.Policy, keyArn],
      queue: [
        queue?.outputs?.policy as string | undefined,
        `arn:aws:sqs:us-east-1:${AUDIT_ACCOUNT}:${bucketName}-new-logs`,
      ],
    };
    const everything = { Version: "2012-10-17", Statement: { Effect: "Allow", Action: "*", Resource: "*" } } as const;
    const open = (role: string) =>
      archiveWrites.flatMap(({ target, action }) => {
        const [resourcePolicy, resource] = policies[target] ?? [];
        if (resource === undefined) return [];
        assert.ok(resourcePolicy, target);
        const { allowed } = evaluate(
          {
            caller: { kind: "account", arn: `arn:aws:iam::${AUDIT_ACCOUNT}:role/${role}` },
            action,
            resource,
            resourceAccountId: AUDIT_ACCOUNT,
            context: { "aws:SecureTransport": "true", "kms:ScheduleKeyDeletionPendingWindowInDays": "30" },
          },
          { resourcePolicy, identityPolicies: [everything] },
        );
        return allowed ? [action] : [];
      });
    assert.deepEqual(open("Administrator"), ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage"]);
    const breakGlass = open("CrosstrailDeploy");
    for (const action of ["s3:PutBucketPolicy", "s3:DeleteObjectVersion", "kms:PutKeyPolicy", "sqs:SetQueueAttributes"])
      assert.ok(breakGlass.includes(action), action);
    const accessLogs = await bucketPolicyOf(accessLogBucket);
    assert.ok(accessLogs?.includes('"DenyTampering"'), accessLogs);
  });

  it("changed", async () => {
    await configure({
      objectLock: { mode: "compliance", years: 1, confirmComplianceLock: bucketName },
      retention: { days: 800, noncurrentDays: 10 },
      accessLogBucket,
      accessLogDays: 30,
      breakGlassRoles: ["CrosstrailDeploy", "BreakGlass"],
      denyOtherEncryption: true,
      notifications: "eventBridge",
    });
    const { encryption, ...controls } = await bringUp("new-logs", "new-logs-queue", "new-logs-policy");
    assert.ok(encryption);
    assert.deepEqual(controls, {
      ...byDefault,
      "bucket policy": `perTrail, ${denies.join(", ")}, DenyInsecureTransport`,
      "Object Lock": "COMPLIANCE, 1 years",
      lifecycle: "expire after 800 days, and 10 more",
      "access logs": `to ${accessLogBucket}`,
      notifications: "EventBridge",
    });
  });

  it("off again: only Object Lock stays on, without locking anything new, and the access logs are kept", async () => {
    await configure();
    const { text } = await engine.attempt("preview", AUDIT_STACK);
    assert.match(
      text,
      /New log files are no longer locked\. Existing log files stay locked: mode compliance, 1 year\. Object Lock itself stays enabled\./,
    );
    const { encryption, ...controls } = await bringUp("audit-lifecycle", "audit-logging", "audit-notification");
    assert.ok(encryption);
    assert.deepEqual(controls, { ...byDefault, "Object Lock": "on, without a default retention" });
    const kept = (await engine.resources(AUDIT_STACK)).find(({ urn }) => urn.endsWith("::access-logs-bucket"));
    assert.equal(kept?.protect, true);
  });

  describe("MFA Delete", () => {
    const warning =
      /MFA Delete of bucket crosstrail-example-logs\s+mfa\/drift: It is (on|off), but crosstrail:mfaDelete expects it (on|off)/;
    const warned = async () => {
      const { code, text } = await engine.attempt("preview", AUDIT_STACK, "--expect-no-changes");
      assert.equal(code, 0, text);
      return warning.exec(text)?.slice(1);
    };
    /** `crosstrail mfa-delete`, as it is started on a command line. */
    const command = () =>
      new Promise<{ code: number | null; stdout: string }>((resolve) => {
        const file = join(box.projectFolder, `Pulumi.${AUDIT_STACK}.yaml`);
        const child = spawn(process.execPath, [join(ROOT, "bin", "crosstrail.js"), "mfa-delete", "--config", file], {
          env: box.env,
          stdio: ["ignore", "pipe", "inherit"],
        });
        let stdout = "";
        child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
        child.on("close", (code) => resolve({ code, stdout }));
      });
    const asRoot = (MFADelete: "Enabled" | "Disabled") =>
      s3.send(
        new PutBucketVersioningCommand({
          Bucket: bucketName,
          MFA: "arn:aws:iam::111111111111:mfa/root-account-mfa-device 123456",
          VersioningConfiguration: { Status: "Enabled", MFADelete },
        }),
      );

    it("is expected, and every preview says that it is off; the command says what the root user has to do", async () => {
      await configure({ mfaDelete: true });
      await engine.up(AUDIT_STACK);
      assert.deepEqual(await warned(), ["off", "on"]);
      const { code, stdout } = await command();
      assert.equal(code, 5, stdout);
      assert.ok(stdout.includes('--mfa "arn:aws:iam::111111111111:mfa/root-account-mfa-device 123456"'), stdout);
    });

    it("is switched on by the root user: the previews are quiet, and so is the command", async () => {
      await asRoot("Enabled");
      assert.equal(await warned(), undefined);
      const { code, stdout } = await command();
      assert.equal(code, 0, stdout);
      // The stack notes what it has read.
      await engine.up(AUDIT_STACK);
      await engine.expectNoChanges(AUDIT_STACK);
    });

    it("is no longer expected: the previews say that it is on, until the root user has switched it off", async () => {
      await configure();
      // Nothing of the stack writes the versioning again: S3 would refuse it.
      await engine.up(AUDIT_STACK);
      assert.deepEqual(await warned(), ["on", "off"]);
      assert.equal((await command()).code, 5);
      await configure({ retention: { years: 1 } });
      await engine.expectRefusal(
        AUDIT_STACK,
        "crosstrail:retention",
        "MFA Delete of bucket crosstrail-example-logs is on",
      );
      await configure();
      await asRoot("Disabled");
      assert.equal((await command()).code, 0);
      // The stack still knows it as on; the preview asks AWS.
      assert.equal(await warned(), undefined);
    });
  });

  describe("refuses, before anything is changed", () => {
    it("a break-glass role that does not exist", async () => {
      await configure({ breakGlassRoles: ["CrosstrailDeploy", "Nobody"] });
      await engine.expectRefusal(
        AUDIT_STACK,
        "crosstrail:breakGlassRoles, Nobody",
        "The audit account does not have this role",
      );
    });

    it("to be locked out: a preview warns, and nothing is deployed", async () => {
      await configure({ breakGlassRoles: ["BreakGlass"] });
      const { code, text } = await engine.attempt("preview", AUDIT_STACK);
      assert.equal(code, 0, text);
      const locked = /assumed-role\/CrosstrailDeploy\/\S+, which is not one of them/;
      assert.match(text, locked);
      const refused = await engine.attempt("up", AUDIT_STACK);
      assert.notEqual(refused.code, 0);
      assert.match(refused.text, locked);
      assert.match(refused.text, /Nothing was changed/);
      const [control] = (
        await readControls(await box.outputs<Contract>(AUDIT_STACK), await box.aws(AUDIT_ACCOUNT))
      ).filter(([name]) => name === "bucket policy");
      assert.deepEqual(control, ["bucket policy", byDefault["bucket policy"]]);
    });

    it("what cannot be undone: another bucket for the access logs, and emptying a bucket that had a lock", async () => {
      await configure({ accessLogBucket: "another-bucket", keepArchive: false, forceDestroy: true });
      await engine.expectRefusal(
        AUDIT_STACK,
        `Access logs are in bucket "${accessLogBucket}". A bucket cannot be renamed`,
        "Object Lock is enabled on the deployed bucket and cannot be disabled",
      );
    });
  });

  describe("and the deploy roles", () => {
    it("have no grant for these that is not used", () => {
      expectAllUsed(
        callsOf(box),
        "objectLock",
        "lifecycle",
        "accessLogs",
        "notifications",
        "queue",
        "breakGlass",
        "mfaDelete",
      );
    });
  });
});
