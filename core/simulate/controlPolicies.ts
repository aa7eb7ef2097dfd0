/** What the organization's resource control policies would do to the fleet's trails. */
import type { Finding } from "../findings";
import { simulate } from "./simulation";
import type { ArchivePolicies, ControlPolicies, SimulatedFleet } from "./subject";

/**
 * The trails that could deliver without the control policies, and could not with them: a finding for each account. An answer that
 * depends on an unknown value counts as "could not".
 */
export function stoppedByControls(
  fleet: SimulatedFleet,
  policies: ArchivePolicies,
  controls: ControlPolicies,
): Finding[] {
  const deliveries = (given: ArchivePolicies) => simulate(fleet, given).filter(({ group }) => group === "deliver");
  const without = new Set(
    // The same questions in both: also about the Regions and accounts that the control policies name.
    deliveries({ ...policies, comparedWith: controls.rcps })
      .filter(({ verdict }) => verdict === "ok")
      .map(({ id }) => id),
  );
  const stopped = deliveries({ ...policies, controls }).filter(
    ({ id, verdict }) => verdict !== "ok" && without.has(id),
  );
  const first = new Map(stopped.map((cell) => [cell.subject.accountId, cell] as const).reverse());
  return [...first.values()].reverse().map(({ subject: { alias, accountId, trailArn }, verdict, decision }) => {
    const isOutside = fleet.outsideAccountIds?.includes(accountId) === true;
    const where = isOutside ? " The account is outside the organization." : "";
    return {
      id: "preview/rcp-stops-trail" as const,
      severity: "warning" as const,
      subject: `${alias} ${accountId}: ${trailArn ?? "trail"}`,
      message:
        `A resource control policy ${verdict === "undecided" ? "may stop" : "would stop"} this trail's delivery.${where} ${decision.explanation ?? ""}`.trim(),
      remedy: isOutside
        ? `Exempt the account in that policy's aws:SourceAccount condition before you deploy: "${accountId}"`
        : "Correct the policy before you deploy. For all answers: crosstrail simulate --rcp <file>",
    };
  });
}
