import assert from "node:assert/strict";
import { providerIn } from "../../components/region";
import { startMocks } from "../support/mocks";

describe("components: another Region", () => {
  it("is reached with the stack's own provider settings, all but the Region", async () => {
    const run = await startMocks({
      config: {
        "aws:region": "us-east-1",
        "aws:version": "7.0.0",
        "aws:profile": "012345678901",
        "aws:allowedAccountIds": '["111111111111"]',
        "aws:assumeRoles": '[{"roleArn":"arn:aws:iam::111111111111:role/Deploy"}]',
        "aws:skipMetadataApiCheck": "true",
        "aws:maxRetries": "7",
        "crosstrail:role": "audit",
      },
    });
    providerIn("there", "eu-west-1");
    await run.settle();
    const { skipCredentialsValidation, skipRegionValidation, ...settings } = run.resource("aws", "there").inputs;
    // Defaults of @pulumi/aws.
    assert.deepEqual([skipCredentialsValidation, skipRegionValidation], ["false", "true"]);
    assert.deepEqual(settings, {
      region: "eu-west-1",
      profile: "012345678901",
      allowedAccountIds: '["111111111111"]',
      assumeRoles: '[{"roleArn":"arn:aws:iam::111111111111:role/Deploy"}]',
      skipMetadataApiCheck: "true",
      maxRetries: "7",
    });
  });

  it("keeps secret what the configuration keeps secret, and what is a credential anyway", async () => {
    const run = await startMocks({
      config: {
        "aws:region": "us-east-1",
        "aws:profile": "audit",
        "aws:httpProxy": "https://user:password@proxy",
        "aws:accessKey": "AKIAEXAMPLE",
        "aws:assumeRoles": '[{"roleArn":"arn:aws:iam::111111111111:role/Deploy","externalId":"hidden"}]',
      },
      secretKeys: ["aws:httpProxy", "aws:assumeRoles"],
    });
    const provider = providerIn("there", "eu-west-1");
    await run.settle();
    const { inputs } = run.resource("aws", "there");
    const secret = "4dabf18193072939515e22adb298388d";
    const isSecret = (value: unknown) => JSON.stringify(value ?? null).includes(secret);
    assert.deepEqual(
      Object.fromEntries(
        ["profile", "region", "httpProxy", "accessKey", "assumeRoles"].map((each) => [each, isSecret(inputs[each])]),
      ),
      { profile: false, region: false, httpProxy: true, accessKey: true, assumeRoles: true },
    );
    assert.ok(provider);
  });
});
