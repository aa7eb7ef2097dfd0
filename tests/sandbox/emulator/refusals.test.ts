/** What the emulator's CloudTrail refuses: decided without an emulator. That it does so is in tests/engine/gate.test.ts. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import { bucketPolicyIn } from "../../../core/policies/bucket";
import { keyPolicyIn } from "../../../core/policies/key";
import { trailArn } from "../../../core/names";
import { answer, type Call, type ObjectCall, refusal } from "../../../sandbox/emulator/refusals";
import { auditAccountId, bucketName, keyArn, trailOf } from "../../support/fleet";

type Delivery = NonNullable<Call["delivery"]>;

const account = "222222222222";
const trail = trailOf(account);
const arn = trailArn(trail);
const policies = { partition: "aws" as const, bucketName, auditAccountId, trails: [trail] };
const allowsTrail = JSON.stringify(bucketPolicyIn("perTrail", policies));
const letsEncrypt = JSON.stringify(keyPolicyIn("trailList", policies));
const bucket = (other: Partial<NonNullable<Delivery["bucket"]>> = {}) => ({
  account: auditAccountId,
  region: "us-east-1",
  policy: allowsTrail,
  bucketKey: false,
  ...other,
});
const key = (other: Partial<NonNullable<Delivery["key"]>> = {}) => ({
  arn: keyArn,
  region: "us-east-1",
  state: "Enabled",
  spec: "SYMMETRIC_DEFAULT",
  policy: letsEncrypt,
  ...other,
});
const delivery = (other: Partial<Delivery> = {}): Delivery => ({
  bucketName,
  logPrefix: "",
  keyId: keyArn,
  validation: true,
  forOrganization: false,
  bucket: bucket(),
  key: key(),
  organization: null,
  ...other,
});
const create = (other: Partial<Call> = {}): Call => ({
  operation: "create_trail",
  partition: "aws",
  account,
  region: "us-east-1",
  name: trail.name,
  namesTaken: [],
  trail: null,
  delivery: delivery(),
  ...other,
});
const to = (other: Partial<Delivery>) => create({ delivery: delivery(other) });
const existing = { operation: "update_trail", namesTaken: [trail.name], trail: { arn, homeRegion: "us-east-1" } };
const organization = { id: "o-exampleorgid", managementAccount: account };
/** The grants of a policy without one that it has. */
const without = (policy: string, action: string) => {
  const document = JSON.parse(policy) as { Statement: { Action: string | string[] }[] };
  const Statement = document.Statement.filter(({ Action }) => Action !== action);
  assert.equal(Statement.length, document.Statement.length - 1, action);
  return JSON.stringify({ ...document, Statement });
};

describe("what the sandbox's CloudTrail refuses", () => {
  const accepted: [string, Call][] = [
    ["a trail that may deliver", create()],
    ["one without a key", to({ keyId: "", key: null })],
    ["a change of one", create(existing)],
    ["the fifth trail", create({ namesTaken: ["a-1", "a-2", "a-3", "a-4"] })],
    ["no digests where nothing signs them", to({ validation: false, bucket: bucket({ policy: onlyLogs() }) })],
    ["a key for an S3 Bucket Key", to({ bucket: bucket({ bucketKey: true }), key: key({ policy: decrypting() }) })],
    ["a trail that is not there: moto says so", create({ ...existing, operation: "delete_trail", trail: null })],
    ["what does not try to deliver", create({ ...existing, operation: "start_logging", delivery: undefined })],
    [
      "a policy that demands the organization for writes",
      to({ organization, bucket: bucket({ policy: ofOrganization(organization.id) }) }),
    ],
  ];
  for (const [title, call] of accepted) {
    it(`not: ${title}`, () => assert.equal(refusal(call), undefined));
  }

  const s3 = "InsufficientS3BucketPolicyException";
  const kms = "InsufficientEncryptionPolicyException";
  const refused: [string, Call, string, string | RegExp][] = [
    ["a name that CloudTrail has not", create({ name: "a--b" }), "InvalidTrailNameException", "side by side"],
    ["a name that is taken", create({ namesTaken: [trail.name] }), "TrailAlreadyExistsException", account],
    [
      "the sixth trail",
      create({ namesTaken: ["a-1", "a-2", "a-3", "a-4", "a-5"] }),
      "MaximumNumberOfTrailsExceededException",
      "already has 5 trails",
    ],
    ["a call from elsewhere", create({ ...existing, region: "eu-west-1" }), "InvalidHomeRegionException", "us-east-1"],
    ["a bucket that is not there", to({ bucket: null }), "S3BucketDoesNotExistException", bucketName],
    ["a bucket without a policy", to({ bucket: bucket({ policy: null }) }), s3, "(there is none)"],
    ["another trail than the policy's", create({ name: "another" }), s3, /aws:SourceArn is "\S+\/another"/],
    ["another prefix than the policy's", to({ logPrefix: "p" }), s3, `${bucketName}/p/AWSLogs/${account}/`],
    [
      "no sight of the ACL",
      to({ bucket: bucket({ policy: without(allowsTrail, "s3:GetBucketAcl") }) }),
      s3,
      "s3:GetBucketAcl",
    ],
    ["no room for digests", to({ bucket: bucket({ policy: onlyLogs() }) }), s3, "CloudTrail-Digest"],
    [
      "another organization than the policy's",
      to({ organization, bucket: bucket({ policy: ofOrganization("o-another") }) }),
      s3,
      "aws:SourceOrgID",
    ],
    [
      "an organization demanded for the check of the ACL, which may come without it",
      to({ organization, bucket: bucket({ policy: ofOrganization(organization.id, /./) }) }),
      s3,
      "s3:GetBucketAcl",
    ],
    ["what is no key", to({ keyId: "key", key: null }), "InvalidKmsKeyIdException", "key"],
    ["a key that is not there", to({ key: null }), "KmsKeyNotFoundException", keyArn],
    ["a key elsewhere", to({ key: key({ region: "eu-west-1" }) }), "KmsKeyNotFoundException", "eu-west-1"],
    ["a key that is disabled", to({ key: key({ state: "Disabled" }) }), "KmsException", "Disabled"],
    ["a key that is not symmetric", to({ key: key({ spec: "RSA_2048" }) }), "KmsException", "RSA_2048"],
    [
      "a key that may not be described",
      to({ key: key({ policy: without(letsEncrypt, "kms:DescribeKey") }) }),
      kms,
      "kms:DescribeKey",
    ],
    [
      "a key that may not encrypt",
      to({ key: key({ policy: without(letsEncrypt, "kms:GenerateDataKey*") }) }),
      kms,
      "kms:GenerateDataKey",
    ],
    ["an S3 Bucket Key without decryption", to({ bucket: bucket({ bucketKey: true }) }), kms, "kms:Decrypt"],
    ["an organization's trail without one", to({ forOrganization: true }), "OrganizationsNotInUseException", ""],
    [
      "an organization's trail of a member",
      to({ forOrganization: true, organization: { ...organization, managementAccount: "999999999999" } }),
      "NotOrganizationMasterAccountException",
      "",
    ],
    ["no room for the organization", to({ forOrganization: true, organization }), s3, `AWSLogs/${organization.id}/`],
    [
      "a change to what does not deliver",
      create({ ...existing, delivery: delivery({ bucket: null }) }),
      "S3BucketDoesNotExistException",
      "",
    ],
  ];
  for (const [title, call, code, text] of refused) {
    it(`${code}: ${title}`, () => {
      const found = refusal(call);
      assert.equal(found?.code, code, found?.message);
      if (typeof text === "string") assert.ok(found?.message.includes(text), found?.message);
      else assert.match(found?.message ?? "", text);
    });
  }

  it("tells the first reason in the message, the others apart", () => {
    const { message, why } = refusal(create({ name: "another" })) ?? { message: "", why: [] };
    assert.equal(why.length, 3);
    assert.ok(
      message.startsWith(`Incorrect S3 bucket policy is detected for bucket: ${bucketName} [Sandbox: `),
      message,
    );
    assert.ok(message.includes(why[0] as string) && !message.includes(why[1] as string), message);
  });

  const hostile: [string, string][] = [
    ["empty", ""],
    ["not JSON", "{"],
    ["a number", "5"],
    ["null", "null"],
    ["a list of what is no statement", '{"Statement":[null,5,[],"x"]}'],
    ["100,000 levels deep", "[".repeat(100_000)],
    ["a megabyte long", JSON.stringify({ Statement: { Effect: "Allow", Action: "x".repeat(1 << 20) } })],
    [
      "with an unknown operator",
      '{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"Sounds":{"a":"b"}}}}',
    ],
  ];
  for (const [title, policy] of hostile) {
    it(`a policy that is ${title}`, () => {
      assert.equal(refusal(to({ bucket: bucket({ policy }) }))?.code, s3);
      assert.equal(refusal(to({ key: key({ policy }) }))?.code, kms);
    });
  }

  it("also what it cannot read: never a yes by mistake", () => {
    for (const line of ["", "{", "null", JSON.stringify({ ...create(), namesTaken: undefined })]) {
      const { refusal: found } = JSON.parse(answer(line)) as { refusal: { code: string } | null };
      assert.equal(found?.code, "SandboxException", line);
    }
  });
});

describe("a file that the sandbox's CloudTrail writes", () => {
  const file = { kind: "log" as const, account, region: "eu-west-1" };
  const write = (other: Partial<Call> = {}) =>
    refusal(create({ ...existing, operation: "deliver", delivery: delivery(), file, ...other }))?.code;

  it("arrives where the policies let the trail deliver", () => {
    assert.equal(write(), undefined);
    assert.equal(write({ file: { ...file, kind: "digest" } }), undefined);
  });

  const refused: [string, string, Partial<Call>][] = [
    ["NoSuchBucket", "the bucket is gone", { delivery: delivery({ bucket: null }) }],
    ["AccessDenied", "the bucket has no policy", { delivery: delivery({ bucket: bucket({ policy: null }) }) }],
    ["AccessDenied", "the prefix is another one", { delivery: delivery({ logPrefix: "elsewhere" }) }],
    [
      "AccessDenied",
      "the key may not be used",
      { delivery: delivery({ key: key({ policy: without(letsEncrypt, "kms:GenerateDataKey*") }) }) },
    ],
    ["KMS.DisabledException", "the key is disabled", { delivery: delivery({ key: key({ state: "Disabled" }) }) }],
    ["KMS.NotFoundException", "the key is gone", { delivery: delivery({ key: null }) }],
  ];
  for (const [code, title, call] of refused) {
    it(`is refused with ${code}: ${title}`, () => assert.equal(write(call), code));
  }

  it("is judged for what it is: a policy without room for digests lets logs arrive", () => {
    const onlyLogsDeliver = delivery({ bucket: bucket({ policy: onlyLogs() }) });
    assert.equal(write({ delivery: onlyLogsDeliver }), undefined);
    assert.equal(write({ delivery: onlyLogsDeliver, file: { ...file, kind: "digest" } }), "AccessDenied");
  });
});

describe("objects of the sandbox's buckets", () => {
  const resource = `arn:aws:s3:::${bucketName}/AWSLogs/${account}/CloudTrail/x.json.gz`;
  const owner = { account: auditAccountId, arn: `arn:aws:iam::${auditAccountId}:user/sandbox` };
  const encrypted = {
    keyId: keyArn,
    key: key(),
    context: { "aws:s3:arn": resource, "aws:cloudtrail:arn": arn },
  };
  const ask = (other: Partial<ObjectCall> = {}) => {
    const call: ObjectCall = {
      operation: "object",
      action: "s3:GetObject",
      resource,
      caller: owner,
      headers: {},
      bucket: bucket(),
      object: encrypted,
      ...other,
    };
    return (JSON.parse(answer(JSON.stringify(call))) as { refusal: { code: string } | null }).refusal?.code;
  };
  const stranger = { account, arn: `arn:aws:iam::${account}:user/mallory` };

  it("are open to the bucket's own account", () => assert.equal(ask(), undefined));
  it("are closed to other accounts", () => assert.equal(ask({ caller: stranger }), "AccessDenied"));
  it("need the key, too", () => {
    assert.equal(ask({ object: { ...encrypted, key: key({ state: "Disabled" }) } }), "KMS.DisabledException");
    assert.equal(ask({ object: { ...encrypted, key: null } }), "KMS.NotFoundException");
    const foreign = JSON.stringify({
      Version: "2012-10-17",
      Statement: [
        { Effect: "Allow", Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: "kms:*", Resource: "*" },
      ],
    });
    assert.equal(ask({ object: { ...encrypted, key: key({ policy: foreign }) } }), "AccessDenied");
  });
  it("are refused by a Deny only where its conditions hold", () => {
    const denies = (value: string) =>
      bucket({
        policy: JSON.stringify({
          Version: "2012-10-17",
          Statement: [
            {
              Effect: "Deny",
              Principal: "*",
              Action: "s3:*",
              Resource: `arn:aws:s3:::${bucketName}/*`,
              Condition: { Bool: { "aws:SecureTransport": value } },
            },
          ],
        }),
      });
    assert.equal(ask({ bucket: denies("false") }), undefined);
    assert.equal(ask({ bucket: denies("true") }), "AccessDenied");
  });
});

describe("the process that the emulator asks", () => {
  it("answers line by line, and ends when its stdin does", async () => {
    const gate = spawn(process.execPath, [path.join(__dirname, "../../../sandbox/emulator/gate.js")], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const ended = once(gate, "exit");
    const lines = createInterface({ input: gate.stdout })[Symbol.asyncIterator]();
    const ask = async (call: Call) => {
      gate.stdin.write(`${JSON.stringify(call)}\n`);
      return (JSON.parse((await lines.next()).value as string) as { refusal: { code: string } | null }).refusal;
    };
    assert.equal(await ask(create()), null);
    assert.equal((await ask(create({ namesTaken: [trail.name] })))?.code, "TrailAlreadyExistsException");
    gate.stdin.destroy();
    assert.deepEqual(await ended, [0, null]);
  });
});

/** The bucket policy with the path of the logs alone. */
function onlyLogs(): string {
  return allowsTrail.replace(`AWSLogs/${account}/*`, `AWSLogs/${account}/CloudTrail/*`);
}

/** The bucket policy with the organization demanded for writes, or for each grant: CloudTrail may check the ACL without it. */
function ofOrganization(id: string, actions = /PutObject/): string {
  const { Statement, ...rest } = bucketPolicyIn("perTrail", policies);
  const demanded = Statement.map((each) =>
    each.Effect === "Allow" && actions.test([each.Action].flat().join())
      ? {
          ...each,
          Condition: { ...each.Condition, StringEquals: { ...each.Condition?.StringEquals, "aws:SourceOrgID": id } },
        }
      : each,
  );
  return JSON.stringify({ ...rest, Statement: demanded });
}

function decrypting(): string {
  return JSON.stringify(keyPolicyIn("trailList", { ...policies, bucketKeyEnabled: true }));
}
