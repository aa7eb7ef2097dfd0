import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { crc32 as nodeCrc32, gzipSync } from "node:zlib";
import {
  contentOf,
  DamagedError,
  FolderSource,
  ReadError,
  smallContent,
  Throttle,
  TooLargeError,
} from "../../../automation/archive";
import { crc32 } from "../../../automation/archive/gunzip";
import { problemOf } from "../../../automation/archive/s3";

const text = Buffer.from(
  JSON.stringify({ Records: Array.from({ length: 300 }, (_, id) => ({ id, name: `event ${id * 7919}` })) }),
);
const body = gzipSync(text);
/** In pieces of that size, as a network would bring them. */
const pieces = (bytes: Buffer, size: number) =>
  Readable.from(
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
      bytes.subarray(index * size, (index + 1) * size),
    ),
    { objectMode: false },
  );

describe("the content of a gzip file", () => {
  it("is the same whether it comes at once or in pieces", async () => {
    const whole = await contentOf(body);
    assert.equal(whole.size, text.length);
    for (const size of [7, 300, body.length - 8, body.length - 1, 1 << 20]) {
      const { bytes: none, ...rest } = await contentOf(pieces(body, size));
      assert.equal(none, undefined);
      assert.deepEqual(rest, { hash: whole.hash, size: whole.size, trailing: 0, hasExtras: false }, String(size));
    }
  });

  for (const [title, more, trailing] of [
    ["a second member", gzipSync("more"), gzipSync("more").length],
    ["zeros", Buffer.alloc(9), 9],
    ["a megabyte", Buffer.alloc(1 << 20, 1), 1 << 20],
  ] as const) {
    it(`shows ${title} behind its end`, async () => {
      const longer = Buffer.concat([body, more]);
      assert.equal((await contentOf(longer)).trailing, trailing);
      for (const size of [5000, body.length, 1 << 16])
        assert.equal((await contentOf(pieces(longer, size))).trailing, trailing, String(size));
    });
  }

  it("is damaged when anything of it lacks or is wrong", async () => {
    const wrong = Buffer.from(body);
    wrong[wrong.length - 6] = (wrong[wrong.length - 6] as number) ^ 1;
    const lengthWrong = Buffer.from(body);
    lengthWrong[lengthWrong.length - 1] = 9;
    for (const bytes of [
      body.subarray(0, -1),
      body.subarray(0, -9),
      body.subarray(0, 5),
      Buffer.alloc(0),
      text,
      wrong,
      lengthWrong,
    ]) {
      await assert.rejects(contentOf(bytes), DamagedError);
      await assert.rejects(contentOf(pieces(bytes, 100)), DamagedError);
    }
  });

  it("stops where it inflates to more than allowed", async () => {
    const bomb = gzipSync(Buffer.alloc(30 << 20));
    assert.ok(bomb.length < 1 << 16);
    await assert.rejects(contentOf(bomb, 20 << 20), TooLargeError);
    await assert.rejects(contentOf(pieces(bomb, 1000), 1 << 20), TooLargeError);
    assert.equal(smallContent(bomb, 1000), undefined);
    assert.equal((await contentOf(bomb)).size, 30 << 20);
  });

  it("has the check sum that zlib has", () => {
    assert.equal(crc32(text), nodeCrc32(text));
    assert.equal(crc32(text.subarray(10), crc32(text.subarray(0, 10))), nodeCrc32(text));
  });
});

describe("requests at the same time", () => {
  it("are never more than allowed, become more while all goes well, and half when S3 asks for less", async () => {
    let now = 0;
    const throttle = new Throttle(20, 4, () => now);
    let [running, most] = [0, 0];
    const one = async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
    };
    await Promise.all(Array.from({ length: 200 }, () => throttle.run(one)));
    assert.ok(most > 4 && most <= 20, String(most));
    const before = throttle.concurrency;
    throttle.slowDown();
    throttle.slowDown();
    assert.equal(throttle.concurrency, Math.floor(before / 2));
    for (let time = 0; time < 20; time++) {
      now += 2000;
      throttle.slowDown();
    }
    assert.equal(throttle.concurrency, 2);
    await assert.rejects(
      throttle.run(() => Promise.reject(new Error("one"))),
      /one/,
    );
    assert.equal(await throttle.run(() => Promise.resolve(1)), 1);
  });
});

describe("what S3 says when it does not hand over an object", () => {
  for (const [name, message, status, problem] of [
    ["NoSuchKey", "", 404, "missing"],
    ["InvalidObjectState", "", 403, "archived"],
    ["AccessDenied", "Access Denied", 403, "denied"],
    ["AccessDenied", "User: x is not authorized to perform: kms:Decrypt on resource: y", 403, "keyDenied"],
    ["KMS.DisabledException", "arn is disabled.", 400, "keyGone"],
    ["KMS.KMSInvalidStateException", "arn is pending deletion.", 400, "keyGone"],
    ["KMS.NotFoundException", "", 400, "keyGone"],
    ["NoSuchBucket", "", 404, "failed"],
    ["InternalError", "", 500, "failed"],
  ] as const) {
    it(`${name} (${message || status}) is ${problem}`, () => assert.equal(problemOf(name, message, status), problem));
  }
});

describe("a folder", () => {
  it("is listed in S3's order, and not left by a key or a link", async () => {
    const base = fs.mkdtempSync(path.join(os.tmpdir(), "crosstrail-folder-"));
    try {
      const folder = path.join(base, "archive");
      for (const key of ["a/b.gz", "a-/c.gz", "a/b/d.gz", "z.gz"]) {
        fs.mkdirSync(path.join(folder, path.dirname(key)), { recursive: true });
        fs.writeFileSync(path.join(folder, key), key);
      }
      fs.writeFileSync(path.join(base, "secret"), "secret");
      fs.symlinkSync("..", path.join(folder, "circle"));
      const source = new FolderSource(folder);
      const keys: string[] = [];
      for await (const page of source.list("")) keys.push(...page.map(({ key }) => key));
      assert.deepEqual(
        keys.filter((key) => key.endsWith(".gz")),
        ["a-/c.gz", "a/b.gz", "a/b/d.gz", "z.gz"],
      );
      assert.ok(!keys.some((key) => key.startsWith("circle/")));
      for (const key of ["../secret", "a/../../secret"]) await assert.rejects(source.read(key), ReadError);
      assert.deepEqual(await source.folders(""), ["a-/", "a/"]);
    } finally {
      fs.rmSync(base, { recursive: true, force: true });
    }
  });
});
