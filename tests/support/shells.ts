/** Asks shells what they complete: each as it is used, in folders of its own, and gone when it has answered. */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Verb, VerbOption } from "../../automation/commands/completion";

export const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

/** The shell's version; undefined where it is not installed. */
export function versionOf(shell: Shell): string | undefined {
  const { status, stdout } = spawnSync(shell, ["--version"], { encoding: "utf8", timeout: 10_000 });
  return status === 0 ? /\d+\.\d+(\.\d+)?/.exec(stdout)?.[0] : undefined;
}

/** What a shell makes of a line: the words that it offers, with what it says of them, and the line with the Tab key's work. */
export interface Answer {
  offers: [word: string, description?: string][];
  /** Where the shell can be asked for it. */
  filled?: string;
}

/** The folder in which the lines are typed. */
export function layOut(folder: string, script: string): void {
  for (const name of ["here", "here/a folder", "here/cases", "home"])
    mkdirSync(join(folder, name), { recursive: true });
  for (const name of ["cases.json", "with space.json"]) writeFileSync(join(folder, "here", name), "");
  writeFileSync(join(folder, "script"), script);
  writeFileSync(join(folder, "setup"), zshSetup);
}

/** @param lines What is typed before the Tab key. */
export function ask(shell: Shell, folder: string, lines: string[]): Answer[] {
  const text = { bash: askBash, zsh: askZsh, fish: askFish }[shell](lines);
  const { status, stdout, stderr, error } = spawnSync(shell, text, {
    cwd: join(folder, "here"),
    env: { ...process.env, HOME: join(folder, "home"), TERM: "xterm" },
    encoding: "utf8",
    timeout: 60_000,
  });
  if (error || status !== 0 || stderr !== "") throw new Error(`${shell}: ${error?.message ?? status}\n${stderr}`);
  const answers = stdout.split("\u0001").slice(1);
  if (answers.length !== lines.length) throw new Error(`${answers.length} of ${lines.length} answers: ${stdout}`);
  return answers.map(shell === "zsh" ? zshAnswer : plainAnswer);
}

/** bash has no list of what it would offer: its function is called as bash calls it. */
function askBash(lines: string[]): string[] {
  const program = `
    source ../script
    for line in "$@"; do
      eval "COMP_WORDS=($line)"
      [ "\${line: -1}" = " " ] && COMP_WORDS+=("")
      COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
      _crosstrail 2>&1
      printf '\\001'
      [ \${#COMPREPLY[@]} -gt 0 ] && printf '%s\\n' "\${COMPREPLY[@]}"
    done
    true`;
  return ["--norc", "-c", program, "bash", ...lines];
}

function askFish(lines: string[]): string[] {
  const program = `
    source ../script
    for line in $argv
      printf '\\001'
      complete -C $line
    end
    true`;
  return ["--no-config", "-c", program, ...lines];
}

function plainAnswer(text: string): Answer {
  const offers = text.split("\n").filter(Boolean);
  return { offers: offers.map((line) => line.split("\t") as [string, string?]).sort(([a], [b]) => (a < b ? -1 : 1)) };
}

/** Run in the terminal: wide enough for every line, with a key that shows what has become of the line. */
const zshSetup = String.raw`
stty columns 200 rows 200
PROMPT= RPROMPT= LISTMAX=0
autoload -Uz compinit && compinit -u
source ../script
shown() { print -r -- $'\x02'$BUFFER$'\x03'; BUFFER=; }
zle -N shown
bindkey '^Y' shown
print ready
`;

/** zsh answers at a terminal only, so it is given one; what it shows there is read. */
function askZsh(lines: string[]): string[] {
  const program = `
    zmodload zsh/zpty
    zpty shell zsh -f -i
    read_until() {
      local piece
      seen=""
      while zpty -r shell piece; do
        seen+=$piece
        [[ $seen = *$1* ]] && return
      done
      print -u2 "zsh ended"
      exit 1
    }
    zpty -w shell 'source ../setup'
    read_until ready
    for line in "$@"; do
      zpty -n -w shell "$line"$'\\t\\C-y'
      read_until $'\\003'
      print -rn -- $'\\001'$seen
    done
    zpty -d shell`;
  return ["-f", "-c", program, "zsh", ...lines];
}

/** A list stands below the line, and ends where the cursor goes up again. */
function zshAnswer(text: string): Answer {
  const [shown = "", filled] = text.split(/[\u0002\u0003]/);
  const [list = ""] = shown.split(/\u001b\[\d*A/);
  const plain = list.replace(/\u001b\[[\d;?]*[A-Za-z]|\u0007/g, "");
  const lines = plain
    .split(/\r*\n/)
    .slice(1)
    .map((line) => line.replace(/^\r+/, "").trim());
  const offers = lines.filter(Boolean).flatMap((line): Answer["offers"] => {
    const described = /^(\S+) +-- (.*)$/.exec(line);
    return described ? [[described[1] as string, described[2]]] : line.split(/ {2,}/).map((word) => [word]);
  });
  return { offers: offers.sort(([a], [b]) => (a < b ? -1 : 1)), filled };
}

const option = (flag: string, takes: VerbOption["takes"], description: string, many = false): VerbOption => ({
  flag,
  description,
  takes,
  value: takes === "nothing" ? "" : "value",
  many,
});

/** Verbs with every kind of option, and texts that a shell could take for its own. */
export const sampleVerbs: Verb[] = [
  {
    name: "show",
    summary: 'the fleet\'s state: 100% of it [all], "now"',
    values: [],
    options: [
      option(
        "--plain",
        "nothing",
        'it\'s "plain": [no] colours; \\n, $HOME, $(date), `date`, 50% <x> & | ~ * ? {a,b} #',
      ),
      option("--file", "file", "a file"),
      option("--folder", "folder", "a folder"),
      option("--name", "text", "a name"),
      option("--format", ["json", "text"], "json: for scripts"),
      option("--names", "text", "names", true),
      option("--files", "file", "files", true),
      option("--formats", ["json", "text"], "formats", true),
    ],
  },
  { name: "mfa-delete", summary: "two words", values: ["on", "off"], options: [option("--json", "nothing", "JSON")] },
];

export const sampleLines = [
  "crosstrail ",
  "crosstrail sh",
  "crosstrail --",
  "crosstrail help ",
  "crosstrail nothing ",
  "crosstrail show --",
  "crosstrail show --plain --form",
  "crosstrail show --file w",
  "crosstrail show --file ",
  "crosstrail show --folder ",
  "crosstrail show --name ",
  "crosstrail show --format ",
  "crosstrail show --format j",
  "crosstrail show --format json t",
  "crosstrail show --format json --fi",
  "crosstrail show --names show --pl",
  "crosstrail show --names a b",
  "crosstrail show --files cases.json w",
  "crosstrail show --formats json ",
  "crosstrail show --formats json text --pl",
  "crosstrail mfa-delete o",
  "crosstrail mfa-delete --json of",
];
