/** The run over all slices: what is found is put together, and only then is it judged why chains end. */
import { setImmediate as breathe } from "node:timers/promises";
import { type Deletion, stopFor, type TrailStop } from "../../core/logs";
import type { ArchiveSource } from "../archive";
import { printable } from "../output";
import { addCounts, Lanes } from "./collect";
import { makePlan, type PlanOptions } from "./plan";
import { type KeySource, KeyStore } from "./publicKeys";
import { type SliceContext, type SliceTask, verifySlice } from "./slice";
import {
  type Break,
  type ChainEnd,
  FindingState,
  noCounts,
  type PlaceResult,
  type SliceResult,
  type VerifyFinding,
  type VerifyProgress,
  type VerifyResult,
  VerifyState,
} from "./types";
import { at, dayOf, finding, words } from "./words";

const HOUR = 3_600_000;

export interface RunOptions {
  source: ArchiveSource;
  keys: KeySource;
  /** The bucket that the digests name, where what is read is a copy of it. */
  copyOf?: string;
  /** What is read is a copy, whose own times and places say nothing. Default: it is a folder, or `copyOf` is given. */
  isCopy?: boolean;
  since?: number;
  until?: number;
  /** Default: the clock. */
  now?: number;
  accounts?: readonly string[];
  regions?: readonly string[];
  chainOnly?: boolean;
  known?: PlanOptions["known"];
  /** Accounts that are to be there. */
  expected?: readonly string[];
  anchors?: PlanOptions["anchors"];
  /** Slices that an interrupted run has done, by id. */
  done?: ReadonlyMap<string, SliceResult>;
  onSlice?: (result: SliceResult) => void | Promise<void>;
  onProven?: SliceContext["onProven"];
  onProgress?: (progress: VerifyProgress) => void;
  signal?: AbortSignal;
  /** What a log may inflate to, in bytes. Default 2 GiB. */
  largestLog?: number;
  /** Slices at the same time, and files at the same time in each. */
  parallel?: { slices: number; lanes: number };
}

export interface RunOutcome {
  result: VerifyResult;
  ends: (ChainEnd & { listed: number })[];
  keys: KeyStore;
}

export async function run(options: RunOptions): Promise<RunOutcome> {
  const { source, copyOf, signal, chainOnly = false, expected = [], done } = options;
  const began = Date.now();
  const now = options.now ?? began;
  const isCopy = options.isCopy ?? (source.bucket === undefined || copyOf !== undefined);
  const keys = new KeyStore(options.keys);
  const counts = { digests: 0, logs: 0, bytes: 0, findings: 0 };
  const progress = (stage: VerifyProgress["stage"], slices: number, of: number): void => {
    const seconds = Math.max((Date.now() - began) / 1000, 0.001);
    const concurrency = (source as { throttle?: { concurrency: number } }).throttle?.concurrency;
    options.onProgress?.({
      stage,
      done: slices,
      of,
      ...counts,
      rate: (counts.digests + counts.logs) / seconds,
      ...(stage === "verifying" && slices > 0 && { secondsLeft: (seconds / slices) * (of - slices) }),
      ...(concurrency !== undefined && { concurrency }),
    });
  };
  const plan = await makePlan(source, {
    ...options,
    now,
    isCopy,
    onPlace: (count) => progress("listing", count, 0),
  });
  const rules = await source.expiryRules();
  const context: SliceContext = {
    source,
    keys,
    ...((copyOf ?? source.bucket) !== undefined && { expectedBucket: copyOf ?? source.bucket }),
    isCopy,
    chainOnly,
    ...(rules && { rules }),
    asOf: plan.asOf,
    ...(signal && { signal }),
    lanes: options.parallel?.lanes ?? 32,
    ...(options.largestLog !== undefined && { largestLog: options.largestLog }),
    onDigest: () => counts.digests++,
    onLog: (bytes) => {
      counts.logs++;
      counts.bytes += bytes;
    },
    ...(options.onProven && { onProven: options.onProven }),
  };

  const results: SliceResult[] = [];
  const lanes = new Lanes(options.parallel?.slices ?? 6);
  let complete = true;
  const one = async (task: SliceTask): Promise<void> => {
    const known = done?.get(task.id);
    const result = known ?? (await verifySlice(task, context));
    results.push(result);
    counts.findings += result.findings.length;
    if (!known) await options.onSlice?.(result);
    progress("verifying", results.length, plan.tasks.length);
    // Signals and redrawing get their turn also where nothing has to be waited for.
    await breathe();
  };
  try {
    for (const task of plan.tasks) {
      signal?.throwIfAborted();
      await lanes.add(() => one(task));
    }
    await lanes.done();
  } catch (error) {
    if (!signal?.aborted) throw error;
    await lanes.done().catch(() => undefined);
    complete = false;
  }

  const merged = merge(results);
  const findings = [...plan.findings, ...merged.findings];
  tellWhoDeleted(findings, merged.deletions);
  for (const each of merged.breaks) judgeBreak(each, merged, findings, source, options.since);
  for (const place of withoutDigests(plan.tasks)) {
    findings.push(
      finding(words.noDigests, `${place.accountId} ${place.region}`, {
        accountId: place.accountId,
        region: place.region,
      }),
    );
  }
  const inRange = (accountId: string) => !options.accounts || options.accounts.includes(accountId);
  if (complete) {
    for (const accountId of expected.filter((each) => inRange(each) && !plan.accounts.has(each))) {
      findings.push(finding(words.neverRecorded, accountId, { accountId }));
    }
  }
  const { digests } = merged;
  const isEmpty = digests.verified + digests.changed + digests.notChecked + digests.missing === 0;
  // After a checkpoint there may be nothing new yet; whether there should be, the chains' ends say.
  if (complete && isEmpty && (plan.digests === 0 || !options.anchors?.size)) {
    findings.push(finding(words.nothingFound, source.nameOf("")));
  }
  findings.sort(inOrder);
  const result: VerifyResult = {
    state: stateOf(findings),
    source: source.nameOf("").replace(/\/$/, ""),
    ...(copyOf !== undefined && { copyOf }),
    ...(options.since !== undefined && { since: at(options.since) }),
    until: at(plan.until),
    chainOnly,
    complete,
    digests,
    logs: merged.logs,
    pending: merged.pending,
    unreferenced: merged.unreferenced,
    bytes: merged.bytes,
    seconds: (Date.now() - began) / 1000,
    places: [...merged.places.values()].sort((one, other) => (placeId(one) < placeId(other) ? -1 : 1)),
    days: sorted(merged.days),
    findings,
    more: merged.more,
  };
  return {
    result,
    ends: merged.ends.map((end) => ({ ...end, listed: plan.listed(end.chain, end.endTime) })),
    keys,
  };
}

function stateOf(findings: readonly VerifyFinding[]): VerifyState {
  if (findings.some(({ state }) => state === FindingState.Problem)) return VerifyState.Problem;
  return findings.some(({ state }) => state === FindingState.NotChecked) ? VerifyState.NotChecked : VerifyState.Whole;
}

const placeId = ({ accountId, region }: { accountId: string; region: string }) => `${accountId}/${region}`;

interface Merged {
  places: Map<string, PlaceResult>;
  days: Record<string, Record<string, ReturnType<typeof noCounts>>>;
  digests: ReturnType<typeof noCounts>;
  logs: ReturnType<typeof noCounts>;
  pending: number;
  unreferenced: number;
  bytes: number;
  findings: VerifyFinding[];
  more: Record<string, number>;
  stops: TrailStop[];
  /** By key; the newest one of each. */
  deletions: Map<string, Deletion>;
  breaks: Break[];
  ends: ChainEnd[];
}

function merge(results: readonly SliceResult[]): Merged {
  const merged: Merged = {
    places: new Map(),
    days: {},
    digests: noCounts(),
    logs: noCounts(),
    pending: 0,
    unreferenced: 0,
    bytes: 0,
    findings: [],
    more: {},
    stops: [],
    deletions: new Map(),
    breaks: [],
    ends: [],
  };
  const ends = new Map<string, ChainEnd>();
  // The order in which slices end is chance; what is said of them must not be.
  for (const result of [...results].sort((one, other) => (one.id < other.id ? -1 : 1))) {
    const { place, days } = result;
    const sum = merged.places.get(placeId(place)) ?? {
      ...place,
      trails: [],
      digests: noCounts(),
      logs: noCounts(),
      pending: 0,
      unreferenced: 0,
      bytes: 0,
      from: undefined,
      to: undefined,
    };
    merged.places.set(placeId(place), sum);
    sum.trails = [...new Set([...sum.trails, ...place.trails])].sort();
    addCounts(sum.digests, place.digests);
    addCounts(sum.logs, place.logs);
    addCounts(merged.digests, place.digests);
    addCounts(merged.logs, place.logs);
    for (const name of ["pending", "unreferenced", "bytes"] as const) {
      sum[name] += place[name];
      merged[name] += place[name];
    }
    if (place.from !== undefined) sum.from = Math.min(sum.from ?? place.from, place.from);
    if (place.to !== undefined) sum.to = Math.max(sum.to ?? place.to, place.to);
    const ofAccount = (merged.days[place.accountId] ??= {});
    for (const [day, counts] of Object.entries(days)) addCounts((ofAccount[day] ??= noCounts()), counts);
    merged.findings.push(...result.findings);
    for (const [id, count] of Object.entries(result.more)) merged.more[id] = (merged.more[id] ?? 0) + count;
    merged.stops.push(...result.stops);
    for (const each of result.deletions) {
      const known = merged.deletions.get(each.key);
      if (!known || known.time < each.time) merged.deletions.set(each.key, each);
    }
    merged.breaks.push(...result.breaks);
    for (const end of result.ends) {
      const known = ends.get(end.chain);
      if (!known || known.endTime <= end.endTime) ends.set(end.chain, end);
    }
  }
  merged.ends = [...ends.values()];
  return merged;
}

/** Findings of files that were deleted. */
const gone: ReadonlySet<string> = new Set(
  [words.logMissing, words.logDeleted, words.digestMissing, words.digestDeleted, words.startMissing].map(
    ({ id }) => id,
  ),
);

/** Who deleted a file, if its bucket's data events are among the verified logs. A service has no ARN, but a name. */
function tellWhoDeleted(findings: readonly VerifyFinding[], deletions: ReadonlyMap<string, Deletion>): void {
  for (const { id, key, evidence } of findings) {
    if (key === undefined || !gone.has(id)) continue;
    const found = deletions.get(key);
    evidence["deleted by"] = found
      ? printable(`${found.by} from ${found.sourceIp} at ${at(found.time)}, event ${found.eventId}`)
      : "not recorded in the logs that were verified";
  }
}

/** Whether an event explains that a chain ends, and what is missing where none does. */
function judgeBreak(
  each: Break,
  merged: Merged,
  findings: VerifyFinding[],
  source: ArchiveSource,
  since: number | undefined,
): void {
  const { kind, accountId, region, trailName, from, to, key, logs } = each;
  const stop = stopFor(merged.stops, each, from);
  const about = { accountId, region, trailName, key, day: dayOf(kind === "gap" ? to : from) };
  const evidence = {
    [kind === "gap" ? "from" : "last digest ends"]: at(from),
    [kind === "gap" ? "until" : "digests are due until"]: at(to),
    ...(logs > 0 && { "log files in between": logs }),
    ...(stop && { event: stop.eventName, at: at(stop.time), by: stop.by, "event id": stop.eventId }),
  };
  const subject = source.nameOf(key);
  if (stop) {
    // A trail that ended before what was asked for is history.
    if (kind === "end" && since !== undefined && from < since) return;
    findings.push(finding(kind === "gap" ? words.stopped : words.ended, subject, about, evidence));
    return;
  }
  const start = Math.max(from, since ?? from);
  const hours = Math.max(1, Math.floor((to - start) / HOUR));
  findings.push(
    finding(kind === "gap" ? words.gap : words.endMissing, subject, about, { ...evidence, "digests missing": hours }),
  );
  const place = merged.places.get(placeId(each));
  const days = (merged.days[accountId] ??= {});
  for (let hour = 1; hour <= hours; hour++) {
    if (place) place.digests.missing++;
    merged.digests.missing++;
    (days[dayOf(Math.min(start + hour * HOUR, to))] ??= noCounts()).missing++;
  }
}

function withoutDigests(tasks: readonly SliceTask[]): { accountId: string; region: string }[] {
  const found = new Map(tasks.filter(({ firstEnd }) => firstEnd === undefined).map((task) => [placeId(task), task]));
  return [...found.values()];
}

/** Problems first; then by account, Region and time. */
function inOrder(one: VerifyFinding, other: VerifyFinding): number {
  const text = ({ state, accountId = "", region = "", day = "", key = "", id }: VerifyFinding) =>
    [{ problem: 0, notChecked: 1, notice: 2 }[state], accountId, region, day, key, id].join("\u0000");
  const [a, b] = [text(one), text(other)];
  return a < b ? -1 : a > b ? 1 : 0;
}

function sorted<Value>(days: Record<string, Record<string, Value>>): Record<string, Record<string, Value>> {
  const byKey = <Each>(map: Record<string, Each>) =>
    Object.fromEntries(Object.entries(map).sort(([one], [other]) => (one < other ? -1 : 1)));
  return byKey(Object.fromEntries(Object.entries(days).map(([account, each]) => [account, byKey(each)])));
}
