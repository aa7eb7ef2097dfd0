import assert from "node:assert/strict";
import { compile } from "../../../core/evaluate";
import type { TrailDelivery } from "../../../core/requests";
import type { DiagnosedDelivery, Diagnosis } from "../../../core/simulate";
import { diagnose, whyNoDelivery } from "../../../core/simulate";

const trailArn = "arn:aws:cloudtrail:us-east-1:222222222222:trail/acme";
const bucket = "arn:aws:s3:::acme-trail-archive";
const keyArn = "arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const organizationId = "o-exampleorg1";
const trail: TrailDelivery = { trailArn, bucketName: "acme-trail-archive", bucketAccountId: "111111111111", keyArn };
const inOrganization = { world: { organizationOf: () => ({ id: organizationId }) } };

type Statement = Record<string, unknown> & { Condition: Record<string, Record<string, unknown>> };
interface Policies {
  acl: Statement;
  write: Statement;
  encrypt: Statement;
  describe: Statement;
  /** Further statements of the bucket policy. */
  more: Record<string, unknown>[];
  /** Statements that are taken out. */
  without: ("acl" | "write" | "encrypt" | "describe")[];
}

const service = { Service: "cloudtrail.amazonaws.com" };
const good = (): Policies => ({
  acl: {
    Sid: "Acl",
    Effect: "Allow",
    Principal: service,
    Action: "s3:GetBucketAcl",
    Resource: bucket,
    Condition: { StringEquals: { "aws:SourceArn": trailArn } },
  },
  write: {
    Sid: "Write",
    Effect: "Allow",
    Principal: service,
    Action: "s3:PutObject",
    Resource: `${bucket}/AWSLogs/222222222222/*`,
    Condition: { StringEquals: { "aws:SourceArn": trailArn, "s3:x-amz-acl": "bucket-owner-full-control" } },
  },
  encrypt: {
    Sid: "Encrypt",
    Effect: "Allow",
    Principal: service,
    Action: "kms:GenerateDataKey*",
    Resource: "*",
    Condition: {
      StringEquals: { "aws:SourceArn": trailArn },
      StringLike: { "kms:EncryptionContext:aws:cloudtrail:arn": "arn:aws:cloudtrail:*:222222222222:trail/*" },
    },
  },
  describe: {
    Sid: "Describe",
    Effect: "Allow",
    Principal: service,
    Action: "kms:DescribeKey",
    Resource: "*",
    Condition: { StringEquals: { "aws:SourceArn": trailArn } },
  },
  more: [
    {
      Sid: "Tls",
      Effect: "Deny",
      Principal: "*",
      Action: "s3:*",
      Resource: [bucket, `${bucket}/*`],
      Condition: { Bool: { "aws:SecureTransport": "false" } },
    },
  ],
  without: [],
});

const administration = {
  Sid: "Administration",
  Effect: "Allow",
  Principal: { AWS: "arn:aws:iam::111111111111:root" },
  Action: "kms:*",
  Resource: "*",
};
const text = (...statements: unknown[]) => JSON.stringify({ Version: "2012-10-17", Statement: statements });

function policiesOf(change: (policies: Policies) => void): { bucketPolicy: string; keyPolicy: string } {
  const policies = good();
  change(policies);
  const named = (...names: Policies["without"]) =>
    names.filter((name) => !policies.without.includes(name)).map((name) => policies[name]);
  return {
    bucketPolicy: text(...policies.more, ...named("acl", "write")),
    keyPolicy: text(administration, ...named("encrypt", "describe")),
  };
}

const diagnoseChanged = (change: (policies: Policies) => void, more: Partial<TrailDelivery> = {}): Diagnosis =>
  diagnose({ trail: { ...trail, ...more }, ...policiesOf(change) });

const kinds = ({ problems }: Diagnosis): string[] =>
  problems.map(({ policy, kind, statement, points }) => {
    const name = /"(.*)"/.exec(statement)?.[1] ?? statement;
    return `${policy} ${kind} ${name}: ${points.map((point) => point.kind).join(" ")}`;
  });

/** The corrected policies let the trail deliver, by themselves. */
function assertCorrected({ corrected, isEnough }: Diagnosis, given: DiagnosedDelivery): void {
  assert.equal(isEnough, true);
  const { reasons } = whyNoDelivery(
    corrected.bucket ?? given.bucketPolicy ?? undefined,
    corrected.key ?? given.keyPolicy ?? undefined,
    given.trail,
  );
  assert.deepEqual(reasons, []);
}

const deny = (more: Record<string, unknown>) => ({
  Sid: "No",
  Effect: "Deny",
  Principal: "*",
  Action: "s3:*",
  Resource: `${bucket}/*`,
  ...more,
});
const source =
  (name: "acl" | "write" | "encrypt" | "describe", value: unknown, operator = "StringEquals") =>
  (p: Policies) => {
    delete p[name].Condition.StringEquals?.["aws:SourceArn"];
    p[name].Condition[operator] = { ...p[name].Condition[operator], "aws:SourceArn": value };
  };

const mistakes: [
  title: string,
  change: (policies: Policies) => void,
  found: string[],
  says: RegExp,
  more?: Partial<TrailDelivery>,
][] = [
  [
    "the ACL check is missing",
    (p) => p.without.push("acl"),
    ["bucket missing CloudTrailAclCheck: missing"],
    /s3:GetBucketAcl/,
  ],
  [
    "the write statement is missing",
    (p) => p.without.push("write"),
    ["bucket missing CloudTrailWrite: missing"],
    /s3:PutObject/,
  ],
  [
    "DescribeKey is missing",
    (p) => p.without.push("describe"),
    ["key missing CloudTrailDescribeKey: missing"],
    /kms:DescribeKey/,
  ],
  [
    "GenerateDataKey is missing",
    (p) => p.without.push("encrypt"),
    ["key missing CloudTrailEncrypt: missing"],
    /kms:GenerateDataKey/,
  ],
  [
    "Decrypt is missing with an S3 Bucket Key",
    () => undefined,
    ["key missing CloudTrailDecrypt: missing"],
    /kms:Decrypt/,
    { bucketKey: true },
  ],
  [
    "a misspelled action",
    (p) => (p.write.Action = "s3:PutObjects"),
    ["bucket statement Write: action"],
    /"s3:PutObjects"; this request is s3:PutObject/,
  ],
  [
    "another action of the bucket",
    (p) => (p.acl.Action = "s3:GetBucketLocation"),
    ["bucket statement Acl: action"],
    /GetBucketAcl/,
  ],
  [
    "kms:Encrypt in place of GenerateDataKey",
    (p) => (p.encrypt.Action = "kms:Encrypt"),
    ["key statement Encrypt: action"],
    /kms:GenerateDataKey/,
  ],
  [
    "PutObjectAcl only",
    (p) => (p.write.Action = "s3:PutObjectAcl"),
    ["bucket statement Write: action"],
    /PutObjectAcl/,
  ],
  [
    "an account for a principal",
    (p) => (p.write.Principal = { AWS: "222222222222" }),
    ["bucket statement Write: principal"],
    /"222222222222".*the service cloudtrail/,
  ],
  [
    "another service",
    (p) => (p.acl.Principal = { Service: "config.amazonaws.com" }),
    ["bucket statement Acl: principal"],
    /config\.amazonaws\.com/,
  ],
  [
    "a partition in the service's name",
    (p) => (p.write.Principal = { Service: "cloudtrail.amazonaws.com.cn" }),
    ["bucket statement Write: principal"],
    /every partition/,
  ],
  [
    "a Regional service name",
    (p) => (p.describe.Principal = { Service: "cloudtrail.us-east-1.amazonaws.com" }),
    ["key statement Describe: principal"],
    /cloudtrail\.us-east-1/,
  ],
  [
    "the path of another account",
    (p) => (p.write.Resource = `${bucket}/AWSLogs/333333333333/*`),
    ["bucket statement Write: account"],
    /account "333333333333", and the trail delivers for 222222222222/,
  ],
  [
    "a prefix that the trail does not have",
    (p) => (p.write.Resource = `${bucket}/logs/AWSLogs/222222222222/*`),
    ["bucket statement Write: prefix"],
    /prefix "logs".*no prefix/,
  ],
  [
    "no prefix where the trail has one",
    () => undefined,
    ["bucket statement Write: prefix"],
    /no prefix, and the trail delivers with the prefix "logs"/,
    { logPrefix: "logs" },
  ],
  [
    "a prefix in front twice",
    (p) => (p.write.Resource = `${bucket}/logs/logs/AWSLogs/222222222222/*`),
    ["bucket statement Write: prefix"],
    /"logs\/logs"/,
    { logPrefix: "logs" },
  ],
  [
    "another bucket",
    (p) => (p.write.Resource = "arn:aws:s3:::acme-trail-archiv/AWSLogs/222222222222/*"),
    ["bucket statement Write: bucket"],
    /"acme-trail-archiv"/,
  ],
  [
    "another bucket for the ACL",
    (p) => (p.acl.Resource = "arn:aws:s3:::acme"),
    ["bucket statement Acl: bucket"],
    /"acme"/,
  ],
  [
    "another partition",
    (p) => (p.write.Resource = `arn:aws-us-gov:s3:::acme-trail-archive/AWSLogs/222222222222/*`),
    ["bucket statement Write: partition"],
    /"aws-us-gov"/,
  ],
  [
    "the bucket for its objects",
    (p) => (p.write.Resource = bucket),
    ["bucket statement Write: bucket-or-objects"],
    /the bucket itself; this request is about the objects/,
  ],
  [
    "the objects for the bucket",
    (p) => (p.acl.Resource = `${bucket}/*`),
    ["bucket statement Acl: bucket-or-objects"],
    /objects in the bucket; this request is about the bucket/,
  ],
  [
    "no wildcard at the end",
    (p) => (p.write.Resource = `${bucket}/AWSLogs/222222222222/`),
    ["bucket statement Write: path-end"],
    /without \/\*/,
  ],
  [
    "one Region's path",
    (p) => (p.write.Resource = `${bucket}/AWSLogs/222222222222/CloudTrail/eu-west-1/*`),
    ["bucket statement Write: region"],
    /Region "eu-west-1"/,
  ],
  [
    "no digests",
    (p) => (p.write.Resource = `${bucket}/AWSLogs/222222222222/CloudTrail/*`),
    ["bucket statement Write: folder"],
    /CloudTrail-Digest/,
  ],
  [
    "no AWSLogs",
    (p) => (p.write.Resource = `${bucket}/222222222222/*`),
    ["bucket statement Write: path"],
    /no AWSLogs folder/,
  ],
  [
    "an organization's path",
    (p) => (p.write.Resource = `${bucket}/AWSLogs/${organizationId}/*`),
    ["bucket statement Write: organization-path"],
    /organization trail/,
  ],
  [
    "another trail's name",
    source("write", "arn:aws:cloudtrail:us-east-1:222222222222:trail/acne"),
    ["bucket statement Write: trail-name"],
    /trail's name is "acne", and the trail's is "acme"/,
  ],
  [
    "another home Region",
    source("acl", "arn:aws:cloudtrail:eu-west-1:222222222222:trail/acme"),
    ["bucket statement Acl: region"],
    /home Region is "eu-west-1"/,
  ],
  [
    "another account's trail",
    source("write", "arn:aws:cloudtrail:us-east-1:333333333333:trail/acme"),
    ["bucket statement Write: account"],
    /account is "333333333333"/,
  ],
  [
    "another partition's trail",
    source("encrypt", "arn:aws-cn:cloudtrail:us-east-1:222222222222:trail/acme"),
    ["key statement Encrypt: partition"],
    /partition is "aws-cn"/,
  ],
  ["a name for the trail's ARN", source("write", "acme"), ["bucket statement Write: arn"], /not the ARN of a trail/],
  ["the bucket's ARN as the source", source("acl", bucket), ["bucket statement Acl: arn"], /not the ARN of a trail/],
  [
    "a wildcard under StringEquals",
    source("write", "arn:aws:cloudtrail:*:222222222222:trail/*"),
    ["bucket statement Write: wildcard"],
    /ordinary character/,
  ],
  [
    "a wildcard under StringEquals in the encryption context",
    (p) =>
      (p.encrypt.Condition = {
        StringEquals: { ...p.encrypt.Condition.StringEquals, ...p.encrypt.Condition.StringLike },
      }),
    ["key statement Encrypt: wildcard"],
    /kms:EncryptionContext:aws:cloudtrail:arn/,
  ],
  [
    "another account in the encryption context",
    (p) =>
      (p.encrypt.Condition.StringLike = {
        "kms:EncryptionContext:aws:cloudtrail:arn": "arn:aws:cloudtrail:*:333333333333:trail/*",
      }),
    ["key statement Encrypt: account"],
    /"333333333333"/,
  ],
  [
    "another account as the source",
    (p) => (p.acl.Condition = { StringEquals: { "aws:SourceAccount": "333333333333", "aws:SourceArn": trailArn } }),
    ["bucket statement Acl: account", "bucket statement Acl: absent-key"],
    /aws:SourceAccount wants "333333333333"/,
  ],
  [
    "another ACL",
    (p) => Object.assign(p.write.Condition.StringEquals ?? {}, { "s3:x-amz-acl": "private" }),
    ["bucket statement Write: acl"],
    /wants "private"/,
  ],
  [
    "letter case in the ACL",
    (p) => Object.assign(p.write.Condition.StringEquals ?? {}, { "s3:x-amz-acl": "Bucket-Owner-Full-Control" }),
    ["bucket statement Write: case"],
    /Letter case counts/,
  ],
  [
    "a misspelled condition key",
    (p) => (p.acl.Condition = { StringEquals: { "aws:SourceArns": trailArn } }),
    ["bucket statement Acl: key-name"],
    /no request has this condition key/,
  ],
  [
    "the encryption header is demanded",
    (p) => Object.assign(p.write.Condition.StringEquals ?? {}, { "s3:x-amz-server-side-encryption": "aws:kms" }),
    ["bucket statement Write: absent-key"],
    /names no encryption/,
  ],
  [
    "MFA is demanded of CloudTrail",
    (p) => (p.write.Condition.Bool = { "aws:MultiFactorAuthPresent": "true" }),
    ["bucket statement Write: absent-key"],
    /not a principal of an account/,
  ],
  [
    "the caller's account is demanded",
    (p) => (p.encrypt.Condition.StringEquals = { "kms:CallerAccount": "222222222222", "aws:SourceArn": trailArn }),
    ["key undecided Encrypt: undecided"],
    /kms:CallerAccount/,
  ],
  [
    "an encryption context for DescribeKey",
    (p) => (p.describe.Condition = { ...p.encrypt.Condition }),
    ["key statement Describe: absent-key"],
    /kms:DescribeKey has no encryption context/,
  ],
  [
    "a negated operator",
    source("write", trailArn, "ArnNotLike"),
    ["bucket statement Write: operator"],
    /holds for every value except/,
  ],
  [
    "another key",
    (p) => (p.encrypt.Resource = keyArn.replace("1234abcd", "9999abcd")),
    ["key statement Encrypt: key"],
    /another key/,
  ],
  [
    "a Deny of other sources",
    (p) => p.more.push(deny({ Condition: { ArnNotEquals: { "aws:SourceArn": trailArn.replace("acme", "other") } } })),
    ["bucket denied No: deny-list"],
    /denies|Add "arn/,
  ],
  [
    "a Deny of everything else than SSE-S3",
    (p) =>
      p.more.push(
        deny({
          Action: "s3:PutObject",
          Condition: {
            StringNotEquals: { "s3:x-amz-server-side-encryption": "AES256" },
            Null: { "s3:x-amz-server-side-encryption": "false" },
          },
        }),
      ),
    ["bucket denied No: deny-list"],
    /aws:kms/,
  ],
  [
    "a Deny of files without encryption",
    (p) =>
      p.more.push(deny({ Action: "s3:PutObject", Condition: { Null: { "s3:x-amz-server-side-encryption": "true" } } })),
    ["bucket denied No: deny-exemption"],
    /no exemption for AWS services/,
  ],
  [
    "a Deny outside of the organization",
    (p) => p.more.push(deny({ Condition: { StringNotEquals: { "aws:PrincipalOrgID": organizationId } } })),
    ["bucket denied No: deny-exemption"],
    /BoolIfExists/,
  ],
  [
    "a Deny with NotPrincipal",
    (p) =>
      p.more.push({
        Sid: "No",
        Effect: "Deny",
        NotPrincipal: { AWS: "arn:aws:iam::111111111111:root" },
        Action: "s3:*",
        Resource: `${bucket}/*`,
      }),
    ["bucket denied No: deny-principal"],
    /NotPrincipal/,
  ],
  [
    "TLS turned around",
    (p) => p.more.push(deny({ Condition: { Bool: { "aws:SecureTransport": "true" } } })),
    ["bucket denied No: deny-inverted"],
    /requests with TLS/,
  ],
];

describe("why a trail cannot deliver", () => {
  it("has nothing to say about policies that let it", () => {
    const found = diagnoseChanged(() => undefined);
    assert.deepEqual([found.verdict, found.problems, found.corrected, found.notes], ["delivers", [], {}, []]);
    assert.deepEqual(found.asked, ["bucket", "key"]);
    assert.ok(found.requests.length >= 7 && found.requests.every(({ answer }) => answer === "allowed"));
  });

  for (const [title, change, found, says, more] of mistakes) {
    it(`${title}: ${found.join(", ")}`, () => {
      const diagnosis = diagnoseChanged(change, more);
      const isOpen = found.some((each) => / undecided /.test(each));
      // Nobody knows for certain that AWS has no key of that name.
      const isUnlisted = found.some((each) => each.endsWith(": key-name"));
      assert.equal(diagnosis.verdict, isOpen || isUnlisted ? "undecided" : "refused");
      assert.deepEqual(kinds(diagnosis), found);
      const [point] = diagnosis.problems.flatMap(({ points }) => points);
      assert.match(`${point?.message} ${point?.fix}`, says);
      if (isOpen) return;
      assert.ok(diagnosis.problems.every(({ corrected }) => corrected !== undefined));
      assertCorrected(diagnosis, { trail: { ...trail, ...more }, ...policiesOf(change) });
    });
  }

  it("plants enough mistakes", () => {
    assert.ok(mistakes.length >= 40, String(mistakes.length));
  });

  it("several mistakes come in the order in which to fix them, those of a statement together", () => {
    const diagnosis = diagnoseChanged((p) => {
      p.acl.Action = "s3:GetBucketLocation";
      p.write.Principal = { AWS: "*" };
      p.write.Resource = `${bucket}/logs/AWSLogs/222222222222/*`;
      source("write", "arn:aws:cloudtrail:eu-west-1:222222222222:trail/acme")(p);
      p.without.push("describe");
      p.more.push(deny({ Condition: { Null: { "s3:x-amz-server-side-encryption": "true" } } }));
    });
    assert.deepEqual(kinds(diagnosis), [
      "bucket statement Acl: action",
      "bucket denied No: deny-exemption",
      "bucket statement Write: prefix region",
      "key missing CloudTrailDescribeKey: missing",
    ]);
    assert.equal(diagnosis.isEnough, true);
  });

  it("another trail's statements are not the ones to change: it gets one of its own", () => {
    const policies = policiesOf(() => undefined);
    const other = { ...trail, trailArn: "arn:aws:cloudtrail:us-east-1:333333333333:trail/acme" };
    const given = { trail: other, ...policies };
    const diagnosis = diagnose(given);
    assertCorrected(diagnosis, given);
    // The first trail still delivers, too.
    assertCorrected(diagnosis, { ...given, trail });
  });

  it("no policy at all: every statement is missing", () => {
    const given = { trail, bucketPolicy: null, keyPolicy: null };
    const diagnosis = diagnose(given);
    assert.deepEqual(
      diagnosis.problems.map(({ kind, statement }) => `${kind} ${statement}`),
      [
        "missing CloudTrailAclCheck",
        "missing CloudTrailWrite",
        "missing CloudTrailDescribeKey",
        "missing CloudTrailEncrypt",
      ],
    );
    assertCorrected(diagnosis, given);
  });

  it("an organization trail needs its two paths", () => {
    const management = { ...trail, organizationId, memberAccountIds: ["444444444444"] };
    const given = { trail: management, ...policiesOf(() => undefined) };
    const diagnosis = diagnose(given);
    assert.deepEqual(kinds(diagnosis), ["bucket statement Write: organization-path"]);
    assertCorrected(diagnosis, given);
    const enough = policiesOf((p) => (p.write.Resource = [p.write.Resource, `${bucket}/AWSLogs/${organizationId}/*`]));
    assert.equal(diagnose({ trail: management, ...enough }).verdict, "delivers");
  });

  it("of what was not given nothing is asked", () => {
    const { bucketPolicy } = policiesOf(() => undefined);
    const { asked, requests, verdict } = diagnose({ trail, bucketPolicy });
    assert.deepEqual([asked, verdict], [["bucket"], "delivers"]);
    assert.ok(requests.every(({ target }) => target === "bucket"));
  });

  it("a document that AWS refuses is neither a yes nor a no", () => {
    for (const bucketPolicy of ["{", text({ Effect: "allow", Principal: "*", Action: "s3:*", Resource: "*" })]) {
      const { verdict, problems, isEnough } = diagnose({ trail, bucketPolicy });
      assert.deepEqual([verdict, problems[0]?.kind, isEnough], ["undecided", "invalid", false]);
    }
  });

  it("what depends on an unknown value is undecided, with the key that would decide", () => {
    const policies = policiesOf((p) => {
      p.write.Condition = {
        StringEquals: { "aws:SourceOrgID": organizationId, "s3:x-amz-acl": "bucket-owner-full-control" },
      };
    });
    const unknown = diagnose({ trail, ...policies });
    assert.equal(unknown.verdict, "undecided");
    assert.deepEqual(kinds(unknown), ["bucket undecided Write: undecided"]);
    assert.match(unknown.problems[0]?.points[0]?.message ?? "", /aws:SourceOrgID/);
    assert.equal(diagnose({ trail: { ...trail, ...inOrganization }, ...policies }).verdict, "delivers");
    const outside = { world: { organizationOf: () => "none" as const } };
    const refused = diagnose({ trail: { ...trail, ...outside }, ...policies });
    assert.match(refused.problems[0]?.points[0]?.message ?? "", /"Write"\), is restricted by aws:SourceOrgID alone/);
    assert.deepEqual([refused.verdict, kinds(refused)], ["refused", ["bucket missing CloudTrailWrite: missing"]]);
  });

  it("a policy that lets it, and more than it should, gets notes", () => {
    const loose = diagnoseChanged((p) => {
      p.acl.Condition = undefined as never;
      p.write.Condition = { StringEquals: { "aws:SourceArn": trailArn } };
    });
    assert.equal(loose.verdict, "delivers");
    assert.deepEqual(
      loose.notes.map(({ id, subject }) => `${id} ${subject}`),
      ['policy/confused-deputy statement 2 ("Acl")', 'explain/no-acl statement 3 ("Write")'],
    );
  });

  it("a resource control policy that stops an account outside of the organization is named", () => {
    const perimeter = compile(
      text({
        Sid: "ServicesOnlyForTheOrganization",
        Effect: "Deny",
        Principal: "*",
        Action: ["s3:*", "kms:*"],
        Resource: "*",
        Condition: {
          StringNotEqualsIfExists: { "aws:SourceOrgID": organizationId },
          Null: { "aws:SourceAccount": "false" },
          Bool: { "aws:PrincipalIsAWSService": "true" },
        },
      }),
      "rcp",
      "perimeter.json",
    );
    const policies = policiesOf(() => undefined);
    const outside = { ...trail, world: { organizationOf: () => "none" as const } };
    const resourceControlPolicies = [perimeter];
    const diagnosis = diagnose({ trail: outside, ...policies, resourceControlPolicies });
    assert.equal(diagnosis.verdict, "refused");
    assert.deepEqual(
      diagnosis.problems.map(({ policy, statement, points }) => [policy, statement, points[0]?.kind]),
      [["rcp", 'statement 1 ("ServicesOnlyForTheOrganization") of perimeter.json', "outside"]],
    );
    assert.match(diagnosis.problems[0]?.points[0]?.fix ?? "", /add 222222222222 to aws:SourceAccount/);
    assert.equal(
      diagnose({ trail: { ...trail, ...inOrganization }, ...policies, resourceControlPolicies }).verdict,
      "delivers",
    );
    const owned = { resourceControlPolicies, managementAccountId: "111111111111" };
    assert.equal(diagnose({ trail: outside, ...policies, ...owned }).verdict, "delivers");
  });
});
