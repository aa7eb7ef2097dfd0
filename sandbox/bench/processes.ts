// What processes cost: memory and processor time, from /proc where there is one, else from ps.

import { execFileSync } from "node:child_process";
import fs from "node:fs";

export interface Entry {
  pid: number;
  ppid: number;
  kilobytes: number;
  /** Its own processor seconds, without those of processes that it has waited for. */
  cpu: number;
  command: string;
}

/** All processes of the machine. Of /proc it costs some milliseconds, so what is measured hardly notices. */
export function processes(): Entry[] {
  return process.platform === "linux" ? fs.readdirSync("/proc").flatMap(readProc) : readPs();
}

/** Those below one process, which is this one by default. */
export function descendants(root = process.pid, all = processes()): Entry[] {
  const children = new Map<number, Entry[]>();
  for (const entry of all) {
    const siblings = children.get(entry.ppid);
    if (siblings) siblings.push(entry);
    else children.set(entry.ppid, [entry]);
  }
  const found: Entry[] = [];
  for (const open = [root]; open.length > 0;) {
    const below = children.get(open.pop() as number) ?? [];
    found.push(...below);
    open.push(...below.map(({ pid }) => pid));
  }
  return found;
}

const [pageKilobytes, ticksPerSecond] =
  process.platform === "linux" ? [getconf("PAGESIZE") / 1024, getconf("CLK_TCK")] : [Number.NaN, Number.NaN];

function getconf(name: string): number {
  return Number(execFileSync("getconf", [name], { encoding: "utf8", timeout: 10_000 }));
}

function readProc(name: string): Entry[] {
  const pid = Number(name);
  if (Number.isNaN(pid)) return [];
  try {
    const stat = fs.readFileSync(`/proc/${name}/stat`, "latin1");
    // The command's name is in parentheses and may hold anything, so count the fields from the last one.
    const end = stat.lastIndexOf(")");
    const fields = stat.slice(end + 2).split(" ");
    // It is over, and only its parent has not noticed yet.
    if (fields[0] === "Z" || fields[0] === "X") return [];
    const number = (index: number) => Number(fields[index]);
    return [
      {
        pid,
        ppid: number(1),
        kilobytes: number(21) * pageKilobytes,
        cpu: (number(11) + number(12)) / ticksPerSecond,
        command: stat.slice(stat.indexOf("(") + 1, end),
      },
    ];
  } catch {
    // It ended while we looked.
    return [];
  }
}

function readPs(): Entry[] {
  const text = execFileSync("ps", ["-axo", "pid=,ppid=,rss=,time=,comm="], { encoding: "utf8", timeout: 10_000 });
  return text
    .trim()
    .split("\n")
    .map((line) => {
      const [pid, ppid, rss, time = "", ...command] = line.trim().split(/\s+/);
      const cpu = time.split(/[:-]/).reduce((sum, part) => sum * 60 + Number(part), 0);
      return { pid: Number(pid), ppid: Number(ppid), kilobytes: Number(rss), cpu, command: command.join(" ") };
    });
}

export interface Cost {
  seconds: number;
  /** Processor seconds of all processes that were started. */
  cpu: number;
  /** Processor seconds of those that ran before and continue: the emulator's. */
  emulator: number;
  /** Processors that everything else on the machine kept busy meanwhile: below 0.1 it was quiet. */
  others: number;
  /** Most memory that all processes of the operation held at once. Pages that they share are counted for each. */
  megabytes: number;
}

/** Runs `work` and watches all processes that it starts. */
export async function measured(work: () => Promise<void>): Promise<Cost> {
  const before = new Set(descendants().map(({ pid }) => pid));
  const olders = () =>
    descendants()
      .filter(({ pid }) => before.has(pid))
      .reduce((sum, { cpu }) => sum + cpu, 0);
  const [ended, older, busy, own] = [endedCpu(), olders(), busyCpu(), process.cpuUsage()];
  let most = 0;
  const look = () => {
    const now = descendants().filter(({ pid }) => !before.has(pid));
    most = Math.max(
      most,
      now.reduce((sum, { kilobytes }) => sum + kilobytes, 0),
    );
  };
  const timer = setInterval(look, 250);
  const begin = process.hrtime.bigint();
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  const seconds = Number(process.hrtime.bigint() - begin) / 1e9;
  const [cpu, emulator] = [endedCpu() - ended, olders() - older];
  const { user, system } = process.cpuUsage(own);
  const others = Math.max(0, busyCpu() - busy - cpu - emulator - (user + system) / 1e6) / seconds;
  return { seconds, cpu, emulator, others, megabytes: most / 1024 };
}

/** What waits for a process gets its processor time, and that of all for which it has waited itself. */
function endedCpu(): number {
  if (process.platform !== "linux") return Number.NaN;
  const stat = fs.readFileSync("/proc/self/stat", "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[13]) + Number(fields[14])) / ticksPerSecond;
}

/** Processor seconds of the whole machine since it was started. */
function busyCpu(): number {
  if (process.platform !== "linux") return Number.NaN;
  const [, user, nice, system, , , interrupts, soft] = fs.readFileSync("/proc/stat", "latin1").split(/\s+/).map(Number);
  return [user, nice, system, interrupts, soft].reduce<number>((sum, part) => sum + (part ?? 0), 0) / ticksPerSecond;
}
