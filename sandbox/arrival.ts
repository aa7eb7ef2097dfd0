// After the fleet is up: an hour passes, the logs of all accounts arrive, and `crosstrail verify` finds them whole. Then a log is
// changed and a digest deleted, and it names both.

import path from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { run } from "../automation/process";
import type { Contract } from "../core/contract";
import { ROOT } from "./accounts";
import { pc } from "./colors";
import type { Context } from "./context";
import { BESIDE, type Sandbox } from "./index";

const MINUTE = 60_000;
/** A digest is due an hour after logging began, and is delivered at the next five minutes of the clock. */
const HOURS = 1.2;

export interface Verification {
  exitCode: number | null;
  text: string;
}

/** What was done to the archive, by key, and what `crosstrail verify` said then. */
export interface Tampering {
  changedLog: string;
  deletedDigest: string;
  verification: Verification;
}

/** An hour passes, CloudTrail delivers, and the archive is verified. */
export async function letLogsArrive(context: Context, sandbox: Sandbox, contract: Contract): Promise<Verification> {
  await context.progress.step("An hour passes: CloudTrail delivers logs and digests", () => sandbox.pass(HOURS));
  return context.progress.step("crosstrail verify", () => verify(context, sandbox, contract.bucketName));
}

/** Somebody who administers the audit account changes a log of a member and deletes a digest of another account. */
export async function tamper(context: Context, sandbox: Sandbox, contract: Contract): Promise<Tampering> {
  const s3 = new S3Client({ ...(await sandbox.aws(contract.auditAccountId)), forcePathStyle: true });
  try {
    const Bucket = contract.bucketName;
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
    const keys = Contents.map(({ Key }) => Key as string);
    const member = contract.trails.find(({ accountId }) => accountId !== contract.auditAccountId)?.accountId ?? "";
    const changedLog = keys.find((key) => key.includes(`/${member}/CloudTrail/`)) as string;
    const deletedDigest = keys.find((key) => !key.includes(member) && key.includes("/CloudTrail-Digest/")) as string;
    await change(s3, Bucket, changedLog);
    await s3.send(new DeleteObjectCommand({ Bucket, Key: deletedDigest }));
    const verification = await context.progress.step(
      "A log is changed and a digest deleted; crosstrail verify again",
      () => verify(context, sandbox, Bucket),
    );
    return { changedLog, deletedDigest, verification };
  } finally {
    s3.destroy();
  }
}

/** Another address in the first event, as somebody would write who wants to hide. */
async function change(s3: S3Client, Bucket: string, Key: string): Promise<void> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
  const text = gunzipSync((await Body?.transformToByteArray()) ?? new Uint8Array()).toString("utf8");
  const forged = text.replace(/"sourceIPAddress":"[^"]*"/, '"sourceIPAddress":"203.0.113.7"');
  // Without the archive's key, which only CloudTrail may encrypt with.
  await s3.send(new PutObjectCommand({ Bucket, Key, Body: gzipSync(forged), ServerSideEncryption: "AES256" }));
}

async function verify(context: Context, sandbox: Sandbox, bucket: string): Promise<Verification> {
  const args = [path.join(ROOT, "bin", "crosstrail.js"), "verify", "--bucket", bucket, "--region", "us-east-1"];
  const { code, stdout, stderr } = await run(process.execPath, args, {
    // What an interrupted run would keep belongs to the sandbox.
    env: {
      ...sandbox.env,
      // Reading logs is not part of a deploy role: these calls are not held against it.
      AWS_SDK_UA_APP_ID: BESIDE,
      XDG_STATE_HOME: path.join(sandbox.folder, "verify"),
      ...(pc.isColorSupported && { FORCE_COLOR: "1" }),
    },
    timeoutMs: 5 * MINUTE,
    signal: context.signal,
  });
  return { exitCode: code, text: stdout.trimEnd() || stderr.trim() };
}

/** What `crosstrail verify` should have said and did not. */
export function arrivalProblems(whole: Verification, tampering?: Tampering): string[] {
  const wanted = tampering ? [tampering.changedLog, tampering.deletedDigest] : [];
  return [
    ...(whole.exitCode === 0
      ? []
      : [`crosstrail verify ended with ${whole.exitCode} for an archive that nobody changed`]),
    ...(tampering && tampering.verification.exitCode !== 5
      ? [`crosstrail verify ended with ${tampering.verification.exitCode} for an archive that was changed`]
      : []),
    // Long keys may be wrapped.
    ...wanted
      .filter((key) => !tampering?.verification.text.replace(/\s/g, "").includes(key))
      .map((key) => `crosstrail verify did not name ${key}`),
  ];
}
