import assert from "node:assert/strict";
import { run } from "../../../automation/verify/run";
import { exitCodeOf } from "../../../automation/verify/result";
import type { ArchiveOptions } from "../../../sandbox/logs";
import {
  account,
  bucket,
  cases,
  differs,
  from,
  HOUR,
  justAfter,
  played,
  region,
  scene,
} from "../../support/verifyCases";

describe("verify: what can be wrong is told apart", () => {
  it("in at least 40 kinds", () => {
    assert.ok(cases.length >= 40);
    assert.equal(new Set(cases.map(({ title }) => title)).size, cases.length);
  });

  it("with a reason wherever AWS's tool says something else (tests/engine/verify.test.ts asks it)", () => {
    const asked = cases.filter(({ aws }) => typeof aws === "number");
    assert.ok(asked.length >= 40);
    assert.deepEqual(
      asked.filter((each) => differs(each) && each.why === undefined).map(({ title }) => title),
      [],
    );
  });

  for (const each of cases) {
    it(each.title, async () => {
      const { options } = played(each);
      const { result } = await run(options);
      const found = result.findings.map(({ id }) => id.replace("verify/", ""));
      assert.deepEqual(found.sort(), [...each.finds].sort(), JSON.stringify(result.findings, null, 1));
      assert.equal(exitCodeOf(result), each.exit);
      for (const { message, remedy, subject } of result.findings) assert.ok(message && remedy && subject);
    });
  }

  it("says who deleted a file where the bucket's data events are in the archive, and else that they are not", async () => {
    const key = scene().log();
    const [byWhom, others] = ["arn:aws:iam::111111111111:user/mallory", "arn:aws:iam::111111111111:user/other"];
    const event = (hour: number, arn: string, fields: Record<string, unknown> = {}) => ({
      accountId: account,
      region,
      time: from + hour * HOUR,
      fields: {
        eventSource: "s3.amazonaws.com",
        eventName: "DeleteObject",
        userIdentity: { type: "IAMUser", arn },
        requestParameters: { bucketName: bucket, key },
        ...fields,
      },
    });
    const deleted = async (...incidents: NonNullable<ArchiveOptions["incidents"]>) => {
      const { archive, publicKeys } = scene({ incidents });
      assert.ok(archive.keys().includes(key));
      archive.remove(key);
      const keys = { keys: () => Promise.resolve(publicKeys) };
      const { result } = await run({ source: archive, keys, now: justAfter });
      assert.deepEqual(
        result.findings.map(({ id }) => id),
        ["verify/log-deleted"],
      );
      return result.findings[0]?.evidence["deleted by"] ?? "";
    };
    assert.match(
      await deleted(event(4.5, byWhom)),
      /^arn:aws:iam::111111111111:user\/mallory from 10\.[\d.]+ at 2026-12-20T10:30:00Z, event [0-9a-f-]{36}$/,
    );
    assert.match(
      await deleted(
        event(4.5, others, { errorCode: "AccessDenied" }),
        event(4.5, others, { requestParameters: { bucketName: "another", key } }),
        event(4.5, others, { requestParameters: { bucketName: bucket, key: `${key}2` } }),
        event(4.5, others, { eventName: "GetObject" }),
      ),
      /^not recorded/,
    );
    // Nothing of what a log says reaches a terminal raw.
    assert.ok(!(await deleted(event(4.5, "\u001b[2Jmallory"))).includes("\u001b"));
  });

  it("goes by the archive's time where this machine's clock is slow: nothing is left out", async () => {
    const [whole] = cases.filter(({ finds }) => finds.length === 0);
    assert.ok(whole);
    const { options } = played(whole);
    const { result } = await run(options);
    const { result: slow } = await run({ ...options, now: 0 });
    assert.deepEqual([slow.state, slow.findings], ["whole", []]);
    assert.deepEqual(
      slow.places.map(({ digests, logs }) => [digests, logs]),
      result.places.map(({ digests, logs }) => [digests, logs]),
    );
  });
});
