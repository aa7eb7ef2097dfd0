/**
 * Object keys of log files and digest files: parse and build, for a trail's own layout and an organization's.
 * Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
 * and https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
 */
import { logPath } from "../names";

/** The folder of an account's files in a bucket, and the Region that delivered them. */
export interface LogPlace {
  /** What precedes `AWSLogs/`, without a slash at the end; undefined when there is nothing. */
  prefix?: string;
  /** Only in an organization trail's layout. */
  organizationId?: string;
  accountId: string;
  /** The Region that delivered the file, which need not be the trail's home Region. */
  region: string;
}

/** What the key of a digest file says. */
export interface DigestName extends LogPlace {
  trailName: string;
  /** The trail's home Region. */
  homeRegion: string;
  /** The end of the digest's window, in milliseconds since 1970; the key has whole seconds. */
  endTime: number;
  /** It names log files that the hour's own digest could not name yet. */
  backfill: boolean;
}

/** What the key of a log file says. */
export interface LogName extends LogPlace {
  /** `CloudTrail`, or another folder of log files beside it, such as `CloudTrail-Insight`. */
  folder: string;
  /** In milliseconds since 1970; the key has whole minutes. */
  time: number;
  /** What tells the files of one minute apart: 16 characters. */
  unique: string;
}

export const digestFolder = "CloudTrail-Digest";
export const logFolder = "CloudTrail";

const place = String.raw`(?:(.*)/)?AWSLogs/(?:(o-[a-z0-9]{10,32})/)?(\d{12})`;
const day = String.raw`(\d{4})/(\d{2})/(\d{2})`;
// A trail's name may have an underscore, a Region may not.
const digestPattern = new RegExp(
  String.raw`^${place}/CloudTrail-Digest/([a-z0-9-]+)/${day}/(\d{12})_CloudTrail-Digest_([a-z0-9-]+)_([A-Za-z0-9._-]+)_([a-z0-9-]+)_(\d{8}T\d{6}Z)(_backfill)?\.json\.gz$`,
);
const logPattern = new RegExp(
  String.raw`^${place}/(CloudTrail(?:-[A-Za-z]+)?)/([a-z0-9-]+)/${day}/(\d{12})_(CloudTrail(?:-[A-Za-z]+)?)_([a-z0-9-]+)_(\d{8}T\d{4}Z)_([A-Za-z0-9]{16})\.json\.gz$`,
);

/** The key of a digest file. */
export function digestKey(name: DigestName): string {
  const { accountId, region, trailName, homeRegion, endTime, backfill } = name;
  const file = [accountId, digestFolder, region, trailName, homeRegion, compactTime(endTime, 15)].join("_");
  return `${digestsPath(name)}/${dayPath(endTime)}/${file}${backfill ? "_backfill" : ""}.json.gz`;
}

/** The folder of all digest files of an account and Region, without a slash at the end. */
export function digestsPath(at: LogPlace): string {
  return `${accountPath(at)}/${digestFolder}/${at.region}`;
}

/** The folder of all log files of an account and Region, without a slash at the end. */
export function logsPath(at: LogPlace, folder = logFolder): string {
  return `${accountPath(at)}/${folder}/${at.region}`;
}

/** The key of a log file. */
export function logKey(name: Omit<LogName, "folder"> & { folder?: string }): string {
  const { accountId, region, folder = logFolder, time, unique } = name;
  const file = [accountId, folder, region, compactTime(time, 13), unique].join("_");
  return `${logsPath(name, folder)}/${dayPath(time)}/${file}.json.gz`;
}

/** What the key of a digest file says; undefined when it is not such a key, or its parts contradict each other. */
export function parseDigestKey(key: string): DigestName | undefined {
  const match = digestPattern.exec(key);
  if (!match) return undefined;
  const [, prefix, organizationId, accountId, region, year, month, date, account, again, trailName, homeRegion, stamp] =
    match as unknown as string[];
  const endTime = parseCompactTime(stamp as string);
  if (accountId !== account || region !== again || endTime === undefined) return undefined;
  if (dayPath(endTime) !== `${year}/${month}/${date}`) return undefined;
  return {
    ...placeOf(prefix, organizationId, accountId as string, region as string),
    trailName: trailName as string,
    homeRegion: homeRegion as string,
    endTime,
    backfill: match[13] !== undefined,
  };
}

/** What the key of a log file says; undefined when it is not such a key, or its parts contradict each other. */
export function parseLogKey(key: string): LogName | undefined {
  const match = logPattern.exec(key);
  if (!match) return undefined;
  const [, prefix, organizationId, accountId, folder, region, year, month, date, account, kind, again, stamp, unique] =
    match as unknown as string[];
  const time = parseCompactTime(stamp as string);
  if (accountId !== account || region !== again || folder !== kind || folder === digestFolder) return undefined;
  if (time === undefined || dayPath(time) !== `${year}/${month}/${date}`) return undefined;
  return {
    ...placeOf(prefix, organizationId, accountId as string, region as string),
    folder: folder as string,
    time,
    unique: unique as string,
  };
}

/**
 * Names the chain that a digest belongs to: one for each trail, account and Region that delivers. The prefix is not part of
 * it: a trail whose prefix was changed continues the same chain.
 */
export function chainId(name: Omit<DigestName, "endTime" | "backfill" | "prefix">): string {
  const { organizationId = "-", accountId, region, trailName, homeRegion } = name;
  return [organizationId, accountId, region, trailName, homeRegion].join("/");
}

/** `2026/11/28`: the folder of a day, in UTC. */
export function dayPath(time: number): string {
  return new Date(time).toISOString().slice(0, 10).replaceAll("-", "/");
}

/** `2026-11-28T03:00:00Z`: a time as digests and events have it. */
export function wholeSeconds(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`;
}

/** The milliseconds since 1970 of a time such as `2026-11-28T03:00:00Z`; undefined when it is not a time. */
export function parseTime(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$/.test(text)) return undefined;
  const time = Date.parse(text);
  // Date.parse() takes the 31st of February for the 3rd of March, and 24:00 for the next day. NaN has no date at all.
  return new Date(time).getUTCDate() === Number(text.slice(8, 10)) ? time : undefined;
}

function accountPath({ prefix, accountId, organizationId }: LogPlace): string {
  return logPath({ logPrefix: prefix, accountId, organizationId });
}

function placeOf(prefix: string | undefined, organizationId: string | undefined, accountId: string, region: string) {
  return { ...(prefix !== undefined && { prefix }), ...(organizationId && { organizationId }), accountId, region };
}

/** `20261128T030000Z`, or without the seconds. */
function compactTime(time: number, length: 13 | 15): string {
  return `${wholeSeconds(time).replaceAll(/[-:Z]/g, "").slice(0, length)}Z`;
}

function parseCompactTime(text: string): number | undefined {
  const parts = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})?Z$/.exec(text);
  if (!parts) return undefined;
  const [, year, month, date, hour, minute, second = "00"] = parts;
  return parseTime(`${year}-${month}-${date}T${hour}:${minute}:${second}Z`);
}
