import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { join, posix } from "node:path";
import ts from "typescript";
import { read, root } from "./support/config";

/** What reads as translated, with what to write instead. CONTRIBUTING.md has the glossary. */
const unidiomatic: [RegExp, string][] = [
  [/\bmend(s|ed|ing)?\b/i, "fix, repair"],
  [/\b(a|no) texts?\b/i, "a string"],
  [/\b(tells?|told|telling) of\b/i, "notify, report"],
  [/\benter(s|ed|ing)?\b/, "access (an account), type (a value)"],
  [/(?<!-)\b(tie|ties|tied|tying)\b/i, "restrict"],
  [/\bfor ever\b/i, "forever"],
  [/\bleft alone\b/i, "skipped, unchanged"],
  [/\b(is|are|be|was|were) in order\b/i, "succeed, be correct"],
  [/(?<!\bthere )\b(is|are) none\b(?! of\b)/i, "is invalid, does not exist"],
  [/(?<!\bthere |\bthere's )\bis no (?!longer\b|more\b|other\b|better\b)/i, "is not a"],
  [/\b(go|goes|went|going) on\b/i, "continue"],
  [/\bbut for\b/i, "except"],
  [/\bas (it is|they are)(?= *[.,;:)]|$)/i, "unchanged"],
  [/\b(is|are) there already\b|\balready there\b/i, "existing, already exists"],
  [/\bwould not do\b/i, "would not work"],
  [/\bjust as well\b/i, "or"],
  [/\bnot said\b/i, "not specified"],
  [/\bwhoever\b/i, "anyone who, the caller"],
  [/\bnobody can be asked\b/i, "there is no terminal"],
  [/\bwhat [^.,;:?!|]{1,60}, (is|are|was|were)\b/i, "whatever ... is, without the comma"],
  [
    /(^|[.:] )of (each|every|all|what|these|those|a|an|the) [^.,:]{1,60}[,:]? (its|only|nothing|no)\b/i,
    "start with the subject",
  ],
  [/\bstands? (twice|once|here|there|at|in place)\b/i, "is, appears"],
];

/** British spellings: AWS and Pulumi write American English. "cancelled" stays, as the word of a status that scripts read. */
const british =
  /(?<![\w/.@#-])((un)?authoris|(?:mis)?recognis|organis|normalis|serialis|summaris|minimis|analys(?=e[ds]?\b)|behaviour|colour|favour|honour|neighbour|catalogue|judgement|misspelt|spelt|learnt|modelled|labelled|licence|centre\b|defence|artefact|grey\b|whilst)/i;

/** Every file that people write or read. */
const everything = [
  "automation",
  "bin",
  "CHANGELOG.md",
  "components",
  "CONTRIBUTING.md",
  "core",
  "docs",
  "examples",
  "programs",
  "README.md",
  "sandbox",
  "SECURITY.md",
];

/** The texts of a file: of code, strings and comments; of documents, what is not code. */
function textsOf(file: string, text = read(file)): { line: number; text: string }[] {
  if (/\.(ts|js|mjs)$/.test(file)) return textsOfCode(file, text);
  const lines = text.split("\n");
  if (/\.md$/.test(file)) return textsOfMarkdown(lines);
  if (/\.py$/.test(file))
    return lines.map((each, at) => ({ line: at + 1, text: each.replace(/\bis (not )?None\b/g, "") }));
  return lines.map((each, at) => ({ line: at + 1, text: each }));
}

function textsOfCode(file: string, text: string): { line: number; text: string }[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found = new Map<number, string>();
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node))
      found.set(node.getStart(source), node.text);
    const children = node.getChildren(source);
    children.forEach(visit);
    if (children.length > 0) return;
    const [from, to] = [node.getFullStart(), node.getEnd()];
    for (const { pos, end } of [
      ...(ts.getLeadingCommentRanges(text, from) ?? []),
      ...(ts.getTrailingCommentRanges(text, to) ?? []),
    ])
      found.set(pos, text.slice(pos, end).replace(/\n\s*\*(?!\/) ?|^\/\*+ ?|\s*\*\/$/g, " "));
  };
  visit(source);
  return [...found]
    .sort(([a], [b]) => a - b)
    .map(([at, each]) => ({ line: source.getLineAndCharacterOfPosition(at).line + 1, text: each.trim() }));
}

/** Paragraphs, so that a phrase is found across a line break; code and the left column of the glossary are left out. */
function textsOfMarkdown(lines: string[]): { line: number; text: string }[] {
  const found: { line: number; text: string }[] = [];
  let fenced = false;
  let glossary = false;
  let paragraph: { line: number; text: string } | undefined;
  lines.forEach((each, at) => {
    if (/^\s*```/.test(each)) fenced = !fenced;
    if (/^\| (Not|Instead of) \|/.test(each)) glossary = true;
    else if (!each.startsWith("|")) glossary = false;
    if (fenced || glossary || each.trim() === "") {
      paragraph = undefined;
      return;
    }
    const prose = each.replace(/`[^`]*`/g, "`").trim();
    if (paragraph && !/^([-|#]|\d+\.)/.test(prose)) paragraph.text += ` ${prose}`;
    else found.push((paragraph = { line: at + 1, text: prose }));
  });
  return found;
}

/** Whether a file can have one of the patterns at all; most have none, and need not be parsed. */
function mayHave(patterns: RegExp[], text: string): boolean {
  const line = text.replace(/\s*\n\s*(?:\*(?!\/)|\/\/)?\s*/g, " ");
  return patterns.some((pattern) => {
    // A string or comment begins and ends anywhere in the line.
    const anywhere = pattern.source.replaceAll("(^|[.:] )", "").replaceAll("|$)", "|.)");
    return new RegExp(anywhere, pattern.flags).test(line);
  });
}

/** Every phrase of a file that should be another. */
function stumbles(file: string, text?: string): string[] {
  if (
    text === undefined &&
    !mayHave(
      unidiomatic.map(([pattern]) => pattern),
      read(file),
    )
  )
    return [];
  return textsOf(file, text).flatMap((each) =>
    unidiomatic.flatMap(([pattern, instead]) => {
      const match = pattern.exec(each.text);
      return match ? [`${file}:${each.line} "${match[0].trim()}": ${instead}`] : [];
    }),
  );
}

function filesOf(entry: string): string[] {
  if (statSync(join(root, entry)).isFile()) return [entry];
  return readdirSync(join(root, entry), { withFileTypes: true }).flatMap((each) => {
    const path = posix.join(entry, each.name);
    if (each.isDirectory()) return each.name === "node_modules" ? [] : filesOf(path);
    return /\.(ts|js|mjs|md|py|yaml)$/.test(each.name) ? [path] : [];
  });
}

describe("English that nobody stumbles over", function () {
  // Files that may have a phrase are parsed.
  this.timeout(60_000);
  for (const entry of everything) {
    it(`${entry} has none of the phrases that CONTRIBUTING.md lists`, () => {
      const files = filesOf(entry);
      assert.ok(files.length > 0, entry);
      assert.deepEqual(
        files.flatMap((file) => stumbles(file)),
        [],
      );
    });
  }

  it("is American English, as in AWS's and Pulumi's own documentation", () => {
    const files = everything.flatMap(filesOf).filter((file) => mayHave([british], read(file)));
    const found = files.flatMap((file) =>
      textsOf(file).flatMap(({ line, text }) => {
        const match = british.exec(text);
        return match && !/^\S+$/.test(text) ? [`${file}:${line} ${match[0]}`] : [];
      }),
    );
    assert.deepEqual(found, []);
    assert.ok(british.test("is authorised") && !british.test("modernisation-platform") && !british.test("authorized"));
  });

  it("is looked for in strings, templates and comments, wherever a line breaks", () => {
    const code = [
      "/** What mends",
      " * it; left",
      " * alone. */",
      'const a = "a text"; // for ever',
      "const b = `tied to ${a} and goes on ${f(() => { /* as it is. */ })} but for one`;",
      "const mend = { tied: 1 };",
    ].join("\n");
    assert.deepEqual(
      stumbles("core/x.ts", code).map((each) => each.replace(/:[^:]*$/, "")),
      [
        'core/x.ts:1 "mends"',
        'core/x.ts:1 "left alone"',
        'core/x.ts:4 "a text"',
        'core/x.ts:4 "for ever"',
        'core/x.ts:5 "tied"',
        'core/x.ts:5 "goes on"',
        'core/x.ts:5 "as it is"',
        'core/x.ts:5 "but for"',
      ],
    );
  });

  it("is looked for in documents, but not in their code nor in the glossary", () => {
    const page = [
      "Logs stay for",
      "ever.",
      "",
      "```",
      "mend",
      "```",
      "| Not | But |",
      "|---|---|",
      "| mend | fix |",
      "",
      "| `mend` | tied |",
    ];
    assert.deepEqual(stumbles("docs/x.md", page.join("\n")), [
      'docs/x.md:1 "for ever": forever',
      'docs/x.md:11 "tied": restrict',
    ]);
  });
});
