/** The command-line tool in this process, and an AWS that answers as it is told. */
import { main } from "../../automation/cli";
import { withAws } from "./aws";

/** What a run of the tool gave. */
export interface CliResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Runs the tool in this process. */
export async function crosstrail(
  args: string[],
  { env = {}, color = false, columns }: { env?: NodeJS.ProcessEnv; color?: boolean; columns?: number } = {},
): Promise<CliResult> {
  let [stdout, stderr] = ["", ""];
  const exitCode = await main(args, {
    stdout: (text) => void (stdout += text),
    stderr: (text) => void (stderr += text),
    env,
    color,
    ...(columns !== undefined && { columns }),
  });
  return { exitCode, stdout, stderr };
}

/** The policies that AWS gives back; with an error code instead, if there is one. */
export interface Answers {
  bucket: string;
  key: string;
  error?: [status: number, code: string];
}

/** Runs `act` while the environment's AWS answers as S3 and KMS do. */
export async function withPolicies<Value>(answers: Answers, act: () => Promise<Value>): Promise<Value> {
  return withAws(({ operation }) => {
    if (operation === "GetKeyPolicy") return [200, { Policy: answers.key, PolicyName: "default" }];
    if (!operation.includes("policy")) return [200, "<ServerSideEncryptionConfiguration/>"];
    if (!answers.error) return [200, answers.bucket];
    const [status, code] = answers.error;
    return [status, `<Error><Code>${code}</Code><Message>no</Message></Error>`];
  }, act);
}
