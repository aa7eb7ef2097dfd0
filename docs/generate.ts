/**
 * Writes what the documentation repeats from the code: the configuration in Pulumi.yaml and its tables in docs/configuration.md, how many
 * accounts fit into the policies, the components and their schema, the catalog of findings, what each command takes, and what each action of the deploy
 * roles is for.
 * `npm run docs` writes them; a test fails when they differ from the code.
 */
import { threatTable } from "../core/threats";
import { threatOthers, threatSettings } from "./threats";
import * as fs from "node:fs";
import * as path from "node:path";
import { Document, parseDocument } from "yaml";
import { everyCommand } from "../automation/cli";
import { exitCodes } from "../automation/output";
import { findingIds, UserError } from "../core/findings";
import type { TrailIdentity } from "../core/names";
import { BucketPolicyForm, bucketPolicy } from "../core/policies/bucket";
import { KeyPolicyForm, keyPolicy } from "../core/policies/key";
import { PolicyKind, type StatementNote, statementNotes } from "../core/policies/sids";
import type { Feature } from "../core/roles";
import { features, verifying } from "../core/roles";
import { keyTable } from "../core/settings";
import { cases, differs, type TamperCase } from "../tests/support/verifyCases";
import { configurationGroups } from "./configuration";
import { analyzedSchema, committedSchema, componentTables } from "./schema";

type Key = (typeof keyTable)[number];

const root = path.join(__dirname, "..");

/** The generated files, by their path from the root, as they are to be. */
export function generated(): Record<string, string> {
  const read = (file: string) => fs.readFileSync(path.join(root, file), "utf8");
  return {
    "Pulumi.yaml": projectFile(read("Pulumi.yaml")),
    "docs/configuration.md": between(read("docs/configuration.md"), "configuration", configurationTables()),
    "docs/cli.md": between(between(read("docs/cli.md"), "commands", commandReference()), "exit codes", exitCodeTable()),
    "docs/policies.md": between(
      between(
        between(read("docs/policies.md"), "capacities", capacityTable()),
        "bucket statements",
        statementTable(PolicyKind.Bucket, PolicyKind.CopiesBucket),
      ),
      "key statements",
      statementTable(PolicyKind.Key),
    ),
    "docs/findings.md": between(read("docs/findings.md"), "findings", findingTables()),
    "docs/threat-model.md": between(read("docs/threat-model.md"), "threats", threats()),
    "docs/verify.md": between(read("docs/verify.md"), "validate-logs", verdictTable()),
    "docs/components.md": between(read("docs/components.md"), "components", componentTables(committedSchema())),
    "docs/roles.md": between(read("docs/roles.md"), "actions", actionTables()),
  };
}

/** Pulumi.yaml with its `config` section from the key table; the rest stays unchanged. */
function projectFile(text: string): string {
  const document = parseDocument(text);
  const config = Object.fromEntries(
    keyTable.map(({ name, type, default: fallback, description, items }) => [
      name,
      { type, ...(items && { items: { type: items } }), default: fallback, description },
    ]),
  );
  document.set("config", new Document(config).contents);
  return document.toString({ lineWidth: 120 });
}

/** A section for each group: what it is for, an example, and its keys. */
function configurationTables(): string {
  const cell = (value: unknown) => (value === "" ? "" : `\`${JSON.stringify(value)}\``);
  const row = (name: string) => {
    const { roles, type, default: fallback, allowed, description } = keyTable.find((key) => key.name === name) as Key;
    const choice = allowed ? ` One of ${allowed.map((value) => `\`${value}\``).join(", ")}.` : "";
    return `| \`${name}\` | ${roles.join(", ")} | ${type} | ${cell(fallback)} | ${description}${choice} |`;
  };
  return configurationGroups
    .map(({ title, purpose, keys, example }) =>
      [
        `## ${title}`,
        purpose,
        ["```yaml", ...example.yaml.split("\n"), "```"].join("\n"),
        ["| key | stacks | type | default | meaning |", "|---|---|---|---|---|", ...keys.map(row)].join("\n"),
      ].join("\n\n"),
    )
    .join("\n\n");
}

/** How many accounts fit into each form, found by building the policies. */
function capacityTable(): string {
  const partition = "aws";
  const fleet = (count: number): TrailIdentity[] =>
    Array.from({ length: count }, (_, index) => ({
      partition,
      region: "eu-central-1",
      accountId: String(100000000000 + index),
      name: "organizationlog",
    }));
  const most = (fits: (trails: TrailIdentity[]) => boolean) => {
    let [below, above] = [0, 2048];
    while (above - below > 1) {
      const middle = Math.floor((below + above) / 2);
      if (fits(fleet(middle))) below = middle;
      else above = middle;
    }
    return below;
  };
  const fits = (build: () => unknown) => {
    try {
      build();
      return true;
    } catch (error) {
      if (error instanceof UserError) return false;
      throw error;
    }
  };
  const bucketName = "crosstrail-example-audit-logs-eu-central-11".padEnd(43, "1");
  // Form `organization` holds any number; its size is that of the trails' names.
  const named = <Form extends string>(forms: Form[]) => forms.filter((form) => form !== "organization");
  const rows = [
    ...named(Object.values(BucketPolicyForm)).map((form) => [
      "bucket",
      form,
      most((trails) => fits(() => bucketPolicy({ partition, bucketName, trails }, form))),
    ]),
    ...named(Object.values(KeyPolicyForm)).map((form) => [
      "key",
      form,
      most((trails) => fits(() => keyPolicy({ partition, auditAccountId: "999999999999", trails }, form))),
    ]),
  ];
  return ["| policy | form | accounts |", "|---|---|---|", ...rows.map((row) => `| ${row.join(" | ")} |`)].join("\n");
}

/** Who can still change the archive. */
function threats(): string {
  const { byDefault, guarded } = threatSettings();
  return threatTable(byDefault, guarded, threatOthers);
}

/** The statements of these policies, in their order. */
function statementTable(...kinds: PolicyKind[]): string {
  const cell = (text: string) => text.replaceAll("|", "\\|");
  const row = ([sid, { when, what, stops }]: [string, StatementNote]) =>
    `| \`${sid}\` | ${cell(when ?? "always")} | ${cell(what)} | ${cell(stops)} |`;
  return [
    "| statement | when | what it allows or denies | what it stops |",
    "|---|---|---|---|",
    ...kinds.flatMap((kind) => Object.entries(statementNotes[kind]).map(row)),
  ].join("\n");
}

/** A table for each category, in the catalog's order. */
function findingTables(): string {
  const categories = [...new Set(Object.keys(findingIds).map((id) => id.split("/")[0] as string))];
  const rows = (category: string) =>
    Object.entries(findingIds)
      .filter(([id]) => id.startsWith(`${category}/`))
      .map(([id, [meaning, whatToDo]]) => `| \`${id}\` | ${meaning} | ${whatToDo} |`);
  return categories
    .map((category) =>
      [`## ${category}`, "", "| id | meaning | what to do |", "|---|---|---|", ...rows(category)].join("\n"),
    )
    .join("\n\n");
}

/** Where AWS's own tool says something else than `crosstrail verify`: its exit codes are those of tests/engine/verify.test.ts. */
function verdictTable(): string {
  const asked = cases.filter(({ aws }) => typeof aws === "number");
  const row = ({ title, aws, exit, finds, why }: TamperCase) =>
    `| ${title} | ${aws} | ${exit} | ${[...new Set(finds)].map((id) => `\`${id}\``).join(", ")} | ${why} |`;
  const different = asked.filter((each) => differs(each) || each.why !== undefined);
  return [
    `Of ${asked.length} cases that both were asked about, these ${different.length} differ:`,
    "",
    "| what was done | `validate-logs` | `crosstrail verify` | findings | why |",
    "|---|---|---|---|---|",
    ...different.map(row),
  ].join("\n");
}

function exitCodeTable(): string {
  const rows = Object.entries(exitCodes).map(([code, { meaning }]) => `| ${code} | ${meaning} |`);
  return ["| exit code | meaning |", "|---|---|", ...rows].join("\n");
}

/** What each command takes, from what it declares. */
function commandReference(): string {
  const cell = (text: string) => text.replace(/\s+/g, " ").replaceAll("|", "\\|");
  return everyCommand()
    .commands.map(({ command, examples }) => {
      const operands = command.registeredArguments.map((operand) => {
        const choices = operand.argChoices ? ` One of ${operand.argChoices.join(", ")}.` : "";
        return `| \`<${operand.name()}>\` | ${cell(operand.description)}.${choices} |`;
      });
      const shown = command.options.filter(({ hidden }) => !hidden);
      const options = shown.map(({ flags, description, argChoices, defaultValue }) => {
        const choices = argChoices ? ` One of ${argChoices.join(", ")}.` : "";
        const fallback = typeof defaultValue === "string" ? ` Default: \`${defaultValue}\`.` : "";
        return `| \`${cell(flags)}\` | ${cell(description)}.${choices}${fallback} |`;
      });
      return [
        `### crosstrail ${command.name()}`,
        `${command.description()} \`crosstrail ${command.name()} ${command.usage()}\``,
        ["| option | meaning |", "|---|---|", ...operands, ...options].join("\n"),
        ["```", ...examples, "```"].join("\n"),
      ].join("\n\n");
    })
    .join("\n\n");
}

/** The rows of core/roles/table.ts. */
function actionTables(): string {
  return (Object.entries({ ...features, verify: verifying }) as [string, Feature][])
    .map(([name, { title, accounts, grants }]) => {
      const rows = grants.map(({ action, access, why }) => `| \`${action}\` | ${access} | ${why} |`);
      return [
        `**${name}** (${accounts.join(", ")}): ${title}`,
        ["| action | from | for |", "|---|---|---|", ...rows].join("\n"),
      ].join("\n\n");
    })
    .join("\n\n");
}

/** `text` with what stands between the markers of `section` replaced. */
function between(text: string, section: string, content: string): string {
  const [begin, end] = [`<!-- begin ${section} -->`, `<!-- end ${section} -->`];
  const [before, rest] = text.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`the markers of section ${section} are missing`);
  return `${before}${begin}\n\n${content}\n\n${end}${after}`;
}

if (require.main === module) {
  fs.writeFileSync(path.join(root, "schema.json"), `${JSON.stringify(analyzedSchema(), null, 2)}\n`);
  for (const [file, text] of Object.entries(generated())) fs.writeFileSync(path.join(root, file), text);
}
