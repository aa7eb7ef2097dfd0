/** `--context`: values of condition keys that only the user knows, for requests that have them. */
import type { Finding } from "../core/findings";
import { factsOf } from "../core/requests";
import { ExitCode, ExitError } from "./output";

export const contextHelp =
  "values of condition keys that are not known otherwise: aws:CurrentTime=2026-01-31T12:00:00Z; several values: the key again; none: key=";

/**
 * Values by their keys in lower case.
 * @throws ExitError for what is not `key=value`, and for keys whose value is never up to the user.
 */
export function readContext(options: string[] = []): Map<string, string[]> {
  const given = new Map<string, string[]>();
  const findings: Finding[] = [];
  const refuse = (text: string, message: string, remedy: string) =>
    findings.push({ id: "context/malformed", severity: "error", subject: `--context ${text}`, message, remedy });
  for (const text of options) {
    const [, key, value] = /^([A-Za-z0-9-]+:[^=\s]+)=(.*)$/s.exec(text) ?? [];
    if (key === undefined || value === undefined) {
      refuse(text, "This is not a condition key with its value.", "Write it as aws:CurrentTime=2026-01-31T12:00:00Z.");
      continue;
    }
    const facts = factsOf(key);
    if (facts === undefined) {
      refuse(
        text,
        "No request has a condition key of this name.",
        "Correct the name, as the message of the open question has it.",
      );
      continue;
    }
    const lower = key.toLowerCase();
    const known = given.get(lower);
    if (value === "") given.set(lower, known ?? []);
    else given.set(lower, [...(known ?? []), value]);
  }
  if (findings.length > 0) throw new ExitError(ExitCode.Usage, "The context cannot be used.", findings);
  return given;
}
