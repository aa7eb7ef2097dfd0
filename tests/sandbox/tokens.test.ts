import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const ROOT = join(__dirname, "../..");
const AWS = dirname(require.resolve("@pulumi/aws/package.json"));
const source = readFileSync(join(ROOT, "sandbox/engine/aws-plugin/tokens.go"), "utf8");
const tokens = [...source.matchAll(/^\s*"(aws_\w+)":\s*"(aws:[^"]+)",$/gm)].map(([, type = "", token = ""]) => ({
  type,
  token,
}));

describe("tokens of the bridged AWS plugin", () => {
  it("are read from its source", () => {
    assert.ok(tokens.length > 90);
    const pairs = [...source.matchAll(/"aws:/g)].length;
    assert.equal(tokens.length, pairs, "every token is on a line that this test reads");
  });

  it("are each in @pulumi/aws", () => {
    const missing = tokens.filter(({ token }) => {
      const [, path = "", name = ""] = token.split(":");
      const file = join(AWS, `${path.replace(/^index\//, "")}.js`);
      if (!existsSync(file)) return true;
      const text = readFileSync(file, "utf8");
      return name.startsWith("get") ? !text.includes(`"${token}"`) : !text.includes(`__pulumiType = '${token}'`);
    });
    assert.deepEqual(missing, []);
  });

  it("are each given once", () => {
    assert.equal(new Set(tokens.map(({ token }) => token)).size, tokens.length);
  });
});
