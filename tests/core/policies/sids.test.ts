import assert from "node:assert/strict";
import { accessLogPolicy, notificationQueuePolicy } from "../../../core/policies/beside";
import { BucketPolicyForm, type BucketPolicyInput, bucketPolicyIn } from "../../../core/policies/bucket";
import type { PolicyDocument } from "../../../core/policies/document";
import { KeyPolicyForm, keyPolicyIn } from "../../../core/policies/key";
import { type PolicyKind, statementNotes } from "../../../core/policies/sids";

const [partition, auditAccountId] = ["aws" as const, "111111111111"];
const trail = (accountId: string) => ({ partition, region: "us-east-1", accountId, name: "crosstrail" });
const roleArn = "arn:aws:iam::111111111111:role/BreakGlass";
const keyArn = "arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const bucketName = "example-logs";

/** Everything that can be switched on, so that every statement is built. */
const all = {
  partition,
  auditAccountId,
  bucketName,
  keyArn,
  trails: [trail("111111111111"), trail("222222222222"), trail("333333333333")],
  organization: { id: "o-exampleorg1", trails: [trail("999999999999")], accountIds: ["222222222222"] },
  memberReaders: ["222222222222"],
  requireMfa: true,
  mfaExemptRoleArns: [roleArn],
  breakGlassRoleArns: [roleArn],
  denyOtherEncryption: true,
  bucketKeyEnabled: true,
  replication: {
    roleArn,
    reads: { bucketName, region: "us-east-1" },
    writes: { bucketName: "example-copies", region: "us-east-1" },
  },
};
const source = { partition, sourceBucketName: bucketName, accountId: auditAccountId, breakGlassRoleArns: [roleArn] };
const copies: BucketPolicyInput = { ...all, trails: [], organization: undefined, replicationRoleArn: roleArn };

const built: Record<PolicyKind, PolicyDocument[]> = {
  bucket: Object.values(BucketPolicyForm).map((form) => bucketPolicyIn(form, all)),
  key: Object.values(KeyPolicyForm).map((form) => keyPolicyIn(form, all)),
  copiesBucket: [bucketPolicyIn(BucketPolicyForm.PerTrail, copies)],
  accessLogs: [accessLogPolicy({ ...source, bucketName: "example-access-logs" })],
  queue: [notificationQueuePolicy({ ...source, queueArn: "arn:aws:sqs:us-east-1:111111111111:logs" })],
};

describe("the table of statements in docs/policies.md", () => {
  const sidsOf = (documents: PolicyDocument[]) =>
    new Set(documents.flatMap(({ Statement }) => Statement.map(({ Sid }) => Sid.replace(/\d{12}$/, "<account>"))));
  for (const kind of Object.keys(built) as PolicyKind[]) {
    it(`has each statement of the ${kind} policy, and no other`, () => {
      const notes = Object.keys(statementNotes[kind]);
      const sids = [...sidsOf(built[kind])];
      // Those that other policies share with the log bucket's are described there.
      const isShared = (sid: string) =>
        kind !== "bucket" && kind !== "key" && Object.hasOwn(statementNotes.bucket, sid);
      const missing = sids.filter((sid) => !notes.includes(sid) && !isShared(sid));
      assert.deepEqual(missing, [], "Add to statementNotes in core/policies/sids.ts, then npm run docs.");
      assert.deepEqual(
        notes.filter((sid) => !sids.includes(sid)),
        [],
        "No policy has these statements any more.",
      );
    });
  }
});
