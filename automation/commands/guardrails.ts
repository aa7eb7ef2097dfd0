/** `crosstrail guardrails`: policies of the organization that keep administrators from the trails and the archive. */
import type { Command } from "commander";
import { Argument } from "commander";
import pc from "picocolors";
import type { Guardrail } from "../../core/guardrails";
import { guardrails } from "../../core/guardrailNames";
import { controlPolicyLimit, exemptRoleProblem, GuardrailId } from "../../core/guardrails";
import { serialize, size } from "../../core/policies/document";
import { RoleAccess, roleSubjects } from "../../core/roles";
import type { Outcome, Surroundings } from "../output";
import { ExitCode, ExitError } from "../output";
import { readAuditFile } from "../stackFile";
import type { AuditFileOptions } from "./_options";
import { auditFileOf, defineAuditFile } from "./_options";
import { entered, everyOtherStack, roleArnOf } from "./roles";

interface Options extends AuditFileOptions {
  exempt?: string[];
}

export const examples = [
  "crosstrail guardrails",
  "crosstrail guardrails members > members.json",
  "crosstrail guardrails audit --exempt 'arn:aws:iam::*:role/OrganizationAccountAccessRole'",
];

export function define(command: Command): void {
  defineAuditFile(command)
    .addArgument(
      new Argument(
        "[policy]",
        "print this policy's JSON alone; without it all of them, and what each prevents",
      ).choices(Object.values(GuardrailId)),
    )
    .option(
      "--exempt <arns...>",
      "roles for which the policies do not hold, beside those that deploy; * for the account means in every account",
    );
}

export function run(options: Options, { env, color }: Surroundings, [policy]: string[]): Promise<Outcome> {
  const file = auditFileOf(options, env);
  const settings = readAuditFile(file, env);
  const subjects = roleSubjects(settings, everyOtherStack(settings, file, env));
  const found = guardrails({
    settings,
    accounts: subjects.map(({ names }) => names),
    deployRoleArns: subjects.flatMap((subject) =>
      [RoleAccess.Deploy, RoleAccess.Remove].map((access) => roleArnOf(entered(settings, subject, file), access)),
    ),
    exemptRoleArns: [...settings.guardrails.exemptRoleArns, ...exemptArns(options.exempt ?? [])],
  });
  const wanted = found.filter(({ id }) => policy === undefined || id === policy);
  if (wanted.length === 0) {
    throw new ExitError(
      ExitCode.Usage,
      `There is no policy ${policy}: it would be for the management account, for which control policies do not hold, or for no account at all.\n  → crosstrail guardrails prints the others.`,
    );
  }
  return Promise.resolve({
    exitCode: ExitCode.Ok,
    findings: [],
    data: () => wanted.map((each) => ({ ...each, characters: size(each.document), limit: controlPolicyLimit })),
    isDocument: policy !== undefined,
    text: () =>
      policy === undefined
        ? wanted.map((each) => description(each, pc.createColors(color))).join("\n")
        : `${JSON.stringify((wanted[0] as Guardrail).document, undefined, 2)}\n`,
    notes: () => (policy === undefined ? "" : notesOf(wanted[0] as Guardrail).join("\n") + "\n"),
  });
}

/** ARNs of roles, in which the account may be `*`. */
function exemptArns(arns: string[]): string[] {
  for (const arn of arns) {
    const problem = exemptRoleProblem(arn);
    if (problem) {
      throw new ExitError(ExitCode.Usage, `--exempt ${arn}: ${problem}.\n  → Give ARNs of roles.`);
    }
  }
  return arns;
}

function notesOf({ type, accountIds, prevents, couldHurt, document }: Guardrail): string[] {
  return [
    `${type}, ${size(document)} of ${controlPolicyLimit} characters. Attach it to: ${accountIds.join(", ")}`,
    "It prevents, for everybody else:",
    ...Object.entries(prevents).map(([sid, why]) => `  - ${why} (${sid})`),
    "It could hurt:",
    ...couldHurt.map((each) => `  - ${each}`),
  ];
}

function description(guardrail: Guardrail, colors: ReturnType<typeof pc.createColors>): string {
  return [
    colors.bold(`${guardrail.title} (${guardrail.id})`),
    ...notesOf(guardrail).map((line) => `  ${line}`),
    "",
    serialize(guardrail.document),
    "",
  ].join("\n");
}
