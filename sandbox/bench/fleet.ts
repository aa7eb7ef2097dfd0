// The fleet: an audit stack and its members, with `crosstrail up`, with the same resources in one Terraform root where Terraform is
// installed, and with plain `pulumi up` for one stack after the other.

import path from "node:path";
import Table from "cli-table3";
import { defaultParallel } from "../../automation/fleet/run";
import { run } from "../../automation/process";
import type { Context } from "../context";
import { userError } from "../errors";
import { AUDIT_ACCOUNT, AUDIT_STACK, auditConfig, deployRole, ROOT } from "../accounts";
import { REGION, type Sandbox } from "../index";
import { median, plainProject } from "./plain";
import { terraformRoot } from "./terraform";
import { type Cost, measured } from "./processes";

const MINUTE = 60_000;

export interface FleetOptions {
  members: number;
  /** How often what changes nothing is repeated; medians are shown. */
  rounds: number;
  /** What it is compared with. */
  beside: Beside;
}

const Beside = { All: "all", Terraform: "terraform", None: "none" } as const;
type Beside = (typeof Beside)[keyof typeof Beside];

/** What the issue of this table asks for: at most so much of Terraform's time. */
const aims: Record<string, number> = {
  "first up": 0.9,
  "up, no changes": 0.4,
  preview: 0.3,
  "one member more": 0.45,
};

export function parseFleetOptions(args: string[], usage: string): FleetOptions {
  const options: FleetOptions = { members: 20, rounds: 1, beside: Beside.All };
  for (let index = 0; index < args.length; index += 2) {
    const name = args[index]?.replace(/^--/, "");
    const beside = Object.values(Beside).find((each) => each === args[index + 1]);
    if (name === "beside" && beside) {
      options.beside = beside;
      continue;
    }
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
  const crosstrail = (...args: string[]) =>
    measured(() => whole(process.execPath, [path.join(ROOT, "bin", "crosstrail.js"), ...args]));
  const more = { accountId: String(500000000000 + options.members), alias: `member-${options.members + 1}` };
  const declare = (all: object[]) => sandbox.configure(AUDIT_STACK, { ...auditConfig(), "crosstrail:members": all });
  declare(members);
  const rows: Row[] = [];
  const rowOf = (what: string): Row => {
    const found = rows.find((row) => row.what === what);
    if (found) return found;
    const row: Row = { what, ours: [], terraform: [], plain: [] };
    rows.push(row);
    return row;
  };
  const title = `Crosstrail: an audit stack and ${members.length} members`;
  await context.progress.step(title, async (step) => {
    step.note("first up");
    rowOf("first up").ours.push(await crosstrail("up", "--yes"));
    for (const [what, ...args] of [
      ["up, no changes", "up", "--yes"],
      ["preview", "preview"],
      ["up --full, no changes", "up", "--yes", "--full"],
      ["preview --full", "preview", "--full"],
      ["status", "status"],
    ] as const) {
      for (let round = 1; round <= rounds; round++) {
        step.note(`${what}, round ${round} of ${rounds}`);
        rowOf(what).ours.push(await crosstrail(...args));
      }
    }
    step.note("one member more");
    declare([...members, more]);
    rowOf("preview of one member more").ours.push(await crosstrail("preview"));
    rowOf("one member more").ours.push(await crosstrail("up", "--yes"));
  });

  const terraform = options.beside === Beside.None ? undefined : await terraformRoot(sandbox);
  if (terraform) {
    const ids = members.map(({ accountId }) => accountId);
    await context.progress.step(`Terraform: the same in one root`, async (step) => {
      const run = (...args: string[]) =>
        measured(() =>
          whole("terraform", [`-chdir=${terraform.folder}`, ...args, "-input=false", "-no-color"], terraform.env),
        );
      const apply = () => run("apply", "-auto-approve");
      terraform.declare(ids);
      step.note("first apply");
      rowOf("first up").terraform.push(await apply());
      for (let round = 1; round <= rounds; round++) {
        step.note(`apply and plan without changes, round ${round} of ${rounds}`);
        rowOf("up, no changes").terraform.push(await apply());
        rowOf("preview").terraform.push(await run("plan"));
      }
      terraform.declare([...ids, more.accountId]);
      step.note("one member more");
      rowOf("preview of one member more").terraform.push(await run("plan"));
      rowOf("one member more").terraform.push(await apply());
    });
  }
  if (options.beside !== Beside.All) {
    show(rows, [], options);
    return;
  }

  const memory: MemoryRow[] = [];
  await context.progress.step("Crosstrail: memory by members and stacks at the same time", async (step) => {
    for (const count of [...new Set([Math.min(6, members.length), members.length])]) {
      for (const parallel of [2, 4]) {
        step.note(`${count} members, --parallel ${parallel}`);
        const only = members.slice(0, count).map(({ alias }) => alias);
        const cost = await crosstrail(
          "up",
          "--yes",
          "--full",
          "--parallel",
          String(parallel),
          "--only",
          AUDIT_STACK,
          ...only,
        );
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
    for (const [what, verb] of [
      ["first up", "up"],
      ["up, no changes", "up"],
      ["preview", "preview"],
    ] as const) {
      const { plain } = rowOf(what);
      plain.push(await each(what, verb, ...(verb === "up" ? ["--yes", "--skip-preview"] : [])));
    }
  });
  show(rows, memory, options);
}

interface Row {
  what: string;
  ours: Cost[];
  terraform: Cost[];
  plain: Cost[];
}

interface MemoryRow {
  members: number;
  parallel: number;
  cost: Cost;
}

function show(rows: Row[], memory: MemoryRow[], { members, rounds }: FleetOptions): void {
  const table = new Table({
    head: [`1 + ${members} stacks`, "", "time", "processors", "emulator", "others", "peak memory", "ratio", "aim"],
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
  for (const { what, ours, terraform, plain } of rows) {
    // Crosstrail's time, as a part of the other's.
    const ratio = (other: Cost[]) => (of(ours, "seconds") / of(other, "seconds")).toFixed(2);
    table.push([what, "Crosstrail", ...cells(ours), "", ""]);
    if (terraform.length > 0) table.push(["", "Terraform", ...cells(terraform), ratio(terraform), aims[what] ?? ""]);
    if (plain.length > 0) table.push(["", "by hand", ...cells(plain), ratio(plain), ""]);
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
  console.log([`\n${table.toString()}`, ...(memory.length > 0 ? [memoryTable.toString()] : [])].join("\n"));
  console.log(
    [
      `Crosstrail works on ${defaultParallel()} stacks at the same time here, unless said otherwise, and reads every trail back after up;`,
      "by hand, stacks are created and brought up one by one. Terraform has one root with a provider for each account.",
      "Ratio: Crosstrail's time as a part of the other's, in this run. Aim: at most so much.",
      `${rounds > 1 ? `Medians of ${rounds} rounds for what changes nothing, with Crosstrail; the rest once. ` : ""}Processors: seconds of all processes without the emulator's.`,
      "Others: how many processors the rest of the machine kept busy meanwhile; near 0 it was quiet.",
      "Memory: resident pages of all processes, sampled four times a second; shared pages count for each.",
    ].join("\n"),
  );
}
