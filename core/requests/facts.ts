/**
 * What AWS puts into the requests that the archive's policies decide: each condition key, for each kind of caller, with what
 * AWS documents about it. What is known of one request only (its trail, its ACL, its encryption context) is in the request's
 * own `context`; see cloudTrail.ts and people.ts.
 */
import { viaS3 } from "../names";
import { partitionOf } from "../accounts";
import type { Caller, UnknownValue } from "../evaluate/types";
import type { Membership, World } from "./world";
import { membershipOf } from "./world";

/**
 * Who asks: a service in its own name (CloudTrail, S3's log delivery), an IAM principal of an account (a person, a reader role,
 * the role that S3 replicates with), or nobody.
 */
export type Asker = "service" | "principal" | "anonymous";

/** The request that a fact is about. */
export interface About {
  readonly world: World;
  readonly caller: Caller;
  readonly accountId?: string;
  /** For a request of a service: the account on whose behalf, whose trail it is. */
  readonly sourceAccountId?: string;
  readonly action: string;
  readonly resource: string;
  readonly resourceAccountId: string;
}

/** What a request has: its values, that they are unknown, or `undefined` when it does not have the key. */
export type Answer = readonly string[] | UnknownValue | undefined;
type Fact = (about: About) => Answer;

/** A condition key. */
export interface KeyFacts {
  /** As AWS writes it; with a `*` at the end it stands for all keys that start so. */
  readonly key: string;
  /** The services to whose requests it belongs. Left out: all. */
  readonly of?: "s3" | "kms" | "sts";
  /** When the key is there, in short, by the page. */
  readonly availability: string;
  readonly source: string;
  readonly facts: Readonly<Record<Asker, Fact>>;
}

const iam = (anchor: string) =>
  `https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-${anchor}`;
const s3Page = "https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html";
const kmsPage = (anchor: string) =>
  `https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-${anchor}`;
const stsPage = (anchor: string) =>
  `https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#ck_${anchor}`;

const never: Fact = () => undefined;
const known =
  (...values: string[]): Fact =>
  () =>
    values;

/** What a person does about a key whose value they may know. */
export const give = "give its value with --context <key>=<value>";
const documentedNowhere =
  "AWS documents no value of it for services; to let services through, add a condition on aws:PrincipalIsAWSService";
const unknown =
  (presence: UnknownValue["presence"], more: Omit<UnknownValue, "presence"> = { hint: give }): Fact =>
  () => ({ presence, ...more });
const always = unknown("always");
const maybe = unknown("maybe");

const all = (fact: Fact): KeyFacts["facts"] => ({ service: fact, principal: fact, anonymous: fact });

export const declareOrganization =
  "declare crosstrail:organization and which accounts are in it, or give its value with --context <key>=<value>";

/** The id of an account's organization: there "only if the account is a member of an organization". */
function idOf(membership: Membership): Answer {
  if (membership === "none") return undefined;
  if (membership === "unknown") return { presence: "maybe", startsWith: "o-", hint: declareOrganization };
  if ("id" in membership) return [membership.id];
  return { presence: "maybe", startsWith: "o-", except: [membership.not], hint: give };
}

/** Where an account is in its organization: `o-.../r-.../ou-.../`. */
function pathsOf(membership: Membership): Answer {
  if (membership === "none") return undefined;
  if (membership === "unknown") return { presence: "maybe", startsWith: "o-", hint: declareOrganization };
  if ("id" in membership) return { presence: "always", startsWith: `${membership.id}/r-`, hint: give };
  return { presence: "maybe", startsWith: "o-", hint: give };
}

const orgOfPrincipal =
  (answer: (membership: Membership) => Answer): Fact =>
  ({ world, accountId }) =>
    answer(membershipOf(world, accountId));
const orgOfSource =
  (answer: (membership: Membership) => Answer): Fact =>
  ({ world, sourceAccountId }) =>
    answer(membershipOf(world, sourceAccountId));
const orgOfResource =
  (answer: (membership: Membership) => Answer): Fact =>
  ({ world, resourceAccountId }) =>
    answer(membershipOf(world, resourceAccountId));

const regionOf: Fact = ({ world, resource }) => {
  const region = /^arn:[^:]*:kms:/.test(resource) ? resource.split(":")[3] : world.region;
  return region === undefined || region === ""
    ? { presence: "always", hint: "the bucket's Region is not known here" }
    : [region];
};

const isRoot = ({ caller }: About) => caller.arn?.endsWith(":root") === true;

/** S3 asks KMS on CloudTrail's behalf for files; AWS does not say who asks when a trail is created. */
const viaS3OrDirect: Fact = ({ resource }) => {
  const region = resource.split(":")[3] ?? "";
  return { presence: "maybe", oneOf: [viaS3(partitionOf(region) ?? "aws", region)], hint: documentedNowhere };
};

const isKms = ({ action }: About) => /^kms:/i.test(action);
const isPut = ({ action }: About) => /^s3:putobject$/i.test(action);
const inPut =
  (fact: Fact): Fact =>
  (about) =>
    isPut(about) ? fact(about) : undefined;
const inAction =
  (actions: RegExp, fact: Fact): Fact =>
  (about) =>
    actions.test(about.action) ? fact(about) : undefined;

const encrypting = /^kms:(encrypt|generatedatakey.*|reencrypt.*)$/i;

const vpcOnly = "Only if the requester uses a VPC endpoint; not shown for requests of AWS services";
const throughEndpoint = { service: never, principal: maybe, anonymous: maybe };
const temporary = { service: never, principal: maybe, anonymous: never };
const role = {
  service: never,
  principal: (about: About) => (isRoot(about) ? undefined : maybe(about)),
  anonymous: never,
};

const servicesCalls = "Only in calls that a service makes in its own name";
const directOnly = "Only when a service calls on behalf of a principal; requests of this kind are direct";

/** A header that CloudTrail would need another permission for, or that contradicts the ACL that it sends. */
const sentByPeople = (availability: string, key: string): KeyFacts => ({
  key,
  of: "s3",
  availability,
  source: s3Page,
  facts: { service: never, principal: inPut(maybe), anonymous: inPut(maybe) },
});
const sentByAnyone = (
  availability: string,
  key: string,
  service: Fact = inPut(unknown("maybe", { hint: documentedNowhere })),
): KeyFacts => ({
  key,
  of: "s3",
  availability,
  source: s3Page,
  facts: { service, principal: inPut(maybe), anonymous: inPut(maybe) },
});

/**
 * The table. Where a page says "always" or "for all requests", the key is there for every kind of caller, even where the page
 * says nothing about its value.
 */
export const keyFacts: readonly KeyFacts[] = [
  // The principal.
  {
    key: "aws:PrincipalArn",
    availability: "In all signed requests; of an IAM role, user, federated user or root user, so not of a service",
    source: iam("principalarn"),
    facts: { service: never, principal: always, anonymous: never },
  },
  {
    key: "aws:PrincipalAccount",
    availability: "In all requests, also anonymous ones",
    source: iam("principalaccount"),
    facts: {
      service: unknown("always", { hint: documentedNowhere }),
      principal: ({ accountId }) => (accountId === undefined ? { presence: "always", hint: give } : [accountId]),
      anonymous: known("anonymous"),
    },
  },
  {
    key: "aws:PrincipalType",
    availability: "In all requests, also anonymous ones",
    source: iam("principaltype"),
    facts: {
      service: unknown("always", { hint: documentedNowhere }),
      principal: always,
      anonymous: known("Anonymous"),
    },
  },
  {
    key: "aws:userid",
    availability: "In all requests, also anonymous ones",
    source: iam("userid"),
    facts: {
      service: unknown("always", { hint: documentedNowhere }),
      principal: (about) => (isRoot(about) && about.accountId !== undefined ? [about.accountId] : always(about)),
      anonymous: known("anonymous"),
    },
  },
  {
    key: "aws:username",
    availability: "Always for IAM users; not for roles, the root user and anonymous requests",
    source: iam("username"),
    facts: {
      service: never,
      // A named user's name follows from its ARN.
      principal: ({ caller }) => (caller.arn === undefined ? { presence: "maybe", hint: give } : undefined),
      anonymous: never,
    },
  },
  {
    key: "aws:PrincipalOrgID",
    availability: "Only if the principal is a member of an organization; not for services",
    source: iam("principalorgid"),
    facts: { service: never, principal: orgOfPrincipal(idOf), anonymous: never },
  },
  {
    key: "aws:PrincipalOrgPaths",
    availability: "Only if the principal is a member of an organization; not for services",
    source: iam("principalorgpaths"),
    facts: { service: never, principal: orgOfPrincipal(pathsOf), anonymous: never },
  },
  {
    key: "aws:PrincipalTag/*",
    availability: "If the user or role has the tag",
    source: iam("principaltag"),
    facts: { service: never, principal: maybe, anonymous: never },
  },
  {
    key: "aws:PrincipalIsAWSService",
    availability: "In all signed requests",
    source: iam("principalisawsservice"),
    facts: { service: known("true"), principal: known("false"), anonymous: never },
  },
  {
    key: "aws:PrincipalServiceName",
    availability: servicesCalls,
    source: iam("principalservicename"),
    facts: { service: ({ caller }) => [caller.service ?? ""], principal: never, anonymous: never },
  },
  {
    key: "aws:PrincipalServiceNamesList",
    availability: servicesCalls,
    source: iam("principalservicenameslist"),
    facts: { service: ({ caller }) => [caller.service ?? ""], principal: never, anonymous: never },
  },
  // The session.
  ...(
    [
      ["aws:TokenIssueTime", "tokenissuetime", "Only with temporary credentials"],
      ["aws:MultiFactorAuthAge", "multifactorauthage", "Only with temporary credentials"],
      ["aws:MultiFactorAuthPresent", "multifactorauthpresent", "Only with temporary credentials"],
      ["aws:SignInSessionArn", "signinsessionarn", "Only in a sign-in session"],
    ] as const
  ).map(([key, anchor, availability]) => ({ key, availability, source: iam(anchor), facts: temporary })),
  ...(
    [
      ["aws:SourceIdentity", "sourceidentity", "After a source identity has been set"],
      ["aws:FederatedProvider", "federatedprovider", "In sessions of an OpenID Connect provider"],
      ["aws:Ec2InstanceSourceVpc", "ec2instancesourcevpc", "With credentials of an EC2 instance's role"],
      ["aws:Ec2InstanceSourcePrivateIPv4", "ec2instancesourceprivateip4", "With credentials of an EC2 instance's role"],
      ["ec2:RoleDelivery", "ec2-role-delivery", "With credentials of an EC2 instance's role"],
      ["ec2:SourceInstanceArn", "ec2-source-instance-arn", "With credentials of an EC2 instance's role"],
      ["lambda:SourceFunctionArn", "lambda-source-function-arn", "With credentials of a Lambda function"],
      ["ssm:SourceInstanceArn", "ssm-source-instance-arn", "With credentials of a managed instance"],
      ["codebuild:BuildArn", "codebuild-build-arn", "In sessions of CodeBuild"],
      ["codebuild:ProjectArn", "codebuild-project-arn", "In sessions of CodeBuild"],
      ["glue:RoleAssumedBy", "glue-role-assumed-by", "In sessions of AWS Glue"],
      ["glue:CredentialIssuingService", "glue-credential-issuing", "In sessions of AWS Glue"],
      ["identitystore:UserId", "identity-store-user-id", "For users of IAM Identity Center"],
    ] as const
  ).map(([key, anchor, availability]) => ({ key, availability, source: iam(anchor), facts: role })),
  {
    key: "aws:AssumedRoot",
    availability: "Only with credentials from AssumeRoot, which are a root user's",
    source: iam("assumedroot"),
    facts: { service: never, principal: (about) => (isRoot(about) ? maybe(about) : undefined), anonymous: never },
  },
  // The network.
  {
    key: "aws:SourceIp",
    availability: "In all requests but those through a VPC endpoint; calls between services may not show it",
    source: iam("sourceip"),
    facts: { service: unknown("maybe", { hint: documentedNowhere }), principal: maybe, anonymous: maybe },
  },
  ...["SourceVpc", "SourceVpcArn", "SourceVpce", "VpceAccount", "VpceOrgID", "VpceOrgPaths", "VpcSourceIp"].map(
    (name) => ({
      key: `aws:${name}`,
      availability: vpcOnly,
      source: iam(name.toLowerCase()),
      facts: throughEndpoint,
    }),
  ),
  // The resource.
  {
    key: "aws:ResourceAccount",
    availability: "Always, for S3's and KMS's actions",
    source: iam("resourceaccount"),
    facts: all(({ resourceAccountId }) => [resourceAccountId]),
  },
  {
    key: "aws:ResourceOrgID",
    availability: "Only if the account that owns the resource is in an organization",
    source: iam("resourceorgid"),
    facts: all(orgOfResource(idOf)),
  },
  {
    key: "aws:ResourceOrgPaths",
    availability: "Only if the account that owns the resource is in an organization",
    source: iam("resourceorgpaths"),
    facts: all(orgOfResource(pathsOf)),
  },
  {
    key: "aws:ResourceTag/*",
    availability: "If the resource has the tag, for actions that support it",
    source: iam("resourcetag"),
    facts: all(maybe),
  },
  // The request.
  ...(["CurrentTime", "EpochTime"] as const).map((name) => ({
    key: `aws:${name}`,
    availability: "Always",
    source: iam(name.toLowerCase()),
    facts: all(always),
  })),
  { key: "aws:RequestedRegion", availability: "Always", source: iam("requestedregion"), facts: all(regionOf) },
  {
    key: "aws:SecureTransport",
    availability: "Always; CloudTrail delivers over TLS, and KMS answers to nothing else",
    source: iam("securetransport"),
    facts: all(known("true")),
  },
  {
    key: "aws:ViaAWSService",
    availability: "Always; false for direct requests",
    source: iam("viaawsservice"),
    facts: {
      service: (about) =>
        isKms(about) ? { presence: "always", oneOf: ["true", "false"], hint: documentedNowhere } : ["false"],
      principal: known("false"),
      anonymous: known("false"),
    },
  },
  ...["CalledVia", "CalledViaFirst", "CalledViaLast"].map((name) => ({
    key: `aws:${name}`,
    availability: directOnly,
    source: iam(name.toLowerCase()),
    facts: all(never),
  })),
  {
    key: "aws:SourceArn",
    availability: servicesCalls,
    source: iam("sourcearn"),
    facts: { service: unknown("always", { hint: documentedNowhere }), principal: never, anonymous: never },
  },
  {
    key: "aws:SourceAccount",
    availability: servicesCalls,
    source: iam("sourceaccount"),
    facts: {
      service: ({ sourceAccountId }) =>
        sourceAccountId === undefined ? { presence: "always", hint: documentedNowhere } : [sourceAccountId],
      principal: never,
      anonymous: never,
    },
  },
  {
    key: "aws:SourceOrgID",
    availability: `${servicesCalls}, if the source's account is in an organization`,
    source: iam("sourceorgid"),
    facts: { service: orgOfSource(idOf), principal: never, anonymous: never },
  },
  {
    key: "aws:SourceOrgPaths",
    availability: `${servicesCalls}, if the source's account is in an organization`,
    source: iam("sourceorgpaths"),
    facts: { service: orgOfSource(pathsOf), principal: never, anonymous: never },
  },
  ...(
    [
      ["aws:Referer", "referer", "If the requester sends it; anybody can send anything"],
      ["aws:UserAgent", "useragent", "If the requester sends it; anybody can send anything"],
    ] as const
  ).map(([key, anchor, availability]) => ({
    key,
    availability,
    source: iam(anchor),
    facts: { service: unknown("maybe", { hint: documentedNowhere }), principal: maybe, anonymous: maybe },
  })),
  ...(
    [
      ["aws:RequestTag/*", "requesttag"],
      ["aws:TagKeys", "tag-keys"],
    ] as const
  ).map(([key, anchor]) => ({
    key,
    availability: "In requests that pass tags",
    source: iam(anchor),
    facts: {
      service: never,
      principal: inAction(/^(sts:assumerole|kms:(un)?tagresource|kms:createkey)$/i, maybe),
      anonymous: never,
    },
  })),

  // S3.
  {
    key: "s3:ResourceAccount",
    of: "s3",
    availability: "Always: the account that owns the bucket",
    source: s3Page,
    facts: all(({ resourceAccountId }) => [resourceAccountId]),
  },
  {
    key: "s3:TlsVersion",
    of: "s3",
    availability: "In requests over TLS; AWS's endpoints take TLS 1.2 and later",
    source: s3Page,
    facts: all(unknown("always", { oneOf: ["1.2", "1.3"], hint: give })),
  },
  {
    key: "s3:authType",
    of: "s3",
    availability: "In signed requests: REST-HEADER, REST-QUERY-STRING or POST",
    source: s3Page,
    facts: {
      service: unknown("always", { oneOf: ["REST-HEADER", "REST-QUERY-STRING", "POST"], hint: documentedNowhere }),
      principal: unknown("always", { oneOf: ["REST-HEADER", "REST-QUERY-STRING", "POST"], hint: give }),
      anonymous: never,
    },
  },
  {
    key: "s3:signatureversion",
    of: "s3",
    availability: "In signed requests: AWS or AWS4-HMAC-SHA256",
    source: s3Page,
    facts: {
      service: unknown("always", { hint: documentedNowhere }),
      principal: always,
      anonymous: never,
    },
  },
  {
    key: "s3:signatureAge",
    of: "s3",
    availability: "In signed requests",
    source: s3Page,
    facts: { service: unknown("maybe", { hint: documentedNowhere }), principal: maybe, anonymous: never },
  },
  {
    key: "s3:x-amz-content-sha256",
    of: "s3",
    availability: "If the requester sends it",
    source: s3Page,
    facts: { service: unknown("maybe", { hint: documentedNowhere }), principal: maybe, anonymous: maybe },
  },
  {
    key: "s3:AccessGrantsInstanceArn",
    of: "s3",
    availability: "With credentials of S3 Access Grants",
    source: s3Page,
    facts: { service: never, principal: maybe, anonymous: never },
  },
  ...["s3:DataAccessPointAccount", "s3:DataAccessPointArn", "s3:AccessPointNetworkOrigin"].map((key) => ({
    key,
    of: "s3" as const,
    availability: "Through an access point; CloudTrail delivers to the bucket itself",
    source: s3Page,
    facts: throughEndpoint,
  })),
  ...["s3:ExistingObjectTag/*", "s3:BucketTag/*"].map((key) => ({
    key,
    of: "s3" as const,
    availability: "If the object or bucket has the tag",
    source: s3Page,
    facts: all(maybe),
  })),
  ...(
    [
      ["s3:prefix", /^s3:listbucket(versions)?$/i],
      ["s3:delimiter", /^s3:listbucket(versions)?$/i],
      ["s3:max-keys", /^s3:listbucket(versions)?$/i],
      ["s3:VersionId", /^s3:(get|delete|put|restore)object.*/i],
    ] as const
  ).map(([key, actions]) => ({
    key,
    of: "s3" as const,
    availability: "If the requester sends it",
    source: s3Page,
    facts: { service: never, principal: inAction(actions, maybe), anonymous: inAction(actions, maybe) },
  })),
  ...(
    [
      ["s3:LocationConstraint", /^s3:createbucket$/i, "In CreateBucket"],
      ["s3:x-amz-object-ownership", /^s3:createbucket$/i, "In CreateBucket"],
      ["s3:InventoryAccessibleOptionalFields", /^s3:putinventoryconfiguration$/i, "In PutInventoryConfiguration"],
    ] as const
  ).map(([key, actions, availability]) => ({
    key,
    of: "s3" as const,
    availability,
    source: s3Page,
    facts: { service: never, principal: inAction(actions, maybe), anonymous: never },
  })),
  sentByAnyone("If the requester sends it; CloudTrail always sends bucket-owner-full-control", "s3:x-amz-acl"),
  sentByAnyone("If the requester sends it", "s3:x-amz-server-side-encryption"),
  sentByAnyone("If the requester sends it", "s3:x-amz-server-side-encryption-aws-kms-key-id"),
  sentByAnyone("If the requester sends it", "s3:x-amz-storage-class"),
  sentByAnyone("If the requester sends it", "s3:if-none-match"),
  sentByAnyone("If the requester sends it", "s3:if-match"),
  sentByAnyone("In requests that create objects", "s3:ObjectCreationOperation"),
  ...["full-control", "read", "read-acp", "write", "write-acp"].map((name) =>
    sentByPeople(
      "If the requester sends it; excludes an ACL by name, as CloudTrail sends it",
      `s3:x-amz-grant-${name}`,
    ),
  ),
  ...["s3:x-amz-server-side-encryption-customer-algorithm", "s3:x-amz-website-redirect-location"].map((key) =>
    sentByPeople("If the requester sends it; CloudTrail encrypts with SSE-S3 or SSE-KMS", key),
  ),
  ...["s3:x-amz-copy-source", "s3:x-amz-metadata-directive", "s3:x-amz-object-annotation-directive"].map((key) =>
    sentByPeople("In copies only", key),
  ),
  ...[
    "s3:object-lock-mode",
    "s3:object-lock-retain-until-date",
    "s3:object-lock-remaining-retention-days",
    "s3:object-lock-legal-hold",
    "s3:object-lock-event-hold",
    "s3:object-lock-event-hold-duration-days",
  ].map((key) => sentByPeople("If the requester sends it; needs a permission that CloudTrail is not given", key)),
  ...["s3:RequestObjectTag/*", "s3:RequestObjectTagKeys"].map((key) =>
    sentByPeople("If the requester sends it; needs a permission that CloudTrail is not given", key),
  ),

  // KMS.
  {
    key: "kms:CallerAccount",
    of: "kms",
    availability: "For all operations on keys",
    source: kmsPage("caller-account"),
    facts: {
      service: unknown("always", { hint: documentedNowhere }),
      principal: ({ accountId }) => (accountId === undefined ? { presence: "always", hint: give } : [accountId]),
      anonymous: never,
    },
  },
  {
    key: "kms:ViaService",
    of: "kms",
    availability: "When a service asks on behalf of a caller",
    source: kmsPage("via-service"),
    facts: { service: viaS3OrDirect, principal: never, anonymous: never },
  },
  {
    key: "kms:EncryptionAlgorithm",
    of: "kms",
    availability: "In requests that encrypt or decrypt; symmetric keys have one",
    source: kmsPage("encryption-algorithm"),
    facts: all(inAction(/^kms:(decrypt|encrypt|generatedatakey.*|reencrypt.*)$/i, known("SYMMETRIC_DEFAULT"))),
  },
  {
    key: "kms:RequestAlias",
    of: "kms",
    availability: "If the request names the key by an alias",
    source: kmsPage("request-alias"),
    facts: { service: unknown("maybe", { hint: documentedNowhere }), principal: maybe, anonymous: never },
  },
  {
    key: "kms:ResourceAliases",
    of: "kms",
    availability: "If the key has aliases",
    source: kmsPage("resource-aliases"),
    facts: all(maybe),
  },
  {
    key: "kms:KeySpec",
    of: "kms",
    availability: "For operations on keys; CloudTrail takes symmetric keys only",
    source: kmsPage("key-spec"),
    facts: all(known("SYMMETRIC_DEFAULT")),
  },
  {
    key: "kms:KeyUsage",
    of: "kms",
    availability: "For operations on keys; CloudTrail takes keys that encrypt",
    source: kmsPage("key-usage"),
    facts: all(known("ENCRYPT_DECRYPT")),
  },
  ...(
    [
      ["kms:MultiRegion", "multiregion", "For operations on keys"],
      ["kms:KeyOrigin", "key-origin", "For operations on keys"],
    ] as const
  ).map(([key, anchor, availability]) => ({
    key,
    of: "kms" as const,
    availability,
    source: kmsPage(anchor),
    facts: all(always),
  })),
  {
    key: "kms:MultiRegionKeyType",
    of: "kms",
    availability: "For operations on multi-Region keys",
    source: kmsPage("multiregion-key-type"),
    facts: all(maybe),
  },
  {
    key: "kms:BypassPolicyLockoutSafetyCheck",
    of: "kms",
    availability: "In CreateKey and PutKeyPolicy",
    source: kmsPage("bypass-policy-lockout-safety-check"),
    facts: { service: never, principal: inAction(/^kms:(createkey|putkeypolicy)$/i, known("false")), anonymous: never },
  },

  {
    key: "kms:EncryptionContext:*",
    of: "kms",
    availability: "In cryptographic operations with an encryption context; those of log files have CloudTrail's",
    source: kmsPage("encryption-context"),
    facts: { service: never, principal: inAction(encrypting, maybe), anonymous: never },
  },
  {
    key: "kms:EncryptionContextKeys",
    of: "kms",
    availability: "In cryptographic operations with an encryption context; those of log files have CloudTrail's",
    source: kmsPage("encryption-context-keys"),
    facts: { service: never, principal: inAction(encrypting, maybe), anonymous: never },
  },
  ...(
    [
      ["kms:DataKeyPairSpec", "data-key-spec", /^kms:generatedatakeypair/i, "In requests for data key pairs"],
      ["kms:ExpirationModel", "expiration-model", /^kms:importkeymaterial$/i, "In ImportKeyMaterial"],
      ["kms:ValidTo", "valid-to", /^kms:importkeymaterial$/i, "In ImportKeyMaterial"],
      ["kms:WrappingAlgorithm", "wrapping-algorithm", /^kms:getparametersforimport$/i, "In GetParametersForImport"],
      ["kms:WrappingKeySpec", "wrapping-key-spec", /^kms:getparametersforimport$/i, "In GetParametersForImport"],
      ["kms:GrantConstraintType", "grant-constraint-type", /^kms:creategrant$/i, "In CreateGrant"],
      [
        "kms:GrantIsForAWSResource",
        "grant-is-for-aws-resource",
        /^kms:(create|list|revoke)grants?$/i,
        "In CreateGrant, ListGrants and RevokeGrant",
      ],
      ["kms:GrantOperations", "grant-operations", /^kms:creategrant$/i, "In CreateGrant"],
      ["kms:GranteePrincipal", "grantee-principal", /^kms:creategrant$/i, "In CreateGrant"],
      ["kms:RetiringPrincipal", "retiring-principal", /^kms:creategrant$/i, "In CreateGrant"],
      ["kms:KeyAgreementAlgorithm", "key-agreement-algorithm", /^kms:derivesharedsecret$/i, "In DeriveSharedSecret"],
      ["kms:MacAlgorithm", "mac-algorithm", /^kms:(generate|verify)mac$/i, "In GenerateMac and VerifyMac"],
      ["kms:MessageType", "message-type", /^kms:(sign|verify)$/i, "In Sign and Verify"],
      ["kms:SigningAlgorithm", "signing-algorithm", /^kms:(sign|verify)$/i, "In Sign and Verify"],
      ["kms:PrimaryRegion", "primary-region", /^kms:updateprimaryregion$/i, "In UpdatePrimaryRegion"],
      ["kms:ReplicaRegion", "replica-region", /^kms:replicatekey$/i, "In ReplicateKey"],
      ["kms:ReEncryptOnSameKey", "reencrypt-on-same-key", /^kms:reencrypt/i, "In ReEncrypt"],
      ["kms:RotationPeriodInDays", "rotation-period-in-days", /^kms:enablekeyrotation$/i, "In EnableKeyRotation"],
      [
        "kms:ScheduleKeyDeletionPendingWindowInDays",
        "schedule-key-deletion-pending-window-in-days",
        /^kms:schedulekeydeletion$/i,
        "In ScheduleKeyDeletion",
      ],
    ] as const
  ).map(([key, anchor, actions, availability]) => ({
    key,
    of: "kms" as const,
    availability,
    source: kmsPage(anchor),
    facts: { service: never, principal: inAction(actions, maybe), anonymous: never },
  })),
  {
    key: "kms:RecipientAttestation:*",
    of: "kms",
    availability: "In requests of Nitro enclaves",
    source: kmsPage("recipient-image-sha"),
    facts: {
      service: never,
      principal: inAction(/^kms:(decrypt|generate.*|derivesharedsecret)$/i, maybe),
      anonymous: never,
    },
  },

  // STS: who assumes a reader role.
  {
    key: "sts:RoleSessionName",
    of: "sts",
    availability: "When a role is assumed",
    source: stsPage("rolesessionname"),
    facts: { service: never, principal: always, anonymous: never },
  },
  ...(
    [
      ["sts:SourceIdentity", "sourceidentity"],
      ["sts:TransitiveTagKeys", "transitivetagkeys"],
      ["sts:ExternalId", "externalid"],
    ] as const
  ).map(([key, anchor]) => ({
    key,
    of: "sts" as const,
    availability: "If the request passes it",
    source: stsPage(anchor),
    facts: { service: never, principal: maybe, anonymous: never },
  })),
];
