/** Whether a trail records what it was to record. */
import type { AdvancedEventSelector, EventSelector } from "@aws-sdk/client-cloudtrail";
import type { TrailOptions } from "../../core/settings";

export interface DeployedSelectors {
  basic: EventSelector[];
  advanced: AdvancedEventSelector[];
  insights: string[];
}

/** What differs, or nothing. The order of selectors and of their values says nothing, so it is not compared. */
export function selectorDifference(wanted: TrailOptions, deployed: DeployedSelectors): string | undefined {
  const basic = wanted.eventSelectors.map((selector) => ({
    read: selector.readWriteType ?? "All",
    management: selector.includeManagementEvents ?? true,
    excluded: sorted(selector.excludeManagementEventSources),
    data: sorted((selector.dataResources ?? []).map(({ type, values }) => `${type} ${sorted(values).join(" ")}`)),
  }));
  const deployedBasic = deployed.basic.map((selector) => ({
    read: selector.ReadWriteType ?? "All",
    management: selector.IncludeManagementEvents ?? true,
    excluded: sorted(selector.ExcludeManagementEventSources),
    data: sorted((selector.DataResources ?? []).map(({ Type, Values }) => `${Type} ${sorted(Values).join(" ")}`)),
  }));
  // Nothing configured means what CloudTrail does by itself: all management events.
  const byDefault = { read: "All", management: true, excluded: [], data: [] };
  const advanced = wanted.advancedEventSelectors.map((selector) =>
    sorted(selector.fieldSelectors.map((field) => text(field))),
  );
  const deployedAdvanced = deployed.advanced.map(({ FieldSelectors = [] }) =>
    sorted(FieldSelectors.map((field) => text(lowerCased(field)))),
  );
  const none = deployed.basic.length === 0 && deployed.advanced.length === 0;
  const wantedBasic = basic.length === 0 && advanced.length === 0 && !isManagement(deployedAdvanced) && !none;

  const differences: string[] = [];
  const compare = (what: string, is: unknown[], toBe: unknown[]) => {
    const [found, intended] = [sorted(is.map(text)), sorted(toBe.map(text))];
    if (text(found) !== text(intended)) {
      differences.push(`${what} are ${shown(found)}, and were to be ${shown(intended)}.`);
    }
  };
  if (advanced.length > 0) compare("The advanced event selectors", deployedAdvanced, advanced);
  else if (basic.length > 0) compare("The event selectors", deployedBasic, basic);
  else if (wantedBasic) compare("The event selectors", deployedBasic, [byDefault]);
  if (wanted.insightTypes.length > 0) compare("The Insights", deployed.insights, wanted.insightTypes);
  return differences.length > 0 ? differences.join(" ") : undefined;
}

/** The advanced form of the default. */
function isManagement(selectors: string[][]): boolean {
  const only = selectors.length === 1 ? (selectors[0] as string[]) : [];
  return only.length === 1 && only[0] === text({ field: "eventCategory", equals: ["Management"] });
}

function lowerCased(field: object): object {
  return Object.fromEntries(
    Object.entries(field)
      .filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0))
      .map(([name, value]: [string, unknown]) => [name.charAt(0).toLowerCase() + name.slice(1), value]),
  );
}

function sorted(values: string[] = []): string[] {
  return [...values].sort();
}

/** JSON with sorted keys and, in lists, sorted values. */
function text(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (Array.isArray(inner)) return [...(inner as unknown[])].sort();
    if (typeof inner !== "object" || inner === null) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

function shown(values: string[]): string {
  return values.length === 0 ? "none" : values.join(", ");
}
