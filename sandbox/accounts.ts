// The fleet that the sandbox deploys: the repository's example settings, for the emulator's accounts.

import fs from "node:fs";
import path from "node:path";
import { parse } from "yaml";

export const ROOT = path.join(__dirname, "..");

export const AUDIT_ACCOUNT = "111111111111";
/** Members by alias, which is also the name of their stack. */
export const MEMBERS: Record<string, string> = { payments: "222222222222", web: "333333333333" };
/** Belongs to nobody in the fleet: what the policies must keep out. */
export const OUTSIDER = "444444444444";
/** Owns the organization, where a sandbox has one. */
export const MANAGEMENT = "555555555555";
export const AUDIT_STACK = "audit";

type Config = Record<string, unknown>;

/** The role by which an account is accessed; the emulator lets any role be assumed. */
export function deployRole(accountId: string): string {
  return `arn:aws:iam::${accountId}:role/CrosstrailDeploy`;
}

/** As crosstrail roles asks for it: the roles that it prints create no others. The emulator does not ask whether the policy is there. */
const boundary: Config = { "crosstrail:permissionsBoundary": "CrosstrailBoundary" };

/** The audit stack's settings: those of Pulumi.audit.yaml, with the sandbox's accounts if somebody has put in their own. */
export function auditConfig(): Config {
  return {
    ...template("audit"),
    "aws:allowedAccountIds": [AUDIT_ACCOUNT],
    "crosstrail:auditAccountId": AUDIT_ACCOUNT,
    "crosstrail:deployRole": deployRole("{accountId}"),
    ...boundary,
    "crosstrail:members": Object.entries(MEMBERS).map(([alias, accountId]) => ({ accountId, alias })),
  };
}

/** A member stack's settings: those of Pulumi.member.yaml with its account filled in. */
export function memberConfig(accountId: string): Config {
  return {
    ...template("member"),
    "aws:allowedAccountIds": [accountId],
    "aws:assumeRoles": [{ roleArn: deployRole(accountId) }],
    "crosstrail:accountId": accountId,
    "crosstrail:auditStack": AUDIT_STACK,
    ...boundary,
  };
}

/** The management stack's settings: those of Pulumi.management.yaml with the sandbox's account. */
export function managementConfig(accountId = MANAGEMENT): Config {
  return {
    ...template("management"),
    "aws:allowedAccountIds": [accountId],
    "aws:assumeRoles": [{ roleArn: deployRole(accountId) }],
    "crosstrail:accountId": accountId,
    "crosstrail:auditStack": AUDIT_STACK,
    ...boundary,
  };
}

function template(name: "audit" | "member" | "management"): Config {
  const file = path.join(ROOT, `Pulumi.${name}.yaml`);
  const { config } = parse(fs.readFileSync(file, "utf8")) as { config: Config };
  // How real accounts are accessed is of no use here.
  delete config["aws:profile"];
  delete config["aws:assumeRoles"];
  return config;
}
