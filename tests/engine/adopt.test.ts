/** Trails made by hand come under the real engine's care as they are, and are changed only when the configuration says so. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CreateTrailCommandInput } from "@aws-sdk/client-cloudtrail";
import {
  CloudTrailClient,
  CreateTrailCommand,
  DescribeTrailsCommand,
  GetTrailStatusCommand,
  ListTagsCommand,
  StartLoggingCommand,
} from "@aws-sdk/client-cloudtrail";
import { CreateServiceLinkedRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import {
  CreateOrganizationCommand,
  EnableAWSServiceAccessCommand,
  OrganizationsClient,
} from "@aws-sdk/client-organizations";
import { CreateBucketCommand, PutBucketPolicyCommand, S3Client } from "@aws-sdk/client-s3";
import { parse } from "yaml";
import type { Contract } from "../../core/contract";
import { bucketPolicy } from "../../core/policies/bucket";
import type { Sandbox } from "../../sandbox";
import { REGION, ROOT } from "../../sandbox";
import { AUDIT_ACCOUNT, AUDIT_STACK, deployRole, MANAGEMENT, MEMBERS } from "../../sandbox/accounts";
import { Engine, MINUTE, sandbox } from "./support";

const payments = MEMBERS.payments as string;
const web = MEMBERS.web as string;
const oldBucket = "made-by-hand";

describe("engine: trails made by hand", function () {
  this.timeout(30 * MINUTE);
  let box: Sandbox;
  let engine: Engine;
  let contract: Contract;
  const declared = {
    "crosstrail:auditAccountTrail": false,
    "crosstrail:members": [
      { accountId: payments, alias: "payments", trailName: "hand-made" },
      { accountId: web, alias: "web", trailName: "old-trail" },
    ],
  };
  before(async () => {
    box = await sandbox();
    // A project of its own: without one, the tool finds the repository's above it, and would write there.
    writeFileSync(join(box.folder, "Pulumi.yaml"), "name: crosstrail\nruntime: nodejs\n");
    engine = new Engine(box);
    await engine.configureAudit(declared);
    await engine.up(AUDIT_STACK);
    await readContract();
  });
  const readContract = async () => {
    contract = await box.outputs<Contract>(AUDIT_STACK);
    writeFileSync(join(box.folder, "audit.json"), JSON.stringify(contract));
  };
  after(() => box?.stop());

  const withTrails = async <Result>(accountId: string, act: (client: CloudTrailClient) => Promise<Result>) => {
    const client = new CloudTrailClient(await box.aws(accountId));
    try {
      return await act(client);
    } finally {
      client.destroy();
    }
  };
  const makeByHand = (accountId: string, input: CreateTrailCommandInput) =>
    withTrails(accountId, async (client) => {
      const { TrailARN } = await client.send(new CreateTrailCommand(input));
      await client.send(new StartLoggingCommand({ Name: TrailARN }));
      return TrailARN as string;
    });
  /** All that AWS says of the account's trails. */
  const read = (accountId: string) =>
    withTrails(accountId, async (client) => {
      const { trailList = [] } = await client.send(new DescribeTrailsCommand({ includeShadowTrails: false }));
      return Promise.all(
        trailList.map(async (trail) => {
          const { IsLogging, TimeLoggingStarted, TimeLoggingStopped } = await client.send(
            new GetTrailStatusCommand({ Name: trail.TrailARN }),
          );
          const { ResourceTagList } = await client.send(
            new ListTagsCommand({ ResourceIdList: [trail.TrailARN ?? ""] }),
          );
          return { trail, IsLogging, TimeLoggingStarted, TimeLoggingStopped, tags: ResourceTagList };
        }),
      );
    });

  /** A bucket of somebody's own, to which CloudTrail may deliver whatever trail it is. */
  const bucketByHand = async (accountId: string, Bucket: string) => {
    const s3 = new S3Client({ ...(await box.aws(accountId)), forcePathStyle: true });
    const principal = { Effect: "Allow", Principal: { Service: "cloudtrail.amazonaws.com" } };
    const Statement = [
      { ...principal, Action: "s3:GetBucketAcl", Resource: `arn:aws:s3:::${Bucket}` },
      { ...principal, Action: "s3:PutObject", Resource: `arn:aws:s3:::${Bucket}/*` },
    ];
    await s3.send(new CreateBucketCommand({ Bucket }));
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify({ Version: "2012-10-17", Statement }) }));
    s3.destroy();
  };

  /** Runs the tool as a user of the account does. */
  async function adopted(accountId: string, ...options: string[]): Promise<string> {
    const { accessKeyId, secretAccessKey, sessionToken } = (await box.aws(accountId)).credentials;
    const env = {
      ...box.env,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken,
    };
    const args = [join(ROOT, "bin", "crosstrail.js"), "adopt", "--cwd", ".", ...options];
    // The emulator does not know every Region that AWS has.
    args.push("--regions", REGION, "eu-west-1");
    const [code, output] = await new Promise<[number, string]>((resolve) => {
      execFile(process.execPath, args, { cwd: box.folder, env, timeout: 2 * MINUTE }, (error, stdout, stderr) =>
        resolve([error ? Number(error.code) : 0, stdout + stderr]),
      );
    });
    assert.equal(code, 0, output);
    return output;
  }

  /** Configures the stack with what the tool wrote. */
  async function adopt(accountId: string, alias: string, ...options: string[]): Promise<Record<string, unknown>> {
    await adopted(accountId, ...options);
    const { config } = parse(readFileSync(join(box.folder, `Pulumi.${alias}.yaml`), "utf8")) as {
      config: Record<string, unknown>;
    };
    return { ...config, "aws:assumeRoles": [{ roleArn: deployRole(accountId) }] };
  }

  describe("one that delivers to the archive", () => {
    let config: Record<string, unknown>;
    let before: Awaited<ReturnType<typeof read>>;

    it("is found, and imported by the first up, which changes nothing of it; nor does the next", async () => {
      await makeByHand(payments, {
        Name: "hand-made",
        S3BucketName: contract.bucketName,
        KmsKeyId: contract.keyArn,
        IsMultiRegionTrail: true,
        EnableLogFileValidation: false,
        TagsList: [{ Key: "team", Value: "payments" }],
      });
      before = await read(payments);
      assert.equal(before.length, 1);

      config = await adopt(payments, "payments", "--contract", "audit.json");
      assert.deepEqual(config["crosstrail:leaveAsIs"], ["eventSelectors"]);
      assert.equal(config["crosstrail:enableLogFileValidation"], false);
      await box.stack("payments", config);
      const output = await engine.run("up", "payments");
      // The stack and the component are made; of AWS's resources there is one, and it is imported.
      assert.match(output, /Resources:\s+\+ 2 created\s+= 1 imported\s+3 changes/, output);
      assert.deepEqual(await read(payments), before);
      await engine.expectNoChanges("payments");
      assert.deepEqual(await read(payments), before);
    });

    it("then is changed in place, the same trail", async () => {
      await box.stack("payments", { ...config, "crosstrail:enableLogFileValidation": true });
      assert.deepEqual(await engine.up("payments"), { update: 1, same: 2 });
      await engine.expectNoChanges("payments");
      const [after] = await read(payments);
      assert.deepEqual(after, { ...before[0], trail: { ...before[0]?.trail, LogFileValidationEnabled: true } });
    });

    it("is deleted by destroy, like every trail of a member stack", async () => {
      await engine.run("destroy", "payments", "--run-program");
      assert.deepEqual(await read(payments), []);
    });
  });

  describe("one that delivers elsewhere", () => {
    let config: Record<string, unknown>;
    let before: Awaited<ReturnType<typeof read>>;
    let arn: string;

    it("is imported, and goes on delivering there", async () => {
      const s3 = new S3Client({ ...(await box.aws(web)), forcePathStyle: true });
      const trails = [{ partition: "aws", region: REGION, accountId: web, name: "old-trail" } as const];
      const Policy = JSON.stringify(bucketPolicy({ partition: "aws", bucketName: oldBucket, trails }).document);
      await s3.send(new CreateBucketCommand({ Bucket: oldBucket }));
      await s3.send(new PutBucketPolicyCommand({ Bucket: oldBucket, Policy }));
      s3.destroy();
      arn = await makeByHand(web, { Name: "old-trail", S3BucketName: oldBucket, S3KeyPrefix: "" });
      before = await read(web);

      config = await adopt(web, "web", "--contract", "audit.json");
      assert.deepEqual(config["crosstrail:leaveAsIs"], ["delivery", "eventSelectors"]);
      // Whatever else the configuration says, the first up changes nothing.
      await box.stack("web", { ...config, "crosstrail:enableLogFileValidation": true });
      await engine.run("up", "web");
      assert.deepEqual(await read(web), before);
      assert.equal((await box.outputs("web")).logLocation, undefined);
      await box.stack("web", config);
      await engine.expectNoChanges("web");
    });

    it("is redirected when the configuration no longer leaves it: in place, the same trail, recording all the time", async () => {
      await box.stack("web", { ...config, "crosstrail:leaveAsIs": ["eventSelectors"] });
      const steps = (await engine.plan("web")).filter(({ urn }) => urn.endsWith("Trail::member-trail"));
      assert.deepEqual(
        steps.map(({ op }) => op),
        ["update"],
      );
      await engine.run("up", "web");
      const [was] = before;
      const delivery = { S3BucketName: contract.bucketName, KmsKeyId: contract.keyArn };
      assert.deepEqual(await read(web), [{ ...was, trail: { ...was?.trail, ...delivery } }]);
      assert.deepEqual([was?.trail.TrailARN, was?.IsLogging], [arn, true]);
      await engine.expectNoChanges("web");
    });

    it("is handed back by taking it out of the state: it stays in AWS", async () => {
      const trail = (await engine.resources("web")).find(({ type }) => type.startsWith("aws:cloudtrail"));
      const { code, stderr } = await box.pulumi(["state", "delete", trail?.urn ?? "", "--stack", "web", "--yes"]);
      assert.equal(code, 0, stderr);
      await engine.run("destroy", "web", "--run-program");
      assert.deepEqual(
        (await read(web)).map((each) => each.trail.TrailARN),
        [arn],
      );
    });
  });

  describe("the audit account's own", () => {
    const name = "audit-by-hand";
    let config: Record<string, unknown>;
    let before: Awaited<ReturnType<typeof read>>;

    it("comes under the audit stack, which changes nothing of it; nor does the next up", async () => {
      await bucketByHand(AUDIT_ACCOUNT, "audit-made-by-hand");
      await makeByHand(AUDIT_ACCOUNT, {
        Name: name,
        S3BucketName: "audit-made-by-hand",
        EnableLogFileValidation: false,
      });
      before = await read(AUDIT_ACCOUNT);
      assert.equal(before.length, 1);

      const result = await adopted(AUDIT_ACCOUNT, "--contract", "audit.json", "--json");
      const { adoption } = (JSON.parse(result) as { data: { adoption: { config: Record<string, unknown> } } }).data;
      config = { ...declared, ...adoption.config };
      assert.deepEqual(config["crosstrail:leaveAsIs"], ["delivery", "eventSelectors"]);
      // Whatever else the configuration says.
      await engine.configureAudit({ ...config, "crosstrail:enableLogFileValidation": true });
      assert.match(await engine.run("up", AUDIT_STACK), /= 1 imported/);
      assert.deepEqual(await read(AUDIT_ACCOUNT), before);
      await engine.configureAudit(config);
      await engine.expectNoChanges(AUDIT_STACK);
      await readContract();
      const own = contract.trails.find(({ accountId }) => accountId === AUDIT_ACCOUNT);
      assert.equal(own?.trailArn, before[0]?.trail.TrailARN);
    });

    it("is redirected in place; without its key, its name would change, and that is refused", async () => {
      config = { ...config, "crosstrail:leaveAsIs": ["eventSelectors"] };
      await engine.configureAudit(config);
      assert.equal((await engine.up(AUDIT_STACK)).update, 1);
      const [was] = before;
      const delivery = { S3BucketName: contract.bucketName, KmsKeyId: contract.keyArn };
      assert.deepEqual(await read(AUDIT_ACCOUNT), [{ ...was, trail: { ...was?.trail, ...delivery } }]);
      await engine.configureAudit({ ...declared, "crosstrail:auditAccountTrail": true });
      await engine.expectRefusal(AUDIT_STACK, "The adopted trail would be replaced", `trail/${name}`);
      await engine.configureAudit(config);
    });
  });

  describe("an organization's", () => {
    const stack = "management";
    let config: Record<string, unknown>;
    let before: Awaited<ReturnType<typeof read>>;
    let arn: string;

    it("comes under the management stack, which changes nothing of it; nor does the next up", async () => {
      const aws = await box.aws(MANAGEMENT);
      const [organizations, iam] = [new OrganizationsClient(aws), new IAMClient(aws)];
      const { Organization } = await organizations.send(new CreateOrganizationCommand({ FeatureSet: "ALL" }));
      const id = Organization?.Id ?? "";
      const service = "cloudtrail.amazonaws.com";
      await organizations.send(new EnableAWSServiceAccessCommand({ ServicePrincipal: service }));
      await iam.send(new CreateServiceLinkedRoleCommand({ AWSServiceName: service }));
      organizations.destroy();
      iam.destroy();
      await bucketByHand(MANAGEMENT, "organization-made-by-hand");
      arn = await makeByHand(MANAGEMENT, {
        Name: "organization-by-hand",
        S3BucketName: "organization-made-by-hand",
        IsOrganizationTrail: true,
        IsMultiRegionTrail: true,
      });
      before = await read(MANAGEMENT);
      assert.equal(before[0]?.trail.IsOrganizationTrail, true);

      config = await adopt(MANAGEMENT, stack, "--contract", "audit.json");
      assert.equal(config["crosstrail:role"], "management");
      assert.equal(config["crosstrail:importTrail"], arn);
      // Without what the command says to declare: refused, with the lines.
      await box.stack(stack, config);
      await engine.expectRefusal(stack, "declares no organization", "crosstrail:organization:");
      const organization = { id, managementAccountId: MANAGEMENT, trailName: "organization-by-hand" };
      await engine.configureAudit({
        ...declared,
        "crosstrail:auditAccountTrail": true,
        "crosstrail:importTrail": `arn:aws:cloudtrail:${REGION}:${AUDIT_ACCOUNT}:trail/audit-by-hand`,
        "crosstrail:leaveAsIs": ["eventSelectors"],
        "crosstrail:enableLogFileValidation": false,
        "crosstrail:organization": organization,
      });
      await engine.up(AUDIT_STACK);
      const output = await engine.run("up", stack);
      assert.match(output, /Resources:\s+\+ 2 created\s+= 1 imported\s+3 changes/, output);
      assert.deepEqual(await read(MANAGEMENT), before);
      await engine.expectNoChanges(stack);
    });

    it("is redirected to the archive in place", async () => {
      await box.stack(stack, { ...config, "crosstrail:leaveAsIs": ["eventSelectors"] });
      assert.deepEqual(await engine.up(stack), { update: 1, same: 2 });
      const [was] = before;
      const delivery = { S3BucketName: contract.bucketName, KmsKeyId: contract.keyArn };
      assert.deepEqual(await read(MANAGEMENT), [{ ...was, trail: { ...was?.trail, ...delivery } }]);
      await engine.expectNoChanges(stack);
    });
  });
});
