import assert from "node:assert/strict";
import { parse } from "yaml";
import { keyTable, parseSettings } from "../../core/settings";
import { configurationGroups } from "../../docs/configuration";

/** The least that a stack of each role needs; the examples are added to it. */
const least: Record<string, Record<string, unknown>> = {
  audit: { role: "audit", auditAccountId: "111111111111", bucketName: "example-audit-logs" },
  member: { role: "member", accountId: "222222222222", auditStack: "audit" },
  management: { role: "management", accountId: "555555555555", auditStack: "audit" },
};

describe("docs/configuration.md", () => {
  it("has every configuration key in one group (docs/configuration.ts)", () => {
    const grouped = configurationGroups.flatMap(({ keys }) => keys).sort();
    assert.deepEqual(grouped, keyTable.map(({ name }) => name).sort());
  });

  for (const { title, keys, example } of configurationGroups) {
    it(`${title}: the example is valid and shows keys of its group`, () => {
      const config = parse(example.yaml) as Record<string, unknown>;
      const names = Object.keys(config).map((name) => name.replace(/^crosstrail:/, ""));
      assert.ok(names.some((name) => (keys as string[]).includes(name)));
      const values = {
        members: [{ accountId: "222222222222", alias: "payments" }],
        ...least[example.role],
        ...Object.fromEntries(Object.entries(config).map(([name, value]) => [name.replace(/^crosstrail:/, ""), value])),
      };
      const raw = Object.entries(values).filter(([name]) => name !== "members" || example.role === "audit");
      assert.doesNotThrow(() =>
        parseSettings(
          "example",
          Object.fromEntries(
            raw.map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]),
          ),
          "us-east-1",
        ),
      );
    });
  }
});
