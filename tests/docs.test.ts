import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { generated } from "../docs/generate";

describe("documentation", () => {
  for (const [file, text] of Object.entries(generated())) {
    it(`${file} says what the code says (npm run docs writes it)`, () => {
      assert.equal(fs.readFileSync(path.join(__dirname, "..", file), "utf8"), text);
    });
  }
});
