/** Sentences that the report has in every format. */
import type { Finding } from "../../core/findings";
import { count } from "./text";
import type { AccountReport, PolicyChange, ReportData, ResourceReport } from "./types";
import { Op } from "./types";

const words: Record<Op, string> = {
  create: "to create",
  update: "to update",
  replace: "to replace",
  delete: "to delete",
};

/** `5 stacks: 3 change, 1 unchanged, 1 not run (unchanged since the last up). 5 resources to create, 2 to update.` */
export function summaryText({ summary }: Pick<ReportData, "summary">): string {
  const { stacks, changed, unchanged, notRun, failed } = summary;
  const parts = [
    ...(changed > 0 ? [`${changed} ${changed === 1 ? "changes" : "change"}`] : []),
    ...(unchanged > 0 ? [`${unchanged} unchanged`] : []),
    ...(notRun > 0 ? [`${notRun} not run (unchanged since the last up)`] : []),
    ...(failed > 0 ? [`${failed} without a preview`] : []),
  ];
  const counts = Object.values(Op).filter((op) => summary[op] > 0);
  const resources = counts.map((op, index) =>
    index === 0 ? `${count(summary[op], "resource")} ${words[op]}` : `${summary[op]} ${words[op]}`,
  );
  return `${count(stacks, "stack")}: ${parts.join(", ")}.${resources.length > 0 ? ` ${resources.join(", ")}.` : ""}`;
}

/** `1 to create, 2 to update` */
export function changedLines(changes: ResourceReport[]): string {
  return Object.values(Op)
    .map((op) => [changes.filter((change) => change.op === op).length, words[op]] as const)
    .filter(([number]) => number > 0)
    .map(([number, word]) => `${number} ${word}`)
    .join(", ");
}

export function statusText(status: string): string {
  const texts: Record<string, string> = {
    failed: "the preview failed",
    skipped: "skipped",
    cancelled: "cancelled",
  };
  return texts[status] ?? "no preview";
}

/** Accounts with the same changes, told together: a new member among hundreds is not to be searched for. */
export interface AccountGroup {
  who: { alias: string; accountId: string }[];
  status: string;
  changes: ResourceReport[];
  policies: PolicyChange[];
}

/** The accounts with changes and those without a preview. */
export function groupsOf({ accounts, policies }: Pick<ReportData, "accounts" | "policies">): AccountGroup[] {
  const found = new Map<string, AccountGroup>();
  for (const { stack, accountId, status, changes } of accounts.filter(isTouched)) {
    const own = policies.filter((policy) => policy.stack === stack);
    // Policies differ from account to account, as they name it.
    const id = JSON.stringify([status, changes, own.length > 0 ? stack : ""]);
    const group = found.get(id) ?? { who: [], status, changes, policies: own };
    group.who.push({ alias: stack, accountId });
    found.set(id, group);
  }
  return [...found.values()];
}

export function isTouched({ changes, status }: AccountReport): boolean {
  return changes.length > 0 || status !== "succeeded";
}

/** Findings of one kind, of which the first ones are told in full: what every account has must not hide what one has. */
export interface FindingGroup {
  id: string;
  severity: Finding["severity"];
  shown: Finding[];
  more: Finding[];
}

const mostOfAKind = 5;

export function findingGroups(findings: Finding[]): FindingGroup[] {
  const found = new Map<string, FindingGroup>();
  for (const finding of findings) {
    const { id, severity } = finding;
    const key = `${severity} ${id}`;
    const group = found.get(key) ?? { id, severity, shown: [], more: [] };
    (group.shown.length < mostOfAKind ? group.shown : group.more).push(finding);
    found.set(key, group);
  }
  return [...found.values()];
}
