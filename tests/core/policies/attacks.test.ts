import assert from "node:assert/strict";
import type { AccessRequest, PolicyDocument as Policy, RequestContext } from "../../../core/evaluate";
import { evaluate } from "../../../core/evaluate";
import { whyNoDelivery } from "../../../core/simulate";
import type { TrailIdentity } from "../../../core/names";
import { trailArn } from "../../../core/names";
import type { KeyPolicyForm } from "../../../core/policies/key";
import type { BucketPolicyForm, BucketPolicyInput } from "../../../core/policies/bucket";
import { accessLogPolicy, notificationQueuePolicy } from "../../../core/policies/beside";
import { bucketPolicy } from "../../../core/policies/bucket";
import type { PolicyDocument, Statement } from "../../../core/policies/document";
import {
  logGroupKeyPolicy,
  logsRolePermissions,
  logsRoleTrust,
  topicKeyPolicy,
  topicPolicy,
} from "../../../core/policies/delivery";
import { eventDataStoreKeyPolicy } from "../../../core/policies/eventDataStore";
import { keyPolicy } from "../../../core/policies/key";
import { memberReadPermissions, readerTrust, readPermissions } from "../../../core/policies/reader";
import {
  allowed,
  covered,
  deployer,
  eachWithout,
  everyPart,
  fromAccount,
  fromCloudTrail,
  loosened,
} from "../../support/attacks";
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

function logObject(accountId: string): string {
  return `${bucketArn}/AWSLogs/${accountId}/CloudTrail/us-east-1/2026/01/31/x.json.gz`;
}

/** Where CloudTrail writes for a trail of `owner` whose S3 prefix is in the folder of `accountId`. */
function nested(accountId: string, owner: string): string {
  return `${bucketArn}/AWSLogs/${accountId}/CloudTrail/us-east-1/2026/01/31/AWSLogs/${owner}/CloudTrail/us-east-1/2026/01/31/x.json.gz`;
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
  /** The trail's owner chose a prefix that ends in a folder of log files; CloudTrail puts AWSLogs/ behind it. */
  memberNestsPrefix: writes(payments, nested("222222222222", "222222222222")),
  memberNestsPrefixInAnother: writes(payments, nested("333333333333", "222222222222")),
  strangerOfTheSameNameNestsPrefix: writes(strangerOfTheSameName, nested("222222222222", "999999999999")),
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
  /** After the shortest time that AWS has, every log is ciphertext forever. */
  administratorDeletesSoon: fromAccount(auditAccountId, "kms:ScheduleKeyDeletion", keyArn, {
    "kms:ScheduleKeyDeletionPendingWindowInDays": "7",
  }),
};

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
      memberNestsPrefix: forms(),
      memberNestsPrefixInAnother: forms(),
      strangerOfTheSameNameNestsPrefix: forms(),
      memberWritesWithoutAcl: forms(),
      memberDeletes: forms(),
      strangerLooks: forms(),
      strangerOfTheSameNameLooks: forms("trailName", "accountList"),
      unlistedTrailOfMemberLooks: forms(),
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
      administratorDeletesSoon: forms(),
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
    const bucketPurposes: Record<(typeof bucketForms)[number], Purpose<typeof bucketAttacks>> = {
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
        "CloudTrailAclCheck ArnLike aws:SourceArn": "strangerLooks",
        "CloudTrailWrite Principal": "otherServiceWrites",
        "CloudTrailWrite Action": "memberDeletes",
        "CloudTrailWrite Resource": "memberWritesElsewhere",
        "CloudTrailWrite StringEquals aws:SourceAccount": "strangerWrites",
        "CloudTrailWrite StringEquals s3:x-amz-acl": "memberWritesWithoutAcl",
      },
    };
    const denyPurposes: Purpose<typeof bucketAttacks> = {
      DenyNestedPrefix: "memberNestsPrefix",
      "DenyNestedPrefix Principal": "memberNestsPrefix",
      "DenyNestedPrefix Action": "memberNestsPrefix",
      "DenyNestedPrefix Resource arn:aws:s3:::example-logs/AWSLogs/*AWSLogs/*": "memberNestsPrefix",
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
      DenyShortDeletion: "administratorDeletesSoon",
      "DenyShortDeletion Principal": "administratorDeletesSoon",
      "DenyShortDeletion Action": "administratorDeletesSoon",
      "DenyShortDeletion Resource *": "administratorDeletesSoon",
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

describe("core/policies: the archive cannot be tampered with", () => {
  const breakGlassRoleArns = ["arn:aws:iam::111111111111:role/Deploy", "arn:aws:iam::111111111111:role/ops/BreakGlass"];
  const guarded = (form?: BucketPolicyForm, other: Partial<BucketPolicyInput> = {}) =>
    bucketDocument(form, { breakGlassRoleArns, denyOtherEncryption: true, keyArn, ...other });
  const log = logObject("222222222222");
  const administrator = (action: string, resource = bucketArn, context: RequestContext = {}) =>
    fromAccount(auditAccountId, action, resource, context);
  const encryption = "s3:x-amz-server-side-encryption";
  const otherKey = keyArn.replace("1234abcd", "4321dcba");

  const attacks = {
    /** Each of these alone takes the archive's evidence away, or opens it. */
    removesPolicy: administrator("s3:DeleteBucketPolicy"),
    rewritesPolicy: administrator("s3:PutBucketPolicy"),
    suspendsVersioning: administrator("s3:PutBucketVersioning"),
    endsRetention: administrator("s3:PutBucketObjectLockConfiguration"),
    expiresLogsTomorrow: administrator("s3:PutLifecycleConfiguration"),
    changesEncryption: administrator("s3:PutEncryptionConfiguration"),
    copiesLogsElsewhere: administrator("s3:PutReplicationConfiguration"),
    opensBucket: administrator("s3:PutBucketPublicAccessBlock"),
    stopsAccessLogs: administrator("s3:PutBucketLogging"),
    makesRequesterPay: administrator("s3:PutBucketRequestPayment"),
    deletesLog: administrator("s3:DeleteObject", log),
    deletesVersion: administrator("s3:DeleteObjectVersion", log),
    overwritesLog: administrator("s3:PutObject", log),
    shortensRetention: administrator("s3:PutObjectRetention", log),
    liftsLock: administrator("s3:BypassGovernanceRetention", log),
    /** A replication rule of a bucket of one's own: forged current versions, or logs hidden behind delete markers. */
    replicatesForgery: administrator("s3:ReplicateObject", log),
    replicatesDeletion: administrator("s3:ReplicateDelete", log),
    reencryptsLog: administrator("s3:UpdateObjectEncryption", log),
    pausesCopies: administrator("s3:PauseReplication"),
    listsInventoryElsewhere: administrator("s3:PutInventoryConfiguration"),
    /** What AWS adds next year. */
    doesWhatNobodyKnowsYet: administrator("s3:TurnBucketUpsideDown"),
  };
  const encryptions = {
    /** What the audit account could never read. */
    putsWithAnotherKey: administrator("s3:PutObject", log, {
      [`${encryption}-aws-kms-key-id`]: otherKey,
      [encryption]: "aws:kms",
    }),
    putsWithoutKms: administrator("s3:PutObject", log, { [encryption]: "AES256" }),
    putsWithOwnKey: administrator("s3:PutObject", log, { [`${encryption}-customer-algorithm`]: "AES256" }),
    trailWithAnotherKey: writes(payments, log, {
      ...withAcl,
      [encryption]: "aws:kms",
      [`${encryption}-aws-kms-key-id`]: otherKey,
    }),
  };
  const roles = [
    deployer,
    {
      kind: "account" as const,
      arn: "arn:aws:sts::111111111111:assumed-role/BreakGlass/me",
      roleArn: breakGlassRoleArns[1]!,
    },
  ];

  for (const form of bucketForms) {
    it(`nobody changes the bucket or its logs but the named roles: ${form}`, () => {
      for (const [name, request] of Object.entries(attacks)) {
        assert.equal(allowed(request, bucketDocument(form)), true, `${name}: IAM alone decides by default`);
        assert.equal(allowed(request, guarded(form)), false, name);
        for (const caller of roles)
          assert.equal(allowed({ ...request, caller }, guarded(form)), true, `${name}, ${caller.arn}`);
        // A role of the same name with another path, or in another account, is another one.
        const impostor = {
          kind: "account" as const,
          arn: roles[1]!.arn,
          roleArn: "arn:aws:iam::111111111111:role/BreakGlass",
        };
        assert.equal(allowed({ ...request, caller: impostor }, guarded(form)), false, name);
      }
    });

    it(`nobody puts what the archive's key cannot read: ${form}`, () => {
      for (const [name, request] of Object.entries(encryptions)) {
        assert.equal(allowed(request, bucketDocument(form)), true, `${name}: by default`);
        assert.equal(allowed(request, guarded(form, { breakGlassRoleArns: [] })), false, name);
      }
    });

    it(`CloudTrail delivers, with the archive's key, without a word about it, and digests with SSE-S3: ${form}`, () => {
      for (const trail of fleet) {
        const delivery = whyNoDelivery(guarded(form), keyDocument(), {
          trailArn: trailArn(trail),
          bucketName,
          bucketAccountId: auditAccountId,
          keyArn,
        });
        assert.deepEqual(delivery.reasons, []);
      }
      const digest = log.replace("/CloudTrail/", "/CloudTrail-Digest/");
      assert.equal(allowed(writes(payments, digest, { ...withAcl, [encryption]: "AES256" }), guarded(form)), true);
    });
  }

  const purposes = {
    DenyTampering: "removesPolicy",
    "DenyTampering Principal": "removesPolicy",
    "DenyTampering NotAction": "removesPolicy",
    [`DenyTampering Resource ${bucketArn}`]: "removesPolicy",
    [`DenyTampering Resource ${bucketArn}/*`]: "overwritesLog",
    DenyOtherKeys: "trailWithAnotherKey",
    "DenyOtherKeys Principal": "trailWithAnotherKey",
    "DenyOtherKeys Action": "trailWithAnotherKey",
    [`DenyOtherKeys Resource ${bucketArn}/*`]: "trailWithAnotherKey",
    DenyOtherEncryption: "deployerPutsWithoutKms",
    "DenyOtherEncryption Principal": "deployerPutsWithoutKms",
    "DenyOtherEncryption Action": "deployerPutsWithoutKms",
    [`DenyOtherEncryption Resource ${bucketArn}/*`]: "deployerPutsWithoutKms",
    DenyCustomerKeys: "deployerPutsWithOwnKey",
    "DenyCustomerKeys Principal": "deployerPutsWithOwnKey",
    "DenyCustomerKeys Action": "deployerPutsWithOwnKey",
    [`DenyCustomerKeys Resource ${bucketArn}/*`]: "deployerPutsWithOwnKey",
  } as const;
  const grants = Object.keys(Object.fromEntries(loosened(bucketDocument()))).map((part) => part.split(" ")[0]);
  everyPart(
    "statements against tampering",
    guarded(),
    purposes,
    {
      ...attacks,
      ...encryptions,
      deployerPutsWithoutKms: { ...encryptions.putsWithoutKms, caller: roles[0]! },
      deployerPutsWithOwnKey: { ...encryptions.putsWithOwnKey, caller: roles[0]! },
    },
    // The other statements have their attacks above. Every signed request says whether it is a service's; see below.
    new RegExp(`^(${[...new Set(grants)].join("|")})( |$)|BoolIfExists aws:PrincipalIsAWSService`),
  );

  it("holds for requests without a signature, even where another statement lets everyone write", () => {
    const everyone: Statement = {
      Sid: "Everyone",
      Effect: "Allow",
      Principal: "*",
      Action: "s3:*",
      Resource: `${bucketArn}/*`,
    };
    const opened = { ...guarded(), Statement: [everyone, ...guarded().Statement] };
    const anonymous = { ...attacks.deletesLog, caller: { kind: "anonymous" as const } };
    assert.equal(allowed(anonymous, opened), false);
    const loose = loosened(opened).get("DenyTampering BoolIfExists aws:PrincipalIsAWSService");
    assert.equal(allowed(anonymous, loose as PolicyDocument), true, "without IfExists");
    const puts = { ...encryptions.putsWithoutKms, caller: anonymous.caller };
    const alone = { ...guarded(undefined, { breakGlassRoleArns: [] }) };
    const openedToPuts = { ...alone, Statement: [everyone, ...alone.Statement] };
    assert.equal(allowed(puts, openedToPuts), false);
    const looser = loosened(openedToPuts).get("DenyOtherEncryption BoolIfExists aws:PrincipalIsAWSService");
    assert.equal(allowed(puts, looser as PolicyDocument), true, "without IfExists");
  });

  it("everyone may still look", () => {
    for (const action of [
      "s3:GetBucketPolicy",
      "s3:GetBucketVersioning",
      "s3:GetLifecycleConfiguration",
      "s3:ListBucket",
    ]) {
      assert.equal(allowed(administrator(action), guarded()), true, action);
    }
    assert.equal(allowed(administrator("s3:GetObject", log), guarded()), true);
  });
});

describe("core/policies: beside the log bucket", () => {
  const logsArn = "arn:aws:s3:::example-access-logs";
  const queueArn = "arn:aws:sqs:us-east-1:111111111111:example-logs-new-logs";
  const source = { partition: "aws", sourceBucketName: bucketName, accountId: auditAccountId } as const;
  const accessLogs = accessLogPolicy({ ...source, bucketName: "example-access-logs" });
  const queue = notificationQueuePolicy({ ...source, queueArn });
  const from = (service: string, action: string, resource: string, context: RequestContext = {}) => ({
    caller: { kind: "service" as const, service },
    action,
    resource,
    resourceAccountId: auditAccountId,
    context: {
      "aws:SourceArn": bucketArn,
      "aws:SourceAccount": auditAccountId,
      "aws:SecureTransport": "true",
      ...context,
    },
  });
  const logs = (context?: RequestContext, key = `${bucketName}/2026-01-31-00-00-00-ABC`, action = "s3:PutObject") =>
    from("logging.s3.amazonaws.com", action, `${logsArn}/${key}`, context);
  const tells = (context?: RequestContext, action = "sqs:SendMessage", resource = queueArn) =>
    from("s3.amazonaws.com", action, resource, context);
  const otherBucket = { "aws:SourceArn": "arn:aws:s3:::another-bucket" };
  const otherAccount = { "aws:SourceAccount": "999999999999" };

  it("S3 writes the log bucket's access logs, and tells the queue of its new objects", () => {
    assert.equal(allowed(logs(), accessLogs), true);
    assert.equal(allowed(tells(), queue), true);
  });

  const transport = (where: string[], plain: string) =>
    Object.fromEntries(
      ["", " Principal", " Action", ...where.map((each) => ` Resource ${each}`)].map((part) => [
        `DenyInsecureTransport${part}`,
        plain,
      ]),
    );
  everyPart(
    "the bucket for access logs",
    accessLogs,
    {
      "AccessLogsWrite Principal": "otherService",
      "AccessLogsWrite Action": "deletes",
      "AccessLogsWrite Resource": "elsewhere",
      "AccessLogsWrite ArnLike aws:SourceArn": "ofAnotherBucket",
      "AccessLogsWrite StringEquals aws:SourceAccount": "ofAnotherAccount",
      ...transport([`${logsArn}/*`], "withoutTls"),
      [`DenyInsecureTransport Resource ${logsArn}`]: "listsWithoutTls",
    },
    {
      otherService: { ...logs(), caller: otherService },
      deletes: logs({}, undefined, "s3:DeleteObject"),
      elsewhere: logs({}, "another-bucket/x"),
      ofAnotherBucket: logs(otherBucket),
      ofAnotherAccount: logs(otherAccount),
      withoutTls: logs(withoutTls),
      listsWithoutTls: fromAccount(auditAccountId, "s3:ListBucket", logsArn, withoutTls),
    },
  );
  everyPart(
    "the queue for notifications",
    queue,
    {
      "NotificationsSend Principal": "otherService",
      "NotificationsSend Action": "reads",
      "NotificationsSend ArnLike aws:SourceArn": "ofAnotherBucket",
      "NotificationsSend StringEquals aws:SourceAccount": "ofAnotherAccount",
      ...transport([queueArn], "withoutTls"),
    },
    {
      otherService: { ...tells(), caller: otherService },
      reads: tells({}, "sqs:ReceiveMessage"),
      ofAnotherBucket: tells(otherBucket),
      ofAnotherAccount: tells(otherAccount),
      withoutTls: tells(withoutTls),
    },
    // A queue's policy is about that queue.
    /^NotificationsSend Resource$/,
  );
});

describe("core/policies: the key and what stands beside the bucket, with break-glass roles", () => {
  const breakGlassRoleArns = ["arn:aws:iam::111111111111:role/Deploy", "arn:aws:iam::111111111111:role/ops/BreakGlass"];
  const source = {
    partition: "aws",
    sourceBucketName: bucketName,
    accountId: auditAccountId,
    breakGlassRoleArns,
  } as const;
  const logsArn = "arn:aws:s3:::example-access-logs";
  const copiesArn = "arn:aws:s3:::example-copies";
  const queueArn = "arn:aws:sqs:us-east-1:111111111111:example-logs-new-logs";
  const replicationRoleArn = "arn:aws:iam::111111111111:role/CrosstrailReplication";
  const replication = {
    kind: "account" as const,
    arn: "arn:aws:sts::111111111111:assumed-role/CrosstrailReplication/s3-replication",
  };
  const accessLogs = accessLogPolicy({ ...source, bucketName: "example-access-logs" });
  const queue = notificationQueuePolicy({ ...source, queueArn });
  const copies = bucketDocument(undefined, {
    bucketName: "example-copies",
    trails: [],
    breakGlassRoleArns,
    replicationRoleArn,
  });
  const by = (action: string, resource: string, caller: AccessRequest["caller"] | undefined = undefined) => {
    const request = fromAccount(auditAccountId, action, resource);
    return caller ? { ...request, caller } : request;
  };
  const breakGlass = {
    kind: "account" as const,
    arn: "arn:aws:sts::111111111111:assumed-role/BreakGlass/me",
    roleArn: breakGlassRoleArns[1]!,
  };
  // Only what keeps others out; the statements that allow, and TLS, have their attacks above.
  const others = /^(?!Deny(Tampering|OtherCopies))|BoolIfExists aws:PrincipalIsAWSService/;

  everyPart(
    "the guarded bucket for access logs",
    accessLogs,
    {
      DenyTampering: "hidesAccess",
      "DenyTampering Principal": "hidesAccess",
      "DenyTampering NotAction": "hidesAccess",
      [`DenyTampering Resource ${logsArn}`]: "expires",
      [`DenyTampering Resource ${logsArn}/*`]: "hidesAccess",
    },
    { hidesAccess: by("s3:DeleteObject", `${logsArn}/x`), expires: by("s3:PutLifecycleConfiguration", logsArn) },
    others,
  );
  everyPart(
    "the guarded queue for notifications",
    queue,
    {
      DenyTampering: "redirects",
      "DenyTampering Principal": "redirects",
      "DenyTampering NotAction": "redirects",
      [`DenyTampering Resource ${queueArn}`]: "redirects",
    },
    { redirects: by("sqs:SetQueueAttributes", queueArn) },
    others,
  );
  everyPart(
    "the guarded bucket of copies",
    copies,
    {
      DenyTampering: "removesPolicy",
      "DenyTampering Principal": "removesPolicy",
      "DenyTampering NotAction": "removesPolicy",
      [`DenyTampering Resource ${copiesArn}`]: "removesPolicy",
      [`DenyTampering Resource ${copiesArn}/*`]: "deletesCopy",
      DenyOtherCopies: "forgesCopy",
      "DenyOtherCopies Principal": "forgesCopy",
      "DenyOtherCopies Action s3:ReplicateObject": "forgesCopy",
      "DenyOtherCopies Action s3:ReplicateTags": "forgesTags",
      [`DenyOtherCopies Resource ${copiesArn}/*`]: "forgesCopy",
    },
    {
      removesPolicy: by("s3:DeleteBucketPolicy", copiesArn),
      deletesCopy: by("s3:DeleteObjectVersion", `${copiesArn}/x`),
      forgesCopy: by("s3:ReplicateObject", `${copiesArn}/x`),
      forgesTags: by("s3:ReplicateTags", `${copiesArn}/x`),
    },
    others,
  );

  it("the role that copies may copy, and nothing else: somebody who takes it over changes nothing", () => {
    for (const action of ["s3:ReplicateObject", "s3:ReplicateTags"])
      assert.equal(allowed(by(action, `${copiesArn}/x`, replication), copies), true, action);
    for (const action of ["s3:ReplicateDelete", "s3:PutObject", "s3:DeleteObjectVersion", "s3:PutObjectRetention"])
      assert.equal(allowed(by(action, `${copiesArn}/x`, replication), copies), false, action);
    assert.equal(allowed(by("s3:PutBucketPolicy", copiesArn, replication), copies), false);
  });

  it("who consumes the notifications still does, and nobody else sends any", () => {
    for (const action of ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"])
      assert.equal(allowed(by(action, queueArn), queue), true, action);
    for (const action of [
      "sqs:SendMessage",
      "sqs:PurgeQueue",
      "sqs:DeleteQueue",
      "sqs:AddPermission",
      "sqs:TagQueue",
    ]) {
      assert.equal(allowed(by(action, queueArn), queue), false, action);
      assert.equal(allowed(by(action, queueArn, breakGlass), queue), true, action);
    }
  });

  it("SQS takes 7 actions in a statement", () => {
    for (const { Sid, Action, NotAction } of queue.Statement) {
      assert.ok([Action ?? [], NotAction ?? []].flat().length <= 7, Sid);
    }
  });

  const keyOf = (form: KeyPolicyForm) => keyDocument(form, fleet, { breakGlassRoleArns });
  const dangerous = [
    "CancelKeyDeletion",
    "CreateAlias",
    "DeleteAlias",
    "DisableKey",
    "DisableKeyRotation",
    "EnableKey",
    "PutKeyPolicy",
    "ReplicateKey",
    "RevokeGrant",
    "RotateKeyOnDemand",
    "ScheduleKeyDeletion",
    "TagResource",
    "UntagResource",
    "UpdateAlias",
    "UpdateKeyDescription",
    "UpdatePrimaryRegion",
  ];
  for (const form of keyForms) {
    it(`nobody administers the key but the named roles, and everybody of the account sees its settings: ${form}`, () => {
      for (const action of dangerous) {
        const request = by(`kms:${action}`, keyArn);
        assert.equal(allowed(request, keyDocument(form)), true, `${action}: IAM alone decides by default`);
        assert.equal(allowed(request, keyOf(form)), false, action);
        for (const caller of [deployer, breakGlass])
          assert.equal(allowed({ ...request, caller }, keyOf(form)), true, action);
        // A role of the same name with another path, one of another account, and the root user are others.
        for (const arn of [
          "arn:aws:iam::111111111111:role/BreakGlass",
          "arn:aws:iam::222222222222:role/Deploy",
          "arn:aws:iam::111111111111:root",
        ])
          assert.equal(
            allowed({ ...request, caller: { kind: "account", arn } }, keyOf(form)),
            false,
            `${action}, ${arn}`,
          );
      }
      for (const action of [
        "CreateGrant",
        "DeleteImportedKeyMaterial",
        "ImportKeyMaterial",
        "GenerateDataKey",
        "Encrypt",
      ])
        assert.equal(allowed(by(`kms:${action}`, keyArn, breakGlass), keyOf(form)), false, action);
      for (const action of ["DescribeKey", "GetKeyPolicy", "GetKeyRotationStatus", "ListResourceTags"])
        assert.equal(allowed(by(`kms:${action}`, keyArn), keyOf(form)), true, action);
      const logOf = { "kms:EncryptionContext:aws:cloudtrail:arn": trailArn(payments) };
      assert.equal(allowed(fromAccount(auditAccountId, "kms:Decrypt", keyArn, logOf), keyOf(form)), true);
    });
  }
  everyPart(
    "the guarded key",
    keyOf("trailList"),
    {
      "AccountAdministration Principal": "foreignRoleOfTheSameArn",
      "AccountAdministration Action": "breakGlassGrants",
      "AccountAdministration ArnEquals aws:PrincipalArn": "disablesKey",
      "AccountReadsKey Principal": "strangerLooks",
      "AccountReadsKey Action": "disablesKey",
    },
    {
      disablesKey: by("kms:DisableKey", keyArn),
      breakGlassGrants: by("kms:CreateGrant", keyArn, breakGlass),
      strangerLooks: fromAccount("999999999999", "kms:GetKeyPolicy", keyArn),
      // No such caller exists; it shows that the principal is the account, whatever the condition says.
      foreignRoleOfTheSameArn: {
        ...fromAccount("999999999999", "kms:DisableKey", keyArn, { "aws:PrincipalArn": breakGlassRoleArns[0] }),
      },
    },
    /^(AccountReadsLogs|CloudTrail|Deny)/,
  );
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

describe("core/policies: where a trail delivers besides S3", () => {
  const home = payments;
  const group = "arn:aws:logs:us-east-1:222222222222:log-group:trail";
  const deliveries = "arn:aws:sns:us-east-1:222222222222:deliveries";
  const ownKey = "arn:aws:kms:us-east-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab";
  const owned = <Request extends object>(request: Request) => ({ ...request, resourceAccountId: "222222222222" });
  const byCloudTrail = (trail: TrailIdentity, action: string, resource: string, context: RequestContext = {}) =>
    owned(fromCloudTrail(trail, action, resource, context));
  const byAccount = (accountId: string, action: string, resource: string, context: RequestContext = {}) =>
    owned(fromAccount(accountId, action, resource, context));
  const withoutSource = { "aws:SourceArn": undefined };

  describe("the role that writes to the log group", () => {
    const role = "arn:aws:iam::222222222222:role/logs";
    const assumes = (trail: TrailIdentity, context: RequestContext = {}, action = "sts:AssumeRole") =>
      byCloudTrail(trail, action, role, context);
    const assumed = (request: AccessRequest, trust: object) => {
      const decision = evaluate(request, { resourcePolicy: trust as Policy, resourceKind: "role" });
      assert.notEqual(decision.reason, "notEvaluated", decision.explanation);
      return decision.allowed;
    };
    const trust = logsRoleTrust([payments]);
    const attacks = {
      /** Somebody else's trail names our role, and CloudTrail would write their events to our group. */
      strangerOfUnknownTrailAssumes: assumes(stranger, withoutSource),
      unlistedTrailAssumes: assumes(unlistedTrail),
      otherServiceAssumes: { ...assumes(payments), caller: otherService },
      tagsTheSession: assumes(payments, {}, "sts:TagSession"),
    };
    everyPart(
      "trust",
      trust,
      {
        "CloudTrailAssumes Principal": "otherServiceAssumes",
        "CloudTrailAssumes Action": "tagsTheSession",
        "CloudTrailAssumes StringEqualsIfExists aws:SourceArn": "unlistedTrailAssumes",
        "CloudTrailAssumes StringEqualsIfExists aws:SourceAccount": "strangerOfUnknownTrailAssumes",
      },
      attacks,
      undefined,
      assumed,
    );
    it("CloudTrail assumes it for the trail, whether or not it says for which one", () => {
      assert.equal(assumed(assumes(payments), trust), true);
      assert.equal(assumed(assumes(payments, { ...withoutSource, "aws:SourceAccount": undefined }), trust), true);
    });

    const inRole = (request: AccessRequest, identity: object) =>
      evaluate(request, { identityPolicies: [identity as Policy] }).allowed;
    const writesTo = (stream: string, action = "logs:PutLogEvents") =>
      byAccount("222222222222", action, `${group}:log-stream:${stream}`);
    const permissions = logsRolePermissions(home, "trail", "o-a1b2c3d4e5");
    const streamAttacks = {
      writesToAnotherStream: writesTo("application"),
      writesAsAnotherAccount: writesTo("999999999999_CloudTrail_us-east-1"),
      writesAsAnotherOrganization: writesTo("o-ffffffffff_CloudTrail_us-east-1"),
      deletesStream: writesTo("222222222222_CloudTrail_us-east-1", "logs:DeleteLogStream"),
    };
    everyPart(
      "permissions",
      permissions,
      { "WriteLogStreams Action": "deletesStream", "WriteLogStreams Resource": "writesToAnotherStream" },
      streamAttacks,
      undefined,
      inRole,
    );
    it("the account's and the organization's streams, and no other", () => {
      for (const action of ["logs:CreateLogStream", "logs:PutLogEvents"]) {
        assert.equal(inRole(writesTo("222222222222_CloudTrail_us-east-1_2", action), permissions), true);
        const ofMember = writesTo("o-a1b2c3d4e5_333333333333_CloudTrail_us-east-1", action);
        assert.equal(inRole(ofMember, permissions), true);
        assert.equal(inRole(ofMember, logsRolePermissions(home, "trail")), false);
      }
      for (const [name, request] of Object.entries(streamAttacks))
        assert.equal(inRole(request, permissions), false, name);
    });
  });

  const logs = { kind: "service" as const, service: "logs.us-east-1.amazonaws.com" };
  const ofGroup = (arn: string) => ({ "kms:EncryptionContext:aws:logs:arn": arn });
  const byLogs = (action: string, context: RequestContext) => ({
    ...byAccount("222222222222", action, ownKey, context),
    caller: logs,
  });
  const logGroupKey = logGroupKeyPolicy(home);
  const logGroupKeyAttacks = {
    administratorDecrypts: byAccount("222222222222", "kms:Decrypt", ownKey, ofGroup(group)),
    administratorGrants: byAccount("222222222222", "kms:CreateGrant", ownKey),
    strangerAdministers: byAccount("999999999999", "kms:PutKeyPolicy", ownKey),
    otherServiceDecrypts: { ...byLogs("kms:Decrypt", ofGroup(group)), caller: otherService },
    /** Another account associates its group with our key. */
    otherGroupEncrypts: byLogs("kms:GenerateDataKey", ofGroup("arn:aws:logs:us-east-1:999999999999:log-group:trail")),
    logsGrant: byLogs("kms:CreateGrant", ofGroup(group)),
  };
  const administration = {
    "AccountAdministration Principal": "strangerAdministers",
    "AccountAdministration Action": "administratorGrants",
  } as const;
  everyPart(
    "the log group's key",
    logGroupKey,
    {
      ...administration,
      "CloudWatchLogsEncrypts Principal": "otherServiceDecrypts",
      "CloudWatchLogsEncrypts Action": "logsGrant",
      "CloudWatchLogsEncrypts ArnLike kms:EncryptionContext:aws:logs:arn": "otherGroupEncrypts",
    },
    logGroupKeyAttacks,
  );
  it("the log group's key: CloudWatch Logs uses it for the group, and nobody else does", () => {
    for (const action of ["Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo"]) {
      assert.equal(allowed(byLogs(`kms:${action}`, ofGroup(group)), logGroupKey), true, action);
    }
    for (const [name, request] of Object.entries(logGroupKeyAttacks)) {
      assert.equal(allowed(request, logGroupKey), false, name);
    }
  });

  const publishes = (trail: TrailIdentity, context: RequestContext = {}, resource = deliveries) =>
    byCloudTrail(trail, "sns:Publish", resource, context);
  const topic = topicPolicy(deliveries, [payments]);
  const topicAttacks = {
    strangerPublishes: publishes(stranger),
    withoutSaying: publishes(payments, withoutSource),
    otherServicePublishes: { ...publishes(payments), caller: otherService },
    subscribes: byCloudTrail(payments, "sns:Subscribe", deliveries),
    publishesElsewhere: publishes(payments, {}, `${deliveries}-2`),
    publishesWithoutTls: publishes(payments, withoutTls),
  };
  everyPart(
    "the topic",
    topic,
    {
      "CloudTrailPublishes Principal": "otherServicePublishes",
      "CloudTrailPublishes Action": "subscribes",
      "CloudTrailPublishes Resource": "publishesElsewhere",
      "CloudTrailPublishes StringEquals aws:SourceArn": "strangerPublishes",
      DenyInsecureTransport: "publishesWithoutTls",
      "DenyInsecureTransport Principal": "publishesWithoutTls",
      "DenyInsecureTransport Action": "publishesWithoutTls",
      [`DenyInsecureTransport Resource ${deliveries}`]: "publishesWithoutTls",
    },
    topicAttacks,
  );
  it("the topic: CloudTrail publishes for the trail", () => {
    assert.equal(allowed(publishes(payments), topic), true);
    for (const [name, request] of Object.entries(topicAttacks)) assert.equal(allowed(request, topic), false, name);
  });

  const topicKey = topicKeyPolicy(home, [payments]);
  const topicKeyAttacks = {
    administratorGrants: byAccount("222222222222", "kms:CreateGrant", ownKey),
    strangerAdministers: byAccount("999999999999", "kms:PutKeyPolicy", ownKey),
    strangerEncrypts: byCloudTrail(stranger, "kms:GenerateDataKey", ownKey),
    otherServiceDecrypts: { ...byCloudTrail(payments, "kms:Decrypt", ownKey), caller: otherService },
    cloudTrailGrants: byCloudTrail(payments, "kms:CreateGrant", ownKey),
  };
  everyPart(
    "the topic's key",
    topicKey,
    {
      ...administration,
      "CloudTrailEncrypts Principal": "otherServiceDecrypts",
      "CloudTrailEncrypts Action": "cloudTrailGrants",
      "CloudTrailEncrypts StringEqualsIfExists aws:SourceArn": "strangerEncrypts",
    },
    topicKeyAttacks,
  );
  it("the topic's key: CloudTrail encrypts for the trail, whether or not it says for which one", () => {
    for (const context of [{}, withoutSource]) {
      for (const action of ["kms:GenerateDataKey", "kms:Decrypt"]) {
        assert.equal(allowed(byCloudTrail(payments, action, ownKey, context), topicKey), true);
      }
    }
  });

  describe("an event data store's key", () => {
    const analyst = "arn:aws:iam::111111111111:role/analyst";
    const open = eventDataStoreKeyPolicy({ partition: "aws", accountId: auditAccountId });
    const restricted = eventDataStoreKeyPolicy({ partition: "aws", accountId: auditAccountId, roleArns: [analyst] });
    const as = (arn: string, action: string) => ({
      ...fromAccount(auditAccountId, action, keyArn),
      caller: { kind: "account" as const, arn },
    });
    const byService = (action: string) => ({
      ...fromCloudTrail(payments, action, keyArn, { ...withoutSource, "aws:SourceAccount": undefined }),
    });
    const attacks = {
      administratorGrants: fromAccount(auditAccountId, "kms:CreateGrant", keyArn),
      analystGrants: as(analyst, "kms:CreateGrant"),
      strangerAdministers: fromAccount("999999999999", "kms:PutKeyPolicy", keyArn),
      strangerDecrypts: fromAccount("999999999999", "kms:Decrypt", keyArn),
      otherServiceDecrypts: { ...byService("kms:Decrypt"), caller: otherService },
      cloudTrailGrants: byService("kms:CreateGrant"),
      administratorDecrypts: fromAccount(auditAccountId, "kms:Decrypt", keyArn),
    };
    const use = {
      ...administration,
      "CloudTrailUses Principal": "otherServiceDecrypts",
      "CloudTrailUses Action": "cloudTrailGrants",
    } as const;
    everyPart(
      "for whom IAM lets",
      open,
      { ...use, "UsersQuery Principal": "strangerDecrypts", "UsersQuery Action": "administratorGrants" },
      attacks,
    );
    everyPart(
      "for named roles",
      restricted,
      {
        ...use,
        "UsersQuery Action": "analystGrants",
        "UsersQuery ArnEquals aws:PrincipalArn": "administratorDecrypts",
      },
      attacks,
      // Its principal is the account; whom the condition lets through is of no other one.
      /^UsersQuery Principal$/,
    );
    it("CloudTrail, which does not say for whom, and those who query", () => {
      for (const action of ["kms:GenerateDataKey", "kms:Decrypt"]) {
        assert.equal(allowed(byService(action), restricted), true);
        assert.equal(allowed(as(analyst, action), restricted), true);
        assert.equal(allowed(fromAccount(auditAccountId, action, keyArn), open), true);
      }
      assert.equal(allowed(byService("kms:DescribeKey"), restricted), true);
    });
    it("a named role needs its account's IAM policies as well", () => {
      const request = as(analyst, "kms:Decrypt");
      assert.equal(evaluate(request, { resourcePolicy: restricted, identityPolicies: [] }).allowed, false);
    });
  });
});

describe("core/policies: every statement", () => {
  it("of every policy has its attacks above", () => {
    const written = ["beside", "bucket", "delivery", "eventDataStore", "guard", "key", "reader"].flatMap((file) => {
      const source = read("core", "policies", `${file}.ts`);
      const named = /(?:Sid: |denyAllBut\(|write\(|aclCheck\(|deny\(|decrypt\(|statement\()\s*["`]([A-Za-z]+)/g;
      const sids = [...source.matchAll(named)].map(([, sid]) => sid as string);
      // The key's grants to CloudTrail are written once for each kind of trail.
      for (const [, subject] of source.matchAll(/grants\("([A-Za-z]+)"/g)) {
        for (const [, what] of source.matchAll(/grant\("([A-Za-z]+)"/g)) sids.push(`${subject}${what}`);
      }
      // A statement whose id is written in another way would be missed here.
      const statements = [...source.matchAll(/Effect: "/g)].length;
      assert.equal(
        // A statement that is another one with another Sid has no effect of its own.
        [...source.matchAll(/(?<!\.\.\.all, )\bSid: (?!string)/g)].length,
        statements,
        `${file}.ts: a statement without a Sid`,
      );
      return sids;
    });
    // Those of an organization have theirs in organization.test.ts.
    const here = (sids: Iterable<string>) =>
      [...new Set(sids)].filter((sid) => !/^(OrganizationTrail|NamedTrails)|OrganizationLogs$/.test(sid)).sort();
    assert.deepEqual(here(written), here(covered));
  });
});
