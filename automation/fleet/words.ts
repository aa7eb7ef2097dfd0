/** Words for people about what happened to stacks. */
import type { StackResult } from "./types";

const past: Record<string, string> = {
  create: "created",
  update: "updated",
  delete: "deleted",
  replace: "replaced",
  "create-replacement": "recreated",
  "delete-replaced": "deleted after replacement",
};
const future: Record<string, string> = {
  create: "to create",
  update: "to update",
  delete: "to delete",
  replace: "to replace",
};

/**
 * Whether the engine does something to a resource; what it only reads, such as a StackReference, it also forgets again.
 */
export function isChange(op: string): boolean {
  return op !== "same" && op !== "read" && op !== "discard";
}

/** `3 created, 1 updated`, or `no changes`. */
export function changesText({ changes, action }: Pick<StackResult, "changes" | "action">): string {
  const words = action === "preview" ? future : past;
  const parts = Object.entries(changes).map(([op, count]) => `${count} ${words[op] ?? op}`);
  return parts.length > 0 ? parts.join(", ") : "no changes";
}

export function elapsed(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`;
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

export function firstSentence(text: string): string {
  return (text.split("\n")[0] ?? "").trim();
}
