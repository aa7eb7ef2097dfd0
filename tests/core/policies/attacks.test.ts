import assert from "node:assert/strict";
import type { AccessRequest, PolicyDocument as Policy, RequestContext } from "../../../core/evaluate";
import { cloudTrailService, evaluate, whyNoDelivery } from "../../../core/evaluate";
import type { TrailIdentity } from "../../../core/names";
import { trailArn } from "../../../core/names";
import type { KeyPolicyForm } from "../../../core/policies/key";
import type { BucketPolicyForm, BucketPolicyInput } from "../../../core/policies/bucket";
import { bucketPolicy } from "../../../core/policies/bucket";
import type { PolicyDocument, Statement } from "../../../core/policies/document";
import { keyPolicy } from "../../../core/policies/key";
import { memberReadPermissions, readerTrust, readPermissions } from "../../../core/policies/reader";
import { read } from "../../support/config";
import { auditAccountId, bucketName, fleetOf, keyArn, trailOf } from "../../support/fleet";
import {
  bucketDocument,
  bucketForms,
  fleet,
  keyDocument,
  keyForms,
  memberReaders,
  payments,
  web,
} from "../../support/policies";

const bucketArn = "arn:aws:s3:::example-logs";

/** A request as CloudTrail makes it for a trail. */
function fromCloudTrail(trail: TrailIdentity, action: string, resource: string, context: RequestContext) {
  return {
    caller: { kind: "service" as const, service: cloudTrailService },
    action,
    resource,
    resourceAccountId: auditAccountId,
    context: {
      "aws:SourceArn": trailArn(trail),
      "aws:SourceAccount": trail.accountId,
      "aws:SecureTransport": "true",
      ...context,
    },
  };
}

/** A request of an administrator of an account, whose own policies allow everything. */
function fromAccount(accountId: string, action: string, resource: string, context: RequestContext = {}) {
  return {
    caller: { kind: "account" as const, arn: `arn:aws:iam::${accountId}:role/admin` },
    action,
    resource,
    resourceAccountId: auditAccountId,
    context: { "aws:SecureTransport": "true", ...context },
  };
}

/** Whether a request passes; callers in accounts bring an identity policy that allows everything. */
function allowed(request: AccessRequest, resourcePolicy: PolicyDocument): boolean {
  const everything = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" } as const] };
  const decision = evaluate(request, { resourcePolicy, identityPolicies: [everything] });
  assert.notEqual(decision.reason, "notEvaluated", decision.explanation);
  return decision.allowed;
}

function logObject(accountId: string): string {
  return `${bucketArn}/AWSLogs/${accountId}/CloudTrail/us-east-1/2026/01/31/x.json.gz`;
}

/** A request to list an account's logs. */
function listing(accountId: string): RequestContext {
  return { "s3:prefix": `AWSLogs/${accountId}/CloudTrail/` };
}

const stranger = trailOf("999999999999", { name: "mine" });
const strangerOfTheSameName = trailOf("999999999999");
const unlistedTrail = trailOf("222222222222", { name: "mine" });
const withAcl = { "s3:x-amz-acl": "bucket-owner-full-control" };
const withoutTls = { "aws:SecureTransport": "false" };
const otherService = { kind: "service" as const, service: "config.amazonaws.com" };

const writes = (trail: TrailIdentity, resource: string, context: RequestContext = withAcl) =>
  fromCloudTrail(trail, "s3:PutObject", resource, context);
const looks = (trail: TrailIdentity, context: RequestContext = {}) =>
  fromCloudTrail(trail, "s3:GetBucketAcl", bucketArn, context);

const bucketAttacks = {
  /** Confused deputy: anyone can point a trail of theirs at our bucket, and CloudTrail would write for them. */
  strangerWrites: writes(stranger, logObject("222222222222")),
  strangerOfTheSameNameWrites: writes(strangerOfTheSameName, logObject("222222222222")),
  unlistedTrailOfMemberWrites: writes(unlistedTrail, logObject("222222222222")),
  /** A member forges the logs of another one. */
  memberWritesAsAnother: writes(payments, logObject("333333333333")),
  memberWritesForNobody: writes(payments, logObject("999999999999")),
  memberWritesElsewhere: writes(payments, `${bucketArn}/elsewhere/x`),
  /** An object that the bucket's owner may not be able to read. */
  memberWritesWithoutAcl: writes(payments, logObject("222222222222"), {}),
  memberDeletes: fromCloudTrail(payments, "s3:DeleteObject", logObject("222222222222"), withAcl),
  strangerLooks: looks(stranger),
  strangerOfTheSameNameLooks: looks(strangerOfTheSameName),
  unlistedTrailOfMemberLooks: looks(unlistedTrail),
  memberReconfigures: fromCloudTrail(payments, "s3:PutLifecycleConfiguration", bucketArn, {}),
  otherServiceWrites: { ...writes(payments, logObject("222222222222")), caller: otherService },
  otherServiceLooks: { ...looks(payments), caller: otherService },
  deliversWithoutTls: writes(payments, logObject("222222222222"), { ...withAcl, ...withoutTls }),
  looksWithoutTls: looks(payments, withoutTls),
  ownerReadsWithoutTls: fromAccount(auditAccountId, "s3:GetObject", logObject("222222222222"), withoutTls),
  ownerListsWithoutTls: fromAccount(auditAccountId, "s3:ListBucket", bucketArn, withoutTls),
  memberAccountReads: fromAccount("222222222222", "s3:GetObject", logObject("222222222222")),
  anonymousReads: {
    ...fromAccount("222222222222", "s3:GetObject", logObject("222222222222")),
    caller: { kind: "anonymous" as const },
  },
  /** Where members may read their own logs. */
  memberReadsAnother: fromAccount("333333333333", "s3:GetObject", logObject("222222222222")),
  memberListsAnother: fromAccount("333333333333", "s3:ListBucket", bucketArn, {
    ...listing("222222222222"),
  }),
  memberListsAll: fromAccount("222222222222", "s3:ListBucket", bucketArn),
  memberAccountDeletes: fromAccount("222222222222", "s3:DeleteObject", logObject("222222222222")),
  memberAccountOpensBucket: fromAccount("222222222222", "s3:PutBucketPolicy", bucketArn, listing("222222222222")),
  strangerReadsOwnPath: fromAccount("999999999999", "s3:GetObject", logObject("999999999999")),
  strangerListsOwnPath: fromAccount("999999999999", "s3:ListBucket", bucketArn, listing("999999999999")),
};

const withoutMfa = { "aws:MultiFactorAuthPresent": "false" };
const mfaExempt = ["arn:aws:iam::111111111111:role/exporter", "arn:aws:iam::111111111111:role/ops/scanner"];
const mfaDocument = (form?: BucketPolicyForm, other: Partial<BucketPolicyInput> = {}) =>
  bucketDocument(form, { requireMfa: true, mfaExemptRoleArns: mfaExempt, ...other });
const touches = (action: string, context: RequestContext = withoutMfa) =>
  fromAccount(auditAccountId, action, logObject("222222222222"), context);
const mfaAttacks = {
  personReadsWithoutMfa: touches("s3:GetObject"),
  personReadsVersionWithoutMfa: touches("s3:GetObjectVersion"),
  personDeletesWithoutMfa: touches("s3:DeleteObject"),
  personDeletesVersionWithoutMfa: touches("s3:DeleteObjectVersion"),
  /** Long-term access keys: the request does not have the key at all. */
  personReadsWithAccessKeys: touches("s3:GetObject", {}),
};

const contextOf = (trail: TrailIdentity) => ({ "kms:EncryptionContext:aws:cloudtrail:arn": trailArn(trail) });
const encrypts = (trail: TrailIdentity, contextTrail: TrailIdentity) =>
  fromCloudTrail(trail, "kms:GenerateDataKey", keyArn, contextOf(contextTrail));
const readsLog = fromAccount(auditAccountId, "kms:Decrypt", keyArn, contextOf(payments));
const administers = fromAccount(auditAccountId, "kms:PutKeyPolicy", keyArn);

const keyAttacks = {
  strangerEncrypts: encrypts(stranger, stranger),
  strangerEncryptsAsMember: encrypts(stranger, payments),
  unlistedTrailOfMemberEncrypts: encrypts(unlistedTrail, unlistedTrail),
  memberEncryptsAsStranger: encrypts(payments, stranger),
  strangerDescribes: fromCloudTrail(stranger, "kms:DescribeKey", keyArn, {}),
  /** CloudTrail needs no decryption to deliver: nobody can have it read logs for them. */
  cloudTrailDecrypts: fromCloudTrail(payments, "kms:Decrypt", keyArn, contextOf(payments)),
  cloudTrailDecryptsWithoutContext: fromCloudTrail(payments, "kms:Decrypt", keyArn, {}),
  /** Where bucket keys are on, CloudTrail may decrypt: for our trails, and nothing but that. */
  strangerHasItDecrypted: fromCloudTrail(stranger, "kms:Decrypt", keyArn, contextOf(stranger)),
  cloudTrailGrants: fromCloudTrail(payments, "kms:CreateGrant", keyArn, contextOf(payments)),
  otherServiceDecrypts: {
    ...fromCloudTrail(payments, "kms:Decrypt", keyArn, contextOf(payments)),
    caller: otherService,
  },
  otherServiceEncrypts: { ...encrypts(payments, payments), caller: otherService },
  otherServiceDescribes: { ...fromCloudTrail(payments, "kms:DescribeKey", keyArn, {}), caller: otherService },
  /** Whoever may do everything in the audit account uses the key for something else than reading logs. */
  administratorDecryptsOther: fromAccount(auditAccountId, "kms:Decrypt", keyArn),
  /** A log file that was never delivered, encrypted as if it had been. */
  administratorForges: fromAccount(auditAccountId, "kms:GenerateDataKey", keyArn, contextOf(payments)),
  /** A grant would hand the key on, past the key policy. */
  administratorGrants: fromAccount(auditAccountId, "kms:CreateGrant", keyArn),
  memberAccountDecrypts: fromAccount("222222222222", "kms:Decrypt", keyArn, contextOf(payments)),
  memberDecryptsAnother: fromAccount("333333333333", "kms:Decrypt", keyArn, contextOf(payments)),
  memberDecryptsOther: fromAccount("222222222222", "kms:Decrypt", keyArn),
  memberAccountForges: fromAccount("222222222222", "kms:GenerateDataKey", keyArn, contextOf(payments)),
  strangerDecryptsOwn: fromAccount("999999999999", "kms:Decrypt", keyArn, contextOf(stranger)),
  memberAccountAdministers: fromAccount("222222222222", "kms:PutKeyPolicy", keyArn),
};

/** What a denial must not stop, whoever else allows it. */
const legitimate: Record<string, AccessRequest> = {
  cloudTrailWrites: writes(payments, logObject("222222222222")),
  personReadsWithMfa: touches("s3:GetObject", { "aws:MultiFactorAuthPresent": "true" }),
  exemptRoleReads: { ...touches("s3:GetObject"), caller: { kind: "account", arn: mfaExempt[0] } },
  /** A service in its own name: it has no MFA, and no key that says so. */
  serviceReads: { ...touches("s3:GetObject", { "aws:SecureTransport": "true" }), caller: otherService },
};

/** The statements that everyPart() was told about; a number at the end of an id is an account. */
const covered = new Set<string>();
const sidOf = (sid: string) => sid.replace(/\d+$/, "");

describe("core/policies", () => {
  describe("who may deliver", () => {
    const delivers = (
      bucket: PolicyDocument,
      key: PolicyDocument,
      trail: TrailIdentity,
      logPrefix?: string,
      bucketKey = false,
    ) =>
      whyNoDelivery(bucket, key, {
        trailArn: trailArn(trail),
        bucketName,
        bucketAccountId: auditAccountId,
        keyArn,
        logPrefix,
        bucketKey,
      });

    for (const form of bucketForms) {
      for (const keyForm of keyForms) {
        it(`every trail of the fleet: ${form}, key ${keyForm}`, () => {
          for (const logPrefix of [undefined, "prod/eu"]) {
            const bucket = bucketDocument(form, { logPrefix });
            for (const trail of fleet) {
              assert.deepEqual(delivers(bucket, keyDocument(keyForm), trail, logPrefix).reasons, []);
            }
          }
        });
      }
    }

    it("every trail of whatever fleet, in whatever form was chosen for its size; nobody else's", () => {
      for (const count of [1, 2, 49, 50, 115, 387]) {
        const trails = fleetOf(count);
        const bucket = bucketDocument(undefined, { trails });
        const key = keyDocument(undefined, trails);
        for (const trail of [trails[0], trails[count >> 1], trails[count - 1]] as TrailIdentity[]) {
          assert.deepEqual(delivers(bucket, key, trail).reasons, [], `${count}`);
        }
        assert.equal(delivers(bucket, key, trailOf("999999999999", { name: "mine" })).delivers, false, `${count}`);
      }
    });

    it("in every partition", () => {
      for (const [partition, region] of [
        ["aws-cn", "cn-north-1"],
        ["aws-us-gov", "us-gov-east-1"],
      ] as const) {
        const trail = trailOf("222222222222", { partition, region });
        const delivery = whyNoDelivery(
          bucketPolicy({ partition, bucketName, trails: [trail] }).document,
          keyPolicy({ partition, auditAccountId, trails: [trail] }).document,
          {
            trailArn: trailArn(trail),
            bucketName,
            bucketAccountId: auditAccountId,
            keyArn: keyArn.replace("arn:aws:kms:us-east-1", `arn:${partition}:kms:${region}`),
          },
        );
        assert.deepEqual(delivery.reasons, [], partition);
      }
    });

    it("a trail with another prefix than the policy's does not", () => {
      for (const [policy, trail] of [
        ["prod", undefined],
        [undefined, "prod"],
        ["prod", "prod2"],
      ]) {
        for (const form of bucketForms) {
          const delivery = delivers(bucketDocument(form, { logPrefix: policy }), keyDocument(), payments, trail);
          assert.equal(delivery.delivers, false, `${form}: ${policy} and ${trail}`);
        }
      }
    });

    for (const keyForm of keyForms) {
      it(`to a bucket with an S3 Bucket Key, too, but only where the key policy provides for it: ${keyForm}`, () => {
        const key = keyDocument(keyForm, fleet, { bucketKeyEnabled: true });
        for (const trail of fleet) {
          assert.deepEqual(delivers(bucketDocument(), key, trail, undefined, true).reasons, []);
          assert.equal(delivers(bucketDocument(), keyDocument(keyForm), trail, undefined, true).delivers, false);
        }
      });
    }

    for (const form of bucketForms) {
      it(`without any one of the bucket policy's allows, somebody's logs stop: ${form}`, () => {
        eachWithout(bucketDocument(form), "Allow", (rest, sid) => {
          assert.ok(!fleet.every((trail) => delivers(rest, keyDocument(), trail).delivers), sid);
        });
      });
    }

    for (const form of keyForms) {
      it(`without any one of the key policy's allows, somebody's work stops: ${form}`, () => {
        eachWithout(keyDocument(form), "Allow", (rest, sid) => {
          const works =
            fleet.every((trail) => delivers(bucketDocument(), rest, trail).delivers) &&
            [administers, readsLog].every((request) => allowed(request, rest));
          assert.ok(!works, sid);
        });
        assert.ok([administers, readsLog].every((request) => allowed(request, keyDocument(form))));
      });
    }
  });

  describe("the attacks each form stops, and those that it lets through", () => {
    const forms = (...let_through: string[]) => let_through;
    const throughBucket: Record<keyof typeof bucketAttacks, string[]> = {
      strangerWrites: forms(),
      strangerOfTheSameNameWrites: forms("trailName"),
      unlistedTrailOfMemberWrites: forms("accountList"),
      memberWritesAsAnother: forms("trailList", "trailName", "accountList"),
      memberWritesForNobody: forms("accountList"),
      memberWritesElsewhere: forms(),
      memberWritesWithoutAcl: forms(),
      memberDeletes: forms(),
      strangerLooks: forms(),
      strangerOfTheSameNameLooks: forms("trailName"),
      unlistedTrailOfMemberLooks: forms("accountList"),
      memberReconfigures: forms(),
      otherServiceWrites: forms(),
      otherServiceLooks: forms(),
      deliversWithoutTls: forms(),
      looksWithoutTls: forms(),
      ownerReadsWithoutTls: forms(),
      ownerListsWithoutTls: forms(),
      memberAccountReads: forms(),
      anonymousReads: forms(),
      memberReadsAnother: forms(),
      memberListsAnother: forms(),
      memberListsAll: forms(),
      memberAccountDeletes: forms(),
      memberAccountOpensBucket: forms(),
      strangerReadsOwnPath: forms(),
      strangerListsOwnPath: forms(),
    };
    /** Members that may read their own logs get that, and nothing that anyone else could not do. */
    const forMembers = [
      ["bucket", bucketAttacks, (form: BucketPolicyForm) => bucketDocument(form, { memberReaders }), bucketForms],
      ["key", keyAttacks, (form: KeyPolicyForm) => keyDocument(form, undefined, { memberReaders }), keyForms],
    ] as const;
    for (const [what, attacks, build, all] of forMembers) {
      it(`${what}: with members that may read their own logs, nothing else passes`, () => {
        for (const [name, request] of Object.entries<AccessRequest>(attacks)) {
          if (["memberAccountReads", "memberAccountDecrypts"].includes(name)) continue;
          for (const form of all) {
            const without =
              what === "bucket" ? bucketDocument(form as BucketPolicyForm) : keyDocument(form as KeyPolicyForm);
            assert.equal(allowed(request, build(form as never)), allowed(request, without), `${name}, ${form}`);
          }
        }
      });
    }

    for (const [name, through] of Object.entries(throughBucket)) {
      it(`bucket: ${name}${through.length > 0 ? ` passes with ${through.join(", ")}` : ""}`, () => {
        const request = bucketAttacks[name as keyof typeof bucketAttacks];
        assert.deepEqual(
          bucketForms.filter((form) => allowed(request, bucketDocument(form))),
          through,
        );
      });
    }

    const throughKey: Record<keyof typeof keyAttacks, string[]> = {
      strangerEncrypts: forms(),
      strangerEncryptsAsMember: forms("encryptionContext"),
      unlistedTrailOfMemberEncrypts: forms("encryptionContext"),
      memberEncryptsAsStranger: forms(),
      strangerDescribes: forms(),
      cloudTrailDecrypts: forms(),
      cloudTrailDecryptsWithoutContext: forms(),
      strangerHasItDecrypted: forms(),
      cloudTrailGrants: forms(),
      otherServiceDecrypts: forms(),
      otherServiceEncrypts: forms(),
      otherServiceDescribes: forms(),
      administratorDecryptsOther: forms(),
      administratorForges: forms(),
      administratorGrants: forms(),
      memberAccountDecrypts: forms(),
      memberDecryptsAnother: forms(),
      memberDecryptsOther: forms(),
      memberAccountForges: forms(),
      strangerDecryptsOwn: forms(),
      memberAccountAdministers: forms(),
    };
    for (const [name, through] of Object.entries(throughKey)) {
      it(`key: ${name}${through.length > 0 ? ` passes with ${through.join(", ")}` : ""}`, () => {
        const request = keyAttacks[name as keyof typeof keyAttacks];
        assert.deepEqual(
          keyForms.filter((form) => allowed(request, keyDocument(form))),
          through,
        );
      });
    }
  });

  describe("what each part of a statement is for: without it, an attack succeeds", () => {
    type Purpose<Attacks> = Record<string, keyof Attacks>;
    const bucketPurposes: Record<BucketPolicyForm, Purpose<typeof bucketAttacks>> = {
      perTrail: {
        "CloudTrailAclCheck Principal": "otherServiceLooks",
        "CloudTrailAclCheck Action": "memberReconfigures",
        "CloudTrailAclCheck StringEquals aws:SourceArn": "strangerLooks",
        "CloudTrailWrite222222222222 Principal": "otherServiceWrites",
        "CloudTrailWrite222222222222 Action": "memberDeletes",
        "CloudTrailWrite222222222222 Resource": "memberWritesAsAnother",
        "CloudTrailWrite222222222222 StringEquals aws:SourceArn": "strangerWrites",
        "CloudTrailWrite222222222222 StringEquals s3:x-amz-acl": "memberWritesWithoutAcl",
      },
      trailList: {
        "CloudTrailAclCheck Principal": "otherServiceLooks",
        "CloudTrailAclCheck Action": "memberReconfigures",
        "CloudTrailAclCheck StringEquals aws:SourceArn": "strangerLooks",
        "CloudTrailWrite Principal": "otherServiceWrites",
        "CloudTrailWrite Action": "memberDeletes",
        "CloudTrailWrite Resource": "memberWritesForNobody",
        "CloudTrailWrite StringEquals aws:SourceArn": "strangerWrites",
        "CloudTrailWrite StringEquals s3:x-amz-acl": "memberWritesWithoutAcl",
      },
      trailName: {
        "CloudTrailAclCheck Principal": "otherServiceLooks",
        "CloudTrailAclCheck Action": "memberReconfigures",
        "CloudTrailAclCheck ArnLike aws:SourceArn": "strangerLooks",
        "CloudTrailWrite Principal": "otherServiceWrites",
        "CloudTrailWrite Action": "memberDeletes",
        "CloudTrailWrite Resource": "memberWritesForNobody",
        "CloudTrailWrite ArnLike aws:SourceArn": "strangerWrites",
        "CloudTrailWrite StringEquals s3:x-amz-acl": "memberWritesWithoutAcl",
      },
      accountList: {
        "CloudTrailAclCheck Principal": "otherServiceLooks",
        "CloudTrailAclCheck Action": "memberReconfigures",
        "CloudTrailAclCheck StringEquals aws:SourceAccount": "strangerLooks",
        "CloudTrailWrite Principal": "otherServiceWrites",
        "CloudTrailWrite Action": "memberDeletes",
        "CloudTrailWrite Resource": "memberWritesElsewhere",
        "CloudTrailWrite StringEquals aws:SourceAccount": "strangerWrites",
        "CloudTrailWrite StringEquals s3:x-amz-acl": "memberWritesWithoutAcl",
      },
    };
    const denyPurposes: Purpose<typeof bucketAttacks> = {
      DenyInsecureTransport: "deliversWithoutTls",
      "DenyInsecureTransport Principal": "deliversWithoutTls",
      "DenyInsecureTransport Action": "deliversWithoutTls",
      "DenyInsecureTransport Resource arn:aws:s3:::example-logs": "ownerListsWithoutTls",
      "DenyInsecureTransport Resource arn:aws:s3:::example-logs/*": "ownerReadsWithoutTls",
    };
    for (const form of bucketForms) {
      everyPart(
        `bucket policy as ${form}`,
        bucketDocument(form),
        { ...bucketPurposes[form], ...denyPurposes },
        bucketAttacks,
        // The two are the same: nothing but the bucket has an ACL of a bucket. Of `web`'s statement nothing is said
        // that is not said of `payments`'s.
        /^CloudTrailAclCheck Resource$|333333333333/,
      );
    }

    const common: Purpose<typeof keyAttacks> = {
      "AccountAdministration Principal": "memberAccountAdministers",
      "AccountAdministration Action": "administratorGrants",
      "AccountReadsLogs Principal": "memberAccountDecrypts",
      "AccountReadsLogs Action": "administratorForges",
      "AccountReadsLogs Null kms:EncryptionContext:aws:cloudtrail:arn": "administratorDecryptsOther",
      "CloudTrailEncrypt Principal": "otherServiceEncrypts",
      "CloudTrailEncrypt Action": "cloudTrailDecrypts",
      "CloudTrailDescribeKey Principal": "otherServiceDescribes",
      "CloudTrailDescribeKey Action": "cloudTrailDecryptsWithoutContext",
      "CloudTrailEncrypt StringLike kms:EncryptionContext:aws:cloudtrail:arn": "memberEncryptsAsStranger",
    };
    everyPart(
      "key policy as trailList",
      keyDocument("trailList"),
      {
        ...common,
        "CloudTrailEncrypt StringEquals aws:SourceArn": "unlistedTrailOfMemberEncrypts",
        "CloudTrailDescribeKey StringEquals aws:SourceArn": "strangerDescribes",
      },
      keyAttacks,
    );
    everyPart(
      "key policy as encryptionContext",
      keyDocument("encryptionContext"),
      { ...common, "CloudTrailDescribeKey ArnLike aws:SourceArn": "strangerDescribes" },
      keyAttacks,
    );

    everyPart(
      "bucket policy for members that read their own logs",
      bucketDocument("perTrail", { memberReaders }),
      {
        ...bucketPurposes.perTrail,
        ...denyPurposes,
        "MembersListOwnLogs Principal": "strangerListsOwnPath",
        "MembersListOwnLogs Action": "memberAccountOpensBucket",
        "MembersListOwnLogs StringLike s3:prefix": "memberListsAnother",
        "MembersReadOwnLogs Principal": "strangerReadsOwnPath",
        "MembersReadOwnLogs Action": "memberAccountDeletes",
        "MembersReadOwnLogs Resource": "memberReadsAnother",
      },
      bucketAttacks,
      // Nothing but the bucket has an ACL of a bucket, or can be listed.
      /^(CloudTrailAclCheck|MembersListOwnLogs) Resource$|333333333333/,
    );
    everyPart(
      "key policy for members that read their own logs",
      keyDocument("trailList", fleet, { memberReaders }),
      {
        ...common,
        "AccountReadsLogs Principal": "strangerDecryptsOwn",
        "CloudTrailEncrypt StringEquals aws:SourceArn": "unlistedTrailOfMemberEncrypts",
        "CloudTrailDescribeKey StringEquals aws:SourceArn": "strangerDescribes",
        "MembersDecryptOwnLogs Principal": "strangerDecryptsOwn",
        "MembersDecryptOwnLogs Action": "memberAccountForges",
        "MembersDecryptOwnLogs StringLike kms:EncryptionContext:aws:cloudtrail:arn": "memberDecryptsAnother",
      },
      keyAttacks,
    );

    everyPart(
      "bucket policy with MFA",
      mfaDocument(),
      {
        ...bucketPurposes.perTrail,
        ...denyPurposes,
        "DenyInsecureTransport Resource arn:aws:s3:::example-logs/*": "readsWithMfaWithoutTls",
        DenyLogAccessWithoutMfa: "personReadsWithoutMfa",
        "DenyLogAccessWithoutMfa Principal": "personReadsWithoutMfa",
        "DenyLogAccessWithoutMfa Action s3:GetObject*": "personReadsVersionWithoutMfa",
        "DenyLogAccessWithoutMfa Action s3:DeleteObject*": "personDeletesVersionWithoutMfa",
        "DenyLogAccessWithoutMfa Resource arn:aws:s3:::example-logs/*": "personReadsWithoutMfa",
        "DenyLogAccessWithoutMfa BoolIfExists aws:MultiFactorAuthPresent": "personReadsWithAccessKeys",
      },
      {
        ...bucketAttacks,
        ...mfaAttacks,
        readsWithMfaWithoutTls: touches("s3:GetObject", { "aws:MultiFactorAuthPresent": "true", ...withoutTls }),
      },
      // Every signed request has the key; for one without it, see below.
      /^CloudTrailAclCheck Resource$|333333333333|BoolIfExists aws:PrincipalIsAWSService/,
    );

    const withBucketKey: Purpose<typeof keyAttacks> = {
      ...common,
      "CloudTrailEncrypt Action": "cloudTrailGrants",
      "CloudTrailDescribeKey Action": "cloudTrailGrants",
      "CloudTrailDecrypt Principal": "otherServiceDecrypts",
      "CloudTrailDecrypt Action": "cloudTrailGrants",
    };
    everyPart(
      "key policy with a bucket key as trailList",
      keyDocument("trailList", fleet, { bucketKeyEnabled: true }),
      {
        ...withBucketKey,
        "CloudTrailEncrypt StringEquals aws:SourceArn": "unlistedTrailOfMemberEncrypts",
        "CloudTrailDescribeKey StringEquals aws:SourceArn": "strangerDescribes",
        "CloudTrailDecrypt StringEquals aws:SourceArn": "strangerHasItDecrypted",
      },
      keyAttacks,
    );
    everyPart(
      "key policy with a bucket key as encryptionContext",
      keyDocument("encryptionContext", fleet, { bucketKeyEnabled: true }),
      {
        ...withBucketKey,
        "CloudTrailDescribeKey ArnLike aws:SourceArn": "strangerDescribes",
        "CloudTrailDecrypt ArnLike aws:SourceArn": "strangerHasItDecrypted",
      },
      keyAttacks,
    );
  });
});

describe("core/policies: MFA to read and delete logs", () => {
  const all = Object.entries(mfaAttacks);
  const withMfa = (request: AccessRequest): AccessRequest => ({
    ...request,
    context: { ...request.context, "aws:MultiFactorAuthPresent": "true" },
  });
  const as = (arn: string, request: AccessRequest, roleArn?: string): AccessRequest => ({
    ...request,
    caller: { kind: "account", arn, ...(roleArn !== undefined && { roleArn }) },
  });
  const exporter = (request: AccessRequest) => as("arn:aws:sts::111111111111:assumed-role/exporter/job", request);

  for (const form of bucketForms) {
    it(`is demanded of everyone, and enough: ${form}`, () => {
      for (const [name, request] of all) {
        assert.equal(allowed(request, mfaDocument(form)), false, name);
        assert.equal(allowed(withMfa(request), mfaDocument(form)), true, name);
        assert.equal(allowed(request, bucketDocument(form)), true, `${name}: not by default`);
      }
    });

    it(`changes nothing for CloudTrail: ${form}`, () => {
      for (const trail of fleet) {
        const delivery = whyNoDelivery(mfaDocument(form), keyDocument(), {
          trailArn: trailArn(trail),
          bucketName,
          bucketAccountId: auditAccountId,
          keyArn,
        });
        assert.deepEqual(delivery.reasons, []);
      }
    });
  }

  it("is not demanded of the named roles of automation, with a path or without; of others it is", () => {
    const other = "arn:aws:sts::111111111111:assumed-role/exporter2/job";
    for (const [name, request] of all) {
      assert.equal(allowed(exporter(request), mfaDocument()), true, name);
      const scanner = as("arn:aws:sts::111111111111:assumed-role/scanner/job", request, mfaExempt[1]);
      assert.equal(allowed(scanner, mfaDocument()), true, name);
      assert.equal(allowed(as(other, request), mfaDocument()), false, name);
      assert.equal(allowed(exporter(request), mfaDocument(undefined, { mfaExemptRoleArns: [] })), false, name);
    }
    // The same name in another account.
    const read = bucketAttacks.memberAccountReads;
    const elsewhere = as("arn:aws:sts::222222222222:assumed-role/exporter/job", read);
    assert.equal(allowed(elsewhere, bucketDocument(undefined, { memberReaders })), true);
    assert.equal(allowed(elsewhere, mfaDocument(undefined, { memberReaders })), false);
  });

  it("is not demanded of AWS's services", () => {
    const service = { kind: "service" as const, service: "logs.example.amazonaws.com" };
    const reads = { ...fromCloudTrail(payments, "s3:GetObject", logObject("222222222222"), {}), caller: service };
    const allow: Statement = {
      Sid: "Service",
      Effect: "Allow",
      Principal: { Service: service.service },
      Action: "s3:GetObject",
      Resource: `${bucketArn}/*`,
    };
    const [deny] = mfaDocument().Statement.filter(({ Sid }) => Sid === "DenyLogAccessWithoutMfa") as [Statement];
    const harsh = { ...deny, Condition: { BoolIfExists: { "aws:MultiFactorAuthPresent": "false" } } };
    assert.equal(allowed(reads, { ...mfaDocument(), Statement: [allow, deny] }), true);
    assert.equal(allowed(reads, { ...mfaDocument(), Statement: [allow, harsh] }), false, "without its condition");
  });

  it("holds for requests without a signature, even where another statement lets everyone read", () => {
    const everyone: Statement = {
      Sid: "Everyone",
      Effect: "Allow",
      Principal: "*",
      Action: "s3:GetObject",
      Resource: `${bucketArn}/*`,
    };
    const opened = { ...mfaDocument(), Statement: [everyone, ...mfaDocument().Statement] };
    assert.equal(allowed(bucketAttacks.anonymousReads, opened), false);
    const loose = loosened(opened).get("DenyLogAccessWithoutMfa BoolIfExists aws:PrincipalIsAWSService");
    assert.equal(allowed(bucketAttacks.anonymousReads, loose as PolicyDocument), true, "without IfExists");
  });

  it("locks nobody out of the bucket: without MFA its policy can be read, changed and removed, and logs be listed", () => {
    for (const action of ["s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:ListBucket"]) {
      const request = fromAccount(auditAccountId, action, bucketArn);
      assert.equal(allowed(request, mfaDocument()), true, action);
      assert.equal(allowed(as("arn:aws:iam::111111111111:root", request), mfaDocument()), true, `${action}, root user`);
    }
  });

  it("is demanded of members that read their own logs, and of readers, too", () => {
    const document = mfaDocument(undefined, { memberReaders });
    const member = bucketAttacks.memberAccountReads;
    assert.equal(allowed(member, document), false);
    assert.equal(allowed(withMfa(member), document), true);
    const reader = as("arn:aws:sts::111111111111:assumed-role/CloudTrailReadRole/me", mfaAttacks.personReadsWithoutMfa);
    assert.equal(allowed(reader, document), false);
    assert.equal(allowed(withMfa(reader), document), true);
  });

  it("guides' Allow with BoolIfExists demands nothing", () => {
    const guide: Statement = {
      Sid: "MFA",
      Effect: "Allow",
      Principal: { AWS: "arn:aws:iam::111111111111:root" },
      Action: "s3:*",
      Resource: `${bucketArn}/*`,
      Condition: { BoolIfExists: { "aws:MultiFactorAuthPresent": "true" } },
    };
    const asGuided = { ...bucketDocument(), Statement: [guide, ...bucketDocument().Statement] };
    for (const [name, request] of all) assert.equal(allowed(request, asGuided), true, name);
  });
});

describe("core/policies/reader", () => {
  const readerArn = "arn:aws:iam::111111111111:role/CloudTrailReadRole";
  const reads = (action: string, resource: string, context: RequestContext = {}) => ({
    caller: { kind: "account" as const, arn: "arn:aws:sts::111111111111:assumed-role/CloudTrailReadRole/me" },
    action,
    resource,
    resourceAccountId: auditAccountId,
    context: { "aws:SecureTransport": "true", ...context },
  });
  const account = { AWS: "arn:aws:iam::111111111111:root" };
  const openKey: PolicyDocument = {
    Version: "2012-10-17",
    Statement: [{ Sid: "Open", Effect: "Allow", Principal: account, Action: "kms:*", Resource: "*" }],
  };
  /** What the role's own policy lets pass: the bucket has no policy, and the key leaves it to IAM. */
  const passes = (request: AccessRequest, identity: object): boolean => {
    const decision = evaluate(request, {
      identityPolicies: [identity as Policy],
      ...(request.action.startsWith("kms:") && { resourcePolicy: openKey }),
    });
    assert.notEqual(decision.reason, "notEvaluated", decision.explanation);
    return decision.allowed;
  };
  const otherBucket = "arn:aws:s3:::example-secrets";
  const otherKey = keyArn.replace("1234abcd", "4321dcba");
  const access = { partition: "aws", bucketName, keyArn } as const;
  const all = readPermissions(access);
  const own = readPermissions({ ...access, accountIds: ["222222222222"] });

  const attacks = {
    readsAnother: reads("s3:GetObject", logObject("333333333333")),
    readsElsewhere: reads("s3:GetObject", `${bucketArn}/elsewhere/x`),
    listsAnother: reads("s3:ListBucket", bucketArn, listing("333333333333")),
    listsAll: reads("s3:ListBucket", bucketArn),
    listsOtherBucket: reads("s3:ListBucket", otherBucket, listing("222222222222")),
    locatesOtherBucket: reads("s3:GetBucketLocation", otherBucket),
    deletes: reads("s3:DeleteObject", logObject("222222222222")),
    opensBucket: reads("s3:PutBucketPolicy", bucketArn, listing("222222222222")),
    decryptsAnother: reads("kms:Decrypt", keyArn, contextOf(web)),
    decryptsOther: reads("kms:Decrypt", keyArn),
    decryptsWithOtherKey: reads("kms:Decrypt", otherKey, contextOf(payments)),
    endsKey: reads("kms:ScheduleKeyDeletion", keyArn, contextOf(payments)),
  };
  const common = {
    "LocateBucket Action": "opensBucket",
    "LocateBucket Resource": "locatesOtherBucket",
    "ListLogs Action": "opensBucket",
    "ListLogs Resource": "listsOtherBucket",
    "ListLogs StringLike s3:prefix": "listsAll",
    "ReadLogs Action": "deletes",
    "ReadLogs Resource": "readsElsewhere",
    "DecryptLogs Action": "endsKey",
    "DecryptLogs Resource": "decryptsWithOtherKey",
  } as const;
  everyPart(
    "permissions to read all logs",
    all,
    { ...common, "DecryptLogs Null kms:EncryptionContext:aws:cloudtrail:arn": "decryptsOther" },
    attacks,
    undefined,
    passes,
  );
  everyPart(
    "permissions to read an account's logs",
    own,
    {
      ...common,
      "ListLogs StringLike s3:prefix": "listsAnother",
      "ReadLogs Resource": "readsAnother",
      "DecryptLogs StringLike kms:EncryptionContext:aws:cloudtrail:arn": "decryptsAnother",
    },
    attacks,
    undefined,
    passes,
  );

  const work = (accountId: string, trail: TrailIdentity) => [
    reads("s3:GetBucketLocation", bucketArn),
    reads("s3:ListBucket", bucketArn, listing(accountId)),
    reads("s3:GetObject", logObject(accountId)),
    reads("kms:Decrypt", keyArn, contextOf(trail)),
  ];
  const readsAll = (identity: object, requests: AccessRequest[]) =>
    requests.map((request) => {
      const resourcePolicy = request.action.startsWith("kms:") ? keyDocument() : bucketDocument();
      return evaluate(request, { identityPolicies: [identity as Policy], resourcePolicy }).allowed;
    });

  it("a role with these permissions reads, with the bucket and key policies as they are deployed", () => {
    const yes = [true, true, true, true];
    assert.deepEqual(readsAll(all, work("222222222222", payments)), yes);
    assert.deepEqual(readsAll(all, work("333333333333", web)), yes);
    assert.deepEqual(readsAll(own, work("222222222222", payments)), yes);
    assert.deepEqual(readsAll(own, work("333333333333", web)), [true, false, false, false]);
  });

  it("without any one of its allows, it does not", () => {
    for (const document of [all, own]) {
      for (const removed of document.Statement) {
        const rest = { ...document, Statement: document.Statement.filter((each) => each !== removed) };
        assert.ok(readsAll(rest, work("222222222222", payments)).includes(false), removed.Sid);
      }
    }
  });

  it("members that may read their own logs do, with the policy that is meant for their users; not another's", () => {
    const bucket = bucketDocument(undefined, { memberReaders });
    const key = keyDocument(undefined, undefined, { memberReaders });
    const as = (caller: string, of: string, trail: TrailIdentity, policies: [PolicyDocument, PolicyDocument]) => {
      const identityPolicies = [memberReadPermissions({ ...access, accountId: caller }) as Policy];
      return work(of, trail)
        .slice(1)
        .map(
          (request) =>
            evaluate(
              { ...request, caller: { kind: "account", arn: `arn:aws:iam::${caller}:user/me` } },
              { identityPolicies, resourcePolicy: policies[request.action.startsWith("kms:") ? 1 : 0] },
            ).allowed,
        );
    };
    assert.deepEqual(as("222222222222", "222222222222", payments, [bucket, key]), [true, true, true]);
    assert.deepEqual(as("333333333333", "333333333333", web, [bucket, key]), [true, true, true]);
    assert.deepEqual(as("333333333333", "222222222222", payments, [bucket, key]), [false, false, false]);
    for (const document of [bucket, key]) {
      eachWithout(document, "Allow", (rest, sid) => {
        if (!sid.startsWith("Members")) return;
        const policies: [PolicyDocument, PolicyDocument] = document === bucket ? [rest, key] : [bucket, rest];
        assert.ok(as("222222222222", "222222222222", payments, policies).includes(false), sid);
      });
    }
  });

  describe("who may assume the role", () => {
    const assumes = (accountId: string, context: RequestContext = {}, action = "sts:AssumeRole") => ({
      ...fromAccount(accountId, action, readerArn, context),
    });
    const mfa = { "aws:MultiFactorAuthPresent": "true" };
    const id = { "sts:ExternalId": "acme/1" };
    const assumed = (request: AccessRequest, trust: object): boolean => {
      const everything: Policy = {
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }],
      };
      const decision = evaluate(request, {
        resourcePolicy: trust as Policy,
        resourceKind: "role",
        identityPolicies: [everything],
      });
      assert.notEqual(decision.reason, "notEvaluated", decision.explanation);
      return decision.allowed;
    };
    const trusted = { partition: "aws", trustedAccounts: ["444444444444"] } as const;
    const trustOf = (more: object = {}) =>
      readerTrust({ ...trusted, trustedAccounts: [...trusted.trustedAccounts], ...more });
    const strict = trustOf({ requireMfa: true, externalId: "acme/1" });

    const trustAttacks = {
      strangerAssumes: assumes("999999999999", { ...mfa, ...id }),
      withMfaSaidToBeFalse: assumes("444444444444", { "aws:MultiFactorAuthPresent": "false", ...id }),
      /** Long-term access keys: the request has no such key at all. */
      withoutMfaKey: assumes("444444444444", id),
      withoutExternalId: assumes("444444444444", mfa),
      withAnotherExternalId: assumes("444444444444", { ...mfa, "sts:ExternalId": "acme/2" }),
      tagsTheSession: assumes("444444444444", { ...mfa, ...id }, "sts:TagSession"),
    };
    everyPart(
      "trust",
      strict,
      {
        "TrustedAccountsAssume Principal": "strangerAssumes",
        "TrustedAccountsAssume Action": "tagsTheSession",
        "TrustedAccountsAssume Bool aws:MultiFactorAuthPresent": "withoutMfaKey",
        "TrustedAccountsAssume StringEquals sts:ExternalId": "withoutExternalId",
      },
      trustAttacks,
      undefined,
      assumed,
    );

    it("the trusted account, as it was asked for", () => {
      assert.equal(assumed(assumes("444444444444", { ...mfa, ...id }), strict), true);
      for (const [name, request] of Object.entries(trustAttacks)) assert.equal(assumed(request, strict), false, name);
      assert.equal(assumed(assumes("444444444444"), trustOf()), true);
      assert.equal(assumed(assumes("999999999999"), trustOf()), false);
      assert.equal(assumed(assumes("444444444444", mfa), trustOf({ requireMfa: true })), true);
      assert.equal(assumed(assumes("444444444444", id), trustOf({ externalId: "acme/1" })), true);
    });

    it("an Allow with BoolIfExists, as guides have it, would not require MFA", () => {
      const [statement] = strict.Statement;
      const { Bool, ...others } = statement?.Condition ?? {};
      const loose = { ...strict, Statement: [{ ...statement, Condition: { ...others, BoolIfExists: Bool } }] };
      assert.equal(assumed(trustAttacks.withoutMfaKey, loose), true);
      assert.equal(assumed(trustAttacks.withoutMfaKey, strict), false);
    });
  });
});

/** Calls `check` with the document without each statement of the effect. */
function eachWithout(
  document: PolicyDocument,
  effect: Statement["Effect"],
  check: (rest: PolicyDocument, sid: string) => void,
): void {
  for (const removed of document.Statement) {
    if (removed.Effect !== effect) continue;
    check({ ...document, Statement: document.Statement.filter((each) => each !== removed) }, removed.Sid);
  }
}

/** A policy of a resource, of an identity, or of a role's trust. */
type AnyDocument = PolicyDocument<Partial<Statement>>;

/** The document with one part of one statement loosened: removed, or widened to everything; a Deny is narrowed. */
function loosened(document: AnyDocument): Map<string, AnyDocument> {
  const all = new Map<string, AnyDocument>();
  document.Statement.forEach((statement, index) => {
    const add = (part: string, changed: Partial<Statement> | undefined) =>
      all.set(`${statement.Sid}${part}`, {
        ...document,
        Statement: document.Statement.flatMap((each, at) => (at !== index ? [each] : changed ? [changed] : [])),
      });
    if (statement.Effect === "Deny") {
      add("", undefined);
      add(" Principal", { ...statement, Principal: { AWS: "arn:aws:iam::999999999999:root" } });
      for (const action of [statement.Action ?? []].flat()) {
        const rest = [statement.Action ?? []].flat().filter((each) => each !== action);
        if (rest.length > 0) add(` Action ${action}`, { ...statement, Action: rest });
        else add(" Action", { ...statement, Action: "s3:GetObject" });
      }
      for (const resource of [statement.Resource ?? []].flat()) {
        // Nothing at all would not be a policy.
        const rest = [statement.Resource ?? []].flat().filter((each) => each !== resource);
        add(` Resource ${resource}`, { ...statement, Resource: rest.length > 0 ? rest : "arn:aws:s3:::another/*" });
      }
      for (const [operator, keys] of Object.entries(statement.Condition ?? {})) {
        if (!operator.endsWith("IfExists")) continue;
        for (const [key, value] of Object.entries(keys)) {
          const others = Object.fromEntries(Object.entries(keys).filter(([each]) => each !== key));
          const strict = { [operator]: others, [operator.replace("IfExists", "")]: { [key]: value } };
          add(` ${operator} ${key}`, { ...statement, Condition: { ...statement.Condition, ...strict } });
        }
      }
      return;
    }
    if (statement.Principal !== undefined) add(" Principal", { ...statement, Principal: "*" });
    add(" Action", { ...statement, Action: "*" });
    if (statement.Resource !== undefined && statement.Resource !== "*")
      add(" Resource", { ...statement, Resource: "*" });
    for (const [operator, keys] of Object.entries(statement.Condition ?? {})) {
      for (const key of Object.keys(keys)) {
        const others = Object.fromEntries(Object.entries(keys).filter(([each]) => each !== key));
        add(` ${operator} ${key}`, { ...statement, Condition: { ...statement.Condition, [operator]: others } });
      }
    }
  });
  return all;
}

/** Each condition of each denial spares something: without the condition, that is refused as well. */
function everyExemption(name: string, document: AnyDocument): void {
  const everyone: Statement = { Sid: "All", Effect: "Allow", Principal: "*", Action: "*", Resource: "*" };
  const passing = (of: AnyDocument) => {
    const open = { ...of, Statement: [...of.Statement, everyone] } as PolicyDocument;
    return Object.keys(legitimate).filter((each) => allowed(legitimate[each] as AccessRequest, open));
  };
  document.Statement.forEach((statement, index) => {
    if (statement.Effect !== "Deny") return;
    for (const [operator, keys] of Object.entries(statement.Condition ?? {})) {
      for (const key of Object.keys(keys)) {
        it(`${name}: ${statement.Sid} spares somebody by ${operator} ${key}`, () => {
          const changed = structuredClone(document);
          const conditions = changed.Statement[index]?.Condition?.[operator];
          delete conditions?.[key];
          const before = passing(document);
          assert.ok(before.includes("cloudTrailWrites") && before.includes("personReadsWithMfa"));
          assert.notDeepEqual(passing(changed), before);
        });
      }
    }
  });
}

describe("core/policies: every statement", () => {
  it("of the bucket's, the key's and the readers' policies has its attacks above", () => {
    const written = ["bucket", "key", "reader"].flatMap((file) => {
      const source = read("core", "policies", `${file}.ts`);
      const sids = [...source.matchAll(/(?:Sid: |write\()["`]([A-Za-z]+)/g)].map(([, sid]) => sid as string);
      // A statement whose id is written in another way would be missed here.
      const statements = [...source.matchAll(/Effect: "/g)].length;
      assert.equal(
        [...source.matchAll(/\bSid: (?!string)/g)].length,
        statements,
        `${file}.ts: a statement without a Sid`,
      );
      return sids;
    });
    assert.deepEqual([...new Set(written)].sort(), [...covered].sort());
  });
});

/** Each part of each statement has an attack that it stops: refused with the part, successful without it. */
function everyPart<Attacks extends Record<string, AccessRequest>>(
  name: string,
  document: AnyDocument,
  purposes: Record<string, keyof Attacks>,
  attacks: Attacks,
  except = /^$/,
  permits: (request: AccessRequest, document: PolicyDocument) => boolean = allowed,
): void {
  for (const { Sid = "" } of document.Statement) covered.add(sidOf(Sid));
  everyExemption(name, document);
  const parts = new Map([...loosened(document)].filter(([part]) => !except.test(part)));
  it(`${name}: every part has an attack`, () => {
    assert.deepEqual([...parts.keys()].sort(), Object.keys(purposes).sort());
  });
  for (const [part, attack] of Object.entries(purposes)) {
    it(`${name}: ${part} stops ${String(attack)}`, () => {
      const request = attacks[attack] as AccessRequest;
      assert.equal(permits(request, document as PolicyDocument), false);
      assert.equal(permits(request, parts.get(part) as PolicyDocument), true);
    });
  }
}
