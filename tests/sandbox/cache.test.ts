import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { cached, cachedEntry, cacheFolder, entryFolder, hashOfFiles } from "../../sandbox/cache";

const context = { signal: new AbortController().signal };
const step = { note: () => {}, title: () => {} };

describe("the cache", () => {
  let base: string;
  beforeEach(() => (base = mkdtempSync(join(tmpdir(), "crosstrail-cache-"))));
  afterEach(() => rmSync(base, { recursive: true, force: true }));

  const entry = (build: (folder: string) => Promise<void> = () => Promise.resolve()) => ({
    name: "thing",
    key: ["1"],
    build,
  });
  /** Entries and half-made entries, without locks. */
  const folders = () => readdirSync(base).filter((name) => !name.endsWith(".lock"));

  it("lies under XDG_CACHE_HOME, if that is absolute", () => {
    assert.equal(cacheFolder({ XDG_CACHE_HOME: "/somewhere" }), "/somewhere/crosstrail");
    assert.match(cacheFolder({ XDG_CACHE_HOME: "relative" }), /\/\.cache\/crosstrail$/);
    assert.match(cacheFolder({}), /\/\.cache\/crosstrail$/);
  });

  it("builds once", async () => {
    let built = 0;
    const build = (folder: string) => Promise.resolve(writeFileSync(join(folder, "file"), String(++built)));
    const first = await cached(context, step, entry(build), base);
    assert.equal(await cached(context, step, entry(build), base), first);
    assert.equal(cachedEntry(entry(), base), first);
    assert.equal(readFileSync(join(first, "file"), "utf8"), "1");
    assert.deepEqual(folders(), [first.slice(base.length + 1)]);
  });

  it("has another folder for another key", () => {
    assert.notEqual(entryFolder({ name: "thing", key: ["1"] }), entryFolder({ name: "thing", key: ["2"] }));
  });

  it("keeps nothing of a build that failed", async () => {
    const failing = entry((folder) => {
      writeFileSync(join(folder, "file"), "");
      return Promise.reject(new Error("no"));
    });
    await assert.rejects(cached(context, step, failing, base), /^Error: no$/);
    assert.deepEqual(folders(), []);
    await cached(context, step, entry(), base);
  });

  it("keeps nothing of a build that was stopped", async () => {
    const controller = new AbortController();
    const stopped = entry(() => Promise.resolve(controller.abort(new Error("stopped"))));
    await assert.rejects(cached(controller, step, stopped, base), /^Error: stopped$/);
    assert.deepEqual(folders(), []);
  });

  it("removes what a killed run left, and leaves what another run is making", async () => {
    const target = entryFolder(entry(), base);
    const dead = `${target}.tmp-${hostname()}-999999999-abcd`;
    const alive = `${target}.tmp-${hostname()}-${process.pid}-abcd`;
    for (const folder of [dead, alive]) mkdirSync(folder);
    await cached(context, step, entry(), base);
    assert.equal(existsSync(dead), false);
    assert.equal(existsSync(alive), true);
  });

  it("lets one of two runs build and the other wait for it, saying so", async () => {
    const program = `
      require("ts-node").register({ transpileOnly: true });
      const { cached } = require("./sandbox/cache");
      const fs = require("node:fs");
      const build = async (folder) => {
        fs.appendFileSync(process.argv[1] + "/builds", "x");
        await new Promise((resolve) => setTimeout(resolve, 600));
        fs.writeFileSync(folder + "/file", "whole");
      };
      const notes = new Set();
      const step = { note: (text) => notes.add(text), title: () => {} };
      cached({ signal: new AbortController().signal }, step, { name: "thing", key: ["1"], build }, process.argv[1])
        .then((folder) => console.log(JSON.stringify({ text: fs.readFileSync(folder + "/file", "utf8"), notes: [...notes] })));
    `;
    const outputs = await Promise.all([1, 2].map(() => output(program, base)));
    const results = outputs.map((text) => JSON.parse(text) as { text: string; notes: string[] });
    assert.deepEqual(
      results.map(({ text }) => text),
      ["whole", "whole"],
    );
    assert.equal(readFileSync(join(base, "builds"), "utf8"), "x");
    assert.ok(results.some(({ notes }) => notes.some((note) => note.startsWith("waiting for another run"))));
  });

  it("knows changed sources by their hash", () => {
    writeFileSync(join(base, "a"), "1");
    const before = hashOfFiles(base);
    writeFileSync(join(base, "a"), "2");
    const after = hashOfFiles(base);
    rmSync(join(base, "a"));
    mkdirSync(join(base, "a"));
    writeFileSync(join(base, "a", "b"), "2");
    assert.equal(new Set([before, after, hashOfFiles(base)]).size, 3);
  });
});

function output(program: string, argument: string): Promise<string> {
  const child = spawn(process.execPath, ["-e", program, argument], {
    cwd: join(__dirname, "../.."),
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.on("data", (chunk) => (text += String(chunk)));
  return new Promise((resolve) => child.on("close", () => resolve(text)));
}
