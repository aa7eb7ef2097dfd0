/**
 * Pulumi's runtime with mocks instead of an engine: nothing is answered that a test did not expect, and everything that is
 * registered is recorded with what the engine would be told. Not shown by it: what providers and AWS make of the inputs,
 * replacements, aliases, the order of deletions. Those are for the tests with an engine.
 */
import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import * as debuggable from "@pulumi/pulumi/runtime/debuggable";
import type { MockCallArgs, MockResourceArgs, MockResourceResult } from "@pulumi/pulumi/runtime";

/**
 * Pulumi notes the stack of every promise and of every resource, for messages that no test reads. Each is translated by way of
 * source maps, which took half of the time of these tests.
 */
function withoutStacks(): void {
  const runtime = debuggable as unknown as { debuggablePromise: (promise: unknown, context: unknown) => unknown };
  const { debuggablePromise } = runtime;
  runtime.debuggablePromise = (promise, context) => {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    try {
      return debuggablePromise(promise, context);
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  };
  (pulumi.Resource as unknown as { callsites: () => unknown[] }).callsites = () => [];
}
withoutStacks();

/** A resource as the engine would be asked to register it. */
export interface Registered {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
  /** The parent's name, with its type: `AuditKey audit`. */
  parent?: string;
  protect: boolean;
  retainOnDelete: boolean;
  /** What it is imported by; "" when it is made. */
  importId: string;
  /** Inputs whose changes are ignored. */
  ignoreChanges: string[];
  /** Names of the resources that it waits for, sorted; through `dependsOn` or an input. */
  dependsOn: string[];
  /** The name of the provider that it was given, or of `parent`'s; undefined: the stack's own. */
  provider?: string;
  /** The Region of that provider. */
  providerRegion?: string;
  /** What registerOutputs said, for a component. */
  outputs?: Record<string, unknown>;
}

/** What the program finds: its configuration, the credentials' account, other stacks' outputs. */
export interface World {
  project?: string;
  stack?: string;
  organization?: string;
  preview?: boolean;
  config?: Record<string, string>;
  /** Account of the credentials; undefined: the provider refuses them. */
  accountId?: string;
  /** The keys of the configuration that Pulumi keeps encrypted. */
  secretKeys?: string[];
  /** ARNs of the roles that IAM finds, by name. */
  roles?: Record<string, string | Error>;
  /** What S3 says of the log bucket's MFA Delete. */
  mfaDelete?: string | Error;
  /** What the stack knows of it since the last deployment or refresh. */
  knownMfaDelete?: string;
  /** The keys behind KMS's aliases, by alias. */
  aliases?: Record<string, { keyId: string; stack?: string } | Error>;
  /** ARN of who deploys. Default: a role `deploy`. */
  callerArn?: string;
  /** Outputs by full stack name. Any other stack is unknown. */
  stacks?: Record<string, Record<string, unknown>>;
}

/** What happened. */
export interface Run {
  /** In the order in which they were registered; StackReferences are among `read`. */
  resources: Registered[];
  /** Names of the stacks that were referenced. */
  read: string[];
  /** Tokens of the functions that were called. */
  calls: string[];
  /** Texts of the warnings. */
  warnings: string[];
  /** Waits until everything that was begun is registered. */
  settle(): Promise<void>;
  /** The resource of this name and type; the type's last part is enough. */
  resource(type: string, name: string): Registered;
}

interface RegisterRequest {
  getType(): string;
  getName(): string;
  getParent(): string;
  getProtect(): boolean | undefined;
  getRetainondelete(): boolean | undefined;
  getImportid(): string;
  getIgnorechangesList(): string[];
  getDependenciesList(): string[];
  getProvider(): string;
}
type Callback = (error: unknown, response: { getUrn(): string } | undefined) => void;
/** The monitor's calls that carry what mocks are not told. */
interface Monitor {
  registerResource(request: RegisterRequest, callback: Callback): Promise<void>;
  registerResourceOutputs(
    request: { getUrn(): string; getOutputs(): { toJavaScript(): Record<string, unknown> } },
    callback: Callback,
  ): void;
}

/** Replaces the engine; the next call replaces it again. */
export async function startMocks(world: World = {}): Promise<Run> {
  const { project = "crosstrail", stack = "test", organization = "acme" } = world;
  const registered = new Map<string, Registered>();
  const inputsOf = new Map<string, Record<string, unknown>>();
  const run: Run = {
    resources: [],
    read: [],
    calls: [],
    warnings: [],
    settle,
    resource: (type, name) => {
      const found = run.resources.filter((each) => each.name === name && each.type.endsWith(`:${type}`));
      assert.equal(found.length, 1, `${type} ${name} among ${run.resources.map((each) => each.name).join(", ")}`);
      return found[0] as Registered;
    },
  };

  const newResource = (args: MockResourceArgs): MockResourceResult => {
    if (args.type === "pulumi:pulumi:StackReference") {
      const outputs = world.stacks?.[args.id ?? ""];
      if (!outputs) throw remoteError(`unknown stack ${JSON.stringify(args.id)}`);
      run.read.push(args.id ?? "");
      return { id: args.id, state: { name: args.id, outputs, secretOutputNames: [] } };
    }
    inputsOf.set(`${args.type} ${args.name}`, args.inputs as Record<string, unknown>);
    if (args.type.startsWith("crosstrail:index:")) return { id: undefined, state: {} };
    const answer = answers[args.type];
    if (!answer) throw new Error(`no mock for the resource ${args.type}`);
    const state = { ...args.inputs, ...answer(args.inputs as Record<string, string>) };
    if (args.name === "audit-versioning" && world.knownMfaDelete !== undefined) {
      const { versioningConfiguration } = state as { versioningConfiguration?: object };
      Object.assign(state, {
        versioningConfiguration: { ...versioningConfiguration, mfaDelete: world.knownMfaDelete },
      });
    }
    return { id: `${args.name}-id`, state };
  };
  const call = ({ token, inputs }: MockCallArgs): Record<string, unknown> => {
    run.calls.push(token);
    switch (token) {
      case "aws:index/getCallerIdentity:getCallerIdentity": {
        const { accountId } = world;
        if (accountId === undefined) throw remoteError("no valid credential sources found");
        const arn = world.callerArn ?? `arn:aws:sts::${accountId}:assumed-role/deploy/me`;
        return { accountId, arn, id: accountId, userId: "me" };
      }
      case "pulumi:pulumi:readStackOutputs": {
        const { name } = inputs as { name: string };
        const outputs =
          name === `${organization}/${project}/${stack}` ? (world.stacks?.[name] ?? {}) : world.stacks?.[name];
        if (!outputs) throw remoteError(`unknown stack ${JSON.stringify(name)}`);
        return { name, outputs, secretOutputNames: [] };
      }
      default:
        throw new Error(`no mock for the function ${token}`);
    }
  };
  await pulumi.runtime.setMocks({ call, newResource }, project, stack, world.preview ?? false, organization);
  pulumi.runtime.setAllConfig(world.config ?? {}, world.secretKeys);

  // What the mocks are not told is in the requests.
  const monitor = pulumi.runtime.getMonitor() as unknown as Monitor;
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, callback) =>
    register(request, (error, response) => {
      if (response) {
        const [type, name] = [request.getType(), request.getName()];
        const parent = registered.get(request.getParent());
        const resource: Registered = {
          type,
          name,
          inputs: inputsOf.get(`${type} ${name}`) ?? {},
          ...providerOf(registered.get(request.getProvider().split("::").slice(0, -1).join("::"))),
          ...(parent && { parent: `${parent.type.split(":").pop()} ${parent.name}` }),
          protect: request.getProtect() === true,
          retainOnDelete: request.getRetainondelete() === true,
          importId: request.getImportid(),
          ignoreChanges: request.getIgnorechangesList(),
          dependsOn: request
            .getDependenciesList()
            .map((urn) => registered.get(urn)?.name ?? `not registered yet: ${urn}`)
            .sort(),
        };
        registered.set(response.getUrn(), resource);
        run.resources.push(resource);
      }
      callback(error, response);
    });
  const registerOutputs = monitor.registerResourceOutputs.bind(monitor);
  monitor.registerResourceOutputs = (request, callback) => {
    const resource = registered.get(request.getUrn());
    if (resource) resource.outputs = request.getOutputs().toJavaScript();
    registerOutputs(request, callback);
  };
  // Without an engine, Pulumi prints warnings.
  console.warn = (text: string) => run.warnings.push(text.replace(/^warning: \[runtime\] /, ""));
  return run;
}

function providerOf(provider: Registered | undefined): { provider?: string; providerRegion?: string } {
  return provider ? { provider: provider.name, providerRegion: provider.inputs.region as string } : {};
}

const printWarning = console.warn;
afterEach(() => {
  console.warn = printWarning;
});

/** An error as the engine's answers have it: Pulumi hands on its details. */
function remoteError(details: string): Error {
  return Object.assign(new Error(`2 UNKNOWN: ${details}`), { details });
}

/** What AWS would add to a resource's inputs. */
const answers: Record<string, (inputs: Record<string, string>) => Record<string, unknown>> = {
  "aws:s3/bucket:Bucket": ({ bucket }) => ({ arn: `arn:aws:s3:::${bucket}` }),
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": () => ({}),
  "aws:s3/bucketLogging:BucketLogging": () => ({}),
  "aws:s3/bucketNotification:BucketNotification": () => ({}),
  "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": () => ({}),
  "aws:s3/bucketOwnershipControls:BucketOwnershipControls": () => ({}),
  "aws:s3/bucketPolicy:BucketPolicy": () => ({}),
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": () => ({}),
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": () => ({}),
  "aws:s3/bucketVersioning:BucketVersioning": () => ({}),
  "aws:sqs/queue:Queue": ({ name }) => ({
    arn: `arn:aws:sqs:us-east-1:111111111111:${name}`,
    url: `https://sqs.us-east-1.amazonaws.com/111111111111/${name}`,
  }),
  "aws:sqs/queuePolicy:QueuePolicy": () => ({}),
  "aws:kms/key:Key": () => ({
    arn: "arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    keyId: "1234abcd-12ab-34cd-56ef-1234567890ab",
  }),
  "aws:kms/alias:Alias": () => ({}),
  // The only one there is in these tests.
  "aws:kms/replicaKey:ReplicaKey": ({ primaryKeyArn }) => ({
    arn: primaryKeyArn?.replace(":us-east-1:", ":eu-west-1:"),
  }),
  "pulumi:providers:aws": () => ({}),
  "aws:s3/bucketReplicationConfig:BucketReplicationConfig": () => ({}),
  "aws:iam/role:Role": ({ name = "made-up" }) => ({ name, arn: `arn:aws:iam::111111111111:role/${name}` }),
  "aws:iam/rolePolicy:RolePolicy": () => ({}),
  "aws:cloudtrail/organizationDelegatedAdminAccount:OrganizationDelegatedAdminAccount": () => ({}),
  "aws:organizations/policy:Policy": ({ name }) => ({ arn: `arn:aws:organizations::555555555555:policy/${name}` }),
  "aws:organizations/policyAttachment:PolicyAttachment": () => ({}),
  "aws:cloudwatch/logGroup:LogGroup": ({ name }) => ({
    arn: `arn:aws:logs:us-east-1:222222222222:log-group:${name}`,
  }),
  "aws:sns/topic:Topic": ({ name }) => ({ arn: `arn:aws:sns:us-east-1:222222222222:${name}` }),
  "aws:sns/topicPolicy:TopicPolicy": () => ({}),
  "aws:cloudtrail/eventDataStore:EventDataStore": () => ({
    arn: "arn:aws:cloudtrail:us-east-1:111111111111:eventdatastore/EXAMPLE-1234",
  }),
  "aws:cloudtrail/trail:Trail": ({ name }) => ({
    arn: `arn:aws:cloudtrail:us-east-1:222222222222:trail/${name}`,
    homeRegion: "us-east-1",
  }),
};

/** Registrations begin when inputs are known, so the queue fills again while it empties; it is done when it stays empty. */
async function settle(): Promise<void> {
  const { waitForRPCs } = pulumi.runtime as unknown as { waitForRPCs(): Promise<void> };
  for (let turn = 0; turn < 3; turn++) {
    await nextTurn();
    await waitForRPCs();
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The value of an output. */
export function valueOf<Value>(output: pulumi.Input<Value>): Promise<pulumi.Unwrap<Value>> {
  return (pulumi.output(output) as unknown as { promise(): Promise<pulumi.Unwrap<Value>> }).promise();
}

/** An output whose value nobody knows yet, as those of resources in a first preview. */
export function unknownText(): pulumi.Output<string> {
  const OutputOf = pulumi.Output as unknown as new (...parts: unknown[]) => pulumi.Output<string>;
  const [resources, value, known, secret] = [
    new Set(),
    Promise.resolve(""),
    Promise.resolve(false),
    Promise.resolve(false),
  ];
  return new OutputOf(resources, value, known, secret, Promise.resolve(resources));
}

/**
 * Runs `act` and gives back the messages of the rejections that nobody handles: how a mistake in an output, found when its
 * value is known, reaches the user. Pulumi prints it and ends the program.
 */
export async function unhandledIn(act: () => unknown): Promise<string[]> {
  const found = new Set<Error>();
  const collect = (reason: unknown) => found.add(reason as Error);
  const listeners = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", collect);
  try {
    await act();
    // Registrations that wait for a rejected value never end, so there is nothing else to wait for.
    for (let turn = 0; found.size === 0 && turn < 1000; turn++) await nextTurn();
    for (let turn = 0; turn < 20; turn++) await nextTurn();
  } finally {
    process.removeListener("unhandledRejection", collect);
    for (const listener of listeners) process.on("unhandledRejection", listener);
    // Pulumi would complain of them when the process ends, and change its exit code.
    (debuggable as unknown as { leakedPromises(): unknown }).leakedPromises();
  }
  return [...new Set([...found].map(({ message }) => message))];
}
