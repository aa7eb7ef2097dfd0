import assert from "node:assert/strict";
import { policyDiff } from "../../../core/policies/diff";

const policy = (...Statement: object[]) => JSON.stringify({ Version: "2012-10-17", Statement });
const read = { Sid: "Read", Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: ["b/1", "b/2"] };
const write = { Sid: "Write", Effect: "Deny", Principal: { AWS: "1" }, Action: ["s3:Put*"], Resource: "b" };

describe("policyDiff", () => {
  it("tells each value that is new or gone, and how many stay beside it", () => {
    const changed = {
      ...read,
      Resource: ["b/2", "b/3"],
      Condition: { StringEquals: { "aws:SourceArn": ["x", "y"] } },
    };
    assert.deepEqual(policyDiff(policy(read, write), policy(write, changed)), {
      unchanged: 1,
      changes: [
        {
          kind: "changed",
          name: "Read",
          says: "Allow s3:GetObject",
          lines: [
            { sign: " ", element: "Resource", value: "(1 unchanged)" },
            { sign: "-", element: "Resource", value: "b/1" },
            { sign: "+", element: "Resource", value: "b/3" },
            { sign: "+", element: "Condition StringEquals aws:SourceArn", value: "x" },
            { sign: "+", element: "Condition StringEquals aws:SourceArn", value: "y" },
          ],
        },
      ],
    });
  });

  it("does not mind order, a list of one, or JSON's types", () => {
    const before = policy({ ...write, Condition: { Bool: { "aws:SecureTransport": "false" } } }, read);
    const after = policy(
      { ...read, Resource: ["b/2", "b/1"] },
      { ...write, Action: "s3:Put*", Condition: { Bool: { "aws:SecureTransport": false } } },
    );
    assert.deepEqual(policyDiff(before, after), { unchanged: 2, changes: [] });
  });

  it("takes a new Sid for a new name, and a Sid that another statement took for another statement", () => {
    const renamed = policyDiff(policy(read), policy({ ...read, Sid: "ReadLogs" }));
    assert.deepEqual(renamed?.changes[0]?.lines, [
      { sign: "-", element: "Sid", value: "Read" },
      { sign: "+", element: "Sid", value: "ReadLogs" },
    ]);
    const swapped = policyDiff(policy(read, write), policy({ ...read, Sid: "Write" }));
    assert.deepEqual(
      swapped?.changes.map(({ kind, name }) => `${kind} ${name}`),
      ["changed Write", "removed Write"],
    );
  });

  it("tells whole statements where there was no policy, and where one is gone", () => {
    const added = policyDiff(undefined, policy(write))?.changes;
    assert.deepEqual(
      added?.map(({ kind, lines }) => [
        kind,
        ...lines.map(({ sign, element, value }) => `${sign} ${element}=${value}`),
      ]),
      [["added", "+ Principal AWS=1", "+ Action=s3:Put*", "+ Resource=b"]],
    );
    assert.deepEqual(
      policyDiff(policy(write), undefined)?.changes.map(({ kind }) => kind),
      ["removed"],
    );
  });

  it("counts statements that are there twice", () => {
    assert.deepEqual(
      policyDiff(policy(read, read), policy(read))?.changes.map(({ kind, name }) => `${kind} ${name}`),
      ["removed Read"],
    );
  });

  it("says of a text that is no policy that it does not know", () => {
    for (const text of ["04da6b54-80e4-46f7-96ec-b56ff0331ba9", "null", "{}", '{"Statement":[1]}', "[]"]) {
      assert.equal(policyDiff(policy(read), text), undefined, text);
    }
  });

  it("says so, too, of a policy that is nested deeper than any policy, however deep", () => {
    for (const depth of [40, 5_000]) {
      const nested = "[".repeat(depth) + "]".repeat(depth);
      const maps = '{"a":'.repeat(depth) + "1" + "}".repeat(depth);
      for (const text of [
        `{"Statement":[{"Sid":"A","Effect":"Allow","Action":${nested}}]}`,
        `{"Statement":[{"Sid":"A","Effect":"Allow","Condition":${maps}}]}`,
        `{"Statement":${nested}}`,
        nested,
      ]) {
        assert.equal(policyDiff(policy(read), text), undefined);
        assert.equal(policyDiff(text, policy(read)), undefined);
      }
    }
  });
});
