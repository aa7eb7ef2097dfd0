/** All controls on, told to the real engine: every kind of trail still delivers, administrators are refused, and the guardrails. */
import assert from "node:assert/strict";
import { CloudTrailClient, DescribeTrailsCommand } from "@aws-sdk/client-cloudtrail";
import { CreateRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import { GetKeyPolicyCommand, KMSClient, PutKeyPolicyCommand } from "@aws-sdk/client-kms";
import {
  CreateAccountCommand,
  CreateOrganizationCommand,
  DescribePolicyCommand,
  EnableAWSServiceAccessCommand,
  EnablePolicyTypeCommand,
  ListPoliciesCommand,
  ListRootsCommand,
  ListTargetsForPolicyCommand,
  OrganizationsClient,
  type PolicyType,
} from "@aws-sdk/client-organizations";
import { GetBucketPolicyCommand, ListObjectsV2Command, PutBucketPolicyCommand, S3Client } from "@aws-sdk/client-s3";
import * as crosstrail from "../../automation";
import type { Contract } from "../../core/contract";
import type { PolicyDocument } from "../../core/evaluate";
import { evaluate } from "../../core/evaluate";
import type { ControlPolicies } from "../../core/simulate";
import { fleetOfContract, simulate } from "../../core/simulate";
import type { Sandbox } from "../../sandbox";
import { AUDIT_ACCOUNT, AUDIT_STACK, deployRole, MANAGEMENT, managementConfig, MEMBERS } from "../../sandbox/accounts";
import { callsOf, expectAllUsed } from "./calls";
import { Engine, inSteps, MINUTE, sandbox } from "./support";

const payments = { alias: "payments", accountId: MEMBERS.payments as string };
const web = { alias: "web", accountId: MEMBERS.web as string, inOrganization: false };
const bucketName = "crosstrail-example-logs";
const bucket = `arn:aws:s3:::${bucketName}`;
const everyGuardrail = ["archive", "audit", "members"];
const everything: PolicyDocument = {
  Version: "2012-10-17",
  Statement: { Effect: "Allow", Action: "*", Resource: "*" },
};

describe("engine: the guarded archive", function () {
  this.timeout(60 * MINUTE);
  inSteps(this);
  let box: Sandbox;
  let engine: Engine;
  let organizationId = "";
  let organizations: OrganizationsClient;
  let s3: S3Client;
  let kms: KMSClient;

  before(async () => {
    box = await sandbox();
    engine = new Engine(box);
    organizations = new OrganizationsClient(await box.aws(MANAGEMENT));
    const { Organization } = await organizations.send(new CreateOrganizationCommand({ FeatureSet: "ALL" }));
    organizationId = Organization?.Id ?? "";
    for (const accountId of [AUDIT_ACCOUNT, payments.accountId]) {
      const Tags = [{ Key: "sandbox:account-id", Value: accountId }];
      await organizations.send(
        new CreateAccountCommand({ AccountName: accountId, Email: `${accountId}@example.com`, Tags }),
      );
    }
    await organizations.send(new EnableAWSServiceAccessCommand({ ServicePrincipal: "cloudtrail.amazonaws.com" }));
    const access = await box.aws(AUDIT_ACCOUNT);
    s3 = new S3Client({ ...access, forcePathStyle: true });
    kms = new KMSClient(access);
    const iam = new IAMClient(access);
    for (const RoleName of ["CrosstrailDeploy", "BreakGlass", "SecondGlass"]) {
      await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: "{}" }));
    }
    iam.destroy();
  });
  after(async () => {
    organizations?.destroy();
    s3?.destroy();
    kms?.destroy();
    await box?.stop();
  });

  const audit = (change: Record<string, unknown> = {}) =>
    engine.configureAudit({
      "aws:assumeRoles": [{ roleArn: deployRole(AUDIT_ACCOUNT) }],
      "crosstrail:members": [payments, web],
      "crosstrail:organization": { id: organizationId, managementAccountId: MANAGEMENT, trailName: "organization" },
      "crosstrail:replication": { region: "eu-west-1", bucketName: "crosstrail-example-copies" },
      ...change,
    });
  const allControls = {
    "crosstrail:objectLock": { mode: "governance", days: 30 },
    "crosstrail:retention": { years: 1 },
    "crosstrail:accessLogBucket": "crosstrail-example-access-logs",
    "crosstrail:breakGlassRoles": ["CrosstrailDeploy", "BreakGlass"],
    "crosstrail:denyOtherEncryption": true,
    "crosstrail:notifications": "sqs",
    "crosstrail:bucketKeyEnabled": true,
    "crosstrail:requireMfa": true,
    "crosstrail:memberAccess": ["payments"],
    "crosstrail:readers": [{ trustedAccounts: [MANAGEMENT], requireMfa: true }],
  };
  const management = (change: Record<string, unknown> = {}) =>
    box.stack("management", {
      ...managementConfig(),
      "crosstrail:enableTrustedAccess": true,
      ...change,
    });
  const bucketPolicy = async (Bucket = bucketName) =>
    (await s3.send(new GetBucketPolicyCommand({ Bucket }))).Policy ?? "";
  const keyPolicy = async () => {
    const { keyArn } = await box.outputs<Contract>(AUDIT_STACK);
    const { Policy = "" } = await kms.send(new GetKeyPolicyCommand({ KeyId: keyArn, PolicyName: "default" }));
    return { keyArn, Policy };
  };
  /** Whether a role of the audit account that may do everything by IAM may do this by the resource's policy. */
  const may = (role: string, action: string, resource: string, resourcePolicy: string, scps: PolicyDocument[] = []) =>
    evaluate(
      {
        caller: { kind: "account", arn: `arn:aws:iam::${AUDIT_ACCOUNT}:role/${role}` },
        action,
        resource,
        resourceAccountId: AUDIT_ACCOUNT,
        context: { "aws:SecureTransport": "true", "aws:MultiFactorAuthPresent": "true" },
      },
      {
        resourcePolicy,
        identityPolicies: [everything],
        ...(scps.length > 0 && { serviceControlPolicies: scps, managementAccountId: MANAGEMENT }),
      },
    ).allowed;
  /** The policies of the organization that are Crosstrail's, as AWS has them, and where they are attached. */
  const attached = async () => {
    const found: Record<string, { document: PolicyDocument; targets: string[] }> = {};
    for (const Filter of ["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"] as PolicyType[]) {
      const { Policies = [] } = await organizations.send(new ListPoliciesCommand({ Filter }));
      for (const { Id: PolicyId, Name = "" } of Policies) {
        if (!Name.startsWith("crosstrail-")) continue;
        const { Policy } = await organizations.send(new DescribePolicyCommand({ PolicyId }));
        const { Targets = [] } = await organizations.send(new ListTargetsForPolicyCommand({ PolicyId }));
        found[Name] = {
          document: JSON.parse(Policy?.Content ?? "{}") as PolicyDocument,
          targets: Targets.map(({ TargetId = "" }) => TargetId).sort(),
        };
      }
    }
    return found;
  };

  it("an archive whose policies an older version wrote changes in place, and its deploy role is never locked out", async () => {
    await audit({ "crosstrail:breakGlassRoles": ["CrosstrailDeploy"] });
    await engine.up(AUDIT_STACK);
    const { keyArn, Policy } = await keyPolicy();
    const old = JSON.parse(await bucketPolicy()) as { Statement: { Sid: string; NotAction?: unknown }[] };
    const but = { ArnNotLike: { "aws:PrincipalArn": deployRole(AUDIT_ACCOUNT) } };
    const deny = (Sid: string, Action: string[], Resource: string) => ({
      Sid,
      Effect: "Deny",
      Principal: "*",
      Action,
      Resource,
      Condition: but,
    });
    old.Statement = [
      ...old.Statement.filter(({ Sid }) => !["DenyNestedPrefix", "DenyTampering"].includes(Sid)),
      deny("DenyBucketTampering", ["s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:PutBucketVersioning"], bucket),
      deny("DenyLogTampering", ["s3:DeleteObject", "s3:DeleteObjectVersion"], `${bucket}/*`),
    ];
    const key = JSON.parse(Policy) as { Statement: { Sid: string; Condition?: unknown }[] };
    key.Statement = key.Statement.filter(({ Sid }) => !["DenyShortDeletion", "AccountReadsKey"].includes(Sid)).map(
      ({ Condition, ...rest }) => (rest.Sid === "AccountAdministration" ? rest : { ...rest, Condition }),
    );
    await s3.send(new PutBucketPolicyCommand({ Bucket: bucketName, Policy: JSON.stringify(old) }));
    await kms.send(new PutKeyPolicyCommand({ KeyId: keyArn, PolicyName: "default", Policy: JSON.stringify(key) }));
    await engine.run("refresh", AUDIT_STACK);
    for (const [policy, action, resource] of [
      [await bucketPolicy(), "s3:PutBucketPolicy", bucket],
      [(await keyPolicy()).Policy, "kms:PutKeyPolicy", keyArn],
    ] as const) {
      assert.ok(may("CrosstrailDeploy", action, resource, policy), `${action} before`);
    }
    assert.ok(
      may("Administrator", "kms:DisableKey", keyArn, (await keyPolicy()).Policy),
      "what the old form let through",
    );
    const { update, same, ...others } = await engine.up(AUDIT_STACK);
    assert.ok(update && same);
    assert.deepEqual(others, {});
    assert.equal(may("Administrator", "kms:DisableKey", keyArn, (await keyPolicy()).Policy), false);
    assert.ok(may("CrosstrailDeploy", "kms:PutKeyPolicy", keyArn, (await keyPolicy()).Policy));
    assert.ok(may("CrosstrailDeploy", "s3:PutBucketPolicy", bucket, await bucketPolicy()));
  });

  it("all controls on, in place; then nothing is left to change", async () => {
    await audit({ ...allControls, "crosstrail:guardrails": everyGuardrail });
    const { delete: removed, replace } = await engine.up(AUDIT_STACK);
    assert.deepEqual([removed, replace], [undefined, undefined]);
    await engine.expectNoChanges(AUDIT_STACK);
  });

  it("guardrails: refused while their types of policies are not enabled, before anything is created", async () => {
    await management({ "crosstrail:guardrails": everyGuardrail });
    const { code, text } = await engine.attempt("up", "management");
    assert.notEqual(code, 0);
    for (const type of ["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"]) {
      assert.ok(text.includes(`--policy-type ${type}`), text);
    }
    assert.match(text, /Nothing was changed/);
    assert.deepEqual(await attached(), {});
    const cloudTrail = new CloudTrailClient(await box.aws(MANAGEMENT));
    assert.deepEqual((await cloudTrail.send(new DescribeTrailsCommand({}))).trailList, []);
    cloudTrail.destroy();
  });

  it("guardrails: attached with the organization trail; then nothing is left to change", async () => {
    const { Roots = [] } = await organizations.send(new ListRootsCommand({}));
    const RootId = Roots[0]?.Id ?? "";
    for (const PolicyType of ["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"] as PolicyType[]) {
      await organizations.send(new EnablePolicyTypeCommand({ RootId, PolicyType }));
    }
    await engine.up("management");
    await engine.expectNoChanges("management");
    const found = await attached();
    assert.deepEqual(
      Object.entries(found).map(([name, { targets }]) => [name, targets]),
      [
        ["crosstrail-audit", [AUDIT_ACCOUNT]],
        ["crosstrail-members", [payments.accountId]],
        ["crosstrail-archive", [AUDIT_ACCOUNT]],
      ],
    );
  });

  it("every kind of trail still delivers through the gate: own, members' in and outside of the organization, the organization's", async () => {
    for (const { alias, accountId } of [payments, web]) {
      await engine.configureMember(alias, accountId);
      await engine.up(alias);
    }
    await box.pass(1.2);
    const keys: string[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await s3.send(new ListObjectsV2Command({ Bucket: bucketName, ContinuationToken }));
      keys.push(...(page.Contents ?? []).map(({ Key = "" }) => Key));
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
    for (const folder of [AUDIT_ACCOUNT, payments.accountId, web.accountId, `${organizationId}/${MANAGEMENT}`]) {
      for (const kind of ["CloudTrail", "CloudTrail-Digest"]) {
        const prefix = `AWSLogs/${folder}/${kind}/`;
        assert.ok(
          keys.some((each) => each.startsWith(prefix) && each.endsWith(".json.gz")),
          prefix,
        );
      }
    }
  });

  it("as AWS has them, the policies of the organization take nothing from deliveries, readers and repairs", async () => {
    const contract = await box.outputs<Contract>(AUDIT_STACK);
    const found = await attached();
    const controls: ControlPolicies = {
      rcps: [found["crosstrail-archive"]?.document as PolicyDocument],
      scps: [found["crosstrail-audit"]?.document as PolicyDocument],
      managementAccountId: MANAGEMENT,
    };
    const access = {
      breakGlassRoleArns: ["CrosstrailDeploy", "BreakGlass"].map(
        (name) => `arn:aws:iam::${AUDIT_ACCOUNT}:role/${name}`,
      ),
      denyOtherEncryption: true,
      requireMfa: true,
    };
    const fleet = fleetOfContract(contract, true, access);
    const policies = {
      bucket: await bucketPolicy(),
      bucketForm: "perTrail" as const,
      key: (await keyPolicy()).Policy,
      keyForm: "trailList" as const,
    };
    const failed = (given: Parameters<typeof simulate>[1]) =>
      simulate(fleet, given)
        .filter(({ verdict }) => verdict !== "ok")
        .map(({ id, subject, verdict }) => `${id} ${subject.alias} ${verdict}`);
    assert.deepEqual(failed({ ...policies, controls }), failed(policies));
    assert.ok(simulate(fleet, { ...policies, controls }).filter(({ group }) => group === "deliver").length > 10);
  });

  it("an administrator's calls are refused by what AWS has; break-glass changes policies, and up repairs what it did", async () => {
    const { keyArn, Policy } = await keyPolicy();
    const found = await attached();
    const scp = found["crosstrail-audit"]?.document as PolicyDocument;
    for (const [action, resource, policy] of [
      ["s3:PutBucketPolicy", bucket, await bucketPolicy()],
      ["s3:PutReplicationConfiguration", bucket, await bucketPolicy()],
      ["s3:DeleteObjectVersion", `${bucket}/AWSLogs/x`, await bucketPolicy()],
      ["kms:DisableKey", keyArn, Policy],
      ["kms:PutKeyPolicy", keyArn, Policy],
    ] as const) {
      assert.equal(may("Administrator", action, resource, policy), false, action);
      // With the policies of the organization as well: nobody who is to repair is kept out.
      for (const role of ["BreakGlass", "CrosstrailDeploy"])
        assert.ok(may(role, action, resource, policy, [scp]), `${action} ${role}`);
    }
    const members = found["crosstrail-members"]?.document as PolicyDocument;
    const stops = (role: string) =>
      evaluate(
        {
          caller: { kind: "account", arn: `arn:aws:iam::${payments.accountId}:role/${role}` },
          action: "cloudtrail:StopLogging",
          resource: `arn:aws:cloudtrail:us-east-1:${payments.accountId}:trail/crosstrail`,
          resourceAccountId: payments.accountId,
        },
        {
          identityPolicies: [everything],
          serviceControlPolicies: [members],
          managementAccountId: MANAGEMENT,
          resourceKind: "other",
        },
      ).allowed;
    assert.equal(stops("Administrator"), false);
    assert.equal(stops("CrosstrailDeploy"), true);

    const changed = JSON.parse(await bucketPolicy()) as { Statement: { Sid: string }[] };
    changed.Statement = changed.Statement.filter(({ Sid }) => Sid !== "DenyNestedPrefix");
    await s3.send(new PutBucketPolicyCommand({ Bucket: bucketName, Policy: JSON.stringify(changed) }));
    await engine.run("up", AUDIT_STACK, "--refresh");
    assert.match(await bucketPolicy(), /DenyNestedPrefix/);
  });

  it("guardrails: another break-glass role and other tags change them in place", async () => {
    await audit({
      ...allControls,
      "crosstrail:guardrails": everyGuardrail,
      "crosstrail:breakGlassRoles": ["CrosstrailDeploy", "BreakGlass", "SecondGlass"],
    });
    await engine.up(AUDIT_STACK);
    await management({ "crosstrail:guardrails": everyGuardrail, "crosstrail:tags": { team: "audit" } });
    const { create, replace, delete: removed } = await engine.up("management");
    assert.deepEqual([create, replace, removed], [undefined, undefined, undefined]);
    assert.match(JSON.stringify((await attached())["crosstrail-audit"]?.document), /role\/SecondGlass/);
    await management({ "crosstrail:guardrails": everyGuardrail });
    await engine.up("management");
  });

  it("guardrails: neither a missing key, nor a member that is gone, nor destroy detaches one", async () => {
    const before = await attached();
    await management();
    await engine.expectRefusal("management", "guardrails/would-detach", "crosstrail:detachGuardrails");
    const { code, text } = await engine.attempt("destroy", "management", "--run-program=false");
    assert.notEqual(code, 0, text);
    assert.match(text, /protect/);
    await management({ "crosstrail:guardrails": everyGuardrail });
    const contract = await box.outputs<Contract>(AUDIT_STACK);
    const { members, ...rest } = contract.guardrails ?? { exemptRoles: [] };
    await management({
      "crosstrail:guardrails": everyGuardrail,
      "crosstrail:auditStack": "",
      "crosstrail:contract": {
        ...contract,
        guardrails: { ...rest, members: { ...members, accountIds: [web.accountId] } },
      },
    });
    await engine.expectRefusal("management", "guardrails/account-left", "guardrails/other-account", payments.accountId);
    await management({ "crosstrail:guardrails": everyGuardrail });
    const options = { projectFolder: box.projectFolder, env: box.env, only: ["management"], timeoutSeconds: 180 };
    await assert.rejects(crosstrail.destroy(options), (error: crosstrail.UserError) => {
      assert.deepEqual(
        error.findings.map(({ id }) => id),
        ["guardrails/attached"],
      );
      return true;
    });
    assert.deepEqual(await attached(), before);
  });

  it("guardrails: are detached in two steps, each of which says so", async () => {
    const members = { "crosstrail:guardrails": everyGuardrail, "crosstrail:detachGuardrails": ["members"] };
    await management(members);
    assert.match(await engine.run("up", "management"), /Guardrail members is no longer protected/);
    assert.ok((await attached())["crosstrail-members"]);
    await engine.run("preview", "management", "--expect-no-changes");
    await management({ "crosstrail:guardrails": ["archive", "audit"] });
    const text = await engine.run("up", "management");
    assert.match(text, /Guardrail members is detached from 222222222222/);
    assert.match(text, /guardrails\/not-attached/);
    assert.deepEqual(Object.keys(await attached()).sort(), ["crosstrail-archive", "crosstrail-audit"]);
    await management({
      "crosstrail:guardrails": ["archive", "audit"],
      "crosstrail:detachGuardrails": ["archive", "audit"],
    });
    await engine.run("up", "management");
    await engine.run("destroy", "management");
    assert.deepEqual(await attached(), {});
  });

  it("guardrails: left no grant unused", () => {
    expectAllUsed(callsOf(box), "guardrails");
  });
});
