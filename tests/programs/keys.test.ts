import assert from "node:assert/strict";
import { managementConfig, memberConfig } from "../../core/fleet/config";
import type { OrganizationState } from "../../core/organizationPrerequisites";
import type { AuditSettings, ManagementSettings } from "../../core/settings";
import { keyTable, parseSettings, Role } from "../../core/settings";
import { management } from "../../programs/management";
import { asConfig } from "../support/config";
import { auditAccountId, bucketName, contract } from "../support/fleet";
import { startMocks, valueOf, type World } from "../support/mocks";
import { auditSamples, payments } from "../support/samples";
import { configOf, deploy } from "./run";

type Values = Record<string, unknown>;
const managementAccountId = "555555555555";
const organization = { id: "o-exampleorg1", managementAccountId, trailArn: "" };
organization.trailArn = `arn:aws:cloudtrail:us-east-1:${managementAccountId}:trail/crosstrail`;

/** What a stack of each role must have. */
const least: Record<Role, Values> = {
  audit: { role: "audit", auditAccountId, bucketName, members: [payments] },
  member: { role: "member", accountId: payments.accountId, auditStack: "audit" },
  management: { role: "management", accountId: managementAccountId, auditStack: "audit" },
};

/** What all trails can be told; a key of the audit stack's own trail is one of every trail. */
const trailKeys = keyTable.filter(({ roles }) => roles.length === 3).map(({ name }) => name as string);
const trailSamples: Record<string, Values> = {
  ...Object.fromEntries(Object.entries(auditSamples).filter(([name]) => trailKeys.includes(name))),
  // Others than what a trail has anyway.
  eventSelectors: { eventSelectors: [{ readWriteType: "WriteOnly" }] },
  advancedEventSelectors: {
    advancedEventSelectors: [
      {
        fieldSelectors: [
          { field: "eventCategory", equals: ["Management"] },
          { field: "readOnly", equals: ["false"] },
        ],
      },
    ],
  },
};

/** A value for each key of each role, with what it needs. What a stack must have gets another value. */
const samples: Record<Role, Record<string, Values>> = {
  audit: {
    ...auditSamples,
    ...trailSamples,
    // With what shows that they are read.
    permissionsBoundary: { ...auditSamples.permissionsBoundary, ...auditSamples.readers },
    accessLogDays: { ...auditSamples.accessLogDays, ...auditSamples.accessLogBucket },
    extraRegions: { extraRegions: ["us-new-1"], members: [{ ...payments, homeRegion: "us-new-1" }] },
    deployExternalId: auditSamples.deployExternalId as Values,
    auditAccountId: { auditAccountId: "888888888888" },
    bucketName: { bucketName: "another-bucket" },
    role: { role: "member" },
  },
  member: {
    ...trailSamples,
    permissionsBoundary: { permissionsBoundary: "CrosstrailBoundary", cloudWatchLogs: { retentionDays: 30 } },
    role: { role: "management" },
    accountId: { accountId: "333333333333" },
    auditStack: { auditStack: "another" },
    contract: { contract: contract(), auditStack: undefined },
    importTrail: { importTrail: "arn:aws:cloudtrail:us-east-1:222222222222:trail/crosstrail" },
    leaveAsIs: {
      leaveAsIs: ["tags"],
      importTrail: "arn:aws:cloudtrail:us-east-1:222222222222:trail/crosstrail",
    },
    extraRegions: { extraRegions: ["us-new-1"], "aws:region": "us-new-1" },
  },
  management: {
    ...trailSamples,
    permissionsBoundary: { permissionsBoundary: "CrosstrailBoundary", cloudWatchLogs: { retentionDays: 30 } },
    role: { role: "member" },
    accountId: { accountId: "333333333333" },
    auditStack: { auditStack: "another" },
    contract: { contract: contract({ organization }), auditStack: undefined },
    isOrganizationTrail: { isOrganizationTrail: false },
    enableAllFeatures: { enableAllFeatures: true },
    enableTrustedAccess: { enableTrustedAccess: true },
    delegatedAdministrator: { delegatedAdministrator: "222222222222" },
    importTrail: { importTrail: organization.trailArn },
    leaveAsIs: { leaveAsIs: ["delivery"], importTrail: organization.trailArn },
    acceptSecondOrganizationTrail: { acceptSecondOrganizationTrail: true },
    guardrails: { guardrails: ["archive"] },
    detachGuardrails: { detachGuardrails: ["archive"], guardrails: ["archive"] },
    extraRegions: { extraRegions: ["us-new-1"], "aws:region": "us-new-1" },
  },
};

const guardrails = { archive: { buckets: ["arn:aws:s3:::example-logs"], outsideAccountIds: [] }, exemptRoles: [] };

/** An organization in which every decision of the management stack is asked for. */
const state: OrganizationState = {
  organization: { id: organization.id, managementAccountId, allFeatures: true },
  trustedAccess: true,
  serviceLinkedRole: true,
  delegatedAdministrators: [],
  trails: [],
};

/** Everything that follows from a stack's configuration: what the program registers and says, and the stacks it configures. */
async function effect(role: Role, values: Values): Promise<unknown> {
  const { "aws:region": region = "us-east-1", ...own } = values;
  const accountId = String(role === Role.Audit ? own.auditAccountId : own.accountId);
  const world: World = {
    stack: role,
    accountId,
    roles: { deploy: `arn:aws:iam::${accountId}:role/deploy` },
    mfaDelete: "Enabled",
    stacks: {
      "acme/crosstrail/audit": contract({ organization, guardrails }),
      "acme/crosstrail/another": contract({ organization }),
    },
    config: configOf({ "aws:region": region, "aws:allowedAccountIds": [accountId], ...defined(own) }),
  };
  try {
    const configured = parseSettings(role, asConfig(defined(own)), String(region));
    if (configured.role === Role.Management) return await ofManagement(configured, world);
    const { run, outputs } = await deploy(world);
    return [run.resources, run.read, run.warnings, outputs, configured.role === Role.Audit && stacksOf(configured)];
  } catch (error) {
    return (error as Error).message;
  }
}

async function ofManagement(settings: ManagementSettings, world: World): Promise<unknown> {
  const run = await startMocks(world);
  const asked: unknown[] = [];
  const { trailArn: arn } = settings.imported ?? {};
  const trails = arn ? [{ arn, name: "crosstrail", homeRegion: "us-east-1", isOrganizationTrail: true }] : [];
  const outputs = await management(settings, () => ({
    read: () => Promise.resolve({ ...state, trails }),
    enable: (_, wish) => {
      asked.push(wish);
      return Promise.resolve([]);
    },
    policyTypes: () => Promise.resolve(["RESOURCE_CONTROL_POLICY"]),
    close: () => undefined,
  }));
  const values = await valueOf(outputs);
  await run.settle();
  return [run.resources, run.read, run.warnings, values, asked];
}

/** The configuration of the stacks that have no file. */
function stacksOf(settings: AuditSettings): unknown {
  const entries = settings.fleet.filter(({ alias }) => alias !== "audit");
  return [
    entries.map((entry) => memberConfig(settings, entryOf(entry), { auditStack: "audit" })),
    settings.organization?.trail &&
      managementConfig(settings, entryOf(entries[0] as AuditSettings["fleet"][number]), { auditStack: "audit" }),
  ];
}

const entryOf = ({ alias, trail }: AuditSettings["fleet"][number]) => ({
  alias,
  accountId: trail.accountId,
  homeRegion: trail.region,
});

function defined(values: Values): Values {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

describe("every configuration key does something", function () {
  this.timeout(60_000);
  for (const role of Object.values(Role)) {
    const known = keyTable.filter(({ roles }) => roles.includes(role)).map(({ name }) => name as string);

    it(`${role}: there is a value to try for each key`, () => {
      assert.deepEqual(Object.keys(samples[role]).sort(), [...known].sort(), "Add it to tests/support/samples.ts.");
    });

    it(`${role}: what a stack registers, says or configures changes with each`, async () => {
      const before = new Map<string, string>();
      for (const name of known) {
        const given = { ...least[role], ...samples[role][name] };
        const without = { ...given, [name]: least[role][name] };
        const key = JSON.stringify(without);
        before.set(key, before.get(key) ?? JSON.stringify(await effect(role, without)));
        assert.notEqual(
          JSON.stringify(await effect(role, given)),
          before.get(key),
          `${name} is declared in core/settings/keys.ts, and nothing in a ${role} stack changes with it: nobody reads it.`,
        );
      }
    });
  }
});
