/** Collects every mistake of a stack's configuration, so that all are said at once. */
import type { Finding, FindingId } from "../findings";
import { UserError } from "../findings";

/** The id of a finding about the configuration, without `config/`. */
export type ConfigFinding = FindingId extends infer Id ? (Id extends `config/${infer Name}` ? Name : never) : never;

export class Report {
  private readonly findings: Finding[] = [];

  /** @param file the file that the mistakes are in, for messages. */
  constructor(
    readonly stack: string,
    readonly file = `Pulumi.${stack}.yaml`,
  ) {}

  add(id: ConfigFinding, subject: string, message: string, remedy: string): void {
    this.findings.push({ id: `config/${id}`, severity: "error", subject, message, remedy });
  }

  /** @throws UserError with every mistake added so far, if there is one. */
  throwIfAny(): void {
    const count = this.findings.length;
    if (count === 0) return;
    const mistakes = count === 1 ? "a mistake" : `${count} mistakes`;
    throw new UserError(`${this.file} has ${mistakes}. Nothing was changed.`, this.findings);
  }
}

/** `crosstrail:bucketName = "x"`, or that it is not set. */
export function subjectOf(path: string, value: unknown): string {
  return subjectText(`crosstrail:${path}`, value);
}

/** The same for a key of another namespace. */
export function subjectText(name: string, value: unknown): string {
  return value === undefined ? `${name} is not set` : `${name} = ${shown(value)}`;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 240 ? `${text.slice(0, 237)}...` : text;
}
