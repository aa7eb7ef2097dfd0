/**
 * How a fleet gets from one kind of trail, key or prefix to another without a new trail: what changes in which stack,
 * in the order in which every delivery stays authorized. The archive's policies are widened first and narrowed last.
 */
import type { Finding } from "./findings";
import { UserError } from "./findings";
import { aliasProblem } from "./settings";

/** What a fleet can be moved to. */
export const Transition = {
  OrganizationTrail: "organization-trail",
  AccountTrail: "account-trail",
  MultiRegion: "multi-region",
  SingleRegion: "single-region",
  LogPrefix: "log-prefix",
  NewKey: "new-key",
  StopLogging: "stop-logging",
  StartLogging: "start-logging",
} as const;
export type Transition = (typeof Transition)[keyof typeof Transition];

/** A stack as its file configures it: the keys of namespace `crosstrail:`, without it. */
export interface ConfiguredStack {
  name: string;
  config: Record<string, unknown>;
  /** False: it has no file of its own, and its configuration follows from the audit stack's. */
  hasFile?: boolean;
  /** False: it is declared, and holds nothing yet. */
  isDeployed?: boolean;
  /** It is deployed, and not declared any more. */
  isRemoved?: boolean;
}

/** What is to be reached, and with what. */
export interface MigrationWish {
  to: Transition;
  /** For `log-prefix`: the new prefix, "" for none. */
  prefix?: string;
  /** For `organization-trail`, where the audit stack does not declare the organization yet. */
  organizationId?: string;
  /** For transitions of trails: the stacks whose trails change. */
  stacks?: string[];
}

/** One `pulumi up`, after a change of the stack's configuration. */
export interface MigrationStep {
  stack: string;
  /** Keys of namespace `crosstrail:` with their new values; null: the key is removed. None: only `up`. */
  set: Record<string, unknown>;
  /** The stack has no file of its own yet, and gets one. */
  writesFile?: boolean;
  /** What it does. */
  what: string;
  /** What is logged twice, or not at all, from here on or until the next step. */
  meanwhile?: string;
}

export interface Migration {
  to: Transition;
  steps: MigrationStep[];
  /** What is left to do by hand, or to know. */
  notes: string[];
}

/** @throws UserError when the fleet cannot be moved there as it is configured. */
export function planMigration(wish: MigrationWish, audit: ConfiguredStack, trails: ConfiguredStack[]): Migration {
  const removed = trails.filter(({ isRemoved }) => isRemoved).map(({ name }) => name);
  if (removed.length > 0) {
    throw refusal(
      "migrate/removed",
      removed.join(", "),
      "These stacks are deployed, and the audit stack does not declare them any more.",
      "crosstrail up removes them first; or declare them again.",
    );
  }
  const deployed = trails.filter(({ isDeployed }) => isDeployed !== false);
  const missing = trails.filter(({ isDeployed }) => isDeployed === false).map(({ name }) => name);
  const { steps, notes } = plans[wish.to](wish, audit, deployed);
  return {
    to: wish.to,
    steps: steps.map((step) => withFile(step, [audit, ...deployed])),
    notes: [
      ...notes,
      ...(missing.length > 0
        ? [
            `Not deployed by a stack known here, so there is nothing to move: ${missing.join(", ")}. Before a policy is narrowed AWS is asked whether they have a trail all the same.`,
          ]
        : []),
    ],
  };
}

/** A stack without a file of its own gets one, unless nothing in its configuration would change. */
function withFile(step: MigrationStep, stacks: ConfiguredStack[]): MigrationStep {
  const stack = stacks.find(({ name }) => name === step.stack);
  if (stack?.hasFile !== false) return step;
  const set = Object.fromEntries(
    Object.entries(step.set).filter(([name, value]) => value !== null || stack.config[name] !== undefined),
  );
  return { ...step, set, ...(Object.keys(set).length > 0 && { writesFile: true }) };
}

type Plan = (wish: MigrationWish, audit: ConfiguredStack, trails: ConfiguredStack[]) => Omit<Migration, "to">;

const nothingLost =
  "Nothing is logged twice and nothing is lost: both places stay authorized until the last step, which first asks AWS whether every trail has moved.";

const plans: Record<Transition, Plan> = {
  "organization-trail": (wish, audit, trails) => {
    const declared = organizationOf(audit);
    const management = onlyStack(wish, trails, "the management account's");
    const accountId = String(management.config.accountId);
    const id = declared?.id ?? wish.organizationId;
    if (id === undefined) {
      throw refusal(
        "migrate/organization",
        `stack ${audit.name}`,
        "It does not declare an organization.",
        "Add --organization-id o-..., from aws organizations describe-organization.",
      );
    }
    if (declared?.managementAccountId !== undefined && declared.managementAccountId !== accountId) {
      throw refusal(
        "migrate/management-account",
        `stack ${management.name}`,
        `Its account is ${accountId}, but the organization's management account is ${String(declared.managementAccountId)}.`,
        "Name the management account's stack with --only.",
      );
    }
    const members = membersOf(audit);
    const entry = members.find((member) => member.accountId === accountId);
    const others = trails.filter(({ name, config }) => name !== management.name && config.role === "member");
    const own = pick(entry, ["trailName", "homeRegion"]);
    const organization: Entry = { ...declared, ...own, id, managementAccountId: accountId };
    delete organization.trail;
    // By this name crosstrail up knows the stack; one that cannot be an alias continues to be deployed with plain Pulumi.
    if (aliasProblem(management.name) !== undefined) organization.inFleet = false;
    else if (management.name !== "management") organization.alias = management.name;
    return {
      steps: [
        {
          stack: audit.name,
          set: { organization },
          what: "Widen both policies: the organization trail may deliver to the organization's path and to its account's own.",
        },
        {
          stack: management.name,
          set: { role: "management", isOrganizationTrail: null },
          what: "Convert the trail into an organization trail, in place and with the same ARN.",
          meanwhile:
            others.length > 0
              ? `From here on, the events of accounts with their own trails (${others.map(({ name }) => name).join(", ")}) are logged twice, and AWS bills the second copy of management events.`
              : "From here on, every account of the organization is logged. Nothing is logged twice.",
        },
        ...(entry
          ? [
              {
                stack: audit.name,
                set: { members: members.filter((member) => member !== entry) },
                what: "Remove the management account's own entry: the policies then accept its trail only as the organization trail.",
              },
            ]
          : []),
      ],
      notes: [
        "The management stack checks all features, trusted access and the service-linked role before it converts the trail; the policies are widened by then, which harms nothing. crosstrail:enableTrustedAccess: true in that stack enables the last two.",
        ...(others.length > 0
          ? [
              `Let both deliver for at most a day and compare them. Then remove the others: pulumi destroy --run-program -s <stack> for ${others.map(({ name }) => name).join(", ")}, then their entries in crosstrail:members.`,
            ]
          : []),
      ],
    };
  },

  "account-trail": (wish, audit, trails) => {
    const declared = organizationOf(audit);
    const management = onlyStack(wish, trails, "the organization trail's");
    if (declared === undefined || management.config.role !== "management") {
      throw refusal(
        "migrate/no-organization-trail",
        `stack ${management.name}`,
        "This stack does not have an organization trail.",
        "Name the management stack with --only.",
      );
    }
    const accountId = String(management.config.accountId);
    const members = membersOf(audit);
    const isDeclared = members.some((member) => member.accountId === accountId);
    const own = pick(declared, ["trailName", "homeRegion"]);
    const withEntry = isDeclared
      ? members
      : [...members, { accountId, alias: aliasFor(management.name, members), ...own }];
    return {
      steps: [
        {
          stack: audit.name,
          set: { members: withEntry },
          what: "Widen the policies: the trail may also deliver as a trail of its account.",
        },
        {
          stack: management.name,
          set: { isOrganizationTrail: false },
          what: "Convert the trail into a trail of its account, in place and with the same ARN; it disappears from all members.",
          meanwhile:
            "From here on, an account of the organization is logged only by its own trail; accounts without one are not logged at all.",
        },
        {
          stack: management.name,
          set: {
            role: "member",
            isOrganizationTrail: null,
            enableAllFeatures: null,
            enableTrustedAccess: null,
            delegatedAdministrator: null,
            acceptSecondOrganizationTrail: null,
          },
          what: "Turn the stack into a member stack. The trail does not change; trusted access stays enabled.",
        },
        {
          stack: audit.name,
          set: { organization: { ...declared, trail: false } },
          what: "Narrow the policies: the organization's path no longer accepts new logs.",
        },
      ],
      notes: [
        "With the last step, members lose access to their logs from the organization trail; the audit account keeps it.",
      ],
    };
  },

  "multi-region": (wish, audit, trails) => ({
    steps: named(wish, audit, trails).map(({ name }) => ({
      stack: name,
      set: { isMultiRegionTrail: null },
      what: "The trail records every Region, in place and with the same ARN.",
    })),
    notes: ["If the account has single-Region trails in other Regions, those Regions are logged twice from then on."],
  }),

  "single-region": (wish, audit, trails) => ({
    steps: named(wish, audit, trails).map(({ name }) => ({
      stack: name,
      set: { isMultiRegionTrail: false },
      what: "The trail records only its home Region, in place and with the same ARN.",
      meanwhile: "From here on, this trail does not log the account's other Regions.",
    })),
    notes: [],
  }),

  "log-prefix": ({ prefix }, audit, trails) => {
    const before = text(audit.config.logPrefix);
    if (prefix === undefined) {
      throw refusal(
        "migrate/prefix",
        "--prefix",
        "It is missing.",
        'Add the new prefix: --prefix logs/prod, or --prefix "" for none.',
      );
    }
    if (prefix === before) {
      throw refusal(
        "migrate/nothing-to-do",
        `crosstrail:logPrefix = ${JSON.stringify(before)}`,
        "The logs already have this prefix.",
        "Choose another --prefix.",
      );
    }
    return {
      steps: [
        {
          stack: audit.name,
          set: { logPrefix: prefix === "" ? null : prefix, previousLogPrefix: before === "" ? "/" : before },
          what: "The bucket policy authorizes both prefixes; the audit account's own trail moves.",
          meanwhile: nothingLost,
        },
        ...trails.map(({ name }) => ({
          stack: name,
          set: {},
          what: "The trail delivers under the new prefix, in place and with the same ARN.",
        })),
        {
          stack: audit.name,
          set: { previousLogPrefix: null },
          what: "The bucket policy authorizes only the new prefix.",
        },
      ],
      notes: [
        "Earlier logs stay where they are. After the last step, members and readers of single accounts can no longer reach them; to keep that access, leave crosstrail:previousLogPrefix set.",
        "A new chain of digest files starts under the new prefix.",
      ],
    };
  },

  "new-key": (_, audit, trails) => {
    const generation = Number(audit.config.keyGeneration ?? 1) + 1;
    return {
      steps: [
        {
          stack: audit.name,
          set: { keyGeneration: generation, previousKeyInUse: true },
          what: "Create a new key; trails may encrypt with both. The audit account's own trail moves.",
          meanwhile: nothingLost,
        },
        ...trails.map(({ name }) => ({
          stack: name,
          set: {},
          what: "The trail encrypts with the new key, in place and with the same ARN.",
        })),
        {
          stack: audit.name,
          set: { previousKeyInUse: null },
          what: "Narrow the previous key's policy: it only decrypts. The key stays protected, because its logs need it.",
        },
      ],
      notes: [
        "KMS bills the previous key for as long as it exists. Do not delete it while you keep logs that it encrypted.",
      ],
    };
  },

  "stop-logging": (wish, audit, trails) => ({
    steps: named(wish, audit, trails).map(({ name }) => ({
      stack: name,
      set: { enableLogging: false },
      what: "Stop the trail, in place.",
      meanwhile: "From here on, this trail records nothing until it is started again; the chain of digest files ends.",
    })),
    notes: [],
  }),

  "start-logging": (wish, audit, trails) => ({
    steps: named(wish, audit, trails).map(({ name }) => ({
      stack: name,
      set: { enableLogging: null },
      what: "Start the trail again, in place.",
    })),
    notes: ["Events from the time it was stopped are not in this trail's logs."],
  }),
};

/** The stacks that were named, which may be the audit stack for its own trail. */
function named(
  { stacks = [], to }: MigrationWish,
  audit: ConfiguredStack,
  trails: ConfiguredStack[],
): ConfiguredStack[] {
  const all = [...trails, audit];
  const found = stacks.map((name) => all.find((each) => each.name === name));
  if (found.length > 0 && !found.includes(undefined)) return found as ConfiguredStack[];
  throw refusal(
    "migrate/stack",
    "--only",
    stacks.length === 0
      ? `${to} works on single trails, but no stack is named.`
      : "Not every stack belongs to Crosstrail.",
    `Name the stacks: --only ${all.map(({ name }) => name).join(" ")}`,
  );
}

function onlyStack({ stacks = [] }: MigrationWish, trails: ConfiguredStack[], whose: string): ConfiguredStack {
  const candidates =
    stacks.length > 0 ? stacks : trails.filter(({ config }) => config.role === "management").map(({ name }) => name);
  const [only, ...more] = candidates.map((name) => trails.find((each) => each.name === name));
  if (only !== undefined && more.length === 0) return only;
  throw refusal(
    "migrate/stack",
    "--only",
    `It is unclear which stack is ${whose}.`,
    `Name one: --only <one of ${trails.map(({ name }) => name).join(", ")}>`,
  );
}

type Entry = Record<string, unknown>;

function organizationOf({ config }: ConfiguredStack): Entry | undefined {
  const declared = config.organization as Entry | undefined;
  return declared?.id === undefined ? undefined : declared;
}

function membersOf({ config }: ConfiguredStack): Entry[] {
  return (config.members as Entry[] | undefined) ?? [];
}

function pick(from: Entry | undefined, names: string[]): Entry {
  return Object.fromEntries(names.filter((name) => from?.[name] !== undefined).map((name) => [name, from?.[name]]));
}

function aliasFor(stack: string, members: Entry[]): string {
  const wanted =
    stack
      .toLowerCase()
      .replace(/[^a-z0-9-]/g, "-")
      .replace(/^-+/, "") || "management";
  return members.some(({ alias }) => alias === wanted) ? `${wanted}-account` : wanted;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function refusal(id: Finding["id"], subject: string, message: string, remedy: string): UserError {
  const finding: Finding = { id, severity: "error", subject, message, remedy };
  return new UserError("The migration could not be planned. Nothing was changed.", [finding]);
}
