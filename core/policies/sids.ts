/**
 * What each statement of the archive's policies is for, by its Sid. docs/policies.md is written from here (npm run docs), and a
 * test compares it with the statements that are built.
 */

/** A row of the table. */
export interface StatementNote {
  /** When the statement is there; left out: always. */
  when?: string;
  /** What it allows or denies. */
  what: string;
  /** The attack or mistake that is possible without it. */
  stops: string;
}

/** The kinds of policies, in the order of the page. */
export const PolicyKind = {
  Bucket: "bucket",
  Key: "key",
  CopiesBucket: "copiesBucket",
  AccessLogs: "accessLogs",
  Queue: "queue",
} as const;
export type PolicyKind = (typeof PolicyKind)[keyof typeof PolicyKind];

/** A Sid that ends in an account's ID is listed with `<account>`. */
export const statementNotes: Record<PolicyKind, Record<string, StatementNote>> = {
  bucket: {
    CloudTrailAclCheck: {
      what: "CloudTrail reads the bucket's ACL, for the fleet's trails only",
      stops: "anybody else's trail pointed at this bucket",
    },
    "CloudTrailWrite<account>": {
      when: "form `perTrail`",
      what: "CloudTrail puts objects under `[prefix/]AWSLogs/<account>/`, for that account's trail, with the ACL `bucket-owner-full-control`",
      stops: "a trail of another account, or another trail of the same one, writing into the archive",
    },
    CloudTrailWrite: {
      when: "the other forms",
      what: "the same for all accounts in one statement, as tightly as the form allows",
      stops: "the same, except what the form leaves open (below)",
    },
    NamedTrailsAclCheck: {
      when: "form `organization`, with accounts outside the organization",
      what: "`CloudTrailAclCheck` for the trails of those accounts, by ARN",
      stops: "anybody else's trail pointed at this bucket",
    },
    NamedTrailsWrite: {
      when: "form `organization`, with accounts outside the organization",
      what: "`CloudTrailWrite` for the trails of those accounts, by path and ARN",
      stops: "other trails of those accounts writing into the archive",
    },
    OrganizationTrailAclCheck: {
      when: "`organization` with a trail",
      what: "CloudTrail reads the bucket's ACL for the organization trail, by its ARN; in every form",
      stops: "another organization's trail, or another trail of the management account",
    },
    OrganizationTrailWrite: {
      when: "`organization` with a trail",
      what: "CloudTrail puts objects for the organization trail, under `AWSLogs/<organization>/` and the management account's own path; in every form",
      stops: "another organization's trail, or another trail of the management account",
    },
    MembersListOwnLogs: {
      when: "`memberAccess`",
      what: "the named accounts list their own log folders",
      stops: "an account listing another account's logs",
    },
    MembersReadOwnLogs: {
      when: "`memberAccess`",
      what: "the named accounts read the objects in their own log folders",
      stops: "an account reading another account's logs",
    },
    DenyNestedPrefix: {
      what: "nobody puts an object under `[prefix/]AWSLogs/…AWSLogs/`",
      stops:
        "a trail whose owner chose an S3 prefix inside another account's folder, such as `AWSLogs/<account>/CloudTrail/…`: CloudTrail adds `AWSLogs/` to it, and the path of a grant would cover it",
    },
    DenyLogAccessWithoutMfa: {
      when: "`requireMfa`",
      what: "nobody reads or deletes a log object without MFA, except AWS services and `mfaExemptRoles`",
      stops: "stolen access keys without MFA",
    },
    DenyTampering: {
      when: "`breakGlassRoles`",
      what: "nobody except these roles and AWS services does more than `s3:Get*` and `s3:List*`, on the bucket or its objects",
      stops:
        "an administrator who opens the bucket, ends versioning or retention, removes, forges or hides logs; also with an action that AWS adds later",
    },
    DenyOtherKeys: {
      when: "`denyOtherEncryption`",
      what: "no object that names another KMS key",
      stops: "a member whose trail encrypts with a key that the audit account cannot use",
    },
    DenyOtherEncryption: {
      when: "`denyOtherEncryption`",
      what: "nobody except AWS services names another encryption than SSE-KMS",
      stops: "objects outside the key's control",
    },
    DenyCustomerKeys: {
      when: "`denyOtherEncryption`",
      what: "nobody encrypts with a key of their own (SSE-C)",
      stops: "objects that only their writer can read",
    },
    DenyInsecureTransport: { what: "nobody reads or writes without TLS", stops: "eavesdropping" },
  },
  key: {
    AccountAdministration: {
      what: "the audit account administers the key through IAM, but does not use it ([why](decisions/0002-key-administration-is-listed.md)). With `breakGlassRoles`, only these roles do",
      stops:
        "administrators decrypting logs with `kms:*`; with `breakGlassRoles`, anybody else disabling, deleting or tagging the key, or changing its policy, grants or aliases",
    },
    AccountReadsKey: {
      when: "`breakGlassRoles`",
      what: "everybody in the audit account whom IAM allows to sees the key's settings",
      stops: "previews that fail because the key cannot be read",
    },
    CloudTrailEncrypt: {
      what: "CloudTrail makes data keys for the fleet's trails, with the trail's own encryption context",
      stops: "another trail using the key, or claiming another account's context",
    },
    CloudTrailDescribeKey: {
      what: "CloudTrail looks at the key, for the fleet's trails",
      stops: "another trail being set up with this key",
    },
    CloudTrailDecrypt: {
      when: "`bucketKeyEnabled`",
      what: "CloudTrail decrypts the bucket's own data key, for the fleet's trails",
      stops: "another trail using the bucket's data key",
    },
    NamedTrailsEncrypt: {
      when: "form `organization`, with accounts outside the organization",
      what: "`CloudTrailEncrypt` for the trails of those accounts, by ARN",
      stops: "other trails of those accounts using the key",
    },
    NamedTrailsDescribeKey: {
      when: "form `organization`, with accounts outside the organization",
      what: "`CloudTrailDescribeKey` for the trails of those accounts, by ARN",
      stops: "other trails of those accounts being set up with this key",
    },
    NamedTrailsDecrypt: {
      when: "the same, and `bucketKeyEnabled`",
      what: "`CloudTrailDecrypt` for the trails of those accounts, by ARN",
      stops: "other trails of those accounts using the bucket's data key",
    },
    AccountReadsLogs: {
      what: "principals of the audit account whom IAM allows to decrypt what CloudTrail encrypted, and nothing else",
      stops: "the key being used to decrypt anything but logs",
    },
    MembersDecryptOwnLogs: {
      when: "`memberAccess`",
      what: "the named accounts decrypt the logs of their own trails",
      stops: "an account decrypting another account's logs",
    },
    MembersDecryptOrganizationLogs: {
      when: "`memberAccess` with an organization trail",
      what: "the named accounts decrypt the organization trail's logs in their own folders",
      stops: "an account decrypting another account's logs of the organization trail",
    },
    ReplicationReadsLogs: {
      when: "`replication`",
      what: "the replication role decrypts objects of the log bucket",
      stops: "the role decrypting anything else",
    },
    ReplicationWritesCopies: {
      when: "`replication`, on the key of the copies",
      what: "the replication role encrypts objects of the copies' bucket",
      stops: "the role encrypting anything else",
    },
    AccountReadsCopies: {
      when: "`replication`, on the key of the copies",
      what: "principals of the audit account whom IAM allows to decrypt the copies",
      stops: "the key being used to decrypt anything but copies",
    },
    DenyShortDeletion: {
      what: "nobody has the key deleted in less than 30 days, the longest time that KMS offers",
      stops: "an administrator who destroys all logs at once by destroying their key",
    },
  },
  copiesBucket: {
    DenyOtherCopies: {
      when: "`breakGlassRoles`",
      what: "only these roles and the role that copies have S3 replication write here",
      stops: "an administrator who replicates forged logs from a bucket of their own",
    },
  },
  accessLogs: {
    AccessLogsWrite: {
      what: "S3's logging service writes the log bucket's access logs",
      stops: "access logs of another bucket, or from another account",
    },
  },
  queue: {
    NotificationsSend: {
      what: "S3 sends notifications of the log bucket's new objects",
      stops: "notifications of another bucket, or from another account",
    },
  },
};
