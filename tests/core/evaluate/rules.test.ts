import assert from "node:assert/strict";
import type { AccessRequest, Caller, Policies, Principal, Statement } from "../../../core/evaluate/index";
import { compile, evaluate } from "../../../core/evaluate/index";
import {
  administrator,
  allow,
  anonymous,
  away,
  bucket,
  cloudTrail,
  decide,
  deny,
  home,
  key,
  policy,
  request,
  role,
  root,
  session,
  user,
} from "./support";

const bob = user(home);
const reader = session(home);
const pathRole: Caller = { ...reader, roleArn: `arn:aws:iam::${home}:role/team/Reader` };
const unnamed: Caller = { kind: "account", accountId: home };
const arn = (caller: Caller): string => caller.arn ?? "";

describe("principals", () => {
  const roleArn = `arn:aws:iam::${home}:role/Reader`;
  const rows: [principal: Principal, caller: Caller, matches: boolean][] = [
    ["*", bob, true],
    ["*", cloudTrail, true],
    ["*", anonymous, true],
    [{ AWS: "*" }, cloudTrail, true],
    [{ AWS: "*" }, anonymous, true],
    [{ AWS: arn(bob) }, bob, true],
    [{ AWS: arn(bob) }, user(home, "Bobby"), false],
    [{ AWS: arn(bob) }, user(away), false],
    [{ AWS: arn(bob) }, anonymous, false],
    [{ AWS: arn(bob) }, unnamed, false],
    [{ AWS: [arn(bob), arn(reader)] }, reader, true],
    [{ AWS: arn(reader) }, { kind: "account", arn: `${arn(reader)}2` }, false],
    // A session is its role's, whatever the role's path; unless the role is known to have another one.
    [{ AWS: roleArn }, reader, true],
    [{ AWS: `arn:aws:iam::${home}:role/team/Reader` }, reader, true],
    [{ AWS: `arn:aws:iam::${home}:role/team/Reader` }, pathRole, true],
    [{ AWS: roleArn }, pathRole, false],
    [{ AWS: roleArn }, { kind: "account", arn: roleArn }, true],
    [{ AWS: roleArn }, session(away), false],
    [{ AWS: arn(reader) }, { kind: "account", arn: roleArn }, false],
    [{ Service: "cloudtrail.amazonaws.com" }, cloudTrail, true],
    [{ Service: ["config.amazonaws.com", "cloudtrail.amazonaws.com"] }, cloudTrail, true],
    [{ Service: "config.amazonaws.com" }, cloudTrail, false],
    [{ Service: "cloudtrail.amazonaws.com" }, bob, false],
    [{ AWS: home }, cloudTrail, false],
    [{ CanonicalUser: "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be" }, bob, false],
    [{ Federated: "cognito-identity.amazonaws.com" }, bob, false],
    [{ AWS: "AIDACKCEVSQ6C2EXAMPLE" }, bob, false],
    [{ AWS: arn(bob).replace("arn:aws:", "arn:aws-cn:") }, bob, false],
  ];
  for (const [Principal, caller, matches] of rows) {
    const who = caller.roleArn ?? caller.arn ?? caller.service ?? caller.accountId ?? caller.kind;
    it(`${JSON.stringify(Principal)} ${matches ? "is" : "is not"} ${who}`, () => {
      assert.equal(decide(request({ caller }), allow({ Principal })).allowed, matches);
      assert.equal(decide(request({ caller }), allow(), deny({ Principal })).reason === "explicitDeny", matches);
    });
  }

  it("an account is all its principals, for a Deny at once, for an Allow with their identity policies", () => {
    for (const AWS of [home, `arn:aws:iam::${home}:root`]) {
      for (const caller of [bob, reader, unnamed]) {
        assert.equal(decide(request({ caller }), allow(), deny({ Principal: { AWS } })).reason, "explicitDeny");
        assert.equal(decide(request({ caller }), allow({ Principal: { AWS } })).allowed, false);
        assert.equal(
          evaluate(request({ caller }), {
            resourcePolicy: policy(allow({ Principal: { AWS } })),
            identityPolicies: [administrator],
          }).allowed,
          true,
        );
      }
    }
    assert.equal(decide(request(), allow(), deny({ Principal: { AWS: away } })).allowed, true);
    const china = `arn:aws-cn:iam::${home}:root`;
    assert.equal(decide(request(), allow(), deny({ Principal: { AWS: china } })).allowed, true);
  });

  it("a Deny with NotPrincipal spares whom it lists with the account, as AWS recommends, and services and accounts by name", () => {
    const spared = (AWS: string[] | undefined, Service: string | undefined, caller: Caller): boolean => {
      const NotPrincipal = { ...(AWS ? { AWS } : {}), ...(Service ? { Service } : {}) };
      return decide(request({ caller }), allow(), deny({ NotPrincipal })).allowed;
    };
    assert.equal(spared([home, arn(bob)], undefined, bob), true);
    assert.equal(spared([arn(bob)], undefined, bob), false);
    assert.equal(spared([home], undefined, bob), false);
    assert.equal(spared([home], undefined, root(home)), true);
    assert.equal(spared([home, `arn:aws:iam::${home}:role/Reader`], undefined, reader), true);
    assert.equal(spared([home, arn(reader)], undefined, reader), false);
    assert.equal(spared(["*"], undefined, bob), true);
    assert.equal(spared([home, arn(bob)], undefined, cloudTrail), false);
    assert.equal(spared(undefined, "cloudtrail.amazonaws.com", cloudTrail), true);
    assert.equal(spared([home], "cloudtrail.amazonaws.com", anonymous), false);
  });

  it("an Allow with NotPrincipal allows everyone else", () => {
    const allowed = (AWS: string, caller: Caller): boolean =>
      decide(request({ caller }), allow({ NotPrincipal: { AWS } })).allowed;
    assert.equal(allowed(arn(bob), user(home, "Eve")), true);
    assert.equal(allowed(arn(bob), anonymous), true);
    assert.equal(allowed(arn(bob), bob), false);
    assert.equal(allowed(home, bob), false);
  });
});

describe("actions and resources", () => {
  const matches = (statement: Partial<Statement>, more: Partial<AccessRequest> = {}): boolean =>
    decide(request(more), allow(statement)).allowed;

  it("actions have no letter case, and wildcards", () => {
    for (const Action of [
      "*",
      "s3:*",
      "s3:GetObject",
      "S3:getobject",
      "s3:Get*",
      "s3:GetObjec?",
      "s?:*",
      ["s3:PutObject", "s3:GetObject"],
    ]) {
      assert.equal(matches({ Action }), true, String(Action));
    }
    for (const Action of ["s3:GetObjectAcl", "s3:GetObject?", "s3:Put*", "kms:*", "s3:Object"]) {
      assert.equal(matches({ Action }), false, Action);
    }
    assert.equal(matches({ Action: "s3:GetObject" }, { action: "S3:GETOBJECT" }), true);
  });

  it("NotAction and NotResource take everything else", () => {
    assert.equal(matches({ NotAction: "s3:PutObject" }), true);
    assert.equal(matches({ NotAction: ["s3:PutObject", "s3:Get*"] }), false);
    assert.equal(matches({ NotResource: `${bucket}/b/*` }), true);
    assert.equal(matches({ NotResource: [`${bucket}/b/*`, `${bucket}/a/*`] }), false);
  });

  it("resources have letter case, and wildcards within a part or from its end on", () => {
    for (const Resource of [
      "*",
      "arn:aws:s3:::*",
      `${bucket}/*`,
      `${bucket}/a/b`,
      `${bucket}/?/b`,
      "arn:aws:s3:::l*s/*b",
      "arn:*",
      "arn:aws:s3*",
      "arn:*:s3:::logs/a/b",
      "arn:aws*:s3:::logs/*",
    ]) {
      assert.equal(matches({ Resource }), true, Resource);
    }
    for (const Resource of [
      bucket,
      `${bucket}/a`,
      `${bucket}/A/b`,
      "arn:aws:s3:::logs?/a/b",
      "arn:aws:s3:::*/b/c",
      "arn:a?x:s3:::logs/a/b",
    ]) {
      assert.equal(matches({ Resource }), false, Resource);
    }
    const resource = `arn:aws:kms:eu-west-1:${home}:key/eu-1:${home}:key/x`;
    assert.equal(
      matches({ Resource: `arn:aws:kms:eu-*1:${home}:key/x` }, { resource }),
      false,
      "stays within its part",
    );
    assert.equal(matches({ Resource: `${bucket}/a*.gz` }, { resource: `${bucket}/a:b.gz` }), true, "colons of a name");
  });

  it("policy variables: a value, a default, and the characters themselves", () => {
    const at = (Resource: string, name: string, more: Partial<AccessRequest> = {}): boolean =>
      matches({ Resource: `${bucket}/${Resource}` }, { resource: `${bucket}/${name}`, ...more });
    assert.equal(at("${aws:username}/*", "Bob/x"), true);
    assert.equal(at("${AWS:UserName}/*", "Bob/x"), true);
    assert.equal(at("${aws:username}/*", "Eve/x"), false);
    assert.equal(at("${aws:PrincipalTag/team, 'all'}/*", "all/x"), true);
    assert.equal(
      at("${aws:PrincipalTag/team, 'all'}/*", "red/x", { context: { "aws:PrincipalTag/team": "red" } }),
      true,
    );
    assert.equal(at("${aws:PrincipalTag/team, 'a}b*'}", "a}b*"), true);
    assert.equal(at("${aws:PrincipalTag/team, 'a*'}", "ab"), false, "a default has no wildcards");
    assert.equal(at("${*}${?}${$}{x}", "*?${x}"), true);
    assert.equal(at("${*}", "anything"), false);
    assert.equal(at("$x{y}$", "$x{y}$"), true);
  });

  it("a value never acts as a wildcard", () => {
    const context = { "aws:PrincipalTag/team": "*" };
    const Resource = `${bucket}/\${aws:PrincipalTag/team}/x`;
    assert.equal(matches({ Resource }, { context, resource: `${bucket}/secret/x` }), false);
    assert.equal(matches({ Resource }, { context, resource: `${bucket}/*/x` }), true);
  });

  it("a variable without exactly one value matches nothing, and under NotResource counts against the request", () => {
    const Resource = `${bucket}/\${aws:PrincipalTag/team}/*`;
    for (const context of [{}, { "aws:PrincipalTag/team": ["a", "b"] }]) {
      assert.equal(matches({ Resource }, { context }), false);
      assert.equal(matches({ NotResource: Resource }, { context }), false);
      assert.equal(decide(request({ context }), allow(), deny({ NotResource: Resource })).allowed, false);
      assert.equal(decide(request({ context }), allow(), deny({ Resource })).allowed, true);
    }
  });

  it("before version 2012-10-17 a variable is ordinary text", () => {
    for (const Version of ["2008-10-17", undefined]) {
      const Statement = allow({ Resource: `${bucket}/\${aws:username}/*` });
      const at = (resource: string): boolean =>
        evaluate(request({ resource }), { resourcePolicy: { Version, Statement } }).allowed;
      assert.equal(at(`${bucket}/Bob/x`), false);
      assert.equal(at(`${bucket}/\${aws:username}/x`), true);
    }
  });
});

describe("who must allow", () => {
  const decision = (more: Partial<AccessRequest>, policies: Policies): string =>
    evaluate(request(more), policies).reason;
  const named = (caller: Caller, more: Partial<Statement> = {}): Policies => ({
    resourcePolicy: policy(allow({ Principal: { AWS: arn(caller) }, Action: "*", ...more })),
  });
  const onKey = { action: "kms:Decrypt", resource: key };
  const onRole = { action: "sts:AssumeRole", resource: role };
  const trust = (AWS: string): Policies => ({
    resourcePolicy: policy({ Effect: "Allow", Principal: { AWS }, Action: "sts:AssumeRole" }),
  });
  const identityPolicies = [administrator];

  it("in the bucket's account: either side", () => {
    assert.equal(decision({}, {}), "implicitDeny");
    assert.equal(decision({}, { identityPolicies }), "allowed");
    assert.equal(decision({}, named(bob)), "allowed");
    assert.equal(decision({ caller: unnamed }, { identityPolicies }), "allowed");
  });

  it("across accounts: both sides", () => {
    const alice = user(away, "Alice");
    assert.equal(decision({ caller: alice }, { identityPolicies }), "implicitDeny");
    assert.equal(decision({ caller: alice }, named(alice)), "implicitDeny");
    assert.equal(decision({ caller: alice }, { ...named(alice), identityPolicies }), "allowed");
    assert.equal(decision({ caller: alice }, { resourcePolicy: policy(allow()), identityPolicies }), "allowed");
    assert.deepEqual(evaluate(request({ caller: alice }), {}).missing, ["resource", "identity"]);
    assert.deepEqual(evaluate(request({ caller: alice }), named(alice)).missing, ["identity"]);
  });

  it("for services and anonymous callers: the resource's side alone, and identity policies say nothing", () => {
    for (const caller of [cloudTrail, anonymous]) {
      assert.equal(decision({ caller }, { identityPolicies }), "implicitDeny");
      assert.equal(decision({ caller }, { resourcePolicy: policy(allow()) }), "allowed");
    }
  });

  it("for a key: the key policy always, identity policies only where it gives the account the say", () => {
    const account = { resourcePolicy: policy(allow({ Principal: { AWS: home }, Action: "kms:*" })) };
    assert.equal(decision(onKey, { identityPolicies }), "implicitDeny");
    assert.equal(decision(onKey, { ...named(user(home, "Eve")), identityPolicies }), "implicitDeny");
    assert.equal(decision(onKey, named(bob)), "allowed");
    assert.equal(decision(onKey, account), "implicitDeny");
    assert.equal(decision(onKey, { ...account, identityPolicies }), "allowed");
    assert.equal(decision({ ...onKey, caller: root(home) }, account), "allowed");
    assert.equal(decision({ ...onKey, caller: root(home) }, named(bob)), "implicitDeny");
    assert.equal(
      decision({ ...onKey, caller: anonymous }, { resourcePolicy: policy(allow({ Action: "*" })) }),
      "implicitDeny",
    );
    const alice = user(away, "Alice");
    const other = { resourcePolicy: policy(allow({ Principal: { AWS: away }, Action: "kms:*" })) };
    assert.equal(decision({ ...onKey, caller: alice }, other), "implicitDeny");
    assert.equal(decision({ ...onKey, caller: alice }, { ...other, identityPolicies }), "allowed");
  });

  it("for a key: a statement without Resource or Action has no effect", () => {
    const whole: Statement = { Effect: "Allow", Principal: "*", Action: "kms:*", Resource: "*" };
    const noAction: Statement = { Effect: "Allow", Principal: "*", Resource: "*" };
    const noResource: Statement = { Effect: "Allow", Principal: "*", Action: "kms:*" };
    assert.equal(decision(onKey, { resourcePolicy: policy(whole) }), "allowed");
    assert.equal(decision(onKey, { resourcePolicy: policy(noAction) }), "implicitDeny");
    assert.equal(decision(onKey, { resourcePolicy: policy(noResource) }), "implicitDeny");
    const noDeny: Statement = { ...noResource, Effect: "Deny" };
    assert.equal(decision(onKey, { resourcePolicy: policy(whole, noDeny) }), "allowed");
  });

  it("for a role: the trust policy always; its own account's principals by name, others with an identity policy", () => {
    const alice = user(away, "Alice");
    assert.equal(decision(onRole, { identityPolicies }), "implicitDeny");
    assert.equal(decision(onRole, trust(arn(bob))), "allowed");
    assert.equal(decision(onRole, trust(home)), "implicitDeny");
    assert.equal(decision(onRole, { ...trust(home), identityPolicies }), "allowed");
    assert.equal(decision({ ...onRole, caller: alice }, trust(arn(alice))), "implicitDeny");
    assert.equal(decision({ ...onRole, caller: alice }, { ...trust(away), identityPolicies }), "allowed");
    assert.equal(decision({ ...onRole, caller: root(away) }, trust(away)), "implicitDeny");
    const service = policy({
      Effect: "Allow",
      Principal: { Service: "cloudtrail.amazonaws.com" },
      Action: "sts:AssumeRole",
    });
    assert.equal(decision({ ...onRole, caller: cloudTrail }, { resourcePolicy: service }), "allowed");
  });

  it("the root user: everything in its account but keys and roles, and its own bucket's policy against any Deny", () => {
    const caller = root(home);
    assert.equal(decision({ caller }, {}), "allowed");
    assert.equal(decision({ caller }, { resourcePolicy: policy(deny()) }), "explicitDeny");
    assert.equal(
      decision({ caller: root(away) }, { resourcePolicy: policy(allow({ Principal: { AWS: away } })) }),
      "allowed",
    );
    assert.equal(decision({ caller: root(away) }, {}), "implicitDeny");
    for (const action of ["s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"]) {
      const policies = { resourcePolicy: policy(deny()) };
      assert.equal(decision({ caller, action, resource: bucket }, policies), "allowed");
      assert.equal(
        decision({ caller: bob, action, resource: bucket }, { ...policies, identityPolicies }),
        "explicitDeny",
      );
      assert.equal(decision({ caller: root(away), action, resource: bucket }, policies), "explicitDeny");
    }
  });

  it("an explicit deny on either side wins", () => {
    const identityDeny = policy({ Effect: "Deny", Action: "s3:GetObject", Resource: "*" });
    const open = policy(allow());
    const byIdentity = evaluate(request(), { resourcePolicy: open, identityPolicies: [administrator, identityDeny] });
    assert.equal(byIdentity.reason, "explicitDeny");
    assert.deepEqual(byIdentity.decidedBy, { policy: "identity", policyIndex: 1, index: 0 });
    const byResource = evaluate(request(), { resourcePolicy: policy(allow(), deny({ Sid: "No" })), identityPolicies });
    assert.deepEqual(byResource.decidedBy, { policy: "resource", sid: "No", index: 1 });
  });
});

describe("condition keys that follow from the caller", () => {
  /** Whether the request has the key with this value: a deny on it then holds. */
  const seen = (caller: Caller, name: string, value: string, more: Partial<AccessRequest> = {}): boolean =>
    decide(request({ caller, ...more }), deny({ Action: "*", Condition: { StringEquals: { [name]: value } } }))
      .reason === "explicitDeny";

  it("are derived", () => {
    assert.ok(seen(bob, "aws:PrincipalArn", arn(bob)));
    assert.ok(seen(bob, "aws:PrincipalAccount", home));
    assert.ok(seen(bob, "aws:PrincipalType", "User"));
    assert.ok(seen(bob, "aws:PrincipalIsAWSService", "false"));
    assert.ok(seen(user(home, "team/Eve"), "aws:username", "Eve"));
    assert.ok(seen(reader, "aws:PrincipalArn", `arn:aws:iam::${home}:role/Reader`));
    assert.ok(seen(pathRole, "aws:PrincipalArn", `arn:aws:iam::${home}:role/team/Reader`));
    assert.ok(seen(reader, "aws:PrincipalType", "AssumedRole"));
    assert.ok(seen(root(home), "aws:PrincipalType", "Account"));
    assert.ok(seen(cloudTrail, "aws:PrincipalServiceName", "cloudtrail.amazonaws.com"));
    assert.ok(seen(cloudTrail, "aws:PrincipalIsAWSService", "true"));
    assert.ok(seen(anonymous, "aws:PrincipalType", "Anonymous"));
    assert.ok(seen(bob, "aws:ResourceAccount", home));
    assert.ok(seen(user(away), "kms:CallerAccount", away, { action: "kms:Decrypt", resource: key }));
  });

  it("are absent where AWS has none", () => {
    assert.ok(!seen(cloudTrail, "aws:PrincipalAccount", home));
    assert.ok(!seen(reader, "aws:username", "Reader"));
    assert.ok(!seen(bob, "kms:CallerAccount", home), "not for S3");
    assert.ok(!seen(unnamed, "aws:PrincipalArn", arn(bob)));
    const absent = (caller: Caller, name: string): boolean =>
      decide(request({ caller }), allow({ Condition: { Null: { [name]: "true" } } })).allowed;
    assert.ok(absent(cloudTrail, "aws:PrincipalArn"));
    assert.ok(absent(anonymous, "aws:PrincipalIsAWSService"));
    assert.ok(absent(bob, "aws:MultiFactorAuthPresent"), "never guessed");
  });

  it("give way to what the request says", () => {
    assert.ok(
      seen(bob, "aws:PrincipalAccount", "333333333333", { context: { "AWS:principalaccount": "333333333333" } }),
    );
  });
});

describe("requests that make no sense are not evaluated", () => {
  const nonsense: Partial<AccessRequest>[] = [
    { action: "GetObject" },
    { action: "s3:*" },
    { resource: "logs/a" },
    { resourceAccountId: "1" },
    { caller: { kind: "service" } },
    { caller: { kind: "account" } },
    { caller: { kind: "account", arn: "Bob" } },
    { caller: { kind: "account", arn: `arn:aws:iam::${home}:group/Team` } },
    { caller: { kind: "account", arn: arn(bob), accountId: away } },
    { caller: { ...reader, roleArn: `arn:aws:iam::${home}:role/Other` } },
    { context: { "aws:SourceArn": "a", "AWS:sourcearn": "b" } },
    { context: { "aws:SourceArn": { a: 1 } as unknown as string } },
    { context: { "aws:TagKeys": [1] as unknown as string[] } },
  ];
  for (const more of nonsense) {
    it(JSON.stringify(more), () => {
      const decision = evaluate(request(more), { resourcePolicy: policy(allow()), identityPolicies: [administrator] });
      assert.equal(decision.allowed, false);
      assert.equal(decision.reason, "notEvaluated");
      assert.equal(decision.findings?.[0]?.id, "policy/request");
      assert.match(decision.explanation, /cannot be decided/);
    });
  }
});

describe("compiled policies", () => {
  it("decide as the documents do, and only for the kind they were compiled for", () => {
    const document = policy(allow());
    const compiled = compile(document, "bucket");
    assert.equal(evaluate(request(), { resourcePolicy: compiled, resourceKind: "bucket" }).allowed, true);
    assert.equal(compile(compiled, "bucket"), compiled);
    const decision = evaluate(request(), { resourcePolicy: compiled, resourceKind: "key" });
    assert.equal(decision.reason, "notEvaluated");
    assert.equal(decision.findings?.[0]?.id, "policy/kind");
  });
});

describe("reasons", () => {
  it("name the nearest allow and what failed with the value it wanted", () => {
    const own = (account: string): Statement => ({
      Sid: `Write${account}`,
      Effect: "Allow",
      Principal: { Service: "cloudtrail.amazonaws.com" },
      Action: "s3:PutObject",
      Resource: `${bucket}/AWSLogs/${account}/*`,
      Condition: { StringEquals: { "s3:x-amz-acl": "bucket-owner-full-control" } },
    });
    const put = (path: string, acl?: string): ReturnType<typeof decide> =>
      decide(
        request({
          caller: cloudTrail,
          action: "s3:PutObject",
          resource: `${bucket}/${path}`,
          context: { "s3:x-amz-acl": acl },
        }),
        {
          Sid: "Acl",
          Effect: "Allow",
          Principal: { Service: "cloudtrail.amazonaws.com" },
          Action: "s3:GetBucketAcl",
          Resource: bucket,
        },
        own(home),
        own(away),
      );
    const wrongAcl = put(`AWSLogs/${away}/x`, "private");
    assert.deepEqual(wrongAcl.nearest, {
      policy: "resource",
      sid: `Write${away}`,
      index: 2,
      failed: [
        {
          what: "condition",
          operator: "StringEquals",
          key: "s3:x-amz-acl",
          wanted: ["bucket-owner-full-control"],
          got: ["private"],
        },
      ],
    });
    assert.deepEqual(put(`AWSLogs/${home}/x`).nearest?.failed[0]?.got, []);
    const wrongPath = put("AWSLogs/333333333333/x", "bucket-owner-full-control");
    assert.equal(wrongPath.nearest?.failed[0]?.what, "resource");
    assert.match(
      wrongAcl.explanation,
      /nearest is statement 3 \("Write222222222222"\) of the bucket policy, but s3:x-amz-acl is "private"/,
    );
  });

  it("name the conditions of a deny", () => {
    const decision = decide(
      request({ context: { "aws:SecureTransport": "false" } }),
      allow(),
      deny({ Sid: "Tls", Condition: { Bool: { "aws:SecureTransport": "false" } } }),
    );
    assert.deepEqual(decision.because, [
      { what: "condition", operator: "Bool", key: "aws:SecureTransport", wanted: ["false"], got: ["false"] },
    ]);
    assert.match(
      decision.explanation,
      /statement 2 \("Tls"\) of the bucket policy denies it, because aws:SecureTransport is "false"/,
    );
  });

  it("prefer the allow that names the caller to the one that names its account", () => {
    const decision = decide(request(), allow({ Sid: "Account", Principal: { AWS: home } }), allow({ Sid: "Named" }));
    assert.equal(decision.decidedBy?.sid, "Named");
  });

  it("say when there is no policy", () => {
    assert.match(
      evaluate(request(), {}).explanation,
      /the bucket policy \(there is none\), nor an identity policy \(the caller has none\)/,
    );
  });

  it("show three of many values", () => {
    const wanted = Array.from({ length: 500 }, (_, index) => `value-${index}`);
    const decision = decide(request(), allow({ Condition: { StringEquals: { "aws:SourceAccount": wanted } } }));
    assert.equal(decision.nearest?.failed[0]?.wanted.length, 500);
    assert.match(decision.explanation, /"value-2", 497 more$|"value-2", 497 more\./);
    assert.ok(decision.explanation.length < 400);
  });
});
