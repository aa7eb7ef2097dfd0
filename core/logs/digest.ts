/**
 * A digest file: its fields, and the bytes that its signature is of.
 * Sources: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
 * and https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-custom-validation.html
 */
import { parseTime } from "./names";

/** A log file as a digest names it. */
export interface LogFileEntry {
  s3Bucket: string;
  s3Object: string;
  /** SHA-256 of the uncompressed content, in hex. */
  hashValue: string;
  hashAlgorithm: typeof hashAlgorithm;
  newestEventTime: string;
  oldestEventTime: string;
}

/** Where the digest before lies, and what it was; all null in a starting digest. */
export interface PreviousDigest {
  previousDigestS3Bucket: string | null;
  previousDigestS3Object: string | null;
  /** SHA-256 of the uncompressed digest before, in hex. */
  previousDigestHashValue: string | null;
  previousDigestHashAlgorithm: typeof hashAlgorithm | null;
  /** In hex. */
  previousDigestSignature: string | null;
}

/** What a digest file says, with AWS's names and in AWS's order. */
export interface DigestDocument extends PreviousDigest {
  awsAccountId: string;
  /** The window is of the logs' delivery, not of their events. */
  digestStartTime: string;
  digestEndTime: string;
  digestS3Bucket: string;
  digestS3Object: string;
  /** MD5 of the public key's DER, in hex. */
  digestPublicKeyFingerprint: string;
  digestSignatureAlgorithm: typeof signatureAlgorithm;
  newestEventTime: string | null;
  oldestEventTime: string | null;
  logFiles: LogFileEntry[];
}

export const hashAlgorithm = "SHA-256";
export const signatureAlgorithm = "SHA256withRSA";

/** The metadata of a digest object, without `x-amz-meta-`. */
export const signatureMetadata = "signature";
export const signatureAlgorithmMetadata = "signature-algorithm";
/** When it was made; only for a backfill digest. Its key must have been valid then. */
export const backfillTimeMetadata = "backfill-generation-timestamp";

/** The five fields of a starting digest: the first one, or the first after logging or validation was off. */
export const noPrevious: PreviousDigest = {
  previousDigestS3Bucket: null,
  previousDigestS3Object: null,
  previousDigestHashValue: null,
  previousDigestHashAlgorithm: null,
  previousDigestSignature: null,
};

export function isStartingDigest(digest: PreviousDigest): boolean {
  return digest.previousDigestS3Object === null;
}

/** The document in AWS's order of fields. */
export function digestDocument(digest: DigestDocument): DigestDocument {
  return {
    awsAccountId: digest.awsAccountId,
    digestStartTime: digest.digestStartTime,
    digestEndTime: digest.digestEndTime,
    digestS3Bucket: digest.digestS3Bucket,
    digestS3Object: digest.digestS3Object,
    digestPublicKeyFingerprint: digest.digestPublicKeyFingerprint,
    digestSignatureAlgorithm: digest.digestSignatureAlgorithm,
    newestEventTime: digest.newestEventTime,
    oldestEventTime: digest.oldestEventTime,
    previousDigestS3Bucket: digest.previousDigestS3Bucket,
    previousDigestS3Object: digest.previousDigestS3Object,
    previousDigestHashValue: digest.previousDigestHashValue,
    previousDigestHashAlgorithm: digest.previousDigestHashAlgorithm,
    previousDigestSignature: digest.previousDigestSignature,
    logFiles: digest.logFiles,
  };
}

/**
 * The string that a digest's signature is of, without a line feed at the end. The place is the one that the digest records, so
 * that a copy can be proven as well.
 * @param contentHash SHA-256 of the uncompressed digest's bytes, in lower-case hex.
 */
export function signingString(
  digest: Pick<DigestDocument, "digestEndTime" | "digestS3Bucket" | "digestS3Object" | "previousDigestSignature">,
  contentHash: string,
): string {
  return [
    digest.digestEndTime,
    `${digest.digestS3Bucket}/${digest.digestS3Object}`,
    contentHash,
    // The four letters, as AWS's Java code writes a missing string.
    digest.previousDigestSignature ?? "null",
  ].join("\n");
}

/** A digest, or what is wrong with its fields. */
export type ParsedDigest =
  { digest: DigestDocument; problems?: undefined } | { digest?: undefined; problems: string[] };

type Test = (value: unknown) => boolean;

const isString: Test = (value) => typeof value === "string" && value !== "";
const isTime: Test = (value) => typeof value === "string" && parseTime(value) !== undefined;
const isHash: Test = (value) => typeof value === "string" && /^[0-9a-f]{64}$/i.test(value);
const isSignature: Test = (value) => typeof value === "string" && /^([0-9a-f]{2}){128,1024}$/i.test(value);
const orNull =
  (test: Test): Test =>
  (value) =>
    value === null || test(value);
const is =
  (wanted: string): Test =>
  (value) =>
    value === wanted;

const fields: Record<keyof Omit<DigestDocument, "logFiles">, [Test, string]> = {
  awsAccountId: [(value) => typeof value === "string" && /^\d{12}$/.test(value), "an account id"],
  digestStartTime: [isTime, "a time in UTC"],
  digestEndTime: [isTime, "a time in UTC"],
  digestS3Bucket: [isString, "a string"],
  digestS3Object: [isString, "a string"],
  digestPublicKeyFingerprint: [(value) => typeof value === "string" && /^[0-9a-f]{32}$/i.test(value), "32 hex digits"],
  digestSignatureAlgorithm: [is(signatureAlgorithm), signatureAlgorithm],
  newestEventTime: [orNull(isTime), "a time in UTC, or null"],
  oldestEventTime: [orNull(isTime), "a time in UTC, or null"],
  previousDigestS3Bucket: [orNull(isString), "a string, or null"],
  previousDigestS3Object: [orNull(isString), "a string, or null"],
  previousDigestHashValue: [orNull(isHash), "64 hex digits, or null"],
  previousDigestHashAlgorithm: [orNull(is(hashAlgorithm)), `${hashAlgorithm}, or null`],
  previousDigestSignature: [orNull(isSignature), "a signature in hex, or null"],
};

const logFields: Record<keyof LogFileEntry, [Test, string]> = {
  s3Bucket: [isString, "a string"],
  s3Object: [isString, "a string"],
  hashValue: [isHash, "64 hex digits"],
  hashAlgorithm: [is(hashAlgorithm), hashAlgorithm],
  newestEventTime: [isTime, "a time in UTC"],
  oldestEventTime: [isTime, "a time in UTC"],
};

/** Reads what is in a digest file. Fields that are not known here are let through: the signature is of all of them. */
export function parseDigest(value: unknown): ParsedDigest {
  if (!isMap(value)) return { problems: ["is not a JSON object"] };
  const problems = problemsOf(value, fields, "");
  const previous = Object.keys(noPrevious).map((name) => value[name] === null);
  if (problems.length === 0 && new Set(previous).size > 1) {
    problems.push("of the five fields of the previous digest, some are null and some are not");
  }
  const { logFiles } = value;
  if (!Array.isArray(logFiles)) problems.push("logFiles is not a list");
  else {
    logFiles.forEach((each: unknown, index) => {
      // A thousand broken entries need not be told one by one.
      if (problems.length >= 10) return;
      if (isMap(each)) problems.push(...problemsOf(each, logFields, `logFiles[${index}].`));
      else problems.push(`logFiles[${index}] is not an object`);
    });
  }
  if (problems.length > 0) return { problems };
  const digest = value as unknown as DigestDocument;
  const start = parseTime(digest.digestStartTime) as number;
  const end = parseTime(digest.digestEndTime) as number;
  if (end < start) return { problems: ["digestEndTime is before digestStartTime"] };
  return { digest };
}

function problemsOf(value: Record<string, unknown>, tests: Record<string, [Test, string]>, at: string): string[] {
  return Object.entries(tests)
    .filter(([name, [test]]) => !test(value[name]))
    .map(([name, [, wanted]]) => `${at}${name} is not ${wanted}`);
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
