/** One result from those of the machines that a fleet was split over. */
import { z } from "zod";
import type { Finding } from "../../core/findings";
import type { Shard } from "../../core/fleet";
import { Action, parseShard, StackKind } from "../../core/fleet";
import type { FleetResult } from "./types";
import { Status } from "./types";

const finding = z.looseObject({
  id: z.string(),
  severity: z.enum(["error", "warning", "info"]),
  subject: z.string(),
  message: z.string(),
  remedy: z.string(),
});
const status = z.enum(Object.values(Status) as [Status, ...Status[]]);
const result = z.looseObject({
  action: z.enum(Object.values(Action) as [Action, ...Action[]]),
  status,
  shard: z.string().optional(),
  seconds: z.number(),
  findings: z.array(finding),
  stacks: z.array(
    z.looseObject({
      stack: z.string(),
      kind: z.enum(Object.values(StackKind) as [StackKind, ...StackKind[]]),
      accountId: z.string(),
      status,
      changes: z.record(z.string(), z.number()),
      resources: z.array(z.looseObject({ urn: z.string(), type: z.string(), name: z.string(), op: z.string() })),
      findings: z.array(finding),
      exitCode: z.number(),
    }),
  ),
});
const envelope = z.looseObject({
  schemaVersion: z.literal(1),
  data: result.nullable(),
  errors: z.array(z.looseObject({ message: z.string() })),
});

/** What one machine has printed. */
export interface Part {
  /** Where it was read, for people. */
  name: string;
  text: string;
}

/**
 * @returns the findings also say what is not known: parts that are missing, or whose run could not begin. `isWhole` is false then.
 * The result is undefined when there is none in any part.
 */
export function mergeParts(parts: readonly Part[]): { result?: FleetResult; findings: Finding[]; isWhole: boolean } {
  const findings: Finding[] = [];
  const add = (id: Finding["id"], subject: string, message: string, remedy: string) =>
    findings.push({ id, severity: "error", subject, message, remedy });
  const known: { name: string; shard: Shard; result: FleetResult }[] = [];
  for (const { name, text } of parts) {
    const read = envelopeOf(text);
    if (!read) {
      add(
        "shard/unreadable",
        name,
        "It is not what crosstrail prints with --json.",
        "Give the files that the jobs wrote.",
      );
      continue;
    }
    if (read.data === null) {
      const why = read.errors.map(({ message }) => message).join("\n");
      add("shard/failed", name, `This part could not run. ${why}`.trim(), "Fix the cause, then rerun the job.");
      continue;
    }
    const shard = parseShard(read.data.shard ?? "");
    if (shard) known.push({ name, shard, result: read.data as unknown as FleetResult });
    else add("shard/unreadable", name, "It is the result of a run without --shard.", "Leave it out.");
  }
  known.sort((a, b) => a.shard.index - b.shard.index);
  const [first] = known;
  if (!first) return { findings, isWhole: false };
  const { count } = first.shard;
  const { action } = first.result;
  const seen = new Set<number>();
  for (const { name, shard, result } of known) {
    const is = `part ${shard.index}/${shard.count} of ${result.action}`;
    if (shard.count !== count || result.action !== action) {
      add(
        "shard/other-run",
        name,
        `It is ${is}, and ${first.name} is of ${action} in ${count} parts.`,
        "Give the files of one run.",
      );
    } else if (seen.has(shard.index))
      add("shard/other-run", name, `Another file is ${is}, too.`, "Give each part once.");
    seen.add(shard.index);
  }
  const missing = Array.from({ length: count + 1 }, (_, index) => index).filter((index) => !seen.has(index));
  if (missing.length > 0) {
    const names = missing.map((index) => `${index}/${count}`).join(", ");
    add(
      "shard/missing",
      names,
      "There is no result of these parts, so it is not known what became of their stacks.",
      `Look at their jobs; then crosstrail ${action} --shard ${missing[0]}/${count} again.`,
    );
  }
  const stacks = known.flatMap(({ result }) => result.stacks);
  const has = (wanted: Status) => known.some(({ result }) => result.status === wanted);
  return {
    findings,
    isWhole: findings.length === 0,
    result: {
      action,
      status: has(Status.Cancelled)
        ? Status.Cancelled
        : has(Status.Failed) || has(Status.Skipped)
          ? Status.Failed
          : Status.Succeeded,
      stacks,
      findings: known.flatMap(({ result }) => result.findings),
      // Part 0 came first, the others side by side.
      seconds:
        Math.max(0, ...known.filter(({ shard }) => shard.index > 0).map(({ result }) => result.seconds)) +
        known.filter(({ shard }) => shard.index === 0).reduce((sum, { result }) => sum + result.seconds, 0),
    },
  };
}

function envelopeOf(text: string): z.infer<typeof envelope> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return envelope.safeParse(value).data;
}
