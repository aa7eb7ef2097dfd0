import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { apiOf, lastUpdateOf, pathOf } from "../../../automation/fleet/unchanged/cloudBackend";
import { relevantEnvironment } from "../../../automation/fleet/unchanged/environment";
import type { LastUpdate } from "../../../automation/fleet/unchanged/lastUpdate";
import { agentOf, inputsOf, newestEntry, otherSecrets, whyStale } from "../../../automation/fleet/unchanged/lastUpdate";
import { opens, passphraseOf, Passphrases } from "../../../automation/fleet/unchanged/passphrase";
import { programVersion } from "../../../automation/fleet/unchanged/program";
import { s3Place, s3Store } from "../../../automation/fleet/unchanged/s3Store";
import { fileStore, folderOf, lastUpdateIn } from "../../../automation/fleet/unchanged/store";
import { canonical, isSameConfig } from "../../../core/fleet";

const inputs = { all: "ab".repeat(32), withoutAccess: "cd".repeat(32) };
const update = {
  kind: "update",
  result: "succeeded",
  endTime: 1_795_846_131,
  environment: { "exec.agent": agentOf(inputs), "exec.kind": "auto.inline" },
  config: { "aws:region": "us-east-1" },
};
const last: LastUpdate = { update, isLocked: false, state: { isAsLeft: true, hasPending: false } };
// By Pulumi 3.250, for this passphrase.
const passphrase = "crosstrail-sandbox";
const salt = "v1:5p63ofvRz5A=:v1:AsQp/XB9uzW0yCh5:LZZGeA8MK5hk1N0Cljki/tCywnsAKA==";

describe("automation/fleet/unchanged", () => {
  describe("the record of a stack's last update", () => {
    it("can be trusted where nobody has touched the stack since", () => {
      assert.equal(whyStale(last), undefined);
      assert.deepEqual(inputsOf(update), inputs);
    });

    it("is stale after anything else", () => {
      const cases: [Partial<LastUpdate>, RegExp][] = [
        [{ isLocked: true }, /locked/],
        [{ update: undefined }, /not recorded/],
        ...["refresh", "destroy", "import", "resource-import", "rename", undefined].map(
          (kind): [Partial<LastUpdate>, RegExp] => [{ update: { ...update, kind } }, /was not an update/],
        ),
        ...["failed", "in-progress", undefined].map((result): [Partial<LastUpdate>, RegExp] => [
          { update: { ...update, result } },
          /did not succeed/,
        ]),
        ...[undefined, {}, { "exec.agent": "crosstrail inputs/abc" }, { "exec.agent": `x ${agentOf(inputs)}` }].map(
          (environment): [Partial<LastUpdate>, RegExp] => [
            { update: { ...update, environment: environment as Record<string, string> } },
            /not made by/,
          ],
        ),
        [{ state: { isAsLeft: true, hasPending: true } }, /operations open/],
        [{ state: { isAsLeft: false, hasPending: false } }, /changed after/],
      ];
      for (const [change, reason] of cases) assert.match(whyStale({ ...last, ...change }) ?? "", reason);
    });

    it("never shows what a kind of operation may hide in its name", () => {
      assert.match(whyStale({ ...last, update: { ...update, kind: "\u001b[31m" } }) ?? "", /\(unknown\)/);
    });

    it("is the newest one, also where its form is not known", () => {
      const names = [
        "a-9.history.json",
        "a-10.history.json",
        "a-10.checkpoint.json",
        "b-99.history.json",
        "a-b-77.history.json",
      ];
      assert.deepEqual(newestEntry(names, "a"), { entry: "a-10.history.json", copy: "a-10.checkpoint.json" });
      assert.equal(newestEntry([...names, "a-11.history.json.zst"], "a")?.entry, "a-11.history.json.zst");
      assert.equal(newestEntry(names, "c"), undefined);
    });

    it("must have its secrets encrypted as the stack's file says", () => {
      const state = (secrets: object) => ({ isAsLeft: true, hasPending: false, secrets });
      const same = (file: Record<string, unknown>, secrets: object) => otherSecrets(file, state(secrets)) === undefined;
      const key = { type: "cloud", state: { url: "awskms://alias/x", encryptedkey: "k" } };
      assert.ok(same({ encryptionsalt: "s" }, { type: "passphrase", state: { salt: "s" } }));
      assert.ok(same({ secretsprovider: "awskms://alias/x", encryptedkey: "k" }, key));
      assert.ok(same({}, { type: "service", state: {} }));
      assert.ok(same({}, {}));
      for (const [file, secrets] of [
        [{}, { type: "passphrase", state: { salt: "s" } }],
        [{ encryptionsalt: "t" }, { type: "passphrase", state: { salt: "s" } }],
        [{ encryptionsalt: "s" }, { type: "passphrase", state: {} }],
        [{ encryptionsalt: "s" }, { type: "service" }],
        [{ secretsprovider: "awskms://alias/y", encryptedkey: "k" }, key],
        [{ secretsprovider: "awskms://alias/x", encryptedkey: "l" }, key],
        [{}, { type: "unknown" }],
      ] as [Record<string, unknown>, object][]) {
        assert.ok(!same(file, secrets), JSON.stringify([file, secrets]));
      }
    });
  });

  describe("a backend of files", () => {
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), "crosstrail-unchanged-"));
      for (const name of ["stacks/p", "history/p/s", "locks/organization/p/s"]) {
        mkdirSync(join(folder, ".pulumi", name), { recursive: true });
      }
      write("stacks/p/s.json", state());
      write("history/p/s/s-1.history.json", JSON.stringify({ ...update, result: "failed" }));
      write("history/p/s/s-2.history.json", JSON.stringify(update));
      write("history/p/s/s-2.checkpoint.json", state());
    });
    afterEach(() => rmSync(folder, { recursive: true }));
    const write = (name: string, content: string | Buffer) => writeFileSync(join(folder, ".pulumi", name), content);
    const state = (more: object = {}) =>
      JSON.stringify({ version: 3, checkpoint: { latest: { resources: [], ...more } } });
    const read = () => lastUpdateIn(fileStore(folder), "p", "s", "2026-11-28T06:00:00.000Z");

    it("is read without a process", async () => {
      assert.deepEqual(await read(), last);
      const secrets = { type: "passphrase", state: { salt: "x" } };
      write("stacks/p/s.json", state({ secrets_providers: secrets }));
      assert.deepEqual((await read()).state, { isAsLeft: false, hasPending: false, secrets });
    });

    it("shows an edit of the state, an open operation, and a lock", async () => {
      write("stacks/p/s.json", `${state()}\n`);
      assert.equal((await read()).state?.isAsLeft, false);
      write("stacks/p/s.json", state({ pending_operations: [{}] }));
      assert.equal((await read()).state?.hasPending, true);
      write("locks/organization/p/s/x.json", "{}");
      assert.equal((await read()).isLocked, true);
    });

    it("is not trusted where anything is missing, twice there, or not as Pulumi writes it", async () => {
      write("stacks/p/s.json.gz", gzipSync(state()));
      await assert.rejects(read());
      rmSync(join(folder, ".pulumi/stacks/p/s.json.gz"));
      write("history/p/s/s-3.history.json.zst", "");
      await assert.rejects(read());
      write("history/p/s/s-4.history.json", "{");
      write("history/p/s/s-4.checkpoint.json", state());
      await assert.rejects(read());
      rmSync(join(folder, ".pulumi/history/p/s/s-4.checkpoint.json"));
      await assert.rejects(read());
      rmSync(join(folder, ".pulumi/history"), { recursive: true });
      assert.equal((await read()).update, undefined);
      await assert.rejects(lastUpdateIn(fileStore(folder), "..", "s", undefined));
    });

    it("may be compressed", async () => {
      rmSync(join(folder, ".pulumi/stacks/p/s.json"));
      const packed = gzipSync(state());
      write("stacks/p/s.json.gz", packed);
      write("history/p/s/s-5.history.json.gz", gzipSync(JSON.stringify(update)));
      write("history/p/s/s-5.checkpoint.json.gz", packed);
      assert.deepEqual(await read(), last);
    });

    it("has its folder where Pulumi has it", () => {
      assert.equal(folderOf("file:///var/state?no_tmp_dir=true", "/project"), "/var/state");
      assert.equal(folderOf("file://./state", "/project"), "/project/state");
      assert.equal(folderOf("file://~", "/project"), homedir());
      assert.equal(folderOf("file://~/state", "/project"), join(homedir(), "state"));
      assert.equal(folderOf("s3://bucket", "/project"), undefined);
    });
  });

  describe("a backend in S3", () => {
    it("is read as its URL says, and not at all where it says what is not known", () => {
      assert.deepEqual(
        s3Place("s3://bucket/a/b/?region=eu-west-1&endpoint=localhost:9000&disableSSL=true&s3ForcePathStyle=true"),
        {
          bucket: "bucket",
          prefix: "a/b/",
          region: "eu-west-1",
          endpoint: "http://localhost:9000",
          pathStyle: true,
        },
      );
      assert.deepEqual(s3Place("s3://bucket?awssdk=v2&profile=me"), {
        bucket: "bucket",
        prefix: "",
        profile: "me",
        pathStyle: false,
      });
      for (const url of ["s3://", "gs://bucket", "s3://user@bucket", "s3://bucket?anonymous=true", "not a url"]) {
        assert.equal(s3Place(url), undefined, url);
      }
    });

    it("is not read with credentials that may be others than Pulumi's", () => {
      const place = { bucket: "bucket", prefix: "", region: "us-east-1", pathStyle: false };
      assert.equal(s3Store(place, {}), undefined);
      assert.equal(s3Store({ ...place, profile: "me" }, { AWS_CONFIG_FILE: "/elsewhere" }), undefined);
      const own = s3Store(place, { AWS_ACCESS_KEY_ID: "AKIAEXAMPLE", AWS_SECRET_ACCESS_KEY: "secret" });
      assert.ok(own);
      own.close();
    });
  });

  describe("Pulumi Cloud", () => {
    // A server that answers as the source of Pulumi's client expects it; nothing was recorded from the service itself.
    let server: Server;
    let api: string;
    let answer: { status: number; body: unknown };
    let asked: { url?: string; headers: IncomingHttpHeaders };
    before((done) => {
      server = createServer(({ url, headers }, response) => {
        asked = { url, headers };
        response.writeHead(answer.status, { "content-type": "application/json" }).end(JSON.stringify(answer.body));
      }).listen(0, "127.0.0.1", () => {
        api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
        done();
      });
    });
    after((done) => void server.close(done));
    const read = (isLocked = false) => lastUpdateOf(api, "token-x", "acme/crosstrail/payments", isLocked);

    it("is asked for the newest update, with one request", async () => {
      const config = {
        "aws:region": { string: "us-east-1", secret: false },
        "crosstrail:tags": { string: '{"a":"b"}', object: true },
        "aws:secretKey": { string: "v1:x:y", secret: true },
      };
      answer = { status: 200, body: { updates: [{ ...update, version: 7, config }] } };
      const { update: found, ...rest } = await read(true);
      assert.deepEqual(rest, { isLocked: true });
      assert.deepEqual(found?.config, {
        "aws:region": "us-east-1",
        "crosstrail:tags": { a: "b" },
        "aws:secretKey": { secure: "v1:x:y" },
      });
      assert.equal(asked.url, "/api/stacks/acme/crosstrail/payments/updates?pageSize=1&page=1");
      assert.equal(asked.headers.authorization, "token token-x");
      answer = { status: 200, body: { updates: [] } };
      assert.equal((await read()).update, undefined);
    });

    it("is not trusted where it refuses or answers something else", async () => {
      for (const [status, body] of [
        [401, {}],
        [500, {}],
        [200, {}],
        [200, "text"],
      ] as const) {
        answer = { status, body };
        await assert.rejects(read(), JSON.stringify([status, body]));
      }
    });

    it("is sent the token only over TLS, and only for the stack that is meant", () => {
      assert.equal(apiOf("https://api.pulumi.com/"), "https://api.pulumi.com");
      for (const url of ["http://example.com", "azblob://state", "not a url"]) assert.equal(apiOf(url), undefined, url);
      assert.equal(pathOf("https://app.pulumi.com/acme/crosstrail/web", "crosstrail", "web"), "acme/crosstrail/web");
      for (const page of [
        undefined,
        "x",
        "https://app.pulumi.com/crosstrail/web",
        "https://app.pulumi.com/acme/other/web",
      ]) {
        assert.equal(pathOf(page, "crosstrail", "web"), undefined, page);
      }
    });
  });

  describe("the passphrase", () => {
    it("is found where Pulumi finds it", () => {
      assert.equal(passphraseOf({}), undefined);
      assert.equal(passphraseOf({ PULUMI_CONFIG_PASSPHRASE: "" }), "");
      assert.equal(passphraseOf({ PULUMI_CONFIG_PASSPHRASE_FILE: "/not/there" }), undefined);
    });

    it("opens the salt that Pulumi made with it, and no other one", async () => {
      const [right, wrong] = await Promise.all([opens(passphrase, salt), opens(passphrase.toUpperCase(), salt)]);
      assert.deepEqual([right, wrong], [true, false]);
      for (const text of ["", "v2:a:v1:b:c", "v1:a:v1:b", "v1:a:v1:b:AAAA"]) assert.equal(await opens("", text), false);
      assert.equal(await new Passphrases({}).opens(salt), false);
    });
  });

  it("takes every variable of AWS's as an input, but for credentials", () => {
    const env = {
      AWS_REGION: "us-east-1",
      AWS_PROFILE: "x",
      AWS_ROLE_ARN: "r",
      AWS_ENDPOINT_URL_S3: "e",
      AWS_NOT_KNOWN_YET: "n",
      TF_APPEND_USER_AGENT: "t",
    };
    const others = {
      AWS_ACCESS_KEY_ID: "1",
      AWS_SECRET_ACCESS_KEY: "2",
      AWS_SESSION_TOKEN: "3",
      AWS_WEB_IDENTITY_TOKEN_FILE: "4",
      AWS_CONTAINER_CREDENTIALS_FULL_URI: "5",
      PULUMI_CONFIG_PASSPHRASE: "6",
      PULUMI_ACCESS_TOKEN: "7",
      HOME: "8",
      AWS_EMPTY: "",
    };
    assert.deepEqual(relevantEnvironment({ ...env, ...others }), env);
  });

  it("knows the program's version by its files", () => {
    assert.match(programVersion(), /^[0-9a-f]{64}$/);
    assert.equal(programVersion(), programVersion());
  });

  it("compares configurations as the engine hands them over", () => {
    assert.ok(
      isSameConfig({ a: true, b: [1, "x"], c: { d: null, e: 2 } }, { c: { e: "2" }, b: ["1", "x"], a: "true" }),
    );
    for (const other of [{ a: "false" }, { a: "true", b: "1" }, {}, { a: ["true"] }]) {
      assert.ok(!isSameConfig({ a: true }, other), JSON.stringify(other));
    }
    assert.equal(
      canonical({ b: [undefined, 1], a: undefined, c: { z: 1, y: "é" } }),
      '{"b":[null,1],"c":{"y":"é","z":1}}',
    );
  });
});
