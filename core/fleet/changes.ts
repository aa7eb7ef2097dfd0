/** What `up` is about to change, as far as the configuration and the deployed contract say it: shown before anybody agrees. */
import type { Contract } from "../contract";
import type { AuditSettings } from "../settings";
import type { Fleet, FleetStack } from "./stacks";
import { declaredContract } from "./stacks";

/**
 * @param deployed the names of the stacks that hold resources.
 * @param chosen the names of the stacks that the run is about.
 * @returns sentences. Options of single trails are not compared: `crosstrail preview` asks the engine.
 */
export function plannedChanges(
  settings: AuditSettings,
  { audit, management, members }: Fleet,
  contract: Contract | undefined,
  deployed: ReadonlySet<string>,
  chosen: ReadonlySet<string>,
): string[] {
  const all = [audit, ...(management ? [management] : []), ...members].filter(({ name }) => chosen.has(name));
  const isNew = ({ name }: FleetStack) => !deployed.has(name);
  const lines = [
    ...sentence("Creates", all.filter(isNew)),
    ...sentence(
      "Updates, where something differs",
      all.filter((stack) => !isNew(stack)),
    ),
  ];
  if (contract === undefined || !chosen.has(audit.name)) return lines;
  const declared = declaredContract(settings);
  const arns = ({ trails, organization }: Pick<Contract, "trails" | "organization">) =>
    [...trails, ...(organization ? [organization] : [])].flatMap(({ trailArn, previousTrailArn }) =>
      [trailArn, previousTrailArn].filter((arn) => arn !== undefined),
    );
  const [before, after] = [new Set(arns(contract)), new Set(arns(declared))];
  const added = [...after].filter((arn) => !before.has(arn));
  const lost = [...before].filter((arn) => !after.has(arn));
  const prefixes = (of: Pick<Contract, "logPrefix" | "previousLogPrefix">) =>
    [...new Set([of.logPrefix, of.previousLogPrefix ?? of.logPrefix])].map((prefix) => prefix || "none").join(" and ");
  const generations = 1 + (contract.previousKeyArns?.length ?? 0);
  return [
    ...lines,
    ...(added.length > 0 ? [`The policies authorize ${counted(added)}.`] : []),
    ...(lost.length > 0 ? [`The policies no longer authorize ${counted(lost)}.`] : []),
    ...(prefixes(contract) === prefixes(declared)
      ? []
      : [`The policies change: log prefix ${prefixes(contract)} becomes ${prefixes(declared)}.`]),
    ...(settings.keyGeneration > generations ? ["A new key is created, and trails encrypt with it from then on."] : []),
  ];
}

function sentence(what: string, stacks: FleetStack[]): string[] {
  if (stacks.length === 0) return [];
  const names = stacks.map(({ name }) => name);
  return [`${what}: ${names.slice(0, 10).join(", ")}${names.length > 10 ? ` and ${names.length - 10} more` : ""}.`];
}

function counted(arns: string[]): string {
  const names = arns.slice(0, 5).join(", ");
  return `${arns.length} ${arns.length === 1 ? "trail" : "trails"} (${names}${arns.length > 5 ? " and more" : ""})`;
}
