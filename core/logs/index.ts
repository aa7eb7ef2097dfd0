/** Log files and digest files of CloudTrail: their names, the digests' fields and signatures, and how a chain holds together. */
export type { JudgedLink, ReadDigest } from "./chain";
export { contradictions, judgeLink, Link, sameHex } from "./chain";
export type { Deletion } from "./deletions";
export { deletion, deletionEventName } from "./deletions";
export type { DigestDocument, LogFileEntry, ParsedDigest, PreviousDigest } from "./digest";
export {
  backfillTimeMetadata,
  digestDocument,
  hashAlgorithm,
  isStartingDigest,
  noPrevious,
  parseDigest,
  signatureAlgorithm,
  signatureAlgorithmMetadata,
  signatureMetadata,
  signingString,
} from "./digest";
export type { GzipHeader } from "./gzip";
export { gzipHeader, gzipTrailerLength } from "./gzip";
export type { DigestName, LogName, LogPlace } from "./names";
export {
  chainId,
  dayPath,
  digestFolder,
  digestKey,
  digestsPath,
  logFolder,
  logKey,
  logsPath,
  parseDigestKey,
  parseLogKey,
  parseTime,
  wholeSeconds,
} from "./names";
export type { PublicKey } from "./publicKeys";
export { chooseKey, KeyChoice, signedWithin } from "./publicKeys";
export type { TrailStop } from "./stops";
export { stopEventNames, stopFor, trailStop } from "./stops";
