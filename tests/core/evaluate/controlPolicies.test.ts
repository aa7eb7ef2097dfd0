import assert from "node:assert/strict";
import type {
  AccessRequest,
  Caller,
  Decision,
  Policies,
  PolicyDocument,
  Statement,
} from "../../../core/evaluate/index";
import { compile, evaluate, judge } from "../../../core/evaluate/index";
import {
  administrator,
  allow,
  anonymous,
  away,
  cloudTrail,
  deny,
  home,
  policy,
  request,
  root,
  session,
  user,
} from "./support";

const organization = "o-exampleorg1";
const management = "555555555555";
const partner = "666666666666";

/**
 * The identity perimeter of AWS's published samples, in our words: only the organization's identities, and services for
 * it.
 */
const identityPerimeter = policy(
  {
    Sid: "OnlyIdentitiesOfTheOrganization",
    Effect: "Deny",
    Principal: "*",
    Action: ["s3:*", "kms:*", "sts:AssumeRole"],
    Resource: "*",
    Condition: {
      StringNotEqualsIfExists: {
        "aws:PrincipalOrgID": organization,
        "aws:PrincipalAccount": [partner],
        "aws:ResourceTag/exempt": "true",
      },
      BoolIfExists: { "aws:PrincipalIsAWSService": "false" },
    },
  },
  {
    Sid: "ServicesOnlyForTheOrganization",
    Effect: "Deny",
    Principal: "*",
    Action: ["s3:*", "kms:*", "sts:*"],
    Resource: "*",
    Condition: {
      StringNotEqualsIfExists: { "aws:SourceOrgID": organization, "aws:SourceAccount": [partner] },
      Null: { "aws:SourceAccount": "false" },
      Bool: { "aws:PrincipalIsAWSService": "true" },
    },
  },
);

/** The network perimeter of the same samples. */
const networkPerimeter = policy(
  deny({
    Sid: "OnlyOurNetwork",
    Condition: {
      NotIpAddressIfExists: { "aws:SourceIp": "192.0.2.0/24" },
      StringNotEqualsIfExists: { "aws:SourceVpc": "vpc-1" },
      BoolIfExists: { "aws:PrincipalIsAWSService": "false", "aws:ViaAWSService": "false" },
    },
  }),
);

const tlsOnly = policy(deny({ Sid: "TlsOnly", Condition: { BoolIfExists: { "aws:SecureTransport": "false" } } }));

const fullAccess = policy({ Effect: "Allow", Principal: "*", Action: "*", Resource: "*" });
const everything = policy(allow());
const ask = (given: Partial<AccessRequest>, policies: Policies): Decision =>
  evaluate(request(given), { resourcePolicy: everything, identityPolicies: [administrator], ...policies });

const delivery = (accountId: string, organizationId?: string): Partial<AccessRequest> => ({
  caller: cloudTrail,
  action: "s3:PutObject",
  context: {
    "aws:SourceAccount": accountId,
    ...(organizationId !== undefined && { "aws:SourceOrgID": organizationId }),
  },
});
const person = (caller: Caller, organizationId?: string): Partial<AccessRequest> => ({
  caller,
  context: organizationId === undefined ? {} : { "aws:PrincipalOrgID": organizationId },
});
const serviceLinked: Caller = {
  ...session(home, "AWSServiceRoleForSupport"),
  roleArn: `arn:aws:iam::${home}:role/aws-service-role/support.amazonaws.com/AWSServiceRoleForSupport`,
};

describe("resource control policies", () => {
  const rows: [title: string, given: Partial<AccessRequest>, rcp: PolicyDocument, deniedBy?: string][] = [
    ["a trail of the organization", delivery(away, organization), identityPerimeter],
    ["a trail of an account outside", delivery(away), identityPerimeter, "ServicesOnlyForTheOrganization"],
    [
      "a trail of another organization",
      delivery(away, "o-another0000"),
      identityPerimeter,
      "ServicesOnlyForTheOrganization",
    ],
    ["a trail of an exempt account", delivery(partner), identityPerimeter],
    ["a service on its own behalf", { caller: cloudTrail }, identityPerimeter],
    ["a user of the organization", person(user(home), organization), identityPerimeter],
    ["a user outside", person(user(away)), identityPerimeter, "OnlyIdentitiesOfTheOrganization"],
    ["a user of an exempt account", person(user(partner)), identityPerimeter],
    ["a root user outside", person(root(away)), identityPerimeter, "OnlyIdentitiesOfTheOrganization"],
    [
      "the root user of the resource's own account",
      person(root(home)),
      identityPerimeter,
      "OnlyIdentitiesOfTheOrganization",
    ],
    ["nobody", { caller: anonymous }, identityPerimeter, "OnlyIdentitiesOfTheOrganization"],
    ["a service-linked role", person(serviceLinked), identityPerimeter],
    ["a trail, on the network", delivery(away), networkPerimeter],
    ["a user at home", { context: { "aws:SourceIp": "192.0.2.1" } }, networkPerimeter],
    ["a user elsewhere", { context: { "aws:SourceIp": "198.51.100.1" } }, networkPerimeter, "OnlyOurNetwork"],
    ["TLS", { context: { "aws:SecureTransport": "true" } }, tlsOnly],
    ["no TLS", { caller: cloudTrail, context: { "aws:SecureTransport": "false" } }, tlsOnly, "TlsOnly"],
  ];
  for (const [title, given, rcp, deniedBy] of rows) {
    it(`${title}: ${deniedBy ?? "not restricted"}`, () => {
      assert.equal(ask(given, {}).allowed, true, "without the policy it is allowed");
      const decision = ask(given, { resourceControlPolicies: [fullAccess, rcp], managementAccountId: management });
      assert.equal(decision.allowed, deniedBy === undefined);
      if (deniedBy === undefined) return;
      assert.equal(decision.reason, "explicitDeny");
      assert.deepEqual([decision.decidedBy?.policy, decision.decidedBy?.sid], ["rcp", deniedBy]);
      assert.ok(
        decision.explanation.includes(`("${deniedBy}") of resource control policy 2 denies it`),
        decision.explanation,
      );
    });
  }

  it("never hold for what the management account owns", () => {
    const given = delivery(away);
    const policies = { resourceControlPolicies: [identityPerimeter], managementAccountId: home };
    assert.equal(ask(given, policies).allowed, true);
    assert.equal(ask(given, { ...policies, managementAccountId: management }).allowed, false);
  });

  it("hold for the root user's way back to a bucket policy, which the bucket policy itself cannot close", () => {
    const given = { caller: root(home), action: "s3:DeleteBucketPolicy", resource: "arn:aws:s3:::logs" };
    const closed = policy(deny());
    assert.equal(ask(given, { resourcePolicy: closed }).allowed, true);
    assert.equal(ask(given, { resourcePolicy: closed, resourceControlPolicies: [policy(deny())] }).allowed, false);
  });

  it("are called by their names", () => {
    const named = compile(identityPerimeter, "rcp", "perimeter.json");
    const { explanation } = ask(delivery(away), { resourceControlPolicies: [named] });
    assert.match(
      explanation,
      /of the resource control policy perimeter\.json denies it, because aws:SourceOrgID is absent/,
    );
  });

  const invalid: [title: string, statement: Statement, id: string][] = [
    ["allow something", allow(), "policy/rcp"],
    ["have NotAction", deny({ NotAction: "s3:*" }), "policy/rcp"],
    ["have NotPrincipal", deny({ NotPrincipal: { AWS: home } }), "policy/rcp"],
    ["name a principal", deny({ Principal: { AWS: home } }), "policy/rcp"],
    ["have no Principal", { Effect: "Deny", Action: "s3:*", Resource: "*" }, "policy/principal-missing"],
  ];
  for (const [title, statement, id] of invalid) {
    it(`cannot ${title}: nothing is decided by such a policy`, () => {
      const broken = title === "allow something" ? { ...statement, Action: "s3:GetObject" } : statement;
      const decision = ask({}, { resourceControlPolicies: [policy(broken)] });
      assert.deepEqual([decision.reason, decision.allowed, decision.findings?.[0]?.id], ["notEvaluated", false, id]);
    });
  }

  it('may name everyone as {"AWS": "*"}, and RCPFullAWSAccess may be among them', () => {
    const other = policy(deny({ Principal: { AWS: "*" }, Action: "s3:PutObject" }));
    assert.equal(ask({}, { resourceControlPolicies: [fullAccess, other] }).allowed, true);
    assert.equal(ask({ action: "s3:PutObject" }, { resourceControlPolicies: [fullAccess, other] }).allowed, false);
  });
});

describe("service control policies", () => {
  const noDeletion = policy({ Sid: "NoDeletion", Effect: "Deny", Action: "s3:Delete*", Resource: "*" });
  const remove = { action: "s3:DeleteObject" };
  const rows: [title: string, given: Partial<AccessRequest>, isRestricted: boolean][] = [
    ["a user", { ...remove, caller: user(home) }, true],
    ["a role's session", { ...remove, caller: session(home) }, true],
    ["the root user", { ...remove, caller: root(home) }, true],
    ["another action", { caller: user(home) }, false],
    ["a service", { ...remove, caller: cloudTrail }, false],
    ["a service-linked role", { ...remove, caller: serviceLinked }, false],
    ["nobody", { ...remove, caller: anonymous }, false],
    ["a user of the management account", { ...remove, caller: user(management) }, false],
    ["the root user of the management account", { ...remove, caller: root(management) }, false],
  ];
  for (const [title, given, isRestricted] of rows) {
    it(`${title}: ${isRestricted ? "restricted" : "not restricted"}`, () => {
      const policies = { serviceControlPolicies: [noDeletion], managementAccountId: management };
      assert.equal(ask(given, {}).allowed, true);
      const decision = ask(given, policies);
      assert.equal(decision.allowed, !isRestricted);
      assert.equal(
        judge(request(given), { resourcePolicy: everything, identityPolicies: [administrator], ...policies }).allowed,
        !isRestricted,
      );
      if (isRestricted) assert.match(decision.explanation, /\("NoDeletion"\) of service control policy 1 denies it/);
    });
  }

  it("that allow something replace FullAWSAccess: what none of them allows is refused, even to the root user", () => {
    const reading = policy({ Sid: "Reading", Effect: "Allow", Action: "s3:Get*", Resource: "*" });
    const serviceControlPolicies = [compile(noDeletion, "scp"), compile(reading, "scp", "reading.json")];
    const level = [serviceControlPolicies];
    assert.equal(ask({}, { serviceControlPolicies: level }).allowed, true);
    assert.equal(ask({ action: "s3:PutObject" }, { serviceControlPolicies: level }).allowed, false);
    // Each level must allow: what another one allows does not count.
    const everything = policy({ Effect: "Allow", Action: "*", Resource: "*" });
    assert.equal(ask({}, { serviceControlPolicies: [serviceControlPolicies, everything] }).allowed, true);
    for (const levels of [
      [serviceControlPolicies, everything],
      [everything, serviceControlPolicies],
    ]) {
      const decision = ask({ action: "s3:PutObject" }, { serviceControlPolicies: levels });
      assert.deepEqual([decision.allowed, decision.missing], [false, ["scp"]]);
    }
    // A level that only denies has FullAWSAccess beside it.
    assert.equal(ask({}, { serviceControlPolicies: [noDeletion, serviceControlPolicies] }).allowed, true);
    for (const caller of [user(home), root(home)]) {
      const decision = ask({ caller, action: "s3:PutObject" }, { serviceControlPolicies });
      assert.deepEqual([decision.reason, decision.missing], ["implicitDeny", ["scp"]]);
      assert.match(
        decision.explanation,
        /nothing allows it: not the service control policies; nearest is statement 1 \("Reading"\) of the service control policy reading\.json/,
      );
    }
    const full = policy({ Effect: "Allow", Action: "*", Resource: "*" });
    assert.equal(
      ask({ action: "s3:PutObject" }, { serviceControlPolicies: [[...serviceControlPolicies, full]] }).allowed,
      true,
    );
  });

  it("give nothing by themselves", () => {
    const full = policy({ Effect: "Allow", Action: "*", Resource: "*" });
    assert.equal(evaluate(request(), { serviceControlPolicies: [full] }).allowed, false);
  });

  it("cannot have a Principal", () => {
    const decision = ask({}, { serviceControlPolicies: [policy(deny())] });
    assert.deepEqual([decision.reason, decision.findings?.[0]?.id], ["notEvaluated", "policy/principal-in-identity"]);
  });
});
