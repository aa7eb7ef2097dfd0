// `npm run bench`: the policies for 500 members (policies.ts), and Crosstrail against a program written by hand with the same resources and Pulumi's defaults, in one run on
// the same emulator, so that the ratio means something on a shared machine; the seconds alone do not.

import fs from "node:fs";
import path from "node:path";
import Table from "cli-table3";
import { run } from "../../automation/process";
import type { Context } from "../context";
import { userError } from "../errors";
import { AUDIT_ACCOUNT, AUDIT_STACK, auditConfig, deployRole, memberConfig, ROOT } from "../fleet";
import { installTools, openSandbox, REGION, type Sandbox } from "../index";
import { cleanUp, newRunFolder } from "../keep";
import { stringify } from "yaml";
import { benchFleet } from "./fleet";
import { benchPolicies, showPolicies } from "./policies";

const PREVIEWS = 5;
const FIRST_UPS = 3;
const MINUTE = 60_000;

export interface Run {
  seconds: number;
  /** Most memory that all processes of the operation held at once. */
  megabytes: number;
}

const USAGE =
  "npm run bench [-- policies | fleet]     policies: only what needs no engine; fleet: an audit stack and 20 members";

export async function command(context: Context, args: string[]): Promise<void> {
  if (args.length > 1 || (args[0] !== undefined && args[0] !== "policies" && args[0] !== "fleet")) {
    throw userError(`Unknown arguments: ${args.join(" ")}.`, USAGE);
  }
  if (args[0] !== "fleet") showPolicies(await benchPolicies(context.progress), median);
  if (args[0] === "policies") return;
  await cleanUp();
  const tools = await installTools(context);
  const folder = newRunFolder();
  let sandbox: Sandbox | undefined;
  try {
    sandbox = await openSandbox(context, { folder, tools });
    if (args[0] !== "fleet") show(await measure(context, sandbox));
    if (args.length === 0) {
      await sandbox.stop();
      sandbox = await openSandbox(context, { folder, tools });
    }
    await benchFleet(context, sandbox);
  } finally {
    await sandbox?.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

type Row = { what: string; ours: Run[]; plain: Run[] };

async function measure(context: Context, sandbox: Sandbox): Promise<Row[]> {
  const { progress } = context;
  const member = "222222222222";
  const plain = {
    audit: await plainProject(sandbox, "plain-audit"),
    member: await plainProject(sandbox, "plain-member"),
  };
  const settings = (accountId: string) => ({
    "aws:region": REGION,
    "aws:allowedAccountIds": [accountId],
    ...(accountId === AUDIT_ACCOUNT ? {} : { "aws:assumeRoles": [{ roleArn: deployRole(accountId) }] }),
  });

  const firstUps: Row = { what: "first up of an audit stack", ours: [], plain: [] };
  for (let round = 1; round <= FIRST_UPS; round++) {
    await progress.step(`First up of an audit stack, round ${round} of ${FIRST_UPS}`, async (step) => {
      const last = round === FIRST_UPS;
      step.note("Crosstrail");
      await sandbox.stack(AUDIT_STACK, { ...auditConfig(), "crosstrail:keepArchive": last });
      firstUps.ours.push(await timed(sandbox, ["up", "--yes", "--skip-preview", "--stack", AUDIT_STACK]));
      step.note("written by hand");
      await plain.audit.stack("audit", settings(AUDIT_ACCOUNT));
      firstUps.plain.push(await timed(sandbox, ["up", "--yes", "--skip-preview", "--stack", "audit"], plain.audit.env));
      if (last) return;
      step.note("removing both");
      await timed(sandbox, ["destroy", "--yes", "--skip-preview", "--stack", AUDIT_STACK]);
      await timed(sandbox, ["destroy", "--yes", "--skip-preview", "--stack", "audit"], plain.audit.env);
    });
  }

  await sandbox.stack("payments", memberConfig(member));
  await plain.member.stack("payments", settings(member));
  const previews: Row = { what: "preview of a member stack", ours: [], plain: [] };
  for (let round = 1; round <= PREVIEWS; round++) {
    await progress.step(`Preview of a member stack, round ${round} of ${PREVIEWS}`, async (step) => {
      step.note("Crosstrail");
      previews.ours.push(await timed(sandbox, ["preview", "--stack", "payments"]));
      step.note("written by hand");
      previews.plain.push(await timed(sandbox, ["preview", "--stack", "payments"], plain.member.env));
    });
  }
  return [previews, firstUps];
}

/** A project of its own beside the sandbox's: its files copied, Node's packages those of this repository. */
export async function plainProject(sandbox: Sandbox, name: string) {
  const folder = path.join(sandbox.folder, name);
  fs.cpSync(path.join(__dirname, name), folder, { recursive: true });
  fs.symlinkSync(path.join(ROOT, "node_modules"), path.join(folder, "node_modules"));
  const env = { PULUMI_OPTION_CWD: folder };
  return {
    env,
    async stack(stack: string, config: Record<string, unknown>): Promise<void> {
      const file = path.join(folder, `Pulumi.${stack}.yaml`);
      if (fs.existsSync(file)) return;
      fs.writeFileSync(file, stringify({ config }));
      await timed(sandbox, ["stack", "init", stack], env);
    },
  };
}

async function timed(sandbox: Sandbox, args: string[], env?: NodeJS.ProcessEnv): Promise<Run> {
  return measured(async () => {
    const result = await sandbox.pulumi(args, { timeoutMs: 10 * MINUTE, env });
    if (result.code !== 0) {
      throw userError(`pulumi ${args.join(" ")} failed:\n${(result.stdout + result.stderr).trim()}`);
    }
  });
}

/** Runs `work` and watches all processes that it starts. */
export async function measured(work: () => Promise<void>): Promise<Run> {
  const before = new Set((await descendants()).map(({ pid }) => pid));
  let most = 0;
  let running = true;
  const watch = (async () => {
    while (running) {
      const now = (await descendants()).filter(({ pid }) => !before.has(pid));
      most = Math.max(
        most,
        now.reduce((sum, { kilobytes }) => sum + kilobytes, 0),
      );
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  })();
  const begin = process.hrtime.bigint();
  try {
    await work();
  } finally {
    running = false;
  }
  const seconds = Number(process.hrtime.bigint() - begin) / 1e9;
  await watch;
  return { seconds, megabytes: most / 1024 };
}

/** All processes below this one, with their resident memory. Pages that they share are counted for each. */
async function descendants(): Promise<{ pid: number; kilobytes: number }[]> {
  const { stdout } = await run("ps", ["-axo", "pid=,ppid=,rss="], { timeoutMs: MINUTE });
  const processes = stdout
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number) as [number, number, number]);
  const found: { pid: number; kilobytes: number }[] = [];
  const open = [process.pid];
  while (open.length > 0) {
    const parent = open.pop();
    for (const [pid, ppid, kilobytes] of processes) {
      if (ppid !== parent) continue;
      found.push({ pid, kilobytes });
      open.push(pid);
    }
  }
  return found;
}

function show(rows: Row[]): void {
  const table = new Table({
    head: ["", "Crosstrail: min / median / max", "by hand: min / median / max", "ratio of medians"],
    style: { head: [], border: [] },
  });
  const line = (values: number[], unit: string) =>
    `${[Math.min(...values), median(values), Math.max(...values)].map((value) => value.toFixed(unit === "s" ? 1 : 0)).join(" / ")} ${unit}`;
  for (const { what, ours, plain } of rows) {
    const add = (title: string, unit: string, of: (run: Run) => number) =>
      table.push([
        title,
        line(ours.map(of), unit),
        line(plain.map(of), unit),
        (median(ours.map(of)) / median(plain.map(of))).toFixed(2),
      ]);
    add(what, "s", ({ seconds }) => seconds);
    add(`${what}, peak memory`, "MiB", ({ megabytes }) => megabytes);
  }
  console.log(`\n${table.toString()}`);
  console.log(
    "Memory: resident pages of all processes of the operation, sampled four times a second; shared pages count for each.",
  );
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}
