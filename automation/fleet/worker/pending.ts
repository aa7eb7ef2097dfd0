/**
 * What an interrupted run left open. The engine notes each creation before it asks AWS for it; when it is killed, nobody
 * knows whether AWS did it. The next `up` only warns and creates again: for a trail or a bucket that fails loudly, but
 * it would make a second KMS key, and logs would be split between the two. So each one is looked up first: what is
 * there is taken into the state, what is not is forgotten.
 */
import { credentialsOf, regionOf } from "./credentials";
import type { Engine } from "./engine";
import type { Place } from "./lookUp";

/** An entry of `pending_operations` in a stack's state. */
export interface PendingOperation {
  resource: { urn: string; type: string; inputs?: Record<string, unknown>; provider?: string };
  type: "creating" | "updating" | "deleting" | "reading" | "importing";
}

/** The deployment in an exported state, as far as it is of interest; the rest of it stays unchanged. */
interface RawDeployment {
  manifest?: { time?: string };
  resources?: Deployment["resources"];
  pending_operations?: PendingOperation[];
}

export interface Deployment {
  resources: {
    urn: string;
    type: string;
    id?: string;
    protect?: boolean;
    retainOnDelete?: boolean;
    inputs?: Record<string, unknown>;
    outputs?: Record<string, unknown>;
  }[];
  pending: PendingOperation[];
  /** When the state was written. */
  time?: string;
}

/** The stack's state; secrets stay encrypted. */
export async function exported(engine: Engine): Promise<Deployment> {
  const { stdout } = await engine.must(["stack", "export"]);
  const { deployment } = JSON.parse(stdout) as { deployment: RawDeployment | null };
  return {
    resources: deployment?.resources ?? [],
    pending: deployment?.pending_operations ?? [],
    time: deployment?.manifest?.time,
  };
}

/** Settles what is open; returns what was done, for people. */
export async function settlePending(
  engine: Engine,
  config: Record<string, unknown>,
  deployment: Deployment,
): Promise<string[]> {
  const creates = deployment.pending.filter(({ type }) => type === "creating");
  // Taken over by a run that was itself ended before it could read what it had taken over.
  const isUnread = deployment.resources.some(({ type, outputs = {} }) => type.startsWith("aws:") && isEmpty(outputs));
  if (creates.length === 0) {
    if (isUnread) await refresh(engine);
    return [];
  }
  const found = await engine.within(
    Promise.all(creates.map(async (each) => ({ ...each, id: await lookUp(each, deployment, config) }))),
  );
  // The engine's own ways (refresh with --import-pending-creates) did nothing without a terminal in Pulumi 3.250, so
  // the state is written: what AWS has moves from the open operations to the resources, and a refresh reads how it is.
  const { stdout } = await engine.must(["stack", "export"]);
  const state = JSON.parse(stdout) as { deployment: RawDeployment };
  const idOf = new Map(found.flatMap(({ resource, id }) => (id === undefined ? [] : [[resource.urn, id] as const])));
  const open = state.deployment.pending_operations ?? [];
  const taken = open.filter(({ type, resource }) => type === "creating" && idOf.has(resource.urn));
  state.deployment.pending_operations = open.filter(({ type }) => type !== "creating");
  state.deployment.resources = [
    ...(state.deployment.resources ?? []),
    ...taken.map(({ resource }) => ({ outputs: {}, ...resource, id: idOf.get(resource.urn) })),
  ];
  // By the standard input, so that no file with the state is left behind.
  await engine.must(["stack", "import"], JSON.stringify(state));
  if (taken.length > 0 || isUnread) await refresh(engine);
  return found.map(({ resource, id }) => {
    const name = `${resource.type} ${resource.urn.split("::").at(-1)}`;
    return id === undefined
      ? `It started to create ${name}, which does not exist in AWS.`
      : `It created ${name} (${id}), which was adopted.`;
  });
}

async function refresh(engine: Engine): Promise<void> {
  await engine.must(["refresh", "--yes", "--skip-preview", "--color=never"]);
}

function isEmpty(value: object): boolean {
  return Object.keys(value).length === 0;
}

/** The id of the resource in AWS, or undefined when AWS has none, or none that making it again would not find. */
async function lookUp(
  { resource }: PendingOperation,
  { resources, time }: Deployment,
  config: Record<string, unknown>,
): Promise<string | undefined> {
  const { type, urn, inputs = {}, provider } = resource;
  // The SDK takes a while to load, and most runs have nothing to look up.
  // eslint-disable-next-line @typescript-eslint/no-require-imports, @typescript-eslint/consistent-type-imports
  const { lookUps } = require("./lookUp") as typeof import("./lookUp");
  const find = lookUps[type];
  if (!find) return undefined;
  // A replica is in another Region, with a provider of its own.
  const settings = resources.find((each) => provider !== undefined && `${each.urn}::${each.id}` === provider)?.inputs;
  const place: Place = {
    region: [inputs.region, settings?.region].find((each) => typeof each === "string") ?? regionOf(config),
    credentials: credentialsOf(config),
    account: accountsOf(config)[0],
    ...(time !== undefined && { since: new Date(time) }),
    known: new Set(resources.flatMap(({ id }) => (id === undefined ? [] : [id]))),
  };
  try {
    return await find(inputs, place);
  } catch (error) {
    const { name, message } = error as Error;
    if (name === "CredentialsProviderError") throw error;
    throw new Undecided(urn, name === "Error" ? message : `${name}: ${message}`);
  }
}

/** Whether the resource is there could not be found out, so nothing must be created. */
export class Undecided extends Error {
  constructor(
    readonly urn: string,
    readonly reason: string,
  ) {
    super(`${urn}: ${reason}`);
  }
}

function accountsOf(config: Record<string, unknown>): string[] {
  const value = config["aws:allowedAccountIds"];
  return Array.isArray(value) ? (value as string[]) : [];
}
