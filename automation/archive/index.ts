/** Reading the archive: listing, fetching, inflating and hashing, once for all that do so. */
export { type Content, contentOf, DamagedError, largestContent, smallContent, TooLargeError } from "./gunzip";
export { FolderSource, metadataFile } from "./folder";
export { Throttle } from "./throttle";
export type { ArchiveSource, ExpiryRule, ListedObject, ObjectVersion, StoredObject } from "./types";
export { ReadError, ReadProblem } from "./types";
