/** The emulator as a server: what AWS's clients need of it, whatever they call. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { CreateAliasCommand, CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { AUDIT_ACCOUNT } from "../../sandbox/accounts";
import type { Sandbox } from "../../sandbox";
import { MINUTE, sandbox } from "./support";

describe("engine: the emulator", function () {
  this.timeout(MINUTE);
  let box: Sandbox;
  /** Without retries, which would hide a failure. */
  let client: () => KMSClient;
  let keyId: string | undefined;
  before(async function () {
    this.timeout(60 * MINUTE);
    box = await sandbox();
    const access = await box.aws(AUDIT_ACCOUNT);
    client = () => new KMSClient({ ...access, maxAttempts: 1 });
    keyId = (await client().send(new CreateKeyCommand({}))).KeyMetadata?.KeyId;
  });
  after(() => box?.stop());

  it("gives its answer again when the SDK asks again, and only then", async () => {
    const create = (invocation: string) => {
      const kms = client();
      kms.middlewareStack.add(
        (next) => (args) => {
          (args.request as { headers: Record<string, string> }).headers["amz-sdk-invocation-id"] = invocation;
          return next(args);
        },
        { step: "finalizeRequest" },
      );
      return kms.send(new CreateAliasCommand({ AliasName: "alias/once", TargetKeyId: keyId }));
    };
    const first = randomUUID();
    assert.equal((await create(first)).$metadata.httpStatusCode, 200);
    assert.equal((await create(first)).$metadata.httpStatusCode, 200);
    await assert.rejects(create(randomUUID()), { name: "AlreadyExistsException" });
  });
});
