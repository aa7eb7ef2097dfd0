/** A bucket and a key that somebody else made: their policies are read from AWS, merged, and put back as the tool prints them. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { CloudTrailClient, CreateTrailCommand } from "@aws-sdk/client-cloudtrail";
import { CreateKeyCommand, KMSClient, PutKeyPolicyCommand } from "@aws-sdk/client-kms";
import { CreateBucketCommand, PutBucketPolicyCommand, S3Client } from "@aws-sdk/client-s3";
import { readBucketPolicy, readKeyPolicy } from "../../automation/deployed";
import { whyNoDelivery } from "../../core/simulate";
import { trailArn } from "../../core/names";
import type { Sandbox } from "../../sandbox";
import { REGION, ROOT } from "../../sandbox";
import { AUDIT_ACCOUNT, AUDIT_STACK, auditConfig, MEMBERS, OUTSIDER } from "../../sandbox/accounts";
import { inSteps, MINUTE, sandbox } from "./support";

const bucketName = "somebody-elses-bucket";
const owners = (Action: string, Resource: string) => ({
  Sid: "OwnersTeam",
  Effect: "Allow",
  Principal: { AWS: `arn:aws:iam::${AUDIT_ACCOUNT}:root` },
  Action,
  Resource,
});
const ownPolicies = {
  bucket: { Version: "2012-10-17", Id: "own", Statement: [owners("s3:GetObject", `arn:aws:s3:::${bucketName}/*`)] },
  key: { Version: "2012-10-17", Id: "own", Statement: [owners("kms:*", "*")] },
};

describe("engine: policies of a bucket and a key that are there already", function () {
  this.timeout(20 * MINUTE);
  inSteps(this);
  let box: Sandbox;
  let s3: S3Client;
  let kms: KMSClient;
  let keyArn: string;
  before(async () => {
    box = await sandbox();
    const access = await box.aws(AUDIT_ACCOUNT);
    s3 = new S3Client({ ...access, forcePathStyle: true });
    kms = new KMSClient(access);
    await s3.send(new CreateBucketCommand({ Bucket: bucketName }));
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Policy: JSON.stringify(ownPolicies.key) }));
    keyArn = KeyMetadata?.Arn ?? "";
    const config = {
      ...auditConfig(),
      "crosstrail:bucketName": bucketName,
      "crosstrail:bucketKeyEnabled": true,
      "crosstrail:memberAccess": ["payments"],
    };
    box.configure(AUDIT_STACK, config);
  });
  after(async () => {
    s3?.destroy();
    kms?.destroy();
    await box?.stop();
  });

  /** Runs the tool as a user does. */
  const policy = (kind: string, ...more: string[]) => {
    const key = kind === "key" ? ["--key", keyArn] : [];
    const args = [
      "policy",
      kind,
      "--config",
      join(box.projectFolder, `Pulumi.${AUDIT_STACK}.yaml`),
      "--deployed",
      ...key,
      ...more,
    ];
    return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      execFile(
        process.execPath,
        [join(ROOT, "bin", "crosstrail.js"), ...args],
        { env: box.env, timeout: 2 * MINUTE },
        (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
      );
    });
  };
  const read = async () => {
    const access = await box.aws(AUDIT_ACCOUNT);
    const bucket = { bucketName, bucketRegion: REGION, auditAccountId: AUDIT_ACCOUNT };
    return { bucket: await readBucketPolicy(bucket, access), key: await readKeyPolicy(keyArn, access) };
  };
  const put = {
    bucket: (Policy: string) => s3.send(new PutBucketPolicyCommand({ Bucket: bucketName, Policy })),
    key: (Policy: string) => kms.send(new PutKeyPolicyCommand({ KeyId: keyArn, PolicyName: "default", Policy })),
  };
  /** Why a trail of this account cannot deliver; empty when it can. */
  const reasons = async (accountId: string) => {
    const { bucket, key } = await read();
    const trail = trailArn({ partition: "aws", region: REGION, accountId, name: "crosstrail" });
    const delivery = { trailArn: trail, bucketName, bucketAccountId: AUDIT_ACCOUNT, keyArn, bucketKey: true };
    return whyNoDelivery(bucket, key, delivery).reasons;
  };

  it("says of a bucket without a policy what it needs", async () => {
    const { code, stdout, stderr } = await policy("bucket");
    assert.equal(code, 0, stderr);
    await put.bucket(stdout);
    assert.deepEqual(JSON.parse((await read()).bucket ?? ""), JSON.parse(stdout));
    assert.match((await policy("bucket")).stderr, /Nothing to add/);
  });

  for (const kind of ["bucket", "key"] as const) {
    it(`merges the ${kind} policy with what it needs; AWS takes it and gives it back; then there is nothing to add`, async () => {
      await put[kind](JSON.stringify(ownPolicies[kind]));
      assert.notDeepEqual(await reasons(AUDIT_ACCOUNT), []);
      const { code, stdout, stderr } = await policy(kind);
      assert.equal(code, 0, stderr);
      const merged = JSON.parse(stdout) as (typeof ownPolicies)["bucket"];
      assert.deepEqual({ ...merged, Statement: merged.Statement.slice(0, 1) }, ownPolicies[kind]);
      assert.ok(merged.Statement.length > 1);

      await put[kind](stdout);
      assert.deepEqual(JSON.parse((await read())[kind] ?? ""), merged);
      const again = await policy(kind);
      assert.deepEqual([again.code, again.stdout], [0, stdout]);
      assert.match(again.stderr, /Nothing to add/);
    });
  }

  it("then every trail of the fleet delivers, and no other; CloudTrail takes the members' trails", async () => {
    for (const accountId of [AUDIT_ACCOUNT, ...Object.values(MEMBERS)]) assert.deepEqual(await reasons(accountId), []);
    assert.notDeepEqual(await reasons(OUTSIDER), []);
    for (const accountId of Object.values(MEMBERS)) {
      const client = new CloudTrailClient(await box.aws(accountId));
      const trail = { Name: "crosstrail", S3BucketName: bucketName, KmsKeyId: keyArn };
      const { TrailARN } = await client.send(new CreateTrailCommand(trail));
      client.destroy();
      assert.equal(TrailARN, trailArn({ partition: "aws", region: REGION, accountId, name: "crosstrail" }));
    }
  });

  it("prints nothing where a current statement stops delivery, and says which", async () => {
    const { bucket = "" } = await read();
    const document = JSON.parse(bucket) as { Statement: unknown[] };
    const deny = {
      Sid: "DenyUnencrypted",
      Effect: "Deny",
      Principal: "*",
      Action: "s3:PutObject",
      Resource: `arn:aws:s3:::${bucketName}/*`,
      Condition: { StringNotEquals: { "s3:x-amz-server-side-encryption": "aws:kms" } },
    };
    await put.bucket(JSON.stringify({ ...document, Statement: [deny, ...document.Statement] }));
    const { code, stdout, stderr } = await policy("bucket");
    assert.deepEqual([code, stdout], [5, ""]);
    assert.match(stderr, /statement 1 \("DenyUnencrypted"\)\n\s+policy\/stops-delivery: No trail could deliver/);
  });
});
