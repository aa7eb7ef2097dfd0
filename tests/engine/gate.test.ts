/**
 * What AWS refuses when a trail is created or changed, the sandbox's CloudTrail refuses, too: asked directly, and by
 * programs.
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { CreateServiceLinkedRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import {
  CreateOrganizationCommand,
  EnableAWSServiceAccessCommand,
  OrganizationsClient,
} from "@aws-sdk/client-organizations";
import {
  CloudTrailClient,
  CreateTrailCommand,
  type CreateTrailCommandInput,
  DeleteTrailCommand,
  DescribeTrailsCommand,
  PutEventSelectorsCommand,
  PutInsightSelectorsCommand,
  StartLoggingCommand,
  StopLoggingCommand,
  UpdateTrailCommand,
} from "@aws-sdk/client-cloudtrail";
import { CreateKeyCommand, DisableKeyCommand, KMSClient, ScheduleKeyDeletionCommand } from "@aws-sdk/client-kms";
import {
  CreateBucketCommand,
  DeleteBucketPolicyCommand,
  PutBucketEncryptionCommand,
  PutBucketPolicyCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { providerFields } from "../../core/events";
import { type TrailIdentity, trailArn } from "../../core/names";
import { bucketPolicy } from "../../core/policies/bucket";
import { type KeyPolicyInput, keyPolicy } from "../../core/policies/key";
import { findMarked, run } from "../../automation/process";
import { AUDIT_ACCOUNT, MEMBERS } from "../../sandbox/accounts";
import { REGION, type Sandbox } from "../../sandbox";
import { RECORD, type SandboxRecord } from "../../sandbox/record";
import { Engine, MINUTE, sandbox } from "./support";

const MEMBER = MEMBERS.payments as string;
const STRANGER = "444444444444";
const ELSEWHERE = "eu-west-1";

const trailOf = (accountId: string, name = "crosstrail"): TrailIdentity => ({
  partition: "aws",
  region: REGION,
  accountId,
  name,
});

describe("engine: a CloudTrail that refuses what AWS refuses", function () {
  this.timeout(10 * MINUTE);
  let box: Sandbox;
  before(async function () {
    this.timeout(60 * MINUTE);
    box = await sandbox({ project: path.join(__dirname, "order") });
  });
  after(() => box?.stop());

  const trails = async (accountId: string, region = REGION) =>
    new CloudTrailClient({ ...(await box.aws(accountId)), region });
  const s3 = async (region = REGION) =>
    new S3Client({ ...(await box.aws(AUDIT_ACCOUNT)), region, forcePathStyle: true });
  const kms = async (region = REGION) => new KMSClient({ ...(await box.aws(AUDIT_ACCOUNT)), region });

  let count = 0;
  /** A bucket of the audit account's with the policy for these trails; null: with none. */
  const bucketFor = async (allowed: TrailIdentity[] | string | null, region = REGION) => {
    const client = await s3(region);
    const Bucket = `gate-logs-${++count}`;
    const CreateBucketConfiguration =
      region === REGION ? undefined : ({ LocationConstraint: region } as { LocationConstraint: typeof ELSEWHERE });
    await client.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration }));
    if (allowed !== null) await allow(Bucket, allowed);
    return Bucket;
  };
  const allow = async (Bucket: string, allowed: TrailIdentity[] | string) => {
    const Policy =
      typeof allowed === "string"
        ? allowed
        : JSON.stringify(bucketPolicy({ partition: "aws", bucketName: Bucket, trails: allowed }).document);
    await (await s3()).send(new PutBucketPolicyCommand({ Bucket, Policy }));
  };
  /**
   * A key of the audit account's with the policy for these trails; a text is the whole policy; undefined: KMS's
   * default.
   */
  const keyFor = async (allowed?: TrailIdentity[] | string, region = REGION, other: Partial<KeyPolicyInput> = {}) => {
    const input = { partition: "aws" as const, auditAccountId: AUDIT_ACCOUNT, ...other };
    const Policy =
      typeof allowed === "object" ? JSON.stringify(keyPolicy({ ...input, trails: allowed }).document) : allowed;
    const { KeyMetadata } = await (await kms(region)).send(new CreateKeyCommand({ Policy }));
    return KeyMetadata?.Arn as string;
  };

  type Options = Partial<CreateTrailCommandInput> & { accountId?: string; region?: string };
  const create = async (S3BucketName: string, { accountId = AUDIT_ACCOUNT, region, ...more }: Options = {}) =>
    (await trails(accountId, region)).send(
      new CreateTrailCommand({ Name: "crosstrail", EnableLogFileValidation: true, S3BucketName, ...more }),
    );
  const refused = (what: Promise<unknown>, exception: string, ...texts: (string | RegExp)[]) =>
    assert.rejects(what, (error: Error) => {
      assert.equal(error.name, exception, error.message);
      for (const text of texts) {
        if (typeof text === "string") assert.ok(error.message.includes(text), error.message);
        else assert.match(error.message, text);
      }
      return true;
    });
  const existing = async (accountId: string) =>
    (await (await trails(accountId)).send(new DescribeTrailsCommand({}))).trailList ?? [];

  afterEach("no trail is left", async () => {
    for (const accountId of [AUDIT_ACCOUNT, MEMBER]) {
      for (const { TrailARN, HomeRegion } of await existing(accountId)) {
        await (await trails(accountId, HomeRegion)).send(new DeleteTrailCommand({ Name: TrailARN }));
      }
    }
  });

  const own = trailOf(AUDIT_ACCOUNT);
  const members = trailOf(MEMBER);

  describe("the bucket", () => {
    it("and the key let the account's own trail and a member's deliver: both are created", async () => {
      const bucket = await bucketFor([own, members]);
      const KmsKeyId = await keyFor([own, members]);
      for (const accountId of [AUDIT_ACCOUNT, MEMBER]) {
        const { TrailARN } = await create(bucket, { accountId, KmsKeyId });
        assert.equal(TrailARN, trailArn(trailOf(accountId)));
      }
    });

    it("does not exist", async () => {
      await refused(create("no-such-bucket"), "S3BucketDoesNotExistException", "no-such-bucket does not exist");
      assert.deepEqual(await existing(AUDIT_ACCOUNT), []);
    });

    it("has no policy", async () => {
      const bucket = await bucketFor(null);
      await refused(
        create(bucket),
        "InsufficientS3BucketPolicyException",
        `Incorrect S3 bucket policy is detected for bucket: ${bucket}`,
        "nothing allows it: not the bucket policy (there is none)",
      );
      assert.deepEqual(await existing(AUDIT_ACCOUNT), []);
    });

    it("names the trail of another account: the condition and both values are told", async () => {
      const bucket = await bucketFor([own]);
      await refused(
        create(bucket, { accountId: MEMBER }),
        "InsufficientS3BucketPolicyException",
        `Incorrect S3 bucket policy is detected for bucket: ${bucket} [Sandbox: `,
        `aws:SourceArn is "${trailArn(members)}" where StringEquals wants "${trailArn(own)}"`,
      );
    });

    it("allows another trail of the account, another prefix, or logs but no digests", async () => {
      const bucket = await bucketFor([own]);
      const exception = "InsufficientS3BucketPolicyException";
      await refused(create(bucket, { Name: "another" }), exception, "aws:SourceArn");
      await refused(create(bucket, { S3KeyPrefix: "prefix" }), exception, `${bucket}/prefix/AWSLogs/`);
      const document = JSON.stringify(bucketPolicy({ partition: "aws", bucketName: bucket, trails: [own] }).document);
      await allow(bucket, document.replace("AWSLogs/111111111111/*", "AWSLogs/111111111111/CloudTrail/*"));
      await refused(create(bucket), exception, "CloudTrail-Digest");
      await create(bucket, { EnableLogFileValidation: false });
    });

    for (const [what, policy] of [
      ["not of a policy's shape", '{"Statement":[5,{"Effect":["Allow"],"Principal":7}]}'],
      ["nested a thousand times", `{"Statement":${"[".repeat(1000)}${"]".repeat(1000)}}`],
      [
        "with an operator that nobody knows",
        '{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"StringSoundsLike":{"aws:SourceArn":"x"}}}}',
      ],
    ] as const) {
      it(`has a policy that is ${what}: a refusal, no crash`, async () => {
        const bucket = await bucketFor(policy);
        await refused(create(bucket), "InsufficientS3BucketPolicyException", bucket);
      });
    }
  });

  describe("the key", () => {
    let bucket: string;
    before(async () => {
      bucket = await bucketFor([own]);
    });

    it("does not exist, as ARN, id and alias", async () => {
      const id = "00000000-0000-0000-0000-000000000000";
      for (const KmsKeyId of [`arn:aws:kms:${REGION}:${AUDIT_ACCOUNT}:key/${id}`, id, "alias/none"]) {
        await refused(create(bucket, { KmsKeyId }), "KmsKeyNotFoundException", KmsKeyId);
      }
      await refused(create(bucket, { KmsKeyId: "what?" }), "InvalidKmsKeyIdException", "what?");
    });

    it("is in another Region than the bucket", async () => {
      const KmsKeyId = await keyFor([own], ELSEWHERE);
      await refused(create(bucket, { KmsKeyId }), "KmsKeyNotFoundException", ELSEWHERE, REGION);
      // The trail's Region does not matter.
      const there = await bucketFor([own], ELSEWHERE);
      await create(there, { KmsKeyId });
    });

    it("is disabled, or will be deleted", async () => {
      const KmsKeyId = await keyFor([own]);
      // moto wants the id here.
      const KeyId = KmsKeyId.split("/").at(-1);
      await (await kms()).send(new DisableKeyCommand({ KeyId }));
      await refused(create(bucket, { KmsKeyId }), "KmsException", "Disabled");
      await (await kms()).send(new ScheduleKeyDeletionCommand({ KeyId }));
      await refused(create(bucket, { KmsKeyId }), "KmsException", "PendingDeletion");
    });

    it("has KMS's default policy, one for another trail, one without DescribeKey, or one that is none", async () => {
      const exception = "InsufficientEncryptionPolicyException";
      const text = (keyArn: string) => `Insufficient permissions to access S3 bucket ${bucket} or KMS key ${keyArn}.`;
      const defaults = await keyFor();
      await refused(create(bucket, { KmsKeyId: defaults }), exception, text(defaults), "kms:DescribeKey");
      const others = await keyFor([members]);
      await refused(create(bucket, { KmsKeyId: others }), exception, text(others), trailArn(members));
      const input = { partition: "aws" as const, auditAccountId: AUDIT_ACCOUNT, trails: [own] };
      const { document } = keyPolicy(input);
      const Statement = document.Statement.filter(({ Sid }) => Sid !== "CloudTrailDescribeKey");
      assert.equal(Statement.length, document.Statement.length - 1);
      const undescribed = await keyFor(JSON.stringify({ ...document, Statement }));
      await refused(create(bucket, { KmsKeyId: undescribed }), exception, "kms:DescribeKey");
      const none = await keyFor('{"Statement":"*"}');
      await refused(create(bucket, { KmsKeyId: none }), exception, text(none));
    });

    it("lets CloudTrail not decrypt, and the bucket has an S3 Bucket Key", async () => {
      const cached = await bucketFor([own]);
      const KmsKeyId = await keyFor([own]);
      await (
        await s3()
      ).send(
        new PutBucketEncryptionCommand({
          Bucket: cached,
          ServerSideEncryptionConfiguration: {
            Rules: [
              {
                ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "aws:kms", KMSMasterKeyID: KmsKeyId },
                BucketKeyEnabled: true,
              },
            ],
          },
        }),
      );
      await refused(create(cached, { KmsKeyId }), "InsufficientEncryptionPolicyException", "kms:Decrypt");
      await create(cached, { KmsKeyId: await keyFor([own], REGION, { bucketKeyEnabled: true }) });
    });
  });

  describe("the trail", () => {
    let bucket: string;
    before(async () => {
      bucket = await bucketFor([own, members, trailOf(AUDIT_ACCOUNT, "second")]);
    });

    it("exists already, also as a copy in another Region", async () => {
      await create(bucket, { IsMultiRegionTrail: true });
      for (const region of [REGION, ELSEWHERE]) {
        const text = `Trail crosstrail already exists for customer: ${AUDIT_ACCOUNT}`;
        await refused(create(bucket, { region }), "TrailAlreadyExistsException", text);
      }
      await create(bucket, { accountId: MEMBER });
      await create(bucket, { Name: "second" });
      await refused(create(bucket, { Name: "a--b" }), "InvalidTrailNameException", "side by side");
    });

    it("is changed in its home Region only, by name or by ARN", async () => {
      const { TrailARN } = await create(bucket, { IsMultiRegionTrail: true });
      const elsewhere = await trails(AUDIT_ACCOUNT, ELSEWHERE);
      for (const Name of ["crosstrail", TrailARN as string]) {
        const selectors = { TrailName: Name, InsightSelectors: [] };
        for (const call of [
          () => elsewhere.send(new UpdateTrailCommand({ Name, IsMultiRegionTrail: false })),
          () => elsewhere.send(new StopLoggingCommand({ Name })),
          () => elsewhere.send(new StartLoggingCommand({ Name })),
          () => elsewhere.send(new PutEventSelectorsCommand({ TrailName: Name, EventSelectors: [] })),
          () => elsewhere.send(new PutInsightSelectorsCommand(selectors)),
          () => elsewhere.send(new DeleteTrailCommand({ Name })),
        ]) {
          await refused(call(), "InvalidHomeRegionException", `home Region of ${TrailARN ?? ""} is ${REGION}`);
        }
      }
      assert.equal((await existing(AUDIT_ACCOUNT)).length, 1);
      await refused(elsewhere.send(new StopLoggingCommand({ Name: "unknown" })), "TrailNotFoundException");
    });

    it("is not changed to what cannot be delivered, nor when it cannot be any more", async () => {
      const own = trailOf(AUDIT_ACCOUNT);
      const bucket = await bucketFor([own]);
      const KmsKeyId = await keyFor([own]);
      await create(bucket, { KmsKeyId });
      const client = await trails(AUDIT_ACCOUNT);
      const update = (change: Partial<CreateTrailCommandInput>) =>
        client.send(new UpdateTrailCommand({ Name: "crosstrail", ...change }));
      await refused(update({ S3KeyPrefix: "new" }), "InsufficientS3BucketPolicyException", "/new/AWSLogs/");
      await refused(update({ S3BucketName: "no-such-bucket" }), "S3BucketDoesNotExistException");
      await refused(update({ KmsKeyId: await keyFor() }), "InsufficientEncryptionPolicyException");
      const [trail] = await existing(AUDIT_ACCOUNT);
      assert.deepEqual([trail?.S3BucketName, trail?.S3KeyPrefix, trail?.KmsKeyId], [bucket, undefined, KmsKeyId]);
      await update({ IsMultiRegionTrail: true });
      await (await s3()).send(new DeleteBucketPolicyCommand({ Bucket: bucket }));
      await refused(update({ IsMultiRegionTrail: false }), "InsufficientS3BucketPolicyException");
      const insights = (InsightSelectors: { InsightType: "ApiCallRateInsight" }[]) =>
        client.send(new PutInsightSelectorsCommand({ TrailName: "crosstrail", InsightSelectors }));
      await refused(insights([{ InsightType: "ApiCallRateInsight" }]), "InsufficientS3BucketPolicyException");
      await insights([]);
      // These do not try to deliver.
      await client.send(new StartLoggingCommand({ Name: "crosstrail" }));
    });

    it("of an organization needs the organization, its management account, and the organization's path", async () => {
      const organization = { IsOrganizationTrail: true, IsMultiRegionTrail: true };
      const bucket = await bucketFor([own, members]);
      await refused(create(bucket, organization), "OrganizationsNotInUseException");
      const access = await box.aws(AUDIT_ACCOUNT);
      const organizations = new OrganizationsClient(access);
      const { Organization } = await organizations.send(new CreateOrganizationCommand({ FeatureSet: "ALL" }));
      const path = `${bucket}/AWSLogs/${Organization?.Id}/`;
      await refused(create(bucket, organization), "InsufficientS3BucketPolicyException", path);
      const document = JSON.stringify(bucketPolicy({ partition: "aws", bucketName: bucket, trails: [own] }).document);
      const resource = `"arn:aws:s3:::${bucket}/AWSLogs/${AUDIT_ACCOUNT}/*"`;
      await allow(bucket, document.replace(resource, `[${resource},"arn:aws:s3:::${path}*"]`));
      await refused(create(bucket, organization), "CloudTrailAccessNotEnabledException");
      const AWSServiceName = "cloudtrail.amazonaws.com";
      await organizations.send(new EnableAWSServiceAccessCommand({ ServicePrincipal: AWSServiceName }));
      await new IAMClient(access).send(new CreateServiceLinkedRoleCommand({ AWSServiceName }));
      await create(bucket, organization);
    });
  });

  describe("a program", () => {
    const configure = async (dependsOn: boolean, accountId: string, keyArn: string) =>
      box.stack("order", {
        "aws:region": REGION,
        "order:dependsOn": dependsOn,
        "order:keyArn": keyArn,
        "order:trailArn": trailArn(trailOf(accountId, "order")),
      });

    it("the provider takes exactly the fields of selectors that the configuration may have", async () => {
      await box.stack("fields", {
        "aws:region": REGION,
        "order:dependsOn": true,
        "order:keyArn": `arn:aws:kms:${REGION}:${AUDIT_ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab`,
        "order:trailArn": trailArn(trailOf(AUDIT_ACCOUNT, "order")),
        "order:selectorField": "noSuchField",
      });
      const { code, text } = await new Engine(box).attempt("preview", "fields");
      assert.notEqual(code, 0, text);
      const [, list = ""] = /field to be one of \[([^\]]*)\], got noSuchField/.exec(text.replace(/\s+/g, " ")) ?? [];
      const fields = list.match(/[A-Za-z.]+/g)?.sort();
      assert.deepEqual(fields, [...providerFields].sort(), text);
    });

    it("without dependsOn fails, so does one with the wrong account in its policy; the right one succeeds", async () => {
      const engine = new Engine(box);
      const keyArn = await keyFor([trailOf(AUDIT_ACCOUNT, "order")]);

      await configure(false, AUDIT_ACCOUNT, keyArn);
      const unordered = await engine.attempt("up", "order");
      assert.notEqual(unordered.code, 0, unordered.text);
      assert.match(unordered.text, /S3BucketDoesNotExistException|InsufficientS3BucketPolicyException/);

      await configure(true, STRANGER, keyArn);
      const wrong = await engine.attempt("up", "order");
      assert.notEqual(wrong.code, 0, wrong.text);
      assert.match(wrong.text, /InsufficientS3BucketPolicyException: Incorrect S3 bucket policy is detected/);
      assert.match(
        wrong.text,
        /aws:SourceArn is "\S+:111111111111:trail\/order" where StringEquals wants "\S+:444444444444:/,
      );

      await configure(true, AUDIT_ACCOUNT, keyArn);
      await engine.up("order");
      await engine.run("preview", "order", "--expect-no-changes");
      assert.deepEqual(
        (await existing(AUDIT_ACCOUNT)).map(({ Name }) => Name),
        ["order"],
      );
    });
  });
});

describe("engine: the process that judges policies", function () {
  this.timeout(60 * MINUTE);
  let box: Sandbox;
  before(async () => {
    box = await sandbox();
  });
  after(() => box?.stop());

  it("ends with the emulator, also when that is killed", async function () {
    this.timeout(MINUTE);
    const { runId } = JSON.parse(fs.readFileSync(path.join(box.folder, RECORD), "utf8")) as SandboxRecord;
    /** The ids of the sandbox's processes that run this script. */
    const running = async (script: string) => {
      const pids = findMarked(runId);
      const { stdout } = await run("ps", ["-axww", "-o", "pid=,command="], { timeoutMs: MINUTE });
      const lines = stdout.split("\n").filter((line) => pids.includes(Number.parseInt(line)));
      return lines.filter((line) => line.includes(script)).map((line) => Number.parseInt(line));
    };
    const pause = () => new Promise((resolve) => setTimeout(resolve, 100));
    // It starts when the emulator serves already.
    while ((await running(path.join("emulator", "gate.js"))).length === 0) await pause();
    const [emulator] = await running("server.py");
    process.kill(emulator as number, "SIGKILL");
    while (findMarked(runId).length > 0) await pause();
  });
});
