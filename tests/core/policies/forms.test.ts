import assert from "node:assert/strict";
import type { UserError } from "../../../core/findings";
import type { BucketPolicyForm } from "../../../core/policies/bucket";
import { bucketPolicy, bucketPolicyLimit } from "../../../core/policies/bucket";
import { size } from "../../../core/policies/document";
import { chooseForm } from "../../../core/policies/forms";
import type { KeyPolicyForm } from "../../../core/policies/key";
import { keyPolicy, keyPolicyLimit } from "../../../core/policies/key";
import { auditAccountId, bucketName, fleetOf } from "../../support/fleet";
import { bucketForms, fleet, keyDocument, keyForms } from "../../support/policies";

describe("core/policies: the choice of the form", () => {
  const chosen = (count: number) => bucketPolicy({ partition: "aws", bucketName, trails: fleetOf(count) });
  const chosenForKey = (count: number) => keyPolicy({ partition: "aws", auditAccountId, trails: fleetOf(count) });

  it("keeps to AWS's limits", () => {
    assert.equal(bucketPolicyLimit, 20 * 1024);
    assert.equal(keyPolicyLimit, 32 * 1024);
  });

  const fits = (build: () => unknown) => {
    try {
      build();
      return true;
    } catch {
      return false;
    }
  };
  const bucketFits = (form: BucketPolicyForm) => (count: number) =>
    fits(() => bucketPolicy({ partition: "aws", bucketName, trails: fleetOf(count) }, form));
  const keyFits = (form: KeyPolicyForm) => (count: number) =>
    fits(() => keyPolicy({ partition: "aws", auditAccountId, trails: fleetOf(count) }, form));

  /** The greatest fleet that it `holds`, found by halving: whatever fits a fleet fits a smaller one. */
  function greatest(holds: (count: number) => boolean): number {
    let [good, bad] = [1, 2000];
    while (bad - good > 1) {
      const middle = (good + bad) >> 1;
      if (holds(middle)) good = middle;
      else bad = middle;
    }
    return good;
  }

  // Golden numbers for a bucket name of 12 characters and a trail name of 10: what a change of the documents costs.
  for (const [form, accounts] of [
    ["perTrail", 49],
    ["trailList", 113],
    ["trailName", 383],
    ["accountList", 1305],
  ] as const) {
    it(`the bucket policy as ${form} holds ${accounts} accounts`, () => {
      assert.equal(greatest(bucketFits(form)), accounts);
      assert.equal(chosen(accounts).form, form);
      const next = bucketForms[bucketForms.indexOf(form) + 1];
      if (next) assert.equal(chosen(accounts + 1).form, next);
      else assert.throws(() => chosen(accounts + 1), { name: "UserError" });
    });
  }

  for (const [form, accounts] of [
    ["trailList", 188],
    ["encryptionContext", 710],
  ] as const) {
    it(`the key policy as ${form} holds ${accounts} accounts`, () => {
      assert.equal(greatest(keyFits(form)), accounts);
      assert.equal(chosenForKey(accounts).form, form);
      const next = keyForms[keyForms.indexOf(form) + 1];
      if (next) assert.equal(chosenForKey(accounts + 1).form, next);
      else assert.throws(() => chosenForKey(accounts + 1), { name: "UserError" });
    });
  }

  it("members that may read their own logs count: a looser form is chosen where their statements need the room", () => {
    const trails = fleetOf(49);
    const input = { partition: "aws", bucketName, trails } as const;
    assert.equal(bucketPolicy(input).form, "perTrail");
    const memberReaders = trails.map(({ accountId }) => accountId);
    const { form, document } = bucketPolicy({ ...input, memberReaders });
    assert.equal(form, "trailList");
    assert.ok(size(document) <= bucketPolicyLimit);
    const key = { partition: "aws", auditAccountId, trails: fleetOf(188) } as const;
    const readers = key.trails.map(({ accountId }) => accountId);
    assert.deepEqual(
      [keyPolicy(key).form, keyPolicy({ ...key, memberReaders: readers }).form],
      ["trailList", "encryptionContext"],
    );
  });

  it("a demanded form is built, also where a tighter one fits", () => {
    for (const form of bucketForms) {
      assert.equal(bucketPolicy({ partition: "aws", bucketName, trails: fleet }, form).form, form);
    }
    for (const form of keyForms) {
      assert.equal(keyPolicy({ partition: "aws", auditAccountId, trails: fleet }, form).form, form);
    }
  });

  const messageOf = (act: () => unknown): string => {
    try {
      act();
    } catch (error) {
      assert.equal((error as UserError).name, "UserError");
      return (error as UserError).message;
    }
    return assert.fail("it fits");
  };

  it("a demanded form that does not fit is an error that names the tightest one that does", () => {
    const input = { partition: "aws", bucketName, trails: fleetOf(60) } as const;
    assert.equal(
      messageOf(() => bucketPolicy(input, "perTrail")),
      "The bucket policy does not fit.\n" +
        "\n  crosstrail:bucketPolicyForm: perTrail" +
        `\n    policy/too-large: Form perTrail for 60 trails needs 24835 bytes; AWS allows 20480.` +
        `\n    → Set crosstrail:bucketPolicyForm to trailList (11198 bytes), or remove the key to use the tightest form that fits.`,
    );
    assert.match(
      messageOf(() => keyPolicy({ partition: "aws", auditAccountId, trails: fleetOf(300) }, "trailList")),
      /^The key policy does not fit\.\n\n {2}crosstrail:keyPolicyForm: trailList\n {4}policy\/too-large: Form trailList for 300 trails needs \d+ bytes; AWS allows 32768\.\n {4}→ Set crosstrail:keyPolicyForm to encryptionContext \(\d+ bytes\), or remove the key to use the tightest form that fits\.$/,
    );
  });

  for (const [demanded, bytes] of [
    [undefined, 21893],
    ["trailName", 72305],
  ] as const) {
    it(`a fleet that fits into no form is sent to a second archive (${demanded ?? "auto"})`, () => {
      const trails = fleetOf(1400);
      const form = demanded ?? "accountList";
      assert.equal(
        messageOf(() => bucketPolicy({ partition: "aws", bucketName, trails }, demanded)),
        "The bucket policy does not fit.\n" +
          `\n  crosstrail:bucketPolicyForm: ${demanded ?? "auto"}` +
          `\n    policy/too-large: Form ${form} for 1400 trails needs ${bytes} bytes; AWS allows 20480.` +
          "\n    → If the accounts are members of one organization, declare crosstrail:organization. Otherwise, deliver some of them to a second archive: another audit stack with its own bucket and key.",
      );
    });
  }

  it("that names accounts is not built for more accounts than fit: 20,000 members are refused at once", () => {
    const built: string[] = [];
    const build = (form: string) => {
      built.push(form);
      return keyDocument();
    };
    const trails = fleetOf(9000);
    const options = { what: "policy", key: "key", limit: 20480, trails, build };
    assert.equal(chooseForm({ ...options, forms: ["perTrail", "trailList", "organization"] }).form, "organization");
    assert.deepEqual(built.splice(0), ["organization"]);
    assert.throws(() => chooseForm({ ...options, forms: ["perTrail", "trailList"] }), /Form trailList for 9000 trails/);
    assert.deepEqual(built, ["trailList"]);
  });

  it("fits at the limit, and not one byte above it", () => {
    const document = keyDocument();
    const options = { what: "policy", key: "key", forms: ["a"], build: () => document, trails: fleetOf(1) };
    assert.equal(chooseForm({ ...options, limit: size(document) }).form, "a");
    assert.throws(() => chooseForm({ ...options, limit: size(document) - 1 }), { name: "UserError" });
  });
});
