/** The other partitions: their ARNs in the policies, accepted by the provider, and quiet at a second look. */
import assert from "node:assert/strict";
import type { Contract } from "../../core/contract";
import { AUDIT_STACK } from "../../sandbox/accounts";
import { readBack } from "../../sandbox/readBack";
import type { Sandbox } from "../../sandbox";
import { Engine, MINUTE, sandbox } from "./support";

describe("engine: partitions", function () {
  this.timeout(60 * MINUTE);

  for (const [partition, region] of [
    ["aws-cn", "cn-north-1"],
    ["aws-us-gov", "us-gov-west-1"],
  ] as const) {
    describe(partition, () => {
      let box: Sandbox;
      before(async () => {
        box = await sandbox();
      });
      after(() => box?.stop());

      it("deploys an archive and lets its own trail deliver", async () => {
        const engine = new Engine(box);
        await engine.configureAudit({ "aws:region": region });
        assert.deepEqual(await engine.up(AUDIT_STACK), { create: 13 });
        await engine.expectNoChanges(AUDIT_STACK);
        const contract = await box.outputs<Contract>(AUDIT_STACK);
        const arn = `arn:${partition}:cloudtrail:${region}:111111111111:trail/crosstrail`;
        assert.equal(contract.trails[0]?.trailArn, arn);
        const { trails } = await readBack({ ...contract, trails: contract.trails.slice(0, 1) }, async (accountId) => ({
          ...(await box.aws(accountId)),
          region,
        }));
        assert.deepEqual(
          trails.map(({ trailArn, isLogging, delivery }) => ({ trailArn, isLogging, delivers: delivery.delivers })),
          [{ trailArn: arn, isLogging: true, delivers: true }],
        );
      });
    });
  }
});
