/**
 * Pulumi Cloud, or a server of one's own that speaks its API: one request for each stack. Every change of a stack is an update
 * there, also an import of its state.
 * https://github.com/pulumi/pulumi/blob/master/pkg/backend/httpstate/client/client.go (GetStackUpdates)
 */
import type { LastUpdate, Update } from "./lastUpdate";

interface CloudConfigValue {
  string: string;
  secret?: boolean;
  object?: boolean;
}

/** The API's address, to which the access token may be sent; undefined where it may not. */
export function apiOf(url: string): string | undefined {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    return undefined;
  }
  const isHere = parsed.hostname === "localhost" || parsed.hostname === "127.0.0.1" || parsed.hostname === "[::1]";
  if (parsed.protocol !== "https:" && !(parsed.protocol === "http:" && isHere)) return undefined;
  return `${parsed.origin}${parsed.pathname.replace(/\/+$/, "")}`;
}

/** Organization, project and stack, as the page of a stack that `pulumi stack ls` names has them. */
export function pathOf(page: string | undefined, project: string, stack: string): string | undefined {
  let parts: string[];
  try {
    parts = new URL(page ?? "").pathname.split("/").filter(Boolean);
  } catch {
    return undefined;
  }
  const [organization = "", ...rest] = parts.slice(-3);
  return rest.length === 2 && rest[0] === project && rest[1] === stack
    ? `${organization}/${project}/${stack}`
    : undefined;
}

/** @throws when the server does not answer as its clients expect. */
export async function lastUpdateOf(
  api: string,
  token: string,
  path: string,
  isLocked: boolean,
  signal?: AbortSignal,
): Promise<LastUpdate> {
  const limit = AbortSignal.timeout(20_000);
  const response = await fetch(`${api}/api/stacks/${path}/updates?pageSize=1&page=1`, {
    headers: { Authorization: `token ${token}`, Accept: "application/vnd.pulumi+8" },
    redirect: "error",
    signal: signal ? AbortSignal.any([signal, limit]) : limit,
  });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  const { updates } = (await response.json()) as {
    updates: (Omit<Update, "config"> & { config?: Record<string, CloudConfigValue> })[];
  };
  const [update] = updates;
  if (!update) return { update: undefined, isLocked };
  return { update: { ...update, config: configOf(update.config ?? {}) }, isLocked };
}

/** As a stack's file has it. */
function configOf(config: Record<string, CloudConfigValue>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(config).map(([key, { string, secret, object }]) => [
      key,
      object ? (JSON.parse(string) as unknown) : secret ? { secure: string } : string,
    ]),
  );
}
