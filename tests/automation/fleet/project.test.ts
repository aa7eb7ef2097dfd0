/** The configuration of each stack of a fleet, as the files in a folder say it. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { stringify } from "yaml";
import { Project, removeAbandoned } from "../../../automation/fleet/project";
import type { UserError } from "../../../core/findings";
import type { FleetStack } from "../../../core/fleet";
import { declaredContract } from "../../../core/fleet";

const payments: FleetStack = { name: "payments", kind: "member", accountId: "222222222222" };
const management: FleetStack = { name: "management", kind: "management", accountId: "555555555555" };
const organization = { id: "o-exampleorg1", managementAccountId: "555555555555", trailName: "organization" };
const keyArn = "arn:aws:kms:us-east-1:111111111111:key/00000000-0000-0000-0000-000000000000";

describe("automation: the project of a fleet", () => {
  let folder = "";
  let open: Project[] = [];
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "crosstrail-test-"));
    fs.writeFileSync(path.join(folder, "Pulumi.yaml"), "name: crosstrail\nruntime: nodejs\nmain: index.ts\n");
    open = [];
  });
  afterEach(() => {
    for (const project of open) project.close();
    fs.rmSync(folder, { recursive: true });
  });

  const write = (stack: string, config: object, more = "") =>
    fs.writeFileSync(path.join(folder, `Pulumi.${stack}.yaml`), `${stringify({ config })}${more}`);
  const audit = (more: object = { "crosstrail:organization": organization }) =>
    write(
      "audit",
      {
        "aws:region": "us-east-1",
        "crosstrail:role": "audit",
        "crosstrail:auditAccountId": "111111111111",
        "crosstrail:bucketName": "example-logs",
        "crosstrail:members": [{ accountId: "222222222222", alias: "payments" }],
        ...more,
      },
      "encryptionsalt: v1:example\n",
    );
  const project = () => {
    const made = new Project(folder, "audit", {});
    open.push(made);
    return made;
  };
  const refused = (work: () => unknown) => {
    try {
      work();
    } catch (error) {
      assert.equal((error as Error).name, "UserError", String((error as Error).stack));
      return (error as UserError).findings.map(({ id, message }) => `${id}: ${message}`).join("\n");
    }
    return assert.fail("it is not refused");
  };
  const own = (role: string, accountId: string) => ({
    "aws:region": "us-east-1",
    "crosstrail:role": role,
    "crosstrail:accountId": accountId,
    "crosstrail:auditStack": "audit",
    "crosstrail:tags": { from: "file" },
  });

  it("of a stack without a file it follows from the fleet's, with the fleet's secrets provider, outside of the folder", () => {
    audit();
    const before = fs.readdirSync(folder);
    for (const stack of [payments, management]) {
      const { workDir, config, settings } = project().trailStack(stack, undefined);
      assert.equal(settings.role, stack.kind);
      assert.equal(config["crosstrail:accountId"], stack.accountId);
      const file = fs.readFileSync(path.join(workDir, `Pulumi.${stack.name}.yaml`), "utf8");
      assert.match(file, /^encryptionsalt: v1:example$/m);
      assert.match(fs.readFileSync(path.join(workDir, "Pulumi.yaml"), "utf8"), new RegExp(`main: ${folder}/index.ts`));
    }
    assert.deepEqual(fs.readdirSync(folder), before);
  });

  describe("no remedy names a file that is not there", () => {
    /** Of whatever is wrong with a fleet, the files that the message says to correct. */
    const namedFiles = (work: () => unknown): string[] => {
      try {
        work();
      } catch (error) {
        assert.equal((error as Error).name, "UserError", String((error as Error).stack));
        return [...(error as Error).message.matchAll(/Pulumi\.[\w.-]+?\.(?:yaml|yml|json)/g)].map(([name]) => name);
      }
      return assert.fail("it is not refused");
    };
    for (const [what, memberDefaults] of Object.entries({
      "an unknown key": { trailNam: "x" },
      "a wrong type": { tags: ["x"] },
      "two that exclude each other": { isMultiRegionTrail: true, includeGlobalServiceEvents: false },
      "a field that CloudTrail does not have": {
        advancedEventSelectors: [{ fieldSelectors: [{ field: "eventColour", equals: ["blue"] }] }],
      },
      "a wildcard in an ARN": {
        eventSelectors: [{ dataResources: [{ type: "AWS::S3::Object", values: ["arn:aws:s3:::logs-*/"] }] }],
      },
      "a tag of AWS's": { tags: { "aws:owner": "me" } },
      "what is only for a trail that is taken over": { leaveAsIs: ["delivery"] },
    })) {
      it(`memberDefaults: ${what}`, () => {
        audit({ "crosstrail:memberDefaults": memberDefaults });
        const files = namedFiles(() => project().trailStack(payments, undefined));
        assert.ok(files.length > 0);
        assert.deepEqual([...new Set(files)], ["Pulumi.audit.yaml"]);
      });
    }

    it("a member with a file of its own is told its own", () => {
      audit();
      write("payments", { ...own("member", "222222222222"), "crosstrail:tags": ["x"] });
      const files = namedFiles(() => project().trailStack(payments, undefined));
      assert.deepEqual([...new Set(files)], ["Pulumi.payments.yaml"]);
    });

    it("and its job says the same to the program", () => {
      audit();
      assert.equal(project().trailStack(payments, undefined).file, "Pulumi.audit.yaml");
      write("payments", own("member", "222222222222"));
      assert.equal(project().trailStack(payments, undefined).file, "Pulumi.payments.yaml");
    });
  });

  it("of one that is no longer declared it follows from what is deployed", () => {
    audit();
    const deployed = { ...declaredContract(project().audit), keyArn };
    audit({ "crosstrail:members": [] });
    for (const stack of [payments, management]) {
      const { settings } = project().trailStack({ ...stack, removed: true }, deployed);
      assert.equal(settings.role, stack.kind);
    }
  });

  it("a file of its own is all that counts, and has to be for the same account and role", () => {
    audit();
    write("payments", own("member", "222222222222"));
    write("management", own("management", "555555555555"));
    for (const stack of [payments, management]) {
      const { workDir, settings } = project().trailStack(stack, undefined);
      assert.equal(workDir, folder);
      assert.deepEqual((settings as { tags?: object }).tags, { from: "file" });
    }
    write("payments", own("member", "333333333333"));
    assert.match(
      refused(() => project().trailStack(payments, undefined)),
      /^fleet\/account: .* payments as account 222222222222/,
    );
    write("payments", own("management", "222222222222"));
    assert.match(
      refused(() => project().trailStack(payments, undefined)),
      /^fleet\/role: .*payments as a member, but .* role management/,
    );
    write("management", own("member", "555555555555"));
    assert.match(
      refused(() => project().trailStack(management, undefined)),
      /^fleet\/role: .*management as the organization trail's, but .* role member/,
    );
  });

  it("the organization trail's stack may work in a delegated administrator's account, as its file says", () => {
    audit();
    assert.equal(project().managementStackAccount(undefined), undefined);
    write("management", own("management", "666666666666"));
    assert.equal(project().managementStackAccount(undefined), "666666666666");
    // What is wrong with the file is told when its stack's turn comes, and holds up no other.
    fs.writeFileSync(path.join(folder, "Pulumi.management.yaml"), "config: [");
    assert.equal(project().managementStackAccount(undefined), undefined);
    assert.match(
      refused(() => project().trailStack(management, undefined)),
      /^config\/yaml: It is not YAML/,
    );
  });

  it("leaves nothing behind", () => {
    audit();
    const one = project();
    const { workDir } = one.trailStack(payments, undefined);
    assert.ok(fs.existsSync(workDir));
    one.close();
    assert.ok(!fs.existsSync(path.dirname(workDir)));
  });

  it("removes what a run that was killed more than a day ago has left, and nothing else", () => {
    const { pid } = spawnSync(process.execPath, ["--version"]);
    const dayAgo = new Date(Date.now() - 25 * 3_600_000);
    const made = [pid, pid, process.pid].map((id) => fs.mkdtempSync(path.join(os.tmpdir(), `crosstrail-run-${id}-`)));
    const [old, recent, living] = made as [string, string, string];
    try {
      for (const each of [old, living]) fs.utimesSync(each, dayAgo, dayAgo);
      // Root could remove the folders of others, too.
      removeAbandoned((process.getuid?.() ?? 0) + 1);
      assert.ok(fs.existsSync(old), "another user's");
      audit();
      const own = project().temporary;
      assert.deepEqual(
        [old, recent, living, own].map((each) => fs.existsSync(each)),
        [false, true, true, true],
      );
    } finally {
      for (const each of made) fs.rmSync(each, { recursive: true, force: true });
    }
  });
});
