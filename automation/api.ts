/** What the embedding API does differently from the command-line tool: one shape of being cancelled, and remedies in its own words. */
import { UserError } from "../core/findings";
import type { Finding } from "../core/findings";
import type { Action } from "../core/fleet";
import { runFleet } from "./fleet/run";
import type { FleetResult } from "./fleet/types";
import { Status } from "./fleet/types";
import { ExitCode, ExitError } from "./output";

type Options = NonNullable<Parameters<typeof runFleet>[1]>;

/**
 * A run as programs have it. However and whenever it is cancelled (before anything began, by `confirm`, or in the middle), the result says
 * so; stacks that nothing was done for are not in it.
 */
export async function runForApi(action: Action, options: Options): Promise<FleetResult> {
  const began = Date.now();
  try {
    const result = await runFleet(action, options);
    return {
      ...result,
      findings: result.findings.map(inApiWords),
      stacks: result.stacks.map((stack) => ({ ...stack, findings: stack.findings.map(inApiWords) })),
    };
  } catch (error) {
    const isAborted = options.signal?.aborted === true || options.endNow?.aborted === true;
    if (isAborted || (error instanceof ExitError && error.exitCode === ExitCode.Cancelled)) {
      return { action, status: Status.Cancelled, stacks: [], findings: [], seconds: (Date.now() - began) / 1000 };
    }
    if (!(error instanceof UserError)) throw error;
    // What stands before the findings.
    const [headline = ""] = error.message.split("\n\n");
    const findings = error.findings.map(inApiWords);
    throw error instanceof ExitError
      ? new ExitError(error.exitCode, apiWords(headline), findings)
      : new UserError(apiWords(headline), findings);
  }
}

function inApiWords(finding: Finding): Finding {
  return {
    ...finding,
    subject: apiWords(finding.subject),
    message: apiWords(finding.message),
    remedy: apiWords(finding.remedy),
  };
}

/** The options of the command-line tool, and what the API calls them. */
const options: Record<string, string> = {
  "--cwd": "projectFolder",
  "--delete-archive": "deleteArchive",
  "--failed": "failed",
  "--only": "only",
  "--parallel": "parallel",
  "--refresh": "refresh",
  "--remove-members": "removeMembers",
  "--secrets-provider": "secretsProvider",
  "--stack": "auditStack",
  "--timeout": "timeoutSeconds",
};
const flags = ["--failed", "--refresh"];
const numbers = ["--remove-members", "--parallel", "--timeout"];
/** A word, or a placeholder: <audit stack>. */
const value = String.raw`(?:<[^<>\n]*>|[^\s<>,;:)"]*[^\s<>,;:.)"])`;
/** Words of the sentence behind a command; no stack has such a name. */
const prose = String.raw`(?:or|and|for|to|then|writes|again|in|if|as|without|which|with)\b`;
const names = Object.keys(options).join("|");
const call = new RegExp(
  String.raw`\bcrosstrail (up|preview|destroy|status)\b((?: (?:${names})(?: (?!-|${prose})${value})*)*)`,
  "g",
);
const option = new RegExp(String.raw`(?<![\w-])(${names})\b(?: (?!-)(<[^<>\n]*>))?`, "g");

/** A string with the command-line tool's commands and options as the API has them: `crosstrail up --only web` is `up({ only: ["web"] })`. */
export function apiWords(text: string): string {
  return text
    .replace(call, (_, verb: string, rest: string) => {
      const given = rest.trim() === "" ? [] : rest.trim().split(/ (?=--)/);
      const properties = given.map((each) => {
        const [name = "", ...words] = each.match(/<[^<>]*>|\S+/g) ?? [];
        const [first] = words;
        if (flags.includes(name)) return `${options[name]}: true`;
        if (numbers.includes(name)) return `${options[name]}: ${first}`;
        const list = words.map((word) => (word.startsWith("<") ? word : JSON.stringify(word)));
        return `${options[name]}: ${name === "--only" ? `[${list.join(", ")}]` : list[0]}`;
      });
      return properties.length === 0 ? `${verb}()` : `${verb}({ ${properties.join(", ")} })`;
    })
    .replace(option, (_, name: string, placeholder?: string) => {
      const word = options[name] as string;
      return placeholder === undefined ? word : `${word}: ${placeholder}`;
    });
}
