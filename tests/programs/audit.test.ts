import assert from "node:assert/strict";
import { archivePolicies } from "../../core/archivePolicies";
import { contractKeys, parseContract } from "../../core/contract";
import { builtPolicies, fleetOfSettings, simulate } from "../../core/simulate";
import { futureKeyArn, trailArn } from "../../core/names";
import { bucketPolicy } from "../../core/policies/bucket";
import { keyPolicy } from "../../core/policies/key";
import { readerTrust, readPermissions } from "../../core/policies/reader";
import { parseSettings } from "../../core/settings";
import { run as program } from "../../programs";
import { auditAccountId, bucketName, contract, fleetOf, keyArn, trailOf } from "../support/fleet";
import type { World } from "../support/mocks";
import { startMocks } from "../support/mocks";
import { configOf, deploy, managementEvents, refuses } from "./run";

const members = [
  { accountId: "222222222222", alias: "payments" },
  { accountId: "333333333333", alias: "web", homeRegion: "eu-west-1", trailName: "web-trail" },
];
const own = trailOf(auditAccountId);
const payments = trailOf("222222222222");
const web = trailOf("333333333333", { region: "eu-west-1", name: "web-trail" });

function world(config: Record<string, unknown> = {}, other: Partial<World> = {}): World {
  return {
    stack: "audit",
    accountId: auditAccountId,
    config: configOf({
      "aws:region": "us-east-1",
      "aws:allowedAccountIds": [auditAccountId],
      role: "audit",
      auditAccountId,
      bucketName,
      members,
      ...config,
    }),
    ...other,
  };
}

const deployed = (outputs: Record<string, unknown>) => ({ stacks: { "acme/crosstrail/audit": outputs } });

describe("programs/audit", () => {
  it("exports the contract, exactly", async () => {
    const { outputs } = await deploy(world());
    assert.deepEqual(outputs, contract());
    // Readers and what comes behind them are in it only where there are any.
    assert.deepEqual(Object.keys(outputs), contractKeys.slice(0, contractKeys.indexOf("readers")));
  });

  it("exports what a member stack reads, also while a trail is being renamed", async () => {
    const renamed = [{ ...members[0], previousTrailName: "old-trail" }];
    const { outputs, run } = await deploy(world({ members: renamed, logPrefix: "prod", trailName: "org-trail" }));
    const [now, before] = ["org-trail", "old-trail"].map((name) => trailOf("222222222222", { name }));
    assert.deepEqual(
      parseContract(outputs, "audit"),
      contract({
        logPrefix: "prod",
        trails: [
          {
            accountId: auditAccountId,
            alias: "audit",
            trailArn: trailArn(trailOf(auditAccountId, { name: "org-trail" })),
          },
          {
            accountId: "222222222222",
            alias: "payments",
            trailArn: trailArn(now!),
            previousTrailArn: trailArn(before!),
          },
        ],
      }),
    );
    const trails = [trailOf(auditAccountId, { name: "org-trail" }), now!, before!];
    const policy = run.resource("BucketPolicy", "audit-policy").inputs.policy as string;
    assert.deepEqual(
      JSON.parse(policy),
      bucketPolicy({ partition: "aws", bucketName, logPrefix: "prod", trails }).document,
    );
  });

  it("makes the key, the bucket, and the audit account's own trail after both", async () => {
    const { run } = await deploy(world());
    assert.deepEqual(
      run.resources.map(({ name, type, parent }) => `${type.split(":").pop()} ${name}, in ${parent}`).sort(),
      [
        "Alias audit-alias, in AuditKey audit",
        "AuditBucket audit, in undefined",
        "AuditKey audit, in undefined",
        "Bucket audit-bucket, in AuditBucket audit",
        "BucketOwnershipControls audit-ownership, in AuditBucket audit",
        "BucketPolicy audit-policy, in AuditBucket audit",
        "BucketPublicAccessBlock audit-public-access, in AuditBucket audit",
        "BucketServerSideEncryptionConfiguration audit-encryption, in AuditBucket audit",
        "BucketVersioning audit-versioning, in AuditBucket audit",
        "Key audit-key, in AuditKey audit",
        "MemberTrail audit, in undefined",
        "Trail audit-trail, in MemberTrail audit",
      ],
    );
    const order = run.resources.map(({ name, type }) => `${type.split(":").pop()} ${name}`);
    for (const earlier of ["Key audit-key", "Alias audit-alias", "BucketPolicy audit-policy"]) {
      assert.ok(order.indexOf(earlier) < order.indexOf("MemberTrail audit"), earlier);
    }
    assert.ok(order.indexOf("MemberTrail audit") < order.indexOf("Trail audit-trail"));
    const waitsFor = run.resource("MemberTrail", "audit").dependsOn;
    for (const each of ["audit-key", "audit-alias", "audit-bucket", "audit-policy"]) {
      assert.ok(waitsFor.includes(each), each);
    }
    assert.deepEqual(run.resource("Trail", "audit-trail").inputs, {
      name: "crosstrail",
      s3BucketName: bucketName,
      kmsKeyId: keyArn,
      isMultiRegionTrail: true,
      enableLogFileValidation: true,
      includeGlobalServiceEvents: true,
      enableLogging: true,
      advancedEventSelectors: [managementEvents()],
      insightSelectors: [],
      tags: {},
    });
  });

  it("names every trail of the fleet in both policies", async () => {
    const { run } = await deploy(world());
    const trails = [own, payments, web];
    assert.deepEqual(
      JSON.parse(run.resource("BucketPolicy", "audit-policy").inputs.policy as string),
      bucketPolicy({ partition: "aws", bucketName, trails }).document,
    );
    assert.deepEqual(
      JSON.parse(run.resource("Key", "audit-key").inputs.policy as string),
      keyPolicy({ partition: "aws", auditAccountId, trails }).document,
    );
  });

  it("without a trail of its own: no trail, and the policies do not name one", async () => {
    const { run, outputs } = await deploy(world({ auditAccountTrail: false }));
    assert.ok(!run.resources.some(({ type }) => type.endsWith("Trail")));
    assert.deepEqual(outputs, contract({ trails: contract().trails.slice(1) }));
    const policies = [run.resource("BucketPolicy", "audit-policy"), run.resource("Key", "audit-key")];
    for (const { inputs } of policies) {
      assert.ok(!(inputs.policy as string).includes(trailArn(own)));
    }
  });

  it("passes on what is chosen", async () => {
    const { run } = await deploy(
      world({
        logPrefix: "prod",
        bucketPolicyForm: "trailList",
        keyPolicyForm: "encryptionContext",
        keyAlias: "logs",
        keyRotationDays: 90,
        isMultiRegionTrail: false,
        insightTypes: ["ApiCallRateInsight"],
        tags: { team: "security" },
      }),
    );
    const trails = [own, payments, web];
    assert.deepEqual(
      JSON.parse(run.resource("BucketPolicy", "audit-policy").inputs.policy as string),
      bucketPolicy({ partition: "aws", bucketName, logPrefix: "prod", trails }, "trailList").document,
    );
    const key = run.resource("Key", "audit-key").inputs;
    assert.deepEqual(
      JSON.parse(key.policy as string),
      keyPolicy({ partition: "aws", auditAccountId, trails }, "encryptionContext").document,
    );
    assert.equal(key.rotationPeriodInDays, 90);
    assert.equal(run.resource("Alias", "audit-alias").inputs.name, "alias/logs");
    const trail = run.resource("Trail", "audit-trail").inputs;
    assert.equal(trail.s3KeyPrefix, "prod");
    assert.equal(trail.isMultiRegionTrail, false);
    assert.deepEqual(trail.insightSelectors, [{ insightType: "ApiCallRateInsight" }]);
    for (const inputs of [trail, run.resource("Bucket", "audit-bucket").inputs]) {
      assert.deepEqual(inputs.tags, { team: "security" });
    }
    // By this tag an interrupted run is found to have made the key.
    assert.deepEqual(key.tags, { team: "security", "crosstrail:stack": "acme/crosstrail/audit" });
  });

  it("puts the permissions boundary on every role that it creates, and the stack's tag on every key", async () => {
    const options = {
      readers: [{ trustedAccounts: ["555555555555"] }],
      replication: { region: "us-east-1", bucketName: "copies", accountId: "222222222222" },
      cloudWatchLogs: { retentionDays: 30 },
      sns: { encrypted: true },
    };
    for (const [permissionsBoundary, arn] of [
      ["team/Limits", "arn:aws:iam::111111111111:policy/team/Limits"],
      ["", undefined],
    ] as const) {
      const { run } = await deploy(world({ ...options, permissionsBoundary }));
      const ofType = (type: string) => run.resources.filter((each) => each.type.endsWith(`:${type}`));
      assert.deepEqual(
        ofType("Role")
          .map(({ name, inputs }) => [name, inputs.permissionsBoundary])
          .sort(),
        ["CloudTrailReadRole-role", "audit-logs", "audit-replication-role"].map((name) => [name, arn]),
      );
      assert.deepEqual(
        ofType("Key")
          .map(({ name, inputs }) => [name, (inputs.tags as Record<string, string>)["crosstrail:stack"]])
          .sort(),
        [
          ["audit-key", "acme/crosstrail/audit"],
          ["audit-log-group-key", "acme/crosstrail/audit:log-group"],
          ["audit-topic-key", "acme/crosstrail/audit:topic"],
        ],
      );
    }
  });

  it("an event data store, off unless it is asked for; output with its name and whether it is kept", async () => {
    const { run, outputs } = await deploy(world({ eventDataStore: { retentionDays: 30, queryRoles: ["Analyst"] } }));
    const arn = "arn:aws:cloudtrail:us-east-1:111111111111:eventdatastore/EXAMPLE-1234";
    assert.deepEqual(outputs, contract({ eventDataStore: { arn, name: "crosstrail", keep: true } } as object));
    const key = run.resource("Key", "audit-event-data-store-key").inputs;
    assert.match(key.policy as string, /"aws:PrincipalArn":"arn:aws:iam::111111111111:role\/Analyst"/);
    const store = run.resource("EventDataStore", "audit-event-data-store").inputs;
    assert.equal(store.retentionPeriod, 30);
    assert.equal(store.terminationProtectionEnabled, true);
  });

  describe("an event data store that is deployed", () => {
    const arn = "arn:aws:cloudtrail:us-east-1:111111111111:eventdatastore/EXAMPLE-1234";
    const deployed = (keep: boolean) => ({
      stacks: {
        "acme/crosstrail/audit": { ...contract(), eventDataStore: { arn, name: "crosstrail", keep } },
      },
    });
    it("is not removed while it is kept", () =>
      refuses(world({}, deployed(true)), [
        "The event data store is protected. Nothing was changed.",
        "",
        "  crosstrail:eventDataStore is not set",
        `    store/protected: ${arn} is deployed and holds events. Removing it deletes them permanently after seven days.`,
        "    → Restore it in Pulumi.audit.yaml. To delete the store and its events, set",
        "      ",
        "        crosstrail:eventDataStore:",
        "          keep: false",
        "      ",
        "      next to its other fields and run pulumi up, then remove crosstrail:eventDataStore and run pulumi up again.",
      ]));
    it("is not renamed, kept or not", () =>
      refuses(world({ eventDataStore: { name: "other", keep: false } }, deployed(false)), [
        "The event data store would be replaced. Nothing was changed.",
        "",
        '  crosstrail:eventDataStore.name = "other"',
        `    store/renamed: ${arn} is deployed with the name "crosstrail". A new name would create a new store, without these events.`,
        "    → Restore it in Pulumi.audit.yaml.",
      ]));
    it("is removed when it is not kept any more", async () => {
      const { run } = await deploy(world({}, deployed(false)));
      assert.ok(!run.resources.some(({ type }) => type.endsWith("EventDataStore")));
    });
  });

  it("readers: a role each, and their ARNs in the contract", async () => {
    const { run, outputs } = await deploy(
      world({
        logPrefix: "prod",
        tags: { team: "security" },
        readers: [
          { trustedAccounts: ["444444444444"], requireMfa: true },
          { name: "WebAuditor", trustedAccounts: ["555555555555"], externalId: "acme", accounts: ["web"] },
        ],
      }),
    );
    const readers = [
      {
        name: "CloudTrailReadRole",
        roleArn: "arn:aws:iam::111111111111:role/CloudTrailReadRole",
        trustedAccounts: ["444444444444"],
      },
      {
        name: "WebAuditor",
        roleArn: "arn:aws:iam::111111111111:role/WebAuditor",
        trustedAccounts: ["555555555555"],
      },
    ];
    assert.deepEqual(parseContract(outputs, "audit"), contract({ logPrefix: "prod", readers }));
    assert.deepEqual(Object.keys(outputs), contractKeys.slice(0, contractKeys.indexOf("readers") + 1));
    const reads = { partition: "aws", bucketName, logPrefix: "prod", keyArn } as const;
    for (const [name, trust, permissions] of [
      ["CloudTrailReadRole", { trustedAccounts: ["444444444444"], requireMfa: true }, readPermissions(reads)],
      [
        "WebAuditor",
        { trustedAccounts: ["555555555555"], externalId: "acme" },
        readPermissions({ ...reads, accountIds: ["333333333333"] }),
      ],
    ] as const) {
      const role = run.resource("Role", `${name}-role`).inputs;
      assert.equal(role.name, name);
      assert.deepEqual(role.tags, { team: "security" });
      assert.deepEqual(
        JSON.parse(role.assumeRolePolicy as string),
        readerTrust({ partition: "aws", ...trust, trustedAccounts: [...trust.trustedAccounts] }),
      );
      const { policy } = run.resource("RolePolicy", `${name}-policy`).inputs;
      assert.deepEqual(JSON.parse(policy as string), permissions);
    }
    // Neither policy of the archive names a role: they would break when it is replaced.
    for (const { inputs } of [run.resource("BucketPolicy", "audit-policy"), run.resource("Key", "audit-key")]) {
      assert.doesNotMatch(inputs.policy as string, /:role\//);
    }
  });

  it("members that may read their own logs: in the bucket's and in the key's policy", async () => {
    const { run } = await deploy(world({ memberAccess: ["web"] }));
    const trails = [own, payments, web];
    const memberReaders = ["333333333333"];
    assert.deepEqual(
      JSON.parse(run.resource("BucketPolicy", "audit-policy").inputs.policy as string),
      bucketPolicy({ partition: "aws", bucketName, trails, memberReaders }).document,
    );
    assert.deepEqual(
      JSON.parse(run.resource("Key", "audit-key").inputs.policy as string),
      keyPolicy({ partition: "aws", auditAccountId, trails, memberReaders }).document,
    );
  });

  it("MFA to read and delete logs: roles by name are those of the audit account", async () => {
    const elsewhere = "arn:aws:iam::222222222222:role/ops/scanner";
    const { run } = await deploy(world({ requireMfa: true, mfaExemptRoles: ["exporter", elsewhere] }));
    const mfaExemptRoleArns = ["arn:aws:iam::111111111111:role/exporter", elsewhere];
    assert.deepEqual(
      JSON.parse(run.resource("BucketPolicy", "audit-policy").inputs.policy as string),
      bucketPolicy({ partition: "aws", bucketName, trails: [own, payments, web], requireMfa: true, mfaExemptRoleArns })
        .document,
    );
  });

  describe("one mapping from settings to policies", () => {
    // Every option that changes a policy.
    const config = {
      members,
      logPrefix: "prod",
      bucketKeyEnabled: true,
      memberAccess: ["payments"],
      requireMfa: true,
      mfaExemptRoles: ["exporter"],
      breakGlassRoles: ["deploy"],
      denyOtherEncryption: true,
      organization: { id: "o-exampleorgid", managementAccountId: "444444444444" },
      readers: [{ name: "auditors", trustedAccounts: ["555555555555"], accounts: ["payments"] }],
      replication: { region: "eu-west-1", bucketName: "example-copies" },
      accessLogBucket: "example-access-logs",
      notifications: "sqs",
    };
    const raw = configOf({ role: "audit", auditAccountId, bucketName, ...config });
    const plain = Object.entries(raw).map(([name, value]) => [name.replace("crosstrail:", ""), value]);
    const settings = parseSettings("audit", Object.fromEntries(plain) as Record<string, string>, "us-east-1");
    assert.ok(settings.role === "audit");
    const built = archivePolicies(settings);
    // The key gets its id when it is made.
    const future = futureKeyArn("aws", "us-east-1", auditAccountId);
    const texts: Record<string, unknown> = {
      "BucketPolicy audit-policy": built.bucket.document,
      "BucketPolicy audit-replica-policy": built.copies,
      "BucketPolicy access-logs-policy": built.accessLogs,
      "QueuePolicy new-logs-policy": built.queue,
      "Key audit-key": built.keys["us-east-1"]?.document,
      "ReplicaKey audit-key-eu-west-1": built.keys["eu-west-1"]?.document,
      "RolePolicy auditors-policy": built.readers.auditors?.permissions,
    };

    it("what archivePolicies builds is what the program deploys, every one of them", async () => {
      const { run } = await deploy(world(config, { roles: { deploy: "arn:aws:iam::111111111111:role/deploy" } }));
      const found = run.resources
        .filter(({ name, inputs }) => typeof inputs.policy === "string" && name !== "audit-replication-policy")
        .map(({ type, name, inputs }) => [
          `${type.split(":").at(-1)} ${name}`,
          JSON.parse((inputs.policy as string).replaceAll(keyArn, future)) as unknown,
        ]);
      for (const [name, document] of found) assert.deepEqual(document, texts[name as string], name as string);
      assert.deepEqual(found.map(([name]) => name).sort(), Object.keys(texts).sort());
    });

    it("and the simulation judges the same ones, and finds nothing wrong", () => {
      const fleet = fleetOfSettings(settings);
      const judged = builtPolicies(fleet);
      assert.deepEqual(judged.bucket, built.bucket.document);
      assert.deepEqual(judged.key, built.keys["us-east-1"]?.document);
      assert.deepEqual(judged.readers, built.readers);
      assert.deepEqual(
        simulate(fleet, judged).filter(({ verdict }) => verdict !== "ok"),
        [],
      );
    });
  });

  for (const bucketKeyEnabled of [undefined, true]) {
    it(`an S3 Bucket Key ${bucketKeyEnabled ? "where asked for" : "not by default"}: bucket and key policy agree`, async () => {
      const { run } = await deploy(world({ ...(bucketKeyEnabled && { bucketKeyEnabled }) }));
      const { rules } = run.resource("BucketServerSideEncryptionConfiguration", "audit-encryption").inputs;
      assert.equal((rules as { bucketKeyEnabled: boolean }[])[0]?.bucketKeyEnabled, bucketKeyEnabled ?? false);
      const policy = run.resource("Key", "audit-key").inputs.policy as string;
      assert.equal(policy.includes("CloudTrailDecrypt"), bucketKeyEnabled ?? false);
    });
  }

  for (const keep of [true, false]) {
    it(`keepArchive ${keep}: the archive is ${keep ? "" : "not "}protected; the trail never is`, async () => {
      const { run } = await deploy(world({ keepArchive: keep }));
      for (const { type, name, protect, retainOnDelete } of run.resources) {
        const archive = type.startsWith("aws:") && !type.endsWith(":Trail");
        assert.deepEqual([protect, retainOnDelete], [archive && keep, archive && keep], name);
      }
    });
  }

  it("a deployment like the last one goes on; so does another prefix, another fleet", async () => {
    for (const change of [{}, { logPrefix: "prod" }, { members: [] }, { trailName: "other" }]) {
      const { outputs } = await deploy(world(change, deployed(contract())));
      assert.equal(outputs.bucketName, bucketName);
    }
  });

  it("a plain change that would cut off deployed trails is refused, whatever it changes", async () => {
    const stack = "acme/crosstrail/payments";
    const arn = contract().trails.find(({ alias }) => alias === "payments")?.trailArn;
    const changes: [object, RegExp][] = [
      [{ logPrefix: "prod" }, /migrate --to log-prefix --prefix prod[^]*previousLogPrefix: "\/"/],
      [{ keyGeneration: 2 }, /migrate --to new-key[^]*previousKeyInUse: true/],
      [{ trailName: "other" }, /previousTrailName: crosstrail/],
    ];
    for (const [change, remedy] of changes) {
      const before = deployed(contract());
      const run = await startMocks(world({ ...change }, { stacks: { ...before.stacks, [stack]: { trailArn: arn } } }));
      await assert.rejects(program(), (error: Error) => {
        assert.match(error.message, /^Trails would be cut off\. Nothing was changed\./);
        assert.match(error.message, remedy);
        return true;
      });
      await run.settle();
      assert.deepEqual(run.resources, []);
    }
  });

  it("says which authorizations go away while trails are deployed, and which trails it knows nothing of", async () => {
    const stack = "acme/crosstrail/payments";
    const arn = contract().trails.find(({ alias }) => alias === "payments")?.trailArn;
    const warnings = async (stacks: World["stacks"]) => {
      const { run } = await deploy(world({ members: [] }, { stacks: { ...deployed(contract()).stacks, ...stacks } }));
      return run.warnings.join("\n");
    };
    assert.match(
      await warnings({ [stack]: { trailArn: arn } }),
      /^payments\n {4}trail\/cut-off: These trails are still deployed[^]*\nweb\n {4}trail\/not-asked: [^]*not known here/,
    );
    assert.doesNotMatch(await warnings({ [stack]: {} }), /payments/);
  });

  it("does not wait for anything but the account, its own last outputs, and before it is deployed the key's alias", async () => {
    const always = ["aws:index/getCallerIdentity:getCallerIdentity", "pulumi:pulumi:readStackOutputs"];
    const { run } = await deploy(world());
    assert.deepEqual(run.calls, [...always, "kms:ListAliases"]);
    assert.deepEqual(run.read, []);
    const again = await deploy(world({ members: [] }, deployed(contract({ trails: [] }))));
    assert.deepEqual(again.run.calls, always);
  });

  describe("a trail of the audit account that is there already", () => {
    const importTrail = trailArn(trailOf(auditAccountId, { name: "by-hand" }));
    const ofOwn = (arn: string, other: object = {}) =>
      deployed({ ...contract({ trails: [{ accountId: auditAccountId, alias: "audit", trailArn: arn }] }), ...other });
    const trail = async (config: Record<string, unknown>, before: Partial<World> = {}) =>
      (await deploy(world({ members: [], ...config }, before))).run.resource("Trail", "audit-trail");

    it("is imported by the first deployment, and is its own afterwards, but for what is left as it is", async () => {
      const first = await trail({ importTrail, leaveAsIs: ["delivery"] });
      assert.deepEqual([first.importId, first.inputs.name], [importTrail, "by-hand"]);
      assert.ok(first.ignoreChanges.includes("enableLogFileValidation"));
      const then = await trail({ importTrail, leaveAsIs: ["delivery"] }, ofOwn(importTrail));
      assert.deepEqual([then.importId, then.ignoreChanges], ["", ["s3BucketName", "s3KeyPrefix", "kmsKeyId"]]);
      const { outputs } = await deploy(world({ importTrail }));
      assert.equal(outputs.adoptedTrailArn, importTrail);
    });

    it("is also imported where the stack was deployed without a trail of its own", async () => {
      assert.equal((await trail({ importTrail }, deployed(contract({ trails: [] })))).importId, importTrail);
    });

    it("is refused beside the one that the stack has", async () => {
      await refuses(world({ members: [], importTrail }, ofOwn(trailArn(own))), [
        "The audit stack has a trail of its own. Nothing was changed.",
        "",
        `  crosstrail:importTrail = "${importTrail}"`,
        `    trail/not-imported: The stack already manages ${trailArn(own)}; adopting another trail would replace it, and events in between would be lost.`,
        "    → Remove crosstrail:importTrail, and delete the other trail by hand if this one records what you need: AWS bills a second copy of the management events.",
      ]);
    });

    it("keeps its name by the key: without it, it would be replaced, and that is refused", async () => {
      const before = ofOwn(importTrail, { adoptedTrailArn: importTrail });
      await refuses(world({ members: [] }, before), [
        "The adopted trail would be replaced. Nothing was changed.",
        "",
        "  crosstrail:importTrail is not set",
        `    trail/replaced: The stack adopted ${importTrail}, and the key names it. Without the key, the trail would be replaced by ${trailArn(own)}, and events in between would be lost.`,
        `    → pulumi config set --stack audit importTrail ${importTrail}`,
      ]);
      // The name alone does as well.
      assert.equal((await trail({ trailName: "by-hand" }, before)).inputs.name, "by-hand");
    });
  });

  it("works in China and in GovCloud", async () => {
    for (const [region, partition] of [
      ["cn-north-1", "aws-cn"],
      ["us-gov-west-1", "aws-us-gov"],
    ] as const) {
      const { outputs, run } = await deploy(world({ "aws:region": region, members: [members[0]] }));
      assert.equal(outputs.partition, partition);
      assert.deepEqual(outputs.trails, [
        { accountId: auditAccountId, alias: "audit", trailArn: trailArn({ ...own, partition, region }) },
        { accountId: "222222222222", alias: "payments", trailArn: trailArn({ ...payments, partition, region }) },
      ]);
      const policies = [run.resource("BucketPolicy", "audit-policy"), run.resource("Key", "audit-key")];
      for (const { inputs } of policies) assert.doesNotMatch(inputs.policy as string, /arn:aws:/);
    }
  });

  describe("refuses, with nothing registered", () => {
    it("mistakes in the configuration, all at once", async () => {
      await refuses(world({ bucketName: "My_Logs", auditAccountId: "1" }), [
        "Pulumi.audit.yaml has 2 mistakes. Nothing was changed.",
        "",
        '  crosstrail:auditAccountId = "1"',
        '    config/account-id: An AWS account ID has 12 digits, this has 1; without quotes, YAML drops leading zeros: write "012345678901".',
        "    → Correct it in Pulumi.audit.yaml.",
        "",
        '  crosstrail:bucketName = "My_Logs"',
        "    config/bucket-name: A bucket name has lower-case letters, digits, '.' and '-' only.",
        "    → Correct it in Pulumi.audit.yaml.",
      ]);
    });

    it("credentials of another account: which one was expected, and which one it is", async () => {
      await refuses(world({}, { accountId: "999999999999" }), [
        "The credentials belong to another account. Nothing was changed.",
        "",
        '  crosstrail:auditAccountId = "111111111111"',
        "    stack/wrong-account: This stack's account is 111111111111; the credentials are arn:aws:sts::999999999999:assumed-role/deploy/me in account 999999999999.",
        "    → Set aws:profile, or aws:assumeRoles with a role of account 111111111111, in Pulumi.audit.yaml.",
      ]);
    });

    it("no credentials", async () => {
      await refuses(world({}, { accountId: undefined }), [
        "The AWS provider did not accept the credentials. Nothing was changed.",
        "",
        '  crosstrail:auditAccountId = "111111111111"',
        "    stack/no-credentials: This stack is for account 111111111111. The provider's error next to this one says what it found instead.",
        "    → Set aws:profile, or aws:assumeRoles with a role of account 111111111111, in Pulumi.audit.yaml.",
      ]);
    });

    const moved = (subject: string, before: string) => [
      "",
      `  ${subject}`,
      `    archive/moved: The archive is deployed with "${before}". Changing this would create a new archive and leave this one's logs behind.`,
      "    → Undo the change. For another archive, create another audit stack (pulumi stack init) and move the members to it with crosstrail:auditStack.",
    ];
    const headline = "The archive cannot be moved. Nothing was changed.";

    it("an archive that would move: account, bucket and Region, all at once", async () => {
      const before = contract({ auditAccountId: "444444444444", bucketName: "old-logs", bucketRegion: "eu-west-1" });
      await refuses(world({}, deployed(before)), [
        headline,
        ...moved('crosstrail:auditAccountId = "111111111111"', "444444444444"),
        ...moved('crosstrail:bucketName = "example-logs"', "old-logs"),
        ...moved('aws:region = "us-east-1"', "eu-west-1"),
      ]);
    });

    for (const [name, before, subject, was] of [
      ["another bucket", { bucketName: "old-logs" }, 'crosstrail:bucketName = "example-logs"', "old-logs"],
      ["another Region", { bucketRegion: "eu-west-1" }, 'aws:region = "us-east-1"', "eu-west-1"],
    ] as const) {
      it(`an archive that would move: ${name}`, async () => {
        await refuses(world({}, deployed(contract(before))), [headline, ...moved(subject, was)]);
      });
    }

    it("a reader whose policy does not fit: before the key is made", async () => {
      const many = fleetOf(60).map(({ accountId }) => accountId);
      const run = await startMocks(world({ readers: [{ trustedAccounts: many }] }));
      await assert.rejects(program(), /The reader's policy does not fit\.\n\n {2}The trust policy for 60 accounts\n/);
      await run.settle();
      assert.deepEqual(run.resources, []);
    });

    it("a fleet that does not fit into the bucket policy's form: before the key is made", async () => {
      const many = fleetOf(60).map(({ accountId }, index) => ({ accountId, alias: `member-${index}` }));
      await refuses(world({ members: many, bucketPolicyForm: "perTrail" }), [
        "The bucket policy does not fit.",
        "",
        "  crosstrail:bucketPolicyForm: perTrail",
        "    policy/too-large: Form perTrail for 61 trails needs 25239 bytes; AWS allows 20480.",
        "    → Set crosstrail:bucketPolicyForm to trailList (11371 bytes), or remove the key to use the tightest form that fits.",
      ]);
    });
  });

  it("says how to keep a refresh from forgetting the stack's resources", async () => {
    const config = world().config as Record<string, string>;
    delete config["aws:allowedAccountIds"];
    const { run } = await deploy({ ...world(), config });
    assert.deepEqual(run.warnings, [
      "aws:allowedAccountIds is not set\n" +
        "    stack/any-account: pulumi refresh with another account's credentials would find nothing, and remove the stack's resources from its state.\n" +
        "    → Add to Pulumi.audit.yaml:\n" +
        '        aws:allowedAccountIds: ["111111111111"]',
    ]);
    assert.deepEqual((await deploy(world())).run.warnings, []);
  });
});
