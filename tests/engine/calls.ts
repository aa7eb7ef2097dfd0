/**
 * The calls to the emulator that the AWS provider and Crosstrail itself made, held against what the deploy roles grant
 * (core/roles/table.ts): every sandbox does so when it is stopped (support.ts). The test that covers a feature calls
 * `expectAllUsed` for it as well.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { partitionOf } from "../../core/accounts";
import type { AccessRequest } from "../../core/evaluate";
import { evaluate } from "../../core/evaluate";
import { UserError } from "../../core/findings";
import { bucketArn, roleArn, trailArn } from "../../core/names";
import type { Feature, FeatureName, Grant, RoleAccess, RoleNames } from "../../core/roles";
import { callsOf as operationsOf, features, rolePermissions, roleSubjects } from "../../core/roles";
import type { AuditSettings, ManagementSettings, MemberSettings, Settings } from "../../core/settings";
import { parseSettings } from "../../core/settings";
import type { Sandbox } from "../../sandbox";
import { BESIDE, REGION } from "../../sandbox";

/** A call as sandbox/emulator/calls.py notes it. */
export interface Call {
  /** The service as in the signature: s3, kms, monitoring. */
  service: string;
  operation: string;
  account: string;
  region: string;
  /** Its short parameters: names and ids of resources among them. */
  parameters: Record<string, string | undefined>;
  /** Condition keys of its key or role: tags, aliases, the permissions boundary. */
  context: Record<string, string | string[]>;
  agent: string;
  status: number;
}

/** The test files that use a feature in full. A new feature is added here, and its test calls {@link expectAllUsed}. */
export const coveredBy: Record<FeatureName, string> = {
  stack: "foundation.test.ts",
  trail: "foundation.test.ts",
  readBack: "report.test.ts",
  key: "foundation.test.ts",
  archive: "foundation.test.ts",
  interrupted: "roles.test.ts",
  role: "readers.test.ts",
  logGroup: "events.test.ts",
  topic: "events.test.ts",
  objectLock: "archive.test.ts",
  lifecycle: "archive.test.ts",
  accessLogs: "archive.test.ts",
  notifications: "archive.test.ts",
  queue: "archive.test.ts",
  breakGlass: "archive.test.ts",
  mfaDelete: "archive.test.ts",
  forceDestroy: "forceDestroy.test.ts",
  keyReplica: "replica.test.ts",
  replication: "replica.test.ts",
  eventDataStore: "eventDataStore.test.ts",
  organization: "organizations.test.ts",
  allFeatures: "organizations.test.ts",
  trustedAccess: "organizations.test.ts",
  delegatedAdministrator: "organizations.test.ts",
  guardrails: "guarded.test.ts",
};

type Box = Pick<Sandbox, "folder" | "projectFolder">;
type Configuration = { stack: string; config: Record<string, unknown> };

/** The configurations that sandboxes have had, by their folders, without repeats. */
const configurations = new Map<string, Map<string, Configuration>>();

/** The sandbox, which from now on remembers how its stacks are configured, and whose calls are checked when it is stopped. */
export function held(box: Sandbox): Sandbox {
  const known = new Map<string, Configuration>();
  configurations.set(box.folder, known);
  const remember = (each: Configuration) => known.set(JSON.stringify(each), each);
  // Tests and `crosstrail migrate` write files as well.
  const watcher = fs.watch(box.projectFolder, () => filesOf(box).forEach(remember));
  return {
    ...box,
    stack: (stack, config) => {
      remember({ stack, config });
      return box.stack(stack, config);
    },
    configure: (stack, config) => {
      remember({ stack, config });
      box.configure(stack, config);
    },
    async stop() {
      watcher.close();
      try {
        expectGranted(callsOf(box), "remove", rolesOf(box));
      } finally {
        configurations.delete(box.folder);
        await box.stop();
      }
    },
  };
}

/** Whether the sandbox's calls are held against the roles: those of programs of the tests' own are not. */
export function isHeld(box: Pick<Box, "folder">): boolean {
  return configurations.has(box.folder);
}

/** What the provider and Crosstrail have called so far; calls of the tests' own are not among it. */
/** A bucket that a test keeps state in: what a backend needs is not in the table, which is about what stacks deploy. */
export const STATE_BUCKET = "crosstrail-state";

export function callsOf(box: Pick<Box, "folder">): Call[] {
  const text = fs.readFileSync(path.join(box.folder, "logs", "calls.jsonl"), "utf8");
  const calls = text.split("\n").filter(Boolean);
  return calls
    .map((line) => JSON.parse(line) as Call)
    .filter(({ agent, parameters }) => !agent.includes(BESIDE) && parameters.Bucket !== STATE_BUCKET);
}

/**
 * What `crosstrail roles` writes the roles for: of each account, for each configuration that the sandbox has had. While an
 * option is taken away, the role is still the one that was printed with it.
 */
export function rolesOf(box: Box): RoleNames[] {
  const settings = [...(configurations.get(box.folder)?.values() ?? []), ...filesOf(box)].map(settingsOf);
  const audits = settings.filter((each): each is AuditSettings => each?.role === "audit");
  const others = settings.filter(
    (each): each is MemberSettings | ManagementSettings => each !== undefined && each.role !== "audit",
  );
  const names = audits.flatMap((audit) =>
    [[], ...others.map((other) => [other])].flatMap((known) => roleSubjects(audit, known).map((each) => each.names)),
  );
  return [...new Map(names.map((each) => [JSON.stringify(each), each])).values()].reverse();
}

/** The stack files as they are now; one that is just being written or removed is left out. */
function filesOf({ projectFolder }: Pick<Box, "projectFolder">): Configuration[] {
  return fs.readdirSync(projectFolder).flatMap((name) => {
    const [, stack] = /^Pulumi\.(.+)\.yaml$/.exec(name) ?? [];
    if (stack === undefined) return [];
    try {
      const text = fs.readFileSync(path.join(projectFolder, name), "utf8");
      const { config } = (parse(text) ?? {}) as { config?: Record<string, unknown> };
      return config === undefined ? [] : [{ stack, config }];
    } catch {
      return [];
    }
  });
}

/** Undefined for what is no stack of Crosstrail's, or has mistakes: nothing is deployed with it. */
function settingsOf({ stack, config }: Configuration): Settings | undefined {
  const raw = Object.entries(config)
    .filter(([name, value]) => name.startsWith("crosstrail:") && value !== undefined && value !== null)
    .map(([name, value]) => [
      name.slice("crosstrail:".length),
      typeof value === "string" ? value : JSON.stringify(value),
    ]);
  try {
    return parseSettings(
      stack,
      Object.fromEntries(raw) as Record<string, string>,
      (config["aws:region"] as string | undefined) ?? REGION,
    );
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** Every call is granted to the role of its account, on the resource that it names. */
export function expectGranted(calls: Call[], access: RoleAccess, roles: RoleNames[]): void {
  const unlike = new Map(
    calls.map((call) => [
      JSON.stringify([call.service, call.operation, call.account, call.region, call.parameters, call.context]),
      call,
    ]),
  );
  const refused = new Set<string>();
  for (const call of unlike.values()) {
    const why = whyRefused(call, access, roles);
    if (why !== undefined) refused.add(why);
  }
  assert.deepEqual([...refused], [], `calls that no ${access} role may make: see core/roles/table.ts`);
}

/** Why none of the account's roles may make the call, or undefined. */
export function whyRefused(call: Call, access: RoleAccess, roles: RoleNames[]): string | undefined {
  // Entering the accounts is the hub's; see `hubPermissions`.
  if (call.service === "sts" && call.operation === "AssumeRole") return undefined;
  const name = `${call.service}:${call.operation}`;
  const where = `${name} in account ${call.account}`;
  const actions = actionsFor(call);
  if (actions.length === 0) return `${where}: no row of the table is for this call`;
  let why: string | undefined = `${where}: no configuration has this account`;
  for (const names of roles.filter(({ accountId }) => accountId === call.account)) {
    why = undefined;
    for (const action of actions) {
      for (const { resource, context } of requestsOf(call, action, names)) {
        const { allowed, explanation } = evaluate(
          {
            caller: { kind: "account", arn: roleArn(names.partition, call.account, "CrosstrailDeploy") },
            action,
            resource,
            resourceAccountId: call.account,
            context,
          },
          { identityPolicies: [policyOf(access, names)], resourceKind: "other" },
        );
        if (!allowed) why ??= `${where}, ${JSON.stringify(call.parameters)}: ${explanation}`;
      }
    }
    if (why === undefined) return undefined;
  }
  return why;
}

const policies = new WeakMap<RoleNames, Map<RoleAccess, ReturnType<typeof rolePermissions>>>();

function policyOf(access: RoleAccess, names: RoleNames): ReturnType<typeof rolePermissions> {
  const known = policies.get(names) ?? new Map<RoleAccess, ReturnType<typeof rolePermissions>>();
  policies.set(names, known);
  const policy = known.get(access) ?? rolePermissions(access, names);
  known.set(access, policy);
  return policy;
}

/** Every row of these features was needed by one of the calls. */
export function expectAllUsed(calls: Call[], ...names: FeatureName[]): void {
  const unused: string[] = [];
  for (const name of names) {
    for (const grant of (features[name] as Feature).grants) {
      const operations = operationsOf(grant);
      const missing = operations.filter(
        (operation) => !calls.some((call) => `${call.service}:${call.operation}` === operation && isFor(grant, call)),
      );
      // What is handed over by a parameter may be so by any of them.
      const enough = grant.with === undefined ? missing.length === 0 : missing.length < operations.length;
      if (!enough) unused.push(`${grant.action} is granted for ${missing.join()}, which nobody called`);
    }
  }
  assert.deepEqual(unused, []);
}

/** Whether the call has the parameter for which the grant is. */
function isFor(grant: Grant, { parameters }: Call): boolean {
  return grant.with === undefined || !["", "false", undefined].includes(parameters[grant.with]);
}

/** The actions that IAM asks for when this operation is called. */
function actionsFor(call: Call): string[] {
  const grants = (Object.values(features) as Feature[]).flatMap((feature) => feature.grants);
  const needed = grants.filter(
    (grant) => operationsOf(grant).includes(`${call.service}:${call.operation}`) && isFor(grant, call),
  );
  return [...new Set(needed.map(({ action }) => action))];
}

/** What IAM is asked for this action: each resource, with the condition keys that the table's conditions ask for. */
interface IamRequest {
  resource: string;
  context: AccessRequest["context"];
}

const cloudTrailServices = ["cloudtrail.amazonaws.com", "context.cloudtrail.amazonaws.com"];
const serviceLinkedRoles: Record<string, string> = {
  "cloudtrail.amazonaws.com": "AWSServiceRoleForCloudTrail",
  "context.cloudtrail.amazonaws.com": "AWSServiceRoleForCloudTrailEventContext",
  "mrk.kms.amazonaws.com": "AWSServiceRoleForKeyManagementServiceMultiRegionKeys",
};

function requestsOf(call: Call, action: string, names: RoleNames): IamRequest[] {
  const { service, operation, account, parameters } = call;
  const partition = partitionOf(call.region) ?? "aws";
  const nothing = `arn:${partition}:${service}:${call.region}:${account}:nothing`;
  const serviceLinked = (principal: string) =>
    roleArn(partition, account, `aws-service-role/${principal}/${serviceLinkedRoles[principal]}`);
  switch (action) {
    case "iam:PassRole": {
      const resource = parameters.CloudWatchLogsRoleArn ?? parameters.Role ?? nothing;
      return [{ resource, context: { "iam:PassedToService": `${service}.amazonaws.com` } }];
    }
    case "iam:CreateServiceLinkedRole": {
      const made =
        operation === "CreateServiceLinkedRole"
          ? [parameters.AWSServiceName ?? "none"]
          : service === "kms"
            ? ["mrk.kms.amazonaws.com"]
            : cloudTrailServices;
      return made.map((principal) => ({
        resource: serviceLinked(principal),
        context: { "iam:AWSServiceName": principal },
      }));
    }
    case "iam:GetRole":
      if (service !== "iam") return cloudTrailServices.map((each) => ({ resource: serviceLinked(each), context: {} }));
      break;
    case "organizations:RegisterDelegatedAdministrator": {
      const account = `account/${names.organization?.id}/${parameters.MemberAccountId}`;
      return [
        {
          resource: `arn:${partition}:organizations::${call.account}:${account}`,
          context: { "organizations:ServicePrincipal": "cloudtrail.amazonaws.com" },
        },
      ];
    }
    case "kms:CreateKey":
      if (operation === "ReplicateKey") {
        const region = { "aws:RequestedRegion": parameters.ReplicaRegion ?? "" };
        return [{ resource: nothing, context: { ...tagsOfRequest(call), ...region } }];
      }
      break;
    case "kms:Decrypt":
    case "kms:GenerateDataKey":
      return [{ resource: parameters.KmsKeyId ?? nothing, context: call.context }];
    case "kms:TagResource":
      // A key that is just made has no tags and no aliases yet.
      if (operation === "CreateKey" || operation === "ReplicateKey") {
        const region = parameters.ReplicaRegion ?? call.region;
        const made = `arn:${partition}:kms:${region}:${account}:key/new`;
        return [{ resource: made, context: tagsOfRequest(call) }];
      }
      break;
  }
  const context = { ...call.context, ...contextOf(call) };
  if (service === "organizations" && /Policy$|[Tt]ag|^ListT/.test(operation)) {
    const of = `arn:${partition}:organizations::${account}`;
    const id = parameters.PolicyId ?? parameters.ResourceId ?? "p-new";
    const policy = `${of}:policy/${names.organization?.id}/service_control_policy/${id}`;
    const target = parameters.TargetId && `${of}:account/${names.organization?.id}/${parameters.TargetId}`;
    return [policy, ...(target ? [target] : [])].map((resource) => ({ resource, context }));
  }
  return resourcesOf(call, action, partition).map((resource) => ({ resource, context }));
}

/** The ARNs of what the call is about; where it names nothing, one that only `*` matches. */
function resourcesOf(call: Call, action: string, partition: RoleNames["partition"]): string[] {
  const { service, account: accountId, region, parameters } = call;
  const arn = (kind: string, id: string) =>
    id.startsWith("arn:") ? id : `arn:${partition}:${kind}:${region}:${accountId}:${id}`;
  const nothing = [arn(service, "nothing")];
  const { Bucket, Key, KeyId, TargetKeyId, AliasName, RoleName } = parameters;
  switch (service) {
    case "s3": {
      if (!Bucket) return nothing;
      const isObject = Key !== undefined || /^s3:DeleteObject/.test(action);
      return [bucketArn(partition, isObject ? `${Bucket}/${Key ?? "object"}` : Bucket)];
    }
    case "kms": {
      const key = KeyId ?? TargetKeyId;
      const found = [...(AliasName ? [arn("kms", AliasName)] : []), ...(key ? [arn("kms", `key/${key}`)] : [])];
      return found.length > 0 ? found : nothing;
    }
    case "cloudtrail": {
      if (/EventDataStore/.test(call.operation))
        return [parameters.EventDataStore ?? arn(service, "eventdatastore/new")];
      const name = parameters.Name ?? parameters.TrailName ?? parameters.ResourceId ?? parameters.ResourceIdList;
      if (name === undefined) return nothing;
      return [name.startsWith("arn:") ? name : trailArn({ partition, region, accountId, name })];
    }
    case "iam": {
      if (!RoleName) return nothing;
      const [principal] = Object.entries(serviceLinkedRoles).find(([, name]) => name === RoleName) ?? [];
      return [roleArn(partition, accountId, principal ? `aws-service-role/${principal}/${RoleName}` : RoleName)];
    }
    case "logs": {
      const { logGroupName, logGroupNamePrefix, resourceArn } = parameters;
      const name = logGroupName ?? logGroupNamePrefix;
      return resourceArn ? [resourceArn] : name ? [arn("logs", `log-group:${name}`)] : nothing;
    }
    case "sns": {
      const topic = parameters.TopicArn ?? parameters.ResourceArn ?? parameters.Name;
      return topic ? [arn("sns", topic)] : nothing;
    }
    case "sqs": {
      const queue = parameters.QueueName ?? parameters.QueueUrl?.split("/").at(-1);
      return queue ? [arn("sqs", queue)] : nothing;
    }
    default:
      return nothing;
  }
}

function tagsOfRequest({ context }: Call): AccessRequest["context"] {
  return Object.fromEntries(Object.entries(context).filter(([name]) => name.startsWith("aws:RequestTag/")));
}

function contextOf({ service, operation, parameters }: Call): Record<string, string> {
  if (service === "organizations" && parameters.ServicePrincipal) {
    return { "organizations:ServicePrincipal": parameters.ServicePrincipal };
  }
  switch (`${service}:${operation}`) {
    case "kms:CreateKey":
      return {
        "kms:KeySpec": parameters.KeySpec ?? parameters.CustomerMasterKeySpec ?? "SYMMETRIC_DEFAULT",
        "kms:KeyUsage": parameters.KeyUsage ?? "ENCRYPT_DECRYPT",
      };
    case "kms:ReplicateKey":
      return { "kms:ReplicaRegion": parameters.ReplicaRegion ?? "" };
    case "kms:ScheduleKeyDeletion":
      return { "kms:ScheduleKeyDeletionPendingWindowInDays": parameters.PendingWindowInDays ?? "30" };
    default:
      return {};
  }
}
