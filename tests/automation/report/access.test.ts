import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import type { AccessChange, PreviewedResource, ReportInput } from "../../../automation/report";
import { report } from "../../../automation/report";
import { accessChanges } from "../../../automation/report/access";
import { changesOf } from "../../../automation/report/changes";
import { UserError } from "../../../core/findings";
import { trailArn } from "../../../core/names";
import { serialize } from "../../../core/policies/document";
import { keyTable, Role } from "../../../core/settings/keys";
import type { SimulatedTrail } from "../../../core/simulate";
import { builtPolicies, fleetOfSettings, questionGroups, simulate } from "../../../core/simulate";
import type { Registered } from "../../support/mocks";
import { settingsOf } from "../../support/preview";
import { auditSamples as samples, payments } from "../../support/samples";
import { auditAccountId, bucketName } from "../../support/fleet";
import { configOf, deploy } from "../../programs/run";

const deployRole = "arn:aws:iam::111111111111:role/deploy";
/** `npm test` asks for all pairs, `npm run test:unit` for every eighth. */
const everyPair = process.env.CROSSTRAIL_CASES !== undefined;
const base: Record<string, unknown> = { role: "audit", auditAccountId, bucketName, members: [payments] };

const configFor = (names: string[]): Record<string, unknown> =>
  Object.assign({}, base, ...names.map((name) => samples[name])) as Record<string, unknown>;

/** What the archive's policies are with these keys; undefined where they exclude each other. Built once for the same keys. */
function archiveFor(names: string[]): Archive | undefined {
  const id = names.join();
  if (!archives.has(id)) archives.set(id, builtFor(names));
  return archives.get(id);
}
const archives = new Map<string, Archive | undefined>();

function builtFor(names: string[]) {
  const named = Object.entries(configFor(names)).map(([name, value]) => [`crosstrail:${name}`, value]);
  try {
    const settings = settingsOf({ ...Object.fromEntries(named), "aws:region": "us-east-1" });
    const fleet = fleetOfSettings(settings);
    const forms = { bucket: settings.bucketPolicyForm, key: settings.keyPolicyForm };
    return { settings, fleet, forms, policies: builtPolicies(fleet, forms) };
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
type Archive = NonNullable<ReturnType<typeof builtFor>>;

/** What the program registers, with the parent's type in the URN as the engine has it. */
async function resourcesWith(names: string[], outputs: Record<string, unknown>): Promise<Map<string, Registered>> {
  const { run } = await deploy({
    stack: "audit",
    accountId: auditAccountId,
    roles: { deploy: deployRole },
    mfaDelete: names.includes("mfaDelete") ? "Enabled" : undefined,
    stacks: { "acme/crosstrail/audit": outputs },
    config: configOf({ "aws:region": "us-east-1", "aws:allowedAccountIds": [auditAccountId], ...configFor(names) }),
  });
  return new Map(
    run.resources.map((each) => {
      const parent = each.parent === undefined ? "" : `crosstrail:index:${each.parent.split(" ")[0]}$`;
      return [`urn:pulumi:audit::crosstrail::${parent}${each.type}::${each.name}`, each];
    }),
  );
}

/** The steps of a preview that goes from one to the other. */
function stepsBetween(before: Map<string, Registered>, after: Map<string, Registered>): PreviewedResource[] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((urn): PreviewedResource[] => {
    const [old, now] = [before.get(urn), after.get(urn)];
    const { type, name } = (now ?? old) as Registered;
    if (old && now && isDeepStrictEqual(old.inputs, now.inputs)) return [];
    const op = !old ? "create" : !now ? "delete" : "update";
    return [{ urn, type, name, op, ...(old && { before: old.inputs }), ...(now && { after: now.inputs }) }];
  });
}

const urnOf = (parent: string, type: string, name: string) =>
  `urn:pulumi:audit::crosstrail::crosstrail:index:${parent}$${type}::${name}`;
const bucketUrn = urnOf("AuditBucket", "aws:s3/bucketPolicy:BucketPolicy", "audit-policy");
const keyUrn = (generation: number) =>
  urnOf("AuditKey", "aws:kms/key:Key", generation === 1 ? "audit-key" : `audit-${generation}-key`);

/** The same steps with the archive's policies as these settings have them: of pairs, both together. */
function withPolicies(steps: PreviewedResource[], before: Archive, after: Archive): PreviewedResource[] {
  const text = (policy: unknown) => serialize(policy as never);
  const newest = keyUrn(after.settings.keyGeneration);
  const others = steps.filter(({ urn }) => urn !== bucketUrn && urn !== newest);
  const step = (urn: string, kind: "bucket" | "key", inputs: object): PreviewedResource[] => {
    const [was, is] = [text(before.policies[kind]), text(after.policies[kind])];
    const [type, name] = urn.split("$")[1]?.split("::") as [string, string];
    const isNew = urn !== bucketUrn && after.settings.keyGeneration > before.settings.keyGeneration;
    if (was === is && !isNew) return [];
    const old = isNew ? {} : { before: { ...inputs, policy: was } };
    return [{ urn, type, name, op: isNew ? "create" : "update", ...old, after: { ...inputs, policy: is } }];
  };
  // The archive's own come last, so that nobody takes the first of their kind for them.
  return [...others, ...step(bucketUrn, "bucket", { bucket: bucketName }), ...step(newest, "key", {})];
}

const previewOf = ({ fleet, forms, settings }: Archive, resources: PreviewedResource[]): ReportInput => ({
  fleet,
  forms,
  keyGeneration: settings.keyGeneration,
  stacks: [{ stack: "audit", kind: "audit", accountId: auditAccountId, status: "succeeded", resources, findings: [] }],
  findings: [],
});

/** What the report says of the archive, one by one: `gains|what|account`. */
function told(input: ReportInput): string[] {
  const { access, unknown } = accessChanges(input, new Map(input.stacks.map((each) => [each.stack, changesOf(each)])));
  assert.equal(unknown, undefined);
  assert.deepEqual(
    access.filter(({ verdict }) => verdict === "wrong"),
    [],
  );
  return access
    .filter(isOfArchive)
    .flatMap(({ change, what, parts = [what], who }) =>
      parts.flatMap((part) => who.map(({ accountId }) => `${change}|${part}|${accountId}`)),
    );
}
const isOfArchive = ({ what }: AccessChange) => !/^(Access to the|Users of the account|The service) /.test(what);

/** The same from the simulation of what was and what is, question by question. */
function simulated(before: Archive, after: Archive): string[] {
  const trails = new Map<string, SimulatedTrail>();
  for (const each of [...after.fleet.trails, ...before.fleet.trails.map((old) => ({ ...old, isPrevious: true }))]) {
    if (!trails.has(trailArn(each.trail))) trails.set(trailArn(each.trail), each);
  }
  const fleet = { ...after.fleet, trails: [...trails.values()] };
  const ask = ({ bucket, key }: Archive["policies"]) =>
    simulate(fleet, { ...after.policies, bucket, key }).filter(({ subject }) => subject.roleArn === undefined);
  const was = new Map(ask(before.policies).map(({ id, decision }) => [id, decision.allowed]));
  const wholes = new Map<string, { old: boolean; now: boolean; line: string }>();
  const found: string[] = [];
  for (const { id, group, title, expected, subject, decision } of ask(after.policies)) {
    const [old, now] = [was.get(id) ?? assert.fail(id), decision.allowed];
    if (expected === "deny") {
      if (old !== now) found.push(`${now ? "gains" : "loses"}|${title}|${subject.accountId}`);
      continue;
    }
    const whole = [group, subject.accountId, subject.trailArn].join();
    const line = `${questionGroups.find((each) => each.id === group)?.title}|${subject.accountId}`;
    const known = wholes.get(whole) ?? { old: true, now: true, line };
    wholes.set(whole, { old: known.old && old, now: known.now && now, line });
  }
  for (const { old, now, line } of wholes.values()) if (old !== now) found.push(`${now ? "gains" : "loses"}|${line}`);
  return found;
}

const set = (lines: string[]) => [...new Set(lines)].sort();

describe("who gains and loses access, for every configuration key that is added to a deployed fleet", () => {
  const names = Object.keys(samples);
  const steps = new Map<string, PreviewedResource[]>();
  const deployed = archiveFor([]) as Archive;

  before(async function () {
    this.timeout(60_000);
    const first = await deploy({
      stack: "audit",
      accountId: auditAccountId,
      roles: { deploy: deployRole },
      stacks: { "acme/crosstrail/audit": {} },
      config: configOf({ "aws:region": "us-east-1", "aws:allowedAccountIds": [auditAccountId], ...base }),
    });
    const old = await resourcesWith([], first.outputs);
    for (const name of names) steps.set(name, stepsBetween(old, await resourcesWith([name], first.outputs)));
  });

  it("knows every key", () => {
    const fixed = ["role", "auditAccountId", "bucketName"];
    const known = keyTable.filter(({ roles }) => roles.includes(Role.Audit)).map(({ name }) => name);
    assert.deepEqual([...names, ...fixed].sort(), known.sort());
  });

  it("alone: as the simulation says, and nothing is called wrong", () => {
    for (const name of names) {
      const after = archiveFor([name]) ?? assert.fail(name);
      // The resources as the program registers them, those of other kinds first.
      const own = steps.get(name) ?? assert.fail(name);
      const isPolicy = ({ urn }: PreviewedResource) => urn === bucketUrn || urn.includes("AuditKey$");
      const resources = [...own.filter((each) => !isPolicy(each)), ...own.filter(isPolicy)];
      assert.deepEqual(set(told(previewOf(after, resources))), set(simulated(deployed, after)), name);
    }
  });

  it(`in pairs: the same (${everyPair ? "all of them" : "every eighth; npm test has all"})`, () => {
    const unchanged = JSON.stringify(deployed.policies);
    const ofArchive = names.filter((name) => JSON.stringify(archiveFor([name])?.policies) !== unchanged);
    // Of keys that leave the archive's policies as they are and change the same kinds of resources, one stands for all.
    const others = new Map(
      names
        .filter((name) => !ofArchive.includes(name))
        .map((name) => [set((steps.get(name) ?? []).map(({ op, type }) => `${op} ${type}`)).join(), name]),
    );
    const chosen = [...ofArchive, ...others.values()];
    const was = new Map<string, string[]>();
    let asked = 0;
    for (const [index, one] of ofArchive.entries()) {
      for (const [place, other] of chosen.slice(index + 1).entries()) {
        if (!everyPair && (index + place) % 8 !== 0) continue;
        const after = archiveFor([one, other]);
        if (!after) continue;
        asked++;
        const both = [...(steps.get(one) ?? []), ...(steps.get(other) ?? [])];
        const input = previewOf(after, withPolicies(both, deployed, after));
        const id = JSON.stringify([after.fleet, after.policies]);
        const expected = was.get(id) ?? set(simulated(deployed, after));
        was.set(id, expected);
        assert.deepEqual(set(told(input)), expected, `${one} and ${other}`);
      }
    }
    assert.ok(asked > (everyPair ? 200 : 25), `${asked} pairs`);
  }).timeout(60_000);

  it("accessLogBucket alone is no change for the archive, and has a comparison of its own", () => {
    const after = archiveFor(["accessLogBucket"]) ?? assert.fail();
    const { data } = report(previewOf(after, steps.get("accessLogBucket") ?? []));
    assert.deepEqual(data.findings, []);
    assert.deepEqual(
      data.access.map(({ change, what, parts, who, verdict }) => [
        change,
        what,
        parts,
        who.map(({ alias }) => alias),
        verdict,
      ]),
      [
        [
          "gains",
          "Access to the bucket access-logs",
          ["logging.s3.amazonaws.com: s3:PutObject"],
          ["audit"],
          "intended",
        ],
      ],
    );
  });

  it("another bucket, key, queue or topic that is opened to everyone is an error of its own", () => {
    const open = (type: string, inputs: object = {}): ReportInput => {
      const urn = `urn:pulumi:audit::crosstrail::${type}::x`;
      const policy = (Principal: unknown) =>
        JSON.stringify({
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Principal, Action: "*", Resource: "*" }],
        });
      const owner = { AWS: "arn:aws:iam::111111111111:root" };
      return previewOf(deployed, [
        {
          urn,
          type,
          name: "x",
          op: "update",
          before: { ...inputs, policy: policy(owner) },
          after: { ...inputs, policy: policy("*") },
        },
      ]);
    };
    for (const type of [
      "aws:s3/bucketPolicy:BucketPolicy",
      "aws:kms/key:Key",
      "aws:kms/replicaKey:ReplicaKey",
      "aws:sqs/queuePolicy:QueuePolicy",
      "aws:sns/topicPolicy:TopicPolicy",
    ]) {
      const { access, findings } = report(open(type, { bucket: "access-logs" })).data;
      assert.deepEqual(
        access.map(({ change, what, verdict }) => [change, what.replace(/ the .*/, ""), verdict]),
        [
          ["gains", "Access to", "intended"],
          ["loses", "Access to", "intended"],
          ["gains", "Strangers may use", "wrong"],
        ],
        type,
      );
      assert.deepEqual(
        findings.map(({ id }) => id),
        ["preview/access-opened"],
        type,
      );
    }
  });
});
