import assert from "node:assert/strict";
import * as fc from "fast-check";
import { cut, respace } from "../../../core/policies/jsonText";

describe("the text of JSON", () => {
  it("is minified and indented as JSON.stringify would", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(1, 2, 4), (value, indent) => {
        for (const given of [
          JSON.stringify(value),
          JSON.stringify(value, null, 3),
          JSON.stringify(value, null, "\t"),
        ]) {
          assert.equal(respace(given), JSON.stringify(value));
          assert.equal(respace(given, indent), JSON.stringify(value, null, indent));
        }
      }),
      { numRuns: 100, seed: 1 },
    );
  });

  it("keeps what reading and writing it anew would change", () => {
    const text = '{ "b" : 1.0e2,\r\n"2":"\\u0041\\/ \\" , {","1" :[ ] , "__proto__": {"n":12345678901234567890} }';
    const minified = '{"b":1.0e2,"2":"\\u0041\\/ \\" , {","1":[],"__proto__":{"n":12345678901234567890}}';
    assert.equal(respace(text), minified);
    assert.equal(respace(respace(text, 2)), minified);
    assert.notEqual(JSON.stringify(JSON.parse(text)), minified);
  });

  it("is cut into statements, wherever they stand and however they are written", () => {
    for (const [text, statements, isList] of [
      ['{"Statement":[{"a":[1,2]},{"b":"}"}],"Id":"x"}', ['{"a":[1,2]}', '{"b":"}"}'], true],
      ['{"Id":"Statement","Statement":{"Statement":[1,2]},"Version":"v"}', ['{"Statement":[1,2]}'], false],
      ['{"x":{"Statement":[0]},"St\\u0061tement":[{"a":1}]}', ['{"a":1}'], true],
      ['{"Statement":"odd"}', ['"odd"'], false],
      ['{"Statement":["odd",5,[]]}', ['"odd"', "5", "[]"], true],
      ['{"Statement":[]}', [], true],
    ] as const) {
      const found = cut(text.replaceAll(",", " ,\n"));
      assert.deepEqual({ statements: found.statements, isList: found.isList }, { statements, isList }, text);
      const inside = statements.join(",");
      assert.equal(found.before + (isList ? `[${inside}]` : inside) + found.after, respace(text));
    }
  });

  it("of any nesting is taken", () => {
    const deep = "[".repeat(50_000) + "]".repeat(50_000);
    assert.equal(respace(`${deep} `), deep);
    assert.deepEqual(cut(`{"Statement":[${deep}]}`).statements, [deep]);
  });
});
