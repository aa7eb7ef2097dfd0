import assert from "node:assert/strict";
import fc from "fast-check";
import {
  chainId,
  digestKey,
  type DigestName,
  logKey,
  type LogName,
  parseDigestKey,
  parseLogKey,
  parseTime,
  wholeSeconds,
} from "../../../core/logs";

const account = "111111111111";
const time = Date.UTC(2026, 10, 28, 3, 17, 9);

describe("the names of logs and digests", () => {
  const place = { accountId: account, region: "us-east-1" };
  const name: DigestName = {
    ...place,
    trailName: "crosstrail",
    homeRegion: "eu-central-1",
    endTime: time,
    backfill: false,
  };

  it("are CloudTrail's", () => {
    assert.equal(
      digestKey(name),
      "AWSLogs/111111111111/CloudTrail-Digest/us-east-1/2026/11/28/111111111111_CloudTrail-Digest_us-east-1_crosstrail_eu-central-1_20261128T031709Z.json.gz",
    );
    assert.equal(
      logKey({ ...place, prefix: "logs/audit", organizationId: "o-abcdefghij", time, unique: "Ab3dEf6hIj9lMn0p" }),
      "logs/audit/AWSLogs/o-abcdefghij/111111111111/CloudTrail/us-east-1/2026/11/28/111111111111_CloudTrail_us-east-1_20261128T0317Z_Ab3dEf6hIj9lMn0p.json.gz",
    );
  });

  it("are read back as they were built, in every layout", () => {
    const text = (alphabet: string, min: number, max: number) =>
      fc.string({ unit: fc.constantFrom(...alphabet), minLength: min, maxLength: max });
    const lower = "abcdefghijklmnopqrstuvwxyz0123456789";
    const letters = `${lower}ABCDEFGHIJKLMNOPQRSTUVWXYZ`;
    const region = fc.constantFrom("us-east-1", "eu-central-2", "us-gov-west-1", "cn-north-1", "il-central-1");
    const places = fc.record(
      {
        prefix: fc.constantFrom("logs", "a/b", "o-abcdefghij/AWSLogs/o-abcdefghij", "AWSLogs/x"),
        organizationId: text(lower, 10, 32).map((id) => `o-${id}`),
        accountId: text("0123456789", 12, 12),
        region,
      },
      { requiredKeys: ["accountId", "region"] },
    );
    // Trail names may look like parts of a key.
    const trailName = fc.oneof(
      text(`${letters}._-`, 1, 60).map((middle) => `t${middle}t`),
      fc.constantFrom("main_us-east-1_x", "CloudTrail-Digest_us-east-1", "a_20261128T031709Z"),
    );
    const seconds = fc.integer({ min: 0, max: 4_000_000_000 });
    fc.assert(
      fc.property(places, trailName, region, seconds, fc.boolean(), (at, trail, homeRegion, second, backfill) => {
        const built: DigestName = { ...at, trailName: trail, homeRegion, endTime: second * 1000, backfill };
        assert.deepEqual(parseDigestKey(digestKey(built)), built);
        assert.equal(parseLogKey(digestKey(built)), undefined);
      }),
    );
    const folder = fc.constantFrom("CloudTrail", "CloudTrail-Insight", "CloudTrail-NetworkActivity");
    fc.assert(
      fc.property(places, folder, seconds, text(letters, 16, 16), (at, kind, second, unique) => {
        const built: LogName = { ...at, folder: kind, time: Math.floor(second / 60) * 60_000, unique };
        assert.deepEqual(parseLogKey(logKey(built)), built);
        assert.equal(parseDigestKey(logKey(built)), undefined);
      }),
    );
  });

  it("whose parts contradict each other are none", () => {
    const key = digestKey(name);
    for (const wrong of [
      key.replace("AWSLogs/111111111111", "AWSLogs/222222222222"),
      key.replace("Digest/us-east-1", "Digest/us-west-2"),
      key.replace("2026/11/28", "2026/11/27"),
      key.replace("20261128T031709Z", "20261328T031709Z"),
      key.replace("T031709Z", "T031760Z"),
      key.replace(".json.gz", ".json"),
      key.replace("_crosstrail_", "_cross trail_"),
      `${key}.tmp`,
      key.replace("AWSLogs/", "AWSLogs/o-short/"),
    ]) {
      assert.notEqual(wrong, key);
      assert.equal(parseDigestKey(wrong), undefined, wrong);
    }
    const log = logKey({ ...place, time, unique: "Ab3dEf6hIj9lMn0p" });
    for (const wrong of [
      log.replace("_CloudTrail_", "_CloudTrail-Insight_"),
      log.replace("Ab3dEf6hIj9lMn0p", "Ab3dEf6hIj9lMn0"),
      log.replace("T0317Z", "T2517Z"),
    ]) {
      assert.equal(parseLogKey(wrong), undefined, wrong);
    }
  });

  it("of one chain have one id, whatever the prefix; trails, Regions and organizations have chains of their own", () => {
    assert.equal(chainId({ ...name, ...{ prefix: "old" } }), chainId(name));
    const others = [
      { ...name, trailName: "other" },
      { ...name, region: "us-west-2" },
      { ...name, homeRegion: "us-west-2" },
      { ...name, accountId: "222222222222" },
      { ...name, organizationId: "o-abcdefghij" },
    ];
    assert.equal(new Set([name, ...others].map(chainId)).size, 6);
  });

  it("have times in UTC, and no days that there are not", () => {
    assert.equal(parseTime("2026-11-28T03:17:09Z"), time);
    assert.equal(parseTime(wholeSeconds(time)), time);
    for (const wrong of [
      "2026-02-30T00:00:00Z",
      "2026-11-28T03:17:09",
      "2026-11-28T03:17:09+01:00",
      "2026-11-28",
      "",
    ]) {
      assert.equal(parseTime(wrong), undefined, wrong);
    }
  });
});
