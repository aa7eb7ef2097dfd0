/** `crosstrail roles`: the roles that deploy a fleet, with no more permissions than that takes. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import type { Command } from "commander";
import { Argument, Option } from "commander";
import { stringify } from "yaml";
import { accountIdProblem } from "../../core/accounts";
import type { Finding } from "../../core/findings";
import { formatFinding, UserError } from "../../core/findings";
import { roleArn, roleNameProblem } from "../../core/names";
import type { IdentityStatement, PolicyDocument, TrustStatement } from "../../core/policies/document";
import type { RoleAccess, RoleSubject, RoleTrust } from "../../core/roles";
import {
  grantsOf,
  hubPermissions,
  roleBoundary,
  RoleAccess as Access,
  rolePermissions,
  roleSubjects,
  roleTrust,
  splitPermissions,
} from "../../core/roles";
import type { AuditSettings, ManagementSettings, MemberSettings } from "../../core/settings";
import { auditAlias } from "../../core/settings";
import type { AssumeRole } from "../../programs/assumeRoles";
import { assumedRole } from "../../programs/assumeRoles";
import type { Outcome, Surroundings } from "../output";
import { ExitCode, ExitError } from "../output";
import { readAuditFile, readConfig, readStackFile } from "../stackFile";
import type { AuditFileOptions } from "./_options";
import { auditFileOf, defineAuditFile } from "./_options";

interface Options {
  /** The audit stack's configuration file. */
  config: string;
  access: RoleAccess;
  name?: string;
  hub?: string;
  hubAccount?: string;
  externalId?: string;
  github?: string;
  format: "json" | "cloudformation";
}

type Given = Omit<Options, "config"> & AuditFileOptions;

const hub = "hub";
const defaultNames: Record<RoleAccess, string> = {
  preview: "CrosstrailPreview",
  deploy: "CrosstrailDeploy",
  remove: "CrosstrailRemove",
  verify: "CrosstrailVerify",
};

export const examples = [
  "crosstrail roles audit --hub arn:aws:iam::999999999999:role/CrosstrailHub",
  "crosstrail roles payments --hub arn:aws:iam::999999999999:role/CrosstrailHub --format cloudformation",
  "crosstrail roles management --hub arn:aws:iam::999999999999:role/CrosstrailHub",
  "crosstrail roles payments --access preview --github repo:example/fleet:pull_request",
  "crosstrail roles hub --hub-account 999999999999 --github repo:example/fleet:environment:production",
];

export function define(command: Command): void {
  defineAuditFile(command)
    .addArgument(
      new Argument(
        "<account>",
        `${auditAlias}, management, a member by alias or account id, or ${hub}: the role that accesses all of them`,
      ),
    )
    .addOption(
      new Option(
        "--access <access>",
        "what the role may do: read; also create and change; also stop and delete; verify: read every log, only",
      )
        .choices(Object.values(Access))
        .default(Access.Deploy),
    )
    .option(
      "--name <role>",
      "the role's name (default: CrosstrailPreview, CrosstrailDeploy, CrosstrailRemove or CrosstrailVerify)",
    )
    .option("--hub <arn>", "the role that may assume it")
    .option("--hub-account <id>", "for hub: the account that the role is in; choose one with nothing else in it")
    .option(
      "--external-id <id>",
      "the external ID that the hub must send when it assumes the role (default: from the configuration)",
    )
    .option("--github <subject>", "instead of --hub: GitHub Actions jobs with exactly this subject")
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
  /** Where the role's ARN has one. */
  path?: string;
  /** For an inline policy. */
  permissions?: PolicyDocument<IdentityStatement>;
  /** Instead, where they are too large for one: managed policies to attach. */
  managedPolicies?: PolicyDocument<IdentityStatement>[];
  trust: PolicyDocument<TrustStatement>;
  /** The managed policy that limits the roles which this one creates. It has to exist before them. */
  permissionsBoundary?: { policyName: string; path?: string; document: PolicyDocument<IdentityStatement> };
  /** What each action is for. */
  reasons: { action: string; why: string }[];
}

export function run(given: Given, { env }: Surroundings, [account]: string[]): Promise<Outcome> {
  const options = { ...given, config: auditFileOf(given, env) };
  const settings = readAuditFile(options.config, env);
  const others = otherStacks(settings, account as string, options.config, env);
  const subjects = roleSubjects(settings, others);
  const role = roleOf(settings, subjects, account as string, options);
  const findings = warnings(settings, subjects, role);
  return Promise.resolve({
    exitCode: ExitCode.Ok,
    findings,
    notes: () => findings.map((finding) => `${formatFinding(finding)}\n`).join(""),
    data: () => role,
    isDocument: true,
    text: () => (options.format === "json" ? jsonText(role) : templateText(role)),
  });
}

/** What is legal, and not as it should be. */
function warnings(settings: AuditSettings, subjects: RoleSubject[], role: RoleDocument): Finding[] {
  if (role.account === hub) {
    if (role.accountId !== settings.auditAccountId) return [];
    return [
      {
        id: "roles/hub-in-archive",
        severity: "warning",
        subject: `--hub-account ${role.accountId}`,
        message:
          "This is the audit account: anyone who controls it would control every account of the fleet as well, and could stop the trails whose logs it keeps.",
        remedy: "Choose an account that holds nothing else, such as one for deployments.",
      },
    ];
  }
  if (role.permissionsBoundary === undefined) return [];
  const stacks = subjects.find(({ names }) => names.accountId === role.accountId)?.withoutBoundary ?? [];
  return stacks.map((stack) => ({
    id: "roles/no-boundary",
    severity: "warning",
    subject: `stack ${stack}`,
    message: `It creates IAM roles without a permissions boundary. This role cannot create them: it may only create roles with the boundary ${role.permissionsBoundary?.policyName}.`,
    remedy: `Create the policy that is printed as permissionsBoundary, then: pulumi config set --stack ${stack} crosstrail:permissionsBoundary ${role.permissionsBoundary?.policyName}`,
  }));
}

/** The account of the hub. There is no default: the archive's own account would be a bad one. */
function hubAccountOf({ hubAccount }: Options): string {
  if (hubAccount === undefined) {
    throw usage(
      "--hub-account is missing: the hub can deploy to every account, so it needs an account that holds nothing else. In the audit account, anyone who controls the archive would control every account of the fleet.",
      "Add --hub-account <12 digits>.",
    );
  }
  const problem = accountIdProblem(hubAccount);
  if (problem) throw usage(`--hub-account ${hubAccount}: ${problem}.`, "Correct the account.");
  return hubAccount;
}

/**
 * The stacks that have a file of their own beside the audit stack's: the organization trail's, and that of this
 * account.
 */
function otherStacks(
  settings: AuditSettings,
  account: string,
  auditFile: string,
  env: NodeJS.ProcessEnv,
): (MemberSettings | ManagementSettings)[] {
  // The standard input has nothing beside it.
  if (auditFile === "-") return [];
  const { members, organization } = settings;
  const accountOf = roleSubjects(settings).find((subject) => isAbout(subject, account))?.names.accountId;
  const asked = members.filter(({ accountId }) => accountId === accountOf);
  return stacksOf([...asked, ...(organization?.trail ? [{ alias: organization.alias }] : [])], auditFile, env);
}

/** Every stack that has a file of its own beside the audit stack's. */
export function everyOtherStack(
  { members, organization }: AuditSettings,
  auditFile: string,
  env: NodeJS.ProcessEnv,
): (MemberSettings | ManagementSettings)[] {
  if (auditFile === "-") return [];
  return stacksOf([...members, ...(organization?.trail ? [{ alias: organization.alias }] : [])], auditFile, env);
}

function stacksOf(
  stacks: { alias: string; accountId?: string }[],
  auditFile: string,
  env: NodeJS.ProcessEnv,
): (MemberSettings | ManagementSettings)[] {
  return stacks
    .map(({ alias, accountId }) => stackFileBeside(auditFile, alias, accountId))
    .filter((file) => existsSync(file) && resolve(file) !== resolve(auditFile))
    .map((file) => readStackFile(file, env))
    .filter((other) => other.role !== "audit");
}

/** An account, and how its stacks access it: as their own file says, or else the audit stack's. */
interface EnteredAccount extends RoleSubject {
  /** "" where none is asked for. */
  externalId: string;
}

export function entered(settings: AuditSettings, subject: RoleSubject, auditFile: string): EnteredAccount {
  const own = roleOfFile(subject, auditFile);
  if (own) return { ...subject, deployRoleArn: own.roleArn, externalId: own.externalId ?? "" };
  // The fleet's roles do not access the audit account.
  const isAudit = subject.names.accountId === settings.auditAccountId;
  return { ...subject, externalId: isAudit ? "" : settings.deployExternalId };
}

function roleOfFile({ aliases, names }: RoleSubject, auditFile: string): AssumeRole | undefined {
  // The standard input has nothing beside it.
  if (auditFile === "-") return undefined;
  for (const alias of aliases) {
    const file = alias === auditAlias ? auditFile : stackFileBeside(auditFile, alias, names.accountId);
    const role = existsSync(file) && assumedRole(readConfig(file), names.accountId);
    if (role) return role;
  }
  return undefined;
}

/**
 * A stack's file beside the audit stack's. With plain Pulumi a member's stack may have another name than the alias, as `crosstrail up`
 * knows it: the only file of a member of this account is then its own.
 */
function stackFileBeside(auditFile: string, stack: string, accountId?: string): string {
  const folder = dirname(auditFile);
  const extension = extname(auditFile) || ".yaml";
  const file = join(folder, `Pulumi.${stack}${extension}`);
  if (accountId === undefined || existsSync(file)) return file;
  const others = readdirSync(folder)
    .filter((name) => /^Pulumi\..+/.test(name) && extname(name) === extension && name !== basename(auditFile))
    .map((name) => join(folder, name))
    .filter((each) => isMemberOf(each, accountId));
  const [only] = others;
  return only !== undefined && others.length === 1 ? only : file;
}

/** By file, what was read of it last: of hundreds of members each may ask for every file. */
const memberAccounts = new Map<string, { version: string; accountId: string | undefined }>();

function isMemberOf(file: string, accountId: string): boolean {
  const { mtimeMs, size, ino } = statSync(file);
  const version = `${mtimeMs} ${size} ${ino}`;
  let known = memberAccounts.get(file);
  if (known?.version !== version) {
    known = { version, accountId: memberAccountIn(file) };
    memberAccounts.set(file, known);
  }
  return known.accountId === accountId;
}

function memberAccountIn(file: string): string | undefined {
  try {
    const config = readConfig(file);
    return config["crosstrail:role"] === "member" ? config["crosstrail:accountId"] : undefined;
  } catch {
    // It is somebody else's, or fails its own stack.
    return undefined;
  }
}

function roleOf(settings: AuditSettings, subjects: RoleSubject[], account: string, options: Options): RoleDocument {
  const { access } = options;
  const named = (fallback: string): string => {
    const name = options.name ?? fallback;
    const problem = roleNameProblem(name);
    if (problem) throw usage(`--name ${name}: ${problem}.`, "Correct the name.");
    return name;
  };
  if (account === hub) {
    const place = { partition: settings.partition, accountId: hubAccountOf(options) };
    const ofHub = access === Access.Verify ? subjects.filter(({ names }) => names.archive !== undefined) : subjects;
    return {
      account,
      accountId: place.accountId,
      access,
      roleName: named("CrosstrailHub"),
      ...policiesOf(
        hubPermissions(ofHub.map((subject) => roleArnOf(entered(settings, subject, options.config), access))),
      ),
      trust: roleTrust(place, trustOf(options, "")),
      reasons: [{ action: "sts:AssumeRole", why: "accesses the accounts of the fleet" }],
    };
  }
  if (options.hubAccount !== undefined) {
    throw usage(
      `--hub-account is for the role ${hub} only.`,
      "Leave it out; --hub <arn> says who may assume this role.",
    );
  }
  const subject = entered(settings, subjectOf(subjects, account), options.config);
  if (access === Access.Verify && subject.names.archive === undefined) {
    throw usage(
      `--access verify reads the archive, and account "${account}" has none.`,
      `Use: crosstrail roles ${auditAlias} --access verify`,
    );
  }
  const resource = roleArnOf(subject, access).split(":role").pop() as string;
  const nameAt = resource.lastIndexOf("/") + 1;
  const [path, name] = [resource.slice(0, nameAt), resource.slice(nameAt)];
  return {
    account: subject.aliases.join(" and "),
    accountId: subject.names.accountId,
    access,
    roleName: named(name),
    ...(path !== "/" && options.name === undefined && { path }),
    ...policiesOf(rolePermissions(access, subject.names)),
    ...boundaryOf(access, subject.names),
    trust: roleTrust(subject.names, trustOf(options, subject.externalId)),
    reasons: grantsOf(access, subject.names).map(({ action, why }) => ({ action, why })),
  };
}

function policiesOf(permissions: PolicyDocument<IdentityStatement>): Partial<RoleDocument> {
  const [first, ...more] = splitPermissions(permissions);
  return more.length === 0 ? { permissions: first } : { managedPolicies: [first, ...more] };
}

/** For a role that creates roles: what limits them. */
function boundaryOf(access: RoleAccess, names: RoleSubject["names"]): Pick<RoleDocument, "permissionsBoundary"> {
  const document = access === Access.Preview || access === Access.Verify ? undefined : roleBoundary(names);
  if (document === undefined) return {};
  const parts = names.boundaryName.split("/");
  const policyName = parts.pop() as string;
  return { permissionsBoundary: { policyName, ...(parts.length > 0 && { path: `/${parts.join("/")}/` }), document } };
}

/** The role that the configuration names, for deploying; otherwise the one of the usual name. */
export function roleArnOf({ names, deployRoleArn }: RoleSubject, access: RoleAccess): string {
  if (access === Access.Deploy && deployRoleArn !== undefined) return deployRoleArn;
  return roleArn(names.partition, names.accountId, defaultNames[access]);
}

/** Whether the account is called so. */
function isAbout({ aliases, names }: RoleSubject, account: string): boolean {
  return aliases.includes(account) || names.accountId === account;
}

function subjectOf(subjects: RoleSubject[], account: string): RoleSubject {
  const found = subjects.find((subject) => isAbout(subject, account));
  if (found) return found;
  const known = subjects.flatMap(({ aliases }) => aliases);
  const shown = known.length > 12 ? [...known.slice(0, 12), `${known.length - 12} more`] : known;
  throw new UserError("The role could not be generated.", [
    {
      id: "roles/account",
      severity: "error",
      subject: `account "${account}"`,
      message: `No account of the fleet has this alias or ID. Known are ${shown.join(", ")}, and ${hub}.`,
      remedy: "Use one of these, or declare the member in crosstrail:members first.",
    },
  ]);
}

/** @param agreed the external id with which the fleet accesses the account, "" for none. */
function trustOf({ hub: hubRoleArn, github, externalId, access }: Options, agreed: string): RoleTrust {
  if (hubRoleArn !== undefined && github !== undefined) {
    throw usage("--hub and --github exclude each other: a role trusts one of them.", "Use one of them.");
  }
  if (github !== undefined) {
    if (externalId !== undefined) {
      throw usage("--external-id needs --hub: GitHub Actions cannot send an external ID.", "Remove --external-id.");
    }
    if (github.endsWith(":pull_request") && access !== Access.Preview) {
      throw usage(
        `Every pull request in the repository could ${access === Access.Verify ? "read every log" : access}.`,
        "Add --access preview, or use the subject of an environment: repo:<owner>/<repository>:environment:<name>.",
      );
    }
    return { githubSubject: github };
  }
  if (hubRoleArn !== undefined) return { hubRoleArn, externalId: externalId ?? (agreed || undefined) };
  throw usage(
    "No one could assume the role: neither --hub nor --github is given.",
    "Add --hub <the role that deploys>, or --github repo:<owner>/<repository>:environment:<name>.",
  );
}

function usage(message: string, remedy: string): ExitError {
  return new ExitError(ExitCode.Usage, `${message}\n  → ${remedy}`);
}

function jsonText(role: RoleDocument): string {
  const { roleName, path, accountId, trust, permissions, managedPolicies, permissionsBoundary } = role;
  const shown = { roleName, path, accountId, trust, permissions, managedPolicies, permissionsBoundary };
  return `${JSON.stringify(shown, undefined, 2)}\n`;
}

function templateText({ roleName, path, account, accountId, access, trust, ...policies }: RoleDocument): string {
  const { permissions, managedPolicies = [], permissionsBoundary: boundary } = policies;
  const template = {
    AWSTemplateFormatVersion: "2010-09-09",
    Description: `Crosstrail: role ${roleName} (${access}) for ${account}, account ${accountId}`,
    Resources: {
      // An account has one, also when it has a role for removing besides the one for deploying.
      ...(boundary &&
        access === Access.Deploy && {
          Boundary: {
            Type: "AWS::IAM::ManagedPolicy",
            Properties: {
              ManagedPolicyName: boundary.policyName,
              ...(boundary.path !== undefined && { Path: boundary.path }),
              Description: "The most that roles created by Crosstrail can do",
              PolicyDocument: boundary.document,
            },
          },
        }),
      Role: {
        Type: "AWS::IAM::Role",
        Properties: {
          RoleName: roleName,
          ...(path !== undefined && { Path: path }),
          AssumeRolePolicyDocument: trust,
          ...(permissions && { Policies: [{ PolicyName: "crosstrail", PolicyDocument: permissions }] }),
        },
      },
      ...Object.fromEntries(
        managedPolicies.map((document, index) => [
          `Policy${index + 1}`,
          { Type: "AWS::IAM::ManagedPolicy", Properties: { PolicyDocument: document, Roles: [{ Ref: "Role" }] } },
        ]),
      ),
    },
    Outputs: { RoleArn: { Value: { "Fn::GetAtt": ["Role", "Arn"] } } },
  };
  // CloudFormation reads YAML 1.1, in which a bare 2012-10-17 is a date.
  return stringify(template, { version: "1.1", lineWidth: 0 });
}
