/** What a preview changes, resource by resource, as people want to read it. */
import { isDeepStrictEqual } from "node:util";
import { policyDiff, statementsOf } from "../../core/policies/diff";
import type {
  AccountReport,
  PolicyChange,
  PreviewedResource,
  PreviewedStack,
  PropertyChange,
  ResourceReport,
} from "./types";
import { Op } from "./types";

/** A change to one resource of AWS's: the engine tells a replacement in up to three steps. */
export interface Change {
  op: Op;
  urn: string;
  type: string;
  name: string;
  before: Record<string, unknown>;
  after: Record<string, unknown>;
}

/** Components and the stack itself are the program's, not AWS's. */
export function changesOf({ resources }: Pick<PreviewedStack, "resources">): Change[] {
  const byUrn = new Map<string, PreviewedResource[]>();
  for (const resource of resources) {
    if (!resource.type.startsWith("aws:")) continue;
    byUrn.set(resource.urn, [...(byUrn.get(resource.urn) ?? []), resource]);
  }
  return [...byUrn.values()].flatMap((steps): Change[] => {
    const ops = steps.map(({ op }) => op);
    const op = ops.some((each) => each.includes("replace"))
      ? Op.Replace
      : Object.values(Op).find((each) => ops.includes(each));
    const [{ urn, type, name }] = steps as [PreviewedResource];
    // Others, such as import and refresh, change nothing in AWS.
    if (op === undefined) return [];
    const before = op === Op.Create ? undefined : steps.find((each) => each.before)?.before;
    const after =
      op === Op.Delete ? undefined : steps.find((each) => each.after && each.op !== "delete-replaced")?.after;
    return [{ op, urn, type, name, before: before ?? {}, after: after ?? {} }];
  });
}

/** Whether the change is to the policy of the log bucket: by its physical name, or where that is not known yet, by its parent. */
export function isArchiveBucketPolicy({ type, urn, before, after }: Change, bucketName: string): boolean {
  if (type !== "aws:s3/bucketPolicy:BucketPolicy") return false;
  const named = [after.bucket, before.bucket].find((each) => typeof each === "string" && !isUnknown(each));
  return named === undefined ? /\bcrosstrail:index:AuditBucket\$/.test(urn) : named === bucketName;
}

/** Which of the archive's keys a change is to, counted from 1; undefined for every other key of the stack. */
export function archiveKeyGeneration({ type, urn, name }: Change): number | undefined {
  if (type !== "aws:kms/key:Key" || !/\bcrosstrail:index:AuditKey\$/.test(urn)) return undefined;
  return Number(/-(\d+)-key$/.exec(name)?.[1] ?? 1);
}

export function accountReport(stack: PreviewedStack, changes: Change[]): AccountReport {
  const { stack: name, kind, accountId, status, notRun } = stack;
  const own = changes.map(resourceReport);
  return { stack: name, kind, accountId, status, changes: own, ...(notRun !== undefined && { notRun }) };
}

function resourceReport(change: Change): ResourceReport {
  const { op, type, name, before, after } = change;
  const called = nameOf(op === Op.Delete ? before : after);
  return {
    op,
    type,
    name,
    ...(called !== undefined && { called }),
    policy: op === Op.Update && policyPlaces(change).length > 0,
    properties: op === Op.Create || op === Op.Delete ? [] : propertyChanges(before, after),
  };
}

/** What AWS calls a resource with these inputs. */
export function nameOf(inputs: Record<string, unknown>): string | undefined {
  // The bucket comes last: resources of other kinds name the bucket that they belong to.
  return [inputs.name, inputs.bucket].find((each): each is string => typeof each === "string" && !isUnknown(each));
}

function propertyChanges(before: Record<string, unknown>, after: Record<string, unknown>): PropertyChange[] {
  const [old, now] = [flat(before), flat(after)];
  return [...new Set([...old.keys(), ...now.keys()])].sort().flatMap((path): PropertyChange[] => {
    const [was, is] = [old.get(path), now.get(path)];
    if (isDeepStrictEqual(was, is)) return [];
    if (isPolicy(was) || isPolicy(is)) return [];
    return [{ path, ...(was !== undefined && { before: shown(was) }), ...(is !== undefined && { after: shown(is) }) }];
  });
}

function shown(value: unknown): string {
  return isUnknown(value) ? "known after the deployment" : JSON.stringify(value);
}

/** Inputs by their paths, without what the provider notes for itself. */
function flat(inputs: Record<string, unknown>): Map<string, unknown> {
  const found = new Map<string, unknown>();
  const walk = (path: string, value: unknown, depth: number) => {
    const isTree = typeof value === "object" && value !== null && depth < 8 && Object.keys(value).length > 0;
    if (!isTree) {
      // An empty list says no more than none.
      if (typeof value !== "object") found.set(path, value);
    } else if (Array.isArray(value)) value.forEach((each, index) => walk(`${path}[${index}]`, each, depth + 1));
    else {
      for (const [name, each] of Object.entries(value)) {
        if (name !== "__defaults" && name !== "tagsAll") walk(path === "" ? name : `${path}.${name}`, each, depth + 1);
      }
    }
  };
  walk("", inputs, 0);
  return found;
}

/** The policies among the inputs of these changes. */
export function policyChanges(stack: Pick<PreviewedStack, "stack" | "accountId">, changes: Change[]): PolicyChange[] {
  const all = changes.flatMap((change) =>
    policyPlaces(change).flatMap((place): PolicyChange[] => {
      const { op, before, after } = change;
      const diff = policyDiff(textOf(before[place]), textOf(after[place]));
      if (diff?.changes.length === 0) return [];
      const title = titleOf(change, place);
      return [{ stack: stack.stack, accountId: stack.accountId, title, op, ...(diff && { diff }) }];
    }),
  );
  // The archive's own policies come first, by their titles.
  return all.sort((a, b) => (a.title < b.title ? -1 : 1));
}

/** The inputs that are policies, and differ. */
function policyPlaces({ type, before, after }: Change): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].sort().filter((place) => {
    const [was, is] = [before[place], after[place]];
    if (isDeepStrictEqual(was, is) || (typeof was !== "string" && typeof is !== "string")) return false;
    // One that is known only after the deployment is told by its name.
    return isPolicy(was) || isPolicy(is) || (/policy$/i.test(place) && /policy|role:Role$/i.test(type));
  });
}

function titleOf(change: Change, place: string): string {
  const { type, name, before, after } = change;
  const inputs = Object.keys(after).length > 0 ? after : before;
  const called = (type === "aws:iam/rolePolicy:RolePolicy" ? nameOf({ name: inputs.role }) : nameOf(inputs)) ?? name;
  const titles: Record<string, string> = {
    "aws:s3/bucketPolicy:BucketPolicy policy": `Bucket policy of ${called}`,
    "aws:kms/key:Key policy": archiveKeyGeneration(change) === 1 ? "Key policy" : `Key policy of ${name}`,
    "aws:kms/replicaKey:ReplicaKey policy": `Key policy of ${name}`,
    "aws:sqs/queuePolicy:QueuePolicy policy": `Queue policy of ${name}`,
    "aws:sns/topicPolicy:TopicPolicy policy": `Topic policy of ${name}`,
    "aws:kms/keyPolicy:KeyPolicy policy": "Key policy",
    "aws:iam/role:Role assumeRolePolicy": `Trust policy of role ${called}`,
    "aws:iam/rolePolicy:RolePolicy policy": `Permissions of role ${called}`,
  };
  return titles[`${type} ${place}`] ?? `${type} ${name}: ${place}`;
}

/** Pulumi's sign for a value that is known only after the deployment. */
export function isUnknown(value: unknown): boolean {
  return value === "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
}

function isPolicy(value: unknown): boolean {
  return typeof value === "string" && value.startsWith("{") && statementsOf(value) !== undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
