/** The Pulumi project of a fleet: the audit stack's file declares the fleet, and every stack's configuration follows. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, isAbsolute, join, resolve } from "node:path";
import { stringify } from "yaml";
import type { Contract } from "../../core/contract";
import { UserError } from "../../core/findings";
import type { FleetStack } from "../../core/fleet";
import {
  fitsRole,
  managementConfig,
  managementEntry,
  memberConfig,
  outsideEntry,
  removedMember,
  StackKind,
} from "../../core/fleet";
import type { AuditSettings, Settings } from "../../core/settings";
import { parseStackConfig } from "../../core/settings";
import { isAlive } from "../process";
import type { PulumiProject } from "../pulumiProject";
import { stackFileOf } from "../pulumiProject";
import { fileError, parseStackFile, projectIn, readStackFile } from "../stackFile";

/** A stack's configuration and where its file is. */
export interface StackSource {
  workDir: string;
  config: Record<string, unknown>;
  settings: Settings;
  /** The name of the file that it is corrected in: the stack's own, or the audit stack's from which it follows. */
  file: string;
}

/**
 * Removes what a killed run left behind. A day later, as the temporary folder may be shared with another machine or
 * container, of whose processes nothing is known here.
 * @param uid the user whose folders they are. Windows gives each user a temporary folder, and 0 as everything's owner.
 */
export function removeAbandoned(uid = process.getuid?.() ?? 0): void {
  let names: string[] = [];
  try {
    names = readdirSync(tmpdir());
  } catch {
    // It may be one in which files can be made, and not listed.
  }
  for (const name of names) {
    const pid = /^crosstrail-run-(\d+)-/.exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    const folder = join(tmpdir(), name);
    try {
      // Not what a link points to, and nobody else's folder: root could remove those as well.
      const { mtimeMs, uid: owner } = lstatSync(folder);
      if (owner !== uid) continue;
      if (Date.now() - mtimeMs > 24 * 3_600_000) rmSync(folder, { recursive: true, force: true });
    } catch {
      // Another run is just removing it.
    }
  }
}

export class Project {
  readonly audit: AuditSettings;
  /** The folder of the project's file; the one given may be below it. */
  readonly folder: string;
  private readonly project: PulumiProject;
  private folderOfOwn?: string;

  /**
   * @param change keys of the audit stack's configuration, without the namespace, as they are about to be written; null: removed.
   * @throws UserError when the files are not there or have mistakes.
   */
  constructor(
    folder: string,
    readonly auditStack: string,
    private readonly env: NodeJS.ProcessEnv,
    change: Record<string, unknown> = {},
  ) {
    const project = projectIn(folder);
    if (!project) {
      throw fileError(
        join(folder, "Pulumi.yaml"),
        "file/unreadable",
        "The file does not exist.",
        "Run crosstrail in the project folder, or name the folder with --cwd. To start a new fleet, run crosstrail init.",
        "The project",
      );
    }
    this.project = project;
    this.folder = project.folder;
    const file = this.fileOf(auditStack);
    const settings =
      Object.keys(change).length === 0
        ? readStackFile(file, env)
        : this.settingsOf(auditStack, changed(this.configOf(file), change));
    if (settings.role !== "audit") {
      throw fileError(
        file,
        "config/not-audit",
        "This file belongs to a member stack; the fleet is declared in the audit stack.",
        "Name the audit stack with --stack.",
      );
    }
    this.audit = settings;
  }

  /** The audit stack's, or that of a member that has a file, unchanged. */
  own(stack: string): StackSource {
    const file = this.fileOf(stack);
    // This first: it says what is wrong with a file that is not a stack file.
    const settings = readStackFile(file, this.env);
    return { workDir: this.folder, config: this.configOf(file), settings, file: basename(file) };
  }

  /**
   * The stack of a member or of the organization trail. Its own file, where it has one, is all that counts: `pulumi up`
   * and `crosstrail up` are then the same. Otherwise the configuration follows from the fleet.
   * @param contract what is deployed; of removed stacks it is all that is known.
   */
  trailStack(stack: FleetStack, contract: Contract | undefined): StackSource {
    const { name, kind, accountId } = stack;
    if (existsSync(this.fileOf(name))) {
      const source = this.own(name);
      this.check(stack, source.settings);
      return source;
    }
    const source = { auditStack: this.auditStack };
    if (kind === StackKind.Management) {
      const entry = managementEntry(this.audit, contract) ?? outsideEntry(this.audit, contract);
      if (entry) return this.generated(name, managementConfig(this.audit, entry, source), true);
    } else {
      const declared = this.audit.members.find((member) => member.accountId === accountId);
      const member = declared ?? (contract && removedMember(contract, accountId));
      if (member) return this.generated(name, memberConfig(this.audit, member, source), true);
    }
    throw new Error(`unknown stack ${name}`);
  }

  /**
   * By account, the stacks that are deployed with a file of their own, whatever their names: with plain Pulumi a stack may have
   * another name than the alias. An account with several is left out.
   */
  stackNames(deployed: ReadonlySet<string>): Map<string, string> {
    const names = new Map<string, string>();
    const twice = new Set<string>();
    for (const name of deployed) {
      if (name === this.auditStack || !this.hasFile(name)) continue;
      const config = this.written(name);
      const accountId = config["crosstrail:accountId"];
      if (config["crosstrail:role"] !== "member" || typeof accountId !== "string") continue;
      if (names.has(accountId)) twice.add(accountId);
      names.set(accountId, name);
    }
    for (const accountId of twice) names.delete(accountId);
    return names;
  }

  /** All of the project's file. */
  get content(): Record<string, unknown> {
    return this.project.content;
  }

  /** What a stack's file has besides its configuration; without a file, what it is given: the audit stack's. */
  stackFileOf(stack: string): Record<string, unknown> {
    return this.read(this.fileOf(this.hasFile(stack) ? stack : this.auditStack)).rest;
  }

  /** Whether the stack has a file of its own. */
  hasFile(stack: string): boolean {
    return existsSync(this.fileOf(stack));
  }

  /** What the stack's file configures; nothing where it cannot be read: that fails the stack's own turn, and no other. */
  private written(stack: string): Record<string, unknown> {
    try {
      return this.configOf(this.fileOf(stack));
    } catch {
      return {};
    }
  }

  /** The account that the organization trail's stack works in, where its own file says so: it may be a delegated administrator's. */
  managementStackAccount(contract: Contract | undefined): string | undefined {
    const entry = managementEntry(this.audit, contract);
    if (!entry || !this.hasFile(entry.alias)) return undefined;
    const accountId = this.written(entry.alias)["crosstrail:accountId"];
    return typeof accountId === "string" ? accountId : undefined;
  }

  /** The same with the contract given outright, for a preview of what the audit stack does not authorize yet. */
  withContract({ config }: StackSource, name: string, contract: Contract, secrets: boolean): StackSource {
    const given: Record<string, unknown> = { ...config, "crosstrail:contract": contract };
    delete given["crosstrail:auditStack"];
    return this.generated(name, given, secrets);
  }

  /** A copy of the stack's file without what belongs to its secrets, for a preview in a backend of its own. */
  copy({ config }: StackSource, name: string): StackSource {
    return this.generated(name, config, false);
  }

  /** A folder of this run's own; it is removed by `close`. */
  get temporary(): string {
    if (this.folderOfOwn === undefined) {
      removeAbandoned();
      this.folderOfOwn = mkdtempSync(join(tmpdir(), `crosstrail-run-${process.pid}-`));
      // The stacks' files of this run are beside it.
      const project = { ...this.project.content };
      delete project.stackConfigDir;
      if (typeof project.config === "string") delete project.config;
      const main = typeof project.main === "string" ? project.main : ".";
      const text = stringify({ ...project, main: isAbsolute(main) ? main : resolve(this.folder, main) });
      for (const name of ["stacks", "copies", "state"]) {
        mkdirSync(join(this.folderOfOwn, name), { mode: 0o700 });
        if (name !== "state") writeFileSync(join(this.folderOfOwn, name, "Pulumi.yaml"), text);
      }
    }
    return this.folderOfOwn;
  }

  /** The Pulumi project's name. */
  get name(): string {
    return this.project.name;
  }

  /** What the project's own file gives to every stack. */
  get defaults(): Record<string, unknown> {
    return this.project.defaults;
  }

  close(): void {
    if (this.folderOfOwn !== undefined) rmSync(this.folderOfOwn, { recursive: true, force: true });
  }

  /**
   * @param secrets with the audit stack's secrets provider and salt, so that the fleet has one for all. There is no
   * secret in it; without the salt each run would make a new one.
   */
  private generated(name: string, config: Record<string, unknown>, secrets: boolean): StackSource {
    const provider = secrets ? this.read(this.fileOf(this.auditStack)).rest : {};
    const workDir = join(this.temporary, secrets ? "stacks" : "copies");
    const file = join(workDir, `Pulumi.${name}.yaml`);
    writeFileSync(file, stringify({ ...provider, config }), { mode: 0o600 });
    const corrected = basename(this.fileOf(existsSync(this.fileOf(name)) ? name : this.auditStack));
    return { workDir, config, settings: this.settingsOf(name, config, corrected), file: corrected };
  }

  settingsOf(name: string, config: Record<string, unknown>, corrected = basename(this.fileOf(name))): Settings {
    const texts = Object.entries({ ...this.project.defaults, ...config })
      .filter(([, value]) => value !== undefined && value !== null)
      .map(([key, value]) => [key, typeof value === "object" ? JSON.stringify(value) : String(value)]);
    return parseStackConfig(name, Object.fromEntries(texts) as Record<string, string>, {
      region: this.env.AWS_REGION ?? this.env.AWS_DEFAULT_REGION,
      project: this.project.name,
      file: corrected,
    });
  }

  private check(stack: FleetStack, settings: Settings): void {
    const { name, kind, accountId } = stack;
    const file = this.fileOf(name);
    if (settings.role === "audit" || !fitsRole(stack, settings.role, this.audit)) {
      const what = kind === StackKind.Member ? "a member" : "the organization trail's";
      throw fileError(
        file,
        "fleet/role",
        `The audit stack declares ${name} as ${what}, but the stack's own file gives it role ${settings.role}.`,
      );
    }
    if (settings.accountId === accountId) return;
    throw new UserError(`${file} belongs to another account.`, [
      {
        id: "fleet/account",
        severity: "error",
        subject: `crosstrail:accountId = "${settings.accountId}"`,
        message: `The audit stack declares ${name} as account ${accountId}. Nothing was changed.`,
        remedy: `Correct one of the two files, or remove ${file} to derive the configuration from the audit stack.`,
      },
    ]);
  }

  fileOf(stack: string): string {
    return stackFileOf(this.project, stack);
  }

  /** By full names, with what the project gives to every stack. */
  private configOf(file: string): Record<string, unknown> {
    return { ...this.project.defaults, ...this.read(file).config };
  }

  private read(file: string) {
    return parseStackFile(file, readFileSync(file, "utf8"), this.project.name);
  }
}

/** A stack's configuration, by Pulumi's names, with keys of Crosstrail's changed; null removes one. */
export function changed(config: Record<string, unknown>, change: Record<string, unknown>): Record<string, unknown> {
  const keys = Object.entries(change).map(([name, value]) => [`crosstrail:${name}`, value]);
  const all = { ...config, ...(Object.fromEntries(keys) as Record<string, unknown>) };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
}
