// The same resources as one Terraform root, which is what one would use otherwise: a provider for each account.

import fs from "node:fs";
import path from "node:path";
import { run } from "../../automation/process";
import { AUDIT_ACCOUNT, deployRole } from "../accounts";
import { findTerraformProvider } from "../engine/terraformProvider";
import { REGION, type Sandbox } from "../index";

const BUCKET = "terraform-example-logs";

export interface TerraformRoot {
  folder: string;
  env: NodeJS.ProcessEnv;
  version: string;
  /** Writes the configuration for these members. */
  declare(members: string[]): void;
}

/** Undefined where there is no Terraform, or no provider for it, on this machine. */
export async function terraformRoot(sandbox: Sandbox): Promise<TerraformRoot | undefined> {
  const provider = findTerraformProvider();
  if (!provider) return undefined;
  const folder = path.join(sandbox.folder, "terraform");
  fs.mkdirSync(folder, { recursive: true });
  // <mirror>/registry.terraform.io/hashicorp/aws/<version>/<platform>/<file>
  const mirror = path.resolve(provider.path, "../../../../../..");
  const settings = path.join(folder, "terraform.rc");
  fs.writeFileSync(
    settings,
    `provider_installation {\n  filesystem_mirror {\n    path = ${JSON.stringify(mirror)}\n  }\n}\n`,
  );
  const env = { ...sandbox.env, TF_CLI_CONFIG_FILE: settings, CHECKPOINT_DISABLE: "1", TF_IN_AUTOMATION: "1" };
  const declare = (members: string[]) =>
    fs.writeFileSync(path.join(folder, "main.tf.json"), JSON.stringify(configuration(members, provider.version)));
  declare([]);
  const init = await run("terraform", ["init", "-input=false", "-no-color"], {
    cwd: folder,
    env,
    timeoutMs: 120_000,
  }).catch(() => undefined);
  return init?.code === 0 ? { folder, env, version: provider.version, declare } : undefined;
}

function configuration(members: string[], version: string): object {
  const arns = [AUDIT_ACCOUNT, ...members].map((id) => `arn:aws:cloudtrail:${REGION}:${id}:trail/terraform`);
  const bucket = "${aws_s3_bucket.logs.bucket}";
  const key = "${aws_kms_key.logs.arn}";
  const cloudTrail = { Service: "cloudtrail.amazonaws.com" };
  const condition = { StringEquals: { "aws:SourceArn": arns } };
  const trail = {
    name: "terraform",
    s3_bucket_name: bucket,
    kms_key_id: key,
    is_multi_region_trail: true,
    enable_log_file_validation: true,
    depends_on: ["aws_s3_bucket_policy.logs"],
  };
  const common = { region: REGION, s3_use_path_style: true };
  return {
    terraform: { required_providers: { aws: { source: "hashicorp/aws", version } } },
    provider: {
      aws: [
        { ...common, allowed_account_ids: [AUDIT_ACCOUNT] },
        ...members.map((id) => ({
          ...common,
          alias: `m${id}`,
          allowed_account_ids: [id],
          assume_role: [{ role_arn: deployRole(id) }],
        })),
      ],
    },
    resource: {
      aws_kms_key: {
        logs: {
          description: "CloudTrail logs",
          enable_key_rotation: true,
          policy: JSON.stringify({
            Version: "2012-10-17",
            Statement: [
              {
                Sid: "Admin",
                Effect: "Allow",
                Principal: { AWS: `arn:aws:iam::${AUDIT_ACCOUNT}:root` },
                Action: "kms:*",
                Resource: "*",
              },
              ...["kms:GenerateDataKey*", "kms:DescribeKey"].map((Action, index) => ({
                Sid: `CloudTrail${index}`,
                Effect: "Allow",
                Principal: cloudTrail,
                Action,
                Resource: "*",
                Condition: condition,
              })),
            ],
          }),
        },
      },
      aws_kms_alias: { logs: { name: "alias/terraform", target_key_id: "${aws_kms_key.logs.key_id}" } },
      aws_s3_bucket: { logs: { bucket: BUCKET } },
      aws_s3_bucket_ownership_controls: { logs: { bucket, rule: [{ object_ownership: "BucketOwnerEnforced" }] } },
      aws_s3_bucket_public_access_block: {
        logs: {
          bucket,
          block_public_acls: true,
          block_public_policy: true,
          ignore_public_acls: true,
          restrict_public_buckets: true,
        },
      },
      aws_s3_bucket_versioning: { logs: { bucket, versioning_configuration: [{ status: "Enabled" }] } },
      aws_s3_bucket_server_side_encryption_configuration: {
        logs: {
          bucket,
          rule: [{ apply_server_side_encryption_by_default: [{ sse_algorithm: "aws:kms", kms_master_key_id: key }] }],
        },
      },
      aws_s3_bucket_policy: {
        logs: {
          bucket,
          policy: JSON.stringify({
            Version: "2012-10-17",
            Statement: [
              {
                Sid: "Acl",
                Effect: "Allow",
                Principal: cloudTrail,
                Action: "s3:GetBucketAcl",
                Resource: `arn:aws:s3:::${BUCKET}`,
                Condition: condition,
              },
              {
                Sid: "Write",
                Effect: "Allow",
                Principal: cloudTrail,
                Action: "s3:PutObject",
                Resource: [AUDIT_ACCOUNT, ...members].map((id) => `arn:aws:s3:::${BUCKET}/AWSLogs/${id}/*`),
                Condition: { StringEquals: { ...condition.StringEquals, "s3:x-amz-acl": "bucket-owner-full-control" } },
              },
              {
                Sid: "Tls",
                Effect: "Deny",
                Principal: "*",
                Action: "s3:*",
                Resource: [`arn:aws:s3:::${BUCKET}`, `arn:aws:s3:::${BUCKET}/*`],
                Condition: { Bool: { "aws:SecureTransport": "false" } },
              },
            ],
          }),
        },
      },
      aws_cloudtrail: Object.fromEntries([
        ["audit", trail],
        ...members.map((id) => [`m${id}`, { ...trail, provider: `aws.m${id}` }]),
      ]),
    },
  };
}
