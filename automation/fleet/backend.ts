/** What the backend knows of the fleet, asked with few processes. */
import type { Contract } from "../../core/contract";
import { parseContract } from "../../core/contract";
import type { Finding } from "../../core/findings";
import { ExitCode, ExitError } from "../output";
import type { ProcessResult } from "../process";
import { CommandError, run } from "../process";
import { pulumiMissing } from "../systemFailure";
import { diagnoseText } from "./diagnosis";

/** The oldest engine that this works with: docs/fleet.md says why. */
const oldest = [3, 244] as const;

export interface StackEntry {
  name: string;
  /** Undefined where the backend does not say. */
  resources?: number;
  lastUpdate?: string;
  /** Pulumi Cloud: the stack's page, and whether somebody works on it. */
  url?: string;
  updateInProgress?: boolean;
}

export class Backend {
  constructor(
    private readonly folder: string,
    private readonly env: NodeJS.ProcessEnv,
    private readonly signal?: AbortSignal,
    private readonly limitSeconds = 120,
  ) {}

  /** The engine's version. @throws ExitError when there is no engine, or it is too old. */
  async version(): Promise<string> {
    const result = await this.pulumi(["version"]);
    const version = result.stdout.trim().replace(/^v/, "");
    const [major = 0, minor = 0] = version.split(".").map(Number);
    if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
      throw failure(ExitCode.Usage, "The Pulumi CLI is too old.", {
        id: "pulumi/too-old",
        severity: "error",
        subject: `pulumi ${version}`,
        message: `Version ${oldest.join(".")} or newer is required.`,
        remedy: "https://www.pulumi.com/docs/install/",
      });
    }
    return version;
  }

  /** The project's stacks by name. */
  async stacks(): Promise<Map<string, StackEntry>> {
    const { stdout } = await this.pulumi(["stack", "ls", "--json"]);
    const list = JSON.parse(stdout) as (Omit<StackEntry, "resources"> & { resourceCount?: number })[];
    return new Map(
      list.map(({ name, resourceCount, lastUpdate, url, updateInProgress }) => {
        // Pulumi Cloud names stacks of other organizations in full.
        const short = name.split("/").at(-1) as string;
        return [short, { name: short, resources: resourceCount, lastUpdate, url, updateInProgress }];
      }),
    );
  }

  /** The backend's URL, as Pulumi finds it; undefined when it does not say. */
  async url(projectFile: Record<string, unknown>): Promise<string | undefined> {
    const { url: inProject } = (projectFile.backend ?? {}) as { url?: unknown };
    const known = this.env.PULUMI_BACKEND_URL || inProject;
    if (typeof known === "string" && known !== "") return known;
    try {
      const { stdout } = await this.pulumi(["whoami", "--json", "--verbose"]);
      const { url } = JSON.parse(stdout) as { url?: unknown };
      return typeof url === "string" ? url : undefined;
    } catch {
      this.signal?.throwIfAborted();
      return undefined;
    }
  }

  /** What the audit stack has published; undefined before its first deployment. */
  async contract(auditStack: string): Promise<Contract | undefined> {
    const { stdout } = await this.pulumi(["stack", "output", "--json", "--stack", auditStack]);
    const outputs = JSON.parse(stdout) as Record<string, unknown>;
    // A first deployment that failed, or a destroyed stack, has none.
    return outputs.contractVersion === undefined ? undefined : parseContract(outputs, auditStack);
  }

  /** The resources in a stack's state. */
  async resources(stack: string): Promise<{ type: string; id?: string; protect?: boolean }[]> {
    const { stdout } = await this.pulumi(["stack", "export", "--stack", stack]);
    const { deployment } = JSON.parse(stdout) as {
      deployment: { resources?: { type: string; id?: string; protect?: boolean }[] } | null;
    };
    return deployment?.resources ?? [];
  }

  private async pulumi(args: string[]) {
    const env = { ...this.env, PULUMI_SKIP_UPDATE_CHECK: "true" };
    delete (env as NodeJS.ProcessEnv).PULUMI_OPTION_CWD;
    const result = await run("pulumi", [...args, "--non-interactive"], {
      cwd: this.folder,
      env,
      timeoutMs: this.limitSeconds * 1000,
      signal: this.signal,
    }).catch((error: unknown) => {
      if (!(error instanceof CommandError) || error.code !== "ENOENT") throw error;
      throw pulumiMissing();
    });
    this.signal?.throwIfAborted();
    if (result.code !== 0) {
      throw this.refusal(`pulumi ${args.join(" ")}`, result);
    }
    return result;
  }

  private refusal(command: string, { timedOut, stderr, stdout }: ProcessResult): ExitError {
    const headline = "Pulumi's backend did not answer. Nothing was changed.";
    const url = this.env.PULUMI_BACKEND_URL;
    // Without what may be a password.
    const subject = url
      ? `PULUMI_BACKEND_URL = ${url.replace(/\/\/[^/@]*@/, "//***@")}`
      : "the backend that pulumi whoami -v shows";
    const remedy =
      "Check that it exists, that you can reach it, and that your credentials can read it. PULUMI_BACKEND_URL or pulumi login selects the backend.";
    if (timedOut) {
      const message = `${command} did not answer within ${this.limitSeconds} seconds and was stopped.`;
      return failure(ExitCode.Timeout, headline, {
        id: "backend/no-answer",
        severity: "error",
        subject,
        message,
        remedy,
      });
    }
    const { exitCode, findings } = diagnoseText(command, stderr.trim() || stdout);
    return new ExitError(
      exitCode as ExitCode,
      headline,
      findings.map((finding) =>
        finding.id === "stack/failed" ? { ...finding, id: "backend/refused", subject, remedy } : finding,
      ),
    );
  }
}

function failure(code: ExitCode, headline: string, finding: Finding): ExitError {
  return new ExitError(code, headline, [finding]);
}
