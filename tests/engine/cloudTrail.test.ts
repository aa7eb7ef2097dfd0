/** The sandbox's CloudTrail delivers: events, files, digests, status and time, asked with AWS's own SDKs. */
import assert from "node:assert/strict";
import { createHash, createPublicKey, verify } from "node:crypto";
import { gunzipSync } from "node:zlib";
import {
  CloudTrailClient,
  CreateTrailCommand,
  type CreateTrailCommandInput,
  DeleteTrailCommand,
  GetTrailStatusCommand,
  ListPublicKeysCommand,
  LookupEventsCommand,
  PutEventSelectorsCommand,
  StartLoggingCommand,
  StopLoggingCommand,
  UpdateTrailCommand,
} from "@aws-sdk/client-cloudtrail";
import { CloudWatchLogsClient, CreateLogGroupCommand, GetLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  CreateRoleCommand,
  CreateServiceLinkedRoleCommand,
  CreateUserCommand,
  GetUserCommand,
  IAMClient,
} from "@aws-sdk/client-iam";
import {
  CreateAccountCommand,
  CreateOrganizationCommand,
  EnableAWSServiceAccessCommand,
  OrganizationsClient,
} from "@aws-sdk/client-organizations";
import {
  CreateKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  KMSClient,
  PutKeyPolicyCommand,
} from "@aws-sdk/client-kms";
import {
  CreateBucketCommand,
  DeleteBucketPolicyCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import type { TrailIdentity } from "../../core/names";
import { bucketPolicy, type BucketPolicyInput } from "../../core/policies/bucket";
import { keyPolicy } from "../../core/policies/key";
import { AUDIT_ACCOUNT, MANAGEMENT, MEMBERS, OUTSIDER } from "../../sandbox/accounts";
import { moveClock } from "../../sandbox/clock";
import { REGION, type Sandbox } from "../../sandbox";
import { MINUTE, sandbox } from "./support";

const MEMBER = MEMBERS.payments as string;
const ELSEWHERE = "eu-west-1";
const REGIONS = 3;

interface Event {
  eventName: string;
  eventSource: string;
  awsRegion: string;
  errorCode?: string;
  readOnly: boolean;
  managementEvent: boolean;
  recipientAccountId: string;
  sharedEventID?: string;
  requestParameters: Record<string, unknown> | null;
  responseElements: Record<string, unknown> | null;
  userIdentity: {
    type: string;
    arn?: string;
    accountId?: string;
    invokedBy?: string;
    sessionContext?: { sessionIssuer: { arn: string } };
  };
}
interface Digest {
  digestStartTime: string;
  digestEndTime: string;
  digestS3Bucket: string;
  digestS3Object: string;
  digestPublicKeyFingerprint: string;
  previousDigestS3Object: string | null;
  previousDigestHashValue: string | null;
  previousDigestSignature: string | null;
  logFiles: { s3Object: string; hashValue: string }[];
}

describe("engine: a CloudTrail that delivers", function () {
  this.timeout(3 * MINUTE);
  let box: Sandbox;
  before(async function () {
    this.timeout(60 * MINUTE);
    // A program of its own: calls of these tests are not held against the deploy roles.
    box = await sandbox({ project: `${__dirname}/order` });
  });
  after(() => box?.stop());

  const trails = async (accountId = MEMBER, region = REGION) =>
    new CloudTrailClient({ ...(await box.aws(accountId)), region });
  const iam = async (accountId = MEMBER) => new IAMClient(await box.aws(accountId));
  const kms = async () => new KMSClient(await box.aws(AUDIT_ACCOUNT));
  const s3 = async (accountId = AUDIT_ACCOUNT) => new S3Client({ ...(await box.aws(accountId)), forcePathStyle: true });
  const identity = (accountId: string, name = "crosstrail"): TrailIdentity => ({
    partition: "aws",
    region: REGION,
    accountId,
    name,
  });

  let count = 0;
  const newBucket = async (input: Partial<BucketPolicyInput> = {}) => {
    const Bucket = `delivered-${++count}`;
    await (await s3()).send(new CreateBucketCommand({ Bucket }));
    await allow(Bucket, input);
    return Bucket;
  };
  const allow = async (Bucket: string, input: Partial<BucketPolicyInput> = {}) => {
    const known = [identity(MEMBER), identity(AUDIT_ACCOUNT), identity(MEMBER, "data")];
    const { document } = bucketPolicy({ partition: "aws", bucketName: Bucket, trails: known, ...input });
    await (await s3()).send(new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify(document) }));
  };
  const log = async (bucket: string, more: Partial<CreateTrailCommandInput> = {}, accountId = MEMBER) => {
    const client = await trails(accountId);
    const Name = more.Name ?? "crosstrail";
    await client.send(
      new CreateTrailCommand({
        Name,
        S3BucketName: bucket,
        EnableLogFileValidation: true,
        IsMultiRegionTrail: true,
        IncludeGlobalServiceEvents: true,
        ...more,
      }),
    );
    await client.send(new StartLoggingCommand({ Name }));
    return client;
  };
  const createUser = async (UserName: string, accountId = MEMBER) =>
    (await iam(accountId)).send(new CreateUserCommand({ UserName }));

  const keysOf = async (Bucket: string, pattern: RegExp) => {
    const { Contents = [] } = await (await s3()).send(new ListObjectsV2Command({ Bucket }));
    return Contents.map(({ Key }) => Key as string).filter((key) => pattern.test(key));
  };
  const read = async (Bucket: string, Key: string) => {
    const { Body, Metadata } = await (await s3()).send(new GetObjectCommand({ Bucket, Key }));
    return { body: gunzipSync((await Body?.transformToByteArray()) ?? new Uint8Array()), metadata: Metadata ?? {} };
  };
  const eventsOf = async (bucket: string, pattern = /\/CloudTrail\//) => {
    const files = await Promise.all((await keysOf(bucket, pattern)).map((key) => read(bucket, key)));
    return files.flatMap(({ body }) => (JSON.parse(body.toString()) as { Records: Event[] }).Records);
  };
  /** The digests of an account and Region, each proven by its signature. */
  const digestsOf = async (bucket: string, region = REGION, accountId = MEMBER): Promise<Digest[]> => {
    const keys = await keysOf(bucket, new RegExp(`/CloudTrail-Digest/${region}/.*/${accountId}_.*Z\\.json\\.gz$`));
    return Promise.all(
      keys.sort().map(async (key) => {
        const { body, metadata } = await read(bucket, key);
        const digest = JSON.parse(body.toString()) as Digest;
        assert.equal(digest.digestS3Object, key);
        assert.ok(await isSigned(digest, body, metadata.signature ?? "", region), key);
        return digest;
      }),
    );
  };
  const isSigned = async (digest: Digest, body: Buffer, signature: string, region: string) => {
    const { PublicKeyList = [] } = await (
      await trails(MEMBER, region)
    ).send(
      new ListPublicKeysCommand({
        StartTime: new Date(digest.digestStartTime),
        EndTime: new Date(digest.digestEndTime),
      }),
    );
    const found = PublicKeyList.find(({ Fingerprint }) => Fingerprint === digest.digestPublicKeyFingerprint);
    const value = Buffer.from(found?.Value ?? []);
    assert.equal(createHash("md5").update(value).digest("hex"), digest.digestPublicKeyFingerprint);
    const text = [
      digest.digestEndTime,
      `${digest.digestS3Bucket}/${digest.digestS3Object}`,
      createHash("sha256").update(body).digest("hex"),
      digest.previousDigestSignature ?? "null",
    ].join("\n");
    const key = createPublicKey({ key: value, format: "der", type: "pkcs1" });
    return verify("RSA-SHA256", Buffer.from(text), key, Buffer.from(signature, "hex"));
  };
  const statusOf = async (Name = "crosstrail", region = REGION) =>
    (await trails(MEMBER, region)).send(new GetTrailStatusCommand({ Name }));

  afterEach("no trail is left", async () => {
    for (const [accountId, Name] of [
      [MEMBER, "crosstrail"],
      [MEMBER, "data"],
      [MANAGEMENT, "crosstrail"],
    ] as const) {
      await (await trails(accountId)).send(new DeleteTrailCommand({ Name })).catch(() => {});
    }
    await box.pass(0.1);
  });

  it("records a call with who made it, what it asked and what came of it, and a refused one with its error", async () => {
    const bucket = await newBucket();
    await log(bucket);
    await createUser("eve");
    await assert.rejects((await iam()).send(new GetUserCommand({ UserName: "nobody" })));
    await box.pass(0.1);

    const events = await eventsOf(bucket);
    const made = events.find(
      ({ eventName, requestParameters }) => eventName === "CreateUser" && requestParameters?.userName === "eve",
    );
    assert.ok(made);
    assert.equal(made.eventSource, "iam.amazonaws.com");
    assert.deepEqual([made.readOnly, made.managementEvent, made.recipientAccountId], [false, true, MEMBER]);
    assert.equal(made.userIdentity.type, "AssumedRole");
    assert.equal(made.userIdentity.sessionContext?.sessionIssuer.arn, `arn:aws:iam::${MEMBER}:role/CrosstrailDeploy`);
    assert.equal((made.responseElements?.user as { userName: string }).userName, "eve");
    const refused = events.find(({ eventName }) => eventName === "GetUser");
    assert.deepEqual([refused?.errorCode, refused?.readOnly, refused?.responseElements], ["NoSuchEntity", true, null]);
    // The call that started it is the first thing that the trail records.
    assert.ok(events.some(({ eventName }) => eventName === "StartLogging"));
  });

  it("tells of an assumed role in both accounts, under one id, and hides its session's token", async () => {
    const [ofAudit, ofMember] = [await newBucket(), await newBucket()];
    await log(ofAudit, {}, AUDIT_ACCOUNT);
    await log(ofMember);
    await box.aws(MEMBER);
    await box.pass(0.1);
    const assumed = (events: Event[]) => events.filter(({ eventName }) => eventName === "AssumeRole").at(-1);
    const [caller, owner] = [assumed(await eventsOf(ofAudit)), assumed(await eventsOf(ofMember))];
    assert.ok(caller?.sharedEventID && owner);
    assert.equal(caller.sharedEventID, owner.sharedEventID);
    assert.deepEqual([owner.userIdentity.type, owner.userIdentity.accountId], ["AWSAccount", AUDIT_ACCOUNT]);
    assert.equal(
      (caller.responseElements?.credentials as { sessionToken: string }).sessionToken,
      "HIDDEN_DUE_TO_SECURITY_REASONS",
    );
    await (await trails(AUDIT_ACCOUNT)).send(new DeleteTrailCommand({ Name: "crosstrail" }));
  });

  it("puts global services' events into us-east-1 and others where they happened; a trail of one Region takes its own", async () => {
    const [multi, single] = [await newBucket(), await newBucket({ trails: [identity(MEMBER, "data")] })];
    await log(multi);
    await log(single, { Name: "data", IsMultiRegionTrail: false });
    await (await trails(MEMBER, ELSEWHERE)).send(new LookupEventsCommand({ MaxResults: 1 }));
    await box.pass(0.1);
    const regions = (events: Event[]) => [...new Set(events.map(({ awsRegion }) => awsRegion))].sort();
    assert.deepEqual(regions(await eventsOf(multi)), [ELSEWHERE, REGION]);
    assert.deepEqual(regions(await eventsOf(single)), [REGION]);
  });

  it("names and places files as CloudTrail does, under the prefix", async () => {
    const bucket = await newBucket({ logPrefix: "fleet" });
    await log(bucket, { S3KeyPrefix: "fleet" });
    await createUser("placed");
    await box.pass(1.1);
    const logs = await keysOf(bucket, /\/CloudTrail\//);
    assert.match(
      logs[0] ?? "",
      /^fleet\/AWSLogs\/222222222222\/CloudTrail\/us-east-1\/\d{4}\/\d\d\/\d\d\/222222222222_CloudTrail_us-east-1_\d{8}T\d{4}Z_[A-Za-z0-9]{16}\.json\.gz$/,
    );
    const digests = await keysOf(bucket, /\/CloudTrail-Digest\//);
    assert.equal(digests.length, REGIONS);
    assert.match(
      digests[0] ?? "",
      /^fleet\/AWSLogs\/222222222222\/CloudTrail-Digest\/eu-west-1\/\d{4}\/\d\d\/\d\d\/222222222222_CloudTrail-Digest_eu-west-1_crosstrail_us-east-1_\d{8}T\d{6}Z\.json\.gz$/,
    );
  });

  it("takes what its selectors choose: basic ones, and advanced ones with data events", async () => {
    const bucket = await newBucket();
    const data = await newBucket();
    await log(bucket);
    await log(data, { Name: "data" });
    const client = await trails();
    await client.send(
      new PutEventSelectorsCommand({
        TrailName: "crosstrail",
        EventSelectors: [
          { ReadWriteType: "WriteOnly", IncludeManagementEvents: true, ExcludeManagementEventSources: [] },
        ],
      }),
    );
    await client.send(
      new PutEventSelectorsCommand({
        TrailName: "data",
        AdvancedEventSelectors: [
          {
            FieldSelectors: [
              { Field: "eventCategory", Equals: ["Data"] },
              { Field: "resources.type", Equals: ["AWS::S3::Object"] },
              { Field: "eventName", NotEquals: ["GetObject"] },
            ],
          },
        ],
      }),
    );
    const own = await s3(MEMBER);
    await own.send(new CreateBucketCommand({ Bucket: "members-own" }));
    await own.send(new PutObjectCommand({ Bucket: "members-own", Key: "report", Body: "x" }));
    await own.send(new GetObjectCommand({ Bucket: "members-own", Key: "report" }));
    await (await iam()).send(new GetUserCommand({ UserName: "eve" }));
    await box.pass(0.1);
    const names = async (each: string) => [...new Set((await eventsOf(each)).map(({ eventName }) => eventName))];
    const written = await names(bucket);
    assert.ok(
      written.includes("CreateBucket") && !written.includes("GetUser") && !written.includes("PutObject"),
      written.join(", "),
    );
    const since = (await eventsOf(data))
      .filter(({ managementEvent }) => !managementEvent)
      .map(({ eventName }) => eventName);
    assert.deepEqual(since, ["PutObject"]);
  });

  it("signs a digest each hour for each Region, also of empty hours, and each names the one before it", async () => {
    const bucket = await newBucket();
    await log(bucket);
    await createUser("chained");
    await box.pass(3.2);
    for (const region of [REGION, ELSEWHERE]) {
      const digests = await digestsOf(bucket, region);
      assert.equal(digests.length, 3, region);
      assert.deepEqual([digests[0]?.previousDigestS3Object, digests[0]?.previousDigestSignature], [null, null]);
      for (const [index, digest] of digests.slice(1).entries()) {
        const before = digests[index] as Digest;
        assert.equal(digest.digestStartTime, before.digestEndTime);
        assert.equal(digest.previousDigestS3Object, before.digestS3Object);
        const { body } = await read(bucket, before.digestS3Object);
        assert.equal(digest.previousDigestHashValue, createHash("sha256").update(body).digest("hex"));
      }
    }
    const [first, ...rest] = await digestsOf(bucket);
    assert.ok(first && first.logFiles.length > 0);
    for (const { s3Object, hashValue } of first.logFiles) {
      assert.equal(
        createHash("sha256")
          .update((await read(bucket, s3Object)).body)
          .digest("hex"),
        hashValue,
      );
    }
    assert.deepEqual(
      rest.flatMap(({ logFiles }) => logFiles),
      [],
    );
  });

  it("ends a chain with the event that stopped the trail, and begins another when it logs again", async () => {
    const bucket = await newBucket();
    const client = await log(bucket);
    await box.pass(1.1);
    await client.send(new StopLoggingCommand({ Name: "crosstrail" }));
    await createUser("unseen");
    await box.pass(3);
    const stopped = await digestsOf(bucket);
    assert.equal(stopped.length, 2, "one for the hour, and the last");
    const last = stopped.at(-1) as Digest;
    const { body } = await read(bucket, last.logFiles.at(-1)?.s3Object ?? "");
    assert.ok(
      (JSON.parse(body.toString()) as { Records: Event[] }).Records.some(
        ({ eventName }) => eventName === "StopLogging",
      ),
    );
    assert.ok(!(await eventsOf(bucket)).some(({ requestParameters }) => requestParameters?.userName === "unseen"));

    await client.send(new StartLoggingCommand({ Name: "crosstrail" }));
    await box.pass(1.1);
    const again = (await digestsOf(bucket)).at(-1) as Digest;
    assert.equal(again.previousDigestS3Object, null);
    assert.ok(again.digestStartTime > last.digestEndTime);
  });

  it("makes no digests while validation is off, and starts a chain when it is on again", async () => {
    const bucket = await newBucket();
    const client = await log(bucket, { EnableLogFileValidation: false });
    await box.pass(1.2);
    assert.deepEqual(await digestsOf(bucket), []);
    await client.send(new UpdateTrailCommand({ Name: "crosstrail", EnableLogFileValidation: true }));
    await box.pass(1.2);
    const [only, ...more] = await digestsOf(bucket);
    assert.deepEqual([only?.previousDigestS3Object, more], [null, []]);
  });

  it("sends a log that was late for its hour in a backfill digest", async () => {
    const bucket = await newBucket();
    await log(bucket);
    await createUser("late");
    await moveClock(box.endpoint, 60, 1);
    await box.pass(4);
    const [key, ...more] = await keysOf(bucket, /_backfill\.json\.gz$/);
    assert.ok(key !== undefined && more.length === 0);
    const { body, metadata } = await read(bucket, key);
    const digest = JSON.parse(body.toString()) as Digest;
    assert.match(metadata["backfill-generation-timestamp"] ?? "", /^\d{4}-\d\d-\d\dT[\d:]{8}Z$/);
    assert.ok(await isSigned(digest, body, metadata.signature ?? "", REGION));
    assert.equal(digest.logFiles.length, 1);
    const named = (await digestsOf(bucket)).flatMap(({ logFiles }) => logFiles.map(({ s3Object }) => s3Object));
    assert.ok(!named.includes(digest.logFiles[0]?.s3Object ?? ""));
  });

  it("stops delivering when the bucket's policy no longer lets it, says so, and delivers when it does again", async () => {
    const bucket = await newBucket();
    await log(bucket);
    await box.pass(0.1);
    const before = await statusOf();
    assert.deepEqual([before.LatestDeliveryError, before.IsLogging], [undefined, true]);
    await (await s3()).send(new DeleteBucketPolicyCommand({ Bucket: bucket }));
    await createUser("waiting");
    await box.pass(1.1);
    const broken = await statusOf();
    assert.deepEqual([broken.LatestDeliveryError, broken.LatestDigestDeliveryError], ["AccessDenied", "AccessDenied"]);
    assert.equal(broken.LatestDeliveryTime?.getTime(), before.LatestDeliveryTime?.getTime());
    assert.ok(!(await eventsOf(bucket)).some(({ requestParameters }) => requestParameters?.userName === "waiting"));

    await allow(bucket);
    await box.pass(0.1);
    const whole = await statusOf();
    assert.deepEqual([whole.LatestDeliveryError, whole.LatestDigestDeliveryError], [undefined, undefined]);
    assert.ok((await eventsOf(bucket)).some(({ requestParameters }) => requestParameters?.userName === "waiting"));
    assert.equal((await digestsOf(bucket)).length, 1);
  });

  it("encrypts with the trail's key, through its policy and its state", async () => {
    const bucket = await newBucket();
    const policy = (accountIds: string[]) =>
      JSON.stringify(
        keyPolicy({ partition: "aws", auditAccountId: AUDIT_ACCOUNT, trails: accountIds.map((id) => identity(id)) })
          .document,
      );
    const client = await kms();
    const { KeyMetadata } = await client.send(new CreateKeyCommand({ Policy: policy([MEMBER]) }));
    const KeyId = KeyMetadata?.KeyId as string;
    await log(bucket, { KmsKeyId: KeyMetadata?.Arn });
    await box.pass(0.1);
    const [key = ""] = await keysOf(bucket, /\/CloudTrail\//);
    const object = await (await s3()).send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    assert.deepEqual([object.ServerSideEncryption, object.SSEKMSKeyId], ["aws:kms", KeyMetadata?.Arn]);

    await client.send(new DisableKeyCommand({ KeyId }));
    await createUser("unencrypted");
    await box.pass(0.1);
    assert.equal((await statusOf()).LatestDeliveryError, "KMS.DisabledException");
    await assert.rejects(read(bucket, key), { name: "KMS.DisabledException" });
    await client.send(new EnableKeyCommand({ KeyId }));
    await client.send(new PutKeyPolicyCommand({ KeyId, PolicyName: "default", Policy: policy([OUTSIDER]) }));
    await createUser("encrypted");
    await box.pass(0.1);
    assert.equal((await statusOf()).LatestDeliveryError, "AccessDenied");
  });

  it("lets nobody read an object whom the bucket's policy refuses, and whom it does not name", async () => {
    const bucket = await newBucket();
    await log(bucket);
    await box.pass(0.1);
    const [Key = ""] = await keysOf(bucket, /\/CloudTrail\//);
    await assert.rejects((await s3(MEMBER)).send(new GetObjectCommand({ Bucket: bucket, Key })), {
      name: "AccessDenied",
    });
    await assert.rejects((await s3(MEMBER)).send(new PutObjectCommand({ Bucket: bucket, Key, Body: "forged" })), {
      name: "AccessDenied",
    });
  });

  it("sends events to CloudWatch Logs and answers LookupEvents", async () => {
    const bucket = await newBucket();
    const logs = new CloudWatchLogsClient(await box.aws(MEMBER));
    await logs.send(new CreateLogGroupCommand({ logGroupName: "trail" }));
    const { Role } = await (
      await iam()
    ).send(new CreateRoleCommand({ RoleName: "to-logs", AssumeRolePolicyDocument: "{}" }));
    await log(bucket, {
      CloudWatchLogsLogGroupArn: `arn:aws:logs:${REGION}:${MEMBER}:log-group:trail:*`,
      CloudWatchLogsRoleArn: Role?.Arn,
    });
    await createUser("looked-up");
    const client = await trails();
    const attribute = { AttributeKey: "EventName" as const, AttributeValue: "CreateUser" };
    const { Events = [] } = await client.send(
      new LookupEventsCommand({ LookupAttributes: [attribute], MaxResults: 2 }),
    );
    assert.match(Events[0]?.CloudTrailEvent ?? "", /looked-up/);
    await box.pass(0.1);
    const { events = [] } = await logs.send(
      new GetLogEventsCommand({
        logGroupName: "trail",
        logStreamName: `${MEMBER}_CloudTrail_${REGION}`,
        startFromHead: true,
      }),
    );
    assert.ok(events.some(({ message }) => message?.includes("looked-up")));
    assert.ok((await statusOf()).LatestCloudWatchLogsDeliveryTime);
  });

  it("takes every account of the organization into the organization's folders", async () => {
    const organizations = new OrganizationsClient(await box.aws(MANAGEMENT));
    const { Organization } = await organizations.send(new CreateOrganizationCommand({ FeatureSet: "ALL" }));
    const organizationId = Organization?.Id as string;
    await organizations.send(
      new CreateAccountCommand({
        AccountName: "payments",
        Email: "a@example.com",
        Tags: [{ Key: "sandbox:account-id", Value: MEMBER }],
      }),
    );
    await organizations.send(new EnableAWSServiceAccessCommand({ ServicePrincipal: "cloudtrail.amazonaws.com" }));
    await (
      await iam(MANAGEMENT)
    ).send(new CreateServiceLinkedRoleCommand({ AWSServiceName: "cloudtrail.amazonaws.com" }));
    const bucket = await newBucket({
      trails: [],
      organization: { id: organizationId, trails: [identity(MANAGEMENT)], accountIds: [] },
    });
    await log(bucket, { IsOrganizationTrail: true }, MANAGEMENT);
    await createUser("of-a-member");
    await createUser("of-nobody", OUTSIDER);
    await box.pass(1.1);
    const logs = await keysOf(bucket, /\/CloudTrail\//);
    const folders = new Set(logs.map((key) => key.split("/").slice(0, 3).join("/")));
    assert.deepEqual(
      [...folders].sort(),
      [MEMBER, MANAGEMENT].map((id) => `AWSLogs/${organizationId}/${id}`),
    );
    const users = (await eventsOf(bucket)).map(({ requestParameters }) => requestParameters?.userName);
    assert.ok(users.includes("of-a-member") && !users.includes("of-nobody"));
    assert.equal((await digestsOf(bucket)).length, 1);
  });

  it("refuses to move the clock back or by years", async () => {
    for (const seconds of [-60, 0, 200 * 24 * 60 * 60]) {
      await assert.rejects(moveClock(box.endpoint, seconds), /The clock moves forward, by at most 92 days/);
    }
    // What a page in a browser could send.
    const response = await fetch(`${box.endpoint}/_sandbox/clock`, { method: "POST", body: '{"seconds":3600}' });
    assert.equal(response.status, 415);
  });
});
