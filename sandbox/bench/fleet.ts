// The fleet: an audit stack and 20 members, with `crosstrail up` and with plain `pulumi up` for one stack after the other.

import fs from "node:fs";
import path from "node:path";
import Table from "cli-table3";
import { defaultParallel } from "../../automation/fleet/run";
import { run } from "../../automation/process";
import type { Context } from "../context";
import { userError } from "../errors";
import { AUDIT_ACCOUNT, AUDIT_STACK, auditConfig, deployRole, ROOT } from "../fleet";
import { REGION, type Sandbox } from "../index";
import { measured, plainProject, type Run } from "./index";

const MEMBERS = 20;
const MINUTE = 60_000;

interface Measured extends Run {
  /** Processor seconds of all processes that have ended. */
  cpu: number;
}

export async function benchFleet(context: Context, sandbox: Sandbox): Promise<void> {
  const members = Array.from({ length: MEMBERS }, (_, index) => ({
    accountId: String(500000000000 + index),
    alias: `member-${index + 1}`,
  }));
  sandbox.configure(AUDIT_STACK, { ...auditConfig(), "crosstrail:members": members });
  const crosstrail = (...args: string[]) =>
    withCpu(async () => {
      const result = await run(process.execPath, [path.join(ROOT, "bin", "crosstrail.js"), ...args], {
        timeoutMs: 30 * MINUTE,
        env: sandbox.env,
        signal: context.signal,
      });
      context.signal.throwIfAborted();
      if (result.code !== 0) throw userError(`crosstrail ${args.join(" ")} failed:\n${result.stdout}${result.stderr}`);
    });
  const rows: [string, Measured | undefined, Measured | undefined][] = [];
  await context.progress.step(`Crosstrail: an audit stack and ${MEMBERS} members`, async (step) => {
    step.note("first up");
    rows.push(["first up", await crosstrail("up", "--yes"), undefined]);
    step.note("up with no changes");
    rows.push(["up, no changes", await crosstrail("up", "--yes"), undefined]);
    step.note("preview");
    rows.push(["preview", await crosstrail("preview"), undefined]);
    step.note("status");
    rows.push(["status", await crosstrail("status"), undefined]);
  });

  const plain = {
    audit: await plainProject(sandbox, "plain-audit"),
    member: await plainProject(sandbox, "plain-member"),
  };
  const stacks = [
    { project: plain.audit, name: "audit", accountId: AUDIT_ACCOUNT },
    ...members.map(({ alias, accountId }) => ({ project: plain.member, name: alias, accountId })),
  ];
  const each = (verb: string, ...options: string[]) =>
    withCpu(async () => {
      for (const { project, name, accountId } of stacks) {
        await project.stack(name, {
          "aws:region": REGION,
          "aws:allowedAccountIds": [accountId],
          ...(accountId === AUDIT_ACCOUNT
            ? { "plain-audit:members": members.map((member) => member.accountId) }
            : { "aws:assumeRoles": [{ roleArn: deployRole(accountId) }] }),
        });
        const { code, stdout, stderr } = await sandbox.pulumi([verb, ...options, "--stack", name], {
          env: project.env,
        });
        context.signal.throwIfAborted();
        if (code !== 0) throw userError(`pulumi ${verb} for ${name} failed:\n${stdout}${stderr}`);
      }
    });
  await context.progress.step(`By hand: the same, one stack after the other`, async (step) => {
    for (const [index, verb] of (["up", "up", "preview"] as const).entries()) {
      step.note(rows[index]?.[0] ?? "");
      (rows[index] as unknown[])[2] = await each(verb, ...(verb === "up" ? ["--yes", "--skip-preview"] : []));
    }
  });
  show(rows);
}

/** What waits for a process gets its processor time, and that of all for which it has waited itself. */
async function withCpu(work: () => Promise<void>): Promise<Measured> {
  const before = childrenCpu();
  const result = await measured(work);
  return { ...result, cpu: childrenCpu() - before };
}

function childrenCpu(): number {
  if (process.platform !== "linux") return Number.NaN;
  const stat = fs.readFileSync("/proc/self/stat", "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

function show(rows: [string, Measured | undefined, Measured | undefined][]): void {
  const table = new Table({
    head: [`1 + ${MEMBERS} stacks`, "Crosstrail", "by hand", "times faster"],
    style: { head: [], border: [] },
  });
  const cell = (measurement: Measured | undefined) =>
    measurement
      ? `${measurement.seconds.toFixed(0)} s, ${measurement.cpu.toFixed(0)} processor seconds, ${measurement.megabytes.toFixed(0)} MiB at most`
      : "";
  for (const [what, ours, plain] of rows) {
    table.push([what, cell(ours), cell(plain), ours && plain ? (plain.seconds / ours.seconds).toFixed(1) : ""]);
  }
  console.log(`\n${table.toString()}`);
  console.log(
    `Crosstrail works on ${defaultParallel()} stacks at the same time here; by hand, stacks are created and brought up one by one.`,
  );
}
