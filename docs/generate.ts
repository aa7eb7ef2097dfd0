/**
 * Writes what the documentation repeats from the code: the configuration in Pulumi.yaml and its table in README.md.
 * `npm run docs` writes them; a test fails when they differ from the code.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { Document, parseDocument } from "yaml";
import { keyTable } from "../core/settings";

const root = path.join(__dirname, "..");

/** The generated files, by their path from the root, as they are to be. */
export function generated(): Record<string, string> {
  const read = (file: string) => fs.readFileSync(path.join(root, file), "utf8");
  return {
    "Pulumi.yaml": projectFile(read("Pulumi.yaml")),
    "README.md": between(read("README.md"), "configuration", configurationTable()),
  };
}

/** Pulumi.yaml with its `config` section from the key table; the rest stays as it is. */
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

function configurationTable(): string {
  const cell = (value: unknown) => (value === "" ? "" : `\`${JSON.stringify(value)}\``);
  const rows = keyTable.map(({ name, roles, type, default: fallback, allowed, description }) => {
    const choice = allowed ? ` One of ${allowed.map((value) => `\`${value}\``).join(", ")}.` : "";
    return `| \`${name}\` | ${roles.join(", ")} | ${type} | ${cell(fallback)} | ${description}${choice} |`;
  });
  return ["| key | stacks | type | default | meaning |", "|---|---|---|---|---|", ...rows].join("\n");
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
  for (const [file, text] of Object.entries(generated())) fs.writeFileSync(path.join(root, file), text);
}
