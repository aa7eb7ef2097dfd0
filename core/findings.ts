/**
 * What a check found. Checks return findings instead of throwing, so that every mistake is reported at once.
 * Programs and commands turn findings of severity `error` into one {@link UserError}.
 */
export interface Finding {
  /** Stable id, for example `config/account-id`. */
  id: string;
  severity: "error" | "warning" | "info";
  /** The key or resource it is about, as the user wrote it. */
  subject: string;
  /** What is wrong, with the value and what is allowed. */
  message: string;
  /** The next step. */
  remedy: string;
}

/**
 * An error that the user can mend. Its message is complete by itself and is shown without a stack trace; everything
 * else that is thrown is a bug of ours and keeps its stack.
 */
export class UserError extends Error {
  readonly findings: Finding[];

  constructor(headline: string, findings: Finding[]) {
    super([headline, ...findings.map(formatFinding)].join("\n"));
    this.name = "UserError";
    this.findings = findings;
  }
}

/** A finding as text: the subject, then what is wrong, then the remedy; lines of their own, indented. */
export function formatFinding(finding: Finding): string {
  const remedy = finding.remedy.split("\n").join("\n      ");
  return `\n  ${finding.subject}\n    ${finding.message}\n    → ${remedy}`;
}
