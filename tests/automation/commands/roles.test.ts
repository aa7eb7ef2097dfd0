import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { main } from "../../../automation/cli";
import type { Envelope } from "../../../automation/output";
import { root } from "../../support/config";

const auditFile = join(root, "Pulumi.audit.yaml");
const hub = ["--hub", "arn:aws:iam::999999999999:role/Hub"];
/** The hub itself, in an account of its own. */
const theHub = ["hub", "--hub-account", "999999999999"];

async function roles(...args: string[]) {
  let [stdout, stderr] = ["", ""];
  const exitCode = await main(["roles", ...args], {
    stdout: (text) => void (stdout += text),
    stderr: (text) => void (stderr += text),
    env: {},
    color: false,
  });
  return { exitCode, stdout, stderr };
}

interface Role {
  roleName: string;
  path?: string;
  accountId: string;
  trust: { Statement: object[] };
  permissions: { Statement: { Sid: string; Action: string | string[]; Resource: string | string[] }[] };
}

describe("crosstrail roles", () => {
  const printed = async (...args: string[]) => {
    const { exitCode, stdout, stderr } = await roles(...args, "--config", auditFile);
    assert.equal(exitCode, 0, stderr);
    return stdout;
  };
  const role = async (...args: string[]) => JSON.parse(await printed(...args)) as Role;
  const actionsOf = ({ permissions }: Role) => permissions.Statement.flatMap(({ Action }) => Action);

  it("prints the role of each account, by alias or account id", async () => {
    const audit = await role("audit", ...hub);
    assert.equal(audit.accountId, "111111111111");
    assert.ok(actionsOf(audit).includes("kms:CreateKey"));
    for (const name of ["payments", "222222222222"]) {
      const payments = await role(name, ...hub);
      assert.deepEqual([payments.accountId, payments.roleName], ["222222222222", "CrosstrailDeploy"]);
      assert.ok(actionsOf(payments).includes("cloudtrail:CreateTrail"));
      assert.ok(
        !actionsOf(payments).some((action) => /^(s3|kms):/.test(action)),
        "a member needs nothing of the archive",
      );
    }
  });

  it("prints a role that reads, and one that removes, each with a name of its own", async () => {
    const preview = await role("payments", ...hub, "--access", "preview");
    assert.equal(preview.roleName, "CrosstrailPreview");
    assert.ok(!actionsOf(preview).includes("cloudtrail:CreateTrail"));
    const remove = await role("payments", ...hub, "--access", "remove", "--name", "Undertaker");
    assert.equal(remove.roleName, "Undertaker");
    assert.ok(actionsOf(remove).includes("cloudtrail:DeleteTrail"));
  });

  it("prints the hub's role, which enters all of them", async () => {
    const { permissions } = await role(...theHub, "--github", "repo:example/fleet:environment:production");
    assert.deepEqual(
      permissions.Statement.map(({ Action, Resource }) => [Action, Resource]),
      [
        [
          "sts:AssumeRole",
          ["111111111111", "222222222222", "333333333333"].map((id) => `arn:aws:iam::${id}:role/CrosstrailDeploy`),
        ],
      ],
    );
  });

  describe("of a fleet with an organization, in a folder of its own", () => {
    let folder: string;
    before(() => {
      folder = mkdtempSync(join(tmpdir(), "crosstrail-roles-"));
      const write = (stack: string, config: object) =>
        writeFileSync(join(folder, `Pulumi.${stack}.yaml`), stringify({ config }));
      write("audit", {
        "aws:region": "eu-central-1",
        "crosstrail:role": "audit",
        "crosstrail:auditAccountId": "111111111111",
        "crosstrail:bucketName": "example-logs",
        "crosstrail:members": [
          { accountId: "222222222222", alias: "payments" },
          { accountId: "333333333333", alias: "web", deployRoleArn: "arn:aws:iam::333333333333:role/ops/Deployer" },
        ],
        "crosstrail:organization": { id: "o-exampleorg1", managementAccountId: "555555555555" },
        "crosstrail:memberDefaults": { sns: { encrypted: true } },
        "crosstrail:deployRole": "arn:{partition}:iam::{accountId}:role/Deploy-{alias}",
        "crosstrail:deployExternalId": "archive-7",
      });
      const other = { "aws:region": "eu-central-1", "crosstrail:auditStack": "audit" };
      write("payments", {
        ...other,
        "crosstrail:role": "member",
        "crosstrail:accountId": "222222222222",
        "crosstrail:cloudWatchLogs": { retentionDays: 30 },
      });
      write("management", {
        ...other,
        "crosstrail:role": "management",
        "crosstrail:accountId": "555555555555",
        "crosstrail:enableTrustedAccess": true,
      });
    });
    after(() => rmSync(folder, { recursive: true }));
    const inFleet = async (...args: string[]) => {
      const { exitCode, stdout, stderr } = await roles(...args, "--config", join(folder, "Pulumi.audit.yaml"));
      assert.equal(exitCode, 0, stderr);
      return JSON.parse(stdout) as Role;
    };

    it("the management account, by its name or id, as its own file says", async () => {
      for (const name of ["management", "555555555555"]) {
        const management = await inFleet(name, ...hub);
        assert.deepEqual([management.accountId, management.roleName], ["555555555555", "Deploy-management"]);
        const actions = actionsOf(management);
        for (const action of ["cloudtrail:CreateTrail", "organizations:EnableAWSServiceAccess"]) {
          assert.ok(actions.includes(action), action);
        }
        assert.ok(!actions.includes("organizations:EnableAllFeatures"), "nobody asked for it");
        assert.ok(actions.includes("organizations:DisableAWSServiceAccess"), "it is refused");
      }
      const actions = actionsOf(await inFleet("management", ...hub, "--access", "preview"));
      assert.ok(actions.includes("organizations:DescribeOrganization"));
      assert.ok(!actions.includes("organizations:EnableAWSServiceAccess"));
    });

    it("members as their own files say, or the defaults", async () => {
      const services = async (account: string) => [
        ...new Set(actionsOf(await inFleet(account, ...hub)).map((action) => action.split(":")[0])),
      ];
      assert.deepEqual((await services("payments")).sort(), ["cloudtrail", "iam", "kms", "logs", "sts"]);
      assert.deepEqual((await services("web")).sort(), ["cloudtrail", "kms", "sns", "sts"]);
      const { roleName, path } = await inFleet("web", ...hub);
      assert.deepEqual([roleName, path], ["Deployer", "/ops/"]);
    });

    it("a member whose stack has another name than the alias, by its account", async () => {
      const [alias, other] = ["payments", "by-hand"].map((name) => join(folder, `Pulumi.${name}.yaml`)) as [
        string,
        string,
      ];
      const before = await inFleet("payments", ...hub);
      renameSync(alias, other);
      try {
        assert.deepEqual(await inFleet("payments", ...hub), before);
        // Of two, nobody can say which one it is.
        copyFileSync(other, join(folder, "Pulumi.twice.yaml"));
        assert.ok(!actionsOf(await inFleet("payments", ...hub)).some((action) => action.startsWith("logs:")));
      } finally {
        rmSync(join(folder, "Pulumi.twice.yaml"), { force: true });
        renameSync(other, alias);
      }
    });

    it("the audit account and members by the roles that their own files assume, with their external ids", async () => {
      const config = (file: string) => parse(readFileSync(join(folder, file), "utf8")) as { config: object };
      const before = ["Pulumi.audit.yaml", "Pulumi.payments.yaml"].map((file) => [file, config(file).config] as const);
      const [archivist, carrier] = ["111111111111:role/Archivist", "222222222222:role/ops/Carrier"];
      const chains = [
        [{ roleArn: `arn:aws:iam::${archivist}` }],
        [
          { roleArn: "arn:aws:iam::111111111111:role/Hub" },
          { roleArn: `arn:aws:iam::${carrier}`, externalId: "own-9" },
        ],
      ];
      try {
        before.forEach(([file, own], index) =>
          writeFileSync(
            join(folder, file),
            stringify({ config: { ...own, "aws:assumeRoles": chains[index], "aws:secretKey": { secure: "v1:x" } } }),
          ),
        );
        const payments = await inFleet("payments", ...hub);
        assert.deepEqual([payments.roleName, payments.path], ["Carrier", "/ops/"]);
        assert.match(JSON.stringify(payments.trust), /"sts:ExternalId":"own-9"/);
        const audit = await inFleet("audit", ...hub);
        assert.equal(audit.roleName, "Archivist");
        assert.doesNotMatch(JSON.stringify(audit.trust), /ExternalId/);
        assert.deepEqual((await inFleet(...theHub, ...hub)).permissions.Statement[0]?.Resource, [
          `arn:aws:iam::${archivist}`,
          `arn:aws:iam::${carrier}`,
          "arn:aws:iam::333333333333:role/ops/Deployer",
          "arn:aws:iam::555555555555:role/Deploy-management",
        ]);
        assert.equal((await inFleet("payments", ...hub, "--access", "preview")).roleName, "CrosstrailPreview");
      } finally {
        for (const [file, own] of before) writeFileSync(join(folder, file), stringify({ config: own }));
      }
    });

    it("asks for the external id that the configuration gives, where the fleet enters by it", async () => {
      const asks = async (...args: string[]) => JSON.stringify((await inFleet(...args, ...hub)).trust);
      for (const account of ["payments", "management"])
        assert.match(await asks(account), /"sts:ExternalId":"archive-7"/);
      assert.match(await asks("web", "--external-id", "another"), /"sts:ExternalId":"another"/);
      for (const account of [["audit"], ["111111111111"], theHub])
        assert.doesNotMatch(await asks(...account), /ExternalId/);
    });

    it("three hundred members: the hub's permissions as managed policies", async () => {
      const file = join(folder, "Pulumi.many.yaml");
      const members = Array.from({ length: 300 }, (_, index) => ({
        accountId: String(300000000000 + index),
        alias: `member${index}`,
      }));
      const own = { role: "audit", auditAccountId: "111111111111", bucketName: "example-logs", members };
      const config = Object.fromEntries(Object.entries(own).map(([name, value]) => [`crosstrail:${name}`, value]));
      writeFileSync(file, stringify({ config: { "aws:region": "eu-central-1", ...config } }));
      const { exitCode, stdout, stderr } = await roles(
        ...theHub,
        ...hub,
        "--config",
        file,
        "--format",
        "cloudformation",
      );
      assert.equal(exitCode, 0, stderr);
      const { Resources } = parse(stdout, { version: "1.1" }) as {
        Resources: Record<
          string,
          { Type: string; Properties: { PolicyDocument: Role["permissions"]; Roles: object[] } }
        >;
      };
      const { Role: role, ...policies } = Resources;
      assert.ok(role && !("Policies" in role.Properties));
      const entered = Object.values(policies).flatMap(({ Type, Properties }) => {
        assert.deepEqual([Type, Properties.Roles], ["AWS::IAM::ManagedPolicy", [{ Ref: "Role" }]]);
        return Properties.PolicyDocument.Statement.flatMap(({ Resource }) => Resource);
      });
      assert.equal(new Set(entered).size, 301);
    });

    it("the hub, which enters each account by the role that the configuration names", async () => {
      const resources = async (...args: string[]) =>
        (await inFleet(...theHub, ...hub, ...args)).permissions.Statement[0]?.Resource;
      assert.deepEqual(await resources(), [
        "arn:aws:iam::111111111111:role/CrosstrailDeploy",
        "arn:aws:iam::222222222222:role/Deploy-payments",
        "arn:aws:iam::333333333333:role/ops/Deployer",
        "arn:aws:iam::555555555555:role/Deploy-management",
      ]);
      assert.deepEqual(
        await resources("--access", "preview"),
        ["1", "2", "3", "5"].map((digit) => `arn:aws:iam::${digit.repeat(12)}:role/CrosstrailPreview`),
      );
    });
  });

  it("prints the same as a CloudFormation template, in which the policy's version is no date", async () => {
    const args = ["payments", ...hub, "--external-id", "agreed"];
    const text = await printed(...args, "--format", "cloudformation");
    const template = parse(text, { version: "1.1" }) as {
      Resources: { Role: { Properties: Record<string, unknown> } };
    };
    const { roleName, trust, permissions } = await role(...args);
    assert.deepEqual(template.Resources.Role.Properties, {
      RoleName: roleName,
      AssumeRolePolicyDocument: trust,
      Policies: [{ PolicyName: "crosstrail", PolicyDocument: permissions }],
    });
    assert.ok(JSON.stringify(trust).includes('"sts:ExternalId":"agreed"'));
  });

  it("says with --json what each action is for", async () => {
    const { ok, data } = JSON.parse(await printed("audit", ...hub, "--json")) as Omit<Envelope, "data"> & {
      data: Role & { reasons: { action: string; why: string }[] };
    };
    assert.equal(ok, true);
    assert.deepEqual(
      [...new Set(data.reasons.map(({ action }) => action))].filter((action) => !actionsOf(data).includes(action)),
      [],
    );
    assert.ok(data.reasons.length > 30);
  });

  for (const [title, args, ...texts] of [
    ["an account that is not in the fleet", ["nobody", ...hub], 'account "nobody"', "audit, payments, web, and hub"],
    ["nobody who could assume it", ["audit"], "neither --hub nor --github", "Add --hub"],
    ["two ways in", ["audit", ...hub, "--github", "repo:o/r:pull_request"], "exclude each other"],
    [
      "an external id that nobody can say",
      ["audit", "--github", "repo:o/r:environment:p", "--external-id", "x"],
      "--hub",
    ],
    [
      "every pull request as a deployer",
      ["audit", "--github", "repo:o/r:pull_request"],
      "Every pull request",
      "--access preview",
    ],
    ["a subject with a wildcard", ["audit", "--github", "repo:o/r:*"], "a wildcard would let"],
    ["a hub that is no role", ["audit", "--hub", "arn:aws:iam::111111111111:user/x"], "A role ARN looks like"],
    ["a hub without an account", ["hub", ...hub], "--hub-account is missing", "Add --hub-account <12 digits>."],
    ["a hub's account that is none", ["hub", "--hub-account", "12", ...hub], "--hub-account 12: "],
    [
      "an account for the hub in another role",
      ["audit", ...hub, "--hub-account", "999999999999"],
      "is for the role hub",
    ],
    ["a name that IAM refuses", ["audit", ...hub, "--name", "a b"], "--name a b"],
    ["an unknown access", ["audit", ...hub, "--access", "all"], "Allowed choices are preview, deploy, remove"],
    ["no account", [...hub], "account"],
  ] as [string, string[], ...string[]][]) {
    it(`refuses with exit code 2: ${title}`, async () => {
      const { exitCode, stdout, stderr } = await roles(...args, "--config", auditFile);
      assert.equal(exitCode, 2);
      assert.equal(stdout, "");
      for (const text of texts) assert.ok(stderr.includes(text), stderr);
    });
  }

  it("warns of a hub in the audit account, and says why", async () => {
    const args = ["--github", "repo:o/r:environment:p", "--config", auditFile];
    const { exitCode, stderr } = await roles("hub", "--hub-account", "111111111111", ...args);
    assert.equal(exitCode, 0);
    assert.match(stderr, /anyone who controls it would control every account of the fleet/);
    assert.doesNotMatch((await roles(...theHub, ...args)).stderr, /audit account/);
  });

  describe("the permissions boundary", () => {
    const withReaders = (change: object = {}) => {
      const folder = mkdtempSync(join(tmpdir(), "crosstrail-roles-"));
      const { config } = parse(readFileSync(auditFile, "utf8")) as { config: object };
      const file = join(folder, "Pulumi.audit.yaml");
      const readers = [{ trustedAccounts: ["555555555555"] }];
      writeFileSync(file, stringify({ config: { ...config, "crosstrail:readers": readers, ...change } }));
      return { file, folder };
    };
    const inFolder = async (change: object, ...args: string[]) => {
      const { file, folder } = withReaders(change);
      try {
        return await roles(...args, ...hub, "--config", file);
      } finally {
        rmSync(folder, { recursive: true });
      }
    };
    interface WithBoundary extends Role {
      permissionsBoundary?: { policyName: string; path?: string; document: { Statement: { Sid: string }[] } };
    }

    it("is printed for a role that creates roles, under the name that the configuration gives it", async () => {
      const { stdout, stderr } = await inFolder({ "crosstrail:permissionsBoundary": "team/Limits" }, "audit");
      const { permissionsBoundary, permissions } = JSON.parse(stdout) as WithBoundary;
      assert.deepEqual([permissionsBoundary?.policyName, permissionsBoundary?.path], ["Limits", "/team/"]);
      assert.deepEqual(
        permissionsBoundary?.document.Statement.map(({ Sid }) => Sid),
        ["FindLogs", "ReadLogs", "DecryptLogs"],
      );
      assert.match(
        JSON.stringify(permissions),
        /"iam:PermissionsBoundary":"arn:aws:iam::111111111111:policy\/team\/Limits"/,
      );
      assert.doesNotMatch(stderr, /permissions boundary/);
    });

    it("is a resource of the template for deploying; not of others, as an account has one", async () => {
      const resources = async (...args: string[]) =>
        Object.keys(
          (parse((await inFolder({}, "audit", "--format", "cloudformation", ...args)).stdout) as { Resources: object })
            .Resources,
        );
      assert.deepEqual(await resources(), ["Boundary", "Role"]);
      assert.deepEqual(await resources("--access", "remove"), ["Role"]);
      assert.deepEqual(await resources("--access", "preview"), ["Role"]);
    });

    it("is missed where a stack would create roles without it, and only there", async () => {
      const { exitCode, stderr } = await inFolder({}, "audit");
      assert.equal(exitCode, 0);
      assert.match(
        stderr,
        /stack audit[^]*pulumi config set --stack audit crosstrail:permissionsBoundary CrosstrailBoundary/,
      );
      assert.doesNotMatch((await inFolder({}, "audit", "--access", "preview")).stderr, /boundary/);
      assert.doesNotMatch((await roles("audit", ...hub, "--config", auditFile)).stderr, /boundary/);
    });
  });

  it("refuses the configuration of a member stack", async () => {
    const { exitCode, stderr } = await roles("audit", ...hub, "--config", join(root, "Pulumi.member.yaml"));
    assert.equal(exitCode, 2);
    assert.match(stderr, /belongs to a member stack/);
  });
});
