// Deploys the fleet in a sandbox with `up`, the same as `crosstrail up`, and shows it as steps.

import { type FleetEvent, type StackResult, up } from "../automation";
import { formatFinding } from "../core/findings";
import type { Context } from "./context";
import { userError } from "./errors";
import { AUDIT_ACCOUNT, AUDIT_STACK, auditConfig, memberConfig, MEMBERS } from "./accounts";
import type { Sandbox } from "./index";
import type { Step } from "./progress";

export async function deployFleet(context: Context, sandbox: Sandbox): Promise<void> {
  const { progress, signal } = context;
  sandbox.configure(AUDIT_STACK, auditConfig());
  // Crosstrail needs no files for members; with them, plain `pulumi up -s payments` works in a sandbox that is kept.
  for (const [name, accountId] of Object.entries(MEMBERS)) sandbox.configure(name, memberConfig(accountId));

  const shown = new Map<string, Shown>();
  const shownAs = (name: string) => shown.get(name) ?? (shown.set(name, new Shown()).get(name) as Shown);
  const running = up({
    projectFolder: sandbox.projectFolder,
    env: sandbox.env,
    signal,
    // What is cancelled here is thrown away with the emulator.
    graceSeconds: 2,
    onEvent: (event) => {
      if (event.type === "finished") shownAs(event.result.stack).finished(event.result);
      else if (event.type !== "planned") shownAs(event.stack).take(event);
    },
  });
  running.catch((error: unknown) => {
    for (const name of [AUDIT_STACK, ...Object.keys(MEMBERS)]) shownAs(name).failed(error);
  });
  await progress.step(`Stack ${AUDIT_STACK}: log bucket, key and trail in account ${AUDIT_ACCOUNT}`, (step) =>
    shownAs(AUDIT_STACK).until(step),
  );
  await progress.all(
    Object.entries(MEMBERS).map(([name, accountId]) => ({
      title: `Stack ${name}: trail in account ${accountId}`,
      work: (step) => shownAs(name).until(step),
    })),
  );
  await running;
  signal.throwIfAborted();
}

/** A stack's events as a step. */
class Shown {
  private step?: Step;
  private readonly open = new Set<string>();
  private done = 0;
  private resolve!: () => void;
  private reject!: (error: unknown) => void;
  private readonly over = new Promise<void>((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });

  constructor() {
    // It may fail before anybody waits for it.
    this.over.catch(() => {});
  }

  until(step: Step): Promise<void> {
    this.step = step;
    return this.over;
  }

  take(event: Exclude<FleetEvent, { type: "planned" | "finished" }>): void {
    if (event.type === "progress") this.step?.note(event.note);
    if (event.type !== "resource") return;
    const resource = `${event.resourceType} ${event.name}`;
    if (!event.done) this.open.add(resource);
    else if (this.open.delete(resource)) this.done++;
    const waits = [...this.open].at(-1);
    this.step?.note(`${this.done} resources done${waits ? `, creating ${waits}` : ""}`);
  }

  finished({ stack, status, findings }: StackResult): void {
    if (status === "succeeded") this.resolve();
    else this.reject(userError(`The stack ${stack}: ${status}.${findings.map(formatFinding).join("\n")}`));
  }

  failed(error: unknown): void {
    this.reject(error);
  }
}
