// What someone writes by hand for a member account: the audit stack's outputs, and a trail.
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

const audit = new pulumi.StackReference("organization/plain-audit/audit");

const trail = new aws.cloudtrail.Trail("trail", {
  name: "plain",
  s3BucketName: audit.requireOutput("bucketNameOutput"),
  kmsKeyId: audit.requireOutput("keyArn"),
  isMultiRegionTrail: true,
  enableLogFileValidation: true,
});

export const trailArn = trail.arn;
