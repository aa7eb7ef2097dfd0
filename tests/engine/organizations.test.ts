/** An organization's trail, told to the real engine: what it needs, from an account's trail and back, in place, and its end. */
import assert from "node:assert/strict";
import { CloudTrailClient, CreateTrailCommand, DeleteTrailCommand } from "@aws-sdk/client-cloudtrail";
import { DescribeTrailsCommand, GetTrailStatusCommand } from "@aws-sdk/client-cloudtrail";
import { GetRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import { GetKeyPolicyCommand, KMSClient } from "@aws-sdk/client-kms";
import {
  CreateAccountCommand,
  CreateOrganizationCommand,
  DescribeOrganizationCommand,
  ListAWSServiceAccessForOrganizationCommand,
  ListDelegatedAdministratorsCommand,
  OrganizationsClient,
  RemoveAccountFromOrganizationCommand,
} from "@aws-sdk/client-organizations";
import { CreateBucketCommand, GetBucketPolicyCommand, PutBucketPolicyCommand, S3Client } from "@aws-sdk/client-s3";
import type { Contract } from "../../core/contract";
import type { TrailDelivery } from "../../core/simulate";
import { whyNoDelivery } from "../../core/simulate";
import type { Sandbox } from "../../sandbox";
import {
  AUDIT_ACCOUNT,
  AUDIT_STACK,
  MANAGEMENT,
  managementConfig,
  memberConfig,
  MEMBERS,
} from "../../sandbox/accounts";
import { callsOf, expectAllUsed } from "./calls";
import { Engine, inSteps, MINUTE, sandbox } from "./support";

const payments = { alias: "payments", accountId: MEMBERS.payments as string };
const web = { alias: "web", accountId: MEMBERS.web as string, inOrganization: false };
const root = { alias: "root", accountId: MANAGEMENT };
const arn = `arn:aws:cloudtrail:us-east-1:${MANAGEMENT}:trail/crosstrail`;
const stack = "management";

describe("engine: an organization trail", function () {
  this.timeout(60 * MINUTE);
  inSteps(this);
  let box: Sandbox;
  let engine: Engine;
  let organizationId = "";
  let organizations: OrganizationsClient;
  let cloudTrail: CloudTrailClient;

  before(async () => {
    box = await sandbox();
    engine = new Engine(box);
    const aws = await box.aws(MANAGEMENT);
    organizations = new OrganizationsClient(aws);
    cloudTrail = new CloudTrailClient(aws);
  });
  after(() => box?.stop());

  const configure = (change: Record<string, unknown> = {}) => box.stack(stack, { ...managementConfig(), ...change });
  const audit = (change: Record<string, unknown> = {}) =>
    engine.configureAudit({
      "crosstrail:members": [payments, web],
      "crosstrail:organization": { id: organizationId, managementAccountId: MANAGEMENT },
      "crosstrail:memberAccess": ["payments", "666666666666"],
      ...change,
    });
  const trail = async () => {
    const { trailList = [] } = await cloudTrail.send(new DescribeTrailsCommand({ trailNameList: [arn] }));
    return trailList[0];
  };
  /** Whether the deployed policies let the organization trail deliver, with what the trail itself says of its key and prefix. */
  const delivers = async (other: Pick<Partial<TrailDelivery>, "world" | "trailArn"> = {}) => {
    const contract = await box.outputs<Contract>(AUDIT_STACK);
    const now = await trail();
    const access = await box.aws(AUDIT_ACCOUNT);
    const keyArn = now?.KmsKeyId ?? contract.keyArn;
    const [bucket, key] = await Promise.all([
      new S3Client({ ...access, forcePathStyle: true }).send(
        new GetBucketPolicyCommand({ Bucket: contract.bucketName }),
      ),
      new KMSClient(access).send(new GetKeyPolicyCommand({ KeyId: keyArn, PolicyName: "default" })),
    ]);
    return whyNoDelivery(bucket.Policy, key.Policy, {
      trailArn: arn,
      bucketName: contract.bucketName,
      bucketAccountId: AUDIT_ACCOUNT,
      logPrefix: now?.S3KeyPrefix,
      keyArn,
      organizationId,
      memberAccountIds: [payments.accountId, "666666666666"],
      ...other,
    });
  };
  const inPlace = async (changes: object, wanted: object) => {
    assert.deepEqual(changes, { update: 1, same: 2 });
    const now = await trail();
    assert.equal(now?.TrailARN, arn);
    for (const [name, value] of Object.entries(wanted)) assert.equal(now?.[name as "Name"], value, name);
  };
  /** What is on in the organization, and must never be turned off. */
  const turnedOn = async () => {
    const { Organization } = await organizations.send(new DescribeOrganizationCommand({}));
    const { EnabledServicePrincipals } = await organizations.send(new ListAWSServiceAccessForOrganizationCommand({}));
    const { DelegatedAdministrators } = await organizations.send(new ListDelegatedAdministratorsCommand({}));
    const role = await new IAMClient(await box.aws(MANAGEMENT))
      .send(new GetRoleCommand({ RoleName: "AWSServiceRoleForCloudTrail" }))
      .then(
        () => true,
        () => false,
      );
    return {
      features: Organization?.FeatureSet,
      trusted: EnabledServicePrincipals?.map(({ ServicePrincipal }) => ServicePrincipal),
      administrators: DelegatedAdministrators?.map(({ Id }) => Id),
      role,
    };
  };

  it("begins with a single-Region trail of the management account, as of any member", async () => {
    await engine.configureAudit({ "crosstrail:members": [payments, web, root] });
    await engine.up(AUDIT_STACK);
    await box.stack(stack, { ...memberConfig(MANAGEMENT), "crosstrail:isMultiRegionTrail": false });
    assert.deepEqual(await engine.up(stack), { create: 3 });
    assert.equal((await trail())?.IsMultiRegionTrail, false);
  });

  it("is refused while the audit stack declares no organization, with the lines to add", async () => {
    await configure();
    await engine.expectRefusal(stack, "declares no organization", "crosstrail:organization:", `"${MANAGEMENT}"`);
  });

  it("the archive's policies are widened first, in place", async () => {
    const { Organization } = await organizations.send(
      new CreateOrganizationCommand({ FeatureSet: "CONSOLIDATED_BILLING" }),
    );
    organizationId = Organization?.Id ?? "";
    for (const accountId of [payments.accountId, "666666666666"]) {
      const Tags = [{ Key: "sandbox:account-id", Value: accountId }];
      await organizations.send(
        new CreateAccountCommand({ AccountName: accountId, Email: `${accountId}@example.com`, Tags }),
      );
    }
    await audit();
    // The key's and the bucket's policy.
    assert.deepEqual(await engine.up(AUDIT_STACK), { update: 2, same: 11 });
    await engine.expectNoChanges(AUDIT_STACK);
    assert.deepEqual((await delivers()).reasons, []);
    const stranger = arn.replace(MANAGEMENT, "999999999999");
    assert.equal(
      (await delivers({ trailArn: stranger, world: { organizationOf: () => ({ id: "o-anotherorganization" }) } }))
        .delivers,
      false,
    );
  });

  it("is refused without all features, trusted access and the service-linked role, each with its remedy", async () => {
    const { code, text } = await engine.attempt("up", stack);
    assert.notEqual(code, 0);
    for (const wanted of [
      "aws organizations enable-all-features",
      "aws organizations enable-aws-service-access --service-principal cloudtrail.amazonaws.com",
      "aws iam create-service-linked-role --aws-service-name cloudtrail.amazonaws.com",
    ]) {
      assert.ok(text.includes(wanted), text);
    }
    assert.equal((await trail())?.IsOrganizationTrail, false);
  });

  const contractOf = async (change: Partial<Contract>) => ({
    "crosstrail:auditStack": "",
    "crosstrail:contract": { ...(await box.outputs<Contract>(AUDIT_STACK)), ...change },
  });
  it("is refused in a member account, for another organization, and away from its home Region", async () => {
    await box.stack("elsewhere", {
      ...managementConfig(payments.accountId),
      "crosstrail:enableTrustedAccess": true,
      "crosstrail:enableAllFeatures": true,
    });
    await engine.expectRefusal("elsewhere", "This is a member account", `management account ${MANAGEMENT}`);
    const organization = { id: "o-anotherorganization", managementAccountId: MANAGEMENT, trailArn: arn };
    await configure(await contractOf({ organization }));
    await engine.expectRefusal(stack, `is in organization ${organizationId}`);
    await configure({ "aws:region": "eu-west-1" });
    await engine.expectRefusal(stack, "whose home Region is us-east-1", "only be changed in its home Region");
  });

  it("an account's trail becomes the organization's in place; what was missing is turned on because it was asked for", async () => {
    await configure({
      "crosstrail:isMultiRegionTrail": false,
      "crosstrail:enableAllFeatures": true,
      "crosstrail:enableTrustedAccess": true,
    });
    const text = await engine.run("preview", stack);
    assert.match(text, /organization\/trusted-access/);
    await inPlace(await engine.up(stack), { IsOrganizationTrail: true, IsMultiRegionTrail: false });
    await engine.expectNoChanges(stack);
    const expected = { features: "ALL", trusted: ["cloudtrail.amazonaws.com"], administrators: [], role: true };
    assert.deepEqual(await turnedOn(), expected);
    const member = new CloudTrailClient(await box.aws(payments.accountId));
    const { trailList } = await member.send(new DescribeTrailsCommand({}));
    assert.deepEqual(
      trailList?.map(({ TrailARN }) => TrailARN),
      [arn],
    );
  });

  it("from one Region to all of them, in place", async () => {
    await configure();
    await inPlace(await engine.up(stack), { IsMultiRegionTrail: true, IsOrganizationTrail: true });
  });

  it("stops and starts, in place", async () => {
    const isLogging = async () => (await cloudTrail.send(new GetTrailStatusCommand({ Name: arn }))).IsLogging;
    for (const enableLogging of [false, true]) {
      await configure({ "crosstrail:enableLogging": enableLogging });
      await inPlace(await engine.up(stack), {});
      assert.equal(await isLogging(), enableLogging);
    }
  });

  it("a new prefix: both are authorized until the trail has moved, then only the new one", async () => {
    await audit({ "crosstrail:logPrefix": "trails", "crosstrail:previousLogPrefix": "/" });
    // Both policies, and the audit account's own trail.
    assert.deepEqual(await engine.up(AUDIT_STACK), { update: 3, same: 10 });
    assert.deepEqual((await delivers()).reasons, [], "under the former prefix");
    await inPlace(await engine.up(stack), { S3KeyPrefix: "trails" });
    assert.deepEqual((await delivers()).reasons, [], "under the new prefix");
    await audit({ "crosstrail:logPrefix": "trails" });
    assert.deepEqual(await engine.up(AUDIT_STACK), { update: 2, same: 11 });
    assert.deepEqual((await delivers()).reasons, []);
    await engine.expectNoChanges(AUDIT_STACK);
  });

  it("a new key: both may encrypt until the trail has moved, then only the new one; the old one stays", async () => {
    const prefix = { "crosstrail:logPrefix": "trails", "crosstrail:keyGeneration": 2 };
    const before = (await trail())?.KmsKeyId;
    await audit({ ...prefix, "crosstrail:previousKeyInUse": true });
    // A component, a key and its alias; the bucket's encryption, and the audit account's own trail.
    assert.deepEqual(await engine.up(AUDIT_STACK), { create: 3, update: 2, same: 11 });
    assert.deepEqual((await delivers()).reasons, [], "with the former key");
    await engine.run("preview", AUDIT_STACK, "--expect-no-changes");
    const { keyArn, previousKeyArns } = await box.outputs<Contract>(AUDIT_STACK);
    assert.deepEqual(previousKeyArns, [before]);
    assert.notEqual(keyArn, before);
    await inPlace(await engine.up(stack), { KmsKeyId: keyArn });
    assert.deepEqual((await delivers()).reasons, [], "with the new key");
    await audit(prefix);
    assert.deepEqual(await engine.up(AUDIT_STACK), { update: 1, same: 15 });
    assert.deepEqual((await delivers()).reasons, []);
    await audit({ "crosstrail:logPrefix": "trails" });
    await engine.expectRefusal(AUDIT_STACK, "The archive has 2 keys", "keyGeneration to 2");
    await audit(prefix);
  });

  it("is refused where it would be a second one, where its name is taken, and where its home is elsewhere", async () => {
    const other = (name: string, region = "us-east-1") =>
      contractOf({
        organization: {
          id: organizationId,
          managementAccountId: MANAGEMENT,
          trailArn: `arn:aws:cloudtrail:${region}:${MANAGEMENT}:trail/${name}`,
        },
      });
    const second = async (change: Record<string, unknown>) => box.stack("second", { ...managementConfig(), ...change });
    await second(await other("crosstrail"));
    await engine.expectRefusal("second", "This trail exists, but this stack did not create it", arn);
    await second({ ...(await other("crosstrail", "eu-west-1")), "aws:region": "eu-west-1" });
    await engine.expectRefusal("second", "has home Region us-east-1", "aws:region to us-east-1");
    const Name = "aws-controltower-BaselineCloudTrail";
    const s3 = new S3Client({ ...(await box.aws(MANAGEMENT)), forcePathStyle: true });
    const Bucket = "aws-controltower-logs-555555555555";
    await s3.send(new CreateBucketCommand({ Bucket }));
    const principal = { Effect: "Allow", Principal: { Service: "cloudtrail.amazonaws.com" } };
    const Statement = [
      { ...principal, Action: "s3:GetBucketAcl", Resource: `arn:aws:s3:::${Bucket}` },
      { ...principal, Action: "s3:PutObject", Resource: `arn:aws:s3:::${Bucket}/*` },
    ];
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify({ Version: "2012-10-17", Statement }) }));
    await cloudTrail.send(new CreateTrailCommand({ Name, S3BucketName: Bucket, IsOrganizationTrail: true }));
    await second(await other("another"));
    await engine.expectRefusal(
      "second",
      "Control Tower manages this",
      "AWS bills them",
      "acceptSecondOrganizationTrail",
    );
    await cloudTrail.send(new DeleteTrailCommand({ Name }));
  });

  it("goes back to an account's trail in place, and to a member's stack", async () => {
    const prefix = { "crosstrail:logPrefix": "trails", "crosstrail:keyGeneration": 2 };
    await configure({ "crosstrail:isOrganizationTrail": false });
    await inPlace(await engine.up(stack), { IsOrganizationTrail: false });
    await audit({
      ...prefix,
      "crosstrail:organization": {},
      "crosstrail:members": [payments, { ...web, inOrganization: undefined }, root],
      "crosstrail:memberAccess": ["payments"],
    });
    await engine.up(AUDIT_STACK);
    await box.stack(stack, { ...memberConfig(MANAGEMENT), "crosstrail:isMultiRegionTrail": false });
    await inPlace(await engine.up(stack), { IsMultiRegionTrail: false });
  });

  it("warns of a member that has left the organization", async () => {
    const prefix = { "crosstrail:logPrefix": "trails", "crosstrail:keyGeneration": 2 };
    await audit(prefix);
    await engine.up(AUDIT_STACK);
    await organizations.send(new RemoveAccountFromOrganizationCommand({ AccountId: payments.accountId }));
    await configure();
    const text = await engine.run("preview", stack);
    assert.match(text, /organization\/left/);
    assert.ok(text.includes("inOrganization: false"), text);
    assert.ok(!text.includes(`account ${web.accountId}`), text);
  });

  it("destroying its stack turns nothing off in the organization, and leaves the delegated administrator", async () => {
    await configure({ "crosstrail:enableTrustedAccess": true, "crosstrail:delegatedAdministrator": "666666666666" });
    assert.deepEqual(await engine.up(stack), { create: 1, update: 1, same: 2 });
    await engine.run("preview", stack, "--expect-no-changes");
    const before = await turnedOn();
    assert.deepEqual(before, {
      features: "ALL",
      trusted: ["cloudtrail.amazonaws.com"],
      administrators: ["666666666666"],
      role: true,
    });
    await engine.run("destroy", stack);
    assert.deepEqual(await turnedOn(), before);
    assert.equal(await trail(), undefined);
  });

  it("left no grant for the organization unused", () => {
    expectAllUsed(callsOf(box), "organization", "allFeatures", "trustedAccess", "delegatedAdministrator");
  });
});
