/** A log bucket and a trail that delivers there, with or without the order between them: gate.test.ts says which. */
import * as pulumi from "@pulumi/pulumi";
import { Trail } from "@pulumi/aws/cloudtrail";
import { AuditBucket } from "../../../components/auditBucket";
import { MemberTrail } from "../../../components/memberTrail";

const config = new pulumi.Config();
const bucketName = "order-logs";
const keyArn = config.require("keyArn");
// The policy is late, so that who does not wait for it comes before it every time.
const trailArns = new Promise<string[]>((resolve) => setTimeout(resolve, 2_000, [config.require("trailArn")]));

const bucket = new AuditBucket("archive", { bucketName, trailArns, keyArn, keep: false });
new MemberTrail(
  "own",
  { trailName: "order", bucketName, keyArn },
  config.requireBoolean("dependsOn") ? { dependsOn: [bucket] } : {},
);

// A field that no provider knows: its refusal names those that it does.
const field = config.get("selectorField");
if (field !== undefined) {
  const fieldSelectors = [{ field, equals: ["x"] }];
  new Trail("asked", { s3BucketName: bucketName, advancedEventSelectors: [{ fieldSelectors }] });
}
