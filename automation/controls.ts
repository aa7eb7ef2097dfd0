/** The organization's resource and service control policies, from files. */
import type { CompiledPolicyLike } from "../core/evaluate";
import { compile } from "../core/evaluate";
import { UserError } from "../core/findings";
import { readText } from "./stackFile";

/** The policies of these files; whatever AWS Organizations would refuse is refused here, for all files at once. */
export function readControls(kind: "rcp" | "scp", files: string[] = []): CompiledPolicyLike[] {
  const title = kind === "rcp" ? "resource control policies" : "service control policies";
  const compiled = files.map((file) => compile(readText(file, `The file of --${kind}`), kind, file));
  const findings = compiled.flatMap(({ undecidable, name = "" }) =>
    undecidable.map((each) => ({ ...each, subject: `${name}: ${each.subject}` })),
  );
  if (findings.length > 0) throw new UserError(`The ${title} cannot be used.`, findings);
  return compiled;
}

/** Policies by the level of the organization that they are attached to: the files of one option are at one level. */
export function readLevels(options: string[] = []): CompiledPolicyLike[][] {
  const levels = options.map((each) => each.split(",").filter((file) => file !== ""));
  const policies = readControls("scp", levels.flat());
  return levels.map((files) => policies.splice(0, files.length));
}

/** For an option that may be given several times. */
export function collect(value: string, previous: string[] = []): string[] {
  return [...previous, value];
}
