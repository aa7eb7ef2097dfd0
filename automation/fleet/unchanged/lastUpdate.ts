/**
 * The last update of a stack, as its backend has written it down. Every backend keeps who made an update beside its result
 * (`--exec-agent`): there `crosstrail up` says what went into the stack. Any later update, refresh, import or removal is one that
 * says something else, and whatever else writes a stack's state makes it differ from the copy that the update left.
 */

import type { Digests } from "./recorded";

/** What a backend says of a stack's last update. */
export interface LastUpdate {
  /** The update that was written down last; undefined when there is none. */
  update: Update | undefined;
  /** Somebody works on the stack, or a killed run has left its lock. */
  isLocked: boolean;
  /** Backends of files and objects: what is only known there. Pulumi Cloud makes every change an update. */
  state?: {
    /** The state is, byte by byte, what the update left. */
    isAsLeft: boolean;
    hasPending: boolean;
    secrets?: Secrets;
  };
}

/** How the secrets in a state are encrypted: `passphrase` with a salt, `cloud` with a key that a key of the cloud's encrypts. */
export interface Secrets {
  type?: string;
  state?: { salt?: string; url?: string; encryptedkey?: string };
}

/** https://github.com/pulumi/pulumi/blob/master/pkg/backend/updates.go */
export interface Update {
  kind?: string;
  result?: string;
  /** Seconds since 1970. */
  endTime?: number;
  environment?: Record<string, string>;
  /** By full names; what is encrypted as `{secure: …}`. */
  config: Record<string, unknown>;
}

const agentStart = "crosstrail inputs/";

/** What `pulumi up` is told about who runs it. */
export function agentOf({ all, withoutAccess }: Digests): string {
  return `${agentStart}${all}/${withoutAccess}`;
}

/** The digests of the inputs that an update was made with; undefined when `crosstrail up` did not make it. */
export function inputsOf(update: Update): Digests | undefined {
  const agent = update.environment?.["exec.agent"] ?? "";
  const inputs = agent.startsWith(agentStart) ? agent.slice(agentStart.length) : "";
  const [, all, withoutAccess] = /^([0-9a-f]{64})\/([0-9a-f]{64})$/.exec(inputs) ?? [];
  return all !== undefined && withoutAccess !== undefined ? { all, withoutAccess } : undefined;
}

/** Why the record of a stack cannot be trusted; undefined when it can. */
export function whyStale({ update, isLocked, state }: LastUpdate): string | undefined {
  if (isLocked) return "it is locked by another run";
  if (!update) return "its last update is not recorded";
  if (update.kind !== "update") return `its last operation was not an update (${printableKind(update.kind)})`;
  if (update.result !== "succeeded") return "its last update did not succeed";
  if (inputsOf(update) === undefined) return "its last update was not made by this version of crosstrail up";
  if (state?.hasPending) return "an interrupted run left operations open";
  if (state && !state.isAsLeft) return "its state was changed after its last update";
  return undefined;
}

function printableKind(kind: unknown): string {
  return typeof kind === "string" && /^[a-z-]{1,30}$/.test(kind) ? kind : "unknown";
}

/** The part of a checkpoint that matters here. @throws when it is not one. */
export function checkpointOf(text: string): Pick<NonNullable<LastUpdate["state"]>, "hasPending" | "secrets"> {
  const { checkpoint } = JSON.parse(text) as {
    checkpoint: { latest?: { pending_operations?: unknown[] | null; secrets_providers?: Secrets } };
  };
  const { pending_operations: pending, secrets_providers: secrets } = checkpoint.latest ?? {};
  return { hasPending: (pending ?? []).length > 0, ...(secrets && { secrets }) };
}

/** What a stack's file says about its secrets. `pulumi stack init` writes it there, so it cannot be an input of the first update. */
export const secretKeys = ["encryptionsalt", "secretsprovider", "encryptedkey"] as const;

/** Why the secrets of a stack's file are not those of its state; undefined when they are. */
export function otherSecrets(file: Record<string, unknown>, state: LastUpdate["state"]): string | undefined {
  const [salt, provider, key] = secretKeys.map((name) => file[name]);
  const isPlain = salt === undefined && key === undefined && (provider === undefined || provider === "default");
  const { type, state: written = {} } = state?.secrets ?? {};
  const isSame =
    type === "passphrase"
      ? written.salt !== undefined && written.salt === salt && (provider === undefined || provider === "passphrase")
      : type === "cloud"
        ? written.encryptedkey !== undefined && written.encryptedkey === key && written.url === provider
        : isPlain && (type === undefined || type === "service");
  return isSame ? undefined : "its secrets are encrypted in another way than its file says";
}

/**
 * The newest entry of a stack's history among the names of its files, and the copies of the state that may belong to it. An entry
 * whose form cannot be read is the newest all the same: an older one says nothing.
 */
export function newestEntry(names: string[], stack: string): { entry: string; copy: string } | undefined {
  let newest: { time: bigint; entry: string } | undefined;
  for (const name of names) {
    if (!name.startsWith(`${stack}-`)) continue;
    const [, digits] = /^(\d{1,25})\.history\.json/.exec(name.slice(stack.length + 1)) ?? [];
    if (digits === undefined) continue;
    const time = BigInt(digits);
    if (!newest || time > newest.time) newest = { time, entry: name };
  }
  return newest && { entry: newest.entry, copy: newest.entry.replace(".history.json", ".checkpoint.json") };
}
