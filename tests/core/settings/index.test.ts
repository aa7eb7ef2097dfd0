import assert from "node:assert/strict";
import * as fc from "fast-check";
import type { UserError } from "../../../core/findings";
import type { AuditSettings, MemberSettings } from "../../../core/settings";
import { keyTable, parseSettings } from "../../../core/settings";
import { asConfig, declaredKeys, ownKeys, stackConfig } from "../../support/config";
import { contract } from "../../support/fleet";

const auditConfig = { role: "audit", auditAccountId: "111111111111", bucketName: "example-logs" };
const payments = { accountId: "222222222222", alias: "payments" };
const web = { accountId: "333333333333", alias: "web" };
const memberConfig = { role: "member", accountId: "222222222222", auditStack: "audit" };

function audit(values: Record<string, unknown> = {}, region = "us-east-1"): AuditSettings {
  return parseSettings("audit", asConfig({ ...auditConfig, ...values }), region) as AuditSettings;
}

function member(values: Record<string, unknown> = {}, region = "us-east-1"): MemberSettings {
  return parseSettings("payments", asConfig({ ...memberConfig, ...values }), region) as MemberSettings;
}

/** What a refused configuration says, as the user reads it. */
function errorOf(parse: () => unknown): UserError {
  try {
    parse();
  } catch (error) {
    assert.equal((error as Error).name, "UserError", String((error as Error).stack));
    return error as UserError;
  }
  return assert.fail("the configuration was accepted");
}

/** The complete message of one mistake. */
/** Asserts the complete message, with the finding's own id in it. */
function refusesOne(parse: () => unknown, stack: string, subject: string, message: string, remedy: string): void {
  const error = errorOf(parse);
  assert.equal(error.findings.length, 1);
  assert.equal(
    error.message,
    `Pulumi.${stack}.yaml has a mistake. Nothing was changed.\n` +
      `\n  ${subject}\n    ${error.findings[0]?.id}: ${message}\n    → ${remedy.split("\n").join("\n      ")}`,
  );
}

const correct = "Correct it in Pulumi.audit.yaml.";
const regionRemedy =
  "Correct it in Pulumi.audit.yaml. If AWS opened the Region after this version of Crosstrail was released, add it to crosstrail:extraRegions.";

describe("core/settings", () => {
  describe("what they are", () => {
    it("of an audit stack: everything that was not chosen has its default", () => {
      assert.deepEqual(audit({ members: [payments, { ...web, homeRegion: "eu-west-1", trailName: "web-trail" }] }), {
        role: "audit",
        partition: "aws",
        region: "us-east-1",
        auditAccountId: "111111111111",
        bucketName: "example-logs",
        logPrefix: "",
        members: [payments, { ...web, homeRegion: "eu-west-1", trailName: "web-trail" }],
        deployRole: "",
        deployProfile: "",
        deployExternalId: "",
        memberDefaults: {},
        extraRegions: [],
        fleet: [
          {
            alias: "audit",
            trail: { partition: "aws", region: "us-east-1", accountId: "111111111111", name: "crosstrail" },
          },
          {
            alias: "payments",
            trail: { partition: "aws", region: "us-east-1", accountId: "222222222222", name: "crosstrail" },
          },
          {
            alias: "web",
            trail: { partition: "aws", region: "eu-west-1", accountId: "333333333333", name: "web-trail" },
          },
        ],
        auditAccountTrail: true,
        trailName: "crosstrail",
        bucketPolicyForm: undefined,
        keyPolicyForm: undefined,
        keyAlias: "crosstrail",
        keyRotationDays: 365,
        keyGeneration: 1,
        previousKeyInUse: false,
        bucketKeyEnabled: false,
        keepArchive: true,
        replicas: { keyReplicaRegions: [] },
        archive: {
          accessLogDays: 365,
          breakGlassRoleArns: [],
          denyOtherEncryption: false,
          notifications: "none",
          forceDestroy: false,
          mfaDelete: false,
        },
        readers: [],
        memberReaders: [],
        requireMfa: false,
        mfaExemptRoleArns: [],
        trailOptions: {
          isMultiRegionTrail: true,
          enableLogFileValidation: true,
          includeGlobalServiceEvents: true,
          enableLogging: true,
          events: [],
          readWriteType: "All",
          excludeManagementEventSources: [],
          networkActivityEventSources: [],
          eventSelectors: [],
          advancedEventSelectors: [],
          insightTypes: [],
        },
        guardrails: { attach: [], mayDetach: [], exemptRoleArns: [] },
        permissionsBoundary: "",
        tags: {},
      });
    });

    it("of a member stack", () => {
      assert.deepEqual(member(), {
        role: "member",
        partition: "aws",
        region: "us-east-1",
        accountId: "222222222222",
        source: { auditStack: "audit" },
        trailOptions: audit().trailOptions,
        permissionsBoundary: "",
        tags: {},
      });
    });

    it("chosen values arrive, each in its place", () => {
      const eventSelectors = [
        {
          readWriteType: "WriteOnly",
          includeManagementEvents: true,
          excludeManagementEventSources: ["kms.amazonaws.com"],
          dataResources: [{ type: "AWS::S3::Object", values: ["arn:aws:s3"] }],
        },
      ];
      const settings = audit({
        logPrefix: "prod",
        trailName: "org-trail",
        members: [{ ...payments, previousTrailName: "old-trail", deployProfile: "own" }],
        deployRole: "arn:{partition}:iam::{accountId}:role/Deploy",
        deployProfile: "{alias}",
        deployExternalId: "archive-7",
        memberDefaults: { enableLogFileValidation: true },
        extraRegions: ["eu-east-9"],
        bucketPolicyForm: "trailList",
        keyPolicyForm: "encryptionContext",
        keyAlias: "logs/key",
        keyRotationDays: 90,
        keyGeneration: 1,
        previousKeyInUse: false,
        bucketKeyEnabled: true,
        keepArchive: false,
        objectLock: { mode: "governance", days: 30 },
        retention: { years: 1, noncurrentDays: 10, transitions: [{ storageClass: "GLACIER_IR", days: 90 }] },
        accessLogBucket: "example-access-logs",
        accessLogDays: 30,
        breakGlassRoles: ["BreakGlass", "arn:aws:iam::111111111111:role/ops/Deploy"],
        denyOtherEncryption: true,
        notifications: "sqs",
        readers: [{ trustedAccounts: ["444444444444"], accounts: ["payments", "111111111111"] }],
        memberAccess: ["*"],
        requireMfa: true,
        mfaExemptRoles: ["exporter", "arn:aws:iam::222222222222:role/ops/scanner"],
        isMultiRegionTrail: false,
        includeGlobalServiceEvents: false,
        enableLogFileValidation: false,
        enableLogging: false,
        eventSelectors,
        insightTypes: ["ApiErrorRateInsight"],
        cloudWatchLogs: { groupName: "trail" },
        sns: { encrypted: false },
        eventDataStore: { retentionDays: 30, queryRoles: ["Investigator"] },
        permissionsBoundary: "CrosstrailBoundary",
        tags: { team: "security" },
      });
      const identity = { partition: "aws", region: "us-east-1", accountId: "222222222222" };
      assert.deepEqual(settings, {
        role: "audit",
        partition: "aws",
        region: "us-east-1",
        auditAccountId: "111111111111",
        bucketName: "example-logs",
        logPrefix: "prod",
        members: [{ ...payments, previousTrailName: "old-trail", deployProfile: "own" }],
        deployRole: "arn:{partition}:iam::{accountId}:role/Deploy",
        deployProfile: "{alias}",
        deployExternalId: "archive-7",
        memberDefaults: { enableLogFileValidation: true },
        extraRegions: ["eu-east-9"],
        fleet: [
          { alias: "audit", trail: { ...identity, accountId: "111111111111", name: "org-trail" } },
          {
            alias: "payments",
            trail: { ...identity, name: "org-trail" },
            previous: { ...identity, name: "old-trail" },
          },
        ],
        auditAccountTrail: true,
        trailName: "org-trail",
        bucketPolicyForm: "trailList",
        keyPolicyForm: "encryptionContext",
        keyAlias: "logs/key",
        keyRotationDays: 90,
        keyGeneration: 1,
        previousKeyInUse: false,
        bucketKeyEnabled: true,
        keepArchive: false,
        replicas: { keyReplicaRegions: [] },
        archive: {
          objectLock: { mode: "governance", days: 30 },
          retention: { years: 1, noncurrentDays: 10, transitions: [{ storageClass: "GLACIER_IR", days: 90 }] },
          accessLogBucket: "example-access-logs",
          accessLogDays: 30,
          breakGlassRoleArns: [
            "arn:aws:iam::111111111111:role/BreakGlass",
            "arn:aws:iam::111111111111:role/ops/Deploy",
          ],
          denyOtherEncryption: true,
          notifications: "sqs",
          forceDestroy: false,
          mfaDelete: false,
        },
        readers: [
          {
            name: "CloudTrailReadRole",
            trustedAccounts: ["444444444444"],
            requireMfa: false,
            accountIds: ["222222222222", "111111111111"],
          },
        ],
        memberReaders: ["222222222222"],
        requireMfa: true,
        mfaExemptRoleArns: ["arn:aws:iam::111111111111:role/exporter", "arn:aws:iam::222222222222:role/ops/scanner"],
        trailOptions: {
          isMultiRegionTrail: false,
          enableLogFileValidation: false,
          includeGlobalServiceEvents: false,
          enableLogging: false,
          events: [],
          readWriteType: "All",
          excludeManagementEventSources: [],
          networkActivityEventSources: [],
          eventSelectors,
          advancedEventSelectors: [],
          insightTypes: ["ApiErrorRateInsight"],
          cloudWatchLogs: { retentionDays: 365, encrypted: true, groupName: "trail" },
          sns: { encrypted: false },
        },
        eventDataStore: {
          name: "crosstrail",
          retentionDays: 30,
          advancedEventSelectors: [],
          keep: true,
          roleArns: ["arn:aws:iam::111111111111:role/Investigator"],
        },
        guardrails: { attach: [], mayDetach: [], exemptRoleArns: [] },
        permissionsBoundary: "CrosstrailBoundary",
        tags: { team: "security" },
      });
    });

    for (const [region, partition] of [
      ["cn-north-1", "aws-cn"],
      ["us-gov-west-1", "aws-us-gov"],
      ["eu-central-2", "aws"],
    ] as const) {
      it(`the partition follows from the Region: ${region} is in ${partition}`, () => {
        const settings = audit({ members: [payments] }, region);
        assert.equal(settings.partition, partition);
        assert.deepEqual(
          settings.fleet.map(({ trail }) => [trail.partition, trail.region]),
          [
            [partition, region],
            [partition, region],
          ],
        );
      });
    }

    it("a Region newer than our table can be declared", () => {
      const values = { members: [{ ...payments, homeRegion: "eu-east-9" }], extraRegions: ["eu-east-9"] };
      assert.equal(audit(values).fleet[1]?.trail.region, "eu-east-9");
      assert.equal(audit({ extraRegions: ["eu-east-9"] }, "eu-east-9").region, "eu-east-9");
    });

    it("readers, as they are asked for", () => {
      const asked = { name: "Auditor", trustedAccounts: ["444444444444"], requireMfa: true, externalId: "acme" };
      assert.deepEqual(audit({ members: [payments], readers: [asked] }).readers, [asked]);
    });

    it("members that may read their own logs: by alias, by account id, each once", () => {
      const members = [payments, web];
      assert.deepEqual(audit({ members, memberAccess: ["web"] }).memberReaders, ["333333333333"]);
      assert.deepEqual(audit({ members, memberAccess: ["web", "333333333333"] }).memberReaders, ["333333333333"]);
      assert.deepEqual(audit({ members, memberAccess: ["web", "*"] }).memberReaders, ["222222222222", "333333333333"]);
    });

    it("a contract given outright takes the place of the audit stack", () => {
      assert.deepEqual(member({ auditStack: "", contract: contract() }).source, { contract: contract() });
    });

    it("the values that Pulumi passes on for keys that are not set change nothing, in either role", () => {
      const defaults = asConfig(Object.fromEntries(Object.entries(declaredKeys()).map(([k, v]) => [k, v.default])));
      for (const config of [auditConfig, memberConfig]) {
        assert.deepEqual(
          parseSettings("a", { ...defaults, ...config }, "us-east-1"),
          parseSettings("a", config, "us-east-1"),
        );
      }
    });

    it("the templates are good as they are", () => {
      for (const [file, role] of [
        ["Pulumi.audit.yaml", "audit"],
        ["Pulumi.member.yaml", "member"],
      ] as const) {
        const config = stackConfig(file);
        const settings = parseSettings("x", ownKeys(config), config["aws:region"]);
        assert.equal(settings.role, role);
        const accountId = settings.role === "audit" ? settings.auditAccountId : settings.accountId;
        assert.equal(config["aws:allowedAccountIds"], JSON.stringify([accountId]), file);
      }
      const [fleet, account] = [
        parseSettings("x", ownKeys(stackConfig("Pulumi.audit.yaml")), "us-east-1") as AuditSettings,
        parseSettings("x", ownKeys(stackConfig("Pulumi.member.yaml")), "us-east-1") as MemberSettings,
      ];
      assert.ok(fleet.fleet.some(({ trail }) => trail.accountId === account.accountId));
    });
  });

  describe("mistakes that must be withstood: each is one clear error", () => {
    const quotes =
      "An AWS account ID is a string of 12 digits in quotes; without quotes, YAML reads a number and drops leading zeros.";
    const trailName = 'crosstrail:trailName = "%"';
    const cases: [string, () => unknown, string, string, string, string?][] = [
      [
        "an account id of 11 digits",
        () => audit({ auditAccountId: "11111111111" }),
        'crosstrail:auditAccountId = "11111111111"',
        'An AWS account ID has 12 digits, this has 11; without quotes, YAML drops leading zeros: write "012345678901".',
        correct,
      ],
      [
        "a member's account id without quotes",
        () => audit({ members: [payments, { ...web, accountId: 333333333333 }] }),
        "crosstrail:members[1].accountId = 333333333333",
        quotes,
        correct,
      ],
      [
        "a member's account id without quotes, its leading zeros lost",
        () => audit({ members: [{ ...payments, accountId: 12345678901 }] }),
        "crosstrail:members[0].accountId = 12345678901",
        quotes,
        correct,
      ],
      [
        "a stack's account id without quotes, its leading zeros lost",
        () => audit({ auditAccountId: 12345678901 }),
        'crosstrail:auditAccountId = "12345678901"',
        'An AWS account ID has 12 digits, this has 11; without quotes, YAML drops leading zeros: write "012345678901".',
        correct,
      ],
      [
        "a member without an account id",
        () => audit({ members: [{ alias: "payments" }] }),
        "crosstrail:members[0].accountId is not set",
        "An AWS account ID is a string of 12 digits in quotes.",
        correct,
      ],
      [
        "a member without an alias",
        () => audit({ members: [{ accountId: "222222222222" }] }),
        "crosstrail:members[0].alias is not set",
        "This must be a string (in quotes).",
        correct,
      ],
      [
        "an alias of other characters",
        () => audit({ members: [{ ...payments, alias: "Payments EU" }] }),
        'crosstrail:members[0].alias = "Payments EU"',
        "An alias has 1 to 63 lower-case letters, digits and '-', and starts with a letter or a digit.",
        correct,
      ],
      [
        "two members with the same account",
        () => audit({ members: [payments, { ...web, accountId: payments.accountId }] }),
        'crosstrail:members[1].accountId = "222222222222"',
        "members[0] (payments) is the same account.",
        "Declare each account once.",
      ],
      [
        "two members with the same alias",
        () => audit({ members: [payments, { ...web, alias: "payments" }] }),
        'crosstrail:members[1].alias = "payments"',
        "members[0] (222222222222) has the same alias.",
        "Give each member its own alias.",
      ],
      [
        "the audit account among the members",
        () => audit({ members: [{ ...web, accountId: "111111111111" }] }),
        'crosstrail:members[0].accountId = "111111111111"',
        "This is the audit account itself.",
        "Remove it from the members; crosstrail:auditAccountTrail controls the audit account's own trail.",
      ],
      [
        "a member with the alias of the audit account",
        () => audit({ members: [{ ...web, alias: "audit" }] }),
        'crosstrail:members[0].alias = "audit"',
        "This alias is reserved for the audit account.",
        "Give each member its own alias.",
      ],
      [
        "a reader that trusts nobody",
        () => audit({ readers: [{ trustedAccounts: [] }] }),
        "crosstrail:readers[0].trustedAccounts = []",
        "This must have at least 1 element.",
        correct,
      ],
      [
        "a reader that trusts an account without quotes",
        () => audit({ readers: [{ trustedAccounts: [444444444444] }] }),
        "crosstrail:readers[0].trustedAccounts[0] = 444444444444",
        quotes,
        correct,
      ],
      [
        "a reader with a misspelled key",
        () => audit({ readers: [{ trustedAccounts: ["444444444444"], requireMFA: true }] }),
        "crosstrail:readers[0].requireMFA = true",
        "This key does not exist.",
        "Did you mean requireMfa? Otherwise remove it from Pulumi.audit.yaml.",
      ],
      [
        "a reader with a name that IAM refuses",
        () => audit({ readers: [{ name: "Log Reader", trustedAccounts: ["444444444444"] }] }),
        'crosstrail:readers[0].name = "Log Reader"',
        "A role name has letters, digits and + = , . @ _ - only.",
        correct,
      ],
      [
        "a reader with an external id that STS refuses",
        () => audit({ readers: [{ externalId: "a b", trustedAccounts: ["444444444444"] }] }),
        'crosstrail:readers[0].externalId = "a b"',
        "An external id has letters, digits and _ + = , . @ : / - only.",
        correct,
      ],
      [
        "a reader of the logs of nobody",
        () => audit({ readers: [{ accounts: [], trustedAccounts: ["444444444444"] }] }),
        "crosstrail:readers[0].accounts = []",
        "This must have at least 1 element.",
        correct,
      ],
      [
        "two readers of the same name",
        () =>
          audit({
            readers: [
              { trustedAccounts: ["444444444444"] },
              { name: "cloudtrailreadrole", trustedAccounts: ["555555555555"] },
            ],
          }),
        'crosstrail:readers[1].name = "cloudtrailreadrole"',
        "readers[0] is the same role: role names in IAM are not case-sensitive.",
        "Give each reader its own name.",
      ],
      [
        "a reader of the logs of an unknown member",
        () => audit({ members: [payments], readers: [{ accounts: ["paymnts"], trustedAccounts: ["444444444444"] }] }),
        'crosstrail:readers[0].accounts[0] = "paymnts"',
        "No member has this alias or account ID.",
        "Did you mean payments? Otherwise declare it in crosstrail:members.",
      ],
      [
        "access for an unknown member",
        () => audit({ members: [payments], memberAccess: ["payments", "999999999999"] }),
        'crosstrail:memberAccess[1] = "999999999999"',
        "No member has this alias or account ID.",
        "Declare it in crosstrail:members.",
      ],
      ...["audit", "111111111111"].map((name): [string, () => unknown, string, string, string] => [
        `member access for the audit account: ${name}`,
        () => audit({ memberAccess: [name] }),
        `crosstrail:memberAccess[0] = "${name}"`,
        "In the audit account, IAM policies decide who reads logs.",
        "Remove it from Pulumi.audit.yaml.",
      ]),
      [
        "exempt roles where nobody needs MFA",
        () => audit({ mfaExemptRoles: ["exporter"] }),
        'crosstrail:mfaExemptRoles = ["exporter"]',
        "Without crosstrail:requireMfa, MFA is not required, so no role can be exempt from it.",
        "Set crosstrail:requireMfa to true, or remove this key from Pulumi.audit.yaml.",
      ],
      [
        "every role exempt from MFA",
        () => audit({ requireMfa: true, mfaExemptRoles: ["exporter", "*"] }),
        'crosstrail:mfaExemptRoles[1] = "*"',
        "A role name has letters, digits and + = , . @ _ - only.",
        correct,
      ],
      [
        "exempt roles by a pattern",
        () => audit({ requireMfa: true, mfaExemptRoles: ["arn:aws:iam::111111111111:role/ops-*"] }),
        'crosstrail:mfaExemptRoles[0] = "arn:aws:iam::111111111111:role/ops-*"',
        "A role ARN looks like arn:aws:iam::<account>:role/<path and name>, without wildcards.",
        correct,
      ],
      [
        "an exempt role of another partition",
        () => audit({ requireMfa: true, mfaExemptRoles: ["arn:aws-cn:iam::111111111111:role/exporter"] }),
        'crosstrail:mfaExemptRoles[0] = "arn:aws-cn:iam::111111111111:role/exporter"',
        "This role is not in partition aws, and roles in other partitions cannot reach the archive.",
        correct,
      ],
      [
        "a bucket name that S3 refuses",
        () => audit({ bucketName: "My_Logs" }),
        'crosstrail:bucketName = "My_Logs"',
        "A bucket name has lower-case letters, digits, '.' and '-' only.",
        correct,
      ],
      [
        "a trail name of 2 characters",
        () => audit({ trailName: "ct" }),
        trailName.replace("%", "ct"),
        "A trail name has 3 to 128 characters, this has 2.",
        correct,
      ],
      [
        "a trail name with characters that CloudTrail refuses",
        () => audit({ trailName: "my trail" }),
        trailName.replace("%", "my trail"),
        "A trail name has letters, digits, '.', '_' and '-' only.",
        correct,
      ],
      [
        "a trail name with adjacent punctuation",
        () => audit({ trailName: "my-_trail" }),
        trailName.replace("%", "my-_trail"),
        "A trail name has no two of '.', '_' and '-' side by side.",
        correct,
      ],
      [
        "a trail name like an IP address",
        () => audit({ trailName: "192.168.5.4" }),
        trailName.replace("%", "192.168.5.4"),
        "A trail name is not formatted as an IP address.",
        correct,
      ],
      [
        "a member's trail name that CloudTrail refuses",
        () => audit({ members: [payments, { ...web, trailName: "-web" }] }),
        'crosstrail:members[1].trailName = "-web"',
        "A trail name starts and ends with a letter or a digit.",
        correct,
      ],
      [
        "a member's previous trail name that CloudTrail refuses",
        () => audit({ members: [{ ...payments, previousTrailName: "x" }] }),
        'crosstrail:members[0].previousTrailName = "x"',
        "A trail name has 3 to 128 characters, this has 1.",
        correct,
      ],
      [
        "a prefix longer than 200 characters",
        () => audit({ logPrefix: "p".repeat(201) }),
        `crosstrail:logPrefix = "${"p".repeat(201)}"`,
        "A log prefix has at most 200 characters, this has 201.",
        correct,
      ],
      [
        "a prefix that contains AWSLogs/",
        () => audit({ logPrefix: "prod/AWSLogs/eu" }),
        'crosstrail:logPrefix = "prod/AWSLogs/eu"',
        "A log prefix does not contain AWSLogs/: CloudTrail appends AWSLogs/<account> itself.",
        correct,
      ],
      [
        "a Region of no partition",
        () => audit({}, "mars-north-1"),
        'aws:region = "mars-north-1"',
        "mars-north-1 is not a Region in the partitions aws, aws-cn, aws-us-gov.",
        regionRemedy,
      ],
      [
        "a Region that does not exist in the partition",
        () => audit({}, "cn-south-1"),
        'aws:region = "cn-south-1"',
        "Partition aws-cn has no Region of this name; known are cn-north-1, cn-northwest-1.",
        regionRemedy,
      ],
      [
        "a member's home Region of another partition",
        () => audit({ members: [{ ...payments, homeRegion: "cn-north-1" }] }),
        'crosstrail:members[0].homeRegion = "cn-north-1"',
        "Region cn-north-1 is in partition aws-cn, not in aws.",
        regionRemedy,
      ],
      [
        "an extra Region of another partition",
        () => audit({ members: [{ ...payments, homeRegion: "eu-east-9" }], extraRegions: ["eu-east-9"] }, "cn-north-1"),
        'crosstrail:members[0].homeRegion = "eu-east-9"',
        "Partition aws-cn has no Region of this name; known are cn-north-1, cn-northwest-1.",
        regionRemedy,
      ],
      [
        "a contract of another version, given outright",
        () => member({ auditStack: "", contract: { ...contract(), contractVersion: 2 } }),
        "crosstrail:contract.contractVersion = 2",
        "Allowed is 1.",
        "Use the values that `pulumi stack output --json` prints for the audit stack.",
        "payments",
      ],
      [
        "a key given as an alias",
        () =>
          member({
            auditStack: "",
            contract: contract({ keyArn: "arn:aws:kms:us-east-1:111111111111:alias/crosstrail" }),
          }),
        'crosstrail:contract.keyArn = "arn:aws:kms:us-east-1:111111111111:alias/crosstrail"',
        "Use the key's ARN instead of an alias: another account would look up the alias among its own keys.",
        "Use the values that `pulumi stack output --json` prints for the audit stack.",
        "payments",
      ],
      [
        "a key alias with alias/ in front",
        () => audit({ keyAlias: "alias/logs" }),
        'crosstrail:keyAlias = "alias/logs"',
        "Write the alias without the prefix 'alias/'.",
        correct,
      ],
    ];
    for (const [name, parse, subject, message, remedy, stack = "audit"] of cases) {
      it(name, () => {
        refusesOne(parse, stack, subject, message, remedy);
      });
    }
  });

  describe("other mistakes", () => {
    const cases: [string, () => unknown, string, string, string, string][] = [
      [
        "no role",
        () => parseSettings("prod", {}, "us-east-1"),
        "prod",
        "crosstrail:role is not set",
        "The role determines what this stack is; allowed are audit, member and management.",
        "pulumi config set --stack prod role audit   (or member, management; templates: Pulumi.audit.yaml, Pulumi.member.yaml, Pulumi.management.yaml)",
      ],
      [
        "no role, as Pulumi passes it on",
        () => parseSettings("prod", { role: "" }, "us-east-1"),
        "prod",
        "crosstrail:role is not set",
        "The role determines what this stack is; allowed are audit, member and management.",
        "pulumi config set --stack prod role audit   (or member, management; templates: Pulumi.audit.yaml, Pulumi.member.yaml, Pulumi.management.yaml)",
      ],
      [
        "an unknown role",
        () => parseSettings("prod", { role: "Audit" }, "us-east-1"),
        "prod",
        'crosstrail:role = "Audit"',
        "The role determines what this stack is; allowed are audit, member and management.",
        "pulumi config set --stack prod role audit   (or member, management; templates: Pulumi.audit.yaml, Pulumi.member.yaml, Pulumi.management.yaml)",
      ],
      [
        "no Region",
        () => parseSettings("audit", auditConfig, undefined),
        "audit",
        "aws:region is not set",
        "The stack needs a Region: trail ARNs and policies contain it.",
        "pulumi config set --stack audit aws:region <region>",
      ],
      [
        "an audit stack without its account",
        () => audit({ auditAccountId: "" }),
        "audit",
        "crosstrail:auditAccountId is not set",
        "The audit stack must name the account that owns the archive.",
        'Add to Pulumi.audit.yaml:  crosstrail:auditAccountId: "<12 digits>"',
      ],
      [
        "an audit stack without a bucket name",
        () => audit({ bucketName: "" }),
        "audit",
        "crosstrail:bucketName is not set",
        "The log bucket needs a name: policies and trails refer to it.",
        "Add to Pulumi.audit.yaml:  crosstrail:bucketName: <bucket name>",
      ],
      [
        "a member stack without its account",
        () => member({ accountId: "" }),
        "payments",
        "crosstrail:accountId is not set",
        "A member stack must name its account.",
        'Add to Pulumi.payments.yaml:  crosstrail:accountId: "<12 digits>"',
      ],
      [
        "a member stack that follows nobody",
        () => member({ auditStack: "" }),
        "payments",
        "crosstrail:auditStack and crosstrail:contract",
        "Neither is set; the trail needs the audit stack's contract.",
        "pulumi config set --stack payments auditStack <audit stack's name>",
      ],
      [
        "a member stack that follows two",
        () => member({ contract: contract() }),
        "payments",
        "crosstrail:auditStack and crosstrail:contract",
        "Both are set; only one can be used.",
        "Keep one of the two in Pulumi.payments.yaml.",
      ],
      [
        "a trail of a contract that is in another account than its entry",
        () =>
          member({
            auditStack: "",
            contract: contract({ trails: [{ ...contract().trails[0]!, accountId: "444444444444" }] }),
          }),
        "payments",
        'crosstrail:contract.trails[0].trailArn = "arn:aws:cloudtrail:us-east-1:111111111111:trail/crosstrail"',
        "This trail is in account 111111111111, but its entry is for 444444444444.",
        "Use the values that `pulumi stack output --json` prints for the audit stack.",
      ],
      [
        "a misspelled key",
        () => audit({ bucketname: "x" }),
        "audit",
        'crosstrail:bucketname = "x"',
        "This key does not exist.",
        "Did you mean crosstrail:bucketName? Otherwise remove it from Pulumi.audit.yaml.",
      ],
      [
        "a key like no other",
        () => audit({ foo: "x" }),
        "audit",
        'crosstrail:foo = "x"',
        "This key does not exist.",
        "Remove it from Pulumi.audit.yaml.",
      ],
      [
        "a misspelled key of a member",
        () => audit({ members: [{ ...payments, homeregion: "eu-west-1" }] }),
        "audit",
        'crosstrail:members[0].homeregion = "eu-west-1"',
        "This key does not exist.",
        "Did you mean homeRegion? Otherwise remove it from Pulumi.audit.yaml.",
      ],
      [
        "a key of a member like no other",
        () => audit({ members: [{ ...payments, owner: "me" }] }),
        "audit",
        'crosstrail:members[0].owner = "me"',
        "This key does not exist.",
        "Remove it from Pulumi.audit.yaml.",
      ],
      [
        "an audit key in a member stack",
        () => member({ members: [payments] }),
        "payments",
        'crosstrail:members = "[{\\"accountId\\":\\"222222222222\\",\\"alias\\":\\"payments\\"}]"',
        "This key belongs to stacks of role audit; this stack's role is member.",
        "Remove it from Pulumi.payments.yaml.",
      ],
      [
        "a member key in an audit stack",
        () => audit({ auditStack: "audit" }),
        "audit",
        'crosstrail:auditStack = "audit"',
        "This key belongs to stacks of role member and management; this stack's role is audit.",
        "Remove it from Pulumi.audit.yaml.",
      ],
      [
        "a list that is none",
        () => audit({ members: payments }),
        "audit",
        'crosstrail:members = {"accountId":"222222222222","alias":"payments"}',
        "This must be a list.",
        correct,
      ],
      [
        "a member that is only an account",
        () => audit({ members: ["222222222222"] }),
        "audit",
        'crosstrail:members[0] = "222222222222"',
        "This must be a map.",
        correct,
      ],
      [
        "a text where JSON is needed",
        () => audit({ members: "payments" }),
        "audit",
        'crosstrail:members = "payments"',
        "This is not a list.",
        "Write a list in Pulumi.audit.yaml.",
      ],
      [
        "yes for true",
        () => audit({ keepArchive: "yes" }),
        "audit",
        'crosstrail:keepArchive = "yes"',
        "This is not true or false.",
        "Write true or false in Pulumi.audit.yaml.",
      ],
      [
        "0 for false",
        () => audit({ keepArchive: 0 }),
        "audit",
        "crosstrail:keepArchive = 0",
        "This must be true or false.",
        correct,
      ],
      [
        "a key rotation that is too short",
        () => audit({ keyRotationDays: 89 }),
        "audit",
        "crosstrail:keyRotationDays = 89",
        "This must be at least 90.",
        correct,
      ],
      [
        "a key rotation that is too long",
        () => audit({ keyRotationDays: 2561 }),
        "audit",
        "crosstrail:keyRotationDays = 2561",
        "This must be at most 2560.",
        correct,
      ],
      [
        "a key rotation of half a day",
        () => audit({ keyRotationDays: 90.5 }),
        "audit",
        "crosstrail:keyRotationDays = 90.5",
        "This must be a whole number.",
        correct,
      ],
      [
        "a form that does not exist",
        () => audit({ bucketPolicyForm: "organisation" }),
        "audit",
        'crosstrail:bucketPolicyForm = "organisation"',
        "Allowed are auto, perTrail, trailList, trailName, accountList, organization.",
        correct,
      ],
      [
        "an Insight that does not exist",
        () => audit({ insightTypes: ["ApiCallRateInsight", "Everything"] }),
        "audit",
        'crosstrail:insightTypes[1] = "Everything"',
        "Allowed are ApiCallRateInsight, ApiErrorRateInsight.",
        correct,
      ],
      [
        "a tag that is a number",
        () => audit({ tags: { costCentre: 4711 } }),
        "audit",
        "crosstrail:tags.costCentre = 4711",
        "This must be a string (in quotes).",
        correct,
      ],
      [
        "a tag's name that is too long",
        () => audit({ tags: { ["n".repeat(129)]: "x" } }),
        "audit",
        `crosstrail:tags.${"n".repeat(129)} = "x"`,
        "A tag's key has 1 to 128 characters, this has 129.",
        correct,
      ],
      [
        "six event selectors",
        () => audit({ eventSelectors: [{}, {}, {}, {}, {}, {}] }),
        "audit",
        "crosstrail:eventSelectors = [{},{},{},{},{},{}]",
        "A trail has at most 5 event selectors; there are 6.",
        "Merge some of them, or use advancedEventSelectors, which do not have this limit.",
      ],
      [
        "basic and advanced event selectors",
        () =>
          audit({
            eventSelectors: [{ readWriteType: "All" }],
            advancedEventSelectors: [{ fieldSelectors: [{ field: "eventCategory", equals: ["Management"] }] }],
          }),
        "audit",
        'crosstrail:eventSelectors = [{"readWriteType":"All"}]',
        "CloudTrail accepts basic or advanced event selectors on a trail, not both.",
        "Keep eventSelectors or advancedEventSelectors, and remove the other.",
      ],
      [
        "a preset that does not exist",
        () => audit({ events: ["management", "s3"] }),
        "audit",
        'crosstrail:events[1] = "s3"',
        "Allowed are management, s3-data-events, lambda-data-events, everything.",
        correct,
      ],
      [
        "a log group in another account",
        () => audit({ cloudWatchLogs: { groupName: "arn:aws:logs:us-east-1:444444444444:log-group:theirs" } }),
        "audit",
        'crosstrail:cloudWatchLogs.groupName = "arn:aws:logs:us-east-1:444444444444:log-group:theirs"',
        "This log group is in account 444444444444; the log group must be in the trail's own account, where this stack creates it: use a name, not an ARN.",
        correct,
      ],
      [
        "a topic for a trail that is not there",
        () => audit({ auditAccountTrail: false, sns: { encrypted: true } }),
        "audit",
        'crosstrail:sns = {"encrypted":true}',
        "The audit account has no trail of its own to deliver there. Each member stack has this key, too.",
        "Set crosstrail:auditAccountTrail to true, or remove this key from Pulumi.audit.yaml.",
      ],
      [
        "a retention that CloudWatch Logs does not have",
        () => audit({ cloudWatchLogs: { retentionDays: 100 } }),
        "audit",
        "crosstrail:cloudWatchLogs.retentionDays = 100",
        "CloudWatch Logs keeps entries for 0 (forever), 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653 days.",
        correct,
      ],
      [
        "a misspelled field of the log group",
        () => audit({ cloudWatchLogs: { retentionInDays: 90 } }),
        "audit",
        "crosstrail:cloudWatchLogs.retentionInDays = 90",
        "This key does not exist.",
        "Did you mean retentionDays? Otherwise remove it from Pulumi.audit.yaml.",
      ],
      [
        "a FIFO topic",
        () => audit({ sns: { topicName: "deliveries.fifo" } }),
        "audit",
        'crosstrail:sns.topicName = "deliveries.fifo"',
        "CloudTrail only publishes to standard topics, not to FIFO topics.",
        correct,
      ],
      [
        "an event data store that keeps events for a day",
        () => audit({ eventDataStore: { retentionDays: 1 } }),
        "audit",
        "crosstrail:eventDataStore.retentionDays = 1",
        "This must be at least 7.",
        correct,
      ],
      [
        "an event data store with a selector for nothing",
        () =>
          audit({
            eventDataStore: { advancedEventSelectors: [{ fieldSelectors: [{ field: "eventName", equals: ["A"] }] }] },
          }),
        "audit",
        'crosstrail:eventDataStore.advancedEventSelectors[0] = {"fieldSelectors":[{"field":"eventName","equals":["A"]}]}',
        "Each selector needs the field eventCategory with equals; allowed are Management, Data, NetworkActivity, ActivityAuditLog, ConfigurationItem, Evidence, Insight.",
        correct,
      ],
      [
        "an advanced event selector without fields",
        () => audit({ advancedEventSelectors: [{ name: "all", fieldSelectors: [] }] }),
        "audit",
        "crosstrail:advancedEventSelectors[0].fieldSelectors = []",
        "This must have at least 1 element.",
        correct,
      ],
      [
        "a multi-Region trail without global service events",
        () => audit({ includeGlobalServiceEvents: false }),
        "audit",
        'crosstrail:includeGlobalServiceEvents = "false"',
        "A multi-Region trail always includes events of global services; CloudTrail rejects it otherwise.",
        "Set it to true, or also set crosstrail:isMultiRegionTrail to false.",
      ],
    ];
    for (const [name, parse, stack, subject, message, remedy] of cases) {
      it(name, () => refusesOne(parse, stack, subject, message, remedy));
    }

    it("a key whose default another role sees is not a mistake there", () => {
      assert.doesNotThrow(() => member({ keepArchive: true, keyRotationDays: 365, members: [], bucketName: "" }));
    });
  });

  describe("all mistakes at once", () => {
    it("of every kind, in one message", () => {
      const error = errorOf(() =>
        audit(
          {
            auditAccountId: "1",
            bucketName: "No",
            trailNam: "x",
            logPrefix: "/x",
            accountId: "222222222222",
            keepArchive: "no",
            members: [
              { accountId: 2, alias: "Payments", homeRegion: "nowhere", trailname: "x", region: "y" },
              web,
              { accountId: "333333333333", alias: "web", homeRegion: "cn-north-1" },
            ],
          },
          "eu-west-1",
        ),
      );
      assert.deepEqual(
        error.findings.map(({ id, subject }) => `${id}: ${subject}`).sort(),
        [
          'config/unknown-key: crosstrail:trailNam = "x"',
          'config/account-id: crosstrail:auditAccountId = "1"',
          'config/bucket-name: crosstrail:bucketName = "No"',
          'config/log-prefix: crosstrail:logPrefix = "/x"',
          "config/account-id: crosstrail:members[0].accountId = 2",
          'config/alias: crosstrail:members[0].alias = "Payments"',
          'config/value: crosstrail:members[0].trailname = "x"',
          'config/value: crosstrail:members[0].region = "y"',
          'config/type: crosstrail:keepArchive = "no"',
          'config/wrong-role: crosstrail:accountId = "222222222222"',
          'config/region: crosstrail:members[0].homeRegion = "nowhere"',
          'config/duplicate-account: crosstrail:members[2].accountId = "333333333333"',
          'config/duplicate-alias: crosstrail:members[2].alias = "web"',
          'config/region: crosstrail:members[2].homeRegion = "cn-north-1"',
        ].sort(),
      );
      assert.match(error.message, /^Pulumi\.audit\.yaml has 14 mistakes\. Nothing was changed\.\n/);
      for (const finding of error.findings) {
        for (const part of [finding.subject, finding.message, finding.remedy]) assert.ok(error.message.includes(part));
      }
    });

    it("of the contract given outright", () => {
      const error = errorOf(() => member({ auditStack: "", contract: { contractVersion: 1, partition: "aws-iso" } }));
      assert.deepEqual(
        error.findings.map(({ subject, message }) => `${subject}: ${message}`),
        [
          'crosstrail:contract.partition = "aws-iso": Allowed are aws, aws-cn, aws-us-gov.',
          "crosstrail:contract.auditAccountId is not set: This must be a string (in quotes).",
          "crosstrail:contract.bucketName is not set: This must be a string (in quotes).",
          "crosstrail:contract.bucketRegion is not set: This must be a string (in quotes).",
          "crosstrail:contract.logPrefix is not set: This must be a string (in quotes).",
          "crosstrail:contract.keyArn is not set: This must be a string (in quotes).",
          "crosstrail:contract.trails is not set: This must be a list.",
        ],
      );
    });

    it("a misspelled role is said together with the missing one", () => {
      assert.deepEqual(
        errorOf(() => parseSettings("audit", { rol: "audit" }, "us-east-1")).findings.map(({ remedy }) => remedy),
        [
          "Did you mean crosstrail:role? Otherwise remove it from Pulumi.audit.yaml.",
          "pulumi config set --stack audit role audit   (or member, management; templates: Pulumi.audit.yaml, Pulumi.member.yaml, Pulumi.management.yaml)",
        ],
      );
    });

    it("two members with the same mistake in their accounts are not called the same account", () => {
      const error = errorOf(() => audit({ members: [{ alias: "a" }, { alias: "b" }, { accountId: "2" }, {}] }));
      assert.deepEqual(
        error.findings.map(({ subject }) => subject),
        [
          "crosstrail:members[0].accountId is not set",
          "crosstrail:members[1].accountId is not set",
          'crosstrail:members[2].accountId = "2"',
          "crosstrail:members[2].alias is not set",
          "crosstrail:members[3].accountId is not set",
          "crosstrail:members[3].alias is not set",
        ],
      );
    });
  });

  it("never throws anything but a UserError, whatever the values are", () => {
    const text = fc.oneof(
      fc.json(),
      fc.string(),
      fc.constantFrom("", "null", "[null]", "[[]]", '[{"accountId":null}]'),
    );
    const names = keyTable.map(({ name }) => name as string);
    fc.assert(
      fc.property(
        fc.constantFrom("audit", "member"),
        fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), text, { noNullPrototype: true }),
        fc.option(fc.string(), { nil: undefined }),
        (role, raw, region) => {
          try {
            parseSettings("x", { ...raw, role }, region);
          } catch (error) {
            assert.equal((error as Error).name, "UserError", (error as Error).stack);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
