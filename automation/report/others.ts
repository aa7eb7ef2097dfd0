/**
 * Access to what a stack has beside the archive's bucket and key: the bucket with the access logs, topics, queues and their
 * keys. Each policy is compared with its own former version. One that is known after the deployment only is not compared; the
 * report shows it among the policies.
 */
import { statementsOf } from "../../core/policies/diff";
import type { Caller, PolicyInput, ResourceKind } from "../../core/evaluate";
import { compile, judge } from "../../core/evaluate";
import type { Change } from "./changes";
import { isUnknown, nameOf } from "./changes";
import type { AccessChange, ReportInput } from "./types";
import { Op } from "./types";

interface Kind {
  noun: string;
  kind: ResourceKind;
  /** What a stranger would try. */
  attempts: readonly string[];
}

const key: Kind = { noun: "key", kind: "key", attempts: ["kms:Decrypt", "kms:GenerateDataKey", "kms:PutKeyPolicy"] };

/** What has a policy that says who may use it. */
const kinds: Record<string, Kind> = {
  "aws:s3/bucketPolicy:BucketPolicy": {
    noun: "bucket",
    kind: "bucket",
    attempts: ["s3:GetObject", "s3:PutObject", "s3:ListBucket"],
  },
  "aws:kms/key:Key": key,
  "aws:kms/replicaKey:ReplicaKey": key,
  "aws:sqs/queuePolicy:QueuePolicy": {
    noun: "queue",
    kind: "other",
    attempts: ["sqs:SendMessage", "sqs:ReceiveMessage"],
  },
  "aws:sns/topicPolicy:TopicPolicy": {
    noun: "topic",
    kind: "other",
    attempts: ["sns:Publish", "sns:Subscribe"],
  },
};

/** Rows for all stacks; what changes alike in several of them is one row. */
export function otherAccess(
  stacks: ReportInput["stacks"],
  changesOf: Map<string, Change[]>,
  isArchive: (change: Change) => boolean,
): AccessChange[] {
  const rows = new Map<string, AccessChange>();
  for (const { stack: alias, accountId } of stacks) {
    for (const change of changesOf.get(alias) ?? []) {
      if (isArchive(change)) continue;
      for (const row of rowsOf(change)) {
        const id = JSON.stringify(row);
        const known = rows.get(id) ?? { ...row, who: [], everywhere: false };
        known.who.push({ alias, accountId });
        rows.set(id, known);
      }
    }
  }
  return [...rows.values()];
}

function rowsOf(change: Change): Omit<AccessChange, "who" | "everywhere">[] {
  const found = Object.hasOwn(kinds, change.type) ? kinds[change.type] : undefined;
  if (!found) return [];
  const [was, is] = [change.before.policy, change.after.policy].map((each) =>
    typeof each === "string" ? each : undefined,
  );
  // Also where one of them is known after the deployment only.
  if (statementsOf(was) === undefined || statementsOf(is) === undefined) return [];
  const called = nameOf(change.op === Op.Delete ? change.before : change.after) ?? change.name;
  const thing = `the ${found.noun} ${called}`;
  const [before, after] = [grantsOf(was), grantsOf(is)];
  const row = (direction: "gains" | "loses", parts: string[]): Omit<AccessChange, "who" | "everywhere">[] =>
    parts.length === 0 ? [] : [{ change: direction, what: `Access to ${thing}`, parts, verdict: "intended" }];
  const opened = without(openings(found, is), openings(found, was));
  return [
    ...row("gains", without(after, before)),
    ...row("loses", without(before, after)),
    ...(opened.length === 0
      ? []
      : [{ change: "gains", what: `Strangers may use ${thing}`, parts: opened, verdict: "wrong" } as const]),
  ];
}

const without = (all: string[], others: string[]) => all.filter((each) => !others.includes(each));

/** `logging.s3.amazonaws.com: s3:PutObject`, for each principal that a policy allows something. */
function grantsOf(policy: string | undefined): string[] {
  const grants = (statementsOf(policy) ?? [])
    .filter(({ Effect }) => Effect === "Allow")
    .flatMap(({ Principal, Action, NotAction }) => {
      const actions = Action === undefined ? `everything but ${texts(NotAction).join(", ")}` : texts(Action).join(", ");
      const named = typeof Principal === "object" && Principal !== null ? Object.values(Principal) : [Principal];
      return texts(named.flat()).map((principal) => `${nameOfPrincipal(principal)}: ${actions}`);
    });
  return [...new Set(grants)].sort();
}

function nameOfPrincipal(principal: string): string {
  if (principal === "*") return "everyone whom the conditions let";
  return /^arn:[\w-]+:iam::(\d{12}):root$/.exec(principal)?.[1] ?? principal;
}

function texts(value: unknown): string[] {
  return [value].flat().filter((each): each is string => typeof each === "string" && !isUnknown(each));
}

/** What callers may do whom nobody can have meant. */
function openings({ kind, attempts }: Kind, policy: string | undefined): string[] {
  if (policy === undefined) return [];
  // What the policy itself names, and for "*" anything.
  const named = (statementsOf(policy) ?? []).flatMap(({ Resource }) => texts(Resource));
  const resources = new Set(["arn:aws:kms:us-east-1:000000000000:key/0", ...named.filter((each) => each !== "*")]);
  const strangers: [who: string, caller: Caller][] = [
    ["anyone without credentials", { kind: "anonymous" }],
    ["an administrator of any other account", { kind: "account", arn: "arn:aws:iam::000000000001:role/Administrator" }],
  ];
  const everything: PolicyInput = { Version: "2012-10-17", Statement: { Effect: "Allow", Action: "*", Resource: "*" } };
  const policies = { resourcePolicy: compile(policy, kind), resourceKind: kind, identityPolicies: [everything] };
  const isOpen = (caller: Caller, action: string) =>
    [...resources].some((each) => {
      const resource = each.replace(/[*?]/g, "x");
      const context = { "aws:SecureTransport": "true" };
      return judge({ caller, action, resource, resourceAccountId: "000000000000", context }, policies).allowed;
    });
  return strangers.flatMap(([who, caller]) =>
    attempts.filter((action) => isOpen(caller, action)).map((action) => `${who}: ${action}`),
  );
}
