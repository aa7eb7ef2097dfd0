import assert from "node:assert/strict";
import type {
  ArchivePolicies,
  Cell,
  PolicyDocument,
  QuestionId,
  SimulatedFleet,
  Statement,
} from "../../../core/evaluate";
import {
  builtPolicies,
  fleetOfContract,
  fleetOfSettings,
  questionGroups,
  questions,
  recognisedPolicies,
  simulate,
} from "../../../core/evaluate";
import type { BucketPolicyForm } from "../../../core/policies/bucket";
import { bucketPolicyIn } from "../../../core/policies/bucket";
import type { KeyPolicyForm } from "../../../core/policies/key";
import { keyPolicyIn } from "../../../core/policies/key";
import { parseSettings } from "../../../core/settings";
import { ownKeys, stackConfig } from "../../support/config";
import { auditAccountId, contract, fleetOf, trailOf } from "../../support/fleet";
import { bucketForms, keyForms } from "../../support/policies";

const small = fleetOfContract(contract());
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
  } satisfies ArchivePolicies;
}

const tight = () => structuredClone(policiesIn("perTrail", "trailList"));
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
    const put = new Set(simulate(small, tight()).map(({ question }) => question));
    // Those of an organization are asked in organization.test.ts.
    const missing = Object.keys(questions).filter(
      (question) => !put.has(question as QuestionId) && !/organization|undeclared/.test(question),
    );
    assert.deepEqual(missing, ["deliver/decrypt"]);
    const groups = new Set(Object.values(questions).map(([group]) => group));
    assert.deepEqual(
      [...groups],
      questionGroups.map(({ id }) => id),
    );
  });

  it("asks whether CloudTrail may decrypt where the bucket uses S3 Bucket Keys; a key policy that forgot it fails", () => {
    const cells = simulate({ ...small, bucketKey: true }, tight());
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
    assert.ok(!cells.some(({ group }) => group === "other-path" || group === "read-others"));
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

  describe("what a form cannot tie", () => {
    const expected: Record<(typeof bucketForms)[number], QuestionId[]> = {
      perTrail: [],
      trailList: ["other-path/log"],
      trailName: ["other-path/log", "other-region/acl-check", "other-region/log", "outsider/acl-check", "outsider/log"],
      accountList: [
        "other-path/log",
        "other-region/acl-check",
        "other-region/log",
        "other-trail/acl-check",
        "other-trail/log",
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
    const all = (expected: string) =>
      Object.entries(questions)
        .filter(([, [group]]) => questionGroups.find(({ id }) => id === group)?.expected === expected)
        .map(([question]) => question)
        // Asked where there is a bucket key or an organization: see organization.test.ts.
        .filter((question) => !/^deliver\/decrypt$|organization|undeclared/.test(question))
        .sort();

    it("what must be possible, when there are no policies", () => {
      const cells = simulate(small, { ...tight(), bucket: undefined, key: undefined }).filter(
        ({ expected }) => expected === "allow",
      );
      // The owner of the bucket needs no bucket policy; a key always needs its own.
      assert.deepEqual(
        asked(cells, "failed"),
        all("allow").filter((question) => question !== "read/object"),
      );
      const policies = tight();
      statements(policies.bucket).push({ ...everything, Effect: "Deny" });
      assert.ok(asked(simulate(small, policies), "failed").includes("read/object"));
    });

    it("what must not be possible, when everything is allowed", () => {
      const policy = { Version: "2012-10-17", Statement: [everything] };
      assert.deepEqual(asked(simulate(small, { ...tight(), bucket: policy, key: policy }), "failed"), all("deny"));
    });

    for (const which of ["bucket", "key"] as const) {
      for (const [index, { Sid, Condition }] of statements(tight()[which]).entries()) {
        for (const [operator, block] of Object.entries(Condition ?? {})) {
          for (const name of Object.keys(block)) {
            // It keeps the account from decrypting what is no log: not about the archive, and held by the key policy's tests.
            if (Sid === "AccountReadsLogs") continue;
            it(`a cell when ${Sid ?? ""} of the ${which} policy loses ${operator} ${name}`, () => {
              const policies = tight();
              const statement = statements(policies[which])[index] as Statement;
              const condition = statement.Condition as NonNullable<Statement["Condition"]>;
              delete (condition[operator] as Record<string, unknown>)[name];
              assert.notDeepEqual(asked(simulate(small, policies), "failed"), []);
            });
          }
        }
        it(`a cell when ${Sid ?? ""} is missing from the ${which} policy`, () => {
          if (Sid === "AccountAdministration") return; // administration is not simulated
          const policies = tight();
          statements(policies[which]).splice(index, 1);
          assert.notDeepEqual(asked(simulate(small, policies), "failed"), []);
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
        ["anonymous/read", "outsider/read", "read-others/object"],
      ],
      [
        "members may delete",
        ({ bucket }) =>
          void statements(bucket).push({
            ...everything,
            Principal: { AWS: "222222222222" },
            Action: ["s3:DeleteObject", "s3:DeleteObjectVersion"],
          }),
        ["tamper/delete", "tamper/delete-version"],
      ],
      [
        "a member may decrypt all logs",
        ({ key }) =>
          void statements(key).push({ ...everything, Principal: { AWS: "222222222222" }, Action: "kms:Decrypt" }),
        ["read-others/decrypt"],
      ],
      ["nobody but CloudTrail may decrypt", ({ key }) => void statements(key).splice(-1), ["read/decrypt"]],
    ];
    for (const [what, change, failed] of tampered) {
      it(`${what}: ${failed.join(", ")}`, () => {
        const policies = tight();
        change(policies);
        assert.deepEqual(asked(simulate(small, policies), "failed"), failed);
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
        assert.equal(new Set(cells.map(({ subject }) => subject.accountId)).size, 1000);
        assert.equal(new Set(cells.map(({ id }) => id)).size, cells.length);
        assert.equal(cells.length % 1000, 0);
        assert.deepEqual(asked(cells, "failed"), []);
        // Lists of a thousand ARNs are not repeated in each answer.
        assert.ok(cells.every(({ decision }) => decision.explanation.length < 2000 && !("nearest" in decision)));
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
        ["deliver/log", "deliver/digest"],
      );
      assert.ok(failed.every(({ subject }) => gone.includes(subject.accountId)));
    });
  });

  describe("the forms of deployed policies", () => {
    for (const bucketForm of bucketForms) {
      for (const keyForm of keyForms) {
        it(`${bucketForm} and ${keyForm} are recognised`, () => {
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
    assert.ok(!own.some(({ group }) => group === "tamper" || group === "read-others"));
  });
});
