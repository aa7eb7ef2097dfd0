// Gets the engine (Pulumi's command line and its host for Node.js) and the AWS plugin: what the machine has, else Pulumi's own
// downloads, else a build from Go modules. Nothing of it touches the user's ~/.pulumi.

import fs from "node:fs";
import path from "node:path";
import { CommandError, run } from "../../automation/process";
import { cached, cachedEntry, type Entry, hashOfFiles } from "../cache";
import { type Context, execute } from "../context";
import { userError } from "../errors";
import type { Step } from "../progress";
import { findTerraformProvider, searchPath } from "./terraformProvider";
import { awsPluginVersion, compare, isSuitable, parseVersion, pulumiVersion, SUITABLE } from "./versions";

export type Origin = "found on PATH" | "downloaded" | "built from Go modules";

export interface Engine {
  /** The folder with `pulumi` and, unless it was found on PATH, `pulumi-language-nodejs`. */
  bin: string;
  version: string;
  origin: Origin;
}

export interface AwsPlugin {
  version: string;
  origin: Origin;
  /** The files of the plugin's folder, by name. */
  files: Record<string, string>;
}

const MINUTE = 60_000;
const BUILD_LIMIT = 30 * MINUTE;
const PLATFORM = `${process.platform}-${process.arch}`;

export async function installEngine(context: Context, step: Step): Promise<Engine> {
  const engine = await getEngine(context, step);
  step.title(`Pulumi ${engine.version} (${engine.origin})`);
  return engine;
}

/** `engine` is awaited only where the plugin is downloaded, which Pulumi does itself. */
export async function installAwsPlugin(context: Context, step: Step, engine: Promise<Engine>): Promise<AwsPlugin> {
  const plugin = await getAwsPlugin(context, step, engine);
  step.title(`AWS provider ${plugin.version} (${plugin.origin})`);
  return plugin;
}

async function getEngine(context: Context, step: Step): Promise<Engine> {
  const version = pulumiVersion();
  const onPath = await engineOnPath(context);
  if (onPath) return onPath;

  const download: Entry = {
    name: `pulumi-${version}-download`,
    key: [version, PLATFORM],
    build: async (folder) => {
      step.note(`downloading Pulumi ${version}`);
      await execute(context, process.execPath, [path.join(__dirname, "download.js"), version, folder], {
        what: "The download of Pulumi",
        timeoutMs: 10 * MINUTE,
        // Its check of the version would otherwise write to the user's ~/.pulumi.
        env: { ...process.env, PULUMI_HOME: path.join(folder, "home"), PULUMI_SKIP_UPDATE_CHECK: "true" },
      });
      fs.rmSync(path.join(folder, "home"), { recursive: true, force: true });
    },
  };
  const modules = ["pulumi", "language-nodejs"].map((name) => path.join(__dirname, name));
  const build: Entry = {
    name: `pulumi-${version}-build`,
    key: [version, PLATFORM, hashOfFiles(...modules)],
    build: async (folder) => {
      const bin = path.join(folder, "bin");
      fs.mkdirSync(bin);
      await goBuild(context, step, "language-nodejs", path.join(bin, "pulumi-language-nodejs"), {
        package: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
        title: "Pulumi's host for Node.js",
      });
      await goBuild(context, step, "pulumi", path.join(bin, "pulumi"), {
        package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
        flags: `-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${version}`,
        title: `Pulumi ${version}`,
      });
    },
  };

  const here = cachedEntry(download);
  if (here) return { bin: path.join(here, "bin"), version, origin: "downloaded" };
  // Once built it is used, rather than asking the network again.
  const built = cachedEntry(build);
  if (built) return { bin: path.join(built, "bin"), version, origin: "built from Go modules" };

  if (await pulumiIsReachable(step)) {
    const folder = await attempt(context, step, "Pulumi", () => cached(context, step, download));
    if (folder) return { bin: path.join(folder, "bin"), version, origin: "downloaded" };
  } else {
    step.title("Pulumi (get.pulumi.com is not reachable from here, so it is built from Go modules)");
  }
  const folder = await cached(context, step, build);
  return { bin: path.join(folder, "bin"), version, origin: "built from Go modules" };
}

async function getAwsPlugin(context: Context, step: Step, engine: Promise<Engine>): Promise<AwsPlugin> {
  const version = awsPluginVersion();
  const download: Entry = {
    name: `aws-plugin-${version}-download`,
    key: [version, PLATFORM],
    build: async (folder) => {
      step.note("waiting for Pulumi, which downloads it");
      const { bin } = await engine;
      step.note(`downloading the AWS provider ${version} (about 180 MB)`);
      const home = path.join(folder, "home");
      await execute(context, path.join(bin, "pulumi"), ["plugin", "install", "resource", "aws", version], {
        what: "The download of the AWS provider",
        timeoutMs: 20 * MINUTE,
        env: { ...process.env, PULUMI_HOME: home, PULUMI_SKIP_UPDATE_CHECK: "true" },
      });
      fs.renameSync(path.join(home, "plugins", `resource-aws-v${version}`), path.join(folder, "plugin"));
      fs.rmSync(home, { recursive: true, force: true });
    },
  };
  const build: Entry = {
    name: `aws-plugin-${version}-build`,
    key: [version, PLATFORM, hashOfFiles(path.join(__dirname, "aws-plugin"))],
    build: (folder) =>
      goBuild(context, step, "aws-plugin", path.join(folder, "pulumi-resource-aws"), {
        package: ".",
        flags: `-X main.version=${version}`,
        title: "the AWS provider's bridge",
      }),
  };
  const downloaded = (folder: string): AwsPlugin => ({
    version,
    origin: "downloaded",
    files: filesOf(path.join(folder, "plugin")),
  });

  const here = cachedEntry(download);
  if (here) return downloaded(here);
  if (!cachedEntry(build) && (await pulumiIsReachable(step))) {
    const folder = await attempt(context, step, "the AWS provider", () => cached(context, step, download));
    if (folder) return downloaded(folder);
  }

  const upstream = findTerraformProvider();
  if (!upstream) {
    throw userError(
      "There is no AWS provider: Pulumi's download cannot be reached, and no Terraform AWS provider (5.80 or newer, below 7) was found to build one from.",
      "Let this machine reach https://get.pulumi.com, or",
      `put a mirror of the provider into one of the folders that Terraform uses (terraform providers mirror <folder>): ${searchPath().join(", ")}`,
    );
  }
  if (!cachedEntry(build)) step.title("AWS provider (built from Go modules, too)");
  const folder = await cached(context, step, build);
  return {
    version,
    origin: "built from Go modules",
    // The bridge finds the provider under this name beside itself.
    files: { ...filesOf(folder), "terraform-provider-aws": upstream.path },
  };
}

function filesOf(folder: string): Record<string, string> {
  // What the plugin keeps for itself (.schemas-…) it finds where it really is.
  const names = fs.readdirSync(folder).filter((name) => !name.startsWith("."));
  return Object.fromEntries(names.map((name) => [name, path.join(folder, name)]));
}

/** A `pulumi` that the user has already, if it is of a version that does and has its host for Node.js. */
async function engineOnPath(context: Context): Promise<Engine | undefined> {
  const pulumi = which("pulumi");
  if (!pulumi) return undefined;
  const bin = path.dirname(pulumi);
  if (!fs.existsSync(path.join(bin, "pulumi-language-nodejs")) && !which("pulumi-language-nodejs")) return undefined;
  const result = await run(pulumi, ["version"], {
    timeoutMs: MINUTE,
    signal: context.signal,
    env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" },
  });
  context.signal.throwIfAborted();
  const version = result.stdout.trim();
  if (result.code !== 0 || !isSuitable(version)) return undefined;
  return { bin, version: version.replace(/^v/, ""), origin: "found on PATH" };
}

export function which(program: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  for (const folder of (env.PATH ?? "").split(path.delimiter)) {
    if (!path.isAbsolute(folder)) continue;
    const file = path.join(folder, program);
    try {
      fs.accessSync(file, fs.constants.X_OK);
      if (fs.statSync(file).isFile()) return file;
    } catch {
      // Not here.
    }
  }
  return undefined;
}

let reachable: Promise<boolean> | undefined;

/** Asks once, with the same means and the same host as Pulumi's installer. */
async function pulumiIsReachable(step: Step): Promise<boolean> {
  step.note("looking whether get.pulumi.com can be reached");
  reachable ??= fetch("https://get.pulumi.com/", {
    method: "HEAD",
    redirect: "manual",
    signal: AbortSignal.timeout(6_000),
  })
    .then((response) => response.status < 500)
    .catch(() => false);
  const answer = await reachable;
  return answer;
}

/** A download that fails is not the end: there is the build. */
async function attempt<T>(context: Context, step: Step, what: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    context.signal.throwIfAborted();
    const [line] = (error instanceof Error ? error.message : String(error)).split("\n");
    step.note(`${line ?? ""}; building ${what} instead`);
    return undefined;
  }
}

interface GoPackage {
  package: string;
  flags?: string;
  title: string;
}

async function goBuild(context: Context, step: Step, module: string, output: string, what: GoPackage): Promise<void> {
  const folder = path.join(__dirname, module);
  await requireGo(context);
  // -v names each package as it is compiled: what is left cannot be known, but one sees that it continues.
  let compiled = 0;
  step.note(`building ${what.title}: starting`);
  const args = ["build", "-v", "-buildvcs=false", "-ldflags", `-s -w ${what.flags ?? ""}`.trim(), "-o", output];
  await execute(context, "go", [...args, what.package], {
    what: `The build of ${what.title}`,
    cwd: folder,
    timeoutMs: BUILD_LIMIT,
    // The user's own flags and workspace are for the user's own modules.
    env: { ...process.env, GOFLAGS: "", GOWORK: "off" },
    onLine: (line) => {
      const download = /^go: downloading (\S+)/.exec(line);
      if (download) step.note(`building ${what.title}: downloading ${download[1]}`);
      else if (!line.startsWith("go: ")) step.note(`building ${what.title}: ${++compiled} packages compiled`);
    },
  });
}

async function requireGo(context: Context): Promise<void> {
  // Pulumi itself asks for the newest of all three modules.
  const module = path.join(__dirname, "pulumi");
  const needed = /^go (\S+)/m.exec(fs.readFileSync(path.join(module, "go.mod"), "utf8"))?.[1] ?? "1.25";
  const remedy = `Install Go ${needed} or newer (https://go.dev/dl/), or Pulumi ${SUITABLE.from} or newer, and start again.`;
  let version: string;
  let toolchain: string;
  try {
    const options = { timeoutMs: MINUTE, signal: context.signal, env: { ...process.env, GOWORK: "off" } };
    // Outside of the module: in it, an old Go would fetch the toolchain that the module asks for.
    version = (await run("go", ["env", "GOVERSION"], { ...options, cwd: path.parse(module).root })).stdout;
    toolchain = (await run("go", ["env", "GOTOOLCHAIN"], { ...options, cwd: path.parse(module).root })).stdout.trim();
  } catch (error) {
    context.signal.throwIfAborted();
    if (!(error instanceof CommandError)) throw error;
    throw userError(
      "Pulumi must be built on this machine, as its download cannot be reached, and there is no Go.",
      remedy,
    );
  }
  const parsed = parseVersion(version.replace(/^go/, ""));
  const enough = parsed && compare(parsed, parseVersion(needed)!) >= 0;
  const fetches = parsed && compare(parsed, [1, 21, 0]) >= 0 && toolchain !== "local";
  if (!enough && !fetches) {
    throw userError(
      `Pulumi must be built on this machine, and Go is ${version.trim() || "of an unknown version"}.`,
      remedy,
    );
  }
}
