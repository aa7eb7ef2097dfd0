/**
 * Which stacks need no engine: neither what goes into them nor what they have deployed has changed since their last `up`. A stack
 * runs unless all of this is known for certain.
 */
import { createHash } from "node:crypto";
import type { Contract } from "../../../core/contract";
import { memberContract } from "../../../core/contract";
import type { StackInputs, Step } from "../../../core/fleet";
import {
  Action,
  asksMore,
  canonical,
  environmentWithoutAccess,
  inputsText,
  isSameConfig,
  StackKind,
  withoutAccess,
} from "../../../core/fleet";
import type { StackEntry } from "../backend";
import type { Project, StackSource } from "../project";
import { apiOf, lastUpdateOf, pathOf } from "./cloudBackend";
import { relevantEnvironment } from "./environment";
import type { LastUpdate } from "./lastUpdate";
import { inputsOf, otherSecrets, secretKeys, whyStale } from "./lastUpdate";
import { Passphrases } from "./passphrase";
import { programVersion } from "./program";
import type { Recorded } from "./recorded";
import { fileStore, folderOf, lastUpdateIn } from "./store";

/** How many stacks are asked about at the same time. */
const atOnce = 32;

/** What is known of a stack's last update, or why it is not. */
type Known = { last: LastUpdate } | { unknown: string };

export class Unchanged {
  private readonly known = new Map<string, Known>();
  private readonly passphrases: Passphrases;
  private readonly environment: Record<string, string>;
  private readonly program: string | undefined;

  constructor(
    private readonly project: Project,
    private readonly env: NodeJS.ProcessEnv,
    private readonly signal?: AbortSignal,
  ) {
    this.passphrases = new Passphrases(env);
    this.environment = relevantEnvironment(env);
    try {
      this.program = programVersion();
    } catch {
      // Without it nothing is written down, and every stack runs.
    }
  }

  /** Begins what takes long, beside everything else. */
  begin(): void {
    const { project, passphrases } = this;
    const salt = project.stackFileOf(project.auditStack).encryptionsalt;
    if (typeof salt === "string") passphrases.opens(salt).catch(() => {});
  }

  /** Reads what the backend has written down about these stacks. Never throws: what cannot be read is not known. */
  async read(stacks: readonly StackEntry[], backendUrl: string): Promise<void> {
    const reader = this.reader(backendUrl);
    this.known.clear();
    let next = 0;
    const row = async () => {
      for (let stack = stacks[next++]; stack; stack = stacks[next++]) {
        this.known.set(stack.name, await this.readOne(stack, reader));
      }
    };
    try {
      await Promise.all(Array.from({ length: Math.min(atOnce, stacks.length) }, row));
    } finally {
      if (typeof reader !== "string") reader.close?.();
    }
  }

  private async readOne(stack: StackEntry, reader: Reader | string): Promise<Known> {
    if (typeof reader === "string") return { unknown: reader };
    try {
      const last = await reader.read(stack);
      const { type, state } = last.state?.secrets ?? {};
      if (type === "passphrase" && !(await this.passphrases.opens(state?.salt ?? ""))) {
        return { unknown: "its passphrase is not the one that is set" };
      }
      return { last };
    } catch {
      return { unknown: "its last update cannot be read from the backend" };
    }
  }

  private reader(url: string): Reader | string {
    const { project, env, signal } = this;
    const folder = folderOf(url, project.folder);
    if (folder !== undefined) {
      const store = fileStore(folder);
      return { read: ({ name, lastUpdate }) => lastUpdateIn(store, project.name, name, lastUpdate) };
    }
    if (url.startsWith("s3://")) {
      // eslint-disable-next-line @typescript-eslint/no-require-imports, @typescript-eslint/consistent-type-imports
      const { s3Place, s3Store } = require("./s3Store") as typeof import("./s3Store");
      const place = s3Place(url);
      const store = place && s3Store(place, env);
      if (!store) return "the URL of the backend has options that are not known here";
      return {
        read: ({ name, lastUpdate }) => lastUpdateIn(store, project.name, name, lastUpdate),
        close: () => store.close(),
      };
    }
    const api = apiOf(url);
    if (api === undefined) return "backends of this kind are not read";
    const token = env.PULUMI_ACCESS_TOKEN;
    if (!token) return "PULUMI_ACCESS_TOKEN is not set";
    return {
      read: ({ name, url: page, updateInProgress }) => {
        const path = pathOf(page, project.name, name);
        if (path === undefined) throw new Error("another stack");
        return lastUpdateOf(api, token, path, updateInProgress === true, signal);
      },
    };
  }

  /**
   * What a stack's update is recorded with.
   * @param contract what the audit stack has published now; undefined: not known.
   * @param pulumiVersion the engine's.
   * @returns undefined where the inputs are not known in full.
   */
  recorded(
    { stack }: Pick<Step, "stack">,
    source: StackSource,
    contract: Contract | undefined,
    pulumiVersion: string,
  ): Recorded | undefined {
    const { project, program, environment } = this;
    if (program === undefined) return undefined;
    const stackFile = { ...project.stackFileOf(stack.name) };
    for (const key of secretKeys) delete stackFile[key];
    // Environments of Pulumi ESC: their values are elsewhere.
    if (stackFile.environment !== undefined) return undefined;
    const follows = this.contractOf(source, stack.kind, stack.accountId, contract);
    if (follows === null) return undefined;
    const config = this.configOf(source);
    const inputs = {
      project: project.name,
      stack: stack.name,
      projectFile: project.content,
      config,
      stackFile,
      contract: follows,
      program,
      engine: pulumiVersion,
      environment,
    };
    return {
      inputs: {
        all: digest(inputs),
        withoutAccess: digest({
          ...inputs,
          config: withoutAccess(config),
          environment: environmentWithoutAccess(environment),
        }),
      },
      program,
      ...(follows && { contract: canonical(follows) }),
    };
  }

  /** The part of the contract that a stack reads; undefined where it reads none, null where it reads another one. */
  private contractOf({ settings }: StackSource, kind: StackKind, accountId: string, contract: Contract | undefined) {
    if (settings.role === "audit" || kind === StackKind.Audit) return undefined;
    const { source } = settings;
    if ("contract" in source) return undefined;
    const { name, auditStack } = this.project;
    const isOurs = [auditStack, ["organization", name, auditStack].join("/")].includes(source.auditStack);
    return isOurs && contract ? memberContract(contract, accountId) : null;
  }

  private configOf({ config }: StackSource): Record<string, unknown> {
    const all = { ...this.project.defaults, ...config };
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null && value !== undefined));
  }

  /** Why a stack needs its engine; undefined when nothing has changed since its last `up`. */
  whyRun(
    { stack, action }: Pick<Step, "stack" | "action">,
    source: StackSource,
    recorded: Recorded | undefined,
  ): string | undefined {
    const known = this.known.get(stack.name);
    if (!known) return "it is not deployed";
    if ("unknown" in known) return known.unknown;
    const asks = asksMore(source.settings);
    if (asks !== undefined) return asks;
    if (!recorded) return "not all of its inputs are known";
    const { last } = known;
    const stale = whyStale(last) ?? otherSecrets(this.project.stackFileOf(stack.name), last.state);
    if (stale !== undefined) return stale;
    const { update } = last;
    // What the engine has used: the file may have been edited when it was about to read it.
    const part = action === Action.Preview ? "withoutAccess" : "all";
    const config = action === Action.Preview ? withoutAccess : (given: Record<string, unknown>) => given;
    if (!update || !isSameConfig(config(update.config), config(this.configOf(source)))) {
      return "its configuration differs";
    }
    if (inputsOf(update)?.[part] !== recorded.inputs[part]) {
      return "its configuration, the contract, the environment or a version differs";
    }
    return undefined;
  }

  /** When a stack was brought up last. */
  since(stack: string): string | undefined {
    const known = this.known.get(stack);
    const seconds = known && "last" in known ? known.last.update?.endTime : undefined;
    return seconds === undefined ? undefined : new Date(seconds * 1000).toISOString();
  }
}

function digest(inputs: StackInputs): string {
  return createHash("sha256").update(inputsText(inputs)).digest("hex");
}

interface Reader {
  read(stack: StackEntry): Promise<LastUpdate>;
  close?(): void;
}
