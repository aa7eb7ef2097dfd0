/** A server that the code under test takes for AWS: the environment's endpoint and credentials lead there. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { devNull } from "node:os";
import { operationOf } from "./faults";

/** What a client asks. */
export interface AwsCall {
  /** CreateTrail, AssumeRole; for S3 the method and path. */
  operation: string;
  /** Of a service that speaks JSON; the others speak XML. */
  isJson: boolean;
  /** The Region of its signature. */
  region: string;
  parameters: Record<string, unknown>;
}

/** The status, and the body: an object is answered as JSON. */
export type AwsAnswer = [status: number, body?: string | object];

/** Starts it and sets the environment; what comes back undoes both. */
export async function startAws(answer: (call: AwsCall) => AwsAnswer): Promise<() => Promise<void>> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      const isJson = request.headers["x-amz-target"] !== undefined;
      const [status, text] = answer({
        isJson,
        operation: operationOf(request, body),
        region: /Credential=[^/]+\/\d+\/([^/]+)\//.exec(request.headers.authorization ?? "")?.[1] ?? "",
        parameters: isJson
          ? (JSON.parse(body.toString()) as Record<string, unknown>)
          : Object.fromEntries(new URLSearchParams(body.toString())),
      });
      response.writeHead(status, { "content-type": isJson ? "application/x-amz-json-1.1" : "text/xml" });
      response.end(typeof text === "object" ? JSON.stringify(text) : text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const saved = { ...process.env };
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_REGION: "us-east-1",
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
  });
  return async () => {
    for (const name of Object.keys(process.env)) if (!(name in saved)) delete process.env[name];
    Object.assign(process.env, saved);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
}

/** Runs `act` while it is there. */
export async function withAws<Value>(answer: (call: AwsCall) => AwsAnswer, act: () => Promise<Value>): Promise<Value> {
  const stop = await startAws(answer);
  try {
    return await act();
  } finally {
    await stop();
  }
}
