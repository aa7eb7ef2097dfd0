import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import type { Envelope } from "../../../automation/output";
import { readStackFile } from "../../../automation/stackFile";
import { regions } from "../../../core/accounts";
import { crosstrail } from "../../support/cli";
import type { AccountAnswers } from "../../support/cloudTrail";
import { withAccount } from "../../support/cloudTrail";
import { bucketName, contract, keyArn } from "../../support/fleet";

const accountId = "222222222222";
const arn = (name: string, region = "us-east-1") => `arn:aws:cloudtrail:${region}:${accountId}:trail/${name}`;

/** A trail as DescribeTrails answers. */
const trail = (name: string, other: Record<string, unknown> = {}, region = "us-east-1") => ({
  Name: name,
  TrailARN: arn(name, region),
  HomeRegion: region,
  S3BucketName: bucketName,
  KmsKeyId: keyArn,
  IsMultiRegionTrail: true,
  LogFileValidationEnabled: true,
  IncludeGlobalServiceEvents: true,
  ...other,
});
const answers = { GetTrailStatus: { IsLogging: true } };
const account = (trails: AccountAnswers["trails"], other: Partial<AccountAnswers> = {}): AccountAnswers => ({
  accountId,
  trails,
  ...other,
  answers: { ...answers, ...other.answers },
});
interface Data {
  adoption: { trailArn: string; config: Record<string, unknown>; leaveAsIs: string[] };
  trails: { arn: string; adoptable: boolean }[];
  skippedRegions: string[];
  file: { name: string; text: string; written: string | null };
}

describe("crosstrail adopt", () => {
  let folder: string;
  let contractFile: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "crosstrail-adopt-"));
    contractFile = join(folder, "audit.json");
    writeFileSync(contractFile, JSON.stringify(contract()));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const adopt = (of: AccountAnswers, ...args: string[]) =>
    withAccount(of, (asked) =>
      crosstrail(["adopt", "--contract", contractFile, ...args]).then((result) => ({ ...result, asked })),
    );
  const json = async (of: AccountAnswers, ...args: string[]) => {
    const { stdout, exitCode, asked } = await adopt(of, "--json", ...args);
    return { exitCode, asked, ...(JSON.parse(stdout) as Omit<Envelope, "data"> & { data: Data }) };
  };

  it("asks every Region for the trails at home there, and shows the stack of the only one", async () => {
    const { exitCode, stdout, stderr, asked } = await adopt(account({ "eu-west-1": [trail("crosstrail")] }));
    assert.deepEqual([exitCode, stderr], [0, ""]);
    assert.deepEqual(
      asked.filter((each) => each.endsWith("DescribeTrails")).sort(),
      regions.aws.map((region) => `${region} DescribeTrails`).sort(),
    );
    assert.match(stdout, /^Account 222222222222: 1 trail in the \d+ Regions searched\.\n/);
    assert.match(stdout, /every Region, validated, recording, to example-logs, with key arn:aws:kms:/);
    assert.match(stdout, /Pulumi\.payments\.yaml \(not written; add --cwd <folder> to write it\)/);
    assert.match(stdout, /crosstrail:importTrail: arn:aws:cloudtrail:us-east-1:222222222222:trail\/crosstrail/);
    assert.match(stdout, /pulumi up -s payments\n.*pulumi preview -s payments --expect-no-changes\n$/);
    // Nothing but what is needed: a trail without selectors is not asked for them.
    assert.deepEqual(
      asked.filter((each) => !each.endsWith("DescribeTrails")).sort(),
      ["eu-west-1 GetTrailStatus", "eu-west-1 ListTags", "us-east-1 GetCallerIdentity"].sort(),
    );
    assert.deepEqual(readdirSync(folder), ["audit.json"]);
  });

  it("reads what the trail records, in the words of the configuration, and writes a file that is accepted", async () => {
    const found = account(
      { "us-east-1": [trail("crosstrail", { HasCustomEventSelectors: true, HasInsightSelectors: true })] },
      {
        answers: {
          GetEventSelectors: {
            AdvancedEventSelectors: [
              { Name: "all", FieldSelectors: [{ Field: "eventCategory", Equals: ["Management"], NotEquals: [] }] },
            ],
          },
          GetInsightSelectors: { InsightSelectors: [{ InsightType: "ApiCallRateInsight" }] },
          ListTags: { ResourceTagList: [{ TagsList: [{ Key: "team", Value: "payments" }] }] },
        },
      },
    );
    const out = join(folder, "written");
    const { exitCode, data } = await json(found, "--regions", "us-east-1", "--out", out);
    assert.equal(exitCode, 0);
    const file = join(out, "Pulumi.payments.yaml");
    assert.equal(data.file.written, file);
    assert.equal(readFileSync(file, "utf8"), data.file.text);
    assert.deepEqual((parse(data.file.text) as { config: unknown }).config, data.adoption.config);
    const settings = readStackFile(file, {});
    assert.ok(settings.role === "member");
    assert.deepEqual(settings.trailOptions.advancedEventSelectors, [
      { name: "all", fieldSelectors: [{ field: "eventCategory", equals: ["Management"] }] },
    ]);
    assert.equal(settings.imported?.trailArn, arn("crosstrail"));
    assert.deepEqual(settings.imported.leaveAsIs, []);
    assert.deepEqual(
      [settings.trailOptions.insightTypes, settings.tags],
      [["ApiCallRateInsight"], { team: "payments" }],
    );

    // Again: nothing is overwritten.
    const again = await json(found, "--regions", "us-east-1", "--out", out);
    assert.deepEqual([again.exitCode, again.findings.map(({ id }) => id)], [2, ["adopt/file"]]);
    assert.equal(readFileSync(file, "utf8"), data.file.text);
  });

  it("writes the file where Pulumi looks for it", async () => {
    const found = account({ "us-east-1": [trail("crosstrail")] });
    const project = join(folder, "project");
    mkdirSync(project);
    writeFileSync(
      join(project, "Pulumi.json"),
      JSON.stringify({ name: "fleet", runtime: "nodejs", stackConfigDir: "stacks" }),
    );
    const { exitCode, data } = await json(found, "--regions", "us-east-1", "--out", project);
    const file = join(project, "stacks", "Pulumi.payments.json");
    assert.deepEqual([exitCode, data.file.name, data.file.written], [0, "Pulumi.payments.json", file]);
    const settings = readStackFile(file, {});
    assert.equal(settings.imported?.trailArn, arn("crosstrail"));
    rmSync(project, { recursive: true });
  });

  it("leaves basic selectors as they are", async () => {
    const found = account(
      { "us-east-1": [trail("crosstrail", { HasCustomEventSelectors: true })] },
      { answers: { GetEventSelectors: { EventSelectors: [{ ReadWriteType: "WriteOnly" }] } } },
    );
    const { data } = await json(found, "--regions", "us-east-1");
    assert.deepEqual(data.adoption.leaveAsIs, ["eventSelectors"]);
  });

  it("of a trail that delivers elsewhere: says what redirecting would change, and that it is left", async () => {
    const found = account({ "us-east-1": [trail("by-hand", { S3BucketName: "elsewhere", KmsKeyId: undefined })] });
    const { exitCode, stdout } = await adopt(found, "--regions", "us-east-1", "--alias", "pay");
    assert.equal(exitCode, 0);
    assert.match(stdout, /crosstrail:leaveAsIs:\n +- delivery\n +- eventSelectors\n/);
    assert.match(stdout, /S3BucketName {2}elsewhere -> example-logs\n {2}KmsKeyId {6}\(none\) -> arn:aws:kms/);
    assert.match(stdout, /- accountId: "222222222222"\n +alias: pay\n +trailName: by-hand\n/);
    assert.match(stdout, /remove delivery from crosstrail:leaveAsIs in Pulumi\.pay\.yaml/);
  });

  it("of several trails names those that can be adopted; --trail takes one, by name or ARN", async () => {
    const found = account({
      "us-east-1": [trail("one-trail"), trail("aws-controltower-BaselineCloudTrail")],
      "eu-west-1": [trail("two-trails", {}, "eu-west-1")],
    });
    const several = await json(found);
    assert.deepEqual([several.exitCode, several.findings[0]?.id], [2, "adopt/several"]);
    assert.equal(
      several.findings[0]?.remedy,
      `Add --trail with one of these:\n${arn("two-trails", "eu-west-1")}\n${arn("one-trail")}`,
    );
    for (const name of ["two-trails", arn("two-trails", "eu-west-1")]) {
      const { exitCode, data } = await json(found, "--trail", name);
      assert.deepEqual([exitCode, data.adoption.trailArn], [0, arn("two-trails", "eu-west-1")]);
      assert.equal(data.adoption.config["aws:region"], "eu-west-1");
    }
    const unknown = await json(found, "--trail", "three");
    assert.deepEqual([unknown.exitCode, unknown.findings[0]?.id], [2, "adopt/no-such-trail"]);
    const refused = await json(found, "--trail", "aws-controltower-BaselineCloudTrail");
    assert.deepEqual([refused.exitCode, refused.findings[0]?.id], [5, "adopt/control-tower"]);
  });

  it("shows beside the adopted one why another is not", async () => {
    const found = account({ "us-east-1": [trail("mine"), trail("aws-controltower-BaselineCloudTrail")] });
    const { exitCode, stdout } = await adopt(found);
    assert.equal(exitCode, 0);
    assert.match(stdout, /trail\/mine {3}<- adopted\n/);
    assert.match(
      stdout,
      /trail\/aws-controltower-BaselineCloudTrail\n.*\n {4}not adopted: This trail belongs to AWS Control/,
    );
  });

  it("an organization trail: writes the management stack's file, and the lines to declare the organization", async () => {
    const Organization = { Id: "o-exampleorg1", MasterAccountId: accountId };
    const found = account(
      { "us-east-1": [trail("by-hand", { IsOrganizationTrail: true })] },
      { answers: { DescribeOrganization: { Organization } } },
    );
    const out = join(folder, "organization");
    const { exitCode, stdout, asked } = await adopt(found, "--regions", "us-east-1", "--out", out);
    assert.equal(exitCode, 0);
    assert.ok(asked.includes("us-east-1 DescribeOrganization"), asked.join());
    const settings = readStackFile(join(out, "Pulumi.management.yaml"), {});
    assert.ok(settings.role === "management");
    assert.equal(settings.imported?.trailArn, arn("by-hand"));
    assert.match(
      stdout,
      /configuration, then deploy the audit stack:\n +crosstrail:organization:\n +id: o-exampleorg1\n/,
    );
    assert.match(stdout, /pulumi stack init management\n/);

    // Who may not ask for the organization is told what to look up.
    const unread = await adopt(account({ "us-east-1": [trail("by-hand", { IsOrganizationTrail: true })] }), "--json");
    const { adoption } = (JSON.parse(unread.stdout) as { data: { adoption: { organization: { id: string } } } }).data;
    assert.match(adoption.organization.id, /^<o-/);
  });

  it("the audit account's own: the keys to add to the audit stack, before it is deployed and after; no file is written", async () => {
    const auditArn = arn("by-hand").replace(accountId, "111111111111");
    const found = { ...account({ "us-east-1": [trail("by-hand", { TrailARN: auditArn, S3BucketName: "x-logs" })] }) };
    const config = join(folder, "Pulumi.audit.yaml");
    const lines = {
      "aws:region": "us-east-1",
      "crosstrail:role": "audit",
      "crosstrail:auditAccountId": "111111111111",
    };
    writeFileSync(config, JSON.stringify({ config: { ...lines, "crosstrail:bucketName": bucketName } }));
    const args = ["adopt", "--config", config, "--regions", "us-east-1", "--out", join(folder, "audit")];
    const { exitCode, stdout } = await withAccount({ ...found, accountId: "111111111111" }, () => crosstrail(args));
    assert.equal(exitCode, 0);
    assert.match(stdout, /Add these keys to Pulumi\.audit\.yaml/);
    assert.match(stdout, /crosstrail:importTrail: arn:aws:cloudtrail:us-east-1:111111111111:trail\/by-hand\n/);
    assert.match(stdout, /KmsKeyId.* -> \(the archive's key\)\n/);
    assert.match(stdout, /Import the trail:\n +pulumi up -s audit\n +pulumi preview -s audit --expect-no-changes\n/);
    assert.ok(!readdirSync(folder).includes("audit"));
    rmSync(config);
    const both = await crosstrail(["adopt", "--config", config, "--contract", contractFile]);
    assert.deepEqual([both.exitCode, /cannot be combined/.test(both.stderr)], [2, true]);
  });

  it("leaves out Regions that are not enabled, and says so; but not one that was asked for", async () => {
    const found = account(
      { "us-east-1": [trail("crosstrail")] },
      { refuses: { "af-south-1": "UnrecognizedClientException", "me-south-1": "UnrecognizedClientException" } },
    );
    const { exitCode, data } = await json(found);
    assert.deepEqual([exitCode, data.skippedRegions], [0, ["af-south-1", "me-south-1"]]);
    const asked = await json(found, "--regions", "af-south-1");
    assert.deepEqual([asked.exitCode, asked.findings[0]?.id], [3, "aws/refused"]);
  });

  it("ends with code 3 where a Region or STS refuses, and says what was asked", async () => {
    const denied = account({}, { refuses: { "us-east-1": "AccessDeniedException" } });
    const { exitCode, findings } = await json(denied);
    assert.deepEqual([exitCode, findings[0]?.subject], [3, "the trails of Region us-east-1"]);
    const nobody = await json(account({}, { refusesCredentials: true }));
    assert.deepEqual([nobody.exitCode, nobody.findings[0]?.subject], [3, "the account of the credentials"]);
    assert.deepEqual(nobody.asked, ["us-east-1 GetCallerIdentity"]);
  });

  it("ends with code 2 where no Region is set, and asks nothing", async () => {
    const { exitCode, findings, asked } = await withAccount(account({}), async (asked) => {
      delete process.env.AWS_REGION;
      const { stdout, exitCode } = await crosstrail(["adopt", "--contract", contractFile, "--json"]);
      return { asked, exitCode, findings: (JSON.parse(stdout) as Envelope).findings };
    });
    assert.deepEqual([exitCode, findings.map(({ id }) => id), asked], [2, ["aws/region"], []]);
    assert.match(findings[0]?.remedy ?? "", /AWS_REGION/);
  });

  it("ends with code 5 where there is no trail", async () => {
    const { exitCode, stderr } = await adopt(account({}));
    assert.equal(exitCode, 5);
    assert.match(stderr, /No trail has its home Region in \d+ Regions/);
  });

  it("without a contract: the trail stays with its bucket and key, which another account owns", async () => {
    const { exitCode, stdout } = await withAccount(account({ "us-east-1": [trail("by-hand")] }), () =>
      crosstrail(["adopt", "--regions", "us-east-1"]),
    );
    assert.equal(exitCode, 0);
    assert.match(stdout, /crosstrail:contract:\n +contractVersion: 1\n/);
    assert.match(stdout, /The bucket and key stay with their owner/);
  });

  it("refuses a contract that is none and an alias that is none before AWS is asked", async () => {
    const file = join(folder, "none.json");
    writeFileSync(file, "[]");
    for (const [args, id] of [
      [["--contract", file], "contract/json"],
      [["--alias", "Not An Alias"], "config/alias"],
    ] as const) {
      const { exitCode, stdout } = await crosstrail(["adopt", "--json", ...args]);
      assert.deepEqual([exitCode, (JSON.parse(stdout) as Envelope).findings[0]?.id], [2, id]);
    }
  });

  it("a name with control characters does not reach the terminal", async () => {
    const found = account({ "us-east-1": [trail("crosstrail", { S3BucketName: "x\u001b[2J" })] });
    const { stdout } = await adopt(found, "--regions", "us-east-1");
    assert.ok(!stdout.includes("\u001b"));
  });
});
