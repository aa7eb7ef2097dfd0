/** `crosstrail init`: writes the configuration of a new fleet, from options or from what a person answers. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { accountIdProblem, partitionOf, partitions, regionProblem } from "../../core/accounts";
import type { Finding } from "../../core/findings";
import { UserError } from "../../core/findings";
import { bucketNameProblem, roleNameProblem } from "../../core/names";
import { deployRoleProblem, fillIn } from "../../core/placeholders";
import { aliasProblem, auditAlias, parseStackConfig } from "../../core/settings";
import type { Outcome, Surroundings } from "../output";
import { ExitCode, ExitError } from "../output";
import { parseYaml } from "../pulumiProject";
import { parseConfig } from "../stackFile";
import { formerly } from "./_options";

interface Options {
  cwd?: string;
  auditAccount?: string;
  bucket?: string;
  region?: string;
  member?: string[];
  deployRole?: string;
  stack: string;
  memberStacks?: boolean;
  yes?: boolean;
  nonInteractive?: boolean;
}

/** What there is to know of a new fleet. */
interface Answers {
  auditAccount: string;
  bucket: string;
  region: string;
  members: NewMember[];
  deployRole: string;
}

interface NewMember {
  alias: string;
  accountId: string;
  homeRegion?: string;
}

export const examples = [
  "crosstrail init",
  "crosstrail init --audit-account 111111111111 --bucket example-audit-logs --region eu-central-1 " +
    "--member payments=222222222222 web=333333333333@us-east-1",
];

export function define(command: Command): void {
  formerly(command, "--dir <folder>", "cwd");
  formerly(command, "--audit-stack <name>", "stack");
  command
    .option("--cwd <folder>", "the project folder, where the files are written (default: the current folder)")
    .option("--audit-account <id>", "the account that owns the log bucket and the key")
    .option("--bucket <name>", "the log bucket's name")
    .option("--region <region>", "the Region of the bucket and the key (default: AWS_REGION)")
    .option("--member <alias=id...>", "a member account, followed by @<Region> if its trail has another home Region")
    .option(
      "--deploy-role <name or ARN>",
      "the role to assume in each account: its name, or arn:{partition}:iam::{accountId}:role/<path and name>\n(default: none; use your current credentials)",
    )
    .option("--stack <name>", "the audit stack's name", auditAlias)
    .option("--member-stacks", "also write a stack file for each member")
    .option("--yes", "never prompt")
    .option("--non-interactive", "same as --yes; without a terminal, init never prompts")
    .addHelpText("after", "\nPrompts for anything not given. Never overwrites existing files.");
}

export async function run(options: Options, surroundings: Surroundings): Promise<Outcome> {
  const { asking: terminal, env } = surroundings;
  const folder = resolve(options.cwd ?? env.PULUMI_OPTION_CWD ?? ".");
  const project = projectOf(folder);
  const given = givenAnswers(options, env);
  // Before anybody answers questions in vain.
  refuseExisting(folder, namesOf(options, project, given.answers.members ?? []));
  const asking = terminal !== undefined && !options.yes && !options.nonInteractive;
  const answers = asking ? await ask(given, terminal) : withoutQuestions(given);
  const files = filesOf(answers, options, project);
  checkFiles(files, options, given.findings);
  refuseExisting(folder, Object.keys(files));
  if (asking) await confirm(Object.keys(files), folder, terminal);
  for (const [name, text] of Object.entries(files)) write(folder, name, text);

  const written = Object.keys(files);
  const installed = project === undefined ? resolves(folder) : true;
  return {
    exitCode: ExitCode.Ok,
    findings: [],
    data: () => ({ folder, written, kept: project === undefined ? [] : [project] }),
    text: () => nextSteps(folder, written, options, answers, installed),
  };
}

/** The project's file, when the folder has one already. */
function projectOf(folder: string): string | undefined {
  if (!existsSync(folder)) throw unusable(folder, "The folder does not exist.", "Create it, or correct --cwd.");
  const name = ["Pulumi.json", "Pulumi.yaml", "Pulumi.yml"].find((each) => existsSync(join(folder, each)));
  if (name === undefined) return undefined;
  let project: unknown;
  try {
    project = parseYaml(readFileSync(join(folder, name), "utf8"));
  } catch (error) {
    throw unusable(
      join(folder, name),
      `The file is not valid YAML: ${(error as Error).message.trim()}`,
      "Correct the file.",
    );
  }
  const found = (project as { name?: unknown } | null)?.name;
  if (found === "crosstrail") return name;
  throw unusable(
    join(folder, name),
    `The folder holds the project ${JSON.stringify(found)}. Configuration keys start with the project's name, and Crosstrail's are crosstrail:…`,
    "Choose an empty folder with --cwd.",
  );
}

const memberForm = /^([^=@]+)=([^=@]+)(?:@([^=@]+))?$/;

interface Given {
  answers: Partial<Answers>;
  /** What is wrong with the form of options; values are checked later. */
  findings: Finding[];
}

function givenAnswers(options: Options, env: NodeJS.ProcessEnv): Given {
  const findings: Finding[] = [];
  const members = options.member?.flatMap((text): NewMember[] => {
    const [, alias, accountId, homeRegion] = memberForm.exec(text) ?? [];
    if (alias !== undefined && accountId !== undefined)
      return [{ alias, accountId, ...(homeRegion && { homeRegion }) }];
    findings.push(
      mistake(
        `--member ${text}`,
        "Must be <alias>=<account id> or <alias>=<account id>@<Region>.",
        "payments=222222222222",
      ),
    );
    return [];
  });
  const { deployRole, stack: auditStack } = options;
  const roleProblem = deployRole === undefined ? undefined : deployRoleAnswerProblem(deployRole);
  if (roleProblem)
    findings.push(mistake(`--deploy-role ${deployRole}`, `Not a valid role: ${roleProblem}.`, "CrosstrailDeploy"));
  if (!/^[A-Za-z0-9_.-]{1,100}$/.test(auditStack) || auditStack === "member") {
    const message =
      "A stack's name has 1 to 100 letters, digits, '.', '_' and '-'; Pulumi.member.yaml is reserved for the template of member stacks.";
    findings.push(mistake(`--stack ${auditStack}`, message, auditAlias));
  }
  const answers: Partial<Answers> = {
    auditAccount: options.auditAccount,
    bucket: options.bucket,
    region: options.region,
    members,
    deployRole: deployRole === undefined ? undefined : rolePattern(deployRole),
  };
  return { answers: { ...answers, region: answers.region ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION }, findings };
}

function mistake(subject: string, message: string, example: string): Finding {
  return { id: "init/option", severity: "error", subject, message, remedy: `For example: ${example}` };
}

function withoutQuestions({ answers }: Given): Answers {
  return { auditAccount: "", bucket: "", region: "", members: [], deployRole: "", ...defined(answers) };
}

function defined<Of extends object>(values: Of): Partial<Of> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<Of>;
}

/** Without what it says of YAML: nobody has written any. */
const accountProblem: Problem = (value) => accountIdProblem(value)?.replace(/;.*/s, "");

/** What is wrong with a role's name, or with the ARN of each account's role. */
function deployRoleAnswerProblem(value: string): string | undefined {
  return value.startsWith("arn:") ? deployRoleProblem(value) : roleNameProblem(value);
}

/** As the configuration has it. The pattern says it for members to come as well. */
function rolePattern(role: string): string {
  return role === "" || role.startsWith("arn:") ? role : `arn:{partition}:iam::{accountId}:role/${role}`;
}

type Terminal = NonNullable<Surroundings["asking"]>;
type Problem = (value: string) => string | undefined;

/** Asks for what was not given; an answer that cannot be right is asked for again. */
async function ask({ answers, findings }: Given, terminal: Terminal): Promise<Answers> {
  if (findings.length > 0) throw new UserError("Nothing was written.", findings);
  const question = async (message: string, problem: Problem, fallback?: string): Promise<string> => {
    // Loaded here only: nothing else asks anybody.
    /* eslint-disable @typescript-eslint/no-require-imports, @typescript-eslint/consistent-type-imports */
    const { default: input } = require("@inquirer/input") as typeof import("@inquirer/input");
    /* eslint-enable */
    const validate = (value: string) => problem(value.trim()) ?? true;
    return (await answered(input({ message, default: fallback, validate }, terminal))).trim();
  };
  const regionAnswer: Problem = (value) => {
    const partition = partitionOf(value);
    return partition ? regionProblem(value, partition) : `a Region of ${partitions.join(", ")}, such as eu-central-1`;
  };
  const optional =
    (problem: Problem): Problem =>
    (value) =>
      value === "" ? undefined : problem(value);

  const auditAccount = answers.auditAccount ?? (await question("Account ID of the audit account", accountProblem));
  const region = await (answers.region !== undefined && regionAnswer(answers.region) === undefined
    ? answers.region
    : question("Region of the log bucket and the key", regionAnswer, "us-east-1"));
  const bucket =
    answers.bucket ?? (await question("Name of the log bucket", bucketNameProblem, `cloudtrail-logs-${auditAccount}`));
  let members = answers.members;
  if (members === undefined) {
    members = [];
    for (;;) {
      const taken: NewMember[] = members;
      const alias = await question(
        members.length === 0
          ? "Alias of the first member account (empty: none yet)"
          : "Alias of the next member (empty: no more)",
        optional((value) =>
          value === auditAlias || taken.some((member) => member.alias === value)
            ? "this alias is already used"
            : aliasProblem(value),
        ),
      );
      if (alias === "") break;
      const accountId = await question(`Account ID of ${alias}`, (value) =>
        value === auditAccount || taken.some((member) => member.accountId === value)
          ? "this account is already in the fleet"
          : accountProblem(value),
      );
      members.push({ alias, accountId });
    }
  }
  const deployRole =
    answers.deployRole ??
    rolePattern(
      await question(
        "Role to assume in each account, by name or ARN (empty: your current credentials)",
        optional(deployRoleAnswerProblem),
      ),
    );
  return { auditAccount, region, bucket, members, deployRole };
}

async function confirm(files: string[], folder: string, terminal: Terminal): Promise<void> {
  /* eslint-disable @typescript-eslint/no-require-imports, @typescript-eslint/consistent-type-imports */
  const { default: prompt } = require("@inquirer/confirm") as typeof import("@inquirer/confirm");
  /* eslint-enable */
  const message = `Write ${files.join(", ")} to ${folder}?`;
  if (!(await answered(prompt({ message, default: true }, terminal)))) throw cancelled();
}

/** What the person answered; Ctrl-C and the end of the input are an answer, too. */
async function answered<Value>(question: Promise<Value>): Promise<Value> {
  try {
    return await question;
  } catch (error) {
    if ((error as Error).name === "ExitPromptError") throw cancelled();
    throw error;
  }
}

function cancelled(): ExitError {
  return new ExitError(ExitCode.Cancelled, "Cancelled. Nothing was written.");
}

function namesOf(
  { stack: auditStack, memberStacks }: Options,
  project: string | undefined,
  members: NewMember[],
): string[] {
  return [
    ...(project === undefined ? ["Pulumi.yaml", "index.js"] : []),
    `Pulumi.${auditStack}.yaml`,
    "Pulumi.member.yaml",
    ...(memberStacks ? members.map(({ alias }) => `Pulumi.${alias}.yaml`) : []),
  ];
}

function refuseExisting(folder: string, names: string[]): void {
  const findings = names
    .filter((name) => existsSync(join(folder, name)))
    .map((name): Finding => {
      const isExample = /^Pulumi\.(audit|member)\.yaml$/.test(name) && isRepositoryExample(join(folder, name));
      return {
        id: "init/exists",
        severity: "error",
        subject: join(folder, name),
        message: isExample
          ? "The file exists: it is the example from the repository."
          : "The file exists; init does not overwrite it.",
        remedy: isExample ? `Remove it: rm ${join(folder, name)}` : "Move it, or choose another folder with --cwd.",
      };
    });
  if (findings.length > 0) throw new UserError("Nothing was written: a configuration already exists.", findings);
}

/** Whether a stack file still is the repository's, without anybody's accounts in it. */
function isRepositoryExample(file: string): boolean {
  const text = readFileSync(file, "utf8");
  return text.includes("crosstrail-example-logs") || /^# The template of every member stack/.test(text);
}

/** The files by name. The values were given by people; {@link checkFiles} looks at what became of them. */
function filesOf(answers: Answers, options: Options, project: string | undefined): Record<string, string> {
  const { members } = answers;
  const [first = { alias: "payments", accountId: "222222222222" }] = members;
  const memberStack = (member: NewMember) => memberFile(member, answers, options.stack);
  return {
    ...(project === undefined && { "Pulumi.yaml": projectFile, "index.js": programFile }),
    [`Pulumi.${options.stack}.yaml`]: auditFile(answers),
    "Pulumi.member.yaml": templateComment(first) + memberStack(first),
    ...(options.memberStacks &&
      Object.fromEntries(members.map((each) => [`Pulumi.${each.alias}.yaml`, memberStack(each)]))),
  };
}

const projectFile = `name: crosstrail
description: Collects the CloudTrail logs of many AWS accounts in one audit account.
runtime:
  name: nodejs
  options:
    # The program is already compiled, so Pulumi does not have to load TypeScript.
    typescript: false
main: index.js
`;

const programFile = `// The stack's configuration (crosstrail:role) says which stack this is.
module.exports = require("crosstrail/program");
`;

function auditFile({ auditAccount, bucket, region, members, deployRole }: Answers): string {
  const role = deployRole === "" ? "" : `  crosstrail:deployRole: ${quoted(deployRole, false)}\n`;
  const lines = members.flatMap(({ accountId, alias, homeRegion }) => [
    `    - accountId: ${quoted(accountId)}`,
    `      alias: ${quoted(alias, false)}`,
    ...(homeRegion === undefined ? [] : [`      homeRegion: ${quoted(homeRegion, false)}`]),
  ]);
  return `# The audit stack: it owns the log bucket and the key, and it declares the fleet.
config:
${place({ accountId: auditAccount, alias: auditAlias }, region, deployRole)}  crosstrail:role: audit
  crosstrail:auditAccountId: ${quoted(auditAccount)}
  crosstrail:bucketName: ${quoted(bucket, false)}
${role}  crosstrail:members:${lines.length > 0 ? `\n${lines.join("\n")}` : " []"}
`;
}

function templateComment({ alias }: NewMember): string {
  return `# The template for member stacks. For a member called ${alias}: copy it to Pulumi.${alias}.yaml, fill in its account, then run
# \`pulumi stack init ${alias}\` and \`pulumi up -s ${alias}\`. The trail's name and home Region come from the audit
# stack.
`;
}

function memberFile(
  { accountId, alias, homeRegion }: NewMember,
  { region, deployRole }: Answers,
  auditStack: string,
): string {
  return `config:
${place({ accountId, alias }, homeRegion ?? region, deployRole)}  crosstrail:role: member
  crosstrail:accountId: ${quoted(accountId)}
  crosstrail:auditStack: ${quoted(auditStack, false)}
`;
}

/** Where a stack is deployed, and by whom. */
function place({ accountId, alias }: NewMember, region: string, deployRole: string): string {
  const arn = fillIn(deployRole, { partition: partitionOf(region) ?? "aws", accountId, alias });
  return `  aws:region: ${quoted(region, false)}
  # Credentials of any other account are refused, also by the provider and during a refresh.
  aws:allowedAccountIds: [${quoted(accountId)}]
${deployRole === "" ? "  # aws:profile: ...\n" : `  aws:assumeRoles:\n    - roleArn: ${quoted(arn, false)}\n`}`;
}

/** A value as YAML: in quotes where it must have them, or may. */
function quoted(value: string, always = true): string {
  return !always &&
    /^[A-Za-z][\w.:/{}+=,@-]*$/.test(value) &&
    !value.includes(": ") &&
    !/^(true|false|null|yes|no|on|off)$/i.test(value)
    ? value
    : JSON.stringify(value);
}

/** Reads the files as a deployment would, and says everything that is wrong in words of the options. */
function checkFiles(files: Record<string, string>, options: Options, given: Finding[]): void {
  const findings = [...given];
  for (const [name, text] of Object.entries(files)) {
    const [, stack] = /^Pulumi\.(.+)\.yaml$/.exec(name) ?? [];
    if (stack === undefined) continue;
    const config = parseConfig(name, text);
    try {
      parseStackConfig(stack, config);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      // What is wrong with a member is wrong in the audit stack's file already.
      if (stack === options.stack) findings.push(...error.findings.map((finding) => inOptions(finding, options)));
    }
  }
  if (findings.length > 0) {
    const count = findings.length === 1 ? "a mistake" : `${findings.length} mistakes`;
    throw new UserError(`The options contain ${count}. Nothing was written.`, findings);
  }
}

/** A finding about a file that is not written, as one about the option behind it. */
function inOptions({ subject, message, id }: Finding, options: Options): Finding {
  const [, key = "", index, field] = /^([\w:]+)(?:\[(\d+)\])?(?:\.(\w+))?/.exec(subject) ?? [];
  const option: Record<string, string> = {
    "crosstrail:auditAccountId": "--audit-account",
    "crosstrail:bucketName": "--bucket",
    "aws:region": "--region",
    "crosstrail:members": `--member ${options.member?.filter((text) => memberForm.test(text))[Number(index)] ?? ""}`,
  };
  const name = option[key];
  const isMissing = subject.endsWith("is not set");
  const value = / = (.*)$/s.exec(subject)?.[1];
  return {
    id,
    severity: "error",
    subject:
      name === undefined
        ? subject
        : field
          ? `${name}: ${field}`
          : isMissing
            ? `${name} is not given`
            : `${name} ${value}`,
    message: id === "config/account-id" ? message.replace(/; without quotes.*/s, ".") : message,
    remedy: isMissing ? `Add ${name ?? "it"}.` : "Correct the option.",
  };
}

function write(folder: string, name: string, text: string): void {
  try {
    // Fails if somebody has made the file meanwhile.
    writeFileSync(join(folder, name), text, { flag: "wx" });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") refuseExisting(folder, [name]);
    if (code === "EACCES" || code === "EROFS" || code === "ENOTDIR") {
      throw unusable(
        join(folder, name),
        `The file could not be written (${code}).`,
        "Choose another folder with --cwd.",
      );
    }
    throw error;
  }
}

function unusable(subject: string, message: string, remedy: string): UserError {
  return new UserError("The configuration could not be written.", [
    { id: "init/folder", severity: "error", subject, message, remedy },
  ]);
}

/** Whether the program that index.js names can be found from there. */
function resolves(folder: string): boolean {
  try {
    createRequire(join(folder, "index.js")).resolve("crosstrail/program");
    return true;
  } catch {
    return false;
  }
}

function nextSteps(
  folder: string,
  written: string[],
  options: Options,
  { members, deployRole }: Answers,
  installed: boolean,
): string {
  const { stack: auditStack, cwd } = options;
  const isDefault = auditStack === auditAlias;
  // In a clone of the repository the tool is not installed, it is there.
  const tool = existsSync(join(folder, "bin", "crosstrail.js")) ? "npm run -s crosstrail --" : "npx crosstrail";
  const steps = [
    ...(cwd === undefined || resolve(cwd) === process.cwd() ? [] : [`cd ${cwd}`]),
    ...(installed ? [] : ["npm install <crosstrail-*.tgz, made by npm pack>"]),
    `${tool} simulate${isDefault ? "" : ` --stack ${auditStack}`}`,
    ...["preview", "up"].map((verb) => `${tool} ${verb}${isDefault ? "" : ` --stack ${auditStack}`}`),
  ];
  const credentials =
    deployRole === ""
      ? members.length > 0
        ? "credentials for every account:\nset crosstrail:deployRole or crosstrail:deployProfile in the audit stack to say how to access the members."
        : "credentials for the account."
      : `credentials that can assume\nthe role ${deployRole.replace(/^arn:\{partition\}:iam::\{accountId\}:role\//, "")} in each account; ${tool} roles prints such roles.`;
  return [
    `Written: ${written.join(", ")}`,
    "",
    "Next:",
    ...steps.map((step) => `  ${step}`),
    "",
    "simulate needs only these files. preview and up need the Pulumi CLI, logged in",
    `to a backend of your choice (pulumi login), and ${credentials}`,
    "",
  ].join("\n");
}
