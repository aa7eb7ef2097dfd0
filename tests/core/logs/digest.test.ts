import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  chooseKey,
  contradictions,
  type DigestDocument,
  gzipHeader,
  judgeLink,
  KeyChoice,
  Link,
  noPrevious,
  parseDigest,
  parseDigestKey,
  type ReadDigest,
  signingString,
  stopFor,
  trailStop,
} from "../../../core/logs";
import { KeyRing, signedDigest } from "../../../sandbox/logs";

const HOUR = 3_600_000;
const from = Date.UTC(2026, 10, 28);
const keys = new KeyRing(1);

const keyAt = (hour: number) => {
  const stamp = `${new Date(from + hour * HOUR).toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z`;
  return `AWSLogs/111111111111/CloudTrail-Digest/us-east-1/2026/11/28/111111111111_CloudTrail-Digest_us-east-1_t_us-east-1_${stamp}.json.gz`;
};

/** A chain of digests that fit together. */
function chain(hours: number): ReadDigest[] {
  let previous = noPrevious;
  return Array.from({ length: hours }, (_, index) => {
    const start = from + index * HOUR;
    const key = keyAt(index + 1);
    const facts = { bucket: "logs", key, accountId: "111111111111", start, end: start + HOUR, logs: [], previous };
    const made = signedDigest(facts, keys.at(start));
    previous = made.next;
    return {
      key,
      name: parseDigestKey(key) as NonNullable<ReturnType<typeof parseDigestKey>>,
      digest: made.document,
      contentHash: made.next.previousDigestHashValue as string,
      signature: made.next.previousDigestSignature as string,
    };
  });
}

describe("digests", () => {
  const [first, second, third] = chain(3) as [ReadDigest, ReadDigest, ReadDigest];
  const changed = (of: ReadDigest, change: Partial<DigestDocument>): ReadDigest => ({
    ...of,
    digest: { ...of.digest, ...change },
  });

  it("are signed over four lines, with the word null where nothing is before", () => {
    const { digestEndTime, digestS3Object } = first.digest;
    const hash = "ab".repeat(32);
    assert.equal(signingString(first.digest, hash), `${digestEndTime}\nlogs/${digestS3Object}\n${hash}\nnull`);
    assert.equal(signingString(second.digest, hash).split("\n")[3], first.signature);
  });

  it("are read with every mistake at once, and with fields that are not known", () => {
    assert.deepEqual(parseDigest({ ...first.digest, something: 1 }).problems, undefined);
    assert.deepEqual(parseDigest([]).problems, ["is not a JSON object"]);
    const { problems } = parseDigest({ ...first.digest, awsAccountId: 1, digestEndTime: "now", logFiles: [{}] });
    assert.equal(problems?.length, 8);
    assert.deepEqual(problems?.slice(0, 2), [
      "awsAccountId is not an account id",
      "digestEndTime is not a time in UTC",
    ]);
    assert.deepEqual(parseDigest({ ...first.digest, previousDigestS3Bucket: "logs" }).problems, [
      "of the five fields of the previous digest, some are null and some are not",
    ]);
    assert.deepEqual(parseDigest({ ...first.digest, digestEndTime: "2020-01-01T00:00:00Z" }).problems, [
      "digestEndTime is before digestStartTime",
    ]);
    assert.equal(parseDigest({ ...first.digest, digestSignatureAlgorithm: "SHA1withRSA" }).problems?.length, 1);
  });

  it("that contradict their key are told by field", () => {
    assert.deepEqual(contradictions(first), []);
    assert.deepEqual(
      contradictions(changed(first, { awsAccountId: "222222222222", digestEndTime: second.digest.digestEndTime })),
      ["awsAccountId", "digestEndTime"],
    );
  });

  describe("in a chain", () => {
    it("fit to the one before, by place, hash, signature and time", () => {
      assert.equal(judgeLink(first, second).link, Link.Whole);
      assert.equal(judgeLink(undefined, first).link, Link.Start);
    });

    for (const [field, before, after] of [
      ["previousDigestHashValue", { contentHash: "00".repeat(32) }, {}],
      ["previousDigestSignature", { signature: "00".repeat(256) }, {}],
      ["digestStartTime", {}, { digestStartTime: "2026-11-28T01:00:01Z" }],
    ] as const) {
      it(`do not fit with another ${field}`, () => {
        const judged = judgeLink({ ...first, ...before }, changed(second, after));
        assert.deepEqual([judged.link, judged.mismatches], [Link.Broken, [field]]);
      });
    }

    it("that a copy has without signatures fit by place, hash and time", () => {
      assert.equal(judgeLink({ ...first, signature: undefined }, second).link, Link.Whole);
    });

    it("show what is missing: before the first, between two, and between two chains", () => {
      assert.equal(judgeLink(undefined, second).link, Link.StartMissing);
      assert.deepEqual(judgeLink(first, third), {
        link: Link.Missing,
        mismatches: [],
        from: from + HOUR,
        to: from + 2 * HOUR,
      });
      assert.equal(judgeLink(first, changed(third, noPrevious)).link, Link.NewChain);
      assert.equal(judgeLink(first, changed(second, { previousDigestS3Bucket: "other" })).link, Link.Missing);
    });
  });
});

describe("public keys", () => {
  // The sample of `aws cloudtrail list-public-keys help`.
  const sample =
    "MIIBCgKCAQEAlSS3cl92HDycr/MTj0moOhas8habjrraXw+KzlWF0axSI2tcF+3iJ9BKQAVSKxGwxwu3m0wG3J+kUl1xboEcEPHYoIYMbgfSw7KGnuDKwkLzsQWhUJ0cIbOHASox1vv/5fNXkrHhGbDCHeVXm804c83nvHUEFYThr1PfyP/8HwrCtR3FX5OANtQCP61C1nJtSSkC8JSQUOrIP4CuwJjc+4WGDk+BGH5m9iuiAKkipEHWmUl8/P7XpfpWQuk4h8g3pXZOrNXr08lbh4d39svj7UqdhvOXoBISp9t/EXYuePGEtBdrKD9Dz+VHwyUPtBQvYr9BnkF88qBnaPNhS44rzwIDAQAB";

  it("are named by the MD5 of their DER, as AWS's sample is", () => {
    const fingerprint = createHash("md5").update(Buffer.from(sample, "base64")).digest("hex");
    assert.equal(fingerprint, "7f3f401420072e50a65a141430817ab3");
  });

  it("are chosen by fingerprint and time", () => {
    const key = {
      value: sample,
      fingerprint: "7f3f401420072e50a65a141430817ab3",
      validFrom: 10 * HOUR,
      validUntil: 20 * HOUR,
    };
    const choice = (madeAt: number, fingerprint = key.fingerprint) => chooseKey([key], fingerprint, madeAt).choice;
    assert.equal(choice(15 * HOUR), KeyChoice.Found);
    assert.equal(choice(15 * HOUR, key.fingerprint.toUpperCase()), KeyChoice.Found);
    // A digest is signed some time after the end of its window, when the next key may be in use already.
    assert.equal(choice(8 * HOUR), KeyChoice.Found);
    assert.equal(choice(8 * HOUR - 1), KeyChoice.NotValidThen);
    assert.equal(choice(20 * HOUR), KeyChoice.Found);
    assert.equal(choice(20 * HOUR + 1), KeyChoice.NotValidThen);
    assert.equal(choice(15 * HOUR, "00".repeat(16)), KeyChoice.Unknown);
    assert.equal(chooseKey([key], key.fingerprint, 20.5 * HOUR, { before: HOUR, after: HOUR }).choice, KeyChoice.Found);
  });
});

describe("what stops a trail's digests", () => {
  const record = (change: object = {}) => ({
    eventSource: "cloudtrail.amazonaws.com",
    eventName: "StopLogging",
    eventTime: "2026-11-28T03:00:00Z",
    awsRegion: "us-east-1",
    recipientAccountId: "111111111111",
    userIdentity: { arn: "arn:aws:iam::111111111111:user/mallory" },
    requestParameters: { name: "arn:aws:cloudtrail:us-east-1:111111111111:trail/crosstrail" },
    eventID: "e",
    ...change,
  });
  const time = Date.UTC(2026, 10, 28, 3);

  it("is who stopped, deleted or changed which trail", () => {
    assert.deepEqual(trailStop(record()), {
      eventName: "StopLogging",
      time,
      trailName: "crosstrail",
      region: "us-east-1",
      accountId: "111111111111",
      by: "arn:aws:iam::111111111111:user/mallory",
      eventId: "e",
    });
    assert.equal(trailStop(record({ eventName: "DeleteTrail", requestParameters: { name: "t" } }))?.trailName, "t");
    const update = (requestParameters: object) => trailStop(record({ eventName: "UpdateTrail", requestParameters }));
    assert.ok(update({ name: "t", enableLogFileValidation: false }));
    assert.ok(update({ name: "t", isMultiRegionTrail: false }));
    assert.equal(update({ name: "t", s3KeyPrefix: "new" }), undefined);
  });

  it("is no call that was refused, of another service, or malformed", () => {
    for (const change of [
      { errorCode: "AccessDenied" },
      { eventSource: "other.amazonaws.com" },
      { eventTime: "never" },
      { eventName: "StartLogging" },
    ]) {
      assert.equal(trailStop(record(change)), undefined);
    }
    for (const value of [null, 1, "x", [], {}]) assert.equal(trailStop(value), undefined);
  });

  it("explains the end of that trail's chain at that time, and no other's", () => {
    const stops = [trailStop(record()) as NonNullable<ReturnType<typeof trailStop>>];
    const trail = { trailName: "crosstrail", homeRegion: "us-east-1" };
    assert.ok(stopFor(stops, trail, time + HOUR));
    assert.equal(stopFor(stops, trail, time + 3 * HOUR), undefined);
    assert.equal(stopFor(stops, trail, time - HOUR), undefined);
    assert.equal(stopFor(stops, { ...trail, trailName: "other" }, time + HOUR), undefined);
    assert.equal(stopFor(stops, { ...trail, homeRegion: "us-west-2" }, time + HOUR), undefined);
  });
});

describe("the frame of a gzip file", () => {
  const header = (flags: number, ...more: number[]) =>
    Uint8Array.from([0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3, ...more]);

  it("is read with all that it may carry", () => {
    assert.deepEqual(gzipHeader(header(0)), { length: 10, hasExtras: false });
    assert.deepEqual(gzipHeader(header(0x08, 65, 66, 0)), { length: 13, hasExtras: true });
    assert.deepEqual(gzipHeader(header(0x1e, 2, 0, 9, 9, 65, 0, 66, 0, 1, 2)), { length: 20, hasExtras: true });
  });

  it("is none, or is not whole", () => {
    assert.equal(gzipHeader(Uint8Array.from([0x50, 0x4b, 3, 4, 0, 0, 0, 0, 0, 0])), undefined);
    assert.equal(gzipHeader(header(0x20)), undefined);
    for (const cut of [header(0).slice(0, 9), header(0x08, 65), header(0x04, 9, 0, 1), header(0x02)]) {
      assert.equal(gzipHeader(cut), "incomplete");
    }
  });
});
