/** What a failure of the engine means, and what to do about it. */
import type { Finding } from "../../core/findings";
import { ExitCode } from "../output";
import { awsFailure, closedAccount, explainAws } from "./awsErrors";
import { locksIn } from "./lock";
import type { Operation } from "./worker/engine";

export interface Diagnosis {
  exitCode: number;
  findings: Finding[];
}

// Every part of the patterns below is bounded: what the engine says may be long, and holds texts from elsewhere.

/** CloudTrail's refusals while a policy that was just written is not yet known everywhere. */
const notYetKnown =
  /InsufficientS3BucketPolicyException|InsufficientEncryptionPolicyException|S3BucketDoesNotExist|MalformedPolicyDocument(Exception)?:.{0,300}principal/i;
const passing =
  /\b(ConflictException|OperationAborted(Exception)?|Concurrent(Modification|Access)(Exception)?|ServiceUnavailable(Exception)?|ServiceFailure(Exception)?|KMSInternalException|DependencyTimeoutException|InternalFailure|QueueDeletedRecently)\b/;
const throttled = /ThrottlingException|TooManyRequestsException|RequestLimitExceeded|SlowDown|Rate exceeded/i;

/** Why it is worth trying again, if it is. */
export function retryReason(operation: Operation): string | undefined {
  const text = textOf(operation);
  if (notYetKnown.test(text)) return "the archive's new policies have not reached all of AWS yet";
  if (throttled.test(text)) return "AWS is throttling the calls";
  if (passing.test(text)) return "AWS cannot do it at the moment";
  return undefined;
}

/** All that the engine said: its messages, and what it wrote where it could not start. */
export function textOf({ errors, process }: Pick<Operation, "errors" | "process">): string {
  return [...errors, process?.stderr ?? "", errors.length > 0 ? "" : (process?.stdout ?? "")].join("\n");
}

interface Known {
  pattern: RegExp;
  id: Finding["id"];
  exitCode: number;
  message: (match: RegExpExecArray, stack: string) => string;
  remedy: (match: RegExpExecArray, stack: string) => string;
}

const known: Known[] = [
  {
    pattern: /\[409\] Conflict: Another update is currently in progress/,
    id: "stack/locked",
    exitCode: ExitCode.Deployment,
    message: () => "Pulumi Cloud reports another update of the stack in progress.",
    remedy: (_, stack) => `Wait for it to finish. If it will never finish, run pulumi cancel -s ${stack}`,
  },
  {
    pattern: /no stack named '?([^'\s]{1,200})'? found|unknown stack "([^"]{1,200})"/,
    id: "stack/missing",
    exitCode: ExitCode.StackNotFound,
    message: ([, name, other]) => `Stack ${name ?? other} does not exist in this backend.`,
    remedy: () => "Check PULUMI_BACKEND_URL or pulumi login; pulumi stack ls --all lists the stacks.",
  },
  {
    pattern:
      /IAM Role \((arn:[^)\s]{1,600})\) cannot be assumed|(?:AssumeRole|assum\w{1,10} (?:IAM )?role)[^\n]{0,300}?(arn:aws[a-z-]{0,20}:iam::\d{12}:role\/[^\s"',)]{1,600})|not authorized to perform: sts:AssumeRole on resource: (arn:\S+)/i,
    id: "credentials/role-not-assumed",
    exitCode: ExitCode.Authentication,
    message: ([, one, other, third]) => `The role ${one ?? other ?? third} could not be assumed.`,
    remedy: (_, stack) =>
      [
        "Check that it exists, that its trust policy names your identity (aws sts get-caller-identity), and that you are allowed sts:AssumeRole.",
        closedAccount({ stack }),
      ].join("\n"),
  },
  {
    pattern: /ExpiredToken\w*|security token included in the request is expired|The SSO session associated/,
    id: "credentials/expired",
    exitCode: ExitCode.Authentication,
    message: () => "The credentials have expired.",
    remedy: () => "Log in again, then rerun the command. Sessions of chained roles last at most one hour.",
  },
  {
    pattern:
      /No valid credential sources found|CredentialsProviderError: [^\n]*|Could not (?:load|resolve) credentials[^\n]*|failed to (?:get|retrieve|refresh) (?:shared config profile|cached credentials|credentials)|InvalidClientTokenId|UnrecognizedClientException|AWS account ID not allowed|did not accept the credentials|credentials are those of another account/i,
    id: "credentials/refused",
    exitCode: ExitCode.Authentication,
    message: ([text]) => `AWS or the provider refused the credentials: ${text}.`,
    remedy: () => "Set deployRole or deployProfile in the audit stack's configuration, or log in.",
  },
  {
    pattern:
      /(?:no such host|connection refused|network is unreachable|i\/o timeout|TLS handshake timeout|dial tcp [^\n]{0,300}|ENOTFOUND|ECONNREFUSED|ECONNRESET|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|TimeoutError)\b/,
    id: "aws/unreachable",
    exitCode: ExitCode.Other,
    message: ([text]) => `AWS could not be reached: ${text}.`,
    remedy: () => "Check the network, a proxy (HTTPS_PROXY), and AWS_ENDPOINT_URL; then repeat the command.",
  },
  {
    pattern: /no resource plugin '?([\w-]{1,200})'? found|could not (?:download|install) plugin '?([\w-]+)/i,
    id: "plugin/missing",
    exitCode: ExitCode.Other,
    message: ([, name, other]) => `Pulumi plugin ${name ?? other} is not installed and could not be downloaded.`,
    remedy: () =>
      "Run pulumi install in the project folder, with access to https://get.pulumi.com, then rerun the command.",
  },
  {
    pattern: /PULUMI_ACCESS_TOKEN must be set for login/,
    id: "backend/not-logged-in",
    exitCode: ExitCode.Authentication,
    message: () => "Pulumi is not logged in to a backend.",
    remedy: () =>
      "Set PULUMI_BACKEND_URL, for example to s3://my-state, run pulumi login, or set PULUMI_ACCESS_TOKEN for Pulumi Cloud.",
  },
  {
    pattern: throttled,
    id: "aws/throttled",
    exitCode: ExitCode.Deployment,
    message: ([text]) => `AWS is throttling the calls (${text}), even after the provider and the fleet retried.`,
    remedy: (_, stack) =>
      `Retry later: crosstrail up --only ${stack}. If several stacks fail this way, use a smaller --parallel.`,
  },
  {
    pattern: /passphrase must be set|incorrect passphrase/,
    id: "secrets/passphrase",
    exitCode: ExitCode.Authentication,
    message: ([text]) => `Pulumi cannot use the stack's secrets: ${text}.`,
    remedy: () =>
      "Set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE, the same for all stacks of the fleet.",
  },
  {
    pattern: /Policy exceeds the maximum allowed document size|PolicyLengthExceeded|policy\/too-large/i,
    id: "policy/too-large",
    exitCode: ExitCode.Deployment,
    message: () => "AWS rejected a policy as too large.",
    remedy: () =>
      "Set crosstrail:bucketPolicyForm and crosstrail:keyPolicyForm to auto: this uses the tightest form that fits.",
  },
  {
    pattern: /(InsufficientS3BucketPolicy|InsufficientEncryptionPolicy)Exception/,
    id: "trail/archive-refuses",
    exitCode: ExitCode.Deployment,
    message: ([, name]) =>
      name === "InsufficientS3BucketPolicy"
        ? "CloudTrail reports that the log bucket's policy does not let this trail deliver."
        : "CloudTrail reports that the key's policy does not let this trail encrypt.",
    remedy: () =>
      "Run crosstrail up --only <audit stack>, then rerun this command. crosstrail simulate shows what the policies allow.",
  },
];

/** Findings and the exit code for an operation that failed. */
export function diagnose(stack: string, operation: Operation, open: string[] = []): Diagnosis {
  const { process, findings } = operation;
  // What was ended in the middle fails for all sorts of reasons.
  if (process?.timedOut) return timedOut(stack, open);
  // The program's own refusals are complete.
  if (findings.length > 0) {
    const refused = findings.find(({ id }) => id === "stack/no-credentials");
    if (refused) return whyNoCredentials(stack, operation, refused);
    const isAuth = findings.some(({ id }) => id === "stack/wrong-account");
    return { exitCode: isAuth ? ExitCode.Authentication : ExitCode.Usage, findings };
  }
  return diagnoseText(stack, textOf(operation));
}

/** The program only sees that the provider has failed; why, the provider has told the engine. */
function whyNoCredentials(stack: string, operation: Operation, refused: Finding): Diagnosis {
  const cause = diagnoseText(stack, textOf(operation));
  const says = operation.errors.find((text) => !text.includes(refused.message));
  // What is said in general terms of credentials the program says better: for which account they have to be.
  const isBetter = !["credentials/refused", "stack/failed"].includes(cause.findings[0]?.id ?? "stack/failed");
  if (isBetter || says === undefined)
    return isBetter ? cause : { exitCode: ExitCode.Authentication, findings: [refused] };
  const message = `${refused.message.split(".")[0]}. The provider says: ${says}`;
  return { exitCode: ExitCode.Authentication, findings: [{ ...refused, message }] };
}

/** @param open what the engine had begun and not finished */
export function timedOut(stack: string, open: string[]): Diagnosis {
  return {
    exitCode: ExitCode.Timeout,
    findings: [
      {
        id: "stack/timed-out",
        severity: "error",
        subject: stack,
        message: `The operation hit its time limit and was stopped, with every process it had started.${underWay(open)}`,
        remedy: "Rerun the command, with a longer --timeout if needed. It first looks up what was in progress.",
      },
    ],
  };
}

/** What is said of a stack whose work was interrupted. */
export function cancelled(stack: string, open: string[]): Finding {
  return {
    id: "stack/cancelled",
    severity: "warning",
    subject: stack,
    message: `It was interrupted before it finished.${underWay(open)}`,
    remedy: "Rerun the command: it looks up what was in progress, then continues.",
  };
}

function underWay(open: string[]): string {
  if (open.length === 0) return "";
  const most = 3;
  const more = open.length > most ? ` and ${open.length - most} more` : "";
  return ` In progress, without an answer from AWS: ${open.slice(0, most).join(", ")}${more}.`;
}

export function diagnoseText(stack: string, text: string): Diagnosis {
  const [lock, ...others] = locksIn(text);
  if (lock) {
    const { user, host, pid, since } = lock;
    return {
      exitCode: ExitCode.Deployment,
      findings: [
        {
          id: "stack/locked",
          severity: "error",
          subject: stack,
          message: `${user}@${host} (process ${pid}) has held the stack's lock since ${since}${others.length ? `, and ${others.length} more` : ""}.`,
          remedy: `Wait for it to finish. If that process no longer exists, run pulumi cancel -s ${stack}`,
        },
      ],
    };
  }
  for (const { pattern, id, exitCode, message, remedy } of known) {
    const match = pattern.exec(text);
    if (!match) continue;
    return {
      exitCode,
      findings: [
        { id, severity: "error", subject: stack, message: message(match, stack), remedy: remedy(match, stack) },
      ],
    };
  }
  const failure = awsFailure(stack, text);
  if (failure) return explainAws(failure);
  return {
    exitCode: ExitCode.Deployment,
    findings: [
      {
        id: "stack/failed",
        severity: "error",
        subject: stack,
        message: shortened(text),
        remedy: "Fix the cause, then rerun the command.",
      },
    ],
  };
}

/** What a line says, without who says it. */
function essence(line: string): string {
  return line
    .replace(/^\s*\*\s*/, "")
    .replace(/^[\w-]+: (?=\S)/, "")
    .replace(/sdk-v2\/provider2\.go:\d+: sdk\.helper_schema: /, "")
    .replace(/: provider=\S+\s*$/, "")
    .replace(/^(?:creating|updating|deleting|reading) urn:\S+: (?:\d+ errors? occurred:)?/, "")
    .replace(/^\d+ errors? occurred:/, "")
    .trim();
}

/** The lines that say something, of which the first are the cause. */
function shortened(text: string): string {
  const noise = /^(error: )?(update|preview|destroy) (failed|canceled)$|^\s*$|Duration:|^Resources:/i;
  const all = text
    .split("\n")
    .filter((line) => !noise.test(line))
    .map((line) => [line, essence(line)] as const);
  // The provider logs an error, and the engine reports it again with words of its own round it.
  const lines = all
    .filter(
      ([, said], index) =>
        said !== "" &&
        !all.some(
          ([, other], at) => at !== index && other.includes(said) && (other.length > said.length || at < index),
        ),
    )
    .map(([line]) => line);
  const most = 12;
  return [...lines.slice(0, most), ...(lines.length > most ? [`(${lines.length - most} more lines)`] : [])].join("\n");
}
