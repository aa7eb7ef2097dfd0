/**
 * The simulation's thousands of answers in few: by group of questions, by account or role, and what no form could restrict.
 */
import type { Cell } from "./simulation";
import type { GroupId, QuestionGroup, QuestionId } from "./questions";
import { questionGroups } from "./questions";

export type Verdict = Cell["verdict"];

/** A group of questions, and how many of them came out how. */
export interface GroupSummary extends QuestionGroup {
  id: GroupId;
  asked: number;
  ok: number;
  notTied: number;
  undecided: number;
  failed: number;
}

/** The groups of which something was asked. */
export function groupSummaries(cells: Cell[]): GroupSummary[] {
  const found = new Map(
    questionGroups.map((group) => [
      group.id as GroupId,
      { ...group, asked: 0, ok: 0, notTied: 0, undecided: 0, failed: 0 },
    ]),
  );
  for (const { group, verdict } of cells) {
    const summary = found.get(group) as GroupSummary;
    summary.asked++;
    summary[verdict]++;
  }
  return [...found.values()].filter(({ asked }) => asked > 0);
}

/** An account or a reader role, with the worst answer of each group. */
export interface SubjectSummary {
  alias: string;
  accountId: string;
  /** For a reader role. */
  roleArn?: string;
  results: Partial<Record<GroupId, Verdict>>;
}

/** The accounts, then the reader roles; the trails of an account count together. */
export function subjectSummaries(cells: Cell[]): SubjectSummary[] {
  const found = new Map<string, SubjectSummary>();
  for (const { subject, group, verdict } of cells) {
    const { alias, accountId, roleArn } = subject;
    const key = roleArn ?? accountId;
    let summary = found.get(key);
    if (!summary) {
      summary = { alias, accountId, ...(roleArn !== undefined && { roleArn }), results: {} };
      found.set(key, summary);
    }
    summary.results[group] = worse(summary.results[group], verdict);
  }
  return [...found.values()];
}

const worst: Verdict[] = ["failed", "undecided", "notTied"];

function worse(a: Verdict | undefined, b: Verdict): Verdict {
  return worst.find((each) => each === a || each === b) ?? "ok";
}

/** What is possible because the form of a policy cannot restrict it. */
export interface Untied extends NonNullable<Cell["notTied"]> {
  question: QuestionId;
  title: string;
  /** For how many trails or accounts. */
  count: number;
}

/** Once for each question, not for each account. */
export function untied(cells: Cell[]): Untied[] {
  const found = new Map<QuestionId, Untied>();
  for (const { question, title, notTied } of cells) {
    if (!notTied) continue;
    const known = found.get(question);
    if (known) known.count++;
    else found.set(question, { question, title, ...notTied, count: 1 });
  }
  return [...found.values()];
}
