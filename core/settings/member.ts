/** The configuration of a member stack. */
import type { Partition } from "../accounts";
import type { Contract } from "../contract";
import { contractSchema } from "../contract";
import { pathText, plainIssues, sentence, valueAt } from "../issues";
import type { ImportedTrail } from "./imported";
import { importedTrail } from "./imported";
import type { Values } from "./keys";
import type { Place } from "./place";
import type { Report } from "./report";
import { subjectOf } from "./report";
import type { TrailOptions } from "./trail";
import { trailOptions } from "./trail";
import { requireKey } from "./values";

export interface MemberSettings {
  role: "member";
  partition: Partition;
  region: string;
  accountId: string;
  /** Where the contract comes from: the audit stack, or values given outright. */
  source: { auditStack: string } | { contract: Contract };
  trailOptions: TrailOptions;
  /** The name of the managed policy that limits the roles which the stack creates; "" for none. */
  permissionsBoundary: string;
  tags: Record<string, string>;
  /** The trail that already exists, if the stack takes one over. */
  imported?: ImportedTrail;
}

/** @throws UserError with every mistake of the configuration. */
export function memberSettings(report: Report, values: Values, place: Place): MemberSettings {
  const options = trailOptions(report, values);
  requireKey(report, values, "accountId", "A member stack must name its account.", '"<12 digits>"');
  const source = contractSource(report, values);
  const imported = importedTrail(report, values, place, values.accountId);
  report.throwIfAny();
  return {
    role: "member",
    partition: place.partition as Partition,
    region: place.region as string,
    accountId: values.accountId,
    source,
    trailOptions: options,
    permissionsBoundary: values.permissionsBoundary,
    tags: values.tags,
    ...(imported && { imported }),
  };
}

/** The audit stack or the contract; reports when there is neither or both, and an invalid contract. */
export function contractSource(report: Report, values: Values): MemberSettings["source"] {
  const outright = Object.keys(values.contract ?? {}).length > 0;
  if (outright === (values.auditStack !== "")) {
    report.add(
      "audit-stack",
      "crosstrail:auditStack and crosstrail:contract",
      outright ? "Both are set; only one can be used." : "Neither is set; the trail needs the audit stack's contract.",
      outright
        ? `Keep one of the two in ${report.file}.`
        : `pulumi config set --stack ${report.stack} auditStack <audit stack's name>`,
    );
  }
  if (!outright) return { auditStack: values.auditStack };
  const result = contractSchema.safeParse(values.contract);
  if (result.success) return { contract: result.data };
  for (const { path, message } of plainIssues(result.error.issues)) {
    report.add(
      "contract",
      subjectOf("contract" + pathText(path), valueAt(values.contract, path)),
      sentence(message),
      "Use the values that `pulumi stack output --json` prints for the audit stack.",
    );
  }
  return { auditStack: "" };
}
