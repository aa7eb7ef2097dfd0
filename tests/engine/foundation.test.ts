/**
 * The life of a fleet, told to the real engine: up, no-op, changes in place, refusals, destroy. The steps build on each
 * other.
 */
import assert from "node:assert/strict";
import { CloudTrailClient, DescribeTrailsCommand } from "@aws-sdk/client-cloudtrail";
import { DescribeKeyCommand, GetKeyRotationStatusCommand, KMSClient } from "@aws-sdk/client-kms";
import { GetBucketPolicyCommand, HeadBucketCommand, S3Client } from "@aws-sdk/client-s3";
import type { Contract } from "../../core/contract";
import { AUDIT_ACCOUNT, AUDIT_STACK, MEMBERS } from "../../sandbox/accounts";
import { readBack } from "../../sandbox/readBack";
import type { Sandbox } from "../../sandbox";
import { callsOf, expectAllUsed } from "./calls";
import { Engine, inSteps, MINUTE, sandbox } from "./support";

const [payments, web] = ["payments", "web"].map((alias) => ({ alias, accountId: MEMBERS[alias] as string })) as [
  { alias: string; accountId: string },
  { alias: string; accountId: string },
];

describe("engine: a fleet from its first up to its end", function () {
  this.timeout(15 * MINUTE);
  inSteps(this);
  let box: Sandbox;
  let engine: Engine;

  before("the tools are installed and a sandbox is open", async function () {
    this.timeout(60 * MINUTE);
    box = await sandbox();
    engine = new Engine(box);
  });
  after(() => box?.stop());

  const contract = () => box.outputs<Contract>(AUDIT_STACK);
  const trailsOf = async (accountId: string) => {
    const client = new CloudTrailClient(await box.aws(accountId));
    return (await client.send(new DescribeTrailsCommand({}))).trailList ?? [];
  };
  const bucketPolicy = async () => {
    const client = new S3Client({ ...(await box.aws(AUDIT_ACCOUNT)), forcePathStyle: true });
    const { bucketName } = await contract();
    return (await client.send(new GetBucketPolicyCommand({ Bucket: bucketName }))).Policy as string;
  };

  it("previews the audit stack with its policies as readable JSON, before anything exists", async () => {
    await engine.configureAudit({ "crosstrail:members": [payments] });
    const text = await engine.run("preview", AUDIT_STACK, "--diff");
    assert.match(text, /"?Sid"?\s*: "CloudTrailWrite222222222222"/);
    assert.match(text, /"?aws:SourceArn"?\s*: "arn:aws:cloudtrail:us-east-1:222222222222:trail\/crosstrail"/);
  });

  it("refuses a member while the audit stack is not deployed, and previews it with the contract given outright", async () => {
    await engine.configureMember("payments", payments.accountId);
    await engine.expectRefusal("payments", "The stack has no output contractVersion.", "Run pulumi up");
    await engine.configureMember("payments", payments.accountId, { "crosstrail:auditStack": "elsewhere" });
    await engine.expectRefusal("payments", "The audit stack was not found.", "organization/crosstrail/elsewhere");
    await engine.configureMember("payments", payments.accountId, {
      "crosstrail:auditStack": "",
      "crosstrail:contract": {
        contractVersion: 1,
        partition: "aws",
        auditAccountId: AUDIT_ACCOUNT,
        bucketName: "crosstrail-example-logs",
        bucketRegion: "us-east-1",
        logPrefix: "",
        keyArn: `arn:aws:kms:us-east-1:${AUDIT_ACCOUNT}:key/00000000-0000-0000-0000-000000000000`,
        trails: [{ ...payments, trailArn: `arn:aws:cloudtrail:us-east-1:${payments.accountId}:trail/crosstrail` }],
      },
    });
    const steps = await engine.plan("payments");
    assert.deepEqual(steps.map(({ op, urn }) => `${op} ${urn.split("::").at(-1)}`).sort(), [
      "create crosstrail-payments",
      "create member",
      "create member-trail",
    ]);
  });

  it("deploys the audit account and a member", async () => {
    assert.deepEqual(await engine.up(AUDIT_STACK), { create: 13 });
    await engine.configureMember("payments", payments.accountId);
    assert.deepEqual(await engine.up("payments"), { create: 3 });
  });

  it("finds nothing to do at a second preview and at a refresh, with calls that a preview role may make", async () => {
    const before = callsOf(box).length;
    await engine.expectNoChanges(AUDIT_STACK);
    await engine.expectNoChanges("payments");
    const calls = callsOf(box).slice(before);
    assert.ok(calls.some(({ operation }) => operation === "GetBucketPolicy"));
  });

  it("made trails that log, and policies that let exactly them deliver", async () => {
    const { trails, outsider } = await readBack(await contract(), (accountId) => box.aws(accountId));
    assert.deepEqual(
      trails.map(({ alias, isLogging, delivery }) => ({ alias, isLogging, delivers: delivery.delivers })),
      [
        { alias: "audit", isLogging: true, delivers: true },
        { alias: "payments", isLogging: true, delivers: true },
      ],
    );
    assert.equal(outsider.delivers, false);
  });

  it("made trails of all Regions, with validation, global events and the archive's key; the key rotates", async () => {
    const { keyArn } = await contract();
    for (const accountId of [AUDIT_ACCOUNT, payments.accountId]) {
      const [trail] = await trailsOf(accountId);
      assert.equal(trail?.IsMultiRegionTrail, true);
      assert.equal(trail?.LogFileValidationEnabled, true);
      assert.equal(trail?.IncludeGlobalServiceEvents, true);
      assert.equal(trail?.KmsKeyId, keyArn);
    }
    const kms = new KMSClient(await box.aws(AUDIT_ACCOUNT));
    const rotation = await kms.send(new GetKeyRotationStatusCommand({ KeyId: keyArn }));
    assert.equal(rotation.KeyRotationEnabled, true);
    assert.equal(rotation.RotationPeriodInDays, 365);
  });

  it("protects and keeps the bucket, the key and what guards them, and nothing else", async () => {
    const kept = (await engine.resources(AUDIT_STACK)).filter(
      ({ protect, retainOnDelete }) => protect && retainOnDelete,
    );
    assert.deepEqual(kept.map(({ type }) => type.split(":").at(-1)).sort(), [
      "Alias",
      "Bucket",
      "BucketOwnershipControls",
      "BucketPolicy",
      "BucketPublicAccessBlock",
      "BucketServerSideEncryptionConfiguration",
      "BucketVersioning",
      "Key",
    ]);
    const others = (await engine.resources("payments")).filter(
      ({ protect, retainOnDelete }) => protect || retainOnDelete,
    );
    assert.deepEqual(others, []);
  });

  it("refuses a member that is not declared, and shows the lines to add", async () => {
    await engine.configureMember("web", web.accountId);
    await engine.expectRefusal("web", `- accountId: "${web.accountId}"`, "under crosstrail:members");
  });

  it("adds a member: the policies change in place, and its trail is created", async () => {
    const before = await bucketPolicy();
    await engine.configureAudit({ "crosstrail:members": [payments, web] });
    assert.deepEqual(await engine.up(AUDIT_STACK), { update: 2, same: 11 });
    assert.deepEqual(await engine.up("web"), { create: 3 });
    // Preview only: a refresh would note that the StackReference now reads a longer contract.
    await engine.run("preview", "payments", "--expect-no-changes");
    const sids = (text: string) =>
      (JSON.parse(text) as { Statement: { Sid: string }[] }).Statement.map(({ Sid }) => Sid);
    assert.deepEqual(
      sids(await bucketPolicy()).filter((sid) => !sids(before).includes(sid)),
      [`CloudTrailWrite${web.accountId}`],
    );
  });

  it("changes options of a trail in place: the same ARN", async () => {
    const [before] = await trailsOf(web.accountId);
    await engine.configureMember("web", web.accountId, {
      "crosstrail:isMultiRegionTrail": false,
      "crosstrail:enableLogging": false,
      "crosstrail:tags": { team: "web" },
    });
    assert.deepEqual(await engine.up("web"), { update: 1, same: 2 });
    const [after] = await trailsOf(web.accountId);
    assert.equal(after?.IsMultiRegionTrail, false);
    assert.equal(after?.TrailARN, before?.TrailARN);
    const { trails } = await readBack(await contract(), (accountId) => box.aws(accountId));
    assert.equal(trails.find(({ alias }) => alias === web.alias)?.isLogging, false);
    await engine.expectNoChanges("web");
  });

  it("records selected events and insights, and goes back to the default, in place", async () => {
    await engine.configureMember("web", web.accountId, {
      "crosstrail:eventSelectors": [
        { readWriteType: "All", dataResources: [{ type: "AWS::S3::Object", values: ["arn:aws:s3"] }] },
      ],
      "crosstrail:insightTypes": ["ApiCallRateInsight"],
    });
    assert.deepEqual(await engine.up("web"), { update: 1, same: 2 });
    await engine.expectNoChanges("web");
  });

  it("changes the log prefix: first the archive's policies, then the trails, each in place", async () => {
    await engine.configureAudit({
      "crosstrail:members": [payments, web],
      "crosstrail:logPrefix": "trails/prod",
      // Until the members' trails have moved.
      "crosstrail:previousLogPrefix": "/",
      "crosstrail:tags": { team: "audit" },
    });
    // The bucket policy and the audit account's own trail; the tags of these, the bucket and the key.
    assert.deepEqual(await engine.up(AUDIT_STACK), { update: 4, same: 9 });
    const [before] = await trailsOf(payments.accountId);
    assert.deepEqual(await engine.up("payments"), { update: 1, same: 2 });
    const [after] = await trailsOf(payments.accountId);
    assert.equal(after?.S3KeyPrefix, "trails/prod");
    assert.equal(after?.TrailARN, before?.TrailARN);
    assert.deepEqual(await engine.up("web"), { update: 1, same: 2 });
    const { trails } = await readBack(await contract(), (accountId) => box.aws(accountId));
    assert.ok(trails.every(({ delivery }) => delivery.delivers));
  });

  it("refuses to rename a trail, and says how; with both names authorized the new one is made first", async () => {
    const renamed = { ...payments, trailName: "payments-trail" };
    const prefix = { "crosstrail:logPrefix": "trails/prod" };
    await engine.configureAudit({ ...prefix, "crosstrail:members": [renamed, web] });
    await engine.expectRefusal(AUDIT_STACK, "Trails would be cut off", "previousTrailName: crosstrail");
    await engine.configureAudit({
      ...prefix,
      "crosstrail:members": [{ ...renamed, previousTrailName: "crosstrail" }, web],
    });
    await engine.up(AUDIT_STACK);
    const text = await engine.run("up", "payments");
    const created = text.indexOf("created replacement");
    assert.ok(created >= 0 && created < text.indexOf("deleting original"), text);
    assert.deepEqual(
      (await trailsOf(payments.accountId)).map(({ Name }) => Name),
      ["payments-trail"],
    );
    await engine.expectNoChanges("payments");
  });

  const change = async (stack: "audit" | "web", config: Record<string, unknown>) => {
    if (stack === "audit") {
      await engine.configureAudit({
        "crosstrail:members": [payments, web],
        "crosstrail:logPrefix": "trails/prod",
        ...config,
      });
    } else await engine.configureMember("web", web.accountId, config);
  };
  const cases: [string, "audit" | "web", Record<string, unknown>, ...(string | RegExp)[]][] = [
    [
      "credentials of another account",
      "web",
      { "aws:assumeRoles": [], "aws:allowedAccountIds": [] },
      `This stack's account is ${web.accountId}`,
      `in account ${AUDIT_ACCOUNT}`,
    ],
    [
      "credentials of another account, which the provider refuses itself",
      "web",
      { "aws:assumeRoles": [] },
      `This stack is for account ${web.accountId}`,
      AUDIT_ACCOUNT,
    ],
    ["another Region than the contract's", "web", { "aws:region": "eu-west-1" }, "homeRegion: eu-west-1"],
    ["an account id of 11 digits", "web", { "crosstrail:accountId": "33333333333" }, "12 digits, this has 11"],
    [
      "an account id without quotes",
      "audit",
      { "crosstrail:members": [{ alias: "a", accountId: 12345678901 }] },
      "in quotes",
    ],
    [
      "two mistakes, both told",
      "audit",
      { "crosstrail:bucketName": "Bad_Name", "crosstrail:trailName": "a..b" },
      "has 2 mistakes",
      "lower-case",
      "side by side",
    ],
    ["another bucket", "audit", { "crosstrail:bucketName": "another-bucket" }, "The archive cannot be moved."],
  ];
  for (const [title, stack, config, ...texts] of cases) {
    it(`refuses with one clear error, and changes nothing: ${title}`, async () => {
      await change(stack, config);
      const known = async () => (await engine.resources(stack)).map(({ urn, id }) => ({ urn, id }));
      const before = await known();
      await engine.expectRefusal(stack, ...texts);
      const { code } = await engine.attempt("up", stack);
      assert.notEqual(code, 0);
      assert.deepEqual(await known(), before);
      await change(stack, {});
    });
  }

  it("removes a member: its trail goes, the archive stays as it is", async () => {
    await engine.configureMember("web", web.accountId);
    // Pulumi keeps the provider's settings in the state, also those of the refused runs above, and a plain destroy
    // uses them; --run-program takes those of the stack's configuration.
    await engine.run("destroy", "web", "--run-program");
    assert.deepEqual(await trailsOf(web.accountId), []);
    const { bucketName } = await contract();
    const s3 = new S3Client({ ...(await box.aws(AUDIT_ACCOUNT)), forcePathStyle: true });
    await s3.send(new HeadBucketCommand({ Bucket: bucketName }));
  });

  it("destroys the audit stack but for the archive; a plain destroy is refused", async () => {
    await engine.configureAudit({ "crosstrail:members": [payments], "crosstrail:logPrefix": "trails/prod" });
    await engine.run("destroy", "payments");
    const refused = await engine.attempt("destroy", AUDIT_STACK);
    assert.notEqual(refused.code, 0);
    assert.match(refused.text, /protect/);
    await engine.run("destroy", AUDIT_STACK, "--exclude-protected");
    assert.deepEqual(await trailsOf(AUDIT_ACCOUNT), []);
    const { bucketName, keyArn } = await contract();
    const aws = await box.aws(AUDIT_ACCOUNT);
    await new S3Client({ ...aws, forcePathStyle: true }).send(new HeadBucketCommand({ Bucket: bucketName }));
    const key = await new KMSClient(aws).send(new DescribeKeyCommand({ KeyId: keyArn }));
    assert.equal(key.KeyMetadata?.KeyState, "Enabled");
  });

  it("removes the archive as well when asked: keepArchive false, up, destroy", async () => {
    const { bucketName, keyArn } = await contract();
    await engine.configureAudit({
      "crosstrail:members": [payments],
      "crosstrail:logPrefix": "trails/prod",
      "crosstrail:keepArchive": false,
    });
    await engine.run("up", AUDIT_STACK);
    await engine.run("destroy", AUDIT_STACK);
    const aws = await box.aws(AUDIT_ACCOUNT);
    await assert.rejects(
      new S3Client({ ...aws, forcePathStyle: true }).send(new HeadBucketCommand({ Bucket: bucketName })),
    );
    const key = await new KMSClient(aws).send(new DescribeKeyCommand({ KeyId: keyArn }));
    assert.equal(key.KeyMetadata?.KeyState, "PendingDeletion");
  });

  it("left no grant for trails, the key and the archive unused", () => {
    expectAllUsed(callsOf(box), "stack", "trail", "key", "archive");
  });
});
