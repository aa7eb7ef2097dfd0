/** A program of your own, as a function, so that a test can run it. */
import type * as pulumi from "@pulumi/pulumi";
import { AuditBucket, AuditKey, MemberTrail, trailArn } from "crosstrail";

export function archive(accountId: string, bucketName: pulumi.Input<string>) {
  const trail = { partition: "aws" as const, region: "eu-central-1", accountId, name: "own" };
  const trailArns = [trailArn(trail)];
  const key = new AuditKey("own", { auditAccountId: accountId, trailArns });
  const bucket = new AuditBucket("own", { bucketName, trailArns, keyArn: key.keyArn, retention: { years: 7 } });
  const member = new MemberTrail(
    "own",
    { trailName: trail.name, bucketName: bucket.bucketName, keyArn: key.keyArn },
    { dependsOn: [bucket, key] },
  );
  return { key, bucket, member };
}
