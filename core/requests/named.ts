/**
 * Which of a trail's files policies tell apart. A multi-Region trail delivers the events of every Region, an organization trail
 * those of every account; to ask about all of them would be thousands of requests, of which all but a few are answered alike.
 */
import { regions } from "../accounts";
import type { CompiledPolicy, CompiledStatement } from "../evaluate/compile";
import type { Partition } from "../accounts";
import { parseTrailArn } from "../names";
import type { TrailDelivery } from "./cloudTrail";

/** What a policy's paths name. */
interface Named {
  /** Literal parts of paths, between slashes, underscores and wildcards. */
  parts: ReadonlySet<string>;
  /** A path has a policy variable, whose value could be anything. */
  hasVariable: boolean;
  /** Accounts, and what could be the beginning of one, under the id of an organization. */
  accountIds: ReadonlySet<string>;
  /** Regions of a partition that the parts could be about; looked up once. */
  regions: Map<Partition, readonly string[]>;
}

const known = new WeakMap<CompiledPolicy, Named>();

function namedIn(policy: CompiledPolicy): Named {
  const found = known.get(policy);
  if (found) return found;
  const paths = policy.statements
    .filter(isAboutFiles)
    .flatMap(({ resource, conditions }) =>
      [
        ...(resource?.shown ?? []),
        ...conditions
          .filter(({ lookupKey }) => lookupKey === "kms:encryptioncontext:aws:s3:arn")
          .flatMap((each) => each.wanted),
      ].map((text) => text.replace(/^arn:[^/]*/, "").replace(/^.*?AWSLogs\//, "")),
    );
  const named = {
    parts: new Set(paths.flatMap((path) => path.split(/\$\{[^}]*\}|[/_*?]+/)).filter((part) => part !== "")),
    hasVariable: paths.some((path) => path.includes("${")),
    accountIds: new Set(
      paths.flatMap((path) => {
        const [, digits] = /(?:^|\/)o-[a-z0-9]+\/(\d{1,12})(?:[/*?]|$)/.exec(path) ?? [];
        return digits === undefined ? [] : [digits.padEnd(12, "0")];
      }),
    ),
    regions: new Map<Partition, readonly string[]>(),
  };
  known.set(policy, named);
  return named;
}

/** Whether a statement is about what is done with each file: writing it, and encrypting it. */
function isAboutFiles({ action }: CompiledStatement): boolean {
  if (action === undefined) return false;
  return ["s3:putobject", "kms:generatedatakey"].some(
    (each) => (action.list.matches(each, () => undefined) === true) !== action.not,
  );
}

function regionsNamed({ parts, hasVariable, regions: found }: Named, partition: Partition) {
  let named = found.get(partition);
  if (named === undefined) {
    // What stands between slashes and wildcards and matches a part of a Region's name is a part of it.
    named = regions[partition].filter((region) => [...parts].some((part) => region.includes(part)));
    found.set(partition, named);
  }
  return { named, isAny: hasVariable || named.length > 0 };
}

/**
 * The trail with the further Regions and accounts whose files these policies could treat in another way: those that their paths
 * name, and of Regions one that they do not.
 */
export function withNamed(trail: TrailDelivery, policies: readonly (CompiledPolicy | undefined)[]): TrailDelivery {
  const home = parseTrailArn(trail.trailArn);
  if (home === undefined) return trail;
  const of = policies.flatMap((policy) => (policy === undefined ? [] : [namedIn(policy)]));
  return {
    ...trail,
    ...(trail.isMultiRegion !== false && { otherRegions: otherRegions(home, of) }),
    ...(trail.organizationId !== undefined && {
      memberAccountIds: [
        ...new Set([...(trail.memberAccountIds ?? []), ...of.flatMap(({ accountIds }) => [...accountIds])]),
      ],
    }),
  };
}

function otherRegions({ partition, region: home }: { partition: Partition; region: string }, of: Named[]): string[] {
  const found = of.map((each) => regionsNamed(each, partition));
  if (!found.some(({ isAny }) => isAny)) return [];
  const named = new Set([home, ...found.flatMap((each) => each.named)]);
  const unnamed = regions[partition].find((each) => !named.has(each));
  named.delete(home);
  return [...named, ...(unnamed === undefined ? [] : [unnamed])];
}
