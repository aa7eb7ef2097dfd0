/** An archive that nobody touched verifies; one in which any byte is another does not, unless the content stays the same. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { run } from "../../../automation/verify/run";
import { smallContent } from "../../../automation/archive";
import { parseDigestKey } from "../../../core/logs";
import { account, bucket, from, HOUR, justAfter, region, scene, trail } from "../../support/verifyCases";
import { KeyRing, makeArchive, MemoryArchive } from "../../../sandbox/logs";

const runs = Math.max(30, Math.floor(Number(process.env.CROSSTRAIL_CASES ?? 300) / 5));

describe("verify: properties", () => {
  it("any archive that CloudTrail could have written verifies, in every layout", async () => {
    const ring = new KeyRing(1);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 1000 }),
        fc.constantFrom(undefined, "logs", "a/b"),
        fc.constantFrom(undefined, "o-abcdefghij"),
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 0, max: 1000 }),
        fc.integer({ min: 0, max: 1000 }),
        async (seed, prefix, organizationId, hours, emptyHours, backfills) => {
          const trails = [{ ...trail, ...(prefix && { prefix }), ...(organizationId && { organizationId }), hours }];
          const archive = MemoryArchive.of(
            bucket,
            makeArchive({ bucket, seed, trails, filesPerHour: 1, emptyHours, backfills }, ring),
          );
          const keys = { keys: () => Promise.resolve(ring.list()) };
          const { result } = await run({ source: archive, keys, now: from + (hours + 2) * HOUR });
          assert.deepEqual(result.findings, []);
          assert.equal(result.digests.verified + result.logs.verified, archive.keys().length);
        },
      ),
      { numRuns: Math.ceil(runs / 6) },
    );
  });

  it("one with another byte anywhere does not, unless the content stays the same to the byte", async () => {
    const untouched = scene({ filesPerHour: 1 });
    const all = untouched.archive.keys();
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 }), async (object, byte, change) => {
        const { archive, publicKeys } = scene({ filesPerHour: 1 });
        const key = all[object % all.length] as string;
        const before = archive.body(key);
        const after = Buffer.from(before);
        const at = byte % after.length;
        after[at] = (after[at] as number) ^ change;
        archive.put(key, after, { metadata: archive.metadata(key), time: archive.timeOf(key) });
        const { result } = await run({
          source: archive,
          keys: { keys: () => Promise.resolve(publicKeys) },
          now: justAfter,
        });
        if (result.findings.length > 0)
          return assert.equal(
            result.state,
            result.findings.every(({ id }) => id === "verify/log-hidden-data") ? "whole" : "problem",
          );
        const content = smallContent(after);
        assert.ok(content?.bytes?.equals(smallContent(before)?.bytes as Buffer), `byte ${at} of ${key}`);
      }),
      { numRuns: runs },
    );
  });

  it("one that lacks any object does not", async () => {
    const all = scene().archive.keys();
    for (const key of all) {
      const { archive, publicKeys } = scene();
      archive.purge(key);
      const keys = { keys: () => Promise.resolve(publicKeys) };
      const { result } = await run({ source: archive, keys, now: justAfter + (parseDigestKey(key) ? HOUR : 0) });
      assert.equal(result.state, "problem", key);
    }
  });

  it("is the same result however many files are read at the same time", async () => {
    const { archive, publicKeys } = scene();
    archive.purge(all(archive)[3] as string);
    const keys = { keys: () => Promise.resolve(publicKeys) };
    const results = await Promise.all(
      [1, 3, 64].map(async (lanes) => {
        const { result } = await run({ source: archive, keys, now: justAfter, parallel: { slices: lanes, lanes } });
        return { ...result, seconds: 0 };
      }),
    );
    assert.deepEqual(results[0], results[1]);
    assert.deepEqual(results[0], results[2]);
  });

  const all = (archive: MemoryArchive) =>
    archive.keys().filter((key) => key.includes(`${account}/CloudTrail/${region}`));
});
