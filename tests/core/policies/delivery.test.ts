import assert from "node:assert/strict";
import type { PolicyKind } from "../../../core/evaluate/types";
import { lint } from "../../../core/evaluate";
import {
  logGroupKeyPolicy,
  logsRolePermissions,
  logsRoleTrust,
  topicArn,
  topicKeyPolicy,
  topicPolicy,
} from "../../../core/policies/delivery";
import { eventDataStoreKeyPolicy } from "../../../core/policies/eventDataStore";
import { accountAdministration } from "../../../core/policies/key";
import { trailOf } from "../../support/fleet";

const trail = trailOf("222222222222");
const previous = trailOf("222222222222", { name: "before" });
const arns = [
  "arn:aws:cloudtrail:us-east-1:222222222222:trail/before",
  "arn:aws:cloudtrail:us-east-1:222222222222:trail/crosstrail",
];

describe("core/policies/delivery: to the letter", () => {
  it("the role's trust, for two trails while one is renamed", () => {
    assert.deepEqual(logsRoleTrust([trail, previous]).Statement, [
      {
        Sid: "CloudTrailAssumes",
        Effect: "Allow",
        Principal: { Service: "cloudtrail.amazonaws.com" },
        Action: "sts:AssumeRole",
        Condition: { StringEqualsIfExists: { "aws:SourceAccount": "222222222222", "aws:SourceArn": arns } },
      },
    ]);
  });

  it("the role's permissions: the account's own log streams, and an organization's", () => {
    const stream = "arn:aws:logs:us-east-1:222222222222:log-group:trail:log-stream:";
    const own = `${stream}222222222222_CloudTrail_us-east-1*`;
    const statement = {
      Sid: "WriteLogStreams",
      Effect: "Allow",
      Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
    };
    assert.deepEqual(logsRolePermissions(trail, "trail").Statement, [{ ...statement, Resource: own }]);
    assert.deepEqual(logsRolePermissions(trail, "trail", "o-a1b2c3d4e5").Statement, [
      { ...statement, Resource: [own, `${stream}o-a1b2c3d4e5_*`] },
    ]);
  });

  it("the log group's key, in each partition's words", () => {
    for (const [partition, region, service] of [
      ["aws", "us-east-1", "logs.us-east-1.amazonaws.com"],
      ["aws-cn", "cn-north-1", "logs.cn-north-1.amazonaws.com.cn"],
      ["aws-us-gov", "us-gov-west-1", "logs.us-gov-west-1.amazonaws.com"],
    ] as const) {
      assert.deepEqual(logGroupKeyPolicy(trailOf("222222222222", { partition, region })).Statement, [
        accountAdministration(partition, "222222222222"),
        {
          Sid: "CloudWatchLogsEncrypts",
          Effect: "Allow",
          Principal: { Service: service },
          Action: ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
          Resource: "*",
          Condition: {
            ArnLike: {
              "kms:EncryptionContext:aws:logs:arn": `arn:${partition}:logs:${region}:222222222222:log-group:*`,
            },
          },
        },
      ]);
    }
  });

  it("the topic and its key", () => {
    const arn = topicArn(trail, "deliveries");
    assert.equal(arn, "arn:aws:sns:us-east-1:222222222222:deliveries");
    assert.deepEqual(topicPolicy(arn, [trail]).Statement, [
      {
        Sid: "CloudTrailPublishes",
        Effect: "Allow",
        Principal: { Service: "cloudtrail.amazonaws.com" },
        Action: "sns:Publish",
        Resource: arn,
        Condition: { StringEquals: { "aws:SourceArn": arns[1] } },
      },
      {
        Sid: "DenyInsecureTransport",
        Effect: "Deny",
        Principal: "*",
        Action: "sns:Publish",
        Resource: arn,
        Condition: { Bool: { "aws:SecureTransport": "false" } },
      },
    ]);
    assert.deepEqual(topicKeyPolicy(trail, [trail]).Statement, [
      accountAdministration("aws", "222222222222"),
      {
        Sid: "CloudTrailEncrypts",
        Effect: "Allow",
        Principal: { Service: "cloudtrail.amazonaws.com" },
        Action: ["kms:Decrypt", "kms:GenerateDataKey*"],
        Resource: "*",
        Condition: { StringEqualsIfExists: { "aws:SourceArn": arns[1] } },
      },
    ]);
  });

  it("an event data store's key: no condition on the trail, which AWS does not support there", () => {
    const input = { partition: "aws", accountId: "111111111111" } as const;
    const use = {
      Sid: "CloudTrailUses",
      Effect: "Allow",
      Principal: { Service: "cloudtrail.amazonaws.com" },
      Action: ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
      Resource: "*",
    };
    const query = {
      Sid: "UsersQuery",
      Effect: "Allow",
      Principal: { AWS: "arn:aws:iam::111111111111:root" },
      Action: ["kms:Decrypt", "kms:GenerateDataKey"],
      Resource: "*",
    };
    const administration = accountAdministration("aws", "111111111111");
    assert.deepEqual(eventDataStoreKeyPolicy(input).Statement, [administration, use, query]);
    const roleArns = ["arn:aws:iam::111111111111:role/b", "arn:aws:iam::111111111111:role/a"];
    assert.deepEqual(eventDataStoreKeyPolicy({ ...input, roleArns }).Statement, [
      administration,
      use,
      { ...query, Condition: { ArnEquals: { "aws:PrincipalArn": [...roleArns].reverse() } } },
    ]);
  });

  it("the linter has nothing against them", () => {
    const account = "222222222222";
    const errors = (document: object, kind: PolicyKind) =>
      lint(JSON.stringify(document), { kind, accountId: account }).filter(({ severity }) => severity === "error");
    assert.deepEqual(errors(logsRoleTrust([trail]), "role"), []);
    assert.deepEqual(errors(logsRolePermissions(trail, "trail"), "identity"), []);
    assert.deepEqual(errors(logGroupKeyPolicy(trail), "key"), []);
    assert.deepEqual(errors(topicPolicy(topicArn(trail, "deliveries"), [trail]), "other"), []);
    assert.deepEqual(errors(topicKeyPolicy(trail, [trail]), "key"), []);
  });
});
