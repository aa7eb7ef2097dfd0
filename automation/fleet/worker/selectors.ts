/** Whether a trail records what it was to record. */
import type { AdvancedEventSelector, EventSelector } from "@aws-sdk/client-cloudtrail";
import type {
  AdvancedEventSelector as Advanced,
  ArchiveBuckets,
  EventSelector as Basic,
  EventChoice,
} from "../../../core/events";
import { advancedSelectors } from "../../../core/events";

export interface DeployedSelectors {
  basic: EventSelector[];
  advanced: AdvancedEventSelector[];
  insights: string[];
}

/**
 * What differs, or nothing. All is compared as the advanced selectors that it amounts to; their names, their order and
 * that of their values say nothing.
 */
export function selectorDifference(
  wanted: EventChoice,
  archive: ArchiveBuckets & { partition: string },
  deployed: DeployedSelectors,
): string | undefined {
  const differences: string[] = [];
  const compare = (what: string, is: unknown[], toBe: unknown[]) => {
    const [found, intended] = [sorted(is.map(text)), sorted(toBe.map(text))];
    if (text(found) !== text(intended)) {
      differences.push(`${what} are ${shown(found)}, but should be ${shown(intended)}.`);
    }
  };
  // Basic ones, and none at all, are what AWS has where nobody has chosen.
  const found =
    deployed.advanced.length > 0
      ? deployed.advanced.map((selector) => lowerCased(selector) as Advanced)
      : advancedSelectors({ eventSelectors: deployed.basic.map((selector) => lowerCased(selector) as Basic) }, archive);
  const conditions = (selectors: Advanced[]) => selectors.map(({ fieldSelectors }) => fieldSelectors);
  compare("The event selectors", conditions(found), conditions(advancedSelectors(wanted, archive)));
  const { insightTypes = [] } = wanted;
  if (insightTypes.length > 0) compare("The Insights", deployed.insights, insightTypes);
  return differences.length > 0 ? differences.join(" ") : undefined;
}

/** As the core spells it: names with a small letter in front, and nothing that is empty. */
function lowerCased(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(lowerCased);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== undefined && !(Array.isArray(each) && each.length === 0))
      .map(([name, each]: [string, unknown]) => [name.charAt(0).toLowerCase() + name.slice(1), lowerCased(each)]),
  );
}

function sorted(values: string[]): string[] {
  return [...values].sort();
}

/** JSON with sorted keys and, in lists, sorted values. */
function text(value: unknown): string {
  return JSON.stringify(ordered(value));
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value))
    return value
      .map((each) => [text(each), ordered(each)] as const)
      .sort(byText)
      .map(([, each]) => each);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(byText)
      .map(([name, each]) => [name, ordered(each)]),
  );
}

function byText([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

function shown(values: string[]): string {
  return values.length === 0 ? "none" : values.join(", ");
}
