/** What an organization adds to the policies: who may deliver and read by it, and the attack that each part of it stops. */
import assert from "node:assert/strict";
import type { AccessRequest, PolicyDocument as Policy, RequestContext } from "../../../core/evaluate";
import { evaluate } from "../../../core/evaluate";
import { whyNoDelivery } from "../../../core/simulate";
import type { TrailIdentity } from "../../../core/names";
import { trailArn } from "../../../core/names";
import type { BucketPolicyForm } from "../../../core/policies/bucket";
import { bucketPolicy, bucketPolicyForms, bucketPolicyIn } from "../../../core/policies/bucket";
import type { KeyPolicyForm } from "../../../core/policies/key";
import { keyPolicy, keyPolicyForms, keyPolicyIn } from "../../../core/policies/key";
import { readPermissions } from "../../../core/policies/reader";
import { allowed, covered, everyPart, fromAccount, fromCloudTrail } from "../../support/attacks";
import { auditAccountId, bucketName, fleetOf, keyArn, trailOf } from "../../support/fleet";
import { bucketForms, keyForms, payments, web } from "../../support/policies";

const id = "o-exampleorg1";
const otherId = "o-anotherorganization";
const managementAccountId = "555555555555";
const bucket = "arn:aws:s3:::example-logs";
const organizationTrail = trailOf(managementAccountId);
const audit = trailOf(auditAccountId);
const organization = {
  id,
  trails: [organizationTrail],
  accountIds: [payments.accountId],
};
// Payments is in the organization, web and the audit account are named.
const input = { partition: "aws", bucketName, auditAccountId, trails: [payments, web, audit], organization } as const;
const bucketIn = (form: BucketPolicyForm, other: object = {}) =>
  bucketPolicyIn(form, { ...input, trails: [...input.trails], ...other });
const keyIn = (form: KeyPolicyForm, other: object = {}) =>
  keyPolicyIn(form, { ...input, trails: [...input.trails], ...other });

const fileOf = (accountId: string, organizationId?: string) =>
  `${bucket}/AWSLogs/${organizationId ? `${organizationId}/` : ""}${accountId}/CloudTrail/us-east-1/2026/01/31/x.json.gz`;
const acl = { "s3:x-amz-acl": "bucket-owner-full-control" };
const inOrganization = { "aws:SourceOrgID": id };
const inOther = { "aws:SourceOrgID": otherId };
const writes = (trail: TrailIdentity, resource: string, context: RequestContext = {}) =>
  fromCloudTrail(trail, "s3:PutObject", resource, { ...acl, ...context });
const contextOf = (trail: TrailIdentity, file?: string) => ({
  "kms:EncryptionContext:aws:cloudtrail:arn": trailArn(trail),
  ...(file && { "kms:EncryptionContext:aws:s3:arn": file }),
});
const encrypts = (trail: TrailIdentity, of: TrailIdentity, context: RequestContext = {}) =>
  fromCloudTrail(trail, "kms:GenerateDataKey", keyArn, { ...contextOf(of), ...context });

const stranger = trailOf("999999999999");
const otherTrail = (trail: TrailIdentity) => ({ ...trail, name: "mine" });
const service = { kind: "service" as const, service: "config.amazonaws.com" };

const attacks = {
  /** Another organization's trail of the same name, pointed at our bucket. */
  otherOrganizationWrites: writes(stranger, fileOf("999999999999", otherId), inOther),
  otherOrganizationWritesOurs: writes(stranger, fileOf("222222222222", id), inOther),
  otherOrganizationWritesAnAccount: writes(stranger, fileOf("222222222222"), inOther),
  otherOrganizationLooks: fromCloudTrail(stranger, "s3:GetBucketAcl", bucket, inOther),
  /** Another trail of the management account. */
  unlistedTrailWrites: writes(otherTrail(organizationTrail), fileOf("222222222222", id), inOrganization),
  unlistedTrailLooks: fromCloudTrail(otherTrail(organizationTrail), "s3:GetBucketAcl", bucket, inOrganization),
  unlistedTrailOfMemberWrites: writes(otherTrail(payments), fileOf("222222222222"), inOrganization),
  unlistedTrailOfMemberLooks: fromCloudTrail(otherTrail(payments), "s3:GetBucketAcl", bucket, inOrganization),
  /** The organization trail forges the logs of an account's own trail. */
  organizationTrailWritesAccount: writes(organizationTrail, fileOf("333333333333"), inOrganization),
  organizationTrailWritesElsewhere: writes(organizationTrail, fileOf("222222222222", otherId), inOrganization),
  /** Its owner chose a prefix that ends in an account's folder; CloudTrail puts AWSLogs/ behind it. */
  organizationTrailNestsPrefix: writes(
    organizationTrail,
    `${fileOf("222222222222", id).replace(/[^/]*$/, "")}AWSLogs/${id}/444444444444/CloudTrail/us-east-1/2026/01/31/x.json.gz`,
    inOrganization,
  ),
  organizationTrailWritesOutside: writes(organizationTrail, `${bucket}/elsewhere/x`, inOrganization),
  memberWritesOrganizationPath: writes(payments, fileOf("222222222222", id), inOrganization),
  namedWritesElsewhere: writes(web, fileOf("222222222222")),
  memberWritesElsewhere: writes(payments, `${bucket}/elsewhere/x`, inOrganization),
  writesWithoutAcl: writes(organizationTrail, fileOf("222222222222", id), { "s3:x-amz-acl": undefined }),
  memberWritesWithoutAcl: writes(payments, fileOf("222222222222"), { ...inOrganization, "s3:x-amz-acl": undefined }),
  namedWritesWithoutAcl: writes(web, fileOf("333333333333"), { "s3:x-amz-acl": undefined }),
  trailDeletes: fromCloudTrail(organizationTrail, "s3:DeleteObject", fileOf("222222222222", id), {
    ...acl,
    ...inOrganization,
  }),
  memberDeletes: fromCloudTrail(payments, "s3:DeleteObject", fileOf("222222222222"), { ...acl, ...inOrganization }),
  namedDeletes: fromCloudTrail(web, "s3:DeleteObject", fileOf("333333333333"), acl),
  trailReconfigures: fromCloudTrail(organizationTrail, "s3:PutLifecycleConfiguration", bucket, inOrganization),
  memberReconfigures: fromCloudTrail(payments, "s3:PutLifecycleConfiguration", bucket, inOrganization),
  namedReconfigures: fromCloudTrail(web, "s3:PutLifecycleConfiguration", bucket, {}),
  strangerWrites: writes(stranger, fileOf("333333333333")),
  strangerLooks: fromCloudTrail(stranger, "s3:GetBucketAcl", bucket, {}),
  serviceWrites: { ...writes(organizationTrail, fileOf("222222222222", id)), caller: service },
  serviceLooks: { ...fromCloudTrail(organizationTrail, "s3:GetBucketAcl", bucket, {}), caller: service },
  serviceWritesAsMember: { ...writes(payments, fileOf("222222222222"), inOrganization), caller: service },
  serviceLooksAsMember: { ...fromCloudTrail(payments, "s3:GetBucketAcl", bucket, inOrganization), caller: service },
  serviceWritesAsNamed: { ...writes(web, fileOf("333333333333")), caller: service },
  serviceLooksAsNamed: { ...fromCloudTrail(web, "s3:GetBucketAcl", bucket, {}), caller: service },
  withoutTls: writes(organizationTrail, fileOf("222222222222", id), { "aws:SecureTransport": "false" }),
  ownerReadsWithoutTls: fromAccount(auditAccountId, "s3:GetObject", fileOf("222222222222", id), {
    "aws:SecureTransport": "false",
  }),
  ownerListsWithoutTls: fromAccount(auditAccountId, "s3:ListBucket", bucket, { "aws:SecureTransport": "false" }),
  /** A member reads another one's logs of the organization trail. */
  memberReadsAnother: fromAccount("222222222222", "s3:GetObject", fileOf("333333333333", id)),
  managementReadsAnother: fromAccount(managementAccountId, "s3:GetObject", fileOf("222222222222", id)),
  memberListsAnother: fromAccount("222222222222", "s3:ListBucket", bucket, {
    "s3:prefix": `AWSLogs/${id}/333333333333/`,
  }),
  memberDeletesOwn: fromAccount("222222222222", "s3:DeleteObject", fileOf("222222222222", id)),
  memberOpensBucket: fromAccount("222222222222", "s3:PutBucketPolicy", bucket, {
    "s3:prefix": `AWSLogs/${id}/222222222222/`,
  }),
  strangerReadsOwn: fromAccount("999999999999", "s3:GetObject", fileOf("999999999999", id)),
  strangerListsOwn: fromAccount("999999999999", "s3:ListBucket", bucket, {
    "s3:prefix": `AWSLogs/${id}/999999999999/`,
  }),
};

const keyAttacks = {
  otherOrganizationEncrypts: encrypts(stranger, stranger, inOther),
  unlistedTrailOfMemberEncrypts: encrypts(otherTrail(payments), payments, inOrganization),
  memberEncryptsAsOther: encrypts(payments, otherTrail(stranger), inOrganization),
  otherOrganizationDescribes: fromCloudTrail(stranger, "kms:DescribeKey", keyArn, inOther),
  unlistedTrailOfMemberDescribes: fromCloudTrail(otherTrail(payments), "kms:DescribeKey", keyArn, inOrganization),
  strangerEncryptsAsNamed: encrypts(stranger, web),
  namedEncryptsAsStranger: encrypts(web, stranger),
  strangerDescribes: fromCloudTrail(stranger, "kms:DescribeKey", keyArn, {}),
  memberGrants: fromCloudTrail(payments, "kms:CreateGrant", keyArn, { ...contextOf(payments), ...inOrganization }),
  namedGrants: fromCloudTrail(web, "kms:CreateGrant", keyArn, contextOf(web)),
  serviceEncrypts: { ...encrypts(payments, payments, inOrganization), caller: service },
  serviceDescribes: { ...fromCloudTrail(payments, "kms:DescribeKey", keyArn, inOrganization), caller: service },
  serviceEncryptsAsNamed: { ...encrypts(web, web), caller: service },
  serviceDescribesAsNamed: { ...fromCloudTrail(web, "kms:DescribeKey", keyArn, {}), caller: service },
  serviceDecrypts: {
    ...fromCloudTrail(payments, "kms:Decrypt", keyArn, { ...contextOf(payments), ...inOrganization }),
    caller: service,
  },
  serviceDecryptsAsNamed: { ...fromCloudTrail(web, "kms:Decrypt", keyArn, contextOf(web)), caller: service },
  otherOrganizationDecrypts: fromCloudTrail(stranger, "kms:Decrypt", keyArn, { ...contextOf(payments), ...inOther }),
  unlistedTrailDecrypts: fromCloudTrail(otherTrail(payments), "kms:Decrypt", keyArn, {
    ...contextOf(payments),
    ...inOrganization,
  }),
  strangerDecrypts: fromCloudTrail(stranger, "kms:Decrypt", keyArn, contextOf(web)),
  memberDecryptsAnother: fromAccount(
    "222222222222",
    "kms:Decrypt",
    keyArn,
    contextOf(organizationTrail, fileOf("333333333333", id)),
  ),
  managementDecryptsAnother: fromAccount(
    managementAccountId,
    "kms:Decrypt",
    keyArn,
    contextOf(organizationTrail, fileOf("222222222222", id)),
  ),
  memberDecryptsForeignTrail: fromAccount(
    "222222222222",
    "kms:Decrypt",
    keyArn,
    contextOf(stranger, fileOf("222222222222", id)),
  ),
  strangerDecryptsOwn: fromAccount(
    "999999999999",
    "kms:Decrypt",
    keyArn,
    contextOf(organizationTrail, fileOf("999999999999", id)),
  ),
  memberForges: fromAccount(
    "222222222222",
    "kms:GenerateDataKey",
    keyArn,
    contextOf(organizationTrail, fileOf("222222222222", id)),
  ),
  administratorGrants: fromAccount(auditAccountId, "kms:CreateGrant", keyArn),
  administratorDeletesSoon: fromAccount(auditAccountId, "kms:ScheduleKeyDeletion", keyArn, {
    "kms:ScheduleKeyDeletionPendingWindowInDays": "7",
  }),
  memberAdministers: fromAccount("222222222222", "kms:PutKeyPolicy", keyArn),
  administratorForges: fromAccount(auditAccountId, "kms:GenerateDataKey", keyArn, contextOf(payments)),
  administratorDecryptsOther: fromAccount(auditAccountId, "kms:Decrypt", keyArn),
  strangerReads: fromAccount("888888888888", "kms:Decrypt", keyArn, contextOf(payments)),
};

const memberReaders = ["222222222222", managementAccountId];
const orgTrailPurposes = {
  "OrganizationTrailAclCheck Principal": "serviceLooks",
  "OrganizationTrailAclCheck Action": "trailReconfigures",
  "OrganizationTrailAclCheck StringEquals aws:SourceArn": "otherOrganizationLooks",
  "OrganizationTrailWrite Principal": "serviceWrites",
  "OrganizationTrailWrite Action": "trailDeletes",
  "OrganizationTrailWrite Resource": "organizationTrailWritesElsewhere",
  "OrganizationTrailWrite StringEquals aws:SourceArn": "unlistedTrailWrites",
  "OrganizationTrailWrite StringEquals s3:x-amz-acl": "writesWithoutAcl",
} as const;
const tls = {
  DenyNestedPrefix: "organizationTrailNestsPrefix",
  "DenyNestedPrefix Principal": "organizationTrailNestsPrefix",
  "DenyNestedPrefix Action": "organizationTrailNestsPrefix",
  "DenyNestedPrefix Resource arn:aws:s3:::example-logs/AWSLogs/*AWSLogs/*": "organizationTrailNestsPrefix",
  DenyInsecureTransport: "withoutTls",
  "DenyInsecureTransport Principal": "withoutTls",
  "DenyInsecureTransport Action": "withoutTls",
  "DenyInsecureTransport Resource arn:aws:s3:::example-logs": "ownerListsWithoutTls",
  "DenyInsecureTransport Resource arn:aws:s3:::example-logs/*": "ownerReadsWithoutTls",
} as const;
// Nothing but the bucket has an ACL of a bucket, or can be listed.
const bucketOnly = /(AclCheck|MembersListOwnLogs) Resource$/;

describe("core/policies: an organization", () => {
  describe("who may deliver", () => {
    const delivery = (trail: TrailIdentity, sourceOrgId?: string, organizationId?: string, logPrefix?: string) => ({
      trailArn: trailArn(trail),
      bucketName,
      bucketAccountId: auditAccountId,
      keyArn,
      world: {
        organizationOf: (accountId: string) =>
          accountId === trail.accountId && sourceOrgId !== undefined ? { id: sourceOrgId } : ("none" as const),
      },
      organizationId,
      logPrefix,
      memberAccountIds: ["222222222222", "666666666666"],
    });
    for (const form of [...bucketForms, "organization"] as const) {
      for (const keyForm of [...keyForms, "organization"] as const) {
        it(`the organization trail, its members and those outside: ${form}, key ${keyForm}; nobody else's`, () => {
          const [own, key] = [bucketIn(form), keyIn(keyForm)];
          assert.deepEqual(whyNoDelivery(own, key, delivery(organizationTrail, id, id)).reasons, []);
          assert.deepEqual(whyNoDelivery(own, key, delivery(payments, id)).reasons, []);
          for (const trail of [web, audit]) assert.deepEqual(whyNoDelivery(own, key, delivery(trail)).reasons, []);
          for (const [trail, source, organizationId] of [
            [stranger, otherId, otherId],
            [otherTrail(organizationTrail), id, id],
            [stranger, undefined, undefined],
          ] as const) {
            assert.equal(whyNoDelivery(own, key, delivery(trail, source, organizationId)).delivers, false);
          }
        });
      }
    }

    it("while the prefix changes, under both; afterwards under the new one only", () => {
      for (const form of [...bucketForms, "organization"] as const) {
        const both = bucketIn(form, { logPrefix: "new", previousLogPrefix: "" });
        const one = bucketIn(form, { logPrefix: "new" });
        for (const [trail, organizationId] of [
          [organizationTrail, id],
          [payments, undefined],
          [web, undefined],
        ] as const) {
          const as = (logPrefix?: string) => delivery(trail, trail === web ? undefined : id, organizationId, logPrefix);
          assert.deepEqual(whyNoDelivery(both, keyIn("trailList"), as()).reasons, [], form);
          assert.deepEqual(whyNoDelivery(both, keyIn("trailList"), as("new")).reasons, [], form);
          assert.deepEqual(whyNoDelivery(one, keyIn("trailList"), as("new")).reasons, [], form);
          assert.equal(whyNoDelivery(one, keyIn("trailList"), as()).delivers, false, form);
        }
      }
    });

    it("a key that trails no longer encrypt with still lets logs be read", () => {
      const former = keyIn("trailList", { mayEncrypt: false, memberReaders: ["222222222222"] });
      assert.equal(allowed(encrypts(payments, payments, inOrganization), former), false);
      assert.equal(allowed(fromAccount(auditAccountId, "kms:Decrypt", keyArn, contextOf(payments)), former), true);
      assert.equal(allowed(fromAccount("222222222222", "kms:Decrypt", keyArn, contextOf(payments)), former), true);
    });
  });

  describe("the choice of the form", () => {
    const trails = fleetOf(1400);
    const grant = { ...organization, accountIds: trails.map(({ accountId }) => accountId) };

    it("1,400 members fit, by the organization's id", () => {
      const many = { ...input, trails, organization: grant };
      assert.equal(bucketPolicy(many).form, "organization");
      assert.equal(keyPolicy(many).form, "organization");
    });

    it("is no choice without an organization, or when it has no member with a trail", () => {
      for (const given of [undefined, { ...organization, accountIds: [] }]) {
        const without = { ...input, trails: [...input.trails], organization: given };
        assert.ok(!bucketPolicyForms(without).includes("organization"));
        assert.ok(!keyPolicyForms(without).includes("organization"));
        assert.throws(() => bucketPolicy(without, "organization"), /no organization is declared/);
        assert.throws(() => keyPolicy(without, "organization"), /no organization is declared/);
      }
    });

    it("is the last: fewer accounts are named", () => {
      assert.equal(bucketPolicy({ ...input, trails: [...input.trails] }).form, "perTrail");
      assert.equal(keyPolicy({ ...input, trails: [...input.trails] }).form, "trailList");
    });
  });

  it("only the loosest forms let a member write under the organization's path", () => {
    const passing = [...bucketForms, "organization" as const].filter((form) =>
      allowed(attacks.memberWritesOrganizationPath, bucketIn(form)),
    );
    assert.deepEqual(passing, ["accountList", "organization"]);
  });

  describe("each part has an attack", () => {
    const only = (document: ReturnType<typeof bucketIn>, pattern: RegExp) => ({
      ...document,
      Statement: document.Statement.filter(({ Sid }) => pattern.test(Sid)),
    });
    everyPart(
      "an organization trail, whatever the form",
      only(bucketIn("perTrail"), /^OrganizationTrail|^Deny/),
      { ...orgTrailPurposes, ...tls },
      attacks,
      bucketOnly,
    );
    everyPart(
      "the bucket policy as organization",
      bucketIn("organization"),
      {
        ...orgTrailPurposes,
        ...tls,
        "CloudTrailAclCheck Principal": "serviceLooksAsMember",
        "CloudTrailAclCheck Action": "memberReconfigures",
        "CloudTrailAclCheck ArnLike aws:SourceArn": "unlistedTrailOfMemberLooks",
        "CloudTrailWrite Principal": "serviceWritesAsMember",
        "CloudTrailWrite Action": "memberDeletes",
        "CloudTrailWrite Resource": "memberWritesElsewhere",
        "CloudTrailWrite ArnLike aws:SourceArn": "unlistedTrailOfMemberWrites",
        "CloudTrailWrite StringEquals aws:SourceOrgID": "otherOrganizationWritesAnAccount",
        "CloudTrailWrite StringEquals s3:x-amz-acl": "memberWritesWithoutAcl",
        "NamedTrailsAclCheck Principal": "serviceLooksAsNamed",
        "NamedTrailsAclCheck Action": "namedReconfigures",
        "NamedTrailsAclCheck StringEquals aws:SourceArn": "unlistedTrailLooks",
        "NamedTrailsWrite Principal": "serviceWritesAsNamed",
        "NamedTrailsWrite Action": "namedDeletes",
        "NamedTrailsWrite Resource": "namedWritesElsewhere",
        "NamedTrailsWrite StringEquals aws:SourceArn": "strangerWrites",
        "NamedTrailsWrite StringEquals s3:x-amz-acl": "namedWritesWithoutAcl",
        // Of this name, any trail may look at the ACL.
        "OrganizationTrailAclCheck StringEquals aws:SourceArn": "unlistedTrailLooks",
        // Under AWSLogs/ the other statement lets any trail of this name of the organization write.
        "OrganizationTrailWrite Resource": "organizationTrailWritesOutside",
      },
      attacks,
      bucketOnly,
    );
    everyPart(
      "members that read their logs of the organization trail",
      only(bucketIn("perTrail", { memberReaders }), /^Members/),
      {
        "MembersListOwnLogs Principal": "strangerListsOwn",
        "MembersListOwnLogs Action": "memberOpensBucket",
        "MembersListOwnLogs StringLike s3:prefix": "memberListsAnother",
        "MembersReadOwnLogs Principal": "strangerReadsOwn",
        "MembersReadOwnLogs Action": "memberDeletesOwn",
        "MembersReadOwnLogs Resource": "memberReadsAnother",
      },
      attacks,
      bucketOnly,
    );
    const administration = {
      DenyShortDeletion: "administratorDeletesSoon",
      "DenyShortDeletion Principal": "administratorDeletesSoon",
      "DenyShortDeletion Action": "administratorDeletesSoon",
      "DenyShortDeletion Resource *": "administratorDeletesSoon",
      "AccountAdministration Principal": "memberAdministers",
      "AccountAdministration Action": "administratorGrants",
      "AccountReadsLogs Principal": "strangerReads",
      "AccountReadsLogs Action": "administratorForges",
      "AccountReadsLogs Null kms:EncryptionContext:aws:cloudtrail:arn": "administratorDecryptsOther",
    } as const;
    everyPart(
      "the key policy as organization, with a bucket key and members that read",
      keyIn("organization", { bucketKeyEnabled: true, memberReaders: ["222222222222"] }),
      {
        ...administration,
        "CloudTrailEncrypt Principal": "serviceEncrypts",
        "CloudTrailEncrypt Action": "memberGrants",
        "CloudTrailEncrypt ArnLike aws:SourceArn": "unlistedTrailOfMemberEncrypts",
        "CloudTrailEncrypt StringEquals aws:SourceOrgID": "otherOrganizationEncrypts",
        "CloudTrailEncrypt StringLike kms:EncryptionContext:aws:cloudtrail:arn": "memberEncryptsAsOther",
        "CloudTrailDescribeKey Principal": "serviceDescribes",
        "CloudTrailDescribeKey Action": "memberGrants",
        "CloudTrailDescribeKey ArnLike aws:SourceArn": "unlistedTrailOfMemberDescribes",
        "CloudTrailDescribeKey StringEquals aws:SourceOrgID": "otherOrganizationDescribes",
        "CloudTrailDecrypt Principal": "serviceDecrypts",
        "CloudTrailDecrypt Action": "memberGrants",
        "CloudTrailDecrypt ArnLike aws:SourceArn": "unlistedTrailDecrypts",
        "CloudTrailDecrypt StringEquals aws:SourceOrgID": "otherOrganizationDecrypts",
        "NamedTrailsEncrypt Principal": "serviceEncryptsAsNamed",
        "NamedTrailsEncrypt Action": "namedGrants",
        "NamedTrailsEncrypt StringEquals aws:SourceArn": "strangerEncryptsAsNamed",
        "NamedTrailsEncrypt StringLike kms:EncryptionContext:aws:cloudtrail:arn": "namedEncryptsAsStranger",
        "NamedTrailsDescribeKey Principal": "serviceDescribesAsNamed",
        "NamedTrailsDescribeKey Action": "namedGrants",
        "NamedTrailsDescribeKey StringEquals aws:SourceArn": "strangerDescribes",
        "NamedTrailsDecrypt Principal": "serviceDecryptsAsNamed",
        "NamedTrailsDecrypt Action": "namedGrants",
        "NamedTrailsDecrypt StringEquals aws:SourceArn": "strangerDecrypts",
        "MembersDecryptOwnLogs Principal": "strangerDecryptsOwnTrail",
        "MembersDecryptOwnLogs Action": "memberForgesOwn",
        "MembersDecryptOwnLogs StringLike kms:EncryptionContext:aws:cloudtrail:arn": "memberDecryptsAnother",
        "MembersDecryptOrganizationLogs Principal": "strangerDecryptsOwn",
        "MembersDecryptOrganizationLogs Action": "memberForges",
        "MembersDecryptOrganizationLogs StringEquals kms:EncryptionContext:aws:cloudtrail:arn":
          "memberDecryptsForeignTrail",
        "MembersDecryptOrganizationLogs StringLike kms:EncryptionContext:aws:s3:arn": "memberDecryptsAnother",
      },
      {
        ...keyAttacks,
        strangerDecryptsOwnTrail: fromAccount("999999999999", "kms:Decrypt", keyArn, contextOf(stranger)),
        memberForgesOwn: fromAccount("222222222222", "kms:GenerateDataKey", keyArn, contextOf(payments)),
      },
    );
  });

  describe("each part of what a reader of some accounts may do", () => {
    const openKey: Policy = {
      Version: "2012-10-17",
      Statement: {
        Effect: "Allow",
        Principal: { AWS: `arn:aws:iam::${auditAccountId}:root` },
        Action: "kms:*",
        Resource: "*",
      },
    };
    const decrypts = (action: string, key: string, context: RequestContext): AccessRequest => ({
      caller: { kind: "account", arn: `arn:aws:sts::${auditAccountId}:assumed-role/CloudTrailReadRole/me` },
      action,
      resource: key,
      resourceAccountId: auditAccountId,
      context,
    });
    const own = contextOf(organizationTrail, fileOf(managementAccountId, id));
    const permissions = readPermissions({
      partition: "aws",
      bucketName,
      keyArn,
      organization,
      accountIds: [managementAccountId],
    });
    everyPart(
      "permissions to decrypt the organization trail's logs",
      { ...permissions, Statement: permissions.Statement.filter(({ Sid }) => Sid === "DecryptOrganizationLogs") },
      {
        "DecryptOrganizationLogs Action": "endsKey",
        "DecryptOrganizationLogs Resource": "decryptsWithOtherKey",
        "DecryptOrganizationLogs StringEquals kms:EncryptionContext:aws:cloudtrail:arn": "decryptsForeignTrail",
        "DecryptOrganizationLogs StringLike kms:EncryptionContext:aws:s3:arn": "decryptsAnother",
      },
      {
        endsKey: decrypts("kms:ScheduleKeyDeletion", keyArn, own),
        decryptsWithOtherKey: decrypts("kms:Decrypt", keyArn.replace("1234abcd", "4321dcba"), own),
        decryptsForeignTrail: decrypts("kms:Decrypt", keyArn, contextOf(stranger, fileOf(managementAccountId, id))),
        decryptsAnother: decrypts("kms:Decrypt", keyArn, contextOf(organizationTrail, fileOf("222222222222", id))),
      },
      undefined,
      (request, document) =>
        evaluate(request, { identityPolicies: [document as Policy], resourcePolicy: openKey, resourceKind: "key" })
          .allowed,
    );

    it("and no statement of an organization is left out", () => {
      for (const sid of [
        "OrganizationTrailAclCheck",
        "OrganizationTrailWrite",
        "NamedTrailsAclCheck",
        "NamedTrailsWrite",
      ]) {
        assert.ok(covered.has(sid), sid);
      }
      for (const sid of [
        "NamedTrailsEncrypt",
        "NamedTrailsDescribeKey",
        "NamedTrailsDecrypt",
        "MembersDecryptOrganizationLogs",
        "DecryptOrganizationLogs",
      ]) {
        assert.ok(covered.has(sid), sid);
      }
    });
  });

  describe("members and readers", () => {
    const everything: [string, AccessRequest, boolean][] = [
      "222222222222",
      managementAccountId,
      "333333333333",
    ].flatMap((accountId) =>
      ["222222222222", managementAccountId, "333333333333"].flatMap((of): [string, AccessRequest, boolean][] => {
        const file = fileOf(of, id);
        const passes = accountId === of && accountId !== "333333333333";
        const prefix = { "s3:prefix": `AWSLogs/${id}/${of}/` };
        return [
          [`${accountId} reads ${of}`, fromAccount(accountId, "s3:GetObject", file), passes],
          [`${accountId} lists ${of}`, fromAccount(accountId, "s3:ListBucket", bucket, prefix), passes],
          [
            `${accountId} decrypts ${of}`,
            fromAccount(accountId, "kms:Decrypt", keyArn, contextOf(organizationTrail, file)),
            passes,
          ],
        ];
      }),
    );
    for (const [name, request, passes] of everything) {
      it(`${name}: ${passes ? "passes" : "refused"}`, () => {
        const policy = request.action.startsWith("kms:")
          ? keyIn("trailList", { memberReaders })
          : bucketIn("trailList", { memberReaders });
        assert.equal(allowed(request, policy), passes);
      });
    }

    it("the management account still reads the logs of its own path", () => {
      const own = fileOf(managementAccountId);
      const decrypts = fromAccount(managementAccountId, "kms:Decrypt", keyArn, contextOf(organizationTrail, own));
      assert.equal(allowed(decrypts, keyIn("trailList", { memberReaders })), true);
    });

    it("with a bucket key, S3 says the bucket: members decrypt by that, too", () => {
      const decrypts = fromAccount("222222222222", "kms:Decrypt", keyArn, contextOf(organizationTrail, bucket));
      assert.equal(allowed(decrypts, keyIn("trailList", { memberReaders })), false);
      assert.equal(allowed(decrypts, keyIn("trailList", { memberReaders, bucketKeyEnabled: true })), true);
    });

    it("a reader of some accounts reads their logs of the organization trail, and no other account's", () => {
      const permissions = readPermissions({
        partition: "aws",
        bucketName,
        keyArn,
        organization,
        accountIds: ["222222222222", managementAccountId],
      });
      const reads = (of: string, action: string, resource: string, context: RequestContext = {}) =>
        evaluate(
          {
            caller: { kind: "account", arn: `arn:aws:sts::${auditAccountId}:assumed-role/CloudTrailReadRole/me` },
            action,
            resource,
            resourceAccountId: auditAccountId,
            context: { "aws:SecureTransport": "true", ...context },
          },
          {
            identityPolicies: [permissions as Policy],
            resourcePolicy: (action.startsWith("kms:") ? keyIn("trailList") : bucketIn("trailList")) as Policy,
          },
        ).allowed;
      for (const [of, passes] of [
        ["222222222222", true],
        [managementAccountId, true],
        ["333333333333", false],
      ] as const) {
        const file = fileOf(of, id);
        assert.equal(reads(of, "s3:GetObject", file), passes, of);
        assert.equal(reads(of, "s3:ListBucket", bucket, { "s3:prefix": `AWSLogs/${id}/${of}/` }), passes, of);
        assert.equal(reads(of, "kms:Decrypt", keyArn, contextOf(organizationTrail, file)), passes, of);
      }
      assert.equal(reads("222222222222", "kms:Decrypt", keyArn, contextOf(payments, fileOf("222222222222"))), true);
    });
  });
});
