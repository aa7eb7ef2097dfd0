/** Every error that AWS's service models list for what a fleet does has an answer of its own: none passes through raw. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { knownCodes } from "../../../automation/fleet/awsErrors";
import { diagnoseText, retryReason } from "../../../automation/fleet/diagnosis";
import { findingIds } from "../../../core/findings";
import type { Operation } from "../../../automation/fleet/worker/engine";

/** The calls that the components' resources make, by the SDK's client. */
const operations: Record<string, string> = {
  cloudtrail:
    "CreateTrail UpdateTrail DeleteTrail StartLogging StopLogging PutEventSelectors PutInsightSelectors AddTags RemoveTags GetTrail GetTrailStatus GetEventSelectors CreateEventDataStore UpdateEventDataStore DeleteEventDataStore RegisterOrganizationDelegatedAdmin",
  kms: "CreateKey CreateAlias UpdateAlias DeleteAlias PutKeyPolicy EnableKeyRotation DisableKeyRotation ReplicateKey ScheduleKeyDeletion TagResource UpdateKeyDescription DescribeKey",
  s3: "CreateBucket PutBucketPolicy PutBucketVersioning PutBucketEncryption PutBucketLifecycleConfiguration PutBucketReplication PutBucketLogging PutBucketNotificationConfiguration PutObjectLockConfiguration PutPublicAccessBlock PutBucketOwnershipControls DeleteBucket",
  "cloudwatch-logs": "CreateLogGroup PutRetentionPolicy AssociateKmsKey TagResource",
  iam: "CreateRole PutRolePolicy UpdateAssumeRolePolicy TagRole DeleteRole GetRole",
  sts: "AssumeRole GetCallerIdentity",
};

/** Errors of the models that no call of ours can end in, and why. */
const impossible: Record<string, string> = {
  CloudHsmClusterInvalidConfigurationException: "no key of ours is in a CloudHSM cluster",
  CustomKeyStoreInvalidStateException: "no key of ours is in a custom key store",
  CustomKeyStoreNotFoundException: "no key of ours is in a custom key store",
  XksKeyAlreadyInUseException: "no key of ours is outside of AWS",
  XksKeyInvalidConfigurationException: "no key of ours is outside of AWS",
  XksKeyNotFoundException: "no key of ours is outside of AWS",
  ChannelARNInvalidException: "only tags of channels end so",
  ChannelNotFoundException: "only tags of channels end so",
  CloudTrailInvalidClientTokenIdException: "no client token is sent",
  PackedPolicyTooLargeException: "roles are assumed without session policies",
  RegionDisabledException: "the Region's STS is asked only where it is on",
};

/** Of services whose SDK the project does not have, as their API references list them. */
const listed =
  // https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html and API_SetTopicAttributes.html
  "AuthorizationError ConcurrentAccess InternalError InvalidParameter InvalidSecurity NotFound StaleTag TagLimitExceeded TagPolicy TopicLimitExceeded " +
  // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
  "QueueDeletedRecently QueueNameExists InvalidAttributeName InvalidAttributeValue UnsupportedOperation " +
  // https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, of the calls above
  "AccessDenied AccountProblem BucketAlreadyExists BucketAlreadyOwnedByYou BucketNotEmpty IllegalLocationConstraintException InvalidArgument InvalidBucketName InvalidBucketState InvalidRequest MalformedPolicy MalformedXML NoSuchBucket NotSignedUp OperationAborted ServiceUnavailable InternalError TooManyBuckets InvalidTag " +
  // https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
  "OptInRequired InternalFailure ValidationError";

/** The exceptions of an operation, as the SDK's documentation of it lists them. */
function exceptionsOf(client: string, operation: string): string[] {
  const folder = dirname(require.resolve(`@aws-sdk/client-${client}/package.json`));
  const text = readFileSync(join(folder, "dist-types", "commands", `${operation}Command.d.ts`), "utf8");
  // The last one stands for all that the model does not list.
  return [...text.matchAll(/@throws \{@link (\w+)\}/g)]
    .map(([, name]) => name as string)
    .filter((name) => !name.endsWith("ServiceException"));
}

const modelled = new Map<string, string>();
for (const [client, names] of Object.entries(operations)) {
  for (const operation of names.split(" ")) {
    for (const name of exceptionsOf(client, operation)) modelled.set(name, `${client}: ${operation}`);
  }
}
const said = (call: string, code: string) =>
  `member-trail: sdk-v2/provider2.go:515: sdk.helper_schema: creating CloudTrail Trail (crosstrail): operation error ${call}, https response error StatusCode: 400, RequestID: 1f-2, ${code}: These are AWS's words: provider=aws@7.48.0\n` +
  `error: update failed`;

describe("automation: errors of AWS", () => {
  it("the models list errors, and so does this test", () => {
    assert.ok(modelled.size > 70, String(modelled.size));
    assert.ok(modelled.has("TrailAlreadyExistsException"));
    for (const name of Object.keys(impossible)) {
      assert.ok(modelled.has(name), `${name} is no error of the models any more: remove it from the list`);
      assert.ok(!knownCodes.includes(name), `${name} is answered, and said to be impossible`);
    }
  });

  for (const [name, call] of [
    ...modelled,
    ...listed.split(" ").map((each) => [each, "S3: PutBucketPolicy"] as const),
  ]) {
    if (Object.hasOwn(impossible, name)) continue;
    it(`${name} (${call}) has an answer`, () => {
      const { findings } = diagnoseText("payments", said(call.replace(/^[a-z-]+/, "CloudTrail"), name));
      const [finding, ...others] = findings;
      assert.deepEqual(others, []);
      assert.ok(finding && finding.id !== "stack/failed", "it passes through raw");
      assert.ok(Object.hasOwn(findingIds, finding.id), finding.id);
      assert.notEqual(finding.remedy, "Correct the cause and repeat the command.");
      assert.doesNotMatch(finding.remedy, /undefined|\[object/);
      // No remedy names the file of a stack that may have none.
      assert.doesNotMatch(finding.remedy, /Pulumi\.payments\.yaml/);
    });
  }

  it("AWS's own words are said beside it, once, with the call", () => {
    const { exitCode, findings } = diagnoseText(
      "payments",
      `${said("CloudTrail: CreateTrail", "TrailAlreadyExistsException")}\n${said("CloudTrail: CreateTrail", "TrailAlreadyExistsException")}`,
    );
    assert.equal(exitCode, 4);
    assert.equal(
      findings[0]?.message,
      "The account has a trail of this name already, which this stack has not made.\n" +
        "AWS says (CloudTrail: CreateTrail): TrailAlreadyExistsException: These are AWS's words",
    );
    assert.match(findings[0].remedy, /^crosstrail adopt --contract audit\.json --alias payments --cwd \.$/m);
  });

  for (const [text, id, code, remedy] of [
    [
      "operation error STS: AssumeRole, https response error StatusCode: 403, api error AccessDenied: User: arn:aws:iam::1:user/a is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::222222222222:role/D",
      "credentials/role-not-assumed",
      3,
      /^pulumi stack rm --force -s web$/m,
    ],
    [
      "api error OptInRequired: You are not subscribed to this service.",
      "account/closed",
      3,
      /^pulumi stack rm --force -s web$/m,
    ],
    [
      "AccessDeniedException: User: x is not authorized to perform: cloudtrail:CreateTrail on resource: y with an explicit deny in a service control policy",
      "aws/denied",
      3,
      /service control policy/,
    ],
    [
      "api error AlreadyExistsException: An alias with the name alias/crosstrail already exists",
      "key/alias-taken",
      4,
      /crosstrail:keyAlias/,
    ],
    ["dial tcp: lookup cloudtrail.eu-central-1.amazonaws.com: no such host", "aws/unreachable", 1, /network/],
    ["AggregateError: ECONNREFUSED", "aws/unreachable", 1, /network/],
    ["CredentialsProviderError: Could not load credentials from any providers", "credentials/refused", 3, /log in/],
    ["something else entirely", "stack/failed", 4, /./],
  ] as const) {
    it(`${text.slice(0, 60)}…: ${id}`, () => {
      const { exitCode, findings } = diagnoseText("web", text);
      assert.equal(findings[0]?.id, id);
      assert.equal(exitCode, code);
      assert.match(findings[0].remedy, remedy);
    });
  }

  it("an error that nobody knows is said once, though the provider and the engine both say it", () => {
    const { findings } = diagnoseText(
      "payments",
      "member-trail: sdk-v2/provider2.go:515: sdk.helper_schema: creating Thing (x): it is too blue: provider=aws@7.48.0\n" +
        "member-trail: 1 error occurred:\n" +
        "\t* creating urn:pulumi:payments::crosstrail::aws:x/y:Z::member-trail: 1 error occurred:\n" +
        "\t* creating Thing (x): it is too blue\n\nerror: update failed\n",
    );
    assert.equal(findings[0]?.id, "stack/failed");
    assert.equal(findings[0].message.match(/too blue/g)?.length, 1, findings[0].message);
    assert.doesNotMatch(findings[0].message, /error occurred/);
  });

  it("what passes is tried again, what does not is not", () => {
    const operation = (text: string) => ({ errors: [text] }) as unknown as Operation;
    for (const code of [
      "ConflictException",
      "OperationAborted",
      "ServiceUnavailable",
      "KMSInternalException",
      "ThrottlingException",
    ])
      assert.ok(retryReason(operation(said("CloudTrail: CreateTrail", code))), code);
    for (const code of ["TrailAlreadyExistsException", "AccessDenied", "InvalidParameterException"])
      assert.equal(retryReason(operation(said("CloudTrail: CreateTrail", code))), undefined, code);
  });
});
