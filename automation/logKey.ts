/** Which key encrypts the logs: what `--key` says, or the one key that the given policies name. */
import type { Finding } from "../core/findings";
import { keyArnProblem, parseKeyArn } from "../core/names";
import { keysNamedIn, keysToldApart } from "../core/simulate";
import { ExitCode, ExitError } from "./output";

/** A policy that may name the key. */
export interface NamingPolicy {
  kind: "bucket" | "key";
  text: string | undefined;
  /** What messages call it. */
  name: string;
}

/** Where the archive is. */
interface Archive {
  partition: string;
  region: string;
  /** A key of the archive's account and Region. */
  keyArn: string;
}

/**
 * @param without Sids of statements that do not count.
 * @throws ExitError when the key has to be known and is not: the policies name several, or tell keys apart without naming one.
 */
export function logKey(
  option: string | undefined,
  policies: NamingPolicy[],
  { partition, region, keyArn }: Archive,
  without: string[] = [],
): { key: string | undefined; isTaken: boolean } {
  if (option !== undefined) {
    checkKey(option, partition, region);
    return { key: option, isTaken: false };
  }
  // CloudTrail encrypts with a key of the bucket's Region only.
  const isPossible = (arn: string) => arn.startsWith(`arn:${partition}:kms:${region}:`);
  const namedIn = ({ text, kind }: NamingPolicy) =>
    text === undefined ? [] : keysNamedIn(text, kind, without).filter(isPossible);
  const named = [...new Set(policies.flatMap(namedIn))];
  if (named.length > 1) {
    const names = policies.filter((each) => namedIn(each).length > 0).map(({ name }) => name);
    throw needed(
      names.join(", "),
      `${names.length > 1 ? "They name" : "It names"} ${named.length} keys, and it is unclear which one encrypts the logs: ${named.slice(0, 5).join(", ")}.`,
      named[0] ?? "",
    );
  }
  if (named.length === 0) {
    for (const { kind, text, name } of policies) {
      const [resource] = kind === "key" && text !== undefined ? keysToldApart(text, keyArn, without) : [];
      if (resource === undefined) continue;
      const shown = JSON.stringify(resource.slice(0, 128));
      throw needed(
        name,
        `Resource ${shown} is some keys and not others, and it is unclear which one encrypts the logs.`,
        "<its ARN>",
      );
    }
  }
  return { key: named[0], isTaken: named.length > 0 };
}

function needed(subject: string, message: string, key: string): ExitError {
  return new ExitError(ExitCode.Usage, "The key that encrypts the logs is needed.", [
    { id: "policy/key-needed", severity: "error", subject, message, remedy: `Add --key ${key}` },
  ]);
}

/** Says which key was taken for the logs' key. */
export function keyTaken(key: string): Finding {
  return {
    id: "policy/key-taken",
    severity: "info",
    subject: key,
    message: "The logs' key is taken to be this one: it is the only key that the current policy names.",
    remedy: "If another one encrypts the logs: --key <arn>.",
  };
}

/** CloudTrail encrypts with a key of the bucket's Region only. */
function checkKey(key: string, partition: string, region: string): void {
  const found = parseKeyArn(key);
  const problem =
    keyArnProblem(key) ??
    (found?.region !== region || found.partition !== partition
      ? `the bucket is in Region ${region} of partition ${partition} (aws:region), and its key must be in the same one`
      : undefined);
  if (problem === undefined) return;
  throw new ExitError(ExitCode.Usage, "The key is not valid.", [
    {
      id: "policy/key-arn",
      severity: "error",
      subject: `--key ${key}`,
      message: `Not a valid key: ${problem}.`,
      remedy: "Give the ARN of the key that encrypts the logs.",
    },
  ]);
}
