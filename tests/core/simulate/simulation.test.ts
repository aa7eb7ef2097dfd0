import assert from "node:assert/strict";
import type { PolicyDocument, Statement } from "../../../core/evaluate";
import type { ArchivePolicies, Cell, QuestionId, SimulatedFleet } from "../../../core/simulate";
import {
  accessOfPolicy,
  builtPolicies,
  fleetOfContract,
  fleetOfSettings,
  questionGroups,
  questions,
  recognisedPolicies,
  simulate,
} from "../../../core/simulate";
import type { BucketPolicyForm } from "../../../core/policies/bucket";
import { bucketPolicyIn } from "../../../core/policies/bucket";
import type { KeyPolicyForm } from "../../../core/policies/key";
import { keyPolicyIn } from "../../../core/policies/key";
import { bucketWrites } from "../../../core/simulate/writes";
import { parseSettings } from "../../../core/settings";
import { ownKeys, stackConfig } from "../../support/config";
import { auditAccountId, contract, fleetOf, trailOf } from "../../support/fleet";
import { bucketForms, keyForms } from "../../support/policies";

const small = fleetOfContract(contract());
/** The same fleet with everything that configuration can add: readers, a member's own access, MFA. */
const full: SimulatedFleet = {
  ...small,
  queueArn: "arn:aws:sqs:us-east-1:111111111111:example-logs-new-logs",
  readers: [
    {
      name: "Everything",
      roleArn: "arn:aws:iam::111111111111:role/Everything",
      trustedAccounts: ["444444444444", "555555555555"],
      requireMfa: true,
      externalId: "acme/1",
    },
    {
      name: "PaymentsReader",
      roleArn: "arn:aws:iam::111111111111:role/PaymentsReader",
      trustedAccounts: ["555555555555"],
      accountIds: ["222222222222"],
    },
  ],
  memberReaders: ["222222222222"],
  requireMfa: true,
  mfaExemptRoleArns: ["arn:aws:iam::111111111111:role/exporter", "arn:aws:iam::222222222222:role/ops/scanner"],
};
/** The same with what guards it against its own administrators. */
const guarded: SimulatedFleet = {
  ...full,
  breakGlassRoleArns: ["arn:aws:iam::111111111111:role/BreakGlass", "arn:aws:iam::111111111111:role/ops/Deploy"],
  denyOtherEncryption: true,
};
const large: SimulatedFleet = {
  ...small,
  trails: fleetOf(1000).map((trail) => ({ alias: `member-${trail.accountId}`, trail, isPrevious: false })),
};

/** The policies in these forms, whatever their size. */
function policiesIn(bucketForm: BucketPolicyForm, keyForm: KeyPolicyForm, fleet = small) {
  const input = { ...fleet, trails: fleet.trails.map(({ trail }) => trail) };
  return {
    bucketForm,
    keyForm,
    bucket: bucketPolicyIn(bucketForm, input) as PolicyDocument,
    key: keyPolicyIn(keyForm, input) as PolicyDocument,
    readers: (fleet.readers ? builtPolicies(fleet).readers : {}) as Record<
      string,
      { trust: PolicyDocument; permissions: PolicyDocument }
    >,
    ...(fleet.queueArn !== undefined && { queue: builtPolicies(fleet).queue as PolicyDocument }),
  } satisfies ArchivePolicies;
}

const tight = (fleet = small) => structuredClone(policiesIn("perTrail", "trailList", fleet));
const asked = (cells: Cell[], verdict: Cell["verdict"]) =>
  [...new Set(cells.filter((cell) => cell.verdict === verdict).map(({ question }) => question))].sort();
const statements = (policy: PolicyDocument) => policy.Statement as Statement[];

describe("the simulation", () => {
  it("finds the policies as they are built to be as expected", () => {
    const cells = simulate(small, builtPolicies(small));
    assert.deepEqual(
      cells.filter(({ verdict }) => verdict !== "ok").map(({ id }) => id),
      [],
    );
  });

  it("asks every question, but for the one that only S3 Bucket Keys raise", () => {
    const cells = [full, guarded].flatMap((fleet) => simulate(fleet, tight(fleet)));
    const put = new Set(cells.map(({ question }) => question));
    // Those of an organization are asked in organization.test.ts.
    const missing = Object.keys(questions).filter(
      (question) => !put.has(question as QuestionId) && !/organization|undeclared/.test(question),
    );
    assert.deepEqual(missing, ["deliver/encrypt-bucket", "deliver/decrypt"]);
    const groups = new Set(Object.values(questions).map(([group]) => group));
    assert.deepEqual(
      [...groups],
      questionGroups.map(({ id }) => id),
    );
  });

  it("asks whether CloudTrail may decrypt where the bucket uses S3 Bucket Keys; a key policy that forgot it fails", () => {
    const cells = simulate({ ...small, bucketKeyEnabled: true }, tight());
    assert.deepEqual(asked(cells, "failed"), ["deliver/decrypt"]);
  });

  it("gives each cell an id of its own, and the same cells in the same order each time", () => {
    const cells = simulate(small, tight());
    assert.equal(new Set(cells.map(({ id }) => id)).size, cells.length);
    assert.deepEqual(simulate(small, tight()), cells);
  });

  it("asks each account the same, in whatever order the fleet is declared", () => {
    const sorted = (cells: Cell[]) => [...cells].sort((a, b) => (a.id < b.id ? -1 : 1));
    const turned = { ...small, trails: [...small.trails].reverse() };
    assert.deepEqual(sorted(simulate(turned, tight())), sorted(simulate(small, tight())));
  });

  it("takes its fleet from the configuration, a trail that is being replaced included", () => {
    const raw = ownKeys(stackConfig("Pulumi.audit.yaml"));
    const members = [{ accountId: "222222222222", alias: "payments", previousTrailName: "old-trail" }];
    const settings = parseSettings("audit", { ...raw, members: JSON.stringify(members) }, "us-east-1");
    assert.equal(settings.role, "audit");
    const fleet = fleetOfSettings(settings as Extract<typeof settings, { role: "audit" }>);
    const cells = simulate(fleet, builtPolicies(fleet));
    assert.deepEqual(asked(cells, "failed"), []);
    assert.ok(cells.some(({ id }) => id === "deliver/log@222222222222/us-east-1/old-trail"));
    const entry = { accountId: "222222222222", alias: "payments", trailArn: "", previousTrailArn: "" };
    const [now, before] = fleet.trails.slice(1).map(({ trail }) => trail);
    assert.ok(now && before);
    const arn = (name: string) => `arn:aws:cloudtrail:us-east-1:222222222222:trail/${name}`;
    const own = contract().trails[0];
    assert.ok(own);
    const trails = [own, { ...entry, trailArn: arn(now.name), previousTrailArn: arn(before.name) }];
    assert.deepEqual(fleetOfContract(contract({ trails })).trails, fleet.trails);
  });

  it("has nothing to ask of a fleet without a trail, and no other account to ask about in a fleet of one", () => {
    assert.deepEqual(simulate({ ...small, trails: [] }, tight()), []);
    const one = { ...small, trails: small.trails.slice(1, 2) };
    const cells = simulate(one, builtPolicies(one));
    assert.deepEqual(asked(cells, "failed"), []);
    const others = /^(other-path\/(?!nested-own)|read-others)/;
    assert.ok(!cells.some(({ question }) => others.test(question)));
  });

  it("invents names and accounts that nobody in the fleet has", () => {
    const names = ["another-trail", "another-trail1"];
    const trails = ["999999999999", "999999999998"].map((accountId, index) => ({
      alias: `m${index}`,
      isPrevious: false,
      trail: trailOf(accountId, { name: names[index] }),
    }));
    const fleet = { ...small, trails };
    const cells = simulate(fleet, builtPolicies(fleet));
    assert.deepEqual(asked(cells, "failed"), []);
  });

  for (const partition of ["aws-cn", "aws-us-gov"] as const) {
    it(`works in partition ${partition}`, () => {
      const region = partition === "aws-cn" ? "cn-north-1" : "us-gov-west-1";
      const trails = small.trails.map((each) => ({ ...each, trail: { ...each.trail, partition, region } }));
      const keyArn = small.keyArn.replace("arn:aws:kms:us-east-1", `arn:${partition}:kms:${region}`);
      const fleet = { ...small, partition, keyArn, trails };
      const cells = simulate(fleet, builtPolicies(fleet));
      assert.ok(cells.length > 0);
      assert.deepEqual(asked(cells, "failed"), []);
    });
  }

  describe("what a form cannot restrict", () => {
    const expected: Record<(typeof bucketForms)[number], QuestionId[]> = {
      perTrail: [],
      trailList: ["other-path/log"],
      trailName: ["other-path/log", "other-region/acl-check", "other-region/log", "outsider/acl-check", "outsider/log"],
      accountList: [
        "other-path/log",
        "other-region/acl-check",
        "other-region/log",
        "other-trail/log",
        "outsider/acl-check",
      ],
    };
    const expectedOfKey: Record<(typeof keyForms)[number], QuestionId[]> = {
      trailList: [],
      encryptionContext: ["other-region/describe", "other-region/encrypt", "other-trail/encrypt", "outsider/describe"],
    };
    // One name for all: with names of their own the trails of a fleet are not taken for each other.
    const fleet = {
      ...small,
      trails: small.trails.map((each) => ({ ...each, trail: { ...each.trail, name: "trail" } })),
    };

    for (const bucketForm of bucketForms) {
      for (const keyForm of keyForms) {
        it(`is shown for ${bucketForm} and ${keyForm}, with the reason, and everything else holds`, () => {
          const cells = simulate(fleet, policiesIn(bucketForm, keyForm, fleet));
          assert.deepEqual(asked(cells, "failed"), []);
          assert.deepEqual(asked(cells, "notTied"), [...expected[bucketForm], ...expectedOfKey[keyForm]].sort());
          for (const { verdict, notTied, decision } of cells) {
            assert.equal(notTied !== undefined, verdict === "notTied");
            if (!notTied) continue;
            assert.ok(decision.allowed);
            assert.equal(notTied.form, notTied.policy === "bucket" ? bucketForm : keyForm);
            assert.match(notTied.reason, /^the form /);
          }
        });
      }
    }

    it("is a failure where a tighter form was meant", () => {
      const loose = policiesIn("accountList", "encryptionContext", fleet);
      const cells = simulate(fleet, { ...loose, bucketForm: "perTrail", keyForm: "trailList" });
      assert.deepEqual(asked(cells, "notTied"), []);
      assert.deepEqual(asked(cells, "failed"), [...expected.accountList, ...expectedOfKey.encryptionContext].sort());
    });
  });

  describe("every question can fail:", () => {
    const everything: Statement = { Sid: "Everything", Effect: "Allow", Principal: "*", Action: "*", Resource: "*" };
    const anyone: Statement = { Effect: "Allow", Principal: "*", Action: "*" };
    const any: Statement = { Effect: "Allow", Action: "*", Resource: "*" };
    const document = (statement: Statement): PolicyDocument => ({ Version: "2012-10-17", Statement: [statement] });
    const all = (expected: string) =>
      Object.entries(questions)
        .filter(([, [group]]) => questionGroups.find(({ id }) => id === group)?.expected === expected)
        .map(([question]) => question)
        // Asked where there is a bucket key or an organization: see organization.test.ts.
        .filter((question) => !/^deliver\/(decrypt|encrypt-bucket)$|organization|undeclared/.test(question))
        .sort();

    it("what must be possible, when there are no policies", () => {
      const expected = (cells: Cell[]) => cells.filter((cell) => cell.expected === "allow");
      const cells = expected(simulate(full, { ...tight(full), bucket: undefined, key: undefined, queue: undefined }));
      // In the account that owns the bucket IAM policies suffice; a key always needs its own.
      const ofOwner = /^(read\/object|reader\/(assume|list|object)|upkeep\/(bucket-.*|log-any|queue-.*))$/;
      assert.deepEqual(
        asked(cells, "failed"),
        all("allow").filter((question) => !ofOwner.test(question)),
      );
      const policies = tight(full);
      statements(policies.bucket).push({ ...everything, Effect: "Deny" });
      statements(policies.queue as PolicyDocument).push({ ...everything, Effect: "Deny" });
      const denied = asked(simulate(full, policies), "failed");
      for (const question of all("allow").filter((each) => ofOwner.test(each) && each !== "reader/assume")) {
        assert.ok(denied.includes(question as QuestionId), question);
      }
      const trust = document({ ...anyone, Effect: "Deny" });
      for (const each of Object.values(policies.readers)) each.trust = trust;
      assert.ok(asked(simulate(full, policies), "failed").includes("reader/assume"));
    });

    it("what must not be possible, when everything is allowed", () => {
      const policy = document(everything);
      const own = { trust: document(anyone), permissions: document(any) };
      const readers = Object.fromEntries((full.readers ?? []).map(({ name }) => [name, own]));
      assert.deepEqual(
        asked(simulate(guarded, { ...tight(guarded), bucket: policy, key: policy, queue: policy, readers }), "failed"),
        all("deny"),
      );
    });

    it("the queue: each statement that goes, or loses its condition, is noticed by the questions that are for it", () => {
      const answers = (change: (each: Statement) => Statement[]) => {
        const policies = tight(guarded);
        const queue = policies.queue as PolicyDocument;
        return asked(
          simulate(guarded, { ...policies, queue: { ...queue, Statement: statements(queue).flatMap(change) } }),
          "failed",
        );
      };
      const gone = (sid: string) => answers((each) => (each.Sid === sid ? [] : [each]));
      assert.deepEqual(
        answers((each) => [each]),
        [],
      );
      assert.deepEqual(gone("NotificationsSend"), ["deliver/notification"]);
      assert.deepEqual(gone("DenyTampering"), ["tamper/owner-queue-messages", "tamper/owner-queue-policy"]);
      assert.deepEqual(gone("DenyInsecureTransport"), ["plain-http/queue"]);
      const free = (sid: string) => answers((each) => [each.Sid === sid ? { ...each, Condition: {} } : each]);
      assert.deepEqual(free("NotificationsSend"), ["outsider/notification", "outsider/notification-account"]);
      assert.ok(free("DenyTampering").includes("upkeep/queue-any"));
    });

    it("that nobody but break-glass roles tampers: all is as it should be, until a statement or its exception goes", () => {
      assert.deepEqual(asked(simulate(guarded, tight(guarded)), "failed"), []);
      const without = (change: (each: Statement) => Statement[]) => {
        const policies = tight(guarded);
        const bucket = policies.bucket as PolicyDocument;
        return asked(
          simulate(guarded, { ...policies, bucket: { ...bucket, Statement: statements(bucket).flatMap(change) } }),
          "failed",
        );
      };
      const gone = (sid: string) => without((each) => (each.Sid === sid ? [] : [each]));
      const ofBucket = Object.keys(bucketWrites).map((name) => `tamper/owner-${name}`);
      assert.deepEqual(gone("DenyTampering"), ofBucket.sort());
      const lockedOut = without((each) => [each.Sid === "DenyTampering" ? { ...each, Condition: {} } : each]);
      // CloudTrail is no role: without its exception it could not deliver either.
      assert.deepEqual(lockedOut, [
        "deliver/digest",
        "deliver/digest-with-key",
        "deliver/log",
        "deliver/log-with-key",
        "upkeep/bucket-any",
        "upkeep/bucket-delete",
        "upkeep/bucket-write",
        "upkeep/log-any",
      ]);
    });

    it("that nobody but break-glass roles administers the key, and that they do", () => {
      const withKey = (change: (each: Statement) => Statement) => {
        const policies = tight(guarded);
        const key = policies.key as PolicyDocument;
        return asked(
          simulate(guarded, { ...policies, key: { ...key, Statement: statements(key).map(change) } }),
          "failed",
        );
      };
      const anyRole = withKey((each) => (each.Sid === "AccountAdministration" ? { ...each, Condition: {} } : each));
      assert.deepEqual(anyRole, ["tamper/owner-key-disable", "tamper/owner-key-policy", "tamper/owner-key-settings"]);
      const nobody = withKey((each) =>
        each.Sid === "AccountAdministration"
          ? { ...each, Condition: { ArnEquals: { "aws:PrincipalArn": "arn:aws:iam::111111111111:role/gone" } } }
          : each,
      );
      assert.deepEqual(nobody, ["upkeep/key-any", "upkeep/key-write"]);
    });

    for (const which of ["bucket", "key"] as const) {
      for (const [index, { Sid, Condition }] of statements(tight(full)[which]).entries()) {
        for (const [operator, block] of Object.entries(Condition ?? {})) {
          for (const name of Object.keys(block)) {
            // Keeps the account from decrypting what is no log: not about the archive, held by the key policy's tests.
            if (Sid === "AccountReadsLogs") continue;
            // Spares services that read in their own name; CloudTrail only writes, and no other one may do anything
            // here.
            if (name === "aws:PrincipalIsAWSService") continue;
            it(`a cell when ${Sid ?? ""} of the ${which} policy loses ${operator} ${name}`, () => {
              const policies = tight(full);
              const statement = statements(policies[which])[index] as Statement;
              const condition = statement.Condition as NonNullable<Statement["Condition"]>;
              delete (condition[operator] as Record<string, unknown>)[name];
              assert.notDeepEqual(asked(simulate(full, policies), "failed"), []);
            });
          }
        }
        it(`a cell when ${Sid ?? ""} is missing from the ${which} policy`, () => {
          const policies = tight(full);
          statements(policies[which]).splice(index, 1);
          assert.notDeepEqual(asked(simulate(full, policies), "failed"), []);
        });
      }
    }

    const tampered: [what: string, change: (policies: ReturnType<typeof tight>) => void, failed: QuestionId[]][] = [
      ["no deny without TLS", ({ bucket }) => void statements(bucket).pop(), ["plain-http/log", "plain-http/read"]],
      [
        "one trail more in the ACL check",
        ({ bucket }) => {
          const condition = statements(bucket)[0]?.Condition?.StringEquals as Record<string, string[]>;
          condition["aws:SourceArn"]?.push("arn:aws:cloudtrail:us-east-1:222222222222:trail/another-trail");
        },
        ["other-trail/acl-check"],
      ],
      [
        "a write statement for all paths",
        ({ bucket }) => {
          const write = statements(bucket).find(({ Sid }) => Sid === "CloudTrailWrite222222222222");
          if (write) write.Resource = "arn:aws:s3:::example-logs/AWSLogs/*";
        },
        ["other-path/log"],
      ],
      [
        "everyone may read",
        ({ bucket }) => void statements(bucket).push({ ...everything, Action: "s3:GetObject" }),
        ["anonymous/read", "outsider/read", "read-others/object", "unlisted/object"],
      ],
      [
        "members may delete",
        ({ bucket }) =>
          void statements(bucket).push({
            ...everything,
            Principal: { AWS: "222222222222" },
            Action: ["s3:DeleteObject", "s3:DeleteObjectVersion"],
          }),
        ["tamper/any-log", "tamper/delete", "tamper/delete-version"],
      ],
      [
        "a member may decrypt all logs",
        ({ key }) =>
          void statements(key).push({ ...everything, Principal: { AWS: "222222222222" }, Action: "kms:Decrypt" }),
        ["read-others/decrypt", "unlisted/decrypt"],
      ],
      [
        "nobody but CloudTrail may decrypt",
        ({ key }) =>
          void statements(key).splice(
            statements(key).findIndex(({ Sid }) => Sid === "AccountReadsLogs"),
            1,
          ),
        ["read/decrypt"],
      ],
    ];
    for (const [what, change, failed] of tampered) {
      it(`${what}: ${failed.join(", ")}`, () => {
        const policies = tight();
        change(policies);
        assert.deepEqual(asked(simulate(small, policies), "failed"), failed);
      });
    }

    const tamperedFull: [what: string, change: (policies: ReturnType<typeof tight>) => void, failed: QuestionId[]][] = [
      [
        "MFA asked of those only who say that they have none",
        ({ bucket }) => {
          const mfa = statements(bucket).find(({ Sid }) => Sid === "DenyLogAccessWithoutMfa");
          if (mfa?.Condition) {
            mfa.Condition.Bool = mfa.Condition.BoolIfExists as object as Record<string, string>;
            delete mfa.Condition.BoolIfExists;
          }
        },
        ["no-mfa/keys-delete", "no-mfa/keys-read"],
      ],
      [
        "MFA to change the bucket's policy, too",
        ({ bucket }) => {
          const mfa = statements(bucket).find(({ Sid }) => Sid === "DenyLogAccessWithoutMfa");
          Object.assign(mfa ?? {}, { Action: "s3:*", Resource: "*" });
        },
        ["upkeep/bucket-delete", "upkeep/bucket-read", "upkeep/bucket-write"],
      ],
      [
        "members read each other's logs",
        ({ bucket }) => {
          const read = statements(bucket).find(({ Sid }) => Sid === "MembersReadOwnLogs");
          Object.assign(read ?? {}, { Resource: "arn:aws:s3:::example-logs/AWSLogs/*" });
        },
        ["read-others/object"],
      ],
      [
        "a reader's trust with BoolIfExists, as guides have it",
        ({ readers }) => {
          const condition = statements(readers.Everything?.trust as PolicyDocument)[0]?.Condition;
          if (condition) Object.assign(condition, { BoolIfExists: condition.Bool, Bool: undefined });
          if (condition) delete condition.Bool;
        },
        ["beyond/assume-keys"],
      ],
      [
        "a reader for one account that may read all logs",
        ({ readers }) => {
          const read = statements(readers.PaymentsReader?.permissions as PolicyDocument).find(
            ({ Sid }) => Sid === "ReadLogs",
          );
          Object.assign(read ?? {}, { Resource: "arn:aws:s3:::example-logs/*" });
        },
        ["beyond/object"],
      ],
      [
        "nobody of the audit account decrypts",
        ({ key }) => {
          const all = statements(key);
          all.splice(
            all.findIndex(({ Sid }) => Sid === "AccountReadsLogs"),
            1,
          );
        },
        ["read/decrypt", "reader/decrypt"],
      ],
    ];
    for (const [what, change, failed] of tamperedFull) {
      it(`${what}: ${failed.join(", ")}`, () => {
        const policies = tight(full);
        change(policies);
        assert.deepEqual(asked(simulate(full, policies), "failed"), failed);
      });
    }

    it("and all of them, also the refusals, by a policy that nobody can decide by", () => {
      for (const broken of ["{", "[]", '{"Statement": 5}', `${"[".repeat(50_000)}${"]".repeat(50_000)}`]) {
        const cells = simulate(small, { ...tight(), bucket: broken, key: broken });
        assert.ok(cells.every(({ verdict, decision }) => verdict === "failed" && !decision.allowed));
        assert.match(cells[0]?.decision.explanation ?? "", /cannot be decided/);
      }
    });
  });

  describe("1,000 members", () => {
    for (const bucketForm of bucketForms.filter((form) => form !== "perTrail")) {
      it(`are simulated in full with ${bucketForm}`, function () {
        this.timeout(120_000);
        const cells = simulate(large, policiesIn(bucketForm, "trailList", large));
        assert.equal(new Set(cells.map(({ subject }) => subject.accountId)).size, 1000 + 1);
        assert.equal(new Set(cells.map(({ id }) => id)).size, cells.length);
        const once = cells.filter(
          ({ group, question }) => /^(upkeep|guard)$/.test(group) || /^tamper\/any-/.test(question),
        );
        assert.equal((cells.length - once.length) % 1000, 0);
        assert.deepEqual(asked(cells, "failed"), []);
        // Lists of a thousand ARNs are not repeated in each answer.
        assert.ok(
          cells.every(({ decision }) => (decision.explanation ?? "").length < 2000 && !("nearest" in decision)),
        );
      });
    }

    it("and a mistake about one of them is seen", function () {
      this.timeout(120_000);
      const policies = structuredClone(policiesIn("trailList", "trailList", large));
      const write = statements(policies.bucket).find(({ Sid }) => Sid === "CloudTrailWrite");
      const gone = (write?.Resource as string[]).splice(500, 1)[0] ?? "";
      const failed = simulate(large, policies).filter(({ verdict }) => verdict === "failed");
      assert.deepEqual(
        failed.map(({ question }) => question),
        ["deliver/log", "deliver/log-with-key", "deliver/digest", "deliver/digest-with-key"],
      );
      assert.ok(failed.every(({ subject }) => gone.includes(subject.accountId)));
    });
  });

  describe("readers, members' own logs and MFA", () => {
    for (const bucketForm of bucketForms) {
      for (const keyForm of keyForms) {
        it(`are as expected with ${bucketForm} and ${keyForm}`, () => {
          const cells = simulate(full, policiesIn(bucketForm, keyForm, full));
          assert.deepEqual(asked(cells, "failed"), []);
          const groups = new Set(cells.map(({ group }) => group));
          assert.deepEqual(
            questionGroups.map(({ id }) => id).filter((id) => !groups.has(id)),
            [],
          );
        });
      }
    }

    it("each trusted account and each account a reader is for are asked about; what is as expected needs no explanation", () => {
      const cells = simulate(full, tight(full)).filter(({ question }) => /^reader\/(assume|object)/.test(question));
      assert.deepEqual(
        cells.map(({ id }) => id),
        [
          "reader/assume@Everything/444444444444",
          "reader/assume@Everything/555555555555",
          "reader/object@Everything/111111111111",
          "reader/object@Everything/222222222222",
          "reader/object@Everything/333333333333",
          "reader/assume@PaymentsReader/555555555555",
          "reader/object@PaymentsReader/222222222222",
        ],
      );
      assert.ok(cells.every(({ decision }) => decision.allowed && decision.explanation === undefined));
    });

    it("a member without memberAccess may not read its own logs either; an option that is off is not asked about", () => {
      const cells = simulate(small, tight());
      assert.equal(cells.filter(({ question }) => question === "unlisted/object").length, 2);
      assert.ok(!cells.some(({ group }) => group === "own" || group === "reader" || group === "no-mfa"));
    });

    it("are seen in a deployed bucket policy by its statements' ids", () => {
      const { memberReaders, requireMfa, mfaExemptRoleArns } = full;
      const { bucket } = tight(full);
      const unguarded = { breakGlassRoleArns: [], denyOtherEncryption: false };
      const access = { memberReaders, requireMfa, mfaExemptRoleArns };
      assert.deepEqual(accessOfPolicy(JSON.stringify(bucket)), { ...access, ...unguarded });
      const { breakGlassRoleArns, denyOtherEncryption } = guarded;
      assert.deepEqual(accessOfPolicy(tight(guarded).bucket), { ...access, breakGlassRoleArns, denyOtherEncryption });
      const none = { memberReaders: [], requireMfa: false, mfaExemptRoleArns: [], ...unguarded };
      for (const policy of [undefined, tight().bucket, "{", '{"Statement": [null, 5]}']) {
        assert.deepEqual(accessOfPolicy(policy), none);
      }
      const odd = { Sid: "MembersReadOwnLogs", Principal: { AWS: [5, "x", "222222222222"] } } as unknown as Statement;
      assert.deepEqual(accessOfPolicy({ Statement: odd }), { ...none, memberReaders: ["222222222222"] });
    });

    it("a role whose own policies are not known is not asked about", () => {
      const policies: ArchivePolicies = { ...tight(full), readers: undefined };
      assert.ok(!simulate(full, policies).some(({ group }) => group === "reader" || group === "beyond"));
    });
  });

  describe("the forms of deployed policies", () => {
    for (const bucketForm of bucketForms) {
      for (const keyForm of keyForms) {
        it(`${bucketForm} and ${keyForm} are recognized`, () => {
          const { bucket, key } = policiesIn(bucketForm, keyForm);
          const found = recognisedPolicies(small, { bucket: JSON.stringify(bucket), key: JSON.stringify(key) });
          assert.deepEqual([found.bucketForm, found.keyForm], [bucketForm, keyForm]);
        });
      }
    }

    it("also when AWS gives keys and lists back in another order, and others have added statements", () => {
      const { bucket, key } = policiesIn("trailList", "encryptionContext");
      const turn = (value: unknown): unknown => {
        if (Array.isArray(value)) return value.map(turn).reverse();
        if (typeof value !== "object" || value === null) return value;
        return Object.fromEntries(
          Object.entries(value)
            .map(([name, each]) => [name, turn(each)] as const)
            .reverse(),
        );
      };
      statements(bucket).push({ Sid: "Theirs", Effect: "Deny", Principal: "*", Action: "s3:*", Resource: "*" });
      const found = recognisedPolicies(small, {
        bucket: turn(bucket) as PolicyDocument,
        key: turn(key) as PolicyDocument,
      });
      assert.deepEqual([found.bucketForm, found.keyForm], ["trailList", "encryptionContext"]);
    });

    it("a statement that was loosened is held against the form", () => {
      const policies = tight();
      const write = statements(policies.bucket).find(({ Sid }) => Sid === "CloudTrailWrite222222222222");
      assert.ok(write);
      write.Condition = { StringEquals: { "aws:SourceAccount": "222222222222" } };
      const found = recognisedPolicies(small, policies);
      assert.equal(found.bucketForm, "perTrail");
      assert.ok(asked(simulate(small, found), "failed").includes("other-trail/log"));
    });

    it("are the tightest ones where there is no policy, or none that can be read", () => {
      for (const text of [undefined, "{", '{"Statement": [null, 5]}']) {
        const found = recognisedPolicies(small, { bucket: text, key: text });
        assert.deepEqual([found.bucketForm, found.keyForm], ["perTrail", "trailList"]);
      }
    });
  });

  it("is about the archive's owner where the audit account has a trail: its own people are left to its IAM policies", () => {
    const own = simulate(small, tight()).filter(({ subject }) => subject.accountId === auditAccountId);
    assert.ok(own.length > 0);
    const owns = own.filter(({ request }) => request.caller.arn?.includes(`:${auditAccountId}:`));
    assert.ok(!owns.some(({ group }) => group === "tamper" || group === "read-others"));
  });
});
