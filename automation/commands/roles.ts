/** `crosstrail roles`: the roles that deploy a fleet, with no more permissions than that takes. */
import type { Command } from "commander";
import { Argument, Option } from "commander";
import { stringify } from "yaml";
import { UserError } from "../../core/findings";
import { roleNameProblem } from "../../core/names";
import type { IdentityStatement, PolicyDocument, TrustStatement } from "../../core/policies/document";
import type { RoleAccess, RoleSubject, RoleTrust } from "../../core/roles";
import {
  grantsOf,
  hubPermissions,
  RoleAccess as Access,
  rolePermissions,
  roleSubjects,
  roleTrust,
} from "../../core/roles";
import type { AuditSettings } from "../../core/settings";
import { auditAlias } from "../../core/settings";
import type { Outcome, Surroundings } from "../output";
import { ExitCode, ExitError } from "../output";
import { readAuditFile } from "../stackFile";

interface Options {
  config: string;
  access: RoleAccess;
  name?: string;
  hub?: string;
  externalId?: string;
  github?: string;
  format: "json" | "cloudformation";
}

const defaultConfig = "Pulumi.audit.yaml";
const hub = "hub";
const defaultNames: Record<RoleAccess, string> = {
  preview: "CrosstrailPreview",
  deploy: "CrosstrailDeploy",
  remove: "CrosstrailRemove",
};

export const examples = [
  "crosstrail roles audit --hub arn:aws:iam::111111111111:role/CrosstrailHub",
  "crosstrail roles payments --hub arn:aws:iam::111111111111:role/CrosstrailHub --format cloudformation",
  "crosstrail roles payments --access preview --github repo:example/fleet:pull_request",
  "crosstrail roles hub --github repo:example/fleet:environment:production",
];

export function define(command: Command): void {
  command
    .addArgument(
      new Argument(
        "<account>",
        `${auditAlias}, a member by alias or account id, or ${hub}: the role that enters all of these`,
      ),
    )
    .option("--config <file>", "the audit stack's configuration", defaultConfig)
    .addOption(
      new Option("--access <access>", "what the role may do: read, also create and change, also stop and delete")
        .choices(Object.values(Access))
        .default(Access.Deploy),
    )
    .option("--name <role>", "the role's name (default: CrosstrailPreview, CrosstrailDeploy or CrosstrailRemove)")
    .option("--hub <arn>", "the role that may assume it")
    .option("--external-id <id>", "what the hub must say when it assumes the role")
    .option("--github <subject>", "instead of --hub: jobs of GitHub Actions with exactly this subject")
    .addOption(
      new Option("--format <format>", "JSON, or a CloudFormation template")
        .choices(["json", "cloudformation"])
        .default("json"),
    );
}

/** A role, complete. */
interface RoleDocument {
  account: string;
  accountId: string;
  access: RoleAccess;
  roleName: string;
  permissions: PolicyDocument<IdentityStatement>;
  trust: PolicyDocument<TrustStatement>;
  /** What each action is for. */
  reasons: { action: string; why: string }[];
}

export function run(options: Options, { env }: Surroundings, [account]: string[]): Promise<Outcome> {
  const settings = readAuditFile(options.config, env);
  const role = roleOf(settings, account as string, options);
  return Promise.resolve({
    exitCode: ExitCode.Ok,
    findings: [],
    data: () => role,
    text: () => (options.format === "json" ? jsonText(role) : templateText(role)),
  });
}

function roleOf(settings: AuditSettings, account: string, options: Options): RoleDocument {
  const { access } = options;
  const trust = trustOf(options);
  const isHub = account === hub;

  const roleName = isHub ? (options.name ?? "CrosstrailHub") : (options.name ?? defaultNames[access]);
  const problem = roleNameProblem(roleName);
  if (problem) throw usage(`--name ${roleName}: ${problem}.`, "Correct the name.");
  const subjects = roleSubjects(settings);
  if (isHub) {
    const place = { partition: settings.partition, accountId: settings.auditAccountId };
    const accountIds = subjects.map(({ names }) => names.accountId);
    return {
      account,
      accountId: place.accountId,
      access,
      roleName,
      // The hub's own name is not that of the roles that it enters.
      permissions: hubPermissions(place.partition, accountIds, defaultNames[access]),
      trust: roleTrust(place, trust),
      reasons: [{ action: "sts:AssumeRole", why: "enters the accounts of the fleet" }],
    };
  }
  const subject = subjectOf(subjects, account);
  return {
    account: subject.alias,
    accountId: subject.names.accountId,
    access,
    roleName,
    permissions: rolePermissions(subject.account, access, subject.names),
    trust: roleTrust(subject.names, trust),
    reasons: grantsOf(subject.account, access, subject.names).map(({ action, why }) => ({ action, why })),
  };
}

function subjectOf(subjects: RoleSubject[], account: string): RoleSubject {
  const found = subjects.find(({ alias, names }) => alias === account || names.accountId === account);
  if (found) return found;
  const known = subjects.map(({ alias }) => alias);
  const shown = known.length > 12 ? [...known.slice(0, 12), `${known.length - 12} more`] : known;
  throw new UserError("The role cannot be written.", [
    {
      id: "roles/account",
      severity: "error",
      subject: `account "${account}"`,
      message: `No account of the fleet has this alias or id; there are ${shown.join(", ")}, and ${hub}.`,
      remedy: "Give one of these, or declare the member in crosstrail:members first.",
    },
  ]);
}

function trustOf({ hub: hubRoleArn, github, externalId, access }: Options): RoleTrust {
  if (hubRoleArn !== undefined && github !== undefined) {
    throw usage("--hub and --github are both given; a role has one way in.", "Keep one of the two.");
  }
  if (github !== undefined) {
    if (externalId !== undefined) {
      throw usage("--external-id is for --hub: a job of GitHub Actions cannot say one.", "Leave --external-id out.");
    }
    if (github.endsWith(":pull_request") && access !== Access.Preview) {
      throw usage(
        `Every pull request of the repository could ${access}.`,
        "Add --access preview, or give the subject of an environment: repo:<owner>/<repository>:environment:<name>.",
      );
    }
    return { githubSubject: github };
  }
  if (hubRoleArn !== undefined) return { hubRoleArn, externalId };
  throw usage(
    "Nobody could assume the role: neither --hub nor --github is given.",
    "Add --hub <the role that deploys>, or --github repo:<owner>/<repository>:environment:<name>.",
  );
}

function usage(message: string, remedy: string): ExitError {
  return new ExitError(ExitCode.Usage, `${message}\n  → ${remedy}`);
}

function jsonText({ roleName, accountId, trust, permissions }: RoleDocument): string {
  return `${JSON.stringify({ roleName, accountId, trust, permissions }, undefined, 2)}\n`;
}

function templateText({ roleName, account, accountId, access, trust, permissions }: RoleDocument): string {
  const template = {
    AWSTemplateFormatVersion: "2010-09-09",
    Description: `Crosstrail: role ${roleName} (${access}) for ${account}, account ${accountId}`,
    Resources: {
      Role: {
        Type: "AWS::IAM::Role",
        Properties: {
          RoleName: roleName,
          AssumeRolePolicyDocument: trust,
          Policies: [{ PolicyName: "crosstrail", PolicyDocument: permissions }],
        },
      },
    },
    Outputs: { RoleArn: { Value: { "Fn::GetAtt": ["Role", "Arn"] } } },
  };
  // CloudFormation reads YAML 1.1, in which a bare 2012-10-17 is a date.
  return stringify(template, { version: "1.1", lineWidth: 0 });
}
