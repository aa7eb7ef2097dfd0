/**
 * A trail that delivers to a bucket and a key that exist already and that somebody else owns: nothing but the trail is created, and
 * nothing at all if the bucket's policy would refuse it. What their owner has to add to the policies:
 *
 *   crosstrail policy bucket --current bucket-policy.json
 *   crosstrail policy key --current key-policy.json --key <arn>
 *
 *   pulumi config set keyArn <arn> && pulumi up
 */
import { Config } from "@pulumi/pulumi";
import { s3 } from "@pulumi/aws";
import { MemberTrail, trailArn, whyNoDelivery } from "crosstrail";

const bucketName = "existing-logs";
const trail = { partition: "aws" as const, region: "us-east-1", accountId: "111111111111", name: "existing" };

export = async () => {
  const { policy } = await s3.getBucketPolicy({ bucket: bucketName });
  const { delivers, reasons } = whyNoDelivery(policy, undefined, {
    trailArn: trailArn(trail),
    bucketName,
    bucketAccountId: trail.accountId,
  });
  if (!delivers) throw new Error(`The trail could not deliver. ${reasons.join(" ")}`);

  const keyArn = new Config().require("keyArn");
  const { trailArn: arn } = new MemberTrail("existing", { trailName: trail.name, bucketName, keyArn });
  return { arn };
};
