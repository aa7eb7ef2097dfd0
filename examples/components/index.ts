/**
 * The components in a program of your own: one account that owns the archive and a trail. Members' trails are the same component
 * with a provider for their account.
 *
 *   npm install crosstrail && pulumi up
 */
import { AuditBucket, AuditKey, MemberTrail, trailArn } from "crosstrail";

const trail = { partition: "aws" as const, region: "us-east-1", accountId: "111111111111", name: "own" };
// The trails that may deliver, by name: the policies exist before the trails do.
const trailArns = [trailArn(trail)];

const key = new AuditKey("own", { auditAccountId: trail.accountId, trailArns, aliasName: "own", keep: false });
const archive = new AuditBucket("own", {
  bucketName: "own-program-logs",
  trailArns,
  keyArn: key.keyArn,
  // For a test that cleans up. Leave it out, and the archive is protected and stays in AWS.
  keep: false,
});
new MemberTrail(
  "own",
  { trailName: trail.name, bucketName: archive.bucketName, keyArn: key.keyArn },
  { dependsOn: [archive, key] },
);

export const bucket = archive.bucketName;
