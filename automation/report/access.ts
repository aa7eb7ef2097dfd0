/** Who gains and loses access: the simulation's questions, put to the policies before and after. */
import type { ArchivePolicies, Cell, SimulatedFleet, SimulatedTrail } from "../../core/simulate";
import { builtPolicies, questionGroups, simulate } from "../../core/simulate";
import { parseKeyArn, parseTrailArn, trailArn } from "../../core/names";
import { statementsOf } from "../../core/policies/diff";
import { UserError } from "../../core/findings";
import type { Change } from "./changes";
import { archiveKeyGeneration, isArchiveBucketPolicy, nameOf } from "./changes";
import { otherAccess } from "./others";
import type { AccessChange, ReportInput } from "./types";
import { Op } from "./types";

type Who = AccessChange["who"][number];

export interface Access {
  access: AccessChange[];
  unknown?: string;
}

/** What changes for the archive, and for everything else that has a policy. */
export function accessChanges(input: ReportInput, changesOf: Map<string, Change[]>): Access {
  const { fleet, stacks } = input;
  const others = otherAccess(stacks, changesOf, (change) => {
    if (fleet !== undefined && isArchiveBucketPolicy(change, fleet.bucketName)) return true;
    return archiveKeyGeneration(change) !== undefined;
  });
  const { access, unknown } = archiveAccess(input, changesOf);
  return { access: [...access, ...others], ...(unknown !== undefined && { unknown }) };
}

function archiveAccess(
  { fleet, forms = {}, keyGeneration, stacks }: ReportInput,
  changesOf: Map<string, Change[]>,
): Access {
  const audit = stacks.find(({ kind }) => kind === "audit");
  if (!fleet || !audit) return { access: [], unknown: "The audit stack, which has the policies, was not previewed." };
  if (audit.status !== "succeeded")
    return { access: [], unknown: "The audit stack, which has the policies, has no preview." };
  const changes = changesOf.get(audit.stack) ?? [];
  const ofBucket = changes.find((change) => isArchiveBucketPolicy(change, fleet.bucketName));
  const keys = new Map(
    changes.flatMap((change) => {
      const generation = archiveKeyGeneration(change);
      return generation === undefined ? [] : [[generation, change] as const];
    }),
  );
  const newest = keyGeneration ?? Math.max(...keys.keys());
  const ofKey = keys.get(newest);
  const readers = readerChanges(changes);
  if (!ofBucket && !ofKey) return { access: readers };

  let built: ArchivePolicies;
  try {
    built = builtPolicies(fleet, forms);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { access: readers, unknown: error.findings[0]?.message ?? error.message };
  }
  // Where a policy is not changed, what is deployed is what the configuration says.
  const texts = (change: Change | undefined, same: ArchivePolicies["bucket"]) =>
    change ? { before: change.before.policy, after: change.after.policy } : { before: same, after: same };
  const bucket = texts(ofBucket, built.bucket);
  const key = texts(ofKey, built.key);
  // Until now another key has done what the new one does from now on.
  if (ofKey?.op === Op.Create && newest > 1) key.before = texts(keys.get(newest - 1), built.key).before;
  const isKnown = [bucket.before, bucket.after, key.before, key.after].every(
    (each) => typeof each !== "string" || statementsOf(each) !== undefined,
  );
  if (!isKnown) return { access: readers, unknown: "A policy contains values known only after the deployment." };

  const former = formerTrails(fleet, stacks, changesOf, [bucket.before, key.before]);
  const everyone = { ...fleet, trails: [...fleet.trails, ...former] };
  const comparedWith = [bucket.before, bucket.after, key.before, key.after] as ArchivePolicies["bucket"][];
  const ask = (asked: { bucket: unknown; key: unknown }) => {
    const keyArn = keyNamedIn(asked.bucket) ?? fleet.keyArn;
    const policies = { ...built, comparedWith, ...(asked as Pick<ArchivePolicies, "bucket" | "key">) };
    return simulate({ ...everyone, keyArn }, policies);
  };
  const isNew = ofBucket?.op === Op.Create;
  const after = ask({ bucket: bucket.after, key: key.after });
  const before = isNew
    ? undefined // Nobody could do anything with an archive that was not there.
    : new Map(ask({ bucket: bucket.before, key: key.before }).map((cell) => [cell.id, answerOf(cell)]));
  const declared = new Set(fleet.trails.map(({ trail }) => trailArn(trail)));
  return { access: [...compare(after, before, declared), ...readers] };
}

/** The configuration does not have the key's ARN; a bucket policy that denies all other keys does. */
function keyNamedIn(bucketPolicy: unknown): string | undefined {
  if (typeof bucketPolicy !== "string") return undefined;
  return (bucketPolicy.match(/arn:[\w-]+:kms:[^"]*/g) ?? []).find((arn) => parseKeyArn(arn) !== undefined);
}

/**
 * Trails that the archive's policies named and the configuration does not any more: those whose ARN stands in the old
 * policies, and those that a removed member's stack destroys.
 */
function formerTrails(
  fleet: SimulatedFleet,
  stacks: ReportInput["stacks"],
  changesOf: Map<string, Change[]>,
  policies: unknown[],
): SimulatedTrail[] {
  const named = policies.flatMap((text) =>
    typeof text === "string" ? (text.match(/arn:[\w-]+:cloudtrail:[^"]*/g) ?? []) : [],
  );
  const destroyed = stacks.flatMap(({ stack, accountId }) =>
    (changesOf.get(stack) ?? [])
      .filter(({ op, type }) => op === Op.Delete && type === "aws:cloudtrail/trail:Trail")
      .map(({ before }) => {
        const region = typeof before.region === "string" ? before.region : fleet.trails[0]?.trail.region;
        return `arn:${fleet.partition}:cloudtrail:${region}:${accountId}:trail/${nameOf(before)}`;
      }),
  );
  const known = new Set(fleet.trails.map(({ trail }) => trailArn(trail)));
  const aliases = new Map(stacks.map(({ accountId, stack }) => [accountId, stack]));
  return [...new Set([...named, ...destroyed])].sort().flatMap((arn): SimulatedTrail[] => {
    // Patterns are no trails.
    const trail = arn.includes("*") || known.has(arn) ? undefined : parseTrailArn(arn);
    return trail ? [{ alias: aliases.get(trail.accountId) ?? trail.accountId, trail, isPrevious: true }] : [];
  });
}

/** What is possible for an account as a whole; everything else is told question by question. */
const wholes = new Set<string>(questionGroups.filter(({ expected }) => expected === "allow").map(({ id }) => id));

/** Undecided is neither: it may be the one or the other. */
type Answer = "allowed" | "refused" | "undecided";

function answerOf({ decision: { allowed, reason } }: Cell): Answer {
  if (allowed) return "allowed";
  return reason === "undecided" || reason === "notEvaluated" ? "undecided" : "refused";
}

/** Of several things that must all be possible. */
function answerOfAll(answers: Answer[]): Answer {
  if (answers.includes("refused")) return "refused";
  return answers.includes("undecided") ? "undecided" : "allowed";
}

/** What is more than before: from refused to undecided is a gain, too. */
const ranks: Record<Answer, number> = { refused: 0, undecided: 1, allowed: 2 };

const decidedNow = "Until now, this could not be decided.";

function compare(after: Cell[], before: Map<string, Answer> | undefined, declared: Set<string>): AccessChange[] {
  const accounts = new Set([...declared].map((arn) => parseTrailArn(arn)?.accountId));
  const was = ({ id }: Cell) => before?.get(id) ?? "refused";
  // What a role may do is told from its own policies.
  const cells = after.filter(({ subject }) => !("roleArn" in subject));
  const changes: Single[] = [];

  const wholeGroups = new Map<string, Cell[]>();
  for (const cell of cells) {
    const { subject, group, title, decision, verdict, notTied } = cell;
    if (wholes.has(group)) {
      const id = JSON.stringify([group, subject.accountId, subject.trailArn]);
      wholeGroups.set(id, [...(wholeGroups.get(id) ?? []), cell]);
    } else if (was(cell) !== answerOf(cell)) {
      const [old, now] = [was(cell), answerOf(cell)];
      const decided = verdict === "ok" || now === "refused" ? "intended" : verdict === "notTied" ? "notTied" : "wrong";
      const judged = now === "undecided" ? "undecided" : decided;
      const note = now === "undecided" ? decision.explanation : old === "undecided" ? decidedNow : notTied?.reason;
      changes.push({ isGain: ranks[now] > ranks[old], group, title, verdict: judged, subject, note });
    }
  }
  for (const own of wholeGroups.values()) {
    const [{ subject, group }] = own as [Cell];
    const [old, now] = [answerOfAll(own.map(was)), answerOfAll(own.map(answerOf))];
    if (old === now) continue;
    const isGain = ranks[now] > ranks[old];
    const first = own.find((cell) => answerOf(cell) === now);
    if (now === "undecided") {
      const note = first?.decision.explanation;
      changes.push({ isGain, group, title: titleOf(group), verdict: "undecided", subject, note });
      continue;
    }
    const isTrail = subject.trailArn !== undefined;
    const stays = isTrail ? declared.has(subject.trailArn as string) : accounts.has(subject.accountId);
    // A former member's logs stay, and so does who reads them.
    const isMeant = isGain ? stays || !isTrail : !stays && group !== "read";
    const why = isMeant ? "No longer in the fleet; its logs stay." : first?.decision.explanation;
    const note = isGain ? (old === "undecided" ? decidedNow : undefined) : why;
    changes.push({
      isGain,
      group,
      title: titleOf(group),
      verdict: isMeant ? "intended" : "wrong",
      subject,
      note,
    });
  }
  const order = questionGroups.map(({ id }) => id as string);
  changes.sort((a, b) => order.indexOf(a.group) - order.indexOf(b.group));
  return joined(changes, new Set(cells.map(({ subject }) => subject.accountId)).size);
}

interface Single {
  isGain: boolean;
  group: string;
  title: string;
  verdict: AccessChange["verdict"];
  subject: Who;
  note?: string;
}

/** One row for what changes for several accounts, and one for what changes in several ways for the same accounts. */
function joined(changes: Single[], total: number): AccessChange[] {
  const byTitle = new Map<string, { first: Single; who: Map<string, Who> }>();
  for (const each of changes) {
    const { isGain, title, verdict, note, subject } = each;
    const id = JSON.stringify([isGain, title, verdict, note]);
    const entry = byTitle.get(id) ?? { first: each, who: new Map<string, Who>() };
    entry.who.set(subject.accountId, { alias: subject.alias, accountId: subject.accountId });
    byTitle.set(id, entry);
  }
  const rows = new Map<string, AccessChange & { parts: string[] }>();
  for (const { first, who } of byTitle.values()) {
    const { isGain, group, title, verdict, note } = first;
    const id = JSON.stringify([isGain, group, verdict, note, [...who.keys()]]);
    const known = rows.get(id);
    if (known) {
      known.what = titleOf(group);
      known.parts.push(title);
      continue;
    }
    rows.set(id, {
      change: isGain ? "gains" : "loses",
      what: title,
      parts: [title],
      who: [...who.values()],
      everywhere: who.size === total && total > 2,
      verdict,
      ...(note !== undefined && { note }),
    });
  }
  return [...rows.values()].map(({ parts, ...row }) => ({ ...row, ...(parts.length > 1 && { parts }) }));
}

function titleOf(group: string): string {
  return questionGroups.find(({ id }) => id === group)?.title ?? group;
}

/** Roles that accounts may assume, by their trust policies. */
function readerChanges(changes: Change[]): AccessChange[] {
  return changes
    .filter(({ type }) => type === "aws:iam/role:Role")
    .flatMap(({ before, after }) => {
      const [was, is] = [trusted(before.assumeRolePolicy), trusted(after.assumeRolePolicy)];
      const role = nameOf(after) ?? nameOf(before) ?? "";
      const list = (change: "gains" | "loses", ids: string[]): AccessChange[] =>
        (
          [
            [`Users of the account can assume the role ${role}`, ids.filter((id) => !isService(id))],
            [`The service may assume the role ${role}`, ids.filter(isService)],
          ] as const
        )
          .filter(([, of]) => of.length > 0)
          .map(([what, of]) => ({
            change,
            what,
            who: of.map((id) => ({ alias: id, accountId: id })),
            everywhere: false,
            verdict: "intended",
          }));
      return [
        ...list(
          "gains",
          is.filter((each) => !was.includes(each)),
        ),
        ...list(
          "loses",
          was.filter((each) => !is.includes(each)),
        ),
      ];
    });
}

function isService(principal: string): boolean {
  return /^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(principal);
}

/** The accounts, or whatever else, that a trust policy allows. */
function trusted(text: unknown): string[] {
  const statements = typeof text === "string" ? (statementsOf(text) ?? []) : [];
  const principals = statements
    .filter(({ Effect }) => Effect === "Allow")
    .flatMap(({ Principal }) =>
      typeof Principal === "object" && Principal !== null ? Object.values(Principal) : [Principal],
    )
    .flat()
    .filter((each): each is string => typeof each === "string")
    .map((each) => /^arn:[\w-]+:iam::(\d{12}):root$/.exec(each)?.[1] ?? each);
  return [...new Set(principals)].sort();
}
