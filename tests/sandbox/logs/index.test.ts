import assert from "node:assert/strict";
import { createHash, createPublicKey, verify } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import {
  type DigestDocument,
  isStartingDigest,
  parseDigest,
  parseDigestKey,
  parseLogKey,
  signingString,
} from "../../../core/logs";
import {
  type ArchiveOptions,
  KeyRing,
  type MadeObject,
  makeArchive,
  METADATA_FILE,
  writeFolder,
} from "../../../sandbox/logs";

const from = Date.UTC(2026, 10, 1);
const options: ArchiveOptions = {
  bucket: "logs",
  trails: [{ name: "t", accounts: ["111111111111", "222222222222"], regions: ["us-east-1"], from, hours: 6 }],
};

describe("the maker of archives", () => {
  const keys = new KeyRing(1);
  const made = (change: Partial<ArchiveOptions> = {}): MadeObject[] => [
    ...makeArchive({ ...options, ...change }, keys),
  ];
  const digests = (all: MadeObject[]) =>
    all
      .filter(({ kind }) => kind !== "log")
      .map(({ body, ...rest }) => ({ ...rest, content: gunzipSync(body) }))
      .map((each) => ({ ...each, digest: parseDigest(JSON.parse(each.content.toString())).digest as DigestDocument }));

  it("makes files of the size that real ones have: 2.6 KB and 5.5 events", () => {
    const logs = made({ trails: [{ ...options.trails[0], hours: 24 } as ArchiveOptions["trails"][0]] }).filter(
      ({ kind }) => kind === "log",
    );
    const size = logs.reduce((sum, { body }) => sum + body.length, 0) / logs.length;
    const events =
      logs.reduce(
        (sum, { body }) => sum + (JSON.parse(gunzipSync(body).toString()) as { Records: [] }).Records.length,
        0,
      ) / logs.length;
    assert.ok(size > 2000 && size < 3200, String(size));
    assert.ok(events > 4.8 && events < 6.2, String(events));
  });

  it("makes the same again, and something else from another seed", () => {
    const text = (all: MadeObject[]) => all.map(({ key, body }) => key + body.toString("hex")).join();
    assert.equal(text(made()), text(made()));
    assert.notEqual(text(made()), text(made({ seed: 2 })));
  });

  it("signs and chains the digests, and names every log in exactly one of them", () => {
    const all = made({ backfills: 500, emptyHours: 300 });
    const named: string[] = [];
    const before = new Map<string, string>();
    for (const { key, metadata, content, digest, kind } of digests(all)) {
      const hash = createHash("sha256").update(content).digest("hex");
      const known = keys.list().find(({ fingerprint }) => fingerprint === digest.digestPublicKeyFingerprint);
      assert.ok(known);
      const der = Buffer.from(known.value, "base64");
      const type = der.length > 280 ? "spki" : "pkcs1";
      const signed = verify(
        "RSA-SHA256",
        Buffer.from(signingString(digest, hash)),
        createPublicKey({ key: der, format: "der", type }),
        Buffer.from(metadata?.signature ?? "", "hex"),
      );
      assert.ok(signed, key);
      assert.ok(parseDigestKey(key));
      named.push(...digest.logFiles.map(({ s3Object }) => s3Object));
      if (kind === "digest") {
        assert.equal(digest.previousDigestHashValue ?? undefined, before.get(digest.awsAccountId));
        before.set(digest.awsAccountId, hash);
      }
      for (const { s3Object, hashValue } of digest.logFiles) {
        const log = all.find((each) => each.key === s3Object);
        assert.equal(
          hashValue,
          createHash("sha256")
            .update(gunzipSync(log?.body ?? ""))
            .digest("hex"),
        );
        assert.ok(parseLogKey(s3Object));
      }
    }
    assert.deepEqual(
      named.sort(),
      all
        .filter(({ kind }) => kind === "log")
        .map(({ key }) => key)
        .sort(),
    );
    assert.ok(all.some(({ kind }) => kind === "backfill"));
  });

  it("ends a chain where logging is stopped, says who did it, and begins a new one", () => {
    const trail = { ...options.trails[0], pauses: [{ afterHours: 2, hours: 2 }] } as ArchiveOptions["trails"][0];
    const all = made({ trails: [trail] });
    const own = digests(all).filter(({ digest }) => digest.awsAccountId === "111111111111");
    assert.deepEqual(
      own.map(({ digest }) => isStartingDigest(digest)),
      [true, false, true, false],
    );
    const text = all.filter(({ kind }) => kind === "log").map(({ body }) => gunzipSync(body).toString());
    assert.equal(text.filter((each) => each.includes('"StopLogging"')).length, 1);
  });

  it("plants incidents, large files and trails without digests", () => {
    const incident = {
      accountId: "111111111111",
      region: "us-east-1",
      time: from + 3 * 3_600_000,
      fields: { eventName: "Planted" },
    };
    const text = made({ incidents: [incident] })
      .filter(({ kind }) => kind === "log")
      .map(({ body }) => gunzipSync(body).toString());
    assert.equal(text.filter((each) => each.includes('"eventName":"Planted"')).length, 1);
    const [trail] = options.trails as [ArchiveOptions["trails"][0]];
    const large = made({
      trails: [{ ...trail, hours: 1 }],
      large: { perThousand: 1000, megabytes: 0.1 },
      filesPerHour: 1,
    });
    assert.ok(large.some(({ body }) => gunzipSync(body).length > 100_000));
    assert.ok(made({ trails: [{ ...trail, validation: false }] }).every(({ kind }) => kind === "log"));
  });

  it("writes a folder, with the signatures beside it; several threads write the same as one", async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "crosstrail-logs-"));
    try {
      const { files } = await writeFolder(path.join(folder, "one"), options, { threads: 1 });
      await writeFolder(path.join(folder, "two"), options, { threads: 2 });
      const read = (name: string) =>
        fs
          .readdirSync(path.join(folder, name), { recursive: true, withFileTypes: true })
          .filter((each) => each.isFile())
          .map((each) => {
            const file = path.join(each.parentPath, each.name);
            const text = fs.readFileSync(file, "latin1");
            // The threads' lines come in another order.
            return [path.relative(path.join(folder, name), file), text.split("\n").sort().join("\n")];
          })
          .sort();
      assert.deepEqual(read("one"), read("two"));
      assert.equal(read("one").length, files + 1);
      assert.ok(read("one").some(([name]) => name === METADATA_FILE));
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  });
});
