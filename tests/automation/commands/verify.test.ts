/** The command, on a folder: options, exit codes, continuing, checkpoints, and the evidence with openssl itself. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { main } from "../../../automation/cli";
import { verify } from "../../../automation/verify";
import { openJournal } from "../../../automation/verify/journal";
import { parseDigestKey, type PublicKey, wholeSeconds } from "../../../core/logs";
import { METADATA_FILE, writeFolder } from "../../../sandbox/logs";

const from = Date.UTC(2026, 10, 20);
// More than are verified at the same time.
const accounts = Array.from({ length: 8 }, (_, index) => String(111111111111 * (index + 1)));
const digests = accounts.length * 4;

describe("crosstrail verify, on a folder", () => {
  let base: string;
  let original: string;
  let keysFile: string;
  before(async () => {
    base = fs.mkdtempSync(path.join(os.tmpdir(), "crosstrail-verify-"));
    original = path.join(base, "original");
    const trails = [{ name: "t", accounts, regions: ["us-east-1"], from, hours: 4 }];
    const { keys } = await writeFolder(original, { bucket: "logs", trails, filesPerHour: 3 }, { threads: 1 });
    keysFile = path.join(base, "keys.json");
    fs.writeFileSync(keysFile, JSON.stringify({ PublicKeyList: keys.list().map(asAws) }));
  });
  after(() => fs.rmSync(base, { recursive: true, force: true }));

  const asAws = ({ value, fingerprint, validFrom, validUntil }: PublicKey) => ({
    Value: value,
    Fingerprint: fingerprint,
    ValidityStartTime: validFrom / 1000,
    ValidityEndTime: wholeSeconds(validUntil),
  });
  let count = 0;
  const copy = () => {
    const folder = path.join(base, `copy-${count++}`);
    fs.cpSync(original, folder, { recursive: true });
    return folder;
  };
  const files = (folder: string, kind: "CloudTrail" | "CloudTrail-Digest") =>
    fs
      .readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".json.gz") && name.includes(`/${kind}/`))
      .sort()
      .map((name) => path.join(folder, name));
  const call = async (...args: string[]) => {
    let [stdout, stderr] = ["", ""];
    const exit = await main(["verify", ...args], {
      stdout: (text) => (stdout += text),
      stderr: (text) => (stderr += text),
      env: { XDG_STATE_HOME: path.join(base, "state") },
      color: false,
    });
    return { exit, stdout, stderr };
  };
  const callFolder = (folder: string, ...args: string[]) =>
    call("--folder", folder, "--public-keys", keysFile, ...args);

  it("says 0 for a whole one, 5 for one with a changed log, and 10 for one without the newest signatures", async () => {
    const whole = await callFolder(original);
    assert.equal(whole.exit, 0, whole.stdout + whole.stderr);
    assert.match(whole.stdout, /222222222222 +us-east-1 +t +4 +\d+ +2026-11-20 00:\d\d +2026-11-20 0\d:\d\d +✔/);
    assert.match(whole.stdout, /Complete and unaltered: every file that the digests list up to/);
    const changed = copy();
    fs.writeFileSync(files(changed, "CloudTrail")[0] as string, gzipSync("{}"));
    const problem = await callFolder(changed);
    assert.equal(problem.exit, 5);
    assert.match(problem.stdout, /PROBLEM {2}verify\/log-changed[^]*found: [0-9a-f]{64}[^]*1 problem found\./);
    const unsigned = copy();
    fs.rmSync(path.join(unsigned, METADATA_FILE));
    const open = await callFolder(unsigned, "--json");
    assert.equal(open.exit, 10);
    const { ok, data, findings } = JSON.parse(open.stdout) as {
      ok: boolean;
      data: { state: string };
      findings: { id: string }[];
    };
    assert.equal(ok, false);
    assert.equal(data.state, "notChecked");
    assert.deepEqual(
      findings.map(({ id }) => id),
      accounts.map(() => "verify/digest-unsigned"),
    );
  });

  it("refuses options that cannot be used, all at once, and reads nothing", async () => {
    const { exit, stderr } = await call(
      "--folder",
      original,
      "--bucket",
      "b",
      "--since",
      "yesterday",
      "--accounts",
      "1",
      "--role-arn",
      "x",
    );
    assert.equal(exit, 2);
    for (const name of ["--folder", "--bucket", "--since", "--accounts", "--role-arn"])
      assert.ok(stderr.includes(name), name);
    assert.equal((await call("--folder", path.join(base, "none"), "--public-keys", keysFile)).exit, 2);
    assert.equal((await call("--folder", original, "--public-keys", path.join(original, METADATA_FILE))).exit, 2);
  });

  it("limits what it verifies by account, Region and time", async () => {
    const read = async (...args: string[]) =>
      (
        JSON.parse((await callFolder(original, "--json", ...args)).stdout) as {
          data: { places: { accountId: string; digests: { verified: number } }[] };
        }
      ).data.places;
    assert.deepEqual(
      (await read("--accounts", accounts[1] as string)).map(({ accountId }) => accountId),
      [accounts[1]],
    );
    assert.deepEqual(await read("--regions", "eu-west-1"), []);
    const [place] = await read("--since", "2026-11-20T02:00:00Z");
    assert.equal(place?.digests.verified, 3);
    assert.equal((await callFolder(original, "--regions", "eu-west-1")).exit, 5);
  });

  it("writes a page that loads nothing and runs nothing, with nothing raw in it", async () => {
    const folder = copy();
    const [log] = files(folder, "CloudTrail") as [string];
    fs.writeFileSync(log, gzipSync("{}"));
    fs.writeFileSync(path.join(path.dirname(log), "<script>alert(1)</script>\u001b[2J".replace("/", "∕")), "x");
    const page = path.join(base, "page.html");
    const { exit, stdout } = await callFolder(folder, "--html", page);
    assert.equal(exit, 5);
    assert.ok(!stdout.includes("\u001b"));
    const text = fs.readFileSync(page, "utf8");
    assert.ok(!/<script|\u001b|src=|@import|url\(/i.test(text));
    assert.match(text, /<td class="cell changed"/);
  });

  it("continues an interrupted run, wherever it was interrupted, with the same result", async () => {
    const strip = (result: object) => ({ ...result, seconds: 0 });
    const folder = copy();
    fs.writeFileSync(files(folder, "CloudTrail")[0] as string, gzipSync("{}"));
    const options = { folder, publicKeys: keysFile };
    const whole = strip(await verify(options));
    const journal = path.join(base, "journal.jsonl");
    // What a whole run writes, kept aside.
    let lines: string[] = [];
    await verify({
      ...options,
      journal,
      onProgress: () => {
        if (fs.existsSync(journal)) lines = fs.readFileSync(journal, "utf8").split(/(?<=\n)/);
      },
    });
    assert.ok(!fs.existsSync(journal), "a run that has ended leaves no journal");
    assert.ok(lines.length >= 3);
    const text = lines.join("");
    const cuts = [
      1,
      40,
      (lines[0] as string).length,
      text.length - 7,
      text.length,
      (lines[0] as string).length + (lines[1] as string).length,
    ];
    for (const cut of cuts) {
      fs.writeFileSync(journal, text.slice(0, cut));
      assert.deepEqual(strip(await verify({ ...options, journal })), whole, `cut after ${cut} bytes`);
    }
    // Another run's journal is not continued.
    fs.writeFileSync(journal, text);
    assert.equal(openJournal(journal, { ...options, chainOnly: true }).done.size, 0);
  });

  it("is cancelled at any moment, and the rerun has the same result", async () => {
    const journal = path.join(base, "cancelled.jsonl");
    const options = { folder: original, publicKeys: keysFile, journal };
    const abort = new AbortController();
    const first = await verify({
      ...options,
      signal: abort.signal,
      onProgress: ({ stage }) => stage === "verifying" && abort.abort(),
    });
    assert.equal(first.complete, false);
    assert.ok(fs.existsSync(journal));
    const messages: string[] = [];
    const second = await verify({ ...options, onMessage: (text) => messages.push(text) });
    assert.match(messages.join(), /^Continuing the run of .* UTC: \d+ parts of it are done\.$/);
    assert.equal(second.digests.verified, digests);
    assert.equal(second.state, "whole");
  });

  describe("with a checkpoint", () => {
    const key = "k".repeat(40);
    const checkpointed = (folder: string, checkpoint: string, checkpointKey: string | undefined = key) =>
      verify({ folder, publicKeys: keysFile, checkpoint, checkpointKey });

    it("verifies only what is new, and notices that history was shortened or replaced", async () => {
      const folder = copy();
      const checkpoint = path.join(base, "checkpoint.json");
      assert.equal((await checkpointed(folder, checkpoint)).digests.verified, digests);
      const again = await checkpointed(folder, checkpoint);
      assert.deepEqual([again.digests.verified, again.state], [0, "whole"]);
      const own = files(folder, "CloudTrail-Digest").filter((file) => file.includes(accounts[0] as string));
      const [first, , , last] = own as [string, string, string, string];
      const bytes = fs.readFileSync(last);
      fs.rmSync(first);
      const shorter = await checkpointed(folder, checkpoint);
      assert.deepEqual(
        shorter.findings.map(({ id }) => id),
        ["verify/history-shortened"],
      );
      assert.equal(shorter.state, "problem");
      fs.cpSync(path.join(original, path.relative(folder, first)), first);
      const other = JSON.parse(gunzipSync(bytes).toString()) as Record<string, unknown>;
      fs.writeFileSync(last, gzipSync(JSON.stringify({ ...other, more: 1 })));
      assert.deepEqual(
        (await checkpointed(folder, checkpoint)).findings.map(({ id }) => id),
        ["verify/history-replaced"],
      );
    });

    it("that was edited, or has another key, it refuses; without a key it makes none", async () => {
      const checkpoint = path.join(base, "edited.json");
      await checkpointed(original, checkpoint);
      const text = fs.readFileSync(checkpoint, "utf8");
      fs.writeFileSync(checkpoint, text.replace(/"endTime":\d/, '"endTime":9'));
      await assert.rejects(checkpointed(original, checkpoint), /edited, or written with another key/);
      fs.writeFileSync(checkpoint, text);
      await assert.rejects(checkpointed(original, checkpoint, "x".repeat(40)), /edited, or written with another key/);
      await assert.rejects(checkpointed(original, checkpoint, "short"), /at least 32 characters/);
      await assert.rejects(verify({ folder: original, publicKeys: keysFile, checkpoint }), /there is none/);
    });

    it("is not moved by a run that found a problem", async () => {
      const folder = copy();
      fs.writeFileSync(files(folder, "CloudTrail")[0] as string, gzipSync("{}"));
      const checkpoint = path.join(base, "problem.json");
      assert.equal((await checkpointed(folder, checkpoint)).state, "problem");
      assert.ok(!fs.existsSync(checkpoint));
    });
  });

  describe("with evidence", () => {
    /** The page's commands, run as it says: in its folder, by a POSIX shell. */
    const follow = (folder: string, more = "") => {
      const page = fs.readFileSync(path.join(folder, "README.md"), "utf8");
      const commands = [...page.matchAll(/```sh\n([^]*?)```/g)].map(([, command]) => command);
      assert.equal(commands.length, 6);
      return execFileSync("sh", ["-c", `${commands.join("\n")}\n${more}`], {
        cwd: folder,
        encoding: "utf8",
        timeout: 60_000,
        stdio: ["ignore", "pipe", "pipe"],
      });
    };
    const all = [
      "The folder is as it was written.",
      "Keys compared.",
      "Signatures checked.",
      "Digests compared.",
      "Chains followed.",
    ];

    it("lets anyone check digests, keys, chains and logs, with openssl and sha256sum only", async () => {
      const folder = path.join(base, "evidence");
      assert.equal((await callFolder(original, "--evidence", folder)).exit, 0);
      const [log] = files(original, "CloudTrail") as [string];
      const place = `s3://logs/${path.relative(original, log)}`;
      const lines = follow(folder, `check_log '${log}' '${place}'; check_log '${keysFile}' '${place}' 2>/dev/null`)
        .trim()
        .split("\n");
      assert.deepEqual(lines, [...all, `GENUINE: ${place}`, `NOT THE SAME: ${place}`]);
    });

    it("does not let a forged one through", async () => {
      const folder = path.join(base, "forged");
      await callFolder(original, "--evidence", folder);
      const digests = path.join(folder, "digests");
      const [one = "", two = "", three = ""] = fs.readdirSync(digests).filter((name) => name.endsWith(".json"));
      fs.writeFileSync(path.join(digests, one), "{}");
      fs.writeFileSync(path.join(digests, two.replace(".json", ".sig")), Buffer.alloc(256));
      for (const end of [".json", ".sig", ".txt"]) fs.rmSync(path.join(digests, three.replace(".json", end)));
      const table = path.join(folder, "digests.tsv");
      fs.writeFileSync(
        table,
        fs
          .readFileSync(table, "utf8")
          .split("\n")
          .filter((line) => !line.startsWith(three.replace(".json", "")))
          .join("\n"),
      );
      // The manifest would say it all at once; without it the other steps do.
      fs.rmSync(path.join(folder, "SHA256SUMS"));
      const text = follow(folder);
      for (const wanted of ["ANOTHER CONTENT", "NOT SIGNED"]) assert.ok(text.includes(wanted), text);
      assert.ok(!text.includes(all[0] as string));
    });

    it("has no place in a folder with something else in it", async () => {
      assert.equal((await callFolder(original, "--evidence", base)).exit, 2);
    });

    it("names the keys in a file that the next run takes", async () => {
      const folder = path.join(base, "keys");
      await callFolder(original, "--evidence", folder);
      assert.equal((await call("--folder", original, "--public-keys", path.join(folder, "keys.json"))).exit, 0);
    });
  });

  it("reads names of digests only", () => {
    for (const file of files(original, "CloudTrail-Digest")) assert.ok(parseDigestKey(path.relative(original, file)));
  });
});
