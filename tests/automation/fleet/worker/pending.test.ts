/** What a killed run had begun to create is looked up; AWS is a server here that answers as the tests say. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { fromNodeProviderChain } from "@aws-sdk/credential-providers";
import type { Engine } from "../../../../automation/fleet/worker/engine";
import { lookUps, type Place, repeatable } from "../../../../automation/fleet/worker/lookUp";
import type { Deployment, PendingOperation } from "../../../../automation/fleet/worker/pending";
import { settlePending, Undecided } from "../../../../automation/fleet/worker/pending";
import { startAws } from "../../../support/aws";

const ROOT = path.join(__dirname, "../../../..");
const TRAIL = "aws:cloudtrail/trail:Trail";
const STORE = "aws:cloudtrail/eventDataStore:EventDataStore";
const ADMINISTRATOR = "aws:cloudtrail/organizationDelegatedAdminAccount:OrganizationDelegatedAdminAccount";
const BUCKET = "aws:s3/bucket:Bucket";
const KEY = "aws:kms/key:Key";
const REPLICA = "aws:kms/replicaKey:ReplicaKey";
const ALIAS = "aws:kms/alias:Alias";
const ROLE = "aws:iam/role:Role";
const GROUP = "aws:cloudwatch/logGroup:LogGroup";

type Request = Record<string, unknown>;
/** An answer; a number is the status of one without a body, a text the name of an error. */
type Answer = object | string | number;

describe("what a killed run had begun", () => {
  let answers: Record<string, (request: Request, region: string) => Answer>;
  let stop: () => Promise<void>;

  before(async () => {
    stop = await startAws(({ operation, isJson, region, parameters }) => {
      const answer = answers[operation]?.(parameters, region) ?? "NoSuchAnswerInThisTest";
      if (typeof answer === "number") return [answer];
      if (typeof answer === "string") {
        return isJson
          ? [400, { __type: answer }]
          : [400, `<ErrorResponse><Error><Code>${answer}</Code></Error></ErrorResponse>`];
      }
      if (isJson) return [200, answer];
      return [
        200,
        `<${operation}Response><${operation}Result>${xmlOf(answer)}</${operation}Result></${operation}Response>`,
      ];
    });
  });
  after(() => stop());
  beforeEach(() => (answers = {}));

  const since = new Date("2026-01-02T12:00:00Z");
  const hoursBefore = (hours: number) => (since.getTime() - hours * 3_600_000) / 1000;
  const look = (type: string, inputs: Request, more: Partial<Place> = {}) =>
    lookUps[type]?.(inputs, {
      region: "eu-central-1",
      credentials: fromNodeProviderChain(),
      account: "111111111111",
      since,
      known: new Set(),
      ...more,
    });

  it("everything that the components create is looked up, or may be created twice", () => {
    const types = new Set<string>();
    for (const folder of ["components", "programs"]) {
      for (const file of fs.readdirSync(path.join(ROOT, folder))) {
        const source = fs.readFileSync(path.join(ROOT, folder, file), "utf8");
        const imports = /import \{([^}]*)\} from "@pulumi\/aws\/([a-z0-9]+)(?:\/\w+)?"/g;
        for (const [, names, module] of source.matchAll(imports)) {
          for (const each of (names as string).split(",")) {
            const [name = "", local = name] = each.trim().split(/ as /);
            if (!new RegExp(`new ${local}\\(`).test(source) || name === "Provider") continue;
            types.add(`aws:${module}/${name.charAt(0).toLowerCase()}${name.slice(1)}:${name}`);
          }
        }
      }
    }
    assert.ok(types.size > 20, [...types].join());
    const known = [...Object.keys(lookUps), ...Object.keys(repeatable)];
    assert.deepEqual([...types].sort(), known.sort());
  });

  it("a trail, a bucket, an alias: by their name", async () => {
    answers.GetTrail = ({ Name }) =>
      Name === "crosstrail"
        ? { Trail: { TrailARN: "arn:aws:cloudtrail:r:1:trail/crosstrail" } }
        : "TrailNotFoundException";
    assert.equal(await look(TRAIL, { name: "crosstrail" }), "arn:aws:cloudtrail:r:1:trail/crosstrail");
    assert.equal(await look(TRAIL, { name: "other" }), undefined);
    answers["HEAD /logs/"] = () => 200;
    answers["HEAD /nothing/"] = () => 404;
    assert.equal(await look(BUCKET, { bucket: "logs" }), "logs");
    assert.equal(await look(BUCKET, { bucket: "nothing" }), undefined);
    answers.ListAliases = () => ({ Aliases: [{ AliasName: "alias/crosstrail" }] });
    assert.equal(await look(ALIAS, { name: "alias/crosstrail" }), "alias/crosstrail");
    assert.equal(await look(ALIAS, { name: "alias/other" }), undefined);
  });

  it("another account's bucket is an error, not an absence", async () => {
    answers["HEAD /logs/"] = () => 403;
    await assert.rejects(async () => look(BUCKET, { bucket: "logs" }));
  });

  it("a role: by its name, if it is what this run made", async () => {
    const role = {
      RoleName: "Reader",
      Description: "reads",
      CreateDate: new Date(hoursBefore(0) * 1000).toISOString(),
    };
    answers.GetRole = ({ RoleName }) => (RoleName === "Reader" ? { Role: role } : "NoSuchEntityException");
    const inputs = { name: "Reader", description: "reads" };
    assert.equal(await look(ROLE, inputs), "Reader");
    assert.equal(await look(ROLE, { ...inputs, name: "Other" }), undefined);
    // One that was there long before, or is described otherwise, is somebody else's.
    assert.equal(await look(ROLE, { ...inputs, description: "writes" }), undefined);
    role.CreateDate = new Date(hoursBefore(30) * 1000).toISOString();
    assert.equal(await look(ROLE, inputs), undefined);
    assert.equal(await look(ROLE, inputs, { since: undefined }), "Reader");
  });

  it("a log group: by exactly its name", async () => {
    let creationTime = hoursBefore(0) * 1000;
    answers.DescribeLogGroups = () => ({
      logGroups: [
        { logGroupName: "crosstrail/a-b", creationTime },
        { logGroupName: "crosstrail/a", creationTime },
      ],
    });
    assert.equal(await look(GROUP, { name: "crosstrail/a" }), "crosstrail/a");
    assert.equal(await look(GROUP, { name: "crosstrail" }), undefined);
    creationTime = hoursBefore(30) * 1000;
    assert.equal(await look(GROUP, { name: "crosstrail/a" }), undefined);
  });

  it("an event data store: by its name, unless it is being deleted; two of them cannot be told apart", async () => {
    const stores = [
      { EventDataStoreArn: "arn:1", Name: "lake", Status: "ENABLED", CreatedTimestamp: hoursBefore(0) },
      { EventDataStoreArn: "arn:2", Name: "lake", Status: "PENDING_DELETION", CreatedTimestamp: hoursBefore(0) },
      { EventDataStoreArn: "arn:3", Name: "other", Status: "ENABLED", CreatedTimestamp: hoursBefore(0) },
    ];
    answers.ListEventDataStores = () => ({ EventDataStores: stores });
    answers.GetEventDataStore = ({ EventDataStore }) =>
      stores.find(({ EventDataStoreArn }) => EventDataStoreArn === EventDataStore) as object;
    assert.equal(await look(STORE, { name: "lake" }), "arn:1");
    assert.equal(await look(STORE, { name: "none" }), undefined);
    (stores[1] as { Status: string }).Status = "ENABLED";
    await assert.rejects(
      async () => look(STORE, { name: "lake" }),
      /several event data stores have this name: arn:1, arn:2/,
    );
  });

  it("an administrator of the organization: by the account", async () => {
    answers.ListDelegatedAdministrators = () => ({ DelegatedAdministrators: [{ Id: "222222222222" }] });
    assert.equal(await look(ADMINISTRATOR, { accountId: "222222222222" }), "222222222222");
    assert.equal(await look(ADMINISTRATOR, { accountId: "333333333333" }), undefined);
  });

  describe("keys", () => {
    const keys: Record<
      string,
      { Description?: string; KeyState?: string; CreationDate?: number; tags?: object; policy?: string }
    > = {};
    beforeEach(() => {
      for (const id of Object.keys(keys)) delete keys[id];
      answers.ListKeys = () => ({ Keys: Object.keys(keys).map((KeyId) => ({ KeyId })) });
      answers.DescribeKey = ({ KeyId }) => {
        const key = keys[KeyId as string];
        if (!key) return "NotFoundException";
        return {
          KeyMetadata: { KeyId, KeyManager: "CUSTOMER", KeyState: "Enabled", CreationDate: hoursBefore(0), ...key },
        };
      };
      answers.ListResourceTags = ({ KeyId }) => ({
        Tags: Object.entries(keys[KeyId as string]?.tags ?? {}).map(([TagKey, TagValue]) => ({
          TagKey,
          TagValue: TagValue as string,
        })),
      });
      answers.GetKeyPolicy = ({ KeyId }) => ({ Policy: keys[KeyId as string]?.policy });
    });

    it("by the stack's own tag; one that is being deleted is none, and two are one too many", async () => {
      const tags = { "crosstrail:stack": "o/p/audit" };
      const inputs = { tags: { ...tags, team: "x" }, description: "d", policy: "{}" };
      keys.other = { tags: { "crosstrail:stack": "o/p/audit:2" } };
      keys.gone = { tags, KeyState: "PendingDeletion" };
      assert.equal(await look(KEY, inputs), undefined);
      keys.mine = { tags, Description: "described otherwise since" };
      assert.equal(await look(KEY, inputs), "mine");
      keys.second = { tags };
      await assert.rejects(async () => look(KEY, inputs), /several keys match what was to be created: mine, second/);
      // The stack has it already, so it is not the one.
      assert.equal(await look(KEY, inputs, { known: new Set(["mine"]) }), "second");
    });

    it("without that tag by purpose, tags and policy", async () => {
      const inputs = {
        description: "log group",
        tags: { team: "x" },
        policy: '{"Version":"2012-10-17","Statement":[1]}',
      };
      const same = {
        Description: "log group",
        tags: { team: "x", more: "y" },
        policy: '{ "Statement": [1], "Version": "2012-10-17" }',
      };
      keys.old = { ...same, CreationDate: hoursBefore(30) };
      keys.otherPurpose = { ...same, Description: "topic" };
      keys.otherTags = { ...same, tags: {} };
      keys.otherPolicy = { ...same, policy: "{}" };
      assert.equal(await look(KEY, inputs), undefined);
      keys.mine = same;
      assert.equal(await look(KEY, inputs), "mine");
    });

    it("a replica: by its primary's id", async () => {
      const inputs = { primaryKeyArn: "arn:aws:kms:us-east-1:111111111111:key/mrk-1" };
      assert.equal(await look(REPLICA, inputs), undefined);
      keys["mrk-1"] = {};
      assert.equal(await look(REPLICA, inputs), "mrk-1");
    });
  });

  describe("in a stack's state", () => {
    const urn = (type: string, name: string) => `urn:pulumi:audit::crosstrail::${type}::${name}`;
    const creating = (type: string, name: string, inputs: Request, more = {}): PendingOperation => ({
      type: "creating",
      resource: { urn: urn(type, name), type, inputs, ...more },
    });
    const settle = async (pending: PendingOperation[], resources: Deployment["resources"] = []) => {
      const commands: string[] = [];
      let imported: { deployment: { resources: Request[]; pending_operations: PendingOperation[] } } | undefined;
      const engine = {
        within: <Result>(work: Promise<Result>) => work,
        must: (args: string[], input?: string) => {
          commands.push(args.slice(0, 2).join(" "));
          if (input !== undefined) imported = JSON.parse(input) as typeof imported;
          return Promise.resolve({
            stdout: JSON.stringify({ deployment: { resources, pending_operations: pending } }),
          });
        },
      } as unknown as Engine;
      const config = { "aws:region": "eu-central-1", "aws:allowedAccountIds": ["111111111111"] };
      const said = await settlePending(engine, config, { resources, pending, time: since.toISOString() });
      return { said, commands, imported };
    };

    it("what is there is taken over and read, what is not is forgotten, other open operations stay", async () => {
      answers.GetTrail = () => ({ Trail: { TrailARN: "arn:trail" } });
      answers["HEAD /logs/"] = () => 404;
      const updating: PendingOperation = { type: "updating", resource: { urn: urn(TRAIL, "b"), type: TRAIL } };
      const { said, commands, imported } = await settle([
        creating(TRAIL, "a", { name: "t" }),
        creating(BUCKET, "logs", { bucket: "logs" }),
        creating("aws:s3/bucketPolicy:BucketPolicy", "p", {}),
        updating,
      ]);
      assert.deepEqual(said, [
        `It created ${TRAIL} a (arn:trail), which was adopted.`,
        `It started to create ${BUCKET} logs, which does not exist in AWS.`,
        "It started to create aws:s3/bucketPolicy:BucketPolicy p, which does not exist in AWS.",
      ]);
      assert.deepEqual(commands, ["stack export", "stack import", "refresh --yes"]);
      assert.deepEqual(imported?.deployment.pending_operations, [updating]);
      assert.deepEqual(
        imported.deployment.resources.map(({ urn: each, id }) => [each, id]),
        [[urn(TRAIL, "a"), "arn:trail"]],
      );
    });

    it("what a run took over, and was ended before it could read it, is read by the next one", async () => {
      const resource = { urn: urn(TRAIL, "a"), type: TRAIL, id: "arn:trail" };
      assert.deepEqual((await settle([], [{ ...resource, outputs: {} }])).commands, ["refresh --yes"]);
      assert.deepEqual((await settle([], [{ ...resource, outputs: { name: "t" } }])).commands, []);
    });

    it("asks in the Region of the resource's own provider", async () => {
      const regions: string[] = [];
      answers.DescribeKey = (_, region) => (regions.push(region), "NotFoundException");
      const provider = { urn: urn("pulumi:providers:aws", "replica"), type: "pulumi:providers:aws", id: "1" };
      const primaryKeyArn = "arn:aws:kms:eu-central-1:111111111111:key/mrk-1";
      await settle(
        [
          creating(REPLICA, "a", { primaryKeyArn }, { provider: `${provider.urn}::1` }),
          creating(REPLICA, "b", { primaryKeyArn }),
        ],
        [{ ...provider, inputs: { region: "eu-west-1" }, outputs: {} }],
      );
      assert.deepEqual(regions.sort(), ["eu-central-1", "eu-west-1"]);
    });

    it("what cannot be found out is said, and nothing is written", async () => {
      answers.ListKeys = () => "AccessDeniedException";
      await assert.rejects(
        settle([creating(KEY, "k", { tags: { "crosstrail:stack": "s" } })]),
        (error) =>
          error instanceof Undecided && /AccessDeniedException/.test(error.reason) && error.urn === urn(KEY, "k"),
      );
    });
  });
});

function xmlOf(value: object): string {
  return Object.entries(value)
    .map(([name, each]) => `<${name}>${typeof each === "object" ? xmlOf(each as object) : String(each)}</${name}>`)
    .join("");
}
