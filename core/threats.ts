/**
 * Who can still change the archive: every action that AWS has, for each kind of attacker, against every policy that is built. The
 * test of it fails where something is possible for which no reason is written here; docs/threat-model.md shows the same table.
 */
import type { BuiltArchive } from "./archivePolicies";
import { archivePolicies, notificationQueueArn } from "./archivePolicies";
import type { AccessRequest, Caller, PolicyDocument, RequestContext } from "./evaluate/types";
import type { CompiledPolicy } from "./evaluate/compile";
import { compile } from "./evaluate/compile";
import { judge } from "./evaluate/evaluate";
import { bucketArn, futureKeyArn, roleArn } from "./names";
import { rolePermissions, roleSubjects } from "./roles";
import type { AuditSettings } from "./settings";
import { policyDocument } from "./policies/document";
import { statementsToAdd } from "./policies/replication";
import { allWrites, queueWrites } from "./simulate/writes";

/** A resource of the archive. */
export type Target = "log bucket" | "logs" | "copies" | "copies in another account" | "access logs" | "key" | "queue";

/** Who owns the copies where they are in another account: the policy is then what Crosstrail prints for its owner. */
export const copiesOwner = "888888888888";

/** An action on a resource. */
export interface Write {
  target: Target;
  action: string;
}

/** Every action on every resource of the archive. */
export const archiveWrites: Write[] = [
  ...allWrites.flatMap(({ action, target }): Write[] =>
    target === "key"
      ? [{ target: "key", action }]
      : target === "bucket"
        ? (["log bucket", "copies", "copies in another account", "access logs"] as const).map((each) => ({
            target: each,
            action,
          }))
        : (["logs", "copies", "copies in another account", "access logs"] as const).map((each) => ({
            target: each,
            action,
          })),
  ),
  ...queueWrites.map((action): Write => ({ target: "queue", action })),
];

/** Who tries. */
export interface Attacker {
  name: string;
  caller: Caller;
  /** The caller's own policies. Left out: they allow everything. */
  identity?: PolicyDocument[];
  context?: RequestContext;
  /** The object that it is about. Default: one in the folder of a member. */
  path?: string;
}

const everything: PolicyDocument = {
  Version: "2012-10-17",
  Statement: { Effect: "Allow", Action: "*", Resource: "*" },
};

export const administrator = "administrator of the audit account";
export const breakGlass = "break-glass role";

/** Each kind of attacker. Accounts outside of the fleet and a delegated administrator are any that the fleet does not declare. */
export function attackers(
  settings: AuditSettings,
  others: { member: string; delegated: string; stranger: string },
): Attacker[] {
  const victim = victimOf(settings);
  const { partition, auditAccountId, archive, organization, bucketName, region } = settings;
  const person = (accountId: string): Caller => ({
    kind: "account",
    arn: roleArn(partition, accountId, "Administrator"),
  });
  const trail = (accountId: string, name: string): RequestContext => ({
    "aws:SourceArn": `arn:${partition}:cloudtrail:${region}:${accountId}:trail/${name}`,
    "aws:SourceAccount": accountId,
    "s3:x-amz-acl": "bucket-owner-full-control",
  });
  const printed = [
    ["the audit account", auditAccountId],
    ["a member account", others.member],
    ["the management account", organization?.managementAccountId],
  ].flatMap(([title, accountId]) => {
    const subject = roleSubjects(settings).find(({ names }) => names.accountId === accountId);
    return subject ? [{ title, accountId: subject.names.accountId, names: subject.names }] : [];
  });
  const [role] = archive.breakGlassRoleArns;
  const [reader] = settings.readers;
  return [
    { name: administrator, caller: person(auditAccountId) },
    ...(role === undefined ? [] : [{ name: breakGlass, caller: { kind: "account", arn: role } as const }]),
    { name: "administrator of a member account", caller: person(others.member) },
    ...(organization
      ? [{ name: "administrator of the management account", caller: person(organization.managementAccountId) }]
      : []),
    { name: "administrator of the delegated administrator's account", caller: person(others.delegated) },
    { name: "administrator of an account outside of the fleet", caller: person(others.stranger) },
    { name: "administrator of the account that owns the copies", caller: person(copiesOwner) },
    ...printed.flatMap(({ title, accountId, names }) =>
      (["preview", "deploy", "remove"] as const).map((access) => ({
        name: `deploy role of ${title} (--access ${access})`,
        caller: { kind: "account", arn: roleArn(partition, accountId, "PrintedDeployRole") } as const,
        identity: [rolePermissions(access, names) as PolicyDocument],
      })),
    ),
    ...(reader
      ? [
          {
            name: "reader role",
            caller: { kind: "account", arn: roleArn(partition, auditAccountId, reader.name) } as const,
            identity: [archivePolicies(settings).readers[reader.name]?.permissions as PolicyDocument],
          },
        ]
      : []),
    {
      name: "another account's trail, through CloudTrail",
      caller: { kind: "service", service: "cloudtrail.amazonaws.com" },
      context: trail(others.stranger, settings.trailName),
    },
    {
      name: "another member's trail, through CloudTrail",
      caller: { kind: "service", service: "cloudtrail.amazonaws.com" },
      context: trail(others.member, settings.trailName),
    },
    {
      name: "another member's trail, with a prefix that ends in that folder",
      caller: { kind: "service", service: "cloudtrail.amazonaws.com" },
      context: trail(others.member, settings.trailName),
      path: `AWSLogs/${others.member}/CloudTrail/${victim}`,
    },
    {
      name: "another AWS service",
      caller: { kind: "service", service: "config.amazonaws.com" },
      context: { "aws:SourceAccount": others.stranger, "aws:SourceArn": bucketArn(partition, bucketName) },
    },
  ];
}

/** A log file in the folder of the fleet's last account, which is none of the attackers'. */
function victimOf({ fleet, auditAccountId }: AuditSettings): string {
  return `AWSLogs/${fleet.at(-1)?.trail.accountId ?? auditAccountId}/CloudTrail/us-east-1/2026/01/01/x.json.gz`;
}

type Compiled = (target: Target) => ReturnType<typeof compile> | undefined;
const policiesOf = new WeakMap<AuditSettings, Compiled>();

/** Every policy of an archive, built and compiled once, for all attackers. */
function compiledOnce(settings: AuditSettings): Compiled {
  const known = policiesOf.get(settings);
  if (known) return known;
  const built = archivePolicies(settings);
  const compiled = new Map<Target, ReturnType<typeof compile> | undefined>();
  const policyOf: Compiled = (target) => {
    if (!compiled.has(target)) {
      const document = documentOf(built, settings, target);
      const kind = target === "key" ? "key" : target === "queue" ? "other" : "bucket";
      compiled.set(target, document && compile(document as PolicyDocument, kind));
    }
    return compiled.get(target);
  };
  policiesOf.set(settings, policyOf);
  return policyOf;
}

const identityOf = new WeakMap<Attacker, CompiledPolicy[]>();

/** Which statements are about an action. To the evaluator, actions with the same ones are the same, all else being equal. */
function statementsFor(action: string, policies: readonly (CompiledPolicy | undefined)[]): string {
  const name = action.toLowerCase();
  // Actions have no policy variables.
  const none = () => undefined;
  return policies
    .flatMap((policy) => policy?.statements ?? [])
    .map((statement) => `${statement.action?.list.matches(name, none)}`)
    .join();
}

/** The actions that an attacker may take. Each set of statements is judged once, for all the actions that it is about. */
export function possible(settings: AuditSettings, attacker: Attacker, writes = archiveWrites): Write[] {
  const policyOf = compiledOnce(settings);
  const identityPolicies =
    identityOf.get(attacker) ?? (attacker.identity ?? [everything]).map((each) => compile(each, "identity"));
  identityOf.set(attacker, identityPolicies);
  const judged = new Map<string, boolean>();
  return writes.filter(({ target, action }) => {
    const resourcePolicy = policyOf(target);
    if (resourcePolicy === undefined) return false;
    const resource = resourceOf(settings, target, action, attacker.path ?? victimOf(settings));
    // The one action that has a condition key of its own.
    const own = action === "kms:ScheduleKeyDeletion" && { "kms:ScheduleKeyDeletionPendingWindowInDays": "30" };
    const key = [target, resource, own !== false, statementsFor(action, [resourcePolicy, ...identityPolicies])].join();
    const known = judged.get(key);
    if (known !== undefined) return known;
    const request: AccessRequest = {
      caller: attacker.caller,
      action,
      resource,
      resourceAccountId: target === "copies in another account" ? copiesOwner : settings.auditAccountId,
      context: {
        "aws:SecureTransport": "true",
        "aws:MultiFactorAuthPresent": attacker.caller.kind === "account" ? "true" : undefined,
        ...own,
        ...attacker.context,
      },
    };
    const { allowed, reason } = judge(request, { resourcePolicy, identityPolicies });
    // What cannot be decided is not a refusal.
    const isOpen = allowed || reason === "notEvaluated" || reason === "undecided";
    judged.set(key, isOpen);
    return isOpen;
  });
}

function documentOf(built: BuiltArchive, settings: AuditSettings, target: Target) {
  const { partition, auditAccountId, region, replicas } = settings;
  switch (target) {
    case "copies in another account": {
      if (!replicas.replication) return undefined;
      const { bucketPolicy } = statementsToAdd(partition, auditAccountId, replicas.replication, {
        bucket: true,
        key: false,
      });
      return bucketPolicy && policyDocument(bucketPolicy);
    }
    case "log bucket":
    case "logs":
      return built.bucket.document;
    case "copies":
      return built.copies;
    case "access logs":
      return built.accessLogs;
    case "key":
      return built.keys[region]?.document;
    case "queue":
      return built.queue;
  }
}

const bucketActions = new Set(allWrites.filter(({ target }) => target === "bucket").map(({ action }) => action));

function resourceOf(settings: AuditSettings, target: Target, action: string, path: string): string {
  const { partition, region, auditAccountId, bucketName, archive, replicas } = settings;
  const within = (name: string) => `${bucketArn(partition, name)}${bucketActions.has(action) ? "" : `/${path}`}`;
  switch (target) {
    case "log bucket":
    case "logs":
      return within(bucketName);
    case "copies":
    case "copies in another account":
      return within(replicas.replication?.destination.bucketName ?? "");
    case "access logs":
      return within(archive.accessLogBucket ?? "");
    case "key":
      return futureKeyArn(partition, region, auditAccountId);
    case "queue":
      return notificationQueueArn(settings);
  }
}

/** Why something is possible. */
export interface Reason {
  who: RegExp;
  /** Only where there are break-glass roles, or only where there are none. Left out: in both. */
  guarded?: boolean;
  action: RegExp;
  target?: Target;
  why: string;
}

export const reasons: Reason[] = [
  {
    who: /^administrator of the audit account$/,
    guarded: false,
    action: /./,
    why: "in the account that owns the archive IAM decides; breakGlassRoles ends that",
  },
  {
    who: /^break-glass role$/,
    guarded: true,
    action: /./,
    why: "it is there to do this: it deploys the archive and repairs it",
  },
  {
    who: /^administrator of the audit account$/,
    guarded: true,
    action: /^sqs:(ChangeMessageVisibility|DeleteMessage)$/,
    target: "queue",
    why: "consumers of the notifications need it; the log file stays, and so does its name",
  },
  {
    who: /^administrator of the account that owns the copies$/,
    action: /./,
    target: "copies in another account",
    why: "the copies are that account's own; it has no access to the archive",
  },
  {
    who: /^deploy role/,
    guarded: false,
    action: /./,
    why: "what deploying the archive takes; with breakGlassRoles only if it is one of them",
  },
];

/** The reason for an action that is possible, or undefined when there is none. */
export function reasonOf(who: string, guarded: boolean, { action, target }: Write): string | undefined {
  return reasons.find(
    (each) =>
      each.who.test(who) &&
      each.action.test(action) &&
      (each.guarded ?? guarded) === guarded &&
      (each.target ?? target) === target,
  )?.why;
}

const targets: Target[] = ["log bucket", "logs", "copies", "copies in another account", "access logs", "key", "queue"];

/** The table of docs/threat-model.md: for each attacker and resource how many actions are possible, and why. */
export function threatTable(
  byDefault: AuditSettings,
  guarded: AuditSettings,
  others: Parameters<typeof attackers>[1],
): string {
  const cellsOf = (settings: AuditSettings, isGuarded: boolean) =>
    new Map(
      attackers(settings, others).map((attacker) => {
        const open = possible(settings, attacker);
        const whys = [...new Set(open.map((write) => reasonOf(attacker.name, isGuarded, write)))];
        const counts = targets
          .map((target) => [target, open.filter((each) => each.target === target).length] as const)
          .filter(([, count]) => count > 0)
          .map(
            ([target, count]) =>
              `${target} ${count} of ${archiveWrites.filter((each) => each.target === target).length}`,
          );
        return [attacker.name, open.length === 0 ? "nothing" : `${counts.join(", ")}: ${whys.join("; ")}`];
      }),
    );
  const [before, after] = [cellsOf(byDefault, false), cellsOf(guarded, true)];
  const names = [...new Set([...after.keys(), ...before.keys()])];
  return [
    "| who | can change by default | can change with all controls on |",
    "|---|---|---|",
    ...names.map(
      (name) => `| ${name} | ${before.get(name) ?? "there is none"} | ${after.get(name) ?? "there is none"} |`,
    ),
  ].join("\n");
}
