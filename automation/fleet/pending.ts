/**
 * What an interrupted run left open. The engine notes each creation before it asks AWS for it; when it is killed, nobody
 * knows whether AWS did it. The next `up` only warns and creates again: for a trail or a bucket that fails loudly, but it
 * would make a second KMS key, and logs would be split between the two. So each one is looked up first: what is there is
 * taken into the state, what is not is forgotten.
 */
import { CloudTrailClient, GetTrailCommand } from "@aws-sdk/client-cloudtrail";
import {
  DescribeKeyCommand,
  KMSClient,
  ListResourceTagsCommand,
  paginateListAliases,
  paginateListKeys,
} from "@aws-sdk/client-kms";
import { HeadBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { stackTag } from "../../core/fleet";
import { credentialsOf, regionOf } from "./credentials";
import type { Engine } from "./engine";

/** An entry of `pending_operations` in a stack's state. */
export interface PendingOperation {
  resource: { urn: string; type: string; inputs?: Record<string, unknown> };
  type: "creating" | "updating" | "deleting" | "reading" | "importing";
}

/** The deployment in an exported state, as far as it is of interest; the rest of it stays as it is. */
interface RawDeployment {
  resources?: object[];
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
  }[];
  pending: PendingOperation[];
}

/** The stack's state; secrets stay encrypted. */
export async function exported(engine: Engine): Promise<Deployment> {
  const { stdout } = await engine.must(["stack", "export"]);
  const { deployment } = JSON.parse(stdout) as {
    deployment: { resources?: Deployment["resources"]; pending_operations?: PendingOperation[] } | null;
  };
  return { resources: deployment?.resources ?? [], pending: deployment?.pending_operations ?? [] };
}

/** Settles what is open; returns what was done, for people. */
export async function settlePending(
  engine: Engine,
  config: Record<string, unknown>,
  { pending }: Deployment,
): Promise<string[]> {
  const creates = pending.filter(({ type }) => type === "creating");
  if (creates.length === 0) return [];
  const found = await Promise.all(creates.map(async (each) => ({ ...each, id: await lookUp(each, config) })));
  // The engine's own ways (refresh with --import-pending-creates) did nothing without a terminal in Pulumi 3.250, so the state is
  // written: what AWS has moves from the open operations to the resources, and a refresh reads how it is.
  const { stdout } = await engine.must(["stack", "export"]);
  const state = JSON.parse(stdout) as { deployment: RawDeployment };
  const idOf = new Map(found.flatMap(({ resource, id }) => (id === undefined ? [] : [[resource.urn, id] as const])));
  const { deployment } = state;
  const open = deployment.pending_operations ?? [];
  const taken = open.filter(({ type, resource }) => type === "creating" && idOf.has(resource.urn));
  deployment.pending_operations = open.filter(({ type }) => type !== "creating");
  deployment.resources = [
    ...(deployment.resources ?? []),
    ...taken.map(({ resource }) => ({ outputs: {}, ...resource, id: idOf.get(resource.urn) })),
  ];
  // By the standard input, so that no file with the state is left behind.
  await engine.must(["stack", "import"], JSON.stringify(state));
  if (taken.length > 0) await engine.must(["refresh", "--yes", "--skip-preview", "--color=never"]);
  return found.map(({ resource, id }) => {
    const name = resource.urn.split("::").slice(-2).join(" ");
    return id === undefined
      ? `an interrupted run had begun to create ${name}; it is not in AWS`
      : `an interrupted run had created ${name} (${id}); it is taken over`;
  });
}

/** The id of the resource in AWS, or undefined when AWS has none, or none that making it again would not find. */
async function lookUp({ resource }: PendingOperation, config: Record<string, unknown>): Promise<string | undefined> {
  const { type, urn, inputs = {} } = resource;
  const access = { region: regionOf(config), credentials: credentialsOf(config) };
  const name = typeof inputs.name === "string" ? inputs.name : undefined;
  if (type === "aws:cloudtrail/trail:Trail" && name !== undefined) {
    const client = new CloudTrailClient(access);
    return client
      .send(new GetTrailCommand({ Name: name }))
      .then(({ Trail }) => Trail?.TrailARN)
      .catch(unless("TrailNotFoundException"))
      .finally(() => client.destroy());
  }
  if (type === "aws:s3/bucket:Bucket" && typeof inputs.bucket === "string") {
    const client = new S3Client({ ...access, forcePathStyle: true });
    const [account] = accountsOf(config);
    return client
      .send(new HeadBucketCommand({ Bucket: inputs.bucket, ...(account && { ExpectedBucketOwner: account }) }))
      .then(() => inputs.bucket as string)
      .catch(unless("NotFound", "NoSuchBucket"))
      .finally(() => client.destroy());
  }
  if (type === "aws:kms/alias:Alias" && name !== undefined) {
    const client = new KMSClient(access);
    try {
      for await (const { Aliases = [] } of paginateListAliases({ client }, {})) {
        if (Aliases.some(({ AliasName }) => AliasName === name)) return name;
      }
      return undefined;
    } finally {
      client.destroy();
    }
  }
  if (type === "aws:kms/key:Key") return findKey(access, urn, inputs);
  // The rest is written with a Put, which may be repeated.
  return undefined;
}

/** A key has no name: it is known by the tag with which it was created. */
async function findKey(
  access: { region: string | undefined; credentials: ReturnType<typeof credentialsOf> },
  urn: string,
  inputs: Record<string, unknown>,
): Promise<string | undefined> {
  const wanted = (inputs.tags as Record<string, unknown> | undefined)?.[stackTag];
  if (typeof wanted !== "string") throw new Undecided(urn, "it has no tag by which it could be found");
  const client = new KMSClient(access);
  const matching: string[] = [];
  try {
    for await (const { Keys = [] } of paginateListKeys({ client }, {})) {
      for (const { KeyId } of Keys) {
        const { KeyMetadata } = await client.send(new DescribeKeyCommand({ KeyId }));
        if (KeyMetadata?.KeyManager !== "CUSTOMER" || KeyMetadata.KeyState === "PendingDeletion") continue;
        const { Tags = [] } = await client.send(new ListResourceTagsCommand({ KeyId }));
        if (Tags.some(({ TagKey, TagValue }) => TagKey === stackTag && TagValue === wanted))
          matching.push(KeyId as string);
      }
    }
  } finally {
    client.destroy();
  }
  if (matching.length > 1) throw new Undecided(urn, `several keys have its tag: ${matching.join(", ")}`);
  return matching[0];
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

function unless(...names: string[]): (error: Error) => undefined {
  return (error) => {
    if (names.includes(error.name)) return undefined;
    throw error;
  };
}
