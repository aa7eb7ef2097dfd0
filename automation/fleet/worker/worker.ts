/**
 * A worker: takes one stack after the other, never two at a time, as programs in one process can fail each other. It reads
 * orders from stdin and writes reports to stdout, one JSON object a line. The supervisor is `pool.ts`.
 */
import { createInterface } from "node:readline";
import { allEnded } from "../../process";
import { Engine } from "./engine";
import { runJob } from "./turn";
import { contractVariable } from "../../../programs/contract";
import { stackFileVariable } from "../../../programs/stack";
import { reportMark } from "../protocol";
import type { Job, Order, Report } from "../types";
import { Status } from "../types";

export function main(): void {
  const write = process.stdout.write.bind(process.stdout);
  const send = (report: Report) => void write(`${reportMark}${JSON.stringify(report)}\n`);
  // Whatever else prints here must not come between the reports.
  process.stdout.write = process.stderr.write.bind(process.stderr) as typeof process.stdout.write;
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = "true";

  let engine: Engine | undefined;
  const run = async (job: Job) => {
    const env = { ...process.env, ...job.env };
    // The folder is given by the job.
    delete env.PULUMI_OPTION_CWD;
    // Short-lived processes: collecting their garbage half as often costs little memory and saves a sixth of their time.
    env.GOGC ??= "400";
    // The program runs in this process.
    process.env[stackFileVariable] = job.stackFile ?? "";
    process.env[contractVariable] = job.recorded?.contract ?? "";
    engine = new Engine(job, env, (event) => send({ type: "event", event }));
    const { result, reading } = await runJob(job, engine, (event) => send({ type: "event", event }));
    engine = undefined;
    // A program that has failed may have left promises behind that fail the next one.
    send({ type: "done", result, reading, reusable: result.status === Status.Succeeded });
  };

  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => {
    const order = JSON.parse(line) as Order;
    if (order.type === "run") void run(order.job);
    else if (order.type === "stop") engine?.stop(order.graceMs);
    else process.exit(0);
  });
  // Anyone who asked for it is gone, or wants an end: the engine's process must not be left in the middle of its work.
  let ending = false;
  const end = () => {
    if (ending) return;
    ending = true;
    engine?.stop(5_000);
    void allEnded().then(() => process.exit(1));
  };
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, end);
  lines.on("close", end);
  send({ type: "ready" });
}
