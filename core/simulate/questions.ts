/**
 * The catalogue of the simulation: every question that is put to the archive's policies, and the groups they belong to.
 */

/** Questions that belong together: a column of the table. */
export interface QuestionGroup {
  id: string;
  title: string;
  /** What is expected of all of them. */
  expected: "allow" | "deny";
}

/** The groups, in the order of the table. */
export const questionGroups = [
  { id: "deliver", title: "A trail of the fleet delivers its logs", expected: "allow" },
  { id: "read", title: "The audit account's administrators read the logs", expected: "allow" },
  { id: "own", title: "A member with memberAccess reads its own logs", expected: "allow" },
  { id: "reader", title: "A reader role is assumed as intended and reads its accounts' logs", expected: "allow" },
  {
    id: "upkeep",
    title: "The audit account can repair its policies (and exempt roles need no MFA)",
    expected: "allow",
  },
  { id: "other-trail", title: "Another trail of the same account delivers", expected: "deny" },
  { id: "other-path", title: "A trail writes to another account's path", expected: "deny" },
  { id: "outsider", title: "An account outside the fleet delivers or reads", expected: "deny" },
  { id: "wrong-acl", title: "A log file is written with another ACL", expected: "deny" },
  { id: "plain-http", title: "The archive is used without TLS", expected: "deny" },
  { id: "anonymous", title: "Someone without credentials reads the logs", expected: "deny" },
  {
    id: "read-others",
    title: "A member reads another account's logs, or its own without memberAccess",
    expected: "deny",
  },
  { id: "tamper", title: "A member changes or deletes its own logs", expected: "deny" },
  { id: "beyond", title: "A reader role does more, or is assumed in another way, than intended", expected: "deny" },
  { id: "no-mfa", title: "Logs are read or deleted without MFA although it is required", expected: "deny" },
] as const satisfies QuestionGroup[];
export type GroupId = (typeof questionGroups)[number]["id"];

/** Every question: its group, and what is asked. */
export const questions = {
  "deliver/acl-check": ["deliver", "CloudTrail checks the bucket's ACL for the trail"],
  "deliver/acl-check-arn-only": ["deliver", "CloudTrail checks the bucket's ACL with aws:SourceArn alone"],
  "deliver/log": ["deliver", "CloudTrail writes a log file for the trail, without naming an encryption"],
  "deliver/log-with-key": ["deliver", "CloudTrail writes a log file for the trail, naming the key"],
  "deliver/digest": ["deliver", "CloudTrail writes a digest file for the trail, without naming an encryption"],
  "deliver/digest-with-key": ["deliver", "CloudTrail writes a digest file for the trail, naming the key"],
  "deliver/organization-log": ["deliver", "CloudTrail writes a member's log file for the organization trail"],
  "deliver/organization-log-with-key": [
    "deliver",
    "CloudTrail writes a member's log file for the organization trail, naming the key",
  ],
  "deliver/organization-digest": ["deliver", "CloudTrail writes a member's digest file for the organization trail"],
  "deliver/organization-digest-with-key": [
    "deliver",
    "CloudTrail writes a member's digest file for the organization trail, naming the key",
  ],
  "deliver/describe": ["deliver", "CloudTrail looks the key up for the trail"],
  "deliver/encrypt": ["deliver", "CloudTrail checks that it can encrypt for the trail, with the path of its logs"],
  "deliver/encrypt-file": ["deliver", "CloudTrail encrypts a log file for the trail"],
  "deliver/encrypt-bucket": ["deliver", "CloudTrail encrypts for the trail with an S3 Bucket Key"],
  "deliver/decrypt": ["deliver", "CloudTrail decrypts for the trail, as S3 Bucket Keys need it"],
  "read/object": ["read", "An administrator of the audit account reads a log file"],
  "read/decrypt": ["read", "An administrator of the audit account decrypts a log file"],
  "own/list": ["own", "A member's user lists its own account's log files"],
  "own/object": ["own", "A member's user reads its own account's log file"],
  "own/decrypt": ["own", "A member's user decrypts its own account's log file"],
  "reader/assume": ["reader", "A trusted account assumes the reader role as intended"],
  "reader/list": ["reader", "The reader role lists the log files of an account it is for"],
  "reader/object": ["reader", "The reader role reads a log file of an account it is for"],
  "reader/decrypt": ["reader", "The reader role decrypts a log file of an account it is for"],
  "upkeep/bucket-read": ["upkeep", "An administrator of the audit account without MFA reads the bucket policy"],
  "upkeep/bucket-write": ["upkeep", "An administrator of the audit account without MFA changes the bucket policy"],
  "upkeep/bucket-delete": ["upkeep", "An administrator of the audit account without MFA removes the bucket policy"],
  "upkeep/key-read": ["upkeep", "An administrator of the audit account without MFA reads the key policy"],
  "upkeep/key-write": ["upkeep", "An administrator of the audit account without MFA changes the key policy"],
  "upkeep/exempt-read": ["upkeep", "A role that is exempt from MFA reads a log file without it"],
  "other-trail/acl-check": ["other-trail", "CloudTrail checks the ACL for a trail of another name"],
  "other-trail/log": ["other-trail", "A trail of another name writes a log file"],
  "other-trail/describe": ["other-trail", "CloudTrail looks up the key for a trail of another name"],
  "other-trail/encrypt": ["other-trail", "A trail of another name encrypts a log file"],
  "other-region/acl-check": ["other-trail", "CloudTrail checks the ACL for a trail of another home Region"],
  "other-region/log": ["other-trail", "A trail of the same name and another home Region writes a log file"],
  "other-region/describe": ["other-trail", "CloudTrail looks up the key for a trail of another home Region"],
  "other-region/encrypt": ["other-trail", "A trail of the same name and another home Region encrypts a log file"],
  "other-trail/organization-log": ["other-trail", "A trail of another name writes under the organization's path"],
  "other-path/log": ["other-path", "The trail writes a log file under another account's path"],
  "other-path/organization-log": ["other-path", "The account's own trail writes under the organization's path"],
  "other-path/other-organization-log": [
    "other-path",
    "The organization trail writes under another organization's path",
  ],
  "outsider/acl-check": ["outsider", "CloudTrail checks the ACL for an outsider's trail of the same name"],
  "outsider/log": ["outsider", "An outsider's trail of the same name writes under the account's path"],
  "outsider/own-path": ["outsider", "An outsider's trail of the same name writes under the outsider's own path"],
  "outsider/organization-log": [
    "outsider",
    "An outsider's trail of the same name writes under the organization's path",
  ],
  "outsider/other-organization-log": [
    "outsider",
    "Another organization's trail of the same name writes under that organization's path",
  ],
  "outsider/undeclared-acl-check": [
    "outsider",
    "CloudTrail checks the ACL for an account of the organization that is not in the fleet",
  ],
  "outsider/undeclared-log": [
    "outsider",
    "A trail of the same name of an account of the organization that is not in the fleet delivers",
  ],
  "outsider/undeclared-describe": [
    "outsider",
    "CloudTrail looks up the key for an account of the organization that is not in the fleet",
  ],
  "outsider/undeclared-encrypt": [
    "outsider",
    "A trail of the same name of an account of the organization that is not in the fleet encrypts",
  ],
  "outsider/describe": ["outsider", "CloudTrail looks up the key for an outsider's trail of the same name"],
  "outsider/encrypt": ["outsider", "An outsider's trail of the same name encrypts a log file"],
  "outsider/context": ["outsider", "The trail encrypts in the name of an outsider's trail"],
  "outsider/read": ["outsider", "An administrator of an outsider's account reads a log file"],
  "outsider/decrypt": ["outsider", "An administrator of an outsider's account decrypts a log file"],
  "wrong-acl/public": ["wrong-acl", "The trail writes a log file that everyone may read"],
  "wrong-acl/none": ["wrong-acl", "The trail writes a log file without giving it to the bucket's owner"],
  "plain-http/log": ["plain-http", "The trail writes a log file without TLS"],
  "plain-http/read": ["plain-http", "An administrator of the audit account reads a log file without TLS"],
  "anonymous/read": ["anonymous", "Someone without credentials reads a log file"],
  "anonymous/list": ["anonymous", "Someone without credentials lists the log files"],
  "read-others/object": ["read-others", "A member's administrator reads another account's log file"],
  "read-others/list": ["read-others", "A member's administrator lists another account's log files"],
  "read-others/decrypt": ["read-others", "A member's administrator decrypts another account's log file"],
  "read-others/organization-object": [
    "read-others",
    "A member's administrator reads another account's log file of the organization trail",
  ],
  "read-others/organization-decrypt": [
    "read-others",
    "A member's administrator decrypts another account's log file of the organization trail",
  ],
  "unlisted/list": ["read-others", "The administrator of a member without memberAccess lists its own log files"],
  "unlisted/object": ["read-others", "The administrator of a member without memberAccess reads its own log file"],
  "unlisted/decrypt": ["read-others", "The administrator of a member without memberAccess decrypts its own log file"],
  "tamper/overwrite": ["tamper", "A member's administrator writes a log file of its own account"],
  "tamper/delete": ["tamper", "A member's administrator deletes a log file of its own account"],
  "tamper/delete-version": ["tamper", "A member's administrator deletes a version of a log file of its own account"],
  "tamper/owner-policy": ["tamper", "An administrator without a break-glass role changes the bucket policy"],
  "tamper/owner-versioning": ["tamper", "An administrator without a break-glass role suspends versioning"],
  "tamper/owner-lifecycle": ["tamper", "An administrator without a break-glass role lets all logs expire"],
  "tamper/owner-delete": ["tamper", "An administrator without a break-glass role deletes a version of a log file"],
  "tamper/owner-unlock": ["tamper", "An administrator without a break-glass role lifts the lock of a log file"],
  "beyond/assume-stranger": ["beyond", "An account that is not trusted assumes the reader role"],
  "beyond/assume-no-mfa": ["beyond", "A session without MFA assumes a reader role that requires it"],
  "beyond/assume-keys": ["beyond", "Long-term access keys without MFA assume a reader role that requires it"],
  "beyond/assume-no-id": ["beyond", "A trusted account assumes the reader role without its external id"],
  "beyond/list": ["beyond", "The reader role lists what it is not for"],
  "beyond/object": ["beyond", "The reader role reads what it is not for"],
  "beyond/decrypt": ["beyond", "The reader role decrypts what it is not for"],
  "beyond/write": ["beyond", "The reader role writes a log file"],
  "beyond/delete": ["beyond", "The reader role deletes a log file"],
  "beyond/encrypt": ["beyond", "The reader role encrypts as CloudTrail does"],
  "no-mfa/read": ["no-mfa", "An administrator of the audit account without MFA reads a log file"],
  "no-mfa/read-version": ["no-mfa", "An administrator of the audit account without MFA reads a log file's version"],
  "no-mfa/delete": ["no-mfa", "An administrator of the audit account without MFA deletes a log file"],
  "no-mfa/delete-version": ["no-mfa", "An administrator of the audit account without MFA deletes a log file's version"],
  "no-mfa/keys-read": ["no-mfa", "Long-term access keys of the audit account, without MFA, read a log file"],
  "no-mfa/keys-delete": ["no-mfa", "Long-term access keys of the audit account, without MFA, delete a log file"],
  "no-mfa/member-read": ["no-mfa", "A member's administrator without MFA reads its own log file"],
  "no-mfa/reader": ["no-mfa", "A reader role's session without MFA reads a log file"],
} as const satisfies Record<string, readonly [GroupId, string]>;
export type QuestionId = keyof typeof questions;
