/** A proxy in front of the emulator that lets chosen calls fail or hang, as AWS and networks do. */
import http from "node:http";
import type { AddressInfo } from "node:net";

/** A call to AWS as the proxy sees it. */
export interface Call {
  /** The operation: CreateTrail, AssumeRole; for S3 the method and path. */
  operation: string;
  body: string;
}

/** An error that AWS would give; no answer, before or after the call was carried out; or the answer, but only once it is let go. */
export type Fault = { status: number; type: string; message: string } | "hang" | "hang after" | "hold";

export interface Faults {
  endpoint: string;
  /** Decides for each call; undefined lets it pass. */
  decide: (call: Call) => Fault | undefined;
  /** Carries out what was held, and answers. */
  release(): void;
  /** Lets everything pass again, and cuts the calls that hang or are held. */
  clear(): void;
  close(): Promise<void>;
}

export async function faultsBefore(emulator: string): Promise<Faults> {
  const target = new URL(emulator);
  const hanging = new Set<http.ServerResponse>();
  const held = new Map<http.ServerResponse, () => void>();
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("error", () => {});
    response.on("error", () => {});
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      const fault = faults.decide({ operation: operationOf(request, body), body: decodeURIComponent(safe(body)) });
      if (fault === "hang") return void hanging.add(response);
      if (fault === "hold") return void held.set(response, () => pass(request, response, body, undefined));
      if (fault === undefined || fault === "hang after") return pass(request, response, body, fault);
      answer(request, response, fault);
    });
  });
  function pass(request: http.IncomingMessage, response: http.ServerResponse, body: Buffer, fault?: "hang after") {
    const { method, url: path, headers } = request;
    const onward = http.request({ host: target.hostname, port: target.port, method, path, headers }, (reply) => {
      if (fault === "hang after") {
        reply.resume();
        return void hanging.add(response);
      }
      response.writeHead(reply.statusCode ?? 500, reply.headers);
      reply.pipe(response);
    });
    onward.on("error", () => response.destroy());
    onward.end(body);
  }
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const faults: Faults = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    decide: () => undefined,
    release() {
      for (const go of held.values()) go();
      held.clear();
    },
    clear() {
      faults.decide = () => undefined;
      for (const response of [...hanging, ...held.keys()]) response.destroy();
      hanging.clear();
      held.clear();
    },
    close: () =>
      new Promise((resolve) => {
        faults.clear();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return faults;
}

/** The operation: CreateTrail, AssumeRole; for S3 the method and path. */
export function operationOf(request: http.IncomingMessage, body: Buffer): string {
  const json = request.headers["x-amz-target"];
  if (typeof json === "string") return json.split(".").at(-1) as string;
  const query = /(?:^|&)Action=(\w+)/.exec(body.toString("latin1"))?.[1];
  return query ?? `${request.method} ${request.url}`;
}

function answer(request: http.IncomingMessage, response: http.ServerResponse, fault: Exclude<Fault, string>): void {
  if (request.headers["x-amz-target"] !== undefined) {
    response.writeHead(fault.status, { "content-type": "application/x-amz-json-1.1", "x-amzn-errortype": fault.type });
    response.end(JSON.stringify({ __type: fault.type, message: fault.message }));
    return;
  }
  response.writeHead(fault.status, { "content-type": "text/xml" });
  response.end(
    `<ErrorResponse><Error><Type>Sender</Type><Code>${fault.type}</Code><Message>${fault.message}</Message></Error><RequestId>0</RequestId></ErrorResponse>`,
  );
}

function safe(body: Buffer): string {
  return body.toString("utf8").replace(/%(?![0-9A-Fa-f]{2})/g, "%25");
}
