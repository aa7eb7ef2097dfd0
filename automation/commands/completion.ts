/** `crosstrail completion`: a shell's completion script, written from what the commands declare. */
import type { Command, Option } from "commander";
import { Argument } from "commander";
import { everyCommand } from "../cli";
import type { Outcome } from "../output";
import { ExitCode } from "../output";

const shells = ["bash", "zsh", "fish"] as const;
type Shell = (typeof shells)[number];

export const examples = [
  'eval "$(crosstrail completion bash)"',
  'eval "$(crosstrail completion zsh)"',
  "crosstrail completion fish > ~/.config/fish/completions/crosstrail.fish",
];

export function define(command: Command): void {
  command
    .addArgument(new Argument("<shell>", "the shell").choices(shells))
    .addHelpText(
      "after",
      "\nAdd the line to your shell's startup file. The script is self-contained: pressing Tab starts no process.",
    );
}

export function run(_options: unknown, _surroundings: unknown, [shell]: string[]): Promise<Outcome> {
  const verbs = everyCommand().commands.map(({ command }) => verbOf(command));
  const script = completionScript(shell as Shell, verbs);
  return Promise.resolve({
    exitCode: ExitCode.Ok,
    findings: [],
    data: () => ({ shell, script }),
    isDocument: true,
    text: () => script,
  });
}

/** What a verb takes, as far as a shell can complete it. */
export interface Verb {
  name: string;
  summary: string;
  options: VerbOption[];
  /** The values of its first argument, when they are a closed set. */
  values: string[];
}

export interface VerbOption {
  flag: string;
  description: string;
  takes: "nothing" | "file" | "folder" | "text" | string[];
  /** What the value is, in one word. */
  value: string;
  /** Whether more than one value may follow. */
  many: boolean;
}

export function verbOf(command: Command): Verb {
  const help = { flag: "--help", description: "print help", takes: "nothing" as const, value: "", many: false };
  return {
    name: command.name(),
    summary: command.summary(),
    options: [...command.options.filter(({ hidden }) => !hidden).map(verbOption), help],
    values: command.registeredArguments[0]?.argChoices ?? [],
  };
}

function verbOption(option: Option): VerbOption {
  const [, value = ""] = /[<[]([\w-]+)/.exec(option.flags) ?? [];
  return {
    flag: option.long as string,
    // Some are broken for the help's sake; a shell shows one line.
    description: option.description.replace(/\s+/g, " "),
    takes: takenBy(option, value),
    value,
    many: option.variadic,
  };
}

function takenBy({ argChoices, required, optional }: Option, value: string): VerbOption["takes"] {
  if (argChoices) return argChoices;
  if (!required && !optional) return "nothing";
  if (value === "folder") return "folder";
  return /^(file|paths?)$/.test(value) ? "file" : "text";
}

/** The script of a shell for these verbs. */
export function completionScript(shell: Shell, verbs: Verb[]): string {
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](verbs);
}

/** What may be given instead of a verb. */
const instead = [
  { name: "help", summary: "print the help of a command, with examples" },
  { name: "--help", summary: "print help" },
  { name: "--version", summary: "print the version" },
];

function bashScript(verbs: Verb[]): string {
  const reply = (takes: VerbOption["takes"]): string => {
    if (takes === "file") return "_crosstrail_paths -f";
    if (takes === "folder") return "_crosstrail_paths -d";
    return `COMPREPLY=($(compgen -W "${takes === "text" ? "" : (takes as string[]).join(" ")}" -- "$word"))`;
  };
  const branch = ({ name, options, values }: Verb): string => {
    // Behind an option that takes several values, each word is one until the next option begins.
    const cases = options
      .filter(({ takes }) => takes !== "nothing")
      .map(({ flag, takes, many }) => `        "${flag} "${many ? "*" : "1"}) ${reply(takes)}; return ;;`);
    const words = [...options.map(({ flag }) => flag), ...values].join(" ");
    return [
      `    ${name})`,
      '      case "$option $distance" in',
      ...cases,
      "      esac",
      `      COMPREPLY=($(compgen -W "${words}" -- "$word")) ;;`,
    ].join("\n");
  };
  const names = verbs.map(({ name }) => name);
  return `# bash completion for crosstrail
_crosstrail_paths() {
  local IFS=$'\\n'
  compopt -o filenames 2>/dev/null
  COMPREPLY=($(compgen "$1" -- "$word"))
}
_crosstrail() {
  local word="\${COMP_WORDS[COMP_CWORD]}" option="" distance=0 index
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${[...names, ...instead.map(({ name }) => name)].join(" ")}" -- "$word"))
    return
  fi
  # The option before the word, and how many words before.
  if [ "\${word:0:1}" != "-" ]; then
    for ((index = COMP_CWORD - 1; index > 1; index--)); do
      case "\${COMP_WORDS[index]}" in
        -*) option="\${COMP_WORDS[index]}"; distance=$((COMP_CWORD - index)); break ;;
      esac
    done
  fi
  case "\${COMP_WORDS[1]}" in
    help) COMPREPLY=($(compgen -W "${names.join(" ")}" -- "$word")) ;;
${verbs.map(branch).join("\n")}
  esac
}
complete -F _crosstrail crosstrail
`;
}

function zshScript(verbs: Verb[]): string {
  const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  // A colon would end what a word means, a bracket its description.
  const described = (word: string, means: string) => quoted(`${word}:${means.replace(/[\\:]/g, "\\$&")}`);
  const action = (takes: VerbOption["takes"]): string => {
    if (Array.isArray(takes)) return `(${takes.join(" ")})`;
    return takes === "folder" ? "_files -/" : "_files";
  };
  const option = ({ flag, description, takes, value, many }: VerbOption): string => {
    const said = `${flag}${takes === "nothing" || many ? "" : "="}[${description.replace(/[\\[\]]/g, "\\$&")}]`;
    return quoted(
      takes === "nothing" ? said : `${many ? "*" : ""}${said}:${value}:${takes === "text" ? " " : action(takes)}`,
    );
  };
  const branch = ({ name, options, values }: Verb): string => {
    // zsh itself knows of one value for an option; what stands behind it belongs to the option before.
    const further = options.filter(({ takes, many }) => many && takes !== "text");
    const lines = [
      ...options.map(option),
      ...(values.length > 0 ? [quoted(`1:value:(${values.join(" ")})`)] : []),
      ...(further.length > 0 ? [quoted("*:value:->more")] : []),
    ];
    const more = further.map(({ flag, takes }) =>
      Array.isArray(takes)
        ? `        ${flag}) compadd - ${takes.join(" ")} ;;`
        : `        ${flag}) ${action(takes)} ;;`,
    );
    return [
      `    ${name})`,
      `      _arguments \\\n${lines.map((line) => `        ${line}`).join(" \\\n")}`,
      ...(more.length > 0 ? ["      [[ $state = more ]] && case $words[(R)-*] in", ...more, "      esac"] : []),
      "      ;;",
    ].join("\n");
  };
  const list = (all: { name: string; summary: string }[]) =>
    all.map(({ name, summary }) => `    ${described(name, summary)}`).join("\n");
  return `#compdef crosstrail
# zsh completion for crosstrail
_crosstrail() {
  local -a verbs instead
  verbs=(
${list(verbs)}
  )
  instead=(
${list(instead)}
  )
  if (( CURRENT == 2 )); then
    _describe verb verbs -- instead
    return
  fi
  local verb=$words[2] state line
  local -A opt_args
  shift words
  (( CURRENT-- ))
  case $verb in
    help) (( CURRENT == 2 )) && _describe verb verbs ;;
${verbs.map(branch).join("\n")}
  esac
}
if [ "$funcstack[1]" = "_crosstrail" ]; then
  _crosstrail "$@"
else
  # A shell whose startup file has not asked for completion yet does not know compdef.
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
  compdef _crosstrail crosstrail
fi
`;
}

function fishScript(verbs: Verb[]): string {
  const quoted = (text: string) => `'${text.replace(/[\\']/g, "\\$&")}'`;
  const taking = (takes: VerbOption["takes"]): string => {
    if (takes === "nothing") return "";
    if (takes === "file") return " -r -F";
    if (takes === "folder") return " -x -a '(__fish_complete_directories)'";
    return takes === "text" ? " -x" : ` -x -a ${quoted((takes as string[]).join(" "))}`;
  };
  const first = ({ name, summary }: { name: string; summary: string }) =>
    `complete -c crosstrail -n __crosstrail_first -a ${name} -d ${quoted(summary)}`;
  const lines = verbs.flatMap(({ name, summary, options, values }) => [
    first({ name, summary }),
    `complete -c crosstrail -n '__crosstrail_verb help' -a ${name} -d ${quoted(summary)}`,
    ...(values.length > 0
      ? [`complete -c crosstrail -n '__crosstrail_verb ${name}' -a ${quoted(values.join(" "))}`]
      : []),
    ...options.flatMap(({ flag, description, takes, many }) => [
      `complete -c crosstrail -n '__crosstrail_verb ${name}' -l ${flag.slice(2)}${taking(takes)} -d ${quoted(description)}`,
      // fish itself knows of one value for an option.
      ...(many && takes !== "text"
        ? [
            `complete -c crosstrail -n '__crosstrail_more ${name} ${flag}'${taking(takes).replace(" -r", "").replace(" -x", "")}`,
          ]
        : []),
    ]),
  ]);
  return `# fish completion for crosstrail
function __crosstrail_first
  test (count (commandline -opc)) -eq 1
end
function __crosstrail_verb
  set -l words (commandline -opc)
  test (count $words) -ge 2; and test "$words[2]" = $argv[1]
end
# Whether the last option of this verb is this one: further values follow it.
function __crosstrail_more
  __crosstrail_verb $argv[1]; or return 1
  set -l options (string match -- '-*' (commandline -opc))
  test (count $options) -gt 0; and test "$options[-1]" = $argv[2]
end
complete -c crosstrail -f
${[...lines, ...instead.map(first)].join("\n")}
`;
}
