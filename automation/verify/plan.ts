/** What there is to verify: every account, Region and trail that ever delivered, as the archive's own keys show it. */
import {
  chainId,
  type DigestName,
  digestsPath,
  dayPath,
  logFolder,
  type LogPlace,
  logsPath,
  parseDigestKey,
  parseLogKey,
} from "../../core/logs";
import { type ArchiveSource, ReadError, ReadProblem } from "../archive";
import { Lanes } from "./collect";
import type { ChainPart, DigestEntry, SliceTask } from "./slice";
import type { VerifyFinding } from "./types";
import { finding, unread, words } from "./words";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;
/** With --since, digests are listed from this much earlier, for the one before the first. */
const lookBack = 35 * DAY;
/** A digest is due an hour after the one before, and is delivered within an hour after that. */
export const digestDue = 2 * HOUR + HOUR / 4;
/** Folders that are looked into for `AWSLogs/`. */
const mostFolders = 5000;

export interface PlanOptions {
  /** In milliseconds since 1970. */
  since?: number;
  until?: number;
  now: number;
  /** A copy is as old as its newest digest. */
  isCopy: boolean;
  accounts?: readonly string[];
  regions?: readonly string[];
  /** Where the fleet delivers to, for callers who may not list the whole bucket. */
  known?: { prefixes: (string | undefined)[]; organizationId?: string; accountIds: string[] };
  /** Where an earlier run ended, by chain. */
  anchors?: ReadonlyMap<string, { key: string; endTime: number; contentHash: string; listed: number }>;
  signal?: AbortSignal;
  onPlace?: (count: number) => void;
}

export interface Plan {
  tasks: SliceTask[];
  findings: VerifyFinding[];
  /** What the archive is as old as, in milliseconds since 1970. */
  asOf: number;
  until: number;
  /** Every account that the archive has digests of. */
  accounts: Set<string>;
  /** How many digests of each chain there are up to its newest one. */
  listed: (chain: string, upTo: number) => number;
  digests: number;
}

/** An account's part of a Region, in whatever folders. */
interface Place {
  accountId: string;
  region: string;
  /** Once for each prefix and organization. */
  at: LogPlace[];
}

export async function makePlan(source: ArchiveSource, options: PlanOptions): Promise<Plan> {
  const { since, signal } = options;
  const findings: VerifyFinding[] = [];
  const places = await placesOf(source, options, findings);
  const chainsOf = new Map<Place, Map<string, DigestEntry[]>>();
  const firstLogs = new Map<Place, { key: string; time: number }>();
  const lanes = new Lanes(16);
  for (const place of places) {
    await lanes.add(async () => {
      signal?.throwIfAborted();
      let chains = await digestsOf(source, place, since === undefined ? undefined : since - lookBack, findings);
      // With a long gap before, the older ones are needed as well.
      if (since !== undefined && chains.size === 0) chains = await digestsOf(source, place, undefined, []);
      chainsOf.set(place, chains);
      const first = await firstLog(source, place, since);
      if (first) firstLogs.set(place, first);
      options.onPlace?.(chainsOf.size);
    });
  }
  await lanes.done();

  const all = [...chainsOf.values()].flatMap((chains) => [...chains.values()]);
  const newest = all.reduce((most, entries) => Math.max(most, entries.at(-1)?.name.endTime ?? 0), 0);
  // A clock that is slow would leave the newest digests out. A name that lies in the future only makes more of them due.
  const now = options.isCopy ? options.now : Math.max(options.now, newest);
  const asOf = options.isCopy && newest > 0 ? Math.min(newest, now) : now;
  const until = Math.min(options.until ?? asOf, now);
  // Chains of one hour end within that hour; in a copy nothing else says when it was made.
  const due = options.isCopy ? asOf - HOUR - HOUR / 4 : now - digestDue;
  const expectedEnd = options.until === undefined ? due : Math.min(options.until, options.isCopy ? options.until : due);
  const tasks: SliceTask[] = [];
  const lengths = new Map<string, number[]>();
  for (const [place, chains] of chainsOf) {
    for (const [id, entries] of chains)
      lengths.set(
        id,
        entries.map(({ name }) => name.endTime),
      );
    tasks.push(...slicesOf(place, chains, firstLogs.get(place), { ...options, until, asOf, expectedEnd }));
  }
  findings.push(...shortened(chainsOf, options, source));
  return {
    tasks,
    findings,
    asOf,
    until,
    accounts: new Set([...chainsOf].filter(([, chains]) => chains.size > 0).map(([{ accountId }]) => accountId)),
    listed: (chain, upTo) => (lengths.get(chain) ?? []).filter((end) => end <= upTo).length,
    digests: all.reduce((sum, entries) => sum + entries.length, 0),
  };
}

/** Looks for AWSLogs/ at any depth, and below it for accounts and Regions. */
async function placesOf(source: ArchiveSource, options: PlanOptions, findings: VerifyFinding[]): Promise<Place[]> {
  const { accounts, regions, known, signal } = options;
  const places = new Map<string, Place>();
  const add = (at: LogPlace) => {
    if (regions && !regions.includes(at.region)) return;
    const id = `${at.accountId}/${at.region}`;
    const place = places.get(id) ?? { accountId: at.accountId, region: at.region, at: [] };
    const isKnown = place.at.some((each) => each.prefix === at.prefix && each.organizationId === at.organizationId);
    if (!isKnown) place.at.push(at);
    places.set(id, place);
  };
  const account = async (folder: string, at: Omit<LogPlace, "region">) => {
    if (accounts && !accounts.includes(at.accountId)) return;
    signal?.throwIfAborted();
    for (const kind of await source.folders(folder)) {
      // Other services write here as well.
      if (!/\/CloudTrail(-[A-Za-z]+)?\/$/.test(kind)) continue;
      for (const region of await source.folders(kind)) add({ ...at, region: lastOf(region) });
    }
  };
  const roots = async (folder: string, prefix: string | undefined): Promise<string[]> => {
    const deeper: string[] = [];
    const lanes = new Lanes(16);
    const one = async (child: string, organizationId?: string): Promise<void> => {
      const name = lastOf(child);
      const at = { ...(prefix !== undefined && { prefix }), ...(organizationId !== undefined && { organizationId }) };
      if (/^\d{12}$/.test(name)) await lanes.add(() => account(child, { ...at, accountId: name }));
      else if (name === "AWSLogs") deeper.push(child);
      else if (organizationId === undefined && /^o-[a-z0-9]{10,32}$/.test(name)) {
        for (const below of await source.folders(child)) await one(below, name);
      }
    };
    for (const child of await source.folders(folder)) await one(child);
    await lanes.done();
    return deeper;
  };
  const rootAt = async (folder: string): Promise<void> => {
    const prefix = folder.slice(0, -"AWSLogs/".length).replace(/\/$/, "");
    for (const more of await roots(folder, prefix === "" ? undefined : prefix)) await rootAt(more);
  };

  try {
    const queue = [""];
    for (let looked = 0; queue.length > 0; looked++) {
      signal?.throwIfAborted();
      if (looked >= mostFolders) {
        findings.push(
          finding(words.notSearched, source.nameOf(queue[0] as string), {}, { "folders looked into": looked }),
        );
        break;
      }
      for (const folder of await source.folders(queue.shift() as string)) {
        if (lastOf(folder) === "AWSLogs") await rootAt(folder);
        else queue.push(folder);
      }
    }
  } catch (error) {
    if (!(error instanceof ReadError) || error.problem !== ReadProblem.Denied || !known) throw error;
    // A reader of some accounts only may list no more than those.
    await knownPlaces(source, known, account, findings, accounts);
  }
  return [...places.values()].sort((one, other) =>
    `${one.accountId}/${one.region}` < `${other.accountId}/${other.region}` ? -1 : 1,
  );
}

async function knownPlaces(
  source: ArchiveSource,
  { prefixes, organizationId, accountIds }: NonNullable<PlanOptions["known"]>,
  account: (folder: string, at: Omit<LogPlace, "region">) => Promise<void>,
  findings: VerifyFinding[],
  accounts: readonly string[] | undefined,
): Promise<void> {
  for (const accountId of accountIds.filter((each) => !accounts || accounts.includes(each))) {
    for (const prefix of prefixes) {
      for (const organization of organizationId === undefined ? [undefined] : [undefined, organizationId]) {
        const root = [prefix, "AWSLogs", organization, accountId].filter(Boolean).join("/");
        const at = {
          ...(prefix !== undefined && { prefix }),
          ...(organization !== undefined && { organizationId: organization }),
        };
        try {
          await account(`${root}/`, { ...at, accountId });
        } catch (error) {
          if (!(error instanceof ReadError) || error.problem === ReadProblem.Missing) throw error;
          findings.push(
            finding(unread[error.problem], source.nameOf(`${root}/`), { accountId }, { answer: error.message }),
          );
        }
      }
    }
  }
}

function lastOf(folder: string): string {
  return folder.split("/").at(-2) as string;
}

async function digestsOf(
  source: ArchiveSource,
  place: Place,
  from: number | undefined,
  findings: VerifyFinding[],
): Promise<Map<string, DigestEntry[]>> {
  const chains = new Map<string, DigestEntry[]>();
  for (const at of place.at) {
    const folder = digestsPath(at);
    const startAfter = from === undefined ? undefined : `${folder}/${dayPath(from)}`;
    for await (const page of source.listDeleted(`${folder}/`, startAfter)) {
      for (const { key, deleted } of page) {
        const name = parseDigestKey(key);
        if (name) {
          const id = chainId(name);
          const entries = chains.get(id) ?? [];
          entries.push({ key, name, ...(deleted === true && { deleted }) });
          chains.set(id, entries);
        } else if (!deleted && !key.endsWith("/")) {
          const about = { accountId: place.accountId, region: place.region, key };
          findings.push(finding(words.strangeObject, source.nameOf(key), about));
        }
      }
    }
  }
  for (const entries of chains.values()) entries.sort(byTime);
  return chains;
}

/** By time; of two at the same time the shorter key first: a copy lies deeper. */
function byTime({ name: one, key }: DigestEntry, { name: other, key: otherKey }: DigestEntry): number {
  return one.endTime - other.endTime || key.length - otherKey.length || (key < otherKey ? -1 : 1);
}

async function firstLog(
  source: ArchiveSource,
  place: Place,
  since: number | undefined,
): Promise<{ key: string; time: number } | undefined> {
  let first: { key: string; time: number } | undefined;
  for (const at of place.at) {
    const folder = logsPath(at, logFolder);
    const startAfter = since === undefined ? undefined : `${folder}/${dayPath(since)}`;
    for await (const page of source.list(`${folder}/`, startAfter)) {
      for (const { key } of page) {
        const name = parseLogKey(key);
        if (!name) continue;
        if (!first || name.time < first.time) first = { key, time: name.time };
        break;
      }
      if (page.length > 0) break;
    }
  }
  return first;
}

function slicesOf(
  { accountId, region, at }: Place,
  chains: Map<string, DigestEntry[]>,
  first: { key: string; time: number } | undefined,
  options: PlanOptions & { until: number; asOf: number; expectedEnd: number },
): SliceTask[] {
  const { since, until, anchors, expectedEnd } = options;
  const split = [...chains].map(([id, entries]) => ({
    id,
    regular: entries.filter(({ name }) => !name.backfill),
    backfills: entries.filter(({ name }) => name.backfill),
    anchor: anchors?.get(id),
  }));
  const ends = split.flatMap(({ regular }) => regular.map(({ name }) => name.endTime));
  const everyAnchor = split.length > 0 && split.every(({ anchor }) => anchor !== undefined);
  // What an earlier run verified is not verified again, as long as that is so for every chain here.
  const anchored = everyAnchor ? Math.min(...split.map(({ anchor }) => anchor?.endTime ?? 0)) : undefined;
  const firstEnd = ends.length > 0 ? ends.reduce((least, end) => Math.min(least, end)) : undefined;
  const lastEnd = ends.length > 0 ? ends.reduce((most, end) => Math.max(most, end)) : undefined;
  const beginning = firstEnd === undefined ? first?.time : firstEnd - 3 * HOUR;
  if (beginning === undefined) return [];
  const lower = Math.max(since ?? -Infinity, anchored ?? -Infinity, beginning - 1);
  // The digests of an event come up to an hour after it.
  const upper = options.until < options.asOf ? until + HOUR : until;
  const tasks: SliceTask[] = [];
  const tails = split.filter(({ regular }) => (regular.at(-1)?.name.endTime ?? Infinity) <= lower);
  for (let from = lower; from < upper;) {
    const to = Math.min((Math.floor(from / WEEK) + 1) * WEEK, upper);
    const isIn = ({ name }: { name: DigestName }) => name.endTime > from && name.endTime <= to;
    const parts = split
      .filter((each) => !tails.includes(each))
      .map(({ id, regular, backfills, anchor }): ChainPart => {
        const own = regular.filter(isIn);
        const before = regular.findLast(({ name }) => name.endTime <= from);
        const after = regular.find(({ name }) => name.endTime > to);
        return {
          id,
          entries: own,
          ...(before && { before }),
          ...(after && { after }),
          backfills: backfills.filter(isIn),
          ...(!after && own.length > 0 && { expectedEnd }),
          ...(anchor && { anchor }),
        };
      });
    const isEmpty = parts.every(
      ({ entries, backfills, after, before }) => entries.length + backfills.length === 0 && !(after && before),
    );
    const isCovered = !isEmpty || (first !== undefined && first.time <= to) || firstEnd === undefined;
    if (isCovered) {
      tasks.push({
        id: `${accountId}/${region}/${dayPath(from)}/${from}-${to}`,
        accountId,
        region,
        from,
        to,
        chains: parts.filter(({ entries, backfills, after }) => entries.length + backfills.length > 0 || after),
        laterReferences: split
          .flatMap(({ regular, backfills }) => [...regular, ...backfills])
          .filter(({ name }) => name.endTime > to && name.endTime <= to + 3 * HOUR),
        logPlaces: first === undefined ? [] : at,
        ...(firstEnd !== undefined && { firstEnd }),
        ...(lastEnd !== undefined && { lastEnd }),
        ...(from === lower && since === undefined && anchored === undefined && first && { firstLog: first }),
      });
    }
    from = to;
  }
  if (tails.length > 0) {
    tasks.push({
      id: `${accountId}/${region}/tail/${lower}`,
      accountId,
      region,
      from: lower,
      to: upper,
      chains: tails.map(({ id, regular, anchor }) => ({
        id,
        ...(anchor && { anchor }),
        entries: regular.slice(-1),
        backfills: [],
        expectedEnd,
        tailOnly: true,
      })),
      laterReferences: [],
      logPlaces: [],
      ...(firstEnd !== undefined && { firstEnd }),
      ...(lastEnd !== undefined && { lastEnd }),
    });
  }
  return tasks;
}

/** Chains that an earlier run verified, and that are shorter now. */
function shortened(
  chainsOf: Map<Place, Map<string, DigestEntry[]>>,
  { anchors, since, accounts, regions }: PlanOptions,
  source: ArchiveSource,
): VerifyFinding[] {
  if (!anchors) return [];
  const entriesOf = new Map([...chainsOf.values()].flatMap((chains) => [...chains]));
  return [...anchors].flatMap(([id, anchor]) => {
    const [, accountId = "", region = "", trailName = ""] = id.split("/");
    if ((accounts && !accounts.includes(accountId)) || (regions && !regions.includes(region))) return [];
    const there = (entriesOf.get(id) ?? []).filter(({ name, deleted }) => !deleted && name.endTime <= anchor.endTime);
    const isThere = there.some(({ key }) => key === anchor.key);
    // With --since, only a part of the chain is listed.
    const isShorter = since === undefined && there.length < anchor.listed;
    if (isThere && !isShorter) return [];
    const evidence = {
      "digests then": anchor.listed,
      ...(since === undefined && { "digests now": there.length }),
      "last one then": `${source.nameOf(anchor.key)} (${isThere ? "is there" : "is missing"})`,
    };
    return [
      finding(
        words.historyShortened,
        source.nameOf(anchor.key),
        { accountId, region, trailName, key: anchor.key },
        evidence,
      ),
    ];
  });
}
