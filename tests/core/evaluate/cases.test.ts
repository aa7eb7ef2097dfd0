/**
 * Scenarios as JSON: cases/*.json hold named policies, and cases {name, request, policies, expect} that refer to them. Each
 * case is put to the evaluator and to the oracle.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { AccessRequest, Decision, Policies, PolicyDocument } from "../../../core/evaluate/index";
import { evaluate } from "../../../core/evaluate/index";
import { askOracle } from "./oracle";

interface Scenario {
  name: string;
  request: AccessRequest;
  /** Names of policies of the file. */
  policies: { resourcePolicy?: string; identityPolicies?: string[] };
  expect: {
    allowed: boolean;
    reason?: Decision["reason"];
    /** The Sid of the deciding statement. */
    decidedBy?: string;
    /** The Sid of the nearest allow. */
    nearest?: string;
    /** What failed in the nearest allow: "resource", "condition aws:SourceArn". */
    failed?: string[];
    /** Ids of findings. */
    findings?: string[];
  };
}

interface ScenarioFile {
  policies: Record<string, PolicyDocument>;
  cases: Scenario[];
}

/** Where the oracle answers otherwise, by the name of the case. Each reason is one of differential.test.ts. */
const oracleDiffers: Record<string, string> = {
  "a stranger's user decrypts a member's logs": "a statement of a key policy without Resource",
  "a statement without Resource has no effect": "a statement of a key policy without Resource",
};

/**
 * The oracle ignores condition keys that it does not know for the action, such as those of the encryption context; in its
 * copy they have the names of keys that it knows.
 */
function forOracle<T>(value: T): T {
  const text = JSON.stringify(value)
    .replace(/kms:EncryptionContext:aws:cloudtrail:arn/gi, "aws:PrincipalTag/trail")
    .replace(/kms:CallerAccount/gi, "aws:PrincipalAccount");
  return JSON.parse(text) as T;
}

const folder = join(__dirname, "cases");
for (const file of readdirSync(folder).filter((name) => name.endsWith(".json"))) {
  const { policies, cases } = JSON.parse(readFileSync(join(folder, file), "utf8")) as ScenarioFile;
  const find = (name: string): PolicyDocument => {
    const policy = policies[name];
    assert.ok(policy, `${file} has no policy "${name}"`);
    return policy;
  };
  const resolve = (scenario: Scenario): Policies => ({
    ...(scenario.policies.resourcePolicy === undefined
      ? {}
      : { resourcePolicy: find(scenario.policies.resourcePolicy) }),
    identityPolicies: (scenario.policies.identityPolicies ?? []).map(find),
  });

  describe(`scenarios of ${file}`, () => {
    for (const scenario of cases) {
      const { name, request, expect } = scenario;
      it(name, async () => {
        const given = resolve(scenario);
        const decision = evaluate(request, given);
        assert.equal(decision.allowed, expect.allowed, decision.explanation);
        if (expect.reason) assert.equal(decision.reason, expect.reason, decision.explanation);
        if (expect.decidedBy) assert.equal(decision.decidedBy?.sid, expect.decidedBy, decision.explanation);
        if (expect.nearest) assert.equal(decision.nearest?.sid, expect.nearest, decision.explanation);
        if (expect.failed) {
          const failed = decision.nearest?.failed.map(({ what, key }) => (key === undefined ? what : `${what} ${key}`));
          assert.deepEqual(failed, expect.failed, decision.explanation);
        }
        if (expect.findings)
          assert.deepEqual(
            decision.findings?.map(({ id }) => id),
            expect.findings,
          );
        // The oracle has no opinion on policies that cannot be evaluated: it refuses them too, or guesses.
        if (decision.reason === "notEvaluated") return;
        const oracle = await askOracle(forOracle(request), forOracle(given));
        assert.ok(!("error" in oracle), JSON.stringify(oracle));
        if (oracleDiffers[name] === undefined) assert.equal(oracle.allowed, decision.allowed, "the oracle differs");
        else assert.notEqual(oracle.allowed, decision.allowed, `The oracle agrees now: drop "${oracleDiffers[name]}"`);
      });
    }
  });
}
