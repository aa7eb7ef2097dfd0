/** Tests of that program with Pulumi's mocks: no engine, no AWS, no credentials. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { archive } from "./archive";

/** Every resource that the program makes, with its inputs. */
const made: { type: string; name: string; inputs: Record<string, unknown> }[] = [];
const inputsOf = (type: string) => made.find((each) => each.type === type)?.inputs ?? {};

/** What AWS would add; components read these outputs. */
const answers: Record<string, (inputs: Record<string, string>) => object> = {
  "aws:kms/key:Key": () => ({
    arn: "arn:aws:kms:eu-central-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    keyId: "1234abcd-12ab-34cd-56ef-1234567890ab",
  }),
  "aws:s3/bucket:Bucket": ({ bucket }) => ({ arn: `arn:aws:s3:::${bucket}` }),
};

void describe("the archive", () => {
  before(async () => {
    // Before any resource is made: Pulumi decides by it where they go.
    await pulumi.runtime.setMocks({
      newResource: ({ type, name, inputs }) => {
        made.push({ type, name, inputs });
        return { id: `${name}-id`, state: { ...inputs, ...answers[type]?.(inputs) } };
      },
      call: ({ inputs }) => inputs,
    });
    const { bucket, member } = archive("111111111111", "own-logs");
    // Outputs of the last resource: when they are known, everything is registered.
    await new Promise((resolve) => pulumi.all([bucket.bucketArn, member.trailArn]).apply(resolve));
  });

  void it("keeps logs for seven years", () => {
    const [rule] = inputsOf("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration").rules as {
      expiration: { days: number };
    }[];
    assert.equal(rule?.expiration.days, 2557);
  });

  void it("is encrypted with a key whose policy names the trail", () => {
    const { policy } = inputsOf("aws:kms/key:Key");
    assert.match(String(policy), /"arn:aws:cloudtrail:eu-central-1:111111111111:trail\/own"/);
  });

  void it("refuses a mistake at once", () => {
    assert.throws(() => archive("111111111111", "Own_Logs"), /bucketName = "Own_Logs"/);
  });
});
