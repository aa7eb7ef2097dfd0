/**
 * Records tests/support/fixtures/preview.json: what `pulumi preview --json` says of a fleet whose configuration was changed.
 *   npx ts-node tests/support/recordPreview.ts && npx prettier --write tests/support/fixtures
 * The real engine and provider on the emulator: three stacks brought up, then changed, and one that is new.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Contract } from "../../core/contract";
import { AUDIT_STACK, auditConfig, memberConfig, MEMBERS } from "../../sandbox/accounts";
import { Engine, MINUTE, sandbox } from "../engine/support";

const NEW = "444444444444";

/** What a report reads of a step; everything else of the engine's answer is left out to keep the file small. */
interface Step {
  op: string;
  urn: string;
  detailedDiff?: Record<string, unknown> | null;
  oldState?: { type: string; inputs?: Record<string, unknown> };
  newState?: { type: string; inputs?: Record<string, unknown> };
}

/** The audit stack's configuration after the change. */
export const changedAudit = (): Record<string, unknown> => ({
  ...auditConfig(),
  "crosstrail:members": [
    { accountId: MEMBERS.payments, alias: "payments" },
    { accountId: NEW, alias: "data-lake" },
  ],
  "crosstrail:memberAccess": ["payments"],
  "crosstrail:requireMfa": true,
  "crosstrail:readers": [{ name: "SecurityReader", trustedAccounts: ["555555555555"], requireMfa: true }],
});

async function main(): Promise<void> {
  const box = await sandbox();
  const engine = new Engine(box);
  const preview = async (stack: string, verb = ["preview"]) => {
    const { code, stdout, stderr } = await box.pulumi([...verb, "--stack", stack, "--json"], { timeoutMs: 5 * MINUTE });
    if (code !== 0) throw new Error(`${stack}:\n${stdout}${stderr}`);
    const { steps, changeSummary } = JSON.parse(stdout) as { steps: Step[]; changeSummary: Record<string, number> };
    return {
      changeSummary,
      steps: steps
        .filter(({ op }) => op !== "same" && op !== "read")
        .map(({ op, urn, detailedDiff, oldState, newState }) => ({
          op,
          urn,
          type: (newState ?? oldState)?.type,
          ...(detailedDiff && { diffs: Object.keys(detailedDiff) }),
          ...(oldState && { before: oldState.inputs ?? {} }),
          ...(newState && { after: newState.inputs ?? {} }),
        })),
    };
  };
  try {
    await engine.configureAudit();
    await engine.up(AUDIT_STACK);
    for (const [name, accountId] of Object.entries(MEMBERS)) {
      await engine.configureMember(name, accountId);
      await engine.up(name);
    }
    const contract = await box.outputs<Contract>(AUDIT_STACK);
    await box.stack(AUDIT_STACK, changedAudit());
    await engine.configureMember("payments", MEMBERS.payments as string, {
      "crosstrail:insightTypes": ["ApiCallRateInsight"],
      "crosstrail:eventSelectors": [
        { readWriteType: "All", dataResources: [{ type: "AWS::S3::Object", values: ["arn:aws:s3:::card-data/"] }] },
      ],
      "crosstrail:tags": { "cost-center": "4711" },
    });
    const trail = {
      accountId: NEW,
      alias: "data-lake",
      trailArn: `arn:aws:cloudtrail:us-east-1:${NEW}:trail/crosstrail`,
    };
    const own = memberConfig(NEW);
    delete own["crosstrail:auditStack"];
    await box.stack("data-lake", {
      ...own,
      "crosstrail:contract": { ...contract, trails: [...contract.trails, trail] },
    });
    const recorded = {
      stacks: {
        audit: await preview(AUDIT_STACK),
        payments: await preview("payments"),
        "data-lake": await preview("data-lake"),
        web: await preview("web", ["destroy", "--preview-only"]),
      },
    };
    writeFileSync(join(__dirname, "fixtures", "preview.json"), `${JSON.stringify(recorded, undefined, 1)}\n`);
  } finally {
    await box.stop();
  }
}

if (require.main === module) void main();
