/** Who holds the lock of a stack in a backend of files or objects, and whether it still lives. */
import { hostname } from "node:os";
import { isAlive } from "../process";

export interface Lock {
  user: string;
  host: string;
  pid: number;
  since: string;
}

/** The locks that the engine's refusal names; empty when the text is about something else. */
export function locksIn(text: string): Lock[] {
  if (!text.includes("currently locked by")) return [];
  // Every part is bounded: the text may be anything, and long.
  return [...text.matchAll(/created by (.{1,256}?)@([^\s@]{1,255}) \(pid (\d{1,20})\) at (\S{1,64})/g)].map(
    ([, user, host, pid, since]) => ({
      user: user as string,
      host: host as string,
      pid: Number(pid),
      since: since as string,
    }),
  );
}

/** Whether all locks are, or were, held by processes on this machine. */
export function areOurs(locks: Lock[]): boolean {
  return locks.length > 0 && locks.every(({ host }) => host === hostname());
}

/**
 * Whether all locks were left behind on this machine by processes that are gone. Of another machine's processes nothing is
 * known from here, so theirs are never taken away.
 */
export function areDead(locks: Lock[], alive: (pid: number) => boolean = isAlive): boolean {
  return areOurs(locks) && locks.every(({ pid }) => !alive(pid));
}
