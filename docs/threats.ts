/** The two archives of docs/threat-model.md: as it is by default, and with every control that a policy holds. */
import type { AuditSettings } from "../core/settings";
import { parseSettings } from "../core/settings";

export const threatOthers = { member: "222222222222", delegated: "777777777777", stranger: "999999999999" };

export function threatSettings(): { byDefault: AuditSettings; guarded: AuditSettings } {
  const common = {
    role: "audit",
    auditAccountId: "111111111111",
    bucketName: "example-logs",
    members: JSON.stringify([
      { accountId: "222222222222", alias: "payments" },
      { accountId: "333333333333", alias: "web" },
    ]),
    organization: JSON.stringify({ id: "o-exampleorgid", managementAccountId: "444444444444" }),
    readers: JSON.stringify([{ name: "Auditors", trustedAccounts: ["555555555555"] }]),
    replication: JSON.stringify({ region: "eu-west-1", bucketName: "example-copies" }),
    accessLogBucket: "example-access-logs",
    notifications: "sqs",
  };
  const of = (more: Record<string, string>) =>
    parseSettings("audit", { ...common, ...more }, "us-east-1") as AuditSettings;
  return {
    byDefault: of({}),
    guarded: of({
      breakGlassRoles: JSON.stringify(["CrosstrailDeploy", "BreakGlass"]),
      denyOtherEncryption: "true",
      requireMfa: "true",
      bucketKeyEnabled: "true",
      memberAccess: JSON.stringify(["payments"]),
    }),
  };
}
