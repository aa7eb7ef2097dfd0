import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import type { LogReaderArgs } from "../../components";
import { LogReader, Partition } from "../../components";
import { serialize } from "../../core/policies/document";
import { readerTrust, readPermissions } from "../../core/policies/reader";
import { bucketName, keyArn } from "../support/fleet";
import type { Run } from "../support/mocks";
import { startMocks, unhandledIn, valueOf } from "../support/mocks";

const args: LogReaderArgs = { trustedAccounts: ["444444444444"], bucketName, keyArn };

describe("components/LogReader", () => {
  async function make(other: Partial<LogReaderArgs> = {}): Promise<{ run: Run; reader: LogReader }> {
    const run = await startMocks();
    const reader = new LogReader("security", { ...args, ...other });
    await run.settle();
    return { run, reader };
  }

  it("is a role and its policy, with exactly these inputs", async () => {
    const { run } = await make();
    assert.deepEqual(run.resources.map(({ type, name, parent, inputs }) => [type, name, parent, inputs]).slice(1), [
      [
        "aws:iam/role:Role",
        "security-role",
        "LogReader security",
        {
          name: "CloudTrailReadRole",
          description: "Reads the CloudTrail logs of the Crosstrail archive",
          assumeRolePolicy: serialize(readerTrust({ partition: "aws", trustedAccounts: ["444444444444"] })),
        },
      ],
      [
        "aws:iam/rolePolicy:RolePolicy",
        "security-policy",
        "LogReader security",
        {
          name: "read-logs",
          role: "CloudTrailReadRole",
          policy: serialize(readPermissions({ partition: "aws", bucketName, keyArn })),
        },
      ],
    ]);
  });

  const chosen = {
    roleName: "Auditor",
    requireMfa: true,
    externalId: "acme",
    accountIds: ["222222222222"],
    logPrefix: "prod",
    partition: Partition.AwsCn,
  };
  const asOutputs = Object.fromEntries(
    Object.entries({ ...args, ...chosen }).map(([name, value]) => [name, pulumi.output(value)]),
  ) as unknown as LogReaderArgs;
  for (const [name, other] of Object.entries({ plain: chosen, outputs: asOutputs })) {
    it(`takes what is chosen: ${name}`, async () => {
      const { run } = await make({ ...other, tags: { team: "security" } });
      const { partition, requireMfa, externalId, accountIds, logPrefix } = { ...chosen, partition: "aws-cn" } as const;
      const role = run.resource("Role", "security-role").inputs;
      assert.equal(role.name, "Auditor");
      assert.deepEqual(role.tags, { team: "security" });
      assert.equal(
        role.assumeRolePolicy,
        serialize(readerTrust({ partition, trustedAccounts: ["444444444444"], requireMfa, externalId })),
      );
      assert.equal(
        run.resource("RolePolicy", "security-policy").inputs.policy,
        serialize(readPermissions({ partition, bucketName, keyArn, accountIds, logPrefix })),
      );
    });
  }

  it("gives out the role's ARN and name; nothing of it is protected", async () => {
    const { run, reader } = await make();
    assert.equal(await valueOf(reader.roleArn), "arn:aws:iam::111111111111:role/CloudTrailReadRole");
    assert.equal(await valueOf(reader.roleName), "CloudTrailReadRole");
    assert.deepEqual(run.resource("LogReader", "security").outputs, {
      roleArn: "arn:aws:iam::111111111111:role/CloudTrailReadRole",
      roleName: "CloudTrailReadRole",
    });
    assert.ok(run.resources.every(({ protect, retainOnDelete }) => !protect && !retainOnDelete));
  });

  describe("refuses what cannot be right", () => {
    const wrong: Record<string, [unknown, string, string]> = {
      trustedAccounts: [
        ["4444"],
        'trustedAccounts[0] = "4444"',
        'An AWS account ID has 12 digits, this has 4; without quotes, YAML drops leading zeros: write "012345678901".',
      ],
      keyArn: [
        "alias/crosstrail",
        'keyArn = "alias/crosstrail"',
        "Use the key's ARN instead of an alias: another account would look up the alias among its own keys.",
      ],
      roleName: ["a b", 'roleName = "a b"', "A role name has letters, digits and + = , . @ _ - only."],
      externalId: ["x", 'externalId = "x"', "An external id has 2 to 1224 characters, this has 1."],
      accountIds: [["*"], 'accountIds[0] = "*"', "An AWS account ID is a string of 12 digits and nothing else."],
    };
    const expected = [
      "LogReader cannot be created with these arguments.",
      ...Object.values(wrong).flatMap(([, subject, message]) => [
        "",
        `  ${subject}`,
        `    component/input: ${message}`,
        "    → Correct this argument of LogReader.",
      ]),
    ].join("\n");

    it("every plain mistake at once, before anything is registered", async () => {
      const run = await startMocks();
      const values = Object.fromEntries(Object.entries(wrong).map(([name, [value]]) => [name, value]));
      assert.throws(
        () => new LogReader("security", { ...args, ...values } as LogReaderArgs),
        (error: Error) => pulumi.RunError.isInstance(error) && assert.equal(error.message, expected) === undefined,
      );
      await run.settle();
      assert.deepEqual(run.resources, []);
    });

    it("a list of accounts that is empty when it is known: nothing that needs it is registered", async () => {
      for (const [name, without] of [
        ["trustedAccounts", "Role"],
        ["accountIds", "RolePolicy"],
      ] as const) {
        const run = await startMocks();
        const messages = await unhandledIn(
          () => new LogReader("security", { ...args, [name]: pulumi.output([] as string[]) }),
        );
        assert.ok(
          messages.some((message) => message.includes("The list is empty.")),
          messages.join("\n"),
        );
        assert.ok(!run.resources.some(({ type }) => type.endsWith(`:${without}`)));
      }
    });
  });
});
