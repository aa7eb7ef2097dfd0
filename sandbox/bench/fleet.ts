// The fleet: an audit stack and its members, with `crosstrail up` and with plain `pulumi up` for one stack after the other.

import path from "node:path";
import Table from "cli-table3";
import { defaultParallel } from "../../automation/fleet/run";
import { run } from "../../automation/process";
import type { Context } from "../context";
import { userError } from "../errors";
import { AUDIT_ACCOUNT, AUDIT_STACK, auditConfig, deployRole, ROOT } from "../accounts";
import { REGION, type Sandbox } from "../index";
import { median, plainProject } from "./plain";
import { type Cost, measured } from "./processes";

const MINUTE = 60_000;

export interface FleetOptions {
  members: number;
  /** How often an `up` without changes and a preview are repeated; medians are shown. */
  rounds: number;
}

export function parseFleetOptions(args: string[], usage: string): FleetOptions {
  const options: FleetOptions = { members: 20, rounds: 1 };
  for (let index = 0; index < args.length; index += 2) {
    const name = args[index]?.replace(/^--/, "");
    const value = Number(args[index + 1]);
    if ((name !== "members" && name !== "rounds") || !Number.isInteger(value) || value < 1) {
      throw userError(`Unknown arguments: ${args.slice(index).join(" ")}.`, usage);
    }
    options[name] = value;
  }
  return options;
}

export async function benchFleet(
  context: Context,
  sandbox: Sandbox,
  python: string,
  options: FleetOptions,
): Promise<void> {
  const { rounds } = options;
  /** Runs a program that must succeed; anyone who waits for it gets the processor time of all that it has started. */
  const whole = async (command: string, args: string[], env?: NodeJS.ProcessEnv) => {
    const result = await run(python, [path.join(__dirname, "whole.py"), command, ...args], {
      timeoutMs: 30 * MINUTE,
      env: { ...sandbox.env, ...env },
      signal: context.signal,
    });
    context.signal.throwIfAborted();
    if (result.code !== 0) throw userError(`${args.join(" ")} failed:\n${result.stdout}${result.stderr}`);
  };
  const members = Array.from({ length: options.members }, (_, index) => ({
    accountId: String(500000000000 + index),
    alias: `member-${index + 1}`,
  }));
  sandbox.configure(AUDIT_STACK, { ...auditConfig(), "crosstrail:members": members });
  const crosstrail = (...args: string[]) =>
    measured(() => whole(process.execPath, [path.join(ROOT, "bin", "crosstrail.js"), ...args]));
  const rows: Row[] = [];
  const title = `Crosstrail: an audit stack and ${members.length} members`;
  await context.progress.step(title, async (step) => {
    step.note("first up");
    rows.push({ what: "first up", ours: [await crosstrail("up", "--yes")], plain: [] });
    for (const [what, ...args] of [
      ["up, no changes", "up", "--yes"],
      ["preview", "preview"],
      ["status", "status"],
    ] as const) {
      const row: Row = { what, ours: [], plain: [] };
      rows.push(row);
      for (let round = 1; round <= rounds; round++) {
        step.note(`${what}, round ${round} of ${rounds}`);
        row.ours.push(await crosstrail(...args));
      }
    }
  });

  const memory: MemoryRow[] = [];
  await context.progress.step("Crosstrail: memory by members and stacks at the same time", async (step) => {
    for (const count of [...new Set([Math.min(6, members.length), members.length])]) {
      for (const parallel of [2, 4]) {
        step.note(`${count} members, --parallel ${parallel}`);
        const only = members.slice(0, count).map(({ alias }) => alias);
        const cost = await crosstrail("up", "--yes", "--parallel", String(parallel), "--only", AUDIT_STACK, ...only);
        memory.push({ members: count, parallel, cost });
      }
    }
  });

  const plain = {
    audit: await plainProject(sandbox, "plain-audit"),
    member: await plainProject(sandbox, "plain-member"),
  };
  const stacks = [
    { project: plain.audit, name: "audit", accountId: AUDIT_ACCOUNT },
    ...members.map(({ alias, accountId }) => ({ project: plain.member, name: alias, accountId })),
  ];
  await context.progress.step(`By hand: the same, one stack after the other`, async (step) => {
    const each = (what: string, verb: string, ...args: string[]) =>
      measured(async () => {
        for (const { project, name, accountId } of stacks) {
          step.note(`${what}: ${name}`);
          const isNew = project.configure(name, {
            "aws:region": REGION,
            "aws:allowedAccountIds": [accountId],
            ...(accountId === AUDIT_ACCOUNT
              ? { "plain-audit:members": members.map((member) => member.accountId) }
              : { "aws:assumeRoles": [{ roleArn: deployRole(accountId) }] }),
          });
          const pulumi = (...args: string[]) => whole("pulumi", [...args, "--non-interactive"], project.env);
          if (isNew) await pulumi("stack", "init", name);
          await pulumi(verb, ...args, "--stack", name);
        }
      });
    for (const [index, verb] of (["up", "up", "preview"] as const).entries()) {
      const { what, plain } = rows[index] as Row;
      plain.push(await each(what, verb, ...(verb === "up" ? ["--yes", "--skip-preview"] : [])));
    }
  });
  show(rows, memory, options);
}

interface Row {
  what: string;
  ours: Cost[];
  plain: Cost[];
}

interface MemoryRow {
  members: number;
  parallel: number;
  cost: Cost;
}

function show(rows: Row[], memory: MemoryRow[], { members, rounds }: FleetOptions): void {
  const table = new Table({
    head: [`1 + ${members} stacks`, "", "time", "processors", "emulator", "others", "peak memory", "times faster"],
    style: { head: [], border: [] },
  });
  const of = (costs: Cost[], part: keyof Cost) => median(costs.map((cost) => cost[part]));
  const cells = (costs: Cost[]) => [
    `${of(costs, "seconds").toFixed(1)} s`,
    `${of(costs, "cpu").toFixed(1)} s`,
    `${of(costs, "emulator").toFixed(1)} s`,
    of(costs, "others").toFixed(1),
    `${of(costs, "megabytes").toFixed(0)} MiB`,
  ];
  for (const { what, ours, plain } of rows) {
    const ratio = plain.length > 0 ? (of(plain, "seconds") / of(ours, "seconds")).toFixed(1) : "";
    table.push([what, "Crosstrail", ...cells(ours), ratio]);
    if (plain.length > 0) table.push(["", "by hand", ...cells(plain), ""]);
  }
  const memoryTable = new Table({
    head: ["up, no changes", "--parallel", "peak memory", "time"],
    style: { head: [], border: [] },
  });
  for (const { members: count, parallel, cost } of memory) {
    memoryTable.push([
      `1 + ${count} stacks`,
      parallel,
      `${cost.megabytes.toFixed(0)} MiB`,
      `${cost.seconds.toFixed(1)} s`,
    ]);
  }
  console.log(`\n${table.toString()}\n${memoryTable.toString()}`);
  console.log(
    [
      `Crosstrail works on ${defaultParallel()} stacks at the same time here, unless said otherwise, and reads every trail back after up;`,
      "by hand, stacks are created and brought up one by one.",
      `${rounds > 1 ? `Medians of ${rounds} rounds for what changes nothing, with Crosstrail; the rest once. ` : ""}Processors: seconds of all processes without the emulator's.`,
      "Others: how many processors the rest of the machine kept busy meanwhile; near 0 it was quiet.",
      "Memory: resident pages of all processes, sampled four times a second; shared pages count for each.",
    ].join("\n"),
  );
}
