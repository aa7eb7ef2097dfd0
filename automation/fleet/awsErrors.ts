/**
 * What AWS's errors mean for a fleet, by their codes. The codes are those of the service models for the operations that the
 * components' resources use; tests/automation/fleet/awsErrors.test.ts takes them from there, so that none passes through raw.
 * Sources: the API references of CloudTrail, KMS, S3, CloudWatch Logs, IAM, SNS, SQS and STS.
 */
import type { Finding } from "../../core/findings";
import { ExitCode } from "../output";

/** What is known of a failed operation. */
export interface AwsFailure {
  /** The stack, which is also the member's alias. */
  stack: string;
  code: string;
  /** AWS's own words behind the code. */
  words: string;
  /** The service and the call, where the provider says so: `CloudTrail: CreateTrail`. */
  call?: string;
}

interface Known {
  id: Finding["id"];
  exitCode?: ExitCode;
  message: string;
  remedy: string | ((failure: AwsFailure) => string);
}

const adopt = ({ stack }: AwsFailure): string =>
  [
    "To take it over without changing it, with credentials of that account:",
    "pulumi stack output --json -s <audit stack> > audit.json",
    `crosstrail adopt --contract audit.json --alias ${stack} --cwd .`,
    "Or give the trail of this stack another name with trailName in the audit stack's configuration.",
  ].join("\n");
const again = ({ stack }: AwsFailure): string => `Repeat it in some minutes: crosstrail up --only ${stack}`;
const organizationSteps =
  "crosstrail:enableTrustedAccess: true, and crosstrail:enableAllFeatures: true where it is needed, in the management stack's configuration turn it on; docs/organizations.md has the commands for doing it by hand.";
const auditFirst = ({ stack }: AwsFailure): string =>
  ["crosstrail up --only <audit stack>", `crosstrail up --only ${stack}`].join("\n");
const newName = (key: string) => `Choose another name with crosstrail:${key}, or remove what has this one.`;
const correctValue = ({ stack }: AwsFailure): string =>
  `Correct the value that it names in the configuration of ${stack}. If Crosstrail should have refused it, please report it.`;

const table: Record<string, Known> = {};
function define(codes: string, known: Known): void {
  for (const code of codes.split(" ")) table[code] = known;
}

// Something already exists.
define("TrailAlreadyExistsException", {
  id: "trail/exists",
  message: "The account has a trail of this name already, which this stack has not made.",
  remedy: adopt,
});
define("AlreadyExistsException", {
  id: "key/alias-taken",
  message: "The account has a key alias of this name already: another audit stack's, or one made by hand.",
  remedy: "Choose another one with crosstrail:keyAlias, such as crosstrail-2, in the audit stack's configuration.",
});
define("BucketAlreadyExists", {
  id: "bucket/name-taken",
  message: "A bucket of this name belongs to somebody else; names are shared by all AWS accounts of the partition.",
  remedy:
    "Choose another name with crosstrail:bucketName, crosstrail:accessLogBucket or bucketName of crosstrail:replication.",
});
define("BucketAlreadyOwnedByYou", {
  id: "bucket/exists",
  message: "The account has this bucket already, and this stack has not made it.",
  remedy:
    "Choose another name. If an earlier audit stack made it and was destroyed, it holds that archive's logs: crosstrail policy bucket prints the policy that lets the fleet deliver to a bucket that is there.",
});
define("EntityAlreadyExistsException EntityAlreadyExists", {
  id: "role/exists",
  message: "The account has a role of this name already, and this stack has not made it.",
  remedy:
    "Choose another name: name of crosstrail:readers, or roleName of crosstrail:replication. Or remove that role.",
});
define("ResourceAlreadyExistsException", {
  id: "logs/group-exists",
  message: "The account has a log group of this name already: AWS keeps one after its stack has left it.",
  remedy: newName("cloudWatchLogs.groupName"),
});
define("EventDataStoreAlreadyExistsException", {
  id: "store/exists",
  message: "The account has an event data store of this name already.",
  remedy: newName("eventDataStore.name"),
});
define("QueueNameExists QueueAlreadyExists AWS.SimpleQueueService.QueueNameExists", {
  id: "queue/exists",
  message: "The account has a queue of this name already, with other settings.",
  remedy: "Remove that queue, or choose another kind of crosstrail:notifications.",
});
define("QueueDeletedRecently AWS.SimpleQueueService.QueueDeletedRecently", {
  id: "queue/deleted-recently",
  message: "A queue of this name was deleted less than a minute ago; SQS waits for 60 seconds.",
  remedy: again,
});

// Limits.
define("MaximumNumberOfTrailsExceededException", {
  id: "trail/too-many",
  message:
    "The Region has five trails already, those of an organization and of other Regions included; AWS has no more.",
  remedy: (failure) =>
    `List them with aws cloudtrail describe-trails, and delete one that nobody needs. To take one of them over:\n${adopt(failure).split("\n").slice(1, 3).join("\n")}`,
});
define("LimitExceededException LimitExceeded TopicLimitExceeded TooManyBuckets OverLimit", {
  id: "aws/limit",
  message: "The account has as many of these as AWS lets it have.",
  remedy: "Raise the quota (aws service-quotas), or delete what nobody needs; then repeat the command.",
});
define("TagsLimitExceededException TagLimitExceeded TagLimitExceededException TooManyTagsException TooManyTags", {
  id: "aws/tags",
  message: "The resource would have more tags than AWS lets it have, with those that were set beside Pulumi.",
  remedy: "Remove some from crosstrail:tags, or from the resource.",
});
define("TagException TagPolicy TagPolicyException InvalidTagParameterException InvalidTag StaleTag", {
  id: "aws/tags",
  message: "AWS refuses a tag, by its own rules or by a tag policy of the organization.",
  remedy:
    "Correct crosstrail:tags by what AWS says; aws organizations describe-effective-policy --policy-type TAG_POLICY shows the tag policy.",
});
define("EventDataStoreMaxLimitExceededException", {
  id: "store/too-many",
  message:
    "The account has as many event data stores as AWS lets it have, those that wait for their deletion included.",
  remedy: "Remove crosstrail:eventDataStore, or delete another store and wait for seven days.",
});

// The organization.
define("OrganizationsNotInUseException AWSOrganizationsNotInUseException", {
  id: "organization/none",
  message: "The account is in no organization.",
  remedy:
    "Deploy the management stack in the organization's management account, or set crosstrail:isOrganizationTrail: false.",
});
define("NotOrganizationMasterAccountException NotOrganizationManagementAccountException", {
  id: "organization/not-management",
  message: "The account neither manages the organization nor is its delegated administrator for CloudTrail.",
  remedy: "Deploy the management stack in the management account: correct crosstrail:accountId and the credentials.",
});
define("OrganizationNotInAllFeaturesModeException", {
  id: "organization/all-features",
  message: "The organization has only consolidated billing on; an organization's trail needs all features.",
  remedy: organizationSteps,
});
define(
  "CloudTrailAccessNotEnabledException NoManagementAccountSLRExistsException InsufficientDependencyServiceAccessPermissionException InsufficientIAMAccessPermissionException",
  {
    id: "organization/trusted-access",
    message:
      "CloudTrail is not trusted in the organization yet, or its service-linked role is missing or may not be made.",
    remedy: organizationSteps,
  },
);
define(
  "AccountRegisteredException AccountNotFoundException AccountNotRegisteredException DelegatedAdminAccountLimitExceededException CannotDelegateManagementAccountException",
  {
    id: "organization/delegated-administrator",
    message: "AWS refuses this delegated administrator for CloudTrail.",
    remedy:
      "Correct crosstrail:delegatedAdministrator: a member account of the organization, at most three of them. aws organizations list-delegated-administrators --service-principal cloudtrail.amazonaws.com shows those that there are.",
  },
);

// A trail, and what it needs.
define("InvalidHomeRegionException", {
  id: "trail/home-region",
  message: "A trail can be changed in its home Region only, and this one's is another.",
  remedy:
    "Set aws:region of the stack, or homeRegion in the audit stack's configuration, back to the trail's home Region.",
});
define("InvalidTrailNameException CloudTrailARNInvalidException TrailNotProvidedException", {
  id: "trail/name",
  message: "CloudTrail refuses the trail's name.",
  remedy: "Correct trailName in the audit stack's configuration.",
});
define(
  "TrailNotFoundException ResourceNotFoundException NoSuchEntityException NoSuchEntity NotFoundException NotFound",
  {
    id: "aws/gone",
    message: "AWS no longer has a resource that the stack has in its state: somebody has removed it beside Pulumi.",
    remedy: ({ stack }) =>
      [
        "Find out who (the call is in the logs), then let Pulumi see it, and make it again:",
        `crosstrail up --refresh --only ${stack}`,
      ].join("\n"),
  },
);
define("S3BucketDoesNotExistException NoSuchBucket InvalidS3BucketNameException InvalidS3PrefixException", {
  id: "trail/bucket",
  message: "The log bucket that the trail delivers to is not there, or its name or prefix is not accepted.",
  remedy: auditFirst,
});
define(
  "KmsKeyNotFoundException KmsKeyDisabledException KmsException InvalidKmsKeyIdException DisabledException KMSInvalidStateException KMSInvalidMacException KMS.DisabledException",
  {
    id: "trail/key",
    message: "The key is not there, is disabled, waits for its deletion, or is in another Region than the bucket.",
    remedy:
      "Look at it in the audit account: aws kms describe-key --key-id <keyArn of the audit stack's outputs>. A key that waits for its deletion can be kept: aws kms cancel-key-deletion, then aws kms enable-key. Without it no log that it encrypted can be read.",
  },
);
define(
  "InvalidCloudWatchLogsLogGroupArnException InvalidCloudWatchLogsRoleArnException CloudWatchLogsDeliveryUnavailableException",
  {
    id: "trail/cloudwatch-logs",
    message:
      "CloudTrail cannot deliver to the log group: its role may be new and not known everywhere, or one of the two is not there.",
    remedy: again,
  },
);
define("InsufficientSnsTopicPolicyException InvalidSnsTopicNameException", {
  id: "trail/topic",
  message: "CloudTrail may not publish to the topic, or it is not there.",
  remedy: ({ stack }) => `crosstrail up --refresh --only ${stack} writes the topic's policy again.`,
});
define("InvalidEventSelectorsException InvalidInsightSelectorsException", {
  id: "trail/selectors-refused",
  message:
    "CloudTrail refuses the event selectors: a resource type, an event source or a kind of Insights that it does not have in this Region.",
  remedy: ({ stack }) =>
    `Correct crosstrail:events or the selectors in the configuration of ${stack}; docs/events.md has the limits.`,
});
define("InvalidParameterCombinationException", {
  id: "trail/combination",
  message: "CloudTrail does not take these options together.",
  remedy: correctValue,
});

// An event data store.
define("EventDataStoreNotFoundException EventDataStoreARNInvalidException InactiveEventDataStoreException", {
  id: "store/inactive",
  message: "The event data store is gone, or waits for its deletion.",
  remedy:
    "Within seven days: aws cloudtrail restore-event-data-store --event-data-store <eventDataStore of the audit stack's outputs>. Otherwise crosstrail up --refresh, which makes a new one.",
});
define(
  "EventDataStoreTerminationProtectedException EventDataStoreHasOngoingImportException EventDataStoreFederationEnabledException ChannelExistsForEDSException",
  {
    id: "store/in-use",
    message: "The event data store is protected, is being imported into, is federated, or has a channel.",
    remedy:
      "End that first; of a store that may go, set keep: false in crosstrail:eventDataStore and bring the stack up before.",
  },
);

// Policies.
define("MalformedPolicyDocumentException MalformedPolicyDocument MalformedPolicy MalformedPolicyException", {
  id: "policy/refused",
  message: "AWS refuses a policy: most often it names a role or user that is not there, or not known everywhere yet.",
  remedy: ({ stack }) =>
    `Check the roles that the configuration of ${stack} names; of a role that was just made, repeat the command in a minute.`,
});
define("UnmodifiableEntityException", {
  id: "role/not-ours",
  message: "The role is a service's own, and only that service changes it.",
  remedy: "Choose another role name.",
});
define("DeleteConflictException DeleteConflict", {
  id: "role/in-use",
  message: "The role has policies that were attached beside Pulumi, and IAM deletes no such role.",
  remedy: "Detach them (aws iam list-attached-role-policies, aws iam list-role-policies), and repeat the command.",
});
define("InvalidBucketState", {
  id: "bucket/state",
  message:
    "The bucket's present state does not allow it: with MFA Delete on, S3 takes no lifecycle rules; with Object Lock on, versioning stays on.",
  remedy:
    "crosstrail mfa-delete says whether MFA Delete is on, and how the root user switches it off; then repeat the command.",
});
define("BucketNotEmpty", {
  id: "bucket/not-empty",
  message: "The bucket holds logs, and S3 deletes no bucket that holds something.",
  remedy:
    "To keep the logs: crosstrail:keepArchive: true. To give them up, empty the bucket first, all versions included.",
});

// Who may, and from where.
define("AuthorizationError AuthorizationErrorException UnauthorizedOperation AccessDenied AccessDeniedException", {
  id: "aws/denied",
  exitCode: ExitCode.Authentication,
  message: "The credentials may not do this.",
  remedy: ({ stack }) =>
    [
      "AWS's words name the action, and whether a policy denies it: a service control policy of the organization, a permissions boundary, or the bucket's break-glass roles. The role that deploys needs what this prints:",
      `crosstrail roles ${stack} ...`,
    ].join("\n"),
});
define("AccountProblem NotSignedUp OptInRequired PendingVerification AccountSuspended", {
  id: "account/closed",
  exitCode: ExitCode.Authentication,
  message: "The account is closed, suspended or not yet set up, or the Region is not enabled in it.",
  remedy: closedAccount,
});

// Passing troubles.
define(
  "ConflictException OperationAborted OperationAbortedException ConcurrentModificationException ConcurrentModification ConcurrentAccess ConcurrentAccessException",
  {
    id: "aws/conflict",
    exitCode: ExitCode.Deployment,
    message: "Another change of the same resource is under way in AWS.",
    remedy: again,
  },
);
define(
  "ServiceUnavailableException ServiceUnavailable ServiceFailureException ServiceFailure InternalError InternalErrorException InternalFailure InternalServerError KMSInternalException DependencyTimeoutException RequestTimeout RequestTimeoutException",
  {
    id: "aws/unavailable",
    exitCode: ExitCode.Deployment,
    message: "AWS could not answer; the trouble is its own, and passes.",
    remedy: again,
  },
);

// Values.
define(
  "InvalidParameterException InvalidParameter InvalidParameterValue InvalidParameterValueException InvalidInputException InvalidInput InvalidArnException InvalidAliasNameException ValidationError ValidationException InvalidArgument InvalidRequest InvalidBucketName InvalidAttributeName InvalidAttributeValue InvalidSecurity UnsupportedOperationException UnsupportedOperation OperationNotPermittedException ResourceTypeNotSupportedException MalformedXML InvalidLocationConstraint IllegalLocationConstraintException KeyUnavailableException",
  {
    id: "aws/value",
    message: "AWS refuses a value, or what it is asked to do is not possible in this Region or account.",
    remedy: correctValue,
  },
);

/** The way on when an account can no longer be accessed. */
export function closedAccount({ stack }: Pick<AwsFailure, "stack">): string {
  return [
    "If the account was closed, AWS removes its trail, and its logs stay in the archive. Forget its stack:",
    `pulumi stack rm --force -s ${stack}`,
    "then remove the account from crosstrail:members, and bring up the audit stack.",
  ].join("\n");
}

/** The codes that have an answer of their own. */
export const knownCodes: readonly string[] = Object.keys(table);

/** The first error of AWS in what the engine says, if one is known. */
export function awsFailure(stack: string, text: string): AwsFailure | undefined {
  // As the SDKs write it: `api error Code: words`, `, Code: words`, or `Code: words` at the beginning of a line.
  for (const match of text.matchAll(/(?<=^|[\s,:])[A-Z][A-Za-z0-9]*(?:\.[A-Z][A-Za-z0-9]*)*(?=:(?:\s|$)|\s*$)/gm)) {
    const [code] = match;
    if (!Object.hasOwn(table, code)) continue;
    const [words = ""] = text.slice(match.index + code.length + 1).split("\n");
    const before = text.slice(Math.max(0, match.index - 300), match.index);
    const [, service, operation] = [...before.matchAll(/operation error ([\w ]+): (\w+)/g)].at(-1) ?? [];
    return {
      stack,
      code,
      words: words
        .replace(/\s*provider=\S+\s*$/, "")
        .replace(/: *$/, "")
        .trim(),
      ...(service !== undefined && { call: `${service}: ${operation}` }),
    };
  }
  return undefined;
}

/** What it means, and what to do. */
export function explainAws(failure: AwsFailure): { exitCode: ExitCode; findings: Finding[] } {
  const { id, exitCode = ExitCode.Deployment, message, remedy } = table[failure.code] as Known;
  const { code, words, call, stack } = failure;
  const said = `AWS says${call === undefined ? "" : ` (${call})`}: ${code}${words === "" ? "" : `: ${words}`}`;
  return {
    exitCode,
    findings: [
      {
        id,
        severity: "error",
        subject: stack,
        message: `${message}\n${said}`,
        remedy: typeof remedy === "string" ? remedy : remedy(failure),
      },
    ],
  };
}
