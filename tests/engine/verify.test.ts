/**
 * The cases of verify on buckets of the emulator, each put to AWS's own tool as well: `aws cloudtrail validate-logs`, from PyPI.
 * Both get the public keys of the case from a server of this test.
 */
import assert from "node:assert/strict";
import http from "node:http";
import type { AddressInfo } from "node:net";
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
  type StorageClass,
} from "@aws-sdk/client-s3";
import { ReadProblem } from "../../automation/archive";
import { S3Source } from "../../automation/archive/s3";
import { run } from "../../automation/verify/run";
import { exitCodeOf } from "../../automation/verify/result";
import type { PublicKey } from "../../core/logs";
import { wholeSeconds } from "../../core/logs";
import { type Answer, aws, AwsShell, installAwsCli } from "../../sandbox/awsCli";
import { AUDIT_ACCOUNT } from "../../sandbox/accounts";
import { ROOT, type Sandbox } from "../../sandbox";
import type { MemoryArchive } from "../../sandbox/logs";
import { silentProgress } from "../../sandbox/progress";
import { account, bucket as usual, cases, HOUR, played, region, type TamperCase } from "../support/verifyCases";
import { MINUTE, sandbox } from "./support";

describe("engine: verify, and what AWS's tool says", function () {
  this.timeout(2 * MINUTE);
  let box: Sandbox;
  let s3: S3Client;
  let access: Awaited<ReturnType<Sandbox["aws"]>>;
  let python: string;
  let env: NodeJS.ProcessEnv;
  let shell: AwsShell;
  /** The keys of each bucket's digests; undefined where CloudTrail refuses. */
  const keys = new Map<string, PublicKey[] | undefined>();
  const server = http.createServer((request, response) => {
    const list = keys.get((request.url ?? "").replaceAll("/", ""));
    request.resume().on("end", () => {
      response.statusCode = list ? 200 : 400;
      response.setHeader("content-type", "application/x-amz-json-1.1");
      response.end(
        JSON.stringify(
          list
            ? {
                PublicKeyList: list.map(({ value, fingerprint, validFrom, validUntil }) => ({
                  Value: value,
                  Fingerprint: fingerprint,
                  ValidityStartTime: validFrom / 1000,
                  ValidityEndTime: validUntil / 1000,
                })),
              }
            : { __type: "UnrecognizedClientException", message: "The security token is invalid." },
        ),
      );
    });
  });

  before(async function () {
    this.timeout(60 * MINUTE);
    // These calls are not Crosstrail's deployment, so no deploy role has to grant them.
    box = await sandbox({ project: ROOT });
    access = await box.aws(AUDIT_ACCOUNT);
    s3 = new S3Client({ ...access, forcePathStyle: true });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const context = { progress: silentProgress, signal: new AbortController().signal };
    python = await silentProgress.step("AWS CLI", (step) => installAwsCli(context, step));
    env = { ...box.env, AWS_ENDPOINT_URL_S3: box.endpoint };
    shell = new AwsShell(python, env, 20 * MINUTE);
  });
  after(async () => {
    await shell?.stop();
    server.close();
    s3?.destroy();
    await box?.stop();
  });

  /** Every version of every object, as the case has left it. */
  async function upload(Bucket: string, archive: MemoryArchive): Promise<void> {
    await s3.send(new CreateBucketCommand({ Bucket }));
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
    const write = async (Key: string) => {
      for (const { body, metadata, storageClass } of archive.history(Key)) {
        if (!body) await s3.send(new DeleteObjectCommand({ Bucket, Key }));
        else {
          const StorageClass = storageClass as StorageClass | undefined;
          await s3.send(new PutObjectCommand({ Bucket, Key, Body: body, Metadata: metadata, StorageClass }));
        }
      }
    };
    await Promise.all(archive.everyKey().map(write));
    const refused = [...archive.refusals.keys()].map((key) => `arn:aws:s3:::${Bucket}/${key}`);
    if (refused.length === 0) return;
    const Statement = [{ Effect: "Deny", Principal: "*", Action: "s3:GetObject*", Resource: refused }];
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify({ Version: "2012-10-17", Statement }) }));
  }

  function command(each: TamperCase, bucket: string): string[] {
    const { port } = server.address() as AddressInfo;
    const { trails } = played(each).made;
    const start = Math.min(...trails.map(({ from }) => from));
    return [
      "cloudtrail",
      "validate-logs",
      ...["--trail-arn", `arn:aws:cloudtrail:${region}:${account}:trail/${trails[0]?.name}`],
      ...["--start-time", wholeSeconds(start - HOUR), "--end-time", wholeSeconds(start + 15 * HOUR)],
      ...["--s3-bucket", bucket, "--region", region],
      // For CloudTrail only; S3 is asked at AWS_ENDPOINT_URL_S3.
      ...["--endpoint-url", `http://127.0.0.1:${port}/${bucket}`],
    ];
  }

  const asked = cases.filter((each) => typeof each.aws === "number");
  // The clock of lifecycle rules and failing networks are played in memory only.
  const inBucket = (each: TamperCase) => {
    const { archive } = played(each).scene;
    const isOdd = [...archive.refusals.values()].some((problem) => problem !== ReadProblem.Denied);
    return !archive.isFolder && !isOdd && archive.rules?.length === 0;
  };

  it("are asked about most of the cases", () => {
    assert.ok(asked.length >= 60);
    assert.ok(asked.filter(inBucket).length >= 60);
  });

  let number = 0;
  for (const each of cases) {
    const isOwn = inBucket(each);
    if (!isOwn && typeof each.aws !== "number") continue;
    const bucket = `verify-${number++}`;
    it(each.title, async () => {
      // A copy is what it is wherever it lies: its digests name another bucket.
      const isCopy = played(each).scene.archive.bucketName !== usual;
      const { scene, options } = played(each, isCopy ? {} : { bucket });
      await upload(bucket, scene.archive);
      keys.set(bucket, await options.keys.keys(region, 0, 0).catch(() => undefined));
      const theirs = typeof each.aws === "number" ? shell.run(command(each, bucket)) : undefined;
      if (isOwn) {
        const { endpoint, credentials } = access;
        const source = new S3Source({ bucket, region: access.region, endpoint, credentials });
        try {
          const { result } = await run({ ...options, source });
          // S3's own times are those of this test, whatever the digests say.
          const ids = (all: string[]) => all.filter((id) => id !== "log-rewritten").sort();
          const found = result.findings.map(({ id }) => id.replace("verify/", ""));
          assert.deepEqual(ids(found), ids(each.finds), JSON.stringify(result.findings, null, 1));
          assert.equal(exitCodeOf(result), each.exit);
        } finally {
          source.close();
        }
      }
      const answer = await theirs;
      if (answer) assert.equal(answer.code, each.aws, answer.text);
    });
  }

  it("gets the same answer from the program itself", async () => {
    const [whole] = cases;
    const answers: Answer[] = [];
    for (const each of [whole, asked.find(({ aws: code }) => code === 1)] as TamperCase[]) {
      const bucket = `verify-${cases.filter((one) => inBucket(one) || typeof one.aws === "number").indexOf(each)}`;
      const program = await aws(python, command(each, bucket), env, MINUTE);
      const known = await shell.run(command(each, bucket));
      // Of a program's two outputs nobody knows which line came first.
      const lines = ({ text }: Answer) => text.split("\n").sort();
      assert.deepEqual([program.code, lines(program)], [known.code, lines(known)]);
      answers.push(program);
    }
    assert.deepEqual(
      answers.map(({ code }) => code),
      [0, 1],
    );
  });
});
