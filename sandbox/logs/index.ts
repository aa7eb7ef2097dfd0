// The maker of archives: logs and digests as CloudTrail writes them, for tests and benchmarks.

export { eventText, plantedEvent, stopLogging } from "./events";
export { type Encoding, KeyRing, type SigningKey, signingKey } from "./keys";
export {
  type ArchiveOptions,
  type Chain,
  chainsOf,
  type DigestFacts,
  type Incident,
  type MadeObject,
  type MadeTrail,
  makeArchive,
  makeChain,
  sealed,
  signedDigest,
  type SignedDigest,
} from "./make";
export { MemoryArchive, type PutOptions } from "./memory";
export { type Random, randomOf } from "./random";
export { putObjects, writeBucket, writeFolder } from "./write";
export { METADATA_FILE } from "./writer";
