/**
 * The fleet: which stacks there are, in which order they are brought up and destroyed, and what the stack of a member is
 * configured with. All of it follows from the audit stack's settings and from what is deployed.
 */
export * from "./archiveFindings";
export * from "./archiveRemoval";
export * from "./besideArchive";
export * from "./changes";
export * from "./config";
export * from "./inputs";
export * from "./narrowing";
export * from "./plan";
export * from "./removal";
export * from "./shard";
export * from "./stacks";
