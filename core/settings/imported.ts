/** A trail that already exists, and that the stack takes over: every role has one trail of its own that can be. */
import type { LeaveAsIs } from "../leftAsIs";
import { parseTrailArn } from "../names";
import type { Values } from "./keys";
import type { Place } from "./place";
import type { Report } from "./report";
import { subjectOf } from "./report";

export interface ImportedTrail {
  trailArn: string;
  /** What of it stays unmanaged. */
  leaveAsIs: LeaveAsIs[];
}

/**
 * The trail that the stack takes over, if it does. Reports one of another account or Region: the provider would look for it in
 * the wrong place.
 * @param accountId the stack's account. Left out: an organization trail's, which belongs to the management account no matter who works
 * with it; it is held against the contract.
 */
export function importedTrail(
  report: Report,
  { importTrail, leaveAsIs }: Values,
  { region }: Place,
  accountId?: string,
): ImportedTrail | undefined {
  if (!importTrail && leaveAsIs?.length) {
    report.add(
      "import-trail",
      subjectOf("leaveAsIs", leaveAsIs),
      "It applies only to an adopted trail, and crosstrail:importTrail does not name one.",
      `Remove it from ${report.file}, or set crosstrail:importTrail.`,
    );
  }
  const trail = parseTrailArn(importTrail ?? "");
  if (!trail) return undefined;
  const subject = subjectOf("importTrail", importTrail);
  if (region !== undefined && trail.region !== region) {
    report.add(
      "import-trail",
      subject,
      `Its home Region is ${trail.region}, the stack's is ${region}; a trail can only be changed in its home Region.`,
      `pulumi config set --stack ${report.stack} aws:region ${trail.region}`,
    );
  }
  if (accountId && trail.accountId !== accountId) {
    report.add(
      "import-trail",
      subject,
      `The trail is in account ${trail.accountId}, but the stack's account is ${accountId}.`,
      `Correct one of the two in ${report.file}.`,
    );
  }
  return { trailArn: importTrail, leaveAsIs: [...new Set(leaveAsIs)] };
}
