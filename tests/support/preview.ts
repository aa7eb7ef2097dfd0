/** A recorded preview (tests/support/recordPreview.ts makes it), as a report takes it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { PreviewedResource, PreviewedStack, ReportInput } from "../../automation/report";
import { fleetOfSettings } from "../../core/simulate";
import type { AuditSettings } from "../../core/settings";
import { parseSettings } from "../../core/settings";
import { changedAudit } from "./recordPreview";

const accounts: Record<string, string> = {
  audit: "111111111111",
  payments: "222222222222",
  "data-lake": "444444444444",
  web: "333333333333",
};

/** The settings of a configuration in Pulumi's names. */
export function settingsOf(config: Record<string, unknown>): AuditSettings {
  const own = Object.entries(config).filter(([name]) => name.startsWith("crosstrail:"));
  const texts = own.map(([name, value]) => [
    name.slice("crosstrail:".length),
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  return parseSettings(
    "audit",
    Object.fromEntries(texts) as Record<string, string>,
    String(config["aws:region"]),
  ) as AuditSettings;
}

export function recordedPreview(): ReportInput {
  const file = join(__dirname, "fixtures", "preview.json");
  const { stacks } = JSON.parse(readFileSync(file, "utf8")) as {
    stacks: Record<string, { steps: Omit<PreviewedResource, "name">[] }>;
  };
  return {
    fleet: fleetOfSettings(settingsOf(changedAudit())),
    stacks: Object.entries(stacks).map(([stack, { steps }]): PreviewedStack => ({
      stack,
      kind: stack === "audit" ? "audit" : "member",
      accountId: accounts[stack] as string,
      status: "succeeded",
      resources: steps.map((step) => ({ ...step, name: step.urn.split("::").at(-1) as string })),
      findings: [],
    })),
    findings: [],
  };
}
