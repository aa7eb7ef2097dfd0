import assert from "node:assert/strict";
import type { Contract } from "../../../core/contract";
import type { Answer } from "../../../core/fleet";
import { declaredContract, narrowingFinding, takenAway } from "../../../core/fleet";
import type { AuditSettings } from "../../../core/settings";
import { parseSettings } from "../../../core/settings";

const accounts = ["222222222222", "333333333333", "444444444444"];
const members = accounts.map((accountId, index) => ({ accountId, alias: `member-${index}` }));
const audit = (more: Record<string, unknown> = {}) =>
  parseSettings(
    "audit",
    Object.fromEntries(
      Object.entries({
        role: "audit",
        auditAccountId: "111111111111",
        bucketName: "example-logs",
        members,
        ...more,
      }).map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]),
    ),
    "us-east-1",
  ) as AuditSettings;
const key = (digit: number) =>
  `arn:aws:kms:us-east-1:111111111111:key/${String(digit).repeat(8)}-12ab-34cd-56ef-1234567890ab`;
const deployed = (settings: AuditSettings, more: Partial<Contract> = {}): Contract => ({
  ...declaredContract(settings),
  keyArn: key(1),
  ...more,
});
const twoKeys = { keyArn: key(2), previousKeyArns: [key(1)] };

/** The accounts from which something is taken away. */
const from = (before: Contract, after: AuditSettings) => takenAway(before, after).map(({ accountId }) => accountId);

/** What is said about the first of them, when AWS answers this. */
const said = (before: Contract, after: AuditSettings, answer: Answer | ((arn: string) => Answer)) => {
  const [taken] = takenAway(before, after);
  assert.ok(taken);
  return narrowingFinding(taken, typeof answer === "function" ? answer(taken.trailArn) : answer, before, after);
};
const logs =
  (logPrefix: string, keyArn: string, isLogging = true) =>
  (trailArn: string): Answer => ({
    trailArn,
    bucketName: "example-logs",
    logPrefix,
    keyArn,
    isLogging,
    isOrganizationTrail: false,
  });

describe("core/fleet: what bringing up the audit stack takes away", () => {
  it("nothing where nothing is narrowed: AWS need not be asked", () => {
    const same = audit();
    assert.deepEqual(from(deployed(same), same), []);
    const another = audit({ members: [...members, { accountId: "555555555555", alias: "new" }] });
    assert.deepEqual(from(deployed(same), another), []);
    assert.deepEqual(from(deployed(same), audit({ logPrefix: "logs", previousLogPrefix: "/" })), []);
    assert.deepEqual(from(deployed(same), audit({ keyGeneration: 2, previousKeyInUse: true })), []);
    const moved = deployed(audit(), { ...twoKeys, previousKeyInUse: false });
    assert.deepEqual(from(moved, audit({ keyGeneration: 2 })), []);
  });

  it("a plain change of the prefix, and the end of the former one", () => {
    assert.deepEqual(from(deployed(audit()), audit({ logPrefix: "logs" })), accounts);
    const moving = deployed(audit({ logPrefix: "logs", previousLogPrefix: "/" }));
    const done = audit({ logPrefix: "logs" });
    assert.deepEqual(from(moving, done), accounts);

    assert.equal(said(moving, done, logs("logs", key(1))), undefined);
    const kept = said(moving, done, logs("", key(1)));
    assert.equal(kept?.id, "archive/still-needed");
    assert.match(kept?.message ?? "", /logs with prefix none/);
    assert.match(kept?.remedy ?? "", /previousLogPrefix back to "\/", then crosstrail up --only member-0/);
    const plain = said(deployed(audit()), audit({ logPrefix: "logs" }), logs("", key(1)));
    assert.match(plain?.remedy ?? "", /crosstrail migrate --to log-prefix --prefix logs/);
  });

  it("a plain new key, and the end of the former one", () => {
    assert.deepEqual(from(deployed(audit()), audit({ keyGeneration: 2 })), accounts);
    const plain = said(deployed(audit()), audit({ keyGeneration: 2 }), logs("", key(1)));
    assert.match(plain?.remedy ?? "", /crosstrail migrate --to new-key/);

    const done = audit({ keyGeneration: 2 });
    const moving = deployed(audit(), { ...twoKeys, previousKeyInUse: true });
    assert.deepEqual(from(moving, done), accounts);
    assert.equal(said(moving, done, logs("", key(2))), undefined);
    assert.match(said(moving, done, logs("", key(1)))?.remedy ?? "", /previousKeyInUse back to true/);
    // One that was deployed before it was recorded whether the former key is in use: AWS is asked once.
    assert.deepEqual(from(deployed(audit(), twoKeys), done), accounts);
  });

  it("a trail's name that changes plainly, is removed too early, or moves to another Region", () => {
    const renamed = audit({ members: [{ ...members[0], trailName: "new" }, ...members.slice(1)] });
    assert.deepEqual(from(deployed(audit()), renamed), ["222222222222"]);
    assert.match(said(deployed(audit()), renamed, logs("", key(1)))?.remedy ?? "", /previousTrailName: crosstrail/);
    const both = audit({
      members: [{ ...members[0], trailName: "new", previousTrailName: "crosstrail" }, ...members.slice(1)],
    });
    assert.deepEqual(from(deployed(audit()), both), []);
    const tooEarly = said(deployed(both), renamed, logs("", key(1)));
    assert.match(tooEarly?.subject ?? "", /trail\/crosstrail$/);
    const elsewhere = audit({ members: [{ ...members[0], homeRegion: "eu-west-1" }, ...members.slice(1)] });
    assert.match(
      said(deployed(audit()), elsewhere, logs("", key(1)))?.remedy ?? "",
      /Set homeRegion back to us-east-1/,
    );
  });

  it("a member that is removed: its trail has to be gone", () => {
    const fewer = audit({ members: members.slice(1) });
    assert.deepEqual(from(deployed(audit()), fewer), ["222222222222"]);
    assert.equal(said(deployed(audit()), fewer, undefined), undefined);
    assert.match(said(deployed(audit()), fewer, logs("", key(1)))?.remedy ?? "", /crosstrail destroy --only member-0/);
    const closed = said(deployed(audit()), fewer, { notAsked: "The role could not be assumed." });
    assert.equal(closed?.id, "archive/not-asked");
    assert.match(closed?.remedy ?? "", /--remove-members/);
  });

  it("who could not be asked stands in the way; who does not log, or delivers elsewhere, does not", () => {
    const moving = deployed(audit({ logPrefix: "logs", previousLogPrefix: "/" }));
    const done = audit({ logPrefix: "logs" });
    const notAsked = said(moving, done, { notAsked: "The account is closed." });
    assert.match(notAsked?.message ?? "", /could not be asked whether it does\. The account is closed\./);
    assert.match(notAsked?.remedy ?? "", /pulumi stack rm member-0 --force/);
    assert.equal(said(moving, done, logs("", key(1), false)), undefined);
    const elsewhere = (arn: string): Answer => ({ ...(logs("", key(1))(arn) as object), bucketName: "x" }) as Answer;
    assert.equal(said(moving, done, elsewhere), undefined);
  });

  it("an organization's trail whose stack is another's", () => {
    const organization = { id: "o-exampleorg1", managementAccountId: "555555555555", inFleet: false };
    const before = deployed(audit({ organization }));
    const after = audit({ organization, logPrefix: "logs" });
    const [last] = takenAway(before, after).slice(-1);
    assert.deepEqual([last?.accountId, last?.isOrganizationTrail], ["555555555555", true]);
    assert.deepEqual(from(before, audit({ organization: { ...organization, trail: false } })), ["555555555555"]);
  });

  it("a policy of another form that keeps the same trails takes nothing away", () => {
    assert.deepEqual(from(deployed(audit()), audit({ bucketPolicyForm: "accountList" })), []);
    assert.deepEqual(from(deployed(audit({ bucketPolicyForm: "accountList" })), audit()), []);
  });
});
