/** An AWS of which the environment's credentials see an account's trails. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** What an account has, in AWS's own words. */
export interface AccountAnswers {
  accountId: string;
  /** Trails by Region; every other Region has none. */
  trails: Record<string, Record<string, unknown>[]>;
  /** Regions that refuse, with this error. */
  refuses?: Record<string, string>;
  /** What the other calls of CloudTrail answer, by name. */
  answers?: Record<string, unknown>;
  /** STS refuses the credentials. */
  refusesCredentials?: boolean;
}

/** What was asked: `eu-west-1 DescribeTrails`. */
export type Asked = string[];

/** Runs `act` while the environment's AWS is that account. */
export async function withAccount<Value>(
  account: AccountAnswers,
  act: (asked: Asked) => Promise<Value>,
): Promise<Value> {
  const asked: Asked = [];
  const server = createServer((request, response) => {
    const action = /[^.]*$/.exec(String(request.headers["x-amz-target"] ?? ""))?.[0] ?? "";
    const region = /Credential=[^/]+\/\d+\/([^/]+)\//.exec(request.headers.authorization ?? "")?.[1] ?? "";
    asked.push(`${region} ${action || "GetCallerIdentity"}`);
    request.resume().on("end", () => {
      if (action === "") {
        const { accountId } = account;
        response.writeHead(account.refusesCredentials ? 403 : 200, { "content-type": "text/xml" });
        response.end(
          account.refusesCredentials
            ? "<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>no</Message></Error></ErrorResponse>"
            : `<GetCallerIdentityResponse><GetCallerIdentityResult><Account>${accountId}</Account><Arn>arn:aws:sts::${accountId}:assumed-role/a/b</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`,
        );
        return;
      }
      const error = account.refuses?.[region];
      response.writeHead(error ? 400 : 200, { "content-type": "application/x-amz-json-1.1" });
      const answer =
        action === "DescribeTrails" ? { trailList: account.trails[region] ?? [] } : account.answers?.[action];
      response.end(JSON.stringify(error ? { __type: error, message: "no" } : (answer ?? {})));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const saved = { ...process.env };
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_REGION: "us-east-1",
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
  });
  try {
    return await act(asked);
  } finally {
    for (const name of Object.keys(process.env)) if (!(name in saved)) delete process.env[name];
    Object.assign(process.env, saved);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
