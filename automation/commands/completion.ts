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
    .addArgument(new Argument("<shell>", "the shell that reads it").choices(shells))
    .addHelpText(
      "after",
      "\nPut the line into the shell's startup file. The script is complete: nothing is started at the Tab key.",
    );
}

export function run(_options: unknown, _surroundings: unknown, [shell]: string[]): Promise<Outcome> {
  const verbs = everyCommand().commands.map(({ command }) => verbOf(command));
  const script = { bash: bashScript, zsh: zshScript, fish: fishScript }[shell as Shell](verbs);
  return Promise.resolve({
    exitCode: ExitCode.Ok,
    findings: [],
    data: () => ({ shell, script }),
    text: () => script,
  });
}

/** What a verb takes, as far as a shell can complete it. */
interface Verb {
  name: string;
  summary: string;
  options: { flag: string; description: string; takes: "nothing" | "file" | "text" | string[] }[];
  /** The values of its first argument, when they are a closed set. */
  values: string[];
}

function verbOf(command: Command): Verb {
  const options = command.options
    .filter(({ hidden }) => !hidden)
    .map((option) => ({ flag: option.long as string, description: option.description, takes: takenBy(option) }));
  return {
    name: command.name(),
    summary: command.summary(),
    options: [...options, { flag: "--help", description: "display help for command", takes: "nothing" as const }],
    values: command.registeredArguments[0]?.argChoices ?? [],
  };
}

function takenBy(option: Option): Verb["options"][number]["takes"] {
  if (option.argChoices) return option.argChoices;
  if (!option.required && !option.optional) return "nothing";
  return /<(file|folder|paths?)\b/.test(option.flags) ? "file" : "text";
}

function bashScript(verbs: Verb[]): string {
  const branch = ({ name, options, values }: Verb): string => {
    const cases = options
      .filter(({ takes }) => takes !== "nothing")
      .map(({ flag, takes }) => {
        if (takes === "file") return `        ${flag}) COMPREPLY=($(compgen -f -- "$word")); return ;;`;
        const words = takes === "text" ? "" : (takes as string[]).join(" ");
        return `        ${flag}) COMPREPLY=($(compgen -W "${words}" -- "$word")); return ;;`;
      });
    const words = [...options.map(({ flag }) => flag), ...values].join(" ");
    return [
      `    ${name})`,
      '      case "$before" in',
      ...cases,
      "      esac",
      `      COMPREPLY=($(compgen -W "${words}" -- "$word")) ;;`,
    ].join("\n");
  };
  const names = [...verbs.map(({ name }) => name), "help", "--help", "--version"].join(" ");
  return `# bash completion for crosstrail
_crosstrail() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}"
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${names}" -- "$word"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
    help) COMPREPLY=($(compgen -W "${verbs.map(({ name }) => name).join(" ")}" -- "$word")) ;;
${verbs.map(branch).join("\n")}
  esac
}
complete -o filenames -F _crosstrail crosstrail
`;
}

function zshScript(verbs: Verb[]): string {
  const quoted = (text: string) => `'${text.replace(/[[\]:]/g, "\\$&").replaceAll("'", "'\\''")}'`;
  const option = ({ flag, description, takes }: Verb["options"][number]): string => {
    const said = `${flag}[${description.replace(/[[\]]/g, "\\$&")}]`;
    const action =
      takes === "nothing"
        ? ""
        : takes === "file"
          ? ":file:_files"
          : takes === "text"
            ? ":value:"
            : `:value:(${(takes as string[]).join(" ")})`;
    return `        '${`${said}${action}`.replaceAll("'", "'\\''")}'`;
  };
  const branch = ({ name, options, values }: Verb): string => {
    const lines = [...options.map(option), ...(values.length > 0 ? [`        '1:value:(${values.join(" ")})'`] : [])];
    return `    ${name})\n      _arguments \\\n${lines.join(" \\\n")} ;;`;
  };
  const names = verbs.map(({ name, summary }) => `    ${quoted(name).slice(0, -1)}:${quoted(summary).slice(1)}`);
  return `#compdef crosstrail
# zsh completion for crosstrail
_crosstrail() {
  local -a verbs
  verbs=(
${names.join("\n")}
    'help:display help for command'
  )
  if (( CURRENT == 2 )); then
    _describe command verbs
    return
  fi
  local verb=$words[2]
  shift words
  (( CURRENT-- ))
  case $verb in
    help) _describe command verbs ;;
${verbs.map(branch).join("\n")}
  esac
}
if [ "$funcstack[1]" = "_crosstrail" ]; then _crosstrail "$@"; else compdef _crosstrail crosstrail; fi
`;
}

function fishScript(verbs: Verb[]): string {
  const quoted = (text: string) => `'${text.replace(/[\\']/g, "\\$&")}'`;
  const lines = verbs.flatMap(({ name, summary, options, values }) => {
    const when = `-n '__fish_seen_subcommand_from ${name}'`;
    return [
      `complete -c crosstrail -n __fish_use_subcommand -f -a ${name} -d ${quoted(summary)}`,
      ...(values.length > 0 ? [`complete -c crosstrail ${when} -f -a ${quoted(values.join(" "))}`] : []),
      ...options.map(({ flag, description, takes }) => {
        const value =
          takes === "nothing"
            ? ""
            : takes === "file"
              ? " -r -F"
              : takes === "text"
                ? " -x"
                : ` -x -a ${quoted((takes as string[]).join(" "))}`;
        return `complete -c crosstrail ${when} -l ${flag.slice(2)}${value} -d ${quoted(description)}`;
      }),
    ];
  });
  return `# fish completion for crosstrail\n${lines.join("\n")}\n`;
}
