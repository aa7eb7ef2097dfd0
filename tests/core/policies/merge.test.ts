import assert from "node:assert/strict";
import * as fc from "fast-check";
import type { Finding } from "../../../core/findings";
import { UserError } from "../../../core/findings";
import type { BucketPolicyForm, BucketPolicyInput } from "../../../core/policies/bucket";
import { bucketPolicyIn, bucketPolicyLimit } from "../../../core/policies/bucket";
import type { Statement } from "../../../core/policies/document";
import { size } from "../../../core/policies/document";
import { KeyPolicyForm, keyPolicyIn, keyPolicyLimit } from "../../../core/policies/key";
import type { Merge, MergeResult } from "../../../core/policies/merge";
import { mergeBucketPolicy, mergeKeyPolicy } from "../../../core/policies/merge";
import { auditAccountId, bucketName, fleetOf } from "../../support/fleet";
import { bucketForms, fleet, memberReaders } from "../../support/policies";

const bucketInput: BucketPolicyInput = { partition: "aws", bucketName, trails: fleet };
const keyInput = { partition: "aws" as const, auditAccountId, trails: fleet };

type BucketOptions = Parameters<typeof mergeBucketPolicy>[1];
const mergeBucket = (current?: unknown, options: BucketOptions = {}, input: Partial<BucketPolicyInput> = {}) =>
  mergeBucketPolicy(
    { ...bucketInput, ...input },
    {
      ...options,
      ...(current !== undefined && { current: typeof current === "string" ? current : JSON.stringify(current) }),
    },
  );

function merged<Form extends string>(result: MergeResult<Form>): Merge<Form> {
  assert.ok("merge" in result, JSON.stringify(result));
  return result.merge;
}

function refused(result: MergeResult<string>): Finding[] {
  assert.ok("refused" in result, "it was to be refused");
  assert.ok(result.refused.length > 0);
  return result.refused;
}

const idsOf = (findings: Finding[]) => findings.map(({ id }) => id);
const policy = (...statements: unknown[]) => ({ Version: "2012-10-17", Statement: statements });
const parse = (text: string) => JSON.parse(text) as { Version?: string; Statement: Statement[] };
const sidsOf = (text: string) => parse(text).Statement.map(({ Sid }) => Sid);

const owners = {
  Sid: "OwnersTeam",
  Effect: "Allow",
  Principal: { AWS: "arn:aws:iam::111111111111:role/Team" },
  Action: "s3:GetObject",
  Resource: "arn:aws:s3:::example-logs/*",
};

/** A statement that takes so many bytes. */
function filler(bytes: number): unknown {
  const empty = { ...owners, Sid: "Filler", Resource: "" };
  const Resource = "x".repeat(bytes - JSON.stringify(empty).length);
  return { ...empty, Resource };
}

describe("adding statements to a policy that is there", () => {
  it("without one gives a policy of them: no denials of anything but a nested prefix, and no administration of the key", () => {
    const bucket = merged(mergeBucket());
    assert.deepEqual(sidsOf(bucket.text), [
      "CloudTrailAclCheck",
      "CloudTrailWrite222222222222",
      "CloudTrailWrite333333333333",
      "DenyNestedPrefix",
    ]);
    assert.deepEqual(
      bucket.leftOut.map(({ Sid }) => Sid),
      ["DenyInsecureTransport"],
    );
    assert.equal(bucket.form, "perTrail");
    const key = merged(mergeKeyPolicy(keyInput));
    assert.deepEqual(sidsOf(key.text), ["CloudTrailEncrypt", "CloudTrailDescribeKey", "AccountReadsLogs"]);
    assert.deepEqual(key.leftOut, []);
  });

  it("adds the denials when they are asked for, and then says what a new bucket's policy says", () => {
    const input = { memberReaders, requireMfa: true };
    const { text } = merged(mergeBucket(undefined, { denials: true }, input));
    assert.equal(text, JSON.stringify(bucketPolicyIn("perTrail", { ...bucketInput, ...input })));
  });

  it("puts them behind the current ones, which stay as they are written", () => {
    const current = `{ "Id": "Team's",
      "Statement": { "Effect": "Allow", "Sid": "\\u004fdd", "Principal": "*", "Action": [ "s3:GetObject" ],
        "Resource": "arn:aws:s3:::example-logs\\/*", "Condition": { "NumericLessThan": { "s3:max-keys": 1.0e1 } } },
      "Version": "2012-10-17" }`;
    const { text, kept, added } = merged(mergeBucket(current));
    const theirs =
      '{"Effect":"Allow","Sid":"\\u004fdd","Principal":"*","Action":["s3:GetObject"],"Resource":"arn:aws:s3:::example-logs\\/*",' +
      '"Condition":{"NumericLessThan":{"s3:max-keys":1.0e1}}}';
    const ours = added.map((statement) => JSON.stringify(statement)).join(",");
    assert.equal(text, `{"Id":"Team's","Statement":[${theirs},${ours}],"Version":"2012-10-17"}`);
    assert.deepEqual(kept, [{ text: theirs, sid: "Odd", name: 'statement 1 ("Odd")' }]);
    assert.equal(added.length, 4);
  });

  it("takes what the AWS CLI prints whole, and a file with a byte order mark", () => {
    const text = JSON.stringify(policy(owners));
    const expected = merged(mergeBucket(text)).text;
    assert.equal(merged(mergeBucket({ Policy: text, PolicyName: "default" })).text, expected);
    assert.equal(merged(mergeBucket(`\uFEFF${text}`)).text, expected);
  });

  describe("for any current policy", () => {
    const names = fc.constantFrom(
      "Sid",
      "Effect",
      "Action",
      "NotAction",
      "Condition",
      "__proto__",
      "7",
      "Extra",
      "toString",
    );
    const statement = fc
      .tuple(fc.dictionary(names, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 5 }), fc.string({ maxLength: 8 }))
      .map(([elements, sid]) => ({ Effect: "Allow", ...elements, Sid: `their ${sid}` }));
    const documents = fc.record(
      {
        Version: fc.constantFrom("2012-10-17", "2008-10-17", "x", 5),
        Id: fc.jsonValue({ maxDepth: 1 }),
        Statement: fc.oneof(statement, fc.array(statement, { minLength: 1, maxLength: 5 })),
        Unknown: fc.jsonValue({ maxDepth: 1 }),
      },
      { requiredKeys: ["Statement"] },
    );

    it("its statements and all around them stay, in their order, and a second time there is nothing to add", () => {
      fc.assert(
        fc.property(documents, fc.constantFrom(undefined, 2, "\t"), fc.boolean(), (current, space, denials) => {
          const text = JSON.stringify(current, null, space);
          const once = merged(mergeBucket(text, { denials }));
          const theirs = [current.Statement].flat();
          const { Statement: all, ...around } = JSON.parse(once.text) as typeof current & { Statement: unknown[] };
          assert.deepEqual({ ...around, Statement: 0 }, { ...(JSON.parse(text) as typeof current), Statement: 0 });
          assert.deepEqual(all.slice(0, theirs.length), JSON.parse(JSON.stringify(theirs)));
          assert.deepEqual(all.slice(theirs.length), once.added);
          for (const each of theirs) assert.ok(once.text.includes(JSON.stringify(each)));
          assert.equal(once.bytes, Buffer.byteLength(once.text));

          const twice = merged(mergeBucket(once.text, { denials }));
          assert.deepEqual(twice.added, []);
          assert.equal(twice.text, once.text);
          assert.equal(twice.form, once.form);
        }),
        { numRuns: 60, seed: 1 },
      );
    });

    it("of any size, the form is the tightest that fits beside it, and stays at the second time", () => {
      const trails = fleetOf(30);
      // A document with them and a comma behind; without the denial that ends it.
      const added = (form: BucketPolicyForm) => {
        const document = bucketPolicyIn(form, { ...bucketInput, trails });
        return size(document) - JSON.stringify(document.Statement.at(-1)).length;
      };
      const seen = new Set<string>();
      fc.assert(
        fc.property(fc.integer({ min: 300, max: bucketPolicyLimit }), (bytes) => {
          const current = policy(filler(bytes));
          const fits = (form: BucketPolicyForm) => bytes + added(form) <= bucketPolicyLimit;
          const expected = bucketForms.find(fits);
          seen.add(String(expected));
          const result = mergeBucket(current, {}, { trails });
          if (expected === undefined) {
            assert.deepEqual(idsOf(refused(result)), ["policy/no-room"]);
            return;
          }
          const once = merged(result);
          assert.equal(once.form, expected);
          assert.ok(once.bytes <= bucketPolicyLimit);
          const twice = merged(mergeBucket(once.text, {}, { trails }));
          assert.deepEqual([twice.added, twice.form, twice.text], [[], once.form, once.text]);
        }),
        { numRuns: 40, seed: 1 },
      );
      assert.deepEqual([...seen].sort(), [...bucketForms, "undefined"].sort(), "every form was met");
    });
  });

  describe("what is there already", () => {
    const [aclCheck, write] = bucketPolicyIn("perTrail", bucketInput).Statement as [Statement, Statement];

    it("is not added again: in whatever order AWS gives it back, as a list of one, under another Sid or none", () => {
      const reordered = {
        Condition: {
          StringEquals: { "aws:SourceArn": [...(aclCheck.Condition?.StringEquals?.["aws:SourceArn"] ?? [])].reverse() },
        },
        Resource: [aclCheck.Resource],
        Action: aclCheck.Action,
        Principal: aclCheck.Principal,
        Effect: "Allow",
        Sid: "AnotherName",
      };
      const nameless = { ...write, Sid: undefined };
      const { added, present, findings } = merged(mergeBucket(policy(owners, reordered, nameless)));
      assert.deepEqual(
        added.map(({ Sid }) => Sid),
        ["CloudTrailWrite333333333333", "DenyNestedPrefix"],
      );
      assert.deepEqual(present, [
        { sid: "CloudTrailAclCheck", as: 'statement 2 ("AnotherName")' },
        { sid: "CloudTrailWrite222222222222", as: "statement 3" },
      ]);
      assert.deepEqual(findings, []);
    });

    it("in a looser form suffices: a tighter one beside it would tie nothing", () => {
      for (const form of bucketForms) {
        const current = bucketPolicyIn(form, bucketInput);
        const { added, form: found, findings, leftOut } = merged(mergeBucket(current));
        assert.deepEqual([added, found, findings, leftOut], [[], form, [], []]);
      }
    });

    it("is told from what merely looks alike", () => {
      for (const change of [
        { Effect: "Deny" },
        { Principal: "*" },
        { Action: ["s3:GetBucketAcl", "s3:GetObject"] },
        { Condition: undefined },
        { Condition: { ...aclCheck.Condition, Null: {} } },
      ]) {
        assert.deepEqual(idsOf(refused(mergeBucket(policy({ ...aclCheck, ...change })))), ["policy/sid-collision"]);
      }
    });

    it("but is not needed any more is pointed out: a member that has left", () => {
      const current = bucketPolicyIn("perTrail", { ...bucketInput, trails: fleetOf(1) }).Statement.slice(1);
      const { findings } = merged(mergeBucket(policy(...current)));
      assert.deepEqual(
        findings.map(({ id, severity, subject }) => [id, severity, subject]),
        [["policy/left-over", "warning", 'statement 1 ("CloudTrailWrite200000000000")']],
      );
      assert.match(findings[0]?.remedy ?? "", /--without CloudTrailWrite200000000000\b/);
    });
  });

  describe("is refused", () => {
    it("where one of our Sids is taken, for every one of them; the finding shows both and the way out", () => {
      const options = { denials: true };
      const input = { memberReaders, requireMfa: true };
      for (const form of bucketForms) {
        for (const { Sid } of bucketPolicyIn(form, { ...bucketInput, ...input }).Statement) {
          const current = policy(owners, { ...owners, Sid, Action: "s3:TheirAction" });
          const [finding, ...others] = refused(mergeBucket(current, { ...options, form }, input));
          assert.deepEqual(others, []);
          assert.equal(finding?.id, "policy/sid-collision");
          assert.equal(finding.subject, `statement 2 ("${Sid}")`);
          assert.match(finding.message, /it has .*s3:TheirAction.*; Crosstrail's has .*s3:/);
          assert.ok(finding.remedy.includes(`--without ${Sid}.`), finding.remedy);

          const { kept, removed, text } = merged(mergeBucket(current, { ...options, form, without: [Sid] }, input));
          assert.deepEqual([kept.map(({ sid }) => sid), removed.map(({ sid }) => sid)], [["OwnersTeam"], [Sid]]);
          assert.ok(!text.includes("TheirAction"));
        }
      }
    });

    it("after the fleet has grown, until the earlier statements are named; the remedy names all of them", () => {
      const [one] = fleet;
      assert.ok(one);
      const earlier = merged(mergeKeyPolicy({ ...keyInput, trails: [one] })).text;
      const findings = refused(mergeKeyPolicy(keyInput, { current: earlier }));
      assert.deepEqual(idsOf(findings), ["policy/sid-collision", "policy/sid-collision"]);
      const without = /--without ([\w ]+)\./.exec(findings[0]?.remedy ?? "")?.[1]?.split(" ");
      assert.deepEqual(without, ["CloudTrailEncrypt", "CloudTrailDescribeKey"]);
      const { text } = merged(mergeKeyPolicy(keyInput, { current: earlier, without }));
      assert.deepEqual(new Set(sidsOf(text)), new Set(sidsOf(merged(mergeKeyPolicy(keyInput)).text)));
    });

    it("where there is no room, with what is left of it and what would fit", () => {
      const current = policy(filler(bucketPolicyLimit - 2500));
      const trails = fleetOf(7);
      const [demanded] = refused(mergeBucket(current, { form: "perTrail" }, { trails }));
      assert.equal(demanded?.id, "policy/no-room");
      assert.match(demanded.message, /AWS allows 20480\. The current statements leave 24\d\d\./);
      assert.match(demanded.remedy, /^Set crosstrail:bucketPolicyForm to trailList,/);
      assert.equal(merged(mergeBucket(current, { form: "trailList" }, { trails })).form, "trailList");
      const [none] = refused(mergeBucket(policy(filler(bucketPolicyLimit - 200))));
      assert.match(none?.remedy ?? "", /second archive/);
      const key = refused(mergeKeyPolicy(keyInput, { current: JSON.stringify(policy(filler(keyPolicyLimit - 200))) }));
      assert.match(key[0]?.message ?? "", /AWS allows 32768/);
    });

    it("where the current policy is too large by itself", () => {
      const findings = refused(mergeBucket(policy(filler(bucketPolicyLimit))));
      assert.deepEqual(idsOf(findings), ["policy/no-room"]);
      assert.match(findings[0]?.message ?? "", /already has \d+ bytes/);
    });

    it("where our policy variable would be ordinary text, whether the Version is old or missing", () => {
      for (const Version of ["2008-10-17", undefined]) {
        const current = { ...policy(owners), Version };
        const findings = refused(mergeBucket(current, {}, { memberReaders }));
        assert.deepEqual(
          findings.map(({ id, subject }) => [id, subject]),
          ["MembersListOwnLogs", "MembersReadOwnLogs"].map((subject) => ["policy/variable-version", subject]),
        );
        const key = refused(mergeKeyPolicy({ ...keyInput, memberReaders }, { current: JSON.stringify(current) }));
        assert.deepEqual(idsOf(key), ["policy/variable-version"]);
        // Without a variable the older version is no obstacle, and is not changed.
        assert.equal(parse(merged(mergeBucket(current)).text).Version, Version);
      }
    });

    it("where a statement is to be left out that is not there", () => {
      const [finding] = refused(mergeBucket(policy(owners), { without: ["OwnersTeam", "Nobody"] }));
      assert.equal(finding?.id, "policy/no-such-sid");
      assert.equal(finding.subject, "--without Nobody");
      assert.match(finding.remedy, /OwnersTeam/);
    });
  });

  describe("hostile policies", () => {
    const take = (text: string) => {
      for (const merge of [() => mergeBucket(text), () => mergeKeyPolicy(keyInput, { current: text })]) {
        try {
          merge();
        } catch (error) {
          assert.ok(error instanceof UserError, String((error as Error).stack));
          assert.ok(error.findings.length > 0);
        }
      }
    };

    it("are merged or refused, never a crash", () => {
      fc.assert(fc.property(fc.string({ maxLength: 100 }), take), { numRuns: 100, seed: 1 });
      fc.assert(
        fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
          take(JSON.stringify(value));
          take(JSON.stringify({ Statement: value }));
          take(JSON.stringify({ Statement: [value, { Sid: value }, { Sid: "CloudTrailAclCheck", Condition: value }] }));
        }),
        { numRuns: 60, seed: 1 },
      );
    });

    it("that are no policy at all are the user's mistake to mend", () => {
      for (const [text, id] of [
        ["", "policy/json"],
        ["null", "policy/document"],
        ["[]", "policy/document"],
        ["{}", "policy/statement"],
        ['{"Statement":[]}', "policy/statement"],
        ['{"Statement":[{"Effect":"Deny","Effect":"Allow"}]}', "policy/duplicate-key"],
        ['{"Policy":"{"}', "policy/json"],
      ] as const) {
        assert.throws(
          () => mergeBucket(text),
          (error) => error instanceof UserError && error.findings.some((finding) => finding.id === id),
          text,
        );
      }
    });

    it("however large or deep, in time", () => {
      const deep = "[".repeat(9_000) + "]".repeat(9_000);
      take(`{"Statement":[{"Sid":"CloudTrailAclCheck","Condition":${deep}},${deep}]}`);
      take(`{"Statement":[${Array(60_000).fill("{}").join(",")}]}`);
      take(`{"Statement":[${Array(5_000).fill('{"Sid":"a"}').join(",")}]}`);
      take(JSON.stringify(policy({ ...owners, Sid: "x".repeat(1_000_000) })));
    });

    it("cannot name what objects inherit", () => {
      const current = '{"Statement":[{"Sid":"a","__proto__":{"Sid":"CloudTrailAclCheck"}}],"__proto__":{"x":1}}';
      const { text } = merged(mergeBucket(current));
      assert.ok(text.startsWith('{"Statement":[{"Sid":"a","__proto__":{"Sid":"CloudTrailAclCheck"}},'));
      assert.ok(text.endsWith('],"__proto__":{"x":1}}'));
    });
  });

  it("keeps a key's own administration, whatever it is", () => {
    for (const form of Object.values(KeyPolicyForm)) {
      const own = keyPolicyIn(form, keyInput).Statement[0] as Statement;
      const { text, added } = merged(mergeKeyPolicy(keyInput, { form, current: JSON.stringify(policy(own)) }));
      assert.deepEqual(parse(text).Statement[0], own);
      assert.ok(added.every(({ Sid }) => Sid !== own.Sid));
    }
  });
});
