/** The command-line tool in this process, and an AWS that answers as it is told. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { main } from "../../automation/cli";

/** What a run of the tool gave. */
export interface CliResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Runs the tool in this process. */
export async function crosstrail(
  args: string[],
  { env = {}, color = false }: { env?: NodeJS.ProcessEnv; color?: boolean } = {},
): Promise<CliResult> {
  let [stdout, stderr] = ["", ""];
  const exitCode = await main(args, {
    stdout: (text) => void (stdout += text),
    stderr: (text) => void (stderr += text),
    env,
    color,
  });
  return { exitCode, stdout, stderr };
}

/** The policies that AWS gives back; with an error code instead, if there is one. */
export interface Answers {
  bucket: string;
  key: string;
  error?: [status: number, code: string];
}

const saved = { ...process.env };

/** Runs `act` while the environment's AWS answers as S3 and KMS do. */
export async function withAws<Value>(answers: Answers, act: () => Promise<Value>): Promise<Value> {
  const server = createServer((request, response) => {
    const isKms = request.headers["x-amz-target"] !== undefined;
    const url = request.url ?? "";
    if (answers.error && url.includes("policy")) {
      const [status, code] = answers.error;
      response.writeHead(status, { "content-type": "application/xml" });
      response.end(`<Error><Code>${code}</Code><Message>no</Message></Error>`);
    } else if (isKms) {
      response.writeHead(200, { "content-type": "application/x-amz-json-1.1" });
      response.end(JSON.stringify({ Policy: answers.key, PolicyName: "default" }));
    } else if (url.includes("policy")) {
      response.end(answers.bucket);
    } else {
      response.writeHead(200, { "content-type": "application/xml" });
      response.end("<ServerSideEncryptionConfiguration/>");
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
  });
  try {
    return await act();
  } finally {
    for (const name of Object.keys(process.env)) if (!(name in saved)) delete process.env[name];
    Object.assign(process.env, saved);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
