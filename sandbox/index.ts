// The sandbox: a real engine, the AWS provider and an AWS emulator on this machine, with state, plugins and settings of their own.
// Used by the quickstart, the engine tests and the benchmark.

import fs from "node:fs";
import path from "node:path";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { parse, stringify } from "yaml";
import { type ProcessResult, run } from "../automation/process";
import { type ClockState, moveClock } from "./clock";
import type { Context } from "./context";
import { type Emulator, installEmulator, startEmulator } from "./emulator";
import { type AwsPlugin, type Engine, installAwsPlugin, installEngine } from "./engine/install";
import { userError } from "./errors";
import { AUDIT_ACCOUNT, deployRole, ROOT } from "./accounts";
import { isForeign, RECORD, type SandboxRecord } from "./record";

export { ROOT };
export const REGION = "us-east-1";

/** Known to the emulator as the audit account's; any secret fits. */
const ACCESS_KEY = "sandbox";
/** The user agent of anyone who looks at the sandbox from beside. */
export const BESIDE = "crosstrail-sandbox";
const MINUTE = 60_000;

/** What is installed once per machine, and used by every sandbox. */
export interface Tools {
  engine: Engine;
  awsPlugin: AwsPlugin;
  python: string;
}

export async function installTools(context: Context): Promise<Tools> {
  let engineIs!: (engine: Engine | Promise<Engine>) => void;
  const forPlugin = new Promise<Engine>((resolve) => (engineIs = resolve));
  // Nobody may be waiting for it.
  forPlugin.catch(() => {});
  const [engine, awsPlugin, python] = await context.progress.all<[Engine, AwsPlugin, string]>([
    {
      title: "Pulumi",
      work: (step) => {
        const engine = installEngine(context, step);
        engineIs(engine);
        return engine;
      },
    },
    { title: "AWS provider", work: (step) => installAwsPlugin(context, step, forPlugin) },
    { title: "AWS emulator (moto)", work: (step) => installEmulator(context, step) },
  ]);
  return { engine, awsPlugin, python };
}

export interface SandboxOptions {
  /** The sandbox's own folder; it must be empty, or not exist. */
  folder: string;
  tools: Tools;
  /** The Pulumi project to run; default: this repository. Its Pulumi.yaml is taken over, its stack files are not. */
  project?: string;
  /** It may be left running with `release()`. */
  keep?: boolean;
}

export interface PulumiOptions {
  timeoutMs?: number;
  onLine?: (line: string) => void;
  /** Over the sandbox's environment. */
  env?: NodeJS.ProcessEnv;
}

export interface AwsAccess {
  endpoint: string;
  region: string;
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
  /** Tells calls of the sandbox and of tests from those of Crosstrail and the provider. */
  customUserAgent: string;
}

export interface Sandbox {
  readonly folder: string;
  readonly endpoint: string;
  /** The complete environment in which `pulumi` and the AWS SDKs work in this sandbox, and nowhere else. */
  readonly env: NodeJS.ProcessEnv;
  /** Where the stack files are. Pulumi works there whatever its working folder is (PULUMI_OPTION_CWD). */
  readonly projectFolder: string;
  /** Runs `pulumi` and gives back how it ended; a failure is a result. */
  pulumi(args: string[], options?: PulumiOptions): Promise<ProcessResult>;
  /** Writes the stack's settings, and creates the stack unless it is there. */
  stack(name: string, config: Record<string, unknown>): Promise<void>;
  /** Writes the stack's settings only. */
  configure(name: string, config: Record<string, unknown>): void;
  /** The stack's settings as they are now. */
  config(name: string): Record<string, unknown>;
  outputs<T = Record<string, unknown>>(name: string): Promise<T>;
  /** How an AWS SDK reaches an account: `new S3Client({ ...await sandbox.aws(id), forcePathStyle: true })`. */
  aws(accountId: string): Promise<AwsAccess>;
  /** Moves the sandbox's time forward, by hours, and lets CloudTrail deliver what is due by then. */
  pass(hours: number): Promise<ClockState>;
  /** Leaves the emulator running when this process ends. */
  release(): Promise<void>;
  /** Ends the emulator and removes the folder. */
  stop(): Promise<void>;
}

export async function openSandbox(context: Context, options: SandboxOptions): Promise<Sandbox> {
  const { folder, tools, project = ROOT, keep } = options;
  const inside = (name: string) => path.join(folder, name);
  fs.mkdirSync(folder, { recursive: true });
  const record: SandboxRecord = {
    ownerPid: process.pid,
    guardPid: 0,
    runId: "",
    endpoint: "",
    startedAt: new Date().toISOString(),
    variables: {},
    bin: tools.engine.bin,
    complete: false,
  };
  const save = () => fs.writeFileSync(inside(RECORD), JSON.stringify(record, undefined, 2));
  save();
  for (const name of ["pulumi-home", "state", "project", "logs", "aws"]) fs.mkdirSync(inside(name), { mode: 0o700 });
  linkPlugin(inside("pulumi-home"), tools.awsPlugin);
  writeProject(project, inside("project"));
  for (const name of ["config", "credentials"]) fs.writeFileSync(path.join(inside("aws"), name), "");

  const emulator: Emulator = await startEmulator(context, {
    python: tools.python,
    accountId: AUDIT_ACCOUNT,
    accessKeyId: ACCESS_KEY,
    logFolder: inside("logs"),
    keep,
  });
  record.guardPid = emulator.process.guardPid;
  record.runId = emulator.process.id;
  record.endpoint = emulator.endpoint;
  record.variables = variablesOf(folder, emulator.endpoint);
  save();
  const env = environment(record);

  const pulumi = (args: string[], more: PulumiOptions = {}) =>
    run(path.join(tools.engine.bin, "pulumi"), [...args, "--non-interactive"], {
      cwd: inside("project"),
      env: { ...env, ...more.env },
      timeoutMs: more.timeoutMs ?? 10 * MINUTE,
      // Pulumi cancels at the first signal, and ends at once at the second, so that no lock stays.
      stopSignal: "SIGINT",
      // Short: what is cancelled here is thrown away with the emulator.
      graceMs: 2_000,
      signal: context.signal,
      onLine: more.onLine,
    });
  const must = async (args: string[]) => {
    const result = await pulumi(args, { timeoutMs: 2 * MINUTE });
    context.signal.throwIfAborted();
    if (result.code !== 0) {
      throw new Error(`pulumi ${args.join(" ")} failed:\n${result.stderr.trim() || result.stdout.trim()}`);
    }
    return result.stdout;
  };
  const stackFile = (name: string) => path.join(inside("project"), `Pulumi.${name}.yaml`);
  const readStack = (name: string) => {
    const text = fs.existsSync(stackFile(name)) ? fs.readFileSync(stackFile(name), "utf8") : "";
    return (parse(text) ?? {}) as Record<string, unknown> & { config?: Record<string, unknown> };
  };

  return {
    folder,
    endpoint: emulator.endpoint,
    env,
    projectFolder: inside("project"),
    pulumi,
    async stack(name, config) {
      const before = readStack(name);
      fs.writeFileSync(stackFile(name), stringify({ ...before, config }));
      // The salt is written when the stack is created, and stays.
      if (before.encryptionsalt === undefined) await must(["stack", "init", name]);
    },
    configure: (name, config) => fs.writeFileSync(stackFile(name), stringify({ ...readStack(name), config })),
    config: (name) => readStack(name).config ?? {},
    outputs: async <T>(name: string) => JSON.parse(await must(["stack", "output", "--json", "--stack", name])) as T,
    aws: (accountId) => awsAccess(emulator.endpoint, accountId),
    pass: (hours) => moveClock(emulator.endpoint, hours * 60 * 60),
    async release() {
      record.complete = true;
      save();
      await emulator.process.release();
    },
    async stop() {
      await emulator.process.stop();
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Pulumi takes a plugin's folder only if it is a real one, so that is made here and its files are links. A link also spares
 * `pulumi plugin install`, and a copy of some hundred megabytes.
 */
function linkPlugin(home: string, plugin: AwsPlugin): void {
  const target = path.join(home, "plugins", `resource-aws-v${plugin.version}`);
  fs.mkdirSync(target, { recursive: true });
  for (const [name, file] of Object.entries(plugin.files)) fs.symlinkSync(file, path.join(target, name));
}

/**
 * A project that runs the same program but keeps its stack files to itself: those of the sandbox hold the salt of its
 * passphrase and the emulator's accounts, and the repository's are not to change.
 */
function writeProject(from: string, to: string): void {
  const file = path.join(from, "Pulumi.yaml");
  if (!fs.existsSync(file)) throw userError(`${file} does not exist.`, "Run it in the project's folder.");
  const project = parse(fs.readFileSync(file, "utf8")) as Record<string, unknown>;
  const main = typeof project.main === "string" ? project.main : ".";
  fs.writeFileSync(path.join(to, "Pulumi.yaml"), stringify({ ...project, main: path.resolve(from, main) }));
}

/** The variables that make `pulumi` and the AWS SDKs work in the sandbox. */
function variablesOf(folder: string, endpoint: string): Record<string, string> {
  return {
    PULUMI_HOME: path.join(folder, "pulumi-home"),
    PULUMI_BACKEND_URL: `file://${path.join(folder, "state")}`,
    // The sandbox's state holds no secret; without a passphrase Pulumi would ask for one.
    PULUMI_CONFIG_PASSPHRASE: "crosstrail-sandbox",
    PULUMI_OPTION_CWD: path.join(folder, "project"),
    PULUMI_SKIP_UPDATE_CHECK: "true",
    // All plugins are here. What is missing is to be an error, not a download.
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: ACCESS_KEY,
    AWS_SECRET_ACCESS_KEY: ACCESS_KEY,
    AWS_REGION: REGION,
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_CONFIG_FILE: path.join(folder, "aws", "config"),
    AWS_SHARED_CREDENTIALS_FILE: path.join(folder, "aws", "credentials"),
  };
}

/** The complete environment of a sandbox, also of one that another process keeps. */
export function environment(record: SandboxRecord): NodeJS.ProcessEnv {
  // npm's variables would make what is started here believe that it is npm's script.
  const own = Object.entries(process.env).filter(([name]) => !isForeign(name) && !/^npm_/.test(name));
  const noProxy = [process.env.NO_PROXY ?? process.env.no_proxy, "127.0.0.1", "localhost"].filter(Boolean).join(",");
  return {
    ...Object.fromEntries(own),
    NO_PROXY: noProxy,
    no_proxy: noProxy,
    ...record.variables,
    PATH: [record.bin, process.env.PATH].join(path.delimiter),
  };
}

async function awsAccess(endpoint: string, accountId: string): Promise<AwsAccess> {
  const access: AwsAccess = {
    endpoint,
    region: REGION,
    credentials: { accessKeyId: ACCESS_KEY, secretAccessKey: ACCESS_KEY },
    customUserAgent: BESIDE,
  };
  if (accountId === AUDIT_ACCOUNT) return access;
  const sts = new STSClient(access);
  try {
    const RoleArn = deployRole(accountId);
    const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: "sandbox" }));
    if (!Credentials?.AccessKeyId || !Credentials.SecretAccessKey) throw new Error(`no credentials for ${RoleArn}`);
    const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken } = Credentials;
    return { ...access, credentials: { accessKeyId, secretAccessKey, sessionToken } };
  } finally {
    sts.destroy();
  }
}
