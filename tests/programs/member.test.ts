import assert from "node:assert/strict";
import type { Contract } from "../../core/contract";
import { trailArn } from "../../core/names";
import { bucketName, contract, keyArn, trailOf } from "../support/fleet";
import type { World } from "../support/mocks";
import { configOf, deploy, managementEvents, refuses } from "./run";

const auditStack = "acme/crosstrail/audit";

/** The stack of account 222222222222 (payments) of the contract. */
function world(config: Record<string, unknown> = {}, other: Partial<World> = {}): World {
  return {
    stack: "payments",
    accountId: "222222222222",
    stacks: { [auditStack]: contract() },
    config: configOf({
      "aws:region": "us-east-1",
      "aws:allowedAccountIds": ["222222222222"],
      role: "member",
      accountId: "222222222222",
      auditStack: "audit",
      ...config,
    }),
    ...other,
  };
}

/** The world with another contract in the audit stack, and with what this stack deployed last. */
function withStacks(audit: Record<string, unknown>, own?: Record<string, unknown>): Partial<World> {
  return { stacks: { [auditStack]: audit, ...(own && { "acme/crosstrail/payments": own }) } };
}

const outputs = {
  accountId: "222222222222",
  alias: "payments",
  trailArn: "arn:aws:cloudtrail:us-east-1:222222222222:trail/crosstrail",
  logLocation: "s3://example-logs/AWSLogs/222222222222/",
};
const inputs = {
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
};
const registered = ["crosstrail:index:MemberTrail member", "aws:cloudtrail/trail:Trail member-trail"];

describe("programs/member", () => {
  it("leaves out the data events of every bucket that the contract names", async () => {
    const audit = contract({ otherBucketNames: ["example-access-logs", "example-copies"] });
    const { run } = await deploy(world({ events: ["s3-data-events"] }, withStacks(audit)));
    const [selector] = run.resource("Trail", "member-trail").inputs.advancedEventSelectors as [
      { fieldSelectors: object[] },
    ];
    assert.deepEqual(selector.fieldSelectors[1], {
      field: "resources.ARN",
      notStartsWiths: [bucketName, "example-access-logs", "example-copies"].map((name) => `arn:aws:s3:::${name}/`),
    });
  });

  it("of a stack without a file, names the file that its configuration follows from", async () => {
    process.env.CROSSTRAIL_STACK_FILE = "Pulumi.audit.yaml";
    try {
      await refuses(world({ accountId: "2222" }), [
        "Pulumi.audit.yaml has a mistake. Nothing was changed.",
        "",
        '  crosstrail:accountId = "2222"',
        '    config/account-id: An AWS account ID has 12 digits, this has 4; without quotes, YAML drops leading zeros: write "012345678901".',
        "    → Correct it in Pulumi.audit.yaml.",
      ]);
    } finally {
      delete process.env.CROSSTRAIL_STACK_FILE;
    }
  });

  it("refuses a key in a namespace that is nearly Crosstrail's, and leaves other namespaces alone", async () => {
    const other = { ...world().config, "payments:tags": "{}", "awsx:accountId": "1" };
    assert.equal((await deploy(world({}, { config: other }))).run.resources.length, 2);
    const misspelt = { ...world().config, "crosstail:tags": "{}" };
    await refuses(world({}, { config: misspelt }), [
      "Pulumi.payments.yaml has a mistake. Nothing was changed.",
      "",
      '  crosstail:tags = "{}"',
      "    config/namespace: Nothing reads the namespace crosstail; Crosstrail's is crosstrail, in lower-case letters.",
      "    → Did you mean crosstrail:tags? Otherwise remove it from Pulumi.payments.yaml.",
    ]);
  });

  it("makes the trail that the audit stack's contract authorizes", async () => {
    const { run, outputs: found } = await deploy(world());
    assert.deepEqual(found, outputs);
    assert.deepEqual(
      run.resources.map(({ type, name }) => `${type} ${name}`),
      registered,
    );
    assert.deepEqual(run.resource("Trail", "member-trail").inputs, inputs);
    assert.deepEqual(run.read, [auditStack]);
  });

  for (const [name, full] of [
    ["audit", "acme/crosstrail/audit"],
    ["acme/crosstrail/audit", "acme/crosstrail/audit"],
    ["other/logs/prod", "other/logs/prod"],
  ] as const) {
    it(`finds the audit stack called ${name}`, async () => {
      const { run } = await deploy(world({ auditStack: name }, { stacks: { [full]: contract() } }));
      assert.deepEqual(run.read, [full]);
    });
  }

  it("by a contract given outright, without asking for another stack", async () => {
    const { run, outputs: found } = await deploy(world({ auditStack: "", contract: contract() }, { stacks: {} }));
    assert.deepEqual(found, outputs);
    assert.deepEqual(run.resource("Trail", "member-trail").inputs, inputs);
    assert.deepEqual(run.read, []);
    assert.deepEqual(run.calls, ["aws:index/getCallerIdentity:getCallerIdentity", "pulumi:pulumi:readStackOutputs"]);
  });

  it("takes the trail's name and the prefix from the contract, the options from its own configuration", async () => {
    const trails = [
      { accountId: "222222222222", alias: "pay", trailArn: trailArn(trailOf("222222222222", { name: "mine" })) },
    ];
    const { run, outputs: found } = await deploy(
      world(
        {
          isMultiRegionTrail: false,
          includeGlobalServiceEvents: false,
          enableLogFileValidation: false,
          eventSelectors: [{ readWriteType: "WriteOnly" }],
          insightTypes: ["ApiErrorRateInsight"],
          tags: { team: "payments" },
        },
        withStacks(contract({ logPrefix: "prod", trails })),
      ),
    );
    assert.deepEqual(run.resource("Trail", "member-trail").inputs, {
      ...inputs,
      name: "mine",
      s3KeyPrefix: "prod",
      isMultiRegionTrail: false,
      includeGlobalServiceEvents: false,
      enableLogFileValidation: false,
      advancedEventSelectors: [managementEvents({ field: "readOnly", equals: ["false"] })],
      insightSelectors: [{ insightType: "ApiErrorRateInsight" }],
      tags: { team: "payments" },
    });
    assert.equal(found.alias, "pay");
    assert.equal(found.logLocation, "s3://example-logs/prod/AWSLogs/222222222222/");
  });

  it("delivers to a log group and a topic of its own account, also for the trail that it is about to replace", async () => {
    const previousTrailArn = trailArn(trailOf("222222222222", { name: "before" }));
    const trails = [
      { accountId: "222222222222", alias: "payments", trailArn: trailArn(trailOf("222222222222")), previousTrailArn },
    ];
    const { run, outputs: found } = await deploy(
      world(
        { cloudWatchLogs: { retentionDays: 90, groupName: "trail" }, sns: { encrypted: false }, tags: { team: "a" } },
        withStacks(contract({ trails })),
      ),
    );
    assert.deepEqual(found, {
      ...outputs,
      logGroupName: "trail",
      topicArn: "arn:aws:sns:us-east-1:222222222222:crosstrail-deliveries",
    });
    const trail = run.resource("Trail", "member-trail").inputs;
    assert.equal(trail.cloudWatchLogsGroupArn, "arn:aws:logs:us-east-1:222222222222:log-group:trail:*");
    assert.equal(trail.cloudWatchLogsRoleArn, "arn:aws:iam::111111111111:role/made-up");
    assert.equal(trail.snsTopicName, "crosstrail-deliveries");
    const waitsFor = run.resource("Trail", "member-trail").dependsOn;
    // CloudTrail tries both when the trail gets them.
    for (const each of ["member-role-policy", "member-topic-policy"]) assert.ok(waitsFor.includes(each), each);
    assert.equal(run.resource("LogGroup", "member-log-group").inputs.retentionInDays, 90);
    assert.deepEqual(run.resource("Topic", "member-topic").inputs.tags, { team: "a" });
    for (const policy of [
      run.resource("Role", "member-logs").inputs.assumeRolePolicy,
      run.resource("TopicPolicy", "member-topic-policy").inputs.policy,
    ]) {
      assert.ok((policy as string).includes(previousTrailArn));
    }
  });

  it("says what an investigator will miss", async () => {
    const { run } = await deploy(
      world({ readWriteType: "WriteOnly", excludeManagementEventSources: ["kms.amazonaws.com"] }),
    );
    assert.equal(run.warnings.length, 2);
    assert.match(
      run.warnings[0] as string,
      /^management events that only read\n {4}events\/writes-only: This trail records none/,
    );
    assert.match(run.warnings[1] as string, /will not see who decrypted data[^]*→ Remove the exclusion/);
    assert.deepEqual((await deploy(world())).run.warnings, []);
  });

  it("runs in the trail's home Region", async () => {
    const config = { accountId: "333333333333", "aws:region": "eu-west-1", "aws:allowedAccountIds": ["333333333333"] };
    const { run } = await deploy(world(config, { accountId: "333333333333" }));
    assert.equal(run.resource("Trail", "member-trail").inputs.name, "web-trail");
  });

  it("a deployment like the last one goes on", async () => {
    assert.deepEqual((await deploy(world({}, withStacks(contract(), outputs)))).outputs, outputs);
  });

  describe("a renamed trail", () => {
    const renamed = (entry: Partial<Contract["trails"][number]> = {}) => {
      const trail = trailOf("222222222222", { name: "new-trail" });
      return contract({
        trails: [{ accountId: "222222222222", alias: "payments", trailArn: trailArn(trail), ...entry }],
      });
    };

    it("is refused: says how to move instead", async () => {
      await refuses(world({}, withStacks(renamed(), outputs)), [
        "The audit stack and this stack do not agree. Nothing was changed.",
        "",
        "  arn:aws:cloudtrail:us-east-1:222222222222:trail/crosstrail",
        "    trail/replaced: This trail is deployed, but the contract now authorizes arn:aws:cloudtrail:us-east-1:222222222222:trail/new-trail. A trail cannot be renamed: it would be replaced, and events in between would be lost.",
        "    → Authorize both for a while. In the audit stack's configuration, for account 222222222222:",
        "      ",
        "          trailName: new-trail",
        "          previousTrailName: crosstrail",
        "      ",
        "      then run pulumi up for the audit stack and for this one: the new trail is created before the old one is removed.",
        "      Then remove previousTrailName and run pulumi up for the audit stack again.",
      ]);
    });

    it("is made while the audit stack authorizes both", async () => {
      const both = renamed({ previousTrailArn: outputs.trailArn });
      const { run } = await deploy(world({}, withStacks(both, outputs)));
      assert.equal(run.resource("Trail", "member-trail").inputs.name, "new-trail");
    });

    it("that was never deployed is simply made", async () => {
      const { run } = await deploy(world({}, withStacks(renamed())));
      assert.equal(run.resource("Trail", "member-trail").inputs.name, "new-trail");
    });
  });

  describe("a trail that is there already", () => {
    const trail = async (config: Record<string, unknown>, own?: Record<string, unknown>) => {
      const { run, outputs: found } = await deploy(world(config, withStacks(contract(), own)));
      const { importId, ignoreChanges } = run.resource("Trail", "member-trail");
      return { importId, ignoreChanges, found };
    };

    it("is imported by the first deployment, which changes nothing", async () => {
      const { importId, ignoreChanges, found } = await trail({ importTrail: outputs.trailArn });
      assert.equal(importId, outputs.trailArn);
      assert.ok(ignoreChanges.includes("s3BucketName") && ignoreChanges.includes("enableLogging"));
      assert.deepEqual(found, outputs);
    });

    it("is the stack's like any other afterwards", async () => {
      const { importId, ignoreChanges } = await trail({ importTrail: outputs.trailArn }, outputs);
      assert.deepEqual([importId, ignoreChanges], ["", []]);
    });

    it("keeps what is left as it is; where it delivers is then not the stack's to say", async () => {
      const leaveAsIs = ["delivery"];
      const { ignoreChanges, found } = await trail({ importTrail: outputs.trailArn, leaveAsIs }, outputs);
      assert.deepEqual(ignoreChanges, ["s3BucketName", "s3KeyPrefix", "kmsKeyId"]);
      assert.deepEqual(Object.keys(found), ["accountId", "alias", "trailArn"]);
    });

    it("is refused when it is not the one that the contract authorizes: with the lines to change", async () => {
      const importTrail = trailArn(trailOf("222222222222", { name: "by-hand" }));
      await refuses(world({ importTrail }), [
        "The audit stack and this stack do not agree. Nothing was changed.",
        "",
        `  crosstrail:importTrail = "${importTrail}"`,
        `    trail/not-imported: The contract authorizes another trail of this account: ${outputs.trailArn}.`,
        "    → In the audit stack's configuration, under crosstrail:members:",
        "      ",
        '        - accountId: "222222222222"',
        "          alias: payments",
        "          homeRegion: us-east-1",
        "          trailName: by-hand",
        "      ",
        "      then run pulumi up for the audit stack, and this stack again.",
      ]);
    });

    it("may have been renamed since", async () => {
      const both = contract({
        trails: [
          {
            accountId: "222222222222",
            alias: "payments",
            trailArn: trailArn(trailOf("222222222222", { name: "new-trail" })),
            previousTrailArn: outputs.trailArn,
          },
        ],
      });
      const { run } = await deploy(world({ importTrail: outputs.trailArn }, withStacks(both, outputs)));
      const { importId, inputs: found } = run.resource("Trail", "member-trail");
      assert.deepEqual([importId, found.name], ["", "new-trail"]);
    });
  });

  describe("refuses, with nothing registered", () => {
    const notAuthorised = `The audit stack ${auditStack} does not authorize this trail. Nothing was changed.`;

    it("an account that is not declared: with the lines to add", async () => {
      const config = { accountId: "444444444444", "aws:region": "eu-west-1" };
      await refuses(world(config, { accountId: "444444444444" }), [
        notAuthorised,
        "",
        "  account 444444444444",
        "    contract/not-a-member: The account is not in the contract (3).",
        "    → Add these lines to the audit stack's configuration, under crosstrail:members:",
        "      ",
        '        - accountId: "444444444444"',
        "          alias: <a short name>",
        "          homeRegion: eu-west-1",
        "      ",
        `      then run pulumi up for ${auditStack}, and this stack again.`,
      ]);
    });

    it("an account that a contract given outright does not name", async () => {
      const config = { accountId: "444444444444", auditStack: "", contract: contract() };
      await refuses(world(config, { accountId: "444444444444" }), [
        "The contract in crosstrail:contract does not authorize this trail. Nothing was changed.",
        "",
        "  account 444444444444",
        "    contract/not-a-member: The account is not in the contract (3).",
        "    → Add these lines to the audit stack's configuration, under crosstrail:members:",
        "      ",
        '        - accountId: "444444444444"',
        "          alias: <a short name>",
        "      ",
        "      then run pulumi up for the audit stack, copy its outputs to crosstrail:contract, and run this stack again.",
      ]);
    });

    it("another Region than the trail's home", async () => {
      await refuses(world({ "aws:region": "eu-central-1" }), [
        notAuthorised,
        "",
        '  aws:region = "eu-central-1"',
        "    contract/region: The contract authorizes arn:aws:cloudtrail:us-east-1:222222222222:trail/crosstrail, whose home Region is us-east-1.",
        "    → Set aws:region to us-east-1. Or move the trail's home: set it in the audit stack's configuration,",
        "      ",
        '        - accountId: "222222222222"',
        "          alias: payments",
        "          homeRegion: eu-central-1",
        "      ",
        `      then run pulumi up for ${auditStack}, and this stack again.`,
      ]);
    });

    it("another partition", async () => {
      await refuses(world({ "aws:region": "cn-north-1" }), [
        notAuthorised,
        "",
        '  aws:region = "cn-north-1"',
        "    contract/partition: This Region is in partition aws-cn; the archive is in aws, and logs cannot cross partitions.",
        "    → Use a Region of partition aws, or an audit stack in aws-cn.",
      ]);
    });

    it("credentials of another account: which one was expected, and which one it is", async () => {
      await refuses(world({}, { accountId: "333333333333" }), [
        "The credentials belong to another account. Nothing was changed.",
        "",
        '  crosstrail:accountId = "222222222222"',
        "    stack/wrong-account: This stack's account is 222222222222; the credentials are arn:aws:sts::333333333333:assumed-role/deploy/me in account 333333333333.",
        "    → Set aws:profile, or aws:assumeRoles with a role of account 222222222222, in Pulumi.payments.yaml.",
      ]);
    });

    it("no credentials", async () => {
      await refuses(world({}, { accountId: undefined }), [
        "The AWS provider did not accept the credentials. Nothing was changed.",
        "",
        '  crosstrail:accountId = "222222222222"',
        "    stack/no-credentials: This stack is for account 222222222222. The provider's error next to this one says what it found instead.",
        "    → Set aws:profile, or aws:assumeRoles with a role of account 222222222222, in Pulumi.payments.yaml.",
      ]);
    });

    it("a missing audit stack: before it is referenced, so that the words are ours", async () => {
      const run = await refuses(world({ auditStack: "audti" }), [
        "The audit stack was not found. Nothing was changed.",
        "",
        '  crosstrail:auditStack = "acme/crosstrail/audti"',
        "    stack/no-audit-stack: The stack does not exist in this backend.",
        "    → Deploy the audit stack first, or correct the name: organization/project/stack, as shown by pulumi stack ls --all.",
        "      For a preview before the audit stack exists, set its values in crosstrail:contract instead.",
      ]);
      assert.deepEqual(run.read, []);
      assert.deepEqual(run.calls, ["pulumi:pulumi:readStackOutputs"]);
    });

    it("an audit stack that was never deployed", async () => {
      await refuses(world({}, withStacks({})), [
        "The audit stack and this stack do not agree. Nothing was changed.",
        "",
        `  ${auditStack}`,
        "    contract/missing: The stack has no output contractVersion.",
        `    → Is ${auditStack} an audit stack (crosstrail:role: audit), and was it deployed? Run pulumi up for it, or correct crosstrail:auditStack.`,
      ]);
    });

    for (const [version, remedy] of [
      [2, "Update Crosstrail in the member's project to the version the audit stack was deployed with."],
      [0, `Update the audit stack: run pulumi up for ${auditStack} with this version of Crosstrail.`],
    ] as const) {
      it(`a contract of version ${version}: which side to update`, async () => {
        await refuses(world({}, withStacks({ ...contract(), contractVersion: version })), [
          "The audit stack and this stack do not agree. Nothing was changed.",
          "",
          `  ${auditStack}`,
          `    contract/version: Its contract is version ${version}; this version of Crosstrail reads version 1.`,
          `    → ${remedy}`,
        ]);
      });
    }

    it("a contract with a key given as an alias", async () => {
      await refuses(world({}, withStacks(contract({ keyArn: "alias/crosstrail" }))), [
        `The contract of the audit stack ${auditStack} is not usable. Nothing was changed.`,
        "",
        '  output keyArn = "alias/crosstrail"',
        "    contract/value: Use the key's ARN instead of an alias: another account would look up the alias among its own keys.",
        `    → Run pulumi up for ${auditStack}; this rewrites its outputs.`,
      ]);
    });

    it("a trail that would move to another Region", async () => {
      const before = { ...outputs, trailArn: outputs.trailArn.replace("us-east-1", "eu-west-1") };
      await refuses(world({}, withStacks(contract(), before)), [
        "The audit stack and this stack do not agree. Nothing was changed.",
        "",
        "  arn:aws:cloudtrail:eu-west-1:222222222222:trail/crosstrail",
        "    trail/replaced: This trail is deployed, but the contract now authorizes arn:aws:cloudtrail:us-east-1:222222222222:trail/crosstrail. A trail cannot be moved: it would be replaced, and events in between would be lost.",
        "    → Restore homeRegion in the audit stack's configuration. To move the trail permanently, destroy this stack",
        "      (its logs stay in the archive), run pulumi up for the audit stack with the new homeRegion, then for this one.",
        "      In between, this trail records nothing.",
      ]);
    });
  });
});
