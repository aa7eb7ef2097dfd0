// What someone writes by hand for the same resources: one file, the whole of @pulumi/aws, Pulumi's defaults.
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

const auditAccount = "111111111111";
const members = new pulumi.Config().getObject<string[]>("members") ?? ["222222222222", "333333333333"];
const bucketName = "plain-example-logs";
const trailArns = [auditAccount, ...members].map((id) => `arn:aws:cloudtrail:us-east-1:${id}:trail/plain`);

const key = new aws.kms.Key("key", {
  description: "CloudTrail logs",
  enableKeyRotation: true,
  deletionWindowInDays: 30,
  policy: JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "Admin",
        Effect: "Allow",
        Principal: { AWS: `arn:aws:iam::${auditAccount}:root` },
        Action: "kms:*",
        Resource: "*",
      },
      {
        Sid: "Encrypt",
        Effect: "Allow",
        Principal: { Service: "cloudtrail.amazonaws.com" },
        Action: "kms:GenerateDataKey*",
        Resource: "*",
        Condition: { StringEquals: { "aws:SourceArn": trailArns } },
      },
      {
        Sid: "Describe",
        Effect: "Allow",
        Principal: { Service: "cloudtrail.amazonaws.com" },
        Action: "kms:DescribeKey",
        Resource: "*",
        Condition: { StringEquals: { "aws:SourceArn": trailArns } },
      },
    ],
  }),
});
new aws.kms.Alias("alias", { name: "alias/plain", targetKeyId: key.keyId });

const bucket = new aws.s3.Bucket("bucket", { bucket: bucketName });
new aws.s3.BucketOwnershipControls("ownership", {
  bucket: bucket.bucket,
  rule: { objectOwnership: "BucketOwnerEnforced" },
});
new aws.s3.BucketPublicAccessBlock("public-access", {
  bucket: bucket.bucket,
  blockPublicAcls: true,
  blockPublicPolicy: true,
  ignorePublicAcls: true,
  restrictPublicBuckets: true,
});
new aws.s3.BucketVersioning("versioning", {
  bucket: bucket.bucket,
  versioningConfiguration: { status: "Enabled" },
});
new aws.s3.BucketServerSideEncryptionConfiguration("encryption", {
  bucket: bucket.bucket,
  rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: key.arn } }],
});
const policy = new aws.s3.BucketPolicy("policy", {
  bucket: bucket.bucket,
  policy: JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "AclCheck",
        Effect: "Allow",
        Principal: { Service: "cloudtrail.amazonaws.com" },
        Action: "s3:GetBucketAcl",
        Resource: `arn:aws:s3:::${bucketName}`,
        Condition: { StringEquals: { "aws:SourceArn": trailArns } },
      },
      {
        Sid: "Write",
        Effect: "Allow",
        Principal: { Service: "cloudtrail.amazonaws.com" },
        Action: "s3:PutObject",
        Resource: [auditAccount, ...members].map((id) => `arn:aws:s3:::${bucketName}/AWSLogs/${id}/*`),
        Condition: { StringEquals: { "s3:x-amz-acl": "bucket-owner-full-control", "aws:SourceArn": trailArns } },
      },
      {
        Sid: "Tls",
        Effect: "Deny",
        Principal: "*",
        Action: "s3:*",
        Resource: [`arn:aws:s3:::${bucketName}`, `arn:aws:s3:::${bucketName}/*`],
        Condition: { Bool: { "aws:SecureTransport": "false" } },
      },
    ],
  }),
});
new aws.cloudtrail.Trail(
  "trail",
  {
    name: "plain",
    s3BucketName: bucket.bucket,
    kmsKeyId: key.arn,
    isMultiRegionTrail: true,
    enableLogFileValidation: true,
  },
  { dependsOn: [policy] },
);

export const bucketNameOutput = bucket.bucket;
export const keyArn = key.arn;
