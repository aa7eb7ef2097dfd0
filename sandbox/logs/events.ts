// Events as CloudTrail records them, realistic in shape and size; what tells them apart is chance under a seed.

import { wholeSeconds } from "../../core/logs";
import type { Random } from "./random";

const calls: [service: string, name: string, readOnly: boolean][] = [
  ["ec2", "DescribeInstances", true],
  ["ec2", "DescribeNetworkInterfaces", true],
  ["sts", "AssumeRole", true],
  ["kms", "GenerateDataKey", true],
  ["kms", "Decrypt", true],
  ["s3", "GetBucketAcl", true],
  ["logs", "CreateLogStream", false],
  ["ssm", "UpdateInstanceInformation", false],
  ["secretsmanager", "GetSecretValue", true],
  ["lambda", "UpdateFunctionCode20150331v2", false],
  ["ecs", "DescribeTasks", true],
  ["monitoring", "PutMetricAlarm", false],
];
const roles = ["Deploy", "InstanceRole", "ReadOnly", "AWSServiceRoleForECS", "LogShipper", "DataPipeline"];
const agents = [
  "aws-sdk-java/2.29.0 Linux/6.1.0 OpenJDK_64-Bit_Server_VM/21",
  "Boto3/1.35.20 md/Botocore#1.35.20 ua/2.0 os/linux#6.1 lang/python#3.12.3",
  "APN/1.0 HashiCorp/1.0 Terraform/1.9.5 aws-sdk-go-v2/1.30.3",
  "AWS Internal",
];

export interface EventFacts {
  accountId: string;
  region: string;
  time: number;
}

function uuid(random: Random): string {
  const digits = random.hex(32);
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4${digits.slice(13, 16)}-a${digits.slice(17, 20)}-${digits.slice(20)}`;
}

/** One event, as JSON: written as a string, because a million of them are. */
export function eventText(random: Random, { accountId, region, time }: EventFacts): string {
  const [service, name, readOnly] = random.pick(calls);
  const role = random.pick(roles);
  const session = `i-${random.hex(17)}`;
  const principal = `AROA${random.letters(17).toUpperCase()}`;
  const began = wholeSeconds(time - random.below(3_600_000));
  const when = wholeSeconds(time);
  const resource = `arn:aws:${service}:${region}:${accountId}:resource/${random.hex(20)}`;
  return (
    `{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","principalId":"${principal}:${session}",` +
    `"arn":"arn:aws:sts::${accountId}:assumed-role/${role}/${session}","accountId":"${accountId}",` +
    `"accessKeyId":"ASIA${random.letters(16).toUpperCase()}","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"${principal}",` +
    `"arn":"arn:aws:iam::${accountId}:role/${role}","accountId":"${accountId}","userName":"${role}"},` +
    `"attributes":{"creationDate":"${began}","mfaAuthenticated":"false"}}},"eventTime":"${when}",` +
    `"eventSource":"${service}.amazonaws.com","eventName":"${name}","awsRegion":"${region}",` +
    `"sourceIPAddress":"10.${random.below(256)}.${random.below(256)}.${random.below(256)}","userAgent":"${random.pick(agents)}",` +
    `"requestParameters":{"resource":"${resource}","clientToken":"${random.letters(64)}"},` +
    `"responseElements":${readOnly ? "null" : `{"requestId":"${uuid(random)}","token":"${random.letters(240)}"}`},` +
    `"requestID":"${uuid(random)}","eventID":"${uuid(random)}","readOnly":${readOnly},` +
    `"resources":[{"accountId":"${accountId}","type":"AWS::${service.toUpperCase()}::Resource","ARN":"${resource}"}],` +
    `"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"${accountId}","eventCategory":"Management",` +
    `"tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"${service}.${region}.amazonaws.com"}}`
  );
}

/** An event of your choice, with the fields that every event has. */
export function plantedEvent(random: Random, facts: EventFacts, fields: Record<string, unknown>): string {
  return JSON.stringify({ ...(JSON.parse(eventText(random, facts)) as object), errorCode: undefined, ...fields });
}

/** The call that stops a trail, as it is recorded in the trail's home Region. */
export function stopLogging(trailArn: string, by: string): Record<string, unknown> {
  return {
    eventSource: "cloudtrail.amazonaws.com",
    eventName: "StopLogging",
    readOnly: false,
    userIdentity: { type: "IAMUser", arn: by, accountId: by.split(":")[4], userName: by.split("/").at(-1) },
    requestParameters: { name: trailArn },
    responseElements: null,
  };
}
